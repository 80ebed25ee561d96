"""Cells cut by the compiled kernel against the NumPy code: the same complex, whatever floats decide."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction
from itertools import pairwise

import families
import numpy as np
import pytest
from polls import Polls

from geomrelu import AffineMap, FiniteSet, Network, Polyhedron
from geomrelu.budget import Budget, Exhausted
from geomrelu.native import cells as kernel
from geomrelu.native import library
from geomrelu.network import subdivision
from geomrelu.network.compiled import Compiled
from geomrelu.network.complex import Complex
from geomrelu.network.subdivision import Block, subdivide

pytestmark = pytest.mark.skipif(not library.available(), reason=f"no compiled kernel: {library.named()}")

WIDE = ([2, 129, 6], [1, 1000, 40], [2, 6, 200], [2, 64, 65], [3, 130, 2], [1, 300, 300])


def complex_of(network, domain, largest=None):
    """All cells with their generators, and the zeros at these: sorted."""
    compiled, found = Compiled(network, domain, network.depth), []
    for block in subdivide(compiled, Budget(), largest):
        rows = block.rows
        for c, sign in enumerate(block.signs.tolist()):
            members = block.members[block.starts[c] : block.starts[c + 1]].tolist()
            assert len(set(members)) == len(members)
            found.append((sign, sorted((rows[g], block.zeros[g].tolist()) for g in members), sorted(block.lines)))
    return sorted(found)


def both(monkeypatch, network, domain, largest=None):
    found = complex_of(network, domain, largest)
    with monkeypatch.context() as patch:
        patch.setattr(library, "available", lambda: False)
        expected = complex_of(network, domain)
    return found, expected


def gaussian(rng, widths):
    pick = lambda: Fraction(rng.gauss(0, 1))  # noqa: E731
    return [([[pick() for _ in range(n)] for _ in range(m)], [pick() for _ in range(m)]) for n, m in pairwise(widths)]


@pytest.fixture
def seen(monkeypatch):
    """How often the kernel came back, and why."""
    found, run = Counter(), kernel.Cutter.run

    def counted(self, *args):
        state, fresh = run(self, *args)
        found[state] += 1
        found["cells"] += fresh
        return state, fresh

    monkeypatch.setattr(kernel.Cutter, "run", counted)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_all_kinds_of_networks_and_domains(seed, monkeypatch, seen):
    for _, network, domain, _, _ in families.cases(60, 500 + seed):
        if not isinstance(domain, FiniteSet):
            found, expected = both(monkeypatch, network, domain)
            assert found == expected
    assert seen[kernel.DOUBT] > 10 and seen[kernel.UNDONE] > 10 and seen["cells"] > 100


@pytest.mark.parametrize("kind", ["gaussian", "ternary", "degenerate", "scaled"])
@pytest.mark.parametrize("widths", [[2, 12, 9], [3, 7, 6, 5], [4, 6, 5], [5, 5, 4], [9, 3, 2]])
def test_more_neurons(kind, widths, monkeypatch, seen):
    rng = random.Random(f"{kind}{widths}")
    for _ in range(2):
        layers = gaussian(rng, widths) if kind == "gaussian" else families.network(rng, widths, kind)
        found, expected = both(monkeypatch, families.as_network(layers), Polyhedron.box([(-2, 2)] * widths[0]))
        assert found == expected
    assert kind == "ternary" or seen["cells"] > 5


@pytest.mark.parametrize("widths", WIDE, ids=str)
def test_wide_layers(widths, monkeypatch):
    rng = random.Random(str(widths))
    layers = gaussian(rng, widths)
    for rows, bias in layers:  # three equal neurons, one that is 0 and one that is constant
        rows[1], bias[1] = rows[0], bias[0]
        rows[-1], bias[-1] = [-v for v in rows[0]], -bias[0]
        if len(rows) > 5:
            rows[3], bias[3] = [Fraction(0)] * len(rows[3]), Fraction(0)
            rows[4] = [Fraction(0)] * len(rows[4])
    side = Fraction(1, 4) if widths[0] > 1 else 3
    found, expected = both(monkeypatch, families.as_network(layers), Polyhedron.box([(-side, side)] * widths[0]))
    assert found == expected and len(found) > 20


def test_layers_that_read_all_before_them(monkeypatch):
    rng = random.Random(5)
    for kind in ("gaussian", "ternary", "degenerate"):
        maps, variables = [], 2
        for width in (4, 0, 5, 3):
            ((rows, bias),) = (
                gaussian(rng, [variables, width])
                if kind == "gaussian"
                else families.network(rng, [variables, width], kind)
            )
            maps.append(
                AffineMap.from_dense(rows, bias) if width else AffineMap.from_dense(np.zeros((0, variables)), [])
            )
            variables += width
        for domain in (Polyhedron.box([(-2, 2)] * 2), Polyhedron.space(2)):
            found, expected = both(monkeypatch, Network(2, tuple(maps)), domain)
            assert found == expected


@pytest.mark.parametrize("largest", [1, 12, 100, 1000])
def test_blocks_of_any_size(largest, monkeypatch):
    """A block is closed and opened again in the middle of a layer."""
    rng = random.Random(largest)
    for widths in ([2, 9, 8], [3, 6, 5]):
        network = families.as_network(gaussian(rng, widths))
        found, expected = both(monkeypatch, network, Polyhedron.box([(-2, 2)] * widths[0]), largest)
        assert found == expected


def test_arrays_grow_from_nothing(monkeypatch):
    """Room is made again and again, between any two cells."""
    grown, grow = [], kernel.Cutter._grown

    def counted(self):
        grown.append(self._c.cursor)
        grow(self)

    monkeypatch.setattr(kernel, "ROOM", (1, 1, 1, 1))
    monkeypatch.setattr(kernel.Cutter, "_grown", counted)
    rng = random.Random(8)
    for kind in ("gaussian", "ternary"):
        for widths in ([2, 9, 8], [3, 6, 5], [4, 5, 5]):
            layers = gaussian(rng, widths) if kind == "gaussian" else families.network(rng, widths, kind)
            found, expected = both(monkeypatch, families.as_network(layers), Polyhedron.box([(-2, 2)] * widths[0]))
            assert found == expected
    assert len(grown) > 20 and any(grown)


def hull(rng, n, points):
    """Of whole points: many facets, few in general position."""
    return Polyhedron.from_generators([[rng.randint(-2, 2) for _ in range(n)] for _ in range(points)])


def test_the_kernel_comes_back_within_a_neuron(monkeypatch, seen):
    """To look at the clock: between any two pairs that are compared at length, and any two new generators."""
    rng = random.Random(9)
    monkeypatch.setattr(kernel, "EFFORT", 0)
    for kind in ("gaussian", "ternary", "degenerate"):
        for n, domain in ((2, Polyhedron.box([(-2, 2)] * 2)), (4, hull(rng, 4, 12)), (5, hull(rng, 5, 12))):
            layers = gaussian(rng, [n, 4, 4]) if kind == "gaussian" else families.network(rng, [n, 4, 4], kind)
            found, expected = both(monkeypatch, families.as_network(layers), domain)
            assert found == expected
    assert seen[kernel.TIRED] > 4 * seen["cells"] > 400


@pytest.mark.parametrize("compiled", [True, False])
def test_a_budget_is_looked_at_within_a_neuron(compiled, monkeypatch):
    rng = random.Random(1)
    domain, network = hull(rng, 5, 14), families.as_network(gaussian(rng, [5, 2]))
    monkeypatch.setattr(library, "available", lambda: compiled)
    monkeypatch.setattr(kernel, "EFFORT", 1 << 8)
    monkeypatch.setattr(subdivision, "_PAIRS", 64)
    budget = Polls()
    list(subdivide(Compiled(network, domain, 1), budget))
    assert budget.polls > 20  # for two neurons
    for most in range(budget.polls):
        limit = Polls(most)
        with pytest.raises(Exhausted):
            list(subdivide(Compiled(network, domain, 1), limit))
        assert limit.examined <= budget.examined == 4


@pytest.mark.parametrize(
    "change",
    [
        {"_OFTEN": 0, "_FINE": 0.0},  # all coordinates from their equations
        {"_OFTEN": 0, "_FINE": 1.0},  # none
        {"_OFTEN": 0, "_FINE": 1.0, "_ROUGH": 2.0**-45},  # many in integers
        {"_OFTEN": 0, "_ROUGH": 0.0},  # all
        {"_OFTEN": 0, "UNIT": 2.0**-30},  # bounds that are too large
        {"_OFTEN": 0, "UNIT": 2.0**-14, "_ROUGH": 0.25},
    ],
)
def test_floats_only_guide(change, monkeypatch, seen):
    rng = random.Random(3)
    cases = [(families.network(rng, [2, 6, 5], kind), 2) for kind in ("ternary", "rational", "scaled", "degenerate")]
    cases += [(gaussian(rng, widths), widths[0]) for widths in ([2, 8, 8], [3, 6, 6], [4, 5, 4])]
    for name, value in change.items():
        monkeypatch.setattr(subdivision, name, value)
    for layers, n in cases:
        for domain in (Polyhedron.box([(-2, 2)] * n), Polyhedron.orthant(n)):
            found, expected = both(monkeypatch, families.as_network(layers), domain)
            assert found == expected
    assert seen[kernel.UNDONE] or "_ROUGH" not in change


def test_equations_keep_coordinates_good(monkeypatch):
    """Where each generator hangs on many others, floats go on without integers only with the equations."""
    network = families.as_network(gaussian(random.Random(1), [3, 24, 24]))
    box, left, complete = Polyhedron.box([(-1, 1)] * 3), Counter(), Block._complete

    def counted(self, cutter, generators, ends):
        left[subdivision._FINE] += len(generators)
        complete(self, cutter, generators, ends)

    monkeypatch.setattr(Block, "_complete", counted)
    monkeypatch.setattr(subdivision, "_OFTEN", 0)
    regions = set()
    for fine in (2.0**-30, 1.0):
        monkeypatch.setattr(subdivision, "_FINE", fine)
        regions.add(Complex(network, box).n_regions)
    assert len(regions) == 1 and left[1.0] > 10 * left[2.0**-30]


def test_a_budget_ends_between_two_neurons():
    network = families.as_network(gaussian(random.Random(2), [3, 12, 12]))
    box, whole = Polyhedron.box([(-2, 2)] * 3), None
    whole = Complex(network, box).n_regions
    for regions in (1, 10, whole // 2, whole - 1):
        budget = Budget(regions=regions)
        with pytest.raises(Exhausted, match="regions, is spent"):
            list(subdivide(Compiled(network, box, 2), budget))
        assert budget.examined <= regions
    budget = Budget(regions=whole)
    assert sum(block.cells for block in subdivide(Compiled(network, box, 2), budget)) == budget.examined == whole
    with pytest.raises(Exhausted, match="time"):
        list(subdivide(Compiled(network, box, 2), Budget(seconds=0)))
