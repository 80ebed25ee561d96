"""Trees of boxes and of sign patterns, and the work on them: proofs the checker accepts, points, turns, processes."""

from __future__ import annotations

import json
import pickle
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from families import as_network, lean, network
from trees import accepted, deep, settle

from geomrelu import Budget, Network, Polyhedron, Status, checker
from geomrelu.budget import Exhausted
from geomrelu.certificates import batch
from geomrelu.certificates import files as certificate
from geomrelu.deadness import branch_and_bound, proof_tree, workers
from geomrelu.deadness.decide import decide
from geomrelu.parallel import Pool

pytestmark = pytest.mark.slow


def nets(count, seed, widths):
    """Networks of some depth, on a box, with their exact verdicts."""
    rng = random.Random(seed)
    for k in range(count):
        layers = network(rng, widths, ("rational", "ternary", "degenerate", "scaled")[k % 4])
        net = as_network(lean(layers, rng))
        box = Polyhedron.box([(-rng.randint(1, 2), rng.randint(1, 2)) for _ in range(widths[0])])
        yield net, box, {(v.layer, v.neuron): v for r in decide(net, box) for v in r.verdicts}


@pytest.mark.parametrize(("most_inputs", "few"), [(32, 3), (32, 8), (0, 8)])  # boxes are halved, or signs are split
@pytest.mark.parametrize("coarse", [True, False])
def test_trees_agree_with_the_pieces(most_inputs, few, coarse, monkeypatch):
    """Trees decide every neuron, also where the supremum is exactly 0; the checker accepts each proof as a whole."""
    monkeypatch.setattr(branch_and_bound, "MOST_INPUTS", most_inputs)
    monkeypatch.setattr(branch_and_bound, "FEW", few)
    seen = Counter()
    for net, box, exact in nets(24, 5, (2, 4, 3, 3)):
        bench = workers.Bench(net, box)
        for (level, i), verdict in exact.items():
            if level == 1:
                continue
            tree = settle(bench, level, i, coarse)
            if verdict.status is Status.ALIVE:
                assert net.pre_activations(tree.point, level)[-1][i] > 0 and box.contains(tree.point)
                seen["alive"] += 1
                continue
            assert tree.point is None and not tree.parts and not tree.failed, (level, i, verdict, str(tree))
            claim = json.loads(json.dumps(certificate.unpacked(bench.refuted(tree))))
            checker.prove(claim, bench.shared)
            assert claim["stable"] == verdict.stable and claim.get("supremum") == (None if verdict.stable else "0")
            seen["stable" if verdict.stable else "tight"] += 1
            seen["signs"] += any(node.get("split", [""])[0] == "neuron" for node in claim["proof"])
            seen["halves"] += any(node.get("split", [""])[0] == "x" for node in claim["proof"])
    assert seen["alive"] > 50 and seen["stable"] > 60 and seen["tight"] > 3 and seen["signs"] > 5, seen
    assert (seen["halves"] > 2) == (few == 3), seen


def test_every_leaf_of_a_deep_tree_is_as_tight_as_it_was_found():
    """The checker refuses none of the leaves, though they derive few neurons again, and accepts the whole proof."""
    boxes = 0
    for bench, tree in (*deep(), *deep((5, 16, 16, 16, 16, 1)), *deep((5, 20, 20, 20, 20, 1))):
        assert not tree.parts and tree.coarse and tree.refused == 0
        assert accepted(bench, tree)
        boxes += tree.boxes
    assert boxes > 1000


@pytest.mark.parametrize("together", [True, False])
def test_what_the_time_does_not_allow_to_be_judged_has_not_grown(together, monkeypatch):
    """Leaves that nobody judged are open parts again, and growing them once more ends in a proof."""
    monkeypatch.setattr(workers, "GROUP", 4)
    monkeypatch.setattr(batch, "MOST", 6)
    bench, _ = next(deep())
    if not together:
        monkeypatch.setattr(batch.Quick, "arithmetic", lambda own, level: None)
    tree, judged, late = branch_and_bound.Tree(bench.floating, 5, 0), [], []

    class Late(Budget):
        def spend(self, regions=1):
            judged.append(1)
            if len(judged) % (10 if together else 60) == 0:
                late.append(1)
                raise Exhausted("late")

    for _ in range(200):
        growth = branch_and_bound.Growth(tree, tree.take(1000))
        growth.start(bench.floating)
        growth.grow(20, Budget())
        workers.Judgement(bench, growth, Late()).pass_()
        growth.pack()
        tree.merge(growth)
        if not tree.parts:
            break
    assert not tree.parts and len(late) > 1
    assert accepted(bench, tree)


@pytest.mark.parametrize(("most_inputs", "widths"), [(32, (4, 16, 16, 16, 16, 1)), (0, (3, 12, 12, 1))])
def test_a_tree_is_resumed(most_inputs, widths, monkeypatch):
    """What is not finished passes through a file; what was found is judged again, and what is refused grows again."""
    monkeypatch.setattr(branch_and_bound, "MOST_INPUTS", most_inputs)
    monkeypatch.setattr(branch_and_bound, "CHUNK", 20)
    start = branch_and_bound.Growth.start

    def few_at_a_time(growth, *more):
        start(growth, *more)
        growth.batch = 16

    if most_inputs:
        monkeypatch.setattr(branch_and_bound.Growth, "start", few_at_a_time)
    depth = len(widths) - 1
    bench, whole = next(case for case in deep(widths) if case[1].boxes > 100)
    tree = branch_and_bound.Tree(bench.floating, depth, 0)
    while tree.boxes < whole.boxes / 2:
        tree.merge(workers.turn(bench, branch_and_bound.Growth(tree, tree.take(1000)), 50, 60))
    taken = tree.take(2)  # being worked on: not lost
    claim = json.loads(json.dumps(certificate.unpacked(tree.unfinished)))
    tree.parts += taken
    assert claim["status"] == "open" and claim["proof"].count(proof_tree.OPEN) == len(tree.parts)
    claims = [claim["proof"]]
    claims.append([{"coarse": []} if k % 9 == 0 and "coarse" in n else n for k, n in enumerate(claim["proof"])])
    for proof in claims:
        again = branch_and_bound.Tree(bench.floating, depth, 0)
        again.resume(proof)
        assert sum(len(part.earlier or ()) for part in again.parts) > len(proof) / 2
        assert certificate.unpacked(again.unfinished)["proof"] == proof  # nothing has been done yet
        again.merge(workers.turn(bench, branch_and_bound.Growth(again, again.take(3)), 1000, 60))
        while not again.done:
            again.merge(workers.turn(bench, branch_and_bound.Growth(again, again.take(1000)), 500, 60))
        assert again.boxes < 2 * whole.boxes and (again.refused > 0) == (proof is not claims[0])
        assert accepted(bench, again)
        assert most_inputs or not any({"derive", "coarse"} <= node.keys() for node in [*again.proof()][1:])
    cuts = [json.loads(json.dumps(claims[0][0])) for _ in range(4)]
    cuts[0]["derive"] = [*cuts[0].get("derive", []), [depth - 1, [0]]]  # there is no such
    cuts[1]["derive"] = [[at] for at in range(1, depth - 1)]  # not all of the last layer at the root
    cuts[2]["derive"] = [[at] for at in range(1, depth - 1)] + [[depth - 1, [99]]]
    cuts[3]["derive"] = 7
    trees = [[cut, proof_tree.OPEN, branch_and_bound.OPEN] for cut in cuts]
    trees += [
        [],
        [proof_tree.OPEN] * 2,
        proof[:-1],
        [*proof, proof_tree.OPEN],
        [1],
        [{"split": ["x", 9, "0"]}],
        5,
    ]
    for damaged in trees:
        again = branch_and_bound.Tree(bench.floating, depth, 0)
        again.resume(damaged)
        assert len(again.parts) == 1 and again.parts[0].earlier is None and not again.boxes


@pytest.mark.parametrize("refuse", [7, 1])
def test_leaves_that_are_refused(refuse, monkeypatch):
    """A leaf the checker refuses is split; if many are, the tree goes on in exact arithmetic."""
    bench, tree = next(deep((3, 12, 12, 1)))
    count, examine = [0], workers.examine

    def doubtful(node, *rest):
        count[0] += "coarse" in node
        if "coarse" in node and count[0] % refuse == 0:
            raise checker.Rejected("no")
        return examine(node, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(workers, "examine", doubtful)
        patch.setattr(batch.Quick, "arithmetic", lambda own, level: None)  # the checker, one by one
        again = settle(bench, 3, 0)
    assert again.done and again.refused and again.boxes > tree.boxes
    assert again.coarse is (refuse > 1)
    assert accepted(bench, again)


def test_a_supremum_of_zero_in_many_inputs():
    """z = 0 at one corner of a box in R^40, or on half of it: signs are split, then programs decide."""
    ones = [1] * 40
    layers = [
        ([ones, [1, -1] * 20, [-1] * 40], [0, 0, 0], "relu"),
        ([[1, 0, 0], [0, 1, 1], [1, 0, -1]], [-20, 0, 0], "relu"),
        ([[1, -1, 0], [0, -1, -1], [-1, 0, 1], [1, 1, 0]], [-20, 0, -20, -45], "relu"),
    ]
    net = Network.from_layers([(rows, bias, act) for rows, bias, act in layers])
    box = Polyhedron.box([(0, 1)] * 40)
    *_, last = decide(net, box, budget=Budget(600))
    # s the sum, d the alternating one: layer 2 is (s - 20)+, d+ and s, layer 3 as follows
    assert [v.status for v in last.verdicts] == [Status.DEAD] * 4
    assert [(v.stable, v.supremum) for v in last.verdicts] == [(False, 0)] * 3 + [(True, None)]
    for v in last.verdicts:
        checker.prove(v.claim, checker.Judge(last.points, net.checked, box.checked))


def test_sign_patterns_of_many_inputs():
    """With 40 inputs the signs of neurons are split."""
    net = Network.from_layers(
        [
            ([[1] * 40, [-1] * 40], [0, 0], "relu"),
            ([[1, 1], [1, 0]], [0, 0], "relu"),
            ([[-1, 2], [1, -2]], ["-1/2", "-1/2"], "relu"),
        ]
    )
    *_, last = decide(net, Polyhedron.box([(-1, 0)] * 20 + [(0, 0)] * 20), budget=Budget(600))
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
    monkeypatch.setattr("geomrelu.deadness.by_pieces.FEW_PIECES", 0)
    monkeypatch.setattr("geomrelu.deadness.by_search.is_cut", lambda domain: False)
    monkeypatch.setattr("geomrelu.deadness.by_search.SPROUT", 0)


def statuses(reports):
    return {(v.layer, v.neuron): v.status for r in reports for v in r.verdicts}


def test_workers_find_what_one_process_finds(no_pieces):
    net, box = hard()
    alone = list(decide(net, box, budget=Budget(600)))
    assert any("boxes" in v.reason for r in alone for v in r.verdicts)
    for make in (ThreadPoolExecutor, Pool):
        with make(2) as executor:
            together = list(decide(net, box, budget=Budget(600), executor=executor))
        assert statuses(together) == statuses(alone)
    for report in together:
        claims = [v.claim for v in report.verdicts if v.claim]
        bundle = certificate.as_certificate(claims, net.digest, box.checked.digest(), report.points)
        assert len(checker.check(json.loads(json.dumps(bundle)), net.checked, box.checked)) == len(claims)


def test_a_proof_is_kept_once(no_pieces):
    """A verdict has it, so its tree is let go of, and still says how large it was."""
    net, box = hard()
    trees = []
    reports = list(decide(net, box, budget=Budget(600), open_=trees.append))
    proved = {(v.layer, v.neuron): v for r in reports for v in r.verdicts if v.status is Status.DEAD}
    done = [tree for tree in trees if (tree.level, tree.neuron) in proved]
    assert len(done) > 2
    for tree in done:
        verdict = proved[tree.level, tree.neuron]
        assert tree._nodes == []
        assert str(tree) == verdict.reason
        assert len(verdict.claim["proof"]) >= tree.boxes


def test_a_bench_is_unpacked_once_in_a_process():
    net, box = hard()
    bench = workers.Bench(net, box)
    data = pickle.dumps(bench)
    assert pickle.loads(data) is pickle.loads(data)


def test_turns_and_budgets(no_pieces, monkeypatch):
    """A tree travels half grown; the budget of one neuron ends it; open neurons say how far they are."""
    net, box = hard()
    monkeypatch.setattr("geomrelu.deadness.by_pieces.MOST_GENERATED", 0)
    monkeypatch.setattr(branch_and_bound, "MOST_BOXES", 2)
    reports = list(decide(net, box, budget=Budget(600)))
    left = [v for r in reports for v in r.verdicts if v.status is Status.UNDECIDED]
    assert left and all("after" in v.reason and "% of the domain" in v.reason for v in left)
    monkeypatch.setattr(branch_and_bound, "MOST_BOXES", 10**6)
    assert {v.neuron for r in decide(net, box, each=1e-9) for v in r.verdicts if v.status is Status.UNDECIDED}
    bench = workers.Bench(net, box)
    tree = branch_and_bound.Tree(bench.floating, left[0].layer, left[0].neuron)
    tree.merge(workers.turn(bench, branch_and_bound.Growth(tree, tree.take(1)), 2, None))
    assert tree.parts and 0 <= tree.closed < 1
    with pytest.raises(Exhausted):
        list(workers.grown(bench, [tree], Budget(0)))


def test_a_second_run_picks_up(tmp_path, no_pieces, monkeypatch):
    """Claims are saved as they come; later runs take them over, but only if the checker accepts them."""
    net, box = hard()
    digests = net.digest, box.checked.digest()
    saver = certificate.Saver(tmp_path, *digests)
    saved = []

    class Killed(Exception):
        pass

    def save(verdict, points):
        saver.next = 0.0  # at once
        saver.add(verdict.claim, points)
        saved.append(verdict)
        if len(saved) > 20:
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
    monkeypatch.setattr("geomrelu.deadness.decide.LARGE", 0)  # proofs are checked last
    late = list(decide(net, box, known=[*known, {"layer": 2, "neuron": 0, "proof": 1.5}]))
    assert len([v for r in late for v in r.verdicts if v.reason == "proved in an earlier run"]) >= len(taken) - 1
    assert statuses(late) == statuses(decide(net, box, known=lies)) == statuses(again)
    assert certificate.known(tmp_path, "other", digests[1]) == []
    (tmp_path / "layer-1.json").write_text("{")
    assert len(certificate.known(tmp_path, *digests)) < len(known)


def test_what_is_not_finished_is_kept(tmp_path, no_pieces, monkeypatch):
    """Trees that the budget cuts off are in files, which are no certificates; later runs go on with them."""
    net, box = hard()
    monkeypatch.setattr("geomrelu.deadness.by_pieces.MOST_GENERATED", 0)
    digests = net.digest, box.checked.digest()
    saver, resumed = certificate.Saver(tmp_path, *digests), []
    with monkeypatch.context() as patch:
        patch.setattr(workers, "TURN", 10)
        reports = list(decide(net, box, [2], each=1e-9, open_=saver.watch))
    left = [v.neuron for r in reports for v in r.verdicts if v.status is Status.UNDECIDED]
    saver.keep()
    files = sorted(path.name for path in tmp_path.iterdir())
    assert left and files == [f"layer-2-neuron-{i}.unfinished" for i in sorted(left)]
    known = certificate.known(tmp_path, *digests)
    assert {c["status"] for c in known} == {"open"}
    resume = branch_and_bound.Tree.resume
    monkeypatch.setattr(
        branch_and_bound.Tree,
        "resume",
        lambda tree, proof: (resumed.extend([tree.neuron] if proof else []), resume(tree, proof)),
    )
    (report,) = decide(net, box, [2], known=known)
    assert sorted(resumed) == sorted(left) and Status.UNDECIDED not in {v.status for v in report.verdicts}
    certificate.write(tmp_path, 2, [v.claim for v in report.verdicts], *digests, report.points)
    assert not list(tmp_path.glob("*.unfinished"))
    assert statuses([report]) == statuses(decide(net, box, [2]))


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
