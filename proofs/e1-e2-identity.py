# %% [markdown]
# # All data or none, as printed
#
# **Notation.** A layer of $n$ neurons with independent, identically distributed symmetric parameters sees the data that
# are still alive. $E_1$: every point has a positive neuron. $E_2$: some have, some have not. $E_3$: none has.
#
# **Statement.** After eq. 17, $P(E_1) = P(E_1 \mid E_2^c)(1 - P(E_2))$, the paper argues: "conditioning on the
# compliment of $E_2$ means that either all the remaining data is alive or none of it. If none of it, then flipping the
# sign of any neuron brings all the remaining data to life with probability one. As in section 4, symmetry of the
# parameter distribution ensures all sign flips are equally likely. Thus"
# $$P(E_1 \mid E_2^c) = 1 - 2^{-n}.$$
#
# **What is wrong.** Flips of an outcome in $E_3$ give outcomes in which each neuron has one sign on all of the data.
# They are not all of $E_1$: neurons that are positive on different parts of the data can keep all of it alive together.
# Such outcomes are flipped into others of their kind, or into $E_2$, never into $E_3$. So the value can be larger, and
# it is never smaller: [`e1-e2-identity-corrected`](e1-e2-identity-corrected.py).

# %%
from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, permutations, product

from geomrelu.claims.registry import Again, Claim

claim = Claim(
    label="e1-e2-identity",
    title="All data or none, as printed",
    statement="P(all data live | all or none) = 1 - 2^-n",
    latex=r"P(E_1 \mid E_2^c) = 1 - 2^{-n}",
    source="Rister & Rubin, section 5, eq. 17",
    hypotheses=("parameters independent, identically distributed, symmetric, with a density",),
    correction="e1-e2-identity-corrected",
)

# %% [markdown]
# ## Search
#
# Data among the points $\pm e_i$ of $\mathbb R^n$. There a neuron has the value $b \pm a_i$, whose sign depends only on
# the signs of $b$ and $a_i$ and on which of them is larger in absolute value. For independent parameters with one
# symmetric law without atoms all signs and all orders of the $n + 1$ absolute values are equally likely; so walking
# them, neuron by neuron, gives exact probabilities that hold for every such law. Smallest width first, then the fewest
# data.

# %%
Point = tuple[int, int]  # (i, t): the point t e_i


def layers(n: int, data: Sequence[Point]) -> Iterator[list[bool]]:
    """Which data live, for each class of layers; the classes are equally likely."""
    classes = product(permutations(range(1, n + 2)), product((1, -1), repeat=n + 1))
    rows = [[s * m for s, m in zip(signs, order, strict=True)] for order, signs in classes]
    positive = [[row[0] + t * row[1 + i] > 0 for i, t in data] for row in rows]
    for layer in product(positive, repeat=n):
        yield [any(point) for point in zip(*layer, strict=True)]


AGAIN = """
from fractions import Fraction
from itertools import permutations, product
n, data = {n}, {data}  # (i, t): the point t e_i
classes = product(permutations(range(1, n + 2)), product((1, -1), repeat=n + 1))
rows = [[s * m for s, m in zip(signs, order)] for order, signs in classes]
layers = [[any(r[0] + t * r[1 + i] > 0 for r in layer) for i, t in data] for layer in product(rows, repeat=n)]
every, none = sum(all(alive) for alive in layers), sum(not any(alive) for alive in layers)
print(Fraction(every, every + none))
"""


@claim.enumerate("data sets")
def data_sets(depth: str) -> Iterator[tuple[object, ...]]:
    for n in (1, 2):
        points = [(i, t) for i in range(n) for t in (1, -1)]
        for size in range(1, len(points) + 1):
            for data in combinations(points, size):
                found = list(layers(n, data))
                every, none = sum(map(all, found)), sum(not any(alive) for alive in found)
                name = ", ".join(("" if t > 0 else "-") + f"e{i + 1}" for i, t in data)
                again = Again(AGAIN.format(n=n, data=list(data)).strip())
                yield f"n = {n}, data {name}", Fraction(every, every + none), 1 - Fraction(1, 2**n), again


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
