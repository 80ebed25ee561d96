"""Sets that are given by generators, and large linear programs: nothing of them needs a long conversion."""

from __future__ import annotations

import random
import time
from fractions import Fraction
from itertools import product

import families
import oracles
import pytest

from geomrelu import Arrangement, Budget, Complex, Polyhedron
from geomrelu.budget import Exhausted
from geomrelu.exact import cddlib, guided_programs, linear_programs
from geomrelu.exact.elimination import rank
from geomrelu.geometry import arrangement
from geomrelu.geometry.parameters import Parameters
from geomrelu.network import region_count
from geomrelu.network.lp_regions import cut_network

ENDS = 300  # seconds: what takes longer hangs


def generated(rng, n):
    """Points (some twice, some inside), rays and lines (some zero, some opposite)."""
    sizes = rng.randint(1, 7), rng.choice((0, 0, 1, 3)), rng.choice((0, 0, 0, 1, 2))
    tables = [[[rng.randint(-2, 2) for _ in range(n)] for _ in range(size)] for size in sizes]
    return Polyhedron.from_generators(*tables)


def many(rng, n, count):
    return Polyhedron.from_generators([[rng.randint(-9, 9) for _ in range(n)] for _ in range(count)])


def value(row, x, constant=True):
    return (row[0] if constant else 0) + sum(a * v for a, v in zip(row[1:], x, strict=True))


def test_large_programs_are_proved(monkeypatch):
    """Floats suggest, and what is said is what criss-cross says, with a point, a ray or multipliers that prove it."""
    rng, kinds = random.Random(1), set()
    for case in range(1200):
        n, big = rng.randint(1, 5), rng.random() < 0.2

        def number(big=big):
            return rng.choice((-1, 0, 1)) * rng.randint(0, 2 ** rng.choice((3, 50, 300))) if big else rng.randint(-2, 2)

        rows = [
            (abs(number()) if rng.random() < 0.8 else number(), *(number() for _ in range(n)))
            for _ in range(rng.randint(0, 14))
        ]
        flats = [(number(), *(number() for _ in range(n))) for _ in range(rng.choice((0, 0, 1, 2)))]
        objective = tuple(number() for _ in range(n + 1))
        monkeypatch.setattr(guided_programs, "LARGE", 10**9)
        plain = linear_programs.maximise(objective, rows, flats)
        monkeypatch.setattr(guided_programs, "LARGE", -1)
        found = linear_programs.maximise(objective, rows, flats)
        assert (found.value, found.point is None) == (plain.value, plain.point is None), case
        kinds.add((found.value is None, found.point is None))
        if found.point is not None:
            assert all(value(row, found.point) >= 0 for row in rows)
            assert not any(value(row, found.point) for row in flats)
        if found.value is not None:
            assert value(objective, found.point) == found.value
            below, above = found.multipliers
            assert all(m >= 0 for m in below.values())
            used = [(m, rows[i]) for i, m in below.items()] + [(m, flats[k]) for k, m in above.items()]
            total = [v + sum(m * row[j] for m, row in used) for j, v in enumerate(objective)]
            assert total == [found.value, *[0] * n]
        elif found.point is not None:
            assert value(objective, found.ray, False) > 0
            assert all(value(row, found.ray, False) >= 0 for row in rows)
            assert not any(value(row, found.ray, False) for row in flats)
    assert kinds == {(False, False), (True, False), (True, True)}


def test_a_point_within():
    assert guided_programs.within([(1, 1), (1, -1)], 1) is None  # few rows: nobody needs it
    rows = [(k, *(1 if j == k % 40 else -1 for j in range(40))) for k in range(1, 60)]
    point = guided_programs.within(rows, 40)
    assert point is None or all(sum(a * v for a, v in zip(row, point, strict=True)) > 0 for row in rows)
    slab = [(1, *(int(j == k) for j in range(40))) for k in range(40)] + [(0, 1, *[0] * 39), (0, -1, *[0] * 39)]
    assert guided_programs.within(slab, 40) is None  # it has no inside
    assert guided_programs.within(slab[:-1], 40) is not None


def test_extreme_generators_and_facets_need_no_way_back():
    """What double description back from the facets, and two linear programs a row, say as well."""
    rng = random.Random(3)
    for _ in range(300):
        n = rng.randint(1, 4)
        set_ = generated(rng, n)
        extreme, lines = set_.extreme_generators
        back, back_lines = cddlib.generators(set_.inequalities, set_.equalities, n)
        if not any(g[0] for g in back):
            back = [(1, *[0] * n), *back]
        assert len(lines) == len(back_lines) == rank([*lines, *back_lines])
        assert len(extreme) == len(back)
        if not lines:
            assert sorted(extreme) == sorted(back)
        points = [[Fraction(v, g[0]) for v in g[1:]] for g in extreme if g[0]]
        rays = [g[1:] for g in extreme if not g[0]]
        assert Polyhedron.from_generators(points, rays, [g[1:] for g in lines]).same_set(set_)
        kept, hidden = linear_programs.irredundant(set_.inequalities, set_.equalities)
        assert (len(kept), hidden) == (len(set_.inequalities), [])
        assert set_.irredundant().same_set(set_)


def test_regions_on_generators(monkeypatch):
    """By the weights of the generators: networks and arrangements, with points of the regions."""
    rng = random.Random(5)
    monkeypatch.setattr(arrangement, "MOST_GENERATORS", 0)
    for k in range(80):
        n = rng.choice((1, 2, 2, 3))
        layers = families.network(rng, (n, 3, 2), ("ternary", "degenerate", "rational")[k % 3])
        set_ = generated(rng, n)
        space = oracles.ppl_from_generators(set_.vertices, set_.rays, set_.lines)
        network = families.as_network(layers)
        found = list(cut_network(network, set_))
        assert sorted(signs for signs, _ in found) == oracles.sign_regions(layers, space, n)
        assert all(set_.contains(point) for _, point in found)
        weights, bias = layers[0]
        lines = Arrangement(weights, bias, set_)
        plain = Arrangement(weights, bias, Polyhedron.from_rows(set_.inequalities, set_.equalities, dimension=n))
        assert sorted(map(tuple, lines.signs.tolist())) == oracles.sign_regions(layers[:1], space, n)
        assert (lines.n_bounded, lines.f_vector) == (plain.n_bounded, plain.f_vector)
        assert set(map(frozenset, lines.graph().edges)) == set(map(frozenset, plain.graph().edges))
        for sign in lines.signs.tolist():
            point = lines.witness(sign)
            assert lines.code(point) == tuple(sign)
            assert set_.contains(point)


def test_many_generators_in_many_dimensions():
    """60 points in R^10 may have millions of facets. (One of the ways to rows took hours, and looked at no clock.)"""
    rng = random.Random(1)
    domain = many(rng, 10, 60)
    layers = families.network(rng, (10, 4, 3), "rational")
    begun = time.monotonic()
    found = region_count.of_network(
        families.as_network(layers), domain, None, region_count.Wanted(), Budget(ENDS), lambda s, _: None
    )
    assert found["complete"]
    assert found["regions"] <= found["at_most"]
    few = Arrangement(layers[0][0], layers[0][1], domain)
    counted = region_count.of_arrangement(few, region_count.Wanted(), Budget(ENDS), lambda s, _: None)
    assert counted["complete"]
    assert counted["bounded"] == counted["regions"] <= counted["zaslavsky"]
    faces = region_count.of_arrangement(few, region_count.Wanted(faces=True), Budget(2), lambda s, _: None)
    assert (faces["complete"], faces["regions"]) == (False, counted["regions"])
    with pytest.raises(Exhausted):
        domain.convert(Budget(0.5))
    assert time.monotonic() - begun < ENDS


def test_the_smaller_description_is_cut():
    """A cube has few facets and many corners, its dual many facets and few corners, an octagon as many of both."""
    cube = Polyhedron.from_generators(list(product((-1, 1), repeat=6)))
    dual = Polyhedron.from_generators([[s * int(i == j) for j in range(6)] for i in range(6) for s in (1, -1)])
    octagon = Polyhedron.from_generators(
        [[x, y] for x in (-1, 1) for y in (-2, 2)] + [[y, x] for x in (-1, 1) for y in (-2, 2)]
    )
    for set_, dimension in ((cube, 6), (dual, 11), (octagon, 7), (Polyhedron.box([(0, 1)] * 3), 3)):
        assert Parameters.of(set_, Budget(ENDS)).dimension == dimension
    network = families.as_network(families.network(random.Random(4), (6, 3, 2), "rational"))
    by_corners = sorted(signs for signs, _ in cut_network(network, cube))
    assert by_corners == sorted(signs for signs, _ in cut_network(network, Polyhedron.box([(-1, 1)] * 6)))


def test_both_descriptions_of_a_set_with_hundreds_of_facets_have_as_many_regions():
    """(Criss-cross took half a minute for one linear program on such facets.)"""
    rng = random.Random(2)
    domain = many(rng, 8, 16)
    rows = Polyhedron.from_rows(domain.inequalities)
    assert len(rows.inequalities) > 200
    network = families.as_network(families.network(rng, (8, 3, 2), "rational"))
    by_weights, by_rows = (sorted(s for s, _ in cut_network(network, set_)) for set_ in (domain, rows))
    assert by_weights == by_rows == sorted(map(tuple, Complex(network, domain).signs.tolist()))
