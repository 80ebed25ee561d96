"""Questions to a judge whose answers are known beforehand, of every rule at its edge.

A judge is a module like ``checker.py``. A question is asked of such a module, and its answer is stated here: "proved",
the name of the refusal, a bound to the last digit, or a text. What a claim needs is in certificates/FORMAT.md.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from types import MappingProxyType
from typing import Any

Ask = Callable[[Any], Any]
Question = tuple[Ask, Any]  # with its answer

PROVED, REJECTED, MALFORMED = "proved", "Rejected", "Malformed"
AGREED = object()  # the answer is not stated, but all judges give the same one, to the last digit
UNIT = Fraction(1, 1 << 28)
NONE = {"activation": "none"}


def outcome(module: Any, do: Callable[[], Any], text: bool = False) -> Any:
    """What comes of it, or the name of the refusal, or what it says; a crash is itself."""
    try:
        return do()
    except (module.Rejected, module.Malformed) as refused:
        return str(refused) if text else type(refused).__name__
    except Exception as other:
        return repr(other)


def judged(model: Any, place: Any, claim: Any, points: Any = (), derive: Any = None, parts: Any = None) -> Ask:
    """Is the claim proved?"""

    def ask(m: Any) -> Any:
        def prove() -> str:
            table = list(points) if points == () else points
            judge = m.Judge(table, m.Model.parse(model), m.Domain.parse(place), derive, parts)
            m.prove(copy.deepcopy(claim), judge)
            return PROVED

        return outcome(m, prove)

    return ask


def bounding(
    model: Any, place: Any, proof: Any, level: int, neuron: int, sign: int = 1, derive: Any = None, parts: Any = None
) -> Ask:
    """What does the proof bound ``sign * z`` by?"""

    def ask(m: Any) -> Any:
        def bound() -> str:
            judge = m.Judge([], m.Model.parse(model), m.Domain.parse(place), copy.deepcopy(derive), parts)
            return str(judge.bound(copy.deepcopy(proof), level, neuron, sign))

        return outcome(m, bound)

    return ask


def pruning(model: Any, smaller: Any, change: dict[str, Any], place: Any = MappingProxyType({"box": [[0, 1]]})) -> Ask:
    """Is the smaller network equal? Then, how many neurons were changed."""

    def ask(m: Any) -> Any:
        parts = m.Model.parse(model), m.Domain.parse(dict(place)), m.Model.parse(smaller)
        digests = {"model": parts[0].whole_digest(), "domain": parts[1].digest(), "smaller": parts[2].whole_digest()}
        whole = {"geomrelu": "pruning 2", **digests, "claims": []} | copy.deepcopy(change)
        return outcome(m, lambda: m.check_pruning(whole, *parts))

    return ask


def reading(kind: str, data: Any) -> Ask:
    """Can a model or a domain be read? None: it can."""
    return lambda m: outcome(m, lambda: getattr(m, kind).parse(data) and None)


def same(kind: str, one: Any, other: Any) -> Question:
    """Two spellings of one model or domain: they have one digest."""

    def ask(m: Any) -> Any:
        return outcome(m, lambda: len({getattr(m, kind).parse(data).digest() for data in (one, other)}))

    return ask, 1


def saying(do: Callable[[Any], Any], text: str) -> Question:
    """What is said of a refusal."""
    return lambda m: outcome(m, lambda: do(m), text=True), text


def stated() -> Iterator[Question]:
    """All questions of this file."""
    for some in (
        words, numbers, tables, models, domains, intervals, lines, slopes, fixed_point, derivations, trees, certificates, claims, stability, cones, prunings,
    ):  # fmt: skip
        yield from some()


# ---- reading ----------------------------------------------------------------------------------------------------


def words() -> Iterator[Question]:
    """Large numbers and texts are cut, and refusals say what is wrong where."""
    for value, text in (
        (1 << 199, str(1 << 199)), (1 << 200, "about 2^201"), (-(1 << 300), "about -2^301"),
        (Fraction(1 << 199), str(1 << 199)), (Fraction(1 << 200), "about 2^200"), (Fraction(1, 1 << 200), "about 2^-200"),
        (Fraction(-1, 1 << 200), "about -2^-200"), (Fraction(-2, 3), "-2/3"), ("a" * 80, "'" + "a" * 59),
        ({}, "an object"), ([], "a list"), (None, "None"), (0, "0"),
    ):  # fmt: skip
        yield lambda m, value=value: m.shown(value), text
    yield saying(lambda m: m.numbers([1], 2), "expected a list of 2 numbers")
    yield saying(lambda m: m.numbers(3), "expected a list of numbers")
    yield saying(lambda m: m.parsed('{"b": 1, "a": 2, "a": 3}'), "the key 'a' stands twice in an object")
    yield saying(lambda m: m.Model.parse({"layers": [{"weights": 7}]}), 'layer 1 needs "weights", a list of rows')
    unread = {"inputs": 1, "layers": [{"weights": [[1]], "activation": "none"}, {"rows": [[1]]}]}
    yield saying(
        lambda m: m.Model.parse(unread), "layer 1 has no ReLU, and rows read only variables: nothing reads it"
    )
    model, place = {"layers": [{"weights": [[1]]}]}, {"box": [[-1, 2]]}
    for status, text in (
        ("dead", "the bound is 2, not <= 0"),
        ("active", "the bound of -z is 1, not <= 0"),
    ):
        claim = {"layer": 1, "neuron": 0, "status": status, "proof": [{}]}
        yield saying(
            lambda m, claim=claim: m.prove(claim, m.Judge([], m.Model.parse(model), m.Domain.parse(place))), text
        )


def numbers() -> Iterator[Question]:
    """Numbers of at most 100 000 digits."""

    def reads(m: Any, text: str) -> Any:
        limit = sys.get_int_max_str_digits()
        sys.set_int_max_str_digits(0)
        try:
            return outcome(m, lambda: m.number(text) > 0)
        finally:
            sys.set_int_max_str_digits(limit)

    yield lambda m: reads(m, "1" * 100_000), True
    yield lambda m: reads(m, "1" * 100_001), MALFORMED
    for value in (1.5, True, None, "", "1/0", "1/-2", "1 ", "0x1", "1e12345", [1]):
        yield lambda m, value=value: outcome(m, lambda: m.number(value)), MALFORMED


def tables() -> Iterator[Question]:
    """Multipliers of a leaf, and objects."""

    def table(data: Any, free: bool = False) -> Ask:
        return lambda m: outcome(m, lambda: m.table({"splits": data}, "splits", 2, free))

    for data in (7, [], "", None, [["0", 1]]):
        yield table(data), REJECTED
    for key in ("x", "", "-1", "+1", " 1", "1_0", "2", "0000000001", "1.", "\u0661"):
        yield table({key: 1}), REJECTED
    yield table({"0": "1/2", "1": 0}), [(0, Fraction(1, 2)), (1, 0)]
    yield table({"0": "-1"}), REJECTED
    yield table({"0": "-1"}, free=True), [(0, -1)]
    for data in (7, [], "", None, {"b": 1}):
        yield lambda m, data=data: outcome(m, lambda: m.known(data, {"a"}, "it")), REJECTED
    yield lambda m: outcome(m, lambda: m.known({"a": 1}, {"a"}, "it")), None


def models() -> Iterator[Question]:
    row = {"rows": [["0", 0, "1"]]}
    for data in (
        [], 7, None, {}, {"layers": 7}, {"layers": {}}, {"layers": []}, {"layers": [7]}, {"layers": [[]]},
        {"layers": [{"weights": [[]]}]}, {"layers": [{"weights": [7]}]}, {"layers": [{"weights": [[1], []]}]},
        {"layers": [{"weights": 7}]}, {"layers": [{"weights": []}]}, {"layers": [{"weights": [[1]], "bias": [1, 2]}]},
        {"layers": [{"weights": [[1]], "activation": "tanh"}]}, {"layers": [{"weights": [[1]], "activation": "none"}]},
        {"layers": [row]}, *({"inputs": n, "layers": [row]} for n in (0, -1, "1", True, 1.0, 10**7)),
        *({"inputs": 1, "layers": [{"rows": rows}]} for rows in (
            7, [], [7], [[]], [["1", 0]], [["1", "0", "1"]], [["1", True, "1"]], [["1", 1, "1"]], [["1", -1, "1"]],
            [["1", 0, "1", 0, "1"]], {}, [{}],
        )),
    ):  # fmt: skip
        yield reading("Model", data), MALFORMED
    yield reading("Model", {"inputs": 1, "layers": [row, {"rows": [["0", 0, "1", 1, "1"]]}]}), None
    first = {"weights": [[1, -2], ["1/2", 3]]}
    yield same("Model", {"layers": [first]}, {"layers": [first | {"bias": [0, 0]}]})
    yield same("Model", {"layers": [first]}, {"inputs": 2, "layers": [{"rows": [[0, 1, -2, 0, 1], [0, 0, "1/2", 1, 3]]}]})
    linear = first | {"bias": ["1/3", 5], "activation": "none"}
    after = {"weights": [[2, 1], [1, -1]], "bias": [1, "1/7"]}
    whole = {"weights": [["5/2", -1], ["1/2", -5]], "bias": ["20/3", "-95/21"]}
    yield same("Model", {"layers": [linear, after]}, {"layers": [whole]})


def domains() -> Iterator[Question]:
    for data in (
        7, None, {}, {"dimension": 1, "box": [[0, 1], [0, 1]]}, {"box": [[0, 1]], "dimension": "1"}, {"box": [[0]]},
        {"box": [[0, 1]], "dimension": True}, {"dimension": 10**7}, {"dimension": 0}, {"box": 7}, {"box": [7]},
        {"points": 7}, {"inequalities": [7]}, {"points": []}, {"vertices": [], "rays": [[1]]}, {"rays": [[1]]},
        {"inequalities": [[1, 1], [1, 1, 1]]}, {"box": [[0, 1]], "points": [[0]]}, {"boxes": []},
    ):  # fmt: skip
        yield reading("Domain", data), MALFORMED
    for data in ({"box": [[0, 1]], "dimension": 1}, {"dimension": 3}, [[1]], {"vertices": [[1]], "rays": [], "lines": []}):
        yield reading("Domain", data), None
    no: list[Any] = [None, None]
    for one, other in (
        ({"inequalities": [[1, 1, 0]]}, {"box": [[-1, None], no]}),
        ({"inequalities": [[1, -1, 0], [6, 0, 2]]}, {"box": [[None, 1], [-3, None]]}),
        ({"inequalities": [[1, 1, 0], [2, 1, 0], [1, -1, 0], [1, -2, 0]]}, {"box": [[-1, "1/2"], no]}),
        ({"equalities": [[1, 1, 0]]}, {"box": [[-1, -1], no]}),
        ({"equalities": [[1, 1, -1], ["1/2", "1/2", "-1/2"], [0, 0, 0]]}, {"equalities": [[-3, -3, 3]]}),
        ({"inequalities": [[2, 2, 4], [0, 0, 0], [1, 0, 0]]}, {"inequalities": [["1/2", "1/2", 1]]}),
        ({"vertices": [[0, 0]], "lines": [[-1, 1], [2, -2]]}, {"vertices": [[0, 0], [0, 0]], "lines": [[1, -1]]}),
        ({"vertices": [[0, 0]], "rays": [[2, 4], [0, 0]]}, {"vertices": [[0, 0]], "rays": [[1, 2]]}),
    ):
        yield same("Domain", one, other)
    strip = {"equalities": [[1, 1, 1]], "inequalities": [[2, 1, -1]], "box": [[None, 1], no]}  # x + y = -1, x - y >= -2
    for point, inside in (
        ([0, -1], True), ([1, -2], True), (["-3/2", "1/2"], True), (["-8/5", "3/5"], False), ([2, -3], False),
        ([0, 1], False), ([1, 0], False), ([0, 0], False),
    ):  # fmt: skip
        yield lambda m, p=point: m.Domain.parse(strip).contains([m.number(v) for v in p]), inside
    quarter = {"box": [[None, 1], [0, None]], "inequalities": [[1, 1, 1]]}  # rays have r_0 <= 0 <= r_1, r_0 + r_1 >= 0
    for ray, recedes in (
        ([0, 1], True), ([-1, 1], True), ([-1, 2], True), ([-2, 1], False), ([1, 0], False), (["1/2", 1], False),
        ([-1, 0], False), ([0, -1], False), ([0, 0], False), (["-1/2", "1/2"], True),
    ):  # fmt: skip
        yield lambda m, r=ray: m.Domain.parse(quarter).recedes([m.number(v) for v in r]), recedes
    # no point of a ball is given by coordinates, and none of a box by weights
    model = {"layers": [{"weights": [[1, 1]], "bias": [1]}]}
    disc, square = {"center": [0, 0], "square": 1}, {"box": [[0, 1], [0, 1]]}
    alive = {"layer": 1, "neuron": 0, "status": "alive"}
    for place, point, answer in (
        (disc, ["0", "0"], REJECTED), (disc, {"ball": ["0", "0"]}, PROVED), (disc, {"weights": [["1"]]}, REJECTED),
        (square, ["0", "0"], PROVED), (square, {"weights": [["1"], [], []]}, REJECTED), (square, ["2", "0"], REJECTED),
        (square, {"ball": ["0", "0"]}, REJECTED), (square, ["0"], MALFORMED), (square, "corner", PROVED),
    ):  # fmt: skip
        yield judged(model, place, alive | {"point": point}), answer
    yield judged(model, square, alive | {"point": 0}, points=[["0", "0"]]), PROVED
    yield judged(model, square, alive | {"point": 1}, points=[["0", "0"]]), REJECTED
    yield judged(model, square, alive | {"point": ["0", "0"]}, points=7), REJECTED
    yield judged(model, {"box": [[0, 1]]}, alive | {"point": ["0"]}), REJECTED  # of another dimension
    yield judged(model, {"box": [[1, 0], [0, 1]]}, alive | {"status": "dead", "proof": [{}]}), REJECTED


# ---- bounds in exact arithmetic ---------------------------------------------------------------------------------


def intervals() -> Iterator[Question]:
    """Layers that do not fit, bounded by intervals alone."""
    rows = [[1, 0, 2, 1, 1, 2, -3], [0, 0, "1/2", 1, -1, 2, 1], [0, 1, -2, 2, -1], [3, 1, 1, 2, 1]]
    model = {"inputs": 1, "layers": [{"rows": [[0, 0, 1], [1, 0, -2]]}, {"rows": rows}]}
    place = {"box": [[-1, 1]]}  # outputs of layer 1 between 0 and 1, and between 0 and 3
    for neuron, low, high in ((0, -10, 4), (1, "-3/2", "7/2"), (2, -5, 0), (3, 3, 7)):
        for sign, bound in ((1, high), (-1, low)):
            ask = bounding(model, place, "parts", 2, neuron, sign, derive=[[1], [2, []]])
            yield ask, str(sign * Fraction(bound))
    # of known sign: not bounded again, though going back would find less; of unknown sign: bounded again
    rows = [[0, 1, 1, 2, 1, 3, 1], [0, 1, -1, 2, -1, 3, -1], [-1, 1, 1, 2, 1, 3, 1], *[[0]] * 4]
    model = {"inputs": 1, "layers": [{"rows": [[0, 0, 1], [0, 0, -1], ["-1/2", 0, 1]]}, {"rows": rows}]}
    for neuron, sign, bound in ((0, 1, "5/2"), (1, -1, "5/2"), (2, 1, "1/2")):
        yield bounding(model, {"vertices": [[-1], [1]]}, "parts", 2, neuron, sign, derive=[[1], [2]]), bound
    # a part without points bounds nothing
    model = {"layers": [{"weights": [[1], [1]], "bias": [-5, 0]}]}
    parts = [{"split": ["neuron", 1, 0], "derive": [[1]]}, {}, {}]
    yield bounding(model, {"box": [[0, 1]]}, "parts", 1, 1, parts=parts), "1"
    # what is kept of a layer that fits is rounded outward to units, also where exact arithmetic knows better
    model, place = {"layers": [{"weights": [["1/3"]]}]}, {"box": [[0, 1]]}
    third = str(-(-(1 << 29) // 3) * UNIT / 2)
    for derive in ([[1]], [[1], [1, 0, "upper", {}]]):
        yield bounding(model, place, "parts", 1, 0, derive=derive), third
    yield bounding(model, place, [{}], 1, 0), "1/3"


def lines() -> Iterator[Question]:
    """Lines around outputs without an upper, or a lower bound."""
    half, other = {"box": [[0, None]]}, {"box": [[None, 1]]}
    step = {"weights": [[1], [1]], "bias": [-1, 0]}
    for place, first, weights, bound in (
        (half, step, [1, -1], "0"),  # max(x - 1, 0) - x <= (x - 1 + 1) - x
        (half, step, [-1, 1], "1"),  # x - max(x - 1, 0) <= x - (x - 1)
        (half, step, [1, 0], "inf"),
        (other, step | {"bias": [0, 1]}, [-1, 0], "0"),
        (other, step | {"bias": [0, 1]}, [1, 1], "3"),
        (other, step | {"bias": [0, -2]}, [0, 1], "0"),
    ):
        yield bounding({"layers": [first, {"weights": [weights]}]}, place, [{"derive": [[1]]}], 2, 0), bound


def slopes() -> Iterator[Question]:
    """Slopes below, in sixteenths: all of them at once; and what is no text of slopes."""
    wide = {"layers": [{"weights": [[1]] * 17}, {"weights": [[-1] * 17]}]}
    letters, place, first = "0123456789abcdefg", {"box": [[-1, 1]]}, {"derive": [[1]]}
    for text, bound in ((letters, "17/2"), (letters[::-1], "17/2"), ("g" * 17, "17"), ("0" * 17, "0"), ("", "0")):
        yield bounding(wide, place, [first | {"slopes": [text]}], 2, 0), bound
        yield bounding(wide, place, [first | {"coarse": [text]}], 2, 0), AGREED
    one = {"layers": [{"weights": [[1]]}, {"weights": [[-1]]}, {"weights": [[1]]}]}
    for key in ("slopes", "coarse"):
        for texts in ("g", 7, {}, [7], [None], ["h"], ["gg"], [["g"]], ["g", "g"], ["g", ""], [{"g": 1}]):
            yield bounding(one, place, [first | {key: texts}], 2, 0), REJECTED
        yield bounding(one, place, [{key: [""]}], 1, 0), REJECTED
        yield bounding(one, place, [first | {key: ["g"], "slope": []}], 2, 0), REJECTED


# ---- bounds in fixed point --------------------------------------------------------------------------------------


def fixed_point() -> Iterator[Question]:
    """Inputs that do not vary, outputs that end at 0, weights of one unit, splits; and chords at corners."""
    flat = {"box": [[1, 1], [0, 1], [-2, "1/3"]]}
    model = {"layers": [{"weights": [[1, "1/3", -1], [-2, 1, "1/5"]]}, {"weights": [[1, -1]], "bias": ["-1/7"]}]}
    for level, neuron, sign in ((1, 0, 1), (1, 0, -1), (1, 1, 1), (1, 1, -1), (2, 0, 1), (2, 0, -1)):
        leaf = {"coarse": []} | ({"derive": [[1]]} if level > 1 else {})
        yield bounding(model, flat, [leaf], level, neuron, sign), AGREED
    ends = {"layers": [{"weights": [[-1]]}, {"weights": [[-1]]}]}
    for text in ("", "8", "g"):
        yield bounding(ends, {"box": [[0, 1]]}, [{"derive": [[1]], "coarse": [text]}], 2, 0), "0"
    square = {"box": [[-1, 1], [-1, 1]]}
    tiny = {"layers": [{"weights": [[1, 0], [1, 1]]}, {"weights": [[1, str(UNIT)]]}]}
    for text in ("", "0g", "g0"):
        yield bounding(tiny, square, [{"derive": [[1]], "coarse": [text]}], 2, 0), AGREED
    for size, own in (("1", "1"), ("1/8", "1"), ("1", "1/5"), ("8", "6")):
        model = {"layers": [{"weights": [[size, size], [1, -1]]}, {"weights": [[own, own]], "bias": ["-1/2"]}]}
        for m, other in (("0", "1/4"), ("1/4", "0"), ("3/2", "0"), ("0", "3/2")):
            leaves = [{"coarse": [], "splits": {"0": m}}, {"coarse": [], "splits": {"0": other}}]
            proof = [{"split": ["neuron", 1, 0], "derive": [[1]]}, *leaves]
            yield bounding(model, square, proof, 2, 0), AGREED
    high = 1 << 20  # a chord with slope 1/2; its heights at the corners are used if their mean is smaller
    for near, far, heights in ((64, 64, None), (66, 64, [524255, 524320]), (64, 66, None)):
        corners = [0, 0], [high - 2 - near, high - 2 + far]
        yield lambda m, c=corners: tuple(m.unknown_chord(-high, high, c)), (1 << 27, 0, high // 2, heights, high)


# ---- proofs -----------------------------------------------------------------------------------------------------

SQUARE = {"box": [[-1, 1], [-1, 1]]}
TWO = {"layers": [{"weights": [[1, 1], [1, -1]]}, {"weights": [[1, 1], [1, -1]], "bias": [-1, 0]}]}
TOP = str(2 + 2 * UNIT)  # what a leaf bounds neuron 0 of TWO by: 2, but the bounds before it are rounded
THREE = {"layers": [*TWO["layers"], {"weights": [[1, 1]]}]}
SKIP = {"inputs": 1, "layers": [{"rows": [[0, 0, 1], [0, 0, -1]]}, {"rows": [[0, 0, 1, 1, 1, 2, 1], [1, 1, 1]]}]}
LINE = {"box": [[-1, 1]]}


def derivations() -> Iterator[Question]:
    """Layers are derived one after the other, as a whole first."""
    for derive in (
        7, {}, "", "1", [7], [[]], [["1"]], [[0]], [[2]], [[True]], [[1, [0]]], [[1], [2]], [[1], [1, [0], 7]], [[1], [1, 7]],
        [[1], [1, [2]]], [[1], [1, ["0"]]], [[1], [1, 0, "upper"]], [[1], [1, 0, "x", {}]], [[1], [1, 0, ["upper"], {}]],
        [[1], [1, 0, "upper", 7]], [[1], [1, 0, "upper", []]], [[1], [1, 2, "upper", {}]], [[1, 0, "upper", {}]],
        [[1], [1, 0, "upper", {"coarse": []}]], [[1], [1, 0, "upper", {"derive": 1, "x": 1}]], [[1], [1, 0, "upper", {}, 1]],
    ):  # fmt: skip
        yield bounding(TWO, SQUARE, [{"derive": derive}], 2, 0), REJECTED
    for derive in ([[1]], [[1], [1, []]], [[1], [1, [0, 0]]], [[1], [1, 0, "upper", {}]], [[1], [1, 0, "lower", {}]]):
        yield bounding(TWO, SQUARE, [{"derive": derive}], 2, 0), TOP
    for derive in ([[1], [1]], [[1], [1, [0]]], [[1], [2, [0]]], [[1], [2], [3]], [[1], [2], [3, [0]]], [[2], [1]]):
        yield bounding(THREE, SQUARE, [{"derive": derive}], 3, 0), REJECTED
    for derive in ([[1], [2], [3]], [[1], [2, [0]]], [[2]]):
        yield bounding(TWO, SQUARE, "parts", 2, 0, derive=derive), REJECTED
        yield bounding(TWO, SQUARE, "parts", 2, 0, parts=[{"derive": derive}]), REJECTED
    for derive, bound in (
        ([[1], [2]], "2"), ([[1], [2, []]], "3"), ([[1], [2, [0]]], "2"), ([[1], [2, 0, "upper", {}]], REJECTED),
        ([[1], [2, [0], "upper", {}]], REJECTED),
    ):  # fmt: skip
        yield bounding(SKIP, {"vertices": [[-1], [1]]}, "parts", 2, 0, derive=derive), bound
    points = {"points": [[0, 0]]}
    dead = {"layer": 1, "neuron": 0, "status": "dead"}
    yield judged(TWO, points, dead), PROVED
    yield judged(TWO, points, dead, derive=[]), PROVED
    yield judged(TWO, points, dead, derive=[[1]]), REJECTED
    yield judged(TWO, points, dead, parts=[{}]), REJECTED
    yield judged(TWO, points, dead | {"proof": [{}]}), REJECTED
    yield judged(TWO, points, dead | {"proof": "parts"}), REJECTED


def trees() -> Iterator[Question]:
    """Splits, and how a tree is written."""
    first = {"derive": [[1]]}

    def proved(split: Any) -> list[Any]:
        return [first | {"split": split}, {}, {}]

    for proof in (
        7, None, {}, "x", "", [], [7], [[]], [None], [first, {}], [first | {"split": ["x", 0, "1/2"]}, {}],
        [first | {"split": ["x", 0, "1/2"]}], [first | {"split": ["x", 0, "1/2"]}, {}, {}, {}], [{}], "parts",
        [first | {"split": ["x", 0, "1/2"], "slopes": []}, {}, {}], [{"split": ["neuron", 1, 0]}, first, first],
    ):  # fmt: skip
        yield bounding(TWO, SQUARE, proof, 2, 0), REJECTED
    for split in (
        7, None, {}, "x", [], ["x", 0], ["x", 0, "1/2", 1], ["y", 0, "1/2"], [["x"], 0, "1/2"], ["x", 2, "1/2"],
        ["x", "0", "1/2"], ["x", 0, "2"], ["x", 0, "-2"], ["neuron", 1], ["neuron", 2, 0], ["neuron", 0, 0],
        ["neuron", 1, 2], ["neuron", "1", 0], ["form", 0, 0],
    ):  # fmt: skip
        yield bounding(TWO, SQUARE, proved(split), 2, 0), REJECTED
    yield bounding(TWO, SQUARE, proved(["x", 0, "z"]), 2, 0), MALFORMED
    for split in (["x", 0, "1/2"], ["x", 1, "-1"], ["x", 1, "1"], ["neuron", 1, 0], ["neuron", 1, 1]):
        yield bounding(TWO, SQUARE, proved(split), 2, 0), TOP
    yield bounding(TWO, {"vertices": [[0, 0], [1, 0]]}, proved(["x", 0, "1/2"]), 2, 0), REJECTED
    yield bounding(TWO, {"vertices": [[0, 0], [1, 0]]}, proved(["neuron", 1, 0]), 2, 0), "1"
    rows = {"inequalities": [[1, -1, -1]], "equalities": [[0, 1, -1]], **SQUARE}
    for key, table, bound in (
        ("rows", {"0": "1"}, "1"), ("rows", {"0": "-1"}, REJECTED), ("rows", {"1": "1"}, REJECTED),
        ("equalities", {"0": "-3"}, "6"), ("equalities", {"0": "1/2"}, "2"), ("splits", {"0": "1"}, REJECTED),
        ("rows", [], REJECTED), ("rows", {"x": "1"}, REJECTED),
    ):  # fmt: skip
        yield bounding(TWO, rows, [{key: table}], 1, 0), bound
        yield bounding(TWO, rows, [{"coarse": [], key: table}], 1, 0), REJECTED


# ---- claims -----------------------------------------------------------------------------------------------------


def certificates() -> Iterator[Question]:
    """What stands around the claims."""
    model, place = {"layers": [{"weights": [[1]], "bias": [-2]}]}, {"box": [[0, 1]]}
    claim = {"layer": 1, "neuron": 0, "status": "dead", "proof": [{}]}

    def checked(change: dict[str, Any]) -> Ask:
        def ask(m: Any) -> Any:
            parts = m.Model.parse(model), m.Domain.parse(place)
            whole = {"geomrelu": "certificate 2", "model": parts[0].digest(), "domain": parts[1].digest(), "claims": [claim]}
            return outcome(m, lambda: len(m.check(copy.deepcopy(whole | change), *parts)))

        return ask

    yield checked({}), 1
    yield checked({"claims": [claim, claim], "points": [], "derive": [], "parts": [{}]}), 2
    for change in (
        {"claims": [7]}, {"claims": [[]]}, {"claims": [None]}, {"claims": [claim, {}]}, {"claims": {}}, {"claims": 7},
        {"claims": []}, {"claims": None}, {"points": 7}, {"points": {}}, {"points": None}, {"derive": [[2]]}, {"derive": 7},
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
        (0, "at most", {}, REJECTED), (2, "dead", {"bound": "1"}, REJECTED), (1, "active", {"supremum": "1"}, REJECTED),
        (1, "active", {"stable": True}, REJECTED), (0, "at most", {"bound": "x"}, MALFORMED), (0, ["dead"], {}, REJECTED),
        (0, None, {}, REJECTED), (0, "killed", {}, REJECTED), (2, "dead", {"stable": 1}, REJECTED),
        (2, "dead", {"stable": 0, "point": ["0"]}, REJECTED), (2, "dead", {"stable": "x"}, REJECTED),
        (2, "dead", {"stable": None}, PROVED), (2, "dead", {"supremum": "0", "point": ["0"]}, PROVED),
        (2, "dead", {"supremum": "0", "point": ["1"]}, REJECTED), (2, "dead", {"supremum": "0"}, REJECTED),
        (0, "alive", {"supremum": "1/2", "point": "corner"}, PROVED), (0, "alive", {"point": ["1"], "stable": None}, PROVED),
        (0, "alive", {"point": ["1/2"]}, REJECTED), (0, "alive", {}, REJECTED), (0, "alive", {"supremum": "1/2"}, REJECTED),
        (0, "alive", {"supremum": "inf", "point": ["1"], "ray": ["1"]}, REJECTED),
    ):  # fmt: skip
        yield of(neuron, status, **more), answer
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
        ({"point": ["0"], "ray": ["1"], "neuron": 2}, REJECTED), ({"point": ["0"], "ray": ["1"], "neuron": 3}, REJECTED),
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
        ([[0, 1, "-1", "-1"], [], []], REJECTED), ([[0, 2, "2", "1"], [], []], REJECTED), ([[0, 1, "2"], [], []], REJECTED),
        ([[0, 1, "2", "1", 1], [], []], REJECTED), ([["0", 1, "2", "1"], [], []], REJECTED), ([cut, {}, []], REJECTED),
        ([[0, 1, "x", "1"], [], []], MALFORMED),
    ):  # fmt: skip
        yield judged(model, place, claim | {"infinity": tree}), answer
    # flat along the ray: quiet if the bias is negative, and so is the weight on what might not stay off
    for first, weight, bias, calm in (
        (-1, -1, -1, True), (-1, 1, -1, True), (-1, -1, 0, False), (-1, -1, 1, False), (1, 0, -1, False), (0, -1, -1, True),
        (0, 0, -1, False), (0, 1, -1, False), (1, -1, 7, True), (1, 1, -7, False),
    ):  # fmt: skip
        model_2 = {"layers": [{"weights": [[first]]}, {"weights": [[weight]], "bias": [bias]}]}
        yield lambda m, model=model_2: m.quiet(m.Model.parse(model), 2, 0, [(1,)]), calm


# ---- smaller networks -------------------------------------------------------------------------------------------


def prunings() -> Iterator[Question]:
    """What may be left out, and what stands in its place."""
    first = {"weights": [[1], [2], [1], [1]], "bias": ["-1/2", -1, -3, 1]}
    last = {"weights": [[1, 1]], "activation": "none"}
    second = [{"weights": [[1, 1, w, 1], [0, 0, 1, 0]], "bias": [0, -9]} for w in (0, 1)]
    idle, read = ({"layers": [first, inner, last]} for inner in second)
    smaller = {"inputs": 1, "layers": [{"rows": [["-1/2", 0, 1]]}, {"rows": [[1, 0, 1, 1, 3]]}, {"weights": [[1]], **NONE}]}
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
            {"removed": [[1, 2], [2, 1], [2, 1]]}, {"folded": []}, {"folded": 7}, {"folded": {}}, {"folded": [[1, 3, 0]]},
            {"folded": [7]}, {"merged": [[1, 1, 0]]}, {"merged": [[1, 1, 4, "2"]]}, {"merged": [[1, 4, 0, "2"]]},
            {"merged": [[1, 1, 0, "1"]]}, {"merged": [[1, 1, 3, "2"]]}, {"x": 1}, {"parts": [{}]}, {"geomrelu": "pruning 1"},
            {"model": "0"}, {"domain": "0"}, {"smaller": "0"}, {"removed": None}, {"removed": [[1, 4], [2, 1]]},
        )),
    ):  # fmt: skip
        yield pruning(model, smaller, whole | change), answer
    yield pruning(idle, smaller | {"layers": [*smaller["layers"][:2], {"weights": [[2]], **NONE}]}, whole), REJECTED
    # merged: row by row, by a positive factor, into one that stays
    for row, bias, factor, answer in (
        ([2, 2], 2, "2", 1), ([1, 1], 1, "1", 1), (["1/2", "1/2"], "1/2", "1/2", 1), ([2, 2], 3, "2", REJECTED),
        ([2, 3], 2, "2", REJECTED), ([3, 2], 2, "2", REJECTED), ([2, 0], 2, "2", REJECTED), ([-1, -1], -1, "-1", REJECTED),
        ([0, 0], 0, "0", REJECTED), ([0, 0], 2, "2", REJECTED),
    ):  # fmt: skip
        model = {"layers": [{"weights": [[1, 1], row], "bias": [1, bias]}, {"weights": [[1, 1]], **NONE}]}
        found = {"layers": [{"weights": [[1, 1]], "bias": [1]}, {"weights": [[str(1 + Fraction(factor))]], **NONE}]}
        question = pruning(model, found, {"merged": [[1, 1, 0, factor]]}, {"box": [[0, 1]] * 2})
        yield question, {"removed": 0, "folded": 0, "merged": 1} if answer == 1 else answer
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
    one = {"layers": [{"weights": [[1], [-1]]}]}
    found = {"layers": [{"weights": [[1]]}, {"weights": [[1], [0]], **NONE}]}
    dead = {"layer": 1, "neuron": 1, "status": "dead", "proof": [{}]}
    yield pruning(one, found, {"removed": [[1, 1]]}), REJECTED
    yield pruning(one, found, {"removed": [[1, 1]], "claims": [dead]}), {"removed": 1, "folded": 0, "merged": 0}
    active = {"layer": 1, "neuron": 0, "status": "active", "proof": [{}]}
    everything = {"removed": [[1, 1]], "folded": [[1, 0]], "claims": [dead, active]}
    yield pruning(one, found, everything), REJECTED
