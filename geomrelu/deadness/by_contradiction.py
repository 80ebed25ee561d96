"""Dead neurons of dense layers by contradiction, layer after layer, each proof resting on those before.

What is proved (see :mod:`geomrelu.deadness.refutation`) makes one chain: it splits the box by the sign of a neuron, on
one side derives a contradiction, and on the other goes on with the next neuron. So bounds that are tightened serve all
that come after, and so do neurons that are known to be dead, or always active. Claims share the chain as far as they
need it. First come contradictions without splits, of all layers; what is left is tried again with some.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any, NamedTuple

import numpy as np

from geomrelu.budget import Budget, Exhausted
from geomrelu.certificates.files import Claim, Shared
from geomrelu.certificates.region import Region
from geomrelu.deadness import refutation
from geomrelu.deadness.branch_and_bound import halves
from geomrelu.deadness.refutation import Bounds, Refutation
from geomrelu.deadness.unit_bounds import Assumed, Judge
from geomrelu.deadness.verdict import Status, Verdict
from geomrelu.deadness.workers import Bench
from geomrelu.parallel import WorkersDied, ahead, shared

__all__ = ["ByContradiction", "Chain", "dead", "packed"]

Found = list[tuple[Assumed, bytes | None]]  # packed contradictions: a chain can have thousands of derivations
WORTH = 1e-3  # a bound of a neuron that may fire is derived if it takes this part off its range
FEW = 3  # neurons for a worker at a time
HOPELESS = 20  # failures in a row, after which those with larger bounds are left
POINTS = 256  # at which neurons are looked at before anything is sought
DEPTHS = (0, 1, 2)  # of splits in contradictions: first those that need none, of all layers
BOUNDED, CONTRADICTED = "bounded on the whole box, by tightened bounds", "positive nowhere, by contradiction"


class Link(NamedTuple):
    """A split of the chain: what is derived before it, the neuron, whether it is assumed to be positive or negative,
    and the contradiction, packed."""

    before: list[Any]
    given: Assumed
    contradiction: bytes


def packed(found: Refutation) -> bytes:
    """A tenth of what it takes as objects."""
    return zlib.compress(pickle.dumps(found), 1)


def unpacked(data: bytes) -> Refutation:
    """What was packed."""
    found: Refutation = pickle.loads(zlib.decompress(data))
    return found


class Chain:
    """A tree that grows at one of its leaves.

    Attributes:
        links: its splits. trailing: what is derived at the end.
    """

    def __init__(self) -> None:
        self.links: list[Link] = []
        self.trailing: list[Any] = []

    def add(self, given: Assumed, found: bytes) -> None:
        """A contradiction follows from this."""
        self.links.append(Link(self.trailing, given, found))
        self.trailing = []

    def tree(self, length: int) -> list[Any]:
        """As a certificate has it, with so many splits."""
        nodes, later = list[Any](), list[list[Any]]()
        for number, (before, (level, neuron, sign), packed) in enumerate(self.links[:length]):
            contradiction = unpacked(packed).nodes(number)
            nodes.append({"split": ["neuron", level, neuron], **({"derive": before} if before else {})})
            if sign > 0:
                later.append(contradiction)
            else:
                nodes += contradiction
        last = self.links[length].before if length < len(self.links) else self.trailing
        nodes.append({"derive": last} if last else {})
        return nodes + [node for contradiction in reversed(later) for node in contradiction]


def dead(chain: Chain, level: int, i: int, stable: bool | None) -> Verdict:
    """The verdict on a neuron whose bound is derived at the end of a chain."""
    claim: Claim = {"layer": level, "neuron": i, "status": "dead"}
    claim |= {"proof": Shared(chain, len(chain.links))} | ({"stable": True} if stable else {})
    return Verdict(level, i, Status.DEAD, stable, None, BOUNDED if stable else CONTRADICTED, claim)


class ByContradiction:
    """The search on one problem.

    Args:
        root: the whole domain, as the judge has it.
    """

    def __init__(self, bench: Bench, root: Region, executor: Executor | None) -> None:
        self.bench, self.root, self.executor = bench, root.copy(), executor
        self.chain = Chain()
        self.bounds: Bounds = []  # of the layers that have been derived
        self.left: dict[int, list[Assumed]] = {}  # of each layer, what may be contradicted
        self._changes: list[int] = []  # how often bounds of each layer were tightened
        self._seen: dict[tuple[str, int], int] = {}  # step and layer -> how often those of earlier layers were before

    @staticmethod
    def fits(bench: Bench, last: int) -> bool:
        """Dense layers on a bounded box with so many inputs that halving it is hopeless."""
        floating = bench.floating
        return (
            1 < last <= floating.coarse_depth
            and not floating.cornered
            and not halves(floating)
            and bench.units is not None
        )

    def tightened(self, level: int, neurons: Sequence[int], budget: Budget) -> Iterator[Verdict]:
        """Which neurons of a layer are dead by bounds with slopes of their own, and of all layers before: nothing is
        assumed yet. Raises Exhausted when the budget ends; another call goes on from there."""
        try:
            for at in range(1, level + 1):
                self._derive(at)
                if 1 < at < level:
                    self._tighten(at, budget)
        except OverflowError:
            return
        high = self.bounds[level - 1][1]
        self._meet("dead", level, [(i, 1) for i in neurons if high[i] > 0], budget)
        for i in neurons:
            if high[i] < 0:
                yield dead(self.chain, level, i, True)

    def verdicts(
        self,
        last: int,
        found: Mapping[int, Mapping[int, Verdict]],
        budget: Budget,
        wanted: Callable[[], bool] = lambda: True,
    ) -> Iterator[Verdict]:
        """Verdicts on neurons that are not settled. Raises Exhausted when the budget ends.

        Args:
            last: the deepest layer that is asked about. found: layer -> neuron -> its verdict.
            wanted: is any neuron left?
        """
        try:
            for level in range(1, last + 1):  # before the first split: claims are about bounds on all leaves
                self._derive(level)
        except OverflowError:
            return
        least, most = self._sampled(last)
        for depth in DEPTHS:
            for level in range(2, last + 1):
                budget.poll()
                if not wanted():
                    return
                if depth == 0:
                    dead = [Assumed(level, i) for i in np.flatnonzero(most[level - 1] <= 0).tolist()]
                    active = [Assumed(level, i, -1) for i in np.flatnonzero(least[level - 1] >= 0).tolist()]
                    self.left[level] = [one for one in dead if not self._fires(found, one)] + active
                for verdict in self._layer(level, last, depth, found, budget):
                    yield verdict
                    if not wanted():
                        return

    @staticmethod
    def _fires(found: Mapping[int, Mapping[int, Verdict]], one: Assumed) -> bool:
        verdict = found.get(one.level, {}).get(one.neuron)
        return verdict is not None and verdict.status is Status.ALIVE

    def _sampled(self, last: int) -> tuple[list[Any], list[Any]]:
        """The least and the largest values of the neurons of each layer at some points."""
        floating = self.bench.floating
        z = floating.forward(floating.inside.sampled(np.random.default_rng(0), POINTS), last)
        return [v.min(axis=0) for v in z], [v.max(axis=0) for v in z]

    # ---- a layer ---------------------------------------------------------------------------------------------------

    def _layer(
        self, level: int, last: int, depth: int, found: Mapping[int, Mapping[int, Verdict]], budget: Budget
    ) -> Iterator[Verdict]:
        """What follows from the bounds of the layers before."""
        units = self.bench.units
        assert units is not None
        self._derive(level)
        low, high = self.bounds[level - 1]
        open_ = [(one.neuron, 1) for one in self.left[level] if one.sign > 0 and high[one.neuron] > 0]
        self._meet("dead", level, open_, budget)
        asked = found.get(level, {})
        for one in self.left[level]:
            i = one.neuron
            if one.sign > 0 and high[i] < 0 and i not in asked:
                yield dead(self.chain, level, i, True)
        self.left[level] = [one for one in self.left[level] if (high if one.sign > 0 else -low)[one.neuron] > 0]
        self.left[level].sort(
            key=lambda one: one.sign * (high if one.sign > 0 else low)[one.neuron] * units.units[level - 1][one.neuron]
        )
        contradicted, failed = set(), 0
        for one, shown in self._refuted(self.left[level], depth, budget):
            failed = 0 if shown is not None else failed + 1
            if failed > HOPELESS:
                break
            if shown is not None:
                self.chain.add(one, shown)
                contradicted.add(one)
                self._changes[level - 1] += 1
                i = one.neuron
                if one.sign > 0:
                    high[i] = min(high[i], 0)
                    if i not in asked:
                        yield dead(self.chain, level, i, None)
                else:
                    low[i] = max(low[i], 0)
        self.left[level] = [one for one in self.left[level] if one not in contradicted]
        budget.poll()
        if level < last:
            self._tighten(level, budget)

    def _due(self, step: str, level: int) -> bool:
        """Are bounds of earlier layers tighter than they were when that step was last done with a layer?"""
        return self._seen.get((step, level), -1) < sum(self._changes[: level - 1])

    def _done(self, step: str, level: int) -> None:
        self._seen[step, level] = sum(self._changes[: level - 1])

    def _derive(self, level: int) -> None:
        """Bound a layer by the default lines, from what is known now. Raises OverflowError: bounds are too large."""
        units, new = self.bench.units, level > len(self.bounds)
        assert units is not None
        if not self._due("derive", level):
            return
        root = self.root.copy()
        if any(self._changes):
            root.whole, root.lines = None, {}
            for at, (low, high) in enumerate(self.bounds):
                root.known[at] = list(zip(low.tolist(), high.tolist(), strict=True)), None
        root.derive([[level]], level + 1)
        sides = zip(*root.known[level - 1][0], strict=True)
        least, most = (np.array(side, dtype=np.int64) for side in sides)
        units.lines(level, least, most)
        self.root = root
        self.bounds[level - 1 : level] = [(least, most)]
        self._changes += [0] * new
        self.chain.trailing.append([level])
        self._done("derive", level)

    def _tighten(self, level: int, budget: Budget) -> None:
        """Bound the neurons of open sign of a layer from both sides, with slopes of their own."""
        low, high = self.bounds[level - 1]
        rest = np.flatnonzero((high > 0) & (low < 0)).tolist()
        self._meet("tighten", level, [(i, sign) for sign in (1, -1) for i in rest], budget)

    def _meet(self, step: str, level: int, rows: Sequence[tuple[int, int]], budget: Budget) -> None:
        """Derive bounds of some neurons, each from above (1) or below (-1), if that is due, where it is worth it."""
        units = self.bench.units
        assert units is not None
        if not self._due(step, level):
            return
        items = refutation.plain(units, self.bounds, level, [i for i, _ in rows], [s for _, s in rows], budget.poll)
        judge = Judge(units, self.bounds[: level - 1])
        low, high = self.bounds[level - 1]
        for item in items:
            bound, i = judge.derived(item), item.neuron
            if bound is None:
                continue
            old = int(high[i]) if item.sign > 0 else -int(low[i])
            if bound < old - WORTH * int(high[i] - low[i]) or bound < 0 <= old:
                (high if item.sign > 0 else low)[i] = item.sign * bound
                self.chain.trailing.append(item.said(0))
                self._changes[level - 1] += 1
        self._done(step, level)

    def _refuted(self, given: list[Assumed], depth: int, budget: Budget) -> Iterator[tuple[Assumed, bytes | None]]:
        """What was found of each assumption; where the budget ends, of some of them."""
        if not given:
            return
        bounds = [(low.copy(), high.copy()) for low, high in self.bounds[: given[0].level - 1]]
        sent, some = shared(self.executor, self.bench), (given[k : k + FEW] for k in range(0, len(given), FEW))
        calls = ((sent, bounds, few, depth, budget.left) for few in some if budget.left != 0)
        try:
            for found in ahead(self.executor, _some, calls):
                yield from found
        except WorkersDied as problem:
            raise Exhausted(str(problem)) from None


def _some(bench: Bench, bounds: Bounds, given: list[Assumed], depth: int, seconds: float | None) -> Found:
    """Of those that the time allows."""
    budget, found = Budget(seconds), Found()
    assert bench.units is not None
    tick: Callable[[], None] = budget.poll
    with bench.busy, np.errstate(all="ignore"):
        for one in given:
            try:
                shown = refutation.refuted(bench.units, bounds, one, tick, depth)
                found.append((one, None if shown is None else packed(shown)))
            except Exhausted:
                break
    return found
