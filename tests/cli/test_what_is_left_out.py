"""A model whose end cannot be read: every answer is about what was read, and says so."""

from __future__ import annotations

import numpy as np
import pytest

import geomrelu
from geomrelu.cli.main import main

pytestmark = pytest.mark.onnx

LEFT = "operator Softmax (node 3, output 'c') is not supported; with it 1 ReLU layer, which read it"
BOX = "box:-2,-1"


@pytest.fixture
def model(tmp_path):
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        ("MatMul", ["x", "W"], "a"), ("Relu", ["a"], "b"), ("Softmax", ["b"], "c"), ("MatMul", ["c", "W"], "d"),
        ("Relu", ["d"], "y"),
    ]  # fmt: skip
    x, y = ([helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 2])] for name in "xy")
    weights = [numpy_helper.from_array(np.eye(2, dtype=np.float32), "W")]
    made = [helper.make_node(kind, reads, [output]) for kind, reads, output in nodes]
    graph = helper.make_graph(made, "g", x, y, weights)
    path = tmp_path / "m.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return str(path)


def test_a_smaller_file_without_it_equals_only_what_is_read(model, tmp_path, capsys):
    smaller, proof = str(tmp_path / "s.json"), str(tmp_path / "p.json")
    assert main(["prune", model, "--domain", BOX, "-o", smaller, "--certificate", proof]) == 0
    assert capsys.readouterr().out == (
        f"Not read, and not in {smaller}: {LEFT}.\n"
        f"{smaller} equals what is read of {model} on the domain, exactly (proved).\n"
    )
    assert main(["check", proof, "--model", model, "--domain", BOX, "--smaller", smaller]) == 0
    assert f"accepted {proof}: as far as they are read, {smaller} equals {model}" in capsys.readouterr().out
    assert LEFT in repr(geomrelu.prune(model, (-2, -1)))
    whole = str(tmp_path / "s.onnx")  # the model's own operators: nothing is lost
    assert main(["prune", model, "--domain", BOX, "-o", whole]) == 0
    assert f"{whole} equals {model} on the domain" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command",
    [
        ["convert", "-o", "OUT"],
        ["regions", "--domain", BOX],
        ["zeros", "--line=1,1,1,0"],
        ["dimension", "--points=2"],
    ],
)
def test_commands_that_read_a_model_say_it(model, tmp_path, capsys, command):
    name, *options = [str(tmp_path / "c.json") if word == "OUT" else word for word in command]
    assert main([name, model, *options]) == 0
    assert capsys.readouterr().err == f"geomrelu: note: {model}: not read: {LEFT}\n"


@pytest.mark.parametrize("command", [["zeros", "--line=1,1"], ["dimension", "--points=2"]])
def test_commands_that_read_a_model_take_what_its_file_leaves_open(tmp_path, capsys, command):
    name, *options = command
    shapes = {"b.weight": (2, 1), "b.bias": (2,), "a.weight": (1, 2), "a.bias": (1,)}
    np.savez(tmp_path / "m.npz", **{key: np.ones(shape) for key, shape in shapes.items()})
    assert main([name, str(tmp_path / "m.npz"), *options, "--order", "b,a"]) == 0
    assert capsys.readouterr().err == ""


def test_reports_say_it(model, tmp_path, capsys):
    assert main(["decide", model, "--domain", BOX, "--report", str(tmp_path / "page")]) == 0
    report = geomrelu.decide(model, (-2, -1))
    assert capsys.readouterr().out == f"{report}\n"
    further = "to read ReLU layers behind what is left out, start at a tensor, as at 'c' (--start)"
    assert str(report).startswith(f"Not judged: {LEFT}.\nNote: {further}.\nLayer 1: ")
    assert "Not judged: operator Softmax" in (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    report.save_page(tmp_path / "again")
    assert "Not judged: operator Softmax" in (tmp_path / "again" / "index.html").read_text(encoding="utf-8")


def test_reports_say_what_dead_means_in_layers_that_are_no_relu_layers(tmp_path):
    torch = pytest.importorskip("torch")
    report = geomrelu.decide(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.LeakyReLU()), (-1, 1))
    assert str(report).startswith("LeakyReLU (layer 1): dead: never in its upper part")
