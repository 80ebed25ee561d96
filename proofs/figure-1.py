# %% [markdown]
# # Figure 1: living networks between their bounds, and living data
#
# **Notation.** $n$ inputs and neurons in each layer, normal parameters of variance $2 / n$ (He), standard normal data;
# a data point is alive after layer $k$ if each of the layers $1, \dots, k$ has a positive neuron at it, a network if
# one of its data points is. $P(n, k)$ and $P(\alpha)$ are the probabilities that a network and that a data point is
# alive.
#
# **Statement.** For $n = 1, \dots, 15$ and $k \le 256$, as in the figure: (i) $\ell(n, k) \le P(n, k) \le v(n, k)$;
# (ii) $P(\alpha) = \ell(n, k)$ for independent parameters; (iii) with sign flipping almost every network keeps at
# least $2^{-k}$ of its data. (For batch normalisation, the third curve, there is no such bound:
# [`batch-norm-lives`](batch-norm-lives.py).)

# %%
from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product

import numpy as np
import sympy

from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import FiniteSet
from geomrelu.papers.figures import figure_one
from geomrelu.papers.simulations import Living, living, survivors
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.initialisation import Initialisation
from geomrelu.random_networks.orbit import alive_orbit

claim = Claim(
    label="figure-1",
    title="Figure 1: living networks and data",
    statement="n <= 15, k <= 256: l <= P(n, k) <= v, P(alpha) = l, and with sign flipping 2^-k of the data live",
    latex=r"\ell(n, k) \le P(n, k) \le v(n, k), \quad P(\alpha) = \ell(n, k), \quad n \le 15,\ k \le 256",
    source="Rister & Rubin, section 8, figure 1",
    hypotheses=(
        "parameters symmetric",
        "no atoms",
        "parameters independent",
        "finitely many data points, fixed before the networks (needed: not known)",
    ),
    uses=("lower-bound", "upper-bound", "sign-flip-ratio"),
)

# %% [markdown]
# ## Proof
#
# Fix the data. [`lower-bound`](lower-bound.py) holds already for one of the points, where it is an equality: (ii), and
# half of (i). A living network is alive in the weaker sense of [`upper-bound`](upper-bound.py), with the data as input
# set (there each layer may be positive at another point): the other half. (iii) is
# [`sign-flip-ratio`](sign-flip-ratio.py). Random data: take means over them. $\square$
#
# ## Enumeration
#
# Small networks, all sign choices, random magnitudes and data: exact values of everything that the figure estimates.

# %%
Layers = Sequence[tuple[list[list[int]], list[int]]]


def alive(layers: Layers, data: Sequence[Sequence[int]], flipping: bool) -> list[bool]:
    """Which data points are alive at the end."""
    values, lives = [list(x) for x in data], [True] * len(data)
    for weights, bias in layers:
        z = [
            [b + sum(a * v for a, v in zip(row, x, strict=True)) for row, b in zip(weights, bias, strict=True)]
            for x in values
        ]
        killed = sum(old and max(v) <= 0 for old, v in zip(lives, z, strict=True))
        if flipping and 2 * killed > sum(lives):
            z = [[-v for v in point] for point in z]
        lives = [old and max(v) > 0 for old, v in zip(lives, z, strict=True)]
        values = [[max(v, 0) for v in point] for point in z]
    return lives


def choices(layers: Layers) -> Iterator[Layers]:
    parameters = sum(len(bias) * (1 + len(weights[0])) for weights, bias in layers)
    for signs in product((1, -1), repeat=parameters):
        s = iter(signs)
        yield [
            ([[next(s) * a for a in row] for row in weights], [next(s) * b for b in bias]) for weights, bias in layers
        ]


@claim.enumerate("comparisons on orbits", part="bounds on orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(220)
    families = [(1, 1), (1, 2), (1, 3), (1, 4), (2, 1), (2, 2)] + ([(1, 6), (3, 1)] if depth == "thorough" else [])
    for n, k in families:
        rows = [[[rng.randint(1, 999) for _ in range(n + 1)] for _ in range(n)] for _ in range(k)]
        layers = [([row[1:] for row in layer], [row[0] for row in layer]) for layer in rows]
        data = [[rng.randint(-9, 9) for _ in range(n)] for _ in range(4)]
        found = [alive(choice, data, flipping=False) for choice in choices(layers)]
        networks = Fraction(sum(map(any, found)), len(found))
        case = f"n = {n}, k = {k}"
        yield f"{case}: l <= P", closed_forms.lower_bound(n, k), "<=", networks
        somewhere = Fraction(*alive_orbit(layers, FiniteSet.of(data)))
        yield networks, "<=", somewhere
        yield f"{case}: P <= v", somewhere, "<=", closed_forms.upper_bound(n, k)
        for i in range(len(data)):
            yield Fraction(sum(lives[i] for lives in found), len(found)), closed_forms.lower_bound(n, k)
        least = min(sum(alive(choice, data, flipping=True)) for choice in choices(layers))
        yield f"{case}: living data, sign flipping", least, ">=", closed_forms.sign_flip_alive(len(data), k)


# %% [markdown]
# ## Sampling
#
# The simulations of `geomrelu simulate figure-1`, smaller. All intervals of this page together hold with at least 99.9
# %: each has the level $1 - 0.001 / 8000$, and there are fewer than 8000 (Bonferroni). By default 128 networks for each
# width, 64 layers and 64 points; `--thorough`: 1,280 networks, 256 layers and 128 points. (ii) follows one data point,
# as the points of one network are not independent of each other. $v$ is rounded up to a multiple of $2^{-64}$. The
# floats of a forward pass are rounded, too: these are estimates.

# %%
LEVEL = 1 - Fraction(1, 1000 * 8000)
WIDTHS = tuple(range(1, 16))


def upper(n: int, k: int) -> sympy.Expr:
    """v(n, k), rounded up: it has 18,000 digits for n = 15, k = 256."""
    return sympy.ceiling(closed_forms.upper_bound(n, k) * 2**64) / sympy.Integer(2**64)


def size(depth: str) -> tuple[int, int]:
    """Layers and data points."""
    return (256, 128) if depth == "thorough" else (64, 64)


@claim.sample("estimates of P(n, k), two bounds each", trials=128, seed=221, level=LEVEL, part="the figure")
def networks(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    layers, points = size(depth)
    found = living(Living(WIDTHS, layers, trials, points, ("iid",), seed=seed))
    for n in WIDTHS:
        for k, count in enumerate(found[n, "iid"].alive, 1):
            shown = [f"n = {n}, k = {k}"] if n <= 2 and k in (1, 2, 4, 8) else []
            yield *shown, count, ">=", closed_forms.lower_bound(n, k)
            yield count, "<=", upper(n, k)


@claim.sample("estimates of P(alpha)", trials=128, seed=222, level=LEVEL, part="the figure")
def points(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    found = living(Living(WIDTHS, size(depth)[0], trials, 1, ("iid",), seed=seed))
    for n in WIDTHS:
        for k, count in enumerate(found[n, "iid"].alive, 1):
            yield count, closed_forms.lower_bound(n, k)


@claim.sample(
    "widths with sign flipping: networks that keep 2^-k of the data",
    trials=128,
    seed=223,
    level=LEVEL,
    part="the figure",
)
def flipped(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    found = living(Living(WIDTHS, size(depth)[0], trials, 64, ("sign-flip",), seed=seed))
    for n in WIDTHS:
        yield f"n = {n}: networks alive after all layers", found[n, "sign-flip"].alive[-1], Fraction(1)
    least = [-(-256 // 2**k) for k in range(1, 13)]
    for n in (1, 2, 4, 8):
        rng, kept = np.random.default_rng([seed, n]), 0
        data = rng.standard_normal((n, 256))
        for _ in range(trials):
            _, left, _ = survivors(data, Initialisation("normal", "he"), rng, 1, len(least), "sign-flip")
            kept += bool((left >= least).all())
        yield f"n = {n}: networks with at least 2^-k at each of 12 layers", kept, Fraction(1)


# %% [markdown]
# ## Neighbours that fail
#
# *A law that is not symmetric*: all parameters positive, all networks alive, more than $v$. *Atoms*: $\pm 1$ at
# $x = 1$, $P(1, 1) = \frac14$. *No flipping*: some networks keep no data point at all.


# %%
@claim.neighbour("parameters symmetric; no atoms; flipping")
def other_laws(depth: str) -> Iterator[tuple[object, ...]]:
    positive = [([[2]], [1]), ([[3]], [1])]
    yield int(any(alive(positive, [[1], [2]], flipping=False))), "<=", closed_forms.upper_bound(1, 2)
    units = [alive(choice, [[1]], flipping=False)[0] for choice in choices([([[1]], [1])])]
    yield Fraction(sum(units), len(units)), ">=", closed_forms.lower_bound(1, 1)
    least = min(sum(alive(choice, [[1], [2]], flipping=False)) for choice in choices([([[3]], [1])]))
    yield least, ">=", closed_forms.sign_flip_alive(2, 1)


# %%
@claim.neighbour("parameters independent")
def equal_rows(depth: str) -> Iterator[tuple[object, ...]]:
    """Two neurons with the same parameters: at a point half of the choices live."""
    found = [alive([([[s * 3]] * 2, [t] * 2)], [[1]], flipping=False)[0] for s in (1, -1) for t in (1, -1)]
    yield Fraction(sum(found), 4), closed_forms.lower_bound(2, 1)


# %% [markdown]
# ## The figure, at a small size


# %%
@claim.figure("networks and data points alive under independent, batch-normalised and sign-flipped initialisation")
def drawn() -> object:
    return figure_one(living(Living((1, 2, 4, 6, 8, 11), depth=256, networks=128, points=64)))


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
