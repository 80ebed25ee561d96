"""Layers of whole numbers: what is rounded, what is rounded once more, and what is clipped after rounding.

The variables of such a layer are ``k = min(max(round(y / step), low), high)`` with y affine in the variables before,
see :class:`geomrelu.io.tape.Quantiser`. A ReLU, a clip or a second rounding by the same step that only stands between
such a layer and the next one changes nothing but the bounds, and is taken into it; what nothing reads then is dropped
by whoever takes the tape.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from geomrelu.exact.affine import AffineMap
from geomrelu.io.onnx.rules import Node
from geomrelu.io.reading import ReadLayer
from geomrelu.io.tape import Quantiser, Tape
from geomrelu.io.tensors import Tensor

__all__ = ["clipped", "rounded"]


def rounded(node: Node, x: Tensor, quantiser: Quantiser) -> Tensor:
    """The whole numbers k that a quantiser makes of a tensor, entry by entry."""
    tape, y = node.trace.tape, x.map
    while (found := _single(tape, y)) is not None:
        level, rows, factors, shifts = found
        inner, before = tape.quantisers[level], tape.layers[level].take(rows)
        if any(shifts):
            break
        if inner is None:  # max(z, 0)
            if min(factors) <= 0:
                break
            zeros = (0,) * len(rows)
            y, quantiser = before.scaled(factors), _narrowed(quantiser, zeros, quantiser.high, quantiser.steps)
        elif tuple(factors) == quantiser.steps:  # y / step is a whole number already
            inner = inner.take(rows)
            quantiser = _narrowed(quantiser, inner.low, inner.high, inner.steps)
            if quantiser == inner:
                first = tape.inputs + sum(m.outputs for m in tape.layers[:level])
                return Tensor(x.shape, AffineMap.selection(tape.variables, [first + i for i in rows]))
            y = before
        else:
            break
    return Tensor(x.shape, tape.layer(y, quantiser, _read(node, x.shape)))


def clipped(node: Node, x: Tensor, low: Fraction | None, high: Fraction | None) -> Tensor | None:
    """``min(max(x, low), high)`` of whole numbers that have just been made; None if they are not."""
    tape = node.trace.tape
    found = _single(tape, x.map) if node.trace.quantised else None
    bounds = [v for v in (low, high) if v is not None]
    if found is None or any(v.denominator != 1 for v in (*bounds, *found[3])) or any(f != 1 for f in found[2]):
        return None
    level, rows, _, shifts = found
    inner = tape.quantisers[level]
    if inner is None:
        return None
    inner = inner.take(rows)
    lows = tuple(l if low is None else int(low - c) for l, c in zip(inner.low, shifts, strict=True))
    highs = tuple(h if high is None else int(high - c) for h, c in zip(inner.high, shifts, strict=True))
    outer = _narrowed(Quantiser(inner.steps, lows, highs), inner.low, inner.high, inner.steps)
    if outer == inner:
        return x
    made = tape.layer(tape.layers[level].take(rows), outer, _read(node, x.shape))
    return Tensor(x.shape, made.scaled([Fraction(1)] * len(rows), shifts))


def _read(node: Node, shape: tuple[int, ...]) -> ReadLayer:
    return ReadLayer(node.name, shape[1:] if len(shape) > 1 and shape[0] == 1 else shape, "quantiser")


def _narrowed(outer: Quantiser, low: tuple[int, ...], high: tuple[int, ...], steps: tuple[Fraction, ...]) -> Quantiser:
    """First into [low, high], then into the bounds of the outer one: both at once."""
    lows, highs = (
        tuple(min(max(v, l), h) for v, l, h in zip(values, outer.low, outer.high, strict=True))
        for values in (low, high)
    )
    return Quantiser(steps, lows, highs)


def _single(tape: Tape, y: AffineMap) -> tuple[int, list[int], list[Fraction], list[Fraction]] | None:
    """``(layer from 0, its row for each row of y, factor, shift)`` if each row of y reads one variable of one layer."""
    if not len(y.indices) or (np.diff(y.indptr) != 1).any() or y.indices.min() < tape.inputs:
        return None
    starts = tape.inputs + np.cumsum([0] + [m.outputs for m in tape.layers])
    level = int(np.searchsorted(starts, y.indices[0], side="right")) - 1
    if ((y.indices < starts[level]) | (y.indices >= starts[level + 1])).any():
        return None
    factors = [Fraction(v, y.denominator) for v in y.data]
    return level, (y.indices - starts[level]).tolist(), factors, [Fraction(b, y.denominator) for b in y.bias]
