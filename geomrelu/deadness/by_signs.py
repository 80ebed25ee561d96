"""Neurons on an unbounded domain, by linear programs that split the signs of earlier neurons only where they must.

An upper bound of a neuron needs no more of an output with a negative weight than ``y >= 0`` and ``y >= z``, and a
linear program over inputs and outputs is exact about it. Only an output that counts with a positive weight is too large
there; the sign of the one that exceeds by most what it should be is split. So there are as many parts as a few neurons
make, where a walk over all pieces meets those that all neurons make.

The parts are found in floats, which end a branch of the search or a search that finds nothing at a tenth of the cost.
What a leaf proves are the multipliers of a second program, exact, in which each output of open sign has one line below:
its slope is what the multipliers of the first program mix, rounded to sixteenths, as certificates say it. Where that is
not enough, the first program is solved exactly as well, and more signs are split.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial
from math import gcd
from typing import Any

from geomrelu import checker
from geomrelu.budget import Budget, Exhausted
from geomrelu.certificates.batch import derived
from geomrelu.certificates.region import Region, examine
from geomrelu.deadness.proof_tree import LETTERS, Node
from geomrelu.exact import linear_programs
from geomrelu.exact.guided_programs import Guess, guessed
from geomrelu.exact.linear_programs import Optimum
from geomrelu.exact.numbers import common, primitive
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.network import Network

__all__ = ["BySigns", "Found", "is_wide", "searched"]

Neuron = tuple[int, int]
Part = tuple[tuple[int, int, int], ...]  # the signs that were split on the way to it: layer, neuron, sign
Expression = tuple[int, dict[int, int], int]  # a constant, coefficients of inputs and outputs; over a denominator


@dataclass(frozen=True)
class Found:
    """A point where a neuron is positive, with a ray along which it grows if there is one; or a proof that it is dead,
    strictly negative or not, or that it is at most its supremum, with a point where that is attained."""

    point: Sequence[Fraction] | None = None
    ray: Sequence[int] | None = None
    proof: list[Node] | None = None
    is_negative: bool = False
    supremum: Fraction | None = None

    @property
    def parts(self) -> int:
        return sum("split" not in node for node in self.proof or ())


@dataclass(frozen=True, slots=True)
class _Leaf:
    """The leaf of a part: what it proves of the neuron there, and about how high the neuron gets."""

    node: Node
    part: Part
    bound: Fraction
    height: Fraction


Tree = list["Node | _Leaf | Part"]  # in preorder; parts are leaves that are still to be proved


class _Lost(Exception):
    """No proof is found in this way."""


NEAR = Fraction(1, 10**7)  # floats that differ by less say nothing
MORE = 20  # nodes of a small proof, for the supremum
WIDE = 400  # earlier neurons
TABLES = "splits", "rows", "equalities"


def is_wide(network: Network, level: int) -> bool:
    """Do exact linear programs about a layer take seconds, in which they look at no clock?"""
    return sum(network.widths[: level - 1]) > WIDE


class BySigns:
    """The search about the neurons of one layer of a network on a domain given by rows."""

    def __init__(self, network: Network, domain: Polyhedron, level: int) -> None:
        self.network, self.domain, self.level = network, domain, level
        self.budget = Budget()
        self.rows, self.flats = domain.inequalities, domain.equalities
        self.n = network.inputs
        self._names = [(at, i) for at, width in enumerate(network.widths, 1) for i in range(width)]
        self._rows: dict[Neuron, tuple[int, list[int | Neuron], list[int]]] = {}
        self._begin = derived(level)
        self.pairs = {key: pair for at in range(1, level) for key, pair in _pairs(self._region, at)}
        self.known = {key: _sign(*pair) for key, pair in self.pairs.items() if _sign(*pair)}

    @cached_property
    def _region(self) -> Region:
        """The whole domain, with bounds of all layers before."""
        region = Region(self.network.checked, self.domain.checked)
        region.derive(self._begin.get("derive", []), self.level)
        return region

    def __getstate__(self) -> dict[str, Any]:
        """For other processes, which make their own."""
        return {key: value for key, value in self.__dict__.items() if key != "_region"}

    def row(self, key: Neuron) -> tuple[tuple[int, list[int | Neuron], list[int]], int]:
        """A neuron over inputs (their numbers) and outputs (their layers and neurons), and the denominator."""
        if key not in self._rows:
            at, i = key
            bias, columns, entries = self.network.layers[at - 1].row(i)
            self._rows[key] = bias, [j if j < self.n else self._names[j - self.n] for j in columns], entries
        return self._rows[key], self.network.layers[key[0] - 1].denominator

    def search(self, neuron: int, most: int = 2_000, budget: Budget | None = None, values: bool = True) -> Found | None:
        """What is found about a neuron; None if that takes more parts than ``most``.

        Args:
            values: whether to seek the supremum of a neuron that is negative everywhere.

        Raises:
            Exhausted: the budget ends.
        """
        self.budget = Budget.of(budget)
        target = (self.level, neuron)
        found = self._grown([()], most, partial(self._sketched, target))
        if isinstance(found, list):
            found = self._grown(found, 2 * most, partial(self._proved, target, None))
        if not isinstance(found, list):
            return found
        negative = all(item.bound < 0 for item in found if isinstance(item, _Leaf))
        top = self._top(target, found) if values or not negative else None
        if top is not None:
            found, value, point = top
            open_ = [item.part if isinstance(item, _Leaf) and item.bound > value else item for item in found]
            again = self._grown(open_, 2 * len(found) + MORE, partial(self._proved, target, value))
            if isinstance(again, list):
                return Found(point, proof=self._said(again), is_negative=value < 0, supremum=value)
        return Found(proof=self._said(found), is_negative=negative)

    def _grown(self, tree: Tree, most: int, step: Callable[[Part], Node | _Leaf | Part | Found]) -> Tree | Found | None:
        """The tree with what a step makes of each part of it, and of the parts of these that it splits."""
        done, waiting = Tree(), tree[::-1]
        try:
            while waiting:
                if len(done) >= most:
                    return None
                item = waiting.pop()
                if not isinstance(item, tuple):
                    done.append(item)
                    continue
                made = step(item)
                if isinstance(made, Found):
                    return made
                if isinstance(made, dict) and "split" in made:
                    _, at, i = made["split"]
                    waiting += _halves(item, (at, i))[::-1]
                done.append(made)
        except _Lost:
            return None
        return done

    def _said(self, tree: Tree) -> list[Node]:
        nodes: list[Any] = [item.node if isinstance(item, _Leaf) else item for item in tree]
        return [self._begin | nodes[0], *nodes[1:]]

    def _sketched(self, target: Neuron, part: Part) -> Node | _Leaf | Part | Found:
        """What floats make of a part: a split, or nothing where they see no way or no need for one."""
        program = _Program(self, part, target)
        guess = program.guess(target, 1)
        if guess is None or guess.value <= NEAR:
            return part
        least = NEAR * max([Fraction(1), *map(abs, guess.at)])
        if self.network.checked.value(guess.at[: self.n], *target) > least:
            return self._exactly(target, None, part, program)
        loosest = program.loosest(guess.at, True, least)
        return part if loosest is None else _split(loosest)

    def _proved(self, target: Neuron, limit: Fraction | None, part: Part) -> Node | _Leaf | Found:
        """A leaf that proves that the neuron is at most a limit there, or dead; or a split, or what ends the search."""
        program = _Program(self, part, target)
        guess = program.guess(target, 1)
        if guess is not None and _is_kept(limit or Fraction(0), guess):
            least = guess.value / 2 if limit is None else limit
            leaf, _ = self._leaf(target, part, program.slopes(guess.multipliers), least, guess.value)
            if leaf is not None:
                return leaf
        return self._exactly(target, limit, part, program)

    def _exactly(self, target: Neuron, limit: Fraction | None, part: Part, program: _Program) -> Node | _Leaf | Found:
        """The same by the exact program."""
        best = program.highest(target, 1)
        if best.point is None:
            return self._no_points(target, part)
        point, ray = best.point[: self.n], None if best.ray is None else best.ray[: self.n]
        if best.value is not None and best.value <= (limit or 0):
            least = best.value / 2 if limit is None else limit
            leaf, loss = self._leaf(target, part, program.slopes(_table(best)), least, best.value)
            return _split(loss) if leaf is None else leaf
        if best.ray is None or ray is None:
            shown = self.network.checked.value(point, *target) > 0
            return Found(point) if shown else _split(program.loosest(best.point, True))
        grows = any(ray) and self._growth(ray, target) > 0
        return Found(point, primitive(ray)) if grows else _split(program.loosest(best.ray, False))

    def _top(self, target: Neuron, tree: Tree) -> tuple[Tree, Fraction, tuple[Fraction, ...]] | None:
        """The supremum, where it is, and the tree that has been split until it is seen; None if that takes long."""
        most = 2 * len(tree) + MORE
        while leaves := [item for item in tree if isinstance(item, _Leaf)]:
            highest = max(leaves, key=lambda leaf: leaf.height)
            program = _Program(self, highest.part, target)
            best = program.highest(target, 1)
            if best.value is None or best.point is None:
                return None
            point = best.point[: self.n]
            if self.network.checked.value(point, *target) == best.value:
                return tree, best.value, point
            loosest, k = program.loosest(best.point, True), tree.index(highest)
            if loosest is None:
                return None
            open_ = [*tree[:k], _split(loosest), *_halves(highest.part, loosest), *tree[k + 1 :]]
            again = self._grown(open_, most, partial(self._proved, target, None))
            if not isinstance(again, list):
                return None
            tree = again
        return None

    def _growth(self, ray: Sequence[Fraction], target: Neuron) -> int:
        at, i = target
        return checker.growths(self.network.checked, ray, at)[self.network.starts[at] + i]

    def _no_points(self, target: Neuron, part: Part) -> Node:
        """The leaf of a part without points: a sign that was split, one of the last layer, contradicts the others."""
        for k, (at, i, sign) in sorted(enumerate(part), key=lambda cut: -cut[1][0]):
            program = _Program(self, part, (at, i))
            best = program.highest((at, i), sign)
            if best.value is not None and best.value < 0:
                found, loss = self._second((at, i), sign, part, program.slopes(_table(best)), best.value / 2)
                if found is None:
                    return _split(loss)
                derived_ = {"derive": [[at, i, "upper" if sign > 0 else "lower", found[0]]]}
                return self._outweighed(target, part, k, *found) or derived_
        raise _Lost

    def _outweighed(self, target: Neuron, part: Part, k: int, node: Node, bound: Fraction) -> Node | None:
        """The same as a leaf of the neuron, where it is bounded without: what is derived may be rounded to no bound.

        Args:
            k: which of the signs. node, bound: what is found about the neuron that has it.
        """
        here = self._region
        for at, i, sign in part:
            here = examine({"split": ["neuron", at, i]}, here, self.level)[sign > 0]
        high, low = here.leaf(*target, 1, {"slopes": node["slopes"]}), self._region.leaf(*target, -1, {})
        if not isinstance(high, Fraction) or not isinstance(low, Fraction):
            return None
        factor = (abs(high) + abs(low) + 1) / -bound  # below all that the neuron can be
        tables = {key: {j: Fraction(m) * factor for j, m in node.get(key, {}).items()} for key in TABLES}
        tables["splits"][str(k)] = factor
        return {key: {j: str(m) for j, m in table.items()} for key, table in tables.items() if table} | {
            "slopes": node["slopes"]
        }

    def _leaf(
        self, target: Neuron, part: Part, slopes: Mapping[Neuron, Fraction], limit: Fraction, height: Fraction
    ) -> tuple[_Leaf | None, Neuron | None]:
        """A leaf that proves that a neuron is at most a limit, or the neuron whose slope could not be said."""
        found, loss = self._second(target, 1, part, slopes, limit)
        return (None if found is None else _Leaf(found[0], part, found[1], height)), loss

    def _second(
        self, target: Neuron, sign: int, part: Part, slopes: Mapping[Neuron, Fraction], limit: Fraction
    ) -> tuple[tuple[Node, Fraction] | None, Neuron | None]:
        """What proves that ``sign z`` is at most a limit, and how small it can be."""
        rounded = {key: _sixteenths(slope) for key, slope in slopes.items()}
        worst = max(slopes, key=lambda key: abs(slopes[key] - rounded[key]), default=None)
        loss = worst if worst is not None and slopes[worst] != rounded[worst] else None
        second = _Program(self, part, target, rounded)
        guess = second.guess(target, sign)
        if loss is not None and guess is not None and not _is_kept(limit, guess):
            return None, loss
        found = second.highest(target, sign)
        proves = found.value is not None and found.value <= limit and found.multipliers is not None
        return ((second.said(found), found.value or Fraction(0)), None) if proves else (None, loss)


def _halves(part: Part, neuron: Neuron) -> list[Part]:
    """In the order of a proof."""
    return [(*part, (*neuron, sign)) for sign in (-1, 1)]


def _sixteenths(slope: Fraction) -> Fraction:
    return Fraction(round(16 * slope), 16)


def _is_kept(limit: Fraction, guess: Guess) -> bool:
    """By a value, as far as floats know."""
    return guess.value <= limit + NEAR * max(Fraction(1), abs(guess.value))


def _table(best: Optimum) -> Mapping[int, Fraction]:
    """The multipliers of inequalities."""
    assert best.multipliers is not None
    return best.multipliers[0]


def _pairs(region: Region, level: int) -> Iterator[tuple[Neuron, tuple[Fraction | None, Fraction | None]]]:
    """The bounds of a layer; None: there is none."""
    pairs, d = region.bounds(level)
    for i, (low, high) in enumerate(pairs):
        yield (level, i), (None if low is None else Fraction(low, d), None if high is None else Fraction(high, d))


def _split(neuron: Neuron | None) -> Node:
    if neuron is None:
        raise _Lost
    return {"split": ["neuron", *neuron]}


def _sign(low: Fraction | None, high: Fraction | None) -> int:
    """Of a neuron between bounds, 0 if it is open; None: no bound."""
    return 1 if low is not None and low >= 0 else -1 if high is not None and high <= 0 else 0


def searched(search: BySigns, neuron: int, most: int, seconds: float | None) -> Found | None:
    """What is found in so many seconds, in any process."""
    try:
        return search.search(neuron, most, Budget(seconds))
    except Exhausted:
        return None


class _Program:
    """The linear program of a part: rows of the domain, signs, and lines around outputs.

    Args:
        target: the neuron that is asked about; if its sign was split, without that.
        slopes: of the line below each output of open sign (0 where none is given); None: both lines there are.
    """

    def __init__(
        self, search: BySigns, part: Part, target: Neuron, slopes: Mapping[Neuron, Fraction] | None = None
    ) -> None:
        self.search, self.fixed, self.level = search, slopes, target[0]
        cut = {(at, i): sign for at, i, sign in part if (at, i) != target}
        self.signs = {key: cut.get(key) or search.known.get(key, 0) for key in search.pairs}
        self.columns = {key: k for k, key in enumerate(self._read([target, *cut]), search.n)}
        self.width = search.n + len(self.columns)
        pad = (0,) * len(self.columns)
        self.inequalities = [(*row, *pad) for row in search.rows]
        self.equalities = [(*row, *pad) for row in search.flats]
        self.of_cuts: dict[int, tuple[int, Fraction]] = {}  # the place of each cut's row, and its factor
        for k, (at, i, sign) in enumerate(part):
            if (at, i) != target:
                self.of_cuts[k] = self._add(*self._pre_activation((at, i), sign))
        self.lines: dict[Neuron, tuple[int, Fraction, int]] = {}  # the place and factor of y >= z, and that of y >= 0
        for key, column in self.columns.items():
            self._around(key, column)

    def _read(self, waiting: list[Neuron]) -> list[Neuron]:
        """The neurons whose outputs, directly or not, these read, but for those that are 0."""
        found = set[Neuron]()
        while waiting:
            (_, columns, _), _ = self.search.row(waiting.pop())
            new = {key for key in columns if not isinstance(key, int) and key not in found and self.signs[key] >= 0}
            found |= new
            waiting += new
        return sorted(found)

    def _around(self, key: Neuron, column: int) -> None:
        """What holds between an output y and its pre-activation z."""
        constant, slope, d = self._pre_activation(key)
        if self.signs[key]:
            self.equalities.append(self._row(constant, slope | {column: -d}, d)[0])
            return
        p, q = (Fraction(1) if self.fixed is None else self.fixed.get(key, Fraction(0))).as_integer_ratio()
        line = -p * constant, {j: -p * v for j, v in slope.items()} | {column: q * d}, q * d
        self.lines[key] = *self._add(*line), len(self.inequalities)
        if self.fixed is None:
            self._add(0, {column: 1}, 1)
        low, high = self.search.pairs[key]
        if low is not None or high is not None:
            ends = _bound(low, -1), _bound(high, 1)
            p, _ = checker.chord(*ends)  # above lies p z / q + height / q
            height, q = Fraction(checker.rise(checker.ONE, p, *ends)), checker.ONE * d
            a, b = height.as_integer_ratio()
            self._add(p * constant * b + a * d, {j: p * v * b for j, v in slope.items()} | {column: -q * b}, q * b)

    def _pre_activation(self, key: Neuron, sign: int = 1) -> Expression:
        """Over inputs and outputs; outputs that are 0 are left out."""
        (bias, columns, entries), d = self.search.row(key)
        return (
            sign * bias,
            {k: sign * w for j, w in zip(columns, entries, strict=True) if (k := self._column(j)) >= 0},
            d,
        )

    def _column(self, variable: int | Neuron) -> int:
        return variable if isinstance(variable, int) else self.columns.get(variable, -1)

    def _row(self, constant: int, slope: dict[int, int], denominator: int) -> tuple[tuple[int, ...], Fraction]:
        """As primitive integers, and by which factor they are larger."""
        divisor = gcd(constant, *slope.values()) or 1
        row = [constant // divisor, *[0] * self.width]
        for j, v in slope.items():
            row[j + 1] = v // divisor
        return tuple(row), Fraction(denominator, divisor)

    def _add(self, constant: int, slope: dict[int, int], denominator: int) -> tuple[int, Fraction]:
        """One more inequality: its place and factor."""
        row, factor = self._row(constant, slope, denominator)
        self.inequalities.append(row)
        return len(self.inequalities) - 1, factor

    def highest(self, target: Neuron, sign: int) -> Optimum:
        """The largest value of ``sign z``."""
        self.search.budget.poll()
        objective, factor = self._row(*self._pre_activation(target, sign))
        best = linear_programs.maximise(objective, self.inequalities, self.equalities)
        value = None if best.value is None else best.value / factor
        if best.multipliers is None:
            return best
        below, above = ({k: m / factor for k, m in table.items()} for table in best.multipliers)
        return Optimum(value, best.point, best.ray, (below, above))

    def guess(self, target: Neuron, sign: int) -> Guess | None:
        """About the largest value, in floats."""
        self.search.budget.poll()
        objective, factor = self._row(*self._pre_activation(target, sign))
        found = guessed(objective, self.inequalities, self.equalities)
        return None if found is None else found._replace(value=found.value / factor)

    def slopes(self, below: Mapping[int, Fraction]) -> dict[Neuron, Fraction]:
        """Of the lines below outputs, as the multipliers of inequalities mix them."""
        found = dict[Neuron, Fraction]()
        for key, (place, factor, zero) in self.lines.items():
            steep, flat = below.get(place, Fraction(0)) * factor, below.get(zero, Fraction(0))
            if steep:
                found[key] = steep / (steep + flat)
        return found

    def loosest(self, at: Sequence[Fraction], is_point: bool, least: Fraction | int = 0) -> Neuron | None:
        """The output of open sign that is larger than it should be by most, at a point or along a ray."""
        gaps = dict[Neuron, Fraction]()
        places, one = common(at)
        for key in self.lines:
            constant, slope, d = self._pre_activation(key)
            z = constant * one * is_point + sum(v * places[j] for j, v in slope.items())
            gaps[key] = at[self.columns[key]] - Fraction(max(z, 0), d * one)
        worst = max(gaps, key=lambda key: gaps[key], default=None)
        return worst if worst is not None and gaps[worst] > least else None

    def said(self, best: Optimum) -> Node:
        """The leaf with these multipliers, its slopes those of the program."""
        assert best.multipliers is not None and self.fixed is not None
        below, above = best.multipliers
        domain, widths = self.search.domain, self.search.network.widths
        first, last = len(domain.sides), len(self.search.rows)
        tables = {
            "splits": {k: below[place] * factor for k, (place, factor) in self.of_cuts.items() if place in below},
            "rows": {k - first: m for k, m in below.items() if first <= k < last},
            "equalities": {k: m for k, m in above.items() if k < len(self.search.flats)},
        }
        leaf: Node = {key: {str(k): str(m) for k, m in sorted(t.items())} for key, t in tables.items() if t}
        texts = []
        for at in range(1, self.level):
            slopes = [self.fixed.get((at, i), Fraction(0)) for i in range(widths[at - 1])]
            texts.append("".join(chr(LETTERS[int(16 * v)]) for v in slopes))
        return leaf | {"slopes": texts}


def _bound(value: Fraction | None, sign: int) -> Any:
    return sign * float("inf") if value is None else value
