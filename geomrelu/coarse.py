"""The checker's coarse arithmetic on many boxes at once: the same integers, in arrays.

A tree of thousands of boxes is judged by the checker's rules as it grows. What the checker computes box by box (class
``Coarse`` and ``Region`` in ``checker``: read there what it means) is computed here for a batch of boxes, where the
domain was cut across inputs only and corners are looked at. Every integer is the checker's, so that nothing that is
accepted here can be refused there; and as arithmetic it is as exact as the checker's.

Integers of up to 62 bits are kept in int64, larger ones as high 2^28 + low. Sums of products are float64 matrix
products, of numbers cut in two so that every partial sum is an integer below 2^53, and therefore exact in any order.
Where a number does not keep to that, which is looked up and not assumed, its box is left to the checker.

Cost: a tenth of the checker's time, for a hundred boxes or more.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from geomrelu import checker

__all__ = ["Arithmetic", "Batch", "Cell", "Quick", "Step", "derivation", "derived", "region"]

Array = np.ndarray
UNIT = checker.UNIT
ONE = 1 << UNIT
CUT = 14  # the bits of the lower of two parts of a number
EXACT, WIDE = 2.0**53, 2.0**48
FEW = 50  # nodes of a proof that the checker walks as quickly
LARGE = 1 << 34  # numbers that are not smaller are left to the checker


class Cell(NamedTuple):
    """A box, and what has been derived on it, in the checker's units.

    Attributes:
        low, high: the sides (inputs,), measured from the lower sides of the domain.
        known: of each layer derived, the bounds (2, width) of its pre-activations.
    """

    low: Array
    high: Array
    known: tuple[Array, ...]


@dataclass(slots=True)
class _Lines:
    """The lines around the outputs of a layer on boxes: see ``Coarse.lines``. Arrays (boxes, width)."""

    unknown: Array
    alive: Array  # may be positive
    above: Array
    below: Array
    height: Array
    plain: Array  # the same, 0 where heights at the corners are used
    heights: Array  # (boxes, width, 2 corners): these in two halves, 0 where they are not used
    sizes: Array  # (boxes,): the largest sums of halves
    cost: Array  # (boxes,)
    tall: Array  # (boxes,)


class Step(NamedTuple):
    """What a node says that batches can do: to derive bounds, and then to cut the box or to bound the neuron.

    Attributes:
        last: of which neurons of the last layer; None: of all.
        cut: an input, and a number on its axis; None at a leaf. slopes: of a leaf, as it says them.
    """

    derives: bool
    last: Sequence[int] | None
    cut: tuple[int, Fraction] | None
    slopes: Sequence[str] = ()

    @classmethod
    def read(cls, node: Any, level: int, widths: Sequence[int], inputs: int) -> Step | None:
        """What a node says, in a proof about a neuron of a layer; None if that is something else."""
        try:
            derives, last = derivation(node, level)
            if last is not None and not all(0 <= i < widths[level - 2] for i in last):
                return None
            if derives and node.keys() == {"coarse", "derive"} and _readable(node["coarse"], widths[: level - 1]):
                return cls(True, last, None, node["coarse"])
            if derives is not False and "split" in node and node.keys() <= {"split", "derive"}:
                kind, index, cut = node["split"]
                if kind == "x" and type(index) is int and 0 <= index < inputs:
                    return cls(bool(derives), last, (index, checker.number(cut)))
        except (ValueError, TypeError, AttributeError, checker.Malformed):
            pass
        return None


class Arithmetic:
    """What batches of boxes have in common. Raises OverflowError if the numbers are too large.

    Args:
        region: the domain, few of whose inputs vary (``Coarse.cornered``), with all layers before derived.
        level: the layer of the neurons to be bounded, at most ``Coarse.depth``.
    """

    def __init__(self, region: checker.Region, level: int) -> None:
        self.coarse, self.level = region.coarse, level
        self.weights: dict[int, Array] = {}  # of a layer (1 + width before, width); last the biases
        self.halves: dict[int, Array] = {}  # the same (width, 2 (1 + width before)) for products
        self.limits: dict[int, float] = {}  # the coefficients up to which these are exact
        self.fields: dict[int, Any] = {}  # how large numbers can become, and may
        for at in range(1, level + 1):
            self.weights[at] = _bounded(self.coarse.weights(at), LARGE)
            self.halves[at] = _halves(self.weights[at].T, axis=1)
            self.limits[at] = EXACT / float(abs(self.halves[at]).sum(axis=0).max() + 1)
            size, _, *sizes = self.coarse.start(at)
            self.fields[at] = size, *sizes
        low, high = (_bounded(side, LARGE) for side in self.coarse.sides(region.lower, region.upper))
        known = [_bounded(list(zip(*region.known[at], strict=True)), LARGE) for at in range(1, level)]
        self.whole = Cell(low, high, tuple(known))
        vary = [j for j, power in enumerate(self.coarse.powers[0]) if power is not None]
        self.upper = np.zeros((len(low), 1 << len(vary)), dtype=bool)  # has a corner the upper side of an input?
        for bit, j in enumerate(vary):
            self.upper[j] = np.arange(1 << len(vary)) >> bit & 1

    @classmethod
    def on(cls, root: checker.Region, level: int) -> Arithmetic | None:
        """The same on the whole domain, if batches can work there."""
        if not root.coarse.cornered or not 1 < level <= root.coarse.depth:
            return None
        region = root.copy()
        region.derive(derived(level, True)["derive"], level)
        with suppress(OverflowError):
            return cls(region, level)
        return None

    def spread(
        self,
        neuron: int,
        cells: Mapping[int, Cell],
        read: Callable[[int], Step | None],
        tick: Callable[[], None],
        sign: int = 1,
        most: int = 128,
    ) -> Iterator[tuple[int, Cell | int | None]]:
        """Take boxes through the nodes of a tree, as many at once as there are, in any order.

        Args:
            cells: of some nodes, by name; the children of node k are 2 k and 2 k + 1.
            read: what a node says; None if it is for the checker; KeyError if there is no such node.
            tick: is called before each batch; most: boxes of one.

        Yields:
            ``(name, what)``: a bound of ``sign * z`` at a leaf, in 2^-56; the box where there is no node; None at a
            node below which the checker has to go on.
        """
        stack, ready = list(cells.items()), list[tuple[int, Cell, Step]]()
        while stack or ready:
            while stack:
                name, cell = stack.pop()
                try:
                    step = read(name)
                except KeyError:
                    yield name, cell
                    continue
                if step is None:
                    yield name, None
                elif step.cut and not step.derives:
                    stack += self._halved(name, cell, *step.cut)
                else:
                    ready.append((name, cell, step))
            some, ready = ready[:most], ready[most:]
            if not some:
                return
            tick()
            batch = Batch(self, [cell for _, cell, _ in some], [step.last for *_, step in some])
            slopes = {k: step.slopes for k, (*_, step) in enumerate(some) if not step.cut}
            bounds = dict(zip(slopes, batch.bounds(neuron, slopes, sign), strict=True))
            for k, (name, _, step) in enumerate(some):
                if not batch.good[k]:
                    yield name, None
                elif step.cut:
                    stack += self._halved(name, batch.cell(k), *step.cut)
                else:
                    yield name, bounds[k]

    def _halved(self, name: int, cell: Cell, index: int, cut: Fraction) -> list[tuple[int, Cell]]:
        """Both sides of a box, with the names of their nodes."""
        least, most = self.coarse.side(index, cut)
        low, high = cell.low.copy(), cell.high.copy()
        low[index], high[index] = max(low[index], least), min(high[index], most)
        return [(2 * name + 1, Cell(low, cell.high, cell.known)), (2 * name, Cell(cell.low, high, cell.known))]


class Batch:
    """Boxes on which bounds have been derived.

    Attributes:
        known: for each layer (boxes, 2, width).
        good: which boxes have kept to exact arithmetic.
    """

    def __init__(self, own: Arithmetic, cells: Sequence[Cell], last: Sequence[Sequence[int] | None]) -> None:
        self.own = own
        self.low, self.high = np.array([c.low for c in cells]), np.array([c.high for c in cells])
        self.good = np.ones(len(cells), dtype=bool)
        self.corners = np.where(own.upper, self.high[:, :, None], self.low[:, :, None])
        halves = _halves(self.corners, axis=2)
        self.corner_halves = halves, abs(halves).sum(axis=1).max(axis=1)
        self.known = [np.array(pairs) for pairs in zip(*(c.known for c in cells), strict=True)]
        self.lines: list[_Lines] = []
        for level, known in enumerate(self.known, 1):
            open_ = (known[:, 0] < 0) & (known[:, 1] > 0)
            if level == own.level - 1:
                for row, some in enumerate(last):
                    if some is not None:
                        chosen = np.zeros(open_.shape[1], dtype=bool)
                        chosen[list(some)] = True
                        open_[row] &= chosen
            boxes, neurons = open_.nonzero()
            found = self._forms(level, boxes, neurons)
            under, over = found[1::2], found[::2]
            if len(boxes):
                known[boxes, 0, neurons] = np.maximum(known[boxes, 0, neurons], -under.max(axis=1))
                known[boxes, 1, neurons] = np.minimum(known[boxes, 1, neurons], over.max(axis=1))
            self.lines.append(self._lines(known, boxes, neurons, under, over))

    def _lines(self, known: Array, boxes: Array, neurons: Array, under: Array, over: Array) -> _Lines:
        low, high = known[:, 0], known[:, 1]
        self.good &= (abs(known) < LARGE).all(axis=(1, 2))
        unknown, active = (low < 0) & (high > 0), low >= 0
        above = np.where(unknown, (high << UNIT) // np.where(unknown, high - low, 1), 0)
        below = np.where(active, ONE, np.where(unknown, np.clip(4 * above - 2 * ONE, 0, ONE), 0))
        rest = ONE - above
        height = np.where(unknown, -(-rest * high >> UNIT), 0)
        plain, tall = height.copy(), height.copy()
        heights = np.zeros((*unknown.shape, 2 * self.corners.shape[2]))
        if len(boxes):
            self.good[boxes[(abs(under) >= LARGE).any(axis=1) | (abs(over) >= LARGE).any(axis=1)]] = False
            slope = above[boxes, neurons, None]
            there = (np.maximum(slope * under, (ONE - slope) * over) >> UNIT) + 1
            use = unknown[boxes, neurons] & (there.sum(axis=1) < there.shape[1] * height[boxes, neurons])
            boxes, neurons, there = boxes[use], neurons[use], there[use]
            heights[boxes, neurons] = _halves(there, axis=1)
            plain[boxes, neurons] = 0
            tall[boxes, neurons] = abs(there).max(axis=1)
        above[active] = ONE
        sizes, cost = abs(heights).sum(axis=1).max(axis=1), np.where(unknown, high, 0).sum(axis=1)
        return _Lines(unknown, active | unknown, above, below, height, plain, heights, sizes, cost, tall.sum(axis=1))

    def _fits(self, level: int) -> Array:
        """On which boxes does the checker find the numbers of a derivation small enough?"""
        size, reaches, gains = self.own.fields[level]
        largest = np.full(len(self.good), float(sum(gains)) + float(ONE))
        for lines, reach in zip(reversed(self.lines), reaches, strict=False):
            largest += float(reach) * lines.tall + lines.cost
        largest += float(reaches[-1]) * self.high.sum(axis=1)
        return largest < 0.99 * min(2.0 ** (8 * size - 1), 2.0 ** (UNIT + 62))

    def _back(self, at: int, boxes: Array, p: Array, lack: Array, high: Array, low: Array) -> Array:
        """Coefficients on the pre-activations of a layer turned into those on the variables before."""
        own, width = self.own, self.own.weights[at].shape[0]
        self._keep(boxes, p, own.limits[at])
        product = p.astype(float) @ own.halves[at]
        self.good[boxes[abs(product[:, :width]).max(axis=1) >= WIDE]] = False
        upper, lower = product[:, :width].astype(np.int64), product[:, width:].astype(np.int64)
        lower += lack[:, None]
        bias = upper[:, -1]
        high += bias >> CUT
        low += ((bias & ((1 << CUT) - 1)) << UNIT - CUT) + lower[:, -1]
        upper <<= CUT
        upper += lower
        upper += ONE - 1
        upper >>= UNIT
        return upper[:, :-1]

    def _keep(self, boxes: Array, numbers: Array, limit: float) -> None:
        """Are the numbers of these rows small enough?"""
        if numbers.size and (numbers.max() > limit or numbers.min() < -limit):
            self.good[boxes[(abs(numbers) > limit).any(axis=1)]] = False

    def _forms(self, level: int, boxes: Array, neurons: Array) -> Array:
        """Upper bounds of z and, in the row after it, of -z at each corner, in units: see ``Coarse.forms``."""
        own = self.own
        self.good &= self._fits(level)
        if not len(boxes):
            return np.zeros((0, self.corners.shape[2]), dtype=np.int64)
        first = own.weights[level][:, neurons].T
        both = np.stack([first, 1 - first], axis=1).reshape(2 * len(boxes), -1)
        q, high, low, of = both[:, :-1], both[:, -1].copy(), np.zeros(2 * len(boxes), dtype=np.int64), boxes.repeat(2)
        raised: list[Array] = []
        for at in range(level - 1, 0, -1):
            lines = self.lines[at - 1]
            c = q * lines.alive[of]
            self._keep(of, c, LARGE)
            positive = np.maximum(c, 0)
            lack = positive.sum(axis=1) - c.sum(axis=1)
            raised.append(positive)
            plain = lines.plain[of]
            if plain.any():
                _add(positive, plain, high, low)
            c *= np.where(c > 0, lines.above[of], lines.below[of])
            c >>= UNIT
            q = self._back(at, of, c, lack, high, low)
            low += lines.cost[of]
        starts = np.searchsorted(of, np.arange(len(self.good) + 1))
        value = self._at_corners(np.arange(len(self.good)), starts, q, high, low, raised)
        return (value + (ONE - 1)) >> UNIT

    def _at_corners(
        self, boxes: Array, starts: Array, slope: Array, high: Array, low: Array, raised: list[Array]
    ) -> Array:
        """Affine functions of the inputs plus weighted heights, at the corners: of box k rows ``starts[k:k + 2]``."""
        count, owners = self.corners.shape[2], boxes.repeat(np.diff(starts))
        found, size = np.zeros((len(slope), 2 * count)), np.zeros(len(slope))
        tables = [(lines.heights, lines.sizes) for lines in reversed(self.lines[: len(raised)])]
        for numbers, (table, sizes) in zip([*raised, slope], [*tables, self.corner_halves], strict=True):
            size += abs(numbers).max(axis=1) * sizes[owners]
            numbers = numbers.astype(float)
            for b, first, last in zip(boxes.tolist(), starts.tolist(), starts[1:].tolist(), strict=False):
                if first < last:
                    found[first:last] += numbers[first:last] @ table[b]
        self.good[owners[size >= EXACT]] = False
        upper, lower = found[:, :count], found[:, count:]
        self.good[owners[(abs(upper).max(axis=1) >= WIDE) | (abs(high) >= 1 << 33)]] = False
        value = (upper.astype(np.int64) << CUT) + lower.astype(np.int64)
        value += ((high << UNIT) + low)[:, None]
        return value

    def bounds(self, neuron: int, slopes: Mapping[int, Sequence[str]], sign: int = 1) -> list[int]:
        """Upper bounds of ``sign * z`` on some of the boxes, with these slopes, in 2^-56: ``Region.coarse_bound``."""
        own, rows, texts = self.own, np.array(list(slopes), dtype=int), list(slopes.values())
        if not texts:
            return []
        first = own.weights[own.level][:, neuron]
        first = first if sign > 0 else 1 - first
        q, high = np.tile(first[:-1], (len(rows), 1)), np.full(len(rows), first[-1])
        low, replaced = np.zeros_like(high), (np.zeros_like(high), np.zeros_like(high))
        raised: list[Array] = []
        for at in range(own.level - 1, 0, -1):
            lines = self.lines[at - 1]
            unknown, below = lines.unknown[rows], lines.below[rows]
            for k, said in enumerate(texts):
                if at <= len(said) and said[at - 1]:
                    below[k] = np.where(unknown[k], _slopes(said[at - 1]), below[k])
            c = q * lines.alive[rows]
            self._keep(rows, c, LARGE)
            positive = np.maximum(c, 0)
            raised.append(positive)
            _add(positive, lines.height[rows], high, low)
            _add(positive, (lines.height - lines.plain)[rows], *replaced)
            p = c * np.where(c > 0, lines.above[rows], below) >> UNIT
            q = self._back(at, rows, p, -np.minimum(p, 0).sum(axis=1), high, low)
            low += lines.cost[rows]
        sides = np.where(q > 0, self.high[rows], self.low[rows])
        top, rest = high.copy(), low.copy()
        _add(q, sides, top, rest)
        self.good[rows[abs(top) >= 1 << 33]] = False
        bound = (top << UNIT) + rest
        high -= replaced[0]
        low -= replaced[1]
        at_corners = self._at_corners(rows, np.arange(len(rows) + 1), q, high, low, raised).max(axis=1)
        return np.where(bound >= 0, np.minimum(bound, at_corners), bound).tolist()

    def cell(self, row: int) -> Cell:
        """One of the boxes."""
        return Cell(self.low[row], self.high[row], tuple(known[row] for known in self.known))


class Quick(checker.Points):
    """Proves claims as the checker does, but the boxes of large proofs many at once."""

    def __init__(self, table: list[Any], model: checker.Model, domain: checker.Domain) -> None:
        super().__init__(table, model, domain)  # type: ignore[no-untyped-call]
        self._arithmetics: dict[int, Arithmetic | None] = {}

    def arithmetic(self, level: int) -> Arithmetic | None:
        """For bounds of a layer on many boxes at once, if that is possible."""
        if level not in self._arithmetics:
            self._arithmetics[level] = None if self.root is None else Arithmetic.on(self.root, level)
        return self._arithmetics[level]

    def bound(self, proof: Any, level: int, neuron: int, tick: Callable[[], None] | None = None, sign: int = 1) -> Any:
        """What a proof gives: see ``walk`` in ``checker``, which does what is not for batches."""
        large = isinstance(proof, list) and len(proof) > FEW
        own, places = (self.arithmetic(level), _places(proof)) if large else (None, None)
        if own is None or places is None:
            return super().bound(proof, level, neuron, tick, sign)  # type: ignore[no-untyped-call]
        widths, inputs = [len(layer.rows) for layer in self.model.layers], self.model.inputs

        def read(name: int) -> Step | None:
            step = Step.read(proof[places[name][0]], level, widths, inputs)
            # the whole domain has been derived: is that said?
            return step if name > 1 or (step and step.derives and step.last is None) else None

        worst: Any = checker.EMPTY
        unit = Fraction(2) ** (own.coarse.exponents(level)[neuron] - 2 * UNIT)
        halves: dict[int, Any] = {}
        for name, found in own.spread(neuron, {1: own.whole}, read, tick or (lambda: None), sign):
            if found is None:
                first, last = places[name]
                here = region(name, self.root, lambda k: proof[places[k][0]], level, neuron, halves)
                bound = checker.walk(proof[first:last], self.model, self.domain, level, neuron, here, tick, sign)
            else:
                bound = found * unit
            if bound is None:
                return None
            if worst == checker.EMPTY or (bound != checker.EMPTY and bound > worst):
                worst = bound
        return worst


def region(
    name: int, root: checker.Region, said: Callable[[int], Any], level: int, neuron: int, halves: dict[int, Any]
) -> checker.Region:
    """The region of a node of a tree, with all that was derived on the way to it.

    ``said``: what a node says; ``halves``: the regions on both sides of the splits that have been made.
    """
    way = [name >> k for k in range(1, name.bit_length())]  # from the parent up
    known = next((k for k, parent in enumerate(way) if parent in halves), len(way))
    for parent in reversed(way[:known]):
        above = halves[parent >> 1][parent & 1] if parent > 1 else root
        halves[parent], _ = checker.examine(said(parent), above.copy(), level, neuron)
    return (halves[name >> 1][name & 1] if name > 1 else root).copy()


def _places(proof: list[Any]) -> dict[int, tuple[int, int]] | None:
    """The subtree of each node, by name, as a part of the list; None if the list is no tree."""
    ends, stack = [], list[int]()
    for k in range(len(proof) - 1, -1, -1):
        node, end = proof[k], k + 1
        if not isinstance(node, dict):
            return None
        if "split" in node:
            if len(stack) < 2:
                return None
            stack.pop()
            end = stack.pop()
        stack.append(end)
        ends.append(end)
    if len(stack) != 1:
        return None
    places, names = dict[int, tuple[int, int]](), [1]
    for k, node in enumerate(proof):
        name = names.pop()
        places[name] = k, ends[-1 - k]
        if "split" in node:
            names += [2 * name + 1, 2 * name]
    return places


def derived(level: int, coarse: bool, last: Sequence[int] | None = None) -> dict[str, Any]:
    """Bounds of all layers before, or only of some neurons of the last of them."""
    layers: list[Any] = [[at] if coarse else [at, "exact"] for at in range(1, level)]
    if last is not None:
        layers[-1:] = [[level - 1, list(last)]] if last else []
    return {"derive": layers} if layers else {}


def derivation(node: dict[str, Any], level: int) -> tuple[bool | None, tuple[int, ...] | None]:
    """What a node derives, as in :class:`Split`; ValueError if that is something else."""
    said = {key: value for key, value in node.items() if key == "derive"}
    some = [item[1] for item in said.get("derive", ()) if len(item) == 2 and isinstance(item[1], list)]
    last = tuple(int(operator.index(i)) for i in (some[0] if some else ()))
    for derives, of in ((True, last), (True, None), (None, None), (False, None)):
        if repr(said) == repr({} if derives is None else derived(level, derives, of)):  # True == 1
            return derives, of
    raise ValueError("no such derivation")


def _readable(texts: Any, widths: Sequence[int]) -> bool:
    """Are these the slopes of a coarse leaf, for layers of these widths?"""
    return (
        isinstance(texts, list)
        and len(texts) <= len(widths)
        and all(isinstance(text, str) and len(text) in (0, width) for text, width in zip(texts, widths, strict=False))
        and set().union(*texts) <= checker.SIXTEENTHS.keys()
    )


def _bounded(numbers: Sequence[Any], limit: int) -> Array:
    found = np.array(numbers, dtype=object)
    if any(abs(v) >= limit for v in found.flat):
        raise OverflowError("too large for batches")
    return found.astype(np.int64)


def _halves(numbers: Array, axis: int) -> Array:
    """Integers as ``upper 2^CUT + lower``, side by side along an axis, in floats."""
    upper = numbers >> CUT
    return np.concatenate([upper, numbers - (upper << CUT)], axis=axis).astype(float)


def _slopes(text: str) -> Array:
    """Slopes that are said in sixteenths."""
    return np.array([checker.SIXTEENTHS[c] for c in text])


def _add(left: Array, right: Array, high: Array, low: Array) -> None:
    """Add the products of rows to ``high 2^28 + low``; both sides below LARGE."""
    upper = right >> CUT
    more = np.einsum("rk,rk->r", left, upper)
    high += more >> CUT
    low += ((more & (1 << CUT) - 1) << UNIT - CUT) + np.einsum("rk,rk->r", left, right - (upper << CUT))
