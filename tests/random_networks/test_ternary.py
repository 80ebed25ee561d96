"""Ternary networks: the counts against the definition and against the analyzer, choice by choice."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction
from itertools import product

import pytest
import sympy

from geomrelu import InputError, Status, decide
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.network import Network
from geomrelu.papers.tables import NEEDS, TABLES, applies
from geomrelu.random_networks.ternary import _generators, ternary_dead, ternary_dead_counts


def dead_on_the_line(rows, w, c):
    """By breakpoints and end slopes, in fractions."""

    def f(x):
        return sum(v * max(a * x + b, 0) for v, (a, b) in zip(w, rows, strict=True)) + c

    points = sorted({Fraction(-b, a) for a, b in rows if a} | {Fraction(0)})
    places = [points[0] - 2, points[0] - 1, *points, points[-1] + 1, points[-1] + 2]
    ends = f(places[0]) <= f(places[1]) and f(places[-1]) <= f(places[-2])
    return ends and all(f(x) <= 0 for x in places)


@pytest.mark.slow
@pytest.mark.parametrize("n1", [1, 2, 3])
def test_counts_on_the_line_are_those_of_the_definition(n1):
    found: Counter[int] = Counter()
    for choice in product((-1, 0, 1), repeat=3 * n1 + 1):
        rows = [choice[2 * i : 2 * i + 2] for i in range(n1)]
        found[choice.count(0)] += dead_on_the_line(rows, choice[2 * n1 : -1], choice[-1])
    assert ternary_dead_counts(1, n1) == tuple(found[k] for k in range(3 * n1 + 2))


def test_generators_decide_in_the_plane_as_the_analyzer_does():
    rng, dead = random.Random(1), 0
    for _ in range(120):
        rows = [[rng.choice((-1, 0, 1)) for _ in range(3)] for _ in range(3)]
        w, c = [rng.choice((-1, -1, 0, 1)) for _ in range(3)], rng.choice((-1, 0))
        first = [row[:2] for row in rows], [row[2] for row in rows], "relu"
        *_, report = decide(Network.from_layers([first, ([w], [c], "relu")]), Polyhedron.space(2))
        values = [
            sum(v * max(sum(a * x for a, x in zip(row, g, strict=True)), 0) for v, row in zip(w, rows, strict=True))
            + c * g[-1]
            for g in _generators(2)
        ]
        assert (max(values) <= 0) == (report.verdicts[0].status is Status.DEAD)
        dead += max(values) <= 0
    assert 20 < dead < 100


def test_the_polynomial_is_a_probability():
    s = sympy.Symbol("s")
    for sizes in ((1, 1), (1, 4), (2, 2), (2, 3)):
        counts = ternary_dead_counts(*sizes)
        polynomial = ternary_dead(*sizes, s)
        assert polynomial.subs(s, 1) == counts[-1] == 1  # all parameters 0
        assert polynomial.subs(s, sympy.Rational(1, 3)) == sympy.Rational(sum(counts), 3 ** (len(counts) - 1))
        assert polynomial.subs(s, 0) == sympy.Rational(counts[0], 2 ** (len(counts) - 1))


@pytest.mark.parametrize("sizes", [(0, 1), (3, 1), (1, 0), (1, 5)])
def test_other_sizes_are_refused(sizes):
    with pytest.raises(InputError, match="1 to 2 inputs"):
        ternary_dead_counts(*sizes)


@pytest.mark.parametrize("zero", [2, -1, 0.5, None])
def test_what_is_no_exact_probability_is_refused(zero):
    with pytest.raises(InputError, match="probability"):
        ternary_dead(1, 1, zero)


def test_which_theorem_applies_follows_from_the_law():
    assert applies("narrow-first-layer", "pytorch") == "yes"
    assert applies("narrow-first-layer", "flax") == "no: biases 0"
    assert applies("bias-free", "keras") == "yes"
    assert applies("bias-free", "scikit-learn") == "no: biases"
    assert applies("lower-bound", "rademacher") == "no: the law 'rademacher' has atoms"
    assert "not symmetric" in applies("lower-bound", "rai")


def test_each_theorem_of_the_table_is_a_claim():
    from geomrelu.claims.registry import load

    assert set(NEEDS) <= set(load())
    assert [row[0] for row in TABLES["defaults"]().rows] == list(NEEDS)
