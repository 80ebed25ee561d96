r"""Bounds of whole layers on the box, in floats with a proven error: what they say of a bound of the judge is true.

The judge bounds one neuron after the other in exact arithmetic: in a large convolutional layer that takes minutes.
Here all neurons of a layer go back together, and beside each number stands by how much it may differ from the judge's:
a neuron is called negative only if *the judge's own bound* is negative, whatever the roundings were. So its proof is
accepted, and nobody has to compute it now. Where the error leaves that open, the judge is asked.

The model of arithmetic is the usual one, and that of the head of ``float_arithmetic``: an operation on float64 gives
(a op b)(1 + d) + e, |d| <= u = 2^-53, |e| <= 2^-1022. A sum of n products in any order, fused or not, differs from the
exact one by at most n u / (1 - n u) times the sum of the sizes (Higham, Accuracy and Stability of Numerical
Algorithms, section 3.1), and what underflows adds less than SLACK. Let c' be the computed and c the judge's
coefficient on an output, |c' - c| <= r.

* The judge's line above has a slope a = floor(2^28 u / (u - l)) / 2^28 and a height u (1 - a), the one below the slope
  b = min(max(4 a - 2, 0), 1), from its exact bounds l <= z <= u. These are known up to their errors, so a lies in a
  known interval of numbers k / 2^28, most often of one, and b in one that is four times as wide at most.
* The coefficient on the pre-activation is a c for c >= 0 and b c for c < 0, which is Lipschitz in c with the constant
  max(a, b); so its error is at most r max(a, b) + |c'| (the widths of the intervals), and a rounding.
* A leaf may say the slope below, of a neuron whose sign the judge does not know. It takes that, and 0 or 1 if it does.
* Heights add max(c, 0) u (1 - a), with an error of at most r times the height and max(c', 0) times that of the height.
* A coefficient on a variable before is a sum over neurons, sum of c w; weights are rounded once. The errors of the c
  add up with |w|, the roundings with |c'| |w|.
* On the box c x is at most max(c low, c high), which is Lipschitz in c with the constant max(|low|, |high|).

Errors are computed in floats, too: sums of products that are not negative, so that they are wrong by a tiny factor,
which LIFT covers. Intervals are bounded in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from geomrelu.budget import UNLIMITED, Budget
from geomrelu.deadness.relaxation import FloatNetwork
from geomrelu.exact.numbers import nearest

__all__ = ["Ball", "LayerBounds", "values"]

Array = np.ndarray
ROUND = 2.0**-52  # of one operation, or two
SLACK = 1e-200  # more than what underflow can add up to
LIFT = 1 + 1e-6  # more than the factor by which computed errors are too small
LARGEST = 1e90  # of any number here; otherwise nothing is said
GRID = 2.0**28  # slopes of the judge are multiples of 1 / GRID
CELLS = 1 << 20  # coefficients that are held at once


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


class Around(NamedTuple):
    """The lines around the outputs of a layer that the judge does not know to be 0, and the weights of these neurons.

    Attributes:
        neurons: which they are.
        above, below: slopes, columns; spread: by how much those of the judge may differ; largest: of both.
        free: columns, is it sure that the judge does not know the sign, so that a leaf may choose the slope below?
        open: columns, is it not sure whether it knows it?
        height, lack: heights, and by how much they may differ.
        bias: rows; weights: ``b -> (W', |W|')``, on the outputs of layer b (0: the inputs).
    """

    neurons: Array
    above: Array
    below: Array
    spread: Array
    largest: Array
    free: Array
    open: Array
    height: Array
    lack: Array
    bias: Array
    weights: dict[int, tuple[Any, Any]]


class LayerBounds:
    """Bounds of the layers of a network on a bounded box, one after the other.

    Args:
        floating: the network and the box.
        fine: are earlier layers bounded by going back, where intervals leave the sign open, or by intervals alone?
        exact: bounds that the judge has of the first layers, as ``(low, high, denominator)`` in integers.
    """

    def __init__(
        self, floating: FloatNetwork, fine: bool, exact: Sequence[tuple[Sequence[int], Sequence[int], int]] = ()
    ) -> None:
        self.floating, self.fine = floating, fine
        self.known: list[tuple[Ball, Ball]] = []  # low and high, of each layer
        self.around: list[Around] = []
        self._begun: tuple[Ball, Ball, list[Array]] | None = None
        self.rounding = (floating.network.starts[-1] + 16) * ROUND  # of a sum of products
        for low, high, d in exact:
            self._keep(*(Ball(side, ROUND * abs(side) + SLACK) for side in (nearest(low, d), nearest(high, d))))

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
            if self._begun is None:
                low, high = self._intervals(level)
                open_ = np.flatnonzero((low.least < 0) & (high.most > 0))
                parts = list(self._parts(level, open_, UNLIMITED)) if self.fine and level > 1 else []
                self._begun = low, high, parts[::-1]
            low, high, parts = self._begun
            while parts:
                budget.poll()
                part = parts[-1]
                (under, _), (over, _) = self.back(level, part, -1), self.back(level, part, 1)
                # whose sign is known to the judge by intervals it does not bound again, and we may not know of whom
                sure = (low.most[part] < 0) & (high.least[part] > 0)
                _meet(low, part, Ball(-under.centre, under.error), sure, np.maximum)
                _meet(high, part, over, sure, np.minimum)
                parts.pop()
            self._keep(low, high)
            self._begun = None

    # ---- one layer ---------------------------------------------------------------------------------------------

    def _parts(self, level: int, neurons: Array, budget: Budget) -> Any:
        """So many of the neurons at a time that their coefficients fit into memory."""
        step = max(1, CELLS // max(self.floating.network.inputs, *self.floating.network.widths[:level]))
        for k in range(0, len(neurons), step):
            budget.poll()
            yield neurons[k : k + step]

    def _keep(self, low: Ball, high: Ball) -> None:
        self.known.append((low, high))
        self.around.append(self._lines(len(self.known), low, high))

    def _lines(self, level: int, low: Ball, high: Ball) -> Around:
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
        parts, bias = self.floating.layers[level - 1]
        weights = {}
        for b, matrix in parts.items():
            if sparse.issparse(matrix):
                turned = matrix[neurons].T.tocsr()
                sizes: Any = sparse.csr_matrix((abs(turned.data), turned.indices, turned.indptr), turned.shape)
            else:
                turned = np.ascontiguousarray(matrix[neurons].T)
                sizes = abs(turned)
            weights[b] = turned, sizes
        largest = np.maximum(last, np.clip(4 * last - 2, 0, 1))
        free = (least.most < 0) & (most.least > 0)
        spread = 4 * (last - first) + 2 * ROUND
        below = np.clip(4 * first - 2, 0, 1)
        slopes = first[:, None], below[:, None], spread[:, None], largest[:, None]
        signs = free[:, None], (~free & ~sure)[:, None]
        return Around(neurons, *slopes, *signs, height, lack, bias[neurons], weights)

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
        centre = sign * bias[neurons]
        error = ROUND * abs(centre) + SLACK
        flow: dict[int, tuple[Array, Array]] = {}
        for b, matrix in parts.items():
            rows = matrix[neurons].toarray() if sparse.issparse(matrix) else matrix[neurons]
            flow[b] = sign * rows.T, ROUND * abs(rows.T)
        for at in range(level - 1, 0, -1):
            if at not in flow:
                continue
            around = self.around[at - 1]
            c, r = (a[around.neurons] for a in flow.pop(at))
            positive = np.maximum(c, 0)
            heights = around.height @ positive
            error += (around.height + around.lack) @ r + around.lack @ positive + self.rounding * heights
            r *= around.largest if below is None else 1
            r += abs(c) * (around.spread if below is None else np.where(around.open, 1, around.spread))
            under = around.below if below is None else np.where(around.free, below[at - 1], around.below)
            c *= np.where(c > 0, around.above, under)
            r += self.rounding * abs(c)  # the sums to come
            more = heights + around.bias @ c
            centre += more
            error += abs(around.bias) @ r + ROUND * (abs(more) + abs(centre))
            error[~(abs(c).max(axis=0, initial=0) < LARGEST)] = np.inf
            for b, (weights, sizes) in around.weights.items():
                more, off = weights @ c, sizes @ r
                off += SLACK
                if b in flow:
                    more += flow[b][0]
                    off += flow[b][1] + ROUND * abs(more)
                flow[b] = more, off
        corners = np.zeros((len(neurons), self.floating.network.inputs), dtype=bool)
        if 0 in flow:
            (low, high), (c, r) = self._sides(), flow[0]
            corners = c.T > 0
            size = np.maximum(abs(low.centre), abs(high.centre))
            top = high.centre @ np.maximum(c, 0) + low.centre @ np.minimum(c, 0)
            error += (size * (1 + 4 * ROUND)) @ r + self.rounding * (size @ abs(c)) + ROUND * abs(top)
            centre += top
            error += ROUND * abs(centre) + SLACK
            error[~(abs(c).max(axis=0, initial=0) < LARGEST)] = np.inf
        error[~(abs(centre) < LARGEST)] = np.inf
        return Ball(centre, error * LIFT), corners


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
