"""Ranges of pre-activations: against minima and maxima over all pieces, on all kinds of domains; and as files."""

from __future__ import annotations

import csv
import json
import random
from fractions import Fraction

import families
import numpy as np
import oracles
import pytest

from geomrelu import Budget, FiniteSet, InputError, Network, Polyhedron, checker, decide
from geomrelu.deadness.ranges import Range
from geomrelu.deadness.tightening import tightened
from geomrelu.geometry.domains import Union


def everything(network):
    return {layer: range(width) for layer, width in enumerate(network.widths, 1)}


def best(network, domain, budget=None, **how):
    *_, found = tightened(network, domain, everything(network), budget, **how)
    return found


def extremes(layers, domain, sign):
    """Suprema of sign * z by the oracle, layer by layer."""
    if isinstance(domain, FiniteSet):
        values = [oracles.forward(layers, p) for p in domain.points]
        return [[max(sign * v[k][i] for v in values) for i in range(len(b))] for k, (_, b) in enumerate(layers)]
    n = domain.dimension
    if domain.given_by_generators:
        where = oracles.ppl_from_generators(*domain.checked.generators)
    else:
        where = oracles.ppl_polyhedron([*domain.sides, *domain.rows], n, domain.flats)
    found = []
    for k in range(len(layers)):
        rows, bias = layers[k]
        turned = [*layers[:k], ([[sign * w for w in row] for row in rows], [sign * b for b in bias])]
        found.append(oracles.suprema(turned, where, n)[k])
    return found


@pytest.mark.parametrize("block", range(4))
def test_ranges_are_the_extremes_where_pieces_are_few(block):
    """Rational, ternary, degenerate and badly scaled networks on boxes, rows, generators, R^n and finite sets."""
    for layers, net, domain, where, kind in families.cases(25, 500 + block):
        found = best(net, domain)
        highest, lowest = extremes(layers, domain, 1), extremes(layers, domain, -1)
        for r in found:
            place = (where, kind, r.layer, r.neuron)
            high, low = highest[r.layer - 1][r.neuron], lowest[r.layer - 1][r.neuron]
            assert r.upper == (None if high == oracles.INFINITE else high), place
            assert r.lower == (None if low == oracles.INFINITE else -low), place
            assert r.attained == (r.lower is not None, r.upper is not None), place
            dead, active = high != oracles.INFINITE and high <= 0, low != oracles.INFINITE and low <= 0
            right = "both" if dead and active else "dead" if dead else "active" if active else "unstable"
            assert r.status == right, place
            assert r.crosses is (right == "unstable"), place
        sides = sum((r.lower is not None) + (r.upper is not None) for r in found)
        if sides:
            assert found.check() == sides


def test_each_step_makes_some_ranges_narrower_and_none_wider():
    """Wide layers, where pieces are too many: values at points lie inside, and the plain judge accepts all claims."""
    rng = random.Random(7)
    for inputs, widths in ((3, (130, 6)), (40, (12, 12, 5)), (5, (8, 8, 8))):
        layers = families.network(rng, (inputs, *widths), "rational")
        net, domain = families.as_network(layers), Polyhedron.box([(-1, Fraction(1, 2))] * inputs)
        points = [[rng.choice((-1, Fraction(1, 2), Fraction(rng.randint(-8, 4), 8))) for _ in range(inputs)]
                  for _ in range(40)]  # fmt: skip
        values = [oracles.forward(layers, p) for p in points]
        before: dict[tuple[int, int], Range] = {}
        sizes = []
        for found in tightened(net, domain, everything(net), Budget(60, 200)):
            for r in found:
                assert all(r.lower <= z[r.layer - 1][r.neuron] <= r.upper for z in values)
                old = before.get((r.layer, r.neuron), r)
                assert old.lower <= r.lower <= r.upper <= old.upper
            before = dict(found.found)
            sizes.append(sum(r.upper - r.lower for r in found))
        assert sizes[-1] < sizes[0]
        assert found.check() == 2 * sum(widths)


def test_cuts_of_the_box_narrow_deep_ranges_and_are_proved(monkeypatch):
    """What the quick judge derives on all parts is what the plain judge finds."""
    rng = random.Random(3)
    net = families.as_network(families.network(rng, (2, 8, 8, 3), "rational"))
    domain = Polyhedron.box([(-1, 1)] * 2)
    monkeypatch.setattr("geomrelu.deadness.tightening.is_listed", lambda domain: False)
    found = best(net, domain, Budget(60))
    cut = [c for b in found.bundles if b.parts for c in b.claims]
    assert len(cut) > 10
    assert found.check() == 2 * 19
    monkeypatch.undo()
    true = best(net, domain)
    for r in true:
        assert found[r.layer, r.neuron].lower <= r.lower <= r.upper <= found[r.layer, r.neuron].upper


def test_statuses_and_fixed_neurons():
    net = Network.from_layers(
        [([[1, 0], [0, 1]], [0, 0], "relu"), ([[1, 1], [-1, -1], [1, -1], [0, 0]], [-3, 3, 0, 0], "relu")]
    )
    found = decide(net, (-1, 1)).ranges
    assert [r.status for r in found] == ["unstable", "unstable", "dead", "active", "unstable", "both"]
    assert found.fixed == [(2, 0, "dead"), (2, 1, "active"), (2, 3, "both")]
    assert found.with_status("unstable") == [(1, 0), (1, 1), (2, 2)]
    assert (found[2, 0].lower, found[2, 0].upper) == (-3, -1)
    assert all(r.crosses for r in found if r.status == "unstable")


def test_a_smaller_bound_than_the_truth_is_refused():
    net = Network.from_layers([([[1, 1]], [0], "relu"), ([[1]], [-1], "relu")])
    found = decide(net, (0, 1)).ranges
    assert found[2, 0].upper == 1
    for side, wrong in (("at most", Fraction(999, 1000)), ("at least", Fraction(-999, 1000))):
        (certificate,) = [c for c in found.certificates if c["claims"][0]["layer"] == 2]
        certificate = json.loads(json.dumps(certificate))
        for claim in certificate["claims"]:
            if claim["status"] == side:
                claim["bound"] = str(wrong)
        with pytest.raises(checker.Rejected, match="layer 2, neuron 0: the bound"):
            checker.check(certificate, found.model, found.domain)


def test_only_what_was_asked_and_nothing_is_bounded_without_time():
    net = families.as_network(families.network(random.Random(1), (3, 6, 6), "rational"))
    report = decide(net, (-1, 1), layers=[2], neurons=[4, 1])
    assert list(report.ranges.found) == [(2, 1), (2, 4)]
    hurried = best(net, Polyhedron.box([(-1, 1)] * 3), Budget(0))
    assert all(r.lower is None and r.upper is None and r.status == "unstable" for r in hurried)
    assert hurried.certificates == []
    assert hurried.check() == 0


def test_on_a_union_they_are_hulls():
    net = Network.from_layers([([[1]], [0], "relu"), ([[1], [-1]], [-2, "1/2"], "relu")])
    union = Union.of([Polyhedron.box([(-1, 0)]), Polyhedron.box([(1, 3)])])
    found = decide(net, union).ranges
    assert [(r.lower, r.upper) for r in found] == [(-1, 3), (-2, 1), (Fraction(-5, 2), Fraction(1, 2))]
    assert found.check() == 12
    assert found[1, 0].crosses


def test_files_say_the_same_and_floats_are_rounded_outward(tmp_path):
    third = Network.from_layers([([["1/3"], ["-1/3"], [0]], ["1/7", "-5/7", 0], "relu")])
    found = decide(third, (-1, 1)).ranges
    for name in ("r.npz", "r.json", "r.csv"):
        found.save(tmp_path / name)
    data = json.loads((tmp_path / "r.json").read_text())
    assert data["geomrelu"] == "ranges 1"
    assert (data["model"], data["domain"]) == (third.digest, found.domain.digest())
    exact = [(Fraction(n["lower"]), Fraction(n["upper"])) for n in data["layers"][0]["neurons"]]
    assert exact == [(Fraction(-4, 21), Fraction(10, 21)), (Fraction(-22, 21), Fraction(-8, 21)), (0, 0)]
    assert data["fixed"] == [[1, 1, "dead"], [1, 2, "both"]]
    arrays = np.load(tmp_path / "r.npz")
    assert arrays["neurons_1"].tolist() == [0, 1, 2]
    assert arrays["status_1"].tolist() == ["unstable", "dead", "both"]
    for k, (low, high) in enumerate(exact):
        f_low, f_high = float(arrays["lower_1"][k]), float(arrays["upper_1"][k])
        assert Fraction(f_low) <= low
        assert high <= Fraction(f_high)
        assert low < Fraction(float(np.nextafter(f_low, np.inf)))
        assert Fraction(float(np.nextafter(f_high, -np.inf))) < high
    rows = list(csv.DictReader((tmp_path / "r.csv").open()))
    assert [float(row["upper"]) for row in rows] == arrays["upper_1"].tolist()
    with pytest.raises(InputError, match=r"r\.txt: ranges are written as"):
        found.save(tmp_path / "r.txt")


def test_numbers_beyond_floats_stay_true(tmp_path):
    net = Network.from_layers([([[10**400], [Fraction(1, 10**400)]], [0, 0], "relu")])
    found = decide(net, (0, 1)).ranges
    assert found[1, 0].upper == 10**400
    assert found[1, 0].floats == (0, float("inf"))
    assert found[1, 1].floats == (0, 5e-324)
    unbounded = decide(net, "R^n").ranges
    assert [(r.lower, r.upper, r.status) for r in unbounded] == [(None, None, "unstable")] * 2
    assert unbounded[1, 0].floats == (-float("inf"), float("inf"))


def test_certificates_on_disk_are_judged(tmp_path):
    from geomrelu import check

    net = families.as_network(families.network(random.Random(5), (2, 5, 5), "degenerate"))
    found = decide(net, (-1, 1)).ranges
    files = found.save_certificates(tmp_path / "c")
    assert check(files, net, (-1, 1)) == 20
    again = found.save_certificates(tmp_path / "c")
    assert again == files


def test_real_network(shared):
    """All ranges of an ACAS Xu network hold a thousand samples; in layers 1 to 3 the plain judge accepts them."""
    folder = shared / "networks"
    report = decide(folder / "acasxu_1_1.onnx", folder / "acasxu_full_domain.vnnlib", layers=[1, 2, 3], time=20)
    *_, found = report.tightened(15)
    net, box = report.network, report.domain.checked
    low, high = (np.array([float(v) for v in side]) for side in (box.lower, box.upper))
    points = low + np.random.default_rng(0).random((1000, 5)) * (high - low)
    values = points
    for layer in (1, 2, 3):
        matrix, bias = net.layers[layer - 1].floats
        start = net.starts[layer - 1]
        z = values @ matrix[:, start:].toarray().T + bias
        for r in found.layers[layer]:
            assert r.floats[0] <= z[:, r.neuron].min()
            assert z[:, r.neuron].max() <= r.floats[1]
        values = np.maximum(z, 0)
    assert (2, 24) in found.with_status("dead")
    assert all(checker.check({**c, "claims": c["claims"][:10]}, net.checked, box) for c in found.certificates)


class Counted(int):
    """A whole number that counts how often it is compared."""

    compared = 0

    def __eq__(self, other):
        Counted.compared += 1
        return int(self) == other

    __hash__ = int.__hash__


def test_what_was_decided_is_looked_up_once_for_each_neuron():
    """A list searched for each of hundreds of thousands of dead neurons took minutes after the end of the budget."""
    n = 1000
    network = Network.from_layers([([[1]] * n, [-2] * n, "relu")])
    verdicts = decide(network, (0, 1)).verdicts
    asked = {1: [Counted(i) for i in range(n)]}
    Counted.compared = 0
    *_, found = tightened(network, Polyhedron.box([(0, 1)]), asked, Budget(60), verdicts)
    assert len(list(found)) == n and Counted.compared < 100 * n
