"""Prunings made and judged quickly, in whole numbers.

The plain judge derives the smaller network with fractions and compares digests. A row that reads no folded or merged
neuron has the numbers of the model under other names: here they stay as they are, only the other rows are added up, and
networks are compared number by number. The outcome is the plain judge's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import compress
from math import gcd, lcm
from typing import Any

from geomrelu import checker
from geomrelu.certificates.batch import Quick
from geomrelu.checker import Domain, Fates, Layer, Model, Row, require

__all__ = ["check_changes", "check_pruning", "outputs", "pruned"]

REMOVED, FORM = -1, -2  # what became of a variable that is no variable of the smaller network


def check_pruning(certificate: Any, model: Model, domain: Domain, smaller: Model) -> dict[str, int]:
    """What :func:`geomrelu.checker.check_pruning` says, quickly, claims judged by :class:`Quick`.

    Args:
        model, smaller: rows as :meth:`geomrelu.checker.Model.parse` has them, columns increasing and no zeros.

    Raises:
        Rejected: of :mod:`geomrelu.checker`, at the first doubt.

    Exact: yes. Cost: a comparison for each weight; a product for each weight on a folded neuron and each of its own.
    """
    checker.open_pruning(certificate, model, domain, smaller)
    claims = checker.prove_all(certificate, model, domain, Quick) if certificate["claims"] else []
    return check_changes(certificate, model, claims, smaller)


def check_changes(certificate: Any, model: Model, claims: Any, smaller: Model) -> dict[str, int]:
    """The same as :func:`check_pruning`, once its claims have been proved."""
    fates = checker.fates_of(certificate, model)
    checker.require_claims(model, fates, claims)
    require(_equal(pruned(model, fates), smaller), "the smaller network is another one")
    return {key: sum(kind == key for kind, _ in fates.values()) for key in checker.CHANGES}


def pruned(model: Model, fates: Fates, poll: Callable[[], None] = lambda: None) -> Model:
    """The model without the neurons in ``fates``, as :func:`geomrelu.checker.pruned` has it, in whole numbers.

    Args:
        fates: none is merged into one that is changed itself.
        poll: called at each row; it may raise.
    """
    new, layers = _Variables(model.inputs), list[Layer]()
    for level, layer in enumerate(model.layers, 1):
        poll()
        changed = {i: fates[level, i] for i in range(len(layer.rows)) if (level, i) in fates}
        if len(changed) < len(layer.rows):
            layers.append(new.layer([row for i, row in enumerate(layer.rows) if i not in changed], layer, poll))
        new.enter(layer, changed, poll)
    last = model.output
    if last is None and any(level == len(model.layers) for level, _ in fates):
        last = outputs(model)
    return Model(model.inputs, layers, None if last is None else new.layer(last.rows, last, poll))


def outputs(model: Model) -> Layer:
    """The map that says that the outputs are those of the last layer."""
    return Layer([(0, [j], [1]) for j in range(model.start[-2], model.start[-1])], 1)


class _Variables:
    """What became of the variables of a model: their names in the smaller one, or what stands for them there."""

    def __init__(self, inputs: int) -> None:
        self.names = list(range(inputs))
        self.forms: dict[int, tuple[Row, int]] = {}  # rows over the new variables, and their denominators
        self.count = inputs  # new variables so far

    def enter(self, layer: Layer, changed: dict[int, tuple[str, Any]], poll: Callable[[], None]) -> None:
        """The neurons of a layer become variables, or what becomes of them instead."""
        names, first = list[int](), len(self.names)
        for i in range(len(layer.rows)):
            names.append(self.count if i not in changed else REMOVED if changed[i][0] == "removed" else FORM)
            self.count += i not in changed
        for i, (kind, what) in changed.items():
            if kind == "folded":
                poll()
                self.forms[first + i] = self.rewritten(layer.rows[i], layer.denominator)
            elif kind == "merged":
                j, c = what
                self.forms[first + i] = (0, [names[j]], [c.numerator]), c.denominator
        self.names += names

    def layer(self, rows: Sequence[Row], old: Layer, poll: Callable[[], None]) -> Layer:
        """Rows of a layer, over the new variables."""
        found = []
        for row in rows:
            poll()
            found.append(self.rewritten(row, old.denominator))
        common = lcm(*{d for _, d in found})
        return Layer([_times(row, common // d) for row, d in found], common)

    def rewritten(self, row: Row, denominator: int) -> tuple[Row, int]:
        """A row over the new variables, and its denominator."""
        bias, columns, entries = row
        places = [self.names[j] for j in columns]
        least = min(places, default=0)
        if least == FORM:
            return self._summed(row, denominator)
        if least == REMOVED:
            stay = [k >= 0 for k in places]
            places, entries = list(compress(places, stay)), list(compress(entries, stay))
        return (bias, places, entries), denominator

    def _summed(self, row: Row, denominator: int) -> tuple[Row, int]:
        bias, columns, entries = row
        forms = {j: self.forms[j] for j in columns if self.names[j] == FORM}
        common = lcm(*{d for _, d in forms.values()})
        total, sums = bias * common, dict[int, int]()
        for j, w in zip(columns, entries, strict=True):
            if j in forms:
                (b, places, values), d = forms[j]
                factor = w * (common // d)
                total += factor * b
                for k, v in zip(places, values, strict=True):
                    sums[k] = sums.get(k, 0) + factor * v
            elif self.names[j] != REMOVED:
                k = self.names[j]
                sums[k] = sums.get(k, 0) + w * common
        places = sorted(k for k, v in sums.items() if v)
        divisor = gcd(denominator * common, total, *sums.values())
        return (total // divisor, places, [sums[k] // divisor for k in places]), denominator * common // divisor


def _times(row: Row, factor: int) -> Row:
    bias, columns, entries = row
    return row if factor == 1 else (bias * factor, columns, [v * factor for v in entries])


def _equal(one: Model, other: Model) -> bool:
    """Are they the same, layer by layer and number by number?"""
    layers, others = ([*m.layers, *([] if m.output is None else [m.output])] for m in (one, other))
    ends = (one.inputs, len(one.layers), len(layers)) == (other.inputs, len(other.layers), len(others))
    return ends and all(map(_same, layers, others))


def _same(one: Layer, other: Layer) -> bool:
    """Have two layers the same rows, each over its own denominator?"""
    common = lcm(one.denominator, other.denominator)
    p, q = common // one.denominator, common // other.denominator
    return len(one.rows) == len(other.rows) and all(
        _times(a, p) == _times(b, q) for a, b in zip(one.rows, other.rows, strict=True)
    )
