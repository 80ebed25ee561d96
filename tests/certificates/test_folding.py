"""Rows over neurons of open sign: bounds are those of the plain judge, to the last digit."""

from __future__ import annotations

import json
import random
from fractions import Fraction

import numpy as np
import pytest
from families import domain, rational
from test_checker import random_proof

from geomrelu import Network, Polyhedron, checker
from geomrelu.budget import UNLIMITED
from geomrelu.certificates import folding
from geomrelu.certificates.region import EMPTY, Region, walk
from geomrelu.deadness import fixed_signs
from geomrelu.deadness.earlier_neurons import EarlierNeurons
from geomrelu.deadness.relaxation import FloatNetwork

KINDS = ("generic", "ternary", "scaled")


def mostly_settled(folder, rng, kind, inputs, widths):
    """A network on [-1, 1]^n most of whose neurons keep their signs, some of which are just 0 somewhere; some rows of
    it read the layer before the last one, too."""
    start, layers, before = [0, inputs], [], [(0, inputs, 1)]
    for width in widths:
        rows = []
        for _ in range(width):
            parts = before[-1:] if rng.random() < 0.7 else before[-2:]
            row, reach = {}, Fraction(0)
            for first, count, top in parts:
                for j in range(first, first + count):
                    w = Fraction(rng.randint(-1, 1)) if kind == "ternary" else rational(rng, 3)
                    w *= Fraction(2) ** rng.randint(-20, 20) if kind == "scaled" else 1
                    row[j], reach = w, reach + abs(w) * top
            bias = rng.choice((reach, -reach, reach + 1, -reach - 1, reach + 2, -reach / 2 if len(rows) < 2 else reach))
            rows.append([str(bias), *(x for j, w in row.items() if w for x in (j, str(w)))])
        layers.append({"rows": rows})
        before.append((start[-1], width, 50 if kind != "scaled" else 2**60))
        start.append(start[-1] + width)
    path = folder / "model.json"
    path.write_text(json.dumps({"inputs": inputs, "layers": layers}))
    return Network.from_file(path)


@pytest.mark.parametrize("kind", KINDS)
def test_bounds_of_trees_are_those_of_the_plain_judge(kind, monkeypatch, tmp_path):
    rng, folded, compared = random.Random(7), 0, 0
    for case in range(60):
        inputs, widths = rng.choice(((2, (5, 4, 3)), (3, (8, 6, 5, 2)), (1, (4, 4, 4, 4))))
        network = mostly_settled(tmp_path, rng, kind, inputs, widths)
        where = Polyhedron.box([(-1, 1)] * inputs) if case % 3 else domain(rng, inputs)[0]
        if where.checked.points is not None or (where.checked.generators is None and where.is_empty):
            continue
        monkeypatch.setattr(folding, "FEW", 1)  # whenever a sign is known
        model, set_ = network.checked, where.checked
        root, judge = Region(model, set_), checker.Judge([], model, set_)
        for level in range(2, len(widths) + 1):
            for _ in range(4):
                proof = random_proof(rng, model, set_, level, depth=4)
                i, sign = rng.randrange(widths[level - 1]), rng.choice((-1, 1))
                try:
                    right = judge.bound(proof, level, i, sign)
                except checker.Rejected:
                    continue
                found = walk(proof, root, level, i, sign)
                assert found == {float("inf"): None, float("-inf"): EMPTY}.get(right, right)
                compared += 1
        folded += sum(len(fold._rows) for fold in root.folds.values())
    assert folded > 100 and compared > 200


@pytest.mark.parametrize("widths", [(129, 300), (1000, 200)])
def test_wide_layers(widths):
    random_ = np.random.default_rng(1)
    weights = [random_.integers(-2, 3, size=shape) for shape in ((widths[0], 4), widths[::-1], (1, widths[1]))]
    biases = [np.where(random_.random(len(w)) < 0.05, 0, random_.choice([-1, 1], len(w)) * abs(w).sum(axis=1) * scale)
              for w, scale in zip(weights, (2, 30, 0), strict=True)]  # fmt: skip
    network = Network.from_layers([(w.tolist(), b.tolist(), "relu") for w, b in zip(weights, biases, strict=True)])
    where = Polyhedron.box([(-1, 1)] * 4)
    model, set_, rng = network.checked, where.checked, random.Random(3)
    root, judge = Region(model, set_), checker.Judge([], model, set_)
    for _ in range(3):
        open_ = [i for i in range(widths[0]) if biases[0][i] == 0]
        splits = [{"split": ["neuron", 1, i]} for i in rng.sample(open_, 2)]
        splits[0] |= {"derive": [[1], [2]]}
        leaves = [{"splits": {str(k): str(rng.randint(0, 40)) for k in range(n)}} for n in (1, 2, 2)]
        proof = [splits[0], leaves[0], splits[1], *leaves[1:]]
        assert walk(proof, root, 3, 0) == judge.bound(proof, 3, 0, 1)
    assert any(fold._rows for fold in root.folds.values())


@pytest.mark.parametrize("kind", KINDS)
def test_floats_over_open_neurons_bound_as_all_of_them_do(kind, tmp_path):
    rng = random.Random(5)
    for _ in range(10):
        widths = (9, 8, 3)
        network = mostly_settled(tmp_path, rng, kind, 3, widths)
        floating = FloatNetwork(network, Polyhedron.box([(-1, 1)] * 3))
        whole = floating.whole(2, UNLIMITED)
        for neuron in range(widths[-1]):
            some = EarlierNeurons(floating, 3, neuron, whole.bounds, True)
            right = floating.upper_bounds(whole, 3, np.array([neuron]))[0, 0]
            if some.floating is floating:  # too many are open
                continue
            boxes = some.floating.whole(2, UNLIMITED)
            found = some.floating.upper_bounds(boxes, 3, np.array([some.aim]))[0, 0]
            assert found == pytest.approx(right, rel=1e-9, abs=1e-9 * max(1, abs(right)))
            points = np.random.default_rng(0).uniform(-1, 1, (5, 3))
            assert some.floating.reached(points, 3, [some.aim]) == pytest.approx(floating.reached(points, 3, [neuron]))
            for at, low in enumerate((low for low, _ in boxes.bounds), 1):
                assert len(some.text(at, np.zeros(low.shape[1]))) == widths[at - 1]
                assert [some.found(at, some.named(at, k)) for k in range(low.shape[1])] == list(range(low.shape[1]))


@pytest.mark.parametrize("inputs", [3, 20, 60])
def test_where_all_signs_are_known_a_program_tells(inputs):
    """Negative, positive and impossible parts; what proves them is accepted, and some parts need exact multipliers."""
    random_, outcomes = np.random.default_rng(inputs), []
    for case in range(24):
        first = random_.integers(-3, 4, size=(5, inputs))
        bias = random_.integers(-2, 3, size=5) * (inputs // 6 + 1)
        second, offset = random_.integers(-2, 3, size=(1, 5)), int(random_.integers(-4, 3))
        if case % 3 == 0:  # at most 0, and 0 where the first neuron is
            first[1], bias[1], second, offset = first[0], bias[0] - 1, np.array([[-1, 0, 0, 0, 0]]), 0
        layers = [(first.tolist(), bias.tolist(), "relu"), (second.tolist(), [offset], "relu")]
        network, where = Network.from_layers(layers), Polyhedron.box([(-1, 1)] * inputs)
        region = Region(network.checked, where.checked)
        region.derive([[1]], 2)
        signs = random_.choice([-1, 1], size=5).tolist()
        for i, sign in enumerate(signs):
            region = region.child(("neuron", 1, i), sign)
        found = fixed_signs.solved(region, 2, 0)
        if isinstance(found, fixed_signs.Positive):
            point = list(found.point)
            assert where.contains(point) and network.checked.value(point, 2, 0) > 0
            z = network.pre_activations(point, 1)[0]
            assert all(sign * v >= 0 for sign, v in zip(signs, z, strict=True))
            outcomes.append("positive")
        else:
            assert isinstance(found, fixed_signs.Leaf)
            part = region.copy()
            part.derive(found.node.get("derive", []), 2)
            bound = part.leaf(2, 0, 1, {k: v for k, v in found.node.items() if k != "derive"})
            assert bound == EMPTY or bound <= 0
            assert found.zero is None or (bound == 0 == network.checked.value(list(found.zero), 2, 0))
            outcomes.append("zero" if found.zero else "negative")
    assert set(outcomes) == {"positive", "negative", "zero"}
