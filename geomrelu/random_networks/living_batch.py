"""Living networks by the thousand: sign orbits in floating point with proven error bounds, exactly where they end.

The exact walk over one orbit, in integers, is :func:`geomrelu.random_networks.orbit.dead_neurons_orbit`. Here the same
walk is done for whole batches, breadth first in arrays. Each number carries a bound of its error; a comparison that the
bound cannot settle makes its orbit *doubtful*, and the caller counts that orbit with the exact function. So every count
is exact.

**What is walked.** A *state* is a choice of the signs of the layers so far. It holds the image of the domain as convex
*pieces*, on each of which the network is linear, and a piece holds its *generators* ``(s, y)``: the point y/s for
s > 0, the direction y for s = 0. A neuron is dead if and only if it is at most 0 at all generators. Choices that leave
a neuron dead give one image, and are walked together; so a state has a weight.

**Cutting.** A neuron with both signs on a piece cuts it in two. The new generators lie where it is 0 on the edges of
the piece. Each generator knows which facets it lies on (bits). Two generators with an edge between them have d - 2
facets in common, d the dimension of the cone over the piece (the facets through an edge have rank d - 2). All pairs
with so many are taken: they include the edges, and a pair that is none adds a point of the piece: this changes nothing.
A new generator lies on the facets common to its two ends and on the cut, and on no other: any other facet is
nonnegative on both ends and positive at one. Generators of a product of a pointed polyhedron with lines: each line in
both directions, a piece for each choice (its facets are those of the polyhedron and one for each line).

**Errors.** A number is a float v with e >= |v - truth|. For a sum of L products w_j y_j, in any order of summation,
``sum |w_j| e_j + (L + 3) UNIT sum |w_j||y_j|`` bounds what comes from the y_j and from rounding; times SAFE for the
rounding of the bound itself (L <= 1000). A combination α n + β p: the errors of its factors and 4 UNIT of its terms,
likewise. A float 0 with e = 0 is exactly 0: it comes only from factors that are. Generators are scaled by powers of
two, which is exact; numbers outside 2^-WIDE..2^WIDE make an orbit doubtful, so nothing overflows or underflows (a bound
is at least UNIT^3 of a number that is not 0, and products of three such numbers are above 2^-1022).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import product
from math import comb
from typing import Any

import numpy as np

from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron

__all__ = ["Goal", "Walk", "is_affordable"]

Array = np.ndarray[Any, np.dtype[Any]]
UNIT = 2.0**-53
SAFE = 1 + 2.0**-30
WIDE = 150  # exponents of weights, and of the entries of scaled generators
CELLS = 1 << 16  # doubles in a working array
LOOPED = 256  # weights of a layer from which on matrices are multiplied one by one
MOST_GENERATORS = 1 << 12  # of a domain
MOST_BITS = 63  # facets of the domain and neurons before the last layer


@dataclass(frozen=True)
class Goal:
    """An event, as the walk decides it.

    Attributes:
        event: "alive", "data-alive", "killed" or "dead-neurons".
        last: the layer (from 1) after which everything is decided; further layers are not walked.
        number: of dead neurons; in layer ``last``, or, if ``total``, in all layers.
    """

    event: str
    last: int
    number: int | None = None
    total: bool = False

    def goes_on(self, dead: Array, here: Array, width: int) -> tuple[Array, Array]:
        """After an inner layer with ``here`` dead neurons: the dead so far, and whether the event is still possible."""
        if self.event in ("alive", "data-alive"):
            return dead, here < width
        if self.total:
            return dead + here, dead + here <= self.number
        return dead, np.ones(len(here), dtype=bool)

    def favourable(self, dead: Array, killing: Array, choices: int) -> Array:
        """How many choices for the last layer are in the event.

        Args:
            dead: of the layers before, (states,). killing: choices that leave a neuron dead, (states, neurons).
            choices: of each neuron.
        """
        one = np.ones(len(killing), dtype=killing.dtype)
        if self.event != "dead-neurons":
            killed = killing.prod(axis=1, initial=1)
            return killed if self.event == "killed" else one * choices ** killing.shape[1] - killed
        found = [one]  # found[d]: choices with d dead neurons among those seen so far
        for column in killing.T:
            living = choices - column
            found = [living * a + column * b for a, b in zip([*found, 0 * one], [0 * one, *found], strict=True)]
        table = np.stack([*found, 0 * one], axis=1)  # the last column: not so many
        asked = self.number - dead
        return table[np.arange(len(dead)), np.where((asked >= 0) & (asked < len(found)), asked, len(found))]


@dataclass(frozen=True)
class _States:
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
        return _starts(self.state)

    def of(self, chosen: Array) -> _States:
        """Some states (bool)."""
        if chosen.all():
            return self
        number, kept = np.cumsum(chosen) - 1, chosen[self.state]
        return replace(
            self, orbit=self.orbit[chosen], weight=self.weight[chosen], dead=self.dead[chosen],
            state=number[self.state[kept]], piece=self.piece[kept], y=self.y[kept], error=self.error[kept],
            tight=self.tight[kept],
        )  # fmt: skip


class Walk:
    """All sign choices of a batch of networks.

    Args:
        layers: for each layer the weights, float64, (orbits, out, in), and the biases, (orbits, out), or None if there
            are none. They stand for the rationals they hold. If ``carried``, a layer reads the inputs and all layers
            before.
        domain: of the inputs. goal: the event.
        flipped: whose signs are walked: "all", those of the "last" layer, or "none"; layers after ``goal.last`` count.

    Attributes:
        counts: for each orbit the sign choices in the event (of the parameters that there are), up to layer
            ``goal.last``; Python integers if they may be large.
        sure: which counts are right; the others are anything.

    Cost: 2^(signs before the last layer) states, in arrays; less where choices kill.
    """

    def __init__(
        self,
        layers: Sequence[tuple[Array, Array | None]],
        domain: Polyhedron | FiniteSet,
        goal: Goal,
        flipped: str = "all",
        carried: bool = False,
    ) -> None:
        self.layers = layers[: goal.last]
        self.goal, self.carried = goal, carried
        self.walked = [
            flipped == "all" or (flipped == "last" and level == len(layers) - 1) for level in range(len(layers))
        ]
        orbits = len(layers[0][0])
        self.sure = np.ones(orbits, dtype=bool)
        with np.errstate(all="ignore"):  # what overflows is not sure
            for (weights, bias), walked in zip(self.layers, self.walked, strict=False):
                for part in (weights,) if bias is None else (weights, bias):
                    size = np.abs(part)
                    usual = (size < 2.0**WIDE) & (size > 2.0**-WIDE)
                    if not walked:  # where signs are walked, that of a zero is for the exact walk
                        usual |= size == 0
                    self.sure &= usual.reshape(orbits, -1).all(axis=1)
            bits = sum(self._signs(level) for level in range(len(self.layers)))
            self.counts: Array = np.zeros(orbits, dtype=np.int64 if bits < 62 else object)
            if not carried and isinstance(domain, Polyhedron) and all(bias is None for _, bias in self.layers):
                domain = _cone(domain)
            begun = _begin(domain, np.flatnonzero(self.sure))
            self.facets, self.edges = begun[1], begun[2] - 2
            if self.edges > 0 and self.facets + sum(w.shape[1] for w, _ in self.layers[:-1]) > MOST_BITS:
                self.sure[:] = False
            else:
                self._walk(0, begun[0])

    def _signs(self, level: int) -> int:
        weights, bias = self.layers[level]
        return weights.shape[1] * (weights.shape[2] + (bias is not None)) * self.walked[level]

    def _walk(self, level: int, states: _States) -> None:
        states = states.of(self.sure[states.orbit])
        if not len(states.orbit):
            return
        if level == len(self.layers) - 1:
            self._finish(level, states)
            return
        for part in self._expanded(level, states):
            self._walk(level + 1, _merged(part) if level + 2 < len(self.layers) and not self.carried else part)

    def _values(self, level: int, states: _States) -> tuple[Array, Array]:
        """What neurons are at the generators, under half of the choices: (generators, out, choices), and the errors."""
        weights, bias = self.layers[level]
        y, error = states.y[:, 1:], states.error[:, 1:]
        if bias is not None:
            weights = np.concatenate([bias[:, :, None], weights], axis=2)
            y, error = states.y, states.error
        width = weights.shape[2]
        if not self.walked[level] and weights[0].size >= LOOPED:
            return self._products(weights, states, y, error)
        rows = weights[states.orbit[states.state]]
        terms = rows * y[:, None]
        value = terms @ _signs(width) if self.walked[level] else terms.sum(axis=2)[:, :, None]
        size = np.abs(terms).sum(axis=2)
        bound = (np.einsum("goi,gi->go", np.abs(rows), error) + (width + 3) * UNIT * size) * SAFE
        return value, bound

    @staticmethod
    def _products(weights: Array, states: _States, y: Array, error: Array) -> tuple[Array, Array]:
        """The same without flips for wide layers, state by state."""
        value, bound = np.empty((2, len(y), weights.shape[1]))
        ends = [*states.starts[1:], len(y)]
        for orbit, first, last in zip(states.orbit, states.starts, ends, strict=True):
            part, rows = slice(first, last), weights[orbit].T
            np.matmul(y[part], rows, out=value[part])
            slack = error[part] + (weights.shape[2] + 3) * UNIT * np.abs(y[part])
            np.matmul(slack, np.abs(rows), out=bound[part])
        return value[:, :, None], bound * SAFE

    def _finish(self, level: int, states: _States) -> None:
        value, bound = self._values(level, states)
        lower, upper = value - bound[:, :, None], value + bound[:, :, None]
        living = np.maximum.reduceat(lower, states.starts, axis=0) > 0
        possible = np.maximum.reduceat(upper, states.starts, axis=0) > 0
        doubtful = (living != possible).any(axis=(1, 2))
        alive = living.sum(axis=2)
        if self.walked[level]:  # the opposite choices
            living = np.minimum.reduceat(upper, states.starts, axis=0) < 0
            possible = np.minimum.reduceat(lower, states.starts, axis=0) < 0
            doubtful |= (living != possible).any(axis=(1, 2))
            alive = alive + living.sum(axis=2)
        self.sure[states.orbit[doubtful]] = False
        choices = value.shape[2] * (2 if self.walked[level] else 1)
        killing = (choices - alive).astype(self.counts.dtype)
        found = self.goal.favourable(states.dead, killing, choices) * states.weight.astype(self.counts.dtype)
        np.add.at(self.counts, states.orbit, found)

    # ---- one layer further --------------------------------------------------------------------------------------

    def _expanded(self, level: int, states: _States) -> Any:
        """The states after the layer, in working sets."""
        value, bound = self._values(level, states)
        if self.walked[level]:
            value = np.concatenate([value, -value], axis=2)
        sign = (value > bound[:, :, None]).astype(np.int8) - (value < -bound[:, :, None])
        doubtful = ((sign == 0) & (bound > 0)[:, :, None]).any(axis=(1, 2))
        self.sure[states.orbit[states.state[doubtful]]] = False
        parent, choice, weight, here = _choices(np.maximum.reduceat(sign, states.starts, axis=0) > 0)
        dead, possible = self.goal.goes_on(states.dead[parent], here, value.shape[1])
        possible &= self.sure[states.orbit[parent]]
        parent, choice, weight, dead = parent[possible], choice[possible], weight[possible], dead[possible]
        sizes = np.diff(states.starts, append=len(states.state))
        ends = np.cumsum(sizes[parent])
        neurons, reads = self.layers[level + 1][0].shape[1:]
        at_once = max(64, CELLS // (neurons * (1 << reads if self.walked[level + 1] else reads)))  # generators
        first = 0
        while first < len(parent):
            last = max(first + 1, int(np.searchsorted(ends, (ends[first - 1] if first else 0) + at_once, side="right")))
            part = slice(first, last)
            first = last
            number, at = _ragged(states.starts[parent[part]], sizes[parent[part]])
            chosen = choice[part][number]
            place = (at[:, None], np.arange(value.shape[1])[None], np.maximum(chosen, 0))
            off = chosen < 0
            z, s = np.where(off, 0.0, value[place]), np.where(off, np.int8(0), sign[place])
            e = np.where(off, 0.0, bound[at])
            before = states.y if self.carried else states.y[:, :1]
            error_before = states.error if self.carried else states.error[:, :1]
            piece = _numbered(states.piece[at], number)
            y, error = np.concatenate([before[at], z], axis=1), np.concatenate([error_before[at], e], axis=1)
            cut = _Cut(number, piece, y, error, s, states.tight[at], np.zeros(len(at), dtype=bool))
            one = replace(
                states, orbit=states.orbit[parent[part]], weight=states.weight[parent[part]] * weight[part],
                dead=dead[part],
            )  # fmt: skip
            yield self._rectified(level, one, cut, before.shape[1])

    def _rectified(self, level: int, states: _States, cut: _Cut, first: int) -> _States:
        bit = self.facets + sum(w.shape[1] for w, _ in self.layers[:level])
        if self.edges < 0:  # points are never cut
            cut.y[:, first:][cut.sign <= 0] = 0.0
            cut.error[:, first:][cut.sign <= 0] = 0.0
        for axis in range(cut.sign.shape[1] if self.edges >= 0 else 0):
            cut = cut.at(axis, first, np.uint64(1 << (bit + axis) if self.edges > 0 else 0), self.edges)
        self.sure[states.orbit[cut.state[cut.doubtful]]] = False
        y, error, state, piece, tight = cut.y, cut.error, cut.state, cut.piece, cut.tight
        exponent = np.frexp(np.abs(y).max(axis=1))[1]
        y, error = np.ldexp(y, -exponent[:, None]), np.ldexp(error, -exponent[:, None])
        small = ((np.abs(y) < 2.0**-WIDE) & (y != 0)).any(axis=1)
        self.sure[states.orbit[state[small]]] = False
        found = replace(states, state=state, piece=piece, y=y, error=error, tight=tight)
        found.__dict__.pop("starts", None)
        if not self.carried:
            found = self._without_zeros(level, found)
        elif self.goal.event == "data-alive":
            found = _living_pieces(found, (y[:, first:] != 0).any(axis=1))
        return found

    def _without_zeros(self, level: int, states: _States) -> _States:
        """Without generators that are 0 to all further layers, but one in each state."""
        nonzero = (states.y[:, 1:] != 0).any(axis=1)
        if self.goal.event == "data-alive":
            return _living_pieces(states, nonzero)
        seen = nonzero if self.layers[level + 1][1] is None else nonzero | (states.y[:, 0] != 0)
        if seen.all():
            return states
        any_ = np.logical_or.reduceat(seen, states.starts)
        kept = seen.copy()
        kept[states.starts[~any_]] = True
        return _some(states, kept)


def _merged(states: _States) -> _States:
    """States with equal images as one, and without pieces that lie in others: what follows is the same.

    Equal numbers with equal bounds: whatever is decided holds for all true values within the bounds. A generator with
    one coordinate is a multiple of a unit vector, exactly; and where a piece has the unit vectors of all coordinates of
    another generator, it can do without that one (then any two that are left may be ends of an edge).
    """
    support = states.y != 0
    single = support.sum(axis=1) == 1
    piece_of = np.cumsum(np.diff(states.piece, prepend=-1) != 0) - 1
    units = np.logical_or.reduceat(support & single[:, None], _starts(states.piece))
    spare = ~single & support.any(axis=1) & ~(support & ~units[piece_of]).any(axis=1)
    if spare.any():
        touched = np.logical_or.reduceat(spare, _starts(states.piece))[piece_of]
        tight = np.where(touched, np.uint64((1 << 64) - 1), states.tight)
        states, single = _some(replace(states, tight=tight), ~spare), single[~spare]
    y, error = np.where(single[:, None], states.y != 0, states.y), np.where(single[:, None], 0.0, states.error)
    names = [row.tobytes() for row in np.concatenate([y, error], axis=1)]
    starts = _starts(states.piece)
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
    return _some(replace(states, y=y, error=error, weight=weight), kept).of(remains)


def _some(states: _States, kept: Array) -> _States:
    """Some generators; each state keeps one at least."""
    return replace(
        states, state=states.state[kept], piece=states.piece[kept], y=states.y[kept], error=states.error[kept],
        tight=states.tight[kept],
    )  # fmt: skip


def _living_pieces(states: _States, nonzero: Array) -> _States:
    """Without pieces that the layer maps to 0, and without states that then have none."""
    lives = np.logical_or.reduceat(nonzero, _starts(states.piece))
    index = np.cumsum(np.diff(states.piece, prepend=-1) != 0) - 1
    kept = lives[index]
    remains = np.zeros(len(states.orbit), dtype=bool)
    remains[states.state[kept]] = True
    number = np.cumsum(remains) - 1
    found = _some(states, kept)
    return replace(
        found, orbit=states.orbit[remains], weight=states.weight[remains], dead=states.dead[remains],
        state=number[found.state],
    )  # fmt: skip


@dataclass(frozen=True)
class _Cut:
    """Generators with the signs of the new coordinates, while the pieces are cut one coordinate after the other."""

    state: Array
    piece: Array
    y: Array
    error: Array
    sign: Array  # (generators, new coordinates), int8
    tight: Array
    doubtful: Array  # (generators,)

    def at(self, axis: int, first: int, bit: Any, edges: int) -> _Cut:
        """Cut by the coordinate and rectify it.

        Args:
            first: the column of the first new coordinate. bit: of the facet. edges: facets that two ends of an edge
                share.
        """
        sign, column = self.sign[:, axis], first + axis
        starts = _starts(self.piece)
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
        which, at = _ragged(begin[piece_of[positive]], number[piece_of[positive]])
        p, n = positive[which], negative[at]
        common = self.tight[p] & self.tight[n]
        if edges > 0:
            near = _bits(common) >= edges
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
        return _Cut(
            self.state[old][order],
            key[order],
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


def _begin(domain: Polyhedron | FiniteSet, orbits: Array) -> tuple[_States, int, int]:
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
    states = _States(
        orbits, np.ones(count, dtype=np.int64), np.zeros(count, dtype=np.int64), np.repeat(np.arange(count), each),
        (np.repeat(np.arange(len(pieces)), sizes)[None] + len(pieces) * np.arange(count)[:, None]).ravel(),
        np.tile(y, (count, 1)), np.tile(error, (count, 1)), np.tile(tight, count),
    )  # fmt: skip
    return states, facets, dimension


def _cone(domain: Polyhedron) -> Polyhedron:
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


# ---- arrays of unequal rows -------------------------------------------------------------------------------------


def _choices(living: Array) -> tuple[Array, Array, Array, Array]:
    """All choices for a layer: each living choice of a neuron by itself, those that leave it dead together.

    Args:
        living: bool, shape (states, neurons, choices).

    Returns:
        ``(parent, choice, weight, dead)``: for each new state the old one, the choice of each neuron (-1: dead),
        how many choices it stands for, and how many neurons are dead.
    """
    states, neurons, choices = living.shape
    alive = living.sum(axis=2)
    options = alive + (alive < choices)
    order = np.argsort(~living, axis=2, kind="stable")
    total = options.prod(axis=1)
    parent, place = _ragged(np.zeros(states, dtype=np.int64), total)
    choice = np.empty((len(parent), neurons), dtype=np.int64)
    weight, dead = np.ones(len(parent), dtype=np.int64), np.zeros(len(parent), dtype=np.int64)
    for k in range(neurons):
        place, digit = np.divmod(place, options[parent, k])
        is_dead = digit == alive[parent, k]
        choice[:, k] = np.where(is_dead, -1, order[parent, k, np.minimum(digit, choices - 1)])
        weight *= np.where(is_dead, choices - alive[parent, k], 1)
        dead += is_dead
    return parent, choice, weight, dead


def _ragged(begin: Array, sizes: Array) -> tuple[Array, Array]:
    """For the ranges begin[k], ..., begin[k] + sizes[k] - 1 one after the other: the k, and the numbers."""
    which = np.repeat(np.arange(len(sizes)), sizes)
    return which, np.arange(len(which)) - np.repeat(np.cumsum(sizes) - sizes - begin, sizes)


def _starts(sorted_: Array) -> Array:
    return np.flatnonzero(np.diff(sorted_, prepend=-1))


def _numbered(piece: Array, owner: Array) -> Array:
    """Numbers of pieces, new ones for each owner; both increase together."""
    return np.cumsum((np.diff(piece, prepend=-1) != 0) | (np.diff(owner, prepend=-1) != 0)) - 1


def _signs(width: int) -> Array:
    """Half of all choices of signs, as columns: the first sign is +."""
    return np.array([(1.0, *rest) for rest in product((1.0, -1.0), repeat=width - 1)]).T


def _bits(numbers: Array) -> Array:
    if hasattr(np, "bitwise_count"):
        return np.bitwise_count(numbers)
    return np.unpackbits(np.ascontiguousarray(numbers).view(np.uint8).reshape(-1, 8), axis=1).sum(axis=1)


def is_affordable(domain: Polyhedron | FiniteSet, widths: Sequence[int], signs: int, limit: int = 1 << 22) -> bool:
    """Can the images of so many sign choices be walked? By the number of regions of generic layers.

    Args:
        widths: of the layers before the last. signs: choices before the last layer, as a power of two.
    """
    if isinstance(domain, FiniteSet):
        return len(domain.points) << min(signs, 64) <= limit
    if domain.dimension > 1 and domain.likely_generators > MOST_GENERATORS:
        return False
    regions = 1
    for width in widths:
        regions *= sum(comb(width, i) for i in range(domain.dimension + 1))
    return regions << min(signs, 64) <= limit
