"""The networks of a query side by side: one list of layers over the inputs of all, and each tensor as affine forms.

The variables are the inputs of all networks, one after the other, then the layers of the first network, of the second,
and so on; a layer reads those of its own network only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineMap
from geomrelu.io.files import FilePath, kind_of, named
from geomrelu.io.onnx import traced
from geomrelu.io.onnx.model import load
from geomrelu.io.query import Declared, Form, Query, TensorOf, Variable
from geomrelu.io.tape import Tape
from geomrelu.io.tensors import Tensor

__all__ = ["Programs", "Row", "combined"]

Row = tuple[Fraction, dict[int, Fraction]]  # a constant, and a coefficient for each variable that counts


@dataclass(slots=True)
class Programs:
    """What the networks of a query compute.

    Attributes:
        inputs: of all networks together.
        layers: their ReLU layers, each a map over all variables before it.
        rows: each element of each tensor of the query as a form over the variables.
    """

    inputs: int
    layers: list[AffineMap] = field(default_factory=list)
    rows: dict[Variable, Row] = field(default_factory=dict)

    @property
    def variables(self) -> int:
        return self.inputs + sum(layer.outputs for layer in self.layers)

    def row(self, form: Form) -> Row:
        """A linear form over tensors as one over the variables."""
        constant, slope = form.constant, dict[int, Fraction]()
        for variable, factor in form.slope.items():
            more, part = self.rows[variable]
            constant += factor * more
            for j, v in part.items():
                slope[j] = slope.get(j, Fraction(0)) + factor * v
        return constant, {j: v for j, v in slope.items() if v}


def combined(query: Query, models: Mapping[str, FilePath], read: Callable[[FilePath], Tape]) -> Programs:
    """The networks of a query, each from its file.

    Args:
        models: the file of each network; of one that is equal to another it may be missing, and a single network may
            have any name.
        read: reads a file that is no ONNX model; the tensors of such a model are its input and its output.

    Raises:
        InputError: a file is missing or cannot be read; declared tensors that do not fit the model.
    """
    programs = Programs(sum(t.size for n in query.networks for t in n.inputs))
    unknown = sorted(set(models) - {n.name for n in query.networks})
    if unknown and len(query.networks) > 1:
        raise InputError(f"the query declares no network {unknown[0][:60]!r}")
    start = 0
    for network in query.networks:
        path = models.get(network.name) or models.get(network.equal_to)
        if path is None and len(query.networks) == len(models) == 1:
            (path,) = models.values()
        if path is None:
            raise InputError(f"no model is given for network {network.name[:60]!r}")
        with named(path):
            _add(programs, network, path, start, read)
        start += sum(t.size for t in network.inputs)
    return programs


def _add(programs: Programs, network: Declared, path: FilePath, start: int, read: Callable[[FilePath], Tape]) -> None:
    tape, values = _from_onnx(network, path) if kind_of(path) == ".onnx" else _from_other(network, path, read)
    hidden = programs.variables - tape.inputs

    def moved(map_: AffineMap, variables: int) -> AffineMap:
        rows = map_.row_of
        targets = map_.indices + np.where(map_.indices < tape.inputs, start, hidden)
        return AffineMap.from_entries(
            (map_.outputs, variables), rows, targets, map_.data, map_.denominator, map_.bias, map_.denominator
        )

    for layer in tape.layers:
        programs.layers.append(moved(layer, programs.variables))
    for k in range(tape.inputs):
        programs.rows[_element(network.inputs, k)] = (Fraction(0), {start + k: Fraction(1)})
    for tensor, map_ in values.items():
        if map_.outputs != tensor.size:
            raise InputError(f"{tensor.name[:60]!r} is declared with {tensor.size} elements, but has {map_.outputs}")
        here = moved(map_, programs.variables)
        for k in range(here.outputs):
            bias, indices, entries = here.row(k)
            slope = {j: Fraction(v, here.denominator) for j, v in zip(indices, entries, strict=True)}
            programs.rows[tensor.name, k] = (Fraction(bias, here.denominator), slope)


def _element(tensors: tuple[TensorOf, ...], k: int) -> Variable:
    """The k-th element of several tensors, one after the other."""
    for tensor in tensors:
        if k < tensor.size:
            return tensor.name, k
        k -= tensor.size
    raise InputError("the model has more inputs than are declared")


Found = tuple[Tape, dict[TensorOf, AffineMap]]


def _from_onnx(network: Declared, path: FilePath) -> Found:
    graph = load(path)
    shape = network.inputs[0].shape if len(network.inputs) == 1 and _is_vague(graph.inputs) else None
    tape, trace = traced(graph, shape, whole_batch=True, constants=True)
    if len(network.inputs) != len(trace.ports) or len(network.outputs) != len(graph.outputs):
        names = ", ".join([port.name for port in trace.ports] + [output.name for output in graph.outputs])
        declared = f"{len(network.inputs)} inputs and {len(network.outputs)} outputs"
        raise InputError(f"{declared} are declared, but those of the model are {names[:200]}")
    for tensor, port in zip(network.inputs, trace.ports, strict=True):
        if tensor.size != port.size:
            raise InputError(f"input {port.name[:60]!r} has {port.size} elements, but {tensor.size} are declared")
    trace.reading().check_axes([tensor.shape for tensor in network.inputs])
    values: dict[TensorOf, AffineMap] = {}
    known = [(tensor, output.name) for tensor, output in zip(network.outputs, graph.outputs, strict=True)]
    for tensor, name in [*known, *((tensor, tensor.known_as) for tensor in network.hidden)]:
        value = trace.values.get(name)
        if tensor.is_integral and not (isinstance(value, np.ndarray) and value.dtype.kind in "iu"):
            raise InputError(f"tensor {name[:60]!r}: integers that depend on the input are not read")
        if isinstance(value, Tensor):
            values[tensor] = value.map
        elif isinstance(value, np.ndarray):
            values[tensor] = Tensor.constant(value).map
        else:
            why = getattr(value, "why", "there is no such tensor of numbers in the model")
            raise InputError(f"tensor {name[:60]!r}: {why}")
    return tape, values


def _is_vague(inputs: list[object]) -> bool:
    """Does the file leave a size of its only input open?"""
    dims = inputs[0].type.tensor_type.shape.dim if len(inputs) == 1 else ()  # type: ignore[attr-defined]
    return any(not d.HasField("dim_value") or d.dim_value < 1 for d in dims)


def _from_other(network: Declared, path: FilePath, read: Callable[[FilePath], Tape]) -> Found:
    tape = read(path)
    if len(network.inputs) != 1 or len(network.outputs) != 1 or network.hidden:
        raise InputError("only ONNX models have several inputs, several outputs and hidden tensors with names")
    if tape.inputs != network.inputs[0].size:
        raise InputError(f"the model reads {tape.inputs} numbers, but {network.inputs[0].size} are declared")
    output = tape.output
    if output is None:
        last = tape.layers[-1].outputs
        output = AffineMap.selection(tape.variables, range(tape.variables - last, tape.variables))
    if tape.reading is not None and tape.reading.left:
        raise InputError(f"its outputs are not read: {tape.reading.left[0]}")
    return tape, {network.outputs[0]: output}
