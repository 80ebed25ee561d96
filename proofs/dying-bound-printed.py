# %% [markdown]
# # The bound on dying, as printed
#
# **Statement (false as printed).** If weights are independent with symmetric laws and biases are symmetric or 0, then
# $P(\text{dies}) \le 1 - \prod_{l < L} (1 - 2^{-N_l})$ (theorem 1).
#
# **What is wrong.** A neuron may be 0 at the inputs with positive probability, and then it can be dead more often than
# one half of the time: with parameters uniform on $\{-1, 0, 1\}$ and the inputs $1, 2$ one neuron is dead with
# probability $\frac59$. The theorem needs "no atoms": [`dying-bound`](dying-bound.py).

# %%
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

from geomrelu.claims.registry import Again, Claim
from geomrelu.geometry.polyhedron import FiniteSet
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.orbit import dead_neurons_orbit

claim = Claim(
    label="dying-bound-printed",
    title="The bound on dying, as printed",
    statement="symmetric laws: P(dies) <= 1 - prod_l (1 - 2^-N_l)",
    latex=r"P(\text{dies}) \le 1 - \prod_{l < L} (1 - 2^{-N_l}) \quad \text{for all symmetric laws}",
    source="Lu, Shin, Su & Karniadakis, theorem 1",
    hypotheses=("weights independent, symmetric", "biases symmetric, or 0"),
    correction="dying-bound",
)

AGAIN = Again(
    "from fractions import Fraction\nfrom itertools import product\n"
    "dead = [max(a * x + b for x in (1, 2)) <= 0 for a, b in product((-1, 0, 1), repeat=2)]\n"
    "print(Fraction(sum(dead), len(dead)))"
)


def dying(values: tuple[int, ...]) -> Fraction:
    """One hidden neuron with parameters uniform on these values, inputs 1 and 2."""
    points, dead = FiniteSet.of([[1], [2]]), 0
    for a, b in product(values, repeat=2):
        profiles, _ = dead_neurons_orbit([([[a]], [b])], points, "none")
        dead += profiles[(1,)]
    return Fraction(dead, len(values) ** 2)


# %% [markdown]
# ## Enumeration
#
# One hidden neuron: uniform on $\{-7, -2, 2, 7\}$, where the bound holds, and on $\{-1, 0, 1\}$.


# %%
@claim.enumerate("laws")
def laws(depth: str) -> Iterator[tuple[object, ...]]:
    yield "uniform on -7, -2, 2, 7", dying((-7, -2, 2, 7)), "<=", closed_forms.dying_bound(1)
    yield "uniform on -1, 0, 1", dying((-1, 0, 1)), "<=", closed_forms.dying_bound(1), AGAIN


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
