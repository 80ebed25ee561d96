"""Points near the data at which a neuron fires: sought in floats, confirmed exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache

import numpy as np

from geomrelu.budget import Budget, Exhausted
from geomrelu.deadness.on_data import Points
from geomrelu.deadness.relaxation import FloatNetwork
from geomrelu.exact.numbers import nearest_float
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.network import Network

__all__ = ["Hunt", "Near"]

STARTS, STEPS, ENOUGH = 16, 60, 4
CUTS, CUT = 10, 16  # times the way is cut into so many parts
LONGEST = 0.1  # step, of the longest side of the box
SLIGHTLY = (0.0, 1e-12, 1e-9, 1e-6, 1e-3)  # further along, where rounding spoils the last step
SAMPLE = 4096  # points of the data that the search begins at
Array = np.ndarray


@dataclass(frozen=True)
class Near:
    """A point at which a neuron fires, exactly.

    Attributes:
        point: of R^n. value: z there, positive. nearest: the number of the point of the data from which it was reached.
        distance: to that, the largest difference of one input. inside: is it in the widened box?
    """

    layer: int
    neuron: int
    point: tuple[Fraction, ...]
    value: Fraction
    nearest: int
    distance: Fraction
    inside: bool


class Hunt:
    """The search around some data; ``box`` is the widened one."""

    def __init__(self, network: Network, points: Points, box: Polyhedron, budget: Budget) -> None:
        self.network, self.points, self.box, self.budget = network, points, box, budget
        self.floating = FloatNetwork(network, box)
        self.longest = LONGEST * float((self.floating.upper - self.floating.lower).max() or 1.0)
        rows = np.arange(len(points))
        if len(rows) > SAMPLE:
            rows = np.random.default_rng(0).choice(len(points), SAMPLE, replace=False)
        self.rows, self.data = rows, points.floats[rows]

    @cached_property
    def values(self) -> list[Array]:
        """z of all layers at the points from which the search begins."""
        return self.floating.forward(self.data, self.network.depth)

    def nearest(self, layer: int, neuron: int, known: Sequence[tuple[str, ...]], parts: int) -> Near | None:
        """The nearest point found at which a neuron that is silent on the data fires; None if none was found.

        Args:
            known: points at which it is known to fire, exact, as strings. parts: of so many the share of the budget.

        Method: from the points of the data where z is largest, steps along the gradient to where z would be 0 if it
        were affine; then, and from each known point to the nearest of the data, halving of the way. Exact: that it
        fires; that no nearer point does is not claimed.
        """
        best: Near | None = None
        share = self.budget.share(parts)
        with suppress(Exhausted), np.errstate(all="ignore"):
            for start, end in self._ways(layer, neuron, known, share):
                found = self._between(layer, neuron, start, end)
                if found is not None and (best is None or found.distance < best.distance):
                    best = found
                share.poll()
        return best

    def _between(self, layer: int, neuron: int, start: int, end: Array) -> Near | None:
        """Where on the way from a point of the data it begins to fire."""
        x, low, high = self.points.floats[start], 0.0, 1.0
        for _ in range(CUTS):  # all at once
            share = np.linspace(low, high, CUT + 1)[1:]
            z = self.floating.reached(x + share[:, None] * (end - x), layer, [neuron])
            first = int(np.argmax(z > 0)) if (z > 0).any() else CUT - 1
            low, high = (low if first == 0 else float(share[first - 1])), float(share[first])
        return _confirmed(self.network, self.points, self.box, layer, neuron, start, x, end, high)

    def _ways(
        self, layer: int, neuron: int, known: Sequence[tuple[str, ...]], share: Budget
    ) -> Iterator[tuple[int, Array]]:
        """(number of a point of the data, a point at which the neuron fires in floats)."""
        for point in known:
            end = np.array([_near(v) for v in point])
            k = int(np.argmin(np.abs(self.data - end).max(axis=1)))
            yield int(self.rows[k]), end
        starts = np.argsort(-self.values[layer - 1][:, neuron])[:STARTS]
        x = self.data[starts].copy()
        waiting = np.ones(len(x), dtype=bool)
        for _ in range(STEPS):
            share.poll()
            values = self.floating.forward(x[waiting], layer)
            now = values[-1][:, neuron]
            hit = np.flatnonzero(waiting)[now > 0]
            yield from ((int(self.rows[starts[k]]), x[k].copy()) for k in hit.tolist())
            waiting[np.flatnonzero(waiting)[~(now <= 0)]] = False  # not a number: lost
            if len(hit) >= ENOUGH or not waiting.any():
                break
            slope = self.floating.gradient([z[now <= 0] for z in values], layer, neuron)
            steep = np.abs(slope).sum(axis=1)
            step = np.where(
                steep > 0, 1.1 * -now[now <= 0] / np.where(steep > 0, steep, 1), 0
            )  # the shortest: all inputs
            x[waiting] += np.sign(slope) * np.minimum(step, self.longest)[:, None]


@lru_cache(1 << 16)  # the sides of a box stand in many points
def _near(text: str) -> float:
    return nearest_float(Fraction(text))


def _confirmed(
    network: Network,
    points: Points,
    box: Polyhedron,
    layer: int,
    neuron: int,
    start: int,
    x: Array,
    end: Array,
    at: float,
) -> Near | None:
    for more in SLIGHTLY:
        place = x + (at + more) * (end - x)
        if not np.isfinite(place).all():
            return None
        point = tuple(Fraction(float(v)) for v in place)
        value = network.pre_activations(point, layer)[-1][neuron]
        if value > 0:
            own = points.exact(start)
            distance = max(abs(a - b) for a, b in zip(point, own, strict=True))
            return Near(layer, neuron, point, value, start, distance, box.contains(point))
    return None
