"""``geomrelu dimension``: in how many directions the parameters of a network move its values on data."""

from __future__ import annotations

import argparse
import json
from typing import Any

from geomrelu.cli.shared import Command, add_reading, model_of

__all__ = ["add"]

ABOUT = """\
The functional dimension on a sample is the rank of the Jacobian of all outputs at all points with respect to all
weights and biases, over the rationals. It is not less than the size of a minor that is not 0 (it is shown modulo a
prime), and not more than the number of parameters, less one for each hidden neuron, less n_(l-1) + n_(l+1) for each
that is silent at all points (claim functional-dimension). Every entry of the matrices between ReLU layers is a
parameter, zeros too: a convolution counts as the dense layer that it equals, layers without ReLU between them as their
product, and an output layer that changes nothing (the identity, without biases) as none. With --tied it has the
parameters of its kernel: equal weights of a layer are one parameter, equal biases too, and what is 0 is none. --orbits
N walks N random sign choices of all parameters: how the dimension spreads over the networks with these magnitudes."""


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
    add_reading(sub)
    sub.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the dimension and its certificates."""
    from geomrelu.errors import InputError
    from geomrelu.geometry.domains import read_domain
    from geomrelu.geometry.polyhedron import FiniteSet
    from geomrelu.network.dimension import functional_dimension, random_points, ranks_of_orbit

    if options.seed < 0 or (options.orbits is not None and options.orbits < 1):
        raise InputError("--seed must not be negative and --orbits positive")
    network = model_of(options, options.model)
    if options.points is None or options.points.isdecimal():
        points = random_points(network, None if options.points is None else int(options.points), options.seed)
    else:
        domain = read_domain(options.points, network.inputs, network.reading)
        if not isinstance(domain, FiniteSet):
            raise InputError(f"--points {options.points}: a number, or a file with points")
        points = [list(p) for p in domain.points]
    found = functional_dimension(network, points, options.tied)
    data: dict[str, Any] = found.as_json()
    if options.orbits is not None:
        ranks = ranks_of_orbit(network, points, options.orbits, options.seed, options.tied)
        data["orbits"] = {str(rank): number for rank, number in sorted(ranks.items())}
    if options.format == "json":
        print(json.dumps(data, indent=1))
        return 0
    print(found)
    if options.orbits is not None:
        print(f"over {options.orbits:,} random sign choices of the same magnitudes, on the same points:")
        print("\n".join(f"  dimension {rank}: {number:,}" for rank, number in sorted(ranks.items())))
    return 0
