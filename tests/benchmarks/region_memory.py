"""Memory of enumerating regions: all sign vectors of an arrangement, and a million linear regions of a network.

Every measurement is a process of its own.
"""

from __future__ import annotations

import tempfile
import time
from math import comb
from pathlib import Path

import numpy as np
from regions import exact_layers, measured, random_network

LIMIT = 600  # seconds a measurement
MILLION = [3, 128, 128]  # widths


def _peak():
    """The most memory that this process has held, bytes (Linux)."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def _arrangement(_, work, pipe):
    from geomrelu.geometry.arrangement import Arrangement

    warm = Arrangement([[1, 0], [0, 1], [1, 1]], [0, 0, -1])
    assert len(warm.signs) == 7
    pipe.send(("ready", None))
    n, m = work
    rng = np.random.default_rng(1)
    a, b = rng.integers(-(2**20), 2**20, (m, n)).tolist(), rng.integers(-(2**20), 2**20, m).tolist()
    before, start = _peak(), time.perf_counter()
    signs = Arrangement(a, b).signs
    pipe.send(("done", (time.perf_counter() - start, signs.shape, signs.nbytes, _peak() - before, _peak())))


def arrangements():
    print("\nmemory of all sign vectors of m generic hyperplanes (integers below 2^20)")
    print(f"{'(n, m)':<16}{'regions':>9}{'s':>8}{'bytes of signs':>16}{'peak, a region':>16}{'beyond':>8}  peak MB")
    for n, m in ((3, 50), (3, 100), (3, 182)):
        word, value = measured(None, (n, m), LIMIT, task=_arrangement)
        expected = sum(comb(m, k) for k in range(n + 1))
        if word != "done":
            print(f"{f'{n},{m}':<16}{expected:>9}  {word} {value or ''}")
            continue
        seconds, (count, width), size, grown, peak = value
        assert (count, width) == (expected, m), (count, expected)
        each = grown / count
        print(
            f"{f'{n},{m}':<16}{count:>9}{seconds:>8.3g}{size / count:>16.0f}{each:>16.0f}"
            f"{each - size / count:>8.0f}{peak / 1e6:>9.0f}"
        )


def _network(_, how, pipe):
    from geomrelu import Network, Polyhedron
    from geomrelu.budget import Budget
    from geomrelu.network.complex import Complex
    from geomrelu.network.region_count import by_shards

    pipe.send(("ready", None))
    work = random_network(MILLION)
    network, box = Network.from_layers([(w, b, "relu") for w, b in exact_layers(work)]), Polyhedron.box([(-1, 1)] * 3)
    start = time.process_time()
    if how == "counted":
        regions = Complex(network, box).n_regions
    elif how == "in an array":
        regions = len(Complex(network, box).signs)
    else:
        with tempfile.TemporaryDirectory() as folder:
            regions = by_shards(network, box, None, Budget(), directory=Path(folder))["regions"]
    pipe.send(("done", (time.process_time() - start, regions, _peak())))


def networks():
    print(f"\nmemory of a million linear regions: a network of widths {MILLION} on [-1, 1]^3")
    for how in ("counted", "in an array", "in files"):
        word, value = measured(None, how, LIMIT, task=_network)
        if word == "done":
            seconds, regions, peak = value
            print(f"{how:<16}{regions:>9} regions{seconds:>8.3g} s, peak {peak / 1e6:.0f} MB")
        else:
            print(f"{how:<16}{word} {value or ''}")


if __name__ == "__main__":
    arrangements()
    networks()
