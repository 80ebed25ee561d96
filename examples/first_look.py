"""A first look: which neurons of a small network are dead on a polytope, why, and how sure that is.

Run it: python examples/first_look.py
"""

from geomrelu import Network, Polyhedron, checker, decide

# z = max(x1, 0) + max(x2, 0) - 1 and its mirror image, on the diamond |x1| + |x2| <= 1.
network = Network.from_layers(
    [
        ([[1, 0], [0, 1]], [0, 0], "relu"),
        ([[1, 1], [-1, -1], [1, -1]], [-1, "-1/3", 0], "relu"),
    ]
)
diamond = Polyhedron.from_rows([[1, a, b] for a in (1, -1) for b in (1, -1)])

for report in decide(network, diamond):
    print(f"layer {report.layer}: killed: {report.killed}")
    points = checker.Points(report.points, network.checked, diamond.checked)
    for verdict in report.verdicts:
        stably = {True: ", stably", False: ", but not stably", None: ""}[verdict.stable]
        print(f"  neuron {verdict.neuron} is {verdict.status.value}{stably}; supremum {verdict.supremum}")
        checker.prove(verdict.claim, network.checked, diamond.checked, points)  # raises on any doubt
        print(f"    claim accepted: {verdict.claim}")

# The same function with an exact rescaling that confuses floating-point solvers: 2^-40 inside, 2^40 outside.
tiny = 2**-40
scaled = Network.from_layers([([[tiny, 0], [0, tiny]], [0, 0], "relu"), ([[1 / tiny, 1 / tiny]], [-1], "relu")])
*_, last = decide(scaled, diamond)
print("rescaled by 2^40:", last.verdicts[0].status.value, "supremum", last.verdicts[0].supremum)
