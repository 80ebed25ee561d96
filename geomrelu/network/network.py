"""A ReLU network as exact data: its layers, its exact forward pass, and its canonical form.

Layers count from 1, neurons from 0. Only layers with ReLU count; what follows the last one is the *output map*.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from hashlib import sha256
from inspect import signature
from itertools import pairwise
from operator import add
from pathlib import Path
from typing import Any

import numpy as np

from geomrelu import checker
from geomrelu.arguments import filename, integer
from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineForm, AffineMap
from geomrelu.exact.numbers import common, rationals
from geomrelu.io import json as json_format
from geomrelu.io import keras as keras_format
from geomrelu.io import nnet as nnet_format
from geomrelu.io import npz as npz_format
from geomrelu.io import onnx as onnx_format
from geomrelu.io import policies as policies_format
from geomrelu.io import safetensors as safetensors_format
from geomrelu.io import sklearn as sklearn_format
from geomrelu.io import store
from geomrelu.io import torch as torch_format
from geomrelu.io.files import FilePath, kind_of, named
from geomrelu.io.reading import Reading
from geomrelu.io.tape import Tape, chain
from geomrelu.replacing import replacing

__all__ = ["MODELS", "Network", "tape_of"]

KEPT = 1 << 20  # spelled numbers, of 100 bytes or so, that are kept at once

MODELS: dict[str, Callable[..., Tape]] = {  # the readers of model files by their ending
    ".json": json_format.read_model,
    ".npz": npz_format.read,
    ".onnx": onnx_format.read,
    ".nnet": nnet_format.read,
    ".safetensors": safetensors_format.read,
    ".pt": torch_format.read,
    ".pth": torch_format.read,
    ".ckpt": torch_format.read,
    ".bin": torch_format.read,
    ".tar": torch_format.read,  # .pth.tar
    ".zip": policies_format.read,
    ".keras": keras_format.read,
    ".h5": keras_format.read,
    ".hdf5": keras_format.read,
}


_PICKLE = "a pickle may run any program: load it yourself and give the model in Python"
INSTEAD = {  # what to do with files that are not read
    ".eqx": "in Python, give the layers: [(layer.weight, layer.bias) for layer in model.layers]",
    ".joblib": _PICKLE,
    ".msgpack": "in Python, give the tree that flax.serialization.msgpack_restore makes of it",
    ".pb": "convert it to ONNX by tf2onnx",
    ".pdmodel": "convert it to ONNX by paddle2onnx",
    ".pdparams": _PICKLE,
    ".pickle": _PICKLE,
    ".pkl": _PICKLE,
    ".pt2": "export the module to ONNX, or save its state_dict()",
    ".tflite": "convert it to ONNX by tf2onnx",
}


class _Model(checker.Model):
    """The judge's model, hashed once."""

    @cached_property
    def _digests(self) -> tuple[str, str]:
        """What the judge's own digests are, of the ReLU layers and of all; every number and every column is spelled
        once."""
        text = sha256(f"geomrelu model\ninputs {self.inputs}\n".encode())
        names = [f"{j}:" for j in range(self.start[-1])]
        for layer in self.layers:
            _spell(layer, names, text)
        layers = text.hexdigest()
        if self.output is None:
            return layers, layers
        _spell(self.output, names, text)
        return layers, text.hexdigest() + "+"

    def digest(self) -> str:
        return self._digests[0]

    def whole_digest(self) -> str:
        return self._digests[1]


class _Spelled(dict[int, str]):
    """Numbers over one denominator as they are spelled, each when it is first asked for; not more than :data:`KEPT`."""

    def __init__(self, denominator: int, spelled: Callable[[int, int], str]) -> None:
        self.denominator, self.spelled = denominator, spelled

    def __missing__(self, numerator: int) -> str:
        if len(self) == KEPT:
            self.clear()
        found = self[numerator] = self.spelled(numerator, self.denominator)
        return found


def _decimal(numerator: int, denominator: int) -> str:
    return str(Fraction(numerator, denominator))


def _spelling(some: Sequence[int], denominator: int, base: str = "x") -> Callable[[int], str]:
    """What spells fractions in lowest terms, as the judge hashes them ("x") or as JSON has them ("d"): with a memory
    where many are equal, as in convolutions, and ``some`` are."""
    power = denominator.bit_length() - 1
    if denominator != 1 << power or 2 * len(set(some)) < len(some):
        return _Spelled(denominator, checker.spelled if base == "x" else _decimal).__getitem__
    # by the last bit that is not 0: how often a number can be halved, and what it then stands over
    halved = {1 << k: (k, f"/{denominator >> k:{base}}") for k in range(power)}

    def spelled(numerator: int) -> str:
        k, over = halved.get(numerator & -numerator, (power, ""))
        return f"{numerator >> k:{base}}{over}"

    return spelled


def _spell(layer: checker.Layer, names: list[str], text: Any) -> None:
    """What the judge hashes of a layer."""
    text.update(b"layer\n")
    said = _spelling([v for _, _, entries in layer.rows[:16] for v in entries[:1024]], layer.denominator)
    for bias, columns, entries in layer.rows:
        cells = map(add, map(names.__getitem__, columns), map(said, entries))
        text.update(" ".join([said(bias), *cells]).encode() + b"\n")


def tape_of(path: FilePath, **options: Any) -> Tape:
    """The program in a model file, by its ending; it may have no ReLU layer.

    Raises:
        InputError: as :meth:`Network.from_file`.
    """
    path = filename(path, "a model file")
    reader = MODELS.get(kind_of(path))
    if reader is None:
        if instead := INSTEAD.get(kind_of(path)):
            raise InputError(f"{path}: files of this kind are not read: {instead}")
        raise InputError(f"{path}: unknown kind of model file (known: {', '.join(sorted(MODELS))})")
    taken = set(signature(reader).parameters) - {"path"}
    for name in options:
        if name not in taken:
            raise InputError(f"{path}: {name} is no option of such files")
    return reader(path, **options)


@dataclass(frozen=True, eq=False)
class Network:
    """A ReLU network R^inputs -> R^outputs with exact parameters.

    Attributes:
        inputs: n, the input dimension.
        layers: per ReLU layer the exact map (its neurons) over all variables before it: the inputs, then the
            outputs of layer 1, layer 2, ... (dense, convolutional, residual and skip layers alike).
        output: the map after the last ReLU layer over all variables, or None if there is none. It is not judged.
        reading: what the reader of its file says about it; None if it comes from elsewhere.
        identity_output: has the model an output layer that changes nothing (the identity, without biases)? It is left
            out, and ``output`` is None; but its weights are parameters.

    Two networks are equal (``==``) when their ReLU layers are the same data.

    Exact: yes. Cost: reading is linear in the parameters; a value, one multiplication per nonzero weight.

    >>> net = Network.from_layers([([[1, 1], [1, -1]], [0, 0], "relu"), ([[1, 1]], [-1], "relu")])
    >>> [list(map(str, z)) for z in net.pre_activations([1, 0])]
    [['1', '1'], ['1']]
    """

    inputs: int
    layers: tuple[AffineMap, ...]
    output: AffineMap | None = None
    reading: Reading | None = None
    identity_output: bool = False

    def __repr__(self) -> str:
        widths = [str(width) for width in self.widths]
        if len(widths) > 8:
            widths[4:-3] = ["..."]
        output = "" if self.output is None else f", then R^{self.output.outputs}"
        return f"<a network on R^{self.inputs}: ReLU layers of {', '.join(widths)} neurons{output}>"

    # ---- making one -------------------------------------------------------------------------------------------

    @classmethod
    def from_tape(cls, tape: Tape) -> Network:
        """From a recorded program.

        Args:
            tape: what a reader has written, see :mod:`geomrelu.io.tape`.

        Raises:
            InputError: it has no ReLU layer.
        """
        if not tape.layers:
            raise InputError("the model has no ReLU layer, so there is nothing to judge")
        return cls(tape.inputs, tuple(tape.layers), tape.output, tape.reading, tape.identity_output)

    @classmethod
    def from_layers(cls, layers: Sequence[tuple[Any, Any, str]]) -> Network:
        """From matrices, layer by layer.

        Args:
            layers: triples (weights, bias, "relu" or "none"), weights (out, in) as in PyTorch, bias (out,).

        Raises:
            InputError: something else, shapes that do not fit, or numbers that are not finite.
        """
        if not isinstance(layers, list | tuple) or not all(isinstance(l, list | tuple) and len(l) == 3 for l in layers):
            raise InputError('layers are a list of (weights, bias, "relu" or "none")')
        maps = (
            (AffineMap.from_dense(weights, bias, f"layer {position}"), activation)
            for position, (weights, bias, activation) in enumerate(layers, 1)
        )
        return cls.from_tape(chain(maps))

    @classmethod
    def from_file(cls, path: str | Path, **options: Any) -> Network:
        """From a file, by its ending: ``.json``, ``.npz``, ``.onnx``, ``.nnet``, ``.safetensors``, ``.pt``, ``.pth``,
        ``.ckpt``, ``.bin`` or ``.tar`` of PyTorch, ``.zip`` of Stable-Baselines3, ``.keras``, ``.h5`` or ``.hdf5``;
        each may be compressed (``.gz``).

        Args:
            path: of the file.
            options: what the file leaves open, as the reader of its format takes it: ``order``, ``activation``,
                ``select``, ``apply_b_dec_to_input`` (see :func:`geomrelu.io.state_dict.network`); ``shape``, ``start``,
                ``values`` (see :func:`geomrelu.io.onnx.read`).

        Raises:
            InputError: missing, malformed or unsupported; the text names the place. An option that the format does
                not have.
        """
        tape = tape_of(path, **options)
        with named(path):
            return cls.from_tape(tape)

    from_json = from_npz = from_onnx = from_file

    @classmethod
    def from_torch(cls, module: Any, input_shape: Sequence[int] | None = None) -> Network:
        """From an ``nn.Sequential`` of supported modules, in evaluation mode.

        Args:
            module: the ``nn.Sequential``.
            input_shape: of one input without the batch, where the module does not say it.

        Raises:
            InputError: a module that is not supported, with its place.
        """
        return cls.from_tape(torch_format.from_module(module, input_shape))

    @classmethod
    def from_state_dict(cls, state: Any, **options: Any) -> Network:
        """From a ``state_dict`` of linear layers, with ReLU between them and none after the last.

        Args:
            state: names -> tensors or arrays.
            options: ``order``, ``activation`` and others of :func:`geomrelu.io.torch.from_state_dict`.

        Raises:
            InputError: other parameters, or layers whose order is open.
        """
        return cls.from_tape(torch_format.from_state_dict(state, **options))

    @classmethod
    def from_sklearn(cls, model: Any) -> Network:
        """From scikit-learn: a fitted ``model`` MLPClassifier or MLPRegressor, or a pipeline that ends in one.

        Raises:
            InputError: another estimator, not fitted, or activations other than ReLU.
        """
        return cls.from_tape(sklearn_format.from_estimator(model))

    @classmethod
    def from_keras(cls, model: Any) -> Network:
        """From a ``model`` of Keras in memory, as the ``.keras`` file says that it writes.

        Raises:
            InputError: it cannot be saved, or not be read then.
        """
        return cls.from_tape(keras_format.from_model(model))

    # ---- reading it -------------------------------------------------------------------------------------------

    @property
    def depth(self) -> int:
        """Number of ReLU layers."""
        return len(self.layers)

    @property
    def judged(self) -> list[int]:
        """The layers (from 1) that are judged unless others are asked for: not those of auxiliary neurons."""
        return list(range(1, self.depth + 1)) if self.reading is None else self.reading.judged

    @property
    def widths(self) -> tuple[int, ...]:
        """Neurons of each ReLU layer."""
        return tuple(layer.outputs for layer in self.layers)

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """``starts[l]`` is the first variable of layer l (l = 0: the inputs); the last entry is their number."""
        starts = [0, self.inputs]
        for width in self.widths:
            starts.append(starts[-1] + width)
        return tuple(starts)

    @cached_property
    def blocks(self) -> tuple[tuple[int, ...], ...]:
        """``blocks[l]``: which layers (0: the inputs) layer l reads."""
        return tuple(tuple(b) if b is not None else () for b in self.checked.blocks)

    def is_cut_by(self, layer: int) -> bool:
        """Does everything after this layer read nothing from before it? (If it kills, the network is then constant.)"""
        layer = integer(layer, "layer", 0)
        late = all(b >= layer for blocks in self.blocks[layer + 1 :] for b in blocks)
        return late and (self.output is None or bool((self.output.indices >= self.starts[layer]).all()))

    def neuron(self, layer: int, neuron: int) -> AffineForm:
        """The pre-activation of a neuron (layer from 1, neuron from 0) as an affine form over the variables before it.

        Raises:
            InputError: no such layer or neuron.
        """
        if not 1 <= integer(layer, "layer") <= self.depth:
            raise InputError(f"there is no layer {layer}: the network has {self.depth} ReLU layers")
        if not 0 <= integer(neuron, "neuron") < self.widths[layer - 1]:
            raise InputError(f"there is no neuron {neuron} in layer {layer}, which has {self.widths[layer - 1]}")
        return self.layers[layer - 1].form(neuron)

    def pre_activations(self, point: Sequence[Any], up_to: int | None = None) -> list[list[Fraction]]:
        """Exact pre-activations of layers 1..up_to (default: all) at a point of R^inputs.

        Raises:
            InputError: not numbers, or a point of another space; no such layer.

        Exact: yes, integers over one denominator a layer. Cost: one multiplication per nonzero weight.
        """
        x = rationals(point, "point")
        if len(x) != self.inputs:
            raise InputError(f"the network reads R^{self.inputs}, the point lies in R^{len(x)}")
        depth = self.depth if up_to is None else integer(up_to, "up_to", 0)
        if depth > self.depth:
            raise InputError(f"there is no layer {depth}: the network has {self.depth} ReLU layers")
        values, d = self.checked.values(list(x), depth)
        starts = self.checked.start[1 : depth + 2]
        return [[Fraction(v, d) for v in values[first:last]] for first, last in pairwise(starts)]

    def __call__(self, point: Sequence[Any]) -> list[Fraction]:
        """The exact output: of the output map, or of the last ReLU layer if there is none."""
        z = self.pre_activations(point)
        variables = [*rationals(point), *(max(v, Fraction(0)) for layer in z for v in layer)]
        if self.output is None:
            return variables[self.starts[-2] :]
        numerators, d = common(variables)
        return [Fraction(v, d * self.output.denominator) for v in self.output.apply(numerators, d)]

    # ---- its canonical form -----------------------------------------------------------------------------------

    @cached_property
    def checked(self) -> checker.Model:
        """The same ReLU layers as the independent checker holds them."""
        variables = np.arange(self.starts[-1]).astype(object)  # the numbers that all rows share
        layers = [checker.Layer(layer.rows(variables), layer.denominator) for layer in self.layers]
        last = self.output
        output = None if last is None else checker.Layer(last.rows(variables), last.denominator)
        return _Model(self.inputs, layers, output)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical exact form of the ReLU layers: what certificates are bound to."""
        return str(self.checked.digest())

    def __eq__(self, other: object) -> bool:
        return self.digest == other.digest if isinstance(other, Network) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.digest)

    def save(self, path: str | Path) -> None:
        """Write the model, exactly, to a path that ends in ``.json``, ``.npz`` or ``.onnx``.

        Raises:
            InputError: another ending; layers that read others than the one before, or numbers that are no floats,
                where the format has no place for them; the file cannot be written.
        """
        path = Path(filename(path, "a model file"))
        kind = path.suffix.lower()
        if kind == ".json":
            with replacing(path) as stream:
                stream.writelines(piece.encode() for piece in self._json())
        elif kind == ".npz":
            store.write_npz(path, self._chain(path))
        elif kind == ".onnx":
            store.write_onnx(path, self.inputs, self._maps())
        else:
            raise InputError(f"{path}: unknown kind of model file (known: .json, .npz, .onnx)")

    def check_saving(self, path: str | Path) -> None:
        """Refuse, as :meth:`save` would, a path whose format cannot hold the network; nothing is written."""
        path = Path(filename(path, "a model file"))
        kind = path.suffix.lower()
        if kind == ".npz":
            store.check_npz(path, self._chain(path))
        elif kind == ".onnx":
            store.check_onnx(path, self.inputs, self._maps())

    def _maps(self) -> list[tuple[AffineMap, str]]:
        return [(layer, "relu") for layer in self.layers] + ([(self.output, "none")] if self.output else [])

    def _chain(self, path: Path) -> list[tuple[AffineMap, str]]:
        """The layers as maps from one to the next."""
        maps = self._maps()
        chain = []
        for level, (map_, activation) in enumerate(maps):
            first, last = self.starts[level], self.starts[level + 1]
            if ((map_.indices < first) | (map_.indices >= last)).any():
                raise InputError(f"{path}: layers that read others than the one before are written as .json or .onnx")
            indices = map_.indices - first
            inner = AffineMap(last - first, map_.indptr, indices, map_.data, map_.bias, map_.denominator)
            chain.append((inner, activation))
        return chain

    def to_json(self) -> str:
        """The model as JSON that :meth:`from_file` and the stand-alone checker read (numbers as exact strings)."""
        return "".join(self._json())

    def _json(self) -> Iterator[str]:
        """The same, row by row: the numbers and names of a large one together take ten times as much."""
        names = [f'", {j}, "' for j in range(self.starts[-1])]
        between = f'{{"inputs": {self.inputs}, "layers": ['
        for map_, activation in self._maps():
            said = _spelling(map_.data[:16384].tolist(), map_.denominator, "d")
            yield f'{between}{{"rows": ['
            for i in range(map_.outputs):
                bias, columns, entries = map_.row(i)
                cells = map(add, map(names.__getitem__, columns), map(said, entries))
                yield f'{", " if i else ""}["{said(bias)}{"".join(cells)}"]'
            yield f'], "activation": {json.dumps(activation)}}}'
            between = ", "
        yield "]}"
