"""A network in floating point, and linear bounds of its neurons on many boxes at once.

Nothing here decides: a bound found here guides the search for a proof, which the exact checker derives again.

Bounds go backward through the layers (Zhang et al. 2018, Singh et al. 2019). An output v = max(y, 0) whose
pre-activation has low < 0 < high lies above the lines s y, 0 <= s <= 1, and below the chord
high (y - low) / (high - low). A coefficient on v turns into one on y by the line that its sign asks for, whole layers
and whole batches of boxes in one matrix product. The slopes s are free: by default 0 up
to high = -low, 1 from high = -3 low on, with a passage between them (it needs a tenth to a third fewer boxes than the
usual jump at high = -low); for one neuron that matters they are improved by gradient steps (Xu et al. 2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from scipy import sparse

from geomrelu import checker
from geomrelu.exact import common, nearest
from geomrelu.network import Network
from geomrelu.polyhedron import Polyhedron

__all__ = ["FloatNetwork", "Lines"]

Array = np.ndarray
Bounds = list[tuple[Array, Array]]
BATCH = 1 << 22  # numbers held at once in one backward pass
_DENSE = 1 << 26  # the largest layer matrix that is kept dense (half a gigabyte)


@dataclass(slots=True)
class Lines:
    """The lines around the outputs of one layer on some boxes, arrays (boxes, width): above y -> above y + height."""

    above: Array
    height: Array
    below: Array
    unknown: Array  # is the sign of the pre-activation unknown?
    low: Array
    high: Array

    @classmethod
    def of(cls, low: Array, high: Array) -> Lines:
        unknown = (low < 0) & (high > 0)
        known = np.where(low >= 0, 1.0, 0.0)
        gap = np.where(unknown, high - low, 1.0)
        above = np.where(unknown, high / gap, known)
        height = np.where(unknown, -low * above, 0.0)
        below = np.where(unknown, np.clip(4 * above - 2, 0, 1), known)
        return cls(above, height, below, unknown, low, high)

    def take(self, rows: Array) -> Lines:
        """Those on some of the boxes."""
        parts = (self.above, self.height, self.below, self.unknown, self.low, self.high)
        return Lines(*(part[rows] for part in parts))

    def cut_off(self, below: Array) -> Array:
        """How much the line below loses where it loses most."""
        return np.where(self.unknown, np.maximum(-self.low * below, self.high * (1 - below)), 0.0)


class FloatNetwork:
    """The network in float64, layer matrices cut by the blocks they read, and its box.

    Overflow is nothing to warn of: what it spoils is not confirmed.
    """

    def __init__(self, network: Network, box: Polyhedron) -> None:
        self.network = network
        self.lower, self.upper = _sides(box)
        self._whole: Bounds = []
        self.coarse_depth = checker.Coarse(network.checked, box.checked).depth  # what coarse arithmetic fits
        self.layers: list[tuple[dict[int, Any], Array]] = []
        for level, map_ in enumerate(network.layers, 1):
            matrix, bias = map_.floats
            starts = network.starts
            parts = {b: _compact(matrix[:, starts[b] : starts[b + 1]]) for b in network.blocks[level]}
            self.layers.append((parts, bias))

    def forward(self, points: Array, up_to: int) -> list[Array]:
        """Pre-activations of layers 1..up_to at points (count, n): arrays (count, width)."""
        outputs, result = [points], []
        for parts, bias in self.layers[:up_to]:
            z = np.broadcast_to(bias, (len(points), len(bias))).copy()
            for b, matrix in parts.items():
                z += (matrix @ outputs[b].T).T
            result.append(z)
            outputs.append(np.maximum(z, 0))
        return result

    def gradient(self, z: Sequence[Array], level: int, neuron: int) -> Array:
        """Gradient of one neuron at points with pre-activations ``z``: (count, n)."""
        count = len(z[0])
        flow = {b: np.tile(_rows(m, [neuron]), (count, 1)) for b, m in self.layers[level - 1][0].items()}
        for at in range(level - 1, 0, -1):
            here = flow.pop(at, None)
            if here is None:
                continue
            here = here * (z[at - 1] > 0)
            for b, matrix in self.layers[at - 1][0].items():
                flow[b] = flow.get(b, 0) + _times(here, matrix)
        return flow.get(0, np.zeros((count, self.network.inputs)))

    # ---- bounds -----------------------------------------------------------------------------------------------

    def bounds(
        self, lower: Array, upper: Array, up_to: int, known: Bounds | None = None, unwanted: Array | None = None
    ) -> tuple[Bounds, list[Lines]]:
        """Bounds (boxes, width) of all pre-activations of layers 1..up_to on boxes (boxes, n), and the lines they give.

        ``known``: bounds that hold already, to be improved where the sign is unknown. ``unwanted``: neurons of the last
        layer that only need a line below; it is the one for pre-activations that are linear but for their chords.
        """
        found: Bounds = []
        lines: list[Lines] = []
        for level in range(1, up_to + 1):
            if level == 1:
                low, high = self._first(lower, upper)
                if known is not None:
                    low, high = np.maximum(low, known[0][0]), np.minimum(high, known[0][1])
            else:
                width = self.network.widths[level - 1]
                least, most = (np.full((len(lower), width), -np.inf), np.inf) if known is None else known[level - 1]
                open_ = ((least < 0) & (most > 0)).any(axis=0)
                if known is not None and level == up_to and unwanted is not None:
                    open_ &= ~unwanted
                targets = np.flatnonzero(open_)
                low, high = least.copy(), most + np.zeros_like(least)
                found_high = self.upper_bounds(lines, lower, upper, level, targets)
                found_low = -self.upper_bounds(lines, lower, upper, level, targets, -1)
                low[:, targets] = np.maximum(low[:, targets], found_low)
                high[:, targets] = np.minimum(high[:, targets], found_high)
            found.append((low, high))
            lines.append(Lines.of(low, high))
        if known is not None and unwanted is not None and up_to > 1:
            lines[-1] = Lines.of(*self._likely(lines, lower, upper, up_to, unwanted, *found[-1]))
        return found, lines

    def _likely(
        self, lines: Sequence[Lines], lower: Array, upper: Array, level: int, neurons: Array, low: Array, high: Array
    ) -> tuple[Array, Array]:
        """Bounds of a layer, of these neurons those on the linear function through the middles of the lines before."""
        count, n = lower.shape
        values, slopes = [(lower + upper) / 2], [np.broadcast_to(np.eye(n), (count, n, n))]
        for (parts, bias), line in zip(self.layers[:level], lines, strict=False):
            value = bias + sum(_times(values[b], matrix.T) for b, matrix in parts.items())
            slope = sum(_left(matrix, slopes[b]) for b, matrix in parts.items())
            values.append(line.above * value + line.height / 2)
            slopes.append(line.above[:, :, None] * slope)
        spread = (abs(slope) @ ((upper - lower) / 2)[:, :, None])[:, :, 0]
        least, most = np.maximum(low, value - spread), np.minimum(high, value + spread)
        return np.where(neurons, least, low), np.where(neurons, most, high)

    def subtracted(self, level: int, neuron: int) -> Array | None:
        """Which neurons of the layer before have no positive weight: a bound only needs a line below them."""
        matrix = self.layers[level - 1][0].get(level - 1)
        return None if matrix is None or level == 1 else _rows(matrix, [neuron])[0] <= 0

    def whole(self, up_to: int) -> Bounds:
        """Bounds (1, width) of layers 1..up_to on the whole box, found once."""
        if len(self._whole) < up_to:
            self._whole = self.bounds(self.lower[None, :], self.upper[None, :], up_to)[0]
        return self._whole[:up_to]

    def _first(self, lower: Array, upper: Array) -> tuple[Array, Array]:
        parts, bias = self.layers[0]
        low = np.broadcast_to(bias, (len(lower), len(bias))).copy()
        high = low.copy()
        for matrix in parts.values():
            centre = (matrix @ ((lower + upper) / 2).T).T
            spread = (abs(matrix) @ ((upper - lower) / 2).T).T
            low += centre - spread
            high += centre + spread
        return low, high

    def upper_bounds(
        self, lines: Sequence[Lines], lower: Array, upper: Array, level: int, neurons: Array, sign: int = 1
    ) -> Array:
        """Upper bounds (boxes, neurons) of ``sign * z`` by the default lines, in pieces that fit into memory."""
        width = max((self.network.inputs, *self.network.widths[:level]))
        step = max(1, BATCH // (width * len(lower)))
        return np.concatenate(
            [
                self.backward(lines, lower, upper, level, neurons[k : k + step], sign)[0]
                for k in range(0, len(neurons), step)
            ]
            or [np.zeros((len(lower), 0))],
            axis=1,
        )

    def backward(
        self,
        lines: Sequence[Lines],
        lower: Array,
        upper: Array,
        level: int,
        neurons: Array,
        sign: int = 1,
        below: Sequence[Array] | None = None,
        added: Sequence[Array] | None = None,
    ) -> tuple[Array, Array, list[Array | None]]:
        """Upper bounds of ``sign * z`` (boxes, neurons), the slopes in x, and the coefficients on each layer's outputs.

        ``below``: slopes of the lines below, instead of the default. ``added``: what is added to the coefficients on
        pre-activations, the multipliers of what is known to be nonnegative.
        """
        parts, bias = self.layers[level - 1]
        count, targets = len(lower), len(neurons)
        constant = np.broadcast_to(sign * bias[neurons], (count, targets)).copy()
        flow = {b: np.broadcast_to(sign * _rows(m, neurons), (count, targets, m.shape[1])) for b, m in parts.items()}
        coefficients: list[Array | None] = [None] * (level - 1)
        for at in range(level - 1, 0, -1):
            here = flow.pop(at, None)
            if here is None:
                if added is None or not added[at - 1].any():
                    continue
                here = np.zeros((count, targets, self.network.widths[at - 1]))
            coefficients[at - 1] = here
            line = lines[at - 1]
            above, height, under = line.above, line.height, line.below if below is None else below[at - 1]
            inner, inner_bias = self.layers[at - 1]
            if added is None:
                used = np.flatnonzero(above.any(axis=0))  # not 0 on all boxes
                if 4 * len(used) < 3 * above.shape[1]:
                    here, above, height, under = here[:, :, used], above[:, used], height[:, used], under[:, used]
                    inner, inner_bias = {b: matrix[used] for b, matrix in inner.items()}, inner_bias[used]
            positive = np.maximum(here, 0)
            constant += (positive @ height[:, :, None])[:, :, 0]
            here = here * under[:, None, :]
            positive *= (above - under)[:, None, :]
            here += positive
            if added is not None:
                here += added[at - 1][:, None, :]
            constant += here @ inner_bias
            for b, matrix in inner.items():
                pulled = _times(here.reshape(count * targets, here.shape[2]), matrix)
                pulled = pulled.reshape(count, targets, matrix.shape[1])
                flow[b] = flow[b] + pulled if b in flow else pulled
        slope = flow.get(0, np.zeros((count, targets, self.network.inputs)))
        middle, radius = (lower + upper)[:, :, None] / 2, (upper - lower)[:, :, None] / 2
        return constant + (slope @ middle + abs(slope) @ radius)[:, :, 0], slope, coefficients

    def improved(
        self,
        lines: Sequence[Lines],
        lower: Array,
        upper: Array,
        level: int,
        neuron: int,
        steps: int,
        phases: Sequence[Array] | None = None,
    ) -> tuple[Array, list[Array], list[Array] | None]:
        """Upper bounds (boxes,) of one neuron after gradient steps, the slopes below, the multipliers of phases.

        ``phases``: signs (boxes, width) that pre-activations are known to have, 0 for unknown ones.

        Method: the bound is convex in each slope and multiplier; its gradient is that of the relaxed network at the
        worst point, the corner that attains the bound. Slopes end as sixteenths, which a coarse leaf can say.
        """
        target = np.array([neuron])
        added = None if phases is None else [np.zeros(p.shape) for p in phases]
        added_kept = None if added is None else [a.copy() for a in added]
        size = np.ones((len(lower), 1))
        below = [line.below.copy() for line in lines]
        speed = [np.zeros_like(b) for b in below]
        best = np.full(len(lower), np.inf)
        kept = [b.copy() for b in below]
        for step in range(steps + 1):
            bound, slope, coefficients = self.backward(lines, lower, upper, level, target, 1, below, added)
            better = bound[:, 0] < best
            best = np.where(better, bound[:, 0], best)
            for k, b in zip(kept, below, strict=True):
                k[better] = b[better]
            for k, b in zip(added_kept or (), added or (), strict=True):
                k[better] = b[better]
            if step == steps:
                break
            outputs = [np.where(slope[:, 0, :] > 0, upper, lower)]
            for at, line in enumerate(lines, 1):
                parts, bias = self.layers[at - 1]
                y = bias + sum((matrix @ outputs[b].T).T for b, matrix in parts.items())
                weight = coefficients[at - 1]
                negative = np.zeros_like(y) if weight is None else np.minimum(weight[:, 0, :], 0)
                outputs.append(np.where(negative < 0, below[at - 1] * y, line.above * y + line.height))
                pull = negative * y
                pull /= abs(pull).max(axis=1, keepdims=True) + 1e-300
                speed[at - 1] = 0.7 * speed[at - 1] + pull
                moved = np.clip(below[at - 1] - 0.5 * 0.8**step * speed[at - 1], 0, 1)
                below[at - 1] = np.where(line.unknown, moved, below[at - 1])
                if added is not None and phases is not None:
                    if step == 0 and weight is not None:
                        size = np.maximum(size, abs(weight[:, 0, :]).max(axis=1, keepdims=True))
                    pull = phases[at - 1] * y
                    pull /= abs(pull).max(axis=1, keepdims=True) + 1e-300
                    grown = phases[at - 1] * added[at - 1] - 0.5 * 0.9**step * size * pull
                    added[at - 1] = phases[at - 1] * np.maximum(grown, 0)
        kept = [np.where(line.unknown, np.round(k * 16) / 16, k) for k, line in zip(kept, lines, strict=True)]
        if added_kept is not None:
            added_kept = [np.round(a * 4096) / 4096 for a in added_kept]
        return self.backward(lines, lower, upper, level, target, 1, kept, added_kept)[0][:, 0], kept, added_kept

    def losses(
        self,
        lines: Sequence[Lines],
        lower: Array,
        upper: Array,
        level: int,
        neuron: int,
        below: Sequence[Array],
        added: Sequence[Array] | None = None,
    ) -> list[Array]:
        """By how much at most the lines of each earlier neuron loosen the bound: per layer (boxes, width)."""
        *_, coefficients = self.backward(lines, lower, upper, level, np.array([neuron]), 1, below, added)
        found = []
        for line, weight, slope in zip(lines, coefficients, below, strict=True):
            if weight is None:
                found.append(np.zeros(line.low.shape))
                continue
            positive = np.maximum(weight[:, 0, :], 0)
            found.append(positive * line.height + (positive - weight[:, 0, :]) * line.cut_off(slope))
        return found

    def blame(
        self, lines: Sequence[Lines], lower: Array, upper: Array, level: int, neuron: int, below: Sequence[Array]
    ) -> Array:
        """What of the looseness of a bound each input is to blame for: (boxes, n).

        The lines of a neuron lose in proportion to the width of its pre-activation, to which every coordinate
        contributes its own share; slopes are those along the chords.
        """
        losses = self.losses(lines, lower, upper, level, neuron, below)
        count, n = lower.shape
        jacobian: list[Array] = [np.broadcast_to(np.eye(n), (count, n, n))]
        total = np.zeros((count, n))
        for at, line in enumerate(lines, 1):
            along = sum(_left(matrix, jacobian[b]) for b, matrix in self.layers[at - 1][0].items())
            share = abs(along) * (upper - lower)[:, None, :]
            share /= share.sum(axis=2, keepdims=True) + 1e-300
            total += (losses[at - 1][:, None, :] @ share)[:, 0, :]
            jacobian.append(line.above[:, :, None] * along)
        return total


def _sides(box: Polyhedron) -> tuple[Array, Array]:
    """The box in floats; an infinite side is moved in to a distance where witnesses are likely."""
    lower, upper = [], []
    for low, high in zip(box.checked.lower, box.checked.upper, strict=True):
        far = 100 + abs(low or 0) + abs(high or 0)
        lower.append(low if low is not None else (high or Fraction(0)) - far)
        upper.append(high if high is not None else (low or Fraction(0)) + far)
    return nearest(*common(lower)), nearest(*common(upper))


def _compact(matrix: sparse.csr_matrix) -> Any:
    """Dense where that is small or the matrix is nearly full."""
    size = matrix.shape[0] * matrix.shape[1]
    return matrix.toarray() if size <= 1 << 16 or (matrix.nnz * 4 > size and size <= _DENSE) else matrix.tocsr()


def _rows(matrix: Any, rows: Any) -> Array:
    picked = matrix[rows]
    return picked.toarray() if sparse.issparse(picked) else picked


def _times(left: Array, matrix: Any) -> Array:
    return left @ matrix if not sparse.issparse(matrix) else (matrix.T @ left.T).T


def _left(matrix: Any, stack: Array) -> Array:
    """``matrix @ each`` of a stack (count, inner, n)."""
    if not sparse.issparse(matrix):
        return matrix @ stack
    count, inner, n = stack.shape
    flat = matrix @ stack.transpose(1, 0, 2).reshape(inner, count * n)
    return flat.reshape(-1, count, n).transpose(1, 0, 2)
