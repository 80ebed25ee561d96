# %% [markdown]
# # Gates decouple
#
# **Notation.** $y_1, \dots, y_n$ are real functions on a set $X$, $c$ is another one, and
# $$f = c + \sum_i w_i \max(\rho_i y_i, 0), \qquad w_i = t_i |w_i|, \quad \rho_i, t_i \in \{-1, 1\}.$$
# A sign choice is $(\rho, t)$. For $\tau \in \{-1, 1\}^n$ let $G_\tau = \{x : \tau_i y_i(x) \ge 0, \ i \le n\}$: a
# function that is 0 at $x$ allows both signs there. For a set $A$ of indices and signs $t$ the *fold* is
# $$L_{A,t} = c + \sum_{i \in A} t_i |w_i| \, y_i .$$
#
# **Statement.** For every $\tau$, the map $(\rho, t) \mapsto (A, t')$ with $A = \{i : \rho_i = \tau_i\}$ and
# $t'_i = t_i \tau_i$ is a bijection from the $4^n$ sign choices to the $4^n$ pairs of a set and signs, and
# $f = L_{A,t'}$ on $G_\tau$.
#
# *Hence:* let the $\rho_i$ and $t_i$ be independent fair signs, independent of $y$, $c$ and all $|w_i|$. Then on each
# $G_\tau$ the law of $f$ is the law of $L$ with a uniformly random set $A$, and this $L$ is the same for all $G_\tau$.
# If $\mu$ is additive over disjoint sets, each contained in some $G_\tau$ (a number of points, an Euler characteristic
# with compact support), then $E\,\mu(\{f = 0\}) = E\,\mu(\{L = 0\})$ and $E\,\mu(\{f < 0\}) = E\,\mu(\{L < 0\})$.

# %%
from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from itertools import product

import sympy

from geomrelu.claims.registry import Claim

claim = Claim(
    label="gates-decouple",
    title="Gates decouple",
    statement="on {x : sign y(x) = tau}, c + sum w_i max(rho_i y_i, 0) takes each fold c + sum_(i in A) w_i y_i once",
    latex=r"c + \sum_i w_i \max(\rho_i y_i, 0) \,\big|_{G} \;\sim\; c + \sum_{i \in A} w_i y_i \,\big|_{G}",
    source="new (after Rister & Rubin, eq. 8)",
    hypotheses=(
        "all signs rho_i and t_i fair and independent",
        "independent of y, c and |w|",
        "one G at a time",
    ),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (on one piece).** Let $x \in G_\tau$. If $\rho_i = \tau_i$, then $\rho_i y_i(x) = \tau_i y_i(x) \ge 0$, so
# $\max(\rho_i y_i, 0) = \tau_i y_i$. If $\rho_i = -\tau_i$, then $\rho_i y_i(x) \le 0$ and $\max(\rho_i y_i, 0) = 0$.
# So with $A = \{i : \rho_i = \tau_i\}$
# $$f(x) = c(x) + \sum_{i \in A} t_i |w_i| \tau_i y_i(x) = L_{A,t'}(x), \qquad t'_i = t_i \tau_i .$$
# This holds too where $y_i(x) = 0$: both cases give 0.
#
# **Step 2 (a bijection).** $(A, t')$ gives $\rho_i = \tau_i$ for $i \in A$, $\rho_i = -\tau_i$ for the others, and
# $t_i = t'_i \tau_i$. So for each $\tau$ every pair $(A, t')$ comes from exactly one sign choice.
#
# **Step 3 (the law).** Given $y$, $c$ and all $|w_i|$, the sign choices are uniform; so are the pairs. Neither $c$ nor
# the $|w_i|$ nor the $y_i$ are touched, and the law of $(A, t')$ is the same for all $\tau$. Let $\mu$ be additive and
# $X$ the disjoint union of finitely many pieces $G \subseteq G_\tau$: $E\,\mu(\{f = 0\} \cap G) =
# E\,\mu(\{L = 0\} \cap G)$, and one sums over the pieces, also when the pieces are random, as long as they depend on
# $y$ alone. $\square$
#
# *What it does not say.* The joint law of $f$ on two pieces is not that of $L$: the same sign choice belongs to
# different folds there (the neighbour at the end).


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    """Step 1 with symbols: max(rho y, 0) = (rho y + |y|)/2 with |y| = tau y, and tau = 1/tau in the gate."""
    w, y, rho, tau = sympy.symbols("w y rho tau")
    term = w * (rho * y + tau * y) / 2  # w max(rho y, 0) on G
    gate = (1 + rho / tau) / 2  # 1 or 0
    yield "a term is a gate times a fold", term, gate * (w * tau) * y
    for signs in product((1, -1), repeat=2):
        chosen = {rho: signs[0], tau: signs[1]}
        yield gate.subs(chosen), sympy.Integer(signs[0] == signs[1])
        yield term.subs(chosen), gate.subs(chosen) * w * signs[1] * y


# %% [markdown]
# ## Enumeration
#
# Functions are arbitrary: tables of integers, zeros among them. On each piece all $4^n$ restrictions of $f$, as tuples
# of values, are compared with all $4^n$ restrictions of folds: the same number of each.


# %%
def restricted(values: list[list[int]], c: list[int], w: list[int], points: list[int]) -> tuple[Counter, Counter]:
    n = len(values)
    both = list(product((1, -1), repeat=n))
    of_f = Counter(
        tuple(
            c[x] + sum(t * u * max(r * y[x], 0) for t, u, r, y in zip(ts, w, rho, values, strict=True)) for x in points
        )
        for rho in both
        for ts in both
    )
    of_fold = Counter(
        tuple(
            c[x] + sum(t * u * y[x] for t, u, g, y in zip(ts, w, gates, values, strict=True) if g > 0) for x in points
        )
        for gates in both
        for ts in both
    )
    return of_f, of_fold


def pieces(values: list[list[int]], size: int) -> list[list[int]]:
    found = []
    for tau in product((1, -1), repeat=len(values)):
        points = [x for x in range(size) if all(t * y[x] >= 0 for t, y in zip(tau, values, strict=True))]
        found += [points] if points else []
    return found


def drawn(rng: random.Random, n: int, size: int) -> tuple[list[list[int]], list[int], list[int]]:
    values = [[rng.randint(-9, 9) for _ in range(size)] for _ in range(n)]
    return values, [rng.randint(-9, 9) for _ in range(size)], [rng.randint(1, 9) for _ in range(n)]


@claim.enumerate("restrictions to pieces")
def restrictions(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(181)
    for n in range(1, 5 if depth == "thorough" else 4):
        for repetition in range(20):
            values, c, w = drawn(rng, n, 12)
            for k, points in enumerate(pieces(values, 12)):
                of_f, of_fold = restricted(values, c, w, points)
                agree = sum((of_f & of_fold).values())
                yield (f"n = {n}", agree, 4**n) if repetition == k == 0 else (agree, 4**n)


# %% [markdown]
# ## Neighbours that fail
#
# *Independent fair signs*: with all $\rho_i = 1$ (gates that are not flipped) one neuron $y = x$ on $\{-1, 1\}$ has
# only the fold with the empty set at $-1$ and only the full one at $1$. *Independent of $c$*: if $c$ is $5 \rho_1$, the
# values of $f$ at $y = 1$ are $5 \pm w$ and $-5, -5$; of the folds each is one with $5$ and with $-5$. *One piece at a
# time*: on the two points of $y = x$ together, $f$ is never equal to $c$ at both, but the fold is.


# %%
@claim.neighbour("all signs rho_i and t_i fair and independent; independent of y, c and |w|; one G at a time")
def neighbours(depth: str) -> Iterator[tuple[object, ...]]:
    signs = (1, -1)
    unflipped = Counter(3 * t * max(-1, 0) for t in signs for _ in signs)
    folds = Counter(3 * t * g * -1 for t in signs for g in (0, 1))
    yield sum((unflipped & folds).values()), 4
    coupled = Counter(5 * r + 3 * t * max(r, 0) for t in signs for r in signs)
    either = Counter(c + 3 * t * g for t in signs for g in (0, 1) for c in (5, -5))
    yield sum(abs(2 * coupled[v] - either[v]) for v in either), 0
    pairs = Counter(tuple(3 * t * max(r * y, 0) for y in signs) for t in signs for r in signs)
    yield pairs[0, 0], Counter(tuple(3 * t * g * y for y in signs) for t in signs for g in (0, 1))[0, 0]


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
