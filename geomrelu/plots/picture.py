"""Pictures that show themselves in a notebook, and are saved by one word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from os import PathLike
from typing import TYPE_CHECKING, Any

from geomrelu.arguments import filename
from geomrelu.deadness.report import Report
from geomrelu.errors import InputError
from geomrelu.geometry.arrangement import Arrangement
from geomrelu.geometry.domains import as_domain
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.complex import Complex
from geomrelu.network.front_door import as_network
from geomrelu.plots.arrangement import arrangement_figure
from geomrelu.plots.complex import complex_figure
from geomrelu.plots.page import rendered, write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Picture", "plot"]


@dataclass(frozen=True)
class Picture:
    """A picture, drawn when it is looked at: a notebook shows it, :meth:`save` writes it.

    Attributes:
        draw: makes the figure.
    """

    draw: Callable[[], Figure]

    @cached_property
    def svg(self) -> str:
        """The picture as SVG text."""
        return rendered(".svg", self.draw).decode()

    def save(self, path: str | PathLike[str]) -> None:
        """Write it to a path that ends in .svg, .pdf or .png.

        Raises:
            InputError: another ending, or a file that cannot be written.
        """
        write(filename(path, "a picture's file"), self.draw)

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return "<a picture: .save('picture.svg') writes it, a notebook shows it>"


def plot(thing: Any, domain: Any = None, **how: Any) -> Picture:
    """Draw an arrangement of lines, or the linear pieces of a network with two inputs, the dead ones hatched.

    Args:
        thing: an :class:`Arrangement` in R^2 or R^1, a :class:`Complex`, a :class:`Report`, or any network (see
            :func:`geomrelu.network.front_door.as_network`).
        domain: of a network: where its pieces are drawn, as for ``decide``; None: everywhere.
        how: ``view``, and ``labels`` of an arrangement or ``layer`` of a network: see
            :func:`geomrelu.plots.plot_arrangement` and :func:`geomrelu.plots.plot_complex`.

    Raises:
        InputError: what cannot be drawn. At once.

    Exact: regions and vertices; rounded to the page only.

    Method: the cells are cut exactly; labels go where they have room. Cost: linear in the regions in view.

    Source: Brownlowe et al., figures 2 to 4, for codewords and coorientation as they are drawn.

    >>> "<svg" in plot(Arrangement([[1, 0], [0, 1]], [0, 0])).svg
    True
    """
    if unknown := how.keys() - {"view", "labels" if isinstance(thing, Arrangement) else "layer"}:
        raise InputError(
            f"{min(unknown)} is no way to draw it: there are view, labels (arrangements), layer (networks)"
        )
    if isinstance(thing, Arrangement):
        if domain is not None:
            raise InputError("an arrangement has its own domain: Arrangement(A, b, domain)")
        arrangement_figure(thing, **how)  # what cannot be drawn is refused now
        return Picture(partial(arrangement_figure, thing, **how))
    if isinstance(thing, Report):
        thing, domain = thing.network, thing.domain if domain is None else domain
    pieces = thing if isinstance(thing, Complex) else _complex(thing, domain)
    complex_figure(pieces, **how)
    return Picture(partial(complex_figure, pieces, **how))


def _complex(model: Any, domain: Any) -> Complex:
    network = as_network(model)
    if domain is None:
        return Complex(network)
    where = as_domain(domain, network.inputs, network.reading)
    if not isinstance(where, Polyhedron):
        raise InputError("pieces are drawn on a polyhedron, not on points, an ellipsoid or a union")
    return Complex(network, where)
