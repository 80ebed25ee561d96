"""Closed forms of the theory, as SymPy expressions: what users call is what the proofs prove.

Every function takes integers or SymPy symbols: ``lower_bound(3, 8)`` is a rational number, ``lower_bound(n, k)`` a
formula. n is the width of every layer, k the depth, n0 the input dimension and n1 the width of the first layer.
``geomrelu verify`` proves each formula again under the label that its docstring gives as its source.
"""

from __future__ import annotations

from typing import Any

import sympy

from geomrelu.errors import InputError

__all__ = ["lower_bound", "orthant_kill", "stably_unactivated", "upper_bound", "width_for_depth"]


def lower_bound(n: Any, k: Any) -> sympy.Expr:
    """``l(n, k) = (1 - 2^-n)^k``: a random network of width n and depth k is alive at least this likely.

    Args:
        n: width, a positive integer or a symbol.
        k: depth, a positive integer or a symbol.

    Raises:
        InputError: a number that is not a positive integer.

    Exact: yes. Source: Rister & Rubin, eq. 8; claim ``lower-bound``.

    >>> lower_bound(2, 3)
    27/64
    """
    n, k = _size(n, "width n"), _size(k, "depth k")
    return (1 - 2**-n) ** k


def orthant_kill(n: Any) -> sympy.Expr:
    """``2^(-n^2 - n)``: a random layer of width n on R^n_+ is dead this likely.

    Args:
        n: width, a positive integer or a symbol.

    Raises:
        InputError: a number that is not a positive integer.

    Exact: yes. Source: Rister & Rubin, section 3; claim ``orthant-kill``.

    >>> orthant_kill(2)
    1/64
    """
    n = _size(n, "width n")
    return sympy.Integer(2) ** (-(n**2) - n)


def upper_bound(n: Any, k: Any) -> sympy.Expr:
    """``v(n, k) = (1 - 2^(-n^2 - n))^(k - 1)``: a random network of width n and depth k is alive at most this likely.

    Args:
        n: width, a positive integer or a symbol.
        k: depth, a positive integer or a symbol.

    Raises:
        InputError: a number that is not a positive integer.

    Exact: yes. Source: Rister & Rubin, eq. 4; claims ``upper-bound`` and ``tight-at-two``.

    >>> upper_bound(1, 3)
    9/16
    """
    return (1 - orthant_kill(n)) ** (_size(k, "depth k") - 1)


def stably_unactivated(n0: Any, n1: Any) -> sympy.Expr:
    """The probability that a given second-layer neuron is stably unactivated on R^n0.

    ``2^(-n1 - 1)`` for n1 <= n0, and ``(2^n0 + 1) / 4^(n0 + 1)`` for n1 = n0 + 1.

    Args:
        n0: input dimension, a positive integer or a symbol.
        n1: width of the first layer, likewise; the sign of ``n1 - n0`` must be known.

    Raises:
        InputError: n1 > n0 + 1, where the probability depends on the law and no closed form exists; or numbers that
            are not positive integers; or symbols that cannot be compared.

    Exact: yes. Source: Brownlowe et al., theorems 1.1 and 1.2; claims ``narrow-first-layer``, ``one-more-than-input``.

    >>> stably_unactivated(3, 2), stably_unactivated(2, 3)
    (1/8, 5/64)
    """
    n0, n1 = _size(n0, "input dimension n0"), _size(n1, "width n1")
    excess = sympy.expand(n1 - n0)
    if excess.is_nonpositive:
        return sympy.Integer(2) ** (-n1 - 1)
    if excess == 1:
        return (2**n0 + 1) / sympy.Integer(4) ** (n0 + 1)
    if excess.is_positive:
        raise InputError(f"no closed form for n1 = {n1} > n0 + 1 = {n0 + 1}: the probability depends on the law")
    raise InputError(f"whether n1 = {n1} exceeds n0 = {n0} is not known")


def width_for_depth(k: Any, p: Any) -> sympy.Expr:
    """``n = -log2(1 - p^(1/k))``, the width at which the lower bound equals p at depth k (round it up).

    Args:
        k: depth, a positive integer or a symbol.
        p: probability in (0, 1): an exact SymPy number, a ``Fraction``, or a symbol.

    Raises:
        InputError: p is a float, or a number outside (0, 1).

    Exact: yes. Source: Rister & Rubin, eq. 9.

    >>> width_for_depth(2, sympy.Rational(9, 16))
    2
    """
    k = _size(k, "depth k")
    if isinstance(p, float):
        raise InputError(f"probability p: {p} is a float; write it exactly, such as Fraction(1, 2)")
    try:
        p = sympy.sympify(p, strict=True)
    except sympy.SympifyError:
        raise InputError(f"probability p: {p!r} is not a number") from None
    if p.is_number and not (p.is_real and 0 < p < 1):
        raise InputError(f"probability p: {p} is not between 0 and 1")
    return sympy.simplify(-sympy.log(1 - p ** (1 / k), 2))


def _size(value: Any, what: str) -> sympy.Expr:
    """A positive integer or a symbolic expression, as SymPy has it."""
    if isinstance(value, (bool, str)):
        raise InputError(f"{what}: {value!r} is not a positive integer")
    try:
        size = sympy.sympify(value, strict=True)
    except sympy.SympifyError:
        raise InputError(f"{what}: {value!r} is not a positive integer") from None
    if size.is_number and not (size.is_Integer and size > 0):
        raise InputError(f"{what}: {value} is not a positive integer")
    return size
