"""Convex polyhedra with rational data, by rows (H) or generators (V), and finite sets of points.

A :class:`Polyhedron` is an immutable value. It keeps the description it was given (in the checker's canonical form,
so that certificates bind to it) and computes the other one when asked. Boxes of any dimension stay boxes: nothing
here enumerates their corners unless generators are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import comb, isinf
from typing import Any

from geomrelu import checker
from geomrelu.arguments import instance, integer, several
from geomrelu.budget import UNLIMITED, Budget
from geomrelu.errors import InputError
from geomrelu.exact import cddlib, linear_programs
from geomrelu.exact.affine import AffineForm, AffineMap
from geomrelu.exact.boxed_programs import BoxedPrograms
from geomrelu.exact.cddlib import Row
from geomrelu.exact.elimination import rank
from geomrelu.exact.guided_programs import is_large
from geomrelu.exact.numbers import common, long_numbers, primitive, rational, rationals
from geomrelu.geometry.finite_set import FiniteSet, Point
from geomrelu.parallel import apart

__all__ = ["FiniteSet", "Point", "Polyhedron", "Supremum"]

MOST_SHOWN = 6  # sides of a box in a repr
FEW_GENERATORS = 1000  # whose mean is a point as good as any; that of more has very long coordinates


@dataclass(frozen=True)
class Supremum:
    """The supremum of an affine form on a nonempty set, with its reason.

    Attributes:
        value: the supremum (attained), or None if it is infinite.
        point: a point of the set, the maximiser if there is one.
        ray: if the supremum is infinite, a direction of the recession cone along which the form grows.
        rows, equalities: multipliers of the rows :attr:`Polyhedron.rows` and :attr:`Polyhedron.flats` (H only):
            with them the form is at most ``value`` on the box alone.
    """

    value: Fraction | None
    point: Point
    ray: Point | None = None
    rows: tuple[tuple[int, Fraction], ...] = ()
    equalities: tuple[tuple[int, Fraction], ...] = ()


@dataclass(frozen=True, eq=False)
class Polyhedron:
    """``{x in R^n : b + a·x >= 0 for all rows, = 0 for all equalities}`` or the hull of vertices, rays and lines.

    ``==`` compares data, :meth:`same_set` compares sets. Make one with the constructors below; ``checked`` is the
    canonical form shared with the checker.

    Exact: yes. Cost: the other description by double description (exponential in the dimension at worst); boxes need
    none; one exact linear program where a method says so.

    >>> square = Polyhedron.box([(-1, 1)] * 2)
    >>> len(square.vertices), square.supremum(AffineForm.of(0, [1, 2])).value
    (4, Fraction(3, 1))
    """

    checked: checker.Domain

    def __post_init__(self) -> None:
        if not isinstance(self.checked, checker.Domain):
            raise InputError("a polyhedron is made by Polyhedron.box, .from_rows, .from_generators or .space")

    # ---- making one -------------------------------------------------------------------------------------------

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Polyhedron:
        """From the dictionary of the JSON grammar (see :mod:`geomrelu.io`).

        Args:
            data: "dimension", and "box", "inequalities" and "equalities", or "vertices", "rays" and "lines".

        Raises:
            InputError: malformed.
        """
        try:
            domain = checker.Domain.parse(data)
        except checker.Rejected as problem:
            raise InputError(str(problem)) from None
        return cls(domain)

    @classmethod
    def from_rows(
        cls, inequalities: Sequence[Any] = (), equalities: Sequence[Any] = (), dimension: int = 0
    ) -> Polyhedron:
        """The points with b + a·x >= 0 for all inequalities, and = 0 for all equalities.

        Args:
            inequalities, equalities: rows ``[b, a1, ..., an]`` of any numbers that
                :func:`~geomrelu.exact.numbers.rational` takes.
            dimension: n; may be left out if there is a row.

        Raises:
            InputError: not numbers, or rows of different lengths.
        """
        rows, flats = _table(inequalities, "inequality"), _table(equalities, "equality")
        sizes = {len(r) - 1 for r in (*rows, *flats)} | {n for n in [integer(dimension, "the dimension")] if n}
        if len(sizes) != 1 or min(sizes) < 1:
            raise InputError("the rows of a polyhedron must all have one constant and n >= 1 coefficients")
        return cls(checker.Domain.from_rows(sizes.pop(), rows, flats))

    @classmethod
    def from_generators(
        cls, vertices: Sequence[Any], rays: Sequence[Any] = (), lines: Sequence[Any] = ()
    ) -> Polyhedron:
        """The convex hull of points, plus nonnegative multiples of rays, plus all multiples of lines.

        Args:
            vertices, rays, lines: vectors of length n; at least one vertex.

        Raises:
            InputError: not numbers, no vertex, or different dimensions.
        """
        tables = [_table(vertices, "vertex"), _table(rays, "ray"), _table(lines, "line")]
        sizes = {len(g) for t in tables for g in t}
        if not tables[0] or len(sizes) != 1 or min(sizes) < 1:
            raise InputError("generators need at least one vertex, and all the same dimension n >= 1")
        return cls(checker.Domain.from_generators(sizes.pop(), *tables))

    @classmethod
    def box(cls, sides: Sequence[tuple[Any, Any]]) -> Polyhedron:
        """``low <= x_j <= high`` for each coordinate.

        Args:
            sides: a pair (low, high) for each coordinate; None for no bound.

        Raises:
            InputError: not pairs of numbers, or none.
        """
        exact = [_side(side, f"side {j}") for j, side in enumerate(several(sides, "a box", "sides (low, high)"))]
        if not exact:
            raise InputError("a box needs at least one side")
        return cls(checker.Domain.from_rows(len(exact), box=exact))

    @classmethod
    def space(cls, dimension: int) -> Polyhedron:
        """R^n, n the ``dimension``."""
        return cls.box([(None, None)] * integer(dimension, "the dimension", 1))

    @classmethod
    def orthant(cls, dimension: int) -> Polyhedron:
        """R^n_+, n the ``dimension``."""
        return cls.box([(0, None)] * integer(dimension, "the dimension", 1))

    @classmethod
    def simplex(cls, dimension: int) -> Polyhedron:
        """``x >= 0, sum x <= 1`` in R^n, n the ``dimension``."""
        integer(dimension, "the dimension", 1)
        unit = [[0, *(int(i == j) for j in range(dimension))] for i in range(dimension)]
        return cls.from_rows([*unit, [1, *[-1] * dimension]])

    # ---- its two descriptions ---------------------------------------------------------------------------------

    @property
    def dimension(self) -> int:
        """n of the space R^n around it."""
        return int(self.checked.dimension)

    @property
    def given_by_generators(self) -> bool:
        """Was it made from vertices, rays and lines?"""
        return self.checked.generators is not None

    @property
    def is_box(self) -> bool:
        """Given by bounds on single coordinates only (possibly none)."""
        return not (self.given_by_generators or self.checked.rows or self.checked.equalities)

    @property
    def rows(self) -> list[Row]:
        """The canonical inequality rows that are not sides of the box (given by rows only)."""
        return list(self.checked.rows)

    @property
    def flats(self) -> list[Row]:
        """The canonical equality rows (given by rows only)."""
        return list(self.checked.equalities)

    @cached_property
    def sides(self) -> tuple[Row, ...]:
        """The sides of the box as rows, for coordinate 0 low, high, coordinate 1 ..."""
        found = []
        for j, (low, high) in enumerate(self._ends):
            for bound, sign in ((low, 1), (high, -1)):
                if bound is not None:
                    row = [0] * (self.dimension + 1)
                    row[0], row[j + 1] = -sign * bound.numerator, sign * bound.denominator
                    found.append(tuple(row))
        return tuple(found)

    @cached_property
    def inequalities(self) -> tuple[Row, ...]:
        """All rows ``(b, a1, ..., an)`` with ``b + a·x >= 0``, primitive integers."""
        return tuple(self._h[0])

    @cached_property
    def equalities(self) -> tuple[Row, ...]:
        """All rows with ``b + a·x = 0``; a coordinate that rows fix has two :attr:`sides` instead."""
        return tuple(self._h[1] if self.given_by_generators else self.flats)

    @cached_property
    def _h(self) -> tuple[list[Row], list[Row]]:
        if not self.given_by_generators:
            return [*self.sides, *self.rows], self.flats
        inequalities, equalities = cddlib.facets(*self._v)
        return [r for r in inequalities if any(r[1:])], equalities

    @cached_property
    def _v(self) -> tuple[list[Row], list[Row]]:
        """Homogeneous generators ``(s, y)`` (vertices first) and lines ``(0, y)``."""
        if self.given_by_generators:
            vertices, rays, lines = self.checked.generators
            points = [primitive((1, *v)) for v in vertices]
            return points + [(0, *r) for r in rays], [(0, *r) for r in lines]
        return ([], []) if self.is_empty else self._extreme()

    def convert(self, budget: Budget) -> None:
        """Have the other description made within a ``budget``; a large one by a process that is ended when that is."""
        name = "_h" if self.given_by_generators else "_v"
        if not (budget.left is None or self.is_box or name in vars(self) or self.likely_generators <= FEW_GENERATORS):
            self.__dict__[name] = apart(budget, getattr, self, name)

    def _extreme(self) -> tuple[list[Row], list[Row]]:
        """Irredundant generators of a nonempty polyhedron, from its rows."""
        if self.given_by_generators:
            return cddlib.extreme(self._v[0], [(1, *[0] * self.dimension), *self.inequalities], self.equalities)
        if self.is_box:
            return cddlib.of_box(self._ends)
        found, lines = cddlib.generators(*self._h, self.dimension)
        points = [g for g in found if g[0]]
        if not points:  # a cone: cddlib leaves out its apex, the origin
            points = [(1, *[0] * self.dimension)]
        return points + [g for g in found if not g[0]], lines

    def _feasible(self) -> Point:
        point = linear_programs.maximise((0,) * (self.dimension + 1), *self._h).point
        if point is None:
            raise InputError("the polyhedron is empty")
        return point

    @cached_property
    def generators(self) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
        """``(vertices and rays, lines)`` as homogeneous integers ``(s, y)``: the vertex y/s for s > 0, else a ray."""
        points, lines = self._v
        return tuple(points), tuple(lines)

    @property
    def likely_generators(self) -> int:
        """How many rows or generators the other description can have at most (McMullen's upper bound theorem)."""
        n = self.dimension
        if self.given_by_generators:
            given = len(self._v[0])
        else:  # counted, not written out: a box of many sides has long rows
            given = len(self.checked.rows) + sum(end is not None for ends in self._ends for end in ends)
        if given <= n:
            return given + 1
        return comb(given - (n + 1) // 2, given - n) + comb(given - (n + 2) // 2, given - n)

    @cached_property
    def extreme_generators(self) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
        """As :attr:`generators`, but irredundant also if generators were given."""
        points, lines = self._extreme() if self.given_by_generators else self._v
        return tuple(points), tuple(lines)

    @property
    def vertices(self) -> tuple[Point, ...]:
        """Points of V (the vertices, when there is no line; as given, if generators were given)."""
        return tuple(tuple(Fraction(v, g[0]) for v in g[1:]) for g in self._v[0] if g[0])

    @property
    def rays(self) -> tuple[Row, ...]:
        """Rays of V, primitive integers."""
        return tuple(g[1:] for g in self._v[0] if not g[0])

    @property
    def lines(self) -> tuple[Row, ...]:
        """A basis of the lineality space, primitive integers."""
        return tuple(g[1:] for g in self._v[1])

    def irredundant(self, budget: Budget = UNLIMITED, trial: Budget = UNLIMITED) -> Polyhedron:
        """The same set by its facets and independent equalities, within a budget; when the trial ends, what is not yet
        looked at stays. Cost: two LPs a row, none if generators are given."""
        inequalities, equalities = self._h
        if self.given_by_generators:
            return Polyhedron.from_rows(inequalities, equalities, dimension=self.dimension)
        self._feasible()
        kept, implicit = linear_programs.irredundant(inequalities, equalities, budget.poll, lambda: trial.ended)
        flats: list[Row] = []
        for row in (*equalities, *(inequalities[i] for i in implicit)):
            if rank([*flats, row]) > len(flats):
                flats.append(row)
        return Polyhedron.from_rows([inequalities[i] for i in kept], flats, dimension=self.dimension)

    # ---- what it is -------------------------------------------------------------------------------------------

    @property
    def _ends(self) -> list[tuple[Fraction | None, Fraction | None]]:
        """The least and the largest value that sides give each coordinate."""
        return list(zip(self.checked.lower, self.checked.upper, strict=True))

    @cached_property
    def is_empty(self) -> bool:
        """Exact: by comparison for a box, by one linear program otherwise."""
        if self.given_by_generators:
            return False
        if any(low is not None and high is not None and low > high for low, high in self._ends):
            return True
        if self.is_box:
            return False
        if self.boxed is not None and (known := self.boxed.is_empty()) is not None:
            return known
        return linear_programs.maximise((0,) * (self.dimension + 1), *self._h).point is None

    @cached_property
    def boxed(self) -> BoxedPrograms | None:
        """Linear programs in which sides are no rows, if it is given by rows in many dimensions."""
        given = len(self.rows) + len(self.flats)
        sides = sum(end is not None for ends in self._ends for end in ends)
        if self.given_by_generators or not given or not is_large(sides + given, self.dimension + 1):
            return None
        return BoxedPrograms(self.checked.lower, self.checked.upper, self.rows, self.flats)

    @cached_property
    def is_bounded(self) -> bool:
        """Has it no recession direction? (An empty set is bounded.) Cost: one linear program where rows are given."""
        if self.given_by_generators:
            return not (self.rays or self.lines)
        if all(low is not None and high is not None for low, high in self._ends) or self.is_empty:
            return True
        if self.is_box:
            return False
        if self.boxed is not None and (known := self.boxed.is_bounded()) is not None:
            return known
        full = rank(row[1:] for table in self._h for row in table) == self.dimension
        return full and not linear_programs.recedes(*self._h)

    def recession_cone(self) -> Polyhedron:
        """``{d : x + t d stays inside for all t >= 0}`` of a nonempty polyhedron."""
        if self.given_by_generators:
            _, rays, lines = self.checked.generators
            return Polyhedron.from_generators([(0,) * self.dimension], rays, lines)
        rows, flats = ([(0, *r[1:]) for r in table] for table in (self.rows, self.flats))
        box = [[None if end is None else Fraction(0) for end in ends] for ends in self._ends]
        return Polyhedron(checker.Domain.from_rows(self.dimension, rows, flats, box))

    @cached_property
    def affine_dimension(self) -> int:
        """Dimension of its affine hull (-1 if empty), by exact elimination of its generators."""
        points, lines = self._v
        if not points:
            return -1
        return rank([*points, *lines]) - 1

    def interior_point(self) -> Point:
        """A point of the relative interior.

        Raises:
            InputError: the set is empty.

        Method: midpoints for a box; the mean of the vertices plus the sum of the rays where these are few; otherwise
        the point farthest within the rows, by a linear program.
        """
        if self.is_box:
            if self.is_empty:
                raise InputError("the polyhedron is empty")
            return tuple(
                (low + high) / 2 if low is not None and high is not None
                else low + 1 if low is not None
                else high - 1 if high is not None
                else Fraction(0)
                for low, high in self._ends
            )  # fmt: skip
        if self.boxed is not None and self.boxed.inside is not None:
            return self.boxed.inside
        if not self.given_by_generators and self.likely_generators > FEW_GENERATORS:
            return self._inmost()
        vertices = self.vertices
        if not vertices:
            raise InputError("the polyhedron is empty")
        shift = [sum(r[j] for r in self.rays) for j in range(self.dimension)]
        sums = [sum(c, Fraction(0)) for c in zip(*vertices, strict=True)]
        return tuple(c / len(vertices) + s for c, s in zip(sums, shift, strict=True))

    def _inmost(self) -> Point:
        """The point where the smallest row, up to 1, is largest; rows that are 0 everywhere are left out."""
        rows, flats = self._h
        if self.is_empty:
            raise InputError("the polyhedron is empty")
        found = linear_programs.deepest(rows, flats, self.dimension)
        if found is not None and not found[0]:
            zero = [row for row in rows if linear_programs.maximise(row, rows, flats).value == 0]
            rows = [row for row in rows if row not in zero]
            found = linear_programs.deepest(rows, [*flats, *zero], self.dimension)
        if found is None:
            raise ArithmeticError("a set that is not empty has no point")
        return found[1]

    def contains(self, point: Sequence[Any]) -> bool:
        """Is the point inside? Exact; for generators through the rows.

        Raises:
            InputError: not numbers, or a point of another space.
        """
        x = rationals(point, "point")
        if len(x) != self.dimension:
            raise InputError(f"a polyhedron in R^{self.dimension} was asked about a point of R^{len(x)}")
        if not self.given_by_generators:
            return bool(self.checked.contains(list(x)))
        point = primitive((1, *x))
        return all(_dot(r, point) >= 0 for r in self.inequalities) and not any(_dot(r, point) for r in self.equalities)

    def supremum(self, form: AffineForm) -> Supremum:
        """The supremum of ``form`` with its reason: a point, a ray, or multipliers.

        Raises:
            InputError: the polyhedron is empty, or the dimensions differ.

        Exact: yes. Cost: O(n) on a box, one pass over given generators, one exact linear program otherwise, of which
        the sides are no rows if there are many.
        """
        instance(form, AffineForm, "what has a supremum")
        if form.dimension != self.dimension:
            raise InputError(f"a form on R^{form.dimension} on a polyhedron in R^{self.dimension}")
        if self.is_box:
            return self._on_box(form)
        if self.given_by_generators:
            return self._on_generators(form)
        if self.boxed is not None and (found := self.guided_supremum(form)) is not None:
            return found
        objective, scale = _whole(form)
        best = linear_programs.maximise(objective, *self._h)
        if best.point is None:
            raise InputError("the polyhedron is empty")
        if best.value is None:
            return Supremum(None, best.point, best.ray)
        below, above = best.multipliers or ({}, {})
        first = len(self.sides)  # the sides are before the rows, and the box needs no multipliers
        rows = tuple((i - first, m / scale) for i, m in below.items() if i >= first)
        return Supremum(best.value / scale, best.point, None, rows, tuple((k, m / scale) for k, m in above.items()))

    def guided_supremum(self, form: AffineForm) -> Supremum | None:
        """The supremum of ``form``; of rows in many dimensions only if floats find it quickly, else None.

        Exact: yes. Cost: there one linear program in floats, then a corner that is proved (``boxed_programs``).
        """
        if self.boxed is None:
            return self.supremum(form)
        objective, scale = _whole(form)
        found = self.boxed.maximise(objective)
        if found is not None:
            own, flats = (tuple((k, m / scale) for k, m in of.items()) for of in (found.rows, found.equalities))
            return Supremum(found.value / scale, found.point, None, own, flats)
        ray = self.boxed.growing(objective)
        return None if ray is None else Supremum(None, self.interior_point(), ray)

    def _on_box(self, form: AffineForm) -> Supremum:
        inside = self.interior_point()
        point, ray = list(inside), [Fraction(0)] * self.dimension
        for j, a in enumerate(form.slope):
            if a:
                side = self.checked.upper[j] if a > 0 else self.checked.lower[j]
                if side is None:
                    ray[j] = Fraction(1 if a > 0 else -1)
                else:
                    point[j] = side
        if any(ray):
            return Supremum(None, tuple(point), tuple(ray))
        return Supremum(form(point), tuple(point))

    def _on_generators(self, form: AffineForm) -> Supremum:
        vertices, rays, lines = self.checked.generators
        best = max(vertices, key=form)
        for ray in (*rays, *lines):
            growth = form.along(ray)
            if growth > 0 or (growth and ray in lines):
                sign = 1 if growth > 0 else -1
                return Supremum(None, best, tuple(Fraction(sign * v) for v in ray))
        return Supremum(form(best), best)

    # ---- operations -------------------------------------------------------------------------------------------

    def intersection(self, other: Polyhedron) -> Polyhedron:
        """This set and the ``other`` at once, by rows.

        Raises:
            InputError: sets in different spaces.
        """
        instance(other, Polyhedron, "what a polyhedron is intersected with")
        if other.dimension != self.dimension:
            raise InputError(f"cannot intersect sets in R^{self.dimension} and R^{other.dimension}")
        return Polyhedron.from_rows(
            [*self.inequalities, *other.inequalities], [*self.equalities, *other.equalities], dimension=self.dimension
        )

    def image(self, map_: AffineMap) -> Polyhedron:
        """The image under the affine map ``map_``, by generators.

        Raises:
            InputError: a map on another space.
        """
        instance(map_, AffineMap, "what has an image")
        if map_.inputs != self.dimension:
            raise InputError(f"a map on R^{map_.inputs} cannot act on a set in R^{self.dimension}")
        forms = [map_.form(i) for i in range(map_.outputs)]
        vertices = [tuple(f(v) for f in forms) for v in self.vertices]
        if not vertices:
            raise InputError("the polyhedron is empty")
        directed, undirected = (
            [tuple(f.along([Fraction(v) for v in r]) for f in forms) for r in table]
            for table in (self.rays, self.lines)
        )
        return Polyhedron.from_generators(vertices, directed, undirected)

    def same_set(self, other: Polyhedron) -> bool:
        """Are this and the ``other`` the same set (rays and lines included)? By mutual containment of generators."""
        instance(other, Polyhedron, "what a polyhedron is compared with")
        return self.dimension == other.dimension and self._within(other) and other._within(self)

    def _within(self, other: Polyhedron) -> bool:
        points, lines = self._v
        if not points:
            return True
        if other.is_empty:
            return False
        homogeneous = [*points, *lines, *(tuple(-v for v in g) for g in lines)]
        return all(_dot(r, g) >= 0 for r in other.inequalities for g in homogeneous) and all(
            _dot(r, g) == 0 for r in other.equalities for g in homogeneous
        )

    @long_numbers()
    def __repr__(self) -> str:
        checked, n = self.checked, self.dimension
        if self.given_by_generators:
            counts = zip(map(len, checked.generators), ("vertices", "rays", "lines"), strict=True)
            return f"<a polyhedron in R^{n}: {', '.join(f'{count} {what}' for count, what in counts)}>"
        if not self.is_box:
            rows = len(self.inequalities)
            return f"<a polyhedron in R^{n}: {rows} inequalities, {len(checked.equalities)} equalities>"
        sides = self._ends
        if len(sides) > MOST_SHOWN:
            return f"<a box in R^{n}>"
        ends = [[None if v is None else int(v) if v.denominator == 1 else str(v) for v in side] for side in sides]
        return f"Polyhedron.box({[tuple(side) for side in ends]})"

    def __eq__(self, other: object) -> bool:
        return self.checked.digest() == other.checked.digest() if isinstance(other, Polyhedron) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.checked.digest())


def _table(rows: Any, what: str) -> list[Point]:
    return [rationals(row, f"{what} {i}") for i, row in enumerate(several(rows, what, "lists"))]


def _whole(form: AffineForm) -> tuple[Row, int]:
    """As whole numbers over one denominator."""
    numerators, scale = common([form.constant, *form.slope])
    return tuple(numerators), scale


def _side(side: Any, where: str) -> tuple[Fraction | None, Fraction | None]:
    if isinstance(side, (str, bytes, dict)) or not hasattr(side, "__len__") or len(side) != 2:
        raise InputError(f"{where}: expected a pair (low, high)")
    for v in side:
        if (isinstance(v, float) or type(v).__name__.startswith("float")) and isinf(v):
            raise InputError(f"{where}: {v} is not a finite number; None stands for no end")
    low, high = (None if v is None else rational(v, where) for v in side)
    return low, high


def _dot(row: Row, homogeneous: Row) -> int:
    return sum(a * v for a, v in zip(row, homogeneous, strict=True))
