"""``geomrelu decide --data``: which neurons are silent on data, and how far around them that is proved."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from geomrelu.cli.alarm import soon_after
from geomrelu.cli.shared import budget_of, complain, complain_of_unsaved, layers_of, model_of, progress_bar, widths_of
from geomrelu.errors import InputError

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Look, prove, print; write the page on the largest box and the certificates of all sets."""
    from geomrelu.budget import Exhausted
    from geomrelu.certificates.files import Unsaved
    from geomrelu.deadness import front_door
    from geomrelu.deadness.page import image_shape, write
    from geomrelu.io.files import writable

    for name in ("arithmetic", "ranges", "regions"):
        if getattr(options, name) is not None:
            raise InputError(f"--{name} is about a --domain, not about --data")
    for directory in (options.certificates, options.report):
        if directory is not None:
            writable(directory)
    budget = budget_of(options)
    layers = layers_of(options.layer)
    network = model_of(options, options.model)
    image = None if options.image is None else widths_of(options.image, "--image")
    image_shape(network, image)
    with progress_bar("deciding", budget) as (advance, _):
        found = front_door.around(
            network, options.data, layers, options.neuron, widen=options.widen or "11/10", time=budget.seconds_left(),
            neuron_time=options.neuron_time, workers=options.workers, scheduler=options.scheduler, progress=advance,
        )  # fmt: skip
    if options.format == "json":
        print(json.dumps({"model": options.model, "data": options.data} | found.as_json(), indent=1))
    else:
        print(found)
    kept = options.certificates or (options.report and Path(options.report) / "certificates")
    unsaved, late = Unsaved(), ""  # where one thing cannot be written, the other still is
    if kept:
        with unsaved.noted():
            found.save(kept)
    if options.report is not None and found.reports:
        name, report = next(iter(found.reports.items()))
        said = f"the {name} of {Path(options.data).name} (only neurons that are silent on the data were asked about)"
        try:
            with unsaved.noted(), soon_after(budget, f"the page in {options.report} is written"):
                page = write(
                    report, options.report, title=Path(options.model).name, domain=said, image=image,
                    certificates=Path(kept) / name.replace(" ", "-"),
                )  # fmt: skip
                complain(f"the page is {page}")
        except Exhausted as end:
            late = str(end)
            complain(late)
    elif options.report is not None:
        complain("no neuron is silent on the data: there is no page")
    if found.interrupted:
        further = sum(reach != "data" for reach in found.reach.values())
        silent = f"{len(found.reach)} neurons are silent on the data"
        said = f"{silent}, {further} of them proved dead on more than the data"
        raise KeyboardInterrupt(said, *unsaved.texts)
    complain_of_unsaved(None, unsaved)
    return 3 if found.undecided or late else 0
