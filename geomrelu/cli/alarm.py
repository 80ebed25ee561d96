"""An end for what looks at no clock: reading a large model, and writing one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geomrelu.budget import Budget

__all__ = ["in_time", "written_in_time"]

SHARE, MOMENT = 0.05, 3.0  # of the time, and seconds: what is being written when it is over may take so much longer


class _Over(BaseException):  # no Exception: a reader must not take it for a malformed file
    pass


def _ring(*_: Any) -> None:
    raise _Over


@contextmanager
def in_time(seconds: float | None, what: str, said: float | None = None) -> Iterator[None]:
    """What is done inside ends with the time, in the main thread of a process that has alarms; inside another one, that
    one counts.

    Args:
        seconds: from now; None: no limit. what: has not been done then, for the message.
        said: the seconds that the message names, where those are others.

    Raises:
        Exhausted: the time is over.
    """
    from geomrelu.budget import FOREVER, Exhausted

    able = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if seconds is None or not 0 < seconds < FOREVER or not able or signal.getitimer(signal.ITIMER_REAL)[0]:
        yield
        return
    named = seconds if said is None else said
    before = signal.signal(signal.SIGALRM, _ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except _Over:
        raise Exhausted(f"the time for it, {named:.3g} s, is over before {what}") from None
    finally:
        signal.signal(signal.SIGALRM, before)


@contextmanager
def written_in_time(budget: Budget, path: str) -> Iterator[None]:
    """A file that is made inside is whole soon after the end of the time, or is not there; a former one stays.

    Raises:
        Exhausted: it is not there.
    """
    left, seconds = budget.left, budget.seconds
    more = None if left is None or seconds is None else left + SHARE * seconds + MOMENT
    with in_time(more, f"{path} is written", seconds):
        yield
