# %% [markdown]
# # A first look
#
# Which neurons of a small network are dead on a polytope, why, and how sure is that?
#
# The network reads two numbers. Layer 1 is $h_1 = \max(x_1, 0)$ and $h_2 = \max(x_2, 0)$; layer 2 has the
# pre-activations $h_1 + h_2 - 1$, $-h_1 - h_2 - \frac13$ and $h_1 - h_2$. The inputs are the diamond
# $|x_1| + |x_2| \le 1$, four rows `(b, a1, a2)` that mean $b + a \cdot x \ge 0$.

# %%
from geomrelu import Network, Polyhedron, checker, decide

network = Network.from_layers(
    [
        ([[1, 0], [0, 1]], [0, 0], "relu"),
        ([[1, 1], [-1, -1], [1, -1]], [-1, "-1/3", 0], "relu"),
    ]
)
diamond = Polyhedron.from_rows([[1, a, b] for a in (1, -1) for b in (1, -1)])

# %% [markdown]
# ## Verdicts
#
# A neuron is dead if its pre-activation is never positive (a neuron at 0 is silent), and stably dead if that remains
# so for all parameters near these. Each verdict carries a claim that the independent checker, which knows nothing of
# how it was found, has accepted; here it is asked once more.

# %%
for report in decide(network, diamond):
    print(f"layer {report.layer}: killed: {report.killed}")
    points = checker.Judge(report.points, network.checked, diamond.checked)
    for verdict in report.verdicts:
        stably = {True: ", stably", False: ", but not stably", None: ""}[verdict.stable]
        print(f"  neuron {verdict.neuron} is {verdict.status.value}{stably}; supremum {verdict.supremum}")
        checker.prove(verdict.claim, points)  # raises on any doubt
        print(f"    claim accepted: {verdict.claim}")

# %% [markdown]
# Neuron 0 of layer 2 is dead by nothing at all: it is exactly 0 along an edge of the diamond.
#
# ## No tolerance
#
# The same function, rescaled in a way that confuses floating-point solvers: weights of $2^{-40}$ inside, $2^{40}$
# outside.

# %%
tiny = 2**-40
scaled = Network.from_layers([([[tiny, 0], [0, tiny]], [0, 0], "relu"), ([[1 / tiny, 1 / tiny]], [-1], "relu")])
*_, last = decide(scaled, diamond)
print("rescaled by 2^40:", last.verdicts[0].status.value, "supremum", last.verdicts[0].supremum)
