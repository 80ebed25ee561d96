"""Questions about what proofs bound, in exact arithmetic and in fixed point, and about how proofs are written."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from attack.questions import AGREED, PROVED, REJECTED, UNIT, Question, bounding, judged

SQUARE = {"box": [[-1, 1], [-1, 1]]}
TWO = {"layers": [{"weights": [[1, 1], [1, -1]]}, {"weights": [[1, 1], [1, -1]], "bias": [-1, 0]}]}
TOP = str(2 + 2 * UNIT)  # what a leaf bounds neuron 0 of TWO by: 2, but the bounds before it are rounded
THREE = {"layers": [*TWO["layers"], {"weights": [[1, 1]]}]}
SKIP = {"inputs": 1, "layers": [{"rows": [[0, 0, 1], [0, 0, -1]]}, {"rows": [[0, 0, 1, 1, 1, 2, 1], [1, 1, 1]]}]}
LINE = {"box": [[-1, 1]]}


def stated() -> Iterator[Question]:
    for some in (intervals, lines, slopes, fixed_point, derivations, trees):
        yield from some()


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
    disc = {"center": [0, 0], "square": 1}  # on the box around it
    yield bounding({"layers": [{"weights": [[1, 1]]}]}, disc, "parts", 1, 0, derive=[[1, []]]), "2"
    # of known sign: not bounded again, though going back would find less; of unknown sign: bounded again
    rows = [[0, 1, 1, 2, 1, 3, 1], [0, 1, -1, 2, -1, 3, -1], [-1, 1, 1, 2, 1, 3, 1], *[[0]] * 4]
    model = {"inputs": 1, "layers": [{"rows": [[0, 0, 1], [0, 0, -1], ["-1/2", 0, 1]]}, {"rows": rows}]}
    for neuron, sign, bound in ((0, 1, "5/2"), (1, -1, "5/2"), (2, 1, "1/2")):
        yield bounding(model, {"vertices": [[-1], [1]]}, "parts", 2, neuron, sign, derive=[[1], [2]]), bound
    # a part without points bounds nothing
    model = {"layers": [{"weights": [[1], [1]], "bias": [-5, 0]}]}
    parts = [{"split": ["neuron", 1, 0], "derive": [[1]]}, {}, {}]
    yield bounding(model, {"box": [[0, 1]]}, "parts", 1, 1, parts=parts), "1"
    two = {"layers": [{"weights": [[1]], "bias": [-5]}, {"weights": [[-100]]}]}
    parts = [{"split": ["neuron", 1, 0], "derive": [[1]]}, *[{"derive": [[2]]}] * 2]
    yield bounding(two, {"box": [[0, 1]]}, "parts", 2, 0, parts=parts), "0"
    yield bounding(two, {"box": [[0, 1]]}, [parts[0], {}, {}], 2, 0), "0"
    more = {"layers": [{"weights": [[1], [1]], "bias": [-5, 0]}, {"weights": [[-100, 0]]}]}  # nor do parts of it
    proof = [parts[0], {}, {"split": ["neuron", 1, 1]}, {}, {}]
    yield bounding(more, {"box": [[0, 1]]}, proof, 2, 0), "0"
    # a layer that reads two hidden ones, and the inputs
    rows = [[0, 0, -1, 1, 1, 2, 2, 3, 1]]
    deep = {"inputs": 1, "layers": [{"rows": [[0, 0, 1], [0, 0, -1]]}, {"rows": [[5, 1, 1]]}, {"rows": rows}]}
    for sign, bound in ((1, "10"), (-1, "-4")):
        ask = bounding(deep, {"vertices": [[-1], [1]]}, "parts", 3, 0, sign, derive=[[1], [2, []], [3, []]])
        yield ask, bound
    model = {"layers": [{"weights": [[1]], "bias": ["1/2"]}]}  # and the other part is the whole
    for parts in ([{"split": ["neuron", 1, 0], "derive": [[1]]}, {}, {}], [{"derive": [[1]]}]):
        for sign, bound in ((1, "3/2"), (-1, "-1/2")):
            yield bounding(model, {"vertices": [[0], [1]]}, "parts", 1, 0, sign, parts=parts), bound
    # what is kept of a layer that fits is rounded outward to units, also where exact arithmetic knows better
    model, place = {"layers": [{"weights": [["1/3"]]}]}, {"box": [[0, 1]]}
    third = str(-(-(1 << 29) // 3) * UNIT / 2)
    for derive in ([[1]], [[1], [1, 0, "upper", {}]]):
        yield bounding(model, place, "parts", 1, 0, derive=derive), third
    yield bounding(model, place, [{}], 1, 0), "1/3"
    model = {"layers": [{"weights": [["-1/3"]]}]}
    yield bounding(model, place, "parts", 1, 0, -1, derive=[[1], [1, 0, "lower", {}]]), third


def lines() -> Iterator[Question]:
    """Lines around outputs without an upper, or a lower bound."""
    for cone, weights, bound in (
        ([[[1, 0]], [[0, 1]]], [-1, 0], "7"), ([[[1, 0]], [[0, 1]]], [1, 0], "inf"),
        ([[[1, 0]], [[0, 1]]], [0, 0], "7"),
        ([[[1, 0]], [[0, 1]]], [-1, 1], "inf"), ([[[1, 0]], [[0, 1]]], [-1, -1], "inf"),
        ([[[2, 1]], []], [-1, -1], "7"),
        ([[[2, 1]], []], [-1, 2], "7"), ([[[2, 1]], []], [-1, 3], "inf"), ([[], [[1, 1]]], [1, -1], "7"),
        ([[], [[1, 1]]], [2, -1], "inf"), ([[[2, 1], [0, 1]], []], [0, 1], "inf"), ([[], []], [5, -1], "7"),
    ):  # fmt: skip
        model, place = {"layers": [{"weights": [weights], "bias": [7]}]}, {"vertices": [[0, 0]]}
        yield bounding(model, place | dict(zip(("rays", "lines"), cone, strict=True)), [{}], 1, 0), bound
    # numbers that no float holds, beside bounds that are infinite
    huge = {"layers": [{"weights": [["1e400"]], "bias": ["1e400"]}, {"weights": [["-1e400"]], "bias": ["1e400"]}]}
    for place, sign, level, bound in (
        ({"box": [[0, None]]}, 1, 1, "inf"), ({"box": [[0, None]]}, -1, 1, str(-(10**400))),
        ({"box": [[None, 0]]}, -1, 1, "inf"), ({"box": [[None, 0]]}, 1, 2, str(10**400)),
        ({"box": [[None, 0]]}, -1, 2, str(10**800 - 10**400)), ({"box": [[None, None]]}, 1, 1, "inf"),
        ({"box": [[None, None]]}, 1, 2, str(10**400)), ({"box": [[None, None]]}, -1, 2, "inf"),
        ({"vertices": [[0]], "rays": [[1]]}, 1, 1, "inf"),
    ):  # fmt: skip
        leaf = {"slopes": ["0"], "derive": [[1]]} if level == 2 else {}
        yield bounding(huge, place, [leaf], level, 0, sign), bound
        yield bounding(huge, place, "parts", level, 0, sign, derive=[[at] for at in range(1, level + 1)]), AGREED
    grown = {"layers": [huge["layers"][0], {"weights": [["1e400"]]}]}
    yield bounding(grown, {"box": [[None, None]]}, [{"derive": [[1]]}], 2, 0), "inf"
    # an output between 0 and 0 is its pre-activation
    proof = [{"split": ["x", 0, "0"]}, {"derive": [[1]], "split": ["neuron", 1, 0]}, {}, {}, {"derive": [[1]]}]
    yield bounding({"layers": [{"weights": [[1]]}, {"weights": [[-1]]}]}, LINE, proof, 2, 0), "1"
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
    deep = {
        "layers": [TWO["layers"][0], {"weights": [[-1, 2], [1, -2]], "bias": [1, 1]}, {"weights": [[-1, -1], [1, -2]]}]
    }
    for texts in ([], ["0g"], ["0g", "4c"], ["", "4c"], ["4c", ""], ["88", "88"]):
        for key, neuron in itertools.product(("slopes", "coarse"), (0, 1)):
            yield bounding(deep, SQUARE, [{"derive": [[1], [2]], key: texts}], 3, neuron), AGREED
            yield bounding(deep, SQUARE, [{"derive": [[1], [2]], key: texts}], 3, neuron, -1), AGREED
    for key, bound in (
        ("slopes", -1),
        ("coarse", UNIT - 1),
    ):  # of an output that is its pre-activation they are not asked
        proof = [first | {key: ["0"]}]
        yield (
            bounding({"layers": [{"weights": [[1]]}, {"weights": [[-1]]}]}, {"box": [[1, 2]]}, proof, 2, 0),
            str(bound),
        )
    # what is known of one part at its corners does not hold of the other one
    apart = {"layers": [*TWO["layers"], {"weights": [[1, 1]]}, {"weights": [[1]], "bias": [-1]}]}
    for level, derive in ((3, [[1], [2]]), (4, [[1], [2], [3]])):
        for at, i in ((1, 0), (1, 1), (2, 0), (2, 1)):
            tree: list[Any] = [{"split": ["neuron", at, i], "derive": derive}, {"derive": [[1], [2]]}, {}]
            leaves = ({**tree[1], "coarse": []}, {"coarse": []})
            yield bounding(apart, SQUARE, [tree[0], *leaves], level, 0), AGREED
            yield bounding(apart, SQUARE, [tree[0], *leaves[::-1]], level, 0), AGREED
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
    large = {"layers": [{"weights": [[1024, "1/3"]]}]}  # the size of an input that does not vary does not count
    yield bounding(large, {"box": [[0, 0], [0, 1]]}, "parts", 1, 0, derive=[[1]]), AGREED
    plain = {"layers": [{"weights": [[1, 1]]}]}
    yield bounding(plain, {"box": [[1, 1], [0, 1]]}, "parts", 1, 0, -1, derive=[[1]]), AGREED
    ten = {"box": [[1, 1], *[[-1, 2]] * 9]}  # so many that no corners are looked at
    wide = {"layers": [{"weights": [[0, 1] * 5, [2, 0] * 5, [1, -1] * 5]}, {"weights": [[1, 0, -2], [-1, 1, 0]]}]}
    for where, net, width in ((flat, model, 1), (ten, wide, 2)):
        for level, sign in itertools.product((1, 2), (1, -1)):
            derive = [[at] for at in range(1, level + 1)]
            for neuron in range(width):
                yield bounding(net, where, "parts", level, neuron, sign, derive=derive), AGREED
                yield bounding(net, where, [{"coarse": []}], level, neuron, sign, derive=derive), AGREED
    idle = {"layers": [{"weights": [[0], [1]]}, {"weights": [[1024, "1/3"]]}]}  # a neuron of zeros has a size as well
    yield bounding(idle, LINE, [{"derive": [[1]], "coarse": []}], 2, 0), AGREED
    ends = {"layers": [{"weights": [[-1]]}, {"weights": [[-1]]}]}
    for text in ("", "8", "g"):
        yield bounding(ends, {"box": [[0, 1]]}, [{"derive": [[1]], "coarse": [text]}], 2, 0), "0"
    tiny = {"layers": [{"weights": [[1, 0], [1, 1]]}, {"weights": [[1, str(UNIT)]]}]}
    for text in ("", "0g", "g0"):
        yield bounding(tiny, SQUARE, [{"derive": [[1]], "coarse": [text]}], 2, 0), AGREED
    for size, own in (("1", "1"), ("1/2", "1/2"), ("1/2", "2"), ("2", "1/2"), ("1/8", "1"), ("1", "1/5"), ("8", "6")):
        model = {"layers": [{"weights": [[size, size], [1, -1]]}, {"weights": [[own, own]], "bias": ["-1/2"]}]}
        for m, other in (("0", "1/4"), ("1/4", "0"), ("3/2", "0"), ("0", "3/2")):
            for kind in ({"coarse": []}, {}):
                leaves = [kind | {"splits": {"0": m}}, kind | {"splits": {"0": other}}]
                proof = [{"split": ["neuron", 1, 0], "derive": [[1]]}, *leaves]
                yield bounding(model, SQUARE, proof, 2, 0), AGREED
    high = 1 << 20  # a chord with slope 1/2; its heights at the corners are used if their mean is smaller
    for near, far, heights in ((64, 64, ()), (66, 64, [524255, 524320]), (64, 66, ())):
        corners = [0, 0], [high - 2 - near, high - 2 + far]
        yield lambda m, c=corners: chord(m, -high, high, c), (1 << 27, 0, high, high // 2, heights)


def chord(m: Any, low: int, high: int, corners: tuple[list[int], list[int]]) -> Any:
    """The lines around an output between numbers of units, where its bounds at corners are known."""
    region = m.Region(m.Model.parse({"layers": [{"weights": [[1]]}]}), m.Domain.parse(LINE))
    unit = Fraction(2) ** (region.fixed.exponents[1][0] - m.UNIT)
    region.pairs, region.corners = [[(low * unit, high * unit)]], {(1, 0): corners}
    (found,) = region.fixed.chords(region, 1, m.DEFAULT)
    return tuple(found)


# ---- proofs -----------------------------------------------------------------------------------------------------


def derivations() -> Iterator[Question]:
    """Layers are derived one after the other, as a whole first."""
    for derive in (
        7, {}, "", "1", [7], [[]], [["1"]], [[0]], [[2]], [[True]], [[1, [0]]], [[1], [2]], [[1], [1, [0], 7]],
        [[1], [1, 7]],
        [[1], [1, [2]]], [[1], [1, ["0"]]], [[1], [1, 0, "upper"]], [[1], [1, 0, "x", {}]],
        [[1], [1, 0, ["upper"], {}]],
        [[1], [1, 0, "upper", 7]], [[1], [1, 0, "upper", []]], [[1], [1, 2, "upper", {}]], [[1, 0, "upper", {}]],
        [[1], [1, 0, "upper", {"coarse": []}]], [[1], [1, 0, "upper", {"derive": 1, "x": 1}]],
        [[1], [1, 0, "upper", {}, 1]],
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
    # one bound of one neuron of the three
    three = {"layers": [{"weights": [[1, 0], [0, 1], [1, 1]]}, {"weights": [[1, 1, -1]]}]}
    ends, plane = {"vertices": [[-1, 0], [1, 0], [0, 3]]}, [{"split": ["neuron", 1, 2], "derive": [[1]]}, {}, {}]
    for more, highest, lowest in (
        ([], "4", "3"), ([[2, 0, "upper", {}]], "1", "3"), ([[2, 0, "lower", {}]], "4", "3/2"),
        ([[1, 2, "upper", {}]], "4", "3"),
        ([[1, 3, "upper", {}]], REJECTED, REJECTED), ([[2, 1, "upper", {}]], REJECTED, REJECTED),
    ):  # fmt: skip
        yield bounding(three, ends, "parts", 2, 0, derive=[[1], [2, []], *more]), highest
        yield bounding(three, ends, "parts", 2, 0, -1, derive=[[1], [2, []], *more]), lowest
    yield bounding(three, ends, plane, 2, 0), "7/2"
    # which layers fit: at least half of the weights are not zero, and each reads only the one before it
    for weights, fits in (
        ([[1, 0], [0, 1]], 1), ([[1, 0], [0, 0]], 0), ([[1, 0, 0], [0, 1, 0]], 0), ([[1, 0, 0], [0, 1, 1]], 1),
        ([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 0, 0], [0, 0, 0, 0]], 0), ([[0, 0]], 0),
    ):  # fmt: skip
        model, place = {"layers": [{"weights": weights}]}, {"box": [[0, 1]] * len(weights[0])}
        yield lambda m, of=(model, place): m.fitting(m.Model.parse(of[0]), m.Domain.parse(of[1])), fits
    for model, place, fits in (
        (THREE, SQUARE, 3), (SKIP, LINE, 1), (SKIP, {"box": [[0, None]]}, 0), (TWO, {"points": [[0, 0]]}, 0),
        (TWO, {"vertices": [[0, 0]]}, 0), (TWO, {"center": [0, 0], "square": 1}, 0),
    ):  # fmt: skip
        yield lambda m, of=(model, place): m.fitting(m.Model.parse(of[0]), m.Domain.parse(of[1])), fits
    # later only of those that are listed: of |x| + 1 halves of the line would know more
    rows = [[-1, 0, 1, 1, 1], [1, 1, 1, 2, 1]]
    some = {"inputs": 1, "layers": [{"rows": [[0, 0, 1], [0, 0, -1]]}, {"rows": rows}]}
    for more, bound in (([2, [0]], "3"), ([2], "2"), ([2, [0, 1]], "2")):
        parts = [{"split": ["x", 0, "0"], "derive": [[1], [2, []]]}, *[{"derive": [[1], more]}] * 2]
        yield bounding(some, LINE, "parts", 2, 1, parts=parts), bound
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
    yield bounding(TWO, SQUARE, proved(["x", 0, "z"]), 2, 0), REJECTED
    for weight in (1, -1):
        yield bounding({"layers": [{"weights": [[weight]]}]}, LINE, [{"split": ["x", 0, "0"]}, {}, {}], 1, 0), "1"
    for split in (["x", 0, "1/2"], ["x", 1, "-1"], ["x", 1, "1"], ["neuron", 1, 0], ["neuron", 1, 1]):
        yield bounding(TWO, SQUARE, proved(split), 2, 0), TOP
    yield bounding(TWO, {"vertices": [[0, 0], [1, 0]]}, proved(["x", 0, "1/2"]), 2, 0), REJECTED
    yield bounding(TWO, {"vertices": [[0, 0], [1, 0]]}, proved(["neuron", 1, 0]), 2, 0), "1"
    still, everywhere = {"layers": [{"weights": [[0]], "bias": [3]}]}, {"box": [[None, None]]}
    yield bounding(still, everywhere, [{"split": ["x", 0, "5"]}, {}, {}], 1, 0), "3"
    first_only = {"layers": [{"weights": [[1, 0]]}]}
    yield bounding(first_only, SQUARE | {"inequalities": [[1, -1, -1]]}, [{"rows": {"0": "1"}}], 1, 0), "2"
    rows = {"inequalities": [[1, -1, -1]], "equalities": [[0, 1, -1]], **SQUARE}
    for key, table, bound in (
        ("rows", {"0": "1"}, "1"), ("rows", {"0": "-1"}, REJECTED), ("rows", {"1": "1"}, REJECTED),
        ("equalities", {"0": "-3"}, "6"), ("equalities", {"0": "1/2"}, "2"), ("splits", {"0": "1"}, REJECTED),
        ("rows", [], REJECTED), ("rows", {"x": "1"}, REJECTED),
    ):  # fmt: skip
        yield bounding(TWO, rows, [{key: table}], 1, 0), bound
        yield bounding(TWO, rows, [{"coarse": [], key: table}], 1, 0), REJECTED
