"""The only door from numbers as people and files write them to exact rationals.

A float enters as the exact dyadic value it holds (``0.1`` is 3602879701896397/2**55), a decimal string as the
decimal it spells (``"0.1"`` is 1/10). NaN and infinities are refused, with the place where they stand. Beyond
this module nobody converts: values are ``Fraction``, and the kernels work on integers over one common denominator.

Floats are taken apart by their bits, not by arithmetic: a process may flush denormal numbers to zero (libraries switch
that on for speed), and then even a comparison with zero is wrong for them.
"""

from __future__ import annotations

import math
import re
import struct
import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Rational
from typing import TYPE_CHECKING, Any

from geomrelu.errors import InputError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["common", "dyadic", "nearest", "primitive", "rational", "rationals"]

_NUMBER = re.compile(r"[+-]?(\d+/\d+|(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?)")
_NORMAL = 2.0**-126  # no float of any kind at or above this is ever flushed to zero
_LONGEST = 3000  # characters of one number: with the largest exponent, 999, str() of the rational still works


def rational(value: Any, where: str = "number") -> Fraction:
    """The exact rational that ``value`` holds.

    Args:
        value: int, ``Fraction``, ``Decimal``, float, NumPy scalar (float16/32/64, any int), SymPy rational, or a
            string ``"p/q"`` or decimal such as ``"-1.5e-3"``. Booleans are refused.
        where: names the place in the error message.

    Raises:
        InputError: NaN, an infinity, a zero denominator, or anything that is not a number.

    Exact: yes; nothing is rounded. Strings are parsed, never evaluated.

    >>> rational("0.1"), rational(0.5), rational("-3/6")
    (Fraction(1, 10), Fraction(1, 2), Fraction(-1, 2))
    """
    if isinstance(value, Fraction):
        return value
    if isinstance(value, str):
        text = value.strip()
        if len(text) > _LONGEST or not _NUMBER.fullmatch(text):
            raise InputError(f"{where}: {_shown(value)} is not a rational number (write 3, -1.5e-3 or 2/7)")
        if text.rpartition("/")[2].strip("0") == "" and "/" in text:
            raise InputError(f"{where}: {_shown(value)} has denominator zero")
        return Fraction(text)
    if type(value).__name__ in ("bool", "bool_"):
        raise InputError(f"{where}: {value} is a truth value, not a number")
    if isinstance(value, Integral):
        return Fraction(int(value))  # through int: Fraction(np.int64) would keep a value that overflows
    if isinstance(value, Rational):
        return Fraction(int(value.numerator), int(value.denominator))
    if hasattr(value, "is_Rational") and value.is_Rational:  # SymPy numbers, without importing SymPy
        return Fraction(int(value.p), int(value.q))
    if isinstance(value, (float, Decimal)) or type(value).__name__ in ("float16", "float32"):
        number = value if isinstance(value, Decimal) else float(value)
        if not math.isfinite(number):
            raise InputError(f"{where}: {value} is not a finite number")
        if isinstance(number, Decimal):
            if abs(number.adjusted()) > 999:
                raise InputError(f"{where}: the exponent of {_shown(str(value))} is out of range")
            return Fraction(number)
        if abs(number) >= _NORMAL:
            return Fraction(number)
        return _small(value)
    raise InputError(f"{where}: {_shown(repr(value))} is not a number")


def _small(value: Any) -> Fraction:
    """A finite float that is 0 or below the normal range of its kind, by its bits."""
    if isinstance(value, float):
        bits = int.from_bytes(struct.pack(">d", value), "big")
        size, spent = 52, 1074  # bits of the fraction, and of the least number's exponent
        exponent = bits >> 52 & 0x7FF
    else:
        bits = int.from_bytes(value.tobytes(), sys.byteorder)
        size, spent, exponent = (23, 149, bits >> 23 & 0xFF) if value.itemsize == 4 else (10, 24, bits >> 10 & 0x1F)
    mantissa = bits & ((1 << size) - 1) | (bool(exponent) << size)
    sign = -1 if bits >> (size + (11, 8, 5)[(52, 23, 10).index(size)]) else 1
    return Fraction(sign * mantissa << max(exponent - 1, 0), 1 << spent)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


def rationals(values: Any, where: str = "vector") -> tuple[Fraction, ...]:
    """:func:`rational` of each entry of a sequence (or one-dimensional array), each place named in errors."""
    if isinstance(values, (str, bytes, dict)) or not isinstance(values, Iterable):
        raise InputError(f"{where}: expected a list of numbers")
    return tuple(rational(v, f"{where}, entry {i}") for i, v in enumerate(values))


def common(values: Iterable[Fraction]) -> tuple[list[int], int]:
    """The values as integers over their least common denominator: ``(numerators, denominator)``.

    >>> common([Fraction(1, 2), Fraction(1, 3)])
    ([3, 2], 6)
    """
    values = list(values)
    denominator = math.lcm(*{v.denominator for v in values})
    return [v.numerator * (denominator // v.denominator) for v in values], denominator


def primitive(row: Iterable[Fraction | int]) -> tuple[int, ...]:
    """The positive multiple of ``row`` whose entries are integers without common factor (a zero row stays zero).

    >>> primitive([Fraction(1, 2), Fraction(-3, 4)])
    (2, -3)
    """
    numerators, _ = common(Fraction(v) for v in row)
    divisor = math.gcd(*numerators)
    return tuple(numerators) if divisor <= 1 else tuple(v // divisor for v in numerators)


def dyadic(array: np.ndarray, where: str = "array") -> tuple[list[int], int]:
    """All entries of a NumPy array (any shape, read row by row) as integers over one common denominator.

    Args:
        array: float16/32/64 or integer or boolean-free array; object arrays go entry by entry through
            :func:`rational`.

    Returns:
        ``(numerators, denominator)``; for float arrays the denominator is a power of two. Equal entries share one
        integer object, so a convolution unrolled to a matrix costs 8 bytes an entry.

    Raises:
        InputError: NaN or infinity, with its index.

    Exact: yes. Method: mantissas and exponents of the distinct bit patterns, O(size log size).
    """
    import numpy as np

    if array.dtype.kind in "iu":
        return array.ravel().tolist(), 1
    if array.dtype.kind != "f" or array.dtype.itemsize > 8:
        return common(rationals(array.ravel().tolist(), where))
    size = {2: 10, 4: 23, 8: 52}[array.dtype.itemsize]  # bits of the fraction; the exponent has what the sign leaves
    top = (1 << (8 * array.dtype.itemsize - 1 - size)) - 1
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    bits, position = np.unique(
        np.ascontiguousarray(native).view(f"u{array.dtype.itemsize}").ravel(), return_inverse=True
    )
    bits = bits.astype(np.uint64)
    powers = (bits >> np.uint64(size) & np.uint64(top)).astype(np.int64)
    if (powers == top).any():
        finite = (powers != top)[position].reshape(array.shape)
        at = np.unravel_index(int(np.argmin(finite)), array.shape)
        raise InputError(f"{where}, entry {[int(i) for i in at]}: {array[at]} is not a finite number")
    mantissas = (bits & np.uint64((1 << size) - 1)).astype(np.int64) | ((powers > 0).astype(np.int64) << size)
    # each value is sign * mantissa * 2**exponent; the zeros at the end of the mantissa go into the exponent
    zeros_behind = np.frexp((mantissas & -mantissas).astype(np.float64))[1] - 1
    exponents = np.where(mantissas == 0, 0, np.maximum(powers, 1) - top // 2 - size + zeros_behind)
    mantissas >>= np.maximum(zeros_behind, 0)
    mantissas[bits >> np.uint64(8 * array.dtype.itemsize - 1) == 1] *= -1
    lowest = int(exponents.min(initial=0))
    table = np.empty(len(bits), dtype=object)
    table[:] = [m << e for m, e in zip(mantissas.tolist(), (exponents - lowest).tolist(), strict=True)]
    return table[position.ravel()].tolist(), 1 << -lowest


def nearest(numerators: Sequence[int], denominator: int) -> np.ndarray:
    """The float64 array nearest to ``numerators / denominator`` (each entry correctly rounded; guides, never decides).

    Values beyond the float range become infinities.
    """
    import numpy as np

    def divide(v: int) -> float:
        try:
            return v / denominator
        except OverflowError:
            return math.inf if v > 0 else -math.inf

    return np.array([divide(v) for v in numerators], dtype=np.float64)
