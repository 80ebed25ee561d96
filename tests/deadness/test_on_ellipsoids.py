"""Neurons on balls, ellipsoids and images of LayerNorm: verdicts, ranges and pruning, against definitions."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from itertools import pairwise

import families
import numpy as np
import pytest
from commands import run

from geomrelu import Ellipsoid, FiniteSet, InputError, Network, Polyhedron, Status, check, decide, prune
from geomrelu.certificates.batch import Quick
from geomrelu.checker import check as judged
from geomrelu.deadness.witnesses import witnesses
from geomrelu.geometry.domains import write_domain

KINDS = ("rational", "ternary", "degenerate", "scaled")


def random_network(rng, widths, kind):
    return Network.from_layers([(w, b, "relu") for w, b in families.network(rng, widths, kind)])


def points(domain, rng, count):
    """Rational points of an ellipsoid, every other one on its edge or nearly so."""
    width, radius = domain.floats.width, domain.floats.radius
    for k in range(count):
        u = np.array([rng.gauss(0, 1) for _ in range(width)])
        u *= radius / np.linalg.norm(u) * (1 if k % 2 else rng.random())
        yield domain.at(domain.inside(u.tolist()))


def agrees(report, domain, rng, count=60):
    """What is claimed is judged by both judges, and no point speaks against it."""
    claims = report.check()
    assert claims == check(report, report.network, domain, independent=False)
    values = [report.network.pre_activations(x, report.network.depth) for x in points(domain, rng, count)]
    shown = witnesses(report)
    for v in report.verdicts:
        seen = max(z[v.layer - 1][v.neuron] for z in values)
        if v.status is Status.DEAD:
            assert seen <= 0
        if v.status is Status.ALIVE:
            x = [Fraction(t) for t in shown[v.layer, v.neuron]]
            assert report.network.pre_activations(x, v.layer)[-1][v.neuron] > 0
            assert domain.dimension > 6 or domain.contains(x)
        if isinstance(v.supremum, Fraction):
            assert seen <= v.supremum


@pytest.mark.parametrize("kind", KINDS)
def test_in_one_dimension_they_are_intervals(kind):
    rng = random.Random(kind)
    for _ in range(6):
        net = random_network(rng, rng.choice([(1, 4, 3), (1, 3, 3, 2)]), kind)
        center, radius = families.rational(rng, 2), Fraction(rng.randint(0, 4), rng.choice((1, 3)))
        ball, box = Ellipsoid.ball([center], radius), Polyhedron.box([(center - radius, center + radius)])
        found, expected = decide(net, ball, time=60), decide(net, box, time=60)
        agrees(found, ball, rng, 10)
        for mine, other in zip(found.verdicts, expected.verdicts, strict=True):
            if mine.status is Status.UNDECIDED:  # only where the supremum is 0: floats do not see that
                assert mine.layer > 1 and other.supremum == 0
                continue
            assert mine.status is other.status
            assert mine.layer > 1 or (mine.supremum, mine.stable) == (other.supremum, other.stable)
            assert mine.stable is None or other.stable is None or mine.stable is other.stable


@pytest.mark.parametrize("kind", KINDS)
def test_verdicts_agree_with_points(kind):
    rng = random.Random(f"{kind} 2")
    for k in range(5):
        n = rng.choice((2, 3))
        net = random_network(rng, (n, 4, 3), kind)
        domain = (
            Ellipsoid.ball([families.rational(rng, 1) for _ in range(n)], Fraction(rng.randint(0, 5), 2)),
            Ellipsoid.of([0] * n, [[families.rational(rng, 2) for _ in range(n + 1)] for _ in range(n)], 2),
            Ellipsoid.layer_norm([rng.randint(-2, 2) for _ in range(n)], [families.rational(rng, 1) for _ in range(n)]),
        )[k % 3]
        report = decide(net, domain, time=20)
        agrees(report, domain, rng)
        assert not [v for v in report.verdicts if v.layer == 1 and v.status is Status.UNDECIDED]


def test_layer_1_is_its_closed_form():
    """Integers: b + a.x on a ball of radius r around 0 is dead if and only if b <= 0 and b^2 >= r^2 |a|^2."""
    rng = random.Random(3)
    rows = [[rng.randint(-4, 4) for _ in range(3)] for _ in range(60)]
    rows[0] = [0, 0, 0]
    squares = [sum(v * v for v in row) for row in rows]
    bias = [
        -rng.choice((round((r * r * s) ** 0.5), rng.randint(-3, 9))) for s, r in zip(squares, [2] * 60, strict=True)
    ]
    bias[0] = 0
    net = Network.from_layers([(rows, bias, "relu")])
    report = decide(net, Ellipsoid.ball([0, 0, 0], 2))
    touching = 0
    for v, b, s in zip(report.verdicts, bias, squares, strict=True):
        dead = b <= 0 and b * b >= 4 * s
        assert v.status is (Status.DEAD if dead else Status.ALIVE)
        if dead:
            assert v.stable is (b * b > 4 * s)
            touching += b * b == 4 * s
        root = next((t for t in range(40) if t * t == 4 * s), None)
        assert v.supremum == (None if root is None else b + root)
    assert touching > 3 and report.check() == 60


def test_norms_prove_what_boxes_cannot():
    """The unit ball of R^n has corners of its box at a distance of root(n)."""
    n = 40
    rng = np.random.default_rng(4)
    first = rng.choice([-1, 1], size=(6, n))
    net = Network.from_layers([(first.tolist(), [-7] * 6, "relu"), ([[1] * 6, [-1] * 6], [0, "1/8"], "relu")])
    report = decide(net, Ellipsoid.ball([0] * n, 1))
    assert report.dead == [(1, i) for i in range(6)] + [(2, 0)] and report.alive == [(2, 1)]
    assert decide(net, (-1, 1), time=20).alive[:6] == [(1, i) for i in range(6)]
    assert report.verdicts[6].stable is not True  # z = 0 everywhere
    assert report.check() == 8


def test_signs_are_split_where_norms_are_not_enough():
    """max(x, 0) + max(-x, 0) + max(y, 0) + max(-y, 0) = |x| + |y| <= root(2) on the disc, in a turned frame."""
    rows = [[3, 4], [-3, -4], [4, -3], [-4, 3]]
    for height, dead in ((Fraction(-708, 100), True), (Fraction(-707, 100), False)):
        net = Network.from_layers([(rows, [0] * 4, "relu"), ([[1] * 4], [height], "relu")])
        disc = Ellipsoid.ball([0, 0], 1)
        report = decide(net, disc, 2, time=60)
        assert (report.dead if dead else report.alive) == [(2, 0)]
        agrees(report, disc, random.Random(5))
    apart = decide(net, disc, 2, time=60, workers=2)  # points and trees travel
    assert apart.alive == [(2, 0)] and apart.check() == 1


def test_a_radius_of_0_and_a_flat_shape():
    rng = random.Random(6)
    net = random_network(rng, (3, 5, 4), "rational")
    at = [Fraction(1, 3), Fraction(-1), Fraction(2)]
    point, single = decide(net, Ellipsoid.ball(at, 0)), decide(net, FiniteSet.of([at]))
    assert [v.status for v in point.verdicts] == [v.status for v in single.verdicts]
    flat = Ellipsoid.of(at, [[1], [2], [0]], 4)  # a segment
    ends = [[at[0] + 2 * s, at[1] + 4 * s, at[2]] for s in (-1, 1)]
    found, expected = decide(net, flat, time=30), decide(net, Polyhedron.from_generators(ends), time=30)
    for mine, other in zip(found.verdicts, expected.verdicts, strict=True):
        assert mine.status is other.status or (mine.status is Status.UNDECIDED and other.supremum == 0)


@pytest.mark.parametrize("widths", [(3, 300, 2), (129, 40, 2), (1000, 20, 1), (4, 1000)])
def test_wide_networks(widths):
    rng = np.random.default_rng(7)
    layers = [(rng.integers(-3, 4, (n, m)), rng.integers(-4 * m, 3, n), "relu") for m, n in pairwise(widths)]
    net = Network.from_layers(layers)
    gamma = rng.integers(-2, 3, widths[0])
    for domain in (Ellipsoid.ball([0] * widths[0], 1), Ellipsoid.layer_norm(gamma / 4)):
        report = decide(net, domain, time=30)
        assert not [v for v in report.verdicts if v.layer == 1 and v.status is Status.UNDECIDED]
        for data in report.certificates:  # the plain judge takes a while
            judged(json.loads(json.dumps(data)), net.checked, domain.checked, Quick)
        values = [net.pre_activations(x, net.depth) for x in points(domain, random.Random(8), 4)]
        for v in report.verdicts:
            assert v.status is not Status.DEAD or max(z[v.layer - 1][v.neuron] for z in values) <= 0


def test_badly_scaled_ones():
    net = Network.from_layers([([[1, 1], [1, -1]], ["-1e-30", "-1e-29"], "relu"), ([[1, 1]], ["-1e-32"], "relu")])
    for radius, dead in (("1e-30", [(1, 1), (2, 0)]), ("1e-33", [(1, 0), (1, 1), (2, 0)])):
        report = decide(net, Ellipsoid.of([0, 0], [radius, radius], 1), time=30)
        assert (1, 1) in report.dead and ((1, 0) in report.dead) == ((1, 0) in dead)
        agrees(report, report.domain, random.Random(9))


def test_ranges_hold_and_are_judged():
    rng = random.Random(10)
    for domain in (Ellipsoid.ball(["1/2", 0], 1), Ellipsoid.layer_norm([1, 2])):
        net = random_network(rng, (2, 4, 3), "rational")
        found = decide(net, domain, time=15).ranges
        assert found.check() > 8
        values = [net.pre_activations(x, 2) for x in points(domain, rng, 60)]
        for r in found:
            seen = [z[r.layer - 1][r.neuron] for z in values]
            assert r.lower <= min(seen) and max(seen) <= r.upper
            if r.layer == 1:  # closed form: not a digit more than floats need
                best = domain.maximum(net.layers[0].form(r.neuron))
                assert float(r.upper) == pytest.approx(float(best.middle) + float(best.square) ** 0.5, rel=1e-12)


def test_pruned_networks_are_equal_on_the_ellipsoid():
    rng = random.Random(11)
    gone = 0
    for k in range(4):
        net = random_network(rng, (2, 5, 4, 2), ("rational", "degenerate")[k % 2])
        domain = Ellipsoid.ball([0, 0], "1/2") if k < 2 else Ellipsoid.layer_norm([1, 1])
        found = prune(net, domain, time=20)
        gone += sum(found.check().values())
        for x in points(domain, rng, 20):
            assert found(x) == net(x)
    assert gone > 5


# ---- the command line -------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(12)
    layers = [(rng.normal(size=(6, 3)), rng.normal(size=6) - 1, "relu"), (rng.normal(size=(4, 6)), -np.ones(4), "relu")]
    Network.from_layers(layers).save(tmp_path / "m.json")
    np.savez(tmp_path / "ln.npz", weight=rng.normal(size=3), bias=rng.normal(size=3))
    x = rng.normal(size=(40, 3))
    np.savez(tmp_path / "stats.npz", mean=x.mean(axis=0), covariance=np.cov(x.T), radius=np.array(1.5))
    return tmp_path


@pytest.mark.parametrize("domain", ["ball:1", "ball:1/2@1,0,-1", "layernorm:{}/ln.npz", "ellipsoid:{}/stats.npz"])
def test_decide_check_prune_and_convert(files, capsys, domain):
    domain, model = domain.format(files), str(files / "m.json")
    code, out, _ = run(capsys, "decide", model, "--domain", domain, "--certificates", str(files / "c"), "--time", "30")
    assert code in (0, 3) and "maximum on the ellipsoid" in out
    made = [str(path) for path in sorted((files / "c").glob("layer-*.json"))]
    for how in ((), ("--independent",)):
        code, out, _ = run(capsys, "check", *made, "--model", model, "--domain", domain, *how)
        assert code == 0 and out.count("accepted") == len(made)
    code, again, _ = run(
        capsys, "decide", model, "--domain", domain, "--certificates", str(files / "c"), "--time", "30"
    )
    assert code in (0, 3) and again.count("proved in an earlier run") >= 6
    small, proof = str(files / "small.json"), str(files / "p.json")
    code, _, _ = run(capsys, "prune", model, "--domain", domain, "-o", small, "--certificate", proof, "--time", "30")
    assert code in (0, 3)
    code, out, _ = run(
        capsys, "check", proof, "--model", model, "--domain", domain, "--smaller", small, "--independent"
    )
    assert code == 0 and "equals" in out
    text = domain if "@" in domain or ".npz" in domain else domain + "@0,0,0"
    assert run(capsys, "convert", text, "-o", str(files / "set.json"))[0] == 0
    assert run(capsys, "check", *made, "--model", model, "--domain", str(files / "set.json"))[0] == 0
    other = run(capsys, "check", *made, "--model", model, "--domain", "ball:7")
    assert other[0] == 1 and "another domain" in other[1]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("decide", "{m}", "--domain", "ball:1", "--arithmetic", "float32"), "rounding errors"),
        (("regions", "{m}", "--domain", "ball:1"), "polyhedron"),
        (("convert", "ball:1", "-o", "x.json"), "needs its center"),
        (("convert", "ball:1@0", "-o", "x.ine"), "written as .json"),
        (("decide", "{m}", "--domain", "ball:1@0,0"), r"R\^2"),
    ],
)
def test_what_knows_no_ellipsoids_says_so_in_one_line(files, capsys, arguments, problem):
    code, _, error = run(capsys, *(argument.format(m=files / "m.json") for argument in arguments))
    assert code == 2 and len(error.strip().splitlines()) == 1
    assert problem.replace("\\", "") in error


def test_from_python_others_refuse_in_one_line(files):
    from geomrelu import Arrangement, Complex, Experiment, plot

    net, ball = Network.from_file(files / "m.json"), Ellipsoid.ball([0, 0, 0], 1)
    for refuse in (
        lambda: Complex(net, ball),
        lambda: plot(net, ball),
        lambda: Arrangement([[1, 0, 0]], domain=ball),
        lambda: decide(net, ball, arithmetic="float32"),
        lambda: next(decide(net, ball).in_floats("float32", 5)),
        lambda: Experiment("alive", (3, 2), domain="ball:1").read_domain(0),
    ):
        with pytest.raises(InputError, match="polyhedr") as found:
            refuse()
        assert "\n" not in str(found.value)


def test_the_page_shows_points_of_an_ellipsoid(files):
    net, ball = Network.from_file(files / "m.json"), Ellipsoid.ball([0, 0, 0], 1)
    report = decide(net, ball, time=20)
    assert "maximum on the ellipsoid" in report.save_page(files / "page", bounds=False).read_text(encoding="utf-8")
    write_domain(ball, files / "ball.json")
    assert check([str(p) for p in report.save(files / "c")], net, str(files / "ball.json")) == report.check()


def test_what_is_said_of_an_ellipsoid_is_not_said_of_a_box():
    layers = [([[1, 2], [2, 1]], [-9, 5], "relu"), ([[1, -1]] * 3, [-1, -2, -9], "relu")]
    report = decide(layers, "ball:1")
    assert report.dead == [(1, 0), (2, 0), (2, 1), (2, 2)]
    assert not any("box" in v.reason for v in report.verdicts)


@pytest.mark.parametrize(("bias", "shown"), [
    ("-9", "-7.585786438"),
    ("5", "6.414213562"),
    ("-1.41421356237309504", "8.801688724e-18"),  # where digits cancel
    ("-1.41421356237309505", "-1.198311276e-18"),
])  # fmt: skip
def test_all_digits_of_an_irrational_maximum_are_right(bias, shown):
    """The root of 2 is 1.4142135623730950488016887242..."""
    (verdict,) = decide([([[1, 1]], [bias], "relu")], "ball:1").verdicts
    assert verdict.reason == f"maximum on the ellipsoid, irrational, about {shown}"
