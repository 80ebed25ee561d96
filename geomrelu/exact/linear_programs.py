"""Exact linear programs, by cddlib in rational arithmetic; a status other than "optimal" is never believed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from geomrelu.exact.cddlib import Row, silence
from geomrelu.exact.guided_programs import Found, is_large, suggested

__all__ = ["Optimum", "deepest", "implicit", "irredundant", "maximise", "recedes", "receding"]


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


def irredundant(
    inequalities: Sequence[Row],
    equalities: Sequence[Row],
    poll: Callable[[], object] = lambda: None,
    enough: Callable[[], bool] = lambda: False,
) -> tuple[list[int], list[int]]:
    """Which inequalities of a nonempty set are facets and which are equalities in disguise: ``(kept, implicit)``.

    ``kept`` with all equalities and the implicit ones describe the set, and no row of ``kept`` can be left out, but for
    those that were still to be looked at when it was ``enough``.

    Method: one linear program a row, two where some are implicit, and ``poll`` before each (cddlib's own redundancy
    functions are not safe, see :func:`maximise`).
    """
    hidden = implicit(inequalities, equalities, poll)
    flats = [*equalities, *(inequalities[i] for i in hidden)]
    kept = [i for i in range(len(inequalities)) if i not in set(hidden)]
    for i in list(kept):
        poll()
        if enough():
            break
        rest = [inequalities[k] for k in kept if k != i]
        least = maximise(tuple(-v for v in inequalities[i]), rest, flats).value
        if least is not None and least <= 0:
            kept.remove(i)
    return kept, hidden


def implicit(
    inequalities: Sequence[Row], equalities: Sequence[Row], poll: Callable[[], object] = lambda: None
) -> list[int]:
    """Which inequalities of a nonempty set are equalities in disguise; ``poll`` is called before each program.

    Method: one linear program may say that there is none; otherwise one for each.
    """
    poll()
    inside = deepest(inequalities, equalities, len(inequalities[0]) - 1) if inequalities else None
    if inside is not None and inside[0] > 0:  # a point at which none is 0
        return []
    found = []
    for i, row in enumerate(inequalities):
        poll()
        if maximise(row, inequalities, equalities).value == 0:
            found.append(i)
    return found


def recedes(inequalities: Sequence[Row], equalities: Sequence[Row] = ()) -> bool:
    """Is there a direction along which no inequality falls, some inequality grows, and no equality changes?"""
    return receding(inequalities, equalities) is not None


def receding(inequalities: Sequence[Row], equalities: Sequence[Row] = ()) -> tuple[Fraction, ...] | None:
    """Such a direction."""
    cone, flats = ([(0, *row[1:]) for row in table] for table in (inequalities, equalities))
    if not cone:
        return None
    growth = tuple(map(sum, zip(*cone, strict=True)))
    best = maximise(growth, [*cone, (1, *(-v for v in growth[1:]))], flats)
    return best.point if best.value != 0 else None


def deepest(
    inequalities: Sequence[Row], equalities: Sequence[Row], dimension: int
) -> tuple[Fraction, tuple[Fraction, ...]] | None:
    """How large the smallest inequality can be where the equalities hold, up to 1, and where (< 0: the set is empty);
    None if the equalities alone contradict each other."""
    slack = [*((*row, -1) for row in inequalities), (1, *(0,) * dimension, -1)]
    found = _solved((0,) * (dimension + 1) + (1,), slack, [(*row, 0) for row in equalities])
    return None if found is None else (found[0], found[1][:dimension])


def maximise(objective: Row, inequalities: Sequence[Row], equalities: Sequence[Row] = ()) -> Optimum:
    """The supremum of ``objective`` on ``{rows >= 0, equalities = 0}``, with its reason.

    Method: one exact linear program (criss-cross, GMP) when there is an optimum; of a large one the optimum that floats
    suggest, if it is one (:mod:`geomrelu.exact.guided_programs`). Otherwise two further programs that always have one
    decide what the status word cannot: ``max t <= 1`` with ``row >= t`` (t < 0: empty), and the largest growth at most
    1 along the recession cone (the ray). Criss-cross and nothing else: other methods of cddlib 0.94m, its redundancy
    removal among them, can corrupt memory.
    """
    n = len(objective) - 1
    hint = suggested(objective, inequalities, equalities) if is_large(len(inequalities), n + 1) else True
    found = hint if not isinstance(hint, bool) else _optimal(objective, inequalities, equalities) if hint else None
    if found is not None:
        return _attained(found, len(inequalities), len(equalities))
    best = deepest(inequalities, equalities, n)
    if best is None or best[0] < 0:
        return Optimum(None, None, None, None)
    cone = [(0, *row[1:]) for row in inequalities] + [(1, *(-a for a in objective[1:]))]
    growth = _solved((0, *objective[1:]), cone, [(0, *row[1:]) for row in equalities])
    if growth is None or growth[0] <= 0:
        found = _optimal(objective, inequalities, equalities)  # floats were wrong that there is none
        if found is None:
            raise ArithmeticError("cddlib found neither an optimum nor a ray of a feasible linear program")
        return _attained(found, len(inequalities), len(equalities))
    return Optimum(None, best[1], growth[1], None)


def _attained(found: Found, split: int, flats: int) -> Optimum:
    """With the multipliers of both sides of an equality as one."""
    value, point, dual = found
    above: dict[int, Fraction] = {}
    for i, m in dual.items():
        if i >= split:
            k, sign = (i - split) % flats, 1 if i < split + flats else -1
            above[k] = above.get(k, Fraction(0)) + sign * m
    below = {i: m for i, m in dual.items() if i < split}
    return Optimum(value, point, None, (below, {k: m for k, m in above.items() if m}))


def _solved(objective: Row, inequalities: Sequence[Row], equalities: Sequence[Row]) -> Found | None:
    """The optimum, if there is one."""
    if is_large(len(inequalities), len(objective)):
        found = suggested(objective, inequalities, equalities)
        if not isinstance(found, bool):
            return found
    return _optimal(objective, inequalities, equalities)


def _optimal(objective: Row, inequalities: Sequence[Row], equalities: Sequence[Row]) -> Found | None:
    n = len(objective) - 1
    rows = [list(r) for r in inequalities]
    rows += [list(r) for r in equalities] + [[-v for v in r] for r in equalities]
    if not rows:
        if any(objective[1:]):
            return None
        return Fraction(objective[0]), (Fraction(0),) * n, {}
    import cdd.gmp  # start-up time and memory

    matrix = cdd.gmp.matrix_from_array(
        rows, rep_type=cdd.RepType.INEQUALITY, obj_type=cdd.LPObjType.MAX, obj_func=list(objective)
    )
    program = cdd.gmp.linprog_from_matrix(matrix)
    with silence():
        cdd.gmp.linprog_solve(program, cdd.LPSolverType.CRISS_CROSS)
    if program.status != cdd.LPStatusType.OPTIMAL:
        return None
    dual = {i: m for i, m in program.dual_solution if m}
    return program.obj_value, tuple(program.primal_solution), dual
