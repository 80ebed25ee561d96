"""Queries about networks, as VNN-LIB states them: tensors with names, and formulas over their elements.

A query asks whether there are inputs for which all its assertions hold. The set of inputs is what the assertions say
about inputs alone; it is a union of polyhedra, one for each alternative that the word ``or`` leaves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from geomrelu.errors import InputError
from geomrelu.exact.affine import affordable

__all__ = ["Atom", "Declared", "Form", "Formula", "Junction", "Query", "TensorOf", "alternatives", "input_sets"]

Variable = tuple[str, int]  # the name of a tensor, and which of its elements, row by row
_LONGEST = 13_000  # bits of a coefficient: products could take forever, and str() refuses beyond 4300 digits


@dataclass(frozen=True, slots=True)
class TensorOf:
    """A declared tensor: its name in the query, shape, element type, and, if it is hidden, its name in the model."""

    name: str
    shape: tuple[int, ...]
    element: str = "real"
    known_as: str = ""

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def is_integral(self) -> bool:
        """Are its elements integers?"""
        return self.element.startswith(("int", "uint"))


@dataclass(frozen=True, slots=True)
class Declared:
    """A declared network. ``equal_to`` names another one that is the same model, ``like`` one of the same shape."""

    name: str
    inputs: tuple[TensorOf, ...]
    outputs: tuple[TensorOf, ...]
    hidden: tuple[TensorOf, ...] = ()
    equal_to: str = ""
    like: str = ""


@dataclass(slots=True)
class Form:
    """``constant + slope·variables``; of one that is not linear only which variables it reads is known."""

    constant: Fraction = Fraction(0)
    slope: dict[Variable, Fraction] = field(default_factory=dict)
    linear: bool = True

    def add(self, other: Form, factor: Fraction = Fraction(1)) -> None:
        """Add ``factor * other``."""
        self.constant += factor * other.constant
        self.linear &= other.linear
        for j, v in other.slope.items():
            self.slope[j] = self.slope.get(j, Fraction(0)) + factor * v
        for v in (self.constant, *(self.slope[j] for j in other.slope)):
            if max(v.numerator.bit_length(), v.denominator.bit_length()) > _LONGEST:
                raise InputError(f"a coefficient grows beyond {_LONGEST} bits")

    def times(self, other: Form) -> Form:
        """The product."""
        if self.linear and other.linear and not (self.slope and other.slope):
            first, second = (self, other) if self.slope else (other, self)
            total = Form()
            total.add(first, second.constant)
            return total
        return Form(slope=dict.fromkeys((*self.slope, *other.slope), Fraction(1)), linear=False)


@dataclass(frozen=True, slots=True)
class Atom:
    """``form relation 0`` with ``>=``, ``>`` or ``=``, and the line it stands in."""

    form: Form
    relation: str
    line: int = 0

    def reads(self, tensors: Iterable[str]) -> bool:
        """Does it read an element of one of these tensors?"""
        names = set(tensors)
        return any(name in names for name, _ in self.form.slope)


@dataclass(frozen=True, slots=True)
class Junction:
    """All (``and``) or one (``or``) of several formulas."""

    all: bool
    parts: tuple[Formula, ...]


Formula = Atom | Junction


@dataclass(frozen=True, slots=True)
class Query:
    """The declarations and assertions of a file.

    Attributes:
        version: of VNN-LIB, such as "2.0".
        networks: at least one.
        assertions: all of them hold.
    """

    version: str
    networks: tuple[Declared, ...]
    assertions: tuple[Formula, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said about its meaning."""
        tensors = [t for n in self.networks for t in (*n.inputs, *n.hidden, *n.outputs)]
        kinds = sorted({t.element for t in tensors if t.element != "real" and not t.is_integral})
        return (f"elements of type {', '.join(kinds)} are read as real numbers",) if kinds else ()


def alternatives(formulas: Iterable[Formula], keep: Callable[[Atom], bool]) -> list[list[Atom]]:
    """The disjunctive normal form of all formulas together, of the atoms to keep; the others count as true.

    Raises:
        InputError: too many alternatives.
    """
    found: list[list[Atom]] = [[]]
    for formula in formulas:
        options = _options(formula, keep)
        if len(options) == 1:
            for atoms in found:
                atoms.extend(options[0])
        else:
            size = sum(map(len, options)) * len(found) + sum(map(len, found)) * len(options)
            affordable(size, "the alternatives of the assertions", each=100)
            found = [[*atoms, *more] for atoms in found for more in options]
    return found


def _options(formula: Formula, keep: Callable[[Atom], bool]) -> list[list[Atom]]:
    if isinstance(formula, Atom):
        return [[formula]] if keep(formula) else [[]]
    if formula.all:
        return alternatives(formula.parts, keep)
    options = [option for part in formula.parts for option in _options(part, keep)]
    return [[]] if [] in options else options


def input_sets(query: Query) -> list[dict[str, Any]]:
    """What the assertions say about inputs, one dictionary of :mod:`geomrelu.io` for each alternative.

    Its key ``strict`` has the rows that are ``> 0`` in the query; they stand among the others as ``>= 0``. Assertions
    about outputs and hidden tensors are left out, for whether a neuron is dead does not depend on them.

    Raises:
        InputError: several networks; an assertion that relates inputs to other tensors, or that is not linear in them.
    """
    if len(query.networks) != 1:
        raise InputError(f"the query is about {len(query.networks)} networks")
    (network,) = query.networks
    names = [tensor.name for tensor in network.inputs]
    starts: dict[str, int] = {}
    dimension = 0
    for tensor in network.inputs:
        starts[tensor.name] = dimension
        dimension += tensor.size
    affordable(dimension, "the inputs", each=100)

    def keep(atom: Atom) -> bool:
        if not atom.reads(names):
            return not atom.form.slope
        if not atom.form.linear:
            raise InputError(f"line {atom.line}: a product of two variables is not linear")
        if any(name not in starts for name, _ in atom.form.slope):
            raise InputError(f"line {atom.line}: an atom relates inputs to outputs")
        return True

    pieces = alternatives(query.assertions, keep)
    affordable(len(pieces) * dimension, "the alternatives of the assertions", each=10)
    return [_set(atoms, starts, dimension) for atoms in pieces]


def _set(atoms: Sequence[Atom], starts: dict[str, int], dimension: int) -> dict[str, Any]:
    """The polyhedron in which all atoms hold: bounds on one input make the box, others make rows."""
    box: list[list[Fraction | None]] = [[None, None] for _ in range(dimension)]
    tables: dict[str, list[list[Fraction]]] = {"inequalities": [], "equalities": [], "strict": []}
    zero = Fraction(0)
    for atom in atoms:
        slope = {starts[name] + k: v for (name, k), v in atom.form.slope.items() if v}
        if len(slope) == 1:
            ((j, v),) = slope.items()
            low, high = box[j]
            bound = -atom.form.constant / v
            if atom.relation == "=" or v > 0:
                box[j][0] = bound if low is None else max(low, bound)
            if atom.relation == "=" or v < 0:
                box[j][1] = bound if high is None else min(high, bound)
        if len(slope) != 1 or atom.relation == ">":
            affordable((sum(map(len, tables.values())) + 1) * dimension, "the rows")
            row = [atom.form.constant, *(slope.get(j, zero) for j in range(dimension))]
            if len(slope) != 1:
                tables["equalities" if atom.relation == "=" else "inequalities"].append(row)
            if atom.relation == ">":
                tables["strict"].append(row)
    return {"dimension": dimension, "box": box, **tables}
