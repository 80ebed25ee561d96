"""``geomrelu plot``: pictures of arrangements, complexes and images."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from geomrelu.cli.shared import (
    REGIONS,
    Command,
    add_reading,
    add_time,
    arrangement_on,
    clock_of,
    complain,
    is_arrangement,
    network_on,
    polyhedron_of,
)

if TYPE_CHECKING:
    from fractions import Fraction


__all__ = ["add"]

ABOUT = f"""\
{REGIONS}
When --time is over, nothing is drawn and no file is touched; the exit code is 3."""


def add(command: Command) -> None:
    """The arguments of the command."""
    sub = command("plot", "draw an arrangement, the complex of a network, or a first layer's image", epilog=ABOUT)
    sub.add_argument("what", choices=("arrangement", "complex", "image"))
    sub.add_argument("file", nargs="?", metavar="FILE")
    sub.add_argument("-o", "--output", required=True, metavar="OUTPUT", help=".svg, .png or .pdf")
    sub.add_argument("--domain", metavar="DOMAIN", help="draw only this polyhedron (default: all of R^n)")
    sub.add_argument("--layer", type=int, metavar="L", help="complex: layers 1 to L, and where layer L is silent")
    sub.add_argument("--missing", metavar="SIGNS", help="image: three lines without this codeword, as --missing=+--")
    sub.add_argument(
        "--view", metavar="X0,X1,Y0,Y1", help="arrangement, complex: draw this rectangle, as --view=-1,1,0,1/2"
    )
    add_time(sub, None)
    add_reading(sub)
    sub.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Draw."""
    from geomrelu.budget import Exhausted
    from geomrelu.errors import InputError
    from geomrelu.io import files
    from geomrelu.parallel import apart
    from geomrelu.plots.page import kind_of

    if options.missing is not None and options.what != "image":
        raise InputError("--missing is for images")
    if options.layer is not None and options.what != "complex":
        raise InputError("--layer is for complexes")
    if options.view is not None and options.what == "image":
        raise InputError("--view is for arrangements and complexes")
    if (options.file is None) == (options.missing is None):
        raise InputError("give a FILE" + (" or --missing SIGNS, one of them" if options.what == "image" else ""))
    kind_of(options.output)
    budget = clock_of(options)
    try:  # what draws looks at no clock
        picture = _picture(options) if budget is None else apart(budget, _picture, options)
    except Exhausted as end:
        complain(f"{end}: {options.output} is not written")
        return 3
    files.write(options.output, picture)
    print(f"wrote {options.output}")
    return 0


def _picture(options: argparse.Namespace) -> bytes:
    """What the file is to hold."""
    from geomrelu.geometry.arrangement import Arrangement
    from geomrelu.network.complex import Complex
    from geomrelu.network.network import Network
    from geomrelu.plots import first_layer_missing
    from geomrelu.plots.arrangement import arrangement_figure
    from geomrelu.plots.complex import complex_figure
    from geomrelu.plots.image import image_figure
    from geomrelu.plots.page import kind_of, rendered

    kind, view = kind_of(options.output), None if options.view is None else _view(options.view)
    if options.what == "arrangement":
        plain = is_arrangement(options.file)
        arrangement = arrangement_on(options) if plain else Arrangement.of_layer(*network_on(options))
        return rendered(kind, lambda: arrangement_figure(arrangement, view=view))
    if options.missing is not None:
        first = Network.from_layers([(*first_layer_missing(options.missing), "relu")])
        pieces = Complex(first, polyhedron_of(options.domain or "R^n", 2))
    else:
        pieces = Complex(*network_on(options))
    if options.what == "complex":
        return rendered(kind, lambda: complex_figure(pieces, layer=options.layer, view=view))
    return rendered(kind, lambda: image_figure(pieces))


def _view(text: str) -> list[tuple[Fraction, ...]]:
    from geomrelu.errors import InputError
    from geomrelu.exact.numbers import rational

    ends = [rational(v, "--view") for v in text.split(",")]
    if len(ends) not in (2, 4):
        raise InputError("--view is X0,X1,Y0,Y1, or X0,X1 on a line")
    return [(low, high) for low, high in zip(ends[::2], ends[1::2], strict=True)]
