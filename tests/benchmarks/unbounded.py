"""Unbounded sets: ``python tests/benchmarks/unbounded.py [--seconds 20] [--tree DIR]``.

Random networks with small whole weights, in which many neurons behind the first layer are dead, on R^n_+ and on a part
of it that is no box (x1 >= x2, sum >= 1); and balanced ones on polyhedra of many rows that hold far out along
(1, ..., 1). Printed as by ``whole.py``.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from itertools import pairwise
from pathlib import Path

from budgets import DOMAINS
from whole import HEAD, run

LEANING = (-3, -2, -1, -1, 0, 0, 1)  # weights behind the first layer
SHAPES = ((5, 20, 10), (10, 20, 10, 5), (8, 60, 40))
MANY_ROWS = ((6, 60, (8, 6)), (12, 12, (50, 50)), (30, 200, (20, 10)))  # dimension, rows, widths


def network(rng: random.Random, widths: tuple[int, ...], later: tuple[int, ...]) -> dict[str, object]:
    layers = []
    for k, (read, width) in enumerate(pairwise(widths)):
        weights = [[rng.choice(later) if k else rng.randint(-3, 3) for _ in range(read)] for _ in range(width)]
        layers.append({"weights": weights, "bias": [rng.randint(-9, 2) for _ in range(width)]})
    return {"layers": layers}


def cases() -> dict[str, tuple[dict[str, object], dict[str, object]]]:
    """Name -> a network and a domain."""
    found: dict[str, tuple[dict[str, object], dict[str, object]]] = {}
    for n, *widths in SHAPES:
        rng, name = random.Random(9), "-".join(map(str, (n, *widths)))
        net, orthant = network(rng, (n, *widths), LEANING), dict[str, object](box=[[0, None]] * n)
        part = orthant | {"inequalities": [[0, 1, -1, *[0] * (n - 2)], [-1, *[1] * n]]}
        found |= {f"{name}-orthant": (net, orthant), f"{name}-part": (net, part)}
    for n, count, widths in MANY_ROWS:
        rng, rows = random.Random(5), []
        while len(rows) < count:
            row = [rng.randint(-5, 5) for _ in range(n)]
            if sum(row) > 2:
                rows.append([rng.randint(1, 20), *row])
        name = "-".join(map(str, (n, *widths)))
        found[f"{name}-on-{count}-rows"] = network(rng, (n, *widths), tuple(range(-3, 4))), {"inequalities": rows}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--tree", type=Path, default=Path(__file__).parents[2])
    options = parser.parse_args()
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, (net, domain) in cases().items():
            (Path(folder) / f"{name}.json").write_text(json.dumps(net))
            (Path(folder) / f"{name}-domain.json").write_text(json.dumps(domain))
            DOMAINS[name] = f"{name}-domain.json"
            print(run(Path(folder), name, options.seconds, options.tree.resolve(), ".json"), flush=True)


if __name__ == "__main__":
    main()
