"""Rules of pooling and of reductions along axes: sums and means are linear, maxima are tournaments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from geomrelu.errors import InputError
from geomrelu.io.onnx.activations import absolute, largest, largest_of_windows
from geomrelu.io.onnx.linear import DISPUTED, window
from geomrelu.io.onnx.rules import Node, Unsupported, depends, rule
from geomrelu.io.tape import windows
from geomrelu.io.tensors import Tensor, Value, axis_of

__all__: list[str] = []


def _window(node: Node, x: Tensor, size: Sequence[int]) -> tuple[list[int], list[int], list[int]]:
    """As of a convolution. Where engines contradict each other about ``auto_pad``, what the user has is not known."""
    strides, dilations, pads = window(node, x.shape[2:], size)
    if node.text("auto_pad", "NOTSET").startswith("SAME") and any(d != 1 for d in dilations):
        raise Unsupported(DISPUTED)
    return strides, dilations, pads


@rule("AveragePool", 1, 1, "auto_pad ceil_mode count_include_pad dilations kernel_shape pads strides")
def _average(node: Node, x: Value) -> Value:
    x, size = depends(x), node.numbers("kernel_shape", ())
    strides, dilations, pads = _window(node, x, size)
    counted, partial = bool(node.number("count_include_pad", 0)), bool(node.number("ceil_mode", 0))
    return x.averaged(size, strides, pads, counted, dilations, partial)


@rule("MaxPool", 1, 1, "auto_pad ceil_mode dilations kernel_shape pads storage_order strides")
def _max_pool(node: Node, x: Value) -> Value:
    x, size = depends(x), node.numbers("kernel_shape", ())
    if node.outputs > 1:
        raise Unsupported("the places of the maxima are not supported")
    strides, dilations, pads = _window(node, x, size)
    partial = bool(node.number("ceil_mode", 0))
    if len(x.shape) < 3:
        raise InputError(f"expected a batch of images with channels, not shape {list(x.shape)}")
    counts, places, _ = windows(x.shape[2:], size, strides, pads, dilations, "max pooling", partial)
    return largest_of_windows(node, x, places, counts)


@rule("GlobalAveragePool", 1, 1)
def _global_average(node: Node, x: Value) -> Value:
    x = depends(x)
    return x.reduced(range(2, len(x.shape)), keep=True, mean=True)


@rule("GlobalMaxPool", 1, 1)
def _global_max(node: Node, x: Value) -> Value:
    x = depends(x)
    return _extreme(node, x, list(range(2, len(x.shape))), keep=True)


@rule("ReduceMean ReduceSum ReduceMax ReduceMin ReduceL1", 1, 2, "axes keepdims noop_with_empty_axes")
def _reduce(node: Node, x: Value, axes: Value | None = None) -> Value:
    x, keep = depends(x), bool(node.number("keepdims", 1))
    listed = node.listed("axes", axes)
    if not listed and not node.number("noop_with_empty_axes", 0):
        listed = list(range(len(x.shape)))
    if listed and node.operator in ("ReduceMax", "ReduceMin"):
        sign = 1 if node.operator == "ReduceMax" else -1
        found = _extreme(node, x if sign == 1 else x.times(np.array(-1)), listed, keep)
        return found if sign == 1 else found.times(np.array(-1))
    if node.operator == "ReduceL1":
        x = absolute(node, x)
    return x.reduced(listed, keep, node.operator == "ReduceMean") if listed else x


def _extreme(node: Node, x: Tensor, axes: Sequence[int], keep: bool) -> Tensor:
    over = sorted({axis_of(a, x.shape) for a in axes})
    rest = [a for a in range(len(x.shape)) if a not in over]
    count = math.prod(x.shape[a] for a in over)
    if not count:
        raise InputError("a maximum over nothing")
    shape = tuple(1 if a in over else s for a, s in enumerate(x.shape) if keep or a not in over)
    found = largest(node, x, x.places.transpose(*rest, *over).reshape(-1, count))
    return found.at(found.places.reshape(shape))


@rule("LpPool", 1, 1, "auto_pad ceil_mode dilations kernel_shape p pads strides")
def _lp_pool(node: Node, x: Value) -> Value:
    if node.number("p", 2) != 1:
        raise Unsupported("only p = 1 is piecewise linear")
    x, size = depends(x), node.numbers("kernel_shape", ())
    strides, dilations, pads = _window(node, x, size)
    if node.number("ceil_mode", 0):
        raise Unsupported("ceil_mode is not supported")
    mean = absolute(node, x).averaged(size, strides, pads, True, dilations)
    return mean.times(np.array(Fraction(math.prod(size)), dtype=object))
