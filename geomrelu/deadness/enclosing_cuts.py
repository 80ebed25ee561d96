"""How a proof begins on a bounded domain whose box is open: each side that is missing is cut just beyond the domain.

The judge knows nothing of a box around such a domain. On the outer side of a cut there are no points, which a neuron of
layer 1 shows: multipliers of rows prove its minimum there, and others that it is less.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import cached_property
from typing import Any

from geomrelu.certificates.batch import derived
from geomrelu.deadness.inside import Inside
from geomrelu.deadness.proof_tree import Node, Part, Split
from geomrelu.geometry.polyhedron import Supremum
from geomrelu.network.network import Network

__all__ = ["EnclosingCuts"]


class EnclosingCuts:
    """For one network and one domain."""

    def __init__(self, network: Network, inside: Inside) -> None:
        self.network, self.inside = network, inside

    @cached_property
    def _extremes(self) -> tuple[Supremum, Supremum]:
        """Of neuron 0 of layer 1: the maximum of its negative, and its maximum."""
        form = self.network.layers[0].form(0)
        return self.inside.domain.supremum(-form), self.inside.domain.supremum(form)

    def begun(self, level: int) -> tuple[dict[int, Split], list[Part]]:
        """The splits with which a proof about a neuron of a layer begins, and the parts below them; last the inner one,
        the others with their leaves."""
        part, nodes, parts = Part(*self.inside.root), dict[int, Split](), list[Part]()
        for j, sign, place in self.inside.missing:
            split = nodes[part.name] = Split(0, j, place)
            outer = part.child(split, sign)
            outer.leaf = self._beyond(level, j, sign, place)
            parts.append(outer)
            part = part.child(split, -sign)
        return nodes, [*parts, part]

    def _beyond(self, level: int, j: int, sign: int, place: float) -> Node:
        """The leaf of an outer side: the largest value of the neuron, less a multiple of how far one is outside, is
        below the least value."""
        least, most = self._extremes
        assert least.value is not None and most.value is not None
        own, flats = self.inside.proof(j, sign)
        beyond = sign * (Fraction(place) - (self.inside.upper if sign > 0 else self.inside.lower)[j])
        factor = (most.value + least.value + abs(most.value) + 1) / beyond
        rows, equalities = dict(most.rows), dict(most.equalities)
        for total, more in ((rows, own), (equalities, flats)):
            for k, m in more.items():
                total[k] = total.get(k, Fraction(0)) + factor * m
        ends: list[Any] = [[1, 0, "lower", _said(least.rows, least.equalities)]]
        ends.append([1, 0, "upper", _said(rows.items(), equalities.items())])
        first, *others = derived(level)["derive"]
        return {"derive": [first, *ends, *others]}


def _said(rows: Iterable[tuple[int, Fraction]], equalities: Iterable[tuple[int, Fraction]]) -> Node:
    tables = (("rows", rows), ("equalities", equalities))
    return {name: found for name, table in tables if (found := {str(k): str(m) for k, m in table if m})}
