"""``geomrelu check``: certificates judged again."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from geomrelu.cli.shared import (
    DOMAINS,
    Command,
    add_reading,
    add_time,
    clock_of,
    complain,
    judged_inputs,
    judged_of,
    unread,
)

if TYPE_CHECKING:
    from geomrelu.deadness.checking import Judgement

__all__ = ["add"]

ABOUT = f"""\
{DOMAINS}
When --time is over, the certificates that have been judged are said, and the exit code is 3 (1 if one is rejected)."""


def add(command: Command) -> None:
    """The arguments of the command."""
    sub = command("check", "check certificates independently of how they were found", epilog=ABOUT)
    sub.add_argument("certificates", nargs="+", metavar="CERTIFICATE")
    sub.add_argument("--model", required=True, metavar="MODEL")
    sub.add_argument("--domain", required=True, metavar="DOMAIN")
    sub.add_argument("--smaller", metavar="MODEL", help="the network that certificates of a pruning are about")
    which = sub.add_mutually_exclusive_group()
    which.add_argument("--independent", action="store_true", help="by the plain judge, checker.py, alone: slower")
    which.add_argument("--kernel", action="store_true", help="by the program proved in Coq (built by: make kernel)")
    sub.add_argument("--workers", type=int, default=1, metavar="N", help="processes, default 1")
    add_time(sub, None)
    add_reading(sub)
    sub.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Judge each file."""
    from geomrelu.budget import UNLIMITED, Exhausted
    from geomrelu.certificates import kernel
    from geomrelu.deadness.checking import case_of, judged
    from geomrelu.geometry.domains import Union
    from geomrelu.io.files import check_readable
    from geomrelu.parallel import workers_on

    budget = clock_of(options) or UNLIMITED
    for path in options.certificates:
        check_readable(path)
    network, domain = judged_inputs(options)
    pieces = domain.pieces if isinstance(domain, Union) else (domain,)
    smaller = None if options.smaller is None else judged_of(_of_smaller(options), options.smaller)
    judge = "kernel" if options.kernel else "plain" if options.independent else "fast"
    case = case_of(network, pieces, smaller, judge)
    if options.kernel:
        kernel.program()  # said before any work if it is missing
    part = "as far as they are read, " if unread(network, smaller) else ""
    done, rejected, ended = 0, 0, None
    dead: list[set[tuple[int, int]]] = [set() for _ in pieces]
    with workers_on(options.workers, apart=budget.left is not None) as (executor, workers):
        outcomes = judged(options.certificates, case, executor, workers, budget)
        try:
            for path, found in zip(options.certificates, outcomes, strict=True):
                done += 1
                rejected += found.problem is not None
                print(_said(options, path, found, part, len(pieces)), flush=True)
                if found.problem is None and found.changes is None:
                    dead[found.piece] |= found.dead
        except Exhausted as end:
            ended = f"{end}: {done} of {len(options.certificates)} certificates are judged"
    if ended is not None:
        complain(ended)
        return 1 if rejected else 3
    if len(pieces) > 1:
        everywhere = sorted(set.intersection(*dead))
        print(f"dead on all {len(pieces)} pieces: " + (", ".join(f"{l}:{i}" for l, i in everywhere) or "no neuron"))
    return 1 if rejected else 0


def _said(options: argparse.Namespace, path: str, found: Judgement, part: str, pieces: int) -> str:
    """What has come of a certificate, in a line."""
    if found.problem is not None:
        return f"REJECTED {path}: {str(found.problem).removeprefix(f'{path}: ')}"
    if found.changes is not None:
        changes = ", ".join(f"{count} {what}" for what, count in found.changes.items())
        return f"accepted {path}: {part}{options.smaller} equals {options.model} on the domain ({changes})"
    where = "" if pieces == 1 else f" on piece {found.piece + 1} of {pieces}"
    return f"accepted {path}: {found.claims} claim{'s'[: found.claims != 1]} proved{where}"


def _of_smaller(options: argparse.Namespace) -> argparse.Namespace:
    """How the smaller model is read: where it is one of a part, or of another format, its file leaves nothing open."""
    from geomrelu.io.files import kind_of

    if not (options.start or options.input_value) and kind_of(options.smaller) == kind_of(options.model):
        return options
    return argparse.Namespace(**vars(options) | {"start": None, "input_value": None, "input_shape": None})
