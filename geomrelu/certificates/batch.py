"""Proofs walked many boxes at once.

The checker walks a tree node by node. Most nodes of a large one cut an input or bound the neuron in coarse arithmetic,
and :mod:`geomrelu.certificates.fixed_point` takes dozens of them at a time; what else there is, and all below it, is
for the checker. The outcome is the checker's, bound for bound.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from geomrelu import checker
from geomrelu.certificates.fixed_point import Arithmetic, Batch, Cell

__all__ = ["Quick", "Step", "derivation", "derived", "places", "region_at", "spread"]

MOST = 64  # boxes of a batch
FEW = 50  # nodes of a proof that the checker walks as quickly
DEEPEST = 2_000  # splits below one another, since names have as many bits


def derived(level: int, coarse: bool, last: Sequence[int] | None = None) -> dict[str, Any]:
    """How a node says that bounds are derived: of all layers before, or only of some neurons of the last of them."""
    layers: list[Any] = [[at] if coarse else [at, "exact"] for at in range(1, level)]
    if last is not None:
        layers[-1:] = [[level - 1, list(last)]] if last else []
    return {"derive": layers} if layers else {}


def derivation(node: dict[str, Any], level: int) -> tuple[bool | None, tuple[int, ...] | None]:
    """What a node derives: in coarse arithmetic (None: nothing), and of which neurons of the last layer (None: of all).

    Raises ValueError, or another, if that is something else.
    """
    said = {key: value for key, value in node.items() if key == "derive"}
    some = [item[1] for item in said.get("derive", ()) if len(item) == 2 and isinstance(item[1], list)]
    last = tuple(int(operator.index(i)) for i in (some[0] if some else ()))
    for derives, of in ((True, last), (True, None), (None, None), (False, None)):
        if repr(said) == repr({} if derives is None else derived(level, derives, of)):  # True == 1
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

    @classmethod
    def read(cls, node: Any, level: int, widths: Sequence[int], inputs: int) -> Step | None:
        """What a node says, in a proof about a neuron of a layer; None if that is something else."""
        try:
            derives, last = derivation(node, level)
            if last is not None and not all(0 <= i < widths[level - 2] for i in last):
                return None
            if derives and node.keys() == {"coarse", "derive"} and _readable(node["coarse"], widths[: level - 1]):
                return cls(True, last, None, node["coarse"])
            if derives is not False and "split" in node and node.keys() <= {"split", "derive"}:
                kind, index, cut = node["split"]
                if kind == "x" and type(index) is int and 0 <= index < inputs:
                    return cls(bool(derives), last, (index, checker.number(cut)))
        except (ValueError, TypeError, AttributeError, checker.Malformed):
            pass
        return None


def spread(
    own: Arithmetic,
    neuron: int,
    cells: Mapping[int, Cell],
    read: Callable[[int], Step | None],
    tick: Callable[[], None],
    sign: int = 1,
) -> Iterator[tuple[int, Cell | int | None]]:
    """Take boxes through the nodes of a tree, many at a time, in any order.

    Args:
        cells: of some nodes, by name; the root is 1, which must say that it derives all that its cell knows, and the
            children of node k are 2 k and 2 k + 1.
        read: what a node says; None if it is for the checker; KeyError if there is no such node.
        tick: called before each batch.

    Yields:
        ``(name, what)``: the bound of ``sign * z`` at a leaf, in 2^-56; the box where there is no node; None at a node
        below which the checker has to go on.
    """
    stack: list[tuple[int, Cell, Step | None]] = [(name, cell, None) for name, cell in cells.items()]
    ready: list[tuple[int, Cell, Step]] = []
    while stack or ready:
        while stack:
            name, cell, step = stack.pop()
            try:
                if step is None:
                    step = read(name)
                    if step and name == 1 and (step.derives, step.last) != (True, None):
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
            batch = Batch(own, [cell for _, cell, _ in some], [step.last for *_, step in some])
            bounds = dict(zip(leaves, batch.bounds(neuron, leaves, sign), strict=True))
        for k, (name, _, step) in enumerate(some):
            if not batch.good[k]:
                yield name, None
            elif step.cut:
                stack.append((name, batch.cell(k), step._replace(derives=False)))
            else:
                yield name, bounds[k]


class Quick(checker.Points):
    """Proves claims as the checker does, but the boxes of large proofs many at once."""

    def __init__(self, table: list[Any], model: checker.Model, domain: checker.Domain) -> None:
        super().__init__(table, model, domain)  # type: ignore[no-untyped-call]
        self._arithmetics: dict[int, Arithmetic | None] = {}

    def arithmetic(self, level: int) -> Arithmetic | None:
        """For bounds of a layer on many boxes at once, if that is possible."""
        if level not in self._arithmetics:
            found, root = None, self.root
            if root is not None and root.coarse.cornered and 1 < level <= root.coarse.depth:
                region = root.copy()
                region.derive(derived(level, True)["derive"], level)
                with suppress(OverflowError):
                    found = Arithmetic(region, level)
            self._arithmetics[level] = found
        return self._arithmetics[level]

    def bound(self, proof: Any, level: int, neuron: int, tick: Callable[[], None] | None = None, sign: int = 1) -> Any:
        """What a proof gives: see ``walk`` in ``checker``, which does what is not for batches."""
        if self.root is not None:
            self.root.coarse.tick = tick
        large = isinstance(proof, list) and len(proof) > FEW
        own, parts = (self.arithmetic(level), places(proof)) if large else (None, None)
        if own is None or parts is None:
            return super().bound(proof, level, neuron, tick, sign)  # type: ignore[no-untyped-call]
        widths, inputs = [len(layer.rows) for layer in self.model.layers], self.model.inputs

        def read(name: int) -> Step | None:
            return Step.read(proof[parts[name][0]], level, widths, inputs)

        worst: Any = checker.EMPTY
        unit = Fraction(2) ** (own.coarse.exponents(level)[neuron] - 2 * checker.UNIT)
        halves: dict[int, Any] = {}
        for name, found in spread(own, neuron, {1: own.whole}, read, tick or (lambda: None), sign):
            if found is None:
                first, last = parts[name]
                here = region_at(name, self.root, lambda k: proof[parts[k][0]], level, neuron, halves)
                bound = checker.walk(proof[first:last], self.model, self.domain, level, neuron, here, tick, sign)
            else:
                bound = found * unit
            if bound is None:
                return None
            if worst == checker.EMPTY or (bound != checker.EMPTY and bound > worst):
                worst = bound
        return worst


def region_at(
    name: int, root: checker.Region, said: Callable[[int], Any], level: int, neuron: int, halves: dict[int, Any]
) -> checker.Region:
    """The region of a node of a tree, with all that was derived on the way to it.

    ``said``: what a node says; ``halves``: the regions on both sides of the splits that have been made.
    """
    way = [name >> k for k in range(1, name.bit_length())]  # from the parent up
    known = next((k for k, parent in enumerate(way) if parent in halves), len(way))
    for parent in reversed(way[:known]):
        above = halves[parent >> 1][parent & 1] if parent > 1 else root
        halves[parent], _ = checker.examine(said(parent), above.copy(), level, neuron)
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


def _readable(texts: Any, widths: Sequence[int]) -> bool:
    """Are these the slopes of a coarse leaf, for layers of these widths?"""
    return (
        isinstance(texts, list)
        and len(texts) <= len(widths)
        and all(isinstance(text, str) and len(text) in (0, width) for text, width in zip(texts, widths, strict=False))
        and set().union(*texts) <= checker.SIXTEENTHS.keys()
    )
