"""Rules of sequences of tensors, which exporters write where PyTorch splits."""

from __future__ import annotations

import numpy as np

from geomrelu.errors import InputError
from geomrelu.io.onnx.rules import MANY, Node, Several, Unsupported, constant, integers, portions, rule
from geomrelu.io.tensors import Value, arranged, axis_of, concatenated

__all__: list[str] = []


@rule("SplitToSequence", 1, 2, "axis keepdims", arrays=True)
def _split(node: Node, x: Value, sizes: Value | None = None) -> Several:
    axis, keep = axis_of(node.number("axis", 0), x.shape), bool(node.number("keepdims", 1))
    length = x.shape[axis]
    if sizes is None:
        listed = [1] * length
    elif not sizes.shape:
        (each,) = integers(sizes, "split")
        if each < 1:
            raise InputError("split must be positive")
        listed = [min(each, length - start) for start in range(0, length, each)]
    else:
        listed = integers(sizes, "split")
    if sum(listed) != length or min(listed, default=0) < 0:
        raise InputError(f"an axis of size {length} does not split into {listed[:20]}")
    parts = list(portions(x, axis, listed))
    if sizes is None and not keep:
        parts = [arranged(part, lambda p: np.squeeze(p, axis)) for part in parts]
    return Several(tuple(parts))


@rule("SequenceConstruct", 1, MANY, arrays=True)
def _construct(node: Node, *parts: Value) -> Several:
    return Several(parts)


@rule("SequenceAt", 2, 2, sequences=True, arrays=True)
def _at(node: Node, given: Several, place: Value) -> Value:
    at = int(constant(place, "the place").ravel()[0])
    if not -len(given.parts) <= at < len(given.parts):
        raise InputError(f"there is no place {at} in a sequence of {len(given.parts)}")
    return given.parts[at]


@rule("SequenceLength", 1, 1, sequences=True, arrays=True)
def _length(node: Node, given: Several) -> Value:
    return np.array(len(given.parts), dtype=np.int64)


@rule("ConcatFromSequence", 1, 1, "axis new_axis", sequences=True, arrays=True)
def _concatenate(node: Node, given: Several) -> Value:
    axis = node.number("axis", 0)
    if not given.parts:
        raise Unsupported("an empty sequence is not supported")
    parts = given.parts
    if node.number("new_axis", 0):
        parts = tuple(arranged(part, lambda p: np.expand_dims(p, axis)) for part in parts)
    return concatenated(parts, axis)
