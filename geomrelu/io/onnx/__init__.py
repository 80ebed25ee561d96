"""Models in ONNX, traced exactly: parameters are the dyadic numbers their floats hold, arithmetic is rational.

Each tensor of the graph is a constant array or a :class:`~geomrelu.io.tensors.Tensor` of affine forms over the
variables of a tape; Relu makes new variables. The rounding that an inference engine adds to each operation is not
part of the network, in the same way as it is not part of the mathematics.

``model`` opens files, ``parts`` cuts off what comes before a tensor, ``protobuf`` takes numbers from them, ``trace``
walks the graph by the rules of operators, which ``rules`` collects and one file a family states (``activations``,
``elementwise``, ``linear``, ``pooling``, ``quantised``, ``resampling``, ``shapes``, ``constants``); ``rounding`` makes
layers of whole numbers, ``integral`` sees that whole numbers fit their types, ``optimised`` says what onnxruntime makes
of some graphs, ``batch`` reads one row of a batch, and ``drop_in`` writes smaller models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from geomrelu.errors import InputError
from geomrelu.io.files import FilePath, named
from geomrelu.io.onnx.batch import one_row, same
from geomrelu.io.onnx.model import Graph, load
from geomrelu.io.onnx.parts import Shapes, part_of, shapes_of
from geomrelu.io.onnx.trace import Trace, is_open, shown
from geomrelu.io.tape import Tape

__all__ = ["Given", "opened", "read", "read_quantised", "traced"]

_CHECKED = 1_500_000  # entries: how large a network is traced again, to see whether its first axis is a batch


Given = Sequence[int] | Mapping[str, Sequence[int]] | None
"""The shape of an input, or of several by name."""


def read(
    path: FilePath,
    shape: Given = None,
    whole_batch: bool = False,
    start: str | Sequence[str] = (),
    values: Mapping[str, Sequence[Any]] | None = None,
) -> Tape:
    """The model in an ONNX file: all its inputs, one after the other, and all its outputs.

    The first of several axes of the inputs is the batch if the network does the same with each row; then one row is
    read, else all of them are inputs. What is not piecewise linear is left out, with what depends on it, and the
    outputs are then what it reads; ``Tape.reading`` says so.

    Args:
        shape: of the input whose shape the file leaves open, with the batch; of several, by name.
        whole_batch: read all rows of a batch that the file fixes.
        start: tensors of the graph from which on it is read, as inputs of the network.
        values: of inputs that are constants then: one number, or all of them.

    Raises:
        InputError: ``path: what is wrong``, with the operator, its place in the file and its output.

    Exact: yes, except that batch normalisation may hold an irrational root, see
    :func:`geomrelu.io.tape.batch_normalisation`.
    """
    return _read(path, shape, whole_batch, start, values, quantised=False)


def read_quantised(
    path: FilePath,
    shape: Given = None,
    whole_batch: bool = False,
    start: str | Sequence[str] = (),
    values: Mapping[str, Sequence[Any]] | None = None,
) -> Tape:
    """The same, but where activations are quantised it goes on: ``Tape.quantisers`` says which layers are rounded.

    The scales are the dyadic numbers that their floats hold, and what is divided by a scale is rounded once, to a whole
    number, halves to even; sums of products are exact, as an engine's are that computes in integers.
    """
    return _read(path, shape, whole_batch, start, values, quantised=True)


def _read(
    path: FilePath,
    shape: Given,
    whole_batch: bool,
    start: str | Sequence[str],
    values: Mapping[str, Sequence[Any]] | None,
    quantised: bool,
) -> Tape:
    graph, shapes = opened(path, shape, start, values, whole=False)
    with named(path):
        return traced(graph, shapes, whole_batch, quantised=quantised)[0]


def opened(
    path: FilePath,
    shape: Given = None,
    start: str | Sequence[str] = (),
    values: Mapping[str, Sequence[Any]] | None = None,
    whole: bool = True,
) -> tuple[Graph, Shapes | None]:
    """The graph that is meant, see :func:`read`, and the shapes of inputs of it that were given."""
    names = (start,) if isinstance(start, str) else tuple(start)
    shapes: Shapes = {}

    def part(model: Any) -> Any:
        shapes.update(shapes_of(model, shape, names))
        return part_of(model, names, values or {}, shapes) if names or values else model

    graph = load(path, whole, part)
    found = {i.name: shapes[i.name] for i in graph.inputs if i.name in shapes}
    return graph, found or None


def traced(
    graph: Graph,
    shape: tuple[int, ...] | Shapes | None = None,
    whole_batch: bool = False,
    constants: bool = False,
    quantised: bool = False,
) -> tuple[Tape, Trace]:
    """The network of a graph, and the walk that found it, see :class:`Trace`."""
    shapes = shape if isinstance(shape, dict) else shapes_of(graph.model, shape, ())
    trace = Trace(graph, 1, shapes, constants, quantised)
    tape = trace.tape
    tape.reading = trace.reading()
    rows = {port.shape[0] if len(port.shape) > 1 else 0 for port in trace.ports}
    if shape is None and any(is_open(given) for given in graph.inputs if given.name in trace.given):
        _check_open_batch(graph, trace)
    elif len(rows) == 1 and (size := rows.pop()) > 1 and not whole_batch:
        single = one_row(trace, size)
        if single is not None:
            return single, trace
        trace.note(f"the {size} rows of the first axis are no batch: the network does not treat them alike")
        tape.reading = trace.reading()
    return tape, trace


def _check_open_batch(graph: Graph, trace: Trace) -> None:
    """Is the axis that the file leaves open a batch? The network is traced with two rows to see that.

    Raises:
        InputError: it is not.
    """
    tape = trace.tape
    maps = [*tape.layers, *([] if tape.output is None else [tape.output])]
    if sum(len(m.data) for m in maps) > _CHECKED:
        trace.note("the axis of unknown size is taken for a batch, which was not checked on so large a network")
    else:
        try:
            double = Trace(graph, 2, quantised=trace.quantised)
        except InputError:
            trace.note("only a batch of one row fits the model")
        else:
            single = one_row(double, 2)
            if single is None or not same(single, tape):
                given = next(i for i in graph.inputs if is_open(i))
                raise InputError(
                    f"input {given.name[:80]!r}: its first axis, of unknown size, is no batch, as the network does not "
                    f"treat its rows alike: {shown(given.type.tensor_type.shape)}; give its shape"
                )
    tape.reading = trace.reading()
