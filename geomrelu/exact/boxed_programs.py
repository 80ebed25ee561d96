"""Linear programs on a box that a few rows cut, in many dimensions: a corner that floats suggest and fractions prove.

Sides of a box are no rows here. HiGHS takes them as bounds, and where they are tight they fix a coordinate; so what is
left to solve exactly has as many unknowns as rows are tight, not as many as there are coordinates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cached_property
from math import ceil, frexp, isfinite
from operator import mul
from typing import Any, NamedTuple

import numpy as np

from geomrelu.exact.cddlib import Row
from geomrelu.exact.elimination import pivots, rank, solution
from geomrelu.exact.guided_programs import FREE, NEAR, USED, size_of, table_of
from geomrelu.exact.numbers import common, nearest_float

__all__ = ["Best", "BoxedPrograms", "Estimate", "pulled", "value_at"]

Ends = Sequence[Fraction | None]
PARTS = Fraction(1, 4), Fraction(1, 16), Fraction(1, 256), Fraction(1, 65536)  # of a width, away from the sides


class Best(NamedTuple):
    """The optimum: its value, a point where it is attained, and multipliers of rows and of equalities.

    With these the objective is at most this value on the box alone.
    """

    value: Fraction
    point: tuple[Fraction, ...]
    rows: dict[int, Fraction]
    equalities: dict[int, Fraction]


class Estimate(NamedTuple):
    """A bound of the objective, with multipliers that prove it on the box alone, and a point; either may be None."""

    bound: Fraction | None
    rows: dict[int, Fraction]
    equalities: dict[int, Fraction]
    point: tuple[Fraction, ...] | None


class BoxedPrograms:
    """All programs on one set ``{low <= x <= high, rows >= 0, equalities = 0}``; None is no end.

    Exact: what is returned is proved. None says nothing: there is no optimum, or floats have not found it.
    Cost: one program in floats, then O(n) products a row and elimination of about as many unknowns as tight rows.
    """

    def __init__(self, lower: Ends, upper: Ends, inequalities: Sequence[Row], equalities: Sequence[Row]) -> None:
        self.lower, self.upper = list(lower), list(upper)
        self.rows, self.split = [*inequalities, *equalities], len(inequalities)

    def of(self, lower: Ends, upper: Ends) -> BoxedPrograms:
        """The same rows on another box."""
        return BoxedPrograms(lower, upper, self.rows[: self.split], self.rows[self.split :])

    @cached_property
    def _box(self) -> tuple[np.ndarray, np.ndarray]:
        low = np.array([-np.inf if v is None else nearest_float(v) for v in self.lower])
        high = np.array([np.inf if v is None else nearest_float(v) for v in self.upper])
        return low, high

    @cached_property
    def _floats(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[Fraction]]:
        """As floats see it: where coordinates start, how long they are, and the rows over what is left, of size 1 (and
        how large they are).

        A coordinate with two sides is measured in its width from the lower one, any other in units from 0.
        """
        low, high = self._box
        both = np.isfinite(low) & np.isfinite(high) & (low < high)
        start, width = np.where(both, low, 0.0), np.where(both, high - low, 1.0)
        rows = table_of(self.rows) if self.rows else np.empty((0, len(low) + 1))
        table = np.column_stack([rows[:, 0] + rows[:, 1:] @ start, rows[:, 1:] * width])
        size = np.maximum(np.abs(table).max(axis=1, initial=0), 1e-300)
        sizes = [Fraction(v) * size_of(row) for v, row in zip(size.tolist(), self.rows, strict=True)]
        return start, width, table / size[:, None], sizes

    @cached_property
    def _sides(self) -> tuple[list[int], list[int], int]:
        """Both ends over one denominator; those that are missing are never asked for."""
        ends, over = common([v or Fraction(0) for v in (*self.lower, *self.upper)])
        return ends[: len(self.lower)], ends[len(self.lower) :], over

    def maximise(self, objective: Row) -> Best | None:
        """The largest value of ``objective``, a row ``(b, a1, ..., an)`` of integers."""
        return self._on_the_box(objective) or self._at_a_corner(objective)

    def _on_the_box(self, objective: Row) -> Best | None:
        """The largest value on the box, if the rows hold where it is attained; other coordinates are those inside."""
        if self.split < len(self.rows) or self.inside is None:
            return None
        sides = zip(objective[1:], self.lower, self.upper, self.inside, strict=True)
        point = [high if a > 0 else low if a else inner for a, low, high, inner in sides]
        ends = [v for v in point if v is not None]
        if len(ends) < len(point) or not self._holds(ends):
            return None
        return Best(value_at(objective, ends), tuple(ends), {}, {})

    def _solved(self, objective: Row) -> Any:
        """What HiGHS says, and by which factor its multipliers are too small."""
        from scipy.optimize import linprog  # start-up time

        start, width, table, _ = self._floats
        split, slope = self.split, table_of([objective])[0, 1:] * width
        size = max(np.abs(slope).max(initial=0), 1e-300)
        solved = linprog(
            -slope / size,
            A_ub=-table[:split, 1:],
            b_ub=table[:split, 0],
            A_eq=table[split:, 1:],
            b_eq=-table[split:, 0],
            bounds=np.stack([(side - start) / width for side in self._box], axis=1),
            method="highs-ds",
        )
        return solved, Fraction(size) * size_of(objective)

    def _at_a_corner(self, objective: Row) -> Best | None:
        """The optimum that floats suggest."""
        (solved, _), (start, width, table, _), split = self._solved(objective), self._floats, self.split
        if solved.status != 0:
            return None
        found = self._dual(objective, solved)
        if found is None:
            return None
        factors, total, scale = found
        must = [k for k, m in factors.items() if m or k >= split]
        slack = table[:split, 0] + table[:split, 1:] @ solved.x
        near = [k for k in np.argsort(slack).tolist() if slack[k] <= NEAR and k not in set(must)]
        for tight in ([*must, *near], must) if near else (must,):
            best = self._corner(objective, total, scale, tight, start + width * solved.x)
            if best is not None:
                value, point = best
                own = {k: m for k, m in factors.items() if m and k < split}
                return Best(value, point, own, {k - split: m for k, m in factors.items() if m and k >= split})
        return None

    def estimate(self, objective: Row) -> Estimate:
        """About the optimum, where its corner is not found: a bound, and a point of the set."""
        (solved, factor), (start, width, _, sizes), split = self._solved(objective), self._floats, self.split
        if solved.status != 0:
            return Estimate(None, {}, {}, None)
        marginals = np.concatenate([np.minimum(solved.ineqlin.marginals, 0), solved.eqlin.marginals]).tolist()
        used = {k: -Fraction(m) * factor / size for k, (m, size) in enumerate(zip(marginals, sizes, strict=True)) if m}
        numerators, scale = common(used.values())
        total = [scale * v for v in objective]
        for k, m in zip(used, numerators, strict=True):
            total = [t + m * v for t, v in zip(total, self.rows[k], strict=True)]
        bound: Fraction | None = Fraction(total[0], scale)
        for t, low, high in zip(total[1:], self.lower, self.upper, strict=True):
            end = high if t > 0 else low
            if t and bound is not None:
                bound = None if end is None else bound + Fraction(t, scale) * end
        own, flats = ({k: m for k, m in used.items() if (k < split) is first} for first in (True, False))
        point = self._pulled((start + width * solved.x).tolist())
        return Estimate(bound, own, {k - split: m for k, m in flats.items()}, point)

    def _pulled(self, floats: Sequence[float]) -> tuple[Fraction, ...] | None:
        """A point near by: the first one (about) on the way to that inside; there may be equalities, then None."""
        if self.inside is None or self.split < len(self.rows):
            return None
        point = list(map(Fraction, floats))
        for j, (low, high) in enumerate(zip(self.lower, self.upper, strict=True)):
            point[j] = point[j] if low is None else max(point[j], low)
            point[j] = point[j] if high is None else min(point[j], high)
        return pulled(point, self.inside, self.rows)

    def _dual(self, objective: Row, solved: Any) -> tuple[dict[int, Fraction], list[int], int] | None:
        """Multipliers, and the objective with the rows added so many times, over a denominator.

        Its coefficients vanish where floats say that no side is tight.
        """
        low, high = self._box
        held = (solved.lower.marginals > USED) | (solved.upper.marginals < -USED) | (low == high)
        free = np.flatnonzero(~held).tolist()
        used = np.flatnonzero(solved.ineqlin.marginals < -USED).tolist() + list(range(self.split, len(self.rows)))
        values: list[Fraction] | None = [Fraction(0)] * len(used)
        if used and free:
            values = solution([[self.rows[k][j + 1] for k in used] for j in free], [-objective[j + 1] for j in free])
        if values is None or any(m < 0 for k, m in zip(used, values, strict=True) if k < self.split):
            return None
        numerators, scale = common(values)
        total = [scale * v for v in objective]
        for k, m in zip(used, numerators, strict=True):
            if m:
                total = [t + m * v for t, v in zip(total, self.rows[k], strict=True)]
        return dict(zip(used, values, strict=True)), total, scale

    def _corner(
        self, objective: Row, total: Sequence[int], scale: int, tight: Sequence[int], at: np.ndarray
    ) -> tuple[Fraction, tuple[Fraction, ...]] | None:
        """The maximum of ``total`` on the box, and a point of the set where the objective is as large."""
        least, most, over = self._sides
        low, high = self._box
        value, point, inner, outer = total[0] * over, list[Fraction](), list[int](), list[int]()
        for j, t in enumerate(total[1:]):
            if t:
                end = (self.upper if t > 0 else self.lower)[j]
                if end is None:
                    return None
                value += t * (most if t > 0 else least)[j]
                point.append(end)
                continue
            size = high[j] - low[j] if isfinite(high[j] - low[j]) else max(1.0, abs(at[j]))
            sides = (self.lower[j], low[j]), (self.upper[j], high[j])
            ends = [end for end, side in sides if abs(at[j] - side) <= NEAR * size]
            unit = Fraction(2) ** (frexp(size)[1] - FREE)
            point.append(next((end for end in ends if end is not None), unit * round(Fraction(at[j]) / unit)))
            (outer if ends else inner).append(j)
        columns = inner + outer  # those at a side are moved if there is no other way
        self._move(point, columns, tight)
        best = Fraction(value, scale * over)
        return (best, tuple(point)) if self._holds(point, [(objective, best)]) else None

    def _move(self, point: list[Fraction], columns: Sequence[int], tight: Iterable[int]) -> None:
        """Move some coordinates so that rows are 0, as many of the first ones as can be."""
        some = {k: [self.rows[k][j + 1] for j in columns] for k in tight}
        if not columns or not some:
            return
        order = list(some)
        kept = [order[i] for i in pivots(list(zip(*some.values(), strict=True)))]
        if not kept:
            return
        numerators, d = common(point)
        values = [-Fraction(sum(map(mul, self.rows[k], (d, *numerators))), d) for k in kept]
        step = solution([some[k] for k in kept], values)
        for j, v in zip(columns, step or (), strict=False):
            point[j] += v

    def _holds(self, point: Sequence[Fraction], wanted: Iterable[tuple[Row, Fraction]] = ()) -> bool:
        """Does a point lie in the set, and have rows the values there?"""
        for v, low, high in zip(point, self.lower, self.upper, strict=True):
            if (low is not None and v < low) or (high is not None and v > high):
                return False
        numerators, d = common(point)
        whole = [d, *numerators]
        values = [sum(map(mul, row, whole)) for row in self.rows]
        if any(v < 0 for v in values[: self.split]) or any(values[self.split :]):
            return False
        return all(Fraction(sum(map(mul, row, whole)), d) == value for row, value in wanted)

    @cached_property
    def inside(self) -> tuple[Fraction, ...] | None:
        """A point at which no inequality is 0, nor a side but of what has no width; None: not found.

        Method: the middle of the box, or where the smallest inequality is largest, away from the sides at first by a
        quarter of the width, then by less.
        """
        ends = list(zip(self.lower, self.upper, strict=True))
        middle = [_between(low, high, Fraction(1, 2)) for low, high in ends]
        if self._holds(middle) and all(value_at(row, middle) for row in self.rows[: self.split]):
            return tuple(middle)
        for part in PARTS:
            lower = [None if low is None else _between(low, high, part) for low, high in ends]
            upper = [None if high is None else _between(low, high, 1 - part) for low, high in ends]
            found = self.of(lower, upper).deepest()
            if found is not None and found.value > 0:
                return found.point[:-1]
        return None

    def is_bounded(self) -> bool | None:
        """Has the set, if it is not empty, no direction in which it recedes? None: not known.

        Method: rank in the coordinates without sides; then how much rows and sides can grow along a direction along
        which none of them falls.
        """
        free = [j for j, ends in enumerate(zip(self.lower, self.upper, strict=True)) if ends == (None, None)]
        if free and rank([[row[j + 1] for j in free] for row in self.rows]) < len(free):
            return False
        best = self._along(self._all)
        return None if best is None else best.value == 0

    @cached_property
    def _all(self) -> list[int]:
        """The sum of all inequalities, sides too, without constants."""
        rows, sides = self.rows[: self.split], zip(self.lower, self.upper, strict=True)
        columns = [sum(row[j + 1] for row in rows) for j in range(len(self.lower))]
        return [0, *(v + (low is not None) - (high is not None) for v, (low, high) in zip(columns, sides, strict=True))]

    def receding(self) -> tuple[Fraction, ...] | None:
        """A direction in which the set recedes and some inequality or side grows; None: none, or not found."""
        return self.growing(self._all)

    def growing(self, objective: Sequence[int]) -> tuple[Fraction, ...] | None:
        """A direction in which the set recedes and a form grows; None: there is none, or floats have not found it."""
        best = self._along([0, *objective[1:]])
        return best.point if best is not None and best.value > 0 else None

    def _along(self, growth: Sequence[int]) -> Best | None:
        """How much a form grows along a direction in which the set recedes: 0, or its largest coefficient."""
        most = max(map(abs, growth))
        cone = BoxedPrograms(
            [None if v is None else Fraction(0) for v in self.lower],
            [None if v is None else Fraction(0) for v in self.upper],
            [*((0, *row[1:]) for row in self.rows[: self.split]), (most, *(-v for v in growth[1:]))],
            [(0, *row[1:]) for row in self.rows[self.split :]],
        )
        return cone._at_a_corner(tuple(growth))

    def is_empty(self) -> bool | None:
        """Is the set empty? None: not known."""
        if self.inside is not None:
            return False
        found = self.deepest()
        if found is None and self.split < len(self.rows):  # the equalities may contradict the box
            opposite = [tuple(-v for v in row) for row in self.rows[self.split :]]
            found = BoxedPrograms(self.lower, self.upper, [*self.rows, *opposite], []).deepest()
            return True if found is not None and found.value < 0 else None
        return None if found is None else found.value < 0

    def deepest(self) -> Best | None:
        """Where in the box the smallest inequality is largest, up to 1 and as a part of what it varies.

        The value is < 0 if the set is empty; it is the last coordinate of the point as well.
        """
        ends = zip(self.lower, self.upper, strict=True)
        widths = [1 if low is None or high is None else high - low for low, high in ends]
        sizes = [max(1, ceil(sum(map(mul, map(abs, row[1:]), widths)))) for row in self.rows[: self.split]]
        inequalities = [(*row, -size) for row, size in zip(self.rows, sizes, strict=False)]
        equalities = [(*row, 0) for row in self.rows[self.split :]]
        wider = BoxedPrograms([*self.lower, None], [*self.upper, Fraction(1)], inequalities, equalities)
        return wider._at_a_corner((0,) * (len(self.lower) + 1) + (1,))


def _between(low: Fraction | None, high: Fraction | None, part: Fraction) -> Fraction:
    """So far from the low end to the high one, or by as much as in an interval of length 1 where one is missing."""
    if low is None and high is None:
        return part - Fraction(1, 2)
    if low is None or high is None:
        return low + part if low is not None else (high or 0) - 1 + part
    return low + part * (high - low)


def value_at(row: Sequence[Fraction | int], point: Sequence[Fraction]) -> Fraction:
    """The value of a row ``(b, a1, ..., an)`` at a point."""
    return Fraction(row[0]) + sum((a * x for a, x in zip(row[1:], point, strict=True) if a), Fraction(0))


def pulled(point: Sequence[Fraction], centre: Sequence[Fraction], rows: Iterable[Row]) -> tuple[Fraction, ...]:
    """The first point on the way to a centre (about) at which no row is < 0, as none is at the centre."""
    part = Fraction(0)
    for row in rows:
        value, middle = value_at(row, point), value_at(row, centre)
        if value < 0 and middle > value:
            part = max(part, -value / (middle - value))
    if part:
        part = min(Fraction(1), Fraction(int(part * (1 << 40)) + 1, 1 << 40))
    return tuple(x + part * (c - x) for x, c in zip(point, centre, strict=True))
