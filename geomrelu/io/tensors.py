"""Shaped values between the layers: a tensor whose entries are affine forms over the variables of a tape.

A model file or a module tree is a program over tensors. As long as no ReLU intervenes, each entry is an exact affine
form, so every operation here is exact: moving entries is selecting rows, and the rest is composition with a sparse
matrix. The leading axis is the batch, of size 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineMap, affordable
from geomrelu.exact.numbers import dyadic, sparse
from geomrelu.io.reading import ReadLayer
from geomrelu.io.tape import Tape, average_pooling, batch_normalisation, convolution, joined, transposed_convolution

__all__ = [
    "Recorder",
    "Tensor",
    "Value",
    "arranged",
    "axis_of",
    "concatenated",
    "exact_array",
    "same_padding",
    "sized",
]


@dataclass(frozen=True, eq=False)
class Tensor:
    """Entries numbered row by row; entry ``k`` is row ``k`` of ``map``."""

    shape: tuple[int, ...]
    map: AffineMap

    @classmethod
    def constant(cls, array: np.ndarray) -> Tensor:
        """The tensor that holds an array of numbers whatever the input."""
        numerators, denominator = dyadic(array, "constant")
        nothing = np.zeros(0, dtype=np.int64)
        indptr = np.zeros(len(numerators) + 1, dtype=np.int64)
        return cls(array.shape, AffineMap(0, indptr, nothing, nothing.astype(object), tuple(numerators), denominator))

    @property
    def places(self) -> np.ndarray:
        """The numbers of the entries, in the shape of the tensor."""
        return np.arange(self.map.outputs).reshape(self.shape)

    def at(self, places: np.ndarray) -> Tensor:
        """The tensor of the shape of ``places`` that holds the entries numbered there."""
        flat = places.ravel()
        if not flat.size:
            raise InputError(f"a tensor of shape {list(places.shape)} is empty")
        if flat.size == self.map.outputs and (flat == np.arange(flat.size)).all():
            return Tensor(places.shape, self.map)
        return Tensor(places.shape, self.map.take(flat))

    def broadcast(self, shape: tuple[int, ...]) -> Tensor:
        """Repeated along axes of size 1, as in NumPy."""
        return self if shape == self.shape else self.at(np.broadcast_to(self.places, shape))

    @property
    def value(self) -> np.ndarray:
        """The exact entries of a tensor that reads no input."""
        entries = np.empty(self.map.outputs, dtype=object)
        entries[:] = [Fraction(b, self.map.denominator) for b in self.map.bias]
        return entries.reshape(self.shape)

    # ---- entry by entry ---------------------------------------------------------------------------------------

    def plus(self, other: Value, sign: int = 1) -> Tensor:
        """``self + sign * other``, broadcast."""
        shape = _common_shape(self.shape, other.shape)
        left = self.broadcast(shape)
        if isinstance(other, Tensor):
            return Tensor(shape, joined(left.map, other.broadcast(shape).map, sign))
        shifts = np.broadcast_to(exact_array(other), shape).ravel().tolist()
        return Tensor(shape, left.map.scaled([Fraction(1)] * len(shifts), [sign * v for v in shifts]))

    def times(self, factors: np.ndarray) -> Tensor:
        """The product with an array entry by entry, broadcast."""
        shape = _common_shape(self.shape, factors.shape)
        return Tensor(
            shape, self.broadcast(shape).map.scaled(np.broadcast_to(exact_array(factors), shape).ravel().tolist())
        )

    # ---- sums of products -------------------------------------------------------------------------------------

    def matmul(self, matrix: np.ndarray) -> Tensor:
        """``self @ matrix`` with NumPy's rules for vectors and for stacks of matrices."""
        if not self.shape or not matrix.ndim:
            raise InputError("a matrix product with a number")
        x = self.places if len(self.shape) > 1 else self.places[None, :]
        w = matrix if matrix.ndim > 1 else matrix[:, None]
        if x.shape[-1] != w.shape[-2]:
            raise InputError(f"shapes {list(self.shape)} and {list(matrix.shape)} do not multiply")
        stack = _common_shape(x.shape[:-2], w.shape[:-2])
        m, n, k = x.shape[-2], w.shape[-1], w.shape[-2]
        axes = (*stack, *(m,) * (len(self.shape) > 1), *(n,) * (matrix.ndim > 1))
        if w.ndim == 2:  # what is 0 is not even written down
            sized(math.prod(axes), "a matrix product")
            (places, entries, denominator), x = sparse(w, "weights"), x.reshape(-1, k)
            affordable(len(x) * len(places), "a matrix product")
            (read, j), data = np.divmod(places, n), np.empty(len(places), dtype=object)
            data[:] = entries
            if len(places) == w.size:  # nothing is 0: by rows of the map, which spares its sort
                order = np.arange(w.size).reshape(w.shape).T.ravel()
                read, j, data = read[order], j[order], data[order]
            rows = (np.arange(len(x))[:, None] * n + j).ravel()
            return self._after(axes, rows, x[:, read].ravel(), np.tile(data, len(x)), denominator)
        full = (*stack, m, n, k)
        affordable(math.prod(full), "a matrix product")
        # Entry [.., i, j] of the product is the sum over l of x[.., i, l] * w[.., l, j].
        read = np.broadcast_to(x[..., :, None, :], full)
        weight = np.broadcast_to(np.arange(w.size).reshape(w.shape).swapaxes(-1, -2)[..., None, :, :], full)
        return self._combined(axes, read, _table(w, "weights"), weight)

    def reduced(self, axes: Sequence[int], keep: bool, mean: bool) -> Tensor:
        """Sum or mean over ``axes``, which stay with size 1 if ``keep``."""
        axes = sorted({axis_of(a, self.shape) for a in axes})
        rest = [a for a in range(len(self.shape)) if a not in axes]
        shape = tuple(1 if a in axes else s for a, s in enumerate(self.shape) if keep or a not in axes)
        count = math.prod(self.shape[a] for a in axes)
        read = self.places.transpose(*rest, *axes).reshape(-1, count)
        table = np.ones(1, dtype=object), count if mean else 1
        return self._combined(shape, read, table, np.zeros_like(read))

    def combined(self, shape: tuple[int, ...], read: np.ndarray, weights: np.ndarray, weight: np.ndarray) -> Tensor:
        """Entry ``k`` is the sum over ``l`` of the entries ``read[k, l]`` times the numbers ``weights[weight[k, l]]``.

        No entry may stand twice in a row of ``read``.
        """
        affordable(read.size, "sums of products")
        return self._combined(shape, read, _table(weights, "weights"), weight)

    def _combined(
        self, shape: tuple[int, ...], read: np.ndarray, table: tuple[np.ndarray, int], weight: np.ndarray
    ) -> Tensor:
        """Entry ``k`` is the sum over the last axis of ``read`` of those entries times ``table[weight]``."""
        values, denominator = table
        outputs, columns = math.prod(shape), read.ravel()
        sized(outputs, "a product")
        rows = np.arange(columns.size) // read.shape[-1]
        return self._after(shape, rows, columns, values[weight.ravel()], denominator)

    def _after(
        self, shape: tuple[int, ...], rows: np.ndarray, columns: np.ndarray, data: np.ndarray, denominator: int
    ) -> Tensor:
        """The linear map with these entries after this one."""
        outputs = math.prod(shape)
        map_ = AffineMap.from_entries((outputs, self.map.outputs), rows, columns, data, denominator, [0] * outputs)
        return Tensor(shape, map_.after(self.map))

    # ---- on images (batch, channels, ...), each of the batch by itself ------------------------------------------

    def convolved(
        self,
        kernel: np.ndarray,
        bias: np.ndarray | None,
        strides: Sequence[int],
        pads: Sequence[int],
        dilations: Sequence[int],
        groups: int,
    ) -> Tensor:
        """Convolution in any dimension; ``pads`` are all beginnings, then all ends."""
        return self._each(lambda shape: convolution(kernel, bias, shape, strides, pads, dilations, groups))

    def spread(
        self,
        kernel: np.ndarray,
        bias: np.ndarray | None,
        strides: Sequence[int],
        pads: Sequence[int],
        dilations: Sequence[int],
        groups: int,
        more: Sequence[int],
    ) -> Tensor:
        """Transposed convolution, see :func:`geomrelu.io.tape.transposed_convolution`."""
        return self._each(
            lambda shape: transposed_convolution(kernel, bias, shape, strides, pads, dilations, groups, more)
        )

    def averaged(
        self,
        kernel: Sequence[int],
        strides: Sequence[int],
        pads: Sequence[int],
        count_padding: bool,
        dilations: Sequence[int] | None = None,
        partial: bool = False,
    ) -> Tensor:
        """Average pooling in any dimension, see :func:`geomrelu.io.tape.average_pooling`."""
        return self._each(
            lambda shape: average_pooling(
                shape, kernel, strides, pads, count_padding, dilations=dilations, partial=partial
            )
        )

    def _each(self, make: Callable[[tuple[int, ...]], tuple[AffineMap, tuple[int, ...]]]) -> Tensor:
        """A map of one image done to each of the batch."""
        if len(self.shape) < 3:
            raise InputError(f"expected a batch of images with channels, not shape {list(self.shape)}")
        map_, shape = make(self.shape[1:])
        images = self.shape[0]
        affordable(images * len(map_.data), "a batch of images")
        if images == 1:
            return Tensor((1, *shape), map_.after(self.map))
        parts = [map_.after(self.at(places).map) for places in self.places]
        return Tensor((images, *shape), AffineMap.stacked(parts))

    def normalised(
        self,
        scale: np.ndarray,
        shift: np.ndarray,
        mean: np.ndarray,
        variance: np.ndarray,
        epsilon: float | Fraction,
    ) -> Tensor:
        """Batch normalisation with fixed statistics, one per channel (axis 1)."""
        factors, offsets = batch_normalisation(scale, shift, mean, variance, epsilon)
        if len(self.shape) < 2 or self.shape[1] != len(factors):
            raise InputError(f"{len(factors)} channels are normalised, but the shape is {list(self.shape)}")
        size = math.prod(self.shape[2:])
        each = [[v for v in values for _ in range(size)] * self.shape[0] for values in (factors, offsets)]
        return Tensor(self.shape, self.map.scaled(*each))


class Recorder:
    """Makes the ReLU layers that a module of some name needs."""

    def __init__(self, tape: Tape, name: str) -> None:
        self.tape, self.name = tape, name

    def relu(self, x: Tensor, kind: str = "ReLU", own: bool = True) -> Tensor:
        """``max(x, 0)``, see :class:`geomrelu.io.reading.ReadLayer`."""
        return Tensor(x.shape, self.tape.relu(x.map, ReadLayer(self.name, x.shape[1:] or x.shape, kind, own)))


Value = Tensor | np.ndarray


def arranged(value: Value, arrange: Callable[[np.ndarray], np.ndarray]) -> Value:
    """``arrange`` (which only moves, repeats or drops entries) done to an array or to a tensor."""
    try:
        return value.at(arrange(value.places)) if isinstance(value, Tensor) else arrange(value)
    except (ValueError, IndexError, OverflowError) as problem:
        raise InputError(str(problem)) from None


def concatenated(parts: Sequence[Value], axis: int) -> Value:
    """The parts one after the other along an axis."""
    sized(sum(math.prod(part.shape) for part in parts), "the concatenation")
    try:
        if not any(isinstance(part, Tensor) for part in parts):
            arrays = [part for part in parts if isinstance(part, np.ndarray)]
            alike = len({array.dtype for array in arrays}) == 1 or all(array.dtype.kind in "iub" for array in arrays)
            return np.concatenate(arrays if alike else [exact_array(array) for array in arrays], axis)
        tensors = [part if isinstance(part, Tensor) else Tensor.constant(part) for part in parts]
        starts = np.cumsum([0] + [t.map.outputs for t in tensors])
        places = np.concatenate([t.places + start for t, start in zip(tensors, starts, strict=False)], axis)
    except ValueError as problem:
        raise InputError(str(problem)) from None
    inputs = max(t.map.inputs for t in tensors)
    return Tensor((int(starts[-1]),), AffineMap.stacked([t.map.widened(inputs) for t in tensors])).at(places)


def exact_array(array: np.ndarray) -> np.ndarray:
    """The array with each entry as the ``Fraction`` it holds."""
    numerators, denominator = dyadic(array, "constant")
    exact = np.empty(len(numerators), dtype=object)
    exact[:] = [Fraction(v, denominator) for v in numerators]
    return exact.reshape(array.shape)


def same_padding(size: int, kernel: int, stride: int, dilation: int, more_at_end: bool) -> tuple[int, int]:
    """Zeros before and after, such that the output has size ``ceil(size / stride)``."""
    if min(kernel, stride, dilation) < 1:
        raise InputError("kernel, stride and dilation must be positive")
    total = max(0, (-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size)
    less, more = total // 2, total - total // 2
    return (less, more) if more_at_end else (more, less)


def _table(array: np.ndarray, where: str) -> tuple[np.ndarray, int]:
    numerators, denominator = dyadic(array, where)
    table = np.empty(len(numerators), dtype=object)
    table[:] = numerators
    return table, denominator


def _common_shape(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    try:
        shape = np.broadcast_shapes(first, second)
    except ValueError:
        raise InputError(f"shapes {list(first)} and {list(second)} do not fit together") from None
    sized(math.prod(shape), f"a tensor of shape {list(shape)}")
    return shape


def sized(count: int, what: str) -> None:
    """Refuse a tensor of so many entries; a row of an affine map costs about as much as ten nonzero entries."""
    affordable(count, what, each=10)


def axis_of(axis: int, shape: Sequence[int]) -> int:
    """The axis from 0 that ``axis`` means; negative ones count from the end."""
    if not -len(shape) <= axis < len(shape):
        raise InputError(f"there is no axis {axis} in shape {list(shape)}")
    return axis % len(shape)
