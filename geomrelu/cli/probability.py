"""``geomrelu probability``: events in random networks."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from geomrelu.cli.shared import Command, add_workers, long_run, widths_of

if TYPE_CHECKING:
    pass

__all__ = ["add"]

EVENTS = """\
EVENT is stably-unactivated (a given neuron of layer 2; widths n0,n1), alive (each layer is positive somewhere on the
image of DOMAIN), killed (--layer L is nowhere positive) or dead-neurons (exactly --number M are dead,
of --layer L if given).
By default every orbit is walked exactly; its interval speaks of orbits. The law must be symmetric about 0 for that.
A MODEL (.onnx, .npz, .json) gives the shape: its nonzero weights and biases are the parameters, an entry 1 that reads
from before the previous layer is a connection and stays; --tied for convolutions. Without --law its own magnitudes are
one orbit, walked whole. The schemes batch-norm and sign-flip are sampled (--trials) on --points."""


def add(command: Command) -> None:
    """The arguments of the command."""
    sub = command("probability", "the probability of an event in random networks, by sign orbits", epilog=EVENTS)
    sub.add_argument("event", metavar="EVENT")
    sub.add_argument("--widths", metavar="N0,N1,...", help="inputs, then the width of each layer")
    sub.add_argument(
        "--model", metavar="MODEL", help="instead: the shape of this network and, without --law, its sizes"
    )
    sub.add_argument("--tied", action="store_true", help="equal weights (biases) of a layer of MODEL are one parameter")
    sub.add_argument("--law", help="normal (default), uniform, cauchy, rademacher, rai, or t:3 as in scipy.stats")
    sub.add_argument("--scale", default="none", help="none, he, glorot, xavier or lecun")
    sub.add_argument("--no-bias", action="store_true", help="all biases are 0")
    sub.add_argument("--domain", metavar="DOMAIN", help="as for decide; default R^n")
    sub.add_argument("--points", metavar="N|FILE", help="instead: N standard normal points, or those of a .json file")
    sub.add_argument("--scheme", default="iid", help="iid, batch-norm or sign-flip: what layers do with the points")
    sub.add_argument("--layer", type=int, metavar="L", help="of killed and dead-neurons")
    sub.add_argument("--number", type=int, metavar="M", help="of dead-neurons")
    sub.add_argument("--orbits", type=int, default=None, metavar="N", help="random magnitudes to walk (default 1000)")
    sub.add_argument("--trials", type=int, metavar="N", help="plain Monte Carlo instead: N networks")
    sub.add_argument("--half-width", type=float, metavar="H", help="plain Monte Carlo until the interval is +-H")
    sub.add_argument("--level", type=float, default=0.95, help="of the interval, default %(default)s")
    sub.add_argument("--format", choices=("table", "json"), default="table")
    add_workers(sub)
    sub.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """By orbits or by sampling."""
    from geomrelu.errors import InputError
    from geomrelu.network.network import Network
    from geomrelu.random_networks.estimate import Experiment, by_orbits, by_sampling
    from geomrelu.random_networks.orbit import Shape

    sampling = options.trials is not None or options.half_width is not None
    if sampling and options.orbits is not None:
        raise InputError("--orbits walks orbits, --trials and --half-width sample networks: choose one")
    if (options.widths is None) == (options.model is None):
        raise InputError("say the --widths of the networks, or a --model of their shape")
    if options.points is not None and options.domain is not None:
        raise InputError("--points is a domain: say one of --points and --domain")
    points = options.points
    domain = options.domain or "R^n" if points is None else f"points:{points}" if points.isdecimal() else points
    shape, orbits = None, 1000 if options.orbits is None else options.orbits
    if options.model is None:
        if options.tied:
            raise InputError("--tied is for --model")
        widths, law = widths_of(options.widths), options.law or "normal"
    else:
        if options.no_bias:
            raise InputError("--no-bias is for --widths: a model has the biases that it has")
        network = Network.from_file(options.model)
        shape, widths, law = Shape(network, options.tied), (network.inputs, *network.widths), options.law or "own"
        if law == "own" and options.orbits is None:
            orbits = 1
    experiment = Experiment(
        options.event, widths, law, options.scale, not options.no_bias, domain, options.layer, options.number,
        options.scheme, options.model,
    )  # fmt: skip
    with long_run("sampling" if sampling else "walking", options) as running:
        if sampling:
            found = by_sampling(experiment, options.trials, options.half_width, options.seed, options.level, **running)
        else:
            found = by_orbits(experiment, orbits, options.seed, options.level, shape=shape, **running)
    if options.format == "json":
        print(json.dumps(found.as_json(), indent=1))
    else:
        print(found.as_text())
    return 0
