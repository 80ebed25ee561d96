"""Neurons that linear bounds show to be dead on the whole box: proofs of a single leaf, without a tree."""

from __future__ import annotations

import numpy as np

from geomrelu.budget import UNLIMITED, Budget
from geomrelu.certificates.batch import derived
from geomrelu.deadness.proof_tree import Node
from geomrelu.deadness.relaxation import FloatNetwork

__all__ = ["bounded", "by_intervals", "interval_leaf", "one_leaf"]


def bounded(floating: FloatNetwork, level: int, neurons: list[int], budget: Budget = UNLIMITED) -> list[int]:
    """Which neurons default slopes show to be negative on the whole box. Raises Exhausted when the budget ends."""
    whole = floating.whole(level - 1, budget)
    bounds = floating.upper_bounds(whole, level, np.array(neurons, dtype=int), budget)[0]
    return [i for i, bound in zip(neurons, bounds.tolist(), strict=True) if bound < 0]


def by_intervals(floating: FloatNetwork, level: int, neurons: list[int], budget: Budget = UNLIMITED) -> list[int]:
    """Which neurons are shown to be negative if the layers before are bounded by intervals alone.

    Bounds of whole layers by going back take minutes in a large convolutional layer.
    """
    bounds = floating.upper_bounds(floating.interval(level - 1), level, np.array(neurons, dtype=int), budget)[0]
    return [i for i, bound in zip(neurons, bounds.tolist(), strict=True) if bound < 0]


def interval_leaf(floating: FloatNetwork, level: int) -> list[Node]:
    """The proof for these."""
    return [{"derive": [[at] if at <= floating.coarse_depth else [at, []] for at in range(1, level)]}]


def one_leaf(floating: FloatNetwork, level: int) -> list[Node]:
    """The proof for these."""
    coarse = level <= floating.coarse_depth
    leaf: Node = {"coarse": []} if coarse else {}
    return [leaf | derived(level)]
