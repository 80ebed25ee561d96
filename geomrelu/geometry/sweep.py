"""The regions of a hyperplane arrangement, each found exactly once: by the vertex where it is lowest.

Take a functional c that is constant on no line in which hyperplanes meet (*generic*), and let the arrangement be
essential (its normals span R^n). A region on which c is bounded below is lowest at one vertex v.

If v lies on exactly n hyperplanes, exactly one of the 2^n regions around it is lowest there: write c = sum l_i a_i over
the n hyperplanes (Cramer's rule); the region lies on the side sign(l_i) of hyperplane i. The region that is *highest*
there lies on the other side of each.

If more hyperplanes Z meet at v (a *degenerate* vertex), move hyperplane i by an infinitesimal e_i, e_1 >> e_2 >> ...:
v falls apart into one simple vertex for each n-subset of Z that spans, whose signs the chirotope tells (a minor is
linear in the e_i: the first one with a nonzero cofactor decides). Let L be the sign vectors on Z of the regions lowest
at one of them, and H of those highest at one. *The regions lowest at v are the s in L with -s in H*: if x and y are
points of the moved arrangement with signs s and -s on Z, then s_i a_i·(x - y) > 0 for all i in Z, so that s is the
sign vector of a cone at v, and c >= 0 on it since c is bounded below on the moved region s. Conversely a cone at v
survives in the moved arrangement, and so does its opposite.

On the other regions c falls without bound; they are the regions that meet {c = -t} once all vertices are above it:
an arrangement of one dimension less. This is Zaslavsky's count, C(m, n) + ... + C(m, 0), read as an algorithm.

A polyhedral domain adds its facets to the hyperplanes, and only regions on their positive side are wanted: vertices
outside it are dropped at once.

Exact: yes (:mod:`geomrelu.geometry.chirotope`). Cost: that of the vertices. Memory: that of the regions of one
dimension less, and of the vertices that are degenerate.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import comb

import numpy as np

from geomrelu.budget import Budget
from geomrelu.exact.cddlib import Row
from geomrelu.geometry.chirotope import Minors, colexicographic

__all__ = ["Sweep"]


class Sweep:
    """Regions of distinct hyperplanes whose normals span R^n, on the positive side of some of them.

    Args:
        rows: forms (b, a1, ..., an), integers; no two describe the same hyperplane.
        positive: the numbers of those that must be positive.
    """

    def __init__(self, rows: Sequence[Row], positive: Iterable[int], budget: Budget) -> None:
        self.rows = list(rows)
        self.positive = np.array(list(positive), dtype=np.int64)
        self.budget = budget
        self.dimension = len(rows[0]) - 1 if rows else 0
        self.reach = 0
        self.lowest: int | None = None  # the number of regions bounded below, once all are known
        if self.dimension > 1:
            self.minors = Minors(self.rows, self._poll)
            self.functional, self._edges = _generic(self.rows, self._poll)

    def _poll(self) -> None:
        self.budget.poll()

    def regions(self) -> Iterator[np.ndarray]:
        """All regions as sign vectors: arrays (k, m) int8 of entries -1 and +1."""
        if self.dimension <= 1:
            yield from self._inside(self._on_the_line())
            return
        yield from self.bounded_below()
        yield from self.far(-1)

    def bounded_below(self) -> Iterator[np.ndarray]:
        """n > 1: the regions on which the functional is bounded below."""
        moved, count = [], 0
        for subsets, orientation, signs, reach in self.minors.vertices(self.functional, self.positive):
            self.budget.spend(0)
            self.reach = max(self.reach, reach)
            degenerate = np.count_nonzero(signs, axis=1) < signs.shape[1] - self.dimension
            if degenerate.any():
                moved.append(self._moved(subsets[degenerate], orientation[degenerate], signs[degenerate]))
                simple = ~degenerate
                subsets, orientation, signs = subsets[simple], orientation[simple], signs[simple]
            self._descend(subsets, orientation, signs)
            for codes in self._inside(signs):
                count += len(codes)
                yield codes
        if moved:
            lowest, highest, signs = (np.concatenate(parts) for parts in zip(*moved, strict=True))
            for codes in self._inside(signs[np.isin(_keys(lowest), _keys(highest))]):
                count += len(codes)
                yield codes
        self.lowest = count

    def _descend(self, subsets: np.ndarray, orientation: np.ndarray, signs: np.ndarray) -> None:
        """Fill in the sides on which the region lowest at a simple vertex lies of the hyperplanes through it."""
        every = np.arange(len(signs))
        for p in range(self.dimension):
            edge = self._edges[colexicographic(subsets, p)]
            signs[every, subsets[:, p]] = edge * orientation * (-1) ** p

    def _moved(
        self, subsets: np.ndarray, orientation: np.ndarray, signs: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """At the simple vertices into which degenerate ones fall apart: ``(lowest, highest, codes)``.

        ``codes`` are the regions lowest there; ``lowest`` names the vertex and them, ``highest`` the vertex and the
        opposites of the regions highest there.
        """
        zero = signs == 0
        others = zero.copy()
        np.put_along_axis(others, subsets, False, axis=1)
        which, j = np.nonzero(others)
        around = np.sort(np.column_stack([subsets[which], j]), axis=1)
        place = (subsets[which] < j[:, None]).sum(axis=1)
        side = np.zeros(len(which), dtype=np.int8)
        for r in range(self.dimension + 1):
            open_ = np.flatnonzero(side == 0)
            side[open_] = self._chirotope[colexicographic(around[open_], r)] * (-1) ** r
        side *= orientation[which] * np.where(place % 2, -1, 1).astype(np.int8)
        self._descend(subsets, orientation, signs)
        signs[which, j] = -side
        vertex = np.packbits(zero, axis=1)
        highest = np.hstack([vertex, np.packbits(signs > 0, axis=1)])
        signs[which, j] = side
        return np.hstack([vertex, np.packbits(signs > 0, axis=1)]), highest, signs

    @cached_property
    def _chirotope(self) -> np.ndarray:
        """The sign of det(A_S) for every n-subset S, by its colexicographic rank."""
        signs = np.zeros(comb(len(self.rows), self.dimension), dtype=np.int8)
        for subsets, orientation in self.minors.orientations():
            signs[colexicographic(subsets)] = orientation
        return signs

    def _inside(self, signs: np.ndarray) -> Iterator[np.ndarray]:
        if len(self.positive):
            signs = signs[(signs[:, self.positive] > 0).all(axis=1)]
        if len(signs):
            yield signs

    def _on_the_line(self) -> np.ndarray:
        """n = 1: the intervals from left to right (without rows: the one region).

        The points -b/a are sorted in floating point, and again exactly if those are not in order.
        """
        try:
            order = np.argsort([-b / a for b, a in self.rows]).tolist()
        except OverflowError:
            order = list(range(len(self.rows)))
        points = [(-b, a) if a > 0 else (b, -a) for b, a in (self.rows[i] for i in order)]
        if any(p * b >= q * a for (p, a), (q, b) in pairwise(points)):
            order = sorted(range(len(self.rows)), key=lambda i: Fraction(-self.rows[i][0], self.rows[i][1]))
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        right = np.array([1 if a > 0 else -1 for _, a in self.rows], dtype=np.int8)
        return np.where(np.arange(len(order) + 1)[:, None] > rank, right, -right)

    def far(self, side: int) -> Iterator[np.ndarray]:
        """n > 1: the regions on which c is unbounded below (side -1) or above (+1); after :meth:`bounded_below`."""
        yield from Sweep(self._cut(self.rows, side * (self.reach + 1)), self.positive.tolist(), self.budget).regions()

    def count_bounded(self) -> int:
        """How many regions are bounded: those that reach neither end of the functional.

        (A ray of an unbounded region can be taken along a line of the arrangement, where c is not constant.)
        """
        if self.dimension <= 1:
            return sum(map(len, self._inside(self._on_the_line()[1:-1])))
        if self.lowest is None:
            self.lowest = sum(map(len, self.bounded_below()))
        low, high = ({bytes(c) for codes in self.far(side) for c in np.packbits(codes > 0, axis=1)} for side in (-1, 1))
        return self.lowest - len(high - low)

    def _cut(self, rows: Sequence[Row], height: int) -> list[Row]:
        """The forms on the hyperplane {c = height}: its last coordinate is height - sum of the others' c_k x_k."""
        c = self.functional[:-1]
        cut = []
        for b, *a in rows:
            *others, last = a
            cut.append((b + height * last, *(v - last * k for v, k in zip(others, c, strict=True))))
        return cut


def _keys(packed: np.ndarray) -> np.ndarray:
    """Rows of bytes as single values that can be sorted."""
    width = packed.shape[1]
    if width > 8:
        return np.ascontiguousarray(packed).view(f"V{width}").ravel()
    return np.pad(packed, ((0, 0), (0, 8 - width))).view(np.uint64).ravel()


def _generic(rows: Sequence[Row], poll: Callable[[], object]) -> tuple[tuple[int, ...], np.ndarray]:
    """A functional c with last entry 1 that is constant on no line of the arrangement, and its sign along each line.

    The line of an (n-1)-subset T is directed by the cross product of its normals; ``signs[colexicographic(T)]`` is 0
    if the normals are dependent.
    """
    n = len(rows[0]) - 1
    minors = Minors([row[1:] for row in rows], poll)
    parts = list(minors.all(1 << 20))
    subsets = np.concatenate([s for s, _ in parts])
    products = np.concatenate([p for _, p in parts], axis=1)
    error = minors.errors[n - 1]
    zero = (np.abs(products) <= error).all(axis=0)
    if error and zero.any():
        at = np.flatnonzero(zero)
        zero[at] = (minors.exact(subsets[at]) == 0).all(axis=1)
    rank = colexicographic(subsets)
    chance = random.Random(len(rows))
    # small numbers for small numbers; but many lines in many directions leave little room
    least = 1 if max(abs(v) for row in rows for v in row[1:]) < 8 else len(subsets).bit_length() // 2
    for attempt in range(400):
        bits = least + attempt // 4
        c = (*(chance.randrange(-(1 << bits), 1 << bits) for _ in range(n - 1)), 1)
        along = _along(minors, subsets, products, c, zero)
        if along.all():
            break
    else:
        raise ArithmeticError("no generic functional was found")
    signs = np.zeros(len(subsets), dtype=np.int8)
    signs[rank[~zero]] = along
    return c, signs


def _along(minors: Minors, subsets: np.ndarray, products: np.ndarray, c: Sequence[int], zero: np.ndarray) -> np.ndarray:
    """The exact signs of c along the lines that are not ``zero``; cheap first: any 0 ends it."""
    subsets, products = subsets[~zero], products[:, ~zero]
    least, n = min(minors.shift), len(c)
    if max(minors.shift) - least < 400:
        weights = np.array([v * 2.0 ** (least - s) for v, s in zip(c, minors.shift, strict=True)])
        values = weights @ products
        # a sum of n products of numbers that are wrong by at most errors[n - 1]
        size = np.abs(weights).sum()
        bound = (n + 3) * 2.0**-51 * (np.abs(weights) @ np.abs(products)) + 2 * size * minors.errors[n - 1]
        unsure = np.flatnonzero(np.abs(values) <= bound)
    else:
        values = np.zeros(len(subsets))
        unsure = np.arange(len(subsets))
    signs = np.sign(values).astype(np.int8)
    for start, stop in ((0, 1), (1, len(unsure))):  # the first by itself: any 0 ends it
        at = unsure[start:stop]
        exact = (minors.exact(subsets[at]) * np.array(c, dtype=object)).sum(axis=1) if len(at) else np.zeros(0)
        signs[at] = [(v > 0) - (v < 0) for v in exact.tolist()]
        if not signs[at].all():
            break
    return signs
