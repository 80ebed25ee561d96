"""Pictures of the linear pieces of a network with two inputs.

Each cell of the complex is a pale polygon, another colour than its neighbours; those that are dead are hatched, and
those with room for it bear their codeword, one line of signs a layer. The walls between cells are found from their
common sides and joined into paths, so that the dashes that tell the layers apart run on along a bent line.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geomrelu.arguments import integer
from geomrelu.errors import InputError
from geomrelu.exact.numbers import primitive
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.complex import Cell, Complex
from geomrelu.plots.labels import fitting
from geomrelu.plots.page import (
    GREY,
    HATCHED,
    MOST_LABELS,
    OUTSIDE,
    PALE,
    SILENT,
    SMALLEST,
    Page,
    Panel,
    frame_size,
    many,
    signs_text,
    write,
)
from geomrelu.plots.plane import Point, Signs, View, around, corners, domain_of, in_order, plane_view, within

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Neuron = tuple[int, int]  # layer, neuron
Shown = tuple[Cell, list[Point]]  # a cell, and its polygon in the view

LAYERS: tuple[dict[str, Any], ...] = (  # the walls of layer 1, 2, ...: told apart without colour
    {"color": "#111111", "linewidth": 1.5, "linestyle": "-"},
    {"color": "#a3293d", "linewidth": 1.2, "linestyle": (0, (5, 1.6))},
    {"color": "#1f5fa8", "linewidth": 1.1, "linestyle": (0, (1.2, 1.2))},
    {"color": "#2f7d4f", "linewidth": 1.0, "linestyle": (0, (6, 1.5, 1.2, 1.5))},
)


def plot_complex(complex: Complex, path: str | Path, *, layer: int | None = None, view: Any = None) -> None:
    """Draw the linear pieces of a network with two inputs on its domain, the dead ones hatched.

    Args:
        complex: of a network that reads R^2.
        path: an .svg, .pdf or .png file.
        layer: draw the pieces of layers 1..layer and hatch those on which this layer is silent; None for all layers,
            hatched where the output of the network is constant.
        view: ``((x0, x1), (y0, y1))``; None for all vertices and a margin, or the whole domain if it is bounded.

    Raises:
        InputError: another number of inputs, a flat domain, no such layer, or as :func:`plot_arrangement`.

    Exact: cells and walls, and which of them are dead; rounded to the page only.
    """
    write(path, lambda: complex_figure(complex, layer=layer, view=view))


def complex_figure(complex: Complex, *, layer: int | None = None, view: Any = None) -> Figure:
    """The figure of :func:`plot_complex`, not yet saved."""
    network = complex.network
    if network.inputs != 2:
        raise InputError(f"the network reads R^{network.inputs}: only the pieces of networks on R^2 can be drawn")
    if layer is not None and not 1 <= integer(layer, "layer") <= complex.layers:
        raise InputError(f"layer {layer}: there are ReLU layers 1 to {complex.layers}")
    if layer is None and complex.layers < network.depth:
        layer = complex.layers
    domain = domain_of(complex, 2)
    if layer not in (None, complex.layers):
        complex = Complex(network, domain, layer, complex.budget)
    exact = _cells_view(complex.cells, domain, view)
    shown = _in_view(complex.cells, exact)
    if not shown:
        raise InputError("the view does not meet the domain")
    widths = network.widths[: complex.layers]
    dead = [
        max(cell.sign[-widths[-1] :]) <= 0 if layer is not None else not any(any(row) for row in cell.affine()[0])
        for cell, _ in shown
    ]
    page = Page()
    panel = Panel(exact, 0, 0, *frame_size(exact, 400))
    _draw(page, panel, shown, dead, widths, within(corners(exact), domain.inequalities))
    lettered = len(shown) <= MOST_LABELS and _letter(page, panel, shown, dead, widths)
    page.ticks(panel)
    what = "the network is constant" if layer is None else f"layer {layer} is silent"
    part = "" if view is None else " in view"
    heads = f"{many(len(shown), 'region')}{part}, {what} on {sum(dead)}"
    entries: list[tuple[str, dict[str, Any] | None]] = [
        (f"walls of layer {l}", _wall(l)) for l in range(1, len(widths) + 1)
    ]
    entries.append((what if any(dead) else f"{what} nowhere", None))
    page.legend(panel.right + 18, panel.top - 8, entries)
    right = max(box[2] for box in page.boxes)
    said = heads + ("; signs of the neurons, one line a layer" if lettered and len(widths) > 1 else "")
    page.text((0, min(box[1] for box in page.boxes) - 10), said, 8, ha="left", color=GREY)
    title = f"The linear pieces of a network with widths {', '.join(map(str, (2, *widths)))}"
    return page.finish(panel.left, panel.bottom, right, panel.top, title, f"{title}: {heads}.")


def _in_view(cells: Sequence[Cell], view: View) -> list[Shown]:
    """The cells that meet a view, and their polygons there."""
    (x0, x1), (y0, y1) = view
    sides = [primitive(row) for row in ((-x0, 1, 0), (x1, -1, 0), (-y0, 0, 1), (y1, 0, -1))]
    shown = []
    for cell in cells:
        if cell.rays or cell.lines:
            polygon = within(corners(view), cell.polyhedron.inequalities)
        else:
            polygon = within(in_order(cell.vertices), sides)
        if polygon:
            shown.append((cell, polygon))
    return shown


def _draw(
    page: Page, panel: Panel, shown: Sequence[Shown], dead: Sequence[bool], widths: Sequence[int], whole: list[Point]
) -> None:
    """The cells, the dead ones hatched, the walls, and the domain (``whole``)."""
    neurons = [(l, i) for l, width in enumerate(widths, 1) for i in range(width)]
    walls, neighbours = _walls([cell.sign for cell, _ in shown], [p for _, p in shown], neurons)
    colours = _colours(len(shown), neighbours)
    if set(whole) != set(corners(panel.view)):
        page.polygon(panel.corners, **OUTSIDE)
    for k, (_, polygon) in enumerate(shown):
        spots = [panel.at(p) for p in polygon]
        page.polygon(spots, facecolor=SILENT if dead[k] else colours[k], gid=f"cell-{k}")
        if dead[k]:
            page.polygon(spots, facecolor="none", gid=f"dead-{k}", **HATCHED)
    thin = min(1.0, math.sqrt(60 / len(shown)) + 0.25)
    for (l, i), path in walls:
        style = _wall(l)
        style = style | {"linewidth": style["linewidth"] * thin, "zorder": 3 - l / 1000}
        page.line([panel.at(p) for p in path], gid=f"wall-{l}-{i}", **style)
    page.polygon([panel.at(p) for p in whole], facecolor="none", edgecolor=GREY, linewidth=1.0, zorder=3)
    page.frame(panel, zorder=3)


def _letter(page: Page, panel: Panel, shown: Sequence[Shown], dead: Sequence[bool], widths: Sequence[int]) -> bool:
    """Codewords, one line a layer, in the cells with room for them; is there such a cell?"""
    ends, lettered = list(accumulate(widths)), False
    for k, (cell, polygon) in enumerate(shown):
        text = "\n".join(signs_text(cell.sign[end - width : end]) for end, width in zip(ends, widths, strict=True))
        size, spot = fitting([panel.at(p) for p in polygon], *page.measure(text, 10), 9.0, pad=3.0)
        if size >= SMALLEST:
            lettered = True
            halo = {"boxstyle": "square,pad=0.1", "facecolor": SILENT, "edgecolor": "none"} if dead[k] else None
            page.text(spot, text, size, gid=f"codeword-{k}", zorder=4, linespacing=1.0, bbox=halo)
    return lettered


def _wall(layer: int) -> dict[str, Any]:
    return LAYERS[(layer - 1) % len(LAYERS)]


def _cells_view(cells: Sequence[Any], domain: Polyhedron, view: Any) -> View:
    if view is not None or domain.is_bounded:
        return plane_view(view, [], domain)
    points = sorted({v for cell in cells for v in cell.vertices})
    return around(points or [domain.interior_point()], Fraction(1, 5))


def _walls(
    signs: Sequence[Signs], polygons: Sequence[Sequence[Point]], neurons: Sequence[Neuron]
) -> tuple[list[tuple[Neuron, list[Point]]], list[tuple[int, int]]]:
    """The walls as paths, each with the first neuron whose sign changes there; and which polygons are neighbours."""
    sides: dict[frozenset[Point], list[int]] = {}
    for k, polygon in enumerate(polygons):
        for p, q in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
            sides.setdefault(frozenset((p, q)), []).append(k)
    parts: dict[Neuron, dict[Point, list[Point]]] = {}
    neighbours = []
    for (p, q), owners in ((sorted(side), owners) for side, owners in sides.items() if len(owners) == 2):
        neighbours.append((owners[0], owners[1]))
        first, second = signs[owners[0]], signs[owners[1]]
        neuron = next(n for n, s, t in zip(neurons, first, second, strict=True) if s != t)
        ends = parts.setdefault(neuron, {})
        ends.setdefault(p, []).append(q)
        ends.setdefault(q, []).append(p)
    paths = []
    for neuron, ends in sorted(parts.items(), reverse=True):  # the first layer on top
        for start in sorted(ends, key=lambda p: (len(ends[p]) == 2, p)):  # open ends first, then closed curves
            while ends[start]:
                path = [start]
                while ends[path[-1]]:
                    following = ends[path[-1]].pop()
                    ends[following].remove(path[-1])
                    path.append(following)
                paths.append((neuron, path))
    return paths, neighbours


def _colours(count: int, neighbours: Sequence[tuple[int, int]]) -> list[str]:
    """A pale colour for each cell, another one for its neighbours."""
    import networkx

    graph = networkx.Graph()
    graph.add_nodes_from(range(count))
    graph.add_edges_from(neighbours)
    found = networkx.greedy_color(graph, strategy="largest_first")
    return [PALE[found[k] % len(PALE)] for k in range(count)]
