# %% [markdown]
# # Batch normalisation: a living data point, as printed
#
# **Notation.** As in [`batch-norm-lives-corrected`](batch-norm-lives-corrected.py): the pre-activations of every neuron
# are shifted so that their mean over the data is 0 (and scaled by something positive). A data point is dead at layer
# $k$ if no neuron of the layer is positive at it, and "is then dead in any layer after $k$ as well" (section 2 of the
# paper); it lives if it is dead at no layer.
#
# **Statement.** "Batch normalization provides a similar guarantee" as sign flipping: "if
# $\mathbb E[\tilde F_k(x) \mid \theta] = 0$ for all $k$, then with probability one there is at least one living data
# point."
#
# Without data points that differ this is false at once (all pre-activations are 0), so let them differ. Then it is true
# for one layer, and false from two layers on: the point at which layer 2 is positive may have been killed by layer 1.
# It is false also if the mean is taken over the living points alone.
# [`batch-norm-lives-corrected`](batch-norm-lives-corrected.py) says what is true.

# %%
from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, product

from geomrelu.claims.registry import Again, Claim

claim = Claim(
    label="batch-norm-lives",
    title="Batch normalisation, as printed",
    statement="if the pre-activations of every neuron have mean 0 over the data, at least one data point lives",
    latex=r"\mathbb E[\tilde F_k(x) \mid \theta] = 0 \text{ for all } k \Rightarrow \text{some data point lives}",
    source="Rister & Rubin, section 6",
    hypotheses=("weights independent, symmetric, no atoms", "the data are not all equal"),
    correction="batch-norm-lives-corrected",
)

# %% [markdown]
# ## Proof that it is false
#
# Let $n = 1$ and let there be two data points. After layer 1 one of them, $p$, has the output $c > 0$, the other, $q$,
# has 0 and is dead. In layer 2 the pre-activations are $\frac{ac}{2}$ at $p$ and $-\frac{ac}{2}$ at $q$. If $a < 0$,
# with probability $\frac12$, layer 2 kills $p$, and no point lives. In the same way a point that is left after $k$
# layers is left after $k + 1$ with probability $\frac12$: the probability that one lives is $2^{-(k-1)}$. If the mean
# is taken over the living points, then the only one left has pre-activation 0 in layer 2, and is dead: the probability
# is 0 for $k \ge 2$. $\square$
#
# ## Enumeration
#
# All sign choices of the weights, $|a| = 1, 2, \dots$ in layers 1, 2, ... (biases cancel): the fraction after which a
# data point lives. Fewer data first, then fewer layers.


# %%
def living(weights: Sequence[int], data: Sequence[int]) -> int:
    """How many points live to the end of a network of width 1."""
    x, alive = [Fraction(v) for v in data], [True] * len(data)
    for a in weights:
        z = [a * v for v in x]
        z = [v - sum(z) / len(z) for v in z]
        x, alive = [max(v, Fraction(0)) for v in z], [old and v > 0 for old, v in zip(alive, z, strict=True)]
    return sum(alive)


def program(magnitudes: Sequence[int], data: Sequence[int]) -> Again:
    return Again(f"""from fractions import Fraction
from itertools import product
lives, magnitudes = 0, {list(magnitudes)}
for signs in product((1, -1), repeat=len(magnitudes)):
    x, alive = {list(data)}, [True] * {len(data)}
    for s, a in zip(signs, magnitudes):
        z = [s * a * v for v in x]
        z = [v - Fraction(sum(z), len(z)) for v in z]
        x, alive = [max(v, 0) for v in z], [old and v > 0 for old, v in zip(alive, z)]
    lives += any(alive)
print(Fraction(lives, 2 ** len(magnitudes)))""")


@claim.enumerate("data sets and depths")
def networks(depth: str) -> Iterator[tuple[object, ...]]:
    for size in range(2, 6):
        for k in range(1, 6):
            magnitudes = range(1, k + 1)
            for rest in combinations(range(1, 4), size - 1):
                data = (0, *rest)
                lives = 0
                for signs in product((1, -1), repeat=k):
                    lives += living([s * a for s, a in zip(signs, magnitudes, strict=True)], data) > 0
                shown = ", ".join(map(str, data))
                yield f"n = 1, x = {shown}, k = {k}", Fraction(lives, 2**k), Fraction(1), program(magnitudes, data)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
