"""The command line within this process, for tests of what it prints."""

from __future__ import annotations

from geomrelu.cli.main import main


def run(capsys, *arguments):
    """Exit code, standard output, standard error."""
    try:
        code = main([str(a) for a in arguments])
    except SystemExit as stop:
        code = stop.code
    out = capsys.readouterr()
    return code, out.out, out.err
