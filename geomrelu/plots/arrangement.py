"""Pictures of cooriented arrangements: lines in the plane, or points on a line.

:func:`arrangement_figure` lays the page out: one large panel, up to four close-ups beside it, lists, and a few lines of
text below. A :class:`Picture` is what the panels have in common. It draws the regions of a view, the lines with their
names at the frame and arrows to their positive sides, and letters the regions: with its codeword where there is room,
else with a number that is explained beside the panel, else the region waits for the close-up that
:meth:`Picture.closest` proposes, or for the list of those too thin to letter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.cddlib import Row
from geomrelu.geometry.arrangement import Arrangement
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.plots.labels import arrow_place, at_frame, beside, clearance, fitting, spread
from geomrelu.plots.page import (
    GREY,
    MOST_LABELS,
    OUTSIDE,
    SILENT,
    SMALLEST,
    Box,
    Page,
    Panel,
    Spot,
    check_drawable,
    frame_size,
    many,
    number_texts,
    signs_text,
    write,
)
from geomrelu.plots.plane import (
    Point,
    Signs,
    View,
    around,
    chord,
    corners,
    distinct_lines,
    domain_of,
    plane_view,
    read_view,
    regions_in,
    value_at,
    within,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAROON = "#7a1f2e"  # numbers of regions and close-ups


def plot_arrangement(
    arrangement: Arrangement, path: str | Path, *, labels: bool | None = None, view: Any = None
) -> None:
    """Draw a cooriented arrangement of lines with the codewords of its regions (points on a line for n = 1).

    Args:
        arrangement: in R^2 or R^1.
        path: an .svg, .pdf or .png file.
        labels: write codewords; None for "if there are at most 60 regions".
        view: ``((x0, x1), (y0, y1))``, or ``(x0, x1)`` in R^1; None for all vertices and a margin.

    Raises:
        InputError: another dimension, an empty view, another kind of file, or a file that cannot be written.

    Exact: regions and vertices; rounded to the page only.
    """
    write(path, lambda: arrangement_figure(arrangement, labels=labels, view=view))


def arrangement_figure(arrangement: Arrangement, *, labels: bool | None = None, view: Any = None) -> Figure:
    """The figure of :func:`plot_arrangement`, not yet saved."""
    rows, domain = [tuple(r) for r in arrangement.rows], domain_of(arrangement, arrangement.dimension)
    if arrangement.dimension == 1:
        return _line_figure(rows, domain, labels, view)
    if arrangement.dimension != 2:
        raise InputError(f"an arrangement in R^{arrangement.dimension} cannot be drawn: only R^1 and R^2 can")
    exact = plane_view(view, rows, domain)
    count = len(regions_in(within(corners(exact), domain.inequalities), rows))
    if not count:
        raise InputError("the view does not meet the domain")
    page = Page()
    width, height = frame_size(exact, 400)
    main = Panel(exact, 0, 0, width, height)
    picture = Picture(page, rows, domain)
    lettered = labels if labels is not None else count <= MOST_LABELS
    picture.draw(main, lettered)
    box, left, lowest = picture.box, picture.box[2] + 16, picture.box[1]
    if lettered:
        right, top = left, main.top
        gutter = 20 + max((page.measure(_name(members), 10)[0] for members in picture.lines.values()), default=0.0)
        for letter in "ABCD":
            close = picture.closest()
            if close is None:
                break
            parent, near = close
            if letter == "C":  # a second column
                left, top = right, main.top
            width, height = frame_size(near, 170)
            picture.mark(parent, near, letter)
            panel = Panel(near, left + gutter, top - 38 - height, width, height)
            picture.draw(panel, True, letter)
            page.text((panel.left + width / 2, top - 4), f"close-up {letter}", 9, weight="bold")
            right, top = max(right, picture.box[2] + 16), picture.box[1] - 16
        left, lowest = right, min(lowest, top)
        if picture.numbered:
            left = page.column(left, main.top, "codewords", picture.numbers()) + 16
        if picture.unlettered:
            thin = [signs_text(s) for s in picture.unlettered]
            more = [f"and {len(thin) - MOST_LABELS} more"] if len(thin) > MOST_LABELS else []
            page.column(left, main.top, "too thin to letter", thin[:MOST_LABELS] + more)
    lines = many(len(picture.lines), "line")
    says = [
        f"{lines}, {many(count, 'region')}"
        + (" in view" if view is not None else "")
        + ("; arrows point to the positive sides" if picture.lines else "")
    ]
    if picture.silent:
        says[0] += "; grey: no neuron is positive"
    says += [_constant(i, row) for i, row in enumerate(rows) if not any(row[1:])]
    if not main.equal:
        says.append("The axes are not on the same scale.")
    says.append(_sides(exact))
    below = lowest - 14
    for line in says:
        page.text((0, below), line, 8, ha="left", color=GREY)
        below -= 12
    title = f"An arrangement of {lines} in the plane"
    found = ", ".join(signs_text(s) for s in picture.seen) if lettered else "not written"
    return page.finish(*box, title, f"{title} with {many(count, 'region')}. Codewords: {found}.")


def _name(rows: Sequence[int]) -> str:
    return "$" + " = ".join(f"H_{{{i + 1}}}" for i in rows) + "$"


def _constant(i: int, row: Row) -> str:
    return f"{_name([i])} is constant: sign {signs_text(row[:1])} everywhere"


def _sides(view: View) -> str:
    shown = [number_texts([float(low), float(high)]) for low, high in view]
    return "; ".join(f"$x_{j}$ from {low} to {high}" for j, (low, high) in enumerate(shown, 1))


class Picture:
    """An arrangement on a page: regions, lines with their coorientation, codewords; in one or more panels.

    Attributes:
        lines: the distinct lines, and which rows they are.
        seen: the regions lettered so far, in any way.
        numbered: those that bear a number instead of a codeword.
        unlettered: those that could bear neither yet, and where they are.
        silent: whether a region is grey, no neuron being active there.
        obstacles: the lines and the arrows of each panel.
        box: around the panel drawn last, with its frame labels.
    """

    def __init__(
        self, page: Page, rows: Sequence[Row], domain: Polyhedron, fills: Mapping[Signs, str] | None = None
    ) -> None:
        self.page, self.rows, self.domain, self.fills = page, rows, domain, fills or {}
        self.lines = distinct_lines(rows)
        self.numbered: list[Signs] = []
        self.unlettered: dict[Signs, tuple[Panel, list[Point], Box]] = {}
        self.seen: list[Signs] = []
        self.silent = False
        self.obstacles: dict[Panel, tuple[list[tuple[Spot, Spot]], list[Box]]] = {}
        self.box: Box = (0, 0, 0, 0)

    def draw(self, panel: Panel, lettered: bool, close_up: str = "") -> None:
        """Draw a view; in a close-up the regions are lettered again."""
        page, view = self.page, corners(panel.view)
        first = len(page.boxes)
        whole = within(view, self.domain.inequalities)
        if partly := set(whole) != set(view):
            page.polygon(panel.corners, **OUTSIDE)
            page.polygon([panel.at(p) for p in whole], facecolor="white", edgecolor=GREY, linewidth=0.8)
        regions = regions_in(whole, self.rows)
        for signs, polygon in regions:
            dark = bool(self.rows) and max(signs) <= 0
            fill = self.fills.get(signs, SILENT if dark else "white")
            self.silent |= dark and not self.fills
            page.polygon([panel.at(p) for p in polygon], facecolor=fill, gid=f"region-{signs_text(signs)}")
        page.frame(panel)
        spans: dict[Row, tuple[Spot, Spot]] = {}
        for row, members in self.lines.items():
            if partly and (ends := chord(view, row)):
                page.line([panel.at(p) for p in ends], color="#b5b5b5", linewidth=0.7, linestyle=(0, (4, 3)), zorder=2)
            if ends := chord(whole, row):
                spans[row] = panel.at(ends[0]), panel.at(ends[1])
                page.line(spans[row], linewidth=1.2, gid=f"line-{members[0] + 1}", zorder=2)
        self.obstacles[panel] = list(spans.values()), []
        if lettered:
            self._letter(panel, regions, close_up)
        if len(self.lines) <= MOST_LABELS:
            self._coorient(panel, spans, page.boxes[first:])
            self._frame_labels(panel)
        frame = (panel.left, panel.bottom, panel.right, panel.top)
        edges = list(zip(*page.boxes[first:], frame, strict=True))
        self.box = min(edges[0]), min(edges[1]), max(edges[2]), max(edges[3])

    def _letter(self, panel: Panel, regions: Sequence[tuple[Signs, list[Point]]], close_up: str) -> None:
        """Codewords, or numbers, where they fit; the regions with room for neither are put on the list."""
        for signs, polygon in regions:
            first = signs not in self.seen
            if first:
                self.seen.append(signs)
            known = signs in self.numbered
            number = f"{self.numbered.index(signs) + 1 if known else len(self.numbered) + 1}"
            spots = [panel.at(p) for p in polygon]
            box = min(x for x, _ in spots), min(y for _, y in spots), max(x for x, _ in spots), max(y for _, y in spots)
            for text, largest, smallest, style in (
                (signs_text(signs), 11.0, SMALLEST, {}),
                (number, 8.0, 6.0, {"color": MAROON, "weight": "bold"}),
            ):
                width, height = self.page.measure(text.replace("−", "+").replace("0", "+"), 10)
                if 10 * (box[2] - box[0]) < smallest * width or 10 * (box[3] - box[1]) < smallest * height:
                    continue
                size, spot = fitting(spots, width * 1.1, height, largest)
                if size < smallest:
                    continue
                if text is number:
                    if not (first or known or signs in self.unlettered):
                        break  # its codeword stands in the panel around this one
                    if not known:
                        self.numbered.append(signs)
                self.page.text(spot, text, size, gid=f"codeword-{close_up}{signs_text(signs)}", zorder=4, **style)
                self.unlettered.pop(signs, None)
                break
            else:
                if first or signs in self.unlettered:
                    self.unlettered[signs] = panel, polygon, box

    def _coorient(self, panel: Panel, spans: dict[Row, tuple[Spot, Spot]], boxes: Sequence[Box]) -> None:
        """An arrow near each end of each line, on its positive side, where it is clear of everything."""
        taken = list(boxes)
        for row, (start, end) in spans.items():
            others = [s for r, s in spans.items() if r != row]
            walls = list(zip(panel.corners, [*panel.corners[1:], panel.corners[0]], strict=True))
            segments = np.array([*others, *walls])
            leads = {next(a for a in self.rows[i][1:] if a) > 0 for i in self.lines[row]}
            u, v = panel.gradient(row)
            length = math.dist(start, end)
            for turn in (1 if lead else -1 for lead in sorted(leads)):
                away = (turn * u, turn * v)
                for half in (0, 1):
                    room, spot = arrow_place(panel, start, end, away, half, segments, taken)
                    if room < (1.0 if half == 0 else 3.5) or (half and length < 150):
                        continue
                    x, y = spot
                    self.page.arrow((x, y), away, 12, gid=f"arrow-{self.lines[row][0] + 1}")
                    tip = (x + 12 * away[0], y + 12 * away[1])
                    taken.append((min(x, tip[0]) - 2, min(y, tip[1]) - 2, max(x, tip[0]) + 2, max(y, tip[1]) + 2))
                    self.obstacles[panel][1].append(taken[-1])

    def _frame_labels(self, panel: Panel) -> None:
        """The names of the lines, outside the frame where they leave it, pushed apart where they would touch."""
        ends = {members[0]: chord(corners(panel.view), row) for row, members in self.lines.items()}
        names = [
            (_name(members), [panel.at(p) for p in met])
            for members in self.lines.values()
            if (met := ends[members[0]]) is not None
        ]
        for label in at_frame(panel, names, lambda text: self.page.measure(text, 10.0)):
            if label.lead is not None:
                self.page.line(label.lead, color=GREY, linewidth=0.5)
            name = "name-" + "".join(c for c in label.text if c in "0123456789=")
            self.page.text(label.spot, label.text, label.size, ha=label.ha, va=label.va, gid=name)

    def numbers(self) -> list[str]:
        """What the numbers of regions stand for."""
        return [f"{k}   {signs_text(signs)}" for k, signs in enumerate(self.numbered, 1)]

    def closest(self) -> tuple[Panel, View] | None:
        """A view that enlarges unlettered regions lying close together, and the panel it is a part of."""
        most, found = 0, None
        waiting = list(self.unlettered.values())
        boxes = np.array([box for _, _, box in waiting]).reshape(-1, 4)
        for panel, _, (x, y, _, _) in waiting:
            same = np.array([other is panel for other, _, _ in waiting])
            for wide, tall in ((0.17, 0.17), (0.05, 2), (2, 0.05)):  # a corner, or a strip of almost no width
                reach = np.array([wide * panel.width, tall * panel.height] * 2)
                near = np.flatnonzero(same & (np.abs(boxes - np.array([x, y, x, y])) < reach).all(axis=1))
                if len(near):
                    if len(near) > most:
                        most, found = len(near), (panel, [p for k in near for p in waiting[k][1]])
                    break
        return (found[0], around(found[1], Fraction(1, 4))) if found else None

    def mark(self, panel: Panel, view: View, letter: str) -> None:
        """Where a close-up lies, in its panel."""
        (x, y), (u, v) = panel.at(corners(view)[0]), panel.at(corners(view)[2])
        x, u = max(x, panel.left), min(u, panel.right)
        y, v = max(y, panel.bottom), min(v, panel.top)
        grow_x, grow_y = max(0.0, 4 - (u - x) / 2), max(0.0, 4 - (v - y) / 2)
        x, y, u, v = x - grow_x, y - grow_y, u + grow_x, v + grow_y
        dashes: list[Spot] = []
        for (a, b), (c, d) in pairwise([(x, y), (u, y), (u, v), (x, v), (x, y)]):
            for t in np.arange(0, 1, 3.6 / max(abs(c - a), abs(d - b))):
                spot = np.array([(a + float(t) * (c - a), b + float(t) * (d - b))])
                if clearance(spot, np.empty((0, 2, 2)), self.page.boxes) > 1.5:
                    dashes.append((float(spot[0, 0]), float(spot[0, 1])))
        style = {"color": MAROON, "linestyle": "none", "marker": "o", "markersize": 1.5, "markeredgewidth": 0}
        self.page.line(dashes or [(x, y)], zorder=5, **style)
        free = beside(panel, (x, y, u, v), self.page.measure(letter, 9), self.page.boxes, *self.obstacles[panel])
        near = min(max(free[0], x), u), min(max(free[1], y), v)
        if math.dist(near, free) > 14:
            self.page.line([near, free], color=MAROON, linewidth=0.5, zorder=5)
        halo = {"boxstyle": "square,pad=0.05", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
        self.page.text(free, letter, 9, weight="bold", color=MAROON, zorder=6, bbox=halo)


# ---- on a line -------------------------------------------------------------------------------------------------------


def _line_figure(rows: Sequence[Row], domain: Polyhedron, labels: bool | None, view: Any) -> Figure:
    """An arrangement of points on a line: codewords above the intervals, names and coorientation below."""
    lines = {Fraction(-row[0], row[1]): members for row, members in distinct_lines(rows).items()}
    points = sorted(x for x in lines if domain.contains((x,)))
    ends = [v[0] for v in domain.vertices]
    rays = {r[0] for r in domain.rays} | ({1, -1} if domain.lines else set())
    low, high = min([*points, *ends], default=Fraction(0)), max([*points, *ends], default=Fraction(0))
    reach = (high - low) * Fraction(3, 10) if high > low else Fraction(1)
    view_ = (low - reach * (-1 in rays or low == high), high + reach * (1 in rays or low == high))
    if view is not None:
        (view_,) = read_view(view, 1)
    start = view_[0] if -1 in rays else max(view_[0], min(ends, default=view_[0]))
    stop = view_[1] if 1 in rays else min(view_[1], max(ends, default=view_[1]))
    points = [x for x in points if start < x < stop]
    if start >= stop:
        raise InputError("the view does not meet the domain")
    check_drawable([view_])
    stops, page, width = [start, *points, stop], Page(), 430.0
    gaps = [b - a for a, b in pairwise(stops)]
    scaled = min(gaps) * 60 >= view_[1] - view_[0]
    at = (
        [width * float((x - view_[0]) / (view_[1] - view_[0])) for x in stops]
        if scaled
        else [width * k / len(gaps) for k in range(len(stops))]
    )
    page.line([(at[0], 0), (at[-1], 0)], linewidth=1.4, zorder=2)
    for side, spot in ((-1, at[0]), (1, at[-1])):
        if side in rays:
            page.arrow((spot, 0), (side, 0), 12)
        else:
            page.line([(spot, -6), (spot, 6)], linewidth=2.4)
    middles = [(a + b) / 2 for a, b in pairwise(at)]
    words = []
    for a, b in pairwise(stops):
        values = [value_at(row, ((a + b) / 2,)) for row in rows]
        words.append(signs_text((v > 0) - (v < 0) for v in values))
    if labels or (labels is None and len(words) <= MOST_LABELS):
        roomy = all(page.measure(w, 10)[0] + 6 <= b - a for w, (a, b) in zip(words, pairwise(at), strict=True))
        tall = page.measure("+", 9)[1]
        places = middles if roomy else spread(middles, [1.2 * tall] * len(words), -width, 2 * width)
        for word, middle, place in zip(words, middles, places, strict=True):
            if roomy:
                page.text((middle, 14), word, 10, gid=f"codeword-{word}")
            else:
                page.line([(middle, 3), (middle, 8), (place, 24)], color=GREY, linewidth=0.5)
                page.text((place, 27), "\n".join(word), 9, va="bottom", linespacing=0.75, gid=f"codeword-{word}")
    names = []
    for x in points:
        turned = [("$\\rightarrow$" if rows[i][1] > 0 else "$\\leftarrow$") for i in lines[x]]
        names.append(" ".join(_name([i]) + turn for i, turn in zip(lines[x], turned, strict=True)))
    texts = [name + "\n" + number_texts([float(x)])[0] for name, x in zip(names, points, strict=True)]
    sizes = [page.measure(text, 9)[0] + 8 for text in texts]
    levels = 1
    while sum(sizes) > width * 1.3 * levels and levels < 6:
        levels += 1
    for level in range(levels):
        chosen = range(level, len(points), levels)
        places = spread([at[k + 1] for k in chosen], [sizes[k] for k in chosen], -40, width + 40)
        for k, place in zip(chosen, places, strict=True):
            page.line([(at[k + 1], 5), (at[k + 1], -5)], linewidth=1.2, gid=f"line-{lines[points[k]][0] + 1}")
            drop = -14 - 30 * level
            if abs(place - at[k + 1]) > 1.5 or level:
                page.line([(at[k + 1], -5), (at[k + 1], drop + 8), (place, drop)], color=GREY, linewidth=0.5)
            page.text((place, drop), texts[k], 9, va="top", gid=f"name-{k}", linespacing=1.3)
    says = [f"{many(len(points), 'point')}, {many(len(words), 'region')}"]
    says[0] += "; arrows point to the positive sides" if points else ""
    says += [_constant(i, row) for i, row in enumerate(rows) if not row[1]]
    says += [] if scaled else ["Not to scale: the points are drawn equally spaced."]
    below = min([box[1] for box in page.boxes] + [-6.0]) - 14
    for line in says:
        page.text((0, below), line, 8, ha="left", color=GREY)
        below -= 12
    title = f"An arrangement of {many(len(points), 'point')} on a line"
    return page.finish(-14, -20, width + 14, 20, title, f"{title}. Codewords from left to right: {', '.join(words)}.")
