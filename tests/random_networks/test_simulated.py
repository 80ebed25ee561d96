"""Estimates against small simulations from the definitions, which share no code with the package.

Each case has an interval of the package at 99.99 % and a sample of its own whose standard error is known; both are
wrong together with probability below 10^-3 for all cases (fixed in advance).
``python tests/random_networks/test_simulated.py`` runs them with 20 times as many networks.
"""

from __future__ import annotations

import math
import sys
import zlib
from itertools import pairwise

import numpy as np
import pytest

from geomrelu.random_networks.experiment import Experiment
from geomrelu.random_networks.probability import probability

LEVEL = 0.9999
DEVIATIONS = 4.5  # of our own sample
POINTS = np.array([[1.0, 0.0], [0.25, 1.5], [-1.0, -0.5]])


def drawn(rng, law, scale, biases, fan_in, fan_out, count):
    """Weights (count, out, in) and biases (count, out) from the definitions of laws and schemes."""

    def values(kind, shape):
        if kind == "normal":
            return rng.normal(size=shape)
        if kind == "uniform":
            return 2 * rng.random(shape) - 1
        if kind == "laplace":
            return rng.exponential(size=shape) * np.sign(rng.random(shape) - 0.5)
        if kind == "rademacher":
            return np.sign(rng.random(shape) - 0.5)
        if kind == "cauchy":
            return np.tan(math.pi * (rng.random(shape) - 0.5))
        if kind == "t:3":
            return rng.normal(size=shape) / np.sqrt(rng.chisquare(3, shape) / 3)
        if kind == "gamma:2":
            return rng.exponential(size=shape) + rng.exponential(size=shape)
        raise ValueError(kind)

    w_shape, b_shape = (count, fan_out, fan_in), (count, fan_out)
    inside = lambda limit, shape: limit * (2 * rng.random(shape) - 1)  # noqa: E731
    if law == "pytorch":
        return inside(fan_in**-0.5, w_shape), inside(fan_in**-0.5, b_shape)
    if law in ("keras", "tensorflow"):
        return inside((6 / (fan_in + fan_out)) ** 0.5, w_shape), np.zeros(b_shape)
    if law == "scikit-learn":
        limit = (6 / (fan_in + fan_out)) ** 0.5
        return inside(limit, w_shape), inside(limit, b_shape)
    if law == "flax":
        z = rng.normal(size=w_shape)
        while (outside := abs(z) > 2).any():
            z[outside] = rng.normal(size=int(outside.sum()))
        return z * fan_in**-0.5 / 0.87962566103423978, np.zeros(b_shape)
    if law == "rai":
        rows = rng.normal(size=(count, fan_out, fan_in + 1)) * 0.6007 / fan_in**0.5
        place = rng.integers(0, fan_in + 1, (count, fan_out))
        rows[np.arange(count)[:, None], np.arange(fan_out), place] = np.sqrt(rng.random((count, fan_out)))
        return rows[:, :, :-1], rows[:, :, -1]
    variance = {"normal": 1, "uniform": 1 / 3, "laplace": 2, "rademacher": 1, "t:3": 3, "gamma:2": 2}.get(law)
    wanted = {"he": 2 / fan_in, "glorot": 2 / (fan_in + fan_out), "lecun": 1 / fan_in}.get(scale)
    factor = 1.0 if wanted is None else math.sqrt(wanted / variance)
    weights, constants = values(law, w_shape) * factor, values(law, b_shape)
    return weights, constants * {"same": factor, "unscaled": 1.0, "zero": 0.0}[biases]


def on_points(layers, data, scheme):
    """For each network: dead neurons of each layer on data (points, inputs), and whether a point lives through."""
    found = []
    for k in range(len(layers[0][0])):
        x, lives, dead = data.T, np.ones(len(data), dtype=bool), []
        for weights, constants in layers:
            z = weights[k] @ x + constants[k][:, None]
            z[abs(z) < 1e-12] = 0  # ties of laws with atoms
            if scheme == "batch-norm":
                z = z - z.mean(axis=1, keepdims=True)
                spread = np.sqrt((z**2).mean(axis=1, keepdims=True))
                z = z / np.where(spread > 0, spread, 1)
            if scheme == "sign-flip" and 2 * np.sum(lives & ~(z > 0).any(axis=0)) > lives.sum():
                z = -z
            dead.append(int((~(z > 0).any(axis=1)).sum()))
            lives &= (z > 0).any(axis=0)
            x = np.maximum(z, 0)
        found.append((dead, bool(lives.any())))
    return found


def on_segments(layers, low, high):
    """The same for one input in [low, high]: a polyline is looked at in its breakpoints, layer by layer, and whether a
    point lives through in between them."""
    found = []
    for k in range(len(layers[0][0])):
        t = np.array([low, high], dtype=float)
        x, dead, lives = t[None], [], np.ones(1, dtype=bool)  # lives: of the parts between breakpoints
        for weights, constants in layers:
            z = weights[k] @ x + constants[k][:, None]
            cuts = [t]
            for row in z:
                a, b = row[:-1], row[1:]
                i = np.flatnonzero(a * b < 0)
                cuts.append(t[i] + (t[i + 1] - t[i]) * a[i] / (a[i] - b[i]))
            new = np.unique(np.concatenate(cuts))
            z = np.array([np.interp(new, t, row) for row in z])
            lives = lives[np.clip(np.searchsorted(t, (new[1:] + new[:-1]) / 2, side="right") - 1, 0, len(t) - 2)]
            t = new
            middle = (z[:, 1:] + z[:, :-1]) / 2
            dead.append(int((~(z > 1e-13).any(axis=1)).sum()))
            lives = lives & (middle > 1e-13).any(axis=0)
            x = np.maximum(z, 0)
        found.append((dead, bool(lives.any())))
    return found


def stable(layers, radius=1e7, number=400):
    """One neuron of layer 2 on R or R^2, seen from far away in many directions and on the lines' crossings."""
    (weights, constants), (w, c) = layers
    n = weights.shape[2]
    angles = 2 * math.pi * (np.arange(number) + 0.37) / number
    away = np.stack([np.cos(angles), np.sin(angles)], axis=1) if n == 2 else np.array([[1.0], [-1.0]])
    found = []
    for k in range(len(weights)):
        points = [radius * away]
        rows = weights[k]
        for i in range(len(rows)):
            if n == 1:
                points.append(np.array([[-constants[k, i] / rows[i, 0]]]))
            else:
                turned = np.array([-rows[i, 1], rows[i, 0]]) / np.hypot(*rows[i])
                foot = -constants[k, i] * rows[i] / (rows[i] @ rows[i])
                points.append(foot + radius * np.array([turned, -turned]))
                for j in range(i):
                    points.append(np.linalg.solve(rows[[i, j]], -constants[k, [i, j]])[None])
        x = np.concatenate(points)
        z = x @ rows.T + constants[k]
        z[abs(z) < 1e-7 * radius * (abs(x).max(axis=1) > radius / 4)[:, None]] = 0
        found.append(bool((np.maximum(z, 0) @ w[k, 0] + c[k, 0] < 0).all()))
    return found


def simulated(experiment, count, rng):
    widths, depth = experiment.widths, len(experiment.widths) - 1
    if experiment.event == "stably-unactivated":
        shapes = [(widths[0], widths[1]), (widths[1], 1)]
    else:
        shapes = list(pairwise(widths))
    layers = [drawn(rng, experiment.law, experiment.scale, experiment.biases, n, m, count) for n, m in shapes]
    if experiment.event == "stably-unactivated":
        return stable(layers)
    if experiment.domain.endswith(".json"):
        seen = on_points(layers, POINTS[:, : widths[0]], experiment.scheme)
    else:
        low, high = {"R^n": (-1e6, 1e6), "R+^n": (0, 1e6)}.get(experiment.domain) or tuple(
            map(float, experiment.domain.removeprefix("box:").split(","))
        )
        seen = on_segments(layers, low, high)
    judge = {
        "alive": lambda dead, lives: all(d < m for d, m in zip(dead, widths[1:], strict=True)),
        "data-alive": lambda dead, lives: lives,
        "killed": lambda dead, lives: dead[experiment.layer - 1] == widths[experiment.layer],
        "dead-neurons": lambda dead, lives: (
            experiment.number == (sum(dead[:depth]) if experiment.layer is None else dead[experiment.layer - 1])
        ),
    }[experiment.event]
    return [judge(dead, lives) for dead, lives in seen]


LAWS = ("normal", "uniform", "laplace", "rademacher", "cauchy", "t:3", "gamma:2", "rai")
FRAMEWORKS = ("pytorch", "keras", "flax", "tensorflow", "scikit-learn")
EVENTS = (("alive", {}), ("data-alive", {}), ("killed", {"layer": 2}), ("dead-neurons", {"number": 1}))


def cases():
    """Every event, scheme, scale, law, kind of biases and domain."""
    for event, more in EVENTS:
        for domain, widths in (("points", (2, 2, 2)), ("R^n", (1, 2, 2)), ("R+^n", (1, 2, 2)), ("box:-1,2", (1, 2, 2))):
            yield {"event": event, "widths": widths, "domain": domain, **more}
        for scheme in ("batch-norm", "sign-flip"):
            yield {"event": event, "widths": (2, 2, 2), "domain": "points", "scheme": scheme, **more}
        for law in (*LAWS, *FRAMEWORKS):
            yield {"event": event, "widths": (2, 3, 2), "domain": "points", "law": law, **more}
    for law in ("normal", "uniform", "laplace", "rademacher", "t:3", "gamma:2"):
        for scale in ("he", "glorot", "lecun"):
            for biases in ("same", "unscaled", "zero"):
                yield {"event": "alive", "widths": (2, 3, 2), "domain": "points", "law": law, "scale": scale,
                       "biases": biases}  # fmt: skip
    yield {"event": "alive", "widths": (1, 3, 2), "domain": "box:-1,1", "bias": False}
    yield {"event": "dead-neurons", "widths": (1, 2, 3), "domain": "box:-1,2", "layer": 2, "number": 2}
    for law in ("normal", "uniform", "laplace", "t:3"):
        for widths in ((1, 1), (1, 3), (2, 2), (2, 4)):
            yield {"event": "stably-unactivated", "widths": widths, "law": law}


def check(case, path, count):
    experiment = Experiment(**case | ({"domain": str(path)} if case.get("domain") == "points" else {}))
    seed = zlib.crc32(repr(sorted(case.items())).encode())
    own = simulated(experiment, count, np.random.default_rng(seed))
    mean = sum(own) / count
    symmetric = experiment.scheme == "iid" and experiment.law not in ("gamma:2", "rai")
    amount = {"orbits": count // 4} if symmetric else {"trials": 2 * count}
    found = probability(experiment, **amount, seed=seed % 1000, level=LEVEL)
    slack = DEVIATIONS * math.sqrt(max(mean * (1 - mean), 1 / count) / count)
    return found.low - slack <= mean <= found.high + slack, (mean, found.low, found.high)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return written(tmp_path_factory.mktemp("simulated"))


def written(folder):
    path = folder / "points.json"
    path.write_text('{"points": [[1, 0], ["1/4", "3/2"], [-1, "-1/2"]]}')
    return path


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: " ".join(map(str, case.values())))
def test_the_package_agrees_with_a_simulation_from_the_definitions(case, data):
    agree, numbers = check(case, data, 400)
    assert agree, numbers


if __name__ == "__main__":
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path, wrong = written(Path(folder)), 0
        every = list(cases())
        for case in every:
            agree, numbers = check(case, path, 8000)
            wrong += not agree
            print("ok " if agree else "NO ", case, *(f"{v:.4f}" for v in numbers), flush=True)
        print(f"{len(every) - wrong} of {len(every)} agree")
        sys.exit(bool(wrong))
