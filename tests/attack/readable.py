"""Questions about what is read: numbers, models and sets; and what is said of what is not."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import oracles

from attack import rounds
from attack.questions import (
    AGREED,
    NONE,
    PROVED,
    REJECTED,
    Ask,
    Question,
    bounding,
    judged,
    outcome,
    reading,
    same,
    saying,
)


def stated() -> Iterator[Question]:
    for some in (words, numbers, arithmetic, tables, models, domains, members, given, balls):
        yield from some()


def words() -> Iterator[Question]:
    """Large numbers and texts are cut, and refusals say what is wrong where."""
    for value, text in (
        (1 << 199, str(1 << 199)), (1 << 200, "about 2^200"), (-(1 << 300), "about -2^300"),
        (Fraction(1 << 199), str(1 << 199)), (Fraction(1 << 200), "about 2^200"),
        (Fraction(1, 1 << 200), "about 2^-200"),
        (Fraction(-1, 1 << 200), "about -2^-200"), (Fraction(-2, 3), "-2/3"), ("a" * 80, "'" + "a" * 59),
        ({}, "an object"), ([], "a list"), (None, "None"), (0, "0"),
    ):  # fmt: skip
        yield lambda m, value=value: m.shown(value), text
    yield saying(lambda m: m.numbers([1], 2), "expected a list of 2 numbers")
    yield saying(lambda m: m.numbers(3), "expected a list of numbers")
    yield saying(lambda m: m.parsed('{"b": 1, "a": 2, "a": 3}'), "the key 'a' stands twice in an object")
    for name in ("NaN", "Infinity", "-Infinity"):
        yield saying(lambda m, name=name: m.parsed(f"[{name}]"), f"'{name}' is not an integer, a decimal string or p/q")
    yield lambda m: m.parsed('{"a": 1.50, "b": 1e3, "c": 2}'), {"a": "1.50", "b": "1e3", "c": 2}
    first = 'layer 1 needs "weights", a list of rows, or the model "inputs", a positive integer'
    yield saying(lambda m: m.Model.parse({"layers": [{"weights": 7}]}), first)
    unread = {"inputs": 1, "layers": [{"weights": [[1]], "activation": "none"}, {"rows": [[1]]}]}
    yield saying(
        lambda m: m.Model.parse(unread), "no ReLU before layer 2, and rows read only variables: nothing reads it"
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

    for text, value in (
        ("1", 1), (7, 7), ("-3/4", Fraction(-3, 4)), ("1e-3", Fraction(1, 1000)), ("5.", 5), ("+.5e1", 5),
        ("6/4", Fraction(3, 2)),
    ):  # fmt: skip
        yield lambda m, text=text: outcome(m, lambda: m.number(text)), value
    yield lambda m: reads(m, "1" * 100_000), True
    yield lambda m: reads(m, "1" * 100_001), REJECTED
    for value in (1.5, True, None, "", "1/0", "1/-2", "1 ", "0x1", "1e12345", [1], "x", ".", "1_0", "inf"):
        yield lambda m, value=value: outcome(m, lambda: m.number(value)), REJECTED


def arithmetic() -> Iterator[Question]:
    """Roundings and roots by their definitions, and values of networks by those of layers."""
    for n, d, shift in itertools.product((-7, -1, 0, 1, 6), (1, 3, 4), (-5, -1, 0, 1, 4)):
        exact = n * Fraction(2) ** shift / d
        yield lambda m, a=(n, d, shift): m.up(*a), -(-exact.numerator // exact.denominator)
    for value in (Fraction(1, 3), Fraction(-1, 3), Fraction(1 << 50, 3), Fraction(-5), Fraction((1 << 40) + 1)):
        unit = Fraction(2) ** (value.numerator.bit_length() - value.denominator.bit_length() - 28)
        yield lambda m, v=value: m.short(v), -(-value // unit) * unit
    yield lambda m: (m.short(Fraction(0)), m.short(float("inf"))), (0, float("inf"))
    for value, exact in (
        (Fraction(9, 4), Fraction(3, 2)),
        (Fraction(0), 0),
        (Fraction(1, 49), Fraction(1, 7)),
        (Fraction(4), 2),
    ):
        yield lambda m, v=value: m.root(v, 10), exact
    for value in (Fraction(2), Fraction(1, 3), Fraction(10**9 + 1, 7)):
        yield lambda m, v=value: v <= m.root(v, 10) ** 2 <= v * Fraction(1025, 1024) ** 2, True
    for row, found in (([2, 4], (1, 2)), ([0, 0], (0, 0)), (["1/2", "-1/3"], (3, -2)), ([-3, 6], (-1, 2)), ([5], (1,))):
        yield lambda m, r=row: m.primitive([Fraction(v) for v in r]), found
    for args, text in (
        ((6,), "6"),
        ((-255,), "-ff"),
        ((6, 4), "3/2"),
        ((-4, 2), "-2"),
        ((0, 5), "0"),
        ((10, 15), "2/3"),
    ):
        yield lambda m, args=args: m.spelled(*args), text
    layers: list[Any] = [
        ([["1/2", -3], [2, "2/3"]], ["1/5", -1]),
        ([["3/7", -1], [1, 1], [0, 0]], [0, "-1/2", 1]),
        ([[1, -2, "1/3"]], [1]),
    ]
    model = {"layers": [{"weights": rows, "bias": bias} for rows, bias in layers]}
    exactly = [([[Fraction(v) for v in row] for row in rows], [Fraction(b) for b in bias]) for rows, bias in layers]
    for point in ((0, 0), (1, Fraction(-2, 3)), (Fraction(5, 4), Fraction(1, 9)), (-3, 2)):
        for level, values in enumerate(oracles.forward(exactly, point), 1):
            for i, value in enumerate(values):
                yield (
                    lambda m, p=point, at=level, i=i: m.Model.parse(model).value([Fraction(v) for v in p], at, i),
                    value,
                )


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
        {"layers": [row]}, {"layers": [{"rows": [["1"]]}]}, {"layers": [{"weights": [[1]], "x": 1}]}, {"layers": [{}]},
        {"inputs": 1, "layers": [row | {"bias": [0]}]}, {"layers": [{"weights": [[1]]}], "x": 1},
        {"inputs": 0, "layers": [{"rows": [["1"]]}]},
        *({"inputs": n, "layers": [row]} for n in (0, -1, "1", True, 1.0)),
        *({"inputs": 1, "layers": [{"rows": rows}]} for rows in (
            7, [], [7], [[]], [["1", 0]], [["1", "0", "1"]], [["1", True, "1"]], [["1", 1, "1"]], [["1", -1, "1"]],
            [["1", 0, "1", 0, "1"]], {}, [{}],
        )),
        *({"inputs": 1, "layers": [{"weights": rows}]} for rows in (7, [], {}, "a", [7], [[]], {"a": [1]}, None)),
        *({"inputs": 1, "layers": [layer]} for layer in (7, "weights", ["weights"], None)),
    ):  # fmt: skip
        yield reading("Model", data), REJECTED
    yield reading("Model", {"inputs": 1, "layers": [row, {"rows": [["0", 0, "1", 1, "1"]]}]}), None
    first = {"weights": [[1, -2], ["1/2", 3]]}
    for layers, output in (([first], None), ([first, {"weights": [[1, 0]], **NONE}], [(0, [2], [1])])):
        yield lambda m, x=layers: (at := m.Model.parse({"layers": x}).output) and at.rows, output
    yield same("Model", {"layers": [first]}, {"layers": [first | {"bias": [0, 0]}]})
    yield same(
        "Model", {"layers": [first]}, {"inputs": 2, "layers": [{"rows": [[0, 1, -2, 0, 1], [0, 0, "1/2", 1, 3]]}]}
    )
    linear = first | {"bias": ["1/3", 5], "activation": "none"}
    after = {"weights": [[2, 1], [1, -1]], "bias": [1, "1/7"]}
    whole = {"weights": [["5/2", -1], ["1/2", -5]], "bias": ["20/3", "-95/21"]}
    yield same("Model", {"layers": [linear, after]}, {"layers": [whole]})


def domains() -> Iterator[Question]:
    for data in (
        7, None, {}, {"dimension": 1, "box": [[0, 1], [0, 1]]}, {"box": [[0, 1]], "dimension": "1"}, {"box": [[0]]},
        {"box": [[0, 1]], "dimension": True}, {"dimension": 10**7}, {"dimension": 0}, {"box": 7}, {"box": [7]},
        {"points": 7}, {"inequalities": [7]}, {"points": []},
        {"points": [], "dimension": 1}, {"vertices": [], "rays": [[1]]}, {"rays": [[1]]},
        {"inequalities": [[1, 1], [1, 1, 1]]}, {"box": [[0, 1]], "points": [[0]]}, {"boxes": []},
    ):  # fmt: skip
        yield reading("Domain", data), REJECTED
    for data in (
        {"box": [[0, 1]], "dimension": 1},
        {"dimension": 3},
        [[1]],
        {"vertices": [[1]], "rays": [], "lines": []},
    ):
        yield reading("Domain", data), None
    no: list[Any] = [None, None]
    for one, other in (
        ({"inequalities": [[1, 1, 0]]}, {"box": [[-1, None], no]}),
        ({"inequalities": [[1, -1, 0], [6, 0, 2]]}, {"box": [[None, 1], [-3, None]]}),
        ({"inequalities": [[1, 1, 0], [2, 1, 0], [1, -1, 0], [1, -2, 0]]}, {"box": [[-1, "1/2"], no]}),
        ({"equalities": [[1, -1, 0]]}, {"box": [[1, 1], no]}),
        ({"equalities": [[1, 1, -1], [-1, -1, 1]]}, {"equalities": [[1, 1, -1]]}),
        ({"box": [[0, 1], no], "inequalities": [["-1/2", 1, 0], ["3/4", -1, 0]]}, {"box": [["1/2", "3/4"], no]}),
        ({"vertices": [[0, 0]], "lines": [[0, 0], [0, 1]]}, {"vertices": [[0, 0]], "lines": [[0, -1]]}),
        ({"box": [[0, 1], no], "inequalities": [[0, 1, 0], [2, -1, 0]]}, {"box": [[0, 1], no]}),
        ({"equalities": [[1, 1, 0]]}, {"box": [[-1, -1], no]}),
        ({"equalities": [[1, 1, -1], ["1/2", "1/2", "-1/2"], [0, 0, 0]]}, {"equalities": [[-3, -3, 3]]}),
        ({"inequalities": [[2, 2, 4], [0, 0, 0], [1, 0, 0]]}, {"inequalities": [["1/2", "1/2", 1]]}),
        ({"vertices": [[0, 0]], "lines": [[-1, 1], [2, -2]]}, {"vertices": [[0, 0], [0, 0]], "lines": [[1, -1]]}),
        ({"vertices": [[0, 0]], "rays": [[2, 4], [0, 0]]}, {"vertices": [[0, 0]], "rays": [[1, 2]]}),
    ):
        yield same("Domain", one, other)
    # the canonical form: primitive, sorted, the last entry of an equality and the first one of a line positive
    last_0 = {"equalities": [[0, -1, -2, 0], [0, 1, 2, 0]]}
    yield lambda m: m.Domain.parse(last_0).equalities, [(0, 1, 2, 0)]
    both = {"inequalities": [[2, 2, 4], [-1, 0, 0], [1, 0, 0], [0, "1/2", -1]], "equalities": [[1, 2, -3], [0, -4, -2]]}
    yield lambda m: m.Domain.parse(both).rows, [(-1, 0, 0), (0, 1, -2), (1, 1, 2)]
    yield lambda m: m.Domain.parse(both).equalities, [(-1, -2, 3), (0, 2, 1)]
    spread = {"vertices": [[1, 0], ["1/2", 3]], "rays": [[2, -4], [0, 0]], "lines": [[-3, 6], [0, -1], [0, 2]]}
    generators = [("1/2", 3), (1, 0)], [(1, -2)], [(0, 1), (1, -2)]
    yield lambda m: str(m.Domain.parse(spread).generators[0]), str([tuple(map(Fraction, v)) for v in generators[0]])
    yield lambda m: m.Domain.parse(spread).generators[1:], generators[1:]
    for one, other in (
        ({"inequalities": [[-1, 0]]}, {"inequalities": [[1, 0]]}), ({"points": [[0]]}, {"points": [[1]]}),
        ({"points": [[0], [1]]}, {"points": [[1], [0]]}), ({"points": [[0]]}, {"vertices": [[0]]}),
        ({"vertices": [[0]]}, {"vertices": [[1]]}),
        ({"vertices": [[0]], "rays": [[1]]}, {"vertices": [[0]], "lines": [[1]]}),
        ({"box": [[0, 1]]}, {"box": [[0, 2]]}), ({"box": [[0, 1]]}, {"box": [[None, 1]]}),
    ):  # fmt: skip
        yield same("Domain", one, other)[0], 2


def members() -> Iterator[Question]:
    """Points and rays of sets."""
    no: list[Any] = [None, None]
    points = {"points": [[0, 1], ["1/2", 2]]}
    for point, inside in (([0, 1], True), (["1/2", 2], True), ([0, 2], False), ([0, 0], False)):
        yield lambda m, p=point: m.Domain.parse(points).contains([m.number(v) for v in p]), inside
        yield lambda m, p=point: m.Domain.parse(points).recedes([m.number(v) for v in p]), False
        vertices = {"vertices": points["points"], "rays": [[0, 2]]}
        yield lambda m, v=vertices, p=point: m.Domain.parse(v).contains([m.number(x) for x in p]), inside
    strip = {"equalities": [[2, 1, 1]], "inequalities": [[3, 1, -1]], "box": [[None, 1], no]}  # x + y = -2, x - y >= -3
    for point, inside in (
        ([0, -2], True), ([1, -3], True), (["-5/2", "1/2"], True), (["-8/3", "2/3"], False), ([2, -4], False),
        ([0, 2], False), ([0, -1], False), ([0, 0], False), ([-2, 0], True),
    ):  # fmt: skip
        yield lambda m, p=point: m.Domain.parse(strip).contains([m.number(v) for v in p]), inside
    quarter = {"box": [[None, 1], [0, None]], "inequalities": [[1, 1, 1]]}  # rays have r_0 <= 0 <= r_1, r_0 + r_1 >= 0
    for ray, recedes in (
        ([0, 1], True), ([-1, 1], True), ([-1, 2], True), ([-2, 1], False), ([1, 0], False), (["1/2", 1], False),
        ([-1, 0], False), ([0, -1], False), ([0, 0], False), (["-1/2", "1/2"], True),
    ):  # fmt: skip
        yield lambda m, r=ray: m.Domain.parse(quarter).recedes([m.number(v) for v in r]), recedes
    for ray, recedes in (([1, -1], True), ([-2, 2], True), ([1, 1], False), (["1/2", "1/2"], False), ([0, 1], False)):
        flat = {"equalities": [[2, 1, 1]]}
        yield lambda m, r=ray, flat=flat: m.Domain.parse(flat).recedes([m.number(v) for v in r]), recedes
    for ray, recedes in (([-1, 0], False), ([1, 5], True), ([0, -1], True), ([0, 0], False)):
        right = {"box": [[0, None], no]}
        yield lambda m, r=ray, right=right: m.Domain.parse(right).recedes([m.number(v) for v in r]), recedes


def given() -> Iterator[Question]:
    """Points of claims, in each of the ways in which they may be given."""
    # no point of a ball is given by coordinates, and none of a box by weights
    model = {"layers": [{"weights": [[1, 1]], "bias": [1]}]}
    disc, square = {"center": [0, 0], "square": 1}, {"box": [[0, 1], [0, 1]]}
    alive = {"layer": 1, "neuron": 0, "status": "alive"}
    for place, point, answer in (
        (disc, ["0", "0"], REJECTED), (disc, {"ball": ["0", "0"]}, PROVED), (disc, {"weights": [["1"]]}, REJECTED),
        (square, ["0", "0"], PROVED), (square, {"weights": [["1"], [], []]}, REJECTED), (square, ["2", "0"], REJECTED),
        (square, ["-1", "2"], REJECTED), (square, ["0", "-1/2"], REJECTED),
        (disc, {"ball": ["0", "0"], "x": 1}, REJECTED), (disc, {"ball": "2", "x": 1}, REJECTED),
        (disc, {"ball": "2"}, PROVED),
        (square, {"ball": ["0", "0"]}, REJECTED), (square, ["0"], REJECTED), (square, "corner", PROVED),
    ):  # fmt: skip
        yield judged(model, place, alive | {"point": point}), answer
    for sides, answer in (([[0, 1], [0, 1]], PROVED), ([[None, 1], [None, 1]], PROVED), ([[0, None], [0, 1]], REJECTED),
                          ([[0, 1], [0, None]], REJECTED)):  # fmt: skip
        yield judged(model, {"box": sides}, alive | {"point": "corner"}), answer
    for rows in (
        {"inequalities": [[1, 1, 1]]},
        {"equalities": [[1, 1, 1]]},
        {"vertices": [[0, 0]]},
        {"points": [[0, 0]]},
    ):
        place = rows if "vertices" in rows or "points" in rows else rows | square
        yield judged(model, place, alive | {"point": "corner"}), REJECTED
        yield judged({"layers": [{"weights": [[0, 0]], "bias": [1]}]}, place, alive | {"point": "corner"}), REJECTED
    yield (
        judged(
            {"layers": [*model["layers"]] * 1 + [{"weights": [[1]]}]}, square, alive | {"layer": 2, "point": "corner"}
        ),
        REJECTED,
    )
    deep = {"layers": [{"weights": [[3, 4]]}, {"weights": [[1]]}]}
    for level, t, answer in (
        (1, "5", PROVED), (1, "4", REJECTED), (2, "5", REJECTED), (1, "-5", REJECTED), (1, "0", REJECTED),
    ):  # fmt: skip
        yield judged(deep, disc, alive | {"layer": level, "point": {"ball": t}}), answer
    hull = {"vertices": [[0, 0], [1, 0]], "rays": [[0, 1]]}
    for weights, answer in (
        ([["1", "0"], ["0"], []], PROVED), (None, REJECTED), (7, REJECTED), ("abc", REJECTED), ({}, REJECTED),
        ([["1", "0"], ["0"]], REJECTED), ([["1", "1"], ["0"], []], REJECTED), ([["2", "-1"], ["0"], []], REJECTED),
        ([["1", "0"], ["-1"], []], REJECTED), ([["1"], ["0"], []], REJECTED),
    ):  # fmt: skip
        yield judged(model, hull, alive | {"point": {"weights": weights}}), answer
        yield judged(model, hull, alive | {"point": {"weights": weights, "x": 1}}), REJECTED
    yield judged(model, square, alive | {"point": 0}, points=[["0", "0"]]), PROVED
    yield judged(model, square, alive | {"point": 1}, points=[["0", "0"]]), REJECTED
    yield judged(model, square, alive | {"point": ["0", "0"]}, points=7), REJECTED
    yield judged(model, {"box": [[0, 1]]}, alive | {"point": ["0"]}), REJECTED  # of another dimension
    for supremum, answer in (("3", PROVED), ("2", REJECTED), ("4", REJECTED)):
        yield judged(model, square, alive | {"supremum": supremum, "point": "corner", "proof": [{}]}), answer
    for weights, supremum in (([1, -1], "2"), ([-1, -1], "1"), ([-1, 0], "1")):
        other = {"layers": [{"weights": [weights], "bias": [1]}]}
        yield judged(other, square, alive | {"supremum": supremum, "point": "corner", "proof": [{}]}), PROVED
    low = {"layers": [{"weights": [[1, 1]], "bias": [-5]}]}
    for side, answer in (([0, 1], PROVED), ([1, 1], PROVED), ([1, 0], REJECTED)):
        yield judged(low, {"box": [side, [0, 1]]}, {"layer": 1, "neuron": 0, "status": "dead", "proof": [{}]}), answer


def balls() -> Iterator[Question]:
    """Those of ``rounds``."""
    for question in rounds.questions():
        model, place, points, claim = question
        yield judged(model, place, claim, points), AGREED
    for data in rounds.malformed():
        yield lambda m, data=data: outcome(m, lambda: rounds.shown(m.Domain.parse(data))), AGREED
    for bounded in rounds.bounded():
        yield bounding(*bounded), AGREED
