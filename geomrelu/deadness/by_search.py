"""Deeper layers where the pieces are many: floats look for points where neurons are positive and for trees of boxes
on which linear bounds are not; each is accepted by the checker's rules before it is a verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from fractions import Fraction
from functools import cached_property, partial
from typing import Any

from geomrelu.budget import Exhausted
from geomrelu.certificates.files import Claim
from geomrelu.deadness import branch_and_bound, falsify, whole_box
from geomrelu.deadness.by_cuts import Cuts, is_cut
from geomrelu.deadness.by_pieces import is_listed
from geomrelu.deadness.inside import is_searched
from geomrelu.deadness.problem import Problem
from geomrelu.deadness.verdict import Status, Verdict
from geomrelu.deadness.whole_layers import AT_A_POINT, ON_THE_BOX, WholeLayers
from geomrelu.deadness.workers import Bench, grown, turn
from geomrelu.geometry.ellipsoid import Ellipsoid
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.network import pieces

__all__ = ["BySearch"]

MANY_PIECES = 1_000_000  # below this many likely pieces, walking them is what is left when ...
FEW_BOXES = 5_000  # ... so many boxes do not settle a neuron, or, without fixed point, ...
FEW_PARTS = 1_000
SPROUT = 200  # boxes of a tree before the hardest search for a witness
Where = Polyhedron | Ellipsoid
# cuts along kinks before that tree (where boxes are slow), and after it: products for a neuron, about, and how many
# more neurons may be left than are decided before the others of the layer are left as well
LITTLE, MUCH = (1 << 19, 8), (1 << 24, 0)
ON_THE_ELLIPSOID = "bounded on the whole ellipsoid"


class BySearch:
    """The search on one problem, over all its layers.

    Attributes:
        trees: (layer, neuron) -> the tree of a hard neuron.
        paused: layers whose neurons are to be worked on one by one, when that is asked for again.
    """

    def __init__(self, problem: Problem, unfinished: dict[Any, Claim]) -> None:
        """``unfinished``: (layer, neuron) -> the tree of an earlier run, as a claim with status "open"."""
        self.problem, self.unfinished = problem, unfinished
        self.trees: dict[tuple[int, int], branch_and_bound.Tree] = {}
        self.paused, self._visited = set[int](), set[int]()
        self._steps: dict[int, int] = {}  # how many steps of the search have been done for a layer
        self._last, self._said = None, None  # the point in floats that was shown last, and how claims name it

    @cached_property
    def bench(self) -> Bench:
        assert not isinstance(self.problem.domain, FiniteSet)
        return Bench(self.problem.network, self.problem.domain, self.problem.quick)

    @cached_property
    def whole_layers(self) -> WholeLayers:
        return WholeLayers(self.problem, self.bench.floating)

    def verdicts(self, domain: Where, layer: int, asked: Iterable[int]) -> Iterator[Verdict]:
        """Bounds on the whole box, witnesses and small trees found in floating point, each accepted by the checker.

        What is open after that keeps its tree, to be worked on with those of the other layers. Where a budget ends, the
        next one goes on with the same step.
        """
        done = self._steps.setdefault(layer, 0)
        if not done:  # before the network is made in floats, which takes long if it is large
            self.problem.budget.spend()
        steps: list[Any] = [partial(self._witnesses, effort) for effort in falsify.EFFORTS]
        if isinstance(domain, Ellipsoid) or is_searched(domain):
            steps = [self._by_intervals, steps[0], self._on_the_box, steps[1], self._sprouts, *steps[2:]]
            if isinstance(domain, Polyhedron) and domain.checked.is_bounded_box():
                steps[:4] = self.whole_layers.steps(layer, self._by_intervals, self._on_the_box)
            elif self.bench.floating.inside.missing:  # nothing is known of a box
                steps = [step for step in steps if step not in (self._by_intervals, self._on_the_box)]
            if isinstance(domain, Polyhedron) and is_cut(domain):
                if layer > self.bench.floating.coarse_depth:
                    steps.insert(steps.index(self._sprouts), partial(self._by_cuts, LITTLE))
                steps.append(partial(self._by_cuts, MUCH))
        left = list(asked)
        for step in steps[done:]:
            if step == self._sprouts and layer not in self._visited:  # first what whole layers take, of all of them
                self._visited.add(layer)
                self.paused.update({layer} if left else ())
                return
            self.paused.discard(layer)
            settled = set()
            for verdict in step(domain, layer, left):
                settled.add(verdict.neuron)
                yield verdict
            left = [i for i in left if i not in settled]
            self._steps[layer] += 1

    def _witnesses(self, effort: tuple[int, int], domain: Where, layer: int, asked: list[int]) -> Iterator[Verdict]:
        """Points where neurons are positive."""
        for i, point in falsify.candidates(self.bench.floating, layer, asked, self.problem.budget, *effort):
            verdict = self._witness(domain, layer, i, point)
            if verdict is not None:
                yield verdict
            self.problem.budget.poll()

    def _by_intervals(self, domain: Where, layer: int, asked: list[int]) -> Iterator[Verdict]:
        """Neurons of large layers for which intervals are enough, before anything is sought or derived for them."""
        floating = self.bench.floating
        if layer > floating.coarse_depth + 1:
            for i in whole_box.by_intervals(floating, layer, asked, self.problem.budget):
                leaf = whole_box.interval_leaf(floating, layer)
                how = ON_THE_BOX if isinstance(domain, Polyhedron) else ON_THE_ELLIPSOID
                verdict = self.problem.tried(self._dead(layer, i, {"proof": leaf}), how)
                if verdict is not None:
                    yield verdict

    def _on_the_box(self, domain: Where, layer: int, asked: list[int]) -> Iterator[Verdict]:
        """Neurons that are bounded on the whole box."""
        floating = self.bench.floating
        for i in whole_box.bounded(floating, layer, asked, self.problem.budget):
            proof = {"proof": whole_box.one_leaf(floating, layer)}
            how = ON_THE_BOX if isinstance(domain, Polyhedron) else ON_THE_ELLIPSOID
            verdict = self.problem.tried(self._dead(layer, i, proof), how)
            if verdict is not None:
                yield verdict

    def _by_cuts(self, effort: tuple[int, int], domain: Polyhedron, layer: int, asked: list[int]) -> Iterator[Verdict]:
        """Neurons whose bounds are exact along kinks only; where that often takes too much, the others are left."""
        problem, root, (work, left) = self.problem, self.problem.quick.root, effort
        if not asked or root is None:
            return
        problem.quick.watch(problem.budget.poll)
        cuts, share = Cuts(problem.network, domain, layer, root), problem.budget.share(2)
        for i in asked:
            try:
                found = cuts.search(i, work, share)
            except Exhausted:
                if problem.budget.ended:
                    raise
                return
            verdict = None
            if found is not None and found.above is not None:
                claim: Claim = {
                    "layer": layer,
                    "neuron": i,
                    "status": "alive",
                    "point": self.problem.placed(found.above),
                }
                verdict = problem.tried(claim, AT_A_POINT)
            elif found is not None:
                claim = self._complete(cuts.claim(i, found))
                supremum = Fraction(0) if "supremum" in claim else None
                verdict = problem.tried(claim, f"{found.parts} parts, cut along kinks", supremum)
            left += 1 if verdict is not None else -1
            if verdict is not None:
                yield verdict
            elif left < 0:
                return

    def _sprouts(self, domain: Where, layer: int, asked: list[int]) -> Iterator[Verdict]:
        """Neurons for which a small tree is enough; the others keep it."""
        few = isinstance(domain, Polyhedron) and (
            is_listed(domain) and pieces.likely_pieces(self.problem.network, domain, layer) <= MANY_PIECES
        )
        for i in asked:
            if (layer, i) in self.trees:
                continue
            self.problem.budget.poll()
            tree = self.trees[layer, i] = branch_and_bound.Tree(self.bench.floating, layer, i)
            tree.resume(self.unfinished.pop((layer, i), {}).get("proof"))
            verdict = self._sprouted(tree)
            if verdict is not None:
                yield verdict
            if few:
                tree.limit = FEW_BOXES if domain.checked.is_bounded_box() else FEW_PARTS

    def _sprouted(self, tree: branch_and_bound.Tree) -> Verdict | None:
        """The verdict on a neuron if a small tree is enough."""
        # patterns in exact arithmetic are slow: all neurons have their turn first
        most = SPROUT if tree.coarse or branch_and_bound.halves(self.bench.floating) else SPROUT // 10
        tree.merge(turn(self.bench, branch_and_bound.Growth(tree, tree.take(1)), most, self.problem.budget.left))
        return self._grown(tree, self.bench.refuted(tree) if tree.done and not tree.failed else None)

    def _grown(self, tree: branch_and_bound.Tree, claim: Claim | None) -> Verdict | None:
        """What a tree has come to: a point, a claim, or nothing yet."""
        if tree.point is not None:
            assert not isinstance(self.problem.domain, FiniteSet)
            return self._witness(self.problem.domain, tree.level, tree.neuron, tree.point)
        if claim is None:
            return None
        claim = self._complete(claim)
        supremum = Fraction(0) if "supremum" in claim else None
        tree.forget()
        return Verdict(tree.level, tree.neuron, Status.DEAD, claim.get("stable"), supremum, str(tree), claim)

    def _witness(self, domain: Where, layer: int, i: int, point: Any) -> Verdict | None:
        if point is not self._last:  # one point shows many neurons positive
            exact = self.bench.floating.inside.exact(point)
            if exact is None:
                return None
            self._last, self._said = point, self.problem.placed(exact)
        claim: Claim = {"layer": layer, "neuron": i, "status": "alive", "point": self._said}
        return self.problem.tried(claim, AT_A_POINT)

    def _dead(self, layer: int, i: int, proof: Claim) -> Claim:
        """The claim that a neuron is dead, whose supremum is negative."""
        return self._complete({"layer": layer, "neuron": i, "status": "dead", "stable": True} | proof)

    def _complete(self, claim: Claim) -> Claim:
        """With what a claim about a domain that is no box needs: a point, in its terms, and what shows it bounded."""
        if claim.get("stable"):
            del claim["stable"]
            claim |= self.problem.bounding or {}
        if self.bench.floating.inside.has_rows and "point" not in claim:
            claim["point"] = self._inner
        if isinstance(claim.get("point"), list):
            claim["point"] = self.problem.point([Fraction(x) for x in claim["point"]])
        return claim

    @cached_property
    def _inner(self) -> Any:
        return self.problem.placed(self.bench.floating.inside.centre)

    def hard(
        self,
        found: Mapping[int, Mapping[int, Verdict]],
        each: float | None,
        executor: Executor | None,
        open_: Callable[[branch_and_bound.Tree], None] | None,
    ) -> Iterator[Verdict]:
        """The hard neurons of all layers, each with a tree.

        Args:
            found: layer -> neuron -> its verdict, of those that are settled.
            each, executor, open_: see :func:`geomrelu.deadness.workers.grown`.
        """
        trees = [tree for (layer, i), tree in self.trees.items() if i not in found[layer] and not tree.failed]
        for tree, claim in grown(self.bench, trees, self.problem.budget, each, executor, open_):
            verdict = self._grown(tree, claim)
            if verdict is not None:
                yield verdict
