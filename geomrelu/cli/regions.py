"""``geomrelu regions``: the regions of an arrangement or of a network."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from geomrelu.cli.shared import (
    REGIONS,
    Command,
    add_reading,
    add_time,
    arrangement_on,
    budget_of,
    is_arrangement,
    network_on,
    progress_bar,
)

if TYPE_CHECKING:
    from geomrelu.budget import Budget

__all__ = ["add"]


def add(command: Command) -> None:
    """The arguments of the command."""
    sub = command("regions", "count the regions of an arrangement or of a network, exactly", epilog=REGIONS)
    sub.add_argument("file", metavar="FILE")
    sub.add_argument("--domain", metavar="DOMAIN", help="only inside this polyhedron (default: all of R^n)")
    sub.add_argument("--layers", type=int, metavar="K", help="of a network: only its first K ReLU layers")
    sub.add_argument("--signs", action="store_true", help="list the sign vectors")
    sub.add_argument("--witnesses", action="store_true", help="list them with a rational point in each region")
    sub.add_argument("--faces", action="store_true", help="the f-vector: faces of dimension 0, 1, ..., n")
    sub.add_argument("--graph", metavar="OUT.graphml", help="write the adjacency graph of the regions")
    sub.add_argument("--polynomial", action="store_true", help="of an arrangement: the characteristic polynomial")
    sub.add_argument("--format", choices=("table", "json"), default="table")
    add_time(sub)
    sub.add_argument("--regions", type=int, metavar="N", help="stop after N regions")
    sub.add_argument("--workers", type=int, default=1, metavar="N", help="of a network: processes, default 1")
    sub.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler instead (tcp://host:port)")
    sub.add_argument(
        "--signs-in", metavar="DIR", help="of a network: the sign vectors as .npy files there, none of them held"
    )
    add_reading(sub)
    sub.set_defaults(run=run, nothing=_nothing)


def _nothing(options: argparse.Namespace, reason: str) -> dict[str, Any]:
    """What JSON says where the time is over before the model is read."""
    return {"file": options.file, "domain": options.domain, "regions": 0, "complete": False, "reason": reason}


def run(options: argparse.Namespace) -> int:
    """Count, list, print."""
    from geomrelu.errors import InputError
    from geomrelu.network import region_count

    budget = budget_of(options)
    if options.layers is not None and options.layers < 1:
        raise InputError(f"--layers must be positive, not {options.layers}")
    if options.workers != 1 or options.scheduler or options.signs_in:
        return _in_shards(options, budget)
    wanted = region_count.Wanted(options.faces, options.polynomial, options.graph)
    listed: list[dict[str, Any]] = []
    seen = 0
    with progress_bar("counting", budget) as (advance, clear):

        def each(signs: Any, points: Callable[[int], Sequence[Any]]) -> None:
            nonlocal seen
            for i, sign in enumerate(signs.tolist() if options.signs or options.witnesses else ()):
                row: dict[str, Any] = {"signs": "".join("-0+"[s + 1] for s in sign)}
                if options.witnesses:
                    budget.spend(0)
                    row["witness"] = [str(v) for v in points(i)]
                if options.format == "json":
                    listed.append(row)
                else:
                    clear()
                    print(row["signs"], *(f"({', '.join(w)})" for w in [row.get("witness")] if w))
            seen += len(signs)
            advance(f"{seen:,} regions", 0, 0)

        if is_arrangement(options.file):
            if options.layers is not None:
                raise InputError("--layers is for networks")
            found = region_count.of_arrangement(arrangement_on(options), wanted, budget, each)
        else:
            if options.polynomial:
                raise InputError("--polynomial is for arrangements")
            found = region_count.of_network(*network_on(options), options.layers, wanted, budget, each)
    return _said(options, found, {"list": listed} if options.signs or options.witnesses else {})


def _in_shards(options: argparse.Namespace, budget: Budget) -> int:
    """By several processes, or with the sign vectors on disk."""
    from pathlib import Path

    from geomrelu.errors import InputError
    from geomrelu.io.files import writable
    from geomrelu.network import region_count
    from geomrelu.parallel import workers_on

    if is_arrangement(options.file):
        raise InputError("--workers, --scheduler and --signs-in are for networks; write it as a layer of a network")
    if options.signs or options.witnesses or options.faces or options.graph or options.polynomial:
        raise InputError("--workers, --scheduler and --signs-in go with counting alone")
    network, domain = network_on(options)
    directory = None if options.signs_in is None else writable(Path(options.signs_in))
    with workers_on(options.workers, options.scheduler) as pool, progress_bar("counting", budget) as (advance, _):
        found = region_count.by_shards(
            network, domain, options.layers, budget, pool, directory,
            lambda regions: advance(f"{regions:,} regions", 0, 0),
        )  # fmt: skip
    return _said(options, found, {})


def _said(options: argparse.Namespace, found: dict[str, Any], listed: dict[str, Any]) -> int:
    from geomrelu.errors import InputError
    from geomrelu.network import region_count

    heads, unwritten = {"file": options.file, "domain": options.domain}, found.pop("unwritten", None)
    if options.format == "json":
        print(json.dumps(heads | found | listed, indent=1))
    else:
        print(region_count.as_text(heads | found))
    if unwritten is not None:
        raise InputError(unwritten)
    if found["reason"] == "interrupted":
        raise KeyboardInterrupt
    return 0 if found["complete"] else 3
