"""The census, and the commands that print it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from fractions import Fraction

import networkx
import numpy as np
import pytest
from commands import run

from geomrelu import Arrangement, Budget, Network, Polyhedron, budget
from geomrelu.geometry import catalogue, regions
from geomrelu.network import region_count

LINES = {"A": [[1, 0], [0, 1], [1, 1], [1, -1], [2, 0], [0, 0]], "b": [0, 0, -1, 3, 0, 1]}
ZASLAVSKY = "by Zaslavsky's theorem"
NET = {
    "layers": [
        {"weights": [[1, 0], [0, 1], [1, 1]], "bias": [0, 0, -1]},
        {"weights": [[1, -2, 1], [-1, -1, -1]], "bias": ["1/2", 0]},
    ]
}


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "lines.json"
    path.write_text(json.dumps(LINES))
    return str(path)


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "net.json"
    path.write_text(json.dumps(NET))
    return str(path)


def test_an_arrangement(capsys, lines, tmp_path):
    graph = tmp_path / "g.graphml"
    more = ("--signs", "--witnesses", "--faces", "--polynomial", "--graph", graph)
    code, out, err = run(capsys, "regions", lines, "--format", "json", *more)
    assert (code, err) == (0, "")
    found = json.loads(out)
    rows = found.pop("list")
    arrangement = Arrangement.from_file(lines)
    assert len(rows) == len({row["signs"] for row in rows}) == 11
    for row in rows:
        assert "".join("-0+"[s + 1] for s in arrangement.code(row["witness"])) == row["signs"]
        assert row["signs"][0] == row["signs"][4] and row["signs"][5] == "+"
    assert found == {
        "file": lines,
        "domain": None,
        "forms": 6,
        "hyperplanes": 4,
        "dimension": 2,
        "rank": 2,
        "zaslavsky": 11,
        "regions": 11,
        "complete": True,
        "reason": None,
        "bounded": 3,
        "generic": True,
        "f_vector": [6, 16, 11],
        "characteristic_polynomial": {"coefficients": [1, -4, 6], "regions": 11, "bounded": 3, "agrees": True},
        "graph": {"nodes": 11, "edges": 16},
    }
    read = networkx.read_graphml(graph)
    assert set(read) == {row["signs"] for row in rows}
    for u, v, data in read.edges(data=True):
        assert u[data["hyperplane"]] != v[data["hyperplane"]]
    code, out, err = run(capsys, "regions", lines, *more)
    assert (code, err) == (0, "")
    assert out.splitlines()[11:] == [
        "11 regions: 4 hyperplanes (6 forms) of rank 2 in R^2.",
        "3 of them bounded.",
        "In general position: so many hyperplanes have at most 11 regions (Zaslavsky).",
        "Faces: 6 of dimension 0, 16 of dimension 1, 11 of dimension 2.",
        f"Characteristic polynomial: t^2 - 4 t + 6; {ZASLAVSKY} 11 regions, 3 of them bounded: the numbers counted.",
        "Graph: 11 nodes, 16 edges.",
    ]


def test_an_arrangement_on_a_domain(capsys, lines):
    code, out, err = run(capsys, "regions", lines, "--domain", "box:-1,1", "--polynomial")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "5 regions: 4 hyperplanes (6 forms) of rank 2 in R^2 on box:-1,1.",
        "5 of them bounded.",
        f"Characteristic polynomial: t^2 - 4 t + 6; {ZASLAVSKY} 11 regions, 3 of them bounded in all of R^n.",
    ]


def test_parallels_are_relatively_bounded(capsys, tmp_path):
    path = tmp_path / "p.json"
    path.write_text('{"A": [[1, 0], [1, 0], [1, 0]], "b": [0, 1, 2]}')
    code, out, _ = run(capsys, "regions", path, "--polynomial")
    assert code == 0
    assert out.splitlines()[:2] == ["4 regions: 3 hyperplanes of rank 1 in R^2.", "2 of them relatively bounded."]
    assert f"t^2 - 3 t; {ZASLAVSKY} 4 regions, 2 of them relatively bounded: the numbers counted." in out


def test_a_bound_that_would_take_long_is_not_computed(capsys, net, monkeypatch):
    """In thousands of dimensions its numbers have thousands of digits: it went on for long after the end of --time."""
    monkeypatch.setattr(region_count, "COSTLY", 19)  # 2 inputs, layers of 3 and 2 neurons: 2 * 2 * (3 + 2)
    code, out, err = run(capsys, "regions", net, "--domain", "box:-1,1", "--format", "json")
    assert (code, err) == (0, "") and json.loads(out)["at_most"] is None
    assert "at most" not in run(capsys, "regions", net, "--domain", "box:-1,1")[1]
    monkeypatch.setattr(region_count, "COSTLY", 20)
    assert json.loads(run(capsys, "regions", net, "--domain", "box:-1,1", "--format", "json")[1])["at_most"] == 25


def test_a_network(capsys, net, tmp_path):
    graph = tmp_path / "g.graphml"
    more = ("--witnesses", "--faces", "--graph", graph)
    code, out, err = run(capsys, "regions", net, "--domain", "box:-1,1", "--format", "json", *more)
    assert (code, err) == (0, "")
    found = json.loads(out)
    network = Network.from_file(net)
    for row in found["list"]:
        values = [v for layer in network.pre_activations(row["witness"]) for v in layer]
        assert "".join("-0+"[(v > 0) - (v < 0) + 1] for v in values) == row["signs"]
    assert found["regions"] == len(found["list"]) == found["graph"]["nodes"] == found["f_vector"][2] == 8
    assert sum((-1) ** d * f for d, f in enumerate(found["f_vector"])) == 1
    assert (found["widths"], found["at_most"], found["dead"]) == ([3, 2], 25, [[], [1]])
    code, out, err = run(capsys, "regions", net, "--domain", "box:-1,1", "--layers", "1")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "5 regions: ReLU layers of widths 3 on R^2 on box:-1,1."
    code, out, err = run(capsys, "regions", net)
    assert (code, out.splitlines()[2]) == (0, "Dead in layer 2: neuron 1.")


def test_a_network_with_too_many_inputs_for_generators(monkeypatch):
    rng = np.random.default_rng(1)
    layers = [(rng.integers(-3, 4, (4, 3)).tolist(), [1, 0, -1, 2], "relu")]
    layers.append((rng.integers(-3, 4, (3, 4)).tolist(), [0, 1, -1], "relu"))
    network, domain = Network.from_layers(layers), Polyhedron.box([(-1, 1)] * 3)

    def signs():
        found = []
        region_count.of_network(
            network, domain, None, region_count.Wanted(), Budget(), lambda s, _: found.extend(s.tolist())
        )
        return sorted(found)

    small = signs()
    monkeypatch.setattr(region_count, "MOST_INPUTS", 2)
    assert signs() == small
    with pytest.raises(region_count.InputError, match="too many vertices"):
        region_count.of_network(network, domain, None, region_count.Wanted(faces=True), Budget(), lambda s, _: None)


def test_budgets_end_with_what_was_found(capsys, lines, net, monkeypatch):
    for path, extra in ((lines, ()), (net, ("--domain", "box:-1,1"))):
        code, out, err = run(capsys, "regions", path, *extra, "--regions", "4", "--signs")
        assert (code, err) == (3, "")
        rows = out.splitlines()
        assert rows[-1] == "Not finished: the budget for it, 4 regions, is spent."
        assert sum(row.startswith("At least") for row in rows) == 1
        code, out, err = run(capsys, "regions", path, *extra, "--regions", "4", "--format", "json")
        found = json.loads(out)
        assert (code, err, found["complete"], "bounded" in found) == (3, "", False, False)
        assert found["regions"] <= 4
    monkeypatch.setattr(regions, "MOST_SUBSETS", -1)  # the tree of programs, on a clock that ticks when looked at
    ticks = iter(range(10**6))
    monkeypatch.setattr(budget.time, "monotonic", lambda: next(ticks))
    got = []
    found = region_count.of_arrangement(
        catalogue.generic(2, 12, seed=1),
        region_count.Wanted(),
        Budget(seconds=300),
        lambda signs, _: got.append(len(signs)),
    )
    assert (found["complete"], found["reason"]) == (False, "the time for it, 300 s, is over")
    assert 0 < found["regions"] == sum(got) < 79


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("regions", "none.json"), "none.json: No such file"),
        (("regions", "LINES", "--layers", "1"), "--layers is for networks"),
        (("regions", "NET", "--polynomial"), "--polynomial is for arrangements"),
        (("regions", "NET", "--layers", "5"), "2 ReLU layers"),
        (("regions", "LINES", "--time", "0"), "--time must be positive"),
        (("regions", "LINES", "--domain", "R^3"), "the model reads R^2"),
        (("regions", "LINES", "--graph", "/nowhere/g.graphml"), "there is no directory"),
        (("regions", "POINTS"), "must be an object"),
        (("regions", "LINES", "--domain", "POINTS"), "no finite set, ellipsoid or union"),
        (("plot", "arrangement", "-o", "a.svg"), "give a FILE"),
        (("plot", "image", "NET", "--missing", "+-+", "-o", "a.svg"), "one of them"),
        (("plot", "image", "--missing", "+-", "-o", "a.svg"), "codeword"),
        (("plot", "complex", "NET", "--missing", "+-+", "-o", "a.svg"), "--missing is for images"),
        (("plot", "image", "NET", "--layer", "1", "-o", "a.svg"), "--layer is for complexes"),
        (("plot", "arrangement", "LINES", "-o", "a.txt"), ".pdf, .png, .svg"),
        (("plot", "image", "NET", "--view=0,1,0,1", "-o", "a.svg"), "--view is for arrangements and complexes"),
        (("plot", "complex", "NET", "--view=0,1,0", "-o", "a.svg"), "--view is X0,X1,Y0,Y1"),
        (("plot", "arrangement", "LINES", "--view=0,1", "-o", "a.svg"), "a view is (x0, x1), (y0, y1)"),
        (("plot", "arrangement", "LINES", "--view=0,1,0,top", "-o", "a.svg"), "--view: 'top' is not a rational"),
        (("plot", "arrangement", "LINES", "--view=0,1,1/2,0.5", "-o", "a.svg"), "the view is empty"),
    ],
)
def test_bad_input_is_one_line(capsys, lines, net, tmp_path, monkeypatch, arguments, text):
    points = tmp_path / "points.json"
    points.write_text("[[0, 0]]")
    monkeypatch.chdir(tmp_path)
    names = {"LINES": lines, "NET": net, "POINTS": points}
    code, out, err = run(capsys, *(names.get(a, a) for a in arguments))
    assert (code, out) == (2, "")
    assert text in err
    assert err.count("\n") == 1


def test_plots_are_written(capsys, lines, net, tmp_path):
    for arguments in (
        ("arrangement", lines),
        ("arrangement", net),
        ("complex", net, "--domain", "box:-1,1"),
        ("complex", net, "--layer", "1"),
        ("image", net),
        ("image", "--missing=--+"),
        ("arrangement", lines, "--view=-1,1,-1/2,1e-3"),
        ("complex", net, "--view=0,1,0.5,2"),
    ):
        target = tmp_path / "picture.svg"
        code, out, err = run(capsys, "plot", *arguments, "-o", target)
        assert (code, out, err) == (0, f"wrote {target}\n", "")
        assert target.read_text().startswith("<?xml")
        target.unlink()


def test_the_view_of_a_plot_is_exact(capsys, lines, net, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr("geomrelu.plots.page.rendered", lambda kind, draw: draw() or b"")
    monkeypatch.setattr("geomrelu.plots.arrangement.arrangement_figure", lambda model, view: seen.append(view))
    monkeypatch.setattr("geomrelu.plots.complex.complex_figure", lambda model, layer, view: seen.append(view))
    for arguments in (("arrangement", lines), ("arrangement", net), ("complex", net)):
        assert run(capsys, "plot", *arguments, "--view=-1/3,0.1,0,1e-30", "-o", tmp_path / "a.svg")[0] == 0
    third, tenth = Fraction(-1, 3), Fraction(1, 10)
    assert seen == [[(third, tenth), (Fraction(0), Fraction(1, 10**30))]] * 3


@pytest.mark.slow
def test_interrupted(tmp_path):
    path = tmp_path / "large.json"
    a = catalogue.resonance(6)
    path.write_text(json.dumps({"A": [row[1:] for row in a.rows]}))
    command = [sys.executable, "-m", "geomrelu", "regions", str(path), "--signs"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert err.strip() == "geomrelu: interrupted"
    assert out.splitlines()[-1] == "Not finished: interrupted."
