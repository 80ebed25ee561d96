"""``geomrelu simulate``: the simulations of the papers."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geomrelu.cli.shared import Command, add_workers, complain, long_run, widths_of

if TYPE_CHECKING:
    from geomrelu.random_networks.estimate import Estimate

__all__ = ["add"]

SIMULATIONS = """\
figure-1     Rister & Rubin: living networks and data for widths 1-15, 256 layers, weights and biases normal with
             variance 2/n (He); three schemes. A network is alive if a data point is alive through all layers
figure-2     the same along the width that keeps the lower bound at p
figure-5     Brownlowe et al.: stably unactivated neurons, by sign orbits
safe-region  Lu et al.: width against depth
A run of more than a minute keeps its finished chunks in a file of the working directory until it is done. When --time
is over, figure 5 is drawn from the orbits that are finished, with intervals that hold whenever that is; of the others
the finished chunks are kept for the same command to go on. The exit code is 3."""


# what each option is about, and what it is unless it is said
OPTIONS: dict[str, tuple[tuple[str, ...], Any]] = {
    "law": (("figure-1", "figure-2", "figure-5"), "normal"),
    "networks": (("figure-1", "figure-2"), 1024),
    "points": (("figure-1", "figure-2"), 1024),
    "depth": (("figure-1", "figure-2"), 256),
    "widths": (("figure-1", "figure-5"), None),
    "share": (("figure-5",), 1.0),
}


def add(command: Command) -> None:
    """The arguments of the command."""
    sub = command("simulate", "the simulations and figures of the papers", epilog=SIMULATIONS)
    sub.add_argument("name", metavar="NAME", choices=("figure-1", "figure-2", "figure-5", "safe-region"))
    sub.add_argument("-o", "--output", required=True, metavar="FILE", help=".pdf, .png or .svg; .json: the numbers")
    sub.add_argument("--law", help="as for probability")
    sub.add_argument("--networks", type=int, metavar="N", help="of figures 1 and 2, default 1024")
    sub.add_argument("--points", type=int, metavar="N", help="data of figures 1 and 2, default 1024")
    sub.add_argument("--depth", type=int, metavar="K", help="of figures 1 and 2, default 256")
    sub.add_argument("--widths", metavar="N,N,...", help="of figure 1; n0 of figure 5")
    sub.add_argument("--share", type=float, metavar="S", help="of the orbits of figure 5, default 1")
    add_workers(sub)
    sub.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Simulate, draw or write the numbers."""
    from fractions import Fraction

    from geomrelu.errors import InputError
    from geomrelu.io.files import write
    from geomrelu.papers import figures, simulations
    from geomrelu.papers.tables import safe_width

    suffix = Path(options.output).suffix.lower()
    if suffix not in (*figures.FORMATS, ".json"):
        raise InputError(f"{options.output}: write {', '.join(figures.FORMATS)} or .json")
    for option, (names, usual) in OPTIONS.items():
        if getattr(options, option) is None:
            setattr(options, option, usual)
        elif options.name not in names:
            raise InputError(f"--{option} is for {', '.join(names)}, not for {options.name}")
    stopped = False
    widths = None if options.widths is None else widths_of(options.widths)
    size = {"networks": options.networks, "points": options.points, "depth": options.depth, "seed": options.seed}
    if options.name == "safe-region":
        depths = list(range(1, 101))
        least = {p: [safe_width(k, Fraction(p)) for k in depths] for p in (Fraction(1, 10), Fraction(1, 100))}
        data: Any = {"hidden layers": depths, **{f"P(dies) < {float(p):g}": w for p, w in least.items()}}
        figure = figures.safe_region(depths, {float(p): w for p, w in least.items()})
    else:
        with long_run(options.name, options) as running:
            if options.name == "figure-5":
                dimensions = widths or (2, 3, 4)
                more = {"law": options.law, "share": options.share, "seed": options.seed}
                estimates = simulations.figure_five(dimensions, **more, **running)
                figure, data = figures.figure_five(estimates), [_known(e) for e in estimates.values()]
                asked = len(dimensions) * len(simulations.FIGURE_FIVE)
                stopped = len(estimates) < asked or any(e.stopped for e in estimates.values())
                if stopped:
                    complain(f"the time was over: {len(estimates)} of {asked} points of the figure, the last with less")
            elif options.name == "figure-1":
                plan = simulations.Living(widths or tuple(range(1, 16)), law=options.law, **size)
                found = simulations.living(plan, **running)
                figure = figures.figure_one(found, shown=widths or figures.SHOWN)
                data = [s.as_json() for s in found.values()]
            else:
                along = {p: simulations.widths_along(p, options.depth) for p in simulations.TARGETS}
                needed = tuple(sorted({n for row in along.values() for n in row}))
                plan = simulations.Living(needed, schemes=("iid",), law=options.law, variance=True, **size)
                two = {n: s for (n, _), s in simulations.living(plan, **running).items()}
                figure = figures.figure_two(two, simulations.TARGETS, along)
                data = {
                    "n(k)": {str(p): row for p, row in along.items()},
                    "survival": [s.as_json() for s in two.values()],
                }
    if suffix == ".json":
        write(options.output, json.dumps(data, indent=1) + "\n")
    else:
        figures.save(figure, options.output)
    return 3 if stopped else 0


def _known(estimate: Estimate) -> dict[str, Any]:
    """With the value, where it is proved: figures of proved points are drawn without an interval."""
    proved = estimate.experiment.proved()
    known = {} if proved is None else {"exact": str(proved[0]), "proved_by": proved[1]}
    return estimate.as_json() | known
