"""Budgets: long work looks at them, whatever ends there can be taken up again, and what is left over is used.

Time is a number here that moves when it is looked at; no test depends on how fast the machine is.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from math import comb, inf
from pathlib import Path

import numpy as np
import pytest
from polls import Polls

from geomrelu import Budget, Network, Polyhedron, Status, budget, checker
from geomrelu.budget import Exhausted
from geomrelu.certificates import files
from geomrelu.deadness import branch_and_bound, workers
from geomrelu.deadness.decide import decide
from geomrelu.deadness.pruning import prune
from geomrelu.deadness.relaxation import FloatNetwork
from geomrelu.deadness.verdict import Verdict
from geomrelu.geometry.region_formulas import network_regions_at_most
from geomrelu.io.tape import Tape, convolution
from geomrelu.network.pieces import extremes


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves by a second whenever a budget looks at it."""

    class Clock:
        now = 0

        def __call__(self):
            self.now += 1
            return self.now

    found = Clock()
    monkeypatch.setattr(budget.time, "monotonic", found)
    return found


def images(seed=0, layers=3, size=4):
    """A convolutional network on a box around an image."""
    rng = np.random.default_rng(seed)
    tape, shape = Tape(size * size), (1, size, size)
    value = tape.input
    for _ in range(layers):
        kernel = rng.integers(-3, 4, (3, shape[0], 3, 3)).astype(float)
        bias = rng.integers(-12, 3, 3).astype(float)
        map_, shape = convolution(kernel, bias, shape, (1, 1), (1, 1, 1, 1), (1, 1), 1)
        value = tape.relu(map_.after(value))
    net = Network.from_tape(tape.finish(value))
    return net, Polyhedron.box([(v, v + 0.25) for v in rng.integers(0, 4, size * size) / 4])


def statuses(reports):
    return {(v.layer, v.neuron): v.status for r in reports for v in r.verdicts}


# ---- budgets ----------------------------------------------------------------------------------------------------


def test_parts_and_shares_end_with_the_whole(clock):
    whole = Budget(100, 10)
    share = whole.share(4)
    assert share.seconds < 26 and share.regions == 2
    share.spend(2)
    assert share.ended and not whole.ended and whole.examined == 2
    with pytest.raises(Exhausted, match="2 regions"):
        share.spend()
    clock.now += 40
    with pytest.raises(Exhausted, match="the time for it, 2"):
        share.poll()
    whole.poll()
    clock.now += 100
    for part in (whole, share, whole.clock(), whole.part(3), whole.share(2)):
        assert part.ended
        with pytest.raises(Exhausted, match="the time for it, 100 s, is over"):
            part.poll()


# ---- work that ends and goes on ---------------------------------------------------------------------------------


def test_seconds_for_a_part_of_the_work(clock):
    assert Budget().seconds_left() == Budget(inf).seconds_left(0.5, kept=3) == inf
    whole = Budget(10)
    assert 0 < whole.seconds_left(0.5, kept=2) <= 4
    assert whole.seconds_left(kept=20) == 1e-3


def test_bounds_of_the_whole_box_go_on_where_they_ended(monkeypatch):
    net, box = images()
    expected = FloatNetwork(net, box).whole(3)
    monkeypatch.setattr("geomrelu.deadness.relaxation.WORK", 5000)
    floating, ended = FloatNetwork(net, box), 0
    while True:
        try:
            found = floating.whole(3, Polls(1))
            break
        except Exhausted:
            ended += 1
    assert ended > 10
    for one, other in zip(found.bounds, expected.bounds, strict=True):
        np.testing.assert_allclose(one, other)
    assert len(floating.known) == 3


@pytest.mark.parametrize("most", [0, 3, 20])
def test_a_tree_grows_on_wherever_it_was_interrupted(most):
    """In the middle of bounding a batch, of improving it, and of judging it."""
    rng, done = random.Random(most), Counter()
    for k in range(3):
        widths = (2, 3, 3, 2)
        layers = [
            ([[rng.randint(-4, 4) for _ in range(n)] for _ in range(m)], [rng.randint(-6, 3) for _ in range(m)], "relu")
            for n, m in pairwise(widths)
        ]
        bench = workers.Bench(Network.from_layers(layers), Polyhedron.box([(-1, 1)] * 2))
        for i in range(widths[-1]):
            tree = branch_and_bound.Tree(bench.floating, 3, i, coarse=k % 2 == 0)
            limit, turns = most, 0
            while not tree.done and tree.point is None and not tree.failed and tree.boxes < 100:
                growth, watch = branch_and_bound.Growth(tree, tree.take(20)), Polls(limit)
                before = {part.name for part in growth.roots}
                with np.errstate(all="ignore"):
                    growth.start(bench.floating)
                    growth.grow(50, watch)
                names = {part.name for part in growth.parts} | set(growth.nodes)
                assert growth.point is not None or before <= names  # nothing is lost
                assert all(name in growth.nodes for name in growth.leaves)
                workers.Judgement(bench, growth, Polls(limit)).pass_()
                growth.pack()
                tree.merge(growth)
                turns += 1
                limit = most if turns < 5 else 10**9  # else the same might be interrupted for ever
            if tree.done and tree.point is None and not tree.failed:
                claim = files.unpacked(bench.refuted(tree))
                bench.shared.watch(lambda: None)
                checker.prove(claim, bench.shared)
                done["dead"] += 1
            done["ended"] += 1
    assert done["dead"] > 0 and done["ended"] == 6


def test_a_decision_may_end_anywhere():
    """However soon the budget ends, what was decided is right, the rest says why it is open, and nothing else is left
    undone: a derivation in the exact checker is interrupted between its rows."""
    net, box = images()
    watch = Polls(10**9)
    right = statuses(decide(net, box, budget=watch))
    assert {Status.DEAD, Status.ALIVE} <= set(right.values())
    assert watch.polls > 2 * net.widths[1]
    step = max(1, watch.polls // 12)
    for most in range(0, watch.polls, step):
        again = Polls(most)
        reports = list(decide(net, box, budget=again))
        assert again.polls < most + 100
        for verdict in (v for r in reports for v in r.verdicts):
            if verdict.status is Status.UNDECIDED:
                assert "the time for it is over" in verdict.reason
            else:
                assert verdict.status is right[verdict.layer, verdict.neuron]
        assert [len(r.verdicts) for r in reports] == list(net.widths)


def test_a_cut_of_many_corners_may_end():
    """One hyperplane through a cube of 512 corners has many pairs of them to look at."""
    rng = np.random.default_rng(5)
    rows = [rng.integers(-3, 4, 9).tolist() for _ in range(2)]
    net = Network.from_layers([(rows, [0, 1], "relu"), ([[1, -1]], [0], "relu")])
    cube, watch = Polyhedron.box([(-1, 1)] * 9), Polls(10**9)
    best = extremes(net, cube, 2, watch)[1][0]
    first = net.neuron(1, 0)
    assert best.value is not None and 0 < best.value <= first.constant + sum(map(abs, first.slope))
    assert net.pre_activations(best.point)[1] == [best.value]
    assert watch.polls > 500
    with pytest.raises(Exhausted):
        extremes(net, cube, 2, Polls(20))


def test_pruning_folds_what_the_time_allows():
    net, box = images(1)
    reports = list(decide(net, box))
    watch = Polls(10**9)
    whole = prune(net, box, reports, watch)
    assert whole.folded > 0 and watch.polls > 10
    for most in range(0, watch.polls, max(1, watch.polls // 5)):
        found = prune(net, box, reports, Polls(most))
        assert found.removed == whole.removed and found.folded <= whole.folded
        x = list(box.checked.lower)
        assert found.network(x) == net(x)
    assert prune(net, box, reports, Polls(0)).folded == 0


# ---- what is left over ------------------------------------------------------------------------------------------


def test_what_later_layers_leave_over_goes_to_those_that_are_open(clock, monkeypatch):
    """Layer 1 needs 60 seconds of 100, more than its share; layers 2 to 4 a few. Its work is not done twice."""
    net = Network.from_layers([([[1, 1]] * 2, [0, 0], "relu")] + [([[1, 1]] * 2, [0, 0], "relu")] * 3)
    cost, done, begun = {1: 60, 2: 2, 3: 2, 4: 2}, Counter(), []

    def fresh(run, layer, asked, last):
        begun.append((layer, tuple(asked)))
        for i in asked:
            while done[layer, i] < cost[layer] // 2:
                done[layer, i] += 1
                run.problem.budget.poll()
            yield Verdict(layer, i, Status.ALIVE, None, None, "worked")

    monkeypatch.setattr("geomrelu.deadness.decide._Run._fresh", fresh)
    box = Polyhedron.box([(-1, 1)] * 2)
    reports = list(decide(net, box, budget=Budget(300)))
    assert set(statuses(reports).values()) == {Status.ALIVE}
    assert begun[0] == (1, (0, 1)) and begun[-1][0] == 1 and len(begun) >= 5
    assert sum(done.values()) <= 66 + len(begun)
    assert [r.layer for r in reports] == [1, 2, 3, 4]

    cost[1], begun[:] = 10**6, []
    done.clear()
    reports = list(decide(net, box, budget=Budget(300)))
    assert {key for key, s in statuses(reports).items() if s is Status.UNDECIDED} == {(1, 0), (1, 1)}
    assert all("300 s, is over" in v.reason for v in reports[0].verdicts)


def test_a_budget_of_regions_is_used_up_too(monkeypatch):
    net, box = images()
    for regions in (0, 1, 2, 3, 7):
        limit = Budget(None, regions)
        reports = list(decide(net, box, [2, 3], budget=limit))
        assert limit.examined <= regions
        left = [v for r in reports for v in r.verdicts if v.status is Status.UNDECIDED]
        assert all("regions, is spent" in v.reason for v in left)


# ---- one thread of BLAS -----------------------------------------------------------------------------------------

NAMES = ("OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "BLIS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def said(script, **environment):
    """What a new process prints of these variables after a script."""
    clean = {key: value for key, value in os.environ.items() if key not in NAMES}
    clean["PYTHONPATH"] = str(Path(__file__).resolve().parents[1])
    code = f"{script}\nimport os; print([os.environ.get(name) for name in {NAMES}])"
    run = subprocess.run([sys.executable, "-c", code], env=clean | environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


def test_blas_has_one_thread_unless_somebody_has_said_something():
    ours = str(["1", "1", "1", None, None])
    assert said("import geomrelu") == said("import geomrelu.cli.main") == [ours]
    assert said("import numpy, geomrelu") == [str([None] * 5)]
    assert said("import geomrelu", OPENBLAS_NUM_THREADS="3") == [str(["3", None, None, None, None])]
    assert said("import geomrelu", OMP_NUM_THREADS="2") == [str([None, None, None, "2", None])]


def test_workers_have_one_thread_too():
    script = (
        "import numpy, os\nfrom geomrelu.parallel import Pool\n"
        "with Pool(1) as pool:\n"
        f"    print([pool.submit(os.getenv, name).result() for name in {NAMES}])"
    )
    assert said(script) == [str(["1"] * 5), str([None] * 5)]
    assert said(script, MKL_NUM_THREADS="4") == [str([None] * 4 + ["4"])] * 2


@pytest.mark.skipif(not Path("/proc/self/task").is_dir() or os.cpu_count() == 1, reason="no threads to be counted here")
def test_matrices_are_multiplied_by_one_thread():
    """NumPy's BLAS and SciPy's; without a word from geomrelu there would be one for each processor."""
    work = (
        "import os, numpy, scipy.linalg\n"
        "a = numpy.random.default_rng(0).random((600, 600)); scipy.linalg.lu(a @ a)\n"
        "print(len(os.listdir('/proc/self/task')))"
    )
    for first in ("import geomrelu", "from geomrelu.cli.main import main", "import geomrelu.deadness.workers"):
        assert said(f"{first}\n{work}")[0] == "1"
    assert said(f"import geomrelu\n{work}", OPENBLAS_NUM_THREADS="2")[0] in ("2", "3")  # of each BLAS
    counted = "len(__import__('os').listdir('/proc/self/task'))"
    product = "(lambda a: a @ a)(__import__('numpy').random.default_rng(0).random((600, 600))).sum()"
    script = (
        "from geomrelu.parallel import Pool\nwith Pool(1) as pool:\n"
        f"    before, _, after = [pool.submit(eval, text).result() for text in {(counted, product, counted)}]\n"
        "print(after - before)"
    )
    assert said(script)[0] == "0" != said(script, OPENBLAS_NUM_THREADS="2")[0]


@pytest.mark.torch
def test_torch_keeps_its_threads():
    pytest.importorskip("torch")
    script = "import torch\nprint(torch.get_num_threads())"
    assert said(script)[0] == said(f"import geomrelu\n{script}")[0]


def test_the_bound_on_regions_of_wide_networks_is_a_product_where_it_can_be():
    """Against the recursion as it is written in its source, wide and narrow."""
    rng = random.Random(0)
    for _ in range(300):
        inputs, widths = rng.randint(1, 9), [rng.randint(1, 20) for _ in range(rng.randint(1, 4))]
        most = [1] * (inputs + 1)
        for n in reversed(widths):
            most = [sum(comb(n, j) * most[min(d, n - j)] for j in range(min(n, d) + 1)) for d in range(inputs + 1)]
        assert network_regions_at_most(inputs, widths) == most[inputs]
