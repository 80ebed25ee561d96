"""Events in random networks: what they are, what theorems say of them, and what a theorem lacks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from geomrelu.arguments import integer, integers, kind, several, truth
from geomrelu.budget import UNLIMITED, Budget
from geomrelu.errors import InputError
from geomrelu.geometry.domains import Union, read_domain
from geomrelu.geometry.ellipsoid import Ellipsoid
from geomrelu.geometry.polyhedron import FiniteSet, Point, Polyhedron
from geomrelu.parallel import seed_of
from geomrelu.random_networks.goal import Goal
from geomrelu.random_networks.initialisation import Initialisation
from geomrelu.random_networks.montecarlo import SCHEMES

__all__ = ["EVENTS", "Experiment"]

EVENTS = {
    "stably-unactivated": "a given neuron of layer 2 is at most 0 on R^n, and stays so under small changes",
    "alive": "every layer is positive somewhere on the set",
    "data-alive": "some point of the set is alive through all layers",
    "killed": "all neurons of a layer are dead on the set",
    "dead-neurons": "so many neurons are dead on the set",
}
STABLE, ALIVE, DATA_ALIVE, KILLED, DEAD = EVENTS
WALKED = 14  # signs before the last layer that are walked unless something else is asked for
MOST_POINTS = 1 << 20
AT_ONCE = 1 << 14  # points after which budgets are looked at


@dataclass(frozen=True)
class Experiment:
    """An event in a random network.

    Attributes:
        event: "stably-unactivated" (a given neuron of layer 2, on R^n0), "alive" (every layer has a neuron that is
            positive somewhere on the domain), "data-alive" (at one and the same point every layer has a positive
            neuron), "killed" (all neurons of ``layer`` are dead) or "dead-neurons" (exactly ``number`` of ``layer``,
            or of the whole network if there is no ``layer``, are dead).
        widths: (inputs, width of layer 1, ...).
        law, scale, biases: see :class:`~geomrelu.random_networks.initialisation.Initialisation`.
        bias: False: biases are "zero"; set so by laws without biases.
        domain: as :func:`~geomrelu.geometry.domains.read_domain` reads it, or "points:N": N standard normal points,
            the same for all networks.
        scheme: "iid"; "batch-norm" or "sign-flip" on a finite domain, see
            :func:`~geomrelu.random_networks.montecarlo.pre_activations`.
        model: the name of a network whose shape is meant; then ``law`` may be "own": its own magnitudes.

    Raises:
        InputError: an unknown event, law, scale or scheme, or what does not suit the event.

    Exact: what theorems give; estimates are statistical and say so. Cost: see :func:`geomrelu.probability`.

    Source: Rister & Rubin; Lu, Shin, Su & Karniadakis; Brownlowe et al.

    >>> Experiment("alive", (2, 3, 3)).depth
    2
    """

    event: str
    widths: tuple[int, ...]
    law: str = "normal"
    scale: str = "none"
    bias: bool = True
    domain: str = "R^n"
    layer: int | None = None
    number: int | None = None
    scheme: str = "iid"
    model: str | None = None
    biases: str = "same"

    def __post_init__(self) -> None:
        self._check_kinds()
        if self.event not in EVENTS:
            raise InputError(f"unknown event {self.event!r} (known: {', '.join(EVENTS)})")
        object.__setattr__(self, "widths", tuple(integers(several(self.widths, "widths"), "widths")))
        if len(self.widths) < 2:
            raise InputError("widths: the number of inputs, then the width of each layer")
        if min(self.widths) < 1:
            raise InputError(f"widths must be positive, not {min(self.widths)}")
        if self.scheme not in SCHEMES:
            raise InputError(f"unknown scheme {self.scheme!r} (known: {', '.join(SCHEMES)})")
        if self.scheme != "iid" and self.model is not None:
            raise InputError(f"{self.scheme} is for dense layers: say --widths instead of --model")
        if self.law == "own" and self.model is None:
            raise InputError("the law 'own' means the magnitudes of a model")
        if not self.bias:
            object.__setattr__(self, "biases", "zero")
        object.__setattr__(self, "bias", self.initialisation.bias)
        object.__setattr__(self, "biases", self.initialisation.biases)
        if self.event == STABLE:
            self._check_stable()
        self._check_numbers()

    def _check_kinds(self) -> None:
        for name in ("event", "law", "scale", "domain", "scheme", "biases"):
            if not isinstance(value := getattr(self, name), str):
                raise InputError(f"{name} is text, not {kind(value)}")
        if self.model is not None and not isinstance(self.model, str):
            raise InputError(f"model is the name of a network, not {kind(self.model)}")
        object.__setattr__(self, "bias", truth(self.bias, "bias"))
        for name in ("layer", "number"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, integer(value, name))

    def _check_stable(self) -> None:
        for wrong, text in (
            (len(self.widths) > 3, "widths n0,n1 or n0,n1,n2: the neuron is one of layer 2"),
            (self.domain not in ("R^n", f"R^{self.widths[0]}"), "it is about all of R^n, without a domain"),
            (self.scheme != "iid", f"no scheme: under {self.scheme} layers depend on data"),
            (self.model is not None, "it is about dense layers: say --widths instead of --model"),
            (not self.bias, f"it is about neurons with biases{'' if self.law == 'normal' else f' ({self.law})'}"),
        ):
            if wrong:
                raise InputError(f"{STABLE}: {text}")

    def _check_numbers(self) -> None:
        if self.event == KILLED and self.layer is None:
            raise InputError("killed: say of which --layer")
        if self.event == DEAD and self.number is None:
            raise InputError("dead-neurons: say how many (--number)")
        if self.layer is not None and self.event not in (KILLED, DEAD):
            raise InputError(f"{self.event} is not about one layer (--layer is for killed and dead-neurons)")
        if self.number is not None and self.event != DEAD:
            raise InputError(f"{self.event} is not about a number (--number is for dead-neurons)")
        if self.layer is not None and not 1 <= self.layer <= self.depth:
            raise InputError(f"there is no layer {self.layer} in a network with {self.depth}")
        if self.number is not None:
            neurons = sum(self.widths[1:]) if self.layer is None else self.widths[self.layer]
            where = "network" if self.layer is None else f"layer {self.layer}"
            if not 0 <= self.number <= neurons:
                raise InputError(f"{self.number} dead neurons cannot be: the {where} has {neurons}")

    # ---- what is drawn ----------------------------------------------------------------------------------------

    @property
    def depth(self) -> int:
        """The number of ReLU layers."""
        return len(self.widths) - 1

    @property
    def initialisation(self) -> Initialisation:
        """How layers are drawn."""
        return Initialisation("normal" if self.law == "own" else self.law, self.scale, self.biases)

    @property
    def flipped(self) -> str:
        """Whose signs an orbit walks: all, or the last layer's if all are too many."""
        if self.model is not None:
            return "all"
        return "all" if self.inner_signs <= WALKED else "last"

    @property
    def inner_signs(self) -> int:
        """Of dense layers, before the last one that the event is about."""
        return sum(m * (n + self.bias) for n, m in pairwise(self.widths[: self.goal.last]))

    def layers(self, rng: np.random.Generator, count: int) -> list[tuple[Any, Any]]:
        """Random networks drawn with a generator ``rng``.

        Returns:
            For each layer the weights (count, out, in) and the biases (count, out).
        """
        return [self.initialisation.layers(rng, count, n, m) for n, m in pairwise(self.widths)]

    def read_domain(self, seed: int, budget: Budget | None = None) -> Polyhedron | FiniteSet:
        """The set; random points depend on the seed alone.

        Args:
            seed: of random points. budget: on time, for them.

        Raises:
            InputError: it cannot be read, or the scheme needs a finite one.
            Exhausted: the time was over before all random points were there.
        """
        inputs, text = self.widths[0], self.domain
        if text.startswith("points:"):
            number = text.removeprefix("points:")
            if not (number.isascii() and number.isdigit() and 0 < int(number[:9]) <= MOST_POINTS):
                raise InputError(f"{text}: write points:N with N from 1 to {MOST_POINTS:,}")
            drawn = np.random.default_rng(seed_of(seed, 0, 0)).standard_normal((int(number), inputs))
            points: list[Point] = []
            for first in range(0, len(drawn), AT_ONCE):
                (budget or UNLIMITED).poll()
                points += FiniteSet.of(drawn[first : first + AT_ONCE].tolist()).points
            return FiniteSet(tuple(points))
        domain = read_domain(text, inputs)
        if isinstance(domain, Union):
            raise InputError(f"{text}: a probability is about one set, not about a union of sets")
        if isinstance(domain, Ellipsoid):
            raise InputError(f"{text}: a probability is about a polyhedron or points, not an ellipsoid")
        if self.scheme != "iid" and not isinstance(domain, FiniteSet):
            raise InputError(f"{self.scheme} needs data: a finite set of points (--points)")
        if domain.is_empty:
            raise InputError("the domain is empty")
        return domain

    def digest_of(self, domain: Polyhedron | FiniteSet) -> dict[str, str]:
        """What fixes the set in the description of a computation: a file may come to hold another one.

        Args:
            domain: what :meth:`read_domain` has given.
        """
        return {} if self.domain.startswith("points:") else {"set": domain.checked.digest()}

    # ---- the event --------------------------------------------------------------------------------------------

    @property
    def goal(self) -> Goal:
        """The event, as the walk over many orbits takes it."""
        return Goal(self.event, self.layer or self.depth, self.number, self.event == DEAD and self.layer is None)

    def happens(self, dead: Sequence[int]) -> bool:
        """Does a network with so many dead neurons in each layer belong to the event? ("data-alive": of the points that
        are alive so far.)"""
        widths = self.widths[1:]
        if self.event in (ALIVE, DATA_ALIVE):
            return all(d < width for d, width in zip(dead, widths, strict=True))
        if self.event == KILLED:
            return dead[self.layer - 1] == widths[self.layer - 1]  # type: ignore[operator]
        return self.number == (sum(dead) if self.layer is None else dead[self.layer - 1])

    @property
    def described(self) -> str:
        """The event in words."""
        if self.event == KILLED:
            return f"all neurons of layer {self.layer} are dead on the set"
        if self.event == DEAD:
            neurons, are = ("neuron", "is") if self.number == 1 else ("neurons", "are")
            where = "" if self.layer is None else f" of layer {self.layer}"
            return f"exactly {self.number} {neurons}{where} {are} dead on the set"
        return EVENTS[self.event]

    # ---- what theorems say --------------------------------------------------------------------------------------

    @property
    def _whole(self) -> bool:
        return self.domain in ("R^n", f"R^{self.widths[0]}")

    def proved(self) -> tuple[Fraction, str] | None:
        """The probability and the claim that proves it, where its hypotheses hold."""
        if self.scheme != "iid" or self.model is not None:
            return None
        if self.initialisation.missing(symmetric=True, atomless=True) is not None:
            return None
        n, widths = self.widths[0], self.widths[1:]
        same = len({n, *widths}) == 1
        formula: tuple[str, str, tuple[int, ...]] | None = None  # in closed_forms, the claim, and of what
        if self.event == STABLE and widths[0] <= n + 1:
            name = "narrow-first-layer" if widths[0] <= n else "one-more-than-input"
            formula = "stably_unactivated", name, (n, widths[0])
        elif self.bias and same and self.event in (ALIVE, DATA_ALIVE) and self.domain == "points:1":
            formula = "lower_bound", "single-point", (n, self.depth)
        elif self.event == ALIVE and self.bias and same and self._whole:
            if n == 1:
                formula = "width_one", "width-one", (self.depth,)
            elif self.depth <= 2:
                formula = "upper_bound", "tight-at-two", (n, self.depth)
        if formula is None:
            return None
        from geomrelu.random_networks import closed_forms  # here: SymPy takes its time

        value = getattr(closed_forms, formula[0])(*formula[2])
        return Fraction(int(value.p), int(value.q)), formula[1]

    def refused(self) -> str | None:
        """The hypothesis that fails, where a theorem would give the probability if the law satisfied it."""
        missing = self.initialisation.missing(symmetric=True, atomless=True)
        if missing is None or replace(self, law="normal", scale="none").proved() is None:
            return None
        return missing

    def _stable_bounds(self) -> dict[str, Fraction]:
        """For one input the sharp ones, the upper one where proved (claims line-lower-bound, line-upper-bound)."""
        n0, n1 = self.widths[:2]
        found = {"lower": Fraction(1, 2 ** (n1 + 1)), "upper": Fraction(1, 4)}
        if n0 == 1 and self.bias and self.initialisation.missing(atomless=True) is None:
            from geomrelu.random_networks import closed_forms  # here: SymPy takes its time

            found["lower"] = Fraction(str(closed_forms.line_lower_bound(n1)))
            if n1 <= 3:
                found["upper"] = Fraction(str(closed_forms.line_upper_bound(n1)))
        return found

    def bounds(self) -> dict[str, Fraction]:
        """What theorems say of the probability: "lower" and "upper", where their hypotheses hold.

        They hold for the fraction of almost every orbit of all signs, too: lower, because at one generic point each
        layer is positive for all but 2^-m of the signs of its rows; upper, because no signs at all make a layer of
        nonpositive parameters positive. Stably unactivated: never more than 1/4, because along a generic direction and
        the opposite one the weights of different neurons have to sum to less than 0 (or the constant has to be
        negative); and always where all weights and the constant are negative.
        """
        law = self.initialisation
        if law.missing(symmetric=True, no_zero=True) is not None or self.scheme != "iid" or self.model is not None:
            return {}
        if self.event == STABLE:
            return self._stable_bounds()
        exact = self.bias and law.missing(atomless=True) is None
        if exact and self.event == ALIVE and self.widths == (2, 2, 2, 2) and self._whole:
            return {"lower": Fraction(3750, 4096), "upper": Fraction(3828, 4096)}  # claim range-two-three
        if self.event not in (ALIVE, DATA_ALIVE):
            return {}
        if not self.bias and self.domain not in ("R^n", f"R^{self.widths[0]}", "R+^n", "R^n_+"):
            return {}  # without biases 0 is dead in each network, and a domain may hold little else
        fans = list(pairwise(self.widths))
        lower = math.prod((1 - Fraction(1, 2**m) for _, m in fans), start=Fraction(1))
        upper = math.prod((1 - Fraction(1, 2 ** (m * (n + self.bias))) for n, m in fans[1:]), start=Fraction(1))
        if law.missing(atomless=True) is not None:  # a neuron is 0 at a point with positive probability
            return {"upper": upper}
        return {"lower": lower, "upper": upper}
