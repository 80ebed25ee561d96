"""Sign orbits by the thousand: how many sign choices make a second-layer neuron stably unactivated.

The exact function for one orbit, in any position, is
:func:`geomrelu.random_networks.stably_unactivated.stably_unactivated_orbit`.
Here whole batches of orbits are counted in floating point with a proven error bound; an orbit that the bound cannot
settle is counted again by that function, so every count is exact.

In general position the generators of the regions are the *vertices*, one for each n0 of the n1 hyperplanes, and the
*directions*, two opposite ones for each n0 - 1 of them. The values of the first layer there are minors of ``[A | b]``
(the chirotope of the arrangement):

    at the vertex of S       s = |det A_S|,  z_j = ± det [A | b]_(S ∪ j)
    along the direction of T s = 0,          z_j = ± det A_(T ∪ j)

Fix the row flips, and let E be the set of the neurons j whose weight is positive. The neuron is stably unactivated if
and only if at each generator with something active

    c s < room,   room = sum_(j not in E) active_j - sum_(j in E) active_j,   active_j = |w_j| max(±z_j, 0).

- Along the directions s = 0: neither c nor the vertices matter, the opposite flips have the opposite directions and so
  the same good sets E, and with E all its subsets are good (a simplicial complex). So the sets good along all
  directions are grown one element at a time, for half of the flips.
- At the vertices each such set has one number, T = min room / s. It is in the event with the constant c if and only if
  c < T. So further constants for the same first layer and weights cost next to nothing.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations, pairwise
from math import comb
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.geometry.chirotope import expanded
from geomrelu.random_networks.stably_unactivated import WIDEST, stably_unactivated_orbit
from geomrelu.rounding import to_nearest

__all__ = ["stably_unactivated_counts"]

Array = np.ndarray[Any, np.dtype[Any]]
UNIT = 2.0**-53
CELLS = 1 << 14  # doubles in a working table: what stays in the cache decides the speed
TABLED = 1 << 21  # doubles in the tables of a batch
GATHERED = 1 << 18  # doubles of gathered generators at once
ROWS = 1 << 15  # doubles of the vertices of several sets at once
PART = 4  # neurons whose 4^PART sign choices have a table of their own


def stably_unactivated_counts(weights: Any, bias: Any, w: Any, c: Any, rows: int | None = None) -> Array:
    """How many sign choices make a second-layer neuron stably unactivated on R^n0, for many orbits at once.

    ``f(x) = sum_i w_i max(a_i·x + b_i, 0) + c``; the orbit is that of
    :func:`~geomrelu.random_networks.stably_unactivated.stably_unactivated_orbit`: row flips, the signs of the w_i and
    of c.

    Args:
        weights: float64, shape (orbits, n1, n0). bias: (orbits, n1). w: (orbits, n1). They stand for the rationals
            they hold.
        c: (orbits,), or (orbits, K): K orbits that share everything else.
        rows: how many independent row flips are walked, 1 to n1: the first n1 - rows + 1 rows are flipped together.
            Fewer are a part of the orbit that is an orbit of a smaller group of signs. None: n1.

    Returns:
        Counts out of 2^(rows + n1 + 1), int64, of the shape of c.

    Raises:
        InputError: a zero among w and c, a number that is not finite, more than 16 neurons.

    Exact: yes. Every comparison has an error bound (:func:`_tables`); an orbit with a margin inside it, or a minor of A
    that may be zero, is counted again in integers.
    Method: see the head of the file; the first test, that of single elements, with a table of half of the row flips for
    each direction. About 2^rows C(n1, n0 - 1) n1 operations for an orbit, and C(n1, n0) for each set that is good along
    all directions.
    Source: claims ``narrow-first-layer``, ``one-more-than-input``.

    >>> stably_unactivated_counts([[[1.0], [3.0]]], [[1.0, 2.0]], [[1.0, 1.0]], [1.0])
    array([6])
    """
    to_nearest()
    a, b, w, c = (np.asarray(part, dtype=np.float64) for part in (weights, bias, w, c))
    if a.ndim != 3 or b.shape != a.shape[:2] or w.shape != b.shape or 0 in a.shape[1:]:
        raise InputError("expected arrays of shapes (orbits, n1, n0), (orbits, n1), (orbits, n1), (orbits,)")
    if c.ndim not in (1, 2) or len(c) != len(a):
        raise InputError("expected constants of shape (orbits,) or (orbits, K)")
    orbits, n1, n0 = a.shape
    if n1 > WIDEST:
        raise InputError(f"{n1} neurons have 2^{2 * n1 + 1} sign choices; the limit is {WIDEST} neurons")
    rows = n1 if rows is None else rows
    if not 1 <= rows <= n1:
        raise InputError(f"rows must lie between 1 and {n1}, not be {rows}")
    if not all(np.isfinite(part).all() for part in (a, b, w, c)):
        raise InputError("a magnitude is not a finite number")
    if not (w.all() and c.all()):
        raise InputError("a zero in w or c has no sign to choose")
    counts = np.full(c.shape, 1 << rows, dtype=np.int64)
    if n1 < n0:  # along a line on which all neurons are silent w and c must be negative, and then f < 0 elsewhere
        return counts
    each = comb(n1, n0) * sum(4 ** (high - low) for low, high in _parts(n1)) + n1 * comb(n1 + 1, n0)
    size = max(1, TABLED // each)
    for start in range(0, orbits, size):
        part = slice(start, start + size)
        found, sure = _counted(a[part], b[part], abs(w[part]), abs(c[part]), rows)
        for at in np.argwhere(~sure):
            k = start + at[0]
            found[*at] = stably_unactivated_orbit(a[k], b[k], w[k], c[k, *at[1:]], rows)[0]
        counts[part] = found
    return counts


# ---- the chirotope ----------------------------------------------------------------------------------------------


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
        column = columns[k - 1]
        result.append((expanded(column, value, k), expanded(np.abs(column), size, k, signed=False)))
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


def _tables(a: Array, b: Array, w: Array) -> tuple[Array, Array, float, Array, Array]:
    """The weighted values at the generators.

    Returns:
        ``(directions, vertices, error, near, sure)``: w_j z_j along one of each two opposite directions, shape
        (C(n1, n0 - 1), n1, orbits), scaled so that the bounds of its entries sum to 1, and w_j z_j / s at the vertices,
        (C(n1, n0), n1, orbits). Any room along a direction, less a part of it or not, is off by less than ``error``,
        the room / s at a vertex by less than ``near``, (orbits, C(n1, n0)). ``sure`` says which orbits are in general
        position and far from underflow.

    The bounds, to first order in UNIT. An entry at a direction has relative roundings g = (n0 + 1)(n0 + 2)/2 in the
    minor, 1 in the factor w_j, 1 in the scale, and n1 + 1 in a sum; the totals and twice the sum of a part use each
    entry at most three times. So 3 (g + n1 + 3) UNIT; what is used is more than twice that, which covers the terms of
    higher order and the rounding of the bounds themselves. At a vertex z_j and s carry errors of g UNIT times their
    sizes Z_j and S, and s is twice its error or more; so w_j z_j / s is off by at most 3 g UNIT (w_j Z_j / s) (S / s),
    and a sum by (n1 + 3) UNIT (sum of w_j Z_j / s) more.
    Magnitudes lie between 2^-e and 2^e with (e + 53)(n0 + 2) < 1000, so no product can underflow: a difference of two
    floats is a multiple of the unit in the last place of the smaller one. A quotient that does is off by 2^-1074.
    """
    orbits, n1, n0 = a.shape
    columns = [np.ascontiguousarray(a[:, :, k].T) for k in range(n0)]
    bias, weight = np.ascontiguousarray(b.T), np.ascontiguousarray(w.T)
    extreme = 2.0 ** (1000 // (n0 + 2) - 53)
    sure = np.ones(orbits, dtype=bool)
    for part in (*columns, bias, weight):
        size = np.abs(part)
        sure &= ((size < extreme) & (size > 1 / extreme) | (size == 0)).all(axis=0)
    error = 8 * ((n0 + 1) * (n0 + 2) // 2 + n1 + 3) * UNIT
    with np.errstate(all="ignore"):  # what overflows is not sure
        minors = _minors([*columns, bias], n1)
        value, size = minors[n0 - 1]
        sure &= (np.abs(value) > (n0 + 1) * (n0 + 2) * UNIT * size).all(axis=0)
        if n0 == 1:
            directions, bounds = (weight * value)[None], (weight * size).sum(axis=0)[None]
        else:
            directions, bounds = _placed(value, size, weight, n1, n0 - 1)
        directions /= bounds[:, None]
        if n1 > n0:
            larger, larger_size = minors[n0]
            vertices, bounds = _placed(larger, larger_size, weight, n1, n0)
            vertices /= value[:, None]
            near = bounds / np.abs(value) * (size / np.abs(value)) * error + 2.0**-1000
        else:
            vertices, near = np.zeros((1, n1, orbits)), np.zeros((1, orbits))
    sure &= np.isfinite(directions).all(axis=(0, 1)) & np.isfinite(vertices).all(axis=(0, 1))
    sure &= np.isfinite(near).all(axis=0)
    for part in (directions, vertices, near):
        part[..., ~sure] = 1.0  # anything harmless
    return directions, vertices, error, near.T.copy(), sure


def _placed(value: Array, size: Array, weight: Array, n1: int, k: int) -> tuple[Array, Array]:
    """w_j times the minor of (T, j), and the sums over j of the bounds."""
    t, j, minor, sign = _layout(n1, k)
    table = np.zeros((comb(n1, k), n1, weight.shape[1]))
    table[t, j] = sign[:, None] * value[minor] * weight[j]
    bounds = np.zeros_like(table)
    bounds[t, j] = size[minor] * weight[j]
    return table, bounds.sum(axis=1)


# ---- counting ---------------------------------------------------------------------------------------------------
# A flip and a set are numbers: the bit n1 - 1 - e is the neuron e's. A bit 0 flips the row; a bit 1 is in the set.
# Flips are looked at together with the opposite ones; so those that are numbered leave the bits of the first rows 0.


def _counted(a: Array, b: Array, w: Array, c: Array, rows: int) -> tuple[Array, Array]:
    """Counts, and which of them are sure, both of the shape of c."""
    orbits, n1, _ = a.shape
    shape, c = c.shape, c.reshape(orbits, -1)
    directions, vertices, error, near, sure = _tables(a, b, w)
    size = max(1, CELLS >> max(rows, 4))
    goods, doubts = zip(
        *(_singles(directions[:, :, k : k + size], error, rows) for k in range(0, orbits, size)), strict=True
    )
    good, doubtful = np.concatenate(goods), np.concatenate(doubts) | ~sure
    good[doubtful] = 0  # nothing to do
    counts, certain = np.zeros(c.shape, dtype=np.int64), np.ones(c.shape, dtype=bool)
    rooms = _Rooms(vertices)
    values = np.concatenate([directions, -directions], axis=0).transpose(2, 1, 0).copy()  # (orbits, n1, generators)
    orbit, flip = np.divmod(np.arange(good.size), good.shape[1])
    step = max(1, GATHERED // (values.shape[2] * n1))
    for start in range(0, good.size, step):
        part = slice(start, start + step)
        which, sets, doubted = _good_sets(good.reshape(-1)[part], flip[part], values, orbit[part], error)
        doubtful[orbit[part][doubted]] = True
        which = which + start
        order = np.argsort(which, kind="stable")
        which, sets = which[order], sets[order]
        _tally(counts, certain, rooms, c, near, orbit[which], flip[which], sets)
    return counts.reshape(shape), (certain & ~doubtful[:, None]).reshape(shape)


def _singles(directions: Array, error: float, rows: int) -> tuple[Array, Array]:
    """Which single elements are good along all directions, for half of the flips (the others are opposite).

    Returns:
        ``(good, doubtful)``: sets as numbers, int64, shape (orbits, flips / 2), and orbits with a margin inside the
        error.
    """
    _, n1, orbits = directions.shape
    half, together = 1 << (rows - 1), n1 - rows + 1
    margin = np.full((n1, half, orbits), np.inf)
    table, room = np.empty((half, orbits)), np.empty((half, orbits))
    for values in directions:
        for side in (values, -values):
            active = _totals(side, table, together)
            for e in range(n1):
                if e < together:
                    np.subtract(table, 2 * active[e][0], out=room)
                else:
                    shape = (1 << (e - together), 2, half >> (e - together + 1), orbits)
                    np.subtract(table.reshape(shape), 2 * active[e][None, :, None], out=room.reshape(shape))
                np.minimum(margin[e], room, out=margin[e])
    good = np.zeros((half, orbits), dtype=np.int64)
    for e in range(n1):
        good |= (margin[e] > error).astype(np.int64) << (n1 - 1 - e)
    return good.T, np.asarray((np.abs(margin) <= error).any(axis=(0, 1)))


def _totals(values: Array, table: Array, together: int) -> list[Array]:
    """Fill ``table`` (flips, orbits) with the totals along a direction; the active values, each (2, orbits).

    Args:
        together: so many rows are flipped.
    """
    active = [np.stack([np.maximum(-v, 0), np.maximum(v, 0)]) for v in values]
    free = active[together:]
    half = len(free) // 2
    upper, lower = _sums(free[:half], values.shape[1]), _sums(free[half:], values.shape[1])
    lower = lower + sum(pair[0] for pair in active[:together])
    np.add(upper[:, None], lower[None], out=table.reshape(len(upper), len(lower), -1))
    table[table == 0] = 1.0  # nothing is active: nothing to show
    return active


def _sums(active: list[Array], orbits: int) -> Array:
    total = np.zeros((1, orbits))
    for pair in active:
        total = (total[:, None] + pair[None]).reshape(-1, orbits)
    return total


def _good_sets(good: Array, flip: Array, values: Array, orbit: Array, error: float) -> tuple[Array, Array, Array]:
    """All sets that are good along all directions, for some flips of some orbits.

    Args:
        good: the good elements of each case, as a number. values: (orbits, n1, generators), the weighted values.

    Returns:
        ``(case, set, doubted)``: the sets as numbers, each with its case, and the cases with one in doubt.
    """
    n1 = values.shape[1]
    bits = np.arange(n1 - 1, -1, -1)
    elements = ((good[:, None] >> bits) & 1).astype(bool)
    case, element = np.nonzero(elements)
    cases, sets = [np.arange(len(good)), case], [np.zeros(len(good), dtype=np.int64), 1 << bits[element]]
    doubted = [np.zeros(0, dtype=np.int64)]
    several = np.flatnonzero(good & (good - 1))
    if not len(several):
        return np.concatenate(cases), np.concatenate(sets), doubted[0]
    elements = elements[several]
    signs = ((flip[several, None] >> bits) & 1) * 2.0 - 1
    active = np.maximum(values[orbit[several]] * signs[:, :, None], 0)
    total = active.sum(axis=1)
    total[total == 0] = 1.0
    active *= 2 * elements[:, :, None]
    # generators at which no set of good elements can fail need not be looked at
    binding = active.sum(axis=1) >= total - error
    width = binding.sum(axis=1)
    for low, high in _grades(int(width.max())):
        those = np.flatnonzero((width >= low) & (width < high))
        if len(those):
            first = np.argsort(~binding[those], axis=1, kind="stable")[:, : high - 1]
            room = np.take_along_axis(total[those], first, axis=1)
            cost = np.take_along_axis(active[those], first[:, None], axis=2)
            grown, found, doubts = _grown(elements[those], room, cost, error)
            cases.append(several[those[grown]])
            sets.append(found)
            doubted.append(several[those[doubts]])
    return np.concatenate(cases), np.concatenate(sets), np.concatenate(doubted)


def _grades(largest: int) -> list[tuple[int, int]]:
    """Classes of like size, [low, high): 0-2, 3-4, 5-8, 9-16, ..."""
    edges = [0, 3]
    while edges[-1] <= largest:
        edges.append(2 * (edges[-1] - 1) + 1)
    return list(pairwise(edges))


def _grown(elements: Array, room: Array, cost: Array, error: float) -> tuple[Array, Array, Array]:
    """The sets of two or more elements that fit: their costs sum to less than the room, in each place.

    Args:
        elements: bool, shape (cases, n1). room: (cases, places). cost: (cases, n1, places).

    Returns:
        ``(case, set, doubted cases)``.
    """
    n1 = elements.shape[1]
    cases, sets = np.arange(len(elements)), np.zeros(len(elements), dtype=np.int64)
    left = room  # what fits so far: first the empty set of each case
    doubted = []
    for e in range(n1):
        grown = np.flatnonzero(elements[cases, e])
        case = cases[grown]
        remains = left[grown]
        remains -= cost[case, e]
        least = _least(remains)
        fits = np.flatnonzero(least > error)
        doubted.append(case[np.abs(least) <= error])
        cases = np.concatenate([cases, case[fits]])
        sets = np.concatenate([sets, sets[grown[fits]] | 1 << (n1 - 1 - e)])
        if e < n1 - 1:
            left = np.concatenate([left, remains[fits]])
    more = np.flatnonzero(sets & (sets - 1))
    return cases[more], sets[more], np.concatenate(doubted)


class _Rooms:
    """The room at all vertices for any flip and set: sums of rows of tables, one for every few neurons."""

    def __init__(self, vertices: Array) -> None:
        places, n1, orbits = vertices.shape
        self.places = places
        self.parts: list[tuple[int, int, Array]] = []
        values = np.ascontiguousarray(vertices.transpose(1, 2, 0))
        for low, high in _parts(n1):
            table = np.zeros((orbits, 1, 1, places))
            for v in values[low:high]:
                active = np.stack([np.maximum(-v, 0), np.maximum(v, 0)], axis=1)  # (orbits, 2, places)
                signed = np.stack([active, -active], axis=2)  # by flip and by set
                flips = 2 * table.shape[1]
                table = (table[:, :, None, :, None] + signed[:, None, :, None]).reshape(orbits, flips, flips, places)
            self.parts.append((n1 - high, high - low, table.reshape(-1, places)))

    def least(self, orbit: Array, flip: Array, sets: Array) -> Array:
        """The least room of each set with its flip in its orbit."""
        step = max(16, ROWS // self.places)
        room, more = np.empty((2, min(step, len(sets)), self.places))
        found = np.empty(len(sets))
        for start in range(0, len(sets), step):
            part = slice(start, min(start + step, len(sets)))
            size = part.stop - start
            self.rooms(orbit[part], flip[part], sets[part], room[:size], more[:size])
            found[part] = _least(room[:size])
        return found

    def rooms(self, orbit: Array, flip: Array, sets: Array, out: Array, spare: Array) -> None:
        """Fill ``out``, (sets, vertices), with the rooms."""
        for k, (shift, bits, table) in enumerate(self.parts):
            mask = (1 << bits) - 1
            code = (((orbit << bits) | ((flip >> shift) & mask)) << bits) | ((sets >> shift) & mask)
            np.take(table, code, axis=0, out=spare if k else out, mode="clip")  # no check of the codes
            if k:
                out += spare


def _parts(n1: int) -> list[tuple[int, int]]:
    """The neurons in groups of at most PART."""
    number = max(min(n1, 2), -(-n1 // PART))
    return list(pairwise(n1 * k // number for k in range(number + 1)))


def _least(table: Array) -> Array:
    """The minimum of each row (much faster than ``min(axis=1)`` for short rows)."""
    return np.minimum.reduceat(table.reshape(-1), np.arange(0, table.size, table.shape[1]))


def _tally(
    counts: Array, sure: Array, rooms: _Rooms, c: Array, slack: Array, orbit: Array, flip: Array, sets: Array
) -> None:
    """Count the sets, with their flips and with the opposite ones, that are in the event with c > 0 and with c < 0.

    Args:
        counts, sure: (orbits, K), to be updated. c: (orbits, K). slack: (orbits, vertices), bounds of the errors.
        orbit, flip, sets: one entry for each set, by orbit.
    """
    begins = np.flatnonzero(np.diff(orbit, prepend=-1))
    present = orbit[begins]
    worst = slack.max(axis=1)
    all_flips = (1 << sum(bits for _, bits, _ in rooms.parts)) - 1
    for side in (flip, all_flips - flip):
        least = rooms.least(orbit, side, sets)
        for k in range(c.shape[1]):
            for constant in (c[:, k], -c[:, k]):
                wide = worst + 4 * UNIT * c[:, k]
                beyond = least > (constant + wide)[orbit]
                counts[present, k] += np.add.reduceat(beyond, begins, dtype=np.int64)
                close = np.flatnonzero((least > (constant - wide)[orbit]) & ~beyond)
                if len(close):  # look at each vertex with its own error
                    o = orbit[close]
                    room, spare = np.empty((2, len(close), rooms.places))
                    rooms.rooms(o, side[close], sets[close], room, spare)
                    margin, error = room - constant[o, None], slack[o] + 4 * UNIT * c[o, k, None]
                    inside, outside = (margin > error).all(axis=1), (margin < -error).any(axis=1)
                    np.add.at(counts[:, k], o[inside], 1)
                    sure[o[~inside & ~outside], k] = False
