"""The judge's fixed point on many boxes at once: the same integers, in arrays.

A tree of thousands of boxes is judged by the judge's rules as it grows. What the judge computes box by box (class
``FixedPoint`` in ``checker``: read there what it means) is computed here for a batch of boxes, where the domain was cut
across inputs only and corners are looked at. Every integer is the judge's, so that nothing that is accepted here can
be refused there; and as arithmetic it is as exact as the judge's.

Numbers of more than 62 bits are kept as high 2^28 + low. Sums of products are float64 matrix products, of numbers cut
in two so that every partial sum is an integer below 2^53, and therefore exact in any order. Where a sum does not keep
to that, which is looked up and not assumed, its box is left to :mod:`geomrelu.certificates.region`. Nothing else can
overflow: bounds on the whole domain are less than LARGE = 2^34, and so are the bounds of unknown neurons below and
their heights; coefficients are less than LARGE because their sums, 2^28 times as large, are less than WIDE 2^14; and
slopes are at most 2^28.

Cost: about a sixth of the time of :mod:`geomrelu.certificates.region`, for fifty boxes or more. Where there is a
compiled kernel (:mod:`geomrelu.native`), it does the same in a fraction of that, and :class:`Batch` is its oracle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from geomrelu.certificates.fields import SIXTEENTHS, UNIT
from geomrelu.certificates.region import Region
from geomrelu.native import library
from geomrelu.native.boxes import WIDEST, Judge

__all__ = ["Arithmetic", "Batch", "Cell", "Judged"]

Array = np.ndarray
ONE = 1 << UNIT
CUT = 14  # the bits of the lower of two parts of a number
EXACT = 2.0**52  # half of it would do
LARGE = 1 << 34  # bounds and sides that are not smaller are left to the checker,
WIDE = 2.0**48  # upper parts of sums
DEEP, BROAD = 32, 256  # and more layers and wider ones


class Cell(NamedTuple):
    """A box, and what has been derived on it, in units.

    Attributes:
        low, high: the sides (inputs,), measured from the lower sides of the domain.
        known: the bounds of pre-activations, for each layer derived those below and then those above.
        sides: exact ones, of inputs that were cut.
    """

    low: Array
    high: Array
    known: Array
    sides: dict[int, tuple[Any, Any]]


@dataclass(slots=True)
class _Lines:
    """The lines around the outputs of a layer on boxes: see ``Fields.lines``. Arrays (boxes, width)."""

    unknown: Array
    alive: Array  # may be positive
    above: Array
    below: Array
    height: Array
    plain: Array  # the same, 0 where heights at the corners are used
    heights: Array  # (neurons, 2 corners): these in two halves, of all boxes, one after the other,
    neurons: Array  # of these neurons,
    starts: Array  # (boxes + 1,): from here on
    sizes: Array  # (boxes,): the largest sums of halves
    cost: Array  # (boxes,)
    tall: Array  # (boxes,)


class Arithmetic:
    """What batches of boxes have in common. Raises OverflowError if the numbers are too large.

    Args:
        region: the domain, few of whose inputs vary (``Fields.cornered``), with all layers before derived.
        level: the layer of the neurons to be bounded, at most ``Fields.depth``.
    """

    def __init__(self, region: Region, level: int) -> None:
        self.fields_of, self.level = region.fields, level
        self.domain = region.domain
        widest = max(region.model.inputs, *(len(layer.rows) for layer in region.model.layers))
        if level > DEEP or widest > (WIDEST if library.available() else BROAD):
            raise OverflowError("too large for batches")
        self.weights: dict[int, Array] = {}  # of a layer (1 + width before, width); last the biases
        self.halves: dict[int, Array] = {}  # the same (width, 2 (1 + width before)) for products
        self.limits: dict[int, float] = {}  # the coefficients up to which these are exact
        self.fields: dict[int, Any] = {}  # how large numbers can become, and may
        for at in range(1, level + 1):
            self.weights[at] = _small(self.fields_of.weights(at))
            self.halves[at] = _halves(self.weights[at].T, axis=1)
            self.limits[at] = EXACT / float(abs(self.halves[at]).sum(axis=0).max() + 1)
            size, _, *sizes = self.fields_of.start(at)
            self.fields[at] = size, *sizes
        low, high = (_small(side) for side in self.fields_of.sides(region.lower, region.upper))
        known = [_small(list(zip(*pairs, strict=True))) for pairs, _ in region.known[: level - 1]]
        self.widths = [pairs.shape[1] for pairs in known]
        self.ends = np.cumsum([0, *self.widths]).tolist()
        self.whole = Cell(low, high, np.concatenate([pairs.reshape(-1) for pairs in known]), {})
        vary = [j for j, power in enumerate(self.fields_of.powers[0]) if power is not None]
        self.kernel: Judge | None = None
        try:
            rows = [self.weights[at].T for at in range(1, level + 1)]
            self.kernel = Judge(rows, [power is not None for power in self.fields_of.powers[0]])
        except OverflowError:
            if widest > BROAD:
                raise
        self.upper = np.zeros((len(low), 1 << len(vary)), dtype=bool)  # has a corner the upper side of an input?
        for bit, j in enumerate(vary):
            self.upper[j] = np.arange(1 << len(vary)) >> bit & 1

    def layers(self, table: Array) -> list[Array]:
        """What is known on boxes (boxes, 2 neurons), layer by layer (boxes, 2, width)."""
        bounds = zip(self.ends, self.ends[1:], self.widths, strict=False)
        return [table[:, 2 * first : 2 * end].reshape(len(table), 2, width) for first, end, width in bounds]

    def halved(self, cell: Cell, index: int, cut: Fraction) -> tuple[Cell, Cell]:
        """Both sides of a box; raises OverflowError if the numbers are too large, or the cut is not in the range."""
        left, right = cell.sides.get(index, (self.domain.lower[index], self.domain.upper[index]))
        least, most = self._around(index, cut)
        if not (_ordered(left, cut) and _ordered(cut, right)) or max(-least, most) >= LARGE:
            raise OverflowError("too large for batches")
        low, high = cell.low.copy(), cell.high.copy()
        low[index], high[index] = least, most
        return (
            Cell(cell.low, high, cell.known, {**cell.sides, index: (left, cut)}),
            Cell(low, cell.high, cell.known, {**cell.sides, index: (cut, right)}),
        )

    def _around(self, index: int, x: Fraction) -> tuple[int, int]:
        """A number on the axis of an input as an upper and a lower side: ``Fields.side``, in integers alone."""
        fields, power = self.fields_of, self.fields_of.powers[0][index]
        if power is None:
            return 0, 0
        over = x.numerator * fields.over - fields.origin[index] * x.denominator
        under, shift = x.denominator * fields.over, UNIT - power
        over, under = over << max(0, shift), under << max(0, -shift)
        return over // under, -(-over // under)


class Batch:
    """Boxes on which bounds have been derived.

    Attributes:
        known: for each layer (boxes, 2, width).
        good: which boxes have kept to exact arithmetic.
        empty: which boxes have turned out to have no points: low > high somewhere. They are good.
    """

    def __init__(self, own: Arithmetic, cells: Sequence[Cell], last: Sequence[Sequence[int] | None]) -> None:
        self.own = own
        self.low, self.high = np.array([c.low for c in cells]), np.array([c.high for c in cells])
        self.good, self.empty = np.ones((2, len(cells)), dtype=bool)
        self.empty[:] = False
        self.cells = cells
        self.corners = np.where(own.upper, self.high[:, :, None], self.low[:, :, None])
        self.corner_halves = _halves(self.corners, axis=2)
        self.corner_sizes = abs(self.corner_halves).sum(axis=1).max(axis=1)
        self.table = np.array([c.known for c in cells])
        self.known = own.layers(self.table)
        self.lines: list[_Lines] = []
        for level, known in enumerate(self.known, 1):
            open_ = (known[:, 0] < 0) & (known[:, 1] > 0)
            if level == own.level - 1:
                for row, some in enumerate(last):
                    if some is not None:
                        chosen = np.zeros(open_.shape[1], dtype=bool)
                        chosen[list(some)] = True
                        open_[row] &= chosen
            boxes, neurons = open_.nonzero()
            found = self._forms(level, boxes, neurons)
            under, over = found[1::2], found[::2]
            if len(boxes):
                known[boxes, 0, neurons] = np.maximum(known[boxes, 0, neurons], -under.max(axis=1))
                known[boxes, 1, neurons] = np.minimum(known[boxes, 1, neurons], over.max(axis=1))
            self.empty |= self.good & (known[:, 0] > known[:, 1]).any(axis=1)
            self.lines.append(self._lines(known, boxes, neurons, under, over))
        self.good |= self.empty

    def _lines(self, known: Array, boxes: Array, neurons: Array, under: Array, over: Array) -> _Lines:
        low, high = known[:, 0], known[:, 1]
        unknown, active = (low < 0) & (high > 0), low >= 0
        above = np.where(unknown, (high << UNIT) // np.where(unknown, high - low, 1), 0)
        below = np.where(active, ONE, np.where(unknown, np.clip(4 * above - 2 * ONE, 0, ONE), 0))
        rest = ONE - above
        height = np.where(unknown, -(-rest * high >> UNIT), 0)
        plain, tall = height.copy(), height.copy()
        if len(boxes):
            slope = above[boxes, neurons, None]
            there = (np.maximum(slope * under, (ONE - slope) * over) >> UNIT) + 1
            use = unknown[boxes, neurons] & (there.sum(axis=1) < there.shape[1] * height[boxes, neurons])
            boxes, neurons, under = boxes[use], neurons[use], there[use]
            plain[boxes, neurons] = 0
            tall[boxes, neurons] = abs(under).max(axis=1)
        above[active] = ONE
        heights, starts = _halves(under, axis=1), np.searchsorted(boxes, np.arange(len(unknown) + 1))
        sums = np.concatenate([np.zeros((1, heights.shape[1])), abs(heights).cumsum(axis=0)])[starts]
        return _Lines(
            unknown=unknown,
            alive=active | unknown,
            above=above,
            below=below,
            height=height,
            plain=plain,
            heights=heights,
            neurons=neurons,
            starts=starts,
            sizes=np.diff(sums, axis=0).max(axis=1),
            cost=np.where(unknown, high, 0).sum(axis=1),
            tall=tall.sum(axis=1),
        )

    def _fits(self, level: int) -> Array:
        """On which boxes does the checker find the numbers of a derivation small enough?"""
        size, reaches, gains = self.own.fields[level]
        largest = np.full(len(self.good), float(sum(gains)) + float(ONE))
        for lines, reach in zip(reversed(self.lines), reaches, strict=False):
            largest += float(reach) * lines.tall + lines.cost
        largest += float(reaches[-1]) * self.high.sum(axis=1)
        return largest < 0.99 * min(2.0 ** (8 * size - 1), 2.0 ** (UNIT + 62))

    def _back(self, at: int, boxes: Array, p: Array, lack: Array, high: Array, low: Array) -> Array:
        """Coefficients on the pre-activations of a layer turned into those on the variables before."""
        own, width = self.own, self.own.weights[at].shape[0]
        large = (p.max(axis=1) > own.limits[at]) | (p.min(axis=1) < -own.limits[at])
        product = p.astype(float) @ own.halves[at]
        self.good[boxes[large | (abs(product[:, :width]).max(axis=1) >= WIDE)]] = False
        upper, lower = product[:, :width].astype(np.int64), product[:, width:].astype(np.int64)
        lower += lack[:, None]
        bias = upper[:, -1]
        high += bias >> CUT
        low += ((bias & ((1 << CUT) - 1)) << UNIT - CUT) + lower[:, -1]
        upper <<= CUT
        upper += lower
        upper += ONE - 1
        upper >>= UNIT
        return upper[:, :-1]

    def _forms(self, level: int, boxes: Array, neurons: Array) -> Array:
        """Upper bounds of z and, in the row after it, of -z at each corner, in units: see ``Fields.forms``."""
        own = self.own
        self.good &= self._fits(level)
        if not len(boxes):
            return np.zeros((0, self.corners.shape[2]), dtype=np.int64)
        first = own.weights[level][:, neurons].T
        both = np.stack([first, 1 - first], axis=1).reshape(2 * len(boxes), -1)
        q, high, low, of = both[:, :-1], both[:, -1].copy(), np.zeros(2 * len(boxes), dtype=np.int64), boxes.repeat(2)
        raised: list[Array] = []
        for at in range(level - 1, 0, -1):
            lines = self.lines[at - 1]
            c = q * lines.alive[of]
            positive = np.maximum(c, 0)
            raised.append(positive)
            plain = lines.plain[of]
            if plain.any():
                _add(positive, plain, high, low)
            c *= np.where(c > 0, lines.above[of], lines.below[of])
            c >>= UNIT
            q = self._back(at, of, c, -np.minimum(c, 0).sum(axis=1), high, low)
            low += lines.cost[of]
        starts = np.searchsorted(of, np.arange(len(self.good) + 1))
        value = self._at_corners(np.arange(len(self.good)), starts, q, high, low, raised)
        return (value + (ONE - 1)) >> UNIT

    def _at_corners(
        self, boxes: Array, starts: Array, slope: Array, high: Array, low: Array, raised: list[Array]
    ) -> Array:
        """Affine functions of the inputs plus weighted heights, at the corners: of box k rows ``starts[k:k + 2]``."""
        count, owners = self.corners.shape[2], boxes.repeat(np.diff(starts))
        size = abs(slope).max(axis=1) * self.corner_sizes[owners]
        layers = []
        for numbers, lines in zip(raised, reversed(self.lines[: len(raised)]), strict=True):
            size += abs(numbers).max(axis=1) * lines.sizes[owners]
            layers.append((numbers.astype(float), lines.neurons, lines.heights, lines.starts.tolist()))
        factors, found = slope.astype(float), np.empty((len(slope), 2 * count))
        for b, first, last in zip(boxes.tolist(), starts.tolist(), starts[1:].tolist(), strict=False):
            if first < last:
                sums = factors[first:last] @ self.corner_halves[b]
                for numbers, neurons, heights, places in layers:
                    some = slice(places[b], places[b + 1])
                    sums += numbers[first:last].take(neurons[some], axis=1) @ heights[some]
                found[first:last] = sums
        self.good[owners[size >= EXACT]] = False
        upper, lower = found[:, :count], found[:, count:]
        self.good[owners[(abs(upper).max(axis=1) >= WIDE) | (abs(high) >= 1 << 33) | (abs(low) >= 1 << 60)]] = False
        value = (upper.astype(np.int64) << CUT) + lower.astype(np.int64)
        value += ((high << UNIT) + low)[:, None]
        return value

    def bounds(self, neuron: int, slopes: Mapping[int, Sequence[str]], sign: int = 1) -> list[int]:
        """Upper bounds of ``sign * z`` on some of the boxes, with these slopes, in 2^-56: ``Region.leaf``."""
        own, rows, texts = self.own, np.array(list(slopes), dtype=int), list(slopes.values())
        if not texts:
            return []
        first = own.weights[own.level][:, neuron]
        first = first if sign > 0 else 1 - first
        q, high = np.tile(first[:-1], (len(rows), 1)), np.full(len(rows), first[-1])
        low, replaced = np.zeros_like(high), (np.zeros_like(high), np.zeros_like(high))
        raised: list[Array] = []
        for at in range(own.level - 1, 0, -1):
            lines = self.lines[at - 1]
            unknown, below = lines.unknown[rows], lines.below[rows]
            for k, said in enumerate(texts):
                if at <= len(said) and said[at - 1]:
                    below[k] = np.where(unknown[k], _slopes(said[at - 1]), below[k])
            c = q * lines.alive[rows]
            positive = np.maximum(c, 0)
            raised.append(positive)
            _add(positive, lines.height[rows], high, low)
            _add(positive, (lines.height - lines.plain)[rows], *replaced)
            p = c * np.where(c > 0, lines.above[rows], below) >> UNIT
            q = self._back(at, rows, p, -np.minimum(p, 0).sum(axis=1), high, low)
            low += lines.cost[rows]
        sides = np.where(q > 0, self.high[rows], self.low[rows])
        top, rest = high.copy(), low.copy()
        _add(q, sides, top, rest)
        self.good[rows[(abs(top) >= 1 << 33) | (abs(rest) >= 1 << 60)]] = False
        bound = (top << UNIT) + rest
        high -= replaced[0]
        low -= replaced[1]
        at_corners = self._at_corners(rows, np.arange(len(rows) + 1), q, high, low, raised).max(axis=1)
        return np.minimum(bound, at_corners).tolist()

    def cell(self, row: int) -> Cell:
        """One of the boxes."""
        return Cell(self.low[row], self.high[row], self.table[row].copy(), self.cells[row].sides)


class Judged:
    """The same by the compiled kernel, if there is one: bounds derived on boxes, and some of them bounded as leaves.

    Args:
        slopes: of each leaf, as it says them.

    Attributes:
        bounds: of the leaves, in their order, of ``sign * z`` in 2^-56.
    """

    def __init__(
        self,
        own: Arithmetic,
        cells: Sequence[Cell],
        last: Sequence[Sequence[int] | None],
        neuron: int,
        slopes: Mapping[int, Sequence[str]],
        sign: int = 1,
    ) -> None:
        self.cells = cells
        if own.kernel is None:
            self._batch: Batch | None = Batch(own, cells, last)
            self.bounds = self._batch.bounds(neuron, slopes, sign)
            self.good, self.empty, self.known = self._batch.good, self._batch.empty, self._batch.known
            return
        self._batch, self.table = None, np.array([c.known for c in cells])
        self.known = own.layers(self.table)
        low, high = np.array([c.low for c in cells]), np.array([c.high for c in cells])
        again = np.ones((len(cells), own.widths[-1]), dtype=np.uint8)
        for row, some in enumerate(last):
            if some is not None:
                again[row] = 0
                again[row, list(some)] = 1
        leaf, said = np.zeros(len(cells), dtype=np.uint8), np.full((len(cells), own.ends[-1]), -1, dtype=np.int8)
        for row, texts in slopes.items():
            leaf[row] = 1
            whole = "".join(texts)
            if len(whole) == said.shape[1]:
                said[row] = _CHARACTERS[np.frombuffer(whole.encode(), dtype=np.uint8)]
                continue
            for first, text in zip(own.ends, texts, strict=False):
                if text:
                    said[row, first : first + len(text)] = _CHARACTERS[np.frombuffer(text.encode(), dtype=np.uint8)]
        found, states = own.kernel.boxes(low, high, self.table, again, leaf, said, neuron, sign)
        self.good, self.empty = (states & 1).astype(bool), (states & 2).astype(bool)
        self.bounds = found[list(slopes)].tolist()

    def cell(self, row: int) -> Cell:
        """One of the boxes."""
        if self._batch is not None:
            return self._batch.cell(row)
        cell = self.cells[row]
        return Cell(cell.low, cell.high, self.table[row], cell.sides)


def _small(numbers: Sequence[Any]) -> Array:
    found = np.array(numbers, dtype=object)
    if any(abs(v) >= LARGE for v in found.flat):
        raise OverflowError("too large for batches")
    return found.astype(np.int64)


def _ordered(left: Any, right: Any) -> bool:
    """Is left <= right? Fractions would build more of them."""
    return bool(left.numerator * right.denominator <= right.numerator * left.denominator)


def _halves(numbers: Array, axis: int) -> Array:
    """Integers as ``upper 2^CUT + lower``, side by side along an axis, in floats."""
    upper = numbers >> CUT
    return np.concatenate([upper, numbers - (upper << CUT)], axis=axis).astype(float)


_CHARACTERS = np.zeros(128, dtype=np.int8)
_CHARACTERS[[ord(c) for c in SIXTEENTHS]] = range(17)


def _slopes(text: str) -> Array:
    """Slopes that are said in sixteenths."""
    return np.array([SIXTEENTHS[c] for c in text])


def _add(left: Array, right: Array, high: Array, low: Array) -> None:
    """Add the products of rows to ``high 2^28 + low``; both sides below LARGE."""
    upper = right >> CUT
    more = np.einsum("rk,rk->r", left, upper)
    high += more >> CUT
    low += ((more & (1 << CUT) - 1) << UNIT - CUT) + np.einsum("rk,rk->r", left, right - (upper << CUT))
