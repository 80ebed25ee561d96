"""The signs of affine forms on the relative interior of a polyhedron."""

from __future__ import annotations

from collections.abc import Iterable
from operator import mul

from geomrelu.budget import Budget
from geomrelu.exact.affine import AffineForm
from geomrelu.exact.cddlib import Row
from geomrelu.geometry.polyhedron import Polyhedron

__all__ = ["MOST_GENERATORS", "has_few_generators", "sides_of"]

MOST_GENERATORS = 4096  # at which forms are looked at; beyond, linear programs


def has_few_generators(domain: Polyhedron) -> bool:
    """Or are they given?"""
    return domain.given_by_generators or domain.likely_generators <= MOST_GENERATORS


def sides_of(rows: Iterable[Row], domain: Polyhedron, budget: Budget) -> list[int | None]:
    """The sign of each form inside, None if it takes both.

    Raises:
        Exhausted: the time is over.
    """
    side, found = _by_generators if has_few_generators(domain) else _by_programs, []
    for row in rows:
        budget.poll()
        found.append(side(domain, row))
    return found


def _by_generators(domain: Polyhedron, row: Row) -> int | None:
    points, lines = domain.generators
    if any(sum(map(mul, row, line)) for line in lines):
        return None
    values = [sum(map(mul, row, g)) for g in points]
    low, high = min(values), max(values)
    return None if low < 0 < high else (high > 0) - (low < 0)


def _by_programs(domain: Polyhedron, row: Row) -> int | None:
    above = domain.supremum(AffineForm.of(row[0], row[1:])).value
    below = domain.supremum(AffineForm.of(-row[0], [-v for v in row[1:]])).value
    up, down = above is None or above > 0, below is None or below > 0
    return None if up and down else int(up) - int(down)
