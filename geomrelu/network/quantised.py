"""A quantised network as the network of whole numbers that it is.

Layers count from 1, neurons from 0, as in :class:`~geomrelu.network.network.Network`; between affine maps stand
*quantisers*, ``k = min(max(round(y / step), low), high)`` with halves to the even neighbour, and ReLUs. The variables
are the inputs (real numbers), then what each layer makes: the whole numbers k, or max(y, 0). Scales are the dyadic
numbers that their floats hold.

**What is modelled.** Sums of products are exact, as in an engine that computes in integers, and y / step is rounded
once, to a whole number. An engine rounds y / step to a float first: where it lies within a few units of the 24th bit of
k + 1/2, the engine may go to the other neighbour. So a verdict is about the exact network of whole numbers.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineMap
from geomrelu.exact.numbers import common, rationals
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.io.reading import Reading
from geomrelu.io.tape import Quantiser, Tape, nearest_even
from geomrelu.rounding import to_nearest

__all__ = ["QuantisedNetwork", "WholeNumbers", "read_layers"]

CHUNK = 1 << 14  # points at a time
FINE = 256  # parts of the side of an input that is read before it is quantised, in a search
_SAFE = 1 << 62  # sums that stay below this stay exact in 64 bits


@dataclass(frozen=True, eq=False)
class QuantisedNetwork:
    """A network with layers of whole numbers.

    Attributes:
        inputs: n, the input dimension.
        layers: per layer the exact map y over all variables before it.
        quantisers: per layer what makes whole numbers of y, or None for a ReLU.
        output: the map after the last layer over all variables, or None.
        reading: what the reader of its file says; its layers are those of the network.
    """

    inputs: int
    layers: tuple[AffineMap, ...]
    quantisers: tuple[Quantiser | None, ...]
    output: AffineMap | None
    reading: Reading

    @classmethod
    def from_tape(cls, tape: Tape) -> QuantisedNetwork:
        """From a recorded program; layers that nothing reads are dropped, and layers are named by what they do."""
        assert tape.reading is not None
        kept = read_layers(tape)
        starts = np.cumsum([tape.inputs] + [m.outputs for m in tape.layers])
        place = np.full(tape.variables, -1)
        place[: tape.inputs] = np.arange(tape.inputs)
        count = tape.inputs
        for l in kept:
            place[starts[l] : starts[l + 1]] = np.arange(count, count + tape.layers[l].outputs)
            count += tape.layers[l].outputs

        def moved(map_: AffineMap) -> AffineMap:
            return AffineMap(count, map_.indptr, place[map_.indices], map_.data, map_.bias, map_.denominator)

        layers = tuple(moved(tape.layers[l]) for l in kept)
        quantisers = tuple(tape.quantisers[l] for l in kept)
        output = None if tape.output is None else moved(tape.output)
        names = [tape.read[l] for l in kept]
        network = cls(tape.inputs, layers, quantisers, output, replace(tape.reading, layers=tuple(names)))
        for l, quantiser in enumerate(quantisers):
            if quantiser is not None:
                own = not any(quantiser.low) and l not in network.entries and not network.whole[l]
                kind = "quantised ReLU" if not any(quantiser.low) else "quantiser"
                names[l] = replace(names[l], kind=kind, own=own)
        return replace(network, reading=replace(network.reading, layers=tuple(names)))

    @property
    def depth(self) -> int:
        """Number of layers, quantisers and ReLUs."""
        return len(self.layers)

    @property
    def widths(self) -> tuple[int, ...]:
        """Neurons of each layer."""
        return tuple(layer.outputs for layer in self.layers)

    @property
    def judged(self) -> list[int]:
        """The layers (from 1) of quantised ReLUs, whose least value is their zero point, and of the model's ReLUs."""
        return self.reading.judged

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """``starts[l]`` is the first variable of layer l (l = 0: the inputs); the last entry is their number."""
        return (0, *(int(v) for v in np.cumsum([self.inputs, *self.widths])))

    @cached_property
    def entries(self) -> dict[int, np.ndarray]:
        """Layers (from 0) that quantise inputs, each of which nothing else reads: -> the input of each neuron."""
        maps = [*self.layers, *([] if self.output is None else [self.output])]
        reads = np.zeros(self.starts[-1], dtype=np.int64)
        for map_ in maps:
            reads += np.bincount(map_.indices, minlength=len(reads))
        found = {}
        for l, (map_, quantiser) in enumerate(zip(self.layers, self.quantisers, strict=True)):
            single = quantiser is not None and len(map_.indices) and (np.diff(map_.indptr) == 1).all()
            if single and map_.indices.max() < self.inputs and (reads[map_.indices] == 1).all():
                found[l] = map_.indices
        return found

    @cached_property
    def whole(self) -> list[bool]:
        """Per layer, is y / step a whole number in all its rows, so that nothing is rounded (but perhaps clipped)?"""
        units: list[Fraction | None] = [None] * self.inputs  # each variable is a multiple of its unit, if it has one
        found = []
        for map_, quantiser in zip(self.layers, self.quantisers, strict=True):
            rows = _units(map_, units)
            steps = () if quantiser is None else quantiser.steps
            pairs = zip(rows, steps, strict=False)
            found.append(bool(steps) and all(u is not None and (u / s).denominator == 1 for u, s in pairs))
            units += rows if quantiser is None else [Fraction(1)] * map_.outputs
        return found

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the network as what it computes, whatever its file looks like: what certificates name it by."""
        found = hashlib.sha256(f"{self.inputs}".encode())
        maps = [
            *zip(self.layers, self.quantisers, strict=True),
            *([] if self.output is None else [(self.output, None)]),
        ]
        for map_, quantiser in maps:
            entries, bias = map_.data.tolist(), list(map_.bias)
            shared = math.gcd(map_.denominator, *entries, *bias)
            numbers = [[v // shared for v in part] for part in (entries, bias)]
            parts = [map_.denominator // shared, *numbers, map_.indices.tolist(), map_.indptr.tolist()]
            if quantiser is not None:
                parts.append([[str(s) for s in quantiser.steps], quantiser.low, quantiser.high])
            found.update(json.dumps(parts).encode())
        return found.hexdigest()

    def without(self, removed: Collection[tuple[int, int]]) -> QuantisedNetwork:
        """The network without some (layer, neuron), whose variables count as 0; layers that lose all are dropped.

        What the file says of the layers goes with them.
        """
        gone = np.zeros(self.starts[-1], dtype=bool)
        for layer, i in removed:
            gone[self.starts[layer] + i] = True
        place = np.cumsum(~gone) - 1
        layers, quantisers, names = list[AffineMap](), list[Quantiser | None](), []
        for l, (map_, quantiser) in enumerate(zip(self.layers, self.quantisers, strict=True)):
            kept = np.flatnonzero(~gone[self.starts[l + 1] : self.starts[l + 2]]).tolist()
            if kept:
                layers.append(_narrowed(map_.take(kept), gone, place))
                quantisers.append(None if quantiser is None else quantiser.take(kept))
                names.append(self.reading.layers[l])
        output = None if self.output is None else _narrowed(self.output, gone, place)
        reading = replace(self.reading, layers=tuple(names))
        return QuantisedNetwork(self.inputs, tuple(layers), tuple(quantisers), output, reading)

    def is_cut_by(self, layer: int) -> bool:
        """Does everything after this layer read nothing from before it? (If it kills, the network is then constant.)"""
        later = [*self.layers[layer:], *([] if self.output is None else [self.output])]
        first = self.starts[layer]
        return all(bool((m.indices >= first).all()) for m in later)

    def values(self, point: Sequence[Any], up_to: int | None = None) -> list[list[Fraction]]:
        """What layers 1 ... ``up_to`` make of a point: whole numbers, or the values of ReLUs.

        Exact: yes, one row after the other, in integers over one denominator.
        """
        numbers, found = self._start(point), list[list[Fraction]]()
        pairs = zip(self.layers, self.quantisers, strict=True)
        for map_, quantiser in list(pairs)[:up_to]:
            y = _applied(map_, numbers)
            if quantiser is None:
                made = [max(v, Fraction(0)) for v in y]
            else:
                rows = zip(y, quantiser.steps, quantiser.low, quantiser.high, strict=True)
                made = [Fraction(nearest_even(*row)) for row in rows]
            found.append(made)
            numbers = [*numbers, *made]
        return found

    def _start(self, point: Sequence[Any]) -> list[Fraction]:
        x = rationals(point, "point")
        if len(x) != self.inputs:
            raise InputError(f"the network reads R^{self.inputs}, the point lies in R^{len(x)}")
        return list(x)

    def __call__(self, point: Sequence[Any]) -> list[Fraction]:
        """The exact output."""
        values = self.values(point)
        if self.output is None:
            return values[-1]
        return _applied(self.output, [*self._start(point), *(v for layer in values for v in layer)])


def _narrowed(map_: AffineMap, gone: np.ndarray, place: np.ndarray) -> AffineMap:
    """A map without the variables that are gone; the others get the numbers that ``place`` says."""
    kept = ~gone[map_.indices]
    rows = map_.row_of[kept]
    columns, shape = place[map_.indices[kept]], (map_.outputs, int((~gone).sum()))
    return AffineMap.from_entries(
        shape, rows, columns, map_.data[kept], map_.denominator, list(map_.bias), map_.denominator
    )


def _applied(map_: AffineMap, x: Sequence[Fraction]) -> list[Fraction]:
    """The value of a map over all variables at those that there are."""
    numerators, bottom = common(x)
    return [Fraction(v, map_.denominator * bottom) for v in map_.apply(numerators, bottom)]


def _units(map_: AffineMap, units: Sequence[Fraction | None]) -> list[Fraction | None]:
    """Of which number each row is a multiple; None if it reads a variable that is a multiple of none."""
    bottom = math.lcm(1, *{u.denominator for u in units if u is not None})
    tops = [0 if u is None else u.numerator * (bottom // u.denominator) for u in units]
    found: list[Fraction | None] = []
    for i in range(map_.outputs):
        bias, columns, entries = map_.row(i)
        parts = [v * tops[j] for j, v in zip(columns, entries, strict=True)]
        unit = Fraction(math.gcd(bias * bottom, *parts), bottom * map_.denominator)
        found.append(unit if all(parts) else None)
    return found


def read_layers(tape: Tape) -> list[int]:
    """The layers (from 0) that the output depends on, through others or not."""
    starts = np.cumsum([tape.inputs] + [m.outputs for m in tape.layers])
    needed = {len(tape.layers) - 1} if tape.output is None else set()
    for l in range(len(tape.layers), -1, -1):
        map_ = tape.output if l == len(tape.layers) else tape.layers[l] if l in needed else None
        if map_ is not None:
            before = np.searchsorted(starts, np.unique(map_.indices), side="right") - 1
            needed |= {int(b) for b in before if b >= 0}
    return sorted(needed)


# ---- on a box, all in whole numbers -------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Rows:
    """A layer in whole numbers: ``acc = A n + c`` and then ``round((up acc + shift) / down)``, or max(acc, 0)."""

    matrix: Any  # scipy.sparse (rows, variables) of int64, or a dense array of Python's integers
    constants: np.ndarray
    up: list[int]
    shift: list[int]
    down: list[int]
    low: np.ndarray
    high: np.ndarray
    rounds: bool

    @cached_property
    def read(self) -> np.ndarray:
        """Which variables have a coefficient."""
        if isinstance(self.matrix, np.ndarray):
            return (self.matrix != 0).any(axis=0)
        return np.asarray(self.matrix.getnnz(axis=0) > 0)

    def numbers(self, values: np.ndarray) -> np.ndarray:
        """Values of all variables, on the last axis, as the kind of integers that the layer is computed in.

        Those that it does not read may be too large for 64 bits, and become 0.
        """
        kind = self.constants.dtype
        if values.dtype.hasobject and not kind.hasobject:
            values = np.where(self.read, values, 0)
        return values.astype(kind)

    @cached_property
    def ratio(self) -> np.ndarray:
        """up / down in floats, correctly rounded."""
        return np.array([u / d for u, d in zip(self.up, self.down, strict=True)])

    @cached_property
    def offset(self) -> np.ndarray:
        """shift / down, likewise."""
        return np.array([s / d for s, d in zip(self.shift, self.down, strict=True)])


class WholeNumbers:
    """A quantised network on a box, with whole numbers t for inputs.

    An input that is quantised first, and read by nothing else, takes as many values as its quantiser makes of its side:
    t is the code, and every code between that of the lower and that of the upper end occurs. Another input takes the
    values ``lower + (upper - lower) * t / 256``, which are only some of all (then ``complete`` is False).

    Attributes:
        lower, upper: arrays (inputs,), the least and greatest t.
        zeros: the (layer, neuron) that :meth:`known` was told of, which narrowed the intervals.
        complete: do the values of t stand for all points of the box?
        count: how many there are.
    """

    def __init__(self, network: QuantisedNetwork, box: Polyhedron) -> None:
        self.network = network
        self.zeros: list[tuple[int, int]] = []
        self.sides: list[tuple[Fraction, Fraction]] = []
        for low, high in zip(box.checked.lower, box.checked.upper, strict=True):
            if not box.is_box or low is None or high is None:
                raise InputError("a quantised network is judged on a bounded box, or on points")
            self.sides.append((low, high))
        self.codes: dict[int, tuple[Fraction, Fraction, Fraction]] = {}  # input -> factor, shift, step of its quantiser
        read = {int(j) for map_ in network.layers for j in map_.indices if j < network.inputs}
        ends = [(0, FINE if low < high and j in read else 0) for j, (low, high) in enumerate(self.sides)]
        for l, inputs in network.entries.items():
            quantiser = network.quantisers[l]
            assert quantiser is not None
            for i, j in enumerate(inputs.tolist()):
                bias, _, entries = network.layers[l].row(i)
                factor, shift = (Fraction(v, network.layers[l].denominator) for v in (entries[0], bias))
                self.codes[j] = factor, shift, quantiser.steps[i]
                bounds = quantiser.steps[i], quantiser.low[i], quantiser.high[i]
                first, last = sorted(nearest_even(factor * x + shift, *bounds) for x in self.sides[j])
                ends[j] = first, last
        self.lower, self.upper = (np.array(side, dtype=np.int64) for side in zip(*ends, strict=True))
        self.complete = all(j in self.codes or low == high for j, (low, high) in enumerate(ends))
        self.count = math.prod(high - low + 1 for low, high in ends)
        self._make()

    def point(self, t: Sequence[int]) -> list[Fraction]:
        """A point of the box that t stands for."""
        found = []
        for j, (value, (low, high)) in enumerate(zip(t, self.sides, strict=True)):
            if j in self.codes:
                factor, shift, step = self.codes[j]
                found.append(min(max((int(value) * step - shift) / factor, low), high))
            else:
                found.append(low + (high - low) * int(value) / FINE)
        return found

    def grid(self, first: int, last: int) -> np.ndarray:
        """The values of t with the numbers first ... last - 1, an array (last - first, inputs)."""
        numbers = np.arange(first, last)
        columns = []
        for low, high in zip(self.lower.tolist(), self.upper.tolist(), strict=True):
            columns.append(low + numbers % (high - low + 1))
            numbers = numbers // (high - low + 1)
        return np.stack(columns, axis=1)

    def greatest(
        self, layers: Collection[int], goes_on: Callable[[int], bool] = lambda _: True
    ) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """Over all t: layer (from 1) -> the greatest value of each neuron, in units of ``scales``, and a t for it.

        Args:
            goes_on: asked before every 16,384 values of t, with how many are done; empty if it says no.
        """
        best: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for first in range(0, self.count, CHUNK):
            if not goes_on(first):
                return {}
            t = self.grid(first, min(first + CHUNK, self.count))
            values = self.values(t, max(layers))
            for layer in layers:
                place = np.argmax(values[layer - 1], axis=0)
                most = values[layer - 1][place, np.arange(len(place))]
                if layer not in best:
                    best[layer] = most, t[place]
                else:
                    better = most > best[layer][0]
                    best[layer][0][better], best[layer][1][better] = most[better], t[place][better]
        return best

    def unit(self, layer: int, i: int) -> Fraction:
        """What a value of a neuron is counted in: 1 where it is a whole number."""
        rounds = self.network.quantisers[layer - 1] is not None
        return Fraction(1) if rounds else self.scales[self.network.starts[layer] + i]

    # ---- the rows ---------------------------------------------------------------------------------------------

    def _make(self) -> None:
        """The layers over whole numbers, with bounds of each variable from intervals."""
        network = self.network
        self.rows: list[_Rows] = []
        self.scales: list[Fraction] = [Fraction(1)] * network.inputs  # each variable is shift + scale * whole number
        self.shifts: list[Fraction] = [Fraction(0)] * network.inputs
        for j, (low, high) in enumerate(self.sides):
            if j not in self.codes:
                self.scales[j], self.shifts[j] = (high - low) / FINE or Fraction(1), low
        self.bounds = [(self.lower.astype(object), self.upper.astype(object))]
        for l in range(network.depth):
            self.rows.append(self._layer(l))
            self.bounds.append(self._bounded(l))

    def _layer(self, l: int) -> _Rows:
        map_, quantiser = self.network.layers[l], self.network.quantisers[l]
        size = map_.outputs
        entry = self.network.entries.get(l)
        lowest = np.concatenate([b[0] for b in self.bounds])
        largest = np.maximum(abs(lowest), abs(np.concatenate([b[1] for b in self.bounds]))).tolist()
        scales, scale = common(self.scales)
        shifts, by = common(self.shifts)
        moved = any(shifts)
        coefficients, columns, constants, most = list[int](), list[list[int]](), list[int](), 0
        up, shift, down = list[int](), list[int](), list[int]()
        for i in range(size):
            bias, at, entries = map_.row(i)
            columns.append(at)
            if entry is not None:  # t is the code itself
                whole, bottom, total, step = [1], 1, Fraction(0), Fraction(1)
            else:
                whole, bottom = [v * scales[j] for j, v in zip(at, entries, strict=True)], map_.denominator * scale
                more = sum(v * shifts[j] for j, v in zip(at, entries, strict=True)) if moved else 0
                total = Fraction(bias * by + more, map_.denominator * by)
                step = Fraction(1) if quantiser is None else quantiser.steps[i]
            c = 0
            if quantiser is None:  # the sum is the number itself, in units of it
                extended = math.lcm(bottom, total.denominator)
                whole, c = [v * (extended // bottom) for v in whole], int(total * extended)
                bottom, total = extended, Fraction(0)
            shared = math.gcd(c, *whole) or 1
            whole = [v // shared for v in whole]
            coefficients += whole
            constants.append(c // shared)
            ratio, rest = Fraction(shared, bottom) / step, total / step
            down.append(math.lcm(ratio.denominator, rest.denominator))
            up.append(int(ratio * down[-1]))
            shift.append(int(rest * down[-1]))
            most = max(most, abs(constants[-1]) + sum(abs(v) * largest[j] for j, v in zip(at, whole, strict=True)))
            if quantiser is None:
                self.scales.append(Fraction(shared, bottom))
        if quantiser is not None:
            self.scales += [Fraction(1)] * size
        self.shifts += [Fraction(0)] * size
        low, high = (
            np.array(getattr(quantiser, side) if quantiser is not None else [0] * size, dtype=object)
            for side in ("low", "high")
        )
        matrix = _matrix(coefficients, columns, len(largest), most < _SAFE)
        added = np.array(constants, dtype=np.int64 if most < _SAFE else object)
        return _Rows(matrix, added, up, shift, down, low, high, quantiser is not None)

    def _bounded(self, l: int) -> tuple[np.ndarray, np.ndarray]:
        """The interval of each variable of layer l, in whole numbers, exactly as intervals give it."""
        made = [self._made(l, end[None, :])[0].astype(object) for end in self._extremes(l)]
        return made[0], made[1]

    def _extremes(self, l: int) -> tuple[np.ndarray, np.ndarray]:
        """The interval of each sum of layer l."""
        rows = self.rows[l]
        below, above = (np.concatenate(side) for side in zip(*self.bounds[: l + 1], strict=True))
        positive, negative = _parts(rows.matrix)
        below, above = rows.numbers(below), rows.numbers(above)
        return (
            positive @ below + negative @ above + rows.constants,
            positive @ above + negative @ below + rows.constants,
        )

    def known(self, l: int, zeros: Sequence[int]) -> None:
        """These neurons of layer l (from 0) have been proved to be 0 everywhere: the intervals after it narrow."""
        self.zeros += [(l + 1, i) for i in sorted(zeros)]
        self.bounds[l + 1][1][list(zeros)] = 0
        for later in range(l + 1, self.network.depth):
            low, high = self._bounded(later)
            old_low, old_high = self.bounds[later + 1]
            self.bounds[later + 1] = np.maximum(low, old_low), np.minimum(high, old_high)

    def _sums(self, l: int, before: np.ndarray) -> np.ndarray:
        rows = self.rows[l]
        if rows.constants.dtype == object:
            return rows.numbers(before) @ rows.matrix.T + rows.constants
        return np.asarray((rows.matrix @ rows.numbers(before).T).T) + rows.constants

    def reach(self, l: int) -> list[Fraction]:
        """An upper bound of y / step of each neuron of layer l (from 0), before it is rounded."""
        rows = self.rows[l]
        sums = self._extremes(l)[1]
        return [Fraction(u * int(a) + s, d) for a, u, s, d in zip(sums, rows.up, rows.shift, rows.down, strict=True)]

    def _made(self, l: int, sums: np.ndarray) -> np.ndarray:
        rows = self.rows[l]
        if not rows.rounds:
            return np.maximum(sums, 0)
        return _rounded(sums, rows)

    def values(self, t: np.ndarray, layers: int | None = None) -> list[np.ndarray]:
        """What layers 1 ... ``layers`` make of an array (points, inputs) of t, exactly, in units of ``scales``."""
        before, found = t, []
        for l in range(self.network.depth if layers is None else layers):
            found.append(self._made(l, self._sums(l, before)))
            before = np.concatenate([before, found[-1]], axis=1)
        return found


def _matrix(coefficients: list[int], columns: list[list[int]], width: int, small: bool) -> Any:
    if small:
        from scipy import sparse

        indptr = np.cumsum([0] + [len(at) for at in columns])
        flat = [j for at in columns for j in at]
        shape = (len(columns), width)
        return sparse.csr_matrix((np.array(coefficients, dtype=np.int64), flat, indptr), shape=shape, dtype=np.int64)
    matrix = np.zeros((len(columns), width), dtype=object)
    values = iter(coefficients)
    for i, at in enumerate(columns):
        for j in at:
            matrix[i, j] = next(values)
    return matrix


def _parts(matrix: Any) -> tuple[Any, Any]:
    """Its positive and its negative entries."""
    if isinstance(matrix, np.ndarray):
        return np.where(matrix > 0, matrix, 0), np.where(matrix < 0, matrix, 0)
    return matrix.maximum(0), matrix.minimum(0)


def _rounded(sums: np.ndarray, rows: _Rows) -> np.ndarray:
    """``round((up * sums + shift) / down)`` within [low, high], halves to even, exactly; 64 bits.

    A float decides only where it is sure: u = a p + r has an error below 2^-50 (|a p| + |r|), as each of a, p and r has
    one of at most 2^-53 of itself, and each operation one of 2^-53 of its result. The rest is computed in integers.
    """
    to_nearest()
    low, high = rows.low.astype(np.int64), rows.high.astype(np.int64)
    product = sums.astype(float) * rows.ratio
    u = product + rows.offset
    found = np.rint(np.clip(u, low - 1, high + 1))
    error = (abs(product) + abs(rows.offset)) * 2.0**-50 + 2.0**-900
    inside = (u > low - 1) & (u < high + 1)
    sure = np.where(inside, 0.5 - abs(u - found), np.minimum(abs(u - low), abs(u - high)) - 0.5) > error
    found = np.clip(found, low, high).astype(np.int64)
    for k, i in np.argwhere(~sure):
        exact = round(Fraction(rows.up[i] * int(sums[k, i]) + rows.shift[i], rows.down[i]))
        found[k, i] = min(max(exact, int(low[i])), int(high[i]))
    return found
