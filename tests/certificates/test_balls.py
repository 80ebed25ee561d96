"""The judges on balls: bounds by norms, points by their u, and what must be refused."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise

import families
import pytest

from geomrelu import Ellipsoid, Network, checker
from geomrelu.certificates import kernel
from geomrelu.certificates.batch import Quick
from geomrelu.geometry.domains import write_domain

JUDGES = (checker.Judge, Quick)
PELL = [(1, 1)]  # p / q next to the root of 2: below it, above it, and so on
for _ in range(120):
    PELL.append((PELL[-1][0] + 2 * PELL[-1][1], PELL[-1][0] + PELL[-1][1]))


def certificate(net, domain, *claims, **more):
    return {"geomrelu": checker.FORMAT, "model": net.digest, "domain": domain.digest, "claims": list(claims), **more}


def answers(net, domain, *claims, **more):
    """What both judges say, which must be the same."""
    said = []
    for judge in JUDGES:
        try:
            checker.check(certificate(net, domain, *claims, **more), net.checked, domain.checked, judge)
            said.append(None)
        except checker.Rejected as problem:
            said.append(str(problem))
    assert (said[0] is None) == (said[1] is None), said
    return said[0]


def one(bias, slope, level=1):
    return Network.from_layers([([slope], [bias], "relu")])


@pytest.mark.parametrize("k", [0, 1, 2, 3, 20, 21, 119, 120])
def test_a_neuron_next_to_0_is_dead_or_not_exactly(k):
    """z = x + y - p / q on the unit disc has the supremum root(2) - p / q."""
    p, q = PELL[k]
    net, disc = one(Fraction(-p, q), [1, 1]), Ellipsoid.ball([0, 0], 1)
    below = p * p < 2 * q * q
    dead = {"layer": 1, "neuron": 0, "status": "dead", "proof": [{}]}
    assert (answers(net, disc, dead) is None) == (not below)
    assert (answers(net, disc, {**dead, "stable": True}) is None) == (not below)
    t = str(disc.maximum(net.layers[0].form(0)).radius)
    alive = {"layer": 1, "neuron": 0, "status": "alive", "point": {"ball": t}}
    assert (answers(net, disc, alive) is None) == below
    for supremum in (t, str(Fraction(t) + Fraction(-p, q)), "0"):  # it is irrational
        status = "alive" if Fraction(supremum) > 0 else "dead"
        claim = {"layer": 1, "neuron": 0, "status": status, "supremum": supremum, "point": {"ball": t}, "proof": [{}]}
        assert answers(net, disc, claim) is not None


def test_a_rational_supremum_is_exact():
    net, disc = one(-5, [3, 4]), Ellipsoid.ball([0, 0], 1)
    claim = {"layer": 1, "neuron": 0, "status": "dead", "supremum": "0", "stable": False, "proof": [{}]}
    for point in ({"ball": "5"}, {"ball": ["3/5", "4/5"]}):
        assert answers(net, disc, {**claim, "point": point}) is None
    assert answers(net, disc, {**claim, "point": {"ball": "6"}})  # inside, where z < 0
    assert answers(net, disc, {**claim, "stable": True, "point": {"ball": "5"}})
    assert answers(net, disc, {"layer": 1, "neuron": 0, "status": "at most", "bound": "0", "proof": [{}]}) is None
    assert answers(net, disc, {"layer": 1, "neuron": 0, "status": "at most", "bound": "-1e-99", "proof": [{}]})
    assert answers(net, disc, {"layer": 1, "neuron": 0, "status": "at least", "bound": "-10", "proof": [{}]}) is None


@pytest.mark.parametrize(
    ("point", "problem"),
    [
        ({"ball": ["3/5", "4/5", "0"]}, "2 numbers"),
        ({"ball": ["3/5", "0.800000000000001"]}, "does not lie"),
        ({"ball": "4.999999999999999999"}, "does not lie"),
        ({"ball": "0"}, "number > 0"),
        ({"ball": "-5"}, "number > 0"),
        ({"ball": None}, "None"),
        ({"ball": "5", "weights": []}, "unknown key"),
        ({"weights": [["1"], [], []]}, "unknown key"),
        ({}, "None"),
        (["3/5", "4/5"], "does not lie"),
        ("corner", "corner"),
        (["0", "0"], "does not lie"),
    ],
)
def test_points_that_are_none_are_refused(point, problem):
    net, disc = one(-4, [3, 4]), Ellipsoid.ball([0, 0], 1)
    assert answers(net, disc, {"layer": 1, "neuron": 0, "status": "alive", "point": {"ball": "5"}}) is None
    found = answers(net, disc, {"layer": 1, "neuron": 0, "status": "alive", "point": point})
    assert found is not None and problem in found
    assert answers(net, disc, {"layer": 1, "neuron": 0, "status": "alive", "point": 0}, points=[point])
    ray = {"layer": 1, "neuron": 0, "status": "alive", "supremum": "inf", "point": {"ball": "5"}, "ray": ["1", "0"]}
    assert answers(net, disc, ray)


def test_a_point_along_a_slope_is_for_layer_1():
    net = Network.from_layers([([[1, 0]], [2], "relu"), ([[1]], [0], "relu")])
    disc = Ellipsoid.ball([0, 0], 1)
    claim = {"layer": 2, "neuron": 0, "status": "alive"}
    assert "layer 1" in answers(net, disc, {**claim, "point": {"ball": "1"}})
    assert answers(net, disc, {**claim, "point": {"ball": ["0", "1"]}}) is None
    assert answers(net, disc, {**claim, "point": 0}, points=[{"ball": ["0", "1"]}]) is None


def test_a_centred_point_adds_up_to_0_and_its_slope_has_no_mean():
    image = Ellipsoid.layer_norm([1, 1])  # the points (v, -v) with v^2 <= 1
    net = one(-1, [5, 5])  # 0 - 1 on all of it
    assert answers(net, image, {"layer": 1, "neuron": 0, "status": "dead", "stable": True, "proof": [{}]}) is None
    net = one(-1, [3, 1])  # 2 v - 1
    claim = {"layer": 1, "neuron": 0, "status": "alive", "supremum": "1", "proof": [{}]}
    assert answers(net, image, {**claim, "point": {"ball": "2"}}) is None
    assert answers(net, image, {**claim, "point": {"ball": ["1", "-1"]}}) is None
    assert "not centred" in answers(net, image, {**claim, "point": {"ball": ["1", "0"]}})
    off = {**claim, "point": {"ball": ["1", str(-1 + Fraction(1, 1 << 90))]}}
    assert answers(net, image, off)


def random_leaf(rng, splits, widths):
    leaf = {}
    if splits and rng.random() < 0.8:
        leaf["splits"] = {str(rng.randrange(splits)): str(Fraction(rng.randint(0, 9), rng.choice((1, 3, 8))))}
    if rng.random() < 0.4:
        leaf["slopes"] = ["".join(rng.choices("0123456789abcdefg", k=width)) for width in widths]
    return leaf


def random_proof(rng, net, domain, level, depth):
    """Splits by signs and by inputs, derivations of all kinds, exact leaves."""
    widths = net.widths[: level - 1]

    def below(sides, splits, depth):
        node = {"derive": [[at] for at in range(1, level)]} if not splits or rng.random() < 0.3 else {}
        if node and rng.random() < 0.5 and level > 1:
            at = rng.randint(1, level - 1)
            leaf = random_leaf(rng, splits, widths[: at - 1])
            node["derive"].append([at, rng.randrange(widths[at - 1]), rng.choice(("upper", "lower")), leaf])
        if not depth:
            return [random_leaf(rng, splits, widths) | node]
        if rng.random() < 0.4 or level == 1:
            j = rng.randrange(net.inputs)
            low, high = sides[j]
            cut = low + (high - low) * Fraction(rng.randint(0, 4), 4)
            parts = [{**sides, j: (low, cut)}, {**sides, j: (cut, high)}]
            return [{"split": ["x", j, str(cut)]} | node, *(n for p in parts for n in below(p, splits, depth - 1))]
        at = rng.randint(1, level - 1)
        split = {"split": ["neuron", at, rng.randrange(widths[at - 1])]} | node
        return [split, *below(sides, splits + 1, depth - 1), *below(sides, splits + 1, depth - 1)]

    sides = dict(enumerate(zip(domain.checked.lower, domain.checked.upper, strict=True)))
    proof = below(sides, 0, depth)
    if "derive" not in proof[0] and level > 1:
        proof[0]["derive"] = [[at] for at in range(1, level)]
    return proof


def bounds(net, domain, proof, level, i, sign):
    """What both judges find, which must be the same to the last digit."""
    found = [judge([], net.checked, domain.checked).bound(proof, level, i, sign) for judge in JUDGES]
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize("kind", ["rational", "ternary", "degenerate", "scaled"])
def test_judges_agree_and_no_point_is_beyond_their_bounds(kind):
    rng = random.Random(kind)
    for k in range(25):
        widths = rng.choice([(1, 3, 2), (2, 4, 3), (3, 3, 3, 2), (2, 3, 2, 2)])
        net = Network.from_layers([(w, b, "relu") for w, b in families.network(rng, widths, kind)])
        n = widths[0]
        axes = rng.choice((n, n + 1))
        shape = [[families.rational(rng, 2) for _ in range(axes)] for _ in range(n)]
        square = rng.choice((Fraction(0), Fraction(1), Fraction(7, 3)))
        domain = Ellipsoid.of([families.rational(rng, 2) for _ in range(n)], shape, square, centred=k % 3 == 0)
        level = rng.randint(1, net.depth)
        i = rng.randrange(net.widths[level - 1])
        proof = random_proof(rng, net, domain, level, rng.choice((0, 1, 3)))
        for sign in (1, -1):
            bound = bounds(net, domain, proof, level, i, sign)
            for _ in range(8):
                x = domain.at(domain.inside([rng.uniform(-2, 2) for _ in range(domain.floats.width)]))
                assert sign * net.pre_activations(x, level)[-1][i] <= bound


@pytest.mark.parametrize("widths", [(3, 129, 2), (129, 3, 2), (1000, 2, 1), (5, 200, 3, 1), (2, 1000, 1)])
def test_judges_agree_on_wide_networks(widths):
    rng = random.Random(7)
    layers = [([[rng.randint(-3, 3) for _ in range(m)] for _ in range(n)], [rng.randint(-9, 3) for _ in range(n)])
              for m, n in pairwise(widths)]  # fmt: skip
    net = Network.from_layers([(w, b, "relu") for w, b in layers])
    domain = Ellipsoid.layer_norm([rng.choice((1, -2, 0)) for _ in range(widths[0])], [1] * widths[0])
    level = net.depth
    proof = [{"derive": [[at] for at in range(1, level)]}]
    bound = bounds(net, domain, proof, level, 0, 1)
    for _ in range(3):
        x = domain.at(domain.inside([rng.gauss(0, 9) for _ in range(domain.floats.width)]))
        assert net.pre_activations(x, level)[-1][0] <= bound


def test_a_ball_of_radius_0_is_its_center():
    rng = random.Random(8)
    net = Network.from_layers([(w, b, "relu") for w, b in families.network(rng, (2, 3, 3), "rational")])
    center = [Fraction(1, 3), Fraction(-2)]
    for i, z in enumerate(net.pre_activations(center, 2)[-1]):
        bound = bounds(net, Ellipsoid.ball(center, 0), [{"derive": [[1]]}], 2, i, 1)
        assert z <= bound <= z + Fraction(1, 10**6)  # what is kept of layer 1 is rounded


@pytest.mark.parametrize(
    "leaf",
    [
        {"coarse": []},
        {"rows": {"0": "1"}},
        {"equalities": {"0": "1"}},
        {"ball": "1"},
        {"splits": {"0": "1"}},
    ],
)
def test_leaves_have_nothing_new(leaf):
    net, disc = one(-9, [3, 4]), Ellipsoid.ball([0, 0], 1)
    assert answers(net, disc, {"layer": 1, "neuron": 0, "status": "dead", "proof": [leaf]})
    assert answers(net, disc, {"layer": 1, "neuron": 0, "status": "dead", "proof": [{}]}) is None


def test_the_stand_alone_judge_reads_balls(tmp_path):
    net, image = one(-1, [3, 1]), Ellipsoid.layer_norm([1, 1])
    net.save(tmp_path / "model.json")
    write_domain(image, tmp_path / "domain.json")
    claim = {"layer": 1, "neuron": 0, "status": "alive", "supremum": "1", "proof": [{}], "point": {"ball": "2"}}
    for value, code in (("1", 0), ("999/1000", 1)):
        data = certificate(net, image, {**claim, "supremum": value}, points=[])
        (tmp_path / "c.json").write_text(json.dumps(data))
        files = [str(tmp_path / name) for name in ("c.json", "model.json", "domain.json")]
        run = subprocess.run([sys.executable, checker.__file__, *files], capture_output=True, text=True)
        assert run.returncode == code, run.stdout + run.stderr
    other = certificate(net, Ellipsoid.rms_norm([1, 1]), claim)
    with pytest.raises(checker.Rejected, match="another domain"):
        checker.check(other, net.checked, image.checked)


def test_the_proved_kernel_refuses_balls_in_one_line():
    net, disc = one(-9, [3, 4]), Ellipsoid.ball([0, 0], 1)
    data = certificate(net, disc, {"layer": 1, "neuron": 0, "status": "dead", "proof": [{}]})
    with pytest.raises(checker.Rejected, match="no rule for balls"):
        kernel.said(data, net.checked, disc.checked)
