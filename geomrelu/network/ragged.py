"""Ragged arrays (groups of different sizes, one after another, in one array) and tables of bits, for whole kernels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

__all__ = ["bits", "counted", "cross", "distinct", "expanded", "facets", "portions", "ranges", "starts_of"]


def starts_of(counts: np.ndarray) -> np.ndarray:
    """Where groups of these sizes begin, and where the last one ends."""
    starts = np.zeros(len(counts) + 1, dtype=np.int64)
    counts.cumsum(out=starts[1:])
    return starts


def expanded(starts: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The places of all members of the chosen groups one after another, and how many each group has."""
    begin = starts[groups]
    counts = starts[groups + 1] - begin
    offsets = starts_of(counts)
    return np.arange(offsets[-1]) + (begin - offsets[:-1]).repeat(counts), counts


def ranges(begin: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For the ranges begin[k], ..., begin[k] + counts[k] - 1 one after another: the k, and the numbers."""
    which = np.arange(len(counts)).repeat(counts)
    return which, np.arange(len(which)) + (begin - starts_of(counts)[:-1]).repeat(counts)


def cross(first: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pair member k of one ragged array, of group ``first[k]``, with all members of that group in another one."""
    begin = starts[first]
    return ranges(begin, starts[first + 1] - begin)


def distinct(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each value stands first, by increasing value, and for each key the number of its value."""
    order = keys.argsort(kind="stable")
    ordered = keys[order]
    fresh = np.empty(len(keys), dtype=bool)
    fresh[:1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=fresh[1:])
    which = np.empty(len(keys), dtype=np.int64)
    which[order] = fresh.cumsum() - 1
    return order[fresh], which


_MOST = 1 << 23  # bits of members that are compared at once
_BITS = np.array([b.bit_count() for b in range(256)], dtype=np.uint8)


def counted(masks: np.ndarray) -> np.ndarray:
    """How many bits are set in each row of words."""
    if hasattr(np, "bitwise_count"):  # NumPy 2
        each = np.bitwise_count(masks)
        return each.sum(axis=1, dtype=np.int64) if each.shape[1] > 1 else each[:, 0]
    return _BITS[np.ascontiguousarray(masks).view(np.uint8)].sum(axis=1, dtype=np.int64)


def bits(masks: np.ndarray) -> np.ndarray:
    """The bits of each row of words as booleans."""
    little = np.ascontiguousarray(masks.astype("<u8", copy=False))
    return np.unpackbits(little.view(np.uint8), axis=1, bitorder="little").view(bool)


def portions(load: np.ndarray, limit: int) -> Iterator[tuple[int, int]]:
    """Consecutive ranges that each load at most ``limit``, or hold one item."""
    if load.sum() <= limit:
        yield 0, len(load)
        return
    total, first = np.cumsum(load), 0
    while first < len(load):
        last = int(np.searchsorted(total, (total[first - 1] if first else 0) + limit, side="right"))
        yield first, max(first + 1, last)
        first = max(first + 1, last)


def facets(zeros: np.ndarray, starts: np.ndarray, members: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    """The facets of each cell (or face), those at infinity left out: ``(cell, mask, starts, members)`` in portions.

    ``mask`` has the bits of all constraints and neurons that vanish on the facet and not on the whole cell.

    Method: every facet is cut out by one bit; the sets cut out by single bits are compared by inclusion. The set of
    bit i lies in that of bit j if and only if j vanishes on it, so i is maximal when all those have the same size.
    """
    for first, last in portions(np.diff(starts) * zeros.shape[1] * 64, _MOST):
        own = members[starts[first] : starts[last]]
        sizes = np.diff(starts[first : last + 1])
        cells, tight = last - first, zeros[own]
        whole = np.bitwise_and.reduceat(tight, starts[first:last] - starts[first], axis=0)
        place, k = np.nonzero(bits(tight & ~np.repeat(whole, sizes, axis=0)))
        if not len(place):
            continue
        width = zeros.shape[1] * 64
        key = np.repeat(np.arange(cells), sizes)[place] * width + k
        order = np.lexsort((own[place], key))
        key, entry = key[order], place[order]
        count = np.bincount(key, minlength=cells * width)
        begin = np.diff(key, prepend=-1).nonzero()[0]
        cell, k = np.divmod(key[begin], width)
        mask = np.bitwise_and.reduceat(tight[entry], begin, axis=0) & ~whole[cell]
        group, j = np.nonzero(bits(mask))
        smaller = count[cell[group] * width + j] != count[key[begin]][group]
        lower = j < k[group]  # the same set, met before
        good = (mask[:, 0] & np.uint64(1)) == 0
        good[group[smaller | lower]] = False
        chosen = good.nonzero()[0]
        ends = np.append(begin, len(entry))
        places, lengths = expanded(ends, chosen)
        yield cell[chosen] + first, mask[chosen], starts_of(lengths), own[entry[places]]
