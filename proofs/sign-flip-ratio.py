# %% [markdown]
# # Sign flipping keeps a share of the data alive
#
# **Notation.** A data point is *alive* after layer $k$ if each of the layers $1, \dots, k$ has a positive neuron at it.
# *Sign flipping* goes through the layers of a network, of any widths: if a layer kills more than half of the points
# that were alive before it, all its parameters are negated. Let $M$ points be given.
#
# **Statement.** (i) If no layer has only zeros as pre-activations at a point that was alive before it, at least
# $\lceil M / 2^k \rceil$ points are alive after layer $k$. (ii) For every width, depth and $M$ there are networks and
# data that attain this. (iii) The hypothesis holds with probability 1 if the biases have no atoms and are independent
# of all other parameters.
#
# (The introduction and section 8 of the paper say that the ratio of living data is at least $2^{-k}$; what section 6
# says instead is [`sign-flip-floor`](sign-flip-floor.py).)

# %%
from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations, product

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.random_networks import closed_forms

claim = Claim(
    label="sign-flip-ratio",
    title="Sign flipping",
    statement="with sign flipping at least ceil(M / 2^k) of M data points are alive after k layers; this is attained",
    latex=r"\#\text{alive} \ge \lceil M / 2^k \rceil",
    source="Rister & Rubin, sections 1, 6 and 8",
    hypotheses=("no layer has only zeros as pre-activations at a living point",),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (one layer).** Let $v$ points be alive before the layer. If it kills at most half of them, at least
# $\lceil v / 2 \rceil$ stay alive. If it kills more, then at each killed point no pre-activation is positive and, by
# the hypothesis, one is negative; after negation that one is positive. So all the killed points are alive, more than
# $v / 2$ of them: at least $\lceil v / 2 \rceil$ again.
#
# **Step 2 (all layers).** For a real number $t$ and an integer $m$ we have $\lceil t \rceil \le 2m$ if and only if
# $t \le 2m$; hence $\lceil \lceil t \rceil / 2 \rceil = \lceil t / 2 \rceil$. With $t = M / 2^j$ induction on the
# layers gives (i): $\lceil \lceil M / 2^j \rceil / 2 \rceil = \lceil M / 2^{j+1} \rceil$.
#
# **Step 3 (ii).** Let the living points have $v$ different first coordinates, and let all neurons of the layer be
# $c_i (x_1 - t)$ with $c_i > 0$, where $t$ lies between the coordinates number $\lfloor v / 2 \rfloor$ and
# $\lfloor v / 2 \rfloor + 1$ (below all for $v = 1$). The layer kills $\lfloor v / 2 \rfloor$ points, which is not more
# than half; $\lceil v / 2 \rceil$ are left, and their images have different first coordinates again. Start with $M$
# different first coordinates. (All inequalities are strict: networks nearby do the same.)
#
# **Step 4 (iii).** Which layers were negated takes one of $2^k$ values, and there are $M$ points. For each of them,
# what the point has become before the layer, $y$, and the weights $a$ of a neuron are independent of its bias, so
# $P(a \cdot y + b = 0) = 0$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    # Step 2 for every M: M = 2^(j+1) q + r, with a symbol for q and each remainder r
    q = sympy.Symbol("q", integer=True, nonnegative=True)
    for j in range(5):
        for r in range(1, 2 ** (j + 1) + 1):
            points = 2 ** (j + 1) * q + r
            before = sympy.ceiling(sympy.expand(points / sympy.Integer(2**j)))
            case = sympy.ceiling(sympy.expand(before / 2)), closed_forms.sign_flip_alive(points, j + 1)
            yield (f"layer {j + 1}, every M", *case) if r == 1 else case


# %% [markdown]
# ## Enumeration
#
# All data sets in $\{-2, \dots, 2\}$, respectively of up to 4 points in $\{-1, 0, 1\}^2$, and all networks with small
# integers as parameters: the fewest points that stay alive, over all networks for which the hypothesis holds. Then the
# networks of Step 3.

# %%
Layer = tuple[tuple[int, ...], ...]  # rows (b, a1, ..., an)
Points = tuple[tuple[int, ...], ...]


def after(layer: Layer, points: Points) -> Points | None:
    """The images of the points that stay alive; None if all pre-activations are 0 at one that was alive before."""
    z = [[row[0] + sum(a * v for a, v in zip(row[1:], x, strict=True)) for row in layer] for x in points]
    if not all(map(any, z)):
        return None
    if 2 * sum(max(values) <= 0 for values in z) > len(z):
        z = [[-v for v in values] for values in z]
    return tuple(sorted(tuple(max(v, 0) for v in values) for values in z if max(values) > 0))


def fewest(layers: Sequence[Layer], points: Points, depth: int) -> int:
    """Over all networks of the given depth made of the given layers."""

    @cache
    def least(living: Points, left: int) -> int:
        if not left:
            return len(living)
        images = {image for layer in layers if (image := after(layer, living)) is not None}
        return min(least(image, left - 1) for image in images)

    return least(points, depth)


NARROW: list[Layer] = [((b, a),) for a in (-2, -1, 1, 2) for b in range(-5, 6)]
WIDE: list[Layer] = list(product(product((-1, 1), (-1, 0, 1), (-1, 0, 1)), repeat=2))


@claim.enumerate("data sets")
def networks(depth: str) -> Iterator[tuple[object, ...]]:
    line = [(x,) for x in range(-2, 3)]
    for k in range(1, 5 if depth == "thorough" else 4):
        for size in range(1, 6):
            least = []
            for points in combinations(line, size):
                least.append(fewest(NARROW, points, k))
                yield least[-1], ">=", closed_forms.sign_flip_alive(size, k)
            yield f"n = 1, k = {k}, M = {size}: the fewest", min(least), closed_forms.sign_flip_alive(size, k)
    plane = list(product((-1, 0, 1), repeat=2))
    for size in range(1, 5):
        for number, points in enumerate(combinations(plane, size)):
            yield fewest(WIDE, points, 1), ">=", closed_forms.sign_flip_alive(size, 1)
            if number % (10 if depth == "thorough" else 200) == 0:
                yield fewest(WIDE, points, 2), ">=", closed_forms.sign_flip_alive(size, 2)


@claim.enumerate("networks of Step 3")
def attained(depth: str) -> Iterator[tuple[object, ...]]:
    for n in (1, 2, 3):
        for size in range(1, 65 if depth == "thorough" else 21):
            points: Points = tuple((2 * m, *[m] * (n - 1)) for m in range(1, size + 1))
            for k in range(1, 6):
                firsts = sorted(x[0] for x in points)
                t = firsts[len(firsts) // 2] - 1  # even coordinates, so no 0; then doubled, to be even again
                layer = tuple((-2 * c * t, 2 * c, *[0] * (n - 1)) for c in range(1, n + 1))
                points = after(layer, points) or ()
                yield len(points), closed_forms.sign_flip_alive(size, k)


# %% [markdown]
# ## Neighbours that fail
#
# *Only zeros* at a point, $M = 1$, $x = b = 0$: it is dead before and after negation. *Without flipping* a layer may
# kill all. *Counting all data and not only the living*: the second layer kills the last two of four points, which is
# not more than half of four.


# %%
@claim.neighbour(
    "no layer has only zeros as pre-activations at a living point; the flipping; "
    "a layer is judged by the points alive before it"
)
def weaker_schemes(depth: str) -> Iterator[tuple[object, ...]]:
    alive = [s * 0 > 0 for s in (1, -1)]
    yield sum(alive), ">=", closed_forms.sign_flip_alive(1, 1)
    data = (-2, -1, 1, 2)
    yield sum(-1 - abs(x) > 0 for x in data), ">=", closed_forms.sign_flip_alive(4, 1)
    living = [x for x in data if x > 0]
    killed = [y for y in living if y - 3 <= 0]
    sign = -1 if 2 * len(killed) > len(data) else 1
    yield sum(sign * (y - 3) > 0 for y in living), ">=", closed_forms.sign_flip_alive(4, 2)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
