"""Trees of boxes and of sign patterns, and the work on them: proofs the checker accepts, points, turns, processes."""

from __future__ import annotations

import json
import pickle
import random
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from families import as_network, lean, network

from geomrelu import Budget, Network, Polyhedron, Status, branching, certificate, checker, deadness, decide, workshop
from geomrelu.budget import Exhausted


def nets(count, seed, widths):
    """Networks of some depth, on a box, with their exact verdicts."""
    rng = random.Random(seed)
    for k in range(count):
        layers = network(rng, widths, ("rational", "ternary", "degenerate", "scaled")[k % 4])
        net = as_network(lean(layers, rng))
        box = Polyhedron.box([(-rng.randint(1, 2), rng.randint(1, 2)) for _ in range(widths[0])])
        yield net, box, {(v.layer, v.neuron): v for r in decide(net, box) for v in r.verdicts}


@pytest.mark.parametrize("kind", [branching.BoxTree, branching.PhaseTree])
@pytest.mark.parametrize("coarse", [True, False])
def test_trees_agree_with_the_pieces(kind, coarse):
    """A complete tree is a proof that the checker accepts; a point is a witness; only what is tight stays open."""
    proved = found = rejected = 0
    for net, box, exact in nets(40, 5, (2, 4, 3, 3)):
        bench = workshop.Bench(net, box)
        for (level, i), verdict in exact.items():
            if level == 1:
                continue
            tree = kind(bench.floating, level, i, coarse)
            with np.errstate(all="ignore"):
                tree.grow(3000, Budget())
            if tree.done:
                claim = bench.refuted(level, i, json.loads(json.dumps(tree.proof())), Budget())
                assert verdict.status is Status.DEAD
                rejected += claim is None  # too coarse, or decided by a tie that rounding decides otherwise
                assert claim is None or claim.get("stable") is True
                proved += tree.boxes > 1 and claim is not None
            elif tree.point is not None:
                assert verdict.status is Status.ALIVE
                found += 1
            elif kind is branching.BoxTree and not coarse:
                assert tree.failed or abs(verdict.supremum) < max(0.01, 1e-6 * tree.scale), (level, i)
    assert proved > 5 and found > 20 and rejected < proved


def test_every_leaf_of_a_deep_tree_is_as_tight_as_it_was_found():
    """The checker's bound of the whole proof is negative, though leaves derive few neurons again."""
    rng, boxes = np.random.default_rng(0), 0
    for _ in range(8):
        widths = (4, 16, 16, 16, 16, 1)
        layers = [(rng.normal(size=(n, m)) / np.sqrt(m), rng.normal(size=n) / 2) for m, n in pairwise(widths)]
        net, box = Network.from_layers([(W, b, "relu") for W, b in layers]), Polyhedron.box([(-1, 1)] * 4)
        bench = workshop.Bench(net, box)
        highest = bench.floating.forward(rng.uniform(-1, 1, (4000, 4)), 5)[-1].max()
        layers[-1] = (layers[-1][0], layers[-1][1] - highest - 0.05)
        bench = workshop.Bench(Network.from_layers([(W, b, "relu") for W, b in layers]), box)
        tree = branching.tree(bench.floating, 5, 0)
        tree.grow(20_000, Budget())
        if tree.point is not None:  # higher than the sample
            continue
        assert tree.done and tree.coarse
        claim = bench.refuted(5, 0, json.loads(json.dumps(tree.proof())), Budget())
        assert claim is not None and claim["stable"]
        boxes += tree.boxes
    assert boxes > 1000


def test_sign_patterns_of_many_inputs():
    """With 40 inputs the signs of neurons are split."""
    net = Network.from_layers(
        [
            ([[1] * 40, [-1] * 40], [0, 0], "relu"),
            ([[1, 1], [1, 0]], [0, 0], "relu"),
            ([[-1, 2], [1, -2]], ["-1/2", "-1/2"], "relu"),
        ]
    )
    *_, last = decide(net, Polyhedron.box([(-1, 0)] * 20 + [(0, 0)] * 20), budget=Budget(60))
    # s <= 0: relu(s) = 0 and relu(-s) = -s
    assert [v.status for v in last.verdicts] == [Status.DEAD, Status.ALIVE]


def hard():
    """A network with neurons that one bound does not settle."""
    rng = np.random.default_rng(7)
    sizes = (3, 12, 12, 12)
    layers = [
        (rng.normal(size=(m, n)).round(3).tolist(), (rng.normal(size=m) - (2.5 if k else 0)).round(3).tolist(), "relu")
        for k, (n, m) in enumerate(pairwise(sizes))
    ]
    return Network.from_layers(layers), Polyhedron.box([(-1, 1)] * 3)


@pytest.fixture
def no_pieces(monkeypatch):
    monkeypatch.setattr(deadness, "FEW_PIECES", 0)
    monkeypatch.setattr(deadness, "SPROUT", 0)


def statuses(reports):
    return {(v.layer, v.neuron): v.status for r in reports for v in r.verdicts}


def test_workers_find_what_one_process_finds(no_pieces):
    net, box = hard()
    alone = list(decide(net, box, budget=Budget(60)))
    assert any("boxes" in v.reason for r in alone for v in r.verdicts)
    for make in (ThreadPoolExecutor, ProcessPoolExecutor):
        with make(2) as executor:
            together = list(decide(net, box, budget=Budget(60), executor=executor))
        assert statuses(together) == statuses(alone)
    for report in together:
        claims = [v.claim for v in report.verdicts if v.claim]
        bundle = certificate.as_certificate(claims, net.digest, box.checked.digest(), report.points)
        assert len(checker.check(json.loads(json.dumps(bundle)), net.checked, box.checked)) == len(claims)


def test_a_bench_is_unpacked_once_in_a_process():
    net, box = hard()
    bench = workshop.Bench(net, box)
    data = pickle.dumps(bench)
    assert pickle.loads(data) is pickle.loads(data)


def test_turns_and_budgets(no_pieces, monkeypatch):
    """A tree travels half grown; the budget of one neuron ends it; open neurons say how far they are."""
    net, box = hard()
    monkeypatch.setattr(deadness, "MOST_GENERATED", 0)
    monkeypatch.setattr(branching, "MOST_BOXES", 2)
    reports = list(decide(net, box, budget=Budget(60)))
    left = [v for r in reports for v in r.verdicts if v.status is Status.UNDECIDED]
    assert left and all("after" in v.reason and "% of the domain" in v.reason for v in left)
    monkeypatch.setattr(branching, "MOST_BOXES", 10**6)
    assert {v.neuron for r in decide(net, box, each=1e-9) for v in r.verdicts if v.status is Status.UNDECIDED}
    bench = workshop.Bench(net, box)
    tree = branching.tree(bench.floating, left[0].layer, left[0].neuron)
    tree.grow(2, Budget())
    assert not tree.done and 0 <= tree.closed < 1
    with pytest.raises(Exhausted):
        list(workshop.grown(bench, [tree], Budget(0)))


def test_a_second_run_picks_up(tmp_path, no_pieces):
    """Claims are saved as they come; later runs take them over, but only if the checker accepts them."""
    net, box = hard()
    digests = net.digest, box.checked.digest()
    saver = certificate.Saver(tmp_path, *digests)
    saver.PAUSE = 0

    class Killed(Exception):
        pass

    def save(verdict, points):
        saver.add(verdict.claim, points)
        if verdict.layer == 3:
            raise Killed

    with pytest.raises(Killed):
        list(decide(net, box, save=save))
    known = certificate.known(tmp_path, *digests)
    assert len(known) > 12
    again = list(decide(net, box, known=known))
    taken = [v for r in again for v in r.verdicts if v.reason == "proved in an earlier run"]
    assert len(taken) >= len(known) - 12 and statuses(again) == statuses(decide(net, box))
    lies = [{**c, "status": "dead" if c["status"] == "alive" else "alive"} for c in known]
    assert statuses(decide(net, box, known=lies)) == statuses(again)
    assert certificate.known(tmp_path, "other", digests[1]) == []
    (tmp_path / "layer-1.json").write_text("{")
    assert len(certificate.known(tmp_path, *digests)) < len(known)


def test_interruption_leaves_the_open_ones(no_pieces):
    net, box = hard()

    def stop(tree):
        raise KeyboardInterrupt

    reports = []
    with pytest.raises(KeyboardInterrupt):
        for report in decide(net, box, open_=stop):
            reports.append(report)
    assert [r.layer for r in reports] == [1, 2, 3]
    assert "interrupted" in {v.reason.split(" after")[0] for r in reports for v in r.verdicts}
