# %% [markdown]
# # Lemma 1 with the superscript as printed
#
# **Statement (false as printed).** "Let $\mathcal N^L(x)$ be a ReLU NN of $L$ layers. Suppose weights are independently
# from distributions satisfying $P(W_j^\ell z = 0) = 0$ for any nonzero $z$ and any $j$-th row of $W^\ell$. Then
# $$P(\mathcal N^\ell(x) \text{ dies}) = P(\exists\, \ell \in \{1, \dots, L - 1\} \text{ s.t. }
#   \phi(\mathcal N^\ell(x)) = 0 \ \forall x \in \mathcal D).\text{"}$$
#
# **What is wrong.** The superscript on the left should be $L$: on the right $\ell$ is bound, on the left it is free.
# Read for each $\ell$, the sentence says that the first $\ell$ layers are constant as often as any of the $L - 1$
# hidden layers is dead. For $\ell = 1$ that is an affine map, which is constant with probability 0. With $L$ it is
# [`dead-iff-layer-dead`](dead-iff-layer-dead.py).

# %%
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

from geomrelu.claims.registry import Again, Claim

claim = Claim(
    label="dead-iff-layer-dead-printed",
    title="Lemma 1 with the superscript as printed",
    statement="for each l <= L: the first l layers are constant with the probability that a hidden layer is dead",
    latex=r"P(\mathcal N^\ell \text{ dies}) = P(\exists\, \ell < L:\ \phi(\mathcal N^\ell) = 0 \text{ on } D)",
    source="Lu, Shin, Su & Karniadakis, lemma 1 (slides)",
    hypotheses=("P(w·z = 0) = 0 for each row w and each z != 0", "layers independent"),
    correction="dead-iff-layer-dead",
)

Layers = list[tuple[int, int]]  # weight and bias, width one


def outputs(layers: Layers, data: list[int]) -> list[list[int]]:
    """Pre-activations of every layer at the data."""
    found, values = [], data
    for a, b in layers:
        z = [a * v + b for v in values]
        found.append(z)
        values = [max(v, 0) for v in z]
    return found


AGAIN = Again(
    "from fractions import Fraction\nfrom itertools import product\nconstant = 0\n"
    "for signs in product((1, -1), repeat=6):\n"
    "    s = iter(signs)\n    a, b = next(s) * 2, next(s) * 3\n"
    "    constant += len({a * x + b for x in (-5, 1, 4)}) == 1\nprint(Fraction(constant, 64))"
)

# %% [markdown]
# ## Search
#
# Width one, $L = 3$, all 64 signs of the parameters, three data: how often the first $\ell$ layers are constant on
# them, and how often hidden layer 1 or 2 is dead. With $\ell = L$ both sides agree, as they must.


# %%
@claim.enumerate("numbers of layers")
def prefixes(depth: str) -> Iterator[tuple[object, ...]]:
    sizes, data = [(2, 3), (5, 7), (3, 11)], [-5, 1, 4]
    constant, dead = [0, 0, 0], 0
    for signs in product((1, -1), repeat=6):
        s = iter(signs)
        found = outputs([(next(s) * a, next(s) * b) for a, b in sizes], data)
        dead += any(max(z) <= 0 for z in found[:2])
        for l in range(3):
            constant[l] += len(set(found[l])) == 1
    for l in (3, 1):
        case = Fraction(constant[l - 1], 64), Fraction(dead, 64)
        yield (f"the first {l} of 3 layers are constant", *case, AGAIN) if l == 1 else (f"all {l} layers", *case)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
