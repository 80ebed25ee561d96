"""Regions met by lines: a lower bound where there are too many to be found one beside the other.

On a line every form is affine in t, and every neuron piecewise affine. Between neighbouring zeros of all of them the
signs do not change, and where none is 0 they are those of a region; its point there is the witness. A line costs one
pass, however many regions and dimensions there are.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from operator import mul

from geomrelu.budget import Budget
from geomrelu.exact.cddlib import Row
from geomrelu.exact.numbers import common
from geomrelu.geometry.polyhedron import FEW_GENERATORS, Point, Polyhedron
from geomrelu.network.lines import chain_on_line
from geomrelu.network.network import Network
from geomrelu.parallel import apart

__all__ = ["arrangement_on_lines", "network_on_lines"]

IDLE = 20  # lines without a new region, after which no more are tried
Found = tuple[tuple[int, ...], Point]
Line = tuple[list[Fraction], list[int], Fraction | None, Fraction | None]  # x, d, and where it is inside: t
Values = Callable[[Fraction], Iterable[Fraction | None]]  # of all forms at t; None: it is 0 everywhere
Restricted = Callable[[list[Fraction], list[int]], tuple[Iterable[Fraction], Values]]  # to a line: zeros, values


def network_on_lines(network: Network, domain: Polyhedron, layers: int, budget: Budget) -> Iterator[Found]:
    """Regions of a network on random lines through the domain, each once, with a point inside.

    Exact: yes, each is a region; which ones are found is chance. A domain without an interior: none.

    >>> net = Network.from_layers([([[1], [1]], [0, -1], "relu"), ([[1, -2]], [0], "relu")])
    >>> len(list(network_on_lines(net, Polyhedron.box([(-1, 3)]), 2, Budget())))
    3
    """

    def on(x: list[Fraction], d: list[int]) -> tuple[Iterable[Fraction], Values]:
        def values(t: Fraction) -> Iterator[Fraction]:
            layers_ = network.pre_activations(_at(x, d, t), layers)
            return (v for layer in layers_ for v in layer)

        chain = chain_on_line(network, x, d, layers, budget)
        return (Fraction(g[1], g[0]) for g in chain if g[0]), values

    return _walked(domain, on, budget)


def arrangement_on_lines(rows: Sequence[Row], domain: Polyhedron, budget: Budget) -> Iterator[Found]:
    """The same of an arrangement: sign vectors of its forms; a form that is 0 everywhere has the sign 0.

    >>> sorted(signs for signs, _ in arrangement_on_lines([(0, 1), (-1, 1)], Polyhedron.space(1), Budget()))
    [(-1, -1), (1, -1), (1, 1)]
    """

    def on(x: list[Fraction], d: list[int]) -> tuple[Iterable[Fraction], Values]:
        numerators, scale = common(x)
        forms: list[tuple[Fraction, int] | None] = []  # value at x, growth
        for row in rows:
            budget.poll()
            start = row[0] * scale + sum(map(mul, row[1:], numerators))
            forms.append((Fraction(start, scale), sum(map(mul, row[1:], d))) if any(row) else None)
        zeros = (-start / slope for start, slope in filter(None, forms) if slope)
        return zeros, lambda t: (None if form is None else form[0] + t * form[1] for form in forms)

    return _walked(domain, on, budget)


def _walked(domain: Polyhedron, on: Restricted, budget: Budget) -> Iterator[Found]:
    seen, idle = set[tuple[int, ...]](), 0
    for x, d, low, high in _lines(domain, budget):
        before = len(seen)
        zeros, values = on(x, d)
        stops = {t for t in zeros if (low is None or t > low) and (high is None or t < high)}
        for t in _between(sorted(stops), low, high):
            budget.poll()
            found = list(values(t))
            signs = tuple(0 if v is None else 1 if v > 0 else -1 for v in found)
            if 0 not in found and signs not in seen:
                seen.add(signs)
                yield signs, _at(x, d, t)
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
    rows = [row for row in domain.inequalities if any(row[1:])]
    if any(row[0] + _dot(row[1:], inside) <= 0 for row in rows):
        return  # it has no interior
    x = inside
    while True:
        d = [2 * rng.randint(-99, 99) + 1 for _ in inside]
        ends: tuple[list[Fraction], list[Fraction]] = [], []
        for row in rows:
            budget.poll()
            if slope := _dot(row[1:], d):
                ends[slope < 0].append(-(row[0] + _dot(row[1:], x)) / slope)
        low, high = max(ends[0], default=None), min(ends[1], default=None)
        yield x, d, low, high
        first, last = -Fraction(1) if low is None else low, Fraction(1) if high is None else high
        t = first + (last - first) * Fraction(rng.randint(1, 63), 64)
        x = list(_at(x, d, t)) if x is inside else inside


def _between(stops: list[Fraction], low: Fraction | None, high: Fraction | None) -> Iterator[Fraction]:
    """A place in each of the intervals."""
    first = stops[0] if stops else high if high is not None else Fraction(1)
    last = stops[-1] if stops else low if low is not None else Fraction(-1)
    ends = [first - 2 if low is None else low, *stops, last + 2 if high is None else high]
    return ((a + b) / 2 for a, b in pairwise(ends) if a < b)


def _at(x: Sequence[Fraction], d: Sequence[int], t: Fraction) -> Point:
    return tuple(a + t * b for a, b in zip(x, d, strict=True))


def _dot(a: Sequence[int], x: Sequence[Fraction | int]) -> Fraction:
    return Fraction(sum(u * v for u, v in zip(a, x, strict=True) if u))
