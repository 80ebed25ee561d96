"""The page on which pictures are drawn: one coordinate system, points (1/72 inch), in which texts are measured.

A :class:`Page` wraps a Matplotlib figure. All drawing is by its methods; it remembers the box of each text, so that
nothing need be written over another, and is cropped to what it holds when it is finished. A :class:`Panel` is a
rectangle on the page that shows a view of the plane: the only place where exact coordinates become floats.

Where a text or an arrow has room is found by :mod:`geomrelu.plots.labels`. :func:`write` saves a figure, with
Matplotlib's own defaults whatever the user's settings, so that the same input gives the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.cddlib import Row
from geomrelu.exact.numbers import nearest_float
from geomrelu.io import files
from geomrelu.plots.plane import Point, View

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Spot = tuple[float, float]  # on the page, in points
Box = tuple[float, float, float, float]  # left, bottom, right, top

KINDS = (".pdf", ".png", ".svg")
MOST_LABELS = 60  # regions; beyond, codewords are left out unless they are asked for
MOST = Fraction(10) ** 300  # of a coordinate, with room below what a float64 can hold
SMALLEST = 6.5  # points: text below this is not readable
INK, GREY, SILENT = "#1a1a1a", "#6b6b6b", "#e4e4e4"
# Pale, and each of another lightness (97, 88, 80, 75, 69, 64, 93, 84): they stay apart in grey print.
PALE = ("#fff6dc", "#cbdff3", "#f0bda4", "#a3c7a0", "#b3a0d1", "#d18f97", "#e1f1dc", "#cdd0e2")
OUTSIDE = {"facecolor": "white", "hatch": "....", "edgecolor": "#c4c4c4"}  # of the domain
HATCHED = {"hatch": "////", "edgecolor": "#8a8a8a"}  # dead


@dataclass(frozen=True)
class Panel:
    """Where a view lies on the page (points)."""

    view: View
    left: float
    bottom: float
    width: float
    height: float

    def at(self, point: Point) -> Spot:
        """Where a point of the plane lies on the page."""
        (x0, x1), (y0, y1) = self.view
        u, v = (point[0] - x0) / (x1 - x0), (point[1] - y0) / (y1 - y0)
        return self.left + self.width * float(u), self.bottom + self.height * float(v)

    def gradient(self, row: Row) -> Spot:
        """The unit vector on the page in which the form grows (perpendicular to its line as drawn)."""
        (x0, x1), (y0, y1) = self.view
        u, v = row[1] * (x1 - x0) / Fraction(self.width), row[2] * (y1 - y0) / Fraction(self.height)
        largest = max(abs(u), abs(v))
        x, y = float(u / largest), float(v / largest)
        return x / math.hypot(x, y), y / math.hypot(x, y)

    @property
    def equal(self) -> bool:
        """Whether both axes have the same scale."""
        (x0, x1), (y0, y1) = self.view
        return abs(nearest_float((x1 - x0) / (y1 - y0)) * self.height / self.width - 1) < 1e-6

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def top(self) -> float:
        return self.bottom + self.height

    @property
    def corners(self) -> list[Spot]:
        return [(self.left, self.bottom), (self.right, self.bottom), (self.right, self.top), (self.left, self.top)]


def check_drawable(view: Sequence[tuple[Fraction, Fraction]]) -> None:
    """Are the sides of a view numbers that a page can tell apart?

    Raises:
        InputError: beyond what floats can hold.
    """
    if any(max(abs(low), abs(high)) > MOST or high - low < 1 / MOST for low, high in view):
        raise InputError("this view has sides beyond 1e300, or shorter than 1e-300, which cannot be drawn")


def frame_size(view: View, largest: float) -> tuple[float, float]:
    """Width and height of a panel: true to scale unless that would make it too thin."""
    check_drawable(view)
    (x0, x1), (y0, y1) = view
    ratio = nearest_float((x1 - x0) / (y1 - y0))
    if not 0.3 < ratio < 3.4:
        return largest, largest * 0.8
    return (largest, largest / ratio) if ratio > 1 else (largest * ratio, largest)


class Page:
    """A figure measured in points, which knows where its texts are; its size is set when all is drawn."""

    def __init__(self) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.figure = Figure(figsize=(10, 10), dpi=200)
        self.canvas = FigureCanvasAgg(self.figure)
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, 720), ylim=(0, 720))
        self.axes.set_axis_off()
        self.boxes: list[Box] = []  # of the texts
        self.measured: dict[str, Spot] = {}
        self.names: dict[str, int] = {}

    def finish(self, left: float, bottom: float, right: float, top: float, title: str, description: str) -> Figure:
        """Crop the page to this rectangle and all texts, and name the picture."""
        edges = list(zip(*self.boxes, (left, bottom, right, top), strict=True))
        x0, y0, x1, y1 = min(edges[0]) - 8, min(edges[1]) - 8, max(edges[2]) + 8, max(edges[3]) + 8
        self.figure.set_size_inches((x1 - x0) / 72, (y1 - y0) / 72)
        self.axes.set(xlim=(x0, x1), ylim=(y0, y1))
        self.figure.geomrelu = title, description  # type: ignore[attr-defined]
        return self.figure

    def _named(self, style: dict[str, Any]) -> dict[str, Any]:
        """The style with a name that no other artist has: in an .svg file it becomes an id."""
        if gid := style.get("gid"):
            self.names[gid] = self.names.get(gid, 0) + 1
            return style | {"gid": gid if self.names[gid] == 1 else f"{gid}.{self.names[gid]}"}
        return style

    def _box(self, drawn: Any) -> Box:
        box = drawn.get_window_extent(self.canvas.get_renderer())  # type: ignore[no-untyped-call]
        return box.x0 * 0.36, box.y0 * 0.36, box.x1 * 0.36, box.y1 * 0.36  # 72 points, 200 pixels an inch

    def measure(self, text: str, size: float) -> Spot:
        """Width and height of a text in points."""
        if text not in self.measured:
            drawn = self.axes.text(0, 0, text, fontsize=20)
            x0, y0, x1, y1 = self._box(drawn)
            drawn.remove()
            self.measured[text] = (x1 - x0) / 20, (y1 - y0) / 20
        width, height = self.measured[text]
        return width * size, height * size

    def text(self, spot: Spot, text: str, size: float, **style: Any) -> Box:
        """A text centred at the spot (``ha`` and ``va`` move it); its box is remembered."""
        style = {"color": INK, "ha": "center", "va": "center"} | self._named(style)
        drawn = self.axes.text(*spot, text, fontsize=size, **style)
        self.boxes.append(self._box(drawn))
        return self.boxes[-1]

    def polygon(self, spots: Sequence[Spot], **style: Any) -> None:
        from matplotlib import patches

        self.axes.add_artist(patches.Polygon(np.array(spots), closed=True, **({"linewidth": 0} | self._named(style))))

    def line(self, spots: Sequence[Spot], **style: Any) -> None:
        from matplotlib.lines import Line2D

        xs, ys = zip(*spots, strict=True)
        style = self._named({"color": INK, "linewidth": 1.0} | style)
        self.axes.add_artist(Line2D(xs, ys, **style))

    def arrow(self, spot: Spot, direction: Spot, length: float, zorder: float = 3, **style: Any) -> None:
        (x, y), (u, v) = spot, direction
        neck = length - 5
        self.line([spot, (x + u * neck, y + v * neck)], zorder=zorder)
        across = ((neck, 2.6), (length, 0.0), (neck, -2.6))
        self.polygon([(x + u * d - v * s, y + v * d + u * s) for d, s in across], facecolor=INK, zorder=zorder, **style)

    def frame(self, panel: Panel, **style: Any) -> None:
        self.polygon(panel.corners, facecolor="none", edgecolor=GREY, linewidth=0.8, **style)

    def column(self, left: float, top: float, heading: str, lines: Sequence[str]) -> float:
        """Lines of text under a heading, in as many columns as needed; returns the right end."""
        size, tall = 8, 28
        right, step = self.text((left, top), heading, size, ha="left", va="top", weight="bold")[2], 1.45 * size
        for first in range(0, len(lines), tall):
            if first:
                left = right + 14
            for k, line in enumerate(lines[first : first + tall]):
                box = self.text((left, top - step * (k + 1.3)), line, size, ha="left", va="top")
                right = max(right, box[2])
        return right

    def ticks(self, panel: Panel) -> None:
        """Ticks with their numbers along the left and lower side of a panel, and the names of the axes."""
        from matplotlib.ticker import MaxNLocator

        for axis, (low, high) in enumerate(panel.view):
            span = float(high - low)
            near = abs(low) < 10**4 * (high - low)
            start = Fraction(0) if near else low  # ticks at round numbers, or at round distances from the first
            found = [float(v) for v in MaxNLocator(6).tick_values(float(low - start), float(high - start))]
            steps = [Fraction(0 if abs(v) < span * 1e-9 else v) for v in found]
            values = [start + v for v in steps if low <= start + v <= high]
            for value, text in zip(values, number_texts([float(v) for v in values]), strict=True):
                x, y = panel.at((value, panel.view[1][0]) if axis == 0 else (panel.view[0][0], value))
                if axis == 0:
                    self.line([(x, y), (x, y - 3)], color=GREY, linewidth=0.7)
                    self.text((x, y - 5), text, 8, va="top", color=GREY)
                else:
                    self.line([(x, y), (x - 3, y)], color=GREY, linewidth=0.7)
                    self.text((x - 5, y), text, 8, ha="right", color=GREY)
        below = min(box[1] for box in self.boxes)
        beside = min(box[0] for box in self.boxes)
        self.text(((panel.left + panel.right) / 2, below - 2), "$x_1$", 9, va="top")
        self.text((beside - 3, (panel.bottom + panel.top) / 2), "$x_2$", 9, ha="right")

    def legend(self, left: float, top: float, entries: Sequence[tuple[str, dict[str, Any] | None]]) -> None:
        """Texts, each beside a line of its style, or a hatched box where it has none."""
        for text, style in entries:
            if style is None:
                box = [(left, top - 5), (left + 26, top - 5), (left + 26, top + 5), (left, top + 5)]
                self.polygon(box, facecolor=SILENT, **HATCHED)
            else:
                self.line([(left, top), (left + 26, top)], **style)
            self.text((left + 32, top), text, 9, ha="left")
            top -= 18


# ---- words -----------------------------------------------------------------------------------------------------------


def signs_text(signs: Iterable[int]) -> str:
    """A sign vector as it is written in a picture."""
    return "".join("+" if s > 0 else "−" if s < 0 else "0" for s in signs)


def many(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def number_texts(values: Sequence[float]) -> list[str]:
    """Short texts of different numbers, all different."""
    for digits in range(3, 18):
        texts = [f"{v:.{digits}g}".replace("-", "−") for v in values]
        if len(set(texts)) == len(texts):
            break
    return texts


# ---- files -----------------------------------------------------------------------------------------------------------


def write(path: str | Path, draw: Callable[[], Figure]) -> None:
    """Draw and save a finished page, in the format that the path says."""
    files.write(path, rendered(kind_of(path), draw))


def kind_of(path: str | Path) -> str:
    """The format that a path says.

    Raises:
        InputError: no format of pictures.
    """
    kind = Path(path).suffix.lower()
    if kind not in KINDS:
        raise InputError(f"{path}: a picture is written as {', '.join(KINDS)}")
    return kind


def rendered(kind: str, draw: Callable[[], Figure]) -> bytes:
    """A page as the bytes of a file of this kind; the same input gives the same bytes."""
    import matplotlib

    plain: Any = {k: v for k, v in matplotlib.rcParamsDefault.items() if not k.startswith(("backend", "interactive"))}
    ours = {"svg.hashsalt": "geomrelu", "svg.fonttype": "path", "pdf.fonttype": 42, "hatch.linewidth": 0.6}
    file = BytesIO()
    with matplotlib.rc_context(plain | ours):
        figure = draw()
        title, text = figure.geomrelu  # type: ignore[attr-defined]
        metadata: dict[str, dict[str, Any]] = {
            ".svg": {"Title": title, "Description": text, "Date": None, "Language": "en"},
            ".pdf": {"Title": title, "Subject": text, "CreationDate": None},
            ".png": {"Title": title, "Description": text},
        }
        figure.savefig(file, format=kind[1:], dpi=200, metadata=metadata[kind])
    return file.getvalue()
