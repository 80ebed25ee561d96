# %% [markdown]
# # Figure 2: the lower bound along the widths of equation 9
#
# **Notation.** As in [`figure-1`](figure-1.py). $n(k)$ is $-\log_2(1 - p^{1/k})$, rounded to a positive integer (eq.
# 9).
#
# **Statement.** For $p = 0.1, 0.5, 0.9$ and $k = 1, \dots, 256$: (i) $n(k)$ does not decrease, and but for
# $p = 0.1$, $k = 1$
# $$(1 - \sqrt2\, t)^k \le \ell(n(k), k) \le \left(1 - t / \sqrt2\right)^k, \qquad t = 1 - p^{1/k}:$$
# rounding keeps $\ell$ roughly constant. (ii) $\ell(n(k), k) \le P(n(k), k) \le v(n(k), k)$, as in the figure. (iii)
# $P(n(k), k)$ approaches $\ell(n(k), k)$: at $k = 256$ it is at most $\frac1{20}$ more, for standard normal data (given
# one data set for each width, drawn once).
#
# (ii) is a theorem. (iii) is what the simulation shows; the proof in section 5 of the paper rests on an
# assumption, and on an unbounded input set there are laws for which the conclusion is false
# ([`tight-along-paths`](tight-along-paths.py)). The normalised variances of the middle panel are floats, drawn by
# `geomrelu simulate figure-2` and not judged here.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from math import isqrt

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import FiniteSet
from geomrelu.papers.figures import figure_two
from geomrelu.papers.simulations import TARGETS, Living, living, widths_along
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.orbit import alive_orbit

claim = Claim(
    label="figure-2",
    title="Figure 2: along the widths of equation 9",
    statement="p = 0.1, 0.5, 0.9: l <= P(n(k), k) <= v for k <= 256, n(k) from eq. 9; P <= l + 1/20 at k = 256",
    latex=r"\ell(n(k), k) \le P(n(k), k) \le v(n(k), k); \quad P(n(256), 256) \le \ell(n(256), 256) + \tfrac1{20}",
    source="Rister & Rubin, section 8, figure 2",
    hypotheses=(
        "parameters symmetric",
        "parameters independent, no atoms",
        "n(k) as in eq. 9",
        "deep networks: k = 256 for closeness",
    ),
    uses=("lower-bound", "upper-bound"),
)

# %% [markdown]
# ## Proof of (i) and (ii)
#
# (i) Rounding moves the logarithm by at most $\frac12$: $t / \sqrt2 \le 2^{-n(k)} \le \sqrt2\, t$, unless it would give
# $n(k) = 0$, which happens for $t > 1 / \sqrt2$ only. As $p^{1/k}$ grows with $k$, $t$ falls and $n(k)$ does not.
# (ii) is (i) of [`figure-1`](figure-1.py), for each pair $n(k), k$. $\square$
#
# ## Enumeration
#
# (i) in the form $(1 - \sqrt2\, 2^{-n})^k \le p \le (1 - 2^{-n} / \sqrt2)^k$, in integers, with 30 digits of $\sqrt2$
# rounded to the safe side; $n(k)$ is computed in floats, as for the figure. (ii) for the pairs that are small enough,
# by all sign choices.

# %%
DIGITS = 10**30
ROOT = Fraction(isqrt(2 * DIGITS**2), DIGITS)  # below the root of 2; with the next one above it
ABOVE = ROOT + Fraction(1, DIGITS)


@claim.enumerate("widths and orbits", part="widths")
def widths(depth: str) -> Iterator[tuple[object, ...]]:
    for target in TARGETS:
        p = Fraction(str(target))
        along = widths_along(target, 256)
        for k, n in enumerate(along, 1):
            yield n, ">=", along[max(0, k - 2)]
            unit = Fraction(1, 2**n)
            if (target, k) != (0.1, 1):
                yield int((1 - ROOT * unit) ** k <= p), 1
            yield int((1 - ABOVE / 2 * unit) ** k >= p), 1
        yield f"p = {target}: n(256)", along[-1], round(float(closed_forms.width_for_depth(256, p)))
    rng = random.Random(230)
    for target in TARGETS:
        for k, n in enumerate(widths_along(target, 3), 1):
            if n * (n + 1) * (k - 1) > 12:
                continue
            layers = [
                ([[rng.randint(1, 999) for _ in range(n)] for _ in range(n)], [rng.randint(1, 999) for _ in range(n)])
                for _ in range(k)
            ]
            data = FiniteSet.of([[rng.randint(-9, 9) for _ in range(n)] for _ in range(4)])
            alive = Fraction(*alive_orbit(layers, data))
            yield f"p = {target}, n({k}) = {n}: l <= P", closed_forms.lower_bound(n, k), "<=", alive
            yield f"p = {target}, n({k}) = {n}: P <= v", alive, "<=", closed_forms.upper_bound(n, k)


# %% [markdown]
# ## Sampling
#
# The simulation of `geomrelu simulate figure-2`, smaller: 64 points by default and 256 with `--thorough`. All intervals
# together hold with at least 99.9 % (Bonferroni: fewer than 800 of them, each at the level $1 - 0.001 / 800$). $v$ is
# rounded up to a multiple of $2^{-64}$.


# %%
def upper(n: int, k: int) -> sympy.Expr:
    return sympy.ceiling(closed_forms.upper_bound(n, k) * 2**64) / sympy.Integer(2**64)


@claim.sample("estimates of P(n(k), k)", trials=128, seed=231, level=1 - Fraction(1, 1000 * 800), part="the figure")
def networks(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    along = {target: widths_along(target, 256) for target in TARGETS}
    needed = tuple(sorted({n for values in along.values() for n in values}))
    found = living(Living(needed, 256, trials, 256 if depth == "thorough" else 64, ("iid",), seed=seed))
    for target in TARGETS:
        for k, n in enumerate(along[target], 1):
            alive = found[n, "iid"].alive[k - 1]
            yield alive, ">=", closed_forms.lower_bound(n, k)
            yield alive, "<=", upper(n, k)
        yield alive, "<=", closed_forms.lower_bound(n, 256) + Fraction(1, 20)


# %% [markdown]
# ## Neighbours that fail
#
# *A width that does not grow*: for $n = 2$ (i) fails at $k = 256$. *Shallow networks* are far from the lower bound: on
# $\{-1, 2\}$ the neuron $\pm 4 x \pm 5$ is alive with probability $\frac34$. *Parameters that are positive*: all
# networks are alive, more than $v$.


# %%
@claim.neighbour("n(k) as in eq. 9; deep networks: k = 256 for closeness; parameters symmetric")
def others(depth: str) -> Iterator[tuple[object, ...]]:
    for p in (Fraction(1, 10), Fraction(1, 2), Fraction(9, 10)):
        yield int((1 - ABOVE / 2 * Fraction(1, 4)) ** 256 >= p), 1
    alive = Fraction(*alive_orbit([([[4]], [5])], FiniteSet.of([[-1], [2]])))
    yield alive, "<=", closed_forms.lower_bound(1, 1) + Fraction(1, 20)
    values = [1, 2]
    for a, b in ((2, 1), (3, 1)):
        values = [max(a * v + b, 0) for v in values]
    yield int(max(values) > 0), "<=", closed_forms.upper_bound(1, 2)


# %%
@claim.neighbour("parameters independent, no atoms")
def equal_rows_or_atoms(depth: str) -> Iterator[tuple[object, ...]]:
    """Two neurons with the same parameters at a point; and parameters +-1 at 1."""
    values = [3 * s + t for s in (1, -1) for t in (1, -1)]
    yield Fraction(sum(max(z, z) > 0 for z in values), 4), ">=", closed_forms.lower_bound(2, 1)
    alive, size = alive_orbit([([[1]], [1])], FiniteSet.of([[1]]))
    yield Fraction(alive, size), ">=", closed_forms.lower_bound(1, 1)


# %% [markdown]
# ## The figure, at a small size


# %%
@claim.figure("survival and variance along the widths n(k) for which the lower bound is roughly constant")
def drawn() -> object:
    along = {p: widths_along(p, 128) for p in TARGETS}
    widths = tuple(sorted({n for row in along.values() for n in row}))
    plan = Living(widths, schemes=("iid",), depth=128, networks=128, points=64, variance=True)
    return figure_two({n: found for (n, _), found in living(plan).items()}, TARGETS, along)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
