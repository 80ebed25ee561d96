# %% [markdown]
# # Sign changes around the origin of the plane
#
# **Notation.** $\tilde a_1, \dots, \tilde a_M$ in $\mathbb R^2$, $z_i(y) = \tilde a_i \cdot y$,
# $F(y) = \sum_i t_i (s_i z_i(y))_+$: a second-layer neuron without biases. $2k$ is the number of sign changes of $F$ on
# the circle, where a sector with $F = 0$ counts as negative. *Generic*: any two of the vectors are independent, and no
# signed sum of the $\tilde a_i$ of a set of at least two is a multiple of some $\tilde a_j$ (0 included).
#
# **Statement.** For generic vectors, $M \ge 2$,
# $$\sum_{s,t} k = 4^M - 2^M, \qquad \#\{F \le 0\} + \#\{F < 0 \text{ off } 0\} = 2^M + \sum_{s,t} (k - 1)_+ .$$
# So for any two lines $\mathbb R x$, $\mathbb R y$:
# $\#\{F \le 0\} \ge 2^{M-1} + \#\{F(\pm x) < 0 < F(\pm y)\}$.
#
# *Fibrewise.* Let $L$ be another linear form (generic together with the $z_i$), $K_t = \sum_i t_i |z_i|$. Summed over
# $t$, the sign changes of $K_t + |L|$ on the projective line are exactly $2^M$ in number; so
# $P_t(K < -|L|) + P_t(K < |L|) \ge \frac12$.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cmp_to_key
from itertools import pairwise, product

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.random_networks.bias_free import bias_free_orbit

claim = Claim(
    label="plane-sign-changes",
    title="Sign changes around the origin of the plane",
    statement="two inputs, no biases: the sign changes around 0 of all sign choices are 2 (4^M - 2^M) in number",
    latex=r"\#\{F \le 0\} + \#\{F < 0\} = 2^M + \sum_{s,t} (k - 1)_+",
    source="new (after Brownlowe et al., conjecture 1.3)",
    hypotheses=("two inputs, no biases", "all signs s and t", "generic"),
    uses=("gates-decouple",),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (fold).** In each of the $2M$ open sectors between the lines $z_i = 0$, $F = \sum_{i \in U} t'_i z_i$, by a
# bijection from the sign choices to the pairs $(U, t')$ ([`gates-decouple`](gates-decouple.py)). If $|U| \ge 2$, this
# form vanishes on two opposite rays; by genericity they lie inside sectors. So there are $2 (4^M - 2^M - M 2^M)$ zeros
# inside sectors, all of them sign changes: $2^M$ choices have $U = \emptyset$ and $M 2^M$ have one element.
#
# **Step 2 (silent sectors).** On a ray of $z_j = 0$ with something else active $F \ne 0$, by genericity. Otherwise
# neuron $j$ is the only active one on one side, and the other side is silent, $F = 0$. There is a sign change at such a
# ray if and only if $t_j = +$. For each sector there is one $s$ that makes it silent, with $2^M$ signs $t$; it has two
# rays, and $t_j = +$ for half of the $t$: altogether $2M \cdot 2^M \cdot 2 \cdot \frac12$ sign changes. Hence $\sum 2k
# = 2 (4^M - 2^M - M 2^M) + 2 M 2^M$.
#
# **Step 3.** $k = 0$ means $F \le 0$, or $F > 0$ off 0; $t \mapsto -t$ turns the latter into $F < 0$ off 0. Sum $[k =
# 0] = 1 - k + (k - 1)_+$ over all choices. For the last claim: $F(\pm x) < 0 < F(\pm y)$ forces $k \ge 2$, so does its
# mirror image, they are equally many, and $\#\{F \le 0\} \ge \#\{F < 0 \text{ off } 0\}$.
#
# **Step 4 (fibrewise).** On a sector of the $z_i$ and $L$, with signs $\sigma$,
# $K_t + |L| = \sigma_L \big(\sum t_i \sigma_i \sigma_L z_i + L\big)$: $t \mapsto t \sigma \sigma_L$ is a bijection, and
# each form $\sum t'_i z_i + L$ vanishes on one line, inside a sector. With $2j$ sign changes (the function is even on
# the circle and continuous, so their number on the projective line is even), $[j = 0] = 1 - j + (j - 1)_+$, and $j = 0$
# means $K < -|L|$ or $K > -|L|$; $K_t > -|L|$ is $K_{-t} < |L|$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    M, more = sympy.symbols("M S", positive=True)
    two = 2**M
    inside, silent = 2 * two * (two - 1 - M), 2 * M * two * 2 / sympy.Integer(2)
    yield "Step 2", (inside + silent) / 2, 4**M - two
    yield "Step 3", 4**M - (inside + silent) / 2 + more, two + more
    t, z, line, sigma = sympy.symbols("t z L sigma_L")
    yield "Step 4", t * z + sigma * line, sigma * (t / sigma * z + line)  # |z| = z, |L| = sigma L, 1/sigma = sigma


# %% [markdown]
# ## Enumeration
#
# Vectors are random integers. $F$ is looked at on the rays of the lines and in between (sums of neighbours), and where
# it changes sign between these inside a sector it has one zero, being linear there.


# %%
def around(rows: list[list[int]]) -> list[tuple[int, int]]:
    """The rays of the lines and one ray in each sector, counterclockwise."""
    rays = [(e * -v, e * u) for u, v in rows for e in (1, -1)]

    def half(p: tuple[int, int]) -> int:
        return int(p[1] < 0 or (p[1] == 0 and p[0] < 0))

    def order(p: tuple[int, int], q: tuple[int, int]) -> int:
        return half(p) - half(q) or p[1] * q[0] - p[0] * q[1]

    rays.sort(key=cmp_to_key(order))
    found = []
    for p, q in pairwise([*rays, rays[0]]):
        found += [p, (p[0] + q[0], p[1] + q[1])]
    return found


def changes(values: list[int]) -> int:
    """Sign changes around a circle; 0 counts as negative."""
    signs = [v > 0 for v in values]
    return sum(u != v for u, v in pairwise([*signs, signs[0]]))


def drawn(rng: random.Random, m: int) -> list[list[int]]:
    return [[rng.choice((1, -1)) * rng.randint(1, 10**6) for _ in range(2)] for _ in range(m)]


@claim.enumerate("arrangements")
def arrangements(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(197)
    for m in range(2, 6 if depth == "thorough" else 5):
        for repetition in range(5 if m < 5 else 1):
            rows = drawn(rng, m)
            rays = around(rows)
            z = [[u * p + v * q for u, v in rows] for p, q in rays]
            total = more = below = strictly = both = 0
            x, y = rng.sample(range(len(rays) // 2), 2)
            opposite = len(rays) // 2
            for s in product((1, -1), repeat=m):
                active = [[max(e * v, 0) for e, v in zip(s, row, strict=True)] for row in z]
                for t in product((1, -1), repeat=m):
                    values = [sum(u * v for u, v in zip(t, row, strict=True)) for row in active]
                    k = changes(values) // 2
                    total, more = total + k, more + max(k - 1, 0)
                    below, strictly = below + (max(values) <= 0), strictly + (max(values) < 0)
                    both += max(values[x], values[x + opposite]) < 0 < min(values[y], values[y + opposite])
            yield (f"M = {m}: sign changes", total, 4**m - 2**m) if repetition == 0 else (total, 4**m - 2**m)
            yield (
                (f"M = {m}: the identity", below + strictly, 2**m + more)
                if repetition == 0
                else (below + strictly, 2**m + more)
            )
            yield below, bias_free_orbit(rows, [1] * m)[0]
            yield below, ">=", 2 ** (m - 1) + both


@claim.enumerate("fibres")
def fibres(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(198)
    for m in range(1, 8 if depth == "thorough" else 6):
        for _ in range(10):
            rows, (line,) = drawn(rng, m), drawn(rng, 1)
            rays = around([*rows, line])
            z = [([abs(u * p + v * q) for u, v in rows], abs(line[0] * p + line[1] * q)) for p, q in rays]
            total = below = above = 0
            for t in product((1, -1), repeat=m):
                values = [(sum(u * v for u, v in zip(t, row, strict=True)), size) for row, size in z]
                total += changes([k + size for k, size in values])
                below += all(k < -size for k, size in values)
                above += all(k < size for k, size in values)
            yield total, 2 * 2**m  # on the circle: twice
            yield below + above, ">=", 2 ** (m - 1)


# %% [markdown]
# ## Neighbours that fail
#
# *Two inputs, no biases*: in $\mathbb R^3$ the analogue for $K_t = \sum t_i |z_i|$, $P_t(K < 0) \ge 2^{-N}$, true for
# $N \le 2$ by Step 4 (let $L \to 0$), is false: for six vectors near the axes of the icosahedron 7 of 64 choices have
# $K_t < 0$ off 0. *All signs*: with all $t_i = +$ the flips alone do not have the mean. *Generic*: two parallel
# vectors.


# %%
ICOSAHEDRON = [[-1, 6, 7], [0, 4, -8], [5, 8, 1], [5, -9, -1], [8, -1, 5], [-8, 1, 4]]


@claim.neighbour("two inputs, no biases")
def icosahedron(depth: str) -> Iterator[tuple[object, ...]]:
    """K_t is convex or linear between the planes: it is enough to look at the rays that two planes have in common."""
    rays = [sympy.Matrix(a).cross(sympy.Matrix(b)) for i, a in enumerate(ICOSAHEDRON) for b in ICOSAHEDRON[:i]]
    sizes = [[abs(int(sympy.Matrix(a).dot(ray))) for a in ICOSAHEDRON] for ray in rays]
    found = sum(
        max(sum(u * v for u, v in zip(t, row, strict=True)) for row in sizes) < 0 for t in product((1, -1), repeat=6)
    )
    yield "P(K < 0) in R^3, of 64", found, ">=", 64 // 2**3
    yield found, ">", 7


@claim.neighbour("all signs s and t")
def flips_alone(depth: str) -> Iterator[tuple[object, ...]]:
    rows = [[2, 1], [1, 3]]
    z = [[u * p + v * q for u, v in rows] for p, q in around(rows)]
    total = sum(
        changes([sum(max(u * v, 0) for u, v in zip(s, row, strict=True)) for row in z]) // 2
        for s in product((1, -1), repeat=2)
    )
    yield total * 4, 4**2 - 2**2


@claim.neighbour("generic")
def parallel(depth: str) -> Iterator[tuple[object, ...]]:
    below, _ = bias_free_orbit([[1, 2], [2, 4], [3, 1]], [1, 1, 1])
    yield below, bias_free_orbit([[1, 2], [2, 5], [3, 1]], [1, 1, 1])[0]


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
