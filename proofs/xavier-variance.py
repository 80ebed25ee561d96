# %% [markdown]
# # The variance of Xavier's initialisation, as printed
#
# **Notation.** $\tilde F = a \cdot x + b$ is the pre-activation of a neuron in the first layer of a network of width
# $n$; the data $x$ are whitened: mean 0, covariance the identity.
#
# **Statement.** "Assume that the network parameters have variance $\sigma_\theta^2 = n$, as in the Xavier
# initialization scheme", so that by eq. 12, $E_\theta[\sigma^2(\tilde F \mid \theta)] = n \sigma_\theta^2$, "the
# pre-ReLU variance does not increase with each layer": it is at most 1, the variance of each input.
#
# **What is wrong.** Eq. 12 is right, but with $\sigma_\theta^2 = n$ it is $n^2$. Xavier's variance for $n$ inputs and
# $n$ outputs is $\frac2{n + n} = \frac1n$: [`xavier-variance-corrected`](xavier-variance-corrected.py).

# %%
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import prod
from operator import mul
from statistics import pvariance

from geomrelu.claims.registry import Again, Claim
from geomrelu.random_networks.initialisation import SCALES

claim = Claim(
    label="xavier-variance",
    title="Xavier's variance, as printed",
    statement="Xavier's variance is n, so by eq. 12 the pre-activations of whitened data have variance at most 1",
    latex=r"\sigma_\theta^2 = n \text{ as in Xavier's scheme}, \quad E_\theta[\sigma^2(\tilde F \mid \theta)] \le 1",
    source="Rister & Rubin, section 5, before eq. 12",
    hypotheses=("parameters independent with mean 0 and variance n", "data whitened"),
    correction="xavier-variance-corrected",
)

# %% [markdown]
# ## Search
#
# The data are the corners of $[-1, 1]^n$, which are whitened; each parameter is $\pm n$ with probability $\frac1{2n}$
# each, and 0 else, which has variance $n$. All parameters are walked. Then the variance itself, as
# `geomrelu.random_networks.initialisation` has it, for powers of 4 (where its floating-point square root is exact).

# %%
AGAIN = """
from fractions import Fraction
from itertools import product
from math import prod
from statistics import pvariance
n = {n}
law = {{n: Fraction(1, 2 * n), -n: Fraction(1, 2 * n), 0: 1 - Fraction(1, n)}}  # variance n
data = list(product((1, -1), repeat=n))
total = 0
for b, *a in product(law, repeat=n + 1):
    z = [Fraction(b + sum(s * t for s, t in zip(a, x))) for x in data]
    total += prod(law[v] for v in (b, *a)) * pvariance(z)
print(total)
"""


@claim.enumerate("widths")
def variances(depth: str) -> Iterator[tuple[object, ...]]:
    for n in (1, 2, 3):
        law = {n: Fraction(1, 2 * n), -n: Fraction(1, 2 * n), 0: 1 - Fraction(1, n)}
        data, found = list(product((1, -1), repeat=n)), Fraction(0)
        for b, *a in product(law, repeat=n + 1):
            spread = pvariance([Fraction(b + sum(map(mul, a, x))) for x in data])
            found += prod(law[v] for v in (b, *a)) * spread
        yield f"n = {n}: variance of F~", found, "<=", 1, Again(AGAIN.format(n=n).strip())


@claim.enumerate("widths")
def xavier(depth: str) -> Iterator[tuple[object, ...]]:
    for n in (1, 4, 16):
        again = "from fractions import Fraction\nfrom geomrelu.random_networks.initialisation import SCALES\n"
        again += f"print(Fraction(SCALES['xavier']({n}, {n})) ** 2)"
        yield f"n = {n}: Xavier's variance", Fraction(SCALES["xavier"](n, n)) ** 2, n, Again(again)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
