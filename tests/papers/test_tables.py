"""Tables in five formats, simulations against closed forms, figures as files."""

from __future__ import annotations

import csv
import json
import math
import re
from fractions import Fraction

import numpy as np
import pytest
import sympy

from geomrelu import InputError
from geomrelu.cli.main import main
from geomrelu.geometry import region_formulas
from geomrelu.papers import figures, simulations
from geomrelu.papers.simulations import SCHEMES, Living, living, survivors, widths_along
from geomrelu.papers.tables import FORMATS, TABLES, Table, safe_width
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.initialisation import Initialisation
from geomrelu.random_networks.intervals import clopper_pearson

pytestmark = pytest.mark.slow

FAST = [name for name in TABLES if name not in ("exact-alive", "orbit-counts")]


# ---- tables -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAST)
def test_formats_agree(name):
    table = TABLES[name]()
    rows = list(csv.reader(table.render("csv").splitlines()))
    assert len(rows) == len(table.rows) + 1 and {len(r) for r in rows} == {len(table.columns)}
    loaded = json.loads(table.render("json"))["rows"]
    assert [[str(v) for v in row.values()] for row in loaded] == rows[1:]
    markdown = table.render("markdown").splitlines()[2:]
    assert len({len(line) for line in markdown}) == 1 and len(markdown) == len(rows) + 1
    latex = table.render("latex")
    assert latex.count(r"\\") == len(rows) and latex.count("$") % 2 == 0
    assert all(f"\\{rule}" in latex for rule in ("toprule", "midrule", "bottomrule"))


@pytest.mark.parametrize("name", FAST)
def test_a_terminal_shows_no_latex(name):
    """Neither do CSV and JSON; as text the columns stand below each other."""
    table = TABLES[name]()
    for format_ in ("text", "csv", "json"):
        shown = table.render(format_)
        assert "$" not in shown and "**" not in shown.splitlines()[0]
        assert not re.search(r"\\(?!u[0-9a-f]{4})", shown), format_  # JSON writes ≥ as \\u2265
    title, _, _, rule, *rows = table.render("text").splitlines()
    starts = [found.start() for found in re.finditer(r"-+", rule)]
    assert title == table.title and len(rows) == len(table.rows) and len(starts) == len(table.columns)
    assert all(line[at - 1 : at] in ("", " ") for line in rows for at in starts[1:])


def test_formulas_as_text():
    table = Table("t", (r"$n_0 \leq 2^{n_1 - 1}$", r"on $R^{n_0}$"), ((sympy.Symbol("x") ** 2, r"$P(\theta \leq 0)$"),))
    assert table.render("text").splitlines()[2:] == [
        "n0 ≤ 2^(n1 - 1)  on R^n0", "---------------  --------", "x^2              P(θ ≤ 0)"
    ]  # fmt: skip
    assert table.render("csv") == "n0 ≤ 2^(n1 - 1),on R^n0\nx**2,P(θ ≤ 0)"


def test_cells():
    table = Table("t", ("a_b", "$x$"), ((Fraction(1, 3), "50 %"), (closed_forms.rai_sigma(), "p | q")))
    assert r"a\_b & $x$" in table.render("latex") and r"$\frac{1}{3}$ & 50 \%" in table.render("latex")
    assert r"p \| q" in table.render("markdown")
    with pytest.raises(InputError):
        table.render("html")


def test_every_closed_form_is_in_a_table(monkeypatch):
    called = set()

    def recorded(name, function):
        def call(*arguments):
            called.add(name)
            return function(*arguments)

        return call

    for module in (closed_forms, region_formulas):
        for name in module.__all__:
            monkeypatch.setattr(module, name, recorded(name, getattr(module, name)))
    for name in ("formulas", "dying", "regions", "network-regions", "one-dim"):
        TABLES[name]()
    assert called == {*closed_forms.__all__, *region_formulas.__all__}


def test_formulas_in_markdown_are_mathematics():
    """Stars would mean bold."""
    shown = TABLES["formulas"]().render("markdown")
    assert "**" not in shown and r"$\left(1 - 2^{- n}\right)^{k}$" in shown


def test_exact_table_is_counted():
    assert all(row[-1] == "yes" for row in TABLES["exact-alive"]().rows)


@pytest.mark.parametrize("dying", [Fraction(1, 10), Fraction(1, 100), Fraction(1, 2)])
def test_safe_width_is_the_least(dying):
    for layers in (1, 2, 10, 100):
        n = safe_width(layers, dying)
        assert closed_forms.dying_bound(*[n] * layers) <= dying
        assert n == 1 or closed_forms.dying_bound(*[n - 1] * layers) > dying


@pytest.mark.parametrize(
    "asked", [lambda: safe_width(1.5, Fraction(1, 2)), lambda: safe_width(2, 1), lambda: widths_along(1, 8)]
)
def test_what_no_width_can_do_is_refused(asked):
    with pytest.raises(InputError):
        asked()


# ---- simulations ------------------------------------------------------------------------------------------------


def test_living_data_follow_the_lower_bound():
    plan = Living((1, 2, 4), depth=6, networks=400, points=1)
    found = living(plan)
    for n in plan.widths:
        for k in (1, 3, 6):
            low, high = clopper_pearson(found[n, "iid"].living[k - 1], 400, 0.9999)
            assert low <= closed_forms.lower_bound(n, k) <= high
        assert found[n, "iid"].alive == found[n, "iid"].living  # one point: a network lives if it does


def test_sign_flipping_and_normalisation_keep_their_promises():
    found = living(Living((1, 2, 3), depth=5, networks=64, points=40))
    for n in (1, 2, 3):
        assert all(a == 64 for a in found[n, "sign-flip"].alive)  # at least 2^-k of the data, so at least one of 40
        assert all(v >= 64 * math.ceil(40 / 2**k) for k, v in enumerate(found[n, "sign-flip"].living, 1))
        assert found[n, "batch-norm"].alive[0] == 64
        assert list(found[n, "iid"].alive) == sorted(found[n, "iid"].alive, reverse=True)


@pytest.mark.parametrize("law", ["cauchy", "normal", "uniform"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shrink", [2.0**-100, 2.0**100])
def test_depth_256_neither_overflows_nor_underflows(law, bias, shrink):
    """Scaling all parameters of a bias-free network changes nothing; with biases numbers stay finite."""

    class Scaled(Initialisation):
        def layers(self, rng, count, fan_in, fan_out):
            weights, constants = super().layers(rng, count, fan_in, fan_out)
            return weights * shrink, constants * shrink

    data = np.random.default_rng(1).standard_normal((6, 20))
    law = law, "none" if law == "cauchy" else "he", "same" if bias else "zero"
    found = survivors(data, Scaled(*law), np.random.default_rng(2), 8, 256, normalised_variance=True)
    assert all(np.isfinite(part).all() for part in found[:2])
    if not bias:
        plain = survivors(data, Initialisation(*law), np.random.default_rng(2), 8, 256)
        assert (found[0] == plain[0]).all() and (found[1] == plain[1]).all()


def test_survivors_against_exact_passes():
    """Floats against fractions, network by network."""
    drawn = []

    class Recorded(Initialisation):
        def layers(self, rng, count, fan_in, fan_out):
            drawn.append(tuple(np.round(64 * part) / 64 for part in super().layers(rng, count, fan_in, fan_out)))
            return drawn[-1]

    data = np.round(16 * np.random.default_rng(3).standard_normal((2, 6))) / 16
    for seed in range(20):
        drawn.clear()
        alive, points, _ = survivors(data, Recorded(), np.random.default_rng(seed), 1, 12)
        living_points = [True] * 6
        values = [[Fraction(v) for v in column] for column in data.T]
        for k, (weights, bias) in enumerate(drawn):
            z = [
                [
                    sum((Fraction(w) * v for w, v in zip(row, x, strict=True)), Fraction(b))
                    for row, b in zip(weights[0], bias[0], strict=True)
                ]
                for x in values
            ]
            living_points = [old and max(v) > 0 for old, v in zip(living_points, z, strict=True)]
            values = [[max(v, Fraction(0)) for v in x] for x in z]
            assert points[k] == sum(living_points) and alive[k] == any(living_points)


def test_widths_along_a_target():
    assert widths_along(0.5, 4)[0] == 1
    for p in simulations.TARGETS:
        widths = widths_along(p, 256)
        assert widths == sorted(widths)
        exact = [
            float(closed_forms.width_for_depth(k, Fraction(p).limit_denominator(10)).evalf()) for k in (1, 10, 256)
        ]
        assert [widths[k - 1] for k in (1, 10, 256)] == [max(1, round(x)) for x in exact]


@pytest.mark.parametrize(
    "arguments", [{"widths": (0,)}, {"depth": 0}, {"schemes": ("magic",)}, {"law": "gama"}, {"networks": -1}]
)
def test_unusable_plans_are_refused(arguments):
    with pytest.raises(InputError):
        Living(**arguments)


# ---- figures and commands ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["figure-1", "figure-2", "figure-5", "safe-region"])
@pytest.mark.parametrize("suffix", [".pdf", ".png", ".svg", ".json"])
def test_simulate_writes_the_same_bytes_twice(name, suffix, tmp_path):
    networks, widths = ["--networks", "4", "--points", "5", "--depth", "6"], ["--widths", "2,3"]
    options = {"figure-1": networks + widths, "figure-2": networks, "figure-5": ["--share", "0.002", *widths]}
    small = options.get(name, [])
    paths = [tmp_path / f"{i}{suffix}" for i in range(2)]
    for path in paths:
        assert main(["simulate", name, "-o", str(path), *small]) == 0
    assert paths[0].read_bytes() == paths[1].read_bytes() and paths[0].stat().st_size > 100
    if suffix == ".json":
        json.loads(paths[0].read_text())


def test_bounds_are_dashed_and_estimates_solid():
    figure = figures.figure_one(living(Living((1, 2), depth=4, networks=8, points=4)))
    styles = [line.get_linestyle() for line in figure.axes[0].lines]
    assert styles == ["-", "--", "--"] * 2
    assert len(figure.axes) == 1 + len(SCHEMES)
    five = figures.figure_five(simulations.figure_five((2,), (1, 2), share=0.01))
    assert "--" in {line.get_linestyle() for line in five.axes[0].lines}


def test_what_is_proved_of_a_point_of_figure_five_is_said(tmp_path):
    path = tmp_path / "five.json"
    assert main(["simulate", "figure-5", "-o", str(path), "--share", "0.0005", "--widths", "2"]) == 0
    known = [(e["exact"], e["proved_by"]) for e in json.loads(path.read_text())]
    assert known[:2] == [("1/8", "narrow-first-layer"), ("5/64", "one-more-than-input")]
    assert set(known[2:]) == {(None, None)}


def test_whole_numbers_of_a_table_are_numbers():
    row = json.loads(TABLES["regions"]().render("json"))["rows"][0]
    assert row == {"n": 1, "m": 2, "regions": 3, "bounded": 1, "central": 2}
    assert json.loads(TABLES["bounds"]().render("json"))["rows"][0]["v(n, k)"] == "1"  # others there are fractions


def test_commands_refuse_in_one_line(capsys, tmp_path):
    assert main(["table", "no-such"]) == 2
    assert main(["simulate", "figure-5", "-o", str(tmp_path / "x.gif")]) == 2
    assert main(["simulate", "safe-region", "-o", str(tmp_path / "no" / "x.pdf")]) == 2
    assert capsys.readouterr().err.count("\n") == 3
    assert main(["table"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in TABLES)
    for format_ in FORMATS:
        assert main(["table", "safe-widths", "--format", format_]) == 0
