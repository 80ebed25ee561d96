"""Batches of orbits of living networks: the float walk against the exact one, and what it says of its doubts."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from geomrelu import FiniteSet, Network, Polyhedron
from geomrelu.random_networks import living_batch
from geomrelu.random_networks.goal import Goal
from geomrelu.random_networks.living_batch import Walk, is_affordable
from geomrelu.random_networks.orbit import dead_neurons_orbit

DOMAINS = {
    "line": Polyhedron.space(1),
    "half line": Polyhedron.orthant(1),
    "segment": Polyhedron.box([(-1, Fraction(7, 3))]),
    "plane": Polyhedron.space(2),
    "quadrant": Polyhedron.orthant(2),
    "square": Polyhedron.box([(-1, 1)] * 2),
    "triangle": Polyhedron.from_generators([[0, 0], [1, 2], [3, -1]]),
    "strip": Polyhedron.from_rows([[1, 1, 0], [1, -1, 0]]),
    "wedge": Polyhedron.from_rows([[1, 1, 0], [0, 0, 1]]),
    "flat": Polyhedron.from_generators([[0, Fraction(1, 3)], [1, 2]]),
    "data": FiniteSet.of([[1, 2], [Fraction(1, 3), -1], [0, -2]]),
    "one": FiniteSet.of([[3, -1]]),
    "cube": Polyhedron.box([(-1, Fraction(1, 2))] * 3),
    "pyramid": Polyhedron.from_generators([[0, 0, 1], [1, 1, 0], [1, -1, 0], [-1, 1, 0], [-1, -1, 0]]),
}


def some_networks(rng, widths, bias, count, kind="normal"):
    def draw(*shape):
        if kind == "few":
            return rng.integers(1, 3, shape).astype(float)
        if kind == "scaled":
            return np.ldexp(rng.standard_normal(shape), rng.integers(-40, 41, shape))
        if kind == "extreme":
            return np.ldexp(rng.standard_normal(shape), rng.choice((-400, 0, 400), shape))
        return rng.standard_normal(shape)

    return [(draw(count, m, n), draw(count, m) if bias else None) for n, m in pairwise(widths)]


def exactly(layers, k, domain, goal, flipped):
    """By the profiles of the exact walk over the layers that matter."""
    parts = [(w[k], np.zeros(w.shape[1]) if b is None else b[k]) for w, b in layers]
    profiles, _ = dead_neurons_orbit(parts, domain, flipped, through=goal.event == "data-alive")
    widths = [w.shape[1] for w, _ in layers]
    found = 0
    for dead, number in profiles.items():
        here = dead[goal.last - 1]
        asked = sum(dead) if goal.total else here
        found += (
            number
            * {
                "alive": all(d < w for d, w in zip(dead, widths, strict=True)),
                "data-alive": all(d < w for d, w in zip(dead, widths, strict=True)),
                "killed": here == widths[goal.last - 1],
                "dead-neurons": asked == goal.number,
            }[goal.event]
        )
    free = layers[0][1] is None
    walked = {"all": widths, "last": widths[-1:], "none": []}[flipped]
    if free:
        found //= 2 ** sum(walked)
    later = layers[goal.last :] if flipped == "all" else layers[max(goal.last, len(layers) - 1) :]
    signs = sum(w.shape[1] * (w.shape[2] + (not free)) for w, _ in later) if flipped != "none" else 0
    return found >> signs


def goals(depth):
    yield from (Goal("alive", depth), Goal("data-alive", depth), Goal("killed", 1), Goal("killed", depth))
    yield from (Goal("dead-neurons", depth, 1), Goal("dead-neurons", depth, 2, True), Goal("dead-neurons", 1, 0))


CASES = [
    *((where, (1, 2, 2)) for where in ("line", "half line", "segment")),
    *((where, (2, 2, 2)) for where in ("plane", "quadrant", "square", "triangle", "strip", "wedge", "flat", "data")),
    *((where, (3, 2, 1)) for where in ("cube", "pyramid")),
    ("segment", (1, 2, 1, 2)), ("data", (2, 1, 2, 1)), ("one", (2, 2, 2)), ("line", (1, 1, 1, 1)),
    ("line", (1, 1, 1, 1, 1)), ("square", (2, 3, 1)),
]  # fmt: skip


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("where", "widths"), CASES)
def test_counts_equal_the_exact_ones(where, widths, bias):
    """And generic orbits are settled in floats."""
    rng = np.random.default_rng(sum(10**i * w for i, w in enumerate(widths)))
    for goal in goals(len(widths) - 1):
        for flipped in ("all", "last", "none"):
            layers = some_networks(rng, widths, bias, 2 if flipped == "all" else 6)
            walk = Walk(layers, DOMAINS[where], goal, flipped)
            assert walk.sure.all()
            expected = [exactly(layers, k, DOMAINS[where], goal, flipped) for k in range(len(walk.sure))]
            assert walk.counts.tolist() == expected, (goal, flipped)


@pytest.mark.parametrize("kind", ["few", "scaled", "extreme"])
@pytest.mark.parametrize(("where", "widths"), CASES[::3])
def test_what_is_sure_is_right(kind, where, widths):
    """Ties, badly scaled numbers, and numbers whose products overflow."""
    rng, settled = np.random.default_rng(5), 0
    for goal in goals(len(widths) - 1):
        layers = some_networks(rng, widths, True, 2, kind)
        walk = Walk(layers, DOMAINS[where], goal)
        for k in np.flatnonzero(walk.sure):
            assert walk.counts[k] == exactly(layers, k, DOMAINS[where], goal, "all")
        settled += walk.sure.sum()
    assert settled if kind == "scaled" else settled < 2 * 7


def test_a_tie_is_doubtful_and_the_neighbours_on_both_sides_are_not():
    """x + 3 is at most 2 on [-2, -1], so a neuron of layer 2 with weight 1 and bias -2 touches 0."""
    domain = Polyhedron.box([(-2, -1)])
    for nudge, sure in ((0.0, False), (2.0**-30, True), (-(2.0**-30), True)):
        layers = [(np.array([[[1.0]]]), np.array([[3.0]])), (np.array([[[1.0]]]), np.array([[-2.0 + nudge]]))]
        walk = Walk(layers, domain, Goal("alive", 2), "none")
        assert bool(walk.sure[0]) is sure
        if sure:
            assert walk.counts.tolist() == [int(nudge > 0)]


@pytest.mark.parametrize("widths", [(3, 130, 2), (2, 1000, 3), (5, 129, 129, 1)])
def test_wide_layers_on_data(widths):
    """Against exact passes."""
    rng = np.random.default_rng(widths[1])
    points = rng.integers(-9, 10, (3, widths[0])).tolist()
    layers = some_networks(rng, widths, True, 2)
    dead = Walk(layers, FiniteSet.of(points), Goal("dead-neurons", 1, 0), "none")
    alive = Walk(layers, FiniteSet.of(points), Goal("alive", len(widths) - 1), "none")
    assert dead.sure.all() and alive.sure.all()
    for k in range(2):
        network = Network.from_layers([(w[k], b[k], "relu") for w, b in layers])
        passes = [network.pre_activations(point) for point in points]
        first = [max(p[0][i] for p in passes) > 0 for i in range(widths[1])]
        assert dead.counts[k] == all(first)
        assert alive.counts[k] == all(any(z > 0 for p in passes for z in p[level]) for level in range(len(widths) - 1))


@pytest.mark.parametrize("kind", ["normal", "large biases", "all alike"])
@pytest.mark.parametrize("width", [61, 70, 129, 250])
def test_wide_layers_that_cut_a_segment_many_times(width, kind):
    """Each neuron cuts a piece: numbers of pieces must not double with them. Against exact values at breakpoints."""
    rng = np.random.default_rng(width)
    first = rng.standard_normal((2, width, 1)), rng.standard_normal((2, width))
    if kind == "large biases":
        first = first[0] * 2.0**40, first[1] * 2.0**40
    elif kind == "all alike":
        first = abs(first[0]), -abs(first[1])
    middle = rng.standard_normal((2, 5, width)), rng.standard_normal((2, 5)) * abs(first[1]).max() - width**0.5
    layers, domain = [first, middle], Polyhedron.box([(-3, 3)])
    dead = []
    for k in range(2):
        network = Network.from_layers([(w[k], c[k], "relu") for w, c in layers])
        breaks = [-Fraction(v) / Fraction(u) for u, v in zip(first[0][k, :, 0], first[1][k], strict=True)]
        values = [network.pre_activations([t])[1] for t in (-3, *(t for t in breaks if -3 < t < 3), 3)]
        dead.append(sum(max(column) <= 0 for column in zip(*values, strict=True)))
    for number in set(dead):
        walk = Walk(layers, domain, Goal("dead-neurons", 2, number), "none")
        assert walk.sure.all() and walk.counts.tolist() == [int(d == number) for d in dead]


def test_what_does_not_fit_64_bits_is_not_sure():
    """63 signs before the last layer: a state may stand for so many choices."""
    rng = np.random.default_rng(2)
    layers = [(-abs(rng.standard_normal((1, 21, 2))), -abs(rng.standard_normal((1, 21)))), (np.ones((1, 1, 21)), None)]
    walk = Walk(layers, FiniteSet.of([[1, 1]]), Goal("alive", 2))
    assert not walk.sure.any()


def test_wide_last_layers_need_large_integers():
    rng = np.random.default_rng(3)
    layers = some_networks(rng, (1, 1, 40), True, 1)
    walk = Walk(layers, Polyhedron.box([(-1, 2)]), Goal("killed", 2))
    assert walk.sure.all() and walk.counts.dtype == object
    assert walk.counts[0] == exactly(layers, 0, Polyhedron.box([(-1, 2)]), Goal("killed", 2), "all")


def test_working_sets_do_not_matter(monkeypatch):
    layers = some_networks(np.random.default_rng(4), (2, 2, 2, 1), True, 2)
    found = Walk(layers, DOMAINS["triangle"], Goal("alive", 3)).counts.tolist()
    monkeypatch.setattr(living_batch, "CELLS", 1 << 9)
    monkeypatch.setattr(living_batch, "LOOPED", 1)
    assert Walk(layers, DOMAINS["triangle"], Goal("alive", 3)).counts.tolist() == found


def test_too_many_facets_are_left_to_the_exact_walk():
    polygon = Polyhedron.from_generators([[k, k * k] for k in range(70)])
    layers = some_networks(np.random.default_rng(6), (2, 1, 1), True, 1)
    assert not Walk(layers, polygon, Goal("alive", 2)).sure.any()


def test_what_is_affordable():
    assert is_affordable(Polyhedron.space(2), (3, 3), 9)
    assert not is_affordable(Polyhedron.box([(0, 1)] * 4), (64, 64), 0)
    assert not is_affordable(Polyhedron.box([(0, 1)] * 30), (), 0)
    assert not is_affordable(Polyhedron.space(1), (2,), 40)
    assert is_affordable(FiniteSet.of([[1, 2]]), (1000, 1000), 0)
