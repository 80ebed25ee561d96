"""Verdicts against independent tools (z3; HiGHS with a margin), and under changes that must not change them."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest
from families import lean, network
from scipy import optimize

from geomrelu import Budget, Network, Polyhedron, Status
from geomrelu.deadness.decide import decide

MARGIN = Fraction(1, 1000)


@pytest.fixture(params=["pieces", "search", "search and cuts"])
def method(request, monkeypatch):
    """All ways to decide deep neurons."""
    if request.param != "pieces":
        monkeypatch.setattr("geomrelu.deadness.by_pieces.FEW_PIECES", 0)
    if request.param == "search":
        monkeypatch.setattr("geomrelu.deadness.by_search.is_cut", lambda domain: False)
    return request.param


def nets(count, seed, kinds=("rational", "ternary", "degenerate")):
    rng = random.Random(seed)
    for k in range(count):
        layers = lean(network(rng, rng.choice(((2, 4, 3), (3, 4, 3, 2))), kinds[k % len(kinds)]), rng)
        yield rng, layers, [(-rng.randint(1, 2), rng.randint(1, 2)) for _ in layers[0][0][0]]


def statuses(layers, sides):
    net = Network.from_layers([(rows, bias, "relu") for rows, bias in layers])
    reports = decide(net, Polyhedron.box(sides), budget=Budget(600))
    return [[v.status for v in report.verdicts] for report in reports]


def test_z3(method):
    z3 = pytest.importorskip("z3", reason="z3-solver is not installed")

    def real(q):
        return z3.RealVal(f"{Fraction(q).numerator}/{Fraction(q).denominator}")

    for _, layers, sides in nets(9, 31):
        found = statuses(layers, sides)
        inputs = [z3.Real(f"x{j}") for j in range(len(sides))]
        solver = z3.Solver()
        for x, (low, high) in zip(inputs, sides, strict=True):
            solver.add(x >= real(low), x <= real(high))
        values = inputs
        for level, (rows, bias) in enumerate(layers):
            z = [
                sum((real(w) * v for w, v in zip(r, values, strict=True)), real(b))
                for r, b in zip(rows, bias, strict=True)
            ]
            for i, form in enumerate(z):
                solver.push()
                solver.add(form > 0)
                alive = solver.check()
                solver.pop()
                assert str(alive) == {Status.ALIVE: "sat", Status.DEAD: "unsat"}[found[level][i]]
            values = []
            for i, form in enumerate(z):
                v = z3.Real(f"v{level}.{i}")
                solver.add(v == z3.If(form > 0, form, 0))
                values.append(v)


def milp_supremum(layers, sides, level, neuron):
    """By HiGHS, with a binary variable for the sign of each neuron (big-M from intervals)."""
    lower, upper = [[float(s[k]) for s in sides] for k in (0, 1)]
    count = len(sides)
    rows, low_sides, high_sides, integers = [], [], [], [0] * count
    values = list(range(count))
    for weights, bias in layers[: level - 1]:
        nxt = []
        for r, b in zip(weights, bias, strict=True):
            r, b = [float(w) for w in r], float(b)
            high = b + sum(max(w * lower[v], w * upper[v]) for w, v in zip(r, values, strict=True))
            low = b + sum(min(w * lower[v], w * upper[v]) for w, v in zip(r, values, strict=True))
            v, s = count, count + 1
            count += 2
            lower += [0.0, 0.0]
            upper += [max(high, 0.0), 1.0]
            integers += [0, 1]
            z = dict(zip(values, r, strict=True))
            rows.append({v: 1.0} | {k: -w for k, w in z.items()})  # v >= z
            low_sides.append(b)
            high_sides.append(np.inf)
            rows.append({v: 1.0, s: -min(low, 0.0)} | {k: -w for k, w in z.items()})  # v <= z - low (1 - s)
            low_sides.append(-np.inf)
            high_sides.append(b - min(low, 0.0))
            rows.append({v: 1.0, s: -max(high, 0.0)})  # v <= high s
            low_sides.append(-np.inf)
            high_sides.append(0.0)
            nxt.append(v)
        values = nxt
    weights, bias = layers[level - 1]
    cost = np.zeros(count)
    for v, w in zip(values, weights[neuron], strict=True):
        cost[v] -= float(w)
    matrix = np.zeros((len(rows), count))
    for k, row in enumerate(rows):
        for j, w in row.items():
            matrix[k, j] += w
    constraints = [optimize.LinearConstraint(matrix, low_sides, high_sides)] if rows else []
    solved = optimize.milp(cost, integrality=integers, bounds=optimize.Bounds(lower, upper), constraints=constraints)
    assert solved.success
    return float(bias[neuron]) - solved.fun


def test_highs(method):
    compared = 0
    for _, layers, sides in nets(24, 57):
        found = statuses(layers, sides)
        for level, verdicts in enumerate(found, 1):
            for i, status in enumerate(verdicts):
                supremum = milp_supremum(layers, sides, level, i)
                if abs(supremum) > MARGIN:
                    compared += 1
                    assert status is (Status.ALIVE if supremum > 0 else Status.DEAD), (level, i, supremum)
    assert compared > 100


def test_rescaling_changes_no_verdict(method):
    """(W1, b1) / 2^k and W2 2^k are the same second layer."""
    for rng, layers, sides in nets(12, 71):
        factor = Fraction(2) ** rng.randint(-40, 40)
        (rows, bias), (second, constant), *rest = layers
        scaled = [
            ([[v / factor for v in r] for r in rows], [b / factor for b in bias]),
            ([[v * factor for v in r] for r in second], constant),
            *rest,
        ]
        assert statuses(scaled, sides) == statuses(layers, sides)


def test_permutations_permute_verdicts(method):
    for rng, layers, sides in nets(12, 72):
        rows, bias = layers[0]
        order = rng.sample(range(len(rows)), len(rows))
        second, constant = layers[1]
        shuffled = [
            ([rows[i] for i in order], [bias[i] for i in order]),
            ([[r[i] for i in order] for r in second], constant),
            *layers[2:],
        ]
        one, other = statuses(layers, sides), statuses(shuffled, sides)
        assert other == [[one[0][i] for i in order], *one[1:]]


def test_duplicates_share_their_verdict(method):
    for rng, layers, sides in nets(12, 73):
        rows, bias = layers[0]
        i = rng.randrange(len(rows))
        half = [[*(v / 2 if k == i else v for k, v in enumerate(r)), r[i] / 2] for r in layers[1][0]]
        doubled = [([*rows, rows[i]], [*bias, bias[i]]), (half, layers[1][1]), *layers[2:]]
        one, other = statuses(layers, sides), statuses(doubled, sides)
        assert other == [[*one[0], one[0][i]], *one[1:]]


def test_affine_changes_of_coordinates(method):
    """x = c + s y on the box of y: the same neurons are dead."""
    for rng, layers, sides in nets(12, 74):
        steps = [rng.choice((-3, -1, 2, Fraction(1, 7))) for _ in sides]
        shifts = [Fraction(rng.randint(-9, 9), 5) for _ in sides]
        moved = [
            tuple(sorted(((low - c) / s, (high - c) / s)))
            for (low, high), s, c in zip(sides, steps, shifts, strict=True)
        ]
        rows, bias = layers[0]
        first = [[w * s for w, s in zip(r, steps, strict=True)] for r in rows]
        start = [b + sum(w * c for w, c in zip(r, shifts, strict=True)) for r, b in zip(rows, bias, strict=True)]
        assert statuses([(first, start), *layers[1:]], moved) == statuses(layers, sides)
