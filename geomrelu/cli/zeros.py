"""``geomrelu zeros``: where neurons are 0 on a line, and how often over all sign choices."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from geomrelu.cli.shared import Command, add_reading, add_time, clock_of, complain, model_of

if TYPE_CHECKING:
    from fractions import Fraction

    from geomrelu.budget import Budget
    from geomrelu.network.lines import Zeros
    from geomrelu.network.network import Network

__all__ = ["add"]

ABOUT = """\
The line is x + t d: --line holds the coordinates of x and then those of d, 2 n numbers for n inputs, as
--line=0,0,1,1/2. With --orbit the mean number of zeros over sign choices (the flips of the rows of layer 1 and the
signs of all later parameters before and in the neuron), and beside it pi = (1 - 2^-n1) (1 - 2^-n2) ... over the layers
before it: they are equal for generic magnitudes (claim zeros-on-a-line). When --time is over, what is finished is
said, and the exit code is 3."""


def add(command: Command) -> None:
    """The arguments of the command."""
    sub = command("zeros", "where neurons are 0 on a line, exactly", epilog=ABOUT)
    sub.add_argument("model", metavar="MODEL", help="as for decide")
    sub.add_argument("--line", required=True, metavar="X,D", help="a point and a direction")
    sub.add_argument("--layer", type=int, metavar="L", help="from 1; one more than there are ReLU layers: the outputs")
    sub.add_argument("--neuron", type=int, metavar="I", help="only this neuron (from 0)")
    sub.add_argument("--orbit", action="store_true", help="the mean over sign choices, and pi")
    sub.add_argument("--format", choices=("table", "json"), default="table")
    add_time(sub)
    add_reading(sub)
    sub.set_defaults(run=run, nothing=lambda options, reason: [])


def run(options: argparse.Namespace) -> int:
    """Print the zeros of each neuron."""
    from geomrelu.budget import UNLIMITED, Exhausted
    from geomrelu.errors import InputError
    from geomrelu.network.lines import check_signs, zeros_of_neurons

    budget = clock_of(options) or UNLIMITED
    network = model_of(options, options.model)
    point, direction = _line(options.line, network.inputs)
    sizes = [*network.widths, *([network.output.outputs] if network.output else [])]
    layer = len(sizes) if options.layer is None else options.layer
    if not 1 <= layer <= len(sizes):
        raise InputError(f"--layer {layer}: the network has {len(sizes)} layers, the outputs included")
    neurons = range(sizes[layer - 1]) if options.neuron is None else [options.neuron]
    if options.orbit:
        check_signs(network.widths[: layer - 1])
    found: list[Zeros] = []
    end = ""
    try:
        for zeros in zeros_of_neurons(network, layer, neurons, point, direction, budget):
            found.append(zeros)
    except Exhausted as reason:
        end = f"{reason}: the zeros of {len(found):,} of {len(neurons):,} neurons are known"
    entries, means = [], 0
    for neuron, zeros in zip(neurons, found, strict=False):
        entry = {
            "layer": layer,
            "neuron": neuron,
            "zeros": [str(t) for t in zeros.at],
            "flat": [[None if t is None else str(t) for t in ends] for ends in zeros.flat],
        }
        if options.format == "table":
            print(f"layer {layer}, neuron {neuron}: {zeros}")
        if options.orbit:
            try:
                more, lines = _orbit(network, layer, neuron, point, direction, budget)
            except Exhausted as reason:
                end = end or f"{reason}: the means of {means:,} of {len(neurons):,} neurons are known"
                more, lines = {"mean": None, "reason": str(reason)}, [f"no mean: {reason}"]
            else:
                means += 1
            entry |= more
            if options.format == "table":
                print("\n".join(f"  {line}" for line in lines))
        entries.append(entry)
    if options.format == "json":
        print(json.dumps(entries, indent=1))
    if end:
        complain(end)
    return 3 if end else 0


def _line(text: str, inputs: int) -> tuple[Sequence[Fraction], Sequence[Fraction]]:
    from geomrelu.errors import InputError
    from geomrelu.exact.numbers import rationals

    numbers = rationals([part.strip() for part in text.split(",")], "--line")
    if len(numbers) != 2 * inputs:
        raise InputError(f"--line {text}: the model reads R^{inputs}, so a line has {2 * inputs} numbers, x and then d")
    return numbers[:inputs], numbers[inputs:]


def _orbit(
    network: Network, layer: int, neuron: int, point: Any, direction: Any, budget: Budget
) -> tuple[dict[str, Any], list[str]]:
    """The mean over sign choices: as data, and in words."""
    from fractions import Fraction

    from geomrelu.network.dimension import dense_layers
    from geomrelu.network.lines import Vanishes, zeros_orbit
    from geomrelu.random_networks.closed_forms import zeros_on_a_line

    layers = dense_layers(network)[:layer]
    weights, bias = layers[-1]
    own = [*layers[:-1], ([weights[neuron]], [bias[neuron]])]
    try:
        total, choices = zeros_orbit(own, point, direction, budget=budget)
    except Vanishes as problem:
        return {"mean": None, "reason": str(problem)}, [f"no mean: {problem}"]
    mean, pi = Fraction(total, choices), zeros_on_a_line(*network.widths[: layer - 1])
    equal = "equal, as for generic magnitudes" if str(mean) == str(pi) else "the magnitudes are not generic"
    data = {"total": total, "choices": choices, "mean": str(mean), "pi": str(pi)}
    return data, [f"{total:,} zeros in {choices:,} sign choices: mean {mean}", f"pi = {pi}: {equal}"]
