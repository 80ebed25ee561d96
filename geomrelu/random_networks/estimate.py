"""Probabilities of events in random networks: proved, or exact orbit by exact orbit and averaged, or sampled.

    P(event) = E[fraction of the sign orbit that lies in the event]

holds for each law that sign flips leave alone. So the estimate is the mean of exact rationals, one for each random set
of magnitudes, and only the magnitudes are random: its interval speaks of orbits, not of sign choices.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from functools import partial
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.parallel import Journal, Progress, Workers, results, seed_of
from geomrelu.random_networks.experiment import DATA_ALIVE, EVENTS, STABLE, Experiment
from geomrelu.random_networks.intervals import bounded_mean, clopper_pearson, looks
from geomrelu.random_networks.living_batch import Walk, is_affordable
from geomrelu.random_networks.orbit_batch import stably_unactivated_counts
from geomrelu.random_networks.sampling import decided, drawn, event_count
from geomrelu.random_networks.stably_unactivated import WIDEST, rademacher_probability

if TYPE_CHECKING:
    from geomrelu.random_networks.shape import Shape

__all__ = ["EVENTS", "Estimate", "Experiment", "by_orbits", "by_sampling", "probability"]

LEVEL = 0.95
ORBITS, TRIALS = 1000, 4096  # unless something else is asked for
SAMPLES = 1 << 12  # networks in a chunk of plain sampling by a vectorised kernel; a power of two
MOST_TRIALS = 1 << 32
MOST_CHOICES = 1 << 16  # of one neuron, or of all parameters of a network of any shape
AFFORDABLE = 1 << 18  # networks of any shape that are decided for an answer in seconds
LOOKED_AT = 16  # orbits that have to agree before a proof is tried
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
    exact: Fraction | None = None
    bounds: dict[str, Fraction] = field(default_factory=dict)

    @property
    def is_constant(self) -> bool:
        """Was the count the same on every orbit of the sample?"""
        return self.method == "orbits" and len(self.counts) == 1

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
            lines.append(value + (f", whatever the law ({self.interval})" if self._theorem else f" ({self.interval})"))
        else:
            lines.append(
                f"  {self.estimate:.{digits}f}  in [{self.low:.{digits}f}, {self.high:.{digits}f}]"
                f" at {100 * self.level:g} % ({self.interval})"
            )
        lines += self._sample()
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


# ---- whatever is best -------------------------------------------------------------------------------------------


def probability(
    experiment: Experiment,
    orbits: int | None = None,
    trials: int | None = None,
    half_width: float | None = None,
    seed: int = 0,
    level: float = LEVEL,
    shape: Shape | None = None,
    **running: Any,
) -> Estimate:
    """The probability of an event: what is proved if it is, else an estimate.

    Args:
        orbits, trials, half_width: how an estimate is found (at most one of them): see :func:`by_orbits`,
            :func:`by_sampling`. None: 1000 orbits; fewer, or networks, where orbits are too large.
        shape: of the networks, where the experiment names a model.
        running: ``pool``, ``journal`` and ``progress``, see :mod:`geomrelu.parallel`.

    Returns:
        Where a theorem gives the value, or all magnitudes have been walked, ``exact`` is set, nothing is sampled, and
        what was asked for to sample is not done.

    Raises:
        InputError: see the two functions.

    >>> probability(Experiment("alive", (2, 2, 2))).exact
    Fraction(63, 64)
    """
    _check_level(level)
    if sum(v is not None for v in (orbits, trials, half_width)) > 1:
        raise InputError("orbits are walked, trials and a half width sample networks: choose one")
    if trials is not None and trials < 1:
        raise InputError(f"the number of trials must be positive, not {trials}")
    if orbits is not None and orbits < 1:
        raise InputError(f"the number of orbits must be positive, not {orbits}")
    known = _known(experiment, seed, level, shape)
    if known is not None:
        return known
    if trials is None and half_width is None and orbits is None:
        orbits, trials = _amount(experiment, shape, seed)
    if orbits is not None:
        orbits = 1 if _is_one_orbit(experiment) and experiment.law != "own" else orbits
        return by_orbits(experiment, orbits, seed, level, shape=shape, **running)
    return by_sampling(experiment, trials, half_width, seed, level, shape=shape, **running)


def _known(experiment: Experiment, seed: int, level: float, shape: Shape | None) -> Estimate | None:
    """The value, if it is proved."""
    same = experiment
    if shape is not None and shape.is_dense and not shape.tied and experiment.law != "own":
        same = replace(experiment, model=None)
    value = same.proved()
    if value is None and experiment.event == STABLE and experiment.law == "rademacher":
        exact = rademacher_probability(experiment.widths[0], experiment.widths[1], _sizes(experiment))
        value = None if exact is None else (exact, "all first layers were walked")
    if value is None and experiment.model is None and experiment.scheme == "iid":
        value = _by_classes(experiment, seed)
    if value is None:
        return None
    exact, why = value
    bounds, number = _bounds(experiment, shape), float(exact)
    return Estimate(experiment, "proved", 0, 1, {}, number, number, number, level, why, "none", seed, exact, bounds)


def _sizes(experiment: Experiment) -> list[float]:
    """The magnitudes of all parameters where they are all known: of weights and bias of layers 1 and 2."""
    rng, (n0, n1) = np.random.default_rng(0), experiment.widths[:2]
    pairs = [experiment.initialisation.layers(rng, 1, *fan) for fan in ((n0, n1), (n1, 1))]
    return [float(abs(part).flat[0]) for pair in pairs for part in pair]


def _by_classes(experiment: Experiment, seed: int) -> tuple[Fraction, str] | None:
    """Small networks: is the count the same for all magnitudes?"""
    law = experiment.initialisation
    if experiment.event == STABLE or experiment.domain.startswith("points:") or experiment.flipped != "all":
        return None
    if law.missing(symmetric=True, atomless=True) is not None or _too_many_choices(experiment, None):
        return None
    from geomrelu.random_networks import chambers

    signs = sum(m * (n + experiment.bias) for n, m in pairwise(experiment.widths[:-1]))
    if signs > chambers.MOST_SIGNS:
        return None
    looked = by_orbits(experiment, LOOKED_AT, seed)
    if len(looked.counts) > 1:
        return None
    through = experiment.event == DATA_ALIVE
    domain = experiment.read_domain(0)
    classes = chambers.counts_by_class(experiment.widths, experiment.bias, domain, experiment.happens, through)
    if classes is None or set(classes) != set(looked.counts):
        return None
    number = classes.total()
    how = f"the same on all {number:,} classes of magnitudes" if number > 1 else "the same for all magnitudes"
    return Fraction(next(iter(classes)), looked.size), how


def _amount(experiment: Experiment, shape: Shape | None, seed: int) -> tuple[int | None, int | None]:
    """How many orbits are walked, or else how many networks are drawn."""
    law = experiment.initialisation
    if experiment.law == "own":
        return 1, None
    if experiment.scheme != "iid" or law.missing(symmetric=True, no_zero=True) is not None:
        return None, TRIALS
    if experiment.event == STABLE:
        return (ORBITS, None) if experiment.widths[1] <= WIDEST else (None, TRIALS)
    if _too_many_choices(experiment, shape):
        return None, TRIALS
    if shape is not None and not shape.is_dense:
        return max(1, min(ORBITS, AFFORDABLE >> len(shape.magnitudes))), None
    signs = experiment.inner_signs if experiment.flipped == "all" else 0
    inner = experiment.widths[1 : experiment.goal.last]
    return (ORBITS, None) if is_affordable(experiment.read_domain(seed), inner, signs) else (None, TRIALS)


def _too_many_choices(experiment: Experiment, shape: Shape | None) -> bool:
    if shape is not None and not shape.is_dense:
        return 1 << min(len(shape.magnitudes), 64) > MOST_CHOICES
    last = experiment.goal.last
    return 1 << min(experiment.widths[last - 1] + experiment.bias, 64) > MOST_CHOICES


def _is_one_orbit(experiment: Experiment) -> bool:
    """Are all magnitudes known?"""
    walked = experiment.law == "rademacher" and experiment.flipped == "all" and experiment.event != STABLE
    return walked or experiment.law == "own"


def _bounds(experiment: Experiment, shape: Shape | None) -> dict[str, Fraction]:
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
    rows: int | None = None,
) -> Estimate:
    """The mean of the orbit probabilities of random magnitudes.

    Args:
        orbits: how many, fixed before the run. level: of the interval. pool, journal, progress: see
            :mod:`geomrelu.parallel`.
        shared: "stably-unactivated" only: so many orbits at a time share all magnitudes but that of the last constant,
            which costs little; the interval speaks of such groups, because only they are independent.
        shape: of the networks, where the experiment names a model.
        rows: "stably-unactivated" only: how many independent row flips are walked, see
            :func:`~geomrelu.random_networks.orbit_batch.stably_unactivated_counts`. Large orbits all have much the same
            count, and an interval for N of them cannot be narrower than some 4 / N of the range: many small ones say
            more in the same time. None: all.

    Returns:
        An estimate; the same for the same experiment, orbits and seed, whoever computes it.

    Raises:
        InputError: a law that sign flips change or that has an atom at 0 (the hypothesis is named), or networks too
            large to walk.

    Exact: each orbit is; the mean is statistical. Method:
    :func:`~geomrelu.random_networks.orbit_batch.stably_unactivated_counts`, or
    :class:`~geomrelu.random_networks.living_batch.Walk`; the interval:
    :func:`~geomrelu.random_networks.intervals.bounded_mean`.

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
    if shared < 1 or orbits % shared or (shared > 1 and experiment.event != STABLE):
        raise InputError("shared: a divisor of the number of orbits, and 1 unless the event is stably-unactivated")
    if rows is not None and (experiment.event != STABLE or not 1 <= rows <= experiment.widths[1]):
        raise InputError("rows: from 1 to the width of the first layer, for stably-unactivated")
    if experiment.event != STABLE and _too_many_choices(experiment, shape):
        raise InputError("too many sign choices to walk: sample instead (--trials)")
    size = _chunk_size(experiment, rows)
    description = {"orbits": asdict(experiment), "seed": seed, "chunk": size, "total": orbits, "shared": shared}
    if rows is not None:
        description |= {"rows": rows}
    if shape is not None:
        description |= {"shape": shape.network.digest, "tied": shape.tied}
    domain = experiment.read_domain(seed)
    work = partial(_orbit_chunk, experiment, domain, shape, seed, size, orbits // shared, shared, rows)
    counts: Counter[int] = Counter()
    groups: Counter[int] = Counter()
    with Journal(journal, description) as kept:
        chunks = range(-(-orbits // shared // size))
        for found in results(work, chunks, pool, kept, progress):
            for total, part in zip((counts, groups), found, strict=True):
                total.update({int(k): n for k, n in part.items()})
        kept.finish()
    orbit_size = _orbit_size(experiment, rows) if shape is None else 2 ** len(shape.magnitudes)
    bounds = _bounds(experiment, shape)
    mean = Fraction(sum(k * n for k, n in groups.items()), groups.total() * shared * orbit_size)
    if _is_one_orbit(experiment):
        low = high = float(mean)
        exact: Fraction | None = mean
        how = "the one orbit of these magnitudes"
        if experiment.law != "own":
            how = "all magnitudes are equal, so this is the only orbit"
    else:
        of_each = bounds if experiment.flipped == "all" or experiment.event == STABLE else {}
        if rows is not None and bounds:  # what holds for each choice of the row flips
            of_each = {"lower": Fraction(1, 2 ** (experiment.widths[1] + 1)), "upper": Fraction(1, 4)}
        values = {Fraction(k, shared * orbit_size): n for k, n in groups.items()}
        low, high = bounded_mean(
            values, level, seed_of(seed, 1 << 20, 0), of_each.get("lower", 0), of_each.get("upper", 1)
        )
        exact, how = None, "betting on orbits"
        if shared > 1:
            how += f", in groups of {shared} that share all but the last constant"
    low, high = _cut(low, high, bounds)
    walked = "row flips, signs of the second layer" if experiment.event == STABLE else experiment.flipped
    walked = walked if rows is None else f"some {walked}"
    return Estimate(
        experiment, "orbits", orbits, orbit_size, dict(sorted(counts.items())), float(mean), low, high, level, how,
        walked, seed, exact, bounds,
    )  # fmt: skip


def _cut(low: float, high: float, bounds: dict[str, Fraction]) -> tuple[float, float]:
    """An interval without what proved bounds exclude."""
    least, most = float(bounds.get("lower", 0)), float(bounds.get("upper", 1))
    return min(max(low, least), most), max(min(high, most), least)


def _orbit_size(experiment: Experiment, rows: int | None = None) -> int:
    widths = experiment.widths
    if experiment.event == STABLE:
        return int(2 ** (widths[1] + 1 + (widths[1] if rows is None else rows)))
    fans = list(pairwise(widths))
    return int(2 ** sum(m * (n + experiment.bias) for n, m in (fans if experiment.flipped == "all" else fans[-1:])))


def _chunk_size(experiment: Experiment, rows: int | None = None) -> int:
    if experiment.event == STABLE:
        return int(max(4, min(1024, (1 << 14) >> (rows or experiment.widths[1]))))
    return 8


def _orbit_chunk(
    experiment: Experiment,
    domain: Polyhedron | FiniteSet,
    shape: Shape | None,
    seed: int,
    size: int,
    groups: int,
    shared: int,
    rows: int | None,
    chunk: int,
) -> list[dict[str, int]]:
    """How often each count came up in one chunk, for orbits and for sums over groups of orbits."""
    rng = np.random.default_rng(seed_of(seed, chunk))
    count = min(size, groups - chunk * size)
    if experiment.event == STABLE:
        n0, n1 = experiment.widths[:2]
        weights, bias = experiment.initialisation.layers(rng, count, n0, n1)
        w, c = experiment.initialisation.layers(rng, count * shared, n1, 1)
        found = stably_unactivated_counts(weights, bias, w[::shared, 0], c.reshape(count, shared), rows).tolist()
    elif shape is not None:
        found = [[_shaped_count(experiment, shape, domain, rng)] for _ in range(count)]
    else:
        found = [[k] for k in _counted(experiment, domain, experiment.layers(rng, count))]
    orbits, sums = Counter(k for group in found for k in group), Counter(map(sum, found))
    return [{str(k): n for k, n in sorted(part.items())} for part in (orbits, sums)]


def _counted(experiment: Experiment, domain: Polyhedron | FiniteSet, layers: Sequence[tuple[Any, Any]]) -> list[int]:
    """The count of each of some orbits of dense layers."""
    if _has_few_images(experiment):
        return [
            event_count(experiment, domain, [(w[k], b[k]) for w, b in layers], experiment.flipped)
            for k in range(len(layers[0][0]))
        ]
    biased = [(w, b if experiment.bias else None) for w, b in layers]
    walk = Walk(biased, domain, experiment.goal, experiment.flipped)
    later = list(pairwise(experiment.widths))[experiment.goal.last :]
    if experiment.flipped == "last":
        later = later[-1:]
    signs = sum(m * (n + experiment.bias) for n, m in later)
    return [
        int(walk.counts[k]) << signs
        if walk.sure[k]
        else event_count(experiment, domain, [(w[k], b[k]) for w, b in layers], experiment.flipped)
        for k in range(len(walk.sure))
    ]


def _has_few_images(experiment: Experiment) -> bool:
    """Is the image of the first layer all of the orthant, whatever its signs? The exact walk, which knows images that
    come again, is then faster than a batch."""
    n0, first = experiment.widths[:2]
    return experiment.domain in ("R^n", f"R^{n0}") and experiment.bias and first <= n0 and experiment.goal.last > 2


def _shaped_count(experiment: Experiment, shape: Shape, domain: Polyhedron | FiniteSet, rng: Any) -> int:
    """The count of one orbit of a network of any shape."""
    if experiment.law == "own":
        values: Sequence[Any] = shape.magnitudes
    else:
        values = experiment.initialisation.parameters(rng, shape.fans, shape.is_bias).tolist()
    floats = [float(v) for v in values]
    rounds = shape.rounds or any(Fraction(f) != v for f, v in zip(floats, values, strict=True))
    if shape.is_dense and not rounds and experiment.bias:
        layers = shape.arrays(np.array([floats]))
        return _counted(replace(experiment, model=None, law="normal", scale="none"), domain, layers)[0]
    if not rounds and len(values) <= math.log2(MOST_CHOICES):
        signs = np.array(list(product((-1.0, 1.0), repeat=len(values))))
        found, step = 0, 1 << 10
        for k in range(0, len(signs), step):
            part = signs[k : k + step] * np.array(floats)
            found += int(decided(experiment, domain, shape.arrays(part), shape, part).sum())
        return found
    if experiment.event == DATA_ALIVE and not shape.is_free:
        raise InputError("data-alive: too many sign choices of a model with connections or ties; say --trials")
    profiles, _ = shape.dead_neurons(values, domain, experiment.event == DATA_ALIVE)
    return sum(n for dead, n in profiles.items() if experiment.happens(dead))


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
    shape: Shape | None = None,
) -> Estimate:
    """Plain Monte Carlo: random networks one by one, with the exact binomial interval.

    Args:
        trials: how many networks; or
        half_width: stop when the interval is +- this. The rule is fixed in advance, see
            :func:`~geomrelu.random_networks.intervals.looks`: it always keeps this promise, and all looks together are
            wrong with probability at most 1 - level.
        shape: of the networks, where the experiment names a model.

    Returns:
        An estimate whose interval (Clopper & Pearson, cut by proved bounds) holds the probability with at least the
        given level.

    Raises:
        InputError: both or none of trials and half_width; networks too large for the event.

    Exact: the event is decided exactly (:func:`~geomrelu.random_networks.sampling.decided`), except that floats decide
    "stably-unactivated" for laws without atoms and the schemes other than "iid"; the rest is statistical.
    """
    if (trials is None) == (half_width is None):
        raise InputError("say either how many trials, or how narrow the interval must be")
    if trials is not None and trials < 1:
        raise InputError(f"the number of trials must be positive, not {trials}")
    _check_level(level)
    if half_width is not None and not 0 < half_width < 1:
        raise InputError(f"the half width must lie between 0 and 1, not {half_width}")
    if (shape is None) != (experiment.model is None):
        raise InputError("a model needs its shape, and a shape its model")
    if experiment.law == "own":
        raise InputError("a model's own magnitudes are not random: walk their orbit, or say --law")
    targets = [trials] if trials is not None else looks(half_width or 0.5, level)
    if targets[-1] > MOST_TRIALS:
        raise InputError(f"a half width of {half_width:g} may take {targets[-1]:,} networks; at most {MOST_TRIALS:,}")
    general = experiment.event == STABLE and experiment.initialisation.missing(atomless=True) is None
    size = min(SAMPLES if general else 64, targets[0] if trials is None else SAMPLES)
    description = {"sampling": asdict(experiment), "seed": seed, "chunk": size, "total": trials}
    if shape is not None:
        description |= {"shape": shape.network.digest, "tied": shape.tied}
    domain, bounds = experiment.read_domain(seed), _bounds(experiment, shape)
    each = 1 - (1 - level) / len(targets)
    successes = done = 0
    with Journal(journal, description) as kept:
        for target in targets:
            work = partial(_sample_chunk, experiment, domain, shape, seed, size, target)
            successes += sum(results(work, range(done // size, -(-target // size)), pool, kept, progress))
            done = target
            low, high = clopper_pearson(successes, done, each)
            if half_width is not None and high - low <= 2 * half_width:
                break
        kept.finish()
    how = "Clopper-Pearson"
    if trials is None:
        how += f", look {targets.index(done) + 1} of {len(targets)} fixed in advance"
    counts = {k: n for k, n in ((0, done - successes), (1, successes)) if n}
    low, high = _cut(low, high, bounds)
    return Estimate(
        experiment, "sampling", done, 1, counts, successes / done, low, high, level, how, "none", seed, None, bounds
    )


def _sample_chunk(
    experiment: Experiment,
    domain: Polyhedron | FiniteSet,
    shape: Shape | None,
    seed: int,
    size: int,
    total: int,
    chunk: int,
) -> int:
    rng = np.random.default_rng(seed_of(seed, chunk))
    return drawn(experiment, domain, rng, min(size, total - chunk * size), shape)


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise InputError(f"the level must lie between 0 and 1, not {level}")
