# %% [markdown]
# # The variance in later layers, as printed
#
# **Statement (false as printed).** Data with mean 0 and covariance 1, parameters independent with mean 0 and "variance
# $\sigma_\theta^2 = n$". After eq. 12, $E_\theta \sigma^2(\tilde F \mid \theta) = n \sigma_\theta^2$: "This shows that
# the pre-ReLU variance does not increase with each layer. A similar computation can be applied to later layers, by
# canceling terms involving uncorrelated features."
#
# **What is wrong.** With the variance as printed it does increase, from layer to layer. And the features of later
# layers are correlated: all of them are functions of the same data. That is no obstacle, as the mean over the weights
# cancels these terms. What holds: [`later-variance-corrected`](later-variance-corrected.py).

# %%
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from statistics import pvariance

from geomrelu.claims.registry import Again, Claim

claim = Claim(
    label="later-variance",
    title="The variance in later layers, as printed",
    statement="parameters of variance n: the variance of the pre-activations does not increase with each layer",
    latex=r"\sigma_\theta^2 = n: \quad E_\theta \operatorname{Var}(\tilde F_{k+1} \mid \theta) \le "
    r"E_\theta \operatorname{Var}(\tilde F_k \mid \theta)",
    source="Rister & Rubin, section 5, after eq. 12",
    hypotheses=("parameters independent with mean 0 and variance n", "data whitened"),
    correction="later-variance-corrected",
)

AGAIN = Again(
    "from fractions import Fraction\nfrom itertools import product\nfrom statistics import pvariance\n"
    "sizes = [s * Fraction(v, 5) for v in (6, 8) for s in (1, -1)]\n"
    "data = list(product((1, -1), repeat=2))\ntotal = Fraction(0)\n"
    "for a1, a2, b in product(sizes, repeat=3):\n"
    "    total += pvariance([max(a1 * x1 + a2 * x2 + b, Fraction(0)) for x1, x2 in data])\n"
    "print(2 * 2 * total / 64)"
)

# %% [markdown]
# ## Search
#
# $n = 2$, data $(\pm 1, \pm 1)$ (mean 0, covariance 1), parameters uniform on $\pm \frac65, \pm \frac85$, of variance
# $\frac12 \cdot \frac{36 + 64}{25} = 2$. Given layer 1, the mean over the weights of layer 2 of $\operatorname{Var}
# \tilde F_2$ is $\sigma_\theta^2 \sum_i \operatorname{Var} F_{1, i}$.


# %%
@claim.enumerate("layers")
def layers(depth: str) -> Iterator[tuple[object, ...]]:
    sizes = [s * Fraction(v, 5) for v in (6, 8) for s in (1, -1)]
    data = list(product((1, -1), repeat=2))
    yield "the variance of a parameter", sum(v * v for v in sizes) / 4, 2
    before = after = Fraction(0)
    for a1, a2, b in product(sizes, repeat=3):
        z = [a1 * x1 + a2 * x2 + b for x1, x2 in data]
        before += pvariance(z) / 64
        after += pvariance([max(v, Fraction(0)) for v in z]) / 64
    yield "layer 1: eq. 12", before, 2 * 2
    yield "layer 2, against layer 1", 2 * 2 * after, "<=", before, AGAIN


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
