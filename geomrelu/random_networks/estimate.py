"""Probabilities of events in random networks: exact orbit by exact orbit, averaged; or network by network.

    P(event) = E[fraction of the sign orbit that lies in the event]

holds for each law that sign flips leave alone. So the estimate is the mean of exact rationals, one for each random set
of magnitudes, and only the magnitudes are random: its interval speaks of orbits, not of sign choices.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import special

from geomrelu.errors import InputError
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron, read_domain
from geomrelu.parallel import Journal, Progress, Workers, results, seed_of
from geomrelu.random_networks import closed_forms, montecarlo
from geomrelu.random_networks.chambers import counts_by_class
from geomrelu.random_networks.initialisation import Initialisation
from geomrelu.random_networks.orbit import Shape, dead_neurons_orbit, is_stably_unactivated
from geomrelu.random_networks.orbit_batch import stably_unactivated_counts

__all__ = ["EVENTS", "Estimate", "Experiment", "by_orbits", "by_sampling", "orbit_interval"]

EVENTS = ("stably-unactivated", "alive", "killed", "dead-neurons")
LEVEL = 0.95
WALKED = 14  # signs before the last layer that are walked unless something else is asked for
SAMPLES = 1 << 12  # networks in a chunk of plain sampling by a vectorised kernel; a power of two
MOST_POINTS = 1 << 20
FIRST_LOOK = 1 << 14  # networks before the stopping rule looks for the first time


@dataclass(frozen=True)
class Experiment:
    """An event in a random network.

    Attributes:
        event: "stably-unactivated" (a given neuron of layer 2, on R^n0), "alive" (every layer has a neuron that is
            positive somewhere), "killed" (all neurons of ``layer`` are dead) or "dead-neurons" (exactly ``number`` of
            ``layer``, or of the whole network if there is no ``layer``, are dead).
        widths: (inputs, width of layer 1, ...).
        law, scale, bias: see :class:`~geomrelu.random_networks.initialisation.Initialisation`.
        domain: as :func:`~geomrelu.geometry.polyhedron.read_domain` reads it, or "points:N": N standard normal points,
        the same
            for all networks.
        scheme: "iid"; "batch-norm" or "sign-flip" on a finite domain, see
            :func:`~geomrelu.random_networks.montecarlo.pre_activations`.
        model: the name of a network whose shape is meant; then ``law`` may be "own": its own magnitudes.

    Raises:
        InputError: an unknown event, law, scale or scheme, or widths that do not suit the event.
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

    def __post_init__(self) -> None:
        if self.event not in EVENTS:
            raise InputError(f"unknown event {self.event!r} (known: {', '.join(EVENTS)})")
        if len(self.widths) < 2 or min(self.widths) < 1:
            raise InputError("widths: the number of inputs, then the width of each layer, all positive")
        if self.event == "stably-unactivated" and (len(self.widths) > 3 or self.domain != "R^n" or not self.bias):
            raise InputError("stably-unactivated: widths n0,n1 or n0,n1,n2, on R^n, with biases")
        if self.layer is not None and not 1 <= self.layer <= self.depth:
            raise InputError(f"there is no layer {self.layer} in a network with {self.depth}")
        if (self.event == "killed" and self.layer is None) or (self.event == "dead-neurons" and self.number is None):
            raise InputError(f"{self.event}: say {'of which layer' if self.event == 'killed' else 'how many'}")
        if self.scheme not in montecarlo.SCHEMES:
            raise InputError(f"unknown scheme {self.scheme!r} (known: {', '.join(montecarlo.SCHEMES)})")
        if self.event == "stably-unactivated" and (self.scheme != "iid" or self.model is not None):
            raise InputError("stably-unactivated is about dense layers on R^n: no scheme, no model")
        if self.scheme != "iid" and self.model is not None:
            raise InputError(f"{self.scheme} is for dense layers: say --widths instead of --model")
        if self.law == "own" and self.model is None:
            raise InputError("the law 'own' means the magnitudes of a model")
        self.initialisation  # noqa: B018  wrong names are refused here

    @property
    def depth(self) -> int:
        """The number of ReLU layers."""
        return len(self.widths) - 1

    @property
    def initialisation(self) -> Initialisation:
        """How layers are drawn."""
        return Initialisation("normal" if self.law == "own" else self.law, self.scale, self.bias)

    @property
    def flipped(self) -> str:
        """Whose signs an orbit walks: all, or the last layer's if all are too many."""
        if self.model is not None:
            return "all"
        parts = pairwise(self.widths[:-1])
        return "all" if sum(m * (n + self.bias) for n, m in parts) <= WALKED else "last"

    def layers(self, rng: np.random.Generator, count: int) -> list[tuple[Any, Any]]:
        """``count`` random networks: for each layer the weights (count, out, in) and biases (count, out)."""
        shapes = pairwise(self.widths)
        return [self.initialisation.layers(rng, count, n, m) for n, m in shapes]

    def happens(self, dead: tuple[int, ...]) -> bool:
        """Does a network with so many dead neurons in each layer belong to the event?"""
        widths = self.widths[1:]
        if self.event == "alive":
            return all(d < width for d, width in zip(dead, widths, strict=True))
        if self.event == "killed":
            return dead[self.layer - 1] == widths[self.layer - 1]  # type: ignore[operator]
        return self.number == (sum(dead) if self.layer is None else dead[self.layer - 1])

    def proved(self) -> tuple[Fraction, str] | None:
        """The probability and the claim that proves it, where its hypotheses hold."""
        if self.scheme != "iid" or self.model is not None:
            return None
        law = self.initialisation
        n, widths = self.widths[0], self.widths[1:]
        same = len({n, *widths}) == 1
        whole = self.domain in ("R^n", f"R^{self.widths[0]}")
        value: Any = None
        if self.event == "stably-unactivated" and widths[0] <= n + 1:
            if law.missing(symmetric=True, atomless=True) is None:
                name = "narrow-first-layer" if widths[0] <= n else "one-more-than-input"
                value = closed_forms.stably_unactivated(n, widths[0]), name
        elif self.event == "alive" and self.bias and law.missing(symmetric=True, atomless=True) is None:
            if same and self.domain == "points:1":
                value = closed_forms.lower_bound(n, self.depth), "single-point"
            elif not whole:
                pass
            elif same and n == 1:
                value = closed_forms.width_one(self.depth), "width-one"
            elif same and self.depth <= 2:
                value = closed_forms.upper_bound(n, self.depth), "tight-at-two"
        return None if value is None else (Fraction(int(value[0].p), int(value[0].q)), value[1])

    def refused(self) -> str | None:
        """The hypothesis that fails, where a theorem would give the probability if the law satisfied it."""
        if self.proved() is not None or replace(self, law="normal").proved() is None:
            return None
        return self.initialisation.missing(symmetric=True, atomless=True)

    def bounds(self) -> dict[str, Fraction]:
        """What theorems say of the probability: "lower" and "upper", where their hypotheses hold."""
        law = self.initialisation
        if self.event != "alive" or law.missing(symmetric=True, no_zero=True) is not None:
            return {}
        if self.scheme != "iid" or self.model is not None:
            return {}
        if not self.bias and self.domain not in ("R^n", "R+^n"):
            return {}  # without biases 0 is dead in each network, and a domain may hold little else
        fans = list(pairwise(self.widths))
        lower = math.prod((1 - Fraction(1, 2**m) for _, m in fans), start=Fraction(1))
        upper = math.prod((1 - Fraction(1, 2 ** (m * (n + self.bias))) for n, m in fans[1:]), start=Fraction(1))
        if law.missing(atomless=True) is not None:  # a neuron is 0 at a point with positive probability
            return {"upper": upper}
        return {"lower": lower, "upper": upper}


@dataclass(frozen=True)
class Estimate:
    """A probability, estimated or proved.

    Attributes:
        method: "orbits" or "sampling".
        trials: how many independent orbits (or networks) stand behind it.
        size: of each orbit; 1 for networks.
        counts: how often each number of sign choices in the event came up.
        interval: how ``low`` and ``high`` were found.
        flipped: whose signs the orbits walk.
    """

    experiment: Experiment
    method: str
    trials: int
    size: int
    counts: dict[int, int]
    estimate: float
    low: float
    high: float
    level: float
    interval: str
    flipped: str
    seed: int

    def _walked_all(self) -> str | None:
        whole = self.method == "orbits" and self.low == self.high
        return str(Fraction(next(iter(self.counts)), self.size)) if whole else None

    @property
    def is_constant(self) -> bool:
        """Was the count the same on every orbit of the sample?"""
        return self.method == "orbits" and len(self.counts) == 1

    def as_text(self) -> str:
        """A few lines for people."""
        e, level = self.experiment, f"{100 * self.level:g} %"
        noun = "orbits" if self.method == "orbits" else "networks"
        digits = max(2, 2 - math.floor(math.log10(self.high - self.low))) if self.low < self.high else 6
        law = e.law if e.scale == "none" else f"{e.law} ({e.scale})"
        if e.law == "own":
            law = f"the magnitudes of {e.model}"
        elif e.model is not None:
            law += f", the shape of {e.model}"
        event = (
            e.event + ("" if e.number is None else f" = {e.number}") + ("" if e.layer is None else f", layer {e.layer}")
        )
        more = ("" if e.bias else ", no bias") + ("" if e.scheme == "iid" else f", {e.scheme}")
        lines = [
            f"{event}, widths {','.join(map(str, e.widths))}, {law}{more}, on {e.domain}",
            f"  {self.estimate:.{digits}f}  in [{self.low:.{digits}f}, {self.high:.{digits}f}]"
            + (f" at {level} ({self.interval})" if self.low < self.high else f" ({self.interval})"),
        ]
        if self.method == "orbits":
            lines.append(f"  {_orbits(self.trials)} of {self.size:,} sign choices ({WALKS[self.flipped]})")
            if len(self.counts) <= 12:
                lines.append("  in the event: " + ", ".join(f"{k:,} ({_orbits(n)})" for k, n in self.counts.items()))
            else:
                lines.append(f"  in the event: {min(self.counts):,} to {max(self.counts):,}")
        else:
            lines.append(f"  {self.counts.get(1, 0):,} of {self.trials:,} {noun}")
        proved = e.proved()
        if proved is not None:
            lines.append(f"  exactly {proved[0]}, whatever the law ({proved[1]})")
        elif self.is_constant:
            value = Fraction(next(iter(self.counts)), self.size)
            how = "exactly" if self.low == self.high else "constant on the sample, but not proved to be so:"
            lines.append(f"  {how} {value}")
        if (hypothesis := e.refused()) is not None:
            lines.append(f"  no theorem gives it: {hypothesis}")
        lines += [f"  {name} bound {float(value):.{digits}f} = {_short(value)}" for name, value in e.bounds().items()]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """Plain data for ``json.dumps``."""
        proved = self.experiment.proved()
        found = {
            "event": self.experiment.event,
            "widths": list(self.experiment.widths),
            "law": self.experiment.law,
            "orbits" if self.method == "orbits" else "trials": self.trials,
            "orbit_size": self.size,
            "estimate": self.estimate,
            "low": self.low,
            "high": self.high,
            "level": self.level,
            "orbit_counts": {str(k): n for k, n in sorted(self.counts.items())},
            "constant_on_all_orbits": self.is_constant,
            "exact": str(proved[0]) if proved is not None else self._walked_all(),
            "bounds": {name: str(value) for name, value in self.experiment.bounds().items()},
        }
        found |= {name: value for name, value in asdict(self.experiment).items() if name not in found}
        return found | {
            "proved_by": proved[1] if proved is not None else self._walked_all() and self.interval,
            "hypothesis_missing": self.experiment.refused(),
            "method": self.method,
            "interval": self.interval,
            "flipped": self.flipped,
            "seed": self.seed,
        }


WALKS = {
    "all": "the signs of all parameters",
    "last": "the signs of the last layer's parameters",
    "row flips, signs of the second layer": "row flips, signs of the second layer",
}


def _orbits(number: int) -> str:
    return f"{number:,} orbit{'s'[: number != 1]}"


def _short(value: Fraction) -> str:
    text = str(value)
    return text if len(text) <= 30 else "a fraction"


# ---- by orbits --------------------------------------------------------------------------------------------------


def by_orbits(
    experiment: Experiment,
    orbits: int,
    seed: int = 0,
    level: float = LEVEL,
    pool: Workers = (None, 1),
    journal: str | None = None,
    progress: Progress | None = None,
    shared: int = 1,
    shape: Shape | None = None,
) -> Estimate:
    """The mean of the orbit probabilities of random magnitudes.

    Args:
        orbits: how many, fixed before the run. level: of the interval. pool, journal, progress: see
            :mod:`geomrelu.parallel`.
        shared: "stably-unactivated" only: so many orbits at a time share all magnitudes but that of the last constant,
            which costs little; the interval speaks of such groups, because only they are independent.
        shape: of the networks, where the experiment names a model.

    Returns:
        An estimate; the same for the same experiment, orbits and seed, whoever computes it.

    Raises:
        InputError: a law that sign flips change or that has an atom at 0 (the hypothesis is named), or networks too
            large to walk.

    Exact: each orbit is; the mean is statistical. Method:
    :func:`~geomrelu.random_networks.orbit_batch.stably_unactivated_counts`, or
    :func:`~geomrelu.random_networks.orbit.dead_neurons_orbit`.

    >>> by_orbits(Experiment("alive", (1, 1, 1, 1)), 5).counts  # (k + 1) 2^k
    {32: 5}
    """
    if orbits < 1:
        raise InputError(f"the number of orbits must be positive, not {orbits}")
    _check_level(level)
    missing = experiment.initialisation.missing(symmetric=True, no_zero=True)
    if experiment.scheme != "iid":
        missing = f"under {experiment.scheme} layers depend on the data"
    if missing is not None:
        raise InputError(f"no sign orbits: {missing}; sample instead (--trials)")
    if (shape is None) != (experiment.model is None):
        raise InputError("a model needs its shape, and a shape its model")
    if experiment.law == "own" and orbits != 1:
        raise InputError("a model's own magnitudes are one orbit; say --law for random ones")
    if shared < 1 or orbits % shared or (shared > 1 and experiment.event != EVENTS[0]):
        raise InputError("shared: a divisor of the number of orbits, and 1 unless the event is stably-unactivated")
    size = _chunk_size(experiment)
    description = {"orbits": asdict(experiment), "seed": seed, "chunk": size, "total": orbits, "shared": shared}
    if shape is not None:
        description |= {"shape": shape.network.digest, "tied": shape.tied}
    work = partial(_orbit_chunk, experiment, _domain(experiment, seed), shape, seed, size, orbits // shared, shared)
    counts: Counter[int] = Counter()
    groups: Counter[int] = Counter()
    with Journal(journal, description) as kept:
        chunks = range(-(-orbits // shared // size))
        for found in results(work, chunks, pool, kept, progress):
            for total, part in zip((counts, groups), found, strict=True):
                total.update({int(k): n for k, n in part.items()})
        kept.finish()
    orbit_size = _orbit_size(experiment) if shape is None else 2 ** len(shape.magnitudes)
    mean, low, high, how = orbit_interval(groups, shared * orbit_size, level)
    if shared > 1:
        how += f", in groups of {shared} that share all but the last constant"
    if experiment.law == "rademacher" and experiment.flipped == "all" and experiment.event != EVENTS[0]:
        low = high = mean
        how = "all magnitudes are equal, so this is the only orbit"
    if len(counts) == 1 and (classes := _classes(experiment)) is not None and set(classes) == set(counts):
        low = high = mean
        number = classes.total()
        how = f"the same on all {number:,} classes of magnitudes" if number > 1 else "the same for all magnitudes"
    if experiment.law == "own":
        low = high = mean
        how = "the one orbit of these magnitudes"
    walked = "row flips, signs of the second layer" if experiment.event == EVENTS[0] else experiment.flipped
    return Estimate(
        experiment,
        "orbits",
        orbits,
        orbit_size,
        dict(sorted(counts.items())),
        mean,
        low,
        high,
        level,
        how,
        walked,
        seed,
    )


def orbit_interval(counts: dict[int, int], size: int, level: float) -> tuple[float, float, float, str]:
    """The mean of orbit probabilities with an interval that speaks of orbits.

    Args:
        counts: how often each count came up. size: of an orbit.

    Returns:
        ``(mean, low, high, how)``. If the counts differ: Student's t interval, within [0, 1] (approximate: it trusts
        the central limit theorem). If all N are equal, that is no proof that others are: a share of more than
        1 - (1 - level)^(1/N) of other orbits would have shown, and on that share the probability may be anything.

    >>> mean, low, high, _ = orbit_interval({3: 100}, 4, 0.95)
    >>> mean, round(low, 3), round(high, 3)
    (0.75, 0.728, 0.757)
    """
    total = sum(counts.values())
    mean = Fraction(sum(k * n for k, n in counts.items()), total * size)
    if len(counts) == 1:
        other = -math.expm1(math.log1p(-level) / total)
        low, high = float(mean) * (1 - other), float(mean) * (1 - other) + other
        return float(mean), low, high, "constant on the sample"
    squares = sum(n * (Fraction(k, size) - mean) ** 2 for k, n in counts.items())
    error = math.sqrt(squares / (total - 1) / total) * float(special.stdtrit(total - 1, (1 + level) / 2))
    return float(mean), max(0.0, float(mean) - error), min(1.0, float(mean) + error), "Student t over orbits"


def _orbit_size(experiment: Experiment) -> int:
    widths = experiment.widths
    if experiment.event == "stably-unactivated":
        return int(2 ** (2 * widths[1] + 1))
    fans = list(pairwise(widths))
    return int(2 ** sum(m * (n + experiment.bias) for n, m in (fans if experiment.flipped == "all" else fans[-1:])))


def _chunk_size(experiment: Experiment) -> int:
    if experiment.event == "stably-unactivated":
        return int(max(4, min(1024, (1 << 14) >> experiment.widths[1])))
    return 8


def _classes(experiment: Experiment) -> Counter[int] | None:
    """How many classes of magnitudes have each count, where theorems do not say it and the network is small."""
    law = experiment.initialisation
    dense = experiment.model is None and experiment.event != EVENTS[0] and not experiment.domain.startswith("points:")
    if not dense or experiment.flipped != "all" or experiment.proved() is not None or law.missing(atomless=True):
        return None
    return counts_by_class(experiment.widths, experiment.bias, _domain(experiment, 0), experiment.happens)


def _domain(experiment: Experiment, seed: int) -> Polyhedron | FiniteSet:
    inputs, text = experiment.widths[0], experiment.domain
    if text.startswith("points:"):
        number = text.removeprefix("points:")
        if not (number.isascii() and number.isdigit() and 0 < int(number[:9]) <= MOST_POINTS):
            raise InputError(f"{text}: write points:N with N from 1 to {MOST_POINTS:,}")
        return FiniteSet.of(np.random.default_rng(seed_of(seed, 0, 0)).standard_normal((int(number), inputs)).tolist())
    domain = read_domain(text, inputs)
    if experiment.scheme != "iid" and not isinstance(domain, FiniteSet):
        raise InputError(f"{experiment.scheme} needs data: a finite set of points (--points)")
    return domain


def _orbit_chunk(
    experiment: Experiment,
    domain: Polyhedron | FiniteSet,
    shape: Shape | None,
    seed: int,
    size: int,
    groups: int,
    shared: int,
    chunk: int,
) -> list[dict[str, int]]:
    """How often each count came up in one chunk, for orbits and for sums over groups of orbits."""
    rng = np.random.default_rng(seed_of(seed, chunk))
    count = min(size, groups - chunk * size)
    if experiment.event == "stably-unactivated":
        n0, n1 = experiment.widths[:2]
        weights, bias = experiment.initialisation.layers(rng, count, n0, n1)
        w, c = experiment.initialisation.layers(rng, count * shared, n1, 1)
        found = stably_unactivated_counts(weights, bias, w[::shared, 0], c.reshape(count, shared)).tolist()
    elif shape is not None:
        magnitudes = [_magnitudes(experiment, shape, rng) for _ in range(count)]
        found = [[_happening(experiment, shape.dead_neurons(one, domain)[0])] for one in magnitudes]
    else:
        networks = _networks(experiment, rng, count)
        found = [[_event_count(experiment, domain, one, experiment.flipped)[0]] for one in networks]
    orbits, sums = Counter(k for group in found for k in group), Counter(map(sum, found))
    return [{str(k): n for k, n in sorted(part.items())} for part in (orbits, sums)]


def _magnitudes(experiment: Experiment, shape: Shape, rng: np.random.Generator) -> Sequence[Any]:
    if experiment.law == "own":
        return shape.magnitudes
    return experiment.initialisation.parameters(rng, shape.fans).tolist()


def _happening(experiment: Experiment, profiles: Counter[tuple[int, ...]]) -> int:
    return sum(n for dead, n in profiles.items() if experiment.happens(dead))


def _networks(experiment: Experiment, rng: np.random.Generator, count: int) -> list[list[tuple[Any, Any]]]:
    layers = experiment.layers(rng, count)
    return [[(weights[i], bias[i]) for weights, bias in layers] for i in range(count)]


def _event_count(
    experiment: Experiment, domain: Polyhedron | FiniteSet, layers: Sequence[tuple[Any, Any]], flipped: str
) -> tuple[int, int]:
    profiles, size = dead_neurons_orbit(layers, domain, flipped)
    found = _happening(experiment, profiles)
    if not experiment.bias and flipped != "none":  # the signs of absent biases were walked too
        first = 1 if flipped == "all" else experiment.depth
        absent = 2 ** sum(experiment.widths[first:])
        return found // absent, size // absent
    return found, size


# ---- by sampling ------------------------------------------------------------------------------------------------


def by_sampling(
    experiment: Experiment,
    trials: int | None = None,
    half_width: float | None = None,
    seed: int = 0,
    level: float = LEVEL,
    pool: Workers = (None, 1),
    journal: str | None = None,
    progress: Progress | None = None,
    most: int = 1 << 26,
) -> Estimate:
    """Plain Monte Carlo: random networks one by one, with the exact binomial interval.

    Args:
        trials: how many networks; or
        half_width: stop when the interval is as narrow as this. The rule is fixed in advance: it looks after 2^14,
            2^15, 2^16, ... networks (``most`` at the latest), and at the j-th look the interval has level
            1 - (1 - level) / 2^j, so that all looks together are wrong with probability at most 1 - level.

    Returns:
        An estimate whose interval (Clopper & Pearson) holds the probability with at least the given level.

    Raises:
        InputError: both or none of trials and half_width; networks too large for the event.

    Exact: the event is decided exactly (:func:`~geomrelu.random_networks.orbit.dead_neurons_orbit` without flips),
    except that floats decide "stably-unactivated" for laws without atoms and the schemes other than "iid"; the rest is
    statistical.
    """
    if (trials is None) == (half_width is None) or (trials is not None and trials < 1):
        raise InputError("say either how many trials, or how narrow the interval must be")
    if half_width is not None and not 0 < half_width < 1:
        raise InputError("the half width must lie between 0 and 1")
    _check_level(level)
    if experiment.model is not None:
        raise InputError("a model's shape is walked by orbits, not sampled: say --orbits")
    general = experiment.event == EVENTS[0] and experiment.initialisation.missing(atomless=True) is None
    size = SAMPLES if general else 64
    description = {"sampling": asdict(experiment), "seed": seed, "chunk": size, "total": trials}
    domain, successes, look, done = _domain(experiment, seed), 0, 0, 0
    with Journal(journal, description) as kept:
        while True:
            look += 1
            target = trials or min(FIRST_LOOK << (look - 1), most)
            work = partial(_sample_chunk, experiment, domain, seed, size, target)
            successes += sum(results(work, range(done // size, -(-target // size)), pool, kept, progress))
            done = target
            here = level if trials is not None else 1 - (1 - level) / 2**look
            low, high = montecarlo.clopper_pearson(successes, done, here)
            if trials is not None or done >= most or high - low <= 2 * (half_width or 0):
                break
        kept.finish()
    how = "Clopper-Pearson" if trials is not None else f"Clopper-Pearson, look {look} of a fixed rule"
    counts = {k: n for k, n in ((0, done - successes), (1, successes)) if n}
    return Estimate(experiment, "sampling", done, 1, counts, successes / done, low, high, level, how, "none", seed)


def _sample_chunk(
    experiment: Experiment, domain: Polyhedron | FiniteSet, seed: int, size: int, total: int, chunk: int
) -> int:
    rng = np.random.default_rng(seed_of(seed, chunk))
    count = min(size, total - chunk * size)
    exact = experiment.initialisation.missing(atomless=True) is not None  # hyperplanes meet that should not
    if experiment.event == "stably-unactivated":
        n0, n1 = experiment.widths[:2]
        weights, bias = experiment.initialisation.layers(rng, count, n0, n1)
        w, c = experiment.initialisation.layers(rng, count, n1, 1)
        if not exact:
            return int(montecarlo.stable(weights, bias, w[:, 0], c[:, 0]).sum())
        return sum(is_stably_unactivated(*one) for one in zip(weights, bias, w[:, 0], c[:, 0], strict=True))
    if experiment.scheme != "iid" and isinstance(domain, FiniteSet):
        data = np.array([[float(v) for v in point] for point in domain.points]).T
        dead = montecarlo.dead_on_data(experiment.layers(rng, count), data, experiment.scheme)
        return sum(experiment.happens(tuple(profile)) for profile in dead.tolist())
    return sum(_event_count(experiment, domain, one, "none")[0] for one in _networks(experiment, rng, count))


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise InputError(f"the level must lie between 0 and 1, not {level}")
