"""How many regions there are: of hyperplanes in general position, of networks at most, exactly and in closed form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import comb, prod
from typing import Any

import sympy

from geomrelu.errors import InputError
from geomrelu.exact.symbols import size_of

__all__ = [
    "bounded_regions",
    "central_regions",
    "network_regions_at_most",
    "network_regions_attained",
    "regions",
]


def regions(m: Any, n: Any) -> sympy.Expr:
    """``C(m, 0) + C(m, 1) + ... + C(m, n)``: m hyperplanes in general position cut R^n into so many regions.

    In any other position there are fewer.

    Args:
        m: number of hyperplanes, an integer >= 0 or a symbol.
        n: dimension, an integer >= 0 or a symbol.

    Raises:
        InputError: a number that is not an integer >= 0.

    Exact: yes. Source: Zaslavsky, Facing up to arrangements (1975); claim ``zaslavsky``.

    >>> regions(4, 2)
    11
    """
    return _binomial_sum(size_of(m, "number of hyperplanes m", 0), size_of(n, "dimension n", 0))


def bounded_regions(m: Any, n: Any) -> sympy.Expr:
    """``C(m - 1, n)``: so many regions of m >= 1 hyperplanes in general position in R^n are bounded.

    Args:
        m: number of hyperplanes, a positive integer or a symbol.
        n: dimension, a positive integer or a symbol.

    Raises:
        InputError: a number that is not a positive integer.

    Exact: yes. Source: Zaslavsky, Facing up to arrangements (1975); claim ``zaslavsky``.

    >>> bounded_regions(4, 2)
    3
    """
    return sympy.binomial(size_of(m, "number of hyperplanes m") - 1, size_of(n, "dimension n"))


def central_regions(m: Any, n: Any) -> sympy.Expr:
    """``2 (C(m - 1, 0) + ... + C(m - 1, n - 1))``: regions of m >= 1 hyperplanes through 0 in general position in R^n.

    Args:
        m: number of hyperplanes, a positive integer or a symbol.
        n: dimension, a positive integer or a symbol.

    Raises:
        InputError: a number that is not a positive integer.

    Exact: yes. Source: Schläfli; Zaslavsky, Facing up to arrangements (1975); claim ``zaslavsky``.

    >>> central_regions(4, 2), central_regions(4, 3)
    (8, 14)
    """
    return 2 * _binomial_sum(size_of(m, "number of hyperplanes m") - 1, size_of(n, "dimension n") - 1)


def network_regions_at_most(n0: Any, widths: Sequence[Any]) -> sympy.Expr:
    """An upper bound on the regions of every ReLU network ``R^n0 -> R^n1 -> ... -> R^nL`` without skip connections.

    ``sum over j of C(n1, j1) ... C(nL, jL)``, where ``0 <= j_l <= min(n0, n1 - j1, ..., n_(l-1) - j_(l-1), n_l)``.

    Args:
        n0: input dimension, a positive integer.
        widths: n1, ..., nL, positive integers.

    Raises:
        InputError: numbers that are not positive integers, or no layer.

    Exact: yes. Method: the recursion over the layers of the proof; O(L n0) products.
    Source: Serra, Tjandraatmadja & Ramalingam (2018), theorem 1; claim ``region-bounds``.

    >>> network_regions_at_most(2, [3, 3]), network_regions_at_most(1, [3, 3])
    (40, 16)
    """
    n0, layers = _architecture(n0, widths)
    most = [1] * (n0 + 1)  # most[d]: by the layers from here on, where what they read has dimension d
    for n in reversed(layers):
        ways = _binomials(n, min(n, n0))
        sums = list(accumulate(ways, initial=0))
        lost = list(accumulate((c * most[min(n0, n - j)] for j, c in enumerate(ways)), initial=0))
        most = [  # d <= n - j: nothing is lost of the dimension; n - j < d for the other j
            sums[(kept := min(d + 1, max(0, n - d + 1)))] * most[d] + lost[min(n, d) + 1] - lost[kept]
            for d in range(n0 + 1)
        ]
    return sympy.Integer(most[n0])


def network_regions_attained(n0: Any, widths: Sequence[Any]) -> sympy.Expr:
    """A lower bound on the most regions that a ReLU network ``R^n0 -> R^n1 -> ... -> R^nL`` can have.

    ``floor(n1 / n0)^n0 ... floor(n_(L-1) / n0)^n0 (C(nL, 0) + ... + C(nL, n0))``.

    Args:
        n0: input dimension, a positive integer.
        widths: n1, ..., nL, positive integers, all but the last at least n0.

    Raises:
        InputError: numbers that are not positive integers, no layer, or a layer before the last narrower than n0.

    Exact: yes. Source: Montúfar, Pascanu, Cho & Bengio (2014), theorem 4; claim ``region-bounds``.

    >>> network_regions_attained(2, [4, 4])
    44
    """
    n0, layers = _architecture(n0, widths)
    if min(layers[:-1], default=n0) < n0:
        raise InputError(f"widths {layers}: a layer before the last is narrower than the input dimension {n0}")
    return sympy.Integer(prod((n // n0) ** n0 for n in layers[:-1])) * regions(layers[-1], n0)


def _architecture(n0: Any, widths: Sequence[Any]) -> tuple[int, list[int]]:
    layers = [size_of(n, f"width n{i}") for i, n in enumerate(widths, 1)] if isinstance(widths, Iterable) else []
    if not layers:
        raise InputError("widths: the list of them, with at least one layer")
    sizes = [size_of(n0, "input dimension n0"), *layers]
    if not all(size.is_Integer for size in sizes):
        raise InputError("the input dimension and the widths must be numbers")
    return int(sizes[0]), [int(n) for n in layers]


def _binomials(n: int, most: int) -> list[int]:
    """``C(n, 0), ..., C(n, most)``."""
    return list(accumulate(range(most), lambda c, j: c * (n - j) // (j + 1), initial=1))


def _binomial_sum(m: sympy.Expr, n: sympy.Expr) -> sympy.Expr:
    """``C(m, 0) + ... + C(m, n)``: a number, a polynomial in m, or a sum."""
    if n.is_Integer and m.is_Integer:
        return sympy.Integer(sum(comb(int(m), i) for i in range(int(n) + 1)))
    if n.is_Integer:
        falling = accumulate(range(int(n)), lambda term, i: term * (m - i) / (i + 1), initial=sympy.Integer(1))
        return sympy.Add(*falling)
    i = sympy.Dummy("i", integer=True)
    return sympy.Sum(sympy.binomial(m, i), (i, 0, n))
