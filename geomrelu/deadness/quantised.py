"""Decide which neurons of a quantised network are dead on a box or on points, as the network of whole numbers.

A quantised ReLU is *dead* if its output is its zero point for every input of the domain: with y its affine map and s
its step, if ``y <= s / 2`` everywhere, as a half is rounded to 0. A ReLU without rounding is dead if y <= 0. What the
network does with a point of the box depends on its codes only, so the domain is a finite grid of whole numbers.

How, each for what the ones before leave open:

1. *intervals* in whole numbers, that is range analysis with each end rounded.
2. *all points of the grid*, if they are few: complete.
3. *a witness*: a point sought by the slopes of the network without rounding, and confirmed in whole numbers.
4. *a relaxed network*, see :mod:`geomrelu.deadness.quantised_relaxed`: an ordinary ReLU network with more inputs, which
   contains the network of whole numbers. Where the ordinary :func:`~geomrelu.deadness.decide.decide` proves
   ``y - s / 2 <= 0`` on it, with a certificate that the plain judge accepts, the neuron is dead. It is built with the
   intervals of step 1, and what has been proved of the layers before.

A neuron that fires in the relaxed network, and for which no point was found, is UNDECIDED.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from fractions import Fraction
from typing import Any

import numpy as np

from geomrelu.budget import Budget
from geomrelu.deadness.decide import decide as judged
from geomrelu.deadness.quantised_certificate import FEW_POINTS, Kept
from geomrelu.deadness.quantised_relaxed import Finding, Relaxed, narrowed, relaxed
from geomrelu.deadness.verdict import LayerReport, Status, Verdict
from geomrelu.errors import InputError
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.network.quantised import QuantisedNetwork, WholeNumbers

__all__ = ["FEW_POINTS", "decide"]

FEW_PRODUCTS = 1 << 31  # multiplications; a grid is walked if it takes no more, and has few points
STARTS, ROUNDS = 32, 12  # of the search for a witness of one neuron
CROWD = 256  # points tried for all neurons together


def decide(
    network: QuantisedNetwork,
    domain: Polyhedron | FiniteSet,
    asked: Mapping[int, Sequence[int]],
    budget: Budget,
    found: dict[tuple[int, int], Verdict],
    findings: dict[tuple[int, int], Finding],
    *,
    kept: Kept | None = None,
    few: float = FEW_POINTS,
    progress: Callable[[int, int, int], None] | None = None,
    each: float | None = None,
    executor: Executor | None = None,
) -> Iterator[LayerReport]:
    """Judge neurons layer by layer. On KeyboardInterrupt the report of the layer in work comes first.

    Args:
        asked: layer (from 1) -> neurons (from 0).
        found, findings: filled with the verdicts as they come, and with why each holds.
        kept: what is there of an earlier run, and where proofs on relaxed networks go as they come.
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
    run = _Run(network, domain, asked, budget, found, findings, kept or Kept(None, network, domain), few, progress)
    run.hard = {"each": each, "executor": executor}
    for layer in asked:
        try:
            run.work(layer)
        except KeyboardInterrupt:
            yield run.report(layer, "interrupted")
            raise
        yield run.report(layer, "the budget has ended")


class _Run:
    def __init__(
        self,
        network: QuantisedNetwork,
        domain: Polyhedron | FiniteSet,
        asked: Mapping[int, Sequence[int]],
        budget: Budget,
        found: dict[tuple[int, int], Verdict],
        findings: dict[tuple[int, int], Finding],
        kept: Kept,
        few: float,
        progress: Callable[[int, int, int], None] | None,
    ) -> None:
        self.network, self.domain, self.asked, self.budget = network, domain, asked, budget
        self.found, self.findings, self.kept, self.progress = found, findings, kept, progress
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

    def work(self, layer: int) -> None:
        """Look for the verdicts on a layer."""
        self._tell(layer)
        if self._open(layer):
            self._by_witness(layer)
        if self._open(layer):
            self._by_relaxation(layer)
        self._tell(layer)

    def _tell(self, layer: int) -> None:
        if self.progress is not None:
            self.progress(layer, len(self.asked[layer]) - len(self._open(layer)), len(self.asked[layer]))

    def report(self, layer: int, otherwise: str) -> LayerReport:
        """The verdicts on a layer; why the others are open, if nothing else is known of them."""
        neurons = self.asked[layer]
        for i in self._open(layer):
            reason = self.reasons.get((layer, i), otherwise)
            self.found[layer, i] = Verdict(layer, i, Status.UNDECIDED, None, None, reason)
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
        supremum = finding.value if finding.how == "all points" else None  # a value that is met may be exceeded
        self.found[layer, i] = Verdict(layer, i, Status.ALIVE, None, supremum, reason)
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

        def goes_on(_: int) -> bool:
            self._tell(last)
            return not self.budget.ended

        for layer, (most, t) in whole.greatest(list(self.asked), goes_on).items():
            for i in self.asked[layer]:
                value = whole.unit(layer, i) * int(most[i])
                reason = f"all {whole.count} points of the grid"
                self._settle(layer, i, value, whole.point(t[i]), whole.count, reason)

    # ---- witnesses --------------------------------------------------------------------------------------------

    def _by_witness(self, layer: int) -> None:
        whole, random = self.whole, np.random.default_rng(layer)
        for point in self.kept.points(layer):  # of an earlier run
            if self.budget.ended:
                return
            if all(low <= x <= high for x, (low, high) in zip(point, whole.sides, strict=True)):
                self._fires(layer, point, self._open(layer))
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
            some = [open_[k] for k in np.flatnonzero(hits[best])]
            agreed = self._fires(layer, self.whole.point(t[best]), some)
            assert agreed == some, "the two evaluations of the network differ"
        return True

    def _fires(self, layer: int, point: Sequence[Fraction], some: Sequence[int]) -> list[int]:
        """Those of some neurons that fire at a point, by the plain evaluation: they are alive."""
        values = self.network.values(point, layer)[-1]
        found = [i for i in some if values[i] > 0]
        for i in found:
            self._alive(layer, i, "fires at a point", Finding("point", values[i], tuple(point)))
        return found

    # ---- the relaxed network ----------------------------------------------------------------------------------

    def _by_relaxation(self, layer: int) -> None:
        """In a network that an earlier run has built, as far as it came there, and in one that is built now."""
        assert isinstance(self.domain, Polyhedron)
        fresh = True
        for zeros, neurons in self.kept.earlier(layer):
            if self.budget.ended or not self._open(layer):
                break
            if all(self._is_dead(*zero) for zero in zeros):
                now = zeros == self.whole.zeros
                found = relaxed(self.whole if now else narrowed(self.network, self.domain, zeros), layer, neurons)
                whole = now and set(self._open(layer)) <= set(neurons)
                self._in(found, neurons if whole else self.kept.proved(found))
                fresh = fresh and not whole
        if fresh and self._open(layer) and not self.budget.ended:
            self._in(relaxed(self.whole, layer, self._open(layer)), self._open(layer))
        dead = [i for i in range(self.network.widths[layer - 1]) if self._is_dead(layer, i)]
        if dead and not self.budget.ended:
            self.whole.known(layer - 1, dead)
            for later in self.asked:
                if later > layer:
                    self._by_intervals(later)

    def _in(self, found: Relaxed, neurons: Sequence[int]) -> None:
        """Ask the ordinary method about some neurons of a relaxed network."""
        layer, open_ = found.layer, set(self._open(found.layer))
        places = [k for k, i in enumerate(found.neurons) if i in open_ and i in set(neurons)]
        share = self.budget.share(self._layers_open(layer))
        if not places or share.ended:  # building it takes its time
            return
        level, done = found.network.depth, len(self.asked[layer]) - len(open_)
        how = self.hard | self.kept.search(found)
        self.kept.write(self.found, self.findings)  # so that whoever comes next knows of it

        def advanced(_: int, decided: int, __: int) -> None:
            if self.progress is not None:
                self.progress(layer, done + decided, len(self.asked[layer]))

        for report in judged(found.network, found.box, [level], places, share, advanced, **how):
            for verdict in report.verdicts:
                self._take(found, verdict, report.points)

    def _take(self, found: Relaxed, verdict: Verdict, points: list[list[str]]) -> None:
        """What a verdict on a relaxed network says of the quantised one."""
        layer, i = found.layer, found.neurons[verdict.neuron]
        if verdict.status is Status.DEAD:
            claim = dict(verdict.claim or {})
            if isinstance(claim.get("point"), int):
                claim["point"] = points[claim["point"]]
            finding = Finding("relaxed", self._zero(layer), relaxed=found)
            self._dead(layer, i, "dead in the relaxed network", finding, claim)
        elif verdict.status is Status.ALIVE:
            self.reasons[layer, i] = "fires in the relaxed network; no input was found"
            self._near(layer, i, verdict, points)
        else:
            self.reasons[layer, i] = verdict.reason

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
