# %% [markdown]
# # Randomised asymmetric initialisation
#
# **Notation.** A row of a layer has $N$ weights and a bias. One of these $N + 1$ entries, chosen uniformly, is
# Beta(2, 1), the others are normal with mean 0 and deviation $\sigma / \sqrt N$,
# $\sigma = \sqrt{1 + \frac{8}{9 \pi}} - \frac{2 \sqrt 2}{3 \sqrt \pi} \approx 0.6007$.
#
# **Statement.** No layer kills the orthant $\mathbb R^N_+$. (It can kill parts of it: at $y = 0$ a neuron is dead with
# probability $\frac{N}{2 (N + 1)}$.) $\sigma$ is the positive root of $s^2 + \frac{4 \sqrt 2}{3 \sqrt \pi} s = 1$.

# %%
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import numpy as np
import sympy

from geomrelu import bounds, checker, deadness
from geomrelu.certificate import as_certificate
from geomrelu.claims import Claim
from geomrelu.laws import Initialisation
from geomrelu.network import Network
from geomrelu.polyhedron import Polyhedron

claim = Claim(
    label="rai-never-kills-orthant",
    title="Asymmetric initialisation never kills the orthant",
    statement="asymmetric initialisation: no layer is dead on R^N_+; at 0 a neuron is, with probability N / (2N + 2)",
    latex=r"P(\mathbb R^N_+ \subseteq D) = 0, \quad P(b \le 0) = \frac{N}{2(N+1)}",
    source="Lu, Shin, Su & Karniadakis, section 4",
    hypotheses=("one entry of each row is positive", "the domain is all of R^N_+"),
    uses=("orthant-kill",),
)

# %% [markdown]
# ## Proof
#
# By [`orthant-kill`](orthant-kill.py) a neuron is dead on the orthant if and only if none of its parameters is
# positive. The Beta entry is positive with probability 1. At $y = 0$ the neuron is dead if $b \le 0$: not if $b$ is
# the chosen entry, else with probability $\frac12$: $\frac{N}{N+1} \cdot \frac12$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    s, n = bounds.rai_sigma(), sympy.Symbol("N", integer=True, positive=True)
    yield sympy.expand(s**2 + 4 * sympy.sqrt(2) / (3 * sympy.sqrt(sympy.pi)) * s), sympy.Integer(1)
    t = sympy.Symbol("t", positive=True)
    # Beta(2, 1) has the density 2 t on [0, 1]: mean 2/3, second moment 1/2; a normal's mean of |X| is sqrt(2 / pi)
    yield sympy.integrate(2 * t * t, (t, 0, 1)), sympy.Rational(2, 3)
    yield 2 * sympy.Rational(2, 3) * sympy.sqrt(2 / sympy.pi), 4 * sympy.sqrt(2) / (3 * sympy.sqrt(sympy.pi))
    yield "every N: dead at 0", (1 - 1 / (n + 1)) / 2, n / (2 * (n + 1))


# %% [markdown]
# ## Decision
#
# Every place of the positive entry and every sign of the others.


# %%
@claim.decide("sign patterns")
def patterns(depth: str) -> Iterator[tuple[object, ...]]:
    for n in (1, 2, 3):
        domain = Polyhedron.orthant(n)
        for place in range(n + 1):
            for signs in product((-1, 1), repeat=n):
                row = [*(s * (3 + i) for i, s in enumerate(signs))]
                row.insert(place, 1)
                net = Network.from_layers([([row[1:]], [row[0]], "relu")])
                (report,) = deadness.decide(net, domain)
                verdict = report.verdicts[0]
                proof = as_certificate([verdict.claim], net.digest, domain.checked.digest(), report.points)
                accepted = len(checker.check(proof, net.checked, domain.checked)) == 1
                yield f"N = {n}", verdict.status is deadness.Status.DEAD, False, accepted


@claim.enumerate("sign patterns")
def at_zero(depth: str) -> Iterator[tuple[object, ...]]:
    for n in range(1, 6):
        biases = [1 if place == n else signs[-1] for place in range(n + 1) for signs in product((-1, 1), repeat=n)]
        yield f"N = {n}", Fraction(sum(b <= 0 for b in biases), len(biases)), Fraction(n, 2 * (n + 1))


# %% [markdown]
# ## Sampling


# %%
@claim.sample("probabilities", trials=200_000, seed=120)
def layers(trials: int, seed: int, depth: str) -> Iterator[tuple[object, ...]]:
    for n in (1, 3, 8):
        weights, bias = Initialisation("rai").layers(np.random.default_rng([seed, n]), trials, n, 1)
        yield f"N = {n}: dead at 0", int((bias[:, 0] <= 0).sum()), Fraction(n, 2 * (n + 1))
        dead = (weights <= 0).all(axis=2) & (bias <= 0)
        yield f"N = {n}: dead on the orthant", int(dead.sum()), Fraction(0)


# %% [markdown]
# ## Neighbour that fails
#
# A symmetric law kills the orthant with probability $2^{-N^2-N}$.


# %%
@claim.neighbour("one entry of each row is positive")
def symmetric(depth: str) -> Iterator[tuple[object, ...]]:
    for n in (1, 2, 3):
        yield bounds.orthant_kill(n), Fraction(0)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
