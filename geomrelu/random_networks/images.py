"""Images of a domain under the choices of signs that a walk is at: pieces with their generators, cut neuron by neuron.

Every number carries a bound of its error; the bounds are proved at the head of
:mod:`geomrelu.random_networks.living_batch`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.network.ragged import counted, ranges

__all__ = [
    "MOST_BITS",
    "SAFE",
    "UNIT",
    "WIDE",
    "Cut",
    "States",
    "cone",
    "living_pieces",
    "merged",
    "numbered",
    "some",
    "started_on",
]

Array = np.ndarray[Any, np.dtype[Any]]
UNIT = 2.0**-53
SAFE = 1 + 2.0**-30
WIDE = 150  # exponents of weights, and of the entries of scaled generators
MOST_BITS = 63  # facets of the domain and neurons before the last layer


@dataclass(frozen=True)
class States:
    """States with their pieces and generators; everything is sorted by state, then piece."""

    orbit: Array  # (states,)
    weight: Array  # (states,), int64
    dead: Array  # (states,)
    state: Array  # (generators,): its state
    piece: Array  # (generators,): its piece
    y: Array  # (generators, 1 + variables): s, then what the next layer reads
    error: Array  # the same shape
    tight: Array  # (generators,), uint64

    @cached_property
    def starts(self) -> Array:
        return starts_of_runs(self.state)

    def of(self, chosen: Array) -> States:
        """Some states (bool)."""
        if chosen.all():
            return self
        number, kept = np.cumsum(chosen) - 1, chosen[self.state]
        return replace(
            self, orbit=self.orbit[chosen], weight=self.weight[chosen], dead=self.dead[chosen],
            state=number[self.state[kept]], piece=self.piece[kept], y=self.y[kept], error=self.error[kept],
            tight=self.tight[kept],
        )  # fmt: skip


def merged(states: States) -> States:
    """States with equal images as one, and without pieces that lie in others: what follows is the same.

    Equal numbers with equal bounds: whatever is decided holds for all true values within the bounds. A generator with
    one coordinate is a multiple of a unit vector, exactly; and where a piece has the unit vectors of all coordinates of
    another generator, it can do without that one (then any two that are left may be ends of an edge).
    """
    support = states.y != 0
    single = support.sum(axis=1) == 1
    piece_of = np.cumsum(np.diff(states.piece, prepend=-1) != 0) - 1
    units = np.logical_or.reduceat(support & single[:, None], starts_of_runs(states.piece))
    spare = ~single & support.any(axis=1) & ~(support & ~units[piece_of]).any(axis=1)
    if spare.any():
        touched = np.logical_or.reduceat(spare, starts_of_runs(states.piece))[piece_of]
        tight = np.where(touched, np.uint64((1 << 64) - 1), states.tight)
        states, single = some(replace(states, tight=tight), ~spare), single[~spare]
    y, error = np.where(single[:, None], states.y != 0, states.y), np.where(single[:, None], 0.0, states.error)
    names = [row.tobytes() for row in np.concatenate([y, error], axis=1)]
    starts = starts_of_runs(states.piece)
    owners, ends = states.state[starts].tolist(), [*starts[1:].tolist(), len(names)]
    pieces: list[list[tuple[int, frozenset[bytes]]]] = [[] for _ in states.orbit]
    for k, (owner, first, last) in enumerate(zip(owners, starts.tolist(), ends, strict=True)):
        pieces[owner].append((k, frozenset(names[first:last])))
    weight, kept_pieces = states.weight.copy(), np.zeros(len(starts), dtype=bool)
    known: dict[tuple[int, int, frozenset[frozenset[bytes]]], int] = {}
    for k, (orbit, dead, own) in enumerate(zip(states.orbit.tolist(), states.dead.tolist(), pieces, strict=True)):
        different = dict(reversed([(piece, number) for number, piece in own]))  # the first of equal ones
        outer = {piece: number for piece, number in different.items() if not any(piece < other for other in different)}
        first = known.setdefault((orbit, dead, frozenset(outer)), k)
        if first == k:
            kept_pieces[list(outer.values())] = True
        else:
            weight[first] += weight[k]
    remains = np.zeros(len(states.orbit), dtype=bool)
    remains[list(known.values())] = True
    kept = kept_pieces[np.cumsum(np.diff(states.piece, prepend=-1) != 0) - 1]
    return some(replace(states, y=y, error=error, weight=weight), kept).of(remains)


def some(states: States, kept: Array) -> States:
    """Some generators; each state keeps one at least."""
    return replace(
        states, state=states.state[kept], piece=states.piece[kept], y=states.y[kept], error=states.error[kept],
        tight=states.tight[kept],
    )  # fmt: skip


def living_pieces(states: States, nonzero: Array) -> States:
    """Without pieces that the layer maps to 0, and without states that then have none."""
    lives = np.logical_or.reduceat(nonzero, starts_of_runs(states.piece))
    index = np.cumsum(np.diff(states.piece, prepend=-1) != 0) - 1
    kept = lives[index]
    remains = np.zeros(len(states.orbit), dtype=bool)
    remains[states.state[kept]] = True
    number = np.cumsum(remains) - 1
    found = some(states, kept)
    return replace(
        found, orbit=states.orbit[remains], weight=states.weight[remains], dead=states.dead[remains],
        state=number[found.state],
    )  # fmt: skip


@dataclass(frozen=True)
class Cut:
    """Generators with the signs of the new coordinates, while the pieces are cut one coordinate after the other."""

    state: Array
    piece: Array
    y: Array
    error: Array
    sign: Array  # (generators, new coordinates), int8
    tight: Array
    doubtful: Array  # (generators,)

    def at(self, axis: int, first: int, bit: Any, edges: int) -> Cut:
        """Cut by the coordinate and rectify it.

        Args:
            first: the column of the first new coordinate. bit: of the facet. edges: facets that two ends of an edge
                share.
        """
        sign, column = self.sign[:, axis], first + axis
        starts = starts_of_runs(self.piece)
        sizes = np.diff(starts, append=len(sign))
        up, down = np.maximum.reduceat(sign, starts) > 0, np.minimum.reduceat(sign, starts) < 0
        crossed = np.repeat(up & down, sizes)
        self.y[:, column] = np.where(~crossed & (sign < 0), 0.0, self.y[:, column])
        self.error[:, column] = np.where(~crossed & (sign < 0), 0.0, self.error[:, column])
        if not crossed.any():
            return self
        positive, negative = np.flatnonzero(crossed & (sign > 0)), np.flatnonzero(crossed & (sign < 0))
        on = np.flatnonzero(crossed & (sign == 0))
        self.tight[on] |= bit
        # all pairs of a positive and a negative generator of one piece
        piece_of = np.repeat(np.arange(len(starts)), sizes)
        number = np.bincount(piece_of[negative], minlength=len(starts))
        begin = np.cumsum(number) - number
        which, at = ranges(begin[piece_of[positive]], number[piece_of[positive]])
        p, n = positive[which], negative[at]
        common = self.tight[p] & self.tight[n]
        if edges > 0:
            near = counted(common[:, None]) >= edges
            p, n, common = p[near], n[near], common[near]
        new = self._between(p, n, column, axis)
        below = self.y[negative].copy(), self.error[negative].copy()
        for part in below:
            part[:, column] = 0.0
        rest = np.flatnonzero(~crossed)
        old = np.concatenate([rest, positive, on, on, negative, p, p])
        key = 2 * self.piece[old]
        key[len(rest) + len(positive) + len(on) : len(rest) + len(positive) + 2 * len(on) + len(negative)] += 1
        key[len(key) - len(p) :] += 1
        order = np.argsort(key, kind="stable")
        same = np.concatenate([rest, positive, on, on])

        def placed(kept: Array, lower: Array, fresh: Array) -> Array:
            return np.concatenate([kept, lower, fresh, fresh])[order]

        ys, errors, signs, doubts = new
        return Cut(
            self.state[old][order],
            np.cumsum(np.diff(key[order], prepend=-1) != 0) - 1,  # fewer than generators: twice that fits 64 bits
            placed(self.y[same], below[0], ys),
            placed(self.error[same], below[1], errors),
            placed(self.sign[same], self.sign[negative], signs),
            placed(self.tight[same], self.tight[negative], common | bit),
            placed(self.doubtful[same], self.doubtful[negative], doubts),
        )

    def _between(self, p: Array, n: Array, column: int, axis: int) -> tuple[Array, Array, Array, Array]:
        """The points where the coordinate is 0 between generators p, where it is positive, and n, where negative."""
        a, b = self.y[p, column, None], -self.y[n, column, None]
        ea, eb = self.error[p, column, None], self.error[n, column, None]
        first, second = a * self.y[n], b * self.y[p]
        y = first + second
        error = (a + ea) * self.error[n] + ea * np.abs(self.y[n]) + (b + eb) * self.error[p] + eb * np.abs(self.y[p])
        error = (error + 4 * UNIT * (np.abs(first) + np.abs(second))) * SAFE
        y[:, column] = error[:, column] = 0.0
        exponent = np.frexp(np.abs(y).max(axis=1, initial=0))[1][:, None]
        y, error = np.ldexp(y, -exponent), np.ldexp(error, -exponent)
        new = slice(column - axis, None)
        sign = (y[:, new] > error[:, new]).astype(np.int8) - (y[:, new] < -error[:, new])
        doubtful = ((sign == 0) & (error[:, new] > 0)).any(axis=1)
        doubtful |= ((np.abs(y) < 2.0**-WIDE) & (y != 0)).any(axis=1) | self.doubtful[p] | self.doubtful[n]
        return y, error, sign, doubtful


# ---- where the walk begins --------------------------------------------------------------------------------------


def started_on(domain: Polyhedron | FiniteSet, orbits: Array) -> tuple[States, int, int]:
    """The domain for each orbit, the number of its facets, and the dimension of the cone over it."""
    if isinstance(domain, FiniteSet):
        pieces = [[((1, *point), 0)] for point in domain.points]
        facets, dimension = 0, 1
    else:
        points, lines = domain.extreme_generators
        facets_of = [(1, *[0] * domain.dimension), *domain.inequalities]
        masks = [
            sum(1 << k for k, row in enumerate(facets_of) if not sum(a * v for a, v in zip(row, g, strict=True)))
            for g in points
        ]
        facets = len(facets_of) + len(lines)
        every = (1 << facets) - 1
        free = every ^ ((1 << len(facets_of)) - 1)
        along = [every ^ (1 << (len(facets_of) + k)) for k in range(len(lines))]
        pieces = [
            [*((g, mask | free) for g, mask in zip(points, masks, strict=True)),
             *((tuple(t * v for v in line), mask) for t, line, mask in zip(signs, lines, along, strict=True))]
            for signs in product((-1, 1), repeat=len(lines))
        ]  # fmt: skip
        dimension = domain.affine_dimension + 1
    if facets > MOST_BITS:
        pieces = [[(g, 0) for g, _ in piece] for piece in pieces]
    flat = [g for piece in pieces for g, _ in piece]
    values = [_scaled(g) for g in flat]
    y, error = (np.array([v[k] for v in values]) for k in range(2))
    sizes = [len(piece) for piece in pieces]
    tight = np.array([mask for piece in pieces for _, mask in piece], dtype=np.uint64)
    count, each = len(orbits), len(flat)
    states = States(
        orbits, np.ones(count, dtype=np.int64), np.zeros(count, dtype=np.int64), np.repeat(np.arange(count), each),
        (np.repeat(np.arange(len(pieces)), sizes)[None] + len(pieces) * np.arange(count)[:, None]).ravel(),
        np.tile(y, (count, 1)), np.tile(error, (count, 1)), np.tile(tight, count),
    )  # fmt: skip
    return states, facets, dimension


def cone(domain: Polyhedron) -> Polyhedron:
    """All nonnegative multiples: the same for layers without biases, and no point cancels to 0 by symmetry."""
    points, lines = domain.extreme_generators
    rays = [g[1:] for g in points if any(g[1:])]
    return Polyhedron.from_generators([[0] * domain.dimension], rays, [g[1:] for g in lines])


def _scaled(g: Sequence[Any]) -> tuple[list[float], list[float]]:
    """A generator divided by a power of two, with errors."""
    row = [Fraction(v) for v in g]
    largest = max(abs(v) for v in row) or Fraction(1)
    power = Fraction(2) ** (largest.numerator.bit_length() - largest.denominator.bit_length())
    exact = [v / power for v in row]
    floats = [float(v) for v in exact]
    return floats, [
        0.0 if Fraction(f) == v else 2 * UNIT * abs(f) + 2.0**-1000 for f, v in zip(floats, exact, strict=True)
    ]


# ---- runs of equal numbers --------------------------------------------------------------------------------------


def starts_of_runs(sorted_: Array) -> Array:
    return np.flatnonzero(np.diff(sorted_, prepend=-1))


def numbered(piece: Array, owner: Array) -> Array:
    """Numbers of pieces, new ones for each owner; both increase together."""
    return np.cumsum((np.diff(piece, prepend=-1) != 0) | (np.diff(owner, prepend=-1) != 0)) - 1
