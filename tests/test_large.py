"""Large networks: what is not written out, not done twice, and not done after the end.

No test depends on how fast the machine is: what is counted are calls, and what is forbidden raises.
"""

from __future__ import annotations

import json
import random
import threading
from concurrent.futures import Future
from fractions import Fraction
from math import gcd

import numpy as np
import pytest
from commands import run
from polls import Polls

import geomrelu
from geomrelu import Budget, InputError, Network, Polyhedron, parallel
from geomrelu.budget import Exhausted
from geomrelu.certificates import files
from geomrelu.deadness import drop_in, falsify, float_arithmetic, pruning, tightening
from geomrelu.deadness.decide import decide
from geomrelu.deadness.far_out import FarOut
from geomrelu.deadness.problem import Problem
from geomrelu.deadness.ranges import outward
from geomrelu.deadness.relaxation import FloatNetwork
from geomrelu.deadness.report import Report
from geomrelu.exact import affine, numbers
from geomrelu.exact.affine import AffineMap
from geomrelu.geometry.parameters import Parameters
from geomrelu.io import store
from geomrelu.network import line_walk, lp_regions, region_count
from geomrelu.network import network as networks

LAYERS = [([[1, -1], [2, "1/3"], [-1, -1]], ["1/2", 0, -3], "relu"), ([[1, 1, 2]], [-1], "none")]


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.json"
    geomrelu.as_network(LAYERS).save(path)
    return str(path)


def never(*_, **__):
    pytest.fail("this is not needed, and takes long in large networks")


# ---- boxes of many sides ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [Polyhedron.orthant, Polyhedron.space, lambda n: Polyhedron.box([(0, 1)] * n)])
def test_no_side_of_a_large_box_is_written_out(make, monkeypatch):
    small, large = make(3), make(20_000)
    right = small.is_bounded, len(small.inequalities)
    monkeypatch.setattr(Polyhedron, "sides", property(never))
    assert large.is_bounded == right[0] and large.equalities == () and not large.is_empty
    if not large.is_bounded:
        assert large.likely_generators == right[1] // 3 * 20_000 + 1
    assert len(large.interior_point()) == 20_000


def test_a_box_by_parameters_has_the_rows_of_its_sides():
    rng = random.Random(0)
    for _ in range(50):
        ends = [sorted((Fraction(rng.randint(-3, 3), 2), Fraction(rng.randint(-3, 3), 2))) for _ in range(4)]
        box = Polyhedron.box([(rng.choice((low, None)), rng.choice((high, None))) for low, high in ends])
        found = Parameters.of(box, Budget())
        plain = Parameters(found.coordinates, found.denominator, found.dimension, [])
        pulled = [row for row in plain.all_pulled(box.inequalities, Budget()) if any(row[1:])]

        def reduced(row):
            return tuple(v // gcd(*row) for v in row)

        assert sorted(map(reduced, found.rows)) == sorted(map(reduced, pulled))


def test_regions_too_large_to_be_cut_are_met_by_lines(monkeypatch):
    net, box = geomrelu.as_network(LAYERS), Polyhedron.box([(0, 1), (0, 3)])
    monkeypatch.setattr(lp_regions, "MOST", 10)
    monkeypatch.setattr(lp_regions.Parameters, "of", never)
    with pytest.raises(lp_regions.TooMany, match="7 forms in 2 variables"):
        list(lp_regions.cut_network(net, box))
    monkeypatch.setattr(region_count, "MOST_INPUTS", 0)
    found = region_count.of_network(net, box, None, region_count.Wanted(), Budget(300), lambda signs, points: None)
    assert found["regions"] >= 2 and not found["complete"] and "7 forms" in found["reason"]
    flat = Polyhedron.box([(1, 1), (0, 3)])
    monkeypatch.undo()
    monkeypatch.setattr(lp_regions, "MOST", 10)
    assert len(list(lp_regions.cut_network(net, flat))) >= 2  # one variable


def test_networks_are_restricted_to_a_line_while_there_is_time(monkeypatch):
    """The same maps, however many weights are taken at once."""
    rng, watch = random.Random(5), Polls()
    weights = [[Fraction(rng.randint(-3, 3), rng.randint(1, 4)) for _ in range(5)] for _ in range(5)]
    net = Network.from_layers([(weights, range(5), "relu"), (weights[::-1], None, "relu")])
    x, d = [Fraction(k, 3) for k in range(5)], [3, -1, 0, 2, 1]
    whole = line_walk._restricted(net, x, d, 2, watch)
    few, often = watch.polls, Polls()
    for first, map_ in zip((x, None), whole, strict=True):
        if first is not None:
            for t in (0, 1, Fraction(-1, 2)):
                point = [a + t * b for a, b in zip(x, d, strict=True)]
                assert [map_.form(i)([t]) for i in range(5)] == net.pre_activations(point)[0]
    monkeypatch.setattr(line_walk, "SOME", 1)
    parts = line_walk._restricted(net, x, d, 2, often)
    assert often.polls > 4 * few
    forms = [[[m.form(i) for i in range(5)] for m in maps] for maps in (whole, parts)]
    assert forms[0] == forms[1]
    with pytest.raises(Exhausted):
        line_walk._restricted(net, x, d, 2, Polls(5))


# ---- numbers and files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_dyadic_numbers_that_are_all_different(kind, monkeypatch):
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(size=500), rng.normal(size=500) * 1e-5, [0.0, -0.0, np.finfo(kind).tiny / 4]])
    values = values.astype(kind)
    for sample in (4, 100, 10**6):
        monkeypatch.setattr(numbers, "_SAMPLE", sample)
        for some in (values, np.concatenate([values[:3]] * 400)):
            found, denominator = numbers.dyadic(some)
            assert [Fraction(v, denominator) for v in found] == [Fraction(float(v)) for v in some]
            assert {type(v) for v in found} == {int}
        with pytest.raises(InputError, match=r"entry \[1, 7\]: (inf|-inf) is not"):
            bad = values[:1000].reshape(2, 500).copy()
            bad[1, 7] = -np.inf
            numbers.dyadic(bad)


def test_json_is_what_the_module_json_would_write(tmp_path, monkeypatch):
    rng = random.Random(1)
    nets = [geomrelu.as_network(LAYERS)]
    weights = np.random.default_rng(1).normal(size=(40, 30)).astype(np.float32)
    nets.append(Network.from_layers([(weights, weights[:, 0], "relu"), (weights.T, None, "relu")]))
    nets.append(Network.from_layers([([[rng.randint(-1, 1) for _ in range(30)] for _ in range(40)], None, "relu")]))
    for kept in (1, networks.KEPT):
        monkeypatch.setattr(networks, "KEPT", kept)
        for k, net in enumerate(nets):
            layers = []
            for map_, activation in net._maps():
                rows = []
                for i in range(map_.outputs):
                    bias, columns, entries = map_.row(i)
                    cells = ((j, str(Fraction(v, map_.denominator))) for j, v in zip(columns, entries, strict=True))
                    rows.append([str(Fraction(bias, map_.denominator)), *(part for cell in cells for part in cell)])
                layers.append({"rows": rows, "activation": activation})
            assert net.to_json() == json.dumps({"inputs": net.inputs, "layers": layers})
            net.save(tmp_path / f"{k}.json")
            assert (tmp_path / f"{k}.json").read_text() == net.to_json()


def test_matrices_that_would_fill_the_memory_are_refused_before_the_work(model, tmp_path, capsys, monkeypatch):
    few = affine._LARGEST // 8
    monkeypatch.setattr(store, "affordable", lambda count, what: affine.affordable(count, what, few))
    net = Network.from_file(model)
    for kind in ("npz", "onnx"):
        if kind == "onnx":
            pytest.importorskip("onnx")
        path = tmp_path / f"large.{kind}"
        for refused in (net.check_saving, net.save):
            with pytest.raises(InputError, match=r"\(\.json leaves zeros out\): 9 entries, but at most 8"):
                refused(path)
        monkeypatch.setattr("geomrelu.deadness.front_door.decide", never)
        code, out, err = run(capsys, "prune", model, "--domain", "box:0,1", "-o", path)
        assert (code, out, err.count("\n")) == (2, "", 1) and ".json leaves zeros out" in err
        assert not path.exists()
    net.save(tmp_path / "large.json")


def test_whether_floats_are_the_numbers():
    rng = random.Random(2)
    values = np.array([*np.random.default_rng(0).normal(size=50), 0.0, np.inf, np.nan, 5e-324, 1e308])
    for denominator in (1, 3, 2**60, 3 * 2**1074):
        exact = [Fraction(v) if np.isfinite(v) else Fraction(1) for v in values]
        numerators = [int(v * denominator) + (rng.random() < 0.2) for v in exact]
        right = [
            bool(np.isfinite(v)) and Fraction(float(v)) * denominator == n
            for v, n in zip(values, numerators, strict=True)
        ]
        assert float_arithmetic._are_equal(values, numerators, denominator).tolist() == right


def test_the_next_float():
    rng = random.Random(3)
    for _ in range(2000):
        value = Fraction(rng.randint(-(10**25), 10**25), rng.randint(1, 10**25))
        found = outward(value)
        assert Fraction(found) >= value > Fraction(np.nextafter(found, -np.inf))
    assert outward(Fraction(10) ** 400) == np.inf and outward(-(Fraction(10) ** 400)) == -np.finfo(float).max


# ---- prunings -----------------------------------------------------------------------------------------------------


def test_canonical_forms_are_written_where_a_certificate_is(model, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(networks._Model, "whole_digest", never)
    for path in (tmp_path / "smaller.json", tmp_path / "smaller.npz"):
        assert run(capsys, "prune", model, "--domain", "box:0,1", "-o", path)[0] == 0
    found = geomrelu.prune(model, (0, 1))
    assert found.pruning.removed == 1 and "1 dead" in found.pruning.said
    monkeypatch.undo()
    assert found.check() and found.pruning.certificate["claims"] == found.pruning.changes["claims"]


def test_what_is_not_changed_is_not_judged(monkeypatch):
    net, box = Network.from_layers([([[1, 2], [2, 1]], [0, 0], "relu")]), Polyhedron.box([(-1, 1)] * 2)
    monkeypatch.setattr(pruning.changes, "pruned", never)
    monkeypatch.setattr(pruning.changes, "check_changes", never)
    found = pruning.prune(net, box, list(decide(net, box)), fold=False)
    assert found.network is net and (found.removed, found.folded, found.merged) == (0, 0, 0)


def test_no_active_neuron_is_sought_when_the_time_is_over(monkeypatch):
    layers = [([[1, 0], [1, 1], [1, -1]], [1, 1, 0], "relu"), ([[1, 1, 1], [1, -1, 1]], [0, -1], "relu")]
    net, box = geomrelu.as_network(layers), Polyhedron.box([(0, 1)] * 2)
    reports = list(decide(net, box))
    assert pruning.prune(net, box, reports).folded > 0
    monkeypatch.setattr(pruning, "Bench", never)
    assert pruning.prune(net, box, reports, Polls(0)).folded == 0


def test_multiples_are_those_of_all_pairs():
    rng, count = random.Random(4), 0
    for _ in range(100):
        rows = [[rng.randint(-2, 2) for _ in range(3)] for _ in range(6)]
        for k in range(6):
            if rng.random() < 0.5:
                factor = Fraction(rng.randint(-3, 3), 2)
                rows[k] = [factor * v for v in rows[rng.randrange(6)]]
        net = Network.from_layers([([row[1:] for row in rows], [row[0] for row in rows], "relu")])
        found, right = pruning._multiples(net, {}), {}
        for i, row in enumerate(rows):
            for j in range(i):
                factor = next((a / Fraction(b) for a, b in zip(row, rows[j], strict=True) if b), Fraction(0))
                if factor > 0 and any(row[1:]) and row == [factor * v for v in rows[j]] and (1, j) not in right:
                    right[1, i] = ("merged", (j, factor))
                    break
        assert found == right
        count += len(found)
    assert count > 50


def test_maps_have_the_same_numbers_over_any_denominators(monkeypatch):
    monkeypatch.setattr(drop_in, "SOME", 2)
    one = AffineMap.from_dense([[1, "1/2", 0], [0, 3, "5/4"]], ["1/2", 0])
    bias = tuple(3 * b for b in one.bias)
    three = AffineMap(one.inputs, one.indptr, one.indices, one.data * 3, bias, one.denominator * 3)
    assert drop_in._have_same_numbers(one, three) and drop_in._have_same_numbers(three, one)
    for other in ([[1, "1/2", 0], [0, 3, "5/3"]], [[1, 0, "1/2"], [0, 3, "5/4"]], [[1, "1/2", 1], [0, 3, "5/4"]]):
        assert not drop_in._have_same_numbers(one, AffineMap.from_dense(other, ["1/2", 0]))
    assert not drop_in._have_same_numbers(three, AffineMap.from_dense([[1, "1/2", 0], [0, 3, "5/4"]], ["1/2", 1]))


# ---- the end of the time ------------------------------------------------------------------------------------------


def endless(*_, **__):
    while True:
        sum(range(1000))


JSON = {
    "decide": (["--domain", "box:-1,1"], {"killed_by": None, "layers": [], "left_out": []}),
    "decide --data": (["--data", "points.csv"], {"neurons": []}),
    "regions": ([], {"regions": 0, "complete": False}),
    "zeros": (["--line=0,0,1,1"], []),
    "dimension": ([], {"rank": 0, "complete": False}),
}


@pytest.mark.parametrize("command", JSON)
def test_json_is_json_where_reading_takes_all_the_time(command, model, tmp_path, capsys, monkeypatch):
    more, right = JSON[command]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "points.csv").write_text("0,0\n")
    arguments = [command.split()[0], model, *more, "--time", "0.2", "--format"]
    code, whole, _ = run(capsys, *arguments, "json", "--time", "300")
    assert code == 0
    monkeypatch.setattr("geomrelu.network.network.tape_of", endless)
    monkeypatch.setattr("geomrelu.network.front_door.load_judged", endless)
    code, out, err = run(capsys, *arguments, "json")
    found = json.loads(out)
    assert code == 3 and err.count("\n") == 1 and "is over before" in err
    if isinstance(right, dict):
        assert found.items() >= right.items() and "is over before" in found["reason"]
        assert set(found) <= set(json.loads(whole)) | {"reason"}
    else:
        assert found == right
    assert run(capsys, *arguments, "table")[:2] == (3, "")


def test_a_query_is_unknown_where_reading_takes_all_the_time(model, tmp_path, capsys, monkeypatch):
    query = tmp_path / "q.vnnlib"
    query.write_text("(declare-const X_0 Real)\n(declare-const Y_0 Real)\n(assert (<= X_0 1))\n(assert (>= Y_0 1))\n")
    monkeypatch.setattr("geomrelu.network.network.tape_of", endless)
    arguments = ["solve", query, "--network", f"f={model}", "--time", "0.2"]
    code, out, err = run(capsys, *arguments)
    assert (code, out.splitlines()[0], err) == (3, "unknown", "") and "is over before" in out
    assert json.loads(run(capsys, *arguments, "--format", "json")[1])["verdict"] == "unknown"


def test_a_call_that_does_not_end_is_not_awaited(monkeypatch):
    class Stuck:
        workers = 1

        def submit(self, *_):
            return Future()

    monkeypatch.setattr(parallel, "MOMENT", 0.0)
    with pytest.raises(Exhausted):
        list(parallel.ahead(Stuck(), never, [(1,), (2,), (3,)], Budget(0.01)))
    done = Future()
    done.set_result(5)
    monkeypatch.setattr(Stuck, "submit", lambda *_: done)
    assert list(parallel.ahead(Stuck(), never, [(1,), (2,)], Budget(0))) == [5, 5]
    assert list(parallel.ahead(Stuck(), never, [(1,), (2,)])) == [5, 5]


def test_long_programs_are_solved_where_they_can_be_ended(monkeypatch):
    """With a limit on time, and behind many neurons; else in this process."""
    net = Network.from_layers([([[1, 2], [2, -1]], [-1, -1], "relu"), ([[-1, -1]], [-1], "relu")])
    where = []
    plain = parallel.ahead

    def ahead(executor, function, calls, budget):
        where.append(executor)
        return plain(None, function, ((getattr(c[0], "value", c[0]), *c[1:]) for c in calls), budget)

    monkeypatch.setattr("geomrelu.deadness.far_out.ahead", ahead)
    monkeypatch.setattr("geomrelu.deadness.far_out.shared", lambda executor, value: value)
    orthant = Polyhedron.orthant(2)
    for wide, budget, apart in ((1, Budget(300), True), (1, Budget(), False), (400, Budget(300), False)):
        monkeypatch.setattr("geomrelu.deadness.by_signs.WIDE", wide)
        where.clear()
        search = FarOut(Problem(net, orthant, budget), orthant)
        (verdict,) = search.by_signs(2, [0], budget, None)
        assert verdict.status is geomrelu.Status.DEAD and isinstance(where[0], parallel.Pool) == apart


def test_points_are_sought_while_there_is_time():
    net, box = geomrelu.as_network(LAYERS), Polyhedron.box([(0, 1)] * 2)
    floating, watch = FloatNetwork(net, box), Polls()
    list(falsify.candidates(floating, 1, [0, 1, 2], watch, rounds=0))
    assert watch.polls > 3
    with pytest.raises(Exhausted):
        list(falsify.candidates(floating, 1, [0, 1, 2], Polls(2), rounds=0))


def test_ranges_are_written_out_when_they_are_asked_for(monkeypatch):
    net, box, made = geomrelu.as_network(LAYERS), Polyhedron.box([(0, 1)] * 2), []
    for name in ("_found", "_bundles"):
        plain = getattr(tightening, name)
        monkeypatch.setattr(tightening, name, lambda *a, plain=plain, name=name: made.append(name) or plain(*a))
    steps = list(tightening.tightened(net, box, {1: range(3)}, Budget(60)))
    assert len(steps) > 2 and not made
    last = steps[-1]
    assert len(last.found) == len(last) == 3 and made == ["_found"]
    assert last.check() == 6 and made == ["_found", "_bundles"]
    for earlier in steps[:-1]:  # what was known then, though the search went on
        for r, later in zip(earlier, last, strict=True):
            assert r.upper is None or later.upper <= r.upper


def test_time_is_kept_for_the_page(model, tmp_path, capsys, monkeypatch):
    asked = []
    plain = Report.tightened

    def tightened(self, seconds, progress):
        asked.append(seconds)
        return plain(self, seconds, progress)

    monkeypatch.setattr(Report, "tightened", tightened)
    monkeypatch.setattr("geomrelu.cli.decide.PAGE", 100.0)
    monkeypatch.setattr("geomrelu.cli.decide.RANGES", 50.0)
    for more in (["--report", tmp_path / "page"], ["--ranges", tmp_path / "r.npz"]):
        assert run(capsys, "decide", model, "--domain", "box:0,1", "--time", 1000, *more)[0] == 0
    assert asked[0] < 700 < asked[1] < 850 and threading.active_count() == 1


def test_reading_what_a_directory_holds_counts(model, tmp_path, monkeypatch):
    """And so does the digest that certificates are bound to."""
    made = []
    monkeypatch.setattr("geomrelu.deadness.front_door.Budget", lambda *a: made.append("budget") or Budget(*a))
    plain = files.found
    monkeypatch.setattr(files, "found", lambda *a: made.append("known") or plain(*a))
    geomrelu.decide(model, (0, 1), certificates=tmp_path / "kept")
    assert made == ["budget", "known"]


def test_no_network_is_made_in_floats_when_the_time_is_over(monkeypatch):
    net = Network.from_layers([(np.eye(12), None, "relu"), (np.eye(12), None, "relu"), (np.eye(12), None, "relu")])
    monkeypatch.setattr("geomrelu.deadness.workers.FloatNetwork", never)
    reports = list(decide(net, Polyhedron.box([(0, 1)] * 12), budget=Polls(13)))
    assert {v.status for r in reports[1:] for v in r.verdicts} == {geomrelu.Status.UNDECIDED}
