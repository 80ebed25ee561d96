"""Exact elimination on integer rows: rank, pivots, kernels, and forms restricted to a hyperplane."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import gcd
from typing import TYPE_CHECKING, Any

from geomrelu.exact.cddlib import Row
from geomrelu.exact.numbers import primitive

if TYPE_CHECKING:
    from flint import fmpz_mat

__all__ = ["eliminated", "kernel", "leading", "line_of", "pivots", "rank", "reduced", "solution"]

PRIME = (1 << 62) - 57


def _matrix(rows: Sequence[Sequence[int]]) -> fmpz_mat:
    from flint import fmpz_mat  # start-up time and memory

    return fmpz_mat([list(row) for row in rows])


def pivots(rows: Sequence[Row]) -> list[int]:
    """Independent columns, as many as the rank: those in which the reduced row echelon form has its pivots.

    Method: FLINT, modulo a prime first. If there are as many as rows or columns, they are independent over the
    rationals too, and no others can be added. (They are the first such ones, but for minors that the prime divides.)

    >>> pivots([(0, 1, 1), (0, 2, 2), (0, 0, 3)])
    [1, 2]
    """
    if not rows or not rows[0]:
        return []
    from flint import nmod_mat  # start-up time and memory

    small = nmod_mat(len(rows), len(rows[0]), [v % PRIME for row in rows for v in row], PRIME)
    found = leading(*small.rref())
    if len(found) == min(len(rows), len(rows[0])):
        return found
    echelon, _, rank = _matrix(rows).rref()
    return leading(echelon, rank)


def leading(echelon: Any, rank: int) -> list[int]:
    """Of the rows of an echelon form the first columns that are not 0."""
    found, column = [], 0
    for i in range(rank):
        while echelon[i, column] == 0:
            column += 1
        found.append(column)
    return found


def rank(rows: Iterable[Sequence[Fraction | int]]) -> int:
    """The rank of rational rows.

    >>> rank([(1, 2), (2, 4), (Fraction(1, 2), 1)])
    1
    """
    return len(pivots([primitive(row) for row in rows]))


def kernel(rows: Sequence[Sequence[int]]) -> Row:
    """A primitive vector that spans the solutions of the homogeneous system ``rows``, a line. Method: FLINT.

    >>> kernel([(1, 1, 0), (2, 0, -1), (3, 1, -1)])
    (1, -1, 2)
    """
    found, dimension = _matrix(rows).nullspace()
    if dimension != 1:
        raise ValueError(f"the solutions have dimension {dimension}, not 1")
    return reduced([int(found[i, 0]) for i in range(found.nrows())])


def solution(rows: Sequence[Sequence[Fraction | int]], values: Sequence[Fraction | int]) -> list[Fraction] | None:
    """A vector x with ``rows x = values``, None if there is none. Method: FLINT.

    >>> solution([(1, 2), (2, 4)], [3, 6]), solution([(1, 2), (2, 4)], [3, 5])
    ([Fraction(3, 1), Fraction(0, 1)], None)
    """
    system = [primitive([*row, value]) for row, value in zip(rows, values, strict=True)]
    echelon, pivot, rank_ = _matrix(system).rref()
    found = [Fraction(0)] * (echelon.ncols() - 1)
    for i in range(rank_):
        column = next(j for j in range(echelon.ncols()) if echelon[i, j])
        if column == len(found):
            return None
        found[column] = Fraction(int(echelon[i, len(found)]), int(pivot))
    return found


def eliminated(rows: Iterable[Row], row: Row, column: int) -> list[Row]:
    """The forms on the hyperplane ``row = 0``, which is solved for that column (which disappears).

    Each is multiplied by a positive number, so that signs stay.

    >>> eliminated([(1, 2, 3)], (0, -1, 1), 1)  # x1 = x2
    [(1, 5)]
    """
    pivot = row[column]
    scale = abs(pivot)
    kept = [k for k in range(len(row)) if k != column]
    found = []
    for other in rows:
        factor = other[column] if pivot > 0 else -other[column]
        found.append(
            reduced([other[k] * scale - factor * row[k] for k in kept]) if factor else tuple(other[k] for k in kept)
        )
    return found


def reduced(values: Iterable[int]) -> Row:
    """Without common factor; a zero row stays."""
    row = tuple(values)
    divisor = gcd(*row)
    return row if divisor <= 1 else tuple([v // divisor for v in row])


def line_of(row: Row) -> tuple[Row, int]:
    """``(r, s)``: the same hyperplane with its first nonzero coefficient positive and no common factor; row = s·|k| r.

    >>> line_of((4, 0, -2))
    ((-2, 0, 1), -1)
    """
    first = next((v for v in row[1:] if v), row[0])
    plain = reduced(row)
    return (plain, 1) if first >= 0 else (tuple(-v for v in plain), -1)
