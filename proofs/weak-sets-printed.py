# %% [markdown]
# # Weak points of other nonlinearities, as printed
#
# **Statement (false as printed).** "Besides the ReLU, other nonlinearities including leaky ReLU, 'swish' and hyperbolic
# tangent are sometimes used. For all of these functions, part of the input domain is much less sensitive than others.
# Our theory can be extended to all the ReLU variants by replacing dead data points with *weak* ones, i.e. those with
# small gradients." That is, with weak for dead, $(1 - 2^{-n})^k \le P \le (1 - 2^{-n^2-n})^{k-1}$.
#
# **What is wrong.** The hyperbolic tangent is weak on both sides of 0: a sign flip does not revive a point, and whether
# one is weak is a matter of scale. With large parameters every point is weak, with small ones none is. For swish small
# parameters keep everything from being weak, so the upper bound fails; the lower one holds. See
# [`weak-sets`](weak-sets.py), and [`leaky-weak-set`](leaky-weak-set.py).

# %%
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

from geomrelu.claims.registry import Again, Claim
from geomrelu.random_networks import closed_forms

claim = Claim(
    label="weak-sets-printed",
    title="Weak points of other nonlinearities, as printed",
    statement="with weak for dead, l(n, k) <= P(n, k) <= v(n, k) for swish and the hyperbolic tangent",
    latex=r"(1 - 2^{-n})^k \le P(\text{not weak}) \le \left(1 - 2^{-n^2-n}\right)^{k-1}, \quad "
    r"\varphi = \text{swish}, \tanh",
    source="Rister & Rubin, section 7.3",
    hypotheses=("parameters independent, symmetric, with a density",),
    correction="weak-sets",
)

AGAIN = Again(
    "from fractions import Fraction\nfrom itertools import product\n"
    "strong = [abs(3 * s + t) < 2 for s, t in product((1, -1), repeat=2)]\nprint(Fraction(sum(strong), 4))"
)

# %% [markdown]
# ## Search
#
# One neuron at $x = 1$ with $|a| = 3$, $|b| = 1$ and all signs: $z = \pm 2, \pm 4$. The ReLU is alive for half of the
# signs, swish has $z > -2$ for half of them, the hyperbolic tangent $|z| < 2$ for none.


# %%
@claim.enumerate("neurons")
def neurons(depth: str) -> Iterator[tuple[object, ...]]:
    values = [3 * s + t for s, t in product((1, -1), repeat=2)]
    lower = closed_forms.lower_bound(1, 1)
    yield "ReLU: alive", Fraction(sum(z > 0 for z in values), 4), ">=", lower
    yield "swish: z > -2", Fraction(sum(z > -2 for z in values), 4), ">=", lower
    yield "tanh: |z| < 2", Fraction(sum(abs(z) < 2 for z in values), 4), ">=", lower, AGAIN


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
