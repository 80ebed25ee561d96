"""Rules that only move, repeat, select or drop entries, of tensors and of constants alike."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from geomrelu.errors import InputError
from geomrelu.io.onnx.rules import MANY, Node, Unsupported, constant, depends, integers, portions, rule
from geomrelu.io.tensors import Tensor, Value, arranged, axis_of, concatenated, sized

__all__: list[str] = []


@rule("Flatten", 1, 1, "axis", arrays=True)
def _flatten(node: Node, x: Value) -> Value:
    axis = node.number("axis", 1)
    if not -len(x.shape) <= axis <= len(x.shape):
        raise InputError(f"there is no axis {axis}")
    rows = math.prod(x.shape[: axis if axis >= 0 else len(x.shape) + axis])
    return arranged(x, lambda p: p.reshape(rows, -1))


@rule("Reshape", 1, 2, "allowzero shape", arrays=True)
def _reshape(node: Node, x: Value, shape: Value | None = None) -> Value:
    listed = node.listed("shape", shape)
    if listed is None:
        raise InputError("there is no shape")
    if not node.number("allowzero", 0):
        if 0 in listed[len(x.shape) :]:
            raise InputError(f"{listed} copies an axis that {list(x.shape)} does not have")
        listed = [x.shape[k] if size == 0 else size for k, size in enumerate(listed)]
    return arranged(x, lambda p: p.reshape(listed))


@rule("Transpose", 1, 1, "perm", arrays=True)
def _transpose(node: Node, x: Value) -> Value:
    axes = node.numbers("perm", range(len(x.shape))[::-1])
    return arranged(x, lambda p: p.transpose(axes))


@rule("Squeeze", 1, 2, "axes", arrays=True)
def _squeeze(node: Node, x: Value, axes: Value | None = None) -> Value:
    listed = node.listed("axes", axes)
    return arranged(x, lambda p: p.squeeze(None if listed is None else tuple(listed)))


@rule("Unsqueeze", 1, 2, "axes", arrays=True)
def _unsqueeze(node: Node, x: Value, axes: Value | None = None) -> Value:
    listed = node.listed("axes", axes)
    if listed is None or len(listed) > 60:
        raise InputError("there are no axes, or too many")
    return arranged(x, lambda p: np.expand_dims(p, tuple(listed)))


@rule("Expand", 2, 2, arrays=True)
def _expand(node: Node, x: Value, shape: Value) -> Value:
    listed = integers(shape, "the shape")
    sized(math.prod(x.shape) * math.prod(map(abs, listed)), "the expanded tensor")
    return arranged(x, lambda p: np.broadcast_to(p, np.broadcast_shapes(p.shape, tuple(listed))))


@rule("Concat", 1, MANY, "axis", arrays=True)
def _concatenate(node: Node, *parts: Value) -> Value:
    return concatenated(parts, node.number("axis", 1))


@rule("Gather", 2, 2, "axis", arrays=True)
def _gather(node: Node, x: Value, indices: Value) -> Value:
    chosen, axis = _places(indices), axis_of(node.number("axis", 0), x.shape)
    sized(math.prod(x.shape) // max(1, x.shape[axis]) * chosen.size, "the gathered tensor")
    return arranged(x, lambda p: np.take(p, chosen, axis))


@rule("ArrayFeatureExtractor", 2, 2, domain="ai.onnx.ml", arrays=True)
def _columns(node: Node, x: Value, indices: Value) -> Value:
    """Along the last axis; a list of numbers becomes a row."""
    chosen = _places(indices).ravel()
    if not x.shape or not chosen.size or chosen.min() < 0 or chosen.max() >= x.shape[-1]:
        raise InputError(f"there are no columns {chosen.tolist()[:8]} in shape {list(x.shape)}")
    sized(math.prod(x.shape[:-1]) * chosen.size, "the chosen columns")
    return arranged(x, lambda p: np.take(np.atleast_2d(p), chosen, -1))


@rule("FeatureVectorizer", 1, MANY, "inputdimensions", domain="ai.onnx.ml", arrays=True)
def _features(node: Node, *parts: Value) -> Value:
    sizes = node.numbers("inputdimensions", [])
    if any(len(part.shape) != 2 for part in parts) or sizes != [part.shape[1] for part in parts]:
        raise Unsupported("sizes other than those of its inputs, or other axes than two, are not supported")
    return concatenated(parts, 1)


@rule("Slice", 1, 5, "axes ends starts", arrays=True)
def _slice(
    node: Node,
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
    by = [1] * len(first) if steps is None else integers(steps, "steps")
    if not len(first) == len(last) == len(over) == len(by) or 0 in by:
        raise InputError("starts, ends, axes and steps do not fit together")
    where = [slice(None)] * len(x.shape)
    for a, s, e, t in zip(over, first, last, by, strict=True):
        where[axis_of(a, x.shape)] = slice(s, e, t)
    return arranged(x, lambda p: p[tuple(where)])


@rule("Split", 1, 2, "axis num_outputs split", arrays=True)
def _split(node: Node, x: Value, sizes: Value | None = None) -> tuple[Value, ...]:
    axis, listed = axis_of(node.number("axis", 0), x.shape), node.listed("split", sizes)
    length = x.shape[axis]
    if listed is None:
        each = -(-length // max(1, node.outputs))
        listed = [max(0, min(each, length - k * each)) for k in range(node.outputs)]
    if sum(listed) != length or min(listed, default=0) < 0 or len(listed) != node.outputs:
        raise InputError(f"an axis of size {length} does not split into {listed[:20]}")
    return portions(x, axis, listed)


@rule("Pad", 1, 4, "mode paddings pads value")
def _pad(
    node: Node, x: Value, pads: Value | None = None, value: Value | None = None, axes: Value | None = None
) -> Value:
    x, mode = depends(x), node.text("mode", "constant")
    listed = node.listed("pads" if "pads" in node.attributes else "paddings", pads)
    over = range(len(x.shape)) if axes is None else integers(axes, "axes")
    if listed is None or len(listed) != 2 * len(over):
        raise InputError("pads must be two numbers for each axis")
    widths = [(0, 0)] * len(x.shape)
    for k, a in enumerate(over):
        widths[axis_of(a, x.shape)] = (listed[k], listed[k + len(over)])
    cut = tuple(slice(max(0, -b), s - max(0, -a)) for s, (b, a) in zip(x.shape, widths, strict=True))
    x, widths = x.at(x.places[cut]), [(max(0, b), max(0, a)) for b, a in widths]
    sized(math.prod(s + before + after for s, (before, after) in zip(x.shape, widths, strict=True)), "the padding")
    if mode in ("reflect", "edge", "wrap"):
        return arranged(x, lambda p: np.pad(p, widths, mode=mode))  # type: ignore[call-overload]
    if mode != "constant":
        raise InputError(f"mode {mode[:40]!r} is not supported")
    fill = np.array(node.real("value", 0.0), dtype=object) if value is None else constant(value, "the padding")
    if fill.size != 1:
        raise InputError("the padding must be one number")
    count = x.map.outputs
    flat = concatenated([x.at(np.arange(count)), fill.reshape(1)], 0)
    return arranged(flat, lambda p: np.pad(x.places, widths, constant_values=count))


@rule("Tile", 2, 2, arrays=True)
def _tile(node: Node, x: Value, repeats: Value) -> Value:
    listed = integers(repeats, "the repeats")
    if len(listed) != len(x.shape) or min(listed, default=1) < 0:
        raise InputError(f"repeats {listed[:20]} do not fit shape {list(x.shape)}")
    sized(math.prod(x.shape) * math.prod(listed), "the repeated tensor")
    return arranged(x, lambda p: np.tile(p, listed))


@rule("DepthToSpace", 1, 1, "blocksize mode", arrays=True)
def _depth_to_space(node: Node, x: Value) -> Value:
    n, c, h, w, b = (*_image(x), node.number("blocksize", 0))
    if b < 1 or c % (b * b):
        raise InputError(f"{c} channels do not make blocks of {b}")
    if node.text("mode", "DCR") == "DCR":
        shape, axes = (n, b, b, c // (b * b), h, w), (0, 3, 4, 1, 5, 2)
    else:
        shape, axes = (n, c // (b * b), b, b, h, w), (0, 1, 4, 2, 5, 3)
    return arranged(x, lambda p: p.reshape(shape).transpose(axes).reshape(n, c // (b * b), h * b, w * b))


@rule("SpaceToDepth", 1, 1, "blocksize", arrays=True)
def _space_to_depth(node: Node, x: Value) -> Value:
    n, c, h, w, b = (*_image(x), node.number("blocksize", 0))
    if b < 1 or h % b or w % b:
        raise InputError(f"shape {list(x.shape)} has no blocks of {b}")
    parts = (n, c, h // b, b, w // b, b)
    return arranged(x, lambda p: p.reshape(parts).transpose(0, 3, 5, 1, 2, 4).reshape(n, c * b * b, h // b, w // b))


def _image(x: Value) -> Sequence[int]:
    if len(x.shape) != 4:
        raise InputError(f"expected a batch of images with channels, not shape {list(x.shape)}")
    return x.shape


@rule("GatherElements", 2, 2, "axis", arrays=True)
def _gather_elements(node: Node, x: Value, indices: Value) -> Value:
    return arranged(x, lambda p: p[_along(node, _places(indices), x.shape)])


@rule("GatherND", 2, 2, "batch_dims", arrays=True)
def _gather_nd(node: Node, x: Value, indices: Value) -> Value:
    chosen, batch = _places(indices), node.number("batch_dims", 0)
    if not chosen.ndim or not 0 <= batch < chosen.ndim or chosen.shape[-1] + batch > len(x.shape):
        raise InputError(f"indices of shape {list(chosen.shape)} do not fit {list(x.shape)}")
    sized(chosen.size * math.prod(x.shape[batch + chosen.shape[-1] :]), "the gathered tensor")
    before = np.indices(chosen.shape[:-1], sparse=True)[:batch] if batch else ()
    return arranged(x, lambda p: p[(*before, *np.moveaxis(chosen, -1, 0))])


def _places(indices: Value) -> np.ndarray:
    chosen = constant(indices, "the indices")
    if chosen.dtype.kind not in "iu":
        raise InputError("the indices must be integers")
    return chosen.astype(np.int64)


@rule("ScatterND", 3, 3, "reduction")
def _scatter_nd(node: Node, x: Value, indices: Value, updates: Value) -> Value:
    x, updates, chosen = depends(x), depends(updates), _places(indices)
    if not chosen.ndim or chosen.shape[-1] > len(x.shape):
        raise InputError(f"indices of shape {list(chosen.shape)} do not fit {list(x.shape)}")
    return _replaced(node, x, updates, tuple(np.moveaxis(chosen, -1, 0)))


@rule("ScatterElements", 3, 3, "axis reduction")
def _scatter_elements(node: Node, x: Value, indices: Value, updates: Value) -> Value:
    x, updates, chosen = depends(x), depends(updates), _places(indices)
    if chosen.shape != updates.shape:
        raise InputError(f"indices of shape {list(chosen.shape)} do not fit {list(updates.shape)}")
    return _replaced(node, x, updates, _along(node, chosen, x.shape))


def _along(node: Node, chosen: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """The entry that each index means: it stands where the index does, only along one axis where the index says."""
    axis = axis_of(node.number("axis", 0), shape)
    if chosen.ndim != len(shape):
        raise InputError(f"indices of shape {list(chosen.shape)} do not fit {list(shape)}")
    where: list[np.ndarray] = list(np.indices(chosen.shape, sparse=True))
    where[axis] = chosen
    return tuple(where)


def _replaced(node: Node, x: Tensor, updates: Tensor, where: tuple[np.ndarray, ...]) -> Value:
    if node.text("reduction", "none") != "none":
        raise Unsupported("only reduction none is supported")
    flat = concatenated([x.at(np.arange(x.map.outputs)), updates.at(np.arange(updates.map.outputs))], 0)
    places = x.places.copy()
    try:
        places[where] = x.map.outputs + updates.places
    except (ValueError, IndexError) as problem:
        raise InputError(str(problem)) from None
    return depends(flat).at(places)


@rule("Compress", 2, 2, "axis", arrays=True)
def _compress(node: Node, x: Value, condition: Value) -> Value:
    flags = constant(condition, "the condition").astype(bool).ravel()
    axis = axis_of(node.number("axis", 0), x.shape) if "axis" in node.attributes else None
    return arranged(x, lambda p: np.compress(flags, p, axis))
