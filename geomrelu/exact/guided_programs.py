"""Large linear programs: a corner that floating point suggests (HiGHS) and whole numbers prove.

Criss-cross in rational arithmetic can take minutes on some hundred degenerate rows. Here floats only say which rows are
tight: the corner where they are, and the multipliers with which they sum up to the objective, are solved for in
rational arithmetic, and count only if the corner satisfies all rows, the multipliers are not negative, and both give
one value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from operator import add, mul
from typing import TYPE_CHECKING, Any, NamedTuple

from geomrelu.exact.cddlib import Row
from geomrelu.exact.elimination import pivots, solution
from geomrelu.exact.numbers import common, nearest

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Found", "Guess", "guessed", "is_large", "size_of", "suggested", "table_of", "within"]

Found = tuple[Fraction, tuple[Fraction, ...], dict[int, Fraction]]  # value, point, multipliers of all rows
LARGE = 1500  # entries: fewer are solved sooner by criss-cross
NEAR = 1e-7  # how far a row of size 1 is from being tight that may be so
USED = 1e-11  # a multiplier that is less counts as 0
FAR = 100_000  # times the size of a form, from its constant on: a large value
FREE = 30  # bits of a coordinate that nothing fixes


def is_large(rows: int, columns: int) -> bool:
    """Is criss-cross likely to take longer?"""
    return rows * columns > LARGE


def suggested(objective: Row, inequalities: Sequence[Row], equalities: Sequence[Row]) -> Found | bool:
    """The optimum, proved; False where floats say that there is none, True where they do not know.

    The multipliers are numbered by rows: the inequalities, then the equalities, of either sign.
    """
    rows, split = [*inequalities, *equalities], len(inequalities)
    solved, matrix = _in_floats([objective, *rows], split)
    if solved.status in (2, 3, 4) and solved.x is None:
        return solved.status == 4
    if solved.status != 0:
        return True
    multipliers = _multipliers(objective, rows, split, solved.ineqlin.marginals)
    if multipliers is None:
        return True
    numerators, scale = common(multipliers.values())
    total = [scale * v for v in objective]
    for i, m in zip(multipliers, numerators, strict=True):
        total = [t + m * v for t, v in zip(total, rows[i], strict=True)]
    value = Fraction(total[0], scale)
    for tight in _tight(rows, split, matrix, multipliers, solved.x):
        point = _corner([rows[i] for i in tight], solved.x)
        if point is not None and not any(total[1:]) and _holds(objective, value, rows, split, point):
            return value, point, {i: m for i, m in multipliers.items() if m}
    return True


class Guess(NamedTuple):
    """What floats say of the supremum of a form.

    Attributes:
        value: about the supremum, or a large value where it is infinite.
        at: a point with that value.
        multipliers: of the inequalities that have one.
    """

    value: Fraction
    at: tuple[Fraction, ...]
    multipliers: Mapping[int, Fraction]


def guessed(objective: Row, inequalities: Sequence[Row], equalities: Sequence[Row]) -> Guess | None:
    """About the supremum of the objective, in floats; None: the set seems to be empty, or they do not know."""
    size = size_of(objective)
    enough = (objective[0] + FAR * size, *(-v for v in objective[1:]))
    rows = [*inequalities, enough]
    solved, _ = _in_floats([objective, *rows, *equalities], len(rows))
    if solved.status != 0:
        return None
    used = {i: Fraction(-m) for i, m in enumerate(solved.ineqlin.marginals.tolist()) if m < -USED}
    multipliers = {i: size * m / size_of(rows[i]) for i, m in used.items()}
    at = tuple(Fraction(v) for v in solved.x.tolist())
    return Guess(objective[0] + size * Fraction(-solved.fun), at, multipliers)


def _in_floats(rows: Sequence[Row], split: int) -> tuple[Any, np.ndarray]:
    """The first row is made as large as it can be where the next ``split`` rows are >= 0 and the others 0.

    Returns the outcome of SciPy, and the rows as it has seen them, each of size 1 and the first one left out.
    """
    from scipy.optimize import linprog

    table = table_of(rows)
    target, matrix = table[0], table[1:]
    solved = linprog(
        -target[1:],
        A_ub=-matrix[:split, 1:],
        b_ub=matrix[:split, 0],
        A_eq=matrix[split:, 1:],
        b_eq=-matrix[split:, 0],
        bounds=(None, None),
        method="highs-ds",
    )
    return solved, matrix


def table_of(rows: Sequence[Row]) -> np.ndarray:
    """The rows, each divided by its size."""
    import numpy as np

    try:
        table = np.array(rows, dtype=np.float64)
    except OverflowError:  # entries beyond the floats
        return np.array([nearest(row, size_of(row)) for row in rows])
    return table / np.maximum(np.abs(table).max(axis=1, keepdims=True), 1)


def size_of(row: Row) -> int:
    return max(max(map(abs, row)), 1)


def within(rows: Sequence[Row], dimension: int) -> Row | None:
    """Of many rows: a point ``(s, y)`` at which all are positive, if floats find one; None says nothing."""
    if not is_large(len(rows), dimension + 1):
        return None
    import numpy as np
    from scipy.optimize import linprog

    table = table_of(rows)
    slack = np.linalg.norm(table[:, 1:], axis=1)
    solved = linprog(
        [0.0] * dimension + [-1.0],
        A_ub=np.column_stack([-table[:, 1:], slack]),
        b_ub=table[:, 0],
        bounds=[(None, None)] * dimension + [(None, 1)],
        method="highs-ds",
    )
    if solved.status != 0 or solved.x[-1] <= 0:
        return None
    numerators, scale = common([Fraction(v) for v in solved.x[:-1].tolist()])
    found = scale, *numerators
    return found if all(sum(map(mul, row, found)) > 0 for row in rows) else None


def _multipliers(objective: Row, rows: Sequence[Row], split: int, marginals: np.ndarray) -> dict[int, Fraction] | None:
    """Of the rows that floats use, those with which the slope of the objective vanishes, if they are not negative."""
    used = [i for i, m in enumerate(marginals.tolist()) if m < -USED] + list(range(split, len(rows)))
    coordinates = range(1, len(objective))
    found = solution([[rows[i][j] for i in used] for j in coordinates], [-objective[j] for j in coordinates])
    if found is None or any(m < 0 for i, m in zip(used, found, strict=True) if i < split):
        return None
    return dict(zip(used, found, strict=True))


def _tight(
    rows: Sequence[Row], split: int, matrix: np.ndarray, multipliers: dict[int, Fraction], at: np.ndarray
) -> list[list[int]]:
    """What may be tight at the corner: the rows that must be, with those near to it and without."""
    must = [i for i, m in multipliers.items() if m or i >= split]
    slack = matrix[:split, 0] + matrix[:split, 1:] @ at
    near = [i for i in slack.argsort().tolist() if slack[i] <= NEAR and i not in set(must)]
    return [must + near, must] if near else [must]


def _corner(rows: Sequence[Row], at: np.ndarray) -> tuple[Fraction, ...] | None:
    """The point where the rows are 0 (as many of the first ones as can be); what they leave open is near ``at``."""
    near = [round(v * 2**FREE) for v in at.tolist()]
    kept = [rows[k] for k in pivots(list(zip(*(row[1:] for row in rows), strict=True)))]
    values = [-(row[0] << FREE) - sum(map(mul, row[1:], near)) for row in kept]
    step = solution([row[1:] for row in kept], values) if kept else [0] * len(near)
    return None if step is None else tuple(Fraction(v) / 2**FREE for v in map(add, near, step))


def _holds(objective: Row, value: Fraction, rows: Sequence[Row], split: int, point: Sequence[Fraction]) -> bool:
    """Does the point satisfy all rows, and has the objective that value there?"""
    numerators, scale = common(point)
    whole = [scale, *numerators]
    values = [sum(map(mul, row, whole)) for row in rows]
    return (
        all(v >= 0 for v in values[:split])
        and not any(values[split:])
        and Fraction(sum(map(mul, objective, whole)), scale) == value
    )
