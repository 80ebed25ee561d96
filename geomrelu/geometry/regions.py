"""Regions of hyperplanes inside a polyhedral domain: what is not essential is set aside, then a method is chosen.

Copies of a hyperplane and constant forms get their signs at the end; directions that no form sees are dropped (the
lineality space: some coordinates are set to 0); a central arrangement is cut by {h = 1} for one of its forms, since its
regions come in opposite pairs. What is left has a vertex in every region. By estimate it goes to

- :mod:`~geomrelu.geometry.sweep`, all vertices at once, while there are not too many subsets that might meet in one;
- :mod:`~geomrelu.geometry.lp_tree`, a tree of certified linear programs, otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from math import comb

import numpy as np

from geomrelu.budget import Budget, Exhausted
from geomrelu.exact import linear_programs
from geomrelu.exact.cddlib import Row
from geomrelu.exact.elimination import eliminated, line_of, pivots
from geomrelu.geometry.lp_tree import cut
from geomrelu.geometry.sweep import Sweep

__all__ = ["Regions", "is_swept"]

MOST_SUBSETS = 40_000_000  # that the sweep may examine: a minute
MOST_MINORS = 100_000_000  # of one size, that it may hold: 0.8 GB
BATCH = 4096


def is_swept(m: int, n: int) -> bool:
    """Are the vertices of m hyperplanes in R^n few enough to be found all at once, with all minors on the way there?"""
    held = max((comb(m, k) * comb(n + 1, k) for k in range(n)), default=0)
    return comb(m, n) <= MOST_SUBSETS and held <= MOST_MINORS


class Regions:
    """The regions into which forms (b, a1, ..., an) divide {x : all facets > 0} (which may be empty).

    Args:
        rows: any forms, integers. facets: forms; n is ``dimension``. inside: a homogeneous point at which all facets
            are positive, if one is known.
    """

    def __init__(self, rows: Sequence[Row], facets: Sequence[Row], dimension: int, inside: Row | None = None) -> None:
        self.paired = False
        self._sweep: Sweep | None = None  # the last one: it knows what is bounded below
        walls = dict(line_of(row) for row in facets if any(row[1:]))  # (its hyperplane, the side that counts)
        self._empty = any(walls[line] != side for line, side in (line_of(r) for r in facets if any(r[1:])))
        numbers: dict[Row, int] = {}
        self.places: list[tuple[int, int]] = []  # per form (number of its hyperplane, orientation) or (-1, sign)
        for row in rows:
            line, side = line_of(row)
            if line in walls:
                self.places.append((-1, side * walls[line]))
            elif any(row[1:]):
                self.places.append((numbers.setdefault(line, len(numbers)), side))
            else:
                self.places.append((-1, (row[0] > 0) - (row[0] < 0)))
        lines = list(numbers)
        facets = [tuple(side * v for v in line) for line, side in walls.items()]
        both = [*lines, *facets]
        columns = pivots([r[1:] for r in both])
        self.dimension = len(columns)
        self.inside = None if inside is None else (inside[0], *(inside[k + 1] for k in columns))
        if len(columns) < dimension:
            both = [(r[0], *(r[k + 1] for k in columns)) for r in both]
        if lines and not facets and len(pivots([(*r[1:], r[0]) for r in both])) == len(columns):
            both = self._decone(both)
        self.rows = both
        self.positive = range(len(both) - len(facets), len(both))

    def _decone(self, rows: list[Row]) -> list[Row]:
        """The others on {h = 1}, for the form h and its coefficient that keep numbers small; h becomes hyperplane 0."""
        self.paired = True
        self.dimension -= 1
        _, _, first, column = min(
            (abs(v), max(map(abs, r)), i, k) for i, r in enumerate(rows) for k, v in enumerate(r[1:], 1) if v
        )
        h = rows[first]
        order = [first, *(i for i in range(len(rows)) if i != first)]
        number = {old: new for new, old in enumerate(order)}
        self.places = [(number[k], side) if k >= 0 else (k, side) for k, side in self.places]
        return eliminated([rows[i] for i in order[1:]], (h[0] - 1, *h[1:]), column)

    @property
    def _swept(self) -> bool:
        return is_swept(len(self.rows), self.dimension)

    def _codes(self, budget: Budget) -> Iterator[np.ndarray]:
        """Sign vectors on ``rows``, in batches."""
        if self._empty:
            return
        if self._swept:
            self._sweep = Sweep(self.rows, self.positive, budget)
            yield from self._sweep.regions()
            return
        domain = [self.rows[k] for k in self.positive]
        if domain and self.inside is None and not _has_interior(domain):
            return
        rows = self.rows[: len(self.rows) - len(domain)]
        found = cut(rows, domain, self.dimension, budget.clock(), self.inside)
        end: Exhausted | None = None
        while end is None:
            batch: list[tuple[int, ...]] = []
            try:
                batch += ((*signs, *[1] * len(domain)) for signs, _ in islice(found, BATCH))
            except Exhausted as reason:  # what was found before is given all the same
                end = reason
            if not batch:
                break
            yield np.array(batch, dtype=np.int8)
        if end is not None:
            raise end

    def batches(self, budget: Budget) -> Iterator[np.ndarray]:
        """Sign vectors of the given forms, (k, m) int8 at a time; each region once.

        Raises:
            Exhausted: after what the budget allowed.
        """
        numbers = np.array([k for k, _ in self.places], dtype=np.int64)
        sides = np.array([side for _, side in self.places], dtype=np.int8)
        constant = numbers < 0
        plain = np.array_equal(numbers, np.arange(len(self.rows) + self.paired)) and bool((sides == 1).all())
        for codes in self._codes(budget):
            if self.paired:
                codes = np.column_stack([np.ones(len(codes), dtype=np.int8), codes])
                codes = np.concatenate([codes, -codes])
            start = 0
            while start < len(codes):
                end = start + budget.grant(len(codes) - start)
                part, start = codes[start:end], end
                if not plain:
                    signs = np.ones((len(part), len(numbers)), dtype=np.int8)
                    signs[:, ~constant] = part[:, numbers[~constant]]
                    part = signs * sides
                yield part

    def count(self, budget: Budget) -> int:
        """How many there are."""
        return sum(map(len, self.batches(budget)))

    def count_bounded(self, budget: Budget) -> int:
        """How many are bounded, but for the directions that no form sees (*relatively bounded*)."""
        if self.paired:
            return 0
        if not self.rows:
            return 1
        if self._swept:
            sweep = self._sweep or Sweep(self.rows, self.positive, budget)
            sweep.budget = budget
            return sweep.count_bounded()
        return sum(self._is_bounded(code) for codes in self._codes(budget) for code in codes.tolist())

    def _is_bounded(self, code: Sequence[int]) -> bool:
        """Is the recession cone {0}? The normals span, so a direction in it makes a form grow."""
        return not linear_programs.recedes([tuple(s * v for v in row) for s, row in zip(code, self.rows, strict=True)])


def _has_interior(rows: Sequence[Row]) -> bool:
    found = linear_programs.deepest(rows, (), len(rows[0]) - 1)
    return found is not None and found[0] > 0
