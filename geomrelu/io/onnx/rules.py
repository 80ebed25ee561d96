"""What the rules of operators are made of: a table, and a node as a rule sees it.

A rule is a function ``(node, *inputs) -> output or outputs``. It says how many inputs it takes and which attributes it
knows; an attribute that it does not know, or a case that is not linear, is :class:`Unsupported`, and the network then
ends before the node. Anything else that does not fit is an error of the file.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineMap
from geomrelu.exact.numbers import nearest_float, rational
from geomrelu.io.onnx.model import Graph
from geomrelu.io.onnx.protobuf import float32_field
from geomrelu.io.reading import ReadLayer
from geomrelu.io.tape import Tape
from geomrelu.io.tensors import Tensor, Value, arranged, exact_array, sized

__all__ = [
    "MANY",
    "OPERATORS",
    "Node",
    "Rule",
    "Several",
    "Step",
    "Unsupported",
    "Walked",
    "as_computed",
    "chosen",
    "constant",
    "depends",
    "folded",
    "integers",
    "integral",
    "portions",
    "product",
    "rule",
    "scaled",
    "summed",
    "turned",
]

MANY = 1 << 30
_FIELDS = {1: "f", 2: "i", 3: "s", 4: "t", 6: "floats", 7: "ints", 8: "strings"}  # kinds of attribute in onnx.proto


class Unsupported(InputError):
    """The node is in order, but not piecewise linear, or not known."""


@dataclass(frozen=True, eq=False)
class Step:
    """Truth values: where ``tensor`` is positive, or, if not strict, not negative."""

    tensor: Tensor
    strict: bool

    @property
    def shape(self) -> tuple[int, ...]:
        return self.tensor.shape


@dataclass(frozen=True, eq=False)
class Several:
    """A sequence of tensors."""

    parts: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """How an operator is applied.

    Attributes:
        apply: the function.
        least, most: how many inputs.
        attributes: those it knows.
        arrays: does it take constants as arrays where all inputs are constant? Otherwise they come as tensors.
        steps: does it take truth values that depend on the input?
        sequences: does it take a sequence?
    """

    apply: Callable[..., Any]
    least: int
    most: int
    attributes: frozenset[str]
    arrays: bool
    steps: bool
    sequences: bool


OPERATORS: dict[tuple[str, str], Rule] = {}
"""The rules, by domain and operator; the main domain is ""."""


def rule(
    operators: str,
    least: int,
    most: int,
    attributes: str = "",
    *,
    domain: str = "",
    arrays: bool = False,
    steps: bool = False,
    sequences: bool = False,
) -> Callable[[Any], Any]:
    """Register a function for these operators."""

    def register(apply: Any) -> Any:
        for name in operators.split():
            OPERATORS[domain, name] = Rule(apply, least, most, frozenset(attributes.split()), arrays, steps, sequences)
        return apply

    return register


class Walked(Protocol):
    """The walk over a graph, as far as rules see it.

    Attributes:
        kinds: element types of the tensors that depend on the input.
        given: the names of the inputs.
        opsets: the version of each set of operators.
        wide: is there an input in double precision?
        quantised: may activations be rounded to whole numbers?
        computed: constants as engines compute them in floats, operation by operation, where the exact ones are kept.
    """

    graph: Graph
    tape: Tape
    kinds: dict[str, int]
    given: list[str]
    opsets: dict[str, int]
    wide: bool
    quantised: bool
    computed: dict[str, np.ndarray]

    def note(self, text: str) -> None:
        """Say something about how the file was read."""


class Node:
    """A node as its rule sees it.

    Attributes:
        operator: its name.
        outputs: how many it has.
        kind: the element type of what it makes (see :data:`geomrelu.io.onnx.protobuf.FLOATS`); at first, of what it
            reads.
        trace: what walks the graph.
    """

    def __init__(self, proto: Any, trace: Walked) -> None:
        self.operator: str = proto.op_type
        self.outputs = len(proto.output)
        self.names = list(proto.input)
        self.name: str = proto.output[0] if proto.output else ""
        self.trace = trace
        self.kind = 0
        self.attributes = {a.name: a for a in proto.attribute}

    @property
    def opset(self) -> int:
        """The version of ONNX's own operators."""
        return self.trace.opsets.get("", self.trace.opsets.get("ai.onnx", 1))

    def _get(self, name: str, field: str, default: Any) -> Any:
        attribute = self.attributes.get(name)
        if attribute is None:
            return default
        if _FIELDS.get(attribute.type) != field:
            raise InputError(f"attribute {name!r} is of the wrong type")
        return getattr(attribute, field)

    def number(self, name: str, default: int) -> int:
        return int(self._get(name, "i", default))

    def real(self, name: str, default: float | Fraction) -> Fraction:
        """A float attribute, as the dyadic number it holds."""
        found = self._get(name, "f", default)
        if name in self.attributes:
            found = next(iter(float32_field(self.attributes[name], "f")), 0)
        return rational(found, f"attribute {name!r}")

    def numbers(self, name: str, default: Sequence[int]) -> list[int]:
        return [int(v) for v in self._get(name, "ints", default)]

    def reals(self, name: str) -> np.ndarray:
        self._get(name, "floats", ())
        return float32_field(self.attributes[name], "floats") if name in self.attributes else np.zeros(0, np.float32)

    def text(self, name: str, default: str) -> str:
        found = self._get(name, "s", default)
        return found if isinstance(found, str) else bytes(found).decode("utf-8", "replace")

    def array(self, name: str) -> np.ndarray:
        return self.trace.graph.array(self._get(name, "t", None))

    def listed(self, name: str, value: Value | None) -> list[int] | None:
        """Integers that older operator sets keep in an attribute and newer ones in an input."""
        if value is not None:
            return integers(value, name)
        return self.numbers(name, ()) if name in self.attributes else None

    def relu(self, x: Tensor, kind: str = "ReLU", own: bool = True) -> Tensor:
        """A ReLU layer on a tensor. Of constants it is a constant."""
        if not x.map.inputs:
            return Tensor.constant(np.vectorize(lambda v: max(v, Fraction(0)), otypes=[object])(x.value))
        shape = x.shape[1:] if len(x.shape) > 1 and x.shape[0] == 1 else x.shape
        return Tensor(x.shape, self.trace.tape.relu(x.map, ReadLayer(self.name, shape, kind, own)))


# ---- what rules ask of their inputs -----------------------------------------------------------------------------


def depends(value: Value) -> Tensor:
    """The input as a tensor of affine forms."""
    return value if isinstance(value, Tensor) else Tensor.constant(value)


def constant(value: Value, what: str) -> np.ndarray:
    """The input as an array of numbers."""
    if isinstance(value, Tensor):
        if value.map.inputs:
            raise Unsupported(f"{what} must be constant, but depends on the input of the network")
        return value.value
    return value


def integers(value: Value, what: str) -> list[int]:
    """The input as a list of whole numbers."""
    array = constant(value, what)
    if array.dtype == object and all(v.denominator == 1 for v in array.ravel()):
        array = np.array([int(v) for v in array.ravel()], dtype=object).reshape(array.shape)
    elif array.dtype.kind not in "iu":
        raise InputError(f"{what} must be a list of integers")
    if array.ndim > 1:
        raise InputError(f"{what} must be a list of integers")
    return [int(v) for v in array.ravel()]


def folded(function: Callable[[Any, Any], Any], first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Arithmetic of constants: of integers as integers, otherwise as rationals, never as floats."""
    try:
        shape = np.broadcast_shapes(first.shape, second.shape)
    except ValueError as problem:
        raise InputError(str(problem)) from None
    sized(math.prod(shape), "a constant")
    whole = first.dtype.kind in "iub" and second.dtype.kind in "iub"
    kind = first.dtype if first.dtype == second.dtype and first.dtype.kind != "b" else np.dtype(np.int64)
    pair = [a.astype(object) if whole else exact_array(a) for a in (first, second)]
    result = [function(a, b) for a, b in zip(*(np.broadcast_to(a, shape).ravel() for a in pair), strict=True)]
    if whole:
        return integral(result, shape, kind)
    array = np.empty(len(result), dtype=object)
    array[:] = result
    return array.reshape(shape)


def integral(values: Sequence[int], shape: tuple[int, ...], kind: np.dtype | None = None) -> np.ndarray:
    """Whole numbers as an array of an integer type, without any of 64 bits."""
    ends = np.iinfo(kind or np.int64)
    if any(not ends.min <= v <= ends.max for v in values):
        raise InputError(f"an integer is out of the range of {ends.bits} bits")
    return np.array(values, dtype=ends.dtype).reshape(shape)


def as_computed(node: Node, array: np.ndarray, name: str) -> np.ndarray:
    """The constants of that name as an engine has them: rational results are floats there.

    Where it is not known how they were computed, they are rounded once, to double precision if there is any.
    """
    if array.dtype != object:
        return array
    if name in node.trace.computed:
        return node.trace.computed[name]
    floats = np.array([nearest_float(rational(v, "a constant")) for v in array.ravel()]).reshape(array.shape)
    return floats if node.trace.wide else floats.astype(np.float32)


def scaled(x: Value, factor: Fraction | int) -> Value:
    """The input times a number."""
    if factor == 1:
        return x
    factors = np.array(factor, dtype=object)
    return x.times(factors) if isinstance(x, Tensor) else folded(operator.mul, x, factors)


def portions(x: Value, axis: int, sizes: Sequence[int]) -> tuple[Value, ...]:
    """Consecutive parts of these sizes along an axis; a part may be empty."""
    found: list[Value] = []
    start = 0
    for size in sizes:
        places = np.arange(start, start + size)
        shape = (*x.shape[:axis], size, *x.shape[axis + 1 :])
        found.append(arranged(x, lambda p, at=places: np.take(p, at, axis)) if size else np.zeros(shape))  # type: ignore[misc]
        start += size
    return tuple(found)


def summed(first: Value, second: Value, sign: int = 1) -> Value:
    """``first + sign * second``."""
    if isinstance(first, Tensor):
        return first.plus(second, sign)
    if isinstance(second, Tensor):
        return (second if sign == 1 else second.times(np.array(-1))).plus(first)
    return folded(operator.add if sign == 1 else operator.sub, first, second)


def turned(x: Tensor) -> Tensor:
    """The last two axes exchanged."""
    return x.at(np.swapaxes(x.places, -1, -2))


def product(a: Value, b: Value) -> Tensor:
    """The matrix product, of which one factor is constant."""
    if isinstance(a, Tensor) and (a.map.inputs or not isinstance(b, Tensor)):
        return a.matmul(constant(b, "one of the factors"))
    first, second = constant(a, "one of the factors"), depends(b)  # A x is the transposed of x' A'
    other = np.swapaxes(first, -1, -2) if first.ndim > 1 else first
    if len(second.shape) < 2:
        return second.matmul(other)
    found = turned(second).matmul(other)
    return turned(found) if first.ndim > 1 else found


def chosen(step: Step, upper: Value, lower: Value) -> tuple[Tensor, list[Fraction], Tensor]:
    """``(z, k, rest)`` such that the choice of ``upper`` where the step is true is ``rest + k * max(z, 0)``.

    Raises:
        Unsupported: the choice jumps, so that it is no such thing.
    """
    upper, lower = depends(upper), depends(lower)
    shape = np.broadcast_shapes(step.shape, upper.shape, lower.shape)
    given, upper, lower = step.tensor.broadcast(shape), upper.broadcast(shape), lower.broadcast(shape)
    difference = upper.plus(lower, -1).map
    ratios, known = [], []
    for i in range(given.map.outputs):
        (b, columns, entries), (c, others, values) = given.map.row(i), difference.row(i)
        ratio = Fraction(0)
        if not columns:
            if b > 0 or (b == 0 and not step.strict):
                known.append(i)
        elif others or c:
            if list(columns) != list(others):
                raise Unsupported("a choice that jumps is not supported")
            ratio = Fraction(values[0] * given.map.denominator, difference.denominator * entries[0])
            pairs = zip((c, *values), (b, *entries), strict=True)
            if any(v * given.map.denominator != ratio * e * difference.denominator for v, e in pairs):
                raise Unsupported("a choice that jumps is not supported")
        ratios.append(ratio)
    if known:  # entries of which the step does not depend on the input
        inputs = max(upper.map.inputs, lower.map.inputs)
        both = Tensor((2 * len(ratios),), AffineMap.stacked([v.map.widened(inputs) for v in (lower, upper)]))
        places = lower.places.ravel()
        places[known] += len(ratios)
        lower = both.at(places.reshape(shape))
    return given, ratios, lower
