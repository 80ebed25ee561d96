# %% [markdown]
# # One neuron more than inputs, as printed
#
# **Statement (false as printed).** Let the parameters of each layer be independent with one law that is symmetric about
# 0. If $n_1 = n_0 + 1$, a second-layer neuron is stably unactivated with probability $(2^{n_0} + 1) / 4^{n_0+1}$
# (theorem 1.2 as the abstract has it; its own wording was not at hand, that of theorem 1.1 begins like this).
#
# **What is wrong.** With the law of a fair sign, $\pm 1$, hyperplanes coincide and values cancel: for $n_0 = 1$ the
# probability is $\frac9{64}$ and not $\frac3{16}$. The theorem needs "no atoms":
# [`one-more-than-input`](one-more-than-input.py).

# %%
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

from geomrelu.claims.registry import Again, Claim
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.stably_unactivated import is_stably_unactivated

claim = Claim(
    label="one-more-than-input-printed",
    title="One neuron more than inputs, as printed",
    statement="n1 = n0 + 1, symmetric laws: P(a second-layer neuron is stably unactivated) = (2^n0 + 1) / 4^(n0 + 1)",
    latex=r"n_1 = n_0 + 1:\quad P(\text{stably unactivated}) = \frac{2^{n_0} + 1}{4^{n_0+1}} \quad "
    r"\text{for all symmetric laws}",
    source="Brownlowe et al., theorem 1.2, as in the abstract",
    hypotheses=("parameters of each layer i.i.d. with a law that is symmetric about 0",),
    correction="one-more-than-input",
)

AGAIN = Again(
    "from fractions import Fraction\nfrom itertools import product\n"
    "from geomrelu.random_networks.stably_unactivated import is_stably_unactivated as stable\n"
    "found = [stable([[p], [q]], [r, s], [t, u], c) for p, q, r, s, t, u, c in product((-1, 1), repeat=7)]\n"
    "print(Fraction(sum(found), len(found)))"
)

# %% [markdown]
# ## Enumeration
#
# All $2^7$ networks with $n_0 = 1$, $n_1 = 2$ and parameters $\pm 1$.


# %%
@claim.enumerate("laws")
def laws(depth: str) -> Iterator[tuple[object, ...]]:
    found = [is_stably_unactivated([[p], [q]], [r, s], [t, u], c) for p, q, r, s, t, u, c in product((-1, 1), repeat=7)]
    yield "fair signs, n0 = 1", Fraction(sum(found), len(found)), closed_forms.stably_unactivated(1, 2), AGAIN


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
