"""Regions on random lines: each is one of all, its point lies in it, and a census that does not end has them."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise

import pytest
from polls import Polls

from geomrelu import Arrangement, Budget, Complex, Network, Polyhedron
from geomrelu.budget import Exhausted
from geomrelu.network import region_count
from geomrelu.network.line_walk import arrangement_on_lines, network_on_lines

ENTRIES = (
    lambda rng: rng.randint(-9, 9),
    lambda rng: rng.choice((-1, 0, 1)),
    lambda rng: rng.choice((0, 1, -1, 1 << 40, Fraction(1, 1 << 45))),
)
DOMAINS = (
    lambda n: Polyhedron.space(n),
    lambda n: Polyhedron.box([(-2, 3)] * n),
    lambda n: Polyhedron.from_rows([[1] + [1] * n, [2, 1] + [0] * (n - 1)], dimension=n),  # unbounded
    lambda n: Polyhedron.from_generators([[0] * n, *([2 * int(i == j) for j in range(n)] for i in range(n))]),
    lambda n: Polyhedron.box([(0, 1)] * (n - 1) + [(1, 1)]),  # no interior
)


def signs_at(values):
    return tuple((v > 0) - (v < 0) for v in values)


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("seed", range(9))
def test_of_a_network(seed, domain):
    rng = random.Random(seed)
    n, entry = rng.randint(1, 3), ENTRIES[seed % 3]
    widths, layers = [n, rng.randint(1, 4), rng.randint(1, 3)], []
    for before, width in pairwise(widths):
        weights = [[entry(rng) for _ in range(before)] for _ in range(width)]
        layers.append((weights, [entry(rng) for _ in range(width)], "relu"))
    network, where = Network.from_layers(layers), domain(n)
    every = set(map(tuple, Complex(network, where).signs.tolist()))
    found = dict(network_on_lines(network, where, 2, Budget()))
    assert found.keys() <= every
    for signs, point in found.items():
        assert signs_at(v for z in network.pre_activations(point) for v in z) == signs
        assert where.contains(point)
    if seed % 3 == 0:
        assert bool(found) is (domain is not DOMAINS[-1])


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("seed", range(9))
def test_of_an_arrangement(seed, domain):
    rng = random.Random(seed)
    n, entry = rng.randint(1, 3), ENTRIES[seed % 3]
    normals = [[entry(rng) for _ in range(n)] for _ in range(rng.randint(1, 5))] + [[0] * n]
    arrangement = Arrangement(normals, [entry(rng) for _ in normals[:-1]] + [rng.choice((0, 1))], domain(n))
    found = dict(arrangement_on_lines(arrangement.rows, domain(n), Budget()))
    assert found.keys() <= set(map(tuple, arrangement.signs.tolist()))
    for signs, point in found.items():
        assert arrangement.code(point) == signs
        assert domain(n).contains(point)
    assert bool(found) is (domain is not DOMAINS[-1])


def test_a_line_meets_all_regions_in_one_dimension():
    arrangement = Arrangement([[1], [2], [-1], [3]], [0, 1, 5, 7])
    assert len(list(arrangement_on_lines(arrangement.rows, Polyhedron.space(1), Budget()))) == 5


def test_neurons_that_are_0_everywhere_keep_their_sign():
    network = Network.from_layers([([[0, 0], [1, 1]], [0, -1], "relu"), ([[1, -1]], [2], "relu")])
    found = dict(network_on_lines(network, Polyhedron.space(2), 2, Budget()))
    assert set(found) == set(map(tuple, Complex(network).signs.tolist())) == {(0, 1, 1), (0, 1, -1), (0, -1, 1)}


def taken(made):
    """A census, and the regions that were given with their points."""
    given = {}

    def each(signs, points):
        given.update((tuple(row), points(i)) for i, row in enumerate(signs.tolist()))

    return made(each), given


def test_a_census_that_does_not_end_has_the_regions_on_lines(monkeypatch):
    rng = random.Random(2)
    layers = [([[rng.randint(-9, 9) for _ in range(12)] for _ in range(14)], [rng.randint(-9, 9) for _ in range(14)])]
    network = Network.from_layers([(*layers[0], "relu")])
    some = 3

    def cut(network, domain, layers, budget):
        for k, (signs, point) in enumerate(network_on_lines(network, domain, layers, Budget())):
            if k == some:
                raise Exhausted("the time of the tree is over")
            budget.spend()
            yield signs, point

    monkeypatch.setattr(region_count, "cut_network", cut)
    space = Polyhedron.space(12)
    whole = dict(network_on_lines(network, space, 1, Budget()))

    def census(budget):
        return taken(lambda each: region_count.of_network(network, space, None, region_count.Wanted(), budget, each))

    found, given = census(Budget(300))
    assert given == whole and len(whole) > some
    assert (found["regions"], found["complete"]) == (len(whole), False)
    assert found["reason"] == "the time for it, 300 s, is over"
    found, given = census(Budget(300, 5))
    assert found["regions"] == len(given) == 5
    found, given = census(Budget())  # no limit: nothing but the tree
    assert (found["regions"], found["reason"]) == (some, "the time of the tree is over")


def test_an_arrangement_that_does_not_end(monkeypatch):
    rng = random.Random(3)
    rows = [[rng.randint(-9, 9) for _ in range(40)] for _ in range(60)]
    arrangement = Arrangement(rows, [rng.randint(-9, 9) for _ in rows])

    def none(self, budget):
        raise Exhausted("the time of the tree is over")
        yield

    monkeypatch.setattr(Arrangement, "regions", none)
    found, given = taken(
        lambda each: region_count.of_arrangement(arrangement, region_count.Wanted(), Budget(300, 90), each)
    )
    assert found["regions"] == len(given) == 90 and found["reason"] == "the budget for it, 90 regions, is spent"
    assert all(arrangement.code(point) == signs for signs, point in given.items())


def test_lines_look_at_the_clock():
    network = Network.from_layers([([[1, 2], [3, -1]], [1, -1], "relu")])
    for walk in (
        lambda budget: network_on_lines(network, Polyhedron.space(2), 1, budget),
        lambda budget: arrangement_on_lines([(1, 2, 3)], Polyhedron.box([(-9, 9)] * 2), budget),
    ):
        with pytest.raises(Exhausted):
            list(walk(Polls(9)))


def test_the_sides_of_a_box_are_not_written_out_as_rows(monkeypatch):
    """With thousands of inputs those take gigabytes, and it went on for long after the end of the budget."""
    network = Network.from_layers([([[1, 1], [1, -1]], [0, 0], "relu")])
    found = {signs for signs, _ in network_on_lines(network, Polyhedron.box([(-1, 1)] * 2), 1, Budget())}
    monkeypatch.setattr(Polyhedron, "inequalities", property(lambda _: pytest.fail("rows")))
    assert {signs for signs, _ in network_on_lines(network, Polyhedron.box([(-1, 1)] * 2), 1, Budget())} == found
    assert len(found) == 4
