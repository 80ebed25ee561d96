"""What the README shows is what happens."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from geomrelu.cli.main import main

TEXT = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.S | re.M)
PLAIN = [block for kind, block in BLOCKS if not kind]


def test_the_worked_example(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    block = next(b for b in PLAIN if b.startswith("$ cat model.json"))
    model, diamond, run = re.split(r"^\$ ", block, flags=re.M)[1:]
    for part in (model, diamond):
        command, _, content = part.partition("\n")
        Path(command.split()[1]).write_text(content)
    command, _, shown = run.partition("\n")
    assert main(command.split()[1:]) == 0
    assert capsys.readouterr().out == shown
    proof = re.search(r'"proof": (\[.*?\}\])', TEXT, re.S).group(1)
    plain = re.sub(r"  +(x1|x2|both|bounds).*", "", proof)
    written = Path("out/layer-2-neuron-0.json").read_text()
    assert re.sub(r"\s", "", plain) in re.sub(r"\s", "", written)


def test_the_counts(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for block in (b for b in PLAIN if b.startswith(("$ cat ", "$ geomrelu "))):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, content = part.partition("\n")
            if command.startswith("cat"):
                Path(command.split()[1]).write_text(content)
            elif command.startswith("geomrelu regions"):
                assert main(command.split()[1:]) == 0
                assert capsys.readouterr().out == content


def test_the_python_examples():
    shown = [
        [
            "[(2, 2)] 8 claims proved again by the plain judge",
            (
                "equal on the domain, proved: 8 -> 6 neurons, 34 -> 25 parameters, 25 -> 18 multiplications "
                "(1 dead, 1 that nothing reads any more removed, 0 active folded, 0 multiples merged)"
            ),
        ],
        [
            "[(1, 0), (1, 1)] [(2, 0)] [(1, 0), (1, 1)] []",
            "1 0 alive None 1",
            "1 1 alive None 1",
            "2 0 dead True -1/2",
        ],
        [
            "125 27 (0, 24, 144, 244, 125) t**4 - 12*t**3 + 48*t**2 - 64*t",
            "5 9 (Fraction(1, 3), Fraction(1, 3)) 5",
            "7 (13, 19, 7) 4 ()",
        ],
    ]
    for code, lines in zip([block for kind, block in BLOCKS if kind == "python"], shown, strict=True):
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert run.stdout.splitlines() == lines
