"""The front door: whatever a person has at hand becomes a network, and whatever says where becomes a domain.

``as_network`` takes a :class:`Network`, the path of a model file, a PyTorch module, a state dict or a list of layers;
``as_domain`` takes a :class:`Polyhedron` or :class:`FiniteSet`, the text or file of the command line, the sides of a
box, or an array of points. What is none of these, or could be two, is refused in one line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.geometry.domains import Domain, Union, read_domain
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.io.files import kind_of, named
from geomrelu.io.onnx import read_quantised
from geomrelu.network.network import Network
from geomrelu.network.quantised import QuantisedNetwork

__all__ = ["as_domain", "as_judged", "as_network", "load", "load_judged"]

MODELS = "a path, a torch.nn.Module, a state dict, an MLP of scikit-learn, a list of (weights, bias), or a Network"
Range = tuple[tuple[Any, Any], ...]
DOMAINS = (
    'a pair (low, high), one such pair for each input, an array of points, text such as "box:-1,1", or a Polyhedron'
)


def load(path: str | PathLike[str], **options: Any) -> Network:
    """A network from a file: the formats that ``geomrelu decide`` reads, by the file's ending.

    Args:
        options: what the file leaves open, see :meth:`Network.from_file`.

    Raises:
        InputError: missing, malformed or unsupported; one line that names the place.

    Exact: a float parameter is the dyadic number it holds.
    """
    return Network.from_file(Path(path), **options)


def as_network(model: Any) -> Network:
    """Anything that is a network.

    Args:
        model: a :class:`Network`; a path; a ``torch.nn.Module``; a state dict of linear layers (ReLU between them, none
            after the last); a fitted multilayer perceptron of scikit-learn; a list of layers ``(weights, bias)``,
            likewise, or ``(weights, bias, "relu" | "none")``.
            Weights are (out, in) as in PyTorch.

    Raises:
        InputError: something else, or not readable as one of these.

    Exact: a float parameter is the dyadic number it holds.

    >>> as_network([([[1, 1], [1, -1]], [0, 0]), ([[1, 2]], [0])]).widths
    (2,)
    """
    if isinstance(model, Network):
        return model
    if isinstance(model, (str, PathLike)):
        return load(fspath(model))
    if type(model).__module__.partition(".")[0] == "sklearn":
        return Network.from_sklearn(model)
    if isinstance(model, Mapping):
        return Network.from_state_dict(model)
    if _is_module(model):
        return Network.from_torch(model)
    if isinstance(model, (list, tuple)) and model and all(isinstance(layer, (list, tuple)) for layer in model):
        return _from_layers(model)
    raise InputError(f"a network is {MODELS}, not {_kind(model)}")


def as_judged(model: Any) -> Network | QuantisedNetwork:
    """The same, but a quantised model is the network of whole numbers that it is, see :func:`load_judged`."""
    if isinstance(model, (str, PathLike)):
        return load_judged(fspath(model))
    return model if isinstance(model, QuantisedNetwork) else as_network(model)


def load_judged(path: str | PathLike[str], **options: Any) -> Network | QuantisedNetwork:
    """As :func:`load`, but an ONNX model that rounds its activations becomes a :class:`QuantisedNetwork`.

    Raises:
        InputError: as :func:`load`.
    """
    if kind_of(path) != ".onnx" or options.keys() - {"shape", "whole_batch"}:
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
        return Network.from_layers([(weights, bias, kind) for weights, bias, kind in layers])
    if sizes != {2}:
        raise InputError('layers are (weights, bias), or (weights, bias, "relu" or "none") for each')
    if len(layers) == 1:
        raise InputError(
            'layers (weights, bias) have ReLU between them and none after the last: write (weights, bias, "relu")'
        )
    kinds = ["relu"] * (len(layers) - 1) + ["none"]
    return Network.from_layers([(weights, bias, kind) for (weights, bias), kind in zip(layers, kinds, strict=True)])


def as_domain(domain: Any, inputs: int, range_: Range | None = None) -> Domain:
    """Anything that is a set in input space.

    Args:
        domain: a :class:`Polyhedron`, :class:`FiniteSet` or :class:`Union`; text or a path as ``--domain`` takes it; a
            pair ``(low, high)``, the same for each input; a list of ``inputs`` such pairs; an array (points, inputs) or
            (inputs,) of points.
        inputs: n, the number of inputs of the network.
        range_: what the text ``range`` means: the least and the greatest value of each input, if the model's file gives
            them.

    Raises:
        InputError: something else, empty, or of another dimension.

    Exact: a float is the dyadic number it holds.

    >>> as_domain((-1, 1), 2) == as_domain([(-1, 1), (-1, 1)], 2) == as_domain("box:-1,1", 2)
    True
    """
    if domain is None:
        raise InputError(f"say on which set: {DOMAINS}")
    if isinstance(domain, (str, PathLike)):
        return read_domain(str(fspath(domain)), inputs, range_)
    found = domain if isinstance(domain, (Polyhedron, FiniteSet, Union)) else _from_numbers(domain, inputs)
    if found.dimension != inputs:
        raise InputError(f"the domain lies in R^{found.dimension}, but the model reads R^{inputs}")
    if found.is_empty:
        raise InputError("the domain is empty")
    return found


def _from_numbers(domain: Any, inputs: int) -> Polyhedron | FiniteSet:
    if type(domain).__module__.partition(".")[0] == "torch":
        domain = domain.detach().cpu().numpy()
    if isinstance(domain, np.ndarray):
        table = domain[None] if domain.ndim == 1 else domain
        if table.ndim != 2 or table.shape[1] != inputs:
            raise InputError(f"an array of points has the shape (points, {inputs}), not {domain.shape}")
        return FiniteSet.of(table.tolist())
    if not isinstance(domain, (list, tuple)) or not domain:
        raise InputError(f"a domain is {DOMAINS}, not {_kind(domain)}")
    if not any(isinstance(side, (list, tuple, np.ndarray)) for side in domain):
        if len(domain) != 2:
            raise InputError(f"a box is (low, high) or a list of {inputs} such pairs; points are an array")
        return Polyhedron.box([tuple(domain)] * inputs)
    if len(domain) != inputs or not all(isinstance(side, (list, tuple)) and len(side) == 2 for side in domain):
        raise InputError(f"a box in R^{inputs} is a list of {inputs} pairs (low, high); points are an array")
    return Polyhedron.box([tuple(side) for side in domain])


def _kind(value: Any) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
