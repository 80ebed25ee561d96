"""Hard neurons against HiGHS (MILP) and z3, in one run: ``python tests/benchmarks/hard.py FOLDER [SECONDS]``.

FOLDER holds the real networks. HiGHS gets the bounds of linear relaxations as its big-M and works with tolerances, so
its answers are no proofs; z3 is exact. Each gets SECONDS (default 60) for a neuron, on one core. The last column: how
many times as long as geomrelu (finding, with the checker's consent) HiGHS takes, at least (>) if it did not finish.
"""

from __future__ import annotations

import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
from scipy import optimize, sparse

from geomrelu import Budget, Network, checker, read_domain
from geomrelu.deadness.decide import decide
from geomrelu.deadness.relaxation import FloatNetwork

NEURONS = (
    ("acasxu_1_1", "acasxu_full_domain", 2, 1),
    ("acasxu_1_1", "acasxu_full_domain", 2, 37),
    ("acasxu_1_1", "acasxu_full_domain", 3, 47),
    ("acasxu_1_1", "acasxu_full_domain", 6, 31),
    ("acasxu_2_1", "acasxu_full_domain", 3, 41),
    ("acasxu_2_1", "acasxu_full_domain", 4, 6),
    ("mnist_256x2", "mnist_prop_0_0.03", 2, 216),
)


def ours(network, domain, layer, neuron, seconds):
    """Found and accepted; then checked once more from the claim alone."""
    start = time.perf_counter()
    (report,) = decide(network, domain, [layer], [neuron], Budget(seconds))
    found = time.perf_counter() - start
    (verdict,) = report.verdicts
    start = time.perf_counter()
    if verdict.claim:
        points = checker.Judge(report.points, network.checked, domain.checked)
        checker.prove(verdict.claim, points)
    return verdict.status.value, found, time.perf_counter() - start


def highs(network, domain, layer, neuron, seconds):
    """Maximise the pre-activation with a binary variable for each neuron of unknown sign."""
    start = time.perf_counter()
    floating = FloatNetwork(network, domain)
    bounds = floating.whole(layer - 1).bounds
    n, widths = network.inputs, network.widths[: layer - 1]
    variables = n + sum(widths)
    unknown = [np.flatnonzero((low[0] < 0) & (high[0] > 0)) for low, high in bounds]
    count = variables + sum(map(len, unknown))
    lower = np.concatenate([floating.lower, np.zeros(count - n)])
    upper = np.concatenate([floating.upper, *(np.maximum(h[0], 0) for _, h in bounds), np.ones(count - variables)])
    integral = np.concatenate([np.zeros(variables), np.ones(count - variables)])
    rows, least, most, binary = [], [], [], variables
    for level in range(1, layer):
        matrix, bias = network.layers[level - 1].floats
        dense = matrix.toarray()
        low, high = (b[0] for b in bounds[level - 1])
        for i in range(len(bias)):
            if high[i] <= 0:
                continue
            row = np.zeros(count)
            row[: dense.shape[1]] = -dense[i]
            row[network.starts[level] + i] = 1
            rows.append(row)
            least.append(bias[i])
            if low[i] >= 0:
                most.append(bias[i])
                continue
            most.append(np.inf)
            upper_row, gate = row.copy(), np.zeros(count)
            upper_row[binary] = -low[i]
            gate[network.starts[level] + i], gate[binary] = 1, -high[i]
            rows += [upper_row, gate]
            least += [-np.inf, -np.inf]
            most += [bias[i] - low[i], 0]
            binary += 1
    matrix, bias = network.layers[layer - 1].floats
    cost = np.zeros(count)
    cost[: matrix.shape[1]] = -matrix.toarray()[neuron]
    solved = optimize.milp(
        cost,
        integrality=integral,
        bounds=optimize.Bounds(lower, upper),
        constraints=optimize.LinearConstraint(sparse.csr_array(np.array(rows)), least, most),
        options={"time_limit": seconds},
    )
    took = time.perf_counter() - start
    if solved.status != 0:
        return "open", took
    return ("alive" if bias[neuron] - solved.fun > 0 else "dead"), took


def by_z3(network, domain, layer, neuron, seconds):
    """Is the pre-activation positive somewhere?"""
    try:
        import z3
    except ImportError:
        return "absent", 0.0
    start = time.perf_counter()

    def real(q):
        return z3.RealVal(f"{q.numerator}/{q.denominator}")

    variables = [z3.Real(f"x{j}") for j in range(network.inputs)]
    solver = z3.Solver()
    solver.set("timeout", int(seconds * 1000))
    for x, low, high in zip(variables, domain.checked.lower, domain.checked.upper, strict=True):
        solver.add(x >= real(low), x <= real(high))
    for level in range(1, layer + 1):
        map_, fresh = network.layers[level - 1], []
        for i in range(map_.outputs) if level < layer else [neuron]:
            bias, columns, entries = map_.row(i)
            terms = [real(Fraction(w, map_.denominator)) * variables[j] for j, w in zip(columns, entries, strict=True)]
            z = z3.Sum(*terms, real(Fraction(bias, map_.denominator)))
            if level == layer:
                solver.add(z > 0)
            else:
                v = z3.Real(f"v{level}.{i}")
                solver.add(v == z3.If(z > 0, z, 0))
                fresh.append(v)
        variables += fresh
    answer = str(solver.check())
    return {"sat": "alive", "unsat": "dead"}.get(answer, "open"), time.perf_counter() - start


def main(folder, seconds=60.0):
    print(f"{'neuron':16}  {'geomrelu':>15}  {'check':>7}  {'HiGHS MILP':>14}  {'z3':>14}  {'HiGHS/geomrelu':>14}")
    for name, where, layer, neuron in NEURONS:
        network = Network.from_file(folder / f"{name}.onnx")
        domain = read_domain(str(folder / f"{where}.vnnlib"), network.inputs)
        said, found, checked = ours(network, domain, layer, neuron, seconds)
        milp, took = highs(network, domain, layer, neuron, seconds)
        exact, slow = by_z3(network, domain, layer, neuron, seconds)
        print(
            f"{name + f' {layer}:{neuron}':16}  {said:>6} {found:6.2f} s  {checked:5.2f} s  {milp:>5} {took:6.1f} s"
            f"  {exact:>5} {slow:6.1f} s  {'> ' * (milp == 'open')}{took / found:.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(float, sys.argv[2:3]))
