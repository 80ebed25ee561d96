"""Numbers and symbols of closed forms, as SymPy has them: exact, or refused."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import sympy

from geomrelu.errors import InputError

__all__ = ["number_of", "probability_of", "size_of"]


def number_of(value: Any, what: str) -> sympy.Expr:
    """An exact number or a symbolic expression, as SymPy has it."""
    if isinstance(value, (float, bool)):
        raise InputError(f"{what}: {value} is not an exact number; write it exactly, such as Fraction(1, 2)")
    return _scalar(value, f"{what}: {value!r} is not a number")


def probability_of(value: Any, what: str = "probability") -> sympy.Expr:
    """An exact number in [0, 1] or a symbolic expression, as SymPy has it."""
    found = number_of(value, what)
    if found.is_number and not (found.is_real and 0 <= found <= 1):
        raise InputError(f"{what}: {found} is not between 0 and 1")
    return found


def size_of(value: Any, what: str, least: int = 1) -> sympy.Expr:
    """An integer >= ``least`` or a symbolic expression, as SymPy has it."""
    wanted = "a positive integer" if least else "an integer >= 0"
    if isinstance(value, (bool, str)):
        raise InputError(f"{what}: {value!r} is not {wanted}")
    size = _scalar(value, f"{what}: {value!r} is not {wanted}")
    if size.is_number and not (size.is_Integer and size >= least):
        raise InputError(f"{what}: {value} is not {wanted}")
    return size


def _scalar(value: Any, refusal: str) -> sympy.Expr:
    """SymPy turns more than numbers into its own: tuples, dictionaries, truth values, matrices."""
    with suppress(sympy.SympifyError):
        found = sympy.sympify(value, strict=True)
        if getattr(found, "is_scalar", False):
            return found
    raise InputError(refusal)
