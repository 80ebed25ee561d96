"""Living networks over sign orbits: fix the magnitudes of all parameters, walk all choices of their signs.

If the law of the parameters does not change when signs are flipped, the probability of an event is the mean over the
magnitudes of its *orbit probability*: the fraction of sign choices in the event, an exact rational number. Where the
count is the same for all generic magnitudes, it is the probability for every such law without atoms.

Sets are lists of homogeneous integer generators ``(s, y)``: the point y/s for s > 0, the direction y for s = 0. On a
convex piece on which each neuron keeps its sign everything is linear, so only generators have to be looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, product
from math import gcd, prod
from operator import lt, mul
from typing import Any

from geomrelu.errors import InputError
from geomrelu.exact.cddlib import Row
from geomrelu.exact.numbers import common, primitive, rationals
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron

__all__ = ["Profile", "alive_orbit", "dead_neurons_orbit", "negative", "profiles_of", "reduced"]

Piece = tuple[frozenset[Row], tuple[Row, ...]]  # generators, lines
Part = tuple[list[Row], list[Row]]  # the same, not yet without common factors
MOST_SIGNS = 24  # 2^24 images of a domain are out of reach
FLIPPED = ("all", "last", "none")
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
    layers: Sequence[tuple[Any, Any]], domain: Polyhedron | FiniteSet, flipped: str = "all", through: bool = False
) -> tuple[Counter[Profile], int]:
    """How many neurons of each layer are dead on a domain, over all choices of the signs of all parameters.

    Args:
        layers: ``(weights, bias)`` with shapes (out, in) and (out,): magnitudes; the signs given do not matter.
        domain: a set of R^n with n inputs.
        flipped: whose signs are walked: "all" parameters, those of the "last" layer, or "none" (one network). The
            others keep the signs they have.
        through: follow only points that are alive through all layers: at each of them every layer so far has a
            positive neuron. Neurons that are positive elsewhere count as dead.

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
    found = profiles_of(rows, domain, len(rows) - len(walked), through)
    return Counter({dead: n << zeros for dead, n in found.items()}), 2 ** sum(len(t) * len(t[0]) for t, _ in walked)


def profiles_of(
    layers: Sequence[tuple[Sequence[Sequence[Any]], int]],
    domain: Polyhedron | FiniteSet,
    fixed: int = 0,
    through: bool = False,
) -> Counter[Profile]:
    """The walk of :func:`dead_neurons_orbit` for rows of integers, or of anything that adds, multiplies and has a sign.

    Args:
        layers: rows ``(b, a1, ..., an)`` over one denominator. A zero has one sign here.
        fixed: so many layers keep their signs. through: see that function.
    """
    if isinstance(domain, FiniteSet):
        pieces: frozenset[Piece] = frozenset((frozenset([primitive((1, *p))]), ()) for p in domain.points)
    else:
        points, lines = domain.generators
        pieces = frozenset([(frozenset(points), lines)])
    return _Orbit(layers, fixed, through).profiles(0, pieces)


class _Orbit:
    """Counts sign choices layer by layer; an image that comes up again is not judged again.

    Args:
        layers: integer rows over one denominator. fixed: so many layers keep their signs. through: drop pieces that a
            layer maps to 0.
    """

    def __init__(
        self, layers: Sequence[tuple[Sequence[Sequence[Any]], int]], fixed: int, through: bool = False
    ) -> None:
        self.layers = layers
        self.fixed = fixed
        self.through = through
        self.known: dict[tuple[int, frozenset[Piece] | frozenset[Row]], Counter[Profile]] = {}

    def profiles(self, level: int, pieces: frozenset[Piece]) -> Counter[Profile]:
        """The choices for the layers from ``level`` (from 0) on, if the pieces are what it reads."""
        last = level == len(self.layers) - 1
        reads = frozenset(g for p in pieces for g in (*p[0], *p[1], *map(negative, p[1]))) if last else pieces
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
            reached = _rectified(parts, len(rows))
            if self.through:  # linear on the piece and nonnegative: 0 at one inner point, 0 at all
                reached = frozenset(piece for piece in reached if any(any(g[1:]) for g in piece[0]))
            for rest, count in self.profiles(level + 1, reached).items():
                total[dead_here, *rest] += number * count
        return total


def _signed(row: Sequence[Any]) -> Iterator[Row]:
    """All sign choices; a zero has one."""
    return product(*((-v, v) if v else (0,) for v in row))


def negative(g: Row) -> Row:
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
    pieces = {frozenset(reduced(g) for g in _extremes(generators) if any(g)) for generators, _ in parts}
    return frozenset((p, ()) for p in pieces if not any(p < q for q in pieces))


def _halves(part: Part, axis: int) -> list[Part]:
    """The parts where coordinate ``axis`` is <= 0 and >= 0 (one part if it takes one sign only)."""
    generators, lines = part
    pivot = next((g for g in lines if g[axis]), None)
    if pivot is not None:  # a line crosses: slide everything else along it onto the hyperplane
        up = pivot if pivot[axis] > 0 else negative(pivot)
        flat = [_slid(g, up, axis) for g in generators]
        rest = [g for g in (_slid(g, up, axis) for g in lines if g is not pivot) if any(g)]
        return [([*flat, negative(up)], rest), ([*flat, up], rest)]
    above = [g for g in generators if g[axis] > 0]
    below = [g for g in generators if g[axis] < 0]
    if not above or not below:
        return [part]
    flat = [g for g in generators if not g[axis]]
    flat += [reduced([p[axis] * v - n[axis] * u for u, v in zip(p, n, strict=True)]) for p in above for n in below]
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
    return reduced([pivot[axis] * u - g[axis] * v for u, v in zip(g, pivot, strict=True)])


def reduced(row: Sequence[int]) -> Row:
    """Without common factor."""
    try:
        divisor = gcd(*row)
    except TypeError:  # polynomials: common factors do no harm
        return tuple(row)
    return tuple(row) if divisor <= 1 else tuple(v // divisor for v in row)
