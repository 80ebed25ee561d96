"""Rules of quantised operators: numbers that become whole numbers and back, and what engines compute between.

``QuantizeLinear`` makes q = min(max(round(x / scale) + zero, least), largest), halves to even, and ``DequantizeLinear``
the number (q - zero) * scale that is meant. A fused operator is what it stands for: its inputs are dequantised, the
sums of products are exact, and the result is quantised; some round after the zero point was added, as onnxruntime does.
"""

from __future__ import annotations

import math
import operator
from fractions import Fraction
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.io.onnx.linear import convolve, gemm
from geomrelu.io.onnx.protobuf import RANGES
from geomrelu.io.onnx.rounding import rounded
from geomrelu.io.onnx.rules import (
    MANY,
    OPERATORS,
    Node,
    Unsupported,
    as_computed,
    constant,
    depends,
    folded,
    product,
    rule,
    summed,
)
from geomrelu.io.tape import Quantiser, nearest_even
from geomrelu.io.tensors import Tensor, Value, concatenated, exact_array

__all__: list[str] = []

_CODES = (2, 3, 4, 5, 21, 22, 25, 26)  # element types
_SUMS, _TERMS = 6, (1 << 31) // (255 * 255)  # INT32, what sums of products of codes are, and how many it holds
_TYPES = {"u": {1: 2, 2: 4}, "i": {1: 3, 2: 5}}  # element types by kind and bytes
_KEEPING_TYPES = (
    "Expand", "Flatten", "Gather", "Identity", "QuantizeLinear", "Reshape", "Slice", "Squeeze", "Transpose",
    "Unsqueeze",
)  # fmt: skip
_WINDOW = "auto_pad dilations group kernel_shape pads strides"
_POOLING = "auto_pad ceil_mode count_include_pad dilations kernel_shape pads strides channels_last"
_MICROSOFT = "com.microsoft"


# ---- numbers to whole numbers and back ----------------------------------------------------------------------------


@rule("QuantizeLinear", 2, 3, "axis block_size output_dtype precision saturate")
@rule("QuantizeLinear", 2, 3, "axis", domain=_MICROSOFT)
def _quantise(node: Node, x: Value, scale: Value, zero: Value | None = None) -> Value:
    x, axis, block = depends(x), node.number("axis", 1), node.number("block_size", 0)
    if x.map.inputs:
        return quantised(node, x, scale, zero, 2, axis, block)
    steps = _spread(constant(scale, "the scale"), x.shape, axis, block).astype(np.float32)
    if not (steps > 0).all():
        raise InputError("a scale must be positive")
    ratios = as_computed(node, x.value, node.names[0]).astype(np.float32) / steps  # rounded, as engines have it
    return quantised(node, Tensor.constant(ratios), np.ones((), np.float32), zero, 2, axis, block)


def quantised(
    node: Node,
    x: Tensor,
    scale: Value,
    zero: Value | None,
    at: int,
    axis: int = 1,
    block: int = 0,
    *,
    together: bool = False,
) -> Tensor:
    """The codes of a tensor.

    Args:
        at: which input of the node the zero point is: its type is that of the codes.
        together: is the zero point added before rounding? Halves go to even codes then, not to even multiples.
    """
    node.kind = _kind_of_codes(node, zero, at)
    least, largest = RANGES[node.kind]
    steps = _spread(exact_array(constant(scale, "the scale")), x.shape, axis, block)
    zeros = np.zeros((), dtype=np.int64) if zero is None else constant(zero, "the zero point")
    shifts = _spread(zeros, x.shape, axis, block)
    if together and (odd := shifts % 2).any():  # round(u + z) = round(u - 1) + z + 1
        x, shifts = x.plus(folded(operator.mul, steps, odd), -1), np.asarray(shifts.astype(np.int64) + odd)
    return _rounded(node, x, steps, shifts, least, largest).plus(shifts)


def _rounded(node: Node, x: Tensor, steps: np.ndarray, zeros: np.ndarray, least: int, largest: int) -> Tensor:
    """How many steps above its zero point each entry is."""
    fixed = not x.map.inputs
    if not fixed and not node.trace.quantised:
        raise Unsupported(
            "activations are quantised, and only `decide`, `prune`, `check` and `inspect` read whole numbers"
        )
    listed = np.broadcast_to(steps, x.shape).ravel().tolist()
    if min(listed) <= 0:
        raise InputError("a scale must be positive")
    shifts = [int(z) for z in np.broadcast_to(zeros, x.shape).ravel()]
    low, high = (tuple(end - z for z in shifts) for end in (least, largest))
    if fixed:
        codes = [nearest_even(*entry) for entry in zip(x.value.ravel(), listed, low, high, strict=True)]
        return Tensor.constant(np.array(codes, dtype=object).reshape(x.shape))
    return rounded(node, x, Quantiser(tuple(listed), low, high))


def _kind_of_codes(node: Node, zero: Value | None, at: int) -> int:
    kind = node.number("output_dtype", 0) or (2 if zero is None else _element(node, constant(zero, "zero"), at))
    if kind not in _CODES:
        raise Unsupported("codes of this type are not supported")
    return kind


def _element(node: Node, zero: np.ndarray, at: int) -> int:
    """The element type of a zero point; types of 4 bits are read into arrays of 8."""
    name, graph = node.names[at], node.trace.graph
    made = {o: n.proto for n in graph.nodes for o in n.proto.output}
    while name in made and made[name].op_type in _KEEPING_TYPES:  # codes have the type of their zero point
        name = (*made[name].input, "", "", "")[2 if made[name].op_type == "QuantizeLinear" else 0]
    stored: Any = graph.protos.get(name)
    if name in made and made[name].op_type in ("Constant", "ConstantOfShape"):
        stored = next((a.t for a in made[name].attribute if a.name == "value"), None)
    if stored is not None and hasattr(stored, "data_type"):
        return int(stored.data_type)
    return _TYPES.get(zero.dtype.kind, {}).get(zero.dtype.itemsize, 0)


def _spread(array: np.ndarray, shape: tuple[int, ...], axis: int, block: int = 0) -> np.ndarray:
    """Scales or zero points: one for all, along an axis, for blocks of it, or as they broadcast (several axes)."""
    try:
        if array.size == 1:
            return array.reshape(())
        if block and array.ndim == len(shape):
            at = axis % len(shape)
            return np.take(np.repeat(array, block, axis=at), np.arange(shape[at]), axis=at)
        at = axis % max(1, len(shape))
        if array.ndim != 1 or len(shape) <= at or array.size != shape[at]:
            raise InputError(f"{array.size} scales or zero points do not fit shape {list(shape)}")
        return array.reshape(-1, *(1,) * (len(shape) - at - 1))
    except (ValueError, IndexError) as problem:
        raise InputError(str(problem)) from None


def dequantised(codes: Value, scale: Value | None, zero: Value | None, axis: int = 1, block: int = 0) -> Value:
    """``(codes - zero) * scale``: for all, along an axis, or for blocks of it."""
    found = depends(codes)
    if zero is not None:
        found = found.plus(_spread(constant(zero, "the zero point"), codes.shape, axis, block), -1)
    if scale is not None:
        found = found.times(_spread(constant(scale, "the scale"), codes.shape, axis, block))
    return found if found.map.inputs else found.value


@rule("DequantizeLinear", 2, 3, "axis block_size output_dtype", arrays=True)
@rule("DequantizeLinear", 2, 3, "axis", domain=_MICROSOFT, arrays=True)
def _dequantise(node: Node, x: Value, scale: Value, zero: Value | None = None) -> Value:
    node.kind = node.number("output_dtype", 0) or _kind_of_floats(scale)
    return dequantised(x, scale, zero, node.number("axis", 1), node.number("block_size", 0))


def _kind_of_floats(scale: Value) -> int:
    return {2: 10, 8: 11}.get(scale.dtype.itemsize, 1) if isinstance(scale, np.ndarray) else 1


@rule("Quant", 4, 4, "narrow rounding_mode signed", domain="qonnx.custom_op.general", arrays=True)
@rule("Quant", 4, 4, "narrow rounding_mode signed", domain="finn.custom_op.general", arrays=True)
@rule("Quant", 4, 4, "narrow rounding_mode signed", domain="onnx.brevitas", arrays=True)
def _quant(node: Node, x: Value, scale: Value, zero: Value, bits: Value) -> Value:
    """Quantised and dequantised at once; here the zero point is added before rounding, so it must be even or 0."""
    width = constant(bits, "the bit width")
    zeros, steps = exact_array(constant(zero, "the zero point")), exact_array(constant(scale, "the scale"))
    if width.size != 1 or any(z.denominator != 1 or z % 2 for z in zeros.ravel()):
        raise Unsupported("only one bit width and even zero points are supported")
    size = Fraction(exact_array(width).ravel()[0])
    if size.denominator != 1 or not 2 <= size <= 16 or node.text("rounding_mode", "ROUND").upper() != "ROUND":
        raise Unsupported("only 2 to 16 bits and rounding to the nearest are supported")
    signed, narrow, half = node.number("signed", 1), node.number("narrow", 0), 1 << (int(size) - 1)
    least, largest = (-half + narrow, half - 1) if signed else (0, 2 * half - 1 - narrow)
    if isinstance(x, Tensor) and x.map.inputs:
        shape = np.broadcast_shapes(x.shape, steps.shape, zeros.shape)
        return _rounded(node, x.broadcast(shape), steps, zeros, least, largest).times(steps)
    ratio = folded(operator.truediv, exact_array(constant(x, "what is quantised")), steps)
    codes = np.vectorize(lambda u: Fraction(round(u)), otypes=[object])(folded(operator.add, ratio, zeros))
    codes = np.vectorize(lambda k: min(max(k, Fraction(least)), Fraction(largest)), otypes=[object])(codes)
    return folded(operator.mul, folded(operator.sub, codes, zeros), steps)


# ---- on whole numbers ---------------------------------------------------------------------------------------------


@rule("QLinearMatMul", 8, 8)
def _matmul(node: Node, *v: Value) -> Value:
    found = product(dequantised(v[0], v[1], v[2], -2), dequantised(v[3], v[4], v[5], -1))
    return quantised(node, depends(found), v[6], v[7], 7, -2)


def _summed_up(node: Node, terms: int) -> None:
    if terms > _TERMS:
        raise Unsupported(f"sums of {terms} products may not fit into 32 bits, which is not supported")
    node.kind = _SUMS


@rule("MatMulInteger", 2, 4)
def _integer_matmul(node: Node, a: Value, b: Value, a_zero: Value | None = None, b_zero: Value | None = None) -> Value:
    _summed_up(node, max(a.shape[-1:], default=1))
    return product(dequantised(a, None, a_zero, -2), dequantised(b, None, b_zero, -1))


@rule("MatMulIntegerToFloat", 4, 7, domain=_MICROSOFT)
def _matmul_to_float(node: Node, *v: Value | None) -> Value:
    a, b = v[:2]
    a_scale, b_scale, a_zero, b_zero, bias = (*v[2:], None, None, None)[:5]
    if a is None or b is None:
        raise InputError("a factor is missing")
    node.kind = 1
    found = product(dequantised(a, a_scale, a_zero, -2), dequantised(b, b_scale, b_zero, -1))
    return found if bias is None else summed(found, bias)


@rule("QGemm", 6, 9, "alpha transA transB", domain=_MICROSOFT)
def _quantised_gemm(node: Node, *v: Value) -> Value:
    side = 0 if node.number("transB", 0) else 1
    bias, scale, zero = (*v[6:], None, None, None)[:3]
    found = depends(gemm(node, dequantised(v[0], v[1], v[2]), dequantised(v[3], v[4], v[5], side)))
    if bias is not None:
        units = folded(operator.mul, exact_array(constant(v[1], "a scale")), exact_array(constant(v[4], "a scale")))
        units = folded(operator.mul, units, np.array(node.real("alpha", 1.0), dtype=object))
        found = found.plus(folded(operator.mul, exact_array(constant(bias, "the bias")), units.reshape(-1)))
    node.kind = 1
    return found if scale is None else quantised(node, found, scale, zero, 8)


@rule("QLinearConv", 8, 9, _WINDOW)
def _convolve(node: Node, *v: Value) -> Value:
    bias = v[8] if len(v) > 8 else None
    if bias is not None:  # in units of the product of the two scales
        units = folded(operator.mul, exact_array(constant(v[1], "a scale")), exact_array(constant(v[4], "a scale")))
        bias = folded(operator.mul, exact_array(constant(bias, "the bias")), units.reshape(-1))
    found = convolve(node, dequantised(v[0], v[1], v[2]), dequantised(v[3], v[4], v[5], 0), bias)
    return quantised(node, depends(found), v[6], v[7], 7)


@rule("ConvInteger", 2, 4, _WINDOW)
def _integer_convolve(
    node: Node, x: Value, kernel: Value, x_zero: Value | None = None, w_zero: Value | None = None
) -> Value:
    _summed_up(node, math.prod(kernel.shape[1:]))
    return convolve(node, dequantised(x, None, x_zero), dequantised(kernel, None, w_zero, 0))


@rule("QLinearAdd", 7, 8, domain=_MICROSOFT)
def _add(node: Node, *v: Value) -> Value:
    found = summed(dequantised(v[0], v[1], v[2]), dequantised(v[3], v[4], v[5]))
    return quantised(node, depends(found), v[6], v[7] if len(v) > 7 else None, 7, together=True)


@rule("QLinearConcat", 5, MANY, "axis", domain=_MICROSOFT)
def _concatenate(node: Node, scale: Value, zero: Value, *v: Value) -> Value:
    if len(v) % 3:
        raise InputError("each part needs a scale and a zero point")
    parts = [dequantised(v[k], v[k + 1], v[k + 2]) for k in range(0, len(v), 3)]
    axis = node.number("axis", 1) % max(1, len(parts[0].shape))
    return quantised(node, depends(concatenated(parts, axis)), scale, zero, 1)


@rule("QLinearAveragePool", 4, 5, _POOLING, domain=_MICROSOFT)
@rule("QLinearGlobalAveragePool", 4, 5, "channels_last", domain=_MICROSOFT)
def _average(node: Node, *v: Value) -> Value:
    if node.number("channels_last", 0):
        raise Unsupported("channels_last is not supported")
    pooling = OPERATORS["", node.operator.removeprefix("QLinear")]
    found = pooling.apply(node, dequantised(v[0], v[1], v[2]))
    return quantised(
        node, depends(found), v[3], v[4] if len(v) > 4 else None, 4, together=node.operator == "QLinearAveragePool"
    )
