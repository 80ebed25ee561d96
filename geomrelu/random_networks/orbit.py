"""Exact probabilities over sign orbits: fix the magnitudes of all parameters, walk all choices of their signs.

If the law of the parameters does not change when signs are flipped, the probability of an event is the mean over the
magnitudes of its *orbit probability*: the fraction of sign choices in the event, an exact rational number. Where the
count is the same for all generic magnitudes, it is the probability, whatever the law.

Sets are lists of homogeneous integer generators ``(s, y)``: the point y/s for s > 0, the direction y for s = 0. On a
convex piece on which each neuron keeps its sign everything is linear, so only generators have to be looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import accumulate, combinations, product
from math import gcd, prod
from operator import lt, mul
from typing import Any

import numpy as np

from geomrelu.deadness.decide import Status, decide
from geomrelu.errors import InputError
from geomrelu.exact import cddlib
from geomrelu.exact.affine import AffineMap
from geomrelu.exact.cddlib import Row
from geomrelu.exact.numbers import common, primitive, rational, rationals
from geomrelu.geometry.chirotope import cross_products
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.network.network import Network

__all__ = [
    "Shape",
    "alive_orbit",
    "dead_neurons_in",
    "dead_neurons_orbit",
    "is_stably_unactivated",
    "region_generators",
    "stably_unactivated_orbit",
]

Piece = tuple[frozenset[Row], tuple[Row, ...]]  # generators, lines
Part = tuple[list[Row], list[Row]]  # the same, not yet without common factors
WIDEST = 16  # 2^(2 * 16 + 1) sign choices of a neuron are out of reach
MOST_SIGNS = 24  # and so are 2^24 images of a domain
FLIPPED = ("all", "last", "none")


# ---- stably unactivated neurons ---------------------------------------------------------------------------------


def stably_unactivated_orbit(weights: Any, bias: Any, w: Any, c: Any) -> tuple[int, int]:
    """How many sign choices make the neuron ``f(x) = sum_i w_i max(a_i·x + b_i, 0) + c`` stably unactivated on R^n0.

    f is stably unactivated if f <= 0 on all of R^n0 for every (a, b, w, c) in some neighbourhood of the given one.

    Args:
        weights: the a_i, shape (n1, n0). bias: the b_i, shape (n1,). Any rationals, in any position.
        w: shape (n1,). c: a number. Not zero; their signs do not matter.

    Returns:
        ``(count, size)``. The choices are the flips (a_i, b_i) -> -(a_i, b_i) and the signs of each w_i and of c:
        size = 2^(2 n1 + 1).

    Raises:
        InputError: shapes that do not fit, a zero among w and c, n1 > 16.

    Criterion. Let F(s, y) = sum_i w_i max(a_i·y + b_i s, 0) + c s for s >= 0, so f(x) = F(1, x); F is linear on the
    cone over each region of the arrangement {a_i·x + b_i = 0}. f is stably unactivated if and only if each generator
    g = (s, y) of each region (lines in both directions) has (1) F(g) < 0, or (2) s = 0, all a_i·y <= 0, c < 0, and
    w_i < 0 whenever a_i·y = 0.

    Only if. F(g) > 0: f is positive at y/s, or far out along y. F(g) = 0 and s > 0: raise c. F(g) = 0, s = 0 and
    some a_i·y > 0: raise w_i. F(g) = 0, s = 0, all a_i·y <= 0: if w_i >= 0 for some i with a_i·y = 0, make w_i
    positive, replace a_i by a_i + e y and the other flat a_j by a_j - e y; then F grows along y. If c >= 0, make it
    positive and replace all flat a_i by a_i - e y; then f = c far out along y.

    If. A point p of the half sphere {s >= 0, |(s, y)| = 1} is a nonnegative combination of generators of one region,
    where F is linear and <= 0. If F(p) < 0, then F < 0 near p for all parameters near the given ones. Otherwise all
    generators used are of kind (2), hence so is p; for points and parameters nearby the neurons with a_i·y < 0 stay
    silent, the other terms are <= 0 because their weights are, and c s <= 0. The half sphere is compact.

    Exact: yes, in integers. Method: the generators (:func:`region_generators`; minors in general position), then for
    each of the 2^n1 flips the sets of positive signs that are good, which with a set hold all its subsets. Many orbits
    at once, in general position: :func:`geomrelu.random_networks.orbit_batch.stably_unactivated_counts`.
    Source: Brownlowe et al. (definition, theorems 1.1 and 1.2); claims ``narrow-first-layer``, ``one-more-than-input``.

    >>> stably_unactivated_orbit([[1]], [1], [1], 1)
    (2, 8)
    """
    forms, factors = _integer_rows(weights, bias)
    output, constant = rationals(w, "w"), rational(c, "c")
    if len(output) != len(forms):
        raise InputError(f"w: expected {len(forms)} weights, one for each neuron of the first layer")
    if constant == 0 or not all(output):
        raise InputError("a zero in w or c has no sign to choose")
    if len(forms) > WIDEST:
        raise InputError(
            f"{len(forms)} neurons have 2^{2 * len(forms) + 1} sign choices; the limit is {WIDEST} neurons"
        )
    magnitudes, _ = common([*(abs(v) * t for v, t in zip(output, factors, strict=True)), abs(constant)])
    values = sorted({(g[0], *_values(forms, g)) for g in _all_generators(forms)})
    return _stable_choices(values, magnitudes), 2 ** (2 * len(forms) + 1)


def is_stably_unactivated(weights: Any, bias: Any, w: Any, c: Any) -> bool:
    """Is the neuron ``f(x) = sum_i w_i max(a_i·x + b_i, 0) + c`` stably unactivated on R^n0?

    Args:
        weights: shape (n1, n0). bias: (n1,). w: (n1,). c: a number. Any rationals, zeros too.

    Exact: yes, in any position. Method: the criterion of :func:`stably_unactivated_orbit` at each generator.

    >>> is_stably_unactivated([[1]], [1], [-1], -1), is_stably_unactivated([[1]], [1], [0], -1)
    (True, False)
    """
    forms, factors = _integer_rows(weights, bias)
    output, constant = rationals(w, "w"), rational(c, "c")
    if len(output) != len(forms):
        raise InputError(f"w: expected {len(forms)} weights, one for each neuron of the first layer")
    signed, _ = common([*(v * t for v, t in zip(output, factors, strict=True)), constant])
    for s, *z in {(g[0], *_values(forms, g)) for g in _generators(tuple(forms))}:
        value = sum(v * max(t, 0) for v, t in zip(signed, z, strict=False)) + signed[-1] * s
        held = signed[-1] < 0 and all(v < 0 for v, t in zip(signed, z, strict=False) if not t)
        if value >= 0 and not (s == 0 and max(z) <= 0 and held):
            return False
    return True


@lru_cache(maxsize=1 << 14)
def _generators(forms: tuple[Row, ...]) -> frozenset[Row]:
    """Laws with few values draw the same first layer again and again."""
    return frozenset(region_generators(forms))


def _stable_choices(values: list[tuple[int, ...]], magnitudes: list[int]) -> int:
    """The count, from ``(s, a_1·y + b_1 s, ...)`` for each generator and the magnitudes ``(w_1, ..., c)``.

    The sets of weights and constant that may be positive are walked by their largest element: with a set all its
    subsets are good, because the condition on each generator only becomes weaker.
    """
    largest = [max(map(abs, column)) for column in zip(*values, strict=True)]
    bound = max(sum(map(mul, [*largest[1:], largest[0]], magnitudes)), *magnitudes)
    table = np.array(values, dtype=np.int64 if bound < 1 << 60 else object)
    s, z = table[:, :1], table[:, 1:]
    w = np.array(magnitudes, dtype=table.dtype)
    found = 0
    for flip in product((-1, 1), repeat=len(w) - 1):
        costs = np.hstack([np.maximum(z * np.array(flip, dtype=table.dtype), 0), s]) * w
        room = costs.sum(axis=1)
        costs *= 2
        silent = room == 0  # s = 0 and nothing active: the constant and the flat weights must be negative
        room[silent] = 1
        costs[silent] = np.hstack([z[silent] == 0, s[silent] == 0]).astype(np.int64) * 2
        found += _fitting_sets(room, costs)
    return found


def _fitting_sets(room: Any, costs: Any) -> int:
    """How many sets of columns of ``costs`` sum to less than ``room`` in every row, the empty set included."""
    singles = (costs < room[:, None]).all(axis=0)
    costs = costs[:, singles]
    binding = costs.sum(axis=1) >= room  # elsewhere every set fits
    if not binding.any():
        return int(2 ** costs.shape[1])
    left = room[binding][None]
    for cost in costs[binding].T:
        remains = left - cost
        left = np.concatenate([left, remains[(remains > 0).all(axis=1)]])
    return len(left)


def region_generators(forms: Sequence[Row]) -> set[Row]:
    """The generators of all regions of the arrangement of the hyperplanes ``b + a·x = 0``.

    Args:
        forms: rows ``(b, a1, ..., an)``; zero slopes and repetitions are legal.

    Returns:
        Primitive integer rows ``(s, y)``: with those of one region, nonnegative combinations give all of it and its
        directions of recession. A line is there twice, in both directions.

    Exact: yes. Method: a region cut by the next hyperplane is replaced by its two parts, each by double description
    (cddlib). A hyperplane cuts a region if and only if its form takes both signs on the generators.
    """
    dimension = len(forms[0]) - 1
    found: set[Row] = set()
    stack: list[tuple[list[Row], int]] = [([(0, 1, *[0] * dimension)], 0)]  # the cone s >= 0 over R^n
    while stack:
        rows, nxt = stack.pop()
        rays, lines = cddlib.generators(rows, [], dimension + 1)
        here = [g[1:] for g in rays if not g[0]] + [tuple(t * v for v in g[1:]) for g in lines for t in (1, -1)]
        for k in range(nxt, len(forms)):
            signs = [sum(map(mul, forms[k], g)) for g in here]
            if min(signs) < 0 < max(signs):
                stack += [([*rows, (0, *(t * v for v in forms[k]))], k + 1) for t in (1, -1)]
                break
        else:
            found.update(here)
    return found


def _all_generators(forms: Sequence[Row]) -> set[Row]:
    """:func:`region_generators`; from the minors alone if any n of the slopes are independent.

    Then each n hyperplanes meet in one point, a vertex of the regions around it, and each n - 1 of them have one
    direction in common: the cross products of :mod:`geomrelu.geometry.chirotope`.
    """
    n = len(forms[0]) - 1
    if len(forms) >= n:
        rows = np.array(forms, dtype=object)
        vertices = cross_products(rows[np.array(list(combinations(range(len(forms)), n)))])
        if (vertices[:, 0] != 0).all():
            faces = np.array(list(combinations(range(len(forms)), n - 1)), dtype=np.intp)
            along = cross_products(rows[:, 1:][faces]).tolist()
            lines = [tuple(v) for v in along] if n > 1 else [(1,)]
            points = [tuple(v) if v[0] > 0 else _negative(tuple(v)) for v in vertices.tolist()]
            return {_reduced(g) for g in points} | {_reduced((0, *d)) for v in lines for d in (v, _negative(v))}
    return region_generators(forms)


def _integer_rows(weights: Any, bias: Any) -> tuple[list[Row], list[Fraction]]:
    """Primitive rows ``(b, a...)`` and the positive factors that give back the given ones."""
    slopes = [rationals(a, f"weights, row {i}") for i, a in enumerate(weights)]
    constants = rationals(bias, "bias")
    if not slopes or len({len(a) for a in slopes}) != 1 or not slopes[0] or len(constants) != len(slopes):
        raise InputError("weights and bias must be a matrix (n1, n0) and a vector (n1,), not empty")
    rows = [(b, *a) for b, a in zip(constants, slopes, strict=True)]
    forms = [primitive(row) for row in rows]
    factors = [
        next((v / p for v, p in zip(row, form, strict=True) if p), Fraction(1))
        for row, form in zip(rows, forms, strict=True)
    ]
    return forms, factors


def _values(forms: Sequence[Row], g: Row) -> list[int]:
    return [sum(map(mul, form, g)) for form in forms]


# ---- living networks --------------------------------------------------------------------------------------------

Profile = tuple[int, ...]  # the number of dead neurons in each layer


def alive_orbit(layers: Sequence[tuple[Any, Any]], domain: Polyhedron | FiniteSet) -> tuple[int, int]:
    """How many choices of the signs of all parameters make a network alive on a domain.

    A network is alive if every layer has a neuron that is positive somewhere on the image of the domain under the
    layers before it; a neuron at 0 is dead.

    Args:
        layers: ``(weights, bias)`` with shapes (out, in) and (out,): magnitudes; the signs given do not matter.
        domain: a set of R^n with n inputs.

    Returns:
        ``(count, size)`` with size = 2^(number of parameters). The sign of a zero is walked like any other.

    Raises:
        InputError: see :func:`dead_neurons_orbit`.

    Exact: yes, in integers. Method: :func:`dead_neurons_orbit`.
    Source: Rister & Rubin, P(n, k) of section 2; claims ``upper-bound``, ``lower-bound``, ``tight-at-two``.

    >>> alive_orbit([([[1]], [1])] * 2, Polyhedron.space(1))  # (k + 1) 2^k of 4^k
    (12, 16)
    """
    profiles, size = dead_neurons_orbit(layers, domain)
    widths = [len(bias) for _, bias in layers]
    return sum(n for dead, n in profiles.items() if all(map(lt, dead, widths))), size


def dead_neurons_orbit(
    layers: Sequence[tuple[Any, Any]], domain: Polyhedron | FiniteSet, flipped: str = "all"
) -> tuple[Counter[Profile], int]:
    """How many neurons of each layer are dead on a domain, over all choices of the signs of all parameters.

    Args:
        layers: ``(weights, bias)`` with shapes (out, in) and (out,): magnitudes; the signs given do not matter.
        domain: a set of R^n with n inputs.
        flipped: whose signs are walked: "all" parameters, those of the "last" layer, or "none" (one network). The
            others keep the signs they have.

    Returns:
        ``(profiles, size)``: for each tuple (dead neurons in layer 1, in layer 2, ...) the number of sign choices,
        out of size = 2^(number of parameters that are flipped). The sign of a zero is walked like any other.

    Raises:
        InputError: shapes that do not fit, an empty domain, more than 24 parameters other than 0 before the last layer.

    Exact: yes, in integers. Method: the image is kept as convex pieces with their generators; every choice in all
    layers but the last (an image that comes up again is judged once), and in the last the neurons one by one,
    because their choices are independent. Cost: 2^(parameters of all layers but the last) images.

    >>> dead_neurons_orbit([([[1]], [1])] * 2, Polyhedron.space(1))
    (Counter({(0, 0): 12, (0, 1): 4}), 16)
    """
    rows, width = [], domain.dimension
    for position, (weights, bias) in enumerate(layers, 1):
        slopes = [rationals(a, f"layer {position}, row {i}") for i, a in enumerate(weights)]
        constants = rationals(bias, f"layer {position}, bias")
        if not slopes or {len(a) for a in slopes} != {width} or len(constants) != len(slopes):
            raise InputError(f"layer {position} must be a matrix (m, {width}) and a vector (m,)")
        numerators, denominator = common([v for b, a in zip(constants, slopes, strict=True) for v in (b, *a)])
        table = [tuple(numerators[i : i + width + 1]) for i in range(0, len(numerators), width + 1)]
        rows.append((table, denominator))
        width = len(slopes)
    if not rows:
        raise InputError("a network needs at least one layer")
    if flipped not in FLIPPED:
        raise InputError(f"flipped is one of {', '.join(FLIPPED)}, not {flipped!r}")
    walked = rows[{"all": 0, "last": len(rows) - 1, "none": len(rows)}[flipped] :]
    inner = sum(1 for table, _ in walked[:-1] for row in table for v in row if v)
    if inner > MOST_SIGNS:
        raise InputError(f"2^{inner} sign choices in the layers before the last; the limit is 2^{MOST_SIGNS}")
    if domain.is_empty:
        raise InputError("the domain is empty")
    zeros = sum(row.count(0) for table, _ in walked for row in table)  # walked once, counted twice
    found = profiles_of(rows, domain, len(rows) - len(walked))
    return Counter({dead: n << zeros for dead, n in found.items()}), 2 ** sum(len(t) * len(t[0]) for t, _ in walked)


def profiles_of(
    layers: Sequence[tuple[Sequence[Sequence[Any]], int]], domain: Polyhedron | FiniteSet, fixed: int = 0
) -> Counter[Profile]:
    """The walk of :func:`dead_neurons_orbit` for rows of integers, or of anything that adds, multiplies and has a sign.

    Args:
        layers: rows ``(b, a1, ..., an)`` over one denominator. A zero has one sign here. fixed: see that function.
    """
    if isinstance(domain, FiniteSet):
        pieces: frozenset[Piece] = frozenset((frozenset([primitive((1, *p))]), ()) for p in domain.points)
    else:
        points, lines = domain.generators
        pieces = frozenset([(frozenset(points), lines)])
    return _Orbit(layers, fixed).profiles(0, pieces)


def dead_neurons_in(
    build: Callable[[Sequence[Fraction]], Network], magnitudes: Sequence[Any], domain: Polyhedron | FiniteSet
) -> tuple[Counter[Profile], int]:
    """:func:`dead_neurons_orbit` for networks of any shape: convolutions, connections around layers.

    Args:
        build: makes the network from its parameters with their signs. magnitudes: of the parameters.
        domain: a set with as many inputs as the network.

    Returns:
        ``(profiles, size)``, size = 2^(number of parameters).

    Raises:
        InputError: more than 16 parameters.

    Exact: yes. Method: one :func:`~geomrelu.deadness.decide` for each sign choice: for small networks.

    >>> def tied(p):  # two layers with the same weight
    ...     return Network.from_layers([([[p[0]]], [p[1]], "relu"), ([[p[0]]], [p[2]], "relu")])
    >>> dead_neurons_in(tied, [1, 2, 3], Polyhedron.space(1))[0][0, 0]
    6
    """
    values = rationals(magnitudes, "magnitudes")
    if len(values) > WIDEST:
        raise InputError(f"{len(values)} parameters have 2^{len(values)} sign choices; the limit is {WIDEST}")
    found: Counter[Profile] = Counter()
    for signs in product((-1, 1), repeat=len(values)):
        reports = decide(build([s * v for s, v in zip(signs, values, strict=True)]), domain)
        profile = []
        for report in reports:
            if any(v.status is Status.UNDECIDED for v in report.verdicts):
                raise InputError(f"layer {report.layer} is too large to be decided for each sign choice")
            profile.append(sum(v.status is Status.DEAD for v in report.verdicts))
        found[tuple(profile)] += 1
    return found, int(2 ** len(values))


@dataclass(frozen=True, eq=False)
class Shape:
    """A network whose parameters may be replaced: dense, convolutional, with connections around layers.

    A parameter is a nonzero weight or bias of a ReLU layer. An entry 1 that reads something before the previous layer
    is no parameter but a connection around a layer, and stays.

    Attributes:
        tied: equal weights of a layer are one parameter, and so are equal biases (as in convolutions).

    >>> net = Network.from_layers([([[2, 3, 0], [0, 2, 3]], [5, 5], "relu")])  # a kernel (2, 3) on three pixels
    >>> [str(v) for v in Shape(net, tied=True).magnitudes]
    ['2', '3', '5']
    """

    network: Network
    tied: bool = False

    @cached_property
    def _places(self) -> tuple[list[Fraction], list[int], list[tuple[list[int | Fraction], list[int | Fraction]]]]:
        """The parameters' values and layers; for each layer what stands at its weights and biases: a number of a
        parameter (int) or a value that stays (Fraction)."""
        values: list[Fraction] = []
        layers: list[int] = []
        where = []
        for level, layer in enumerate(self.network.layers):
            known: dict[tuple[bool, int], int] = {}
            parts: list[list[int | Fraction]] = []
            around = layer.indices < self.network.starts[level]
            for is_bias, entries in enumerate((layer.data.tolist(), list(layer.bias))):
                part: list[int | Fraction] = []
                for k, v in enumerate(entries):
                    if not v or (not is_bias and around[k] and v == layer.denominator):
                        part.append(Fraction(v, layer.denominator))
                        continue
                    place = (bool(is_bias), v)
                    if not self.tied or place not in known:
                        known[place] = len(values)
                        values.append(Fraction(v, layer.denominator))
                        layers.append(level)
                    part.append(known[place])
                parts.append(part)
            where.append((parts[0], parts[1]))
        return values, layers, where

    @property
    def magnitudes(self) -> list[Fraction]:
        """The absolute values of the parameters, layer by layer: weights first, then biases."""
        return [abs(v) for v in self._places[0]]

    @property
    def fans(self) -> list[tuple[int, int]]:
        """For each parameter the most weights that meet in a neuron of its layer, and that leave one of its inputs."""
        each = []
        for layer in self.network.layers:
            rows, columns = np.diff(layer.indptr), np.bincount(layer.indices, minlength=1)
            each.append((max(1, int(rows.max())), max(1, int(columns.max()))))
        return [each[level] for level in self._places[1]]

    def with_parameters(self, values: Sequence[Fraction]) -> Network:
        """The network with other parameters."""
        layers = []
        for layer, (weights, biases) in zip(self.network.layers, self._places[2], strict=True):
            numerators, denominator = common([values[v] if isinstance(v, int) else v for v in (*weights, *biases)])
            data = np.empty(len(weights), dtype=object)
            data[:] = numerators[: len(weights)]
            bias = tuple(numerators[len(weights) :])
            layers.append(AffineMap(layer.inputs, layer.indptr, layer.indices, data, bias, denominator))
        return Network(self.network.inputs, tuple(layers))

    def dead_neurons(self, magnitudes: Sequence[Any], domain: Polyhedron | FiniteSet) -> tuple[Counter[Profile], int]:
        """How many neurons of each layer are dead, over all signs of the parameters.

        Returns:
            ``(profiles, size)`` as :func:`dead_neurons_orbit`, size = 2^(number of parameters).

        Exact: yes. Method: :func:`dead_neurons_orbit` for layers that only read the one before and share nothing, else
        :func:`dead_neurons_in`.
        """
        network = self.network
        entries = sum(len(layer.data) + sum(map(bool, layer.bias)) for layer in network.layers)
        free = len(self._places[0]) == entries  # nothing is tied, nothing stays
        chained = all(blocks == (level,) for level, blocks in enumerate(network.blocks[1:]))
        if not (free and chained):
            return dead_neurons_in(self.with_parameters, magnitudes, domain)
        whole = self.with_parameters([rational(v) for v in magnitudes])
        rows = []
        for level, layer in enumerate(whole.layers):
            forms = [layer.form(i) for i in range(layer.outputs)]
            rows.append(([f.slope[whole.starts[level] :] for f in forms], [f.constant for f in forms]))
        profiles, size = dead_neurons_orbit(rows, domain)
        absent = size // 2 ** len(magnitudes)  # the signs of zeros were walked too
        return Counter({dead: n // absent for dead, n in profiles.items()}), size // absent


class _Orbit:
    """Counts sign choices layer by layer; an image that comes up again is not judged again.

    Args:
        layers: integer rows over one denominator. fixed: so many layers keep their signs.
    """

    def __init__(self, layers: Sequence[tuple[Sequence[Sequence[Any]], int]], fixed: int) -> None:
        self.layers = layers
        self.fixed = fixed
        self.known: dict[tuple[int, frozenset[Piece] | frozenset[Row]], Counter[Profile]] = {}

    def profiles(self, level: int, pieces: frozenset[Piece]) -> Counter[Profile]:
        """The choices for the layers from ``level`` (from 0) on, if the pieces are what it reads."""
        last = level == len(self.layers) - 1
        reads = frozenset(g for p in pieces for g in (*p[0], *p[1], *map(_negative, p[1]))) if last else pieces
        key = (level, reads)
        if key not in self.known:
            self.known[key] = self._last(level, list(key[1])) if last else self._inner(level, pieces)  # type: ignore[arg-type]
        return self.known[key]

    def _choices(self, level: int, row: Sequence[Any]) -> Iterable[Sequence[Any]]:
        return [row] if level < self.fixed else _signed(row)

    def _last(self, level: int, reached: list[Row]) -> Counter[Profile]:
        found = [1]  # found[d]: choices with d dead neurons among those seen so far
        for row in self.layers[level][0]:
            verdicts = [all(sum(map(mul, r, g)) <= 0 for g in reached) for r in self._choices(level, row)]
            dead, living = sum(verdicts), len(verdicts) - sum(verdicts)
            found = [living * a + dead * b for a, b in zip([*found, 0], [0, *found], strict=True)]
        return Counter({(d,): n for d, n in enumerate(found) if n})

    def _inner(self, level: int, pieces: frozenset[Piece]) -> Counter[Profile]:
        rows, denominator = self.layers[level]
        # all generators and lines in one list, and for each choice of each row its values there, those that leave the
        # neuron dead together: a choice for the whole layer only puts columns together
        ordered = [(list(generators), lines) for generators, lines in pieces]
        vectors = [g for generators, lines in ordered for g in (*generators, *lines)]
        is_line = [
            flag for generators, lines in ordered for flag in (*(False for _ in generators), *(True for _ in lines))
        ]
        table: list[list[tuple[int, bool, list[int]]]] = []  # number of choices, dead?, values
        for row in rows:
            choices = [[sum(map(mul, r, g)) for g in vectors] for r in self._choices(level, row)]
            living = [
                values
                for values in choices
                if any(v > 0 or (line and v) for v, line in zip(values, is_line, strict=True))
            ]
            table.append([(1, False, values) for values in living])
            if len(living) < len(choices):
                table[-1].append((len(choices) - len(living), True, [0] * len(vectors)))
        scale = [g[0] * denominator for g in vectors]
        ends = list(accumulate(len(generators) + len(lines) for generators, lines in ordered))
        total: Counter[Profile] = Counter()
        for columns in product(*table):
            image = list(zip(scale, *(values for _, _, values in columns), strict=True))
            parts = [
                (image[end - len(generators) - len(lines) : end - len(lines)], image[end - len(lines) : end])
                for (generators, lines), end in zip(ordered, ends, strict=True)
            ]
            number, dead_here = prod(n for n, _, _ in columns), sum(dead for _, dead, _ in columns)
            for rest, count in self.profiles(level + 1, _rectified(parts, len(rows))).items():
                total[dead_here, *rest] += number * count
        return total


def _signed(row: Sequence[Any]) -> Iterator[Row]:
    """All sign choices; a zero has one."""
    return product(*((-v, v) if v else (0,) for v in row))


def _negative(g: Row) -> Row:
    return tuple(-v for v in g)


def _rectified(parts: list[Part], width: int) -> frozenset[Piece]:
    """The image under max(., 0) in each coordinate, without pieces whose generators another one has."""
    for axis in range(1, width + 1):
        parts = [
            ([g if g[axis] >= 0 else (*g[:axis], 0, *g[axis + 1 :]) for g in generators], lines)
            for part in parts
            for generators, lines in _halves(part, axis)
        ]
    # a line on which every coordinate is 0 is no line any more
    pieces = {frozenset(_reduced(g) for g in _extremes(generators) if any(g)) for generators, _ in parts}
    return frozenset((p, ()) for p in pieces if not any(p < q for q in pieces))


def _halves(part: Part, axis: int) -> list[Part]:
    """The parts where coordinate ``axis`` is <= 0 and >= 0 (one part if it takes one sign only)."""
    generators, lines = part
    pivot = next((g for g in lines if g[axis]), None)
    if pivot is not None:  # a line crosses: slide everything else along it onto the hyperplane
        up = pivot if pivot[axis] > 0 else _negative(pivot)
        flat = [_slid(g, up, axis) for g in generators]
        rest = [g for g in (_slid(g, up, axis) for g in lines if g is not pivot) if any(g)]
        return [([*flat, _negative(up)], rest), ([*flat, up], rest)]
    above = [g for g in generators if g[axis] > 0]
    below = [g for g in generators if g[axis] < 0]
    if not above or not below:
        return [part]
    flat = [g for g in generators if not g[axis]]
    flat += [_reduced([p[axis] * v - n[axis] * u for u, v in zip(p, n, strict=True)]) for p in above for n in below]
    flat = _extremes(flat)
    return [(flat + below, lines), (flat + above, lines)]


def _extremes(generators: list[Row]) -> list[Row]:
    """The two extreme ones of generators that lie in a plane and in an angle; others are left alone.

    On a plane a cross product of two coordinates orders the directions; that all lie between the two found is checked.
    """
    if len(generators) < 3:
        return generators
    first = next((g for g in generators if any(g)), generators[0])
    for second in generators:
        place = next(
            ((p, q) for q in range(len(first)) for p in range(q) if first[p] * second[q] != first[q] * second[p]), None
        )
        if place is not None:
            break
    else:
        return generators
    p, q = place
    low = high = first
    for g in generators:
        if low[p] * g[q] < low[q] * g[p]:
            low = g
        if high[p] * g[q] > high[q] * g[p]:
            high = g
    # g = (x low + y high) / d with d > 0 and x, y >= 0, in every coordinate
    d = low[p] * high[q] - low[q] * high[p]
    if d <= 0:
        return generators
    for g in generators:
        x, y = g[p] * high[q] - g[q] * high[p], low[p] * g[q] - low[q] * g[p]
        if x < 0 or y < 0 or any(d * v != x * a + y * b for v, a, b in zip(g, low, high, strict=True)):
            return generators
    return [low, high]


def _slid(g: Row, pivot: Row, axis: int) -> Row:
    return _reduced([pivot[axis] * u - g[axis] * v for u, v in zip(g, pivot, strict=True)])


def _reduced(row: Sequence[int]) -> Row:
    """Without common factor."""
    try:
        divisor = gcd(*row)
    except TypeError:  # polynomials: common factors do no harm
        return tuple(row)
    return tuple(row) if divisor <= 1 else tuple(v // divisor for v in row)
