"""``python -m geomrelu``, which is the command ``geomrelu``."""

from __future__ import annotations

import signal
import sys
from typing import Any


def program() -> int:
    """The command line; Ctrl-C, and being told to end (SIGTERM, once), keep what was found, and are one line."""

    def ended(*_: Any) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        raise KeyboardInterrupt

    try:
        signal.signal(signal.SIGTERM, ended)
        from geomrelu.cli.main import main  # Ctrl-C may come here already

        return main()
    except KeyboardInterrupt:
        print("geomrelu: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(program())
