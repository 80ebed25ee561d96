# %% [markdown]
# # The step to Chebyshev's inequality, as printed
#
# **Notation.** $F(x)$ is the output of a layer, $\lambda = E[F(x)]$ its mean over the data (the parameters are fixed),
# and the layer is alive: $\lambda \ne 0$.
#
# **Statement.** "But, $F_j(x) = 0$ if and only if $\|F_j(x) - \lambda_j\| \ge \lambda_j$" (before eq. 20; the last
# $\lambda_j$ is read as $\|\lambda_j\|$):
# $$F(x) = 0 \iff \|F(x) - \lambda\| \ge \|\lambda\|.$$
#
# **What is wrong.** Only "$\Rightarrow$" holds. A point far above the mean, with $F(x) \ge 2 \lambda$ for one neuron,
# is at least as far from it as 0 is. The bound of eq. 20 uses "$\Rightarrow$" only, and stands:
# [`chebyshev-step-corrected`](chebyshev-step-corrected.py).

# %%
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations

from geomrelu.claims.registry import Again, Claim

claim = Claim(
    label="chebyshev-step",
    title="The step to Chebyshev's inequality, as printed",
    statement="F(x) = 0 iff |F(x) - lambda| >= |lambda|",
    latex=r"F(x) = 0 \iff \lVert F(x) - \lambda \rVert \ge \lVert \lambda \rVert",
    source="Rister & Rubin, section 5, eq. 20",
    hypotheses=("the layer is alive: lambda is not 0",),
    correction="chebyshev-step-corrected",
)

# %% [markdown]
# ## Search
#
# One neuron $F(x) = \max(a x + b, 0)$ on a finite set of numbers: how many points are at least $\lambda$ from
# $\lambda$, and how many are mapped to 0? Fewest points first.


# %%
AGAIN = """
from fractions import Fraction
a, b, data = {a}, {b}, {data}
F = [max(a * x + b, 0) for x in data]
mean = Fraction(sum(F), len(F))
print(sum(abs(f - mean) >= mean for f in F))
"""


@claim.enumerate("neurons")
def neurons(depth: str) -> Iterator[tuple[object, ...]]:
    for size in (1, 2, 3):
        for data in combinations((1, -1, 2, -2), size):
            for b in (0, 1, -1):
                for a in (1, -1):
                    outputs = [max(a * x + b, 0) for x in data]
                    mean = Fraction(sum(outputs), size)
                    if mean:
                        far, dead = sum(abs(f - mean) >= mean for f in outputs), outputs.count(0)
                        name = f"max({'-' * (a < 0)}x{f' {b:+d}' * (b != 0)}, 0) on {', '.join(map(str, data))}"
                        yield name, far, dead, Again(AGAIN.format(a=a, b=b, data=list(data)).strip())


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
