"""One check for each way in: a model is made, written by the program it belongs to, read, and compared with it.

A check says what came out: "equal" if outputs and pre-activations are those of the program, "different", "refused"
with the reason, or "not made" where the program itself cannot write or run the model.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from geomrelu import InputError
from geomrelu.io.onnx import traced
from geomrelu.io.onnx.model import graph_of
from geomrelu.network.network import Network

__all__ = ["KINDS", "NEEDS", "Different", "Outcome", "close", "compared", "missing"]

Outcome = tuple[str, str]  # what came out, and why
SINGLE, DOUBLE = 2e-5, 1e-9  # what rounding in either precision may come to, of the largest number
_ARGUMENT = frozenset({"Relu", "LeakyRelu", "PRelu", "Abs"})  # whose argument is what the layer judges


class Different(AssertionError):
    """Read as something else than it is."""


def close(found: Any, right: Any, name: str, error: float = SINGLE) -> None:
    """Compare numbers with those of another program. Raises :class:`Different`."""
    found, right = np.array([float(v) for v in found]), np.ravel(np.asarray(right)).astype(float)
    if found.shape != right.shape:
        raise Different(f"{name}: {found.size} numbers, not {right.size}")
    scale = max(1.0, float(np.abs(right).max(initial=0)))
    if not np.abs(found - right).max(initial=0) <= error * scale:  # also if it is no number
        raise Different(f"{name}: it differs by {np.abs(found - right).max():.3g} at numbers up to {scale:.3g}")


def compared(model: Any, folder: Path, x: Any) -> Any:
    """Trace an ONNX model; its outputs and what its ReLU nodes read must be what onnxruntime computes at an input."""
    import onnx_graphs

    tape, trace = traced(graph_of(model, folder))
    net = Network.from_tape(tape)
    relus = [
        (level, node.proto.input[0])
        for level, node in enumerate(trace.made_by)
        if node.proto.op_type in _ARGUMENT
        and not node.proto.domain
        and "function" not in node.where
        and "branch" not in node.where
    ]
    point = [
        float(v)
        for v in np.concatenate([np.ravel(x[p.name] if isinstance(x, dict) else x) for p in net.reading.inputs])
    ]
    cuts = [name for name in trace.outputs if name not in {o.name for o in model.graph.output}]
    right = onnx_graphs.evaluate(model, x, [n for _, n in relus] + cuts)
    layers = net.pre_activations(point)
    for level, name in relus:
        close(layers[level], right[name], name)
    close(net(point), np.concatenate([np.ravel(right[name]) for name in trace.outputs]), "output")
    return trace


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Exporters talk."""
    level = logging.root.manager.disable
    logging.disable(logging.ERROR)
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logging.disable(level)


def _refused(problem: InputError, folder: Path) -> Outcome:
    return "refused", str(problem).replace(str(folder), "")[:200]


# ---- PyTorch ----------------------------------------------------------------------------------------------------


def torch_export(seed: int, folder: Path, dynamo: bool) -> Outcome:
    """A module through ``torch.onnx.export``, and onnxruntime; the outputs are also compared with PyTorch's."""
    import onnx
    import onnx_graphs
    import torch

    from exports.modules import module

    made, x, ends = module(seed)
    path = folder / "model.onnx"
    options: dict[str, Any] = {"input_names": ["x"], "dynamo": dynamo}
    if seed % 2:
        options |= {"dynamic_shapes": ({0: torch.export.Dim("n")},)} if dynamo else {"dynamic_axes": {"x": {0: "n"}}}
    with torch.no_grad():
        right = made(x.clone())
    try:
        with _quiet():
            torch.onnx.export(made, (x.clone(),), str(path), **(options | ({"verbose": False} if dynamo else {})))
    except Exception as problem:
        if not dynamo or seed % 2 == 0:
            return "not made", f"torch.onnx.export: {type(problem).__name__}"
        del options["dynamic_shapes"]  # a module that fixes its batch
        try:
            with _quiet():
                torch.onnx.export(made, (x.clone(),), str(path), **options, verbose=False)
        except Exception as other:
            return "not made", f"torch.onnx.export: {type(other).__name__}"
    model = onnx.load(path)  # with the data beside it
    if not onnx_graphs.runs(model, x.numpy()):
        return "not made", "onnxruntime does not run it"
    try:
        trace = compared(model, folder, x.numpy())
        net = Network.from_file(path)
    except InputError as problem:
        return _refused(problem, folder)
    if len(trace.left) != ends:
        return "refused", "; ".join(trace.left) or "a Softmax was read"
    parts = right if isinstance(right, tuple) else (right,)
    if ends:
        with torch.no_grad():
            parts = (made[:-1](x.clone()),)
    whole = np.concatenate([part.numpy().ravel() for part in parts])
    first = onnx_graphs.evaluate(model, x.numpy())
    if not ends:
        written = np.concatenate([np.ravel(v) for v in first.values()])
        try:
            close(written, whole, "")
        except Different:
            return "not made", "the export computes something else than PyTorch"
    close(net(x.double().ravel().tolist()), whole, "PyTorch's output")
    return "equal", ""


def torch_module(seed: int, folder: Path) -> Outcome:
    """A tree of ``nn.Sequential`` read as it is, and PyTorch in double precision."""
    import torch

    from exports.modules import module

    made, x, ends = module(seed, plain=True)
    made, x = made.double(), x.double()
    try:
        net = Network.from_torch(made, tuple(x.shape[1:]))
    except InputError as problem:
        return _refused(problem, folder)
    if len(net.reading.left) != ends:
        return "refused", "; ".join(net.reading.left)
    places = dict(made.named_modules(remove_duplicate=False))
    called: dict[int, list[Any]] = {}
    kinds = (torch.nn.ReLU, torch.nn.LeakyReLU, torch.nn.PReLU)
    hooks = [
        m.register_forward_pre_hook(lambda m, given: called.setdefault(id(m), []).append(given[0].clone()))
        for m in made.modules()
        if type(m) in kinds
    ]
    with torch.no_grad():
        right = (made[:-1] if ends else made)(x.clone())
    for hook in hooks:
        hook.remove()
    layers = net.pre_activations(x.ravel().tolist())
    for level, layer in enumerate(net.reading.layers):
        m = places.get(layer.name)
        if m is None:
            raise Different(f"layer {level + 1} is said to stand at {layer.name!r}, where nothing is")
        if type(m) in kinds and called[id(m)]:
            close(layers[level], called[id(m)].pop(0), layer.name, DOUBLE)
    close(net(x.ravel().tolist()), right, "output", DOUBLE)
    return "equal", ""


# ---- scikit-learn -----------------------------------------------------------------------------------------------


def _hidden(model: Any, point: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """What scikit-learn computes: the outputs of all layers; the last one before softmax and the like."""
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    given = point[None, :]
    for _, step in model.steps[:-1] if hasattr(model, "steps") else ():
        given = given if isinstance(step, str) else step.transform(given)
    outputs = [given]
    for k, (weights, bias) in enumerate(zip(last.coefs_, last.intercepts_, strict=True), 1):
        outputs.append(outputs[-1] @ weights + bias)
        if k < len(last.coefs_):
            outputs[-1] = np.maximum(outputs[-1], 0)
    if hasattr(last, "predict") and last.out_activation_ == "identity":
        close(outputs[-1].ravel(), model.predict(point[None, :]), "scikit-learn's own output", DOUBLE)
    return outputs[1:-1], outputs[-1]


def sklearn_object(seed: int, folder: Path) -> Outcome:
    """A fitted perceptron, and its parameters multiplied out in NumPy."""
    from exports.others import estimator

    model, point = estimator(seed)
    try:
        net = Network.from_sklearn(model)
    except InputError as problem:
        return _refused(problem, folder)
    hidden, last = _hidden(model, point)
    for level, (found, right) in enumerate(zip(net.pre_activations(point.tolist()), hidden, strict=True), 1):
        close([max(v, 0) for v in found], right, f"layer {level}", DOUBLE)
    close(net(point.tolist()), last, "output", DOUBLE)
    return "equal", ""


def sklearn_pipeline(seed: int, folder: Path) -> Outcome:
    """A perceptron behind steps of all kinds, and what scikit-learn predicts."""
    from exports.pipelines import pipeline

    try:
        model, points, names = pipeline(seed)
    except ValueError as problem:  # nothing is left to fit
        return "not made", f"scikit-learn: {str(problem)[:60]}"
    try:
        net = Network.from_sklearn(model)
    except InputError as problem:
        return _refused(problem, folder)
    last = model.steps[-1][1]
    while not hasattr(last, "coefs_"):
        last = last.best_estimator_ if hasattr(last, "best_estimator_") else last.regressor_
    for point in points:
        given: Any = point[None, :]
        if names:
            import pandas

            given = pandas.DataFrame(given, columns=names)
        with _quiet():
            value = np.asarray(model[:-1].transform(given))
            right = model.predict_proba(given)[:, 1] if hasattr(last, "classes_") else model.predict(given)
        own = [z for z, read in zip(net.pre_activations(point.tolist()), net.reading.layers, strict=True) if read.own]
        layers = list(zip(last.coefs_, last.intercepts_, strict=True))[:-1]
        for level, (found, (weights, bias)) in enumerate(zip(own, layers, strict=True), 1):
            close(found, value @ weights + bias, f"layer {level}", DOUBLE)
            value = np.maximum(value @ weights + bias, 0)
        output = np.array([float(v) for v in net(point.tolist())])
        close(1 / (1 + np.exp(-output)) if hasattr(last, "classes_") else output, right, "output", DOUBLE)
    return "equal", ""


def skl2onnx_export(seed: int, folder: Path) -> Outcome:
    """A fitted perceptron through skl2onnx, and onnxruntime; the layers are also compared with scikit-learn's."""
    import onnx_graphs
    from skl2onnx import to_onnx

    from exports.others import estimator

    model, point = estimator(seed)
    x = point.astype(np.float32)[None, :]
    try:
        with _quiet():
            written = to_onnx(model, x, options={"zipmap": False} if seed % 2 and hasattr(model, "classes_") else None)
    except Exception as problem:
        return "not made", f"skl2onnx: {type(problem).__name__}"
    if not onnx_graphs.runs(written, x):
        return "not made", "onnxruntime does not run it"
    path = folder / "model.onnx"
    path.write_bytes(written.SerializeToString())
    try:
        compared(written, folder, x)
        net = Network.from_file(path)
    except InputError as problem:
        return _refused(problem, folder)
    hidden, _ = _hidden(model, x[0].astype(float))
    layers = net.pre_activations([float(v) for v in x.ravel()])
    if len(layers) != len(hidden):
        return "refused", f"{len(layers)} of {len(hidden)} layers were read: {net.reading.left}"
    for level, (found, right) in enumerate(zip(layers, hidden, strict=True), 1):
        close([max(v, 0) for v in found], right, f"layer {level} of scikit-learn")
    return "equal", ""


# ---- Keras ------------------------------------------------------------------------------------------------------


def keras_file(seed: int, folder: Path, ending: str) -> Outcome:
    """A model saved by Keras: what it gives out and what its ReLU layers do."""
    import keras

    from exports.others import keras_model

    model, ends = keras_model(seed)
    path = folder / f"model{ending}"
    try:
        with _quiet():
            model.save(path)
    except Exception as problem:
        return "not made", f"Keras: {type(problem).__name__}"
    try:
        net = Network.from_file(path)
    except InputError as problem:
        return _refused(problem, folder)
    if net.reading.left and not (ends and "softmax" in net.reading.left[0]):
        return "refused", "; ".join(net.reading.left)
    x = np.random.default_rng(seed).normal(size=(1, *model.input_shape[1:])).astype(np.float32)
    point = [float(v) for v in x.ravel()]
    layers = net.pre_activations(point)
    own = [(level, r.name) for level, r in enumerate(net.reading.layers) if r.kind == "ReLU" and r.own]
    names = [name for _, name in own]
    has_layer = {layer.name for layer in model.layers}
    clipped = {r.name for r in net.reading.layers if r.kind == "upper bound"}
    own = [
        (level, name)
        for level, name in own
        if name in has_layer and names.count(name) == 1 and name not in clipped  # no function; not nested, or twice
    ]
    seen = keras.Model(model.inputs, [model.get_layer(name).output for _, name in own]) if own else None
    if seen is not None:
        with _quiet():
            found = seen(x, training=False)
        for (level, name), right in zip(own, found if isinstance(found, (list, tuple)) else [found], strict=True):
            close([max(v, 0) for v in layers[level]], keras.ops.convert_to_numpy(right), f"layer {name}")
    right = keras.ops.convert_to_numpy(model(x, training=False)).astype(float)
    output = np.array([float(v) for v in net(point)])
    if ends:
        output = np.exp(output - output.max()) / np.exp(output - output.max()).sum()
    close(output, right, "output")
    return "equal", ""


KINDS: dict[str, Callable[[int, Path], Outcome]] = {
    "torch legacy": lambda seed, folder: torch_export(seed, folder, dynamo=False),
    "torch dynamo": lambda seed, folder: torch_export(seed, folder, dynamo=True),
    "torch module": torch_module,
    "skl2onnx": skl2onnx_export,
    "scikit-learn": sklearn_object,
    "pipelines": sklearn_pipeline,
    "keras": lambda seed, folder: keras_file(seed, folder, ".keras"),
    "keras h5": lambda seed, folder: keras_file(seed, folder, ".h5"),
}
NEEDS = {
    "torch legacy": "torch onnx onnxruntime",
    "torch dynamo": "torch onnx onnxruntime onnxscript",
    "torch module": "torch",
    "skl2onnx": "sklearn skl2onnx onnxruntime",
    "scikit-learn": "sklearn",
    "pipelines": "sklearn",
    "keras": "keras h5py torch",
    "keras h5": "keras h5py torch",
}


def missing(kind: str) -> list[str]:
    """The packages that a kind needs and that are not installed."""
    if kind.startswith("keras"):
        os.environ.setdefault("KERAS_BACKEND", "torch")
    return [name for name in NEEDS[kind].split() if importlib.util.find_spec(name) is None]
