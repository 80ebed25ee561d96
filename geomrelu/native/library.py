"""Finds the compiled kernel, if there is one and it is wanted."""

from __future__ import annotations

import ctypes
import os
from functools import cache
from pathlib import Path
from typing import Any

from geomrelu.native.build import LIBRARY, source

__all__ = ["INT", "POINTER", "available", "function", "named"]

POINTER, INT = ctypes.c_void_p, ctypes.c_int64


@cache
def _loaded() -> tuple[ctypes.CDLL | None, str]:
    """The library, and what is in use."""
    if os.environ.get("GEOMRELU_COMPILED", "").lower() in ("no", "0", "off", "false"):
        return None, "NumPy, as GEOMRELU_COMPILED says"
    path = Path(__file__).with_name(LIBRARY)
    if not path.exists():
        return None, "NumPy; the compiled kernel is not built"
    try:
        library = ctypes.CDLL(str(path))
        library.geomrelu_source.restype = library.geomrelu_version.restype = ctypes.c_char_p
        if library.geomrelu_source() != source().encode():
            return None, "NumPy; the compiled kernel is of other sources"
    except (OSError, AttributeError):
        return None, "NumPy; the compiled kernel is for another system"
    return library, f"compiled for {library.geomrelu_version().decode()}"


def available() -> bool:
    """Is there a compiled kernel, and is it wanted?"""
    return _loaded()[0] is not None


def named() -> str:
    """Which kernel is in use."""
    return _loaded()[1]


def function(name: str, *arguments: Any, returns: Any = ctypes.c_int) -> Any:
    """An entry point, of the version for this processor. Raises OverflowError if there is no compiled kernel."""
    library = _loaded()[0]
    if library is None:
        raise OverflowError("there is no compiled kernel")
    found = getattr(library, f"geomrelu_{name}_{library.geomrelu_version().decode()}")
    found.argtypes, found.restype = arguments, returns
    return found
