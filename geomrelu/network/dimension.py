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
from math import gcd
from typing import Any, NamedTuple

import numpy as np
from flint import fmpz_mat

from geomrelu.budget import UNLIMITED, Budget, Exhausted
from geomrelu.errors import InputError
from geomrelu.exact.affine import affordable
from geomrelu.exact.echelon import PRIMES, WIDEST, Echelon
from geomrelu.exact.numbers import common, rationals
from geomrelu.network.network import Network
from geomrelu.parallel import apart

__all__ = [
    "Dimension",
    "dense_layers",
    "functional_dimension",
    "jacobian",
    "random_points",
    "ranks_of_orbit",
    "upper_bound",
]

STEP = 1 << 20  # products of a matrix between two looks at the clock
FEW = 1 << 10  # rows in echelon form, against which as many entries as that take a moment
HEAVY = 1 << 30  # bits of a matrix times its rank, from which its exact rank takes a fraction of a second and more
Dense = list[tuple[list[list[Fraction]], list[Fraction]]]


@dataclass(frozen=True)
class Dimension:
    """The functional dimension of a network on a sample, with its certificates.

    Attributes:
        rank: over the rationals; if it is not complete, not less than this.
        parameters: D. points: of the sample.
        rows, columns: the rows (point times outputs + output) and parameters of a minor of this size.
        minor: the value of that minor modulo ``prime``: not 0.
        silent: the hidden neurons ``(layer, neuron)`` that are negative at all points: their parameters move nothing.
        bound: :func:`upper_bound` for these widths and silent neurons; of tied parameters, their number.
        tied: are equal weights, and equal biases, of a layer one parameter, and zeros none?
        zeros: weights that are 0 and count as parameters.
        complete: is it known that the rank is not larger? reason: why not.
        outputs: of the network; there are so many rows for each point.
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
    complete: bool = True
    reason: str | None = None
    outputs: int = 1

    def __str__(self) -> str:
        least = "" if self.complete else "at least "
        lines = [
            f"functional dimension {least}{self.rank} on {self.points} points, of {self.parameters} parameters"
            + (" (equal ones of a layer are one)" if self.tied else ""),
            f"  not less: a minor of size {self.rank} is {self.minor} modulo {self.prime}",
            f"  not more than {self.bound}: "
            + ("so many parameters" if self.tied else "one scale for each hidden neuron")
            + (f", and {len(self.silent)} silent at all points" if self.silent and not self.tied else ""),
        ]
        if self.rank == self.points * self.outputs < self.bound:
            lines.append(f"  not more than {self.rank}: so many outputs at all points; more points may give more")
        if self.zeros:
            lines.append(f"  {self.zeros} of the weights are 0, and parameters like the others (unless they are tied)")
        if not self.complete:
            lines.append(f"Not finished: {self.reason}.")
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """Plain data for ``json.dumps``."""
        data = dict(vars(self))
        for key in ("rows", "columns"):
            data[key] = list(data[key])
        return data | {"silent": [list(place) for place in self.silent]}


class _Layer(NamedTuple):
    """A dense layer ``x -> matrix (x, 1) / denominator``, in whole numbers: the last column is the bias."""

    matrix: np.ndarray
    denominator: int


def dense_layers(network: Network) -> Dense:
    """The layers of a chain of dense layers, the output map included.

    Raises:
        InputError: a layer reads others than the one before it.
    """
    return [
        (
            [[Fraction(v, layer.denominator) for v in row[:-1]] for row in layer.matrix.tolist()],
            [Fraction(v, layer.denominator) for v in layer.matrix[:, -1].tolist()],
        )
        for layer in _layers(network)
    ]


def _layers(network: Network, budget: Budget = UNLIMITED) -> list[_Layer]:
    layers = []
    for level, map_ in enumerate([*network.layers, *([network.output] if network.output else [])]):
        first, last = network.starts[level], network.starts[level + 1]
        if ((map_.indices < first) | (map_.indices >= last)).any():
            raise InputError("the functional dimension is for chains: a layer reads others than the one before it")
        affordable(map_.outputs * (last - first), f"layer {level + 1}")
        budget.poll()
        matrix = np.zeros((map_.outputs, last - first + 1), dtype=object)
        matrix[map_.row_of, map_.indices - first] = map_.data
        matrix[:, -1] = map_.bias
        layers.append(_Layer(matrix, map_.denominator))
    if network.identity_output:
        width = network.widths[-1]
        affordable(width * width, f"layer {len(layers) + 1}")
        matrix = np.zeros((width, width + 1), dtype=object)
        matrix[np.arange(width), np.arange(width)] = 1
        layers.append(_Layer(matrix, 1))
    return layers


def jacobian(
    layers: Dense, points: Iterable[Sequence[Any]], rectified: bool = False, budget: Budget = UNLIMITED
) -> tuple[list[list[Fraction]], list[list[list[int]]]]:
    """The Jacobian of all outputs at all points, and the signs of the hidden neurons there.

    Args:
        layers: ``(weights, bias)``; ReLU between them. rectified: is the last one a ReLU layer too?
        points: of the input space. budget: of time.

    Returns:
        ``(rows, signs)``: rows of D rationals, ordered layer by layer, each neuron's weights and then its bias; and
        ``signs[point][layer][neuron]``.

    Raises:
        InputError: a point that does not fit, or at which a neuron is 0: no derivative is defined there.
        Exhausted: the time is over.

    Exact: yes. Cost: one backward pass for each output at each point.
    """
    whole = []
    for weights, bias in layers:
        numbers, denominator = common([v for row, b in zip(weights, bias, strict=True) for v in (*row, b)])
        whole.append(_Layer(_objects(numbers).reshape(len(bias), -1), denominator))
    rows, signs = [], []
    for point in points:
        values, own = _forward(whole, point, rectified, budget)
        derivatives, denominator = _backward(whole, values, own, rectified, budget)
        signs.append(own)
        rows += [[Fraction(v, denominator) for v in row] for row in derivatives.tolist()]
    return rows, signs


def _forward(
    layers: Sequence[_Layer], point: Sequence[Any], rectified: bool, budget: Budget
) -> tuple[list[np.ndarray], list[list[int]]]:
    """What each layer reads, whole numbers with their denominator behind them; and the signs of the hidden neurons."""
    x, scale = common(rationals(point, "point"))
    inputs = layers[0].matrix.shape[1] - 1
    if len(x) != inputs:
        raise InputError(f"the network reads R^{inputs}, the point lies in R^{len(x)}")
    values, signs = [_objects([*x, scale])], []
    for level, layer in enumerate(layers):
        z = _product(layer.matrix, values[-1][:, None], budget)[:, 0].tolist()
        scale *= layer.denominator
        if level < len(layers) - 1 or rectified:
            if not all(z):
                place = ", ".join(str(Fraction(v, values[0][-1])) for v in x)
                raise InputError(
                    f"a neuron of layer {level + 1} is 0 at the point {place}: no Jacobian there, take other points"
                )
            signs.append([1 if v > 0 else -1 for v in z])
            z = [max(v, 0) for v in z]
        values.append(_objects([*z, scale]))
    return values, signs


def _backward(
    layers: Sequence[_Layer], values: list[np.ndarray], signs: list[list[int]], rectified: bool, budget: Budget
) -> tuple[np.ndarray, int]:
    """The derivatives of all outputs at one point, whole numbers over one denominator: those with respect to
    pre-activations, backwards."""
    outputs = len(layers[-1].matrix)
    moved = np.zeros((outputs, outputs), dtype=object)
    moved[np.arange(outputs), np.arange(outputs)] = [int(s > 0) for s in signs[-1]] if rectified else 1
    parts: list[np.ndarray] = []
    for level in range(len(layers) - 1, -1, -1):
        budget.poll()
        matrix, denominator = layers[level]
        parts.append((moved[:, :, None] * (values[level] * denominator)).reshape(outputs, matrix.size))
        if level:
            on = [int(s > 0) for s in signs[level - 1]]
            moved = _product(moved, matrix[:, :-1], budget) * _objects(on)
    return np.concatenate(parts[::-1], axis=1), values[-1][-1]


def _objects(values: Sequence[int]) -> np.ndarray:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _product(left: np.ndarray, right: np.ndarray, budget: Budget) -> np.ndarray:
    """Of matrices of whole numbers, block by block."""
    (rows, inner), columns = left.shape, right.shape[1]
    found = np.empty((rows, columns), dtype=object)
    wide = min(columns, max(1, STEP // inner))
    high = max(1, STEP // (inner * wide))
    for i in range(0, rows, high):
        for j in range(0, columns, wide):
            budget.poll()
            found[i : i + high, j : j + wide] = left[i : i + high] @ right[:, j : j + wide]
    return found


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
    numbers = Counter(l for l, _ in gone)
    shared = sum(number * numbers[l + 1] for l, number in list(numbers.items()))
    return parameters - hidden - lost + shared


def functional_dimension(
    network: Network, points: Sequence[Sequence[Any]], tied: bool = False, budget: Budget = UNLIMITED
) -> Dimension:
    """The rank of the Jacobian of the outputs at the points with respect to all weights and biases.

    Args:
        points: rationals, at which no hidden neuron is 0.
        tied: equal weights of a layer are one parameter, and so are equal biases; what is 0 is none (convolutions).

        budget: of time. When it ends, the rank found so far is a lower bound, and so the answer says.

    Returns:
        With the certificate from below: a minor that is not 0.

    Raises:
        InputError: no chain of dense layers; a point that does not fit, or on the boundary of a region; no points.

    Exact: yes, over the rationals. Method: rows modulo a prime of 62 bits, batch by batch; their rank is a lower bound,
    and its pivots are the minor. Where it is the upper bound, no more rows are needed; otherwise the rank of the
    integer matrix (FLINT). Source: claim ``functional-dimension``.

    >>> net = Network.from_layers([([[1], [-1]], [1, 1], "relu"), ([[1, 1]], [0], "none")])
    >>> functional_dimension(net, [[-3], [-2], [0], ["1/2"], [2], [3]]).rank
    5
    """
    if not points:
        raise InputError("the functional dimension needs at least one point")
    _check_size(network, len(points))
    layers, rectified = _layers(network, budget), _is_rectified(network)
    places, count = _ties(layers) if tied else (None, _parameters(network))
    zeros = 0 if tied else sum(int((layer.matrix[:, :-1] == 0).sum()) for layer in layers)
    search = _Search(layers, rectified, points, places, count)
    try:
        search.run(budget)
        reason = None
    except Exhausted as end:
        reason = str(end)
    found = search.echelon
    silent = tuple(sorted(search.silent)) if search.seen == len(points) else ()
    return Dimension(
        found.rank, count, len(points), tuple(found.chosen), found.pivots, found.minor, found.prime, silent,
        search.bound(silent), tied, zeros, reason is None, reason, _outputs(network),
    )  # fmt: skip


class _Search:
    """The rank of a network on a sample, from below while it runs.

    Args:
        places, count: as :func:`_ties` gives them; places None: every entry is a parameter.

    Attributes:
        echelon: what is known of the rows. seen: how many points have come. silent: hidden neurons, at all of these.
    """

    def __init__(
        self,
        layers: Sequence[_Layer],
        rectified: bool,
        points: Sequence[Sequence[Any]],
        places: Sequence[int | None] | None,
        count: int,
    ) -> None:
        self.layers, self.rectified, self.points, self.places, self.count = layers, rectified, points, places, count
        self.widths = [layers[0].matrix.shape[1] - 1, *(len(layer.matrix) for layer in layers)]
        self.silent = {(l, i) for l, width in enumerate(self.widths[1:-1], 1) for i in range(width)}
        self.seen = 0
        self.rows: list[list[int]] = []
        self.echelon = Echelon(count, PRIMES[0])

    def bound(self, silent: Iterable[tuple[int, int]]) -> int:
        """No rank is larger where these neurons are silent."""
        return self.count if self.places is not None else upper_bound(self.widths, list(silent))

    def run(self, budget: Budget) -> None:
        """Find the rank over the rationals.

        Raises:
            Exhausted: the time is over; it is not less than that of ``echelon``.
        """
        try:
            self._run(budget)
        except Exhausted:
            if self.echelon.rank < FEW:  # the few rows that wait take a moment
                self._eliminate(UNLIMITED)
            rows = len(self.points) * self.widths[-1]
            if self.seen < len(self.points) or self.echelon.rank < min(self.bound(self.silent), rows):
                raise

    def _run(self, budget: Budget) -> None:
        spared: list[Sequence[Any]] = []  # points that came when the rank was as large as it could be
        most = -1
        for point in self.points:
            budget.poll()
            values, signs = _forward(self.layers, point, self.rectified, budget)
            before = len(self.silent)
            self.silent = {(l, i) for l, i in self.silent if signs[l - 1][i] < 0}
            self.seen += 1
            most = self.bound(self.silent) if most < 0 or len(self.silent) < before else most
            if self.echelon.rank == most:
                spared.append(point)
                continue
            for earlier in spared:
                self._add(*_forward(self.layers, earlier, self.rectified, budget), budget)
            spared = []
            self._add(values, signs, budget)
        self._eliminate(budget)
        for point in spared:
            if self.echelon.rank < most:
                self._add(*_forward(self.layers, point, self.rectified, budget), budget)
        self._eliminate(budget)
        if self.echelon.rank < min(most, len(self.rows)):
            self._settle(_exact_rank(self.rows, self.echelon.rank, budget), budget)

    def _add(self, values: list[np.ndarray], signs: list[list[int]], budget: Budget) -> None:
        derivatives, denominator = _backward(self.layers, values, signs, self.rectified, budget)
        for row in derivatives.tolist():
            budget.poll()
            own = row if self.places is None else _merged(row, self.places, self.count)
            divisor = gcd(denominator, *own)
            self.rows.append([v // divisor for v in own] if divisor > 1 else own)
        waiting = len(self.rows) - self.echelon.seen
        if waiting >= WIDEST or waiting * self.count >= STEP:
            self._eliminate(budget)

    def _eliminate(self, budget: Budget) -> None:
        self.echelon.add(self.rows[self.echelon.seen :], budget)

    def _settle(self, rank: int, budget: Budget) -> None:
        """A minor of this size modulo a prime that does not divide it: one does, with probability below 2^-40."""
        for prime in PRIMES[1:]:
            if self.echelon.rank == rank:
                return
            another = Echelon(self.count, prime)
            another.add(self.rows, budget)
            self.echelon = another
        if self.echelon.rank < rank:
            raise ArithmeticError("a rank is smaller modulo three primes of 62 bits")


def _exact_rank(rows: Sequence[Sequence[int]], expected: int, budget: Budget) -> int:
    """The rank over the rationals, by FLINT, which looks at no clock: in a process of its own where that may matter."""
    bits = sum(v.bit_length() for row in rows for v in row)
    if bits * expected < HEAVY or budget.left is None:
        return _rank(rows)
    return int(apart(budget, _rank, rows))


def _rank(rows: Sequence[Sequence[int]]) -> int:
    return int(fmpz_mat([list(row) for row in rows]).rank())


def _ties(layers: Sequence[_Layer]) -> tuple[list[int | None], int]:
    """For each entry of the layers the number of its tied parameter (None: it is 0), and how many there are."""
    known: dict[tuple[int, bool, int], int] = {}
    places: list[int | None] = []
    for level, layer in enumerate(layers):
        for *row, b in layer.matrix.tolist():
            entries = [*((level, False, v) for v in row), (level, True, b)]
            places += [known.setdefault(entry, len(known)) if entry[2] else None for entry in entries]
    return places, len(known)


def _merged(row: Sequence[int], places: Sequence[int | None], count: int) -> list[int]:
    """The derivatives with respect to tied parameters: the sums of those with respect to their copies."""
    sums = [0] * count
    for v, place in zip(row, places, strict=True):
        if place is not None and v:
            sums[place] += v
    return sums


def random_points(
    network: Network, count: int | None = None, seed: int = 0, budget: Budget = UNLIMITED
) -> list[list[Fraction]]:
    """Rational points at many scales: normal numbers with 20 binary places times 2^-3 to 2^3.

    Args:
        count: None: two for each parameter of the network.

    Raises:
        InputError: no points are asked for.
        Exhausted: the time is over.
    """
    if count is None:
        count = 2 * _parameters(network)
    if count < 1:
        raise InputError("the functional dimension needs at least one point")
    _check_size(network, count)
    rng, points = random.Random(seed), []
    for _ in range(count):
        budget.poll()
        scale = Fraction(2) ** rng.randint(-3, 3)
        numbers = (rng.gauss(0, 1) for _ in range(network.inputs))
        points.append([Fraction(int(v * 2**20) * 2 + 1, 2**21) * scale for v in numbers])
    return points


def ranks_of_orbit(
    network: Network,
    points: Sequence[Sequence[Any]],
    choices: int,
    seed: int = 0,
    tied: bool = False,
    budget: Budget = UNLIMITED,
) -> Counter[int]:
    """How often each functional dimension occurs among random sign choices of all parameters.

    Args:
        points: the sample. choices: how many networks. tied: as for :func:`functional_dimension`.
        budget: of time. When it ends, those are counted that are finished, and the total is less than ``choices``.

    Raises:
        InputError: as :func:`functional_dimension`.

    Exact: each rank is; which sign choices are walked depends on the seed.
    """
    rng, found = random.Random(seed), Counter[int]()
    _check_size(network, len(points))
    try:
        layers, rectified = _layers(network, budget), _is_rectified(network)
        places, count = _ties(layers) if tied else (None, _parameters(network))
        for _ in range(choices):
            flips = [rng.choice((1, -1)) for _ in range(count)]
            if places is not None:
                flips = [1 if place is None else flips[place] for place in places]
            signed, start = [], 0
            for matrix, denominator in layers:
                own = _objects(flips[start : start + matrix.size]).reshape(matrix.shape)
                signed.append(_Layer(matrix * own, denominator))
                start += matrix.size
            search = _Search(signed, rectified, points, places, count)
            search.run(budget)
            found[search.echelon.rank] += 1
    except Exhausted:
        pass
    return found


def _is_rectified(network: Network) -> bool:
    """Is the last layer a ReLU layer?"""
    return network.output is None and not network.identity_output


def _parameters(network: Network) -> int:
    """All weights and biases of dense layers of these widths."""
    widths = [network.inputs, *network.widths, *([] if _is_rectified(network) else [_outputs(network)])]
    return sum((before + 1) * after for before, after in pairwise(widths))


def _outputs(network: Network) -> int:
    return network.widths[-1] if network.output is None else network.output.outputs


def _check_size(network: Network, points: int) -> None:
    """Before anything is made: can the Jacobian at so many points be held?"""
    affordable(points * _outputs(network) * _parameters(network), f"the Jacobian at {points} points")
