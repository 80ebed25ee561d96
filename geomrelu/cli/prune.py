"""``geomrelu prune``: a smaller network that equals a model on a domain."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geomrelu.cli.shared import DEFAULT_SECONDS, DOMAINS, Command, directory_of, inputs, kept, progress_bar

if TYPE_CHECKING:
    pass

__all__ = ["add"]


def add(command: Command) -> None:
    """The arguments of the command."""
    sub = command("prune", "write a smaller network that equals a model exactly on a domain", epilog=DOMAINS)
    sub.add_argument("model", metavar="MODEL")
    sub.add_argument("--domain", required=True, metavar="DOMAIN")
    sub.add_argument("-o", "--output", required=True, metavar="OUTPUT", help=".onnx, .npz or .json")
    sub.add_argument("--report", action="store_true", help="say what was removed, folded, merged and saved")
    sub.add_argument("--certificate", metavar="FILE", help="write the proof that both networks are equal on the domain")
    sub.add_argument("--certificates", metavar="DIR", help="read and write proofs about neurons there, as decide does")
    sub.add_argument(
        "--time", type=float, default=DEFAULT_SECONDS, metavar="SECONDS", help="budget, default %(default)g"
    )
    sub.add_argument("--neuron-time", type=float, metavar="SECONDS", help="budget of each hard neuron, default: none")
    sub.add_argument("--workers", type=int, default=1, metavar="N", help="processes for hard neurons, default 1")
    sub.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Decide, prune, write."""
    from geomrelu.budget import Budget
    from geomrelu.certificates import files as certificate
    from geomrelu.deadness.decide import Status, decide
    from geomrelu.deadness.pruning import prune
    from geomrelu.errors import InputError
    from geomrelu.parallel import workers_on

    if options.workers < 1 or not options.time > 0 or (options.neuron_time is not None and not options.neuron_time > 0):
        raise InputError("--time, --workers and --neuron-time must be positive")
    if Path(options.output).suffix.lower() not in (".json", ".npz", ".onnx"):
        raise InputError(f"{options.output}: unknown kind of model file (known: .json, .npz, .onnx)")
    directory = directory_of(options.certificates)
    network, domain = inputs(options)
    known, saver, save = kept(directory, network, domain)
    budget = Budget(options.time)
    most = Budget(0.9 * options.time)  # the rest is for the proofs that neurons are active
    with progress_bar("pruning") as (advance, _), workers_on(options.workers) as (executor, _):

        def progress(layer: int, decided: int, asked: int) -> None:
            advance(f"layer {layer}", decided, asked)

        more: dict[str, Any] = {"each": options.neuron_time, "executor": executor, "known": known, "save": save}
        if saver is not None:
            more["open_"] = saver.watch
        reports = list(decide(network, domain, None, None, most, progress, **more))
        if saver is not None and reports:
            saver.flush(reports[-1].points)
            saver.keep()
    refusal = ""
    for fold, merge in ((True, True), (False, True), (False, False)):  # until the format can hold it
        found = prune(network, domain, reports, budget, fold=fold, merge=merge)
        try:
            found.network.save(options.output)
        except InputError as problem:
            refusal = str(problem)
            if not (fold or merge):
                raise
        else:
            break
    if options.certificate is not None:
        certificate.save(Path(options.certificate), found.certificate)
    if options.report:
        print(f"{'':15}  {'before':>10}  {'after':>10}  {'saved':>10}")
        rows = zip(("neurons", "parameters", "multiplications"), found.before, found.after, strict=True)
        for what, before, after in rows:
            print(f"{what:15}  {before:>10,}  {after:>10,}  {before - after:>10,}")
        print(f"{found.removed} dead removed, {found.folded} active folded, {found.merged} multiples merged.")
        if refusal:
            print(f"Some stay because of the format: {refusal}")
    undecided = sum(v.status is Status.UNDECIDED for report in reports for v in report.verdicts)
    print(
        f"{options.output} equals {options.model} on the domain, exactly (proved)"
        + (f"; {undecided} neurons are undecided and stay." if undecided else ".")
    )
    return 3 if undecided else 0
