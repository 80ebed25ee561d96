"""Real networks from the VNN competition: what is known about them, decided with accepted certificates."""

from __future__ import annotations

import pytest

from geomrelu import Network, Polyhedron, Status, checker, read_domain
from geomrelu.certificates import files
from geomrelu.deadness.decide import decide
from geomrelu.deadness.pruning import prune

pytestmark = [pytest.mark.slow, pytest.mark.onnx]

DEAD = {
    "acasxu_1_1": {1: [24], 2: [1, 10, 24, 25, 37, 43]},
    "acasxu_2_1": {1: [], 2: [11, 15, 30]},
    "acasxu_3_3": {1: [8, 23, 27, 38], 2: [0, 3, 26, 46]},
}


def certified(network, domain, layers):
    """Decide, then check the certificate of each layer from its JSON form."""
    import json

    for report in decide(network, domain, layers=layers):
        claims = [v.claim for v in report.verdicts if v.claim]
        bundle = files.as_certificate(claims, network.digest, domain.checked.digest(), report.points)
        assert len(checker.check(json.loads(json.dumps(bundle)), network.checked, domain.checked)) == len(claims)
        yield report


@pytest.mark.parametrize("name", DEAD)
def test_acas_xu(shared, name):
    pytest.importorskip("onnx")
    network = Network.from_file(shared / "networks" / f"{name}.onnx")
    domain = read_domain(str(shared / "networks" / "acasxu_full_domain.vnnlib"), 5)
    for report in certified(network, domain, [1, 2]):
        assert all(v.status is not Status.UNDECIDED for v in report.verdicts)
        dead = [v for v in report.verdicts if v.status is Status.DEAD]
        assert [v.neuron for v in dead] == DEAD[name][report.layer]
        assert all(v.stable for v in dead)


@pytest.mark.parametrize(("domain", "dead"), [("box:0,1", None), ("mnist_prop_0_0.03.vnnlib", None)])
def test_mnist_first_layer(shared, domain, dead):
    pytest.importorskip("onnx")
    network = Network.from_file(shared / "networks" / "mnist_256x2.onnx")
    box = (
        Polyhedron.box([(0, 1)] * 784)
        if domain.startswith("box")
        else read_domain(str(shared / "networks" / domain), 784)
    )
    (report,) = certified(network, box, [1])
    assert len(report.verdicts) == 256
    assert all(v.status is (Status.ALIVE if v.supremum > 0 else Status.DEAD) for v in report.verdicts)


@pytest.mark.parametrize(
    ("model", "domain", "dead"),
    [
        ("networks/real/acc_net_1.onnx", "networks/real/acc_net_1.vnnlib", [9, 24]),
        ("cases/decide/polytope_3_50_40.json", "cases/decide/polytope_box_and_row.vnnlib", [0, 32]),
    ],
)
def test_a_box_and_a_row(shared, model, domain, dead):
    """All neurons, though there are some 20,000 linear pieces."""
    pytest.importorskip("onnx")
    network = Network.from_file(shared / model)
    reports = certified(network, read_domain(str(shared / domain), network.inputs), [1, 2])
    assert [sum(v.status is Status.DEAD for v in report.verdicts) for report in reports] == dead


def test_mnist_convolution(shared):
    pytest.importorskip("onnx")
    network = Network.from_file(shared / "networks" / "mnist_cnn.onnx")
    box = read_domain(str(shared / "networks" / "mnist_cnn_image0.vnnlib"), 784)
    (report,) = certified(network, box, [1])
    assert len(report.verdicts) == 6272
    assert all(v.status is not Status.UNDECIDED for v in report.verdicts)


def test_a_hard_neuron_of_acas_xu(shared):
    """Layer 3, neuron 47: HiGHS does not finish it in 300 seconds."""
    pytest.importorskip("onnx")
    network = Network.from_file(shared / "networks" / "acasxu_1_1.onnx")
    domain = read_domain(str(shared / "networks" / "acasxu_full_domain.vnnlib"), 5)
    (report,) = certified(network, domain, [3])
    assert [v.neuron for v in report.verdicts if v.status is not Status.ALIVE] == [47]
    assert report.verdicts[47].status is Status.DEAD and report.verdicts[47].stable


def test_mnist_is_decided_and_pruned(shared):
    """All neurons of both layers, some by splitting signs; 20 of 512 neurons are needed on the box."""
    pytest.importorskip("onnx")
    network = Network.from_file(shared / "networks" / "mnist_256x2.onnx")
    box = read_domain(str(shared / "networks" / "mnist_prop_0_0.03.vnnlib"), 784)
    reports = list(certified(network, box, None))
    assert all(v.status is not Status.UNDECIDED for report in reports for v in report.verdicts)
    found = prune(network, box, reports, fold=False)
    assert found.removed == 492 and found.network.widths == (10, 10)
