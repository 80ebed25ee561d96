"""Domains of few inputs, cut along kinks: proofs where the supremum is exactly 0."""

import random
from fractions import Fraction

import oracles
import pytest
from families import as_network, domain, lean, minima, network, rational, ridges
from trees import objects

from geomrelu import Budget, Polyhedron, Status
from geomrelu.budget import Exhausted
from geomrelu.deadness import by_cuts, by_search
from geomrelu.deadness.by_pieces import proofs
from geomrelu.deadness.decide import decide
from geomrelu.deadness.problem import Problem
from geomrelu.network import pieces

KINDS = ("rational", "ternary", "degenerate", "scaled")
PLENTY = 1 << 40


def suprema(layers, where):
    n = where.dimension
    if where.given_by_generators:
        return oracles.suprema_on_regions(layers, oracles.ppl_from_generators(*where.checked.generators), n)
    return oracles.suprema_on_regions(layers, oracles.ppl_polyhedron([*where.sides, *where.rows], n, where.flats), n)


def cut(net, where, level):
    problem = Problem(net, where, Budget())
    return problem, by_cuts.Cuts(net, where, level, problem.quick.root)


def exact(problem, cuts, level, i, right):
    """A supremum, whatever it is, has a proof, and less than it is not proved."""
    found = cuts.search(i, PLENTY, Budget(), right)
    proof = {"layer": level, "neuron": i, "status": "dead", "supremum": str(right), "proof": found.proof}
    verdict = problem.decided(proof | {"point": problem.point(found.tight)}, right, "")
    assert verdict.status is Status.DEAD, verdict.reason
    assert cuts.search(i, PLENTY, Budget(), right - Fraction(1, 1000)).above is not None


def judged(layers, where, truth=None):
    """How many neurons of layers after the first are alive, 0 at best, or below 0: as the oracle says, and proved."""
    net, counts = as_network(layers), [0, 0, 0]
    truth = suprema(layers, where) if truth is None else truth
    for level in range(2, len(layers) + 1):
        problem, cuts = cut(net, where, level)
        for i, right in enumerate(truth[level - 1]):
            found = cuts.search(i, PLENTY, Budget())
            if found.above is not None:
                assert right > 0
                assert where.contains(found.above)
                assert oracles.forward(layers, found.above)[level - 1][i] > 0
                counts[0] += 1
                continue
            assert right <= 0
            assert (found.tight is not None) is (right == 0)
            exact(problem, cuts, level, i, right)
            claim = cuts.claim(i, found)
            if where.rows or where.flats or where.given_by_generators:
                claim["point"] = problem.point(found.tight or where.interior_point())
            verdict = problem.decided(claim, None, "")  # both judges
            assert verdict.status is Status.DEAD, verdict.reason
            assert verdict.stable is (right < 0)
            counts[1 if right == 0 else 2] += 1
    return counts


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [1, 2, 3])
def test_minima(kind, n):
    rng = random.Random(10 * n + KINDS.index(kind))
    total = [0, 0, 0]
    for _ in range(3):
        layers = minima(rng, n, 4 if n < 3 else 3, kind)
        box = Polyhedron.box([(-rng.randint(1, 3), rng.randint(1, 3)) for _ in range(n)])
        total = [a + b for a, b in zip(total, judged(layers, box), strict=True)]
    assert min(total[:2]) > 0


@pytest.mark.parametrize("kind", KINDS)
def test_ridges(kind):
    rng = random.Random(KINDS.index(kind))
    total = [0, 0, 0]
    for n in (1, 2, 3, 4):
        layers = ridges(rng, n, 3, kind)
        box = Polyhedron.box([(-rng.randint(1, 3), rng.randint(1, 3)) for _ in range(n)])
        total = [a + b for a, b in zip(total, judged(layers, box), strict=True)]
    assert sum(total) == 12
    assert total[2] > 0


@pytest.mark.parametrize("kind", KINDS)
def test_random_networks_on_bounded_domains(kind):
    """Boxes, flat boxes, polytopes by rows and by vertices; dead and living neurons of all kinds."""
    rng = random.Random(50 + KINDS.index(kind))
    total, seen, done = [0, 0, 0], set(), 0
    while done < 10:
        layers = network(rng, rng.choice([(2, 4, 3), (2, 3, 2, 2), (1, 4, 3), (3, 3, 2)]), kind)
        layers = lean(layers, rng) if rng.random() < 0.7 else layers
        where, name = domain(rng, len(layers[0][0][0]))
        if not isinstance(where, Polyhedron) or where.is_empty or not by_cuts.is_cut(where):
            continue
        if where.rows and None in (*where.checked.lower, *where.checked.upper):
            continue
        seen.add(name)
        done += 1
        total = [a + b for a, b in zip(total, judged(layers, where), strict=True)]
    assert {"box", "V"} <= seen
    assert total[0] > 0
    assert total[2] > 0


def test_wide_layers():
    """More kinks on a line than a machine word has bits."""
    rng = random.Random(4)
    for kind in ("rational", "ternary", "scaled"):
        rows, bias = network(rng, (1, 140), kind)[0]
        bias = [b if k % 3 else -v[0] * Fraction(k, 70) for k, (v, b) in enumerate(zip(rows, bias, strict=True))]
        last = [[rational(rng) if rng.random() < 0.3 else Fraction(0) for _ in rows] for _ in range(3)]
        convex = [abs(v) for v in last[0]]  # at most its value at the ends, which is 0 after the shift
        ends = [sum(w * z for w, z in zip(convex, relu([(rows, bias)], x), strict=True)) for x in (-2, 2)]
        layers = [(rows, bias), ([*last, convex], [Fraction(-9), Fraction(0), Fraction(5), -max(ends)])]
        counts = judged(layers, Polyhedron.box([(-2, 2)]))
        assert sum(counts) == 4
        assert counts[1] > 0


def relu(layers, x):
    return [max(z, Fraction(0)) for z in oracles.forward(layers, [x])[-1]]


def test_a_box_with_rows():
    """Rows are multipliers where they are tight."""
    rng = random.Random(8)
    for _ in range(6):
        layers = minima(rng, 2, 4, "rational")
        rows = [[rng.randint(1, 3), rng.randint(-2, 2), rng.randint(-2, 2)] for _ in range(2)]
        sides = [[2, 1, 0], [2, -1, 0], [2, 0, 1], [2, 0, -1]]
        judged(layers, Polyhedron.from_rows([*sides, *rows]))


def test_a_domain_without_sides_is_left():
    """Intervals give no bounds there."""
    layers = minima(random.Random(1), 2, 4, "rational")
    where = Polyhedron.from_rows([[1, 1, 1], [1, -1, 1], [1, 1, -1], [1, -1, -1]])
    _, cuts = cut(as_network(layers), where, 2)
    assert not cuts.bounded
    assert cuts.search(0, PLENTY, Budget()) is None


def test_work_and_budget_end_it():
    net = as_network(minima(random.Random(3), 2, 4, "rational"))
    box = Polyhedron.box([(-2, 2)] * 2)
    _, cuts = cut(net, box, 3)
    needed = [found.parts for i in range(4) if (found := cuts.search(i, PLENTY, Budget())).above is None]
    assert max(needed) > 1
    hard = next(i for i in range(4) if cuts.search(i, 1, Budget()) is None)
    with pytest.raises(Exhausted):
        cuts.search(hard, PLENTY, Budget(regions=1))
    assert cuts.search(hard, PLENTY, Budget()) is not None


def test_the_search_decides_what_is_exactly_0(monkeypatch):
    """Where the walk over all pieces is not taken, minima are decided all the same; halves of boxes leave them open."""
    net, box = as_network(minima(random.Random(2), 2, 8, "rational")), Polyhedron.box([(-2, 2)] * 2)
    monkeypatch.setattr("geomrelu.deadness.by_pieces.FEW_PIECES", 0)
    monkeypatch.setattr("geomrelu.deadness.decide.is_listed", lambda domain: False)

    def verdicts():
        return [v for report in decide(net, box, budget=Budget(regions=1500)) for v in report.verdicts]

    found = verdicts()
    assert all(v.status is not Status.UNDECIDED for v in found)
    assert any("cut along kinks" in v.reason and v.supremum == 0 and v.stable is False for v in found)
    with monkeypatch.context() as patch:
        patch.setattr(by_search, "is_cut", lambda domain: False)
        assert any(v.status is Status.UNDECIDED for v in verdicts())


@pytest.mark.parametrize("kind", KINDS)
def test_proofs_of_suprema_are_smaller_than_the_walk(kind):
    """Where linear pieces are few, exact suprema have proofs of a fraction of their number, or at most as many."""
    rng, sizes = random.Random(KINDS.index(kind)), [0, 0]
    for _ in range(5):
        net = as_network(lean(network(rng, (2, 6, 5, 3), kind), rng))
        box = Polyhedron.box([(-1, 2)] * 2)
        values = [e.value for e in pieces.extremes(net, box, 3, Budget())[2].values()]
        limits = {i: value for i, value in enumerate(values) if value <= 0}
        for k, trees in enumerate((proofs, pieces.proofs)):
            found = trees(net, box, 3, limits, Budget())
            assert found.keys() == limits.keys()
            sizes[k] += sum(map(len, found.values()))
    assert 0 < sizes[0] <= sizes[1]


def test_what_cuts_do_not_settle_is_left_to_the_walk(monkeypatch):
    net, box = as_network(minima(random.Random(7), 2, 4, "rational")), Polyhedron.box([(-2, 2)] * 2)
    limits = {0: pieces.extremes(net, box, 3, Budget())[2][0].value}
    monkeypatch.setattr("geomrelu.deadness.by_pieces.PROOF", 0)
    assert proofs(net, box, 3, limits, Budget()) == pieces.proofs(net, box, 3, limits, Budget())


def test_values_of_vertices_are_forgotten(monkeypatch):
    """Memory does not grow from neuron to neuron; verdicts do not change."""
    net = as_network(minima(random.Random(5), 2, 4, "rational"))
    box = Polyhedron.box([(-2, 2)] * 2)
    _, cuts = cut(net, box, 3)
    before = [cuts.search(i, PLENTY, Budget()) for i in range(4)]
    monkeypatch.setattr(by_cuts, "REMEMBERED", 0)
    assert [cuts.search(i, PLENTY, Budget()) for i in range(4)] == before
    assert Fraction(0) not in [f.tight for f in before]


def test_finished_parts_are_small(monkeypatch):
    """While a neuron is cut, what parts derive is text: a part that is finished takes a few objects, however much it
    derives. The proof is made of the text in the end."""
    net, box = as_network(minima(random.Random(5), 2, 8, "rational")), Polyhedron.box([(-2, 2)] * 2)
    _, cuts = cut(net, box, 4)
    close, sizes = cuts._close, []

    def observed(part, bound):
        close(part, bound)
        sizes.append(len(objects(part)))

    monkeypatch.setattr(by_cuts.Cuts, "_close", lambda self, *what: observed(*what))
    found = [cuts.search(i, PLENTY, Budget()) for i in range(4)]
    items = [len(node["derive"]) for f in found for node in f.proof if "derive" in node]
    assert len(sizes) > 100
    assert max(items) >= 20
    assert max(sizes) < 10
