"""Neurons on lines: zeros by another way, degenerate networks, wide ones, and means over sign choices one by one."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise, product
from math import prod

import commands
import pytest
from polls import Polls

from geomrelu import InputError
from geomrelu.budget import Exhausted
from geomrelu.network import lines
from geomrelu.network.lines import Vanishes, chain_on_line, zeros_of_neurons, zeros_on_line, zeros_orbit
from geomrelu.network.network import Network
from geomrelu.random_networks import closed_forms


def by_bisection_of_regions(network, layer, neuron, x, d):
    """Zeros between consecutive breakpoints of everything before, found by adding all crossings again and again.

    Breakpoints are refined until every neuron before is affine between neighbours (values at thirds agree); then each
    stretch has the zero of a straight line.
    """

    def values(t):
        point = [a + t * b for a, b in zip(x, d, strict=True)]
        return [v for z in network.pre_activations(point, layer) for v in z]

    place = sum(network.widths[: layer - 1]) + neuron
    stops = {Fraction(-(10**9)), Fraction(10**9)}
    for level in range(layer):
        own = range(sum(network.widths[:level]), sum(network.widths[: level + 1]))
        own = [place] if level == layer - 1 else own
        found, ordered = set(), sorted(stops)
        for low, high in pairwise(ordered):
            left, right = values(low), values(high)
            for k in own:
                if left[k] * right[k] < 0:
                    found.add(low + (high - low) * left[k] / (left[k] - right[k]))
        stops |= found
    return sorted(t for t in stops if values(t)[place] == 0)


def drawn(rng, widths, entry):
    return Network.from_layers(
        [
            ([[entry(rng) for _ in range(m)] for _ in range(n)], [entry(rng) for _ in range(n)], "relu")
            for m, n in pairwise(widths)
        ]
    )


@pytest.mark.parametrize("widths", [(1, 2, 1), (1, 3, 2, 1), (2, 4, 3, 2), (3, 2, 2, 2, 1), (1, 1)])
@pytest.mark.parametrize(
    "entry",
    [
        lambda rng: Fraction(rng.randint(-99, 99), rng.randint(1, 9)),
        lambda rng: rng.randint(-9, 9) * 10 ** rng.randint(0, 5),
        lambda rng: rng.gauss(0, 1),
    ],
)
def test_zeros_are_those_of_another_way(widths, entry):
    rng = random.Random(sum(widths))
    for _ in range(10):
        network = drawn(rng, widths, entry)
        x, d = ([Fraction(rng.randint(-9, 9)) for _ in range(widths[0])] for _ in range(2))
        if not any(d):
            continue
        for neuron in range(widths[-1]):
            zeros = zeros_on_line(network, network.depth, neuron, x, d)
            if not zeros.flat:
                within = [t for t in zeros.at if abs(t) < 10**9]
                assert within == by_bisection_of_regions(network, network.depth, neuron, x, d)


def test_a_wide_network():
    """300 neurons of both directions: the sum of all |t - k| / 2 and a tent; zeros are checked by evaluation."""
    rng = random.Random(3)
    rows = [[rng.choice((1, -1))] for _ in range(300)]
    bias = [rng.randint(-(10**6), 10**6) for _ in range(300)]
    network = Network.from_layers(
        [(rows, bias, "relu"), ([[rng.randint(-9, 9) for _ in range(300)]], [rng.randint(-9, 9)], "relu")]
    )
    zeros = zeros_on_line(network, 2, 0, [0], [1])
    assert not zeros.flat and len(zeros.at) >= 1
    knots = sorted({-b * r[0] for r, b in zip(rows, bias, strict=True)})
    samples = [network.pre_activations([t])[1][0] for t in (knots[0] - 1, *knots, knots[-1] + 1)]
    changes = sum(u * v < 0 for u, v in pairwise(samples))
    inside = [t for t in zeros.at if knots[0] - 1 < t < knots[-1] + 1]
    assert len(inside) == changes + sum(v == 0 for v in samples[1:-1])
    assert all(network.pre_activations([t])[1][0] == 0 for t in zeros.at)


@pytest.mark.parametrize(
    ("second", "bias", "shown"),
    [
        ([[1, 1]], -2, "t = -2, t = 2"),  # |t| - 2
        ([[1, 1]], 0, "t = 0"),  # it touches
        ([[1, 0]], 0, "-oo <= t <= 0"),  # silent on one side
        ([[0, 0]], 0, "-oo <= t <= oo"),
        ([[0, 0]], 1, "no zero"),
        ([[1, 1]], 1, "no zero"),
        ([[0, -1]], 0, "0 <= t <= oo"),
    ],
)
def test_touching_and_flat(second, bias, shown):
    network = Network.from_layers([([[1], [-1]], [0, 0], "relu"), (second, [bias], "relu")])
    assert str(zeros_on_line(network, 2, 0, [0], [1])) == shown


def test_a_flat_stretch_between_two_others():
    """max(t - 1, 0) - max(-t, 0): 0 on [0, 1], joined over the knot at 1/2 of a neuron that does nothing."""
    network = Network.from_layers([([[1], [-1], [2]], [-1, 0, -1], "relu"), ([[1, -1, 0]], [0], "relu")])
    zeros = zeros_on_line(network, 2, 0, [0], [1])
    assert (zeros.at, zeros.flat) == ((), ((0, 1),))


@pytest.mark.parametrize(("slope", "constant", "zeros"), [(3, 2, 2), (-3, 0, 2), (0, 5, 0)])
def test_an_orbit_of_the_first_layer(slope, constant, zeros):
    """The neuron and its negative, also where it is 0 at the point of the line itself."""
    assert zeros_orbit([([[slope, 1]], [constant])], [0, 0], [1, 0]) == (zeros, 2)


def test_an_orbit_of_a_neuron_that_is_nothing_on_the_line():
    with pytest.raises(Vanishes, match="on a whole piece"):
        zeros_orbit([([[0, 1]], [0])], [0, 0], [1, 0])


def walked(layers, x, d):
    """The zeros of all sign choices, one network after the other."""
    later = [len(row) + 1 for weights, _ in layers[1:] for row in weights]
    found, choices = 0, 0
    for flips in product((1, -1), repeat=len(layers[0][1])):
        for signs in product((1, -1), repeat=sum(later)):
            rest = iter(signs)
            first = [
                ([[f * v for v in row] for f, row in zip(flips, layers[0][0], strict=True)]),
                [f * v for f, v in zip(flips, layers[0][1], strict=True)],
            ]
            chosen = [(*first, "relu")]
            for weights, bias in layers[1:]:
                rows = [[next(rest) * v for v in row] for row in weights]
                chosen.append((rows, [next(rest) * v for v in bias], "relu"))
            zeros = zeros_on_line(Network.from_layers(chosen), len(layers), 0, x, d)
            assert not zeros.flat
            found, choices = found + len(zeros.at), choices + 1
    return found, choices


@pytest.mark.parametrize("n0", [1, 2])
@pytest.mark.parametrize("widths", [(1,), (2,), (1, 1), (2, 1), (1, 2)])
def test_orbits_are_sums_over_networks(n0, widths):
    """All signs, one network after the other."""
    rng = random.Random(7)
    sizes = (n0, *widths, 1)
    layers = [
        ([[rng.randint(1, 999) for _ in range(m)] for _ in range(n)], [rng.randint(1, 999) for _ in range(n)])
        for m, n in pairwise(sizes)
    ]
    x, d = [rng.randint(-9, 9) for _ in range(n0)], [rng.randint(1, 9) for _ in range(n0)]
    total, choices = zeros_orbit(layers, x, d)
    assert (total, choices) == walked(layers, x, d)
    assert Fraction(total, choices) == prod(1 - Fraction(1, 2**n) for n in widths)
    assert Fraction(total, choices) == Fraction(str(closed_forms.zeros_on_a_line(*widths)))


def test_fractions_make_no_other_network():
    """Magnitudes that are not generic: the mean is not pi, and another size of the first layer changes it."""
    layers = [([[2, -2], [1, 2], [2, 1]], [-2, -1, 2]), ([[1, 2, 1]], [2])]
    x, d = [1, Fraction(1, 2)], [1, 1]
    assert zeros_orbit(layers, x, d) == walked(layers, x, d) == (96, 128)
    layers = [([[Fraction(1, 3)], [1]], [1, Fraction(2, 3)]), ([[3, 1], [1, 1]], [1, 2]), ([[1, 1]], [Fraction(1, 2)])]
    assert zeros_orbit(layers, [0], [1]) == walked(layers, [0], [1])


def test_large_numbers_do_not_overflow():
    """Magnitudes beyond 2^63 in all layers."""
    layers = [
        ([[3 * 2**70], [5]], [2**80, 7 * 2**65]),
        ([[2**70, 11], [3, 2**90]], [1, 2**60]),
        ([[7, 2**75]], [2**71]),
    ]
    assert Fraction(*zeros_orbit(layers, [0], [1])) == Fraction(9, 16)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda net: zeros_on_line(net, 3, 0, [0], [1]), "no neuron 0 in layer 3"),
        (lambda net: zeros_on_line(net, 2, 1, [0], [1]), "no neuron 1 in layer 2"),
        (lambda net: zeros_on_line(net, 2, 0, [0, 1], [1]), "reads R"),
        (lambda net: zeros_on_line(net, 2, 0, [0], [0]), "direction"),
        (lambda net: zeros_orbit([([[1]], [1]), ([[1], [1]], [1, 1])], [0], [1]), "one neuron"),
        (lambda net: zeros_orbit([([[1]], [1]), ([[1]], [1])], [0], [1], "tanh"), "unknown activation"),
        (
            lambda net: zeros_orbit([([[1]] * 12, [1] * 12), ([[1] * 12] * 2, [1] * 2), ([[1] * 2], [1])], [0], [1]),
            "signs",
        ),
        (lambda net: zeros_orbit([([[1], [1]], [0, 0]), ([[1, 1]], [0])], [0], [1]), "0 on a whole piece"),
    ],
)
def test_what_makes_no_sense_is_refused(call, text):
    network = Network.from_layers([([[1], [-1]], [0, 0], "relu"), ([[1, 1]], [-2], "relu")])
    with pytest.raises(InputError, match=text):
        call(network)


# ---- the command ---------------------------------------------------------------------------------------------------


def run(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "geomrelu", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.json"
    layers = [
        {"weights": [[2], [-3], [5]], "bias": [1, "7/2", -1], "activation": "relu"},
        {"weights": [[1, -2, 3]], "bias": ["-9/2"], "activation": "none"},
    ]
    path.write_text(json.dumps({"inputs": 1, "layers": layers}))
    return path


def test_the_command(model):
    code, out, _ = run("zeros", model, "--line=0,1", "--orbit")
    assert (code, out.splitlines()) == (
        0,
        [
            "layer 2, neuron 0: t = 27/46",
            "  112 zeros in 128 sign choices: mean 7/8",
            "  pi = 7/8: equal, as for generic magnitudes",
        ],
    )
    code, out, _ = run("zeros", model, "--line=1/2,-2", "--layer", 1, "--neuron", 0, "--format", "json")
    assert (code, json.loads(out)) == (0, [{"layer": 1, "neuron": 0, "zeros": ["1/2"], "flat": []}])


@pytest.mark.parametrize("bad", [["--line=0"], ["--line=0,0"], ["--line=0,x"], ["--line=0,1", "--layer", "3"]])
def test_bad_arguments_are_one_line(model, bad):
    code, out, err = run("zeros", model, *bad)
    assert (code, out, err.count("\n")) == (2, "", 1)


def test_a_neuron_without_a_mean_does_not_silence_the_others(capsys, tmp_path):
    path = tmp_path / "net.json"
    layers = [{"weights": [[1], [-1]], "bias": [0, 0]}, {"weights": [[1, 1], [1, 2]], "bias": [0, 1]}]
    path.write_text(json.dumps({"layers": layers}))
    code, out, err = commands.run(capsys, "zeros", str(path), "--line=0,1", "--orbit")
    assert (code, err) == (0, "")
    assert "layer 2, neuron 0: t = 0\n  no mean: for some signs it is 0 on a whole piece" in out
    assert "layer 2, neuron 1: no zero\n  " in out
    data = json.loads(commands.run(capsys, "zeros", str(path), "--line=0,1", "--orbit", "--format", "json")[1])
    assert data[0]["mean"] is None
    assert data[1]["choices"] == 32


# ---- within a budget ------------------------------------------------------------------------------------------------


def test_several_neurons_at_once_and_what_a_budget_leaves():
    network = drawn(random.Random(8), (2, 4, 3, 5), lambda rng: rng.randint(-9, 9))
    single = [zeros_on_line(network, 3, i, [0, 1], [1, 2]) for i in range(5)]
    assert list(zeros_of_neurons(network, 3, range(5), [0, 1], [1, 2])) == single
    numbers = set()
    for most in range(0, 400, 7):
        found = []
        try:
            for zeros in zeros_of_neurons(network, 3, range(5), [0, 1], [1, 2], Polls(most)):
                found.append(zeros)
        except Exhausted:
            assert len(found) < 5
        assert found == single[: len(found)]
        numbers.add(len(found))
    assert {0, 5} < numbers


def test_what_no_later_layer_reads_is_not_carried_on():
    """A skip layer reads the inputs again; the whole chain has the outputs of all layers."""
    rng = random.Random(9)
    first, second = ([[rng.randint(-5, 5) for _ in range(n)] for _ in range(3)] for n in (2, 3))
    plain = Network.from_layers(
        [(first, [1, 0, -1], "relu"), (second, [0, 1, 0], "relu"), ([[1, -2, 3]], [-1], "relu")]
    )
    chain = chain_on_line(plain, [0, 0], [1, 2], 2)
    for g in chain[1:-1]:
        point = [Fraction(v, g[0]) for v in g[2:4]]
        layers = plain.pre_activations(point, 2)
        assert [Fraction(v, g[0]) for v in g[4:]] == [max(v, 0) for layer in layers for v in layer]


@pytest.mark.parametrize("seed", range(6))
def test_signs_of_a_neuron_some_at_a_time(seed, monkeypatch):
    rng = random.Random(seed)
    layers = [
        ([[rng.randint(1, 99)] for _ in range(3)], [rng.randint(1, 99) for _ in range(3)]),
        ([[rng.randint(1, 99) for _ in range(3)]], [rng.randint(1, 99) << 70 * (seed % 2)]),
    ]
    whole = zeros_orbit(layers, [0], [1])
    for some in (0, 1, 2):
        monkeypatch.setattr(lines, "SIGNS", some)
        assert zeros_orbit(layers, [0], [1]) == whole
    with pytest.raises(Exhausted):
        zeros_orbit(layers, [0], [1], budget=Polls(5))


def test_the_command_within_its_time(tmp_path, capsys, monkeypatch):
    path = tmp_path / "model.json"
    layers = [
        {"weights": [[2], [-3], [5]], "bias": [1, 3, -1]},
        {"weights": [[1, -2, 3], [2, 1, 1]], "bias": [-9, 2]},
    ]
    path.write_text(json.dumps({"layers": layers}))
    _, whole, _ = commands.run(capsys, "zeros", path, "--line=0,1", "--orbit")

    def ends(most, *more):
        monkeypatch.setattr("geomrelu.cli.zeros.clock_of", lambda options: Polls(most))
        return commands.run(capsys, "zeros", path, "--line=0,1", *more)

    assert ends(0) == (3, "", "geomrelu: the time for it is over: the zeros of 0 of 2 neurons are known\n")
    code, out, err = ends(40, "--orbit")
    assert code == 3
    assert out.splitlines()[::2] == [line for line in whole.splitlines() if line.startswith("layer")]
    assert out.count("no mean: the time for it is over") == 2
    assert err == "geomrelu: the time for it is over: the means of 0 of 2 neurons are known\n"
    code, out, err = ends(40, "--orbit", "--format", "json")
    assert [entry["mean"] for entry in json.loads(out)] == [None, None]
    assert ends(10**6, "--orbit") == (0, whole, "")
