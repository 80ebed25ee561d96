# %% [markdown]
# # The variance of Xavier's initialisation keeps the variance of the data
#
# **Notation.** $\tilde F = a \cdot x + b$ is the pre-activation of a neuron with $n$ inputs. The parameters have mean 0
# and variance $\sigma_\theta^2$ and are uncorrelated (independent, say). $C$ is the covariance of the data $x$.
#
# **Statement.** $E_\theta[\operatorname{Var}(\tilde F \mid \theta)] = \sigma_\theta^2 \operatorname{tr} C$; for
# whitened data ($C = 1$) this is $n \sigma_\theta^2$ (eq. 12), also if the parameters are correlated. Xavier's variance
# for $n$ inputs and $n$ outputs is $\sigma_\theta^2 = \frac2{n + n} = \frac1n$, so that the mean variance is exactly 1,
# that of each input.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from math import prod
from operator import mul
from statistics import pvariance

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.random_networks.initialisation import SCALES

claim = Claim(
    label="xavier-variance-corrected",
    title="Xavier's variance",
    statement="Xavier's variance is 1/n; whitened data then have pre-activations with variance 1 in the mean",
    latex=r"\sigma_\theta^2 = \tfrac1n: \quad E_\theta[\operatorname{Var}(\tilde F \mid \theta)] = 1",
    source="Rister & Rubin, section 5, eq. 12 (corrected)",
    hypotheses=(
        "parameters with mean 0",
        "for tr C: parameters uncorrelated",
        "data whitened",
        "as many outputs as inputs",
    ),
)

# %% [markdown]
# ## Proof
#
# **Step 1.** For fixed $\theta$, $\operatorname{Var}(a \cdot x + b) = a^T C a = \sum_{i,j} C_{ij} a_i a_j$; the bias
# only moves the mean. $E[a_i a_j] = 0$ for $i \ne j$ (where $C_{ij} = 0$ this is not needed) and $E[a_i^2] =
# \sigma_\theta^2$. So the mean is $\sigma_\theta^2 \operatorname{tr} C$, and $\operatorname{tr} 1 = n$.
#
# **Step 2.** Glorot and Bengio draw weights uniformly from $\pm \sqrt{6 / (n_{\text{in}} + n_{\text{out}})}$; a uniform
# law on $[-w, w]$ has variance $\frac{w^2}3$, which is $\frac2{n_{\text{in}} + n_{\text{out}}}$, and $\frac1n$ if both
# are $n$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    # Step 1, over symbolic data: the mean over independent parameters, power by power
    s, b = sympy.symbols("s b")
    for n, points in ((1, 2), (1, 3), (2, 3), (3, 4)):
        a = sympy.symbols(f"a1:{n + 1}")
        data = [sympy.symbols(f"x{k}_1:{n + 1}") for k in range(points)]
        values = [sum(map(mul, a, x)) + b for x in data]
        mean = sum(values) / points
        variance = sympy.Poly(sympy.expand(sum((v - mean) ** 2 for v in values) / points), *a, b)
        expected = sum(c * s ** (sum(powers) // 2) for powers, c in variance.terms() if not any(p % 2 for p in powers))
        trace = sum(sum(x[i] ** 2 for x in data) / points - (sum(x[i] for x in data) / points) ** 2 for i in range(n))
        yield f"n = {n}, {points} points: s tr C", expected, s * trace
    # Step 2
    w, t, m, n = sympy.symbols("w t m n", positive=True)
    uniform = sympy.integrate(t**2 / (2 * w), (t, -w, w))
    yield "Xavier's variance, m inputs, n outputs", uniform.subs(w, sympy.sqrt(6 / (m + n))), 2 / (m + n)
    yield "every n: eq. 12", n * uniform.subs(w, sympy.sqrt(6 / (n + n))), sympy.Integer(1)


# %% [markdown]
# ## Enumeration
#
# *Whitened data*: the corners of $[-1, 1]^n$, and for $n = 2$ also the points $(\pm \frac75, \pm \frac15)$ and $(\pm
# \frac15, \pm \frac75)$; each parameter is $\pm 1$ with probability $\frac1{2n}$ each, and 0 else, which has variance
# $\frac1n$. All parameters are walked. *Other data*: the trace. *The scale* of
# `geomrelu.random_networks.initialisation`, for powers of 4 (where its floating-point square root is exact).


# %%
def mean_variance(data: Sequence[Sequence[Fraction]]) -> Fraction:
    n, found = len(data[0]), Fraction(0)
    law = {1: Fraction(1, 2 * n), -1: Fraction(1, 2 * n), 0: 1 - Fraction(1, n)}
    for b, *a in product(law, repeat=n + 1):
        found += prod(law[v] for v in (b, *a)) * pvariance([b + sum(map(mul, a, x), Fraction(0)) for x in data])
    return found


@claim.enumerate("sets of data, and scales")
def variances(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(200)
    for n in range(1, 6 if depth == "thorough" else 5):
        corners = [list(map(Fraction, x)) for x in product((1, -1), repeat=n)]
        yield f"n = {n}: corners", mean_variance(corners), 1
        data = [[Fraction(rng.randint(-99, 99), 7) for _ in range(n)] for _ in range(5)]
        yield mean_variance(data), sum(pvariance(column) for column in zip(*data, strict=True)) / n
    fifths = [[Fraction(s * p, 5), Fraction(t * q, 5)] for p, q in ((7, 1), (1, 7)) for s in (1, -1) for t in (1, -1)]
    yield "n = 2: eight points", mean_variance(fifths), 1
    for n in (1, 4, 16, 64):
        yield f"n = {n}: Xavier's variance", Fraction(SCALES["xavier"](n, n)) ** 2, Fraction(1, n)


# %% [markdown]
# ## Neighbours that fail
#
# *Data that are not whitened*: corners of $[-2, 2]^n$ have variance 4. *Mean not 0*: $n = 1$ and $a$ is 0 or 2, with
# variance 1, but $E a^2 = 2$. *Correlated parameters*: all weights equal, on data with equal coordinates (whose
# covariance has trace $n$ as well): $n$. *Fewer outputs than inputs*: Xavier's variance for 12 inputs and 4 outputs is
# $\frac18$, not $\frac1{12}$.


# %%
@claim.neighbour("data whitened; parameters with mean 0; for tr C: parameters uncorrelated; as many outputs as inputs")
def others(depth: str) -> Iterator[tuple[object, ...]]:
    yield mean_variance([list(map(Fraction, x)) for x in product((2, -2), repeat=2)]), 1
    yield sum(pvariance([Fraction(a * x) for x in (1, -1)]) for a in (0, 2)) / 2, 1
    same = sum(pvariance([Fraction(a * (x + x)) for x in (1, -1)]) for a in (1, -1, 0, 0)) / 4
    yield same, 1
    yield Fraction(2, 12 + 4), Fraction(1, 12)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
