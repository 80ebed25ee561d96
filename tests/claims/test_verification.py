"""Verification in processes, interrupted and resumed; and what the commands `verify` and `claims` print."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from geomrelu import InputError
from geomrelu.claims import registry as claims
from geomrelu.claims import render, runner
from geomrelu.claims.evidence import Kind
from geomrelu.claims.runner import Kept
from geomrelu.claims.status import Status
from geomrelu.cli.main import main

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]

HEAD = """
import os, time
from fractions import Fraction
from geomrelu.claims.registry import Again, Claim
claim = Claim({label!r}, "Title of {label}", "1 | 2 & 3 % {label}_x ~ ^", r"\\frac{{1}}{{2}} < \\alpha", {source!r},
              ("n > 0", "50 % of #{{1}}"), {uses}, {correction!r})
@claim.enumerate("numbers")
def numbers(depth):
    with open({log!r}, "a") as log:
        print({label!r}, depth, file=log)
    {body}
"""


@pytest.fixture
def planted(tmp_path):
    """Writes proofs of planted claims; ``examined()`` are the labels whose checks ran, in order."""
    directory, log = tmp_path / "proofs", tmp_path / "log"
    directory.mkdir()

    class Planted:
        proofs = directory

        def add(self, label, body="yield 1, 1", uses=(), correction=None, source="Lu, Shin & others, section 2"):
            text = HEAD.format(
                label=label, body=body, uses=tuple(uses), correction=correction, source=source, log=str(log)
            )
            (directory / f"{label}.py").write_text(text)

        def examined(self):
            lines = log.read_text().split("\n")[:-1] if log.exists() else []
            log.unlink(missing_ok=True)
            return [line.split()[0] for line in lines]

        def run(self, *labels, **more):
            return list(runner.run(list(labels) or None, proofs=directory, **more))

    return Planted()


@pytest.fixture
def family(planted):
    """Claims of every fate, resting on each other."""
    planted.add("base")
    planted.add("middle", uses=["base", "torn"])
    planted.add("top", "yield 'row', Fraction(1, 2), '<', 1", uses=["middle"])
    planted.add("torn", "yield 1, 1; raise OSError('gone')")
    planted.add("wrong", "yield 2, '<', 2, Again('print(1 + 1)')", correction="base", source="Rister, eq. 3")
    return planted


def without_seconds(results):
    plain = sorted((r.as_json() for r in results), key=lambda r: r["label"])
    return re.sub(r'"seconds": [\d.]+', "", json.dumps(plain))


# ---- running ------------------------------------------------------------------------------------------------------


def test_processes_change_nothing(family):
    alone, together = family.run(), family.run(workers=3)
    assert without_seconds(alone) == without_seconds(together)
    assert without_seconds(alone) == without_seconds(claims.verify(registry=claims.load(family.proofs)))
    for results in (alone, together):
        seen = [r.label for r in results]
        assert seen.index("base") < seen.index("middle") < seen.index("top")
    assert {r.label: r.status.name for r in alone} == {
        "base": "ENUMERATED",
        "middle": "CONJECTURED",
        "top": "CONJECTURED",
        "torn": "BROKEN",
        "wrong": "REFUTED",
    }


def test_a_second_run_examines_what_is_new(family, tmp_path):
    first = family.run(kept=Kept(tmp_path / "out"))
    assert sorted(family.examined()) == ["base", "middle", "top", "torn", "wrong"]
    again = family.run(kept=Kept(tmp_path / "out"))
    assert family.examined() == ["torn"]  # what broke is tried again
    assert without_seconds(first) == without_seconds(again)
    family.add("torn")
    (middle,) = (r for r in family.run(kept=Kept(tmp_path / "out")) if r.label == "middle")
    assert family.examined() == ["torn"] and middle.status is Status.ENUMERATED  # its own evidence did not change


@pytest.mark.parametrize("change", ["proof", "depth", "sources", "version", "cut", "other", "list"])
def test_evidence_counts_only_for_what_it_was_found_with(planted, tmp_path, monkeypatch, change):
    planted.add("base")
    kept = Kept(tmp_path / "out")
    planted.run(kept=kept)
    planted.examined()
    planted.run(kept=kept)
    assert planted.examined() == []
    file, depth = tmp_path / "out" / "evidence" / "base.json", "default"
    if change == "proof":
        planted.add("base", "yield 2, 2")
    elif change == "depth":
        depth = "thorough"
    elif change == "sources":
        monkeypatch.setattr(runner, "_sources", lambda: "others")
    elif change == "version":
        monkeypatch.setattr(runner, "_versions", lambda: {"python": "4.0"})
    else:
        file.write_text({"cut": file.read_text()[:-5], "other": '{"geomrelu": "evidence 1"}', "list": "[1]"}[change])
    (result,) = planted.run(kept=kept, depth=depth)
    assert planted.examined() == ["base"] and result.status is Status.ENUMERATED
    planted.run(kept=kept, depth=depth)
    assert planted.examined() == []


def test_outcomes_survive_the_file(tmp_path):
    """All fields, certificates included."""
    registry = claims.load()
    kept = Kept(tmp_path / "out")
    for label, number in (("first-layer-alive", 4), ("one-dim-sharper", 0)):
        outcomes = claims.examined(registry[label], "default")
        kept.write(registry[label], "default", outcomes)
        again = kept.read(registry[label], "default")
        assert [o.as_json() for o in again] == [o.as_json() for o in outcomes]
        assert all(type(o.kind) is Kind for o in again)
        before, after = ([(n, vars(c)) for o in each for n, c in o.certified] for each in (outcomes, again))
        assert len(before) == number and json.dumps(before) == json.dumps(after)


def test_bad_requests_are_refused_at_once(planted):
    planted.add("base")
    for labels, more in ((["bse"], {}), ([], {"depth": "deep"}), ([], {"workers": 0})):
        with pytest.raises(InputError):
            runner.run(labels or None, proofs=planted.proofs, **more)


def test_a_directory_of_something_else_is_left_alone(registry, tmp_path, capsys):
    (tmp_path / "index.html").write_text("mine")
    assert main(["verify", "base", "--report", str(tmp_path)]) == 2
    assert "holds something else than a report" in capsys.readouterr().err
    assert main(["verify", "bse", "--report", str(tmp_path / "new")]) == 2
    assert not (tmp_path / "new").exists()


def test_a_killed_worker_is_said(planted, tmp_path):
    planted.add("base")
    planted.add("doomed", "time.sleep(2); os.kill(os.getpid(), 9); yield 1, 1")
    seen = []
    with pytest.raises(InputError, match="keep dying"):
        for result in runner.run(None, proofs=planted.proofs, workers=2, kept=Kept(tmp_path / "out")):
            seen.append(result.label)
    assert seen == ["base"] and (tmp_path / "out" / "evidence" / "base.json").exists()


# ---- the commands -------------------------------------------------------------------------------------------------


@pytest.fixture
def registry(family, monkeypatch):
    """The commands speak of the planted claims."""
    monkeypatch.setattr(claims, "_directory", lambda: family.proofs)
    return claims.load()


def test_verify_prints_everything(registry, capsys):
    assert main(["verify", "--workers", "1"]) == 1  # torn
    out = capsys.readouterr().out
    for line in (
        "BROKEN  torn: ",
        "\n  broken: enumerate (numbers): after 1 case: OSError: gone\n  again: geomrelu verify torn\n",
        "\n  counterexample: enumerate (numbers): case 1: 2 < 2 is false\n  again: python -c 'print(1 + 1)'\n",
        "\n  true instead (base): 1 | 2 & 3 % base_x ~ ^\n",
        "\n  no stronger than torn, which it uses\n",
        "5 claims: 1 ENUMERATED, 2 CONJECTURED, 1 BROKEN; 1 false as printed, refuted by an exact counterexample",
    ):
        assert line in out, line
    assert main(["verify", "wrong", "--workers", "1"]) == 0  # refuted, as it must be
    assert "2 claims: 1 ENUMERATED; 1 false as printed, refuted" in capsys.readouterr().out


def test_what_was_guessed_here_is_not_said_to_be_printed(family, registry, capsys):
    family.add("guess", "yield 2, '<', 2, Again('print(1 + 1)')", correction="base", source="new (after Rister)")
    assert main(["verify", "guess", "wrong", "--workers", "1"]) == 0
    said = "3 claims: 1 ENUMERATED; 1 false as printed, 1 false as guessed, each refuted by an exact counterexample"
    assert said in capsys.readouterr().out
    assert main(["claims"]) == 0
    out = capsys.readouterr().out
    assert "Title of guess (false as guessed)" in out and "Title of wrong (false as printed)" in out
    assert main(["claims", "guess"]) == 0
    assert "false as guessed; true instead\n" in capsys.readouterr().out


def test_a_false_claim_that_is_not_refuted_fails(family, registry, capsys):
    family.add("wrong", "yield 1, 1", correction="base")
    assert main(["verify", "wrong", "--workers", "1"]) == 1
    said = "2 claims: 2 ENUMERATED; with a correction, and not refuted by an exact counterexample: wrong"
    assert said in capsys.readouterr().out


def test_verify_as_data(registry, capsys):
    main(["verify", "--workers", "1", "--format", "json"])
    data = json.loads(capsys.readouterr().out)
    assert [r["label"] for r in data] == list(registry)
    wrong = next(r for r in data if r["label"] == "wrong")
    assert (wrong["status"], wrong["again"], wrong["corrected"]) == (
        "REFUTED",
        "python -c 'print(1 + 1)'",
        "1 | 2 & 3 % base_x ~ ^",
    )
    assert wrong["evidence"][0]["left"] == "2"


def test_verify_as_markdown(registry, capsys):
    main(["verify", "--workers", "1", "--format", "markdown"])
    out = capsys.readouterr().out
    rows = [line for line in out.splitlines() if line.startswith("|")]
    assert len(rows) == 7 and {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {7}
    assert r"true instead (base): 1 \| 2 & 3" in out and "python -c 'print(1 + 1)'" in out


def test_claims_are_listed_and_shown(registry, capsys):
    assert main(["claims"]) == 0
    out = capsys.readouterr().out
    assert re.findall(r"^  (\S+)", out, re.M) == list(registry)
    assert out.index("Rister & Rubin, Prob") < out.index("wrong") < out.index("Lu, Shin, Su") < out.index("base")
    assert "Title of wrong (false as printed)" in out and "5 claims; " in out
    assert main(["claims", "middle"]) == 0
    out = capsys.readouterr().out
    for part in (
        "uses\n    base\n    torn",
        "used by\n    top",
        "    n > 0\n",
        "enumerate  numbers: numbers",
        "verify middle",
    ):
        assert part in out, part
    assert main(["claims", "base"]) == 0
    assert "corrects\n    wrong" in capsys.readouterr().out
    assert main(["claims", "wrong"]) == 0
    assert "false as printed; true instead\n    base: 1 | 2" in capsys.readouterr().out
    assert main(["claims", "midle"]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "geomrelu: error: unknown claim 'midle'; did you mean middle?\n")


def test_a_correction_stands_after_what_it_corrects(planted):
    planted.add("a-right", source="new (after Rister)")
    planted.add("b", source="Rister, section 7.1")
    planted.add("c", source="Rister, section 10")
    planted.add("z", source="Rister, section 2", correction="a-right")
    planted.add("y", source="Brownlowe", correction="c")
    registry = claims.load(planted.proofs)
    assert list(registry) == ["z", "a-right", "b", "y", "c"]
    assert [c.label for group in claims.by_paper(registry).values() for c in group] == ["z", "a-right", "b", "c", "y"]


def test_the_real_registry_in_every_format():
    registry = claims.load()

    def plain(text):
        return text.replace(r"\allowbreak", "").replace("{}", "")

    data = json.loads(render.registry_as("json", registry))
    assert [c["label"] for c in data] == [c.label for group in claims.by_paper(registry).values() for c in group]
    assert len({c["paper"] for c in data}) == 4
    for format_ in render.FORMATS:
        whole = render.registry_as(format_, registry)
        assert all(label in plain(whole) for label in registry)
        for claim in registry.values():
            one = render.claim_as(format_, claim, registry)
            assert claim.label in plain(one) and one.strip() == one
    sample = next(
        e for e in json.loads(render.claim_as("json", registry["orthant-kill"], registry))["evidence"] if "seed" in e
    )
    assert (sample["trials"], sample["seed"], sample["level"]) == (1_000_000, 40, "999/1000")
    with pytest.raises(InputError):
        render.registry_as("html", registry)


def _documents(registry, results):
    yield render.registry_as("latex", registry)
    yield render.results_as("latex", results, registry)
    yield from (render.claim_as("latex", claim, registry) for claim in registry.values())


def test_latex_is_balanced(registry, family):
    for text in _documents(registry, family.run()):
        plain = re.sub(r"\\.", "", text)
        assert plain.count("{") == plain.count("}") and plain.count("$") % 2 == 0
        assert text.count(r"\begin{") == text.count(r"\end{") and not re.search(r"(?<!\\)[#~]", text)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not here: LaTeX is not compiled")
def test_latex_compiles(registry, family, tmp_path):
    real = claims.load(ROOT / "proofs")
    bodies = [*_documents(registry, family.run()), *_documents(real, [])]
    packages = next(line for line in bodies[0].splitlines() if line.startswith("% needs: "))[len("% needs: ") :]
    text = "\n\n".join([r"\documentclass{article}", packages, r"\begin{document}", *bodies, r"\end{document}"])
    (tmp_path / "all.tex").write_text(text, encoding="utf-8")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "all.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stdout[-2000:]


# ---- what is loaded -----------------------------------------------------------------------------------------------


def test_only_what_a_claim_needs_is_read(planted):
    planted.add("base")
    planted.add("top", uses=["base"], correction="true")
    planted.add("true")
    (planted.proofs / "other.py").write_text("raise RuntimeError('not to be read')")
    assert list(claims.load(planted.proofs, ["top"])) == ["base", "top", "true"]
    assert [result.label for result in runner.run(["base"], proofs=planted.proofs)] == ["base"]
    with pytest.raises(RuntimeError, match="not to be read"):
        claims.load(planted.proofs)
    with pytest.raises(InputError, match="unknown claim 'topp'; did you mean top"):
        claims.load(planted.proofs, ["topp"])


LOADED = """
import sys
from geomrelu.cli.main import main
code = main(["verify", sys.argv[1], "--workers", "1"])
print("modules:", *sys.modules)
raise SystemExit(code)
"""


@pytest.mark.parametrize(
    ("label", "absent"),
    [
        ("xavier-variance", ["cdd", "scipy", "geomrelu.geometry.polyhedron", "geomrelu.random_networks.closed_forms"]),
        ("width-one", ["geomrelu.geometry.arrangement", "geomrelu.io.tape", "geomrelu.random_networks.probability"]),
        ("zaslavsky", ["geomrelu.io.onnx", "geomrelu.network.network", "scipy"]),
    ],
)
def test_a_claim_loads_the_rooms_that_it_needs(label, absent):
    command = [sys.executable, "-c", LOADED, label]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True, timeout=300)
    printed, _, modules = done.stdout.rpartition("modules: ")
    assert label in printed
    never = ["matplotlib", "networkx", "torch", "onnx", "geomrelu.deadness", "geomrelu.plots", "geomrelu.network"]
    assert not set(modules.split()) & {*absent, *never}


# ---- interrupted --------------------------------------------------------------------------------------------------


SITE = """
from pathlib import Path
from geomrelu.claims import registry
registry._directory = lambda: Path({proofs!r})
"""  # every process of a command begins with it


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_keeps_what_was_verified(planted, tmp_path, workers):
    planted.add("base")
    planted.add("endless", "time.sleep(600); yield 1, 1")
    out = tmp_path / "out"
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(SITE.format(proofs=str(planted.proofs)))
    command = [sys.executable, "-m", "geomrelu", "verify", "--report", str(out)]
    path = os.pathsep.join([str(site), str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment}
    running = subprocess.Popen([*command, "--workers", str(workers)], start_new_session=True, **pipes)
    try:
        log, kept = planted.proofs.parent / "log", out / "evidence" / "base.json"
        deadline = time.monotonic() + 300
        while not (kept.exists() and "endless" in log.read_text()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.killpg(running.pid, signal.SIGINT)  # as a terminal does
        shown, said = running.communicate(timeout=300)
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
    assert running.returncode == 130, said
    assert "ENUMERATED  base: " in shown and "1 claim: 1 ENUMERATED" in shown
    assert said.endswith(f"interrupted; 1 of 2 claims are verified; the same command goes on from what is in {out}\n")
    assert "<strong>Interrupted.</strong>" in (out / "index.html").read_text()
    planted.examined()
    planted.add("endless")
    done = subprocess.run(command, **{k: v for k, v in pipes.items() if k in ("text", "env")}, capture_output=True)
    assert done.returncode == 0 and "2 claims: 2 ENUMERATED" in done.stdout
    assert "1 of 2 claims are verified in " in done.stderr and planted.examined() == ["endless"]
