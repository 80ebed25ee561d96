"""What is known about a neuron, and about a layer."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from typing import Any

from geomrelu.certificates.files import Claim, is_shared, packed, unpacked

__all__ = ["LayerReport", "Status", "Verdict", "undecided"]


class Status(Enum):
    """ALIVE, DEAD or UNDECIDED; the last has no truth value and neither is a yes to anything."""

    ALIVE = "alive"
    DEAD = "dead"
    UNDECIDED = "undecided"

    def __bool__(self) -> bool:
        raise TypeError("a status is not a truth value: compare it with Status.DEAD, ALIVE or UNDECIDED")


class _Claim:
    """The claim of a verdict, whose proof is packed while nobody looks at it: all verdicts stay in memory."""

    def __set__(self, verdict: Verdict, claim: Any) -> None:
        claim = None if claim is self else claim  # the default
        if claim is not None and isinstance(proof := claim.get("proof"), list) and len(proof) > 1:
            claim = {**claim, "proof": packed(proof)}
        verdict.__dict__["claim"] = claim

    def __get__(self, verdict: Verdict | None, kind: Any = None) -> Any:
        if verdict is None:
            return self
        return None if verdict.packed is None else unpacked(verdict.packed)


_CLAIM: Any = _Claim()


@dataclass(frozen=True)
class Verdict:
    """What is known about one neuron on the domain.

    Attributes:
        layer, neuron: from 1, from 0.
        status: alive, dead or undecided.
        stable: for a dead neuron, whether it is stably dead; None if that is not known (or the neuron not dead).
        supremum: of its pre-activation: exact, "inf", or None if it was not computed.
        reason: one phrase: the method, or why it is undecided.
        claim: what the checker accepted (see ``checker.py``), None if undecided. Its "point" may be a number, that
            of an entry of the report's ``points``. Looking at it costs: a large proof is kept packed.
        parts: on a union of polyhedra, the verdicts on those that were asked; the claims are theirs.
    """

    layer: int
    neuron: int
    status: Status
    stable: bool | None
    supremum: Fraction | str | None
    reason: str
    claim: Claim | None = field(default=_CLAIM, repr=False, hash=False)
    parts: tuple[Verdict, ...] = field(default=(), repr=False)

    @property
    def packed(self) -> Claim | None:
        """The claim as it is kept, the proof packed if it is a tree."""
        claim: Claim | None = self.__dict__["claim"]
        return claim

    @property
    def is_shared(self) -> bool:
        """Does its proof share a tree with others?"""
        return self.packed is not None and is_shared(self.packed)


@dataclass(frozen=True)
class LayerReport:
    """The verdicts on (some) neurons of one layer, with the points their claims share (exact, as strings).

    Attributes:
        layer: its number, from 1. width: how many neurons it has. verdicts: one for each neuron asked about.
        points: the table that a claim's point may refer to.
    """

    layer: int
    width: int
    verdicts: tuple[Verdict, ...]
    points: list[list[str]] = field(hash=False)

    def __repr__(self) -> str:
        counts = ", ".join(f"{sum(v.status is s for v in self.verdicts)} {s.value}" for s in Status)
        return f"<layer {self.layer} of {self.width} neurons: {counts}>"

    @property
    def killed(self) -> bool | None:
        """Does the layer kill the domain? None if that is not known."""
        if any(v.status is Status.ALIVE for v in self.verdicts):
            return False
        if len(self.verdicts) == self.width and all(v.status is Status.DEAD for v in self.verdicts):
            return True
        return None


def undecided(layer: int, neuron: int, reason: str) -> Verdict:
    """The verdict on a neuron of which nothing is known, and why."""
    return Verdict(layer, neuron, Status.UNDECIDED, None, None, reason)
