"""Pruned networks equal the originals exactly on the domain; false prunings are rejected; formats are exact."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from families import lean, network, rational

import geomrelu
from geomrelu import InputError, Network, Polyhedron, checker
from geomrelu.certificates import changes
from geomrelu.deadness.decide import decide
from geomrelu.deadness.pruning import prune

pytestmark = pytest.mark.slow

JUDGES = (checker.check_pruning, changes.check_pruning)


def nets(count, seed):
    """Chains with and without a map after the last ReLU, many dead, active and proportional neurons among them."""
    rng = random.Random(seed)
    for k in range(count):
        widths = rng.choice(((2, 4, 3), (2, 4, 4, 2), (3, 5, 3, 3)))
        layers = network(rng, widths, ("rational", "ternary", "degenerate", "scaled")[k % 4])
        if rng.random() < 0.5:
            layers = lean(layers, rng)
        triples = [(rows, bias, "relu") for rows, bias in layers]
        if rng.random() < 0.5:
            triples[-1] = (*triples[-1][:2], "none")
        sides = [(low := rational(rng, 2), low + abs(rational(rng, 2))) for _ in range(widths[0])]
        yield rng, Network.from_layers(triples), Polyhedron.box(sides)


def inside(rng, box):
    sides = zip(box.checked.lower, box.checked.upper, strict=True)
    return [low + Fraction(rng.randint(0, 8), 8) * (high - low) for low, high in sides]


def test_pruned_networks_are_equal_on_the_domain(tmp_path):
    counts = np.zeros(3, dtype=int)
    for k, (rng, net, box) in enumerate(nets(120, 3)):
        reports = list(decide(net, box))
        for fold, merge in ((True, True), (False, False)):
            found = prune(net, box, reports, fold=fold, merge=merge)
            counts += (found.removed, found.folded, found.merged)
            assert found.before[0] - found.after[0] == found.removed + found.folded + found.merged
            assert found.after[2] <= found.before[2]
            for _ in range(6):
                point = inside(rng, box)
                assert found.network(point) == net(point)
            path = tmp_path / f"{k}.json"
            found.network.save(path)
            again = Network.from_file(path)
            data = json.loads(json.dumps(found.certificate))
            for judged in JUDGES:
                judged(data, net.checked, box.checked, again.checked)
    assert (counts >= (500, 100, 10)).all(), counts


def test_false_prunings_are_rejected():
    """Each lie about one neuron is rejected, even when the smaller network is what the lie would give."""
    lies = 0
    for _, net, box in nets(40, 9):
        reports = list(decide(net, box))
        good = prune(net, box, reports).certificate
        fates = {(level, i) for kind in ("removed", "folded", "merged") for level, i, *_ in good[kind]}
        for report in reports:
            for v in report.verdicts:
                place = (v.layer, v.neuron)
                if place in fates or v.status.value == "dead":
                    continue
                claims = [c for c in good["claims"] if (c["layer"], c["neuron"]) != place]
                for kind, entry in (("removed", [*place]), ("folded", [*place]), ("merged", [*place, 0, "1"])):
                    bad = {**good, kind: [*good[kind], entry]}
                    fate = {(level, i): (key, None) for key in ("removed", "folded") for level, i in bad[key]}
                    fate |= {(level, i): ("merged", (j, Fraction(c))) for level, i, j, c in bad["merged"]}
                    row = net.checked.layers[v.layer - 1].rows[v.neuron]
                    if kind == "merged" and (v.neuron == 0 or row == net.checked.layers[v.layer - 1].rows[0]):
                        continue
                    dead = {"layer": v.layer, "neuron": v.neuron, "status": "dead", "proof": [{}]}
                    active = {"layer": v.layer, "neuron": v.neuron, "status": "active", "proof": [{}]}
                    if kind == "removed" and unread(net, place, fates):
                        continue  # whatever it is
                    low = min(net.pre_activations(p, v.layer)[-1][v.neuron] for p in corners(box))
                    try:
                        smaller = checker.pruned(net.checked, fate)
                    except KeyError:
                        continue  # one is merged into one that is gone: there is nothing to compare with
                    bad["smaller"] = smaller.whole_digest()
                    for more in ([], [dead], [active] if low < 0 else [dead]):
                        lies += 1
                        for judged in JUDGES:
                            with pytest.raises(checker.Rejected):
                                judged({**bad, "claims": [*claims, *more]}, net.checked, box.checked, smaller)
    assert lies > 300


def unread(net, place, gone):
    """Does no row of a neuron that stays, and no output, have a weight on a neuron? Seen on dense matrices."""
    model = net.checked
    variable = model.start[place[0]] + place[1]
    rows = [(level, i, row) for level, layer in enumerate(model.layers, 1) for i, row in enumerate(layer.rows)]
    after = [row for level, i, row in rows if (level, i) not in gone] + (model.output.rows if model.output else [])
    last = model.output is None and place[0] == len(model.layers)
    return not last and not any(
        j == variable and w for _, columns, entries in after for j, w in zip(columns, entries, strict=True)
    )


def test_what_only_dead_neurons_read_goes_with_them():
    """x -> two living neurons -> one dead neuron -> output around it; nothing is claimed of the two."""
    net = Network.from_layers(
        [
            ([[1], [-1], [1]], [2, 2, 0], "relu"),
            ([[-1, -1, 0], [0, 0, 1]], [-1, 0], "relu"),
            ([[1, 1]], [0], "none"),
        ]
    )
    box = Polyhedron.box([(0, 1)])
    found = prune(net, box, decide(net, box), fold=False, merge=False)
    assert found.network.widths == (1, 1) and found.removed == 3
    claimed = {(c["layer"], c["neuron"]) for c in found.certificate["claims"]}
    assert claimed == {(2, 0)}
    for x in (0, Fraction(1, 3), 1):
        assert found.network([x]) == net([x])
    checker.check_pruning(found.certificate, net.checked, box.checked, found.network.checked)
    without = {**found.certificate, "claims": []}  # then what reads them stays, and so do they
    with pytest.raises(checker.Rejected, match="without a claim"):
        checker.check_pruning(without, net.checked, box.checked, found.network.checked)


def test_where_nothing_changes_the_network_stays():
    network = Network.from_layers([([[1, 2], [3, -1]], [1, -1], "relu"), ([[1, -1]], [0], "none")])
    box = Polyhedron.box([(-1, 1)] * 2)
    found = prune(network, box, decide(network, box), fold=False)
    assert found.network is network
    assert (found.removed, found.folded, found.merged) == (0, 0, 0)
    assert checker.check_pruning(found.certificate, network.checked, box.checked, found.network.checked)
    assert found.network([1, 1]) == network([1, 1])


def test_an_output_is_read():
    """A last layer without a map after it is the output: nothing of it is removed unless it is dead."""
    net = Network.from_layers([([[1], [2]], [1, 1], "relu")])
    box = Polyhedron.box([(0, 1)])
    good = prune(net, box, decide(net, box), fold=False, merge=False).certificate
    smaller = checker.pruned(net.checked, {(1, 1): ("removed", None)})
    bad = {**good, "removed": [[1, 1]], "smaller": smaller.whole_digest()}
    with pytest.raises(checker.Rejected, match="without a claim"):
        checker.check_pruning(bad, net.checked, box.checked, smaller)


def corners(box):
    return product(*zip(box.checked.lower, box.checked.upper, strict=True))


def test_another_network_is_not_the_smaller_one():
    net = Network.from_layers([([[1], [-1]], [1, -2], "relu"), ([[1, 1]], [0], "none")])
    box = Polyhedron.box([(0, 1)])
    found = prune(net, box, decide(net, box), fold=False)
    other = Network.from_layers([([[1]], [1], "relu"), ([[2]], [0], "none")])
    same_layers = Network.from_layers([([[1]], [1], "relu"), ([[1]], [1], "none")])
    for wrong in (other, same_layers, net):
        for digest, judged in product((found.certificate["smaller"], wrong.checked.whole_digest()), JUDGES):
            with pytest.raises(checker.Rejected):
                judged({**found.certificate, "smaller": digest}, net.checked, box.checked, wrong.checked)
    wider = Polyhedron.box([(0, 5)])
    with pytest.raises(checker.Rejected):
        checker.check_pruning(found.certificate, net.checked, wider.checked, found.network.checked)


def test_a_killed_layer_keeps_a_neuron():
    net = Network.from_layers([([[1], [2]], [-9, -9], "relu"), ([[1, 1], [1, 0]], [1, 2], "relu")])
    box = Polyhedron.box([(0, 1)])
    found = prune(net, box, decide(net, box), fold=False)
    assert found.network.widths == (1, 2) and found.network([1]) == net([1]) == [1, 2]


@pytest.mark.parametrize("ending", [".json", ".npz", ".onnx"])
def test_formats_hold_the_network_exactly(tmp_path, ending):
    if ending == ".onnx":
        pytest.importorskip("onnx")
    path = tmp_path / f"net{ending}"
    rng = np.random.default_rng(1)
    floats = Network.from_layers(
        [
            (rng.normal(size=(4, 3)).astype(np.float32), rng.normal(size=4), "relu"),
            (rng.normal(size=(2, 4)), [Fraction(1, 2**70) + 1, 2], "relu"),
            (np.eye(2), [0, 1], "none"),
        ]
    )
    thirds = Network.from_layers([([["1/3", 1]], [0], "relu"), ([[1]], ["1/3"], "none")])
    skipping = '{"inputs": 1, "layers": [{"rows": [[0, 0, 1]]}, {"rows": [[0, 0, 1, 1, 1]]}]}'
    (tmp_path / "skip.json").write_text(skipping)
    unread = '{"inputs": 1, "layers": [{"rows": [[0, 0, 1]]}, {"rows": [[1, 1, 2]]}, {"rows": [[1, 0, 1], [2]]}]}'
    (tmp_path / "unread.json").write_text(unread)
    for net, known in (
        (floats, (".json", ".npz", ".onnx")),
        (thirds, (".json", ".npz")),
        (Network.from_file(tmp_path / "skip.json"), (".json", ".onnx")),
        (Network.from_file(tmp_path / "unread.json"), (".json", ".onnx")),
    ):
        if ending not in known:
            with pytest.raises(InputError, match=r"\.json"):
                net.save(path)
            continue
        net.save(path)
        again = Network.from_file(path)
        assert again == net and again.checked.whole_digest() == net.checked.whole_digest()
    with pytest.raises(InputError, match="unknown kind"):
        floats.save(tmp_path / "net.txt")


@pytest.mark.onnx
def test_onnxruntime_agrees(tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from graphs import run

    rng = np.random.default_rng(3)
    net = Network.from_layers(
        [
            (rng.integers(-8, 9, size=(12, 3)) / 8, rng.integers(-20, 5, size=12) / 8, "relu"),
            (rng.integers(-8, 9, size=(8, 12)) / 8, rng.integers(-20, 5, size=8) / 8, "relu"),
            (rng.integers(-8, 9, size=(2, 8)) / 8, [0, 1], "none"),
        ]
    )
    box = Polyhedron.box([(-1, 1)] * 3)
    found = prune(net, box, decide(net, box), fold=False)
    assert found.removed > 3
    net.save(tmp_path / "net.onnx")
    found.network.save(tmp_path / "small.onnx")
    points = rng.integers(-8, 9, size=(40, 3)) / 8
    for point, a, b in zip(points, *(run(tmp_path / name, points) for name in ("net.onnx", "small.onnx")), strict=True):
        assert a.tolist() == b.tolist() == [float(v) for v in net([Fraction(x) for x in point.tolist()])]


@pytest.mark.parametrize("ending", [".json", ".npz", ".onnx"])
def test_what_is_left_may_end_with_a_map_that_changes_nothing(tmp_path, ending):
    """x1 + x2 after a layer whose second neuron dies is x1, the first one: the file is what the certificate names."""
    if ending == ".onnx":
        pytest.importorskip("onnx")
    layers = [([[1, 1], [-1, -1]], [0, -5], "relu"), ([[1, 1]], [0], "none")]
    smaller = geomrelu.prune(layers, (0, 1), fold=False)
    assert smaller.network.output is not None and smaller.network.widths == (1,)
    smaller.save(tmp_path / f"s{ending}", tmp_path / "p.json")
    for independent in (True, False):
        counts = geomrelu.check(
            tmp_path / "p.json", layers, (0, 1), smaller=tmp_path / f"s{ending}", independent=independent
        )
        assert counts == 1
    again = geomrelu.prune(smaller.network, (0, 1), fold=False)
    again.save(tmp_path / f"t{ending}", tmp_path / "q.json")
    for independent in (True, False):
        files = tmp_path / "q.json", tmp_path / f"s{ending}", (0, 1)
        assert geomrelu.check(*files, smaller=tmp_path / f"t{ending}", independent=independent) == 0
    other = [([[1, 1]], [1], "relu")]
    with pytest.raises(checker.Rejected, match="another smaller network"):
        geomrelu.check(tmp_path / "p.json", layers, (0, 1), smaller=other)
