"""``geomrelu check``: certificates judged again."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from geomrelu.cli.shared import DOMAINS, Command, inputs

if TYPE_CHECKING:
    pass

__all__ = ["add"]


def add(command: Command) -> None:
    """The arguments of the command."""
    sub = command("check", "check certificates independently of how they were found", epilog=DOMAINS)
    sub.add_argument("certificates", nargs="+", metavar="CERTIFICATE")
    sub.add_argument("--model", required=True, metavar="MODEL")
    sub.add_argument("--domain", required=True, metavar="DOMAIN")
    sub.add_argument("--smaller", metavar="MODEL", help="the network that certificates of a pruning are about")
    sub.add_argument("--independent", action="store_true", help="by the plain judge, checker.py, alone: slower")
    sub.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Judge each file."""
    from geomrelu import checker
    from geomrelu.certificates import files as certificate
    from geomrelu.certificates.batch import Quick
    from geomrelu.errors import InputError
    from geomrelu.network.network import Network

    network, domain = inputs(options)
    judge = checker.Judge if options.independent else Quick
    smaller = None if options.smaller is None else Network.from_file(options.smaller)
    rejected = 0
    for path in options.certificates:
        try:
            data = certificate.read(path)
            if smaller is not None and isinstance(data, dict) and data.get("geomrelu") == checker.PRUNING:
                changes = checker.check_pruning(data, network.checked, domain.checked, smaller.checked, judge)
                said = ", ".join(f"{count} {what}" for what, count in changes.items())
                print(f"accepted {path}: {options.smaller} equals {options.model} on the domain ({said})")
                continue
            claims = checker.check(data, network.checked, domain.checked, judge)
        except (checker.Rejected, checker.Malformed, InputError) as problem:  # what cannot be read proves nothing
            rejected += 1
            print(f"REJECTED {path}: {problem}")
        else:
            print(f"accepted {path}: {len(claims)} claim{'s'[: len(claims) != 1]} proved")
    return 1 if rejected else 0
