# %% [markdown]
# # Sign flipping: the exponent printed in section 6
#
# **Notation.** As in [`sign-flip-ratio`](sign-flip-ratio.py): $n$ is the width of the layers, $k$ their number; a layer
# that kills more than half of the living data points is negated.
#
# **Statement.** "For a $k$-layer network, this scheme guarantees that at least $\lfloor M / 2^n \rfloor$ data points
# live", unless all outputs of a layer before the ReLU are 0 at a point.
#
# This is false, for every width $n$, as soon as the network is deeper than wide: the exponent is the depth $k$, and
# [`sign-flip-ratio`](sign-flip-ratio.py) says what is true.

# %%
from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from geomrelu.claims.registry import Again, Claim

claim = Claim(
    label="sign-flip-floor",
    title="Sign flipping, as printed",
    statement="with sign flipping at least floor(M / 2^n) of M data points live, in a network of any depth",
    latex=r"\#\text{alive} \ge \lfloor M / 2^n \rfloor",
    source="Rister & Rubin, section 6",
    hypotheses=("no layer has only zeros as pre-activations at a living point",),
    correction="sign-flip-ratio",
)

# %% [markdown]
# ## Proof that it is false
#
# **Step 1.** By part (ii) of [`sign-flip-ratio`](sign-flip-ratio.py) there are networks of each width and depth with
# exactly $\lceil M / 2^k \rceil$ living points. For $k = n + 1$ and $M = 2^{n+1}$ this is 1, and
# $\lfloor M / 2^n \rfloor = 2$.
#
# **Step 2 (the smallest).** At least one point always lives, so a counterexample needs $\lfloor M / 2^n \rfloor \ge 2$,
# that is $M \ge 4$ for $n = 1$ (and more points for wider layers); and
# $\lceil M / 2 \rceil \ge \lfloor M / 2^n \rfloor$, so it needs two layers. There is one with $n = 1$, $k = 2$,
# $M = 4$. $\square$
#
# ## Enumeration
#
# Networks of width 1 whose parameters are small integers, the data $1, \dots, M$; fewer points first, then fewer
# layers. Each case is the network that leaves the fewest points alive.

# %%
Layers = Sequence[tuple[int, int]]  # (a, b): x -> max(a x + b, 0)


def living(layers: Layers, data: Sequence[int]) -> int | None:
    """How many points are alive at the end; None if a pre-activation is 0 at a living point."""
    x = list(data)
    for a, b in layers:
        z = [a * v + b for v in x]
        if 0 in z:
            return None
        s = -1 if 2 * sum(v < 0 for v in z) > len(z) else 1
        x = [s * v for v in z if s * v > 0]
    return len(x)


def program(layers: Layers, data: Sequence[int]) -> Again:
    return Again(f"""x, layers = {list(data)}, {list(layers)}
for a, b in layers:
    z = [a * v + b for v in x]
    s = -1 if 2 * sum(v <= 0 for v in z) > len(z) else 1
    x = [s * v for v in z if s * v > 0]
print(len(x))""")


@claim.enumerate("data sets and depths")
def networks(depth: str) -> Iterator[tuple[object, ...]]:
    n, small = 1, [(a, b) for b in range(6) for a in (1, 2)]
    parameters = sorted({(s * a, t * b) for a, b in small for s, t in product((1, -1), repeat=2)}, key=_size)
    for size in range(1, 9):
        data = range(1, size + 1)
        for k in (1, 2):
            found = [(left, net) for net in product(parameters, repeat=k) if (left := living(net, data)) is not None]
            least, net = min(found, key=lambda case: (case[0], sum(map(_size, case[1]))))
            yield f"n = {n}, M = {size}, k = {k}", least, ">=", size // 2**n, program(net, data)


def _size(layer: tuple[int, int]) -> int:
    return abs(layer[0]) + abs(layer[1])


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
