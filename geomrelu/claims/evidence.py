"""The judges, one for each kind of evidence: a case comes in, and whether it holds goes out.

    derive     (lhs, rhs)                       SymPy expressions; holds if lhs - rhs cancels to 0
    enumerate  (lhs, rhs), (lhs, "<=", rhs)     integers and fractions, compared exactly; a float is bad evidence
    decide     (verdict, expected, accepted)    decided by polyhedral geometry; was its certificate accepted?
    sample     (successes, p), (successes, "<=", p)    the exact binomial interval must be compatible with p
    hunt       (lhs, rhs), (lhs, "<=", rhs)     exact cases sought by a search: one that fails refutes, no number proves
    neighbour  (lhs, rhs), (lhs, "<=", rhs)     the claim with one hypothesis dropped: every case must FAIL

A text may come first in a case: the row in which it stands in the table of its claim. Last may come an :class:`Again`,
a :class:`Certified`, or both: how to see the case again, and what was accepted.

What is not a case of its kind is :class:`BadEvidence`: it speaks neither for a claim nor against it.
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

import sympy

from geomrelu.errors import GeomreluError
from geomrelu.random_networks.intervals import clopper_pearson

__all__ = ["Again", "BadEvidence", "Case", "Certified", "Judged", "Kind", "judge", "percent"]

RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
}
AGAINST = {"==": "!=", "<=": ">", "<": ">=", ">=": "<", ">": "<="}
LARGEST = 200_000  # characters of a certificate with its model and domain


class Kind(StrEnum):
    """The kinds of evidence."""

    DERIVE = "derive"
    ENUMERATE = "enumerate"
    DECIDE = "decide"
    HUNT = "hunt"
    SAMPLE = "sample"
    NEIGHBOUR = "neighbour"


class BadEvidence(GeomreluError):
    """What a check yielded is not a case of its kind, or cannot be judged."""


# ---- a case -----------------------------------------------------------------------------------------------------


class Again(str):
    """Python source that prints the left side of a case again; it imports what it needs, and nothing from a proof."""


@dataclass(frozen=True, eq=False)
class Certified:
    """What an independent checker accepted, in the JSON grammar at the head of ``checker.py``.

    Attributes:
        certificate, model, domain: the three files of ``python geomrelu/checker.py CERTIFICATE MODEL DOMAIN``.
    """

    certificate: dict[str, Any]
    model: dict[str, Any]
    domain: dict[str, Any]

    @property
    def small(self) -> bool:
        """Is it small enough to be shown in a report?"""
        return sum(len(json.dumps(part)) for part in vars(self).values()) <= LARGEST


class Case(NamedTuple):
    """A case taken apart: its name ("" if it has none), what is judged, and what comes with it."""

    name: str
    parts: tuple[Any, ...]
    again: str | None
    certified: Certified | None

    @classmethod
    def read(cls, given: Sequence[Any]) -> Case:
        """What a check yielded."""
        parts, again, certified = tuple(given), None, None
        while parts and isinstance(parts[-1], (Again, Certified)):
            if isinstance(parts[-1], Again):
                again = str(parts[-1])
            else:
                certified = parts[-1]
            parts = parts[:-1]
        named = len(parts) > 2 and isinstance(parts[0], str)
        return cls(parts[0] if named else "", parts[named:], again, certified)


# ---- judging ----------------------------------------------------------------------------------------------------


class Judged(NamedTuple):
    """One case after judgement: does it hold, what the table shows, the comparison in words, and its left side.

    An identity is *symbolic* if it has a free symbol and its sides were not the same as written: SymPy had work to do.
    A sample is *idle* if its trials are so few that the case would hold whatever they give: it is no evidence.
    """

    holds: bool
    cell: str
    words: str
    left: str
    symbolic: bool = False
    idle: bool = False


def judge(kind: Kind, parts: Sequence[Any], trials: int = 0, level: Fraction = Fraction(999, 1000)) -> Judged:
    """Judge one case.

    Args:
        trials, level: of a sampling check, fixed before it ran.

    Raises:
        BadEvidence: it is not a case of this kind, or SymPy cannot tell.

    >>> judge(Kind.ENUMERATE, (3, "<=", Fraction(7, 2))).words
    '3 <= 7/2'
    >>> judge(Kind.SAMPLE, (480, Fraction(1, 2)), trials=1000).holds
    True
    """
    match kind:
        case Kind.DERIVE:
            return _identity(parts)
        case Kind.DECIDE:
            return _decision(parts)
        case Kind.SAMPLE:
            return _interval(parts, trials, level)
        case Kind.NEIGHBOUR:
            return _failure(parts)
        case _:
            return _comparison(parts)


def _identity(parts: Sequence[Any]) -> Judged:
    """SymPy: ``cancel(lhs - rhs) == 0``, or as a second step ``simplify(lhs - rhs) == 0`` (powers, logarithms)."""
    lhs, rhs = (_expression(side) for side in _sized(parts, 2))
    difference = lhs - rhs
    symbolic = bool(difference != 0 and difference.free_symbols)
    try:
        vanishes = bool(sympy.cancel(difference) == 0)
    except sympy.PolynomialError:
        vanishes = False
    if not vanishes:
        difference = sympy.simplify(difference)
        vanishes = bool(difference == 0) or not _differs(difference)
    words = f"{_short(lhs)} == {_short(rhs)}" + ("" if vanishes else f" is false: they differ by {_short(difference)}")
    return Judged(vanishes, _short(rhs), words, str(lhs), symbolic)


def _differs(difference: sympy.Expr) -> bool:
    """Is an expression that does not simplify to 0 another function than 0?

    Raises:
        BadEvidence: SymPy does not know; that refutes nothing.
    """
    try:
        vanishes = None if difference.has(sympy.nan, sympy.zoo) else difference.equals(0)
    except Exception:  # whatever goes wrong inside SymPy, it has not told
        vanishes = None
    if vanishes is None:
        raise BadEvidence(f"SymPy cannot tell whether {_short(difference)} is 0")
    return not vanishes


def _comparison(parts: Sequence[Any]) -> Judged:
    """Exact numbers."""
    lhs, relation, rhs = _related(parts)
    lhs, rhs = _exact(lhs), _exact(rhs)
    holds, compared = RELATIONS[relation](lhs, rhs), f"{lhs} {relation} {rhs}"
    words = compared + ("" if holds else " is false")
    return Judged(holds, str(lhs) if relation == "==" else compared, words, str(lhs))


def _decision(parts: Sequence[Any]) -> Judged:
    """A verdict is as expected, and its certificate was accepted."""
    verdict, expected, accepted = _sized(parts, 3)
    if any(not isinstance(v, (bool, int, Fraction)) for v in (verdict, expected)) or type(accepted) is not bool:
        raise BadEvidence(f"{parts!r} is not (verdict, expected, accepted)")
    if not accepted:
        raise BadEvidence(f"decided {verdict}, but its certificate was rejected")
    words = f"decided {verdict}, expected {expected}, certificate accepted"
    return Judged(verdict == expected, str(verdict), words, str(verdict))


def _interval(parts: Sequence[Any], trials: int, level: Fraction) -> Judged:
    """The two-sided Clopper-Pearson interval: holds p (==), or is not wholly on the wrong side of it (<=, >=)."""
    successes, relation, p = _related(parts)
    if type(successes) is not int:
        raise BadEvidence(f"{successes!r} is not a number of successes")
    p = _exact(p)
    at_most, at_least = relation in ("==", "<=", "<"), relation in ("==", ">=", ">")
    none, all_ = _reach(trials, level)
    low, high = clopper_pearson(successes, trials, level)
    holds = (low <= p or not at_most) and (p <= high or not at_least)
    places = max(3, 1 - math.floor(math.log10(high - low)))
    sign, found = "=" if relation == "==" else relation, f"[{low:.{places}f}, {high:.{places}f}]"
    words = f"p {sign} {p}; {trials:,} trials give {found} at {percent(level)}"
    idle = not (at_most and p < all_) and not (at_least and p > none)
    return Judged(holds, f"{sign} {p}: {found}", words, str(successes), idle=idle)


@cache
def _reach(trials: int, level: Fraction) -> tuple[float, float]:
    """What p can be at most where no trial succeeds, and at least where all do."""
    return clopper_pearson(0, trials, level)[1], clopper_pearson(trials, trials, level)[0]


def percent(level: Fraction) -> str:
    """A level in words; one very near 1 (of many simultaneous intervals) is not rounded to 100 %.

    >>> percent(Fraction(19, 20)), percent(1 - Fraction(1, 10**7))
    ('95 %', '99.99999 %')
    """
    return f"{float(100 * level):.{max(6, 1 - math.floor(math.log10(1 - level)))}g} %"


def _failure(parts: Sequence[Any]) -> Judged:
    """A neighbour holds as evidence when the comparison does not."""
    judged = _comparison(parts)
    lhs, relation, rhs = _related(parts)
    words = f"{judged.words} holds although a hypothesis was dropped"
    return Judged(not judged.holds, f"{lhs} {AGAINST[relation]} {rhs}", words, judged.left)


def _expression(value: Any) -> sympy.Expr:
    if isinstance(value, (str, float)):
        raise BadEvidence(f"{value!r} is not a SymPy expression")
    expression = sympy.sympify(value, strict=True)
    if not isinstance(expression, sympy.Expr) or expression.has(sympy.Float):
        raise BadEvidence(f"{_short(value)} is not an exact SymPy expression")
    return expression


def _exact(value: Any) -> Fraction:
    if type(value) is int or (isinstance(value, Fraction) and type(value.numerator) is type(value.denominator) is int):
        return Fraction(value)
    if isinstance(value, sympy.Rational):
        return Fraction(int(value.p), int(value.q))
    raise BadEvidence(  # also a fraction that holds NumPy integers: they overflow
        f"{value!r} ({type(value).__name__}) is not an integer or a fraction"
    )


def _sized(parts: Sequence[Any], size: int) -> Sequence[Any]:
    if len(parts) != size:
        raise BadEvidence(f"{parts!r} does not have {size} entries")
    return parts


def _related(parts: Sequence[Any]) -> tuple[Any, str, Any]:
    lhs, relation, rhs = (parts[0], "==", parts[1]) if len(parts) == 2 else _sized(parts, 3)
    if relation not in RELATIONS:
        raise BadEvidence(f"{relation!r} is not a relation ({', '.join(RELATIONS)})")
    return lhs, relation, rhs


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
