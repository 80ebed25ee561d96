"""Queries in VNN-LIB, the language of the verification competition: versions 1 and 2.

Version 1 is read here: ``declare-const``, ``declare-fun`` and ``assert`` over ``<=``, ``>=``, ``<``, ``>``, ``=``,
``and``, ``or``, ``+``, ``-``, ``*`` and ``/`` by constants; inputs are ``X_0, X_1, ...``, outputs ``Y_0, Y_1, ...``.
A file that begins with ``(vnnlib-version ...)`` is read by :mod:`geomrelu.io.vnnlib2`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from geomrelu.errors import InputError
from geomrelu.exact.numbers import rational
from geomrelu.io import vnnlib2
from geomrelu.io.files import FilePath, named, read_text
from geomrelu.io.query import Atom, Declared, Form, Formula, Junction, Query, TensorOf, input_sets
from geomrelu.io.reading import Reading

__all__ = ["read_query", "read_sets"]

_TOKEN = re.compile(
    r"""(?P<newline>\n)
      | (?P<blank>[^\S\n]+ | ;[^\n]*)
      | (?P<token>[()] | "[^"]*" | \|[^|]*\| | [^\s();"|]+)
      | (?P<bad>.)""",
    re.VERBOSE,
)
_VARIABLE = re.compile(r"([XY])_(0|[1-9][0-9]{0,8})")
_DEEPEST = 100
_WITHOUT_EFFECT = ("set-logic", "set-info", "set-option", "check-sat", "get-model", "exit")
_RELATIONS = {"<=": (-1, ">="), ">=": (1, ">="), "<": (-1, ">"), ">": (1, ">"), "=": (1, "=")}


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


def read_sets(path: FilePath, reading: Reading | None = None) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """The input set of a VNN-LIB file: one dictionary for each piece of the union, and what is to be said about it.

    Bounds on one input make the box (None where there is none), other linear assertions make rows; the key ``strict``
    has rows that are strict in the file, see :func:`geomrelu.io.query.input_sets`.

    Args:
        reading: of the model whose inputs are meant, if it is known.

    Raises:
        InputError: ``path: line and what is wrong there``; inputs with other axes than those of the model.

    Exact: yes; decimals are read as decimals, not as the nearest float.
    """
    query = read_query(path)
    with named(path):
        sets = input_sets(query)
        if reading is not None:
            reading.check_axes([tensor.shape for tensor in query.networks[0].inputs])
        return sets, query.notes


def read_query(path: FilePath) -> Query:
    """The query in a VNN-LIB file.

    Raises:
        InputError: ``path: line and what is wrong there``.

    Exact: yes; decimals are read as decimals, not as the nearest float.
    """
    text = read_text(path)
    with named(path):
        commands = _expressions(text)
        if commands and commands[0].head == "vnnlib-version":
            return vnnlib2.parsed(text)
        return _first_version(commands)


def _first_version(commands: list[_Expression]) -> Query:
    declared: set[str] = set()
    assertions: list[Formula] = []
    for command in commands:
        name = command.head
        if name in ("declare-const", "declare-fun"):
            _declare(command, declared)
        elif name == "assert":
            if len(command.arguments) != 1:
                raise InputError(f"line {command.line}: assert takes one formula")
            assertions.append(_formula(command.arguments[0], declared))
        elif name not in _WITHOUT_EFFECT:
            raise InputError(f"line {command.line}: unknown command {name[:40]!r}")
    sizes = {kind: sum(name.startswith(kind) for name in declared) for kind in "XY"}
    if not sizes["X"]:
        raise InputError("no input X_0 is declared")
    for kind, word in (("X", "inputs"), ("Y", "outputs")):
        for j in range(sizes[kind]):
            if f"{kind}_{j}" not in declared:
                raise InputError(f"{sizes[kind]} {word} are declared, but {kind}_{j} is not")
    inputs, outputs = (TensorOf(kind, (sizes[kind],)) for kind in "XY")
    return Query("1.0", (Declared("", (inputs,), (outputs,)),), tuple(assertions))


def _declare(command: _Expression, declared: set[str]) -> None:
    words = [a.word if a.items is None else "()" * (not a.items) for a in command.arguments]
    if words[1:] != (["Real"] if command.head == "declare-const" else ["()", "Real"]):
        raise InputError(f"line {command.line}: expected ({command.head} X_0 {'' if len(words) < 3 else '() '}Real)")
    if not _VARIABLE.fullmatch(words[0]):
        raise InputError(f"line {command.line}: {words[0][:40]!r} is neither an input X_i nor an output Y_i")
    if words[0] in declared:
        raise InputError(f"line {command.line}: {words[0]} is declared twice")
    declared.add(words[0])


# ---- formulas and terms -----------------------------------------------------------------------------------------


def _formula(formula: _Expression, declared: set[str]) -> Formula:
    if formula.items is None:
        raise InputError(f"line {formula.line}: expected a formula, found {formula.word[:40]!r}")
    operator, arguments = formula.head, formula.arguments
    if operator in ("and", "or"):
        if not arguments:
            raise InputError(f"line {formula.line}: {operator} without arguments")
        return Junction(operator == "and", tuple(_formula(a, declared) for a in arguments))
    if operator not in _RELATIONS:
        raise InputError(f"line {formula.line}: {operator[:40]!r} is not supported in a formula")
    if len(arguments) != 2:
        raise InputError(f"line {formula.line}: {operator} takes two terms")
    sign, relation = _RELATIONS[operator]
    form = Form()
    for argument, factor in zip(arguments, (sign, -sign), strict=True):
        form.add(_term(argument, declared), Fraction(factor))
    return Atom(form, relation, formula.line)


def _term(term: _Expression, declared: set[str]) -> Form:
    if term.items is None:
        if term.word in declared:
            kind, index = term.word.split("_")
            return Form(slope={(kind, int(index)): Fraction(1)})
        if _VARIABLE.fullmatch(term.word):
            raise InputError(f"line {term.line}: {term.word} is not declared")
        return Form(rational(term.word, f"line {term.line}"))
    operator = term.head
    if operator not in _TERMS:
        raise InputError(f"line {term.line}: {operator[:40]!r} is not supported in a term")
    parts = [_term(a, declared) for a in term.arguments]
    if not parts:
        raise InputError(f"line {term.line}: {operator} without arguments")
    return _TERMS[operator](parts, term.line)


def _sum(parts: list[Form], line: int) -> Form:
    total = Form()
    for part in parts:
        total.add(part)
    return total


def _difference(parts: list[Form], line: int) -> Form:
    total = Form()
    total.add(parts[0], Fraction(1 if len(parts) > 1 else -1))
    for part in parts[1:]:
        total.add(part, Fraction(-1))
    return total


def _product(parts: list[Form], line: int) -> Form:
    total = parts[0]
    for part in parts[1:]:
        total = total.times(part)
    return total


def _quotient(parts: list[Form], line: int) -> Form:
    total = parts[0]
    for part in parts[1:]:
        if part.slope:
            total = Form(slope=dict.fromkeys((*total.slope, *part.slope), Fraction(1)), linear=False)
        elif not part.constant:
            raise InputError(f"line {line}: division by zero")
        else:
            total = total.times(Form(1 / part.constant))
    return total


_TERMS: dict[str, Callable[[list[Form], int], Form]] = {
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
