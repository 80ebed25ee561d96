"""Bounded polyhedra that are not boxes: trees, points and certificates against all pieces of the oracle."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from itertools import pairwise

import numpy as np
import oracles
import pytest
from families import lean, network

from geomrelu import Budget, Network, Polyhedron, Status, checker
from geomrelu.certificates import files
from geomrelu.deadness.always_active import always_active
from geomrelu.deadness.branch_and_bound import Growth, Tree
from geomrelu.deadness.decide import decide
from geomrelu.deadness.inside import Inside, is_searched
from geomrelu.deadness.row_multipliers import Rows
from geomrelu.deadness.tightening import tightened
from geomrelu.deadness.workers import Bench, turn

KINDS = ("rational", "ternary", "degenerate", "scaled")


@pytest.fixture
def search(monkeypatch):
    """Deep neurons are decided by trees; pieces come in where all else has given up."""
    monkeypatch.setattr("geomrelu.deadness.by_pieces.FEW_PIECES", 0)
    monkeypatch.setattr("geomrelu.deadness.by_search.is_cut", lambda domain: False)


def rows(rng, n, kind):
    """Rows of a bounded polyhedron (one in three with an equality), as a list of inequalities and one of equalities."""
    whole = kind in ("ternary", "degenerate")
    found = [[1, *(s * int(i == j) for j in range(n))] for i in range(n) for s in (1, -1)]
    for _ in range(rng.randint(1, 4)):
        a = [rng.randint(-1, 1) if whole else Fraction(rng.randint(-50, 50), 37) for _ in range(n)]
        found.append([rng.randint(0, 1) if whole else Fraction(rng.randint(1, 40), 31), *a])
    if kind == "degenerate":
        found.append([n, *[1] * n])  # through a vertex
        found.append([v + w for v, w in zip(found[0], found[2], strict=True)])  # redundant
    if kind == "scaled":
        found = [[v * Fraction(2) ** (40 * (k % 3 - 1)) for v in row] for k, row in enumerate(found)]
    flats = [[0, *(rng.randint(-1, 1) for _ in range(n - 1)), 1]] if rng.random() < 1 / 3 else []
    return found, flats


def domains(rng, n, kind):
    """The same set as a box with rows, as rows of which no one is a side, and as a hull."""
    inequalities, flats = rows(rng, n, kind)
    plain = Polyhedron.from_rows(inequalities, flats)
    tilted = [[3 * v + w for v, w in zip(a, b, strict=True)] for a, b in pairwise(inequalities[: 2 * n + 1])]
    yield plain
    open_ = Polyhedron.from_rows([*tilted, *inequalities[2 * n :]], flats)
    if open_.is_bounded and not open_.is_empty:
        yield open_
    if plain.vertices:
        yield Polyhedron.from_generators(plain.vertices)


def judged(net, domain, reports):
    """The plain judge accepts all claims, as they are written."""
    for report in reports:
        claims = [v.claim for v in report.verdicts if v.claim is not None]
        certificate = files.as_certificate(claims, net.digest, domain.checked.digest(), report.points)
        checker.check(json.loads(json.dumps(certificate)), net.checked, domain.checked)


def ppl_of(domain):
    if domain.given_by_generators:
        return oracles.ppl_from_generators(domain.vertices)
    return oracles.ppl_polyhedron(domain.inequalities, domain.dimension, domain.equalities)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(2, 5, 4), (3, 4, 3, 2)])
def test_trees_agree_with_all_pieces(search, kind, shape):
    rng = random.Random(f"{kind} {shape}")
    ways = []
    for _ in range(6):
        layers = lean(network(rng, shape, kind), rng)
        net = Network.from_layers([(W, b, "relu") for W, b in layers])
        for domain in domains(rng, shape[0], kind):
            assert is_searched(domain)
            suprema = oracles.suprema(layers, ppl_of(domain), shape[0])
            reports = list(decide(net, domain, budget=Budget(600)))
            for report, expected in zip(reports, suprema, strict=True):
                for verdict, best in zip(report.verdicts, expected, strict=True):
                    assert verdict.status is (Status.ALIVE if best > 0 else Status.DEAD), (domain, verdict, best)
                    assert verdict.supremum in (None, best)
                    if verdict.status is Status.DEAD and verdict.stable is not None:
                        assert verdict.stable is (best < 0)
                    ways.append(verdict.reason)
            judged(net, domain, reports)
    assert any(word in way for way in ways for word in ("bounded on", "boxes", "patterns"))


@pytest.mark.parametrize("kind", KINDS)
def test_points_lie_exactly_inside(kind):
    """Wherever a point in floats is, the exact one near it is a point of the domain."""
    rng = random.Random(kind)
    for _ in range(20):
        n = rng.choice((1, 2, 3, 5))
        for domain in domains(rng, n, kind):
            inside = Inside(domain)
            assert domain.contains(inside.centre)
            sampled = inside.sampled(np.random.default_rng(0), 8).tolist()
            for point in [*sampled, *([rng.gauss(0, 10.0**k) for _ in range(n)] for k in range(-3, 9, 3))]:
                exact = inside.exact(point)
                assert exact is not None and domain.contains(exact)
            assert inside.exact([float("inf")] * n) is None
            for j, (low, high) in enumerate(zip(inside.lower, inside.upper, strict=True)):
                unit = [0, *(int(j == k) for k in range(n))]
                assert oracles.supremum(ppl_of(domain), unit) == high
                assert oracles.supremum(ppl_of(domain), [-v for v in unit]) == -low


@pytest.mark.parametrize("kind", KINDS)
def test_multipliers_against_linear_programs(kind):
    """A bound with multipliers is never below the maximum; with one row, and by the program, it is the maximum."""
    rng, close = random.Random(kind), 1e-6
    for _ in range(30):
        n = rng.choice((1, 2, 4))
        domain = Polyhedron.from_rows(*rows(rng, n, kind))
        if domain.is_empty or domain.is_box:
            continue
        within = Rows(Inside(domain))
        low, high = within.inside.root
        lower, upper = low + (high - low) * np.sort([[rng.random() for _ in range(n)] for _ in range(2)], axis=0)
        slope, constant = np.array([rng.gauss(0, 1) for _ in range(n)]), rng.gauss(0, 1)
        box = Polyhedron.box(list(zip(lower.tolist(), upper.tolist(), strict=True)))
        part = Polyhedron.from_rows([*domain.rows, *box.inequalities], [*domain.flats, *box.equalities])
        form = [Fraction(v) for v in (constant, *slope.tolist())]
        best = oracles.supremum(ppl_of(part), form)
        bound, factors, _ = within.dual(slope[None], np.array([constant]), lower[None], upper[None])
        assert (factors >= 0).all()
        assert best is None or bound[0] >= float(best) - close
        if within.crossing(lower[None], upper[None])[0]:
            found = within.optimum(slope, constant, lower, upper)
            assert found is not None and (found.bound == -np.inf if best is None else abs(found.bound - best) < close)
            if best is None:
                assert within.highest(found.factors, lower, upper) < 0
        if within.own == 1 and best is not None:
            assert bound[0] == pytest.approx(float(best), abs=close)
        _, highest = within.outside(lower[None], upper[None])
        assert highest[0] > -close or best is None
        gain, at, place = within.cut(lower[None], upper[None])
        if gain[0] and best is not None:  # on one side of the cut there is nothing
            unit = [Fraction(0), *(Fraction(int(k == at[0])) for k in range(n))]
            sides = [oracles.supremum(ppl_of(part), [s * v for v in unit]) for s in (1, -1)]
            assert sides[0] < place[0] or -sides[1] > place[0]


def test_wide_layers(monkeypatch):
    """Trees and pieces agree where a layer has more neurons than a word has bits."""
    rng = random.Random(7)
    for width in (130, 200):
        first = (
            [[rng.choice((-1, 0, 1)) for _ in range(2)] for _ in range(width)],
            [rng.randint(-2, 2) for _ in range(width)],
        )
        second = [[rng.choice((-1, 0, 1)) for _ in range(width)] for _ in range(6)], [-6 * k for k in range(6)]
        net = Network.from_layers([(W, b, "relu") for W, b in (first, second)])
        for domain in domains(rng, 2, "rational"):
            found = []
            for few in (20_000, 0):
                monkeypatch.setattr("geomrelu.deadness.by_pieces.FEW_PIECES", few)
                found.append(list(decide(net, domain, [2], budget=Budget(600))))
                judged(net, domain, found[-1])
            assert [v.status for v in found[0][0].verdicts] == [v.status for v in found[1][0].verdicts]


def test_what_is_built_on_verdicts():
    """Always active neurons, ranges and folding on a box with a row, each accepted by the judge."""
    layers = [([[1, 0], [0, 1], [1, 1]], [2, 2, 0]), ([[1, 1, -1], [1, -1, 1]], [1, 7])]
    net = Network.from_layers([(W, b, "relu") for W, b in layers])
    domain = Polyhedron.from_data({"box": [[-1, 1], [-1, 1]], "inequalities": [[1, -1, -1]]})
    active = list(always_active(net, domain, {1: [0, 1, 2], 2: [0, 1]}, Budget(60)))
    assert [(claim["layer"], claim["neuron"]) for claim in active] == [(1, 0), (1, 1), (2, 0), (2, 1)]
    *_, ranges = tightened(net, domain, {1: range(3), 2: range(2)}, Budget(60))
    highest = oracles.suprema(layers, ppl_of(domain), 2)
    for layer, neurons in enumerate(highest, 1):
        assert [ranges[layer, i].upper for i in range(len(neurons))] == neurons


def test_trees_go_on_after_an_interruption():
    """What a run leaves of a tree is taken over by the next, also where the box is open or only signs are split."""
    rng, taken = random.Random(5), 0
    for _ in range(8):
        layers = lean(network(rng, (3, 6, 5), "rational"), rng)
        net = Network.from_layers([(W, b, "relu") for W, b in layers])
        for domain in domains(rng, 3, "rational"):
            suprema = oracles.suprema(layers, ppl_of(domain), 3)[1]
            bench = Bench(net, domain)
            for i in (i for i, best in enumerate(suprema) if best < 0):
                tree = Tree(bench.floating, 2, i)
                for _ in range(3):  # a turn each, then the proof so far goes through a file
                    if not tree.done:
                        tree.merge(turn(bench, Growth(tree, tree.take(4)), 2, None))
                    if tree.unfinished:
                        proof, tree = (
                            json.loads(json.dumps(files.unpacked(tree.unfinished)["proof"])),
                            Tree(bench.floating, 2, i),
                        )
                        tree.resume(proof)
                        taken += 1
                while not tree.done and not tree.failed and tree.point is None:
                    tree.merge(turn(bench, Growth(tree, tree.take(4)), 500, None))
                assert tree.done and not tree.failed and tree.point is None
                where = (
                    {"point": list(map(str, bench.floating.inside.centre))} if bench.floating.inside.has_rows else {}
                )
                claim = {key: v for key, v in files.unpacked(bench.refuted(tree)).items() if key != "stable"} | where
                checker.prove(claim, checker.Judge([], net.checked, domain.checked))
    assert taken


def padded(rng, layers, domain, n):
    """The same network and domain among n inputs of which the others are read by nobody, or only by a row that holds
    everywhere; the inputs are shuffled."""
    small = domain.dimension
    at = rng.sample(range(n), small)

    def wide(row, fill=0):
        found = [fill] * n
        for j, v in zip(at, row, strict=True):
            found[j] = v
        return found

    (weights, bias), *others = layers
    sides = [(0, 1)] * n
    for j, side in zip(at, zip(domain.checked.lower, domain.checked.upper, strict=True), strict=True):
        sides[j] = side
    tables = [[[row[0], *wide(row[1:])] for row in table] for table in (domain.rows, domain.flats)]
    tables[0].append([sum(v for v in wide([0] * small, 1)), *wide([0] * small, -1)])  # at its largest corner 0
    inequalities, equalities = ([list(map(Fraction, row)) for row in table] for table in tables)
    box = [[None if v is None else Fraction(v) for v in side] for side in sides]
    there = Polyhedron(checker.Domain.from_rows(n, inequalities, equalities, box))
    return [([wide(row) for row in weights], bias), *others], there


@pytest.mark.parametrize("kind", KINDS)
def test_many_inputs(search, kind):
    """On a box with rows in 80 inputs verdicts and suprema are those of the few that are read."""
    rng, seen = random.Random(KINDS.index(kind)), dict.fromkeys(Status, 0)
    for _ in range(6):
        layers = lean(network(rng, (3, 5, 4), kind), rng)
        domain = next(domains(rng, 3, kind))
        suprema = oracles.suprema(layers, ppl_of(domain), 3)
        there, around = padded(rng, layers, domain, 80)
        assert around.checked.is_bounded_box() and is_searched(around)
        net = Network.from_layers([(W, b, "relu") for W, b in there])
        reports = list(decide(net, around, [1, 2], budget=Budget(60)))
        judged(net, around, reports)
        for report, right in zip(reports, suprema, strict=True):
            for verdict, best in zip(report.verdicts, right, strict=True):
                seen[verdict.status] += 1
                if verdict.status is not Status.UNDECIDED:
                    assert verdict.status is (Status.ALIVE if best > 0 else Status.DEAD)
                if verdict.layer == 1:
                    assert verdict.supremum == best
                if best > 0:
                    assert verdict.status is Status.ALIVE
    assert seen[Status.DEAD] > 10 and seen[Status.ALIVE] > 10
    assert seen[Status.UNDECIDED] < seen[Status.DEAD] / 4  # of suprema 0, or badly scaled


def without_suprema(seed, neurons, inputs):
    """Decides layers with many inputs, and counts neurons without supremum; verdicts and suprema are right."""
    rng, without = random.Random(seed), 0
    for kind in KINDS:
        layers = network(rng, (3, neurons), kind)
        domain = next(domains(rng, 3, kind))
        there, around = padded(rng, layers, domain, inputs)
        net = Network.from_layers([(W, b, "relu") for W, b in there])
        reports = list(decide(net, around, [1], budget=Budget(120)))
        judged(net, around, reports)
        for verdict, best in zip(reports[0].verdicts, oracles.suprema(layers, ppl_of(domain), 3)[0], strict=True):
            assert verdict.status is (Status.ALIVE if best > 0 else Status.DEAD)
            assert verdict.supremum in (None, best)
            without += verdict.supremum is None
    return without


def test_many_inputs_and_neurons_of_layer_1(monkeypatch):
    """What the box or one point says of them needs no linear program; the others have one."""
    monkeypatch.setattr("geomrelu.deadness.first_layer.MANY", 0)
    assert without_suprema(1, 40, 80) > 20


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"box": [[0, None]] * 80, "inequalities": [[1] + [-1] * 80]}, "both sides"),  # a simplex
        ({"box": [[0, None]] * 80, "inequalities": [[-1] + [1] * 80]}, "both sides"),
        ({"box": [[0, None]] * 80}, "both sides"),
        ({"box": [[0, 1]] * 80, "inequalities": [[k + 1] + [1] * k + [-1] * (80 - k) for k in range(2, 80)] * 4}, None),
    ],
)
def test_where_proofs_are_not_sought_points_are_and_the_reason_is_said(monkeypatch, data, reason):
    monkeypatch.setattr("geomrelu.deadness.by_pieces.FEW_PIECES", 0)
    monkeypatch.setattr("geomrelu.deadness.decide.MANY_PIECES", 0)
    domain = Polyhedron.from_data(data)
    n = domain.dimension
    rng = random.Random(3)
    first = [[rng.choice((-1, 0, 1)) for _ in range(n)] for _ in range(12)], [1] * 12
    second = [[1] * 12, [-1] * 12, [0] * 12], [1, -1, -1]
    net = Network.from_layers([(W, b, "relu") for W, b in (first, second)])
    reports = list(decide(net, domain, [1, 2], budget=Budget(60)))
    judged(net, domain, reports)
    assert reports[1].verdicts[0].status is Status.ALIVE
    if reason is None:
        assert reports[1].verdicts[1].status is Status.DEAD
    else:
        assert reports[1].verdicts[1].status is Status.UNDECIDED
        assert reason in reports[1].verdicts[1].reason


def test_many_inputs_where_no_corner_is_found(monkeypatch):
    """Layer 1 is decided by a bound or by a point, without suprema; else by an exact program."""
    monkeypatch.setattr(Polyhedron, "guided_supremum", lambda domain, form: None)
    assert without_suprema(2, 12, 40) > 20
