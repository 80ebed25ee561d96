# %% [markdown]
# # Skip connections and the shortest path, as printed
#
# **Notation.** As in [`skip-shortest-path-corrected`](skip-shortest-path-corrected.py): layers $1, \dots, k$ of width
# $n$, each of which reads the input or some layers before it; at a point a layer is *reached* if it is positive there
# and reads the input or a layer that is reached. The network is alive at the point if its last layer is reached.
#
# **Statement.** "For these architectures, the probability of network death is a function of the shortest path through
# the network": if the shortest path from the input to the last layer has $s$ layers, the network is alive at a point
# with the probability of a chain of $s$ layers, $(1 - 2^{-n})^s$.
#
# This is true of the paper's example, the U-Net, but not of all networks with skip connections: other paths help unless
# all of them go through the layers of the shortest one.
# [`skip-shortest-path-corrected`](skip-shortest-path-corrected.py) says what is true.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, product

from geomrelu.claims.registry import Again, Claim
from geomrelu.random_networks import closed_forms

claim = Claim(
    label="skip-shortest-path",
    title="Skip connections, as printed",
    statement="the probability of network death is a function of the shortest path: alive with (1 - 2^-n)^s at a point",
    latex=r"P(\text{alive at } x) = (1 - 2^{-n})^s, \quad s = \text{length of the shortest path}",
    source="Rister & Rubin, section 7.2",
    hypotheses=("parameters independent, symmetric, no atoms",),
    correction="skip-shortest-path-corrected",
)

# %% [markdown]
# ## Proof that it is false
#
# Let layer 2 read the input and layer 1, and layer 3 layers 1 and 2. The shortest paths, 1, 3 and 2, 3, have two
# layers. At a point the three layers are positive independently, each with probability $1 - q$, $q = 2^{-n}$. The
# network is alive if layer 3 is positive and layers 1 and 2 are not both dead: $(1 - q)(1 - q^2) > (1 - q)^2$. For
# $n = 1$ this is $\frac38$, not $\frac14$. $\square$
#
# ## Enumeration
#
# Chains with skip connections, few layers and few connections first; width 1, all sign choices, random magnitudes, at
# the point 3.

# %%
Reads = Sequence[Sequence[int]]  # what each layer reads, 0: the input


def chains(layers: int) -> Iterator[list[list[int]]]:
    """The chain of the given length with any skip connections, few first."""
    skips = [(i, j) for j in range(2, layers + 1) for i in range(j - 1)]
    for count in range(len(skips) + 1):
        for chosen in combinations(skips, count):
            yield [[i for i in range(j) if i == j - 1 or (i, j) in chosen] for j in range(1, layers + 1)]


def shortest(reads: Reads) -> int:
    length = [0]
    for sources in reads:
        length.append(1 + min(length[i] for i in sources))
    return length[-1]


def alive(reads: Reads, magnitudes: Sequence[int], x: int) -> Fraction:
    count = 0
    for signs in product((1, -1), repeat=len(magnitudes)):
        own = iter(s * v for s, v in zip(signs, magnitudes, strict=True))
        y, reached = [x], [True]
        for sources in reads:
            z = next(own) + sum(next(own) * y[i] for i in sources)
            if z == 0:
                raise ValueError("these magnitudes are not generic")
            y.append(max(z, 0))
            reached.append(z > 0 and any(reached[i] for i in sources))
        count += reached[-1]
    return Fraction(count, 2 ** len(magnitudes))


def program(reads: Reads, magnitudes: Sequence[int], x: int) -> Again:
    return Again(f"""from fractions import Fraction
from itertools import product
reads, magnitudes, count = {list(reads)}, {list(magnitudes)}, 0
for signs in product((1, -1), repeat=len(magnitudes)):
    own = iter([s * v for s, v in zip(signs, magnitudes)])
    y, reached = [{x}], [True]
    for sources in reads:
        z = next(own) + sum(next(own) * y[i] for i in sources)
        y.append(max(z, 0))
        reached.append(z > 0 and any(reached[i] for i in sources))
    count += reached[-1]
print(Fraction(count, 2 ** len(magnitudes)))""")


@claim.enumerate("networks with skip connections")
def networks(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(200)
    for layers in range(1, 5):
        for reads in chains(layers):
            magnitudes = [rng.randint(1, 999) for sources in reads for _ in range(1 + len(sources))]
            s = shortest(reads)
            shown = ", ".join("+".join(map(str, sources)) for sources in reads)
            case = alive(reads, magnitudes, 3), closed_forms.lower_bound(1, s), program(reads, magnitudes, 3)
            yield f"layers read {shown}: s = {s}", *case


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
