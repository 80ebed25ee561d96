"""``geomrelu check``: certificates judged again."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from geomrelu.cli.shared import DOMAINS, Command, add_reading, judged_inputs, judged_of

if TYPE_CHECKING:
    from geomrelu import checker
    from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron

__all__ = ["add"]


def add(command: Command) -> None:
    """The arguments of the command."""
    sub = command("check", "check certificates independently of how they were found", epilog=DOMAINS)
    sub.add_argument("certificates", nargs="+", metavar="CERTIFICATE")
    sub.add_argument("--model", required=True, metavar="MODEL")
    sub.add_argument("--domain", required=True, metavar="DOMAIN")
    sub.add_argument("--smaller", metavar="MODEL", help="the network that certificates of a pruning are about")
    which = sub.add_mutually_exclusive_group()
    which.add_argument("--independent", action="store_true", help="by the plain judge, checker.py, alone: slower")
    which.add_argument("--kernel", action="store_true", help="by the program proved in Coq (built by: make kernel)")
    add_reading(sub)
    sub.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Judge each file."""
    from geomrelu import checker
    from geomrelu.certificates import kernel
    from geomrelu.certificates.batch import Quick
    from geomrelu.deadness import quantised_certificate as certificate
    from geomrelu.errors import InputError
    from geomrelu.geometry.domains import Union
    from geomrelu.io.files import check_readable
    from geomrelu.network.quantised import QuantisedNetwork

    for path in options.certificates:
        check_readable(path)
    network, domain = judged_inputs(options)
    pieces = domain.pieces if isinstance(domain, Union) else (domain,)
    judge = checker.Judge if options.independent else Quick
    smaller = None if options.smaller is None else judged_of(options, options.smaller)
    if isinstance(network, QuantisedNetwork) or isinstance(smaller, QuantisedNetwork):
        return _quantised(options, network, pieces, smaller, judge)
    if options.kernel:
        kernel.program()  # said before any work if it is missing
    rejected = 0
    dead: list[set[tuple[int, int]]] = [set() for _ in pieces]
    for path in options.certificates:
        try:
            data = certificate.read(path)
            piece = _piece(data, pieces)
            if smaller is not None and isinstance(data, dict) and data.get("geomrelu") == checker.PRUNING:
                if options.kernel:
                    changes = kernel.judge_pruning(data, network.checked, piece.checked, smaller.checked)
                else:
                    changes = checker.check_pruning(data, network.checked, piece.checked, smaller.checked, judge)
                said = ", ".join(f"{count} {what}" for what, count in changes.items())
                print(f"accepted {path}: {options.smaller} equals {options.model} on the domain ({said})")
                continue
            if options.kernel:
                claims = kernel.judge(data, network.checked, piece.checked)
            else:
                claims = checker.check(data, network.checked, piece.checked, judge)
        except (checker.Rejected, checker.Malformed, InputError) as problem:  # what cannot be read proves nothing
            rejected += 1
            print(f"REJECTED {path}: {problem}")
        else:
            where = "" if len(pieces) == 1 else f" on piece {pieces.index(piece) + 1} of {len(pieces)}"
            print(f"accepted {path}: {len(claims)} claim{'s'[: len(claims) != 1]} proved{where}")
            dead[pieces.index(piece)] |= {(c["layer"], c["neuron"]) for c in claims if c.get("status") == "dead"}
    if len(pieces) > 1:
        everywhere = sorted(set.intersection(*dead))
        print(f"dead on all {len(pieces)} pieces: " + (", ".join(f"{l}:{i}" for l, i in everywhere) or "no neuron"))
    return 1 if rejected else 0


def _quantised(
    options: argparse.Namespace,
    network: Any,
    pieces: Sequence[Polyhedron | FiniteSet],
    smaller: Any,
    judge: type[checker.Judge],
) -> int:
    """Judge each file about a network of whole numbers."""
    from geomrelu import checker
    from geomrelu.deadness import quantised_certificate as certificate
    from geomrelu.deadness.quantised_pruning import FORMAT, judge_pruning
    from geomrelu.errors import InputError
    from geomrelu.network.quantised import QuantisedNetwork

    if options.kernel:
        raise InputError("--kernel judges certificates of networks that are not quantised")
    if len(pieces) > 1:
        raise InputError("a quantised network is judged on one bounded box, or on points, not on a union")
    if not isinstance(network, QuantisedNetwork) or not isinstance(smaller or network, QuantisedNetwork):
        raise InputError("of the model and the smaller one, one is quantised and the other is not")
    rejected = 0
    for path in options.certificates:
        try:
            data = certificate.read(path)
            if smaller is not None and isinstance(data, dict) and data.get("geomrelu") == FORMAT:
                removed = judge_pruning(data, network, pieces[0], smaller, judge)
                what = f"{options.smaller} equals {options.model} on the domain ({removed} removed)"
            else:
                claims = certificate.judge(data, network, pieces[0], judge)
                what = f"{len(claims)} claim{'s'[: len(claims) != 1]} proved"
        except (checker.Rejected, checker.Malformed, InputError) as problem:
            rejected += 1
            print(f"REJECTED {path}: {problem}")
        else:
            print(f"accepted {path}: {what}")
    return 1 if rejected else 0


def _piece(data: Any, pieces: Sequence[Polyhedron | FiniteSet]) -> Polyhedron | FiniteSet:
    """The piece of the domain that a certificate is about; if none is, one to reject it by."""
    about = data.get("domain") if isinstance(data, dict) else None
    return next((piece for piece in pieces if piece.checked.digest() == about), pieces[0])
