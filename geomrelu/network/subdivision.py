"""All cells of a ReLU network at once: a double description in arrays, neuron by neuron, exact.

A *generator* is a homogeneous integer vector v = (s, y), s >= 0: the point y/s, or the ray y for s = 0. The network
with its biases multiplied by s is continuous and positively homogeneous, so every neuron has one value z(v) at a
generator, whatever cell it is seen from (on a ray of a cell relu(z) is the cell's own linear map: z has the sign
there that it has on the closed cell). A *cell* is the list of its generators. A neuron cuts the cells where it takes
both signs; each edge that crosses the cut gives one new generator, shared by all cells around that edge. The step is
the same for every cell, so that NumPy takes it for a whole block of cells at once.

**Coordinates** are floats v̂ with a proven error bound e: |v̂ - v| <= e in each coordinate, for some positive multiple
v of the generator, |v̂| <= 1, both in units of the domain (powers of two). Integers are computed on demand, where a
sign is not proved or where they are asked for: without lines, a generator is the only solution, up to scale, of all
constraints and forms that vanish there. They are correctly rounded, so that e = 4u pays for all, u = 2**-53. Where a
form f, |f|_1 = F, vanishes on the edge from p to q, with f(p) = a > 0 and f(q) = -b < 0, lies p + t (q - p) for
t = a / (a + b). With e the larger error of both ends, the computed a and b are wrong by at most
d = F (e + (n + 16) u): the error of the ends, 8u for the coefficients and n + 4 roundings; so t by at most

    |a (b + δ) - b (a + ε)| / ((a + b) (a* + b*)) <= d / (a + b - 2d)    for computed a, b >= 0, |δ|, |ε| <= d,

and the new coordinates by at most e + (|q̂ - p̂| + 2e) d / (a + b - 2d), and 16u for rounding. Edges are short where
cells are small: the error grows by the slant of f to the edge only. The factor 1 + 2**-20 pays for rounding the bound
itself, as a + b > 4d is required. A result that is not good enough is computed from the integers of both ends.

**Signs.** Let ν_l = |W_l| ν_{l-1} + |b_l| s + tiny, from one unit in all coordinates: z_l changes by at most e ν_l when
these change by e, as relu is 1-Lipschitz. With |δ| <= u at each rounding and K_0 = 1, K_l = K_{l-1} + fan-in + 3, the
computed value satisfies |ẑ_l - z_l(v̂)| <= ((1+u)^K_l - 1) ν_l. *Proof.* Suppose it for the variables before layer l;
it holds for h = relu(z), and |ĥ| <= (1+u)^K ν, K = K_{l-1}. A sum of m = fan-in + 1 products, in any order, fused
or not, multiplies each product by at most m factors 1+δ, the rounding of the weight is one more, so

    |ẑ - z| <= Σ|w| (|ĥ| ((1+u)^(m+1) - 1) + |ĥ - h|) <= Σ|w| ν ((1+u)^(K+m+1) - (1+u)^K + (1+u)^K - 1)

and an underflow adds at most m 2**-1022 <= u tiny, which the last factor pays. The computed ν̂, a sum of nonnegative
terms with as many roundings, is at least (1-u)^K_l ν_l. For K u <= 1/8 both errors together are less than
(1.1 K u + e) ν <= (2 K u + 2 e) ν̂, and |ẑ| above that proves the sign of z. (Weights that underflow have infinite
magnitude; an overflow makes the comparison false.) A sign not proved comes from the integers of the generator and the
affine form of the neuron on a cell: one product of integer matrices for all cells at once, backwards through the
layers, in digits so small that floats hold every sum of their products exactly. □

**Edges.** Two generators of a cell span an edge if and only if no third one lies on all constraints that both lie on
(the combinatorial test of the double description method). Any neuron already resolved keeps one sign on a cell, so
its zero set is a face; the table of zeros, one bit a neuron, is common to all cells. If p lies on no more constraints
than its dimension asks for, these are independent, and one less in common with q proves the edge. A new generator,
inside an edge, lies on exactly those resolved neurons that both ends lie on, and on the one that cuts.

**Lines.** On the lineality space of the domain a neuron changes at the same rate in every cell, that of its direct
weights on the inputs: all it reads besides is constant there, or the space would have been cut by an earlier neuron.
A neuron that crosses a line therefore cuts every cell: all generators slide along the line onto its hyperplane, and
the line becomes a ray on each side.

Exact: everything. Cost: per neuron and block some hundred array operations, or some microseconds for each new cell with
the compiled kernel (:mod:`geomrelu.native.cells`); for each generator that is computed exactly, an elimination, or some
ten operations on integers. Memory: the blocks on the way down, each at most :data:`LARGEST` incidences, depth first.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from operator import mul
from typing import cast

import numpy as np

from geomrelu.budget import Budget
from geomrelu.exact.affine import affordable
from geomrelu.exact.cddlib import Row
from geomrelu.exact.elimination import kernel, pivots, reduced
from geomrelu.native import library
from geomrelu.native.cells import DONE, DOUBT, PAUSE, UNDONE, Cutter
from geomrelu.network.compiled import TINY, UNIT, UNKNOWN, Compiled
from geomrelu.network.ragged import bits, counted, cross, distinct, expanded, portions, starts_of

__all__ = ["Block", "finish", "prefixes", "subdivide"]

LARGEST = 1 << 16  # incidences (generators of cells, counted with repetition) of a block before it is halved
_PAIRS = 1 << 20  # pairs of generators that are compared at once
_FINE = 2.0**-30  # coordinates with larger errors are found from their equations (compiled only),
_ROUGH = 2.0**-16  # and those with larger ones than this are computed exactly at once,
_PATIENCE = 1 << 14  # cells that the compiled kernel makes between two looks at the clock
_OFTEN = 32  # and so are all, once integers had to decide for more than one generator in so many


# ---- a block of cells -----------------------------------------------------------------------------------------------


@dataclass
class Block:
    """Some cells, all resolved up to the same neuron.

    Attributes:
        near: float64 (generators, 1 + inputs + 1), their coordinates in units, and last their error bound.
        known: their primitive integers, where these are known.
        zeros: for each generator the bits of the constraints and resolved neurons it lies on.
        starts, members: cell c has the generators ``members[starts[c]:starts[c+1]]``.
        signs: int8 (cells, neurons), filled in up to ``neuron``.
        lines: a basis of the lineality space.
        neuron: the first neuron that is not resolved.
        outlook: signs of the neurons of its layer at the generators (see :meth:`Compiled.outlook`), once asked for.
        rough: are there generators whose integers are not known?
        doubts: for how many signs and generators integers had to decide.
        cutter: the compiled kernel while it is at work; the cells are those before it began.
        budget: how long all of it may take; within a step it is looked at as well.
        dead: cells that have been cut and wait to be swept out by :meth:`compact`; their halves stand behind them.
    """

    compiled: Compiled
    known: list[Row | None]
    near: np.ndarray
    zeros: np.ndarray
    starts: np.ndarray
    members: np.ndarray
    signs: np.ndarray
    lines: list[Row]
    dimension: int
    neuron: int = 0
    layer: int = -1
    outlook: np.ndarray | None = None
    dead: np.ndarray = field(default_factory=lambda: np.zeros(1, dtype=bool))
    rough: bool = False
    doubts: int = 0
    cutter: Cutter | None = None
    budget: Budget = field(default_factory=Budget)

    @property
    def cells(self) -> int:
        return len(self.starts) - 1

    def forms(self, homes: np.ndarray) -> list[list[int]]:
        """The pending neuron on some cells: integer rows at one positive scale."""
        return self.compiled.forms(self.signs[homes], self.layer, self.neuron - self.compiled.first[self.layer])

    def values(self, generators: np.ndarray) -> list[int]:
        """The pending neuron at some generators, in integers at one positive scale."""
        forms, rows = self.forms(self.homes()[generators]), self._exact(generators)
        return [sum(map(mul, form, row)) for form, row in zip(forms, rows, strict=True)]

    def homes(self) -> np.ndarray:
        """For each generator one of the cells that it belongs to."""
        if self.cutter is not None:
            return self.cutter.home
        found, counts = np.empty(len(self.known), dtype=np.int64), np.diff(self.starts)
        alive = (~self.dead).repeat(counts)
        found[self.members[alive]] = np.arange(self.cells).repeat(counts)[alive]
        return found

    @property
    def rows(self) -> list[Row]:
        """The generators in primitive integers."""
        if self.rough:
            self._exact(np.arange(len(self.known)))
            self.rough = False
        return cast(list[Row], self.known)

    def _exact(self, generators: np.ndarray) -> list[Row]:
        """Some generators in primitive integers."""
        new = [g for g in generators.tolist() if self.known[g] is None]
        if new:
            rows = self._solved(np.array(new))
            self.near[new] = self.compiled.rounded(rows)
            for g, row in zip(new, rows, strict=True):
                self.known[g] = row
        return cast(list[Row], [self.known[g] for g in generators.tolist()])

    def _solved(self, generators: np.ndarray) -> list[Row]:
        """Generators as the only solutions, up to scale, of the constraints and forms that vanish there."""
        compiled, signs = self.compiled, self.signs[self.homes()[generators]]
        systems: list[list[Sequence[int]]] = [[*compiled.domain.equalities] for _ in range(len(generators))]
        tight = bits(self.zeros[generators])
        for k in np.flatnonzero(tight.any(axis=0)).tolist():
            self.budget.poll()
            there = np.flatnonzero(tight[:, k])
            if k < len(compiled.rows):
                forms: Sequence[Sequence[int]] = [compiled.rows[k]] * len(there)
            else:
                l = bisect(compiled.first, k - len(compiled.rows)) - 1
                forms = compiled.forms(signs[there], l, k - len(compiled.rows) - compiled.first[l])
            for g, form in zip(there.tolist(), forms, strict=True):
                systems[g].append(form)
        largest = np.abs(self.near[generators, :-1]).argmax(axis=1)
        positive = self.near[generators, largest] > 0
        found = []
        for system, k, sign in zip(systems, largest.tolist(), positive.tolist(), strict=True):
            self.budget.poll()
            row = kernel(system)
            found.append(row if (row[k] > 0) == sign else tuple(-v for v in row))
        return found

    def _outlook(self, near: np.ndarray) -> np.ndarray:
        return self.compiled.outlook(near, self.layer, self.neuron - self.compiled.first[self.layer])

    def along(self, line: Row) -> int:
        """The rate of the pending neuron along a line: only its direct weights on the inputs count."""
        layer = self.compiled.layers[self.layer]
        weights = layer.forms[self.neuron - self.compiled.first[self.layer]][1]
        return sum(w * line[j] for j, w in enumerate(weights, layer.low) if j <= self.compiled.inputs)

    # ---- one neuron -----------------------------------------------------------------------------------------------

    def resolve(self) -> int:
        """Resolve the pending neuron on all cells; how many new cells that makes.

        Raises:
            Exhausted: the time is over.
        """
        compiled = self.compiled
        self._open()
        if self.outlook is None:
            self.outlook = self._outlook(self.near)
        if self.lines:
            rates = [self.along(line) for line in self.lines]
            if any(rates):
                return self._cross_line(rates)
        column = self.outlook[:, self.neuron - compiled.first[self.layer]]
        unknown = (column == UNKNOWN).nonzero()[0]
        if len(unknown):
            column[unknown] = self._decided(unknown)
        signs = column[self.members]
        lowest = np.minimum.reduceat(signs, self.starts[:-1])
        highest = np.maximum.reduceat(signs, self.starts[:-1])
        self.signs[:, self.neuron] = np.where(highest > 0, highest, lowest)
        cut = ((lowest < 0) & (highest > 0) & ~self.dead).nonzero()[0]
        if len(cut):
            self._cut(cut, signs)
        self.neuron += 1
        return len(cut)

    def _decided(self, generators: np.ndarray) -> np.ndarray:
        """The signs of the pending neuron at some generators, by integers; zeros are marked."""
        self.doubts += len(generators)
        signs = np.array([(v > 0) - (v < 0) for v in self.values(generators)], dtype=np.int8)
        self._mark(generators[signs == 0])
        return signs

    def _mark(self, generators: np.ndarray | slice) -> None:
        at = self.compiled.bit(self.neuron)
        self.zeros[generators, at >> 6] |= np.uint64(1 << (at & 63))

    def _open(self) -> None:
        """Go on to the next layer that has neurons."""
        compiled = self.compiled
        while self.layer < 0 or self.neuron == compiled.first[self.layer + 1]:
            self.layer += 1
            self.outlook = None

    def _cut(self, cut: np.ndarray, signs: np.ndarray) -> None:
        places, counts = expanded(self.starts, cut)
        own, signs, count = self.members[places], signs[places], len(cut)
        owner = np.arange(count).repeat(counts)
        cells, fresh, above, below, homes = self._edges(cut, owner, own, signs)
        fresh += len(self.known)
        self._append(above, below, homes)
        minus, plus = signs <= 0, signs >= 0
        half = np.concatenate([owner[minus], cells, owner[plus] + count, cells + count])
        order = half.argsort(kind="stable")
        members = np.concatenate([own[minus], fresh, own[plus], fresh])[order]
        ends = np.bincount(half, minlength=2 * count).cumsum() + self.starts[-1]
        rows = self.signs[cut]
        self.dead[cut] = True
        self.dead = np.concatenate([self.dead, np.zeros(2 * count, dtype=bool)])
        self.members = np.concatenate([self.members, members])
        self.starts = np.concatenate([self.starts, ends])
        self.signs = np.concatenate([self.signs, rows, rows])
        self.signs[-2 * count : -count, self.neuron] = -1
        if 3 * np.count_nonzero(self.dead) > len(self.dead):
            self.compact()

    def compact(self) -> None:
        """Sweep out the dead cells."""
        if not self.dead.any():
            return
        alive = (~self.dead).nonzero()[0]
        places, counts = expanded(self.starts, alive)
        self.members, self.starts, self.signs = self.members[places], starts_of(counts), self.signs[alive]
        self.dead = np.zeros(len(alive), dtype=bool)

    @property
    def _often(self) -> bool:
        """Do integers have to decide so often that all generators are computed exactly at once?"""
        return self.doubts * _OFTEN > len(self.known)

    def _edges(self, cut: np.ndarray, owner: np.ndarray, own: np.ndarray, signs: np.ndarray) -> tuple[np.ndarray, ...]:
        """All edges that cross, and which of them each cut cell has.

        Args:
            cut, owner, own, signs: the cells; the position there, the generator and its sign for each incidence.

        Returns:
            ``(position in cut, number of the edge)``, by position, then per edge ``(end above, end below, one cell)``.
        """
        above, below = (signs > 0).nonzero()[0], (signs < 0).nonzero()[0]
        n_below = np.bincount(owner[below], minlength=len(cut))
        below_starts = starts_of(n_below)
        least = self.dimension - len(self.lines) - 1  # an edge lies on so many independent constraints
        found, pairs = [], max(1, _PAIRS // self.zeros.shape[1])  # as many at once as memory allows
        for first, last in portions(n_below[owner[above]], pairs):
            self.budget.poll()
            i, j = cross(owner[above[first:last]], below_starts)
            some = above[first:last][i]
            cells, p, q = owner[some], own[some], own[below[j]]
            if least > 0:
                likely = counted(self.zeros[p] & self.zeros[q]) >= least
                cells, p, q = cells[likely], p[likely], q[likely]
            found.append((cells, p, q))
        cells, p, q = (np.concatenate(part) for part in zip(*found, strict=True)) if len(found) > 1 else found[0]
        # an edge of one cell is an edge of every cell that holds its ends: one test is enough
        seen, which = distinct(p * len(self.known) + q)
        p, q, homes = p[seen], q[seen], cut[cells[seen]]
        common = self.zeros[p] & self.zeros[q]
        edge = (counted(common) == least) & (counted(self.zeros[p]) == least + 1)
        if edge.all():
            return cells, which, p, q, homes
        rest = (~edge).nonzero()[0]
        common, of = common[rest], homes[rest]
        for first, last in portions(self.starts[of + 1] - self.starts[of], pairs):
            self.budget.poll()
            pair, place = cross(of[first:last], self.starts)
            face = common[first:last][pair]
            on_it = ((self.zeros[self.members[place]] & face) == face).all(axis=1)
            edge[rest[first:last]] = np.bincount(pair[on_it], minlength=last - first) == 2  # its two ends and no third
        mine = edge[which]
        return cells[mine], (np.cumsum(edge) - 1)[which[mine]], p[edge], q[edge], homes[edge]

    def _append(self, above: np.ndarray, below: np.ndarray, homes: np.ndarray) -> None:
        """New generators, where the pending neuron vanishes on edges of cells."""
        compiled = self.compiled
        if self.lines or self._often:
            near, good = np.empty((len(above), self.near.shape[1])), np.zeros(len(above), dtype=bool)
        else:
            near, good = self._between(above, below, homes)
        known: list[Row | None] = [None] * len(above)
        bad = (~good).nonzero()[0]
        if len(bad):
            rows = self._crossings(above[bad], below[bad], homes[bad])
            near[bad] = compiled.rounded(rows)
            for k, row in zip(bad.tolist(), rows, strict=True):
                known[k] = row
        self.rough |= len(bad) < len(above)
        first = len(self.known)
        self.known += known
        self.near = np.concatenate([self.near, near])
        self.zeros = np.concatenate([self.zeros, self.zeros[above] & self.zeros[below]])
        self.outlook = np.concatenate([self.outlook, self._outlook(near)])
        self._mark(slice(first, None))

    def _crossings(self, above: np.ndarray, below: np.ndarray, homes: np.ndarray) -> list[Row]:
        """New generators in integers."""
        self.doubts += len(above)
        ends = self._exact(above), self._exact(below)
        return [_crossing(form, p, q) for form, p, q in zip(self.forms(homes), *ends, strict=True)]

    def _between(self, above: np.ndarray, below: np.ndarray, homes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """New generators in floats, with their error bounds; which of them are good enough."""
        compiled = self.compiled
        with np.errstate(all="ignore"):
            form = compiled.slopes(self.signs[homes], self.layer, self.neuron - compiled.first[self.layer])
            ends = self.near[np.array([above, below])]
            error, ends = ends[:, :, -1].max(axis=0), ends[:, :, :-1]
            a, b = (form * ends).sum(axis=2)
            size, span, step = np.abs(form).sum(axis=1), a - b, ends[1] - ends[0]
            doubt = size * (error + (compiled.inputs + 16) * UNIT)
            near = np.empty((len(form), form.shape[1] + 1))
            points = near[:, :-1]
            np.add(ends[0], (a / span)[:, None] * step, out=points)
            error += (np.abs(step).max(axis=1) + 2 * error) * (doubt / (span - 2 * doubt)) + 16 * UNIT
            near[:, -1] = error * (1 + 2.0**-20)
            largest = np.abs(points).max(axis=1)
            if (small := largest < 0.5).any():
                near[small] /= largest[small, None]
            good = (a >= 0) & (b <= 0) & (span > 4 * doubt) & (size > TINY) & (near[:, -1] < _ROUGH)
        return near, good

    def _cross_line(self, rates: list[int]) -> int:
        """The neuron crosses a line, so it cuts every cell: see the head of the module."""
        crossing = next(k for k, rate in enumerate(rates) if rate)
        line, rate = self.lines[crossing], rates[crossing]
        if rate < 0:
            line, rate = tuple(-v for v in line), -rate
        self.compact()
        count, cells = len(self.known), self.cells
        values = self.values(np.arange(count))
        rows = [_slid(row, v, line, rate) for row, v in zip(self.rows, values, strict=True)]
        self.lines = [
            _slid(d, r, line, rate) for k, (d, r) in enumerate(zip(self.lines, rates, strict=True)) if k != crossing
        ]
        self._mark(np.arange(count))
        constant = np.zeros((1, self.compiled.words), dtype=np.uint64)
        for k in range(self.compiled.bit(self.neuron)):
            constant[0, k >> 6] |= np.uint64(1 << (k & 63))
        self.known = [*rows, tuple(-v for v in line), line]
        self.near = self.compiled.rounded(self.rows)
        self.zeros = np.concatenate([self.zeros, constant, constant])
        self.outlook = self._outlook(self.near)
        sides = [np.insert(self.members, self.starts[1:], ray) for ray in (count, count + 1)]
        sizes = np.diff(self.starts) + 1
        self.members = np.concatenate(sides)
        self.starts = starts_of(np.concatenate([sizes, sizes]))
        self.signs = np.concatenate([self.signs, self.signs])
        self.signs[:cells, self.neuron], self.signs[cells:, self.neuron] = -1, 1
        self.dead = np.zeros(2 * cells, dtype=bool)
        self.neuron += 1
        return cells

    # ---- one layer, compiled ------------------------------------------------------------------------------------

    def resolve_layer(self, largest: int) -> None:
        """What :meth:`resolve` does, by the compiled kernel, until the layer ends or the block has become too large.

        Raises:
            Exhausted: the budget has ended.
        """
        budget = self.budget
        self._open()
        self.compact()
        compiled, first = self.compiled, self.compiled.first[self.layer]
        largest = max(largest, len(self.members))  # a cell may be larger than that
        self.cutter = cutter = Cutter(
            [layer.sheet for layer in compiled.layers[: self.layer + 1]],
            compiled.units,
            self.near,
            self.zeros,
            self.starts,
            self.members,
            self.signs,
            self.homes(),
            compiled.facets,
            compiled.wrong,
            constraints=len(compiled.rows),
            dimension=self.dimension,
            neuron=self.neuron - first,
            unit=UNIT,
            tiny=TINY,
            fine=_FINE,
            rough=_ROUGH,
        )
        patience = _PATIENCE if budget.regions is None else 0
        state = PAUSE
        while state != DONE and not (state == PAUSE and cutter.incidences > largest):  # TIRED: look at the clock
            state, fresh = cutter.run(largest, patience, not self._often)
            self.known += [None] * (len(cutter.near) - len(self.known))
            self.near, self.zeros, self.neuron = cutter.near, cutter.zeros, first + cutter.neuron
            if state == DOUBT:
                unknown = cutter.unknown()
                cutter.decide(unknown, self._decided(unknown))
            elif state == UNDONE:
                self._complete(cutter, *cutter.undone())
            budget.spend(fresh)
        self.starts, self.members, self.signs = cutter.result()
        self.near, self.zeros, self.dead = self.near.copy(), self.zeros.copy(), np.zeros(self.cells, dtype=bool)
        self.rough, self.outlook, self.cutter = True, None, None

    def _complete(self, cutter: Cutter, generators: np.ndarray, ends: np.ndarray) -> None:
        """Generators of the neuron before the pending one, which floats do not find well enough."""
        self.neuron -= 1
        rows = self._crossings(ends[:, 0], ends[:, 1], self.homes()[generators])
        self.neuron += 1
        for g, row in zip(generators.tolist(), rows, strict=True):
            self.known[g] = row
        cutter.place(generators, self.compiled.rounded(rows))

    # ---- parts ------------------------------------------------------------------------------------------------------

    def part(self, first: int, last: int) -> Block:
        """The cells ``first..last`` with their own generators."""
        self.compact()
        members = self.members[self.starts[first] : self.starts[last]]
        used, members = np.unique(members, return_inverse=True)
        return replace(
            self,
            known=[self.known[g] for g in used.tolist()],
            near=self.near[used],
            zeros=self.zeros[used],
            starts=self.starts[first : last + 1] - self.starts[first],
            members=members.ravel(),
            signs=self.signs[first:last].copy(),
            dead=np.zeros(last - first, dtype=bool),
            outlook=None if self.outlook is None else self.outlook[used],
            doubts=self.doubts * len(used) // len(self.known),
        )


def _crossing(form: Sequence[int], p: Row, q: Row) -> Row:
    """Where the form vanishes between p, where it is positive, and q, where it is negative."""
    a, b = sum(map(mul, form, p)), sum(map(mul, form, q))
    return reduced([a * y - b * x for x, y in zip(p, q, strict=True)])


def _slid(row: Row, value: int, line: Row, rate: int) -> Row:
    return reduced([rate * x - value * d for x, d in zip(row, line, strict=True)])


# ---- all cells ------------------------------------------------------------------------------------------------------


def _products(rows: Sequence[Row], points: Sequence[Row]) -> np.ndarray:
    """All forms at all points."""
    first, second = (max(max(map(abs, row)) for row in some) for some in (rows, points))
    kind = np.int64 if first * second * len(points[0]) < 1 << 63 else object
    return np.array(rows, dtype=kind) @ np.array(points, dtype=kind).T


def _whole(compiled: Compiled, budget: Budget) -> Block | None:
    domain = compiled.domain
    affordable(domain.likely_generators, "the vertices of the domain", each=500)
    points, lines = domain.extreme_generators
    if not points:
        return None
    compiled.measure(points)
    zeros = np.zeros((len(points), compiled.words), dtype=np.uint64)
    for k, on_it in enumerate(_products(compiled.rows, points) == 0):
        zeros[on_it, k >> 6] |= np.uint64(1 << (k & 63))
    return Block(
        compiled,
        list(points),
        compiled.rounded(points),
        zeros,
        np.array([0, len(points)]),
        np.arange(len(points)),
        np.zeros((1, compiled.neurons), dtype=np.int8),
        list(lines),
        len(pivots([*points, *lines])) - 1,
        budget=budget,
    )


def subdivide(compiled: Compiled, budget: Budget, largest: int | None = None) -> Iterator[Block]:
    """The cells of all layers of a compiled network, block by block, depth first.

    Raises:
        Exhausted: the budget has ended; every cell counts when it is first cut out.
        InputError: the domain has too many generators.
    """
    for block in prefixes(compiled, budget, 1):
        yield from finish(block, budget, largest)


def finish(block: Block, budget: Budget, largest: int | None = None) -> Iterator[Block]:
    """The cells in the cells of a block, as :func:`subdivide` yields them."""
    compiled, block.budget = block.compiled, budget  # in a worker it is another one
    if largest is None:
        largest = min(LARGEST, (1 << 24) // (1 + compiled.inputs + compiled.neurons))
    stack, kernel = [block], library.available()
    while stack:
        block = stack.pop()
        while block.neuron < compiled.neurons:
            if len(block.members) > largest:
                block.compact()
                if len(block.members) > largest and (half := block.cells // 2):
                    stack.append(block.part(half, block.cells))
                    block = block.part(0, half)
                    continue
            if kernel and not block.lines:
                block.resolve_layer(largest)
            else:
                budget.spend(block.resolve())
        block.compact()
        yield block


def prefixes(compiled: Compiled, budget: Budget, parts: int) -> Iterator[Block]:
    """The domain in about so many blocks that are finished apart: its cells for the first neurons, dealt out."""
    block = _whole(compiled, budget)
    if block is None:
        return
    budget.spend(1)
    while parts > 1 and block.cells < 4 * parts and block.neuron < compiled.neurons:
        budget.spend(block.resolve())
        block.compact()
    parts = min(parts, block.cells)
    ends = [block.cells * k // parts for k in range(parts + 1)]
    for first, last in pairwise(ends):
        yield block.part(first, last) if parts > 1 else block
