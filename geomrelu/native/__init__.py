"""The compiled kernel: many boxes judged in fixed point, and explored in floating point, in C.

``judge.c`` does what :mod:`geomrelu.certificates.fixed_point` does in arrays, integer for integer; ``explore.c`` what
:mod:`geomrelu.deadness.relaxation` does for a batch of boxes, as floats go. The NumPy code is their oracle, and what is
used where there is no compiled kernel: it is built when the package is installed, if a C compiler is there (or by
``python geomrelu/native/build.py``). ``GEOMRELU_COMPILED=no`` in the environment leaves it aside.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from geomrelu.native.build import LIBRARY, source

__all__ = ["LANES", "Explored", "Explorer", "Judge", "available", "named"]

Array = np.ndarray
LANES = 8  # widths are padded to multiples of it
WIDEST, INPUTS = 1024, 64  # of layers, of inputs
HELD = float(1 << 34)  # weights in units that judge.c takes
NARROW = float(1 << 35)  # sums of weights with which judge.c may add in floats

_P = ctypes.c_void_p
_I = ctypes.c_int64
_library: tuple[ctypes.CDLL | None, str] | None = None


def _load() -> tuple[ctypes.CDLL | None, str]:
    if os.environ.get("GEOMRELU_COMPILED", "").lower() in ("no", "0", "off", "false"):
        return None, "NumPy, as GEOMRELU_COMPILED says"
    path = Path(__file__).with_name(LIBRARY)
    try:
        library = ctypes.CDLL(str(path))
        library.geomrelu_source.restype = ctypes.c_char_p
        if library.geomrelu_source() != source().encode():
            return None, "NumPy; the compiled kernel is of other sources"
    except (OSError, AttributeError):
        return None, "NumPy; the compiled kernel is not built" if not path.exists() else "NumPy; no kernel for this system"
    return library, f"compiled ({_version(library)})"


def _version(library: ctypes.CDLL) -> str:
    library.geomrelu_version.restype = ctypes.c_char_p
    return library.geomrelu_version().decode()


def _function(name: str, *arguments: Any) -> Any:
    """Of the version for this processor."""
    library = _loaded()[0]
    if library is None:
        raise OverflowError("there is no compiled kernel")
    found = getattr(library, f"geomrelu_{name}_{_version(library)}")
    found.argtypes = arguments
    return found


def _loaded() -> tuple[ctypes.CDLL | None, str]:
    global _library
    if _library is None:
        _library = _load()
    return _library


def available() -> bool:
    """Is there a compiled kernel, and is it wanted?"""
    return _loaded()[0] is not None


def named() -> str:
    """Which kernel is in use."""
    return _loaded()[1]


def _at(array: Array | None) -> int | None:
    return None if array is None else array.ctypes.data


def _padded(matrix: Array, columns: int | None = None) -> Array:
    """As floats, with columns of zeros up to a multiple of LANES."""
    width = matrix.shape[1] if columns is None else columns
    found = np.zeros((matrix.shape[0], -(-width // LANES) * LANES))
    found[:, : matrix.shape[1]] = matrix
    return found


def _pointers(arrays: Sequence[Array | None]) -> Any:
    return (_P * len(arrays))(*map(_at, arrays))


class _Model(ctypes.Structure):
    _fields_ = [(name, _I) for name in ("layers", "inputs", "corners")] + [
        (name, _P) for name in ("widths", "matrices", "narrow", "varies")
    ]


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
        self._judge = _function("judge", _P, _I, *[_P] * 6, _I, _I, _P, _P)
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
    _fields_ = (
        [(name, _I) for name in ("layers", "inputs", "corners")]
        + [(name, _P) for name in ("widths", "matrices", "turned", "biases", "target")]
        + [("constant", ctypes.c_double), ("varies", _P), ("enough", ctypes.c_double), ("nothing", ctypes.c_double)]
        + [("steps", _I), ("few", _I)]
    )


class Explored(NamedTuple):
    """What a visit to boxes has found, arrays (boxes, ...): see ``_step`` in ``branch_and_bound``.

    Attributes:
        kind: DEFAULT, IMPROVED (settled by these slopes), EXACTLY (perhaps, in exact arithmetic), NEURON, INPUT (to be
            split), PROGRAM (nothing loosens the bound).
        layer, index: where to split. bound: in floats. points, values: where the neuron is largest of two points,
            if the box was not settled at once.
        low, high: fresh bounds. slopes: in sixteenths. added: multipliers of signs. again: which neurons of the last
            layer a leaf has to derive.
    """

    kind: Array
    layer: Array
    index: Array
    bound: Array
    points: Array
    values: Array
    low: Array
    high: Array
    slopes: Array
    added: Array
    again: Array


DEFAULT, IMPROVED, EXACTLY, NEURON, INPUT, PROGRAM = range(6)


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
        turned = [_padded(m.T[: (n if k else len(varies))]) for k, (m, n) in enumerate(zip(matrices, [0, *widths], strict=False))]
        self._kept = [
            np.array([len(varies), *widths], dtype=np.int64),
            np.array(varies, dtype=np.int64),
            _padded(np.array(target[0], dtype=float)[None]),
            *matrices,
            *biases,
            *turned,
        ]
        self._tables = [_pointers([None, *arrays]) for arrays in (matrices, turned, biases)]
        self._explore = _function("explore", _P, _I, *[_P] * 8)
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
            lower, upper: (boxes, inputs). known: bounds that hold on them, (boxes, all) each. signs: (boxes, all), int8.
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
