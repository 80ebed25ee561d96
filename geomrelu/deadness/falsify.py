"""Points of a box or an ellipsoid where a neuron is positive, sought in floating point.

Nothing here decides: a point found here is confirmed by the exact forward pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from geomrelu.budget import Budget
from geomrelu.deadness.relaxation import BATCH, FloatNetwork, clipped
from geomrelu.geometry.ellipsoid import Floats

__all__ = ["candidates", "searched"]

Array = np.ndarray


def candidates(
    floating: FloatNetwork,
    level: int,
    neurons: Sequence[int],
    budget: Budget,
    starts: int = 64,
    rounds: int = 40,
    seed: int = 0,
) -> Iterator[tuple[int, Array]]:
    """Points where, in floating point, a neuron is positive: ``(neuron, point)``, at most one a neuron.

    Of an ellipsoid {c + L u}, u is given.

    Raises:
        Exhausted: the budget has ended.

    Method: random points and random corners for all neurons at once (a point serves as many as it can), then
    projected gradient ascent (``rounds`` steps) from the ``starts`` best of them for each neuron that is left.
    """
    random = np.random.default_rng(seed)
    where = searched(floating)
    waiting = list(neurons)
    size = max(floating.network.widths[:level]) + len(floating.lower)
    count = int(np.clip(BATCH // size, 16, 64 * starts))
    points = where.random(random, count)
    reached = floating.forward(where.inputs(points), level)[-1]
    while waiting:
        hits = reached[:, waiting] > 0
        best = int(np.argmax(hits.sum(axis=1)))
        if not hits[best].any():
            break
        point = points[best]
        for i, hit in zip(list(waiting), hits[best], strict=True):
            if hit:
                yield i, point
                waiting.remove(i)
    weights = sum(len(layer.data) for layer in floating.network.layers[:level])
    starts = int(np.clip(BATCH // weights, 4, starts))
    for i in waiting if rounds else ():
        budget.spend(0)
        climbing = points[np.argsort(-reached[:, i])[:starts]]
        step = 0.25
        for _ in range(rounds):
            budget.poll()
            z = floating.forward(where.inputs(climbing), level)
            if z[-1][:, i].max() > 0:
                yield i, climbing[int(np.argmax(z[-1][:, i]))]
                break
            slope = floating.gradient(z, level, i)
            climbing = where.moved(climbing, slope, step * random.random(climbing.shape))
            step = step * 0.001 ** (1 / rounds)  # from a quarter of the box down to 1/4000 of it


def searched(floating: FloatNetwork) -> _Box | _Ball:
    """Where points are sought."""
    return _Box(floating.lower, floating.upper) if floating.ball is None else _Ball(floating.ball)


class _Box(NamedTuple):
    lower: Array
    upper: Array

    def random(self, random: np.random.Generator, count: int) -> Array:
        share = random.random((count, len(self.lower)))
        share[::2] = share[::2] > 0.5
        share[0] = 0.5
        return self.lower + share * (self.upper - self.lower)

    def inputs(self, points: Array) -> Array:
        return points

    def exact(self, point: Array, domain: Any) -> tuple[Fraction, ...] | None:
        """The exact point of the domain next to it."""
        return clipped(point, domain)

    def moved(self, points: Array, slope: Array, step: Array) -> Array:
        return np.clip(points + step * (self.upper - self.lower) * np.sign(slope), self.lower, self.upper)


class _Ball(NamedTuple):
    """Points are the u of an ellipsoid."""

    ball: Floats

    def random(self, random: np.random.Generator, count: int) -> Array:
        """Every other one on the edge, the first at the center."""
        u = random.standard_normal((count, self.ball.width))
        u *= self.ball.radius / (np.sqrt(np.square(u).sum(axis=1, keepdims=True)) + 1e-300)
        u[1::2] *= random.random((len(u[1::2]), 1))
        u[0] = 0
        return self.ball.inward(u)

    def inputs(self, points: Array) -> Array:
        return self.ball.points(points)

    def exact(self, point: Array, domain: Any) -> tuple[Fraction, ...] | None:
        u = domain.inside(point.tolist())
        return None if u is None else domain.at(u)

    def moved(self, points: Array, slope: Array, step: Array) -> Array:
        return self.ball.inward(points + 4 * step.mean(axis=1, keepdims=True) * self.ball.farthest(slope))
