"""A network in floating point, and linear bounds of its neurons on many boxes at once.

Nothing here decides: a bound found here guides the search for a proof, which the exact checker derives again.

Bounds go backward through the layers (Zhang et al. 2018, Singh et al. 2019). An output v = max(y, 0) whose
pre-activation has low < 0 < high lies above the lines s y, 0 <= s <= 1, and below the chord
high (y - low) / (high - low). A coefficient on v turns into one on y by the line that its sign asks for, whole layers
and whole batches of boxes in one matrix product. The slopes s are free: by default 0 up
to high = -low, 1 from high = -3 low on, with a passage between them (it needs a tenth to a third fewer boxes than the
usual jump at high = -low); for one neuron that matters they are improved by gradient steps (Xu et al. 2021).

In few inputs pre-activations are bounded corner by corner (see "Corners" at the head of checker.py), and the heights of
chords too: by how much they are lower there than on the whole box is subtracted. Deep in real networks a fraction of
the boxes is enough.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from geomrelu.budget import UNLIMITED, Budget
from geomrelu.certificates.fields import Fields
from geomrelu.deadness.enclosing_cuts import EnclosingCuts
from geomrelu.deadness.inside import Inside
from geomrelu.deadness.inside_ellipsoid import InsideEllipsoid
from geomrelu.deadness.proof_tree import Part, Split
from geomrelu.deadness.row_multipliers import Rows
from geomrelu.geometry.ellipsoid import Ellipsoid, Floats
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.native.boxes import LANES
from geomrelu.network.network import Network

__all__ = ["Boxes", "FloatNetwork", "Lines", "dense_rows"]

Array = np.ndarray
Bounds = list[tuple[Array, Array]]
BATCH = 1 << 20  # numbers held at once in one backward pass
WORK = 1 << 26  # multiplications in one layer of it, about: then budgets are looked at, and caches are large enough
PAUSES = (2, 5, 9, 13)  # steps after which it is looked which boxes need more: not those that are settled,
LONG, HOPE = 9, 0.4  # and from this step on not those whose bound is still more than this part of the first
FIRST, LAST = 1.0, 0.08  # how fast slopes move in the first step, and by what factor slower in the last
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

    def gaps(self, low: Array, high: Array, neurons: Any) -> Array:
        """By how much chords are lower at corners, where these neurons are bounded by (boxes, corners, neurons)."""
        above, height = self.above[:, None, neurons], self.height[:, None, neurons]
        found = height - np.maximum(-above * low, (1 - above) * high)
        found *= (self.unknown[:, neurons] & (found.sum(axis=1) > 0))[:, None, :]
        return found


@dataclass(slots=True)
class Boxes:
    """Boxes, arrays (boxes, n), and what is known on them of layers 1, 2, ...

    Attributes:
        lines: of each layer; bounds: of its pre-activations (those of the lines, or looser).
        corners: (boxes, 2^k, n), None if the k inputs that vary are too many.
        gaps: for each layer (boxes, 2^k, width): by how much its chords are lower at the corners.
        vertices: (count, n), if the domain is given by these (then there is one box, around it).
        ball: the domain, if it is an ellipsoid (likewise).
        begun: of a layer that is being bounded: its bounds as they are, what is at corners, and the neurons to come.
    """

    lower: Array
    upper: Array
    lines: list[Lines]
    bounds: Bounds
    corners: Array | None = None
    gaps: list[Array] = field(default_factory=list)
    begun: tuple[Array, Array, list[tuple[Array, Array, Array]], deque[Array]] | None = None
    vertices: Array | None = None
    ball: Floats | None = None

    def __len__(self) -> int:
        return len(self.lower)

    def take(self, rows: Array) -> Boxes:
        """Some of the boxes."""
        corners = None if self.corners is None else self.corners[rows]
        lines, gaps = [line.take(rows) for line in self.lines], [gap[rows] for gap in self.gaps]
        bounds = [(low[rows], high[rows]) for low, high in self.bounds]
        return Boxes(self.lower[rows], self.upper[rows], lines, bounds, corners, gaps, None, self.vertices, self.ball)

    def highest(self, form: Form) -> Array:
        """The maxima (boxes, targets) of affine functions."""
        if self.vertices is not None:
            return form.constant + (form.slope @ self.vertices.T).max(axis=2)
        middle, radius = (self.lower + self.upper)[:, :, None] / 2, (self.upper - self.lower)[:, :, None] / 2
        found = form.constant + (form.slope @ middle + abs(form.slope) @ radius)[:, :, 0]
        return found if self.ball is None else np.minimum(found, self.ball.highest(form.constant, form.slope))

    def at_corners(self, form: Form) -> Array:
        """Bounds at the corners: (boxes, 2^k, targets)."""
        assert self.corners is not None
        value = self.corners @ form.slope.swapaxes(1, 2)
        value += form.constant[:, None, :]
        for gap, weight in zip(self.gaps, form.weights, strict=True):
            if weight is not None:
                value -= gap @ np.maximum(weight, 0).swapaxes(1, 2)
        return value


class Form(NamedTuple):
    """Affine upper bounds of neurons on boxes, and how they came about."""

    constant: Array  # (boxes, targets)
    slope: Array  # (boxes, targets, n)
    weights: list[Array | None]  # per layer before: the coefficients (boxes, targets, width) on its outputs


class FloatNetwork:
    """The network in float64, layer matrices cut by the blocks they read, and its box.

    Overflow is nothing to warn of: what it spoils is not confirmed.
    """

    def __init__(self, network: Network, box: Polyhedron | Ellipsoid) -> None:
        self.network = network
        self.inside = InsideEllipsoid(box) if isinstance(box, Ellipsoid) else Inside(box)
        self.ball = box.floats if isinstance(box, Ellipsoid) else None
        self.lower, self.upper = self.inside.root
        self._whole = self.on(self.lower[None, :], self.upper[None, :])
        fields = Fields(network.checked, box.checked)
        self.coarse_depth, self.cornered = fields.depth, fields.cornered
        self.layers: list[tuple[dict[int, Any], Array]] = []
        self.folded: list[tuple[dict[int, Any], Array]] = []  # the first layers: see EarlierNeurons
        for level, map_ in enumerate(network.layers, 1):
            blocks, starts = network.blocks[level], network.starts
            matrices, bias = map_.float_blocks([(starts[b], starts[b + 1]) for b in blocks], _DENSE)
            self.layers.append((dict(zip(blocks, matrices, strict=True)), bias))

    def with_layers(self, shape: Any, layers: list[tuple[dict[int, Any], Array]]) -> FloatNetwork:
        """Other layers on the same domain; ``shape`` has the numbers of ``inputs`` and the ``widths``."""
        other = object.__new__(FloatNetwork)
        other.network, other.layers, other.coarse_depth, other.cornered = shape, layers, 0, False
        other.inside, other.ball, other.lower, other.upper = self.inside, self.ball, self.lower, self.upper
        other.folded = []
        other._whole = other.on(other.lower[None, :], other.upper[None, :])
        return other

    @cached_property
    def rows(self) -> Rows | None:
        """Those of the domain, if it has any."""
        return Rows(self.inside) if isinstance(self.inside, Inside) and self.inside.has_rows else None

    @cached_property
    def _cuts(self) -> EnclosingCuts:
        assert isinstance(self.inside, Inside)
        return EnclosingCuts(self.network, self.inside)

    def on(self, lower: Array, upper: Array, corners: Array | None = None) -> Boxes:
        """Boxes on which nothing is known."""
        return Boxes(lower, upper, [], [], corners, vertices=self.inside.vertices, ball=self.ball)

    def begun(self, level: int) -> tuple[dict[int, Split], list[Part]]:
        """How a proof about a neuron of a layer begins: splits, and the parts below them."""
        return self._cuts.begun(level) if self.inside.missing else ({}, [Part(self.lower, self.upper)])

    @cached_property
    def slices(self) -> list[slice]:
        """The places of layers in arrays over all neurons, each beginning at a multiple of ``LANES``."""
        widths = self.network.widths
        starts = np.cumsum([0, *(-(-width // LANES) * LANES for width in widths)]).tolist()
        return [slice(start, start + width) for start, width in zip(starts, widths, strict=False)]

    def dense(self, up_to: int) -> list[tuple[Array, Array]] | None:
        """The first layers, if each reads only the one before and has few zeros: ``(matrix, biases)``."""
        if any(list(parts) != [at] for at, (parts, _) in enumerate(self.layers[:up_to])):
            return None
        matrices = [parts[at] for at, (parts, _) in enumerate(self.layers[:up_to])]
        if not all(isinstance(matrix, np.ndarray) for matrix in matrices):
            return None
        return [(matrix, bias) for matrix, (_, bias) in zip(matrices, self.layers, strict=False)]

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

    def reached(self, points: Array, level: int, neurons: Sequence[int] | Array, budget: Budget = UNLIMITED) -> Array:
        """Pre-activations of some neurons of a layer at points (count, n): (count, neurons); little else is held."""
        some = np.empty((len(points), len(neurons)))
        for k in range(0, len(points), 256):
            budget.poll()
            some[k : k + 256] = self.forward(points[k : k + 256], level)[-1][:, neurons]
        return some

    def gradient(self, z: Sequence[Array], level: int, neuron: int) -> Array:
        """Gradient of one neuron at points with pre-activations ``z``: (count, n)."""
        count = len(z[0])
        flow = {b: np.tile(dense_rows(m, [neuron]), (count, 1)) for b, m in self.layers[level - 1][0].items()}
        for at in range(level - 1, 0, -1):
            here = flow.pop(at, None)
            if here is None:
                continue
            here = here * (z[at - 1] > 0)
            for b, matrix in self.layers[at - 1][0].items():
                flow[b] = flow.get(b, 0) + _times(here, matrix)
        return flow.get(0, np.zeros((count, self.network.inputs)))

    # ---- bounds -----------------------------------------------------------------------------------------------

    def bounded(
        self,
        lower: Array,
        upper: Array,
        up_to: int,
        known: Bounds | None = None,
        unwanted: Array | None = None,
        cornered: bool = False,
        budget: Budget = UNLIMITED,
    ) -> Boxes:
        """Boxes (boxes, n) with the pre-activations of layers 1..up_to bounded by the default lines.

        ``known``: bounds that hold already, to be improved where the sign is unknown. ``unwanted``: neurons of the last
        layer that only need a line below; it is the one for pre-activations that are linear but for their chords.
        ``cornered``: corner by corner, if the inputs are few. Raises Exhausted when the budget ends.
        """
        boxes = self.on(lower, upper, self._corners(lower, upper) if cornered else None)
        self._bound(boxes, up_to, known, unwanted, budget)
        return boxes

    def _bound(self, boxes: Boxes, up_to: int, known: Bounds | None, unwanted: Array | None, budget: Budget) -> None:
        """Bound the layers that are to come; where the budget ends, this can be taken up again."""
        for level in range(len(boxes.lines) + 1, up_to + 1):
            if level == 1:
                self._first(boxes, known)
                continue
            shape = len(boxes), self.network.widths[level - 1]
            if boxes.begun is None:
                low, high = (np.full(shape, -np.inf), np.full(shape, np.inf)) if known is None else known[level - 1]
                open_ = ((low < 0) & (high > 0)).any(axis=0)
                if known is not None and level == up_to and unwanted is not None:
                    open_ &= ~unwanted
                boxes.begun = low.copy(), high.copy(), [], deque(self._pieces(np.flatnonzero(open_), level, len(boxes)))
            low, high, found, left = boxes.begun
            while left:
                budget.poll()
                targets = left[0]
                over, under = (self.backward(boxes, level, targets, sign) for sign in (1, -1))
                if boxes.corners is None:
                    most, least = boxes.highest(over), -boxes.highest(under)
                else:
                    high_, low_ = boxes.at_corners(over), -boxes.at_corners(under)
                    most, least = high_.max(axis=1), low_.min(axis=1)
                    found.append((low_, high_, targets))
                low[:, targets] = np.maximum(low[:, targets], least)
                high[:, targets] = np.minimum(high[:, targets], most)
                left.popleft()
            line = Lines.of(low, high)
            if known is not None and unwanted is not None and level == up_to:
                line = Lines.of(*self._likely(boxes, level, unwanted, low, high))
            if boxes.corners is not None:
                gaps = np.zeros((len(boxes), boxes.corners.shape[1], shape[1]))
                for between in found:
                    gaps[:, :, between[-1]] = line.gaps(*between)
                boxes.gaps.append(gaps)
            boxes.bounds.append((low, high))
            boxes.lines.append(line)
            boxes.begun = None

    def _corners(self, lower: Array, upper: Array) -> Array:
        """The corners (boxes, 2^k, n) of boxes in which k inputs vary."""
        vary = np.flatnonzero(self.lower < self.upper)
        signs = np.zeros((1 << len(vary), len(self.lower)))
        signs[:, vary] = list(product((-1, 1), repeat=len(vary)))
        return ((lower + upper) / 2)[:, None, :] + signs * ((upper - lower) / 2)[:, None, :]

    def _first(self, boxes: Boxes, known: Bounds | None) -> None:
        parts, bias = self.layers[0]
        low = np.broadcast_to(bias, (len(boxes), len(bias))).copy()
        high = low.copy()
        for matrix in parts.values():
            centre = (matrix @ ((boxes.lower + boxes.upper) / 2).T).T
            spread = (abs(matrix) @ ((boxes.upper - boxes.lower) / 2).T).T
            low += centre - spread
            high += centre + spread
        if boxes.vertices is not None:
            values = bias + sum(_times(boxes.vertices, matrix.T) for matrix in parts.values())
            low[:], high[:] = values.min(axis=0), values.max(axis=0)
        if boxes.ball is not None and parts:
            slope = dense_rows(parts[0], slice(None))
            low = np.maximum(low, -boxes.ball.highest(-bias, -slope))
            high = np.minimum(high, boxes.ball.highest(bias, slope))
        if known is not None:
            low, high = np.maximum(low, known[0][0]), np.minimum(high, known[0][1])
        line = Lines.of(low, high)
        boxes.bounds.append((low, high))
        boxes.lines.append(line)
        if boxes.corners is not None:
            y = bias + sum(_times(boxes.corners, matrix.T) for matrix in parts.values())
            boxes.gaps.append(line.gaps(y, y, slice(None)))

    def _pieces(self, neurons: Array, level: int, count: int) -> Iterator[Array]:
        """So many of the neurons at a time that their forms fit into memory, and that it does not take long."""
        width = max((self.network.inputs, *self.network.widths[:level]))
        weights = max(1, *(sum(int(m.size) for m in parts.values()) for parts, _ in self.layers[:level]))
        most = BATCH if count > 1 else BATCH // 4  # of one box there is no need to hold so many
        step = max(1, min(most // (width * count), WORK // (weights * count)))
        return (neurons[k : k + step] for k in range(0, len(neurons), step))

    def _likely(self, boxes: Boxes, level: int, neurons: Array, low: Array, high: Array) -> tuple[Array, Array]:
        """Bounds of a layer, of these neurons those on the linear function through the middles of the lines before."""
        count, n = boxes.lower.shape
        values, slopes = [(boxes.lower + boxes.upper) / 2], [np.broadcast_to(np.eye(n), (count, n, n))]
        for (parts, bias), line in zip(self.layers[:level], [*boxes.lines, None], strict=True):
            value = bias + sum(_times(values[b], matrix.T) for b, matrix in parts.items())
            slope = sum(_left(matrix, slopes[b]) for b, matrix in parts.items())
            if line is not None:
                values.append(line.above * value + line.height / 2)
                slopes.append(line.above[:, :, None] * slope)
        spread = (abs(slope) @ ((boxes.upper - boxes.lower) / 2)[:, :, None])[:, :, 0]
        least, most = np.maximum(low, value - spread), np.minimum(high, value + spread)
        unknown = neurons & (low < 0) & (high > 0)
        return np.where(unknown, least, low), np.where(unknown, most, high)

    def subtracted(self, level: int, neuron: int) -> Array | None:
        """Which neurons of the layer before have no positive weight: a bound only needs a line below them."""
        matrix = self.layers[level - 1][0].get(level - 1)
        return None if matrix is None or level == 1 else dense_rows(matrix, [neuron])[0] <= 0

    def whole(self, up_to: int, budget: Budget = UNLIMITED) -> Boxes:
        """The whole box, bounded once. Raises Exhausted when the budget ends; another call goes on from there."""
        whole = self._whole
        self._bound(whole, up_to, None, None, budget)
        return replace(whole, lines=whole.lines[:up_to], bounds=whole.bounds[:up_to], begun=None)

    def interval(self, up_to: int) -> Boxes:
        """The whole box, bounded layer by layer from the bounds of the layers before: one product a layer."""
        boxes = self.on(self.lower[None, :], self.upper[None, :])
        sides = [(self.lower, self.upper)]
        for parts, bias in self.layers[:up_to]:
            low, high = bias.copy(), bias.copy()
            for b, matrix in parts.items():
                centre, spread = matrix @ (sum(sides[b]) / 2), abs(matrix) @ ((sides[b][1] - sides[b][0]) / 2)
                low += centre - spread
                high += centre + spread
            boxes.bounds.append((low[None, :], high[None, :]))
            boxes.lines.append(Lines.of(*boxes.bounds[-1]))
            sides.append((np.maximum(low, 0), np.maximum(high, 0)))
        return boxes

    @property
    def known(self) -> Bounds:
        """Of the first layers, as far as the whole box has been bounded."""
        return list(self._whole.bounds)

    def upper_bounds(self, boxes: Boxes, level: int, neurons: Array, budget: Budget = UNLIMITED) -> Array:
        """Upper bounds (boxes, neurons) by the default lines. Raises Exhausted when the budget ends."""
        found = []
        for piece in self._pieces(neurons, level, len(boxes)):
            budget.poll()
            found.append(boxes.highest(self.backward(boxes, level, piece)))
        return np.concatenate(found, axis=1) if found else np.zeros((len(boxes), 0))

    def backward(
        self,
        boxes: Boxes,
        level: int,
        neurons: Array,
        sign: int = 1,
        below: Sequence[Array] | None = None,
        added: Sequence[Array] | None = None,
    ) -> Form:
        """Affine upper bounds of ``sign * z`` on boxes.

        ``below``: slopes of the lines below, instead of the default. ``added``: what is added to the coefficients on
        pre-activations, the multipliers of what is known to be nonnegative.
        """
        parts, bias = self.layers[level - 1]
        count, targets = len(boxes), len(neurons)
        constant = np.broadcast_to(sign * bias[neurons], (count, targets)).copy()
        rows = {b: sign * dense_rows(m, neurons) for b, m in parts.items()}
        flow = {b: np.broadcast_to(m, (count, *m.shape)) for b, m in rows.items()}
        weights: list[Array | None] = [None] * (level - 1)
        for at in range(level - 1, 0, -1):
            here = flow.pop(at, None)
            if here is None:
                if added is None or not added[at - 1].any():
                    continue
                here = np.zeros((count, targets, self.network.widths[at - 1]))
            weights[at - 1] = here
            line = boxes.lines[at - 1]
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
        return Form(constant, flow.get(0, np.zeros((count, targets, self.network.inputs))), weights)

    def improved(
        self,
        boxes: Boxes,
        level: int,
        neuron: int,
        steps: int,
        phases: Sequence[Array] | None = None,
        enough: float = -np.inf,
        budget: Budget = UNLIMITED,
        within: Rows | None = None,
        start: Sequence[Array] | None = None,
    ) -> tuple[Array, list[Array], list[Array] | None, Array]:
        """Upper bounds (boxes,) of one neuron after gradient steps, the slopes below, the multipliers of phases, and
        the points (boxes, n) where the bounds are attained.

        ``phases``: signs (boxes, width) that pre-activations are known to have, 0 for unknown ones. ``enough``: a
        bound that need not be improved. ``within``: rows of the domain, which hold with the best multipliers.
        ``start``: slopes below to begin with. Raises Exhausted when the budget ends.

        Method: the bound is convex in each slope and multiplier; its gradient is that of the relaxed network at the
        worst point, the corner that attains the bound. Slopes end as sixteenths, which a coarse leaf can say. No steps
        are wasted on boxes that are settled, or after some steps are far from it.
        """
        target, every = np.array([neuron]), boxes
        below = [line.below.copy() for line in boxes.lines] if start is None else [b.copy() for b in start]
        speed = [np.zeros_like(b) for b in below]
        added = None if phases is None else [np.zeros(p.shape) for p in phases]
        size = np.ones((len(boxes), 1))
        kept, kept_added = [b.copy() for b in below], None if added is None else [a.copy() for a in added]
        best, rows = np.full(len(boxes), np.inf), np.arange(len(boxes))  # the rows that are still improved
        first, factors, gaps = best, None, None
        for step in range(steps):
            budget.poll()
            form = self.backward(boxes, level, target, 1, below, added)
            weights = form.weights
            if within is None:
                bound, points, gaps = self.worst(boxes, form)
            else:
                slopes = form.slope[:, 0]
                bound, factors, points = within.dual(slopes, form.constant[:, 0], boxes.lower, boxes.upper, factors)
            first = bound if step == 0 else first
            better = bound < best[rows]
            best[rows[better]] = bound[better]
            for k, b in zip((*kept, *(kept_added or ())), (*below, *(added or ())), strict=True):
                k[rows[better]] = b[better]
            if step in PAUSES:
                going = best[rows] > enough
                if phases is None and step >= LONG:
                    going &= best[rows] < HOPE * first[rows]
                if 4 * np.count_nonzero(going) < 3 * len(rows):
                    if not going.any():
                        break
                    rows, boxes, points, size = rows[going], boxes.take(going), points[going], size[going]
                    below, speed = [b[going] for b in below], [s[going] for s in speed]
                    added = None if added is None else [a[going] for a in added]
                    phases = None if phases is None else [p[going] for p in phases]
                    gaps = None if gaps is None else [gap[going] for gap in gaps]
                    factors = None if factors is None else factors[going]
                    weights = [None if w is None else w[going] for w in weights]
            outputs = [points]
            for at, line in enumerate(boxes.lines, 1):
                parts, bias = self.layers[at - 1]
                y = bias + sum((matrix @ outputs[b].T).T for b, matrix in parts.items())
                weight = weights[at - 1]
                negative = np.zeros_like(y) if weight is None else np.minimum(weight[:, 0, :], 0)
                chord = line.above * y + line.height
                if gaps is not None:
                    chord -= gaps[at - 1]
                outputs.append(np.where(negative < 0, below[at - 1] * y, chord))
                pull = negative * y * line.unknown  # others have no slope to be moved, and would only slow these down
                pull /= abs(pull).max(axis=1, keepdims=True, initial=1e-300)
                speed[at - 1] = 0.7 * speed[at - 1] + pull
                moved = np.clip(below[at - 1] - FIRST * LAST ** (step / steps) * speed[at - 1], 0, 1)
                below[at - 1] = np.where(line.unknown, moved, below[at - 1])
                if added is not None and phases is not None:
                    if step == 0 and weight is not None:
                        size = np.maximum(size, abs(weight[:, 0, :]).max(axis=1, keepdims=True, initial=0))
                    pull = phases[at - 1] * y
                    pull /= abs(pull).max(axis=1, keepdims=True, initial=1e-300)
                    grown = phases[at - 1] * added[at - 1] - 0.5 * 0.9**step * size * pull
                    added[at - 1] = phases[at - 1] * np.maximum(grown, 0)
        kept = [np.where(line.unknown, np.round(k * 16) / 16, k) for k, line in zip(kept, every.lines, strict=True)]
        if kept_added is not None:
            kept_added = [np.round(a * 4096) / 4096 for a in kept_added]
        bound, points, _ = self.worst(every, self.backward(every, level, target, 1, kept, kept_added), within)
        return bound, kept, kept_added, points

    def worst(self, boxes: Boxes, form: Form, rows: Rows | None = None) -> tuple[Array, Array, list[Array] | None]:
        """Of the bound of one neuron: the maxima (boxes,), where they are attained, and the gaps there, per layer."""
        if boxes.vertices is not None:
            values = form.slope[:, 0, :] @ boxes.vertices.T
            return form.constant[:, 0] + values.max(axis=1), boxes.vertices[np.argmax(values, axis=1)], None
        if boxes.ball is not None:
            return boxes.highest(form)[:, 0], boxes.ball.points(boxes.ball.farthest(form.slope[:, 0, :])), None
        if boxes.corners is None:
            return boxes.highest(form)[:, 0], np.where(form.slope[:, 0, :] > 0, boxes.upper, boxes.lower), None
        value, every = boxes.at_corners(form)[:, :, 0], np.arange(len(boxes))
        worst = np.argmax(value, axis=1)
        return value[every, worst], boxes.corners[every, worst], [gap[every, worst] for gap in boxes.gaps]

    def losses(
        self, boxes: Boxes, level: int, neuron: int, below: Sequence[Array], added: Sequence[Array] | None = None
    ) -> list[Array]:
        """By how much at most the lines of each earlier neuron loosen the bound: per layer (boxes, width)."""
        form = self.backward(boxes, level, np.array([neuron]), 1, below, added)
        found = []
        for line, weight, slope in zip(boxes.lines, form.weights, below, strict=True):
            if weight is None:
                found.append(np.zeros(line.low.shape))
                continue
            positive = np.maximum(weight[:, 0, :], 0)
            found.append(positive * line.height + (positive - weight[:, 0, :]) * line.cut_off(slope))
        return found

    def blame(self, boxes: Boxes, losses: Sequence[Array]) -> Array:
        """What of the looseness of a bound each input is to blame for: (boxes, n).

        The lines of a neuron lose in proportion to the width of its pre-activation, to which every coordinate
        contributes its own share; slopes are those along the chords.
        """
        count, n = boxes.lower.shape
        jacobian: list[Array] = [np.broadcast_to(np.eye(n), (count, n, n))]
        total = np.zeros((count, n))
        for at, line in enumerate(boxes.lines, 1):
            along = sum(_left(matrix, jacobian[b]) for b, matrix in self.layers[at - 1][0].items())
            share = abs(along) * (boxes.upper - boxes.lower)[:, None, :]
            share /= share.sum(axis=2, keepdims=True) + 1e-300
            total += (losses[at - 1][:, None, :] @ share)[:, 0, :]
            jacobian.append(line.above[:, :, None] * along)
        return total


def dense_rows(matrix: Any, rows: Any) -> Array:
    """Rows of a layer's matrix, which may be compressed, as a dense array."""
    picked = matrix[rows]
    return picked if isinstance(picked, np.ndarray) else picked.toarray()


def _times(left: Array, matrix: Any) -> Array:
    return left @ matrix if isinstance(matrix, np.ndarray) else (matrix.T @ left.T).T


def _left(matrix: Any, stack: Array) -> Array:
    """``matrix @ each`` of a stack (count, inner, n)."""
    if isinstance(matrix, np.ndarray):
        return matrix @ stack
    count, inner, n = stack.shape
    flat = matrix @ stack.transpose(1, 0, 2).reshape(inner, count * n)
    return flat.reshape(-1, count, n).transpose(1, 0, 2)
