# %% [markdown]
# # A rectifier halves the variance, in the mean over a sign flip
#
# **Notation.** The parameters of a neuron are fixed. $\tilde F$ is its pre-activation at random data (a finite set of
# them, say), $F = F_+ = \max(\tilde F, 0)$ its output and $F_- = \max(-\tilde F, 0)$ the output of the flipped neuron;
# $\lambda_\pm = E[F_\pm]$, $\alpha$ the event $\tilde F > 0$, $p = P(\alpha)$, $\lambda \mid \alpha = E[F \mid
# \alpha]$.
#
# **Statement.** (i) $\operatorname{Var}(F) \le \operatorname{Var}(\tilde F)$. (ii) Both signs together:
# $$\operatorname{Var}(F_+) + \operatorname{Var}(F_-) = \operatorname{Var}(\tilde F) - 2 \lambda_+ \lambda_-.$$
# So for every law of the parameters that does not change under $(a, b) \mapsto -(a, b)$, if $E_\theta
# \operatorname{Var}(\tilde F) < \infty$ (the inequality holds always),
# $$E_\theta \operatorname{Var}(F) = \tfrac12 E_\theta \operatorname{Var}(\tilde F) - E_\theta[\lambda_+ \lambda_-]
# \le \tfrac12 E_\theta \operatorname{Var}(\tilde F),$$
# the factor of 2 of He's initialisation. (iii) The chain of eqs. 12 to 16, with $p > 0$: eqs. 13 and 15 are right, and
# give
# $$\operatorname{Var}(F) = p \operatorname{Var}(\tilde F \mid \alpha) + p (1 - p) (\lambda \mid \alpha)^2;$$
# eq. 14 is the one step that fails. What is true in its place: $p \operatorname{Var}(\tilde F \mid \alpha) \le
# \operatorname{Var}(\tilde F)$ in general, and $\operatorname{Var}(\tilde F \mid \alpha) = \operatorname{Var}(\tilde F)
# - (\lambda \mid \alpha)^2$, so eqs. 14 and 16 as printed, if $\tilde F$ is symmetric about 0 and almost surely not 0.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations_with_replacement, product
from operator import mul
from statistics import pvariance

import sympy

from geomrelu.claims.registry import Claim

claim = Claim(
    label="variance-step-corrected",
    title="The variance after a rectifier",
    statement="Var(max(F~, 0)) <= Var(F~); in the mean over the flip of a neuron at most half of it",
    latex=r"\operatorname{Var}(F) \le \operatorname{Var}(\tilde F), \quad "
    r"E_\theta \operatorname{Var}(F) \le \tfrac12 E_\theta \operatorname{Var}(\tilde F)",
    source="Rister & Rubin, section 5, eqs. 12 to 16 (corrected)",
    hypotheses=(
        "for the factor 1/2: the law of (a, b) is that of -(a, b)",
        "for eq. 14: F~ symmetric about 0",
        "for eq. 14: F~ almost surely not 0",
    ),
)

# %% [markdown]
# ## Proof
#
# **Step 1.** $2 \operatorname{Var}(Y) = E(Y - Y')^2$ for an independent copy $Y'$, and $|\max(s, 0) - \max(t, 0)| \le
# |s - t|$: (i).
#
# **Step 2.** $\tilde F = F_+ - F_-$ and $F_+ F_- = 0$, so $\operatorname{Cov}(F_+, F_-) = -\lambda_+ \lambda_-$ and
# $\operatorname{Var}(\tilde F) = \operatorname{Var}(F_+) + \operatorname{Var}(F_-) + 2 \lambda_+ \lambda_-$. The flip
# exchanges $F_+$ and $F_-$, so by symmetry $E_\theta \operatorname{Var}(F_+) = E_\theta \operatorname{Var}(F_-)$; and
# $\lambda_\pm \ge 0$: (ii).
#
# **Step 3 (eqs. 13 and 15).** The law of total variance over $\alpha$ and its complement, where $F = 0$. The
# conditional mean of $F$ is $\lambda \mid \alpha$ with probability $p$ and 0 otherwise; its variance is $p (1 - p)
# (\lambda \mid \alpha)^2$. On $\alpha$, $F = \tilde F$.
#
# **Step 4 (eq. 14).** The same law for $\tilde F$ has only terms $\ge 0$, one of which is $p \operatorname{Var}(\tilde
# F \mid \alpha)$. (Eq. 14 has $p \operatorname{Var}(\tilde F)$ on the right: [`variance-step`](variance-step.py).) If
# $\tilde F$ is symmetric about 0 and almost surely not 0, its conditional law given $\alpha$ is that of $|\tilde F|$,
# whose second moment is $\operatorname{Var}(\tilde F)$. Eq. 16 is then $p \operatorname{Var}(\tilde F \mid \alpha) + p
# (1 - p) (\lambda \mid \alpha)^2 \le p \operatorname{Var}(\tilde F) + p (\lambda \mid \alpha)^2$. $\square$


# %%
def moments(values: Sequence[sympy.Expr]) -> tuple[sympy.Expr, sympy.Expr]:
    """Mean and variance, every value equally likely."""
    mean = sum(values, sympy.Integer(0)) / len(values)
    return mean, sum(((v - mean) ** 2 for v in values), sympy.Integer(0)) / len(values)


@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    # symbolic data: the first `low` pre-activations are -u <= 0, the others v > 0
    for low, high in ((1, 1), (1, 2), (2, 1), (2, 2), (3, 2), (1, 4)):
        u, v = (list(sympy.symbols(f"{s}1:{count + 1}", positive=True)) for s, count in (("u", low), ("v", high)))
        size, p = low + high, sympy.Rational(high, low + high)
        (_, whole), (plus, upper), (minus, lower) = map(moments, ([-s for s in u] + v, [0] * low + v, u + [0] * high))
        (above, within), (below, without) = moments(v), moments([-s for s in u])
        name = f"{low} dead and {high} living points: "
        yield name + "both signs", upper + lower, whole - 2 * plus * minus
        yield name + "eqs. 13, 15", upper, p * within + p * (1 - p) * above**2
        yield whole - p * within, (1 - p) * without + p * (1 - p) * (above - below) ** 2  # step 4
        pairs = sum(((s - t) ** 2 for s in v for t in v), sympy.Integer(0)) + 2 * low * sum(t**2 for t in v)
        yield upper, pairs / (2 * size**2)  # step 1
    for half in (1, 2, 3):  # symmetric about 0
        v = list(sympy.symbols(f"v1:{half + 1}", positive=True))
        (_, whole), (above, within) = moments([*v, *(-t for t in v)]), moments(v)
        yield f"symmetric, {2 * half} points", within, whole - above**2
    # eq. 12: E over (a, b) of the variance of a·x + b, for data with mean 0 and covariance C = 1
    for n in (1, 2, 3):
        a, s = sympy.symbols(f"a1:{n + 1}"), sympy.Symbol("s")
        data = [x for i in range(n) for x in (sympy.sqrt(n) * sympy.eye(n)[:, i], -sympy.sqrt(n) * sympy.eye(n)[:, i])]
        _, variance = moments([sum(map(mul, a, x)) + sympy.Symbol("b") for x in data])
        expected = sum(
            coefficient * s ** (sum(powers) // 2)
            for powers, coefficient in sympy.Poly(sympy.expand(variance), *a).terms()
            if not any(power % 2 for power in powers)
        )  # independent with mean 0 and variance s: a product of different parameters has mean 0
        yield f"n = {n}: eq. 12", expected, n * s


# %% [markdown]
# ## Enumeration
#
# *All sets* of up to 4 whole numbers between $-6$ and 6 as pre-activations. *Neurons*: all signs of random parameters,
# on random data.


# %%
@claim.enumerate("values on sets of data")
def sets(depth: str) -> Iterator[tuple[object, ...]]:
    most, largest = (5, 8) if depth == "thorough" else (4, 6)
    for size in range(1, most + 1):
        name = f"{size} points: "
        for whole in combinations_with_replacement(range(-largest, largest + 1), size):
            values = list(map(Fraction, whole))
            plus, minus = ([max(s * v, Fraction(0)) for v in values] for s in (1, -1))
            before, up, down = map(pvariance, (values, plus, minus))
            yield name + "Var(F) <= Var(F~)", up, "<=", before
            yield name + "both signs", up + down, before - 2 * sum(plus) * sum(minus) / size**2
            living = [v for v in values if v > 0]
            if living:
                p, mean, within = Fraction(len(living), size), sum(living) / len(living), pvariance(living)
                yield name + "eqs. 13, 15", up, p * within + p * (1 - p) * mean**2
                yield name + "p Var(F~ | alive) <= Var(F~)", p * within, "<=", before
                if sorted(-v for v in values) == values and 0 not in values:
                    yield name + "symmetric", within, before - mean**2


@claim.enumerate("orbits of neurons")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(190)
    for n in (1, 2, 3, 4):
        for points in (2, 3, 8):
            magnitudes = [rng.randint(1, 99) for _ in range(n + 1)]
            data = [[Fraction(rng.randint(-99, 99), 7) for _ in range(n)] for _ in range(points)]
            before = after = Fraction(0)
            for signs in product((1, -1), repeat=n + 1):
                b, *a = map(mul, signs, magnitudes)
                values = [b + sum(map(mul, a, x), Fraction(0)) for x in data]
                before += pvariance(values)
                after += pvariance([max(v, Fraction(0)) for v in values])
            yield f"n = {n}, {points} points: Var(F) / Var(F~), in the mean", after / before, "<=", Fraction(1, 2)


# %% [markdown]
# ## Neighbours that fail
#
# *One sign only*: data that all live keep all of their variance. *Another activation*: $\max(2 z, 0)$ can increase it.
# *Not symmetric*: 1 and 2. *An atom at 0*: $-1, 0, 1$; $\operatorname{Var}(\tilde F \mid \alpha) = 0$ is not
# $\frac23 - 1$.


# %%
@claim.neighbour("for the factor 1/2: the law of (a, b) is that of -(a, b); slope at most 1")
def others(depth: str) -> Iterator[tuple[object, ...]]:
    values = [Fraction(1), Fraction(2)]
    yield pvariance([max(v, Fraction(0)) for v in values]), "<=", pvariance(values) / 2
    yield pvariance([max(2 * v, Fraction(0)) for v in values]), "<=", pvariance(values)


@claim.neighbour("for eq. 14: F~ symmetric about 0; for eq. 14: F~ almost surely not 0")
def asymmetric_or_atom(depth: str) -> Iterator[tuple[object, ...]]:
    for whole in ((1, 2), (-1, 0, 1)):
        values = list(map(Fraction, whole))
        living = [v for v in values if v > 0]
        yield pvariance(living), pvariance(values) - (sum(living) / len(living)) ** 2


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
