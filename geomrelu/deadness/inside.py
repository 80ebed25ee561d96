"""A bounded domain as a search sees it: a box around it, its rows in floats, and points that lie exactly inside.

Floats move points about; a point that is shown to the judge is rational, and is moved so far towards the centre (an
exact point of the relative interior) that it lies in the domain. Rows serve proofs as multipliers: `rows` has the
domain's own, and for each side of the box around it the combination of them that proves it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from math import ceil, floor, frexp, isfinite
from typing import Any

import numpy as np

from geomrelu.budget import Exhausted
from geomrelu.exact import linear_programs
from geomrelu.exact.boxed_programs import BoxedPrograms, pulled, value_at
from geomrelu.exact.numbers import common, nearest, nearest_float
from geomrelu.geometry.polyhedron import Polyhedron

__all__ = ["Inside", "has_few", "is_moderate", "is_searched", "too_many"]

Array = np.ndarray
Form = Sequence[Fraction]  # (b, a1, ..., an)
MOST_INPUTS = 64  # of a domain with rows: each side of the box around it takes an exact linear program
MOST_ROWS = 256
MOST_ENTRIES = 1 << 22  # of all rows that are seen in floats alone
ENCLOSED = 24  # with more inputs, a bounded box is taken as it is given
MOST_VERTICES = 512  # given as such
MANY = 2048  # points that are moved at once


def is_moderate(domain: Polyhedron) -> bool:
    """Are its rows or generators few enough for exact linear programs, one after the other?"""
    return has_few(domain) and (domain.given_by_generators or domain.dimension <= MOST_INPUTS)


def has_few(domain: Polyhedron) -> bool:
    """Are its rows or generators few? (Sides are no rows.)"""
    if domain.given_by_generators:
        return sum(map(len, domain.checked.generators)) <= MOST_VERTICES // 2
    return len(domain.rows) + 2 * len(domain.flats) <= MOST_ROWS


def too_many(domain: Polyhedron) -> str:
    """Why proofs are not sought on a domain."""
    if domain.given_by_generators:
        return "the domain has too many generators"
    if not has_few(domain):
        return "the domain has too many rows"
    return f"with more than {MOST_INPUTS} inputs a proof needs both sides of each of them"


def is_searched(domain: Polyhedron) -> bool:
    """Can points and bounds be sought on it? Bounded boxes always, with few rows too; other bounded domains of moderate
    size."""
    if domain.is_box:
        return domain.is_bounded
    if domain.given_by_generators:
        few = domain.dimension <= MOST_INPUTS and len(domain.checked.generators[0]) <= MOST_VERTICES
        return few and domain.is_bounded
    if not domain.checked.is_bounded_box():
        return has_few(domain) and domain.dimension <= MOST_INPUTS and domain.is_bounded
    given = len(domain.rows) + 2 * len(domain.flats)
    return has_few(domain) or (domain.dimension > ENCLOSED and given * domain.dimension <= MOST_ENTRIES)


class Inside:
    """A nonempty domain that is bounded, or a box (an infinite side of it is moved in, as a search needs).

    Attributes:
        lower, upper: the sides of the box around it, exact; low, high: the same in floats.
        root: the box in floats that a proof begins with (a side that the domain lacks is beyond a cut).
        missing: the cuts, ``(j, sign, place)``, at the sides that the domain lacks, just outside.
        vertices: (count, n), if the domain is given so, else None.

    Cost: given by rows, two exact linear programs for each input and each row.
    """

    def __init__(self, domain: Polyhedron) -> None:
        self.domain, self.n = domain, domain.dimension
        self.vertices: Array | None = None
        self._extremes: list[tuple[Fraction, ...]] = []
        self._proofs: list[tuple[int, int, dict[int, Fraction], dict[int, Fraction]]] = []
        if domain.is_box:
            self.lower, self.upper = _moved_in(domain)
        elif domain.given_by_generators:
            given = domain.checked.generators[0]
            columns = list(zip(*given, strict=True))
            self.lower, self.upper = list(map(min, columns)), list(map(max, columns))
            self.vertices = np.array([nearest(*common(v)) for v in given])
        else:
            self._enclose()
        self.low, self.high = nearest(*common(self.lower)), nearest(*common(self.upper))
        self.missing: list[tuple[int, int, float]] = []
        self.root = self.low, self.high
        if self.has_rows:
            self._open()

    def _open(self) -> None:
        """The box that a proof begins with: that of the domain, its missing sides beyond the places of cuts."""
        low, high = [], []
        given = zip(
            self.domain.checked.lower, self.domain.checked.upper, self.low.tolist(), self.high.tolist(), strict=True
        )
        for j, (least, most, start, end) in enumerate(given):
            margin = 2.0 ** (frexp(max(end - start, 1e-9 * (abs(start) + abs(end)), 1e-300))[1] - 8)
            if least is None:
                self.missing.append((j, -1, (floor(start / margin) - 1) * margin))
            if most is None:
                self.missing.append((j, 1, (ceil(end / margin) + 1) * margin))
            low.append(start - 4 * margin if least is None else least)
            high.append(end + 4 * margin if most is None else most)
        self.root = nearest(*common(map(Fraction, low))), nearest(*common(map(Fraction, high)))

    def proof(self, j: int, sign: int) -> tuple[dict[int, Fraction], dict[int, Fraction]]:
        """The multipliers of rows and of equalities that prove a side of the box around."""
        return next((own, flats) for i, s, own, flats in self._proofs if (i, s) == (j, sign))

    @property
    def has_rows(self) -> bool:
        return not (self.domain.is_box or self.domain.given_by_generators)

    def _enclose(self) -> None:
        """The box around a domain given by rows, by linear programs; their multipliers prove its sides."""
        domain = self.domain
        if self.n > ENCLOSED and domain.checked.is_bounded_box():
            self.lower, self.upper = (
                [v or Fraction(0) for v in side] for side in (domain.checked.lower, domain.checked.upper)
            )
            return
        self.lower, self.upper, first = [Fraction(0)] * self.n, [Fraction(0)] * self.n, len(domain.sides)
        for j in range(self.n):
            for sign in (-1, 1):
                unit = tuple(sign * int(k == j + 1) for k in range(self.n + 1))
                best = linear_programs.maximise(unit, domain.inequalities, domain.equalities)
                assert best.value is not None and best.point is not None and best.multipliers is not None
                (self.upper if sign > 0 else self.lower)[j] = sign * best.value
                self._extremes.append(best.point)
                below, above = best.multipliers
                own = {i - first: m for i, m in below.items() if i >= first}
                if own or above:
                    self._proofs.append((j, sign, own, above))

    # ---- rows -------------------------------------------------------------------------------------------------

    @cached_property
    def combinations(self) -> list[tuple[dict[int, Fraction], dict[int, Fraction]]]:
        """What stands behind each of `rows`: multipliers of the domain's rows and of its equalities."""
        found = list[tuple[dict[int, Fraction], dict[int, Fraction]]]()
        for k, size in enumerate(self._sizes[: len(self.domain.rows)]):
            found.append(({k: 1 / size}, {}))
        for k, size in enumerate(self._sizes[len(self.domain.rows) :]):
            found += [({}, {k: 1 / size}), ({}, {k: -1 / size})]
        return found + [(own, flats) for _, _, own, flats in self._proofs]

    @cached_property
    def own(self) -> int:
        """So many of `rows`, from the first, are the domain's own."""
        return len(self.domain.rows) + 2 * len(self.domain.flats)

    @cached_property
    def _sizes(self) -> list[Fraction]:
        """By how much each row and equality varies on the box; 1 if it does not."""
        widths = [high - low for low, high in zip(self.lower, self.upper, strict=True)]
        rows = (*self.domain.rows, *self.domain.flats)
        return [
            sum((abs(a) * w for a, w in zip(row[1:], widths, strict=True)), Fraction(0)) or Fraction(1) for row in rows
        ]

    @cached_property
    def rows(self) -> Array:
        """Rows ``b + a.x >= 0`` (count, n + 1): the domain's (equalities both ways) and those of the box's sides."""
        found: list[list[Fraction]] = []
        domain = self.domain
        for row, size in zip(domain.rows, self._sizes, strict=False):
            found.append([v / size for v in row])
        for row, size in zip(domain.flats, self._sizes[len(domain.rows) :], strict=True):
            found += [[v / size for v in row], [-v / size for v in row]]
        for j, sign, _, _ in self._proofs:
            side = [Fraction(0)] * (self.n + 1)
            side[0], side[j + 1] = sign * (self.upper if sign > 0 else self.lower)[j], Fraction(-sign)
            found.append(side)
        return np.array([nearest(*common(row)) for row in found]).reshape(len(found), self.n + 1)

    def multipliers(self, factors: Iterable[tuple[int, Fraction]]) -> dict[str, dict[str, str]]:
        """What a leaf says, if `rows` have these factors."""
        rows, flats = dict[int, Fraction](), dict[int, Fraction]()
        for k, factor in factors:
            for total, part in zip((rows, flats), self.combinations[k], strict=True):
                for i, m in part.items():
                    total[i] = total.get(i, Fraction(0)) + factor * m
        tables = (("rows", rows), ("equalities", flats))
        return {name: {str(i): str(m) for i, m in sorted(t.items()) if m} for name, t in tables if any(t.values())}

    # ---- points -----------------------------------------------------------------------------------------------

    @cached_property
    def _hull(self) -> tuple[list[tuple[int, ...]], list[tuple[Fraction, ...]]]:
        """The equalities of its affine hull, those in disguise among them, and points, of which no other rows are 0 at
        all of them."""
        if self.n > ENCLOSED and self.domain.checked.is_bounded_box():
            return list(self.domain.flats), [self._found()]
        inequalities, equalities = self.domain.inequalities, self.domain.equalities
        found, points = list(self.domain.flats), list(dict.fromkeys(self._extremes))
        for row in inequalities:
            if all(value_at(row, point) == 0 for point in points):
                best = linear_programs.maximise(row, inequalities, equalities)
                assert best.point is not None
                if best.value == 0:
                    found.append(row)
                points.append(best.point)
        return found, points

    def _found(self) -> tuple[Fraction, ...]:
        """A point of a bounded box with rows, inside if one is found.

        Else equalities in disguise are not known as such, and other points may have to be moved onto this one.
        """
        domain = self.domain
        programs = domain.boxed or BoxedPrograms(domain.checked.lower, domain.checked.upper, domain.rows, domain.flats)
        point = programs.inside
        if point is None:
            lowest = programs.deepest()
            if lowest is None or lowest.value < 0:
                raise Exhausted("no point of the domain was found")
            point = lowest.point[:-1]
        return point

    @cached_property
    def centre(self) -> tuple[Fraction, ...]:
        """A point of the relative interior: a mean of extreme points, rounded if it may be."""
        if self.domain.is_box:
            return tuple((low + high) / 2 for low, high in zip(self.lower, self.upper, strict=True))
        points = self.domain.checked.generators[0] if self.domain.given_by_generators else self._hull[1]
        mean = tuple(sum(c, Fraction(0)) / len(points) for c in zip(*points, strict=True))
        if self.domain.given_by_generators:
            return mean
        inner = [v > 0 for v in self._slacks(mean)]
        for bits in (8, 16, 32):
            rounded = []
            for x, low, high in zip(mean, self.lower, self.upper, strict=True):
                unit = Fraction(2) ** (int(high - low).bit_length() - int(1 / (high - low or 1)).bit_length() - bits)
                rounded.append(unit * round(x / unit))
            near = self._on_hull(rounded)
            if all(v > 0 if strict else v == 0 for v, strict in zip(self._slacks(near), inner, strict=True)):
                return tuple(near)
        return mean

    def _slacks(self, point: Sequence[Fraction]) -> Iterator[Fraction]:
        """How far it is within the sides of the domain, and the values of its rows."""
        for x, low, high in zip(point, self.domain.checked.lower, self.domain.checked.upper, strict=True):
            if low is not None:
                yield x - low
            if high is not None:
                yield high - x
        yield from (value_at(row, point) for row in self.domain.rows)

    @cached_property
    def _left(self) -> list[tuple[int, ...]]:
        """What a point within all sides may lack once it is moved onto the hull: rows, and sides of what has moved."""
        moved = {j for j, _ in self._solved}
        sides = [row for row in self.domain.sides if any(row[j + 1] for j in moved)] if moved else []
        return [*sides, *self.domain.rows]

    def _on_hull(self, point: list[Fraction]) -> list[Fraction]:
        """The point of the affine hull with the same free coordinates."""
        for j, form in self._solved:
            point[j] = value_at(form, point)
        return point

    @cached_property
    def _solved(self) -> list[tuple[int, list[Fraction]]]:
        """The equalities solved for some coordinates: ``(j, (b, a...))``, x_j = b + a.x with a of the others only."""
        rows = [[Fraction(v) for v in row] for row in self._hull[0]]
        found: list[tuple[int, list[Fraction]]] = []
        for row in rows:
            for j, form in found:
                if row[j + 1]:
                    factor, row[j + 1] = row[j + 1], Fraction(0)
                    row = [a + factor * b for a, b in zip(row, form, strict=True)]
            pivot = max(range(self.n), key=lambda j: abs(row[j + 1]))
            if not row[pivot + 1]:
                continue
            own = [-v / row[pivot + 1] for v in row]
            own[pivot + 1] = Fraction(0)
            for k, (j, form) in enumerate(found):
                if form[pivot + 1]:
                    factor = form[pivot + 1]
                    form = [a + factor * b for a, b in zip(form, own, strict=True)]
                    form[pivot + 1] = Fraction(0)
                    found[k] = j, form
            found.append((pivot, own))
        return found

    def exact(self, point: Iterable[Any]) -> tuple[Fraction, ...] | None:
        """An exact point of the domain near a point in floats (or exact already); None if they have overflowed."""
        point = list(point)
        if not all(isinstance(x, Fraction) or isfinite(x) for x in point):
            return None
        if self.domain.given_by_generators:
            weights = self.weights(point)
            return None if weights is None else self._mean(weights)
        inside = []
        for v, low, high in zip(
            map(Fraction, point), self.domain.checked.lower, self.domain.checked.upper, strict=True
        ):
            right = v if low is None else max(v, low)
            inside.append(right if high is None else min(right, high))
        if self.domain.is_box:
            return tuple(inside)
        return pulled(self._on_hull(inside), self.centre, self._left)

    def weights(self, point: Sequence[Any]) -> list[Fraction] | None:
        """Exact convex weights of the given vertices whose mean is near a point."""
        from scipy.optimize import nnls  # start-up time

        assert self.vertices is not None
        span = np.maximum(self.high - self.low, 1e-300)
        table = np.vstack([((self.vertices - self.low) / span).T, np.full(len(self.vertices), 8.0)])
        target = [*((np.clip([nearest_float(x) for x in point], self.low, self.high) - self.low) / span), 8.0]
        try:
            found = nnls(table, np.array(target))[0]
        except (RuntimeError, ValueError):  # too many steps, or beyond the floats
            return None
        sizes = [Fraction(int(w * (1 << 48))) for w in found.tolist()]
        total = sum(sizes)
        return [w / total for w in sizes] if total else None

    def _mean(self, weights: Sequence[Fraction]) -> tuple[Fraction, ...]:
        vertices = self.domain.checked.generators[0]
        pairs = [(w, v) for w, v in zip(weights, vertices, strict=True) if w]
        return tuple(sum((w * v[j] for w, v in pairs), Fraction(0)) for j in range(self.n))

    # ---- points in floats -------------------------------------------------------------------------------------

    @cached_property
    def _tables(self) -> tuple[Array, Array, Array, Array | None]:
        """The centre, own rows, their values at the centre, and the projection onto the directions of the hull.

        None of the latter where the hull is the whole space.
        """
        centre, rows = nearest(*common(self.centre)), self.rows[: len(self.domain.rows)]
        directions = None
        if self._hull[0]:
            flat = np.array([nearest(*common([Fraction(v) for v in row[1:]])) for row in self._hull[0]])
            flat /= np.linalg.norm(flat, axis=1, keepdims=True)
            _, sizes, turned = np.linalg.svd(flat)
            kernel = turned[int((sizes > 1e-9 * sizes.max(initial=0)).sum()) :]
            directions = kernel.T @ kernel
        return centre, rows, rows[:, 0] + rows[:, 1:] @ centre, directions

    def moved_in(self, points: Array) -> Array:
        """Points (count, n) of floats, those outside moved towards the centre until they are inside."""
        if self.has_rows and len(points) > MANY:  # in parts, for the sake of memory
            return np.concatenate([self.moved_in(points[k : k + MANY]) for k in range(0, len(points), MANY)])
        points = np.clip(points, self.low, self.high)
        if not self.has_rows:
            return points
        centre, rows, middle, directions = self._tables
        steps = points - centre if directions is None else (points - centre) @ directions
        with np.errstate(all="ignore"):
            room = np.where(
                steps > 0, (self.high - centre) / steps, np.where(steps < 0, (self.low - centre) / steps, np.inf)
            )
            longest = np.nanmin(room, axis=1)
            falls = steps @ rows[:, 1:].T
            longest = np.minimum(longest, np.where(falls < 0, -middle / falls, np.inf).min(axis=1, initial=np.inf))
        return centre + steps * np.clip(np.nan_to_num(longest), 0, 1)[:, None]

    def stepped(self, points: Array, slopes: Array, shares: Array) -> Array:
        """Points (count, n) moved uphill, by these shares of the box; between vertices towards the highest one."""
        if self.vertices is not None:
            highest = self.vertices[np.argmax(slopes @ self.vertices.T, axis=1)]
            return points + shares[:, :1] * (highest - points)
        return self.moved_in(points + shares * (self.high - self.low) * np.sign(slopes))

    def sampled(self, random: Any, count: int) -> Array:
        """Points (count, n) of floats: in a box random points and corners, else mostly near extreme points."""
        if self.vertices is not None:
            return self._mixed(random, self.vertices, count)
        share = random.random((count, self.n))
        share[::2] = share[::2] > 0.5
        share[0] = 0.5
        points = self.low + share * (self.high - self.low)
        if not self.has_rows:
            return points
        extremes = np.array([nearest(*common(v)) for v in self._hull[1]])
        found = self.moved_in(points)
        found[0] = self._tables[0]
        found[1::4] = self._mixed(random, np.vstack([extremes, self._tables[0]]), len(found[1::4]))
        return found

    def _mixed(self, random: Any, points: Array, count: int) -> Array:
        """Means of some points, many of them near a single one."""
        weights = random.standard_exponential((count, len(points))) ** random.integers(1, 6, (count, 1))
        some = min(count - 1, len(points))
        weights[1 : 1 + some] = np.eye(len(points))[:some]
        weights[0] = 1
        return weights @ points / weights.sum(axis=1, keepdims=True)


def _moved_in(box: Polyhedron) -> tuple[list[Fraction], list[Fraction]]:
    """The sides of a box, an infinite one at a distance where witnesses are likely."""
    lower, upper = [], []
    for low, high in zip(box.checked.lower, box.checked.upper, strict=True):
        far = 100 + abs(low or Fraction(0)) + abs(high or Fraction(0))
        lower.append(low if low is not None else (high or Fraction(0)) - far)
        upper.append(high if high is not None else (low or Fraction(0)) + far)
    return lower, upper
