"""Questions to a judge with their answers: how they are asked.

A judge is a module like ``checker.py``. Of every rule at its edge there are questions in ``readable`` (numbers, models,
sets), ``bounds`` (what proofs bound) and ``claims`` (what certificates say). The answer is stated there: "proved", the
name of the refusal, a bound to the last digit, or a text. What a claim needs is in certificates/FORMAT.md.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from fractions import Fraction
from types import MappingProxyType
from typing import Any

Ask = Callable[[Any], Any]
Question = tuple[Ask, Any]  # with its answer

PROVED, REJECTED = "proved", "Rejected"
AGREED = object()  # the answer is not stated, but all judges give the same one, to the last digit
UNIT = Fraction(1, 1 << 28)
NONE = {"activation": "none"}


def known(module: Any, *stated: Iterable[Question]) -> list[Question]:
    """Questions with their answers; where it is not stated, that of a module."""
    return [(ask, ask(module) if answer is AGREED else answer) for some in stated for ask, answer in some]


def outcome(module: Any, do: Callable[[], Any], text: bool = False) -> Any:
    """What comes of it, or the name of the refusal, or what it says; a crash is itself."""
    try:
        return do()
    except module.Rejected as refused:
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
        return outcome(m, lambda: m.check_pruning(whole, *parts, m.Judge))

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
