"""``geomrelu claims``: the claims of the registry, listed."""

from __future__ import annotations

import argparse

from geomrelu.cli.shared import Command

__all__ = ["add"]


def add(command: Command) -> None:
    """The arguments of the command."""
    sub = command("claims", "list the claims of the registry, or show one")
    sub.add_argument("label", nargs="?", metavar="LABEL")
    sub.add_argument("--format", choices=("text", "json", "markdown", "latex"), default="text")
    sub.add_argument("--contents", action="store_true", help="print proofs/README.md")
    sub.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """List them, or show one."""
    from geomrelu.claims import registry as claims
    from geomrelu.claims import render
    from geomrelu.errors import InputError

    registry = claims.load()
    if options.contents and options.label is not None:
        raise InputError("--contents is about all claims: leave the label out")
    if options.contents:
        print(render.contents(registry))
    elif options.label is None:
        print(render.registry_as(options.format, registry))
    else:
        print(render.claim_as(options.format, claims.named(options.label, registry), registry))
    return 0
