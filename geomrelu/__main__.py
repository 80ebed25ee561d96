"""``python -m geomrelu``, which is the command ``geomrelu``."""

from __future__ import annotations

import atexit
import signal
import sys
import time
from contextlib import suppress
from typing import Any

ONE_WISH = 0.5  # seconds within which Ctrl-C, and what a wrapper makes of it, are the same wish


def program() -> int:
    """The command line; Ctrl-C, and being told to end (SIGTERM, once), keep what was found, and are one line."""
    last = float("-inf")

    def ended(number: int, _: Any) -> None:
        nonlocal last
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
        from geomrelu.cli.main import main  # Ctrl-C may come here already

        return main()
    except KeyboardInterrupt:
        with suppress(OSError):  # nobody can be told
            print("geomrelu: interrupted", file=sys.stderr)
        return 130
    finally:
        # `python -m` ends by the signal, whatever is returned, if Ctrl-C came while text was executed (SciPy's imports
        # do that) and none has been since
        exec("")


if __name__ == "__main__":
    sys.exit(program())
