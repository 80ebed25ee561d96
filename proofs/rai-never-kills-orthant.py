# %% [markdown]
# # Randomised asymmetric initialisation
#
# **Notation.** A layer has $N$ inputs and $N$ neurons. A row has $N$ weights and a bias. One of these $N + 1$ entries,
# chosen uniformly, is Beta(2, 1), the others are normal with mean 0 and deviation $\sigma / \sqrt N$,
# $\sigma = \sqrt{1 + \frac{8}{9 \pi}} - \frac{2 \sqrt 2}{3 \sqrt \pi} \approx 0.6007$; all are independent.
# (The summaries that we had name this initialisation without defining it; the definition is that of the published
# paper, Dying ReLU and initialization, Communications in Computational Physics 28, 2020.)
#
# **Statement.** No layer kills the orthant $\mathbb R^N_+$. (It can kill parts of it: at $y = 0$ a neuron is dead with
# probability $\frac{N}{2 (N + 1)}$.) $\sigma$ is the positive root $s$ of the moment equation
# $$E (V + s \max(G, 0))^2 = 1, \quad V \sim \text{Beta}(2, 1), \ G \sim N(0, 1) \text{ independent}:
#   \qquad s^2 + \tfrac{4 \sqrt 2}{3 \sqrt \pi} s = 1,$$
# and with it the second moment does not grow: $E |\max(Wy + b, 0)|^2 \le |y|^2 + 1$ for each $y \in \mathbb R^N_+$.

# %%
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import numpy as np
import sympy

from geomrelu import Status, checker, decide
from geomrelu.certificates.files import as_certificate
from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.network import Network
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.initialisation import Initialisation
from geomrelu.random_networks.orbit import dead_neurons_orbit

claim = Claim(
    label="rai-never-kills-orthant",
    title="Asymmetric initialisation never kills the orthant",
    statement="asymmetric initialisation: no layer is dead on R^N_+; at 0 a neuron is, with probability N / (2N + 2)",
    latex=r"P(\mathbb R^N_+ \subseteq D) = 0, \quad P(b \le 0) = \frac{N}{2(N+1)}",
    source="Lu, Shin, Su & Karniadakis, section 4",
    hypotheses=(
        "one entry of each row is positive",
        "the domain is all of R^N_+",
    ),
    uses=("orthant-kill",),
)

# %% [markdown]
# ## Proof
#
# **Step 1.** By [`orthant-kill`](orthant-kill.py) a neuron is dead on the orthant if and only if none of its parameters
# is positive. The Beta entry is positive with probability 1. At $y = 0$ the neuron is dead if $b \le 0$: not if $b$ is
# the chosen entry, else with probability $\frac12$: $\frac{N}{N+1} \cdot \frac12$.
#
# **Step 2 (one neuron).** Let $Y = (y, 1) \in \mathbb R^{N+1}_+$. If entry $k$ is the chosen one, the neuron is
# $V Y_k + \tau_k G$ with $\tau_k^2 = \frac{s^2}{N} \sum_{i \ne k} Y_i^2 \le \frac{s^2}{N} |Y|^2$. As $V Y_k \ge 0$, its
# positive part is at most $V Y_k + \tau_k \max(G, 0)$, so its second moment is at most
# $$E V^2\, Y_k^2 + 2 E V\, E \max(G, 0)\, Y_k \tau_k + E \max(G, 0)^2\, \tau_k^2.$$
#
# **Step 3 (a layer).** The mean over $k$ and the sum over the $N$ neurons multiply by $\frac{N}{N+1}$ and sum over $k$.
# There $\sum_k Y_k^2 = |Y|^2$, $\sum_k \tau_k^2 = s^2 |Y|^2$, and by the inequality of Cauchy and Schwarz
# $\sum_k Y_k \tau_k \le s |Y|^2$. As $\frac{N}{N+1} < 1$,
# $$E |\max(Wy + b, 0)|^2 \le \tfrac{N}{N+1} |Y|^2 \left(E V^2 + 2 s\, E V\, E \max(G, 0) + s^2 E \max(G, 0)^2\right)
#   = \tfrac{N}{N+1} |Y|^2\, E (V + s \max(G, 0))^2,$$
# because $V$ and $G$ are independent. The last factor grows with $s$ and is 1 for $s = \sigma$: $E V = \frac23$,
# $E V^2 = \frac12$, $E \max(G, 0) = \frac1{\sqrt{2 \pi}}$, $E \max(G, 0)^2 = \frac12$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    n, s = sympy.Symbol("N", integer=True, positive=True), sympy.Symbol("s", positive=True)
    yield "every N: dead at 0", (1 - 1 / (n + 1)) / 2, n / (2 * (n + 1))
    # Step 3: the moments by integration; Beta(2, 1) has the density 2 v on [0, 1]
    v, g = sympy.symbols("v g", positive=True)
    normal = sympy.exp(-(g**2) / 2) / sympy.sqrt(2 * sympy.pi)
    first, second = (sympy.integrate(2 * v * v**k, (v, 0, 1)) for k in (1, 2))
    half_first, half_second = (sympy.integrate(g**k * normal, (g, 0, sympy.oo)) for k in (1, 2))
    yield "E V", first, sympy.Rational(2, 3)
    yield "E max(G, 0)", half_first, 1 / sympy.sqrt(2 * sympy.pi)
    growth = second + 2 * s * first * half_first + s**2 * half_second
    whole = sympy.integrate(2 * v * sympy.integrate((v + s * g) ** 2 * normal, (g, 0, sympy.oo)), (v, 0, 1))
    silent = second / 2  # where G <= 0, with probability 1/2, V^2 is left
    yield "E (V + s max(G, 0))^2", sympy.expand(whole + silent), growth
    roots = sympy.solve(sympy.Eq(growth, 1), s)
    yield "positive roots of the moment equation", sympy.Integer(len(roots)), sympy.Integer(1)
    yield "sigma", roots[0], closed_forms.rai_sigma()
    # Steps 2 and 3 for N = 1, 2, 3: the sum over k of the variances tau_k^2
    for width in (1, 2, 3):
        y = [*sympy.symbols(f"y:{width}", positive=True), sympy.Integer(1)]
        taus = [s**2 / width * sum(c**2 for i, c in enumerate(y) if i != k) for k in range(width + 1)]
        yield sum(taus), s**2 * sum(c**2 for c in y)


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
                (report,) = decide(net, domain)
                verdict = report.verdicts[0]
                proof = as_certificate([verdict.claim], net.digest, domain.checked.digest(), report.points)
                accepted = len(checker.check(proof, net.checked, domain.checked)) == 1
                yield f"N = {n}", verdict.status is Status.DEAD, False, accepted


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
        yield closed_forms.orthant_kill(n), Fraction(0)


@claim.neighbour("the domain is all of R^N_+")
def bounded(depth: str) -> Iterator[tuple[object, ...]]:
    """A row with one positive entry, as it may be drawn, on the unit square: max(x / 2 - y - 1, 0) is 0 there."""
    square = Polyhedron.box([(0, 1), (0, 1)])
    profiles, _ = dead_neurons_orbit([([[Fraction(1, 2), -1]], [-1])], square, "none")
    yield profiles[(1,)], 0


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
