"""Training of many deep and narrow networks at once, in NumPy: which of them collapse to a constant, and to which.

The slides train networks with 10 layers of width 2 on |x| and other targets, with the mean squared error or the mean
absolute error and "whatever optimizer"; here it is Adam on all data. A network *has collapsed* if its outputs on the
data are all one number, and *partially* if they are one number on at least a quarter of the data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from geomrelu.errors import InputError

__all__ = ["HIDDEN", "TARGETS", "Trained", "train"]

Array = np.ndarray[Any, np.dtype[Any]]
Target = Callable[[Array], Array]

HIDDEN = 9  # hidden layers
POINTS = 64
EDGE = 3**0.5  # inputs are uniform within it, so that they have variance 1
DECAY = 0.9, 0.999  # of Adam's mean and square
SMALL = 1e-8


def _both(x: Array) -> Array:
    return np.stack([np.abs(x[:, 0] + x[:, 1]), np.abs(x[:, 0] - x[:, 1])], axis=1)


TARGETS: dict[str, tuple[int, Target]] = {
    "|x|": (1, np.abs),
    "x sin 5x": (1, lambda x: x * np.sin(5 * x)),
    "step + 0.2 sin 5x": (1, lambda x: (x > 0) + 0.2 * np.sin(5 * x)),
    "(|x1 + x2|, |x1 - x2|)": (2, _both),
}


@dataclass(frozen=True)
class Trained:
    """What became of the networks, one entry for each.

    Attributes:
        dead: did a hidden layer have no positive neuron on the data at initialisation? collapsed: one output on all
            data after training. partly: not collapsed, and one output on a quarter of the data or more.
        off: for each network the largest distance, over its outputs, from the first datum's output to the nearest
            number that the loss of a constant is least for (the mean, or the interval of the medians).
    """

    dead: Array
    collapsed: Array
    partly: Array
    off: Array


def train(
    target: str,
    networks: int,
    steps: int,
    seed: int,
    *,
    absolute: bool = False,
    rate: float = 1e-3,
    hidden: int = HIDDEN,
) -> Trained:
    """Train networks, He normal with biases 0, whose hidden layers are twice as wide as the input.

    Args:
        target: a name in :data:`TARGETS`. steps: of Adam. absolute: the loss is the mean absolute error, not the
            squared one. rate: of Adam; halved after half of the steps, and again after three quarters.

    Raises:
        InputError: an unknown target, or numbers that are not positive.

    Exact: statistical, in floats. Cost: networks × steps × points × layers × width^2.
    Source: Lu, Su & Karniadakis, Collapse of deep and narrow neural nets, examples.
    """
    if target not in TARGETS:
        raise InputError(f"unknown target {target!r} (known: {', '.join(TARGETS)})")
    if min(networks, steps, hidden) < 1 or rate <= 0:
        raise InputError("networks, steps, hidden layers and rate must be positive")
    size, function = TARGETS[target]
    rng = np.random.default_rng(seed)
    x = rng.uniform(-EDGE, EDGE, (POINTS, size))
    y = np.asarray(function(x), dtype=np.float64)
    widths = [size, *[2 * size] * hidden, size]
    layers = [rng.standard_normal((networks, n + 1, m)) * (2 / n) ** 0.5 for n, m in pairwise(widths)]
    for layer in layers:
        layer[:, -1] = 0  # the bias
    mean, square = ([np.zeros_like(layer) for layer in layers] for _ in range(2))
    dead = np.any([(h[:, :, :-1] == 0).all(axis=(1, 2)) for h in _forward(layers, x)[1:-1]], axis=0)
    for step in range(1, steps + 1):
        now = rate / (1 + (2 * step > steps)) / (1 + (4 * step > 3 * steps))
        for k, slope in _slopes(layers, x, y, absolute):
            mean[k] += (slope - mean[k]) * (1 - DECAY[0])
            square[k] += (slope**2 - square[k]) * (1 - DECAY[1])
            layers[k] -= (
                now * (mean[k] / (1 - DECAY[0] ** step)) / (np.sqrt(square[k] / (1 - DECAY[1] ** step)) + SMALL)
            )
    output = _forward(layers, x)[-1]
    collapsed = (output.max(axis=1) == output.min(axis=1)).all(axis=1)
    return Trained(dead, collapsed, ~collapsed & (_most_common(output) >= POINTS // 4), _off(output[:, 0], y, absolute))


def _forward(layers: list[Array], x: Array) -> list[Array]:
    """What each layer reads, with a column of ones for the bias, and the output; (networks, points, columns)."""
    one = np.ones((len(layers[0]), len(x), 1))
    found = [np.concatenate([np.broadcast_to(x, (len(one), *x.shape)), one], axis=2)]
    for layer in layers[:-1]:
        found.append(np.concatenate([np.maximum(found[-1] @ layer, 0), one], axis=2))
    return [*found, found[-1] @ layers[-1]]


def _slopes(layers: list[Array], x: Array, y: Array, absolute: bool) -> list[tuple[int, Array]]:
    """The gradient for each layer, by backpropagation, last layer first."""
    *read, output = _forward(layers, x)
    delta, found = (np.sign(output - y) if absolute else 2 * (output - y)) / len(x), []
    for k in range(len(layers) - 1, -1, -1):
        found.append((k, read[k].transpose(0, 2, 1) @ delta))
        delta = (delta @ layers[k][:, :-1].transpose(0, 2, 1)) * (read[k][:, :, :-1] > 0)
    return found


def _most_common(output: Array) -> Array:
    """For each network: at how many points the output is the one that is taken most often."""
    keys = np.sort(output[:, :, 0] if output.shape[2] == 1 else output[:, :, 0] + 1j * output[:, :, 1], axis=1)
    longest, run = np.ones(len(keys), dtype=np.int64), np.ones(len(keys), dtype=np.int64)
    for left, right in zip(keys.T[:-1], keys.T[1:], strict=True):
        run = np.where(left == right, run + 1, 1)
        longest = np.maximum(longest, run)
    return longest


def _off(constant: Array, y: Array, absolute: bool) -> Array:
    """The distance of a constant, shape (networks, outputs), from what is best for the targets."""
    if absolute:
        low, high = np.sort(y, axis=0)[len(y) // 2 - 1], np.sort(y, axis=0)[len(y) // 2]
    else:
        low = high = y.mean(axis=0)
    return np.maximum(np.maximum(low - constant, constant - high), 0).max(axis=1)
