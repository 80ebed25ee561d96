"""The walk through a graph: each tensor is a constant array, or affine forms over the variables of a tape.

Where an operator is not piecewise linear, or not known, the network ends: what the operator reads becomes an output of
it, and what depends on it is left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from geomrelu.errors import InputError, TooLarge
from geomrelu.exact.affine import AffineMap
from geomrelu.io.files import named, one_line
from geomrelu.io.onnx import (
    activations,
    constants,
    elementwise,
    integral,
    linear,
    pooling,
    quantised,
    resampling,
    sequences,
    shapes,
)
from geomrelu.io.onnx.model import Graph, Named, read_by, renamed
from geomrelu.io.onnx.optimised import optimised_away
from geomrelu.io.onnx.parts import Shapes
from geomrelu.io.onnx.protobuf import FLOATS, INTEGERS, RANGES
from geomrelu.io.onnx.rules import MANY, OPERATORS, Node, Rule, Several, Step, Unsupported
from geomrelu.io.reading import Port, Reading
from geomrelu.io.tape import Tape
from geomrelu.io.tensors import Tensor, Value, sized

__all__ = ["Left", "Trace", "is_open", "shown", "sizes_of"]

_FAMILIES = (
    activations,
    constants,
    elementwise,
    linear,
    pooling,
    quantised,
    resampling,
    sequences,
    shapes,
)  # each fills OPERATORS

_DEEPEST = 50  # branches in branches
_ARITHMETIC = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide}
_FEW = 64
_LAYOUTS = ("com.microsoft.nchwc", "com.ms.internal.nhwc")
_OF_ONE_PROCESSOR = ": onnxruntime orders entries for one processor; save its optimised model by ORT_ENABLE_EXTENDED"
_MASKS = frozenset({"Add", "Concat", "Max", "Min", "Pad", "ScatterElements", "ScatterND", "Sub", "Sum", "Where"})
_WHOLE = {name: kind for kind, name in INTEGERS.items()}


@dataclass(frozen=True, slots=True)
class Left:
    """In the place of a value that is left out: why."""

    why: str


class Trace:
    """Walks a graph once.

    Args:
        rows: of what an input of unknown batch size is taken to have.
        shapes: of inputs by name, where the file leaves more than the batch open.
        constants: is a model whose outputs are all constant a network, too?
        quantised: may activations be rounded to whole numbers? Otherwise the network ends where they are.

    Attributes:
        tape: the network.
        values: what each tensor is.
        computed: see :class:`geomrelu.io.onnx.rules.Walked`.
        outputs: the names of the tensors that the network's output is made of, in order.
        made_by: for each layer of the tape, the node.
    """

    def __init__(
        self,
        graph: Graph,
        rows: int = 1,
        shapes: Shapes | None = None,
        constants: bool = False,
        quantised: bool = False,
    ) -> None:
        self.graph, self.constants, self.quantised = graph, constants, quantised
        self.values: dict[str, Value | Step | Several | Left] = {}
        self.computed: dict[str, np.ndarray] = {}
        self.kinds: dict[str, int] = {}  # element types of tensors that depend on the input
        self.notes: dict[str, None] = {}
        self.left: dict[str, list[str]] = {}  # why, and the layers that are left out for it
        self.cuts: dict[str, None] = {}  # tensors that are read by what is left out
        self.made_by: list[Named] = []
        self.operators: list[tuple[int, str]] = []  # after how many layers each stands
        self.opsets = {o.domain: o.version for o in graph.model.opset_import} or {"": 1}
        self.given: list[str] = []
        self.depth = 0  # of branches
        self.wide = any(i.type.tensor_type.elem_type == 11 for i in graph.inputs)
        self.tape = self._inputs(rows, shapes or {})
        for node in graph.nodes:
            with named(node.where):
                self._do(node)
        self._finish()
        for what, names in optimised_away(graph, self.kinds).items():
            shown = ", ".join(repr(name[:40]) for name in names[:3]) + ", ..." * (len(names) > 3)
            self.note(f"onnxruntime, {what} ({shown}); here they are as in the file")

    def note(self, text: str) -> None:
        """Say something about the reading, once."""
        self.notes[text] = None

    # ---- inputs and outputs -----------------------------------------------------------------------------------

    def _inputs(self, rows: int, known: Shapes) -> Tape:
        shapes: Shapes = {}
        for given in self.graph.inputs:
            kind = given.type.tensor_type
            if not given.type.HasField("tensor_type") or kind.elem_type not in FLOATS:
                self.values[given.name] = Left(f"input {given.name[:80]!r} is not a tensor of floating-point numbers")
                continue
            shapes[given.name] = sizes_of(given, rows, known.get(given.name))
            self.kinds[given.name] = kind.elem_type
        if not shapes:
            if not self.graph.inputs:
                raise InputError("the graph has no input")
            why = next(v.why for v in self.values.values() if isinstance(v, Left))
            raise InputError(f"{why}; behind it, one of them may be the start (--start)")
        self.ports = [Port(name, sizes) for name, sizes in shapes.items()]
        self.given = list(shapes)
        tape, start = Tape(sum(port.size for port in self.ports)), 0
        for port in self.ports:
            columns = range(start, start + port.size)
            self.values[port.name] = Tensor(port.shape, AffineMap.selection(tape.inputs, columns))
            start += port.size
        return tape

    def _finish(self) -> None:
        wanted = [o.name for o in self.graph.outputs]
        found = {name: self._value(name) for name in wanted}
        for name, value in found.items():
            if isinstance(value, Left):
                self.left.setdefault(value.why, [])
            elif isinstance(value, (Step, Several)):
                what = "a truth value" if isinstance(value, Step) else "a sequence"
                self.left.setdefault(f"output {name[:80]!r} is {what}", [])
                self._cut(name)
        parts = [name for name, value in found.items() if isinstance(value, Tensor)]
        parts += [name for name in self.cuts if name not in parts and isinstance(self.values[name], Tensor)]
        if not parts:
            if self.left:
                raise InputError(next(iter(self.left)))
            if self.constants:
                self.outputs: list[str] = []
                self.tape.finish(Tensor.constant(np.zeros(1)).map)
                return
            raise InputError(f"the output {wanted[0][:80]!r} does not depend on the input")
        behind = self._behind()
        if not self.tape.layers and self.left:
            further = behind and f"; to read those behind it, start at tensor {behind!r} (--start)"
            raise InputError(f"no ReLU layer comes before what is left out: {next(iter(self.left))}{further}")
        if behind:
            self.note(f"to read ReLU layers behind what is left out, start at a tensor, as at {behind!r} (--start)")
        for name in wanted:
            if isinstance(found[name], np.ndarray):
                self.note(f"output {name[:80]!r} does not depend on the input")
        self.outputs = parts
        tensors = [t for name in parts if isinstance(t := self.values[name], Tensor)]
        maps = [t.map.widened(self.tape.variables) for t in tensors]
        after = [name for at, name in self.operators if at == len(self.tape.layers)]
        self.tape.finish(maps[0] if len(maps) == 1 else AffineMap.stacked(maps), after)

    def _behind(self) -> str:
        """The tensor from which on the first activation that is left out can be read; "" if there is none."""
        made = {o: n.proto for n in self.graph.nodes for o in n.proto.output if o}
        left = {name for name, value in self.values.items() if isinstance(value, Left)}
        for node in self.graph.nodes:
            if node.proto.op_type in activations.ACTIVATIONS and left.intersection(node.proto.output):
                name = node.proto.input[0] if node.proto.input else ""
                while name in made and name in left:
                    proto = made[name]
                    read = [
                        other
                        for other in proto.input
                        if not isinstance(self.values.get(other), (np.ndarray, type(None)))
                    ]
                    if len(read) != 1 or read[0] not in left or (proto.domain, proto.op_type) not in OPERATORS:
                        return name if len(name) <= 200 else ""
                    (name,) = read
        return ""

    def _cut(self, name: str) -> None:
        """The network ends at a tensor; where it is none, at those that it is made of."""
        value = self.values.get(name)
        if isinstance(value, Tensor):
            self.cuts[name] = None
        elif isinstance(value, (Step, Several)):
            for node in self.graph.nodes:
                if name in node.proto.output:
                    for read in read_by(node.proto):
                        self._cut(read)

    def reading(self) -> Reading:
        """What was read."""
        depth, opset = len(self.tape.layers), self.opsets.get("", self.opsets.get("ai.onnx", 0))

        def between(first: int, last: int) -> tuple[str, ...]:
            return tuple(dict.fromkeys(name for at, name in self.operators if first <= at <= last))

        left = []
        for why, layers in self.left.items():
            more = f"; with it {len(layers)} ReLU layer{'s'[: len(layers) != 1]}, which read it" if layers else ""
            left.append(f"{why}{more}")
        shapes = [(name, t.shape) for name in self.outputs if isinstance(t := self.values[name], Tensor)]
        return Reading(
            f"ONNX, opset {opset}",
            tuple(self.ports),
            tuple(Port(name, shape) for name, shape in shapes),
            tuple(self.tape.read),
            before=between(0, 0) if depth else (),
            between=between(1, depth - 1),
            after=between(depth, depth) if depth else (),
            left=tuple(left),
            notes=tuple(self.notes),
        )

    # ---- nodes ------------------------------------------------------------------------------------------------

    def _value(self, name: str) -> Value | Step | Several | Left:
        if name not in self.values:
            if name not in self.graph.protos:
                raise InputError(f"the tensor {name[:80]!r} is made by nothing")
            if name in self.graph.apart:  # too large to be kept
                return self.graph.constant(name)
            self.values[name] = self.graph.constant(name)
        return self.values[name]

    def _do(self, named_node: Named) -> None:
        proto = named_node.proto
        inputs = [self._value(name) if name else None for name in proto.input]
        if proto.op_type == "If" and proto.domain in ("", "ai.onnx") and self._branched(named_node, inputs):
            return
        behind = next((v for v in inputs if isinstance(v, Left)), None)
        if behind is not None:
            if proto.op_type in activations.ACTIVATIONS:
                self.left.setdefault(behind.why, []).append(proto.output[0] if proto.output else "")
            self._leave(proto, behind)
            return
        node = Node(proto, self)
        before = len(self.tape.layers)
        try:
            results = self._applied(node, proto, inputs)
            for value in results:
                if isinstance(value, Tensor):
                    self.tape.carry(value.map)
        except InputError as problem:
            if not isinstance(problem, (Unsupported, TooLarge)) and not _is_masking(proto, inputs):
                raise
            self.tape.forget(before)
            why = (
                f"{named_node.where} {problem}"
                if str(problem).startswith("is not")
                else f"{named_node.where}: {problem}"
            )
            self.left.setdefault(why, [])
            self._leave(proto, Left(why))
            return
        self.made_by += [named_node] * (len(self.tape.layers) - before)
        self._compute(proto, inputs, results)
        for name, value in zip(proto.output, results, strict=False):
            if name:
                self.values[name] = value
                if isinstance(value, Tensor):
                    self.kinds[name] = node.kind
        made = len(self.tape.layers)
        if any(isinstance(v, Tensor) for v in results) and made == before:
            self.operators.append((made, proto.op_type))
        for name in proto.output[len(results) :]:
            if name:
                self.values[name] = Left(f"{named_node.where}: its output {name[:80]!r} is not supported")

    def _compute(self, proto: Any, inputs: list[Any], results: tuple[Any, ...]) -> None:
        """Sums and products of few constants, as sizes are, in floats as well; in case they become whole numbers."""
        ufunc, result = _ARITHMETIC.get(proto.op_type), results[0] if results and proto.output else None
        if ufunc is None or proto.domain or proto.attribute or not isinstance(result, np.ndarray):
            return
        if result.dtype != object or result.size > _FEW:
            return
        floats = [self.computed.get(name, v) for name, v in zip(proto.input, inputs, strict=False)]
        if len(floats) == 2 and len({v.dtype for v in floats}) == 1 and floats[0].dtype.kind == "f":
            with np.errstate(all="ignore"):
                self.computed[proto.output[0]] = np.asarray(ufunc(*floats))

    def _branched(self, named_node: Named, inputs: list[Any]) -> bool:
        """Walk the branch that a constant condition chooses."""
        proto = named_node.proto
        if len(inputs) != 1 or not isinstance(inputs[0], np.ndarray) or inputs[0].size != 1:
            return False
        wanted = "then_branch" if inputs[0].astype(bool).ravel()[0] else "else_branch"
        branch = next((a.g for a in proto.attribute if a.name == wanted), None)
        if branch is None or len(branch.output) != len(proto.output) or branch.sparse_initializer:
            raise InputError("there is no such branch, or its outputs do not fit")
        own = {t.name for t in branch.initializer} | {o for n in branch.node for o in n.output} - {""}
        # Branches may call different things by one name. (Names of names would double again and again.)
        prefix = f"{proto.output[0] if len(proto.output[0]) <= 80 else len(self.values)}/{wanted}/"

        def name(of: str) -> str:
            return prefix + of if of in own else of

        nodes = self.graph.written_out([renamed(node, name) for node in branch.node], "branch, ")
        made: set[str] = set()
        for tensor in [*map(name, (t.name for t in branch.initializer)), *(o for n in nodes for o in n.proto.output)]:
            if tensor and (tensor in made or tensor in self.values or tensor in self.graph.protos):
                raise InputError(f"the tensor {tensor[:80]!r} is made twice")
            made.add(tensor)
        for tensor in branch.initializer:
            self.graph.protos[name(tensor.name)] = tensor
        if self.depth >= _DEEPEST:
            raise InputError(f"branches are nested more than {_DEEPEST} deep")
        self.depth += 1
        for node in nodes:
            with named(node.where):
                self._do(node)
        self.depth -= 1
        for result, output in zip(proto.output, branch.output, strict=True):
            self.values[result] = self._value(name(output.name))
            if name(output.name) in self.kinds:
                self.kinds[result] = self.kinds[name(output.name)]
        return True

    def _leave(self, proto: Any, left: Left) -> None:
        for name in read_by(proto):
            self._cut(name)
        for name in filter(None, proto.output):
            self.values[name] = left

    def _applied(self, node: Node, proto: Any, inputs: list[Any]) -> tuple[Any, ...]:
        rule = OPERATORS.get(("" if proto.domain == "ai.onnx" else proto.domain, proto.op_type))
        while inputs and inputs[-1] is None:
            inputs.pop()
        kinds = [self.kinds[n] for n in proto.input if n in self.kinds]
        node.kind = max(kinds, key=lambda k: FLOATS.get(k, (0, 0)), default=11 if self.wide else 1)
        fixed = all(not isinstance(v, (Tensor, Step, Several)) for v in inputs)
        if rule is None:
            if fixed and inputs:
                return constants.evaluated(node, proto, inputs)
            own = f" in the domain {proto.domain[:60]!r}" if proto.domain not in ("", "ai.onnx") else ""
            raise Unsupported(f"is not supported{own}{_OF_ONE_PROCESSOR * (proto.domain in _LAYOUTS)}")
        if fixed and not rule.arrays:
            return self._folded(node, proto, rule, inputs)
        results = self._ruled(node, rule, inputs)
        if not fixed and node.kind in RANGES and node.operator not in integral.KEEPING:
            for value in results:
                if isinstance(value, Tensor):
                    integral.check(self.tape, value, node.kind)
        return results

    def _folded(self, node: Node, proto: Any, rule: Rule, inputs: list[Any]) -> tuple[Any, ...]:
        """Constants through a rule that is made for tensors: exactly, as tensors that read no input."""
        lifted = [Tensor.constant(v) if k == 0 and v is not None else v for k, v in enumerate(inputs)]
        node.kind = next((_WHOLE[v.dtype.name] for v in inputs[:1] if v is not None and v.dtype.name in _WHOLE), 0)
        try:
            results = self._ruled(node, rule, lifted)
        except Unsupported:
            return constants.evaluated(node, proto, inputs)
        arrays = [value.value if isinstance(value, Tensor) else value for value in results]
        if node.kind not in RANGES:
            return tuple(arrays)
        for array in arrays:
            integral.check(self.tape, array, node.kind)
        kind = INTEGERS.get(node.kind, "uint8" if RANGES[node.kind][0] == 0 else "int8")
        return tuple(array.astype(kind) if array.dtype == object else array for array in arrays)

    @staticmethod
    def _ruled(node: Node, rule: Rule, inputs: list[Any]) -> tuple[Any, ...]:
        unknown = sorted(set(node.attributes) - rule.attributes)
        if unknown:
            raise Unsupported(f"attribute {unknown[0][:40]!r} is not supported")
        required = inputs if rule.most == MANY else inputs[: rule.least]
        if not rule.least <= len(inputs) <= rule.most or any(v is None for v in required):
            raise InputError(f"{len(inputs)} inputs are not supported")
        if not rule.steps and any(isinstance(v, Step) for v in inputs):
            raise Unsupported("truth values that depend on the input are not supported here")
        if [isinstance(v, Several) for v in inputs] != [rule.sequences and k == 0 for k in range(len(inputs))]:
            raise InputError("a sequence stands where a tensor is expected, or the other way round")
        try:
            results = rule.apply(node, *inputs)
        except ValueError as problem:  # NumPy, of shapes that do not fit
            if isinstance(problem, InputError):
                raise
            raise InputError(one_line(problem)) from None
        return results if isinstance(results, tuple) else (results,)


def _is_masking(proto: Any, inputs: list[Any]) -> bool:
    """Are infinite constants added to or put among values, as masks are? That is in order, but no affine map."""
    return proto.op_type in _MASKS and any(
        isinstance(v, np.ndarray) and v.dtype.kind == "f" and np.isinf(v).any() for v in inputs
    )


def sizes_of(given: Any, rows: int, shape: tuple[int, ...] | None) -> tuple[int, ...]:
    """The shape of an input; a batch that the file leaves open gets ``rows``."""
    kind, where = given.type.tensor_type, f"input {given.name[:80]!r}"
    if not kind.HasField("shape"):
        if shape is None:
            raise InputError(f"{where} has no shape: give one")
        sized(math.prod(shape), where)
        return shape
    sizes = [d.dim_value if d.HasField("dim_value") else 0 for d in kind.shape.dim]
    if shape is not None:
        if len(shape) != len(sizes) or any(s > 0 and s != w for s, w in zip(sizes, shape, strict=True)):
            raise InputError(f"{where}: {list(shape)} does not fit {shown(kind.shape)}")
        sizes = list(shape)
    elif len(sizes) > 1 and sizes[0] <= 0:
        sizes[0] = rows
    if any(d < 1 for d in sizes):
        raise InputError(
            f"{where}: only the batch, the first of several axes, may be of unknown size: {shown(kind.shape)}; give "
            "its shape"
        )
    sized(math.prod(sizes), where)
    return tuple(sizes)


def is_open(given: Any) -> bool:
    """Does the file leave the size of the batch open?"""
    dims = given.type.tensor_type.shape.dim
    return len(dims) > 1 and not (dims[0].HasField("dim_value") and dims[0].dim_value > 0)


def shown(shape: Any) -> str:
    sizes = [str(d.dim_value) if d.HasField("dim_value") else d.dim_param[:20] or "?" for d in shape.dim]
    return f"shape [{', '.join(sizes)}]"
