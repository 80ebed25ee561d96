"""Dead neurons on unbounded sets: do they fall along every ray? Beside the exact oracle on all activation patterns."""

import json
import random
from fractions import Fraction

import oracles
import pytest
from families import as_network, lean, network

from geomrelu import Budget, Network, Polyhedron, Status, checker
from geomrelu.budget import Exhausted
from geomrelu.certificates import infinity
from geomrelu.certificates.batch import Quick
from geomrelu.deadness.decide import decide
from geomrelu.deadness.falling import Falling, without_biases

KINDS = ("rational", "ternary", "degenerate", "scaled")


def an_open_set(rng, n):
    """A box with open sides, often with rows or an equality that 0 fulfils."""
    sides = [rng.choice(((0, None), (0, None), (None, 1), (None, None), (0, 2))) for _ in range(n)]
    rows = [[rng.randint(0, 3), *(rng.randint(-2, 2) for _ in range(n))] for _ in range(rng.choice((0, 0, 1, 2)))]
    flats = [[0, *(rng.randint(-1, 1) for _ in range(n))]] if rng.random() < 0.2 else []
    box = [(None if a is None else Fraction(a), None if b is None else Fraction(b)) for a, b in sides]
    return Polyhedron(checker.Domain.from_rows(n, rows, flats, box))


def by_ppl(domain):
    return oracles.ppl_polyhedron(domain.inequalities, domain.dimension, domain.equalities)


def as_rows(layers, n):
    """For the oracle: over all variables before, each layer reading the one before."""
    found, first = [], 0
    for rows, bias in layers:
        found.append([(b, {first + j: w for j, w in enumerate(row)}) for row, b in zip(rows, bias, strict=True)])
        first += len(rows[0])
    return found


@pytest.mark.parametrize("n", [1, 2, 3])
def test_slices_meet_every_ray_and_hold_nothing_else(n):
    rng = random.Random(f"slices {n}")
    for _ in range(60):
        domain = an_open_set(rng, n)
        cone = domain.recession_cone()
        slices = list(checker.slices(domain.checked))
        assert bool(slices) == bool(checker.recession(domain.checked))
        for part in map(Polyhedron, slices):
            assert part.is_empty or part.is_bounded
            assert not part.contains([Fraction(0)] * n)
            assert part.is_empty or all(cone.contains(v) for v in part.vertices)
        for ray in (*cone.rays, *cone.lines, *map(checker.opposite, cone.lines)):
            sides = zip(domain.checked.lower, domain.checked.upper, ray, strict=True)
            sizes = [(abs(v), low is None, high is None) for low, high, v in sides]
            longest = max([v for v, down, up in sizes if down and up], default=0)
            size = max(longest, sum(v for v, down, up in sizes if down != up))
            assert any(Polyhedron(part).contains([Fraction(v, size) for v in ray]) for part in slices)


@pytest.mark.parametrize("kind", KINDS)
def test_proofs_are_found_where_the_growth_is_negative(kind):
    """By PPL, of the network without biases on each slice; and both judges accept what is found."""
    rng, seen = random.Random(f"falling {kind}"), set()
    for _ in range(12):
        n = rng.choice((1, 2, 3))
        layers, domain = lean(network(rng, (n, 3, 3), kind), rng), an_open_set(rng, n)
        if domain.is_empty:
            continue
        net = as_network(layers)
        growing = [(rows, [0] * len(bias)) for rows, bias in layers]
        slices = [Polyhedron(part) for part in checker.slices(domain.checked)]
        tops = [oracles.suprema(growing, by_ppl(part), n) for part in slices if not part.is_empty]
        ranges = oracles.ranges(as_rows(layers, n), by_ppl(domain), n)
        falling = Falling(net, domain)
        for level, i in [(k, i) for k in (1, 2) for i in range(3)] if slices else ():
            truth, negative = ranges[level - 1][i], all(top[level - 1][i] < 0 for top in tops)
            try:
                said = falling.claimed(level, i, Budget())
            except infinity.TooManyParts:
                said = {}
            assert ("growth" in said) == negative
            if truth.high == oracles.INFINITE or truth.high >= 0:
                assert not negative or truth.high != oracles.INFINITE
                continue
            seen.add(said.get("stable"))
            if said:
                assert truth.stable in (said["stable"], None)
                for judge in (checker.Judge, Quick):
                    whole = judge([], net.checked, domain.checked)
                    if said["stable"]:
                        for one, proof in zip(whole.far(), said["growth"], strict=True):
                            assert one.bound(json.loads(json.dumps(proof)), level, i, 1) < 0
                    else:
                        ray = [Fraction(v) for v in said["ray"]]
                        assert domain.checked.recedes(ray) and checker.revivable(net.checked, ray, level, i)
    assert seen >= {True, None}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_decided_of_stability_is_true(kind, monkeypatch):
    """With and without lists of cones, whole claims, both judges."""
    rng, seen = random.Random(f"stability {kind}"), set()
    for few in (100, 0) * 6:
        monkeypatch.setattr(infinity, "FEW", few)
        n = rng.choice((1, 2, 3))
        layers, domain = lean(network(rng, (n, 3, 3), kind), rng), an_open_set(rng, n)
        if domain.is_empty:
            continue
        net = as_network(layers)
        ranges = oracles.ranges(as_rows(layers, n), by_ppl(domain), n)
        for report in decide(net, domain):
            for v in report.verdicts:
                truth = ranges[v.layer - 1][v.neuron]
                assert v.status is not Status.UNDECIDED
                if v.status is Status.DEAD and truth.stable is not None:
                    assert v.stable in (truth.stable, None)
                    assert v.stable == truth.stable or truth.high >= 0 or not truth.stable
                seen.add((v.stable, "growth" in (v.claim or {})))
                plain = checker.Judge(report.points, net.checked, domain.checked)
                checker.prove(json.loads(json.dumps(v.claim)), plain)
    assert {True, False} <= {stable for stable, _ in seen}
    assert kind == "ternary" or (True, True) in seen


def test_where_lists_of_cones_are_too_long():
    """On R^5_+ behind 20 neurons: every dead neuron with a negative supremum is stable, or is shown not to be."""
    rng = random.Random(9)
    rows = [[rng.randint(-3, 3) for _ in range(5)] for _ in range(20)]
    first = (rows, [rng.randint(-9, 2) for _ in rows])
    last = [[rng.choice((-3, -2, -1, -1, 0, 0, 1)) for _ in range(20)] for _ in range(10)]
    net = as_network([first, (last, [rng.randint(-9, 2) for _ in last])])
    (report,) = decide(net, Polyhedron.box([(0, None)] * 5), layers=[2])
    dead = [v for v in report.verdicts if v.status is Status.DEAD]
    assert len(dead) > 2 and all(v.stable is not None for v in dead)
    assert any("growth" in v.claim for v in dead)
    assert all((v.supremum == 0) != v.stable for v in dead)


def test_what_is_not_sought():
    net = Network.from_layers([([[-1, -1]], [-1], "relu")])
    assert without_biases(net).pre_activations([1, 1]) == [[-2]]
    by_rays = Polyhedron.from_generators([[0, 0]], [[1, 0], [0, 1]])
    many = Network.from_layers([([[-1] * 100], [-1], "relu")])
    for network_, domain in ((net, by_rays), (many, Polyhedron.box([(0, None)] * 100))):
        with pytest.raises(infinity.TooManyParts):
            Falling(network_, domain).claimed(1, 0, Budget())
    with pytest.raises(Exhausted):
        Falling(net, Polyhedron.box([(0, None)] * 2)).claimed(1, 0, Budget(0))
