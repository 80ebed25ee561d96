"""Rules that make ReLU layers: everything that is piecewise linear, exactly.

With z+ = max(z, 0): LeakyRelu x = a x + (1 - a) x+, Clip x = lo + (x - lo)+ - (x - hi)+, |x| = 2 x+ - x,
max(a, b) = b + (a - b)+.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Protocol

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.numbers import rational
from geomrelu.io.onnx.protobuf import float32_field
from geomrelu.io.onnx.rounding import clipped
from geomrelu.io.onnx.rules import MANY, Node, Step, Unsupported, chosen, constant, depends, rule, scaled, summed
from geomrelu.io.tape import joined
from geomrelu.io.tensors import Tensor, Value, concatenated, exact_array

__all__ = [
    "ACTIVATIONS",
    "Maker",
    "absolute",
    "activated",
    "between",
    "extreme",
    "largest",
    "largest_of_windows",
    "sloped",
]

ACTIVATIONS = frozenset({"Relu", "LeakyRelu", "PRelu", "Clip", "ThresholdedRelu", "Elu", "Selu", "Celu", "HardSigmoid"})
"""What is counted as a layer where it is left out."""

_LARGEST = {1: 2**128 - 2**104, 10: 65504, 11: 2**1024 - 2**971, 16: 2**128 - 2**120}  # finite number of each type


class Maker(Protocol):
    """What makes ReLU layers: a node, or whatever reads another format."""

    def relu(self, x: Tensor, kind: str = "ReLU", own: bool = True) -> Tensor:
        """``max(x, 0)``."""


@rule("Relu", 1, 1, "consumed_inputs")
def _relu(node: Node, x: Value) -> Value:
    return node.relu(depends(x))


@rule("LeakyRelu", 1, 1, "alpha consumed_inputs")
def _leaky(node: Node, x: Value) -> Value:
    slope = node.real("alpha", float(np.float32(0.01)))
    return sloped(node, depends(x), np.array(slope, dtype=object))


@rule("PRelu", 2, 2)
def _parametric(node: Node, x: Value, slope: Value) -> Value:
    x, array = depends(x), exact_array(constant(slope, "the slope"))
    if node.opset < 7 and len(array.shape) == 1 and len(x.shape) > 2:
        array = array.reshape(-1, *(1,) * (len(x.shape) - 2))  # one for each channel
    found = sloped(node, x, array)
    if found.shape != x.shape:
        raise InputError(f"slopes of shape {list(array.shape)} do not fit {list(x.shape)}")
    return found


def sloped(node: Maker, x: Tensor, slope: np.ndarray) -> Tensor:
    """``x`` where it is positive, else ``slope x``, broadcast to the shape of ``x``."""
    plain = not slope.astype(bool).any()
    upper = node.relu(x, "ReLU" if plain else "LeakyReLU")
    return upper if plain else upper.times(np.array(1 - slope, dtype=object)).plus(x.times(slope))


def absolute(node: Maker, x: Tensor) -> Tensor:
    """``|x|``, an auxiliary ReLU for each entry."""
    return node.relu(x, "absolute value").times(np.array(2)).plus(x, -1)


@rule("Abs", 1, 1)
def _absolute(node: Node, x: Value) -> Value:
    return absolute(node, depends(x))


@rule("Clip", 1, 3, "consumed_inputs max min")
def _clip(node: Node, x: Value, low: Value | None = None, high: Value | None = None) -> Value:
    least, most = _bound(node, low, "min", -1), _bound(node, high, "max", 1)
    if least is not None and most is not None and least > most and node.opset >= 13:  # since then it has a meaning
        return np.full(x.shape, most, dtype=object)
    narrower = clipped(node, depends(x), least, most)  # of what has been quantised
    return between(node, depends(x), least, most) if narrower is None else narrower


def _bound(node: Node, value: Value | None, what: str, sign: int) -> Fraction | None:
    """A bound, an attribute in old operator sets; None if no number of the type exceeds it."""
    if value is None and what in node.attributes:
        node.real(what, 0)
        value = float32_field(node.attributes[what], "f")
    if value is None:
        return None
    array = constant(value, what)
    if array.size != 1:
        raise InputError(f"{what} must be one number")
    entry = array.ravel()[0]
    if array.dtype.kind == "f" and np.isinf(entry) and entry * sign > 0:
        return None
    number = rational(entry, what)
    return None if sign * number >= _LARGEST.get(node.kind, _LARGEST[11]) else number


def between(node: Maker, x: Tensor, low: Fraction | None, high: Fraction | None) -> Tensor:
    """``x`` clipped to two bounds; None: no bound."""
    if low is not None and high is not None and low > high:
        raise InputError(f"the lower bound {float(low):g} is above the upper bound {float(high):g}")
    found = x
    if low is not None:
        found = _above(node, x, np.array(low, dtype=object), "clip")
    if high is not None:
        over = node.relu(x.plus(np.array(high, dtype=object), -1), "upper bound", own=False)
        found = found.plus(over, -1)
    return found


def _above(node: Maker, x: Tensor, low: np.ndarray, kind: str, own: bool = True) -> Tensor:
    """``max(x, low)``: a ReLU where the bound is 0."""
    if not low.astype(bool).any():
        return node.relu(x.broadcast(np.broadcast_shapes(x.shape, low.shape)), "ReLU", own)
    return node.relu(x.plus(low, -1), kind, own).plus(low)


@rule("HardSigmoid", 1, 1, "alpha beta consumed_inputs")
def _hard_sigmoid(node: Node, x: Value) -> Value:
    slope, shift = node.real("alpha", float(np.float32(0.2))), node.real("beta", 0.5)
    z = depends(summed(scaled(depends(x), slope), np.array(shift, dtype=object)))
    return between(node, z, Fraction(0), Fraction(1))


@rule("Max", 1, MANY, "consumed_inputs")
def _maximum(node: Node, *inputs: Value) -> Value:
    return extreme(node, inputs, 1)


@rule("Min", 1, MANY, "consumed_inputs")
def _minimum(node: Node, *inputs: Value) -> Value:
    return extreme(node, inputs, -1)


def extreme(node: Maker, inputs: Sequence[Value], sign: int) -> Value:
    """The maximum (of the negatives: the minimum). With a constant it is a ReLU of the model's own, else auxiliary."""
    varying = [depends(scaled(v, sign)) for v in inputs if isinstance(v, Tensor) and v.map.inputs]
    fixed = [constant(v, "an input") for v in inputs if not (isinstance(v, Tensor) and v.map.inputs)]
    shape = np.broadcast_shapes(*(v.shape for v in inputs))
    bound: np.ndarray | None = None
    for array in fixed:
        if array.dtype.kind == "f" and (sign * array == -np.inf).all():
            continue  # it bounds nothing
        exact = np.array(exact_array(array) * sign, dtype=object)
        bound = exact if bound is None else np.array(np.maximum(bound, exact), dtype=object)
    if not varying:
        if bound is None:
            raise InputError("-inf is not a finite number")
        return np.array(np.broadcast_to(bound, shape) * sign, dtype=object)
    found = varying[0].broadcast(shape)
    if len(varying) > 1:
        parts = [v.broadcast(shape) for v in varying]
        count = parts[0].map.outputs
        flat = concatenated([p.at(np.arange(count)) for p in parts], 0)
        places = np.arange(count)[:, None] + count * np.arange(len(parts))[None, :]
        found = largest(node, depends(flat), places, "maximum" if sign == 1 else "minimum")
        found = found.at(found.places.reshape(shape))
    if bound is not None:
        if sign == 1:
            found = _above(node, found, bound, "clip")
        else:  # min(x, c) = x - (x - c)+
            plain = found.times(np.array(-1))
            over = node.relu(plain.plus(bound), "upper bound", own=False)
            return plain.broadcast(over.shape).plus(over, -1)
    return found.times(np.array(-1)) if sign == -1 else found


def largest(node: Maker, x: Tensor, places: np.ndarray, kind: str = "maximum") -> Tensor:
    """Row by row the largest of the entries of ``x`` at ``places`` (-1: none), as a knock-out tournament.

    Its neurons are auxiliary. Pairs that occur more than once are compared once.
    """
    if (places < 0).all(axis=1).any():
        raise InputError("a window lies wholly in the padding")
    x = x.at(np.arange(x.map.outputs))
    while places.shape[1] > 1:
        if places.shape[1] % 2:
            places = np.concatenate([places, np.full((len(places), 1), -1)], axis=1)
        first, second = places[:, 0::2], places[:, 1::2]
        both = (first >= 0) & (second >= 0) & (first != second)
        winners = np.maximum(first, second)  # where at most one is there
        pairs = np.sort(np.stack([first[both], second[both]], axis=1), axis=1)
        if len(pairs):
            pairs, number = np.unique(pairs, axis=0, return_inverse=True)
            a, b = x.map.take(pairs[:, 0]), x.map.take(pairs[:, 1])
            over = node.relu(Tensor((len(pairs),), joined(a, b, -1)), kind, own=False)
            better = Tensor((len(pairs),), joined(b, over.map))
            winners[both] = x.map.outputs + number.ravel()
            x = depends(concatenated([x, better], 0))
        places = winners
    return x.at(places[:, 0])


def largest_of_windows(node: Maker, x: Tensor, places: np.ndarray, counts: Sequence[int]) -> Tensor:
    """Max pooling: of each plane the largest in each window, see :func:`geomrelu.io.tape.windows`."""
    planes, plane = math.prod(x.shape[:2]), math.prod(x.shape[2:])
    starts = np.arange(planes)[:, None, None] * plane
    found = largest(node, x, np.where(places >= 0, places + starts, -1).reshape(-1, places.shape[1]))
    return found.at(found.places.reshape(*x.shape[:2], *counts))


# ---- truth values -----------------------------------------------------------------------------------------------


@rule("Greater GreaterOrEqual Less LessOrEqual", 2, 2)
def _compared(node: Node, first: Value, second: Value) -> Value | Step:
    larger, smaller = (first, second) if node.operator.startswith("Greater") else (second, first)
    step = Step(depends(larger).plus(depends(smaller), -1), strict=not node.operator.endswith("Equal"))
    if step.tensor.map.inputs:
        return step
    signs = step.tensor.value
    return np.asarray(signs > 0 if step.strict else signs >= 0).astype(bool)


@rule("Not", 1, 1, arrays=True, steps=True)
def _not(node: Node, x: Value | Step) -> Value | Step:
    if isinstance(x, Step):
        return Step(x.tensor.times(np.array(-1)), not x.strict)
    return np.logical_not(constant(x, "a truth value"))


@rule("Where", 3, 3, arrays=True, steps=True)
def _where(node: Node, condition: Value | Step, upper: Value, lower: Value) -> Value:
    if isinstance(upper, Step) or isinstance(lower, Step):
        raise Unsupported("a choice of truth values is not supported")
    if isinstance(condition, Step):
        z, ratios, rest = chosen(condition, upper, lower)
        plain = all(r == 1 for r in ratios) and not (isinstance(lower, Tensor) or exact_array(lower).any())
        over = node.relu(z, "ReLU" if plain else "LeakyReLU")
        return over.times(np.array(ratios, dtype=object).reshape(z.shape)).plus(rest)
    flags = constant(condition, "the condition").astype(bool)
    if not isinstance(upper, Tensor) and not isinstance(lower, Tensor):
        if object in (upper.dtype, lower.dtype):
            upper, lower = exact_array(upper), exact_array(lower)
        return np.where(flags, upper, lower)
    shape = np.broadcast_shapes(flags.shape, upper.shape, lower.shape)
    # what is not chosen may be infinite, as in masks
    sides = [
        v
        if isinstance(v, Tensor)
        else np.where(np.broadcast_to(f, shape), np.broadcast_to(v, shape), np.zeros((), v.dtype))
        for v, f in ((upper, flags), (lower, ~flags))
    ]
    parts = [depends(v).broadcast(shape) for v in sides]
    count = parts[0].map.outputs
    both = depends(concatenated([p.at(np.arange(count)) for p in parts], 0))
    places = np.arange(count).reshape(shape)
    return both.at(np.where(flags, places, places + count))


def activated(node: Maker, x: Tensor, kind: str, parameters: np.ndarray) -> Tensor:
    """The activation that a fused operator names."""
    values = [rational(v, "activation parameter") for v in parameters.ravel()]
    if kind == "":
        return x
    if kind == "Relu":
        return node.relu(x)
    if kind == "LeakyRelu":
        return sloped(node, x, np.array(values[0] if values else rational(np.float32(0.01)), dtype=object))
    if kind == "Clip" and len(values) == 2:
        return between(node, x, values[0], values[1])
    raise Unsupported(f"activation {kind[:40]!r} is not supported")
