# %% [markdown]
# # Fewer binaries: ranges for a mixed-integer program
#
# How large can the output of a network be on a box? Encodings as a mixed-integer linear program (MILP), as those of
# gurobi-machinelearning or of verifiers, write each ReLU $v = \max(z, 0)$ with a binary variable $a$ and bounds
# $l \le z \le u$:
#
# $$v \ge z, \quad v \ge 0, \quad v \le z - l\,(1 - a), \quad v \le u\,a .$$
#
# Two things make that quick: neurons that are fixed need no binary ($v = 0$ where the neuron is dead, $v = z$ where it
# is always active), and narrow ranges make the relaxation tight. Both are what `geomrelu decide --ranges FILE.npz`
# writes, with a proof of each bound. Here an encoder for HiGHS (in SciPy) reads the file; with gurobipy the same few
# lines set `lb` and `ub` and leave the binaries out.

# %%
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from geomrelu import decide

random = np.random.default_rng(1)
widths = [4, 20, 20, 20, 1]
layers = [
    (random.normal(size=(m, n)) * np.sqrt(2 / n), random.normal(size=m) * 0.5, "relu" if m > 1 else "none")
    for n, m in pairwise(widths)
]
box = (-0.4, 0.4)

# %% [markdown]
# ## What an encoder knows without help
#
# Interval arithmetic, layer by layer.


# %%
def intervals():
    low, high = np.full(widths[0], box[0]), np.full(widths[0], box[1])
    found = []
    for weights, bias, _ in layers[:-1]:
        positive, negative = np.maximum(weights, 0), np.minimum(weights, 0)
        z_low, z_high = positive @ low + negative @ high + bias, positive @ high + negative @ low + bias
        found.append((z_low, z_high))
        low, high = np.maximum(z_low, 0), np.maximum(z_high, 0)
    return found


# %% [markdown]
# ## What geomrelu proves
#
# `report.ranges` holds exact numbers and their certificates (`check()` asks the plain judge about every bound); the
# file holds float64 numbers rounded outward, `lower_1`, `upper_1`, `status_1`, and so on.

# %%
begun = time.perf_counter()
report = decide(layers, box, time=8)
with tempfile.TemporaryDirectory() as folder:
    report.ranges.save(Path(folder) / "ranges.npz")
    data = dict(np.load(Path(folder) / "ranges.npz"))
ranges = [(data[f"lower_{level}"], data[f"upper_{level}"]) for level in range(1, len(layers))]
print(
    f"ranges of {len(report.ranges)} neurons in {time.perf_counter() - begun:.1f} s, fixed: {len(report.ranges.fixed)}"
)

# %% [markdown]
# ## The encoder
#
# Variables: the inputs, then for each layer $v$ and, of unstable neurons, $a$.


# %%
def encoded(bounds):
    rows, right_low, right_high = [], [], []
    lower, upper, whole = [box[0]] * widths[0], [box[1]] * widths[0], [0] * widths[0]
    before = list(range(widths[0]))

    def row(entries, low, high):
        rows.append(entries)
        right_low.append(low)
        right_high.append(high)

    def variable(low, high, integer=0):
        lower.append(low)
        upper.append(high)
        whole.append(integer)
        return len(lower) - 1

    for (weights, bias, _), (lows, highs) in zip(layers, bounds, strict=False):
        outputs = []
        for w, b, l, u in zip(weights, bias, lows, highs, strict=True):
            v = variable(0, max(u, 0))
            outputs.append(v)
            if u <= 0:
                continue
            z = dict(zip(before, w, strict=True))
            minus_z = {j: -c for j, c in z.items()}
            row(minus_z | {v: 1}, b, b if l >= 0 else np.inf)  # v - w.x >= b, equal if always active
            if l < 0:
                a = variable(0, 1, 1)
                row(minus_z | {v: 1, a: -l}, -np.inf, b - l)
                row({v: 1, a: -u}, -np.inf, 0)
        before = outputs
    weights, bias, _ = layers[-1]
    cost = np.zeros(len(lower))
    cost[before] = -weights[0]
    where = [(r, j, c) for r, entries in enumerate(rows) for j, c in entries.items()]
    i, j, c = zip(*where, strict=True)
    matrix = sparse.csr_array((c, (i, j)), shape=(len(rows), len(lower)))
    constraint = LinearConstraint(matrix, right_low, right_high)
    return cost, bias[0], {"constraints": constraint, "bounds": Bounds(lower, upper), "integrality": whole}


# %%
solved = {}
for name, bounds in (("intervals", intervals()), ("ranges", ranges)):
    cost, constant, program = encoded(bounds)
    begun = time.perf_counter()
    found = milp(cost, options={"time_limit": 120.0}, **program)
    seconds = time.perf_counter() - begun
    solved[name] = constant - found.fun if found.status == 0 else None
    total = sum(float(np.maximum(high, 0).sum() - np.minimum(low, 0).sum()) for low, high in bounds)
    print(
        f"{name:<9}: {sum(program['integrality'])} binaries, big-M in all {total:.0f}, "
        f"{found.mip_node_count} nodes, {seconds:.2f} s, maximum {solved[name]}"
    )

# %% [markdown]
# The maximum is the same; what differs is how long it takes to be sure of it.

# %%
assert None in solved.values() or abs(solved["intervals"] - solved["ranges"]) < 1e-4
