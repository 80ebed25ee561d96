# %% [markdown]
# # Two layers in the plane
#
# A network small enough to be drawn: its regions, its dead neurons, and three ways to be dead that look alike in
# floating point. `python examples/two_layers.py pieces.svg` also saves the picture (.svg, .pdf or .png).
#
# Layer 1 has the neurons $h_0 = \max(x_1, 0)$, $h_1 = \max(x_2, 0)$, $h_2 = \max(x_1 + x_2 - 1, 0)$. Layer 2 reads them
# and has four neurons:
#
# | neuron | pre-activation | |
# |---|---|---|
# | 0 | $h_0 + h_1 - 2 h_2 - \frac12$ | a ridge |
# | 1 | $-h_0 - h_1 - h_2 - 1$ | nothing but negative |
# | 2 | $-h_0 - h_1 + h_2$ | at most 0, and 0 on a quadrant |
# | 3 | $-h_0 - h_1 + h_2 - \frac12$ | the same, and a margin of $\frac12$ |

# %%
import sys
from fractions import Fraction

from geomrelu import Complex, Network, Polyhedron, Status, checker, decide, difference
from geomrelu.certificates.files import as_certificate
from geomrelu.plots import complex_figure, plot_complex

first = ([[1, 0], [0, 1], [1, 1]], [0, 0, -1], "relu")
second = ([[1, 1, -2], [-1, -1, -1], [-1, -1, 1], [-1, -1, 1]], ["-1/2", -1, 0, "-1/2"], "relu")
output = ([[1, 5, 5, 5]], [0], "none")
network = Network.from_layers([first, second, output])
plane = Polyhedron.space(2)

# %% [markdown]
# ## Regions
#
# The neurons cut the plane into regions, each with its own signs and its own affine function. Two networks of the same
# widths can have different numbers of them; Serra, Tjandraatmadja and Ramalingam bound how many.

# %%
pieces = Complex(network)
print(f"{pieces.n_regions} regions; vertices, edges, regions: {pieces.f_vector}")
print("signs of layers 1 and 2, and the output there:")
for cell in pieces.cells:
    signs = "".join("+" if s > 0 else "-" if s < 0 else "0" for s in cell.sign)
    ((slope,), (constant,)) = cell.affine()
    print(f"  {signs[:3]} {signs[3:]}   {slope[0]} x1 + {slope[1]} x2 + {constant}")
print("never positive in layer 2:", pieces.dead(2))

# %% [markdown]
# The picture: each piece with its signs, a line for each layer; hatched where the output is constant.

# %%
view = ((-2, 3), (-2, 3))
if len(sys.argv) > 1:
    plot_complex(pieces, sys.argv[1], view=view)
    print("picture:", sys.argv[1])
complex_figure(pieces, view=view)

# %% [markdown]
# ## Dead, and for how long
#
# Dead neurons get no gradient, but their inputs' weights may move. A neuron is *stably* dead (Brownlowe et al.: stably
# unactivated) if it is dead for all parameters near the given ones.


# %%
def show(domain: Polyhedron, name: str) -> list:
    (report,) = decide(network, domain, layers=[2])
    print(f"layer 2 on {name}:")
    for v in report.verdicts:
        stably = {True: ", stably", False: ", not stably", None: ""}[v.stable]
        print(f"  neuron {v.neuron}: {v.status.value}{stably}; supremum {v.supremum}")
    certificate = as_certificate(
        [v.claim for v in report.verdicts], network.digest, domain.checked.digest(), report.points
    )
    print("  accepted by the checker:", len(checker.check(certificate, network.checked, domain.checked)), "claims")
    return list(report.verdicts)


on_plane = show(plane, "the plane")
box = Polyhedron.box([(-4, 4)] * 2)
on_box = show(box, "the box [-4, 4]^2")

# %% [markdown]
# Neuron 2 touches 0, so the smallest rise of its bias revives it. Neuron 3 has a margin of $\frac12$ everywhere, and on
# the box that is enough. On the whole plane it is not: along the diagonal its pre-activation stays at $-\frac32$,
# because the growth of $h_2$ and of $h_0 + h_1$ cancel. Change one weight by a thousandth and it grows.

# %%
weights = [row[:] for row in second[0]]
weights[3][2] = Fraction(1001, 1000)
nudged = Network.from_layers([first, (weights, second[1], "relu"), output])
for domain, name in ((plane, "the plane"), (box, "the box")):
    (report,) = decide(nudged, domain, layers=[2], neurons=[3])
    (v,) = report.verdicts
    print(f"nudged, on {name}: neuron 3 is {v.status.value}; supremum {v.supremum}")
far = [2000, 2000]
print(f"at {far}: {network.pre_activations(far)[1][3]} before, {nudged.pre_activations(far)[1][3]} after")

# %% [markdown]
# ## What the certificate says
#
# The proof about neuron 3 on the plane is a tree: split by the sign of a neuron of layer 1, negative side first; at a
# leaf the multipliers of the inequalities known there add up to the bound. Any nonnegative multipliers give a valid
# bound, so the checker need not trust whoever chose them. Take those of one leaf away and the proof is rejected:

# %%
claim = on_plane[3].claim
for node in claim["proof"]:
    print("  ", node)
*most, _, last = claim["proof"]
forged = as_certificate([{**claim, "proof": [*most, {}, last]}], network.digest, plane.checked.digest(), [])
try:
    checker.check(forged, network.checked, plane.checked)
except checker.Rejected as reason:
    print("rejected:", reason)

# %% [markdown]
# ## Without the dead
#
# Removing them does not change the function: on the whole plane, exactly, not on samples.

# %%
alive = [v.neuron for v in on_plane if v.status is Status.ALIVE]
kept = ([second[0][i] for i in alive], [second[1][i] for i in alive], "relu")
smaller = Network.from_layers([first, kept, ([[output[0][0][i] for i in alive]], output[1], "none")])
print(f"{network.widths} -> {smaller.widths}; a point where they differ: {difference(network, smaller)}")
