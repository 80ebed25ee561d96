"""A network and a set, and how claims about its neurons become verdicts: those that the checker's rules accept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

from geomrelu import checker
from geomrelu.budget import Budget, Exhausted
from geomrelu.certificates import infinity
from geomrelu.certificates.batch import Quick
from geomrelu.certificates.files import Claim
from geomrelu.deadness.falling import Falling, falls
from geomrelu.deadness.verdict import Status, Verdict, undecided
from geomrelu.geometry import weights
from geomrelu.geometry.domains import OneSet
from geomrelu.geometry.ellipsoid import Ellipsoid
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.network.network import Network

__all__ = ["EARLIER", "Problem"]

EARLIER = "proved in an earlier run"
FAR = 4  # one part in so many of the budget may go into what is at infinity


class Problem:
    """What every method is asked about, and the only way from a claim to a verdict.

    Attributes:
        budget: of the work in hand; it changes from layer to layer.
        points: the table of points that claims may refer to (exact, as strings; of an ellipsoid {"ball": u}).
        quick: the judge that verdicts come from.
        dead: layer -> how many of its neurons are known to be dead.
    """

    def __init__(self, network: Network, domain: OneSet, budget: Budget) -> None:
        self.network, self.domain, self.budget = network, domain, budget
        self.points: list[Any] = []
        self.dead: Counter[int] = Counter()
        self.quick = Quick(self.points, network.checked, domain.checked)
        self._places: dict[int, tuple[int, Any]] = {}  # of points of earlier claims, by identity, in the table
        self._endless = set[str]()  # ways to show what is at infinity that took too long

    # ---- from a claim to a verdict ----------------------------------------------------------------------------

    def decided(self, claim: Claim, supremum: Fraction | str | None, reason: str) -> Verdict:
        """The verdict of a claim whose every part is exact; should the checker not agree, nothing is decided."""
        try:
            self.quick.watch(self.budget.poll)
            checker.prove(claim, self.quick)
        except checker.Rejected as doubt:
            if "growth" in claim:  # the verdict stands without it
                rest = {key: value for key, value in claim.items() if key not in ("growth", "stable")}
                return self.decided(rest, supremum, reason)
            return undecided(claim["layer"], claim["neuron"], f"the checker did not accept the proof: {doubt}")
        status = Status(claim["status"])
        return Verdict(claim["layer"], claim["neuron"], status, claim.get("stable"), supremum, reason, claim)

    def tried(self, claim: Claim, reason: str, supremum: Fraction | str | None = None) -> Verdict | None:
        """The verdict of a claim that floating point (or a file) suggested, if the checker agrees."""
        verdict = self.decided(claim, supremum, reason)
        return None if verdict.status is Status.UNDECIDED else verdict

    def unbounded(self, layer: int, i: int, point: Sequence[Fraction], ray: Sequence[Any] | None) -> Verdict:
        """The verdict of a neuron that grows without bound along a ray of the domain."""
        claim: Claim = {"layer": layer, "neuron": i, "status": "alive", "supremum": "inf"}
        claim |= {"point": self.point(point), "ray": self.ray(ray or ())}
        return self.decided(claim, "inf", "grows along a ray")

    def point(self, point: Sequence[Fraction]) -> Any:
        """A point of the domain as the checker wants it."""
        domain = self.domain
        if isinstance(domain, Ellipsoid):
            return {"ball": [str(v) for v in domain.preimage(point) or ()]}
        if isinstance(domain, Polyhedron) and domain.given_by_generators:
            return {"weights": [[str(w) for w in part] for part in weights.of_point(domain, tuple(point))]}
        return [str(x) for x in point]

    def placed(self, point: Sequence[Fraction]) -> Any:
        """The same, for a point that may be shown again: its number in the table, or weights."""
        said = self.point(point)
        if "weights" in said:
            return said
        self.points.append(said)
        return len(self.points) - 1

    def ray(self, ray: Sequence[Any]) -> Any:
        domain = self.domain
        if isinstance(domain, Polyhedron) and domain.given_by_generators:
            return {"weights": [[str(w) for w in part] for part in weights.of_ray(domain, ray)]}
        return [str(x) for x in ray]

    def again(self, claim: Claim) -> Verdict | None:
        """The verdict of a claim from an earlier run."""
        self.budget.spend(0)
        supremum, point = claim.get("supremum"), claim.get("point")
        if isinstance(point, list) or (isinstance(point, dict) and isinstance(point.get("ball"), list)):
            # many claims share one: it is read and evaluated once
            if id(point) not in self._places:
                self._places[id(point)] = len(self.points), point
                self.points.append(point)
            claim = {**claim, "point": self._places[id(point)][0]}
        try:
            value = None if supremum is None else "inf" if supremum == "inf" else Fraction(supremum)
            return self.tried(claim, EARLIER, value)
        except (ValueError, TypeError, checker.Rejected):
            return None

    def valued(
        self, layer: int, i: int, supremum: Fraction, point: Any, proof: Any, reason: str,
        far: dict[str, Any] | None,
    ) -> Verdict:  # fmt: skip
        """The verdict of a neuron whose supremum is attained at ``point`` (and proved by ``proof``)."""
        return self.decided(self.claimed(layer, i, supremum, point, proof, far), supremum, reason)

    def claimed(
        self, layer: int, i: int, supremum: Fraction, point: Any, proof: Any, far: dict[str, Any] | None
    ) -> Claim:
        """The claim of it; ``far`` is what is claimed of a negative supremum's stability, None: nothing."""
        claim: Claim = {"layer": layer, "neuron": i, "status": "alive" if supremum > 0 else "dead"}
        claim |= {"supremum": str(supremum), "point": point} | ({} if proof is None else {"proof": proof})
        if supremum == 0:
            claim["stable"] = False
        elif supremum < 0:
            claim |= far or {}
        return claim

    # ---- at infinity ------------------------------------------------------------------------------------------

    @cached_property
    def bounding(self) -> dict[str, Any] | None:
        """That dead neurons with negative supremum are stable on a bounded domain; None if it is not seen to be one."""
        domain = self.domain
        if isinstance(domain, (FiniteSet, Ellipsoid)) or not checker.recession(domain.checked):
            return {"stable": True}
        try:
            return _cones(infinity.bounded(domain.checked, self.budget.share(FAR).poll)) if domain.is_bounded else None
        except (infinity.TooManyParts, Exhausted, ValueError):
            self._endless |= {"few cones", "cones"}
            return None

    def unstable(self, ray: Sequence[Any]) -> dict[str, Any]:
        """That small changes revive a neuron along a ray, as a claim says it."""
        return {"stable": False, "ray": self.ray(ray)}

    @cached_property
    def _falling(self) -> Falling:
        assert isinstance(self.domain, Polyhedron)
        return Falling(self.network, self.domain)

    def far(self, layer: int, i: int) -> dict[str, Any] | None:
        """Whether a dead neuron with negative supremum is stable, as a claim says it; None if that is not seen."""
        domain = self.domain
        if self.bounding is not None or not isinstance(domain, Polyhedron):
            return self.bounding
        if layer == 1 and not falls(domain, self.network.layers[0].form(i).slope):
            return None
        what = self.network.checked, domain.checked, layer, i
        ways: dict[str, Callable[[Budget], dict[str, Any] | None]] = {
            "few cones": lambda share: _cones(infinity.cones(*what, share.poll, infinity.FEW)),
            "growth": lambda share: self._falling.claimed(layer, i, share),
            "cones": lambda share: _cones(infinity.cones(*what, share.poll)),
        }
        for name, way in ways.items():
            if name not in self._endless:
                try:
                    return way(self.budget.share(FAR))
                except infinity.TooManyParts:
                    if name == "cones":
                        self._endless.add(name)
                except (Exhausted, ValueError):  # the time is over, or a number has more digits than are written
                    self._endless.add(name)  # the verdict stands without it
        return None


def _cones(found: list[Any] | None) -> dict[str, Any] | None:
    """A list of cones, as a claim carries it."""
    return None if found is None else {"stable": True, "infinity": found}
