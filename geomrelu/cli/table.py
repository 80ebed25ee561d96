"""``geomrelu table``: closed forms and exact counts."""

from __future__ import annotations

import argparse

from geomrelu.cli.shared import Command

__all__ = ["add"]


def add(command: Command) -> None:
    """The arguments of the command."""
    sub = command("table", "closed forms and exact counts as a table")
    sub.add_argument("name", metavar="NAME", nargs="?", help="without it: the names")
    sub.add_argument("--format", choices=("text", "markdown", "latex", "csv", "json"), default="text")
    sub.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print a table."""
    from geomrelu.errors import InputError
    from geomrelu.papers.tables import TABLES

    if options.name is None:
        width = max(map(len, TABLES))
        print("\n".join(f"{name:<{width}}  {(make.__doc__ or '').strip()}" for name, make in TABLES.items()))
        return 0
    if options.name not in TABLES:
        raise InputError(f"unknown table {options.name!r} (known: {', '.join(TABLES)})")
    print(TABLES[options.name]().render(options.format))
    return 0
