"""The examples run, from anywhere, and say what is true; notebooks are made from them."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import re
import runpy
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from geomrelu import Network, checker
from geomrelu.random_networks import closed_forms

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
PAGES = [path for path in EXAMPLES if path.stem != "collapse_rate"]
SCRIPTS = [*PAGES, *sorted((ROOT / "proofs").glob("*.py"))]


def run(name: str, *arguments: object, folder: Path) -> str:
    """What an example prints, started in an empty folder."""
    command = [sys.executable, str(ROOT / "examples" / f"{name}.py"), *map(str, arguments)]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    ended = subprocess.run(command, capture_output=True, text=True, cwd=folder, env={**os.environ, "PYTHONPATH": path})
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    return ended.stdout


def section(text: str, start: str, stop: str = "\n\0") -> str:
    """From the line that begins with ``start`` to the one that begins with ``stop``."""
    return ("\n" + text).split("\n" + start, 1)[1].split("\n" + stop, 1)[0]


# ---- what they print ------------------------------------------------------------------------------------------------


def test_first_look(tmp_path):
    lines = [line for line in run("first_look", folder=tmp_path).splitlines() if "claim accepted" not in line]
    assert lines == [
        "layer 1: killed: False",
        "  neuron 0 is alive; supremum 1",
        "  neuron 1 is alive; supremum 1",
        "layer 2: killed: False",
        "  neuron 0 is dead, but not stably; supremum 0",
        "  neuron 1 is dead, stably; supremum -1/3",
        "  neuron 2 is alive; supremum 1",
        "rescaled by 2^40: dead supremum 0",
    ]
    assert not list(tmp_path.iterdir())


def test_milp_with_ranges(tmp_path):
    """Fewer binaries and smaller constants, and the same maximum where both programs end in time."""
    text = run("milp_with_ranges", folder=tmp_path)
    found = re.findall(r"(\d+) binaries, big-M in all (\d+), (\S+) nodes, \S+ s, maximum (\S+)", text)
    (wide, large, _, first), (narrow, small, _, second) = found
    assert int(narrow) < int(wide)
    assert int(small) < int(large) / 2
    assert "None" in (first, second) or abs(float(first) - float(second)) < 1e-4


def test_two_layers(tmp_path):
    said = run("two_layers", "pieces.svg", folder=tmp_path)
    assert b"<svg" in (tmp_path / "pieces.svg").read_bytes()
    assert "13 regions; vertices, edges, regions: (7, 19, 13)\n" in said and 7 - 19 + 13 == 1
    assert said.count("  0 x1 + 0 x2 + 0\n") == 7
    plane = section(said, "layer 2 on the plane:", "layer 2")
    box = section(said, "layer 2 on the box [-4, 4]^2:", "nudged")
    for text, supremum, third in ((plane, "inf", "not stably"), (box, "7/2", "stably")):
        assert text.splitlines()[1:] == [
            f"  neuron 0: alive; supremum {supremum}",
            "  neuron 1: dead, stably; supremum -1",
            "  neuron 2: dead, not stably; supremum 0",
            f"  neuron 3: dead, {third}; supremum -1/2",
            "  accepted by the checker: 4 claims",
        ]
    assert "nudged, on the plane: neuron 3 is alive; supremum inf\n" in said
    assert "nudged, on the box: neuron 3 is dead; supremum -1/2\n" in said
    # z = -2000 - 2000 + w (2000 + 2000 - 1) - 1/2
    before, after = (-4000 + w * 3999 - Fraction(1, 2) for w in (1, Fraction(1001, 1000)))
    assert f"at [2000, 2000]: {before} before, {after} after\n" in said
    assert "\nrejected: layer 2, neuron 3: the bound is inf, not <= 0\n" in said
    assert said.endswith("(3, 4) -> (3, 1); a point where they differ: None\n")


def test_a_trained_network(tmp_path):
    """Training is floating point and another machine may end elsewhere: only what must hold is asserted."""
    said = run("dead_neurons_of_a_real_network", "-o", "out", folder=tmp_path)
    out = tmp_path / "out"
    model, smaller = (Network.from_file(out / name) for name in ("model.json", "smaller.json"))
    domain = checker.Domain.parse(json.loads((out / "domain.json").read_text()))
    assert model.widths == (24, 24) and sum(smaller.widths) < 48
    found = {}
    for path in out.glob("layer-*.json"):
        for claim in checker.check(json.loads(path.read_text()), model.checked, domain):
            found[claim["layer"], claim["neuron"]] = claim["status"]
    assert f"proved by the stand-alone checker: {len(found)} claims\n" in said
    for layer, width in enumerate(smaller.widths, 1):
        dead = sum(l == layer and status == "dead" for (l, _), status in found.items())
        assert f"layer {layer}: {dead} dead" in said
        assert width in (24 - dead, 1)
    assert re.search(r"neuron \d+ was silent on the data, but reaches", said)
    assert f"neurons: 48 -> {sum(smaller.widths)}\n" in said
    kinds = [".npz"] + [".onnx"] * (importlib.util.find_spec("onnx") is not None)
    for kind in kinds:
        assert f"read back from {kind}: the same network, bit for bit\n" in said
        assert Network.from_file(out / f"smaller{kind}") == smaller
    rng = random.Random(0)
    for _ in range(20):
        point = [Fraction(rng.randint(-(10**6), 10**6), 10**6) for _ in range(5)]
        assert model(point) == smaller(point)

    # and with files of one's own: no training, no data, the same verdicts
    again = run("dead_neurons_of_a_real_network", "out/model.json", "out/domain.json", folder=tmp_path)
    assert "silent" not in again
    for layer in (1, 2):
        verdicts = section(said, f"layer {layer}: ").splitlines()[0]
        assert f"layer {layer}: {verdicts}\n" in again
    assert {path.name for path in tmp_path.iterdir()} == {"out"}


def test_brownlowe(tmp_path):
    said = run("brownlowe", "figures", folder=tmp_path)
    assert {p.name for p in (tmp_path / "figures").iterdir()} == {f"figure-{k}.png" for k in range(1, 6)}
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in (tmp_path / "figures").iterdir())
    code = said.split("bounded regions: ", 1)[1].split("\n", 1)[0].split()
    assert said.startswith("11 codewords, 3 bounded regions: ") and len(set(code)) == 11
    assert "of all 16 coorientations: {11}\n" in said and "50 other fours of lines: {11}\n" in said
    figures = re.findall(r"^without ([+-]{3}): (.*)$", said, re.M)
    assert [missing for missing, _ in figures] == ["---", "--+", "-++"]
    for missing, words in figures:
        assert len(set(words.split())) == 7 and missing not in words.split()
    counted = re.findall(r"^n0 = (\d), n1 = (\d): \{(\d+)\} of (\d+) on 20 orbits; the theorem: (\S+)$", said, re.M)
    assert len(counted) == 7
    for n0, n1, count, size, theorem in counted:
        n0, n1, count, size = map(int, (n0, n1, count, size))
        assert count == 2**n1 + 2 * (n1 == n0 + 1) and size == 2 ** (2 * n1 + 1)
        assert Fraction(count, size) == Fraction(theorem)
    assert "decide says: dead stably\n" in said
    assert "c = 100: 20 of 128; on 1000 orbits near it: {20}\n" in said
    assert "c = 1: 22 of 128; on 1000 orbits near it: {22}\n" in said
    assert "n0 = 2, n1 = 3: 0.07812 = 5/64, by one-more-than-input" in said
    estimated = re.findall(r"^n0 = (\d), n1 = (\d): \S+ in \[(\S+), (\S+)\]; least orbit: (\d+) of (\d+)", said, re.M)
    assert len(estimated) == 6
    for n0, _, low, high, least, size in estimated:
        assert 4.0 ** -(int(n0) + 1) <= int(least) / int(size) < float(high) and float(low) < float(high)
    assert said.endswith("one neuron: 3/16; two neurons: 5/128, not 3/16^2 = 9/256\n")


def test_rister_rubin(tmp_path):
    said = run("rister_rubin", "figure.pdf", folder=tmp_path)
    assert (tmp_path / "figure.pdf").read_bytes().startswith(b"%PDF")
    widths = re.findall(r"^depth (\d+): width (\d+) keeps 9 of 10", said, re.M)
    assert [depth for depth, _ in widths] == ["1", "10", "100", "1000"]
    for depth, width in widths:
        below, enough = (closed_forms.lower_bound(int(width) - k, int(depth)) for k in (1, 0))
        assert below < Fraction(9, 10) <= enough
    assert "1 of 64 sign patterns kills the orthant: [(-1, -1, -1, -1, -1, -1)]; 128 claims accepted\n" in said
    for k in range(1, 7):
        value = Fraction(k + 1, 2**k)
        assert f"P(1, {k}) = {(k + 1) * 2**k}/{4**k} = {value}; the formula: {value}\n" in said
    assert "P(2, 2) = 4032/4096 = 63/64; the upper bound: 63/64\n" in said
    (counts,) = re.findall(r"^width 2, depth 3: \[(.*)\] of 262144", said, re.M)
    assert len(set(counts.split(", "))) > 1
    assert "P(E1 | not E2) = 9/10, not 1 - 2^-2 = 3/4\n" in said
    assert "one point: 27/64; the lower bound: 27/64\n" in said
    shares = re.findall(r"live at k = 64: (\S+), with flipping (\S+)", said)
    assert len(shares) == 4 and all(float(left) < float(kept) for left, kept in shares)


def test_lu(tmp_path):
    said = run("lu", "safe.svg", folder=tmp_path)
    assert b"<svg" in (tmp_path / "safe.svg").read_bytes()
    assert "linear pieces of |x|: [('-1', '0'), ('1', '0')]\n" in said
    assert "on the box [-2, 2]^2 they differ at None\n" in said
    (x, y, values) = re.search(r"^on the plane at \['(.*)', '(.*)'\] : (.*) \[", said, re.M).groups()
    assert values == str([str(abs(Fraction(x) + Fraction(y))), str(abs(Fraction(x) - Fraction(y)))])
    assert "layer 1 killed: False" in said and "layer 2 killed: True; ['0', '0']\n" in said
    assert "equal to the constant 1/2 on [-1, 1]: True\n" in said
    for width in (2, 3, 4):
        exact = Fraction(3, 4**width) - Fraction(2, 8**width)
        assert f"N = {width}, 2 hidden: dies with {exact} on every orbit; chain {exact}, bound" in said
    three = re.findall(r"^N = ., 3 hidden: (.*)$", said, re.M)
    assert len(three) == 2
    for line in three:
        mean, low, high, chain, bound = map(float, re.findall(r"0\.\d+", line))
        assert chain < mean < bound and low <= mean <= high
    low, high = map(float, re.search(r"dead at initialisation: (\S+) % to (\S+) %", said).groups())
    assert low < high < 100 * (1 - 0.75**9)
    assert " = 0.600747\n" in said
    assert "rai: 0 of 1000 layers of width 2 kill the orthant\n" in said
    assert re.search(r"normal: [1-9]\d* of 1000 layers of width 2 kill the orthant", said)
    (rai, normal) = re.findall(r"are dead with (\S+) to (\S+)", said)
    assert float(rai[1]) < float(normal[0])
    safe = re.findall(r"^ *(\d+) hidden layers: width (\d+) for .*, (\d+) for", said, re.M)
    assert [k for k, _, _ in safe] == ["1", "2", "5", "10", "20", "30"]
    for k, ten, one in safe:
        for width, risk in ((int(ten), 0.1), (int(one), 0.01)):
            assert 1 - (1 - 2.0**-width) ** int(k) < risk <= 1 - (1 - 2.0 ** (1 - width)) ** int(k)


def test_collapse_rate(tmp_path):
    path = ROOT / "examples" / "collapse_rate.py"
    small = ["--networks", "20", "--steps", "2", "--points", "4"]
    ended = subprocess.run([sys.executable, str(path), *small], capture_output=True, text=True, cwd=tmp_path)
    if importlib.util.find_spec("torch") is None:
        assert ended.returncode == 1 and ended.stderr.startswith("this example needs PyTorch")
        assert ended.stderr.count("\n") == 1
    else:
        assert ended.returncode == 0 and "92.49 %" in ended.stdout


def test_the_readme_names_every_example():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {f"{p.name}" for p in EXAMPLES} <= set(re.findall(r"examples/(\w+\.py)", text))
    assert all((ROOT / path).exists() for path in re.findall(r"examples/\w+\.py", text))


# ---- notebooks ------------------------------------------------------------------------------------------------------

CONVERTER = ROOT / ".ci" / "notebooks.py"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.stem)
def test_a_page_has_a_title_and_cells_that_compile(path):
    script = path.read_text(encoding="utf-8")
    made = runpy.run_path(str(CONVERTER))["notebook"](script, path.name)
    first, *_ = made["cells"]
    assert first["cell_type"] == "markdown" and re.match(r"# \S", first["source"][0])
    code = ["".join(c["source"]) for c in made["cells"] if c["cell_type"] == "code"]
    assert code[0].startswith("%matplotlib inline\n") and path.name in code[0]
    for cell in code[1:]:
        compile(cell, path.name, "exec")
    # nothing is lost: all lines of the script but marks and empty ones, in their order
    cells = [c for c in made["cells"] if not "".join(c["source"]).startswith("%matplotlib")]
    lines = [("# " * (c["cell_type"] == "markdown") + line).strip() for c in cells for line in c["source"]]
    script = script.replace("raise SystemExit(claim.main())", "claim.main()")
    expected = [line.strip() for line in script.splitlines() if not line.startswith("# %%")]
    assert [x for x in lines if x.strip("#")] == [x for x in expected if x.strip("#")]


def test_notebooks_are_valid(tmp_path):
    pages = [ROOT / "examples" / "first_look.py", ROOT / "examples" / "collapse_rate.py", ROOT / "proofs/width-one.py"]
    subprocess.run([sys.executable, "-I", str(CONVERTER), str(tmp_path / "out"), *map(str, pages)], check=True)
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"first_look.ipynb", "width-one.ipynb"}
    for path in (tmp_path / "out").iterdir():
        made = json.loads(path.read_text(encoding="utf-8"))
        assert set(made) == {"cells", "metadata", "nbformat", "nbformat_minor"}
        assert (made["nbformat"], made["nbformat_minor"]) == (4, 5)
        assert made["metadata"]["kernelspec"]["name"] == "python3"
        ids = [cell["id"] for cell in made["cells"]]
        assert len(set(ids)) == len(ids) and all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", i) for i in ids)
        for cell in made["cells"]:
            common = {"cell_type", "id", "metadata", "source"}
            code = {"execution_count", "outputs"} if cell["cell_type"] == "code" else set()
            assert set(cell) == common | code and cell["cell_type"] in ("code", "markdown")
            assert cell["metadata"] == {} and all(isinstance(line, str) for line in cell["source"])
            assert all(line.endswith("\n") for line in cell["source"][:-1])
            if code:
                assert cell["execution_count"] is None and cell["outputs"] == []


def test_a_notebook_runs_cell_by_cell_and_says_the_same(tmp_path, monkeypatch, capsys):
    path = ROOT / "examples" / "two_layers.py"
    made = runpy.run_path(str(CONVERTER))["notebook"](path.read_text(encoding="utf-8"), path.name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["ipykernel_launcher.py", "-f", "kernel.json"])
    names: dict[str, object] = {"__name__": "__main__"}
    for cell in made["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]).replace("%matplotlib inline\n", ""), names)
    assert capsys.readouterr().out == run("two_layers", folder=tmp_path)
    assert not list(tmp_path.iterdir())
