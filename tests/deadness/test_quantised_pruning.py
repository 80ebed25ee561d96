"""Pruned quantised models: onnxruntime's outputs, the plain forward pass, and certificates, from the command line."""

import json
from collections import Counter
from fractions import Fraction

import numpy as np
import onnx
import pytest
from onnx import helper
from quantised_models import ALL, How, convolutional, dense, outputs_of, quantise
from test_quantised import RADIUS, far_from_a_half

from geomrelu import checker, decide, prune
from geomrelu.cli.main import main
from geomrelu.deadness import quantised_report as reports
from geomrelu.deadness.checking import check
from geomrelu.deadness.quantised_certificate import read
from geomrelu.deadness.quantised_pruning import judge_pruning, smaller_file
from geomrelu.errors import InputError
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.network.front_door import load_judged
from geomrelu.network.quantised import WholeNumbers

pytest.importorskip("onnxruntime")


def made(seed, folder, shift=0.6):
    """A small quantised model of which much is dead, and a box of some thousand points of the grid."""
    rng, how, kind = np.random.default_rng(seed), ALL[seed % 16], seed // 16 % 3
    if kind == 0:
        float_model, shape = dense(rng, [2, 9, 7, 2], shift), (2,)
    elif kind == 1:
        float_model, shape = dense(rng, [3, 8, 6, 5, 2], shift), (3,)
    else:
        float_model, shape = convolutional(rng, 4, pooled=seed % 2 == 0, residual=seed % 3 == 0), (1, 2, 2)
    path = quantise(float_model, folder / f"{seed}.onnx", how, rng.uniform(-1, 1, (64, *shape)))
    size = int(np.prod(shape))
    middle = rng.uniform(-0.5, 0.5, size)
    return path, [(float(m) - RADIUS[size], float(m) + RADIUS[size]) for m in middle], shape


def rounds_to_another_side(network, point):
    """Does an engine that divides floats perhaps round some y / step the other way?"""
    rounding = [l for l, q in enumerate(network.quantisers) if q is not None]
    rows = ((l, i) for l in rounding for i in range(network.widths[l]))
    return any(far_from_a_half(network, point, l, i) < 2.0**-18 for l, i in rows)


@pytest.mark.parametrize("seed", range(48))
def test_onnxruntime_computes_the_same_with_fewer_channels(seed, tmp_path):
    path, sides, shape = made(seed, tmp_path)
    report = decide(path, sides)
    found = smaller_file(path, report)
    small = tmp_path / "small.onnx"
    found.save(small, tmp_path / "proof.json")
    onnx.checker.check_model(onnx.load(small))
    before, after = onnx.load(path), onnx.load(small)
    assert [o.name for o in before.graph.output] == [o.name for o in after.graph.output]
    assert Counter(n.op_type for n in after.graph.node) <= Counter(n.op_type for n in before.graph.node) + Counter(
        ["Identity"]
    )
    again = load_judged(small)
    assert again.digest == found.network.digest
    box = Polyhedron.box(sides)
    data = json.loads((tmp_path / "proof.json").read_text())
    assert judge_pruning(data, found.original, box, again) == found.removed == found.check()
    assert found.removed + found.stay >= len(report.dead)
    assert sum(found.original.widths) - sum(again.widths) == found.removed
    whole = WholeNumbers(found.original, box)  # all points of the grid
    t = whole.grid(0, whole.count)
    points = [whole.point(row) for row in t]
    for point in points[:: len(points) // 20]:
        assert found.original(point) == again(point) == found(point)
    x = np.array([[float(v) for v in p] for p in points]).reshape(-1, *shape)
    for optimised in (True, False):
        (one,), (other,) = (outputs_of(p, x, (), optimised) for p in (path, small))
        for k in np.flatnonzero((one != other).reshape(len(x), -1).any(axis=1)):
            assert rounds_to_another_side(found.original, points[k])


def test_much_is_removed_from_all_kinds(tmp_path):
    removed = Counter()
    for seed in (0, 3, 8, 13, 16, 21, 27, 32, 36, 41):
        path, sides, _ = made(seed, tmp_path)
        found = smaller_file(path, decide(path, sides))
        removed[seed // 16, "QDQ" if ALL[seed % 16].qdq else "QOperator"] += found.removed
        if found.removed:
            assert len(found.data) < found.bytes_before
    assert all(removed[kind, how] > 5 for kind in range(3) for how in ("QDQ", "QOperator")), removed


def test_wide_layers_and_scales_of_their_own(tmp_path):
    rng = np.random.default_rng(1)
    float_model = dense(rng, [3, 200, 130, 2], shift=0.2)
    data = rng.uniform(-1, 1, (64, 3))
    for how in (How(per_channel=True), How(qdq=False)):
        path = quantise(float_model, tmp_path / "wide.onnx", how, data)
        found = smaller_file(path, decide(path, [(0.4, 0.41)] * 3, time=20.0))
        assert found.removed > 40 and found.check() == found.removed
        (tmp_path / "small.onnx").write_bytes(found.data)
        x = rng.uniform(0.4, 0.41, (20_000, 3))
        (one,), (other,) = (outputs_of(p, x) for p in (path, tmp_path / "small.onnx"))
        assert (one != other).any(axis=1).mean() < 1e-3  # floats beside a half


def test_the_command_line_prunes_and_checks(tmp_path, capsys):
    path, sides, _ = made(32, tmp_path)
    box = tmp_path / "box.json"
    box.write_text(json.dumps({"box": [[str(Fraction(v)) for v in side] for side in sides]}))
    small, proof = str(tmp_path / "small.onnx"), str(tmp_path / "proof.json")
    command = ["prune", str(path), "--domain", str(box), "-o", small, "--certificate", proof, "--report"]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "dead removed." in out and "equals" in out and "bytes" in out
    judged = ["check", proof, "--model", str(path), "--domain", str(box), "--smaller", small]
    for how in ([], ["--independent"]):
        assert main([*judged, *how]) == 0
        assert "equals" in capsys.readouterr().out
    assert check(proof, path, sides, smaller=small) == prune(path, sides).removed > 0
    data = json.loads((tmp_path / "proof.json").read_text())
    for change, reason in (
        ({"removed": data["removed"][1:]}, "the smaller network is another one"),
        ({"proof": None}, "not shown to be dead"),
        ({"smaller": data["model"]}, "another smaller model"),
        ({"removed": data["removed"] + data["removed"][:1]}, "removed twice"),
    ):
        (tmp_path / "false.json").write_text(json.dumps(data | change))
        assert main(["check", str(tmp_path / "false.json"), *judged[2:]]) == 1
        assert reason in capsys.readouterr().out
    assert main([*judged, "--kernel"]) == 2
    assert main(["prune", str(path), "--domain", str(box), "-o", str(tmp_path / "s.npz")]) == 2
    assert "written as .onnx" in capsys.readouterr().err


def hard(folder, seed=1):
    rng = np.random.default_rng(seed)
    path = quantise(
        dense(rng, [2, 10, 10, 8, 2], 0.1), folder / "hard.onnx", ALL[seed % 16], rng.uniform(-1, 1, (64, 2))
    )
    return path, load_judged(path), Polyhedron.box([(-1, 1)] * 2)


def asked(network):
    return {layer: range(network.widths[layer - 1]) for layer in network.judged}


def test_certificates_on_disk_are_judged_and_not_believed(tmp_path, capsys):
    for seed in range(8):
        path, network, box = hard(tmp_path, seed)
        folder = tmp_path / f"proofs-{seed}"
        report = reports.decide(network, box, asked(network), 60.0, few=0, certificates=folder)
        if {f.how for f in report.findings.values()} == {"intervals", "point", "relaxed"}:
            break
    else:
        pytest.fail("no such report")
    settled = len(report.verdicts) - len(report.undecided)
    command = ["--model", str(path), "--domain", "box:-1,1"]
    for how in ([], ["--independent"]):
        assert main(["check", str(folder / "quantised.json"), *command, *how]) == 0
        assert f"{settled} claims proved" in capsys.readouterr().out
    assert check(folder / "quantised.json", path, (-1, 1)) == check(report, path, (-1, 1)) == settled
    data = read(folder / "quantised.json")
    (alive, *_) = [c for c in data["claims"] if c["by"] == "point"]
    (dead, *_) = [c for c in data["claims"] if c["by"] == "relaxed"]
    entry = next(e for e in data["relaxed"] if e["layer"] == dead["layer"])

    bare = {key: value for key, value in alive.items() if key != "point"}

    def with_claim(old, **new):
        return data | {"claims": [old | new if c == old else c for c in data["claims"]]}

    def without_point(**new):
        return data | {"claims": [bare | new if c == alive else c for c in data["claims"]]}

    false = {
        "nothing shows its": without_point(status="dead", by="relaxed"),
        "shows nothing": with_claim(alive, status="dead", by="relaxed"),
        "shows a supremum": with_claim(alive, supremum="7"),
        "does not fire": with_claim(dead, status="alive", by="point", point=alive["point"]),
        "intervals do not show": with_claim(dead, by="intervals"),
        "otherwise|too many": without_point(status="dead", by="all points"),
        "another model": data | {"model": data["domain"]},
        "another domain": data | {"domain": data["model"]},
        "out of range": with_claim(dead, neuron=1000),
        "no ReLU": with_claim(dead, layer=1),
        "not shown to be dead": data | {"relaxed": [entry | {"zeros": [[1, 0]]}]},
        "unknown key": data | {"sure": True},
    }
    for reason, changed in false.items():
        with pytest.raises(checker.Rejected, match=reason):
            check(changed, network, box)
    outside = data | {"points": [["2", "2"]] * len(data["points"])}
    with pytest.raises(checker.Rejected, match="does not fire"):
        check(outside, network, box)
    text = (folder / "quantised.json").read_text()
    (folder / "quantised.json").write_text(text.replace('"folder": "layer-', '"folder": "../layer-'))
    assert main(["check", str(folder / "quantised.json"), *command]) == 1
    assert "no folder of certificates" in capsys.readouterr().out


def test_a_finite_set_has_certificates_too(tmp_path, capsys):
    path, *_ = made(4, tmp_path)
    points = np.random.default_rng(0).uniform(-1, 1, (50, 2)).astype(np.float32)
    report = decide(path, points, certificates=tmp_path / "proofs")
    assert check(tmp_path / "proofs" / "quantised.json", path, points) == len(report.verdicts)
    data = read(tmp_path / "proofs" / "quantised.json")
    other = data | {"points": [["1", "1"]], "claims": [data["claims"][0] | {"by": "point", "point": 0}]}
    other["claims"][0].pop("supremum", None)
    with pytest.raises(checker.Rejected, match="does not fire"):  # it is not in the set
        check(other, path, points)
    found = smaller_file(path, report)
    assert found.check() == found.removed
    assert isinstance(found.domain, FiniteSet) and capsys.readouterr().out == ""


def test_a_stopped_run_goes_on(tmp_path):
    """Interrupted after some proofs on relaxed networks: they are kept, and the second run finds no fewer verdicts."""
    path, network, box = hard(tmp_path)
    whole = reports.decide(network, box, asked(network), 60.0, few=0, regions=3000)
    folder = tmp_path / "proofs"

    class Stop:
        left = 6  # in layer 3, some of whose dead neurons have been found

        def __call__(self, *_):
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt

    told = []
    with pytest.raises(KeyboardInterrupt):
        reports.decide(
            network, box, asked(network), 60.0, few=0, regions=3000, certificates=folder, progress=Stop(),
            told=lambda layer, _: told.append(layer),
        )  # fmt: skip
    kept = {(v.layer, v.neuron): v.status for layer in told for v in layer.verdicts if v.status.value != "undecided"}
    assert kept and check(folder / "quantised.json", network, box) >= len(kept)
    before = len(read(folder / "quantised.json")["claims"])
    none = reports.decide(network, box, asked(network), 1e-9, few=0, certificates=folder)  # forgets nothing
    assert len(read(folder / "quantised.json")["claims"]) >= before > len(none.verdicts) - len(none.undecided)
    again = reports.decide(network, box, asked(network), 60.0, few=0, regions=3000, certificates=folder)
    status = {(v.layer, v.neuron): v.status for v in again.verdicts}
    assert all(status[key] is kept[key] for key in kept)
    assert len(again.undecided) <= len(whole.undecided)
    assert check(folder / "quantised.json", network, box) >= again.check() > before
    with pytest.raises(InputError, match="another model or domain"):
        decide(path, (-2, 2), certificates=folder)


def test_models_with_float_layers_and_channels_that_must_stay(tmp_path):
    rng = np.random.default_rng(3)
    path = quantise(dense(rng, [2, 7, 8, 6, 2], 0.5), tmp_path / "m.onnx", How(), rng.uniform(-1, 1, (64, 2)),
                    nodes_to_exclude=["g1"])  # fmt: skip
    report = decide(path, (-0.1, 0.1))
    found = smaller_file(path, report)
    assert found.removed > 0 and found.check() == found.removed
    model = onnx.load(path)  # what is an output keeps its channels
    inner = next(n.output[0] for n in model.graph.node if n.op_type == "DequantizeLinear" and "r0" in n.output[0])
    model.graph.output.append(helper.make_tensor_value_info(inner, onnx.TensorProto.FLOAT, None))
    onnx.save(model, tmp_path / "two.onnx")
    other = smaller_file(tmp_path / "two.onnx", decide(tmp_path / "two.onnx", (-0.1, 0.1)))
    assert other.stay > 0 and other.removed < found.removed
