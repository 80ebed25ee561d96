"""Quantised networks: verdicts beside complete enumeration, onnxruntime and the plain forward pass."""

import json
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import onnx
import pytest
from quantised_models import ALL, How, convolutional, dense, outputs_of, quantise

from geomrelu import check, checker, decide
from geomrelu.cli.main import main
from geomrelu.deadness import quantised_report as reports
from geomrelu.deadness.quantised_relaxed import Finding, relaxed
from geomrelu.deadness.verdict import Status
from geomrelu.errors import InputError
from geomrelu.geometry.domains import Union
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.network.front_door import load_judged
from geomrelu.network.network import Network
from geomrelu.network.quantised import QuantisedNetwork, WholeNumbers

pytest.importorskip("onnxruntime")

NETWORKS = 50
RADIUS = {2: 0.2, 3: 0.06, 4: 0.03}  # by inputs: some thousand points of the grid


def made(seed, folder):
    """A small quantised model and a box, of every kind in turn: path, how, sides of the box, shape of the data."""
    rng, how, kind = np.random.default_rng(seed), ALL[seed % 16], seed // 16 % 3
    if kind < 2:
        float_model, shape = dense(rng, [2, 6, 5, 2] if kind == 0 else [3, 5, 4, 4, 1]), (2 + kind,)
    else:
        float_model, shape = convolutional(rng, 3, pooled=seed % 2 == 0, residual=seed % 3 == 0), (1, 2, 2)
    path = quantise(float_model, folder / f"{seed}.onnx", how, rng.uniform(-1, 1, (64, *shape)))
    size = int(np.prod(shape))
    middle = rng.uniform(-0.8, 0.8, size)
    return path, how, [(float(m) - RADIUS[size], float(m) + RADIUS[size]) for m in middle], shape


def asked(network):
    return {layer: range(network.widths[layer - 1]) for layer in network.judged}


def codes_of(path, network, x, optimised):
    """What onnxruntime's layers of whole numbers are, above their zero points, for each row of x; and the output."""
    rounding = [l for l, q in enumerate(network.quantisers) if q is not None]
    output, *found = outputs_of(path, x, [network.reading.layers[l].name for l in rounding], optimised)
    return output, dict(zip(rounding, (codes.reshape(len(x), -1).astype(int) for codes in found), strict=True))


def far_from_a_half(network, point, level, i):
    """How far y / step is from the nearest half, relative to its size, at a point; level from 0."""
    values = [v for layer in network.values(point, level) for v in layer]
    y = network.layers[level].form(i)([*point, *values][: network.layers[level].inputs] + [0] * (
        network.layers[level].inputs - len(point) - len(values)))  # fmt: skip
    ratio = y / network.quantisers[level].steps[i]
    return abs(ratio - int(np.floor(float(ratio))) - Fraction(1, 2)) / max(1, abs(ratio))


@pytest.mark.parametrize("seed", range(NETWORKS))
def test_verdicts_equal_enumeration_and_onnxruntime(seed, tmp_path):
    path, how, sides, shape = made(seed, tmp_path)
    report = decide(path, sides)
    network, box = report.network, Polyhedron.box(sides)
    assert isinstance(network, QuantisedNetwork) and network.judged and not report.undecided
    whole = WholeNumbers(network, box)
    assert whole.complete and 500 < whole.count < 1 << 14
    t = whole.grid(0, whole.count)
    points = [whole.point(row) for row in t]
    assert all(box.contains(p) for p in points[:: len(points) // 20])
    values = whole.values(t)
    for k in range(0, len(points), len(points) // 10):  # the plain forward pass
        for l, made_by in enumerate(network.values(points[k])):
            units = whole.scales[network.starts[l + 1] : network.starts[l + 2]]
            assert made_by == [u * int(v) for u, v in zip(units, values[l][k], strict=True)]
    x = np.array([[float(v) for v in p] for p in points]).reshape(-1, *shape)
    _, found = codes_of(path, network, x, optimised=not how.qdq)  # fused layers have no tensors to look at
    differing = np.zeros(len(points), dtype=bool)
    for l, codes in sorted(found.items()):
        zero = Counter((codes - values[l]).ravel().tolist()).most_common(1)[0][0]
        other = codes - zero != values[l]
        assert other.sum() <= 20
        for k, i in np.argwhere(other & ~differing[:, None]):  # floats before rounding: only beside a half
            assert far_from_a_half(network, points[k], l, i) < 2.0**-20
        differing |= other.any(axis=1)
        if l + 1 in network.judged:
            fires = (codes != zero).any(axis=0)
            assert [(l + 1, i) in report.alive for i in range(len(fires))] == fires.tolist()
            assert [v.supremum for v in report.layers[l + 1].verdicts] == values[l].max(axis=0).tolist()
    matrix, bias = network.output.floats
    output = (matrix @ np.concatenate([t, *values], axis=1).astype(float).T).T + bias
    for optimised in (True, False):
        (computed,) = outputs_of(path, x, (), optimised)
        near = np.isclose(computed.reshape(output.shape), output, rtol=1e-5, atol=1e-6).all(axis=1)
        assert (near | differing).sum() >= len(points) - 3
    # the other methods, without walking the grid
    again = reports.decide(network, box, asked(network), 30.0, few=0)
    status = {(v.layer, v.neuron): v.status for v in report.verdicts}
    assert all(v.status in (status[v.layer, v.neuron], Status.UNDECIDED) for v in again.verdicts)
    greatest = {(v.layer, v.neuron): v.supremum for v in report.verdicts}
    assert all(v.supremum in (None, greatest[v.layer, v.neuron]) for v in again.verdicts)  # exact or not said
    assert again.check() == len(again.verdicts) - len(again.undecided) and report.check() == len(report.verdicts)


def hard(seed, folder):
    """Enough neurons that intervals do not see all that is dead."""
    rng = np.random.default_rng(seed)
    float_model = dense(rng, [2, 10, 10, 8, 2], shift=0.1)
    path = quantise(float_model, folder / "hard.onnx", ALL[seed % 16], rng.uniform(-1, 1, (64, 2)))
    return load_judged(path), Polyhedron.box([(-1, 1)] * 2)


def test_relaxed_networks_find_what_intervals_do_not(tmp_path):
    how, open_ = Counter(), 0
    for seed in range(4):
        network, box = hard(seed, tmp_path)
        everything = {v: s.status for v, s in verdicts(reports.decide(network, box, asked(network), 60.0)).items()}
        report = reports.decide(network, box, asked(network), 60.0, few=0, regions=3000)
        for key, verdict in verdicts(report).items():
            assert verdict.status in (everything[key], Status.UNDECIDED)
            open_ += verdict.status is Status.UNDECIDED
        how.update(f.how for f in report.findings.values())
        assert report.check() == len(report.verdicts) - len(report.undecided)
    assert how["relaxed"] >= 5 and how["point"] > 50 and open_ <= 0.1 * how.total(), (how, open_)


def verdicts(report):
    return {(v.layer, v.neuron): v for v in report.verdicts}


@pytest.mark.parametrize("seed", range(12))
def test_the_relaxed_network_contains_the_network_of_whole_numbers(seed, tmp_path):
    path, _, sides, _ = made(5 + 4 * seed, tmp_path)
    network = load_judged(path)
    whole = WholeNumbers(network, Polyhedron.box(sides))
    for layer in network.judged:
        neurons = list(range(network.widths[layer - 1]))
        found = relaxed(whole, layer, neurons)
        for t in whole.grid(0, whole.count)[:: whole.count // 7]:
            point = whole.point(t)
            x, values = [*point], network.values(point)
            noise = []
            for l in range(layer):
                width = network.layers[l].inputs
                y = [network.layers[l].form(i)([*x, *[0] * (width - len(x))]) for i in neurons_of(network, l)]
                if l == layer - 1:
                    break
                if network.quantisers[l] is not None and l not in network.entries and not network.whole[l]:
                    low, high = whole.bounds[l + 1]
                    steps = network.quantisers[l].steps
                    noise += [
                        (round(v / s) - v / s) * s for v, s, a, b in zip(y, steps, low, high, strict=True) if a < b
                    ]
                x += values[l]
            codes = [int(k) * whole.codes[j][2] for j, k in enumerate(t)]
            assert found.box.contains([*codes, *noise])
            z = found.network.pre_activations([*codes, *noise])[-1]
            assert z == [v - s / 2 for v, s in zip(y, network.quantisers[layer - 1].steps, strict=True)]


def neurons_of(network, l):
    return range(network.layers[l].outputs)


def of_all_kinds(folder, **options):
    """A report whose verdicts come from all methods but walking the grid."""
    for seed in range(10):
        network, box = hard(seed, folder)
        report = reports.decide(network, box, asked(network), 60.0, few=0, **options)
        if {f.how for f in report.findings.values()} == {"intervals", "point", "relaxed"}:
            return report
    pytest.fail("no such report")


def assert_exact(network, whole, t):
    """Whole numbers, in the units of their layers, are what the network computes."""
    values = whole.values(t)
    for k, row in enumerate(t):
        for l, exact in enumerate(network.values(whole.point(row))):
            units = whole.scales[network.starts[l + 1] : network.starts[l + 2]]
            assert exact == [u * int(v) for u, v in zip(units, values[l][k], strict=True)]


def test_float_layers_before_and_between(tmp_path):
    """The inputs are real then, a ReLU is not rounded, and its numbers are multiples of tiny units only."""
    rng = np.random.default_rng(3)
    float_model = dense(rng, [2, 5, 6, 5, 2], shift=0.2)
    for skipped in (["g0"], ["g0", "g1"], ["g1"]):
        data = rng.uniform(-1, 1, (64, 2))
        path = quantise(float_model, tmp_path / "mixed.onnx", How(), data, nodes_to_exclude=skipped)
        network = load_judged(path)
        assert any(q is not None for q in network.quantisers)
        assert (None in network.quantisers) == (len(skipped) == 2)  # a ReLU before a quantiser is taken into it
        whole = WholeNumbers(network, Polyhedron.box([(-0.5, 0.5)] * 2))
        t = rng.integers(whole.lower, whole.upper + 1, (60, 2))
        assert_exact(network, whole, t)
        report = decide(network, (-0.5, 0.5), regions=200)
        assert report.check() == len(report.verdicts) - len(report.undecided)
        x = rng.uniform(-0.5, 0.5, (20_000, 2)).astype(np.float32)
        _, found = codes_of(path, network, x, optimised=False)
        for layer, neuron in report.dead:
            if network.quantisers[layer - 1] is not None:
                codes = found[layer - 1][:, neuron]
                assert (codes == codes[0]).all() and codes[0] == -128
        assert len(report.alive) > 3 and len(report.dead) > 0 and len(report.undecided) <= 6


def test_layers_after_values_that_64_bits_do_not_hold(tmp_path):
    """Deep layers of floats are multiples of tiny units; the layers after them do not read them."""
    rng = np.random.default_rng(7)
    float_model = dense(rng, [2, 4, 4, 4, 4, 4, 4, 2], shift=0.1)
    data = rng.uniform(-1, 1, (64, 2))
    path = quantise(float_model, tmp_path / "deep.onnx", How(), data, nodes_to_exclude=[f"g{k}" for k in range(5)])
    network = load_judged(path)
    whole = WholeNumbers(network, Polyhedron.box([(-0.5, 0.5)] * 2))
    assert max(int(abs(high).max()) for _, high in whole.bounds) > 2**64
    assert "int64" in {str(rows.constants.dtype) for rows in whole.rows[3:]}
    t = rng.integers(whole.lower, whole.upper + 1, (30, 2))
    assert_exact(network, whole, t)
    report = decide(network, (-0.5, 0.5), regions=50, time=20)
    assert report.check() == len(report.verdicts) - len(report.undecided)


def test_wide_layers_and_scales_far_apart(tmp_path):
    rng = np.random.default_rng(4)
    float_model = dense(rng, [3, 300, 140, 2])
    for array in float_model.graph.initializer:
        if array.name == "w0":  # columns of very different size: so are the scales of channels
            w = onnx.numpy_helper.to_array(array) * np.float32(10.0) ** rng.integers(-6, 3, 300).astype(np.float32)
            array.CopyFrom(onnx.numpy_helper.from_array(w, "w0"))
    path = quantise(float_model, tmp_path / "wide.onnx", How(per_channel=True), rng.uniform(-1, 1, (64, 3)))
    network = load_judged(path)
    whole = WholeNumbers(network, Polyhedron.box([(-1, 1)] * 3))
    t = rng.integers(whole.lower, whole.upper + 1, (20, 3))
    values = whole.values(t)
    for k, row in enumerate(t):
        assert network.values(whole.point(row)) == [v[k].tolist() for v in values]
    for l, v in enumerate(values):
        low, high = whole.bounds[l + 1]
        assert (v >= low.astype(int)).all() and (v <= high.astype(int)).all()
    report = decide(network, (-0.01, 0.01), time=20.0)
    assert report.check() == len(report.verdicts) - len(report.undecided) and len(report.dead) > 100


def test_nothing_is_believed(tmp_path):
    report = of_all_kinds(tmp_path)
    how = {f.how: key for key, f in report.findings.items()}
    for key, finding, reason in (
        (how["point"], Finding("intervals"), "intervals do not show"),
        (how["point"], Finding("all points", points=9), "otherwise|nothing"),
        (how["relaxed"], Finding("intervals"), "intervals do not show"),
        (how["relaxed"], replace(report.findings[how["point"]]), "does not fire"),
        (how["point"], replace(report.findings[how["relaxed"]]), "nothing shows"),
    ):
        layer = report.layers[key[0]]
        changed = replace(report, findings={**report.findings, key: finding})
        if key == how["point"]:  # the opposite verdict
            wrong = tuple(replace(v, status=Status.DEAD) if v.neuron == key[1] else v for v in layer.verdicts)
            changed = replace(changed, layers={**report.layers, key[0]: replace(layer, verdicts=wrong)})
        with pytest.raises(checker.Rejected, match=reason):
            changed.check()


def test_certificates_are_judged_by_the_ordinary_check(tmp_path, capsys):
    folder = tmp_path / "proofs"
    report = of_all_kinds(tmp_path)
    report.save(folder)
    layer = report.relaxed[0].layer
    paths = sorted(map(str, (folder / f"layer-{layer}").glob("*.json")))
    model, domain = (str(folder / f"layer-{layer}-{what}.json") for what in ("relaxed", "domain"))
    assert paths and main(["check", *paths, "--model", model, "--domain", domain, "--independent"]) == 0
    assert capsys.readouterr().out.count("accepted") == len(paths)
    assert '"why": "The network of whole numbers' in (folder / "quantised.json").read_text()


def test_the_command_and_the_other_domains(tmp_path, capsys):
    path, _, sides, _ = made(2, tmp_path)
    box = tmp_path / "box.json"
    box.write_text(str({"box": [list(side) for side in sides]}).replace("'", '"'))
    assert main(["decide", str(path), "--domain", str(box)]) == 0
    out = capsys.readouterr().out
    assert "points of the grid" in out and "Layer 2: 6 neurons" in out and "Layer 3: 5 neurons" in out
    assert main(["inspect", str(path)]) == 0
    assert "quantised ReLU; dead: its output is its zero point everywhere" in capsys.readouterr().out
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, (200, 2)).astype(np.float32)
    report = decide(path, points)
    _, found = codes_of(path, report.network, points, optimised=False)
    for layer in report:
        codes = found[layer.layer - 1]
        zero = -128 if codes.min() < 0 else 0
        alive = (codes > zero).any(axis=0).tolist()
        assert [v.status is Status.ALIVE for v in layer.verdicts] == alive
    assert report.check() == 11


def test_what_is_not_judged_is_said_in_one_line(tmp_path, capsys):
    path, _, sides, _ = made(0, tmp_path)
    network = load_judged(path)
    for domain in (Polyhedron.space(2), Polyhedron.simplex(2), Union.of([Polyhedron.box(sides)] * 2)):
        with pytest.raises(InputError, match="bounded box, or on points"):
            decide(network, domain)
    with pytest.raises(InputError, match="no ReLU"):
        decide(path, sides, 1)
    with pytest.raises(InputError, match="no layer 9"):
        decide(path, sides, 9)
    with pytest.raises(InputError, match="`decide`, `prune`, `check` and `inspect` read whole numbers"):
        Network.from_file(path)
    with pytest.raises(InputError, match="in whole numbers"):
        decide(path, sides, arithmetic="float32")
    with pytest.raises(InputError, match="not quantised"):
        decide(path, sides).ranges  # noqa: B018
    assert main(["decide", str(path), "--domain", "box:-1,1", "--ranges"]) == 2
    assert main(["decide", str(path), "--domain", "box:-1,1", "--arithmetic", "float16"]) == 2
    assert capsys.readouterr().err.count("\n") == 2
    assert main(["regions", str(path)]) == 2
    assert "activations are quantised" in capsys.readouterr().err
    assert decide(path, FiniteSet.of([[0, 0]])).check() == 11


def test_a_budget_ends_in_undecided(tmp_path):
    network, box = hard(1, tmp_path)
    report = reports.decide(network, box, asked(network), 1e-9, few=0)
    assert report.undecided and all(verdicts(report)[key].reason for key in report.undecided)
    assert report.check() == len(report.verdicts) - len(report.undecided)


def test_how_is_complete():
    assert len(set(ALL)) == 16 and How() in ALL


def test_images_have_dead_channels(tmp_path):
    for seed in range(6):
        rng = np.random.default_rng(seed)
        path = quantise(convolutional(rng, 4), tmp_path / "c.onnx", How(), rng.uniform(-1, 1, (64, 1, 2, 2)))
        report: Any = decide(path, (-0.02, 0.02))
        dead = set(report.dead)
        shapes = report.network.reading.layers
        assert [shapes[layer - 1].shape for layer in report.layers] == [(4, 2, 2)] * len(report.layers)
        expected = [(l, c) for l in report.layers for c in range(4) if {(l, 4 * c + k) for k in range(4)} <= dead]
        assert report.dead_channels == expected
        if expected and len(dead) < len(report.verdicts):
            assert "dead channels: " in str(report)
            return
    pytest.fail("no network had dead and living channels")


def test_onnx_checks_the_models(tmp_path):
    onnx.checker.check_model(onnx.load(made(8, tmp_path)[0]))


def test_two_runs_write_to_one_directory(tmp_path):
    """Each keeps what the other has found, and the relaxed networks that it rests on."""
    path, _, sides, _ = made(2, tmp_path)
    folder = tmp_path / "both"
    inner = []

    def told(layer, files):
        if not inner:  # begins after the first run and ends before it
            inner.append(decide(path, list(sides), [3], certificates=folder))

    outer = decide(path, list(sides), [2], certificates=folder, told=told)
    claims = json.loads((folder / "quantised.json").read_text())["claims"]
    decided = sum(len(r.verdicts) - len(r.undecided) for r in (outer, *inner))
    assert len(claims) == decided and {c["layer"] for c in claims} == {2, 3}
    assert check(folder / "quantised.json", path, list(sides)) == decided


@pytest.mark.parametrize("damage", ["{", "[]", "claims"])
def test_a_damaged_directory_is_refused_before_the_work(tmp_path, damage):
    path, _, sides, _ = made(2, tmp_path)
    decide(path, list(sides), [2], certificates=tmp_path / "kept")
    file = tmp_path / "kept" / "quantised.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"claims": 7}) if damage == "claims" else damage)
    damaged = file.read_bytes()
    with pytest.raises(InputError, match=r"quantised\.json.*: remove it or choose another directory$"):
        decide(path, list(sides), [2], certificates=tmp_path / "kept")
    assert file.read_bytes() == damaged
