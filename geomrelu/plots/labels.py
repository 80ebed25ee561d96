"""Where labels go: places are found, not guessed, before anything is drawn.

The roomiest spot of a polygon (:func:`fitting`), names around a frame (:func:`at_frame`) pushed apart (:func:`spread`),
an arrow on a line (:func:`arrow_place`), a letter beside what it names (:func:`beside`); the last two keep their
distance (:func:`clearance`) from all that is there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Literal, NamedTuple

import numpy as np

from geomrelu.plots.page import Box, Panel, Spot

__all__ = ["Label", "arrow_place", "at_frame", "beside", "clearance", "fitting", "spread"]

# Places on an arrow (along, across) less than 2 points from any other part of it.
ARROW = ((3, 0), (5, 0), (7, 0), (7, 1.5), (7, -1.5), (7, 3), (7, -3), (9.5, 1.5), (9.5, -1.5), (9.5, 0), (12, 0))
NOTHING = np.empty((0, 2, 2))  # no segments


# ---- in a polygon ----------------------------------------------------------------------------------------------------


def fitting(
    polygon: Sequence[Spot], width: float, height: float, largest: float, pad: float = 2.0
) -> tuple[float, Spot]:
    """The size, in half points, at which a text fits into a convex polygon, and the middle of the text there.

    Args:
        width, height: of the text at size 10. largest: size. pad: points to the sides of the polygon.
    """
    scale, spot = roomiest(polygon, width, height, pad)
    return min(largest, math.floor(20 * scale) / 2), spot


def roomiest(polygon: Sequence[Spot], width: float, height: float, pad: float = 2.0) -> tuple[float, Spot]:
    """The largest multiple of a ``width x height`` rectangle that fits in a convex polygon (anticlockwise), its centre.

    Where the centre is free (a strip, a wedge), the middle of its freedom. Method: the centres for one multiple are
    the polygon with each side moved inward; bisection over the multiple.
    """
    sides = []
    for (x, y), (u, v) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        length = math.hypot(u - x, v - y)
        if length > 1e-7:
            p, q = (y - v) / length, (u - x) / length
            sides.append((p, q, -(p * x + q * y) - pad, abs(p) * width / 2 + abs(q) * height / 2))

    def centres(multiple: float) -> list[Spot]:
        found = list(polygon)
        for p, q, c, reach in sides:
            values = [p * x + q * y + c - multiple * reach for x, y in found]
            kept: list[Spot] = []
            for k, ((x, y), value) in enumerate(zip(found, values, strict=True)):
                (u, v), other = found[k - len(found) + 1], values[k - len(found) + 1]
                if value >= 0:
                    kept.append((x, y))
                if value * other < 0:
                    t = value / (value - other)
                    kept.append((x + t * (u - x), y + t * (v - y)))
            found = kept
        return found

    low, high = 0.0, 8.0
    if len(sides) < 3 or not centres(low):
        return 0.0, (sum(x for x, _ in polygon) / len(polygon), sum(y for _, y in polygon) / len(polygon))
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (middle, high) if centres(middle) else (low, middle)
    free = centres(low * 0.98)
    xs, ys = [x for x, _ in free], [y for _, y in free]
    return low, ((min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2)


# ---- around a frame --------------------------------------------------------------------------------------------------


class Label(NamedTuple):
    """A text outside a frame: its spot, its size and alignment, and the lead from where it belongs, if that is away."""

    text: str
    spot: Spot
    size: float
    ha: Literal["left", "center", "right"]
    va: Literal["top", "center", "bottom"]
    lead: tuple[Spot, Spot] | None


def at_frame(
    panel: Panel, names: Sequence[tuple[str, Sequence[Spot]]], measure: Callable[[str], Spot], size: float = 10.0
) -> list[Label]:
    """Labels where lines leave a frame, each at the emptier one of its ends.

    Args:
        names: of each line, and where it meets the frame. measure: width and height of a text at this size.
    """
    sides: dict[str, list[tuple[float, str]]] = {"left": [], "right": [], "bottom": [], "top": []}
    for name, ends in names:
        exits = [_exit(panel, spot) for spot in ends]
        alone = [min([abs(at - other) for other, _ in sides[side]], default=200.0) for side, at in exits]
        crowd = [len(sides[side]) for side, _ in exits]
        side, at = exits[max((0, 1), key=lambda k: (min(alone[k], 30.0), -crowd[k]))]
        sides[side].append((at, name))
    return [label for side, wanted in sides.items() for label in _along(panel, side, wanted, measure, size)]


def _along(
    panel: Panel, side: str, wanted: Sequence[tuple[float, str]], measure: Callable[[str], Spot], size: float
) -> list[Label]:
    """Labels on one side of a frame; none if they would be too small to read."""
    upright, gap, found = side in ("left", "right"), 10.0, list[Label]()
    low, high = (panel.bottom, panel.top) if upright else (panel.left, panel.right)
    room = [measure(text)[1 if upright else 0] + (2 if upright else 5) for _, text in wanted]
    shrunk = min(1.0, (high - low) / sum(room)) if room else 1.0
    if size * shrunk < 5:
        return []
    edge = {"left": panel.left, "right": panel.right, "bottom": panel.bottom, "top": panel.top}[side]
    out = 1 if side in ("right", "top") else -1
    aligned: dict[str, tuple[Literal["left", "center", "right"], Literal["top", "center", "bottom"]]] = {
        "left": ("right", "center"),
        "right": ("left", "center"),
        "bottom": ("center", "top"),
        "top": ("center", "bottom"),
    }
    places = spread([at for at, _ in wanted], [r * shrunk for r in room], low, high)
    for (at, text), place in zip(wanted, places, strict=True):
        path = [(edge, at), (edge + out * gap, place), (edge + out * gap + out * 1.5, place)]
        start, stop, spot = path if upright else [(y, x) for x, y in path]
        lead = (start, stop) if abs(at - place) > 1.5 else None
        found.append(Label(text, spot, size * shrunk, *aligned[side], lead))
    return found


def _exit(panel: Panel, spot: Spot) -> tuple[str, float]:
    """The side of the frame that a spot lies on, and its place along it."""
    x, y = spot
    far = {"left": x - panel.left, "right": panel.right - x, "bottom": y - panel.bottom, "top": panel.top - y}
    side = min(far, key=lambda s: far[s])
    return side, y if side in ("left", "right") else x


def spread(wanted: Sequence[float], sizes: Sequence[float], low: float, high: float) -> list[float]:
    """Places as near as possible to the wanted ones at which intervals of these sizes do not overlap, in order.

    Method: least squares under an order is the pooling of adjacent violators.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    offsets, total = [], 0.0
    for k, i in enumerate(order):
        total += (sizes[order[k - 1]] + sizes[i]) / 2 if k else 0.0
        offsets.append(total)
    pools: list[tuple[float, int]] = []
    for i, offset in zip(order, offsets, strict=True):
        mean, count = wanted[i] - offset, 1
        while pools and pools[-1][0] > mean:
            other, more = pools.pop()
            mean, count = (mean * count + other * more) / (count + more), count + more
        pools.append((mean, count))
    starts = [mean for mean, count in pools for _ in range(count)]
    found = [0.0] * len(wanted)
    for i, start, offset in zip(order, starts, offsets, strict=True):
        found[i] = min(max(start, low + sizes[order[0]] / 2), high - sizes[order[-1]] / 2 - total) + offset
    return found


# ---- clear of everything ---------------------------------------------------------------------------------------------


def arrow_place(
    panel: Panel, start: Spot, end: Spot, away: Spot, half: int, segments: np.ndarray, boxes: Sequence[Box]
) -> tuple[float, Spot]:
    """The clearest place for an arrow on the first (0) or last (1) half of a segment, and how clear it is.

    Args:
        away: the direction of the arrow, a unit vector. segments, boxes: what is there, apart from the segment.
    """
    best: tuple[float, Spot] | None = None
    for k in range(1, 26):
        t = (k / 52) if half == 0 else 1 - k / 52
        x, y = start[0] + t * (end[0] - start[0]), start[1] + t * (end[1] - start[1])
        body = np.array([(x + away[0] * d - away[1] * s, y + away[1] * d + away[0] * s) for d, s in ARROW])
        inside = panel.left < x < panel.right and panel.bottom < y < panel.top
        score = min(clearance(body, segments, boxes), 7.0) - 0.05 * k if inside else -1.0
        if best is None or score > best[0]:
            best = score, (x, y)
    assert best is not None
    return best


def beside(
    panel: Panel, what: Box, size: Spot, texts: Sequence[Box], lines: Sequence[tuple[Spot, Spot]], arrows: Sequence[Box]
) -> Spot:
    """Where a text of this size goes in a panel: beside a box, clear of texts and arrows, and of lines if it can be."""
    x, y, u, v = what
    width, height = (d / 2 for d in size)
    edges = np.array(list(product(np.linspace(-width, width, 5), np.linspace(-height, height, 5))))
    best: tuple[float, Spot] = -math.inf, ((x + u) / 2, (y + v) / 2)
    for a in np.arange(panel.left + width + 1, panel.right - width, 5.0).tolist():
        for b in np.arange(panel.bottom + height + 1, panel.top - height, 5.0).tolist():
            away = math.hypot(max(x - width - a, a - u - width, 0.0), max(y - height - b, b - v - height, 0.0))
            inside = x - width < a < u + width and y - height < b < v + height
            if inside or -0.02 * away + 2 < best[0]:
                continue  # it cannot be better
            text_free = min(clearance(edges + np.array([a, b]), NOTHING, [*texts, *arrows]), 2.0)
            line_free = min(clearance(edges + np.array([a, b]), np.array(lines), []), 2.0) if lines else 2.0
            score = min(text_free, 1.0 + line_free / 2) - 0.02 * away - (100.0 if text_free < 1 else 0.0)
            best = max(best, (score, (a, b)))
    return best[1]


def clearance(spots: np.ndarray, segments: np.ndarray, boxes: Sequence[Box]) -> float:
    """How far the nearest segment or box is from the nearest of the spots."""
    least = float(_distances(spots, segments).min()) if len(segments) else math.inf
    if boxes:
        edges, placed = np.array(boxes), spots[:, None]
        outside = np.maximum(np.maximum(edges[:, :2] - placed, placed - edges[:, 2:]), 0)
        least = min(least, float(np.hypot(outside[..., 0], outside[..., 1]).min()))
    return least


def _distances(spots: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """(N, M): from spots (N, 2) to segments (M, 2, 2)."""
    start, along = segments[:, 0], segments[:, 1] - segments[:, 0]
    squared = np.maximum((along**2).sum(axis=1), 1e-12)
    t = np.clip(((spots[:, None] - start) * along).sum(axis=2) / squared, 0, 1)
    return np.hypot(*np.moveaxis(spots[:, None] - (start + t[..., None] * along), 2, 0))
