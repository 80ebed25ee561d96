"""What was read: a reader states which layers it found, what lies before and after them, and what it left out, and why.

Every reader of a model fills one :class:`Reading`; ``geomrelu inspect`` prints it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from geomrelu.errors import InputError

__all__ = ["Port", "ReadLayer", "Reading", "as_read", "meaning"]

_MEANINGS = {
    "ReLU": "dead: its output is 0 everywhere",
    "JumpReLU": "dead: never above its threshold",
    "LeakyReLU": "dead: never in its upper part, so that it is the linear map of its lower slope",
    "clip": "dead: never above its lower bound, so that it is constant",
    "absolute value": "dead: its argument is never positive, so that it is linear",
    "maximum": "dead: the first argument never exceeds the second",
    "minimum": "dead: the first argument is never below the second",
    "upper bound": "dead: the upper bound is never exceeded",
    "quantised ReLU": "dead: its output is its zero point everywhere",
    "quantiser": "rounds and saturates, and is no ReLU",
}


def meaning(kind: str) -> str:
    """What a dead verdict says about a layer of this kind (see :class:`ReadLayer`)."""
    return _MEANINGS.get(kind, "")


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a model: its name and shape, empty for a number; a batch counts as one row."""

    name: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    def __str__(self) -> str:
        return f"{self.name} [{', '.join(map(str, self.shape))}]"


@dataclass(frozen=True, slots=True)
class ReadLayer:
    """A ReLU layer of the network read.

    Attributes:
        name: where it stands in the file: a tensor, a module, a key; "" if the file has no names.
        shape: of its neurons, which are numbered row by row.
        kind: ReLU, JumpReLU, LeakyReLU, clip, absolute value, maximum, minimum, upper bound, quantised ReLU or
            quantiser; what dead means for it is :func:`meaning`.
        own: False for auxiliary neurons, which stand for something that the model does not call a neuron, such as a
            maximum: they are part of the network, but not judged unless asked for.
    """

    name: str
    shape: tuple[int, ...]
    kind: str = "ReLU"
    own: bool = True


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader made of a file.

    Attributes:
        format: and its version, as the file says it: "ONNX, opset 17".
        inputs, outputs: in the order in which the network numbers its inputs and outputs. Where something is left out,
            what it reads is among the outputs.
        layers: one for each layer of the network.
        before, between, after: operators or modules before the first layer, between layers, and after the last one,
            each once, in their order. They are part of the network.
        rows: of the batch that the file fixes; one of them is read, as all do the same, each for itself.
        left: what is no part of the network, and why; nothing, if the whole model was read.
        notes: other things to know, a line each.
        range: the least and the greatest value of each input, where the file gives them.
    """

    format: str
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    layers: tuple[ReadLayer, ...] = ()
    before: tuple[str, ...] = ()
    between: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    rows: int = 1
    left: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    range: tuple[tuple[Fraction, Fraction], ...] | None = None

    @property
    def judged(self) -> list[int]:
        """The layers (from 1) whose neurons are the model's own."""
        return [level for level, layer in enumerate(self.layers, 1) if layer.own]

    def check_axes(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Refuse arrays, read one after the other, whose axes are not those of the inputs: numbers would be confused.

        Axes of size 1 do not count, and a single axis numbers everything. Other sizes in all are not looked at.

        Raises:
            InputError: other axes.
        """
        given, own = [_axes(shape) for shape in shapes], [_axes(port.shape) for port in self.inputs]
        total, size = (sum(map(math.prod, arrays)) for arrays in (given, own))
        if self.rows > 1 and total == self.rows * size:  # all rows of a batch
            own, size = [[self.rows, *axes] for axes in own], total
        if total != size or (len(given) == 1 and len(given[0]) < 2):
            return
        alike = len(given) == len(own) and all(
            a == b or (math.prod(a) == math.prod(b) and min(len(a), len(b)) < 2)
            for a, b in zip(given, own, strict=True)
        )
        if not alike:
            shown = ", ".join(str(list(shape)) for shape in shapes)
            raise InputError(f"axes {shown}, where the model reads {', '.join(map(str, self.inputs))}")

    def meanings(self, levels: Sequence[int]) -> Iterator[str]:
        """What dead means in those of some layers (from 1) that are no ReLU layers, a line for each kind."""
        kinds = {level: self.layers[level - 1].kind for level in levels}
        for kind in dict.fromkeys(kinds.values()):
            if kind != "ReLU":
                own = [str(level) for level in levels if kinds[level] == kind]
                yield f"{kind} (layer{'s'[: len(own) != 1]} {', '.join(own)}): {meaning(kind)}"

    def told(self, levels: Sequence[int]) -> Iterator[str]:
        """What is to be known before the verdicts on some layers (from 1) are read."""
        yield from (f"Not judged: {why}" for why in self.left)
        yield from (f"Note: {line}" for line in self.notes)
        yield from self.meanings([level for level in levels if 1 <= level <= len(self.layers)])

    def lines(self) -> Iterator[str]:
        """The reading as text, a line for each thing."""
        yield f"format   {self.format}"
        for what, ports in (("input", self.inputs), ("output", self.outputs)):
            for port in ports:
                yield f"{what:<8} {port}: {port.size} number{'s'[: port.size != 1]}"
        if self.rows > 1:
            yield f"batch    of {self.rows} rows, which do the same: one is read"
        if self.before:
            yield f"before   {', '.join(self.before)}"
        for level, layer in enumerate(self.layers, 1):
            shape = f" [{', '.join(map(str, layer.shape))}]" if len(layer.shape) > 1 else ""
            said = f"{layer.kind}; {meaning(layer.kind)}" if layer.kind != "ReLU" else "ReLU"
            own = "" if layer.own else "; auxiliary: not judged unless asked for"
            name = f" {layer.name}" if layer.name else ""
            size = math.prod(layer.shape)
            yield f"layer {level:<2} {size} neuron{'s'[: size != 1]}{shape}{name} ({said}{own})"
        if self.between:
            yield f"between  {', '.join(self.between)}"
        if self.after:
            yield f"after    {', '.join(self.after)}"
        if self.range is not None:
            yield "range    given for each input"
        for line in self.left:
            yield f"left out {line}"
        for line in self.notes:
            yield f"note     {line}"


def _axes(shape: Sequence[int]) -> list[int]:
    return [size for size in shape if size != 1]


def as_read(inputs: int, widths: Sequence[int]) -> Reading:
    """The reading of a network whose file says no more than its layers."""
    return Reading("layers", (Port("inputs", (inputs,)),), layers=tuple(ReadLayer("", (n,)) for n in widths))
