# %% [markdown]
# # The tensor power trick
#
# **Notation.** As in [`width-free-lower-bound`](width-free-lower-bound.py): for vectors $\tilde a_1, \dots, \tilde a_M$
# in $\mathbb R^N$, $F(y) = \sum_i t_i (s_i\, \tilde a_i \cdot y)_+$ and $Q(\tilde A)$ is the fraction of the $4^M$ sign
# choices with $F \le 0$ on $\mathbb R^N$: the probability that a second-layer neuron *without biases* is dead. $p_n$ is
# the fraction of stably unactivated choices of a neuron with biases on $\mathbb R^n$ behind $m$ neurons.
#
# **Statement.** The following are equivalent: (i) $p_n \ge 4^{-n-1}$ for all $n \ge 1$, $m \ge n + 1$ and all generic
# magnitudes (conjecture 1.3 of Brownlowe et al., as we know it, in orbit form); (ii) $Q(\tilde A) \ge 4^{-N}$ for all
# $N \ge 2$, $M \ge N + 1$ and generic $\tilde A$. Each implies $Q(\tilde A) \ge 4^{-N}$ for *all* $\tilde A$ with $M
# \ge N + 1$.
#
# *Hence* one central arrangement with $Q < 4^{-N}$, however slightly, in whatever dimension, refutes (i); and a proof
# of $Q \ge e^{-o(N)} 4^{-N}$ proves $Q \ge 4^{-N}$. Moreover $Q = \frac14 + 2^{-M-1}$ for $N = 1$ and
# $$\inf_m \inf p_n \le \tfrac12 \, 4^{-n} = 2 \cdot 4^{-n-1},$$
# so the constant in (i) is right up to a factor 2.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.bias_free import bias_free_orbit
from geomrelu.random_networks.stably_unactivated import stably_unactivated_orbit

claim = Claim(
    label="tensor-power",
    title="Tensor powers of central arrangements",
    statement="p_n >= 4^(-n-1) for all n and m > n if and only if Q >= 4^-N for all N and M > N; inf p_n <= 4^-n / 2",
    latex=r"\big(\forall n, m > n:\ p_n \ge 4^{-n-1}\big) \iff \big(\forall N, M > N:\ Q \ge 4^{-N}\big)",
    source="new (after Brownlowe et al., conjecture 1.3)",
    hypotheses=(
        "magnitudes generic",
        "the copies have independent signs",
        "all dimensions at once (needed: not known)",
    ),
    uses=("width-free-lower-bound",),
)

# %% [markdown]
# ## Proof
#
# **Step 1 ((ii) implies (i)).** $p_n \ge Q(\tilde a_0, \dots, \tilde a_m)$ with $N = n + 1$, $M = m + 1$ and
# $\tilde a_0 = (0, |c|)$ ([`width-free-lower-bound`](width-free-lower-bound.py), Step 0). $Q$ does not change under
# invertible linear maps, so that $\tilde a_0$ lies on an axis is no loss of generality: any generic arrangement in
# $\mathbb R^{n+1}$ can be mapped so.
#
# **Step 2 (blocks).** Take $k$ copies of $\tilde A$ on $\mathbb R^N \times \dots \times \mathbb R^N$, with independent
# signs: $F = F_1(y_1) + \dots + F_k(y_k)$, and $F \le 0$ if and only if all $F_j \le 0$ (put the other $y$ equal to 0).
# So $Q = Q(\tilde A)^k$.
#
# **Step 3 (generic neighbours).** Let $A$ be generic in $\mathbb R^{kN}$ and near the blocks. For each of the finitely
# many sign choices for which the $F$ of the blocks is positive somewhere, the $F$ of $A$ is, if $A$ is near enough:
# $Q(A) \le Q(\tilde A)^k$.
#
# **Step 4 (large $|c|$).** Let $a_i$ be the vectors of a generic $A$ in $\mathbb R^n$, $b$ generic and $|c|$ very
# large. At vertices $f$ has the sign of $c$; along directions the criterion for stably unactivated is: $F(d) < 0$, or
# nothing is active, $c < 0$ and the weights of the hyperplanes through $d$ are negative. For generic $A$, $F \le 0$ on
# $\mathbb R^n$ is the same without the words "$c < 0$" (the argument of Step 0 there). So $p_n = \frac12 Q(A)$.
#
# **Step 5 ((i) implies (ii)).** Let $\tilde A$ be any $M \ge N + 1$ vectors in $\mathbb R^N$. With $A$ from Step 3,
# $n = kN$, $m = kM \ge n + 1$: $Q(\tilde A)^k \ge Q(A) = 2 p_n \ge 2 \cdot 4^{-kN-1}$. So
# $Q(\tilde A) \ge 4^{-N} 2^{-1/k}$ for all $k$.
#
# **Step 6 ($N = 1$, and the infimum).** Let $S$ be the neurons active at $+1$. Given $S$, neither empty nor everything,
# $F(1)$ and $F(-1)$ are signed sums over disjoint sets and $\le 0$ with probability $\frac12$ each, independently;
# given one of the two other sets, of $2^M$, one of them is 0 and the other $\le 0$ with probability $\frac12$: $Q =
# \frac14 + 2^{-M} \cdot 2 \cdot \frac14$. Blocks of $n$ lines with many neurons each and their generic neighbours, with
# $|c|$ large, have $p_n \le \frac12 \prod_i (\frac14 + 2^{-m_i - 1}) \to \frac12 4^{-n}$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    k, N, n, m = sympy.symbols("k N n m", positive=True)
    four, two = sympy.Integer(4), sympy.Integer(2)
    yield "Step 5", sympy.powsimp((2 * four ** (-k * N - 1)) ** k**-1, force=True), four**-N * two ** (-1 / k)
    line = sympy.Rational(1, 4) * (1 - 2 * two**-m) + two**-m
    yield "Step 6", line, closed_forms.bias_free_unactivated(1, m)
    yield (
        "the infimum",
        sympy.limit(closed_forms.bias_free_unactivated(1, m), m, sympy.oo) ** n / 2,
        2 * closed_forms.wide_lower_bound(n),
    )


# %% [markdown]
# ## Enumeration
#
# $Q$ of blocks against the product; $N = 1$ against the formula; $p_n$ with a large constant against $\frac12 Q$; and
# that a generic neighbour of blocks has no more.


# %%
def drawn(rng: random.Random, m: int, n: int) -> list[list[int]]:
    return [[rng.choice((1, -1)) * rng.randint(1, 10**9) for _ in range(n)] for _ in range(m)]


def blocks(*parts: list[list[int]]) -> list[list[int]]:
    width = sum(len(part[0]) for part in parts)
    rows, start = [], 0
    for part in parts:
        rows += [[0] * start + row + [0] * (width - start - len(row)) for row in part]
        start += len(part[0])
    return rows


def share(rows: list[list[int]]) -> Fraction:
    return Fraction(*bias_free_orbit(rows, [1] * len(rows)))


@claim.enumerate("arrangements")
def products(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(195)
    for m in range(1, 9 if depth == "thorough" else 7):
        for repetition in range(5):
            case = share(drawn(rng, m, 1)), Fraction(str(closed_forms.bias_free_unactivated(1, m)))
            yield (f"N = 1, M = {m}", *case) if repetition == 0 else case
    shapes = (((2, 1), (2, 1)), ((3, 1), (2, 1)), ((3, 2), (2, 1)), ((2, 1), (2, 1), (1, 1)))
    for shape in shapes + ((((3, 1), (3, 1)), ((3, 2), (3, 1)), ((3, 2), (3, 2))) if depth == "thorough" else ()):
        parts = [drawn(rng, m, n) for m, n in shape]
        product = Fraction(1)
        for part in parts:
            product *= share(part)
        whole = blocks(*parts)
        name = " x ".join(f"{m} in R^{n}" for m, n in shape)
        yield name, share(whole), product
        near = [[10**6 * v + rng.randint(-99, 99) for v in row] for row in whole]
        yield share(near), "<=", product


@claim.enumerate("orbits with a large constant")
def large(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(196)
    for n, m in ((1, 2), (1, 4), (2, 2), (2, 3), (2, 4), (3, 3), (3, 4)) + (
        ((2, 5), (3, 5)) if depth == "thorough" else ()
    ):
        for repetition in range(4):
            rows, b = drawn(rng, m, n), [row[0] for row in drawn(rng, m, 1)]
            case = Fraction(*stably_unactivated_orbit(rows, b, [1] * m, 10**60)), share(rows) / 2
            yield (f"n = {n}, m = {m}", *case) if repetition == 0 else case


# %% [markdown]
# ## Neighbours that fail
#
# *Generic* magnitudes: for two equal vectors on a line the signed sums cancel, and $Q = \frac{7}{16}$ and not
# $\frac38$; and with $|c|$ not large $p$ is not $Q/2$. *Independent signs*: a copy that has the same signs adds
# nothing, $Q$ is not squared.


# %%
@claim.neighbour("magnitudes generic")
def degenerate(depth: str) -> Iterator[tuple[object, ...]]:
    yield share([[1], [1]]), Fraction(str(closed_forms.bias_free_unactivated(1, 2)))
    rows, b = [[-2, -3], [0, -1], [-9, 7], [-2, 3], [-7, 9]], [-9, 3, -2, 5, 5]
    w = [4, 5, 2, 4, 6]
    yield Fraction(*stably_unactivated_orbit(rows, b, w, 1)), Fraction(*bias_free_orbit(rows, w)) / 2


@claim.neighbour("the copies have independent signs")
def same_signs(depth: str) -> Iterator[tuple[object, ...]]:
    """F(y1) + F(y2) with the same signs in both: at most 0 exactly where F is."""
    rows = [[2], [3]]
    yield share(rows), share(blocks(rows, rows))


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
