"""``geomrelu convert``: models and domains rewritten exactly."""

from __future__ import annotations

import argparse
from pathlib import Path

from geomrelu.cli.shared import Command, add_reading, complain, model_of, waiting

__all__ = ["add"]


def add(command: Command) -> None:
    """The arguments of the command."""
    sub = command("convert", "rewrite a model or a domain exactly (for the stand-alone checker, or for cddlib)")
    sub.add_argument("input", metavar="INPUT", help="a model, a file of a domain, or an ellipsoid, as decide reads it")
    sub.add_argument("-o", "--output", required=True, metavar="OUTPUT", help=".json, or .ine/.ext for a domain")
    add_reading(sub)
    sub.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read and write."""
    from geomrelu.errors import InputError
    from geomrelu.geometry.domains import ELLIPSOIDS, SETS, Union, read_any, read_ellipsoid, write_domain
    from geomrelu.io.files import kind_of

    target = Path(options.output)
    if options.input.startswith(ELLIPSOIDS):
        write_domain(read_ellipsoid(options.input), target)
        return 0
    if options.input.startswith(("R^", "R+^", "box:")):
        raise InputError(
            f"{options.input}: in how many dimensions is not said here: write a .json file yourself, "
            '{"box": [[low, high], ...]}, null for an end that is not there'
        )
    kind = kind_of(options.input)
    if kind not in SETS or (kind == ".json" and _is_model(options.input)):
        if target.suffix.lower() != ".json":
            raise InputError(f"{target}: a model is written as .json")
        network = model_of(options, options.input)
        with waiting(f"writing {target}"):
            network.save(target)
    else:
        domain = read_any(options.input, lambda line: complain(f"note: {line}"))
        write_domain(domain, target)
        if isinstance(domain, Union):
            first, last = (target.with_stem(f"{target.stem}-{k}") for k in (1, len(domain.pieces)))
            complain(f"note: a union of {len(domain.pieces)} polyhedra: {first} to {last}")
    return 0


def _is_model(path: str) -> bool:
    from geomrelu.io.files import named, read_text
    from geomrelu.io.json import parsed

    text = read_text(path)
    with named(path):
        data = parsed(text)
    return isinstance(data, dict) and "layers" in data
