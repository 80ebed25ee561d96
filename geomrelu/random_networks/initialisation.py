"""Laws of random parameters: which distribution, how it is scaled in each layer, and which hypotheses it satisfies.

A :class:`Law` is one distribution on the line, by name; an :class:`Initialisation` draws whole layers from it. Theorems
about random networks need parts of this: symmetry about 0 (else sign flips change the law), no atom at 0, or no atoms
at all (else hyperplanes meet that should not); :meth:`Law.missing` says which part fails.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from geomrelu.errors import InputError

__all__ = ["SCALES", "Initialisation", "Law"]

Array = np.ndarray[Any, np.dtype[np.float64]]

BUILT_IN: dict[str, Callable[[np.random.Generator, tuple[int, ...]], Array]] = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "uniform": lambda rng, shape: rng.uniform(-1, 1, shape),
    "cauchy": lambda rng, shape: rng.standard_cauchy(shape),
    "rademacher": lambda rng, shape: rng.choice((-1.0, 1.0), shape),
}

SCALES: dict[str, Callable[[int, int], float]] = {
    "none": lambda fan_in, fan_out: 1.0,
    "he": lambda fan_in, fan_out: math.sqrt(2 / fan_in),
    "glorot": lambda fan_in, fan_out: math.sqrt(2 / (fan_in + fan_out)),
    "lecun": lambda fan_in, fan_out: math.sqrt(1 / fan_in),
}
SCALES["xavier"] = SCALES["glorot"]

PROBES = tuple(k / 64 for k in range(1, 32))  # levels at which symmetry of the quantiles is looked at


@dataclass(frozen=True)
class Law:
    """A distribution on the line, by name: ``normal``, ``uniform`` (on [-1, 1]), ``cauchy``, ``rademacher``, or one of
    ``scipy.stats`` with its parameters: ``laplace``, ``t:3``, ``beta:2,2,loc=-0.5``, ``randint:-1,2``.

    Raises:
        InputError: an unknown name, or parameters that the distribution does not have.

    >>> Law("t:3").missing(symmetric=True, atomless=True) is None
    True
    >>> Law("rademacher").missing(atomless=True)
    "the law 'rademacher' has atoms"
    """

    name: str

    def __post_init__(self) -> None:
        if self.name not in BUILT_IN:
            self._frozen  # noqa: B018  a wrong name is refused here and not later

    @cached_property
    def _frozen(self) -> Any:
        from scipy import stats  # slow to import, and needed by rare laws only

        family, _, rest = self.name.partition(":")
        found = getattr(stats, family, None)
        if not isinstance(found, (stats.rv_continuous, stats.rv_discrete)):
            raise InputError(f"unknown law {self.name!r} (known: {', '.join(BUILT_IN)}, and those of scipy.stats)")
        positional: list[float] = []
        named: dict[str, float] = {}
        for part in filter(None, rest.split(",")):
            key, sign, value = part.rpartition("=")
            try:
                number = float(value)
            except ValueError:
                raise InputError(f"law {self.name!r}: {value!r} is not a number") from None
            if sign:
                named[key.strip()] = number
            else:
                positional.append(number)
        try:
            frozen = found(*positional, **named)
        except (TypeError, ValueError) as problem:
            raise InputError(f"law {self.name!r}: {problem}") from None
        if not all(math.isfinite(q) for q in map(float, (frozen.ppf(0.25), frozen.ppf(0.75)))):
            raise InputError(f"law {self.name!r}: these parameters are out of range")
        return frozen

    @property
    def has_atoms(self) -> bool:
        """Is some single value taken with positive probability?"""
        return self.name == "rademacher" or (self.name not in BUILT_IN and hasattr(self._frozen, "pmf"))

    @property
    def has_atom_at_zero(self) -> bool:
        """Is 0 taken with positive probability?"""
        return self.name not in BUILT_IN and self.has_atoms and bool(self._frozen.pmf(0) > 0)

    @cached_property
    def is_symmetric(self) -> bool:
        """Is the law of -X that of X? (Of a ``scipy.stats`` law the quantiles are compared.)"""
        if self.name in BUILT_IN:
            return True
        if self.has_atoms:
            points = np.arange(1, 65)
            return bool(np.allclose(self._frozen.pmf(points), self._frozen.pmf(-points), rtol=1e-9, atol=1e-12))
        low, high = self._frozen.ppf(PROBES), self._frozen.ppf([1 - q for q in PROBES])
        return bool(np.allclose(low, -high, rtol=1e-6, atol=1e-9 * float(np.abs(high).max())))

    def missing(self, *, symmetric: bool = False, no_zero: bool = False, atomless: bool = False) -> str | None:
        """The first of the asked hypotheses that fails, in words, or None."""
        if symmetric and not self.is_symmetric:
            return f"the law {self.name!r} is not symmetric about 0"
        if no_zero and self.has_atom_at_zero:
            return f"the law {self.name!r} has an atom at 0"
        if atomless and self.has_atoms:
            return f"the law {self.name!r} has atoms"
        return None

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """Independent values."""
        if self.name in BUILT_IN:
            return BUILT_IN[self.name](rng, shape)
        return np.asarray(self._frozen.rvs(size=shape, random_state=rng), dtype=np.float64)


@dataclass(frozen=True)
class Initialisation:
    """How the parameters of a layer are drawn.

    Attributes:
        law: a name for :class:`Law`, or ``rai``: randomised asymmetric initialisation, in which one entry of each row
            (weights and bias, chosen uniformly) is Beta(2, 1) and the others are normal with variance
            sigma^2 / fan_in, sigma = sqrt(1 + 8/(9 pi)) - 2 sqrt(2) / (3 sqrt(pi)).
        scale: of weights and biases: none, he (sqrt(2 / fan_in)), glorot = xavier (sqrt(2 / (fan_in + fan_out))),
            lecun (sqrt(1 / fan_in)). ``rai`` has its own.
        bias: False: all biases are 0.

    Raises:
        InputError: an unknown law or scale.

    Source: He et al. 2015; Glorot & Bengio 2010; LeCun et al. 1998; Lu et al., section 4 (claim
    ``rai-never-kills-orthant``).
    """

    law: str = "normal"
    scale: str = "none"
    bias: bool = True
    parsed: Law | None = field(init=False, default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise InputError(f"unknown scale {self.scale!r} (known: {', '.join(SCALES)})")
        if self.law == "rai":
            if self.scale != "none" or not self.bias:
                raise InputError("the law 'rai' has its own scale and always a bias")
        else:
            object.__setattr__(self, "parsed", Law(self.law))

    def missing(self, *, symmetric: bool = False, no_zero: bool = False, atomless: bool = False) -> str | None:
        """See :meth:`Law.missing`; ``rai`` has densities and no symmetry."""
        if self.parsed is None:
            return "the law 'rai' is not symmetric about 0" if symmetric else None
        return self.parsed.missing(symmetric=symmetric, no_zero=no_zero, atomless=atomless)

    def layers(self, rng: np.random.Generator, count: int, fan_in: int, fan_out: int) -> tuple[Array, Array]:
        """``count`` layers: weights (count, fan_out, fan_in) and biases (count, fan_out)."""
        if self.parsed is None:
            rows = _rai(rng, count, fan_in, fan_out)
        else:
            rows = self.parsed.sample(rng, (count, fan_out, fan_in + self.bias)) * SCALES[self.scale](fan_in, fan_out)
        if not self.bias:
            return rows, np.zeros((count, fan_out))
        return rows[:, :, :fan_in], rows[:, :, fan_in]

    def parameters(self, rng: np.random.Generator, fans: Sequence[tuple[int, int]]) -> Array:
        """One value for each pair (fan in, fan out), whatever the shape of the layers they belong to."""
        if self.parsed is None:
            raise InputError("the law 'rai' draws whole rows: it is for dense layers")
        return self.parsed.sample(rng, (len(fans),)) * np.array([SCALES[self.scale](*fan) for fan in fans])


RAI_SIGMA = math.sqrt(1 + 8 / (9 * math.pi)) - 2 * math.sqrt(2) / (3 * math.sqrt(math.pi))  # bounds.rai_sigma()


def _rai(rng: np.random.Generator, count: int, fan_in: int, fan_out: int) -> Array:
    rows = rng.standard_normal((count, fan_out, fan_in + 1)) * (RAI_SIGMA / math.sqrt(fan_in))
    chosen = rng.integers(0, fan_in + 1, (count, fan_out, 1))
    np.put_along_axis(rows, chosen, rng.beta(2, 1, chosen.shape), axis=2)
    return rows
