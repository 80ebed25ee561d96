"""Arrangements against PPL, brute force, and counts that everybody knows."""

from __future__ import annotations

import json
import math
import random
from contextlib import suppress
from fractions import Fraction
from itertools import combinations, product
from math import comb, factorial

import families
import networkx
import numpy as np
import oracles
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from polls import Polls

from geomrelu import Budget, Complex, InputError, Polyhedron
from geomrelu.budget import Exhausted
from geomrelu.exact.elimination import eliminated, pivots
from geomrelu.geometry import catalogue, parameters, regions
from geomrelu.geometry.arrangement import Arrangement, generic_count
from geomrelu.geometry.chirotope import Minors, _errors, colexicographic, cross_products
from geomrelu.geometry.regions import is_swept
from geomrelu.geometry.sweep import Sweep

KINDS = ("rational", "ternary", "degenerate", "scaled", "central", "near")


def forms(rng, n, m, kind):
    """Rows (b, a) of Fractions."""
    rows = []
    for _ in range(m):
        if kind in ("ternary", "degenerate"):
            row = [Fraction(rng.randint(-1, 1)) for _ in range(n + 1)]
        else:
            row = [families.rational(rng) for _ in range(n + 1)]
        if kind == "degenerate" and rows and rng.random() < 0.4:
            row = [rng.choice((-2, -1, 1, Fraction(1, 3))) * v for v in rng.choice(rows)]
            row[0] += rng.choice((0, 0, 1))
        if kind == "scaled":
            row = [v * Fraction(2) ** rng.randint(-40, 40) for v in row]
        if kind == "central":
            row[0] = Fraction(0)
        if kind == "near" and rows and rng.random() < 0.5:  # close to an earlier one
            row = [v + rng.choice((0, 0, 1, -1)) * Fraction(1, 2**45) for v in rng.choice(rows)]
        rows.append(row)
    return rows


def made(rows, domain=None):
    return Arrangement([row[1:] for row in rows], [row[0] for row in rows], domain)


def expected(rows, n, polyhedron=None):
    layer = ([row[1:] for row in rows], [row[0] for row in rows])
    return oracles.sign_regions([layer], polyhedron or oracles.ppl_polyhedron([], n), n)


def found(arrangement):
    return sorted(map(tuple, arrangement.signs.tolist()))


@pytest.mark.parametrize("kind", KINDS)
def test_regions_against_ppl(kind):
    rng = random.Random(kind)
    for _ in range(40):
        n = rng.choice((1, 2, 2, 3, 3, 4))
        rows = forms(rng, n, rng.randint(1, {1: 8, 2: 8, 3: 7, 4: 6}[n]), kind)
        arrangement = made(rows)
        assert found(arrangement) == expected(rows, n)
        assert arrangement.signs.dtype == np.int8
        assert not arrangement.signs.flags.writeable


@pytest.mark.parametrize("kind", KINDS)
def test_regions_on_a_domain_against_ppl(kind):
    rng = random.Random(f"domain {kind}")
    for _ in range(40):
        n = rng.choice((1, 2, 2, 3))
        rows = forms(rng, n, rng.randint(1, 5), kind)
        where, _ = families.domain(rng, n)
        if not isinstance(where, Polyhedron):
            continue
        arrangement = made(rows, where)
        polyhedron = oracles.ppl_polyhedron(where.inequalities, n, where.equalities)
        assert found(arrangement) == expected(rows, n, polyhedron)
        for sign in arrangement.signs.tolist()[:3]:
            point = arrangement.witness(sign)
            assert where.contains(point)
            assert arrangement.code(point) == tuple(sign)
        closed = [
            [*where.inequalities, *([s * v for v in row] for s, row in zip(sign, rows, strict=True))]
            for sign in arrangement.signs.tolist()
        ]
        bounded = [oracles.ppl_polyhedron(table, n, where.equalities).is_bounded() for table in closed]
        assert arrangement.n_bounded == sum(bounded)
        if where.is_bounded:  # Euler's relation for a polytope
            assert sum((-1) ** d * f for d, f in enumerate(arrangement.f_vector)) == 1
        assert len(arrangement.vertices) == arrangement.f_vector[0]
        assert all(where.contains(v) for v in arrangement.vertices)


@settings(max_examples=60)
@given(st.lists(st.tuples(*[st.integers(-2, 2)] * 3), min_size=1, max_size=6))
def test_small_integer_lines(rows):
    """Every multiset of forms with coefficients up to 2 in the plane."""
    arrangement = Arrangement.from_rows(rows, 2)
    assert found(arrangement) == expected([[Fraction(v) for v in row] for row in rows], 2)
    regions_, bounded = zaslavsky(arrangement)
    assert (arrangement.n_regions, arrangement.n_bounded) == (regions_, bounded)


def zaslavsky(arrangement):
    chi = arrangement.characteristic_polynomial()
    return (-1) ** arrangement.dimension * chi.eval(-1), (-1) ** arrangement.rank * chi.eval(1)


@pytest.mark.parametrize("kind", KINDS)
def test_faces_vertices_polynomial_and_walls(kind):
    rng = random.Random(f"faces {kind}")
    for _ in range(15):
        n = rng.choice((1, 2, 3))
        rows = forms(rng, n, rng.randint(1, 5), kind)
        arrangement = made(rows)
        assert zaslavsky(arrangement) == (arrangement.n_regions, arrangement.n_bounded)
        assert arrangement.f_vector[n] == arrangement.n_regions
        assert sum((-1) ** d * f for d, f in enumerate(arrangement.f_vector)) == (-1) ** n
        assert len(arrangement.vertices) == arrangement.f_vector[0] == len(set(arrangement.vertices))
        faces = [tuple(face) for d in range(n + 1) for face in arrangement.faces(d).tolist()]
        assert len(faces) == len(set(faces)) == sum(arrangement.f_vector)
        for face in faces:
            assert arrangement.code(arrangement.witness(face)) == face
        graph = arrangement.graph()
        assert graph.number_of_nodes() == arrangement.n_regions
        assert graph.number_of_edges() == (arrangement.f_vector[n - 1] if arrangement.hyperplanes else 0)
        assert networkx.is_connected(graph)
        for u, v, data in graph.edges(data=True):
            differ = [i for i in range(len(rows)) if u[i] != v[i]]
            assert differ == list(data["forms"])
            assert data["hyperplane"] == differ[0]


@pytest.mark.parametrize("kind", KINDS)
def test_faces_on_a_domain_are_those_of_the_complex(kind):
    """Two ways: flats and regions, and the double description of a network of one layer."""
    rng = random.Random(f"complex {kind}")
    for _ in range(12):
        n = rng.choice((1, 2, 3))
        rows = forms(rng, n, rng.randint(1, 4), kind)
        where, _ = families.domain(rng, n)
        if isinstance(where, Polyhedron):
            arrangement = made(rows, where)
            network = families.as_network([([row[1:] for row in rows], [row[0] for row in rows])])
            f_vector = Complex(network, where).f_vector
            assert arrangement.f_vector == f_vector
            assert tuple(len(arrangement.faces(d)) for d in range(len(f_vector))) == f_vector


def test_faces_and_walls_on_flat_and_touched_domains():
    """A form that keeps its sign inside is 0 on the side that it touches; hyperplanes that meet a flat domain in one
    place are crossed together."""
    half = Arrangement([[-1]], [0], Polyhedron.box([(0, 2)]))
    assert sorted(half.faces(0).tolist()) == [[-1], [0]] and half.faces(1).tolist() == [[-1]]
    line = Polyhedron.from_rows([[0, -1, 0], [2, 1, 0]], [[-1, -1, 1]])  # x2 = x1 + 1, -2 <= x1 <= 0
    crossed = Arrangement([[1, 0], [0, 1]], [1, 0], line)
    assert crossed.graph().edges[(1, 1), (-1, -1)] == {"hyperplane": 0, "forms": (0, 1)}
    rng = random.Random(7)
    for case in range(150):
        n = rng.choice((1, 2, 2, 3))
        domain, kind = families.domain(rng, n)
        if not isinstance(domain, Polyhedron) or domain.is_empty:
            continue
        rows = forms(rng, n, rng.randint(1, 4), ("ternary", "degenerate", "rational")[case % 3])
        found, facets = made(rows, domain), domain.irredundant()
        faces = oracles.signed_faces(rows, facets.inequalities, facets.equalities, n)
        inside = max(d for d, _, _ in faces)
        for d in range(inside + 1):
            assert sorted(map(tuple, found.faces(d).tolist())) == sorted(s for e, s, _ in faces if e == d), (kind, rows)
        walls = [s for d, s, side in faces if d == inside - 1 and not side]
        assert found.graph().number_of_edges() == len(walls), (kind, rows)


def test_rows_of_the_domain_that_nobody_needs_change_nothing(monkeypatch):
    """Where it takes long to see that they are not needed, they stay: beside the set, or touching it in a face."""
    rng = random.Random(17)
    for case in range(60):
        n = rng.choice((1, 2, 2, 3))
        domain, _ = families.domain(rng, n)
        if not isinstance(domain, Polyhedron) or domain.is_empty or not domain.inequalities:
            continue
        more = [tuple(map(sum, zip(*rng.choices(domain.inequalities, k=2), strict=True))) for _ in range(3)]
        more += [(row[0] + 1, *row[1:]) for row in more if any(row[1:])]
        wide = Polyhedron.from_rows([*domain.inequalities, *more], domain.equalities, dimension=n)
        rows = forms(rng, n, rng.randint(1, 4), ("ternary", "degenerate", "rational")[case % 3])
        monkeypatch.setattr(parameters, "TRIED", 0.0)
        many = made(rows, wide)
        assert found(many) == found(made(rows, domain))
        assert (many.f_vector, many.n_bounded) == (made(rows, domain).f_vector, made(rows, domain).n_bounded)
        assert set(many.vertices) == set(made(rows, domain).vertices)
        kept = many._facets[0]
        monkeypatch.undo()
        few = made(rows, wide)
        assert len(few._facets[0]) <= len(kept) <= len(wide.inequalities)
        assert (few.f_vector, few.n_bounded, set(few.vertices)) == (many.f_vector, many.n_bounded, set(many.vertices))
        assert set(map(frozenset, few.graph().edges)) == set(map(frozenset, many.graph().edges))


@pytest.mark.parametrize("generators", [True, False])
def test_a_budget_is_looked_at_before_the_first_region(generators, monkeypatch):
    """What the domain is, which forms miss it, and the graph: all of it ends, and can be asked again."""
    rng = random.Random(4)
    points = [[rng.randint(-3, 3) for _ in range(3)] for _ in range(9)]
    rows, set_ = forms(rng, 3, 5, "ternary"), Polyhedron.from_generators(points)
    if not generators:
        set_ = Polyhedron.from_rows(set_.inequalities, set_.equalities, dimension=3)
    right, edges = found(made(rows, set_)), made(rows, set_).graph().number_of_edges()
    budget = Polls()
    assert made(rows, set_).graph(budget).number_of_edges() == edges and budget.polls > 10
    arrangement = made(rows, set_)
    for most in range(budget.polls):
        limit = Polls(most)
        with suppress(Exhausted):  # what was found is kept, and costs no look the next time
            arrangement.graph(limit)
    assert (found(arrangement), arrangement.graph().number_of_edges()) == (right, edges)


def test_faces_against_every_sign_vector():
    """The definition: all of {-1, 0, 1}^m, one linear program each (PPL)."""
    rng = random.Random(5)
    for kind in KINDS:
        rows = forms(rng, 2, 4, kind)
        arrangement = made(rows)
        wanted = set()
        for signs in product((-1, 0, 1), repeat=4):
            polyhedron = oracles.ppl_polyhedron(
                [[s * v for v in row] for s, row in zip(signs, rows, strict=True) if s],
                2,
                [row for s, row in zip(signs, rows, strict=True) if not s],
            )
            strict = [[s * v for v in row] for s, row in zip(signs, rows, strict=True) if s]
            if not polyhedron.is_empty() and all(oracles.supremum(polyhedron, row) != 0 for row in strict):
                wanted.add(signs)
        assert {tuple(f) for d in range(3) for f in arrangement.faces(d).tolist()} == wanted


def characteristic_by_deletion(rows, n):
    """Deletion and restriction on sets of hyperplanes."""
    rows = [row for row in rows if any(row[1:])]
    unique = {}
    for row in rows:
        unique.setdefault(Arrangement.from_rows([row], n).hyperplanes.popitem()[0], row)
    rows = list(unique.values())
    t = sympy.Symbol("t")
    if not rows:
        return t**n
    column = next(k for k, v in enumerate(rows[0]) if k and v)
    restricted = t ** (n - 1) if n == 1 else characteristic_by_deletion(eliminated(rows[1:], rows[0], column), n - 1)
    if n == 1:
        restricted = 1
    return characteristic_by_deletion(rows[1:], n) - restricted


def test_characteristic_polynomial_by_deletion_and_restriction():
    rng = random.Random(8)
    for kind in KINDS:
        for _ in range(5):
            n = rng.choice((1, 2, 3))
            arrangement = made(forms(rng, n, 5, kind))
            wanted = characteristic_by_deletion(arrangement.rows, n)
            assert sympy.expand(arrangement.characteristic_polynomial().as_expr() - wanted) == 0


def linial(n):
    return sum(comb(n, k) * (k + 1) ** (n - 1) for k in range(n + 1)) // 2**n


KNOWN = [
    *((f"braid {n}", catalogue.braid(n), factorial(n)) for n in range(1, 7)),
    *((f"shi {n}", catalogue.shi(n), (n + 1) ** (n - 1)) for n in range(1, 7)),
    *((f"catalan {n}", catalogue.catalan(n), factorial(n) * comb(2 * n, n) // (n + 1)) for n in range(1, 6)),
    *((f"linial {n}", catalogue.linial(n), linial(n)) for n in range(1, 7)),
    *((f"type B {n}", catalogue.type_b(n), 2**n * factorial(n)) for n in range(1, 6)),
    *((f"boolean {n}", catalogue.boolean(n), 2**n) for n in range(1, 7)),
    *((f"resonance {n}", catalogue.resonance(n), k) for n, k in enumerate((2, 6, 32, 370, 11292), 1)),
    *((f"threshold {n}", catalogue.threshold(n), k) for n, k in enumerate((4, 14, 104, 1882, 94572), 1)),
]


@pytest.mark.parametrize(("arrangement", "regions_"), [k[1:] for k in KNOWN], ids=[k[0] for k in KNOWN])
def test_known_counts(arrangement, regions_):
    assert arrangement.n_regions == regions_


def test_known_polynomials():
    t = sympy.Symbol("t")
    for n in range(1, 6):
        braid = sympy.prod([t - k for k in range(n)])
        assert sympy.expand(catalogue.braid(n).characteristic_polynomial().as_expr() - braid) == 0
        shi = t * (t - n) ** (n - 1)
        assert n > 4 or sympy.expand(catalogue.shi(n).characteristic_polynomial().as_expr() - shi) == 0
        type_b = sympy.prod([t - 2 * k - 1 for k in range(n)])
        assert n > 4 or sympy.expand(catalogue.type_b(n).characteristic_polynomial().as_expr() - type_b) == 0


def test_generic_counts_and_polynomial():
    """Zaslavsky; the generic polynomial has no factor too many, and central is not sum C(m, k)."""
    for n, m in ((1, 5), (2, 7), (3, 6), (4, 6), (3, 2)):
        arrangement = catalogue.generic(n, m, seed=1)
        assert arrangement.n_regions == generic_count(n, m)
        assert arrangement.is_generic
        assert arrangement.n_bounded == comb(m - 1, n) or m <= n
        central = Arrangement.from_rows([(0, *row[1:]) for row in arrangement.rows], n)
        assert central.n_regions == 2 * sum(comb(m - 1, i) for i in range(n))
        assert not central.is_generic or m <= n or n == 1
        assert central.is_central
        t = sympy.Symbol("t")
        chi = sum((-1) ** k * comb(m, k) * t ** (n - k) for k in range(n + 1))
        assert sympy.expand(arrangement.characteristic_polynomial().as_expr() - chi) == 0


# inputs on which published tools are wrong: (A, b, regions)
WRONG_ELSEWHERE = {
    "two equal neurons": ([[1, 0], [1, 0], [0, 1]], [0, 0, 0], 4),
    "a scaled negative": ([[1, 0], [-2, 0], [0, 1]], [0, 0, 0], 4),
    "three lines through a point": ([[1, 0], [0, 1], [1, 1]], [0, 0, 0], 6),
    "five lines through a point": ([[1, 0], [0, 1], [1, 1], [1, 2], [1, -1]], [0] * 5, 10),
    "all directions": ([v for v in product((-1, 0, 1), repeat=3) if v > (0, 0, 0)], [0] * 13, 96),
    "a tiny triangle": ([[1, 0], [0, 1], [1, 1]], [0, 0, Fraction(-1, 2**30)], 7),
    "close parallels": ([[1, 0], [1, 0], [0, 1]], [0, Fraction(-1, 2**35), 0], 6),
    "a far vertex": ([[0, 1], [Fraction(1, 2**40), 1], [1, 0]], [0, -1024, 0], 7),
    "large and small": ([[2**40, 1], [1, 2**40], [1, 1]], [0, 0, -1], 7),
    "a zero form": ([[0, 0], [1, 0]], [0, 0], 2),
    "a constant form": ([[0, 0], [1, 0], [0, 1]], [1, 0, 0], 4),
    "fewer than the dimension": ([[1, 0, 0], [0, 1, 0]], [0, 0], 4),
    "parallels only": ([[1, 0]] * 4, [0, -1, -2, -3], 5),
    "a grid": ([[1, 0]] * 3 + [[0, 1]] * 3, [0, -1, -2] * 2, 16),
    "huge numbers": ([[10**400, 1], [1, 10**400], [3, 10**200]], [1, -1, 10**300], 7),
}


@pytest.mark.parametrize("name", WRONG_ELSEWHERE)
def test_inputs_on_which_others_fail(name):
    A, b, count = WRONG_ELSEWHERE[name]
    arrangement = Arrangement(A, b)
    assert arrangement.n_regions == count
    assert zaslavsky(arrangement) == (count, arrangement.n_bounded)


def test_shared_workloads(shared):
    for case in json.loads((shared / "workloads" / "arrangements.json").read_text()).values():
        assert Arrangement(case["A"], case["b"]).n_regions == case["expected"]
    for case in json.loads((shared / "workloads" / "degenerate.json").read_text()).values():
        assert Arrangement(case["A"], case["b"]).n_regions == case["expected"]


# ---- the kernels ---------------------------------------------------------------------------------------------------


def determinant(rows):
    return int(sympy.Matrix([[int(v) for v in row] for row in rows]).det(method="berkowitz")) if len(rows) else 1


def test_cross_products_are_minors():
    rng = random.Random(2)
    for k in range(5):
        rows = [[rng.randint(-9, 9) for _ in range(k + 1)] for _ in range(k)]
        h = [rng.randint(-9, 9) for _ in range(k + 1)]
        product_ = cross_products(np.array([rows], dtype=object).reshape(1, k, k + 1))[0]
        assert sum(a * b for a, b in zip(h, product_, strict=True)) == determinant([h, *rows])


@pytest.mark.parametrize("bits", [3, 20, 60, 300])
def test_the_error_bound_holds_and_uncertain_signs_are_settled(bits):
    """Rows that are nearly dependent: the floating-point minors alone would be wrong."""
    rng = random.Random(bits)
    for n in (1, 2, 3, 4):
        base = [[rng.randint(-(1 << bits), 1 << bits) for _ in range(n + 1)] for _ in range(n)]
        rows = [[*row] for row in base]
        for _ in range(4):
            w = [rng.randint(-3, 3) for _ in range(n)]
            row = [sum(a * r[k] for a, r in zip(w, base, strict=True)) for k in range(n + 1)]
            row[rng.randrange(n + 1)] += rng.choice((-1, 0, 1))
            rows.append(row)
        minors = Minors([tuple(row) for row in rows])
        seen = 0
        for subsets, products in minors.all(5):
            for subset, product_ in zip(subsets, products.T, strict=True):
                exact = minors.exact(subset[None])[0]
                if minors.errors[n] == 0:
                    assert exact.tolist() == product_.tolist()
                    continue
                scale = [2 ** (sum(minors.shift) - s) for s in minors.shift]
                lifts = [largest(minors, rows[i]) for i in subset]
                for e, s, value in zip(exact.tolist(), scale, product_.tolist(), strict=True):
                    assert abs(Fraction(e) / s / Fraction(2) ** sum(lifts) - Fraction(value)) <= minors.errors[n]
            seen += len(subsets)
        assert seen == comb(len(rows), n)
        for vertices in minors.vertices((1,) * n, np.zeros(0, dtype=int)):
            for subset, signs in zip(vertices.subsets, vertices.signs, strict=True):
                d = determinant([rows[i][1:] for i in subset])
                values = [determinant([row, *(rows[i] for i in subset)]) * d for row in rows]
                assert signs.tolist() == [(v > 0) - (v < 0) for v in values]


def largest(minors, row):
    """The power of two by which a row was divided after its columns."""
    return max((v.bit_length() - s for v, s in zip(row, minors.shift, strict=True) if v), default=0)


def test_the_recursion_of_the_bound():
    """e_k as the head of the module defines it, in rationals: the float is no smaller."""
    u, h = Fraction(1, 2**53), [1, 1, 2, 6, 16, 56]  # h_k >= min(k!, k^(k/2))
    errors = [Fraction(0)]
    for k in range(1, 6):
        before = min(Fraction(factorial(k - 1)), Fraction(h[k - 1]))
        g = k * u / (1 - k * u)
        errors.append(k * (errors[-1] + u * before) + g * k * (before + errors[-1]))
    assert all(0.8 * float(e) <= f for e, f in zip(errors, _errors(5), strict=True))
    small = [Fraction(0), u + u / (1 - u) * 1]
    assert all(Fraction(f) >= e for e, f in zip(small, _errors(1), strict=True))


def test_colexicographic_ranks():
    subsets = np.array(sorted(combinations(range(7), 3), key=lambda s: s[::-1]))
    assert colexicographic(subsets).tolist() == list(range(comb(7, 3)))
    for p in range(3):
        rest = np.delete(subsets, p, axis=1)
        assert colexicographic(subsets, p).tolist() == colexicographic(rest).tolist()


def test_pivots():
    assert pivots([]) == []
    assert pivots([(0, 2, 4), (0, 1, 2), (1, 0, 0)]) == [0, 1]
    assert pivots([(0, 0)]) == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_sweep_and_the_tree_of_programs_agree(kind, monkeypatch):
    rng = random.Random(f"tree {kind}")
    cases = [(n, forms(rng, n, 5, kind)) for n in (1, 2, 3, 4) for _ in range(3)]
    boxes = [None, Polyhedron.box([(-1, 1)] * 2), Polyhedron.orthant(3), None]
    swept = [made(rows, boxes[n - 1]) for n, rows in cases]
    wanted = [(found(a), a.n_bounded) for a in swept]
    monkeypatch.setattr(regions, "MOST_SUBSETS", -1)
    assert [(found(a), a.n_bounded) for a in (made(rows, boxes[n - 1]) for n, rows in cases)] == wanted


@pytest.mark.parametrize("m", [12, 16])
def test_as_many_hyperplanes_as_dimensions(m):
    """Their vertices are few; but the minors on the way there need not be. What is begun looks at the clock."""
    rng = random.Random(m)
    arrangement = Arrangement([[rng.randint(-9, 9) for _ in range(m)] for _ in range(m)], range(m))
    assert is_swept(m, m) == (m < 15)
    with pytest.raises(Exhausted):
        list(arrangement.regions(Polls(9)))
    if m == 12:
        assert arrangement.n_regions == generic_count(m, m)
    else:
        with pytest.raises(InputError, match="too many"):
            arrangement.vertices  # noqa: B018


def test_hundreds_of_dimensions_have_error_bounds():
    assert not is_swept(250, 250)
    assert len(_errors(300)) == 301 and _errors(300)[-1] == math.inf


def test_every_region_comes_once_and_few_at_a_time():
    rows = catalogue.generic(3, 30, seed=4).rows
    batches = list(Sweep(rows, (), Budget()).regions())
    codes = np.concatenate(batches)
    assert len(codes) == len(np.unique(codes, axis=0)) == generic_count(3, 30)


# ---- budgets, operations, errors -----------------------------------------------------------------------------------


def test_a_budget_ends_with_what_it_allowed():
    arrangement = catalogue.generic(3, 20, seed=1)
    got = []
    with pytest.raises(Exhausted, match="100 regions"):
        for batch in arrangement.regions(Budget(regions=100)):
            got.append(batch)
    assert sum(map(len, got)) == 100
    assert sum(map(len, arrangement.regions(Budget(regions=1351)))) == 1351
    with pytest.raises(Exhausted, match="time"):
        list(arrangement.regions(Budget(seconds=0)))
    part = Budget(regions=30).part(1000)
    assert part.grant(100) == 30
    with pytest.raises(Exhausted):
        part.grant(1)


def test_operations():
    rng = random.Random(3)
    for kind in KINDS:
        arrangement = made([[Fraction(1), Fraction(1), Fraction(2), Fraction(0)], *forms(rng, 3, 4, kind)])
        deleted, restricted = arrangement.delete(0), arrangement.restrict(0)
        first = next(iter(arrangement.hyperplanes.values()))
        if first == [0]:  # deletion and restriction
            assert arrangement.n_regions == deleted.n_regions + restricted.n_regions
        assert (restricted.dimension, len(restricted.rows)) == (2, 4)
        cone = arrangement.cone()
        assert cone.n_regions == 2 * arrangement.n_regions
        assert cone.is_central
        essential = arrangement.essentialise()
        assert essential.dimension == essential.rank == arrangement.rank
        assert essential.n_regions == arrangement.n_regions
        for v in arrangement.vertices[:3]:
            local = arrangement.localise(v)
            assert local.code(v) == (0,) * len(local.rows)
            assert local.is_central


def test_values():
    a, b = Arrangement([[1, 0]], [1]), Arrangement([[2, 0]], [2])
    assert a == b
    assert hash(a) == hash(b)
    assert a != Arrangement([[1, 0]], [1], Polyhedron.orthant(2))
    assert a != 3
    assert repr(a) == "Arrangement(1 forms, 1 hyperplanes in R^2)"


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: Arrangement([]), "same number"),
        (lambda: Arrangement([[]]), "same number"),
        (lambda: Arrangement([[1], [1, 2]]), "same number"),
        (lambda: Arrangement([[1]], [1, 2]), "b has 2"),
        (lambda: Arrangement([[float("nan")]]), "not a finite"),
        (lambda: Arrangement([[1, 2]], [0], Polyhedron.orthant(3)), "same number"),
        (lambda: Arrangement([[1]], [0], Polyhedron.box([(1, 0)])), "empty"),
        (lambda: Arrangement([[1, 0]]).restrict(1), "no form 1"),
        (lambda: Arrangement([[1]]).restrict(0), "dimension at least 1"),
        (lambda: Arrangement([[0, 0]], [1]).restrict(0), "dimension at least 1"),
        (lambda: Arrangement([[1, 0]], [0], Polyhedron.orthant(2)).cone(), "on a domain"),
        (lambda: Arrangement([[0, 0]]).essentialise(), "no hyperplane"),
        (lambda: Arrangement([[1, 0]]).witness([2]), "entries -1, 0 or 1"),
        (lambda: Arrangement([[1, 0], [1, 0]]).witness([1, -1]), "no point"),
        (lambda: Arrangement([[1, 0]]).code([1]), "a point of R\\^1"),
        (lambda: catalogue.braid(0), "must be positive"),
        (lambda: catalogue.generic(2, 30, seed=1, size=1), "general position"),
    ],
)
def test_bad_input_is_one_line(call, text):
    with pytest.raises(InputError, match=text) as problem:
        call()
    assert "\n" not in str(problem.value)


def test_files(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"A": [[1, 2], ["1/3", 0.5]], "b": [1, 0], "den": 2}')
    assert Arrangement.from_file(path).rows == ((1, 1, 2), (0, 2, 3))
    for text in (
        "[]",
        "{}",
        '{"A": 1}',
        '{"A": []}',
        '{"A": [[1]], "den": 0}',
        '{"A": [[1]], "x": 1}',
        '{"A": [[1]], "b": 3}',
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=r"a\.json: "):
            Arrangement.from_file(path)
