"""Exact geometry of the plane: convex polygons cut by lines, and the view, the rectangle that a picture shows.

A point is a tuple of rationals, a line the zero set of a row ``(b, a1, a2)``, meaning b + a·x = 0, and a convex
polygon the list of its corners, anticlockwise. Clipping (:func:`within`, :func:`regions_in`, :func:`chord`) goes by the
signs of a row at the corners, which are homogeneous integers meanwhile. :func:`plane_view` chooses a view that shows
all there is to see, with a margin: the vertices of a bounded domain, else every crossing (:func:`landmarks`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import combinations
from math import gcd
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.cddlib import Row
from geomrelu.exact.numbers import primitive, rational
from geomrelu.geometry.polyhedron import Polyhedron

Point = tuple[Fraction, ...]
Signs = tuple[int, ...]
View = tuple[tuple[Fraction, Fraction], tuple[Fraction, Fraction]]
_Corners = list[Row]  # of a convex polygon, as homogeneous integers (s, y): the point y/s, s > 0


def value_at(row: Row, point: Point) -> Fraction:
    """b + a·x, in any dimension."""
    return sum((a * x for a, x in zip(row[1:], point, strict=True)), Fraction(row[0]))


def in_order(vertices: Sequence[Point]) -> list[Point]:
    """The vertices of a convex polygon in order, exactly (the monotone chain)."""
    points = sorted(vertices)
    chains: list[list[Point]] = []
    for ordered in (points, points[::-1]):
        chain: list[Point] = []
        for p in ordered:
            while len(chain) > 1:
                (a, b), (c, d) = chain[-2], chain[-1]
                if (c - a) * (p[1] - b) - (d - b) * (p[0] - a) > 0:
                    break
                chain.pop()
            chain.append(p)
        chains.append(chain[:-1])
    return chains[0] + chains[1]


# ---- clipping --------------------------------------------------------------------------------------------------------


def corners(view: View) -> list[Point]:
    """Of a view, anticlockwise from the lower left."""
    (x0, x1), (y0, y1) = view
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def within(polygon: Sequence[Point], rows: Iterable[Row]) -> list[Point]:
    """The part of a convex polygon where all forms are >= 0."""
    found = [primitive((1, *p)) for p in polygon]
    for row in rows:
        found = _halves(found, row)[0] if found else []
    return _points(found)


def regions_in(polygon: Sequence[Point], rows: Sequence[Row]) -> list[tuple[Signs, list[Point]]]:
    """The regions of an arrangement inside a convex polygon: ``(sign vector, polygon)``, + before −."""
    whole = [primitive((1, *p)) for p in polygon]
    found: list[tuple[Signs, _Corners]] = [((), whole)] if whole else []
    for row in rows:
        if any(row[1:]):
            halves = [(signs, _halves(part, row)) for signs, part in found]
            found = [
                ((*signs, s), half) for signs, both in halves for s, half in zip((1, -1), both, strict=True) if half
            ]
        else:
            found = [((*signs, (row[0] > 0) - (row[0] < 0)), part) for signs, part in found]
    return [(signs, _points(part)) for signs, part in found]


def chord(polygon: Sequence[Point], row: Row) -> tuple[Point, Point] | None:
    """The two ends of a line inside a convex polygon, if it passes through the interior or along a side."""
    met: list[Point] = []
    values = [value_at(row, p) for p in polygon]
    for k, (p, v) in enumerate(zip(polygon, values, strict=True)):
        q, w = polygon[k - len(polygon) + 1], values[k - len(polygon) + 1]
        if v == 0:
            met.append(p)
        elif v * w < 0:
            t = v / (v - w)
            met.append(tuple(x + t * (y - x) for x, y in zip(p, q, strict=True)))
    return (min(met), max(met)) if len(set(met)) > 1 else None


def _halves(polygon: _Corners, row: Row) -> tuple[_Corners, _Corners]:
    """The parts of a convex polygon where a form is >= 0 and <= 0; empty without an interior (Sutherland, Hodgman)."""
    b, p, q = row
    values = [b * s + p * x + q * y for s, x, y in polygon]
    if min(values) >= 0:
        return polygon, []
    if max(values) <= 0:
        return [], polygon
    above: _Corners = []
    below: _Corners = []
    for k, (corner, v) in enumerate(zip(polygon, values, strict=True)):
        if v >= 0:
            above.append(corner)
        if v <= 0:
            below.append(corner)
        w = values[k - len(polygon) + 1]
        if (v < 0 < w) or (w < 0 < v):
            met = _meeting(corner, v, polygon[k - len(polygon) + 1], w)
            above.append(met)
            below.append(met)
    return above, below


def _meeting(p: Row, v: int, q: Row, w: int) -> Row:
    """Where the segment from p to q meets a line on which the form has the value 0; it is v at p, w at q."""
    v, w = abs(v), abs(w)
    row = [w * x + v * y for x, y in zip(p, q, strict=True)]
    divisor = gcd(*row)
    return tuple(x // divisor for x in row)


def _points(polygon: _Corners) -> list[Point]:
    return [(Fraction(x, s), Fraction(y, s)) for s, x, y in polygon]


# ---- views -----------------------------------------------------------------------------------------------------------


def domain_of(holder: Any, dimension: int) -> Polyhedron:
    """The domain of an arrangement or a complex; all of R^n if it has none."""
    domain = getattr(holder, "domain", None)
    if domain is None:
        return Polyhedron.space(dimension)
    if domain.affine_dimension < dimension:
        raise InputError(f"the domain has no interior in R^{dimension}, so it cannot be drawn")
    return domain


def plane_view(view: Any, rows: Sequence[Row], domain: Polyhedron) -> View:
    """The view that was asked for, or else one that shows every vertex."""
    if view is not None:
        x, y = read_view(view, 2)
        return x, y
    if domain.is_bounded:
        return around(domain.vertices, Fraction(1, 25))
    return around(landmarks(rows, domain), Fraction(3, 10))


def read_view(view: Any, n: int) -> list[tuple[Fraction, Fraction]]:
    """The sides of a view; on a line one pair will do."""
    form = "a view is (x0, x1), (y0, y1)" if n == 2 else "a view of a line is (x0, x1)"
    if not _is_list(view):
        raise InputError(form)
    sides = [view] if n == 1 and not any(_is_list(side) for side in view) else view
    if len(sides) != n or not all(_is_list(side) and len(side) == 2 for side in sides):
        raise InputError(form)
    exact = [(rational(low, "view"), rational(high, "view")) for low, high in sides]
    if any(low >= high for low, high in exact):
        raise InputError("the view is empty: each of its sides must have low < high")
    return exact


def _is_list(value: Any) -> bool:
    return isinstance(value, (tuple, list, np.ndarray))


def distinct_lines(rows: Sequence[Row]) -> dict[Row, list[int]]:
    """The distinct hyperplanes of the rows: their primitive row, first slope positive, and which rows they are."""
    found: dict[Row, list[int]] = {}
    for i, row in enumerate(rows):
        if any(row[1:]):
            lead = next(a for a in row[1:] if a)
            found.setdefault(primitive([v if lead > 0 else -v for v in row]), []).append(i)
    return found


def landmarks(rows: Sequence[Row], domain: Polyhedron) -> list[Point]:
    """Points of the domain that touch every region: crossings of lines, of its sides too; or feet of parallels."""
    lines = list(distinct_lines([*rows, *domain.inequalities]))
    crossings = set()
    for (b, p, q), (c, r, s) in combinations(lines, 2):
        det = p * s - q * r
        if det:
            crossings.add((Fraction(q * c - b * s, det), Fraction(b * r - p * c, det)))
    feet = [(Fraction(-b * p, p * p + q * q), Fraction(-b * q, p * p + q * q)) for b, p, q in lines]
    for points in (crossings, feet):
        if found := [x for x in points if domain.contains(x)]:
            return sorted(found)
    return [domain.interior_point()]


def around(points: Sequence[Point], margin: Fraction) -> View:
    """A view of all points with a margin; both scales alike unless one side would be too thin to see."""
    lows, highs = ([f(c) for c in zip(*points, strict=True)] for f in (min, max))
    extents = [high - low for low, high in zip(lows, highs, strict=True)]
    widest = max(extents) or Fraction(2)
    sides = []
    for low, high, extent in zip(lows, highs, extents, strict=True):
        room = extent if 12 * extent >= widest else Fraction(0)
        shown = max(room, widest * 3 / 5) if room or not extent else extent
        grow = (shown - extent) / 2 + shown * margin
        sides.append((low - grow, high + grow))
    return sides[0], sides[1]
