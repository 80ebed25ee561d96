"""Decide which neurons of a network are dead on a set, with a claim that has been accepted by the checker's rules.

A neuron is *dead* on S if its pre-activation z is <= 0 on all of S (a neuron at 0 is silent), else *alive*. It is
*stably* dead if it stays dead for all parameters near the given ones (all weights on the layers it reads, and its
bias). A layer *kills* S if all its neurons are dead.

How: a finite set is walked. Layer 1 is one affine form: closed on boxes and generators, one exact linear program
otherwise. Deeper layers: if the linear pieces are likely to be few (or the domain is not a bounded box), all pieces,
which also gives exact suprema; otherwise witnesses and trees of boxes found in floating point. Either way the
verdict is the checker's: a claim it does not accept is not reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from functools import cached_property, partial
from typing import Any

import numpy as np

from geomrelu import checker
from geomrelu.budget import Budget, Exhausted
from geomrelu.certificates import infinity
from geomrelu.certificates.batch import Quick
from geomrelu.certificates.files import Claim
from geomrelu.deadness import branch_and_bound, falsify
from geomrelu.deadness.relaxation import clipped
from geomrelu.deadness.workers import Bench, grown, turn
from geomrelu.errors import InputError
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.network import pieces
from geomrelu.network.network import Network

__all__ = ["LayerReport", "Status", "Verdict", "decide"]

FEW_PIECES = 20_000  # below this many likely pieces, walking them all is quicker than searching
MANY_PIECES = 50 * FEW_PIECES  # below this many, walking them is what is left when ...
SPROUT = 200  # boxes of a tree before the hardest search for a witness
FEW_BOXES = 5_000  # ... so many boxes do not settle a neuron
LARGE = 1_000  # nodes of a proof of an earlier run that are not checked in a moment
ON_THE_BOX = "bounded on the whole box"
EFFORTS = ((64, 0), (64, 40), (512, 200))  # starting points and steps of the search for witnesses, ever harder
MOST_GENERATED = 10  # the largest dimension in which the corners of a bounded box (at most 1024) are listed


class Status(Enum):
    """ALIVE, DEAD or UNDECIDED; the last has no truth value and neither is a yes to anything."""

    ALIVE = "alive"
    DEAD = "dead"
    UNDECIDED = "undecided"

    def __bool__(self) -> bool:
        raise TypeError("a status is not a truth value: compare it with Status.DEAD, ALIVE or UNDECIDED")


@dataclass(frozen=True)
class Verdict:
    """What is known about one neuron on the domain.

    Attributes:
        layer, neuron: from 1, from 0.
        status: alive, dead or undecided.
        stable: for a dead neuron, whether it is stably dead; None if that is not known (or the neuron not dead).
        supremum: of its pre-activation: exact, "inf", or None if it was not computed.
        reason: one phrase: the method, or why it is undecided.
        claim: what the checker accepted (see ``checker.py``), None if undecided. Its "point" may be a number, that
            of an entry of the report's ``points``.
        parts: on a union of polyhedra, the verdicts on those that were asked; the claims are theirs.
    """

    layer: int
    neuron: int
    status: Status
    stable: bool | None
    supremum: Fraction | str | None
    reason: str
    claim: Claim | None = None
    parts: tuple[Verdict, ...] = ()


@dataclass(frozen=True)
class LayerReport:
    """The verdicts on (some) neurons of one layer, with the points their claims share (exact, as strings)."""

    layer: int
    width: int
    verdicts: tuple[Verdict, ...]
    points: list[list[str]]

    @property
    def killed(self) -> bool | None:
        """Does the layer kill the domain? None if that is not known."""
        if any(v.status is Status.ALIVE for v in self.verdicts):
            return False
        if len(self.verdicts) == self.width and all(v.status is Status.DEAD for v in self.verdicts):
            return True
        return None


def decide(
    network: Network,
    domain: Polyhedron | FiniteSet,
    layers: Sequence[int] | None = None,
    neurons: Sequence[int] | Mapping[int, Sequence[int]] | None = None,
    budget: Budget | None = None,
    progress: Callable[[int, int, int], None] | None = None,
    *,
    each: float | None = None,
    executor: Executor | None = None,
    known: Iterable[Claim] = (),
    save: Callable[[Verdict, list[list[str]]], None] | None = None,
    open_: Callable[[branch_and_bound.Tree], None] | None = None,
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

    Yields:
        One report a layer, in order. The hard neurons of all layers are worked on together, after the easy ones.

        On KeyboardInterrupt the reports of the layers in work come first, with the open neurons undecided.

    Raises:
        InputError: no such layer or neuron, dimensions that differ, an empty domain.

    Evidence: each verdict's claim has been accepted by :func:`geomrelu.checker.prove`.
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
    asked = {layer: _asked(neurons, layer, network.widths[layer - 1]) for layer in layers}
    run = _Run(network, domain, budget or Budget(), progress, each, executor, known, save, open_)
    return run.reports(asked)


def _asked(neurons: Sequence[int] | Mapping[int, Sequence[int]] | None, layer: int, width: int) -> list[int]:
    chosen = neurons.get(layer) if isinstance(neurons, Mapping) else neurons
    if chosen is None:
        return list(range(width))
    for i in chosen:
        if not 0 <= i < width:
            raise InputError(f"there is no neuron {i} in layer {layer}, which has {width}")
    return sorted(set(chosen))


def _undecided(layer: int, neuron: int, reason: str) -> Verdict:
    return Verdict(layer, neuron, Status.UNDECIDED, None, None, reason)


class _Run:
    def __init__(
        self,
        network: Network,
        domain: Polyhedron | FiniteSet,
        budget: Budget,
        progress: Callable[[int, int, int], None] | None,
        each: float | None,
        executor: Executor | None,
        known: Iterable[Claim],
        save: Callable[[Verdict, list[list[str]]], None] | None,
        open_: Callable[[branch_and_bound.Tree], None] | None,
    ) -> None:
        self.network, self.domain, self.progress = network, domain, progress
        self.each, self.executor, self.save, self.open_ = each, executor, save, open_
        self.known: dict[Any, Claim] = {}
        self.unfinished: dict[Any, Claim] = {}
        for c in known:
            (self.unfinished if c.get("status") == "open" else self.known)[c.get("layer"), c.get("neuron")] = c
        self.whole = self.budget = budget
        self.points: list[list[str]] = []
        self.shared = Quick(self.points, network.checked, domain.checked)
        self.extremes: list[list[pieces.Extreme]] | None = None
        self.asked: dict[int, list[int]] = {}
        self.found: dict[int, dict[int, Verdict]] = {}
        self.reasons: dict[int, dict[int, str]] = {}
        self.endless = False  # is a list of cones too long?
        self.trees: dict[tuple[int, int], branch_and_bound.Tree] = {}
        self.places: dict[int, tuple[int, Any]] = {}  # of points of earlier claims, by identity, in the table
        self.last: Any = None  # the point in floats that the last of the points is
        self.steps: dict[int, int] = {}  # how many steps of the search have been done for a layer
        self.too_many: set[int] = set()  # layers with more pieces than were likely

    @cached_property
    def bench(self) -> Bench:
        assert isinstance(self.domain, Polyhedron)
        return Bench(self.network, self.domain)

    def reports(self, asked: dict[int, list[int]]) -> Iterator[LayerReport]:
        """Easy neurons layer by layer; then the hard ones of all layers; then, where that is possible, all pieces."""
        self.asked = asked
        self.found = {layer: {} for layer in asked}
        self.reasons = {layer: {} for layer in asked}
        waiting, round_ = list(self.asked), list(self.asked)
        reached: set[int] = set()
        try:
            while round_ and not (reached and self.whole.ended):
                cut = []
                for position, layer in enumerate(round_):
                    # an even share for each layer that is left, so that one hard neuron does not starve the next layers
                    self.budget = self.whole.share(len(round_) - position)
                    self.reasons[layer] = {}
                    if self._take(self._verdicts(layer, max(asked)), [layer]):
                        cut.append(layer)
                    reached.add(layer)
                    while waiting and waiting[0] in reached and self._settled(waiting[0]):
                        yield self._report(waiting.pop(0))
                round_ = cut  # the last one had all that was left, so there are fewer, or nothing is left
            self.budget = self.whole
            if self.trees:
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
                done[verdict.neuron] = verdict
                if self.save is not None and verdict.claim is not None:
                    self.save(verdict, self.points)
                if self.progress is not None:
                    self.progress(verdict.layer, len(done), len(self.asked[verdict.layer]))
        except Exhausted as end:
            for layer in layers:
                for i in self.asked[layer]:
                    self.reasons[layer].setdefault(i, str(end))
            return self.budget.ended
        return False

    def _settled(self, layer: int) -> bool:
        return len(self.found[layer]) == len(self.asked[layer])

    def _report(self, layer: int) -> LayerReport:
        found, reasons = self.found[layer], self.reasons[layer]
        for tree in self.trees.values():
            if tree.level == layer and tree.boxes:
                reasons[tree.neuron] = f"{reasons.get(tree.neuron, 'given up')} after {tree}"
        verdicts = tuple(
            found[i] if i in found else _undecided(layer, i, reasons.get(i, "no method settled it within its limits"))
            for i in self.asked[layer]
        )
        return LayerReport(layer, self.network.widths[layer - 1], verdicts, self.points)

    def _verdicts(self, layer: int, last: int) -> Iterator[Verdict]:
        """The verdicts on the asked neurons that are not hard, in any order; hard ones get a tree."""
        large = [i for i in self.asked[layer] if self._is_large(self.known.get((layer, i), {}).get("proof"))]
        for neurons in ([i for i in self.asked[layer] if i not in large], large):  # what is quick comes first
            asked = []
            for i in neurons:
                claim = self.known.get((layer, i))
                verdict = None if claim is None else self._again(claim)
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
        domain = self.domain
        if not asked:
            return
        if isinstance(domain, FiniteSet):
            yield from self._on_points(domain, layer, asked)
        elif layer == 1:
            yield from self._first_layer(domain, asked)
        else:
            yield from self._deep(domain, layer, asked, last)

    def _again(self, claim: Claim) -> Verdict | None:
        """The verdict of a claim from an earlier run."""
        self.budget.spend(0)
        supremum, point = claim.get("supremum"), claim.get("point")
        if isinstance(point, list):  # many claims share one: it is read and evaluated once
            if id(point) not in self.places:
                self.places[id(point)] = len(self.points), point
                self.points.append(point)
            claim = {**claim, "point": self.places[id(point)][0]}
        try:
            value = None if supremum is None else "inf" if supremum == "inf" else Fraction(supremum)
            return self._tried(claim, "proved in an earlier run", value)
        except (ValueError, TypeError, checker.Malformed):
            return None

    # ---- claims -----------------------------------------------------------------------------------------------

    def _decided(self, claim: Claim, supremum: Fraction | str | None, reason: str) -> Verdict:
        """The verdict of a claim whose every part is exact; should the checker not agree, nothing is decided."""
        try:
            self.shared.watch(self.budget.poll)
            checker.prove(claim, self.shared)
        except checker.Rejected as doubt:
            return _undecided(claim["layer"], claim["neuron"], f"the checker did not accept the proof: {doubt}")
        status = Status(claim["status"])
        return Verdict(claim["layer"], claim["neuron"], status, claim.get("stable"), supremum, reason, claim)

    def _tried(self, claim: Claim, reason: str, supremum: Fraction | str | None = None) -> Verdict | None:
        """The verdict of a claim that floating point (or a file) suggested, if the checker agrees."""
        verdict = self._decided(claim, supremum, reason)
        return None if verdict.status is Status.UNDECIDED else verdict

    def _unbounded(self, layer: int, i: int, point: Sequence[Fraction], ray: Sequence[Any] | None) -> Verdict:
        claim: Claim = {"layer": layer, "neuron": i, "status": "alive", "supremum": "inf"}
        claim |= {"point": self._point(point), "ray": self._ray(ray or ())}
        return self._decided(claim, "inf", "grows along a ray")

    def _point(self, point: Sequence[Fraction]) -> Any:
        """A point of the domain as the checker wants it."""
        domain = self.domain
        if isinstance(domain, Polyhedron) and domain.given_by_generators:
            return {"weights": [[str(w) for w in part] for part in domain.weights(tuple(point))]}
        return [str(x) for x in point]

    def _ray(self, ray: Sequence[Any]) -> Any:
        domain = self.domain
        if isinstance(domain, Polyhedron) and domain.given_by_generators:
            return {"weights": [[str(w) for w in part] for part in domain.ray_weights(ray)]}
        return [str(x) for x in ray]

    # ---- finite sets ------------------------------------------------------------------------------------------

    def _on_points(self, domain: FiniteSet, layer: int, asked: list[int]) -> Iterator[Verdict]:
        values = []
        for p in domain.points:
            values.append(self.network.pre_activations(p, layer)[-1])
            self.budget.spend(0)
        first = len(self.points)
        self.points.extend([str(x) for x in p] for p in domain.points)
        for i in asked:
            supremum, k = max((z[i], -k) for k, z in enumerate(values))
            yield self._valued(layer, i, supremum, first - k, None, "all points evaluated", {})
            self.budget.spend(0)

    def _valued(
        self, layer: int, i: int, supremum: Fraction, point: Any, proof: Any, reason: str,
        far: dict[str, Any] | None, flat: Sequence[Any] | None = None,
    ) -> Verdict:  # fmt: skip
        """The verdict of a neuron whose supremum is attained at ``point`` (and proved by ``proof``).

        ``far`` is what makes a negative supremum stable at infinity, {} if nothing is needed, None if it is not so;
        ``flat`` is a ray that breaks it.
        """
        claim: Claim = {"layer": layer, "neuron": i, "status": "alive" if supremum > 0 else "dead"}
        claim |= {"supremum": str(supremum), "point": point} | ({} if proof is None else {"proof": proof})
        if supremum == 0:
            claim["stable"] = False
        elif supremum < 0 and far is not None:
            claim |= {"stable": True} | far
        elif supremum < 0 and flat is not None:
            claim |= {"stable": False, "ray": self._ray(flat)}
        return self._decided(claim, supremum, reason)

    # ---- layer 1 ----------------------------------------------------------------------------------------------

    @cached_property
    def _bounding(self) -> dict[str, Any] | None:
        """What shows the domain bounded ({} if nothing is needed), None if it is not (or that takes too much)."""
        domain = self.domain
        if isinstance(domain, FiniteSet) or not checker.recession(domain.checked):
            return {}
        return self._list(infinity.bounded, domain.checked) if domain.is_bounded else None

    def _far(self, layer: int, i: int) -> dict[str, Any] | None:
        """What shows a dead neuron to be stable at infinity, None if it is not so or too much."""
        domain = self.domain
        if self._bounding is not None or isinstance(domain, FiniteSet):
            return self._bounding
        if layer == 1 and domain.falling(self.network.layers[0].form(i).slope) is None:
            return None
        return self._list(infinity.cones, self.network.checked, domain.checked, layer, i)

    def _list(self, find: Callable[..., list[Any] | None], *what: Any) -> dict[str, Any] | None:
        """A list of cones, as a claim carries it; once one was too long, no other is sought."""
        if self.endless:
            return None
        try:
            found = find(*what, lambda: self.budget.spend(0))
        except infinity.TooManyParts:
            self.endless = True
            return None
        except Exhausted:  # the verdict stands without it
            return None
        return None if found is None else {"infinity": found}

    def _first_layer(self, domain: Polyhedron, asked: list[int]) -> Iterator[Verdict]:
        for i in asked:
            yield self._corner(domain, i) or self._extreme(domain, i)
            self.budget.spend(0)

    def _corner(self, domain: Polyhedron, i: int) -> Verdict | None:
        """On a box a neuron is largest at a corner, unless that lies at infinity."""
        if not domain.is_box:
            return None
        map_ = self.network.layers[0]
        total = domain.checked.highest(*map_.row(i))
        if total is None:
            return None
        return self._closed_form(domain, i, total / map_.denominator, "corner", {}, "maximal corner")

    def _extreme(self, domain: Polyhedron, i: int) -> Verdict:
        best = domain.supremum(self.network.layers[0].form(i))
        if best.value is None:
            return self._unbounded(1, i, best.point, best.ray)
        multipliers = (("rows", best.rows), ("equalities", best.equalities))
        leaf = {key: {str(k): str(m) for k, m in table} for key, table in multipliers if table}
        how = "maximal generator" if domain.given_by_generators else "linear program"
        return self._closed_form(domain, i, best.value, self._point(best.point), leaf, how)

    def _closed_form(
        self, domain: Polyhedron, i: int, supremum: Fraction, point: Any, leaf: dict[str, Any], how: str
    ) -> Verdict:
        far, flat = self._bounding, None
        if supremum < 0 and far is None:
            far = self._far(1, i)
            if far is None:
                flat = self._flat_direction(domain, self.network.layers[0].form(i).along)
        return self._valued(1, i, supremum, point, [leaf], how, far, flat)

    def _flat_direction(
        self, domain: Polyhedron, along: Callable[[Sequence[Fraction]], Fraction]
    ) -> Sequence[Any] | None:
        """A direction of the recession cone along which a dead first-layer neuron does not fall."""
        if domain.is_box:
            for j, (low, high) in enumerate(zip(domain.checked.lower, domain.checked.upper, strict=True)):
                for side, step in ((high, 1), (low, -1)):
                    unit = [Fraction(step * int(k == j)) for k in range(domain.dimension)]
                    if side is None and along(unit) == 0:
                        return unit
        for ray in (*domain.rays, *domain.lines):
            if along([Fraction(v) for v in ray]) == 0:
                return ray
        return None

    # ---- deeper layers ----------------------------------------------------------------------------------------

    def _deep(self, domain: Polyhedron, layer: int, asked: list[int], last: int) -> Iterator[Verdict]:
        listed = self._listed(domain)
        if not domain.is_box:  # only the pieces know how to move on it
            if not listed:
                raise Exhausted("the domain has too many generators to list")
            yield from self._by_pieces(domain, layer, asked, last, self.budget)
            return
        few = listed and layer not in self.too_many
        if few and pieces.likely_pieces(self.network, domain, layer) <= FEW_PIECES:
            try:
                yield from self._by_pieces(domain, layer, asked, last, self.budget.part(10 * FEW_PIECES))
                return
            except Exhausted as end:
                if self.budget.ended:
                    raise
                self.too_many.add(layer)  # the guess was wrong
                self.reasons[layer] = dict.fromkeys(asked, str(end))
        with np.errstate(all="ignore"):  # overflow spoils only what is then not confirmed
            yield from self._by_search(domain, layer, [i for i in asked if i not in self.found[layer]])

    def _listed(self, domain: Polyhedron) -> bool:
        """Are the generators of the domain few enough to start from?"""
        if domain.is_box and domain.is_bounded:
            return domain.dimension <= MOST_GENERATED
        return domain.likely_generators <= FEW_PIECES

    def _by_pieces(
        self, domain: Polyhedron, layer: int, asked: list[int], last: int, budget: Budget
    ) -> Iterator[Verdict]:
        """All linear pieces: exact suprema, stability and proofs."""
        if self.extremes is None or len(self.extremes) < layer:
            deepest = layer
            while deepest < last and pieces.likely_pieces(self.network, domain, deepest + 1) <= FEW_PIECES:
                deepest += 1
            self.extremes = pieces.extremes(self.network, domain, deepest, budget)
        found = self.extremes[layer - 1]
        dead = []
        for i in asked:
            best = found[i]
            if best.value is None:
                yield self._unbounded(layer, i, best.point, best.ray)
            elif best.value > 0:
                claim: Claim = {"layer": layer, "neuron": i, "status": "alive", "point": self._point(best.point)}
                yield self._decided(claim, best.value, "maximum over all pieces")
            else:
                dead.append(i)
        limits = {i: value for i in dead if (value := found[i].value) is not None}
        trees = pieces.proofs(self.network, domain, layer, limits, budget) if dead else {}
        for i in dead:
            best = found[i]
            self.budget.spend(0)
            far, flat = self._bounding, None
            if far is None and limits[i] < 0:
                flat = self._reviving_ray(layer, i, best)
                far = self._far(layer, i) if flat is None else None
            yield self._valued(layer, i, limits[i], self._point(best.point), trees[i], "all pieces", far, flat)

    def _reviving_ray(self, layer: int, i: int, best: pieces.Extreme) -> Sequence[int] | None:
        """A ray that shows a dead neuron with negative supremum not to be stable."""
        model = self.network.checked
        return next((r for r in best.flat if checker.revivable(model, [Fraction(v) for v in r], layer, i)), None)

    def _by_search(self, domain: Polyhedron, layer: int, asked: list[int]) -> Iterator[Verdict]:
        """Bounds on the whole box, witnesses and small trees found in floating point, each accepted by the checker.

        What is open after that keeps its tree, to be worked on with those of the other layers. Where a budget ends, the
        next one goes on with the same step.
        """
        steps: list[Callable[[Polyhedron, int, list[int]], Iterator[Verdict]]] = [
            partial(self._witnesses, effort) for effort in EFFORTS
        ]
        if domain.is_box and domain.is_bounded:
            steps = [self._by_intervals, steps[0], self._on_the_box, steps[1], self._sprouts, *steps[2:]]
        done = self.steps.setdefault(layer, 0)
        if not done:
            self.budget.spend()
        for step in steps[done:]:
            yield from step(domain, layer, [i for i in asked if i not in self.found[layer]])
            self.steps[layer] += 1

    def _witnesses(
        self, effort: tuple[int, int], domain: Polyhedron, layer: int, asked: list[int]
    ) -> Iterator[Verdict]:
        """Points where neurons are positive."""
        for i, point in falsify.candidates(self.bench.floating, layer, asked, self.budget, *effort):
            verdict = self._witness(domain, layer, i, point)
            if verdict is not None:
                yield verdict
            self.budget.poll()

    def _by_intervals(self, domain: Polyhedron, layer: int, asked: list[int]) -> Iterator[Verdict]:
        """Neurons of large layers for which intervals are enough, before anything is sought or derived for them."""
        floating = self.bench.floating
        if layer > floating.coarse_depth + 1:
            for i in branch_and_bound.by_intervals(floating, layer, asked, self.budget):
                claim: Claim = {"layer": layer, "neuron": i, "status": "dead", "stable": True}
                verdict = self._tried(claim | {"proof": branch_and_bound.interval_leaf(floating, layer)}, ON_THE_BOX)
                if verdict is not None:
                    yield verdict

    def _on_the_box(self, domain: Polyhedron, layer: int, asked: list[int]) -> Iterator[Verdict]:
        """Neurons that are bounded on the whole box."""
        floating = self.bench.floating
        for i in branch_and_bound.bounded(floating, layer, asked, self.budget):
            claim: Claim = {"layer": layer, "neuron": i, "status": "dead", "stable": True}
            verdict = self._tried(claim | {"proof": branch_and_bound.one_leaf(floating, layer)}, ON_THE_BOX)
            if verdict is not None:
                yield verdict

    def _sprouts(self, domain: Polyhedron, layer: int, asked: list[int]) -> Iterator[Verdict]:
        """Neurons for which a small tree is enough; the others keep it."""
        few = self._listed(domain) and pieces.likely_pieces(self.network, domain, layer) <= MANY_PIECES
        for i in asked:
            if (layer, i) in self.trees:
                continue
            self.budget.poll()
            tree = self.trees[layer, i] = branch_and_bound.Tree(self.bench.floating, layer, i)
            tree.resume(self.unfinished.pop((layer, i), {}).get("proof"))
            verdict = self._sprouted(tree)
            if verdict is not None:
                yield verdict
            tree.limit = FEW_BOXES if few else tree.limit

    def _sprouted(self, tree: branch_and_bound.Tree) -> Verdict | None:
        """The verdict on a neuron if a small tree is enough."""
        tree.merge(turn(self.bench, branch_and_bound.Growth(tree, tree.take(1)), SPROUT, self.budget.left))
        return self._grown(tree, self.bench.refuted(tree) if tree.done and not tree.failed else None)

    def _grown(self, tree: branch_and_bound.Tree, claim: Claim | None) -> Verdict | None:
        """What a tree has come to: a point, a claim, or nothing yet."""
        if tree.point is not None:
            assert isinstance(self.domain, Polyhedron)
            return self._witness(self.domain, tree.level, tree.neuron, tree.point)
        if claim is None:
            return None
        supremum = Fraction(0) if "supremum" in claim else None
        return Verdict(tree.level, tree.neuron, Status.DEAD, claim.get("stable"), supremum, str(tree), claim)

    def _hard(self) -> Iterator[Verdict]:
        """The hard neurons of all layers, each with a tree."""
        trees = [tree for (layer, i), tree in self.trees.items() if i not in self.found[layer]]
        for tree, claim in grown(self.bench, trees, self.budget, self.each, self.executor, self.open_):
            verdict = self._grown(tree, claim)
            if verdict is not None:
                yield verdict

    def _rest(self, layer: int) -> Iterator[Verdict]:
        """What trees did not settle (a supremum of exactly 0, most likely): all pieces, however many."""
        domain = self.domain
        if isinstance(domain, Polyhedron) and self._listed(domain) and not self.reasons[layer]:
            open_ = [i for i in self.asked[layer] if i not in self.found[layer]]
            yield from self._by_pieces(domain, layer, open_, layer, self.budget)

    def _witness(self, domain: Polyhedron, layer: int, i: int, point: Any) -> Verdict | None:
        if point is not self.last:  # one point shows many neurons positive
            exact = clipped(point, domain)
            if exact is None:
                return None
            self.last = point
            self.points.append([str(x) for x in exact])
        claim: Claim = {"layer": layer, "neuron": i, "status": "alive", "point": len(self.points) - 1}
        return self._tried(claim, "positive at a point")
