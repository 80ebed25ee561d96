r"""Bounds of whole layers on the box, in floats with a proven error: what they say of a bound of the judge is true.

The judge bounds one neuron after the other in exact arithmetic: in a large convolutional layer that takes minutes.
Here all neurons of a layer go back together, and beside each number stands by how much it may differ from the judge's:
a neuron is called negative only if *the judge's own bound* is negative, whatever the roundings were. So its proof is
accepted, and nobody has to compute it now. Where the error leaves that open, the judge is asked.

The model of arithmetic is the usual one, and that of the head of ``float_arithmetic``: an operation on float64 gives
(a op b)(1 + d) + e, |d| <= u = 2^-53, |e| <= 2^-1022. A sum of n products in any order, fused or not, differs from the
exact one by at most n u / (1 - n u) times the sum of the sizes (Higham, Accuracy and Stability of Numerical
Algorithms, section 3.1), and what underflows adds less than SLACK. Let c' be the computed coefficients on the outputs
of a layer.

* The judge's line above has a slope a = floor(2^28 u / (u - l)) / 2^28 and a height u (1 - a), the one below the slope
  b = min(max(4 a - 2, 0), 1), from its exact bounds l <= z <= u. These are known up to their errors, so a lies in a
  known interval of numbers k / 2^28, most often of one, and b in one that is four times as wide at most.
* What a form can come to, if the outputs in it are replaced by lines and so on down to the box, is the maximum of
  linear functions of its coefficients: V(c + d) <= V(c) + V(d). So where coefficients on pre-activations y are off by
  d, the bound is off by at most the sum of |d_i| max(V(y_i), V(-y_i)), and these are the judge's own bounds of y_i and
  -y_i, if it has them by going back; otherwise intervals of what lines can come to bound them (``size``, ``out``).
* So each layer adds to the error what it does itself: slopes that are not known by |c'| times the width of their
  interval and ``size``, heights by max(c', 0) times theirs, and roundings of sums by |c'| and what they are taken of.
* A leaf may say the slope below, of a neuron whose sign the judge does not know. It takes that, and 0 or 1 if it does;
  V is then another function, which only the intervals bound (``wide``).

Errors are computed in floats, too: sums of products that are not negative, so that they are wrong by a tiny factor,
which LIFT covers. Intervals are bounded in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from geomrelu.budget import UNLIMITED, Budget
from geomrelu.deadness.relaxation import FloatNetwork, dense_rows
from geomrelu.exact.numbers import nearest
from geomrelu.rounding import to_nearest

__all__ = ["Ball", "LayerBounds", "values"]

Array = np.ndarray
ROUND = 2.0**-52  # of one operation, or two
SLACK = 1e-200  # more than what underflow can add up to
LIFT = 1 + 1e-6  # more than the factor by which computed errors are too small
LARGEST = 1e90  # of any number here; otherwise nothing is said
GRID = 2.0**28  # slopes of the judge are multiples of 1 / GRID
Exact = tuple[Sequence[int], Sequence[int], int]
CELLS = 1 << 18  # coefficients that are held at once


class Ball(NamedTuple):
    """Numbers of the judge: each lies within ``error`` of ``centre``."""

    centre: Array
    error: Array

    @property
    def least(self) -> Array:
        return self.centre - self.error

    @property
    def most(self) -> Array:
        return self.centre + self.error


class Sizes(NamedTuple):
    """Of the lines of a layer: how large they can come to be, whatever the slopes above them are made of.

    Attributes:
        size: of pre-activations; reach: of the terms of these sums, added up; out: of outputs.
    """

    size: Array
    reach: Array
    out: Array


class Around(NamedTuple):
    """The lines around the outputs of a layer that the judge does not know to be 0, and the weights of these neurons.

    Attributes:
        neurons: which they are.
        above, below: slopes, columns; spread: by how much those of the judge may differ.
        free: columns, is it sure that the judge does not know the sign, so that a leaf may choose the slope below?
        open: is it not sure whether it knows it?
        height, lack: heights, and by how much they may differ.
        bias: of the neurons; weights: ``b -> W'``, on the outputs of layer b (0: the inputs).
        own, wide: sizes for the default slopes, and for any.
    """

    neurons: Array
    above: Array
    below: Array
    spread: Array
    free: Array
    open: Array
    height: Array
    lack: Array
    bias: Array
    weights: dict[int, Any]
    own: Sizes
    wide: Sizes


class LayerBounds:
    """Bounds of the layers of a network on a bounded box, one after the other.

    Args:
        floating: the network and the box.
        fine: are earlier layers bounded by going back, where intervals leave the sign open, or by intervals alone?
        exact: what the judge's bounds of a layer that fits fixed point are, ``(low, high, denominator)`` in integers.
    """

    def __init__(self, floating: FloatNetwork, fine: bool, exact: Callable[[int], Exact] | None = None) -> None:
        to_nearest()
        self.floating, self.fine, self.exact = floating, fine, exact
        self.known: list[tuple[Ball, Ball]] = []  # low and high, of each layer
        self.around: list[Around] = []
        sizes = np.maximum(abs(floating.lower), abs(floating.upper)) * LIFT + SLACK
        self.out, self.out_wide = [sizes], [sizes]  # the largest outputs of each layer, 0: inputs
        self.ranges = [(floating.lower - SLACK, floating.upper + SLACK)]  # of what lines can come to, about
        self._begun: tuple[Ball, Ball, Array, list[Array]] | None = None
        self.rounding = (floating.network.starts[-1] + 16) * ROUND  # of a sum of products

    def upper(
        self, level: int, neurons: Sequence[int], budget: Budget = UNLIMITED
    ) -> Iterator[tuple[Array, Ball, Array]]:
        """Some of the neurons at a time: which they are, what the judge's bounds from above are, and the corners of the
        box (neurons, n) where they are attained, as truth values: is it the upper side?

        Raises Exhausted when the budget ends.
        """
        self.derive(level - 1, budget)
        for part in self._parts(level, np.asarray(neurons, dtype=int), budget):
            yield part, *self.back(level, part, 1)

    def derive(self, up_to: int, budget: Budget = UNLIMITED) -> None:
        """Bound the layers before. Raises Exhausted when the budget ends; another call goes on from there."""
        for level in range(len(self.known) + 1, up_to + 1):
            if level <= self.floating.coarse_depth and self.exact is not None:
                budget.poll()
                *sides, d = self.exact(level)
                least, most = (Ball(side, ROUND * abs(side) + SLACK) for side in (nearest(s, d) for s in sides))
                self._keep(least, most, np.full(len(least.centre), np.inf))
                continue
            if self._begun is None:
                low, high = self._intervals(level)
                open_ = np.flatnonzero((low.least < 0) & (high.most > 0))
                parts = list(self._parts(level, open_, UNLIMITED)) if self.fine and level > 1 else []
                self._begun = low, high, np.full(len(low.centre), np.inf), parts[::-1]
            low, high, size, parts = self._begun
            while parts:
                budget.poll()
                part = parts[-1]
                (under, _), (over, _) = self.back(level, part, -1), self.back(level, part, 1)
                size[part] = np.maximum(np.maximum(under.most, over.most), 0)
                # whose sign is known to the judge by intervals it does not bound again, and we may not know of whom
                sure = (low.most[part] < 0) & (high.least[part] > 0)
                _meet(low, part, Ball(-under.centre, under.error), sure, np.maximum)
                _meet(high, part, over, sure, np.minimum)
                parts.pop()
            self._keep(low, high, size)
            self._begun = None

    # ---- one layer ---------------------------------------------------------------------------------------------

    def _parts(self, level: int, neurons: Array, budget: Budget) -> Any:
        """So many of the neurons at a time that their coefficients fit into memory."""
        step = max(1, CELLS // max(self.floating.network.inputs, *self.floating.network.widths[:level]))
        for k in range(0, len(neurons), step):
            budget.poll()
            yield neurons[k : k + step]

    def _keep(self, low: Ball, high: Ball, size: Array) -> None:
        """``size``: how large the pre-activations come to be by going back, infinite if that is not known."""
        self.known.append((low, high))
        self.around.append(self._lines(len(self.known), low, high, size))

    def _lines(self, level: int, low: Ball, high: Ball, size: Array) -> Around:
        neurons = np.flatnonzero(~(high.most <= 0))
        least, most = (Ball(side.centre[neurons], side.error[neurons]) for side in (low, high))
        over, under = (
            np.maximum(most.least, 0),
            np.minimum(least.most, 0),
        )  # the smallest high side, the largest low one
        with np.errstate(divide="ignore", invalid="ignore"):
            first = np.nan_to_num(over / (over + np.maximum(-least.least, 0))) * (1 - 4 * ROUND)
            last = np.nan_to_num(most.most / (most.most - under), nan=1.0) * (1 + 4 * ROUND)
        first, last = np.floor(first * GRID) / GRID, np.minimum(np.floor(last * GRID) / GRID, 1)
        sure = least.least >= 0
        first, last = np.where(sure, 1, first), np.where(least.most >= 0, 1, last)
        height = np.where(sure, 0, most.most * (1 - first))
        lack = height - over * (1 - last) + 4 * ROUND * height + SLACK * ~sure
        free = (least.most < 0) & (most.least > 0)
        below, spread = np.clip(4 * first - 2, 0, 1), 4 * (last - first) + 2 * ROUND
        parts, bias = self.floating.layers[level - 1]
        weights = {b: _columns(matrix, neurons) for b, matrix in parts.items()}
        own, wide = self._sized(level, neurons, size[neurons], height)
        columns = first[:, None], below[:, None]
        return Around(
            neurons, *columns, spread, free[:, None], ~free & ~sure, height, lack, bias[neurons], weights, own, wide
        )

    def _sized(self, level: int, neurons: Array, size: Array, height: Array) -> tuple[Sizes, Sizes]:
        """How large things can come to be; for what is not 0 by going back, ``size`` of pre-activations is known."""
        parts, bias = self.floating.layers[level - 1]
        low, high, reach, reach_wide = (a[neurons] for a in (bias, bias, abs(bias), abs(bias)))
        for b, matrix in parts.items():
            rows = matrix[neurons]
            sizes, (least, most) = abs(rows), self.ranges[b]
            centre, spread = rows @ ((least + most) / 2), sizes @ ((most - least) / 2)
            low, high = low + (centre - spread), high + (centre + spread)
            reach, reach_wide = reach + sizes @ self.out[b], reach_wide + sizes @ self.out_wide[b]
        reach, reach_wide = reach * LIFT + SLACK, reach_wide * LIFT + SLACK
        slack = self.rounding * reach_wide
        low, high = low - slack, high + slack
        wide = np.minimum(np.maximum(abs(low), abs(high)) * LIFT, reach_wide)
        own = np.minimum(np.minimum(size, reach), wide)
        height = height * LIFT
        found = Sizes(own, reach, own + height), Sizes(wide, reach_wide, wide + height)
        for kept, sizes in zip((self.out, self.out_wide), found, strict=True):
            kept.append(np.zeros(len(bias)))
            kept[-1][neurons] = sizes.out
        ranges = np.zeros(len(bias)), np.zeros(len(bias))
        ranges[0][neurons], ranges[1][neurons] = np.minimum(low, 0), np.maximum(high, 0) + height
        self.ranges.append(ranges)
        return found

    def _intervals(self, level: int) -> tuple[Ball, Ball]:
        """Bounds by intervals, from those of the layers before."""
        parts, bias = self.floating.layers[level - 1]
        low, high, error = bias.copy(), bias.copy(), self.rounding * abs(bias) + SLACK
        for b, matrix in parts.items():
            ends = self._sides() if b == 0 else self.known[b - 1]
            least, most = (side.centre if b == 0 else np.maximum(side.centre, 0) for side in ends)
            middle, radius, sizes = (least + most) / 2, (most - least) / 2, abs(matrix)
            centre, spread = matrix @ middle, sizes @ radius
            low += centre - spread
            high += centre + spread
            off = ends[0].error + ends[1].error + self.rounding * (abs(least) + abs(most))
            error += sizes @ off + ROUND * (abs(low) + abs(high))
        error = np.where(abs(low) + abs(high) < LARGEST, error * LIFT, np.inf)
        return Ball(low, error), Ball(high, error.copy())

    def _sides(self) -> tuple[Ball, Ball]:
        sides = (self.floating.lower, self.floating.upper)
        low, high = (Ball(side, ROUND * abs(side) + SLACK) for side in sides)
        return low, high

    def back(self, level: int, neurons: Array, sign: int, below: Sequence[Array] | None = None) -> tuple[Ball, Array]:
        """The judge's upper bounds of ``sign * z``, and where they are attained.

        ``below``: slopes of the lines below, (neurons of the layer's lines, neurons here), sixteenths that leaves say.
        """
        parts, bias = self.floating.layers[level - 1]
        out = self.out if below is None else self.out_wide
        centre = sign * bias[neurons]
        error = ROUND * abs(centre) + SLACK
        flow: dict[int, Array] = {}
        for b, matrix in parts.items():
            rows = dense_rows(matrix, neurons).T
            flow[b] = sign * rows
            error += self.rounding * (out[b] @ abs(rows))
        for at in range(level - 1, 0, -1):
            if at not in flow:
                continue
            around = self.around[at - 1]
            c = flow.pop(at)[around.neurons]
            sizes, spread = around.own, around.spread
            if below is not None:
                sizes, spread = around.wide, np.where(around.open, 1, spread)
            under = around.below if below is None else np.where(around.free, below[at - 1], around.below)
            positive = np.maximum(c, 0)
            heights = around.height @ positive
            error += around.lack @ positive + self.rounding * heights
            error += (spread * sizes.size + self.rounding * sizes.out) @ abs(c)
            c *= np.where(c > 0, around.above, under)
            size = abs(c)
            error += self.rounding * (sizes.reach @ size)
            error[~(size.max(axis=0, initial=0) < LARGEST)] = np.inf
            more = heights + around.bias @ c
            centre += more
            error += ROUND * (abs(more) + abs(centre))
            for b, weights in around.weights.items():
                flow[b] = flow[b] + weights @ c if b in flow else weights @ c
        corners = np.zeros((len(neurons), self.floating.network.inputs), dtype=bool)
        if 0 in flow:
            c, (low, high) = flow[0], (self.floating.lower, self.floating.upper)
            corners = c.T > 0
            top = high @ np.maximum(c, 0) + low @ np.minimum(c, 0)
            size = abs(c)
            centre += top
            error += self.rounding * (out[0] @ size) + ROUND * (abs(top) + abs(centre)) + SLACK
            error[~(size.max(axis=0, initial=0) < LARGEST)] = np.inf
        error[~(abs(centre) < LARGEST)] = np.inf
        return Ball(centre, error * LIFT), corners


def _columns(matrix: Any, neurons: Array) -> Any:
    """The weights of some neurons, turned."""
    return np.ascontiguousarray(matrix[neurons].T) if isinstance(matrix, np.ndarray) else matrix[neurons].T.tocsr()


def values(floating: FloatNetwork, points: Array, level: int) -> Ball:
    """The exact pre-activations (count, width) of a layer at points (count, n).

    An exact point may differ from one in floats by a rounding, as one does whose coordinate is a side of the box.
    """
    rounding = (floating.network.starts[-1] + 16) * ROUND
    outputs = [Ball(points.T, ROUND * abs(points.T) + SLACK)]
    for parts, bias in floating.layers[:level]:
        z = np.repeat(bias[:, None], len(points), axis=1)
        error = rounding * abs(z) + SLACK
        for b, matrix in parts.items():
            before = outputs[b]
            z += matrix @ before.centre
            error += abs(matrix) @ (before.error + rounding * abs(before.centre)) + ROUND * abs(z)
        error = np.where(abs(z) < LARGEST, error, np.inf)
        outputs.append(Ball(np.maximum(z, 0), error * LIFT))
    return Ball(z.T, outputs[-1].error.T)


def _meet(known: Ball, part: Array, found: Ball, sure: Array, better: Any) -> None:
    """The better of two bounds; if it is not sure that the judge has found the second one, what holds in both cases."""
    old = Ball(known.centre[part], known.error[part])
    least, most = better(old.least, found.least), better(old.most, found.most)
    least, most = np.where(sure, least, np.minimum(least, old.least)), np.where(sure, most, np.maximum(most, old.most))
    known.centre[part] = (least + most) / 2
    known.error[part] = ((most - least) / 2 + 2 * ROUND * (abs(least) + abs(most)) + SLACK) * LIFT
