"""Points of a domain where a neuron is positive, sought in floating point.

Nothing here decides: a point found here is confirmed by the exact forward pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from geomrelu.budget import Budget
from geomrelu.deadness.relaxation import BATCH, FloatNetwork

__all__ = ["EFFORTS", "candidates", "covering"]

Array = np.ndarray
EFFORTS = ((64, 0), (64, 40), (512, 200))  # starting points and steps of a search, ever harder


def candidates(
    floating: FloatNetwork,
    level: int,
    neurons: Sequence[int],
    budget: Budget,
    starts: int = 64,
    rounds: int = 40,
    seed: int = 0,
) -> Iterator[tuple[int, Array]]:
    """Points of the domain where, in floating point, a neuron is positive: ``(neuron, point)``, at most one a neuron.

    Raises:
        Exhausted: the budget has ended.

    Method: random points and random corners for all neurons at once (a point serves as many as it can), then
    projected gradient ascent (``rounds`` steps) from the ``starts`` best of them for each neuron that is left.
    """
    random = np.random.default_rng(seed)
    waiting = list(neurons)
    size = max(floating.network.widths[:level]) + floating.network.inputs
    count = int(np.clip(BATCH // size, 16, 64 * starts))
    points = floating.inside.sampled(random, count)
    reached = floating.reached(points, level, waiting, budget)
    never = np.ones(len(waiting), dtype=bool)
    for best, shown in covering(reached > 0):
        never[shown] = False
        for k in shown.tolist():
            yield waiting[k], points[best]
    waiting, reached = [waiting[k] for k in np.flatnonzero(never)], reached[:, never]
    weights = max(1, sum(len(layer.data) for layer in floating.network.layers[:level]))
    starts = int(np.clip(BATCH // weights, 4, starts))
    for i, values in zip(waiting, reached.T, strict=True) if rounds else ():
        budget.spend(0)
        climbing = points[np.argsort(-values)[:starts]]
        share = 0.25
        for _ in range(rounds):
            budget.poll()
            z = floating.forward(climbing, level)
            if z[-1][:, i].max() > 0:
                yield i, climbing[int(np.argmax(z[-1][:, i]))]
                break
            slope = floating.gradient(z, level, i)
            if not slope.any():  # flat at all of them: no way leads up
                break
            climbing = floating.inside.stepped(climbing, slope, share * random.random(climbing.shape))
            share *= 0.001 ** (1 / rounds)  # from a quarter of the box down to 1/4000 of it


def covering(hits: Array) -> Iterator[tuple[int, Array]]:
    """A few rows of truth values that have all columns which any has: each row, and the columns that are new."""
    columns = np.arange(hits.shape[1])
    while hits.size:
        best = int(np.argmax(hits.sum(axis=1)))
        new = hits[best]
        if not new.any():
            break
        yield best, columns[new]
        columns, hits = columns[~new], hits[:, ~new]
