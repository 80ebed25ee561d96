"""Smaller quantised models that replace a model file: without dead channels, and with a proof that both are equal.

A certificate is JSON data::

    {"geomrelu": "quantised pruning 1", "model": SHA-256, "domain": SHA-256, "smaller": SHA-256,
     "removed": [[layer, neuron], ...], "proof": a certificate of dead neurons, or null}

What is removed is dead by the proof; or reads only what is removed or dead, and is then 0, as the greatest of dead
neurons is; or nothing that stays reads it. The smaller network is the other one without these, number by number. So on
the domain both compute the same whole numbers.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from geomrelu import checker
from geomrelu.arguments import filename
from geomrelu.certificates import files
from geomrelu.deadness.quantised_certificate import Key, as_certificate, judge
from geomrelu.deadness.quantised_report import QuantisedReport
from geomrelu.deadness.verdict import Status
from geomrelu.errors import InputError
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.io.files import FilePath, named, read_bytes, write
from geomrelu.io.onnx import opened, traced
from geomrelu.io.onnx.model import Graph, graph_of, self_contained
from geomrelu.io.onnx.parts import Shapes
from geomrelu.io.onnx.quantised_drop_in import without
from geomrelu.io.onnx.trace import Trace
from geomrelu.io.tape import nearest_even
from geomrelu.network.quantised import QuantisedNetwork, read_layers

__all__ = ["FORMAT", "QuantisedSmaller", "judge_pruning", "smaller_file"]

FORMAT = "quantised pruning 1"


@dataclass(frozen=True, repr=False)
class QuantisedSmaller:
    """A smaller quantised model, and the proof that it equals the original on the domain.

    Attributes:
        original, domain: what it equals, and where.
        network: the smaller one.
        data: the bytes of its ONNX file, which needs no other.
        certificate: see the head of this file.
        removed: how many neurons went; stay: how many dead ones are still there, because their channel is alive
            elsewhere or read by an operator that cannot do without.
        undecided: how many neurons a budget left open; they stay.
        bytes_before: of the model, with its external data.

    Exact: yes, about the networks of whole numbers, see :mod:`geomrelu.network.quantised`.
    """

    original: QuantisedNetwork
    domain: Polyhedron | FiniteSet
    network: QuantisedNetwork
    data: bytes
    certificate: dict[str, Any]
    removed: int
    stay: int
    undecided: int
    bytes_before: int

    def __call__(self, point: Sequence[Any]) -> list[Fraction]:
        """Its exact output, which on the domain is that of the original."""
        return self.network(point)

    @property
    def sizes(self) -> list[tuple[str, int, int]]:
        """What is counted, before and after; a convolution counts as the matrix it is."""
        counted = zip(_size(self.original), _size(self.network), strict=True)
        names = ("neurons", "parameters", "multiplications")
        return [
            *((name, *pair) for name, pair in zip(names, counted, strict=True)),
            ("bytes", self.bytes_before, len(self.data)),
        ]

    def save(self, path: str | PathLike[str], certificate: str | PathLike[str] | None = None) -> None:
        """Write the model to a path that ends in .onnx, and its certificate where that is wanted.

        Raises:
            InputError: another ending, or a path that cannot be written.
        """
        target = Path(filename(path, "the file of a network"))
        if target.suffix.lower() != ".onnx":
            raise InputError(f"{target}: a quantised network is written as .onnx")
        write(target, self.data)
        if certificate is not None:
            files.save(Path(filename(certificate, "a certificate")), self.certificate)

    def check(self) -> int:
        """Judge again that both are equal on the domain; how many neurons were removed.

        Raises:
            Rejected: of :mod:`geomrelu.checker`.
        """
        return judge_pruning(self.certificate, self.original, self.domain, self.network)

    def __repr__(self) -> str:
        said = ", ".join(f"{before:,} -> {after:,} {name}" for name, before, after in self.sizes)
        open_ = f"; {self.undecided} undecided neurons stay" if self.undecided else ""
        return f"equal on the domain, proved: {said} ({self.removed} removed{open_})"


def smaller_file(
    path: FilePath, report: QuantisedReport, *, whole_batch: bool = False, **opening: Any
) -> QuantisedSmaller:
    """A smaller model file that computes the same on the domain of a report.

    Args:
        path: the .onnx file that the report's network was read from, with the same ``whole_batch``.
        opening: and the same ``shape``, ``start`` and ``values``, see :func:`geomrelu.io.onnx.read`.

    Raises:
        InputError: the file is not that of the network.

    Evidence: the certificate has been accepted by :func:`judge_pruning`, and the file that is written was read again.
    Exact: yes. Method: :mod:`geomrelu.io.onnx.quantised_drop_in`.
    """
    network = report.network
    graph, shapes = opened(path, **opening)
    how = shapes, whole_batch
    with named(path):
        tape, trace = traced(graph, *how, quantised=True)
        if QuantisedNetwork.from_tape(tape).digest != network.digest:
            raise InputError("the file has changed, or was read in another way")
        original = self_contained(graph, read_bytes(path))
    outside = (t for t in graph.protos.values() if getattr(t, "external_data", None))
    before = len(read_bytes(path)) + sum(len(graph.external(t)) for t in outside)
    dead = {(v.layer, v.neuron): v for v in report.verdicts if v.status is Status.DEAD}
    proof = as_certificate(network, report.domain, dead, report.findings) if dead else None
    rows = 1 if tape.reading is None else tape.reading.rows
    for sums in (True, False):
        found = _tried(graph, trace, network, dead, rows, sums, how)
        if found is not None and len(found[0]) <= before:
            data, smaller, gone = found
            break
    else:
        data, smaller, gone = original, network, []
    certificate = {
        "geomrelu": FORMAT,
        "model": network.digest,
        "domain": str(report.domain.checked.digest()),
        "smaller": smaller.digest,
        "removed": [[*key] for key in gone],
        "proof": proof,
    }
    _check_changes(certificate, network, set(dead), smaller)
    stay, left = len(dead.keys() - set(gone)), len(report.undecided)
    return QuantisedSmaller(network, report.domain, smaller, data, certificate, len(gone), stay, left, before)


def _tried(
    graph: Graph,
    trace: Trace,
    network: QuantisedNetwork,
    dead: Collection[Key],
    rows: int,
    sums: bool,
    how: tuple[Shapes | None, bool],
) -> tuple[bytes, QuantisedNetwork, list[Key]] | None:
    """The smaller file, if it is what the removals give."""
    level_of = {layer: l + 1 for layer, l in enumerate(read_layers(trace.tape), 1)}  # of the tape; some are not read
    layer_of = {level: layer for layer, level in level_of.items()}
    silent: dict[int, set[int]] = {}
    for layer, i in dead:
        silent.setdefault(level_of[layer], set()).add(i)
    found = without(graph, trace, silent, [level_of[layer] for layer in network.judged], rows, sums)
    if found is None:
        return None
    gone = sorted((layer_of[level], i) for level, i in found[1] if level in layer_of)
    parse = importlib.import_module("onnx").ModelProto.FromString
    again = traced(graph_of(parse(found[0]), Path(graph.folder)), *how, quantised=True)[0]
    smaller = QuantisedNetwork.from_tape(again)
    try:
        _check_removed(network, set(dead), gone, smaller)
    except checker.Rejected:
        return None
    return found[0], smaller, gone


def judge_pruning(
    data: Any,
    network: QuantisedNetwork,
    domain: Polyhedron | FiniteSet,
    smaller: QuantisedNetwork,
    by: type[checker.Judge] = checker.Judge,
) -> int:
    """Prove that a smaller network equals another one on a domain; how many neurons are removed.

    Raises:
        Rejected: of :mod:`geomrelu.checker`; the text says why.
    """
    checker.require(isinstance(data, dict) and data.get("geomrelu") == FORMAT, f"not a geomrelu {FORMAT}")
    checker.known(data, {"geomrelu", "model", "domain", "smaller", "removed", "proof"}, "the certificate")
    checker.require(data.get("domain") == domain.checked.digest(), "it is about another domain")
    proof = data.get("proof")
    claims = [] if proof is None else judge(proof, network, domain, by)
    return _check_changes(data, network, {(c["layer"], c["neuron"]) for c in claims if c["status"] == "dead"}, smaller)


def _check_changes(data: Any, network: QuantisedNetwork, dead: Collection[Key], smaller: QuantisedNetwork) -> int:
    checker.require(data.get("model") == network.digest, "it is about another model")
    checker.require(data.get("smaller") == smaller.digest, "it is about another smaller model")
    checker.require(isinstance(data.get("removed"), list), '"removed" must be a list')
    removed: list[Key] = []
    for item in data["removed"]:
        checker.require(isinstance(item, list) and len(item) == 2, 'an entry of "removed" is no (layer, neuron)')
        layer = checker.count(item[0], network.depth + 1, "layer", 1)
        removed.append((layer, checker.count(item[1], network.widths[layer - 1], "neuron")))
    checker.require(len(set(removed)) == len(removed), "a neuron is removed twice")
    _check_removed(network, dead, removed, smaller)
    return len(removed)


def _check_removed(
    network: QuantisedNetwork, dead: Collection[Key], removed: Collection[Key], smaller: QuantisedNetwork
) -> None:
    gone, zero = (np.zeros(network.starts[-1], dtype=bool) for _ in range(2))
    for layer, i in removed:
        gone[network.starts[layer] + i] = True
    for layer, i in dead:
        zero[network.starts[layer] + i] = True
    read = np.zeros_like(gone)
    if network.output is None:
        read[network.starts[-2] :] = True
    else:
        read[network.output.indices] = True
    for l, (map_, quantiser) in enumerate(zip(network.layers, network.quantisers, strict=True)):
        start = network.starts[l + 1]
        for i in range(map_.outputs):
            bias, columns, _ = map_.row(i)
            y = Fraction(bias, map_.denominator)
            if not gone[start + i]:
                read[columns] = True
            elif not zero[start + i] and zero[columns].all():
                own = None if quantiser is None else (quantiser.steps[i], quantiser.low[i], quantiser.high[i])
                zero[start + i] = y <= 0 if own is None else nearest_even(y, *own) == 0
    checker.require(not (gone & read & ~zero).any(), "a neuron is removed that is not shown to be dead")
    same = network.without(removed).digest == smaller.digest
    checker.require(same, "the smaller network is another one")


def _size(network: QuantisedNetwork) -> tuple[int, int, int]:
    maps = [*network.layers, *([] if network.output is None else [network.output])]
    weights = sum(len(m.data) for m in maps)
    return sum(network.widths), weights + sum(m.outputs for m in maps), weights
