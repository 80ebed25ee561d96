"""``geomrelu probability``: events in random networks."""

from __future__ import annotations

import argparse
import json
from typing import Any

from geomrelu.cli.shared import Command, add_reading, add_workers, long_run, model_of, widths_of

__all__ = ["add"]

EVENTS = """\
EVENT is one of
  stably-unactivated  a given neuron of layer 2 (widths n0,n1) is at most 0 on R^n0, also after small changes
  alive               every layer is positive somewhere on the image of DOMAIN
  data-alive          some point of DOMAIN is alive through all layers (figure 1 of Rister & Rubin, with --points)
  killed              all neurons of layer --layer L are dead on DOMAIN
  dead-neurons        exactly --number M neurons are dead, of --layer L if given
A value that is proved is said, and nothing is sampled. Else every orbit is walked exactly, and the interval, which
holds for every law and number of orbits, speaks of orbits; the law must be symmetric about 0 for that. Where orbits
are too large, networks are sampled.
LAW is normal (default), uniform, cauchy, rademacher, rai; a law of scipy.stats, such as laplace or t:3; or what a
framework does by default, weights and biases: pytorch, keras, flax, tensorflow, scikit-learn.
SCALE is the variance of the weights, whatever the law: he 2/fan_in, glorot (xavier) 2/(fan_in + fan_out),
lecun 1/fan_in, none that of the law itself. Biases are drawn like the weights of their layer (--biases same), from the
law without the scale (unscaled), or are zero, as keras, flax and tensorflow have them.
A MODEL, as for decide, gives the shape: its nonzero weights and biases are the parameters, an entry 1 that reads
from before the previous layer is a connection and stays; --tied for convolutions. Without --law its own magnitudes are
one orbit, walked whole. The schemes batch-norm and sign-flip are sampled on --points.
When --time is over, the interval is that of what is finished, and holds whenever that is; the exit code is 3."""


def add(command: Command) -> None:
    """The arguments of the command."""
    sub = command("probability", "the probability of an event in random networks, by sign orbits", epilog=EVENTS)
    sub.add_argument("event", metavar="EVENT")
    sub.add_argument("--widths", metavar="N0,N1,...", help="inputs, then the width of each layer")
    sub.add_argument(
        "--model", metavar="MODEL", help="instead: the shape of this network and, without --law, its sizes"
    )
    sub.add_argument("--tied", action="store_true", help="equal weights (biases) of a layer of MODEL are one parameter")
    sub.add_argument("--law", help="of all parameters, see below")
    sub.add_argument("--scale", default="none", help="none, he, glorot, xavier or lecun")
    sub.add_argument("--biases", help="same, unscaled or zero; default: same, or those of the framework")
    sub.add_argument("--no-bias", action="store_true", help="all biases are 0")
    sub.add_argument("--domain", metavar="DOMAIN", help="as for decide; default R^n")
    sub.add_argument("--points", metavar="N|FILE", help="instead: N standard normal points, or those of a file")
    sub.add_argument("--scheme", default="iid", help="iid, batch-norm or sign-flip: what layers do with the points")
    sub.add_argument("--layer", type=int, metavar="L", help="of killed and dead-neurons")
    sub.add_argument("--number", type=int, metavar="M", help="of dead-neurons")
    sub.add_argument("--orbits", type=int, default=None, metavar="N", help="random magnitudes to walk (default 1000)")
    sub.add_argument("--trials", type=int, metavar="N", help="plain Monte Carlo instead: N networks")
    sub.add_argument("--half-width", type=float, metavar="H", help="plain Monte Carlo until the interval is +-H")
    sub.add_argument("--level", type=float, default=0.95, help="of the interval, default %(default)s")
    sub.add_argument("--format", choices=("table", "json"), default="table")
    sub.add_argument("--all-counts", action="store_true", help="json: how often each count came up, however many")
    add_workers(sub)
    add_reading(sub)
    sub.set_defaults(run=run, nothing=_nothing)


def _nothing(options: argparse.Namespace, reason: str) -> dict[str, Any]:
    """What JSON says where the time is over before the model is read."""
    return {"event": options.event, "estimate": None, "low": 0.0, "high": None, "exact": None, "stopped": reason}


def run(options: argparse.Namespace) -> int:
    """What is proved, or an estimate by orbits or by sampling."""
    from geomrelu.errors import InputError
    from geomrelu.random_networks.experiment import Experiment
    from geomrelu.random_networks.probability import probability

    if sum(v is not None for v in (options.orbits, options.trials, options.half_width)) > 1:
        raise InputError("--orbits walks orbits, --trials and --half-width sample networks: choose one")
    if (options.widths is None) == (options.model is None):
        raise InputError("say the --widths of the networks, or a --model of their shape")
    if options.points is not None and options.domain is not None:
        raise InputError("--points is a domain: say one of --points and --domain")
    if options.no_bias and options.biases not in (None, "zero"):
        raise InputError("--no-bias means --biases zero: say one of them")
    points = options.points
    domain = options.domain or "R^n" if points is None else f"points:{points}" if points.isdecimal() else points
    shape = None
    if options.model is None:
        if options.tied:
            raise InputError("--tied is for --model")
        widths, law = widths_of(options.widths), options.law or "normal"
    else:
        from geomrelu.random_networks.shape import Shape

        if options.no_bias:
            raise InputError("--no-bias is for --widths: a model has the biases that it has")
        network = model_of(options, options.model)
        shape, widths, law = Shape(network, options.tied), (network.inputs, *network.widths), options.law or "own"
        if law == "own" and (options.trials is not None or options.half_width is not None):
            raise InputError("a model's own magnitudes are not random: say a --law to sample")
    experiment = Experiment(
        options.event, widths, law, options.scale, not options.no_bias, domain, options.layer, options.number,
        options.scheme, options.model, options.biases or "same",
    )  # fmt: skip
    with long_run("walking" if options.trials is None else "sampling", options) as running:
        found = probability(
            experiment, options.orbits, options.trials, options.half_width, options.seed, options.level, shape,
            **running,
        )  # fmt: skip
    if options.format == "json":
        print(json.dumps(found.as_json(options.all_counts), indent=1))
    else:
        print(found.as_text())
    return 0 if found.stopped is None else 3
