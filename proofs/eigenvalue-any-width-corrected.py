# %% [markdown]
# # The normalised variance on a ray
#
# **Notation.** The normalised variance of vectors is the sum of the variances of their coordinates over the squared
# norm of their mean.
#
# **Statement.** (i) Let a network without biases, of any widths and depth $k$, be alive at $x$, and let the data be
# $t_1 x, \dots, t_M x$, $t_i > 0$. Then the normalised variance of its outputs is that of $t_1, \dots, t_M$; in
# particular, unless all $t_i$ are equal, it does not go to 0 with the depth. (ii) With biases: in width one, with all
# parameters between 4 and 8 in size and the data 100 and 200, it is at least $\frac1{10}$ in every living network, at
# every depth.

# %%
from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from fractions import Fraction

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.network.network import Network

claim = Claim(
    label="eigenvalue-any-width-corrected",
    title="The normalised variance on a ray",
    statement="no biases, data t_i x on a ray: the normalised variance of living outputs is that of the t_i; with "
    "biases it need not go to 0 either",
    latex=r"F(t x) = t F(x),\ t > 0: \quad \frac{\lVert \sigma(F_k) \rVert^2}{\lVert E F_k \rVert^2} = "
    r"\frac{\operatorname{Var} t}{(E\,t)^2}",
    source="Rister & Rubin, section 5 (corrected)",
    hypotheses=(
        "for (i): no biases",
        "data on one ray",
        "for (ii): parameters between 4 and 8 in size",
        "the network is alive at x (by definition)",
    ),
)

# %% [markdown]
# ## Proof
#
# $\max(t z, 0) = t \max(z, 0)$ for $t > 0$, so layer by layer $F_k(t x) = t F_k(x)$. With $v = F_k(x) \ne 0$ the mean
# of the outputs is $E(t)\, v$ and the sum of the variances is $\operatorname{Var}(t)\, |v|^2$; $|v|^2$ cancels: (i).
#
# (ii) Let $y < z$ be the outputs of a layer, $y \ge 100$. In the next layer $|a y| \ge 400 > |b|$, so it is dead if
# $a < 0$, and otherwise the outputs are $a y + b$ and $a z + b$, both at least $392$. With $d = z - y$ and $s = z + y$
# they have the difference $a d$ and the sum $a s + 2 b$, so $\frac sd$ grows by $\frac{2b}{ad} \le \frac4d$ at most,
# and $d$ at least fourfold. At the beginning $d = 100$ and $\frac sd = 3$; so $\frac sd \le 3 + \frac4{100} \cdot
# \frac43 < \sqrt{10}$ for ever, and the normalised variance is $\frac{d^2}{s^2}$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    v, w, s, t = sympy.symbols("v w s t", positive=True)
    mean = [(s * u + t * u) / 2 for u in (v, w)]
    variance = sum(((s * u - m) ** 2 + (t * u - m) ** 2) / 2 for u, m in zip((v, w), mean, strict=True))
    own = (s + t) / 2
    expected = ((s - own) ** 2 + (t - own) ** 2) / 2 / own**2
    yield "two data, two outputs", variance / sum(m**2 for m in mean), expected
    a, b, d = sympy.symbols("a b d", positive=True)
    yield "(ii): the growth of s / d", (a * s + 2 * b) / (a * d), s / d + 2 * b / (a * d)


# %% [markdown]
# ## Enumeration
#
# Random networks of several widths and depths, alive at $x$, exactly. Then (ii): all signs of random parameters.


# %%
def normalised(outputs: list[list[Fraction]]) -> Fraction:
    columns = list(zip(*outputs, strict=True))
    means = [sum(column, Fraction(0)) / len(column) for column in columns]
    spread = sum(
        (sum((v - m) ** 2 for v in column) / len(column) for column, m in zip(columns, means, strict=True)), Fraction(0)
    )
    return spread / sum(m**2 for m in means)


def outputs(
    rng: random.Random, widths: tuple[int, ...], data: list[list[Fraction]], bias: int = 0
) -> list[list[Fraction]]:
    layers = [
        ([[Fraction(rng.randint(-99, 99)) for _ in range(m)] for _ in range(n)], [Fraction(bias)] * n, "relu")
        for m, n in itertools.pairwise(widths)
    ]
    network = Network.from_layers(layers)
    return [[max(v, Fraction(0)) for v in network.pre_activations(x)[-1]] for x in data]


@claim.enumerate("living networks")
def networks(depth: str) -> Iterator[tuple[object, ...]]:
    rng, scales = random.Random(223), [Fraction(1), Fraction(2), Fraction(7, 2)]
    for widths in ((1, 1), (2, 3), (2, 2, 2), (3, 4, 4, 2), (2, *[3] * 8)):
        found = 0
        while found < 5:
            x = [Fraction(rng.randint(-9, 9)) for _ in range(widths[0])]
            values = outputs(rng, widths, [[t * v for v in x] for t in scales])
            if any(values[0]):
                found += 1
                case = normalised(values), normalised([[t] for t in scales])
                yield (f"widths {', '.join(map(str, widths))}", *case) if found == 1 else case


@claim.enumerate("living networks with biases")
def with_biases(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(224)
    yield "the largest s / d, squared", (3 + Fraction(4, 100) * Fraction(4, 3)) ** 2, "<", 10
    for k in (1, 3, 6):
        sizes = [(Fraction(rng.randint(400, 800), 100), Fraction(rng.randint(400, 800), 100)) for _ in range(k)]
        alive = [[[Fraction(100)], [Fraction(200)]]]  # the outputs of the living
        for a, b in sizes:
            images = (
                [[max(s * a * v + t * b, Fraction(0))] for (v,) in values]
                for values in alive
                for s, t in itertools.product((1, -1), repeat=2)
            )
            alive = [values for values in images if any(v for (v,) in values)]
        yield f"width 1, {k} layers: living", len(alive), 2**k
        yield f"width 1, {k} layers: the least, in thousandths", int(1000 * min(map(normalised, alive))), ">=", 100


# %% [markdown]
# ## Neighbours that fail
#
# *With biases* a constant is added to proportional values: $\max(2x + 1, 0)$ on 1 and 2. *Two rays*: $x$ and $-x$ for
# the pair $\max(\pm x, 0)$. *Small weights*, for (ii): with $a = \frac12$ and $b = 1$ all outputs tend to 2.


# %%
@claim.neighbour("for (i): no biases; data on one ray; for (ii): parameters between 4 and 8 in size")
def others(depth: str) -> Iterator[tuple[object, ...]]:
    yield normalised([[Fraction(3)], [Fraction(5)]]), normalised([[Fraction(1)], [Fraction(2)]])
    network = Network.from_layers([([[1], [-1]], [0, 0], "relu")])
    values = [[max(v, Fraction(0)) for v in network.pre_activations([x])[-1]] for x in (1, -2)]
    yield normalised(values), normalised([[Fraction(1)], [Fraction(2)]])
    values = [[Fraction(100)], [Fraction(200)]]
    for _ in range(9):
        values = [[v / 2 + 1] for (v,) in values]
    yield normalised(values), ">=", Fraction(1, 10)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
