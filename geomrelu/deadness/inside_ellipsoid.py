"""An ellipsoid as a search sees it: as :class:`geomrelu.deadness.inside.Inside`, with norms in the place of rows."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from geomrelu.exact.numbers import common, nearest
from geomrelu.geometry.ellipsoid import Ellipsoid

__all__ = ["InsideEllipsoid"]

Array = np.ndarray


class InsideEllipsoid:
    """An ellipsoid, the box around it, and points that lie exactly inside.

    Attributes:
        ball: the ellipsoid in floats. lower, upper, low, high, root, missing, vertices, has_rows, centre: as there.
    """

    def __init__(self, domain: Ellipsoid) -> None:
        self.domain, self.n, self.ball = domain, domain.dimension, domain.floats
        self.lower = [Fraction(v or 0) for v in domain.checked.lower]
        self.upper = [Fraction(v or 0) for v in domain.checked.upper]
        self.low, self.high = nearest(*common(self.lower)), nearest(*common(self.upper))
        self.root = self.low, self.high
        self.missing: list[tuple[int, int, float]] = []
        self.vertices: Array | None = None
        self.has_rows = False

    @property
    def centre(self) -> tuple[Fraction, ...]:
        return self.domain.at([0] * self.ball.width)

    def exact(self, point: Iterable[Any]) -> tuple[Fraction, ...] | None:
        """An exact point of the set near a point in floats (or exact already, and of it)."""
        point = list(point)
        if all(isinstance(x, Fraction) for x in point):
            return tuple(point) if self.domain.preimage(point) is not None else None
        if not all(np.isfinite(float(x)) for x in point):
            return None
        u = self.domain.inside(self.ball.preimage(np.array(point, dtype=float)[None, :])[0].tolist())
        return None if u is None else self.domain.at(u)

    def stepped(self, points: Array, slopes: Array, shares: Array) -> Array:
        """Points (count, n) moved uphill, by shares of twice the diameter at most, and back to the set."""
        u = self.ball.preimage(points) + 4 * shares.mean(axis=1, keepdims=True) * self.ball.farthest(slopes)
        return self.ball.points(self.ball.inward(u))

    def sampled(self, random: Any, count: int) -> Array:
        """Points (count, n), every other one on the edge, the first at the center."""
        u = random.standard_normal((count, self.ball.width))
        u *= self.ball.radius / (np.sqrt(np.square(u).sum(axis=1, keepdims=True)) + 1e-300)
        u[1::2] *= random.random((len(u[1::2]), 1))
        u[0] = 0
        return self.ball.points(self.ball.inward(u))
