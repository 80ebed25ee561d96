"""Smaller networks that equal a given one exactly on a domain, with a proof of it that the fast judge has accepted.

Dead neurons are removed; a neuron that is a positive multiple of another of its layer is merged into it; a stably
active one (z >= 0 on the domain) is folded into the layers that read it, where that leaves fewer weights (Serra, Kumar
& Ramalingam 2020). Nothing is rounded: where an output format cannot hold a number exactly, the neuron stays.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from geomrelu import checker
from geomrelu.budget import Budget, Exhausted
from geomrelu.certificates import changes
from geomrelu.deadness import whole_box
from geomrelu.deadness.inside import is_searched
from geomrelu.deadness.verdict import LayerReport, Status
from geomrelu.deadness.workers import Bench
from geomrelu.exact.affine import AffineMap
from geomrelu.exact.numbers import quotient
from geomrelu.geometry.domains import OneSet
from geomrelu.geometry.ellipsoid import Ellipsoid
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.network import Network

__all__ = ["Pruning", "prune", "reserve"]

PASSES, DIGESTS = 3, 2  # as long as reading, measured on networks of 4 to 17 million weights
Fate = dict[tuple[int, int], tuple[str, Any]]


@dataclass(frozen=True)
class Pruning:
    """A smaller network and why it equals the original on the domain.

    Attributes:
        network: the smaller network.
        original, domain: what it equals, and where.
        changes: what was accepted, as JSON data: claims, points, and what became of which neurons.
        removed, folded, merged: how many neurons.
        before, after: (neurons, parameters, multiplications); a convolution counts as the matrix it is.
    """

    network: Network
    original: Network
    domain: OneSet
    changes: dict[str, Any] = field(hash=False)
    removed: int
    folded: int
    merged: int
    before: tuple[int, int, int]
    after: tuple[int, int, int]

    @cached_property
    def certificate(self) -> dict[str, Any]:
        """What was accepted (see ``checker.py``), as JSON data. Cost: both networks are written in their canonical form
        when it is first asked for."""
        return {
            "geomrelu": checker.PRUNING,
            "model": self.original.checked.whole_digest(),
            "domain": self.domain.checked.digest(),
            "smaller": self.network.checked.whole_digest(),
            **self.changes,
        }

    @property
    def said(self) -> str:
        """What was done, in words."""
        dead = sum(claim["status"] == "dead" for claim in self.changes["claims"])
        unread = f", {self.removed - dead} that nothing reads any more" if self.removed > dead else ""
        return f"{dead} dead{unread} removed, {self.folded} active folded, {self.merged} multiples merged"


def prune(
    network: Network,
    domain: OneSet,
    reports: Iterable[LayerReport],
    budget: Budget | None = None,
    *,
    fold: bool = True,
    merge: bool = True,
    only: Collection[tuple[int, int]] | None = None,
) -> Pruning:
    """Remove, merge and fold neurons without changing the function on the domain.

    Args:
        reports: of :func:`geomrelu.deadness.decide`, whose claims the checker has accepted; neurons they leave
            undecided stay.
        fold, merge: False keeps all weights as they are, so that they stay floating-point numbers.
        only: remove these neurons and no others; the default is all that are dead or that only removed ones read,
            but one of each layer.
        budget: on the proofs that neurons are active.

    Evidence: the claims, and what follows from them (:mod:`geomrelu.certificates.changes`), have been accepted by the
    fast judge; all of it can be checked again with :func:`geomrelu.checker.check_pruning`.
    Exact: yes.

    >>> from geomrelu import decide
    >>> net = Network.from_layers([([[1], [-1], [2]], [1, -2, 2], "relu"), ([[1, 1, 1]], [0], "none")])
    >>> box = Polyhedron.box([(0, 1)])
    >>> found = prune(net, box, decide(net, box), fold=False)
    >>> found.removed, found.merged, found.network.widths, found.network([1]) == net([1])
    (1, 1, (1,), True)
    """
    claims: dict[tuple[int, int], dict[str, Any]] = {}
    points: list[list[str]] = []
    fate: Fate = {}
    for report in reports:
        # a pruning has no tree that claims could share
        verdicts = [v for v in report.verdicts if v.status is Status.DEAD and not v.is_shared]
        dead = [(v, claim) for v in verdicts if (claim := v.claim) is not None]
        points = report.points
        kept = only is None and len(dead) == report.width  # a layer keeps a neuron, if only a dead one
        for v, claim in dead[kept:]:
            if only is not None and (v.layer, v.neuron) not in only:
                continue
            fate[v.layer, v.neuron] = ("removed", None)
            claims[v.layer, v.neuron] = dict(claim)
    if only is None:
        fate |= _unread(network, fate)
    else:
        fate |= {key: ("removed", None) for key in only if key not in fate}  # such as nothing reads any more
    if merge:
        fate |= _multiples(network, fate)
    model = changes.pruned(network.checked, fate) if fate else network.checked
    if fold and (isinstance(domain, Ellipsoid) or (isinstance(domain, Polyhedron) and is_searched(domain))):
        fate, active, model = _folded(network, domain, fate, model, Budget.of(budget))
        claims |= active
    table: list[list[str]] = []
    for claim in claims.values():  # points it names go with it
        if type(claim.get("point")) is int:
            table.append(points[claim["point"]])
            claim["point"] = len(table) - 1
    smaller = _network(model) if fate else network
    merged = [(key, what) for key, (kind, what) in sorted(fate.items()) if kind == "merged"]
    made = {
        "points": table,
        "claims": [claims[key] for key in sorted(claims)],
        **{name: [[*key] for key, (kind, _) in sorted(fate.items()) if kind == name] for name in ("removed", "folded")},
        "merged": [[*key, j, str(c)] for key, (j, c) in merged],
    }
    counts = dict.fromkeys(checker.CHANGES, 0)
    if fate:  # else it is the network itself
        counts = changes.check_changes(made, network.checked, made["claims"], smaller.checked)
    return Pruning(smaller, network, domain, made, **counts, before=_size(network), after=_size(smaller))


def reserve(reading: float, certificate: bool = False) -> float:
    """Seconds to be left for :func:`prune` without folding, and for writing what it gives.

    Args:
        reading: seconds that reading the network took, as the judge holds it, on this machine and now.
        certificate: the certificate is written, too.
    """
    return reading * (PASSES + DIGESTS * certificate)


def _unread(network: Network, fate: Fate) -> Fate:
    """Neurons that only removed ones read, from the last layer back; a layer keeps a neuron."""
    found: Fate = {}
    read = checker.still_read(network.checked, fate)
    for level in range(network.depth, 0, -1):
        first = network.checked.start[level]
        idle = [i for i in range(network.widths[level - 1]) if (level, i) not in fate and first + i not in read]
        kept = network.widths[level - 1] - sum(at == level for at, _ in fate)
        idle = idle[len(idle) == kept :]
        if idle:
            found |= {(level, i): ("removed", None) for i in idle}
            read = checker.still_read(network.checked, fate | found)
    return found


def _multiples(network: Network, fate: Fate) -> Fate:
    """Neurons that are positive multiples of an earlier one of their layer."""
    found: Fate = {}
    for level, map_ in enumerate(network.layers, 1):
        likely: dict[Any, list[int]] = {}  # by what is cheap: where weights stand, and the quotient of two of them
        starts, indices, data = map_.indptr.tolist(), map_.indices, map_.data
        for i, (start, stop) in enumerate(pairwise(starts)):
            if start < stop and (level, i) not in fate:
                first, last = start, stop - 1
                key = stop - start, indices[first], indices[last], quotient(data[first], data[last])
                likely.setdefault(key, []).append(i)
        for some in likely.values():
            found |= _among(map_, level, some) if len(some) > 1 else {}
    return found


def _among(map_: AffineMap, level: int, neurons: Iterable[int]) -> Fate:
    """The same among some neurons of a layer."""
    found: Fate = {}
    first: dict[Any, tuple[int, int]] = {}
    for i in neurons:
        bias, columns, entries = map_.row(i)
        size = math.gcd(bias, *entries)
        key = (tuple(columns), bias // size, *(v // size for v in entries))
        if key in first:
            j, other = first[key]
            found[level, i] = ("merged", (j, Fraction(size, other)))
        else:
            first[key] = i, size
    return found


def _folded(
    network: Network, domain: Polyhedron | Ellipsoid, fate: Fate, smaller: checker.Model, budget: Budget
) -> tuple[Fate, dict[tuple[int, int], dict[str, Any]], checker.Model]:
    """Fold the active neurons of each layer where that leaves fewer weights; what they leave comes last."""
    claims: dict[tuple[int, int], dict[str, Any]] = {}
    if budget.ended:
        return fate, claims, smaller
    bench = Bench(network, domain)
    with suppress(Exhausted), np.errstate(all="ignore"):
        bench.floating.whole(network.depth, budget)
    bounds = bench.floating.known
    needed = {(level, what[0]) for (level, _), (kind, what) in fate.items() if kind == "merged"}
    for level, (low, _) in enumerate(bounds, 1):
        likely = [
            i for i in np.flatnonzero(low[0] >= 0).tolist() if (level, i) not in fate and (level, i) not in needed
        ]
        kept = network.widths[level - 1] - sum(at == level for at, _ in fate)
        if len(likely) == kept:
            likely = likely[1:]  # a layer keeps a neuron
        if not likely:
            continue
        tried = fate | {(level, i): ("folded", None) for i in likely}
        shown = {}
        bench.shared.watch(budget.poll)
        try:
            fewer = changes.pruned(network.checked, tried, budget.poll)
            if _entries(fewer) >= _entries(smaller):
                continue
            for i in likely:
                claim = {"layer": level, "neuron": i, "status": "active"}
                claim["proof"] = whole_box.one_leaf(bench.floating, level)
                if bench.floating.inside.has_rows:
                    claim["point"] = list(map(str, bench.floating.inside.centre))
                checker.prove(claim, bench.shared)
                shown[level, i] = claim
        except (checker.Rejected, Exhausted):  # then the whole layer stays
            continue
        fate, smaller = tried, fewer
        claims |= shown
    return fate, claims, smaller


def _entries(model: checker.Model) -> int:
    """Nonzero weights."""
    layers = [*model.layers, *([] if model.output is None else [model.output])]
    return sum(len(columns) for layer in layers for _, columns, _ in layer.rows)


def _network(model: checker.Model) -> Network:
    """The network that the checker's model is."""
    maps, variables = [], model.inputs
    for layer in (*model.layers, model.output):
        if layer is None:
            continue
        counts = [len(columns) for _, columns, _ in layer.rows]
        data = np.empty(sum(counts), dtype=object)
        data[:] = [v for _, _, entries in layer.rows for v in entries]
        columns = np.array([j for _, columns, _ in layer.rows for j in columns], dtype=np.int64)
        rows = np.repeat(np.arange(len(counts)), counts)
        bias = [b for b, _, _ in layer.rows]
        shape = (len(counts), variables)
        maps.append(AffineMap.from_entries(shape, rows, columns, data, layer.denominator, bias, layer.denominator))
        variables += len(counts)
    output = maps.pop() if model.output is not None else None
    return Network(model.inputs, tuple(maps), output)


def _size(network: Network) -> tuple[int, int, int]:
    maps = [*network.layers, *([] if network.output is None else [network.output])]
    weights = sum(len(m.data) for m in maps)
    return sum(network.widths), weights + sum(m.outputs for m in maps), weights
