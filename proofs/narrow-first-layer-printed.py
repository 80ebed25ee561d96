# %% [markdown]
# # Narrow first layer, as printed
#
# **Statement (false as printed).** Let the parameters of each layer be independent with one law that is symmetric about
# 0. If $n_1 \le n_0$, a second-layer neuron is stably unactivated with probability $2^{-(n_1+1)}$ (theorem 1.1).
#
# **What is wrong.** A symmetric law may have an atom at 0. With $P(w = 0) > 0$ the neuron is stably unactivated less
# often: a weight 0 can become positive. The theorem needs "no atom at 0":
# [`narrow-first-layer`](narrow-first-layer.py).

# %%
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

from geomrelu.claims.registry import Again, Claim
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.stably_unactivated import is_stably_unactivated

claim = Claim(
    label="narrow-first-layer-printed",
    title="Narrow first layer, as printed",
    statement="n1 <= n0, symmetric laws: P(a second-layer neuron is stably unactivated) = 2^-(n1 + 1)",
    latex=r"n_1 \le n_0:\quad P(\text{stably unactivated}) = 2^{-(n_1+1)} \quad \text{for all symmetric laws}",
    source="Brownlowe et al., theorem 1.1",
    hypotheses=("parameters of each layer i.i.d. with a law that is symmetric about 0",),
    correction="narrow-first-layer",
)


def share(values: tuple[int, ...]) -> Fraction:
    """One neuron in layer 1, all four parameters uniform on these values."""
    found = [is_stably_unactivated([[a]], [b], [w], c) for a, b, w, c in product(values, repeat=4)]
    return Fraction(sum(found), len(found))


AGAIN = Again(
    "from fractions import Fraction\nfrom itertools import product\n"
    "from geomrelu.random_networks.stably_unactivated import is_stably_unactivated\n"
    "found = [is_stably_unactivated([[a]], [b], [w], c) for a, b, w, c in product((-1, 0, 1), repeat=4)]\n"
    "print(Fraction(sum(found), len(found)))"
)

# %% [markdown]
# ## Enumeration
#
# $n_0 = n_1 = 1$: uniform on $\{-2, -1, 1, 2\}$, where it holds, and on $\{-1, 0, 1\}$.


# %%
@claim.enumerate("laws")
def laws(depth: str) -> Iterator[tuple[object, ...]]:
    yield "uniform on -2, -1, 1, 2", share((-2, -1, 1, 2)), closed_forms.stably_unactivated(1, 1)
    yield "uniform on -1, 0, 1", share((-1, 0, 1)), closed_forms.stably_unactivated(1, 1), AGAIN


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
