"""The regions by cuts against the Parma Polyhedra Library: sign vectors as sets, witnesses by evaluation."""

from __future__ import annotations

import random
from fractions import Fraction

import families
import oracles
import pytest
from oracles import ppl

from geomrelu import Network, Polyhedron
from geomrelu.budget import Budget, Exhausted
from geomrelu.errors import InputError
from geomrelu.geometry import lp_tree
from geomrelu.geometry.lp_tree import cut
from geomrelu.network.lp_regions import cut_network


def value(row, point):
    return row[0] + sum(a * x for a, x in zip(row[1:], point, strict=True))


def sign(v):
    return (v > 0) - (v < 0)


def halves(piece, row):
    """The sides of a form on a piece that have an interior of the piece's dimension: ``[(sign, part)]``."""
    form, _ = oracles._expression(row)
    found = []
    for side, keep in ((1, form >= 0), (-1, form <= 0)):
        part = ppl.C_Polyhedron(piece)
        part.add_constraint(keep)
        if not part.is_empty() and part.affine_dimension() == piece.affine_dimension():
            found.append((side, part))
    return [(0, piece)] if len(found) == 2 and found[0][1] == found[1][1] else found


def split(rows, domain_rows, dimension):
    """All sign vectors of full-dimensional regions."""
    parts = [((), oracles.ppl_polyhedron(domain_rows, dimension))]
    for row in rows:
        parts = [((*signs, s), part) for signs, piece in parts for s, part in halves(piece, row)]
    return sorted(signs for signs, _ in parts)


def split_network(layers, piece, dimension):
    """All sign vectors of the network's regions."""
    identity = [[Fraction(0), *(Fraction(int(i == j)) for j in range(dimension))] for i in range(dimension)]
    parts = [((), piece, identity)]
    for weights, bias in layers:
        resolved = []
        for signs, start, values in parts:
            forms = []
            for row, b in zip(weights, bias, strict=True):
                terms = [[w * v for v in value] for w, value in zip(row, values, strict=True)]
                forms.append([sum(column) for column in zip([b, *[0] * dimension], *terms, strict=True)])
            inner = [(signs, start)]
            for form in forms:
                inner = [((*known, s), half) for known, part in inner for s, half in halves(part, form)]
            nothing = [Fraction(0)] * (dimension + 1)
            for known, part in inner:
                on = known[len(known) - len(forms) :]
                resolved.append((known, part, [f if s > 0 else nothing for f, s in zip(forms, on, strict=True)]))
        parts = resolved
    return sorted(signs for signs, _, _ in parts)


def arrangement(rng, kind):
    n, m = rng.choice(((1, 4), (2, 6), (3, 6), (4, 6), (5, 3), (6, 4)))
    if kind == "ternary":
        return n, [tuple(rng.randint(-1, 1) for _ in range(n + 1)) for _ in range(m)]
    rows = [[rng.randint(-9, 9) for _ in range(n + 1)] for _ in range(m)]
    for i in range(1, m):
        what = rng.randrange(6) if kind == "degenerate" else None
        if what == 0:
            rows[i] = [rng.choice((-2, -1, 3)) * v for v in rows[i - 1]]
        elif what == 1:
            rows[i][1:] = [rng.choice((-1, 2)) * v for v in rows[i - 1][1:]]
        elif what == 2:
            rows[i][1:] = [0] * n
            rows[i][0] = rng.randint(-1, 1)
        elif what == 3:
            rows[i] = [v + w for v, w in zip(rows[i - 1], rows[0], strict=True)]
    if kind == "scaled":
        powers = [rng.randint(0, 80) for _ in range(n + 1)]
        rows = [[v << (p + rng.choice((0, 0, 40))) for v, p in zip(row, powers, strict=True)] for row in rows]
    return n, [tuple(row) for row in rows]


def where(rng, n):
    """Rows of a domain with interior."""
    box = [(rng.randint(1, 3), *(s * int(i == j) for i in range(n))) for j in range(n) for s in (1, -1)]
    return rng.choice(
        ([], box, box[::2], box[1:], [(1, *(rng.randint(-2, 2) for _ in range(n))) for _ in range(n + 2)])
    )


def agree(rows, domain_rows, n):
    found = list(cut(rows, domain_rows, n))
    for signs, point in found:
        assert all(value(row, point) > 0 for row in domain_rows if any(row[1:]))
        assert signs == tuple(sign(value(row, point)) for row in rows)
    assert sorted(signs for signs, _ in found) == split(rows, domain_rows, n)
    return len(found)


@pytest.mark.parametrize("kind", ["random", "ternary", "degenerate", "scaled"])
def test_arrangements(kind):
    rng = random.Random(f"cutting {kind}")
    for _ in range(25):
        n, rows = arrangement(rng, kind)
        agree(rows, where(rng, n), n)


@pytest.mark.parametrize("kind", ["random", "ternary", "degenerate", "scaled"])
def test_floating_point_is_verified(kind, monkeypatch):
    """Every linear program by floating point first: the same regions."""
    monkeypatch.setattr(lp_tree, "_EXACT", 0)
    rng = random.Random(f"floating {kind}")
    for _ in range(12):
        n, rows = arrangement(rng, kind)
        agree(rows, where(rng, n), n)


def test_floating_point_that_lies(monkeypatch):
    """A solver with wrong answers, either way, changes nothing."""
    import scipy.optimize

    honest, rng = scipy.optimize.linprog, random.Random(5)

    def lying(*arguments, **options):
        solved = honest(*arguments, **options)
        if solved.status == 0:
            what = rng.randrange(4)
            if what == 0:
                solved.fun = -solved.fun
            elif what == 1:
                solved.x = solved.x + 1
            elif what == 2:
                solved.ineqlin.marginals = -abs(solved.ineqlin.marginals) * 2
            else:
                solved.status = 4
        return solved

    monkeypatch.setattr(scipy.optimize, "linprog", lying)
    monkeypatch.setattr(lp_tree, "_EXACT", 0)
    for _ in range(15):
        n, rows = arrangement(rng, "degenerate")
        agree(rows, where(rng, n), n)


def test_known_counts():
    braid = [(0, *(int(k == i) - int(k == j) for k in range(4))) for i in range(4) for j in range(i)]
    assert agree(braid, [], 4) == 24
    assert agree([(0, 1, 0), (0, 0, 1), (-1, 1 << 30, 1 << 30)], [], 2) == 7  # a triangle of size 2^-30
    assert agree([(0, 1, 0), (-1, 1 << 35, 0), (0, 0, 1)], [], 2) == 6  # parallels 2^-35 apart
    assert agree([(0, 1 << 40, 1), (0, 1, 1 << 40), (-1, 1, 1)], [], 2) == 7
    assert agree([(0, 1, 0), (0, 1, 0), (0, -2, 0), (0, 0, 1)], [], 2) == 4
    assert agree([(0, 0, 0), (1, 0, 0), (-2, 0, 0)], [], 2) == 1
    assert agree([], [], 3) == 1


def test_many_dimensions():
    """More dimensions than forms: all sign vectors, and witnesses with few nonzero coordinates."""
    rng = random.Random(2)
    rows = [tuple(rng.randint(-9, 9) for _ in range(201)) for _ in range(5)]
    found = list(cut(rows, [], 200))
    assert len({signs for signs, _ in found}) == 32 == len(found)
    assert all(sum(map(bool, point)) <= 5 for _, point in found)
    box = [(1, *(s * int(i == j) for i in range(200))) for j in range(200) for s in (1, -1)]
    far = (10**6, *rows[0][1:])  # positive on the whole box
    inside = list(cut([*rows, far], box, 200))
    assert len(inside) == 32
    assert all(signs[-1] == 1 and max(map(abs, point)) < 1 for signs, point in inside)


def test_witnesses_stay_short():
    rng = random.Random(3)
    rows = [tuple(rng.randint(-99, 99) for _ in range(5)) for _ in range(12)]
    longest = max(v.denominator.bit_length() for _, point in cut(rows, [], 4) for v in point)
    assert longest < 64


def test_refused():
    with pytest.raises(InputError, match="no interior"):
        list(cut([(0, 1)], [(0, 1), (0, -1)], 1))
    with pytest.raises(InputError, match="no interior"):
        list(cut([(0, 1, 0)], [(0, 1, 1), (0, -1, -1)], 2))
    with pytest.raises(InputError, match="empty"):
        list(cut([(0, 1)], [(-1, 0)], 1))
    with pytest.raises(InputError, match=r"R\^2"):
        list(cut_network(Network.from_layers([([[1, 0]], [0], "relu")]), Polyhedron.space(1)))


def test_budget():
    rows = [(-k, 1) for k in range(10)]
    found = []
    with pytest.raises(Exhausted):
        for signs, _ in cut(rows, [], 1, Budget(regions=4)):
            found.append(signs)
    assert len(found) == 4 and set(found) <= set(split(rows, [], 1))


@pytest.mark.parametrize("exact", [True, False])
def test_networks(exact, monkeypatch):
    """Random, ternary, degenerate and scaled networks on boxes, flat and unbounded domains, cones, hulls."""
    if not exact:
        monkeypatch.setattr(lp_tree, "_EXACT", 0)
    for layers, network, domain, name, kind in families.cases(48 if exact else 24, 11 + exact):
        if name == "points":
            continue
        n = network.inputs
        piece = oracles.ppl_polyhedron(domain.inequalities, n, domain.equalities)
        found = list(cut_network(network, domain))
        for signs, point in found:
            assert domain.contains(point)
            assert signs == tuple(sign(z) for layer in oracles.forward(layers, point) for z in layer), (name, kind)
        assert sorted(signs for signs, _ in found) == ([] if piece.is_empty() else split_network(layers, piece, n)), (
            name,
            kind,
        )


def test_some_layers_only():
    network = families.as_network(families.network(random.Random(4), (2, 3, 3), "rational"))
    square = Polyhedron.box([(-1, 1)] * 2)
    first = {signs for signs, _ in cut_network(network, square, 1)}
    assert first == {signs[:3] for signs, _ in cut_network(network, square)}


def test_network_on_the_space_of_many_dimensions():
    rng = random.Random(6)
    weights = [[rng.randint(-3, 3) for _ in range(60)] for _ in range(3)]
    network = Network.from_layers([(weights, [1, 2, 3], "relu"), ([[1, 1, -1], [-1, 2, 1]], [-1, 0], "relu")])
    small = Network.from_layers(
        [([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [0] * 3, "relu"), ([[1, 1, -1], [-1, 2, 1]], [-1, 0], "relu")]
    )
    found = list(cut_network(network, Polyhedron.space(60)))
    assert sorted(s for s, _ in found) == sorted(s for s, _ in cut_network(small, Polyhedron.space(3)))
    for signs, point in found:
        assert signs == tuple(sign(z) for layer in network.pre_activations(point) for z in layer)


def test_hyperplanes_far_away_are_no_trouble_to_floats(monkeypatch):
    """The same arrangement 2^90 times as large: HiGHS calls programs beyond 1e20 unbounded, and is asked again."""
    rng = random.Random(5)
    near = [(rng.randint(-9, 9), *(rng.randint(-9, 9) for _ in range(3))) for _ in range(7)]
    far = [(row[0] << 90, *row[1:]) for row in near]
    expected = {signs for signs, _ in lp_tree.cut(near, [], 3)}
    monkeypatch.setattr(lp_tree, "_EXACT", 0)
    asked = []
    exact = lp_tree.Tree._exact
    monkeypatch.setattr(lp_tree.Tree, "_exact", lambda *given: asked.append(given) or exact(*given))
    found = dict(lp_tree.cut(far, [], 3))
    assert set(found) == expected
    for signs, point in found.items():
        values = [row[0] + sum(a * x for a, x in zip(row[1:], point, strict=True)) for row in far]
        assert [(v > 0) - (v < 0) for v in values] == list(signs)
    assert not asked


def test_an_exact_program_that_may_be_long_ends_with_the_budget(monkeypatch):
    monkeypatch.setattr(lp_tree, "_HEAVY", 0)

    def ends(budget, function, *arguments):
        raise Exhausted("the time for it is over")

    rows = [(1, 1, 0), (1, 0, 1), (-1, 1, 1)]
    whole = {signs for signs, _ in lp_tree.cut(rows, [], 2, Budget())}
    assert len(whole) == 7
    monkeypatch.setattr(lp_tree, "apart", ends)
    assert {signs for signs, _ in lp_tree.cut(rows, [], 2, Budget())} == whole  # no limit: here
    with pytest.raises(Exhausted):
        list(lp_tree.cut(rows, [], 2, Budget(300)))
