# %% [markdown]
# # Dead by the chain rule, as printed
#
# **Statement (false as printed).** A datum $x$ is dead at layer $k$ if the Jacobian of $F_k(x)$ with respect to
# $(A_k, b_k)$ is 0. "By the chain rule, $x$ is then dead in any layer after $k$ as well."
#
# **What is wrong.** The Jacobian with respect to $(A_{k+1}, b_{k+1})$ is $(F_k(x), 1)$ for a positive neuron: where
# layer $k$ is dead, $F_k(x) = 0$, but a neuron with $b_{k+1} > 0$ is positive, and its derivative with respect to
# $b_{k+1}$ is 1. So the literal definition is not absorbing, and with it the last layer alone decides:
# [`dead-by-chain-rule-corrected`](dead-by-chain-rule-corrected.py).

# %%
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from geomrelu.claims.registry import Again, Claim
from geomrelu.network.dimension import dense_layers, jacobian
from geomrelu.network.network import Network

claim = Claim(
    label="dead-by-chain-rule",
    title="Dead by the chain rule, as printed",
    statement="a datum that is dead at layer k (the Jacobian for its parameters is 0) is dead in every later layer",
    latex=r"\mathcal D_{(A_k, b_k)} F_k(x) = 0 \Rightarrow \mathcal D_{(A_{k+1}, b_{k+1})} F_{k+1}(x) = 0",
    source="Rister & Rubin, section 2",
    hypotheses=("fully connected layers with biases",),
    correction="dead-by-chain-rule-corrected",
)

AGAIN = Again(
    "from geomrelu.network.dimension import dense_layers, jacobian\nfrom geomrelu.network.network import Network\n"
    "network = Network.from_layers([([[-1]], [-1], 'relu'), ([[3]], [2], 'relu')])\n"
    "rows, _ = jacobian(dense_layers(network), [[1]], rectified=True)\n"
    "print(sum(v != 0 for v in rows[0][2:]))"
)


def moved(layers: list[tuple[list[list[int]], list[int], str]], point: list[int]) -> int:
    """How many derivatives of the last layer with respect to its own parameters are not 0."""
    network = Network.from_layers(layers)
    rows, _ = jacobian(dense_layers(network), [point], rectified=True)
    own = sum(len(row) + 1 for row in layers[-1][0])
    return sum(v != Fraction(0) for row in rows for v in row[-own:])


# %% [markdown]
# ## Search
#
# $z_1 = -x - 1$ is dead at $x = 1$; then $z_2 = 3 \max(z_1, 0) - 2$ is too, and $z_2 = 3 \max(z_1, 0) + 2$ is not.


# %%
@claim.enumerate("networks")
def networks(depth: str) -> Iterator[tuple[object, ...]]:
    dead = [[-1]], [-1], "relu"
    yield "layer 1", moved([dead], [1]), 0
    yield "layer 2, b < 0", moved([dead, ([[3]], [-2], "relu")], [1]), 0
    yield "layer 2, b > 0", moved([dead, ([[3]], [2], "relu")], [1]), 0, AGAIN


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
