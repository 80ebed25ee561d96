"""Unusable input of any command: exit code 2, and one line that names it."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
from commands import run

from geomrelu import InputError, decide
from geomrelu.certificates import files

LAYERS = {"layers": [{"weights": [[1, 1], [1, -1]], "bias": [0, -1]}, {"weights": [[1, 1]], "bias": [-3]}]}
BOX = {"box": [[0, 1], [0, 1]]}
MODEL, DOMAIN, OUT = "MODEL.json", "box:0,1", "OUT"

# FILE is what is unusable; the rest is in order
COMMANDS = {
    "inspect": "inspect FILE",
    "decide, the model": "decide FILE --domain box:0,1",
    "decide, the domain": "decide MODEL.json --domain FILE",
    "decide, the data": "decide MODEL.json --data FILE",
    "prune, the model": "prune FILE --domain box:0,1 -o OUT.json",
    "prune, the domain": "prune MODEL.json --domain FILE -o OUT.json",
    "check, a certificate": "check FILE --model MODEL.json --domain box:0,1",
    "check, the second one": "check CERTIFICATE.json FILE --model MODEL.json --domain box:0,1",
    "check, the model": "check CERTIFICATE.json --model FILE --domain box:0,1",
    "check, the domain": "check CERTIFICATE.json --model MODEL.json --domain FILE",
    "check, the smaller model": "check CERTIFICATE.json --model MODEL.json --domain box:0,1 --smaller FILE",
    "regions, of a network": "regions FILE",
    "regions, on a domain": "regions MODEL.json --domain FILE",
    "plot": "plot complex FILE -o OUT.svg",
    "plot, an arrangement": "plot arrangement FILE -o OUT.svg",
    "solve": "solve FILE --network f=MODEL.json",
    "convert": "convert FILE -o OUT.json",
    "zeros": "zeros FILE --line 0,1",
    "dimension": "dimension FILE",
    "probability, a model": "probability alive --model FILE",
    "probability, a domain": "probability alive --widths 2,2,2 --domain FILE",
    "probability, points": "probability alive --widths 2,2,2 --points FILE",
}


@pytest.fixture
def folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / MODEL).write_text(json.dumps(LAYERS))
    assert run(capsys, "decide", MODEL, "--domain", DOMAIN, "--certificates", "proofs")[0] == 0
    (tmp_path / "CERTIFICATE.json").write_bytes((tmp_path / "proofs" / "layer-1.json").read_bytes())
    return tmp_path


def unusable(capsys, command, name):
    """Run it with that file: nothing but one line that names the file."""
    code, out, err = run(capsys, *command.replace("FILE", name).split())
    assert (code, out) == (2, ""), (code, out, err)
    assert err.count("\n") == 1 and err.startswith("geomrelu: error: ") and name in err, err


@pytest.mark.parametrize("which", COMMANDS)
def test_files_that_are_not_there(which, folder, capsys):
    for name in ("absent.json", "absent.onnx", "nowhere/absent.json"):
        unusable(capsys, COMMANDS[which], name)


@pytest.mark.parametrize("which", COMMANDS)
def test_directories_and_files_that_may_not_be_read(which, folder, capsys):
    (folder / "folder.json").mkdir()
    unusable(capsys, COMMANDS[which], "folder.json")
    if os.geteuid():  # root may read everything
        (folder / "secret.json").write_text("{}")
        (folder / "secret.json").chmod(0)
        unusable(capsys, COMMANDS[which], "secret.json")


@pytest.mark.parametrize("which", [which for which in COMMANDS if "check" not in which or "certificate" not in which])
def test_files_that_hold_nothing(which, folder, capsys):
    if which == "check, the second one":
        pytest.skip("an empty certificate is read, and rejected")
    for content in ("", "{", "[]", "\x00\x01"):
        (folder / "odd.json").write_text(content)
        unusable(capsys, COMMANDS[which], "odd.json")


def test_a_certificate_that_can_be_read_and_proves_nothing_is_rejected(folder, capsys):
    for content in ("", "{", "[]", "{}"):
        (folder / "odd.json").write_text(content)
        code, out, err = run(capsys, "check", "odd.json", "--model", MODEL, "--domain", DOMAIN)
        assert code == 1 and out.startswith("REJECTED odd.json: ") and out.count("odd.json") == 1 and not err


@pytest.mark.parametrize("form", ["table", "json"])
@pytest.mark.parametrize("domain", ["box:0,1", "UNION.vnnlib"])
def test_what_is_decided_is_printed_where_it_cannot_be_saved(form, domain, folder, capsys, monkeypatch):
    """A full disk: all verdicts, then one line of what is not saved."""
    sides = ("(and (>= X_0 0) (<= X_0 1) (>= X_1 0) (<= X_1 1))", "(and (>= X_0 0) (<= X_0 1) (>= X_1 0) (<= X_1 2))")
    heads = "".join(f"(declare-const X_{i} Real)\n" for i in range(2))
    (folder / "UNION.vnnlib").write_text(f"{heads}(assert (or {' '.join(sides)}))\n")
    asked = ["decide", MODEL, "--domain", domain, "--format", form]
    right = run(capsys, *asked)[1]

    def full(path, data):
        raise InputError(f"{path}: No space left on device")

    monkeypatch.setattr(files, "save", full)
    code, out, err = run(capsys, *asked, "--certificates", "kept")
    assert (code, out, err.count("\n")) == (2, right, 1)
    assert "No space left on device" in err and "layer-1.json" in err and "layer-2.json" in err
    code, out, err = run(capsys, "prune", MODEL, "--domain", "box:0,1", "-o", "small.json", "--certificates", "kept")
    assert code == 2 and "small.json equals" in out and err.count("\n") == 1
    report = decide(MODEL, "box:0,1", certificates="kept")
    assert report.dead == [(1, 1), (2, 0)] and len(report.unsaved) == 2 and not report.files
    assert str(report).endswith("layer-2.json: No space left on device.")
    assert decide(MODEL, "box:0,1").unsaved == ()


def test_what_is_counted_is_printed_where_it_cannot_be_saved(folder, capsys, monkeypatch):
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    asked = ["regions", MODEL, "--domain", "box:-4,4"]
    for more in (["--graph", "g.graphml"], ["--signs-in", "signs"]):
        code, out, err = run(capsys, *asked, *more)
        assert (code, err.count("\n")) == (2, 1) and "No space left on device" in err
        assert "7 regions: ReLU layers of widths 2, 1 on R^2 on box:-4,4." in out
    assert sorted(path.name for path in folder.iterdir() if "g.graphml" in path.name) == []
    assert list((folder / "signs").iterdir()) == []


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("simulate figure-5 --share 2 -o OUT.json", "share"),
        ("simulate figure-5 --share 0 -o OUT.json", "share"),
        ("simulate figure-5 --share -0.5 -o OUT.json", "share"),
        ("simulate figure-5 --share nan -o OUT.json", "share"),
        ("probability alive --widths 2,2,2 --half-width 0", "half width"),
        ("probability alive --widths 2,2,2 --half-width 1", "half width"),  # its value is known exactly
        ("probability alive --widths 2,2,2 --half-width nan", "half width"),
        ("probability alive --widths 2,2,2 --level 0", "level"),
        ("probability alive --widths 2,2,2 --level 1", "level"),
        ("probability alive --widths 2,2,2 --level 1.5", "level"),
        ("probability alive --widths 2,2,2 --level nan", "level"),
        ("probability alive --widths 2,2,2 --orbits 0", "orbits"),
        ("probability alive --widths 2,2,2 --trials 0", "trials"),
        ("probability alive --widths 2,2,2 --time 0", "time"),
        ("probability alive --widths 2,2,2 --seed -1", "seed"),
        ("probability alive --widths 2,2,2 --workers 0", "workers"),
        ("simulate figure-1 --networks 0 -o OUT.json", "networks"),
        ("decide MODEL.json --domain box:0,1 --neuron-time -1", "--neuron-time must be positive"),
        ("simulate figure-1 --points 0 -o OUT.json", "points"),
        ("simulate figure-1 --depth 0 -o OUT.json", "depth"),
        ("simulate figure-2 --widths 3 -o OUT.json", "--widths is for figure-1, figure-5, not for figure-2"),
        ("claims --contents width-one", "--contents is about all claims"),
        ("simulate safe-region --law cauchy -o OUT.json", "not for safe-region"),
        ("decide MODEL.json --domain box:0,1 --time 0", "time"),
        ("decide MODEL.json --domain box:0,1 --time nan", "time"),
        ("decide MODEL.json --domain box:0,1 --neuron-time 0", "neuron"),
        ("decide MODEL.json --domain box:0,1 --neuron-time nan", "neuron"),
        ("decide MODEL.json --domain box:0,1 --workers 0", "workers"),
        ("decide MODEL.json --domain box:0,1 --regions -1", "regions"),
        ("decide MODEL.json --data POINTS.csv --widen 0.5", "widen"),
        ("decide MODEL.json --data POINTS.csv --widen nan", "widen"),
        ("prune MODEL.json --domain box:0,1 -o OUT.json --time -1", "time"),
        ("prune MODEL.json --domain box:0,1 -o OUT.json --neuron-time nan", "neuron"),
        ("regions MODEL.json --time 0", "time"),
        ("regions MODEL.json --regions -1", "regions"),
        ("regions MODEL.json --workers 0", "workers"),
        ("check CERTIFICATE.json --model MODEL.json --domain box:0,1 --workers 0", "workers"),
        ("dimension MODEL.json --orbits 0", "orbits"),
        ("dimension MODEL.json --seed -1", "seed"),
        ("verify --time 0", "time"),
        ("verify --workers 0", "workers"),
    ],
)
def test_numbers_out_of_their_range(command, said, folder, capsys):
    (folder / "POINTS.csv").write_text("0,1\n1,0\n")
    code, out, err = run(capsys, *command.split())
    assert (code, out) == (2, ""), (code, out, err)
    assert err.count("\n") == 1 and said in err, err
    assert not (folder / "OUT.json").exists()


@pytest.mark.parametrize("command", [
    "decide MODEL.json --domain DOMAIN.json --ranges MODEL.json",
    "decide MODEL.json --domain DOMAIN.json --ranges ./DOMAIN.json",
    "decide MODEL.json --domain ball:1@POINT.npz --ranges POINT.npz",
    "prune MODEL.json --domain DOMAIN.json -o DOMAIN.json",
    "prune MODEL.json --domain DOMAIN.json -o OUT.json --certificate MODEL.json",
    "prune MODEL.json --domain DOMAIN.json -o OUT.json --certificate ./OUT.json",
    "convert MODEL.json -o link.json",
    "convert DOMAIN.json -o DOMAIN.json",
    "regions MODEL.json --graph MODEL.json",
    "probability alive --model MODEL.json --chunks MODEL.json",
])  # fmt: skip
def test_no_output_takes_the_place_of_what_is_read_or_of_another(command, folder, capsys):
    (folder / "DOMAIN.json").write_text(json.dumps(BOX))
    np.savez(folder / "POINT.npz", x=np.zeros(2))
    (folder / "link.json").symlink_to("MODEL.json")
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    code, out, err = run(capsys, *command.split())
    assert (code, out) == (2, ""), (code, out, err)
    assert err.count("\n") == 1 and ("would be lost" in err or "cannot be one file" in err)
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


@pytest.mark.parametrize("command", [
    "decide MODEL.json --domain box:0,1 --ranges",
    "prune MODEL.json --domain box:0,1 -o OUT.json --certificate",
    "prune MODEL.json --domain box:0,1 -o",
    "regions MODEL.json --graph",
    "plot complex MODEL.json -o",
    "simulate figure-5 -o",
    "convert MODEL.json -o",
])  # fmt: skip
def test_where_an_output_cannot_be_is_said_before_long_work(command, folder, capsys):
    (folder / "there.json").mkdir()
    for path, says in (("nowhere/out.json", "there is no directory nowhere"), ("there.json", "this is a directory")):
        code, out, err = run(capsys, *command.split(), path)
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert path in err and says in err


@pytest.mark.parametrize(("command", "says"), [
    ("plot complex MODEL.json -o out.svg --domain box:-1e400,1e400", "cannot be drawn"),
    ("plot complex MODEL.json -o out.svg --view=0,1e-400,0,1", "cannot be drawn"),
    ("plot arrangement ONE.json -o out.svg --view=0,1e400", "cannot be drawn"),
    ("regions MODEL.json --layers 0", "--layers must be positive"),
    ("regions RAGGED.json", "RAGGED.json: the normals"),
    ("convert EMPTY.json -o out.ext", "an empty set has no vertices"),
    ("convert box:0,1 -o out.json", '"box": [[low, high], ...]'),
    ("decide MODEL.json --domain THREE.npy", "R^3, but the model reads R^2"),
    ("decide MODEL.json --domain NONE.npy", "NONE.npy: there are no points"),
    ("decide MODEL.json --domain NUMBER.npy", "R^1, but the model reads R^2"),
    ("decide MODEL.json --domain TEXT.csv", "TEXT.csv: line 2"),
    ("decide MODEL.json --domain NAN.csv", "NAN.csv: line 1"),
    ("decide MODEL.json --domain NA.csv", "NA.csv: line 1, column 1: 'NA' is not a rational number"),
    ("decide MODEL.json --domain COLUMNS.csv", "COLUMNS.csv: line 1 is 0, 1, 2, ...: names or a point?"),
])  # fmt: skip
def test_what_cannot_be_drawn_counted_or_written_is_said_in_one_line(command, says, folder, capsys):
    (folder / "ONE.json").write_text('{"A": [[1], [2]], "b": [0, 1]}')
    (folder / "RAGGED.json").write_text('{"A": [[1, 0], [1]], "b": [0, 1]}')
    (folder / "EMPTY.json").write_text('{"inequalities": [[-1, 1, 0], [-1, -1, 0]]}')
    (folder / "TEXT.csv").write_text("0,1\n1,one\n")
    (folder / "NAN.csv").write_text("nan,1\n1,1\n")  # no line of names
    (folder / "NA.csv").write_text("NA,1\n1,1\n")  # nor here
    (folder / "COLUMNS.csv").write_text("0,1,2\n0.5,0.25,1.0\n")  # as pandas writes a table without names
    np.save(folder / "THREE.npy", np.zeros((2, 3)))
    np.save(folder / "NONE.npy", np.zeros((0, 2)))
    np.save(folder / "NUMBER.npy", np.array(1.0))
    code, out, err = run(capsys, *command.split())
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert says in err
    assert not (folder / "out.svg").exists()


def test_files_of_points_are_domains(folder, capsys):
    """As .npy (a single one may be a vector) or .csv, they are the finite set that .json says."""
    np.save(folder / "POINTS.npy", np.array([[0, 0], [1, 1]], dtype=np.float32))
    (folder / "POINTS.csv").write_text("x,y\n0,0\n1,1\n")
    (folder / "POINTS.json").write_text('{"points": [[0, 0], [1, 1]]}')
    for name in ("POINTS.npy", "POINTS.csv", "POINTS.json"):
        assert run(capsys, *f"decide MODEL.json --domain {name} --certificates {name}-proofs".split())[0] == 0
        for other in ("POINTS.npy", "POINTS.csv", "POINTS.json"):
            check = f"check {name}-proofs/layer-2.json --model MODEL.json --domain {other}"
            assert run(capsys, *check.split())[0] == 0
    assert run(capsys, *["convert", "POINTS.npy", "-o", "SAME.json"])[0] == 0
    assert json.loads((folder / "SAME.json").read_text()) == {"points": [["0", "0"], ["1", "1"]]}


def test_the_proof_of_a_pruning_needs_the_smaller_network(folder, capsys):
    prune = "prune MODEL.json --domain box:0,1 -o OUT.json --certificate PROOF.json"
    assert run(capsys, *prune.split())[0] == 0
    check = "check PROOF.json --model MODEL.json --domain box:0,1"
    for more in ("", " --independent"):
        code, out, _ = run(capsys, *(check + more).split())
        assert code == 1 and "say which is the smaller network" in out
        assert run(capsys, *(check + more + " --smaller OUT.json").split())[0] == 0


def test_a_file_is_named_once(folder, capsys):
    lines = ["(declare-const X_0 Real)", "(declare-const X_1 Real)", "(declare-const Y_0 Real)", "(assert (<= X_0 1))"]
    (folder / "QUERY.vnnlib").write_text("\n".join(lines))
    _, _, err = run(capsys, *["solve", "QUERY.vnnlib", "--network", "f=absent.json"])
    assert err == "geomrelu: error: absent.json: No such file or directory\n"
