"""All regions of an arrangement by a tree of cuts, where vertices would explode.

A cell of the tree is a set of half-spaces with a *witness*, a rational point strictly inside all of them. The next
hyperplane leaves the witness on one side, and that side needs no proof. The other side exists if and only if the form
is positive (with that sign) somewhere on the closed cell, which is decided by the first of these that can tell:

- it keeps its sign on the box around the domain, or between parallel walls of the cell;
- a known point of the closed cell, from an earlier linear program, lies strictly on the other side;
- a *clause*, the signs whose half-spaces gave a proof that there is no other side, holds here too;
- a linear program: exact when it is small. When it is large, in floating point, whose point or multipliers count only
  after they were verified in integers; and exact where they fail.

Points are homogeneous integers ``(s, y)``, the point y/s with s > 0. Witnesses are rounded to as few bits as the
distance to the walls provably allows, so that numbers do not grow down the tree.

Exact: everything. Cost: at most one linear program a node; nodes are at most (number of forms) times regions. Memory:
proportional to the depth of the tree, and a bounded number of clauses a form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd
from operator import mul

import numpy as np
from flint import fmpq, fmpq_mat

from geomrelu.budget import Budget
from geomrelu.errors import InputError
from geomrelu.exact import linear_programs
from geomrelu.exact.cddlib import Row
from geomrelu.exact.elimination import pivots
from geomrelu.exact.numbers import common, nearest
from geomrelu.parallel import apart

__all__ = ["Batch", "Point", "Tree", "cut", "dot", "sufficient_coordinates"]

Point = tuple[Fraction, ...]

_POINTS = 24  # known points a cell keeps; each costs one product a form
_CLAUSES = 64  # clauses a form keeps for each side, the most recently used first
_FAR = 16  # bits of coordinates that are no trouble to floats
_HEAVY = 1 << 16  # bits of a linear program that exact arithmetic may take seconds and minutes for
_EXACT = 130  # entries of a linear program that exact arithmetic solves sooner than floating point plus verification


def cut(
    rows: Sequence[Row],
    domain_rows: Sequence[Row],
    dimension: int,
    budget: Budget | None = None,
    inside: Row | None = None,
) -> Iterator[tuple[tuple[int, ...], Point]]:
    """The regions into which affine forms cut a polyhedron: their sign vectors, each with a point inside.

    A region is a connected component of the interior of {x : d(x) >= 0 for all domain rows d} minus the hyperplanes
    of the forms.

    Args:
        rows: m integer rows ``(b, a1, ..., an)``, any: a zero form has sign 0, a constant form its sign, forms of the
            same hyperplane agree (or disagree) everywhere.
        domain_rows: rows d, integers; none for the whole space.
        dimension: n.
        budget: one region each; no limit by default.
        inside: a homogeneous point strictly inside the domain, if one is known.

    Yields:
        ``(signs, witness)``: m signs of {-1, 0, +1} in the order of the rows; n rationals strictly inside.

    Raises:
        InputError: the domain has no interior.
        Exhausted: the budget has ended; what was yielded stands.

    Exact: yes. Method: depth first through the forms, at most one linear program a node.

    >>> [signs for signs, _ in cut([(0, 1, 0), (0, 0, 1), (-1, 1, 1)], [(0, 1, 0), (0, 0, 1)], 2)]
    [(1, 1, 1), (1, 1, -1)]
    """
    columns = sufficient_coordinates([*rows, *domain_rows], dimension)
    picked = [[(row[0], *(row[j + 1] for j in columns)) for row in table] for table in (rows, domain_rows)]
    inside = None if inside is None else (inside[0], *(inside[j + 1] for j in columns))
    tree = Tree(picked[1], len(columns), Budget.of(budget), inside)
    batch = Batch([tree.form(row) for row in picked[0]], 0)
    for signs, (s, *y) in tree.walk(batch, lambda batch, signs: None):
        point = [Fraction(0)] * dimension
        for j, v in zip(columns, y, strict=True):
            point[j] = Fraction(v, s)
        yield signs, tuple(point)


# ---- forms and cells ----------------------------------------------------------------------------------------------

_Wall = tuple[Row, int, int]  # a row that is positive inside, the sum of its |a|, its position in the sign vector
_Strips = dict[Row, tuple[Fraction | None, Fraction | None]]


@dataclass(frozen=True, slots=True)
class _Form:
    """A form by its primitive row, and where its hyperplane lies among those parallel to it."""

    row: Row
    norm: int  # the sum of |a|
    direction: Row  # its slope, primitive and up to sign
    place: Fraction  # the hyperplane is {direction·x = place}
    turn: int  # the sign of the slope along the direction
    sign: int | None  # its sign, where it is the same on the whole domain


@dataclass(slots=True)
class Batch:
    """Forms that are known together: an arrangement, or one layer of a network below the signs of those before it."""

    forms: list[_Form]
    start: int  # the position of the first of them in the sign vector
    layer: int = 0
    raw: list[Row] = field(default_factory=list)  # networks: the forms over the layer's denominator
    blocks: list[list[Row | None]] = field(default_factory=list)  # networks: the variables before the layer, as forms
    scales: list[int] = field(default_factory=list)  # networks: the denominators of the blocks and of the layer
    clauses: dict[tuple[int, int], list[tuple[int, int]]] = field(default_factory=dict)


@dataclass(slots=True)
class _Cell:
    """Half-spaces with a point strictly inside.

    Attributes:
        witness: a homogeneous point strictly inside.
        walls: the hyperplanes that cut the cell out of the domain (whose own rows are not among them).
        points: known points of the closed cell.
        strips: for a direction d the open interval in which d·x lies on the cell, where walls tell.
    """

    witness: Row
    walls: list[_Wall]
    points: list[Row]
    strips: _Strips


class Tree:
    """The domain, and the step from a cell to the cells on the two sides of a form."""

    def __init__(self, domain_rows: Sequence[Row], dimension: int, budget: Budget, inside: Row | None = None) -> None:
        self.dimension = dimension
        self.inside = inside  # a homogeneous point strictly inside, if one is known
        self.budget = budget
        self.programs = 0  # linear programs so far, for those who measure
        self.rows: list[_Wall] = []  # the rows that are not sides of the box
        low: list[Fraction | None] = [None] * dimension
        high: list[Fraction | None] = [None] * dimension
        for row in domain_rows:
            support = [j for j, a in enumerate(row[1:]) if a]
            if len(support) == 1:
                j = support[0]
                bound, side, tighter = Fraction(-row[0], row[j + 1]), low, max
                if row[j + 1] < 0:
                    side, tighter = high, min
                known = side[j]
                side[j] = bound if known is None else tighter(known, bound)
            elif support:
                self.rows.append((_divided(row), sum(map(abs, _divided(row)[1:])), -1))
            elif row[0] < 0:
                raise InputError("the domain is empty")
        if any(a is not None and b is not None and a >= b for a, b in zip(low, high, strict=True)):
            raise InputError("the domain has no interior")
        ends, self.scale = common([v for v in (*low, *high) if v is not None])
        values = iter(ends)  # the sides of the box, integers over self.scale
        self.low = [None if v is None else next(values) for v in low]
        self.high = [None if v is None else next(values) for v in high]
        self.bounded = None not in low and None not in high

    # ---- the tree ---------------------------------------------------------------------------------------------

    def walk(
        self, batch: Batch, following: Callable[[Batch, tuple[int, ...]], Batch | None]
    ) -> Iterator[tuple[tuple[int, ...], Row]]:
        """Every sign vector with a witness; ``following`` gives the next forms once a batch is resolved."""
        stack: list[tuple[_Cell, Batch, tuple[int, ...], int, int]] = [(self._root(), batch, (), 0, 0)]
        while stack:
            cell, batch, signs, plus, minus = stack.pop()
            while True:
                if len(signs) == batch.start + len(batch.forms):
                    succeeding = following(batch, signs)
                    if succeeding is None:
                        self.budget.spend()
                        yield signs, cell.witness
                        break
                    batch = succeeding
                    continue
                self.budget.spend(0)  # the clock
                sign, cell, beyond = self._sides(cell, batch, len(signs), plus, minus)
                bit = 1 << len(signs)
                above, below = (plus | bit, minus), (plus, minus | bit)
                if beyond is not None:
                    stack.append((beyond, batch, (*signs, -sign), *(below if sign > 0 else above)))
                if sign:
                    plus, minus = above if sign > 0 else below
                signs = (*signs, sign)

    def _root(self) -> _Cell:
        middle = [
            Fraction(low + high, 2 * self.scale) if low is not None and high is not None
            else Fraction(low, self.scale) + 1 if low is not None
            else Fraction(high, self.scale) - 1 if high is not None
            else Fraction(0)
            for low, high in zip(self.low, self.high, strict=True)
        ]  # fmt: skip
        witness = self.inside or _homogeneous(middle)
        if any(dot(row, witness) <= 0 for row, _, _ in self.rows):
            slack = [(*row, -1) for row in (*self._side_rows(), *(row for row, _, _ in self.rows))]
            slack.append((1, *[0] * self.dimension, -1))
            best = linear_programs.maximise((0,) * (self.dimension + 1) + (1,), slack)
            if best.point is None or best.point[-1] <= 0:
                raise InputError("the domain has no interior")
            witness = self._short(_homogeneous(best.point[:-1]), [])
        strips: _Strips = {}
        for row, _, _ in self.rows:
            strips = _narrowed(strips, self.form(row), 1)
        return _Cell(witness, [], [], strips)

    def _sides(
        self, cell: _Cell, batch: Batch, position: int, plus: int, minus: int
    ) -> tuple[int, _Cell, _Cell | None]:
        """``(sign of the form at the witness, the cell on that side, the cell on the other side or None)``."""
        form = batch.forms[position - batch.start]
        if form.sign is not None:
            return form.sign, cell, None
        row, witness, points = form.row, cell.witness, cell.points
        value = dot(row, witness)
        if not value:
            return self._nudged(cell, form, position)
        here = 1 if value > 0 else -1
        low, high = cell.strips.get(form.direction, (None, None))
        if (low is not None and form.place <= low) or (high is not None and form.place >= high):
            return here, cell, None
        values = [dot(row, p) for p in points]
        across = [k for k, v in enumerate(values) if v * here < 0]
        if not across:
            clauses = batch.clauses.setdefault((position, here), [])
            for k, (above, below) in enumerate(clauses):
                if above & plus == above and below & minus == below:
                    clauses.insert(0, clauses.pop(k))
                    return here, cell, None
            found, used = self._supremum(tuple(-here * v for v in row), abs(value), cell)
            if found is not None:
                del points[: len(points) + 1 - _POINTS], values[: len(values) + 1 - _POINTS]
                points.append(found)
                values.append(dot(row, found))
            if used is not None:
                above = sum(1 << i for i in used if plus >> i & 1)
                clauses.insert(0, (above, sum(1 << i for i in used) - above))
                del clauses[_CLAUSES:]
                return here, cell, None
            across = [len(points) - 1]
        farthest = max(across, key=lambda k: values[k].bit_length() - points[k][0].bit_length())
        inside = _halfway(points[farthest], values[farthest], witness, value)
        near = [p for p, v in zip(points, values, strict=True) if v * here >= 0]
        far = [p for p, v in zip(points, values, strict=True) if v * here <= 0]
        there = self._part(cell, form, position, -here, inside, far)
        return here, self._part(cell, form, position, here, witness, near), there

    def _nudged(self, cell: _Cell, form: _Form, position: int) -> tuple[int, _Cell, _Cell]:
        """Both sides of a hyperplane through the witness: a step that is small enough stays inside, either way."""
        values = [dot(form.row, p) for p in cell.points]
        parts = []
        for sign in (1, -1):
            inside = self._step(cell.witness, cell.walls, form.row, sign)
            points = [p for p, v in zip(cell.points, values, strict=True) if v * sign >= 0]
            parts.append(self._part(cell, form, position, sign, inside, points))
        return 1, parts[0], parts[1]

    def _step(self, point: Row, walls: Sequence[_Wall], row: Row, sign: int) -> Row:
        """A point near this one, as well strictly inside, where the form is larger (smaller, for sign -1)."""
        bits = self._bits(point, walls)
        j = max(range(1, len(row)), key=lambda j: abs(row[j]))
        moved = [v << bits for v in point]
        moved[j] += point[0] if row[j] * sign > 0 else -point[0]
        return tuple(moved)

    def _part(self, cell: _Cell, form: _Form, position: int, sign: int, inside: Row, points: list[Row]) -> _Cell:
        """The part of the cell where the form has this sign, given a point strictly inside."""
        walls = [*cell.walls, (tuple(sign * v for v in form.row), form.norm, position)]
        witness = inside if inside is cell.witness else self._short(inside, walls)
        return _Cell(witness, walls, points, _narrowed(cell.strips, form, sign))

    # ---- exact points -----------------------------------------------------------------------------------------

    def _bits(self, point: Row, walls: Sequence[_Wall]) -> int:
        """A number such that changes of all coordinates by up to 2**-bits leave the point strictly inside."""
        s, most = point[0], 0
        for row, norm, _ in (*walls, *self.rows):
            slack = dot(row, point)
            if slack <= 0:
                raise ArithmeticError("a witness is not strictly inside its cell")
            # slack / s is how far the form may fall, norm * 2**-bits how far it can
            most = max(most, (s * norm).bit_length() - slack.bit_length() + 1)
        top = (s * self.scale).bit_length() + 1
        for v, low, high in zip(point[1:], self.low, self.high, strict=True):
            if low is not None:
                most = max(most, top - (v * self.scale - low * s).bit_length())
            if high is not None:
                most = max(most, top - (high * s - v * self.scale).bit_length())
        return most

    def _short(self, point: Row, walls: Sequence[_Wall]) -> Row:
        """A point near this one and strictly inside as well, with as few bits as its distance to the walls allows."""
        bits = self._bits(point, walls) + 2  # two more than it takes, to stay away from the walls
        s = point[0]
        if s.bit_length() <= bits:
            return _divided(point)
        return _divided((1 << bits, *(((v << (bits + 1)) + s) // (2 * s) for v in point[1:])))

    # ---- linear programs --------------------------------------------------------------------------------------

    def _supremum(self, objective: Row, reach: int, cell: _Cell) -> tuple[Row | None, list[int] | None]:
        """Is the form positive somewhere on the closed cell? ``(a point of it, the walls that prove it is not)``.

        If it is, it is positive at the point, and there are no such walls. Where the domain is unbounded the form is
        not followed beyond a multiple of ``reach`` (over the witness's denominator), so that there is an optimum.
        """
        self.programs += 1
        walls = [*cell.walls, *self.rows]
        rows = [row for row, _, _ in walls]
        if not self.bounded:
            far = reach.bit_length() - cell.witness[0].bit_length() + 4
            up, down = 1 << max(far, 0), 1 << max(-far, 0)
            rows.append((up - down * objective[0], *(-down * a for a in objective[1:])))
        sides = sum(v is not None for v in (*self.low, *self.high))
        if (len(rows) + sides) * (self.dimension + 1) > _EXACT:
            found = self._floating(objective, rows, cell, walls)
            if found is not None:
                return found
        best = self._exact(objective, [*rows, *self._side_rows()])
        if best.value is None or best.point is None or best.multipliers is None:
            raise ArithmeticError("a bounded and feasible linear program has no optimum")
        point = _homogeneous(best.point)
        if best.value > 0:
            return point, None
        return point, [walls[i][2] for i in best.multipliers[0] if i < len(cell.walls)]

    def _exact(self, objective: Row, rows: list[Row]) -> linear_programs.Optimum:
        """In rational arithmetic, which looks at no clock: what may be long has a process of its own if time is
        limited."""
        bits = sum(v.bit_length() for row in rows for v in row)
        if bits < _HEAVY or self.budget.left is None:
            return linear_programs.maximise(objective, rows)
        found: linear_programs.Optimum = apart(self.budget, linear_programs.maximise, objective, rows)
        return found

    def _floating(
        self, objective: Row, rows: Sequence[Row], cell: _Cell, walls: Sequence[_Wall]
    ) -> tuple[Row | None, list[int] | None] | None:
        """The same by HiGHS in floating point, if its answer stands in exact arithmetic; else None.

        Where it knows no answer because all happens far away (its numbers end at 1e20, and what is below 1e-9 is 0 to
        it), it is asked again in coordinates as large as those of the witness and of the hyperplane.
        """
        place = max(map(abs, cell.witness[1:]), default=0).bit_length() - cell.witness[0].bit_length()
        away = objective[0].bit_length() - max(map(abs, objective[1:])).bit_length()
        found = self._in_units(0, objective, rows, cell, walls)
        if found is None and (unit := max(place, away)) > _FAR:
            return self._in_units(unit, objective, rows, cell, walls)
        return found

    def _in_units(
        self, unit: int, objective: Row, rows: Sequence[Row], cell: _Cell, walls: Sequence[_Wall]
    ) -> tuple[Row | None, list[int] | None] | None:
        """In coordinates x / 2**unit."""
        from scipy.optimize import linprog

        scaled = [(row[0], *(v << unit for v in row[1:])) for row in (objective, *rows)]
        sizes = [max(map(abs, row)) for row in scaled]
        target, *table = (nearest(row, size) for row, size in zip(scaled, sizes, strict=True))
        matrix = np.array([row[1:] for row in table]).reshape(len(rows), self.dimension)
        solved = linprog(
            -target[1:],
            A_ub=-matrix,
            b_ub=np.array([row[0] for row in table]),
            bounds=[
                tuple(None if v is None else v / (self.scale << unit) for v in pair)
                for pair in zip(self.low, self.high, strict=True)
            ],
            method="highs",
        )
        if solved.status != 0:
            return None
        if target[0] - solved.fun > 0:
            best = _homogeneous([Fraction(v) * 2**unit for v in solved.x.tolist()])
            beyond = [*cell.walls, (objective, sum(map(abs, objective[1:])), -1)]
            for share in (30, 20, 10, 5, 2):
                point = _between(best, cell.witness, share)
                if self._strictly_inside(point, beyond):
                    return self._short(point, beyond), None
        multipliers = np.maximum(-solved.ineqlin.marginals, 0)
        used = [i for i, m in enumerate(multipliers.tolist()) if m > 1e-11]
        guess = {i: Fraction(multipliers[i].item()) * sizes[0] / sizes[i + 1] for i in used}
        if not self._proved(objective, rows, guess):
            slope = target[1:] + multipliers @ matrix
            guess = _corrected(objective, rows, guess, np.flatnonzero(np.abs(slope) < 1e-7).tolist())
            if not self._proved(objective, rows, guess):
                return None
        return None, [walls[i][2] for i, m in guess.items() if m and i < len(cell.walls)]

    def _proved(self, objective: Row, rows: Sequence[Row], multipliers: dict[int, Fraction]) -> bool:
        """Are the multipliers nonnegative, and objective + sum of multiplier * row at most 0 on the box?"""
        numerators, scale = common(multipliers.values())
        total = [scale * v for v in objective]
        for i, m in zip(multipliers, numerators, strict=True):
            if m < 0:
                return False
            total = [t + m * v for t, v in zip(total, rows[i], strict=True)]
        top = self._top(total)
        return top is not None and top <= 0

    def _top(self, row: Sequence[int], sign: int = 1) -> int | None:
        """The supremum of sign * form on the box, times self.scale; None for infinity."""
        total = sign * row[0] * self.scale
        for a, low, high in zip(row[1:], self.low, self.high, strict=True):
            if a:
                side = high if a * sign > 0 else low
                if side is None:
                    return None
                total += sign * a * side
        return total

    def _strictly_inside(self, point: Row, walls: Sequence[_Wall]) -> bool:
        s = point[0]
        for v, low, high in zip(point[1:], self.low, self.high, strict=True):
            if (low is not None and v * self.scale <= low * s) or (high is not None and v * self.scale >= high * s):
                return False
        return all(dot(row, point) > 0 for row, _, _ in (*walls, *self.rows))

    def _side_rows(self) -> list[Row]:
        """The sides of the box as rows."""
        found = []
        for j, pair in enumerate(zip(self.low, self.high, strict=True)):
            for bound, sign in zip(pair, (1, -1), strict=True):
                if bound is not None:
                    slope = [0] * self.dimension
                    slope[j] = sign * self.scale
                    found.append(_divided((-sign * bound, *slope)))
        return found

    # ---- forms ------------------------------------------------------------------------------------------------

    def form(self, row: Row) -> _Form:
        row = _divided(row)
        lead = next((a for a in row[1:] if a), 0)
        if not lead:
            return _Form(row, 0, row[1:], Fraction(0), 0, (row[0] > 0) - (row[0] < 0))
        slope = gcd(*row[1:]) * (1 if lead > 0 else -1)
        direction, place = tuple(a // slope for a in row[1:]), Fraction(-row[0], slope)
        sign = None
        for side in (1, -1):
            top = self._top(row, -side)
            if top is not None and top <= 0:
                sign = side
        return _Form(row, sum(map(abs, row[1:])), direction, place, 1 if slope > 0 else -1, sign)


# ---- small things -------------------------------------------------------------------------------------------------


def dot(row: Sequence[int], point: Sequence[int]) -> int:
    return sum(map(mul, row, point))


def _divided(row: Sequence[int]) -> Row:
    divisor = gcd(*row)
    return tuple(row) if divisor <= 1 else tuple(v // divisor for v in row)


def _homogeneous(point: Sequence[Fraction]) -> Row:
    numerators, scale = common(point)
    return (scale, *numerators)


def _halfway(p: Row, at_p: int, q: Row, at_q: int) -> Row:
    """The middle between p and the point of the segment pq where a form vanishes that changes its sign on it."""
    a, b = abs(at_q), abs(at_p)
    zero = [a * x + b * y for x, y in zip(p, q, strict=True)]
    return tuple(zero[0] * x + p[0] * y for x, y in zip(p, zero, strict=True))


def _between(p: Row, q: Row, share: int) -> Row:
    """p moved towards q by 2**-share of the way."""
    a, b = ((1 << share) - 1) * q[0], p[0]
    return tuple(a * x + b * y for x, y in zip(p, q, strict=True))


def _narrowed(strips: _Strips, form: _Form, sign: int) -> _Strips:
    """The strips where the form has this sign."""
    low, high = strips.get(form.direction, (None, None))
    if form.turn * sign > 0:
        low = form.place if low is None else max(low, form.place)
    else:
        high = form.place if high is None else min(high, form.place)
    return {**strips, form.direction: (low, high)}


def _corrected(
    objective: Row, rows: Sequence[Row], guess: dict[int, Fraction], columns: Sequence[int]
) -> dict[int, Fraction]:
    """Multipliers of the same rows with which these columns of objective + sum vanish exactly, if there are any."""
    used = list(guess)
    if not used or not columns:
        return guess
    table = [[*(fmpq(rows[i][j + 1]) for i in used), fmpq(-objective[j + 1])] for j in columns]
    reduced, rank = fmpq_mat(table).rref()
    found = dict(guess)
    for row in reduced.tolist()[:rank]:
        entries = [Fraction(int(v.p), int(v.q)) for v in row]
        pivot = next(k for k, v in enumerate(entries) if v)
        if pivot == len(used):
            return guess  # they contradict each other
        rest = (v * guess[i] for v, i in zip(entries[pivot + 1 :], used[pivot + 1 :], strict=False))
        found[used[pivot]] = entries[-1] - sum(rest, Fraction(0))
    return found


def sufficient_coordinates(rows: Sequence[Row], dimension: int) -> list[int]:
    """Coordinates that suffice: with all others at 0, the forms still take all values they can take together."""
    if dimension <= len(rows):
        return list(range(dimension))
    return pivots([r[1:] for r in rows])
