"""Tensors of an integer type: codes, and sums of products of codes. Engines compute them in so many bits and cut off
what is no whole number; here they are the exact numbers, so they are read only where both are the same."""

from __future__ import annotations

import numpy as np

from geomrelu.exact.affine import AffineMap
from geomrelu.io.onnx.protobuf import RANGES
from geomrelu.io.onnx.rules import Unsupported
from geomrelu.io.tape import Tape
from geomrelu.io.tensors import Value

__all__ = ["KEEPING", "check"]

_NAMES = """Clip Compress Concat ConcatFromSequence DepthToSpace Expand Flatten Gather GatherElements GatherND
    GlobalMaxPool Identity Max MaxPool Min Pad ReduceMax ReduceMin Relu Reshape ScatterElements ScatterND SequenceAt
    Slice SpaceToDepth Split Squeeze Tile Transpose Trilu Unsqueeze Where"""
_OWN = """ConvInteger MatMulInteger QGemm QLinearAdd QLinearAveragePool QLinearConcat QLinearConv
    QLinearGlobalAveragePool QLinearMatMul QuantizeLinear"""
KEEPING = frozenset((_NAMES + " " + _OWN).split())
"""What chooses among the numbers that it reads (the intervals here would not see that they stay in their range), and
what makes codes or sums of which its own rule says that they fit."""


def check(tape: Tape, value: Value, kind: int) -> None:
    """Is each entry a whole number that its element type holds, whatever the input?

    Raises:
        Unsupported: it may be a fraction, or out of range.
    """
    least, largest = RANGES[kind]
    if isinstance(value, np.ndarray):
        if value.dtype != object:  # of a type of its own
            return
        fits = all(v.denominator == 1 and least <= v <= largest for v in value.ravel())
    else:
        map_ = value.map
        if map_.denominator != 1 and any(v % map_.denominator for v in (*map_.data, *map_.bias)):
            raise Unsupported("whole numbers are cut off there, which is not supported")
        low, high = _ends(tape, map_)
        fits = bool((low >= least).all() and (high <= largest).all())
    if not fits:
        raise Unsupported("whole numbers may be cut off or wrap around there, which is not supported")


def _ends(tape: Tape, map_: AffineMap) -> tuple[np.ndarray, np.ndarray]:
    """Between what each row lies, as the quantisers that it reads say: floats, exact where they are small enough for
    any of the types but those of 64 bits."""
    low, high = (np.full(tape.variables, v) for v in (-np.inf, np.inf))
    first, read = tape.inputs, set(map_.indices.tolist())
    for layer, quantiser in zip(tape.layers, tape.quantisers, strict=True):
        last = first + layer.outputs
        if quantiser is not None:
            low[first:last], high[first:last] = quantiser.low, quantiser.high
        elif not read.isdisjoint(range(first, last)):
            ends = _ends(tape, layer)
            low[first:last], high[first:last] = (np.maximum(v, 0) for v in ends)
        first = last
    return _between(map_, low, high)


def _between(map_: AffineMap, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    weights, bias = map_.data.astype(float), np.array(map_.bias, dtype=float)
    ends = []
    for at_least, at_most in ((low, high), (high, low)):
        terms = weights * np.where(weights > 0, at_least[map_.indices], at_most[map_.indices])
        sums = bias + np.bincount(map_.row_of, weights=terms, minlength=map_.outputs)
        ends.append(sums / map_.denominator)
    return ends[0], ends[1]
