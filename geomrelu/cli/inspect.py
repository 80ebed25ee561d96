"""``geomrelu inspect``: what was read from a model file, and what was not."""

from __future__ import annotations

import argparse
import json

from geomrelu.cli.shared import Command, add_reading

__all__ = ["add"]


def add(command: Command) -> None:
    """The arguments of the command."""
    sub = command("inspect", "say what is read from a model: its layers, what lies around them, what is left out")
    sub.add_argument("model", metavar="MODEL", nargs="?")
    sub.add_argument(
        "--operators",
        action="store_true",
        help="say instead which operators, modules and layers are read, and which not",
    )
    add_reading(sub)
    sub.add_argument("--format", choices=("text", "json"), default="text")
    sub.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read and tell."""
    from dataclasses import asdict

    from geomrelu.cli.shared import judged_of
    from geomrelu.errors import InputError
    from geomrelu.io.operators import lines
    from geomrelu.io.reading import as_read

    if options.operators:
        print("\n".join(lines()))
        return 0
    if options.model is None:
        raise InputError("say which MODEL, or --operators")

    network = judged_of(options, options.model)
    reading = network.reading or as_read(network.inputs, network.widths)
    if options.format == "json":
        print(json.dumps({"model": options.model, **asdict(reading)}, indent=1, default=str))
    else:
        print("\n".join(reading.lines()))
    return 0
