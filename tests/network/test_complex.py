"""The complex of a network: regions against PPL, walls and faces against definitions, images, equality of networks."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from itertools import combinations, pairwise

import families
import numpy as np
import oracles
import pytest

from geomrelu import AffineMap, Budget, FiniteSet, InputError, Network, Polyhedron
from geomrelu.budget import Exhausted
from geomrelu.deadness.decide import decide
from geomrelu.network import compiled, subdivision
from geomrelu.network.compiled import Compiled
from geomrelu.network.complex import Complex, difference
from geomrelu.network.subdivision import subdivide


def as_ppl(domain):
    if domain.given_by_generators:
        return oracles.ppl_from_generators(domain.vertices, domain.rays, domain.lines)
    return oracles.ppl_polyhedron(domain.inequalities, domain.dimension, domain.equalities)


def regions(complex_):
    return sorted(map(tuple, complex_.signs.tolist()))


def with_skips(rng, n, widths, kind="ternary"):
    """A network in which every layer reads all variables before it: ``(layers for the oracles, Network)``."""
    layers, variables = [], n
    for width in widths:
        ((rows, bias),) = families.network(rng, [variables, width], kind)
        layers.append((rows, bias))
        variables += width
    return layers, Network(n, tuple(AffineMap.from_dense(rows, bias) for rows, bias in layers))


def signs_at(network, point):
    return tuple((v > 0) - (v < 0) for z in network.pre_activations(point) for v in z)


def some_cases(count, seed, **kwargs):
    found = [case for case in families.cases(count, seed, **kwargs) if not isinstance(case[2], FiniteSet)]
    assert len(found) > count // 2
    return found


# ---- regions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("widths", [[2, 6, 6], [3, 5, 5], [4, 5, 5]])
def test_ternary_networks_against_ppl(widths):
    rng = random.Random(sum(widths))
    for _ in range(20):
        layers = families.network(rng, widths, "ternary")
        domain = Polyhedron.box([(-2, 2)] * widths[0])
        assert regions(Complex(families.as_network(layers), domain)) == oracles.sign_regions(
            layers, as_ppl(domain), widths[0]
        )


@pytest.mark.parametrize("seed", range(4))
def test_all_kinds_of_networks_and_domains_against_ppl(seed):
    kinds = set()
    for layers, network, domain, name, _ in some_cases(60, 100 + seed):
        kinds.add(name)
        assert regions(Complex(network, domain)) == oracles.sign_regions(layers, as_ppl(domain), domain.dimension)
    assert len(kinds) >= 7


@pytest.mark.parametrize("kind", ["ternary", "degenerate", "scaled"])
def test_skip_connections_against_ppl(kind):
    rng = random.Random(7)
    for k in range(24):
        n = rng.choice((1, 2, 3))
        layers, network = with_skips(rng, n, rng.choice(((3, 2), (1, 1, 3), (2, 2, 2), (0, 3, 2), (1, 0, 2))), kind)
        domain = Polyhedron.space(n) if k % 3 == 0 else families.domain(rng, n)[0]
        if not isinstance(domain, FiniteSet):
            assert regions(Complex(network, domain)) == oracles.sign_regions(layers, as_ppl(domain), n)


def test_lines_that_only_a_later_layer_crosses():
    first, second = AffineMap.from_dense([[1, 1]], [0]), AffineMap.from_dense([[1, -1, -1], [2, -2, 0]], [0, 1])
    network = Network(2, (first, second))
    layers = [([[1, 1]], [0]), ([[1, -1, -1], [2, -2, 0]], [0, 1])]
    found = Complex(network)
    assert regions(found) == oracles.sign_regions(layers, as_ppl(Polyhedron.space(2)), 2)
    assert not any(cell.lines for cell in found.cells)
    assert all(len(cell.lines) == 1 for cell in Complex(network, layers=1).cells)
    nothing = Complex(Network.from_layers([([[0, 0]], [1], "relu")]))
    assert regions(nothing) == [(1,)] and len(nothing.cells[0].lines) == 2


@pytest.mark.parametrize("largest", [1, 10, 60])
def test_blocks_of_any_size_give_the_same_complex(largest, monkeypatch):
    for _, network, domain, _, _ in some_cases(24, 31):
        whole = Complex(network, domain)
        compiled = Compiled(network, domain, network.depth)
        parts = list(subdivide(compiled, Budget(), largest))
        assert sorted(tuple(s) for b in parts for s in b.signs.tolist()) == regions(whole)
        expected = whole.graph(), whole.f_vector
        monkeypatch.setattr("geomrelu.network.complex.subdivide", lambda p, b: subdivide(p, b, largest))
        pieces = Complex(network, domain)
        assert pieces.f_vector == expected[1]
        assert set(map(frozenset, pieces.graph().edges)) == set(map(frozenset, expected[0].edges))
        assert sum(map(len, pieces.regions())) == pieces.n_regions == whole.n_regions
        monkeypatch.undo()


def test_small_portions_change_nothing(monkeypatch):
    cases = some_cases(24, 32)
    expected = [
        (regions(Complex(network, domain)), Complex(network, domain).f_vector) for _, network, domain, *_ in cases
    ]
    monkeypatch.setattr("geomrelu.network.subdivision._PAIRS", 1)
    monkeypatch.setattr("geomrelu.network.ragged._MOST", 1)
    for (_, network, domain, *_), (signs, faces) in zip(cases, expected, strict=True):
        assert (regions(Complex(network, domain)), Complex(network, domain).f_vector) == (signs, faces)


def patched(monkeypatch, name, value):
    """Change a constant wherever it is used."""
    homes = [module for module in (compiled, subdivision) if hasattr(module, name)]
    assert homes
    for module in homes:
        monkeypatch.setattr(module, name, value)


def test_floats_only_guide(monkeypatch):
    """With every sign left to the integers the complex is the same."""
    cases = some_cases(24, 33, widths=((2, 5, 4), (3, 4, 3)))
    expected = [regions(Complex(network, domain)) for _, network, domain, *_ in cases]
    patched(monkeypatch, "TINY", np.inf)
    for (_, network, domain, *_), signs in zip(cases, expected, strict=True):
        assert regions(Complex(network, domain)) == signs


def test_floats_beyond_their_precision_are_not_believed():
    """Two terms of 2^80 that cancel up to 1, at generators with coordinates of a hundred digits."""
    large = 2**80
    layers = [([[large, 1], [large, -1], [3, 7]], [0, 0, 1]), ([[1, -1, 0], [-1, 1, 0], [1, -1, -1]], [-1, 0, 1])]
    for domain in (Polyhedron.box([(1, 3**200), (Fraction(1, 7**90), 2)]), Polyhedron.orthant(2)):
        expected = oracles.sign_regions(layers, as_ppl(domain), 2)
        assert regions(Complex(families.as_network(layers), domain)) == expected


def perturbed(rng, widths, gap):
    """Copies and parallels of neurons, some moved a little: nearly degenerate."""
    layers = families.network(rng, widths, "degenerate")
    return [(rows, [b + gap * rng.randint(-1, 1) for b in bias]) for rows, bias in layers]


def hard_cases():
    rng, domains = random.Random(77), (Polyhedron.box([(-2, 2)] * 2), Polyhedron.orthant(2), Polyhedron.space(2))
    for domain in domains:
        for kind in ("ternary", "rational", "scaled"):
            yield families.network(rng, [2, 5, 5], kind), domain
        for gap in (Fraction(1, 2**20), Fraction(1, 2**50), Fraction(1, 2**80)):
            yield perturbed(rng, [2, 5, 4], gap), domain
    for kind in ("ternary", "scaled"):
        yield families.network(rng, [3, 5, 4], kind), Polyhedron.box([(-2, 2)] * 3)


def cells_of(network, domain):
    return sorted((cell.sign, sorted(cell.generators)) for cell in Complex(network, domain).cells)


@pytest.mark.parametrize(
    "change",
    [
        {"_OFTEN": 0},  # integers only for the generators that need them
        {"_OFTEN": 0, "_ROUGH": 0.0},  # every generator from the integers of both ends
        {"_OFTEN": 0, "UNIT": 2.0**-30},  # bounds that are too large: many signs and generators left to integers
        {"_OFTEN": 0, "UNIT": 2.0**-16, "_ROUGH": 0.25},
    ],
)
def test_integers_on_demand(change, monkeypatch):
    """Whatever is left to the integers, the regions are those of PPL and the generators those of exact arithmetic."""
    monkeypatch.setattr("geomrelu.network.subdivision._OFTEN", 10**9)  # all in integers, after the first doubt
    monkeypatch.setattr("geomrelu.network.subdivision._ROUGH", 0.0)
    cases = list(hard_cases())
    expected = [cells_of(families.as_network(layers), domain) for layers, domain in cases]
    monkeypatch.undo()
    for name, value in change.items():
        patched(monkeypatch, name, value)
    for (layers, domain), cells in zip(cases, expected, strict=True):
        assert cells_of(families.as_network(layers), domain) == cells
        assert [sign for sign, _ in cells] == oracles.sign_regions(layers, as_ppl(domain), domain.dimension)


def test_no_sign_proved_and_no_generator_known(monkeypatch):
    """Coordinates stay floats, each sign is decided by an elimination."""
    expected = [cells_of(families.as_network(layers), domain) for layers, domain in hard_cases()]
    solved = []

    def unknown(self, near, l, i=0):
        return np.full((len(near), self.widths[l]), 2, dtype=np.int8)

    def kernel_seen(rows, kernel=subdivision.kernel):
        solved.append(len(rows))
        return kernel(rows)

    monkeypatch.setattr(subdivision, "_OFTEN", 0)
    monkeypatch.setattr(subdivision, "kernel", kernel_seen)
    monkeypatch.setattr(Compiled, "outlook", unknown)
    for (layers, domain), cells in zip(hard_cases(), expected, strict=True):
        assert cells_of(families.as_network(layers), domain) == cells
    assert len(solved) > 300


def test_error_bounds_hold(monkeypatch):
    """Some positive multiple of the exact generator is as near as the bound says, in every coordinate."""
    monkeypatch.setattr(subdivision, "_OFTEN", 0)
    rng, checked, sharp = random.Random(12), 0, 0
    boxes = [Polyhedron.box([(-2, 2)] * 2), Polyhedron.box([(0, 2**45), (-1, 2**-40)]), Polyhedron.orthant(2)]
    cases = [([2, 12, 8], domain, kind) for domain in boxes for kind in ("rational", "scaled")]
    cases += [([2, 12, 8], boxes[0], 2**-30), ([3, 8, 6], Polyhedron.box([(-2, 2)] * 3), "rational")]
    for widths, domain, kind in cases:
        layers = perturbed(rng, widths, Fraction(kind)) if isinstance(kind, float) else None
        network = families.as_network(layers or families.network(rng, widths, kind))
        compiled = Compiled(network, domain, network.depth)
        for block in subdivide(compiled, Budget()):
            units = [Fraction(v) for v in compiled.units.tolist()]
            near = [None if known else row for row, known in zip(block.near.tolist(), block.known, strict=True)]
            for floats, row in zip(near, block.rows, strict=True):
                if floats is None:
                    continue
                *floats, bound = map(Fraction, floats)
                row = [v / u for v, u in zip(row, units, strict=True)]
                assert all(abs(v) <= bound for v, exact in zip(floats, row, strict=True) if not exact)
                ends = [sorted(((v - bound) / x, (v + bound) / x)) for v, x in zip(floats, row, strict=True) if x]
                low, high = max(a for a, _ in ends), min(b for _, b in ends)
                assert high > 0 and low <= high
                factor = max(abs(v) for v in floats) / max(map(abs, row))
                sharp += any(abs(v - factor * x) > bound / 2**12 for v, x in zip(floats, row, strict=True))
                checked += 1
    assert checked > 500 and sharp > 20  # and are not all far too large


@pytest.mark.parametrize("bound", [2.0**-5, 2.0**-8, 2.0**-12])
def test_signs_are_proved_for_all_coordinates_within_the_bound(bound):
    rng, proved, unknown = np.random.default_rng(3), 0, 0
    for kind in ("rational", "ternary", "scaled"):
        network = families.as_network(families.network(random.Random(6), [2, 6, 5], kind))
        compiled = Compiled(network, Polyhedron.box([(-2, 3), (-1, 40)]), network.depth)
        for block in subdivide(compiled, Budget()):
            near = compiled.rounded(block.rows)
            exact = [network.pre_activations([Fraction(v, row[0]) for v in row[1:]]) for row in block.rows]
            for _ in range(5):
                moved = near.copy()
                shift = rng.choice([-bound, bound], size=near[:, :-1].shape)
                moved[:, :-1] = np.clip(moved[:, :-1] + shift, -1, 1)
                moved[:, -1] = bound + near[:, -1]
                for l in range(network.depth):
                    signs = np.array([[(v > 0) - (v < 0) for v in z[l]] for z in exact])
                    found = compiled.outlook(moved, l)
                    known = found != 2
                    assert (found == signs)[known].all()
                    proved, unknown = proved + known.sum(), unknown + (~known).sum()
    assert proved > 500 and unknown > 500


@pytest.mark.parametrize("size", [3, 12, 19, 40, 700])
def test_forms_on_cells_in_digits(size):
    """The matrix products in digits are the products of integers, for weights of any length, all as large as can be."""
    rng, limit = random.Random(size), 2**size - 1
    weights, variables = [], 3
    for width in (30, 30, 30, 30, 2):
        rows = [[rng.choice((0, limit, limit, limit, -1)) for _ in range(variables)] for _ in range(width)]
        weights.append((rows, [rng.randint(-limit, limit) for _ in range(width)]))
        variables += width
    network = Network(3, tuple(AffineMap.from_dense(rows, bias) for rows, bias in weights))
    compiled = Compiled(network, Polyhedron.space(3), len(weights))
    signs = np.array([[rng.choice((-1, 0, 1, 1, 1)) for _ in range(variables - 3)] for _ in range(3)], dtype=np.int8)
    found = [[compiled.forms(signs, l, i) for i in (0, 1)] for l in range(len(weights))]
    for c, sign in enumerate(signs.tolist()):
        columns = np.array([[int(j == k) for j in range(4)] for k in range(4)], dtype=object)
        for l, (rows, bias) in enumerate(weights):
            forms = np.array([[b, *row] for row, b in zip(rows, bias, strict=True)], dtype=object) @ columns
            assert [found[l][i][c] for i in (0, 1)] == forms[:2].tolist()
            active = np.array([s > 0 for s in sign[len(columns) - 4 :][: len(rows)]], dtype=object)
            columns = np.concatenate([columns, forms * active[:, None]])


@pytest.mark.parametrize("exponent", [-1100, -600, -40, 40, 600, 1100])
def test_any_scale(exponent):
    """Positive factors of neurons, undone after the ReLU, and of the domain change no sign; beyond floats too."""
    rng, factor = random.Random(exponent), Fraction(2) ** exponent
    for _ in range(6):
        (w1, b1), (w2, b2) = families.network(rng, [2, 4, 3], rng.choice(("ternary", "rational")))
        scaled = [
            ([[factor * v for v in row] for row in w1], [factor * v for v in b1]),
            ([[v / factor for v in row] for row in w2], b2),
        ]
        box = Polyhedron.box([(-2, 2)] * 2)
        expected = regions(Complex(families.as_network([(w1, b1), (w2, b2)]), box))
        assert regions(Complex(families.as_network(scaled), box)) == expected
        wide = [([[v / factor for v in row] for row in w1], b1), (w2, b2)]
        assert regions(Complex(families.as_network(wide), Polyhedron.box([(-2 * factor, 2 * factor)] * 2))) == expected


@pytest.mark.parametrize("gap", [1, Fraction(1, 2**30), Fraction(1, 2**60), Fraction(1, 2**90)])
def test_a_triangle_and_a_strip_below_the_resolution_of_floats(gap):
    rows = [[1, 0], [0, 1], [1, 1], [1, 1]]
    layers = [(rows, [0, 0, -gap, -3 * gap])]
    domain = Polyhedron.box([(-2, 2)] * 2)
    network = families.as_network(layers)
    assert regions(Complex(network, domain)) == oracles.sign_regions(layers, as_ppl(domain), 2)


def test_degenerate_arrangements(shared):
    for name, case in json.loads((shared / "workloads" / "degenerate.json").read_text()).items():
        network = Network.from_layers([(case["A"], case["b"], "relu")])
        assert Complex(network).n_regions == case["expected"], name


def test_real_networks_have_the_regions_they_should(shared):
    known = {"2-10-10-1/s0": 68, "2-32-32-1/s0": 1048, "3-10-10-1/s0": 581, "4-8-8-1/s0": 637}
    data = json.loads((shared / "workloads" / "mlps.json").read_text())
    for name, count in known.items():
        case = data[name]
        scaled = [
            ([[Fraction(v, case["den"]) for v in row] for row in w], [Fraction(v, case["den"]) for v in b])
            for w, b in zip(case["W"], case["b"], strict=True)
        ]
        network = Network.from_layers(
            [(w, b, "relu" if k < len(scaled) - 1 else "none") for k, (w, b) in enumerate(scaled)]
        )
        found = Complex(network, Polyhedron.box([(-case["box"], case["box"])] * network.inputs))
        faces = found.f_vector
        assert found.n_regions == faces[-1] == count
        assert sum((-1) ** k * v for k, v in enumerate(faces)) == 1


# ---- cells ----------------------------------------------------------------------------------------------------------


def test_random_points_lie_in_the_regions_of_their_signs():
    rng = random.Random(5)
    for _, network, domain, _, _ in some_cases(40, 51):
        found = Complex(network, domain)
        known = {cell.sign: cell for cell in found.cells}
        assert len(known) == found.n_regions
        vertices = [v for cell in found.cells for v in cell.vertices]
        for _ in range(10):
            a, b, c = (rng.choice(vertices) for _ in range(3))
            p, q, r = (Fraction(rng.randint(1, 97), 100) for _ in range(3))
            point = tuple((p * x + q * y + r * z) / (p + q + r) for x, y, z in zip(a, b, c, strict=True))
            signs = signs_at(network, point)
            closed = [s for s in known if all(t in (0, u) for t, u in zip(signs, s, strict=True))]
            assert closed
            assert any(known[s].polyhedron.contains(point) for s in closed)
            assert (signs in known) or 0 in signs


def test_cells_are_affine_and_continuous():
    rng = random.Random(8)
    for _, network, domain, _, _ in some_cases(40, 61):
        for cell in Complex(network, domain).cells:
            inside = cell.interior_point()
            assert signs_at(network, inside) == cell.sign
            values = [list(inside), *([max(v, 0) for v in z] for z in network.pre_activations(inside))]
            for layer in range(network.depth + 1):
                matrix, bias = cell.affine(layer)
                assert apply(matrix, bias, inside) == values[layer]
            matrix, bias = cell.affine()
            for vertex in cell.vertices:  # on the boundary as well: the function is continuous
                assert apply(matrix, bias, vertex) == network(vertex)
                for ray in cell.rays:
                    t = rng.randint(1, 5)
                    far = [x + t * d for x, d in zip(vertex, ray, strict=True)]
                    assert apply(matrix, bias, far) == network(far)
            for line in cell.lines:
                assert not any(apply(matrix, [0] * len(bias), line))


def test_generators_of_cells_are_irredundant():
    """Only adjacent generators give new ones, also where equal or concurrent neurons share many incidences."""
    rng = random.Random(2)
    for widths in ([3, 6, 4], [3, 5, 5], [4, 5, 3]):
        for kind in ("ternary", "degenerate"):
            network = families.as_network(families.network(rng, widths, kind))
            for cell in Complex(network, Polyhedron.box([(-2, 2)] * widths[0])).cells:
                assert sorted(cell.generators) == sorted(cell.polyhedron.extreme_generators[0])


def apply(matrix, bias, point):
    return [b + sum(a * x for a, x in zip(row, point, strict=True)) for row, b in zip(matrix, bias, strict=True)]


def test_the_output_map_and_its_refusals():
    layers = [([[1, 2], [3, -1]], [0, 1], "relu"), ([[1, 1]], [-1], "relu"), ([["1/3"], [2]], [0, "1/7"], "none")]
    network = Network.from_layers(layers)
    found = Complex(network)
    for cell in found.cells:
        inside = cell.interior_point()
        assert apply(*cell.affine(), inside) == network(inside)
    assert found.cells[-1].sign == found.cells[len(found.cells) - 1].sign
    assert [c.sign for c in found.cells[1:3]] == [found.cells[1].sign, found.cells[2].sign]
    partial = Complex(network, layers=1).cells[0]
    with pytest.raises(InputError, match="once all layers are resolved"):
        partial.affine()
    with pytest.raises(InputError, match="layers 0 to 1"):
        partial.affine(2)
    for wrong in ({"layers": 4}, {"layers": -1}, {"domain": Polyhedron.space(3)}, {"domain": FiniteSet.of([[0, 0]])}):
        with pytest.raises(InputError):
            Complex(network, **wrong)
    with pytest.raises(InputError, match="vertices of the domain"):
        _ = Complex(Network.from_layers([([[1] * 40], [0], "relu")]), Polyhedron.box([(0, 1)] * 40)).n_regions


def test_volumes_add_up():
    """In the plane: areas of all cells, by the shoelace formula, sum to that of the domain."""
    rng = random.Random(3)
    for kind in ("ternary", "rational", "degenerate", "scaled"):
        for _ in range(4):
            network = families.as_network(families.network(rng, [2, 5, 5, 3], kind))
            total = Fraction(0)
            for cell in Complex(network, Polyhedron.box([(-2, 2), (-1, 3)])).cells:
                total += area(cell.vertices)
            assert total == 16


def area(points):
    centre = [sum(c) / len(points) for c in zip(*points, strict=True)]
    moved = [(p[0] - centre[0], p[1] - centre[1]) for p in points]
    upper = [p for p in moved if (p[1], p[0]) > (0, 0) and (p[1] > 0 or p[0] > 0)]
    lower = [p for p in moved if p not in upper]
    turn = [*sorted(upper, key=lambda p: -p[0] / (abs(p[0]) + abs(p[1])))]
    turn += sorted(lower, key=lambda p: p[0] / (abs(p[0]) + abs(p[1])))
    return sum((a[0] * b[1] - a[1] * b[0] for a, b in pairwise([*turn, turn[0]])), Fraction(0)) / 2


# ---- faces ----------------------------------------------------------------------------------------------------------


def walls(complex_):
    """By definition: two cells whose intersection has one dimension less than the domain."""
    cells = [(cell.sign, as_ppl(cell.polyhedron)) for cell in complex_.cells]
    found = set()
    for (s, p), (t, q) in combinations(cells, 2):
        common = oracles.ppl.C_Polyhedron(p)
        common.intersection_assign(q)
        if not common.is_empty() and common.affine_dimension() == p.affine_dimension() - 1:
            found.add(frozenset((s, t)))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_walls_by_definition(seed):
    for layers, network, domain, _, _ in some_cases(24, 70 + seed, widths=((2, 3, 3), (1, 3, 2), (3, 3, 2))):
        found = Complex(network, domain)
        graph = found.graph()
        assert set(graph.nodes) == {cell.sign for cell in found.cells}
        assert set(map(frozenset, graph.edges)) == walls(found)
        names = [(l, i) for l, (_, bias) in enumerate(layers, 1) for i in range(len(bias))]
        for s, t, wall in graph.edges(data=True):
            assert wall["neurons"] == tuple(n for n, a, b in zip(names, s, t, strict=True) if a != b)
            first = names.index((wall["layer"], wall["neuron"]))
            assert s[:first] == t[:first] and s[first] * t[first] == -1


def test_duplicated_neurons_are_crossed_together():
    rows, bias = [[1, 0], [-2, 0], [0, 1]], [0, 0, 0]
    graph = Complex(families.as_network([(rows, bias)])).graph()
    assert sorted(d["neurons"] for _, _, d in graph.edges(data=True)) == [((1, 0), (1, 1))] * 2 + [((1, 2),)] * 2


@pytest.mark.parametrize("seed", range(3))
def test_faces_by_definition(seed):
    """All faces of all cells, from the closed sets of their generators, counted once; Euler's relation."""
    for _, network, domain, _, _ in some_cases(24, 80 + seed, widths=((2, 3, 3), (1, 3, 2), (3, 3, 2))):
        found = Complex(network, domain)
        numbers = [0] * len(found.f_vector)
        for face in all_faces(found):
            numbers[dimension_of(face)] += 1
        assert tuple(numbers) == found.f_vector
        if domain.is_bounded:
            assert sum((-1) ** k * v for k, v in enumerate(numbers)) == 1


def all_faces(complex_):
    """The faces of cells as sets of homogeneous generators: intersections of facets, by the rows of each cell."""
    faces = set()
    for cell in complex_.cells:
        inequalities = cell.polyhedron.inequalities
        lines = frozenset(cell.lineality)
        level = {frozenset(cell.generators)}
        while level:
            faces |= {(face, lines) for face in level}
            level = {frozenset(g for g in face if dot(row, g) == 0) for face in level for row in inequalities} - {
                face for face, _ in faces
            }
            level = {face for face in level if any(g[0] for g in face)}
    return faces


def dot(row, generator):
    return sum(a * x for a, x in zip(row, generator, strict=True))


def dimension_of(face):
    generators, lines = face
    vertices = [[Fraction(v, g[0]) for v in g[1:]] for g in generators if g[0]]
    rays = [g[1:] for g in generators if not g[0]]
    return oracles.ppl_from_generators(vertices, rays, [g[1:] for g in lines]).affine_dimension()


# ---- deadness -------------------------------------------------------------------------------------------------------


def test_dead_neurons_are_those_that_decide_finds():
    dead_seen = alive_seen = 0
    for _, network, domain, _, _ in some_cases(60, 91):
        found, reports = Complex(network, domain), list(decide(network, domain))
        for layer in range(1, network.depth + 1):
            expected = tuple(i for i, v in enumerate(reports[layer - 1].verdicts) if v.status.name == "DEAD")
            assert found.dead(layer) == expected
            dead_seen += len(expected)
            alive_seen += network.widths[layer - 1] - len(expected)
        killed = [l for l in range(1, network.depth + 1) if len(found.dead(l)) == network.widths[l - 1]]
        assert found.killed == (killed[0] if killed else None)
        assert found.alive == (not killed)
    assert dead_seen > 20 and alive_seen > 20


# ---- images ---------------------------------------------------------------------------------------------------------


def test_images_hold_exactly_the_outputs():
    for _, network, domain, _, _ in some_cases(30, 95, widths=((2, 3, 3), (1, 3, 2), (2, 2, 2, 2))):
        for layer in range(1, network.depth + 1):
            images = Complex(network, domain).image(layer)
            expected = []
            part = Complex(network, domain, layers=layer)
            for cell in part.cells:
                matrix, bias = cell.affine(layer)
                rays = [r for r in (apply(matrix, [0] * len(bias), r) for r in cell.rays) if any(r)]
                image = oracles.ppl_from_generators([apply(matrix, bias, v) for v in cell.vertices], rays)
                if image not in expected:
                    expected.append(image)
            assert len(images) == len(expected)
            assert all(as_ppl(image) in expected for image in images)
            largest = Complex(network, domain).image(layer, maximal=True)
            tops = [p for p in expected if not any(q is not p and q.contains(p) for q in expected)]
            assert len(largest) == len(tops) and all(as_ppl(image) in tops for image in largest)


def test_the_image_of_no_layer_is_the_domain():
    domain = Polyhedron.simplex(2)
    assert Complex(Network.from_layers([([[1, 1]], [0], "relu")]), domain).image(0) == [domain]


# ---- budgets and empty sets -----------------------------------------------------------------------------------------


def test_budget_counts_regions():
    network = families.as_network(families.network(random.Random(1), [2, 6, 6], "rational"))
    count = Complex(network).n_regions
    budget = Budget(regions=count)
    assert Complex(network, budget=budget).n_regions == budget.examined == count
    with pytest.raises(Exhausted):
        _ = Complex(network, budget=Budget(regions=count - 1)).signs


def test_the_empty_domain_has_no_cell():
    empty = Complex(Network.from_layers([([[1]], [0], "relu")]), Polyhedron.from_rows([[-1, 1], [-1, -1]]))
    assert empty.n_regions == 0 and len(empty.cells) == 0 and empty.signs.shape == (0, 1)
    assert len(empty.graph()) == 0 and empty.f_vector == () and empty.dead(1) == (0,) and empty.image(1) == []
    assert difference(empty.network, empty.network, empty.domain) is None


# ---- two networks ---------------------------------------------------------------------------------------------------


def rewritten(layers, rng):
    """The same function: neurons permuted, scaled, split in two equal halves, dead ones added."""
    layers = [([list(row) for row in rows], list(bias)) for rows, bias in layers]
    for l in range(len(layers) - 1):
        rows, bias = layers[l]
        next_rows, _ = layers[l + 1]
        order = rng.sample(range(len(rows)), len(rows))
        rows[:], bias[:] = [rows[i] for i in order], [bias[i] for i in order]
        next_rows[:] = [[row[i] for i in order] for row in next_rows]
        for i in range(len(rows)):
            factor = Fraction(rng.randint(1, 5), rng.randint(1, 5)) * Fraction(2) ** rng.randint(-30, 30)
            rows[i], bias[i] = [factor * v for v in rows[i]], factor * bias[i]
            for row in next_rows:
                row[i] /= factor
        rows.append(list(rows[0]))
        bias.append(bias[0])
        for row in next_rows:
            row.append(row[0] / 3)
            row[0] -= row[0] / 3
        rows.append([Fraction(0)] * len(rows[0]))
        bias.append(Fraction(-1))
        for row in next_rows:
            row.append(Fraction(5))
    return layers


def with_output(layers):
    return Network.from_layers([(w, b, "relu" if k < len(layers) - 1 else "none") for k, (w, b) in enumerate(layers)])


def test_rewritten_networks_are_the_same_function_and_changed_ones_are_not():
    rng, differences = random.Random(11), 0
    for layers, _, domain, _, _ in some_cases(60, 97, widths=((2, 3, 2), (1, 3, 2, 1), (2, 2, 2, 1))):
        f, other = with_output(layers), rewritten(layers, rng)
        assert difference(f, with_output(other), domain) is None
        _, bias = other[rng.randrange(len(other))]
        bias[rng.randrange(len(bias))] += Fraction(rng.choice((-1, 1)), 2**40)
        g = with_output(other)
        point = difference(f, g, domain)
        if point is None:
            for cell in Complex(f, domain).cells:
                assert f(cell.interior_point()) == g(cell.interior_point())
        else:
            differences += 1
            assert domain.contains(point) and f(point) != g(point)
    assert differences > 20


def test_networks_of_different_depth():
    """|x| by one layer and by two; max(x, 0) - 1 far out only."""
    flat = Network.from_layers([([[1], [-1]], [0, 0], "relu"), ([[1, 1]], [0], "none")])
    deep = Network.from_layers([([[1], [-1]], [0, 0], "relu"), ([[1, 1]], [0], "relu"), ([[1]], [0], "none")])
    assert difference(flat, deep) is None and difference(deep, flat) is None
    bent = Network.from_layers([([[1], [-1], [1]], [0, 0, -100], "relu"), ([[1, 1, 1]], [0], "none")])
    assert difference(flat, bent, Polyhedron.box([(-100, 100)])) is None
    for domain in (None, Polyhedron.orthant(1), Polyhedron.box([(0, 101)])):
        point = difference(flat, bent, domain)
        assert point is not None and flat(point) != bent(point)


def test_differences_along_lines_and_without_output_maps():
    skip = Network(
        2, (AffineMap.from_dense([[1, 0]], [0]),), AffineMap.from_dense([[0, 1, 1]], [0])
    )  # x2 + relu(x1): no neuron sees x2
    same = Network(2, (AffineMap.from_dense([[2, 0]], [0]),), AffineMap.from_dense([[0, 1, "1/2"]], [0]))
    less = Network(2, (AffineMap.from_dense([[2, 0]], [0]),), AffineMap.from_dense([[0, 0, "1/2"]], [0]))
    assert difference(skip, same) is None
    point = difference(skip, less)
    assert point is not None and skip(point) != less(point)
    half = Polyhedron.from_rows([], [[0, 0, 1]])
    assert difference(skip, less, half) is None
    one, two = (
        Network.from_layers([([[1]], [0], "relu")]),
        Network.from_layers([([[1]], [0], "relu"), ([[1]], [0], "relu")]),
    )
    assert difference(one, two) is None
    with pytest.raises(InputError, match="cannot be compared"):
        difference(one, skip)
