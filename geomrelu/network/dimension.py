"""Functional dimension: in how many directions the parameters of a network move its values on data.

``J`` is the Jacobian of all outputs at all sample points with respect to all D parameters. Its rank is the *functional
dimension on the sample*; the largest rank over all samples is that of the parameters. A rank over the rationals has two
certificates: a minor of that size that is not 0 (then it is not less), and parameters that move nothing (then it is not
more).

At most ``D - (hidden neurons)``: the outgoing weights of a hidden neuron may be divided by what its incoming weights
and bias are multiplied with. A neuron that is silent near all data loses ``n_(l-1) + 1 + n_(l+1)`` parameters and that
one relation: ``n_(l-1) + n_(l+1)`` more.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import Any

from flint import fmpz_mat, nmod_mat

from geomrelu.errors import InputError
from geomrelu.exact.affine import affordable
from geomrelu.exact.numbers import rationals
from geomrelu.network.network import Network

__all__ = [
    "Dimension",
    "dense_layers",
    "functional_dimension",
    "jacobian",
    "random_points",
    "ranks_of_orbit",
    "upper_bound",
]

PRIMES = (4611686018427387847, 4611686018427387817, 4611686018427387787)  # the largest below 2^62
Dense = list[tuple[list[list[Fraction]], list[Fraction]]]


@dataclass(frozen=True)
class Dimension:
    """The functional dimension of a network on a sample, with its certificates.

    Attributes:
        rank: over the rationals.
        parameters: D. points: of the sample.
        rows, columns: the rows (point times outputs + output) and parameters of a minor of this size.
        minor: the value of that minor modulo ``prime``: not 0.
        silent: the hidden neurons ``(layer, neuron)`` that are negative at all points: their parameters move nothing.
        bound: :func:`upper_bound` for these widths and silent neurons; of tied parameters, their number.
        tied: are equal weights, and equal biases, of a layer one parameter, and zeros none?
        zeros: weights that are 0 and count as parameters.
    """

    rank: int
    parameters: int
    points: int
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    minor: int
    prime: int
    silent: tuple[tuple[int, int], ...]
    bound: int
    tied: bool = False
    zeros: int = 0

    def __str__(self) -> str:
        lines = [
            f"functional dimension {self.rank} on {self.points} points, of {self.parameters} parameters"
            + (" (equal ones of a layer are one)" if self.tied else ""),
            f"  not less: a minor of size {self.rank} is {self.minor} modulo {self.prime}",
            f"  not more than {self.bound}: "
            + ("so many parameters" if self.tied else "one scale for each hidden neuron")
            + (f", and {len(self.silent)} silent at all points" if self.silent and not self.tied else ""),
        ]
        if self.zeros:
            lines.append(f"  {self.zeros} of the weights are 0, and parameters like the others (unless they are tied)")
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """Plain data for ``json.dumps``."""
        data = dict(vars(self))
        for key in ("rows", "columns"):
            data[key] = list(data[key])
        return data | {"silent": [list(place) for place in self.silent]}


def dense_layers(network: Network) -> Dense:
    """The layers of a chain of dense layers, the output map included.

    Raises:
        InputError: a layer reads others than the one before it.
    """
    maps = [*network.layers, *([network.output] if network.output else [])]
    layers: Dense = []
    for level, map_ in enumerate(maps):
        first, last = network.starts[level], network.starts[level + 1]
        if ((map_.indices < first) | (map_.indices >= last)).any():
            raise InputError("the functional dimension is for chains: a layer reads others than the one before it")
        affordable(map_.outputs * (last - first), f"layer {level + 1}")
        weights, bias = [], []
        for i in range(map_.outputs):
            constant, columns, entries = map_.row(i)
            row = [Fraction(0)] * (last - first)
            for j, v in zip(columns, entries, strict=True):
                row[int(j) - first] = Fraction(int(v), map_.denominator)
            weights.append(row)
            bias.append(Fraction(int(constant), map_.denominator))
        layers.append((weights, bias))
    return layers


def jacobian(
    layers: Dense, points: Iterable[Sequence[Any]], rectified: bool = False
) -> tuple[list[list[Fraction]], list[list[list[int]]]]:
    """The Jacobian of all outputs at all points, and the signs of the hidden neurons there.

    Args:
        layers: ``(weights, bias)``; ReLU between them. rectified: is the last one a ReLU layer too?
        points: of the input space.

    Returns:
        ``(rows, signs)``: rows of D rationals, ordered layer by layer, each neuron's weights and then its bias; and
        ``signs[point][layer][neuron]``.

    Raises:
        InputError: a point that does not fit, or at which a neuron is 0: no derivative is defined there.

    Exact: yes. Cost: one backward pass for each output at each point.
    """
    rows, signs = [], []
    for point in points:
        values = [list(rationals(point, "point"))]
        if len(values[0]) != len(layers[0][0][0]):
            raise InputError(f"the network reads R^{len(layers[0][0][0])}, the point lies in R^{len(values[0])}")
        own: list[list[int]] = []
        for level, (weights, bias) in enumerate(layers):
            z = [b + _dot(row, values[-1]) for row, b in zip(weights, bias, strict=True)]
            if level < len(layers) - 1 or rectified:
                if not all(z):
                    place = ", ".join(map(str, values[0]))
                    raise InputError(
                        f"a neuron of layer {level + 1} is 0 at the point {place}: no Jacobian there, take other points"
                    )
                own.append([1 if v > 0 else -1 for v in z])
                z = [max(v, Fraction(0)) for v in z]
            values.append(z)
        signs.append(own)
        rows += [_row(layers, values, own, output, rectified) for output in range(len(layers[-1][1]))]
    return rows, signs


def _dot(a: Sequence[Fraction], x: Sequence[Fraction]) -> Fraction:
    return sum((u * v for u, v in zip(a, x, strict=True) if u and v), Fraction(0))


def _row(
    layers: Dense, values: list[list[Fraction]], signs: list[list[int]], output: int, rectified: bool
) -> list[Fraction]:
    """One output at one point: the derivatives with respect to pre-activations, backwards."""
    moved = [Fraction(int(i == output)) for i in range(len(layers[-1][1]))]
    if rectified:
        moved = [v if s > 0 else Fraction(0) for v, s in zip(moved, signs[-1], strict=True)]
    parts: list[list[Fraction]] = []
    for level in range(len(layers) - 1, -1, -1):
        parts.append([v * x for v in moved for x in (*values[level], Fraction(1))])
        if level:
            columns = zip(*layers[level][0], strict=True)
            gates = zip(signs[level - 1], columns, strict=True)
            moved = [_dot(moved, column) if sign > 0 else Fraction(0) for sign, column in gates]
    return [v for part in reversed(parts) for v in part]


def upper_bound(widths: Sequence[int], silent: Sequence[tuple[int, int]] = ()) -> int:
    """``D - (hidden neurons) - sum (n_(l-1) + n_(l+1))`` over silent neurons: no functional dimension is larger.

    Args:
        widths: n0, n1, ..., of inputs, hidden layers and outputs. silent: ``(layer, neuron)``, hidden layers from 1.

    Exact: yes, as a bound; silent neurons of neighbouring layers share weights, which count once.
    Source: claim ``functional-dimension``; Grigsby, Lindsey, Meyerhoff & Wu (the scales).

    >>> upper_bound([2, 3, 1]), upper_bound([2, 3, 1], [(1, 0)])
    (10, 7)
    """
    parameters = sum(n * (m + 1) for m, n in pairwise(widths))
    hidden = sum(widths[1:-1])
    gone = set(silent)
    lost = sum(widths[l - 1] + widths[l + 1] for l, _ in gone)
    shared = sum(1 for l, _ in gone for k, _ in gone if k == l + 1)
    return parameters - hidden - lost + shared


def functional_dimension(network: Network, points: Sequence[Sequence[Any]], tied: bool = False) -> Dimension:
    """The rank of the Jacobian of the outputs at the points with respect to all weights and biases.

    Args:
        points: rationals, at which no hidden neuron is 0.
        tied: equal weights of a layer are one parameter, and so are equal biases; what is 0 is none (convolutions).

    Returns:
        With the certificate from below: a minor that is not 0.

    Raises:
        InputError: no chain of dense layers; a point that does not fit, or on the boundary of a region; no points.

    Exact: yes, over the rationals. Method: the rank modulo a prime of 62 bits is a lower bound, and its pivots are the
    minor. If it is the upper bound, that is all; otherwise the rank of the integer matrix (FLINT).
    Source: claim ``functional-dimension``.

    >>> net = Network.from_layers([([[1], [-1]], [1, 1], "relu"), ([[1, 1]], [0], "none")])
    >>> functional_dimension(net, [[-3], [-2], [0], ["1/2"], [2], [3]]).rank
    5
    """
    if not points:
        raise InputError("the functional dimension needs at least one point")
    _check_size(network, len(points))
    layers = dense_layers(network)
    rows, signs = jacobian(layers, points, network.output is None)
    zeros = sum(not v for weights, _ in layers for row in weights for v in row)
    if tied:
        rows, zeros = _merged(rows, *_ties(layers)), 0
    integers = [_cleared(row) for row in rows]
    hidden = network.widths if network.output is not None else network.widths[:-1]
    silent = tuple(
        (l, i) for l, width in enumerate(hidden, 1) for i in range(width) if all(s[l - 1][i] < 0 for s in signs)
    )
    bound = len(rows[0]) if tied else upper_bound([network.inputs, *hidden, len(layers[-1][1])], silent)
    rank = int(nmod_mat(len(rows), len(rows[0]), [v % PRIMES[0] for row in integers for v in row], PRIMES[0]).rank())
    if rank < min(bound, len(rows)):
        rank = int(fmpz_mat(integers).rank())
    chosen, columns, minor, prime = _minor(integers, rank)
    return Dimension(rank, len(rows[0]), len(points), chosen, columns, minor, prime, silent, bound, tied, zeros)


def _ties(layers: Dense) -> tuple[list[int | None], int]:
    """For each entry of the layers the number of its tied parameter (None: it is 0), and how many there are."""
    known: dict[tuple[int, bool, Fraction], int] = {}
    places: list[int | None] = []
    for level, (weights, bias) in enumerate(layers):
        for row, b in zip(weights, bias, strict=True):
            entries = [*((level, False, v) for v in row), (level, True, b)]
            places += [known.setdefault(entry, len(known)) if entry[2] else None for entry in entries]
    return places, len(known)


def _merged(rows: list[list[Fraction]], places: Sequence[int | None], count: int) -> list[list[Fraction]]:
    """The derivatives with respect to tied parameters: the sums of those with respect to their copies."""
    found = []
    for row in rows:
        sums = [Fraction(0)] * count
        for v, place in zip(row, places, strict=True):
            if place is not None and v:
                sums[place] += v
        found.append(sums)
    return found


def random_points(network: Network, count: int | None = None, seed: int = 0) -> list[list[Fraction]]:
    """Rational points at many scales: normal numbers with 20 binary places times 2^-3 to 2^3.

    Args:
        count: None: two for each parameter of the network.

    Raises:
        InputError: no points are asked for.
    """
    if count is None:
        count = 2 * _parameters(network)
    if count < 1:
        raise InputError("the functional dimension needs at least one point")
    _check_size(network, count)
    rng = random.Random(seed)
    return [
        [Fraction(int(v * 2**20) * 2 + 1, 2**21) * scale for v in (rng.gauss(0, 1) for _ in range(network.inputs))]
        for scale in (Fraction(2) ** rng.randint(-3, 3) for _ in range(count))
    ]


def ranks_of_orbit(
    network: Network, points: Sequence[Sequence[Any]], choices: int, seed: int = 0, tied: bool = False
) -> Counter[int]:
    """How often each functional dimension occurs among random sign choices of all parameters.

    Args:
        points: the sample. choices: how many networks. tied: as for :func:`functional_dimension`.

    Raises:
        InputError: as :func:`functional_dimension`.

    Exact: each rank is; which sign choices are walked depends on the seed.
    """
    rng, found = random.Random(seed), Counter[int]()
    _check_size(network, len(points))
    layers = dense_layers(network)
    places, count = _ties(layers) if tied else (list(range(_parameters(network))), _parameters(network))
    for _ in range(choices):
        flips = [rng.choice((1, -1)) for _ in range(count)]
        signs = iter([1 if place is None else flips[place] for place in places])
        signed = []
        for weights, bias in layers:
            rows = [[next(signs) * v for v in (*row, b)] for row, b in zip(weights, bias, strict=True)]
            signed.append(([row[:-1] for row in rows], [row[-1] for row in rows]))
        rows, _ = jacobian(signed, points, network.output is None)
        rows = _merged(rows, places, count) if tied else rows
        found[int(fmpz_mat([_cleared(row) for row in rows]).rank())] += 1
    return found


def _parameters(network: Network) -> int:
    """All weights and biases of dense layers of these widths."""
    widths = [network.inputs, *network.widths, *([network.output.outputs] if network.output else [])]
    return sum((before + 1) * after for before, after in pairwise(widths))


def _check_size(network: Network, points: int) -> None:
    """Before anything is made: can the Jacobian at so many points be held?"""
    outputs = network.widths[-1] if network.output is None else network.output.outputs
    affordable(points * outputs * _parameters(network), f"the Jacobian at {points} points")


def _cleared(row: list[Fraction]) -> list[int]:
    scale = lcm(*(v.denominator for v in row))
    return [int(v * scale) for v in row]


def _minor(rows: list[list[int]], rank: int) -> tuple[tuple[int, ...], tuple[int, ...], int, int]:
    """Rows and columns of a minor of this size, and its value modulo a prime, not 0."""
    for prime in PRIMES:
        whole = nmod_mat(len(rows), len(rows[0]), [v % prime for row in rows for v in row], prime)
        if whole.rank() == rank:
            columns = _pivots(whole, rank)
            part = nmod_mat(len(rows), rank, [row[j] % prime for row in rows for j in columns], prime)
            chosen = _pivots(part.transpose(), rank)
            square = nmod_mat(rank, rank, [rows[i][j] % prime for i in chosen for j in columns], prime)
            return chosen, columns, int(square.det()) if rank else 1, prime
    raise ArithmeticError("a rank is smaller modulo three primes of 62 bits")  # each with probability below 2^-40


def _pivots(matrix: nmod_mat, rank: int) -> tuple[int, ...]:
    reduced, _ = matrix.rref()
    found, column = [], 0
    for i in range(rank):
        while not int(reduced[i, column]):
            column += 1
        found.append(column)
    return tuple(found)
