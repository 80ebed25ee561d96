"""Queries of VNN-LIB: every answer against the definition, and every proof against the plain judge."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from geomrelu import InputError, Network, checker, decide
from geomrelu.budget import Budget
from geomrelu.cli.main import main
from geomrelu.deadness import solve as solving
from geomrelu.deadness.solve import solve
from geomrelu.io.models import combined
from geomrelu.io.query import alternatives, input_sets
from geomrelu.io.vnnlib import read_query
from geomrelu.network.network import tape_of

LAYERS = [([[1, 1], [1, -1], [-1, 0]], ["-3/2", -1, 0], "relu"), ([[1, 1, 1], [1, 0, -1]], [0, 0], "none")]
FIRST = "(declare-const X_0 Real)(declare-const X_1 Real)(declare-const Y_0 Real)(declare-const Y_1 Real)"
BOX = "(assert (and (>= X_0 -1) (<= X_0 1) (>= X_1 -0.5) (<= X_1 0.5)))"


@pytest.fixture
def model(tmp_path):
    Network.from_layers(LAYERS).save(tmp_path / "m.json")
    return tmp_path / "m.json"


def answer(folder, text, models, seconds=60):
    path = folder / "q.vnnlib"
    path.write_text(text)
    query = read_query(path)
    programs = combined(query, models, tape_of)
    return query, programs, solve(query, programs, Budget(seconds))


def proved(answer):
    """Every certificate of an answer is accepted by the plain judge, for a dead neuron."""
    for proof in answer.proofs:
        if proof is not None:
            claims = [v.claim for v in proof.report.verdicts]
            data = solving.files.as_certificate(
                claims, proof.network.digest, proof.domain.checked.digest(), proof.report.points
            )
            checker.check(json.loads(json.dumps(data)), proof.network.checked, proof.domain.checked)
            assert [c["status"] for c in claims] == ["dead"]
    return sum(proof is not None for proof in answer.proofs)


def true_at(formula, values):
    if hasattr(formula, "parts"):
        return (all if formula.all else any)(true_at(part, values) for part in formula.parts)
    height = formula.form.constant + sum(v * values[variable] for variable, v in formula.form.slope.items())
    return {">=": height >= 0, ">": height > 0, "=": height == 0}[formula.relation]


ANSWERS = [
    ("(> Y_0 0.75)", "sat", 0),
    ("(> Y_0 1)", "unsat", 1),  # the supremum is 1
    ("(>= Y_0 1)", "sat", 0),
    ("(>= Y_0 1.000001)", "unsat", 1),
    ("(= Y_0 1)", "sat", 0),
    ("(and (= Y_0 0.5) (= Y_1 0.0))", "sat", 0),
    ("(and (= Y_0 0.5) (= Y_1 0.25))", "unsat", 1),
    ("(> Y_1 0)", "unsat", 1),
    ("(or (> Y_1 0) (> Y_0 2))", "unsat", 2),
    ("(or (> Y_1 0) (< Y_1 -0.5))", "sat", 0),
    ("(and (>= Y_0 0) (< X_0 -1))", "unsat", 0),  # strict, and only the closure of the set meets it
    ("(<= X_0 -2)", "unsat", 0),  # the set is empty: nothing is left to prove
    ("(>= X_0 0.25)", "sat", 0),
    ("(>= (+ Y_0 X_0) 1.5)", "sat", 0),  # relates outputs to inputs
    ("(> (+ Y_0 X_0) 1.5)", "unsat", 1),
]


@pytest.mark.parametrize(("formula", "verdict", "certificates"), ANSWERS)
def test_answers(formula, verdict, certificates, model, tmp_path):
    query, _, found = answer(tmp_path, f"{FIRST}{BOX}(assert {formula})", {"f": model})
    assert found.verdict == verdict, found.reason
    assert proved(found) == certificates
    if verdict == "sat":
        assert all(true_at(assertion, found.values) for assertion in query.assertions)
        point = [found.values["X", 0], found.values["X", 1]]
        assert [found.values["Y", k] for k in (0, 1)] == Network.from_layers(LAYERS)(point)


@pytest.mark.parametrize("formula", ["(> Y_0 1000)", "(and (> Y_0 3) (> X_0 4) (< X_1 -50))", "(>= (- Y_0 X_0) 1e9)"])
def test_inputs_without_bounds(formula, model, tmp_path):
    """The neuron for all conditions grows along a ray: far enough out there is a point that satisfies them."""
    for bounds in ("", "(assert (>= X_0 -1))"):
        query, _, found = answer(tmp_path, f"{FIRST}{bounds}(assert {formula})", {"f": model})
        assert found.verdict == "sat", found.reason
        assert all(true_at(assertion, found.values) for assertion in query.assertions)


def test_large_networks(model, tmp_path, monkeypatch):
    """Without the linear pieces: the same answers, or none where conditions hold with equality at best."""
    monkeypatch.setattr(solving, "MOST_NEURONS", 0)
    decided = 0
    for formula, verdict, _ in ANSWERS:
        query, _, found = answer(tmp_path, f"{FIRST}{BOX}(assert {formula})", {"f": model})
        assert found.verdict in (verdict, "unknown"), formula
        decided += found.verdict != "unknown"
        if found.verdict == "sat":
            assert all(true_at(assertion, found.values) for assertion in query.assertions)
        proved(found)
    assert decided >= 10


def test_what_is_not_decided_is_unknown(model, tmp_path):
    _, _, found = answer(tmp_path, f"{FIRST}{BOX}(assert (>= (* Y_0 Y_1) 1))", {"f": model})
    assert (found.verdict, found.reason) == ("unknown", "a product of two variables is not decided")
    _, _, found = answer(tmp_path, f"{FIRST}{BOX}(assert (and (> Y_1 0) (>= (* Y_0 Y_1) 1)))", {"f": model})
    assert found.verdict == "unsat"  # whatever the product is
    _, _, found = answer(tmp_path, f"{FIRST}{BOX}(assert (= Y_0 0.3))", {"f": model}, seconds=1e-9)
    assert found.verdict == "unknown" and "time" in found.reason


def random_network(rng, inputs):
    sizes = [inputs, *(rng.randint(1, 3) for _ in range(rng.randint(1, 2))), 2]
    layers = []
    for k, (m, n) in enumerate(pairwise(sizes), 1):
        weights = [[rng.randint(-2, 2) for _ in range(m)] for _ in range(n)]
        bias = [Fraction(rng.randint(-4, 4), 2) for _ in range(n)]
        layers.append((weights, bias, "none" if k == len(sizes) - 1 else "relu"))
    return layers


def random_formula(rng, depth=0):
    if depth < 2 and rng.random() < 0.4:
        parts = " ".join(random_formula(rng, depth + 1) for _ in range(rng.randint(2, 3)))
        return f"({rng.choice(['and', 'or'])} {parts})"
    names = rng.choices(["Y_0", "Y_1", "X_0", "X_1"], [4, 4, 1, 1], k=rng.randint(1, 2))
    term = f"(+ {' '.join(f'(* {rng.randint(-2, 2) or 1} {name})' for name in names)})"
    return f"({rng.choice(['<=', '>=', '<', '>', '<=', '>=', '='])} {term} {rng.randint(-3, 3) / 2})"


def test_random_queries_against_a_grid_and_all_pieces(tmp_path):
    """A grid point that satisfies the query refutes unsat; without a proof, all linear pieces are the oracle."""
    rng, seen = random.Random(0), {"sat": 0, "unsat": 0}
    grid = [Fraction(k, 4) for k in range(-4, 5)]
    for k in range(60):
        layers = random_network(rng, 2)
        net = Network.from_layers(layers)
        net.save(tmp_path / "m.json")
        box = "(assert (and (>= X_0 -1) (<= X_0 1) (>= X_1 -1) (<= X_1 1)))"
        text = f"{FIRST}{box}(assert {random_formula(rng)})"
        query, programs, found = answer(tmp_path, text, {"f": tmp_path / "m.json"})
        assert found.verdict in seen, (k, text, found.reason)
        seen[found.verdict] += 1
        proved(found)
        if found.verdict == "sat":
            assert all(true_at(assertion, found.values) for assertion in query.assertions), (k, text)
            continue
        for point in product(grid, grid):
            outputs = net(point)
            values = {("X", j): v for j, v in enumerate(point)} | {("Y", j): v for j, v in enumerate(outputs)}
            assert not all(true_at(assertion, values) for assertion in query.assertions), (k, text, point)
        for atoms in alternatives(query.assertions, lambda atom: True):
            literals = []
            for atom in atoms:
                row = programs.row(atom.form)
                literals.append(solving.Literal(row, atom.relation == ">"))
                if atom.relation == "=":
                    literals.append(solving.Literal(solving._negated(row), False))
            for piece in solving._pieces(programs, literals, solving.Polyhedron.box([(-1, 1)] * 2), Budget()):
                assert solving._satisfied(piece, literals) is None, (k, text)
    assert min(seen.values()) > 10


# ---- VNN-LIB 2 and ONNX -----------------------------------------------------------------------------------------


def graph(nodes, constants, inputs, output):
    value = helper.make_tensor_value_info
    made = helper.make_graph(
        nodes, "g", [value(name, TensorProto.FLOAT, shape) for name, shape in inputs],
        [value(output[0], TensorProto.FLOAT, output[1])],
        [numpy_helper.from_array(np.asarray(a, np.float32), name) for name, a in constants.items()],
    )  # fmt: skip
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()


@pytest.fixture
def hidden(tmp_path):
    """y = relu(2 x + 1) - x2, with x [1, 2] and x2 [1, 2] as inputs and h = 2 x + 1 inside."""
    node = helper.make_node
    nodes = [node("Mul", ["x", "two"], ["d"]), node("Add", ["d", "one"], ["h"]), node("Relu", ["h"], ["r"])]
    nodes.append(node("Sub", ["r", "x2"], ["y"]))
    path = tmp_path / "h.onnx"
    path.write_bytes(graph(nodes, {"two": [2], "one": [1]}, [("x", [1, 2]), ("x2", [1, 2])], ("y", [1, 2])))
    return path


SECOND = """(vnnlib-version <2.0>)
(declare-network f
 (declare-input A {kind} [1,2])
 (declare-input B {kind} [1,2])
 (declare-hidden H {kind} [1,2] "h")
 (declare-output Y {kind} [1,2])
)
(assert (and (>= A[0,0] -1.0) (<= A[0,0] 1.0) (>= A[0,1] -1.0) (<= A[0,1] 1.0)))
(assert (and (>= B[0,0] 0.0) (<= B[0,0] 1.0) (>= B[0,1] 0.0) (<= B[0,1] 1.0)))
(assert {formula})
"""


@pytest.mark.parametrize(
    ("formula", "verdict"),
    [
        ("(> H[0,1] 2.9)", "sat"),
        ("(> H[0,1] 3.0)", "unsat"),
        ("(< Y[0,0] -0.5)", "sat"),
        ("(< Y[0,0] -1.0)", "unsat"),
        ("(and (<= H[0,0] 0.0) (> Y[0,0] 0.0))", "unsat"),
        ("(!= H[0,0] (+ (* 2.0 A[0,0]) 1.0))", "unsat"),
        ("(== H[0,0] (- A[0,0]))", "sat"),
        ("(>= Y[0,0] (+ (* 2.0 A[0,0]) 1.1))", "sat"),
    ],
)
@pytest.mark.parametrize("kind", ["Real", "float32"])
def test_hidden_tensors_and_several_inputs(formula, verdict, kind, hidden, tmp_path):
    pytest.importorskip("vnnlib", reason="vnnlib is not installed")
    text = SECOND.format(kind=kind, formula=formula)
    query, _, found = answer(tmp_path, text, {"f": hidden})
    assert found.verdict == verdict, found.reason
    proved(found)
    assert bool(query.notes) == (kind != "Real")
    if verdict == "sat":
        assert all(true_at(assertion, found.values) for assertion in query.assertions)


@pytest.mark.parametrize(
    ("first", "second", "fits"),
    [((1, 2), (1, 2), True), ((2,), (1, 2, 1), True), ((1, 3), (1, 1), False), ((3,), (), False)],
)
def test_declared_inputs_are_those_of_the_model(first, second, fits, hidden, tmp_path):
    """As many numbers in all are not enough: x [1, 2] and x2 [1, 2] would be read across each other."""
    pytest.importorskip("vnnlib", reason="vnnlib is not installed")
    inputs = {"A": (first, 1), "B": (second, 2)}
    text = "(vnnlib-version <2.0>)\n(declare-network f\n"
    text += "".join(f"(declare-input {name} float32 {list(s)})\n" for name, (s, _) in inputs.items())
    text += "(declare-output Y float32 [1,2]))\n"
    for name, (shape, value) in inputs.items():
        for place in np.ndindex(*shape):
            at = f"[{','.join(map(str, place))}]" if place else ""
            text += f"(assert (== {name}{at} {value}.0))\n"
    (tmp_path / "q.vnnlib").write_text(text)
    if not fits:
        with pytest.raises(InputError, match=r"q.vnnlib: axes .*, where the model reads x \[1, 2\], x2 \[1, 2\]"):
            decide(hidden, tmp_path / "q.vnnlib")
        return
    assert decide(hidden, tmp_path / "q.vnnlib").domain.contains([1, 1, 2, 2])


@pytest.mark.parametrize(("formula", "verdict"), [("(>= Y[1] 4)", "unsat"), ("(== Y[1] 3)", "sat")])
def test_integers_that_depend_on_no_input(formula, verdict, tmp_path):
    pytest.importorskip("vnnlib", reason="vnnlib is not installed")
    made = onnx.ModelProto.FromString(graph([helper.make_node("Shape", ["x"], ["y"])], {}, [("x", [2, 3])], ("y", [2])))
    made.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
    (tmp_path / "s.onnx").write_bytes(made.SerializeToString())
    text = "(vnnlib-version <2.0>)\n(declare-network f (declare-input X float32 [2,3]) (declare-output Y int64 [2]))\n"
    bounds = " ".join(f"(>= X[{i},{j}] 0.0) (<= X[{i},{j}] 1.0)" for i in range(2) for j in range(3))
    query, _, found = answer(
        tmp_path, f"{text}(assert (and {bounds}))\n(assert {formula})\n", {"f": tmp_path / "s.onnx"}
    )
    assert found.verdict == verdict, found.reason
    if verdict == "sat":
        assert found.values["Y", 0] == 2 and all(true_at(assertion, found.values) for assertion in query.assertions)


def test_several_networks(hidden, tmp_path):
    """Two copies of a network, on different inputs; the second is said to equal the first."""
    pytest.importorskip("vnnlib", reason="vnnlib is not installed")
    node = helper.make_node
    path = tmp_path / "r.onnx"
    path.write_bytes(graph([node("Relu", ["x"], ["y"])], {}, [("x", [1])], ("y", [1])))
    text = """(vnnlib-version <2.0>)
(declare-network f (declare-input X float32 [1]) (declare-output Y float32 [1]))
(declare-network g (equal-to f) (declare-input X2 float32 [1]) (declare-output Y2 float32 [1]))
(assert (and (>= X[0] -1.0) (<= X[0] 2.0) (>= X2[0] -1.0) (<= X2[0] 2.0)))
(assert (>= X[0] (+ X2[0] 0.5)))
(assert (>= Y2[0] (+ Y[0] {d})))
"""
    for d, verdict in (("0.0", "sat"), ("0.001", "unsat")):
        _, _, found = answer(tmp_path, text.replace("{d}", d), {"f": path})
        assert found.verdict == verdict
        proved(found)
    with pytest.raises(InputError, match="no model is given for network 'f'"):
        answer(tmp_path, text.replace("{d}", "0.0"), {})
    with pytest.raises(InputError, match="declares no network 'h'"):
        answer(tmp_path, text.replace("{d}", "0.0"), {"f": path, "h": path})


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"h"', '"nowhere"', "'nowhere': there is no such tensor"),
        ("declare-hidden H float32 [1,2]", "declare-hidden H float32 [1,3]", "declared with 3 elements, but has 2"),
        ("declare-input A float32 [1,2]", "declare-input A float32 [1,3]", "elements"),
        ("declare-input A float32", "declare-input A int32", "not real numbers or floats|Type mismatch"),
        ("(> H[0,1] 0.5)", "(> H[0,7] 0.5)", "line 10: Index out of bounds"),
        ("(> H[0,1] 0.5)", "(> Z[0,1] 0.5)", "line 10: "),
        ("(> H[0,1] 0.5)", "(> H[0,1]", "a parenthesis is not closed"),
        ("(vnnlib-version <2.0>)", "(vnnlib-version <2.0)", "Parse error"),
    ],
)
def test_queries_that_are_refused(old, new, words, hidden, tmp_path):
    pytest.importorskip("vnnlib", reason="vnnlib is not installed")
    text = SECOND.format(kind="float32", formula="(> H[0,1] 0.5)")
    assert old in text
    with pytest.raises(InputError, match=words) as caught:
        answer(tmp_path, text.replace(old, new), {"f": hidden})
    assert "\n" not in str(caught.value)


def test_the_command(model, tmp_path, capsys, monkeypatch):
    path = tmp_path / "q.vnnlib"
    path.write_text(f"{FIRST}{BOX}(assert (or (> Y_1 0) (>= Y_0 1.5)))")
    certificates = tmp_path / "out"
    assert main(["solve", str(path), "--network", f"f={model}", "--certificates", str(certificates)]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "unsat"
    folders = sorted(certificates.iterdir())
    assert [folder.name for folder in folders] == ["alternative-1", "alternative-2"]
    for folder in folders:
        (proof,) = folder.glob("layer-*.json")
        arguments = [
            "check",
            str(proof),
            "--model",
            str(folder / "model.json"),
            "--domain",
            str(folder / "domain.json"),
        ]
        assert main([*arguments, "--independent"]) == 0
    capsys.readouterr()
    held = {file: file.read_bytes() for file in certificates.rglob("*.json")}
    monkeypatch.setattr(solving, "solve", lambda *_: pytest.fail("it has begun"))
    path.write_text(f"{FIRST}{BOX}(assert (> Y_1 2))")
    assert main(["solve", str(path), "--network", f"f={model}", "--certificates", str(certificates)]) == 2
    assert (
        capsys.readouterr().err == f"geomrelu: error: {certificates} holds proofs already: choose another directory\n"
    )
    assert held == {file: file.read_bytes() for file in certificates.rglob("*.json")}
    monkeypatch.undo()
    path.write_text(f"{FIRST}{BOX}(assert (>= Y_0 1))")
    assert main(["solve", str(path), "--network", f"f={model}", "--timeout", "20"]) == 0
    assert {"sat", "X[0] = -1", "Y[0] = 1", "Y[1] = -1"} <= set(capsys.readouterr().out.splitlines())
    assert main(["solve", str(path), "--network", f"f={model}", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "sat" and found["values"]["Y"][0] == "1"
    path.write_text(f"{FIRST}{BOX}(assert (>= (* Y_0 Y_0) 1))")
    assert main(["solve", str(path), "--network", f"f={model}"]) == 3
    assert main(["solve", str(path), "--network", "m.json"]) == 2
    assert main(["solve", str(path), "--network", f"f={model}", "--time", "0"]) == 2


def test_versions_agree(model, tmp_path):
    """The same query in both versions of the language has the same sets and answers."""
    pytest.importorskip("vnnlib", reason="vnnlib is not installed")
    second = """(vnnlib-version <2.0>)
(declare-network f (declare-input X real [2]) (declare-output Y real [2]))
(assert (and (>= X[0] -1.0) (<= X[0] 1.0) (>= X[1] -0.5) (<= X[1] 0.5)))
(assert (or (and (<= X[0] 0.1) (> Y[0] 0.75)) (< (+ X[0] X[1]) 0.0)))
"""
    first = f"{FIRST}{BOX}(assert (or (and (<= X_0 0.1) (> Y_0 0.75)) (< (+ X_0 X_1) 0)))"
    sets = []
    for text in (first, second):
        query, _, found = answer(tmp_path, text, {"f": model})
        assert found.verdict == "sat"
        sets.append(input_sets(query))
    assert sets[0] == sets[1] and len(sets[0]) == 2
