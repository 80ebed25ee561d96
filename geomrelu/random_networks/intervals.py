"""Intervals that hold a mean at least as often as they say, for every law and every sample size.

:func:`clopper_pearson` is for successes; :func:`bounded_mean` for independent values of a known range, such as the
exact fractions of random sign orbits. Neither trusts a limit theorem.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from geomrelu.errors import InputError
from geomrelu.rounding import to_nearest

__all__ = ["bounded_mean", "clopper_pearson", "looks", "mean_of_parts"]

Array = np.ndarray[Any, np.dtype[np.float64]]
BOLD = 0.9  # the largest share of the wealth that is bet
HALVINGS = 60
ROUNDING = 1e-12  # of sums of logarithms of up to a million factors, generously


def clopper_pearson(successes: int, trials: int, level: Fraction | float) -> tuple[float, float]:
    """The exact two-sided binomial interval: it holds the probability with at least the given level.

    Args:
        successes, trials: 0 <= successes <= trials, trials > 0.
        level: in (0, 1), such as 0.999.

    Returns:
        ``(low, high)``.

    Exact: statistical. Method: quantiles of beta laws (their tails are the binomial's, so nothing is approximated
    by a normal law). Source: Clopper & Pearson, Biometrika 26 (1934).

    >>> low, high = clopper_pearson(0, 100, 0.95)
    >>> low, round(high, 4)
    (0.0, 0.0362)
    """
    from scipy import special  # here, because walking orbits does not need it

    if not 0 <= successes <= trials or trials < 1 or not 0 < level < 1:
        raise InputError(f"no interval for {successes} of {trials} at level {level}")
    tail = float((1 - level) / 2)
    low = float(special.betaincinv(successes, trials - successes + 1, tail)) if successes else 0.0
    high = float(special.betainccinv(successes + 1, trials - successes, tail)) if successes < trials else 1.0
    return low, high


def looks(half_width: float, level: float) -> list[int]:
    """After how many networks a stopping rule looks, so that it always keeps its promise.

    Each of the J looks has the level 1 - (1 - level) / J, so that all together are wrong with probability at most
    1 - level. The first is where the narrowest of all intervals (no success) could do; they double; after the last the
    widest one does.

    >>> looks(0.05, 0.95)
    [64, 128, 256, 512, 1024]
    """

    def widest(trials: int, at: float) -> float:
        low, high = clopper_pearson(trials // 2, trials, at)
        return high - low

    number = 1
    while True:
        at = 1 - (1 - level) / number
        first = 1
        while clopper_pearson(0, first, at)[1] > 2 * half_width:
            first *= 2
        if widest(first << (number - 1), at) <= 2 * half_width:
            return [first << j for j in range(number)]
        number += 1


def bounded_mean(
    counts: Mapping[Fraction, int], level: float, seed: Any = 0, low: Fraction | int = 0, high: Fraction | int = 1
) -> tuple[float, float]:
    """An interval for the mean of independent values of one law on [low, high], by betting.

    Args:
        counts: how often each value came up. level: in (0, 1). seed: of the order in which the values are looked at;
            it must not depend on them. low, high: a proved range of each value.

    Returns:
        ``(lower, upper)``: with probability at least ``level`` it holds the mean, for every law and number of values.

    Exact: statistical, never approximate. Let the range be [0, 1], a = 1 - level, and m a candidate for the mean. A
    gambler with wealth 1 bets before each value X: she pays l m and gets l X, where l >= 0 depends on the values before
    only and l m <= 9/10. Her wealth stays positive, and if the mean is m, each bet is fair: the wealth is a nonnegative
    martingale. By Ville's inequality the probability that it ever reaches 2/a is at most a/2. Each factor
    1 + min(l, 9/(10 m)) (X - m) falls with m, so those m at which the wealth ever reaches 2/a end at one number, the
    lower end; the same for 1 - X gives the upper end, and both are right with probability at least level. The values
    are known by their counts; in an order drawn uniformly they are again independent of one law.
    Method: l = sqrt(2 log(2/a) / (N v)), v the variance of the values before (with 1/4 as one of them). Cost: N log N.
    Price: for many values the interval is some 1.25 times as wide as Student's t, which only holds in the limit; for
    few, or rare other ones, it is as wide as it must be: 3.7 / N of the range at 95 %, because so many more values may
    never have come up.
    Source: Waudby-Smith & Ramdas, Estimating means of bounded random variables by betting, JRSS B 86 (2024), sections
    4.1-4.3 and appendix B; Ville, Étude critique de la notion de collectif (1939).

    >>> lower, upper = bounded_mean({Fraction(3, 4): 100}, 0.95)
    >>> round(lower, 3), round(upper, 3)
    (0.719, 0.762)
    """
    return mean_of_parts([counts], level, seed, low, high)


def mean_of_parts(
    parts: Sequence[Mapping[Fraction, int]],
    level: float,
    seed: Any = 0,
    low: Fraction | int = 0,
    high: Fraction | int = 1,
    *,
    at_any_time: bool = False,
) -> tuple[float, float]:
    """The same for values that come in parts, of which it need not be known how many there will be.

    Args:
        parts: how often each value came up in the first, second, ... part; the values of all parts that there might
            have been, one after the other, are independent of one law. level, seed, low, high: as for
            :func:`bounded_mean`.
        at_any_time: the number of parts was not fixed: whoever stopped, for whatever reason.

    Returns:
        ``(lower, upper)``. At any time: with probability at least ``level`` it holds the mean for *all* numbers of
        parts at once, so also for the number at which a clock stopped, even if values and the time they take go
        together.

    Exact: statistical, never approximate. Method: that of :func:`bounded_mean`; at any time with bets that do not know
    how many values there will be: l = sqrt(2 log(2/a) / (v t log(t + 1))) before the t-th. It is wider by a half or
    so.
    Source: Waudby-Smith & Ramdas, section 4.1 (predictable plug-in bets for all times).

    >>> lower, upper = mean_of_parts([{Fraction(3, 4): 8}] * 12, 0.95, at_any_time=True)
    >>> lower < 0.75 < upper
    True
    """
    if not any(map(len, parts)) or not 0 < level < 1:
        raise InputError(f"no interval for {sum(sum(part.values()) for part in parts)} values at level {level}")
    if high <= low:
        return float(low), float(low)
    to_nearest()
    rng = np.random.default_rng(seed)
    scaled = np.concatenate([rng.permutation(_scaled(part, low, high)) for part in parts])
    size = float(high - low)
    lower = _least_mean(scaled, 1 - level, at_any_time)
    upper = 1 - _least_mean(1 - scaled, 1 - level, at_any_time)
    return float(low) + size * max(0.0, lower - ROUNDING), float(low) + size * min(1.0, upper + ROUNDING)


def _scaled(counts: Mapping[Fraction, int], low: Fraction | int, high: Fraction | int) -> Array:
    """The values, from the range to [0, 1], in increasing order."""
    table = sorted(counts.items())
    places = [min(1.0, max(0.0, float((v - low) / Fraction(high - low)))) for v, _ in table]
    return np.repeat(np.array(places), [n for _, n in table])


def _least_mean(values: Array, alpha: float, at_any_time: bool) -> float:
    """The lower end at level 1 - alpha / 2, from values in [0, 1] in the order of the bets."""
    number = np.arange(1, len(values) + 1)
    means = (0.5 + np.cumsum(values)) / (number + 1)
    variances = (0.25 + np.cumsum((values - means) ** 2)) / (number + 1)
    before = np.concatenate([[0.25], variances[:-1]])
    goal = math.log(2 / alpha)
    bets = np.sqrt(2 * goal / (before * (number * np.log(number + 1) if at_any_time else len(values))))
    low, high = 0.0, float(values.mean())
    if high == 0:
        return 0.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if middle <= 0:
            break
        wealth = np.cumsum(np.log1p(np.minimum(bets, BOLD / middle) * (values - middle))).max()
        low, high = (middle, high) if wealth >= goal else (low, middle)
    return low
