"""The part of the plain judge that a certificate uses: it runs alone, accepts the same, and nothing false."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from geomrelu import Network, checker, decide, prune
from geomrelu.certificates import excerpt

LAYERS = [([[1, 0], [0, 1]], [0, 0], "relu"), ([[1, 1], [1, -1]], [-1, 0], "relu")]
DIAMOND = {"inequalities": [[1, 1, 1], [1, 1, -1], [1, -1, 1], [1, -1, -1]]}
BOX = {"box": [[-1, 1], [-1, 0]]}
SETS = {
    "box": BOX,
    "rows": DIAMOND,
    "generators": {"vertices": [[1, 0], [0, 1], [-1, 0], [0, -1]]},
    "points": {"points": [[0, 0], [1, 0]]},
    "ball": {"center": [0, 0], "square": "1/4"},
    "unbounded": {"vertices": [[0, 0]], "rays": [[-1, -1], [-1, -2]]},
}


def written(folder, name, data):
    path = folder / name
    path.write_text(json.dumps(data))
    return str(path)


def alone(program, *arguments):
    """What a program says that has nothing but the standard library."""
    return subprocess.run(
        [sys.executable, "-I", "-S", program, *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture
def files(tmp_path):
    net = Network.from_layers(LAYERS)
    model = tmp_path / "model.json"
    model.write_text(net.to_json())
    return net, str(model), {name: written(tmp_path, f"{name}.json", data) for name, data in SETS.items()}


def certificate(net, domain, folder):
    decide(net, domain, layers=[2], certificates=folder)
    return str(max(folder.glob("*.json"), key=lambda path: ("infinity" in path.read_text(), path.stat().st_size)))


@pytest.mark.parametrize("kind", SETS)
def test_it_runs_alone_and_accepts_the_same(files, kind, tmp_path, capsys):
    net, model, domains = files
    given = certificate(net, domains[kind], tmp_path / "out"), model, domains[kind]
    assert excerpt.main(list(given)) == 0
    text, said = capsys.readouterr()
    program = tmp_path / "judge.py"
    program.write_text(text)
    found = alone(program, *given)
    assert (found.returncode, found.stdout) == (0, said)
    assert alone(checker.__file__, *given).stdout == said
    assert text.startswith(Path(checker.__file__).read_text(encoding="utf-8").split("# ---- reading")[0])
    assert "def check(" in text and "def pruned(" not in text
    assert ("def highest(self, constant" in text) == (kind == "ball")
    assert ("def quiet" in text) == (kind == "unbounded")


def test_a_false_claim_is_not_accepted_for_what_is_missing(files, tmp_path, capsys):
    net, model, domains = files
    given = certificate(net, domains["box"], tmp_path / "out"), model, domains["box"]
    assert excerpt.main(list(given)) == 0
    program = tmp_path / "judge.py"
    program.write_text(capsys.readouterr().out)
    data = json.loads(Path(given[0]).read_text(encoding="utf-8"))
    (claim,) = [c for c in data["claims"] if c["status"] == "dead"]
    for proof in ([{}], [{"split": ["x", 0, "-1/2"]}, {"coarse": []}, {}], "parts"):
        false = {"layer": 2, "neuron": 1 - claim["neuron"], "status": "dead", "proof": proof}
        found = alone(program, written(tmp_path, "false.json", data | {"claims": [false]}), *given[1:])
        assert found.returncode == 1 and found.stdout.startswith("REJECTED") and not found.stderr


def test_branches_that_were_not_entered_reject(files, tmp_path, capsys):
    """Of the branches for other sets nothing is left; each of those sets is refused, in one line."""
    net, model, domains = files
    given = certificate(net, domains["box"], tmp_path / "out"), model, domains["box"]
    assert excerpt.main(list(given)) == 0
    text = capsys.readouterr().out
    assert len(text.splitlines()) < 0.75 * len(Path(checker.__file__).read_text(encoding="utf-8").splitlines())
    assert excerpt.ELSEWHERE.strip() in text and "Ball.parse" not in text
    program = tmp_path / "judge.py"
    program.write_text(text)
    for kind in ("generators", "points", "ball"):
        found = alone(program, *given[:2], domains[kind])
        assert found.returncode == 2 and len(found.stderr.splitlines()) == 1


def test_what_is_rejected_gives_no_text(files, tmp_path, capsys):
    net, model, domains = files
    given = [certificate(net, domains["box"], tmp_path / "out"), model, domains["ball"]]
    assert excerpt.main(given) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("REJECTED")
    assert excerpt.main(given[:2]) == 2 and capsys.readouterr().out == ""


def test_of_a_pruning(files, tmp_path, capsys):
    net, model, domains = files
    smaller = prune(net, domains["box"])
    names = written(tmp_path, "pruning.json", smaller.pruning.certificate), model, domains["box"]
    other = tmp_path / "smaller.json"
    other.write_text(smaller.network.to_json())
    assert excerpt.main([*names, str(other)]) == 0
    program = tmp_path / "judge.py"
    program.write_text(capsys.readouterr().out)
    assert alone(program, *names, str(other)).returncode == 0
    assert "def pruned" in program.read_text()
