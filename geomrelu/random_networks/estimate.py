"""What an estimate of a probability is: its value, its interval, and what is proved of it; as text and as data."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from geomrelu.errors import InputError
from geomrelu.exact.numbers import approximate, nearest_float, rational
from geomrelu.random_networks.experiment import Experiment

if TYPE_CHECKING:
    from geomrelu.random_networks.shape import Shape

__all__ = ["LEVEL", "Estimate", "between", "cut", "proved_bounds"]

LEVEL = 0.95
LISTED = 12  # different counts that are listed one by one


@dataclass(frozen=True)
class Estimate:
    """A probability, estimated or proved.

    Attributes:
        method: "proved", "orbits" or "sampling".
        trials: how many independent orbits (or networks) stand behind it; 0 if it is proved.
        size: of each orbit; 1 for networks.
        counts: how often each number of sign choices in the event came up.
        interval: how ``low`` and ``high`` were found.
        flipped: whose signs the orbits walk.
        exact: the probability, if it is known; ``interval`` says why.
        bounds: what is proved of it.
        stopped: what the clock left undone, in words; None if all was done.
    """

    experiment: Experiment
    method: str
    trials: int
    size: int
    counts: dict[int, int] = field(hash=False)
    estimate: float
    low: float
    high: float
    level: float
    interval: str
    flipped: str
    seed: int
    exact: Fraction | None = None
    bounds: dict[str, Fraction] = field(default_factory=dict, hash=False)
    stopped: str | None = None

    @property
    def is_constant(self) -> bool:
        """Was the count the same on every orbit of the sample?"""
        return self.method == "orbits" and len(self.counts) == 1

    def __repr__(self) -> str:
        return self.as_text()

    def as_text(self) -> str:
        """A few lines for people."""
        e = self.experiment
        digits = max(2, 2 - math.floor(math.log10(self.high - self.low))) if self.low < self.high else 6
        law = e.law if e.scale == "none" else f"{e.law} ({e.scale})"
        if e.law == "own":
            law = f"the magnitudes of {e.model}"
        elif e.model is not None:
            law += f", the shape of {e.model}"
        event = e.event + ("" if e.number is None else f" = {e.number}")
        event += "" if e.layer is None else f", layer {e.layer}"
        more = ("" if e.bias else ", no bias") + ("" if e.scheme == "iid" else f", {e.scheme}")
        lines = [f"{event}, widths {','.join(map(str, e.widths))}, {law}{more}, on {e.domain}", f"  ({e.described})"]
        if e.law != "own":
            lines.append(f"  ({e.initialisation.described})")
        if self.exact is not None:
            value = f"  exactly {self.exact} = {float(self.exact):.{digits}g}"
            laws = ", for every symmetric law without atoms" if self._theorem else ""
            lines.append(f"{value}{laws} ({self.interval})")
        else:
            inside = self.low <= self.estimate <= self.high
            lines.append(
                f"  {self.estimate:.{digits}f}  {'' if inside else 'of the sample; with what is proved '}"
                f"in [{self.low:.{digits}f}, {self.high:.{digits}f}] at {100 * self.level:g} % ({self.interval})"
            )
        lines += self._sample()
        if self.stopped is not None:
            lines.append(f"  {self.stopped}")
        if (hypothesis := e.refused()) is not None and self.exact is None:
            lines.append(f"  no theorem gives it: {hypothesis}")
        lines += [f"  {name} bound {float(value):.{digits}f} = {_short(value)}" for name, value in self.bounds.items()]
        return "\n".join(lines)

    @property
    def _theorem(self) -> bool:
        return self.method == "proved" and self.experiment.law != "rademacher"

    def _sample(self) -> list[str]:
        """What was walked or drawn."""
        if self.method == "proved":
            return []
        if self.method == "sampling":
            return [f"  {self.counts.get(1, 0):,} of {self.trials:,} networks"]
        lines = [f"  {_orbits(self.trials)} of {self.size:,} sign choices ({WALKS[self.flipped]})"]
        if len(self.counts) <= LISTED:
            lines.append("  in the event: " + ", ".join(f"{k:,} ({_orbits(n)})" for k, n in self.counts.items()))
        else:
            lines.append(f"  in the event: {min(self.counts):,} to {max(self.counts):,}")
        if self.is_constant and self.exact is None:
            value = Fraction(next(iter(self.counts)), self.size)
            lines.append(f"  constant on the sample, but not proved to be so: {value}")
        return lines

    def as_json(self, all_counts: bool = False) -> dict[str, Any]:
        """Plain data for ``json.dumps``.

        Args:
            all_counts: how often each count came up, also if there are many different ones.
        """
        e = self.experiment
        found: dict[str, Any] = {
            "event": e.event,
            "widths": list(e.widths),
            "law": e.law,
            "trials" if self.method == "sampling" else "orbits": self.trials,
            "orbit_size": self.size,
            "estimate": self.estimate,
            "low": self.low,
            "high": self.high,
            "level": self.level,
        }
        if all_counts or len(self.counts) <= LISTED:
            found["orbit_counts"] = {str(k): n for k, n in sorted(self.counts.items())}
        else:
            found["orbit_counts"] = {"different": len(self.counts), "least": min(self.counts), "most": max(self.counts)}
        found |= {
            "constant_on_all_orbits": self.is_constant,
            "exact": None if self.exact is None else str(self.exact),
            "bounds": {name: str(value) for name, value in self.bounds.items()},
        }
        found |= {name: value for name, value in asdict(e).items() if name not in found}
        return found | {
            "event_means": e.described,
            "parameters": "the model's own" if e.law == "own" else e.initialisation.described,
            "proved_by": self.interval if self.exact is not None else None,
            "hypothesis_missing": e.refused(),
            "method": self.method,
            "stopped": self.stopped,
            "interval": self.interval,
            "flipped": self.flipped,
            "seed": self.seed,
        }


WALKS = {
    "all": "the signs of all parameters",
    "last": "the signs of the last layer's parameters",
    "row flips, signs of the second layer": "row flips, signs of the second layer",
    "some row flips, signs of the second layer": "some row flips, signs of the second layer",
}


def _orbits(number: int) -> str:
    return f"{number:,} orbit{'s'[: number != 1]}"


def _short(value: Fraction) -> str:
    text = str(value)
    return text if len(text) <= 30 else "a fraction"


def proved_bounds(experiment: Experiment, shape: Shape | None) -> dict[str, Fraction]:
    """What theorems say of the probability: "lower" and "upper", where they apply."""
    if shape is None or experiment.law == "own":
        return experiment.bounds()
    if shape.is_dense and not shape.tied:
        return replace(experiment, model=None).bounds()
    law = experiment.initialisation
    if law.missing(symmetric=True, atomless=True) is not None or not law.bias or not _is_about_life(experiment):
        return {}
    return shape.bounds()


def _is_about_life(experiment: Experiment) -> bool:
    return experiment.event in ("alive", "data-alive")


def cut(low: float, high: float, bounds: dict[str, Fraction]) -> tuple[float, float]:
    """An interval without what proved bounds exclude."""
    least, most = float(bounds.get("lower", 0)), float(bounds.get("upper", 1))
    return min(max(low, least), most), max(min(high, most), least)


def between(value: Any, what: str) -> float:
    """A number between 0 and 1, such as a level of confidence, as a float.

    Raises:
        InputError: it is none.
    """
    exact = Fraction(0) if isinstance(value, str) else rational(value, what)
    if not 0 < (found := nearest_float(exact)) < 1:
        shown = value if isinstance(value, str) else approximate(exact)
        raise InputError(f"{what} must lie between 0 and 1, not {shown}")
    return found
