"""Bounds of whole layers with their errors, against the judge's bounds in exact arithmetic."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction

import numpy as np
import pytest

from geomrelu import Network, Polyhedron, Status, decide
from geomrelu.budget import UNLIMITED, Budget, Exhausted
from geomrelu.certificates.region import Region
from geomrelu.deadness import layer_bounds, layer_slopes
from geomrelu.deadness.layer_bounds import LayerBounds, values
from geomrelu.deadness.problem import Problem
from geomrelu.deadness.relaxation import FloatNetwork
from geomrelu.deadness.whole_layers import WholeLayers
from geomrelu.exact.affine import AffineMap
from geomrelu.io.tape import Tape, convolution, joined

KINDS = ("generic", "rows of all sizes", "ternary", "tiny", "huge")


def convolutional(seed, kind):
    """Convolutions, one with what an earlier layer gives, and dense layers: widths 48, 48, 48, 6, 8."""
    random = np.random.default_rng(seed)

    def numbers(*shape):
        found = random.normal(size=shape)
        if kind == "rows of all sizes":
            found *= random.choice([1e-6, 1, 1e3], size=shape, p=[0.1, 0.8, 0.1])
        elif kind == "ternary":
            found = random.integers(-1, 2, size=shape)
        return (found * {"tiny": 1e-12, "huge": 1e12}.get(kind, 0.3 if kind == "generic" else 1)).astype(np.float32)

    tape = Tape(32)
    map_, shape = convolution(numbers(3, 2, 3, 3), numbers(3), (2, 4, 4), pads=(1, 1, 1, 1))
    first = tape.relu(map_.after(tape.input))
    map_, shape = convolution(numbers(3, 3, 3, 3), numbers(3), shape, pads=(1, 1, 1, 1))
    value = tape.relu(map_.after(first))
    map_, shape = convolution(numbers(3, 3, 3, 3), numbers(3), shape, pads=(1, 1, 1, 1))
    value = tape.relu(joined(map_.after(value), first))
    map_, shape = convolution(numbers(6, 3, 3, 3), numbers(6), shape, strides=(2, 2))
    value = tape.relu(map_.after(value))
    value = tape.relu(AffineMap.from_dense(numbers(8, value.outputs), numbers(8)).after(value))
    network = Network.from_tape(tape.finish(value))
    low = random.normal(size=32) if kind != "ternary" else random.integers(-1, 1, size=32)
    wide = random.random(32) * random.choice([0, 1e-3, 1], size=32) if kind != "ternary" else random.integers(0, 2, 32)
    sides = [
        (Fraction(float(a)) / 3, Fraction(float(a)) / 3 + Fraction(float(b))) for a, b in zip(low, wide, strict=True)
    ]
    return network, Polyhedron.box(sides)


def dense_first(seed, kind):
    """A layer that the judge bounds in fixed point, and then one of few weights."""
    random = np.random.default_rng(seed)
    tape = Tape(3)
    value = tape.relu(AffineMap.from_dense(random.normal(size=(12, 3)), random.normal(size=12)).after(tape.input))
    for outputs in (40, 8):
        weights = random.normal(size=(outputs, value.outputs)) * (random.random((outputs, value.outputs)) < 0.3)
        value = tape.relu(AffineMap.from_dense(weights, random.normal(size=outputs) / 4).after(value))
    return Network.from_tape(tape.finish(value)), Polyhedron.box([(-1, 1)] * 3)


def wide(seed, kind):
    """Few weights among many neurons, one layer read by two: widths 129, 1000, 300."""
    random = np.random.default_rng(seed)

    def sparse(outputs, inputs, density):
        found = random.normal(size=(outputs, inputs)) * (random.random((outputs, inputs)) < density)
        if kind == "ternary":
            found = np.sign(found)
        elif kind == "large biases":
            found = np.round(found * 8)
        return found * {"tiny": 1e-12, "huge": 1e12}.get(kind, 1)

    def bias(outputs):
        found = random.normal(size=outputs) * {"tiny": 1e-12, "huge": 1e12, "large biases": 2.0**40}.get(kind, 1)
        return np.round(found) if kind in ("ternary", "large biases") else found

    tape = Tape(200)
    first = tape.relu(AffineMap.from_dense(sparse(129, 200, 0.1), bias(129)).after(tape.input))
    value = tape.relu(AffineMap.from_dense(sparse(1000, 129, 0.1), bias(1000)).after(first))
    value = joined(AffineMap.from_dense(sparse(300, 1000, 0.05), bias(300)).after(value),
                   AffineMap.from_dense(sparse(300, 129, 0.1), bias(300)).after(first))  # fmt: skip
    network = Network.from_tape(tape.finish(tape.relu(value)))
    return network, Polyhedron.box([(Fraction(-k % 7, 7), Fraction(-k % 7 + k % 3, 7)) for k in range(200)])


def judged(network, domain, fine, depth):
    """The judge's region, and what it knows of layers that fit fixed point."""
    region = Region(network.checked, domain.checked)
    region.derive([[at] for at in range(1, depth + 1)], depth + 1)
    exact = {}
    for at in range(1, depth + 1):
        pairs, d = region.bounds(at)
        exact[at] = [low for low, _ in pairs], [high for _, high in pairs], d
    levels = range(depth + 1, network.depth)
    region.derive([[at] if fine else [at, []] for at in levels], network.depth)
    return region, exact


@pytest.mark.parametrize("fine", [False, True])
@pytest.mark.parametrize("kind", [*KINDS, "dense first"])
def test_bounds_differ_from_the_judges_by_no_more_than_is_said(kind, fine):
    negative = 0
    for seed in range(2 if kind == "dense first" else 1):
        network, domain = dense_first(seed, kind) if kind == "dense first" else convolutional(seed, kind)
        floating = FloatNetwork(network, domain)
        depth = floating.coarse_depth
        assert depth == (kind == "dense first")
        region, exact = judged(network, domain, fine, depth)
        bounds = LayerBounds(floating, fine, exact.get)
        for level in range(max(2, depth + 1), network.depth + 1):
            for neurons, top, corners in bounds.upper(level, range(network.widths[level - 1])):
                assert corners.shape == (len(neurons), network.inputs)
                for i, centre, error in zip(neurons.tolist(), top.centre.tolist(), top.error.tolist(), strict=True):
                    right = region.upper_bound(level, i, {})
                    assert abs(Fraction(centre) - right) <= Fraction(error)
                    assert error <= 1e-6 * (1 + abs(centre)) or kind != "generic"
                negative += (top.most < 0).sum()
    assert negative or kind == "ternary"


@pytest.mark.parametrize("fine", [False, True])
@pytest.mark.parametrize("kind", ["generic", "ternary", "large biases", "tiny", "huge"])
def test_bounds_of_wide_layers_differ_from_the_judges_by_no_more_than_is_said(kind, fine):
    network, domain = wide(3, kind)
    floating = FloatNetwork(network, domain)
    region = Region(network.checked, domain.checked)
    region.derive([[1], [2] if fine else [2, []]], 3)
    bounds = LayerBounds(floating, fine)
    signs = set()
    for level in (2, 3):
        for neurons, top, _ in bounds.upper(level, range(0, network.widths[level - 1], 37)):
            for i, centre, error in zip(neurons.tolist(), top.centre.tolist(), top.error.tolist(), strict=True):
                assert abs(Fraction(centre) - region.upper_bound(level, i, {})) <= Fraction(error)
                assert error <= 1e-6 * (1 + abs(centre)) or kind in ("huge", "large biases")
                signs.add(centre < 0)
    assert signs == {False, True} or kind == "ternary"


@pytest.mark.parametrize("kind", KINDS)
def test_bounds_with_slopes_differ_by_no_more_either(kind):
    network, domain = convolutional(5, kind)
    floating = FloatNetwork(network, domain)
    region, _ = judged(network, domain, True, 0)
    bounds = LayerBounds(floating, True)
    bounds.derive(4)
    better = 0
    for neurons, slopes in layer_slopes.improved(bounds, 5, range(8), UNLIMITED):
        top, _ = bounds.back(5, neurons, 1, slopes)
        for k, i in enumerate(neurons.tolist()):
            said = layer_slopes.texts(bounds, slopes, k)
            right = region.upper_bound(5, i, {"slopes": said})
            assert abs(Fraction(float(top.centre[k])) - right) <= Fraction(float(top.error[k]))
            better += right < region.upper_bound(5, i, {})
    assert better or kind != "generic"


def test_slopes_that_are_uncertain_are_covered(monkeypatch):
    """Bounds of 0, and numbers so uncertain that the sign of many neurons is open."""
    monkeypatch.setattr(layer_bounds, "ROUND", 1e-4)
    for kind in ("generic", "ternary"):
        network, domain = convolutional(2, kind)
        region, _ = judged(network, domain, True, 0)
        bounds = LayerBounds(FloatNetwork(network, domain), True)
        uncertain = 0
        for level in range(2, 6):
            for neurons, top, _ in bounds.upper(level, range(network.widths[level - 1])):
                for i, centre, error in zip(neurons.tolist(), top.centre.tolist(), top.error.tolist(), strict=True):
                    assert abs(Fraction(centre) - region.upper_bound(level, i, {})) <= Fraction(error)
            uncertain += bounds.around[level - 2].open.sum()
        assert uncertain


def test_values_at_points_are_right_to_what_is_said():
    for kind in KINDS:
        network, domain = convolutional(1, kind)
        floating = FloatNetwork(network, domain)
        points = floating.lower + np.random.default_rng(0).random((3, 32)) * (floating.upper - floating.lower)
        for level in (1, 3, 5):
            found = values(floating, points, level)
            for point, centres, errors in zip(points, found.centre, found.error, strict=True):
                right = network.pre_activations([Fraction(float(x)) for x in point], level)[-1]
                for z, centre, error in zip(right, centres.tolist(), errors.tolist(), strict=True):
                    assert abs(Fraction(centre) - z) <= Fraction(error)


def test_overflow_says_nothing():
    tape = Tape(2)
    value = tape.input
    for _ in range(3):
        value = tape.relu(AffineMap.from_dense(np.array([[1e200, 0.0], [0.0, -1e200]]), [0, 0]).after(value))
    network, domain = Network.from_tape(tape.finish(value)), Polyhedron.box([(-1, 1)] * 2)
    floating = FloatNetwork(network, domain)
    with np.errstate(all="ignore"):
        for fine in (False, True):
            for _, top, _ in LayerBounds(floating, fine).upper(3, [0, 1]):
                assert not (top.most < 0).any()
        assert not (values(floating, np.ones((1, 2)), 3).least > 0).any()


@pytest.mark.parametrize("kind", ["generic", "rows of all sizes"])
def test_verdicts_of_whole_layers_are_accepted_by_the_plain_judge(kind, tmp_path):
    network, domain = convolutional(11, kind)
    report = decide(network, domain, time=10)
    assert {v.status for v in report.verdicts} >= {Status.DEAD, Status.ALIVE}
    assert any(v.reason == "bounded on the whole box" for v in report.verdicts)
    report.check()


def test_what_a_budget_interrupts_is_done_again(monkeypatch):
    """The judge's bounds of a layer, cut off wherever that is possible: the next call has them all."""
    random = np.random.default_rng(0)
    layers = [(random.normal(size=(m, n)), random.normal(size=m), "relu") for n, m in ((12, 30), (30, 30), (30, 4))]
    network, domain = Network.from_layers(layers), Polyhedron.box([(-1, 1)] * 12)
    problem = Problem(network, domain, Budget())
    right = WholeLayers(problem, FloatNetwork(network, domain))._exact(2)
    for after in (0, 5, 40, 100):
        problem = Problem(network, domain, Budget())
        steps, calls = WholeLayers(problem, FloatNetwork(network, domain)), iter(range(10**6))

        def poll(calls=calls, after=after):
            if next(calls) == after:
                raise Exhausted("the time is over")

        monkeypatch.setattr(problem.budget, "poll", poll)
        with suppress(Exhausted):
            steps._exact(2)
        assert steps._exact(2) == right
