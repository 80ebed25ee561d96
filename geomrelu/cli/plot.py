"""``geomrelu plot``: pictures of arrangements, complexes and images."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from geomrelu.cli.shared import REGIONS, Command, add_reading, arrangement_on, is_arrangement, network_on, polyhedron_of

if TYPE_CHECKING:
    from fractions import Fraction


__all__ = ["add"]


def add(command: Command) -> None:
    """The arguments of the command."""
    sub = command("plot", "draw an arrangement, the complex of a network, or a first layer's image", epilog=REGIONS)
    sub.add_argument("what", choices=("arrangement", "complex", "image"))
    sub.add_argument("file", nargs="?", metavar="FILE")
    sub.add_argument("-o", "--output", required=True, metavar="OUTPUT", help=".svg, .png or .pdf")
    sub.add_argument("--domain", metavar="DOMAIN", help="draw only this polyhedron (default: all of R^n)")
    sub.add_argument("--layer", type=int, metavar="L", help="complex: layers 1 to L, and where layer L is silent")
    sub.add_argument("--missing", metavar="SIGNS", help="image: three lines without this codeword, as --missing=+--")
    sub.add_argument(
        "--view", metavar="X0,X1,Y0,Y1", help="arrangement, complex: draw this rectangle, as --view=-1,1,0,1/2"
    )
    add_reading(sub)
    sub.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Draw."""
    from geomrelu import plots
    from geomrelu.errors import InputError
    from geomrelu.geometry.arrangement import Arrangement
    from geomrelu.network.complex import Complex
    from geomrelu.network.network import Network

    if options.missing is not None and options.what != "image":
        raise InputError("--missing is for images")
    if options.layer is not None and options.what != "complex":
        raise InputError("--layer is for complexes")
    if options.view is not None and options.what == "image":
        raise InputError("--view is for arrangements and complexes")
    if (options.file is None) == (options.missing is None):
        raise InputError("give a FILE" + (" or --missing SIGNS, one of them" if options.what == "image" else ""))
    view = None if options.view is None else _view(options.view)
    if options.what == "arrangement":
        if is_arrangement(options.file):
            arrangement = arrangement_on(options)
        else:
            arrangement = Arrangement.of_layer(*network_on(options))
        plots.plot_arrangement(arrangement, options.output, view=view)
    elif options.missing is not None:
        first = Network.from_layers([(*plots.first_layer_missing(options.missing), "relu")])
        plots.plot_image(Complex(first, polyhedron_of(options.domain or "R^n", 2)), options.output)
    else:
        pieces = Complex(*network_on(options))
        if options.what == "complex":
            plots.plot_complex(pieces, options.output, layer=options.layer, view=view)
        else:
            plots.plot_image(pieces, options.output)
    print(f"wrote {options.output}")
    return 0


def _view(text: str) -> list[tuple[Fraction, ...]]:
    from geomrelu.errors import InputError
    from geomrelu.exact.numbers import rational

    ends = [rational(v, "--view") for v in text.split(",")]
    if len(ends) not in (2, 4):
        raise InputError("--view is X0,X1,Y0,Y1, or X0,X1 on a line")
    return [(low, high) for low, high in zip(ends[::2], ends[1::2], strict=True)]
