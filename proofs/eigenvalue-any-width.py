# %% [markdown]
# # One eigenvalue regardless of width, as printed
#
# **Statement (false as printed).** "Very deep rectifier networks concentrate all outputs towards a single eigenvalue,
# in the sense that their normalized output variance goes to zero regardless of the network width": for data $x$ and
# living networks of any width, $\|\sigma(F_k(x))\|^2 / \|E F_k(x)\|^2 \to 0$ with the depth $k$.
#
# **What is wrong.** Where weights are larger than 1, outputs grow, biases are soon forgotten, and data on one ray keep
# their proportions: in width one, with all parameters between 4 and 8 in size (any law), every living network has a
# normalised variance of at least $\frac1{10}$ on the data 100 and 200, at every depth. Without biases nothing changes
# at all, in any width. Both: [`eigenvalue-any-width-corrected`](eigenvalue-any-width-corrected.py).

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
    "from fractions import Fraction\nvalues = [100, 200]\n"
    "for _ in range(64):\n    values = [max(4 * v + 8, 0) for v in values]\n"
    "mean = Fraction(sum(values), 2)\nprint(int(1000 * sum((v - mean) ** 2 for v in values) / 2 / mean**2))"
)


def normalised(values: list[Fraction]) -> Fraction:
    mean = sum(values, Fraction(0)) / len(values)
    return sum(((v - mean) ** 2 for v in values), Fraction(0)) / len(values) / mean**2


# %% [markdown]
# ## Search
#
# Width one, every weight 4 and every bias 8, data 100 and 200: after 64 layers the normalised variance (here in
# thousandths, rounded down) should be small.


# %%
@claim.enumerate("networks")
def networks(depth: str) -> Iterator[tuple[object, ...]]:
    values = [Fraction(100), Fraction(200)]
    yield "data", int(1000 * normalised(values)), 111
    for _ in range(64):
        values = [max(4 * v + 8, Fraction(0)) for v in values]
    yield "64 layers with biases", int(1000 * normalised(values)), "<=", 1, AGAIN


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
