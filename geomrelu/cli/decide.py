"""``geomrelu decide``: which neurons are dead on a domain, with certificates."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from geomrelu.cli.shared import (
    DEFAULT_SECONDS,
    DOMAINS,
    Command,
    add_reading,
    budget_of,
    inputs,
    layers_of,
    progress_bar,
    seconds_of,
)

if TYPE_CHECKING:
    from geomrelu.deadness.verdict import LayerReport

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
    sub.add_argument("--scheduler", metavar="ADDRESS", help="for hard neurons: a Dask scheduler (tcp://host:port)")
    sub.add_argument("--all", action="store_true", help="list the living neurons of wide layers too")
    add_reading(sub)
    sub.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Decide, print, keep what was proved."""
    from geomrelu.deadness import report as reports
    from geomrelu.deadness.verdict import Status
    from geomrelu.errors import InputError

    budget = budget_of(options)  # reading the model counts
    if options.workers < 1 or (options.neuron_time is not None and not options.neuron_time > 0):
        raise InputError("--workers and --neuron-time must be positive")
    layers = layers_of(options.layer)
    if options.certificates is not None:
        from geomrelu.io.files import writable

        writable(options.certificates)
    network, domain = inputs(options)
    if options.format == "table" and network.reading is not None:
        for line in (*(f"Not judged: {why}" for why in network.reading.left), *network.reading.notes):
            print(f"{line}.")
    finished: list[LayerReport] = []
    rows: list[dict[str, Any]] = []
    interrupted = False
    with progress_bar("deciding") as (advance, clear):

        def told(layer: LayerReport, files: dict[int, str]) -> None:
            finished.append(layer)
            if options.format == "json":
                rows.append(reports.as_json(layer, files))
            else:
                clear()
                print(reports.as_text(layer, files, options.all))

        try:
            reports.decide(
                network, domain, layers, options.neuron, time=seconds_of(budget), regions=options.regions,
                neuron_time=options.neuron_time, workers=options.workers, scheduler=options.scheduler,
                certificates=options.certificates, progress=advance, told=told,
            )  # fmt: skip
        except KeyboardInterrupt:
            interrupted = True
    killed_by = next((layer.layer for layer in finished if layer.killed), None)
    if options.format == "json":
        left = [] if network.reading is None else list(network.reading.left)
        heads = {"model": options.model, "domain": options.domain, "killed_by": killed_by, "left_out": left}
        print(json.dumps(heads | {"layers": rows}, indent=1))
    elif killed_by is not None:
        print(reports.killed(network, killed_by))
    if interrupted:
        raise KeyboardInterrupt
    undecided = any(v.status is Status.UNDECIDED for layer in finished for v in layer.verdicts)
    return 3 if undecided else 0
