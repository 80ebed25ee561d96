# %% [markdown]
# # Where the parameters of a neuron live, as printed
#
# **Notation.** A neuron reads $x \in \mathbb R^n$ with weights $a \in \mathbb R^n$ and bias $b$.
#
# **Statement.** "The surface $a \cdot x + b = 0$ can be rewritten as $(a, b) \cdot (x, 1) = 0$, a hyperplane in
# $\mathbb R^{2(n+1)}$", and the change of variables $(\tilde a, \tilde b) = (-a, -b)$ has the "Jacobian determinant
# $(-1)^{2(n+1)} = 1$" (before eqs. 6 and 7).
#
# **What is wrong.** $(a, b)$ has $n + 1$ coordinates; the determinant is $(-1)^{n+1}$. The conclusion $\gamma =
# \frac12$ is not affected: [`hyperplane-dimension-corrected`](hyperplane-dimension-corrected.py).

# %%
from __future__ import annotations

from collections.abc import Iterator

from geomrelu.claims.registry import Again, Claim
from geomrelu.network.network import Network

claim = Claim(
    label="hyperplane-dimension",
    title="Where the parameters of a neuron live, as printed",
    statement="(a, b)·(x, 1) = 0 is a hyperplane in R^(2(n + 1)); (a, b) -> -(a, b) has determinant (-1)^(2(n + 1))",
    latex=r"(a, b) \in \mathbb R^{2(n+1)}, \quad \det\left((a, b) \mapsto -(a, b)\right) = (-1)^{2(n+1)}",
    source="Rister & Rubin, section 4, before eqs. 6 and 7",
    hypotheses=(),
    correction="hyperplane-dimension-corrected",
)

# %% [markdown]
# ## Search
#
# The number of parameters of a neuron with $n$ inputs, counted in a network; and the determinant of the flip of them
# all.


# %%
AGAIN = """
from geomrelu import Network
form = Network.from_layers([([[1] * {n}], [1], 'relu')]).neuron(1, 0)
print({what})
"""


def parameters(n: int) -> int:
    form = Network.from_layers([([[1] * n], [1], "relu")]).neuron(1, 0)
    return len((*form.slope, form.constant))


@claim.enumerate("dimensions")
def dimensions(depth: str) -> Iterator[tuple[object, ...]]:
    for n in (1, 2, 3):
        again = AGAIN.format(n=n, what="len((*form.slope, form.constant))").strip()
        yield f"n = {n}: parameters", parameters(n), 2 * (n + 1), Again(again)


@claim.enumerate("dimensions")
def determinants(depth: str) -> Iterator[tuple[object, ...]]:
    for n in (1, 2, 3):
        again = AGAIN.format(n=n, what="(-1) ** len((*form.slope, form.constant))").strip()
        yield f"n = {n}: determinant", (-1) ** parameters(n), (-1) ** (2 * (n + 1)), Again(again)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
