"""``geomrelu convert``: models and domains rewritten exactly."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from geomrelu.cli.shared import Command

if TYPE_CHECKING:
    pass

__all__ = ["add"]


def add(command: Command) -> None:
    """The arguments of the command."""
    sub = command("convert", "rewrite a model or a domain exactly (for the stand-alone checker, or for cddlib)")
    sub.add_argument("input", metavar="INPUT", help=".onnx, .npz or .json model; .vnnlib, .ine, .ext or .json domain")
    sub.add_argument("-o", "--output", required=True, metavar="OUTPUT", help=".json, or .ine/.ext for a domain")
    sub.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read and write."""
    from geomrelu.errors import InputError
    from geomrelu.geometry.polyhedron import read_any, write_domain
    from geomrelu.network.network import Network

    source, target = Path(options.input), Path(options.output)
    if source.suffix.lower() in (".onnx", ".npz") or (source.suffix.lower() == ".json" and _is_model(source)):
        if target.suffix.lower() != ".json":
            raise InputError(f"{target}: a model is written as .json")
        text = Network.from_file(source).to_json()
        try:
            target.write_text(text, encoding="utf-8")
        except OSError as problem:
            raise InputError(f"{target}: {problem.strerror}") from None
    else:
        write_domain(read_any(options.input), target)
    return 0


def _is_model(path: Path) -> bool:
    from geomrelu.certificates import files as certificate

    data = certificate.read(path)
    return isinstance(data, dict) and "layers" in data
