"""Sign orbits by the thousand: how many sign choices make a second-layer neuron stably unactivated.

The exact function for one orbit, in any position, is :func:`geomrelu.probability.stably_unactivated_orbit`. Here whole
batches of orbits are counted in floating point with a proven error bound; an orbit that the bound cannot settle is
counted again by that function, so every count is exact.

In general position the generators of the regions are the *vertices*, one for each n0 of the n1 hyperplanes, and the
*directions*, two opposite ones for each n0 - 1 of them. The values of the first layer there are minors of ``[A | b]``
(the chirotope of the arrangement), without a division:

    at the vertex of S       s = |det A_S|,  z_j = ± det [A | b]_(S ∪ j)
    along the direction of T s = 0,          z_j = ± det A_(T ∪ j)

Fix the row flips. Which neurons j (and the constant) get a *positive* sign is a set E, and the neuron is stably
unactivated if and only if at each generator with something active

    2 sum_(j in E) active_j < total,   active_j = w_j max(±z_j, 0),  active_constant = c s,

where the total is over all j and the constant. So with E all its subsets are good: they form a simplicial complex, the
empty set is always good, and few sets survive the first test, that of their elements alone.
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from itertools import combinations, pairwise
from math import comb
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.probability import WIDEST, stably_unactivated_orbit

__all__ = ["stably_unactivated_counts"]

Array = np.ndarray[Any, np.dtype[Any]]
UNIT = 2.0**-53
CELLS = 1 << 14  # doubles in a working table: what stays in the cache decides the speed
GATHERED = 1 << 18  # doubles of gathered generators at once
COUNTED = 1 << 19  # doubles of binding generators that wait to be counted together


def stably_unactivated_counts(weights: Any, bias: Any, w: Any, c: Any) -> Array:
    """How many sign choices make a second-layer neuron stably unactivated on R^n0, for many orbits at once.

    ``f(x) = sum_i w_i max(a_i·x + b_i, 0) + c``; the orbit is that of
    :func:`~geomrelu.probability.stably_unactivated_orbit`: row flips, the signs of the w_i and of c.

    Args:
        weights: float64, shape (orbits, n1, n0). bias: (orbits, n1). w: (orbits, n1). c: (orbits,). They stand for the
            rationals they hold.

    Returns:
        Counts out of 2^(2 n1 + 1), int64, shape (orbits,).

    Raises:
        InputError: a zero among w and c, a number that is not finite, more than 16 neurons.

    Exact: yes. Every total has the error bound of :func:`_tables`; an orbit with a margin inside it, or a minor of A
    that may be zero, is counted again in integers.
    Method: a table of the 2^n1 row flips for each pair of opposite directions, where most single positive signs fail,
    and for each vertex; what is left is looked at set by set. About 2^n1 C(n1, n0 - 1) n1 operations for an orbit.
    Source: claims ``narrow-first-layer``, ``one-more-than-input``.

    >>> stably_unactivated_counts([[[1.0], [3.0]]], [[1.0, 2.0]], [[1.0, 1.0]], [1.0])
    array([6])
    """
    a, b, w, c = (np.asarray(part, dtype=np.float64) for part in (weights, bias, w, c))
    if a.ndim != 3 or b.shape != a.shape[:2] or w.shape != b.shape or c.shape != a.shape[:1] or 0 in a.shape[1:]:
        raise InputError("expected arrays of shapes (orbits, n1, n0), (orbits, n1), (orbits, n1), (orbits,)")
    orbits, n1, n0 = a.shape
    if n1 > WIDEST:
        raise InputError(f"{n1} neurons have 2^{2 * n1 + 1} sign choices; the limit is {WIDEST} neurons")
    if not all(np.isfinite(part).all() for part in (a, b, w, c)):
        raise InputError("a magnitude is not a finite number")
    if not (w.all() and c.all()):
        raise InputError("a zero in w or c has no sign to choose")
    if n1 < n0:  # along a line on which all neurons are silent w and c must be negative, and then f < 0 elsewhere
        return np.full(orbits, 1 << n1, dtype=np.int64)
    counts = np.empty(orbits, dtype=np.int64)
    size = max(1, min(orbits, CELLS >> n1 if n1 > 4 else CELLS >> 4))
    for start in range(0, orbits, size):
        part = slice(start, start + size)
        found, sure = _counted(a[part], b[part], abs(w[part]), abs(c[part]))
        for k in np.flatnonzero(~sure):
            at = start + int(k)
            found[k] = stably_unactivated_orbit(a[at], b[at], w[at], c[at])[0]
        counts[part] = found
    return counts


# ---- the chirotope ----------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _expansion(n: int, k: int) -> tuple[Array, Array]:
    """For each k of n rows: the rows, shape (C(n, k), k), and the position of the rows without each one among the
    (k - 1)-subsets, same shape."""
    place = {s: i for i, s in enumerate(combinations(range(n), k - 1))}
    rows = list(combinations(range(n), k))
    without = [[place[s[:p] + s[p + 1 :]] for p in range(k)] for s in rows]
    return np.array(rows), np.array(without)


def _minors(columns: list[Array], n: int) -> list[tuple[Array, Array]]:
    """The minors of the first k columns, for all k rows: ``(value, size)`` for k = 1, 2, ...

    Args:
        columns: each of shape (n, orbits).

    ``size`` is the permanent of the absolute values. Expanding along column k multiplies (one rounding) and adds k
    terms (k - 1 roundings), so the error of a k-minor is at most k (k + 1) / 2 UNIT size to first order.
    """
    result = [(columns[0], np.abs(columns[0]))]
    for k in range(2, min(len(columns), n) + 1):
        value, size = result[-1]
        rows, without = _expansion(n, k)
        column = columns[k - 1]
        new, new_size = np.zeros((len(rows), column.shape[1])), np.zeros((len(rows), column.shape[1]))
        for p in range(k):
            factor = column[rows[:, p]]
            new += (1 if (k - 1 - p) % 2 == 0 else -1) * (factor * value[without[:, p]])
            new_size += np.abs(factor) * size[without[:, p]]
        result.append((new, new_size))
    return result


@lru_cache(maxsize=64)
def _layout(n1: int, k: int) -> tuple[Array, Array, Array, Array]:
    """Where the (k + 1)-minor of T and j goes, for all (k)-subsets T of the rows and all j outside.

    Returns:
        ``(row T, column j, which minor, its sign with j as the last row)``.
    """
    place = {s: i for i, s in enumerate(combinations(range(n1), k + 1))}
    table = [
        (t, j, place[s := tuple(sorted((*inside, j)))], 1 if (k - s.index(j)) % 2 == 0 else -1)
        for t, inside in enumerate(combinations(range(n1), k))
        for j in range(n1)
        if j not in inside
    ]
    t, j, minor, sign = (np.array(column, dtype=np.intp) for column in zip(*table, strict=True))
    return t, j, minor, sign.astype(np.float64)


def _tables(a: Array, b: Array, w: Array, c: Array) -> tuple[Array, Array, Array, float, Array]:
    """The weighted values at the generators.

    Returns:
        ``(directions, vertices, constants, error, sure)``: w_j z_j along one of each two opposite directions, shape
        (C(n1, n0 - 1), n1, orbits), w_j z_j at the vertices, (C(n1, n0), n1, orbits), and c s there,
        (C(n1, n0), orbits). Every generator is scaled so that the bounds of its entries sum to 1. Then any of the sums
        in this module is off by less than ``error``. ``sure`` says which orbits are in general position and far from
        underflow.

    The bound. To first order in UNIT, an entry has relative roundings (n0 + 1)(n0 + 2)/2 in the minor, 1 in the factor
    w_j, 1 in the scale, and n1 + 1 in a sum; the totals and twice the sum of a part use each entry at most three times.
    So 3 ((n0 + 1)(n0 + 2)/2 + n1 + 3) UNIT; what is used is more than twice that, which covers the terms of higher
    order and the rounding of the bounds themselves. Magnitudes lie between 2^-e and 2^e with
    (e + 53)(n0 + 2) < 1000, so no product can underflow: a difference of two floats is a multiple of the unit in the
    last place of the smaller one.
    """
    orbits, n1, n0 = a.shape
    columns = [np.ascontiguousarray(a[:, :, k].T) for k in range(n0)]
    bias, weight = np.ascontiguousarray(b.T), np.ascontiguousarray(w.T)
    extreme = 2.0 ** (1000 // (n0 + 2) - 53)
    sure = np.ones(orbits, dtype=bool)
    for part in (*columns, bias, weight, c[None]):
        size = np.abs(part)
        sure &= ((size < extreme) & (size > 1 / extreme) | (size == 0)).all(axis=0)
    with np.errstate(all="ignore"):  # what overflows is not sure
        minors = _minors([*columns, bias], n1)
        value, size = minors[n0 - 1]
        sure &= (np.abs(value) > (n0 + 1) * (n0 + 2) * UNIT * size).all(axis=0)
        directions = np.zeros((comb(n1, n0 - 1), n1, orbits))
        if n0 == 1:
            directions[0], bounds = weight * value, (weight * size).sum(axis=0)[None]
        else:
            directions, bounds = _placed(value, size, weight, n1, n0 - 1)
        directions /= bounds[:, None]
        orientation = np.sign(value)
        constants, constant_bounds = c * np.abs(value), c * size
        if n1 > n0:
            value, size = minors[n0]
            vertices, bounds = _placed(value, size, weight, n1, n0)
        else:
            vertices, bounds = np.zeros((1, n1, orbits)), np.zeros((1, orbits))
        bounds = bounds + constant_bounds
        vertices *= (orientation / bounds)[:, None]
        constants /= bounds
    error = 8 * ((n0 + 1) * (n0 + 2) // 2 + n1 + 3) * UNIT
    sure &= np.isfinite(directions).all(axis=(0, 1)) & np.isfinite(vertices).all(axis=(0, 1))
    sure &= np.isfinite(constants).all(axis=0)
    return directions, vertices, constants, error, sure


def _placed(value: Array, size: Array, weight: Array, n1: int, k: int) -> tuple[Array, Array]:
    """w_j times the minor of (T, j), and the sums over j of the bounds."""
    t, j, minor, sign = _layout(n1, k)
    table = np.zeros((comb(n1, k), n1, weight.shape[1]))
    table[t, j] = sign[:, None] * value[minor] * weight[j]
    bounds = np.zeros_like(table)
    bounds[t, j] = size[minor] * weight[j]
    return table, bounds.sum(axis=1)


# ---- counting ---------------------------------------------------------------------------------------------------


def _counted(a: Array, b: Array, w: Array, c: Array) -> tuple[Array, Array]:
    """Counts, and which of them are sure."""
    orbits, n1, _ = a.shape
    directions, vertices, constants, error, sure = _tables(a, b, w, c)
    doubtful = ~sure
    for part in (directions, vertices, constants):
        part[..., doubtful] = 1.0  # anything harmless
    flips = 1 << n1
    # the least margin for each single positive sign; at -d by the opposite flips, so in two rounds
    margin = np.full((n1 + 1, flips, orbits), np.inf)
    generators = [*((d, None) for d in directions), *zip(vertices, constants, strict=True)]
    table, room = np.empty((flips, orbits)), np.empty((flips, orbits))
    for k, (values, constant) in enumerate(generators):
        if k == len(directions):
            np.minimum(margin, margin[:, ::-1], out=margin)
        active = _totals(values, constant, table)
        for e in range(n1):
            shape = (1 << e, 2, flips >> (e + 1), orbits)
            np.subtract(table.reshape(shape), 2 * active[e][None, :, None], out=room.reshape(shape))
            np.minimum(margin[e], room, out=margin[e])
        if constant is not None:
            np.subtract(table, 2 * constant, out=room)
            np.minimum(margin[n1], room, out=margin[n1])
    doubtful |= (np.abs(margin) <= error).any(axis=(0, 1))
    single = margin > error
    counts = flips + single.sum(axis=(0, 1))
    good = sum(single[e].astype(np.int64) << e for e in range(n1 + 1))
    flip, orbit = np.nonzero(good & (good - 1))
    sets, doubts = _larger(good[flip, orbit], flip, orbit, directions, vertices, constants, error)
    np.add.at(counts, orbit, sets)
    doubtful[orbit[doubts]] = True
    return counts, ~doubtful


def _totals(values: Array, constant: Array | None, table: Array) -> list[Array]:
    """Fill ``table`` (flips, orbits) with the totals at a generator; the active value of each neuron, (2, orbits).

    Bit 0 of a flip is the last neuron's; a bit 0 flips the row.
    """
    n1 = len(values)
    active = [np.stack([np.maximum(-v, 0), np.maximum(v, 0)]) for v in values]
    half = n1 // 2
    upper, lower = _sums(active[:half], values.shape[1]), _sums(active[half:], values.shape[1])
    np.add(upper[:, None], lower[None], out=table.reshape(len(upper), len(lower), -1))
    if constant is None:
        table[table == 0] = 1.0  # nothing is active: nothing to show
    else:
        table += constant
    return active


def _sums(active: list[Array], orbits: int) -> Array:
    total = np.zeros((1, orbits))
    for pair in active:
        total = (total[:, None] + pair[None]).reshape(-1, orbits)
    return total


def _larger(
    good: Array, flip: Array, orbit: Array, directions: Array, vertices: Array, constants: Array, error: float
) -> tuple[Array, Array]:
    """For each flip of an orbit with two or more good elements: how many sets of two or more, and is one in doubt?"""
    n1 = directions.shape[1]
    values = np.concatenate([directions, -directions, vertices]).transpose(2, 1, 0).copy()  # (orbits, n1, generators)
    size = values.shape[2]
    sets, doubts = np.zeros(len(good), dtype=np.int64), np.zeros(len(good), dtype=bool)
    waiting: defaultdict[int, list[tuple[Array, Array, Array, Array]]] = defaultdict(list)

    def settle(group: list[tuple[Array, Array, Array, Array]]) -> None:
        which, elements, room, cost = (np.concatenate(column) for column in zip(*group, strict=True))
        sets[which], doubts[which] = _downset(elements, room, cost, error)

    step = max(1, GATHERED // (size * n1))
    for start in range(0, len(good), step):
        part = slice(start, start + step)
        elements = ((good[part, None] >> np.arange(n1 + 1)) & 1).astype(bool)
        signs = ((flip[part, None] >> np.arange(n1 - 1, -1, -1)) & 1) * 2.0 - 1
        active = np.zeros((len(elements), n1 + 1, size))
        np.maximum(values[orbit[part]] * signs[:, :, None], 0, out=active[:, :n1])
        active[:, n1, 2 * len(directions) :] = constants[:, orbit[part]].T
        total = active.sum(axis=1)
        total[total == 0] = 1.0
        active *= 2 * elements[:, :, None]
        # generators at which no set of good elements can fail need not be looked at
        binding = active.sum(axis=1) >= total - error
        width = binding.sum(axis=1)
        free = elements.sum(axis=1)
        sets[part] = np.where(width == 0, (1 << free) - 1 - free, 0)  # nothing binds: all sets are good
        for low, high in _grades(int(width.max())):
            those = np.flatnonzero((width >= low) & (width < high))
            if len(those):
                first = np.argsort(~binding[those], axis=1, kind="stable")[:, : min(high - 1, size)]
                room = np.take_along_axis(total[those], first, axis=1)
                cost = np.take_along_axis(active[those], first[:, None], axis=2)
                waiting[high].append((start + those, elements[those], room, cost))
                if sum(case[3].size for case in waiting[high]) > COUNTED:
                    settle(waiting.pop(high))
    for group in waiting.values():
        settle(group)
    return sets, doubts


def _grades(largest: int) -> list[tuple[int, int]]:
    """Classes of like size, [low, high): 1-2, 3-4, 5-8, 9-16, ..."""
    edges = [1, 3]
    while edges[-1] <= largest:
        edges.append(2 * (edges[-1] - 1) + 1)
    return list(pairwise(edges))


def _downset(elements: Array, room: Array, cost: Array, error: float) -> tuple[Array, Array]:
    """How many sets of two or more elements fit: their costs sum to less than the room, in each place.

    Args:
        elements: bool, shape (cases, n1 + 1). room: (cases, places). cost: (cases, n1 + 1, places).
    """
    cases = np.arange(len(elements))
    left = room  # what fits so far: first the empty set of each case
    number, doubts = np.zeros(len(elements), dtype=np.int64), np.zeros(len(elements), dtype=bool)
    for e in range(elements.shape[1]):
        grown = np.flatnonzero(elements[cases, e])
        case = cases[grown]
        remains = left[grown] - cost[case, e]
        least = remains.min(axis=1)
        doubts[case[np.abs(least) <= error]] = True
        fits = least > error
        np.add.at(number, case[fits], 1)
        if e < elements.shape[1] - 1:
            cases, left = np.concatenate([cases, case[fits]]), np.concatenate([left, remains[fits]])
    return number - elements.sum(axis=1), doubts
