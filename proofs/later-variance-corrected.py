# %% [markdown]
# # The variance from layer to layer
#
# **Notation.** Layers of widths $n_1, n_2, \dots$, $\tilde F_k$ the pre-activations and $F_k = \max(\tilde F_k, 0)$ the
# outputs of layer $k$, at random data; $V_k = \frac1{n_k} \sum_i E_\theta \operatorname{Var}(\tilde F_{k, i} \mid
# \theta)$.
#
# **Statement.** Let the weights of layer $k + 1$ be uncorrelated, with mean 0 and variance $\sigma_{k+1}^2$, and
# independent of the layers before; its bias may be anything. (i) For every neuron of layer $k + 1$, and whatever the
# correlations of the outputs of layer $k$,
# $$E_\theta \operatorname{Var}(\tilde F_{k+1, j} \mid \theta)
#   = \sigma_{k+1}^2 \sum_i E_\theta \operatorname{Var}(F_{k, i} \mid \theta).$$
# (ii) If the rows of layer $k$ have the law of their negatives and are independent of the layers before,
# $$V_{k+1} \le \tfrac12\, n_k\, \sigma_{k+1}^2\, V_k.$$
# So for $\sigma^2 = \frac2n$ (He) the variance does not increase, for $\frac1n$ (Xavier) it is at least halved in every
# layer, and for $\sigma^2 = n$, as printed, it can grow ([`later-variance`](later-variance.py)).

# %%
from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise, product
from statistics import pvariance

import sympy

from geomrelu.claims.registry import Claim

claim = Claim(
    label="later-variance-corrected",
    title="The variance from layer to layer",
    statement="V_(k+1) <= n s^2 V_k / 2 for weights of variance s^2: no increase for He's, halved for Xavier's",
    latex=r"E_\theta \operatorname{Var}(\tilde F_{k+1} \mid \theta) = \sigma_\theta^2 \sum_i E_\theta "
    r"\operatorname{Var}(F_{k,i} \mid \theta), \quad V_{k+1} \le \tfrac12 n \sigma_\theta^2 V_k",
    source="Rister & Rubin, section 5, after eq. 12 (corrected)",
    hypotheses=(
        "weights of a neuron uncorrelated",
        "weights with mean 0",
        "for (ii): rows symmetric",
        "layers independent",
    ),
    uses=("variance-step-corrected",),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (i).** Fix the layers up to $k$, and let $C$ be the covariance matrix of $F_k$ over the data. A bias does not
# change a variance, so $\operatorname{Var}(\tilde F_{k+1, j}) = \sum_{i, i'} a_i a_{i'} C_{i i'}$. In the mean over the
# weights only $i = i'$ is left: $\sigma_{k+1}^2 \operatorname{tr} C$. Then take the mean over the layers before.
#
# **Step 2 (ii).** By [`variance-step-corrected`](variance-step-corrected.py) (ii), for each neuron of layer $k$ given
# the layers before it, $E \operatorname{Var}(F_{k, i}) \le \frac12 E \operatorname{Var}(\tilde F_{k, i})$. Insert it
# into (i): $V_{k+1} \le \sigma_{k+1}^2 \cdot \frac12 n_k V_k$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    # Step 1: outputs of n features at m data as symbols; the mean over weights, monomial by monomial
    square = sympy.Symbol("s", positive=True)
    for n, m in ((1, 2), (2, 2), (2, 3), (3, 3)):
        a = sympy.symbols(f"a1:{n + 1}")
        outputs = [sympy.symbols(f"f{i}_1:{m + 1}") for i in range(n)]
        values = [sum(a[i] * outputs[i][x] for i in range(n)) + sympy.Symbol("b") for x in range(m)]
        terms = sympy.Poly(sympy.expand(_variance(values)), *a).terms()
        mean = sum(c * square ** (sum(powers) // 2) for powers, c in terms if not any(p % 2 for p in powers))
        yield f"{n} features, {m} data", mean, square * sum(_variance(list(f)) for f in outputs)
    n, v = sympy.symbols("n v", positive=True)
    yield "He", n * (2 / n) * v / 2, v
    yield "Xavier", n * (1 / n) * v / 2, v / 2


def _variance(values: Sequence[sympy.Expr]) -> sympy.Expr:
    mean = sum(values, sympy.Integer(0)) / len(values)
    return sum(((v - mean) ** 2 for v in values), sympy.Integer(0)) / len(values)


# %% [markdown]
# ## Enumeration
#
# Random magnitudes, all sign choices (independent fair signs make the weights uncorrelated, with mean 0; the variance
# of weight $a_{ji}$ is its square, so (i) reads $\sum_i a_{ji}^2 \operatorname{Var} F_{k,i}$): two and three layers on
# random data, with correlated features.

# %%
Layer = tuple[list[list[Fraction]], list[Fraction]]


def variances(layers: Sequence[Layer], data: Sequence[Sequence[Fraction]]) -> tuple[Fraction, Fraction, Fraction]:
    """Means over all sign choices of the last layer's Var, of the sum of a^2 Var of its inputs, and of half the latter
    with the pre-activations of the layer before (all for the first neuron of the last layer)."""
    found, size = [Fraction(0)] * 3, 0
    *before, (weights, bias) = layers
    for choice in _signed(before):
        values, z = [list(x) for x in data], [list(x) for x in data]
        for rows, shift in choice:
            z = [
                [
                    b + sum((u * v for u, v in zip(a, x, strict=True)), Fraction(0))
                    for a, b in zip(rows, shift, strict=True)
                ]
                for x in values
            ]
            values = [[max(v, Fraction(0)) for v in x] for x in z]
        inputs, pre = ([pvariance(column) for column in zip(*table, strict=True)] for table in (values, z))
        for signs in product((1, -1), repeat=len(weights[0])):
            row = [s * a for s, a in zip(signs, weights[0], strict=True)]
            found[0] += pvariance(
                [bias[0] + sum((u * v for u, v in zip(row, y, strict=True)), Fraction(0)) for y in values]
            )
            found[1] += sum((a * a * v for a, v in zip(row, inputs, strict=True)), Fraction(0))
            found[2] += sum((a * a * v for a, v in zip(row, pre, strict=True)), Fraction(0)) / 2
            size += 1
    return found[0] / size, found[1] / size, found[2] / size


def _signed(layers: Sequence[Layer]) -> Iterator[list[Layer]]:
    free = sum(len(b) * (1 + len(w[0])) for w, b in layers)
    for signs in product((1, -1), repeat=free):
        s = iter(signs)
        yield [([[next(s) * a for a in row] for row in w], [next(s) * v for v in b]) for w, b in layers]


def some(widths: Sequence[int], rng: random.Random) -> list[Layer]:
    return [
        (
            [[Fraction(rng.randint(1, 99), 10) for _ in range(n)] for _ in range(m)],
            [Fraction(rng.randint(1, 99), 10)] * m,
        )
        for n, m in pairwise(widths)
    ]


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(330)
    shapes = [(1, 2, 1), (2, 2, 1), (2, 1, 2, 1), (1, 2, 2, 1)]
    for widths in [*shapes, (2, 3, 1), (1, 1, 2, 2, 1)] if depth == "thorough" else shapes:
        for _ in range(2):
            data = [[Fraction(rng.randint(-9, 9)) for _ in range(widths[0])] for _ in range(3)]
            last, exact, most = variances(some(widths, rng), data)
            yield last, exact
            yield exact, "<=", most


# %% [markdown]
# ## Neighbours that fail
#
# *Correlated weights* (two equal ones on two equal features): twice as much. *Weights with a mean*: all 1, the features
# again equal. *Rows with one sign*: data that all live keep their variance, and (ii) loses the factor $\frac12$.
# *Layers that are not independent*: a weight of layer 2 that is the square of the one of layer 1 is large where the
# output varies.


# %%
@claim.neighbour("weights of a neuron uncorrelated; weights with mean 0; for (ii): rows symmetric; layers independent")
def others(depth: str) -> Iterator[tuple[object, ...]]:
    outputs = [Fraction(1), Fraction(4)]  # of each of two equal neurons of layer 1, at two data
    both = [pvariance([s * v + s * v for v in outputs]) for s in (1, -1)]
    yield sum(both) / 2, 2 * pvariance(outputs)
    yield pvariance([v + v for v in outputs]), 2 * pvariance(outputs)
    yield pvariance([max(v, Fraction(0)) for v in outputs]), "<=", pvariance(outputs) / 2
    # f = max(a x, 0) on x = 1, 4 with a = 1, 2; next weight +-a^2, of variance (1 + 16) / 2
    tied = [pvariance([s * a * a * a * x for x in outputs]) for a in (1, 2) for s in (1, -1)]
    free = sum(pvariance([a * x for x in outputs]) for a in (1, 2)) / 2
    yield sum(tied) / 4, Fraction(17, 2) * free


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
