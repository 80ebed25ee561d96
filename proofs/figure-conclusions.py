# %% [markdown]
# # What the figures are said to show
#
# **Notation.** As in [`figure-1`](figure-1.py): He normal networks, standard normal data. $P_{\mathrm{bn}}(\alpha)$ and
# $P_{\mathrm{flip}}(\alpha)$ are the probabilities that a data point is alive after $k$ layers of width $n$ with batch
# normalisation and with sign flipping, $\varrho_k$ the normalised variance of a network, $\lVert \sigma(F_k) \rVert^2 /
# \lVert \lambda_k \rVert^2$.
#
# **Statement.** Section 8 draws three conclusions. As inequalities that can be measured, (i) and (ii) for
# $n = 1, 2, 4, 8, 15$ and $k$ up to 256 (given one data set for each width, drawn once):
#
# (i) "Batch normalization hardly exceeds the IID case": $P_{\mathrm{bn}}(\alpha) \le \ell(n, k) + \frac1{20}$.
#
# (ii) "Sign flipping significantly improves on both lower bounds", and the abstract: "the actual improvement far
# exceeds the theoretical minimum" $2^{-k}$: $P_{\mathrm{flip}}(\alpha) \ge \frac35$ in all layers.
#
# (iii) "The conditional variance decreases exponentially": for $n = 4, 8, 12$ at most one network in ten is alive after
# $k = 32, 64, 128$ layers with $\varrho_k > 2^{-k/8}$ (given one data set for each width, drawn once).
#
# (i) and (ii) are about probabilities of a random data point in a random network. The data of one network are not
# independent; one point is drawn from each.

# %%
from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product

import numpy as np

from geomrelu.claims.registry import Claim
from geomrelu.papers.simulations import survivors
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.initialisation import Initialisation

claim = Claim(
    label="figure-conclusions",
    title="What the figures are said to show",
    statement="batch normalisation: at most l + 1/20 of the data live; sign flipping: at least 3/5, up to 256 layers; "
    "variances above 2^(-k/8) are rare",
    latex=r"P_{\mathrm{bn}}(\alpha) \le \ell(n, k) + \tfrac1{20}, \quad P_{\mathrm{flip}}(\alpha) \ge \tfrac35, \quad "
    r"P(\varrho_k > 2^{-k/8}) \le \tfrac1{10}",
    source="Rister & Rubin, section 8, conclusions",
    hypotheses=(
        "He normal parameters, standard normal data (needed: not known)",
        "for (i) and (iii): normalised, or not flipped",
        "for (ii): flipping",
        "for (iii): biases",
    ),
    uses=("sign-flip-ratio",),
)

# %% [markdown]
# ## Proof
#
# There is none: these are measurements. What is proved of the three: at least $2^{-k}$ of the data live with flipping
# ([`sign-flip-ratio`](sign-flip-ratio.py)); for batch normalisation there is no lower bound
# ([`batch-norm-lives`](batch-norm-lives.py)); the variance need not decrease at all without biases
# ([`eigenvalue-any-width`](eigenvalue-any-width.py)). $\square$
#
# ## Enumeration
#
# What the simulation counts, on a small scale, in integers: for one layer of width 1 the orbit of all signs, with the
# same data. Without flipping half of the choices keep a point, with flipping at least half of the points are kept in
# every choice.

# %%
Point = Sequence[int]


def kept(a: int, b: int, data: Sequence[int], flipping: bool) -> int:
    """Living data of one neuron."""
    z = [a * x + b for x in data]
    if flipping and 2 * sum(v <= 0 for v in z) > len(z):
        z = [-v for v in z]
    return sum(v > 0 for v in z)


@claim.enumerate("orbits", part="one layer")
def one_layer(depth: str) -> Iterator[tuple[object, ...]]:
    for data in ([-3, 1, 4], [-5, -2, 1, 9], [-7, -3, 2, 4, 8]):
        for a, b in ((2, 3), (3, 2), (5, 11)):
            choices = [(s * a, t * b) for s, t in product((1, -1), repeat=2)]
            usual = Fraction(sum(kept(*choice, data, False) for choice in choices), 4 * len(data))
            yield f"data {data}, without flipping", usual, closed_forms.lower_bound(1, 1)
            least = min(kept(*choice, data, True) for choice in choices)
            yield f"data {data}, flipping: least", least, ">=", closed_forms.sign_flip_alive(len(data), 1)


# %% [markdown]
# ## Sampling
#
# All intervals together hold with at least 99.9 % (Bonferroni: fewer than 200 of them). By default 100 networks, 64
# data and 64 layers, for $n = 2, 4, 8$ and $k \le 64$; with `--thorough` the sizes of the paper: 1,000 networks, 1,024
# data, 256 layers, $n = 1, 2, 4, 8, 15$. The numbers $\frac1{20}$, $\frac35$ and $2^{-k/8}$ were chosen after a run
# with another seed.

# %%
LEVEL = 1 - Fraction(1, 1000 * 200)
LAW = Initialisation("normal", "he")


def at(depth: str) -> tuple[tuple[int, ...], int, int]:
    """Widths, data, layers."""
    return ((1, 2, 4, 8, 15), 1024, 256) if depth == "thorough" else ((2, 4, 8), 64, 64)


def living(n: int, scheme: str, networks: int, seed: int, depth: str) -> list[int]:
    """After each layer: in how many networks one point, drawn at random, is alive."""
    _, size, layers = at(depth)
    rng = np.random.default_rng([seed, n])
    data, found = rng.standard_normal((n, size)), np.zeros(layers, dtype=np.int64)
    for _ in range(networks):
        _, left, _ = survivors(data, LAW, rng, 1, layers, scheme)
        found += rng.integers(size) < left  # living data sit nowhere in particular: one of them, or not
    return found.tolist()


@claim.sample("estimates", trials=100, seed=371, level=LEVEL, part="batch normalisation")
def normalised(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    for n in at(depth)[0]:
        found = living(n, "batch-norm", trials, seed, depth)
        for k in (1, 2, 4, 8, 16, 32, 64, 128, 256)[: 9 if depth == "thorough" else 7]:
            bound = closed_forms.lower_bound(n, k) + Fraction(1, 20)
            rounded = Fraction(int(bound * 2**40) + 1, 2**40)
            yield f"n = {n}, k = {k}: batch normalisation", found[k - 1], "<=", rounded


@claim.sample("estimates", trials=100, seed=372, level=LEVEL, part="sign flipping")
def flipped(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    for n in at(depth)[0]:
        found = living(n, "sign-flip", trials, seed, depth)
        for k in (1, 4, 16, 64, 256)[: 5 if depth == "thorough" else 4]:
            yield f"n = {n}, k = {k}: sign flipping", found[k - 1], ">=", Fraction(3, 5)


@claim.sample("estimates", trials=100, seed=373, level=LEVEL, part="variance")
def spread(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    for n in (4, 8, 12):
        rng = np.random.default_rng([seed, n])
        data, high = rng.standard_normal((n, 64)), np.zeros(128, dtype=np.int64)
        for _ in range(trials):
            _, _, ratio = survivors(data, LAW, rng, 1, 128, "iid", normalised_variance=True)
            high += ratio > 2.0 ** (-np.arange(1, 129) / 8)
        for k in (32, 64, 128):
            yield f"n = {n}, k = {k}: alive with a variance above 2^(-k/8)", int(high[k - 1]), "<=", Fraction(1, 10)


# %% [markdown]
# ## Neighbours that fail
#
# *Flipping in place of normalisation*: on $\{1, 2\}$ with $z = \pm x$ all data are kept, twice $\ell$ and more than
# $\ell + \frac1{20}$. *No flipping*: half of them. *No biases*, data on a ray: the normalised variance is $\frac19$
# after any number of layers.


# %%
@claim.neighbour("for (i) and (iii): normalised, or not flipped; for (ii): flipping; for (iii): biases")
def others(depth: str) -> Iterator[tuple[object, ...]]:
    data = [1, 2]
    flipping, usual = (Fraction(sum(kept(s, 0, data, f) for s in (1, -1)), 4) for f in (True, False))
    yield flipping, "<=", closed_forms.lower_bound(1, 1) + Fraction(1, 20)
    yield usual, ">=", Fraction(3, 5)
    values = [Fraction(1), Fraction(2)]
    for _ in range(64):
        values = [max(2 * v, Fraction(0)) for v in values]
    mean = sum(values) / 2
    yield sum((v - mean) ** 2 for v in values) / 2 / mean**2, "<=", Fraction(1, 2**8)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
