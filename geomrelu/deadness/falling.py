"""Unbounded sets: proofs that a dead neuron falls along every ray, and so stays dead far out for nearby parameters.

How a neuron grows along a ray is what the network without biases gives there. On the slices of the recession cone
(``slices`` in ``checker``), which are bounded, that is a question like any other, and is answered by linear programs
that split the signs that matter; a list of cones (:mod:`geomrelu.certificates.infinity`) needs the signs of all
neurons, but says it as well where a neuron stays off along a ray without falling.
Where the highest value is 0, the ray on which it is taken may show that small changes revive the neuron.

Cost: as that of :mod:`geomrelu.deadness.by_signs`, on each slice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from operator import mul
from typing import Any, NamedTuple

from geomrelu import checker
from geomrelu.budget import Budget
from geomrelu.certificates.batch import Quick, derived
from geomrelu.certificates.infinity import TooManyParts
from geomrelu.deadness.by_signs import BySigns, is_wide
from geomrelu.deadness.inside import is_moderate
from geomrelu.deadness.proof_tree import Node
from geomrelu.exact import linear_programs
from geomrelu.exact.elimination import rank
from geomrelu.exact.numbers import primitive
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.network import Network

__all__ = ["Falling", "falls", "without_biases"]

PARTS = 200  # of each proof


def without_biases(network: Network) -> Network:
    """The network that says how the values of this one grow along rays."""
    return Network(network.inputs, tuple(replace(map_, bias=(0,) * map_.outputs) for map_ in network.layers))


def falls(domain: Polyhedron, slope: Sequence[Fraction]) -> bool:
    """Is ``slope·d < 0`` seen for every direction d != 0 of the recession cone? (For the zero slope: is it bounded?)

    Method: of a box and of generators by signs; else the slope must be minus an interior point of the cone of rows, a
    combination in which every row has a positive multiplier: one exact linear program makes the least one as large as
    possible.
    """
    checked = domain.checked
    if checked.generators is not None:
        _, rays, lines = checked.generators
        return not lines and all(sum(map(mul, slope, ray)) < 0 for ray in rays)
    sides = list(zip(slope, checked.lower, checked.upper, strict=True))
    if domain.is_box:
        return all((low is not None or a > 0) and (high is not None or a < 0) for a, low, high in sides)
    if not is_moderate(domain):
        return False
    inequalities, equalities = domain.inequalities, domain.equalities
    m, k = len(inequalities), len(equalities)
    above = [(0, *(int(i == j) for j in range(m)), *[0] * k, -1) for i in range(m)]
    balance = [
        primitive((a, *(r[j + 1] for r in inequalities), *(r[j + 1] for r in equalities), 0))
        for j, a in enumerate(slope)
    ]
    best = linear_programs.maximise((0,) * (m + k + 1) + (1,), [*above, (1, *[0] * (m + k), -1)], balance)
    if not best.value or best.value < 0:
        return False
    sided = all(low is not None or high is not None for _, low, high in sides)
    return sided or rank(r[1:] for r in (*inequalities, *equalities)) == domain.dimension


class Contradiction(NamedTuple):
    """Rows and equalities that no point fulfils: with these multipliers their sum is at most ``-depth`` on the box."""

    judge: Quick
    depth: Fraction
    rows: dict[int, Fraction]
    equalities: dict[int, Fraction]

    def proof(self, layer: int, i: int) -> list[Node]:
        """That a neuron is at most -1 there: the contradiction outweighs whatever bound there is on the box."""
        bound = self.judge.bound([derived(layer)], layer, i, 1)
        factor = (max(Fraction(bound), Fraction(0)) + 1) / self.depth
        tables = {"rows": self.rows, "equalities": self.equalities}
        said = {key: {str(k): str(m * factor) for k, m in table.items() if m} for key, table in tables.items()}
        return [derived(layer) | said]


def _contradiction(network: Network, domain: Polyhedron) -> Contradiction | None:
    """By the linear program of the largest t <= 1 that no row, nor an equality in either sense, is less than."""
    sides, flats = len(domain.sides), domain.equalities
    facts = [*domain.inequalities, *flats, *map(checker.opposite, flats)]
    rows = [*((*fact, -1) for fact in facts), (1, *(0,) * domain.dimension, -1)]
    best = linear_programs.maximise((0,) * (domain.dimension + 1) + (1,), rows)
    if best.value is None or best.value >= 0 or best.multipliers is None:
        return None
    below = dict.fromkeys(range(len(facts)), Fraction(0)) | dict(best.multipliers[0])
    first = len(domain.inequalities)
    equalities = {k: below[first + k] - below[first + len(flats) + k] for k in range(len(flats))}
    judge, inequalities = Quick([], network.checked, domain.checked), {k - sides: below[k] for k in range(sides, first)}
    return Contradiction(judge, -best.value, inequalities, equalities)


class Falling:
    """The search on one network and one domain."""

    def __init__(self, network: Network, domain: Polyhedron) -> None:
        self.network, self.domain = network, domain
        self._searches = dict[int, list[BySigns | Contradiction]]()

    @cached_property
    def _growing(self) -> Network:
        return without_biases(self.network)

    def claimed(self, layer: int, i: int, budget: Budget) -> dict[str, Any]:
        """What a claim says: a proof for each slice, or a ray along which small changes revive the neuron.

        Raises:
            Exhausted: the budget ends.
            TooManyParts: none is found in so many parts; programs would be long, or the domain is given by generators.
        """
        if is_wide(self.network, layer) or self.domain.given_by_generators or not is_moderate(self.domain):
            raise TooManyParts
        if layer not in self._searches:
            parts = [Polyhedron(part) for part in checker.slices(self.domain.checked)]
            network = self._growing
            self._searches[layer] = [_contradiction(network, part) or BySigns(network, part, layer) for part in parts]
        found = []
        for search in self._searches[layer]:
            if isinstance(search, Contradiction):
                found.append(search.proof(layer, i))
                continue
            about = search.search(i, PARTS, budget, values=False)
            if about is not None and about.supremum == 0 and about.point is not None:
                ray = primitive(about.point)
                if checker.revivable(self.network.checked, [Fraction(v) for v in ray], layer, i):
                    return {"stable": False, "ray": [str(v) for v in ray]}
            if about is None or about.proof is None or not about.is_negative:
                raise TooManyParts
            found.append(about.proof)
        return {"stable": True, "growth": found}
