"""Stably unactivated neurons of the second layer: which they are, and how many sign choices of an orbit make one.

Fix the magnitudes of all parameters. If their law does not change when signs are flipped, the probability that a
neuron is stably unactivated is the mean over the magnitudes of an exact rational number: the fraction of sign choices.
Where the count is the same for all generic magnitudes, it is the probability for every such law without atoms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import combinations, combinations_with_replacement, product
from math import comb, factorial, prod
from operator import mul
from typing import Any

import numpy as np

from geomrelu.budget import UNLIMITED, Budget
from geomrelu.errors import InputError
from geomrelu.exact import cddlib
from geomrelu.exact.cddlib import Row
from geomrelu.exact.numbers import common, primitive, rational, rationals
from geomrelu.geometry.chirotope import cross_products
from geomrelu.random_networks.orbit import negative, reduced

__all__ = ["WIDEST", "is_stably_unactivated", "rademacher_probability", "region_generators", "stably_unactivated_orbit"]

WIDEST = 16  # 2^(2 * 16 + 1) sign choices of a neuron are out of reach


def stably_unactivated_orbit(
    weights: Any, bias: Any, w: Any, c: Any, rows: int | None = None, budget: Budget = UNLIMITED
) -> tuple[int, int]:
    """How many sign choices make the neuron ``f(x) = sum_i w_i max(a_i·x + b_i, 0) + c`` stably unactivated on R^n0.

    f is stably unactivated if f <= 0 on all of R^n0 for every (a, b, w, c) in some neighbourhood of the given one.

    Args:
        weights: the a_i, shape (n1, n0). bias: the b_i, shape (n1,). Any rationals, in any position.
        w: shape (n1,). c: a number. Not zero; their signs do not matter.
        rows: how many independent row flips are walked, 1 to n1: the first n1 - rows + 1 rows are flipped together.
            None: n1.
        budget: on time.

    Returns:
        ``(count, size)``. The choices are the flips (a_i, b_i) -> -(a_i, b_i) and the signs of each w_i and of c:
        size = 2^(rows + n1 + 1).

    Raises:
        InputError: shapes that do not fit, a zero among w and c, n1 > 16.
        Exhausted: the time is over.

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
    rows = len(forms) if rows is None else rows
    magnitudes, _ = common([*(abs(v) * t for v, t in zip(output, factors, strict=True)), abs(constant)])
    values = sorted({(g[0], *_values(forms, g)) for g in _all_generators(forms)})
    return _stable_choices(values, magnitudes, rows, budget), 2 ** (rows + len(forms) + 1)


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


def _stable_choices(values: list[tuple[int, ...]], magnitudes: list[int], rows: int, budget: Budget) -> int:
    """The count, from ``(s, a_1·y + b_1 s, ...)`` for each generator and the magnitudes ``(w_1, ..., c)``.

    The sets of weights and constant that may be positive are walked by their largest element: with a set all its
    subsets are good, because the condition on each generator only becomes weaker.
    """
    largest = [max(map(abs, column)) for column in zip(*values, strict=True)]
    # room and each cost are at most the bound, sums of costs twice that: below 2^61
    bound = max(sum(map(mul, [*largest[1:], largest[0]], magnitudes)), *magnitudes)
    table = np.array(values, dtype=np.int64 if bound < 1 << 60 else object)
    s, z = table[:, :1], table[:, 1:]
    w = np.array(magnitudes, dtype=table.dtype)
    found = 0
    for first, *rest in product((-1, 1), repeat=rows):
        budget.poll()
        flip = [first] * (len(w) - rows) + rest
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
            points = [tuple(v) if v[0] > 0 else negative(tuple(v)) for v in vertices.tolist()]
            return {reduced(g) for g in points} | {reduced((0, *d)) for v in lines for d in (v, negative(v))}
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


# ---- all magnitudes equal ---------------------------------------------------------------------------------------


MOST_LAYERS = 3000  # first layers, up to what does not matter


def rademacher_probability(
    n0: int, n1: int, sizes: Sequence[Any] = (1, 1, 1, 1), budget: Budget = UNLIMITED
) -> Fraction | None:
    """The probability that a neuron of layer 2 is stably unactivated if all parameters are -1 or 1, equally likely.

    Args:
        sizes: instead of 1: of the first layer's weights and biases, of the neuron's weights and its constant.
        budget: on time.

    Returns:
        None if more than 3000 first layers differ in a way that may matter.

    Raises:
        Exhausted: the time is over.

    Exact: yes. Method: a row (a_i, b_i) and its negative are one orbit; so the first layer is a multiset of n1 of the
    2^n0 rows with b_i = 1. Turning a coordinate of R^n0 round maps multisets to each other; one of each class is
    counted by :func:`stably_unactivated_orbit`, and weighs as many ordered layers as the class has.

    >>> rademacher_probability(2, 2)
    Fraction(1, 8)
    """
    if n1 > WIDEST or comb(2**n0 + n1 - 1, n1) > MOST_LAYERS << n0:
        return None
    classes: Counter[tuple[int, ...]] = Counter()
    for chosen in combinations_with_replacement(range(2**n0), n1):
        budget.poll()
        number = factorial(n1) // prod(factorial(k) for k in Counter(chosen).values())
        classes[min(tuple(sorted(row ^ shift for row in chosen)) for shift in chosen)] += number
    if len(classes) > MOST_LAYERS:
        return None
    weight, bias, output, constant = (rational(v) for v in sizes)
    total = 0
    for chosen, number in classes.items():
        rows = [[weight if row >> k & 1 else -weight for k in range(n0)] for row in chosen]
        total += number * stably_unactivated_orbit(rows, [bias] * n1, [output] * n1, constant, None, budget)[0]
    return Fraction(total, 2 ** (n0 * n1) * 2 ** (2 * n1 + 1))
