"""Dead neurons by contradiction: a neuron is assumed to be positive, and bounds of all earlier neurons are tightened
with that until there is no point left.

On the part of the box where z >= 0, any bound of an earlier neuron y may add a multiple of z: y <= max (y + m z),
m >= 0, by lines back to the box. Tighter bounds of earlier neurons give tighter lines, these a better bound of z, and
so on round by round, until z < 0 is derived or some y has no value left. (To add what is known of outputs to bounds of
earlier neurons: Kotha et al., Provably bounding neural network preimages, 2023. Here it decides, mostly without any
split, neurons of wide layers whose largest value is far below what linear bounds say.)

1. ``_Search.explored``: rounds over the earlier layers, in floats; all neurons of a layer at once, each with a
   multiplier and slopes of its own, by gradient steps. (Of the lines from the neuron down to the layer in work the
   slopes are the default ones: a derivation cannot say others.)
2. ``_Search.due``: going back from the contradiction, which of these bounds it rests on.
3. `sure`: the judge's bounds one after the other, as whole numbers (:mod:`geomrelu.deadness.unit_bounds`). Only that
   counts; where it does not end in a contradiction, more of the bounds are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from geomrelu.deadness.relaxation import FIRST, LAST
from geomrelu.deadness.unit_bounds import Assumed, Derivation, Judge, Lines, UnitBounds

__all__ = ["GAIN", "ROUNDS", "STALLED", "Bounds", "Refutation", "plain", "refuted", "short", "sure"]

Array = np.ndarray
Bounds = list[tuple[Array, Array]]  # of each layer, in units
ROUNDS = 10
STALLED = 0.985  # a round that leaves more than this part of the bound is one of the last
CELLS = 1 << 18  # coefficients that are held at once
ATTEMPTS = 2  # where the judge's bounds turn out not to be enough, others are added
MOST = 1500  # derivations of one contradiction: each takes the judge a hundredth of a second in layers of 256
GAIN = 0.03  # a bound is worth having if it takes this part off the range
SHARES = (0.04, 0.02, 0.01, 0.005, 0.0025, 1e-3)  # of the contradiction; bounds to which less is due are left out


class Descent(NamedTuple):
    """How many steps, how fast slopes move in the first of them, and by what factor slower in the last."""

    steps: int
    first: float
    last: float


# where something is assumed, bounds are sought again and again; where not, once
ONE_OF_MANY, ONCE = Descent(10, FIRST, LAST), Descent(20, 6.0, 0.02)


class Compact(NamedTuple):
    """A layer in the search, single precision: lines, and weights (neurons, neurons of the layer before)."""

    lines: Lines
    above: Array
    below: Array
    height: Array
    unknown: Array
    weights: Array
    bias: Array


class Batch(NamedTuple):
    """Bounds of neurons of a layer that were sought together.

    Attributes:
        level: of them; neurons, signs, bounds (rows,); multipliers (rows,); slopes: of layers before, (rows, neurons).
        state, low, high: lines and bounds of all layers when they were sought.
        origins: where these come from: per layer (side, (batch, row), width), the upper side first; -1: known before.
    """

    level: int
    neurons: Array
    signs: Array
    bounds: Array
    multipliers: Array
    slopes: list[Array]
    state: list[Compact]
    low: list[Array]
    high: list[Array]
    origins: list[Array]


class Refutation(NamedTuple):
    """A contradiction: what is derived, one after the other, and then, if that is not enough, a split by the sign of a
    neuron (layer, neuron) and a contradiction on either side, <= 0 and >= 0."""

    items: list[Derivation]
    split: tuple[int, int] | None = None
    sides: tuple[Refutation, ...] = ()

    def nodes(self, number: int) -> list[Any]:
        """As a certificate says it; ``number``: of the assumption among the splits."""
        derive: Any = {"derive": [item.said(number) for item in self.items]} if self.items else {}
        if self.split is None:
            return [derive]
        return [
            {"split": ["neuron", *self.split], **derive},
            *(node for side in self.sides for node in side.nodes(number)),
        ]

    @property
    def size(self) -> int:
        """How many derivations."""
        return len(self.items) + sum(side.size for side in self.sides)


def refuted(
    units: UnitBounds, bounds: Bounds, given: Assumed, tick: Callable[[], None], depth: int = 0
) -> Refutation | None:
    """What shows that there is no point where an assumption holds; None: nothing was found.

    Args:
        bounds: of all layers before. tick: called now and then; it may raise. depth: of splits.
    """
    before: list[Derivation] = []
    for _ in range(ATTEMPTS):
        search = _Search(units, bounds, given, tick)
        found = search.explored(depth)
        if found is None:
            return None
        due = search.due(found)
        for share in SHARES:
            tick()
            taken = search.taken(found, due, share)
            if len(before) + taken.size > MOST:
                return None
            if sure(units, bounds, given, taken):
                return taken._replace(items=before + taken.items)
        # what the judge derives is a little different, for it takes one bound after the other: go on from there
        before += taken.items
        bounds = after(units, bounds, given, taken.items) or bounds
    return None


def plain(
    units: UnitBounds,
    bounds: Bounds,
    level: int,
    neurons: Sequence[int],
    signs: Sequence[int],
    tick: Callable[[], None],
) -> list[Derivation]:
    """Bounds of ``sign * z`` of some neurons of a layer with slopes of their own, with nothing assumed."""
    search = _Search(units, bounds, Assumed(level, 0), tick)
    step = max(1, CELLS // search.units.weights[0].shape[1])
    found = []
    for k in range(0, len(neurons), step):
        tick()
        rows = np.asarray(neurons[k : k + step], dtype=int), np.asarray(signs[k : k + step], dtype=float)
        search.batches.append(search._sought(level, *rows, None, ONCE))
        found += [search._item(len(search.batches) - 1, row) for row in range(len(rows[0]))]
    return found


def after(units: UnitBounds, bounds: Bounds, given: Assumed, items: Sequence[Derivation]) -> Bounds | None:
    """The judge's own bounds after these derivations, one after the other; None: they contradict one another."""
    judge = Judge(units, bounds[: given.level - 1], given)
    for item in items:
        bound = judge.derived(item)
        if bound is None:
            continue
        if item.level == given.level:
            if bound < 0:
                return None
        elif not judge.keep(item.level, item.neuron, item.sign, bound):
            return None
    return judge.state


def sure(units: UnitBounds, bounds: Bounds, given: Assumed, claimed: Refutation) -> bool:
    """Is it a contradiction by the judge's own bounds?"""
    state = after(units, bounds, given, claimed.items)
    if state is None or claimed.split is None:
        return state is None
    level, i = claimed.split
    for sign, side in zip((-1, 1), claimed.sides, strict=True):
        low, high = (part.copy() for part in state[level - 1])
        if sign < 0:
            high[i] = min(high[i], 0)
        else:
            low[i] = max(low[i], 0)
        if low[i] <= high[i] and not sure(units, [*state[: level - 1], (low, high), *state[level:]], given, side):
            return False
    return True


class _Found(NamedTuple):
    """A contradiction in the search.

    Attributes:
        first, end: its batches. last: the bounds that contradict one another, as batch and row.
    """

    first: int
    end: int
    last: list[tuple[int, int]]
    split: tuple[int, int] | None = None
    sides: tuple[_Found, ...] = ()


@dataclass
class _Search:
    units: UnitBounds
    bounds: Bounds
    given: Assumed
    tick: Callable[[], None]
    batches: list[Batch] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.level = self.given.level
        own = list(zip(self.bounds[: self.level - 1], self.units.units, strict=False))
        self.low = [low * unit for (low, _), unit in own]
        self.high = [high * unit for (_, high), unit in own]
        self.before = [(low.copy(), high.copy()) for low, high in zip(self.low, self.high, strict=True)]
        self.origins = [np.full((2, 2, len(low)), -1) for low in self.low]
        self.compact: list[Compact] = []
        for at in range(1, self.level):
            self.compact.append(self._compacted(at))
        self.last: list[tuple[int, int]] = []  # the bounds that contradict: batch and row

    def _compacted(self, at: int) -> Compact:
        low, high, unit = self.low[at - 1], self.high[at - 1], self.units.units[at - 1]
        lines = self.units.lines(at, np.floor(low / unit).astype(np.int64), np.ceil(high / unit).astype(np.int64))
        weights = self.units.weights[at - 1][lines.neurons]
        if at > 1:
            weights = weights[:, self.compact[at - 2].lines.neurons]
        single = [np.ascontiguousarray(a, dtype=np.float32) for a in (lines.above, lines.below, lines.height)]
        above, below, height = single
        bias = self.units.biases[at - 1][lines.neurons].astype(np.float32)
        return Compact(lines, above, below, height, lines.unknown, weights.astype(np.float32), bias)

    # ---- rounds ----------------------------------------------------------------------------------------------------

    def explored(self, depth: int) -> _Found | None:
        """A contradiction, with at most so many splits below one another."""
        first = len(self.batches)
        if self._run():
            return _Found(first, len(self.batches), self.last)
        if not depth:
            return None
        split, end, sides = self._loosest(), len(self.batches), []
        if split is None:
            return None
        for sign in (-1, 1):
            kept = list(self.low), list(self.high), list(self.compact), list(self.origins)
            self._assume(*split, sign)
            side = self.explored(depth - 1)
            self.low, self.high, self.compact, self.origins = kept
            if side is None:
                return None
            sides.append(side)
        return _Found(first, end, [], split, tuple(sides))

    def _assume(self, at: int, i: int, sign: int) -> None:
        side = self.high if sign < 0 else self.low
        side[at - 1] = side[at - 1].copy()
        side[at - 1][i] = 0
        origin = self.origins[at - 1] = self.origins[at - 1].copy()
        origin[0 if sign < 0 else 1, :, i] = -1
        self._anew(at)

    def _anew(self, at: int) -> None:
        self.compact[at - 1] = self._compacted(at)
        if at < self.level - 1:  # fewer columns
            self.compact[at] = self._compacted(at + 1)

    def _loosest(self) -> tuple[int, int] | None:
        """The neuron whose lines loosen the bound of the one that is assumed most, where it is attained."""
        batch = self._sought(self.level, np.array([self.given.neuron]), np.array([self.given.sign]), None)
        best, found = 0.0, None
        for at, (c, y, below) in enumerate(self._at_worst(batch, np.array([0])), 1):
            low, high = self.low[at - 1], self.high[at - 1]
            gap = (_value(c, y, low, high, below) - c * np.maximum(y, 0))[0] * ((low < 0) & (high > 0))
            i = int(np.argmax(gap))
            if gap[i] > best:
                best, found = float(gap[i]), (at, i)
        return found

    def _run(self) -> bool:
        """Rounds over the earlier layers. Is there a contradiction?"""
        reached = np.inf
        for _ in range(ROUNDS):
            self.tick()
            rows = np.array([self.given.neuron]), np.array([self.given.sign])
            batch = self._sought(self.level, *rows, None)
            bound = float(batch.bounds[0])
            if bound < -2 * self.units.units[self.level - 1][self.given.neuron]:
                self.last = [(len(self.batches), 0)]
                self.batches.append(batch)
                return True
            if bound > STALLED * reached:
                return False
            reached = bound
            above = self._from_above()
            for at in range(1, self.level):
                self.tick()
                if self._tightened(at, above[at]):
                    return True
        return False

    def _from_above(self) -> dict[int, tuple[Array, float]]:
        """The assumed neuron as a form over the outputs before each layer, by default lines down to it."""
        _, neuron, sign = self.given
        c = sign * self.units.weights[self.level - 1][neuron]
        c = (c if self.level == 1 else c[self.compact[-1].lines.neurons]).astype(np.float32)
        constant, found = sign * float(self.units.biases[self.level - 1][neuron]), {}
        for at in range(self.level - 1, 0, -1):
            own = self.compact[at - 1]
            constant += float(np.maximum(c, 0) @ own.height)
            q = c * np.where(c > 0, own.above, own.below)
            constant += float(q @ own.bias)
            c = q @ own.weights
            full = c if at == 1 else np.zeros(len(self.low[at - 2]), dtype=np.float32)
            if at > 1:
                full[self.compact[at - 2].lines.neurons] = c
            found[at] = full, constant
        return found

    def _tightened(self, at: int, above: tuple[Array, float]) -> bool:
        """Bound all neurons of a layer whose sign is not known. Is there a contradiction?"""
        own = self.compact[at - 1]
        neurons = own.lines.neurons[own.unknown]
        if not len(neurons):
            return False
        both, signs = np.concatenate([neurons, neurons]), np.repeat([1.0, -1.0], len(neurons))
        batch = self._sought(at, both, signs, above)
        number = len(self.batches)
        self.batches.append(batch)
        low, high = self.low[at - 1].copy(), self.high[at - 1].copy()
        self.low[at - 1], self.high[at - 1] = low, high
        self.origins = list(self.origins)
        origin = self.origins[at - 1] = self.origins[at - 1].copy()
        size = np.concatenate([high[neurons] - low[neurons]] * 2)
        old = np.where(signs > 0, high[both], -low[both])
        for row in np.flatnonzero(batch.bounds < old - GAIN * size).tolist():
            i = both[row]
            if signs[row] > 0:
                high[i], origin[0, :, i] = batch.bounds[row], (number, row)
            else:
                low[i], origin[1, :, i] = -batch.bounds[row], (number, row)
        gap = (low - high)[neurons]
        worst = int(np.argmax(gap))
        i = neurons[worst]
        if gap[worst] > 4 * self.units.units[at - 1][i]:
            self.last = [(int(b), int(r)) for b, r in origin[:, :, i] if b >= 0]
            return True
        self._anew(at)
        return False

    def _sought(
        self,
        level: int,
        neurons: Array,
        signs: Array,
        above: tuple[Array, float] | None,
        descent: Descent = ONE_OF_MANY,
    ) -> Batch:
        """The best bounds of these neurons that are found."""
        units = self.units
        own = units.weights[level - 1][neurons]
        if level > 1:
            there = self.compact[level - 2].lines.neurons
            own, above = own[:, there], None if above is None else (above[0][there], above[1])
        rows, bias = (signs[:, None] * own).astype(np.float32), signs * units.biases[level - 1][neurons]
        before = self.compact[: level - 1]
        slopes = [np.repeat(layer.below[None, :], len(neurons), axis=0) for layer in before]
        speed = [np.zeros_like(s) for s in slopes]
        factor, pace, was = self._factors(rows, above), np.full(len(neurons), 0.7), np.zeros(len(neurons))
        best, kept, kept_factor = np.full(len(neurons), np.inf), [s.copy() for s in slopes], factor.copy()
        steps = descent.steps if before or above is not None else 0
        middle, radius = units.middle, units.radius
        inner = np.empty((len(neurons), len(middle)), dtype=np.float32)
        corner = np.empty_like(inner)  # measured from the middle
        for step in range(steps + 1):
            c, bound = rows, bias
            if above is not None:
                c, bound = rows + factor.astype(np.float32)[:, None] * above[0], bias + factor * above[1]
            used = []
            for layer, under in zip(before[::-1], slopes[::-1], strict=True):
                used.append(c)
                bound = bound + np.maximum(c, 0) @ layer.height
                c = c * np.where(c > 0, layer.above, under)
                bound = bound + c @ layer.bias
                c = np.matmul(c, layer.weights, out=inner if layer is before[0] else None)
            np.copysign(radius, c, out=corner)
            bound = bound + np.einsum("ij,ij->i", corner, c) + c @ middle
            better = bound < best
            best = np.where(better, bound, best)
            kept_factor = np.where(better, factor, kept_factor)
            for old, new in zip(kept, slopes, strict=True):
                np.copyto(old, new, where=better[:, None])
            if step == steps:
                break
            v = corner
            for k, (layer, c) in enumerate(zip(before, used[::-1], strict=True)):
                y = v @ layer.weights.T
                y += layer.bias if k else layer.bias + layer.weights @ middle
                negative = np.minimum(c, 0)
                v = np.where(negative < 0, slopes[k] * y, layer.above * y + layer.height)
                pull = negative * y * layer.unknown
                pull /= abs(pull).max(axis=1, initial=0, keepdims=True) + 1e-30
                speed[k] = 0.7 * speed[k] + pull
                moved = np.clip(slopes[k] - np.float32(descent.first * descent.last ** (step / steps)) * speed[k], 0, 1)
                slopes[k] = np.where(layer.unknown, moved, slopes[k])
            if above is not None:
                way = np.sign(v @ above[0] + above[1] + (0 if before else float(above[0] @ middle)))
                pace = np.where(way * was < 0, 0.5 * pace, np.minimum(1.1 * pace, 1.5))
                factor, was = factor * np.exp(-way * pace), way
        state = list(self.compact), list(self.low), list(self.high), self.origins
        return Batch(level, neurons, signs, best, short(kept_factor), kept, *state)

    def _factors(self, rows: Array, above: tuple[Array, float] | None) -> Array:
        """Multipliers to begin with: what is added is about as large."""
        if above is None:
            return np.zeros(len(rows))
        sizes = abs(rows).sum(axis=1) / (abs(above[0]).sum() + 1e-30)
        return 0.3 * sizes.astype(float)

    # ---- which bounds matter ---------------------------------------------------------------------------------------

    def due(self, found: _Found) -> dict[tuple[int, int], float]:
        """What part of the contradiction is due to which bound: to those that a bound rests on, in proportion to what
        it would lose without them. Small parts are left out."""
        parts: dict[tuple[int, int], float] = {}
        for side in found.sides:
            for key, share in self.due(side).items():
                parts[key] = parts.get(key, 0.0) + share
        parts |= dict.fromkeys(found.last, 1.0)
        for number in range(found.end - 1, found.first - 1, -1):
            self.tick()
            rows = [row for other, row in parts if other == number]
            if rows:
                self._divide(number, rows, parts)
        return parts

    def taken(self, found: _Found, due: dict[tuple[int, int], float], share: float) -> Refutation:
        """Only those bounds to which at least that share is due."""
        keys = sorted(key for key in due if found.first <= key[0] < found.end and due[key] >= share)
        sides = tuple(self.taken(side, due, share) for side in found.sides)
        return Refutation([self._item(*key) for key in keys], found.split, sides)

    def _item(self, number: int, row: int) -> Derivation:
        batch, widths = self.batches[number], [len(bias) for bias in self.units.biases]
        slopes = []
        for layer, rows, width in zip(batch.state, batch.slopes, widths, strict=False):
            text = np.zeros(width, dtype=np.int8)
            text[layer.lines.neurons] = np.rint(16 * rows[row])
            slopes.append(text)
        return Derivation(
            batch.level, int(batch.neurons[row]), int(batch.signs[row]), float(batch.multipliers[row]), tuple(slopes)
        )

    def _divide(self, number: int, rows: list[int], parts: dict[tuple[int, int], float]) -> None:
        """Of which earlier bounds these bounds of a batch make use, and how much of them is due to each."""
        batch = self.batches[number]
        weights = np.array([parts[number, row] for row in rows])
        losses = []
        for at, (c, y, below) in enumerate(self._at_worst(batch, np.array(rows))):
            new = _value(c, y, batch.low[at], batch.high[at], below)
            losses.append(np.maximum(_value(c, y, *self.before[at], below) - new, 0))
        whole = np.sum([own.sum(axis=1) for own in losses], axis=0) + 1e-300
        for origin, own in zip(batch.origins, losses, strict=False):
            share = (weights / whole) @ own
            for i in np.flatnonzero(share >= SHARES[-1]).tolist():
                for side in origin[:, :, i].tolist():
                    if side[0] >= 0:
                        key = side[0], side[1]
                        parts[key] = parts.get(key, 0.0) + float(share[i])

    def _at_worst(self, batch: Batch, rows: Array) -> Iterator[tuple[Array, Array, Array]]:
        """Layer by layer where bounds are attained, arrays (rows, width): the coefficients on outputs, pre-activations,
        and slopes below."""
        units, (_, neuron, sign), m = self.units, self.given, batch.multipliers[rows][:, None]
        own = units.weights[batch.level - 1][batch.neurons[rows]] * batch.signs[rows][:, None]
        top = self.level if batch.level < self.level and m.any() else batch.level
        c = own if top == batch.level else m * sign * units.weights[top - 1][neuron]
        forms: list[tuple[Array, Array]] = []
        for at in range(top - 1, 0, -1):
            here = batch.state[at - 1].lines
            below = here.below[None, :]
            if at < batch.level:
                below = np.where(here.unknown, np.rint(16 * batch.slopes[at - 1][rows]) / 16, below)
            full, part = np.zeros(c.shape), c[:, here.neurons]
            full[:, here.neurons] = below
            forms.append((c, full))
            c = (part * np.where(part > 0, here.above, below)) @ units.weights[at - 1][here.neurons]
            if at == batch.level:
                c = c + own
        v = np.where(c > 0, units.upper, units.lower)
        for at, (c, below) in enumerate(reversed(forms), 1):
            y = v @ units.weights[at - 1].T + units.biases[at - 1]
            yield c, y, below
            value = _value(c, y, batch.low[at - 1], batch.high[at - 1], below)
            v = np.divide(value, c, out=np.zeros(c.shape), where=c != 0)


def _value(c: Array, y: Array, low: Array, high: Array, below: Array) -> Array:
    """What outputs with coefficients c add to a bound where pre-activations are y."""
    unknown = (low < 0) & (high > 0)
    above = np.where(unknown, high / np.where(unknown, high - low, 1), (high > 0) * 1.0)
    chord = above * y - np.where(unknown, low * above, 0)
    return np.where(c > 0, c * chord, c * np.where(unknown, below, above) * y)


def short(factors: Array) -> Array:
    """Numbers nearby with few binary digits."""
    grid = np.exp2(np.floor(np.log2(np.maximum(factors, 1e-30))) - 7)
    return np.where(factors > 1e-20, np.round(factors / grid) * grid, 0.0)
