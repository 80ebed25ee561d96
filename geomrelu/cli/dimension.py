"""``geomrelu dimension``: in how many directions the parameters of a network move its values on data."""

from __future__ import annotations

import argparse
import json
from typing import Any

from geomrelu.cli.shared import Command, add_reading, add_time, clock_of, model_of

__all__ = ["add"]

ABOUT = """\
The functional dimension on a sample is the rank of the Jacobian of all outputs at all points with respect to all
weights and biases, over the rationals. It is not less than the size of a minor that is not 0 (it is shown modulo a
prime), and not more than the number of parameters, less one for each hidden neuron, less n_(l-1) + n_(l+1) for each
that is silent at all points (claim functional-dimension). Every entry of the matrices between ReLU layers is a
parameter, zeros too, those of the output layer included (also if it is the identity): a convolution counts as the dense
layer that it equals, and layers without ReLU between them as their product. With --tied a convolution has the
parameters of its kernel: equal weights of a layer are one parameter, equal biases too, and what is 0 is none. --orbits
N walks N random sign choices of all parameters: how the dimension spreads over the networks with these magnitudes.
When --time is over, the rank of the rows that were seen is said, which the dimension is at least, and of the sign
choices those that are finished; the exit code is 3."""


def add(command: Command) -> None:
    """The arguments of the command."""
    sub = command("dimension", "the functional dimension of a network on a sample, exactly", epilog=ABOUT)
    sub.add_argument("model", metavar="MODEL", help="as for decide: a chain of layers")
    sub.add_argument(
        "--points", metavar="N or FILE", help="so many random points, or a file of points (default: two a parameter)"
    )
    sub.add_argument("--orbits", type=int, metavar="N", help="also of N networks with random signs")
    sub.add_argument("--tied", action="store_true", help="equal weights (biases) of a layer are one parameter")
    sub.add_argument("--seed", type=int, default=0, help="default %(default)s")
    sub.add_argument("--format", choices=("table", "json"), default="table")
    add_time(sub)
    add_reading(sub)
    sub.set_defaults(run=run, nothing=lambda options, reason: {"rank": 0, "complete": False, "reason": reason})


def run(options: argparse.Namespace) -> int:
    """Print the dimension and its certificates."""
    from geomrelu.budget import UNLIMITED
    from geomrelu.errors import InputError
    from geomrelu.geometry.domains import read_domain
    from geomrelu.geometry.polyhedron import FiniteSet
    from geomrelu.network.dimension import functional_dimension, random_points, ranks_of_orbit

    if options.seed < 0 or (options.orbits is not None and options.orbits < 1):
        raise InputError("--seed must not be negative and --orbits positive")
    budget = clock_of(options) or UNLIMITED
    network = model_of(options, options.model)
    if options.points is None or options.points.isdecimal():
        number = None if options.points is None else int(options.points)
        points = random_points(network, number, options.seed, budget)
    else:
        domain = read_domain(options.points, network.inputs, network.reading)
        if not isinstance(domain, FiniteSet):
            raise InputError(f"--points {options.points}: a number, or a file with points")
        points = [list(p) for p in domain.points]
    found = functional_dimension(network, points, options.tied, budget)
    data: dict[str, Any] = found.as_json()
    lines, complete = [str(found)], found.complete
    if options.orbits is not None:
        ranks = ranks_of_orbit(network, points, options.orbits, options.seed, options.tied, budget)
        walked, asked = ranks.total(), options.orbits
        data |= {"orbits": {str(rank): number for rank, number in sorted(ranks.items())}, "walked": walked}
        of = "" if walked == asked else f"{walked:,} of "
        lines.append(f"over {of}{asked:,} random sign choices of the same magnitudes, on the same points:")
        lines += [f"  dimension {rank}: {number:,}" for rank, number in sorted(ranks.items())]
        if walked < asked and complete:
            lines.append(f"Not finished: the time for it, {options.time:.3g} s, is over.")
        complete = complete and walked == asked
    print(json.dumps(data, indent=1) if options.format == "json" else "\n".join(lines))
    return 0 if complete else 3
