"""The commands probability, simulate and table as a user meets them."""

from __future__ import annotations

import json

import pytest

from geomrelu.cli.main import main


def test_json_of_probability(capsys):
    arguments = [
        "probability",
        "stably-unactivated",
        "--widths",
        "2,4,1",
        "--law",
        "normal",
        "--orbits",
        "200",
        "--seed",
        "0",
    ]
    assert main([*arguments, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found)[:13] == [
        *("event", "widths", "law", "orbits", "orbit_size", "estimate", "low", "high", "level", "orbit_counts"),
        *("constant_on_all_orbits", "exact", "bounds"),
    ]
    assert len(found["orbit_counts"]) <= 12
    many = ["probability", "stably-unactivated", "--widths", "2,6", "--orbits", "200", "--format", "json"]
    assert main(many) == 0  # not line by line unless asked
    assert set(json.loads(capsys.readouterr().out)["orbit_counts"]) == {"different", "least", "most"}
    assert main([*many, "--all-counts"]) == 0
    assert len(json.loads(capsys.readouterr().out)["orbit_counts"]) > 12
    assert found["event_means"].startswith("a given neuron") and "biases" in found["parameters"]
    assert found["orbit_size"] == 512 and sum(found["orbit_counts"].values()) == found["orbits"] == 200
    assert found["low"] < found["estimate"] < found["high"] and found["exact"] is None
    mean = sum(int(k) * n for k, n in found["orbit_counts"].items()) / 200 / 512
    assert found["estimate"] == pytest.approx(mean, rel=1e-12)


def test_text_of_probability(capsys):
    assert main(["probability", "alive", "--widths", "1,1,1,1", "--domain", "R^n", "--orbits", "20"]) == 0
    shown = capsys.readouterr().out
    assert "exactly 1/2 = 0.5, for every symmetric law without atoms (width-one)" in shown
    assert "orbits" not in shown  # nothing is sampled
    assert "(every layer is positive somewhere on the set)" in shown
    assert main(["probability", "alive", "--widths", "1,1", "--domain", "box:-2,2", "--orbits", "20"]) == 0
    assert "in the event: 2 (" in capsys.readouterr().out
    assert main(["probability", "alive", "--widths", "2,2,2", "--law", "rademacher", "--orbits", "1"]) == 0
    assert "exactly 983/1024" in capsys.readouterr().out
    assert main(["probability", "alive", "--widths", "1,3,3", "--no-bias", "--orbits", "5"]) == 0
    assert "not proved" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--widths", "2"], "widths"),
        (["--widths", "2,x"], "whole numbers"),
        (["--widths", "2,2", "--law", "gamma:2", "--orbits", "5"], "not symmetric"),
        (["--widths", "2,2", "--law", "randint:-1,2", "--orbits", "5"], "atom at 0"),
        (["--widths", "2,2", "--orbits", "5", "--trials", "5"], "choose one"),
        (["--widths", "2,2", "--domain", "nowhere"], "nowhere"),
        (["--widths", "2,2", "--seed", "-1"], "--seed"),
        (["--widths", "2,2", "--workers", "0"], "workers"),
        (["--widths", "2,2", "--level", "1"], "level"),
        (["--widths", "2,2", "--orbits", "0"], "orbits"),
        (["--widths", "2,2", "--scheduler", "x"], "address"),
        ([], "--model"),
        (["--widths", "2,2", "--model", "m.json"], "--model"),
        (["--widths", "2,2", "--tied"], "--tied"),
        (["--model", "nowhere.json"], "nowhere.json"),
        (["--widths", "2,2", "--points", "3", "--domain", "R^n"], "--points"),
        (["--widths", "2,2", "--scheme", "batch-norm", "--points", "3", "--orbits", "5"], "sample"),
        (["--widths", "2,2", "--scheme", "batch-norm", "--trials", "3"], "--points"),
        (["--widths", "2,2", "--scheme", "weight-norm"], "unknown scheme"),
        (["--widths", "2,2", "--law", "keras", "--scale", "he"], "keras has its own scale"),
        (["--widths", "2,2", "--law", "cauchy", "--scale", "he"], "no finite variance"),
        (["--widths", "2,2", "--biases", "some"], "unknown biases"),
        (["--widths", "2,2", "--biases", "same", "--no-bias"], "say one of them"),
        (["--widths", "2,2", "--number", "1"], "not about a number"),
        (["--widths", "2,2", "--layer", "1"], "not about one layer"),
        (["--widths", "2,2", "--trials", "0", "--law", "t:3"], "positive"),
        (["--widths", "2,3", "--half-width", "1e-9", "--domain", "box:0,1"], "half width"),
    ],
)
def test_one_line_for_unusable_input(arguments, part, capsys):
    assert main(["probability", "alive", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and part in captured.err


def test_a_model_and_data_from_files(capsys, tmp_path):
    model, data = tmp_path / "kernel.json", tmp_path / "data.json"
    layers = [
        {"weights": [[2, 3, 0], [0, 2, 3]], "bias": [5, 5], "activation": "relu"},
        {"weights": [[7, 11]], "bias": [13], "activation": "relu"},
    ]
    model.write_text(json.dumps({"layers": layers}))
    data.write_text('{"points": [[1, 0, 2], [0, "1/2", -1]]}')
    assert main(["probability", "alive", "--model", str(model), "--tied", "--points", str(data)]) == 0
    shown = capsys.readouterr().out
    assert "1 orbit of 64 sign choices" in shown and "the magnitudes of" in shown
    arguments = ["probability", "alive", "--widths", "3,3,3", "--points", "4", "--scheme", "sign-flip"]
    assert main([*arguments, "--trials", "100", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["scheme"], found["domain"], found["trials"]) == ("sign-flip", "points:4", 100)


def test_commands_end_when_the_time_is_over(capsys, tmp_path, monkeypatch):
    """None of these can be done in a second; what is finished is said, and the exit code is 3."""
    monkeypatch.chdir(tmp_path)
    large = ["probability", "alive", "--widths", "4,64,64,10", "--domain", "box:0,1"]
    assert main([*large, "--trials", "9000000", "--time", "6"]) == 3
    said = capsys.readouterr()
    assert "of 9,000,000 networks" in said.out or "before anything" in said.err
    assert main(["simulate", "figure-1", "-o", "figure.svg", "--time", "0.5"]) == 3
    assert "time was over" in capsys.readouterr().err and not (tmp_path / "figure.svg").exists()
    assert main(["verify", "point-half", "--time", "0.001"]) == 3
    assert "not verified: point-half" in capsys.readouterr().err
    for command in (large, ["verify"], ["simulate", "figure-5", "-o", "x.json"]):
        assert main([*command, "--time", "-1"]) == 2
        assert "--time must be positive" in capsys.readouterr().err
