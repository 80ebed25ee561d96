"""cddlib in exact arithmetic: the only module that imports it.

Everything is integer rows. H: ``(b, a1, ..., an)`` meaning ``b + a·x >= 0``. V: ``(s, y1, ..., yn)``, s > 0 the
vertex y/s, s = 0 the ray y. Only ``cdd.gmp`` is used (the floating-point ``cdd`` is wrong on innocent input), and a
status other than "optimal" is never believed: see :func:`maximise`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import cdd
import cdd.gmp

from geomrelu.exact.numbers import primitive

__all__ = ["Optimum", "Row", "facets", "generators", "irredundant", "maximise"]

Row = tuple[int, ...]


_lock = threading.Lock()


@cache
def _nowhere() -> int:
    return os.open(os.devnull, os.O_WRONLY)


@contextmanager
def _silence() -> Iterator[None]:
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


@dataclass(frozen=True)
class Optimum:
    """The outcome of a linear program: exactly one of three.

    Attributes:
        value: the supremum, or None if it is infinite or the set is empty.
        point: a point of the set (the maximiser if ``value`` is not None), None if the set is empty.
        ray: a direction of unbounded growth, if there is one.
        multipliers: ``(of inequalities, of equalities)`` with objective + sum of multiplier * row = value identically.
    """

    value: Fraction | None
    point: tuple[Fraction, ...] | None
    ray: tuple[Fraction, ...] | None
    multipliers: tuple[dict[int, Fraction], dict[int, Fraction]] | None


def generators(inequalities: Sequence[Row], equalities: Sequence[Row], dimension: int) -> tuple[list[Row], list[Row]]:
    """H to V: ``(vertices and rays, lines)``, primitive integers; no generators at all if the set is empty.

    Method: double description (Fukuda's cddlib) in GMP arithmetic; can be exponential in the dimension.
    """
    rows = [*inequalities, *equalities] or [(1,) + (0,) * dimension]
    lineality = range(len(inequalities), len(rows)) if equalities else ()
    return _converted(rows, lineality, cdd.RepType.INEQUALITY)


def facets(points_and_rays: Sequence[Row], lines: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """V to H: ``(inequalities, equalities)``, primitive integers, irredundant."""
    rows = [*points_and_rays, *lines]
    return _converted(rows, range(len(points_and_rays), len(rows)), cdd.RepType.GENERATOR)


def _converted(rows: Sequence[Row], lineality: Sequence[int], kind: cdd.RepType) -> tuple[list[Row], list[Row]]:
    scaled = [_cdd_generator(row) for row in rows] if kind == cdd.RepType.GENERATOR else rows
    matrix = cdd.gmp.matrix_from_array([list(r) for r in scaled], rep_type=kind, lin_set=list(lineality))
    polyhedron = cdd.gmp.polyhedron_from_matrix(matrix)
    copy = cdd.gmp.copy_generators if kind == cdd.RepType.INEQUALITY else cdd.gmp.copy_inequalities
    result = copy(polyhedron)
    normal = [primitive(row) for row in result.array]
    linear = set(result.lin_set)
    return [r for i, r in enumerate(normal) if i not in linear], [normal[i] for i in sorted(linear)]


def _cdd_generator(row: Row) -> list[Fraction | int]:
    """cddlib wants vertices with leading 1."""
    return list(row) if row[0] in (0, 1) else [Fraction(v, row[0]) for v in row]


def irredundant(inequalities: Sequence[Row], equalities: Sequence[Row]) -> tuple[list[int], list[int]]:
    """Which inequalities of a nonempty set are facets and which are equalities in disguise: ``(kept, implicit)``.

    ``kept`` with all equalities and the implicit ones describe the set, and no row of ``kept`` can be left out.

    Method: one linear program a row, two for those that are not implicit (cddlib's own redundancy functions are not
    safe, see :func:`maximise`).
    """
    implicit = [i for i, row in enumerate(inequalities) if maximise(row, inequalities, equalities).value == 0]
    flats = [*equalities, *(inequalities[i] for i in implicit)]
    kept = [i for i in range(len(inequalities)) if i not in set(implicit)]
    for i in list(kept):
        rest = [inequalities[k] for k in kept if k != i]
        least = maximise(tuple(-v for v in inequalities[i]), rest, flats).value
        if least is not None and least <= 0:
            kept.remove(i)
    return kept, implicit


def maximise(objective: Row, inequalities: Sequence[Row], equalities: Sequence[Row] = ()) -> Optimum:
    """The supremum of ``objective`` on ``{rows >= 0, equalities = 0}``, with its reason.

    Method: one exact linear program (criss-cross, GMP) when there is an optimum. Otherwise two further programs that
    always have one decide what the status word cannot: ``max t <= 1`` with ``row >= t`` (t < 0: empty), and the
    largest growth at most 1 along the recession cone (the ray). Criss-cross and nothing else: other methods of cddlib
    0.94m, its redundancy removal among them, can corrupt memory.
    """
    n = len(objective) - 1
    found = _optimal(objective, inequalities, equalities)
    if found is not None:
        value, point, dual = found
        split = len(inequalities)
        flats = len(equalities)
        below = {i: m for i, m in dual.items() if i < split}
        above: dict[int, Fraction] = {}
        for i, m in dual.items():
            if i >= split:
                k, sign = (i - split) % flats, 1 if i < split + flats else -1
                above[k] = above.get(k, Fraction(0)) + sign * m
        return Optimum(value, point, None, (below, {k: m for k, m in above.items() if m}))
    slack = [(*row, -1) for row in inequalities] + [(1, *(0,) * n, -1)]
    best = _optimal((0,) * (n + 1) + (1,), slack, [(*row, 0) for row in equalities])
    if best is None or best[0] < 0:  # None: the equalities alone contradict each other
        return Optimum(None, None, None, None)
    cone = [(0, *row[1:]) for row in inequalities] + [(1, *(-a for a in objective[1:]))]
    growth = _optimal((0, *objective[1:]), cone, [(0, *row[1:]) for row in equalities])
    if growth is None or growth[0] <= 0:
        raise ArithmeticError("cddlib found neither an optimum nor a ray of a feasible linear program")
    return Optimum(None, best[1][:n], growth[1], None)


def _optimal(
    objective: Row, inequalities: Sequence[Row], equalities: Sequence[Row]
) -> tuple[Fraction, tuple[Fraction, ...], dict[int, Fraction]] | None:
    n = len(objective) - 1
    rows = [list(r) for r in inequalities]
    rows += [list(r) for r in equalities] + [[-v for v in r] for r in equalities]
    if not rows:
        if any(objective[1:]):
            return None
        return Fraction(objective[0]), (Fraction(0),) * n, {}
    matrix = cdd.gmp.matrix_from_array(
        rows, rep_type=cdd.RepType.INEQUALITY, obj_type=cdd.LPObjType.MAX, obj_func=list(objective)
    )
    program = cdd.gmp.linprog_from_matrix(matrix)
    with _silence():
        cdd.gmp.linprog_solve(program, cdd.LPSolverType.CRISS_CROSS)
    if program.status != cdd.LPStatusType.OPTIMAL:
        return None
    dual = {i: m for i, m in program.dual_solution if m}
    return program.obj_value, tuple(program.primal_solution), dual
