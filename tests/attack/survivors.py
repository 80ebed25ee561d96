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
        ("shown", "n <= 0)}2^", "same", "the number is not 0, it has more than 200 binary digits"),
        ("shown", "n < 1)}2^", "same", "the number is not 0, it has more than 200 binary digits"),
        ("primitive", "or 2", "same", "the divisor of zeros: they stay zeros"),
        ("up", "shift > 0", "same", "for no shift both formulas are one"),
        ("up", "shift >= 1", "same", "for no shift both formulas are one"),
        # models
        ("Model.parse", "inputs <= MOST", "size", "of ten million inputs"),
        ("Model.value", "point, level + 1", "same",
         "more layers than needed are evaluated, over a larger common denominator"),
        # domains
        ("Ball.parse", "n <= MOST", "size", "of a list of ten million numbers"),
        ("Domain.weighted", "for w, g in pairs), Fraction(0))", "same", NOTHING),
        ("Domain.from_rows", "row[2:]", "same", "a row with one coordinate went into the box: another one has two"),
        ("Domain.from_rows", "[-1] >= 0", "same", NONZERO),
        ("Domain._is_side", "row[j + 1] >= 0", "same", NONZERO),
        ("Domain._is_side", "row[j + 1] <= 0", "same", NONZERO),
        ("Domain._is_side", "row[j + 1] < 1", "same", "an integer, not 0"),
        ("Domain._clip", "low >= least", "same", EQUAL),
        ("Domain._clip", "high <= most", "same", EQUAL),
        ("Domain.from_generators", ") >= 0", "same", NONZERO),
        # exact arithmetic
        ("chord", "high < 0", "same", "both lines of an output between 0 and 0 are 0"),
        ("rise", "if y >= 0", "same", NOTHING),
        ("rise", "slope > 1", "same", "a slope that is not 0 is at least 2^24, for an end that is infinite"),
        ("rise", "slope >= 0", "same", "it is not 0 there"),
        ("rise", "== (y >= 0)", "same", "it is infinite"),
        ("rise", "== (y > 1)", "same", "it is infinite"),
        ("back", "in slopes.items()}", "same", NOTHING),
        ("largest", "c >= 0", "same", NONZERO),
        ("exact_bound", "*leaf.splits, 1)", "same",
         "no row of layer 1 reads layer 1: going back through it changes nothing"),
        ("back", "c >= 0 else", "same", NONZERO),
        # fixed point
        ("Chord", "height: int = 1", "same", "it is not asked of an output whose sign is known"),
        ("FixedPoint.chords", "0 <= high", "same", "such a line is raised by 0"),
        ("FixedPoint.tops", "if True else [values", "same",
         "the largest value at the corners is that on the box, 2^n times as dear"),
        ("FixedPoint.tops", "if True else [c ", "same", "both ends are 0 where an input does not vary"),
        ("FixedPoint.form", "m >= 0", "same", NOTHING),
        ("FixedPoint.__init__", "for v in domain.lower]", "same", "all sides of a bounded box are known"),
        ("FixedPoint.__init__", "strict=True)]", "same", "all sides of a bounded box are known"),
        ("fitting", "is_bounded_box() or False", "again", "a judge refuses an empty box first"),
        ("FixedPoint.form", "and True", "same", NOTHING),
        ("FixedPoint.form", "sign <= 0", "same", SIGN),
        ("FixedPoint.form", "sign < 1", "same", SIGN),
        ("FixedPoint.form", "c >= 0 else", "same", NOTHING),
        ("FixedPoint.form", "c >= 0 and", "same", NOTHING),
        ("FixedPoint.form", "c <= 0", "same", "zeros add nothing"),
        ("FixedPoint.form", "c < 1", "same", "integers; zeros add nothing"),
        ("FixedPoint.derived", "(-2, 1)", "same", "only its sign is asked"),
        ("FixedPoint.derived", "(-1, 2)", "same", "only its sign is asked"),
        ("Region.derived_bound", "sign >= 0", "same", SIGN),
        ("Judge.start", "without: return None", "same", "nobody reads what is known of a finite set"),
        # claims
        ("Claim.__init__", "'bound', 1", "same", "a limit that is not given is not asked for"),
        ("Claim.below", "self.sign >= 0", "same", SIGN),
        ("Claim.unbounded", "self.ray or False", "same", "there is a ray"),
        ("at_corner", "w >= 0", "same", NONZERO),
        ("at_corner", "for side in sides])", "same", TYPES),
        # infinity
        ("revivable", "weight.get(j, 1) >= 0", "same", "no weight is a weight of 0, which is >= 0 as well"),
        ("off", "[True] * model.inputs", "same", "of a layer that reads inputs nothing else is asked"),
        ("stays_off", "weight.get(j, 1) < 0", "same", "no weight is a weight of 0, which is not < 0 either"),
        ("", "sys.argv[2:]", "alone", "what stands after the name of the program"),
    )
]  # fmt: skip
