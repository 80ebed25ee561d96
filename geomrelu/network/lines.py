"""A neuron on a line: its zeros, exactly, and their mean over sign choices.

On the line ``x + t d`` every neuron of a network is a piecewise linear function of t. Its pieces are kept as a chain of
homogeneous integer generators, in the order of t: the direction to the left, the *knots*, the direction to the right.

    g = (s, t, y...)    for s > 0 the values y/s at the place t/s;  for s = 0 the growth y along the direction t = -1, 1

Between neighbours everything is linear: a neuron with values of opposite signs there has one zero between them, a
combination of the two, which becomes a knot of what follows. Cost: one pass over the chain for each neuron.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import pairwise, product
from math import gcd, prod
from typing import Any

import numpy as np

from geomrelu.budget import UNLIMITED, Budget
from geomrelu.errors import InputError
from geomrelu.exact.affine import AffineMap
from geomrelu.exact.numbers import common, rational, rationals
from geomrelu.network.network import Network

__all__ = [
    "MOST_SIGNS",
    "Vanishes",
    "Zeros",
    "chain_on_line",
    "check_signs",
    "zeros_of_neurons",
    "zeros_on_line",
    "zeros_orbit",
]

Row = tuple[int, ...]
MOST_SIGNS = 22  # signs of hidden parameters: 2^22 chains of knots take about an hour
SIGNS = 12  # weights of a neuron all of whose signs are tried at once
NO_NUMBER = "for some signs it is 0 on a whole piece of the line, where zeros cannot be counted"


class Vanishes(InputError):
    """For some signs the neuron is 0 on a whole piece of the line, so it has no number of zeros."""


@dataclass(frozen=True)
class Zeros:
    """Where a neuron is 0 on a line.

    Attributes:
        at: the isolated zeros t, increasing.
        flat: the closed intervals of positive length on which it is 0; None is an end at infinity.
    """

    at: tuple[Fraction, ...]
    flat: tuple[tuple[Fraction | None, Fraction | None], ...]

    def __str__(self) -> str:
        parts = [f"t = {t}" for t in self.at]
        parts += [
            f"{'-oo' if low is None else low} <= t <= {'oo' if high is None else high}" for low, high in self.flat
        ]
        return ", ".join(parts) or "no zero"


def chain_on_line(
    network: Network, point: Sequence[Any], direction: Sequence[Any], up_to: int, budget: Budget = UNLIMITED
) -> list[Row]:
    """The chain of generators of a line, with the inputs and the outputs of layers 1..up_to behind (s, t).

    Raises:
        InputError: a point or direction that does not fit, the direction 0.
        Exhausted: the time is over.
    """
    return _chain(network, point, direction, network.layers[:up_to], [], budget)


def _chain(
    network: Network,
    point: Sequence[Any],
    direction: Sequence[Any],
    layers: Sequence[AffineMap],
    last: Sequence[AffineMap],
    budget: Budget,
) -> list[Row]:
    """The chain behind some layers; what no map of ``last`` or of later layers reads is 0 in it, if there are any."""
    x, d = rationals(point, "point"), rationals(direction, "direction")
    if len(x) != network.inputs or len(d) != network.inputs:
        raise InputError(f"the network reads R^{network.inputs}: a point and a direction have so many coordinates")
    if not any(d):
        raise InputError("the direction of a line must not be 0")
    whole, scale = common([*x, *d])
    x_, d_ = whole[: len(x)], whole[len(x) :]
    chain: list[Row] = [(0, -scale, *(-v for v in d_)), (scale, 0, *x_), (0, scale, *d_)]
    until = np.full(network.starts[-1], 0 if last else len(layers))  # which map is the last one to read a variable
    for k, map_ in enumerate((*layers, *last) if last else ()):
        until[map_.indices] = k
    for k, layer in enumerate(layers):
        values = [_valued(chain, layer.row(i), budget) for i in range(layer.outputs)]
        chain = _rectified(chain, values, layer.denominator, (until > k).tolist(), budget)
    return chain


def zeros_on_line(
    network: Network,
    layer: int,
    neuron: int,
    point: Sequence[Any],
    direction: Sequence[Any],
    budget: Budget = UNLIMITED,
) -> Zeros:
    """Where the pre-activation of a neuron is 0 on the line ``point + t direction``.

    Args:
        layer: from 1; one more than there are ReLU layers: an output. neuron: from 0. budget: of time.

    Raises:
        InputError: there is no such neuron; a point or direction that does not fit.
        Exhausted: the time is over.

    Exact: yes, in integers; nothing is assumed to be in general position. Method: see the head of the file; a line of
    a network with m neurons has at most about as many knots as regions it meets. Source: claim ``zeros-on-a-line``.

    >>> net = Network.from_layers([([[1], [-1]], [0, 0], "relu"), ([[1, 1]], [-2], "relu")])  # |t| - 2
    >>> print(zeros_on_line(net, 2, 0, [0], [1]))
    t = -2, t = 2
    """
    return next(zeros_of_neurons(network, layer, [neuron], point, direction, budget))


def zeros_of_neurons(
    network: Network,
    layer: int,
    neurons: Sequence[int],
    point: Sequence[Any],
    direction: Sequence[Any],
    budget: Budget = UNLIMITED,
) -> Iterator[Zeros]:
    """The same for several neurons of a layer, in their order; the pieces of the line are found once."""
    maps = [*network.layers, *([network.output] if network.output else [])]
    for neuron in neurons:
        if not (1 <= layer <= len(maps) and 0 <= neuron < maps[layer - 1].outputs):
            raise InputError(f"there is no neuron {neuron} in layer {layer} (widths {[m.outputs for m in maps]})")
    chain = _chain(network, point, direction, network.layers[: layer - 1], [maps[layer - 1]], budget)
    for neuron in neurons:
        yield _zeros(chain, _valued(chain, maps[layer - 1].row(neuron), budget))


def _valued(chain: list[Row], row: tuple[int, Any, Any], budget: Budget) -> list[int]:
    """The values of an affine form (times its denominator) at the generators."""
    bias, columns, entries = row
    pairs = [(int(c) + 2, int(v)) for c, v in zip(columns, entries, strict=True)]
    values = []
    for g in chain:
        budget.poll()
        values.append(int(bias) * g[0] + sum(v * g[c] for c, v in pairs))
    return values


def _rectified(
    chain: list[Row], values: list[list[int]], denominator: int, read: Sequence[bool], budget: Budget
) -> list[Row]:
    """The chain with the outputs of a layer behind its generators, cut where a neuron is 0.

    ``read``: which variables are read later; the others become 0, so that no long numbers are carried on.
    """
    first, wide = len(chain[0]), []
    kept = [True, True, *read[: first - 2]]
    for g, *z in zip(chain, *values, strict=True):
        budget.poll()
        wide.append((*(v if keep else 0 for v, keep in zip(g, kept, strict=True)), *z))
    for column in range(first, first + len(values)):
        wide = list(_cut(wide, column, budget))
    found = []
    for g in wide:
        budget.poll()
        found.append(_primitive((*(denominator * v for v in g[:first]), *(max(v, 0) for v in g[first:]))))
    return found


def _cut(chain: list[Row], column: int, budget: Budget) -> Iterator[Row]:
    budget.poll()
    for g, h in pairwise(chain):
        yield g
        if g[column] * h[column] < 0:
            budget.poll()
            left, right = abs(h[column]), abs(g[column])
            yield _primitive(tuple(left * u + right * v for u, v in zip(g, h, strict=True)))
    yield chain[-1]


def _primitive(g: Row) -> Row:
    divisor = gcd(*g)
    return g if divisor <= 1 else tuple(v // divisor for v in g)


def _zeros(chain: list[Row], values: list[int]) -> Zeros:
    """Zeros between neighbours of opposite signs, at knots, and on the stretches of neighbours that are both 0."""
    at: list[Fraction] = []
    flat: list[tuple[Fraction | None, Fraction | None]] = []
    for (g, u), (h, v) in pairwise(zip(chain, values, strict=True)):
        if u * v < 0:
            low, high = abs(v), abs(u)
            at.append(Fraction(low * g[1] + high * h[1], low * g[0] + high * h[0]))
        elif u == v == 0:  # at a direction: no growth, and so 0 all the way
            flat.append((_place(g), _place(h)))
    ends = {t for interval in flat for t in interval}
    at += [
        Fraction(g[1], g[0]) for g, v in zip(chain, values, strict=True) if g[0] and v == 0 and _place(g) not in ends
    ]
    joined: list[tuple[Fraction | None, Fraction | None]] = []
    for start, end in flat:
        if joined and start is not None and joined[-1][1] == start:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    return Zeros(tuple(sorted(at)), tuple(joined))


def _place(g: Row) -> Fraction | None:
    return Fraction(g[1], g[0]) if g[0] else None


# ---- over all sign choices ------------------------------------------------------------------------------------------


def zeros_orbit(
    layers: Sequence[tuple[Any, Any]],
    point: Sequence[Any],
    direction: Sequence[Any],
    activation: str = "relu",
    budget: Budget = UNLIMITED,
) -> tuple[int, int]:
    """The number of zeros of one neuron on a line, summed over sign choices.

    The choices are the flips ``(a_i, b_i) -> -(a_i, b_i)`` of the rows of the first layer and the signs of all weights
    and biases of the later ones.

    Args:
        layers: ``(weights, bias)``, shapes (out, in) and (out,); the last holds the neuron alone. The signs of the
            later layers do not matter.
        point, direction: the line ``point + t direction``.
        activation: "relu", "leaky" (max(z, z/2)) or "absolute". budget: of time.

    Returns:
        ``(zeros, choices)``.

    Raises:
        InputError: shapes that do not fit, more than 22 signs before the neuron.
        Vanishes: with some signs the neuron is 0 on a whole piece.
        Exhausted: the time is over.

    Exact: yes, in integers. Method: the chains of all choices of the hidden layers, one by one, and all choices of the
    neuron on each of them at once. Source: claim ``zeros-on-a-line``: the mean is ``prod_l (1 - 2^-n_l)``.

    >>> zeros_orbit([([[2], [3]], [1, 1]), ([[1, 5]], [1])], [0], [1])
    (24, 32)
    """
    hidden = [_rows(weights, bias, k) for k, (weights, bias) in enumerate(layers, 1)]
    if len(hidden) < 1 or len(hidden[-1]) != 1:
        raise InputError("the last layer of an orbit of zeros holds one neuron")
    check_signs([len(layer) for layer in hidden[:-1]] or [1])
    x, d = rationals(point, "point"), rationals(direction, "direction")
    if not (len(x) == len(d) == len(hidden[0][0]) - 1) or not any(d):
        raise InputError("a point and a direction other than 0 with as many coordinates as the first layer reads")
    first = [(b + _dot(a, x), _dot(a, d)) for b, *a in hidden[0]]  # z(t) = b + a t
    if len(hidden) == 1:
        if not any(first[0]):
            raise Vanishes(NO_NUMBER)
        return 2 * bool(first[0][1]), 2
    whole, denominator = common([v for row in first for v in row])
    ends: list[Row] = [(0, -1), (1, 0), (0, 1)]
    values = [[b * s + a * t for s, t in ends] for b, a in zip(whole[::2], whole[1::2], strict=True)]
    start = _folded([(denominator * s, denominator * t) for s, t in ends], values, budget)
    total = 0
    for flips in product((1, -1), repeat=len(first)):
        chain = [(*g[:2], *(_activated(f * v, activation) for f, v in zip(flips, g[2:], strict=True))) for g in start]
        total += _summed(chain, hidden[1:], activation, budget)
    last = 1 << len(hidden[-1][0])
    return total, prod(1 << len(row) for layer in hidden[1:-1] for row in layer) * (1 << len(first)) * last


def check_signs(widths: Sequence[int]) -> None:
    """Refuse an orbit that is too large: ``widths`` of the layers before the neuron.

    Raises:
        InputError: more than 22 signs.
    """
    signs = sum(widths[:1]) + sum((before + 1) * width for before, width in pairwise(widths))
    if signs > MOST_SIGNS:
        raise InputError(f"{signs} signs before the neuron; at most {MOST_SIGNS} are walked")


def _rows(weights: Any, bias: Any, position: int) -> list[tuple[Fraction, ...]]:
    rows = [rationals(a, f"layer {position}") for a in weights]
    constants = rationals(bias, f"layer {position}, bias")
    if not rows or len(rows) != len(constants) or len({len(a) for a in rows}) != 1:
        raise InputError(f"layer {position}: weights (out, in) and bias (out,) are expected")
    return [(b, *a) for b, a in zip(constants, rows, strict=True)]


def _dot(a: Sequence[Fraction], x: Sequence[Fraction]) -> Fraction:
    return sum((u * v for u, v in zip(a, x, strict=True)), Fraction(0))


def _activated(value: int, activation: str) -> int:
    """Twice the activation of an integer: integers again."""
    if activation == "relu":
        return 2 * max(value, 0)
    if activation == "absolute":
        return 2 * abs(value)
    if activation == "leaky":
        return max(2 * value, value)
    raise InputError(f"unknown activation {activation!r} (known: relu, leaky, absolute)")


def _folded(chain: list[Row], values: list[list[int]], budget: Budget) -> list[Row]:
    """The chain with signed pre-activations behind (s, t), cut where one is 0."""
    wide = [(*g[:2], *z) for g, z in zip(chain, zip(*values, strict=True), strict=True)]
    for column in range(2, 2 + len(values)):
        wide = list(_cut(wide, column, budget))
    return wide


def _summed(chain: list[Row], layers: list[list[tuple[Fraction, ...]]], activation: str, budget: Budget) -> int:
    """Zeros of the neuron over all signs of the layers behind a chain whose outputs are twice as large as they are."""
    chain = [(2 * g[0], 2 * g[1], *g[2:]) for g in chain]
    if len(layers) == 1:
        return _last(chain, layers[0][0], budget)
    own = [_integers(row) for row in layers[0]]
    scale = reduce(lambda u, v: u * v // gcd(u, v), (d for _, d in own))
    signed = []
    for row, d in own:  # all signs of a row but the first: the other half are its negatives
        factor = scale // d
        signed.append(
            [
                [sum(e * v for e, v in zip(signs, terms, strict=True)) for terms in _terms(chain, row, factor)]
                for signs in product((1, -1), repeat=len(row))
                if signs[0] == 1
            ]
        )
    total = 0
    scaled: list[Row] = [(scale * g[0], scale * g[1]) for g in chain]
    for values in product(*signed):
        folded = _folded(scaled, list(values), budget)
        for flips in product((1, -1), repeat=len(values)):
            behind = [
                (*g[:2], *(_activated(f * v, activation) for f, v in zip(flips, g[2:], strict=True))) for g in folded
            ]
            total += _summed([_primitive(g) for g in behind], layers[1:], activation, budget)
    return total


def _integers(row: tuple[Fraction, ...]) -> tuple[list[int], int]:
    return common([rational(v) for v in row])


def _terms(chain: list[Row], row: list[int], factor: int) -> Iterator[list[int]]:
    for g in chain:
        yield [factor * row[0] * g[0], *(factor * a * y for a, y in zip(row[1:], g[2:], strict=True))]


def _last(chain: list[Row], row: tuple[Fraction, ...], budget: Budget) -> int:
    """Zeros of all sign choices of one neuron: changes of sign along the chain, knots at which it is 0 counted once."""
    own, _ = _integers(row)
    terms = list(_terms(chain, own, 1))
    small = max(sum(map(abs, t)) for t in terms) < 1 << 62
    table = np.array(terms, dtype=np.int64 if small else object)
    weights = table.shape[1] - 1  # the other half of the signs, the bias flipped, are the negatives
    some = min(weights, SIGNS)
    signs = np.array(list(product((1, -1), repeat=some)), dtype=table.dtype).T.reshape(some, 1 << some)
    total = 0
    for first in product((1, -1), repeat=weights - some):
        budget.poll()
        fixed = table[:, :1] + table[:, 1 : 1 + weights - some] @ np.array(first, dtype=table.dtype)[:, None]
        sign = np.sign(fixed + table[:, 1 + weights - some :] @ signs).astype(np.int8)
        if ((sign[1:-1][1:] == 0) & (sign[1:-1][:-1] == 0)).any() or ((sign[0] == 0) & (sign[1] == 0)).any():
            raise Vanishes(NO_NUMBER)
        total += int((sign[1:] * sign[:-1] < 0).sum() + (sign[1:-1] == 0).sum())
    return 2 * total
