"""The tree of a proof that a neuron is dead: how parts of the domain are split, and how the nodes are read."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from geomrelu.certificates.batch import derivation, derived

__all__ = ["LETTERS", "OPEN", "PROGRAM", "Node", "Part", "Split", "walked", "written"]

Array = np.ndarray
Node = dict[str, Any]
PROGRAM: Node = {"program": True}  # stands for a leaf that an exact linear program shall find
OPEN: Node = {"open": True}  # stands for what is open, in a proof that is not complete
LETTERS = np.frombuffer(b"0123456789abcdefg", dtype=np.uint8)  # as leaves say sixteenths


@dataclass(frozen=True, slots=True)
class Split:
    """Of a part, at a number of one of the inputs, or (``cut`` None) by the sign of a neuron of a layer."""

    layer: int  # 0: the inputs
    index: int
    cut: float | None
    derives: bool = False  # are bounds derived anew before?
    last: tuple[int, ...] | None = None  # of which neurons of the last layer; None: of all

    def __reduce__(self) -> Any:  # packed by the hundred thousand
        return Split, (self.layer, self.index, self.cut, self.derives, self.last)

    def node(self, level: int) -> Node:
        """As the checker wants it, in a proof about a neuron of layer ``level``."""
        what = ["neuron", self.layer, self.index] if self.cut is None else ["x", self.index, str(Fraction(self.cut))]
        return {"split": what} | (derived(level, self.last) if self.derives else {})

    @classmethod
    def read(cls, node: Node, level: int, part: Part, widths: Sequence[int]) -> Split:
        """The split of a part that a node says; ValueError, or another, if it says none."""
        kind, *at, last = node["split"]
        cut = float(Fraction(last)) if kind == "x" else None
        layer, index = map(operator.index, (0, *at) if kind == "x" else (*at, last))
        if cut is None and not (kind == "neuron" and 1 <= layer < level and 0 <= index < widths[layer - 1]):
            raise ValueError("no such neuron")
        if cut is not None and not (index >= 0 and part.lower[index] < cut < part.upper[index]):
            raise ValueError("not inside the part")
        split = cls(layer, index, cut, *derivation(node, level))
        last = split.last
        if split.node(level) != node or (last is not None and not part.derived_whole(last, widths[level - 2])):
            raise ValueError("no such split")
        return split


@dataclass(slots=True)
class Part:
    """A part of the domain: a box, and neurons whose sign is known.

    Attributes:
        name: of its node; the root is 1, the parts of node k are 2 k and 2 k + 1.
        base, age: bounds (2, neurons) that hold on it, layer after layer as ``FloatNetwork.slices`` says, and how many
            splits it is below where they were derived.
        signs: ``(layer, neuron, sign)``.
        path: ``(path of the part that was split, split, side)``; () for the whole.
        share: of the domain.
        stubborn: it must be split, whatever its bound.
        leaf: with which it is closed, where that is known.
        earlier: what another run had found below it, as a proof where parts may be OPEN; yet to be judged.
    """

    lower: Array
    upper: Array
    name: int = 1
    base: Array | None = None
    age: int = 0
    signs: tuple[tuple[int, int, int], ...] = ()
    path: tuple[Any, ...] = ()
    share: float = 1.0
    stubborn: bool = False
    earlier: list[Node] | None = None
    leaf: Node | None = None

    @property
    def derived(self) -> bool:
        """Have bounds been derived on the way to it?"""
        path = self.path
        while path and not path[1].derives:
            path = path[0]
        return bool(path)

    def derived_whole(self, neurons: Iterable[int], width: int) -> bool:
        """May these neurons of the last layer be derived here: was all of it at the root, and are there such?"""
        path = self.path
        while path and path[0]:
            path = path[0]
        return bool(path) and (path[1].derives, path[1].last) == (True, None) and all(0 <= i < width for i in neurons)

    def child(self, split: Split, side: int, base: Array | None = None, age: int = 0) -> Part:
        """The side of a split where g <= 0 (-1) or g >= 0 (1)."""
        name, path, signs = 2 * self.name + (side > 0), (self.path, split, side), self.signs
        lower, upper, part, cut, j = self.lower, self.upper, 0.5, split.cut, split.index
        if cut is None:
            signs = (*signs, (split.layer, j, side))
        elif side < 0:
            part = float((cut - lower[j]) / (upper[j] - lower[j]))
            upper = upper.copy()
            upper[j] = cut
        else:
            part = float((upper[j] - cut) / (upper[j] - lower[j]))
            lower = lower.copy()
            lower[j] = cut
        return Part(lower, upper, name, base, age, signs, path, self.share * part)


def written(slopes: Array) -> str:
    """Slopes as leaves say them."""
    return LETTERS[np.rint(np.nan_to_num(slopes) * 16).astype(int)].tobytes().decode()


def walked(root: Part, proof: list[Node], level: int, widths: Sequence[int]) -> Iterator[tuple[Part, Split | Node]]:
    """The nodes of a proof, each with its part; if it is none, an error of many kinds."""
    stack = [root]
    for node in proof:
        here = stack.pop()
        if "split" in node:
            split = Split.read(node, level, here, widths)
            stack += [here.child(split, 1), here.child(split, -1)]
            yield here, split
        else:
            yield here, node
    if stack:
        raise ValueError("the proof ends before its last leaf")
