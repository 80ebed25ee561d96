"""Is a neuron that is called dead in float32 ever seen to fire? ``python tests/benchmarks/floats.py [FOLDER]``

Random networks (``--networks 200``) and, in FOLDER, real ones (``--only NAME``): onnxruntime is asked at ``--points
1000000`` points: random ones, corners, and maximisers with their neighbours: the points where verdicts say that neurons
are largest, the corner for each neuron of layer 1, and where a search goes uphill from. Printed: how many dead neurons
there are, how many are proved dead in float32, how many were found to fire, and how many of those proved dead fired
(promised: none).
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
from budgets import DOMAINS

from geomrelu import Network, decide
from geomrelu.budget import Budget
from geomrelu.deadness.in_floats import DEAD, REALS_ONLY, _climbed, by_onnxruntime
from geomrelu.deadness.relaxation import FloatNetwork

sys.path += [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "deadness")]
from test_in_floats import float_layers

NAMES = ("acasxu_1_1", "acasxu_2_1", "mnist_256x2")


def points_of(report, low, high, count, rng):
    """Batches of float32 points of the box."""
    random_ = np.random.default_rng(rng.randrange(2**32))
    low32, high32 = low.astype(np.float32), high.astype(np.float32)
    low32 = np.where(low32 < low, np.nextafter(low32, np.float32(np.inf)), low32)
    high32 = np.where(high32 > high, np.nextafter(high32, np.float32(-np.inf)), high32)
    best = [p for layer in report for p in layer.points]
    best += [c["point"] for v in report.verdicts if isinstance((c := v.claim or {}).get("point"), list)]
    special = np.array([[float(Fraction(x)) for x in p] for p in best] or np.zeros((0, len(low))), dtype=np.float32)
    special = np.concatenate([special, maximisers(report, low, high)])
    for _ in range(4):
        away = np.where(random_.random(special.shape) < 0.5, np.float32(np.inf), np.float32(-np.inf))
        special = np.concatenate([special, np.nextafter(special, away.astype(np.float32))])
    yield np.clip(special, low32, high32)
    step = max(1000, 2**24 // len(low))
    for first in range(0, count, step):
        share = random_.random((min(step, count - first), len(low)))
        share[::4] = share[::4] > 0.5
        yield np.clip((low + share * (high - low)).astype(np.float32), low32, high32)


def maximisers(report, low, high):
    """Where dead neurons are largest: of layer 1 exactly, deeper as far as going uphill leads."""
    floating, first = FloatNetwork(report.network, report.domain), report.network.layers[0].floats[0]
    found = [np.zeros((0, len(low)))]
    for layer, neuron in report.dead:
        if layer == 1:
            slope = np.asarray(first[[neuron]].todense())[0]
            found.append(np.where(slope > 0, high, low)[None, :])
        else:
            found.append(_climbed(floating, layer, neuron, Budget(600))[:4])
    return np.concatenate(found).astype(np.float32)


def fired(report, count, rng):
    """How many neurons that were called dead in float32 fired."""
    network, box = report.network, report.domain.checked
    low, high = (np.array([float(v) for v in side]) for side in (box.lower, box.upper))
    found = set()
    for points in points_of(report, low, high, count, rng):
        for layer in {v.layer for v in report.floats if v.status == DEAD}:
            z = by_onnxruntime(network, layer, points)
            assert z is not None, "onnx and onnxruntime are needed, and float32 numbers"
            positive = (z > 0).any(axis=0)
            found |= {
                (layer, v.neuron) for v in report.floats if (v.layer, v.status) == (layer, DEAD) and positive[v.neuron]
            }
    return len(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--only", default="", help="of the real networks: those whose names contain this")
    parser.add_argument("--networks", type=int, default=200)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=120, help="for each real network")
    options = parser.parse_args()
    rng = random.Random(0)
    dead = proved = shown = wrong = 0
    begun = time.monotonic()
    for k in range(options.networks):
        kind = ("fine", "scaled", "few digits", "ternary")[k % 4]
        layers = float_layers(rng, rng.choice(((2, 5, 5), (3, 6, 4, 3), (1, 4, 4), (4, 6, 5))), kind)
        network = Network.from_layers([(rows, bias, "relu") for rows, bias in layers])
        report = decide(network, (-1, 1), arithmetic="float32")
        dead, proved = dead + len(report.dead), proved + len(report.floats.dead)
        shown += len(report.floats.with_status(REALS_ONLY))
        wrong += fired(report, options.points, rng)
    where = f"{options.networks} random networks, {options.points} points each, {time.monotonic() - begun:.0f} s"
    if options.networks:
        said(where, dead, proved, wrong, shown)
    for name in (n for n in NAMES if options.folder is not None and options.only in n):
        domain = options.folder / DOMAINS.get(name, f"{name}.vnnlib")
        report = decide(options.folder / f"{name}.onnx", domain, arithmetic="float32", time=options.seconds)
        shown = len(report.floats.with_status(REALS_ONLY))
        said(name, len(report.dead), len(report.floats.dead), fired(report, options.points, rng), shown)


def said(where, dead, proved, wrong, shown):
    print(
        f"{where}: {dead} dead neurons, {proved} proved dead in float32, of which {wrong} fired;"
        f" {shown} others were found to fire",
        flush=True,
    )


if __name__ == "__main__":
    main()
