# %% [markdown]
# # Identically distributed parameters: the law still matters
#
# **Notation.** In the papers the parameters of a layer, weights and biases, are independent with *one* symmetric law.
# Three families of laws, all with densities and fair signs; $V$ is uniform on $[0, 1]$ and $\lambda > 0$:
#
# * *flat*: $|\theta|$ uniform on $[1, 2]$;
# * *spread*: $|\theta| = \exp(e^{\lambda V})$;
# * *spread further*: $|\theta| = \exp(e^{\lambda (2 + V)})$.
#
# **Statement.** As $\lambda \to \infty$, with the layers before the last one spread:
#
# (i) $n_0 = 1$, $n_1 = 3$: the probability that a second-layer neuron is stably unactivated tends to
# $\frac{503}{3072}$ if the second layer is flat, and to $\frac{494}{3072}$ if it is spread further.
#
# (ii) $P(2, 3)$ on $\mathbb R^2$ tends to $\frac{15081}{16384}$ if the third layer is flat, and to
# $\frac{205079}{221184}$ if it is spread further.
#
# So neither probability is free of the law, not even among laws that are identically distributed in each layer
# ([`wide-not-free`](wide-not-free.py) and [`not-free-at-three`](not-free-at-three.py) let the laws differ from
# parameter to parameter).

# %%
from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import permutations, product

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.orbit import alive_orbit
from geomrelu.random_networks.stably_unactivated import stably_unactivated_orbit

claim = Claim(
    label="iid-not-free",
    title="Not distribution free, identically distributed",
    statement="i.i.d. in each layer: the limits are 503/3072 and 494/3072 (n0 = 1, n1 = 3), and 15081/16384 and "
    "205079/221184 for P(2, 3)",
    latex=r"n_0 = 1, n_1 = 3:\ P \to \tfrac{503}{3072} \text{ or } \tfrac{494}{3072}; \quad "
    r"P(2, 3) \to \tfrac{15081}{16384} \text{ or } \tfrac{205079}{221184}",
    source="new (after Brownlowe et al., conjecture 1.3, and Rister & Rubin, section 5)",
    hypotheses=(
        "n1 >= n0 + 2",
        "depth three",
        "the last layer's law is the one that is changed",
    ),
    uses=("line-lower-bound", "range-two-three"),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (leaders).** Let $\ell_r = e^{\lambda V_r}$ be the logarithms of the spread magnitudes, sorted. For different
# $V$'s the quotients $\ell_{r+1} / \ell_r$ tend to infinity. So with a probability that tends to 1, every sum of
# finitely many of them with coefficients in $\{0, \pm 1\}$ (other than the empty one) has the sign of its largest term,
# and is large in size. Hence in every sum of products of magnitudes and their inverses that occurs below one term is
# larger than all the others together, whatever flat factors they have: the *leader*. The order of the $V$'s is uniform
# among all orders, and independent of the signs.
#
# **Step 2 (one input).** Let $x_i = -b_i / a_i$ and $X_i = \log |b_i| - \log |a_i|$. Then $|x_i - x_j|$ is
# $\max(|x_i|, |x_j|)$ up to a factor that tends to 1, so $\log |z_i(x_j)| = \log |a_i| + \max(X_i, X_j) + o(1)$. By
# [`line-lower-bound`](line-lower-bound.py), Step 4, the neuron is stably unactivated if and only if it is negative at
# all $x_j$ and decreases at both ends (where nothing is active, it is $c$, as at a vertex). Each of these has a leader,
# one of the $t_i$ or the sign of $c$, and it is negative if and only if the leader is. So of the $2^4$ signs of the
# second layer $2^{4 - \#\text{leaders}}$ are good. If the second layer is spread further, its logarithms decide before
# those of the first. The limit is the mean over all orders and signs.
#
# **Step 3 (depth three).** By [`range-two-three`](range-two-three.py) the first layer does not matter, and given the
# signs of layer 2 the two neurons of layer 3 are independent. A neuron of layer 3 is dead if and only if it is not
# positive at the images $(y_1, y_2)$ of the vertices and along those of the rays of the orthant cut by layer 2. There
# it has a leader among $u y_1$, $v y_2$ and its bias (the latter not along rays); if none is positive there is no
# condition. So $d = 2^{3 - \#\text{leaders}}$ of its 8 signs are dead. Flat: the leader is the largest of $y_1$, $y_2$,
# 1. Spread further: the first in the order of the three magnitudes, which is uniform and independent for the two
# neurons, so the mean number of dead pairs of sign choices is the square of the mean of $d$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    v, w, gap, t = sympy.symbols("v w g t", positive=True)
    # Step 1: the quotient of two logarithms, and that three flat factors do not matter
    yield "quotient of logarithms", sympy.exp(t * (v + gap)) / sympy.exp(t * v), sympy.exp(t * gap)
    yield "it tends to infinity", sympy.limit(sympy.exp(-t * gap), t, sympy.oo), sympy.Integer(0)
    yield "spread further, at least so many times larger", sympy.exp(2 * t) / sympy.exp(t), sympy.exp(t)
    # Step 2: |x_i - x_j| against the larger one, as their quotient tends to 0
    yield "distance of two points", sympy.limit((w + gap * sympy.exp(-t)) / w, t, sympy.oo), sympy.Integer(1)


# %% [markdown]
# ## Enumeration
#
# All orders and all signs, with logarithms $5^r$ in place of the largest-first comparison (five to one is enough for
# these sums). The leaders are checked on whole orbits with magnitudes $2^{5^r}$ and $2^{3^r \cdot 4}$, counted by the
# general functions.

# %%
Row = tuple[int, int, int]


def good(slopes: Sequence[int], shifts: Sequence[int], outputs: Sequence[int], signs: Sequence[int]) -> int:
    """Step 2: good sign choices (of 2^(2n + 1)) for given logarithms and signs of the points -x_i."""
    n = len(slopes)
    far = [b - a for a, b in zip(slopes, shifts, strict=True)]
    place = [(-e, -e * x) for e, x in zip(signs, far, strict=True)]
    values = [[outputs[i] + slopes[i] + max(far[i], far[j]) for i in range(n)] for j in range(n)]
    found = 0
    for flips in product((1, -1), repeat=n):
        leaders = set()
        for j in range(n):
            active = [i for i in range(n) if i != j and (place[j] > place[i]) == (flips[i] > 0)]
            best = max(active, key=lambda i: values[j][i], default=n)
            leaders.add(best if best < n and values[j][best] > outputs[n] else n)
        for end in (1, -1):
            active = [i for i in range(n) if flips[i] == end]
            leaders |= {max(active, key=lambda i: outputs[i] + slopes[i])} if active else set()
        found += int(2 ** (n + 1 - len(leaders)))
    return found


def first_layers(n: int) -> Iterator[tuple[list[int], list[int], tuple[int, ...]]]:
    """Logarithms of slopes and shifts in all orders, and the signs of the points (the first is +: mirror images)."""
    for order in permutations(range(2 * n)):
        logs = [5**r for r in order]
        for signs in product((1, -1), repeat=n - 1):
            yield logs[:n], logs[n:], (1, *signs)


def flat_mean(n: int) -> Fraction:
    """The limit for a flat second layer; neurons are alike, so only one order of the slopes is walked."""
    found = [good(a, b, [0] * (n + 1), e) for a, b, e in first_layers(n) if a == sorted(a)]
    return Fraction(sum(found), len(found) * 2 ** (2 * n + 1))


def spread_mean(n: int) -> Fraction:
    """The limit for a second layer that is spread further; neurons are alike, so w_1 > w_2 > ... is walked."""
    found = []
    for place in range(n + 1):  # of |c| among them
        outputs = [5 ** (3 * n + 2 * (n - i)) for i in range(n)] + [5 ** (3 * n + 2 * (n - place) + 1)]
        found += [good(a, b, outputs, e) for a, b, e in first_layers(n)]
    return Fraction(sum(found), len(found) * 2 ** (2 * n + 1))


def images(p: Row, q: Row) -> set[Row]:
    """(y1, y2, s) at the vertices (s > 0) and along the rays (s = 0) of the orthant cut by two lines a·x + b s = 0."""
    points = {(0, 0, 1), (1, 0, 0), (0, 1, 0)}
    for a1, a2, b in (p, q):
        points |= {(abs(b), 0, abs(a1))} if a1 * b < 0 else set()
        points |= {(0, abs(b), abs(a2))} if a2 * b < 0 else set()
        points |= {(abs(a2), abs(a1), 0)} if a1 * a2 < 0 else set()
    x = (p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0])
    x = x if x[2] > 0 else (-x[0], -x[1], -x[2])
    points |= {x} if min(x[:2]) > 0 else set()
    found = set()
    for v in points:
        y1, y2 = (max(sum(a * t for a, t in zip(row, v, strict=True)), 0) for row in (p, q))
        found.add((y1, y2, v[2]))
    return {g for g in found if any(g)}


def dead_signs(found: set[Row], order: Sequence[int] | None) -> int:
    """Step 3: d, for an order of the three magnitudes of a neuron, or flat ones (None)."""
    if order is None:
        return int(2 ** (3 - len({max(range(3), key=lambda i, g=g: g[i]) for g in found})))
    return int(2 ** (3 - len({next(i for i in order if g[i]) for g in found})))


def second_layers(order: Sequence[int]) -> Iterator[set[Row] | None]:
    """Images for all signs of a layer 2 with magnitudes 2^(5^r); None if it is dead."""
    sizes = [1 << 5**r for r in order]
    for signs in product((1, -1), repeat=6):
        row = [s * v for s, v in zip(signs, sizes, strict=True)]
        yield None if max(signs) < 0 else images((row[0], row[1], row[2]), (row[3], row[4], row[5]))


def depth_three() -> tuple[Fraction, Fraction]:
    """The limits of P(2, 3): flat, spread further."""
    flat, spread, count, orders = 0, Fraction(0), 0, list(permutations(range(3)))
    for order in permutations(range(6)):
        if order[0] > order[3]:
            continue  # the two neurons exchanged
        count += 1
        for found in second_layers(order):
            flat += 64 if found is None else dead_signs(found, None) ** 2
            spread += 64 if found is None else Fraction(sum(dead_signs(found, o) for o in orders), 6) ** 2
    return 1 - Fraction(flat, 4096 * count), 1 - spread / (4096 * count)


@claim.enumerate("means over all orders")
def limits(depth: str) -> Iterator[tuple[object, ...]]:
    flat, spread = flat_mean(3), spread_mean(3)
    yield "n0 = 1, n1 = 3: flat", flat, Fraction(503, 3072)
    yield "n0 = 1, n1 = 3: spread further", spread, Fraction(494, 3072)
    yield "they differ", spread, "<", flat
    yield "at least the least of all orbits", spread, ">=", closed_forms.line_lower_bound(3)
    yield "at most the largest", flat, "<=", closed_forms.line_upper_bound(3)
    flat, spread = depth_three()
    yield "P(2, 3): flat", flat, Fraction(15081, 16384)
    yield "P(2, 3): spread further", spread, Fraction(205079, 221184)
    yield "P(2, 3): they differ", flat, "<", spread
    yield "P(2, 3): in the range of all laws", Fraction(3750, 4096), "<=", flat
    yield spread, "<=", Fraction(3828, 4096)


@claim.enumerate("whole orbits against leaders")
def whole(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(400)
    for _ in range(40 if depth == "thorough" else 12):
        logs = [5**r for r in rng.sample(range(6), 6)]
        signs = [rng.choice((1, -1)) for _ in range(3)]
        a, b = [1 << v for v in logs[:3]], [s << v for s, v in zip(signs, logs[3:], strict=True)]
        found, _ = stably_unactivated_orbit([[v] for v in a], b, [1, 1, 1], 1)
        yield found, good(logs[:3], logs[3:], [0] * 4, signs)
        outputs = rng.sample([5**7, 5**8, 5**6 * 3, 5**7 * 3], 4)
        found, _ = stably_unactivated_orbit([[v] for v in a], b, [1 << v for v in outputs[:3]], 1 << outputs[3])
        yield found, good(logs[:3], logs[3:], outputs, signs)
    for _ in range(3 if depth == "thorough" else 1):
        order = rng.sample(range(6), 6)
        v = [1 << 4 * 3**r for r in order]
        layers = [([[3, 1], [1, 2]], [1, 5]), ([[v[0], v[1]], [v[3], v[4]]], [v[2], v[5]])]
        dead = sum(64 if g is None else dead_signs(g, None) ** 2 for g in second_layers(order))
        alive, _ = alive_orbit([*layers, ([[101, 103], [107, 109]], [113, 127])], Polyhedron.space(2))
        yield "P(2, 3), one order, flat", alive, 64 * (4096 - dead)


# %% [markdown]
# ## Neighbours that fail
#
# *$n_1 = n_0 + 1$*: both limits are $\frac3{16}$. *Depth two*: a layer kills the orthant for one choice of its signs,
# flat or spread. *Another first layer* in place of another law of the last one: the same count.


# %%
@claim.neighbour("n1 >= n0 + 2; depth three")
def smaller(depth: str) -> Iterator[tuple[object, ...]]:
    yield spread_mean(2), "<", flat_mean(2)
    flat, spread = ([[101, 103], [107, 109]], [113, 127]), ([[2**4, 2**12], [2**36, 2**108]], [2**324, 2**972])
    first = ([[3, 1], [1, 2]], [1, 5])
    counts = [alive_orbit([first, last], Polyhedron.space(2))[0] for last in (flat, spread)]
    yield counts[0], "<", counts[1]


@claim.neighbour("the last layer's law is the one that is changed")
def first_changed(depth: str) -> Iterator[tuple[object, ...]]:
    """P(2, 3) with other first layers: the same count."""
    last = [([[5, 7], [11, 3]], [2, 9]), ([[4, 9], [8, 3]], [5, 6])]
    counts = [
        alive_orbit([first, *last], Polyhedron.space(2))[0]
        for first in (([[3, 1], [1, 2]], [1, 5]), ([[900, 1], [7, 50]], [2, 3000]))
    ]
    yield counts[0], "<", counts[1]


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
