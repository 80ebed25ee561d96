# %% [markdown]
# # Stably unactivated neurons
#
# The results of Brownlowe, Cornwell, Montes, Quijano, Stulman and Zhang, and what lies beyond them, by exact counting.
#
# A network reads $n_0$ numbers; layer 1 has $n_1$ neurons $\max(a_i \cdot x + b_i, 0)$; a neuron of layer 2 is
# $f(x) = \sum_i w_i \max(a_i \cdot x + b_i, 0) + c$. It is *stably unactivated* if $f \le 0$ on all of
# $\mathbb R^{n_0}$, for all parameters near the given ones too. How likely is that for random parameters?

# %%
import sys
from collections.abc import Iterable
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np

from geomrelu import Arrangement, Network, decide
from geomrelu.geometry import catalogue, region_formulas
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.papers.figures import figure_five, save
from geomrelu.plots import arrangement_figure, first_layer_missing, image_figure, plot_arrangement, plot_image
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.by_orbits import by_orbits
from geomrelu.random_networks.experiment import Experiment
from geomrelu.random_networks.orbit_batch import stably_unactivated_counts
from geomrelu.random_networks.stably_unactivated import stably_unactivated_orbit

pictures = Path(sys.argv[1]) if len(sys.argv) > 1 else None  # a directory for the figures
if pictures is not None:
    pictures.mkdir(parents=True, exist_ok=True)

# %% [markdown]
# ## Figure 1: the code of four lines
#
# The neurons of layer 1 are cooriented hyperplanes; the sign vectors of their regions are the *code*. Four lines in
# general position in the plane have 11 of the 16 words, whatever the coorientation.


# %%
def word(signs: Iterable[int]) -> str:
    return "".join("+" if s > 0 else "-" for s in signs)


A, b = [[1, 0], [0, 1], [1, 1], [2, -1]], [0, 0, -2, 1]
lines = Arrangement(A, b)
print(f"{lines.n_regions} codewords, {lines.n_bounded} bounded regions: {' '.join(sorted(map(word, lines.signs)))}")
print("in general position:", lines.is_generic, "; so many regions, says Zaslavsky:", region_formulas.regions(4, 2))
turned = [
    Arrangement(
        [[s * v for v in row] for s, row in zip(flip, A, strict=True)], [s * v for s, v in zip(flip, b, strict=True)]
    )
    for flip in product((1, -1), repeat=4)
]
print("numbers of codewords of all 16 coorientations:", {other.n_regions for other in turned})
print("and of 50 other fours of lines:", {catalogue.generic(2, 4, seed).n_regions for seed in range(50)})
if pictures is not None:
    plot_arrangement(lines, pictures / "figure-1.png")
arrangement_figure(lines)

# %% [markdown]
# ## Three lines miss one word
#
# With $n_0 = 2$, $n_1 = 3$ the code has 7 of the 8 words, and which one is missing decides what the image of layer 1 in
# $\mathbb R^3$ looks like (figures 2 to 4).

# %%
for number, missing in ((2, "---"), (3, "--+"), (4, "-++")):
    weights, bias = first_layer_missing(missing)
    layer = Network.from_layers([(weights, bias, "relu")])
    code = sorted(map(word, Arrangement.of_layer(layer).signs))
    print(f"without {missing}: {' '.join(code)}")
    assert len(code) == 7 and missing not in code
    if pictures is not None:
        plot_image(layer, pictures / f"figure-{number}.png")
image_figure(layer)

# %% [markdown]
# ## Theorems 1.1 and 1.2, orbit by orbit
#
# Fix the magnitudes of all parameters and let the signs vary: each row of layer 1 may be turned around, each weight and
# the constant of layer 2 may have either sign. That is an *orbit* of $2^{2 n_1 + 1}$ networks, equally likely under
# every law that signs leave alone. For $n_1 \le n_0$ exactly $2^{n_1}$ of them are stably unactivated, for
# $n_1 = n_0 + 1$ exactly $2^{n_1} + 2$: on *every* orbit of generic magnitudes, so the probability is the same for all
# these laws that have no atoms.

# %%
rng = np.random.default_rng(0)


def some(*shape: int) -> np.ndarray:
    return rng.integers(1, 1000, shape)


for n0, n1 in ((1, 1), (2, 1), (2, 2), (3, 3), (1, 2), (2, 3), (3, 4)):
    orbits = [stably_unactivated_orbit(some(n1, n0), some(n1), some(n1), int(some(1)[0])) for _ in range(20)]
    counts = {count for count, _ in orbits}
    expected = 2**n1 + (2 if n1 == n0 + 1 else 0)
    probability = closed_forms.stably_unactivated(n0, n1)
    print(f"n0 = {n0}, n1 = {n1}: {counts} of {2 ** (2 * n1 + 1)} on 20 orbits; the theorem: {probability}")
    assert counts == {expected} and probability == Fraction(expected, 2 ** (2 * n1 + 1))

# %% [markdown]
# One of these networks, through the analyzer: two neurons, both weights negative, constant negative.

# %%
neuron = Network.from_layers([([[1, 2], [3, -1]], [1, -2], "relu"), ([[-1, -5]], [-1], "relu")])
*_, report = decide(neuron, Polyhedron.space(2))
print("decide says:", report.verdicts[0].status.value, "stably" if report.verdicts[0].stable else "not stably")

# %% [markdown]
# ## Beyond: wider layers
#
# For $n_1 \ge n_0 + 2$ no such number exists. Here $n_0 = 1$ and $n_1 = 3$, and two networks differ only in
# the constant $c$: their orbits have different counts, and so have the orbits near them. Laws with densities near the
# one and near the other have different probabilities.

# %%
slopes, points, w = [[1], [1], [1]], [1, 2, 4], [2, 3, 7]
for c in (100, 1):
    count, size = stably_unactivated_orbit(slopes, points, w, c)
    nearby = [np.array(v) * rng.uniform(0.99, 1.01, (1000, *np.shape(v))) for v in (slopes, points, w, c)]
    near = set(stably_unactivated_counts(*nearby).tolist())
    print(f"c = {c}: {count} of {size}; on 1000 orbits near it: {near}")

# %% [markdown]
# ## Figure 5
#
# So it can only be estimated: by the mean of exact fractions of orbits, whose interval is narrow because only the
# magnitudes are random. The dashed line is $4^{-(n_0 + 1)}$, the conjectured lower bound.

# %%
found = {}
for n0 in (2, 3):
    for n1, orbits in zip(range(n0, n0 + 5), (16, 16, 256, 128, 64), strict=True):
        e = found[n0, n1] = by_orbits(Experiment("stably-unactivated", (n0, n1)), orbits, seed=1)
        exact = e.experiment.proved()
        shown = f"= {exact[0]}, by {exact[1]}" if exact else f"in [{e.low:.5f}, {e.high:.5f}]"
        print(f"n0 = {n0}, n1 = {n1}: {e.estimate:.5f} {shown}; least orbit: {min(e.counts)} of {e.size} signs")
        assert Fraction(min(e.counts), e.size) >= Fraction(1, 4 ** (n0 + 1))
figure = figure_five(found)
if pictures is not None:
    save(figure, pictures / "figure-5.png")
figure

# %% [markdown]
# ## The neurons of layer 2 are not independent
#
# Given layer 1 they are; but they share it. For $n_1 \le n_0$ that does not matter, for $n_1 = n_0 + 1$ it does. Here
# $n_0 = 1$, $n_1 = 2$: for each way to turn the rows of layer 1, a second layer with a neuron for each of its 8 sign
# choices, and `decide` says how many of them are stably dead.

# %%
stably = []
for s, t in product((1, -1), repeat=2):
    first = ([[2 * s], [3 * t]], [s, -5 * t], "relu")
    rows = list(product((-7, 7), (-11, 11), (-13, 13)))
    network = Network.from_layers([first, ([r[:2] for r in rows], [r[2] for r in rows], "relu")])
    (report,) = decide(network, Polyhedron.space(1), layers=[2])
    stably.append(sum(v.stable is True for v in report.verdicts))
one, both = (Fraction(sum(k**power for k in stably), 4 * 8**power) for power in (1, 2))
print(f"stably dead, of 8, for each coorientation of layer 1: {stably}")
print(f"one neuron: {one}; two neurons: {both}, not {one}^2 = {one**2}")
assert one == Fraction(str(closed_forms.stably_unactivated(1, 2)))
