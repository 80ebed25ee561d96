# %% [markdown]
# # One eigenvalue regardless of width, as printed
#
# **Statement (false as printed).** "Very deep rectifier networks concentrate all outputs towards a single eigenvalue,
# in the sense that their normalized output variance goes to zero regardless of the network width": for data $x$ and
# living networks of any width, $\|\sigma(F_k(x))\|^2 / \|E F_k(x)\|^2 \to 0$ with the depth $k$.
#
# **What is wrong.** Networks without biases are positively homogeneous: on data on one ray the outputs keep their
# proportions at every depth, so the normalised variance of a living network never changes
# ([`eigenvalue-any-width-corrected`](eigenvalue-any-width-corrected.py)). The printed text does not ask for biases in
# this sentence; the experiments of the paper have them.

# %%
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from geomrelu.claims.registry import Again, Claim

claim = Claim(
    label="eigenvalue-any-width",
    title="One eigenvalue regardless of width, as printed",
    statement="the normalised variance of the outputs of living networks goes to 0 with the depth, for every width",
    latex=r"\frac{\lVert \sigma(F_k) \rVert^2}{\lVert E F_k \rVert^2} \to 0 \quad \text{for every width}",
    source="Rister & Rubin, abstract and section 5",
    hypotheses=("the network is alive",),
    correction="eigenvalue-any-width-corrected",
)

AGAIN = Again(
    "from fractions import Fraction\nvalues = [1, 2]\n"
    "for _ in range(64):\n    values = [max(2 * v, 0) for v in values]\n"
    "mean = Fraction(sum(values), 2)\nprint(sum((v - mean) ** 2 for v in values) / 2 / mean**2)"
)


def normalised(values: list[Fraction]) -> Fraction:
    mean = sum(values, Fraction(0)) / len(values)
    return sum(((v - mean) ** 2 for v in values), Fraction(0)) / len(values) / mean**2


# %% [markdown]
# ## Search
#
# Width one, every weight 2, no biases, data 1 and 2: after 64 layers the normalised variance should be small.


# %%
@claim.enumerate("networks")
def networks(depth: str) -> Iterator[tuple[object, ...]]:
    values = [Fraction(1), Fraction(2)]
    yield "data", normalised(values), "<=", Fraction(1, 9)
    for _ in range(64):
        values = [max(2 * v, Fraction(0)) for v in values]
    yield "64 layers without biases", normalised(values), "<=", Fraction(1, 1000), AGAIN


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
