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
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from geomrelu.errors import InputError, TooLarge
from geomrelu.exact.affine import AffineMap, affordable
from geomrelu.exact.numbers import dyadic, rational, rationals
from geomrelu.io.reading import Reading, ReadLayer

__all__ = [
    "Quantiser",
    "Tape",
    "average_pooling",
    "batch_normalisation",
    "chain",
    "convolution",
    "joined",
    "nearest_even",
    "transposed_convolution",
    "windows",
]


_WEIGHTED = ("Conv", "Dense", "Depthwise", "Gemm", "Linear", "MatMul", "Separable")  # how names of such begin
_LONGEST = 13_000  # bits; Python prints integers up to 4300 digits
_MOST = 100_000_000  # nonzero weights of all layers, at about 40 bytes


@dataclass(frozen=True, slots=True)
class Quantiser:
    """What a layer of whole numbers does with its affine map y: ``k = min(max(round(y / step), low), high)``.

    Halves are rounded to the even neighbour. ``k`` counts steps above the zero point, so that ``k * step`` is the
    number meant. One entry of each for each row.
    """

    steps: tuple[Fraction, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]

    def take(self, rows: Iterable[int]) -> Quantiser:
        """That of some rows."""
        picked = [int(i) for i in rows]
        steps, low, high = self.steps, self.low, self.high
        return Quantiser(*zip(*((steps[i], low[i], high[i]) for i in picked), strict=True)) if picked else _NOTHING


_NOTHING = Quantiser((), (), ())


def nearest_even(y: Fraction, step: Fraction, low: int, high: int) -> int:
    """``min(max(round(y / step), low), high)``, halves to the even neighbour."""
    return min(max(round(y / step), low), high)


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
        self.read: list[ReadLayer] = []  # one for each layer: what it is in the file
        self.quantisers: list[Quantiser | None] = []  # one for each layer, None: a ReLU
        self.reading: Reading | None = None  # set by the reader, at the end
        self.output: AffineMap | None = None
        self.identity_output = False  # is there an output layer that is the identity, so that output is None?
        self.newest: AffineMap | None = None  # the outputs of the last layer, as they were given
        self.input = AffineMap.selection(inputs, range(inputs))

    def relu(self, pre_activation: AffineMap, read: ReadLayer | None = None) -> AffineMap:
        """Add the layer ``max(pre_activation, 0)``; returns its outputs as a map over the variables."""
        return self.layer(pre_activation, None, read)

    def layer(self, pre_activation: AffineMap, quantiser: Quantiser | None, read: ReadLayer | None = None) -> AffineMap:
        """Add a layer of ReLUs or, with a quantiser, of whole numbers; returns its outputs as :meth:`relu` does."""
        if not pre_activation.outputs:
            raise InputError(f"layer {len(self.layers) + 1} has no neurons")
        _check_digits(pre_activation, f"layer {len(self.layers) + 1}")
        self.carry(pre_activation)
        self.layers.append(pre_activation.widened(self.variables))
        self.read.append(read or ReadLayer("", (pre_activation.outputs,)))
        self.quantisers.append(quantiser)
        first, self.variables = self.variables, self.variables + pre_activation.outputs
        self.newest = AffineMap.selection(self.variables, range(first, self.variables))
        return self.newest

    def carry(self, map_: AffineMap) -> None:
        """Refuse a map that would make the network too large: convolutions are written out, weight by weight.

        Raises:
            TooLarge: it and all layers have more than 100 million weights.
        """
        entries = sum(len(m.data) for m in self.layers) + len(map_.data)
        if entries > _MOST:
            raise TooLarge(f"{entries} weights up to here, written out, but at most {_MOST} are supported")

    def forget(self, layers: int) -> None:
        """Drop the layers after the first so many."""
        del self.layers[layers:], self.read[layers:], self.quantisers[layers:]
        self.variables = self.inputs + sum(m.outputs for m in self.layers)

    def finish(self, output: AffineMap, after: Iterable[str] | None = None) -> Tape:
        """Name the network's output; an output that only repeats the last ReLU layer is dropped.

        Args:
            after: operators or modules after the last ReLU layer; None: there is a linear layer if ``output`` is
                anything but what :meth:`layer` gave.
        """
        has_weights = output is not self.newest if after is None else any(k.startswith(_WEIGHTED) for k in after)
        last = self.layers[-1].outputs if self.layers else 0
        output = output.widened(self.variables)
        _check_digits(output, "the output")
        columns = list(range(self.variables - last, self.variables))
        is_last_layer = (
            last
            and output.indices.tolist() == columns
            and output.indptr.tolist() == list(range(last + 1))  # one in each row
            and not any(output.bias)
            and all(v == output.denominator for v in output.data)
        )
        self.output = None if is_last_layer else output
        self.identity_output = bool(is_last_layer) and has_weights
        return self


def _check_digits(map_: AffineMap, where: str) -> None:
    """Refuse parameters that Python would not print, so that every network has its canonical form."""
    if map_.denominator.bit_length() <= _LONGEST and all(map(_are_short, (map_.data, np.array(map_.bias, object)))):
        return
    entries = [*map_.data.tolist(), *map_.bias, map_.denominator]
    longest = max(max(entries), -min(entries)).bit_length()
    if longest > _LONGEST:  # over the common denominator; what counts is the single parameter
        reduced = (Fraction(v, map_.denominator) for v in {*map_.data.tolist(), *map_.bias})
        if any(max(abs(q.numerator), q.denominator).bit_length() > _LONGEST for q in reduced):
            raise InputError(f"{where}: a parameter has more than {_LONGEST} bits")


def _are_short(entries: np.ndarray) -> bool:
    """Are whole numbers so small that floats can hold about them? This is quickly asked."""
    try:
        return bool(np.isfinite(entries.astype(np.float64)).all())
    except OverflowError:
        return False


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


def windows(
    size: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    pads: Sequence[int],
    dilations: Sequence[int],
    where: str,
    partial: bool = False,
) -> tuple[tuple[int, ...], np.ndarray, np.ndarray]:
    """Where a sliding window of any dimension looks.

    Args:
        size: of the plane, whose places are numbered row by row; pads: zeros before each axis, then after each.
        partial: windows may reach beyond the padding, as long as they begin before it ends (``ceil_mode``).

    Returns:
        How many windows there are along each axis; the places each looks at (windows, entries of the kernel), -1 in
        the padding; and how many of them lie inside the padded plane (windows,).

    Raises:
        InputError: numbers that do not fit together, or far too many windows.
    """
    axes = len(size)
    if not axes == len(kernel) == len(strides) == len(dilations) or len(pads) != 2 * axes:
        raise InputError(f"{where}: kernel, strides and dilations need one number for each spatial axis, pads need two")
    counts = tuple(
        _positions(s, k, t, before, after, d, where, partial)
        for s, k, t, before, after, d in zip(size, kernel, strides, pads, pads[axes:], dilations, strict=False)
    )
    affordable(math.prod((*counts, *kernel)), where)
    places = np.zeros((1,) * (2 * axes), dtype=np.int64)
    inside, padded = np.ones_like(places, dtype=bool), np.ones_like(places, dtype=bool)
    for axis in range(axes):
        at = np.arange(counts[axis])[:, None] * strides[axis] - pads[axis] + np.arange(kernel[axis]) * dilations[axis]
        shape = [1] * (2 * axes)
        shape[axis], shape[axes + axis] = at.shape
        at = at.reshape(shape)
        places = places * size[axis] + at
        inside = inside & (at >= 0) & (at < size[axis])
        padded = padded & (at < size[axis] + pads[axes + axis])
    found = np.where(inside, places, -1).reshape(math.prod(counts), math.prod(kernel))
    whole = np.broadcast_to(padded, (*counts, *kernel)).reshape(found.shape)
    return counts, found, whole.sum(axis=1)


def convolution(
    kernel: np.ndarray,
    bias: np.ndarray | None,
    shape: Sequence[int],
    strides: Sequence[int] = (1, 1),
    pads: Sequence[int] = (0, 0, 0, 0),
    dilations: Sequence[int] = (1, 1),
    groups: int = 1,
    where: str = "convolution",
) -> tuple[AffineMap, tuple[int, ...]]:
    """A convolution (cross-correlation, as in PyTorch and ONNX) of any dimension as its exact matrix.

    Args:
        kernel: (out channels, in channels / groups, height, width), or with other spatial axes; bias: (out channels,)
            or None.
        shape: (channels, height, width) of the input; values are numbered in this order, row by row.
        pads: zeros added (top, left, bottom, right).

    Returns:
        The map and the output's shape (out channels, height, width). Shared parameters share one integer object.

    Raises:
        InputError: shapes that do not fit.
    """
    if kernel.ndim < 3 or len(shape) != kernel.ndim - 1:
        raise InputError(f"{where}: a kernel of shape {list(kernel.shape)} does not fit {list(shape)}")
    out_channels, per_group, *spatial = kernel.shape
    channels, size = shape[0], shape[1:]
    if groups < 1 or min(kernel.shape) < 1 or channels != per_group * groups or out_channels % groups:
        raise InputError(f"{where}: {channels} input channels do not fit a kernel of shape {list(kernel.shape)}")
    counts, places, _ = windows(size, spatial, strides, pads, dilations, where)
    count, area, plane = len(places), places.shape[1], math.prod(size)
    full = (out_channels, count, per_group, area)
    affordable(math.prod(full), where)
    affordable(out_channels * count, where, each=10)
    values, denominator = _values(kernel, f"{where}, kernel")
    # Neurons outermost and sources in their order inside: the triplets come sorted, which spares the sort.
    o, p, c, k = np.indices(full, sparse=True)
    channel = (o // (out_channels // groups)) * per_group + c
    inside = np.broadcast_to(places[:, None, :] >= 0, full)
    neuron = np.broadcast_to(o * count + p, full)[inside]
    source = np.broadcast_to(channel * plane + places[:, None, :], full)[inside]
    parameter = np.broadcast_to((o * per_group + c) * area + k, full)[inside]
    constants, bias_denominator = _channel_biases(bias, out_channels, count, where)
    map_ = AffineMap.from_entries(
        (out_channels * count, channels * plane),
        neuron, source, values[parameter], denominator, constants, bias_denominator,
    )  # fmt: skip
    return map_, (out_channels, *counts)


def transposed_convolution(
    kernel: np.ndarray,
    bias: np.ndarray | None,
    shape: Sequence[int],
    strides: Sequence[int],
    pads: Sequence[int],
    dilations: Sequence[int],
    groups: int,
    more: Sequence[int],
    where: str = "transposed convolution",
) -> tuple[AffineMap, tuple[int, ...]]:
    """The linear map of a transposed convolution: each value is spread over a window of the output.

    Args:
        kernel: (in channels, out channels / groups, spatial axes ...); bias: (out channels,) or None.
        pads: rows cut off before and after; more: rows added at the end (``output_padding``).

    Returns, raises: as :func:`convolution`.
    """
    if kernel.ndim < 3 or len(shape) != kernel.ndim - 1 or groups < 1 or min(kernel.shape) < 1:
        raise InputError(f"{where}: a kernel of shape {list(kernel.shape)} does not fit {list(shape)}")
    channels, per_group, *spatial = kernel.shape
    size, axes = shape[1:], len(spatial)
    if shape[0] != channels or channels % groups:
        raise InputError(f"{where}: {shape[0]} input channels do not fit a kernel of shape {list(kernel.shape)}")
    if not axes == len(strides) == len(dilations) == len(more) or len(pads) != 2 * axes:
        raise InputError(f"{where}: strides and dilations need one number for each spatial axis, pads need two")
    if min(*strides, *dilations) < 1 or min(*more, 0) < 0:
        raise InputError(f"{where}: strides and dilations must be positive")
    out = [
        t * (s - 1) + m + (k - 1) * d + 1 - before - after
        for s, k, t, d, m, before, after in zip(
            size, spatial, strides, dilations, more, pads, pads[axes:], strict=False
        )
    ]
    if min(out) < 1:
        raise InputError(f"{where}: the output is empty")
    out_channels, count, area, target = per_group * groups, math.prod(size), math.prod(spatial), math.prod(out)
    full = (channels, count, per_group, area)
    affordable(math.prod(full), where)
    affordable(out_channels * target, where, each=10)
    places, inside = np.zeros((1,) * (2 * axes), dtype=np.int64), np.ones((1,) * (2 * axes), dtype=bool)
    for axis in range(axes):
        at = np.arange(size[axis])[:, None] * strides[axis] - pads[axis] + np.arange(spatial[axis]) * dilations[axis]
        form = [1] * (2 * axes)
        form[axis], form[axes + axis] = at.shape
        places = places * out[axis] + at.reshape(form)
        inside = inside & (at.reshape(form) >= 0) & (at.reshape(form) < out[axis])
    found = np.where(inside, places, -1).reshape(count, area)
    values, denominator = _values(kernel, f"{where}, kernel")
    c, p, o, k = np.indices(full, sparse=True)
    kept = np.broadcast_to(found[:, None, :] >= 0, full)
    channel = (c // (channels // groups)) * per_group + o
    neuron = np.broadcast_to(channel * target + found[:, None, :], full)[kept]
    source = np.broadcast_to(c * count + p, full)[kept]
    parameter = np.broadcast_to((c * per_group + o) * area + k, full)[kept]
    constants, bias_denominator = _channel_biases(bias, out_channels, target, where)
    map_ = AffineMap.from_entries(
        (out_channels * target, channels * count),
        neuron, source, values[parameter], denominator, constants, bias_denominator,
    )  # fmt: skip
    return map_, (out_channels, *out)


def _values(array: np.ndarray, where: str) -> tuple[np.ndarray, int]:
    numerators, denominator = dyadic(array, where)
    values = np.empty(len(numerators), dtype=object)
    values[:] = numerators
    return values, denominator


def _channel_biases(bias: np.ndarray | None, channels: int, each: int, where: str) -> tuple[list[int], int]:
    """The bias of each value of a number of channels, over a common denominator."""
    constants, denominator = ([0] * channels, 1) if bias is None else dyadic(bias, f"{where}, bias")
    if len(constants) != channels:
        raise InputError(f"{where}: {len(constants)} biases for {channels} channels")
    return [b for b in constants for _ in range(each)], denominator


def average_pooling(
    shape: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    pads: Sequence[int] = (0, 0, 0, 0),
    count_padding: bool = False,
    where: str = "average pooling",
    dilations: Sequence[int] | None = None,
    partial: bool = False,
) -> tuple[AffineMap, tuple[int, ...]]:
    """Average pooling of each channel as its exact matrix (entries 1/window size).

    Args:
        count_padding: the padding counts as zeros; what lies beyond it never counts.
        partial: see :func:`windows`.
    """
    dilations = [1] * len(kernel) if dilations is None else dilations
    counts, places, padded = windows(shape[1:], kernel, strides, pads, dilations, where, partial)
    inside = places >= 0
    sizes = inside.sum(axis=1)
    if (sizes == 0).any():
        raise InputError(f"{where}: a window lies wholly in the padding")
    channels, plane = shape[0], math.prod(shape[1:])
    affordable(channels * places.size, where)
    affordable(channels * len(places), where, each=10)
    areas = (padded if count_padding else sizes).tolist()
    common = math.lcm(*set(areas))
    shares = {a: common // a for a in set(areas)}
    table = np.empty(len(areas), dtype=object)
    table[:] = [shares[a] for a in areas]
    which = np.nonzero(inside)[0]
    first = np.arange(channels)[:, None]
    map_ = AffineMap.from_entries(
        (channels * len(places), channels * plane),
        (first * len(places) + which).ravel(),
        (first * plane + places[inside]).ravel(),
        np.tile(table[which], channels),
        common,
        [0] * (channels * len(places)),
    )
    return map_, (channels, *counts)


def batch_normalisation(
    scale: np.ndarray, shift: np.ndarray, mean: np.ndarray, variance: np.ndarray, epsilon: float | Fraction
) -> tuple[list[Fraction], list[Fraction]]:
    """Per-channel ``(factor, offset)`` of ``scale * (x - mean) / sqrt(variance + epsilon) + shift``.

    Exact: the folding is; the factor ``scale / sqrt(variance + epsilon)`` is exact where the root is rational and
    otherwise ``1 / sqrt(variance + epsilon)`` is rounded once, to a dyadic number of 80 bits: the network analysed is
    the one with this factor. (Dyadic, as sums of fractions with unlike odd denominators would grow without end.)
    """
    factors, offsets = [], []
    channels = [rationals(a.ravel(), "batch normalisation") for a in (scale, shift, mean, variance)]
    if len({len(values) for values in channels}) > 1:
        raise InputError("batch normalisation: scale, shift, mean and variance have different lengths")
    for s, b, m, v in zip(*channels, strict=True):
        radicand = v + rational(epsilon, "epsilon")
        if radicand <= 0:
            raise InputError("batch normalisation: variance + epsilon must be positive")
        factor = s * _inverse_root(radicand)
        factors.append(factor)
        offsets.append(b - factor * m)
    return factors, offsets


def _inverse_root(q: Fraction) -> Fraction:
    """One over the square root of a positive rational: exact if rational, else rounded down to at least 80 bits."""
    p, r = math.isqrt(q.numerator), math.isqrt(q.denominator)
    if p * p == q.numerator and r * r == q.denominator:
        return Fraction(r, p)
    bits = max(0, 80 + (q.numerator.bit_length() - q.denominator.bit_length()) // 2 + 1)
    return Fraction(math.isqrt((q.denominator << (2 * bits)) // q.numerator), 1 << bits)


def _positions(
    size: int, kernel: int, stride: int, before: int, after: int, dilation: int, where: str, partial: bool
) -> int:
    if min(kernel, stride, dilation) < 1 or min(before, after) < 0:
        raise InputError(f"{where}: kernel, stride and dilation must be positive, padding not negative")
    affordable(max(kernel, stride, dilation, before, after), where)
    reach = size + before + after - dilation * (kernel - 1) - 1
    if reach < 0:
        raise InputError(f"{where}: the kernel is larger than the padded input")
    if not partial:
        return reach // stride + 1
    count = -(-reach // stride) + 1
    return count - (1 if (count - 1) * stride >= size + before else 0)
