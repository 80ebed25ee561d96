"""Orbit counts against slow oracles, closed forms, and the sampling kernels."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

import numpy as np
import oracles
import pytest
import sympy
from scipy import stats

from geomrelu import FiniteSet, InputError, Network, Polyhedron, probability
from geomrelu.deadness.decide import decide
from geomrelu.exact.affine import AffineMap
from geomrelu.exact.numbers import primitive
from geomrelu.io.tape import Tape, joined
from geomrelu.random_networks import closed_forms, intervals, montecarlo, stably_unactivated
from geomrelu.random_networks.experiment import Experiment
from geomrelu.random_networks.orbit import alive_orbit, dead_neurons_orbit
from geomrelu.random_networks.shape import Shape, dead_neurons_in
from geomrelu.random_networks.stably_unactivated import (
    is_stably_unactivated,
    region_generators,
    stably_unactivated_orbit,
)

pytestmark = pytest.mark.slow


def positive(rng):
    return Fraction(rng.randint(1, 60), rng.randint(1, 9))


def any_sign(rng):
    return rng.choice((1, -1)) * positive(rng)


def some_neuron(rng, n0, n1):
    weights = [[any_sign(rng) for _ in range(n0)] for _ in range(n1)]
    return weights, [any_sign(rng) for _ in range(n1)], [positive(rng) for _ in range(n1)], positive(rng)


# ---- stably unactivated -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n0", "n1"), [(1, 1), (1, 2), (1, 3), (1, 4), (2, 2), (2, 3), (2, 4), (3, 3), (3, 4)])
def test_count_in_general_position(n0, n1):
    rng = random.Random(10 * n0 + n1)
    for _ in range(3 if n1 < 4 else 1):
        neuron = some_neuron(rng, n0, n1)
        expected = sum(oracles.stable_in_general_position(*choice) for choice in oracles.sign_choices(*neuron))
        assert stably_unactivated_orbit(*neuron) == (expected, 2 ** (2 * n1 + 1))


@pytest.mark.parametrize(("n0", "n1"), [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)])
def test_count_by_definition_in_any_position(n0, n1):
    """Parallel, equal and missing hyperplanes, ties: small changes of all parameters decide.

    All directions of edges of ternary hyperplanes are ternary, and 2^-20 is small beside ternary data.
    """
    rng = random.Random(100 + 10 * n0 + n1)
    directions = [y for y in product((-1, 0, 1), repeat=n0) if any(y)]
    for _ in range(8 if n1 < 3 else 5):
        weights = [[rng.randint(-1, 1) for _ in range(n0)] for _ in range(n1)]
        bias, w, c = [rng.randint(-1, 1) for _ in range(n1)], [rng.randint(1, 2) for _ in range(n1)], rng.randint(1, 2)
        size = Fraction(1, 2**20)
        expected = sum(
            oracles.stable_under_changes(w1, b1, w2, c2, directions, size)
            for w1, b1, w2, c2 in oracles.sign_choices(weights, bias, w, c)
        )
        assert stably_unactivated_orbit(weights, bias, w, c)[0] == expected, (weights, bias, w, c)


@pytest.mark.parametrize("kind", ["general", "ternary"])
def test_count_equals_the_analyzer(kind):
    """The verdict "stably dead" of `decide`, neuron by neuron."""
    rng = random.Random(3)
    for n0, n1 in ((1, 2), (1, 3), (2, 1), (2, 2), (2, 3), (3, 2)):
        weights, bias, w, c = some_neuron(rng, n0, n1)
        if kind == "ternary":
            weights, bias = [[rng.randint(-1, 1) for _ in row] for row in weights], [rng.randint(-1, 1) for _ in bias]
        stable = 0
        for flips in product((1, -1), repeat=n1):
            first = [[s * v for v in row] for s, row in zip(flips, weights, strict=True)]
            second = list(product(*((v, -v) for v in (c, *w))))
            layers = [
                (first, [s * v for s, v in zip(flips, bias, strict=True)], "relu"),
                ([list(r[1:]) for r in second], [r[0] for r in second], "relu"),
            ]
            (report,) = decide(Network.from_layers(layers), Polyhedron.space(n0), [2])
            stable += sum(v.stable is True for v in report.verdicts)
        assert stably_unactivated_orbit(weights, bias, w, c)[0] == stable


def test_large_numbers_do_not_overflow():
    neuron = some_neuron(random.Random(4), 2, 4)
    weights, bias, w, c = neuron
    big = 10**30
    scaled = [[big * v for v in row] for row in weights], [big * v for v in bias], w, big * c
    assert stably_unactivated_orbit(*scaled) == stably_unactivated_orbit(*neuron)
    tiny = weights, bias, [v / big for v in w], c / big
    assert stably_unactivated_orbit(*tiny) == stably_unactivated_orbit(*neuron)
    absent = [*weights[:3], [0, 0]], [*bias[:3], 0], [*w[:3], w[3] * big], c
    assert stably_unactivated_orbit(*absent) == stably_unactivated_orbit(*absent[:2], w, c)
    mixed = [[v * 3**40 for v in weights[0]], *weights[1:]], [bias[0] * 3**40, *bias[1:]], [w[0] / 3**40, *w[1:]], c
    assert stably_unactivated_orbit(*mixed) == stably_unactivated_orbit(*neuron)


def test_the_order_of_neurons_and_coordinates_does_not_matter():
    weights, bias, w, c = some_neuron(random.Random(5), 3, 4)
    expected = stably_unactivated_orbit(weights, bias, w, c)
    assert stably_unactivated_orbit(weights[::-1], bias[::-1], w[::-1], c) == expected
    assert stably_unactivated_orbit([row[::-1] for row in weights], bias, w, c) == expected
    assert stably_unactivated_orbit(weights, bias, [-v for v in w], -c) == expected


def test_region_generators():
    """Three lines in general position: 3 vertices and 6 directions; without lines the space itself."""
    found = region_generators([(0, 1, 0), (0, 0, 1), (1, 1, 1)])
    assert {g for g in found if g[0]} == {(1, 0, 0), (1, -1, 0), (1, 0, -1)}
    assert {g for g in found if not g[0]} == {(0, *d) for d in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1))}
    assert region_generators([(1, 0, 0)]) == {(1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)}


@pytest.mark.parametrize(
    "arguments",
    [
        ([[1, 2]], [1], [0], 1),
        ([[1, 2]], [1], [1], 0),
        ([[1, 2]], [1, 2], [1], 1),
        ([[1, 2], [1]], [1, 2], [1, 1], 1),
        ([[1, 2]], [1], [1, 1], 1),
        ([], [], [], 1),
        ([[]], [1], [1], 1),
        ([[1]] * 17, [1] * 17, [1] * 17, 1),
        ([[float("nan")]], [1], [1], 1),
    ],
)
def test_unusable_neurons_are_refused(arguments):
    with pytest.raises(InputError):
        stably_unactivated_orbit(*arguments)


# ---- living networks ----------------------------------------------------------------------------------------------


def some_network(rng, *widths):
    return [
        ([[positive(rng) for _ in range(n)] for _ in range(m)], [positive(rng) for _ in range(m)])
        for n, m in pairwise(widths)
    ]


@pytest.mark.parametrize(
    "widths", [(1, 1), (1, 1, 1), (1, 1, 1, 1), (2, 1, 1), (1, 2, 1), (2, 2, 1), (1, 2, 2), (3, 1)]
)
@pytest.mark.parametrize("where", ["space", "orthant", "box", "segment", "points"])
def test_alive_orbit_equals_the_oracle(widths, where):
    rng = random.Random(sum(10**i * w for i, w in enumerate(widths)))
    n, net = widths[0], some_network(rng, *widths)
    ends = [[any_sign(rng) for _ in range(n)] for _ in range(2)]
    if where == "points":
        alive = 0
        for choice in oracles.all_signs(net):
            values = [oracles.forward(choice, p) for p in ends]
            alive += all(any(z > 0 for v in values for z in v[k]) for k in range(len(net)))
        domain: Any = FiniteSet.of(ends)
    else:
        domain = {
            "space": Polyhedron.space(n),
            "orthant": Polyhedron.orthant(n),
            "box": Polyhedron.box([(-1, 2)] * n),
            "segment": Polyhedron.from_generators(ends),
        }[where]
        reference = oracles.ppl_polyhedron(domain.inequalities, n, domain.equalities)
        alive = sum(oracles.alive(choice, reference, n) for choice in oracles.all_signs(net))
    assert alive_orbit(net, domain) == (alive, 2 ** sum(m * (n + 1) for n, m in pairwise(widths)))


@pytest.mark.parametrize("widths", [(1, 1, 1), (1, 2, 1), (2, 1, 2), (1, 2, 2), (2, 2, 1)])
@pytest.mark.parametrize("where", ["space", "orthant", "box"])
@pytest.mark.parametrize("bias", [True, False])
def test_dead_neurons_equal_the_oracle(widths, where, bias):
    rng = random.Random(sum(10**i * w for i, w in enumerate(widths)))
    n, net = widths[0], some_network(rng, *widths)
    if not bias:
        net = [(weights, [0] * len(b)) for weights, b in net]
    domain = {
        "space": Polyhedron.space(n),
        "orthant": Polyhedron.orthant(n),
        "box": Polyhedron.box([(-1, Fraction(1, 3))] * n),
    }[where]
    reference = oracles.ppl_polyhedron(domain.inequalities, n, domain.equalities)
    expected = Counter()
    for choice in oracles.all_signs(net):
        tops = oracles.suprema(choice, reference, n)
        expected[tuple(sum(v != oracles.INFINITE and v <= 0 for v in level) for level in tops)] += 1
    assert dead_neurons_orbit(net, domain) == (expected, 2 ** sum(m * (n + 1) for n, m in pairwise(widths)))


@pytest.mark.parametrize("widths", [(1, 1, 1), (1, 2, 1), (2, 1, 1)])
def test_networks_of_any_shape(widths):
    """Dense ones as the orbit of dense networks; a connection around a dead layer keeps the next one alive."""
    rng = random.Random(sum(widths))
    net = some_network(rng, *widths)
    flat = [v for weights, bias in net for row, b in zip(weights, bias, strict=True) for v in (b, *row)]

    def build(parameters):
        values = iter(parameters)
        layers = []
        for weights, _ in net:
            rows = [[next(values) for _ in range(len(row) + 1)] for row in weights]
            layers.append(([row[1:] for row in rows], [row[0] for row in rows], "relu"))
        return Network.from_layers(layers)

    domain = Polyhedron.space(widths[0])
    assert dead_neurons_in(build, flat, domain) == dead_neurons_orbit(net, domain)

    def around(parameters):
        a, b, c, d = parameters
        tape = Tape(1)
        first = tape.relu(AffineMap.from_dense([[a]], [b]).after(tape.input))
        second = tape.relu(AffineMap.from_dense([[c]], [d]).after(joined(tape.input, first)))
        return Network.from_tape(tape.finish(second))

    found, size = dead_neurons_in(around, [2, 3, 5, 7], Polyhedron.box([(1, 1)]))
    assert size == 16 and found[1, 0] > 0  # layer 1 dead, layer 2 alive


def test_zeros_and_degenerate_layers():
    """A zero has both signs; rows of zeros make images flat."""
    net = [([[1, 0], [0, 0]], [0, 1]), ([[1, 1], [0, 1]], [1, 0])]
    reference = oracles.ppl_polyhedron([], 2)
    alive = sum(oracles.alive(choice, reference, 2) for choice in oracles.all_signs(net))
    assert alive_orbit(net, Polyhedron.space(2)) == (alive, 4096)


def test_width_one_on_the_line():
    rng = random.Random(6)
    for k in range(1, 11):
        assert alive_orbit(some_network(rng, *[1] * (k + 1)), Polyhedron.space(1)) == ((k + 1) * 2**k, 4**k)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_depth_two_on_the_whole_space(n):
    rng = random.Random(7)
    for _ in range(3):
        alive, size = alive_orbit(some_network(rng, n, n, n), Polyhedron.space(n))
        assert Fraction(alive, size) == closed_forms.upper_bound(n, 2)


@pytest.mark.parametrize(
    ("layers", "domain"),
    [
        ([], Polyhedron.space(1)),
        ([([[1, 2]], [1])], Polyhedron.space(1)),
        ([([[1]], [1, 2])], Polyhedron.space(1)),
        ([([[1]], [1]), ([[1, 1]], [1])], Polyhedron.space(1)),
        ([([[1]], [1])], Polyhedron.box([(1, 0)])),
        ([([[1] * 4] * 4, [1] * 4)] * 3, Polyhedron.space(4)),
    ],
)
def test_unusable_networks_are_refused(layers, domain):
    with pytest.raises(InputError):
        alive_orbit(layers, domain)


# ---- closed forms -------------------------------------------------------------------------------------------------


def test_closed_forms():
    n, k = sympy.symbols("n k", positive=True, integer=True)
    assert (
        closed_forms.upper_bound(n, k).subs({n: 2, k: 3})
        == closed_forms.upper_bound(2, 3)
        == sympy.Rational(63, 64) ** 2
    )
    assert closed_forms.lower_bound(n, k).subs({n: 2, k: 3}) == closed_forms.lower_bound(2, 3) == sympy.Rational(27, 64)
    assert (
        closed_forms.stably_unactivated(n, n + 1).subs(n, 2)
        == closed_forms.stably_unactivated(2, 3)
        == sympy.Rational(5, 64)
    )
    assert (
        closed_forms.stably_unactivated(n + 1, n).subs(n, 2)
        == closed_forms.stably_unactivated(3, 2)
        == sympy.Rational(1, 8)
    )
    for depth in (1, 2, 5):
        for width in (1, 2, 3):
            assert closed_forms.width_for_depth(depth, closed_forms.lower_bound(width, depth)) == width
    assert closed_forms.width_for_depth(1, Fraction(1, 2)) == 1


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (closed_forms.lower_bound, (0, 1)),
        (closed_forms.lower_bound, (1, -2)),
        (closed_forms.upper_bound, (1.5, 2)),
        (closed_forms.upper_bound, (True, 2)),
        (closed_forms.orthant_kill, ("2",)),
        (closed_forms.orthant_kill, (sympy.Rational(1, 2),)),
        (closed_forms.stably_unactivated, (2, 4)),
        (closed_forms.stably_unactivated, (sympy.Symbol("n0"), sympy.Symbol("n1"))),
        (closed_forms.width_for_depth, (2, 1)),
        (closed_forms.width_for_depth, (2, 0.5)),
        (closed_forms.width_for_depth, (2, "1/2")),
    ],
)
def test_closed_forms_refuse_what_they_do_not_cover(function, arguments):
    with pytest.raises(InputError):
        function(*arguments)


# ---- sampling -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("successes", "trials"), [(0, 1), (1, 1), (0, 50), (50, 50), (3, 50), (500, 1000), (1, 10**6)])
def test_interval_is_the_exact_one(successes, trials):
    for level in (0.5, 0.95, 0.999):
        expected = stats.binomtest(successes, trials).proportion_ci(level, "exact")
        assert intervals.clopper_pearson(successes, trials, level) == pytest.approx(tuple(expected), rel=1e-9)


@pytest.mark.parametrize("arguments", [(-1, 5, 0.9), (6, 5, 0.9), (0, 0, 0.9), (1, 5, 0), (1, 5, 1)])
def test_impossible_intervals_are_refused(arguments):
    with pytest.raises(InputError):
        intervals.clopper_pearson(*arguments)


def test_count_depends_on_the_seed_alone():
    """Not on the order of the chunks: each has its own seed."""
    trials = 2 * montecarlo.CHUNK + 100
    found = montecarlo.count(montecarlo.alive_on_line, trials, 7, k=3)
    parts = []
    for child, size in zip(np.random.SeedSequence(7).spawn(3), (montecarlo.CHUNK, montecarlo.CHUNK, 100), strict=True):
        rng = np.random.default_rng(child)
        parts.append(montecarlo.alive_on_line(rng.standard_normal, size, k=3))
    assert sum(reversed(parts)) == found == montecarlo.count(montecarlo.alive_on_line, trials, 7, k=3)
    assert found != montecarlo.count(montecarlo.alive_on_line, trials, 8, k=3)


def test_count_refuses_unknown_laws_and_no_trials():
    with pytest.raises(InputError, match="unknown law"):
        montecarlo.count(montecarlo.alive_on_line, 10, 1, "gama", k=1)
    with pytest.raises(InputError, match="not symmetric"):
        montecarlo.count(montecarlo.alive_on_line, 10, 1, "gamma:2", k=1)
    with pytest.raises(InputError, match="positive"):
        montecarlo.count(montecarlo.alive_on_line, 0, 1, k=1)


@pytest.mark.parametrize(("n0", "n1"), [(1, 1), (1, 3), (2, 1), (2, 2), (2, 4), (3, 5)])
def test_sampled_neurons_are_judged_as_the_oracle_does(n0, n1):
    """The kernel on the very numbers that it draws, one network at a time."""
    rng = np.random.default_rng(9)
    agreed = 0
    for _ in range(40):
        drawn = []

        def draw(shape, drawn=drawn):
            drawn.append(rng.integers(1, 1 << 20, shape) * rng.choice((-1, 1), shape) / 1024)
            return drawn[-1]

        judged = montecarlo.stably_unactivated(draw, 1, n0=n0, n1=n1)
        weights = [[Fraction(v) for v in row] for row in drawn[0][0]]
        bias, w = ([Fraction(v) for v in part[0]] for part in drawn[1:3])
        c = Fraction(drawn[3][0])
        if n1 >= n0:
            assert judged == oracles.stable_in_general_position(weights, bias, w, c)
        else:
            assert judged == (max(w) < 0 and c < 0)
        agreed += judged
    assert agreed < 40


@pytest.mark.parametrize("few", [False, True])
@pytest.mark.parametrize(("n0", "n1"), [(1, 1), (1, 3), (2, 1), (2, 2), (2, 4), (3, 3), (3, 5), (4, 5)])
def test_generators_from_minors_are_those_of_the_regions(n0, n1, few):
    rng = random.Random(40 + n0 + 10 * n1 + few)
    for _ in range(6):
        numbers = range(-2, 3) if few else range(-(10**9), 10**9)
        forms = [primitive([Fraction(rng.choice(numbers)) for _ in range(n0 + 1)]) for _ in range(n1)]
        assert stably_unactivated._all_generators(forms) == region_generators(forms)


# ---- one choice of signs, and shapes ------------------------------------------------------------------------------


@pytest.mark.parametrize("few", [False, True])
@pytest.mark.parametrize(("n0", "n1"), [(1, 1), (1, 3), (2, 1), (2, 2), (2, 3)])
def test_one_choice_at_a_time_gives_the_count(n0, n1, few):
    """The sum over all sign choices of the single judgement, in general and in degenerate position."""
    rng = random.Random(n0 + 10 * n1 + few)
    if few:
        weights = [[rng.choice((0, 1, 2)) for _ in range(n0)] for _ in range(n1)]
        bias, w, c = ([rng.choice((0, 1)) for _ in range(n1)], [rng.choice((1, 2)) for _ in range(n1)], 1)
    else:
        weights, bias, w, c = some_neuron(rng, n0, n1)
    choices = oracles.sign_choices(weights, bias, w, c)
    found = [is_stably_unactivated(*choice) for choice in choices]
    assert (sum(found), len(found)) == stably_unactivated_orbit(weights, bias, w, c)


def some_convolutions(rng, tied=True):
    """A kernel of two on three pixels, then one on two; and the parameters (weights, then bias, layer by layer)."""
    values = [Fraction(p) for p in rng.sample(range(2, 90), 6)]

    def build(v):
        first = [[v[0], v[1], 0], [0, v[0], v[1]]], [v[2], v[2]]
        return Network.from_layers([(*first, "relu"), ([[v[3], v[4]]], [v[5]], "relu")])

    return build, values


def test_shared_parameters_flip_together():
    rng = random.Random(31)
    for domain in (Polyhedron.space(3), Polyhedron.box([(-1, Fraction(1, 3))] * 3)):
        build, values = some_convolutions(rng)
        shape = Shape(build(values), tied=True)
        assert shape.magnitudes == values
        assert shape.with_parameters(values) == build(values)
        assert shape.dead_neurons(values, domain) == dead_neurons_in(build, values, domain)
    assert shape.fans == [(2, 2)] * 3 + [(2, 1)] * 3


def test_untied_layers_are_the_orbit_of_dense_ones():
    """Entries that are 0 are no parameters: their signs are not counted."""
    rng = random.Random(32)
    build, values = some_convolutions(rng)
    domain = Polyhedron.box([(-1, 1)] * 3)
    shape = Shape(build(values))
    profiles, size = shape.dead_neurons(shape.magnitudes, domain)
    assert size == 2**9 and len(shape.magnitudes) == 9
    assert (profiles, size) == dead_neurons_in(shape.with_parameters, shape.magnitudes, domain)


def test_connections_around_layers_stay():
    tape = Tape(1)
    first = tape.relu(AffineMap.from_dense([[2]], [1]).after(tape.input))
    network = Network.from_tape(
        tape.finish(tape.relu(joined(AffineMap.from_dense([[5]], [7]).after(first), tape.input)))
    )
    shape = Shape(network)
    assert shape.magnitudes == [2, 1, 5, 7]  # the 1 of the bias is a parameter, the 1 on the input is none
    domain = Polyhedron.box([(-1, 1)])
    expected = Counter()
    for a, b, c, d in product((-2, 2), (-1, 1), (-5, 5), (-7, 7)):
        ends = [-1, Fraction(-b, a), 1]
        z = [(a * x + b, c * max(a * x + b, 0) + d + x) for x in ends if -1 <= x <= 1]
        expected[tuple(int(max(v) <= 0) for v in zip(*z, strict=True))] += 1
    assert shape.dead_neurons(shape.magnitudes, domain) == (expected, 16)


@pytest.mark.parametrize(("n1", "law"), [(2, "normal"), (3, "cauchy"), (5, "normal"), (8, "uniform")])
def test_the_sharp_bounds_for_one_input_stand_beside_the_estimate(n1, law):
    experiment = Experiment("stably-unactivated", (1, n1, 1), law)
    bounds = experiment.bounds()
    assert bounds["lower"] == Fraction(1, 8) + Fraction(1, 2 ** (n1 + 2))
    assert bounds["upper"] == (Fraction(1, 6) + Fraction(1, 3 * 4**n1) if n1 <= 3 else Fraction(1, 4))
    assert Experiment("stably-unactivated", (2, n1, 1), law).bounds()["lower"] == Fraction(1, 2 ** (n1 + 1))


def test_the_range_of_two_three_is_used():
    assert Experiment("alive", (2, 2, 2, 2)).bounds() == {
        "lower": Fraction(3750, 4096),
        "upper": Fraction(3828, 4096),
    }
    assert Experiment("alive", (2, 2, 2)).bounds() != Experiment("alive", (2, 2, 2, 2)).bounds()


def test_an_estimate_outside_of_what_is_proved_is_not_said_to_lie_within():
    found = probability(Experiment("alive", (2, 2, 2, 2)), half_width=0.2)
    assert (found.estimate, found.high) == (1.0, float(Fraction(3828, 4096)))
    assert "1.0000  of the sample; with what is proved in [0.9155, 0.9346] at 95 %" in found.as_text()
