"""The linear pieces of a network on a polyhedron, exactly: suprema, stability and proofs read off them.

A piece carries the generators of a polyhedron on which every neuron so far keeps its sign. The next neuron is an
affine form there; where it takes both signs, the piece is cut in two by one step of the double description method
(Motzkin et al.): generators on either side stay, and each adjacent pair across the cut gives one new generator. All
numbers are integers (homogeneous generators ``(s, y)``: the point y/s, or the ray y for s = 0), so nothing is rounded
and degenerate positions need no special care. On a piece a form is largest at a generator.

Exact: everything. Cost: one cut a piece, quadratic in the generators of the piece; the number of pieces can grow like
the number of linear regions, so every walk takes a budget.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import gcd
from operator import mul
from typing import Any, NamedTuple, Self, TypeVar

from geomrelu.budget import Budget
from geomrelu.certificates.region import EMPTY, Region, signed
from geomrelu.exact import linear_programs
from geomrelu.exact.cddlib import Row
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.network import Network

__all__ = ["Cell", "Cut", "Extreme", "Highest", "coordinates", "extremes", "likely_pieces", "proofs", "walk"]

COUNTED = 10**30  # pieces: more than any method walks

C = TypeVar("C", bound="Cell")


class Cut(NamedTuple):
    """One step on the way to a piece: the neuron and the side taken, and its form there (integers over a scale)."""

    layer: int
    neuron: int
    sign: int
    row: Row
    scale: int


class Highest(NamedTuple):
    """The supremum of a form: the value at a point, which it is unless the form grows along a ray; and rays along
    which it neither grows nor falls, those of them that are known.
    """

    value: Fraction
    point: tuple[Fraction, ...]
    ray: Row | None
    flat: set[Row]


@dataclass(slots=True, kw_only=True)
class Cell(ABC):
    """A cell of the subdivision, however its points are described.

    Attributes:
        forms: per variable its affine form ``(b, a...)`` on the cell (integers), None for the zero form;
            ``scales[l]`` is the denominator of the forms of layer l (0: inputs).
        cuts: how the cell was cut out of the domain.
    """

    forms: list[Row | None]
    scales: list[int]
    cuts: tuple[Cut, ...] = ()
    pending: list[Row] = field(default_factory=list)  # the forms of the layer that is being resolved

    @abstractmethod
    def sign(self, row: Row) -> int:
        """+1 or -1 if the form keeps this sign on the cell (-1 for the zero form), 0 if it takes both."""

    @abstractmethod
    def split(self, cut_at: tuple[int, int], row: Row, scale: int, budget: Budget) -> tuple[Self, Self]:
        """The parts where the form is <= 0 and >= 0; it must take both signs.

        Raises:
            Exhausted: the time is over.
        """

    @abstractmethod
    def highest(self, row: Row) -> Highest:
        """The supremum of the form on the cell."""


def coordinates(dimension: int) -> list[Row | None]:
    """The inputs as forms of themselves."""
    return [tuple(int(j == i + 1) for j in range(dimension + 1)) for i in range(dimension)]


@dataclass(slots=True, kw_only=True)
class Piece(Cell):
    """A cell by its generators.

    Attributes:
        generators, tight: homogeneous generators, and for each the bit set of the constraints it lies on.
        lines: generators of the lineality space. flats: how many equalities the domain has.
    """

    generators: list[Row]
    tight: list[int]
    lines: list[Row]
    constraints: int
    flats: int = 0

    def values(self, row: Row) -> list[int]:
        return [sum(map(mul, row, g)) for g in self.generators]

    def highest(self, row: Row) -> Highest:
        values = self.values(row)
        directions = [(v, g) for v, g in zip(values, self.generators, strict=True) if not g[0]]
        for v, g in zip(self.along_lines(row), self.lines, strict=True):
            directions += [(v, g), (-v, tuple(-x for x in g))]
        tops = [(Fraction(v, g[0]), g) for v, g in zip(values, self.generators, strict=True) if g[0]]
        value, g = max(tops, key=lambda top: top[0])
        growing, flat = [ray[1:] for v, ray in directions if v > 0], {ray[1:] for v, ray in directions if v == 0}
        return Highest(value, tuple(Fraction(y, g[0]) for y in g[1:]), growing[-1] if growing else None, flat)

    def along_lines(self, row: Row) -> list[int]:
        return [sum(map(mul, row, g)) for g in self.lines]

    def sign(self, row: Row) -> int:
        if any(self.along_lines(row)):
            return 0
        values = self.values(row)
        if max(values) <= 0:
            return -1
        return 1 if min(values) >= 0 else 0

    def split(self, cut_at: tuple[int, int], row: Row, scale: int, budget: Budget) -> tuple[Piece, Piece]:
        bit = 1 << self.constraints
        values, lines = self.values(row), self.lines
        generators, tight = self.generators, self.tight
        extra: dict[int, tuple[Row, int]] = {}
        along = self.along_lines(row)
        crossing = next((k for k, v in enumerate(along) if v), None)
        if crossing is not None:
            # a line crosses the hyperplane: move everything else onto it, and the line becomes one ray on each side
            pivot, height = lines[crossing], along[crossing]
            if height < 0:
                pivot, height = tuple(-v for v in pivot), -height
            generators = [_slid(g, v, pivot, height) for g, v in zip(generators, values, strict=True)]
            lines = [
                _slid(g, v, pivot, height) for k, (g, v) in enumerate(zip(lines, along, strict=True)) if k != crossing
            ]
            values = [0] * len(generators)
            extra = {1: (pivot, bit - 1), -1: (tuple(-v for v in pivot), bit - 1)}
        on_it = [(g, t | bit) for g, t, v in zip(generators, tight, values, strict=True) if v == 0]
        on_it += self._between(values, bit, budget)
        sides = []
        for sign in (-1, 1):
            kept = [(g, t) for g, t, v in zip(generators, tight, values, strict=True) if v * sign > 0]
            kept += on_it
            if sign in extra:
                kept.append(extra[sign])
            sides.append(
                replace(
                    self,
                    generators=[g for g, _ in kept],
                    tight=[t for _, t in kept],
                    lines=lines,
                    constraints=self.constraints + 1,
                    cuts=(*self.cuts, Cut(*cut_at, sign, row, scale)),
                )
            )
        return sides[0], sides[1]

    def _between(self, values: list[int], bit: int, budget: Budget) -> list[tuple[Row, int]]:
        """A new generator for each pair of adjacent ones on opposite sides of the cut.

        They span a face of two dimensions more than the lines, on which so many constraints hold with equality.
        """
        generators, tight = self.generators, self.tight
        least = len(generators[0]) - self.flats - len(self.lines) - 2
        above = [k for k, v in enumerate(values) if v > 0]
        below = [k for k, v in enumerate(values) if v < 0]
        found = []
        for p in above:
            budget.poll()
            for n in below:
                common = tight[p] & tight[n]
                if common.bit_count() < least or any(
                    common & t == common for k, t in enumerate(tight) if k != p and k != n
                ):
                    continue  # not adjacent: a third generator lies on the smallest face that holds both
                a, b = values[p], -values[n]
                row = [a * y + b * x for x, y in zip(generators[p], generators[n], strict=True)]
                divisor = gcd(*row)
                found.append((tuple(v // divisor for v in row), common | bit))
        return found


def _slid(generator: Row, value: int, pivot: Row, height: int) -> Row:
    row = [height * g - value * p for g, p in zip(generator, pivot, strict=True)]
    divisor = gcd(*row) or 1
    return tuple(v // divisor for v in row)


def whole(network: Network, domain: Polyhedron) -> Piece:
    points, lines = domain.extreme_generators
    rows = [(1,) + (0,) * network.inputs, *domain.inequalities]  # first s >= 0, on which the rays lie
    tight = [sum(1 << k for k, r in enumerate(rows) if sum(map(mul, r, g)) == 0) for g in points]
    return Piece(
        forms=coordinates(network.inputs), scales=[1], generators=list(points), tight=tight, lines=list(lines),
        constraints=len(rows), flats=len(domain.equalities),
    )  # fmt: skip


def _opened(piece: C, network: Network, layer: int) -> C:
    """The piece with the forms of the next layer on it."""
    blocks, starts = network.blocks[layer], network.starts
    shared = 1
    for b in blocks:
        shared = shared * piece.scales[b] // gcd(shared, piece.scales[b])
    factor = [0] * network.starts[layer]
    for b in blocks:
        factor[starts[b] : starts[b + 1]] = [shared // piece.scales[b]] * (starts[b + 1] - starts[b])
    map_, pending = network.layers[layer - 1], []
    for i in range(map_.outputs):
        bias, columns, entries = map_.row(i)
        total = [bias * shared, *[0] * network.inputs]
        for j, w in zip(columns, entries, strict=True):
            form = piece.forms[j]
            if form is not None:
                f = w * factor[j]
                total = [t + f * v for t, v in zip(total, form, strict=True)]
        pending.append(tuple(total))
    scales = [*piece.scales, shared * map_.denominator]
    return replace(piece, scales=scales, pending=pending)


def _closed(piece: C, active: Sequence[bool]) -> C:
    """The piece once all pending neurons keep their signs: they become variables."""
    outputs = [row if on else None for row, on in zip(piece.pending, active, strict=True)]
    forms = [*piece.forms, *outputs]
    return replace(piece, forms=forms, pending=[])


def walk(network: Network, start: C, up_to: int, budget: Budget) -> Iterator[tuple[int, C]]:
    """Every ``(layer, piece)`` with layers below ``layer`` resolved and ``pending`` the forms of its neurons.

    Depth first: memory is proportional to the depth of the subdivision, not to the number of pieces.
    """
    stack = [(1, 0, _opened(start, network, 1))]
    while stack:
        layer, neuron, piece = stack.pop()
        if neuron == 0:
            budget.spend()
            yield layer, piece
            if layer == up_to:
                continue
        while neuron < len(piece.pending) and piece.sign(piece.pending[neuron]):
            neuron += 1
        if neuron == len(piece.pending):
            active = [piece.sign(row) > 0 for row in piece.pending]
            stack.append((layer + 1, 0, _opened(_closed(piece, active), network, layer + 1)))
            continue
        minus, plus = piece.split((layer, neuron), piece.pending[neuron], piece.scales[-1], budget)
        stack += [(layer, neuron + 1, plus), (layer, neuron + 1, minus)]
        # the neuron index never returns to 0 within a layer: only opening a layer yields


@dataclass(slots=True)
class Extreme:
    """What the pieces say about one neuron.

    Attributes:
        value: its supremum, None for infinity. point: where it is attained (or, for infinity, a point of the domain).
        ray: a direction of growth if the supremum is infinite.
        flat: rays of the pieces along which it neither grows nor falls.
    """

    value: Fraction | None
    point: tuple[Fraction, ...]
    ray: Row | None = None
    flat: set[Row] = field(default_factory=set)


def extremes(
    network: Network,
    domain: Polyhedron,
    up_to: int,
    budget: Budget,
    sign: int = 1,
    start: Cell | None = None,
    only: Collection[int] | None = None,
) -> list[dict[int, Extreme]]:
    """The exact supremum of every neuron of layers 1..up_to on the domain (``sign`` -1: of its negative).

    Args:
        start: the domain as a cell; default: by its generators. only: these of the last layer, and no others.

    Raises:
        Exhausted: the budget has ended.

    Exact: yes. Method: the supremum on all pieces; by generators it is attained at one of them.
    """
    found = [dict[int, Extreme]() for _ in range(up_to)]
    for layer, piece in walk(network, start or whole(network, domain), up_to, budget):
        scale = piece.scales[-1]
        for i in range(len(piece.pending)) if only is None else only if layer == up_to else ():
            row, best = piece.pending[i], found[layer - 1].get(i)
            if best is not None and best.value is None:
                continue
            top = piece.highest(row if sign > 0 else tuple(-v for v in row))
            if best is None or best.value is None or top.value / scale > best.value:
                flat = set() if best is None else best.flat
                best = Extreme(top.value / scale, top.point, None, flat)
                found[layer - 1][i] = best
            best.flat |= top.flat
            if top.ray is not None:
                best.value, best.ray = None, top.ray
    return found


def likely_pieces(network: Network, domain: Polyhedron, up_to: int, killed: Collection[int] = ()) -> int:
    """A guess of the number of pieces below layer ``up_to`` (Zaslavsky's count, layer by layer): to choose a method.

    It is not counted further than :data:`COUNTED`: in thousands of dimensions the numbers have thousands of digits.

    Args:
        killed: layers that are known to be dead as a whole: they cut nothing.
    """
    n, guess = domain.dimension, 1
    for layer, width in enumerate(network.widths[: up_to - 1], 1):
        if layer in killed:
            continue
        regions = chosen = 1
        for k in range(min(n, width)):
            if guess * regions > COUNTED:
                break
            chosen = chosen * (width - k) // (k + 1)
            regions += chosen
        guess *= regions
        if guess > COUNTED:
            break
    return guess


# ---- proofs -----------------------------------------------------------------------------------------------------


def proofs(
    network: Network,
    domain: Polyhedron,
    layer: int,
    limits: dict[int, Fraction],
    budget: Budget,
    start: Cell | None = None,
) -> dict[int, list[dict[str, Any]]]:
    """Proof trees (the checker's grammar) that neuron i of ``layer`` is at most ``limits[i]`` on the domain.

    The limits must hold. Method: the walk again, closing a neuron as soon as default multipliers do, and at a last
    piece by one exact linear program, whose multipliers are the proof.
    """
    trees: dict[int, list[dict[str, Any]]] = {i: [] for i in limits}
    region = Region(network.checked, domain.checked)
    stack = [(1, 0, 1, _opened(start or whole(network, domain), network, 1), region, tuple(limits))]
    while stack:
        level, neuron, first, piece, region, waiting = stack.pop()
        budget.spend()
        node: dict[str, Any] = {"derive": [[at] for at in range(first, layer)]} if first < layer else {}
        region.derive(node.get("derive", []), layer)
        open_ = []
        for i in waiting:
            if _at_most(region.upper_bound(layer, i, {}), limits[i]):
                trees[i].append(dict(node))
            else:
                open_.append(i)
        if not open_:
            continue
        node = {key: list(items) for key, items in node.items()}
        cut = None
        while cut is None:
            if level == layer:
                break
            if neuron == len(piece.pending):
                # as the judge will read it: a neuron that is 0 on a flat piece may count as either
                active = [low is not None and low >= 0 for low, _ in region.bounds(level)[0]]
                level, neuron, piece = level + 1, 0, _opened(_closed(piece, active), network, level + 1)
                continue
            sign = piece.sign(piece.pending[neuron])
            if not sign:
                cut = (level, neuron)
            elif not _sign_known(region, level, neuron):
                side = "lower" if sign > 0 else "upper"
                row = piece.pending[neuron]
                objective = tuple(-v for v in row) if sign > 0 else row
                item = [level, neuron, side, _multipliers(piece, domain, objective, piece.scales[-1])]
                node.setdefault("derive", []).append(item)
                region.derive([item], layer)
            neuron += 1
        if cut is None:
            for i in open_:
                trees[i].append({**node, **_multipliers(piece, domain, piece.pending[i], piece.scales[-1])})
            continue
        for i in open_:
            trees[i].append({**node, "split": ["neuron", *cut]})
        halves = piece.split(cut, piece.pending[cut[1]], piece.scales[-1], budget)
        for half, sign in zip(reversed(halves), (1, -1), strict=True):
            child = region.child(("neuron", *cut), sign)
            stack.append((level, neuron, cut[0] + 1, half, child, tuple(open_)))
    return trees


def _sign_known(region: Region, level: int, neuron: int) -> bool:
    return region.empty or signed(region.bounds(level)[0][neuron])


def _at_most(bound: Any, limit: Fraction) -> bool:
    return bound == EMPTY or (bound is not None and bound <= limit)


def _multipliers(piece: Cell, domain: Polyhedron, objective: Row, scale: int) -> dict[str, Any]:
    """Multipliers of cuts and rows that prove the supremum of ``objective / scale`` on the piece."""
    cuts = [tuple(cut.sign * v for v in cut.row) for cut in piece.cuts]
    outer = domain.inequalities
    best = linear_programs.maximise(objective, [*outer, *cuts], domain.equalities)
    if best.multipliers is None:
        raise ArithmeticError("a form that is bounded on a piece is unbounded by its rows")
    below, above = best.multipliers
    first, last = len(domain.sides), len(outer)
    result: dict[str, Any] = {}
    splits = {str(k - last): m * piece.cuts[k - last].scale / scale for k, m in below.items() if k >= last}
    rows = {str(k - first): m / scale for k, m in below.items() if first <= k < last}
    flats = {str(k): m / scale for k, m in above.items()}
    if domain.given_by_generators:
        rows = flats = {}
    for key, table in (("splits", splits), ("rows", rows), ("equalities", flats)):
        if table:
            result[key] = {k: str(m) for k, m in sorted(table.items())}
    return result
