"""Balls, ellipsoids, and images of normalisation layers: maxima, points, statistics, and how they are written."""

from __future__ import annotations

import json
import random
from fractions import Fraction

import numpy as np
import pytest
import sympy
from families import rational

from geomrelu import AffineForm, Ellipsoid, InputError, as_domain, checker, read_domain
from geomrelu.exact.factor import outer_factor
from geomrelu.geometry.domains import read_any, write_domain


def ellipsoids(rng, count):
    """Balls, diagonals, dense, singular, wide and narrow shapes, badly scaled ones, points; half of them centred."""
    for k in range(count):
        n = rng.randint(1, 4)
        kind = ("ball", "diagonal", "dense", "singular", "wide", "narrow", "scaled", "point")[k % 8]
        width = {"wide": n + 2, "narrow": 1}.get(kind, n)
        scale = Fraction(2) ** rng.randint(-60, 60) if kind == "scaled" else 1
        shape = [[rational(rng, 3) * scale for _ in range(width)] for _ in range(n)]
        if kind == "singular":
            shape[-1] = [2 * v for v in shape[0]] if n > 1 else [Fraction(0)]
        if kind == "ball":
            shape = None
        if kind == "diagonal":
            shape = [row[0] for row in shape]
        square = Fraction(0) if kind == "point" else Fraction(rng.randint(1, 9), rng.randint(1, 4))
        center = [rational(rng) for _ in range(n)]
        yield Ellipsoid.of(center, shape, square, centred=k % 16 > 7)


def plain(e):
    """Center, shape and square as SymPy matrices; the shape of a centred one projected."""
    data = e.data
    rows = data["shape"]
    if not isinstance(rows[0], list):
        rows = [[v if j == k else 0 for k in range(len(rows))] for j, v in enumerate(rows)]
    shape = sympy.Matrix([[sympy.Rational(str(v)) for v in row] for row in rows])
    if data.get("centred"):
        k = shape.cols
        shape = shape * (sympy.eye(k) - sympy.ones(k, k) / k)
    return sympy.Matrix([sympy.Rational(str(v)) for v in data["center"]]), shape, sympy.Rational(str(data["square"]))


def test_maxima_are_those_of_sympy():
    rng = random.Random(1)
    for e in ellipsoids(rng, 80):
        center, shape, square = plain(e)
        form = AffineForm.of(rational(rng, 20), [rational(rng) for _ in range(e.dimension)])
        a = sympy.Matrix([sympy.Rational(str(v)) for v in form.slope])
        along = shape.T * a
        best = sympy.Rational(str(form.constant)) + (a.T * center)[0] + sympy.sqrt(square * (along.T * along)[0])
        found = e.maximum(form)
        assert found.sign == int(sympy.sign(best))
        assert (found.value is not None) == bool(best.is_rational)
        if found.value is not None:
            assert best == sympy.Rational(str(found.value))
        assert found.radius > 0 and found.radius**2 >= found.square
        nearly = found.middle + found.square / found.radius  # the value at a point of the set
        assert (nearly > 0) - (nearly < 0) == found.sign
        assert found.value is None or nearly == found.value


@pytest.mark.parametrize("terms", [5, 40, 200])
def test_signs_are_exact_however_near_to_0(terms):
    """Fractions next to the root of 2, on both sides."""
    p, q = 1, 1
    for k in range(terms):
        below = Ellipsoid.ball([0, 0], 1).maximum(AffineForm.of(Fraction(-p, q), [1, 1]))
        assert below.sign == (1 if p * p < 2 * q * q else -1), k
        p, q = p + 2 * q, p + q


def test_points_and_forms_agree():
    rng = random.Random(2)
    for e in ellipsoids(rng, 48):
        width = e.floats.width
        for _ in range(4):
            u = e.inside([rng.uniform(-9, 9) for _ in range(width)])
            x = e.at(u)
            form = AffineForm.of(0, [rational(rng) for _ in range(e.dimension)])
            best = e.maximum(form)
            assert form(x) <= best.middle or (form(x) - best.middle) ** 2 <= best.square
            assert e.contains(x)
            assert all(low <= v <= high for v, low, high in zip(x, e.checked.lower, e.checked.upper, strict=True))


def test_what_lies_outside_is_seen():
    flat = Ellipsoid.of([0, 0], [[1], [2]], 4)
    assert flat.contains([2, 4]) and not flat.contains([2, "4.000001"]) and not flat.contains(["2.000001", "4.000002"])
    image = Ellipsoid.layer_norm([1, 1], [0, 1])  # u and -u with 2 u^2 <= 2
    assert image.contains([1, 0]) and not image.contains([1, 1]) and not image.contains(["1.0001", "-0.0001"])
    assert Ellipsoid.ball([1], 0).contains([1]) and not Ellipsoid.ball([1], 0).contains(["1.0000001"])
    with pytest.raises(InputError, match=r"point of R\^1"):
        flat.contains([1])
    assert flat.at([2]) == (2, 4)
    for u, problem in ([3], "does not lie"), (["x"], "not a rational"), ([1, 1], "1 numbers"):
        with pytest.raises(InputError, match=problem):
            flat.at(u)


def test_the_image_of_layer_norm_holds_what_the_layer_gives():
    rng = np.random.default_rng(3)
    for n in (1, 2, 5, 33):
        gamma, beta = rng.normal(size=n), rng.normal(size=n)
        gamma[0] = 0.0 if n == 5 else gamma[0]
        image, loose = Ellipsoid.layer_norm(gamma, beta), Ellipsoid.rms_norm(gamma, beta)
        for eps in (0.0, 1e-5, 1.0):
            x = rng.normal(size=n) * 10.0 ** rng.integers(-3, 3) + 1
            spread = np.sqrt(x.var() + eps) or 1.0
            y, z = gamma * (x - x.mean()) / spread + beta, gamma * x / np.sqrt(np.mean(x**2) + eps) + beta
            for _ in range(5):
                form = AffineForm.of(0, rng.normal(size=n))
                for e, at in ((image, y), (loose, z)):
                    best = e.maximum(form)
                    assert np.dot([float(v) for v in form.slope], at) <= float(best.middle + best.radius) + 1e-9


def ldl_is_positive(rows):
    """Is a symmetric rational matrix positive semidefinite? Elimination with pivots on the diagonal."""
    a, left = [list(map(Fraction, row)) for row in rows], list(range(len(rows)))
    while left:
        k = max(left, key=lambda j: a[j][j])
        if a[k][k] <= 0:
            return all(a[i][j] == 0 for i in left for j in left)
        left.remove(k)
        for i in left:
            for j in left:
                a[i][j] -= a[i][k] * a[k][j] / a[k][k]
    return True


@pytest.mark.parametrize("kind", ["full", "singular", "scaled", "diagonal", "floats"])
def test_factors_of_covariances_are_outward_and_near(kind):
    rng = np.random.default_rng(4)
    for n in (1, 2, 6):
        base = rng.normal(size=(n, n)) * (10.0 ** rng.integers(-8, 8, size=(n, 1)) if kind == "scaled" else 1)
        if kind == "singular":
            base[-1] = base[0]
        matrix = np.diag(base[0] ** 2) if kind == "diagonal" else np.cov(base) if kind == "floats" and n > 1 else None
        if matrix is None:
            matrix = base @ base.T
        matrix = (np.atleast_2d(matrix) + np.atleast_2d(matrix).T) / 2
        exact = [[Fraction(v) for v in row] for row in matrix.tolist()]
        factor = outer_factor(exact)
        product = [[sum(a * b for a, b in zip(p, q, strict=True)) for q in factor] for p in factor]
        more = [[a - b for a, b in zip(p, q, strict=True)] for p, q in zip(product, exact, strict=True)]
        assert ldl_is_positive(more)
        assert max(abs(float(v)) for row in more for v in row) <= 1e-8 * matrix.max() + 1e-300


def test_an_ellipsoid_of_statistics_holds_the_data_it_should():
    rng = np.random.default_rng(5)
    data = rng.normal(size=(200, 3)) @ rng.normal(size=(3, 3))
    mean, covariance = data.mean(axis=0), np.cov(data.T)
    covariance = (covariance + covariance.T) / 2
    e = Ellipsoid.of_statistics(mean, covariance, 2)
    for x in data[:60]:
        distance = (x - mean) @ np.linalg.inv(covariance) @ (x - mean)
        if abs(distance - 4) > 1e-3:
            assert e.contains(x) == (distance < 4)
    same = Ellipsoid.of_statistics(mean, np.diag(covariance), "1/3")
    assert same == Ellipsoid.of_statistics(mean, np.diag(np.diag(covariance)), "1/3")


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: Ellipsoid.ball([0, 0], -1), "radius is at least 0"),
        (lambda: Ellipsoid.ball([], 1), "must be positive"),
        (lambda: Ellipsoid.ball("00", 1), "list of numbers"),
        (lambda: Ellipsoid.ball([0], float("nan")), "not a finite number"),
        (lambda: Ellipsoid.of([0, 0], [1, 2, 3]), "one for each dimension"),
        (lambda: Ellipsoid.of([0, 0], [[1, 2], [3]]), "2 numbers"),
        (lambda: Ellipsoid.of([0], [[]]), "empty|positive"),
        (lambda: Ellipsoid.of([0], [1], -1), "negative"),
        (lambda: Ellipsoid.of_statistics([0, 0], [[1, 2], [3, 1]], 1), "not symmetric"),
        (lambda: Ellipsoid.of_statistics([0, 0], [[1, 2], [2, 1]], 1), "positive semidefinite"),
        (lambda: Ellipsoid.of_statistics([0, 0], [[-1, 0], [0, 1]], 1), "negative"),
        (lambda: Ellipsoid.of_statistics([0, 0], [[1]], 1), "2 x 2"),
        (lambda: Ellipsoid.layer_norm([1, 2], [1]), "gamma has 2 numbers, and beta has 1"),
        (lambda: Ellipsoid(checker.Domain.from_rows(1)), "is made by"),
        (lambda: Ellipsoid.ball([0, 0], 1).maximum(AffineForm.of(0, [1])), r"R\^1"),
    ],
)
def test_what_is_none_is_refused_in_one_line(make, problem):
    with pytest.raises(InputError, match=problem) as found:
        make()
    assert "\n" not in str(found.value)


# ---- as text and files ------------------------------------------------------------------------------------------


def test_texts_mean_what_they_say(tmp_path):
    assert as_domain("ball:1", 3) == Ellipsoid.ball([0] * 3, 1)
    assert as_domain("ball:1/3@1/2", 2) == Ellipsoid.ball(["1/2"] * 2, "1/3")
    assert as_domain("ball:0.1@1,0,-2", 3) == Ellipsoid.ball([1, 0, -2], "1/10")
    np.save(tmp_path / "x.npy", np.array([[0.5, 1.5]]))
    assert as_domain(f"ball:2@{tmp_path}/x.npy", 2) == Ellipsoid.ball([0.5, 1.5], 2)
    covariance = np.array([[2.0, 1.0], [1.0, 2.0]])
    np.savez(tmp_path / "stats.npz", mean=np.zeros(2), covariance=covariance, radius=np.array(1.5))
    assert as_domain(f"ellipsoid:{tmp_path}/stats.npz", 2) == Ellipsoid.of_statistics([0, 0], covariance, 1.5)
    np.savez(tmp_path / "var.npz", mean=np.zeros(2), variance=np.array([4, 9]), radius=np.array(1))
    assert as_domain(f"ellipsoid:{tmp_path}/var.npz", 2) == Ellipsoid.of([0, 0], [2, 3], 1)
    np.savez(tmp_path / "exact.npz", center=np.array(["1/3", "0"]), shape=np.array([[1], [2]]), square=np.array("1/7"))
    assert as_domain(f"ellipsoid:{tmp_path}/exact.npz", 2) == Ellipsoid.of(["1/3", 0], [[1], [2]], "1/7")
    np.savez(tmp_path / "ln.npz", weight=np.array([1.0, 2.0]), bias=np.array([0.5, 0.0]))
    assert as_domain(f"layernorm:{tmp_path}/ln.npz", 2) == Ellipsoid.layer_norm([1, 2], [0.5, 0])
    assert as_domain(f"rmsnorm:{tmp_path}/ln.npz", 2) == Ellipsoid.rms_norm([1, 2], [0.5, 0])
    np.savez(tmp_path / "gamma.npz", gamma=np.array([1.0, 2.0]))
    assert as_domain(f"layernorm:{tmp_path}/gamma.npz", 2) == Ellipsoid.layer_norm([1, 2])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ball:", "not a rational number"),
        ("ball:-1", "radius is at least 0"),
        ("ball:1@1,2,3", r"lies in R\^3"),
        ("ball:1@1,x", "not a rational number"),
        ("ball:1@nowhere.npy", "nowhere.npy"),
        ("ellipsoid:nowhere.npz", "nowhere.npz"),
        ("ellipsoid:stats.json", "write the path of an .npz file"),
        ("layernorm:{}/odd.npz", "unknown array 'scale'"),
        ("layernorm:{}/both.npz", "gamma .or weight."),
        ("ellipsoid:{}/both.npz", "unknown array"),
        ("ellipsoid:{}/half.npz", "mean, radius, and covariance or variance"),
        ("ellipsoid:{}/many.npz", "one number"),
        ("balls:1", "ball:..., ellipsoid:..., layernorm:..."),
    ],
)
def test_texts_that_mean_nothing_are_refused(text, problem, tmp_path):
    np.savez(tmp_path / "odd.npz", scale=np.ones(2))
    np.savez(tmp_path / "both.npz", weight=np.ones(2), gamma=np.ones(2))
    np.savez(tmp_path / "half.npz", mean=np.ones(2), radius=np.array(1))
    np.savez(tmp_path / "many.npz", mean=np.ones(2), variance=np.ones(2), radius=np.ones(2))
    with pytest.raises(InputError, match=problem) as found:
        read_domain(text.format(tmp_path), 2)
    assert "\n" not in str(found.value)


def test_files_keep_the_set_and_the_checker_reads_the_same(tmp_path):
    rng = random.Random(6)
    for e in ellipsoids(rng, 24):
        path = tmp_path / "domain.json"
        write_domain(e, path)
        assert read_any(str(path)) == e
        assert checker.Domain.parse(checker.parsed(path.read_text())).digest() == e.digest
    with pytest.raises(InputError, match=r"written as \.json"):
        write_domain(e, tmp_path / "domain.ine")


def test_one_set_has_one_digest():
    dense = Ellipsoid.of(["2/4", 0], [["1/2", 0], [0, 2]], "8/4")
    assert dense == Ellipsoid.of([0.5, 0], ["2/4", "2"], 2) and hash(dense) == hash(Ellipsoid.of([0.5, 0], [0.5, 2], 2))
    others = [Ellipsoid.of([0.5, 0], [0.5, 2], 3), Ellipsoid.of([0.5, 0], [0.5, 1], 2)]
    others += [Ellipsoid.of([0.5, 0], [0.5, 2], 2, centred=True), Ellipsoid.of([0.5, 0], [[0.5, 0, 0], [0, 2, 0]], 2)]
    assert len({dense, *others}) == 5


@pytest.mark.parametrize(
    "data",
    [
        {"center": [0]},
        {"square": 1},
        {"center": [0], "square": -1},
        {"center": [0], "square": 1, "centred": 1},
        {"center": [], "square": 1},
        {"center": [0], "square": 1, "shape": 1},
        {"center": [0], "square": 1, "shape": [[]]},
        {"center": [0, 0], "square": 1, "shape": [[1], 2]},
        {"center": [0, 0], "square": 1, "shape": [1, [2]]},
        {"center": [0], "square": 1, "dimension": 2},
        {"center": [0], "square": 1, "box": [[0, 1]]},
        {"center": [0], "square": 1, "points": [[0]]},
        {"center": [0.5], "square": 1},
        {"center": [0], "square": 1, "radius": 1},
    ],
)
def test_data_that_are_no_ball_are_malformed(data, tmp_path):
    with pytest.raises(checker.Rejected):
        checker.Domain.parse(json.loads(json.dumps(data)))
    if data.get("center") != [0.5]:  # which is exact where decimals are read as decimals
        (tmp_path / "domain.json").write_text(json.dumps(data))
        with pytest.raises(InputError):
            read_any(str(tmp_path / "domain.json"))
