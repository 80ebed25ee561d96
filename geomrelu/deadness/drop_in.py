"""Smaller ONNX models that replace a model file: same names, shapes and operators, and a proof that they are equal.

:mod:`geomrelu.io.onnx.drop_in` takes whole channels out of the file. Here its result is read again: it must be, number
by number, the network that the proved removals give; otherwise, or if it is no smaller, the model stays as it is.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np

from geomrelu import checker
from geomrelu.budget import Budget
from geomrelu.deadness.decide import decide
from geomrelu.deadness.pruning import Pruning, prune
from geomrelu.deadness.verdict import LayerReport, Status
from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineMap
from geomrelu.geometry.domains import OneSet
from geomrelu.io.files import FilePath, named, read_bytes
from geomrelu.io.onnx import opened, traced
from geomrelu.io.onnx.drop_in import without
from geomrelu.io.onnx.model import Graph, graph_of, self_contained
from geomrelu.io.onnx.parts import Shapes
from geomrelu.io.onnx.trace import Trace
from geomrelu.network.network import Network

__all__ = ["DropIn", "drop_in"]

SOME = 1 << 16  # numbers that are compared at once: the products of all would be two more networks


@dataclass(frozen=True)
class DropIn:
    """A model file that replaces another.

    Attributes:
        data: the bytes of the file, which needs no other.
        pruning: the network in it, and why it equals the one before.
        bytes_before: of the model, with its external data.
        stay: dead neurons that are still there, because their channel is alive elsewhere or read by an operator that
            cannot do without.
    """

    data: bytes
    pruning: Pruning
    bytes_before: int
    stay: int


def drop_in(
    path: FilePath,
    network: Network,
    domain: OneSet,
    reports: Iterable[LayerReport],
    budget: Budget | None = None,
    *,
    whole_batch: bool = False,
    **opening: Any,
) -> DropIn:
    """A smaller model file that computes the same on the domain.

    Args:
        path: the .onnx file that ``network`` was read from, with the same ``whole_batch``.
        opening: and the same ``shape``, ``start`` and ``values``, see :func:`geomrelu.io.onnx.read`. Of a part of a
            model the file is a model.
        reports: of :func:`geomrelu.deadness.decide`, whose claims the checker has accepted.
        budget: on the proofs about auxiliary neurons.

    Raises:
        InputError: the file is not that of the network.

    Evidence: see :func:`geomrelu.deadness.pruning.prune`; the file written was read again and is that network.
    Exact: yes.
    """
    reports = list(reports)
    graph, sizes = opened(path, **opening)
    with named(path):
        tape, trace = traced(graph, sizes, whole_batch)
        if not _are_same(Network.from_tape(tape), network):
            raise InputError("the file has changed, or was read in another way")
        rows = 1 if tape.reading is None else tape.reading.rows
        original = self_contained(graph, read_bytes(path))
    before = len(read_bytes(path)) + sum(len(graph.external(t)) for t in graph.protos.values() if _is_outside(t))
    dead: dict[int, set[int]] = {}
    for report in reports:
        for v in report.verdicts:
            if v.status is Status.DEAD and v.packed is not None and not v.is_shared:
                dead.setdefault(v.layer, set()).add(v.neuron)
    count = sum(map(len, dead.values()))
    for sums in (True, False):
        found = _tried(graph, trace, network, domain, reports, dead, rows, sums, (sizes, whole_batch), budget)
        if found is not None and len(found[0]) <= before:
            data, pruning, gone = found
            stay = sum((level, i) not in gone for level, neurons in dead.items() for i in neurons)
            return DropIn(data, pruning, before, stay)
    return DropIn(original, prune(network, domain, reports, fold=False, merge=False, only=()), before, count)


def _is_outside(proto: Any) -> bool:
    return bool(getattr(proto, "external_data", None))


def _tried(
    graph: Graph,
    trace: Trace,
    network: Network,
    domain: OneSet,
    reports: list[LayerReport],
    dead: dict[int, set[int]],
    rows: int,
    sums: bool,
    how: tuple[Shapes | None, bool],
    budget: Budget | None,
) -> tuple[bytes, Pruning, set[tuple[int, int]]] | None:
    """The smaller file, if it is what the removals give."""
    found = without(graph, trace, dead, rows, sums)
    if found is None:
        return None
    data, gone = found
    open_: dict[int, list[int]] = {}
    read = checker.still_read(network.checked, dict.fromkeys(gone, ("removed", None)))
    for level, i in sorted(gone):
        if i not in dead.get(level, ()) and network.checked.start[level] + i in read:
            open_.setdefault(level, []).append(i)
    auxiliary = _auxiliary(network, domain, open_, budget)
    if auxiliary is None:
        return None
    try:
        pruning = prune(network, domain, [*auxiliary, *reports], fold=False, merge=False, only=gone)
    except checker.Rejected:
        return None
    parse = importlib.import_module("onnx").ModelProto.FromString
    again = Network.from_tape(traced(graph_of(parse(data), Path(graph.folder)), *how)[0])
    return (data, pruning, gone) if _are_same(again, pruning.network) else None


def _are_same(a: Network, b: Network) -> bool:
    """Have they one canonical form? It need not be written where all numbers are the same as they stand."""
    maps, others = ([*n.layers, *([] if n.output is None else [n.output])] for n in (a, b))
    ends = (a.inputs, a.depth, len(maps)) == (b.inputs, b.depth, len(others))
    plain = ends and all(map(_have_same_numbers, maps, others))
    return plain or a.checked.whole_digest() == b.checked.whole_digest()


def _have_same_numbers(one: AffineMap, other: AffineMap) -> bool:
    """Have two maps the same numbers in the same places, each over its own denominator?"""
    if not (np.array_equal(one.indptr, other.indptr) and np.array_equal(one.indices, other.indices)):
        return False
    p, q = other.denominator, one.denominator
    p, q = p // gcd(p, q), q // gcd(p, q)
    if any(p * v != q * w for v, w in zip(one.bias, other.bias, strict=True)):
        return False
    parts = (slice(k, k + SOME) for k in range(0, len(one.data), SOME))
    return all(np.array_equal(one.data[k] * p, other.data[k] * q) for k in parts)


def _auxiliary(
    network: Network, domain: OneSet, neurons: dict[int, list[int]], budget: Budget | None
) -> list[LayerReport] | None:
    """Proofs that auxiliary neurons of channels that go are dead, too; None if one is not."""
    found = []
    for level, which in neurons.items():
        if network.reading is None or network.reading.layers[level - 1].own:
            return None
        for report in decide(network, domain, [level], which, budget):
            verdicts = []
            for v in report.verdicts:
                if v.status is not Status.DEAD or (shown := v.claim) is None:
                    return None
                claim = dict(shown)
                if type(claim.get("point")) is int:
                    claim["point"] = report.points[claim["point"]]
                verdicts.append(replace(v, claim=claim))
            found.append(replace(report, verdicts=tuple(verdicts)))
    return found
