"""How a tree grows where the domain has rows: parts outside are closed or cut off, and rows help in leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from geomrelu.certificates.batch import derived
from geomrelu.deadness.proof_tree import Node, Part, Split
from geomrelu.deadness.relaxation import Boxes, Lines
from geomrelu.deadness.row_multipliers import TINY, Rows
from geomrelu.native.boxes import NEURON, Explored

__all__ = ["OnRows"]

Array = np.ndarray
TRIALS = 100  # parts whose slopes are improved, before those are left out whose bounds seem too large for that
STEPS = 12  # on the slopes of a part with rows


class OnRows:
    """The rows of the domain, for one growth of one tree (a ``Growth``, which has one of these)."""

    def __init__(self, growth: Any, rows: Rows) -> None:
        self.growth, self.rows = growth, rows
        low, high = (side[0] for side in growth.floating.whole(1).bounds[0])
        sizes = high - low + abs(low) + abs(high)
        self.neuron = int(np.argmax(sizes))  # of layer 1: outside it would be below its least value
        self.size = 4 * float(sizes[self.neuron])
        self.tried, self.closable = 0, 0.0  # parts with rows, and the largest bound that better slopes made negative

    def moved_in(self, points: Array) -> Array:
        """Points in floats, moved into the domain."""
        return self.rows.inside.moved_in(points)

    # ---- before a part is bounded -----------------------------------------------------------------------------

    def given(self, parts: list[Part]) -> list[Part]:
        """Those of the parts whose leaf is not known; the others become these."""
        for part in parts:
            if part.leaf is not None:
                self.growth._leaf(part, part.leaf)
                self.growth.lost |= part.stubborn  # the judge has refused it
        return [part for part in parts if part.leaf is None]

    def narrowed(self, parts: list[Part]) -> list[Part]:
        """Those of the parts that are to be bounded now; the others become leaves, or are cut."""
        fresh = [part for part in parts if part.base is None or part.stubborn]
        others = [part for part in parts if not (part.base is None or part.stubborn)]
        if not others:
            return fresh
        lower, upper = np.array([part.lower for part in others]), np.array([part.upper for part in others])
        row, highest = self.rows.outside(lower, upper)
        gain, index, place = self.rows.cut(lower, upper)
        for k, part in enumerate(others):
            if highest[k] < -TINY:
                self.growth._leaf(part, self._no_points([(int(row[k]), 1.0)], float(highest[k])))
                self.growth.boxes += 1
            elif gain[k]:
                self.growth.cut(part, Split(0, int(index[k]), float(place[k])), part.base, part.age)
            else:
                fresh.append(part)
        return fresh

    def _no_points(self, factors: list[tuple[int, float]], highest: float) -> Node:
        """The leaf of a part on which rows with these factors are at most ``highest`` < 0, so that there are none."""
        grow = Fraction(self.size / -highest)
        said = self.rows.inside.multipliers((k, Fraction(f) * grow) for k, f in factors if f)
        return {"derive": [[1, self.neuron, "upper", said]]}

    # ---- where bounds on the box are not enough ---------------------------------------------------------------

    def visited(self, parts: list[Part], boxes: Boxes, rows: Array, derives: bool) -> Array:
        """Which parts (boxes,), of some of them that the default slopes leave open, have become leaves or were split:
        those in which a row of the domain is negative somewhere."""
        done = np.zeros(len(parts), dtype=bool)
        rows = rows[self.rows.crossing(boxes.lower[rows], boxes.upper[rows])]
        if not len(rows):
            return done
        some, boxes = [parts[k] for k in rows], boxes.take(rows)
        below = [line.below for line in boxes.lines]
        left = np.flatnonzero(~self.closed(some, boxes, below, None, False))
        if self.growth.point is None:
            done[rows] = True
            if len(left):
                self.growth._split([some[k] for k in left], boxes.take(left), [b[left] for b in below], None, derives)
        else:
            done[rows] = [k not in left for k in range(len(rows))]
        return done

    def left_after(
        self, parts: list[Part], lower: Array, upper: Array, found: Explored
    ) -> tuple[list[Part], Array, Array, Explored]:
        """What the compiled kernel has found, without the parts that it would split and that have become leaves."""
        done, slices = np.zeros(len(parts), dtype=bool), self.growth.slices
        some = np.flatnonzero(found.kind >= NEURON)
        bounds = [(found.low[some][:, where], found.high[some][:, where]) for where in slices]
        boxes = Boxes(lower[some], upper[some], [Lines.of(*pair) for pair in bounds], bounds)
        below = [
            np.where(line.unknown, found.slopes[some][:, where] / 16.0, line.below)
            for line, where in zip(boxes.lines, slices, strict=True)
        ]
        added = [found.added[some][:, where] for where in slices] if found.added[some].any() else None
        done[some] = self.closed([parts[k] for k in some], boxes, below, added, True)
        still = np.flatnonzero(~done)
        return [parts[k] for k in still], lower[still], upper[still], Explored(*(column[still] for column in found))

    def closed(
        self, parts: list[Part], boxes: Boxes, below: list[Array], added: list[Array] | None, plain: bool
    ) -> Array:
        """Which parts (boxes,) have become leaves with multipliers of rows.

        Args:
            below, added: slopes and multipliers of signs to start from. plain: are slopes to be said that are those by
                default?
        """
        found = np.zeros(len(parts), dtype=bool)
        stubborn = np.array([part.stubborn for part in parts])
        some = np.flatnonzero(self.rows.crossing(boxes.lower, boxes.upper) & ~stubborn)
        if not len(some):
            return found
        growth = self.growth
        boxes = Boxes(boxes.lower, boxes.upper, boxes.lines, boxes.bounds).take(some)
        below, added = [b[some] for b in below], None if added is None else [a[some] for a in added]
        parts = [parts[k] for k in some]
        bound, leaves = self._leaves(parts, boxes, below, added, plain, False)
        found[some] = [leaf is not None for leaf in leaves]
        seems = np.full(len(some), True) if self.tried < TRIALS else bound <= 2 * self.closable
        left = np.flatnonzero(~found[some] & seems)
        growth.worst = float(bound.max())
        if not len(left) or growth.point is not None:
            return found
        some, bound, boxes, parts = some[left], bound[left], boxes.take(left), [parts[k] for k in left]
        phases = growth.earlier.phases(parts)
        how = STEPS, phases, growth.enough, growth.budget, self.rows, [b[left] for b in below]
        _, below, added, _ = growth.floating.improved(boxes, growth.level, growth.neuron, *how)
        after, leaves = self._leaves(parts, boxes, below, added, plain, True)
        growth.worst = float(after.max())
        found[some] = [leaf is not None for leaf in leaves]
        self.tried += len(parts)
        self.closable = max(self.closable, bound[found[some]].max(initial=0.0))
        return found

    def _leaves(
        self, parts: list[Part], boxes: Boxes, below: list[Array], added: list[Array] | None, plain: bool, last: bool
    ) -> tuple[Array, list[Node | None]]:
        """The bounds (boxes,) with these slopes, and the leaves of parts that they settle; also by linear programs, if
        it is the ``last`` try."""
        growth, found = self.growth, list[Node | None]()
        form = growth.floating.backward(boxes, growth.level, growth.target, 1, below, added)
        slope, constant = form.slope[:, 0], form.constant[:, 0]
        bound, factors, points = self.rows.dual(slope, constant, boxes.lower, boxes.upper)
        points = self.rows.inside.moved_in(points)
        growth._look(points)
        inside = np.all((points >= boxes.lower) & (points <= boxes.upper), axis=1)
        hopeful = ~inside | (constant + (slope * points).sum(axis=1) < -bound)
        for k, part in enumerate(parts):
            leaf, with_factors = None, partial(self._leaf, part, boxes, k, below, added, plain)
            if bound[k] <= growth.enough:
                leaf = with_factors(factors[k])
            elif last and hopeful[k]:
                leaf = self._by_program(boxes, k, slope[k], float(constant[k]), with_factors)
            if leaf is not None:
                growth._leaf(part, leaf)
            found.append(leaf)
        return bound, found

    def _by_program(
        self, boxes: Boxes, k: int, slope: Array, constant: float, with_factors: Callable[[Array], Node]
    ) -> Node | None:
        """A leaf by the linear program of a part, where several rows are in it."""
        growth = self.growth
        best = self.rows.optimum(slope, constant, boxes.lower[k], boxes.upper[k])
        if best is None:
            return None
        if best.point is not None:
            growth._look(best.point[None])
        if best.bound == -np.inf:
            highest = self.rows.highest(best.factors, boxes.lower[k], boxes.upper[k])
            return self._no_points(list(enumerate(best.factors.tolist())), highest) if highest < -TINY else None
        if best.bound <= growth.enough or (best.bound <= 1e-9 * growth.scale):
            return with_factors(best.factors)
        return None

    def _leaf(
        self,
        part: Part,
        boxes: Boxes,
        k: int,
        below: list[Array],
        added: list[Array] | None,
        plain: bool,
        factors: Array,
    ) -> Node:
        growth = self.growth
        leaf: dict[str, Any] = growth._exact_leaf(part, boxes, k, below, added, plain)
        pairs: Iterator[tuple[int, Fraction]] = ((r, Fraction(f)) for r, f in enumerate(factors.tolist()) if f)
        leaf |= self.rows.inside.multipliers(pairs)
        return leaf | (derived(growth.level) if growth._derives(part) else {})
