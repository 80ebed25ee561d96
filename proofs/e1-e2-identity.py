# %% [markdown]
# # A layer on a set of data: all live, some, or none
#
# **Notation.** A layer of $n$ independent neurons with symmetric laws without atoms sees finitely many data points.
# $E_1$: each point has a positive neuron. $E_3$: none has. $E_2$: the rest. A neuron is *mixed* if it is positive at
# some points and negative at others; let $m$ be the probability of that.
#
# **Statement.** $P(E_3) = q^n$ with $q = \frac{1 - m}{2}$, and
# $$P(E_1 \mid E_2^c) \ge 1 - 2^{-n}.$$
# The equality in eq. 17 of the paper holds only if $m = 0$ or there is nothing else in $E_1$: for $n = 2$ and the data
# $\{e_1, -e_1\}$ it would be $\frac34$, and the value is $\frac9{10}$.

# %%
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import sympy

from geomrelu.claims import Claim

claim = Claim(
    label="e1-e2-identity",
    title="All data or none",
    statement="P(all data live | all or none) >= 1 - 2^-n; the equality of eq. 17 is false; P(none) = ((1 - m) / 2)^n",
    latex=r"P(E_1 \mid E_2^c) \ge 1 - 2^{-n}, \quad P(E_3) = \left(\tfrac{1-m}{2}\right)^n",
    source="Rister & Rubin, section 5, eq. 17 (corrected)",
    hypotheses=("neurons independent, symmetric, no atoms",),
)

# %% [markdown]
# ## Proof
#
# Without atoms no neuron is 0 at a data point. A neuron is positive everywhere, negative everywhere, or mixed; the
# first two are exchanged by flipping its signs, so each has probability $q = (1 - m)/2$, and $E_3$ is that all $n$ are
# negative everywhere: $q^n$.
#
# Take an outcome in $E_3$ and flip any nonempty set of neurons: each flipped one is positive everywhere, so the
# outcome is in $E_1$. The $2^n - 1$ sets give disjoint events with the probability of $E_3$ each: $P(E_1) \ge (2^n -
# 1) P(E_3)$, and $P(E_1 \mid E_2^c) = \frac{P(E_1)}{P(E_1) + P(E_3)} \ge 1 - 2^{-n}$. The paper takes these outcomes
# for all of $E_1$; but mixed neurons can cover the data together. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    n, e3 = sympy.symbols("n e3", positive=True)
    e1 = (2**n - 1) * e3
    yield "the least of P(E1 | E2^c)", e1 / (e1 + e3), 1 - 2**-n
    # one neuron on two points x, -x with independent a, b: mixed if |a| > |b|
    m = sympy.Rational(1, 2)
    q = (1 - m) / 2
    none, some = q**2, 2 * q * m + 2 * (m / 2) ** 2
    yield "n = 2, data e1, -e1", (1 - none - some) / (1 - some), sympy.Rational(9, 10)


# %% [markdown]
# ## Enumeration
#
# Data $\{1, -1\}$ on the line (or $\pm e_1$: only the first weight matters). For independent magnitudes with one law,
# $|a| > |b|$ or $|a| < |b|$ are equally likely; so all classes of magnitudes are walked, with all signs.


# %%
def events(n: int) -> tuple[Fraction, Fraction, Fraction]:
    """P(E1), P(E2), P(E3)."""
    counts = [0, 0, 0]
    for layer in product(product(((1, 2), (2, 1)), (1, -1), (1, -1)), repeat=n):
        points = [[s * x * a + t * b > 0 for (a, b), s, t in layer] for x in (1, -1)]
        alive = [any(p) for p in points]
        counts[0 if all(alive) else 1 if any(alive) else 2] += 1
    return tuple(Fraction(c, sum(counts)) for c in counts)


@claim.enumerate("layers")
def layers(depth: str) -> Iterator[tuple[object, ...]]:
    for n in range(1, 6 if depth == "thorough" else 5):
        all_, _, none = events(n)
        yield f"n = {n}: P(E3)", none, Fraction(1, 4**n)
        yield f"n = {n}: P(E1 | E2^c)", all_ / (all_ + none), ">=", 1 - Fraction(1, 2**n)
    all_, _, none = events(2)
    yield "n = 2: the value", all_ / (all_ + none), Fraction(9, 10)


# %% [markdown]
# ## Neighbour that fails
#
# Equality, eq. 17 as printed.


# %%
@claim.neighbour("the inequality: equality as printed in eq. 17")
def equality(depth: str) -> Iterator[tuple[object, ...]]:
    for n in (2, 3, 4):
        all_, _, none = events(n)
        yield all_ / (all_ + none), 1 - Fraction(1, 2**n)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
