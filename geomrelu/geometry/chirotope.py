"""The vertices of a hyperplane arrangement all at once, each with the exact sign of every form there.

Write a form as h = (b, a1, ..., an), meaning b + a·x. For n of them, S, let C(S) be their generalised cross product in
R^(n+1): C(S)_k = (-1)^k det(H_S without column k), so that h·C(S) = det(h; H_S) for every h. If C(S)_0 = det(A_S) is
not 0, the n hyperplanes meet in the one point x = C(S)_{1..n} / C(S)_0, and there

    sign h_j(x) = sign det(h_j; H_S) · sign det(A_S):

the signs of the (n+1)- and n-minors, the *chirotope* of the arrangement, say everything. All minors are computed by
Laplace expansion along the last row, each from those one size smaller, for all S together in NumPy.

**Which signs are certain.** Scale columns and rows by powers of two (exact, and no sign of a minor changes) until
every entry is at most 1 in absolute value. Let u = 2^-53 and let an entry carry an error of at most u (it is rounded
once, or not at all). An exact k-minor is at most h_k = k^(k/2) (Hadamard). If computed
(k-1)-minors are wrong by at most e_(k-1), each of the k products r·M of the expansion is wrong by at most
|r^| |M^ - M| + |M| |r^ - r| <= e_(k-1) + u h_(k-1), and a sum of k products, in whatever order and with or without
fused operations, adds at most g_k k (h_(k-1) + e_(k-1)), g_k = k u / (1 - k u) (Higham, Accuracy and Stability of
Numerical Algorithms, section 3.1). Hence

    e_0 = 0,   e_k = k (e_(k-1) + u h_(k-1)) + g_k k (h_(k-1) + e_(k-1)),

to which underflow adds less than k 2^-1074 a level: the factor 1 + 2^-20 we give away covers that and the rounding of
e_k itself. A computed minor beyond e_k has the right sign; the others are computed again in integers.
If all entries are integers and N! times the product of the largest entry of each column is below 2^53, then every
number that occurs is an integer that float64 holds exactly, and e_k = 0.

Exact: yes. Cost: C(m, n) (n+1) m multiplications in floating point, for m forms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import combinations
from math import comb, factorial, inf, prod
from typing import Any, NamedTuple

import numpy as np

from geomrelu.exact.cddlib import Row
from geomrelu.rounding import to_nearest

__all__ = ["Minors", "Vertices", "colexicographic", "cross_products", "expanded"]

UNIT = 2.0**-53
CHUNK = 1 << 19  # signs computed at a time
SINGLE = 1 << 17  # multiplications in one matrix product: for so few, BLAS starts no threads, which would only wait
BLOCK = 1 << 15  # subsets whose minors are expanded at a time
STEP = 1 << 26  # multiplications of floats, after which budgets are looked at
EXACT = 1 << 22  # the same for whole numbers
LARGEST = 200  # of minors whose bounds are floats


class Vertices(NamedTuple):
    """Some n-subsets of the forms that meet in one point.

    Attributes:
        subsets: (V, n), increasing. orientation: (V,) int8, the sign of det(A_S).
        signs: (V, m) int8, the sign of every form at the point.
        reach: an upper bound of ``|c·x|`` over these points, for the functional c that was asked for.
    """

    subsets: np.ndarray
    orientation: np.ndarray
    signs: np.ndarray
    reach: int


@cache
def _expansion(columns: int, size: int) -> list[list[tuple[int, int]]]:
    """Laplace expansion along the last row: for each ``size``-subset J of the columns and each place p in it, the
    column J_p and the number of the minor on J without J_p."""
    smaller = {j: i for i, j in enumerate(combinations(range(columns), size - 1))}
    return [[(j[p], smaller[j[:p] + j[p + 1 :]]) for p in range(size)] for j in combinations(range(columns), size)]


def expanded(rows: np.ndarray, smaller: np.ndarray, size: int, signed: bool = True) -> np.ndarray:
    """The minors of one size, (column subsets, V), from the last rows (columns, V) and the minors one size smaller.

    ``signed`` False: permanents. The subsets are in the order of ``itertools.combinations``.
    """
    places = _expansion(len(rows), size)
    found = np.empty((len(places), rows.shape[1]), dtype=rows.dtype)
    for total, terms in zip(found, places, strict=True):
        (column, rest), *others = reversed(terms)  # the last place has the sign +
        np.multiply(rows[column], smaller[rest], out=total)
        for k, (column, rest) in enumerate(others):
            (np.subtract if signed and k % 2 == 0 else np.add)(total, rows[column] * smaller[rest], out=total)
    return found


def _as_cross_product(minors: np.ndarray) -> np.ndarray:
    """From the minors on all but one column (the last column left out first) to the cross product."""
    flipped = minors[::-1].copy()
    flipped[1::2] *= -1
    return flipped


def cross_products(rows: np.ndarray) -> np.ndarray:
    """The cross product of each stack of rows, one dimension more than rows: (V, k, k + 1) to (V, k + 1).

    Exact for object arrays of Python integers.
    """
    if rows.shape[1] == 0:
        return np.ones((len(rows), 1), dtype=rows.dtype)
    minors = rows[:, 0, :].T
    for k in range(1, rows.shape[1]):
        minors = expanded(rows[:, k, :].T, minors, k + 1)
    return _as_cross_product(minors).T


def colexicographic(subsets: np.ndarray, without: int | None = None) -> np.ndarray:
    """The rank of each increasing subset (a row) in colexicographic order, leaving out the place ``without``."""
    size = subsets.shape[1]
    top = int(subsets.max(initial=0)) + 1
    table = np.array([[comb(s, k) for s in range(top)] for k in range(size + 1)], dtype=np.int64)
    rank = np.zeros(len(subsets), dtype=np.int64)
    for q in range(size):
        if without is None or q < without:
            rank += table[q + 1][subsets[:, q]]
        elif q > without:
            rank += table[q][subsets[:, q]]
    return rank


class Minors:
    """The cross products of all k-subsets of integer rows in R^(k+1), in floating point with their error bound.

    Attributes:
        rows: (m, k+1) object array of Python integers. floats: the same, each column (then row) scaled.
        errors: ``errors[j]`` bounds the error of a j-minor; all 0 if float64 holds every number exactly.
        shift: the power of two by which each column was divided.
        poll: called every half second or so; what it raises ends the work.
    """

    def __init__(self, rows: Sequence[Row], poll: Callable[[], object] = lambda: None) -> None:
        to_nearest()
        self.poll = poll
        self.rows = np.array(rows, dtype=object).reshape(len(rows), -1)
        self.size = self.rows.shape[1] - 1
        largest = [max(map(abs, column), default=0) for column in self.rows.T.tolist()]
        columns = self.rows.shape[1]
        if factorial(columns) * prod(max(v, 1) for v in largest) < 2**53:
            self.floats = self.rows.astype(np.float64)
            self.shift = [0] * columns
            self.errors = [0.0] * (columns + 1)
            return
        self.shift = [v.bit_length() for v in largest]
        scaled = np.empty(self.rows.shape)
        for i, row in enumerate(self.rows.tolist()):
            lift = max((v.bit_length() - s for v, s in zip(row, self.shift, strict=True) if v), default=0)
            for k, (v, s) in enumerate(zip(row, self.shift, strict=True)):
                e = s + lift
                scaled[i, k] = v / (1 << e) if e >= 0 else float(v << -e)  # rounded once
        self.floats = scaled
        self.errors = _errors(columns)

    def exact(self, subsets: np.ndarray) -> np.ndarray:
        """The cross products of these subsets in integers (object array)."""
        step = max(64, EXACT // (self.size + 1 << min(self.size + 1, 20)))  # few: each operation has its price
        found = []
        for start in range(0, max(1, len(subsets)), step):
            self.poll()
            found.append(cross_products(self.rows[subsets[start : start + step]]))
        return np.concatenate(found)

    def all(self, chunk: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """``(subsets (V, k), floating-point cross products (k + 1, V))`` of all k-subsets, about ``chunk`` at a time.

        In the order: by the first k - 1, then by the last.
        """
        m, k = len(self.rows), self.size
        if k == 0:
            yield np.zeros((1, 0), dtype=np.int64), np.ones((1, 1))
            return
        columns = np.ascontiguousarray(self.floats.T)
        subsets, minors = np.zeros((1, 0), dtype=np.int64), np.ones((1, 1))
        for size in range(1, k):
            before, last = _extensions(subsets, 0, len(subsets), m)
            step = max(1, min(BLOCK, STEP // (size * comb(k + 1, size))))
            parts = []
            for start in range(0, len(last), step):
                self.poll()
                block = slice(start, start + step)
                parts.append(expanded(columns[:, last[block]], minors[:, before[block]], size))
            minors = np.concatenate(parts, axis=1) if parts else np.ones((1, 0))
            subsets = np.column_stack([subsets[before], last])
        more = m - 1 - (subsets[:, -1] if k > 1 else np.full(1, -1))
        total = np.cumsum(more)
        start = 0
        while start < len(subsets):
            self.poll()
            done = total[start - 1] if start else 0
            stop = max(start + 1, int(np.searchsorted(total, done + chunk, "right")))
            before, last = _extensions(subsets, start, stop, m)
            if len(last):
                products = _as_cross_product(expanded(columns[:, last], minors[:, before], k))
                yield np.column_stack([subsets[before], last]), products
            start = stop

    def vertices(self, functional: Sequence[int], keep: np.ndarray) -> Iterator[Vertices]:
        """All vertices (n = k, forms (b, a)) at which no form of ``keep`` is negative, in chunks.

        A vertex on more than n hyperplanes comes once for each n-subset that spans.
        """
        m, n = len(self.rows), self.size
        weights = self._weights(functional)
        for subsets, products in self.all(max(1, CHUNK // max(1, m))):
            orientation = self._orientation(subsets, products)
            spanning = orientation != 0
            if not spanning.all():
                subsets, products, orientation = subsets[spanning], products[:, spanning], orientation[spanning]
            if not len(subsets):
                continue
            signs = self._signs(products * orientation)
            np.put_along_axis(signs, subsets, 0, axis=1)
            if self.errors[n + 1]:
                self._settle(subsets, orientation, signs)
            if len(keep):
                inside = (signs[:, keep] >= 0).all(axis=1)
                subsets, products = subsets[inside], products[:, inside]
                orientation, signs = orientation[inside], signs[inside]
                if not len(subsets):
                    continue
            yield Vertices(subsets, orientation, signs, self._reach(subsets, products, functional, weights))

    def _signs(self, products: np.ndarray) -> np.ndarray:
        """The signs of all forms at points, (V, m); 0 where it is not certain."""
        error, columns = self.errors[self.size + 1], self.floats.T
        signs = np.empty((products.shape[1], len(self.rows)), dtype=np.int8)
        step = max(1, SINGLE // max(1, self.floats.size))
        for start in range(0, len(signs), step):
            values = products[:, start : start + step].T @ columns
            np.subtract(
                (values > error).view(np.int8), (values < -error).view(np.int8), out=signs[start : start + step]
            )
        return signs

    def orientations(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """All n-subsets S with the sign of det(A_S), in chunks."""
        for subsets, products in self.all(CHUNK // 8):
            yield subsets, self._orientation(subsets, products)

    def _orientation(self, subsets: np.ndarray, products: np.ndarray) -> np.ndarray:
        determinants = products[0]
        orientation = np.sign(determinants).astype(np.int8)
        if error := self.errors[self.size]:
            unsure = np.flatnonzero(np.abs(determinants) <= error)
            orientation[unsure] = _signs_of(self.exact(subsets[unsure])[:, 0]) if len(unsure) else 0
        return orientation

    def _settle(self, subsets: np.ndarray, orientation: np.ndarray, signs: np.ndarray) -> None:
        """Compute again in integers every sign that is not certain (it stands at 0)."""
        n = self.size
        doubtful = np.flatnonzero(signs.shape[1] - np.count_nonzero(signs, axis=1) > n)
        for start in range(0, len(doubtful), 4096):
            at = doubtful[start : start + 4096]
            products = self.exact(subsets[at])
            which, forms = np.nonzero(signs[at] == 0)
            values = (products[which] * self.rows[forms]).sum(axis=1)
            signs[at[which], forms] = _signs_of(values) * orientation[at[which]]

    def _weights(self, functional: Sequence[int]) -> np.ndarray | None:
        """``|c_k|`` times what undoes the scaling: x_k is 2^(shift_0 - shift_k) C_k / C_0. None if out of range."""
        exponents = [self.shift[0] - s for s in self.shift[1:]]
        if max(map(abs, exponents), default=0) > 400:
            return None
        return np.array([abs(c) * 2.0**e for c, e in zip(functional, exponents, strict=True)])

    def _reach(
        self, subsets: np.ndarray, products: np.ndarray, functional: Sequence[int], weights: np.ndarray | None
    ) -> int:
        error = self.errors[self.size]
        below = np.abs(products[0]) - error
        near = below > error if weights is not None else np.zeros(len(below), dtype=bool)
        bound = 0
        if near.any() and weights is not None:
            ratio = (weights @ (np.abs(products[1:, near]) + error) / below[near]).max()
            bound = int(ratio * (1 + 2.0**-20)) + 1
        if not near.all():
            for product in self.exact(subsets[~near]):
                along = sum(c * v for c, v in zip(functional, product[1:], strict=True))
                bound = max(bound, abs(along // product[0]) + 1)
        return bound


def _extensions(subsets: np.ndarray, start: int, stop: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Each of these subsets with every larger element: ``(number of the subset, element)``."""
    part = subsets[start:stop]
    first = part[:, -1] + 1 if subsets.shape[1] else np.zeros(len(part), dtype=np.int64)
    count = m - first
    before = np.repeat(np.arange(len(part)), count)
    offset = np.repeat(np.cumsum(count) - count, count)
    return before + start, np.arange(len(before)) - offset + np.repeat(first, count)


def _signs_of(values: Any) -> np.ndarray:
    """The signs of an object array of integers."""
    return np.array([(v > 0) - (v < 0) for v in values.tolist()], dtype=np.int8)


def _errors(size: int) -> list[float]:
    """e_0, ..., e_size of the head of this file."""
    errors = [0.0]
    for k in range(1, size + 1):
        before = float(k - 1) ** ((k - 1) / 2) if k <= LARGEST else inf  # never more than the permanent, (k-1)!
        rounding = k * UNIT / (1 - k * UNIT)
        e = k * (errors[-1] + UNIT * before) + rounding * k * (before + errors[-1])
        errors.append(e * (1 + 2.0**-20))
    return errors
