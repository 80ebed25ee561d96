"""Polyhedra: both descriptions, suprema with reasons, emptiness, images; against PPL and the definition."""

from __future__ import annotations

import os
import random
from fractions import Fraction
from pathlib import Path

import cdd.gmp
import oracles
import pytest
from families import domain, rational
from hypothesis import given, settings
from hypothesis import strategies as st

from geomrelu import AffineForm, AffineMap, FiniteSet, InputError, Polyhedron
from geomrelu.deadness.falling import falls
from geomrelu.exact import cddlib, linear_programs
from geomrelu.geometry import weights
from geomrelu.geometry.domains import read_any, read_domain, write_domain

coefficients = st.one_of(
    st.integers(-3, 3),
    st.integers(-(2**40), 2**40),
    st.fractions(min_value=-2, max_value=2, max_denominator=7),
    st.sampled_from([Fraction(1, 2**45), Fraction(-1, 2**45)]),
)


@st.composite
def systems(draw):
    """Rows in R^1..R^3, often with duplicates, opposite and parallel rows, zeros and tiny differences."""
    n = draw(st.integers(1, 3))
    rows = draw(st.lists(st.lists(coefficients, min_size=n + 1, max_size=n + 1), min_size=0, max_size=5))
    for row in list(rows):
        how = draw(st.integers(0, 6))
        if how == 0:
            rows.append(list(row))
        elif how == 1:
            rows.append([-v for v in row])
        elif how == 2:
            rows.append([row[0] + Fraction(1, 2**45), *row[1:]])
    flats = draw(st.lists(st.lists(st.integers(-2, 2), min_size=n + 1, max_size=n + 1), max_size=1))
    form = draw(st.lists(coefficients, min_size=n + 1, max_size=n + 1))
    return n, rows, flats, form


def test_a_point_within_thousands_of_corners_is_short():
    """Their mean had 4,800 digits in each coordinate, more than Python writes."""
    rng = random.Random(46)
    rows = [[rng.randint(1, 9), *(rng.randint(-3, 3) for _ in range(10))] for _ in range(40)]
    where = Polyhedron.from_rows(rows)
    x = where.interior_point()
    assert where.contains(x) and max(v.denominator.bit_length() for v in x) < 200
    flat = Polyhedron.from_rows([*rows, [0, *[1] * 10], [0, *[-1] * 10]])
    x = flat.interior_point()
    assert flat.contains(x) and sum(x) == 0


@settings(max_examples=300)
@given(systems())
def test_everything_against_ppl(system):
    n, rows, flats, form = system
    ours = Polyhedron.from_rows(rows, flats, dimension=n)
    theirs = oracles.ppl_polyhedron(rows, n, flats)
    assert ours.is_empty == theirs.is_empty()
    if ours.is_empty:
        assert ours.affine_dimension == -1
        with pytest.raises(InputError):
            ours.supremum(AffineForm.of_row(form))
        return
    assert ours.affine_dimension == theirs.affine_dimension()
    assert ours.is_bounded == theirs.is_bounded()
    assert ours.contains(ours.interior_point())
    inmost = ours._inmost()
    assert ours.contains(inmost)
    for row in ours.inequalities:  # at none is 0 that is not 0 everywhere
        value = row[0] + sum(a * x for a, x in zip(row[1:], inmost, strict=True))
        assert value > 0 or oracles.supremum(theirs, row) == 0
    best, right = ours.supremum(AffineForm.of_row(form)), oracles.supremum(theirs, form)
    assert ours.contains(best.point)
    if right == oracles.INFINITE:
        assert best.value is None
        assert AffineForm.of_row(form).along(best.ray) > 0
        assert ours.recession_cone().contains(best.ray)
    else:
        assert best.value == right == AffineForm.of_row(form)(best.point)
    hull = Polyhedron.from_generators(ours.vertices, ours.rays, ours.lines)
    assert hull.same_set(ours)
    assert ours.irredundant().same_set(ours)
    assert hull.supremum(AffineForm.of_row(form)).value == best.value
    assert falls(ours, [Fraction(0)] * n) == ours.is_bounded
    assert all(hull.contains(v) for v in ours.vertices)


@settings(max_examples=200)
@given(systems())
def test_multipliers_prove_the_supremum(system):
    """objective + sum of multipliers * rows is at most the value on the box alone, identically."""
    n, rows, flats, form = system
    ours = Polyhedron.from_rows(rows, flats, dimension=n)
    if ours.is_empty:
        return
    best = ours.supremum(AffineForm.of_row(form))
    if best.value is None:
        return
    total = [Fraction(v) for v in form]
    assert all(m >= 0 for _, m in best.rows)
    for table, multipliers in ((ours.rows, best.rows), (ours.flats, best.equalities)):
        for k, m in multipliers:
            total = [t + m * v for t, v in zip(total, table[k], strict=True)]
    box = Polyhedron.box(list(zip(ours.checked.lower, ours.checked.upper, strict=True)))
    assert box.supremum(AffineForm.of_row(total)).value == best.value


def test_vertices_by_definition():
    rng = random.Random(2)
    for _ in range(60):
        n = rng.randint(1, 3)
        rows = [[rng.randint(0, 5), *(rng.randint(-3, 3) for _ in range(n))] for _ in range(n + 3)]
        rows += [[4, *(s * int(i == j) for j in range(n))] for i in range(n) for s in (1, -1)]
        assert set(Polyhedron.from_rows(rows).vertices) == oracles.vertices(rows, n)


def test_where_floating_point_fails():
    """Inputs on which float cddlib errs: a bounded square cut twice, a cone of four generators."""
    square = Polyhedron.from_rows([[1, 1, 0], [1, -1, 0], [1, 0, 1], [1, 0, -1], [Fraction(3, 2), 1, 1], [1, -1, -1]])
    assert len(square.vertices) == 6 and not square.rays
    low = Fraction("-0.47213")
    cone = Polyhedron.from_generators([(0, 0, 0)], [(1, 1, low), (1, -1, low), (-1, 1, low), (-1, -1, low)])
    assert len(cone.inequalities) == 4


def test_infeasible_is_not_unbounded():
    """The two look alike in cddlib's status words; here they never do."""
    assert linear_programs.maximise((0, 1), [(-1, 1), (-1, -1)]).point is None
    best = linear_programs.maximise((0, 1), [(-1, 1)])
    assert best.value is None and best.ray is not None and best.ray[0] > 0
    assert linear_programs.maximise((0, 1, 0), [(0, 1, 1)], [(1, 0, 0)]).point is None


def test_only_the_safe_method_of_cddlib_is_used(monkeypatch):
    """Whatever is asked, also where coefficients are far apart: criss-cross."""
    solve, used = cdd.gmp.linprog_solve, []
    monkeypatch.setattr(cdd.gmp, "linprog_solve", lambda program, how: (used.append(how), solve(program, how)))
    rows = [(1, -(10**6), 0), (1, 0, -1), (10**3, 1, 1), (1, -(10**6), -1)]
    assert linear_programs.maximise((0, 10**6, 1), rows).value == 1
    assert linear_programs.maximise((0, -1, 0), rows[:2]).ray is not None
    assert linear_programs.maximise((0, 1), [(-1, 1), (-(10**6), -1)]).point is None
    kept, implicit = linear_programs.irredundant(rows, [])
    assert (implicit, set(kept) <= set(range(4))) == ([], True)
    square = Polyhedron.from_rows([[1, 1, 0], [1, -1, 0], [10**6, 0, 1], [Fraction(1, 10**6), 0, -1]])
    assert len(square.irredundant().vertices) == 4 and square.supremum(AffineForm.of_row([0, 1, 10**6])).value == 2
    assert set(used) == {cdd.LPSolverType.CRISS_CROSS}
    for other in ("redundant_rows", "matrix_canonicalize", "matrix_redundancy_remove"):
        assert not any(other in Path(module.__file__).read_text() for module in (cddlib, linear_programs))


def test_irredundant_rows_are_facets():
    rng = random.Random(12)
    for _ in range(60):
        n = rng.randint(1, 3)
        rows = [[rng.randint(0, 4), *(rng.randint(-2, 2) for _ in range(n))] for _ in range(rng.randint(1, 6))]
        ours = Polyhedron.from_rows([*rows, *rows[:2], [9, *rows[0][1:]]], dimension=n)
        least = ours.irredundant()
        theirs = oracles.ppl_polyhedron(rows, n)
        constraints = theirs.minimized_constraints()
        assert len(least.inequalities) == sum(c.is_inequality() for c in constraints)
        assert len(least.equalities) == sum(c.is_equality() for c in constraints)


def test_image_and_intersection():
    square = Polyhedron.box([(-1, 1)] * 2)
    image = square.image(AffineMap.from_dense([[1, 1], [1, -1], [0, 0]], [0, 0, 5]))
    assert set(image.vertices) == {(2, 0, 5), (0, 2, 5), (0, -2, 5), (-2, 0, 5)}
    assert square.intersection(Polyhedron.orthant(2)).same_set(Polyhedron.box([(0, 1)] * 2))
    assert Polyhedron.orthant(2).image(AffineMap.from_dense([[1, 1]])).same_set(Polyhedron.orthant(1))
    assert Polyhedron.simplex(3).affine_dimension == 3 and len(Polyhedron.simplex(3).vertices) == 4
    assert square != square.irredundant().image(AffineMap.from_dense([[1, 0], [0, 1]]))
    assert square == Polyhedron.from_rows([[2, 2, 0], [1, -1, 0], [1, 0, 1], [1, 0, -1]])


def test_same_set_sees_rays():
    """Equal vertices are not equal sets."""
    ray = Polyhedron.from_rows([[0, 1]])
    assert ray.vertices == Polyhedron.from_generators([(0,)]).vertices
    assert not ray.same_set(Polyhedron.from_generators([(0,)]))
    assert not Polyhedron.space(2).same_set(Polyhedron.from_generators([(0, 0)], [], [(1, 0)]))


def test_files_round_trip(tmp_path):
    rng = random.Random(3)
    for k in range(60):
        ours, _ = domain(rng, rng.randint(1, 3))
        write_domain(ours, tmp_path / f"{k}.json")
        again = read_any(str(tmp_path / f"{k}.json"))
        assert again.checked.digest() == ours.checked.digest()
        if isinstance(ours, FiniteSet):
            with pytest.raises(InputError):
                write_domain(ours, tmp_path / "points.ine")
            continue
        for ending in ("ine", "ext"):
            write_domain(ours, tmp_path / f"{k}.{ending}")
            assert read_any(str(tmp_path / f"{k}.{ending}")).same_set(ours)


def test_named_domains():
    assert read_domain("R^n", 3) == Polyhedron.space(3) == read_domain("R^3", 3)
    assert read_domain("R+^n", 2) == Polyhedron.orthant(2)
    assert read_domain("box:-1/2,0.1", 2) == Polyhedron.box([("-1/2", "0.1")] * 2)
    for text in (
        "R^4",
        "R^x",
        "R^0",
        "box:1",
        "box:1,2,3",
        "box:a,b",
        "box:2,1",
        "nothing.json",
        "x.txt",
        "R+^" + "9" * 50,
    ):
        with pytest.raises(InputError):
            read_domain(text, 3)


def test_weights_are_convex():
    rng = random.Random(6)
    for _ in range(40):
        hull = Polyhedron.from_generators([[rational(rng) for _ in range(2)] for _ in range(4)], [(1, 0)], [(1, 1)])
        parts = weights.of_point(hull, hull.interior_point())
        data = {"weights": [list(map(str, p)) for p in parts]}
        assert tuple(hull.checked.weighted(data, 0)) == hull.interior_point()


def test_constructors_refuse_nonsense():
    for make in (
        lambda: Polyhedron.from_rows([]),
        lambda: Polyhedron.from_rows([[1, 2], [1, 2, 3]]),
        lambda: Polyhedron.from_generators([]),
        lambda: Polyhedron.box([]),
        lambda: Polyhedron.box([(float("nan"), 1)]),
        lambda: FiniteSet.of([]),
        lambda: FiniteSet.of([[1], [1, 2]]),
        lambda: Polyhedron.space(2).supremum(AffineForm.of(0, [1])),
        lambda: Polyhedron.space(2).contains([1]),
        lambda: Polyhedron.space(2).intersection(Polyhedron.space(3)),
    ):
        with pytest.raises(InputError):
            make()


def test_cddlib_is_silent(capfd):
    """Where its floating point gives up it says so on standard error, though the exact answer follows."""
    rows = [
        (3221225472, 1, 9663676416),
        (7516192768, 0, 3),
        (3, 105553116266496, -6442450944),
        (35184372088832, 7516192768, -3),
        (8, 5, 7),
        (8, 2147483648, -6),
    ]
    best = linear_programs.maximise((0, 1, 1), rows)
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"
    assert best.value is None and sum(best.ray) > 0
    assert all(sum(a * r for a, r in zip(row[1:], best.ray, strict=True)) >= 0 for row in rows)
