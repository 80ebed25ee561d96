"""Networks as straight-line programs: every ReLU layer is one exact affine map over all values before it.

The *variables* of a network are its inputs ``x_0..x_{n-1}`` followed by the outputs of ReLU layer 1, layer 2, ... A
layer is an :class:`~geomrelu.exact.affine.AffineMap` over the variables before it, so dense, convolutional, residual
and skip layers are all the same thing, and everything between two ReLUs (pre-processing constants, flattening, batch
normalisation, pooling by averages, additions) has been composed exactly. :class:`Tape` records such a program; the
file formats write to a tape.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineMap, affordable
from geomrelu.exact.numbers import dyadic, rational, rationals

__all__ = ["Tape", "average_pooling", "batch_normalisation", "chain", "convolution", "joined"]


_LONGEST = 13_000  # bits; Python prints integers up to 4300 digits


class Tape:
    """Records a network from its inputs onward.

    >>> tape = Tape(2)
    >>> hidden = tape.relu(AffineMap.from_dense([[1, 1]], [-1]).after(tape.input))
    >>> tape.variables
    3
    """

    def __init__(self, inputs: int) -> None:
        if inputs < 1:
            raise InputError("a network needs at least one input")
        self.inputs = inputs
        self.variables = inputs
        self.layers: list[AffineMap] = []
        self.output: AffineMap | None = None
        self.input = AffineMap.selection(inputs, range(inputs))

    def relu(self, pre_activation: AffineMap) -> AffineMap:
        """Add the layer ``max(pre_activation, 0)``; returns its outputs as a map over the variables."""
        if not pre_activation.outputs:
            raise InputError(f"layer {len(self.layers) + 1} has no neurons")
        _check_digits(pre_activation, f"layer {len(self.layers) + 1}")
        self.layers.append(pre_activation.widened(self.variables))
        first, self.variables = self.variables, self.variables + pre_activation.outputs
        return AffineMap.selection(self.variables, range(first, self.variables))

    def finish(self, output: AffineMap) -> Tape:
        """Name the network's output; an output that only repeats the last ReLU layer is dropped."""
        last = self.layers[-1].outputs if self.layers else 0
        output = output.widened(self.variables)
        _check_digits(output, "the output")
        columns = list(range(self.variables - last, self.variables))
        is_last_layer = (
            last
            and output.indices.tolist() == columns
            and output.outputs == last
            and not any(output.bias)
            and all(v == output.denominator for v in output.data)
        )
        self.output = None if is_last_layer else output
        return self


def _check_digits(map_: AffineMap, where: str) -> None:
    """Refuse parameters that Python would not print, so that every network has its canonical form."""
    longest = max(map(int.bit_length, (*map_.data.tolist(), *map_.bias, map_.denominator)))
    if longest > _LONGEST:  # over the common denominator; what counts is the single parameter
        reduced = (Fraction(v, map_.denominator) for v in {*map_.data.tolist(), *map_.bias})
        if any(max(abs(q.numerator), q.denominator).bit_length() > _LONGEST for q in reduced):
            raise InputError(f"{where}: a parameter has more than {_LONGEST} bits")


def chain(layers: Iterable[tuple[AffineMap, str]]) -> Tape:
    """The program that does ``(map, "relu" | "none")`` one after the other.

    Raises:
        InputError: no layer, a layer that does not read as many values as come before it, another activation.
    """
    tape: Tape | None = None
    value: AffineMap | None = None
    for position, (map_, activation) in enumerate(layers, 1):
        if tape is None or value is None:
            tape = Tape(map_.inputs)
            value = tape.input
        if map_.inputs != value.outputs:
            raise InputError(f"layer {position} reads {map_.inputs} values, but {value.outputs} come before it")
        value = map_.after(value)
        if activation == "relu":
            value = tape.relu(value)
        elif activation != "none":
            raise InputError(f"layer {position}: activation must be relu or none, not {activation!r}")
    if tape is None or value is None:
        raise InputError("a network needs at least one layer")
    return tape.finish(value)


def joined(first: AffineMap, second: AffineMap, sign: int = 1) -> AffineMap:
    """``first + sign * second``, whichever of the two was recorded later."""
    inputs = max(first.inputs, second.inputs)
    return first.widened(inputs).plus(second.widened(inputs), sign)


def convolution(
    kernel: np.ndarray,
    bias: np.ndarray | None,
    shape: Sequence[int],
    strides: Sequence[int] = (1, 1),
    pads: Sequence[int] = (0, 0, 0, 0),
    dilations: Sequence[int] = (1, 1),
    groups: int = 1,
    where: str = "convolution",
) -> tuple[AffineMap, tuple[int, int, int]]:
    """A two-dimensional convolution (cross-correlation, as in PyTorch and ONNX) as its exact matrix.

    Args:
        kernel: (out channels, in channels / groups, height, width); bias: (out channels,) or None.
        shape: (channels, height, width) of the input; values are numbered in this order, row by row.
        pads: zeros added (top, left, bottom, right).

    Returns:
        The map and the output's shape (out channels, height, width). Shared parameters share one integer object.

    Raises:
        InputError: shapes that do not fit.
    """
    if kernel.ndim != 4 or len(shape) != 3:
        raise InputError(f"{where}: only two-dimensional convolutions are supported")
    out_channels, per_group, kh, kw = kernel.shape
    channels, height, width = shape
    if groups < 1 or min(kernel.shape) < 1 or channels != per_group * groups or out_channels % groups:
        raise InputError(f"{where}: {channels} input channels do not fit a kernel of shape {list(kernel.shape)}")
    out_h, out_w = (
        _positions(size, k, s, p, q, d, where)
        for size, k, s, p, q, d in zip((height, width), (kh, kw), strides, pads[:2], pads[2:], dilations, strict=True)
    )
    affordable(math.prod(map(int, (*kernel.shape, out_h, out_w))), where)
    affordable(math.prod(map(int, (out_channels, out_h, out_w))), where, each=10)
    numerators, denominator = dyadic(kernel, f"{where}, kernel")
    values = np.empty(len(numerators), dtype=object)
    values[:] = numerators
    # Neurons outermost and sources in their order inside: the triplets come sorted, which spares the sort.
    o, y, x, c, i, j = np.indices((out_channels, out_h, out_w, per_group, kh, kw), sparse=True)
    row = y * strides[0] - pads[0] + i * dilations[0]
    column = x * strides[1] - pads[1] + j * dilations[1]
    channel = (o // (out_channels // groups)) * per_group + c
    full = (out_channels, out_h, out_w, per_group, kh, kw)
    inside = np.broadcast_to((row >= 0) & (row < height) & (column >= 0) & (column < width), full)
    neuron = np.broadcast_to((o * out_h + y) * out_w + x, full)[inside]
    source = np.broadcast_to((channel * height + row) * width + column, full)[inside]
    parameter = np.broadcast_to(((o * per_group + c) * kh + i) * kw + j, full)[inside]
    constants, bias_denominator = ([0] * out_channels, 1) if bias is None else dyadic(bias, f"{where}, bias")
    if len(constants) != out_channels:
        raise InputError(f"{where}: {len(constants)} biases for {out_channels} channels")
    map_ = AffineMap.from_entries(
        (out_channels * out_h * out_w, channels * height * width),
        neuron,
        source,
        values[parameter],
        denominator,
        [b for b in constants for _ in range(out_h * out_w)],
        bias_denominator,
    )
    return map_, (out_channels, out_h, out_w)


def average_pooling(
    shape: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    pads: Sequence[int] = (0, 0, 0, 0),
    count_padding: bool = False,
    where: str = "average pooling",
) -> tuple[AffineMap, tuple[int, int, int]]:
    """Average pooling of each channel as its exact matrix (entries 1/window size)."""
    if min(kernel) < 1:
        raise InputError(f"{where}: the kernel must be positive")
    channels = shape[0]
    affordable(math.prod((channels, *kernel)), where)
    ones = np.ones((channels, 1, *kernel), dtype=np.int64)
    summed, out_shape = convolution(ones, None, shape, strides, pads, groups=channels, where=where)
    counts = np.diff(summed.indptr)
    if (counts == 0).any():
        raise InputError(f"{where}: a window lies wholly in the padding")
    area = kernel[0] * kernel[1]
    return summed.scaled([Fraction(1, area if count_padding else int(c)) for c in counts]), out_shape


def batch_normalisation(
    scale: np.ndarray, shift: np.ndarray, mean: np.ndarray, variance: np.ndarray, epsilon: float | Fraction
) -> tuple[list[Fraction], list[Fraction]]:
    """Per-channel ``(factor, offset)`` of ``scale * (x - mean) / sqrt(variance + epsilon) + shift``.

    Exact: the folding is; the factor ``scale / sqrt(variance + epsilon)`` is exact where the root is rational and
    otherwise the root is rounded once, to 80 bits: the network analysed is the one with this factor.
    """
    factors, offsets = [], []
    channels = [rationals(a.ravel(), "batch normalisation") for a in (scale, shift, mean, variance)]
    if len({len(values) for values in channels}) > 1:
        raise InputError("batch normalisation: scale, shift, mean and variance have different lengths")
    for s, b, m, v in zip(*channels, strict=True):
        radicand = v + rational(epsilon, "epsilon")
        if radicand <= 0:
            raise InputError("batch normalisation: variance + epsilon must be positive")
        factor = s / _root(radicand)
        factors.append(factor)
        offsets.append(b - factor * m)
    return factors, offsets


def _root(q: Fraction) -> Fraction:
    """The square root of a positive rational: exact if rational, else rounded down to at least 80 bits."""
    p, r = math.isqrt(q.numerator), math.isqrt(q.denominator)
    if p * p == q.numerator and r * r == q.denominator:
        return Fraction(p, r)
    bits = max(0, 80 + (q.denominator.bit_length() - q.numerator.bit_length()) // 2 + 1)
    return Fraction(math.isqrt((q.numerator << (2 * bits)) // q.denominator), 1 << bits)


def _positions(size: int, kernel: int, stride: int, before: int, after: int, dilation: int, where: str) -> int:
    if min(kernel, stride, dilation) < 1 or min(before, after) < 0:
        raise InputError(f"{where}: kernel, stride and dilation must be positive, padding not negative")
    affordable(max(kernel, stride, dilation, before, after), where)
    reach = size + before + after - dilation * (kernel - 1) - 1
    if reach < 0:
        raise InputError(f"{where}: the kernel is larger than the padded input")
    return reach // stride + 1
