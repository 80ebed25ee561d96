"""Deciding neurons: geomrelu (exact, certified) against HiGHS MILP (floating point) and against PPL (exact).

1. The dead second-layer neurons of ACAS Xu networks over the whole input box: one MILP a neuron with exact big-M
   bounds, maximising the pre-activation, as a verifier would; geomrelu decides all of them, certificates included.
2. All suprema of random small networks on a square: PPL on every activation pattern (the tests' oracle).
"""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

sys.path.insert(0, str(Path(__file__).parents[1]))
import families
import oracles

from geomrelu import Network, Polyhedron, Status, checker, read_domain
from geomrelu.deadness.decide import decide

LIMIT = 60.0  # seconds a MILP


def clock(run):
    start = time.perf_counter()
    result = run()
    return result, time.perf_counter() - start


def highs(network, domain, neuron):
    """max of a second-layer pre-activation by HiGHS: variables x, v, binary s; big-M from interval bounds."""
    (a, b), (c, d) = (layer.floats for layer in network.layers[:2])
    a, c = a.toarray(), c.toarray()[:, network.inputs :]
    low = np.array([float(v) for v in domain.checked.lower])
    high = np.array([float(v) for v in domain.checked.upper])
    bottom = b + np.minimum(a * low, a * high).sum(axis=1)
    top = b + np.maximum(a * low, a * high).sum(axis=1)
    n, m = len(low), len(b)
    bottom, top = np.minimum(bottom, 0), np.maximum(top, 0)
    eye, zero = sparse.eye(m), sparse.csr_matrix((m, m))
    rows = [
        (sparse.hstack([-a, eye, zero]), b, np.full(m, np.inf)),  # v >= y
        (sparse.hstack([-a, eye, sparse.diags(-bottom)]), np.full(m, -np.inf), b - bottom),  # v <= y - low (1 - s)
        (sparse.hstack([sparse.csr_matrix((m, n)), eye, sparse.diags(-top)]), np.full(m, -np.inf), np.zeros(m)),
    ]
    found = milp(
        -np.concatenate([np.zeros(n), c[neuron], np.zeros(m)]),
        integrality=np.concatenate([np.zeros(n + m), np.ones(m)]),
        bounds=Bounds(np.concatenate([low, np.zeros(2 * m)]), np.concatenate([high, top, np.ones(m)])),
        constraints=[LinearConstraint(sparse.csr_matrix(r), lo, hi) for r, lo, hi in rows],
        options={"time_limit": LIMIT},
    )
    return None if found.fun is None or found.status == 1 else d[neuron] - found.fun


def against_milp(folder):
    print("network        neurons  dead  geomrelu s  check s  MILP s (dead only)  MILP / geomrelu")
    for name in ("acasxu_1_1", "acasxu_2_1", "acasxu_3_3"):
        network = Network.from_file(folder / f"{name}.onnx")
        domain = read_domain(str(folder / "acasxu_full_domain.vnnlib"), 5)
        (report,), ours = clock(lambda n=network, d=domain: list(decide(n, d, layers=[2])))
        points = checker.Judge(report.points, network.checked, domain.checked)
        _, checking = clock(
            lambda r=report, n=network, d=domain, p=points: [checker.prove(v.claim, p) for v in r.verdicts]
        )
        dead = [v.neuron for v in report.verdicts if v.status is Status.DEAD]
        theirs = [clock(lambda i=i, n=network, d=domain: highs(n, d, i)) for i in dead]
        spent, late = sum(s for _, s in theirs), sum(v is None for v, _ in theirs)
        assert all(v is None or v <= 0 for v, _ in theirs)
        note = f" ({late} not finished)" if late else ""
        print(
            f"{name:<13}  {len(report.verdicts):>7}  {len(dead):>4}  {ours:>10.2f}  {checking:>7.2f}  "
            f"{spent:>18.2f}  {spent / ours:>15.1f}{note}"
        )


def against_ppl():
    print("\nwidths           nets  geomrelu s  PPL patterns s  PPL / geomrelu")
    for widths in ((2, 4, 4), (2, 6, 4), (3, 5, 4), (2, 4, 4, 3)):
        rng = random.Random(1)
        nets = [families.network(rng, widths, "rational") for _ in range(10)]
        square = Polyhedron.box([(-1, 1)] * widths[0])
        rows = [list(r) for r in square.inequalities]
        ours, fast = clock(lambda ns=nets, s=square: [list(decide(families.as_network(n), s)) for n in ns])
        theirs, slow = clock(
            lambda ns=nets, r=rows, k=widths[0]: [oracles.suprema(n, oracles.ppl_polyhedron(r, k), k) for n in ns]
        )
        for reports, right in zip(ours, theirs, strict=True):
            assert [[v.supremum for v in r.verdicts] for r in reports] == right
        print(f"{widths!s:<15}  {len(nets):>4}  {fast:>10.2f}  {slow:>14.2f}  {slow / fast:>14.1f}")


if __name__ == "__main__":
    beside = Path(__file__).resolve().parents[3] / "shared"
    where = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("GEOMRELU_SHARED", beside)) / "networks"
    if where.is_dir():
        against_milp(where)
    else:
        print(f"{where} is absent: the comparison on real networks is left out")
    against_ppl()
