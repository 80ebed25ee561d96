# %% [markdown]
# # Two inputs without biases, four neurons: the exact range
#
# **Notation.** $F(y) = \sum_{i \le 4} t_i \max(s_i a_i \cdot y, 0)$ on $\mathbb R^2$, any two of the $a_i$ independent,
# and $N$ the number of the $4^4 = 256$ choices of signs with $F \le 0$ everywhere. *Generic*: no signed sum of some of
# the numbers $|\det(a_i, a_j)|$, $i \ne j$, vanishes, for any $j$.
#
# **Statement.** For all generic $a_i$, $N$ is 28, 30 or 32, and all three are attained. So with independent symmetric
# weights without atoms a second-layer neuron behind four neurons is dead on $\mathbb R^2$ with a probability between
# $\frac7{64}$ and $\frac18$, both best possible. In particular it is more than $\frac1{16}$, and the least
# count is $4^{M-2} + (M + 2)\, 2^{M-3}$ for $M = 4$: the first case of [`plane-central-bound`](plane-central-bound.py).

# %%
from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, permutations, product

import numpy as np
import sympy
from scipy.optimize import linprog

from geomrelu.claims.registry import Claim
from geomrelu.exact.elimination import kernel
from geomrelu.random_networks.bias_free import bias_free_orbit

claim = Claim(
    label="plane-central-four",
    title="Two inputs without biases, four neurons",
    statement="no biases, two inputs, four neurons: a second-layer neuron is dead for 28, 30 or 32 of 256 sign choices",
    latex=r"n_0 = 2,\ n_1 = 4, \text{ no biases}: \quad \tfrac7{64} \le Q \le \tfrac18",
    source="new (after Brownlowe et al., conjecture 1.3)",
    hypotheses=("two inputs", "four neurons", "generic"),
    uses=("plane-sign-changes",),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (six numbers).** The count does not change if an $a_i$ is replaced by its negative, or if they are numbered
# in another way. So let them be sorted by their angles, all in one half-plane: $p_{ij} = \det(a_i, a_j) > 0$ for
# $i < j$. These six numbers satisfy the Plücker relation
# $$p_{12} p_{34} + p_{14} p_{23} = p_{13} p_{24}.$$
#
# **Step 2 (types).** $F$ is linear between neighbouring lines $a_j \cdot y = 0$, so $F \le 0$ if and only if this
# holds in both directions along each line $j$. There $a_i \cdot y$ is $p_{ji}$ in size, positive on one side for
# $i > j$ and negative for $i < j$. So the value is a sum of some of the three numbers $p_{ji}$, $i \ne j$, with signs
# $t_i$, and its sign depends only on the *type* of $j$: the order of the three numbers, and whether the largest exceeds
# the sum of the others. There are $6 \cdot 2$ types for each $j$, so $12^4 = 20736$ combinations, and each determines
# $N$.
#
# **Step 3 (which combinations occur).** A type is the conjunction of three strict linear inequalities in the $p_{ij}$.
# Let $L_1, \dots, L_{18} > 0$ be those of all four lines and $p_{ij} > 0$. A combination does not occur if there are
# numbers $\lambda \ge 0$, not all 0, with $\sum \lambda_k L_k = 0$ (Farkas), or $\lambda \ge 0$, not all 0, and $\mu$
# with
# $$\sum_{k \le l} \lambda_{kl} L_k L_l = \mu\, (p_{12} p_{34} + p_{14} p_{23} - p_{13} p_{24}),$$
# for the left side would be positive and the right side 0. *For every combination with $N < 28$ there is such an
# identity* (linear programs in floats suggest which multipliers are not 0; each identity is solved and checked in
# integers). Combinations that differ by a rotation $1 \to 2 \to 3 \to 4 \to 1$ or a reflection of the numbers
# $1, \dots, 4$ have the same $N$ and the same identities, because the Plücker relation is kept: one of each class is
# enough. For all combinations $N$ is even and at most 32. $\square$

# %%
PAIRS = list(combinations(range(4), 2))
TYPES = [(order, dominant) for order in permutations(range(3)) for dominant in (False, True)]
Combination = tuple[int, ...]


def place(i: int, j: int) -> int:
    return PAIRS.index((min(i, j), max(i, j)))


def inequalities(j: int, kind: int) -> list[list[int]]:
    """The rows L of a type of line j, in the p_ij."""
    order, dominant = TYPES[kind]
    others = [i for i in range(4) if i != j]
    first, second, third = (place(j, others[k]) for k in order)
    rows = [[0] * 6 for _ in range(3)]
    for row, (plus, minus) in zip(
        rows,
        (((first,), (second,)), ((second,), (third,)), ((first,), (second, third))),
        strict=True,
    ):
        for k in plus:
            row[k] = 1
        for k in minus:
            row[k] = -1
    return rows if dominant else [rows[0], rows[1], [-v for v in rows[2]]]


def fitting(j: int, kind: int) -> np.ndarray:
    """For which of the 256 choices F <= 0 along line j."""
    order, dominant = TYPES[kind]
    sizes = dict(zip(order, (10, 3, 2) if dominant else (6, 5, 4), strict=True))  # any numbers of this type
    others = [i for i in range(4) if i != j]
    values = {i: sizes[k] * (1 if i > j else -1) for k, i in enumerate(others)}
    found = []
    for choice in product((1, -1), repeat=8):
        s, t = choice[:4], choice[4:]
        ends = [sum(t[i] * max(side * s[i] * v, 0) for i, v in values.items()) for side in (1, -1)]
        found.append(max(ends) <= 0)
    return np.array(found)


def counts() -> np.ndarray:
    """N for all combinations, shape (12, 12, 12, 12)."""
    tables = [np.array([fitting(j, kind) for kind in range(12)], dtype=np.int64) for j in range(4)]
    return np.einsum("ax,bx,cx,dx->abcd", *tables)


def moved(combination: Combination, new: Sequence[int]) -> Combination:
    """The combination after giving number new[i] to line i."""
    found = [0] * 4
    for j, kind in enumerate(combination):
        order, dominant = TYPES[kind]
        others, after = [i for i in range(4) if i != j], [i for i in range(4) if i != new[j]]
        found[new[j]] = TYPES.index((tuple(after.index(new[others[k]]) for k in order), dominant))
    return tuple(found)


TURNS = [[(i + r) % 4 for i in range(4)] for r in range(4)] + [[(r - i) % 4 for i in range(4)] for r in range(4)]
MONOMIALS = {pair: n for n, pair in enumerate((i, j) for i in range(6) for j in range(i, 6))}
POSITIVE = [[int(i == k) for i in range(6)] for k in range(6)]
PLUCKER = [((0, 1), (2, 3), 1), ((0, 3), (1, 2), 1), ((0, 2), (1, 3), -1)]


def multiplied(one: Sequence[int], other: Sequence[int]) -> list[int]:
    """The product of two linear forms, by monomials."""
    found = [0] * len(MONOMIALS)
    for i, u in enumerate(one):
        for j, v in enumerate(other):
            if u and v:
                found[MONOMIALS[min(i, j), max(i, j)]] += u * v
    return found


def excluded(combination: Combination) -> bool:
    """Is there an identity of Step 3? Floats suggest which multipliers are not 0; they are found in integers."""
    forms = [row for j, kind in enumerate(combination) for row in inequalities(j, kind)] + POSITIVE
    if _vanishing(forms, []):
        return True
    pairs = [multiplied(forms[i], forms[j]) for i in range(len(forms)) for j in range(i, len(forms))]
    relation = [0] * len(MONOMIALS)
    for one, other, sign in PLUCKER:
        relation[MONOMIALS[tuple(sorted((place(*one), place(*other))))]] += sign
    return _vanishing(pairs, [relation])


def _vanishing(positive: list[list[int]], free: list[list[int]]) -> bool:
    """Is 0 a sum of the vectors ``positive`` with multipliers >= 0, not all 0, and of ``free`` ones?"""
    columns = np.array(positive + free, dtype=float).T
    ones = [1.0] * len(positive) + [0.0] * len(free)
    bounds = [(0, None)] * len(positive) + [(None, None)] * len(free)
    target = [0.0] * len(columns) + [1.0]
    found = linprog([0.0] * len(ones), A_eq=np.vstack([columns, ones]), b_eq=target, bounds=bounds)
    if found.status != 0:
        return False
    support = [k for k, v in enumerate(found.x.tolist()) if abs(v) > 1e-9]
    rows = positive + free
    exact = kernel([[rows[k][n] for k in support] for n in range(len(rows[0]))])  # a vertex: the kernel is a line
    chosen = [m for k, m in zip(support, exact, strict=True) if k < len(positive)]
    zero = all(sum(m * rows[k][n] for k, m in zip(support, exact, strict=True)) == 0 for n in range(len(rows[0])))
    return zero and (min(chosen) >= 0 or max(chosen) <= 0) and any(chosen)


@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    a = [sympy.Matrix(sympy.symbols(f"u{i} v{i}")) for i in range(4)]
    p = {(i, j): sympy.Matrix.hstack(a[i], a[j]).det() for i, j in PAIRS}
    yield "the Plücker relation", p[0, 1] * p[2, 3] + p[0, 3] * p[1, 2], p[0, 2] * p[1, 3]
    x, y, z = sympy.symbols("x y z", positive=True)  # Step 2: the sum of two numbers against the third, written again
    yield "Step 2", (x + y) ** 2 - z**2, (x + y - z) * (x + y + z)
    m = sympy.Integer(4)
    yield "the least count", m ** (m - 2) + (m + 2) * 2 ** (m - 3), sympy.Integer(28)


# %% [markdown]
# ## Enumeration
#
# All classes of combinations with $N < 28$ are excluded; orbits with 28, 30 and 32, and random ones, by the general
# function.


# %%
@claim.enumerate("classes of combinations and orbits")
def classes(depth: str) -> Iterator[tuple[object, ...]]:
    table = counts()
    yield "combinations", table.size, 12**4
    yield "odd counts", int((table % 2).sum()), 0
    yield "the largest count", int(table.max()), 32
    seen: set[Combination] = set()
    for combination in product(range(12), repeat=4):
        number = int(table[combination])
        if number >= 28 or combination in seen:
            continue
        same = {moved(combination, turn) for turn in TURNS}
        seen |= same
        yield len({int(table[other]) for other in same}), 1
        if not excluded(combination):
            raise RuntimeError(f"no identity was found for {combination}")
        yield number, "<", 28
    yield "combinations excluded", len(seen), int((table < 28).sum())


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = np.random.default_rng(420)
    found = [bias_free_orbit(rng.integers(-999, 1000, (4, 2)).tolist(), [1] * 4)[0] for _ in range(60)]
    for number in (28, 30, 32):
        yield f"random orbits with {number}", found.count(number), ">=", 1
    yield "random orbits with another number", sum(k not in (28, 30, 32) for k in found), 0


# %% [markdown]
# ## Neighbours that fail
#
# *Three neurons*: 10 of 64 choices, more than $\frac18$. *Four inputs*: four neurons have $2^{-4}$. *Not
# generic*: two pairs of equal lines have more than 32.


# %%
@claim.neighbour("four neurons; two inputs; generic")
def others(depth: str) -> Iterator[tuple[object, ...]]:
    yield Fraction(*bias_free_orbit([[1, 2], [3, -1], [2, 5]], [1] * 3)), "<=", Fraction(1, 8)
    rows = [[3, 1, 2, 7], [1, 5, 2, 3], [2, 1, 9, 4], [8, 1, 2, 1]]
    yield Fraction(*bias_free_orbit(rows, [1] * 4)), ">=", Fraction(7, 64)
    yield bias_free_orbit([[1, 0], [1, 0], [0, 1], [0, 1]], [1] * 4)[0], "<=", 32


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
