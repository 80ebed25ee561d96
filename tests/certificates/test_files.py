"""Certificates on disk: what shares a derivation stands in one file, and every file is accepted by itself."""

from __future__ import annotations

import json
import threading
from itertools import pairwise

import numpy as np
import pytest

import geomrelu
from geomrelu import Network, Polyhedron, checker, decide
from geomrelu.certificates import files
from geomrelu.cli.main import main
from geomrelu.deadness import front_door, problem
from geomrelu.errors import InputError
from geomrelu.resume import held


def sparse(seed, widths=(6, 24, 24, 12)):
    """A network of which no layer fits fixed point: most weights are 0."""
    rng = np.random.default_rng(seed)
    layers = []
    for before, width in pairwise(widths):
        weights = rng.normal(size=(width, before)) * (rng.random((width, before)) < 0.3)
        layers.append((weights.round(3), rng.normal(-1, 1, width).round(3), "relu"))
    return Network.from_layers(layers), Polyhedron.box([(-1, 1)] * widths[0])


@pytest.fixture(scope="module")
def both():
    """A network, its box, and layers with claims by intervals and claims that derive layers as wholes."""
    for seed in range(20):
        net, box = sparse(seed)
        report = decide(net, box)
        claims = {level: [v.claim for v in layer.verdicts if v.claim] for level, layer in report.layers.items()}
        for level, some in claims.items():
            ways = [files.by_intervals(c) for c in some if len(c.get("proof", ())) == 1]
            if level > 1 and ways.count(True) > 1 and ways.count(False) > 1:
                return net, box, level, some, report.layers[level].points
    raise AssertionError("no such layer")


def judged(path, net, box):
    return [c["neuron"] for c in checker.check(json.loads(path.read_text()), net.checked, box.checked)]


def test_claims_by_intervals_share_their_own_derivation(both, tmp_path):
    net, box, level, claims, points = both
    names = net.digest, box.checked.digest()
    placed = files.write(tmp_path, level, claims, *names, points)
    found = {path.name: judged(path, net, box) for path in sorted(tmp_path.glob("*.json"))}
    assert {f"layer-{level}.json", f"layer-{level}-intervals.json"} <= found.keys()
    assert sorted(i for some in found.values() for i in some) == sorted(c["neuron"] for c in claims)
    for claim in claims:
        assert claim["neuron"] in found[placed[claim["neuron"]].split("/")[-1]]
    own = json.loads((tmp_path / f"layer-{level}-intervals.json").read_text())
    assert own["derive"][-1] == [level - 1, []] and all("derive" not in n for c in own["claims"] for n in c["proof"])


def test_what_an_earlier_run_left_is_kept_and_replaced(both, tmp_path):
    net, box, level, claims, points = both
    names = net.digest, box.checked.digest()
    half = len(claims) // 2
    for some in (claims[:half], claims[half:], claims[:3]):
        files.write(tmp_path, level, some, *names, points)
    again = files.known(tmp_path, *names)
    assert sorted(c["neuron"] for c in again) == sorted(c["neuron"] for c in claims)
    for path in tmp_path.glob("*.json"):
        judged(path, net, box)
    # another proof of a neuron takes the place of the one that was there, in whichever file
    moved = next(c for c in claims if files.by_intervals(c))
    proof = [{"derive": [[at] for at in range(1, level)]}]
    files.write(tmp_path, level, [{**moved, "proof": proof}], *names, points)
    assert moved["neuron"] in judged(tmp_path / f"layer-{level}.json", net, box)
    left = tmp_path / f"layer-{level}-intervals.json"
    assert not left.exists() or moved["neuron"] not in judged(left, net, box)


def test_a_damaged_file_is_not_written_over(both, tmp_path):
    net, box, level, claims, points = both
    names = net.digest, box.checked.digest()
    files.write(tmp_path, level, claims, *names, points)
    path = tmp_path / f"layer-{level}-intervals.json"
    path.write_text(path.read_text().replace('"points": [', '"points": 7, "x": ['))
    with pytest.raises(files.InputError, match="damaged"):
        files.write(tmp_path, level, claims, *names, points)


def test_what_stands_is_not_written_again(both, tmp_path, monkeypatch):
    """Nor is a first layer on a box judged again, which is found as quickly."""
    net, box = both[:2]
    first = decide(net, box, certificates=tmp_path)
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()}
    plain, again = problem.Problem.again, []
    monkeypatch.setattr(
        problem.Problem, "again", lambda self, claim: again.append(claim["layer"]) or plain(self, claim)
    )
    second = decide(net, box, certificates=tmp_path)
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()} == before
    assert set(again) == {2, 3} and second.files == {key: first.files[key] for key in second.files}
    assert first.dead == second.dead and first.alive == second.alive and not second.unsaved
    # a claim that does not hold is none that stands
    path = tmp_path / "layer-1.json"
    data = json.loads(path.read_text())
    data["claims"][0]["supremum"] = "1/7"
    files.save(path, data)
    third = decide(net, box, [1], certificates=tmp_path)
    assert json.loads(path.read_text()) == json.loads(before[path.name][0]) and third.files


def test_what_holds_only_in_part_does_not_stand(tmp_path):
    net = geomrelu.as_network([([[1, 1], [1, 2]], [0, 0], "relu"), ([[-1, -1]], [-9], "relu")])
    decide(net, "R+^n", certificates=tmp_path)
    path = next(tmp_path.glob("layer-2*.json"))
    data = json.loads(path.read_text())
    (claim,) = data["claims"]
    data["claims"] = [{k: v for k, v in claim.items() if k != "infinity"} | {"stable": True, "growth": 7}]
    files.save(path, data)
    report = decide(net, "R+^n", [2], certificates=tmp_path)
    assert report.dead == [(2, 0)] and report.verdicts[0].reason == problem.EARLIER
    assert "growth" not in json.loads(path.read_text())["claims"][0] and geomrelu.check(path, net, "R+^n") == 1


def test_runs_that_write_to_one_directory_keep_what_the_others_wrote(both, tmp_path, monkeypatch):
    net, box, level, claims, points = both
    names = net.digest, box.checked.digest()
    ready = threading.Barrier(8)

    def run(k):
        ready.wait()
        for claim in claims[k::8]:
            files.write(tmp_path, level, [claim], *names, points)

    runs = [threading.Thread(target=run, args=(k,)) for k in range(8)]
    for thread in runs:
        thread.start()
    for thread in runs:
        thread.join()
    assert sorted(c["neuron"] for c in files.known(tmp_path, *names)) == sorted(c["neuron"] for c in claims)
    monkeypatch.setattr(files, "PATIENCE", 0.1)
    with held(tmp_path), pytest.raises(InputError, match="another run is using this"):
        files.write(tmp_path, level, claims, *names, points)


@pytest.mark.parametrize("damage", ["", "{", '{"geomrelu": 1}', "[]", "\x00", "points"])
def test_a_damaged_file_is_refused_before_the_work(tmp_path, monkeypatch, damage):
    """What could not be written over would cost all that a run has found; other layers are no matter."""
    net = [([[1, 1], [1, -1]], [0, 0], "relu"), ([[1, 1]], [-9], "relu")]
    decide(net, (0, 1), certificates=tmp_path)
    path = next(tmp_path.glob("layer-2*.json"))
    data = json.loads(path.read_text())
    path.write_text(json.dumps(data | {"points": 7}) if damage == "points" else damage)
    damaged = path.read_bytes()
    decide(net, (0, 1), [1], certificates=tmp_path)
    monkeypatch.setattr(front_door, "judged", lambda *_, **__: pytest.fail("it has begun"))
    with pytest.raises(InputError, match=r"layer-2.* choose another directory$"):
        decide(net, (0, 1), certificates=tmp_path)
    assert path.read_bytes() == damaged


def test_a_directory_about_something_else_is_refused_before_the_work(tmp_path, monkeypatch, capsys):
    """What is about the same layers could not be written; other layers may be about another set."""
    net, other = ([([[1, 1], [1, -1]], [0, 0], "relu"), ([[1, w]], [0], "relu")] for w in (1, 2))
    box, wider = [(0, 1)] * 2, [(0, 2)] * 2
    decide(net, box, [1], certificates=tmp_path / "out")
    decide(net, box, certificates=tmp_path / "out")
    decide(other, wider, certificates=tmp_path / "new")
    decide(net, wider, [2], certificates=tmp_path / "apart")
    decide(net, box, [1], certificates=tmp_path / "apart")
    assert main(["decide", str(saved(net, tmp_path)), "--domain", "box:0,1", "--report", str(tmp_path / "page")]) == 0
    monkeypatch.setattr(front_door, "judged", lambda *_, **__: pytest.fail("it has begun"))
    for model, where in ((other, box), (net, wider)):
        with pytest.raises(
            InputError, match=r"layer-1\.json is about another model or domain: choose another directory"
        ):
            decide(model, where, certificates=tmp_path / "out")
    capsys.readouterr()
    assert main(["decide", str(saved(other, tmp_path)), "--domain", "box:0,1", "--report", str(tmp_path / "page")]) == 2
    assert "page/certificates/layer-" in capsys.readouterr().err


def saved(layers, folder):
    path = folder / "model.json"
    path.write_text(json.dumps({"layers": [{"weights": rows, "bias": bias} for rows, bias, _ in layers]}))
    return path
