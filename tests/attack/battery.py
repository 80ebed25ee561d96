"""The battery: questions to a judge whose answers are those of the judge at hand, and all whose answers are stated.

Certificates of true claims that ``decide`` finds, random trees, false claims, the example of FORMAT.md with every part
bent: a judge that was changed somewhere has to answer one of them otherwise.
"""

from __future__ import annotations

import contextlib
import copy
import io
import itertools
import json
import math
import random
import re
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from families import cases
from test_checker import false_claims, random_proof

from attack import bounds, claims, readable
from attack.questions import AGREED, Question, bounding, judged, outcome
from geomrelu import Network, Polyhedron, checker
from geomrelu.deadness.decide import decide
from geomrelu.deadness.pruning import prune

FOLDER = Path(checker.__file__).parent


def known(module: Any) -> list[Question]:
    """The questions whose answers are stated; and what a module says where all have to say the same."""
    stated = itertools.chain(readable.stated(), bounds.stated(), claims.stated())
    return [(ask, ask(module) if answer is AGREED else answer) for ask, answer in stated]


class Battery:
    """Questions with their answers."""

    def __init__(self) -> None:
        self.asked: list[Question] = known(checker)
        self._generators()
        self._growing()
        self._corners()
        self._limits()
        self._example()
        self._skips()
        self._zeros()
        rng = random.Random(1)
        for count, seed in ((24, 500), (16, 4000)):
            for _, net, domain, _, _ in cases(count, seed):
                self._network(rng, net, domain)
        for layers, net, domain, _, _ in cases(14, 1):
            if isinstance(domain, Polyhedron) and not domain.given_by_generators:
                self._pruning(rng, layers, net, domain)
        self._command()

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
                    self._ask(judged(model, place, points, claim))
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
        bent = [
            good,
            {**good, "smaller": "0"},
            {**good, "model": "0"},
            {**good, "domain": "0"},
            {**good, "geomrelu": "x"},
        ]
        bent += [
            {**good, "claims": None},
            {**good, "claims": good["claims"][1:]},
            {**good, "x": 1},
            {**good, "removed": 1},
        ]
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

    def _skips(self) -> None:
        """A layer that reads the inputs and the layer before does not fit fixed point."""
        rows = [["-9", 0, "1", 1, "1", 2, "1"], ["1", 0, "-1", 1, "2", 2, "1"]]
        model = {
            "inputs": 1,
            "layers": [{"rows": [["0", 0, "1"], ["1", 0, "-2"]]}, {"rows": rows}, {"rows": [["-30", 3, "1", 4, "1"]]}],
        }
        for level, neuron in ((2, 0), (2, 1), (3, 0)):
            for leaf in ({"coarse": []}, {}, {"slopes": ["88"]}):
                proof = [leaf | {"derive": [[at] for at in range(1, level)]}]
                self._ask(bounding(model, {"box": [["-1", "1"]]}, proof, level, neuron))

    def _zeros(self) -> None:
        """A layer of zeros has parameters: its weights on the layer before it, which grows."""
        for weights in ([["0"]], [["-1"]]):
            model = {"layers": [{"weights": [["1"]], "bias": ["0"]}, {"weights": weights, "bias": ["-1"]}]}
            claim = {"layer": 2, "neuron": 0, "status": "dead", "proof": [{"derive": [[1]]}]}
            for more in ({"stable": True, "infinity": [[]]}, {"stable": False, "ray": ["1"], "point": ["1"]}):
                self._ask(judged(model, {"box": [["0", None]]}, [], claim | more))
        sides = [[1, 2, 0], [1, -1, 0], ["1/2", 0, 1], [3, 0, -3], [5, 0, -3]]
        for rows in ([[0, 0, 0], [1, 1, 1]], [[-1, 0, 0]], [[0, 2, 4], [0, 1, 2]], sides, sides[:1], sides[1:2]):
            for key in ("inequalities", "equalities"):
                self._ask(lambda m, data={key: rows}: outcome(m, lambda: m.Domain.parse(data).digest()))
        for layers in ([{"weights": []}], [{"weights": [[1]]}, {"weights": []}], [{"weights": [[1], []]}]):
            self._ask(lambda m, data={"layers": layers}: outcome(m, lambda: m.Model.parse(data).digest()))

    def _generators(self) -> None:
        """Points and rays by weights; one sign, one sum, one length wrong at a time."""
        model = {"layers": [{"weights": [["1", "1"], ["1", "-1"]]}, {"weights": [["1", "-1"]], "bias": ["1/3"]}]}
        place = {
            "vertices": [["0", "0"], ["1", "0"], ["0", "2"]],
            "rays": [["1", "1"], ["0", "1"]],
            "lines": [["1", "-1"]],
        }
        points = [
            [["1/3", "1/3", "1/3"], ["0", "0"], ["0"]], [["1", "0", "0"], ["1", "2"], ["-3"]],
            [["-1", "1", "1"], ["0", "0"], ["0"]], [["1", "1", "0"], ["0", "0"], ["0"]],
            [["1", "0", "0"], ["-1", "2"], ["0"]], [["1", "0", "0"], ["1", "-2"], ["0"]],
            [["1/2", "1/4", "1/4"], ["1/2", "0"], ["-5/7"]], [["1", "0"], ["0", "0"], ["0"]],
            [["1", "0", "0"], ["0", "0"]], [["1", "0", "0"], ["0", "0"], []],
        ]  # fmt: skip
        rays = [
            [["1", "0"], ["0"]],
            [["0", "0"], ["-2"]],
            [["-1", "0"], ["0"]],
            [["0", "0"], ["0"]],
            [["1", "1"], ["-1"]],
        ]
        rays += [[["1", "1"], []], [["0", "0", "1"], ["0"]]]
        for level in (1, 2):
            for weights in points:
                value = {"layer": level, "neuron": 0, "status": "alive", "point": {"weights": weights}}
                self._ask(judged(model, place, [], value))
                self._ask(lambda m, w=weights: outcome(m, lambda: m.Domain.parse(place).weighted({"weights": w}, 0)))
            for weights in rays:
                far = {"layer": level, "neuron": 0, "status": "alive", "supremum": "inf", "ray": {"weights": weights}}
                self._ask(judged(model, place, [], far | {"point": ["0", "0"]}))
                self._ask(lambda m, w=weights: outcome(m, lambda: m.Domain.parse(place).weighted({"weights": w}, 1)))
        for ray in (
            ["1", "1"],
            ["-1", "-1"],
            ["2", "2"],
            ["1", "-1"],
            ["-1", "1"],
            ["0", "0"],
            ["1", "0"],
            ["-2", "2"],
        ):
            self._ask(lambda m, r=ray: m.Domain.parse(place).recedes([m.number(v) for v in r]))

    def _growing(self) -> None:
        """Growth along rays: without biases, of one layer and of skips, and what revives a neuron."""
        model = {
            "inputs": 2,
            "layers": [
                {"rows": [["5", 0, "1", 1, "-1"], ["-7", 0, "-2", 1, "1"], ["3", 1, "1"]]},
                {
                    "rows": [
                        ["100", 2, "1", 3, "1/2"],
                        ["-9", 2, "-1", 3, "2", 4, "-1"],
                        ["-1", 4, "-1"],
                        ["-2", 2, "-1"],
                    ]
                },
                {"rows": [["1", 0, "1", 5, "-1"], ["-4", 5, "1", 6, "-3"], ["-1", 5, "-1", 7, "-1"]]},
            ],
        }
        place = {"box": [["0", None], ["0", None]]}
        rays = [[a, b] for a in ("0", "1", "3") for b in ("0", "1", "2", "1/2")]
        for ray in rays:
            self._ask(
                lambda m, r=ray: m.growths(m.Model.parse(model), [m.number(v) for v in r], 3),
            )
            for level, width in ((1, 3), (2, 4), (3, 3)):
                for i in range(width):
                    self._ask(
                        lambda m, r=ray, at=level, i=i: (
                            m.revivable(m.Model.parse(model), [m.number(v) for v in r], at, i),
                            m.quiet(m.Model.parse(model), at, i, [tuple(int(2 * m.number(v)) for v in r)]),
                        )
                    )
                    claim = {"layer": level, "neuron": i, "point": ["0", "0"], "ray": ray}
                    self._ask(judged(model, place, [], claim | {"status": "alive", "supremum": "inf"}))

    def _corners(self) -> None:
        """Bounds of layers that fit: few inputs (corners) and many (the box), chords used at corners and flat ones."""
        rng = random.Random(3)
        for inputs, widths in (
            (2, (4, 4, 3)),
            (2, (6, 3, 2)),
            (3, (5, 5, 2)),
            (8, (4, 3, 2)),
            (9, (4, 3, 2)),
            (1, (3, 3, 3)),
        ):
            for scale in (1, 40):
                model, before = {"layers": list[Any]()}, inputs
                for width in widths:
                    rows = [[f"{rng.randint(-9, 9)}/{rng.randint(1, 7)}" for _ in range(before)] for _ in range(width)]
                    bias = [f"{scale * rng.randint(-9, 9)}/8" for _ in range(width)]
                    model["layers"].append({"weights": rows, "bias": bias})
                    before = width
                place = {"box": [[f"-{rng.randint(0, 3)}", f"{rng.randint(1, 4)}/3"] for _ in range(inputs)]}
                for level in range(1, len(widths) + 1):
                    derive = {"derive": [[at] for at in range(1, level)]} if level > 1 else {}
                    for sign in (1, -1):
                        for leaf in ({"coarse": []}, {}):
                            half = {"split": ["x", 0, "1/4"], **derive}
                            for proof in ([leaf | derive], [half, leaf | derive, leaf], [half, leaf, leaf | derive]):
                                self._ask(bounding(model, place, proof, level, 0, sign))

    def _limits(self) -> None:
        """Bounds from both sides, met and missed by a little, on all kinds of domain; and by intervals first."""
        rows = [["-9", 0, "1", 1, "1", 2, "1"], ["1", 0, "-1", 1, "2", 2, "1"]]
        model = {
            "inputs": 1,
            "layers": [{"rows": [["0", 0, "1"], ["1", 0, "-2"]]}, {"rows": rows}, {"rows": [["-30", 3, "1", 4, "1"]]}],
        }
        places_ = ({"box": [["-1", "1"]]}, {"points": [["-1"], ["1/2"]]}, {"vertices": [["-1"], ["1"]]})
        for place in places_:
            for level, neuron in ((1, 0), (1, 1), (2, 0), (2, 1), (3, 0)):
                for status in ("at most", "at least"):
                    for bound in ("-31", "-30", "-7", "-1", "0", "1", "3", "9", "x", None):
                        claim = {"layer": level, "neuron": neuron, "status": status, "bound": bound}
                        for derive in (
                            [[at] for at in range(1, level)],
                            [[1], [2, []]][: level - 1],
                            [[1], [2, [0]]][: level - 1],
                        ):
                            proof = {"proof": [{"derive": derive} if derive else {}]}
                            self._ask(judged(model, place, [], claim | ({} if "points" in place else proof)))
        base = {"layer": 1, "neuron": 0, "proof": [{}]}
        for more in (
            {"status": "at most"},
            {"status": "dead", "bound": "1"},
            {"status": "at most", "bound": "2", "stable": True},
        ):
            self._ask(judged(model, places_[0], [], base | more))
        self._ask(
            judged(model, places_[0], [], base | {"status": "at least", "bound": "-2", "supremum": "1", "point": ["1"]})
        )
        tilted = {"inequalities": [["1", "1"], ["1", "-1"]], "equalities": [["0", "0"]]}
        self._ask(judged(model, tilted, [], base | {"status": "at most", "bound": "1"}))

    def _command(self) -> None:
        """What is printed, and the exit codes."""
        folder = Path(tempfile.mkdtemp(prefix="mutants"))
        text = (FOLDER / "certificates" / "FORMAT.md").read_text(encoding="utf-8")
        for name, data in re.findall(r"```json (\w+)\n(.*?)```", text, re.DOTALL):
            (folder / f"{name}.json").write_text(data, encoding="utf-8")
        (folder / "twice.json").write_text('{"a": 1, "a": 2}', encoding="utf-8")
        (folder / "other.json").write_text('{"layers": [{"weights": [[1, 1]]}]}', encoding="utf-8")
        net = Network.from_file(folder / "model.json")
        box = Polyhedron.box([(0, 2), (0, 1)])
        found = prune(net, box, list(decide(net, box)))
        (folder / "pruning.json").write_text(json.dumps(found.certificate), encoding="utf-8")
        (folder / "smaller.json").write_text(found.network.to_json(), encoding="utf-8")
        for names in (
            "certificate model domain", "certificate other domain", "twice model domain", "certificate model model",
            "none model domain", "certificate model", "pruning model domain smaller", "pruning model domain model",
            "pruning model domain", "certificate model domain smaller", "certificate model domain domain a",
        ):  # fmt: skip
            self._ask(_running([str(folder / f"{name}.json") for name in names.split()]))

    def _example(self) -> None:
        text = (FOLDER / "certificates" / "FORMAT.md").read_text(encoding="utf-8")
        found = {k: json.loads(v) for k, v in re.findall(r"```json (\w+)\n(.*?)```", text, re.DOTALL)}
        good = found["certificate"]
        claims = good["claims"]
        bent = [
            good,
            {**good, "x": 1},
            {**good, "geomrelu": "certificate 1"},
            {**good, "model": "0"},
            {**good, "domain": "0"},
        ]
        bent += [
            {**good, "claims": []},
            {**good, "points": {}},
            {**good, "derive": [[2]]},
            {**good, "derive": [[1], [1, 0]]},
        ]
        for k, claim in enumerate(claims):
            for key in claim:
                less = {name: value for name, value in claim.items() if name != key}
                bent.append({**good, "claims": [*claims[:k], less, *claims[k + 1 :]]})
            changes: list[dict[str, Any]] = [{"layer": 0}, {"layer": 3}, {"neuron": 2}, {"neuron": True}]
            changes += [{"status": "x"}, {"stable": 1}, {"ray": ["0", "0"]}, {"point": 1}, {"point": -1}]
            for change in changes:
                bent.append({**good, "claims": [claim | change]})
        halves = [{"split": ["x", 0, "1/2"], "derive": [[1], [2]]}, {"derive": [[1], [2]]}, {"derive": [[2]]}]
        trees: list[Any] = [
            None,
            [],
            {},
            "parts",
            halves,
            [{}, *halves[1:]],
            halves[:2],
            [*halves, {}],
            [halves[0], {}, {}],
        ]
        trees += [[*halves[:2], {"coarse": []}], [{"derive": [[1]]}], [{**halves[0], "coarse": []}, *halves[1:]]]
        trees += [[{"split": ["neuron", 1, 1], "derive": [[1]]}, {"derive": [[2]]}, {"derive": [[2], [2]]}]]
        for tree in trees:
            for level, neuron, sign in ((1, 0, 1), (2, 0, 1), (2, 0, -1), (2, 1, 1)):
                where = checker.Model.parse(found["model"]), checker.Domain.parse(found["domain"])
                try:
                    bound = checker.Judge([], *where, [[1]], tree).bound("parts", level, neuron, sign)
                except checker.Rejected:
                    bound = Fraction(5)
                claim = {"layer": level, "neuron": neuron, "status": "at most" if sign > 0 else "at least"}
                for limit in (bound, bound - Fraction(1, 1 << 40)) if isinstance(bound, Fraction) else (Fraction(5),):
                    own = [claim | {"bound": str(sign * limit), "proof": "parts"}]
                    bent.append({**good, "derive": [[1]], "parts": tree, "claims": own})
        for certificate in bent:
            self._ask(
                lambda m, c=certificate: outcome(
                    m,
                    lambda: len(
                        m.check(copy.deepcopy(c), m.Model.parse(found["model"]), m.Domain.parse(found["domain"]))
                    ),
                )
            )

    def _ask(self, question: Callable[[Any], Any]) -> None:
        self.asked.append((question, question(checker)))


def _pruned(certificate: Any, model: Any, place: Any, smaller: Any) -> Callable[[Any], Any]:
    def ask(m: Any) -> Any:
        parts = m.Model.parse(model), m.Domain.parse(place), m.Model.parse(smaller)
        return outcome(m, lambda: m.check_pruning(copy.deepcopy(certificate), *parts))

    return ask


def _running(arguments: list[str]) -> Callable[[Any], Any]:
    def ask(m: Any) -> Any:
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            return m.main(arguments), said.getvalue()

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
