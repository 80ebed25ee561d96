"""Queries in VNN-LIB 2.0, parsed and type-checked by the package ``vnnlib``.

Numbers are taken as they are spelt (``lexeme``), never as the double that the package makes of them.
"""

from __future__ import annotations

import importlib
import json
import math
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from geomrelu.errors import InputError
from geomrelu.exact.numbers import rational
from geomrelu.io.query import Atom, Declared, Form, Formula, Junction, Query, TensorOf

__all__ = ["parsed"]

_ELEMENTS = {
    "Real": "real", "F16": "float16", "F32": "float32", "F64": "float64", "BF16": "bfloat16",
    "F8E4M3FN": "float8e4m3fn", "F8E5M2": "float8e5m2", "F8E4M3FNUZ": "float8e4m3fnuz",
    "F8E5M2FNUZ": "float8e5m2fnuz", "F4E2M1": "float4e2m1",
}  # fmt: skip
_INTEGERS = {
    f"{kind}{bits}": f"{name}{bits}" for kind, name in (("I", "int"), ("U", "uint")) for bits in (8, 16, 32, 64)
}
_RELATIONS = {
    "GreaterEqual": (1, ">="), "GreaterThan": (1, ">"), "LessEqual": (-1, ">="), "LessThan": (-1, ">"),
    "Equal": (1, "="),
}  # fmt: skip
_LARGEST = 10**7  # elements of a tensor


def parsed(text: str) -> Query:
    """The query that a text of VNN-LIB 2.0 states; its nesting must have been found shallow before.

    Raises:
        InputError: what the package finds wrong, with the line; element types that are no real numbers; the package is
            not installed.
    """
    try:
        package: Any = importlib.import_module("vnnlib")
    except ImportError:
        raise InputError("reading VNN-LIB 2 needs the package vnnlib: pip install 'geomrelu[vnnlib]'") from None
    # The standard calls the type of the real numbers Real; the package (1.0.2) knows it as real and takes Real for a
    # type without a name, which then fits no constant.
    text = re.sub(r"(\(\s*declare-(?:input|hidden|output)\s+[^\s()]+\s+)Real(?=[\s(\[])", r"\1real", text)
    try:
        found = package.parse_query_string(text)
    except Exception as problem:  # the package's own, and those of its binding
        raise InputError(_first(str(problem))) from None
    networks = tuple(_network(network) for network in found.networks)
    shapes = {t.name: t.shape for n in networks for t in (*n.inputs, *n.hidden, *n.outputs)}
    if not networks:
        raise InputError("no network is declared")
    version = re.search(r"<\s*([0-9.]+)\s*>", text)
    return Query(version[1] if version else "2.0", networks, tuple(_formula(a.expr, shapes) for a in found.assertions))


def _first(report: str) -> str:
    """The first of the errors that the package reports."""
    try:
        error = json.loads(report)["errors"][0]
        return f"line {error['line']}: {error['message']}: {error['offendingSymbol']} ({error['hint']})"[:300]
    except (ValueError, KeyError, IndexError, TypeError):
        return (report.splitlines() or ["the package vnnlib cannot parse it"])[0][:300]


def _network(network: Any) -> Declared:
    inputs = tuple(map(_tensor, network.inputs))
    hidden, outputs = (tuple(_tensor(t, _INTEGERS) for t in part) for part in (network.hidden, network.outputs))
    if not inputs or not outputs:
        raise InputError(f"network {network.name[:60]!r} has no input or no output")
    return Declared(network.name, inputs, outputs, hidden, network.equal_to, network.isometric_to)


def _tensor(definition: Any, more: Mapping[str, str] | None = None) -> TensorOf:
    """Its declaration; ``more``: element types that are allowed beside real numbers and floats."""
    element = {**_ELEMENTS, **(more or {})}.get(definition.dtype.name)
    name = str(definition.name)
    if element is None:
        raise InputError(f"tensor {name[:60]!r}: its elements are not real numbers or floats")
    shape = tuple(int(size) for size in definition.shape)
    if any(size < 1 for size in shape) or math.prod(shape) > _LARGEST:
        raise InputError(f"tensor {name[:60]!r}: shape {list(shape)} is not supported")
    return TensorOf(name, shape, element, (definition.onnx_name or "").strip('"'))


def _formula(expression: Any, shapes: dict[str, tuple[int, ...]]) -> Formula:
    kind = type(expression).__name__
    if kind in ("And", "Or"):
        return Junction(kind == "And", tuple(_formula(part, shapes) for part in expression.args))
    difference = Form()
    difference.add(_form(expression.lhs, shapes))
    difference.add(_form(expression.rhs, shapes), Fraction(-1))
    line = _line(expression)
    if kind == "NotEqual":
        return Junction(False, tuple(Atom(_multiple(difference, sign), ">", line) for sign in (1, -1)))
    if kind not in _RELATIONS:
        raise InputError(f"line {line}: {kind} is not supported")
    sign, relation = _RELATIONS[kind]
    return Atom(_multiple(difference, sign), relation, line)


def _multiple(form: Form, sign: int) -> Form:
    total = Form()
    total.add(form, Fraction(sign))
    return total


def _form(expression: Any, shapes: dict[str, tuple[int, ...]]) -> Form:
    kind = type(expression).__name__
    if kind == "Var":
        name, at = str(expression.name), 0
        for index, size in zip(expression.indices, shapes[name], strict=True):
            at = at * size + int(index)
        return Form(slope={(name, at): Fraction(1)})
    if hasattr(expression, "lexeme"):
        return Form(rational(expression.lexeme, f"line {expression.line}"))
    total = Form()
    if kind == "Negate":
        total.add(_form(expression.expr, shapes), Fraction(-1))
    elif kind == "Plus":
        for part in expression.args:
            total.add(_form(part, shapes))
    elif kind == "Minus":
        total.add(_form(expression.head, shapes))
        for part in expression.rest:
            total.add(_form(part, shapes), Fraction(-1))
    elif kind == "Multiply":
        total = Form(Fraction(1))
        for part in expression.args:
            total = total.times(_form(part, shapes))
    else:
        raise InputError(f"line {_line(expression)}: {kind} is not supported")
    return total


def _line(expression: Any) -> int:
    """The line of the first word in an expression that has one."""
    waiting = [expression]
    while waiting:
        expression = waiting.pop()
        if hasattr(expression, "line"):
            return int(expression.line)
        waiting += reversed(expression.children())
    return 0
