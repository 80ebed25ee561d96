"""Laws of random parameters: which distribution, how it is scaled in each layer, and which hypotheses it satisfies.

A :class:`Law` is one distribution on the line, by name; an :class:`Initialisation` draws whole layers from it, or as a
framework does by default. Theorems about random networks need parts of this: symmetry about 0 (else sign flips change
the law), no atom at 0, or no atoms at all (else hyperplanes meet that should not); :meth:`Law.missing` says which part
fails.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from geomrelu.errors import InputError

__all__ = ["BIASES", "FRAMEWORKS", "KNOWN", "SCALES", "Framework", "Initialisation", "Law"]

Array = np.ndarray[Any, np.dtype[np.float64]]

BUILT_IN: dict[str, Callable[[np.random.Generator, tuple[int, ...]], Array]] = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "uniform": lambda rng, shape: rng.uniform(-1, 1, shape),
    "cauchy": lambda rng, shape: rng.standard_cauchy(shape),
    "rademacher": lambda rng, shape: rng.choice((-1.0, 1.0), shape),
}

DEVIATIONS = {"normal": 1.0, "uniform": math.sqrt(1 / 3), "cauchy": math.inf, "rademacher": 1.0}

SCALES: dict[str, Callable[[int, int], float]] = {  # the standard deviation of a weight
    "none": lambda fan_in, fan_out: 1.0,
    "he": lambda fan_in, fan_out: math.sqrt(2 / fan_in),
    "glorot": lambda fan_in, fan_out: math.sqrt(2 / (fan_in + fan_out)),
    "lecun": lambda fan_in, fan_out: math.sqrt(1 / fan_in),
}
SCALES["xavier"] = SCALES["glorot"]

BIASES = {
    "same": "the law and scale of the layer's weights",
    "unscaled": "the law itself, whatever the scale of the weights",
    "zero": "0",
}

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
            raise InputError(f"unknown law {self.name!r} (known: {KNOWN})")
        positional: list[float] = []
        named: dict[str, float] = {}
        for part in filter(None, rest.split(",")):
            key, sign, value = part.rpartition("=")
            try:
                number = float(value)
            except ValueError:
                raise InputError(f"law {self.name!r}: {value!r} is not a number") from None
            if isinstance(found, stats.rv_discrete) and number.is_integer():
                number = int(number)  # of trials, which a float is not
            if sign:
                named[key.strip()] = number
            else:
                positional.append(number)
        try:
            frozen = found(*positional, **named)
        except (TypeError, ValueError):
            names = ", ".join(
                filter(None, (found.shapes, "loc", *(["scale"] * isinstance(found, stats.rv_continuous))))
            )
            raise InputError(f"law {self.name!r}: the parameters of {family} are {names}") from None
        shift = positional[found.numargs] if len(positional) > found.numargs else named.get("loc", 0)
        if isinstance(found, stats.rv_discrete) and not float(shift).is_integer():
            raise InputError(
                f"law {self.name!r}: loc has to be a whole number: SciPy draws whole numbers from {family}"
            )
        if not all(math.isfinite(q) for q in map(float, (frozen.ppf(0.25), frozen.ppf(0.75)))):
            raise InputError(f"law {self.name!r}: these parameters are out of range")
        try:
            frozen.rvs(random_state=0)
        except (TypeError, ValueError) as problem:
            raise InputError(f"law {self.name!r}: nothing can be drawn from it ({problem})") from None
        return frozen

    @property
    def deviation(self) -> float:
        """The standard deviation, or infinity."""
        found = DEVIATIONS.get(self.name)
        value = float(self._frozen.std()) if found is None else found
        return value if value > 0 else math.inf

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
        """Is the law of -X that of X? (Of a ``scipy.stats`` law the ends are compared, and the quantiles or the
        probabilities of values near 0 and at quantiles.)"""
        if self.name in BUILT_IN:
            return True
        first, last = map(float, self._frozen.support())
        if not np.isclose(first, -last, rtol=1e-9, atol=0):
            return False
        if self.has_atoms:
            points = np.union1d(np.arange(1, 65), np.abs(self._frozen.ppf(PROBES)))  # it may live far from 0
            return bool(np.allclose(self._frozen.pmf(points), self._frozen.pmf(-points), rtol=1e-9, atol=1e-12))
        quarter, middle, rest = map(float, self._frozen.ppf((0.25, 0.5, 0.75)))
        if not abs(middle) <= 1e-9 * (rest - quarter):  # a small shift moves the other quantiles by a small part
            return False
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


# ---- frameworks -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Framework:
    """What a framework draws the parameters of a dense layer from, unless told otherwise.

    Attributes:
        weights: in words, from fan_in and fan_out. bound: of their absolute values. draw: from (rng, shape, bound).
        bias: "same" or "zero", of :data:`BIASES`. source: where the framework does it.
    """

    weights: str
    bound: Callable[[int, int], float]
    bias: str
    source: str
    truncated: bool = False

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...], bound: Array | float) -> Array:
        """Weights (or biases) for some bounds."""
        return (_truncated(rng, shape) if self.truncated else rng.uniform(-1, 1, shape)) * bound


TRUNCATION = 0.87962566103423978  # the deviation of a standard normal law that is cut off at -2 and 2

FRAMEWORKS: dict[str, Framework] = {
    "pytorch": Framework(
        "uniform within 1 / sqrt(fan_in)",
        lambda fan_in, fan_out: math.sqrt(1 / fan_in),
        "same",
        "torch.nn.Linear.reset_parameters",
    ),
    "keras": Framework(
        "uniform within sqrt(6 / (fan_in + fan_out))",
        lambda fan_in, fan_out: math.sqrt(6 / (fan_in + fan_out)),
        "zero",
        "keras.layers.Dense: glorot_uniform, zeros",
    ),
    "flax": Framework(
        "normal of variance 1 / fan_in, cut off at twice the deviation that gives this",
        lambda fan_in, fan_out: 2 * math.sqrt(1 / fan_in) / TRUNCATION,
        "zero",
        "flax.linen.Dense: lecun_normal, zeros",
        truncated=True,
    ),
    "scikit-learn": Framework(
        "uniform within sqrt(6 / (fan_in + fan_out))",
        lambda fan_in, fan_out: math.sqrt(6 / (fan_in + fan_out)),
        "same",
        "sklearn.neural_network.MLPClassifier._init_coef with activation relu",
    ),
}
FRAMEWORKS["tensorflow"] = FRAMEWORKS["keras"]

KNOWN = f"{', '.join(BUILT_IN)}, rai, {', '.join(FRAMEWORKS)}, and those of scipy.stats, such as laplace or t:3"


def _truncated(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Half a standard normal law that is cut off at -2 and 2. Method: the inverse of its distribution function."""
    from scipy import special

    edge = float(special.ndtr(-2.0))
    return np.asarray(np.clip(special.ndtri(edge + (1 - 2 * edge) * rng.random(shape)) / 2, -1, 1), dtype=np.float64)


@dataclass(frozen=True)
class Initialisation:
    """How the parameters of a layer are drawn, all independently.

    Attributes:
        law: a name for :class:`Law`; one of :data:`FRAMEWORKS`, weights and biases as it draws them; or ``rai``:
            randomised asymmetric initialisation, in which one entry of each row (weights and bias, chosen uniformly)
            is Beta(2, 1) and the others are normal with variance sigma^2 / fan_in,
            sigma = sqrt(1 + 8/(9 pi)) - 2 sqrt(2) / (3 sqrt(pi)).
        scale: the variance of the weights, whatever the law: he (2 / fan_in), glorot = xavier
            (2 / (fan_in + fan_out)), lecun (1 / fan_in), or none (that of the law). He-uniform is law uniform, scale
            he: within sqrt(6 / fan_in). ``rai`` and frameworks have their own.
        biases: of :data:`BIASES`: the same law and scale as the weights, the law unscaled, or zero. Frameworks have
            their own.

    Raises:
        InputError: an unknown law, scale or kind of biases; a scale for a law without variance.

    Source: He et al. 2015; Glorot & Bengio 2010; LeCun et al. 1998; Lu et al., section 4 (claim
    ``rai-never-kills-orthant``); the frameworks: :attr:`Framework.source`.

    >>> weights, _ = Initialisation("uniform", "he").layers(np.random.default_rng(0), 100, 6, 4)
    >>> bool(0.99 < abs(weights).max() <= 1)
    True
    """

    law: str = "normal"
    scale: str = "none"
    biases: str = "same"
    parsed: Law | None = field(init=False, default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise InputError(f"unknown scale {self.scale!r} (known: {', '.join(SCALES)})")
        if self.biases not in BIASES:
            raise InputError(f"unknown biases {self.biases!r} (known: {', '.join(BIASES)})")
        framework = FRAMEWORKS.get(self.law)
        if framework is not None:
            if self.scale != "none":
                raise InputError(f"{self.law} has its own scale")
            if self.biases == "unscaled":
                raise InputError(f"{self.law} has its own biases")
            if framework.bias == "zero":
                object.__setattr__(self, "biases", "zero")
        elif self.law == "rai":
            if self.scale != "none":
                raise InputError("the law 'rai' has its own scale")
            if self.biases != "same":
                raise InputError("the law 'rai' has its own biases")
        else:
            object.__setattr__(self, "parsed", Law(self.law))
            assert self.parsed is not None
            if self.scale != "none" and not math.isfinite(self.parsed.deviation):
                raise InputError(
                    f"the law {self.law!r} has no finite variance, so it cannot have that of {self.scale!r}"
                )

    @property
    def bias(self) -> bool:
        """Are there biases?"""
        return self.biases != "zero"

    @property
    def described(self) -> str:
        """What weights and biases are, in words."""
        framework = FRAMEWORKS.get(self.law)
        if framework is not None:
            biases = "the same" if self.bias else "0"
            return f"weights {framework.weights}, biases {biases}"
        if self.law == "rai":
            return "weights and biases by rows, one of them Beta(2, 1)"
        return f"biases: {BIASES[self.biases]}"

    def missing(self, *, symmetric: bool = False, no_zero: bool = False, atomless: bool = False) -> str | None:
        """See :meth:`Law.missing`; ``rai`` has densities and no symmetry, frameworks have both."""
        if self.law in FRAMEWORKS:
            return None
        if self.parsed is None:
            return "the law 'rai' is not symmetric about 0" if symmetric else None
        return self.parsed.missing(symmetric=symmetric, no_zero=no_zero, atomless=atomless)

    def _factor(self, fan_in: int, fan_out: int) -> float:
        """Of the law's values, for weights."""
        if self.law in FRAMEWORKS:
            return FRAMEWORKS[self.law].bound(fan_in, fan_out)
        if self.scale == "none" or self.parsed is None:
            return 1.0
        return SCALES[self.scale](fan_in, fan_out) / self.parsed.deviation

    def _values(self, rng: np.random.Generator, shape: tuple[int, ...], factor: Array | float) -> Array:
        framework = FRAMEWORKS.get(self.law)
        if framework is not None:
            return framework.sample(rng, shape, factor)
        assert self.parsed is not None
        return self.parsed.sample(rng, shape) * factor

    def layers(self, rng: np.random.Generator, count: int, fan_in: int, fan_out: int) -> tuple[Array, Array]:
        """``count`` layers: weights (count, fan_out, fan_in) and biases (count, fan_out)."""
        if self.law == "rai":
            rows = _rai(rng, count, fan_in, fan_out)
        else:
            factor: Array | float = self._factor(fan_in, fan_out)
            if self.biases == "unscaled":
                factor = np.array([*[factor] * fan_in, 1.0])
            rows = self._values(rng, (count, fan_out, fan_in + self.bias), factor)
        if not self.bias:
            return rows, np.zeros((count, fan_out))
        return rows[:, :, :fan_in], rows[:, :, fan_in]

    def parameters(self, rng: np.random.Generator, fans: Sequence[tuple[int, int]], biases: Sequence[bool]) -> Array:
        """One value for each pair (fan in, fan out), whatever the shape of the layers they belong to.

        Args:
            biases: which are biases.
        """
        if self.law == "rai":
            raise InputError("the law 'rai' draws whole rows: it is for dense layers")
        own = {"same": None, "unscaled": 1.0, "zero": 0.0}[self.biases]
        factors = [
            self._factor(*fan) if own is None or not is_bias else own for fan, is_bias in zip(fans, biases, strict=True)
        ]
        return self._values(rng, (len(fans),), np.array(factors))


RAI_SIGMA = math.sqrt(1 + 8 / (9 * math.pi)) - 2 * math.sqrt(2) / (3 * math.sqrt(math.pi))  # bounds.rai_sigma()


def _rai(rng: np.random.Generator, count: int, fan_in: int, fan_out: int) -> Array:
    rows = rng.standard_normal((count, fan_out, fan_in + 1)) * (RAI_SIGMA / math.sqrt(fan_in))
    chosen = rng.integers(0, fan_in + 1, (count, fan_out, 1))
    np.put_along_axis(rows, chosen, rng.beta(2, 1, chosen.shape), axis=2)
    return rows
