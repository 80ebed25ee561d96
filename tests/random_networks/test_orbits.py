"""Batches of sign orbits: the float kernel against exact counts, in general, degenerate and badly scaled position."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest
from flint import fmpz_mat
from oracles import sign_choices, stable_in_general_position

from geomrelu import InputError
from geomrelu.random_networks import orbit_batch
from geomrelu.random_networks.orbit_batch import stably_unactivated_counts
from geomrelu.random_networks.stably_unactivated import is_stably_unactivated, stably_unactivated_orbit

pytestmark = pytest.mark.slow


def magnitudes(rng, count, n0, n1, kind="normal"):
    shapes = (count, n1, n0), (count, n1), (count, n1), (count,)
    if kind == "integers":
        return tuple(rng.integers(1, 10**6, s) * rng.choice((-1.0, 1.0), s) for s in shapes)
    if kind == "few":  # many ties: parallel, equal and concurrent hyperplanes, equal rates
        a, b, w, c = (rng.integers(-2, 3, s).astype(float) for s in shapes)
        return a, b, np.where(w == 0, 1, w), np.where(c == 0, 2, c)
    if kind == "scaled":
        return tuple(np.ldexp(rng.standard_normal(s), rng.integers(-40, 41, s)) for s in shapes)
    if kind == "extreme":
        return tuple(np.ldexp(rng.standard_normal(s), rng.choice((-900, 0, 900), s)) for s in shapes)
    return tuple(rng.standard_normal(s) for s in shapes)


def exact(parts):
    return [stably_unactivated_orbit(*part)[0] for part in zip(*parts, strict=True)]


@pytest.mark.parametrize("kind", ["normal", "integers", "few", "scaled", "extreme"])
@pytest.mark.parametrize(("n0", "n1"), [(1, 1), (1, 2), (1, 4), (2, 1), (2, 2), (2, 3), (2, 5), (3, 4), (3, 5), (4, 5)])
def test_counts_equal_the_exact_ones(kind, n0, n1):
    parts = magnitudes(np.random.default_rng(10 * n0 + n1), 12 if n1 < 5 else 5, n0, n1, kind)
    assert stably_unactivated_counts(*parts).tolist() == exact(parts)


@pytest.mark.parametrize(("n0", "n1"), [(1, 2), (1, 3), (2, 3), (2, 4), (3, 4)])
def test_what_is_sure_is_right(n0, n1):
    """Ties must be seen: the kernel alone, without its fallback."""
    parts = magnitudes(np.random.default_rng(n1), 60, n0, n1, "few")
    a, b, w, c = parts
    found, sure = orbit_batch._counted(a, b, abs(w), abs(c), n1)
    expected = np.array(exact(parts))
    assert (found == expected)[sure].all()
    assert not sure.all()


@pytest.mark.parametrize("kind", ["normal", "few", "scaled"])
@pytest.mark.parametrize(("n0", "n1"), [(1, 1), (1, 3), (2, 2), (2, 3), (3, 2), (2, 4)])
def test_some_row_flips_by_the_definition(kind, n0, n1):
    """The first rows are flipped together; choice by choice, and all of them for as many rows as there are."""
    a, b, w, c = magnitudes(np.random.default_rng(n1), 2, n0, n1, kind)
    for rows in range(1, n1 + 1):
        expected = []
        for k in range(2):
            expected.append(0)
            for first, *rest in product((-1, 1), repeat=rows) if n1 < 4 else ():
                flip = np.array([first] * (n1 - rows + 1) + rest)
                for signs in product((-1, 1), repeat=n1 + 1):
                    expected[k] += is_stably_unactivated(
                        a[k] * flip[:, None], b[k] * flip, abs(w[k]) * signs[:-1], abs(c[k]) * signs[-1]
                    )
        walked = [stably_unactivated_orbit(*part, rows) for part in zip(a, b, w, c, strict=True)]
        assert stably_unactivated_counts(a, b, w, c, rows).tolist() == [count for count, _ in walked]
        assert {size for _, size in walked} == {2 ** (rows + n1 + 1)}
        assert n1 == 4 or expected == [count for count, _ in walked]
    for rows in (0, n1 + 1):
        with pytest.raises(InputError, match="rows"):
            stably_unactivated_counts(a, b, w, c, rows)


def test_a_tie_is_doubtful_and_the_neighbours_on_both_sides_are_not():
    """n0 = 1, n1 = 2 at a tie of two rates, and 2^-20 beside it."""
    for nudge, doubtful in ((0.0, True), (2.0**-20, False), (-(2.0**-20), False)):
        parts = [np.array([[[1.0], [3.0]]]), np.array([[1.0, 2.0]]), np.array([[3.0, 1.0 + nudge]]), np.array([5.0])]
        weights, bias, w, c = parts
        _, sure = orbit_batch._counted(weights, bias, w, c, 2)
        assert bool(sure[0]) is not doubtful
        assert stably_unactivated_counts(*parts).tolist() == exact(parts) == [4 if doubtful else 6]


@pytest.mark.parametrize("law", ["normal", "integers"])
@pytest.mark.parametrize(("n0", "n1"), [(n0, n1) for n0 in range(1, 5) for n1 in range(1, n0 + 2)])
def test_constant_counts(law, n0, n1):
    """2^n1, and 2^n1 + 2 for one neuron more than inputs, on each of 200 orbits."""
    parts = magnitudes(np.random.default_rng(20), 200, n0, n1, law)
    assert (stably_unactivated_counts(*parts) == 2**n1 + 2 * (n1 > n0)).all()


@pytest.mark.parametrize(("n0", "n1"), [(2, 8), (3, 7), (1, 9)])
def test_wide_layers(n0, n1):
    parts = magnitudes(np.random.default_rng(21), 2, n0, n1)
    assert stably_unactivated_counts(*parts).tolist() == exact(parts)


@pytest.mark.parametrize("kind", ["normal", "few", "scaled", "extreme"])
@pytest.mark.parametrize(("n0", "n1"), [(1, 1), (1, 4), (2, 1), (2, 3), (2, 5), (3, 3), (3, 5), (4, 5)])
def test_constants_that_share_the_rest_are_orbits_of_their_own(kind, n0, n1):
    a, b, w, _ = magnitudes(np.random.default_rng(26), 8, n0, n1, kind)
    c = magnitudes(np.random.default_rng(27), 24, n0, n1, kind)[3].reshape(8, 3)
    found = stably_unactivated_counts(a, b, w, c)
    assert found.shape == (8, 3)
    assert all((found[:, k] == stably_unactivated_counts(a, b, w, c[:, k])).all() for k in range(3))
    assert found[0].tolist() == [stably_unactivated_orbit(a[0], b[0], w[0], value)[0] for value in c[0]]


def test_a_constant_at_its_edge():
    """c at the float next to an exact edge T, on both sides and beyond the error, in a case with one bad vertex."""
    a = np.array([[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 1.0 + 2.0**-20]]])
    b, w = np.array([[1.0, 2.0, 5.0, 7.0]]), np.array([[3.0, 1.0, 0.5, 2.0]])
    edges = [t * (1 + k * 2.0**-52) for t in (0.5, 1.0, 1.5, 2.0, 3.0, 6.0) for k in (-(2**30), -1, 0, 1, 2**30)]
    found = stably_unactivated_counts(a, b, w, np.array([edges]))[0]
    assert found.tolist() == [stably_unactivated_orbit(a[0], b[0], w[0], c)[0] for c in edges]
    assert len(set(found.tolist())) > 2


def test_batches_do_not_matter(monkeypatch):
    parts = magnitudes(np.random.default_rng(22), 50, 2, 4)
    found = stably_unactivated_counts(*parts)
    monkeypatch.setattr(orbit_batch, "CELLS", 64)
    monkeypatch.setattr(orbit_batch, "GATHERED", 100)
    monkeypatch.setattr(orbit_batch, "TABLED", 5000)
    monkeypatch.setattr(orbit_batch, "ROWS", 64)
    assert (stably_unactivated_counts(*parts) == found).all()
    alone = [stably_unactivated_counts(*(p[k : k + 1] for p in parts))[0] for k in range(50)]
    assert alone == found.tolist()


def test_the_order_of_neurons_and_signs_do_not_matter():
    a, b, w, c = magnitudes(np.random.default_rng(23), 20, 3, 6)
    found = stably_unactivated_counts(a, b, w, c)
    assert (stably_unactivated_counts(a[:, ::-1], b[:, ::-1], w[:, ::-1], c) == found).all()
    assert (stably_unactivated_counts(-a, -b, -w, -c) == found).all()
    assert (stably_unactivated_counts(a[:, :, ::-1] * 4, b * 4, w / 4, c) == found).all()


def test_minors_and_their_bounds():
    """Against exact determinants, badly conditioned ones too."""
    rng = np.random.default_rng(24)
    columns = [rng.integers(-(2**26), 2**26, (5, 3)).astype(float) for _ in range(3)]
    columns.append(columns[0] + columns[1] + rng.integers(-1, 2, (5, 3)))
    for k, (value, size) in enumerate(orbit_batch._minors(columns, 5), 1):
        for place, rows in enumerate(combinations(range(5), k)):
            for o in range(3):
                truth = int(fmpz_mat([[int(columns[j][i, o]) for j in range(k)] for i in rows]).det())
                assert abs(int(value[place, o]) - truth) <= k * (k + 1) * orbit_batch.UNIT * size[place, o]


@pytest.mark.parametrize(
    "parts",
    [
        ([[[1.0]]], [[1.0]], [[0.0]], [1.0]),
        ([[[1.0]]], [[1.0]], [[1.0]], [0.0]),
        ([[[np.nan]]], [[1.0]], [[1.0]], [1.0]),
        ([[[1.0]]], [[np.inf]], [[1.0]], [1.0]),
        ([[[1.0]]], [[1.0, 2.0]], [[1.0]], [1.0]),
        ([[[1.0]] * 17], [[1.0] * 17], [[1.0] * 17], [1.0]),
        ([[1.0]], [1.0], [1.0], 1.0),
        ([[[1.0]]], [[1.0]], [[1.0]], [[[1.0]]]),
        ([[[1.0]]], [[1.0]], [[1.0]], [1.0, 2.0]),
    ],
)
def test_unusable_magnitudes_are_refused(parts):
    with pytest.raises(InputError):
        stably_unactivated_counts(*parts)


def test_all_flips_and_sets_by_brute_force():
    """The sum over all sign choices of a plain judgement of each, at 2 inputs and 4 neurons."""
    a, b, w, c = magnitudes(np.random.default_rng(25), 2, 2, 4)
    for part in zip(a, b, w, c, strict=True):
        rows = [[Fraction(v) for v in row] for row in part[0].tolist()]
        bias, weights = ([Fraction(v) for v in p.tolist()] for p in part[1:3])
        choices = sign_choices(rows, bias, [abs(v) for v in weights], abs(Fraction(part[3])))
        expected = sum(stable_in_general_position(*choice) for choice in choices)
        assert stably_unactivated_counts(*(np.asarray(p)[None] for p in part)).tolist() == [expected]


def test_zero_rows_and_rank_deficient_layers():
    for rows in product((0.0, 1.0), repeat=3):
        a = np.array([[[rows[0], 1.0], [rows[1], 2.0], [rows[2], 3.0]]])
        parts = a, np.array([[1.0, 0.0, 2.0]]), np.ones((1, 3)), np.array([2.0])
        assert stably_unactivated_counts(*parts).tolist() == exact(parts)
