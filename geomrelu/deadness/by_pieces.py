"""Deeper layers where the linear pieces are few: all of them are walked, which gives exact suprema and proofs.

It also knows how to move on unbounded domains that are not boxes, which no other method does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from geomrelu import checker
from geomrelu.budget import Budget
from geomrelu.certificates.files import Claim
from geomrelu.certificates.region import Region
from geomrelu.deadness.by_cuts import Cuts
from geomrelu.deadness.problem import Problem
from geomrelu.deadness.proof_tree import Node
from geomrelu.deadness.verdict import Verdict
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network import pieces
from geomrelu.network.network import Network
from geomrelu.network.pieces import Cell
from geomrelu.network.program_pieces import by_programs

__all__ = ["MANY_PIECES", "ByPieces", "allowance", "are_few", "is_listed", "proofs"]

FEW_PIECES = 20_000  # below this many likely pieces, walking them all is quicker than searching
MANY_PIECES = 50_000_000  # above, no walk comes to its end
PROOF = 1 << 24  # products for the proof of a neuron, about, before it is left to the walk over all pieces
LISTING = 8_000_000  # generators, times the square of the dimension, that double description lists within some seconds
MOST_GENERATED = 10  # the largest dimension in which the corners of a bounded box (at most 1024) are listed


def is_listed(domain: Polyhedron) -> bool:
    """Are the generators of the domain few enough to start from?"""
    if domain.is_box and domain.is_bounded:
        return domain.dimension <= MOST_GENERATED
    listing = 1 if domain.is_box or domain.given_by_generators else domain.dimension**2
    return domain.likely_generators <= min(FEW_PIECES, LISTING // listing)


def are_few(problem: Problem, domain: Polyhedron, layer: int, few: int = FEW_PIECES) -> bool:
    """Are the linear pieces up to this layer likely to be few?"""
    killed = [l for l, width in enumerate(problem.network.widths, 1) if problem.dead[l] == width]
    return pieces.likely_pieces(problem.network, domain, layer, killed) <= few


def allowance(budget: Budget) -> Budget:
    """What may be spent on pieces that are likely to be few, before other methods are tried: half of the time, since a
    walk says nothing before its end.
    """
    return budget.part(10 * FEW_PIECES, 1 / 2)


def proofs(
    network: Network,
    domain: Polyhedron,
    layer: int,
    limits: Mapping[int, Fraction],
    budget: Budget,
    root: Region | None = None,
    start: Cell | None = None,
) -> dict[int, list[Node]]:
    """Proofs that neuron i of a layer is at most ``limits[i]``, its supremum: along kinks where that is possible, else
    by the walk over all pieces.

    Args:
        root: the region of the domain, if there is one already. start: the domain as a cell, if not by generators.
    """
    trees: dict[int, list[Node]] = {}
    if limits and domain.is_bounded:
        cuts = Cuts(network, domain, layer, root or Region(network.checked, domain.checked))
        for i, limit in limits.items():
            found = cuts.search(i, PROOF, budget, limit)
            if found is None:  # the walk is as long for one as for all
                break
            if found.above is None:
                trees[i] = found.proof
    left = {i: limit for i, limit in limits.items() if i not in trees}
    return {**trees, **(pieces.proofs(network, domain, layer, left, budget, start) if left else {})}


class ByPieces:
    """The walk over all linear pieces; one walk serves all layers that it went through."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._extremes: list[dict[int, pieces.Extreme]] = []  # for each layer walked, of each neuron

    def verdicts(
        self, domain: Polyhedron, layer: int, asked: Sequence[int], last: int, budget: Budget
    ) -> Iterator[Verdict]:
        """Exact suprema, stability and proofs. Cost: linear in the number of pieces.

        Args:
            last: the deepest layer that will be asked; the walk goes on to it while pieces are likely to be few.
        """
        problem = self.problem
        if not is_listed(domain):
            start = by_programs(problem.network, domain, budget)
            found = pieces.extremes(problem.network, domain, layer, budget, start=start, only=asked)[layer - 1]
        else:
            start = None
            found = self._listed(domain, layer, last, budget)
        dead = []
        for i in asked:
            best = found[i]
            if best.value is None:
                yield problem.unbounded(layer, i, best.point, best.ray)
            elif best.value > 0:
                claim: Claim = {"layer": layer, "neuron": i, "status": "alive", "point": problem.point(best.point)}
                yield problem.decided(claim, best.value, "maximum over all pieces")
            else:
                dead.append(i)
        limits = {i: value for i in dead if (value := found[i].value) is not None}
        problem.quick.watch(budget.poll)
        trees = proofs(problem.network, domain, layer, limits, budget, problem.quick.root, start)
        for i in dead:
            best = found[i]
            problem.budget.spend(0)
            far = problem.bounding
            if far is None and limits[i] < 0:
                flat = self._reviving_ray(layer, i, best)
                far = problem.far(layer, i) if flat is None else problem.unstable(flat)
            yield problem.valued(layer, i, limits[i], problem.point(best.point), trees[i], "all pieces", far)

    def _listed(self, domain: Polyhedron, layer: int, last: int, budget: Budget) -> dict[int, pieces.Extreme]:
        if len(self._extremes) < layer:
            deepest = layer
            while deepest < last and are_few(self.problem, domain, deepest + 1):
                deepest += 1
            self._extremes = pieces.extremes(self.problem.network, domain, deepest, budget)
        return self._extremes[layer - 1]

    def _reviving_ray(self, layer: int, i: int, best: pieces.Extreme) -> Sequence[int] | None:
        """A ray that shows a dead neuron with negative supremum not to be stable."""
        model = self.problem.network.checked
        return next((r for r in best.flat if checker.revivable(model, [Fraction(v) for v in r], layer, i)), None)
