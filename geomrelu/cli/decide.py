"""``geomrelu decide``: which neurons are dead on a domain, with certificates."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from geomrelu.cli.shared import (
    DEFAULT_SECONDS,
    DOMAINS,
    Command,
    budget_of,
    directory_of,
    inputs,
    kept,
    layers_of,
    progress_bar,
)

if TYPE_CHECKING:
    from geomrelu.deadness.branch_and_bound import Tree
    from geomrelu.deadness.decide import LayerReport, Verdict

__all__ = ["add"]


def add(command: Command) -> None:
    """The arguments of the command."""
    sub = command("decide", "decide which neurons are dead on a domain, with certificates", epilog=DOMAINS)
    sub.add_argument("model", metavar="MODEL")
    sub.add_argument("--domain", required=True, metavar="DOMAIN")
    sub.add_argument("--layer", metavar="L or L1-L2", help="only these ReLU layers (from 1)")
    sub.add_argument("--neuron", type=int, metavar="I", action="append", help="only this neuron (from 0; repeatable)")
    sub.add_argument(
        "--certificates",
        metavar="DIR",
        help="write what is proved to this directory; what it holds is not sought again",
    )
    sub.add_argument("--format", choices=("table", "json"), default="table")
    sub.add_argument(
        "--time", type=float, default=DEFAULT_SECONDS, metavar="SECONDS", help="budget, default %(default)g"
    )
    sub.add_argument("--regions", type=int, metavar="N", help="budget of pieces and boxes to examine")
    sub.add_argument("--neuron-time", type=float, metavar="SECONDS", help="budget of each hard neuron, default: none")
    sub.add_argument("--workers", type=int, default=1, metavar="N", help="processes for hard neurons, default 1")
    sub.add_argument("--all", action="store_true", help="list the living neurons of wide layers too")
    sub.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Decide, print, keep what was proved."""
    from geomrelu.certificates import files as certificate
    from geomrelu.deadness.decide import Status, decide
    from geomrelu.errors import InputError
    from geomrelu.parallel import workers_on

    budget = budget_of(options)
    if options.workers < 1 or (options.neuron_time is not None and not options.neuron_time > 0):
        raise InputError("--workers and --neuron-time must be positive")
    layers = layers_of(options.layer)
    directory = directory_of(options.certificates)
    network, domain = inputs(options)
    killed_by, undecided, rows, interrupted = None, 0, [], False
    done = dict.fromkeys(range(1, network.depth + 1), (0, 1))
    known, saver, save = kept(directory, network, domain)
    with progress_bar("deciding") as (advance, clear), workers_on(options.workers) as (executor, _):

        def progress(layer: int, decided: int, asked: int) -> None:
            done[layer] = decided, asked
            advance(f"layer {layer}", decided, asked)

        def hard(tree: Tree) -> None:
            advance(f"layer {tree.level}, neuron {tree.neuron}: {tree}", *done[tree.level])
            if saver is not None:
                saver.watch(tree)

        more: dict[str, Any] = {"each": options.neuron_time, "executor": executor, "known": known}
        try:
            for report in decide(
                network, domain, layers, options.neuron, budget, progress, save=save, open_=hard, **more
            ):
                files: dict[int, str] = {}
                if directory is not None:
                    claims = [v.claim for v in report.verdicts if v.claim is not None]
                    digests = network.digest, domain.checked.digest()
                    files = certificate.write(directory, report.layer, claims, *digests, report.points)
                undecided += sum(v.status is Status.UNDECIDED for v in report.verdicts)
                if report.killed and killed_by is None:
                    killed_by = report.layer
                if options.format == "json":
                    rows.append(_as_json(report, files))
                else:
                    clear()
                    _print_report(report, files, options.all)
        except KeyboardInterrupt:
            interrupted = True
    if saver is not None:
        saver.keep()
    if options.format == "json":
        heads = {"model": options.model, "domain": options.domain, "killed_by": killed_by}
        print(json.dumps(heads | {"layers": rows}, indent=1))
    elif killed_by is not None:
        constant = ": the network is constant on it" if network.is_cut_by(killed_by) else " (connections go around it)"
        print(f"Layer {killed_by} kills the domain{constant}.")
    if interrupted:
        raise KeyboardInterrupt
    return 3 if undecided else 0


def _as_json(report: LayerReport, files: dict[int, str]) -> dict[str, Any]:
    return {
        "layer": report.layer,
        "killed": report.killed,
        "neurons": [
            {
                "neuron": v.neuron,
                "status": v.status.value,
                "stable": v.stable,
                "supremum": None if v.supremum is None else str(v.supremum),
                "reason": v.reason,
                "certificate": files.get(v.neuron),
            }
            for v in report.verdicts
        ],
    }


def _print_report(report: LayerReport, files: dict[int, str], everything: bool) -> None:
    from geomrelu.deadness.decide import Status

    count = {status: sum(v.status is status for v in report.verdicts) for status in Status}
    stable = sum(v.stable is True for v in report.verdicts)
    killed = {True: "killed", False: "not killed", None: "killed or not: open"}[report.killed]
    asked = len(report.verdicts)
    neurons = "neuron" if report.width == 1 else "neurons"
    of = f"{asked} of its {report.width} neurons" if asked < report.width else f"{asked} {neurons}"
    print(
        f"Layer {report.layer}: {of}: {count[Status.DEAD]} dead ({stable} stably), {count[Status.ALIVE]} alive, "
        f"{count[Status.UNDECIDED]} undecided; {killed}"
    )
    shown = [v for v in report.verdicts if everything or asked <= 20 or v.status is not Status.ALIVE]
    if shown:
        print("  neuron  status     stably  supremum              reason")
    for v in shown:
        stably = {True: "yes", False: "no", None: "-"}[v.stable] if v.status is Status.DEAD else ""
        file = f"  [{files[v.neuron]}]" if v.neuron in files else ""
        print(f"  {v.neuron:>6}  {v.status.value:<9}  {stably:<6}  {_supremum(v):<20}  {v.reason}{file}")


def _supremum(verdict: Verdict) -> str:
    """Exact where that is short, else rounded and marked as such."""
    if verdict.supremum is None:
        return ""
    text = str(verdict.supremum)
    if len(text) <= 20 or isinstance(verdict.supremum, str):
        return text
    try:
        return f"~{float(verdict.supremum):.10g}"
    except OverflowError:
        return "huge"
