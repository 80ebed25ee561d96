"""``python -m geomrelu``, which is the command ``geomrelu``."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from queue import SimpleQueue
from types import FrameType

from geomrelu.imports import is_importing

MOMENT = 0.01  # seconds after which a signal that came in the midst of an import is sent again
ONE_WISH = 0.5  # seconds within which Ctrl-C, and what a wrapper makes of it, are the same wish


def _send(later: SimpleQueue[int | None]) -> None:
    """Signals that are put there come again in a moment. (This is a thread that waits already, and a queue that may be
    interrupted: what a handler calls must not wait for what it has interrupted.)"""
    while (number := later.get()) is not None:
        time.sleep(MOMENT)
        os.kill(os.getpid(), number)


def program() -> int:
    """The command line; Ctrl-C, and being told to end (SIGTERM, once), keep what was found, and are one line."""
    later: SimpleQueue[int | None] = SimpleQueue()
    last = float("-inf")

    def ended(number: int, frame: FrameType | None) -> None:
        nonlocal last
        if is_importing(frame):
            later.put(number)
            return
        before, last = last, time.monotonic()
        if last - before < ONE_WISH:
            return  # an exception in the midst of what the first one sets going would break it
        if number == signal.SIGTERM:
            signal.signal(number, signal.SIG_DFL)
        raise KeyboardInterrupt

    # last of all: while the interpreter is taken down, signals end it in their own way, whatever it was to return
    for number in (signal.SIGINT, signal.SIGTERM):
        atexit.register(signal.signal, number, signal.SIG_IGN)
    try:
        signal.signal(signal.SIGTERM, ended)
        if signal.getsignal(signal.SIGINT) == signal.default_int_handler:  # else it is ignored, as in the background
            signal.signal(signal.SIGINT, ended)
        threading.Thread(target=_send, args=(later,), daemon=True).start()
        from geomrelu.cli.main import main  # Ctrl-C may come here already

        return main()
    except KeyboardInterrupt:
        with suppress(OSError):  # nobody can be told
            print("geomrelu: interrupted", file=sys.stderr)
        return 130
    finally:
        later.put(None)
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is ended:  # nothing is left to be kept, and nobody to catch an exception
                signal.signal(number, lambda *_: os._exit(130))
        # `python -m` ends by the signal, whatever is returned, if Ctrl-C came while text was executed (SciPy's imports
        # do that) and none has been since
        exec("")


if __name__ == "__main__":
    sys.exit(program())
