"""Models in ONNX, traced exactly: parameters are the dyadic numbers their floats hold, arithmetic is rational.

Each tensor of the graph is a constant array or a :class:`~geomrelu.io.tensors.Tensor` of affine forms over the
variables of a tape; Relu makes new variables. The rounding that an inference engine adds to each operation is not
part of the network, in the same way as it is not part of the mathematics.
"""

from __future__ import annotations

import importlib
import math
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.affine import affordable
from geomrelu.exact.numbers import bfloat16, rational, rounded
from geomrelu.io.files import FilePath, named, read_bytes
from geomrelu.io.tape import Tape
from geomrelu.io.tensors import Tensor, Value, arranged, axis_of, concatenated, exact_array, same_padding, sized

__all__ = ["read"]


def read(path: FilePath) -> Tape:
    """The model in an ONNX file: one input (a batch of one), the first output, nodes that do not reach it left out.

    Raises:
        InputError: ``path: what is wrong``, with the operator, its place in the file and its output.

    Exact: yes, except that batch normalisation may hold an irrational root, see
    :func:`geomrelu.io.tape.batch_normalisation`.
    """
    try:
        parse: Any = importlib.import_module("onnx").ModelProto.FromString
        decode: Any = importlib.import_module("onnx.numpy_helper").to_array
        unreadable: Any = importlib.import_module("google.protobuf.message").DecodeError
    except ImportError:
        raise InputError(f"{path}: reading ONNX files needs the package onnx: pip install 'geomrelu[onnx]'") from None
    data = read_bytes(path)
    with named(path):
        try:
            model = parse(data)
        except unreadable as problem:
            raise InputError(f"not an ONNX model: {_line(problem)}") from None
        return _Trace(model.graph, decode).tape


class _Trace:
    """Walks the graph once, in its order, which ONNX requires to be topological.

    The version of the operator set is not asked for: where versions differ, they differ in attributes and inputs.
    """

    def __init__(self, graph: Any, decode: Callable[[Any], Any]) -> None:
        self.decode = decode
        if not all(isinstance(name, str) for name in _names(graph)):
            raise InputError("not an ONNX model: a name in it is not text")
        if not graph.output:
            raise InputError("the graph has no output")
        self.initializers = {t.name: t for t in graph.initializer}
        self.values: dict[str, Value] = {}
        self.bits: dict[str, int] = {}  # of the floating-point type of a tensor that depends on the input
        output = graph.output[0].name
        nodes = self._reaching(output, graph.node)
        self.tape = self._input(graph)
        for position, node in nodes:
            kind = node.op_type[:40] if node.op_type.isprintable() else repr(node.op_type[:40])
            where = f"operator {kind} (node {position}, output {node.output[0][:80]!r})"
            if node.domain not in ("", "ai.onnx") or node.op_type not in _OPERATORS:
                raise InputError(f"{where} is not supported")
            with named(where):
                self._do(node)
        result = self._value(output)
        if not isinstance(result, Tensor):
            raise InputError(f"the output {output[:80]!r} does not depend on the input")
        self.tape.finish(result.map)

    @staticmethod
    def _reaching(output: str, nodes: Sequence[Any]) -> list[tuple[int, Any]]:
        """The nodes that the output depends on, with their positions from 1."""
        needed, found = {output}, []
        for position, node in reversed(list(enumerate(nodes, 1))):
            if needed.intersection(filter(None, node.output)):
                needed.update(node.input)
                found.append((position, node))
        return found[::-1]

    def _input(self, graph: Any) -> Tape:
        inputs = [i for i in graph.input if i.name not in self.initializers]
        if len(inputs) != 1:
            names = ", ".join(repr(i.name[:40]) for i in inputs[:5])
            raise InputError(f"the graph has {len(inputs)} inputs ({names}), but one is expected")
        (given,) = inputs
        kind = given.type.tensor_type
        where = f"input {given.name[:80]!r}"
        if kind.elem_type not in _FLOAT_BITS:
            raise InputError(f"{where} is not a tensor of floating-point numbers")
        if not kind.HasField("shape"):
            raise InputError(f"{where} has no shape")
        shape = [d.dim_value if d.HasField("dim_value") else 0 for d in kind.shape.dim]
        if shape and shape[0] <= 0:
            shape[0] = 1  # a batch whose size the file leaves open
        if any(d < 1 for d in shape):
            raise InputError(f"{where}: only the batch, the first axis, may be of unknown size: {_shown(kind.shape)}")
        if len(shape) > 1 and shape[0] > 1:
            raise InputError(f"{where}: a batch of {shape[0]} is not supported, only of 1: {_shown(kind.shape)}")
        sized(math.prod(shape), where)
        tape = Tape(math.prod(shape))
        self.values[given.name] = Tensor(tuple(shape), tape.input)
        self.bits[given.name] = _FLOAT_BITS[kind.elem_type]
        return tape

    def _value(self, name: str) -> Value:
        if name not in self.values:
            if name not in self.initializers:
                raise InputError(f"the tensor {name[:80]!r} is used before anything makes it")
            self.values[name] = self.array(self.initializers[name])
        return self.values[name]

    def array(self, proto: Any) -> np.ndarray:
        """The array of a TensorProto. Only data in the file itself is read."""
        where = f"tensor {proto.name[:80]!r}"
        if proto.data_location or proto.external_data:
            raise InputError(f"{where} is in another file; external data is not supported")
        affordable(math.prod(abs(d) for d in proto.dims), where)
        try:
            array: np.ndarray = self.decode(proto)
            if proto.float_data and array.dtype == np.float32:
                array = _float32(proto, "float_data").reshape(array.shape)
        except Exception as problem:  # onnx has no exception of its own for data that do not fit their header
            raise InputError(f"{where} is not readable: {_line(problem)}") from None
        if array.dtype.name == "bfloat16":
            array = bfloat16(array.view(np.uint16))
        if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
            raise InputError(f"{where} holds {array.dtype}, which is not supported")
        return array

    def _do(self, proto: Any) -> None:
        node = _Node(proto, self)
        rule = _OPERATORS[node.operator]
        unknown = sorted(set(node.attributes) - rule.attributes)
        if unknown:
            raise InputError(f"attribute {unknown[0][:40]!r} is not supported")
        names = list(proto.input)
        while names and not names[-1]:
            names.pop()
        required = names if rule.most == _MANY else names[: rule.least]
        if not rule.least <= len(names) <= rule.most or not all(required):
            raise InputError(f"{len(names)} inputs are not supported")
        inputs = [self._value(name) if name else None for name in names]
        node.bits = max((self.bits.get(name, 0) for name in names), default=0)
        results = rule.apply(node, *inputs)
        for name, value in zip(proto.output, results if isinstance(results, tuple) else (results,), strict=False):
            if not name:
                continue
            if name in self.values or name in self.initializers:
                raise InputError(f"the tensor {name[:80]!r} is made twice")
            self.values[name] = value
            if isinstance(value, Tensor):
                self.bits[name] = node.bits


class _Node:
    """A node as the rules below see it; ``bits`` is the precision of what it reads and then of what it makes."""

    def __init__(self, proto: Any, trace: _Trace) -> None:
        self.operator: str = proto.op_type
        self.outputs = len(proto.output)
        self.trace = trace
        self.bits = 0
        self.attributes = {a.name: a for a in proto.attribute}

    def _get(self, name: str, field: str, default: Any) -> Any:
        attribute = self.attributes.get(name)
        if attribute is None:
            return default
        if _FIELDS.get(attribute.type) != field:
            raise InputError(f"attribute {name!r} is of the wrong type")
        return getattr(attribute, field)

    def number(self, name: str, default: int) -> int:
        return int(self._get(name, "i", default))

    def real(self, name: str, default: float) -> Fraction:
        """A float attribute, as the dyadic number it holds."""
        found = self._get(name, "f", default)
        if name in self.attributes:
            found = next(iter(_float32(self.attributes[name], "f")), 0)
        return rational(found, f"attribute {name!r}")

    def numbers(self, name: str, default: Sequence[int]) -> list[int]:
        return [int(v) for v in self._get(name, "ints", default)]

    def reals(self, name: str) -> np.ndarray:
        self._get(name, "floats", ())
        return _float32(self.attributes[name], "floats")

    def text(self, name: str, default: str) -> str:
        found = self._get(name, "s", default)
        return found if isinstance(found, str) else bytes(found).decode("utf-8", "replace")

    def array(self, name: str) -> np.ndarray:
        return self.trace.array(self._get(name, "t", None))

    def listed(self, name: str, value: Value | None) -> list[int] | None:
        """Integers that older operator sets keep in an attribute and newer ones in an input."""
        if value is not None:
            return _integers(value, name)
        return self.numbers(name, ()) if name in self.attributes else None


# ---- the rules, one for each operator ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Rule:
    apply: Callable[..., Value | tuple[Value, ...]]
    least: int
    most: int
    attributes: frozenset[str]


_OPERATORS: dict[str, _Rule] = {}
_MANY = 1 << 30
_FIELDS = {1: "f", 2: "i", 3: "s", 4: "t", 6: "floats", 7: "ints"}  # the kinds of attribute in onnx.proto
_FLOAT_BITS = {1: 32, 10: 16, 11: 64}  # TensorProto.FLOAT, FLOAT16, DOUBLE
_INTEGERS = {2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 12: "uint32", 13: "uint64"}


def _rule(operators: str, least: int, most: int, attributes: str = "") -> Callable[[Any], Any]:
    """Register a function ``(node, *inputs) -> outputs``. An attribute it does not name is refused: it may matter."""

    def register(apply: Any) -> Any:
        for name in operators.split():
            _OPERATORS[name] = _Rule(apply, least, most, frozenset(attributes.split()))
        return apply

    return register


def _depends(value: Value) -> Tensor:
    if not isinstance(value, Tensor):
        raise InputError("it does not depend on the input of the network")
    return value


def _constant(value: Value, what: str) -> np.ndarray:
    if isinstance(value, Tensor):
        raise InputError(f"{what} must be constant, but depends on the input of the network")
    return value


def _integers(value: Value, what: str) -> list[int]:
    array = _constant(value, what)
    if array.dtype.kind not in "iu" or array.ndim > 1:
        raise InputError(f"{what} must be a list of integers")
    return [int(v) for v in array.ravel()]


@_rule("Relu", 1, 1)
def _relu(node: _Node, x: Value) -> Value:
    x = _depends(x)
    return Tensor(x.shape, node.trace.tape.relu(x.map))


@_rule("Identity", 1, 1)
@_rule("Dropout", 1, 3, "is_test ratio seed")
def _identity(node: _Node, x: Value, ratio: Value | None = None, training: Value | None = None) -> Value:
    if training is not None and _constant(training, "training_mode").any():
        raise InputError("training mode is not supported")
    return x


@_rule("Cast", 1, 1, "to saturate round_mode")
def _cast(node: _Node, x: Value) -> Value:
    to = node.number("to", 0)
    if to not in _FLOAT_BITS and to not in _INTEGERS:
        raise InputError(f"a cast to element type {to} is not supported")
    if isinstance(x, Tensor):
        if _FLOAT_BITS.get(to, 0) < node.bits:
            raise InputError("a cast that loses digits of a value is not supported")
        node.bits = _FLOAT_BITS[to]
        return x
    if to in _FLOAT_BITS:  # a float constant in the file is rounded as the cast says; a rational result is kept
        return x if x.dtype == object else rounded(x, _FLOAT_BITS[to] // 8)
    if x.dtype.kind not in "iub":
        x = _integral([math.trunc(v) for v in exact_array(x).ravel()], x.shape)  # towards zero, as in C
    cast = x.astype(_INTEGERS[to])
    if not (cast == x).all():
        raise InputError(f"the constant does not fit into {_INTEGERS[to]}")
    return cast


# ---- entry by entry ---------------------------------------------------------------------------------------------


@_rule("Add", 2, 2)
@_rule("Sub", 2, 2)
@_rule("Sum", 1, _MANY)
def _add(node: _Node, first: Value, *others: Value) -> Value:
    sign = -1 if node.operator == "Sub" else 1
    for other in others:
        first = _sum(first, other, sign)
    return first


def _sum(first: Value, second: Value, sign: int = 1) -> Value:
    if isinstance(first, Tensor):
        return first.plus(second, sign)
    if isinstance(second, Tensor):
        return (second if sign == 1 else second.times(np.array(-1))).plus(first)
    return _folded(operator.add if sign == 1 else operator.sub, first, second)


@_rule("Mul", 2, 2)
def _multiply(node: _Node, first: Value, second: Value) -> Value:
    if isinstance(second, Tensor):
        first, second = second, first
    if isinstance(first, Tensor):
        return first.times(_constant(second, "one of the factors"))
    return _folded(operator.mul, first, _constant(second, "the factor"))


@_rule("Div", 2, 2)
def _divide(node: _Node, first: Value, second: Value) -> Value:
    second = _constant(second, "the divisor")
    if not exact_array(second).astype(bool).all():
        raise InputError("division by zero")
    if not isinstance(first, Tensor):
        return _folded(_quotient, first, second)
    return first.times(np.vectorize(lambda v: 1 / v, otypes=[object])(exact_array(second)))


def _quotient(a: Any, b: Any) -> Any:
    """ONNX divides integers towards zero."""
    return a / b if isinstance(a, Fraction) else math.trunc(Fraction(a, b))


@_rule("Neg", 1, 1)
def _negate(node: _Node, x: Value) -> Value:
    return x.times(np.array(-1)) if isinstance(x, Tensor) else _folded(operator.mul, x, np.array(-1))


def _folded(function: Callable[[Any, Any], Any], first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Arithmetic of constants: of integers as integers, otherwise as rationals, never as floats."""
    try:
        shape = np.broadcast_shapes(first.shape, second.shape)
    except ValueError as problem:
        raise InputError(str(problem)) from None
    sized(math.prod(shape), "a constant")
    whole = first.dtype.kind in "iu" and second.dtype.kind in "iu"
    pair = [a.astype(object) if whole else exact_array(a) for a in (first, second)]
    result = [function(a, b) for a, b in zip(*(np.broadcast_to(a, shape).ravel() for a in pair), strict=True)]
    if whole:
        return _integral(result, shape)
    array = np.empty(len(result), dtype=object)
    array[:] = result
    return array.reshape(shape)


def _integral(values: Sequence[int], shape: tuple[int, ...]) -> np.ndarray:
    if any(not -(1 << 63) <= v < 1 << 63 for v in values):
        raise InputError("an integer is out of the range of 64 bits")
    return np.array(values, dtype=np.int64).reshape(shape)


# ---- linear layers ----------------------------------------------------------------------------------------------


@_rule("MatMul", 2, 2)
def _matmul(node: _Node, a: Value, b: Value) -> Value:
    return _product(a, b)


def _product(a: Value, b: Value) -> Tensor:
    if isinstance(a, Tensor):
        return a.matmul(_constant(b, "one of the factors"))
    b = _depends(b)  # A x is the transposed of x' A'
    turned = np.swapaxes(a, -1, -2) if a.ndim > 1 else a
    if len(b.shape) < 2:
        return b.matmul(turned)
    product = _turned(b).matmul(turned)
    return _turned(product) if a.ndim > 1 else product


def _turned(x: Tensor) -> Tensor:
    return x.at(np.swapaxes(x.places, -1, -2))


@_rule("Gemm", 2, 3, "alpha beta transA transB")
def _gemm(node: _Node, a: Value, b: Value, c: Value | None = None) -> Value:
    if len(a.shape) != 2 or len(b.shape) != 2:
        raise InputError(f"expected two matrices, not shapes {list(a.shape)} and {list(b.shape)}")
    a = arranged(a, np.transpose) if node.number("transA", 0) else a
    b = arranged(b, np.transpose) if node.number("transB", 0) else b
    product = _depends(_scaled(_product(a, b), node.real("alpha", 1.0)))
    beta = node.real("beta", 1.0)
    if c is None or not beta:
        return product
    result = product.plus(_scaled(c, beta))
    if result.shape != product.shape:
        raise InputError(f"C of shape {list(c.shape)} does not fit the product of shape {list(product.shape)}")
    return result


def _scaled(x: Value, factor: Fraction) -> Value:
    if factor == 1:
        return x
    factors = np.array(factor, dtype=object)
    return x.times(factors) if isinstance(x, Tensor) else _folded(operator.mul, x, factors)


@_rule("Conv", 2, 3, "auto_pad dilations group kernel_shape pads strides")
def _convolve(node: _Node, x: Value, kernel: Value, bias: Value | None = None) -> Value:
    x, kernel = _depends(x), _constant(kernel, "the kernel")
    size = list(kernel.shape[2:])
    if node.numbers("kernel_shape", size) != size:
        raise InputError(f"kernel_shape does not fit the kernel of shape {list(kernel.shape)}")
    strides, dilations, pads = _window(node, x.shape[2:], size)
    vector = None if bias is None else _constant(bias, "the bias")
    return x.convolved(kernel, vector, strides, pads, dilations, node.number("group", 1))


@_rule("AveragePool", 1, 1, "auto_pad ceil_mode count_include_pad dilations kernel_shape pads strides")
def _average(node: _Node, x: Value) -> Value:
    x = _depends(x)
    size = node.numbers("kernel_shape", ())
    strides, dilations, pads = _window(node, x.shape[2:], size)
    if node.number("ceil_mode", 0) or any(d != 1 for d in dilations):
        raise InputError("ceil_mode and dilations are not supported")
    return x.averaged(size, strides, pads, bool(node.number("count_include_pad", 0)))


def _window(node: _Node, size: Sequence[int], kernel: Sequence[int]) -> tuple[list[int], list[int], list[int]]:
    """Strides, dilations and pads, the last as ``auto_pad`` says."""
    ones = [1] * len(kernel)
    strides, dilations = node.numbers("strides", ones), node.numbers("dilations", ones)
    if not len(size) == len(kernel) == len(strides) == len(dilations):
        raise InputError("the kernel, strides and dilations need one number for each spatial axis")
    pads, auto = node.numbers("pads", 2 * [0] * len(kernel)), node.text("auto_pad", "NOTSET")
    if auto == "VALID":
        pads = 2 * [0] * len(kernel)
    elif auto in ("SAME_UPPER", "SAME_LOWER"):
        pairs = [
            same_padding(*sizes, auto == "SAME_UPPER") for sizes in zip(size, kernel, strides, dilations, strict=True)
        ]
        pads = [before for before, _ in pairs] + [after for _, after in pairs]
    elif auto != "NOTSET":
        raise InputError(f"auto_pad {auto[:40]!r} is not supported")
    return strides, dilations, pads


@_rule("GlobalAveragePool", 1, 1)
def _global_average(node: _Node, x: Value) -> Value:
    x = _depends(x)
    return x.reduced(range(2, len(x.shape)), keep=True, mean=True)


@_rule("ReduceMean", 1, 2, "axes keepdims noop_with_empty_axes")
@_rule("ReduceSum", 1, 2, "axes keepdims noop_with_empty_axes")
def _reduce(node: _Node, x: Value, axes: Value | None = None) -> Value:
    x = _depends(x)
    listed = node.listed("axes", axes)
    if not listed:
        if node.number("noop_with_empty_axes", 0):
            return x
        listed = list(range(len(x.shape)))
    return x.reduced(listed, bool(node.number("keepdims", 1)), node.operator == "ReduceMean")


@_rule("BatchNormalization", 5, 5, "epsilon is_test momentum spatial training_mode")
def _normalise(node: _Node, x: Value, *parameters: Value) -> Value:
    if node.number("training_mode", 0) or not node.number("spatial", 1):
        raise InputError("only fixed statistics for each channel are supported")
    scale, shift, mean, variance = (_constant(p, "each parameter") for p in parameters)
    return _depends(x).normalised(scale, shift, mean, variance, node.real("epsilon", float(np.float32(1e-5))))


# ---- rearrangements, of tensors and of constants ------------------------------------------------------------------


@_rule("Flatten", 1, 1, "axis")
def _flatten(node: _Node, x: Value) -> Value:
    axis = node.number("axis", 1)
    if not -len(x.shape) <= axis <= len(x.shape):
        raise InputError(f"there is no axis {axis}")
    rows = math.prod(x.shape[: axis if axis >= 0 else len(x.shape) + axis])
    return arranged(x, lambda p: p.reshape(rows, -1))


@_rule("Reshape", 1, 2, "allowzero shape")
def _reshape(node: _Node, x: Value, shape: Value | None = None) -> Value:
    listed = node.listed("shape", shape)
    if listed is None:
        raise InputError("there is no shape")
    if not node.number("allowzero", 0):
        if 0 in listed[len(x.shape) :]:
            raise InputError(f"{listed} copies an axis that {list(x.shape)} does not have")
        listed = [x.shape[k] if size == 0 else size for k, size in enumerate(listed)]
    return arranged(x, lambda p: p.reshape(listed))


@_rule("Transpose", 1, 1, "perm")
def _transpose(node: _Node, x: Value) -> Value:
    axes = node.numbers("perm", range(len(x.shape))[::-1])
    return arranged(x, lambda p: p.transpose(axes))


@_rule("Squeeze", 1, 2, "axes")
def _squeeze(node: _Node, x: Value, axes: Value | None = None) -> Value:
    listed = node.listed("axes", axes)
    return arranged(x, lambda p: p.squeeze(None if listed is None else tuple(listed)))


@_rule("Unsqueeze", 1, 2, "axes")
def _unsqueeze(node: _Node, x: Value, axes: Value | None = None) -> Value:
    listed = node.listed("axes", axes)
    if listed is None or len(listed) > 60:
        raise InputError("there are no axes, or too many")
    return arranged(x, lambda p: np.expand_dims(p, tuple(listed)))


@_rule("Expand", 2, 2)
def _expand(node: _Node, x: Value, shape: Value) -> Value:
    listed = _integers(shape, "the shape")
    sized(math.prod(x.shape) * math.prod(map(abs, listed)), "the expanded tensor")
    return arranged(x, lambda p: np.broadcast_to(p, np.broadcast_shapes(p.shape, tuple(listed))))


@_rule("Concat", 1, _MANY, "axis")
def _concatenate(node: _Node, *parts: Value) -> Value:
    return concatenated(parts, node.number("axis", 1))


@_rule("Gather", 2, 2, "axis")
def _gather(node: _Node, x: Value, indices: Value) -> Value:
    chosen, axis = _constant(indices, "the indices"), axis_of(node.number("axis", 0), x.shape)
    if chosen.dtype.kind not in "iu":
        raise InputError("the indices must be integers")
    sized(math.prod(x.shape) // max(1, x.shape[axis]) * chosen.size, "the gathered tensor")
    return arranged(x, lambda p: np.take(p, chosen.astype(np.int64), axis))


@_rule("Slice", 1, 5, "axes ends starts")
def _slice(
    node: _Node,
    x: Value,
    starts: Value | None = None,
    ends: Value | None = None,
    axes: Value | None = None,
    steps: Value | None = None,
) -> Value:
    first, last = node.listed("starts", starts), node.listed("ends", ends)
    if first is None or last is None:
        raise InputError("there are no starts or no ends")
    over = node.listed("axes", axes)
    over = list(range(len(first))) if over is None else over
    by = [1] * len(first) if steps is None else _integers(steps, "steps")
    if not len(first) == len(last) == len(over) == len(by) or 0 in by:
        raise InputError("starts, ends, axes and steps do not fit together")
    where = [slice(None)] * len(x.shape)
    for a, s, e, t in zip(over, first, last, by, strict=True):
        where[axis_of(a, x.shape)] = slice(s, e, t)
    return arranged(x, lambda p: p[tuple(where)])


@_rule("Split", 1, 2, "axis num_outputs split")
def _split(node: _Node, x: Value, sizes: Value | None = None) -> tuple[Value, ...]:
    axis, listed = axis_of(node.number("axis", 0), x.shape), node.listed("split", sizes)
    length = x.shape[axis]
    if listed is None:
        each = -(-length // max(1, node.outputs))
        listed = [max(0, min(each, length - k * each)) for k in range(node.outputs)]
    if sum(listed) != length or min(listed, default=0) < 1 or len(listed) != node.outputs:
        raise InputError(f"an axis of size {length} does not split into {listed[:20]}")
    ends = np.cumsum(listed)
    return tuple(
        arranged(x, lambda p, e=e, n=n: np.take(p, np.arange(e - n, e), axis))  # type: ignore[misc]
        for e, n in zip(ends, listed, strict=True)
    )


@_rule("Pad", 1, 4, "mode paddings pads value")
def _pad(
    node: _Node, x: Value, pads: Value | None = None, value: Value | None = None, axes: Value | None = None
) -> Value:
    x, mode = _depends(x), node.text("mode", "constant")
    listed = node.listed("pads" if "pads" in node.attributes else "paddings", pads)
    over = range(len(x.shape)) if axes is None else _integers(axes, "axes")
    if listed is None or len(listed) != 2 * len(over) or min(listed, default=0) < 0:
        raise InputError("pads must be two numbers for each axis, not negative")
    widths = [(0, 0)] * len(x.shape)
    for k, a in enumerate(over):
        widths[axis_of(a, x.shape)] = (listed[k], listed[k + len(over)])
    sized(math.prod(s + before + after for s, (before, after) in zip(x.shape, widths, strict=True)), "the padding")
    if mode in ("reflect", "edge", "wrap"):
        return arranged(x, lambda p: np.pad(p, widths, mode=mode))  # type: ignore[call-overload]
    if mode != "constant":
        raise InputError(f"mode {mode[:40]!r} is not supported")
    fill = np.array(node.real("value", 0.0), dtype=object) if value is None else _constant(value, "the padding")
    if fill.size != 1:
        raise InputError("the padding must be one number")
    count = x.map.outputs
    flat = concatenated([x.at(np.arange(count)), fill.reshape(1)], 0)
    return arranged(flat, lambda p: np.pad(x.places, widths, constant_values=count))


# ---- constants and shapes ---------------------------------------------------------------------------------------


@_rule("Constant", 0, 0, "value value_float value_floats value_int value_ints")
def _constant_node(node: _Node) -> Value:
    match list(node.attributes):
        case ["value"]:
            return node.array("value")
        case ["value_float"]:
            return np.array(node.real("value_float", 0.0), dtype=object)
        case ["value_floats"]:
            return node.reals("value_floats")
        case ["value_int"]:
            return np.array(node.number("value_int", 0), dtype=np.int64)
        case ["value_ints"]:
            return np.array(node.numbers("value_ints", ()), dtype=np.int64)
    raise InputError("a constant has one value")


@_rule("Shape", 1, 1, "end start")
def _shape(node: _Node, x: Value) -> Value:
    return np.array(x.shape[slice(node.number("start", 0), node.number("end", len(x.shape)))], dtype=np.int64)


@_rule("ConstantOfShape", 1, 1, "value")
def _constant_of_shape(node: _Node, shape: Value) -> Value:
    listed = _integers(shape, "the shape")
    if min(listed, default=0) < 0:
        raise InputError(f"there is no shape {listed[:20]}")
    sized(math.prod(listed), "the constant")
    value = node.array("value") if "value" in node.attributes else np.zeros(1, dtype=np.float32)
    if value.size != 1:
        raise InputError("the value must be one number")
    return arranged(value.ravel(), lambda p: np.broadcast_to(p, listed))


def _names(graph: Any) -> Iterator[Any]:
    """Every name that the trace looks at; protobuf hands over those that are not UTF-8 as bytes."""
    for item in (*graph.input, *graph.output, *graph.initializer):
        yield item.name
    for node in graph.node:
        yield from (node.op_type, node.domain, *node.input, *node.output, *(a.name for a in node.attribute))


def _float32(message: Any, name: str) -> np.ndarray:
    """A field of 32-bit floats of a message, bit by bit; read through its attribute they would become doubles."""
    number, data, at, found = message.DESCRIPTOR.fields_by_name[name].number, message.SerializeToString(), 0, b""
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == 0:
            _, at = _varint(data, at)
            continue
        size, at = _varint(data, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
        if tag >> 3 == number:
            found += data[at : at + size]
        at += size
    return np.frombuffer(found, "<f4")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The whole number that stands there, and where it ends (protobuf: seven bits a byte, the lowest first)."""
    value, shift = 0, 0
    while True:
        byte = data[at]
        value, shift, at = value | (byte & 0x7F) << shift, shift + 7, at + 1
        if byte < 0x80:
            return value, at


def _line(problem: Exception) -> str:
    return (str(problem) or type(problem).__name__).splitlines()[0][:200]


def _shown(shape: Any) -> str:
    sizes = [str(d.dim_value) if d.HasField("dim_value") else d.dim_param[:20] or "?" for d in shape.dim]
    return f"shape [{', '.join(sizes)}]"
