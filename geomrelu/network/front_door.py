"""The front door: whatever a person has at hand becomes a network.

``as_network`` takes a :class:`Network`, the path of a model file, a PyTorch module, a state dict or a list of layers;
:func:`~geomrelu.geometry.domains.as_domain` does the same for sets. What is none of these, or could be two, is refused
in one line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from geomrelu.arguments import filename, kind
from geomrelu.errors import InputError
from geomrelu.geometry.domains import as_domain
from geomrelu.io.arrays import as_array
from geomrelu.io.files import kind_of, named
from geomrelu.io.onnx import read_quantised
from geomrelu.network.network import Network
from geomrelu.network.quantised import QuantisedNetwork

__all__ = ["as_domain", "as_judged", "as_network", "load", "load_judged"]

MODELS = (
    "a path, a torch.nn.Module, a state dict, a model of Keras or scikit-learn, a list of (weights, bias), or a Network"
)


def load(path: str | PathLike[str], **options: Any) -> Network:
    """A network from a file: the formats that ``geomrelu decide`` reads, by the file's ending.

    Args:
        path: of the file.
        options: what the file leaves open, see :meth:`Network.from_file`.

    Raises:
        InputError: missing, malformed or unsupported; one line that names the place.

    Exact: a float parameter is the dyadic number it holds. Cost: linear in the parameters.
    Source: the specifications of ONNX, NumPy, PyTorch, safetensors, Keras and NNet, see :mod:`geomrelu.io`.

    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "model.json")
    >>> as_network([([[1, 1], [1, -1]], [0, 0]), ([[1, 2]], [0])]).save(path)
    >>> load(path).widths
    (2,)
    """
    return Network.from_file(Path(filename(path, "a model file")), **options)


def as_network(model: Any) -> Network:
    """Anything that is a network.

    Args:
        model: a :class:`Network`; a path; a ``torch.nn.Module``; a state dict of linear layers (ReLU between them, none
            after the last), also a tree of Flax; a model of Keras; a fitted multilayer perceptron of scikit-learn, also
            behind a pipeline; a list of layers ``(weights, bias)``, likewise, or ``(weights, bias, "relu" | "none")``.
            Weights are (out, in) as in PyTorch.

    Raises:
        InputError: something else, or not readable as one of these.

    Exact: a float parameter is the dyadic number it holds.

    Method: by type; nothing is imported for it. Cost: linear in the parameters.

    Source: weights as in PyTorch; formats, see :mod:`geomrelu.io`.

    >>> as_network([([[1, 1], [1, -1]], [0, 0]), ([[1, 2]], [0])]).widths
    (2,)
    """
    if isinstance(model, Network):
        return model
    if isinstance(model, (str, PathLike)):
        return load(model)
    if type(model).__module__.partition(".")[0] == "sklearn":
        return Network.from_sklearn(model)
    if isinstance(model, Mapping):
        return Network.from_state_dict(model)
    if any(cls.__module__.partition(".")[0] in ("keras", "tf_keras") for cls in type(model).__mro__):
        return Network.from_keras(model)
    if _is_module(model):
        return Network.from_torch(model)
    if isinstance(model, (list, tuple)) and model and all(isinstance(layer, (list, tuple)) for layer in model):
        return _from_layers(model)
    raise InputError(f"a network is {MODELS}, not {kind(model)}: of others, give the layers or a file in ONNX")


def as_judged(model: Any) -> Network | QuantisedNetwork:
    """The same, but a quantised model is the network of whole numbers that it is, see :func:`load_judged`."""
    if isinstance(model, (str, PathLike)):
        return load_judged(model)
    return model if isinstance(model, QuantisedNetwork) else as_network(model)


def load_judged(path: str | PathLike[str], **options: Any) -> Network | QuantisedNetwork:
    """As :func:`load`, but an ONNX model that rounds its activations becomes a :class:`QuantisedNetwork`.

    Raises:
        InputError: as :func:`load`.
    """
    path = filename(path, "a model file")
    if kind_of(path) != ".onnx" or options.keys() - {"shape", "whole_batch", "start", "values"}:
        return load(path, **options)
    tape = read_quantised(path, **options)
    with named(path):
        if any(quantiser is not None for quantiser in tape.quantisers):
            return QuantisedNetwork.from_tape(tape)
        return Network.from_tape(tape)


def _is_module(model: Any) -> bool:
    """Without importing PyTorch: who has a module has imported it."""
    return any(
        kind.__module__ == "torch.nn.modules.module" and kind.__name__ == "Module" for kind in type(model).__mro__
    )


def _from_layers(layers: Sequence[Sequence[Any]]) -> Network:
    sizes = {len(layer) for layer in layers}
    if sizes == {3}:
        return _made((weights, bias, activation) for weights, bias, activation in layers)
    if sizes != {2}:
        raise InputError('layers are (weights, bias), or (weights, bias, "relu" or "none") for each')
    if len(layers) == 1:
        raise InputError(
            'layers (weights, bias) have ReLU between them and none after the last: write (weights, bias, "relu")'
        )
    kinds = ["relu"] * (len(layers) - 1) + ["none"]
    return _made((weights, bias, kind) for (weights, bias), kind in zip(layers, kinds, strict=True))


def _made(layers: Iterable[tuple[Any, Any, Any]]) -> Network:
    return Network.from_layers([(as_array(weights), as_array(bias), kind) for weights, bias, kind in layers])
