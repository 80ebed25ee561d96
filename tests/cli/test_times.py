"""Which commands have a budget on time, and what `check` and `plot` say when it is over."""

from __future__ import annotations

import argparse
import json
import signal
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from commands import run
from polls import Polls

import geomrelu
import geomrelu.deadness.pruning
import geomrelu.random_networks.shape
from geomrelu.budget import Budget, Exhausted
from geomrelu.cli import alarm, shared
from geomrelu.cli import main as main_module
from geomrelu.cli.alarm import in_time
from geomrelu.io import store

READING = {"inspect", "convert", "claims", "table"}  # they read and write, and search for nothing


def test_every_command_that_works_has_a_budget():
    parser = main_module._parser()
    (commands,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    without = {name for name, sub in commands.choices.items() if "--time" not in sub._option_string_actions}
    assert without == READING


@pytest.fixture
def decided(tmp_path):
    """A model, its domain, and a certificate for each of its layers."""
    layers = [([[1, 0], [0, 1]], [0, 0], "relu"), ([[1, 1], [-1, -1]], [-1, 0], "relu")]
    network = geomrelu.as_network(layers)
    network.save(tmp_path / "model.json")
    geomrelu.decide(network, (-1, 1)).save(tmp_path / "out")
    return network, str(tmp_path / "model.json"), sorted(map(str, (tmp_path / "out").glob("layer-*.json")))


def test_certificates_are_judged_until_the_time_is_over(decided, capsys, monkeypatch):
    network, model, paths = decided
    arguments = ["check", *paths, "--model", model, "--domain", "box:-1,1"]
    code, whole, _ = run(capsys, *arguments)
    assert (code, whole.count("accepted")) == (0, len(paths)) and len(paths) > 1

    def within(most):
        monkeypatch.setattr("geomrelu.cli.check.clock_of", lambda options: Polls(most))
        return run(capsys, *arguments)

    assert within(len(paths)) == (0, whole, "")
    code, out, err = within(1)
    assert (code, out) == (3, whole.splitlines(keepends=True)[0])
    assert err == f"geomrelu: the time for it is over: 1 of {len(paths)} certificates are judged\n"
    with open(paths[0], "a") as file:
        file.write("x")
    code, out, err = within(1)
    assert code == 1 and out.startswith("REJECTED") and "1 of" in err
    with pytest.raises(Exhausted):
        geomrelu.check(paths[1:], network, (-1, 1), budget=Polls(0))


def test_certificates_are_judged_elsewhere_if_the_time_is_limited(decided, capsys, monkeypatch):
    network, _, paths = decided
    monkeypatch.setattr("geomrelu.deadness.checking.Case.of", None)  # in this process nothing is judged
    assert geomrelu.check(paths, network, (-1, 1), budget=Budget(300)) == 4


def test_a_picture_that_takes_too_long_is_not_written(decided, tmp_path, capsys, monkeypatch):
    _, model, _ = decided
    path = tmp_path / "p.svg"
    plain, timed = (["plot", "complex", model, "-o", path, *more] for more in ([], ["--time", 300]))
    assert run(capsys, *plain)[0] == 0
    drawn = path.read_bytes()
    path.unlink()
    assert run(capsys, *timed)[0] == 0
    assert path.read_bytes() == drawn
    path.write_text("former")
    monkeypatch.setattr("geomrelu.cli.plot.clock_of", lambda options: Polls(0))
    assert run(capsys, *plain) == (3, "", f"geomrelu: the time for it is over: {path} is not written\n")
    assert path.read_text() == "former"
    monkeypatch.undo()
    assert run(capsys, *plain[:-1], tmp_path / "p.txt", "--time", 300)[0] == 2
    (tmp_path / "model.json").write_text(json.dumps({"layers": [{"weights": [[1]], "bias": [0]}]}))
    code, out, err = run(capsys, *timed)
    assert (code, out, err.count("\n")) == (2, "", 1) and "only the pieces of networks on R^2" in err


def endless(*_, **__):
    while True:
        try:
            sum(range(1000))
        except Exception:  # a reader that takes all that goes wrong for a malformed file
            pytest.fail("the end of the time is no error of a file")


@pytest.mark.parametrize("command", ["decide", "prune", "check", "regions", "zeros", "dimension"])
def test_reading_ends_with_the_time(decided, capsys, monkeypatch, command):
    _, model, paths = decided
    arguments = {
        "prune": [model, "--domain", "box:-1,1", "-o", str(Path(model).parent / "smaller.json")],
        "check": [*paths, "--model", model, "--domain", "box:-1,1"],
        "zeros": [model, "--line=0,0,1,1"],
        "dimension": [model],
    }.get(command, [model, "--domain", "box:-1,1"])
    monkeypatch.setattr("geomrelu.network.network.tape_of", endless)
    monkeypatch.setattr("geomrelu.network.front_door.load_judged", endless)
    before = signal.getsignal(signal.SIGALRM)
    code, out, err = run(capsys, command, *arguments, "--time", "0.3")
    assert (code, out) == (3, "") and err.count("\n") == 1 and "is over before" in err
    assert signal.getsignal(signal.SIGALRM) is before and not signal.getitimer(signal.ITIMER_REAL)[0]


@pytest.mark.parametrize(("output", "writer"), [("s.json", "_json"), ("s.npz", "write_npz"), ("p.json", "whole")])
def test_what_is_not_written_in_time_is_not_there(decided, capsys, monkeypatch, output, writer):
    _, model, _ = decided
    written = {name: Path(model).parent / name for name in ("s.json", "s.npz", "p.json")}
    for path in written.values():
        path.write_text("former")
    monkeypatch.setattr(alarm, "MOMENT", 0.1)
    if writer == "whole":
        monkeypatch.setattr(geomrelu.deadness.pruning.Pruning, "certificate", property(endless))
    else:
        monkeypatch.setattr(store if writer == "write_npz" else geomrelu.Network, writer, endless)
    main = written["s.json" if output == "p.json" else output]
    arguments = [model, "--domain", "box:-1,1", "-o", main, "--certificate", written["p.json"], "--time", "2"]
    code, out, err = run(capsys, "prune", *arguments)
    assert (code, out, err) == (3, "", f"geomrelu: the time for it, 2 s, is over before {written[output]} is written\n")
    assert written[output].read_text() == written["p.json"].read_text() == "former"
    assert sorted(Path(model).parent.glob("*.part")) == []


def test_a_page_that_takes_too_long_is_not_there(decided, tmp_path, capsys, monkeypatch):
    """What it shows has been printed, and the certificates beside it are written first."""
    _, model, _ = decided
    monkeypatch.setattr(alarm, "MOMENT", 0.1)
    monkeypatch.setattr("geomrelu.deadness.page.content", endless)
    page = tmp_path / "page"
    code, out, err = run(capsys, "decide", model, "--domain", "box:-1,1", "--report", page, "--time", "5")
    assert code == 3 and "Layer 2" in out and list((page / "certificates").glob("layer-*.json"))
    assert err == f"geomrelu: the time for it, 5 s, is over before the page in {page} is written\n"
    assert not (page / "index.html").exists()


def test_a_page_on_data_that_takes_too_long_is_not_there(decided, tmp_path, capsys, monkeypatch):
    _, model, _ = decided

    @contextmanager
    def over(budget, what):
        raise Exhausted(f"it is over before {what}")
        yield

    monkeypatch.setattr("geomrelu.cli.from_data.soon_after", over)
    (tmp_path / "x.csv").write_text("0,0\n-1,-1\n")
    page = tmp_path / "page"
    code, out, err = run(capsys, "decide", model, "--data", tmp_path / "x.csv", "--report", page)
    assert (code, err) == (3, f"geomrelu: it is over before the page in {page} is written\n") and "silent" in out
    assert not (page / "index.html").exists() and list((page / "certificates").rglob("layer-*.json"))


@pytest.mark.parametrize("asked", ["--report", "--certificates", "--certificate"])
def test_hashing_ends_with_the_time(decided, tmp_path, capsys, monkeypatch, asked):
    _, model, _ = decided
    command = "prune" if asked == "--certificate" else "decide"
    monkeypatch.setattr("geomrelu.network.network._spell", endless)
    output = ["-o", tmp_path / "s.json"] if command == "prune" else []
    arguments = [model, "--domain", "box:-1,1", asked, tmp_path / "there", *output]
    said = f"geomrelu: the time for it, 3 s, is over before {model} is hashed\n"
    assert run(capsys, command, *arguments, "--time", "3") == (3, "", said)


def test_what_comes_before_the_first_chunk_ends_with_the_time(decided, capsys, monkeypatch):
    """And what comes after it does not: what is finished is said."""
    _, model, _ = decided
    monkeypatch.setattr(alarm, "MOMENT", 0.1)
    arguments = ["probability", "alive", "--model", model, "--orbits", "3", "--time", "2"]
    options = argparse.Namespace(time=0.1, workers=1, scheduler=None, seed=0, chunks=None)
    with shared.long_run("walking", options) as running:
        running["progress"](1, 2, "")
        assert not signal.getitimer(signal.ITIMER_REAL)[0]
    monkeypatch.setattr(geomrelu.random_networks.shape.Shape, "_places", property(endless))
    said = "geomrelu: the time for it, 2 s, is over before anything was finished\n"
    assert run(capsys, *arguments) == (3, "", said)


def test_alarms_within_one_another_and_in_threads():
    outer, inner = in_time(0.2, "the outer is done"), in_time(1000, "the inner is done")
    with pytest.raises(Exhausted, match="before the outer"), outer, inner:
        endless()
    done = []

    def aside():
        with in_time(0.1, "it"):
            done.append(signal.getitimer(signal.ITIMER_REAL)[0])

    thread = threading.Thread(target=aside)
    thread.start()
    thread.join()
    assert done == [0]
