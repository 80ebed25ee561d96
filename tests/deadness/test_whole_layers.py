"""Steps for whole layers: in which order neurons are worked on, and when the others are left."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

from geomrelu.budget import UNLIMITED, Budget
from geomrelu.deadness import layer_slopes
from geomrelu.deadness.layer_bounds import LayerBounds
from geomrelu.deadness.problem import Problem
from geomrelu.deadness.relaxation import FloatNetwork
from geomrelu.deadness.verdict import Status, Verdict
from geomrelu.deadness.whole_layers import WholeLayers
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.network import Network

INPUTS, WIDTHS, CLOSED, FEW = 40, (30, 48), 12, 8
BOX = Polyhedron.box([(Fraction(-1, 5), Fraction(1, 5))] * INPUTS)


@pytest.fixture(scope="module")
def network() -> Network:
    """Of the last layer CLOSED neurons, here and there, are bounded by 0 with slopes of their own, not without; the
    others are far from it, and their bounds are larger."""
    random = np.random.default_rng(3)
    weights = [random.standard_normal((m, n)) / np.sqrt(n) for n, m in ((INPUTS, WIDTHS[0]), WIDTHS)]
    layers = [(w, np.zeros(len(w)), "relu") for w in weights]
    bounds = LayerBounds(FloatNetwork(Network.from_layers(layers), BOX), True)
    everyone = list(range(WIDTHS[1]))
    plain = np.concatenate([top.centre for _, top, _ in bounds.upper(2, everyone)])
    parts = layer_slopes.improved(bounds, 2, everyone, UNLIMITED)
    better = np.concatenate([bounds.back(2, some, 1, slopes)[0].centre for some, slopes in parts])
    gains = plain - better
    chosen = np.argsort(-gains)[:CLOSED]
    bias = -plain + gains.max() * np.linspace(2, 3, len(plain))
    bias[chosen] = -(plain + better)[chosen] / 2
    layers[1] = (weights[1], bias, "relu")
    return Network.from_layers(layers)


def run(network: Network, monkeypatch: pytest.MonkeyPatch) -> tuple[WholeLayers, list[list[int]], list[Verdict]]:
    """The steps, the neurons for which slopes were sought, and what was found."""
    asked: list[list[int]] = []
    improved = layer_slopes.improved

    def noted(*given) -> Iterator:  # type: ignore[no-untyped-def,type-arg]
        for some, slopes in improved(*given):
            asked.append(some.tolist())
            yield some, slopes

    monkeypatch.setattr(layer_slopes, "improved", noted)
    monkeypatch.setattr(layer_slopes, "WORK", 0)
    problem = Problem(network, BOX, Budget())
    steps = WholeLayers(problem, FloatNetwork(network, BOX))
    everyone = list(range(WIDTHS[1]))
    assert not [v for v in steps._fine(BOX, 2, everyone) if v.status is Status.DEAD]
    return steps, asked, list(steps._sloped(BOX, 2, everyone))


def test_slopes_are_sought_for_small_bounds_first_and_while_some_fall(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = np.concatenate([t.centre for _, t, _ in LayerBounds(FloatNetwork(network, BOX), True).upper(2, range(48))])
    steps, asked, found = run(network, monkeypatch)
    order = np.argsort(top, kind="stable").tolist()
    dead = {v.neuron for v in found if v.status is Status.DEAD}
    assert len(dead) == CLOSED
    assert dead == set(order[:CLOSED])
    # 8 and 4 of them are dead, and of the next 8 none; for the 24 with the largest bounds nothing is sought
    assert asked == [order[k : k + FEW] for k in (0, FEW, 2 * FEW)]
    for verdict in found:
        assert verdict.claim is not None
        assert steps.problem.again(verdict.claim) is not None


def test_a_layer_that_takes_little_is_not_divided(network: Network) -> None:
    bounds = LayerBounds(FloatNetwork(network, BOX), True)
    bounds.derive(1)
    parts = [some.tolist() for some, _ in layer_slopes.improved(bounds, 2, range(WIDTHS[1]), UNLIMITED)]
    assert parts == [list(range(WIDTHS[1]))]


def test_corners_of_one_layer_are_not_taken_for_those_of_another(network: Network) -> None:
    steps = WholeLayers(Problem(network, BOX, Budget()), FloatNetwork(network, BOX))
    list(steps._fine(BOX, 2, [0, 1, 2]))
    middle = (steps.lower + steps.upper) / 2
    assert not (steps._starts(2, [0, 1, 2]) == middle).all(axis=1).any()
    assert (steps._starts(1, [0, 1, 2]) == middle).all()
    assert (steps._starts(2, [3]) == middle).all()
