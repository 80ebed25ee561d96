"""Floats are rounded to nearest: whoever bounds their errors has the processor do so first.

Every error of a float that is bounded in this package is one of rounding to nearest. That is a mode of the processor,
one for each thread, and libraries change it: after ``import ppl`` (pplpy 0.9) all arithmetic of the process is rounded
up. New processes, such as the workers here, begin with rounding to nearest.
"""

from __future__ import annotations

import ctypes

from geomrelu.errors import InputError

__all__ = ["to_nearest"]

ONE, HALF = 1.0, 2.0**-53  # half of the distance from 1 to the next float
NEAREST = 0  # FE_TONEAREST of C


def to_nearest() -> None:
    """This thread rounds to nearest from now on.

    Raises:
        InputError: it does not, and cannot be told to.

    Exact: two ties at 1, above and below it, tell rounding to nearest from every other direction. Cost: that of the
    two, if nothing is amiss. Source: IEEE 754, section 4.3.
    """
    if not _to_nearest():
        set_mode = getattr(ctypes.CDLL(None), "fesetround", None)
        if set_mode is None or set_mode(NEAREST) or not _to_nearest():
            raise InputError("this thread does not round floats to nearest (a library has changed that)")


def _to_nearest() -> bool:
    return ONE + HALF == ONE and ONE - HALF / 2 == ONE
