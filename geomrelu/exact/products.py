"""Products of sparse matrices of large integers, exactly, in 64-bit machine arithmetic.

Each integer is cut into limbs of a few bits, with its sign, so that no sum of products of limbs can leave 64 bits; the
products of matrices of limbs are those of SciPy, and the limbs of each entry are put together at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from scipy import sparse

__all__ = ["Rows", "product"]

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]
"""``indptr, indices, data`` of compressed sparse rows; the data are Python's integers."""

_BITS = 62  # of a sum, without its sign
_MOST = 300  # products of limbs, beyond which nothing is gained


def product(first: Rows, second: Rows, inner: int, columns: int) -> Rows | None:
    """The product of two matrices; None: its numbers are so long that machine arithmetic does not help.

    Args:
        first: (rows, inner). second: (inner, columns). No row of either is too long for 32 bits.

    Exact: yes. Zeros are dropped, and the columns of a row increase. Cost: a sparse product for each pair of limbs.
    """
    terms = int(np.diff(first[0]).max(initial=0))
    longest = [max((v.bit_length() for v in {abs(v) for v in data}), default=0) for data in (first[2], second[2])]
    bits = (_BITS - max(terms, 1).bit_length()) // 2
    while bits > 8:  # as many pairs of limbs are added for one place as the shorter number has limbs
        counts = [-(-length // bits) for length in longest]
        if 2 * bits + (max(terms, 1) * max(min(counts), 1)).bit_length() <= _BITS:
            break
        bits -= 1
    if bits <= 8 or counts[0] * counts[1] > _MOST:
        return None
    left = list(_limbs(first, inner, bits, counts[0]))
    right = list(_limbs(second, columns, bits, counts[1]))
    pattern = _ones(first, inner) @ _ones(second, columns)
    pattern.sort_indices()
    rows = np.repeat(np.arange(len(first[0]) - 1), np.diff(pattern.indptr))
    places = rows * columns + pattern.indices
    found = np.zeros(len(places), dtype=object if sum(longest) + terms.bit_length() > _BITS else np.int64)
    for power in range(counts[0] + counts[1] - 1):
        total = np.zeros(len(places), dtype=np.int64)
        for k in range(max(0, power - counts[1] + 1), min(power + 1, counts[0])):
            part = left[k] @ right[power - k]
            part.sort_indices()
            where = np.repeat(np.arange(len(first[0]) - 1), np.diff(part.indptr)) * columns + part.indices
            total[np.searchsorted(places, where)] += part.data
        found += (total.astype(object) if found.dtype == object else total) << (bits * power)
    kept = found.astype(bool)
    lengths = np.bincount(rows[kept], minlength=len(first[0]) - 1)
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return indptr, pattern.indices[kept].astype(np.int64), found[kept].astype(object)


def _limbs(matrix: Rows, columns: int, bits: int, count: int) -> Iterator[sparse.csr_array]:
    from scipy import sparse

    indptr, indices, data = matrix
    signs = np.fromiter((-1 if v < 0 else 1 for v in data), np.int64, len(data))
    rest: Any = abs(data)
    mask = (1 << bits) - 1
    for _ in range(count):
        limb = (rest & mask).astype(np.int64) * signs
        rest = rest >> bits
        yield sparse.csr_array((limb, indices, indptr), shape=(len(indptr) - 1, columns))


def _ones(matrix: Rows, columns: int) -> sparse.csr_array:
    from scipy import sparse

    indptr, indices, data = matrix
    return sparse.csr_array((np.ones(len(data), np.int64), indices, indptr), shape=(len(indptr) - 1, columns))
