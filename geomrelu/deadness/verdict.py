"""What is known about a neuron, and about a layer."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction

from geomrelu.certificates.files import Claim

__all__ = ["LayerReport", "Status", "Verdict", "undecided"]


class Status(Enum):
    """ALIVE, DEAD or UNDECIDED; the last has no truth value and neither is a yes to anything."""

    ALIVE = "alive"
    DEAD = "dead"
    UNDECIDED = "undecided"

    def __bool__(self) -> bool:
        raise TypeError("a status is not a truth value: compare it with Status.DEAD, ALIVE or UNDECIDED")


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
            of an entry of the report's ``points``.
        parts: on a union of polyhedra, the verdicts on those that were asked; the claims are theirs.
    """

    layer: int
    neuron: int
    status: Status
    stable: bool | None
    supremum: Fraction | str | None
    reason: str
    claim: Claim | None = field(default=None, repr=False)
    parts: tuple[Verdict, ...] = field(default=(), repr=False)


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
    points: list[list[str]]

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
