"""Everything that a report can be asked for, from the front door on, against the oracle: on networks without weights,
with numbers beyond the floats, and on sets that are unbounded on one side.
"""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import numpy as np
import oracles
import pytest
from families import as_network, cases, domain, rational

from geomrelu import FiniteSet, Status, decide, prune
from geomrelu.deadness import fixed_signs
from geomrelu.deadness.witnesses import witnesses

SIZES = [Fraction(v) for v in (1e-300, -1e-300, 1e300, -1e300, 5e-324, 1, -1, 0)]


def hostile(rng, inputs, widest=4):
    """A few layers: unread inputs, copies, no weights at all, floats that overflow when they are multiplied."""
    layers = []
    for _ in range(rng.randint(1, 4)):
        outputs, kind = rng.randint(1, widest), rng.randrange(3)
        number = (lambda: rational(rng), lambda: rng.choice(SIZES), lambda: Fraction(0))[kind]
        rows = [[number() for _ in range(inputs)] for _ in range(outputs)]
        bias = [rng.choice((rational(rng), rng.choice(SIZES))) for _ in range(outputs)]
        if rng.random() < 0.3:
            rows = [[Fraction(0), *row[1:]] for row in rows]
        layers.append((rows, bias))
        inputs = outputs
    return layers


def truth(layers, where):
    """[[(least, largest)]] of each pre-activation, infinities among them."""
    if isinstance(where, FiniteSet):
        values = [oracles.forward(layers, p) for p in where.points]
        return [[(min(v[k][i] for v in values), max(v[k][i] for v in values)) for i in range(len(b))]
                for k, (_, b) in enumerate(layers)]  # fmt: skip
    n = where.dimension
    if where.given_by_generators:
        polyhedron = oracles.ppl_from_generators(*where.checked.generators)
    else:
        polyhedron = oracles.ppl_polyhedron([*where.sides, *where.rows], n, where.flats)
    high = oracles.suprema(layers, polyhedron, n)
    found = []
    for k, (rows, bias) in enumerate(layers):
        turned = [*layers[:k], ([[-v for v in row] for row in rows], [-b for b in bias])]
        low = oracles.suprema(turned, polyhedron, n)[k]
        found.append([(v if v == oracles.INFINITE else -v, w) for v, w in zip(low, high[k], strict=True)])
    return found


def compare(layers, where, place):
    net, right = as_network(layers), truth(layers, where)
    report = decide(net, where, time=60)
    for layer in report:
        for v in layer.verdicts:
            least, most = right[v.layer - 1][v.neuron]
            alive = most == oracles.INFINITE or most > 0
            assert v.status is (Status.ALIVE if alive else Status.DEAD), (place, v)
    assert report.check() == sum(net.widths)
    for (level, i), point in witnesses(report).items():
        x = tuple(map(Fraction, point))
        assert net.pre_activations(x)[level - 1][i] > 0, (place, level, i, point)
        assert x in where.points if isinstance(where, FiniteSet) else where.contains(x), (place, point)
    assert report.active == [
        (k, i) for k, i in report.alive if right[k - 1][i][0] != oracles.INFINITE and right[k - 1][i][0] >= 0
    ], place
    for r in report.ranges:
        least, most = right[r.layer - 1][r.neuron]
        assert r.upper is None or (most != oracles.INFINITE and most <= r.upper), (place, r)
        assert r.lower is None or (least != oracles.INFINITE and least >= r.lower), (place, r)
    assert report.ranges.check() == sum((r.lower is not None) + (r.upper is not None) for r in report.ranges)
    assert prune(net, where, time=60).check()


@pytest.mark.parametrize("block", range(4))
def test_all_that_a_report_says_of_hostile_networks(block):
    rng = random.Random(block)
    for number in range(30):
        where, name = domain(rng, rng.randint(1, 3))
        compare(hostile(rng, where.dimension), where, (block, number, name))


def test_all_that_a_report_says_of_ordinary_networks():
    for number, (layers, _, where, name, kind) in enumerate(cases(40, 77)):
        compare(layers, where, (number, name, kind))


@pytest.mark.parametrize("domain", ["ball:1", "ball:1e200", "box:-1,1", "box:0,1e-300", "R^n"])
@pytest.mark.parametrize("width", [3, 200])
def test_networks_without_weights(domain, width):
    """Each neuron is its bias: nothing is divided by the number of weights, and all is known."""
    bias = [Fraction(i % 3 - 1) for i in range(width)]
    layers = [([[0] * 12] * width, bias, "relu"), ([[0] * width] * width, bias, "relu"), ([[0] * width], [5], "none")]
    report = decide(layers, domain, time=60)
    right = [v > 0 for v in bias]
    assert [v.status is Status.ALIVE for v in report.verdicts] == right * 2
    assert report.check() == 2 * width
    assert all(r.upper == bias[r.neuron] == r.lower for r in report.ranges)
    smaller = prune(layers, domain, time=60)
    assert smaller.check()
    assert smaller([1] * 12) == [5]


@pytest.mark.parametrize("radius", ["1e-900", "1e-200", "1e200", "1e999"])
def test_balls_whose_radius_or_its_square_is_beyond_the_floats(radius):
    """max(x, 0) + max(y, 0) - r / 2 is positive somewhere, and with - 2 r it is not."""
    r = Fraction(radius)
    layers = [([[1, 0], [0, 1]], [0, 0], "relu"), ([[1, 1], [1, 1]], [-r / 2, -2 * r], "relu")]
    report = decide(layers, f"ball:{radius}", time=20)
    assert (2, 0) not in report.dead
    assert (2, 1) not in report.alive
    assert report.check() == len(report.dead) + len(report.alive)
    assert report.ranges.check() > 0
    if radius in ("1e-200", "1e200"):
        assert not report.undecided
    assert f"~1e{radius[2:] if radius[2] == '-' else '+' + radius[2:]}" in str(report)


@pytest.mark.parametrize("block", range(4))
def test_what_is_said_of_data_and_hostile_networks(block):
    """Silent and firing by the definition, where float evaluation ends in infinities and in no numbers at all."""
    rng = random.Random(100 + block)
    for number in range(60):
        inputs = rng.randint(1, 3)
        layers = hostile(rng, inputs, widest=5)
        data = np.array([[rng.choice((0, 1, -1, rng.gauss(0, 1))) for _ in range(inputs)] for _ in range(5)])
        found: Any = decide([(rows, bias, "relu") for rows, bias in layers], data=data, time=20)
        values = [oracles.forward(layers, [Fraction(x) for x in point]) for point in data.tolist()]
        place = (block, number)
        for (level, i), seen in found.seen.items():
            highest = max(z[level - 1][i] for z in values)
            assert seen.silent is (highest <= 0), place
            assert seen.low is None or seen.low <= highest, place
            assert seen.high is None or seen.high >= highest, place
        for (level, i), near in found.near.items():
            assert oracles.forward(layers, near.point)[level - 1][i] == near.value > 0, place
        assert str(found)


def test_sums_that_overflow_on_the_way_do_not_make_silence():
    """In floats -inf, and +-inf is its error; the sum is 1.5e308."""
    row = [-1.5e308, -1.5e308, 1.5e308, 1.5e308, 1.5e308]
    found: Any = decide([([row, [-v for v in row]], [0, 0], "relu")], data=np.ones((2, 5)), time=20)
    assert (found.firing, found.silent) == ([(1, 0)], [(1, 1)])


def test_programs_with_numbers_beyond_the_floats_are_left_to_exact_ones():
    """-x on x >= 1, times 10^400: floats know nothing of it, and nothing is raised."""
    huge = Fraction(10) ** 400
    program = ([[-huge, huge]], [Fraction(0)], [Fraction(2)])
    assert fixed_signs._by_floats([Fraction(0), -huge], *program) is None
    assert fixed_signs._guess([Fraction(0), -huge], *program) is None
