"""Regions met by lines: a lower bound where there are too many to be found one beside the other.

On a line every form is affine in t, and every neuron piecewise affine. Between neighbouring zeros of all of them the
signs do not change, and where none is 0 they are those of a region; its point there is the witness. On the line a
network is walked from zero to zero: at a zero t, the pairs (value, slope to the right of it) of all neurons, layer by
layer, say what is positive beyond it and where the next zero is. So a region costs a forward pass on one input.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from operator import mul

import numpy as np

from geomrelu.budget import Budget
from geomrelu.exact.affine import AffineMap
from geomrelu.exact.cddlib import Row
from geomrelu.exact.numbers import common
from geomrelu.geometry.polyhedron import FEW_GENERATORS, Point, Polyhedron
from geomrelu.network.network import Network
from geomrelu.parallel import apart

__all__ = ["arrangement_on_lines", "network_on_lines"]

SOME = 1 << 16  # weights, about, between two looks at the clock
IDLE = 20  # lines without a new region, after which no more are tried
Found = tuple[tuple[int, ...], Point]
Line = tuple[list[Fraction], list[int], Fraction | None, Fraction | None]  # x, d, and where it is inside: t
Along = Callable[[Line], Iterator[tuple[tuple[int, ...], Fraction]]]  # the regions on a line: signs, and a place t


def network_on_lines(network: Network, domain: Polyhedron, layers: int, budget: Budget) -> Iterator[Found]:
    """Regions of a network on random lines through the domain, each once, with a point inside.

    Exact: yes, each is a region; which ones are found is chance, but they are the same each time. None on a domain
    without an interior, and none where a neuron is 0 on a whole piece (unless it is 0 everywhere).

    >>> net = Network.from_layers([([[1], [1]], [0, -1], "relu"), ([[1, -2]], [0], "relu")])
    >>> len(list(network_on_lines(net, Polyhedron.box([(-1, 3)]), 2, Budget())))
    3
    """

    constant = [
        not bias and not entries  # 0 everywhere
        for layer in network.layers[:layers]
        for bias, entries in zip(layer.bias, np.diff(layer.indptr).tolist(), strict=True)
    ]

    def along(line: Line) -> Iterator[tuple[tuple[int, ...], Fraction]]:
        x, d, low, high = line
        for side, end in ((1, high), (-1, None if low is None else -low)):
            maps = _restricted(network, x, [side * v for v in d], layers, budget)
            t: Fraction | None = Fraction(0)
            while t is not None and (end is None or t < end):
                signs, following = _beyond(maps, t, budget)
                last = following if end is None or (following is not None and following < end) else end
                if all(sign or flat for sign, flat in zip(signs, constant, strict=True)):
                    yield signs, side * (t + 1 if last is None else (t + last) / 2)
                t = following

    return _walked(domain, along, budget)


def _restricted(
    network: Network, x: Sequence[Fraction], d: Sequence[int], layers: int, budget: Budget
) -> list[AffineMap]:
    """The layers over t and the outputs of the layers before, on the line x + t d."""
    n, (start, scale), found = network.inputs, common(x), []
    values = np.empty((2, n), dtype=object)
    values[:] = start, [scale * v for v in d]  # at t = 0, and their growth, over the scale
    for layer in network.layers[:layers]:
        bias, rows, columns, data = list[int](), list[np.ndarray](), list[np.ndarray](), list[np.ndarray]()
        step = max(1, SOME * layer.outputs // max(1, len(layer.data)))
        for first in range(0, layer.outputs, step):
            budget.poll()
            part = slice(layer.indptr[first], layer.indptr[min(first + step, layer.outputs)])
            read, weights = layer.indices[part], layer.data[part]
            counts = np.diff(layer.indptr[first : first + step + 1])
            own = np.repeat(np.arange(first, first + len(counts)), counts)
            inside = read < n
            sums = np.zeros((2, len(counts)), dtype=object)
            for total, one in zip(sums, values, strict=True):
                np.add.at(total, own[inside] - first, weights[inside] * one[read[inside]])
            bias += [b * scale + v for b, v in zip(layer.bias[first : first + step], sums[0].tolist(), strict=True)]
            rows += [np.arange(first, first + len(counts)), own[~inside]]
            columns += [np.zeros(len(counts), dtype=np.int64), read[~inside] - n + 1]
            data += [sums[1], weights[~inside] * scale]
        shape, over = (layer.outputs, 1 + layer.inputs - n), layer.denominator * scale
        entries = np.concatenate(rows), np.concatenate(columns), np.concatenate(data)
        found.append(AffineMap.from_entries(shape, *entries, over, bias, over))
    return found


def _beyond(maps: Sequence[AffineMap], t: Fraction, budget: Budget) -> tuple[tuple[int, ...], Fraction | None]:
    """The signs of all neurons just beyond a place, 0 for one that is 0 there, and the next place where one changes."""
    scale = t.denominator
    values, slopes = [t.numerator], [scale]
    signs: list[int] = []
    steps: list[Fraction] = []
    for map_ in maps:
        budget.poll()
        z, growth = map_.apply(values, scale), map_.apply(slopes, 0)
        scale *= map_.denominator
        values, slopes = ([v * map_.denominator for v in row] for row in (values, slopes))
        for v, s in zip(z, growth, strict=True):
            first = v or s
            signs.append((first > 0) - (first < 0))
            values.append(v if first > 0 else 0)
            slopes.append(s if first > 0 else 0)
            if v * s < 0:
                steps.append(Fraction(-v, s))
    return tuple(signs), t + min(steps) if steps else None


def arrangement_on_lines(rows: Sequence[Row], domain: Polyhedron, budget: Budget) -> Iterator[Found]:
    """The same of an arrangement: sign vectors of its forms; a form that is 0 everywhere has the sign 0.

    >>> sorted(signs for signs, _ in arrangement_on_lines([(0, 1), (-1, 1)], Polyhedron.space(1), Budget()))
    [(-1, -1), (1, -1), (1, 1)]
    """

    def along(line: Line) -> Iterator[tuple[tuple[int, ...], Fraction]]:
        x, d, low, high = line
        numerators, scale = common(x)
        forms: list[tuple[Fraction, int]] = []  # value at x, growth
        for row in rows:
            budget.poll()
            start = row[0] * scale + sum(map(mul, row[1:], numerators))
            forms.append((Fraction(start, scale), sum(map(mul, row[1:], d))))
        zeros = {-start / slope for start, slope in forms if slope}
        inner = [t for t in zeros if (low is None or t > low) and (high is None or t < high)]
        for t in _between(sorted(inner), low, high):
            budget.poll()
            found = [start + t * slope for start, slope in forms]
            if all(v or not any(row) for v, row in zip(found, rows, strict=True)):
                yield tuple((v > 0) - (v < 0) for v in found), t

    return _walked(domain, along, budget)


def _walked(domain: Polyhedron, along: Along, budget: Budget) -> Iterator[Found]:
    seen, idle = set[tuple[int, ...]](), 0
    for line in _lines(domain, budget):
        before = len(seen)
        for signs, t in along(line):
            budget.poll()
            if signs not in seen:
                seen.add(signs)
                yield signs, tuple(a + t * b for a, b in zip(*line[:2], strict=True))
        idle = 0 if len(seen) > before else idle + 1
        if idle == IDLE:
            return


def _lines(domain: Polyhedron, budget: Budget) -> Iterator[Line]:
    """Random lines through the interior, and which part of each is in it; every other one through a point of the one
    before."""
    budget.poll()
    if domain.given_by_generators:
        domain.convert(budget)
    if domain.is_empty or domain.equalities:
        return
    soon = domain.is_box or domain.likely_generators <= FEW_GENERATORS or budget.left is None
    rng, inside = random.Random(0), list(domain.interior_point() if soon else apart(budget, domain.interior_point))
    rows = _rows(domain)
    if any(constant + _dot(slope, inside) <= 0 for constant, slope in rows):
        return  # it has no interior
    x = inside
    while True:
        d = [2 * rng.randint(-99, 99) + 1 for _ in inside]
        ends: tuple[list[Fraction], list[Fraction]] = [], []
        for constant, slope in rows:
            budget.poll()
            if growth := _dot(slope, d):
                ends[growth < 0].append(-(constant + _dot(slope, x)) / growth)
        low, high = max(ends[0], default=None), min(ends[1], default=None)
        yield x, d, low, high
        first, last = -Fraction(1) if low is None else low, Fraction(1) if high is None else high
        t = first + (last - first) * Fraction(rng.randint(1, 63), 64)
        x = [u + t * v for u, v in zip(x, d, strict=True)] if x is inside else inside


def _between(stops: list[Fraction], low: Fraction | None, high: Fraction | None) -> Iterator[Fraction]:
    """A place in each of the intervals."""
    first = stops[0] if stops else high if high is not None else Fraction(1)
    last = stops[-1] if stops else low if low is not None else Fraction(-1)
    ends = [first - 2 if low is None else low, *stops, last + 2 if high is None else high]
    return ((a + b) / 2 for a, b in pairwise(ends) if a < b)


def _rows(domain: Polyhedron) -> list[tuple[Fraction, dict[int, int]]]:
    """The inequalities as constants and what is not zero of their slopes; of a box of many sides that is one number."""
    if domain.is_box:
        lower, upper = domain.checked.lower, domain.checked.upper
        lows = [(-v, {j: 1}) for j, v in enumerate(lower) if v is not None]
        return lows + [(v, {j: -1}) for j, v in enumerate(upper) if v is not None]
    rows = [(Fraction(b), {j: v for j, v in enumerate(slope) if v}) for b, *slope in domain.inequalities]
    return [row for row in rows if row[1]]


def _dot(a: Mapping[int, int], x: Sequence[Fraction | int]) -> Fraction:
    return Fraction(sum(v * x[j] for j, v in a.items()))
