"""Networks whose parameters are -1, 0 or 1: how often a second-layer neuron is dead, as a polynomial in P(0).

With such parameters the hyperplanes of a first layer are among finitely many, 3^n0 (3^n0 - 1) / 2 of them. On the
regions of *their* arrangement every second-layer neuron ``f(x) = sum_i w_i max(a_i·x + b_i, 0) + c`` is affine, and
none of these regions contains a line. So f <= 0 on R^n0 if and only if f <= 0 at the vertices of this one arrangement
and does not grow along its rays, which are the same for all networks.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import combinations, combinations_with_replacement, product
from math import factorial, prod
from typing import Any

import numpy as np
import sympy

from geomrelu.errors import InputError
from geomrelu.exact.symbols import probability_of

__all__ = ["MOST_INPUTS", "MOST_NEURONS", "ternary_dead", "ternary_dead_counts"]

MOST_INPUTS, MOST_NEURONS = 2, 4  # 27 rows: 27,405 multisets of four, times 3^5 second layers

Array = np.ndarray[Any, np.dtype[np.int64]]


@cache
def ternary_dead_counts(n0: int, n1: int) -> tuple[int, ...]:
    """How many ternary choices of all parameters, by their number of zeros, make the neuron dead on R^n0 (f <= 0).

    Args:
        n0: inputs, 1 or 2. n1: neurons of the first layer, 1 to 4.

    Returns:
        Entry k counts the choices with k zeros among the ``n1 (n0 + 2) + 1`` parameters.

    Raises:
        InputError: other sizes.

    Exact: yes, in integers of at most 2 * 3 * n1 + 2. Method: all second layers at once for each multiset of rows.

    >>> ternary_dead_counts(1, 1)
    (4, 15, 15, 7, 1)
    """
    if not (1 <= n0 <= MOST_INPUTS and 1 <= n1 <= MOST_NEURONS):
        raise InputError(f"1 to {MOST_INPUTS} inputs and 1 to {MOST_NEURONS} neurons, not {n0} and {n1}")
    rows = list(product((-1, 0, 1), repeat=n0 + 1))
    active = np.array(
        [[max(sum(a * v for a, v in zip(row, g, strict=True)), 0) for g in _generators(n0)] for row in rows]
    )
    last = np.array([g[-1] for g in _generators(n0)])  # what multiplies the constant: 0 for rays
    seconds = np.array(list(product((-1, 0, 1), repeat=n1 + 1)))
    zeros = (seconds == 0).sum(axis=1)
    found: Counter[int] = Counter()
    for chosen in combinations_with_replacement(range(len(rows)), n1):
        number = factorial(n1) // prod(map(factorial, Counter(chosen).values()))
        values = seconds[:, :n1] @ active[list(chosen)] + seconds[:, n1:] * last
        dead = (values <= 0).all(axis=1)
        own = sum(v == 0 for i in chosen for v in rows[i])
        for k, count in enumerate(np.bincount(zeros[dead], minlength=n1 + 2).tolist()):
            found[own + k] += number * count
    return tuple(found[k] for k in range(n1 * (n0 + 2) + 2))


def ternary_dead(n0: int, n1: int, zero: Any) -> sympy.Expr:
    """The probability that a second-layer neuron with ternary parameters is dead on R^n0.

    Args:
        n0, n1: see :func:`ternary_dead_counts`. zero: the probability of 0, a rational or a symbol; -1 and 1 are
            equally likely, and all parameters independent.

    Raises:
        InputError: other sizes, or a probability that is a float or not in [0, 1].

    Exact: yes; a polynomial of degree n1 (n0 + 2) + 1 in ``zero``. Source: claim ``default-initialisations``.

    >>> ternary_dead(1, 1, sympy.Rational(1, 3))
    14/27
    """
    s = probability_of(zero)
    counts = ternary_dead_counts(n0, n1)
    size = len(counts) - 1
    return sympy.expand(sum(count * s**k * ((1 - s) / 2) ** (size - k) for k, count in enumerate(counts)))


def _generators(n0: int) -> list[tuple[int, ...]]:
    """``(x, 1)`` for vertices x, up to a positive factor, and ``(d, 0)`` for rays of the arrangement of all lines."""
    normals = [row for row in product((-1, 0, 1), repeat=n0) if row > (0,) * n0]
    if n0 == 1:
        return [(-1, 1), (0, 1), (1, 1), (1, 0), (-1, 0)]
    lines, found = [(*a, b) for a in normals for b in (-1, 0, 1)], set[tuple[int, ...]]()
    for one, other in combinations(lines, 2):
        x, y, d = (int(v) for v in np.cross(one, other))
        if d:
            found.add((x * 2 // d, y * 2 // d, 2))  # d is 1 or 2 in size
    return [*sorted(found), *((s * y, -s * x, 0) for x, y in normals for s in (1, -1))]
