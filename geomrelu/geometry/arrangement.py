"""Hyperplane arrangements, exactly: regions, faces, adjacency, characteristic polynomial, and what is built from them.

>>> lines = Arrangement([[1, 0], [0, 1], [1, 1]], [0, 0, -1])
>>> lines.n_regions, lines.n_bounded, lines.f_vector
(7, 1, (3, 9, 7))
>>> lines.characteristic_polynomial().as_expr()
t**2 - 3*t + 3
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import islice
from math import comb
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import flint
import numpy as np

from geomrelu.arguments import integer, integers, kind, place, several
from geomrelu.budget import UNLIMITED, Budget
from geomrelu.errors import InputError
from geomrelu.exact import linear_programs
from geomrelu.exact.affine import AffineMap
from geomrelu.exact.cddlib import Row
from geomrelu.exact.elimination import eliminated, line_of, pivots, reduced
from geomrelu.exact.numbers import primitive, rationals
from geomrelu.geometry.chirotope import Minors
from geomrelu.geometry.domains import as_domain
from geomrelu.geometry.flats import levels
from geomrelu.geometry.parameters import Parameters, has_few_facets, trial_of
from geomrelu.geometry.polyhedron import Point, Polyhedron
from geomrelu.geometry.regions import BATCH, Regions, is_swept
from geomrelu.geometry.sides import MOST_GENERATORS, has_few_generators, sides_of
from geomrelu.io import json as json_format
from geomrelu.io.files import named
from geomrelu.shown import picture_of

if TYPE_CHECKING:
    import networkx
    import sympy

__all__ = ["Arrangement", "generic_count"]


class _Layered(Protocol):
    """What a network is here: its layers, first to last."""

    @property
    def layers(self) -> Sequence[AffineMap]: ...


MOST_DRAWN = 12  # forms of an arrangement that a notebook draws unasked


def generic_count(dimension: int, hyperplanes: int) -> int:
    """Zaslavsky's number of regions of so many hyperplanes in general position, ``sum of C(m, i), i <= n``.

    >>> generic_count(3, 20)
    1351
    """
    return sum(comb(hyperplanes, i) for i in range(dimension + 1))


class Arrangement:
    """The hyperplanes a_i·x + b_i = 0 of R^n, cooriented by their forms, on all of R^n or on a polyhedron.

    Args:
        A: (m, n) normals as rows; any numbers that :func:`~geomrelu.exact.numbers.rational` takes.
        b: (m,) constants; default 0.
        domain: if given (a :class:`Polyhedron`, or whatever :func:`~geomrelu.geometry.domains.as_domain` makes one of),
            only its interior counts (the interior relative to its affine hull), and its faces.

    Raises:
        InputError: not numbers, not finite, of mixed lengths, or the domain is empty.

    Forms of the same hyperplane, constant forms and zero forms keep their place in sign vectors, but make no
    hyperplane; a zero form has sign 0 everywhere.

    Exact: everything.

    Method: regions by their vertices or by exact linear programs, whichever is likely to be quicker, see
    :mod:`geomrelu.geometry.regions`; nothing is computed before it is asked for.

    Source: Stanley, An introduction to hyperplane arrangements; Zaslavsky, Facing up to arrangements (1975).

    >>> Arrangement([[1, 0], [0, 1], [1, 1]], [0, 0, -1]).n_regions
    7
    """

    rows: tuple[Row, ...]
    dimension: int
    domain: Polyhedron | None

    def __init__(self, A: Any, b: Any = None, domain: Any = None) -> None:
        normals = [_numbers(a, f"A, row {i}") for i, a in enumerate(several(A, "A", "normals"))]
        constants = (0,) * len(normals) if b is None else _numbers(b, "b")
        if len(constants) != len(normals):
            raise InputError(f"A has {len(normals)} rows, but b has {len(constants)} entries")
        if normals and not isinstance(domain, Polyhedron | None):
            domain = as_domain(domain, len(normals[0]))
        n = len(normals[0]) if normals else getattr(domain, "dimension", 0)
        self._set([_primitive((c, *a)) for a, c in zip(normals, constants, strict=True)], n, domain)

    def _set(self, rows: Sequence[Row], dimension: int, domain: Polyhedron | None) -> None:
        if not isinstance(domain, Polyhedron | None):
            raise InputError(f"the domain of an arrangement is a polyhedron, not {kind(domain)}")
        dimension = integer(dimension, "the dimension")
        sizes = {dimension, *(len(row) - 1 for row in rows)}
        if sizes | ({domain.dimension} if domain is not None else set()) != {max(1, dimension)}:
            raise InputError("the normals must all have the same number n >= 1 of entries (that of the domain)")
        if domain is not None and domain.is_empty:
            raise InputError("the domain is empty")
        self.__dict__.update(rows=tuple(rows), dimension=dimension, domain=domain)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"an arrangement is a value: its {name} cannot be set")

    @classmethod
    def from_rows(cls, rows: Sequence[Row], dimension: int, domain: Polyhedron | None = None) -> Arrangement:
        """From integer rows; common factors are dropped.

        Args:
            rows: of integers ``(b, a1, ..., an)``, for the forms b + a·x. dimension: n. domain: a polyhedron, or None.

        Raises:
            InputError: rows of other lengths, or not of integers; the domain is empty.
        """
        made = cls.__new__(cls)
        table = [
            [v if type(v) is int else integer(v, f"each entry of row {i}") for v in several(row, f"row {i}")]
            for i, row in enumerate(several(rows, "rows", "lists"))
        ]
        made._set([reduced(row) for row in table], dimension, domain)
        return made

    @classmethod
    def from_file(cls, path: str | Path, domain: Polyhedron | None = None) -> Arrangement:
        """From JSON: ``{"A": [[...], ...], "b": [...], "den": 1}``, where ``den`` divides all numbers.

        Args:
            path: of the file. domain: as for :class:`Arrangement`.

        Raises:
            InputError: missing or malformed; the text names the place.
        """
        normals, constants = json_format.read_arrangement(path)
        with named(path):
            return cls(normals, constants, domain)

    @classmethod
    def of_layer(cls, network: _Layered, domain: Polyhedron | None = None) -> Arrangement:
        """The neurons of the first layer of a network, on a domain (None: on all of R^n)."""
        first = network.layers[0]
        forms = [first.form(i) for i in range(first.outputs)]
        return cls([form.slope for form in forms], [form.constant for form in forms], domain)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Arrangement):
            return NotImplemented
        return (self.rows, self.dimension, self.domain) == (other.rows, other.dimension, other.domain)

    def __hash__(self) -> int:
        return hash((self.rows, self.dimension, self.domain))

    def plot(self, **how: Any) -> Any:
        """The picture of an arrangement in R^2 or R^1; ``how``: see :func:`geomrelu.plots.picture.plot`."""
        return picture_of(self, **how)

    def _repr_svg_(self) -> str | None:
        """The picture, where there is one that is quickly drawn."""
        if self.dimension > 2 or len(self.rows) > MOST_DRAWN or (self.domain and self._hull[2] < self.dimension):
            return None
        return str(picture_of(self).svg)

    def __repr__(self) -> str:
        on = "" if self.domain is None else ", on a polyhedron"
        return f"Arrangement({len(self.rows)} forms, {len(self._hyperplanes)} hyperplanes in R^{self.dimension}{on})"

    # ---- hyperplanes ------------------------------------------------------------------------------------------

    @property
    def hyperplanes(self) -> dict[Row, list[int]]:
        """The distinct hyperplanes, each with the forms that vanish on it (their numbers).

        A hyperplane is a primitive row (b, a1, ..., an) whose first nonzero a is positive.
        """
        return {line: [*forms] for line, forms in self._hyperplanes.items()}

    @cached_property
    def _hyperplanes(self) -> dict[Row, list[int]]:
        found: dict[Row, list[int]] = {}
        for i, row in enumerate(self.rows):
            if any(row[1:]):
                found.setdefault(line_of(row)[0], []).append(i)
        return found

    @cached_property
    def rank(self) -> int:
        """The dimension of the span of the normals."""
        return len(pivots([row[1:] for row in self.hyperplanes]))

    @cached_property
    def is_central(self) -> bool:
        """Do all hyperplanes have a point in common?"""
        return len(pivots([(*row[1:], row[0]) for row in self.hyperplanes])) == self.rank

    def code(self, x: Sequence[Any]) -> tuple[int, ...]:
        """The sign vector of a point.

        Args:
            x: (n,) any numbers.

        Raises:
            InputError: not numbers, or a point of another space.

        >>> Arrangement([[1, 0], [0, 1]]).code([3, 0])
        (1, 0)
        """
        point = rationals(x, "point")
        if len(point) != self.dimension:
            raise InputError(f"a point of R^{len(point)}, but the arrangement lies in R^{self.dimension}")
        values = [row[0] + sum((a * v for a, v in zip(row[1:], point, strict=True)), Fraction(0)) for row in self.rows]
        return tuple((v > 0) - (v < 0) for v in values)

    # ---- regions ----------------------------------------------------------------------------------------------

    def _prepare(self, budget: Budget) -> None:
        """Find what regions are found from, within a budget."""
        found = self.__dict__
        if self.domain is not None and "_regions" not in found:
            found["_spanned"] = self._by_weights(budget)
            if self._spanned is None:
                found["_facets"] = self._described(budget)
                if has_few_generators(self.domain):
                    self.domain.convert(budget)
                found["_hull"] = self._flattened(budget)

    @cached_property
    def _facets(self) -> tuple[list[Row], list[Row]]:
        """``(facets, equalities)`` that describe the domain, without implicit equalities. (What lies beside a facet may
        stay among these where it takes long to see.)"""
        return self._described(UNLIMITED)

    def _described(self, budget: Budget) -> tuple[list[Row], list[Row]]:
        if self.domain is None:
            return [], []
        if self.domain.given_by_generators:
            self.domain.convert(budget)
        plain = self.domain if self.domain.is_box else self.domain.irredundant(budget, trial_of(budget))
        rows = list(plain.inequalities)
        both = {row for row in rows if tuple(-v for v in row) in rows}  # a side of length 0 stands there twice
        flats = [*plain.equalities, *(row for row in both if row > tuple(-v for v in row))]
        return [row for row in rows if row not in both], flats

    @cached_property
    def _on_hull(self) -> tuple[list[Row], list[Row], int]:
        """``(forms, facets of the domain, dimension)`` in coordinates of the domain's affine hull."""
        forms, (facets, flats), dimension = list(self.rows), self._facets, self.dimension
        while flats:  # each equality takes away one coordinate
            *flats, flat = flats
            column = next((k for k, v in enumerate(flat) if k and v), None)
            if column is not None:
                forms, facets, flats = (eliminated(table, flat, column) for table in (forms, facets, flats))
                dimension -= 1
        return forms, facets, dimension

    @cached_property
    def _hull(self) -> tuple[list[Row], list[Row], int]:
        """The same, but a form that keeps its sign on the interior stands there as that constant."""
        return self._flattened(UNLIMITED)

    def _flattened(self, budget: Budget) -> tuple[list[Row], list[Row], int]:
        forms, facets, dimension = self._on_hull
        sides = [None] * len(self.rows) if self.domain is None else sides_of(self.rows, self.domain, budget)
        kept = [row if side is None else (side,) + (0,) * dimension for row, side in zip(forms, sides, strict=True)]
        return kept, facets, dimension

    @cached_property
    def _spanned(self) -> Parameters | None:
        """The domain by the weights of its generators, if those are given and its facets may be very many."""
        return self._by_weights(UNLIMITED)

    def _by_weights(self, budget: Budget) -> Parameters | None:
        domain = self.domain
        if domain is None or not domain.given_by_generators or domain.likely_generators <= MOST_GENERATORS:
            return None
        return None if has_few_facets(domain, budget) else Parameters.of_generators(domain, budget)

    @cached_property
    def _regions(self) -> Regions:
        if self._spanned is not None:
            forms = [self._spanned.pulled(row) for row in self.rows]
            return Regions(forms, self._spanned.rows, self._spanned.dimension, self._spanned.inside)
        forms, facets, dimension = self._hull
        return Regions(forms, facets if any(any(row[1:]) for row in forms) else [], dimension)

    def regions(self, budget: Budget | None = None) -> Iterator[np.ndarray]:
        """The sign vectors of the regions, (k, m) int8 at a time; each region once, nothing is kept.

        Raises:
            Exhausted: after what the budget allowed has been given.

        Method: see :mod:`geomrelu.geometry.regions`. Memory: a batch, and what the method says.
        """
        count, limit = 0, Budget.of(budget)
        self._prepare(limit)
        for batch in self._regions.batches(limit):
            count += len(batch)
            yield batch
        self.__dict__.setdefault("n_regions", count)

    @cached_property
    def signs(self) -> np.ndarray:
        """The sign vectors of all regions, (regions, m) int8."""
        return self._held(Budget())

    def _held(self, budget: Budget) -> np.ndarray:
        if not self.rows:
            return np.zeros((1, 0), dtype=np.int8)
        held = bytearray()  # grows in place: a list of batches would hold everything twice when it is joined
        for batch in self.regions(budget):
            held += batch.tobytes()
        found = np.frombuffer(held, dtype=np.int8).reshape(-1, len(self.rows))
        found.setflags(write=False)
        return found

    @cached_property
    def n_regions(self) -> int:
        """How many regions there are."""
        return sum(map(len, self.regions()))

    @cached_property
    def n_bounded(self) -> int:
        """How many regions are bounded.

        On R^n: relatively bounded, that is, bounded in the span of the normals (Zaslavsky; for rank n, bounded). On a
        domain: bounded.
        """
        return self.count_bounded()

    def count_bounded(self, budget: Budget | None = None) -> int:
        """:attr:`n_bounded` within a budget."""
        if self.domain is not None:
            if self.domain.is_bounded:
                return self.n_regions
            forms, facets, dimension = self._hull
            regions = Regions(forms, facets, dimension) if self._spanned else self._regions
            if regions.dimension < dimension or not regions.rows:
                return 0
            return regions.count_bounded(Budget.of(budget))
        return self._regions.count_bounded(Budget.of(budget))

    @cached_property
    def is_generic(self) -> bool:
        """Are the distinct hyperplanes in general position: do any k <= n meet in codimension k, and no n + 1?

        Method: Zaslavsky's bound is attained by these alone.
        """
        whole = self if self.domain is None else Arrangement.from_rows(self.rows, self.dimension)
        return whole.n_regions == generic_count(self.dimension, len(self.hyperplanes))

    def witness(self, sign: Sequence[int]) -> Point:
        """A rational point at which the forms have given signs (in the relative interior of the domain).

        Args:
            sign: (m,) -1, 0 or 1 for each form.

        Raises:
            InputError: there is none.

        Method: one exact linear program, the largest margin t <= 1.
        """
        sign = integers(sign, "signs")
        if len(sign) != len(self.rows) or any(s not in (-1, 0, 1) for s in sign):
            raise InputError(f"a sign vector has {len(self.rows)} entries -1, 0 or 1")
        rows, facets, flats, n = list(self.rows), list[Row](), list[Row](), self.dimension
        spanned = self._spanned
        if spanned is not None:
            rows, facets, n = [spanned.pulled(row) for row in rows], spanned.rows, spanned.dimension
        elif self.domain is not None:
            facets, flats = self._facets
        strict = [tuple(s * v for v in row) for s, row in zip(sign, rows, strict=True) if s] + facets
        equal = [row for s, row in zip(sign, rows, strict=True) if not s] + flats
        slack = [(*row, -1) for row in strict] + [(1, *(0,) * n, -1)]
        best = linear_programs.maximise((0,) * (n + 1) + (1,), slack, [(*row, 0) for row in equal if any(row)])
        if best.point is None or best.value is None or best.value <= 0:
            raise InputError("no point has these signs")
        point = best.point[:n]
        return point if spanned is None else spanned.lifted(primitive((1, *point)))

    # ---- vertices, faces, walls -------------------------------------------------------------------------------

    @cached_property
    def vertices(self) -> tuple[Point, ...]:
        """The points in which hyperplanes meet, and on a domain also its vertices and where they meet its faces.

        Raises:
            InputError: there would be too many subsets of hyperplanes to look at.

        Method: one sign vector for each n-subset of hyperplanes, :mod:`geomrelu.geometry.chirotope`.
        """
        facets, flats = self._facets
        forms, hull_facets, dimension = self._hull
        rows, lines = [*self.rows, *facets], [*forms, *hull_facets]
        first: dict[Row, int] = {}
        for i, line in enumerate(lines):
            if any(line[1:]):
                first.setdefault(line_of(line)[0], i)
        if len(pivots([line[1:] for line in first])) < dimension:
            return ()
        if dimension == 0:
            return (_meeting(flats),)
        if not is_swept(len(first), dimension):
            raise InputError(f"{len(first):,} hyperplanes in R^{dimension}: too many of them may meet in a vertex")
        chosen = list(first.values())
        keep = [k for k, i in enumerate(chosen) if i >= len(forms)]
        found: dict[bytes, Point] = {}
        for subsets, _, signs, _ in Minors([lines[i] for i in chosen]).vertices(
            (1,) * dimension, np.array(keep, dtype=int)
        ):
            for subset, key in zip(subsets, np.packbits(signs == 0, axis=1), strict=True):
                if (name := key.tobytes()) not in found:
                    found[name] = _meeting([*flats, *(rows[chosen[k]] for k in subset)])
        return tuple(found.values())

    def faces(self, d: int, budget: Budget | None = None) -> np.ndarray:
        """The sign vectors of the faces of dimension d, (f_d, m) int8.

        A face is a nonempty set of points with the same signs. On a domain the domain's own faces count as cuts, and
        two faces can have the same signs (inside, and on the boundary).

        Raises:
            InputError: d is no whole number from 0 on.
            Exhausted: the ``budget`` of faces or of time has ended.

        Method: the regions of the restriction to each flat of dimension d.
        """
        parts: list[np.ndarray] = []
        flats = self._on_flats(d, Budget.of(budget)) if integer(d, "the dimension of faces", 0) <= self._hull[2] else ()
        for regions, zero in flats:
            for codes in regions.batches(Budget()):
                codes[:, zero] = 0
                parts.append(codes)
        return np.concatenate(parts) if parts else np.zeros((0, len(self.rows)), dtype=np.int8)

    def count_faces(self, budget: Budget | None = None) -> tuple[int, ...]:
        """:attr:`f_vector` within a budget."""
        limit = Budget.of(budget)
        return tuple(sum(r.count(limit) for r, _ in self._on_flats(d, limit)) for d in range(self._hull[2] + 1))

    @cached_property
    def f_vector(self) -> tuple[int, ...]:
        """How many faces there are of dimension 0, 1, ..., n (n: of the domain)."""
        return self.count_faces()

    def _on_flats(self, d: int, budget: Budget) -> Iterator[tuple[Regions, list[int]]]:
        """The regions into which each flat of dimension d (of forms and facets) falls, and the forms that are zero
        there although they keep their sign on the interior: those that touch the domain in a face of it."""
        forms, facets, dimension = self._hull
        m, known = len(forms), len(forms) + len(facets)
        touching = [i for i, row in enumerate(forms) if not any(row[1:]) and row[0]]
        carried = [self._on_hull[0][i] for i in touching]
        for level in islice(levels([*forms, *facets], budget, carried), dimension - d, dimension - d + 1):
            for flat in level:
                beside = [f for i, f in enumerate(flat.forms[m:known], m) if not flat.zeros >> i & 1]
                if all(any(f[1:]) or f[0] > 0 for f in beside):
                    zero = [i for i, f in zip(touching, flat.forms[known:], strict=True) if not any(f)]
                    yield Regions(flat.forms[:m], beside, d), zero

    def graph(self, budget: Budget | None = None) -> networkx.Graph:
        """The regions as nodes (sign vectors) and their walls as edges.

        An edge has ``hyperplane``, the first form that vanishes on the wall, and ``forms``, all of them.

        Raises:
            Exhausted: the ``budget`` of time has ended.

        Method: two regions share a wall if and only if their signs differ in the forms of one hyperplane alone, of the
        domain's affine hull.
        """
        import networkx

        limit = Budget.of(budget)
        if "signs" not in self.__dict__:
            self.__dict__["signs"] = self._held(limit)
        walls: dict[Row, list[int]] = {}
        spanned = self._spanned
        for i, row in enumerate(self._hull[0] if spanned is None else map(spanned.pulled, self.rows)):
            if any(row[1:]):
                walls.setdefault(line_of(row)[0], []).append(i)

        nodes = []
        for first in range(0, len(self.signs), BATCH):
            limit.poll()
            nodes += [tuple(row) for row in self.signs[first : first + BATCH].tolist()]
        found = networkx.Graph()
        found.add_nodes_from(nodes)
        number = {row.tobytes(): i for i, row in enumerate(self.signs)}
        for forms in walls.values():
            limit.poll()
            above = np.flatnonzero(self.signs[:, forms[0]] > 0)
            across = self.signs[above]
            across[:, forms] *= -1
            for i, row in zip(above.tolist(), across, strict=True):
                j = number.get(row.tobytes())
                if j is not None:
                    found.add_edge(nodes[i], nodes[j], hyperplane=forms[0], forms=tuple(forms))
        return found

    # ---- characteristic polynomial ----------------------------------------------------------------------------

    def characteristic_polynomial(self, budget: Budget | None = None) -> sympy.Poly:
        """chi(t) = sum over flats X of mu(X) t^dim X, of the distinct hyperplanes in all of R^n.

        Raises:
            Exhausted: the ``budget`` of flats or of time has ended.

        Method: all flats, :mod:`geomrelu.geometry.flats`. Source: Zaslavsky: (-1)^n chi(-1) regions, and
        (-1)^rank chi(1) relatively bounded ones.
        """
        import sympy

        t = sympy.Symbol("t")
        totals = [sum(flat.moebius for flat in level) for level in levels(list(self.hyperplanes), Budget.of(budget))]
        return sympy.Poly(dict(zip(((self.dimension - k,) for k in range(len(totals))), totals, strict=True)), t)

    # ---- other arrangements -----------------------------------------------------------------------------------

    def delete(self, i: int) -> Arrangement:
        """Without form i."""
        self._form(i)
        return self.from_rows([*self.rows[:i], *self.rows[i + 1 :]], self.dimension, self.domain)

    def restrict(self, i: int) -> Arrangement:
        """The other forms on the hyperplane of form i, in R^(n-1): one coordinate is solved for and left out.

        Raises:
            InputError: form i is constant, n = 1, or there is a domain.
        """
        row = self._form(i)
        self._whole("restrict")
        if not any(row[1:]) or self.dimension == 1:
            raise InputError(f"form {i} has no hyperplane of dimension at least 1 to restrict to")
        _, column = min((abs(v), k) for k, v in enumerate(row) if k and v)
        others = [*self.rows[:i], *self.rows[i + 1 :]]
        return self.from_rows(eliminated(others, row, column), self.dimension - 1)

    def localise(self, x: Sequence[Any]) -> Arrangement:
        """The forms that vanish at the point x of R^n."""
        zero = [row for row, sign in zip(self.rows, self.code(x), strict=True) if not sign]
        return self.from_rows(zero, self.dimension, self.domain)

    def cone(self) -> Arrangement:
        """The central arrangement b_i x_0 + a_i·x in R^(n+1), with the hyperplane at infinity x_0 as its last form."""
        self._whole("cone over")
        infinity = (0, 1, *(0,) * self.dimension)
        return self.from_rows([*((0, *row) for row in self.rows), infinity], self.dimension + 1)

    def essentialise(self) -> Arrangement:
        """The same arrangement modulo the directions no form sees, in R^rank: the other coordinates are set to 0.

        Raises:
            InputError: there is no hyperplane, or there is a domain.
        """
        self._whole("essentialise")
        columns = pivots([row[1:] for row in self.rows])
        if not columns:
            raise InputError("there is no hyperplane")
        return self.from_rows([(row[0], *(row[k + 1] for k in columns)) for row in self.rows], len(columns))

    def _form(self, i: int) -> Row:
        return self.rows[place(i, "form", len(self.rows))]

    def _whole(self, what: str) -> None:
        if self.domain is not None:
            raise InputError(f"cannot {what} an arrangement on a domain")


def _numbers(values: Any, where: str) -> tuple[int | Fraction, ...]:
    """As :func:`rationals`, which lists of integers need not go through."""
    if isinstance(values, (list, tuple)) and all(type(v) is int for v in values):
        return tuple(values)
    return rationals(values, where)


def _primitive(row: tuple[int | Fraction, ...]) -> Row:
    return reduced(row) if all(type(v) is int for v in row) else primitive(row)  # type: ignore[arg-type]


def _meeting(rows: Sequence[Row]) -> Point:
    """The one point in which hyperplanes meet."""
    matrix = flint.fmpq_mat(flint.fmpz_mat([list(row[1:]) for row in rows]))
    point = matrix.solve(flint.fmpq_mat(flint.fmpz_mat([[-row[0]] for row in rows])))
    return tuple(Fraction(int(v.p), int(v.q)) for v in point.entries())
