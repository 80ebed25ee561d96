"""Rules entry by entry: sums, products with constants, casts."""

from __future__ import annotations

import math
import operator
from fractions import Fraction
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.numbers import rounded
from geomrelu.io.onnx.protobuf import FLOATS, INTEGERS, RANGES, float32_field
from geomrelu.io.onnx.rules import (
    MANY,
    Node,
    Step,
    Unsupported,
    as_computed,
    chosen,
    constant,
    depends,
    folded,
    integral,
    rule,
    scaled,
    summed,
)
from geomrelu.io.tensors import Tensor, Value, exact_array

__all__: list[str] = []


@rule("Identity", 1, 1, arrays=True, steps=True)
def _identity(node: Node, x: Value | Step) -> Value | Step:
    return x


@rule("Dropout", 1, 3, "is_test ratio seed", arrays=True)
def _dropout(node: Node, x: Value, ratio: Value | None = None, training: Value | None = None) -> Value:
    if node.opset < 7:  # an attribute said it
        trained = not node.number("is_test", 0) and node.real("ratio", 0.5) > 0
    else:
        trained = training is not None and bool(constant(training, "training_mode").any())
    if trained:
        raise Unsupported("training mode is not supported")
    return x


@rule("CastLike", 2, 2, "saturate round_mode", arrays=True, steps=True)
def _cast_like(node: Node, x: Value | Step, like: Value) -> Value | Step:
    if not isinstance(like, Tensor):
        raise Unsupported("a cast to the type of a constant is not supported")
    return _as(node, x, node.trace.kinds.get(node.names[1], 1))


@rule("Cast", 1, 1, "to saturate round_mode", arrays=True, steps=True)
def _cast(node: Node, x: Value | Step) -> Value | Step:
    return _as(node, x, node.number("to", 0))


def _as(node: Node, x: Value | Step, to: int) -> Value | Step:
    if isinstance(x, Step):
        if to not in FLOATS:
            raise Unsupported("a cast of truth values to whole numbers is not supported")
        return x
    if isinstance(x, Tensor) and node.kind in RANGES:
        held = (1 << FLOATS[to][0]) - 1 if to in FLOATS else 0
        if to not in RANGES and held < min(RANGES[node.kind][1], (1 << FLOATS[1][0]) - 1):
            raise Unsupported("a cast that loses digits of a value is not supported")
        node.kind = to  # of other whole numbers: whether it fits is seen from the result
        return x
    if isinstance(x, Tensor):
        if to not in FLOATS:
            raise Unsupported("a cast that loses digits of a value is not supported")
        if any(a < b for a, b in zip(FLOATS[to], FLOATS[node.kind], strict=True)):
            kind = {1: "float32", 10: "float16", 16: "bfloat16"}[to]
            if node.names[0] in node.trace.given:
                node.trace.note(f"input {node.names[0]!r} is rounded by the model first; it is read as given")
            else:  # as any operator rounds what it makes
                node.trace.note(
                    f"the model casts values to {kind}, which may round them; they are read as before the cast"
                )
        node.kind = to
        return x
    return _array_as(node, x, to)


def _array_as(node: Node, x: np.ndarray, to: int) -> np.ndarray:
    if to == 9:
        return np.vectorize(bool, otypes=[bool])(x)
    if to not in FLOATS and to not in INTEGERS:
        raise Unsupported(f"a cast to element type {to} is not supported")
    if to in FLOATS:  # a float constant in the file is rounded as the cast says; a rational result is kept
        if to == 16:
            raise Unsupported("a cast of a constant to bfloat16 is not supported")
        if x.dtype == object and to != 10:
            return x
        return rounded(as_computed(node, x, node.names[0]), {1: 4, 10: 2, 11: 8}[to])
    if x.dtype.kind not in "iub":  # towards zero, as in C; 10 times a little less than 0.7 is 7 in floats
        x = integral([math.trunc(v) for v in exact_array(as_computed(node, x, node.names[0])).ravel()], x.shape)
    cast = x.astype(INTEGERS[to])
    if not (cast == x).all():
        raise InputError(f"the constant does not fit into {INTEGERS[to]}")
    return cast


@rule("Add", 2, 2, "axis broadcast", arrays=True)
@rule("Sub", 2, 2, "axis broadcast", arrays=True)
@rule("Sum", 1, MANY, arrays=True)
@rule("Mean", 1, MANY)
def _add(node: Node, first: Value, *others: Value) -> Value:
    sign = -1 if node.operator == "Sub" else 1
    for other in others:
        first = summed(first, _placed(node, first, other), sign)
    return scaled(first, Fraction(1, 1 + len(others))) if node.operator == "Mean" else first


def _placed(node: Node, first: Value, second: Value) -> Value:
    """The second operand of old operator sets, which name the axis where it begins."""
    if "axis" not in node.attributes:
        return second
    axis = node.number("axis", 0) % max(1, len(first.shape))
    shape = (*second.shape, *(1,) * (len(first.shape) - axis - len(second.shape)))
    return second.at(second.places.reshape(shape)) if isinstance(second, Tensor) else second.reshape(shape)


@rule("Mul", 2, 2, "axis broadcast", arrays=True, steps=True)
def _multiply(node: Node, first: Value | Step, second: Value | Step) -> Value:
    if isinstance(first, Step) or isinstance(second, Step):
        step, other = (first, second) if isinstance(first, Step) else (second, first)
        if isinstance(other, Step) or not isinstance(step, Step):
            raise Unsupported("a product of truth values is not supported")
        z, factors, rest = chosen(step, other, Tensor.constant(np.zeros((), dtype=np.int64)))
        ratios = np.array(factors, dtype=object).reshape(z.shape)
        return node.relu(z, "ReLU" if all(f == 1 for f in factors) else "LeakyReLU").times(ratios).plus(rest)
    second = _placed(node, first, second)
    if isinstance(second, Tensor):
        first, second = second, first
    if isinstance(first, Tensor):
        return first.times(constant(second, "one of the factors"))
    return folded(operator.mul, first, constant(second, "the factor"))


@rule("Div", 2, 2, "axis broadcast", arrays=True)
def _divide(node: Node, first: Value, second: Value) -> Value:
    second = constant(_placed(node, first, second), "the divisor")
    if not (second if second.dtype.kind in "iu" else exact_array(second)).astype(bool).all():
        raise InputError("division by zero")
    if not isinstance(first, Tensor):
        return folded(_quotient, first, second)
    return first.times(np.vectorize(lambda v: 1 / v, otypes=[object])(exact_array(second)))


def _quotient(a: Any, b: Any) -> Any:
    """ONNX divides integers towards zero."""
    return a / b if isinstance(a, Fraction) else math.trunc(Fraction(a, b))


@rule("Neg", 1, 1, arrays=True)
def _negate(node: Node, x: Value) -> Value:
    if isinstance(x, Tensor) or x.dtype.kind not in "iu":
        return scaled(x, -1)
    return folded(operator.sub, np.zeros((), dtype=x.dtype), x)


@rule("Scaler", 1, 1, "offset scale", domain="ai.onnx.ml")
def _scale(node: Node, x: Value) -> Value:
    """``(x - offset) * scale``, one number for all features or one for each."""
    x, offset, scale = depends(x), node.reals("offset"), node.reals("scale")
    x = x.plus(offset, -1) if offset.size else x
    return x.times(scale) if scale.size else x


@rule(
    "Imputer",
    1,
    1,
    "imputed_value_floats imputed_value_int64s replaced_value_float replaced_value_int64",
    domain="ai.onnx.ml",
)
def _impute(node: Node, x: Value) -> Value:
    """What it makes of numbers, where NaN is what is replaced."""
    stated = node.attributes.get("replaced_value_float")
    replaced = np.zeros(1, np.float32) if stated is None else float32_field(stated, "f")
    if replaced.size != 1 or not np.isnan(replaced[0]):  # 0, if nothing is stated
        raise Unsupported("replacing a number is not continuous")
    node.trace.note("Imputer: missing values are no inputs here, numbers pass as they are")
    return depends(x)
