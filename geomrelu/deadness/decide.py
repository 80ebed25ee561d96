"""Decide which neurons of a network are dead on a set, with claims that the checker's rules accept.

A neuron is *dead* on S if its pre-activation z is <= 0 on all of S (a neuron at 0 is silent), else *alive*. It is
*stably* dead if it stays dead for all parameters near the given ones (all weights on the layers it reads, and its
bias). A layer *kills* S if all its neurons are dead.

How: a finite set is walked. Layer 1 is one affine form: closed on boxes, ellipsoids and generators, one exact linear
program otherwise. Deeper layers: if the linear pieces are likely to be few, all pieces, which also gives exact suprema;
otherwise witnesses and trees found in floating point, of parts of the box around the domain, where its rows are
multipliers (on an ellipsoid and a hull: of signs). On an unbounded set: points and rays, linear programs that split
signs, and for the neurons that are left all pieces, by linear programs where the generators are too many to list.
Either way the verdict is the checker's: a claim it does not accept is not reported. (Of whole layers on a box the
checker is not run: floats with a proven error show what it would find, see ``layer_bounds``, in layer 1 the same whole
numbers.)
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

import numpy as np

from geomrelu.budget import Budget, Exhausted
from geomrelu.certificates.files import Claim
from geomrelu.deadness.branch_and_bound import Tree
from geomrelu.deadness.by_contradiction import ByContradiction
from geomrelu.deadness.by_pieces import MANY_PIECES, ByPieces, allowance, are_few, is_listed
from geomrelu.deadness.by_points import by_points
from geomrelu.deadness.by_programs import ByPrograms
from geomrelu.deadness.by_search import BySearch
from geomrelu.deadness.far_out import FarOut
from geomrelu.deadness.first_layer import first_layer, is_sum
from geomrelu.deadness.inside import has_few, is_moderate, is_searched, too_many
from geomrelu.deadness.problem import Problem
from geomrelu.deadness.verdict import LayerReport, Status, Verdict, undecided
from geomrelu.errors import InputError
from geomrelu.geometry.domains import OneSet
from geomrelu.geometry.ellipsoid import Ellipsoid
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.network.network import Network

__all__ = ["decide"]

LARGE = 1_000  # nodes of a proof of an earlier run that are not checked in a moment
TREES_FIRST = 20.0  # seconds for a tree before contradictions are sought by linear programs
FEW = 50  # at most one of so many neurons: then those that are left are few


def decide(
    network: Network,
    domain: OneSet,
    layers: Sequence[int] | None = None,
    neurons: Sequence[int] | Mapping[int, Sequence[int]] | None = None,
    budget: Budget | None = None,
    progress: Callable[[int, int, int], None] | None = None,
    *,
    each: float | None = None,
    executor: Executor | None = None,
    known: Iterable[Claim] = (),
    save: Callable[[Verdict, list[Any]], None] | None = None,
    open_: Callable[[Tree], None] | None = None,
    together: bool = False,
) -> Iterator[LayerReport]:
    """Judge neurons layer by layer.

    Args:
        layers: which (from 1; default: all that are the model's own). neurons: which of each layer (from 0;
            default all), or layer -> which of it.
        budget: on time and regions in all, shared evenly by the layers; what one leaves over goes to the next, and
            what is left after the last one to those that have spent their share. What is open when it ends is
            UNDECIDED, with the reason.
        progress: called with (layer, neurons decided, neurons asked).
        each: seconds for one hard neuron.
        executor: where hard neurons are worked on; None: here.
        known: claims of an earlier run, their points written out, and unfinished ones (status "open"); the checker
            judges them again.
        save: called with each new verdict, and the table of points its claim may refer to.
        open_: called with the tree of a hard neuron whenever it has grown.
        together: may claims share a proof? It is then no proof to be used elsewhere, but see ``certificates.files``.

    Yields:
        One report a layer, in order. The hard neurons of all layers are worked on together, after the easy ones.

        On KeyboardInterrupt the reports of the layers in work come first, with the open neurons undecided.

    Raises:
        InputError: no such layer or neuron, dimensions that differ, an empty domain.

    Evidence: each verdict's claim has been accepted by :func:`geomrelu.checker.prove`; or, of whole layers on a box, it
        is shown that it would be: in layer 1 by the same sums, then by floats with a proven error
        (:mod:`geomrelu.deadness.layer_bounds`).
    Exact: yes. Source: Rister & Rubin (dead sets, section 2); Brownlowe et al. (stably unactivated).
    """
    if domain.dimension != network.inputs:
        raise InputError(f"the model reads R^{network.inputs}, but the domain lies in R^{domain.dimension}")
    if domain.is_empty:
        raise InputError("the domain is empty")
    layers = network.judged if layers is None else list(layers)
    for layer in layers:
        if not 1 <= layer <= network.depth:
            raise InputError(f"there is no layer {layer}: the model has {network.depth} ReLU layers")
    if isinstance(neurons, Mapping) and (others := neurons.keys() - set(layers)):
        raise InputError(f"neurons of layer {min(others)} are asked about, but not that layer")
    asked = {layer: _asked(neurons, layer, network.widths[layer - 1]) for layer in layers}
    run = _Run(network, domain, Budget.of(budget), progress, each, executor, known, save, open_, together)
    return run.reports(asked)


def _asked(neurons: Sequence[int] | Mapping[int, Sequence[int]] | None, layer: int, width: int) -> list[int]:
    chosen = neurons.get(layer) if isinstance(neurons, Mapping) else neurons
    if chosen is None:
        return list(range(width))
    for i in chosen:
        if not 0 <= i < width:
            raise InputError(f"there is no neuron {i} in layer {layer}, which has {width}")
    return sorted(set(chosen))


class _Run:
    """The books: what is asked, what has been found, and why the rest is open."""

    def __init__(
        self,
        network: Network,
        domain: OneSet,
        budget: Budget,
        progress: Callable[[int, int, int], None] | None,
        each: float | None,
        executor: Executor | None,
        known: Iterable[Claim],
        save: Callable[[Verdict, list[Any]], None] | None,
        open_: Callable[[Tree], None] | None,
        together: bool,
    ) -> None:
        self.together = together
        self.progress, self.each, self.executor, self.save, self.open_ = progress, each, executor, save, open_
        self.known: dict[Any, Claim] = {}
        unfinished: dict[Any, Claim] = {}
        for c in known:
            (unfinished if c.get("status") == "open" else self.known)[c.get("layer"), c.get("neuron")] = c
        self.whole = budget
        self.problem = Problem(network, domain, budget)
        self.by_pieces, self.by_search = ByPieces(self.problem), BySearch(self.problem, unfinished)
        self.asked: dict[int, list[int]] = {}
        self.found: dict[int, dict[int, Verdict]] = {}
        self.reasons: dict[int, dict[int, str]] = {}
        self.too_many: set[int] = set()  # layers with more pieces than were likely
        self.chained: ByContradiction | None = None
        self.far_out: FarOut | None = None
        self.fruitless = False  # in the last layer, bounds that were tightened showed nothing

    def reports(self, asked: dict[int, list[int]]) -> Iterator[LayerReport]:
        """Easy neurons layer by layer; then the hard ones of all layers; then, where that is possible, all pieces."""
        self.asked = asked
        self.found = {layer: {} for layer in asked}
        self.reasons = {layer: {} for layer in asked}
        waiting, round_ = list(self.asked), list(self.asked)
        reached: set[int] = set()
        contradicted = False
        try:
            while round_ and not (reached and self.whole.ended):
                cut = []
                for position, layer in enumerate(round_):
                    # an even share for each layer that is left, so that one hard neuron does not starve the next layers
                    self.problem.budget = self.whole.share(len(round_) - position)
                    self.reasons[layer] = {}
                    ended = self._take(self._verdicts(layer, max(asked)), [layer])
                    if self.together and not contradicted and not ended:
                        ended = self._take(self._tightened(layer), [layer])
                    if ended or layer in self.by_search.paused:
                        cut.append(layer)
                    reached.add(layer)
                    while waiting and waiting[0] in reached and self._settled(waiting[0]):
                        yield self._report(waiting.pop(0))
                # a layer is paused once, and the last one had all that was left: there are fewer, or nothing is left
                if self.together and not contradicted:
                    self.problem.budget, contradicted = self.whole, True  # once
                    self._take(self._contradicted(), waiting)
                round_ = [layer for layer in cut if not self._settled(layer)]
            self.problem.budget = self.whole
            if round_:
                self._take(self._ended(), round_)
            if self.by_search.trees:
                self._take(self._hard(), waiting)
            for layer in waiting:
                if not self._settled(layer):
                    self._take(self._rest(layer), [layer])
        except KeyboardInterrupt:
            for layer in waiting:
                self.reasons[layer] = dict.fromkeys(self.asked[layer], "interrupted")
            yield from map(self._report, waiting)
            raise
        yield from map(self._report, waiting)

    def _take(self, verdicts: Iterator[Verdict], layers: list[int]) -> bool:
        """Record verdicts until there are no more or the budget ends; is that what has happened?"""
        try:
            for verdict in verdicts:
                done = self.found[verdict.layer]
                self.problem.dead[verdict.layer] += verdict.status is Status.DEAD and verdict.neuron not in done
                done[verdict.neuron] = verdict
                if self.save is not None:
                    self.save(verdict, self.problem.points)
                if self.progress is not None:
                    self.progress(verdict.layer, len(done), len(self.asked[verdict.layer]))
        except Exhausted as end:
            for layer in layers:
                for i in self.asked[layer]:
                    self.reasons[layer].setdefault(i, str(end))
            return self.problem.budget.ended
        return False

    def _contradiction(self, last: int) -> ByContradiction | None:
        """What makes proofs that rest on one another, of layers up to that one, if it applies."""
        quick, domain, budget = self.problem.quick, self.problem.domain, self.problem.budget
        if not isinstance(domain, Polyhedron) or not domain.is_box or quick.root is None:
            return None
        budget.poll()  # what comes now takes long in large networks
        bench = self.by_search.bench
        bench.shared.watch(budget.poll)
        if not ByContradiction.fits(bench, last):
            return None
        quick.watch(budget.poll)
        self.chained = self.chained or ByContradiction(bench, quick.root, self.executor)
        return self.chained

    def _tightened(self, layer: int) -> Iterator[Verdict]:
        """Neurons of a layer by tighter bounds of those before, while these show any."""
        left = sorted(self._left.get(layer, ()))
        if layer > 2 and len(left) * FEW >= len(self.asked[layer]) and not self.fruitless:
            search = self._contradiction(max(self.asked))  # all proofs that are shared stand in one chain
            self.fruitless = True
            if search is not None:
                with np.errstate(all="ignore"):
                    for verdict in search.tightened(layer, left, self.problem.budget):
                        self.fruitless = False
                        yield verdict

    def _contradicted(self) -> Iterator[Verdict]:
        """Neurons of all layers, in proofs that rest on one another."""
        last, left = max(self._left, default=0), sum(map(len, self._left.values()))
        few = left * FEW < sum(map(len, self.asked.values()))  # for those a tree each is quicker, and says more
        search = None if few or not last else self._contradiction(last)
        if search is not None:
            with np.errstate(all="ignore"):
                for verdict in search.verdicts(last, self.found, self.whole, lambda: bool(self._left)):
                    if verdict.neuron in self._left.get(verdict.layer, ()):
                        yield verdict

    def _hard(self) -> Iterator[Verdict]:
        """Neurons with a tree each; those that stay open by contradiction, where programs are small enough."""
        bench, search, fitting = self.by_search.bench, self.by_search, list[int]()
        if self.together and isinstance(self.problem.domain, Polyhedron) and self.problem.domain.is_box:
            fitting = [level for level in self._left if ByPrograms.fits(bench, level, self.whole)]
        if fitting:  # what a tree proves, it proves stably
            first = TREES_FIRST if self.each is None else min(self.each, TREES_FIRST)
            self.problem.budget = self.whole.share(4)
            with self._unless_ended(self.whole):
                yield from search.hard(self.found, first, self.executor, self.open_)
            left = {level: some for level, some in self._left.items() if level in fitting}
            with self._unless_ended(self.whole):
                yield from ByPrograms(bench, self.executor).verdicts(left, self.whole.share(2))
            self.problem.budget = self.whole
        yield from search.hard(self.found, self.each, self.executor, self.open_)

    @contextmanager
    def _unless_ended(self, budget: Budget) -> Iterator[None]:
        """The end of a share of a budget is none of the budget."""
        try:
            yield
        except Exhausted:
            if budget.ended:
                raise

    @property
    def _left(self) -> dict[int, set[int]]:
        """Layer -> neurons that are asked about and not settled."""
        left = {layer: {i for i in asked if i not in self.found[layer]} for layer, asked in self.asked.items()}
        return {layer: some for layer, some in left.items() if some}

    def _ended(self) -> Iterator[Verdict]:
        """Nothing is done any more: raises Exhausted, which says why."""
        self.whole.spend()
        yield from ()

    def _settled(self, layer: int) -> bool:
        return len(self.found[layer]) == len(self.asked[layer])

    def _report(self, layer: int) -> LayerReport:
        found, reasons = self.found[layer], self.reasons[layer]
        for tree in self.by_search.trees.values():
            if tree.level == layer and tree.boxes:
                reasons[tree.neuron] = f"{reasons.get(tree.neuron, 'given up')} after {tree}"
        verdicts = tuple(
            found[i] if i in found else undecided(layer, i, reasons.get(i, "no method settled it within its limits"))
            for i in self.asked[layer]
        )
        return LayerReport(layer, self.problem.network.widths[layer - 1], verdicts, self.problem.points)

    def _verdicts(self, layer: int, last: int) -> Iterator[Verdict]:
        """The verdicts on the asked neurons that are not hard, in any order; hard ones get a tree."""
        if layer == 1 and is_sum(self.problem.domain):
            yield from self._fresh(layer, [i for i in self.asked[layer] if i not in self.found[layer]], last)
            return
        large = [i for i in self.asked[layer] if self._is_large(self.known.get((layer, i), {}).get("proof"))]
        for neurons in ([i for i in self.asked[layer] if i not in large], large):  # what is quick comes first
            asked = []
            for i in neurons:
                claim = self.known.get((layer, i))
                verdict = None if claim is None else self.problem.again(claim)
                self.known.pop((layer, i), None)
                if verdict is not None:
                    yield verdict
                elif i not in self.found[layer]:
                    asked.append(i)
            yield from self._fresh(layer, asked, last)

    @staticmethod
    def _is_large(proof: Any) -> bool:
        return isinstance(proof, list) and len(proof) > LARGE

    def _fresh(self, layer: int, asked: list[int], last: int) -> Iterator[Verdict]:
        """The same for neurons of which nothing is known."""
        domain = self.problem.domain
        if not asked:
            return
        if isinstance(domain, FiniteSet):
            yield from by_points(self.problem, domain, layer, asked)
        elif layer == 1:
            yield from first_layer(self.problem, domain, asked)
        else:
            yield from self._deep(domain, layer, asked, last)

    def _deep(self, domain: Polyhedron | Ellipsoid, layer: int, asked: list[int], last: int) -> Iterator[Verdict]:
        if isinstance(domain, Ellipsoid):
            with np.errstate(all="ignore"):
                yield from self.by_search.verdicts(domain, layer, asked)
            return
        if is_listed(domain):
            done = yield from self._by_few_pieces(domain, layer, asked, last)
            if done:
                return
        with np.errstate(all="ignore"):  # overflow spoils only what is then not confirmed
            left = [i for i in asked if i not in self.found[layer]]
            if is_searched(domain):
                yield from self.by_search.verdicts(domain, layer, left)
            else:
                yield from self._unbounded(domain, layer, left)

    def _by_few_pieces(
        self, domain: Polyhedron, layer: int, asked: list[int], last: int
    ) -> Generator[Verdict, None, bool]:
        """All pieces, where they are likely to be few; was that so?"""
        if layer in self.too_many or not are_few(self.problem, domain, layer):
            return False
        allowed = allowance(self.problem.budget)
        try:
            yield from self.by_pieces.verdicts(domain, layer, asked, last, allowed)
        except Exhausted as end:
            if self.problem.budget.ended:
                raise
            self.too_many.add(layer)
            if allowed.left is None or allowed.left > 0:
                # the guess was wrong; elsewhere the time of others may be enough in the end
                self.reasons[layer] = dict.fromkeys(asked, str(end))
            return False
        return True

    def _unbounded(self, domain: Polyhedron, layer: int, asked: list[int]) -> Iterator[Verdict]:
        """Where no bounded box is around the domain, or it is large: points and rays, linear programs, then all pieces,
        however many."""
        self.far_out = self.far_out or FarOut(self.problem, domain)
        if has_few(domain):
            yield from self.far_out.verdicts(layer, asked)
        if is_moderate(domain) and not domain.given_by_generators:
            with self._unless_ended(self.problem.budget):
                left = [i for i in asked if i not in self.found[layer]]
                rest = are_few(self.problem, domain, layer, MANY_PIECES)  # is there anything else to be tried?
                budget = self.problem.budget.share(1 + rest)
                yield from self.far_out.by_signs(layer, left, budget, self.executor)
        elif not is_listed(domain) or not (is_moderate(domain) or are_few(self.problem, domain, layer, MANY_PIECES)):
            raise Exhausted(too_many(domain))
        left = [i for i in asked if i not in self.found[layer]]
        if left:
            yield from self.by_pieces.verdicts(domain, layer, left, layer, self.problem.budget)

    def _rest(self, layer: int) -> Iterator[Verdict]:
        """What trees did not settle (a supremum of exactly 0, most likely): all pieces, however many."""
        domain = self.problem.domain
        if isinstance(domain, Polyhedron) and is_listed(domain) and not self.reasons[layer]:
            open_ = [i for i in self.asked[layer] if i not in self.found[layer]]
            yield from self.by_pieces.verdicts(domain, layer, open_, layer, self.problem.budget)
