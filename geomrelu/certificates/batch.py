"""Proofs walked many boxes at once.

The judge walks a tree node by node. Most nodes of a large one cut an input or bound the neuron in fixed point, and
:mod:`geomrelu.certificates.fixed_point` takes dozens of them at a time; what else there is, and all below it, is for
:mod:`geomrelu.certificates.region`. The outcome is the judge's, bound for bound.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from geomrelu import checker
from geomrelu.certificates import region
from geomrelu.certificates.fields import UNIT
from geomrelu.certificates.fixed_point import Arithmetic, Cell, Judged
from geomrelu.certificates.region import EMPTY, Region

__all__ = ["Quick", "Step", "derivation", "derived", "places", "region_at", "spread"]

MOST = 64  # boxes of a batch
FEW = 50  # nodes of a proof that are walked one by one as quickly
DEEPEST = 2_000  # splits below one another, since names have as many bits


def derived(level: int, last: Sequence[int] | None = None) -> dict[str, Any]:
    """How a node says that bounds are derived: of all layers before, or only of some neurons of the last of them."""
    layers: list[Any] = [[at] for at in range(1, level)]
    if last is not None:
        layers[-1:] = [[level - 1, list(last)]] if last else []
    return {"derive": layers} if layers else {}


def derivation(node: dict[str, Any], level: int) -> tuple[bool, tuple[int, ...] | None]:
    """Whether a node derives bounds, and of which neurons of the last layer (None: of all).

    Raises ValueError, or another, if it derives something else.
    """
    said = {key: value for key, value in node.items() if key == "derive"}
    some = [item[1] for item in said.get("derive", ()) if len(item) == 2 and isinstance(item[1], list)]
    last = tuple(int(operator.index(i)) for i in (some[0] if some else ()))
    for derives, of in ((True, last), (True, None), (False, None)):
        if repr(said) == repr(derived(level, of) if derives else {}):  # True == 1
            return derives, of
    raise ValueError("no such derivation")


class Step(NamedTuple):
    """What a node says that batches can do: to derive bounds, and then to cut the box or to bound the neuron.

    Attributes:
        last: of which neurons of the last layer; None: of all.
        cut: an input, and a number on its axis; None at a leaf. slopes: of a leaf, as it says them.
    """

    derives: bool
    last: Sequence[int] | None
    cut: tuple[int, Fraction] | None
    slopes: Sequence[str] = ()

    def leaf(self, level: int) -> dict[str, Any]:
        """A leaf as the checker wants it, in a proof about a neuron of layer ``level``."""
        return {"coarse": list(self.slopes)} | (derived(level, self.last) if self.derives else {})

    @classmethod
    def read(cls, node: Any, level: int, widths: Sequence[int], inputs: int) -> Step | None:
        """What a node says, in a proof about a neuron of a layer; None if that is something else."""
        try:
            derives, last = derivation(node, level)
            if last is not None and not all(0 <= i < widths[level - 2] for i in last):
                return None
            if derives and node.keys() == {"coarse", "derive"} and region.readable(node["coarse"], widths[: level - 1]):
                return cls(True, last, None, node["coarse"])
            if "split" in node and node.keys() <= {"split", "derive"}:
                kind, index, cut = node["split"]
                if kind == "x" and type(index) is int and 0 <= index < inputs:
                    return cls(derives, last, (index, checker.number(cut)))
        except (ValueError, TypeError, AttributeError, checker.Rejected):
            pass
        return None


def spread(
    own: Arithmetic,
    neuron: int,
    cells: Mapping[int, Cell],
    read: Callable[[int], Step | None],
    tick: Callable[[], None],
    sign: int = 1,
    bare: bool = True,
) -> Iterator[tuple[int, Cell | int | str | None]]:
    """Take boxes through the nodes of a tree, many at a time, in any order.

    Args:
        cells: of some nodes, by name; the root is 1, and the children of node k are 2 k and 2 k + 1.
        read: what a node says; None if it is not for batches; KeyError if there is no such node.
        tick: called before each batch.
        bare: the root must say that it derives all that its cell knows.

    Yields:
        ``(name, what)``: the bound of ``sign * z`` at a leaf, in 2^-56, or EMPTY; the box where there is no node; None
        at a node below which regions have to go on.
    """
    stack: list[tuple[int, Cell, Step | None]] = [(name, cell, None) for name, cell in cells.items()]
    ready: list[tuple[int, Cell, Step]] = []
    while stack or ready:
        while stack:
            name, cell, step = stack.pop()
            try:
                if step is None:
                    step = read(name)
                    if bare and step and name == 1 and (step.derives, step.last) != (True, None):
                        step = None
                if step is None:
                    yield name, None
                elif step.derives:
                    ready.append((name, cell, step))
                elif step.cut:
                    below, above = own.halved(cell, *step.cut)
                    stack += [(2 * name + 1, above, None), (2 * name, below, None)]
            except KeyError:
                yield name, cell
            except OverflowError:
                yield name, None
        some, ready = ready[:MOST], ready[MOST:]
        if not some:
            return
        tick()
        leaves = {k: step.slopes for k, (*_, step) in enumerate(some) if not step.cut}
        with np.errstate(all="ignore"):  # what overflows is not good
            lasts = [step.last for *_, step in some]
            batch = Judged(own, [cell for _, cell, _ in some], lasts, neuron, leaves, sign)
        bounds = dict(zip(leaves, batch.bounds, strict=True))
        for k, (name, _, step) in enumerate(some):
            if not batch.good[k]:
                yield name, None
            elif step.cut:
                stack.append((name, batch.cell(k), step._replace(derives=False)))
            else:
                yield name, EMPTY if batch.empty[k] else bounds[k]


class Quick(checker.Judge):
    """Proves claims as the plain judge does, but quickly; shares no arithmetic of bounds with it.

    Attributes:
        tick: called at each node, or batch of them, and in long derivations; it may raise (see `watch`).
    """

    def __init__(
        self, points: Any, model: checker.Model, domain: checker.Domain, derived_: Any = None, tree: Any = None
    ) -> None:
        self._arithmetics: dict[int, Arithmetic | None] = {}
        self.tick: Callable[[], None] = lambda: None
        self._inside: dict[int, checker.Vector] = {}  # entries of the table of points, and what they give
        self._variables: dict[int, tuple[list[int], int, int]] = {}  # of a point: those of how many layers
        self._far = list[Quick](), super().far()  # those that have been asked for, and all
        super().__init__(points, model, domain, derived_, tree)

    def start(self, derived_: Any) -> Region | None:
        if self.domain.points is not None:
            return super().start(derived_)
        root = Region(self.model, self.domain)
        root.derive(derived_, len(self.model.layers) + 1)
        return root

    def cut(self, tree: Any) -> list[Region]:
        return super().cut(tree) if self.root is None else region.parts(tree, self.root, self.tick)

    def watch(self, tick: Callable[[], None]) -> None:
        """Have it called at each node and in long derivations; it may raise."""
        self.tick = tick
        if self.root is not None:
            self.root.fields.tick = tick

    def far(self) -> Iterator[Quick]:
        """As the plain judge has them, kept from claim to claim."""
        known, more = self._far
        for k, part in enumerate(itertools.chain(tuple(known), more)):
            assert isinstance(part, Quick)
            if k == len(known):
                known.append(part)
            part.watch(self.tick)
            yield part

    def arithmetic(self, level: int) -> Arithmetic | None:
        """For bounds of a layer on many boxes at once, if that is possible."""
        if level not in self._arithmetics:
            self._arithmetics[level], root = None, self.root
            if root is not None and root.fields.cornered and 1 < level <= root.fields.depth:
                whole = root.copy()
                if not self.derived:
                    whole.derive(derived(level)["derive"], level)
                with suppress(OverflowError):
                    self._arithmetics[level] = Arithmetic(whole, level)
        return self._arithmetics[level]

    def point(self, data: Any) -> checker.Vector:
        if type(data) is not int or not 0 <= data < len(self.points):
            return super().point(data)
        if data not in self._inside:
            self._inside[data] = super().point(data)
        return self._inside[data]

    def value(self, point: checker.Vector, level: int, neuron: int) -> Fraction:
        """As the plain judge has it; of a point in the table each layer is evaluated once."""
        if not any(point is known for known in self._inside.values()):
            return super().value(point, level, neuron)
        variables, d, layers = self._variables.get(id(point), ([], 1, -1))
        if layers < level - 1:
            values, d = self.model.values(point, level - 1)
            variables = self.model.outputs(values)
            self._variables[id(point)] = variables, d, level - 1
        layer = self.model.layers[level - 1]
        return Fraction(checker.at(layer.rows[neuron], variables, d), d * layer.denominator)

    def bound(self, proof: Any, level: int, neuron: int, sign: int) -> checker.Bound:
        found = self._bound(proof, level, neuron, sign)
        return math.inf if found is None else -math.inf if isinstance(found, str) else found

    def _bound(self, proof: Any, level: int, neuron: int, sign: int) -> region.Bound:
        if proof == "parts":
            return region.worst(*(part.derived_bound(level, neuron, sign) for part in self.parts))
        large = isinstance(proof, list) and len(proof) > FEW
        chain = [[at] for at in range(1, max(level, len(self.derived) + 1))]
        simple = repr(self.derived) == repr(chain[: len(self.derived)]) and len(self.derived) in (0, len(chain))
        own, parts = (self.arithmetic(level), places(proof)) if large and simple else (None, None)
        if own is None or parts is None:
            return region.walk(proof, self.root, level, neuron, sign, self.tick)
        widths, inputs = [len(layer.rows) for layer in self.model.layers], self.model.inputs

        def read(name: int) -> Step | None:
            return Step.read(proof[parts[name][0]], level, widths, inputs)

        worst: region.Bound = EMPTY
        unit = Fraction(2) ** (own.fields_of.exponents(level)[neuron] - 2 * UNIT)
        halves: dict[int, Any] = {}
        for name, found in spread(own, neuron, {1: own.whole}, read, self.tick, sign, not self.derived):
            bound: region.Bound
            if found is None:
                first, last = parts[name]
                here = region_at(name, self.root, lambda k: proof[parts[k][0]], level, neuron, halves)
                bound = region.walk(proof[first:last], here, level, neuron, sign, self.tick)
            else:
                bound = found * unit if isinstance(found, int) else EMPTY
            worst = region.worst(worst, bound)
        return worst


def region_at(
    name: int, root: Region, said: Callable[[int], Any], level: int, neuron: int, halves: dict[int, Any]
) -> Region:
    """The region of a node of a tree, with all that was derived on the way to it.

    ``said``: what a node says; ``halves``: the regions on both sides of the splits that have been made.
    """
    way = [name >> k for k in range(1, name.bit_length())]  # from the parent up
    known = next((k for k, parent in enumerate(way) if parent in halves), len(way))
    for parent in reversed(way[:known]):
        above = halves[parent >> 1][parent & 1] if parent > 1 else root
        halves[parent] = region.examine(said(parent), above.copy(), level)
    return (halves[name >> 1][name & 1] if name > 1 else root).copy()


def places(proof: list[Any]) -> dict[int, tuple[int, int]] | None:
    """The subtree of each node, by name, as a part of the list; None if the list is no tree, or a very deep one."""
    ends, stack = [], list[int]()
    for k in range(len(proof) - 1, -1, -1):
        node, end = proof[k], k + 1
        if not isinstance(node, dict):
            return None
        if "split" in node:
            if len(stack) < 2:
                return None
            stack.pop()
            end = stack.pop()
        stack.append(end)
        ends.append(end)
    if len(stack) != 1:
        return None
    found, names = dict[int, tuple[int, int]](), [1]
    for k, node in enumerate(proof):
        name = names.pop()
        if name.bit_length() > DEEPEST:
            return None
        found[name] = k, ends[-1 - k]
        if "split" in node:
            names += [2 * name + 1, 2 * name]
    return found
