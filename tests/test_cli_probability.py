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
    assert found["orbit_size"] == 512 and sum(found["orbit_counts"].values()) == found["orbits"] == 200
    assert found["low"] < found["estimate"] < found["high"] and found["exact"] is None
    mean = sum(int(k) * n for k, n in found["orbit_counts"].items()) / 200 / 512
    assert found["estimate"] == pytest.approx(mean, rel=1e-12)


def test_text_of_probability(capsys):
    assert main(["probability", "alive", "--widths", "1,1,1,1", "--domain", "R^n", "--orbits", "20"]) == 0
    shown = capsys.readouterr().out
    assert "in the event: 32 (20 orbits)" in shown and "exactly 1/2, whatever the law (width-one)" in shown
    assert main(["probability", "alive", "--widths", "2,2,2", "--law", "rademacher", "--orbits", "1"]) == 0
    assert "exactly 983/1024" in capsys.readouterr().out
    assert main(["probability", "alive", "--widths", "1,3,3", "--no-bias", "--orbits", "5"]) == 0
    assert "not proved" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--widths", "2"], "widths"),
        (["--widths", "2,x"], "whole numbers"),
        (["--widths", "2,2", "--law", "gamma:2"], "not symmetric"),
        (["--widths", "2,2", "--law", "randint:-1,2"], "atom at 0"),
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
        (["--widths", "2,2", "--scheme", "batch-norm", "--points", "3"], "sample"),
        (["--widths", "2,2", "--scheme", "batch-norm", "--trials", "3"], "--points"),
        (["--widths", "2,2", "--scheme", "weight-norm"], "unknown scheme"),
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
