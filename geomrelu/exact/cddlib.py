"""Vertices from inequalities and back, by the double description method of cddlib in exact arithmetic.

Everything is integer rows. H: ``(b, a1, ..., an)`` meaning ``b + a·x >= 0``. V: ``(s, y1, ..., yn)``, s > 0 the
vertex y/s, s = 0 the ray y. Only ``cdd.gmp`` is used: the floating-point ``cdd`` is wrong on innocent input. Only this
module and :mod:`geomrelu.exact.linear_programs` import cddlib.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import cache
from itertools import product
from operator import mul

from geomrelu.exact.numbers import primitive

__all__ = ["Row", "extreme", "facets", "generators", "of_box", "silence"]

Row = tuple[int, ...]


_lock = threading.Lock()


@cache
def _nowhere() -> int:
    return os.open(os.devnull, os.O_WRONLY)


@contextmanager
def silence() -> Iterator[None]:
    """Standard error is closed to cddlib: it tries floating point first and, where that fails, says so there, before it
    goes on exactly."""
    with _lock:
        try:
            kept = os.dup(2)
        except OSError:  # it is closed to everybody
            yield
            return
        try:
            os.dup2(_nowhere(), 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def generators(inequalities: Sequence[Row], equalities: Sequence[Row], dimension: int) -> tuple[list[Row], list[Row]]:
    """H to V: ``(vertices and rays, lines)``, primitive integers; no generators at all if the set is empty.

    Method: double description (Fukuda's cddlib) in GMP arithmetic; can be exponential in the dimension.
    """
    rows = [*inequalities, *equalities] or [(1,) + (0,) * dimension]
    lineality = range(len(inequalities), len(rows)) if equalities else ()
    return _converted(rows, lineality, points=False)


def of_box(ends: Sequence[tuple[Fraction | None, Fraction | None]]) -> tuple[list[Row], list[Row]]:
    """The same of a box, by its ends (None: there is none), without double description.

    The corners of its sides, a ray where one is missing, a line where both are.
    """
    corners = product(*(sorted({v for v in side if v is not None}) or [Fraction(0)] for side in ends))
    found, lines = [primitive((1, *corner)) for corner in corners], list[Row]()
    for j, (low, high) in enumerate(ends):
        unit = tuple(int(k == j + 1) * (-1 if low is None else 1) for k in range(len(ends) + 1))
        if low is None and high is None:
            lines.append(tuple(map(abs, unit)))
        elif low is None or high is None:
            found.append(unit)
    return found, lines


def facets(points_and_rays: Sequence[Row], lines: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """V to H: ``(inequalities, equalities)``, primitive integers, irredundant."""
    rows = [*points_and_rays, *lines]
    return _converted(rows, range(len(points_and_rays), len(rows)), points=True)


def extreme(points_and_rays: Sequence[Row], facets: Sequence[Row], flats: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Irredundant generators of a set among given ones, and a basis of its lineality space: ``(generators, lines)``.

    Args:
        points_and_rays: that span it, with its lines. facets, flats: its rows, the row 1 >= 0 among the facets.

    Method: those on which more facets vanish than on any other; of those with the same facets (they differ by lines)
    the first. (The way back by double description can take minutes where the way here took a moment.)
    """
    lines = _kernel([row[1:] for row in (*facets, *flats) if any(row[1:])], len(facets[0]) - 1)
    tight: dict[int, Row] = {}
    for g in points_and_rays:
        zeros = sum(1 << k for k, row in enumerate(facets) if not sum(map(mul, row, g)))
        if zeros.bit_count() < len(facets):  # else it is a line
            tight.setdefault(zeros, g)
    kept: list[int] = []
    for zeros in sorted(tight, key=int.bit_count, reverse=True):
        if not any(zeros & other == zeros for other in kept):
            kept.append(zeros)
    chosen = set(kept)
    return [g for zeros, g in tight.items() if zeros in chosen], lines


def _kernel(rows: Sequence[Row], dimension: int) -> list[Row]:
    """A basis of ``{y : all rows are 0}``, as homogeneous lines."""
    if not rows:
        return [tuple(int(k == j + 1) for k in range(dimension + 1)) for j in range(dimension)]
    from flint import fmpz_mat  # start-up time and memory

    table, nullity = fmpz_mat([list(row) for row in rows]).nullspace()
    return [primitive((0, *map(int, column))) for column in zip(*table.tolist(), strict=True)][:nullity]


def _converted(rows: Sequence[Row], lineality: Sequence[int], points: bool) -> tuple[list[Row], list[Row]]:
    """From inequalities, or from points and rays."""
    import cdd.gmp  # start-up time and memory

    scaled = [_cdd_generator(row) for row in rows] if points else rows
    kind = cdd.RepType.GENERATOR if points else cdd.RepType.INEQUALITY
    matrix = cdd.gmp.matrix_from_array([list(r) for r in scaled], rep_type=kind, lin_set=list(lineality))
    polyhedron = cdd.gmp.polyhedron_from_matrix(matrix)
    copy = cdd.gmp.copy_inequalities if points else cdd.gmp.copy_generators
    result = copy(polyhedron)
    normal = [primitive(row) for row in result.array]
    linear = set(result.lin_set)
    return [r for i, r in enumerate(normal) if i not in linear], [normal[i] for i in sorted(linear)]


def _cdd_generator(row: Row) -> list[Fraction | int]:
    """cddlib wants vertices with leading 1."""
    return list(row) if row[0] in (0, 1) else [Fraction(v, row[0]) for v in row]
