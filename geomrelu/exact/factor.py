"""A factor of a covariance, rounded outward: rational L such that L L^T is the matrix or larger."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import isqrt

import numpy as np

from geomrelu import checker
from geomrelu.errors import InputError
from geomrelu.exact.numbers import common, nearest

__all__ = ["outer_factor", "root_above"]


def outer_factor(matrix: Sequence[Sequence[Fraction]]) -> list[list[Fraction]]:
    """Rows of a rational L, (n, n) or (n, 2 n), such that L L^T - ``matrix`` is positive semidefinite.

    Args:
        matrix: (n, n), symmetric and positive semidefinite up to what rounding did to it.

    Raises:
        InputError: not symmetric, or so far from positive semidefinite that it is no covariance.

    Exact: yes, the inequality; how near L L^T is to the matrix is a matter of float64 (1e-14 of the largest entry,
    about). Of a diagonal matrix L is the diagonal of the roots, rounded up.

    Method: a factor A in floats (Cholesky; from eigenvectors where the matrix is singular) is taken as the rational
    matrix that it is. What is missing, E = matrix - A A^T, is computed exactly and is at most the diagonal matrix of
    d_j = sum_k |E_jk|, by diagonal dominance (Gershgorin). So L = [A | diag(roots of d_j, rounded up)].

    >>> outer_factor([[Fraction(4), Fraction(0)], [Fraction(0), Fraction(1, 9)]])
    [[Fraction(2, 1), Fraction(0, 1)], [Fraction(0, 1), Fraction(1, 3)]]
    """
    size = range(len(matrix))
    if any(matrix[j][k] != matrix[k][j] for j in size for k in range(j)):
        raise InputError("the covariance is not symmetric")
    if any(matrix[j][j] < 0 for j in size):
        raise InputError("the covariance has a negative entry on its diagonal")
    if not any(matrix[j][k] for j in size for k in range(j)):
        return [[root_above(matrix[j][j]) if j == k else Fraction(0) for k in size] for j in size]
    numerators, denominator = common([v for row in matrix for v in row])
    floats = nearest(numerators, denominator).reshape(len(matrix), -1)
    if not np.isfinite(floats).all():
        raise InputError("the covariance has numbers that floats cannot hold")
    factor = [[Fraction(v) for v in row] for row in _in_floats(floats).tolist()]
    missing = _missing(matrix, factor)
    more = [root_above(sum((abs(v) for v in row), Fraction(0))) for row in missing]
    if not any(more):
        return factor
    return [[*row, *(more[j] if j == k else Fraction(0) for k in size)] for j, row in enumerate(factor)]


def root_above(value: Fraction) -> Fraction:
    """The root of a number >= 0, exact if it is rational, else rounded up to 28 binary digits."""
    n, d = value.as_integer_ratio()
    if isqrt(n) ** 2 == n and isqrt(d) ** 2 == d:
        return Fraction(isqrt(n), isqrt(d))
    return Fraction(checker.short(checker.root(value, 32)))


def _in_floats(matrix: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(matrix)
    if values[0] < -1e-6 * max(values[-1], 0):
        raise InputError("the covariance is not positive semidefinite") from None
    return vectors * np.sqrt(np.maximum(values, 0))


def _missing(matrix: Sequence[Sequence[Fraction]], factor: list[list[Fraction]]) -> list[list[Fraction]]:
    """``matrix - factor factor^T``, exact."""
    import flint  # start-up time and memory

    size = len(matrix)
    whole, over = common([v for row in matrix for v in row])
    parts, d = common([v for row in factor for v in row])
    a = flint.fmpz_mat(size, size, parts)
    product = a * a.transpose()
    return [
        [Fraction(whole[j * size + k], over) - Fraction(int(product[j, k]), d * d) for k in range(size)]
        for j in range(size)
    ]
