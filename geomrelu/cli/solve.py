"""``geomrelu solve``: queries of VNN-LIB about one or several networks."""

from __future__ import annotations

import argparse
from pathlib import Path

from geomrelu.cli.alarm import in_time
from geomrelu.cli.shared import DEFAULT_SECONDS, Command, complain, progress_bar

__all__ = ["add"]

SOLVING = """\
QUERY is a .vnnlib file, version 1 or 2; the answer is sat with an exact point, unsat, or unknown. Networks are read
over the real numbers, whatever the types of their elements. Exit code 3: unknown."""


def add(command: Command) -> None:
    """The arguments of the command."""
    sub = command("solve", "are there inputs for which all assertions of a query hold?", epilog=SOLVING)
    sub.add_argument("query", metavar="QUERY")
    sub.add_argument(
        "--network", metavar="NAME=MODEL", action="append", required=True, help="the file of a network (repeatable)"
    )
    sub.add_argument("--certificates", metavar="DIR", help="write what proves unsat, one folder an alternative")
    sub.add_argument("--format", choices=("text", "json"), default="text")
    sub.add_argument(
        "--time", "--timeout", type=float, default=DEFAULT_SECONDS, metavar="SECONDS",
        help="budget, default %(default)g",
    )  # fmt: skip
    sub.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read, solve, print."""
    from geomrelu.budget import Budget, Exhausted
    from geomrelu.deadness.solve import Answer, as_text, dumped, solve, unused
    from geomrelu.errors import InputError
    from geomrelu.io.files import named
    from geomrelu.io.models import combined
    from geomrelu.io.vnnlib import read_query
    from geomrelu.network.network import tape_of

    if not options.time > 0:
        raise InputError("--time must be positive")
    if options.certificates is not None:
        unused(Path(options.certificates))  # before anything takes long
    budget = Budget(options.time)
    models: dict[str, str] = {}
    for text in options.network:
        name, equals, path = text.partition("=")
        if not equals or not path or name in models:
            raise InputError(f"--network {text}: write NAME=MODEL, each name once")
        models[name] = path
    query = read_query(options.query)
    for line in query.notes:
        complain(f"note: {line}")
    try:
        with in_time(options.time, "the networks are read"):
            programs = combined(query, models, tape_of)
    except Exhausted as end:
        answer = Answer("unknown", {}, reason=str(end))
    else:
        with named(options.query), progress_bar("solving", budget) as (advance, _):
            answer = solve(query, programs, budget, advance)
    print(dumped(answer) if options.format == "json" else as_text(query, answer))
    if options.certificates is not None:
        answer.save(Path(options.certificates))
    return 3 if answer.verdict == "unknown" else 0
