"""Questions by the hundred, over grids of points, rays, weights, splits and limits: all judges have to agree."""

from __future__ import annotations

import copy
import itertools
import json
import random
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from attack.questions import AGREED, Question, bounding, judged, outcome
from geomrelu import checker

FOLDER = Path(checker.__file__).parent


def stated() -> Iterator[Question]:
    for some in (generators, growing, corners, limits, example, skips):
        yield from some()


def skips() -> Iterator[Question]:
    """A layer that reads the inputs and the layer before does not fit fixed point."""
    rows = [["-9", 0, "1", 1, "1", 2, "1"], ["1", 0, "-1", 1, "2", 2, "1"]]
    model = {
        "inputs": 1,
        "layers": [{"rows": [["0", 0, "1"], ["1", 0, "-2"]]}, {"rows": rows}, {"rows": [["-30", 3, "1", 4, "1"]]}],
    }
    for level, neuron in ((2, 0), (2, 1), (3, 0)):
        for leaf in ({"coarse": []}, {}, {"slopes": ["88"]}):
            proof = [leaf | {"derive": [[at] for at in range(1, level)]}]
            yield bounding(model, {"box": [["-1", "1"]]}, proof, level, neuron), AGREED


def generators() -> Iterator[Question]:
    """Points and rays by weights; one sign, one sum, one length wrong at a time."""
    model = {"layers": [{"weights": [["1", "1"], ["1", "-1"]]}, {"weights": [["1", "-1"]], "bias": ["1/3"]}]}
    place = {"vertices": [["0", "0"], ["1", "0"], ["0", "2"]], "rays": [["1", "1"], ["0", "1"]], "lines": [["1", "-1"]]}
    points = [
        [["1/3", "1/3", "1/3"], ["0", "0"], ["0"]], [["1", "0", "0"], ["1", "2"], ["-3"]],
        [["-1", "1", "1"], ["0", "0"], ["0"]], [["1", "1", "0"], ["0", "0"], ["0"]],
        [["1", "0", "0"], ["-1", "2"], ["0"]], [["1", "0", "0"], ["1", "-2"], ["0"]],
        [["1/2", "1/4", "1/4"], ["1/2", "0"], ["-5/7"]], [["1", "0"], ["0", "0"], ["0"]],
        [["1", "0", "0"], ["0", "0"]], [["1", "0", "0"], ["0", "0"], []],
    ]  # fmt: skip
    rays = [
        [["1", "0"], ["0"]], [["0", "0"], ["-2"]], [["-1", "0"], ["0"]], [["0", "0"], ["0"]], [["1", "1"], ["-1"]],
        [["1", "1"], []], [["0", "0", "1"], ["0"]],
    ]  # fmt: skip
    for level in (1, 2):
        for weights in points:
            value = {"layer": level, "neuron": 0, "status": "alive", "point": {"weights": weights}}
            yield judged(model, place, value), AGREED
            yield lambda m, w=weights: outcome(m, lambda: m.Domain.parse(place).weighted({"weights": w}, 0)), AGREED
        for weights in rays:
            far = {"layer": level, "neuron": 0, "status": "alive", "supremum": "inf", "ray": {"weights": weights}}
            yield judged(model, place, far | {"point": ["0", "0"]}), AGREED
            yield lambda m, w=weights: outcome(m, lambda: m.Domain.parse(place).weighted({"weights": w}, 1)), AGREED
    for ray in itertools.product((-2, -1, 0, 1, 2), repeat=2):
        yield lambda m, r=ray: m.Domain.parse(place).recedes([Fraction(v) for v in r]), AGREED


def growing() -> Iterator[Question]:
    """Growth along rays: without biases, of one layer and of skips, and what revives a neuron."""
    model = {
        "inputs": 2,
        "layers": [
            {"rows": [["5", 0, "1", 1, "-1"], ["-7", 0, "-2", 1, "1"], ["3", 1, "1"]]},
            {"rows": [["100", 2, "1", 3, "1/2"], ["-9", 2, "-1", 3, "2", 4, "-1"], ["-1", 4, "-1"], ["-2", 2, "-1"]]},
            {"rows": [["1", 0, "1", 5, "-1"], ["-4", 5, "1", 6, "-3"], ["-1", 5, "-1", 7, "-1"]]},
        ],
    }
    place = {"box": [["0", None], ["0", None]]}
    rays = [[a, b] for a in ("0", "1", "3") for b in ("0", "1", "2", "1/2")]
    for ray in rays:
        yield lambda m, r=ray: m.growths(m.Model.parse(model), [m.number(v) for v in r], 3), AGREED
        for level, width in ((1, 3), (2, 4), (3, 3)):
            for i in range(width):
                ray_ = [Fraction(v) for v in ray]
                yield lambda m, r=ray_, at=level, i=i: m.revivable(m.Model.parse(model), r, at, i), AGREED
                cone = [tuple(int(2 * v) for v in ray_)]
                yield lambda m, c=cone, at=level, i=i: m.quiet(m.Model.parse(model), at, i, c), AGREED
                claim = {"layer": level, "neuron": i, "point": ["0", "0"], "ray": ray}
                yield judged(model, place, claim | {"status": "alive", "supremum": "inf"}), AGREED


def corners() -> Iterator[Question]:
    """Bounds of layers that fit: few inputs (corners) and many (the box), chords used at corners and flat ones."""
    rng = random.Random(3)
    for inputs, *widths in ((2, 4, 4, 3), (2, 6, 3, 2), (3, 5, 5, 2), (8, 4, 3, 2), (9, 4, 3, 2), (1, 3, 3, 3)):
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
                            yield bounding(model, place, proof, level, 0, sign), AGREED


def limits() -> Iterator[Question]:
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
                    for last in ([2], [2, []], [2, [0]]):
                        derive = [[1], last][: level - 1]
                        proof = {"proof": [{"derive": derive} if derive else {}]}
                        yield judged(model, place, claim | ({} if "points" in place else proof)), AGREED
    base = {"layer": 1, "neuron": 0, "proof": [{}]}
    tilted = {"inequalities": [["1", "1"], ["1", "-1"]], "equalities": [["0", "0"]]}
    yield judged(model, tilted, base | {"status": "at most", "bound": "1"}), AGREED


def example() -> Iterator[Question]:
    """The certificate of FORMAT.md with every part bent."""
    text = (FOLDER / "certificates" / "FORMAT.md").read_text(encoding="utf-8")
    found = {k: json.loads(v) for k, v in re.findall(r"```json (\w+)\n(.*?)```", text, re.DOTALL)}
    good = found["certificate"]
    claims = good["claims"]
    bent = [good, {**good, "derive": [[1], [1, 0]]}]
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

    def checked(m: Any, certificate: Any) -> int:
        where = m.Model.parse(found["model"]), m.Domain.parse(found["domain"])
        return len(m.check(copy.deepcopy(certificate), *where, m.Judge))

    for certificate in bent:
        yield lambda m, c=certificate: outcome(m, lambda: checked(m, c)), AGREED
