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
    times: int = 1  # of how many mutants it is said


SIGN = "a sign is -1 or 1"
NONZERO = "zeros have been left out before"
EQUAL = "one of two equal numbers is as good as the other"
TYPES = "for whoever checks types"
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
        ("Model.value", "if True else before", "same", "they are computed again"),
        ("Model.parse", "list) or False", "again", "then there is no ReLU layer either"),
        ("Model.parse", "without: assert", "same", TYPES),
        ("_Reader.__init__", "without: self.current", "same", "set again before it is read"),
        ("_Reader.__init__", "inputs or False", "same", "False is 0"),
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
        ("_ball", "not center or False or", "size", "of a list of ten million numbers"),
        ("Domain.from_points", "without: if not points", "again", "both who call it have at least one point"),
        ("Domain.weighted", "in zip(part, some, strict=True)]", "same", NOTHING),
        ("Domain.is_bounded_box", "True and self.points", "again", "of generators no side is known"),
        ("Domain.is_bounded_box", "generators is None and True", "again", "of points no side is known"),
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
        ("back", "is None or False", "same", NOTHING),
        ("short", "float) or False", "same", "0 is rounded to 0"),
        # fixed point
        ("FixedPoint.__init__", "for v in domain.lower]", "same", "all sides of a bounded box are known"),
        ("FixedPoint.__init__", "strict=True)]", "same", "all sides of a bounded box are known"),
        ("FixedPoint.units", "or False", "same", "False is 0"),
        ("FixedPoint.outward", "or False", "same", "False is 0"),
        ("FixedPoint.sides", "None or False or", "same", "all sides of a bounded box are known"),
        ("FixedPoint.sides", "low, float) or False", "same", "all sides of a bounded box are known"),
        ("fitting", "is_bounded_box() or False", "again", "a judge refuses an empty box first"),
        ("chords", "without: assert isinstance(low", "same", TYPES),
        ("chords", "without: assert isinstance(high", "same", TYPES),
        ("fixed_form", "and True", "same", NOTHING),
        ("fixed_form", "if True else [chord", "same", "the coefficient of an output that is 0 is not read"),
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
        ("fixed_form", "if True else 0", "same", "the coefficient of an output that is 0 is not read"),
        ("split_units", "[i] or False", "same", "False is 0"),
        ("split_units", "[neuron] or False", "same", "False is 0"),
        ("fixed_bound", "or False", "same", "False is 0"),
        ("fixed_pairs", "[i] or False", "same", "False is 0"),
        ("fixed_pairs", "if True else [on_box", "same", "without chords at corners it is the same, 2^n times as dear"),
        ("derive_layer", "without: if region.empty", "same", "whatever is derived, the part stays empty", 2),
        ("leaves", "tree, list) and True", "again", "then the proof ends before its last leaf"),
        ("Judge.__init__", "without: self.tree", "same", "nobody reads it"),
        ("Judge.start", "without: return None", "same", "nobody reads what is known of a finite set"),
        # claims
        ("below", "case.sign >= 0", "same", SIGN),
        ("unbounded", "require(True, 'only a living", "again",
         "a dead neuron does not grow, the others claim no supremum"),
        ("unbounded", "without: require(case.claim.get('status')", "again",
         "a dead neuron does not grow, the others claim no supremum"),
        ("unbounded", "case.ray or False", "same", "there is a ray"),
        # infinity
        ("revivable", "i, 1) >= 0", "same", "no weight is a weight of 0, which is >= 0 as well"),
        ("stays_off", "[neuron] < 1", "same", "an integer, not 0"),
        ("stays_off", "[neuron] <= 0", "same", NONZERO),
        ("stays_off", "i, 1) < 0", "same", "no weight is a weight of 0, which is not < 0 either"),
        ("within", "if True else ()", "same", "generators come without rows"),
        # smaller networks
        ("pruned", "require(True, 'no neuron", "again",
         "the smaller network that was read has a neuron, so it is another one"),
        ("pruned", "without: require(layers", "again",
         "the smaller network that was read has a neuron, so it is another one"),
        ("", "sys.argv[2:]", "alone", "what stands after the name of the program"),
    )
]  # fmt: skip
