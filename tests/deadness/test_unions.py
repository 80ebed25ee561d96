"""Unions of polyhedra: dead is dead on every piece, alive is alive on one, and each piece has its own certificates."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geomrelu import FiniteSet, InputError, Network, Polyhedron, Status, Union, as_domain, checker, decide
from geomrelu.cli.main import main
from geomrelu.deadness.page.content import content
from geomrelu.deadness.report import UnionReport
from geomrelu.geometry.domains import read_any, read_domain, write_domain

DECLARED = "(declare-const X_0 Real)(declare-const X_1 Real)(declare-const Y_0 Real)"


def domain(folder, formula, told=None):
    path = folder / "d.vnnlib"
    path.write_text(f"{DECLARED}(assert {formula})")
    return read_any(str(path), told)


def random_network(rng):
    sizes = [2, *(rng.randint(1, 4) for _ in range(rng.randint(1, 3)))]
    return Network.from_layers([
        ([[rng.randint(-2, 2) for _ in range(m)] for _ in range(n)], [rng.randint(-4, 2) for _ in range(n)], "relu")
        for m, n in pairwise(sizes)
    ])  # fmt: skip


def random_piece(rng):
    if rng.random() < 0.6:
        ends = [sorted(Fraction(rng.randint(-4, 4), 2) for _ in range(2)) for _ in range(2)]
        return Polyhedron.box(ends)
    low = Fraction(rng.randint(-4, 2), 2)
    return Polyhedron.from_rows([[-low, 1, 0], [2 + low, -1, 0], [1, 0, 1], [1, 1, -1]])


def test_unions_against_their_pieces():
    """Every verdict, supremum and stability, on random networks and pieces that overlap, touch and repeat."""
    rng, seen = random.Random(0), set()
    for k in range(60):
        net = random_network(rng)
        union = Union.of([random_piece(rng) for _ in range(rng.randint(2, 4))])
        if len(union.pieces) == 1:
            continue
        report = decide(net, union)
        assert isinstance(report, UnionReport) and not report.undecided
        alone = [{(v.layer, v.neuron): v for v in decide(net, piece).verdicts} for piece in union.pieces]
        for verdict in report.verdicts:
            each = [found[verdict.layer, verdict.neuron] for found in alone]
            dead = all(v.status is Status.DEAD for v in each)
            assert verdict.status is (Status.DEAD if dead else Status.ALIVE), k
            suprema: Any = [v.supremum for v in each]
            if verdict.supremum is not None:
                assert verdict.supremum == max(suprema), k
            if verdict.layer == 1:
                assert verdict.supremum is not None
            if dead:
                assert verdict.stable == (None if None in [v.stable for v in each] else all(v.stable for v in each)), k
                assert len(verdict.parts) == len(union.pieces)
            seen.add((verdict.layer > 1, dead))
        assert report.check() == sum(len(part.verdicts) for part in report.parts)
        assert {layer.killed for layer in report} <= {True, False}
    assert len(seen) == 4


def test_active_neurons_of_a_union():
    net = Network.from_layers([([[1, 0], [0, 1]], [1, 0], "relu")])
    two = Union.of([Polyhedron.box([(-1, 0), (0, 1)]), Polyhedron.box([(0, 1), (-1, 0)])])
    assert decide(net, two).active == [(1, 0)]


def test_active_neurons_of_a_union_in_all_layers(tmp_path):
    """Also those that a later piece was not asked about, and those that are alive on one piece and 0 on another."""
    net = Network.from_layers(
        [([[1], [-1]], [0, 0], "relu"), ([[1, 1], [1, 0], [1, -1]], [1, 0, 0], "relu"), ([[1, 0, 0]], [1], "relu")]
    )
    union = Union.of([Polyhedron.box([(0, 1)]), Polyhedron.box([(-1, 0)]), Polyhedron.box([(-2, 0)])])
    report = decide(net, union)
    claims, files = report.check(), report.save(tmp_path / "first")
    assert report.active == [(2, 0), (2, 1), (3, 0)]
    assert report.check() == claims + 9
    more = report.save(tmp_path)
    assert len(more) == len(files) + 6 and len(report.certificates) == sum(path.endswith(".json") for path in more)
    for k, piece in enumerate(union.pieces, 1):
        for path in (tmp_path / f"piece-{k}").glob("active-*.json"):
            checker.check(json.loads(path.read_text()), net.checked, piece.checked)
    assert decide(net, union, layers=1).active == []


def test_what_a_budget_leaves_open():
    net = Network.from_layers([([[1, 1], [1, -1], [-2, 1]], [0, 0, 0], "relu"), ([[1, -1, 1]], [-1], "relu")])
    union = Union.of([Polyhedron.box([(-3, 3), (0, 3)]), Polyhedron.box([(-3, 3), (-3, 0)])])
    report = decide(net, union, layers=2, time=1e-9)
    assert all(v.status is Status.UNDECIDED and "of 2" in v.reason for v in report.verdicts)
    assert [layer.layer for layer in report] == [2]
    for layers, neurons, words in ((3, None, "no layer 3"), (1, 7, "no neuron 7 in layer 1")):
        with pytest.raises(InputError, match=words):
            decide(net, union, layers=layers, neurons=neurons)


def test_no_end_of_time_is_shared_by_the_pieces():
    union = Union.of([Polyhedron.box([(0, 1)]), Polyhedron.box([(2, 3)])])
    layers = [([[1], [-1]], [0, 1], "relu"), ([[1, 1]], [-4], "relu")]
    report = decide(layers, union, time=inf)
    assert report.undecided == [] and report.dead == [(2, 0)]


def test_making_unions():
    box = Polyhedron.box([(0, 1)])
    with pytest.raises(InputError, match="empty"):
        Union.of([Polyhedron.box([(1, 0)])])
    with pytest.raises(InputError, match="same dimension"):
        Union.of([box, Polyhedron.box([(0, 1)] * 2)])
    two = Union.of([box, box, Polyhedron.box([(3, 2)]), Polyhedron.box([(2, 3)])])
    assert len(two.pieces) == 2 and two.dimension == 1 and not two.is_empty
    assert as_domain(two, 1) is two
    with pytest.raises(InputError, match="lies in R"):
        as_domain(two, 2)


# ---- as files say them --------------------------------------------------------------------------------------------


def test_unions_in_vnnlib(tmp_path):
    two = domain(tmp_path, "(or (and (<= X_0 0) (>= X_0 -1)) (>= X_1 1))")
    assert isinstance(two, Union) and [p.is_box for p in two.pieces] == [True, True]
    one = domain(tmp_path, "(or (and (<= X_0 0) (>= Y_0 1)) (<= X_0 0))")
    assert one == Polyhedron.box([(None, 0), (None, None)])
    left = domain(tmp_path, "(or (and (<= X_0 0) (>= X_0 1)) (<= X_0 0))")  # the first is empty
    assert left == one
    assert domain(tmp_path, "(or (and (<= X_0 0) (>= X_0 1)) (>= 0 1))").is_empty


@pytest.mark.parametrize(
    ("formula", "closure"),
    [
        ("(and (> X_0 0) (< X_0 1) (>= X_1 0))", [(0, 1), (0, None)]),
        ("(and (> X_0 0) (<= X_0 0))", None),  # no point, though its closure as rows has one
        ("(and (> (+ X_0 X_1) 0) (<= X_0 0) (<= X_1 0))", None),
        ("(and (> X_0 0) (= X_0 X_1) (<= X_1 0))", None),
        ("(< 0 0)", None),
        ("(and (= X_0 1) (< X_0 2) (> X_1 0))", [(1, 1), (0, None)]),  # a strict bound beside a fixed value
        ("(and (<= X_0 1) (>= X_0 1) (> X_0 -1/2))", [(1, 1), (None, None)]),
        ("(and (= X_0 1) (< X_0 2) (> X_0 1))", None),
    ],
)
def test_strict_inequalities(formula, closure, tmp_path):
    said = []
    found = domain(tmp_path, formula, said.append)
    assert any("closure" in line for line in said)
    if closure is None:
        assert found.is_empty
    else:
        assert found == Polyhedron.box(closure)


def test_a_piece_with_a_fixed_input_is_no_empty_piece(tmp_path):
    """Left out, the neuron that fires there would be called dead."""
    where = domain(tmp_path, "(or (and (= X_0 3) (> X_0 0)) (<= X_0 0))")
    assert isinstance(where, Union) and where.contains([3, 0])
    assert decide([([[1, 0]], [0], "relu")], where).alive == [(1, 0)]


def test_files_of_pieces(tmp_path):
    two = Union.of([Polyhedron.box([(0, 1)] * 2), Polyhedron.box([(2, 3)] * 2)])
    write_domain(two, tmp_path / "d.json")
    again = [read_any(str(tmp_path / f"d-{k}.json")) for k in (1, 2)]
    assert again == list(two.pieces)
    write_domain(two, tmp_path / "d.ine")
    assert all(read_any(str(tmp_path / f"d-{k}.ine")).same_set(two.pieces[k - 1]) for k in (1, 2))
    with pytest.raises(InputError, match="not a domain"):
        read_domain("d.txt", 2)
    assert isinstance(as_domain([[0, 1], [2, 3]], 2), Polyhedron) and not isinstance(as_domain((0, 1), 2), FiniteSet)


def test_the_page_links_the_certificates_of_the_piece_that_is_named():
    """As files are listed: piece-10 before piece-2."""
    boxes = [Polyhedron.box([(k, k + 1), (0, 0)]) for k in range(-10, 0)] + [Polyhedron.box([(1, 2), (0, 0)])]
    report = decide([([[1, 1], [-1, 0], [0, -1]], [0, 0, 0], "relu")], Union.of(boxes))
    links = sorted(f"proofs/piece-{k}/layer-1.json" for k in range(1, 12))
    assert isinstance(report, UnionReport)
    (layer,) = content(report, None, None, links)["layers"]
    assert [v.reason.split(":")[0] for v in report.verdicts] == [
        "on piece 11 of 11",
        "on piece 1 of 11",
        "on all 11 pieces",
    ]
    assert [links[k] for k in layer["file"]] == [f"proofs/piece-{k}/layer-1.json" for k in (11, 1, 1)]


@pytest.mark.parametrize("ending", ["npz", "json", "csv"])
def test_ranges_on_a_union_are_written(ending, tmp_path):
    two = Union.of([Polyhedron.box([(0, 1)]), Polyhedron.box([(2, 3)])])
    ranges = decide([([[1], [-1]], [-2, 0], "relu")], two).ranges
    path = tmp_path / f"r.{ending}"
    ranges.save(path)
    if ending == "npz":
        found = np.load(path)
        assert (found["domain"], found["lower_1"].tolist(), found["upper_1"].tolist()) == (two.digest, [-2, -3], [1, 0])
    else:
        assert ("1,0,-2.0,1.0,unstable" if ending == "csv" else two.digest) in path.read_text()


def test_the_commands_on_a_union(tmp_path, capsys):
    model, where, folder = tmp_path / "m.json", tmp_path / "d.vnnlib", tmp_path / "out"
    Network.from_layers([([[1, 1], [1, -1], [-1, 0]], ["-3/2", -1, 0], "relu")]).save(model)
    where.write_text(
        DECLARED + "(assert (and (>= X_1 -0.5) (<= X_1 0.5)))"
        "(assert (or (and (>= X_0 -1) (<= X_0 0)) (and (>= X_0 0.5) (< X_0 1))))"
    )
    arguments = [str(model), "--domain", str(where)]
    assert main(["decide", *arguments, "--certificates", str(folder)]) == 0
    said = capsys.readouterr()
    rows = {line.split()[0]: line for line in said.out.splitlines() if "json]" in line}  # neuron -> its line
    assert "on piece 2 of 2" in rows["1"] and rows["1"].endswith(f"[{folder}/piece-2/layer-1.json]")
    assert rows["0"].endswith(f"on all 2 pieces  [{folder}/piece-*/layer-1.json]")
    assert "on piece 1 of 2" in rows["2"] and rows["2"].endswith(f"[{folder}/piece-1/layer-1.json]")
    assert "1 dead (0 stably), 2 alive" in said.out and "on all 2 pieces" in said.out and "closure" in said.err
    proofs = sorted(str(path) for path in folder.glob("piece-*/*.json"))
    assert len(proofs) == 2
    about = ["--model", str(model), "--domain", str(where)]
    assert main(["check", *proofs, *about]) == 0
    said = capsys.readouterr().out
    assert "proved on piece 1 of 2" in said and said.endswith("dead on all 2 pieces: 1:0\n")
    assert main(["check", proofs[0], *about]) == 0
    assert capsys.readouterr().out.endswith("dead on all 2 pieces: no neuron\n")
    forged = json.loads(Path(proofs[0]).read_text())
    forged["domain"] = "0" * 64
    (tmp_path / "forged.json").write_text(json.dumps(forged))
    assert main(["check", str(tmp_path / "forged.json"), *about]) == 1
    assert "REJECTED" in capsys.readouterr().out
    assert main(["decide", *arguments, "--certificates", str(folder), "--format", "json"]) == 0
    layers = json.loads(capsys.readouterr().out)["layers"]
    assert [n["status"] for n in layers[0]["neurons"]] == ["dead", "alive", "alive"]
    for command in (["prune", *arguments, "-o", str(tmp_path / "s.json")], ["regions", *arguments]):
        assert main(command) == 2
        assert "union" in capsys.readouterr().err
    assert main(["convert", str(where), "-o", str(tmp_path / "c.json")]) == 0
    assert (tmp_path / "c-2.json").exists()
