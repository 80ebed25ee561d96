"""``geomrelu zeros``: where neurons are 0 on a line, and how often over all sign choices."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from geomrelu.cli.shared import Command, add_reading, model_of

if TYPE_CHECKING:
    from fractions import Fraction

    from geomrelu.network.network import Network

__all__ = ["add"]

ABOUT = """\
The line is x + t d: --line holds the coordinates of x and then those of d, 2 n numbers for n inputs, as
--line=0,0,1,1/2. With --orbit the mean number of zeros over sign choices (the flips of the rows of layer 1 and the
signs of all later parameters before and in the neuron), and beside it pi = (1 - 2^-n1) (1 - 2^-n2) ... over the layers
before it: they are equal for generic magnitudes (claim zeros-on-a-line)."""


def add(command: Command) -> None:
    """The arguments of the command."""
    sub = command("zeros", "where neurons are 0 on a line, exactly", epilog=ABOUT)
    sub.add_argument("model", metavar="MODEL", help="as for decide")
    sub.add_argument("--line", required=True, metavar="X,D", help="a point and a direction")
    sub.add_argument("--layer", type=int, metavar="L", help="from 1; one more than there are ReLU layers: the outputs")
    sub.add_argument("--neuron", type=int, metavar="I", help="only this neuron (from 0)")
    sub.add_argument("--orbit", action="store_true", help="the mean over sign choices, and pi")
    sub.add_argument("--format", choices=("table", "json"), default="table")
    add_reading(sub)
    sub.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the zeros of each neuron."""
    from geomrelu.errors import InputError
    from geomrelu.network.lines import Vanishes, zeros_on_line

    network = model_of(options, options.model)
    point, direction = _line(options.line, network.inputs)
    sizes = [*network.widths, *([network.output.outputs] if network.output else [])]
    layer = len(sizes) if options.layer is None else options.layer
    if not 1 <= layer <= len(sizes):
        raise InputError(f"--layer {layer}: the network has {len(sizes)} layers, the outputs included")
    neurons = range(sizes[layer - 1]) if options.neuron is None else [options.neuron]
    found = []
    for neuron in neurons:
        zeros = zeros_on_line(network, layer, neuron, point, direction)
        entry: dict[str, Any] = {
            "layer": layer,
            "neuron": neuron,
            "zeros": [str(t) for t in zeros.at],
            "flat": [[None if t is None else str(t) for t in ends] for ends in zeros.flat],
        }
        lines = [f"layer {layer}, neuron {neuron}: {zeros}"]
        if options.orbit:
            try:
                more = _orbit(network, layer, neuron, point, direction)
            except Vanishes as problem:
                more = {"mean": None, "reason": str(problem)}
                lines.append(f"  no mean: {problem}")
            else:
                generic = more["mean"] == more["pi"]
                equal = "equal, as for generic magnitudes" if generic else "the magnitudes are not generic"
                lines.append(f"  {more['total']:,} zeros in {more['choices']:,} sign choices: mean {more['mean']}")
                lines.append(f"  pi = {more['pi']}: {equal}")
            entry |= more
        found.append(entry)
        if options.format == "table":
            print("\n".join(lines))
    if options.format == "json":
        print(json.dumps(found, indent=1))
    return 0


def _line(text: str, inputs: int) -> tuple[Sequence[Fraction], Sequence[Fraction]]:
    from geomrelu.errors import InputError
    from geomrelu.exact.numbers import rationals

    numbers = rationals([part.strip() for part in text.split(",")], "--line")
    if len(numbers) != 2 * inputs:
        raise InputError(f"--line {text}: the model reads R^{inputs}, so a line has {2 * inputs} numbers, x and then d")
    return numbers[:inputs], numbers[inputs:]


def _orbit(network: Network, layer: int, neuron: int, point: Any, direction: Any) -> dict[str, Any]:
    from fractions import Fraction

    from geomrelu.network.dimension import dense_layers
    from geomrelu.network.lines import zeros_orbit
    from geomrelu.random_networks.closed_forms import zeros_on_a_line

    layers = dense_layers(network)[:layer]
    weights, bias = layers[-1]
    total, choices = zeros_orbit([*layers[:-1], ([weights[neuron]], [bias[neuron]])], point, direction)
    widths = network.widths[: layer - 1]
    return {
        "total": total,
        "choices": choices,
        "mean": str(Fraction(total, choices)),
        "pi": str(zeros_on_a_line(*widths)),
    }
