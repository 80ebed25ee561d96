# %% [markdown]
# # Bounds on living networks
#
# Rister and Rubin, *Probabilistic bounds on data sensitivity in deep rectifier networks*, taken at its word: what is
# exact, what is a bound, what is false as printed. `python examples/rister_rubin.py figure.png` draws the simulation.
#
# A network has $k$ layers of width $n$ and random parameters, independent, symmetric about 0, without atoms. A layer
# *dies* if none of its neurons is positive anywhere on what reaches it; $P(n, k)$ is the probability that all layers
# live, for inputs from all of $\mathbb R^n$.

# %%
import sys
from fractions import Fraction
from itertools import product

import numpy as np
import sympy

from geomrelu import FiniteSet, Network, Polyhedron, checker, decide
from geomrelu.certificates.files import as_certificate
from geomrelu.papers.figures import figure_one, save
from geomrelu.papers.simulations import Living, living
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.by_orbits import by_orbits
from geomrelu.random_networks.experiment import Experiment
from geomrelu.random_networks.intervals import clopper_pearson
from geomrelu.random_networks.orbit import alive_orbit

# %% [markdown]
# ## The bounds
#
# $(1 - 2^{-n})^k \le P(n, k) \le (1 - 2^{-n^2 - n})^{k - 1}$ (eq. 10). Deep networks die unless they are wide, and
# logarithmically wide is enough (eq. 9).

# %%
n, k = sympy.symbols("n k", positive=True, integer=True)
print("lower:", closed_forms.lower_bound(n, k), "  upper:", closed_forms.upper_bound(n, k))
for depth in (1, 10, 100, 1000):
    width = closed_forms.width_for_depth(depth, Fraction(9, 10))
    print(
        f"depth {depth}: width {sympy.ceiling(width)} keeps 9 of 10 networks alive (the bound says {float(width):.2f})"
    )

# %% [markdown]
# ## Where the upper bound comes from
#
# A layer after the first reads a part of the orthant $\mathbb R^n_+$. It kills all of it if and only if none of its
# $n^2 + n$ parameters is positive. Here are all sign patterns of a layer of width 2, decided one by one; each claim is
# checked by the independent checker.

# %%
orthant = Polyhedron.orthant(2)
killing, accepted = [], 0
for signs in product((-1, 1), repeat=6):
    a, b, c, d, p, q = (s * v for s, v in zip(signs, (3, 5, 7, 2, 4, 6), strict=True))
    layer = Network.from_layers([([[a, b], [c, d]], [p, q], "relu")])
    (report,) = decide(layer, orthant)
    claims = [v.claim for v in report.verdicts]
    certificate = as_certificate(claims, layer.digest, orthant.checked.digest(), report.points)
    accepted += len(checker.check(certificate, layer.checked, orthant.checked))
    if report.killed:
        killing.append(signs)
        print("the certificate of the layer that kills:")
        for claim in claims:
            print("  ", claim)
print(f"{len(killing)} of 64 sign patterns kills the orthant: {killing}; {accepted} claims accepted")
print("closed_forms.orthant_kill(2) =", closed_forms.orthant_kill(2))

# %% [markdown]
# ## Exact values
#
# Fix the magnitudes of the parameters and walk all signs. For width 1, $(k + 1) 2^k$ of the $4^k$ networks live, and
# for two layers of width 2, 63 of 64, whatever the magnitudes: these probabilities do not depend on the law.

# %%
rng = np.random.default_rng(0)


def some(*shape: int) -> list:
    return rng.integers(1, 1000, shape).tolist()


for depth in range(1, 7):
    counts = {alive_orbit([(some(1, 1), some(1)) for _ in range(depth)], Polyhedron.space(1)) for _ in range(5)}
    ((count, size),) = counts
    print(f"P(1, {depth}) = {count}/{size} = {Fraction(count, size)}; the formula: {closed_forms.width_one(depth)}")
counts = {alive_orbit([(some(2, 2), some(2)), (some(2, 2), some(2))], Polyhedron.space(2)) for _ in range(5)}
((count, size),) = counts
print(f"P(2, 2) = {count}/{size} = {Fraction(count, size)}; the upper bound: {closed_forms.upper_bound(2, 2)}")

# %% [markdown]
# So the upper bound is attained for two layers (for one it says $P(n, 1) = 1$). At depth three it is not, and the
# probability depends on the law: orbits differ.

# %%
three = by_orbits(Experiment("alive", (2, 2, 2, 2)), 4, seed=0)
print(f"width 2, depth 3: {list(three.counts)} of {three.size} sign choices on four orbits")
low, high = (float(bound(2, 3)) for bound in (closed_forms.lower_bound, closed_forms.upper_bound))
print(f"  {low:.4f} <= {three.estimate:.4f} <= {high:.4f}")

# %% [markdown]
# ## An identity that does not hold
#
# In the proof that the lower bound is sharp for wide networks, $E_1$ is the event that all data that is left survives a
# layer, $E_2$ that some of it does, $E_3$ that none does, and eq. 17 uses $P(E_1 \mid E_2^c) = 1 - 2^{-n}$: data that
# lives or dies together is brought to life by flipping any one neuron. But neurons that are alive on different parts of
# the data can cover it together. For $n = 2$ and the data $\pm e_1$ only the first weight $a$ and the bias $b$ of a
# neuron matter; of $|a|$ and $|b|$ either is the larger, equally likely, and all signs are.

# %%
lives = {"E1": 0, "E2": 0, "E3": 0}
neurons = list(product((1, 2), (1, 2), (1, -1), (1, -1)))
neurons = [(s * u, t * v) for u, v, s, t in neurons if u != v]  # (a, b)
for layer in product(neurons, repeat=2):
    alive = [any(a * x + b > 0 for a, b in layer) for x in (1, -1)]
    lives["E1" if all(alive) else "E2" if any(alive) else "E3"] += 1
together = Fraction(lives["E1"], lives["E1"] + lives["E3"])
print(f"{lives} of {len(neurons) ** 2}; P(E1 | not E2) = {together}, not 1 - 2^-2 = {1 - Fraction(1, 4)}")

# %% [markdown]
# What remains true is $\ge$. (The other half of the argument, that a layer kills *one* given point with probability
# $2^{-n}$, is exact: one point, width 2, depth 3, all signs.)

# %%
layers = [(some(2, 2), some(2)) for _ in range(3)]
count, size = alive_orbit(layers, FiniteSet.of([some(2)]))
print(f"one point: {Fraction(count, size)}; the lower bound: {closed_forms.lower_bound(2, 3)}")

# %% [markdown]
# ## A simulation between the bounds
#
# Random networks on random data: living networks lie between the bounds. The data that lives decays like the lower
# bound, $\ell(n, k)$, if nothing is done; if each layer that kills more than half of the living data is turned around
# (its signs flipped), at least $2^{-k}$ of the data survives for certain, and in practice much more.

# %%
plan = Living(widths=(1, 2, 4, 6), depth=64, networks=256, points=64, schemes=("iid", "sign-flip"), seed=0)
found = living(plan)
for width in plan.widths:
    one, flipped = (found[width, scheme] for scheme in plan.schemes)
    shown = []
    for depth in (2, 8, 32):
        low, high = clopper_pearson(one.alive[depth - 1], plan.networks, 0.9999)
        l, v = float(closed_forms.lower_bound(width, depth)), float(closed_forms.upper_bound(width, depth))
        assert l <= high and low <= v
        shown.append(f"k = {depth}: {l:.3f} <= {one.alive[depth - 1] / plan.networks:.3f} <= {v:.3f}")
    data = plan.networks * plan.points
    assert all(kept >= data / 2**k for k, kept in enumerate(flipped.living, 1))
    print(f"n = {width}: {'; '.join(shown)}")
    print(f"  of the data live at k = 64: {one.living[-1] / data:.3f}, with flipping {flipped.living[-1] / data:.3f}")

# %%
figure = figure_one(found, shown=plan.widths)
if len(sys.argv) > 1:
    save(figure, sys.argv[1])
    print("picture:", sys.argv[1])
figure
