"""An end for what looks at no clock: reading a large model."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["in_time"]


class _Over(BaseException):  # no Exception: a reader must not take it for a malformed file
    pass


def _ring(*_: Any) -> None:
    raise _Over


@contextmanager
def in_time(seconds: float | None, what: str) -> Iterator[None]:
    """What is done inside ends with the time, in the main thread of a process that has alarms; inside another one, that
    one counts.

    Args:
        seconds: from now; None: no limit. what: has not been done then, for the message.

    Raises:
        Exhausted: the time is over.
    """
    from geomrelu.budget import FOREVER, Exhausted

    able = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if seconds is None or not 0 < seconds < FOREVER or not able or signal.getitimer(signal.ITIMER_REAL)[0]:
        yield
        return
    before = signal.signal(signal.SIGALRM, _ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except _Over:
        raise Exhausted(f"the time for it, {seconds:.3g} s, is over before {what}") from None
    finally:
        signal.signal(signal.SIGALRM, before)
