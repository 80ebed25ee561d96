"""Questions about claims: of the status, the supremum and stability; about smaller networks, and what is printed."""

from __future__ import annotations

import copy
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from fractions import Fraction
from pathlib import Path
from typing import Any

from attack.questions import NONE, PROVED, REJECTED, Ask, Question, judged, outcome, pruning


def stated() -> Iterator[Question]:
    for some in (certificates, claims, stability, cones, falling, prunings, command):
        yield from some()


def certificates() -> Iterator[Question]:
    """What stands around the claims."""
    model, place = {"layers": [{"weights": [[1]], "bias": [-2]}]}, {"box": [[0, 1]]}
    claim = {"layer": 1, "neuron": 0, "status": "dead", "proof": [{}]}

    def checked(change: dict[str, Any]) -> Ask:
        def ask(m: Any) -> Any:
            parts = m.Model.parse(model), m.Domain.parse(place)
            whole = {
                "geomrelu": "certificate 2",
                "model": parts[0].digest(),
                "domain": parts[1].digest(),
                "claims": [claim],
            }
            return outcome(m, lambda: len(m.check(copy.deepcopy(whole | change), *parts, m.Judge)))

        return ask

    yield checked({}), 1
    yield checked({"claims": [claim, claim], "points": [], "derive": [], "parts": [{}]}), 2
    for change in (
        {"claims": [7]}, {"claims": [[]]}, {"claims": [None]}, {"claims": [claim, {}]}, {"claims": {}}, {"claims": 7},
        {"claims": []}, {"claims": None}, {"points": 7}, {"points": {}}, {"points": None}, {"derive": [[2]]},
        {"derive": 7},
        {"parts": []}, {"model": "0"}, {"domain": "0"}, {"geomrelu": "certificate 1"}, {"geomrelu": None}, {"x": 1},
        {"claims": [claim | {"point": ["x"]}]}, {"parts": [{"split": ["x", 0, "z"]}, {}, {}]},
    ):  # fmt: skip
        yield checked(change), REJECTED
    yield lambda m: outcome(m, lambda: m.check([], m.Model.parse(model), m.Domain.parse(place))), REJECTED


def claims() -> Iterator[Question]:
    """Each status, met and missed by a little."""
    model = {"layers": [{"weights": [[1], [1], [-1], [0]], "bias": ["-1/2", 0, 0, 0]}]}
    place = {"box": [[0, 1]]}

    def of(neuron: int, status: Any, **more: Any) -> Ask:
        return judged(model, place, {"layer": 1, "neuron": neuron, "status": status, "proof": [{}]} | more)

    for neuron, status, more, answer in (
        (0, "active", {}, REJECTED), (1, "active", {}, PROVED), (2, "active", {}, REJECTED), (3, "active", {}, PROVED),
        (0, "dead", {}, REJECTED), (1, "dead", {}, REJECTED), (2, "dead", {}, PROVED), (3, "dead", {}, PROVED),
        (0, "at most", {"bound": "1/2"}, PROVED), (0, "at most", {"bound": "0.4999"}, REJECTED),
        (0, "at least", {"bound": "-1/2"}, PROVED), (0, "at least", {"bound": "-0.4999"}, REJECTED),
        (0, "at most", {"bound": "1/2", "supremum": "1/2", "point": ["1"]}, REJECTED),
        (0, "at least", {"bound": "-1/2", "supremum": "1/2", "point": ["1"]}, REJECTED),
        (2, "at most", {"bound": "0", "stable": False, "point": ["0"]}, REJECTED),
        (2, "dead", {"nonsense": 1}, REJECTED), (0, "at most", {}, REJECTED), (2, "dead", {"bound": "1"}, REJECTED),
        (1, "active", {"supremum": "1"}, REJECTED),
        (1, "active", {"supremum": "1", "point": ["1"]}, REJECTED), (1, "active", {"stable": True}, REJECTED),
        (1, "active", {"stable": False, "point": ["0"]}, REJECTED), (0, "at most", {"bound": "x"}, REJECTED),
        (0, ["dead"], {}, REJECTED),
        (0, None, {}, REJECTED), (0, "killed", {}, REJECTED), (2, "dead", {"stable": 1}, REJECTED),
        (2, "dead", {"stable": 0, "point": ["0"]}, REJECTED), (2, "dead", {"stable": "x"}, REJECTED),
        (2, "dead", {"stable": None}, PROVED), (2, "dead", {"supremum": "0", "point": ["0"]}, PROVED),
        (2, "dead", {"supremum": "0", "point": ["1"]}, REJECTED), (2, "dead", {"supremum": "0"}, REJECTED),
        (0, "alive", {"supremum": "1/2", "point": "corner"}, PROVED),
        (0, "alive", {"point": ["1"], "stable": None}, PROVED),
        (0, "alive", {"supremum": "1/4", "point": ["3/4"]}, REJECTED), (0, "alive", {"point": ["1/2"]}, REJECTED),
        (0, "alive", {}, REJECTED),
        (0, "alive", {"supremum": "1/2"}, REJECTED),
        (0, "alive", {"supremum": "inf", "point": ["1"], "ray": ["1"]}, REJECTED),
    ):  # fmt: skip
        yield of(neuron, status, **more), answer
    # a finite set has no directions
    finite = {"layer": 1, "neuron": 0, "status": "dead", "stable": True}
    for points, answer in (([[0], ["1/4"]], PROVED), ([[0], ["1/2"]], REJECTED), ([[0], [1]], REJECTED)):
        yield judged(model, {"points": points}, finite), answer
    # of an empty set nothing is claimed: rows and equalities need a point
    model_2 = {"layers": [{"weights": [[1, 1]], "bias": [-5]}]}
    dead = {"layer": 1, "neuron": 0, "status": "dead", "proof": [{}]}
    square = {"box": [[-1, 1], [-1, 1]]}
    for rows in ({"inequalities": [[1, 1, 1]]}, {"equalities": [[1, 1, 1]]}):
        yield judged(model_2, rows | square, dead), REJECTED
        yield judged(model_2, rows | square, dead | {"point": ["0", "1"]}), REJECTED if "equalities" in rows else PROVED
        yield judged(model_2, rows | square, dead | {"point": ["0", "-1"]}), PROVED
    yield judged(model_2, square, dead), PROVED
    # growth without end
    half, grows = {"box": [[0, None]]}, {"layer": 1, "neuron": 0, "status": "alive", "supremum": "inf"}
    for more, answer in (
        ({"point": ["0"], "ray": ["1"]}, PROVED), ({"ray": ["1"]}, REJECTED), ({"point": ["0"]}, REJECTED),
        ({"point": ["0"], "ray": ["-1"]}, REJECTED), ({"point": ["0"], "ray": ["0"]}, REJECTED),
        ({"point": ["0"], "ray": ["1"], "neuron": 2}, REJECTED),
        ({"point": ["0"], "ray": ["1"], "neuron": 3}, REJECTED),
    ):  # fmt: skip
        yield judged(model, half, grows | more), answer


def stability() -> Iterator[Question]:
    """What revives a neuron, and what does not."""
    half = {"box": [[0, None]]}

    def zeros(bias: int) -> Any:
        return {"layers": [{"weights": [[1]]}, {"weights": [[0]], "bias": [bias]}]}

    alive, dead = ({"layer": 2, "neuron": 0, "status": status} for status in ("alive", "dead"))
    proof, ray = {"proof": [{"derive": [[1]]}]}, {"ray": ["1"]}
    for bias, claim, answer in (
        (1, alive | {"point": ["0"]}, PROVED),
        (1, alive | {"point": ["0"], "stable": False} | ray, REJECTED),
        (1, alive | {"point": ["0"], "stable": True} | ray, REJECTED),
        (-1, dead | proof | {"point": ["0"], "stable": False} | ray, PROVED),
        (-1, dead | proof | {"stable": False} | ray, REJECTED),
        (-1, dead | proof | {"point": ["0"], "stable": False}, REJECTED),
        (-1, dead | proof | {"stable": False}, REJECTED),
        (0, dead | proof | {"point": ["0"], "stable": False}, PROVED),
        (-1, dead | proof | {"stable": True, "infinity": [[]]}, REJECTED),
        (0, dead | proof | {"stable": True, "infinity": [[]]}, REJECTED),
    ):
        yield judged(zeros(bias), half, claim), answer
    # a ray of weights must not be zero, though along it every neuron is flat
    model = {"layers": [{"weights": [[-1]], "bias": [-1]}, {"weights": [[1]], "bias": [-1]}]}
    place = {"vertices": [[0]], "rays": [[1]]}
    for weights, answer in ((["0"], REJECTED), (["1"], REJECTED)):
        point = {"point": ["0"], "ray": {"weights": [weights, []]}}
        yield judged(model, place, dead | proof | point | {"stable": False}), answer
    # layer 2: values it reads fall or are flat; tilting a flat one revives if its weight, or the bias, is >= 0
    for weights, bias, revives in (
        ([-1, -1, -1], -1, False), ([-1, -1, -1], 0, True), ([-1, -1, -1], "1/2", True), ([-1, -1, -1], 1, True),
        ([-1, 0, -1], -1, True), ([-1, -1, 0], -1, True), ([0, -1, -1], -1, False), ([-1, "1/2", -2], -1, True),
        ([1, -1, -1], -1, False), ([-1, 1, -1], -1, True), ([-1, -1, 1], -1, True),
    ):  # fmt: skip
        first = {"weights": [[-1], [0], [0]], "bias": [0, 1, 1]}
        model = {"layers": [first, {"weights": [weights], "bias": [bias]}]}
        yield lambda m, model=model: m.revivable(m.Model.parse(model), [Fraction(1)], 2, 0), revives
    # layer 3 reads a layer that is flat
    model = {"layers": [{"weights": [[1], [1]]}, {"weights": [[1, -1]]}, {"weights": [[1]], "bias": [-1]}]}
    yield lambda m: m.revivable(m.Model.parse(model), [Fraction(1)], 3, 0), False
    yield lambda m: m.revivable(m.Model.parse(model), [Fraction(1)], 2, 0), True
    yield lambda m: m.revivable(m.Model.parse(model), [Fraction(1)], 1, 0), False  # it grows
    # layer 3 reads a layer that falls: neither the layer between, which grows, nor a bias > 0 revives it
    falls, grows = [[0, 0, -1]], [[0, 0, 1]]
    for second, third, bias in ((grows, 1, 1), ([[2, 1, 1]], 2, 1), ([[2, 1, 1]], 2, 0)):
        rows = [{"rows": falls}, {"rows": second}, {"rows": [[bias, third, -1]]}]
        yield lambda m, rows=rows: m.revivable(m.Model.parse({"inputs": 1, "layers": rows}), [Fraction(1)], 3, 0), False


def cones() -> Iterator[Question]:
    """Far out."""
    for place, found in (
        ({"vertices": [[0, 0]], "rays": [[1, 0]], "lines": [[0, 1]]}, [(0, -1), (0, 1), (1, 0)]),
        ({"box": [[0, None], [None, 1]]}, [(0, -1), (1, 0)]),
        ({"box": [[0, 1], [None, None]]}, [(0, -1), (0, 1)]),
    ):
        yield lambda m, place=place: sorted(m.recession(m.Domain.parse(place))), found
    plane: list[Any] = [[None, None]] * 2
    for place, cone, found in (
        ({"inequalities": [[1, 1, -1]]}, [(1, 0), (0, 1)], [(1, 0), (0, 1)]),
        ({"inequalities": [[1, 1, -1]]}, [(1, 1), (0, 1), (0, 0)], [(1, 1)]),
        ({"inequalities": [[1, -1, -1]]}, [(1, 0), (0, 1)], []),
        ({"inequalities": [[1, -2, 1]]}, [(1, 2), (1, 1)], [(1, 2)]),
        ({"equalities": [[1, 1, -1]]}, [(1, 1), (1, 0)], [(1, 1)]),
        ({"equalities": [[1, 1, -1]]}, [(1, 1), (0, 1)], [(1, 1)]),
        ({"equalities": [[1, 1, -1]]}, [(1, 0), (0, 1)], [(1, 0), (0, 1)]),
    ):  # fmt: skip
        yield lambda m, data=place | {"box": plane}, cone=cone: m.within(m.Domain.parse(data), cone), found
    # on the quadrant: a neuron that falls, behind one that changes its sign along (2, 1)
    model = {"layers": [{"weights": [[1, 1], [1, -2]], "bias": [0, 1]}, {"weights": [[-1, -1]], "bias": [-1]}]}
    place = {"box": [[0, None], [0, None]]}
    claim = {"layer": 2, "neuron": 0, "status": "dead", "stable": True, "proof": [{"derive": [[1]], "slopes": ["g0"]}]}
    cut = [0, 1, "2", "1"]
    for tree, answer in (
        ([cut, [], []], PROVED), ([[1, 0, "1", "2"], [], []], PROVED), ([[0, 1, "4", "2"], [], []], PROVED),
        ([cut, [0, 1, "1", "1"], [], [], []], PROVED), ([cut, [], [0, 1, "1", "1"], [], []], PROVED),
        ([[]], REJECTED), ([], REJECTED), ({}, REJECTED), (None, REJECTED), (7, REJECTED), ([7], REJECTED),
        ([cut, []], REJECTED), ([cut], REJECTED), ([cut, [], [], []], REJECTED), ([cut, [], [], cut], REJECTED),
        ([[0, 1, "1", "1"], [], []], REJECTED), ([[0, 1, "1", "2"], [], []], REJECTED),
        ([[0, 1, "0", "1"], [], cut, [], []], REJECTED), ([[0, 1, "1", "0"], cut, [], [], []], REJECTED),
        ([[0, 0, "1", "1"], cut, [], [], cut, [], []], REJECTED), ([[0, 1, "-2", "1"], [], []], REJECTED),
        ([[0, 1, "-1", "-1"], [], []], REJECTED), ([[0, 2, "2", "1"], [], []], REJECTED),
        ([[0, 1, "2"], [], []], REJECTED),
        ([[0, 1, "2", "1", 1], [], []], REJECTED), ([["0", 1, "2", "1"], [], []], REJECTED), ([cut, {}, []], REJECTED),
        ([[0, 1, "x", "1"], [], []], REJECTED),
    ):  # fmt: skip
        yield judged(model, place, claim | {"infinity": tree}), answer
    # flat along the ray: quiet if the bias is negative, and so is the weight on what might not stay off
    for first, weight, bias, calm in (
        (-1, -1, -1, True), (-1, 1, -1, True), (-1, -1, 0, False), (-1, -1, 1, False), (1, 0, -1, False),
        (0, -1, -1, True),
        (0, 0, -1, False), (0, 1, -1, False), (1, -1, 7, True), (1, 1, -7, False),
    ):  # fmt: skip
        model_2 = {"layers": [{"weights": [[first]]}, {"weights": [[weight]], "bias": [bias]}]}
        yield lambda m, model=model_2: m.quiet(m.Model.parse(model), 2, 0, [(1,)]), calm
    # flat because two inputs balance: any other weight on one of them revives
    yield lambda m: m.quiet(m.Model.parse({"layers": [{"weights": [[-1, -1]], "bias": [-1]}]}), 1, 0, [(1, -1)]), False
    for first, weights, calm in ((0, [-1, -1], True), (0, [-1, 0], False), (0, [0, -1], False), (-1, [0, 0], True)):
        model_2 = {"layers": [{"weights": [[first], [first]]}, {"weights": [weights], "bias": [-1]}]}
        yield lambda m, model=model_2: m.quiet(m.Model.parse(model), 2, 0, [(1,)]), calm


def falling() -> Iterator[Question]:
    """Proofs about growth."""

    def sliced(m: Any, place: Any) -> Any:
        return [(part.lower, part.upper, part.rows, part.equalities) for part in m.slices(m.Domain.parse(place))]

    four: list[Any] = [[0, None], [None, 1], [None, None], [0, 2]]
    ways = (1, -1, 1, 0, 0)
    rows = {"inequalities": [[5, 2, 0, 0, -2]], "equalities": [[1, 0, 1, 1, 0]]}
    kept, flat = [(0, 1, 0, 0, -1)], (0, 0, 1, 1, 0)
    for more, inequalities, flats in (({}, [], []), (rows, kept, [flat])):
        slices = [([0, -1, side, 0], [1, 0, side, 0], inequalities, flats) for side in (-1, 1)]
        slices.insert(0, ([0, -1, -1, 0], [1, 0, 1, 0], inequalities, sorted([*flats, ways])))
        yield lambda m, place={"box": four} | more: sliced(m, place), slices
    plane: list[Any] = [[None, None]] * 2
    sides = [([-1, -1], [-1, 1]), ([1, -1], [1, 1]), ([-1, -1], [1, -1]), ([-1, 1], [1, 1])]
    yield lambda m: sliced(m, {"box": plane}), [(*side, [], []) for side in sides]
    yield lambda m: sliced(m, {"box": [[0, 1]] * 2}), []
    claim = {"layer": 2, "neuron": 0, "status": "dead", "stable": True, "proof": [{"derive": [[1]], "slopes": ["g0"]}]}
    quadrant = {"box": [[0, None], [0, None]]}
    leaf: Any = {"derive": [[1]], "slopes": ["g0"], "equalities": {"0": "1"}}
    bare = {key: leaf[key] for key in ("derive", "slopes")}
    halves = [{"split": ["neuron", 1, 1], "derive": [[1]]}, {"equalities": {"0": "1"}}]
    halves.append({"equalities": {"0": "1"}, "splits": {"0": "1"}})
    for weight, growth, answer in (
        (-1, [[leaf]], PROVED), (-1, [halves], PROVED), (-1, [[leaf | {"equalities": {"0": "1/2"}}]], PROVED),
        (-1, [[bare]], REJECTED), (-1, [[leaf | {"equalities": {"0": "0"}}]], REJECTED), (-1, [], REJECTED),
        (-1, [[leaf]] * 2, REJECTED), (-1, [leaf], REJECTED), (-1, [[]], REJECTED), (-1, {"0": [leaf]}, REJECTED),
        (-1, None, REJECTED), (-1, ["parts"], REJECTED), (-1, [halves[:2]], REJECTED),
        (-1, [[leaf | {"equalities": {"1": "1"}}]], REJECTED), (-1, [[leaf | {"coarse": []}]], REJECTED),
        (0, [[leaf]], REJECTED), (0, [halves], REJECTED),
    ):  # fmt: skip
        layers = [{"weights": [[1, 1], [1, -2]], "bias": [0, 1]}, {"weights": [[weight, weight]], "bias": [-1]}]
        yield judged({"layers": layers}, quadrant, claim | {"growth": growth}), answer
    # a proof for each slice, and of the domain's rows what they say of directions
    first = {"layer": 1, "neuron": 0, "status": "dead", "stable": True}
    wedge = {"inequalities": [[2, 1, -1], [2, 1, 1]]}  # around the way of x: |y| <= x + 2
    model = {"layers": [{"weights": [[-1, 0]], "bias": [-3]}]}
    both = {"rows": {"0": "1/2", "1": "1/2"}}
    left, right, down, up = [{"rows": {"0": "1", "1": "1"}}], [{}], [{"rows": {"1": "1"}}], [{"rows": {"0": "1"}}]
    about = first | {"proof": [both], "point": ["0", "0"]}
    for growth, answer in (
        ([left, right, down, up], PROVED), ([left, right, up, down], REJECTED), ([right, right, down, up], REJECTED),
        ([left, right, down, right], REJECTED), ([left, right, right, up], REJECTED), ([left, right, down], REJECTED),
        ([left, left, left, left], REJECTED),
    ):  # fmt: skip
        yield judged(model, {"box": plane} | wedge, about | {"growth": growth}), answer
    place = {"vertices": [[0, 0]], "rays": [[1, 0], [0, 1]]}
    model = {"layers": [{"weights": [[-1, -1]], "bias": [-1]}]}
    about = first | {"proof": [{}]}
    for more, answer in (({"infinity": [[]]}, PROVED), ({"growth": [[{}]]}, REJECTED), ({"growth": []}, REJECTED)):
        yield judged(model, place, about | more), answer
    for growth, answer in (([[{}]], PROVED), ([[{}], None], REJECTED), ([None], REJECTED), ([[{}], [{}]], REJECTED)):
        half = {"box": [[None, 1]]}
        yield judged({"layers": [{"weights": [[1]], "bias": [-2]}]}, half, about | {"growth": growth}), answer


# ---- smaller networks -------------------------------------------------------------------------------------------


def prunings() -> Iterator[Question]:
    """What may be left out, and what stands in its place."""
    first = {"weights": [[1], [2], [1], [1]], "bias": ["-1/2", -1, -3, 1]}
    last = {"weights": [[1, 1]], "activation": "none"}
    second = [{"weights": [[1, 1, w, 1], [0, 0, 1, 0]], "bias": [0, -9]} for w in (0, 1)]
    idle, read = ({"layers": [first, inner, last]} for inner in second)
    smaller = {
        "inputs": 1,
        "layers": [{"rows": [["-1/2", 0, 1]]}, {"rows": [[1, 0, 1, 1, 3]]}, {"weights": [[1]], **NONE}],
    }
    gone, flat, other = (
        {"layer": level, "neuron": i, "status": status, "proof": [{"derive": [[1]]} if level > 1 else {}]}
        for level, i, status in ((1, 2, "dead"), (1, 3, "active"), (2, 1, "dead"))
    )
    whole: dict[str, Any] = {"removed": [[1, 2], [2, 1]], "folded": [[1, 3]], "merged": [[1, 1, 0, "2"]]}
    counts = {"removed": 2, "folded": 1, "merged": 1}
    for model, change, answer in (
        (read, {"claims": [gone, flat, other]}, counts), (idle, {"claims": [gone, flat, other]}, counts),
        (idle, {"claims": [flat, other]}, counts), (read, {"claims": [flat, other]}, REJECTED),
        (idle, {"claims": [gone, flat]}, REJECTED), (idle, {"claims": [gone, other]}, REJECTED),
        (idle, {"claims": []}, REJECTED), (idle, {"claims": None}, REJECTED), (idle, {"claims": 7}, REJECTED),
        *((idle, {"claims": [flat, other], **change}, REJECTED) for change in (
            {"removed": [[1, 2]]}, {"removed": [[1, 2], [2, 1], [3, 0]]}, {"removed": [[1, 2], [2, 1], [0, 0]]},
            {"removed": [[1, 2], [2, 1], [2, 1]]}, {"folded": []}, {"folded": 7}, {"folded": {}},
            {"folded": [[1, 3, 0]]},
            {"folded": [7]}, {"merged": [[1, 1, 0]]}, {"merged": [[1, 1, 4, "2"]]}, {"merged": [[1, 4, 0, "2"]]},
            {"merged": [[1, 1, 0, "1"]]}, {"merged": [[1, 1, 3, "2"]]}, {"x": 1}, {"parts": [{}]},
            {"geomrelu": "pruning 1"},
            {"model": "0"}, {"domain": "0"}, {"smaller": "0"}, {"removed": None}, {"removed": [[1, 4], [2, 1]]},
        )),
    ):  # fmt: skip
        yield pruning(model, smaller, whole | change), answer
    yield pruning(idle, smaller | {"layers": [*smaller["layers"][:2], {"weights": [[2]], **NONE}]}, whole), REJECTED
    # merged: row by row, by a positive factor, into one that stays
    for row, bias, factor, answer in (
        ([2, 2], 2, "2", 1), ([1, 1], 1, "1", 1), (["1/2", "1/2"], "1/2", "1/2", 1), ([2, 2], 3, "2", REJECTED),
        ([2, 3], 2, "2", REJECTED), ([3, 2], 2, "2", REJECTED), ([2, 0], 2, "2", REJECTED),
        ([-1, -1], -1, "-1", REJECTED),
        ([0, 0], 0, "0", REJECTED), ([0, 0], 2, "2", REJECTED),
    ):  # fmt: skip
        model = {"layers": [{"weights": [[1, 1], row], "bias": [1, bias]}, {"weights": [[1, 1]], **NONE}]}
        found = {"layers": [{"weights": [[1, 1]], "bias": [1]}, {"weights": [[str(1 + Fraction(factor))]], **NONE}]}
        question = pruning(model, found, {"merged": [[1, 1, 0, factor]]}, {"box": [[0, 1]] * 2})
        yield question, {"removed": 0, "folded": 0, "merged": 1} if answer == 1 else answer
    model = {"layers": [{"weights": [[1], [2]]}, {"weights": [[1, 1]], **NONE}]}
    found = {"layers": [{"weights": [[1]]}, {"weights": [[3]], **NONE}]}
    for some, answer in (([], {"removed": 0, "folded": 0, "merged": 1}), *((no, REJECTED) for no in (None, {}, 7, ""))):
        yield pruning(model, found, {"merged": [[1, 1, 0, "2"]], "claims": some}), answer
    zero = {"layers": [{"weights": [[0], [0]], "bias": [1, 0]}, {"weights": [[1, 1]], **NONE}]}
    found = {"layers": [{"weights": [[0]], "bias": [1]}, {"weights": [[1]], **NONE}]}
    yield pruning(zero, found, {"merged": [[1, 1, 0, "0"]]}), REJECTED
    model = {"layers": [{"weights": [[1], [2], [6]]}, {"weights": [[1, 1, 1]], **NONE}]}
    found = {"layers": [{"weights": [[1]]}, {"weights": [[9]], **NONE}]}
    for factors, answer in (([[1, 1, 0, 2], [1, 2, 0, 6]], 2), ([[1, 1, 0, 2], [1, 2, 1, 3]], REJECTED)):
        question = pruning(model, found, {"merged": factors})
        yield question, {"removed": 0, "folded": 0, "merged": 2} if answer == 2 else answer
    # where nothing follows the last layer its outputs are those of the network; of others, what nothing reads may go
    deep = {"layers": [{"weights": [[1]]}, {"weights": [[1], [1]]}, {"weights": [[1, 0]]}]}
    found = {"layers": [{"weights": [[1]]}, {"weights": [[1]]}, {"weights": [[1]]}]}
    yield pruning(deep, found, {"removed": [[2, 1]]}), {"removed": 1, "folded": 0, "merged": 0}
    yield pruning(deep, found, {"folded": [[2, 1]]}), REJECTED
    chain = {"layers": [{"weights": [[1]]}, {"weights": [[1]], "bias": [1]}, {"weights": [[1]]}]}  # a layer goes
    short = {"layers": [{"weights": [[1]]}, {"weights": [[1]], "bias": [1]}]}
    flat = {"layer": 2, "neuron": 0, "status": "active", "proof": [{"derive": [[1]]}]}
    yield pruning(chain, short, {"folded": [[2, 0]], "claims": [flat]}), {"removed": 0, "folded": 1, "merged": 0}
    yield pruning(chain, short, {"folded": [[2, 0]]}), REJECTED
    mapped = {"layers": [{"weights": [[1], [1]]}, {"weights": [[1, 0]], **NONE}]}
    less = {"layers": [{"weights": [[1]]}, {"weights": [[1]], **NONE}]}
    yield pruning(mapped, less, {"removed": [[1, 1]]}), {"removed": 1, "folded": 0, "merged": 0}
    parts = (mapped, {"box": [[0, 1]]}, less)
    for no in ([], None, 7):
        yield lambda m, no=no: outcome(m, lambda: m.check_pruning(no, *_parsed(m, *parts))), REJECTED
    one = {"layers": [{"weights": [[1], [-1]]}]}
    found = {"layers": [{"weights": [[1]]}, {"weights": [[1], [0]], **NONE}]}
    dead = {"layer": 1, "neuron": 1, "status": "dead", "proof": [{}]}
    yield pruning(one, found, {"removed": [[1, 1]]}), REJECTED
    yield pruning(one, found, {"removed": [[1, 1]], "claims": [dead]}), {"removed": 1, "folded": 0, "merged": 0}
    active = {"layer": 1, "neuron": 0, "status": "active", "proof": [{}]}
    everything = {"removed": [[1, 1]], "folded": [[1, 0]], "claims": [dead, active]}
    yield pruning(one, found, everything), REJECTED


def _parsed(m: Any, model: Any, place: Any, smaller: Any) -> Any:
    return m.Model.parse(model), m.Domain.parse(place), m.Model.parse(smaller)


# ---- the command ------------------------------------------------------------------------------------------------


def command() -> Iterator[Question]:
    """What is printed, and the exit code."""
    model = {"layers": [{"weights": [[1], [-1]], "bias": [-2, 0]}]}
    smaller = {"layers": [{"weights": [[-1]]}, {"weights": [[0], [1]], **NONE}]}
    dead = [{"layer": 1, "neuron": i, "status": "dead", "proof": [{}]} for i in range(2)]

    def running(claims: list[Any], names: str = "certificate model domain") -> Ask:
        def ask(m: Any) -> Any:
            place = {"box": [[0, 1]]}
            digests = {"model": m.Model.parse(model).digest(), "domain": m.Domain.parse(place).digest()}
            certificate = {"geomrelu": "certificate 2", **digests, "claims": claims}
            less = digests | {
                "model": m.Model.parse(model).whole_digest(),
                "smaller": m.Model.parse(smaller).whole_digest(),
            }
            pruning_ = {"geomrelu": "pruning 2", **less, "claims": dead[:1], "removed": [[1, 0]]}
            files = {
                "certificate": certificate,
                "odd\x07name": certificate,
                "model": model,
                "domain": place,
                "pruning": pruning_,
                "smaller": smaller,
            }
            said = io.StringIO()
            with tempfile.TemporaryDirectory() as folder, redirect_stdout(said), redirect_stderr(said):
                for name, data in files.items():
                    Path(folder, name).write_text(json.dumps(data), encoding="utf-8")
                Path(folder, "twice").write_text('{"a": 1, "a": 2}', encoding="utf-8")
                limit = sys.get_int_max_str_digits()
                sys.set_int_max_str_digits(4300)  # as where Python starts
                code = m.main([str(Path(folder, name)) for name in names.split(" ")])
                sys.set_int_max_str_digits(limit)
                return code, said.getvalue().replace(folder + os.sep, "").splitlines()

        return ask

    lines = [f"neuron {i} of layer 1 is dead" for i in range(2)]
    yield running(dead[:1]), (0, [lines[0], "accepted certificate: 1 claim proved"])
    yield running(dead), (0, [*lines, "accepted certificate: 2 claims proved"])
    refused = "REJECTED certificate: layer 1, neuron 0: the neuron is not positive at the point"
    yield running([dead[0] | {"status": "alive"}]), (1, [refused])
    long = dead[0] | {"status": "at most", "bound": "9" * 5000}
    yield running([long]), (0, ["neuron 0 of layer 1 is at most about 2^16609", "accepted certificate: 1 claim proved"])
    yield running(dead[:1], "odd\x07name model domain"), (0, [lines[0], "accepted 'odd\\x07name': 1 claim proved"])
    said = "accepted pruning: smaller equals model on the domain (1 removed, 0 folded, 0 merged)"
    yield running(dead, "pruning model domain smaller"), (0, [said])
    yield running(dead, "pruning model domain model"), (1, ["REJECTED pruning: it is about another smaller network"])
    yield running(dead, "certificate smaller domain"), (1, ["REJECTED certificate: it is about another model"])
    yield running(dead, "certificate model domain smaller"), (1, ["REJECTED certificate: not a geomrelu pruning 2"])
    yield running(dead, "pruning model domain"), (1, ["REJECTED pruning: not a geomrelu certificate 2"])
    yield running(dead, "twice model domain"), (2, ["checker: error: the key 'a' stands twice in an object"])
    yield running(dead, "none model domain"), (2, ["checker: error: [Errno 2] No such file or directory: 'none'"])
    usage = "usage: python checker.py CERTIFICATE MODEL.json DOMAIN.json [SMALLER.json]"
    for names in ("certificate model", "certificate model domain smaller smaller"):
        yield running(dead, names), (2, [usage])
    yield running(dead, "certificate certificate domain"), (2, ["checker: error: unknown key 'geomrelu' in the model"])
    for more, text in (
        ({"status": "alive"}, "alive"), ({"status": "at most", "bound": "6/4"}, "at most 3/2"),
        ({"status": "alive", "supremum": "inf"}, "alive, supremum inf"), ({"supremum": "-2/4"}, "dead, supremum -1/2"),
        ({"stable": True}, "dead, stably"), ({"stable": False, "supremum": "0"}, "dead, not stably, supremum 0"),
    ):  # fmt: skip
        yield (
            lambda m, more=more: m.said_of({"layer": 2, "neuron": 3, "status": "dead"} | more),
            f"neuron 3 of layer 2 is {text}",
        )
