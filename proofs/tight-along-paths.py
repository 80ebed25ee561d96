# %% [markdown]
# # Tightness of the lower bound along every path, as printed
#
# **Statement (false as printed).** "$P(n, k) \to \ell(n, k)$ along any path $n(k)$ such that
# $\lim_{k \to \infty} n(k) = \infty$" (section 5; the abstract: "the true probability converges to our lower bound when
# the network width and depth both grow without limit"). $S_0 \subseteq \mathbb R^n$ is any input set, and all
# parameters, weights and biases, are independent with one symmetric density, which may depend on $n$.
#
# **What the paper proves** is less: finite data, and assumption 5.1, which "we require" a page later, are its
# hypotheses ("reasonable assumptions", says the abstract). Under them, with the variances divided neuron by neuron,
# the limit is right: [`geometric-series-corrected`](geometric-series-corrected.py). But the assumption is not always
# met ([`assumption-5-1`](assumption-5-1.py)), and without it the sentence is not true.
#
# **What is wrong.** On an unbounded $S_0$ (the ray through a point is enough, so is $\mathbb R^n$, for which the upper
# bound is called tight) there are two places that live and die independently: 0, where the biases decide, and infinity,
# where the weights decide. For a density on $\varepsilon \le |\theta| \le 2 \varepsilon$, $8 n \varepsilon \le 1$ (it
# depends on $n$, as Xavier's and He's do), along $k = 2^n$, on which $\ell \to 1/e$, the true probability is at least
# twice the lower bound for every $n$: [`tight-along-paths-corrected`](tight-along-paths-corrected.py), which also says
# exactly when the bound is tight on finite data. For one density fixed for all $n$ this decides nothing. For He's law a
# ray is measured in [`ray-under-he`](ray-under-he.py).

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction

from geomrelu.claims.registry import Again, Claim
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.random_networks.orbit import alive_orbit

claim = Claim(
    label="tight-along-paths",
    title="Tightness of the lower bound along every path, as printed",
    statement="P(n, k) -> l(n, k) along any path n(k) -> infinity, for every input set S_0 and every symmetric density",
    latex=r"n(k) \to \infty: \quad P(n(k), k) \to \ell(n(k), k)",
    source="Rister & Rubin, section 5, after eq. 10",
    hypotheses=("parameters independent, identically distributed, symmetric, with a density",),
    correction="tight-along-paths-corrected",
)

AGAIN = Again(
    "from fractions import Fraction\nfrom geomrelu.geometry.polyhedron import Polyhedron\n"
    "from geomrelu.random_networks.orbit import alive_orbit\n"
    "layers = [([[Fraction(11, 80)]], [Fraction(13, 80)]), ([[Fraction(17, 80)]], [Fraction(19, 80)])]\n"
    "alive, size = alive_orbit(layers, Polyhedron.orthant(1))\nprint(Fraction(alive, size) / Fraction(1, 2) ** 2)"
)

# %% [markdown]
# ## Search
#
# Parameters with magnitudes between $\varepsilon$ and $2 \varepsilon$, $8 n \varepsilon \le 1$, on the ray
# $\{t\, (1, \dots, 1) : t \ge 0\}$: the share of living sign choices over the lower bound should be near 1.


# %%
def some(n: int, k: int, rng: random.Random) -> list[tuple[list[list[Fraction]], list[Fraction]]]:
    def size() -> Fraction:
        return Fraction(rng.randint(100, 200), 1600 * n)

    return [([[size() for _ in range(n)] for _ in range(n)], [size() for _ in range(n)]) for _ in range(k)]


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(300)
    for n, k in ((2, 1), (3, 1)):  # one layer: close, and closer for the wider one
        alive, size = alive_orbit(some(n, k, rng), Polyhedron.from_generators([[0] * n], [[1] * n]))
        yield f"n = {n}, k = {k}: P / l", Fraction(alive, size) / Fraction(2**n - 1, 2**n) ** k, "<=", Fraction(13, 10)
    layers = [([[Fraction(11, 80)]], [Fraction(13, 80)]), ([[Fraction(17, 80)]], [Fraction(19, 80)])]
    alive, size = alive_orbit(layers, Polyhedron.orthant(1))
    yield "n = 1, k = 2^n: P / l", Fraction(alive, size) / Fraction(1, 4), "<=", Fraction(13, 10), AGAIN


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
