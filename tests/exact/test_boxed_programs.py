"""Linear programs on a box with rows: against PPL in few dimensions, against all rows written out in many."""

from __future__ import annotations

import random
from fractions import Fraction

import oracles
import pytest

from geomrelu import AffineForm, Polyhedron, checker
from geomrelu.exact import cddlib, linear_programs
from geomrelu.exact.boxed_programs import BoxedPrograms

KINDS = ("whole", "ternary", "rational", "dyadic", "degenerate", "scaled")


def entry(rng, kind):
    if kind in ("whole", "degenerate"):
        return rng.randint(-9, 9) if kind == "whole" else rng.choice((0, 0, 1, -1))
    if kind == "ternary":
        return rng.randint(-1, 1)
    if kind == "rational":
        return rng.randint(-99, 99)
    scale = 2**50 if kind == "dyadic" else 2 ** rng.choice((0, 30, 60))
    return int(Fraction(rng.gauss(0, 1)) * scale)


def problem(rng, kind, n, closed=0.8):
    """Sides, rows, equalities and an objective."""
    sides = []
    for _ in range(n):
        low, high = sorted(Fraction(rng.randint(-6, 6), rng.randint(1, 3)) for _ in range(2))
        sides.append((low if rng.random() < closed else None, high if rng.random() < closed else None))
    table = [[tuple(entry(rng, kind) for _ in range(n + 1)) for _ in range(rng.randint(0, k))] for k in (4, 1)]
    if kind == "degenerate" and table[0]:  # twice, and turned round: an equality in disguise
        table[0] += [table[0][0], tuple(-v for v in table[0][0])]
    return sides, *table, tuple(entry(rng, kind) for _ in range(n + 1))


def domain(sides, rows, flats):
    inequalities, equalities = ([list(map(Fraction, row)) for row in table] for table in (rows, flats))
    return checker.Domain.from_rows(len(sides), inequalities, equalities, [list(side) for side in sides])


def proved(found, programs, objective):
    """The multipliers prove the value on the box alone, and the point attains it."""
    total = [Fraction(v) for v in objective]
    rows, flats = programs.rows[: programs.split], programs.rows[programs.split :]
    assert all(m > 0 for m in found.rows.values())
    for table, multipliers in ((rows, found.rows), (flats, found.equalities)):
        for k, m in multipliers.items():
            total = [t + m * v for t, v in zip(total, table[k], strict=True)]
    ends = [programs.upper[j] if t > 0 else programs.lower[j] for j, t in enumerate(total[1:])]
    assert found.value == total[0] + sum(t * end for t, end in zip(total[1:], ends, strict=True) if t)
    assert found.value == AffineForm.of_row(objective)(found.point)
    assert all(low is None or low <= x for low, x in zip(programs.lower, found.point, strict=True))
    assert all(high is None or x <= high for high, x in zip(programs.upper, found.point, strict=True))
    assert all(AffineForm.of_row(row)(found.point) >= 0 for row in rows)
    assert not any(AffineForm.of_row(row)(found.point) for row in flats)


@pytest.mark.parametrize("kind", KINDS)
def test_against_ppl(kind):
    rng, known = random.Random(KINDS.index(kind)), dict.fromkeys(("optimum", "empty", "bounded", "inside"), 0)
    for _ in range(150):
        sides, rows, flats, objective = problem(rng, kind, rng.randint(1, 5))
        lower, upper = zip(*sides, strict=True)
        programs = BoxedPrograms(lower, upper, rows, flats)
        given = Polyhedron.box(sides).inequalities
        right = oracles.ppl_polyhedron([*given, *rows], len(sides), flats)
        found, highest = programs.maximise(objective), oracles.supremum(right, objective)
        if found is not None:
            proved(found, programs, objective)
            assert found.value == highest
            known["optimum"] += 1
        if (empty := programs.is_empty()) is not None:
            assert empty == right.is_empty()
            known["empty"] += 1
        if right.is_empty():
            assert programs.inside is None
            continue
        if (bounded := programs.is_bounded()) is not None:
            assert bounded == right.is_bounded()
            known["bounded"] += 1
        if programs.inside is not None:
            assert all(AffineForm.of_row(row)(programs.inside) > 0 for row in rows if any(row))
            assert domain(sides, rows, flats).contains(programs.inside)
            known["inside"] += 1
        ray = programs.growing(objective)
        if ray is not None:
            assert highest == oracles.INFINITE
            assert domain(sides, rows, flats).recedes(ray) and AffineForm.of_row(objective).along(ray) > 0
    assert all(count >= 20 for count in known.values()), known


@pytest.mark.parametrize("kind", KINDS[:4])
def test_in_many_dimensions(kind):
    """A polyhedron says the same with sides as bounds and with sides as rows."""
    rng, optima = random.Random(KINDS.index(kind)), 0
    for n in (40, 60):
        for _ in range(4):
            sides, rows, flats, objective = problem(rng, kind, n, closed=1 if rng.random() < 0.7 else 0.9)
            ours = Polyhedron(domain(sides, rows, flats))
            if not (ours.rows or ours.flats):
                continue
            assert ours.boxed is not None
            best = linear_programs.maximise(objective, ours.inequalities, ours.equalities)
            assert ours.is_empty == (best.point is None)
            if ours.is_empty:
                continue
            found = ours.supremum(AffineForm.of_row(objective))
            assert found.value == best.value and ours.contains(found.point)
            optima += found.value is not None
            assert ours.contains(ours.interior_point())
    assert optima


def test_the_generators_of_a_box_are_those_of_cddlib():
    rng = random.Random(0)
    for _ in range(200):
        sides, *_ = problem(rng, "whole", rng.randint(1, 5), closed=0.6)
        box = Polyhedron.box(sides)
        points, lines = cddlib.of_box(sides)
        right, across = cddlib.generators(box.inequalities, (), box.dimension)
        apex = [] if any(g[0] for g in right) else [(1, *[0] * box.dimension)]
        assert sorted(points) == sorted([*right, *apex])
        assert {max(l, checker.opposite(l)) for l in lines} == {max(l, checker.opposite(l)) for l in across}


def test_a_large_orthant_is_listed_at_once():
    """Double description in 700 dimensions would take hours."""
    orthant = Polyhedron.orthant(700)
    assert len(orthant.vertices) == 1 and len(orthant.rays) == 700


@pytest.mark.parametrize("kind", KINDS)
def test_estimates_are_on_either_side_of_the_optimum(kind):
    rng, bounds, points = random.Random(7 + KINDS.index(kind)), 0, 0
    for _ in range(100):
        sides, rows, flats, objective = problem(rng, kind, rng.randint(1, 5), closed=0.9)
        lower, upper = zip(*sides, strict=True)
        right = oracles.ppl_polyhedron([*Polyhedron.box(sides).inequalities, *rows], len(sides), flats)
        highest = oracles.supremum(right, objective)
        about = BoxedPrograms(lower, upper, rows, flats).estimate(objective)
        if about.bound is not None:
            assert highest is None or (highest != oracles.INFINITE and about.bound >= highest)
            bounds += 1
        if about.point is not None:
            assert domain(sides, rows, flats).contains(about.point)
            points += 1
    assert bounds >= 10 and points >= 3
