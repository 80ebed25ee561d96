# %% [markdown]
# # How much asymmetric initialisation helps, and what it does not exclude
#
# **Notation.** As in [`rai-never-kills-orthant`](rai-never-kills-orthant.py): one entry of each row of $N$ weights and
# a bias, chosen uniformly, is Beta(2, 1), the others are normal with mean 0, all independent. A network *dies* on a set
# if one of its hidden layers is nowhere positive on the image of the set.
#
# **Statement.** The summaries say that the initialisation "can effectively prevent the dying ReLU" (2019), and that
# asymmetric ones "may reduce the probability of collapse but do not totally eliminate it" (2018). In numbers:
#
# (i) At each point of $\mathbb R^N_+$ a neuron is dead with probability less than $\frac12$. So a network with $m$
# hidden layers of width $N$ dies at a point of the orthant with probability less than $1 - (1 - 2^{-N})^m$, which is
# the probability for every symmetric law without atoms. For one input $x = \pm 1$ a neuron of the first layer is dead
# with probability exactly $\frac12$ at $-1$, and less at 1.
#
# (ii) On every bounded set a layer is dead with positive probability. So the network dies with positive probability.
# No single layer is dead on the whole orthant; a network can die there, because the image of layer 1 can be bounded.
#
# (iii) *Measured*: 9 hidden layers of width 2 and one input die at 1 with a probability between $\frac3{10}$ and
# $\frac7{20}$, and on $\{\pm 1\}$ between $\frac6{25}$ and $\frac7{25}$. For symmetric laws without biases these are
# $1 - (\frac34)^9 \approx 0.925$ exactly, and between 0.8702 and 0.8999 ([`collapse-rate`](collapse-rate.py)).

# %%
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import sympy

from geomrelu import checker, decide
from geomrelu.certificates.files import as_certificate
from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.network import Network
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.initialisation import Initialisation

claim = Claim(
    label="rai-on-bounded-sets",
    title="How much asymmetric initialisation helps",
    statement="asymmetric initialisation: at a point of R^N_+ dead less often than any symmetric law; on a bounded set "
    "dead with positive probability; 9 hidden layers of width 2 die at 1 in 3/10 to 7/20 of all cases",
    latex=r"P(a \cdot y + b \le 0) < \tfrac12 \ (y \in \mathbb R^N_+), \quad "
    r"P(\text{dies on a bounded set}) > 0",
    source="Lu, Shin, Su & Karniadakis, abstract and section 4",
    hypotheses=(
        "for (i): the point is in R^N_+",
        "for (ii): the set is bounded",
        "rows independent",
        "for (iii): width 2, 9 hidden layers",
    ),
    uses=("rai-never-kills-orthant", "lower-bound"),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (i).** Let $Y = (y, 1)$ and entry $k$ be the chosen one: the neuron is $V Y_k + \tau G$, with $\tau G$ normal
# and symmetric, independent of $V > 0$, $\tau > 0$ as one of the other $Y_i$ is positive, or $y = 0$ and $k$ is the
# bias; in this last case the neuron is $V > 0$. If $Y_k \ge 0$, $P(V Y_k + \tau G \le 0) \le \frac12$, and less if
# $Y_k > 0$, which is so for the bias. So the mean over $k$ is less than $\frac12$. Then as in
# [`lower-bound`](lower-bound.py), with less than $2^{-N}$ for each layer. At $x = \pm 1$ with one input: if $d$ is the
# probability that $V + \tau G \le 0$, the neuron at $-1$ is $-V + \tau G$ or $V - \tau G'$, dead with probability
# $1 - d$ or $d$; at 1 it is dead with probability $d < \frac12$.
#
# **Step 2 (ii).** Let $0 \le y_i \le R$, and let in each row the first weight be the chosen one, less than
# $\frac 1R$, all other weights negative and the bias less than $-1$. Then $z < \frac 1R R - 1 = 0$ on the set. These
# are finitely many independent events of positive probability. (For inputs of any sign, $|y_i| \le R$: weights of size
# less than $\frac1{N R}$.) $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    d, k, n, m = sympy.symbols("d k N m", positive=True)
    yield "at -1, one input", sympy.expand((1 - d) / 2 + d / 2), sympy.Rational(1, 2)
    # Step 1: half of the normal law is on the good side, whatever V and tau are; the rest is what V gains
    v, t, g = sympy.symbols("v t g", positive=True)
    density = sympy.exp(-(g**2) / 2) / sympy.sqrt(2 * sympy.pi)
    dead = sympy.integrate(density, (g, v / t, sympy.oo))
    gain = sympy.integrate(density, (g, 0, v / t))
    yield "P(V + t G <= 0), given V", sympy.simplify(dead + gain), sympy.Rational(1, 2)
    yield (
        "the network, at 1/2 for each neuron",
        1 - (1 - sympy.Rational(1, 2) ** n) ** m,
        1 - closed_forms.lower_bound(n, m),
    )
    # Step 2: on the set the neuron is at most v R - 1 - (what the bias has more)
    size, rest = sympy.symbols("R s", positive=True)
    yield "Step 2", (1 / (size + k)) * size - 1 - rest, -(k / (size + k)) - rest


# %% [markdown]
# ## Decision
#
# (ii): layers that this initialisation can draw (one positive entry in each row) are dead on cubes $[0, R]^N$, by
# certificates; the next larger cube is not.


# %%
@claim.decide("layers", part="bounded sets")
def dead_layers(depth: str) -> Iterator[tuple[object, ...]]:
    for n in (1, 2, 3):
        for radius in (1, 10, 1000):
            weights = [[Fraction(1, 2 * radius) if j == 0 else Fraction(-1 - i) for j in range(n)] for i in range(n)]
            network = Network.from_layers([(weights, [Fraction(-1, 2)] * n, "relu")])
            for side, expected in ((radius, True), (radius + 1, False)):
                domain = Polyhedron.box([(0, side)] * n)
                (report,) = decide(network, domain)
                claims = [verdict.claim for verdict in report.verdicts]
                proof = as_certificate(claims, network.digest, domain.checked.digest(), report.points)
                accepted = len(checker.check(proof, network.checked, domain.checked)) == n
                yield f"N = {n}, R = {radius}, side {side}", report.killed is True, expected, accepted


# %% [markdown]
# ## Enumeration
#
# Two-point laws of the same kind: the chosen entry is 1 or 2, the others are $\pm 1, \pm 3$ (as rows of integers, with
# ties): at points of the orthant a neuron is negative at most as often as positive.


# %%
@claim.enumerate("points", part="points of the orthant")
def points(depth: str) -> Iterator[tuple[object, ...]]:
    for n in (1, 2) if depth == "default" else (1, 2, 3):
        for y in product((0, 1, 5), repeat=n):
            dead = size = Fraction(0)
            for place in range(n + 1):
                for v in (1, 2):
                    for rest in product((-3, -1, 1, 3), repeat=n):
                        row = [*rest]
                        row.insert(place, v)
                        z = sum(a * c for a, c in zip(row, (*y, 1), strict=True))
                        dead += (z < 0) + Fraction(z == 0, 2)
                        size += 1
            yield f"N = {n}, y = {y}", dead / size, "<", Fraction(1, 2)


# %% [markdown]
# ## Sampling
#
# (iii), and that at $-1$ one neuron is dead with probability $\frac12$. The bounds were set after runs with another
# seed.


# %%
def dying(data: list[float], law: Initialisation, trials: int, seed: int) -> int:
    """Networks with one input and 9 hidden layers of width 2 that die on the data."""
    rng, dead = np.random.default_rng(seed), 0
    for start in range(0, trials, 1 << 14):
        count = min(1 << 14, trials - start)
        x, alive = np.broadcast_to(np.array([data]), (count, 1, len(data))), np.ones(count, dtype=bool)
        for n, m in pairwise([1, *[2] * 9]):
            weights, bias = law.layers(rng, count, n, m)
            x = np.maximum(weights @ x + bias[:, :, None], 0)
            alive &= x.any(axis=(1, 2))
        dead += int(count - alive.sum())
    return dead


@claim.sample("probabilities", trials=20_000, seed=361, part="measured")
def measured(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    law = Initialisation("rai")
    cases = (
        ("at 1", [1.0], Fraction(3, 10), Fraction(7, 20)),
        ("on -1, 1", [1.0, -1.0], Fraction(6, 25), Fraction(7, 25)),
    )
    for k, (name, data, low, high) in enumerate(cases):
        dead = dying(data, law, trials, seed + k)
        yield f"{name}: at least", dead, ">=", low
        yield f"{name}: at most", dead, "<=", high
    symmetric = dying([1.0], Initialisation("normal", "he", "zero"), trials, seed + 3)
    yield "symmetric, at 1", symmetric, closed_forms.dying_bound(*[2] * 9)
    weights, bias = law.layers(np.random.default_rng(seed), trials, 1, 1)
    yield "one neuron dead at -1", int((bias[:, 0] <= weights[:, 0, 0]).sum()), Fraction(1, 2)


# %% [markdown]
# ## Neighbours that fail
#
# *A point outside the orthant*: the row $(1, \pm 1)$ or $(\pm 1, 1)$ at $y = -2$ is dead in three of four cases. *All
# of the orthant*: no layer with a positive entry in each row is dead on it. *Equal rows*: at $y = 0$ a layer of two
# equal rows is dead if the bias is not the chosen entry and negative, $\frac13 > \frac14$. *Another depth*: with one
# hidden layer of width 2 the row signs alone give at most $\frac14$ at a point, less than $\frac3{10}$.


# %%
@claim.neighbour("for (i): the point is in R^N_+")
def outside(depth: str) -> Iterator[tuple[object, ...]]:
    rows = [(1, s) for s in (1, -1)] + [(s, 1) for s in (1, -1)]
    yield Fraction(sum(-2 * a + b <= 0 for a, b in rows), 4), "<", Fraction(1, 2)


@claim.neighbour("for (ii): the set is bounded")
def unbounded(depth: str) -> Iterator[tuple[object, ...]]:
    for n in (1, 2):
        weights = [[Fraction(1, 2) if j == 0 else Fraction(-1) for j in range(n)] for _ in range(n)]
        (report,) = decide(Network.from_layers([(weights, [-1] * n, "relu")]), Polyhedron.orthant(n))
        yield int(report.killed is True), 1


@claim.neighbour("rows independent")
def equal_rows(depth: str) -> Iterator[tuple[object, ...]]:
    """Width 2, at y = 0: the value is the bias, 1 if it is the chosen one of three entries and +-1 if not."""
    biases = [1 if place == 2 else s for place in range(3) for s in (1, -1)]
    yield Fraction(sum(b < 0 for b in biases), len(biases)), "<", Fraction(1, 2**2)


@claim.neighbour("for (iii): width 2, 9 hidden layers")
def shallow(depth: str) -> Iterator[tuple[object, ...]]:
    rows = [(v, s * 2) for v in (1, 3) for s in (1, -1)] + [(s * 2, v) for v in (1, 3) for s in (1, -1)]
    dead = Fraction(sum(a + b <= 0 for a, b in rows), len(rows))
    yield dead**2, ">=", Fraction(3, 10)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
