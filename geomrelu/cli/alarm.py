"""An end for what looks at no clock, such as reading a large model, and writing one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

from geomrelu.imports import is_importing

if TYPE_CHECKING:
    from geomrelu.budget import Budget

__all__ = ["in_time", "soon_after"]

SHARE, MOMENT = 0.05, 3.0  # of the time, and seconds: what is being finished when it is over may take so much more
AGAIN = 0.05  # seconds: when an alarm comes in the midst of an import, the next one


class _Over(BaseException):  # no Exception: a reader must not take it for a malformed file
    pass


def _ring(_: int, frame: FrameType | None) -> None:
    if is_importing(frame):
        signal.setitimer(signal.ITIMER_REAL, AGAIN)
        return
    raise _Over


@contextmanager
def in_time(seconds: float | None, what: str, said: float | None = None) -> Iterator[Callable[[], object]]:
    """What is done inside ends with the time, in the main thread of a process that has alarms; inside another one, that
    one counts.

    Args:
        seconds: from now; None: no limit. what: has not been done then, for the message.
        said: the seconds that the message names, where those are others.

    Yields:
        What calls the alarm off.

    Raises:
        Exhausted: the time is over.
    """
    from geomrelu.budget import FOREVER, Exhausted

    able = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if seconds is None or not 0 < seconds < FOREVER or not able or signal.getitimer(signal.ITIMER_REAL)[0]:
        yield lambda: None
        return
    named = seconds if said is None else said
    before = signal.signal(signal.SIGALRM, _ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield partial(signal.setitimer, signal.ITIMER_REAL, 0)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except _Over:
        raise Exhausted(f"the time for it, {named:.3g} s, is over before {what}") from None
    finally:
        signal.signal(signal.SIGALRM, before)


@contextmanager
def soon_after(budget: Budget | None, what: str) -> Iterator[Callable[[], object]]:
    """What is done inside ends with the budget or a moment later: a file that is written is whole then, or the former
    one stays.

    Args:
        what: has not been done then, for the message.

    Yields:
        What calls the alarm off.

    Raises:
        Exhausted: that is so.
    """
    left, seconds = (None, None) if budget is None else (budget.left, budget.seconds)
    more = None if left is None or seconds is None else left + SHARE * seconds + MOMENT
    with in_time(more, what, seconds) as call_off:
        yield call_off
