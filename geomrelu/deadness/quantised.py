"""Decide which neurons of a quantised network are dead on a box or on points, as the network of whole numbers.

A quantised ReLU is *dead* if its output is its zero point for every input of the domain: with y its affine map and s
its step, if ``y <= s / 2`` everywhere, as a half is rounded to 0. A ReLU without rounding is dead if y <= 0. What the
network does with a point of the box depends on its codes only, so the domain is a finite grid of whole numbers.

How, each for what the ones before leave open:

1. *intervals* in whole numbers, that is range analysis with each end rounded.
2. *all points of the grid*, if they are few: complete.
3. *a witness*: a point sought by the slopes of the network without rounding, and confirmed in whole numbers.
4. *a relaxed network*. As ``round(u)`` lies in [u - 1/2, u + 1/2], a neuron that takes values from low to high is
   ``low + max(u + e - low, 0) - max(u + e - high, 0)`` for some e in [-1/2, 1/2]: an ordinary ReLU network with one
   more input for each neuron that is rounded, which contains the network of whole numbers. Where the ordinary
   :func:`~geomrelu.deadness.decide.decide` proves ``y - s / 2 <= 0`` on it, with a certificate that the plain judge
   accepts, the neuron is dead. low and high come from step 1, with what has been proved of the layers before.

A neuron that fires in the relaxed network, and for which no point was found, is UNDECIDED.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from geomrelu.budget import Budget
from geomrelu.deadness.decide import decide as judged
from geomrelu.deadness.verdict import LayerReport, Status, Verdict
from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineMap
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.io.tape import Tape
from geomrelu.network.network import Network
from geomrelu.network.quantised import QuantisedNetwork, WholeNumbers

__all__ = ["FEW_POINTS", "Finding", "Relaxed", "decide", "relaxed"]

FEW_POINTS = 1 << 20  # a grid of so many points is walked, all of them ...
FEW_PRODUCTS = 1 << 31  # ... if that takes no more multiplications
CHUNK = 1 << 14  # points at a time
STARTS, ROUNDS = 32, 12  # of the search for a witness of one neuron
CROWD = 256  # points tried for all neurons together
SENTENCE = (
    "The network of whole numbers does for each of its inputs what this ReLU network does for some values of its added "
    "inputs in their sides: neuron {neuron} of its last layer being dead, y <= step / 2 there, which is rounded to 0."
)


@dataclass(frozen=True)
class Relaxed:
    """An ordinary network that contains the quantised one up to a layer, and the box of its inputs.

    Attributes:
        network: its last layer has a neuron for each of ``neurons``, positive where ``y > step / 2``.
        box: sides for the inputs of the quantised network, in its own units, then for the added ones.
        layer, neurons: of the quantised network.
    """

    network: Network
    box: Polyhedron
    layer: int
    neurons: tuple[int, ...]


@dataclass(frozen=True)
class Finding:
    """Why a verdict holds.

    Attributes:
        how: "intervals", "all points", "point" or "relaxed".
        value: the greatest output found, in steps above the zero point; of a living ReLU, the number.
        point: an input at which it is reached, if the neuron is alive.
        points: how many points of the grid were walked.
        relaxed: the network on which the claim of the verdict is proved.
    """

    how: str
    value: Fraction | None = None
    point: tuple[Fraction, ...] | None = None
    points: int = 0
    relaxed: Relaxed | None = None


def decide(
    network: QuantisedNetwork,
    domain: Polyhedron | FiniteSet,
    asked: Mapping[int, Sequence[int]],
    budget: Budget,
    findings: dict[tuple[int, int], Finding],
    *,
    few: float = FEW_POINTS,
    progress: Callable[[int, int, int], None] | None = None,
    each: float | None = None,
    executor: Executor | None = None,
) -> Iterator[LayerReport]:
    """Judge neurons layer by layer.

    Args:
        asked: layer (from 1) -> neurons (from 0).
        findings: filled with why each verdict holds.
        few: the most points of a grid that are walked.
        each, executor: of hard neurons of relaxed networks, see :func:`geomrelu.deadness.decide.decide`.

    Exact: yes, about the network of whole numbers, see :mod:`geomrelu.network.quantised`.
    Cost: one pass of intervals; or one exact pass for each point; or that of ordinary networks with an input and one or
    two neurons more for each neuron.
    """
    if domain.dimension != network.inputs:
        raise InputError(f"the model reads R^{network.inputs}, but the domain lies in R^{domain.dimension}")
    for layer in asked:
        quantiser = network.quantisers[layer - 1]
        if quantiser is not None and any(quantiser.low):
            raise InputError(f"layer {layer} rounds and saturates, but its least value is not its zero point: no ReLU")
    run = _Run(network, domain, asked, budget, findings, few, progress)
    run.hard = {"each": each, "executor": executor}
    for layer in asked:
        yield run.report(layer)


class _Run:
    def __init__(
        self,
        network: QuantisedNetwork,
        domain: Polyhedron | FiniteSet,
        asked: Mapping[int, Sequence[int]],
        budget: Budget,
        findings: dict[tuple[int, int], Finding],
        few: float,
        progress: Callable[[int, int, int], None] | None,
    ) -> None:
        self.network, self.asked, self.budget, self.findings = network, asked, budget, findings
        self.progress = progress
        self.found: dict[tuple[int, int], Verdict] = {}
        self.reasons: dict[tuple[int, int], str] = {}
        self.samples: np.ndarray | None = None
        self.hard: dict[str, Any] = {}
        if isinstance(domain, FiniteSet):
            self._walk_points(domain)
            return
        self.whole = WholeNumbers(network, domain)
        self.complete = False
        for layer in asked:
            self._by_intervals(layer)
        last = max(asked, default=1)
        weights = sum(len(m.data) for m in network.layers[:last])
        open_ = any(self._open(layer) for layer in asked)
        if open_ and self.whole.complete and self.whole.count <= min(few, FEW_PRODUCTS // max(1, weights)):
            self._walk_grid(last)

    def report(self, layer: int) -> LayerReport:
        """The verdicts on a layer."""
        if self._open(layer):
            self._by_witness(layer)
        if self._open(layer):
            self._by_relaxation(layer)
        neurons = self.asked[layer]
        for i in self._open(layer):
            reason = self.reasons.get((layer, i), "the budget has ended")
            self.found[layer, i] = Verdict(layer, i, Status.UNDECIDED, None, None, reason)
        if self.progress is not None:
            self.progress(layer, len(neurons), len(neurons))
        verdicts = tuple(self.found[layer, i] for i in neurons)
        return LayerReport(layer, self.network.widths[layer - 1], verdicts, [])

    def _open(self, layer: int) -> list[int]:
        return [i for i in self.asked[layer] if (layer, i) not in self.found]

    def _is_quantised(self, layer: int) -> bool:
        return self.network.quantisers[layer - 1] is not None

    # ---- verdicts ---------------------------------------------------------------------------------------------

    def _dead(self, layer: int, i: int, reason: str, finding: Finding, claim: dict[str, Any] | None = None) -> None:
        self.found[layer, i] = Verdict(layer, i, Status.DEAD, None, finding.value, reason, claim)
        self.findings[layer, i] = finding

    def _alive(self, layer: int, i: int, reason: str, finding: Finding) -> None:
        self.found[layer, i] = Verdict(layer, i, Status.ALIVE, None, finding.value, reason)
        self.findings[layer, i] = finding

    def _zero(self, layer: int) -> Fraction | None:
        """The greatest output of a dead neuron; what a dead ReLU reads may be less."""
        return Fraction(0) if self._is_quantised(layer) else None

    def _by_intervals(self, layer: int) -> None:
        """Dead by range analysis."""
        high = self.whole.bounds[layer][1]
        for i in self._open(layer):
            if high[i] <= 0:
                self._dead(layer, i, "intervals of whole numbers", Finding("intervals", self._zero(layer)))

    def _walk_points(self, domain: FiniteSet) -> None:
        points = [list(point) for point in domain.points]
        values = [self.network.values(point) for point in points]
        for layer, neurons in self.asked.items():
            for i in neurons:
                best = max(range(len(points)), key=lambda k: values[k][layer - 1][i])
                self._settle(layer, i, values[best][layer - 1][i], points[best], len(points), "all points of the set")

    def _settle(self, layer: int, i: int, value: Fraction, point: Sequence[Fraction], count: int, reason: str) -> None:
        if value > 0:
            self._alive(layer, i, reason, Finding("all points", value, tuple(point), count))
        else:
            self._dead(layer, i, reason, Finding("all points", self._zero(layer), points=count))

    def _walk_grid(self, last: int) -> None:
        """All points of the grid, with the greatest value of each neuron."""
        whole = self.whole
        best: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for first in range(0, whole.count, CHUNK):
            if self.budget.ended:
                return
            t = whole.grid(first, min(first + CHUNK, whole.count))
            values = whole.values(t, last)
            for layer in self.asked:
                place = np.argmax(values[layer - 1], axis=0)
                most = values[layer - 1][place, np.arange(len(place))]
                if layer not in best:
                    best[layer] = most, t[place]
                else:
                    better = most > best[layer][0]
                    best[layer][0][better], best[layer][1][better] = most[better], t[place][better]
            if self.progress is not None:
                self.progress(last, first, whole.count)
        for layer, (most, t) in best.items():
            for i in self.asked[layer]:
                unit = Fraction(1) if self._is_quantised(layer) else self._unit(layer, i)
                reason = f"all {whole.count} points of the grid"
                self._settle(layer, i, unit * int(most[i]), whole.point(t[i]), whole.count, reason)

    def _unit(self, layer: int, i: int) -> Fraction:
        return self.whole.scales[self.network.starts[layer] + i]

    # ---- witnesses --------------------------------------------------------------------------------------------

    def _by_witness(self, layer: int) -> None:
        whole, random = self.whole, np.random.default_rng(layer)
        if self.samples is None:
            share = random.random((CROWD, self.network.inputs))
            share[::2] = share[::2] > 0.5
            self.samples = whole.lower + np.rint(share * (whole.upper - whole.lower)).astype(np.int64)
        self._harvest(layer, self.samples)
        slopes, search = _Slopes(whole, layer), self.budget.share(4)
        sums = slopes.sums(self.samples)
        for i in self._open(layer):
            if search.ended:
                break
            if (layer, i) not in self.found:  # no point of another neuron has served it
                start = self.samples[np.argsort(-sums[:, i])[:STARTS]]
                self._climb(slopes, layer, i, start, random)

    def _climb(self, slopes: _Slopes, layer: int, i: int, t: np.ndarray, random: np.random.Generator) -> None:
        """From some points toward corners of the box, a part of the coordinates at a time."""
        whole = self.whole
        for k in range(ROUNDS):
            slope = slopes.of(t, i)
            corner = np.where(slope > 0, whole.upper, np.where(slope < 0, whole.lower, t))
            moved = random.random(t.shape) < (1.0 if k % 3 == 0 else 0.5 if k % 3 == 1 else 0.1)
            t = np.where(moved, corner, t)
            if self._harvest(layer, t, i):
                return

    def _harvest(self, layer: int, t: np.ndarray, i: int | None = None) -> bool:
        """Neurons that are open and fire at some of these points are alive; if i is named, only if it is among them.

        As few points as possible serve all of them; at each the plain evaluation must agree.
        """
        values = self.whole.values(t, layer)[-1]
        if i is not None:
            at = int(np.argmax(values[:, i]))
            if values[at, i] <= 0:
                return False
            values, t = values[[at]], t[[at]]
        while not self.budget.ended and (open_ := self._open(layer)):
            hits = values[:, open_] > 0
            best = int(np.argmax(hits.sum(axis=1)))
            if not hits[best].any():
                break
            point = self.whole.point(t[best])
            exact = self.network.values(point, layer)[-1]
            for k in np.flatnonzero(hits[best]):
                value = exact[open_[k]]
                assert value > 0, "the two evaluations of the network differ"
                self._alive(layer, open_[k], "fires at a point", Finding("point", value, tuple(point)))
        return True

    # ---- the relaxed network ----------------------------------------------------------------------------------

    def _by_relaxation(self, layer: int) -> None:
        dead = [i for i in range(self.network.widths[layer - 1]) if self._is_dead(layer, i)]
        open_ = self._open(layer)
        if self.budget.ended:
            return
        share = self.budget.share(self._layers_open(layer))
        found = relaxed(self.whole, layer, open_)
        if share.ended:  # building it takes its time
            return
        for report in judged(found.network, found.box, [found.network.depth], None, share, **self.hard):
            for verdict in report.verdicts:
                i = open_[verdict.neuron]
                if verdict.status is Status.DEAD:
                    claim = dict(verdict.claim or {})
                    if isinstance(claim.get("point"), int):
                        claim["point"] = report.points[claim["point"]]
                    self._dead(
                        layer,
                        i,
                        "dead in the relaxed network",
                        Finding("relaxed", self._zero(layer), relaxed=found),
                        claim,
                    )
                    dead.append(i)
                elif verdict.status is Status.ALIVE:
                    self.reasons[layer, i] = "fires in the relaxed network; no input was found"
                    self._near(layer, i, verdict, report.points)
                else:
                    self.reasons[layer, i] = verdict.reason
        if dead:
            self.whole.known(layer - 1, dead)
            for later in self.asked:
                if later > layer:
                    self._by_intervals(later)

    def _layers_open(self, layer: int) -> int:
        return sum(bool(self._open(later)) for later in self.asked if later >= layer)

    def _is_dead(self, layer: int, i: int) -> bool:
        verdict = self.found.get((layer, i))
        return verdict is not None and verdict.status is Status.DEAD

    def _near(self, layer: int, i: int, verdict: Verdict, points: list[list[str]]) -> None:
        """Where the relaxed network fires, the other one may as well."""
        place = (verdict.claim or {}).get("point")
        listed = points[place] if isinstance(place, int) else place
        if not isinstance(listed, list):
            return
        whole, t = self.whole, []
        for j, text in enumerate(listed[: self.network.inputs]):
            low, high = int(whole.lower[j]), int(whole.upper[j])
            if j in whole.codes:
                code = Fraction(text) / whole.codes[j][2]
            else:
                side = whole.sides[j]
                code = (Fraction(text) - side[0]) / ((side[1] - side[0]) or 1) * high
            t.append(min(max(round(code), low), high))
        start = np.array([t] * STARTS, dtype=np.int64)
        random = np.random.default_rng(i)
        start[1:] = np.clip(start[1:] + random.integers(-1, 2, start[1:].shape), whole.lower, whole.upper)
        if not self._harvest(layer, start, i):
            self._climb(_Slopes(whole, layer), layer, i, start, random)


class _Slopes:
    """Slopes of the sums of a layer in the inputs t, as if nothing were rounded: in floats, to guide."""

    def __init__(self, whole: WholeNumbers, layer: int) -> None:
        self.whole, self.layer = whole, layer
        rows = whole.rows[:layer]
        self.matrices = [
            np.asarray(r.matrix, dtype=float) if isinstance(r.matrix, np.ndarray) else r.matrix.astype(float)
            for r in rows
        ]
        self.factors = [r.ratio for r in rows]

    def sums(self, t: np.ndarray) -> np.ndarray:
        """y / step of the layer, an array (points, neurons)."""
        rows = self.whole.rows[self.layer - 1]
        before = np.concatenate([t, *self.whole.values(t, self.layer - 1)], axis=1).astype(float)
        sums = (self.matrices[-1] @ before.T).T + rows.constants.astype(float)
        return np.asarray(sums * rows.ratio + rows.offset)

    def of(self, t: np.ndarray, i: int) -> np.ndarray:
        """The slope of neuron i at each of some points, an array (points, inputs)."""
        starts = self.whole.network.starts
        values = self.whole.values(t, self.layer - 1)
        row = self.matrices[-1][[i]]
        slope = np.zeros((len(t), starts[self.layer]))
        slope += np.asarray(row.todense() if hasattr(row, "todense") else row) * self.factors[-1][i]
        for l in range(self.layer - 2, -1, -1):
            rows = self.whole.rows[l]
            made = values[l]
            open_ = (
                made > 0
                if not rows.rounds
                else (made > rows.low.astype(np.int64)) & (made < rows.high.astype(np.int64))
            )
            # where it stands at a bound, a little is let through, so that it may be left
            through = slope[:, starts[l + 1] : starts[l + 2]] * np.where(open_, 1.0, 0.01) * self.factors[l]
            slope[:, : starts[l + 1]] += np.asarray((self.matrices[l].T @ through.T).T)[:, : starts[l + 1]]
        return slope[:, : starts[1]]


# ---- the ordinary network that contains it ------------------------------------------------------------------------


def relaxed(whole: WholeNumbers, layer: int, neurons: Sequence[int]) -> Relaxed:
    """The ordinary network of steps 4, see the head of this file, up to a layer.

    Its variables stand for ``k * step``, so that its numbers are as dyadic as those of the file.

    Raises:
        InputError: the layer reads nothing.
    """
    network = whole.network
    steps: list[Fraction] = [Fraction(1)] * network.inputs
    sides: list[tuple[Fraction, Fraction]] = []
    for j, side in enumerate(whole.sides):
        if j in whole.codes:
            step = whole.codes[j][2]
            sides.append((int(whole.lower[j]) * step, int(whole.upper[j]) * step))
        else:
            sides.append(side)
    noises = [_noisy(whole, l) for l in range(layer - 1)]
    first = len(sides)
    for l, noisy in enumerate(noises):
        quantiser = network.quantisers[l]
        for i in noisy:
            assert quantiser is not None
            sides.append((-quantiser.steps[i] / 2, quantiser.steps[i] / 2))
    tape = Tape(len(sides))
    values = AffineMap.selection(len(sides), range(network.inputs))  # of all variables, in terms of the tape's
    for l in range(layer - 1):
        y = _in_values(network.layers[l], steps).after(values)
        quantiser = network.quantisers[l]
        if l in network.entries:
            made = AffineMap.selection(tape.variables, network.entries[l])
        elif quantiser is None:
            made = tape.relu(y)
        else:
            made = _contained(tape, y, whole, l, noises[l], first)
        first += len(noises[l])
        steps += quantiser.steps if quantiser is not None else [Fraction(1)] * y.outputs
        values = AffineMap.stacked([values.widened(tape.variables), made.widened(tape.variables)])
    last, quantiser = network.layers[layer - 1].take(neurons), network.quantisers[layer - 1]
    y = _in_values(last, steps).after(values)
    if quantiser is not None:
        y = y.scaled([Fraction(1)] * len(neurons), [-quantiser.steps[i] / 2 for i in neurons])
    tape.finish(tape.relu(y))
    return Relaxed(Network.from_tape(tape), Polyhedron.box(sides), layer, tuple(neurons))


def _noisy(whole: WholeNumbers, l: int) -> list[int]:
    """The neurons of layer l (from 0) that are rounded, and not constant."""
    network = whole.network
    if network.quantisers[l] is None or l in network.entries or network.whole[l]:
        return []
    low, high = whole.bounds[l + 1]
    return [i for i in range(network.widths[l]) if low[i] < high[i]]


def _contained(tape: Tape, y: AffineMap, whole: WholeNumbers, l: int, noisy: Sequence[int], first: int) -> AffineMap:
    """``k * step`` of a layer of whole numbers, each for some value of its added input."""
    network = whole.network
    quantiser = network.quantisers[l]
    assert quantiser is not None
    low, high = whole.bounds[l + 1]
    above = whole.reach(l)
    moving = [i for i in range(y.outputs) if low[i] < high[i]]
    capped = [i for i in moving if round(above[i]) > high[i]]  # the others never exceed it
    constants = [int(low[i]) * quantiser.steps[i] for i in range(y.outputs)]
    if not moving:
        return _constant(constants, tape.variables)
    rows = y.take(moving).widened(tape.variables)
    if len(noisy):
        rows = rows.plus(AffineMap.selection(tape.variables, range(first, first + len(noisy))))
    place = {i: k for k, i in enumerate(moving)}
    over = rows.take([place[i] for i in capped])
    lower = rows.scaled([Fraction(1)] * len(moving), [-int(low[i]) * quantiser.steps[i] for i in moving])
    parts = [lower]
    if capped:
        parts.append(over.scaled([Fraction(1)] * len(capped), [-int(high[i]) * quantiser.steps[i] for i in capped]))
    made = tape.relu(AffineMap.stacked(parts))
    start = tape.variables - made.outputs
    where = {i: start + len(moving) + k for k, i in enumerate(capped)}
    entries = [(i, start + place[i], 1) for i in moving] + [(i, where[i], -1) for i in capped]
    entries.sort()
    signs = np.empty(len(entries), dtype=object)
    signs[:] = [v for _, _, v in entries]
    linear = AffineMap.from_entries(
        (y.outputs, tape.variables),
        np.array([i for i, _, _ in entries]),
        np.array([j for _, j, _ in entries]),
        signs,
        1,
        [0] * y.outputs,
    )
    return linear.scaled([Fraction(1)] * y.outputs, constants)


def _constant(values: Sequence[Fraction], variables: int) -> AffineMap:
    nothing = np.zeros(0, dtype=np.int64)
    empty = AffineMap.from_entries(
        (len(values), variables), nothing, nothing, nothing.astype(object), 1, [0] * len(values)
    )
    return empty.scaled([Fraction(1)] * len(values), values)


def _in_values(map_: AffineMap, steps: Sequence[Fraction]) -> AffineMap:
    """A map over whole numbers k as one over the numbers ``k * step``."""
    kinds = {step: k for k, step in enumerate(dict.fromkeys(steps))}  # there are few, and few weights
    kind = [kinds[step] for step in steps]
    listed = list(kinds)
    pairs = [(v, kind[j]) for j, v in zip(map_.indices.tolist(), map_.data.tolist(), strict=True)]
    quotients = {(v, k): Fraction(v, map_.denominator) / listed[k] for v, k in set(pairs)}
    bottom = math.lcm(1, *(q.denominator for q in quotients.values()))
    tops = {pair: q.numerator * (bottom // q.denominator) for pair, q in quotients.items()}
    data = np.empty(len(pairs), dtype=object)
    data[:] = [tops[pair] for pair in pairs]
    rows = np.repeat(np.arange(map_.outputs), np.diff(map_.indptr))
    shape = (map_.outputs, len(steps))
    return AffineMap.from_entries(shape, rows, map_.indices, data, bottom, map_.bias, map_.denominator)
