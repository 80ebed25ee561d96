"""Arrangements that everybody knows, and random ones in general position.

>>> [braid(4).n_regions, shi(3).n_regions, catalan(3).n_regions, linial(3).n_regions, type_b(3).n_regions]
[24, 16, 30, 7, 48]
>>> [resonance(3).n_regions, threshold(3).n_regions]
[32, 104]

Source: R. P. Stanley, An introduction to hyperplane arrangements; resonance: Kamiya, Takemura, Terao; threshold: the
regions are the threshold functions of n Boolean variables (Cover).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from itertools import combinations, product

from geomrelu.arguments import integer
from geomrelu.errors import InputError
from geomrelu.exact.cddlib import Row
from geomrelu.geometry.arrangement import Arrangement

__all__ = ["boolean", "braid", "catalan", "generic", "linial", "resonance", "shi", "threshold", "type_b"]


def braid(n: int) -> Arrangement:
    """x_i = x_j in R^n, i < j: n! regions."""
    return _differences(n, (0,))


def shi(n: int) -> Arrangement:
    """x_i - x_j = 0, 1 in R^n, i < j: (n + 1)^(n - 1) regions."""
    return _differences(n, (0, 1))


def catalan(n: int) -> Arrangement:
    """x_i - x_j = -1, 0, 1 in R^n, i < j: n! C_n regions, C_n the Catalan number."""
    return _differences(n, (-1, 0, 1))


def linial(n: int) -> Arrangement:
    """x_i - x_j = 1 in R^n, i < j: 2^-n sum over k of C(n, k) (k + 1)^(n - 1) regions."""
    return _differences(n, (1,))


def type_b(n: int) -> Arrangement:
    """x_i = 0, x_i = x_j and x_i = -x_j in R^n: 2^n n! regions."""
    _positive(n)
    rows = [(0, *_unit(n, i)) for i in range(n)]
    rows += [(0, *_unit(n, i, j, other)) for i, j in combinations(range(n), 2) for other in (-1, 1)]
    return _made(n, rows)


def boolean(n: int) -> Arrangement:
    """x_i = 0 in R^n: 2^n regions."""
    _positive(n)
    return _made(n, [(0, *_unit(n, i)) for i in range(n)])


def resonance(n: int) -> Arrangement:
    """The sums over nonempty sets of coordinates of R^n: 2, 6, 32, 370, 11292, 1066044 regions."""
    _positive(n)
    return _made(n, [(0, *v) for v in product((0, 1), repeat=n) if any(v)])


def threshold(n: int) -> Arrangement:
    """w_0 ± w_1 ± ... ± w_n in R^(n+1): the regions are the threshold functions, 4, 14, 104, 1882, 94572."""
    _positive(n)
    return _made(n + 1, [(0, 1, *v) for v in product((-1, 1), repeat=n)])


def generic(dimension: int, hyperplanes: int, seed: int, size: int = 1 << 20) -> Arrangement:
    """Random integer forms in general position (drawn again if they are not, which :attr:`is_generic` decides).

    Args:
        dimension, hyperplanes: n and m. seed: of the numbers, which are at most ``size`` in absolute value.

    Raises:
        InputError: they are hardly ever in general position, or not whole numbers.
    """
    _positive(dimension)
    hyperplanes, seed = integer(hyperplanes, "the number of hyperplanes", 0), integer(seed, "the seed")
    size = integer(size, "the size", 1)
    for attempt in range(100):
        chance = random.Random(f"{seed} {attempt}")
        rows = [[chance.randint(-size, size) for _ in range(dimension + 1)] for _ in range(hyperplanes)]
        found = Arrangement([row[1:] for row in rows], [row[0] for row in rows]) if rows else _made(dimension, [])
        if len(found.hyperplanes) == hyperplanes and found.is_generic:
            return found
    raise InputError(f"{hyperplanes} forms with coefficients up to {size} are hardly ever in general position")


def _positive(n: int) -> None:
    integer(n, "the dimension", 1)


def _made(n: int, rows: Iterable[Row]) -> Arrangement:
    _positive(n)
    return Arrangement.from_rows(list(rows), n)


def _differences(n: int, shifts: tuple[int, ...]) -> Arrangement:
    _positive(n)
    pairs: Iterator[tuple[int, int]] = combinations(range(n), 2)
    return _made(n, [(-s, *_unit(n, i, j, -1)) for i, j in pairs for s in shifts])


def _unit(n: int, i: int, j: int = -1, other: int = 0) -> Row:
    return tuple(1 if k == i else other if k == j else 0 for k in range(n))
