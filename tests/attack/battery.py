"""The battery: questions to a judge whose answers are those of the judge at hand, and all whose answers are stated.

Certificates of true claims that ``decide`` finds, random trees, false claims, prunings with every part bent: a judge
that was changed somewhere has to answer one of them otherwise.
"""

from __future__ import annotations

import copy
import json
import math
import random
from collections.abc import Callable
from typing import Any

from families import cases
from test_checker import false_claims, random_proof

from attack import bounds, claims, grids, readable
from attack.questions import bounding, judged, known, outcome
from geomrelu import Network, Polyhedron, checker
from geomrelu.deadness.decide import decide
from geomrelu.deadness.pruning import prune


class Battery:
    """Questions with their answers."""

    def __init__(self) -> None:
        self.asked = known(checker, *(about.stated() for about in (readable, bounds, claims, grids)))
        rng = random.Random(1)
        for count, seed in ((24, 500), (16, 4000)):
            for _, net, domain, _, _ in cases(count, seed):
                self._network(rng, net, domain)
        for layers, net, domain, _, _ in cases(14, 1):
            if isinstance(domain, Polyhedron) and not domain.given_by_generators:
                self._pruning(rng, layers, net, domain)

    def _network(self, rng: random.Random, net: Any, domain: Any) -> None:
        model, place = json.loads(net.to_json()), _domain(domain)
        self._ask(lambda m: (m.Model.parse(model).digest(), m.Domain.parse(place).digest()))
        reports = list(decide(net, domain))
        donors: dict[int, list[Any]] = {}
        for report in reports:
            for v in report.verdicts:
                if v.claim and "proof" in v.claim:
                    donors.setdefault(v.layer, []).append(v.claim["proof"])
        points = json.loads(json.dumps(reports[0].points))
        for report in reports:
            for v in report.verdicts:
                offered = [v.claim] if v.claim else []
                right = math.inf if v.supremum == "inf" else v.supremum
                if right is not None:
                    found = false_claims(
                        rng, net.checked, domain.checked, v.layer, v.neuron, v.supremum, v.stable,
                        donors.get(v.layer, [])[:1], v.claim,
                    )  # fmt: skip
                    offered += rng.sample(lies := list(found), min(6, len(lies)))
                for claim in json.loads(json.dumps(offered)):
                    self._ask(judged(model, place, claim, points))
                if domain.checked.points is None and rng.random() < 0.5:
                    proof = json.loads(json.dumps(random_proof(rng, net.checked, domain.checked, v.layer)))
                    self._ask(bounding(model, place, proof, v.layer, v.neuron))

    def _pruning(self, rng: random.Random, layers: Any, net: Any, domain: Any) -> None:
        rows, bias = layers[0]
        rows, bias = [*rows, [2 * v for v in rows[0]]], [*bias, 2 * bias[0]]  # one to be merged
        inner = [([[*row, row[0]] for row in layers[1][0]], layers[1][1]), *layers[2:]]
        ends = [([[1] * len(inner[-1][0])], [1], "none")] if rng.random() < 0.5 else []
        net = Network.from_layers([*((w, b, "relu") for w, b in [(rows, bias), *inner]), *ends])
        found = prune(net, domain, list(decide(net, domain)))
        model, smaller, place = json.loads(net.to_json()), json.loads(found.network.to_json()), _domain(domain)
        good = json.loads(json.dumps(found.certificate))
        bent = [good, *({**good, key: "0"} for key in ("smaller", "model", "domain", "geomrelu"))]
        bent += [{**good, "claims": None}, {**good, "claims": good["claims"][1:]}, {**good, "removed": 1}]
        for key in ("removed", "folded", "merged"):
            bent.append({**good, key: good[key][1:]})
            bent += [
                {**good, key: [*good[key], item]}
                for item in ([1, 0], [1, 0, 1, "1"], [0, 0], 7, [1, 99], [1, 0, 1, "-2"])
            ]
            bent += [{**good, key: good[key] * 2}]
        for certificate in bent:
            self._ask(_pruned(certificate, model, place, smaller))
            self._ask(_pruned(certificate, model, place, model))

    def _ask(self, question: Callable[[Any], Any]) -> None:
        self.asked.append((question, question(checker)))


def _pruned(certificate: Any, model: Any, place: Any, smaller: Any) -> Callable[[Any], Any]:
    def ask(m: Any) -> Any:
        parts = m.Model.parse(model), m.Domain.parse(place), m.Model.parse(smaller)
        return outcome(m, lambda: m.check_pruning(copy.deepcopy(certificate), *parts))

    return ask


def _domain(domain: Any) -> Any:
    checked = domain.checked
    if checked.points is not None:
        return {"points": [[str(x) for x in p] for p in checked.points]}
    if checked.generators is not None:
        vertices, rays, lines = ([[str(x) for x in g] for g in part] for part in checked.generators)
        return {"vertices": vertices, "rays": rays, "lines": lines}
    box = [[None if v is None else str(v) for v in side] for side in zip(checked.lower, checked.upper, strict=True)]
    return {
        "box": box,
        "inequalities": list(map(list, checked.rows)),
        "equalities": list(map(list, checked.equalities)),
    }
