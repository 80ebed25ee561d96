"""Neurons without biases: counts against networks one by one, at rays found another way."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import product

import pytest

from geomrelu import InputError
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.random_networks.bias_free import bias_free_orbit
from geomrelu.random_networks.orbit import dead_neurons_orbit


@pytest.mark.parametrize("seed", range(12))
def test_counts_are_those_of_networks_on_the_whole_space(seed):
    """A network with biases 0, walked over polyhedra: its second layer is one neuron, dead or not."""
    rng = random.Random(seed)
    n, m = rng.randint(1, 3), rng.randint(1, 3)
    low = 0 if seed % 2 else -99
    rows = [[rng.randint(low, 2 if seed % 2 else 99) for _ in range(n)] for _ in range(m)]
    w = [rng.randint(1, 9) for _ in range(m)]
    if not any(any(row) for row in rows):
        return
    found = 0
    for flips in product((1, -1), repeat=m):
        first = [[f * v for v in row] for f, row in zip(flips, rows, strict=True)], [0] * m
        for signs in product((1, -1), repeat=m):
            second = [[s * v for s, v in zip(signs, w, strict=True)]], [0]
            profiles, _ = dead_neurons_orbit([first, second], Polyhedron.space(n), "none")
            found += sum(number for dead, number in profiles.items() if dead[1])
    assert bias_free_orbit(rows, w) == (found, 4**m)


def test_more_neurons_than_fit_into_int64():
    rows = [[2**80, 3], [5, 2**70], [-(2**75), 7]]
    assert bias_free_orbit(rows, [2**66, 1, 3]) == (10, 64)
    assert bias_free_orbit([[Fraction(1, 3)], [Fraction(2, 7)]], [Fraction(1, 2), 3]) == (6, 16)


@pytest.mark.parametrize(
    ("rows", "w", "text"),
    [([], [], "not empty"), ([[1], [1, 2]], [1, 1], "matrix"), ([[1]], [1, 1], "matrix"), ([[1]], [0], "zero"),
     ([[k + 1] for k in range(13)], [1] * 13, "limit")],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(rows, w, text):
    with pytest.raises(InputError, match=text):
        bias_free_orbit(rows, w)
