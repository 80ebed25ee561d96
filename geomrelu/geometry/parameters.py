"""A polyhedron by parameters: its affine hull by some of the coordinates, or the set itself by its generators.

A set given by generators need not be converted to rows for affine forms on it: with v the first vertex

    x = v + sum of t_i (v_i - v) + sum of t_j r_j + sum of t_k l_k,    t_i, t_j >= 0,  sum of t_i <= 1,

forms in x are forms in t, one vanishes on the set if and only if it does for all t, and t with all rows positive is
mapped onto the relative interior. So the regions into which forms cut both are the same.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm

from flint import fmpz_mat

from geomrelu.budget import Budget, Exhausted
from geomrelu.exact import linear_programs
from geomrelu.exact.cddlib import Row
from geomrelu.exact.guided_programs import within
from geomrelu.geometry.lp_tree import dot, sufficient_coordinates
from geomrelu.geometry.polyhedron import Point, Polyhedron

__all__ = ["Parameters", "has_few_facets", "trial_of"]


TRIED = 3.0  # seconds for facets that may be fewer than the generators
MANY = 4  # generators for each dimension, below which weights are as good as facets


def trial_of(budget: Budget) -> Budget:
    """What may be spent on a description that may turn out to be smaller."""
    return Budget(TRIED if budget.left is None else min(TRIED, budget.left / 4))


def has_few_facets(domain: Polyhedron, budget: Budget) -> bool:
    """Of a set given by generators: are its facets soon found, and fewer? (A cube of n dimensions has 2 n.)"""
    generators = len(domain.generators[0])
    if generators <= MANY * (domain.dimension + 1):
        return False
    try:
        domain.convert(trial_of(budget))
    except Exhausted:
        budget.poll()
        return False
    return len(domain.inequalities) < generators


@dataclass(frozen=True)
class Parameters:
    """A nonempty polyhedron as the image of a set of full dimension.

    Attributes:
        coordinates: every coordinate as a form in the parameters, over ``denominator``.
        dimension: the number of parameters.
        rows: what the parameters satisfy, forms that are positive inside.
        inside: parameters at which they are (homogeneous), where that is known.
    """

    coordinates: list[Row]
    denominator: int
    dimension: int
    rows: list[Row]
    inside: Row | None = None

    @classmethod
    def of(cls, domain: Polyhedron, budget: Budget) -> Parameters:
        """Whichever is smaller."""
        if domain.given_by_generators and not has_few_facets(domain, budget):
            return cls.of_generators(domain, budget)
        return cls.of_hull(domain, budget)

    @classmethod
    def of_generators(cls, domain: Polyhedron, budget: Budget) -> Parameters:
        """The set by its generators as they are given."""
        first, *others = domain.vertices
        scale = lcm(*(v.denominator for point in (first, *others) for v in point))
        start = [int(v * scale) for v in first]
        steps = [[int(v * scale) - s for v, s in zip(point, start, strict=True)] for point in others]
        steps += [[v * scale for v in ray] for ray in (*domain.rays, *domain.lines)]
        coordinates = []
        for j, s in enumerate(start):
            budget.poll()
            coordinates.append((s, *(step[j] for step in steps)))
        positive, size = len(others) + len(domain.rays), len(steps)
        rows: list[Row] = [(0, *(int(i == j) for j in range(size))) for i in range(positive)]
        if others:
            rows.append((1, *[-1] * len(others), *[0] * (size - len(others))))
        inside = (len(others) + 1, *[1] * positive, *[0] * (size - positive))
        return cls(coordinates, scale, size, rows, inside)

    @classmethod
    def of_hull(cls, domain: Polyhedron, budget: Budget) -> Parameters:
        """The affine hull by some of the coordinates, and the set by its rows."""
        n, flats = domain.dimension, list(domain.equalities)
        if domain.is_box:
            ends = enumerate(zip(domain.checked.lower, domain.checked.upper, strict=True))
            fixed = {j: low for j, (low, high) in ends if low is not None and low == high}
            scale = lcm(*(v.denominator for v in fixed.values()))
            return cls._solved({j: {n: -int(v * scale)} for j, v in fixed.items()}, scale, domain, budget)
        found = cls._solving(flats, domain, budget)
        if domain.given_by_generators:
            return found
        inside = within(found.rows, found.dimension)
        if inside is not None:  # no inequality is an equation in disguise
            return replace(found, inside=inside)
        hidden = linear_programs.implicit(domain.inequalities, flats, budget.poll)
        return cls._solving([*flats, *(domain.inequalities[i] for i in hidden)], domain, budget)

    @classmethod
    def _solving(cls, flats: Sequence[Row], domain: Polyhedron, budget: Budget) -> Parameters:
        solved: dict[int, dict[int, int]] = {}
        scale = 1
        if flats:
            reduced, lead, rank = fmpz_mat([[*r[1:], r[0]] for r in flats]).rref()
            scale, turn = abs(int(lead)), 1 if lead > 0 else -1
            for row in reduced.tolist()[:rank]:
                entries = [turn * int(v) for v in row]
                solved[next(j for j, v in enumerate(entries) if v)] = dict(enumerate(entries))
        return cls._solved(solved, scale, domain, budget)

    @classmethod
    def _solved(cls, solved: dict[int, dict[int, int]], scale: int, domain: Polyhedron, budget: Budget) -> Parameters:
        """By the coordinates that are not solved for: ``scale`` times the j-th one plus ``solved[j]``, that is its
        entries at the others and its constant (at n), is 0."""
        n = domain.dimension
        free = [j for j in range(n) if j not in solved]
        coordinates: list[Row] = []
        for j in range(n):
            budget.poll()
            form = [-solved[j].get(k, 0) for k in (n, *free)] if j in solved else [0] * (len(free) + 1)
            if j not in solved:
                form[1 + bisect_left(free, j)] = scale
            coordinates.append(tuple(form))
        hull = cls(coordinates, scale, len(free), [])
        pulled = _sides(domain, free) if domain.is_box else hull.all_pulled(domain.inequalities, budget)
        return cls(coordinates, scale, len(free), [row for row in pulled if any(row[1:])])

    def restricted(self, rows: Sequence[Row]) -> Parameters:
        """The part where parameters are 0 that neither its own rows nor some forms in them need."""
        columns = sufficient_coordinates([*self.rows, *rows], self.dimension)
        tables = [[(r[0], *(r[k + 1] for k in columns)) for r in table] for table in (self.coordinates, self.rows)]
        inside = None if self.inside is None else (self.inside[0], *(self.inside[k + 1] for k in columns))
        if inside is not None and any(dot(row, inside) <= 0 for row in tables[1]):
            inside = None
        return Parameters(tables[0], self.denominator, len(columns), tables[1], inside)

    def all_pulled(self, rows: Iterable[Row], budget: Budget) -> Iterator[Row]:
        """:meth:`pulled` of each."""
        for row in rows:
            budget.poll()
            yield self.pulled(row)

    def pulled(self, row: Row) -> Row:
        """A positive multiple of a form, in the parameters."""
        total = [self.denominator * row[0]] + [0] * self.dimension
        for a, form in zip(row[1:], self.coordinates, strict=True):
            if a:
                total = [t + a * v for t, v in zip(total, form, strict=True)]
        return tuple(total)

    def lifted(self, parameters: Row) -> Point:
        """The point with these homogeneous parameters."""
        scale = self.denominator * parameters[0]
        return tuple(Fraction(dot(form, parameters), scale) for form in self.coordinates)


def _sides(box: Polyhedron, free: Sequence[int]) -> Iterator[Row]:
    """The sides of a box of some coordinates, in these; of all coordinates they would be long rows."""
    for k, j in enumerate(free, 1):
        for end, sign in ((box.checked.lower[j], 1), (box.checked.upper[j], -1)):
            if end is not None:
                row = [0] * (len(free) + 1)
                row[0], row[k] = -sign * end.numerator, sign * end.denominator
                yield tuple(row)
