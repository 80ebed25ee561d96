"""Neurons that are always active, z >= 0 on the whole domain: the network is linear in them there.

A neuron is always active if and only if the neuron with the opposite row is dead. So that is what is decided, with all
methods there are, in the network whose layer is negated; a proof of -z <= 0 is what the checker wants of "active".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from geomrelu import checker
from geomrelu.budget import Budget, Exhausted
from geomrelu.certificates.batch import Quick
from geomrelu.certificates.files import Claim
from geomrelu.deadness.decide import decide
from geomrelu.deadness.verdict import Status
from geomrelu.geometry.domains import OneSet
from geomrelu.network.network import Network

__all__ = ["always_active", "opposite"]


def always_active(
    network: Network,
    domain: OneSet,
    neurons: Mapping[int, Sequence[int]],
    budget: Budget | None = None,
    **how: Any,
) -> Iterator[Claim]:
    """The claims that neurons are always active, each accepted by the fast judge.

    Args:
        neurons: layer -> those of its neurons that are in question.
        budget: in all, shared evenly by the layers. how: as for :func:`geomrelu.deadness.decide.decide`.

    Exact: yes. Method: that of deciding, for each layer once more. A neuron that is not yielded is negative somewhere,
    or the budget ended.

    >>> from geomrelu.geometry.polyhedron import Polyhedron
    >>> net = Network.from_layers([([[1], [1]], [2, 0], "relu")])
    >>> [claim["neuron"] for claim in always_active(net, Polyhedron.box([(-1, 1)]), {1: [0, 1]})]
    [0]
    """
    whole = Budget.of(budget)
    for position, (layer, asked) in enumerate(neurons.items()):
        if asked and not whole.ended:
            yield from _of_layer(network, domain, layer, asked, whole.share(len(neurons) - position), how)


def _of_layer(
    network: Network,
    domain: OneSet,
    layer: int,
    asked: Iterable[int],
    budget: Budget,
    how: Mapping[str, Any],
) -> Iterator[Claim]:
    judge = Quick([], network.checked, domain.checked)
    judge.watch(budget.poll)
    with suppress(Exhausted):
        for report in decide(opposite(network, layer), domain, [layer], sorted(asked), budget, **how):
            for verdict in report.verdicts:
                if verdict.status is Status.DEAD and (shown := verdict.claim) is not None:
                    claim: Claim = {"layer": layer, "neuron": verdict.neuron, "status": "active"}
                    claim |= {key: shown[key] for key in ("proof", "point") if key in shown}
                    if type(claim.get("point")) is int:
                        claim["point"] = report.points[claim["point"]]
                    elif claim.get("point") == "corner":  # of the opposite row; a box needs no point to be nonempty
                        del claim["point"]
                    checker.prove(claim, judge)
                    yield claim


def opposite(network: Network, layer: int) -> Network:
    """The network up to a layer, with the rows of that layer negated."""
    map_ = network.layers[layer - 1]
    negated = replace(map_, data=-map_.data, bias=tuple(-b for b in map_.bias))
    return Network(network.inputs, (*network.layers[: layer - 1], negated))
