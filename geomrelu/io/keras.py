"""Models in ``.keras`` and ``.h5``: configuration in JSON and weights in HDF5, read without TensorFlow or Keras.

Sequential and Functional models of piecewise linear layers. A weight is found by the name of its layer as the file
attaches it, not by the name of its group: Keras numbers the groups of each class anew. The first versions of Keras 3
attach no names, and the numbers say which layer it is. The first layer that is not supported, or that is called with
more than values, ends the network; the reading says what is left out.
"""

from __future__ import annotations

import importlib
import io
import math
import re
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from geomrelu.errors import InputError, TooLarge
from geomrelu.exact.affine import affordable
from geomrelu.io import keras_layers, keras_ops, narrow
from geomrelu.io.files import FilePath, kind_of, named, one_line, read_bytes
from geomrelu.io.json import parsed
from geomrelu.io.onnx.rules import Unsupported
from geomrelu.io.reading import Port, Reading
from geomrelu.io.tape import Tape
from geomrelu.io.tensors import Recorder, Tensor, concatenated, sized

__all__ = ["from_model", "read"]

Weights = dict[str, list[np.ndarray]]
_MODELS = ("Sequential", "Functional", "Model")
_UNNAMED = "group of layer "  # before the keys of weights to which the file attaches no name
_DEEPEST = 20


def read(path: FilePath) -> Tape:
    """The model in a ``.keras`` file, or in an ``.h5`` file as ``model.save`` wrote it.

    Raises:
        InputError: ``path: what is wrong, and in which layer``; weights without a configuration (``.weights.h5``);
            classes that are not Keras's own; the package h5py is not installed.

    Exact: yes, except that a normalisation may hold an irrational root, see
    :func:`geomrelu.io.tape.batch_normalisation`.
    """
    try:
        h5py: Any = importlib.import_module("h5py")
    except ImportError:
        raise InputError(f"{path}: reading it needs the package h5py: pip install 'geomrelu[keras]'") from None
    data = read_bytes(path)
    with named(path):
        try:
            config, weights = (_archive if kind_of(path) == ".keras" else _legacy)(data, h5py)
        except InputError:
            raise
        except Exception as problem:  # of the archive or of HDF5, which raise errors of many kinds
            raise InputError(f"not a readable Keras file: {one_line(problem)}") from None
        run = _Run(weights, flat=kind_of(path) != ".keras")
        try:
            return run.model(config)
        except (KeyError, TypeError, AttributeError, IndexError, ValueError, RecursionError, OverflowError) as problem:
            if isinstance(problem, InputError):
                raise
            raise InputError(
                f"the configuration is not one of Keras: {type(problem).__name__} {problem}"[:200]
            ) from None


def from_model(model: Any) -> Tape:
    """A model of Keras in memory, as the file says that it writes.

    Raises:
        InputError: a layer, which is no model; one that cannot be saved, or read when it is, see :func:`read`.

    Exact: as :func:`read`.
    """
    if not hasattr(model, "save"):
        raise InputError(f"{type(model).__name__[:60]} is no model of Keras: make it one by keras.Sequential")
    with tempfile.TemporaryDirectory(prefix="geomrelu-") as folder:
        path = str(Path(folder) / "model.keras")
        try:
            model.save(path)
        except Exception as problem:  # of the classes in the model, which save what they like
            raise InputError(f"the model of Keras cannot be saved: {one_line(problem)}") from None
        try:
            return read(path)
        except InputError as problem:
            raise InputError(str(problem).removeprefix(f"{path}: ")) from None


# ---- the two kinds of files -------------------------------------------------------------------------------------


def _archive(data: bytes, h5py: Any) -> tuple[Any, Weights]:
    """The configuration and the weights by layer (nested ones as ``outer/inner``) of a ``.keras`` file."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
        for name in ("config.json", "model.weights.h5"):
            if name not in sizes:
                raise InputError(f"there is no {name} in it")
            affordable(sizes[name] // 8, name)
        config = parsed(archive.read("config.json").decode("utf-8"))
        stored = archive.read("model.weights.h5")
    with h5py.File(io.BytesIO(stored), "r") as file:
        weights: Weights = {}
        _collect(file, "", weights, h5py, 0)
    return config, weights


def _collect(group: Any, prefix: str, weights: Weights, h5py: Any, depth: int) -> None:
    """The variables below ``layers``, each list under the name of its layer, or of its group as :data:`_UNNAMED`."""
    if depth > _DEEPEST:
        raise InputError("models are nested too deeply")
    layers = _inside(group, "layers", h5py)
    found = {key: _inside(layers, key, h5py) for key in layers or ()}
    wrapped = _inside(group, "layer", h5py)
    for key, layer in found.items() if wrapped is None else [*found.items(), ("layer", wrapped)]:
        variables = _inside(layer, "vars", h5py)
        name = None if variables is None else variables.attrs.get("name")
        name = prefix + (name.decode() if isinstance(name, bytes) else str(_UNNAMED + key if name is None else name))
        if name in weights:
            raise InputError(f"two layers are called {name[:60]!r}")
        count = 0 if variables is None else len(variables)
        weights[name] = [_numbers(_inside(variables, str(k), h5py), h5py) for k in range(count)]
        _collect(layer, f"{name}/", weights, h5py, depth + 1)


def _legacy(data: bytes, h5py: Any) -> tuple[Any, Weights]:
    """The same of an ``.h5`` file; its weights stand in the order in which ``weight_names`` names them.

    Those of a nested model stand together, whatever is nested in it; their names say the layer.
    """
    with h5py.File(io.BytesIO(data), "r") as file:
        text = file.attrs.get("model_config")
        if text is None:
            raise InputError("it holds no configuration, only weights: save the whole model")
        config = parsed(text.decode("utf-8") if isinstance(text, bytes) else str(text))
        weights: Weights = {}
        layers = _inside(file, "model_weights", h5py)
        for group in (file, layers):
            if group is not None and group.attrs.get("backend") in ("theano", b"theano"):
                raise InputError(
                    "it was saved with the backend Theano, which turns kernels round: save it with another"
                )
        for key in layers or ():
            layer = _inside(layers, key, h5py)
            names = [n.decode() if isinstance(n, bytes) else str(n) for n in layer.attrs.get("weight_names", ())]
            weights[key] = []
            for name in names:
                place = layer
                for part in name.split("/"):
                    place = _inside(place, part, h5py)
                weights[key].append(_numbers(place, h5py))
                inner = name.split("/")[-2:-1]
                if inner and inner[0] != key:
                    weights.setdefault(f"{key}/{inner[0]}", []).append(weights[key][-1])
    return config, weights


def _inside(group: Any, name: str, h5py: Any) -> Any:
    """What the group holds under a name, if that is in the file itself: a link to another file is not followed."""
    if not isinstance(group, h5py.Group):
        raise InputError("the weights are not arranged as Keras does it")
    link = group.get(name, getlink=True)
    if link is None:
        return None
    if not isinstance(link, h5py.HardLink):
        raise InputError(f"{name[:60]!r} is a link, which is not followed")
    return group[name]


def _numbers(dataset: Any, h5py: Any) -> np.ndarray:
    if not isinstance(dataset, h5py.Dataset) or dataset.external or dataset.is_virtual:
        raise InputError("a weight is missing or lies in another file")
    affordable(math.prod(dataset.shape), "a weight")
    if dataset.dtype.kind == "V" and dataset.dtype.itemsize == 2:
        if dataset.attrs.get("dtype") != "bfloat16":
            raise InputError("a weight has numbers of 16 bits of which the file does not say the kind: save as .keras")
        bits = np.asarray(dataset[()]).view("<u2").reshape(dataset.shape)
        return narrow.widened(bits, "bfloat16")
    if dataset.dtype.kind not in "fiu" or dataset.dtype.itemsize > 8:  # whole numbers count what was seen
        raise InputError(f"a weight holds {dataset.dtype}, which is not read")
    array: np.ndarray = np.asarray(dataset[()])
    return array


# ---- the program ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Run:
    """Evaluates a configuration over tensors; ``flat``: the weights of nested models stand as :func:`_legacy` says."""

    weights: Weights
    flat: bool = False
    tape: Tape = None  # type: ignore[assignment]  # made when the input is met
    shape: tuple[int, ...] = ()
    seen: list[list[str]] = field(default_factory=lambda: [[]])
    left: list[str] = field(default_factory=list)
    frontier: list[Tensor] = field(default_factory=list)  # what the layers left out read
    groups: dict[str, str] = field(default_factory=dict)  # the key of a layer's weights where the file names none
    notes: dict[str, None] = field(default_factory=dict)  # each once

    def model(self, config: Any) -> Tape:
        outputs = self.graph(config, "", None, 0)
        whole = [value for value in outputs if value is not None]
        if self.left and not self.tape.layers:
            raise InputError(self.left[0])
        values = [*whole, *self.frontier] if len(whole) < len(outputs) else whole
        flat = [v.at(v.places.ravel()) for v in values]
        joined = concatenated(flat, 0) if len(flat) > 1 else flat[0]
        assert isinstance(joined, Tensor)
        self.tape.finish(joined.map, self.seen[-1])
        between = [kind for kinds in self.seen[1:-1] for kind in kinds]
        self.tape.reading = Reading(
            "Keras",
            inputs=(Port("input", self.shape),),
            outputs=tuple(
                Port(f"output {k}" if len(values) > 1 else "output", v.shape[1:]) for k, v in enumerate(values)
            ),
            layers=tuple(self.tape.read),
            before=tuple(dict.fromkeys(self.seen[0])),
            between=tuple(dict.fromkeys(between)),
            after=tuple(dict.fromkeys(self.seen[-1])) if self.tape.layers else (),
            left=tuple(self.left),
            notes=tuple(self.notes),
        )
        return self.tape

    def graph(self, config: Any, prefix: str, given: list[Tensor] | None, depth: int) -> list[Tensor | None]:
        """The outputs of a model; ``given`` are the values that a nested one reads."""
        kind = _own(config)
        if kind not in _MODELS or depth > _DEEPEST:
            raise InputError(f"the model is a {kind[:60]}, not Sequential or Functional")
        inner = config["config"]
        layers = inner if isinstance(inner, list) else inner["layers"]
        self.count(layers, prefix)
        if kind == "Sequential":
            return [self.chain(layers, prefix, given, depth, inner)]
        values: dict[tuple[str, int], Tensor | None] = {}
        waiting: list[tuple[Any, str, int, _Call]] = []  # layer, name, which of its calls, what it is called with
        read = [name for name, _, _ in _list_of(inner["input_layers"])] if given is not None else []
        if given is not None and len(read) != len(given):
            raise InputError(f"the model has {len(read)} inputs, but is called with {len(given)} values")
        first = {_name(layer): _first_call(layer) for layer in layers}
        for layer in layers:
            name = _name(layer)
            if _own(layer) == "InputLayer":
                values[name, 0] = self.entry(layer, None if given is None else given[read.index(name)])
            for k, node in enumerate(layer.get("inbound_nodes", [])):
                waiting.append((layer, name, k, _call(node, first)))
        while waiting:
            rest = []
            for layer, name, k, call in waiting:
                if all(source in values for source in call.sources):
                    values[name, k] = self.layer(layer, prefix, [values[s] for s in call.sources], depth, call)
                else:
                    rest.append((layer, name, k, call))
            if len(rest) == len(waiting):
                raise InputError(f"layer {rest[0][1][:60]!r} reads what no layer makes")
            waiting = rest
        found = []
        for name, node, tensor in _list_of(inner["output_layers"]):
            made = (name, node - first.get(name, 0))
            if tensor != 0 or made not in values:
                raise InputError(f"the output {str(name)[:60]!r} is made by no layer")
            found.append(values[made])
        return found

    def count(self, layers: list[Any], prefix: str) -> None:
        """In which group Keras keeps the weights of each layer of a model: the groups of each class are numbered."""
        within = f"{self.groups[prefix]}/" if prefix else ""
        counts: dict[str, int] = {}
        for layer in layers:
            group = _snake(str(layer["class_name"]))
            number = counts[group] = counts.get(group, -1) + 1
            name = f"{prefix}{layer['config'].get('name', '')}"
            place = f"{within}{_UNNAMED}{group}{f'_{number}' if number else ''}"
            self.groups[name] = self.groups[f"{name}/"] = place
            if layer["class_name"] == "TimeDistributed":
                self.groups[f"{name}/{layer['config']['layer']['config'].get('name', '')}"] = f"{place}/{_UNNAMED}layer"

    def chain(
        self, layers: list[Any], prefix: str, given: list[Tensor] | None, depth: int, inner: Any
    ) -> Tensor | None:
        if given is not None and len(given) != 1:
            raise InputError(f"a Sequential is called with {len(given)} values")
        first = None if given is None else given[0]
        value = first
        for position, layer in enumerate(layers):
            if _own(layer) == "InputLayer":
                value = self.entry(layer, first)
                continue
            if value is None and position == 0:
                shape = layer["config"].get("batch_input_shape") or _built(inner)
                value = self.entry({"config": {"batch_shape": shape}}, None)
            value = self.layer(layer, prefix, [value], depth)
            if value is None:
                return None
        return value

    def entry(self, layer: Any, given: Tensor | None) -> Tensor:
        """The input, or the value that a nested model reads instead."""
        shape = layer["config"].get("batch_shape") or layer["config"].get("batch_input_shape")
        if given is not None:
            fits = not shape or len(shape) == len(given.shape)
            if not fits or not all(size in (None, own) for size, own in zip(shape[1:], given.shape[1:], strict=True)):
                raise InputError(f"it is called with shape {list(given.shape)}, but reads {str(shape)[:60]}")
            return given
        if self.tape is not None:
            raise InputError("models with several inputs are not supported")
        if not shape or not all(type(size) is int and size > 0 for size in shape[1:]) or len(shape) < 2:
            raise InputError(f"the shape of the input is not fixed: {str(shape)[:60]}")
        self.shape = tuple(shape[1:])
        sized(math.prod(self.shape), "the input")
        self.tape = Tape(math.prod(self.shape))
        return Tensor((1, *self.shape), self.tape.input)

    def layer(
        self, layer: Any, prefix: str, values: list[Tensor | None], depth: int, call: _Call | None = None
    ) -> Tensor | None:
        """What a layer makes of some values; None if it is left out, as it is where it is called with more."""
        if any(value is None for value in values):
            return None
        tensors = [value for value in values if value is not None]
        config = layer["config"]
        kind, name = _own(layer), str(config.get("name", ""))
        with named(f"layer {name[:60]!r} ({kind[:60]})"):
            is_function = kind.startswith("ops.")
            if call is not None and (more := call.more(not is_function)):
                known = kind in (*_MODELS, *keras_layers.LAYERS) or kind[len("ops.") :] in keras_ops.OPERATIONS
                self.leave(f"{kind} {f'called with {more} ' * known}is not supported", name, tensors)
                return None
            if kind in _MODELS:
                inside = self.graph(layer, f"{prefix}{name}/", tensors, depth + 1)
                if len(inside) != 1:
                    raise InputError(f"a nested model with {len(inside)} outputs is not supported")
                return inside[0]
            before = len(self.tape.layers)
            try:
                if is_function:
                    return self.function(kind, config, call, tensors, prefix + name)
                return self.own(kind, config, tensors, prefix, name)
            except (TooLarge, Unsupported) as problem:
                if not before and isinstance(problem, TooLarge):
                    raise
                self.tape.forget(before)
                self.leave(str(problem), name, tensors)
                return None

    def function(self, kind: str, config: Any, call: _Call | None, tensors: list[Tensor], name: str) -> Tensor:
        """What a function of ``keras.ops`` makes."""
        if not tensors:
            raise InputError("it reads no value of the model")
        before = len(self.tape.layers)
        operands = tensors if call is None else call.operands(tensors)
        value = keras_ops.computed(kind[len("ops.") :], config, operands, Recorder(self.tape, name))
        self.tape.carry(value.map)
        if len(self.tape.layers) > before:
            self.seen.append([])
        else:
            self.seen[-1].append(kind)
        return value

    def own(self, kind: str, config: Any, tensors: list[Tensor], prefix: str, name: str) -> Tensor | None:
        """What a layer that is no model makes; one that is done to all times alike does it to each as a row."""
        found, calls = self.stored(prefix, name), [tensors]
        if over_time := kind == "TimeDistributed":
            kind, config = _own(config["layer"]), config["layer"]["config"]
            if kind in (*_MODELS, "TimeDistributed") or len(tensors) != 1 or len(tensors[0].shape) < 3:
                raise Unsupported(f"TimeDistributed of {kind[:60]} is not supported")
            found = found or self.stored(f"{prefix}{name}/", str(config.get("name", "")))
            calls = [[tensors[0].at(tensors[0].places[:, time])] for time in range(tensors[0].shape[1])]
        if found and (policy := keras_layers.policy_of(config)).startswith("mixed_"):
            rounds = "read are the weights of 32 bits, which Keras rounds to 16 bits when it computes"
            self.notes[f"{policy}: {rounds}"] = None
        made = [keras_layers.linear_part(kind, config, call, found) for call in calls]
        if note := keras_layers.presumed(kind, config, found):
            self.notes[note] = None
        parts = [part for part in made if part is not None]
        if not parts:
            self.leave(f"{kind} is not supported", name, tensors)
            return None
        value = _rows(parts) if over_time else parts[0]
        as_rows = over_time and kind in keras_layers.LARGEST  # windows are sought in each row
        value = _times(value) if over_time and not as_rows else value
        self.tape.carry(value.map)
        if not keras_layers.is_activated(kind, config):
            self.seen[-1].append(kind)
            return value
        if found and kind != "PReLU":
            self.seen[-1].append(kind)
        result = keras_layers.activated_by(kind, config, value, Recorder(self.tape, prefix + name), found)
        if result is None:
            self.leave(keras_layers.refusal(kind, config), name, [value])
            return None
        self.seen.append([])
        return _times(result) if as_rows else result

    def stored(self, prefix: str, name: str) -> list[np.ndarray]:
        """The weights of a layer."""
        where = f"{prefix.partition('/')[0]}/{name}" if self.flat and prefix else prefix + name
        return self.weights.get(where) or self.weights.get(self.groups.get(prefix + name, ""), [])

    def leave(self, why: str, name: str, tensors: list[Tensor]) -> None:
        self.left.append(f"layer {name[:60]!r} and what comes after it: {why}")
        self.frontier += tensors


def _own(layer: Any) -> str:
    """The class of a layer or model, if it is Keras's own; ``ops.`` and its class of a function of ``keras.ops``."""
    kind = str(layer["class_name"])
    module = layer.get("module")
    if module is None and "module" in layer:  # as Keras writes it of a class that a script or notebook defines
        raise InputError(f"class {kind[:60]} is not Keras's own, so it may compute anything: export it to ONNX")
    if module is not None and not re.fullmatch(r"(keras|tensorflow\.keras|tf_keras)(\.[a-z_.]+)?", str(module)):
        own = f"{str(module)[:60]}.{kind[:60]}"
        raise InputError(f"class {own} is not Keras's own, so it may compute anything: export it to ONNX")
    if ">" in kind or ">" in str(layer.get("registered_name") or ""):
        raise InputError(f"class {kind[:60]} ({str(layer.get('registered_name'))[:60]}) is not Keras's own")
    if module is None:  # .h5: what has neither a module nor the options of a layer is a function
        is_function = kind not in (*_MODELS, "InputLayer") and not {"trainable", "dtype"} & set(layer["config"])
    else:
        is_function = bool(re.match(r"keras\.(src\.)?ops\b", str(module)))
    return f"ops.{kind}" if is_function and kind != "ReLU" else kind  # keras.activations.relu does what the layer does


def _name(layer: Any) -> str:
    return str(layer.get("name", layer["config"].get("name")))


def _first_call(layer: Any) -> int:
    """The number of the first call of a layer: 1 of models in Keras 2, and of Functional ones in outputs of Keras 3."""
    keras_3 = any(isinstance(node, dict) for node in layer.get("inbound_nodes", []))
    return int(_own(layer) in (("Functional",) if keras_3 else _MODELS))


def _snake(kind: str) -> str:
    """The name of a class as Keras makes one of a group from it: ``Conv2DTranspose`` is ``conv2d_transpose``."""
    parts = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", kind))
    return re.sub("([a-z])([A-Z])", r"\1_\2", parts).lower()


def _built(inner: Any) -> Any:
    return inner.get("build_input_shape") if isinstance(inner, dict) else None


def _rows(parts: list[Tensor]) -> Tensor:
    found = concatenated(parts, 0)
    assert isinstance(found, Tensor)
    return found


def _times(x: Tensor) -> Tensor:
    """The rows as times of a single row."""
    return x.at(x.places[None])


_VALUE = object()


@dataclass(frozen=True, slots=True)
class _Call:
    """One call of a layer: the values that it reads, and what else it is given that may change what it computes."""

    sources: list[tuple[str, int]]
    given: list[Any] = field(default_factory=list)  # what it is called with, _VALUE for each of the sources
    options: str = ""

    def operands(self, tensors: list[Tensor]) -> list[Any]:
        """Values and constants in their order."""
        values = iter(tensors)
        return [next(values) if operand is _VALUE else operand for operand in self.given]

    def more(self, values_only: bool) -> str:
        """What it is given that is not understood, if anything."""
        constants = any(operand is not _VALUE for operand in self.given)
        return self.options or "something that is no value of the model" * (values_only and constants)


def _call(node: Any, first: dict[str, int]) -> _Call:
    """One call of a layer, in the form of Keras 3, or of Keras 2, where layers are called from ``first`` on."""
    if isinstance(node, dict):
        read, options = [*_operands(node["args"])], node.get("kwargs", {})
        histories, first = [operand["config"]["keras_history"] for operand in read if _is_value(operand)], {}
        given = [_VALUE if _is_value(operand) else operand for operand in read]
    else:
        histories = _list_of(node)
        given = [_VALUE] * len(histories)
        options = {key: v for history in histories if len(history) > 3 for key, v in history[3].items()}
    more = [key for key, v in options.items() if not _is_nothing(v) and (key, v) != ("training", False)]
    shown = f"{more[0][:40]}={str(options[more[0]])[:40]}" if more else ""
    return _Call([(name, number - first.get(name, 0)) for name, number in map(_source, histories)], given, shown)


def _source(history: Any) -> tuple[str, int]:
    name, node, tensor = history[:3]
    if tensor != 0:
        raise InputError("a layer with several outputs is not supported")
    return str(name), int(node)


def _is_nothing(value: Any) -> bool:
    """None, also once for each of several values."""
    return all(map(_is_nothing, value)) if isinstance(value, list) else value is None


def _operands(given: list[Any]) -> Iterator[Any]:
    """What a layer is called with; values in a list one after the other."""
    for operand in given:
        if isinstance(operand, list) and any(map(_is_value, operand)):
            yield from operand
        else:
            yield operand


def _is_value(operand: Any) -> bool:
    return isinstance(operand, dict) and operand.get("class_name") == "__keras_tensor__"


def _list_of(histories: Any) -> list[Any]:
    """One history or a list of them, as a list."""
    if isinstance(histories, dict):
        raise InputError("inputs and outputs with names are not supported: make them a list")
    return [histories] if histories and isinstance(histories[0], str) else list(histories)
