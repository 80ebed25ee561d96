"""The command line: parse, call, print.

Exit codes: 0 done; 1 a certificate was rejected or a claim refuted; 2 unusable input (one line on standard error);
3 a budget ended before everything was decided; 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from geomrelu.cli import (
    check,
    claims,
    convert,
    decide,
    dimension,
    inspect,
    plot,
    probability,
    prune,
    regions,
    simulate,
    solve,
    table,
    verify,
    zeros,
)
from geomrelu.cli.shared import check_outputs, complain

__all__ = ["main"]

COMMANDS = (
    inspect,
    decide,
    regions,
    plot,
    prune,
    check,
    solve,
    convert,
    zeros,
    dimension,
    verify,
    claims,
    probability,
    simulate,
    table,
)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        complain(f"error: {message} (see {self.prog} --help)")
        raise SystemExit(2)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="geomrelu", description="An exact analyzer of dead ReLU neurons.")
    parser.add_argument("--version", action="store_true", help="print the version and which kernel is in use, and stop")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)

    def command(name: str, help_: str, **more: Any) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name, help=help_, description=help_, formatter_class=argparse.RawDescriptionHelpFormatter, **more
        )
        sub.add_argument("--debug", action="store_true", help="show a traceback when something is wrong")
        return sub

    for module in COMMANDS:
        module.add(command)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.version:
        from importlib.metadata import version

        from geomrelu.native.library import named

        print(f"geomrelu {version('geomrelu')} (boxes: {named()})")
        return 0
    if options.command is None:
        parser.print_help()
        return 0
    from geomrelu.budget import Exhausted
    from geomrelu.errors import InputError

    digits = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(100_000)  # exact results may be longer than the 4300 digits Python prints by default
    try:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")  # file names need not be text
        check_outputs(options)
        code = int(options.run(options))
        sys.stdout.flush()
        return code
    except InputError as problem:
        if options.debug:
            raise
        complain(f"error: {problem}")
        return 2
    except Exhausted as end:
        complain(str(end))
        return 3
    except KeyboardInterrupt as stop:
        complain("; ".join(["interrupted", *map(str, stop.args)]))
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # the reader went away (| head): nothing left to say
        return 0
    except MemoryError:
        complain("error: out of memory")
        return 2
    except OSError as problem:  # the output could not be written
        complain(f"error: {problem.strerror or problem}")
        return 2
    finally:
        sys.set_int_max_str_digits(digits)
