"""The command line as a user meets it: output, exit codes, one line for every error."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError
from itertools import pairwise
from pathlib import Path

import pytest
from commands import run

import geomrelu
from geomrelu.__main__ import program
from geomrelu.cli import main as main_module
from geomrelu.cli import shared, simulate, solve
from geomrelu.cli.alarm import _Over, in_time
from geomrelu.cli.main import main

TWO_LAYERS = {
    "layers": [
        {"weights": [[1, 0], [0, 1]], "bias": [0, 0]},
        {"weights": [[1, 1], [-1, -1]], "bias": [-2, "-1/2"]},
        {"weights": [[1, 1]], "bias": [0], "activation": "none"},
    ]
}


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.json"
    path.write_text(json.dumps(TWO_LAYERS))
    return str(path)


def test_decide_and_check(capsys, model, tmp_path):
    out = tmp_path / "out"
    code, table, err = run(capsys, "decide", model, "--domain", "box:-1,1", "--certificates", out)
    assert (code, err) == (0, "")
    assert "Layer 2: 2 neurons: 2 dead (1 stably), 0 alive, 0 undecided; killed" in table
    assert "Layer 2 kills the domain" in table and "Layer 3" not in table
    files = sorted(map(str, out.glob("*.json")))
    code, text, err = run(capsys, "check", *files, "--model", model, "--domain", "box:-1,1")
    assert (code, err) == (0, "") and text.count("accepted") == len(files)
    alone = run(capsys, "check", "--independent", *files, "--model", model, "--domain", "box:-1,1")
    assert alone == (code, text, err)
    code, text, err = run(capsys, "check", files[0], "--model", model, "--domain", "box:-1,2")
    assert (code, err) == (1, "") and text.startswith("REJECTED") and text.count("\n") == 1
    Path(files[0]).write_text(Path(files[0]).read_text()[:-20])
    code, text, err = run(capsys, "check", files[0], "--model", model, "--domain", "box:-1,1")
    assert (code, err) == (1, "") and text.startswith("REJECTED") and text.count("\n") == 1


def test_ranges(capsys, model, tmp_path):
    """Printed, as JSON, to a file; their certificates are judged like all others; a budget that is over leaves some."""
    import numpy as np

    arguments = ["decide", model, "--domain", "box:-1,1", "--ranges"]
    code, table, _ = run(capsys, *arguments)
    assert code == 0
    assert "Ranges of layer 2: 2 neurons: 2 dead, 0 always active, 0 unstable" in table
    written = str(tmp_path / "r.npz")
    code, text, _ = run(capsys, *arguments, written, "--format", "json", "--certificates", str(tmp_path / "c"))
    assert code == 0
    ranges = json.loads(text)["ranges"]
    assert ranges["layers"][1]["neurons"][0] == {
        "neuron": 0, "lower": "-2", "upper": "0", "status": "dead", "crosses": False
    }  # fmt: skip
    assert ranges["fixed"] == [[2, 0, "dead"], [2, 1, "dead"]]
    arrays = np.load(written)
    assert (arrays["lower_2"].tolist(), arrays["upper_2"].tolist()) == ([-2, -2.5], [0, -0.5])
    files = sorted(map(str, (tmp_path / "c").glob("ranges-*.json")))
    assert len(files) == 2
    code, said, _ = run(capsys, "check", "--independent", *files, "--model", model, "--domain", "box:-1,1")
    assert code == 0
    assert said.count("4 claims proved") == 2
    code, _, err = run(capsys, *arguments, str(tmp_path / "r.txt"))
    assert (code, err.count("\n")) == (2, 1)
    assert "ranges are written as .npz, .json, .csv" in err


def test_json(capsys, model, tmp_path):
    arguments = ("--domain", "R+^n", "--format", "json", "--certificates", tmp_path / "c")
    code, text, _ = run(capsys, "decide", model, *arguments)
    found = json.loads(text)
    assert code == 0 and found["model"] == model and found["domain"] == "R+^n" and found["killed_by"] is None
    assert [layer["layer"] for layer in found["layers"]] == [1, 2]
    assert found["layers"][1]["killed"] is False
    first, second = found["layers"][1]["neurons"]
    assert set(first) == {"neuron", "status", "stable", "supremum", "reason", "certificate"}
    assert (first["status"], first["stable"], first["supremum"]) == ("alive", None, "inf")
    assert (second["status"], second["stable"], second["supremum"]) == ("dead", True, "-1/2")
    assert Path(second["certificate"]).is_file()


def test_narrowing_keeps_earlier_certificates(capsys, model, tmp_path):
    out = tmp_path / "c"
    where = ("--domain", "box:-1,1", "--certificates", out)
    for neuron in ("0", "1"):
        code, text, _ = run(capsys, "decide", model, *where, "--layer", "2", "--neuron", neuron)
        assert code == 0 and "1 of its 2 neurons" in text and "Layer 1" not in text
    (file,) = out.glob("*.json")
    assert [c["neuron"] for c in json.loads(file.read_text())["claims"]] == [0, 1]
    code, _, err = run(capsys, "decide", model, "--domain", "box:-1,2", "--certificates", out)
    assert code == 2 and "another model or domain" in err


def test_a_domain_in_every_format(capsys, model, tmp_path):
    texts = {
        "h.json": '{"inequalities": [[1, 1, 0], [1, -1, 0], [1, 0, 1], ["1", 0, "-1.0"]]}',
        "v.json": '{"vertices": [[1, 1], [1, -1], [-1, 1], [-1, -1]]}',
        "p.json": '[[1, 1], [0, "1/2"]]',
        "b.vnnlib": "(declare-const X_0 Real)(declare-const X_1 Real)"
        "(assert (<= X_0 1))(assert (>= X_0 -1.0))(assert (and (<= X_1 1) (>= X_1 -1)))",
        "h.ine": "H-representation\nbegin\n4 3 rational\n1 1 0\n1 -1 0\n1 0 1\n1 0 -1\nend\n",
        "v.ext": "V-representation\nbegin\n4 3 integer\n1 1 1\n1 1 -1\n1 -1 1\n1 -1 -1\nend\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        code, out, err = run(capsys, "decide", model, "--domain", tmp_path / name, "--format", "json")
        assert (code, err) == (0, ""), name
        second = json.loads(out)["layers"][1]
        assert second["killed"] is True, name
        assert [n["supremum"] for n in second["neurons"]] == ["0", "-1" if name == "p.json" else "-1/2"]


def test_budgets_exit_with_3(capsys, model, tmp_path):
    out = tmp_path / "c"
    code, text, err = run(capsys, "decide", model, "--domain", "R^n", "--regions", "0", "--certificates", out)
    assert (code, err) == (3, "")
    assert "Layer 1: 2 neurons: 0 dead (0 stably), 2 alive, 0 undecided" in text
    assert text.count("0 regions, is spent") == 2 and "killed or not: open" in text
    assert [p.name for p in out.glob("*.json")] == ["layer-1.json"]


@pytest.mark.parametrize(
    ("files", "arguments", "says"),
    [
        ({}, ["absent.json", "--domain", "R^n"], "absent.json"),
        ({"a.json": "{"}, ["a.json", "--domain", "R^n"], "a.json"),
        ({"a.onnx": "not a model"}, ["a.onnx", "--domain", "R^n"], "a.onnx"),
        ({"a.npz": "not an archive"}, ["a.npz", "--domain", "R^n"], "a.npz"),
        ({"a.txt": ""}, ["a.txt", "--domain", "R^n"], "unknown kind of model"),
        ({"a.json": '{"layers": [{"weights": [[1]], "bias": [NaN]}]}'}, ["a.json", "--domain", "R^n"], "NaN"),
        ({"a.json": '{"layers": [{"weights": [[1, 2], [3]]}]}'}, ["a.json", "--domain", "R^n"], "entries"),
        ({"a.json": '{"layers": [{"weights": [[1]], "activation": "tanh"}]}'}, ["a.json", "--domain", "R^n"], "tanh"),
        (
            {"a.json": '{"layers": [{"weights": [[1]], "activation": "none"}]}'},
            ["a.json", "--domain", "R^n"],
            "no ReLU",
        ),
        ({}, ["MODEL", "--domain", "box:1,-1"], "empty"),
        ({}, ["MODEL", "--domain", "R^3"], "R^2"),
        ({}, ["MODEL", "--domain", "somewhere"], "not a domain"),
        ({"d.json": '{"vertices": [[1]]}'}, ["MODEL", "--domain", "d.json"], "R^1"),
        ({"d.json": '{"inequalities": [[-1, 1, 0], [-1, -1, 0]]}'}, ["MODEL", "--domain", "d.json"], "empty"),
        ({"d.ine": "begin\n1 3 rational\n1 x 0\nend"}, ["MODEL", "--domain", "d.ine"], "d.ine"),
        ({"d.vnnlib": "(assert (or (<= X_0 1) (>= X_0 2)))"}, ["MODEL", "--domain", "d.vnnlib"], "d.vnnlib"),
        ({}, ["MODEL", "--domain", "R^n", "--layer", "3"], "2 ReLU layers"),
        ({}, ["MODEL", "--domain", "R^n", "--layer", "2-1"], "L1-L2"),
        ({}, ["MODEL", "--domain", "R^n", "--neuron", "2"], "no neuron 2"),
        ({}, ["MODEL", "--domain", "R^n", "--neuron", "two"], "two"),
        ({}, ["MODEL", "--domain", "R^n", "--time", "0"], "positive"),
        ({}, ["MODEL"], "--domain"),
        ({}, ["MODEL", "--domain", "R^n", "--certificates", "MODEL/x"], "MODEL/x"),
        ({}, ["MODEL", "--domain", "R^n", "--ranges", "absent/r.csv"], "there is no directory absent"),
    ],
)
def test_every_error_is_one_line(capsys, monkeypatch, tmp_path, model, files, arguments, says):
    monkeypatch.chdir(tmp_path)
    Path("MODEL").write_text(json.dumps(TWO_LAYERS))
    Path("model.json").replace("MODEL.json")
    arguments = [a.replace("MODEL", "MODEL.json") if a == "MODEL" else a for a in arguments]
    for name, text in files.items():
        Path(name).write_text(text)
    code, out, err = run(capsys, "decide", *arguments)
    assert code == 2 and out == ""
    assert err.startswith("geomrelu: error: ") and err.count("\n") == 1
    assert says in err


def test_debug_shows_the_traceback(capsys):
    from geomrelu import InputError

    with pytest.raises(InputError):
        main(["decide", "absent.json", "--domain", "R^n", "--debug"])


def test_convert(capsys, model, tmp_path):
    for source, target in ((model, "m.json"), ("box", "d.json")):
        if source == "box":
            source = tmp_path / "b.json"
            source.write_text('{"box": [[-1, 1], [null, "1/3"]]}')
        assert run(capsys, "convert", source, "-o", tmp_path / target) == (0, "", "")
    assert run(capsys, "convert", tmp_path / "d.json", "-o", tmp_path / "d.ine") == (0, "", "")
    assert "H-representation" in (tmp_path / "d.ine").read_text()
    code, _, err = run(capsys, "convert", model, "-o", tmp_path / "m.onnx")
    assert code == 2 and err.count("\n") == 1
    digests = []
    for path in (model, tmp_path / "m.json"):
        _, _, _ = run(capsys, "decide", path, "--domain", "R^n", "--certificates", tmp_path / f"c{len(digests)}")
        digests.append(json.loads((tmp_path / f"c{len(digests)}" / "layer-1.json").read_text())["model"])
    assert digests[0] == digests[1]


ENDS = 300  # seconds: what takes longer hangs


def appears(path):
    deadline = time.monotonic() + ENDS
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def spawn(*arguments, **more):
    return subprocess.Popen(
        [sys.executable, "-m", "geomrelu", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        **more,
    )


def test_help_version_and_nothing():
    for arguments in (["--help"], ["--version"], [], ["decide", "--help"]):
        process = spawn(*arguments)
        out, err = process.communicate(timeout=ENDS)
        assert process.returncode == 0 and out and not err


def test_a_clone_that_is_not_installed_says_so(monkeypatch, capsys):
    def nobody(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("geomrelu.resume.version", nobody)
    code, out, _ = run(capsys, "--version")
    assert code == 0 and out.startswith("geomrelu unknown (") and geomrelu.__version__ == "unknown"


def test_help_is_as_wide_as_the_terminal(capsys, monkeypatch):
    """What stands around the options too, with the same words; entries keep their column."""
    for name, about in (("decide", shared.DOMAINS), ("simulate", simulate.SIMULATIONS), ("solve", solve.SOLVING)):
        monkeypatch.setenv("COLUMNS", "60")
        code, out, err = run(capsys, name, "--help")
        lines = out.splitlines()
        head = about.split()[0]
        begins = max(k for k, line in enumerate(lines) if line.startswith(head))
        assert (code, err, " ".join(lines[begins:]).split()) == (0, "", about.split())
        assert max(map(len, lines[begins:])) <= 58
    monkeypatch.setenv("COLUMNS", "60")
    out = run(capsys, "simulate", "--help")[1]
    assert (
        "\nfigure-2     the same along the width that keeps the lower\n             bound at p\nfigure-5     Brown"
        in out
    )
    assert "\nsafe-region  Lu et al.: width against depth\nA run of more than a minute" in out


def test_starting_imports_nothing_heavy():
    """What keeps `geomrelu --help` and `import geomrelu` instant."""
    heavy = ("numpy", "scipy", "sympy", "cdd", "rich")
    code = f"import sys, geomrelu.cli.main; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_ctrl_c_prints_what_was_proved(tmp_path):
    """Interrupted in a hard layer: the easy layer is printed, its certificates are on disk, exit code 130."""
    import random

    rng = random.Random(1)
    widths = (8, 60, 60)
    layers = [
        {
            "weights": [[rng.randint(-9, 9) for _ in range(n)] for _ in range(m)],
            "bias": [rng.randint(-9, 9) for _ in range(m)],
        }
        for n, m in pairwise(widths)
    ]
    (tmp_path / "m.json").write_text(json.dumps({"layers": layers}))
    out = tmp_path / "c"
    process = spawn("decide", tmp_path / "m.json", "--domain", "R+^n", "--certificates", out)
    appears(out / "layer-1.json")
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    text, err = process.communicate(timeout=ENDS)
    assert process.returncode == 130, err
    assert re.fullmatch(r"geomrelu: interrupted; \d+ of 120 neurons are decided, \d+ dead and \d+ alive; .*/c\n", err)
    assert "Layer 1: 60 neurons" in text and "interrupted" in text


def test_an_interruption_while_text_is_executed(tmp_path):
    """Libraries execute text while they are imported; Ctrl-C there is an interruption like any other."""
    (tmp_path / "sitecustomize.py").write_text(
        "import geomrelu.cli.main\ngeomrelu.cli.main.main = lambda: exec('raise KeyboardInterrupt')\n"
    )
    path = os.pathsep.join([str(tmp_path), *sys.path[1:]])
    command = [sys.executable, "-m", "geomrelu", "--version"]
    ended = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, check=False)
    assert (ended.returncode, ended.stderr) == (130, "geomrelu: interrupted\n")


def test_a_killed_layer_is_not_the_end_where_connections_go_around_it(capsys, tmp_path):
    """Layer 1 is dead, layer 2 reads the input besides: the network is not constant."""
    (tmp_path / "r.json").write_text(
        json.dumps({"inputs": 1, "layers": [{"rows": [[-5, 0, 1]]}, {"rows": [[0, 0, 1, 1, 1]]}]})
    )
    code, text, _ = run(capsys, "decide", tmp_path / "r.json", "--domain", "box:-1,1")
    assert code == 0 and "Layer 1 kills the domain (connections go around it)." in text and "constant" not in text


def test_a_damaged_certificate_directory(capsys, model, tmp_path):
    out = tmp_path / "c"
    arguments = ("decide", model, "--domain", "box:-1,1", "--certificates", out)
    assert run(capsys, *arguments)[0] == 0
    file = out / "layer-1.json"
    good = json.loads(file.read_text())
    for damage in ({"points": 3}, {"claims": [5]}, {"claims": [{"neuron": 0, "point": 7}]}):
        file.write_text(json.dumps(good | damage))
        code, _, err = run(capsys, *arguments)
        assert code == 2 and "damaged" in err and err.count("\n") == 1


def test_names_with_newlines_stay_on_one_line(capsys):
    code, _, err = run(capsys, "decide", "no\nfile.json", "--domain", "R^n")
    assert code == 2 and err.count("\n") == 1


def test_time_must_be_a_number(capsys, model):
    assert run(capsys, "decide", model, "--domain", "R^n", "--time", "nan")[0] == 2


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")
def test_progress_on_a_terminal_leaves_redirected_results_alone(model):
    """The bar goes to standard error, the results unwrapped to standard output."""
    import pty

    master, slave = pty.openpty()
    run = subprocess.run(
        [sys.executable, "-m", "geomrelu", "decide", model, "--domain", "box:-1,1"],
        stdout=subprocess.PIPE,
        stderr=slave,
        text=True,
    )
    os.close(slave)
    bar = os.read(master, 100_000).decode()
    os.close(master)
    assert run.returncode == 0 and "Layer 2: 2 neurons" in run.stdout and "\x1b" not in run.stdout
    assert "deciding" in bar and "Layer" not in bar


def three_layers(path):
    """A network whose third layer has neurons that one bound does not settle, with many linear pieces."""
    import random

    rng = random.Random(5)
    layers = [
        {
            "weights": [[rng.randint(-9, 9) for _ in range(n)] for _ in range(m)],
            "bias": [rng.randint(-9, 9) - (60 if k else 0) * k * k for _ in range(m)],
        }
        for k, (n, m) in enumerate(pairwise((5, 14, 14, 14)))
    ]
    path.write_text(json.dumps({"layers": layers}))
    return path


@pytest.mark.slow
def test_killed_and_taken_up_again(tmp_path):
    """kill -9 loses nothing that was said to be proved; a second run, with workers, takes over what is on disk."""
    net, out = three_layers(tmp_path / "m.json"), tmp_path / "c"
    process = spawn("decide", net, "--domain", "box:-1,1", "--certificates", out)
    appears(out / "layer-2.json")
    process.kill()
    process.communicate()
    left = {p.name: json.loads(p.read_text()) for p in out.glob("*.json")}  # complete files only
    assert "layer-1.json" in left
    process = spawn("decide", net, "--domain", "box:-1,1", "--certificates", out, "--workers", "2", "--time", "100")
    text, err = process.communicate(timeout=ENDS)
    assert process.returncode in (0, 3) and err == ""
    assert "Layer 3: 14 neurons" in text and "proved in an earlier run" in text
    process = spawn("check", *sorted(out.glob("*.json")), "--model", net, "--domain", "box:-1,1")
    text, err = process.communicate(timeout=ENDS)
    assert process.returncode == 0, text


def test_pruning_refuses_what_would_be_lost_before_it_begins(capsys, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = Path(model).read_bytes()
    Path("link.json").symlink_to(model)
    for more, says in (
        (["-o", model], "would be lost"),
        (["-o", "link.json"], "would be lost"),
        (["-o", "absent/s.json"], "there is no directory absent"),
        (["-o", "s.json", "--certificate", "absent/p.json"], "there is no directory absent"),
    ):
        code, text, err = run(capsys, "prune", model, "--domain", "box:0,1", *more)
        assert (code, text) == (2, "") and err.count("\n") == 1 and says in err
    assert Path(model).read_bytes() == before and not Path("s.json").exists()


@pytest.mark.parametrize("arguments", [["decide"], ["decide", "--ranges", "--arithmetic", "float32"], ["prune", "-o"]])
def test_no_end_of_time_is_no_time_that_is_over(capsys, model, tmp_path, arguments):
    command, *more = arguments
    more += [tmp_path / "s.json"] if command == "prune" else []
    code, text, err = run(capsys, command, model, "--domain", "box:0,1", "--time", "inf", *more)
    assert (code, err) == (0, "") and "is over" not in text and "undecided;" not in text.replace("0 undecided;", "")


@pytest.mark.parametrize("ending", ["json", "npz"])
def test_prune(capsys, tmp_path, ending):
    net, small, proof = three_layers(tmp_path / "m.json"), tmp_path / f"s.{ending}", tmp_path / "p.json"
    arguments = ("prune", net, "--domain", "box:-1/10,1/10", "-o", small, "--report", "--certificate", proof)
    code, text, err = run(capsys, *arguments, "--time", "60")
    assert code in (0, 3) and err == ""
    assert " dead" in text and " removed" in text and "exactly (proved)" in text and "multiplications" in text
    check = ("check", proof, "--model", net, "--domain", "box:-1/10,1/10", "--smaller")
    code, text, err = run(capsys, *check, small)
    assert (code, err) == (0, "") and "equals" in text
    code, text, err = run(capsys, *check, net)
    assert code == 1 and text.startswith("REJECTED")
    code, text, err = run(capsys, "check", proof, "--model", net, "--domain", "box:-1/10,1/10")
    assert code == 1 and text.startswith("REJECTED")
    if ending == "json":
        run(capsys, "convert", tmp_path / "m.json", "-o", tmp_path / "whole.json")
        (tmp_path / "d.json").write_text(json.dumps({"box": [["-1/10", "1/10"]] * 5}))
        from geomrelu import checker

        assert checker.main([str(tmp_path / name) for name in ("p.json", "m.json", "d.json", "s.json")]) == 0
        assert checker.main([str(tmp_path / name) for name in ("p.json", "m.json", "d.json", "m.json")]) == 1
    code, text, err = run(capsys, "prune", net, "--domain", "box:-1,1", "-o", tmp_path / "s.txt")
    assert code == 2 and err.count("\n") == 1


@pytest.mark.parametrize("more", [["m.json"], ["--format", "json"]])
def test_the_tables_of_what_is_read_go_alone(capsys, more):
    code, text, err = run(capsys, "inspect", "--operators", *more)
    assert (code, text) == (2, "") and err.count("\n") == 1 and "goes alone" in err


def test_the_tables_of_what_is_read_are_written_from_the_readers(capsys):
    from geomrelu.io import operators

    assert main(["inspect", "--operators"]) == 0
    text = capsys.readouterr().out
    page = Path(operators.__file__).with_name("OPERATORS.md").read_text()
    if operators.refused_by_onnx():
        assert text == page, "write it again: geomrelu inspect --operators > geomrelu/io/OPERATORS.md"
    assert "AveragePool, GlobalAveragePool" in page and "PReLU" in page and "Softmax" in page
    assert main(["inspect"]) == 2
    assert "say which MODEL" in capsys.readouterr().err


@pytest.fixture
def signals():
    """As a process in the foreground has them: Ctrl-C is ignored where the tests run in the background."""
    former = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, usual in former.items():
        signal.signal(number, usual)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_after_everything_changes_nothing(number):
    """What a large network takes to be taken down is time enough for one."""
    script = (
        "import os, sys; from geomrelu.__main__ import program\n"
        f"class Last:\n    def __del__(self, kill=os.kill, pid=os.getpid()): kill(pid, {int(number)})\n"
        "sys.modules['last'] = Last(); sys.argv = ['geomrelu', '--version']; sys.exit(program())"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "") and found.stdout.startswith("geomrelu ")


@pytest.mark.usefixtures("signals")
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_being_told_to_end_is_an_interruption(stop, monkeypatch, capsys):
    """One line, wherever it comes; told again, the process ends at once."""

    def work():
        os.kill(os.getpid(), stop)
        signal.pause()

    monkeypatch.setattr(main_module, "main", work)
    assert program() == 130
    assert (signal.getsignal(signal.SIGTERM) == signal.SIG_DFL) == (stop == signal.SIGTERM)
    assert capsys.readouterr() == ("", "geomrelu: interrupted\n")


@pytest.mark.usefixtures("signals")
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_ctrl_c_that_comes_twice_is_one_interruption(stop, monkeypatch, capsys):
    """As where a terminal and a wrapper both tell: what the first one sets going, such as saving, is not broken off."""
    saved = []

    def work():
        try:
            os.kill(os.getpid(), stop)
            signal.pause()
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            saved.append("what was found")

    monkeypatch.setattr(main_module, "main", work)
    assert program() == 130
    assert saved and capsys.readouterr() == ("", "geomrelu: interrupted\n")


@pytest.mark.usefixtures("signals")
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT, signal.SIGALRM])
def test_an_import_is_finished_before_a_signal_counts(stop, tmp_path, monkeypatch, capsys):
    """Half a module is taken for a whole one by whoever imports it later."""
    (tmp_path / "halved.py").write_text(
        f"import os\nos.kill(os.getpid(), {int(stop)})\nsum(range(1000))\nwhole = True\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "halved", raising=False)
    seen = []

    def work():
        import halved

        seen.append(halved.whole)
        signal.pause()

    def in_time_or_not():
        with in_time(300, "it is done"), pytest.raises(_Over) as ended:
            work()
        raise KeyboardInterrupt from ended.value

    monkeypatch.setattr(main_module, "main", in_time_or_not if stop == signal.SIGALRM else work)
    assert program() == 130 and seen == [True]
    assert capsys.readouterr() == ("", "geomrelu: interrupted\n")


@pytest.mark.usefixtures("signals")
def test_what_is_ignored_stays_ignored(monkeypatch):
    """As in the background of a shell."""
    monkeypatch.setattr(main_module, "main", lambda: 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert program() == 0 and signal.getsignal(signal.SIGINT) == signal.SIG_IGN
