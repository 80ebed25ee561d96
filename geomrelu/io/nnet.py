"""Models in ``.nnet``, the text format of the ACAS Xu networks (K. Julian, Stanford, 2016), numbers as they are spelt.

After comment lines (``//``) come: the numbers of layers, inputs, outputs and the largest width; the widths; a flag that
nothing uses; the least and the greatest value of each input; means and ranges, of each input and one for all outputs;
then, layer by layer, the rows of the weights and the biases one to a line. ReLU follows every layer but the last.

The network reads ``(x - mean) / range`` and what it computes is ``y * range + mean`` of the outputs, exactly. Programs
for this format move an input outside its least and greatest value to the nearer of the two first; that is not part of
the network read, which is meant for inputs between them (``--domain range``).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineMap, affordable
from geomrelu.exact.numbers import rational
from geomrelu.io.files import FilePath, named, read_text
from geomrelu.io.reading import Port, Reading
from geomrelu.io.tape import Tape

__all__ = ["read"]

_LARGEST = 10**7  # of a size in the header: no number beyond it is even looked for


def read(path: FilePath) -> Tape:
    """The model in a ``.nnet`` file; its reading has the range of each input.

    Raises:
        InputError: ``path: line and what is wrong there``.

    Exact: yes; decimals are read as decimals, also those of the normalisation.
    """
    text = read_text(path)
    with named(path):
        lines = _Lines(text)
        count, inputs, outputs, widest = lines.sizes(
            4, "the numbers of layers, inputs and outputs and the largest width"
        )
        widths = lines.sizes(count + 1, "the widths of all layers")
        if (widths[0], widths[-1]) != (inputs, outputs) or max(widths) > widest:
            raise InputError(f"line {lines.number}: the widths {widths[:9]} do not fit the line before them")
        lines.numbers(None, "a flag")
        least, greatest = lines.numbers(inputs, "the least inputs"), lines.numbers(inputs, "the greatest inputs")
        means = lines.numbers(inputs + 1, "means of the inputs and of the outputs")
        ranges = lines.numbers(inputs + 1, "ranges of the inputs and of the outputs")
        if any(low > high for low, high in zip(least, greatest, strict=True)):
            raise InputError(f"line {lines.number - 3}: a least input is greater than the greatest")
        if not all(ranges):
            raise InputError(f"line {lines.number}: a range is zero")
        tape = Tape(inputs)
        value = tape.input.scaled(
            [1 / r for r in ranges[:inputs]], [-m / r for m, r in zip(means[:inputs], ranges[:inputs], strict=True)]
        )
        for position, (width, before) in enumerate(zip(widths[1:], widths[:-1], strict=True), 1):
            affordable(width * before, f"layer {position}")
            rows = [lines.numbers(before, f"a row of weights of layer {position}") for _ in range(width)]
            bias = [lines.numbers(1, f"a bias of layer {position}")[0] for _ in range(width)]
            value = AffineMap.from_dense(_table(rows), _table(bias), f"layer {position}").after(value)
            if position < count:
                value = tape.relu(value)
        lines.end()
        tape.finish(value.scaled([ranges[inputs]] * outputs, [means[inputs]] * outputs))
        tape.reading = Reading(
            "nnet",
            inputs=(Port("input", (inputs,)),),
            outputs=(Port("output", (outputs,)),),
            layers=tuple(tape.read),
            before=("normalisation of the inputs",),
            after=("linear", "normalisation of the outputs"),
            notes=(
                "programs for this format move inputs from outside their range to its ends; here they are not moved",
            ),
            range=tuple(zip(least, greatest, strict=True)),
        )
        return tape


def _table(values: list[list[Fraction]] | list[Fraction]) -> np.ndarray:
    shape = (len(values), len(values[0])) if isinstance(values[0], list) else (len(values),)
    table = np.empty(shape, dtype=object)
    table[...] = values
    return table


class _Lines:
    """The lines that are not comments, as lists of words."""

    def __init__(self, text: str) -> None:
        self.number = 0
        self.rest = self._words(text)
        self.known: dict[str, Fraction] = {}

    def _words(self, text: str) -> Iterator[list[str]]:
        for self.number, line in enumerate(text.splitlines(), 1):
            if line.strip() and not line.lstrip().startswith("//"):
                words = [word.strip() for word in line.split(",")]
                yield words[:-1] if not words[-1] else words

    def sizes(self, count: int, what: str) -> list[int]:
        """So many positive whole numbers."""
        found = self.numbers(count, what)
        if not all(v.denominator == 1 and 0 < v <= _LARGEST for v in found):
            raise InputError(f"line {self.number}: expected {what}: positive whole numbers of at most {_LARGEST}")
        return [int(v) for v in found]

    def numbers(self, count: int | None, what: str) -> list[Fraction]:
        """The numbers of the next line, which are so many."""
        words = next(self.rest, None)
        if words is None:
            raise InputError(f"the file ends before {what}")
        if count is not None and len(words) != count:
            raise InputError(f"line {self.number}: {len(words)} numbers, but {what} are {count}")
        found = []
        for word in words:
            if word not in self.known:
                self.known[word] = rational(word, f"line {self.number}")
            found.append(self.known[word])
        return found

    def end(self) -> None:
        """Nothing may follow."""
        if next(self.rest, None) is not None:
            raise InputError(f"line {self.number}: more numbers than the layers have")
