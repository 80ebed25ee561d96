"""Pictures of the image of a first layer R^2 -> R^3, beside the arrangement of its three neurons.

The image is the union of one piece for each codeword, the image of its region (:func:`image_pieces`, exact): a polygon
across the orthant if all three neurons are active, on a wall of it if two are, a part of an axis if one is, the origin
if none. It is drawn in parallel projection, from the direction that shows the most of the least visible polygon
(:func:`_best_view`), in the colours of the regions. :func:`first_layer_missing` gives layers that lack one codeword.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineForm, AffineMap
from geomrelu.exact.numbers import rational
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.complex import Complex
from geomrelu.network.network import Network
from geomrelu.plots.arrangement import Picture
from geomrelu.plots.page import GREY, INK, PALE, Page, Panel, Spot, frame_size, many, number_texts, signs_text, write
from geomrelu.plots.plane import Point, Signs, domain_of, landmarks, plane_view

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_image(model: Network | Complex, path: str | Path, *, size: Any = None) -> None:
    """Draw a first layer R^2 -> R^3: its arrangement, and beside it its image in R^3_+.

    Args:
        model: a network whose first layer has two inputs and three neurons, or the complex of one (on its domain).
        path: an .svg, .pdf or .png file.
        size: the image is cut off at the box ``[0, size]^3``; None for one that shows all its vertices (all of it,
            if it is bounded).

    Raises:
        InputError: other widths, or as :func:`plot_arrangement`.

    Exact: the polygons of the image; rounded to the page only.
    Source: Brownlowe et al., Stably unactivated neurons in ReLU neural networks, figures 2 to 4.
    """
    write(path, lambda: image_figure(model, size=size))


def image_figure(model: Network | Complex, *, size: Any = None) -> Figure:
    """The figure of :func:`plot_image`, not yet saved."""
    network: Network = model if isinstance(model, Network) else model.network
    if network.inputs != 2 or network.widths[0] != 3:
        shape = f"R^{network.inputs} -> R^{network.widths[0]}"
        raise InputError(f"the first layer is a map {shape}: only images of R^2 in R^3 can be drawn")
    domain = domain_of(model, 2)
    forms = [network.neuron(1, i) for i in range(3)]
    rows = [form.row for form in forms]
    points = [*landmarks(rows, domain), *domain.vertices]
    tops = [domain.supremum(form).value for form in forms]
    if None in tops:  # of what goes to infinity more is shown
        reach = max(abs(form(p)) for form in forms for p in points) * Fraction(7, 4) or Fraction(1)
    else:
        reach = max(Fraction(0), *(top or Fraction(0) for top in tops)) * Fraction(9, 8) or Fraction(1)
    limit = reach if size is None else rational(size, "size")
    if limit <= 0:
        raise InputError("the size of the box must be positive")
    pieces = image_pieces(forms, domain, limit)
    order = sorted(product((-1, 0, 1), repeat=3), key=lambda s: (0 in s, sum(s), s))
    fills = {signs: PALE[k % len(PALE)] for k, signs in enumerate(order)}

    page = Page()
    exact = plane_view(None, rows, domain)
    width, height = frame_size(exact, 300)
    panel = Panel(exact, 0, 0, width, height)
    picture = Picture(page, rows, domain, fills)
    picture.draw(panel, True)
    left = picture.box[2] + 50
    _draw_image(page, pieces, fills, float(limit), left, (panel.bottom + panel.top) / 2, 340.0)
    missing = [signs_text(s) for s in product((1, -1), repeat=3) if s not in pieces]
    heads = f"{many(len(pieces), 'codeword')}; missing: {', '.join(missing) or 'none'}"
    right = max(box[2] for box in page.boxes)
    low = min(min(box[1] for box in page.boxes), picture.box[1]) - 14
    page.text((0, low), heads, 9, ha="left", weight="bold")
    if any(top is None or top > limit for top in tops):
        cut = number_texts([float(limit)])[0]
        page.text((0, low - 13), f"the image is cut off at {cut} (dashed edges)", 8, ha="left", color=GREY)
    if picture.numbered:
        right = page.column(right + 10, panel.top, "codewords", picture.numbers())
    title = "The first layer of a network and its image in the nonnegative orthant of R^3"
    half = 170.0 + 8
    middle = (panel.bottom + panel.top) / 2
    box = (0, min(low, middle - half), right, max(panel.top, middle + half))
    return page.finish(*box, title, f"{title}: {heads}.")


def first_layer_missing(codeword: Any) -> tuple[list[list[Fraction]], list[Fraction]]:
    """Three lines in the plane whose regions have every codeword but the given one.

    The forms 1 + y, 1 + 7x/8 − y/2 and 1 − 7x/8 − y/2 bound a triangle and sum to 3, so only − − − is missing.
    Reversing the coorientation of line i reverses the sign i of every codeword, the missing one included.

    Args:
        codeword: a string such as ``"+--"``, three signs ±1, or the set of its active neurons (from 0).

    Returns:
        ``(A, b)``: weights (3, 2) and bias (3,).

    >>> A, b = first_layer_missing("--+")
    >>> [str(v) for v in A[2]], str(b[2])
    (['7/8', '1/2'], '-1')
    """
    signs = _read_codeword(codeword)
    rows = [[8, 0, 8], [8, 7, -4], [8, -7, -4]]
    turned = [[Fraction(-s * v, 8) for v in row] for s, row in zip(signs, rows, strict=True)]
    return [row[1:] for row in turned], [row[0] for row in turned]


def _read_codeword(given: Any) -> tuple[int, ...]:
    if isinstance(given, (set, frozenset)) and given <= {0, 1, 2}:
        return tuple(1 if i in given else -1 for i in range(3))
    known = {"+": 1, "-": -1, "−": -1, 1: 1, -1: -1}
    if not isinstance(given, (str, tuple, list, np.ndarray)) or len(given) != 3 or any(s not in known for s in given):
        raise InputError(f"{given!r} is not a codeword of three neurons (write '+--', (1, -1, -1) or {{0}})")
    return tuple(known[s] for s in given)


# ---- the image -------------------------------------------------------------------------------------------------------


def image_pieces(forms: Sequence[AffineForm], domain: Polyhedron, limit: Fraction) -> dict[Signs, list[Point]]:
    """Per codeword the vertices of the image of its region, cut off at the box ``[0, limit]^3`` (exactly)."""
    found = {}
    zero = AffineForm(Fraction(0), (Fraction(0),) * 2)
    box = Polyhedron.box([(0, limit)] * 3)
    constant = [(f.constant > 0) - (f.constant < 0) for f in forms]
    for signs in product(*((1, -1) if any(f.slope) else (c,) for f, c in zip(forms, constant, strict=True))):
        rows = [tuple(s * v for v in f.row) for s, f in zip(signs, forms, strict=True) if any(f.slope)]
        region = Polyhedron.from_rows([*domain.inequalities, *rows], dimension=2)
        if region.affine_dimension == 2:
            map_ = AffineMap.from_forms([f if s > 0 else zero for s, f in zip(signs, forms, strict=True)], 2)
            found[signs] = list(region.image(map_).intersection(box).vertices)
    return found


def _draw_image(
    page: Page,
    pieces: dict[Signs, list[Point]],
    fills: dict[Signs, str],
    limit: float,
    left: float,
    middle: float,
    size: float,
) -> None:
    """Polygons in R^3_+ in parallel projection, seen from inside the positive octant."""
    solid = {s: np.array([[float(x) for x in p] for p in ps]) / limit for s, ps in pieces.items() if ps}
    faces = {
        s: _around_centre(ps) for s, ps in sorted(solid.items(), key=lambda item: sum(item[0])) if _flat_rank(ps) == 2
    }
    azimuth, height, owners, grid = _best_view(list(faces.values()))
    project = _projection(azimuth, height)
    corners = np.array([(*np.eye(3) * 1.12,), (*(1 - np.eye(3)),)]).reshape(6, 3)
    extent = np.vstack([project(corners), project(np.zeros((1, 3)))])
    low, high = extent.min(axis=0), extent.max(axis=0)
    scale = size / float(max(high - low))
    shift = np.array([left + 14, middle]) - scale * np.array([low[0], (low[1] + high[1]) / 2])

    def at(points: np.ndarray) -> list[Spot]:
        return [(float(x), float(y)) for x, y in project(points) * scale + shift]

    origin, axes = np.zeros(3), np.eye(3)
    drawn: list[tuple[Spot, Spot]] = []
    for i, j in combinations(range(3), 2):  # the walls of the orthant, so that the eye sees depth
        wall = np.array([origin, axes[i], axes[i] + axes[j], axes[j]])
        page.polygon(at(wall), facecolor="#fafafa", edgecolor="#d4d4d4", linewidth=0.6, zorder=1)
    first = len(page.boxes)
    for i in range(3):
        start, end = at(np.array([origin, 1.1 * axes[i]]))
        length = math.dist(start, end)
        unit = ((end[0] - start[0]) / length, (end[1] - start[1]) / length)
        page.arrow(start, unit, length, zorder=1.5)
        page.text((end[0] + 11 * unit[0], end[1] + 11 * unit[1]), f"$y_{i + 1}$", 11)
        drawn.append((start, end))
    for signs, ps in faces.items():
        above = 2.4 if min(signs) > 0 else 2.0
        page.polygon(at(ps), facecolor=fills[signs], alpha=0.75, zorder=above, gid=f"face-{signs_text(signs)}")
        for p, q in zip(ps, np.roll(ps, -1, axis=0), strict=True):
            cut = bool(((p > 1 - 1e-12) & (q > 1 - 1e-12)).any())
            style = {"linewidth": 0.7, "linestyle": (0, (3, 2)), "color": GREY} if cut else {"linewidth": 1.1}
            page.line(at(np.array([p, q])), zorder=above + 0.1, **style)
            drawn.append(tuple(at(np.array([p, q]))))  # type: ignore[arg-type]
    marked = []
    for signs, ps in solid.items():
        if signs in faces:
            continue
        spots = at(ps[[int(np.argmin(ps.sum(axis=1))), int(np.argmax(ps.sum(axis=1)))]])
        gid = f"face-{signs_text(signs)}"
        if math.dist(*spots) > 1e-9:
            for width, colour, above in ((5.4, INK, 2.2), (4.2, fills[signs], 2.3)):
                page.line(spots, color=colour, linewidth=width, zorder=above, solid_capstyle="butt", gid=gid)
        else:
            for width, colour, above in ((9, INK, 2.2), (7, fills[signs], 2.3)):
                dot = {"marker": "o", "markersize": width, "markeredgewidth": 0}
                page.line(spots[:1], color=colour, zorder=above, gid=gid, **dot)
        marked.append((signs, spots))
    segments = np.array(drawn)
    places = grid * scale + shift
    for k, signs in enumerate(faces):
        front = owners == k if (owners == k).any() else _covered(grid, project(faces[signs]))
        _set_free(page, places[front], signs_text(signs), segments, first, None)
    for signs, spots in marked:
        end = ((spots[0][0] + spots[1][0]) / 2, (spots[0][1] + spots[1][1]) / 2)
        ring = [
            (end[0] + r * math.cos(a), end[1] + r * math.sin(a))
            for r in (16, 20, 26, 34)
            for a in np.arange(0, 6.28, 0.2)
        ]
        _set_free(page, np.array(ring), signs_text(signs), segments, first, end)


def _set_free(page: Page, places: np.ndarray, text: str, segments: np.ndarray, first: int, anchor: Spot | None) -> None:
    """A text at that one of the places where it is freest of segments and texts; led to its anchor, if it has one."""
    size = 10.0
    width, height = page.measure(text, size)
    stretch = np.array([2 / (width + 4), 2 / (height + 3)])  # in these units the text reaches to 1 each way
    samples = np.concatenate([a + np.linspace(0, 1, 120)[:, None] * (b - a) for a, b in segments])
    free = np.abs((places[:, None] - samples) * stretch).max(axis=2).min(axis=1)
    for x0, y0, x1, y1 in page.boxes[first:]:
        centre, reach = np.array([(x0 + x1) / 2, (y0 + y1) / 2]), np.array([(x1 - x0) / 2, (y1 - y0) / 2])
        free = np.minimum(free, ((np.abs(places - centre) - reach) * stretch).max(axis=1))
    if anchor is not None:
        away = np.hypot(*(places - anchor).T)
        free = np.minimum(free, 1.15) - away / 200
    best = places[int(np.argmax(free))]
    size *= 1.0 if anchor is not None else min(1.1, max(0.6, float(free.max())))
    box = page.text((float(best[0]), float(best[1])), text, size, gid=f"image-codeword-{text}", zorder=4)
    if anchor is not None:
        x, y = min(max(anchor[0], box[0]), box[2]), min(max(anchor[1], box[1]), box[3])
        page.line([(x, y), anchor], color=GREY, linewidth=0.6, zorder=2.7)


# ---- projection ------------------------------------------------------------------------------------------------------


def _best_view(faces: Sequence[np.ndarray]) -> tuple[float, float, np.ndarray, np.ndarray]:
    """The direction that shows the most of the least visible face, and which face owns each place of a grid there.

    Each face counts by the share of it that is seen. From inside the positive octant the walls of the orthant never
    hide one another; a face in its interior (the last) is before them.
    """
    best: tuple[float, float, float, np.ndarray, np.ndarray] | None = None
    for azimuth, height in product(range(15, 80, 5), range(10, 65, 5)):
        flat = [_projection(azimuth, height)(ps) for ps in faces]
        spread = np.vstack([*flat, np.zeros((1, 2))])
        low, high = spread.min(axis=0), spread.max(axis=0)
        xs, ys = np.meshgrid(np.linspace(low[0], high[0], 50), np.linspace(low[1], high[1], 50))
        grid = np.column_stack([xs.ravel(), ys.ravel()])
        owners = np.full(len(grid), -1)
        for k, polygon in enumerate(flat):
            owners[_covered(grid, polygon)] = k
        place = float(np.prod(high - low)) / len(grid)
        seen = [int((owners == k).sum()) * place / _area(ps) for k, ps in enumerate(faces)]
        score = min(seen, default=0.0) - 0.003 * abs(azimuth - 45) - 0.003 * abs(height - 30)
        if best is None or score > best[0]:
            best = score, azimuth, height, owners, grid
    assert best is not None
    return best[1:]


def _projection(azimuth: float, height: float) -> Any:
    a, e = math.radians(azimuth), math.radians(height)
    right = np.array([-math.sin(a), math.cos(a), 0.0])
    up = np.array([-math.sin(e) * math.cos(a), -math.sin(e) * math.sin(a), math.cos(e)])
    return lambda points: points @ np.array([right, up]).T


def _covered(grid: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Which places lie in a convex polygon."""
    along = np.roll(polygon, -1, axis=0) - polygon
    across = grid[:, None] - polygon
    turns = along[:, 0] * across[..., 1] - along[:, 1] * across[..., 0]
    return (turns >= 0).all(axis=1) | (turns <= 0).all(axis=1)


def _area(corners: np.ndarray) -> float:
    fan = np.cross(corners[1:-1] - corners[0], corners[2:] - corners[0])
    return float(np.linalg.norm(fan.sum(axis=0))) / 2


def _flat_rank(points: np.ndarray) -> int:
    return int(np.linalg.matrix_rank(points - points[0], tol=1e-9)) if len(points) > 1 else 0


def _around_centre(points: np.ndarray) -> np.ndarray:
    """The corners of a flat convex polygon in R^3, around its centre (to draw)."""
    centred = points - points.mean(axis=0)
    _, _, basis = np.linalg.svd(centred)
    u, v = centred @ basis[0], centred @ basis[1]
    return points[np.argsort(np.arctan2(v, u), kind="stable")]
