"""Rules of linear layers: products with constant matrices, convolutions, normalisation with fixed statistics."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from geomrelu.errors import InputError
from geomrelu.io.onnx.activations import activated
from geomrelu.io.onnx.rules import Node, Unsupported, constant, depends, integers, product, rule, scaled
from geomrelu.io.tensors import Tensor, Value, arranged, axis_of, same_padding, sized

__all__ = ["DISPUTED", "convolve", "gemm", "window"]

DISPUTED = "auto_pad with these strides or dilations is not the same in the standard and in inference engines"

_GEMM = "alpha beta transA transB"
_WINDOW = "auto_pad dilations group kernel_shape pads strides"


@rule("MatMul", 2, 2)
def _matmul(node: Node, a: Value, b: Value) -> Value:
    return product(a, b)


@rule("FusedMatMul", 2, 2, "alpha transA transB transBatchA transBatchB", domain="com.microsoft")
def _fused_matmul(node: Node, a: Value, b: Value) -> Value:
    if node.number("transBatchA", 0) or node.number("transBatchB", 0):
        raise Unsupported("transBatchA and transBatchB are not supported")
    sides = [
        arranged(v, lambda p: np.swapaxes(p, -1, -2)) if node.number(name, 0) and len(v.shape) > 1 else v
        for v, name in ((a, "transA"), (b, "transB"))
    ]
    return scaled(product(*sides), node.real("alpha", 1.0))


@rule("Gemm", 2, 3, _GEMM + " broadcast")
def gemm(node: Node, a: Value, b: Value, c: Value | None = None) -> Value:
    if len(a.shape) != 2 or len(b.shape) != 2:
        raise InputError(f"expected two matrices, not shapes {list(a.shape)} and {list(b.shape)}")
    a = arranged(a, np.transpose) if node.number("transA", 0) else a
    b = arranged(b, np.transpose) if node.number("transB", 0) else b
    found = depends(scaled(product(a, b), node.real("alpha", 1.0)))
    beta = node.real("beta", 1.0)
    if c is None or not beta:
        return found
    result = found.plus(scaled(c, beta))
    if result.shape != found.shape:
        raise InputError(f"C of shape {list(c.shape)} does not fit the product of shape {list(found.shape)}")
    return result


@rule(
    "FusedGemm", 2, 3, _GEMM + " activation activation_alpha activation_beta activation_gamma", domain="com.microsoft"
)
def _fused_gemm(node: Node, a: Value, b: Value, c: Value | None = None) -> Value:
    alpha = node.attributes.get("activation_alpha")
    parameters = np.zeros(0) if alpha is None else np.array([node.real("activation_alpha", 0)], dtype=object)
    return activated(node, depends(gemm(node, a, b, c)), node.text("activation", ""), parameters)


@rule("Conv", 2, 3, _WINDOW)
def convolve(node: Node, x: Value, kernel: Value, bias: Value | None = None) -> Value:
    x, array = depends(x), constant(kernel, "the kernel")
    size = list(array.shape[2:])
    if node.numbers("kernel_shape", size) != size:
        raise InputError(f"kernel_shape does not fit the kernel of shape {list(array.shape)}")
    strides, dilations, pads = window(node, x.shape[2:], size)
    vector = None if bias is None else constant(bias, "the bias")
    return x.convolved(array, vector, strides, pads, dilations, node.number("group", 1))


@rule("FusedConv", 2, 4, _WINDOW + " activation activation_params", domain="com.microsoft")
def _fused_convolve(
    node: Node, x: Value, kernel: Value, bias: Value | None = None, added: Value | None = None
) -> Value:
    found = depends(convolve(node, x, kernel, bias))
    found = found if added is None else found.plus(added)
    return activated(node, found, node.text("activation", ""), node.reals("activation_params"))


@rule("ConvTranspose", 2, 3, _WINDOW + " output_padding output_shape")
def _spread(node: Node, x: Value, kernel: Value, bias: Value | None = None) -> Value:
    x, array = depends(x), constant(kernel, "the kernel")
    size, axes = list(array.shape[2:]), array.ndim - 2
    if node.numbers("kernel_shape", size) != size or len(x.shape) != array.ndim:
        raise InputError(f"a kernel of shape {list(array.shape)} does not fit {list(x.shape)}")
    strides, dilations = node.numbers("strides", [1] * axes), node.numbers("dilations", [1] * axes)
    more, pads = node.numbers("output_padding", [0] * axes), node.numbers("pads", [0] * (2 * axes))
    auto, wanted = node.text("auto_pad", "NOTSET"), node.numbers("output_shape", ())
    if not axes == len(strides) == len(dilations) == len(more):
        raise InputError("strides, dilations and output_padding need one number for each spatial axis")
    if wanted or auto.startswith("SAME"):
        wanted = wanted[-axes:] if wanted else [s * t for s, t in zip(x.shape[2:], strides, strict=True)]
        if len(wanted) != axes:
            raise InputError("output_shape needs one number for each spatial axis")
        total = [
            t * (s - 1) + m + (k - 1) * d + 1 - w
            for t, s, m, k, d, w in zip(strides, x.shape[2:], more, size, dilations, wanted, strict=True)
        ]
        if auto.startswith("SAME") and not node.numbers("output_shape", ()) and min(total, default=0) < 0:
            raise Unsupported(DISPUTED)
        more = [m + max(0, -v) for m, v in zip(more, total, strict=True)]
        total = [max(0, v) for v in total]
        less = [v // 2 for v in total]
        rest = [v - half for v, half in zip(total, less, strict=True)]
        pads = [*less, *rest] if auto == "SAME_UPPER" else [*rest, *less]
    elif auto not in ("NOTSET", "VALID"):
        raise InputError(f"auto_pad {auto[:40]!r} is not supported")
    vector = None if bias is None else constant(bias, "the bias")
    return x.spread(array, vector, strides, pads, dilations, node.number("group", 1), more)


def window(node: Node, size: Sequence[int], kernel: Sequence[int]) -> tuple[list[int], list[int], list[int]]:
    """Strides, dilations and pads, the last as ``auto_pad`` says."""
    ones = [1] * len(kernel)
    strides, dilations = node.numbers("strides", ones), node.numbers("dilations", ones)
    if not len(size) == len(kernel) == len(strides) == len(dilations):
        raise InputError("the kernel, strides and dilations need one number for each spatial axis")
    pads, auto = node.numbers("pads", 2 * [0] * len(kernel)), node.text("auto_pad", "NOTSET")
    if auto == "VALID":
        pads = 2 * [0] * len(kernel)
    elif auto in ("SAME_UPPER", "SAME_LOWER"):
        axes = list(zip(size, kernel, strides, dilations, strict=True))
        pairs = [same_padding(*axis, auto == "SAME_UPPER") for axis in axes]
        if any((-(-s // t) - 1) * t + (k - 1) * d + 1 - s < -1 for s, k, t, d in axes):  # some cut both ends then
            raise Unsupported(DISPUTED)
        pads = [before for before, _ in pairs] + [after for _, after in pairs]
    elif auto != "NOTSET":
        raise InputError(f"auto_pad {auto[:40]!r} is not supported")
    return strides, dilations, pads


@rule("BatchNormalization", 5, 5, "consumed_inputs epsilon is_test momentum spatial training_mode")
def _normalise(node: Node, x: Value, *parameters: Value) -> Value:
    training = node.number("training_mode", 0)
    if node.opset < 14:  # what the number of outputs said, and before that an attribute
        training = node.outputs > 1 if node.opset >= 7 else not node.number("is_test", 0)
    if training or not node.number("spatial", 1):
        raise Unsupported("only fixed statistics for each channel are supported")
    scale, shift, mean, variance = (constant(p, "each parameter") for p in parameters)
    return depends(x).normalised(scale, shift, mean, variance, node.real("epsilon", float(np.float32(1e-5))))


@rule("LinearRegressor", 1, 1, "coefficients intercepts post_transform targets", domain="ai.onnx.ml")
def _regress(node: Node, x: Value) -> Value:
    x, targets = depends(x), node.number("targets", 1)
    if node.text("post_transform", "NONE") != "NONE":
        raise Unsupported("post_transform is not supported")
    weights, shifts = node.reals("coefficients"), node.reals("intercepts")
    if len(x.shape) != 2 or targets < 1 or weights.size != targets * x.shape[1] or shifts.size not in (0, targets):
        raise InputError(f"{weights.size} coefficients and {shifts.size} intercepts do not fit {list(x.shape)}")
    found = x.matmul(weights.reshape(targets, -1).T)
    return found.plus(shifts) if shifts.size else found


@rule("Einsum", 1, 2, "equation")
def _einsum(node: Node, *inputs: Value) -> Value:
    """Sums of products of one tensor and at most one constant, by the letters of the equation."""
    given, (terms, result) = list(inputs), _equation(node.text("equation", ""), [len(v.shape) for v in inputs])
    if len(given) == 2 and isinstance(given[1], Tensor) and given[1].map.inputs:
        given.reverse()
        terms.reverse()
    x, weights = depends(given[0]), constant(given[1], "one of the factors") if len(given) == 2 else np.ones(())
    terms = terms if len(given) == 2 else [*terms, ""]
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, (x.shape, weights.shape), strict=True):
        for letter, size in zip(term, shape, strict=True):
            if sizes.get(letter, size) not in (size, 1) and size != 1:
                raise InputError(f"axis {letter} has sizes {sizes[letter]} and {size}")
            sizes[letter] = max(size, sizes.get(letter, 1))
    letters = [*result, *sorted(set(sizes) - set(result))]
    if set(result) - set(sizes) or len(set(result)) < len(result):
        raise InputError("the equation does not say what each axis of the result is")
    full = tuple(sizes[letter] for letter in letters)
    read, weight = (
        _along(places, term, letters, full)
        for places, term in ((x.places, terms[0]), (np.arange(weights.size).reshape(weights.shape), terms[1]))
    )
    shape = full[: len(result)]
    rows = (math.prod(shape), math.prod(full[len(result) :]))
    return x.combined(shape, read.reshape(rows), weights, weight.reshape(rows))


def _equation(text: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """The letters of each input and of the result; an ellipsis becomes capital Greek letters."""
    text = text.replace(" ", "")
    left, arrow, result = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks) or not all(set(t.replace("...", "")) <= _LETTERS for t in (*terms, result)):
        raise InputError(f"the equation {text[:40]!r} does not fit {len(ranks)} inputs")
    spare = [rank - len(t.replace("...", "")) for t, rank in zip(terms, ranks, strict=True)]
    if any(s < 0 or (s and "..." not in t) for s, t in zip(spare, terms, strict=True)):
        raise InputError(f"the equation {text[:40]!r} does not fit inputs of {list(ranks)} axes")
    most = max(spare, default=0)
    names = "".join(chr(0x391 + k) for k in range(most))
    if most > 16:
        raise InputError("too many axes")
    full = [t.replace("...", names[most - s :]) for s, t in zip(spare, terms, strict=True)]
    if arrow:
        return full, result.replace("...", names)
    once = [c for c in sorted(set("".join(full)) - set(names)) if "".join(full).count(c) == 1]
    return full, names + "".join(once)


_LETTERS = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def _along(places: np.ndarray, term: str, letters: Sequence[str], full: tuple[int, ...]) -> np.ndarray:
    """The places at each point of the grid of all letters; a letter that stands twice reads the diagonal."""
    sized(math.prod(full), "an Einsum")
    index = []
    for letter, size in zip(term, places.shape, strict=True):
        axis = letters.index(letter)
        shape = [1] * len(full)
        shape[axis] = full[axis]
        index.append((np.arange(full[axis]) if size > 1 else np.zeros(full[axis], dtype=np.int64)).reshape(shape))
    return np.broadcast_to(places[tuple(index)], full)


def _number(value: Value, what: str) -> int:
    listed = integers(value, what)
    if len(listed) != 1:
        raise InputError(f"{what} must be one number")
    return listed[0]


@rule("CumSum", 2, 2, "exclusive reverse")
def _cumulate(node: Node, x: Value, axis: Value) -> Value:
    x = depends(x)
    at = axis_of(_number(axis, "the axis"), x.shape)
    size = x.shape[at]
    ones = np.tril(np.ones((size, size), dtype=np.int64), -1 if node.number("exclusive", 0) else 0)
    ones = ones[::-1, ::-1] if node.number("reverse", 0) else ones
    last = x.at(np.moveaxis(x.places, at, -1)).matmul(ones.T)
    return last.at(np.moveaxis(last.places, -1, at))


@rule("Trilu", 1, 2, "upper")
def _triangle(node: Node, x: Value, k: Value | None = None) -> Value:
    x, by = depends(x), 0 if k is None else _number(k, "k")
    if len(x.shape) < 2:
        raise InputError(f"a tensor of shape {list(x.shape)} has no triangle")
    ones = np.ones(x.shape[-2:], dtype=np.int64)
    by = max(-max(ones.shape), min(max(ones.shape), by))
    return x.times(np.triu(ones, by) if node.number("upper", 1) else np.tril(ones, by))
