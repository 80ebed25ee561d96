"""Ranges of all neurons of real networks: ``python tests/benchmarks/ranges.py FOLDER [NAME ...] [--seconds 60]``.

For each network: how many neurons are dead, always active and unstable; the mean width of a range when only bounds are
derived, and at the end; whether 100,000 points of the box stay inside (in float64; what sticks out is evaluated
exactly); and whether the plain judge accepts every claim (``--judge SECONDS`` limits that: trees of many boxes take
long there).
"""

from __future__ import annotations

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np
from budgets import DOMAINS

from geomrelu import checker, decide

NAMES = ("acasxu_1_1", "mnist_256x2", "real/metaroom_4cnn")


def outside(network, box, found, count, seed=0):
    """How many neurons leave their ranges at random points and corners: where float64 says so most, exactly."""
    random = np.random.default_rng(seed)
    low, high = (np.array([float(v) for v in side]) for side in (box.lower, box.upper))
    worst, step = {}, max(1, 2**23 // max(network.inputs, *network.widths))
    for first in range(0, count, step):
        share = random.random((min(step, count - first), network.inputs))
        share[::3] = share[::3] > 0.5
        points = low + share * (high - low)
        values = points.T
        for layer, own in found.layers.items():
            matrix, bias = network.layers[layer - 1].floats
            z = matrix[:, : len(values)] @ values + bias[:, None]
            values = np.concatenate([values, np.maximum(z, 0)])
            sides = np.array([r.floats for r in own])
            over = np.maximum(z - sides[:, 1:], sides[:, :1] - z)
            at = np.argmax(over, axis=1)
            for i in np.flatnonzero(over[np.arange(len(own)), at] > 0).tolist():  # perhaps by rounding
                if over[i, at[i]] > worst.get((layer, i), (0,))[0]:
                    worst[layer, i] = over[i, at[i]], points[at[i]]
    wrong, known = 0, {}
    for (layer, i), (_, point) in sorted(worst.items(), key=lambda item: item[1][1].tobytes()):  # by points
        if point.tobytes() not in known:
            inside = [min(max(Fraction(x), a), b) for x, a, b in zip(point.tolist(), box.lower, box.upper, strict=True)]
            known = {point.tobytes(): network.pre_activations(inside, network.depth)}
        r = found.layers[layer][i]
        wrong += not r.lower <= known[point.tobytes()][layer - 1][r.neuron] <= r.upper
    return wrong, len(worst)


def some_judged(certificate, model, domain, first, step, end):
    """Every ``step``-th claim of a certificate, by the plain judge: (accepted, not reached in time)."""
    accepted = left = 0
    judge = checker.Judge(certificate["points"], model, domain, certificate.get("derive"), certificate.get("parts"))
    for claim in certificate["claims"][first::step]:
        if time.time() > end:
            left += 1
            continue
        checker.prove(claim, judge)
        accepted += 1
    return accepted, left


def judged(found, limit, workers):
    """(claims accepted by the plain judge, claims not reached in time)."""
    end, step = time.time() + limit, 2 * workers
    certificates = json.loads(json.dumps(found.certificates))
    with ProcessPoolExecutor(workers) as pool:
        parts = [
            pool.submit(some_judged, certificate, found.model, found.domain, first, count, end)
            for certificate in certificates
            for count in [1 if certificate["claims"][0].get("proof") == "parts" else step]  # derived once for all
            for first in range(count)
        ]
        accepted, left = zip(*(part.result() for part in parts), strict=True)
    return sum(accepted), sum(left)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--judge", type=float, default=3600)
    parser.add_argument("--workers", type=int, default=2, help="processes of the plain judge")
    options = parser.parse_args()
    for name in options.names:
        domain = options.folder / DOMAINS.get(name, f"{name}.vnnlib")
        report = decide(options.folder / f"{name}.onnx", domain, time=options.seconds)
        begun, steps = time.monotonic(), []
        for found in report.tightened(options.seconds):
            width = np.mean([r.floats[1] - r.floats[0] for r in found])
            steps.append(f"{time.monotonic() - begun:.1f} s: {width:.6g}")
        count = {s: len(found.with_status(s)) for s in ("dead", "active", "both", "unstable")}
        print(f"{name}: {len(found)} neurons: {count}, {sum(r.crosses for r in found)} known to take both signs")
        print(f"  mean width of a range: {'; '.join(steps)}", flush=True)
        box = report.domain.checked
        wrong, doubtful = outside(report.network, box, found, options.points)
        said = f"{wrong} of {len(found)} ranges left at {options.points} points ({doubtful} looked at exactly)"
        print(f"  {said}", flush=True)
        begun = time.monotonic()
        accepted, left = judged(found, options.judge, options.workers)
        seconds = time.monotonic() - begun
        print(f"  plain judge: {accepted} claims accepted in {seconds:.0f} s, {left} not reached", flush=True)


if __name__ == "__main__":
    main()
