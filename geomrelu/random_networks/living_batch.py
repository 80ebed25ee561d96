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
rounding of the bound itself (L <= MOST_TERMS). A combination α n + β p: the errors of its factors and 4 UNIT of its
terms, likewise. A float 0 with e = 0 is exactly 0: it comes only from factors that are. Generators are scaled by powers
of two, which is exact; numbers outside 2^-WIDE..2^WIDE make an orbit doubtful, so nothing overflows or underflows (a
bound is at least UNIT^3 of a number that is not 0, and products of three such numbers are above 2^-1022).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from math import comb
from typing import Any

import numpy as np

from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.network.ragged import ranges
from geomrelu.random_networks.goal import Goal
from geomrelu.random_networks.images import (
    MOST_BITS,
    SAFE,
    UNIT,
    WIDE,
    Cut,
    States,
    cone,
    living_pieces,
    merged,
    numbered,
    some,
    started_on,
)
from geomrelu.rounding import to_nearest

__all__ = ["Walk", "is_affordable"]

Array = np.ndarray[Any, np.dtype[Any]]
CELLS = 1 << 16  # doubles in a working array
MOST_TERMS = 1 << 20  # of a sum: the bound of its error is rounded by less than 4 L UNIT = 2^-31 of itself, below SAFE
LOOPED = 256  # weights of a layer from which on matrices are multiplied one by one
MOST_GENERATORS = 1 << 12  # of a domain


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
        to_nearest()
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
            signs = [self._signs(level) for level in range(len(self.layers))]
            # a count, and each product and sum on the way to it, is at most the number of choices
            self.counts: Array = np.zeros(orbits, dtype=np.int64 if sum(signs) < 62 else object)
            if not carried and isinstance(domain, Polyhedron) and all(bias is None for _, bias in self.layers):
                domain = cone(domain)
            begun = started_on(domain, np.flatnonzero(self.sure))
            self.facets, self.edges = begun[1], begun[2] - 2
            if self._fits(sum(signs[:-1])):
                self._walk(0, begun[0])
            else:
                self.sure[:] = False

    def _fits(self, signs: int) -> bool:
        """Is there room for the numbers of choices, facets and terms?

        Args:
            signs: before the last layer; a state stands for at most 2^signs choices (int64).
        """
        inner = sum(weights.shape[1] for weights, _ in self.layers[:-1])
        tight = self.facets + inner <= MOST_BITS or self.edges <= 0  # a bit (uint64) for each, if they are looked at
        # a layer reads the inputs, or all before, and its bias
        return tight and signs <= MOST_BITS - 1 and max(w.shape[2] for w, _ in self.layers) < MOST_TERMS

    def _signs(self, level: int) -> int:
        weights, bias = self.layers[level]
        return weights.shape[1] * (weights.shape[2] + (bias is not None)) * self.walked[level]

    def _walk(self, level: int, states: States) -> None:
        states = states.of(self.sure[states.orbit])
        if not len(states.orbit):
            return
        if level == len(self.layers) - 1:
            self._finish(level, states)
            return
        for part in self._expanded(level, states):
            self._walk(level + 1, merged(part) if level + 2 < len(self.layers) and not self.carried else part)

    def _values(self, level: int, states: States) -> tuple[Array, Array]:
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
    def _products(weights: Array, states: States, y: Array, error: Array) -> tuple[Array, Array]:
        """The same without flips for wide layers, state by state."""
        value, bound = np.empty((2, len(y), weights.shape[1]))
        ends = [*states.starts[1:], len(y)]
        for orbit, first, last in zip(states.orbit, states.starts, ends, strict=True):
            part, rows = slice(first, last), weights[orbit].T
            np.matmul(y[part], rows, out=value[part])
            slack = error[part] + (weights.shape[2] + 3) * UNIT * np.abs(y[part])
            np.matmul(slack, np.abs(rows), out=bound[part])
        return value[:, :, None], bound * SAFE

    def _finish(self, level: int, states: States) -> None:
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

    def _expanded(self, level: int, states: States) -> Any:
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
            number, at = ranges(states.starts[parent[part]], sizes[parent[part]])
            chosen = choice[part][number]
            place = (at[:, None], np.arange(value.shape[1])[None], np.maximum(chosen, 0))
            off = chosen < 0
            z, s = np.where(off, 0.0, value[place]), np.where(off, np.int8(0), sign[place])
            e = np.where(off, 0.0, bound[at])
            before = states.y if self.carried else states.y[:, :1]
            error_before = states.error if self.carried else states.error[:, :1]
            piece = numbered(states.piece[at], number)
            y, error = np.concatenate([before[at], z], axis=1), np.concatenate([error_before[at], e], axis=1)
            cut = Cut(number, piece, y, error, s, states.tight[at], np.zeros(len(at), dtype=bool))
            one = replace(
                states, orbit=states.orbit[parent[part]], weight=states.weight[parent[part]] * weight[part],
                dead=dead[part],
            )  # fmt: skip
            yield self._rectified(level, one, cut, before.shape[1])

    def _rectified(self, level: int, states: States, cut: Cut, first: int) -> States:
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
            found = living_pieces(found, (y[:, first:] != 0).any(axis=1))
        return found

    def _without_zeros(self, level: int, states: States) -> States:
        """Without generators that are 0 to all further layers, but one in each state."""
        nonzero = (states.y[:, 1:] != 0).any(axis=1)
        if self.goal.event == "data-alive":
            return living_pieces(states, nonzero)
        seen = nonzero if self.layers[level + 1][1] is None else nonzero | (states.y[:, 0] != 0)
        if seen.all():
            return states
        any_ = np.logical_or.reduceat(seen, states.starts)
        kept = seen.copy()
        kept[states.starts[~any_]] = True
        return some(states, kept)


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
    parent, place = ranges(np.zeros(states, dtype=np.int64), total)
    choice = np.empty((len(parent), neurons), dtype=np.int64)
    weight, dead = np.ones(len(parent), dtype=np.int64), np.zeros(len(parent), dtype=np.int64)
    for k in range(neurons):
        place, digit = np.divmod(place, options[parent, k])
        is_dead = digit == alive[parent, k]
        choice[:, k] = np.where(is_dead, -1, order[parent, k, np.minimum(digit, choices - 1)])
        weight *= np.where(is_dead, choices - alive[parent, k], 1)
        dead += is_dead
    return parent, choice, weight, dead


def _signs(width: int) -> Array:
    """Half of all choices of signs, as columns: the first sign is +."""
    return np.array([(1.0, *rest) for rest in product((1.0, -1.0), repeat=width - 1)]).T


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
