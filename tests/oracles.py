"""The obvious, slow, independent way to compute what the package computes fast. Nothing here imports geomrelu.

Networks are lists of ``(weights, bias)`` of Fractions (every layer with ReLU), polyhedra lists of rows
``(b, a1, ..., an)`` meaning ``b + a·x >= 0``.
"""

from __future__ import annotations

import ctypes
from fractions import Fraction
from itertools import combinations, pairwise, product
from math import lcm
from typing import NamedTuple

try:
    import ppl
except ModuleNotFoundError:  # there are wheels for Linux on x86_64 only

    class _Absent:
        """Whoever asks the library for something is skipped."""

        def __getattr__(self, name):
            import pytest

            pytest.skip("PPL is not installed (pip install pplpy)", allow_module_level=True)

    ppl = _Absent()
else:
    ctypes.CDLL(None).fesetround(0)  # to nearest, again: after pplpy 0.9 is imported, floats are rounded up

INFINITE = "inf"


def _expression(row):
    scale = lcm(*(Fraction(v).denominator for v in row))
    integers = [int(Fraction(v) * scale) for v in row]
    return sum((a * ppl.Variable(j) for j, a in enumerate(integers[1:])), ppl.Linear_Expression(integers[0])), scale


def ppl_polyhedron(rows, dimension, equalities=()):
    """The Parma Polyhedra Library's polyhedron."""
    found = ppl.C_Polyhedron(dimension, "universe")
    for row in rows:
        expression, _ = _expression(row)
        found.add_constraint(expression >= 0)
    for row in equalities:
        expression, _ = _expression(row)
        found.add_constraint(expression == 0)
    return found


def ppl_from_generators(vertices, rays=(), lines=()):
    system = ppl.Generator_System()
    for v in vertices:
        scale = lcm(*(Fraction(x).denominator for x in v))
        place = sum((int(Fraction(x) * scale) * ppl.Variable(j) for j, x in enumerate(v)), ppl.Linear_Expression(0))
        system.insert(ppl.point(place + 0 * ppl.Variable(len(v) - 1), scale))
    for table, make in ((rays, ppl.ray), (lines, ppl.line)):
        for r in table:
            scale = lcm(*(Fraction(x).denominator for x in r))
            system.insert(make(sum(int(Fraction(x) * scale) * ppl.Variable(j) for j, x in enumerate(r))))
    return ppl.C_Polyhedron(system)


def supremum(polyhedron, row):
    """Supremum of a form on a PPL polyhedron: Fraction, INFINITE, or None if it is empty."""
    if polyhedron.is_empty():
        return None
    expression, scale = _expression(row)
    best = polyhedron.maximize(expression)
    if not best["bounded"]:
        return INFINITE
    return Fraction(int(best["sup_n"]), int(best["sup_d"])) / scale


def pieces(network, polyhedron, dimension):
    """Every activation pattern with a nonempty closed piece: ``(layer index, piece, forms of that layer)``."""
    identity = [[Fraction(0), *(Fraction(int(i == j)) for j in range(dimension))] for i in range(dimension)]
    stack = [(0, polyhedron, identity)]
    while stack:
        level, piece, values = stack.pop()
        if level == len(network):
            continue
        weights, bias = network[level]
        forms = []
        for row, b in zip(weights, bias, strict=True):
            form = [Fraction(b)] + [Fraction(0)] * dimension
            for w, value in zip(row, values, strict=True):
                form = [f + w * v for f, v in zip(form, value, strict=True)]
            forms.append(form)
        yield level, piece, forms
        parts = [(piece, [])]
        for form in forms:
            expression, _ = _expression(form)
            halves = []
            for part, outputs in parts:
                for keep, output in ((expression >= 0, form), (expression <= 0, [Fraction(0)] * (dimension + 1))):
                    half = ppl.C_Polyhedron(part)
                    half.add_constraint(keep)
                    if not half.is_empty():
                        halves.append((half, [*outputs, output]))
            parts = halves
        stack += [(level + 1, part, outputs) for part, outputs in parts]


def suprema(network, polyhedron, dimension):
    """The supremum of every neuron, per layer: all activation patterns, one PPL maximisation each."""
    found = [[None] * len(bias) for _, bias in network]
    for level, piece, forms in pieces(network, polyhedron, dimension):
        for i, form in enumerate(forms):
            value, best = supremum(piece, form), found[level][i]
            if value is not None and (best is None or value == INFINITE or (best != INFINITE and value > best)):
                found[level][i] = value
    return found


def forward(network, point):
    """Pre-activations of all layers at a point."""
    values, result = [Fraction(x) for x in point], []
    for weights, bias in network:
        z = [
            sum((w * v for w, v in zip(row, values, strict=True)), Fraction(b))
            for row, b in zip(weights, bias, strict=True)
        ]
        result.append(z)
        values = [max(v, Fraction(0)) for v in z]
    return result


def vertices(rows, dimension):
    """All vertices of ``{rows >= 0}`` by definition: every n rows with one common point that satisfies the rest."""
    found = set()
    for chosen in combinations(rows, dimension):
        point = solve([list(r[1:]) for r in chosen], [-Fraction(r[0]) for r in chosen])
        if point is not None and all(r[0] + sum(a * x for a, x in zip(r[1:], point, strict=True)) >= 0 for r in rows):
            found.add(tuple(point))
    return found


def solve(matrix, right):
    """The solution of a square system over the rationals, or None if it is singular."""
    n = len(matrix)
    rows = [[Fraction(v) for v in row] + [Fraction(r)] for row, r in zip(matrix, right, strict=True)]
    for column in range(n):
        pivot = next((k for k in range(column, n) if rows[k][column]), None)
        if pivot is None:
            return None
        rows[column], rows[pivot] = rows[pivot], rows[column]
        rows[column] = [v / rows[column][column] for v in rows[column]]
        for k in range(n):
            if k != column and rows[k][column]:
                rows[k] = [v - rows[k][column] * w for v, w in zip(rows[k], rows[column], strict=True)]
    return [row[-1] for row in rows]


def convolved(image, kernel, bias, strides, pads, dilations, groups):
    """Cross-correlation of ``image[c][y][x]``, ``kernel[o][c][i][j]``; pads top, left, bottom, right."""
    height, width = len(image[0]), len(image[0][0])
    per_group, kh, kw = len(kernel[0]), len(kernel[0][0]), len(kernel[0][0][0])

    def pixel(c, y, x):
        return image[c][y][x] if 0 <= y < height and 0 <= x < width else 0

    result = []
    for o, filters in enumerate(kernel):
        first = o // (len(kernel) // groups) * per_group
        rows, y = [], -pads[0]
        while y + (kh - 1) * dilations[0] < height + pads[2]:
            row, x = [], -pads[1]
            while x + (kw - 1) * dilations[1] < width + pads[3]:
                total = bias[o]
                for c in range(per_group):
                    for i in range(kh):
                        for j in range(kw):
                            total += filters[c][i][j] * pixel(first + c, y + i * dilations[0], x + j * dilations[1])
                row.append(total)
                x += strides[1]
            rows.append(row)
            y += strides[0]
        result.append(rows)
    return result


def average_pooled(image, kernel, strides, pads, count_padding):
    """The mean of each window, over the places inside the image or over all of them."""
    ones = [[[[1] * kernel[1]] * kernel[0]]] * len(image)
    nothing = [0] * len(image)
    sums = convolved(image, ones, nothing, strides, pads, (1, 1), len(image))
    counts = convolved(
        [[[1] * len(row) for row in plane] for plane in image], ones, nothing, strides, pads, (1, 1), len(image)
    )
    area = kernel[0] * kernel[1]
    return [
        [
            [Fraction(s, area if count_padding else c) for s, c in zip(*rows, strict=True)]
            for rows in zip(*planes, strict=True)
        ]
        for planes in zip(sums, counts, strict=True)
    ]


# ---- stably unactivated, by definition ---------------------------------------------------------------------------


def sign_choices(weights, bias, w, c):
    """All networks (one neuron over one layer) of a sign orbit: row flips, signs of w, sign of c."""
    for flips in product((1, -1), repeat=len(w)):
        rows = [[s * v for v in row] for s, row in zip(flips, weights, strict=True)]
        constants = [s * v for s, v in zip(flips, bias, strict=True)]
        for signs in product((1, -1), repeat=len(w) + 1):
            yield rows, constants, [s * v for s, v in zip(signs, w, strict=False)], signs[-1] * c


def unactivated(weights, bias, w, c):
    """Is the neuron <= 0 on the whole space?"""
    n = len(weights[0])
    top = suprema([(weights, bias), ([w], [c])], ppl_polyhedron([], n), n)[1][0]
    return top != INFINITE and top <= 0


def stable_under_changes(weights, bias, w, c, directions, size):
    """Does the neuron stay <= 0 under many changes of this size: w and c raised, rows tilted along the directions?"""
    raised, constant = [v + size for v in w], c + size
    if not unactivated(weights, bias, w, c) or not unactivated(weights, bias, raised, constant):
        return False
    for y in directions:
        for signs in product((1, -1), repeat=len(w)):
            tilted = [
                [v + s * size * d for v, d in zip(row, y, strict=True)] for s, row in zip(signs, weights, strict=True)
            ]
            if not unactivated(tilted, bias, raised, constant):
                return False
    return True


def stable_in_general_position(weights, bias, w, c):
    """Brownlowe et al., n1 >= n0: negative at the vertices, and along the edges unless no neuron is active there."""
    m, n = len(weights), len(weights[0])

    def output(values, constant):
        return sum((v * max(z, 0) for v, z in zip(w, values, strict=True)), constant)

    def at(x, constants):
        return [sum((a * v for a, v in zip(row, x, strict=True)), b) for row, b in zip(weights, constants, strict=True)]

    for chosen in combinations(range(m), n):
        x = solve([weights[i] for i in chosen], [-bias[i] for i in chosen])
        values = [z if i not in chosen else 0 for i, z in enumerate(at(x, bias))]
        if output(values, Fraction(c)) >= 0:
            return False
    for flat in combinations(range(m), n - 1):
        other = next(i for i in range(m) if i not in flat)
        edge = solve([weights[i] for i in (*flat, other)], [0] * (n - 1) + [1])
        for d in (edge, [-v for v in edge]):
            values = at(d, [Fraction(0)] * m)
            if any(values[i] > 0 for i in range(m) if i not in flat) and output(values, Fraction(0)) >= 0:
                return False
    return True


def alive(network, polyhedron, dimension):
    """Has every layer a neuron that is positive somewhere?"""
    return all(any(v == INFINITE or v > 0 for v in level) for level in suprema(network, polyhedron, dimension))


def all_signs(network):
    """The network with all choices of the signs of all its parameters."""
    flat = [v for weights, bias in network for row, b in zip(weights, bias, strict=True) for v in (b, *row)]
    for signs in product((1, -1), repeat=len(flat)):
        values = iter(s * v for s, v in zip(signs, flat, strict=True))
        result = []
        for weights, _ in network:
            rows = [[next(values) for _ in range(len(row) + 1)] for row in weights]
            result.append(([row[1:] for row in rows], [row[0] for row in rows]))
        yield result


def sign_regions(network, polyhedron, dimension):
    """The sign vectors (all layers) of the sets of full dimension on which every neuron keeps its sign.

    A row of weights reads the last variables (inputs, then outputs layer by layer), as many as it has entries.
    """
    full = polyhedron.affine_dimension()
    identity = [[Fraction(0), *(Fraction(int(i == j)) for j in range(dimension))] for i in range(dimension)]
    parts = [(polyhedron, identity, ())]
    for weights, bias in network:
        opened = [(part, variables, [], signs) for part, variables, signs in parts]
        for row, b in zip(weights, bias, strict=True):
            cut = []
            for part, variables, outputs, signs in opened:
                form = [Fraction(b)] + [Fraction(0)] * dimension
                for w, value in zip(row, variables[len(variables) - len(row) :], strict=True):
                    form = [f + w * v for f, v in zip(form, value, strict=True)]
                expression, _ = _expression(form)
                sides = {}
                for sign, where in ((0, expression == 0), (1, expression >= 0), (-1, expression <= 0)):
                    sides[sign] = ppl.C_Polyhedron(part)
                    sides[sign].add_constraint(where)
                if sides[0].contains(part):
                    cut.append((part, variables, [*outputs, [Fraction(0)] * (dimension + 1)], (*signs, 0)))
                    continue
                for sign in (1, -1):
                    if not sides[sign].is_empty() and sides[sign].affine_dimension() == full:
                        output = form if sign > 0 else [Fraction(0)] * (dimension + 1)
                        cut.append((sides[sign], variables, [*outputs, output], (*signs, sign)))
            opened = cut
        parts = [(part, variables + outputs, signs) for part, variables, outputs, signs in opened]
    return sorted(signs for _, _, signs in parts)


def signed_faces(rows, facets, flats, dimension):
    """``(dimension, signs, does it lie in a facet?)`` of every nonempty set of points of a polyhedron at which the rows
    have given signs, cut along its facets."""
    parts = [(ppl.NNC_Polyhedron(ppl_polyhedron(facets, dimension, flats)), ())]
    whole = parts[0][0].affine_dimension()
    true = [ppl_polyhedron(facets, dimension, [*flats, row]).affine_dimension() < whole for row in facets]
    for row in (*facets, *rows):
        expression, opened = _expression(row)[0], []
        for part, signs in parts:
            for sign, where in ((0, expression == 0), (1, expression > 0), (-1, expression < 0)):
                side = ppl.NNC_Polyhedron(part)
                side.add_constraint(where)
                if not side.is_empty():
                    opened.append((side, (*signs, sign)))
        parts = opened
    m = len(facets)
    on = [any(wall and not sign for wall, sign in zip(true, signs[:m], strict=True)) for _, signs in parts]
    return [(part.affine_dimension(), signs[m:], side) for (part, signs), side in zip(parts, on, strict=True)]


def suprema_on_regions(network, polyhedron, dimension):
    """:func:`suprema` of a bounded polyhedron, on the sets of full dimension only (which is enough: their closures are
    everything): for networks with many equal or opposite neurons."""
    full = polyhedron.affine_dimension()
    identity = [[Fraction(0), *(Fraction(int(i == j)) for j in range(dimension))] for i in range(dimension)]
    parts, found = [(polyhedron, identity)], []
    for weights, bias in network:
        found.append([None] * len(bias))
        opened = []
        for part, variables in parts:
            cut = [(part, [])]
            for i, (row, b) in enumerate(zip(weights, bias, strict=True)):
                form = _form((b, dict(enumerate(row))), variables, dimension)
                value = supremum(part, form)
                found[-1][i] = value if found[-1][i] is None else max(value, found[-1][i])
                expression, _ = _expression(form)
                halves = []
                for piece, outputs in cut:
                    sides = []
                    for keep, output in ((expression >= 0, form), (expression <= 0, [Fraction(0)] * (dimension + 1))):
                        half = ppl.C_Polyhedron(piece)
                        half.add_constraint(keep)
                        if not half.is_empty() and half.affine_dimension() == full:
                            sides.append((half, [*outputs, output]))
                    halves += sides[:1] if len(sides) == 2 and sides[0][0] == piece == sides[1][0] else sides
                cut = halves
            opened += cut
        parts = opened
    return found


# ---- what is true of each neuron ---------------------------------------------------------------------------------
#
# Here a network is a list of layers, a layer a list of rows ``(bias, {variable: weight})`` over all variables before
# it: the inputs, then the outputs of layer 1, of layer 2, ... (as in the JSON form "rows" of a model).


class Range(NamedTuple):
    """Of one pre-activation on a set that is not empty.

    Attributes:
        low, high: infimum and supremum; -INFINITE is written "-inf".
        lowest, highest: points where they are attained; None where they are infinite.
        stable: of a dead neuron, is it dead for all parameters near the given ones? None: not settled here.
    """

    low: Fraction | str
    high: Fraction | str
    lowest: list[Fraction] | None
    highest: list[Fraction] | None
    stable: bool | None


def generators(polyhedron, dimension):
    """Points, rays and lines of a PPL polyhedron, as lists of Fractions."""
    points, rays, lines = [], [], []
    for g in polyhedron.minimized_generators():
        place = [Fraction(int(g.coefficient(ppl.Variable(j)))) for j in range(dimension)]
        if g.is_point():
            points.append([x / int(g.divisor()) for x in place])
        else:
            (rays if g.is_ray() else lines).append(place)
    return points, rays, lines


def _form(row, variables, dimension):
    """A row over variables that are affine forms of the inputs: one such form."""
    bias, slope = row
    form = [Fraction(bias)] + [Fraction(0)] * dimension
    for j, w in slope.items():
        form = [f + w * v for f, v in zip(form, variables[j], strict=True)]
    return form


def row_pieces(layers, polyhedron, dimension):
    """Every activation pattern with a nonempty closed piece: ``(layer index, piece, variables as forms, forms)``."""
    identity = [[Fraction(0), *(Fraction(int(i == j)) for j in range(dimension))] for i in range(dimension)]
    stack = [] if polyhedron.is_empty() else [(0, polyhedron, identity)]
    while stack:
        level, piece, variables = stack.pop()
        forms = [_form(row, variables, dimension) for row in layers[level]]
        yield level, piece, variables, forms
        if level + 1 == len(layers):
            continue
        parts = [(piece, [])]
        for form in forms:
            expression, _ = _expression(form)
            halves = []
            for part, outputs in parts:
                for keep, output in ((expression >= 0, form), (expression <= 0, [Fraction(0)] * (dimension + 1))):
                    half = ppl.C_Polyhedron(part)
                    half.add_constraint(keep)
                    if not half.is_empty():
                        halves.append((half, [*outputs, output]))
            parts = halves
        stack += [(level + 1, part, [*variables, *outputs]) for part, outputs in parts]


def ranges(layers, polyhedron, dimension, most=None):
    """The :class:`Range` of every neuron, per layer, over all activation patterns; None if there are too many.

    On a piece where all earlier neurons keep their signs a neuron is affine, and the generators of the piece show all.
    Stability at infinity: the recession cone of the set is covered by those of the pieces. If the neuron falls along
    all their rays it does so, by compactness, for all parameters near the given ones. If it stays flat along a ray
    and reads a value that grows along it, the weight on this value, raised by anything, revives it. Whatever else is
    flat is not settled here.
    """
    found = [[[None, None, None, None, True] for _ in layer] for layer in layers]
    first = [dimension]
    for layer in layers:
        first.append(first[-1] + len(layer))
    for count, (level, piece, variables, forms) in enumerate(row_pieces(layers, polyhedron, dimension)):
        if most is not None and count >= most:
            return None
        points, rays, lines = generators(piece, dimension)
        directions = rays + lines + [[-v for v in r] for r in lines]
        blocks = [range(dimension), *(range(a, b) for a, b in pairwise(first[: level + 1]))]
        used = {j for _, slope in layers[level] for j, w in slope.items() if w}
        read = [j for block in blocks if used & set(block) for j in block] if used else list(blocks[-1])
        for form, known in zip(forms, found[level], strict=True):
            _extremes(known, form, points)
            for r in directions:
                growth = _dot(form[1:], r)
                if growth < 0:
                    known[0], known[2] = "-inf", None
                elif growth > 0:
                    known[1], known[3] = INFINITE, None
                elif any(_dot(variables[j][1:], r) > 0 or (j < dimension and r[j]) for j in read):
                    known[4] = False
                elif known[4]:
                    known[4] = None
    for layer in found:
        for known in layer:
            if known[1] == INFINITE or known[1] >= 0:
                known[4] = False  # it is alive, or a larger bias revives it
    return [[Range(*known) for known in layer] for layer in found]


def _extremes(known, form, points):
    """Lower and raise the known ends of a form's values by those at points."""
    for p in points:
        value = form[0] + _dot(form[1:], p)
        if known[0] is None or (known[0] != "-inf" and value < known[0]):
            known[0], known[2] = value, p
        if known[1] is None or (known[1] != INFINITE and value > known[1]):
            known[1], known[3] = value, p


def _dot(left, right):
    return sum((a * b for a, b in zip(left, right, strict=True) if a and b), Fraction(0))


def row_values(layers, point):
    """All variables at a point (inputs, then outputs of each layer), and the pre-activations of each layer."""
    variables, result = [Fraction(x) for x in point], []
    for layer in layers:
        distinct = {id(row): row for row in layer}  # wide networks that are made repeat few rows
        value = {
            key: sum((w * variables[j] for j, w in slope.items()), Fraction(bias))
            for key, (bias, slope) in distinct.items()
        }
        z = [value[id(row)] for row in layer]
        result.append(z)
        variables += [max(v, Fraction(0)) for v in z]
    return variables, result
