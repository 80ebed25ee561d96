"""How often intervals hold the truth: 300 seeds in each of ten cases whose probability is known, at 95 % and 99.9 %.

Orbits that seldom deviate and constant samples among them. Promised: at least 95 % and 99.9 %.
"""

from __future__ import annotations

import argparse
import math
from fractions import Fraction

from geomrelu.random_networks.by_orbits import by_orbits
from geomrelu.random_networks.by_sampling import by_sampling
from geomrelu.random_networks.experiment import Experiment

BOXED = {r: 1 - math.atan(1 / r) / math.pi for r in (200, 98, 18, 2)}  # one neuron is alive on [-r, r]


def cases():
    """Name, a function of (seed, level), and the truth."""
    for (radius, truth), orbits in zip(BOXED.items(), (1000, 1000, 200, 20), strict=True):
        boxed = Experiment("alive", (1, 1), domain=f"box:-{radius},{radius}")
        yield f"alive 1,1 on +-{radius}, {orbits} orbits", lambda s, p, e=boxed, n=orbits: by_orbits(e, n, s, p), truth
    killed = Experiment("killed", (1, 2), layer=1, domain="box:-2,2")
    yield "killed 1,2 on +-2, 40 orbits", lambda s, p: by_orbits(killed, 40, s, p), (1 - BOXED[2]) ** 2
    number = Experiment("dead-neurons", (1, 3), number=1, domain="box:-18,18")
    q = 1 - BOXED[18]
    yield "one of 3 dead on +-18, 100 orbits", lambda s, p: by_orbits(number, 100, s, p), 3 * q * (1 - q) ** 2
    constant = Experiment("alive", (1, 1, 1, 1))
    yield "alive 1,1,1,1 (constant), 10 orbits", lambda s, p: by_orbits(constant, 10, s, p), 1 / 2
    stable = Experiment("stably-unactivated", (2, 3))
    yield "stably unactivated 2,3 (constant), 50 orbits", lambda s, p: by_orbits(stable, 50, s, p), 5 / 64
    yield "stably unactivated 2,3, 3000 networks", lambda s, p: by_sampling(stable, 3000, seed=s, level=p), 5 / 64
    rule = Experiment("stably-unactivated", (1, 2))
    truth = float(Fraction(3, 16))
    yield "stably unactivated 1,2, half width 0.02", lambda s, p: by_sampling(rule, None, 0.02, s, p), truth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=300)
    options = parser.parse_args()
    for name, estimated, truth in cases():
        held = []
        for level in (0.95, 0.999):
            found = [estimated(seed, level) for seed in range(options.seeds)]
            held.append(sum(e.low <= truth <= e.high for e in found))
        print(f"{name:<48} truth {truth:.6f}  held {held[0]}, {held[1]} of {options.seeds}", flush=True)


if __name__ == "__main__":
    main()
