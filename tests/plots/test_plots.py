"""Pictures: what is drawn is what is there, nothing is written over anything, and files are the same each time."""

from __future__ import annotations

import random
import subprocess
import sys
from fractions import Fraction
from itertools import combinations, pairwise, product
from typing import Any

import numpy as np
import pytest
from families import as_network, lean, network

from geomrelu import InputError, Network, Polyhedron, plots
from geomrelu.geometry.arrangement import Arrangement
from geomrelu.network.complex import Complex
from geomrelu.plots import arrangement_figure, complex_figure, first_layer_missing, image_figure
from geomrelu.plots.image import image_pieces
from geomrelu.plots.page import MOST_LABELS

pytestmark = pytest.mark.slow

FAR = 2**30


def lines(rows, domain=None):
    return Arrangement([row[1:] for row in rows], [row[0] for row in rows], domain)


def random_lines(count, seed):
    rng = random.Random(seed)
    slopes = [v for v in range(-5, 6) if v]
    return [(rng.randint(-6, 6), rng.choice(slopes), rng.choice(slopes)) for _ in range(count)]


ARRANGEMENTS = {
    "generic 4": lines([(2, 1, 3), (-1, 2, -1), (3, -1, 1), (2, -3, -2)]),
    "generic 3": lines([(1, 0, 1), (2, 2, -1), (2, -2, -1)]),
    "one": lines([(1, 1, 2)]),
    "random 9": lines(random_lines(9, 5)),
    "parallel": lines([(0, 1, 2), (3, 1, 2), (-5, 2, 4), (1, -1, -2)]),
    "grid": lines([(0, 1, 0), (3, 1, 0), (1, 0, 1), (-4, 0, 1), (-2, 0, -1)]),
    "concurrent": lines([(0, 1, 0), (0, 0, 1), (0, 1, 1), (0, 1, -2), (0, -2, -1)]),
    "duplicate, zero, constant": lines([(1, 1, 1), (-2, -2, -2), (1, -1, 2), (0, 0, 0), (3, 0, 0)]),
    "far, stretched": lines([(0, 1, 0), (0, 0, 1), (1, -1, -1), (-FAR, 1, FAR)]),
    "far": lines([(0, 1, 0), (0, 0, 1), (1, -1, -1), (-FAR, 1, 2)]),
    "almost parallel": lines([(0, 1, 0), (0, 0, 1), (1, -1, -1), (FAR, 1, FAR - 1), (FAR, 1, FAR + 1)]),
    "tiny": lines([(0, 1, 0), (0, 0, 1), (Fraction(1, 2**40), -1, -1)]),
    "on a box": lines(random_lines(5, 3), Polyhedron.box([(-2, 2), (-1, 2)])),
    "on the orthant": lines(random_lines(4, 2), Polyhedron.orthant(2)),
    "on a triangle": lines([(0, 1, -1), (-1, 2, 2)], Polyhedron.simplex(2)),
    "none": Arrangement([], [], Polyhedron.box([(0, 1), (0, 1)])),
}
ON_A_LINE = {
    "three": Arrangement([[1], [-2], [1]], [0, -1, 3]),
    "seven": Arrangement([[(-1) ** i * (i + 1)] for i in range(7)], [i * i - 3 for i in range(7)]),
    "far": Arrangement([[1], [-FAR], [1]], [0, 1, 3]),
    "on an interval": Arrangement([[1], [-2], [2], [0]], [0, -1, 0, 0], Polyhedron.box([(-2, 1)])),
    "constant": Arrangement([[0]], [1]),
}


def named(figure, prefix):
    return list(figure.findobj(lambda a: (a.get_gid() or "").startswith(prefix)))


def boxes(figure, texts):
    return [text.get_window_extent(figure.canvas.get_renderer()) for text in texts]


def texts(figure):
    return [t for t in figure.axes[0].texts if t.get_text()]


def written(figure):
    """The codewords beside the numbers and lists, as in the picture."""
    return {t.get_gid().partition("-")[2].lstrip("ABCD").partition(".")[0] for t in named(figure, "codeword-")}


def code(signs):
    return "".join("−0+"[s + 1] for s in signs)


def crosses(box, start, end):
    """Does the segment meet the box? By cutting it with the four sides (Liang, Barsky)."""
    low, high = 0.0, 1.0
    for k, (least, most) in enumerate(((box.x0, box.x1), (box.y0, box.y1))):
        along = end[k] - start[k]
        if abs(along) < 1e-9:
            if not least <= start[k] <= most:
                return False
            continue
        ends = sorted(((least - start[k]) / along, (most - start[k]) / along))
        low, high = max(low, ends[0]), min(high, ends[1])
    return low <= high


def segments(figure, prefix):
    transform = figure.axes[0].transData
    for line in named(figure, prefix):
        spots = transform.transform(line.get_xydata())
        yield from pairwise(spots)


def assert_legible(figure):
    drawn = texts(figure)
    frames = boxes(figure, drawn)
    for (first, box), (second, other) in combinations(zip(drawn, frames, strict=True), 2):
        shared = min(box.x1, other.x1) - max(box.x0, other.x0), min(box.y1, other.y1) - max(box.y0, other.y0)
        assert min(shared) < 0.5, (first.get_text(), second.get_text())
    words = [(t, box) for t, box in zip(drawn, frames, strict=True) if (t.get_gid() or "").startswith("codeword-")]
    for prefix in ("line-", "wall-"):
        for start, end in segments(figure, prefix):
            for text, box in words:
                assert not crosses(box, start, end), (text.get_text(), prefix)
    for arrow in named(figure, "arrow-"):
        for start, end in pairwise(figure.axes[0].transData.transform(arrow.get_xy())):
            for text, other in words:
                assert not crosses(other, start, end), (text.get_text(), "arrow")
    page = figure.bbox
    for text, box in zip(drawn, frames, strict=True):
        assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1, text.get_text()


# ---- arrangements -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_every_region_is_drawn_and_named_and_no_text_overlaps_anything(name):
    arrangement = ARRANGEMENTS[name]
    figure = arrangement_figure(arrangement)
    expected = {code(signs) for signs in arrangement.signs.tolist()}
    drawn = {a.get_gid().partition("-")[2].partition(".")[0] for a in named(figure, "region-")}
    assert drawn == expected
    listed = {t.get_text() for t in texts(figure)}
    assert written(figure) | (listed & expected) == expected
    assert_legible(figure)


@pytest.mark.parametrize("seed", [0, 2, 3, 6, 9, 116, 138, 231, 363, 391])  # the last: letters of close-ups, corners
def test_no_text_overlaps_anything_in_random_arrangements(seed):
    rng = random.Random(seed)
    rows = [tuple(rng.randint(-3, 3) * 2 ** rng.choice((0, 0, 0, 9)) for _ in range(3)) for _ in range(2 + seed % 7)]
    arrangement = lines(rows)
    figure = arrangement_figure(arrangement)
    assert_legible(figure)
    drawn = {a.get_gid().partition("-")[2].partition(".")[0] for a in named(figure, "region-")}
    assert drawn == {code(signs) for signs in arrangement.signs.tolist()}


@pytest.mark.parametrize("name", ON_A_LINE)
def test_points_on_a_line(name):
    arrangement = ON_A_LINE[name]
    figure = arrangement_figure(arrangement)
    assert written(figure) == {code(signs) for signs in arrangement.signs.tolist()}
    assert_legible(figure)


def test_the_smallest_regions_are_written_in_a_close_up():
    figure = arrangement_figure(ARRANGEMENTS["far"])
    assert "close-up A" in {t.get_text() for t in texts(figure)}
    assert len(written(figure)) == 11


def test_regions_lie_where_their_signs_say():
    arrangement = ARRANGEMENTS["generic 3"]
    figure = arrangement_figure(arrangement, view=((-3, 3), (-4, 2)))
    patches: Any = figure.axes[0].patches
    frame = max((p.get_xy() for p in patches if p.get_gid() is None), key=np.ptp)
    (x0, y0), (x1, y1) = frame.min(axis=0), frame.max(axis=0)
    for patch in named(figure, "region-"):
        u, v = patch.get_xy()[:-1].mean(axis=0)
        x, y = -3 + 6 * (u - x0) / (x1 - x0), -4 + 6 * (v - y0) / (y1 - y0)
        assert code(arrangement.code([Fraction(float(x)), Fraction(float(y))])) == patch.get_gid()[7:]


def test_arrows_point_to_the_positive_side():
    arrangement = ARRANGEMENTS["generic 3"]
    figure = arrangement_figure(arrangement)
    tips = {}
    for arrow in named(figure, "arrow-"):
        tips.setdefault(arrow.get_gid()[6:].partition(".")[0], []).append(arrow.get_xy()[1])
    for patch in named(figure, "region-"):
        from matplotlib.path import Path as Outline

        for line, spots in tips.items():
            for spot in spots:
                if Outline(patch.get_xy()).contains_point(spot):
                    assert patch.get_gid()[7:][int(line) - 1] == "+"
    assert set(tips) == {"1", "2", "3"}


def test_many_regions_are_named_only_on_demand():
    arrangement = lines(random_lines(11, 7))
    assert arrangement.n_regions > MOST_LABELS
    assert not named(arrangement_figure(arrangement), "codeword-")
    assert not named(arrangement_figure(ARRANGEMENTS["generic 3"], labels=False), "codeword-")
    figure = arrangement_figure(arrangement, labels=True)
    assert named(figure, "codeword-")
    assert_legible(figure)


def test_lines_are_named_at_the_frame_once_each():
    figure = arrangement_figure(ARRANGEMENTS["duplicate, zero, constant"])
    names = {t.get_text() for t in named(figure, "name-")}
    assert names == {"$H_{1} = H_{2}$", "$H_{3}$"}
    assert any("is constant: sign + everywhere" in t.get_text() for t in texts(figure))


# ---- the pieces of a network ----------------------------------------------------------------------------------------


def random_network(widths, seed, kind="rational", silent=False):
    rng = random.Random(seed)
    layers = network(rng, widths, kind)
    return as_network(lean(layers, rng) if silent else layers)


BOX = Polyhedron.box([(-3, 3)] * 2)
COMPLEXES = {
    "plane": Complex(random_network((2, 4, 3), 1)),
    "plane, lean": Complex(random_network((2, 4, 3), 3, silent=True)),
    "box": Complex(random_network((2, 4, 3), 2), BOX),
    "deep": Complex(random_network((2, 5, 5, 3), 8), BOX),
    "wide": Complex(random_network((2, 10, 10), 4), BOX),
    "degenerate": Complex(random_network((2, 5, 4), 6, "degenerate")),
    "scaled": Complex(random_network((2, 4, 3), 7, "scaled")),
    "orthant": Complex(random_network((2, 4, 3), 5, silent=True), Polyhedron.orthant(2)),
    "triangle": Complex(random_network((2, 5, 3), 6), Polyhedron.simplex(2)),
}


@pytest.mark.parametrize("name", COMPLEXES)
def test_every_cell_is_drawn_and_the_dead_ones_hatched(name):
    complex_ = COMPLEXES[name]
    figure = complex_figure(complex_)
    assert len(named(figure, "cell-")) == complex_.n_regions
    constant = 0
    for cell in complex_.cells:
        p = cell.interior_point()
        nearby = [*cell.vertices, *(tuple(x + d for x, d in zip(p, r, strict=True)) for r in (*cell.rays, *cell.lines))]
        constant += all(complex_.network(q) == complex_.network(p) for q in nearby)
    assert len(named(figure, "dead-")) == constant
    assert_legible(figure)


@pytest.mark.parametrize("name", ["plane, lean", "deep", "orthant"])
def test_the_silent_cells_of_a_layer(name):
    complex_ = COMPLEXES[name]
    network_ = complex_.network
    for layer in range(1, network_.depth + 1):
        figure = complex_figure(complex_, layer=layer)
        part = Complex(network_, complex_.domain, layer)
        silent = [cell for cell in part.cells if max(cell.sign[-network_.widths[layer - 1] :]) <= 0]
        assert len(named(figure, "cell-")) == part.n_regions
        assert len(named(figure, "dead-")) == len(silent)


def test_walls_are_those_of_the_graph():
    complex_ = COMPLEXES["box"]
    expected = {(d["layer"], d["neuron"]) for _, _, d in complex_.graph().edges(data=True)}
    drawn = {
        tuple(map(int, a.get_gid().partition(".")[0].split("-")[1:])) for a in named(complex_figure(complex_), "wall-")
    }
    assert drawn == expected


def test_neighbours_have_different_colours():
    figure = complex_figure(COMPLEXES["deep"])
    cells = {a.get_gid(): a for a in named(figure, "cell-")}
    dead = {a.get_gid().replace("dead", "cell") for a in named(figure, "dead-")}
    sides = {}
    for gid, cell in cells.items():
        spots = [tuple(np.round(p, 6)) for p in cell.get_xy()]
        for p, q in pairwise(spots):
            sides.setdefault(frozenset((p, q)), []).append(gid)
    met = [pair for pair in sides.values() if len(pair) == 2 and not dead & set(pair)]
    assert len(met) > 10
    assert all(cells[a].get_facecolor() != cells[b].get_facecolor() for a, b in met)


# ---- images ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("signs", list(product((1, -1), repeat=3)))
def test_the_missing_codeword_alone_is_missing(signs):
    A, b = first_layer_missing(signs)
    found = {tuple(s) for s in Arrangement(A, b).signs.tolist()}
    assert found == set(product((1, -1), repeat=3)) - {signs}
    figure = image_figure(Network.from_layers([(A, b, "relu")]))
    assert f"missing: {code(signs)}" in next(t.get_text() for t in texts(figure) if "missing" in t.get_text())
    pieces = {a.get_gid()[5:8] for a in named(figure, "face-")}
    assert pieces == {code(s) for s in found}
    assert {t.get_text() for t in named(figure, "image-codeword-")} == pieces
    assert_legible(figure)


def test_codewords_are_read_in_three_ways():
    assert first_layer_missing("+-−") == first_layer_missing((1, -1, -1)) == first_layer_missing({0})
    for bad in ("++", "+++-", "abc", (1, 0, 1), {3}, None, 5):
        with pytest.raises(InputError, match="codeword"):
            first_layer_missing(bad)


def test_axes_of_an_image_are_outputs():
    shown = {t.get_text() for t in texts(image_figure(Network.from_layers([(*first_layer_missing("--+"), "relu")])))}
    assert {"$y_1$", "$y_2$", "$y_3$"} <= shown  # z is what a neuron has before the rectifier


@pytest.mark.parametrize(("domain", "size", "cut"), [(BOX, None, False), (BOX, 1, True), (None, None, True)])
def test_an_image_is_said_to_be_cut_off_where_it_is(domain, size, cut):
    net = Network.from_layers([([[1, 0], [0, 1], [1, 1]], [0, 0, -1], "relu")])
    figure = image_figure(net if domain is None else Complex(net, domain), size=size)
    assert any("cut off" in t.get_text() for t in texts(figure)) == cut


def test_polygons_of_an_image_are_the_image():
    A, b = first_layer_missing("--+")
    net = Network.from_layers([(A, b, "relu")])
    limit = Fraction(5)
    found = image_pieces([net.neuron(1, i) for i in range(3)], Polyhedron.space(2), limit)
    pieces = Complex(net).image(1)
    box = Polyhedron.box([(0, limit)] * 3)
    expected = {frozenset(piece.intersection(box).vertices) for piece in pieces}
    assert {frozenset(points) for points in found.values()} == expected


@pytest.mark.parametrize("seed", range(6))
def test_images_of_random_first_layers(seed):
    kind = ("rational", "ternary", "degenerate")[seed % 3]
    net = random_network((2, 3), seed, kind)
    figure = image_figure(Complex(net, BOX) if seed % 2 else net)
    assert {t.get_text() for t in named(figure, "image-codeword-")} == {
        a.get_gid()[5:8] for a in named(figure, "face-")
    }


# ---- files ----------------------------------------------------------------------------------------------------------

START = {".svg": b"<?xml", ".pdf": b"%PDF", ".png": b"\x89PNG"}


@pytest.mark.parametrize(
    ("what", "kind"),
    [("arrangement", ".svg"), ("complex", ".svg"), ("image", ".svg"), ("image", ".pdf"), ("complex", ".png")],
)
def test_files_are_the_same_each_time(tmp_path, what, kind):
    draw = {
        "arrangement": lambda path: plots.plot_arrangement(ARRANGEMENTS["duplicate, zero, constant"], path),
        "complex": lambda path: plots.plot_complex(COMPLEXES["box"], path, layer=2),
        "image": lambda path: plots.plot_image(Network.from_layers([(*first_layer_missing("---"), "relu")]), path),
    }[what]
    draw(tmp_path / f"a{kind}")
    draw(tmp_path / f"b{kind}")
    data = (tmp_path / f"a{kind}").read_bytes()
    assert data == (tmp_path / f"b{kind}").read_bytes()
    assert data.startswith(START[kind])


def test_the_users_settings_change_nothing_and_are_not_changed(tmp_path):
    import matplotlib

    plots.plot_arrangement(ARRANGEMENTS["one"], tmp_path / "a.svg")
    with matplotlib.rc_context({"font.size": 30, "lines.linewidth": 9, "text.color": "red", "svg.fonttype": "none"}):
        before = dict(matplotlib.rcParams)
        plots.plot_arrangement(ARRANGEMENTS["one"], tmp_path / "b.svg")
        assert dict(matplotlib.rcParams) == before
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_an_svg_file_says_what_it_shows(tmp_path):
    from xml.etree import ElementTree

    plots.plot_arrangement(ARRANGEMENTS["generic 4"], tmp_path / "a.svg")
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    assert root.find("{http://www.w3.org/2000/svg}title").text == "An arrangement of 4 lines in the plane"
    about = " ".join(e.text for e in root.iter("{http://purl.org/dc/elements/1.1/}description"))
    assert "11 regions" in about and all(code(s) in about for s in ARRANGEMENTS["generic 4"].signs.tolist())
    names = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(names) == len(set(names))
    assert b"date" not in (tmp_path / "a.svg").read_bytes()


def test_what_cannot_be_drawn_is_refused_in_one_line(tmp_path):
    four = ARRANGEMENTS["generic 4"]
    space = Arrangement([[1, 0, 0]], [0])
    flat = lines([(0, 1, 0)], Polyhedron.box([(0, 1), (0, 0)]))
    narrow = Network.from_layers([([[1], [1]], [0, 0], "relu")])
    good = tmp_path / "a.png"
    refused = [
        ("pdf, .png, .svg", lambda: plots.plot_arrangement(four, tmp_path / "a.jpg")),
        ("pdf, .png, .svg", lambda: plots.plot_complex(COMPLEXES["box"], tmp_path / "a")),
        ("R\\^3 cannot be drawn", lambda: plots.plot_arrangement(space, good)),
        ("no interior", lambda: plots.plot_arrangement(flat, good)),
        ("view", lambda: plots.plot_arrangement(four, good, view=((0, 0), (1, 2)))),
        ("view", lambda: plots.plot_arrangement(four, good, view=(0, 1))),
        ("view", lambda: plots.plot_arrangement(four, good, view=5)),
        ("view", lambda: plots.plot_arrangement(ON_A_LINE["on an interval"], good, view=(5, 6))),
        ("view", lambda: plots.plot_arrangement(ARRANGEMENTS["on a box"], good, view=((5, 6), (5, 6)))),
        ("view", lambda: plots.plot_complex(COMPLEXES["box"], good, view=((5, 6), (5, 6)))),
        ("reads R\\^1", lambda: plots.plot_complex(Complex(narrow), good)),
        ("layer 3", lambda: plots.plot_complex(COMPLEXES["box"], good, layer=3)),
        ("R\\^2 -> R\\^4", lambda: plots.plot_image(COMPLEXES["box"], good)),
        ("R\\^1 -> R\\^2", lambda: plots.plot_image(narrow, good)),
        ("size", lambda: plots.plot_image(random_network((2, 3), 1), good, size=0)),
        ("No such file", lambda: plots.plot_arrangement(four, tmp_path / "no" / "a.png")),
    ]
    for pattern, draw in refused:
        with pytest.raises(InputError, match=pattern) as problem:
            draw()
        assert "\n" not in str(problem.value)
    assert not list(tmp_path.iterdir())


def test_matplotlib_is_imported_only_to_draw():
    program = (
        "import geomrelu, geomrelu.plots, sys; print('matplotlib' in sys.modules, 'matplotlib.pyplot' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["False", "False"]


def test_a_constant_neuron_of_an_image_keeps_its_value():
    net = Network.from_layers([([[1, 0], [0, 1], [0, 0]], [0, 0, 2], "relu")])
    pieces = image_pieces([net.neuron(1, i) for i in range(3)], Polyhedron.space(2), Fraction(5))
    assert set(pieces) == {(1, 1, 1), (1, -1, 1), (-1, 1, 1), (-1, -1, 1)}
    assert {p[2] for corners in pieces.values() for p in corners} == {2}
