"""Unbounded polyhedra that are no boxes: rays, points and pieces by linear programs, against pieces by generators."""

from __future__ import annotations

import json
import random
from fractions import Fraction

import oracles
import pytest
from families import as_network, lean, network

from geomrelu import AffineForm, Budget, Network, Polyhedron, Status, checker
from geomrelu.budget import Exhausted
from geomrelu.certificates import files
from geomrelu.deadness import first_layer
from geomrelu.deadness.by_signs import BySigns
from geomrelu.deadness.decide import decide
from geomrelu.deadness.falling import without_biases
from geomrelu.deadness.far_out import FarOut, around
from geomrelu.deadness.problem import Problem
from geomrelu.network import pieces
from geomrelu.network.program_pieces import by_programs
from geomrelu.parallel import Pool

KINDS = ("rational", "ternary", "degenerate", "scaled")


def unbounded(rng, n, kind):
    """Rows that all hold far out along (1, ..., 1), about a third with an equality and a third with a side."""
    found = []
    while len(found) < n + rng.randint(0, 2):
        a = [rng.randint(-1, 1) if kind in ("ternary", "degenerate") else rng.randint(-9, 9) for _ in range(n)]
        if sum(a) >= 0 and any(a):
            found.append([rng.randint(0, 1) if kind == "ternary" else rng.randint(0, 20), *a])
    if kind == "degenerate":
        found.append([v + w for v, w in zip(found[0], found[-1], strict=True)])  # redundant
    if kind == "scaled":
        found = [[v * Fraction(2) ** (30 * (k % 3 - 1)) for v in row] for k, row in enumerate(found)]
    flats = [[0, 1, -1, *[0] * (n - 2)]] if n > 1 and rng.random() < 1 / 3 else []
    return Polyhedron.from_rows(found, flats)


def leaning(rng, shape, kind):
    layers = lean(network(rng, shape, kind), rng)
    return layers, as_network(layers)


def suprema(layers, domain):
    """By PPL, all activation patterns; None: infinite."""
    n = domain.dimension
    if domain.given_by_generators:
        where = oracles.ppl_from_generators(*domain.checked.generators)
    else:
        where = oracles.ppl_polyhedron(domain.inequalities, n, domain.equalities)
    return [[None if v == oracles.INFINITE else v for v in row] for row in oracles.suprema(layers, where, n)]


def judged(net, domain, reports):
    """The plain judge accepts all claims, as they are written."""
    for report in reports:
        claims = [v.claim for v in report.verdicts if v.claim is not None]
        certificate = files.as_certificate(claims, net.digest, domain.checked.digest(), report.points)
        checker.check(json.loads(json.dumps(certificate)), net.checked, domain.checked)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(2, 4, 3), (3, 4, 3, 2), (1, 3, 3)])
def test_pieces_by_programs_are_those_by_generators(kind, shape):
    rng, seen = random.Random(f"programs {kind} {shape}"), set()
    for _ in range(6):
        (layers, net), domain = leaning(rng, shape, kind), unbounded(rng, shape[0], kind)
        last = net.depth
        truth = suprema(layers, domain)
        found = pieces.extremes(net, domain, last, Budget(), start=by_programs(net, domain, Budget()))
        for level, extremes in enumerate(found, 1):
            for i, e in extremes.items():
                assert e.value == truth[level - 1][i]
                assert domain.contains(e.point)
                if e.value is None:
                    assert domain.checked.recedes([Fraction(v) for v in e.ray])
                    assert checker.growths(net.checked, e.ray, level)[net.starts[level] + i] > 0
                else:
                    assert net.checked.value(e.point, level, i) == e.value
                seen.add(e.value is None or e.value > 0)
        limits = {i: e.value for i, e in found[-1].items() if e.value is not None}
        trees = pieces.proofs(net, domain, last, limits, Budget(), by_programs(net, domain, Budget()))
        judge = checker.Judge([], net.checked, domain.checked)
        assert all(judge.bound(trees[i], last, i, 1) <= limit for i, limit in limits.items())
    assert seen == {True, False}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("by_generators", [False, True])
def test_rays_and_points_are_those_of_the_polyhedron(kind, by_generators):
    rng, decided = random.Random(f"far out {kind} {by_generators}"), 0
    for _ in range(5):
        (layers, net), domain = leaning(rng, (3, 5, 4), kind), unbounded(rng, 3, kind)
        if by_generators:
            domain = Polyhedron.from_generators(domain.vertices, domain.rays, domain.lines)
        if domain.is_bounded:
            continue
        truth = suprema(layers, domain)[1]
        for verdict in FarOut(Problem(net, domain, Budget()), domain).verdicts(2, range(4)):
            assert verdict.status is Status.ALIVE
            value = truth[verdict.neuron]
            assert value is None or (value > 0 and verdict.supremum is None)
            decided += 1
    assert decided > 4


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(2, 4, 3), (3, 4, 3, 2), (2, 3, 3, 3), (1, 5, 2)])
def test_programs_that_split_signs_agree_with_the_oracle(kind, shape):
    """Also on unbounded boxes, where sides are no rows, and with layers that read the inputs again."""
    rng, seen, lost = random.Random(f"signs {kind} {shape}"), [], 0
    exact = []
    for k in range(8):
        (layers, net), domain = leaning(rng, shape, kind), unbounded(rng, shape[0], kind)
        if k % 2:
            domain = Polyhedron.box([rng.choice(((0, None), (None, 1), (-1, 1))) for _ in range(shape[0])])
        truth, judge = suprema(layers, domain), checker.Judge([], net.checked, domain.checked)
        for level in range(2, net.depth + 1):
            search = BySigns(net, domain, level)
            for i, right in enumerate(truth[level - 1]):
                found = search.search(i)
                if found is None:
                    lost += 1
                    continue
                alive = right is None or right > 0
                assert (found.proof is None) is alive
                if found.point is not None:
                    assert domain.contains(found.point)
                    value = net.checked.value(found.point, level, i)
                    assert found.ray is not None or value == found.supremum or value > 0
                if found.ray is not None:
                    assert right is None and domain.checked.recedes([Fraction(v) for v in found.ray])
                    assert checker.growths(net.checked, found.ray, level)[net.starts[level] + i] > 0
                if found.proof is not None:
                    bound = judge.bound(json.loads(json.dumps(found.proof)), level, i, 1)
                    assert right <= bound <= 0 and (bound < 0) is found.is_negative
                    assert found.supremum in (None, right) and (found.supremum is None or bound == right)
                    exact.append(found.supremum is not None)
                seen.append(alive)
    assert True in seen and False in seen and lost <= len(seen) / 20 and sum(exact) >= len(exact) / 4


def test_many_rows_and_many_pieces(monkeypatch):
    """Generators of 60 rows in six dimensions are not listed, and the pieces of the other network are too many."""
    monkeypatch.setattr("geomrelu.certificates.infinity.MOST", 100)  # stability is not asked for
    rng = random.Random(3)
    rows = []
    while len(rows) < 60:
        a = [rng.randint(-5, 5) for _ in range(6)]
        if sum(a) > 2:
            rows.append([rng.randint(1, 20), *a])
    domain = Polyhedron.from_rows(rows)
    few = [([[1, 0, -2, 0, 1, 0], [0, 1, 1, -1, 0, 0]], [1, -3]), ([[1, -1], [-1, -1], [-2, 1]], [0, -1, -500])]
    few = Network.from_layers([(w, b, "relu") for w, b in few])
    wide = as_network(network(random.Random(5), (6, 20, 12), "rational"))
    for net, known in ((few, 3), (wide, 8)):
        reports = list(decide(net, domain, layers=[2], budget=Budget(regions=60)))
        judged(net, domain, reports)
        found = [v.status for v in reports[0].verdicts if v.status is not Status.UNDECIDED]
        assert len(found) >= known
        assert net is wide or Status.DEAD in found


def test_workers_find_the_same(monkeypatch):
    """On R^n_+, and the end of the budget ends them."""
    monkeypatch.setattr("geomrelu.certificates.infinity.MOST", 100)  # stability is not asked for
    rng = random.Random("workers")
    rows = [[rng.randint(-3, 3) for _ in range(4)] for _ in range(12)]
    last = [[rng.choice((-3, -2, -1, -1, 0, 0, 1)) for _ in range(12)] for _ in range(6)]
    net = Network.from_layers([(rows, [rng.randint(-9, 2) for _ in rows], "relu"), (last, [-1] * 6, "relu")])
    domain, given = Polyhedron.box([(0, None)] * 4), range(6)
    with Pool(2) as pool:
        alone, shared = (
            list(FarOut(Problem(net, domain, Budget()), domain).by_signs(2, given, Budget(), executor))
            for executor in (None, pool)
        )
    assert [(v.neuron, v.status, v.supremum) for v in alone] == [(v.neuron, v.status, v.supremum) for v in shared]
    assert {v.neuron for v in alone} == set(given) and {v.status for v in alone} == {Status.ALIVE, Status.DEAD}
    assert not list(FarOut(Problem(net, domain, Budget()), domain).by_signs(2, (), Budget(), None))
    with pytest.raises(Exhausted):
        list(FarOut(Problem(net, domain, Budget()), domain).by_signs(2, given, Budget(0), None))


def test_parts_of_a_cone():
    wedge = Polyhedron.from_rows([[0, 1, 0], [0, 1, -1]])
    assert around(wedge.recession_cone(), (Fraction(0),) * 2, Fraction(1)).same_set(
        Polyhedron.from_rows([[0, 1, 0], [0, 1, -1], [1, -1, 0], [1, 0, 1]])
    )
    lines = Polyhedron.from_generators([[1, 2]], [[0, 3]], [[1, 0]])
    assert around(lines, (Fraction(1), Fraction(2)), Fraction(10)).same_set(
        Polyhedron.from_generators([[1, 2], [1, 12], [11, 2], [-9, 2]])
    )
    net = Network.from_layers([([[1, 2]], [3], "relu"), ([[-1]], [5], "relu")])
    assert without_biases(net).pre_activations([1, 1]) == [[3], [-3]]


def test_directions_along_which_a_dead_neuron_does_not_fall():
    rng, seen = random.Random("flat"), set()
    for kind in KINDS * 10:
        n = rng.choice((1, 2, 3))
        domain = unbounded(rng, n, kind)
        if rng.random() < 0.3:  # a line
            domain = Polyhedron.from_rows(
                [[*row, 0] for row in domain.inequalities], [[*row, 0] for row in domain.equalities]
            )
        if domain.is_bounded or domain.is_box:
            continue
        rows = [row[1:] for row in domain.inequalities]
        chosen = rng.sample(rows, rng.randint(0, len(rows)))
        form = AffineForm.of(-1, [-sum(row[j] for row in chosen) for j in range(domain.dimension)])
        expected = any(form.along([Fraction(v) for v in ray]) == 0 for ray in (*domain.rays, *domain.lines))
        found = first_layer._flat_direction(domain, form)
        assert (found is not None) == expected
        if found is not None:
            direction = [Fraction(v) for v in found]
            assert domain.checked.recedes(direction) and form.along(direction) == 0
        seen.add((expected, bool(domain.lines)))
    assert len(seen) > 2


def test_layer_one_on_many_rows_lists_no_generators(monkeypatch):
    """Where all generators would be listed, a dead neuron of layer 1 took more than any budget."""
    monkeypatch.setattr("geomrelu.certificates.infinity.MOST", 100)
    monkeypatch.setattr(Polyhedron, "_v", property(lambda domain: pytest.fail("generators are listed")))
    rng = random.Random(7)
    rows = [[1, *(rng.randint(-5, 5) for _ in range(11)), 60] for _ in range(100)]
    net = Network.from_layers([([[-v for v in rows[0][1:]]], [-2], "relu")])
    ((verdict,),) = (report.verdicts for report in decide(net, Polyhedron.from_rows(rows)))
    assert verdict.status is Status.DEAD and verdict.supremum == -1 and verdict.stable is False
