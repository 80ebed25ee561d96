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

from geomrelu.exact.numbers import primitive

__all__ = ["Row", "facets", "generators", "silence"]

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


def facets(points_and_rays: Sequence[Row], lines: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """V to H: ``(inequalities, equalities)``, primitive integers, irredundant."""
    rows = [*points_and_rays, *lines]
    return _converted(rows, range(len(points_and_rays), len(rows)), points=True)


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
