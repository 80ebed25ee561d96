"""One thread for BLAS.

Matrices here are small, and where there is work for more cores there are processes: threads gain no time, cost a third
more of the processor on an idle machine and several times as much on a busy one. BLAS reads how many it may start from
the environment when NumPy is imported. Whoever has said anything about it there is obeyed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["one_thread", "single_threaded"]

OF_NUMPY = ("OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "BLIS_NUM_THREADS")  # in its wheels, and nobody else's
SHARED = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")  # PyTorch reads these too


def one_thread() -> None:
    """Say it to this process, if that is not too late; PyTorch keeps the threads it has."""
    if "numpy" not in sys.modules and not _said():
        os.environ.update(dict.fromkeys(OF_NUMPY, "1"))


@contextmanager
def single_threaded() -> Iterator[None]:
    """Processes that are started meanwhile hear it."""
    before = {name: os.environ.get(name) for name in (*OF_NUMPY, *SHARED)}
    if not _said():
        os.environ.update(dict.fromkeys(before, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _said() -> bool:
    """Has the user said how many? What :func:`one_thread` has written is not the user's word."""
    return any(os.environ.get(name) not in (None, "1") for name in OF_NUMPY) or any(map(os.environ.get, SHARED))
