"""The only door from numbers as people and files write them to exact rationals.

A float enters as the exact dyadic value it holds (``0.1`` is 3602879701896397/2**55), a decimal string as the
decimal it spells (``"0.1"`` is 1/10). NaN and infinities are refused, with the place where they stand. Beyond
this module nobody converts: values are ``Fraction``, and the kernels work on integers over one common denominator.

Floats are read from their bits. To compute with one, even to make a float64 of a float32, is no way to find out what it
is: some libraries have the processor take the smallest ones (denormals) for 0, in the whole process.
"""

from __future__ import annotations

import math
import re
import struct
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal, localcontext
from fractions import Fraction
from numbers import Integral, Rational
from typing import TYPE_CHECKING, Any, NamedTuple

from geomrelu.arguments import several
from geomrelu.errors import InputError

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "approximate",
    "bfloat16",
    "common",
    "dyadic",
    "long_numbers",
    "nearest",
    "nearest_dyadic",
    "nearest_float",
    "plain",
    "primitive",
    "quotient",
    "rational",
    "rationals",
    "rounded",
    "same",
    "sparse",
]

_SAMPLE = 1 << 16  # entries that say whether many of a large array are equal

_NUMBER = re.compile(r"[+-]?(\d+/\d+|(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?)")


class _Layout(NamedTuple):
    """Of a binary float, (-1)^sign mantissa 2^(exponent - offset), where the mantissa is a whole number."""

    integer: str
    digits: int  # of the mantissa that are stored; a first one, 1, is not, if the exponent is not 0
    special: int  # the exponent of infinities and NaN
    offset: int


_FLOATS = {  # by size in bytes
    2: _Layout("u2", 10, 0x1F, 15 + 10),
    4: _Layout("u4", 23, 0xFF, 127 + 23),
    8: _Layout("u8", 52, 0x7FF, 1023 + 52),
}
_NORMAL = 2.0**-1022  # no arithmetic loses such floats, also where it flushes others
_PART = 1 << 16  # entries that are looked at together
_DIGITS = 100_000  # of a whole number as text
_LONGEST = 3000  # characters of a decimal: with the largest exponent, 999, str() of the rational still works
_PARTS = 4000  # characters of a numerator, and of a denominator: as many as parameters that are written may have


class _Limit:
    """How long whole numbers may be as text, which Python knows once for the whole process."""

    lock = threading.Lock()
    users = 0
    before = 0


@contextmanager
def long_numbers() -> Iterator[None]:
    """Meanwhile whole numbers may have 100,000 digits as text; by default Python stops at 4300.

    Raises:
        InputError: one has more.
    """
    with _Limit.lock:
        _Limit.users += 1
        if _Limit.users == 1:
            _Limit.before = sys.get_int_max_str_digits()
            if 0 < _Limit.before < _DIGITS:
                sys.set_int_max_str_digits(_DIGITS)
    try:
        yield
    except ValueError as problem:
        if "integer string conversion" not in str(problem):
            raise
        raise InputError(f"a number of more than {_DIGITS:,} digits would have to be written") from None
    finally:
        with _Limit.lock:
            _Limit.users -= 1
            if not _Limit.users:
                sys.set_int_max_str_digits(_Limit.before)


def rational(value: Any, where: str = "number") -> Fraction:
    """The exact rational that ``value`` holds.

    Args:
        value: int, ``Fraction``, ``Decimal``, float, NumPy scalar (float16/32/64, any int), SymPy rational, or a
            string ``"p/q"`` or decimal such as ``"-1.5e-3"``. Booleans are refused.
        where: names the place in the error message.

    Raises:
        InputError: NaN, an infinity, a zero denominator, or anything that is not a number.

    Exact: yes; nothing is rounded. Strings are parsed, never evaluated.

    Method: floats by their bits, text by its digits. Cost: linear in the length. Source: IEEE 754.

    >>> rational("0.1"), rational(0.5), rational("-3/6")
    (Fraction(1, 10), Fraction(1, 2), Fraction(-1, 2))
    """
    if isinstance(value, Fraction):
        return value
    if isinstance(value, str):
        text = value.strip()
        longest = _LONGEST if set(text) & set(".eE") else _PARTS
        if max(map(len, text.split("/"))) > longest or not _NUMBER.fullmatch(text):
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
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise InputError(f"{where}: {value} is not a finite number")
        if abs(value.adjusted()) > 999:
            raise InputError(f"{where}: the exponent of {_shown(str(value))} is out of range")
        return Fraction(value)
    if isinstance(value, float) or type(value).__name__ in ("float16", "float32"):
        number = _of_bits(value.tobytes() if hasattr(value, "tobytes") else struct.pack("=d", value))
        if number is None:
            raise InputError(f"{where}: {value} is not a finite number")
        return number
    if type(value).__name__ in ("longdouble", "float128", "float96"):
        raise InputError(f"{where}: a {type(value).__name__} is not read (float16, float32 and float64 are)")
    raise InputError(f"{where}: {_shown(repr(value))} is not a number")


def _of_bits(data: bytes) -> Fraction | None:
    """The number that the bytes of a float mean; None for an infinity and for NaN."""
    layout, bits = _FLOATS[len(data)], int.from_bytes(data, sys.byteorder)
    exponent, mantissa = bits >> layout.digits & layout.special, bits & (1 << layout.digits) - 1
    if exponent == layout.special:
        return None
    mantissa |= (exponent > 0) << layout.digits
    sign, power = -1 if bits >> 8 * len(data) - 1 else 1, max(exponent, 1) - layout.offset
    return Fraction(sign * mantissa << max(power, 0), 1 << max(-power, 0))


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


def rationals(values: Any, where: str = "vector") -> tuple[Fraction, ...]:
    """:func:`rational` of each entry of a sequence (or one-dimensional array), each place named in errors."""
    return tuple(
        v
        if type(v) is Fraction
        else Fraction(*v.as_integer_ratio())  # quicker than by its bits, for data are many
        if isinstance(v, float) and _NORMAL <= abs(v) < math.inf
        else rational(v, f"{where}, entry {i}")
        for i, v in enumerate(several(values, where))
    )


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
    values = list(row)
    whole = [v for v in values if type(v) is int]  # mostly all, which is much quicker
    numerators = whole if len(whole) == len(values) else common(map(Fraction, values))[0]
    divisor = math.gcd(*numerators)
    return tuple(numerators) if divisor <= 1 else tuple(v // divisor for v in numerators)


def dyadic(array: np.ndarray, where: str = "array") -> tuple[list[int], int]:
    """All entries of a NumPy array (any shape, read row by row) as integers over one common denominator.

    Args:
        array: float16/32/64 or integer or boolean-free array; object arrays go entry by entry through
            :func:`rational`.

    Returns:
        ``(numerators, denominator)``; for float arrays the denominator is a power of two. Where many entries are equal,
        they share one integer object.

    Raises:
        InputError: NaN or infinity, with its index.

    Exact: yes. Method: mantissas and exponents of the distinct values as their bits say them, O(size log size).
    """
    import numpy as np

    array = plain(array, where)
    if array.dtype.kind in "iu":
        return array.ravel().tolist(), 1
    if array.dtype.kind != "f" or array.dtype.itemsize not in _FLOATS:
        return common(rationals(array.ravel().tolist(), where))
    layout = _FLOATS[array.dtype.itemsize]
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    bits, position = native.ravel().view(layout.integer), None
    some = bits[:: max(1, len(bits) // _SAMPLE)]
    if len(np.unique(some)) < 0.95 * len(some) or len(bits) <= _SAMPLE:
        bits, position = np.unique(bits, return_inverse=True)  # equal bits, equal numbers
    exponents = ((bits >> layout.digits) & layout.special).astype(np.int64)
    if (exponents == layout.special).any():
        special = exponents == layout.special
        first = int(np.argmax(special if position is None else special[position.ravel()]))
        at = np.unravel_index(first, array.shape)
        raise InputError(f"{where}, entry {[int(i) for i in at]}: {array[at]} is not a finite number")
    mantissas = (bits & ((1 << layout.digits) - 1)).astype(np.int64) | (
        (exponents > 0).astype(np.int64) << layout.digits
    )
    zeros_behind = np.frexp((mantissas & -mantissas).astype(np.float64))[1] - 1  # of whole numbers: nothing is flushed
    exponents = np.where(mantissas == 0, 0, np.maximum(exponents, 1) - layout.offset + zeros_behind)
    mantissas >>= np.maximum(zeros_behind, 0)
    mantissas[(bits >> (8 * array.dtype.itemsize - 1)).astype(bool)] *= -1
    lowest = int(exponents.min(initial=0))
    shifts = exponents - lowest
    short = shifts + layout.digits + 1 < 63
    if position is not None and 2 * len(bits) > len(position) and short.all():
        return (mantissas << shifts)[position.ravel()].tolist(), 1 << -lowest  # few are equal, and all are short
    table = np.empty(len(bits), dtype=object)
    table[short] = mantissas[short] << shifts[short]
    table[~short] = [m << e for m, e in zip(mantissas[~short].tolist(), shifts[~short].tolist(), strict=True)]
    return (table if position is None else table[position.ravel()]).tolist(), 1 << -lowest


def same(floats: np.ndarray, numerators: Sequence[int], denominator: int) -> Iterator[bool]:
    """Is each finite float, exactly, the fraction in its place?"""
    found, scale = dyadic(floats)
    divisor = math.gcd(scale, denominator)
    p, q = denominator // divisor, scale // divisor
    return (p * a == q * b for a, b in zip(found, numerators, strict=True))


def plain(array: np.ndarray, where: str = "array") -> np.ndarray:
    """The array without what its class does with it: matrices stay matrices when they are flattened, and so on.

    Raises:
        InputError: entries are masked: nothing says what they are.
    """
    import numpy as np

    if type(array) is np.ndarray:  # most are, and numpy.ma takes time and memory
        return array
    if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
        raise InputError(f"{where}: some entries are masked")
    return np.asarray(array)


def sparse(array: np.ndarray, where: str = "array") -> tuple[np.ndarray, list[int], int]:
    """The entries that are not 0: their places in the order of rows, and their values as :func:`dyadic` has them.

    Raises:
        InputError: as :func:`dyadic`.

    Cost: linear, by parts, so that a large array of few numbers needs little memory beside it.
    """
    import numpy as np

    array = plain(array, where)
    flat = array.ravel()
    if array.dtype.kind == "f" and array.dtype.itemsize in _FLOATS:
        layout = _FLOATS[array.dtype.itemsize]
        bits = flat.astype(array.dtype.newbyteorder("="), copy=False).view(layout.integer)
        parts = range(0, max(len(bits), 1), _PART)
        places = np.concatenate([np.flatnonzero(bits[k : k + _PART] << 1) + k for k in parts])  # without their signs
        if not np.isfinite(flat[places]).all():
            dyadic(array, where)  # says which
    elif array.dtype.kind in "iu":
        places = np.flatnonzero(flat)
    else:
        values = flat.tolist()
        if not {type(v) for v in values} <= {int, Fraction}:  # None and "" are false, and not 0
            values = list(rationals(values, where))
        places = np.array([k for k, v in enumerate(values) if v], dtype=np.int64)
        exact = np.empty(len(places), dtype=object)
        exact[:] = [values[k] for k in places.tolist()]
        return places, *dyadic(exact, where)
    return places, *dyadic(flat[places], where)


def rounded(array: np.ndarray, size: int) -> np.ndarray:
    """The array cast to floats of ``size`` bytes, to the nearest (ties to even); wider floats are left as they are."""
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):  # what becomes infinite is refused where it is used
        if array.dtype.kind != "f":
            return array.astype(f"f{size}")
        if array.dtype.itemsize <= size:
            return array
        cast, layout = array.astype(f"f{size}").ravel(), _FLOATS[size]
    bits = cast.view(layout.integer)
    for k in np.flatnonzero((bits >> layout.digits & layout.special) == 0).tolist():  # perhaps flushed
        sign = bits[k] >> (8 * size - 1) << (8 * size - 1)
        bits[k] = sign | round(abs(rational(array.flat[k])) * (1 << layout.offset - 1))
    return cast.reshape(array.shape)


def bfloat16(bits: np.ndarray) -> np.ndarray:
    """The float32 array of what 16-bit integers mean as bfloat16: they are the upper halves."""
    import numpy as np

    return (bits.astype(np.uint16).astype(np.uint32) << 16).view(np.float32)


def nearest(numerators: Sequence[int], denominator: int) -> np.ndarray:
    """The float64 array nearest to ``numerators / denominator`` (each entry correctly rounded; guides, never decides).

    Values beyond the float range become infinities.
    """
    import numpy as np

    return np.array([quotient(v, denominator) for v in numerators], dtype=np.float64)


def nearest_dyadic(numerators: np.ndarray, denominator: int) -> np.ndarray | None:
    """The same, of an object array, if the denominator is a power of two and nothing leaves the normal range."""
    import numpy as np

    power = denominator.bit_length() - 1
    if denominator != 1 << power or power > 1000:
        return None
    try:
        values: np.ndarray = numerators.astype(np.float64)  # each integer correctly rounded
    except OverflowError:
        return None
    values *= 2.0**-power  # exact where the result is normal
    return values if (abs(values) >= np.finfo(np.float64).tiny).all() else None


def nearest_float(value: Fraction | float) -> float:
    """The float64 nearest to one number: ``float`` raises where it is beyond the float range."""
    return float(value) if isinstance(value, float) else quotient(value.numerator, value.denominator)


def approximate(value: Fraction | int, digits: int = 6) -> str:
    """About, in so many digits, to be read; numbers beyond the floats too.

    >>> approximate(Fraction(2, 3)), approximate(Fraction(-2) ** 5000, 3)
    ('0.666667', '1.41e+1505')
    """
    found = nearest_float(value)
    if math.isfinite(found) and (found or not value):
        return f"{found:.{digits}g}"
    with localcontext() as context:
        context.prec = digits
        return f"{(Decimal(value.numerator) / value.denominator).normalize():e}"


def quotient(numerator: int, denominator: int) -> float:
    """Of whole numbers, as near as a float can be; infinite where ``/`` raises."""
    try:
        return numerator / denominator
    except OverflowError:
        return math.inf if numerator > 0 else -math.inf
