"""The slopes and multipliers of one part of an ellipsoid, by a quasi-Newton method.

A linear bound is a convex function of the slopes below and of the multipliers of splits. On a box its gradient jumps
from corner to corner; on an ellipsoid the maximiser moves smoothly, and second-order steps are worth their price. The
multipliers that show a part to be empty are large, which steps of a fixed length do not reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from geomrelu.budget import Budget
from geomrelu.deadness.relaxation import Boxes, FloatNetwork

__all__ = ["polish"]

Array = np.ndarray
STEPS = 60
GRID = 1 << 24  # multipliers are rounded to this part of the largest


def polish(
    floating: FloatNetwork,
    boxes: Boxes,
    level: int,
    neuron: int,
    tables: tuple[list[Array], list[Array] | None, list[Array] | None],
    bound: Array,
    enough: float,
    budget: Budget,
) -> None:
    """Better slopes, multipliers and bounds of split parts of an ellipsoid, where they are not enough; in place.

    Args:
        tables: for each layer the slopes below, the signs that splits have fixed (0 elsewhere), and what is added to
            the coefficients, each (boxes, width). bound: (boxes,).
    """
    below, phases, added = tables
    if floating.ball is None or phases is None or added is None:
        return
    for row in np.flatnonzero(bound > enough).tolist():
        budget.poll()
        some = [[table[row : row + 1] for table in one] for one in (below, phases, added)]
        value, slopes, multipliers = _polished(floating, boxes.take(np.array([row])), level, neuron, some, enough)
        if value < bound[row]:
            bound[row] = value
            for table, new in zip((*below, *added), (*slopes, *multipliers), strict=True):
                table[row] = new[0]


class _Enough(Exception):
    """The bound need not be improved."""


def _polished(
    floating: FloatNetwork,
    part: Boxes,
    level: int,
    neuron: int,
    known: Sequence[Sequence[Array]],
    enough: float,
) -> tuple[float, list[Array], list[Array]]:
    """A bound of a neuron on one part (boxes of one row), the slopes (in sixteenths) and the multipliers that give it.

    Args:
        known: for each layer the slopes below to begin with, the signs that splits have fixed (0 elsewhere), and what
            is added to the coefficients to begin with. enough: a bound that need not be improved.

    Method: L-BFGS-B (SciPy); the gradient is that of the relaxed network at the maximiser of the bound.
    """
    from scipy.optimize import minimize  # start-up time

    target, (below, phases, added) = np.array([neuron]), known
    free, split = [line.unknown[0] for line in part.lines], [phase[0] != 0 for phase in phases]
    counts = [int(mask.sum()) for mask in (*free, *split)]
    ends = np.cumsum([0, *counts]).tolist()

    def unpacked(x: Array) -> tuple[list[Array], list[Array]]:
        pieces = [x[a:b] for a, b in pairwise(ends)]
        slopes, multipliers = [b.copy() for b in below], [np.zeros(p.shape) for p in phases]
        for one, mask, piece in zip(slopes, free, pieces, strict=False):
            one[0, mask] = piece
        for one, mask, piece, phase in zip(multipliers, split, pieces[len(free) :], phases, strict=True):
            one[0, mask] = piece * phase[0, mask]
        return slopes, multipliers

    def bound(x: Array) -> tuple[float, Array]:
        slopes, multipliers = unpacked(x)
        form = floating.backward(part, level, target, 1, slopes, multipliers)
        (value,), points, _ = floating.worst(part, form)
        if value <= enough:
            raise _Enough(x)
        outputs, first, second = [points], [], []
        for at, line in enumerate(part.lines, 1):
            parts, bias = floating.layers[at - 1]
            y = bias + sum((matrix @ outputs[b].T).T for b, matrix in parts.items())
            weight = form.weights[at - 1]
            negative = np.zeros_like(y) if weight is None else np.minimum(weight[:, 0, :], 0)
            outputs.append(np.where(negative < 0, slopes[at - 1] * y, line.above * y + line.height))
            first.append((negative * y)[0, free[at - 1]])
            second.append((phases[at - 1] * y)[0, split[at - 1]])
        return float(value), np.concatenate([*first, *second])

    start = np.concatenate([
        *(b[0, mask] for b, mask in zip(below, free, strict=True)),
        *(abs(a[0, mask]) for a, mask in zip(added, split, strict=True)),
    ])  # fmt: skip
    slopes_end = ends[len(free)]
    limits = [(0, 1)] * slopes_end + [(0, None)] * (len(start) - slopes_end)
    try:
        found = minimize(bound, start, jac=True, method="L-BFGS-B", bounds=limits, options={"maxiter": STEPS}).x
    except _Enough as end:
        found = end.args[0]
    found = np.where(np.isfinite(found), found, 0.0)
    found[:slopes_end] = np.round(16 * found[:slopes_end]) / 16
    largest = found[slopes_end:].max(initial=0.0)
    step = float(np.exp2(np.floor(np.log2(largest + 1e-300)))) / GRID
    found[slopes_end:] = np.round(found[slopes_end:] / step) * step
    slopes, multipliers = unpacked(found)
    (value,), _, _ = floating.worst(part, floating.backward(part, level, target, 1, slopes, multipliers))
    return float(value), slopes, multipliers
