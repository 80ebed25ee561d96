# %% [markdown]
# # Sign flipping keeps a share of the data alive
#
# **Notation.** Layer by layer, the parameters of a layer are negated if it kills more than half of the $M$ data points
# that were alive. No pre-activation of a layer is zero at a living point (probability 1).
#
# **Statement.** After $k$ layers at least $\lceil M / 2^k \rceil$ points are alive. (Section 6 of the paper prints
# $\lfloor M / 2^n \rfloor$ with the width $n$, which is false; its introduction has the right exponent.) And the scheme
# does change the marginal laws: for $M = 1$, $x = 0$ a bias is positive with probability $\frac12 + 2^{-n}$.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product

import sympy

from geomrelu.claims import Claim

claim = Claim(
    label="sign-flip-ratio",
    title="Sign flipping",
    statement="with sign flipping at least ceil(M / 2^k) of M data points are alive after k layers",
    latex=r"\#\text{alive} \ge \lceil M / 2^k \rceil",
    source="Rister & Rubin, sections 1 and 6",
    hypotheses=("no pre-activation is 0 at a living point",),
)

# %% [markdown]
# ## Proof
#
# If a layer kills at most half of the living points, at least half stay. If it kills more, all its neurons are
# negative at the killed points, and after negation all positive: more than half are alive. So the number $v$ of living
# points becomes at least $\lceil v / 2 \rceil$, and $\lceil \lceil M / 2^j \rceil / 2 \rceil = \lceil M / 2^{j+1}
# \rceil$.
#
# Marginals: the layer is negated exactly if all $n$ biases are negative; a bias $b'$ of the result is positive if it
# was before, or in that case: $\frac12 + 2^{-n}$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    for points in range(1, 33):
        for j in range(5):
            halved = sympy.ceiling(sympy.Rational(sympy.ceiling(sympy.Rational(points, 2**j)), 2))
            yield halved, sympy.ceiling(sympy.Rational(points, 2 ** (j + 1)))


# %%
Layer = list[tuple[Fraction, list[Fraction]]]


def flipped(layers: Sequence[Layer], data: Sequence[Sequence[Fraction]]) -> tuple[list[int], list[Layer]]:
    """Living points after each layer, and the layers as they were used."""
    living, used, values = [], [], [list(x) for x in data]
    for layer in layers:
        for sign in (1, -1):
            rows = [(sign * b, [sign * a for a in row]) for b, row in layer]
            z = [[b + sum(a * v for a, v in zip(row, x, strict=True)) for b, row in rows] for x in values]
            alive = [x for x in z if max(x) > 0]
            if sign == -1 or 2 * (len(z) - len(alive)) <= len(z):
                break
        values = [[max(v, Fraction(0)) for v in x] for x in alive]
        living.append(len(alive))
        used.append(rows)
    return living, used


def signed(magnitudes: Sequence[Layer]) -> Iterator[list[Layer]]:
    size = sum(1 + len(row) for layer in magnitudes for _, row in layer)
    for signs in product((1, -1), repeat=size):
        s = iter(signs)
        yield [[(next(s) * b, [next(s) * a for a in row]) for b, row in layer] for layer in magnitudes]


@claim.enumerate("networks")
def networks(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(130)

    def some() -> Fraction:
        return Fraction(rng.randint(1, 9999), rng.randint(1, 99))

    for n, k in ((1, 1), (1, 2), (1, 3), (1, 4), (2, 1), (2, 2)):
        magnitudes = [[(some(), [some() for _ in range(n)]) for _ in range(n)] for _ in range(k)]
        for size in (1, 3, 5):
            data = [[rng.choice((1, -1)) * some() for _ in range(n)] for _ in range(size)]
            least = min(flipped(layers, data)[0][-1] for layers in signed(magnitudes))
            yield f"n = {n}, k = {k}, M = {size}: the least", least, ">=", -(-size // 2**k)


@claim.enumerate("marginal laws")
def marginals(depth: str) -> Iterator[tuple[object, ...]]:
    for n in range(1, 5):
        used = [
            flipped([[(Fraction(s), [Fraction(1)] * n) for s in signs]], [[Fraction(0)] * n])[1]
            for signs in product((1, -1), repeat=n)
        ]
        positive = sum(layers[0][0][0] > 0 for layers in used)
        yield f"n = {n}: P(b' > 0)", Fraction(positive, 2**n), Fraction(1, 2) + Fraction(1, 2**n)


# %% [markdown]
# ## Neighbours that fail
#
# *The printed floor*: width 1, depth 2, $M = 4$; one point lives, not $\lfloor 4 / 2^1 \rfloor = 2$. *No flipping*: all
# die. *Kept marginals*: $\frac12$.


# %%
@claim.neighbour("the exponent is the depth; the flipping; the changed marginals")
def printed(depth: str) -> Iterator[tuple[object, ...]]:
    data = [[Fraction(x)] for x in (1, 2, -1, -2)]
    layers = [[(Fraction(0), [Fraction(1)])], [(Fraction(-3, 2), [Fraction(1)])]]
    yield flipped(layers, data)[0][-1], ">=", 4 // 2**1
    alive = sum(-1 - abs(x[0]) > 0 for x in data)
    yield alive, ">=", 2
    used = [flipped([[(Fraction(s), [Fraction(1)])]], [[Fraction(0)]])[1][0][0][0] for s in (1, -1)]
    yield Fraction(sum(b > 0 for b in used), 2), Fraction(1, 2)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
