"""The door for numbers, affine forms and maps."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from geomrelu import AffineForm, AffineMap, InputError, Network
from geomrelu.exact.numbers import common, dyadic, nearest, primitive, rational, rationals, sparse
from geomrelu.io.tape import convolution

rational_numbers = st.fractions(max_denominator=60)


@pytest.mark.parametrize(
    ("value", "right"),
    [
        (3, Fraction(3)),
        ("3/6", Fraction(1, 2)),
        (" -0.1e-2 ", Fraction(-1, 1000)),
        (".5", Fraction(1, 2)),
        (0.1, Fraction(3602879701896397, 2**55)),
        (np.float32(0.1), Fraction(13421773, 2**27)),
        (np.float16(0.1), Fraction(float(np.float16(0.1)))),
        (np.int8(-3), Fraction(-3)),
        (np.int64(2**62), Fraction(2**62)),
        (Decimal("0.1"), Fraction(1, 10)),
        (sympy.Rational(2, 3), Fraction(2, 3)),
        (sympy.Integer(2), Fraction(2)),
    ],
)
def test_values_enter_exactly(value, right):
    found = rational(value)
    assert found == right
    assert type(found.numerator) is int  # a NumPy integer inside would overflow later, silently


@pytest.mark.parametrize(
    "value",
    ["nan", "inf", "1/0", "0x10", "1_000", "", "1/2/3", "1e99999", "2**3", "__import__('os')", "9" * 5000,
     float("nan"), float("inf"), np.float32("nan"), Decimal("Infinity"), Decimal("1e99999"), True, np.True_, None,
     [1], 1j, sympy.pi, sympy.nan, b"1"],
)  # fmt: skip
def test_nonsense_is_refused_with_its_place(value):
    with pytest.raises(InputError, match="here"):
        rational(value, "here")


@pytest.mark.parametrize("bits", [3_000, 12_900])
def test_what_is_written_of_a_network_is_read_again(bits, tmp_path):
    """Parameters of linear layers in a row have as many digits as all of them together."""
    odd = 3 ** (bits // 4)
    network = Network.from_layers(
        [([[Fraction(1 << bits // 2, odd)]], [0], "none"), ([[Fraction(1 << bits // 2, odd + 2)], [1]], [1, 2], "relu")]
    )
    network.save(tmp_path / "m.json")
    assert Network.from_file(tmp_path / "m.json") == network
    slope = network.layers[0].form(0).slope[0]
    assert rational(str(slope)) == slope == Fraction(1 << 2 * (bits // 2), odd * (odd + 2))


def test_numbers_have_an_end():
    assert rational("-" + "7" * 3999 + "/" + "9" * 4000) == Fraction(-(7 * (10**3999 - 1) // 9), 10**4000 - 1)
    assert rational("9" * 2990 + "e999") == (10**2990 - 1) * 10**999
    for text in ("1/" + "9" * 4001, "9" * 3500 + "e999", "1." + "0" * 3000):
        with pytest.raises(InputError, match="not a rational number"):
            rational(text)


def test_large_numpy_integers_do_not_overflow():
    g = rational(np.int64(2**40))
    assert g * g == 2**80


@given(st.lists(rational_numbers, min_size=1, max_size=6))
def test_common_and_primitive(values):
    numerators, denominator = common(values)
    assert [Fraction(v, denominator) for v in numerators] == values
    row = primitive(values)
    assert all(isinstance(v, int) for v in row)
    if any(values):
        k = next(i for i, v in enumerate(values) if v)
        assert row[k] / values[k] > 0
        assert [row[k] * v for v in values] == [values[k] * v for v in row]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=8))
def test_dyadic_arrays(values):
    for kind in (np.float64, np.float32):
        array = np.array(values, dtype=kind)
        numerators, denominator = dyadic(array)
        assert [Fraction(v, denominator) for v in numerators] == [Fraction(float(v)) for v in array]
        assert (nearest(numerators, denominator) == array).all()


def test_not_finite_arrays_name_the_entry():
    with pytest.raises(InputError, match=r"w, entry \[1, 0\]: nan"):
        dyadic(np.array([[1, 2], [np.nan, 3]]), "w")


@st.composite
def maps(draw, inputs, outputs):
    entries = st.lists(rational_numbers, min_size=inputs, max_size=inputs)
    weights = draw(st.lists(entries, min_size=outputs, max_size=outputs))
    return weights, draw(st.lists(rational_numbers, min_size=outputs, max_size=outputs))


def plain(map_, x):
    weights, bias = map_
    return [sum((w * v for w, v in zip(row, x, strict=True)), b) for row, b in zip(weights, bias, strict=True)]


@given(maps(2, 3), maps(3, 2), st.lists(rational_numbers, min_size=2, max_size=2))
def test_maps_compose_add_and_select(inner, outer, x):
    f, g = AffineMap.from_dense(*inner), AffineMap.from_dense(*outer)

    def at(m, point):
        numerators, d = common(point)
        return [Fraction(v, d * m.denominator) for v in m.apply(numerators, d)]

    assert at(f, x) == plain(inner, x)
    assert at(g.after(f), x) == plain(outer, plain(inner, x))
    swap = AffineMap.selection(2, [1, 0])
    assert at(f.after(swap), x) == at(f, x[::-1])
    assert at(f.plus(f, -1), x) == [0, 0, 0]
    assert at(f.take([2, 0, 2]), x) == [at(f, x)[k] for k in (2, 0, 2)]
    assert at(AffineMap.stacked([f, f.take([1])]), x) == [*at(f, x), at(f, x)[1]]
    factors = [Fraction(1, 2), Fraction(-3), Fraction(0)]
    assert at(f.scaled(factors, [Fraction(1)] * 3), x) == [s * v + 1 for s, v in zip(factors, at(f, x), strict=True)]
    assert [f.form(i)(x) for i in range(3)] == at(f, x)
    matrix, bias = f.floats
    assert matrix.shape == (3, 2) and len(bias) == 3


@given(st.integers(0, 10**6))
def test_sums_of_maps_are_in_lowest_terms(seed):
    random = np.random.default_rng(seed)
    outputs, inputs = random.integers(1, 6), random.integers(1, 8)

    def some(unit):
        weights = random.integers(-2, 3, size=(outputs, inputs)) * (random.random((outputs, inputs)) < 0.5)
        parts = [[Fraction(int(w) * unit, int(random.integers(1, 5))) for w in row] for row in weights]
        return parts, [Fraction(int(b), 3) for b in random.integers(-2, 3, size=outputs)]

    for unit in (1, 2**70):
        (w, b), (v, c) = some(unit), some(unit)
        sign = int(random.choice([-1, 1]))
        found = AffineMap.from_dense(w, b).plus(AffineMap.from_dense(v, c), sign)
        right = AffineMap.from_dense(
            [[x + sign * y for x, y in zip(row, other, strict=True)] for row, other in zip(w, v, strict=True)],
            [x + sign * y for x, y in zip(b, c, strict=True)],
        )
        assert [found.row(i)[1] for i in range(outputs)] == [right.row(i)[1] for i in range(outputs)]
        assert [found.form(i) for i in range(outputs)] == [right.form(i) for i in range(outputs)]
        assert math.gcd(found.denominator, *found.bias, *found.data.tolist()) == 1


@pytest.mark.parametrize("density", [0.002, 0.4])
def test_blocks_of_columns_are_those_of_the_whole_matrix(density):
    random = np.random.default_rng(2)
    weights = np.where(random.random((300, 700)) < density, random.normal(size=(300, 700)), 0)
    f = AffineMap.from_dense(weights, random.normal(size=300)).scaled([Fraction(1, 3)] * 300, [Fraction(0)] * 300)
    whole, bias = f.floats
    blocks = [(0, 40), (40, 40), (40, 640), (640, 700)]
    for most in (10**6, 10):
        found, other = f.float_blocks(blocks, most)
        assert (other == bias).all()
        for (first, last), block in zip(blocks, found, strict=True):
            large = 300 * (last - first) > 1 << 16
            assert isinstance(block, np.ndarray) == (not large or (density > 0.25 and most > 10))
            assert (
                (block if isinstance(block, np.ndarray) else block.toarray()) == whole.toarray()[:, first:last]
            ).all()


def test_forms():
    f = AffineForm.of_row([1, "1/2", 0])
    assert f([4, 7]) == 3 and f.along([Fraction(4), Fraction(9)]) == 2 and (-f)([4, 7]) == -3
    assert f.row == (2, 1, 0) and f.dimension == 2 and hash(f) == hash(AffineForm.of(1, ["1/2", 0]))
    with pytest.raises(InputError):
        f([1])
    with pytest.raises(InputError):
        rationals("12")
    with pytest.raises(InputError):
        AffineForm.of_row([])
    for weights, bias in (([[1], [1, 2]], None), ([1, 2], None), ([[1]], [1, 2]), (np.zeros(3), None), ("ab", None)):
        with pytest.raises(InputError):
            AffineMap.from_dense(weights, bias)


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", ">f4", "i1", "u8", object])
def test_entries_that_are_not_0_are_those_of_the_whole_array(kind):
    random = np.random.default_rng(1)
    array = random.integers(0, 4, size=(300, 500)) * (random.random((300, 500)) < 0.01)
    array = array.astype(kind)
    for view in (array, array.T, array[:, ::-1]):
        places, numerators, denominator = sparse(view)
        expected = {k: Fraction(int(v)) for k, v in enumerate(view.ravel()) if v}
        assert dict(zip(places.tolist(), (Fraction(v, denominator) for v in numerators), strict=True)) == expected


def test_the_smallest_floats_are_not_0_and_minus_0_is():
    assert sparse(np.array([[0.0, -0.0, 5e-324]]))[0].tolist() == [2]
    with pytest.raises(InputError, match=r"w, entry \[1, 0\]: nan is not a finite number"):
        sparse(np.array([[0.0, 1.0], [np.nan, 1.0]]), "w")


@pytest.mark.parametrize("seed", range(6))
def test_compositions_are_the_products_of_matrices(seed):
    """Dense, with rows of zeros, and convolutions, whose rows are alike."""
    random = np.random.default_rng(seed)
    if seed % 2:
        kernels = [random.integers(-2, 3, size=(3, 2, 3, 3)), random.integers(-2, 3, size=(2, 3, 3, 3)) / 4]
        shape = (2, 5, 6)
        inner, shape = convolution(kernels[0], random.integers(-2, 3, size=3), shape, pads=(1, 1, 1, 1))
        outer, _ = convolution(kernels[1], random.integers(-2, 3, size=2) / 3, shape, (2, 1), (1, 1, 1, 1))
    else:
        sizes = 4, 7, 5
        inner, outer = (
            AffineMap.from_dense(random.integers(-1, 2, size=(m, n)), random.integers(-1, 2, size=m) / 8)
            for n, m in pairwise(sizes)
        )
    found = outer.after(inner)
    for x in random.integers(-9, 10, size=(4, inner.inputs)).tolist():
        middle = [Fraction(v, inner.denominator) for v in inner.apply(x)]
        numerators, d = common(middle)
        right = [Fraction(v, d * outer.denominator) for v in outer.apply(numerators, d)]
        assert [Fraction(v, found.denominator) for v in found.apply(x)] == right
    assert all(v for v in found.data)
    for start, stop in pairwise(found.indptr.tolist()):
        assert (np.diff(found.indices[start:stop]) > 0).all()


def test_two_convolutions_in_a_row_need_no_more_than_their_kernels():
    """More products of entries than any map may have, nearly all of them the same ones."""
    random = np.random.default_rng(0)
    first, shape = convolution(random.normal(size=(8, 8, 3, 3)).astype("f"), None, (8, 40, 40), pads=(1, 1, 1, 1))
    second, _ = convolution(random.normal(size=(8, 8, 3, 3)).astype("f"), None, shape, pads=(1, 1, 1, 1))
    assert len(second.data) * 72 > 50_000_000
    found = second.after(first)
    assert len(set(map(id, found.data))) < 100_000
    x = random.integers(-4, 5, size=first.inputs).tolist()
    rows = [0, 39, 6700, len(found.bias) - 1]
    right = second.apply(first.apply(x), first.denominator, rows)
    scale = first.denominator * second.denominator // found.denominator
    assert [v * scale for v in found.apply(x, 1, rows)] == right


@pytest.mark.parametrize("missing", [None, "", False, [], 0j, float("nan")])
def test_what_is_no_number_is_not_taken_for_0(missing):
    """Though it is as false as 0: tables of objects with missing entries, as of pandas, are refused."""
    table = np.empty((2, 2), dtype=object)
    table[0], table[1, 0] = (0, Fraction(1, 2)), 0.0
    table[1, 1] = missing
    with pytest.raises(InputError, match="weights, entry 3: "):
        sparse(table, "weights")
    table[1, 1] = 5e-324
    places, numerators, denominator = sparse(table)
    assert places.tolist() == [1, 3]
    assert [Fraction(v, denominator) for v in numerators] == [Fraction(1, 2), Fraction(1, 1 << 1074)]
    for array in (np.zeros((1, 2), bool), np.zeros((1, 2), complex), np.array([["", "1"]])):
        with pytest.raises(InputError, match="entry 0"):
            sparse(array)
