"""Boxes taken through the compiled kernel: what C reads, kept alive while it may be read."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from geomrelu.native.library import INT, POINTER, function

__all__ = [
    "DEFAULT",
    "EXACTLY",
    "IMPROVED",
    "INPUT",
    "LANES",
    "NEURON",
    "PROGRAM",
    "WIDEST",
    "Explored",
    "Explorer",
    "Judge",
]

Array = np.ndarray
LANES = 8  # widths are padded to multiples of it
WIDEST, INPUTS = 1024, 64  # of layers, of inputs
HELD = float(1 << 34)  # weights in units that judge.c takes
NARROW = float(1 << 35)  # sums of weights with which judge.c may add in floats
DEFAULT, IMPROVED, EXACTLY, NEURON, INPUT, PROGRAM = range(6)


def _at(array: Array | None) -> int | None:
    return None if array is None else array.ctypes.data


def _padded(matrix: Array, columns: int | None = None) -> Array:
    """As floats, with columns of zeros up to a multiple of LANES."""
    width = matrix.shape[1] if columns is None else columns
    found = np.zeros((matrix.shape[0], -(-width // LANES) * LANES))
    found[:, : matrix.shape[1]] = matrix
    return found


def _pointers(arrays: Sequence[Array | None]) -> Any:
    return (POINTER * len(arrays))(*map(_at, arrays))


def _fields(**kinds: str) -> list[tuple[str, Any]]:
    """Of a struct: those of each kind, in order."""
    kind = {"int": INT, "pointer": POINTER, "double": ctypes.c_double}
    return [(name, kind[key.rstrip("_")]) for key, names in kinds.items() for name in names.split()]


class _Model(ctypes.Structure):
    _fields_ = _fields(int="layers inputs corners", pointer="widths matrices narrow varies")


class Judge:
    """The layers up to that of a neuron in units, and boxes judged there.

    Args:
        weights: of each layer integers (width, 1 + width before), last the biases. varies: does an input vary?

    Raises:
        OverflowError: too wide, or numbers that are too large; or there is no compiled kernel.
    """

    def __init__(self, weights: Sequence[Array], varies: Sequence[bool]) -> None:
        widths = [len(varies), *map(len, weights)]
        if max(widths) > WIDEST or any(abs(w).max(initial=0) >= HELD for w in weights):
            raise OverflowError("too large for the compiled kernel")
        self._kept = [
            np.array(widths, dtype=np.int64),
            np.array([0, *(float(abs(w).sum(axis=0).max()) < NARROW for w in weights)], dtype=np.int64),
            np.array(varies, dtype=np.int64),
            *[_padded(w) for w in weights],
        ]
        self._matrices = _pointers([None, *self._kept[3:]])
        self._judge = function("judge", POINTER, INT, *[POINTER] * 6, INT, INT, POINTER, POINTER)
        self._model = _Model(
            len(weights) - 1,
            len(varies),
            1 << sum(varies),
            _at(self._kept[0]),
            ctypes.addressof(self._matrices),
            _at(self._kept[1]),
            _at(self._kept[2]),
        )

    def boxes(
        self, low: Array, high: Array, known: Array, again: Array, leaf: Array, slopes: Array, neuron: int, sign: int
    ) -> tuple[Array, Array]:
        """Derive bounds, and bound ``sign * z`` on leaves.

        Args:
            low, high: sides (boxes, inputs), int64. known: (boxes, for each layer low and high of each neuron), int64;
                what is derived is met with it, in place. again: which neurons of the last layer are derived (boxes,
                width), uint8. leaf: (boxes,), uint8. slopes: (boxes, neurons), int8, sixteenths; -1: the default.

        Returns:
            Bounds in 2^-56 (boxes,), and states: 1 good, 3 good and empty, 0 for somebody else.
        """
        count = len(low)
        bounds, states = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.uint8)
        arrays = map(_at, (low, high, known, again, leaf, slopes))
        model = ctypes.addressof(self._model)
        if not self._judge(model, count, *arrays, neuron, sign < 0, _at(bounds), _at(states)):
            raise MemoryError
        return bounds, states


class _Network(ctypes.Structure):
    _fields_ = _fields(
        int="layers inputs corners",
        pointer="widths matrices turned biases target",
        double="constant",
        pointer_="varies",
        double_="enough nothing",
        int_="steps few",
    )


class Explored(NamedTuple):
    """What a visit to boxes has found, arrays (boxes, ...): see ``_step`` in ``branch_and_bound``.

    Attributes:
        kind: DEFAULT, IMPROVED (settled by these slopes), EXACTLY (perhaps, in exact arithmetic), NEURON, INPUT (to be
            split), PROGRAM (nothing loosens the bound).
        layer, place: where to split (layer 0: the inputs). bound: in floats. points, values: where the neuron is
            largest of two points, if the box was not settled at once.
        low, high: fresh bounds. slopes: in sixteenths. added: multipliers of signs. again: which neurons of the last
            layer a leaf has to derive.
    """

    kind: Array
    layer: Array
    place: Array
    bound: Array
    points: Array
    values: Array
    low: Array
    high: Array
    slopes: Array
    added: Array
    again: Array


class Explorer:
    """A neuron and the layers before it in floats, and boxes explored there.

    Args:
        layers: ``(matrix (width, width before), biases)``. target: the neuron's weights and its bias.
        varies: does an input vary? enough: a bound that need not be better. nothing: what is as good as 0.
        steps: on slopes. few: so many neurons that loosen a bound are split.

    Arrays over "all" neurons are layer after layer, each padded to a multiple of LANES by neurons that are never
    active; ``slices`` are the places of layers.

    Raises:
        OverflowError: too wide; or there is no compiled kernel.
    """

    def __init__(
        self,
        layers: Sequence[tuple[Array, Array]],
        target: tuple[Array, float],
        varies: Sequence[bool],
        *,
        enough: float,
        nothing: float,
        steps: int,
        few: int,
    ) -> None:
        widths = [-(-len(bias) // LANES) * LANES for _, bias in layers]
        if max(widths) > WIDEST or len(varies) > INPUTS:
            raise OverflowError("too large for the compiled kernel")
        ends = np.cumsum([0, *widths]).tolist()
        self.all = ends[-1]
        self.slices = [slice(a, a + len(bias)) for a, (_, bias) in zip(ends, layers, strict=False)]
        matrices, biases = list[Array](), list[Array]()
        for (matrix, bias), width in zip(layers, widths, strict=True):
            whole, least = np.zeros((width, matrix.shape[1])), np.full(width, -1.0)
            whole[: len(matrix)], least[: len(bias)] = matrix, bias
            matrices.append(_padded(whole))
            biases.append(least)
        turned = [
            _padded(m.T[: (n if k else len(varies))])
            for k, (m, n) in enumerate(zip(matrices, [0, *widths], strict=False))
        ]
        self._kept = [
            np.array([len(varies), *widths], dtype=np.int64),
            np.array(varies, dtype=np.int64),
            _padded(np.array(target[0], dtype=float)[None]),
            *matrices,
            *biases,
            *turned,
        ]
        self._tables = [_pointers([None, *arrays]) for arrays in (matrices, turned, biases)]
        self._explore = function("explore", POINTER, INT, *[POINTER] * 8)
        self.last = widths[-1]
        self._network = _Network(
            len(layers),
            len(varies),
            1 << sum(varies),
            _at(self._kept[0]),
            *map(ctypes.addressof, self._tables),
            _at(self._kept[2]),
            float(target[1]),
            _at(self._kept[1]),
            enough,
            nothing,
            steps,
            few,
        )

    def boxes(
        self,
        lower: Array,
        upper: Array,
        known: tuple[Array, Array] | None,
        signs: Array | None,
        stubborn: Array,
        unwanted: Array | None,
    ) -> Explored:
        """Visit boxes.

        Args:
            lower, upper: (boxes, inputs). known: bounds that hold on them, (boxes, all) each. signs: (boxes, all).
            stubborn: must it be split whatever its bound? (boxes,), uint8. unwanted: neurons of the last layer
                that only need a line below, uint8.
        """
        count, n = lower.shape
        found = Explored(
            np.zeros(count, dtype=np.uint8),
            np.zeros(count, dtype=np.int64),
            np.zeros(count, dtype=np.int64),
            np.zeros(count),
            np.zeros((count, n)),
            np.zeros(count),
            np.zeros((count, self.all)),
            np.zeros((count, self.all)),
            np.zeros((count, self.all), dtype=np.uint8),
            np.zeros((count, self.all)),
            np.zeros((count, self.last), dtype=np.uint8),
        )
        low, high = known or (None, None)
        arrays = list(map(_at, (lower, upper, low, high, signs, stubborn, unwanted)))
        out = _pointers(list(found))  # a struct of pointers
        network = ctypes.addressof(self._network)
        if not self._explore(network, count, *arrays, ctypes.addressof(out)):
            raise MemoryError
        return found
