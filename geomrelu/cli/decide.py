"""``geomrelu decide``: which neurons are dead on a domain, with certificates."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from geomrelu.cli.alarm import soon_after
from geomrelu.cli.shared import (
    DOMAINS,
    Command,
    add_reading,
    add_search,
    budget_of,
    complain,
    complain_of_unsaved,
    decided,
    hashed,
    judged_inputs,
    layers_of,
    progress_bar,
    waiting,
    widths_of,
)
from geomrelu.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geomrelu.budget import Budget
    from geomrelu.certificates.files import Unsaved
    from geomrelu.deadness.verdict import LayerReport

__all__ = ["add"]

PAGE, RANGES, CERTIFICATES = 6e-5, 2e-5, 3e-5  # seconds a neuron, measured on 262,144 of them


def add(command: Command) -> None:
    """The arguments of the command."""
    sub = command("decide", "decide which neurons are dead on a domain, with certificates", epilog=DOMAINS)
    sub.add_argument("model", metavar="MODEL")
    where = sub.add_mutually_exclusive_group(required=True)
    where.add_argument("--domain", metavar="DOMAIN")
    where.add_argument(
        "--data",
        metavar="FILE",
        help="instead of a domain: points (.npy, .npz, .csv); which neurons are silent on them, how far around them"
        " that is proved (their box, the widened box, the hull of few), and where they fire nearby",
    )
    sub.add_argument("--widen", metavar="FACTOR", help="with --data: of the widened box, default 1.1")
    sub.add_argument("--layer", metavar="L or L1-L2", help="only these ReLU layers (from 1)")
    sub.add_argument("--neuron", type=int, metavar="I", action="append", help="only this neuron (from 0; repeatable)")
    sub.add_argument(
        "--certificates",
        metavar="DIR",
        help="write what is proved to this directory; what it holds is not sought again",
    )
    sub.add_argument("--format", choices=("table", "json"), default="table")
    add_search(sub)
    sub.add_argument("--regions", type=int, metavar="N", help="budget of pieces and boxes to examine")
    sub.add_argument(
        "--ranges",
        nargs="?",
        const="",
        metavar="FILE",
        help="bound every pre-activation as well, and say which neurons are fixed; to FILE (.npz, .json, .csv) for an"
        " encoder of mixed-integer programs",
    )
    sub.add_argument(
        "--arithmetic",
        choices=("float32", "float16", "bfloat16"),
        help="say as well which neurons are dead in floating point, whatever the order of summation",
    )
    sub.add_argument(
        "--report",
        metavar="DIR",
        help="write a page (index.html) with maps of the neurons, bounds, pictures and certificates to this directory",
    )
    sub.add_argument(
        "--image",
        metavar="N,N,...",
        help="for --report: the inputs are an image of HEIGHT,WIDTH or CHANNELS,HEIGHT,WIDTH",
    )
    sub.add_argument("--all", action="store_true", help="list the living neurons of wide layers too")
    add_reading(sub)
    sub.set_defaults(run=run, nothing=_nothing)


def _nothing(options: argparse.Namespace, reason: str) -> dict[str, Any]:
    """What JSON says where the time is over before the model is read."""
    if options.data is not None:
        return {"model": options.model, "data": options.data, "neurons": [], "reason": reason}
    heads = {"model": options.model, "domain": options.domain, "killed_by": None, "left_out": []}
    return heads | {"layers": [], "reason": reason}


def run(options: argparse.Namespace) -> int:
    """On a domain, or on data and around them."""
    if options.data is not None:
        from geomrelu.cli.from_data import run as run_from_data

        return run_from_data(options)
    if options.widen is not None:
        raise InputError("--widen is about the box of --data")
    return _on_domain(options)


def _on_domain(options: argparse.Namespace) -> int:
    """Decide, print, keep what was proved."""
    from pathlib import Path

    from geomrelu.budget import Budget
    from geomrelu.certificates.files import Unsaved
    from geomrelu.deadness import front_door
    from geomrelu.deadness import report as reports
    from geomrelu.deadness.page import image_shape
    from geomrelu.deadness.verdict import Status
    from geomrelu.network.quantised import QuantisedNetwork

    budget = whole = budget_of(options)  # reading the model counts
    layers = layers_of(options.layer)
    _refused(options)
    network, domain = judged_inputs(options)
    if options.certificates is not None or options.report is not None:
        hashed(options, network, budget)
    image = None if options.image is None else widths_of(options.image, "--image")
    if isinstance(network, QuantisedNetwork):
        from geomrelu.deadness.quantised_report import channels, check_options

        check_options(options.arithmetic, options.ranges, options.report)
    elif options.arithmetic is not None:
        front_door.check_arithmetic(options.arithmetic, network, domain, layers)
    if not isinstance(network, QuantisedNetwork):
        image_shape(network, image)
        if options.report is not None and options.certificates is None:  # before anything takes long
            front_door.check_directory(Path(options.report) / "certificates", network, domain, layers)
    if options.format == "table" and network.reading is not None:
        print("".join(f"{line}.\n" for line in network.reading.told(layers or network.judged)), end="")
    finished: list[LayerReport] = []
    rows: list[dict[str, Any]] = []
    more: dict[str, Any] = {}
    report: reports.Report | None = None
    interrupted = False
    with progress_bar("deciding", budget) as (advance, clear):

        def told(layer: LayerReport, files: dict[int, str]) -> None:
            finished.append(layer)
            if options.format == "json":
                rows.append(reports.as_json(layer, files))
            else:
                clear()
                whole = isinstance(network, QuantisedNetwork)
                print(reports.as_text(layer, files, options.all, stability=not whole))
                if isinstance(network, QuantisedNetwork) and (dead := channels(network, layer)):
                    print(dead)

        kept = min(_writing(options, sum(network.widths)), budget.seconds_left(0.5))
        budget = Budget(budget.seconds_left(kept=kept), options.regions)
        wanted = 1 + _bounds(options) + (options.arithmetic is not None)
        try:
            report = front_door.decide(
                network, domain, layers, options.neuron, time=budget.seconds_left(1 / wanted), regions=options.regions,
                neuron_time=options.neuron_time, workers=options.workers, scheduler=options.scheduler,
                certificates=options.certificates, progress=advance, told=told,
            )  # fmt: skip
            for name, found in _further(options, report, budget, advance):
                more[name] = found  # what an interruption leaves
        except KeyboardInterrupt:
            interrupted = True
    killed_by = next((layer.layer for layer in finished if layer.killed), None)
    if options.format == "json":
        left = [] if network.reading is None else list(network.reading.left)
        heads = {"model": options.model, "domain": options.domain, "killed_by": killed_by, "left_out": left}
        shown = {k: v.as_json() for k, v in more.items() if k != "ranges" or options.ranges is not None}
        print(json.dumps(heads | {"layers": rows} | shown, indent=1))
    elif killed_by is not None:
        print(reports.killed(network, killed_by))
    unsaved, late = Unsaved(), False  # where one thing cannot be written, the others still are
    _kept(options, more, unsaved)
    with unsaved.noted(), waiting("writing the page"):
        late = _paged(options, report, more, image, whole)
    if interrupted:
        asked = front_door.neurons_asked(network, layers, options.neuron)
        said = decided(finished, sum(map(len, asked.values())), options.certificates)
        raise KeyboardInterrupt(said, *unsaved.texts)
    assert report is not None
    complain_of_unsaved(report, unsaved)
    undecided = any(v.status is Status.UNDECIDED for layer in finished for v in layer.verdicts)
    return 3 if undecided or late else 0


def _paged(options: argparse.Namespace, report: Any, more: dict[str, Any], image: Any, budget: Budget) -> bool:
    """The page, if it was asked for and there is something to show; is it too late for it?"""
    from pathlib import Path

    from geomrelu.budget import Exhausted
    from geomrelu.deadness.page import write

    if options.report is None or report is None:
        return False
    said = {"title": Path(options.model).name, "domain": options.domain, "certificates": options.certificates}
    try:
        with soon_after(budget, f"the page in {options.report} is written"):
            page = write(report, options.report, more.get("ranges"), image=image, **said)
    except Exhausted as end:
        complain(str(end))
        return True
    complain(f"the page is {page}")
    return False


def _refused(options: argparse.Namespace) -> None:
    """What cannot be written is said before anything is read."""
    from geomrelu.deadness.ranges import check_kind
    from geomrelu.io.files import writable

    for directory in (options.certificates, options.report):
        if directory is not None:
            writable(directory)
    if options.image is not None and options.report is None:
        raise InputError("--image is about the pictures of --report")
    if options.ranges:
        check_kind(options.ranges)


def _further(options: argparse.Namespace, report: Any, budget: Budget, advance: Any) -> Iterator[tuple[str, Any]]:
    """What is asked for besides the verdicts, better and better."""
    if options.arithmetic is not None:
        share = 0.5 if _bounds(options) else 1.0
        for floats in report.in_floats(options.arithmetic, budget.seconds_left(share), advance):
            yield "floats", floats
    if _bounds(options):
        for ranges in report.tightened(budget.seconds_left(), advance):
            yield "ranges", ranges


def _bounds(options: argparse.Namespace) -> bool:
    """Are pre-activations to be bounded?"""
    return options.ranges is not None or options.report is not None


def _writing(options: argparse.Namespace, neurons: int) -> float:
    """Seconds that are left for writing what there is to say of so many neurons."""
    asked = ((options.report, PAGE), (options.ranges, RANGES), (options.certificates, CERTIFICATES))
    return neurons * max(seconds * (option is not None) for option, seconds in asked)


def _kept(options: argparse.Namespace, more: dict[str, Any], unsaved: Unsaved) -> None:
    """It is printed, and written where that was asked for."""
    from geomrelu.deadness.ranges import MOST_LINES

    floats, ranges = more.get("floats"), more.get("ranges")
    if floats is not None and options.format == "table":
        print(floats.text(options.all))
    if options.ranges is None:
        ranges = None
    if ranges is not None and options.format == "table":
        print(ranges.text(None if options.all else MOST_LINES, options.all))
    if ranges is not None and options.ranges:
        with unsaved.noted():
            ranges.save(options.ranges)
    for found in (floats, ranges) if options.certificates is not None else ():
        if found is not None:
            with unsaved.noted():
                found.save_certificates(options.certificates)
