"""Proofs that a neuron is never positive, as trees of boxes grown in floating point.

A box is halved until linear bounds of the neuron are negative on each part. Nothing here decides: the exact checker
derives the bounds of every leaf again, by the rules that the tree was grown by. These are: at the root, at every node
of a depth divisible by ``PERIOD``, and at the leaves the bounds of all earlier neurons of unknown sign are derived
anew, and bounds derived higher up stay valid.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from geomrelu.budget import Budget
from geomrelu.relaxation import BATCH, Bounds, FloatNetwork

__all__ = ["BoxTree"]

Array = np.ndarray
MOST_INPUTS = 32  # with more, halving boxes is hopeless
MOST_BOXES = 10_000_000
PERIOD = 4
STEPS = 10  # on the slopes of a box that the default slopes do not settle
SAFETY = 1e-6  # relative: a float bound must clear zero by this, for the checker rounds
_TEXT = np.array(list("0123456789abcdefg"))


class BoxTree:
    """A tree of boxes that grows until it is a proof, or until a point is found where the neuron is positive.

    Attributes:
        point: where the neuron is positive (in floating point), or None.
        boxes: how many were bounded.
        closed: the share of the box (by volume) on which the neuron is bounded.
        worst: the largest bound among the boxes that were bounded last.
        seconds: of work on it; spent: how many boxes have been accounted for; limit: how many there may be.
    """

    def __init__(self, floating: FloatNetwork, level: int, neuron: int) -> None:
        self.floating: FloatNetwork | None = floating  # None while the tree travels between processes
        self.level, self.neuron = level, neuron
        self.point: Array | None = None
        self.seconds, self.spent = 0.0, 0
        self.limit = MOST_BOXES
        self.boxes, self.closed, self.worst = 0, 0.0, float("inf")
        self.scale: float | None = None
        self.failed = False
        lower, upper = floating.lower[None, :], floating.upper[None, :]
        # open boxes: a stack of (lower, upper, number of the node, depth, number of the bounds to start from)
        self.open = (lower, upper, np.array([0]), np.array([0]), np.array([0]))
        self.bases: dict[int, Bounds | None] = {0: None}
        self.nodes: dict[int, tuple[int, float, int] | list[str]] = {}  # a split, or the slopes of a leaf
        self.count = 1
        self.volume = np.log2(np.maximum(floating.upper - floating.lower, 1e-300)).sum()
        width = sum(floating.network.widths[: level - 1]) + floating.network.inputs
        self.batch = int(np.clip(BATCH // (8 * width * max(floating.network.widths[:level])), 1, 512))

    @property
    def done(self) -> bool:
        """Is the tree a proof?"""
        return self.point is None and not self.failed and not len(self.open[0])

    def grow(self, most: int, budget: Budget) -> None:
        """Bound boxes until the tree is complete, a point is found, or so many boxes have been bounded.

        Raises:
            Exhausted: the budget has ended.
        """
        while self.point is None and not self.failed and len(self.open[0]) and self.boxes < most:
            budget.spend(min(self.batch, len(self.open[0])))
            self._step()

    def _step(self) -> None:
        floating, level, neuron = self.floating, self.level, self.neuron
        assert floating is not None
        batch = self.batch if self.boxes else 1
        low, high, ids, depth, base = (part[-batch:] for part in self.open)
        rest = tuple(part[:-batch] for part in self.open)
        self.boxes += len(ids)
        found, lines = floating.bounds(low, high, level - 1, self._known(base))
        target = np.array([neuron])
        bound = floating.backward(lines, low, high, level, target)[0][:, 0]
        if self.scale is None:
            self.scale = max(1e-300, abs(float(bound[0])))
        stay = ~(bound <= -SAFETY * self.scale)  # NaN, from numbers beyond the floats, stays open too
        for node in ids[~stay].tolist():
            self.nodes[node] = []
        closed = np.exp2(np.log2(np.maximum(high - low, 1e-300)).sum(axis=1) - self.volume)
        self.closed += float(closed[~stay].sum())
        if stay.any():
            picked = np.flatnonzero(stay)
            lines = [type(line)(*(getattr(line, name)[picked] for name in line.__slots__)) for line in lines]
            found = [(a[picked], b[picked]) for a, b in found]
            low, high, ids, depth, closed, base = (v[picked] for v in (low, high, ids, depth, closed, base))
            bound, below = floating.improved(lines, low, high, level, neuron, STEPS)
            self._look(floating, low, high)
            settled = bound <= -SAFETY * self.scale
            for row in np.flatnonzero(settled).tolist():
                self.nodes[int(ids[row])] = ["".join(_TEXT[np.rint(b[row] * 16).astype(int)]) for b in below]
            self.closed += float(closed[settled].sum())
            self.worst = float(bound.max())
            if self.point is None and not settled.all():
                blame = floating.blame(lines, low, high, level, neuron, below)
                rest = self._halve(rest, (low, high, ids, depth, base), found, blame, np.flatnonzero(~settled))
        self.open = rest  # type: ignore[assignment]
        alive = set(np.unique(self.open[4]).tolist())
        self.bases = {k: v for k, v in self.bases.items() if k in alive}

    def _known(self, base: Array) -> Bounds | None:
        numbers = base.tolist()
        if numbers == [0]:
            return None
        tables = [self.bases[k] for k in numbers]
        return [
            (np.concatenate([t[at][0] for t in tables if t]), np.concatenate([t[at][1] for t in tables if t]))
            for at in range(self.level - 1)
        ]

    def _look(self, floating: FloatNetwork, lower: Array, upper: Array) -> None:
        """Is the neuron positive at the middle of a box?"""
        points = (lower + upper) / 2
        value = floating.forward(points, self.level)[-1][:, self.neuron]
        if value.max() > 0:
            self.point = points[int(np.argmax(value))]

    def _halve(
        self, rest: tuple[Array, ...], boxes: tuple[Array, ...], found: Bounds, blame: Array, which: Array
    ) -> tuple[Array, ...]:
        low, high, ids, depth, base = (v[which] for v in boxes)
        blame = blame[which] + 1e-9 * blame[which].max(axis=1, keepdims=True) * (high - low)
        across = np.argmax(blame, axis=1)
        row = np.arange(len(ids))
        place = _short((low[row, across] + high[row, across]) / 2, high[row, across] - low[row, across])
        if ((place <= low[row, across]) | (place >= high[row, across])).any():
            self.failed = True  # a box too thin for floats
            return rest
        for k in row[depth % PERIOD == 0].tolist():
            base[k] = self.count + 2 * k  # the first child's number stands for the bounds of its parent
            self.bases[int(base[k])] = [(a[which[k : k + 1]], b[which[k : k + 1]]) for a, b in found]
        children = self.count + 2 * row
        self.count += 2 * len(ids)
        for node, j, c, child in zip(ids.tolist(), across.tolist(), place.tolist(), children.tolist(), strict=True):
            self.nodes[node] = (j, c, child)
        left_high, right_low = high.copy(), low.copy()
        left_high[row, across] = place
        right_low[row, across] = place
        pairs = ((low, right_low), (left_high, high), (children, children + 1), (depth + 1, depth + 1), (base, base))
        return tuple(np.concatenate([old, *new]) for old, new in zip(rest, pairs, strict=True))

    def __str__(self) -> str:
        if self.done:
            return f"{self.boxes} boxes" if self.boxes > 1 else "bounded on the whole box"
        return f"{self.boxes} boxes: bounded on {100 * self.closed:.3g} % of the domain, elsewhere by {self.worst:.3g}"

    def proof(self) -> list[dict[str, Any]]:
        """The tree in the checker's grammar."""
        derive = {"derive": [[at] for at in range(1, self.level)]} if self.level > 1 else {}
        proof: list[dict[str, Any]] = []
        stack = [(0, 0)]
        while stack:
            node, depth = stack.pop()
            entry = self.nodes[node]
            if isinstance(entry, tuple):
                j, c, child = entry
                proof.append({"split": ["x", j, str(Fraction(c))]} | (derive if depth % PERIOD == 0 else {}))
                stack += [(child + 1, depth + 1), (child, depth + 1)]
            else:
                proof.append({"coarse": entry} | derive)
        return proof


def _short(middle: Array, width: Array) -> Array:
    """A number near the middle with few binary digits (a hundredth of the width is fine enough)."""
    grid = np.exp2(np.floor(np.log2(np.maximum(width, 1e-300) / 64)))
    return np.round(middle / grid) * grid
