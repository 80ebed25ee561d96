"""What callers pass, read strictly: a wrong guess is refused in one line that says what would be right."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from os import PathLike, fspath
from typing import Any

from geomrelu.errors import InputError

__all__ = [
    "filename",
    "function",
    "instance",
    "integer",
    "integers",
    "kind",
    "place",
    "seconds",
    "several",
    "time",
    "truth",
]


_LONGEST = 1024  # bits of a whole number that counts or numbers things, or is a seed: messages may show it


def kind(value: Any) -> str:
    """The type of a value, as a message names it."""
    if isinstance(value, (list, tuple)) and value:
        return f"a {type(value).__name__} of {_name(type(value[0]))}"
    return _name(type(value))


def _name(type_: type) -> str:
    return type_.__name__ if type_.__module__ == "builtins" else f"{type_.__module__}.{type_.__qualname__}"


def integer(value: Any, what: str, least: int | None = None) -> int:
    """A whole number, also one of NumPy's; truth values and floats are none."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise InputError(f"{what} is a whole number, not {_short(value)}")
    try:
        found = operator.index(value)
    except TypeError:  # an array has the method, too
        raise InputError(f"{what} is a whole number, not {kind(value)}") from None
    if found.bit_length() > _LONGEST:
        raise InputError(f"{what} is a whole number of at most {_LONGEST} bits")
    if least is not None and found < least:
        raise InputError(f"{what} must be {'positive' if least == 1 else f'at least {least}'}, not {found}")
    return found


def integers(value: Any, what: str) -> list[int]:
    """One whole number, or several."""
    if isinstance(value, (str, bytes, Mapping)) or not (hasattr(value, "__iter__") or hasattr(value, "__index__")):
        raise InputError(f"{what} are whole numbers, one or a list of them, not {_short(value)}")
    several = isinstance(value, Iterable) and getattr(value, "ndim", 1) > 0
    return [integer(v, f"each of {what}") for v in value] if several else [integer(value, what)]


def place(value: Any, what: str, count: int) -> int:
    """Which of so many, from 0; the last one is not -1."""
    found = integer(value, what)
    if not 0 <= found < count:
        raise InputError(f"there is no {what} {found}" + (f": they count from 0 to {count - 1}" if count else ""))
    return found


def instance(value: Any, type_: type, what: str) -> None:
    """An object of a certain class."""
    if not isinstance(value, type_):
        raise InputError(f"{what} is {_article(type_.__name__)}, not {kind(value)}")


def _article(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"


def several(values: Any, what: str, of: str = "numbers") -> Iterable[Any]:
    """A list or an array, or what gives its entries one after the other; a set has them in no order."""
    unordered = isinstance(values, (str, bytes, bytearray, Mapping, set, frozenset))
    if unordered or not isinstance(values, Iterable) or getattr(values, "ndim", 1) == 0:
        raise InputError(f"{what}: expected a list of {of}, not {_short(values)}")
    return values


def truth(value: Any, what: str) -> bool:
    """True or False, also NumPy's."""
    if type(value).__name__ not in ("bool", "bool_"):
        raise InputError(f"{what} is True or False, not {_short(value)}")
    return bool(value)


def time(value: Any, what: str) -> float:
    """A number of seconds, perhaps infinite."""
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise InputError(f"{what} is a number of seconds, not {_short(value)}")
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{what} is a number of seconds, not {_short(value)}") from None
    if found != found:
        raise InputError(f"{what} is a number of seconds, not nan")
    return found


def seconds(value: Any, what: str) -> float:
    """A time above 0."""
    found = time(value, what)
    if not found > 0:
        raise InputError(f"{what} must be positive, not {_short(value)}")
    return found


def filename(value: Any, what: str) -> str:
    """A path."""
    if not isinstance(value, (str, PathLike)):
        raise InputError(f"{what} is a path, not {kind(value)}")
    return str(fspath(value))


def function(value: Any, what: str) -> None:
    """A function, or None."""
    if value is not None and not callable(value):
        raise InputError(f"{what} is a function, not {_short(value)}")


def _short(value: Any) -> str:
    """The value itself, where that is a few characters."""
    plain = isinstance(value, (str, float, type(None))) or (isinstance(value, int) and value.bit_length() < 64)
    text = repr(value) if plain else ""
    return text if 0 < len(text) <= 40 else kind(value)
