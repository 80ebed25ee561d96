"""Proofs that a neuron is never positive, as trees grown in floating point.

The domain (of one that is no box, the box around it: see ``growth_on_rows``) is split until linear bounds of the neuron
are negative on each part. A part is halved across an input, or split by the sign of an earlier neuron, whichever
promises to tighten its bound more: an input shares in the looseness of all neurons, a neuron takes its own away. Where
nothing is left that loosens the bound, an exact linear program decides (see :mod:`geomrelu.deadness.fixed_signs`).

Nothing else here decides: the exact checker derives the bounds of every leaf again, by the rules that the tree was
grown by. At the root, at every node that is PERIOD splits below the last such one, and at the leaves the bounds of the
earlier neurons of unknown sign are derived anew (of the last layer, only of those that matter); bounds derived higher
up stay valid. (Where there are many inputs, and so only signs are split, the bounds on the whole box serve everywhere.)
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from geomrelu.budget import UNLIMITED, Budget, Exhausted
from geomrelu.certificates.batch import Step, derived, places
from geomrelu.certificates.files import Claim, packed
from geomrelu.deadness.earlier_neurons import EarlierNeurons
from geomrelu.deadness.growth_on_rows import OnRows
from geomrelu.deadness.polishing import polish
from geomrelu.deadness.proof_tree import LETTERS, OPEN, PROGRAM, Node, Part, Split, walked
from geomrelu.deadness.relaxation import BATCH, Boxes, FloatNetwork, Form, Lines
from geomrelu.native import boxes as kernel
from geomrelu.native.boxes import Explored, Explorer

__all__ = ["Growth", "Tree"]

Array = np.ndarray
MOST_INPUTS = 32  # with more, halving boxes is hopeless
MOST_BOXES = 10_000_000
PERIOD = 4
FEW = 4  # earlier neurons that loosen a bound: then their signs are split, else inputs
STEPS = 20  # on the slopes of a part that the default slopes do not settle
SAFETY = 1e-6  # relative: a float bound must clear zero by this, for coarse arithmetic rounds
FINE = 1e-9  # likewise in exact arithmetic; nearer to zero it may still be zero
CHUNK, FEW_CHUNKS = 50, 100  # nodes of an earlier run that are judged together; how many times that in one turn


def halves(floating: FloatNetwork) -> bool:
    """Are boxes halved? If not, only signs are split."""
    return floating.network.inputs <= MOST_INPUTS and floating.inside.vertices is None and floating.ball is None


class Tree:
    """A tree that grows until it is a proof, or until a point is found where the neuron is positive.

    Attributes:
        parts: that are open; away: those that are being worked on, by name.
        point: where the neuron is positive (perhaps: it was found in floating point), or None.
        tight: a point where it is 0 exactly, or () if only its bound is 0 somewhere, or None.
        failed: a linear program was too large.
        boxes: how many parts were bounded; limit: how many may be.
        closed: the share of the domain on which the neuron is bounded.
        worst: the largest bound among the parts that were bounded last.
        seconds: of work on it.
        coarse: is its proof to be checked in coarse arithmetic?
        refused: how many leaves the checker did not accept.
    """

    def __init__(self, floating: FloatNetwork, level: int, neuron: int, coarse: bool = True) -> None:
        self.level, self.neuron = level, neuron
        self.coarse = coarse and level <= floating.coarse_depth
        splits, self.parts = floating.begun(level)
        self.whole, self.away = Part(floating.lower, floating.upper), dict[int, Part]()
        self.widths = floating.network.widths
        self.point: Sequence[Any] | None = None
        self.tight: tuple[Fraction, ...] | None = None
        self.failed = False
        self.boxes, self.limit, self.refused = 0, MOST_BOXES, 0
        self.closed, self.worst, self.seconds = 0.0, float("inf"), 0.0
        self.inner = "boxes" if halves(floating) else "sign patterns"
        self._nodes = [pickle.dumps(splits)] if splits else []  # packed, for a large tree has hundreds of thousands

    def take(self, count: int) -> list[Part]:
        """Some of the open parts, to be worked on; what is left of them comes back with :meth:`merge`."""
        if self.parts[-1].earlier is not None:
            count = min(count, FEW_CHUNKS)  # they are large
        begun = [part for part in self.parts if part.leaf is not None]
        self.parts = [part for part in self.parts if part.leaf is None]
        taken = begun + self.parts[-count:]
        del self.parts[-count:]
        self.away |= {part.name: part for part in taken}
        return taken

    def merge(self, growth: Growth) -> None:
        """What has been found below parts that were taken."""
        self.parts += growth.parts
        for name in growth.taken:
            del self.away[name]
        self._nodes.append(growth.packed)
        self.point = growth.point
        self.tight = self.tight or growth.tight
        self.failed = self.failed or growth.lost
        self.boxes += growth.boxes
        self.seconds += growth.seconds
        self.refused += growth.refused
        self.closed += growth.closed
        self.worst = growth.worst
        if self.refused > max(50, self.boxes // 4):
            self.coarse = False

    @property
    def done(self) -> bool:
        """Is no part open?"""
        return not self.parts and not self.away

    def proof(self) -> Iterator[Node]:
        """The tree in the checker's grammar, with OPEN where it is not finished; node by node, for it may be large."""
        nodes: dict[int, Split | Step | Node] = {}
        for grown in self._nodes:
            nodes.update(pickle.loads(grown))
        earlier = {part.name: part.earlier for part in (*self.parts, *self.away.values())}
        stack = [1]
        while stack:
            name = stack.pop()
            node = nodes.pop(name, OPEN)
            if isinstance(node, Split):
                yield node.node(self.level)
                stack += [2 * name + 1, 2 * name]
            elif isinstance(node, Step):
                yield node.leaf(self.level)
            else:
                yield from earlier.get(name) or [dict(node)]

    def forget(self) -> None:
        """Only what it has come to is needed any more: who has the proof keeps it."""
        self._nodes = []

    @property
    def unfinished(self) -> Claim | None:
        """What another run can take over, its proof packed."""
        if self.done or self.point is not None:
            return None
        return {"layer": self.level, "neuron": self.neuron, "status": "open", "proof": packed(self.proof())}

    def resume(self, proof: Any) -> None:
        """Take over what :meth:`proof` gave in another run; nothing is believed, it will be judged again."""
        if not isinstance(proof, list):
            return
        nodes: dict[int, Split | Node] = {}
        found, end = [], 0
        try:
            parts = places(proof)
            if parts is None:
                return
            root = replace(self.whole)
            for part, node in walked(root, proof, self.level, self.widths):
                first, last = parts[part.name]
                if first >= end and isinstance(node, Split) and last - first > CHUNK:
                    nodes[part.name] = node
                elif first >= end:
                    part.earlier, end = None if node == OPEN else proof[first:last], last
                    found.append(part)
        except (ValueError, TypeError, LookupError, ArithmeticError):  # damaged
            return
        self.parts, self._nodes = found, [pickle.dumps(nodes)]

    def __str__(self) -> str:
        if self.done and self.point is None:
            return f"{self.boxes} {self.inner}" if self.boxes > 1 else "bounded on the whole box"
        return (
            f"{self.boxes} {self.inner}: bounded on {100 * min(max(self.closed, 0), 0.999):.3g} % of the domain, "
            f"elsewhere by {self.worst:.3g}"
        )


class Growth:
    """What grows below some open parts of a tree, in one go: new nodes, and parts that are open afterwards."""

    def __init__(self, tree: Tree, parts: list[Part]) -> None:
        self.level, self.neuron, self.coarse, self.tight = tree.level, tree.neuron, tree.coarse, tree.tight
        self.widths = tree.widths
        self.roots, self.parts, self.taken = list(parts), list(parts), [part.name for part in parts]
        self.nodes: dict[int, Split | Step | Node] = {}  # leaves that are easily judged as steps
        self.leaves: dict[int, Part] = {}
        self.point: Sequence[Any] | None = None
        self.lost, self.looks, self.budget, self.packed = False, True, UNLIMITED, b""
        self.boxes, self.refused, self.worst, self.closed, self.seconds = 0, 0, float("inf"), 0.0, 0.0

    def start(self, floating: FloatNetwork, budget: Budget = UNLIMITED) -> None:
        """Take up the tools. Raises Exhausted when the budget ends."""
        whole = floating.whole(self.level - 1, budget)
        top = floating.upper_bounds(whole, self.level, np.array([self.neuron]))
        self.scale = max(1e-300, abs(float(top[0, 0])))
        self.enough = -(SAFETY if self.coarse or floating.ball is not None else FINE) * self.scale
        self.halves = halves(floating)
        fold = not (self.halves or self.coarse or floating.rows is not None or floating.ball is not None)
        self.earlier = EarlierNeurons(floating, self.level, self.neuron, whole.bounds, fold)
        self.floating, self.aim, self.slices = self.earlier.floating, self.earlier.aim, self.earlier.slices
        self.target = np.array([self.aim])
        self.rows = None if floating.rows is None else OnRows(self, floating.rows)
        self.cornered = self.coarse and floating.cornered
        # neurons of the last layer that only need a line below
        self.unwanted = floating.subtracted(self.level, self.neuron) if self.coarse else None
        widths = self.floating.network.widths[: self.level]
        size = 4 * (sum(widths) + floating.network.inputs) * (max(widths) if self.halves else 4)
        self.batch = int(np.clip(BATCH // size, 1, 128))
        self.explorer = self._explorer() if self.cornered and self.halves else None
        if self.explorer is not None:
            self.batch = 128

    def _explorer(self) -> Explorer | None:
        """The compiled kernel, if there is one and it takes this neuron."""
        layers = self.floating.dense(self.level)
        if layers is None:
            return None
        *before, (matrix, bias) = layers
        varies = (self.floating.lower < self.floating.upper).tolist()
        target = matrix[self.neuron], bias[self.neuron]
        enough, nothing = self.enough, FINE * self.scale
        with suppress(OverflowError):
            return Explorer(before, target, varies, enough=enough, nothing=nothing, steps=STEPS, few=FEW)
        return None

    def grow(self, most: int, budget: Budget) -> None:
        """Bound parts until none is open, a point is found, the time is over, or so many have been bounded."""
        self.point, self.budget = None, budget
        while self.point is None and self.parts and self.boxes < most and budget.left != 0:
            if self.parts[-1].earlier is not None:
                self._again(self.parts.pop())
                continue
            self.parts = self.parts if self.rows is None else self.rows.given(self.parts)
            count = min(self.batch, len(self.parts))
            batch = [part for part in self.parts[-count:] if part.earlier is None]
            self.parts[-count:] = [part for part in self.parts[-count:] if part.earlier is not None]
            for part in batch:
                if part.base is None and part.derived:  # another run had more, or the same where only signs are split
                    part.base, part.age = self.earlier.whole, PERIOD if self.halves else 0
            batch, over = batch if self.rows is None else self.rows.narrowed(batch), False
            for derives in (True, False):
                alike = [part for part in batch if self._derives(part) is derives]
                if alike and self.point is None and not over:
                    try:
                        self._step(alike, derives)
                        self.boxes += len(alike)
                        continue
                    except Exhausted:  # in the middle of it
                        self._undo(alike)
                        over = True
                self.parts += alike
            if over:
                return

    def _undo(self, parts: list[Part]) -> None:
        """They are to be bounded yet."""
        names = {part.name for part in parts}
        self.parts = [part for part in self.parts if part.name >> 1 not in names]
        for name in names:
            self.nodes.pop(name, None)
            self.leaves.pop(name, None)

    def _again(self, part: Part) -> None:
        """What another run had found below a part."""
        assert part.earlier is not None
        for here, node in walked(replace(part, earlier=None), part.earlier, self.level, self.widths):
            if isinstance(node, Split):
                self.nodes[here.name] = node
            elif node == OPEN:
                self.parts.append(here)
            else:
                self._leaf(here, node)
        self.boxes += len(part.earlier)

    def pack(self) -> None:
        """Make it small, for it travels between processes."""
        self.packed = pickle.dumps(self.nodes)
        self.closed = sum(part.share for part in self.roots) - sum(part.share for part in self.parts)
        if hasattr(self, "floating"):
            del self.floating, self.earlier, self.explorer, self.rows
        self.budget = UNLIMITED
        self.nodes, self.leaves, self.roots = {}, {}, []

    def _derives(self, part: Part) -> bool:
        return part.base is None or part.age > 0

    def _step(self, parts: list[Part], derives: bool) -> None:
        if self.explorer is not None and derives:
            self._explore(self.explorer, parts)
        else:
            self._visit(parts, derives)

    def _explore(self, explorer: Explorer, parts: list[Part]) -> None:
        """The same by the compiled kernel."""
        lower, upper = np.array([part.lower for part in parts]), np.array([part.upper for part in parts])
        table = self.earlier.table(parts)
        signs: Array | None = None
        if any(part.signs for part in parts):
            signs = np.zeros((len(parts), explorer.all), dtype=np.int8)
            for row, part in enumerate(parts):
                for at, i, sign in part.signs:
                    signs[row, self.slices[at - 1].start + i] = sign
        stubborn = np.array([part.stubborn for part in parts], dtype=np.uint8)
        known = None if table is None else (np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1]))
        unwanted = None
        if self.unwanted is not None and self.level > 2:
            unwanted = np.ones(explorer.last, dtype=np.uint8)
            unwanted[: len(self.unwanted)] = self.unwanted
        found = explorer.boxes(lower, upper, known, signs, stubborn, unwanted)
        seen = found.kind != kernel.DEFAULT
        if self.rows is not None and seen.any():
            self._look(found.points[seen])
        elif self.looks and seen.any() and found.values[seen].max() > 0:
            self.point = found.points[seen][int(np.argmax(found.values[seen]))].tolist()
        open_ = found.kind >= kernel.NEURON
        if open_.any():
            self.worst = float(found.bound[open_].max())
        if self.rows is not None and open_.any() and self.point is None:
            parts, lower, upper, found = self.rows.left_after(parts, lower, upper, found)
        self._record(parts, (lower, upper), found, known is not None)
        if left := [part for part, kind in zip(parts, found.kind.tolist(), strict=True) if kind == kernel.EXACTLY]:
            self._visit(left, True)

    def _record(self, parts: list[Part], sides: tuple[Array, Array], found: Explored, known: bool) -> None:
        """Leaves and splits, as the kernel has chosen them."""
        letters, added = LETTERS[found.slopes], [found.added[:, where] for where in self.slices]
        rows, inputs = np.arange(len(parts)), np.where(found.kind == kernel.INPUT, found.place, 0)
        low, high = sides[0][rows, inputs], sides[1][rows, inputs]
        cuts = _short((low + high) / 2, high - low).tolist()
        columns = zip(found.kind.tolist(), found.layer.tolist(), found.place.tolist(), cuts, strict=True)
        for row, (part, (kind, layer, index, cut)) in enumerate(zip(parts, columns, strict=True)):
            if kind in (kernel.DEFAULT, kernel.IMPROVED):
                text, later = letters[row].tobytes().decode(), known and self.level > 2
                slopes = [text[where] for where in self.slices]
                if kind == kernel.DEFAULT:
                    slopes = [*[""] * (self.level - 2), slopes[-1]] if later else []
                leaf = Step(True, tuple(np.flatnonzero(found.again[row]).tolist()) if later else None, None, slopes)
                more = self._multipliers(part, row, added) if kind == kernel.IMPROVED and part.signs else {}
                self._leaf(part, leaf.leaf(self.level) | more if more else leaf)
            elif kind == kernel.PROGRAM:
                self._leaf(part, PROGRAM)
            elif kind != kernel.EXACTLY:
                base, age = part.base, part.age
                how: tuple[bool, tuple[int, ...] | None] = False, None
                if base is None or age >= PERIOD:
                    base, last = self._anew(base, np.array((found.low[row], found.high[row])))
                    how, age = (True, last), 0
                self.cut(part, Split(layer, index, cut if kind == kernel.INPUT else None, *how), base, age)

    def _visit(self, parts: list[Part], derives: bool) -> None:
        floating = self.floating
        boxes = self._bounded(parts, derives)
        empty = np.any([(low - high > FINE * (abs(low) + abs(high))).any(axis=1) for low, high in boxes.bounds], axis=0)
        bound = self._highest(boxes, floating.backward(boxes, self.level, self.target))
        bound[empty] = -np.inf
        stubborn = np.array([part.stubborn for part in parts])
        settled = (bound <= self.enough) & ~stubborn  # NaN, from numbers beyond the floats, stays open too
        rows = np.flatnonzero(settled)
        settled[self._close(parts, boxes, rows, None, None)] = False
        if self.rows is not None:
            settled |= self.rows.visited(parts, boxes, np.flatnonzero(~settled), derives)
        rows = np.flatnonzero(~settled)
        if not len(rows) or self.point is not None:
            self.parts += [parts[k] for k in rows]
            return
        parts, boxes, stubborn = [parts[k] for k in rows], boxes.take(rows), stubborn[rows]
        phases = self.earlier.phases(parts)
        bound, below, added, points = floating.improved(
            boxes, self.level, self.aim, STEPS, phases, self.enough, self.budget
        )
        middle = (boxes.lower + boxes.upper) / 2 if boxes.vertices is None else points  # it may lie beside a hull
        self._look(points, middle)
        polish(floating, boxes, self.level, self.aim, (below, phases, added), bound, self.enough, self.budget)
        settled = (bound <= self.enough) & ~stubborn
        rows = np.flatnonzero(settled)
        settled[self._close(parts, boxes, rows, below, added)] = False
        form = floating.backward(boxes, self.level, self.target, 1, below, added)
        exact = ~settled & ~stubborn & (boxes.highest(form)[:, 0] <= FINE * self.scale)
        self._close_exactly(parts, boxes, np.flatnonzero(exact), below, added)
        rows = np.flatnonzero(~settled & ~exact)
        if not len(rows):
            return
        self.worst = float(bound[rows].max())
        below = [b[rows] for b in below]
        added = None if added is None else [a[rows] for a in added]
        self._split([parts[k] for k in rows], boxes.take(rows), below, added, derives)

    def _bounded(self, parts: list[Part], derives: bool) -> Boxes:
        """What is known of all earlier layers on the parts."""
        lower, upper = np.array([part.lower for part in parts]), np.array([part.upper for part in parts])
        known = self.earlier.known(parts)
        if derives:
            how = known, self.unwanted, self.cornered, self.budget
            return self.floating.bounded(lower, upper, self.level - 1, *how)
        assert known is not None
        return replace(self.floating.on(lower, upper), lines=[Lines.of(*pair) for pair in known], bounds=known)

    def _highest(self, boxes: Boxes, form: Form) -> Array:
        """Bounds (boxes,) of the neuron."""
        value = boxes.highest(form) if boxes.corners is None else boxes.at_corners(form).max(axis=1)
        return value[:, 0]

    def _look(self, *points: Array) -> None:
        """Is the neuron positive at one of these points?"""
        candidates = np.concatenate(points) if self.rows is None else self.rows.moved_in(np.concatenate(points))
        value = self.floating.reached(candidates, self.level, [self.aim])
        if value.max() > 0 and self.looks:
            self.point = candidates[int(np.argmax(value))].tolist()

    # ---- leaves -----------------------------------------------------------------------------------------------

    def _close(
        self, parts: list[Part], boxes: Boxes, rows: Array, below: list[Array] | None, added: list[Array] | None
    ) -> list[int]:
        """Make leaves of these rows; returns those that stay open, since no slopes that a leaf can say settle them."""
        if not len(rows):
            return []
        parts, boxes = [parts[k] for k in rows], boxes.take(rows)
        below = None if below is None else [b[rows] for b in below]
        added = None if added is None else [a[rows] for a in added]
        needed = self._needed(parts, boxes, below, added)
        left = []
        for row, part in enumerate(parts):
            last = None if needed is None else needed[row]
            if needed is not None and last is None:
                left.append(int(rows[row]))
                continue
            if not self.coarse:
                leaf = self._exact_leaf(part, boxes, row, below, added)
            elif below is not None:
                leaf = {
                    "coarse": [self.earlier.text(at, slopes[row]) for at, slopes in enumerate(below, 1)]
                } | self._multipliers(part, row, added)
            elif needed is None:
                leaf = {"coarse": []}
            else:  # neurons that are not derived again have the slopes that they would have then
                leaf = {
                    "coarse": [""] * (self.level - 2) + [self.earlier.text(self.level - 1, boxes.lines[-1].below[row])]
                }
            if self._derives(part):
                leaf |= derived(self.level, last)
            self._leaf(part, leaf)
        return left

    def _leaf(self, part: Part, leaf: Step | Node) -> None:
        self.nodes[part.name], self.leaves[part.name] = leaf, part

    def _close_exactly(
        self, parts: list[Part], boxes: Boxes, rows: Array, below: list[Array], added: list[Array] | None
    ) -> None:
        """Where the bound may be 0: leaves in exact arithmetic, which the checker may refuse."""
        for row in rows.tolist():
            leaf = self._exact_leaf(parts[row], boxes, row, below, added)
            self._leaf(parts[row], leaf | (derived(self.level) if self._derives(parts[row]) else {}))

    def _exact_leaf(
        self,
        part: Part,
        boxes: Boxes,
        row: int,
        below: list[Array] | None,
        added: list[Array] | None,
        every: bool = False,
    ) -> Node:
        """Slopes are said only where the line below is used, and (unless ``every``) where they are not the default."""
        leaf = self._multipliers(part, row, added)
        if below is None:
            return leaf
        one = boxes.take(np.array([row]))
        slopes = [b[row : row + 1] for b in below]
        multipliers = None if added is None else [a[row : row + 1] for a in added]
        form = self.floating.backward(one, self.level, self.target, 1, slopes, multipliers)
        for at, (line, slope, weight) in enumerate(zip(one.lines, slopes, form.weights, strict=True), 1):
            if weight is None:
                continue
            said = line.unknown[0] & (weight[0, 0] < 0) & (every | (slope[0] != line.below[0]))
            if said.any():
                texts = leaf.setdefault("slopes", [""] * (self.level - 1))
                texts[at - 1] = self.earlier.text(at, slope[0])
        return leaf

    def _multipliers(self, part: Part, row: int, added: list[Array] | None) -> Node:
        """Those of the splits by signs."""
        if added is None:
            return {}
        sizes = [(k, abs(self.earlier.multiplier(added, row, at, i))) for k, (at, i, _) in enumerate(part.signs)]
        table = {str(k): str(Fraction(size)) for k, size in sizes if size}
        return {"splits": table} if table else {}

    def _needed(
        self, parts: list[Part], boxes: Boxes, below: list[Array] | None, added: list[Array] | None
    ) -> list[list[int] | None] | None:
        """Which neurons of the last layer each leaf derives again: checking them is what costs most. None: all.

        Those with a negative coefficient never: they only need a line below, which is valid with any slope. For a leaf
        that is not settled with slopes in sixteenths the entry is None.
        """
        derives = self.coarse and self.level > 2 and self._derives(parts[0])
        known = self.earlier.known(parts) if derives else None
        if known is None:
            return None
        slopes = [line.below for line in boxes.lines] if below is None else list(below)
        slopes[-1] = np.round(16 * slopes[-1]) / 16  # as the leaf will say them
        form = self.floating.backward(boxes, self.level, self.target, 1, slopes, added)
        assert form.weights[-1] is not None
        fresh, (low, high) = boxes.lines[-1], known[-1]
        again = (form.weights[-1][:, 0, :] > 0) & (low < 0) & (high > 0)
        boxes = replace(boxes, lines=list(boxes.lines), gaps=list(boxes.gaps))
        boxes.lines[-1] = Lines.of(np.where(again, fresh.low, low), np.where(again, fresh.high, high))
        if boxes.gaps:
            boxes.gaps[-1] = boxes.gaps[-1] * again[:, None, :]
        form = self.floating.backward(boxes, self.level, self.target, 1, slopes, added)
        enough = self._highest(boxes, form) <= self.enough
        return [np.flatnonzero(row).tolist() if good else None for row, good in zip(again, enough, strict=True)]

    # ---- splits -----------------------------------------------------------------------------------------------

    def _split(
        self, parts: list[Part], boxes: Boxes, below: list[Array], added: list[Array] | None, derives: bool
    ) -> None:
        """Cut each part where that promises most."""
        losses = self.floating.losses(boxes, self.level, self.aim, below, added)
        single = np.concatenate(
            [np.where(line.unknown, loss, -1) for line, loss in zip(boxes.lines, losses, strict=True)], 1
        )
        starts = np.cumsum([0] + [loss.shape[1] for loss in losses])
        neuron = np.argmax(single, axis=1)
        blame = self.floating.blame(boxes, losses) if self.halves else np.zeros(boxes.lower.shape)
        inputs = np.argmax(blame, axis=1)
        for row, part in enumerate(parts):
            base, age = part.base, part.age
            how: tuple[bool, tuple[int, ...] | None] = False, None
            if derives and (base is None or age >= PERIOD):
                base, last = self._anew(base, self.earlier.fresh(boxes.bounds, row))
                how, age = (True, last), 0
            total = sum(float(loss[row].sum()) for loss in losses)
            if not total > FINE * self.scale:
                self._leaf(part, PROGRAM)
            elif not self.halves or (single[row] > total / 100).sum() <= FEW:
                at = int(np.searchsorted(starts, neuron[row], side="right"))
                index = self.earlier.named(at, int(neuron[row] - starts[at - 1]))
                self.cut(part, Split(at, index, None, *how), base, age)
            else:
                j = int(inputs[row])
                middle = _short((part.lower[j] + part.upper[j]) / 2, part.upper[j] - part.lower[j])
                self.cut(part, Split(0, j, float(middle), *how), base, age)

    def _anew(self, base: Array | None, fresh: Array) -> tuple[Array, tuple[int, ...] | None]:
        """The bounds that hold below a split that derives them, and of which neurons of the last layer it does.

        Those are the neurons that have a sign now, for checking the others costs more than it gives; None: all.
        """
        if base is None or self.unwanted is None:
            return fresh, None
        (low, high), (least, most) = base[:, self.slices[-1]], fresh[:, self.slices[-1]]
        settled = (low < 0) & (high > 0) & ((least >= 0) | (most <= 0))
        fresh[:, self.slices[-1]] = np.where(settled, least, low), np.where(settled, most, high)
        return fresh, tuple(np.flatnonzero(settled).tolist())

    def cut(self, part: Part, split: Split, base: Array | None, age: int) -> None:
        """Split a part, on which these bounds hold."""
        age += self.halves  # where only signs are split nothing is derived anew
        self.nodes[part.name] = split
        self.parts += [part.child(split, -1, base, age), part.child(split, 1, base, age)]


def _short(middle: Any, width: Any) -> Any:
    """A number near the middle with few binary digits (a hundredth of the width is fine enough)."""
    grid = np.exp2(np.floor(np.log2(np.maximum(width, 1e-300) / 64)))
    return np.round(middle / grid) * grid
