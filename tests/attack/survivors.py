"""Mutants of the plain judge that no battery can notice, or need not, each with the reason."""

from __future__ import annotations

from typing import NamedTuple

KINDS = {
    "same": "nothing behaves otherwise: the case in which it would does not occur, or both ways lead to one result",
    "again": "another check repeats it",
    "alone": "it is of the file run by itself, which other tests do",
    "size": "limits on what is read, which only gigabytes would reach",
}


class Survivor(NamedTuple):
    """The function, a piece of the changed statement that was not there before, and why that is no fault."""

    within: str
    text: str
    kind: str
    why: str


SIGN = "a sign is -1 or 1"
NONZERO = "zeros have been left out before"
EQUAL = "one of two equal numbers is as good as the other"
NOTHING = "zero times anything is zero"

EXPLAINED = [
    Survivor(*entry)
    for entry in (
        # numbers
        ("shown", "value <= 0)}2^{value.numerator", "same", "the value is not 0, it has more than 200 binary digits"),
        ("shown", "value <= 0)}2^{value.bit_length", "same", "the value is not 0, it has more than 200 binary digits"),
        ("shown", "value < 1)}2^{value.bit_length", "same", "the value is not 0, it has more than 200 binary digits"),
        ("primitive", "or 2", "same", "the divisor of zeros: they stay zeros"),
        ("up", "shift > 0", "same", "for no shift both formulas are one"),
        ("up", "shift >= 1", "same", "for no shift both formulas are one"),
        # models
        ("Model._blocks", "len(self.start) - 2", "same", "nothing reads the last layer"),
        ("Model.value", "point, level + 1", "same",
         "more layers than needed are evaluated, over a larger common denominator"),
        ("Model.parse", "inputs <= 10 ** 7", "size", "of ten million inputs"),
        ("Model.parse", "inputs < 11 ** 7", "size", "of ten million inputs"),
        ("Model.parse", "inputs < 10 ** 8", "size", "of ten million inputs"),
        # domains
        ("Ball.at", "[2] * self.width", "same", "twice the sum is 0 where the sum is"),
        ("Domain.from_rows", "row[2:]", "same", "a row with one coordinate went into the box: another one has two"),
        ("Domain.from_rows", "[-1] >= 0", "same", NONZERO),
        ("Domain._is_side", "row[j + 1] >= 0", "same", NONZERO),
        ("Domain._is_side", "row[j + 1] <= 0", "same", NONZERO),
        ("Domain._is_side", "row[j + 1] < 1", "same", "an integer, not 0"),
        ("Domain._clip", "low >= least", "same", EQUAL),
        ("Domain._clip", "high <= most", "same", EQUAL),
        ("Domain.from_generators", ") >= 0", "same", NONZERO),
        ("Domain.parse", "kinds[:4]", "same", "there are no keys of a ball any more"),
        ("Domain.highest", "w >= 0", "same", NONZERO),
        ("_ball", "len(center) > 10 ** 7", "size", "of a list of ten million numbers"),
        ("_ball", "11 ** 7", "size", "of a list of ten million numbers"),
        ("_ball", "10 ** 8", "size", "of a list of ten million numbers"),
        # regions
        ("Region.beside", "sign >= 0", "same", SIGN),
        ("Region.signed", "sign >= 0", "same", SIGN),
        ("halves", "c, -2)", "same", "only its sign is asked"),
        ("halves", "c, 2)", "same", "only its sign is asked"),
        # exact arithmetic
        ("line", "high < 0", "same", "both lines of an output between 0 and 0 are 0"),
        ("largest", "c >= 0", "same", NONZERO),
        ("interval", "sign * w >= 0", "same", NONZERO),
        ("exact_bound", "*leaf.splits, 1)", "same",
         "no row of layer 1 reads layer 1: going back through it changes nothing"),
        ("back", "c >= 0:", "same", NONZERO),
        ("back", "c >= 0 else", "same", NONZERO),
        # fixed point
        ("fixed_form", "sign <= 0", "same", SIGN),
        ("fixed_form", "sign < 1", "same", SIGN),
        ("fixed_form", "c >= 0 else", "same", NOTHING),
        ("fixed_form", "c >= 0 and", "same", NOTHING),
        ("fixed_form", "c <= 0", "same", "zeros add nothing"),
        ("fixed_form", "c < 1", "same", "integers; zeros add nothing"),
        ("fixed_form", "else 1", "same", "the coefficient of an output that is 0 is not read"),
        ("split_units", "m >= 0", "same", NOTHING),
        ("on_box", "c >= 0", "same", NOTHING),
        ("fixed_pairs", "(-2, 1)", "same", "only its sign is asked"),
        ("fixed_pairs", "(-1, 2)", "same", "only its sign is asked"),
        ("derived_bound", "sign >= 0", "same", SIGN),
        # claims
        ("below", "case.sign >= 0", "same", SIGN),
        ("unbounded", "require(True, 'only a living", "again",
         "a dead neuron does not grow, the others claim no supremum"),
        # infinity
        ("revivable", "i, 1) >= 0", "same", "no weight is a weight of 0, which is >= 0 as well"),
        ("stays_off", "[neuron] < 1", "same", "an integer, not 0"),
        ("stays_off", "[neuron] <= 0", "same", NONZERO),
        ("stays_off", "i, 1) < 0", "same", "no weight is a weight of 0, which is not < 0 either"),
        # smaller networks
        ("pruned", "require(True, 'no neuron", "again",
         "the smaller network that was read has a neuron, so it is another one"),
        ("", "sys.argv[2:]", "alone", "what stands after the name of the program"),
    )
]  # fmt: skip
