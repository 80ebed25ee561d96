"""Few inputs: the domain is cut along the kinks of the network, until linear bounds are exact where they have to be.

A neuron whose supremum is exactly 0 is never bounded on halves of a box: its bound is loose around every kink. Here a
part of the domain is a polytope with known vertices, cut out by the signs of earlier neurons. On it a neuron is affine
once the signs of all that it reads are known; its vertices then tell its sign, exactly. The bound of the target goes
back through the layers as the judge does it: neurons of known sign are exact, of the others those that are subtracted
get the line 0 or y below, whichever is right where the target is largest, those that are added the chord. If the bound
is positive at a vertex, where the target is not, then some neurons are loose there: the loosest is cut, or what it
reads. So only kinks that matter are cut, and a part where every sign is known is always settled.

A leaf says the lines, and the multipliers of the few cuts that are tight at the vertex where the bound is largest.
A sign that no cut has fixed, and that a leaf needs, is derived in the same way, at the node below which it holds.

Exact: everything; no floats but to choose cuts. Cost: a part takes some multiplications for each weight that matters.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm
from operator import mul
from typing import Any

from geomrelu.budget import Budget
from geomrelu.certificates.batch import derived
from geomrelu.certificates.files import Claim
from geomrelu.certificates.region import ONE, Region, signed
from geomrelu.exact import linear_programs
from geomrelu.exact.cddlib import Row
from geomrelu.exact.numbers import quotient
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.network import Network
from geomrelu.network.pieces import Piece, whole

__all__ = ["Cuts", "Found", "is_cut"]

MOST_INPUTS = 4  # that vary; with more, the parts are too many
MOST_DIMENSIONS = 10
REMEMBERED = 1 << 14  # values of variables at vertices that are kept
MOST_VERTICES = 5_000  # that the domain may have
ZERO = Fraction(0)
Node = dict[str, Any]
Point = tuple[Fraction, ...]


@dataclass(slots=True)
class Part:
    """A part of the domain.

    Attributes:
        node: of the proof; what it derives as text (:meth:`derive`), which takes a sixth of the memory: most parts
            derive dozens of signs, and there are thousands of parts.
        signs: of variables, where they are known: ``(sign, since which part)``.
        forms: of variables that are affine here: ``(integers over the scale of the layer, since which part)``.
        curved: variables that are not. said, sound: those whose sign, whose form the judge knows, as sets of bits.
        sides: where it has been cut.
    """

    piece: Piece
    node: Node
    signs: dict[int, tuple[int, Part]]
    forms: dict[int, tuple[Row, Part]]
    curved: set[int] = field(default_factory=set)
    said: int = 0
    sound: int = 0
    sides: tuple[Part, ...] = ()

    def derive(self, *items: Any) -> None:
        """Have the node derive more."""
        text = self.node.setdefault("derive", bytearray())
        for item in items:
            text += b"%s%s" % (b"," if text else b"", json.dumps(item).encode())

    def proof(self) -> list[Node]:
        """The tree below, in preorder."""
        nodes, stack = [], [self]
        while stack:
            part = stack.pop()
            nodes.append(part.node)
            stack += reversed(part.sides)
        deriving = [node for node in nodes if "derive" in node]
        texts = json.loads(b"[[%s]]" % b"],[".join(node["derive"] for node in deriving)) if deriving else []
        for node, items in zip(deriving, texts, strict=True):
            node["derive"] = items
        return nodes

    def cut(self, pieces: Sequence[Piece], variable: int) -> tuple[Part, ...]:
        """The sides of a cut, at which the variable is <= 0 and >= 0; they take over what is known here."""
        tables = ((dict(self.signs), dict(self.forms)), (self.signs, self.forms))
        self.sides = tuple(Part(piece, {}, *known) for piece, known in zip(pieces, tables, strict=True))
        for side, sign in zip(self.sides, (-1, 1), strict=True):
            side.signs[variable] = sign, side
            side.said |= 1 << variable
        self.forget()
        return self.sides

    def forget(self) -> None:
        self.signs, self.forms, self.curved = {}, {}, set()


@dataclass(frozen=True, slots=True)
class Bound:
    """An affine bound of the target on a part.

    Attributes:
        row, scale: ``(b, a...)``.
        top, excess: the generator where it is largest, and by how much it is above the limit there.
        needed: variables whose sign the judge must know.
        slopes: below, of the others that are subtracted: layer -> place -> 0 or 1.
        lines: ``(variable, coefficient, slope, height)`` of variables of unknown sign, floats: a bound is
            coefficient * (slope y + height).
    """

    row: Row
    scale: int
    top: Row
    excess: Fraction
    needed: set[int]
    slopes: dict[int, dict[int, int]]
    lines: list[tuple[int, float, float, float]]


@dataclass(frozen=True, slots=True)
class Found:
    """What has become of a neuron.

    Attributes:
        parts: how many were bounded.
        above: a point where it is above the limit; or None, then there is a proof that it is not.
        tight: a point where it is at the limit; None: it is proved to be below.
    """

    parts: int
    above: Point | None = None
    proof: list[Node] = field(default_factory=list)
    tight: Point | None = None


def is_cut(domain: Polyhedron) -> bool:
    """Is it a domain for this?"""
    sides = zip(domain.checked.lower, domain.checked.upper, strict=True)
    varying = sum(low is None or low != high for low, high in sides)
    few = varying <= MOST_INPUTS and domain.dimension <= MOST_DIMENSIONS
    return few and domain.is_bounded and domain.likely_generators <= MOST_VERTICES


class Cuts:
    """The search in one layer: what its neurons share.

    Attributes:
        bounded: has every earlier neuron finite bounds? If not, nothing is found.
    """

    def __init__(self, network: Network, domain: Polyhedron, level: int, root: Region) -> None:
        """``root``: the region of the whole domain."""
        root = root.copy()
        root.derive(derived(level).get("derive", []), level)
        self.network, self.domain, self.level = network, domain, level
        self.model, self.starts, self.inputs = network.checked, network.starts, network.inputs
        self.layer_of = [0] * self.inputs  # of each variable
        for at, width in enumerate(network.widths[:level], 1):
            self.layer_of += [at] * width
        self.scales = [1]  # denominators of the forms of layers
        self.factors: list[dict[int, int]] = [{}]  # from those of the layers that it reads, and (-1) of its biases
        for at in range(1, level + 1):
            blocks = self.model.blocks[at]
            shared = lcm(*(self.scales[b] for b in blocks))
            self.factors.append({b: shared // self.scales[b] for b in blocks} | {-1: shared})
            self.scales.append(shared * network.layers[at - 1].denominator)
        self.bounds: list[tuple[list[tuple[Any, Any]], int]] = [root.bounds(at) for at in range(1, level)]
        self.bounded = all(None not in pair for pairs, _ in self.bounds for pair in pairs)
        self.known: dict[int, int] = {}  # the signs that the judge knows on the whole domain
        for at, (pairs, _) in enumerate(self.bounds, 1):
            signs = ((i, 1 if (low or 0) >= 0 else -1) for i, (low, high) in enumerate(pairs) if signed((low, high)))
            self.known |= {self.starts[at] + i: sign for i, sign in signs}
        self.whole = whole(network, domain)
        self.values: dict[Row, dict[int, int]] = {}

    # ---- one neuron -------------------------------------------------------------------------------------------------

    def search(self, neuron: int, work: int, budget: Budget, limit: Fraction = ZERO) -> Found | None:
        """Is a neuron ever above a limit? None: so many products of weights with coordinates of vertices, about, were
        not enough.

        Raises:
            Exhausted: the budget has ended; it counts parts.
        """
        if not self.bounded:
            return None
        self.target, self.budget, self.limit = neuron, budget, limit
        self.variable = self.starts[self.level] + neuron
        stack, touching = [self._root()], list[tuple[Part, Bound]]()
        try:
            return self._searched(work, stack, touching)
        except RecursionError:  # signs that are derived one from the other, too many of them
            return None
        finally:
            for part in (*stack, *(part for part, _ in touching)):
                part.forget()  # they know of themselves, so they would stay in memory for a while

    def _searched(self, work: int, stack: list[Part], touching: list[tuple[Part, Bound]]) -> Found | None:
        root, parts, tight = stack[0], 0, None
        weights, self.read = self._weights()
        while stack or touching:
            if not stack:  # whether it is ever at the limit is known by now; if not, it shall be shown to stay below
                part, bound = touching.pop()
                if tight is None:
                    stack += self._split(part, self._loosest(part, bound))
                else:
                    self._close(part, bound)
                continue
            work -= weights * len(stack[-1].piece.generators)
            if work < 0:
                return None
            part, parts = stack[-1], parts + 1
            self.budget.spend()
            value, highest = self._highest(part)
            if value > 0:
                return Found(parts, above=_point(highest[0]))
            tight = tight or (None if value else _point(highest[0]))
            bound = self._bounded(part, highest)
            stack.pop()
            if bound.excess > 0:
                stack += self._split(part, self._loosest(part, bound))
            elif bound.excess == 0 > value:
                touching.append((part, bound))
            else:
                self._close(part, bound)
        return Found(parts, None, root.proof(), tight)

    def _highest(self, part: Part) -> tuple[Fraction, list[Row]]:
        """By how much the target is above the limit at vertices, at most, and where."""
        if len(self.values) * self.read > REMEMBERED:
            self.values.clear()
        best, where, scale = ZERO, list[Row](), self.scales[self.level]
        for g in part.piece.generators:
            self.budget.poll()
            value = Fraction(self._value(g, self.variable), g[0] * scale)
            if not where or value >= best:
                where = [*where, g] if where and value == best else [g]
                best = value
        return best - self.limit, where

    def claim(self, neuron: int, found: Found) -> Claim:
        """What a proof shows whose limit was 0."""
        claim: Claim = {"layer": self.level, "neuron": neuron, "status": "dead", "proof": found.proof}
        if found.tight is None:
            return claim | {"stable": True}
        return claim | {"supremum": "0", "stable": False, "point": list(map(str, found.tight))}

    def _root(self) -> Part:
        n = self.inputs
        root = Part(self.whole, {}, {}, {})
        root.derive(*derived(self.level).get("derive", ()))
        root.forms.update((j, (tuple(int(k == j + 1) for k in range(n + 1)), root)) for j in range(n))
        return root

    def _weights(self) -> tuple[int, int]:
        """How many weights the neuron and all that it reads have, and how many these are."""
        total, seen, stack = 0, set[int](), [self.variable]
        while stack:
            columns = self._read(stack.pop())[1]
            total += len(columns)
            fresh = {j for j in columns if j >= self.inputs} - seen
            seen |= fresh
            stack += fresh
        return max(1, total), len(seen)

    def _split(self, part: Part, v: int) -> tuple[Part, ...]:
        at = self.layer_of[v]
        place = at, v - self.starts[at]
        part.node["split"] = ["neuron", *place]
        return part.cut(part.piece.split(place, part.forms[v][0], self.scales[at], self.budget), v)

    # ---- what is known on a part ------------------------------------------------------------------------------------

    def _read(self, v: int) -> Any:
        """Bias, columns and entries of a variable."""
        at = self.layer_of[v]
        return self.model.layers[at - 1].rows[v - self.starts[at]]

    def _value(self, g: Row, v: int, known: dict[int, int] | None = None) -> int:
        """A pre-activation at a generator, over the scale of its layer.

        ``known``: values there that are not kept in :attr:`values`.
        """
        if known is None:
            known = self.values.setdefault(g, {})
        found = known.get(v)
        if found is None:
            bias, columns, entries = self._read(v)
            factors = self.factors[self.layer_of[v]]
            found = bias * factors[-1] * g[0]
            for j, w in zip(columns, entries, strict=True):
                b = self.layer_of[j]
                y = self._value(g, j, known) if b else g[j + 1]
                if y > 0 or not b:
                    found += w * y * factors[b]
            known[v] = found
        return found

    def _form(self, part: Part, v: int) -> Row | None:
        """The form of a variable that is affine."""
        known = part.forms.get(v)
        if known is not None:
            return known[0]
        if v in part.curved:
            return None
        bias, columns, entries = self._read(v)
        factors = self.factors[self.layer_of[v]]
        total = [bias * factors[-1], *[0] * self.inputs]
        for j, w in zip(columns, entries, strict=True):
            b = self.layer_of[j]
            sign = self._sign(part, j) if b else 1
            if sign < 0:
                continue
            form = self._form(part, j) if sign else None
            if form is None:
                part.curved.add(v)
                return None
            f = w * factors[b]
            total = [t + f * x for t, x in zip(total, form, strict=True)]
        part.forms[v] = tuple(total), part
        return part.forms[v][0]

    def _sign(self, part: Part, v: int) -> int:
        """+1 or -1 if it is known, else 0."""
        if v in self.known:
            return self.known[v]
        if v in part.signs:
            return part.signs[v][0]
        form = self._form(part, v)
        if form is None:
            return 0
        values = part.piece.values(form)
        sign = -1 if max(values) <= 0 else int(min(values) >= 0)
        if sign:
            part.signs[v] = sign, part
        return sign

    # ---- bounds -----------------------------------------------------------------------------------------------------

    def _bounded(self, part: Part, highest: list[Row]) -> Bound:
        """The better one of two: with lines that are exact amid the vertices where the target is largest, or all."""
        best = self._bound(part, _amid(highest))
        if best.excess <= 0 or len(highest) == len(part.piece.generators):
            return best
        other = self._bound(part, _amid(part.piece.generators))
        return other if other.excess < best.excess else best

    def _bound(self, part: Part, point: Row) -> Bound:
        """With lines below that are exact at a point."""
        self.budget.poll()
        layer = self.model.layers[self.level - 1]
        bias, columns, entries = layer.rows[self.target]
        constant, scale = bias, layer.denominator
        coefficient: dict[int, int] = dict(zip(columns, entries, strict=True))
        amid: tuple[Row, dict[int, int]] = point, {}
        needed, texts, lines = set[int](), dict[int, dict[int, int]](), list[tuple[int, float, float, float]]()
        for at in range(self.level - 1, 0, -1):
            first = self.starts[at]
            here = {j: c for j, c in coefficient.items() if j >= first and c}
            if not here:
                continue
            coefficient = {j: c for j, c in coefficient.items() if j < first}
            slopes, heights, d, grow = self._lines(part, at, here, amid, scale, needed, texts, lines)
            inner = self.model.layers[at - 1]
            coefficient = {j: c * grow * inner.denominator for j, c in coefficient.items()}
            constant *= grow * inner.denominator
            for j, q in slopes.items():
                b, inner_columns, inner_entries = inner.rows[j - first]
                constant += q * b
                for k, w in zip(inner_columns, inner_entries, strict=True):
                    coefficient[k] = coefficient.get(k, 0) + q * w
            scale *= grow * inner.denominator
            if heights:
                coefficient = {j: c * d for j, c in coefficient.items()}
                constant = constant * d + heights * inner.denominator
                scale *= d
        row = (constant, *(coefficient.get(j, 0) for j in range(self.inputs)))
        value, top = max((Fraction(sum(map(mul, row, g)), g[0] * scale), g) for g in part.piece.generators)
        return Bound(row, scale, top, value - self.limit, needed, texts, lines)

    def _lines(
        self, part: Part, at: int, here: dict[int, int], amid: tuple[Row, dict[int, int]], scale: int, needed: set[int],
        texts: dict[int, dict[int, int]], lines: list[tuple[int, float, float, float]],
    ) -> tuple[dict[int, int], int, int, int]:  # fmt: skip
        """Coefficients on pre-activations times ``grow``, and what the heights of chords add, times ``grow`` and d."""
        pairs, d = self.bounds[at - 1]
        first, slopes, chords, heights = self.starts[at], dict[int, int](), dict[int, tuple[int, int]](), 0
        for j, c in here.items():
            sign = self._sign(part, j)
            if sign and c > 0:
                needed.add(j)
            if not sign and c > 0:
                chords[j] = _chord(*pairs[j - first])
                continue
            slope = sign > 0 if sign else self._value(amid[0], j, amid[1]) > 0
            if c < 0:
                texts.setdefault(at, {})[j - first] = int(slope)
            if not sign:
                lines.append((j, quotient(c, scale), float(slope), 0.0))
            if slope:
                slopes[j] = c
        if not chords:
            return slopes, 0, 1, 1
        slopes = {j: c * ONE for j, c in slopes.items()}
        for j, (above, height) in chords.items():
            slopes[j] = here[j] * above
            heights += here[j] * height
            lines.append((j, quotient(here[j], scale), above / ONE, quotient(height, d * ONE)))
        return slopes, heights, d, ONE

    def _loosest(self, part: Part, bound: Bound) -> int:
        """The variable to be cut: the loosest where the bound is largest, or one that it reads."""
        g, loosest, most = bound.top, -1, -1.0
        for v, c, slope, height in bound.lines:
            y = quotient(self._value(g, v), self.scales[self.layer_of[v]] * g[0])
            loss = c * (slope * y + height - max(y, 0))
            if loosest < 0 or loss > max(0, most):  # beyond the floats it may be no number
                loosest, most = v, loss
        return self._affine(part, loosest)

    def _affine(self, part: Part, v: int) -> int:
        """It, or the neuron of unknown sign below it that is affine and is cut most in the middle."""
        if v in part.forms:
            return v
        found: list[tuple[float, int]] = []
        stack, seen = [v], set[int]()
        while stack:
            for j in self._read(stack.pop())[1]:
                if j < self.inputs or j in seen or self._sign(part, j) < 0:
                    continue
                seen.add(j)
                if self._form(part, j) is None:
                    stack.append(j)
                elif not self._sign(part, j):
                    values = part.piece.values(part.forms[j][0])
                    found.append((min(max(values), -min(values)) / (max(values) - min(values)), j))
        return max(found)[1]

    # ---- what the judge is told -------------------------------------------------------------------------------------

    def _close(self, part: Part, bound: Bound) -> None:
        """Make it a leaf."""
        part.node |= self._multipliers(part, part, bound.row, bound.scale, bound.top)
        for v in bound.needed:
            self._say(part, v)
        texts = []
        for at in range(1, self.level):
            table, first = bound.slopes.get(at, {}), self.starts[at]
            table = {i: t for i, t in table.items() if not self._is_said(part, first + i)}
            width = self.network.widths[at - 1] if table else 0
            texts.append("".join("g" if table.get(i) else "0" for i in range(width)))
        if any(texts):
            part.node["slopes"] = texts
        part.forget()
        del part.piece  # only parts below would look at it again

    def _is_said(self, part: Part, v: int) -> bool:
        return v in self.known or (v in part.signs and bool(part.signs[v][1].said >> v & 1))

    def _multipliers(self, part: Part, at: Part, row: Row, scale: int, top: Row) -> Node:
        """Multipliers of what is tight at a generator of a part ``at`` above, which show a form to be largest there."""
        piece, domain = at.piece, self.domain
        outer, sides = domain.inequalities, len(domain.sides)
        tight = next(t for g, t in zip(piece.generators, piece.tight, strict=True) if g == top)
        places = [k - 1 for k in range(1, piece.constraints) if tight >> k & 1]
        rows = []
        for k in places:
            cut = piece.cuts[k - len(outer)] if k >= len(outer) else None
            rows.append(outer[k] if cut is None else tuple(cut.sign * v for v in cut.row))
        below, equal = _balanced(row, rows, domain.equalities)
        tables: dict[str, dict[str, str]] = {"splits": {}, "rows": {}, "equalities": {}}
        for k, m in below.items():
            place = places[k]
            if place >= len(outer):
                cut = piece.cuts[place - len(outer)]
                tables["splits"][str(place - len(outer))] = str(m * cut.scale / scale)
                self._ensure(part, self.starts[cut.layer] + cut.neuron)
            elif place >= sides:
                tables["rows"][str(place - sides)] = str(m / scale)
        tables["equalities"] = {str(k): str(m / scale) for k, m in equal.items()}
        if domain.given_by_generators:
            tables["rows"] = tables["equalities"] = {}
        return {key: table for key, table in tables.items() if table}

    def _ensure(self, part: Part, v: int) -> None:
        """The judge shall see the form of a variable as it is, from the part on where it has become affine."""
        _, since = part.forms[v]
        if since.sound >> v & 1:
            return
        since.sound |= 1 << v
        for j in self._read(v)[1]:
            if j >= self.inputs:
                self._say(part, j)
                if self._sign(part, j) > 0:
                    self._ensure(part, j)

    def _say(self, part: Part, v: int) -> None:
        """The judge shall know the sign of a variable, from the part on where it became known."""
        if self._is_said(part, v):
            return
        sign, since = part.signs[v]
        self._ensure(part, v)
        form, _ = part.forms[v]
        row = form if sign < 0 else tuple(-x for x in form)
        top = max(since.piece.generators, key=lambda g: Fraction(sum(map(mul, row, g)), g[0]))
        at = self.layer_of[v]
        leaf = self._multipliers(part, since, row, self.scales[at], top)
        since.said |= 1 << v
        since.derive([at, v - self.starts[at], "upper" if sign < 0 else "lower", leaf])


def _point(g: Row) -> Point:
    return tuple(Fraction(y, g[0]) for y in g[1:])


def _amid(generators: Sequence[Row]) -> Row:
    return tuple(map(sum, zip(*generators, strict=True)))


def _balanced(form: Row, rows: Sequence[Row], flats: Sequence[Row]) -> tuple[dict[int, Fraction], dict[int, Fraction]]:
    """Multipliers >= 0 of rows (and any of equalities) that make a form constant, where it is largest at a vertex of
    these: by Cramer's rule if the vertex is simple, else by a linear program."""
    if len(rows) == len(form) - 1 and not flats:
        matrix = [row[1:] for row in rows]
        whole, slope = _determinant(matrix), tuple(-v for v in form[1:])
        if whole:
            found = [Fraction(_determinant([*matrix[:k], slope, *matrix[k + 1 :]]), whole) for k in range(len(rows))]
            if min(found) >= 0:
                return {k: m for k, m in enumerate(found) if m}, {}
    best = linear_programs.maximise(form, rows, flats)
    if best.multipliers is None:
        raise ArithmeticError("a form is unbounded at a vertex where it is largest")
    return best.multipliers


def _determinant(rows: Sequence[Row]) -> int:
    if len(rows) == 1:
        return rows[0][0]
    if len(rows) == 2:
        return rows[0][0] * rows[1][1] - rows[0][1] * rows[1][0]
    total = 0
    for j, v in enumerate(rows[0]):
        if v:
            total += (-v if j % 2 else v) * _determinant([row[:j] + row[j + 1 :] for row in rows[1:]])
    return total


def _chord(low: int, high: int) -> tuple[int, int]:
    """Slope and height over an output of unknown sign, times 2^28."""
    above = high * ONE // (high - low)
    return above, high * (ONE - above)
