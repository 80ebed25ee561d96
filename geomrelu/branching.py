"""Proofs that a neuron is never positive, as trees grown in floating point.

The domain is split until linear bounds of the neuron are negative on each part. Nothing here decides: the exact
checker derives the bounds of every leaf again, by the rules that the tree was grown by. In trees of boxes these are:
at the root, at every node of a depth divisible by ``PERIOD``, and at the leaves the bounds of all earlier neurons of
unknown sign are derived anew, and bounds derived higher up stay valid.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from geomrelu.budget import Budget
from geomrelu.relaxation import BATCH, Bounds, FloatNetwork, Lines

__all__ = ["BoxTree", "PhaseTree", "Tree", "tree"]

Array = np.ndarray
MOST_INPUTS = 32  # with more, halving boxes is hopeless
MOST_BOXES = 10_000_000
PERIOD = 4
STEPS = 10  # on the slopes of a box that the default slopes do not settle
SAFETY = 1e-6  # relative: a float bound must clear zero by this, for the checker rounds
FINE = 1e-9  # likewise, for proofs in exact arithmetic
_TEXT = np.array(list("0123456789abcdefg"))


class Tree:
    """A tree of regions that grows until it is a proof, or until a point is found where the neuron is positive.

    Attributes:
        point: where the neuron is positive (in floating point), or None.
        boxes: how many regions were bounded.
        closed: the share of the box on which the neuron is bounded.
        worst: the largest bound among the regions that were bounded last.
        seconds: of work on it; spent: how many boxes have been accounted for; limit: how many there may be.
        failed: it cannot become a proof; coarse: its proof is to be checked in coarse arithmetic.
    """

    def __init__(self, floating: FloatNetwork, level: int, neuron: int, coarse: bool = True) -> None:
        self.floating: FloatNetwork | None = floating  # None while the tree travels between processes
        self.level, self.neuron = level, neuron
        self.coarse = coarse and level <= floating.coarse_depth
        self.point: Array | None = None
        self.boxes, self.closed, self.worst = 0, 0.0, float("inf")
        self.seconds, self.spent, self.limit = 0.0, 0, MOST_BOXES
        self.failed = False
        self.nodes: dict[int, Any] = {}  # number -> a leaf, or a split and the number of its first child
        self.packed: list[bytes] = []  # nodes of earlier turns

    def pack(self) -> None:
        """Nodes as bytes, once and for all: large trees travel often between processes."""
        self.packed.append(pickle.dumps(self.nodes))
        self.nodes = {}

    def _all_nodes(self) -> dict[int, Any]:
        found = dict(self.nodes)
        for nodes in self.packed:
            found.update(pickle.loads(nodes))
        return found

    @property
    def waiting(self) -> int:
        """How many regions are open?"""
        raise NotImplementedError

    @property
    def done(self) -> bool:
        """Is the tree a proof?"""
        return self.point is None and not self.failed and not self.waiting

    def grow(self, most: int, budget: Budget) -> None:
        """Bound regions until the tree is complete, a point is found, or so many have been bounded.

        Raises:
            Exhausted: the budget has ended.
        """
        while self.point is None and not self.failed and self.waiting and self.boxes < most:
            budget.spend(0)
            self._step()

    def _step(self) -> None:
        raise NotImplementedError

    def proof(self) -> list[dict[str, Any]]:
        """The tree in the checker's grammar."""
        raise NotImplementedError

    def _look(self, floating: FloatNetwork, points: Array) -> None:
        """Is the neuron positive at one of these points?"""
        value = floating.forward(points, self.level)[-1][:, self.neuron]
        if value.max() > 0:
            self.point = points[int(np.argmax(value))]

    def __str__(self) -> str:
        if self.done:
            return f"{self.boxes} {self.regions}" if self.boxes > 1 else "bounded on the whole box"
        return (
            f"{self.boxes} {self.regions}: bounded on {100 * self.closed:.3g} % of the domain, "
            f"elsewhere by {self.worst:.3g}"
        )

    regions = "regions"


def bounded(floating: FloatNetwork, level: int, neurons: list[int]) -> list[int]:
    """Which neurons default slopes show to be negative on the whole box."""
    lower, upper = floating.lower[None, :], floating.upper[None, :]
    lines = [Lines.of(*pair) for pair in floating.whole(level - 1)]
    bounds = floating.upper_bounds(lines, lower, upper, level, np.array(neurons, dtype=int))[0]
    return [i for i, bound in zip(neurons, bounds.tolist(), strict=True) if bound < 0]


def one_leaf(floating: FloatNetwork, level: int) -> list[dict[str, Any]]:
    """The proof for these."""
    coarse = level <= floating.coarse_depth
    leaf: dict[str, Any] = {"coarse": []} if coarse else {}
    return [leaf | _derive(level, coarse)]


def _derive(level: int, coarse: bool) -> dict[str, Any]:
    """Bounds of all layers before; in exact arithmetic those of layer 1 are what intervals give."""
    layers: list[list[Any]]
    layers = [[at] for at in range(1, level)] if coarse else [[at, "exact"] for at in range(2, level)]
    return {"derive": layers} if layers else {}


def _coarse_leaf(below: Sequence[Array], row: int) -> dict[str, Any]:
    """A leaf with the slopes of one of the regions."""
    return {"coarse": ["".join(_TEXT[np.rint(b[row] * 16).astype(int)]) for b in below]}


def _exact_leaf(
    lines: Sequence[Lines],
    below: Sequence[Array],
    weights: Sequence[Array | None],
    row: int,
    factors: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Likewise, in exact arithmetic, where slopes are meant for both sides: said only where the lower line is used."""
    slopes: dict[str, dict[str, str]] = {}
    for at, (line, slope, weight) in enumerate(zip(lines, below, weights, strict=True), 1):
        if weight is None:
            continue
        said = line.unknown[row] & (weight[row, 0] < 0) & (slope[row] != line.below[row])
        if said.any():
            slopes[str(at)] = {str(i): str(Fraction(float(slope[row, i]))) for i in np.flatnonzero(said).tolist()}
    return ({"splits": factors} if factors else {}) | ({"slopes": slopes} if slopes else {})


def tree(floating: FloatNetwork, level: int, neuron: int, coarse: bool = True) -> Tree:
    """The kind of tree that suits: boxes are halved in few dimensions, in many the signs of neurons are split."""
    kind = BoxTree if floating.network.inputs <= MOST_INPUTS else PhaseTree
    return kind(floating, level, neuron, coarse)


class BoxTree(Tree):
    """Boxes are halved across the coordinate that is to blame for most of the looseness of the bound."""

    regions = "boxes"

    def __init__(self, floating: FloatNetwork, level: int, neuron: int, coarse: bool = True) -> None:
        super().__init__(floating, level, neuron, coarse)
        self.scale: float | None = None
        self.almost = 0  # boxes whose bound is negative, but not by enough for coarse arithmetic
        lower, upper = floating.lower[None, :], floating.upper[None, :]
        # open boxes: a stack of (lower, upper, number of the node, depth, number of the bounds to start from)
        self.open = (lower, upper, np.array([0]), np.array([0]), np.array([0]))
        self.bases: dict[int, Bounds | None] = {0: None}
        # neurons of the last layer that only need a line below
        self.unwanted = floating.subtracted(level, neuron) if self.coarse else None
        self.count = 1
        self.volume = np.log2(np.maximum(floating.upper - floating.lower, 1e-300)).sum()
        width = sum(floating.network.widths[: level - 1]) + floating.network.inputs
        self.batch = int(np.clip(BATCH // (4 * width * max(floating.network.widths[:level])), 1, 512))

    @property
    def waiting(self) -> int:
        return len(self.open[0])

    def _step(self) -> None:
        floating, level, neuron = self.floating, self.level, self.neuron
        assert floating is not None
        batch = self.batch if self.boxes else 1
        low, high, ids, depth, base = (part[-batch:] for part in self.open)
        rest = tuple(part[:-batch] for part in self.open)
        self.boxes += len(ids)
        target = np.array([neuron])
        known = self._known(base)
        found, lines = floating.bounds(low, high, level - 1, known, self.unwanted)
        bounds, slope, _ = floating.backward(lines, low, high, level, target)
        bound, corner = bounds[:, 0], np.where(slope[:, 0, :] > 0, high, low)
        if self.scale is None:
            self.scale = max(1e-300, abs(float(bound[0])))
        stay = ~(
            bound <= -(SAFETY if self.coarse else FINE) * self.scale
        )  # NaN, from numbers beyond the floats, stays open too
        easy = np.flatnonzero(~stay)
        needed = self._needed(floating, lines, low, high, base, easy, None)
        if needed is None:
            default: dict[str, Any] = {"coarse": []} if self.coarse else {}
            self._close(ids, easy, None, [default] * len(easy))
        else:  # neurons that are not derived again have the slopes that they would have then
            said = [_coarse_leaf([lines[-1].below], row)["coarse"] for row in easy.tolist()]
            stay[self._close(ids, easy, needed, [{"coarse": [""] * (level - 2) + text} for text in said])] = True
        closed = np.exp2(np.log2(np.maximum(high - low, 1e-300)).sum(axis=1) - self.volume)
        self.closed += float(closed[~stay].sum())
        if stay.any():
            picked = np.flatnonzero(stay)
            lines = [line.take(picked) for line in lines]
            found = [(a[picked], b[picked]) for a, b in found]
            low, high, ids, depth, closed, base = (v[picked] for v in (low, high, ids, depth, closed, base))
            bound, below, _ = floating.improved(lines, low, high, level, neuron, STEPS)
            self._look(floating, np.concatenate([corner[picked], (low + high) / 2]))
            settled = bound <= -(SAFETY if self.coarse else FINE) * self.scale
            self.almost += int((~settled & (bound <= -FINE * self.scale)).sum())
            self.failed = self.coarse and self.almost > max(50, self.boxes // 4)
            rows = np.flatnonzero(settled)
            needed = self._needed(floating, lines, low, high, base, rows, below)
            weights = floating.backward(lines, low, high, level, target, 1, below)[2]
            leaves = [
                _coarse_leaf(below, row) if self.coarse else _exact_leaf(lines, below, weights, row)
                for row in rows.tolist()
            ]
            settled[self._close(ids, rows, needed, leaves)] = False
            self.closed += float(closed[settled].sum())
            self.worst = float(bound.max())
            if self.point is None and not settled.all():
                blame = floating.blame(lines, low, high, level, neuron, below)
                rest = self._halve(rest, (low, high, ids, depth, base), found, blame, np.flatnonzero(~settled))
        self.open = rest  # type: ignore[assignment]
        alive = set(np.unique(self.open[4]).tolist())
        self.bases = {k: v for k, v in self.bases.items() if k in alive}

    def _close(
        self, ids: Array, rows: Array, needed: list[list[int] | None] | None, leaves: list[dict[str, Any]]
    ) -> list[int]:
        """Make leaves of boxes; returns the rows that stay open, because no slopes that a leaf can say settle them."""
        left = []
        for k, (row, leaf) in enumerate(zip(rows.tolist(), leaves, strict=True)):
            last = None if needed is None else needed[k]
            if last is None and needed is not None:
                left.append(row)
            else:
                self.nodes[int(ids[row])] = leaf | self._derive_leaf(last)
        return left

    def _needed(
        self,
        floating: FloatNetwork,
        lines: list[Lines],
        lower: Array,
        upper: Array,
        base: Array,
        rows: Array,
        below: list[Array] | None,
    ) -> list[list[int] | None] | None:
        """Which neurons of the last layer each leaf must derive again: checking them is what costs most. None: all.

        Those with a negative coefficient never: they only need a line below, which is valid with any slope. For a leaf
        that is not settled with slopes in sixteenths the entry is None.
        """
        known = self._known(base[rows]) if self.level > 2 and self.coarse and len(rows) else None
        if known is None:
            return None
        found: list[list[int] | None] = [None] * len(rows)
        fresh = [line.take(rows) for line in lines]
        slopes = [line.below for line in fresh] if below is None else [b[rows] for b in below]
        slopes[-1] = np.round(16 * slopes[-1]) / 16  # as the leaf will say them
        box = lower[rows], upper[rows], self.level, np.array([self.neuron])
        *_, weights = floating.backward(fresh, *box, 1, slopes)
        assert weights[-1] is not None
        last = Lines.of(*known[-1])
        useful = (weights[-1][:, 0, :] > 0) & last.unknown
        gain = np.where(useful, weights[-1][:, 0, :] * (last.height - fresh[-1].height), -np.inf)
        rank = np.argsort(np.argsort(-gain, axis=1), axis=1)
        left = np.arange(len(rows))
        for count in (0, 4, 8, 12, 16, 20, rank.shape[1]):
            before, own = [line.take(left) for line in fresh], last.take(left)
            again = (useful & (rank < count))[left]
            pair = np.where(again, before[-1].low, own.low), np.where(again, before[-1].high, own.high)
            lines, side = [*before[:-1], Lines.of(*pair)], (box[0][left], box[1][left])
            bound = floating.backward(lines, *side, *box[2:], 1, [slope[left] for slope in slopes])[0][:, 0]
            enough = bound <= -SAFETY * (self.scale or 0)
            for k in np.flatnonzero(enough).tolist():
                found[left[k]] = np.flatnonzero(again[k]).tolist()
            left = left[~enough]
            if not len(left):
                break
        return found

    def _derive_leaf(self, last: list[int] | None) -> dict[str, Any]:
        if last is None:
            return _derive(self.level, self.coarse)
        more = [[self.level - 1, last]] if last else []
        return {"derive": [[at] for at in range(1, self.level - 1)] + more}

    def _known(self, base: Array) -> Bounds | None:
        numbers = base.tolist()
        if numbers == [0]:
            return None
        tables = [self.bases[k] for k in numbers]
        return [
            (np.concatenate([t[at][0] for t in tables if t]), np.concatenate([t[at][1] for t in tables if t]))
            for at in range(self.level - 1)
        ]

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

    def proof(self) -> list[dict[str, Any]]:
        derive = _derive(self.level, self.coarse)
        proof: list[dict[str, Any]] = []
        nodes, stack = self._all_nodes(), [(0, 0)]
        while stack:
            node, depth = stack.pop()
            entry = nodes[node]
            if isinstance(entry, tuple):
                j, c, child = entry
                proof.append({"split": ["x", j, str(Fraction(c))]} | (derive if depth % PERIOD == 0 else {}))
                stack += [(child + 1, depth + 1), (child, depth + 1)]
            else:
                proof.append(entry)
        return proof


class PhaseTree(Tree):
    """The sign of the neuron whose lines loosen the bound most is split; bounds are those on the whole box."""

    regions = "sign patterns"

    def __init__(self, floating: FloatNetwork, level: int, neuron: int, coarse: bool = True) -> None:
        super().__init__(floating, level, neuron, coarse)
        self.scale: float | None = None
        # a node: its number, and the splits above it as (layer, neuron, sign)
        self.open: list[tuple[int, tuple[tuple[int, int, int], ...]]] = [(0, ())]
        self.count = 1
        width = sum(floating.network.widths[: level - 1]) + floating.network.inputs
        self.batch = int(np.clip(BATCH // (16 * width), 1, 64))

    @property
    def waiting(self) -> int:
        return len(self.open)

    def _step(self) -> None:
        floating = self.floating
        assert floating is not None
        batch = [self.open.pop() for _ in range(min(self.batch if self.boxes else 1, len(self.open)))]
        self.boxes += len(batch)
        lower, upper = (np.repeat(side[None, :], len(batch), axis=0) for side in (floating.lower, floating.upper))
        found = floating.whole(self.level - 1)
        bounds = [(np.repeat(low, len(batch), axis=0), np.repeat(high, len(batch), axis=0)) for low, high in found]
        phases = [np.zeros(low.shape) for low, _ in bounds]
        for row, (_, splits) in enumerate(batch):
            for at, i, sign in splits:
                phases[at - 1][row, i] = sign
                bounds[at - 1][1 if sign < 0 else 0][row, i] = 0
        lines = [Lines.of(low, high) for low, high in bounds]
        bound, below, added = floating.improved(lines, lower, upper, self.level, self.neuron, 3 * STEPS, phases)
        assert added is not None
        if self.scale is None:
            self.scale = max(1e-300, abs(float(bound[0])))
        self.worst = float(bound.max())
        losses = floating.losses(lines, lower, upper, self.level, self.neuron, below, added)
        _, slope, weights = floating.backward(lines, lower, upper, self.level, np.array([self.neuron]), 1, below, added)
        self._look(floating, np.where(slope[:, 0, :] > 0, upper, lower))
        flat = np.concatenate([np.where(line.unknown, loss, -1) for line, loss in zip(lines, losses, strict=True)], 1)
        starts = np.cumsum([0] + [loss.shape[1] for loss in losses])
        for row, (node, splits) in enumerate(batch):
            if bound[row] <= -(SAFETY if self.coarse else FINE) * self.scale:
                factors = {
                    str(k): str(abs(Fraction(float(added[at - 1][row, i]))))
                    for k, (at, i, _) in enumerate(splits)
                    if added[at - 1][row, i]
                }
                simple = self.coarse and not factors
                self.nodes[node] = (
                    _coarse_leaf(below, row) if simple else _exact_leaf(lines, below, weights, row, factors)
                )
                self.closed += 0.5 ** len(splits)
                continue
            worst = int(np.argmax(flat[row]))
            if not flat[row, worst] > 0:
                self.failed = True  # nothing is left to split: the bound is as good as it gets here
                return
            at = int(np.searchsorted(starts, worst, side="right"))
            i = worst - int(starts[at - 1])
            self.nodes[node] = (at, i, self.count)
            self.open += [(self.count + 1, (*splits, (at, i, 1))), (self.count, (*splits, (at, i, -1)))]
            self.count += 2

    def proof(self) -> list[dict[str, Any]]:
        proof: list[dict[str, Any]] = []
        nodes, stack = self._all_nodes(), [0]
        while stack:
            entry = nodes[stack.pop()]
            if isinstance(entry, tuple):
                at, i, child = entry
                proof.append({"split": ["neuron", at, i]})
                stack += [child + 1, child]
            else:
                proof.append(dict(entry))
        proof[0] |= _derive(self.level, self.coarse)
        return proof


def _short(middle: Array, width: Array) -> Array:
    """A number near the middle with few binary digits (a hundredth of the width is fine enough)."""
    grid = np.exp2(np.floor(np.log2(np.maximum(width, 1e-300) / 64)))
    return np.round(middle / grid) * grid
