"""Sign orbits against plain Monte Carlo: how much tighter the interval is at equal CPU time.

For each point of figure 5 (n0 = 2, 3, 4; n1 - n0 = 2..6): the standard error of the mean over sign orbits, and over
orbits that share all but the last constant, times the square root of their CPU time, against that of plain sampling
with two kernels: the package's (inverses) and a faster one that takes all minors from the orbit kernel itself.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from geomrelu.papers.simulations import SHARED
from geomrelu.random_networks import montecarlo, orbit_batch


def magnitudes(rng, count, n0, n1, shared=None):
    shapes = (count, n1, n0), (count, n1), (count, n1), (count,) if shared is None else (count, shared)
    return [rng.standard_normal(shape) for shape in shapes]


def by_minors(a, b, w, c):
    """Plain sampling that decides each network at the generators of the orbit kernel."""
    directions, vertices, *_ = orbit_batch._tables(a, b, np.abs(w))
    signs = np.sign(w).T[None]
    found = ((np.maximum(vertices, 0) * signs).sum(axis=1) + c < 0).all(axis=0)
    for side in (directions, -directions):
        active = np.maximum(side, 0)
        found &= (((active * signs).sum(axis=1) < 0) | ~active.any(axis=1)).all(axis=0)
    return found


def cpu(work, repeat=3):
    """The least CPU seconds of some runs, and the last result."""
    best = np.inf
    for _ in range(repeat):
        start = time.process_time()
        result = work()
        best = min(best, time.process_time() - start)
    return best, result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", default="2,3,4", help="n0, default %(default)s")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"{'n0,n1':>6}  {'p':>8}  {'orbit':>9}  {'plain':>9}  {'minors':>9}  tighter than plain, minors; shared")
    for n0 in map(int, options.inputs.split(",")):
        for n1 in range(n0 + 2, n0 + 7):
            rng = np.random.default_rng(options.seed)
            count = {2: 4000, 3: 2000, 4: 1000, 5: 500, 6: 250}[n1 - n0] // (1 if n0 == 2 else 2)
            networks = magnitudes(rng, 2048, n0, n1)
            plain, _ = cpu(lambda n=networks: montecarlo.stable(*n))
            minors, _ = cpu(lambda n=networks: [by_minors(*(p[k : k + 256] for p in n)) for k in range(0, 2048, 256)])
            times, ratios = [plain / 2048, minors / 2048], []
            for shared in (None, SHARED):
                parts = magnitudes(rng, count, n0, n1, shared)
                each, found = cpu(lambda p=parts: orbit_batch.stably_unactivated_counts(*p))
                values = found.reshape(count, -1).mean(axis=1) / 2.0 ** (2 * n1 + 1)
                mean = values.mean()
                gain = (mean * (1 - mean) / (each / count)) ** 0.5 / values.std(ddof=1)
                ratios.append(" ".join(f"{gain * t**0.5:>8.1f}" for t in times[:2]))
                times.append(each / count)
            shown = "  ".join(f"{t * 1e6:>6.1f} us" for t in (times[2], *times[:2]))
            print(f"{n0:>3},{n1:<2}  {mean:>8.5f}  {shown}  {'; '.join(ratios)}", flush=True)


if __name__ == "__main__":
    main()
