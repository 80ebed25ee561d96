"""Parts of a domain with bounds of earlier neurons, as proofs are found and judged quickly.

The rules are those of ``checker`` (see its head and FORMAT.md), and so is every bound; the arithmetic is another one,
made for speed: fixed point is packed (:mod:`geomrelu.certificates.fields`), exact bounds are integers over one
denominator a layer, and what many proofs derive first on the whole domain is done once.

Bounds of a layer that fits fixed point are integers in its units, low and high never missing; those of another layer
are integers over a denominator, None where there is none.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import lcm
from typing import Any

from geomrelu import checker
from geomrelu.certificates import norms
from geomrelu.certificates.fields import SIXTEENTHS, UNIT, Fields
from geomrelu.certificates.folding import Folded, replaced
from geomrelu.checker import Rejected

__all__ = ["EMPTY", "Bound", "Region", "examine", "parts", "signed", "walk", "worst"]

EMPTY = "empty"  # the bound of a form on a region that was found to have no points
Bound = Fraction | str | None  # None: a leaf proves nothing
Side = int | None
Rows = list[tuple[tuple[int, ...], Fraction]]
ONE = 1 << UNIT


class Region:
    """The domain cut by the splits on the way to a node, with what is known there about earlier neurons.

    Attributes:
        lower, upper: the sides of the box.
        splits: ``(layer, neuron, sign)``.
        known: of the layers that have been derived, from the first: ``(pairs, denominator)``, of those that fit
            ``(pairs, None)``.
        empty: it has turned out to have no points.
    """

    def __init__(self, model: checker.Model, domain: checker.Domain) -> None:
        self.model, self.domain = model, domain
        self.lower, self.upper = list(domain.lower), list(domain.upper)
        self.splits: tuple[tuple[int, int, int], ...] = ()
        self.known: list[tuple[list[tuple[Any, Any]], int | None]] = []
        self.empty = False
        self.fields = Fields(model, domain)
        self.corners: dict[int, dict[int, tuple[Sequence[int], Sequence[int]]]] = {}  # bounds of -y and of y there
        self.lines: dict[int, Any] = {}  # the lines of layers, in units
        self.sides: tuple[list[int], list[int]] | None = None  # the box, in units
        # what has been derived, if nothing else was done to the domain: layers (by intervals: minus their numbers)
        self.whole: tuple[int, ...] | None = ()
        self.roots: dict[tuple[int, ...], Region] = {}  # the regions that arise so, since many proofs begin with them
        self.scaled: Any = None  # the vertices as integers over a denominator
        self.folded = Folded(model, [])  # rows as they are on the whole domain, in its parts
        self.folds: dict[tuple[int, ...], Folded] = {}  # those of `roots`

    def copy(self) -> Region:
        other = object.__new__(Region)
        other.__dict__.update(self.__dict__)
        other.known, other.lines, other.corners = list(self.known), dict(self.lines), dict(self.corners)
        return other

    def child(self, split: Sequence[Any], sign: int) -> Region:
        """A side of a split: ``("x", j, c)`` or ``("neuron", layer, i)``."""
        other = self.copy()
        if self.whole is not None:
            if self.whole not in self.folds:
                bounds = [self.bounds(at)[0] for at in range(1, len(self.known) + 1)]
                self.folds[self.whole] = Folded(self.model, bounds)
            other.folded = self.folds[self.whole]
        other.whole = None
        if split[0] == "x":
            _, j, c = split
            other.corners, other.sides, other.lines = {}, None, {}
            if sign > 0:
                other.lower = [*self.lower[:j], c, *self.lower[j + 1 :]]
            else:
                other.upper = [*self.upper[:j], c, *self.upper[j + 1 :]]
            return other
        _, level, i = split
        other.splits = (*self.splits, (level, i, sign))
        other._meet(level, {i: (0, None) if sign > 0 else (None, 0)}, 1)
        return other

    # ---- what is known -------------------------------------------------------------------------------------------

    def fits(self, level: int) -> bool:
        return level <= self.fields.depth

    def bounds(self, level: int, some: Iterable[int] | None = None) -> tuple[Any, int]:
        """Bounds of a derived layer, or (at least) of some neurons of it: pairs of integers over a denominator."""
        pairs, d = self.known[level - 1]
        return self.fields.exact(level, pairs, some) if d is None else (pairs, d)

    def _meet(self, level: int, found: Mapping[int, tuple[Side, Side]], denominator: int | None) -> None:
        """Bounds that also hold, over a denominator, or (None) in the units of a layer that fits."""
        pairs, d = self.known[level - 1]
        pairs = list(pairs)
        if self.fits(level):
            if denominator is not None:
                found = {
                    i: self.fields.outward(level, i, *(None if v is None else Fraction(v, denominator) for v in pair))
                    for i, pair in found.items()
                }
        else:
            assert denominator is not None
            assert d is not None
            if self.domain.ball is not None:
                found, denominator = norms.rounded(found, denominator)
            whole = lcm(d, denominator)
            if whole != d:
                pairs = [_times(pair, whole // d) for pair in pairs]
            if whole != denominator:
                found = {i: _times(pair, whole // denominator) for i, pair in found.items()}
            d = whole
        for i, (low, high) in found.items():
            least, most = pairs[i]
            least = least if low is None else low if least is None else max(least, low)
            most = most if high is None else high if most is None else min(most, high)
            pairs[i] = least, most
            if least is not None and most is not None and least > most:
                self.empty = True
        self.known[level - 1] = pairs, d
        self.lines.pop(level, None)

    # ---- derivations ---------------------------------------------------------------------------------------------

    def derive(self, items: Any, below: int) -> None:
        """Tighten bounds of neurons of levels < ``below``, in the order given."""
        if not isinstance(items, list):
            raise Rejected('"derive" must be a list')
        for item in items:
            if not isinstance(item, list) or len(item) not in (1, 2, 4):
                raise Rejected("a derivation has 1, 2 or 4 entries")
            level = _index(item[0], below, "layer")
            if level == 0:
                raise Rejected("layers count from 1")
            if level > len(self.known) + (len(item) == 1 or (len(item) == 2 and not self.fits(level))):
                raise Rejected("layers are derived one after the other, and as a whole first")
            width = len(self.model.layers[level - 1].rows)
            if len(item) == 4:
                self._derive_one(level, _index(item[1], width, "neuron"), *item[2:])
            elif len(item) == 2:
                if not isinstance(item[1], list):
                    raise Rejected("a derivation lists neurons")
                some = list(dict.fromkeys([_index(i, width, "neuron") for i in item[1]]))
                if some or level <= len(self.known):
                    self._derive(level, some)
                else:
                    self._derive_once(level, some, -level)
            else:
                self._derive_once(level, range(width), level)

    def _derive_once(self, level: int, neurons: Sequence[int], step: int) -> None:
        name = None if self.whole is None else (*self.whole, step)
        if name in self.roots:
            self.__dict__.update(self.roots[name].copy().__dict__)
            return
        self._derive(level, neurons)
        self.whole = name
        if name is not None:
            self.roots[name] = self.copy()

    def _derive(self, level: int, neurons: Sequence[int]) -> None:
        new, fits = level > len(self.known), self.fits(level)
        self.whole = None
        if new:
            width = len(self.model.layers[level - 1].rows)
            self.known.append(([(None, None)] * width, None if fits else 1))
        if self.empty:
            return
        if fits:
            pairs, _ = self.known[level - 1]
            open_ = [i for i in neurons if new or pairs[i][0] < 0 < pairs[i][1]]
            if open_:
                self._derive_in_units(level, open_)
            return
        self._meet(level, *self._intervals(level, range(width) if new else neurons))
        if self.empty:
            return
        pairs, _ = self.known[level - 1]
        found, d = dict[int, tuple[Fraction | None, Fraction | None]](), 1
        exactly = level > 1 or self.domain.ball is not None  # elsewhere intervals are the same in layer 1
        for i in neurons if exactly else ():
            if not signed(pairs[i]):
                self.fields.tick()
                below, above = (self._exact(level, i, sign, [], {}, []) for sign in (-1, 1))
                found[i] = None if below is None else -below, above
                d = lcm(d, *(v.denominator for v in found[i] if v is not None))
        self._meet(level, {i: _over(pair, d) for i, pair in found.items()}, d)

    def _derive_in_units(self, level: int, open_: Sequence[int]) -> None:
        fields, sides = self.fields, self._sides()
        lines = [self._lines(at) for at in range(1, level)]
        found = fields.forms(level, open_, sides, lines)
        if found is None:  # too large: one by one
            both = [self._values(level, i, sign, sides, lines) for sign in (1, -1) for i in open_]
            found = list(zip(*both, strict=True))
        columns = list(zip(*found, strict=True))
        fresh = dict(zip(open_, zip(columns[len(open_) :], columns, strict=False), strict=True))
        if fields.cornered:
            self.corners[level] = {**self.corners.get(level, {}), **fresh}
        self._meet(level, {i: (-max(under), max(over)) for i, (under, over) in fresh.items()}, None)

    def _values(self, level: int, i: int, sign: int, sides: Any, lines: Any) -> list[int]:
        slope, constant, chords = self.fields.form(level, i, sign, lines, {})
        return [-(-v >> UNIT) for v in self._tops(slope, constant, chords, sides, self.fields.cornered)]

    def _tops(self, slope: list[int], constant: int, chords: Any, sides: Any, cornered: bool) -> list[int]:
        """The largest value on the box, or those at the corners."""
        if not cornered:
            constant += sum([c * height for c, height, _ in chords])
            return [constant + sum([c * (h if c > 0 else l_) for c, l_, h in zip(slope, *sides, strict=True)])]
        constant += sum([c * height for c, height, heights in chords if not heights])
        raised = [(c, heights) for c, _, heights in chords if heights]
        weights, heights = zip(*raised, strict=True) if raised else ((), ())
        return self.fields.at_corners(slope, constant, sides, weights, heights)

    def _derive_one(self, level: int, i: int, side: Any, data: Any) -> None:
        if side not in ("upper", "lower"):
            raise Rejected("a bound is upper or lower")
        texts, added, rows = self._read(data, level, "slopes", {"splits", "rows", "equalities", "derive"})
        self.whole = None
        if self.empty:
            return
        bound = self._exact(level, i, 1 if side == "upper" else -1, texts, added, rows)
        if bound is not None:
            top = (None, bound.numerator) if side == "upper" else (-bound.numerator, None)
            self._meet(level, {i: top}, bound.denominator)

    def _intervals(self, level: int, neurons: Sequence[int]) -> tuple[dict[int, tuple[Side, Side]], int]:
        """Interval bounds of neurons, integers over a denominator."""
        model, layer = self.model, self.model.layers[level - 1]
        low, high, shared = self._ranges(level)
        generators = self.domain.generators if 0 in model.blocks[level] else None
        found: dict[int, tuple[Side, Side]] = {}
        for i in neurons:
            bias, columns, entries = layer.rows[i]
            top: Side = bias * shared
            bottom = top
            if generators is not None:
                own = [(j, w) for j, w in zip(columns, entries, strict=True) if j < model.inputs]
                later = [(j, w) for j, w in zip(columns, entries, strict=True) if j >= model.inputs]
                columns, entries = [j for j, _ in later], [w for _, w in later]
                least, most = self._over_generators(own, shared)
                bottom = None if least is None or bottom is None else bottom + least
                top = None if most is None or top is None else top + most
            for j, w in zip(columns, entries, strict=True):
                l_, u = (low[j], high[j]) if w > 0 else (high[j], low[j])
                bottom = None if bottom is None or l_ is None else bottom + w * l_
                top = None if top is None or u is None else top + w * u
            found[i] = bottom, top
        return found, shared * layer.denominator

    def _ranges(self, level: int) -> tuple[dict[int, Side], dict[int, Side], int]:
        """Of all variables that a layer reads, over one denominator."""
        model = self.model
        parts: list[tuple[int, Sequence[tuple[Side, Side]], int]] = []
        for b in model.blocks[level]:
            if b:
                pairs, d = self.bounds(b)
                clipped = [(max(low or 0, 0), None if high is None else max(high, 0)) for low, high in pairs]
                parts.append((b, clipped, d))
            elif self.domain.generators is None:
                d = lcm(*{v.denominator for v in (*self.lower, *self.upper) if v is not None})
                sides = zip(self.lower, self.upper, strict=True)
                parts.append((b, [_over(pair, d) for pair in sides], d))
            else:
                parts.append((b, [], self._vertices()[1]))
        shared = lcm(*(d for *_, d in parts))
        low: dict[int, Side] = {}
        high: dict[int, Side] = {}
        for b, sides_, d in parts:
            for j, pair in enumerate(sides_, model.start[b]):
                low[j], high[j] = _times(pair, shared // d)
        return low, high, shared

    def _vertices(self) -> tuple[list[list[int]], int]:
        if self.scaled is None:
            assert self.domain.generators is not None
            vertices = self.domain.generators[0]
            d = lcm(*{x.denominator for v in vertices for x in v})
            self.scaled = [[int(x * d) for x in v] for v in vertices], d
        return self.scaled

    def _over_generators(self, own: list[tuple[int, int]], shared: int) -> tuple[Side, Side]:
        """The range of ``sum of w x`` there."""
        assert self.domain.generators is not None
        vertices, d = self._vertices()
        at = [sum(w * v[j] for j, w in own) * (shared // d) for v in vertices]
        along = [sum(w * r[j] for j, w in own) for r in self.domain.generators[1]]
        across = any(sum(w * g[j] for j, w in own) for g in self.domain.generators[2])
        return (
            None if across or any(g < 0 for g in along) else min(at),
            None if across or any(g > 0 for g in along) else max(at),
        )

    # ---- leaves --------------------------------------------------------------------------------------------------

    def _read(self, data: Any, level: int, key: str, more: set[str]) -> tuple[list[str], dict[int, Any], Rows]:
        """What a leaf gives: texts of slopes, ``(sign, multiplier)`` of splits by layer and neuron, and rows."""
        if not isinstance(data, dict) or not data.keys() <= {key, *more}:
            raise Rejected("a leaf has other keys")
        texts, widths = data.get(key, []), [len(layer.rows) for layer in self.model.layers[: level - 1]]
        if not readable(texts, widths):
            raise Rejected("the slopes of a layer are one character of 0..9a..g a neuron")
        added: dict[int, dict[int, Fraction]] = {}
        for k, m in _table(data, "splits", len(self.splits), False):
            at, i, sign = self.splits[k]
            table = added.setdefault(at, {})
            table[i] = table.get(i, Fraction(0)) + sign * m
        rows = []
        for name, given, free in (("rows", self.domain.rows, False), ("equalities", self.domain.equalities, True)):
            rows += [(given[k], m) for k, m in _table(data, name, len(given), free)]
        return texts, added, rows

    def leaf(self, level: int, neuron: int, sign: int, node: dict[str, Any]) -> Bound:
        """What a leaf says of ``sign * z``."""
        if len(self.known) < level - 1:
            raise Rejected("a bound needs all layers before to be derived")
        if "coarse" in node:
            if not self.fits(level):
                raise Rejected("a coarse leaf is about a layer that fits fixed point")
            texts, added, _ = self._read(node, level, "coarse", {"splits", "derive"})
            return EMPTY if self.empty else self._in_units(level, neuron, sign, texts, added)
        return self.upper_bound(level, neuron, node, sign)

    def derived_bound(self, level: int, neuron: int, sign: int) -> Bound:
        """What has been derived of ``sign * z``."""
        if len(self.known) < level:
            raise Rejected("no bound of the neuron has been derived")
        if self.empty:
            return EMPTY
        pairs, d = self.known[level - 1]
        low, high = pairs[neuron]
        side = high if sign > 0 else low
        if side is None:
            return None
        unit = Fraction(2) ** (self.fields.exponents(level)[neuron] - UNIT) if d is None else Fraction(1, d)
        return sign * side * unit

    def upper_bound(self, level: int, neuron: int, node: dict[str, Any], sign: int = 1) -> Bound:
        """The same of an exact leaf."""
        texts, added, rows = self._read(node, level, "slopes", {"splits", "rows", "equalities", "derive"})
        return EMPTY if self.empty else self._exact(level, neuron, sign, texts, added, rows)

    def _in_units(self, level: int, neuron: int, sign: int, texts: list[str], added: Mapping[int, Any]) -> Fraction:
        fields, sides = self.fields, self._sides()
        lines = [self._lines(at, texts[at - 1] if at <= len(texts) else "") for at in range(1, level)]
        exponent, more = fields.exponents(level)[neuron], dict[int, dict[int, int]]()
        for at, table in added.items():
            shifts = fields.exponents(at)
            for i, m in table.items():
                size = abs(m) * Fraction(2) ** (UNIT + shifts[i] - exponent)
                more.setdefault(at, {})[i] = (1 if m > 0 else -1) * -int(-size // 1)
        slope, constant, chords = fields.form(level, neuron, sign, lines, more)
        bound = self._tops(slope, constant, chords, sides, False)
        if fields.cornered:
            bound.append(max(self._tops(slope, constant, chords, sides, True)))
        return Fraction(min(bound)) * Fraction(2) ** (exponent - 2 * UNIT)

    def _sides(self) -> tuple[list[int], list[int]]:
        if self.sides is None:
            self.sides = self.fields.sides(self.lower, self.upper)
        return self.sides

    def _lines(self, at: int, text: str = "") -> Any:
        if at not in self.lines:
            self.lines[at] = self.fields.lines(self.known[at - 1][0], self.corners.get(at, {}))
        lines, cost, tall = self.lines[at]
        if text:
            lines = [(i, a, SIXTEENTHS[text[i]] if h or hs else b, h, hs) for i, a, b, h, hs in lines]
        return lines, cost, tall

    def _exact(
        self, level: int, neuron: int, sign: int, texts: list[str], added: Mapping[int, Any], rows: Rows
    ) -> Fraction | None:
        """An upper bound of ``sign * z``; None: there is none."""
        start = self.model.start
        bias, columns, entries, scale = self.folded.row(level, neuron)  # coefficients are integers over `scale`
        constant = Fraction(sign * bias, scale)
        coefficient = {j: sign * w for j, w in zip(columns, entries, strict=True)}
        for at in range(max(level - 1, *added, 0), 0, -1):
            first, last = start[at], start[at + 1]
            here = {j - first: c for j, c in coefficient.items() if first <= j < last and c}
            extra = added.get(at, {})
            if not here and not extra:
                continue
            pairs, d = self.bounds(at, here) if here else ([], 1)
            steps = ONE * lcm(*(m.denominator for m in extra.values()))
            text = texts[at - 1] if at <= len(texts) else ""
            slopes, heights = self._slopes(here, pairs, text, steps)
            if heights is None:
                return None
            constant += Fraction(heights, scale * d * ONE)
            for i, m in extra.items():
                slopes[i] = slopes.get(i, 0) + int(m * steps) * scale
            before = ((j, c) for j, c in coefficient.items() if j < first)
            inner = [(q, self.folded.row(at, i)) for i, q in slopes.items() if q]
            coefficient, gained, grow = replaced(before, inner, steps)
            scale *= grow
            constant += Fraction(gained, scale)
        return self._maximum(coefficient, scale, constant, rows)

    @staticmethod
    def _slopes(here: dict[int, int], pairs: Any, text: str, steps: int) -> tuple[dict[int, int], int | None]:
        """Coefficients on pre-activations, times ``steps``, and what the heights add, times ONE; None: too much."""
        slopes, heights = {}, 0
        for i, c in here.items():
            low, high = pairs[i]
            if low is not None and low >= 0:
                slopes[i] = c * steps
            elif high is None or high > 0:
                if high is None:
                    above, height = ONE, None if low is None else -low * ONE
                elif low is None:
                    above, height = 0, high * ONE
                else:
                    above = high * ONE // (high - low)
                    height = high * (ONE - above)
                if c > 0 and height is None:
                    return {}, None
                if c > 0:
                    heights += c * (height or 0)
                below = SIXTEENTHS[text[i]] if text else min(max(4 * above - 2 * ONE, 0), ONE)
                slopes[i] = c * (above if c > 0 else below) * (steps // ONE)
        return slopes, heights

    def _maximum(self, coefficient: dict[int, int], scale: int, constant: Fraction, rows: Rows) -> Fraction | None:
        """The maximum over the box or the generators of the affine form that remains."""
        form = {j: c for j, c in coefficient.items() if c}
        grow = lcm(*(m.denominator for _, m in rows))
        form = {j: c * grow for j, c in form.items()}
        for (b, *a), m in rows:
            constant += m * b
            factor = int(m * grow) * scale
            for j, v in enumerate(a):
                if v:
                    form[j] = form.get(j, 0) + factor * v
        scale *= grow
        if self.domain.generators is not None:
            vertices, d = self._vertices()
            if any(sum(c * r[j] for j, c in form.items()) > 0 for r in self.domain.generators[1]):
                return None
            if any(sum(c * r[j] for j, c in form.items()) for r in self.domain.generators[2]):
                return None
            return constant + Fraction(max(sum(c * v[j] for j, c in form.items()) for v in vertices), scale * d)
        on_box = norms.on_box(self.lower, self.upper, constant, form, scale)
        if self.domain.ball is None or on_box is None:
            return on_box
        return min(on_box, norms.highest(self.domain.ball, constant, form, scale))


# ---- trees ------------------------------------------------------------------------------------------------------


def walk(
    proof: Any, root: Region, level: int, neuron: int, sign: int = 1, tick: Callable[[], None] | None = None
) -> Bound:
    """The worst bound of ``sign * z`` over the leaves of a proof. ``tick`` is called at each node; it may raise.

    Raises:
        Rejected: malformed nodes, a missing or a left-over subtree.
    """
    found: Bound = EMPTY
    for region, node in _leaves(proof, root, level, tick):
        found = worst(found, region.leaf(level, neuron, sign, node))
    return found


def parts(tree: Any, root: Region, tick: Callable[[], None] | None = None) -> list[Region]:
    """The leaves of a tree in which bounds are derived, and nothing else."""
    found = []
    for region, node in _leaves(tree, root, len(root.model.layers) + 1, tick):
        if not node.keys() <= {"derive"}:
            raise Rejected("a leaf of parts has other keys")
        found.append(region)
    return found


def _leaves(tree: Any, root: Region, level: int, tick: Callable[[], None] | None) -> Iterator[tuple[Region, Any]]:
    if not isinstance(tree, list) or not tree:
        raise Rejected("the proof must be a list of nodes")
    regions = [root.copy()]
    for node in tree:
        if not regions:
            raise Rejected("nodes are left over after the last leaf")
        if tick is not None:
            tick()
        region = regions.pop()
        children = examine(node, region, level)
        if children:
            regions += reversed(children)
        else:
            yield region, node
    if regions:
        raise Rejected("the proof ends before its last leaf")


def worst(*bounds: Bound) -> Bound:
    """The largest of bounds."""
    found: Bound = EMPTY
    for bound in bounds:
        if bound is None or found is None:
            return None
        if bound != EMPTY and (found == EMPTY or bound > found):  # type: ignore[operator]
            found = bound
    return found


def examine(node: Any, region: Region, level: int) -> tuple[Region, ...]:
    """Derive what a node says; the regions g <= 0 and g >= 0 if it is a split, none at a leaf."""
    if not isinstance(node, dict):
        raise Rejected("a node of the proof is not an object")
    region.derive(node.get("derive", []), level)
    if "split" not in node:
        return ()
    if not node.keys() <= {"split", "derive"}:
        raise Rejected("a split carries multipliers")
    split = _split(node["split"], region, level)
    return region.child(split, -1), region.child(split, 1)


def _split(data: Any, region: Region, level: int) -> tuple[str, int, Any]:
    if not isinstance(data, list) or len(data) != 3 or data[0] not in ("x", "neuron"):
        raise Rejected("a split is of no known form")
    if data[0] == "neuron":
        at = _index(data[1], level, "layer of a split")
        if at == 0 or at > len(region.known):
            raise Rejected("a split is of a neuron whose layer has been derived")
        return "neuron", at, _index(data[2], len(region.model.layers[at - 1].rows), "neuron of a split")
    if region.domain.generators is not None:
        raise Rejected("generators are not cut")
    j, c = _index(data[1], region.model.inputs, "input"), checker.number(data[2])
    low, high = region.lower[j], region.upper[j]
    if (low is not None and c < low) or (high is not None and c > high):
        raise Rejected("a cut does not lie in the range of its input")
    return "x", j, c


def signed(pair: tuple[Side, Side]) -> bool:
    """Is the sign of a pre-activation known?"""
    low, high = pair
    return (low is not None and low >= 0) or (high is not None and high <= 0)


def readable(texts: Any, widths: Sequence[int]) -> bool:
    """Are these slopes, for layers of these widths?"""
    return (
        isinstance(texts, list)
        and len(texts) <= len(widths)
        and all(isinstance(text, str) and len(text) in (0, width) for text, width in zip(texts, widths, strict=False))
        and set().union(*texts) <= SIXTEENTHS.keys()
    )


def _table(data: dict[str, Any], key: str, below: int, free: bool) -> Iterable[tuple[int, Fraction]]:
    table = data.get(key, {})
    if not isinstance(table, dict):
        raise Rejected("multipliers must be an object")
    for k, m in table.items():
        if not (k.isascii() and k.isdigit() and len(k) <= 9 and int(k) < below):
            raise Rejected("a multiplier belongs to nothing")
        value = checker.number(m)
        if value < 0 and not free:
            raise Rejected("a multiplier is negative")
        yield int(k), value


def _index(value: Any, below: int, what: str) -> int:
    if type(value) is not int or not 0 <= value < below:
        raise Rejected(f"{what}: {checker.shown(value)} is out of range")
    return operator.index(value)


def _times(pair: Any, factor: int) -> tuple[Side, Side]:
    low, high = pair
    return (None if low is None else low * factor, None if high is None else high * factor)


def _over(pair: Any, d: int) -> tuple[Side, Side]:
    low, high = pair
    return (None if low is None else int(low * d), None if high is None else int(high * d))
