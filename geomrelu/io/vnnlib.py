"""Input sets in VNN-LIB: the part of SMT-LIB in which verification problems are written.

Read are ``declare-const``, ``declare-fun`` and ``assert`` over ``<=``, ``>=``, ``=``, ``and``, ``or``, ``+``, ``-``,
``*`` and ``/`` by constants. Inputs are ``X_0, X_1, ...``; assertions about the outputs ``Y_j`` are parsed and
ignored, for whether a neuron is dead does not depend on them. The set must be one polyhedron: an ``or`` over inputs is
refused, and so are strict inequalities and atoms that relate inputs to outputs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from geomrelu.errors import InputError
from geomrelu.exact.affine import affordable
from geomrelu.exact.numbers import rational
from geomrelu.io.files import FilePath, named, read_text

__all__ = ["read_set"]

_TOKEN = re.compile(
    r"""(?P<newline>\n)
      | (?P<blank>[^\S\n]+ | ;[^\n]*)
      | (?P<token>[()] | "[^"]*" | \|[^|]*\| | [^\s();"|]+)
      | (?P<bad>.)""",
    re.VERBOSE,
)
_VARIABLE = re.compile(r"([XY])_(0|[1-9][0-9]{0,8})")
_DEEPEST = 100
_LONGEST = 13_000  # bits of a coefficient: products could take forever, and str() refuses beyond 4300 digits
_WITHOUT_EFFECT = ("set-logic", "set-info", "set-option", "check-sat", "get-model", "exit")


@dataclass(frozen=True, slots=True)
class _Expression:
    """A word, or a list of expressions, and the line it begins in."""

    line: int
    word: str = ""
    items: tuple[_Expression, ...] | None = None

    @property
    def head(self) -> str:
        """The operator of a list."""
        if not self.items or self.items[0].items is not None:
            raise InputError(f"line {self.line}: expected an operator after the parenthesis")
        return self.items[0].word

    @property
    def arguments(self) -> tuple[_Expression, ...]:
        return self.items[1:] if self.items else ()


@dataclass(slots=True)
class _Form:
    """``constant + slope·X``; of a form that reads outputs only this is known."""

    constant: Fraction = Fraction(0)
    slope: dict[int, Fraction] = field(default_factory=dict)
    outputs: bool = False

    def add(self, other: _Form, factor: Fraction = Fraction(1)) -> None:
        self.constant += factor * other.constant
        for j, v in other.slope.items():
            self.slope[j] = self.slope.get(j, Fraction(0)) + factor * v
        self.outputs |= other.outputs
        for v in (self.constant, *(self.slope[j] for j in other.slope)):
            if max(v.numerator.bit_length(), v.denominator.bit_length()) > _LONGEST:
                raise InputError(f"a coefficient grows beyond {_LONGEST} bits")


@dataclass(frozen=True, slots=True)
class _Row:
    """``form >= 0`` or ``form = 0``."""

    form: _Form
    equality: bool


def read_set(path: FilePath) -> dict[str, Any]:
    """The input set of a VNN-LIB file, as the dictionary of :mod:`geomrelu.io` with all its keys.

    Bounds on one input make the box (None where there is none), other linear assertions make rows.

    Raises:
        InputError: ``path: line and what is wrong there``.

    Exact: yes; decimals are read as decimals, not as the nearest float.
    """
    text = read_text(path)
    with named(path):
        declared: set[str] = set()
        rows: list[_Row] = []
        for command in _expressions(text):
            name = command.head
            if name in ("declare-const", "declare-fun"):
                _declare(command, declared)
            elif name == "assert":
                if len(command.arguments) != 1:
                    raise InputError(f"line {command.line}: assert takes one formula")
                rows += _rows(command.arguments[0], declared)
            elif name not in _WITHOUT_EFFECT:
                raise InputError(f"line {command.line}: unknown command {name[:40]!r}")
        return _set(rows, declared)


def _declare(command: _Expression, declared: set[str]) -> None:
    words = [a.word if a.items is None else "()" * (not a.items) for a in command.arguments]
    if words[1:] != (["Real"] if command.head == "declare-const" else ["()", "Real"]):
        raise InputError(f"line {command.line}: expected ({command.head} X_0 {'' if len(words) < 3 else '() '}Real)")
    if not _VARIABLE.fullmatch(words[0]):
        raise InputError(f"line {command.line}: {words[0][:40]!r} is neither an input X_i nor an output Y_i")
    if words[0] in declared:
        raise InputError(f"line {command.line}: {words[0]} is declared twice")
    declared.add(words[0])


def _set(rows: list[_Row], declared: set[str]) -> dict[str, Any]:
    inputs = sum(name.startswith("X") for name in declared)
    if not inputs:
        raise InputError("no input X_0 is declared")
    for j in range(inputs):
        if f"X_{j}" not in declared:
            raise InputError(f"{inputs} inputs are declared, but X_{j} is not")
    box: list[list[Fraction | None]] = [[None, None] for _ in range(inputs)]
    tables: tuple[list[list[Fraction]], list[list[Fraction]]] = ([], [])
    for row in rows:
        slope = {j: v for j, v in row.form.slope.items() if v}
        if len(slope) == 1:
            ((j, v),) = slope.items()
            low, high = box[j]
            bound = -row.form.constant / v
            if row.equality or v > 0:
                box[j][0] = bound if low is None else max(low, bound)
            if row.equality or v < 0:
                box[j][1] = bound if high is None else min(high, bound)
        else:
            affordable((len(tables[0]) + len(tables[1]) + 1) * inputs, "the rows")
            zero = Fraction(0)
            tables[row.equality].append([row.form.constant, *(slope.get(j, zero) for j in range(inputs))])
    return {"dimension": inputs, "inequalities": tables[0], "equalities": tables[1], "box": box}


# ---- formulas and terms -----------------------------------------------------------------------------------------


def _rows(formula: _Expression, declared: set[str]) -> list[_Row]:
    """What a formula says about the inputs, as rows that all hold."""
    if formula.items is None:
        raise InputError(f"line {formula.line}: expected a formula, found {formula.word[:40]!r}")
    operator, arguments = formula.head, formula.arguments
    if operator in ("and", "or"):
        if not arguments:
            raise InputError(f"line {formula.line}: {operator} without arguments")
        parts = [_rows(a, declared) for a in arguments]
        if operator == "or" and len(parts) > 1 and any(parts):
            raise InputError(f"line {formula.line}: an or over inputs: a union of boxes is not supported")
        return [row for part in parts for row in part]
    if operator not in ("<=", ">=", "=", "<", ">"):
        raise InputError(f"line {formula.line}: {operator[:40]!r} is not supported in a formula")
    if len(arguments) != 2:
        raise InputError(f"line {formula.line}: {operator} takes two terms")
    left, right = (_term(a, declared) for a in arguments)
    form = _Form()
    form.add(left, Fraction(-1 if operator in ("<=", "<") else 1))
    form.add(right, Fraction(1 if operator in ("<=", "<") else -1))
    if form.outputs and form.slope:
        raise InputError(f"line {formula.line}: an atom relates inputs to outputs")
    if form.outputs:
        return []
    if operator in ("<", ">"):
        raise InputError(f"line {formula.line}: strict inequalities are not supported")
    return [_Row(form, operator == "=")]


def _term(term: _Expression, declared: set[str]) -> _Form:
    if term.items is None:
        if term.word in declared:
            kind, index = term.word.split("_")
            return _Form(outputs=True) if kind == "Y" else _Form(slope={int(index): Fraction(1)})
        if _VARIABLE.fullmatch(term.word):
            raise InputError(f"line {term.line}: {term.word} is not declared")
        return _Form(rational(term.word, f"line {term.line}"))
    operator = term.head
    if operator not in _TERMS:
        raise InputError(f"line {term.line}: {operator[:40]!r} is not supported in a term")
    parts = [_term(a, declared) for a in term.arguments]
    if not parts:
        raise InputError(f"line {term.line}: {operator} without arguments")
    return _TERMS[operator](parts, term.line)


def _sum(parts: list[_Form], line: int) -> _Form:
    total = _Form()
    for part in parts:
        total.add(part)
    return total


def _difference(parts: list[_Form], line: int) -> _Form:
    total = _Form()
    total.add(parts[0], Fraction(1 if len(parts) > 1 else -1))
    for part in parts[1:]:
        total.add(part, Fraction(-1))
    return total


def _product(parts: list[_Form], line: int) -> _Form:
    total = parts[0]
    for part in parts[1:]:
        first, second = (part, total) if _is_constant(total) else (total, part)
        if not _is_constant(second):
            if first.slope or second.slope:
                raise InputError(f"line {line}: a product of two variables is not linear")
            total = _Form(outputs=True)
            continue
        total = _Form()
        total.add(first, second.constant)
    return total


def _quotient(parts: list[_Form], line: int) -> _Form:
    total = parts[0]
    for part in parts[1:]:
        if not _is_constant(part):
            if total.slope or part.slope:
                raise InputError(f"line {line}: a division by a variable is not linear")
            return _Form(outputs=True)
        if not part.constant:
            raise InputError(f"line {line}: division by zero")
        first, total = total, _Form()
        total.add(first, 1 / part.constant)
    return total


def _is_constant(form: _Form) -> bool:
    return not form.slope and not form.outputs


_TERMS: dict[str, Callable[[list[_Form], int], _Form]] = {
    "+": _sum,
    "-": _difference,
    "*": _product,
    "/": _quotient,
}


# ---- text -------------------------------------------------------------------------------------------------------


def _expressions(text: str) -> list[_Expression]:
    """The commands of a file. Nesting is kept on a list, not on Python's stack, and is limited."""
    top: list[_Expression] = []
    open_lists: list[tuple[int, list[_Expression]]] = []
    line = 1
    for match in _TOKEN.finditer(text):
        token = match["token"]
        if match["newline"]:
            line += 1
        elif match["bad"]:
            raise InputError(f"line {line}: unexpected {match['bad']!r}")
        elif token == "(":
            if len(open_lists) == _DEEPEST:
                raise InputError(f"line {line}: nested more than {_DEEPEST} deep")
            open_lists.append((line, []))
        elif token == ")":
            if not open_lists:
                raise InputError(f"line {line}: a parenthesis closes nothing")
            start, items = open_lists.pop()
            (open_lists[-1][1] if open_lists else top).append(_Expression(start, items=tuple(items)))
        elif token:
            if not open_lists:
                raise InputError(f"line {line}: {token[:40]!r} stands outside all parentheses")
            open_lists[-1][1].append(_Expression(line, token))
            line += token.count("\n")  # a quoted word may run over lines
    if open_lists:
        raise InputError(f"line {open_lists[-1][0]}: a parenthesis is not closed")
    return top
