"""A smaller network that equals a model on a set, from whatever a person has at hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from os import PathLike
from pathlib import Path
from typing import Any

from geomrelu import checker
from geomrelu.arguments import filename, seconds, truth
from geomrelu.budget import Budget
from geomrelu.certificates import files
from geomrelu.deadness.front_door import decide
from geomrelu.deadness.pruning import Pruning, reserve
from geomrelu.deadness.pruning import prune as pruned
from geomrelu.deadness.quantised_pruning import QuantisedSmaller, smaller_file
from geomrelu.deadness.quantised_report import QuantisedReport
from geomrelu.errors import InputError
from geomrelu.exact.numbers import long_numbers
from geomrelu.geometry.domains import OneSet, Union, as_domain
from geomrelu.network.front_door import as_judged
from geomrelu.network.network import Network
from geomrelu.network.quantised import QuantisedNetwork

__all__ = ["Smaller", "prune"]


@dataclass(frozen=True, repr=False)
class Smaller:
    """A smaller network, and the proof that it equals the original on the domain.

    Attributes:
        original, domain: what it equals, and where.
        pruning: the smaller ``network``, its ``certificate``, and what was removed, folded and merged.
        undecided: how many neurons a budget left open; they stay.

    Exact: yes, proved. Cost of :meth:`check`: linear in the size of the certificate.
    """

    original: Network
    domain: OneSet
    pruning: Pruning
    undecided: int

    @property
    def network(self) -> Network:
        """The smaller network."""
        return self.pruning.network

    def __call__(self, point: Sequence[Any]) -> list[Fraction]:
        """Its exact output, which on the domain is that of the original."""
        return self.network(point)

    @long_numbers()
    def save(self, path: str | PathLike[str], certificate: str | PathLike[str] | None = None) -> None:
        """Write the network to a path that ends in .json, .npz or .onnx, and its ``certificate`` where that is wanted.

        Raises:
            InputError: numbers or connections that the format has no place for; ``fold=False, merge=False`` keeps
                all weights as they are.
        """
        self.network.save(filename(path, "the file of a network"))
        if certificate is not None:
            files.save(Path(filename(certificate, "a certificate")), self.pruning.certificate)

    @long_numbers()
    def check(self) -> dict[str, int]:
        """Judge again, by the plain judge, that both are equal on the domain; the numbers of neurons changed.

        Raises:
            Rejected: of :mod:`geomrelu.checker`.
        """
        sets = self.original.checked, self.domain.checked, self.network.checked
        return checker.check_pruning(self.pruning.certificate, *sets)

    def __repr__(self) -> str:
        names = ("neurons", "parameters", "multiplications")
        sizes = zip(self.pruning.before, self.pruning.after, names, strict=True)
        said = ", ".join(f"{before:,} -> {after:,} {name}" for before, after, name in sizes)
        open_ = f"; {self.undecided} undecided neurons stay" if self.undecided else ""
        left = () if self.original.reading is None else self.original.reading.left
        part = f"; of the model is not read, and not in it: {left[0]}" if left else ""
        return f"equal on the domain, proved: {said} ({self.pruning.said}{open_}){part}"


@long_numbers()
def prune(
    model: Any,
    domain: Any = None,
    *,
    time: float = 600.0,
    neuron_time: float | None = None,
    workers: int = 1,
    certificates: str | PathLike[str] | None = None,
    fold: bool = True,
    merge: bool = True,
    progress: Callable[[str, int, int], None] | None = None,
) -> Smaller | QuantisedSmaller:
    """A smaller network that equals a model at every point of a set, exactly, with the proof.

    Args:
        model, domain, time, neuron_time, workers, certificates, progress: as for :func:`geomrelu.decide`. The file of a
            quantised model loses dead channels, and gives a
            :class:`~geomrelu.deadness.quantised_pruning.QuantisedSmaller`; of it no weight is changed.
        fold, merge: False leaves always active neurons, or multiples of others, where they are; with both False no
            weight is changed.

    Raises:
        InputError: as :func:`geomrelu.decide`; a union of sets.

    Evidence: the checker has accepted that both are equal; :meth:`Smaller.check` judges it again.
    Exact: yes. Method: :mod:`geomrelu.deadness.pruning`, after :func:`geomrelu.decide`.
    Source: Serra, Kumar & Ramalingam, Lossless compression of deep neural networks (2020).

    >>> found = prune([([[1], [-1], [2]], [1, -2, 2], "relu"), ([[1, 1, 1]], [0], "none")], (0, 1), fold=False)
    >>> found.network.widths, found(["1/2"]) == found.original(["1/2"]), found.check()
    ((1,), True, {'removed': 1, 'folded': 0, 'merged': 1})
    """
    time, fold, merge = seconds(time, "time"), truth(fold, "fold"), truth(merge, "merge")
    budget = Budget(time)
    network = as_judged(model)
    if isinstance(network, Network):
        _ = network.checked  # as the judge holds it
    kept = reserve(time - budget.seconds_left())
    where = as_domain(domain, network.inputs, network.reading)
    if isinstance(where, Union):
        raise InputError("a network is pruned on one set, not on a union: give a set that holds them all")
    whole = Budget(budget.seconds_left(kept=kept))
    report = decide(
        network, where, time=whole.seconds_left(0.9), neuron_time=neuron_time, workers=workers,
        certificates=certificates, together=False, progress=progress,
    )  # fmt: skip
    if isinstance(network, QuantisedNetwork):
        if not isinstance(model, (str, PathLike)) or not isinstance(report, QuantisedReport):
            raise InputError("a quantised network is pruned as a file: give its path")
        return smaller_file(model, report)
    return Smaller(network, where, pruned(network, where, report, whole, fold=fold, merge=merge), len(report.undecided))
