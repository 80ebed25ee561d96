"""What people type first, in a real notebook: run by nbclient in a kernel of its own, and shown as Jupyter shows it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
pytest.importorskip("ipykernel", reason="ipykernel is not installed")

pytestmark = [pytest.mark.slow, pytest.mark.torch, pytest.mark.onnx]
ROOT = Path(__file__).resolve().parents[1]

SETTING = """
import torch

torch.manual_seed(0)
torch_model = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.ReLU(), torch.nn.Linear(4, 4), torch.nn.ReLU(),
                                  torch.nn.Linear(4, 1))
with torch.no_grad():
    torch_model[2].bias[3] = -9.0
from geomrelu import Network
Network.from_torch(torch_model).save("model.onnx")
bounds = "".join(f"(assert (>= X_{i} -1.0))\\n(assert (<= X_{i} 1.0))\\n" for i in range(2))
declared = "".join(f"(declare-const {name} Real)\\n" for name in ("X_0", "X_1", "Y_0"))
open("box.vnnlib", "w").write(declared + bounds + "(assert (<= Y_0 0.0))\\n")
"""

# A cell, and what must be among the kinds of its output, or in its text.
CELLS = [
    ("import geomrelu\nreport = geomrelu.decide(torch_model, (-1, 1))", None, ""),
    ("report", "text/html", "Layer 2"),
    ("report.dead, report.active, report.alive, report.undecided", "text/plain", "(2, 3)"),
    ("report.layers[1].killed", "text/plain", "False"),
    ('report.save("out/"); report.check()', "text/plain", "8"),
    ("smaller = geomrelu.prune(torch_model, (-1, 1))", None, ""),
    ("smaller", "text/plain", "8 -> "),
    ('geomrelu.decide("model.onnx", "box.vnnlib", layers=2, neurons=[3], time=60, workers=2)', "text/html", "dead"),
    ("geomrelu.Arrangement([[1, 0], [0, 1]], [0, 0]).plot()", "image/svg+xml", "<svg"),
    ("geomrelu.plot(torch_model, (-1, 1))", "image/svg+xml", "<svg"),
    ("geomrelu.Complex(geomrelu.load('model.onnx'))", "text/plain", "the linear pieces"),
]
# What people also guess, and what is wrong with it: one line each, an InputError.
WRONG = [
    "geomrelu.decide(torch_model, 'nowhere')",
    "geomrelu.decide(torch_model, (1, -1))",
    "geomrelu.decide(torch_model, [(-1, 1)] * 3)",
    "geomrelu.decide(torch_model, (-1, 1), layers=7)",
    "geomrelu.decide(torch_model, (-1, 1), neurons=[99])",
    "geomrelu.decide(torch_model, (-1, 1), time=0)",
    "geomrelu.decide('absent.onnx', (-1, 1))",
    "geomrelu.decide(42, (-1, 1))",
    "geomrelu.decide(torch_model)",
    "geomrelu.prune(torch_model, 'box:')",
    "geomrelu.load('box.vnnlib')",
    "geomrelu.as_network(None)",
    "geomrelu.Arrangement([[1, 0], [0]])",
    "geomrelu.plot(3)",
    "geomrelu.verify('no-such-claim')",
    "geomrelu.probability(geomrelu.Experiment('alive', (2, 2), law='no-such-law'))",
]
CAUGHT = "try:\n    {line}\nexcept geomrelu.InputError as error:\n    print(type(error).__name__, str(error))"


@pytest.fixture(scope="module")
def notebook(tmp_path_factory, torch):
    """The notebook after it was run."""
    folder = tmp_path_factory.mktemp("notebook")
    sources = [SETTING, *(cell for cell, _, _ in CELLS), *(CAUGHT.format(line=line) for line in WRONG)]
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    client = nbclient.NotebookClient(made, timeout=600, kernel_name="python3", resources={"metadata": {"path": folder}})
    client.create_kernel_manager()
    client.km.kernel_spec.argv[0] = sys.executable
    client.execute(env={**os.environ, "PYTHONPATH": path, "IPYTHONDIR": str(folder / "ipython")})
    assert (folder / "out").is_dir()
    return made.cells[1:]


@pytest.mark.parametrize("number", range(len(CELLS)), ids=lambda k: CELLS[k][0][:40])
def test_what_people_type_first(notebook, number):
    _, kind, words = CELLS[number]
    outputs = notebook[number].outputs
    if kind is None:
        assert outputs == []
        return
    (output,) = outputs
    assert output.output_type == "execute_result" and words in output.data[kind]


@pytest.mark.parametrize("number", range(len(WRONG)), ids=lambda k: WRONG[k])
def test_wrong_guesses_are_one_line(notebook, number):
    outputs = notebook[len(CELLS) + number].outputs
    text = "".join(output.text for output in outputs)  # what is flushed alone comes alone
    assert {output.output_type for output in outputs} == {"stream"} and text.startswith("InputError ")
    assert text.rstrip("\n").count("\n") == 0, text
