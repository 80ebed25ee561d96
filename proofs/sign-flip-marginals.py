# %% [markdown]
# # Sign flipping: the marginal laws, as printed
#
# **Notation.** As in [`sign-flip-ratio`](sign-flip-ratio.py): a layer that kills more than half of the living data
# points is negated. $\theta$ is a parameter as it was drawn, $\theta'$ as it is used.
#
# **Statement.** Sign flipping "alters the joint parameter distribution based on the available data, while preserving
# the marginal distribution of each parameter" (the introduction says the same). In particular
# $P(\theta' > 0) = \frac12$ for every parameter.
#
# This is false for one neuron and one data point: [`sign-flip-marginals-corrected`](sign-flip-marginals-corrected.py)
# says what is true.

# %%
from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, product

from geomrelu.claims.registry import Again, Claim

claim = Claim(
    label="sign-flip-marginals",
    title="Sign flipping and marginal laws, as printed",
    statement="sign flipping preserves the marginal law of each parameter; so P(theta' > 0) = 1/2",
    latex=r"P(\theta' > 0) = \tfrac12 \text{ for every parameter}",
    source="Rister & Rubin, section 6",
    hypotheses=("parameters independent, symmetric, no atoms",),
    correction="sign-flip-marginals-corrected",
)

# %% [markdown]
# ## Proof that it is false
#
# Let a layer of width $n$ read the single point $x = 0$. Its pre-activations are its biases. The point is killed if and
# only if no bias is positive, with probability $2^{-n}$; then all parameters are negated, and all biases are positive.
# So $P(b' > 0) = \frac12 + 2^{-n}$ for each bias $b$; for $n = 1$, $b' = |b|$ is never negative. $\square$
#
# ## Enumeration
#
# All sign choices of one neuron $\max(ax + b, 0)$ with $|a| = 2$, $|b| = 1$: how often is each parameter positive after
# sign flipping? Fewer data first.

# %%
MAGNITUDES = (2, 1)


def positive(parameter: int, data: Sequence[int]) -> Fraction:
    """The fraction of sign choices after which the parameter (0: a, 1: b) is positive."""
    count = 0
    for s, t in product((1, -1), repeat=2):
        neuron = (s * MAGNITUDES[0], t * MAGNITUDES[1])
        killed = [x for x in data if neuron[0] * x + neuron[1] <= 0]
        count += (-neuron[parameter] if 2 * len(killed) > len(data) else neuron[parameter]) > 0
    return Fraction(count, 4)


def program(parameter: int, data: Sequence[int]) -> Again:
    return Again(f"""from fractions import Fraction
count, data = 0, {list(data)}
for neuron in [(s * {MAGNITUDES[0]}, t * {MAGNITUDES[1]}) for s in (1, -1) for t in (1, -1)]:
    killed = [x for x in data if neuron[0] * x + neuron[1] <= 0]
    used = [-v for v in neuron] if 2 * len(killed) > len(data) else neuron
    count += used[{parameter}] > 0
print(Fraction(count, 4))""")


@claim.enumerate("parameters")
def marginals(depth: str) -> Iterator[tuple[object, ...]]:
    for size in (1, 2, 3):
        for data in combinations(sorted(range(-2, 3), key=abs), size):
            for parameter, name in enumerate(("a", "b")):
                shown = ", ".join(map(str, data))
                case = positive(parameter, data), Fraction(1, 2), program(parameter, data)
                yield f"n = 1, x = {shown}: P({name}' > 0)", *case


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
