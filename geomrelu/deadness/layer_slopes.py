"""Slopes of the lines below for many neurons of a layer at once, each with its own (alpha-CROWN, Xu et al. 2021).

The bound is convex in each slope, and its gradient is that of the relaxed network at the corner that attains it. What
this finds are suggestions, sixteenths, as a leaf says them; :class:`geomrelu.deadness.layer_bounds.LayerBounds` says
what the judge makes of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from geomrelu.budget import Budget
from geomrelu.deadness.layer_bounds import LayerBounds
from geomrelu.deadness.proof_tree import written
from geomrelu.deadness.relaxation import FIRST, LAST, dense_rows

__all__ = ["improved", "texts"]

Array = np.ndarray
CELLS = 1 << 19  # slopes that are held at once
STEPS = 20
WORK = 1 << 28  # multiplications: a fraction of a second


class _Back(NamedTuple):
    """Bounds (neurons,), the coefficients on outputs by layer (None: none), and the worst corners (n, neurons)."""

    bound: Array
    weights: list[Array | None]
    corner: Array


def improved(
    bounds: LayerBounds, level: int, neurons: Sequence[int], budget: Budget
) -> Iterator[tuple[Array, list[Array]]]:
    """Some of the neurons at a time, with slopes for the lines of each earlier layer, as :meth:`LayerBounds.back` takes
    them. Raises Exhausted when the budget ends.

    They come in the order given, so few at a time that one may stop in between: so many as take about WORK.
    """
    floating = bounds.floating
    weights = max(1, sum(len(map_.data) for map_ in floating.network.layers[:level]))
    step = max(8, min(CELLS // floating.network.starts[level], WORK // (2 * STEPS * weights)))
    for k in range(0, len(neurons), step):
        part = np.asarray(neurons[k : k + step], dtype=int)
        yield part, _improved(bounds, level, part, budget)


def texts(bounds: LayerBounds, slopes: Sequence[Array], k: int) -> list[str]:
    """The slopes of one of the neurons as a leaf says them."""
    found = []
    for width, around, columns in zip(bounds.floating.network.widths, bounds.around, slopes, strict=False):
        every = np.zeros(width)
        every[around.neurons] = columns[:, k]
        found.append(written(every))
    return found


def _improved(bounds: LayerBounds, level: int, neurons: Array, budget: Budget) -> list[Array]:
    around = bounds.around[: level - 1]
    below = [np.repeat(lines.below, len(neurons), axis=1) for lines in around]
    speed = [np.zeros_like(slopes) for slopes in below]
    kept, best = [slopes.copy() for slopes in below], np.full(len(neurons), np.inf)
    for step in range(STEPS):
        budget.poll()
        back = _back(bounds, level, neurons, below)
        better = back.bound < best
        best = np.where(better, back.bound, best)
        for old, new in zip(kept, below, strict=True):
            np.copyto(old, new, where=better[None, :])
        if (best < 0).all():
            break
        outputs = [back.corner]
        for at, lines in enumerate(around):
            y = lines.bias[:, None] + sum(weights.T @ outputs[b] for b, weights in lines.weights.items())
            weight = back.weights[at]
            negative = np.zeros_like(y) if weight is None else np.minimum(weight, 0)
            values = np.zeros((bounds.floating.network.widths[at], len(neurons)))
            values[lines.neurons] = np.where(negative < 0, below[at] * y, lines.above * y + lines.height[:, None])
            outputs.append(values)
            pull = negative * y * lines.free
            pull /= abs(pull).max(axis=0, initial=0) + 1e-300
            speed[at] = 0.7 * speed[at] + pull
            moved = np.clip(below[at] - FIRST * LAST ** (step / STEPS) * speed[at], 0, 1)
            below[at] = np.where(lines.free, moved, below[at])
    return [np.where(lines.free, np.rint(slopes * 16) / 16, slopes) for lines, slopes in zip(around, kept, strict=True)]


def _back(bounds: LayerBounds, level: int, neurons: Array, below: Sequence[Array]) -> _Back:
    """As :meth:`LayerBounds.back`, without errors."""
    floating = bounds.floating
    parts, bias = floating.layers[level - 1]
    rows = {b: dense_rows(m, neurons) for b, m in parts.items()}
    flow, bound = {b: part.T for b, part in rows.items()}, bias[neurons].copy()
    found: list[Array | None] = [None] * (level - 1)
    for at in range(level - 1, 0, -1):
        if at not in flow:
            continue
        lines = bounds.around[at - 1]
        c = flow.pop(at)[lines.neurons]
        found[at - 1] = c
        bound += lines.height @ np.maximum(c, 0)
        c = c * np.where(c > 0, lines.above, below[at - 1])
        bound += lines.bias @ c
        for b, weights in lines.weights.items():
            flow[b] = flow[b] + weights @ c if b in flow else weights @ c
    c = flow.get(0, np.zeros((floating.network.inputs, len(neurons))))
    corner = np.where(c > 0, floating.upper[:, None], floating.lower[:, None])
    return _Back(bound + (corner * c).sum(axis=0), found, corner)
