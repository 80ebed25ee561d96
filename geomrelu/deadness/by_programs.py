"""Dead neurons by contradiction where layers do not fit fixed point, and only few earlier neurons have an open sign.

A neuron is assumed to be positive, and bounds of the earlier neurons are tightened with that, round by round, until
there is no point left (see :mod:`geomrelu.deadness.refutation`). In convolutional networks of thousands of neurons it
is often a hundred whose sign is open; over these and the inputs (:mod:`geomrelu.deadness.earlier_neurons`) each bound
is a small linear program in floats. Its multipliers are the slopes and the multiplier of a derivation, and only what
the judge derives from those counts, in exact arithmetic. (Bounds by linear programs in which an objective is given:
optimality-based bound tightening, as in Gleixner et al., Three enhancements for optimization-based bound tightening,
2017.)

Where rounds no longer help, the box is split by the sign of the neuron that loosens the bound most.

Cost: a linear program and an exact derivation for every bound that is worth it, some hundreds for a neuron.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from geomrelu.budget import Budget, Exhausted
from geomrelu.certificates.region import EMPTY, Region
from geomrelu.deadness.branch_and_bound import halves
from geomrelu.deadness.by_contradiction import Chain, dead, packed
from geomrelu.deadness.earlier_neurons import EarlierNeurons
from geomrelu.deadness.refutation import GAIN, ROUNDS, STALLED, Refutation, short
from geomrelu.deadness.unit_bounds import Assumed, Derivation
from geomrelu.deadness.verdict import Verdict
from geomrelu.deadness.workers import Bench
from geomrelu.parallel import WorkersDied, ahead, shared

__all__ = ["ByPrograms", "refuted"]

Array = np.ndarray
DEPTH = 3  # of splits in a contradiction
MOST = 400  # neurons of open sign: a linear program has two rows for each
ASSUMPTION = 0  # its number among the splits, in the search
NOTHING = 1e-9  # multipliers that are no larger say nothing about a slope


class ByPrograms:
    """The search on one problem."""

    def __init__(self, bench: Bench, executor: Executor | None) -> None:
        self.bench, self.executor, self.chain = bench, executor, Chain()

    @staticmethod
    def fits(bench: Bench, level: int, budget: Budget) -> bool:
        """An exact layer on a bounded box with so many inputs that halving it is hopeless, and few open neurons."""
        floating = bench.floating
        if halves(floating) or level <= max(1, floating.coarse_depth):
            return False
        bounds = floating.whole(level - 1, budget).bounds
        return sum(int(np.sum((low[0] < 0) & (high[0] > 0))) for low, high in bounds) <= MOST

    def verdicts(self, left: Mapping[int, set[int]], budget: Budget) -> Iterator[Verdict]:
        """Verdicts on neurons of layers that fit. Raises Exhausted when the budget ends."""
        given = [Assumed(level, i) for level in sorted(left) for i in sorted(left[level])]
        if not given:
            return
        last, sent = given[-1].level, shared(self.executor, self.bench)
        self.chain.trailing += _derived(last)
        calls = ((sent, one, last, budget.left) for one in given)
        try:
            for one, found in zip(given, ahead(self.executor, _packed, calls), strict=True):
                if found is not None:
                    self.chain.add(one, found)
                    yield dead(self.chain, *one[:2], None)
        except WorkersDied as problem:
            raise Exhausted(str(problem)) from None
        budget.poll()


def _packed(bench: Bench, given: Assumed, last: int, seconds: float | None) -> bytes | None:
    with bench.busy, np.errstate(all="ignore"):
        try:
            found = refuted(bench, given, last, Budget(seconds))
        except (Exhausted, OverflowError):  # numbers beyond the floats
            return None
    return None if found is None else packed(found)


def _derived(last: int) -> list[Any]:
    """What is derived on the whole box: all layers before the last that is asked about, and that one by intervals."""
    return [*([level] for level in range(1, last)), [last, []]]


def refuted(bench: Bench, given: Assumed, last: int, budget: Budget) -> Refutation | None:
    """What shows that a neuron of a layer <= last is nowhere positive; None: nothing was found, or it is too much.

    Raises Exhausted when the budget ends.
    """
    quick, level = bench.shared, given.level
    bounds = bench.floating.whole(level - 1, budget).bounds
    earlier = EarlierNeurons(bench.floating, level, given.neuron, bounds, True)
    if quick.root is None or earlier.open is None:
        return None
    quick.watch(budget.poll)
    root = quick.root.copy()
    root.derive(_derived(last), last + 1)
    exact = [_floats(root, at, some) for at, some in enumerate(earlier.open, 1)]
    region = root.child(("neuron", level, given.neuron), given.sign)
    part = _Part(region, [low for low, _ in exact], [high for _, high in exact])
    return _Search(given, earlier, earlier.open, budget).explored(part, DEPTH)


def _floats(region: Region, level: int, some: Array) -> tuple[Array, Array]:
    """The judge's bounds of some neurons."""
    pairs, d = region.bounds(level)
    low, high = zip(*(pairs[i] for i in some.tolist()), strict=True)
    return (
        np.array([-np.inf if v is None else v / d for v in low]),
        np.array([np.inf if v is None else v / d for v in high]),
    )


@dataclass
class _Part:
    """A part of the box: as the judge has it, and bounds of the open neurons, layer by layer."""

    region: Region
    low: list[Array]
    high: list[Array]

    def copy(self) -> _Part:
        return _Part(self.region.copy(), [v.copy() for v in self.low], [v.copy() for v in self.high])


class _Lines(NamedTuple):
    """The default lines around the outputs of a layer's open neurons."""

    above: Array
    below: Array
    height: Array


class _Best(NamedTuple):
    """What a linear program says of ``sign * z``.

    Attributes:
        multiplier: of what is assumed. slopes: below, of the layers before, in sixteenths.
        loose: by how much the lines around each output loosen the bound, layer by layer.
    """

    bound: float
    multiplier: float
    slopes: list[Array]
    loose: list[Array]


class _Search:
    def __init__(self, given: Assumed, earlier: EarlierNeurons, open_: list[Array], budget: Budget) -> None:
        self.given, self.open, self.budget, self.widths = given, open_, budget, earlier.widths
        self.lower, self.upper = earlier.floating.lower, earlier.floating.upper
        # variables: the inputs, then the outputs of open neurons, layer by layer
        self.start = np.cumsum([0, len(self.lower), *map(len, open_)]).tolist()
        self.rows: list[Array] = []
        for parts, bias in earlier.floating.layers:
            rows = np.zeros((len(bias), self.start[len(self.rows) + 1]))
            for b, matrix in parts.items():
                rows[:, self.start[b] : self.start[b + 1]] = matrix
            self.rows.append(rows)
        self.biases = [bias for _, bias in earlier.floating.layers]

    def explored(self, part: _Part, depth: int) -> Refutation | None:
        """A contradiction, with at most so many splits below one another."""
        part, items = part.copy(), list[Derivation]()
        best = self._run(part, items)
        if part.region.empty:
            return Refutation(items)
        split = _loosest(best) if best is not None and depth else None
        if split is None:
            return None
        at, k = split
        i, sides = int(self.open[at - 1][k]), list[Refutation]()
        for sign in (-1, 1):
            half = _Part(part.region.child(("neuron", at, i), sign), part.low, part.high).copy()
            (half.high if sign < 0 else half.low)[at - 1][k] = 0
            side = self.explored(half, depth - 1)
            if side is None:
                return None
            sides.append(side)
        return Refutation(items, (at, i), tuple(sides))

    def _run(self, part: _Part, items: list[Derivation]) -> _Best | None:
        """Rounds over the earlier layers, until the part is empty; what the last program says of the neuron."""
        (level, neuron, sign), reached, best = self.given, np.inf, None
        for _ in range(ROUNDS):
            best = self._program(part, level, 0, sign, None)
            if best is None or best.bound > max(0, STALLED * reached):
                return best
            reached = best.bound
            if best.bound < 0:
                self._derive(part, level, neuron, sign, best, 0, items)
            for at in range(1, level):
                self._tightened(part, at, items)
            if part.region.empty:
                return best
        return best

    def _tightened(self, part: _Part, at: int, items: list[Derivation]) -> None:
        """Derive what is worth it of the neurons of a layer whose sign is not known."""
        assumed = self._assumed(part, at)
        low, high = part.low[at - 1], part.high[at - 1]
        for k, i in enumerate(self.open[at - 1].tolist()):
            for sign in (1, -1):
                if part.region.empty or not low[k] < 0 < high[k]:
                    break
                worth = float((high[k] if sign > 0 else -low[k]) - GAIN * (high[k] - low[k]))
                best = self._program(part, at, k, sign, assumed)
                if best is None or best.bound >= worth:
                    continue
                bound = self._derive(part, at, i, sign, best, worth, items)
                if bound is not None and sign > 0:
                    high[k] = bound
                elif bound is not None:
                    low[k] = -bound

    def _derive(
        self, part: _Part, level: int, neuron: int, sign: int, best: _Best, worth: float, items: list[Derivation]
    ) -> float | None:
        """What the judge derives from the multipliers of a program; None: a bound that is not < ``worth``."""
        slopes = []
        for some, own, width in zip(self.open, best.slopes, self.widths, strict=False):
            text = np.zeros(width, dtype=np.int8)
            text[some] = own
            slopes.append(text)
        item = Derivation(level, neuron, sign, float(short(np.array(best.multiplier))), tuple(slopes))
        region = part.region.copy()
        region.derive([item.said(ASSUMPTION)], self.given.level + 1)
        exact = region.derived_bound(level, neuron, sign)
        bound = float(exact) if isinstance(exact, Fraction) else -np.inf if exact == EMPTY else np.inf
        if bound >= worth:
            return None
        part.region = region
        items.append(item)
        return bound

    # ---- in floats ---------------------------------------------------------------------------------------------------

    @staticmethod
    def _lines(low: Array, high: Array) -> _Lines:
        """The default ones."""
        unknown = (low < 0) & (high > 0)
        above = np.where(unknown, high / np.where(unknown, high - low, 1), 1.0 * (low >= 0))
        below = np.where(unknown, np.clip(4 * above - 2, 0, 1), above)
        return _Lines(above, below, np.where(unknown, -low * above, 0))

    def _assumed(self, part: _Part, to: int) -> tuple[Array, float]:
        """What is assumed to be >= 0, as a form over the variables before a layer, by the default lines of all from it:
        a derivation cannot say others."""
        level, _, sign = self.given
        c, constant = sign * self.rows[level - 1][0], sign * float(self.biases[level - 1][0])
        for at in range(level - 1, to - 1, -1):
            lines, own = self._lines(part.low[at - 1], part.high[at - 1]), c[self.start[at] :]
            constant += float(np.maximum(own, 0) @ lines.height)
            q = own * np.where(own > 0, lines.above, lines.below)
            constant += float(q @ self.biases[at - 1])
            c = c[: self.start[at]] + q @ self.rows[at - 1]
        return c, constant

    def _program(self, part: _Part, level: int, k: int, sign: int, assumed: tuple[Array, float] | None) -> _Best | None:
        """The largest value of ``sign * z`` of an open neuron over the triangles around the outputs before it; None:
        floats do not find it."""
        start, table, limits = self.start, list[Array](), list[Array]()
        around = [self._lines(part.low[at - 1], part.high[at - 1]) for at in range(1, level)]
        sides = [np.stack([self.lower, self.upper])]
        scales = [np.maximum(abs(self.lower), abs(self.upper))]
        for at, lines in enumerate(around, 1):
            rows = np.zeros((len(lines.above), start[level]))
            output = rows.copy()
            rows[:, : start[at]] = self.rows[at - 1]
            output[:, start[at] : start[at + 1]] = np.eye(len(rows))
            bias = self.biases[at - 1]
            table += [rows - output, output - lines.above[:, None] * rows]
            limits += [-bias, lines.above * bias + lines.height]
            sides.append(np.stack([np.zeros(len(rows)), np.where(lines.above > 0, np.inf, 0)]))
            scales.append(np.abs(part.high[at - 1]))
        if assumed is not None:
            table.append(-assumed[0][None, :])
            limits.append(np.array([assumed[1]]))
        objective = sign * self.rows[level - 1][k]
        found = _solved(
            objective, np.concatenate(table), np.concatenate(limits), np.hstack(sides), np.hstack(scales), self.budget
        )
        if found is None:
            return None
        bound, point, multipliers, kept = found
        slopes, loose, place = list[Array](), list[Array](), 0
        for at, lines in enumerate(around, 1):
            own, width = slice(start[at], start[at + 1]), start[at + 1] - start[at]
            under, over = multipliers[place : place + width], multipliers[place + width : place + 2 * width]
            place += 2 * width
            weight = under + kept[own]
            slopes.append(np.rint(16 * np.where(weight > 0, under / np.where(weight > 0, weight, 1), lines.below)))
            y = self.rows[at - 1] @ point[: start[at]] + self.biases[at - 1]
            loose.append(np.maximum(weight, over) * abs(point[own] - np.maximum(y, 0)) * (lines.height > 0))
        multiplier = 0.0 if assumed is None else float(multipliers[-1])
        return _Best(bound + sign * float(self.biases[level - 1][k]), multiplier, slopes, loose)


def _solved(
    objective: Array, rows: Array, limits: Array, sides: Array, scales: Array, budget: Budget
) -> tuple[float, Array, Array, Array] | None:
    """The maximum where ``rows x <= limits`` and x is between its sides; where it is attained; and the multipliers of
    rows and of lower sides. Solved in variables and rows of sizes about 1."""
    from scipy.optimize import linprog  # takes a moment to load

    scales = np.where(scales > 0, scales, 1)
    rows, objective = rows * scales, objective * scales
    sizes, size = abs(rows).max(axis=1, initial=0), abs(objective).max(initial=0)
    sizes, size = np.where(sizes > 0, sizes, 1), size if size > 0 else 1.0
    found = linprog(
        -objective / size, rows / sizes[:, None], limits / sizes, bounds=(sides / scales).T, method="highs-ds",
        options={"time_limit": budget.left},
    )  # fmt: skip
    budget.poll()
    if found.status != 0:
        return None
    multipliers = np.maximum(-found.ineqlin.marginals, 0)
    kept = np.where(found.lower.marginals > NOTHING, found.lower.marginals, 0)
    multipliers = np.where(multipliers > NOTHING, multipliers, 0) * (size / sizes)
    return -found.fun * size, found.x * scales, multipliers, kept * (size / scales)


def _loosest(best: _Best) -> tuple[int, int] | None:
    """The layer, and the number among its open neurons, of the neuron whose lines loosen a bound most."""
    at = max(range(len(best.loose)), key=lambda k: best.loose[k].max(initial=0))
    return (at + 1, int(best.loose[at].argmax())) if best.loose[at].max(initial=0) > 0 else None
