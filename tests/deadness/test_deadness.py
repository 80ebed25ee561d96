"""Verdicts against the brute-force oracle, float traps, and what stability means."""

from __future__ import annotations

import itertools
import random
import time
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import oracles
import pytest
from families import as_network, cases, network

from geomrelu import Budget, FiniteSet, InputError, Network, Polyhedron, Status, checker
from geomrelu.deadness import by_search
from geomrelu.deadness.decide import decide
from geomrelu.network import pieces


def oracle_suprema(layers, domain):
    if isinstance(domain, FiniteSet):
        values = [oracles.forward(layers, p) for p in domain.points]
        return [[max(v[k][i] for v in values) for i in range(len(b))] for k, (_, b) in enumerate(layers)]
    n = domain.dimension
    if domain.given_by_generators:
        return oracles.suprema(layers, oracles.ppl_from_generators(*domain.checked.generators), n)
    rows = [*domain.sides, *domain.rows]
    return oracles.suprema(layers, oracles.ppl_polyhedron(rows, n, domain.flats), n)


@pytest.mark.parametrize("block", range(10))
def test_verdicts_equal_the_oracle(block):
    """40 networks a block: rational, ternary, degenerate and badly scaled, on all kinds of domains."""
    for layers, net, domain, where, kind in cases(40, 1000 + block):
        truth = oracle_suprema(layers, domain)
        reports = list(decide(net, domain))
        points = checker.Judge(reports[0].points, net.checked, domain.checked)
        for report in reports:
            for v in report.verdicts:
                right = truth[report.layer - 1][v.neuron]
                alive = right == oracles.INFINITE or right > 0
                place = (where, kind, report.layer, v.neuron, right)
                assert v.status is (Status.ALIVE if alive else Status.DEAD), place
                assert v.supremum == right, place
                checker.prove(v.claim, points)
                compact = isinstance(domain, FiniteSet) or domain.is_bounded
                if not alive and (compact or right == 0):
                    assert v.stable is (right < 0), place
                if not alive and report.layer <= 2:
                    assert v.stable is not None, place
            dead = [v.status is Status.DEAD for v in report.verdicts]
            assert report.killed is all(dead)


def test_wide_first_layers_on_boxes_are_what_the_judge_accepts():
    """Its sums are not computed by the judge: ternary and badly scaled weights, inputs that do not vary, ties at 0."""
    rng = random.Random(5)
    n = 200
    sides = [sorted((Fraction(rng.randint(-3, 3), rng.randint(1, 4)), Fraction(rng.randint(-3, 3)))) for _ in range(n)]
    sides[:50] = [[low, low] for low, _ in sides[:50]]
    weights = [[rng.randint(-1, 1) * 2 ** (rng.choice([-60, 0, 60]) * (i % 2)) for _ in range(n)] for i in range(60)]
    exact = [[Fraction(w) for w in row] for row in weights]
    tops = [sum(max(w * low, w * high) for w, (low, high) in zip(row, sides, strict=True)) for row in exact]
    bias = [-top + rng.choice([-1, 0, Fraction(1, 2**70)]) for top in tops]
    net = Network.from_layers([(exact, bias, "relu")])
    domain = Polyhedron.box(sides)
    (report,) = decide(net, domain)
    assert {v.status for v in report.verdicts} == {Status.ALIVE, Status.DEAD}
    for v, top, b in zip(report.verdicts, tops, bias, strict=True):
        assert v.supremum == top + b
        assert v.stable is (None if top + b > 0 else top + b < 0)
        checker.prove(v.claim, checker.Judge([], net.checked, domain.checked))


def test_search_agrees_with_pieces(monkeypatch):
    """The floating-point search with exact confirmation finds the verdicts that the pieces give."""
    from geomrelu.deadness import branch_and_bound
    from geomrelu.deadness.relaxation import FloatNetwork

    decided = 0
    for _, net, domain, where, _ in cases(160, 77):
        if where != "box":
            continue
        exact = {(v.layer, v.neuron): v for r in decide(net, domain) for v in r.verdicts}
        with monkeypatch.context() as patch:
            patch.setattr("geomrelu.deadness.by_pieces.FEW_PIECES", 0)
            patch.setattr("geomrelu.deadness.by_pieces.MOST_GENERATED", 0)
            patch.setattr("geomrelu.deadness.by_search.is_cut", lambda domain: False)
            patch.setattr(branch_and_bound, "MOST_BOXES", 5000)
            for report in decide(net, domain):
                for v in report.verdicts:
                    if v.status is not Status.UNDECIDED:
                        decided += report.layer > 1
                        assert v.status is exact[v.layer, v.neuron].status
                    else:  # only what is tight for floats may stay open
                        bounds = FloatNetwork(net, domain).whole(report.layer).bounds[-1]
                        reach = Fraction(max(abs(float(side[0, v.neuron])) for side in bounds))
                        assert abs(exact[v.layer, v.neuron].supremum) < Fraction(1, 1000) + reach / 10**12
    assert decided > 80


def relu_sum(e, k=0):
    """relu(x1) + relu(x2) - 2 + e, first layer divided by 2^k and second weights multiplied by it."""
    s = Fraction(2) ** k
    return Network.from_layers([([[1 / s, 0], [0, 1 / s]], [0, 0], "relu"), ([[s, s]], [Fraction(e) - 2], "relu")])


@pytest.mark.parametrize("k", [0, 16, 24, 40, 60])
@pytest.mark.parametrize("exponent", [30, 17])
def test_float_traps(k, exponent):
    """Where float verifiers call a living neuron dead, or the reverse."""
    square = Polyhedron.box([(-1, 1)] * 2)
    tiny = Fraction(1, 2**exponent)

    def second(e):
        *_, last = decide(relu_sum(e, k), square)
        return last.verdicts[0]

    assert (second(-tiny).status, second(-tiny).stable) == (Status.DEAD, True)
    assert (second(0).status, second(0).stable) == (Status.DEAD, False)
    assert second(Fraction(1, 2**50)).status is Status.ALIVE
    assert second(tiny).status is Status.ALIVE
    assert second(tiny).supremum == tiny


def test_rescaling_and_permutation_change_nothing():
    rng = random.Random(5)
    for layers, net, domain, _, _ in cases(40, 55, widths=((2, 3, 3),)):
        (rows, bias), (outer, outer_bias) = layers
        order = list(range(len(rows)))
        rng.shuffle(order)
        factor = [Fraction(2) ** rng.randint(-60, 60) for _ in rows]
        twisted = [
            ([[factor[i] * v for v in rows[i]] for i in order], [factor[i] * bias[i] for i in order]),
            ([[row[i] / factor[i] for i in order] for row in outer], outer_bias),
        ]
        (one,) = decide(net, domain, layers=[2])
        (two,) = decide(as_network(twisted), domain, layers=[2])
        for v, w in zip(one.verdicts, two.verdicts, strict=True):
            assert (v.status, v.stable, v.supremum) == (w.status, w.stable, w.supremum)


@pytest.mark.parametrize(("n0", "n1"), [(1, 1), (2, 1), (2, 2), (1, 2), (2, 3)])
def test_stably_unactivated_counts(n0, n1):
    """On R^n0 exactly 2^n1 (n1 <= n0) or 2^n1 + 2 (n1 = n0 + 1) of all sign choices are stably unactivated."""
    rng = random.Random(n0 * 10 + n1)
    a = [[rng.randint(1, 50) for _ in range(n0)] for _ in range(n1)]
    b, w, c = ([rng.randint(1, 50) for _ in range(size)] for size in (n1, n1, 1))
    rows = [[*row, bias] for row, bias in zip(a, b, strict=True)]
    stable = 0
    for flips in itertools.product((1, -1), repeat=n1):
        first = [[f * v for v in row] for f, row in zip(flips, rows, strict=True)]
        for signs in itertools.product((1, -1), repeat=n1 + 1):
            outer = [[s * v for s, v in zip(signs, w, strict=False)]]
            net = Network.from_layers(
                [([r[:-1] for r in first], [r[-1] for r in first], "relu"), (outer, [signs[-1] * c[0]], "relu")]
            )
            (report,) = decide(net, Polyhedron.space(n0), layers=[2])
            stable += report.verdicts[0].stable is True
    assert stable == (2**n1 if n1 <= n0 else 2**n1 + 2)


def test_stability_survives_perturbation():
    """Whatever is called stably dead stays dead under small random changes of all parameters."""
    rng = random.Random(9)
    stable = 0
    for layers, net, domain, where, kind in cases(200, 31, widths=((2, 2, 2), (1, 2, 2), (2, 3, 2, 2))):
        if kind == "scaled":
            continue
        for report in decide(net, domain):
            for v in report.verdicts:
                if v.stable is not True:
                    continue
                stable += 1
                for _ in range(3):
                    near = [
                        (
                            [[x + Fraction(rng.randint(-9, 9), 10**9) for x in row] for row in rows],
                            [x + Fraction(rng.randint(-9, 9), 10**9) for x in bias],
                        )
                        for rows, bias in layers
                    ]
                    supremum = oracle_suprema(near, domain)[report.layer - 1][v.neuron]
                    assert supremum != oracles.INFINITE and supremum <= 0, (where, report.layer, v.neuron)
    assert stable > 100


def test_unbounded_domains_need_strict_slopes():
    orthant = Polyhedron.orthant(2)
    net = Network.from_layers([([[-1, -1], [-1, 0], [0, 0], [-1, 0]], [-1, -1, -1, 0], "relu")])
    (report,) = decide(net, orthant)
    assert [(v.status.value, v.stable) for v in report.verdicts] == [
        ("dead", True),
        ("dead", False),
        ("dead", False),
        ("dead", False),
    ]
    assert report.killed is True


def test_dead_layers_and_what_follows_them():
    """A killed layer makes the next one constant: a positive bias there is judged alive, but the network is dead."""
    net = Network.from_layers([([[1]], [-5], "relu"), ([[1]], [1], "relu")])
    first, second = decide(net, Polyhedron.box([(-1, 1)]))
    assert first.killed is True and second.killed is False


def test_budgets_end_in_undecided():
    rng = random.Random(3)
    net = as_network(network(rng, (3, 8, 8, 4), "rational"))
    for budget in (Budget(regions=3), Budget(seconds=1e-9)):
        reports = list(decide(net, Polyhedron.space(3), budget=budget))
        if budget.seconds is None:
            assert all(v.status is not Status.UNDECIDED for v in reports[0].verdicts)
        open_ = [v for r in reports[1:] for v in r.verdicts if v.status is Status.UNDECIDED]
        assert open_ and all("budget" in v.reason or "time" in v.reason for v in open_)
        with pytest.raises(TypeError):
            bool(open_[0].status)
        assert reports[-1].killed is None
    finite = FiniteSet.of([(k, k, k) for k in range(5)])
    assert any(v.status is Status.UNDECIDED for r in decide(net, finite, budget=Budget(1e-9)) for v in r.verdicts)


def scattered(count, n):
    rng = random.Random(n)
    return [[rng.randint(0, 3) for _ in range(n)] for _ in range(count)]


def test_domains_too_large_to_list_are_left_undecided():
    """A 30-dimensional box cut once has too many vertices; none of them is needed, unless it is unbounded and given by
    them."""
    rows = [[1, *(s * int(i == j) for j in range(30))] for i in range(30) for s in (1, -1)]
    cut = Polyhedron.from_rows([*rows, [1, *[1] * 30]])
    net = Network.from_layers([([[1] * 30], [-40], "relu"), ([[1]], [-1], "relu")])
    first, second = decide(net, cut)
    assert cut.is_bounded and first.verdicts[0].stable is second.verdicts[0].stable is True
    first, second = decide(net, Polyhedron.from_rows([*rows[1:], [1, *[-1] * 30]]))
    assert first.verdicts[0].status is Status.DEAD and first.verdicts[0].stable is True
    assert second.verdicts[0].status is Status.DEAD and second.verdicts[0].stable is True
    hull = Polyhedron.from_generators(scattered(300, 30), [[1] + [0] * 29])
    _, second = decide(Network.from_layers([([[-1] * 30], [-40], "relu"), ([[-1]], [-1], "relu")]), hull)
    assert second.verdicts[0].status is Status.UNDECIDED and "too many" in second.verdicts[0].reason


def test_layers_of_zeros_can_be_revived():
    """A dense layer of zeros reads the layer before it: the smallest weight makes it unbounded."""
    for w in (0, Fraction(1, 10**6)):
        net = Network.from_layers([([[1]], [0], "relu"), ([[w]], [-1], "relu")])
        *_, last = decide(net, Polyhedron.space(1))
        assert last.verdicts[0].status is (Status.ALIVE if w else Status.DEAD)
        assert last.verdicts[0].stable is (None if w else False)


def test_redundant_rays_and_lines():
    net = Network.from_layers([([[1, 0, 0], [0, 1, 0], [1, -1, 0]], [0, 0, 0], "relu"), ([[-1, -1, -1]], [-1], "relu")])
    for rays, lines in (([[0, 0, 1]], [[1, 0, 0], [0, 1, 0]]), ([[1, 0, 0], [-1, 0, 0], [0, 1, 1]], [[1, 0, 0]])):
        *_, last = decide(net, Polyhedron.from_generators([[0, 0, 0]], rays, lines))
        assert (last.verdicts[0].status, last.verdicts[0].stable) == (Status.DEAD, True)


def test_deep_networks_at_infinity_stay_cheap():
    layers = [
        ([[-1]] * 10, [-1] * 10, "relu"),
        *[([[1] * 10] * 10, [-1] * 10, "relu")] * 10,
        ([[1] * 10], [-1], "relu"),
    ]
    (report,) = decide(Network.from_layers(layers), Polyhedron.orthant(1), layers=[12])
    assert report.verdicts[0].stable is True


def test_numbers_beyond_the_floats():
    """Search gives up where floats overflow; nothing crashes and nothing is claimed."""
    huge = Fraction(10) ** 308
    for low, high in ((-huge, huge), (0, huge * 1000)):
        net = Network.from_layers([([[1] * 12] * 3, [1, -1, 0], "relu"), ([[1, 1, 2]], [1], "relu")])
        *_, last = decide(net, Polyhedron.box([(low, high)] * 12), budget=Budget(2))
        assert last.verdicts[0].status in (Status.ALIVE, Status.UNDECIDED)


def test_interruption_reports_what_was_decided():
    net = as_network(network(random.Random(3), (2, 4, 4), "rational"))

    def stop(layer, done, asked):
        if (layer, done) == (2, 2):
            raise KeyboardInterrupt

    reports = []
    with pytest.raises(KeyboardInterrupt):
        for report in decide(net, Polyhedron.box([(-1, 1)] * 2), progress=stop):
            reports.append(report)
    assert [v.status is Status.UNDECIDED for v in reports[1].verdicts].count(False) == 2


def test_wrong_requests_are_refused():
    net = as_network(network(random.Random(1), (2, 2), "rational"))
    box = Polyhedron.box([(-1, 1)] * 2)
    for arguments in (
        {"domain": Polyhedron.space(3)},
        {"domain": Polyhedron.box([(1, 0), (0, 1)])},
        {"domain": box, "layers": [2]},
        {"domain": box, "neurons": [5]},
    ):
        with pytest.raises(InputError):
            list(decide(net, **arguments))


def test_residual_and_skip_networks():
    """A residual connection carries the input past a killed layer."""
    from geomrelu.exact.affine import AffineMap
    from geomrelu.io.tape import Tape, joined

    tape = Tape(1)
    killed = tape.relu(AffineMap.from_dense([[1]], [-5]).after(tape.input))
    around = joined(killed, tape.input)
    tape.finish(tape.relu(around))
    first, second = decide(Network.from_tape(tape), Polyhedron.box([(-1, 1)]))
    assert first.killed is True
    assert second.verdicts[0].supremum == 1


def test_a_walk_over_pieces_that_takes_too_long_leaves_time_to_search(monkeypatch):
    """It says nothing before its end: half of the time is for points and trees."""

    def endless(network, domain, layer, budget):
        while True:
            budget.poll()
            time.sleep(0.01)

    monkeypatch.setattr("geomrelu.network.pieces.extremes", endless)
    layers = network(random.Random(5), (2, 6, 6), "rational")
    *_, last = decide(as_network(layers), Polyhedron.box([(-1, 1)] * 2), budget=Budget(4))
    truth = oracle_suprema(layers, Polyhedron.box([(-1, 1)] * 2))[1]
    decided = [v for v in last.verdicts if truth[v.neuron] != 0]
    assert [v.status is Status.ALIVE for v in decided] == [truth[v.neuron] > 0 for v in decided]


def test_dead_layers_cut_nothing(monkeypatch):
    """Behind a layer that kills, all neurons are constant: there is one piece, however deep the network is."""
    down = ([[-1, -2], [-3, -1]], [0, 0], "relu")
    layers = [([[1, 2], [2, 1]], [0, 0], "relu"), down, *[([[1, -1], [-1, 2]], [0, 0], "relu")] * 40]
    monkeypatch.setattr(by_search.BySearch, "verdicts", lambda *_: pytest.fail("it was searched"))
    net, box = Network.from_layers(layers), Polyhedron.box([(0, 1)] * 2)
    reports = list(decide(net, box))
    assert [report.killed for report in reports] == [False] + [True] * 41
    assert {v.supremum for report in reports[1:] for v in report.verdicts} == {0}
    assert pieces.likely_pieces(net, box, 42) == 4**41
    assert pieces.likely_pieces(net, box, 42, range(3, 42)) == 4**2


def test_pieces_in_thousands_of_dimensions_are_not_counted_to_the_end():
    """The count has thousands of digits, and took minutes."""
    wide: Any = SimpleNamespace(widths=(4096, 4096, 1))
    for n, layer, few in ((2000, 3, False), (2000, 1, True), (1, 2, True), (2, 3, True)):
        domain: Any = SimpleNamespace(dimension=n)
        found = pieces.likely_pieces(wide, domain, layer)
        assert (found <= pieces.COUNTED) == few and found.bit_length() < 300
    assert found == (1 + 4096 + 4096 * 4095 // 2) ** 2
