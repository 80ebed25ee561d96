# %% [markdown]
# # Assumption 5.1: the sum of the normalised variances, as printed
#
# **Statement (false as printed).** Let $\lambda_k = E[F_k(x) \mid \theta]$ and $\sigma(F_k(x) \mid \theta)$ be the mean
# and the standard deviations of the outputs of layer $k$ over the data. Then
# $$\Sigma(n) = \sum_{k=1}^\infty E_{\theta \mid A_k} \frac{\lVert \sigma(F_k(x) \mid \theta) \rVert^2}
#   {\lVert \lambda_k \rVert^2} \in o(2^n) \qquad \text{(eq. 11)},$$
# which is said to follow "from some common assumptions about the data and parameters" and is the hypothesis under which
# the lower bound is shown to be tight.
#
# **What is wrong.** The sum need not be finite, nor small. *Without biases* (the default of several frameworks starts
# with biases 0) data on one ray keep their ratios in every living network: each term is the same number, for every
# width. *With biases*, for every law without atoms, take the data $R x$ and $2 R x$. As $R \to \infty$, living
# networks are those that live without their biases
# ([`tight-along-paths-corrected`](tight-along-paths-corrected.py), Step 3), and each term tends to $\frac19$. So for
# every $n$ there are two data for which the first $9 \cdot 4^n$ terms make the sum larger than $2^n$. It can also be
# infinite with biases: in width one, with all parameters between 4 and 8 in size, each term is at least $\frac1{10}$
# ([`eigenvalue-any-width-corrected`](eigenvalue-any-width-corrected.py)), and where parameters lie between 2 and 3,
# the terms do not fall in seven layers.
#
# *Without biases* the assumption is not needed: data on a ray live and die together, and $\mathcal P = \ell$ exactly.
# *With biases* they need not (width 1, $|a| = 2$, $|b| = 3$, data 1 and 2: $\mathcal P(1, 1) = \frac34$, not
# $\frac12$). What is needed is in [`tight-along-paths-corrected`](tight-along-paths-corrected.py): $\sum_j P(X_j) \in
# o(2^n)$ for the events that some neuron takes both signs on the living data.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product

from geomrelu.claims.registry import Again, Claim

claim = Claim(
    label="assumption-5-1",
    title="The sum of the normalised variances, as printed",
    statement="the normalised variances of the outputs of living networks, summed over all layers, are in o(2^n)",
    latex=r"\Sigma(n) = \sum_{k=1}^\infty E_{\theta \mid A_k} "
    r"\frac{\lVert \sigma(F_k) \rVert^2}{\lVert \lambda_k \rVert^2} \in o(2^n)",
    source="Rister & Rubin, section 5, assumption 5.1, eq. 11",
    hypotheses=("parameters independent, symmetric", "data whitened or not: any finite set"),
    correction="tight-along-paths-corrected",
)

Layers = Sequence[tuple[Sequence[Sequence[Fraction]], Sequence[Fraction]]]

AGAIN = Again(
    "from fractions import Fraction\nterm, total = None, Fraction(0)\n"
    "values = [[Fraction(1), Fraction(2)], [Fraction(2), Fraction(4)]]\n"
    "for _ in range(2 * 9 * 4):\n"
    "    values = [[3 * u + v, u + 2 * v] for u, v in values]\n"
    "    mean = [(values[0][i] + values[1][i]) / 2 for i in range(2)]\n"
    "    spread = sum((x[i] - mean[i]) ** 2 for x in values for i in range(2)) / 2\n"
    "    total += spread / sum(m * m for m in mean)\nprint(total)"
)

# %% [markdown]
# ## Search
#
# All sign choices of random magnitudes: the mean of the normalised variance over the living ones. Width 2
# without biases on the data $x, 2x$: each term is $\frac19$, and $2 \cdot 9 \cdot 2^n$ layers give $2 \cdot 2^n$; with
# biases, far out, each is nearly $\frac19$.
# Width 1 with biases and magnitudes in $[2, 3]$ on the data 1 and 2: the terms should fall to 0, and do not.


# %%
def normalised(values: list[list[Fraction]]) -> Fraction:
    """Sum of the variances over the square of the mean, for outputs that are not all 0."""
    n, size = len(values[0]), len(values)
    mean = [sum((x[i] for x in values), Fraction(0)) / size for i in range(n)]
    spread = sum(((x[i] - mean[i]) ** 2 for x in values for i in range(n)), Fraction(0)) / size
    return spread / sum(m * m for m in mean)


def terms(layers: Layers, data: list[list[Fraction]]) -> list[Fraction]:
    """The mean over the living sign choices, after each layer. (Biases that are 0 have no sign.)"""
    states, found = [data], []
    for weights, bias in layers:
        n, after = len(bias), []
        free = n * len(weights[0]) + (n if any(bias) else 0)
        for values in states:
            for signs in product((1, -1), repeat=free):
                s = iter(signs)
                rows = [[next(s) * a for a in row] for row in weights]
                shift = [next(s, 1) * b for b in bias]
                images = [
                    [
                        max(b + sum((u * v for u, v in zip(a, x, strict=True)), Fraction(0)), Fraction(0))
                        for a, b in zip(rows, shift, strict=True)
                    ]
                    for x in values
                ]
                if any(any(y) for y in images):
                    after.append(images)
        states = after
        found.append(sum(map(normalised, states), Fraction(0)) / len(states))
    return found


@claim.enumerate("terms and sums")
def sums(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(310)
    size = lambda: Fraction(rng.randint(20, 30), 10)  # noqa: E731
    x = [Fraction(1), Fraction(2)]
    free = [([[size(), size()], [size(), size()]], [Fraction(0)] * 2) for _ in range(2)]
    for k, term in enumerate(terms(free, [x, [2 * v for v in x]]), 1):
        yield f"n = 2 without biases, layer {k}", term, Fraction(1, 9)
    far = [[10**9 * v for v in x], [2 * 10**9 * v for v in x]]
    biased = [([[size(), size()], [size(), size()]], [size(), size()]) for _ in range(2)]
    for k, term in enumerate(terms(biased, far), 1):
        yield f"n = 2 with biases, far out, layer {k}, in millionths", int(10**6 * term), 111111
    values, total = [x, [2 * v for v in x]], Fraction(0)
    for _ in range(2 * 9 * 4):  # one of the living networks: all have this term
        values = [[3 * u + v, u + 2 * v] for u, v in values]
        total += normalised(values)
    yield "n = 2 without biases: the sum over 72 layers", total, "<=", 4, AGAIN


@claim.enumerate("terms, in millionths, that should fall", part="with biases")
def falling(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(311)
    layers = [([[Fraction(rng.randint(20, 30), 10)]], [Fraction(rng.randint(20, 30), 10)]) for _ in range(7)]
    found = [int(10**6 * term) for term in terms(layers, [[Fraction(1)], [Fraction(2)]])]
    yield "n = 1 with biases: layer 7 against layer 3", found[6], "<=", found[2] // 4


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
