"""What figures of the papers show: all that was asked for, and what their intervals are."""

from __future__ import annotations

from matplotlib.container import ErrorbarContainer

from geomrelu.papers import figures, simulations
from geomrelu.papers.figures import figure_five, figure_one, safe_region
from geomrelu.random_networks.by_orbits import by_orbits
from geomrelu.random_networks.experiment import Experiment


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_all_widths_that_were_asked_for_are_drawn(monkeypatch, tmp_path):
    from geomrelu.cli.main import main

    drawn = {}
    monkeypatch.setattr(figures, "save", lambda figure, path: drawn.setdefault("figure", figure))
    size = ["--networks", "4", "--points", "4", "--depth", "3"]
    assert main(["simulate", "figure-1", *size, "--widths", "2,3,5", "-o", str(tmp_path / "f.svg")]) == 0
    assert legend(drawn["figure"]) == ["n = 2", "n = 3", "n = 5", "$2^{-k}$"]


def test_figure_one_says_the_level_of_its_bands():
    plan = simulations.Living(widths=(1, 2, 4, 6), depth=4, networks=4, points=4, schemes=("iid", "sign-flip"), seed=0)
    found = simulations.living(plan)
    figure = figure_one(found, level=0.9)
    assert legend(figure) == ["n = 1", "n = 2", "n = 4", "n = 6", "$2^{-k}$"]
    assert figure.axes[0].get_title().endswith("; intervals at 90 %")
    assert legend(figure_one(found, shown=(2, 6))) == ["n = 2", "n = 6", "$2^{-k}$"]


def test_figure_five_says_its_level_and_intervals_do_not_hide_each_other():
    found = {
        (n0, n1): by_orbits(Experiment("stably-unactivated", (n0, n1)), 4, seed=0) for n0 in (1, 2) for n1 in (n0, 4)
    }
    figure = figure_five(found)
    (ax,) = figure.axes
    assert ax.get_title() == "$4^{-(n_0 + 1)}$ dashed; intervals at 95 %"
    assert legend(figure) == ["$n_0 = 1$", "$n_0 = 2$"]
    places = [c.lines[0].get_xdata() for c in ax.containers if isinstance(c, ErrorbarContainer)]
    assert [[round(x) for x in own] for own in places] == [[0, 3], [0, 2]] and places[0][0] < places[1][0]


def test_the_safe_region_names_its_risks():
    figure = safe_region([1, 2], {0.1: [4, 5], 0.01: [7, 8]})
    assert [t.get_text() for t in figure.axes[0].get_legend().get_texts()] == ["P(dies) < 10 %", "P(dies) < 1 %"]
