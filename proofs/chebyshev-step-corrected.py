# %% [markdown]
# # Few data die where the variance is small
#
# **Notation.** The parameters are fixed. $F(x) \in \mathbb R^n$ is the output of a layer (through all layers before it)
# at a random $x$, for instance one of $M$ data points; $\lambda = E[F(x)]$, $\|\sigma\|^2 = E\|F(x) - \lambda\|^2$, and
# $\varrho = \|\sigma\|^2 / \|\lambda\|^2$, if $\lambda \ne 0$. For random parameters $A$ is the event that the layer is
# alive on the data, and $E_2 \subseteq A$ that some of the data that were alive before it live and some die.
#
# **Statement.** (i) If $F(x) = 0$, then $\|F(x) - \lambda\| = \|\lambda\|$. (ii) If $\lambda \ne 0$ and
# $\|\sigma\| < \infty$,
# $$P(F(x) = 0) \le \frac{\varrho}{1 + \varrho} \le \varrho;$$
# equality on the left if and only if, almost surely, $F$ takes one value besides 0. (iii) For $M$ data points, with the
# mean and the variance over them,
# $$P(E_2) \le (M - 1) \, E[\varrho \mid A] \le M \, E[\varrho \mid A],$$
# the bound of eq. 20.

# %%
from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, product

import sympy

from geomrelu.claims.registry import Claim

claim = Claim(
    label="chebyshev-step-corrected",
    title="Few data die where the variance is small",
    statement="F(x) = 0 gives |F(x) - lambda| = |lambda|; P(F(x) = 0) <= rho / (1 + rho); P(E2) <= (M - 1) E[rho | A]",
    latex=r"P(F(x) = 0) \le \frac{\varrho}{1 + \varrho}, \quad P(E_2) \le (M - 1) \, E[\varrho \mid A]",
    source="Rister & Rubin, section 5, eq. 20 (corrected)",
    hypotheses=(
        "the layer is alive: lambda is not 0 (by definition)",
        "mean and variance over all data, the dead ones too",
    ),
)

# %% [markdown]
# ## Proof
#
# **Step 1.** (i) is $\|0 - \lambda\| = \|\lambda\|$.
#
# **Step 2.** Let $\delta = P(F(x) = 0)$. By the inequality of Cauchy and Schwarz, applied to $F$ and the indicator of
# $F \ne 0$,
# $$\|\lambda\|^2 = \big\|E[F \cdot 1_{F \ne 0}]\big\|^2 \le (1 - \delta) \, E\|F\|^2 = (1 - \delta)(1 + \varrho)
# \|\lambda\|^2,$$
# because $E\|F\|^2 = \|\lambda\|^2 + \|\sigma\|^2$. So $1 - \delta \ge \frac1{1 + \varrho}$. Equality holds if and only
# if $F$ is a multiple of the indicator. (The paper's way, (i) and Chebyshev's inequality, gives $\delta \le \varrho$.)
#
# **Step 3.** On $E_2$ the layer is alive. Outputs are $\ge 0$ and one is not 0, so $\lambda \ne 0$; and at least one of
# the $M$ points has $F = 0$: $\delta \ge \frac1M$. By Step 2, $\varrho \ge \frac{\delta}{1 - \delta} \ge \frac1{M-1}$.
# So $1_{E_2} \le (M - 1) \varrho$ on $A$, and $P(E_2) = P(A) \, P(E_2 \mid A) \le P(E_2 \mid A) \le (M - 1) E[\varrho
# \mid A]$. The same holds conditionally on the layers before. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    # M points, of which the first d have F = 0; n neurons; everything symbolic
    for n, points in ((1, 2), (1, 3), (2, 2), (2, 3), (3, 4)):
        for d in range(points):
            zero = sympy.zeros(n, 1)
            values = [zero] * d + [sympy.Matrix(sympy.symbols(f"f{i}_1:{n + 1}")) for i in range(points - d)]
            mean = sum(values, zero) / points
            variance = sum(((f - mean).dot(f - mean) for f in values), sympy.Integer(0)) / points
            second = sum((f.dot(f) for f in values), sympy.Integer(0)) / points
            yield variance + mean.dot(mean), second
            if d:
                yield (values[0] - mean).dot(values[0] - mean), mean.dot(mean)  # (i)
            living = sum(((f - mean).dot(f - mean) for f in values[d:]), sympy.Integer(0))
            yield points * variance - d * mean.dot(mean), living  # so d |lambda|^2 <= M |sigma|^2
            spread = sum(((f - g).dot(f - g) for f, g in combinations(values[d:], 2)), sympy.Integer(0))
            yield (points - d) * second / points - mean.dot(mean), spread / points**2  # Step 2
    delta, points = sympy.symbols("delta M", positive=True)
    rho = delta / (1 - delta)
    yield "rho / (1 + rho) = delta", rho / (1 + rho), delta
    yield "the least rho on E2", rho.subs(delta, 1 / points), 1 / (points - 1)


# %% [markdown]
# ## Enumeration
#
# *Layers* of width 1 and 2 with all parameters in $\{-1, 0, 1\}$ (width 1: up to 3), on sets of data: the number of
# points with $F = 0$ against $M \frac{\varrho}{1 + \varrho}$. *Orbits*: $P(E_2)$ and $E[\varrho \mid A]$ over all
# signs of the parameters of networks, for the last layer.

# %%
Vector = list[int]


def outputs(layers: Sequence[Sequence[Vector]], data: Sequence[Vector]) -> tuple[list[Vector], list[bool]]:
    """The outputs of the last layer, and which points lived before it. Rows are (b, a1, ..., an)."""
    values, alive = [list(x) for x in data], [True] * len(data)
    for position, layer in enumerate(layers):
        if position:
            alive = [old and any(y) for old, y in zip(alive, values, strict=True)]
        values = [[max(r[0] + sum(a * v for a, v in zip(r[1:], y, strict=True)), 0) for r in layer] for y in values]
    return values, alive


def normalised_variance(values: Sequence[Vector]) -> Fraction | None:
    """rho, None if the mean is 0."""
    total = sum(sum(column) ** 2 for column in zip(*values, strict=True))
    return Fraction(len(values) * sum(v * v for y in values for v in y), total) - 1 if total else None


@claim.enumerate("layers")
def layers(depth: str) -> Iterator[tuple[object, ...]]:
    for n, largest in ((1, 3), (2, 1)):
        points = [[0] * n, *([s * int(i == j) * (i + 1) for j in range(n)] for i in range(n) for s in (1, -1)), [2] * n]
        rows = list(product(range(-largest, largest + 1), repeat=n + 1))
        for size in range(1, len(points) + 1 if depth == "thorough" else 4):
            for data in combinations(points, size):
                for layer in product(rows, repeat=n):
                    values, _ = outputs([layer], data)
                    rho = normalised_variance(values)
                    if rho is not None:
                        dead, bound = sum(not any(y) for y in values), size * rho / (1 + rho)
                        several = len({tuple(y) for y in values if any(y)}) > 1
                        yield f"n = {n}, M = {size}: dead points", dead, "<" if several else "==", bound


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    data = [[3, 5], [-2, 1], [1, -4]]
    magnitudes = [[[4, 1, 2], [1, 2, 3]], [[3, 1, 2], [2, 5, 1]]]
    families = [("n = 1, k = 1", [[2]], [[[1, 1]]]), ("n = 1, k = 1", [[2], [-1]], [[[1, 1]]])]
    families += [(f"n = 1, k = {k}", [[1], [2], [-3]], [[[2, 3]], [[5, 2]], [[7, 1]]][:k]) for k in (1, 2, 3)]
    families += [(f"n = 2, k = {k}", data, magnitudes[:k]) for k in (1, 2)]
    for name, points, network in families:
        mixed, reached, living, total = 0, 0, 0, Fraction(0)
        flat = [v for layer in network for row in layer for v in row]
        for signs in product((1, -1), repeat=len(flat)):
            it = iter(signs)
            values, before = outputs([[[next(it) * v for v in row] for row in layer] for layer in network], points)
            after = [old and any(y) for old, y in zip(before, values, strict=True)]
            reached += any(before)
            rho = normalised_variance(values)
            if any(after) and rho is not None:
                living, total = living + 1, total + rho
                mixed += after != before
        case = Fraction(mixed, reached), "<=", (len(points) - 1) * total / living
        yield (f"{name}, M = {len(points)}: P(E2)", *case) if total.denominator < 10**12 else case


# %% [markdown]
# ## Neighbours that fail
#
# *Without the factor $M - 1$*: for $M = 3$ and outputs 0, 1, 1, $E_2$ happens and $\varrho = \frac12$. *Mean and
# variance over the living points only*: the same outputs; the variance is 0.


# %%
@claim.neighbour("the factor M - 1; mean and variance over all data, the dead ones too")
def others(depth: str) -> Iterator[tuple[object, ...]]:
    values, _ = outputs([[[0, 1]]], [[-1], [1], [1]])
    rho, living = normalised_variance(values), normalised_variance([y for y in values if any(y)])
    dead = sum(not any(y) for y in values)
    yield 1, "<=", rho
    yield dead, "<=", len(values) * living


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
