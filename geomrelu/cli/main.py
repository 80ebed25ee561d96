"""The command line: parse, call, print.

Exit codes: 0 done; 1 a certificate was rejected or a claim refuted; 2 unusable input (one line on standard error);
3 a budget ended before everything was decided; 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from textwrap import fill
from typing import Any, NoReturn, TextIO, cast

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
from geomrelu.cli.shared import check_outputs, complain, silenced, writes_files

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


class _Help(argparse.RawDescriptionHelpFormatter):
    """What stands around the options is filled to the terminal: paragraphs, and entries ``word  what it is``."""

    ENTRY = re.compile(r" *\S+ {2,}(?=\S)")

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        blocks: list[str] = []
        for line in text.splitlines():
            begins = not blocks or blocks[-1].endswith(".") or self.ENTRY.match(line)
            if begins or (self.ENTRY.match(blocks[-1]) and not line.startswith("   ")):
                blocks.append(line)
            else:
                blocks[-1] += " " + line.strip()
        heads = [found.group() if (found := self.ENTRY.match(block)) else "" for block in blocks]
        return "\n".join(
            fill(
                block[len(head) :], width, initial_indent=indent + head, subsequent_indent=indent + " " * len(head),
                break_long_words=False, break_on_hyphens=False,
            )
            for block, head in zip(blocks, heads, strict=True)
        )  # fmt: skip


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        complain(f"error: {message} (see {self.prog} --help)")
        raise SystemExit(2)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="geomrelu", description="An exact analyzer of dead ReLU neurons.")
    parser.add_argument("--version", action="store_true", help="print the version and which kernel is in use, and stop")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)

    def command(name: str, help_: str, **more: Any) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help_, description=help_, formatter_class=_Help, **more)
        sub.add_argument("--debug", action="store_true", help="show a traceback when something is wrong")
        return sub

    for module in COMMANDS:
        module.add(command)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    from geomrelu.budget import Exhausted
    from geomrelu.errors import InputError
    from geomrelu.exact.numbers import long_numbers

    shown = sys.stdout
    try:
        if hasattr(shown, "reconfigure"):
            shown.reconfigure(errors="backslashreplace")  # file names need not be text
        output = _Output(shown) if writes_files(options) and shown is not None else None
        if output is not None:
            sys.stdout = cast("TextIO", output)
        with long_numbers():
            code = _run(parser, options)
        if sys.stdout is not None:  # closed by the caller: print says nothing then
            sys.stdout.flush()
        if output is not None and output.problem is not None:
            raise output.problem
        return code
    except InputError as problem:
        if options.debug:
            raise
        complain(f"error: {problem}")
        return 2
    except Exhausted as end:
        _printed_nothing(options, str(end))
        complain(str(end))
        return 3
    except KeyboardInterrupt as stop:
        complain("; ".join(["interrupted", *map(str, stop.args)]))
        return 130
    except BrokenPipeError:
        silenced(shown)  # the reader went away (| head): nothing left to say
        return 0
    except MemoryError:
        complain("error: out of memory")
        return 2
    except OSError as problem:  # an output could not be written
        where = "" if problem.filename is None else f"{os.fsdecode(problem.filename)}: "
        complain(f"error: {where}{problem.strerror or problem}")
        return 2
    finally:
        sys.stdout = shown
        if shown is not None:
            _let_go(shown)


def _let_go(stream: TextIO) -> None:
    """From Python 3.13 on, what could not be written is tried again at exit, and the exit code would be 120."""
    try:
        stream.flush()
    except OSError:
        silenced(stream)


def _printed_nothing(options: argparse.Namespace, reason: str) -> None:
    """What a program that reads JSON gets where the time was over before there was anything to say."""
    if getattr(options, "format", None) == "json" and hasattr(options, "nothing"):
        with suppress(OSError):  # nobody reads it
            print(json.dumps(options.nothing(options, reason), indent=1), flush=True)


def _run(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """The command that was given, or what is said without one."""
    if options.version:
        from geomrelu.native.library import named
        from geomrelu.resume import version_of

        print(f"geomrelu {version_of('geomrelu')} (boxes: {named()})")
        return 0
    if options.command is None:
        parser.print_help()
        return 0
    check_outputs(options)
    return int(options.run(options))


class _Output:
    """Standard output of a command that writes files too: it goes on when nothing more can be printed, because the
    reader has gone away (``| head``) or there is no room.

    Attributes:
        problem: what is wrong, to be said at the end; a reader that goes away is no problem.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.problem: OSError | None = None

    def write(self, text: str) -> int:
        with self._going_on():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._going_on():
            self._stream.flush()

    @contextmanager
    def _going_on(self) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            if not isinstance(problem, BrokenPipeError):
                self.problem = problem
            silenced(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
