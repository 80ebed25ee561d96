"""Rules of constants and shapes, and what folds any other operator whose inputs are constant."""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.affine import affordable
from geomrelu.exact.numbers import rational
from geomrelu.io.files import one_line
from geomrelu.io.onnx.rules import Node, Unsupported, as_computed, constant, integers, rule
from geomrelu.io.tensors import Value, arranged, sized

__all__ = ["evaluated"]


@rule("Constant", 0, 0, "sparse_value value value_float value_floats value_int value_ints", arrays=True)
def _constant(node: Node) -> Value:
    match list(node.attributes):
        case ["value"]:
            return node.array("value")
        case ["sparse_value"]:
            return node.trace.graph.array(node.attributes["sparse_value"].sparse_tensor)
        case ["value_float"]:
            return np.array(node.real("value_float", 0.0), dtype=object)
        case ["value_floats"]:
            return node.reals("value_floats")
        case ["value_int"]:
            return np.array(node.number("value_int", 0), dtype=np.int64)
        case ["value_ints"]:
            return np.array(node.numbers("value_ints", ()), dtype=np.int64)
    raise InputError("a constant has one value")


@rule("Shape", 1, 1, "end start", arrays=True, steps=True)
def _shape(node: Node, x: Value) -> Value:
    return np.array(x.shape[slice(node.number("start", 0), node.number("end", len(x.shape)))], dtype=np.int64)


@rule("Size", 1, 1, arrays=True, steps=True)
def _size(node: Node, x: Value) -> Value:
    return np.array(math.prod(x.shape), dtype=np.int64)


@rule("ConstantOfShape", 1, 1, "value", arrays=True)
def _constant_of_shape(node: Node, shape: Value) -> Value:
    listed = integers(shape, "the shape")
    if min(listed, default=0) < 0:
        raise InputError(f"there is no shape {listed[:20]}")
    sized(math.prod(listed), "the constant")
    value = node.array("value") if "value" in node.attributes else np.zeros(1, dtype=np.float32)
    if value.size != 1:
        raise InputError("the value must be one number")
    return arranged(value.reshape(()), lambda p: np.broadcast_to(p, listed))


@rule("Range", 3, 3, arrays=True)
def _range(node: Node, start: Value, limit: Value, delta: Value) -> Value:
    arrays = [constant(v, "a bound") for v in (start, limit, delta)]
    first, last, step = (rational(a.ravel()[0], "a bound") for a in arrays if a.size == 1)
    if not step:
        raise InputError("a range with step 0")
    count = max(0, math.ceil((last - first) / step))
    sized(count, "the range")
    found = np.empty(count, dtype=object)
    found[:] = [first + k * step for k in range(count)]
    return found.astype(np.int64) if all(a.dtype.kind in "iu" for a in arrays) else found


_NAMES = """Acos Acosh And ArgMax ArgMin Asin Asinh Atan Atanh BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Ceil
    Celu Cos Cosh Det Elu Equal Erf Exp Floor Hardmax HardSwish InstanceNormalization IsInf IsNaN LayerNormalization Log
    LogSoftmax LpPool MeanVarianceNormalization Mish Mod NonZero Or Pow Reciprocal ReduceL2 ReduceLogSum
    ReduceLogSumExp ReduceProd ReduceSumSquare Round Selu Shrink Sigmoid Sign Sin Sinh Softmax Softplus Softsign Sqrt
    Tan Tanh ThresholdedRelu TopK Unique Xor"""
_KNOWN = frozenset(_NAMES.split())
"""What the package onnx computes as onnxruntime does; others it may not, such as LRN and LpNormalization."""
_SINCE_13 = frozenset({"Hardmax", "LogSoftmax", "Softmax"})  # those of older operator sets it takes for newer ones
_MOST = 1_000_000  # entries of what is evaluated in floats


def evaluated(node: Node, proto: Any, inputs: Sequence[Value | None]) -> tuple[np.ndarray, ...]:
    """The outputs of a node whose inputs are all constant, in floating-point numbers, by the package onnx.

    The result is what an engine would compute, rounded as floats are; a note says so if they are no integers.

    Raises:
        Unsupported: an operator that is random, or not known.
    """
    unknown = node.operator not in _KNOWN or (node.operator in _SINCE_13 and node.opset < 13)
    if proto.domain not in ("", "ai.onnx") or unknown:
        raise Unsupported("it is not supported")
    arrays = []
    for name, value in zip(proto.input, inputs, strict=False):
        array = np.zeros(0) if value is None else constant(value, "an input")
        affordable(array.size, "a constant", each=50_000_000 // _MOST)
        arrays.append(None if value is None else as_computed(node, array, name))
    try:
        reference: Any = importlib.import_module("onnx.reference").ReferenceEvaluator
        with np.errstate(all="ignore"):
            found = reference(proto, opsets=node.trace.opsets).run(
                None, {n: a for n, a in zip(proto.input, arrays, strict=False) if n and a is not None}
            )
    except Exception as problem:  # the package has no exception of its own for what it cannot evaluate
        raise Unsupported(f"it is not supported ({one_line(problem)})") from None
    results = tuple(np.asarray(v) for v in found)
    if any(v.dtype.kind not in "fiub" for v in results):
        raise Unsupported("it is not supported")
    if any(v.dtype.kind == "f" for v in results):
        node.trace.note(f"constants made by {node.operator} are rounded as floating-point numbers are")
    return results
