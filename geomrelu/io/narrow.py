"""Floats that NumPy does not have, from their bits: bfloat16 and the eight-bit kinds, each exactly a float32.

Nothing is computed with them, so it does not matter whether the processor flushes denormal numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from geomrelu.exact.numbers import bfloat16

__all__ = ["KINDS", "widened"]


def _eight_bits() -> np.ndarray:
    """The 256 values of E4M3 (4 bits of exponent, bias 7, 3 of mantissa; no infinities, 127 and 255 are NaN)."""
    codes = np.arange(256)
    exponent, mantissa = codes >> 3 & 15, codes & 7
    size = np.where(exponent == 0, np.ldexp(mantissa / 8, -6), np.ldexp(1 + mantissa / 8, exponent - 7))
    size[(codes & 127) == 127] = np.nan
    return np.where(codes < 128, size, -size).astype(np.float32)


KINDS: dict[str, np.dtype[Any]] = {
    "bfloat16": np.dtype("<u2"),
    "float8_e5m2": np.dtype("u1"),
    "float8_e4m3fn": np.dtype("u1"),
}


def widened(bits: np.ndarray, kind: str) -> np.ndarray:
    """The float32 (or float16) values of an array of bits of the unsigned type ``KINDS[kind]``.

    >>> widened(np.array([0x3FC0, 0x8000], np.uint16), "bfloat16").tolist()
    [1.5, -0.0]
    >>> widened(np.array([0x38, 0x81], np.uint8), "float8_e4m3fn").tolist()
    [1.0, -0.001953125]
    """
    if kind == "bfloat16":
        return bfloat16(bits)
    if kind == "float8_e5m2":  # the upper half of a float16
        return (bits.astype(np.uint16) << np.uint16(8)).view(np.float16)
    found: np.ndarray = _eight_bits()[bits]
    return found
