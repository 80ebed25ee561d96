"""From data to proof: silence on data is exact, what is proved around them holds, and witnesses fire."""

from __future__ import annotations

import json
import time
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from geomrelu import InputError, Network, Status, as_network, decide
from geomrelu.budget import Budget
from geomrelu.cli.main import main
from geomrelu.deadness.from_data import SETS
from geomrelu.deadness.near_data import Hunt
from geomrelu.deadness.on_data import as_points, seen_on


def silent_by_definition(network, rows):
    """(layer, neuron) -> the largest value on the data, all in rationals."""
    values = [network.pre_activations(row) for row in rows]
    return {
        (layer, i): max(z[layer - 1][i] for z in values)
        for layer, width in enumerate(network.widths, 1)
        for i in range(width)
    }


def random_case(kind, random):
    """A network and data on which many values are exactly 0, or nearly, or of very different sizes."""
    sizes = [3, 140, 5] if kind == "wide" else [3, 6, 5, 4]
    numbers = {"generic": lambda s: random.normal(size=s), "scaled": lambda s: random.normal(size=s) * 1e8}
    layers = []
    for a, b in pairwise(sizes):
        draw = numbers.get(kind, lambda s: random.integers(-1, 2, s).astype(float))
        weights, bias = draw((b, a)), -abs(draw(b)) * (0.5 if kind == "generic" else 1)
        if kind == "scaled":
            weights[0], bias[0] = [*([1e-9] * (a - 1)), 1e9], -1e-9
        layers.append((weights.tolist(), bias.tolist(), "relu"))
    data = random.integers(-2, 3, (40, 3)) / (3.0 if kind == "scaled" else 1)
    if kind == "near":  # z is 0 but for the last digits
        layers[0] = ([[1, 1, 1]] * 6, [-(2.0**-k) for k in range(50, 56)], "relu")
        data = np.array([[1, -1, 2.0**-52], [1, -1, 2.0**-54], [0.1, 0.2, -0.3], [1, 1, -2], [1e300, -1e300, 1]])
    return Network.from_layers(layers), data


@pytest.mark.parametrize("kind", ["generic", "ternary", "scaled", "wide", "near"])
@pytest.mark.parametrize("seed", range(4))
def test_silence_on_data_is_what_the_definition_says(kind, seed):
    network, data = random_case(kind, np.random.default_rng(seed))
    single = data if kind == "near" else data.astype(np.float32)
    for source in (data, single, [[Fraction(float(x)) / 3 for x in row] for row in data]):
        if not isinstance(source, np.ndarray):
            table = np.empty(data.shape, dtype=object)
            table[:] = source
            source = table
        points = as_points(source, 3)
        exact = silent_by_definition(network, [points.exact(k) for k in range(len(points))])
        asked = {layer: range(width) for layer, width in enumerate(network.widths, 1)}
        found = seen_on(network, points, asked, Budget(60))
        for key, one in found.items():
            assert one.silent == (exact[key] <= 0), key
            assert (one.low is None or one.low <= exact[key]) and (one.high is None or exact[key] <= one.high)
            if not one.silent:
                assert network.pre_activations(points.exact(one.fires))[key[0] - 1][key[1]] > 0


@pytest.mark.parametrize("seed", range(3))
def test_what_is_proved_and_what_fires(seed):
    random = np.random.default_rng(seed)
    layers = [
        (random.normal(size=(b, a)).tolist(), (random.normal(size=b) - 0.7).tolist()) for a, b in ((2, 8), (8, 6))
    ]
    network = as_network([*layers, (np.ones((1, 6)).tolist(), [0])])
    data = random.random((12, 2)).astype(np.float32)
    found: Any = decide(network, data=data, widen="3/2", time=60)
    exact = silent_by_definition(network, data.tolist())
    assert found.silent == [key for key, value in exact.items() if value <= 0] and not found.undecided
    assert found.check() > 0
    low, high = data.min(axis=0).astype(float), data.max(axis=0).astype(float)
    middle, half = (low + high) / 2, (high - low) / 2
    samples = {
        "widened box": middle + 1.5 * half * (2 * random.random((300, 2)) - 1),
        "box": middle + half * (2 * random.random((300, 2)) - 1),
        "hull": random.dirichlet(np.ones(12), 300) @ data.astype(float),
    }
    inside = {name: [network.pre_activations(p.tolist()) for p in some] for name, some in samples.items()}
    for key in found.silent:
        layer, i = key
        for name in SETS[:-1]:
            if key in found.dead_on(name):
                assert all(z[layer - 1][i] <= 0 for z in inside[name]), (key, name)
        near = found.near.get(key)
        assert near is None or found.reach[key] != "widened box"
        if near is not None:
            value = network.pre_activations(near.point)[layer - 1][i]
            assert value == near.value > 0
            assert near.distance == max(
                abs(a - Fraction(float(b))) for a, b in zip(near.point, data[near.nearest], strict=True)
            )
    assert set(found.dead_on("widened box")) <= set(found.dead_on("box")) <= set(found.dead_on("data"))


def test_the_bias_that_revives():
    weights, bias = [[1, 1], [1, -2], [2, 0]], [-3, "-5/2", -2]
    data = np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
    found: Any = decide([(weights, bias, "relu")], data=data, widen=1)
    assert {key: found.revived(key) for key in found.silent} == {
        (1, 0): (Fraction(1), True),
        (1, 1): (Fraction(3, 2), True),
        (1, 2): (Fraction(0), True),
    }
    for i, more in enumerate(("1", "3/2", "0")):
        for extra, status in (("0", Status.DEAD), ("1/1000000", Status.ALIVE)):
            raised = [Fraction(str(b)) for b in bias]
            raised[i] += Fraction(more) + Fraction(extra)
            assert decide([(weights, raised, "relu")], (0, 1)).verdicts[i].status is status
    on_data, exact = found.revived((1, 0), on_data=True)
    assert not exact and 1 - Fraction(1, 10**12) < on_data <= 1


def test_a_silent_neuron_gets_no_gradient():
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    module = torch.nn.Sequential(
        torch.nn.Linear(3, 12), torch.nn.ReLU(), torch.nn.Linear(12, 10), torch.nn.ReLU(), torch.nn.Linear(10, 1)
    )
    with torch.no_grad():
        module[0].bias -= 0.7
        module[2].bias -= 0.1
    data = torch.rand(64, 3)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(data, torch.zeros(64)), batch_size=10)
    found: Any = decide(module, data=loader)
    again: Any = decide(module, data=data)
    assert len(found.points) == 64 and found.silent == again.silent
    module(data).square().sum().backward()
    for layer, (linear, after) in enumerate(((module[0], module[2]), (module[2], module[4])), 1):
        silent = [i for level, i in found.silent if level == layer]
        assert silent and len(silent) < linear.out_features
        assert not linear.weight.grad[silent].any() and not linear.bias.grad[silent].any()
        assert not after.weight.grad[:, silent].any()


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "m.json"
    as_network([([[1, 1], [1, -1], [-1, -1]], [-3, 0, 0]), ([[1, 1, 1]], [0])]).save(path)
    return str(path)


def test_files(model, tmp_path, capsys):
    data = np.array([[0.5, 0.25], [1, 0], [0, 0.125]])
    np.save(tmp_path / "x.npy", data.astype(np.float16))
    np.savez(tmp_path / "x.npz", y_train=np.zeros(3), x_train=data.reshape(3, 2, 1))
    (tmp_path / "x.csv").write_text("a,b\n0.5,1/4\n1,0\n\n0,.125\n")
    shown = []
    for name in ("x.npy", "x.npz", "x.csv"):
        assert main(["decide", model, "--data", str(tmp_path / name), "--format", "json"]) == 0
        shown.append(json.loads(capsys.readouterr().out) | {"data": ""})
    for row in (row for one in shown for row in one["neurons"]):
        low, high = map(Fraction, row.pop("largest_on_data"))  # of decimals it is known less sharply
        assert low <= high <= low + Fraction(1, 10**9)
    assert shown[0] == shown[1] == shown[2]
    assert shown[0]["dead_on"] == {"widened box": 2 - 1, "box": 2, "hull": 2, "data": 2}
    rows = {row["neuron"]: row for row in shown[0]["neurons"]}
    assert (
        rows[0]["bound"] == str(Fraction("1.05") + Fraction("0.2625") - 3)
        and rows[0]["supremum"] is True
        and rows[1]["fires_at"] == 0
    )
    witness = rows[2]["witness"]  # from (0, 1/8) both inputs fall by 1/16, which leaves the widened box
    assert rows[2]["dead_on"] == "box" and witness["nearest"] == 2 and not witness["in_widened_box"]
    assert Fraction(1, 16) < Fraction(witness["distance"]) < Fraction(1, 16) + Fraction(1, 10**5)


def test_the_page_and_the_certificates(model, tmp_path, capsys):
    np.save(tmp_path / "x.npy", np.eye(2))
    where = ["--data", str(tmp_path / "x.npy"), "--widen", "2", "--report", str(tmp_path / "r")]
    assert main(["decide", model, *where]) == 0
    out = capsys.readouterr()
    assert "3 neurons: 2 silent on all points, 1 firing," in out.out and "index.html" in out.err
    assert "only neurons that are silent" in (tmp_path / "r" / "index.html").read_text()
    assert (tmp_path / "r" / "certificates" / "widened-box" / "layer-1.json").exists()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (np.zeros((3, 4)), "shape"),
        (np.zeros((0, 2)), "shape"),
        (np.array([[1.0, np.nan]]), "point 0, input 1"),
        ("missing.npy", "missing.npy"),
        ("x.txt", "are read from"),
        (np.array([["a", "b"]]), "not <U1"),
        (7, "not int"),
        ([np.zeros(3)], "shape"),
        ([np.zeros((2, 3)), np.zeros((2, 3))], "shape"),
        (np.zeros((2, 2), dtype=bool), "not bool"),
    ],
)
def test_what_is_refused(data, said):
    with pytest.raises(InputError, match=said):
        decide([([[1, 1]], [0], "relu")], data=data)


def test_images_whose_channels_come_last_are_not_taken_for_others(tmp_path):
    """Of 2 channels of 3 by 4: rows of (3, 4, 2) numbers would be read as if they lay like (2, 3, 4)."""
    onnx, graphs = pytest.importorskip("onnx"), pytest.importorskip("graphs")
    nodes = [graphs.node("Conv", "x w", "z"), graphs.node("Relu", "z", "y")]
    path = str(tmp_path / "c.onnx")
    onnx.save(graphs.model(nodes, {"w": np.ones((1, 2, 3, 4), dtype=np.float32)}, (1, 2, 3, 4)), path)
    images = np.arange(48.0).reshape(2, 2, 3, 4)
    np.save(tmp_path / "last.npy", images.transpose(0, 2, 3, 1))
    np.save(tmp_path / "first.npy", images)
    for name in ("first.npy", "last.npy"):
        for how in ({"domain": tmp_path / name}, {"data": tmp_path / name}, {"data": [np.load(tmp_path / name)]}):
            if name == "last.npy":
                with pytest.raises(InputError, match=r"axes \[3, 4, 2\], where the model reads x \[1, 2, 3, 4\]"):
                    decide(path, **how)
            else:
                decide(path, **how)
    for name, fits in (("center", images[0]), ("last", images[0].transpose(1, 2, 0))):
        np.save(tmp_path / "one.npy", fits)
        if name == "last":
            with pytest.raises(InputError, match=r"axes \[3, 4, 2\]"):
                decide(path, f"ball:1@{tmp_path / 'one.npy'}")
        else:
            assert decide(path, f"ball:1@{tmp_path / 'one.npy'}").domain.contains(images[0].ravel())
    found: Any = decide(path, data=images.reshape(2, 24))
    assert len(found.points) == 2


def test_what_does_not_go_together(model, tmp_path, capsys):
    np.save(tmp_path / "x.npy", np.eye(2))
    on_data = ["decide", model, "--data", str(tmp_path / "x.npy")]
    for more in (["--widen", "1/2"], ["--widen", "x"], ["--ranges"], ["--regions", "3"], ["--arithmetic", "float32"]):
        assert main([*on_data, *more]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert main(["decide", model, "--domain", "box:0,1", "--widen", "2"]) == 2
    with pytest.raises(InputError, match="with data"):
        decide(model, (0, 1), data=np.eye(2))


def test_a_budget_that_ends_leaves_neurons_undecided(model):
    network = as_network(model)
    found = seen_on(network, as_points(np.eye(2), 2), {1: range(3)}, Budget(0))
    assert all(one.silent is None or one.silent is False for one in found.values())


def test_no_witness_is_sought_after_the_end_of_the_budget(monkeypatch):
    """Each takes an exact evaluation at least, and that of thousands of neurons took minutes."""
    asked = []

    def slow(hunt, layer, neuron, known, parts):
        asked.append(neuron)
        time.sleep(0.1)

    monkeypatch.setattr(Hunt, "nearest", slow)
    layers = [([[1]] * 200, [f"-1{i:03}/1000" for i in range(200)], "relu")]  # silent on the data, not on their box
    found: Any = decide(layers, data=np.array([[0.0], [0.5]]), widen=5, time=1)
    assert len(found.silent) == 200 and found.near == {} and 0 < len(asked) < 100


def test_an_interruption_leaves_what_is_known():
    def stop(text, done, of):
        if text.startswith("box"):
            raise KeyboardInterrupt

    weights = np.array([[1, 1], [-1, -1]])  # the second one touches 0 on the box
    found: Any = decide([(weights.tolist(), [-3, 0], "relu")], data=np.eye(2), progress=stop)
    assert found.interrupted and found.silent == [(1, 0), (1, 1)]
    assert found.reach[1, 0] == "widened box" and found.dead_on("widened box") == [(1, 0)]


def test_the_hull_of_many_points_holds_for_layer_1():
    angles = np.linspace(0, 2 * np.pi, 200)
    data = np.stack([np.cos(angles), np.sin(angles)], axis=1)  # in the box there is (1, 1)
    found: Any = decide([([[1, 1]], [-1.5], "relu")], data=data, time=30)
    assert found.reach == {(1, 0): "hull"} and found.check() == 3  # alive on both boxes
    assert 1.5 - 2**0.5 - 1e-3 < found.revived((1, 0))[0] < 1.5 - 2**0.5 + 1e-3
