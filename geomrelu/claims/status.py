"""What a status word promises, and how it follows from the evidence.

A claim may have several *parts*, and is worth no more than the least of them. A check may say which part it speaks for;
one that does not speaks for all. In each part, from what was judged there and held:

    DERIVED      exact cases, and at least one identity with a free symbol whose sides were not the same as written
    ENUMERATED   exact cases: enumerated, or decided with certificates
    SAMPLED      Monte Carlo alone
    CONJECTURED  a hunt: exact cases sought by a search, which can refute, and shows nothing of what was not visited;
                 or nothing but identities and neighbours

Anything that fails refutes the whole claim, and what breaks leaves it without a verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Protocol

from geomrelu.claims.evidence import Kind

__all__ = ["PROMISES", "Status", "status_of"]


class Status(IntEnum):
    """How well a claim is founded, from worst to best."""

    BROKEN = -1
    REFUTED = 0
    CONJECTURED = 1
    SAMPLED = 2
    ENUMERATED = 3
    DERIVED = 4

    @property
    def promise(self) -> str:
        """What the word says of a claim."""
        return PROMISES[self]


PROMISES = {
    Status.BROKEN: "a check could not be carried out; nothing is said of the claim",
    Status.REFUTED: "a case fails, and it is shown (outside a probability interval, if it was sampled)",
    Status.CONJECTURED: "nothing speaks against it, but a part of it was only hunted, or it rests on such a claim",
    Status.SAMPLED: "some part is only compatible with Monte Carlo at a level, trials and seed fixed beforehand",
    Status.ENUMERATED: "holds in every exact case of the families that were walked; the rest is a proof in words",
    Status.DERIVED: "as before, and identities with free symbols, not equal as written, cancel to 0 in SymPy",
}


class Judgement(Protocol):
    """What a check gave, as far as the status depends on it."""

    @property
    def kind(self) -> Kind: ...
    @property
    def ok(self) -> bool: ...
    @property
    def broken(self) -> bool: ...
    @property
    def part(self) -> str: ...
    @property
    def symbolic(self) -> int: ...


def status_of(outcomes: Sequence[Judgement]) -> Status:
    """The status of a claim by its own evidence: the least of its parts."""
    if any(o.broken for o in outcomes):
        return Status.BROKEN
    if not all(o.ok for o in outcomes):
        return Status.REFUTED
    parts = {o.part for o in outcomes if o.part} or {""}
    return min(_of_part([o for o in outcomes if o.part in ("", part)]) for part in parts)


def _of_part(outcomes: Sequence[Judgement]) -> Status:
    kinds = {o.kind for o in outcomes}
    if Kind.HUNT in kinds:
        return Status.CONJECTURED
    if kinds & {Kind.ENUMERATE, Kind.DECIDE}:
        return Status.DERIVED if any(o.symbolic for o in outcomes) else Status.ENUMERATED
    return Status.SAMPLED if Kind.SAMPLE in kinds else Status.CONJECTURED
