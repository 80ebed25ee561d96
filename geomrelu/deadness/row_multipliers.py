"""Rows of a domain in proofs about parts of the box around it, in floats.

A form is at most m (b + a.x) + form wherever b + a.x >= 0, for any m >= 0: so each part of the box gets the multipliers
that make the maximum over its box least, which is the dual of the linear program over the part of the domain in it. A
part without points of the domain is cut off: by a row that is negative on all of it, or by a combination.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import frexp
from typing import Any, NamedTuple

import numpy as np

from geomrelu.deadness.inside import Inside
from geomrelu.exact import linear_programs
from geomrelu.exact.numbers import nearest_float

__all__ = ["Cut", "Optimum", "Rows"]

Array = np.ndarray
SWEEPS = 3  # over the rows, one multiplier after the other
MOST = 1 << 23  # boxes, rows and inputs that are looked at at once
BITS = 40  # of a number in a linear program
EXACT = 12  # with more inputs, the linear program of a part is in floats
TINY = 1e-9  # rows vary by about 1 on the whole box
WORTH = 0.2  # what part of a side must go for a cut to be worth it


class Cut(NamedTuple):
    """Where boxes are cut, so that no point of the domain is on one side: arrays (boxes,); gain 0: nowhere."""

    gain: Array
    at: Array
    place: Array


class Optimum(NamedTuple):
    """The largest value of a form on a part of the domain, the multipliers that prove it, and where it is attained.

    ``bound`` -inf: there are no points, and with these multipliers the rows add up to a negative form.
    """

    bound: float
    factors: Array
    point: Array | None


class Rows:
    """The rows of a domain."""

    def __init__(self, inside: Inside) -> None:
        self.inside, self.rows, self.own = inside, inside.rows, inside.own
        self.slopes, self.constants = self.rows[:, 1:], self.rows[:, 0]

    def ranges(self, lower: Array, upper: Array) -> tuple[Array, Array]:
        """The least and the largest value (boxes, rows) on boxes."""
        middle, radius = (lower + upper) / 2, (upper - lower) / 2
        centre, spread = self.constants + middle @ self.slopes.T, radius @ abs(self.slopes).T
        return centre - spread, centre + spread

    def crossing(self, lower: Array, upper: Array) -> Array:
        """On which boxes (boxes,) is a row of the domain negative somewhere?"""
        found: Array = np.any(self.ranges(lower, upper)[0][:, : self.own] < 0, axis=1)
        return found

    def outside(self, lower: Array, upper: Array) -> tuple[Array, Array]:
        """Of each box a row, and its largest value there: below 0 if no point of the domain is in the box."""
        highest = self.ranges(lower, upper)[1]
        worst = np.argmin(highest, axis=1)
        return worst, highest[np.arange(len(worst)), worst]

    def cut(self, lower: Array, upper: Array) -> Cut:
        """Where a row cuts off most of a side of each box."""
        count, n = lower.shape
        if count > 1 and count * len(self.rows) * n > MOST:  # in parts, for the sake of memory
            half = count // 2
            parts = self.cut(lower[:half], upper[:half]), self.cut(lower[half:], upper[half:])
            return Cut(*map(np.concatenate, zip(*parts, strict=True)))
        highest, width = self.ranges(lower, upper)[1], upper - lower
        with np.errstate(all="ignore"):
            kept = highest[:, :, None] / (
                abs(self.slopes)[None] * width[:, None, :]
            )  # of the side, the part that stays
        kept = np.where((self.slopes[None] != 0) & (width[:, None, :] > 0), kept, 1.0).reshape(count, -1)
        best = np.argmin(kept, axis=1)
        every = np.arange(count)
        part, row, index = np.clip(kept[every, best] + 1 / 64, 1 / 64, 1), best // n, best % n
        rising = self.slopes[row, index] > 0
        low, high = lower[every, index], upper[every, index]
        grid = np.exp2(np.floor(np.log2(np.maximum(high - low, 1e-300) / 256)))
        place = np.where(rising, high - part * (high - low), low + part * (high - low))
        place = np.round(place / grid) * grid
        inner = (place > low) & (place < high) & (part < 1 - WORTH)
        return Cut(np.where(inner, 1 - part, 0.0), index, place)

    def dual(
        self, slope: Array, constant: Array, lower: Array, upper: Array, start: Array | None = None
    ) -> tuple[Array, Array, Array]:
        """Bounds (boxes,) of forms, multipliers (boxes, own rows) that give them, and points that nearly attain them.

        ``start``: multipliers to begin with, of a form that was nearly the same. Method: one multiplier after the other
        is put where the bound is least, which is where a coefficient becomes 0; with a single row that is the optimum.
        """
        count = len(slope)
        if count > 1 and count * self.own * lower.shape[1] > MOST:
            parts = []
            for a, b in pairwise((0, count // 2, count)):
                begin = None if start is None else start[a:b]
                parts.append(self.dual(slope[a:b], constant[a:b], lower[a:b], upper[a:b], begin))
            bounds, factors, points = map(np.concatenate, zip(*parts, strict=True))
            return bounds, factors, points
        middle, radius = (lower + upper) / 2, (upper - lower) / 2
        slopes, constants = self.slopes[: self.own], self.constants[: self.own]
        least, most = (r[:, : self.own] for r in self.ranges(lower, upper))
        used = np.flatnonzero((least < 0).any(axis=0)).tolist()
        factors, every = np.zeros((count, self.own)) if start is None else start.copy(), np.arange(count)
        slope = slope + factors @ slopes
        most = np.maximum(most, 0)
        spread = 2 * abs(slopes)[None] * radius[:, None, :]
        free: dict[int, Array] = {}
        for _ in range(SWEEPS if len(used) > 1 and start is None else 1):
            for k in used:
                a = slopes[k]
                turns = factors[:, k : k + 1] - slope / np.where(a == 0, 1e-300, a)  # where a coefficient becomes 0
                order = np.argsort(np.where(a == 0, np.inf, -turns), axis=1)
                lost = np.cumsum(spread[every[:, None], k, order], axis=1)
                # beyond the first coefficients that together outweigh the row's largest value it pays to have less
                outweigh = lost > most[:, k : k + 1]
                free[k] = order[every, outweigh.argmax(axis=1)]
                best = np.where(outweigh[:, -1], np.maximum(turns[every, free[k]], 0), 0)
                slope += (best - factors[:, k])[:, None] * a
                factors[:, k] = best
        bound = constant + factors @ constants + (slope * middle).sum(axis=1) + (abs(slope) * radius).sum(axis=1)
        points = np.where(slope > 0, upper, lower)
        for k in used:
            j, a = free[k], slopes[k]
            new = points[every, j] - (constants[k] + points @ a) / np.where(a[j] == 0, np.inf, a[j])
            new = np.clip(new, lower[every, j], upper[every, j])
            points[every, j] = np.where(factors[:, k] > 0, new, points[every, j])
        return bound, factors, points

    def optimum(self, slope: Array, constant: float, lower: Array, upper: Array) -> Optimum | None:
        """The linear program of one part; None if it was too hard."""
        used = np.flatnonzero(self.ranges(lower[None], upper[None])[0][0, : self.own] < 0)
        if not (used.size and np.isfinite(slope).all() and np.isfinite(constant)):
            return None
        if self.inside.n > EXACT:
            return self._in_floats(slope, constant, lower, upper, used)
        return self._exactly(slope, constant, lower, upper, used)

    def _exactly(self, slope: Array, constant: float, lower: Array, upper: Array, used: Array) -> Optimum | None:
        n = self.inside.n

        def whole(row: Sequence[float]) -> tuple[tuple[int, ...], float]:
            """In short integers, and by how much they are larger; sides are short already."""
            scale = 2.0 ** min(1000, BITS - frexp(max(map(abs, row)))[1])
            return tuple(round(v * scale) for v in row), scale

        rows = [whole(self.rows[k].tolist()) for k in used]
        sides = []
        for j in range(n):
            for side, sign in ((lower[j], 1), (upper[j], -1)):
                numerator, denominator = float(side).as_integer_ratio()
                row = [0] * (n + 1)
                row[0], row[j + 1] = -sign * numerator, sign * denominator
                sides.append(tuple(row))
        objective, scale = whole([constant, *slope.tolist()])
        table = [*(row for row, _ in rows), *sides]
        best = linear_programs.maximise(objective, table)
        if best.value is None:
            slack = linear_programs.maximise((0,) * (n + 1) + (1,), [*((*r, -1) for r in table), (1, *[0] * n, -1)])
            if slack.multipliers is None or slack.value is None or slack.value >= 0:
                return None
            best, scale = slack, 0.0
        factors = np.zeros(self.own)
        for i, m in (best.multipliers or ({}, {}))[0].items():
            if i < len(used):
                factors[used[i]] = nearest_float(m) * rows[i][1] / (scale or 1)
        if not scale or best.point is None:
            return Optimum(-np.inf, factors, None)
        bound = self.highest(factors, lower, upper, slope, constant)
        return Optimum(bound, factors, np.array([nearest_float(x) for x in best.point]))

    def _in_floats(self, slope: Array, constant: float, lower: Array, upper: Array, used: Array) -> Optimum | None:
        from scipy.optimize import linprog  # start-up time

        slopes, constants = self.slopes[used], self.constants[used]
        ends = np.stack([lower, upper], axis=1)
        found = linprog(-slope, A_ub=-slopes, b_ub=constants, bounds=ends)
        factors = np.zeros(self.own)
        if found.status == 0:
            factors[used] = np.maximum(-found.ineqlin.marginals, 0)
            return Optimum(constant - float(found.fun), factors, found.x)
        if found.status != 2:
            return None
        more = np.hstack([-slopes, np.ones((len(used), 1))])
        found = linprog([*[0.0] * len(slope), -1.0], A_ub=more, b_ub=constants, bounds=[*ends.tolist(), (None, 1)])
        if found.status or -found.fun >= -TINY:
            return None
        factors[used] = np.maximum(-found.ineqlin.marginals, 0)
        return Optimum(-np.inf, factors, None)

    def highest(self, factors: Array, lower: Array, upper: Array, slope: Any = 0.0, constant: float = 0.0) -> float:
        """The largest value on a box of the domain's own rows with these factors, added to a form."""
        slope, constant = slope + factors @ self.slopes[: self.own], constant + factors @ self.constants[: self.own]
        return float(constant + (slope * (lower + upper) + abs(slope) * (upper - lower)).sum() / 2)
