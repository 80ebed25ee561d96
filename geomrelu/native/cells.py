"""A block of cells cut by the neurons of one layer through the compiled kernel: arrays that grow while C fills them.

``cells.c`` does what :class:`geomrelu.network.subdivision.Block` does in arrays, cell by cell, and proves its signs and
its coordinates as is shown at the head of that module, with two differences. In units |v̂| <= 1 + 2**-8, e <= 1/8, and
u, ν, K are as there.

**Forms.** A *root* is a cell as it was before the layer. On it and on all that is cut out of it a neuron of the layer
is one form f, computed forwards through the layers with the root's signs. Column by column that is the network on a
unit vector with some neurons switched off, so that |f̂ - f|_1 <= 2 K u ν =: η by the proof there. Hence z = f.v is
known up to d = F (e + (n + 16) u) + 2 η for F = |f̂|_1: the error of v̂, that of f̂, and less than n + 4 roundings. That
proves signs, where |ẑ| > d, and takes the place of d where an edge is cut. By continuity it does not matter of which
root a generator is taken to be.

**Equations.** The error of a generator on an edge grows with each that came before it. Where it exceeds ``fine``, the
coordinates are found from the n or more forms that vanish there (rows M, n + 1 columns). Of the multiples of the
generator take the v that agrees with v̂ in the largest coordinate, which is at least 1/2, so that the multiple is a
positive one; let M' be M without that column, δ = v - v̂, r = M v̂, so that M' δ = -r. For any R, with C = I - R M',

    δ = -R r + C δ,    |δ| <= |R r| / (1 - |C|)  if |C| < 1,    δ + R r̂ = -R (r - r̂) + C δ:

v̂ - R r̂ is wrong by at most |R| |r - r̂| + |C| |R r| / (1 - |C|), and |C| < 1 proves that the solution is unique. In
floats r is wrong by ρ = F (m + n + 16) u + 2 η for m rows (η = 0 for the domain's, each coefficient of which is within
2u), C by |R| ρ as well, R r̂ by (m + 2) u |R| |r̂|; 16u pays for the last subtraction, and 1 + 2**-20 for rounding the
bound.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from geomrelu.native.boxes import LANES
from geomrelu.native.library import INT, POINTER, function

__all__ = ["DONE", "DOUBT", "PAUSE", "TIRED", "UNDONE", "Cutter", "Sheet", "sheet"]

Array = np.ndarray
DONE, DOUBT, UNDONE, FULL, PAUSE, TIRED = range(6)
ROOM = 1 << 12, 1 << 12, 1 << 15, 1 << 10  # at first: generators, cells, incidences, edges of a cell
EFFORT = 1 << 24  # words to be compared before the kernel comes back: some hundredths of a second
_MOST = 1 << 30  # generators, cells and incidences of a block, which C counts in 32 bits


class Sheet(NamedTuple):
    """A layer as C reads it: the variables ``low..high`` besides s, weights (high - low, stride), biases (stride,)."""

    low: int
    high: int
    width: int
    weights: Array
    bias: Array


def sheet(low: int, high: int, weights: Array, bias: Array) -> Sheet:
    """A layer from weights (high - low, width), padded with zeros to a multiple of LANES."""
    width = len(bias)
    stride = -(-width // LANES) * LANES
    padded, biases = np.zeros((high - low, stride)), np.zeros(stride)
    padded[:, :width], biases[:width] = weights, bias
    return Sheet(low, high, width, padded, biases)


class _Layer(ctypes.Structure):
    _fields_ = [(name, INT) for name in ("low", "high", "width", "stride")] + [
        (name, POINTER) for name in ("weights", "bias")
    ]


# fmt: off
_NUMBERS = (
    "coordinates", "neurons", "layers", "earlier", "constraints", "equalities", "dimension", "words", "width",
    "stride", "masks", "bit", "neuron", "cells", "bound", "cursor", "generators", "first", "used", "live",
    "cell_room", "generator_room", "pool_room", "head_mask", "floats", "stale", "largest", "patience", "fresh",
    "undone", "need", "effort", "row", "column", "edge_room", "n_edges",
)
_ARRAYS = (
    "near", "zeros", "plus", "minus", "unknown", "doubtful", "home", "ends", "chain", "heads", "starts", "counts",
    "root", "pool", "cut", "before", "units", "facets", "wrong", "layer", "form_of", "forms", "doubt", "bad",
    "edges",
)
# fmt: on
_BY_GENERATOR = ("near", "zeros", "plus", "minus", "unknown", "home", "ends", "chain", "bad")
_BY_CELL = ("starts", "counts", "root", "cut")


class _Cutting(ctypes.Structure):
    _fields_ = [
        *((name, INT) for name in _NUMBERS),
        *((name, ctypes.c_double) for name in ("unit", "tiny", "fine", "rough")),
        *((name, POINTER) for name in _ARRAYS),
    ]


class Cutter:
    """Cells that are cut by the neurons of the last of some layers, from one on.

    Args:
        layers: up to the one whose neurons cut. units: of the coordinates (1 + inputs,).
        near, zeros: of the generators, as in :class:`geomrelu.network.subdivision.Block`.
        starts, members: of the cells. signs: int8 (cells, neurons), the earlier layers filled in.
        home: for each generator a cell that it belongs to.
        facets: of the domain, (so many constraints, then equations; 1 + inputs), in units.
        wrong: for each neuron twice what its form on a cell may be wrong by, all coefficients together.
        dimension: of the domain. neuron: the first one that cuts, within its layer.
        unit: the largest relative error of a rounding. tiny: forms that are smaller are left to integers. fine, rough:
            coordinates with larger errors are found from their equations, and, if that fails, left to integers.

    Raises:
        OverflowError: there is no compiled kernel.
        MemoryError: C found none, or the block is too large for its 32 bits.
    """

    def __init__(
        self,
        layers: Sequence[Sheet],
        units: Array,
        near: Array,
        zeros: Array,
        starts: Array,
        members: Array,
        signs: Array,
        home: Array,
        facets: Array,
        wrong: Array,
        *,
        constraints: int,
        dimension: int,
        neuron: int,
        unit: float,
        tiny: float,
        fine: float,
        rough: float,
    ) -> None:
        self._cut = function("cut", POINTER)
        self._signs = function("signs", POINTER, INT, POINTER, INT, returns=None)
        self._sorted = function("sorted", POINTER, INT, INT, *[POINTER] * 4, returns=None)
        last, cells, generators = layers[-1], len(starts) - 1, len(near)
        stride, masks = len(last.bias), (last.width + 63) // 64
        earlier = sum(layer.width for layer in layers[:-1])
        self._table = (_Layer * len(layers))(
            *(_Layer(s.low, s.high, s.width, len(s.bias), s.weights.ctypes.data, s.bias.ctypes.data) for s in layers)
        )
        self._kept, self._from = layers, neuron
        rooms = [max(2 * count, room) for count, room in zip((generators, cells, len(members), 0), ROOM, strict=True)]
        a: dict[str, Array] = {
            "near": np.empty((rooms[0], near.shape[1])),
            "zeros": np.empty((rooms[0], zeros.shape[1]), dtype=np.uint64),
            "home": np.empty(rooms[0], dtype=np.int32),
            "plus": np.zeros((rooms[0], masks), dtype=np.uint64),
            "minus": np.zeros((rooms[0], masks), dtype=np.uint64),
            "unknown": np.zeros((rooms[0], masks), dtype=np.uint64),
            "ends": np.empty((rooms[0], 2), dtype=np.int32),
            "chain": np.empty(rooms[0], dtype=np.int32),
            "bad": np.empty(rooms[0], dtype=np.int32),
            "starts": np.empty(rooms[1], dtype=np.int32),
            "counts": np.empty(rooms[1], dtype=np.int32),
            "root": np.empty(rooms[1], dtype=np.int32),
            "cut": np.empty((rooms[1], masks), dtype=np.uint64),
            "pool": np.empty(rooms[2], dtype=np.int32),
            "edges": np.empty((rooms[3], 3), dtype=np.int32),
            "heads": np.zeros(1 << max(10, generators.bit_length() + 2), dtype=np.int32),
            "doubtful": np.zeros(masks, dtype=np.uint64),
            "doubt": np.zeros(stride),
            "before": signs,
            "units": units,
            "facets": facets,
            "wrong": wrong,
        }
        self._arrays = a
        a["near"][:generators], a["zeros"][:generators], a["home"][:generators] = near, zeros, home
        a["starts"][:cells], a["counts"][:cells], a["root"][:cells] = (
            starts[:-1],
            starts[1:] - starts[:-1],
            np.arange(cells),
        )
        a["pool"][: len(members)], a["doubt"][: last.width] = members, wrong[earlier : earlier + last.width]
        self._c = c = _Cutting(
            coordinates=len(units),
            neurons=signs.shape[1],
            layers=len(layers),
            earlier=earlier,
            constraints=constraints,
            equalities=len(facets) - constraints,
            dimension=dimension,
            words=zeros.shape[1],
            width=last.width,
            stride=stride,
            masks=masks,
            bit=constraints + earlier,
            neuron=neuron,
            cells=cells,
            generators=generators,
            used=len(members),
            live=len(members),
            head_mask=len(a["heads"]) - 1,
            stale=1,
            unit=unit,
            tiny=tiny,
            fine=fine,
            rough=rough,
            layer=ctypes.addressof(self._table),
        )
        self._form()
        self._signs(ctypes.addressof(c), generators, None, neuron)

    def _form(self) -> None:
        """The layer as forms on the cells, those that follow each other and have the same signs before share them."""
        c, a = self._c, self._arrays
        before, fresh = a["before"][:, : c.earlier], np.ones(c.cells, dtype=bool)
        fresh[1:] = (before[1:] != before[:-1]).any(axis=1)
        chosen = fresh.nonzero()[0]
        a["form_of"] = fresh.cumsum(dtype=np.int32) - np.int32(1)
        a["forms"] = np.empty((len(chosen), c.coordinates, c.stride))
        self._rooms()
        form = function("forms", POINTER, INT, POINTER, POINTER)
        if not form(ctypes.addressof(c), len(chosen), chosen.ctypes.data, a["forms"].ctypes.data):
            raise MemoryError

    def _rooms(self) -> None:
        """Say where the arrays are and how much they hold."""
        c, a = self._c, self._arrays
        c.generator_room, c.cell_room, c.pool_room = len(a["near"]), len(a["starts"]), len(a["pool"])
        c.edge_room = len(a["edges"])
        if max(c.generator_room, c.cell_room, c.pool_room) > _MOST:
            raise MemoryError
        for name, array in a.items():
            setattr(c, name, array.ctypes.data)

    def _grown(self) -> None:
        """Twice the room; members of cells that are no more are swept out."""
        c, a = self._c, self._arrays
        if c.n_edges == c.edge_room:
            a["edges"] = np.concatenate([a["edges"], np.empty_like(a["edges"])])
            self._rooms()
            return
        for names, used in ((_BY_GENERATOR, c.generators), (_BY_CELL, c.cells)):
            for name in names:
                old = a[name]
                a[name] = np.zeros((2 * len(old), *old.shape[1:]), dtype=old.dtype)
                a[name][:used] = old[:used]
        begin, counts = a["starts"][: c.cells], a["counts"][: c.cells].astype(np.int64)
        ends = counts.cumsum()
        places = np.arange(c.live) + (begin - ends + counts).repeat(counts)
        pool = np.empty(max(len(a["pool"]), 2 * (c.live + c.need)), dtype=np.int32)
        pool[: c.live] = a["pool"][places]
        a["pool"], begin[:], c.used = pool, ends - counts, c.live
        self._rooms()

    # ---- what is known --------------------------------------------------------------------------------------------

    @property
    def neuron(self) -> int:
        """The pending neuron, within the layer."""
        return int(self._c.neuron)

    @property
    def incidences(self) -> int:
        """Generators of cells, counted with repetition."""
        return int(self._c.live)

    @property
    def near(self) -> Array:
        """Of all generators."""
        return self._arrays["near"][: self._c.generators]

    @property
    def zeros(self) -> Array:
        """Of all generators."""
        return self._arrays["zeros"][: self._c.generators]

    @property
    def home(self) -> Array:
        """For each generator a cell, of those that there were at first, that it belongs to."""
        return self._arrays["home"][: self._c.generators]

    # ---- work -----------------------------------------------------------------------------------------------------

    def run(self, largest: int, patience: int, floats: bool) -> tuple[int, int]:
        """Resolve neurons; stops, between two of them, with more incidences or new cells than these.

        Args:
            floats: may coordinates be found in floats?

        Returns:
            DONE: the layer is; DOUBT: see :meth:`unknown`; UNDONE: see :meth:`undone`; PAUSE; TIRED: in the middle of a
            neuron, to look at the clock; and how many new cells.
        """
        c = self._c
        c.largest, c.patience, c.floats, c.fresh, c.effort = largest, patience, floats, 0, EFFORT
        while (state := self._cut(ctypes.addressof(c))) == FULL:
            self._grown()
        if state < 0:
            raise MemoryError
        return state, int(c.fresh)

    def unknown(self) -> Array:
        """The generators at which the sign of the pending neuron is not proved."""
        word, at = divmod(self.neuron, 64)
        column = self._arrays["unknown"][: self._c.generators, word]
        return (column >> np.uint64(at) & np.uint64(1)).nonzero()[0]

    def decide(self, generators: Array, signs: Array) -> None:
        """The signs of the pending neuron there. (Zeros are for the caller to note.)"""
        word, at = divmod(self.neuron, 64)
        a, bit = self._arrays, np.uint64(1 << at)
        a["plus"][generators[signs > 0], word] |= bit
        a["minus"][generators[signs < 0], word] |= bit
        a["unknown"][generators, word] &= ~bit
        a["doubtful"][word] &= ~bit
        self._c.stale = 1

    def undone(self) -> tuple[Array, Array]:
        """New generators that floats do not find well enough, and the two ends of the edge of each."""
        found = self._arrays["bad"][: self._c.undone].astype(np.int64)
        return found, self._arrays["ends"][found].astype(np.int64)

    def place(self, generators: Array, near: Array) -> None:
        """Their coordinates."""
        c = self._c
        self._arrays["near"][generators] = near
        self._signs(ctypes.addressof(c), len(generators), generators.ctypes.data, self.neuron)
        c.undone, c.stale = 0, 1

    def result(self) -> tuple[Array, Array, Array]:
        """``starts, members, signs`` of the cells, those with one home one after another."""
        c, before = self._c, self._arrays["before"]
        starts, members = np.empty(c.cells + 1, dtype=np.int64), np.empty(c.live, dtype=np.int64)
        signs, room = np.empty((c.cells, before.shape[1]), dtype=np.int8), np.empty(len(before) + 1, dtype=np.int64)
        places = (array.ctypes.data for array in (room, starts, members, signs))
        self._sorted(ctypes.addressof(c), self._from, len(before), *places)
        return starts, members, signs
