"""Compositions by products of limbs, against the same number by number."""

from __future__ import annotations

import random

import numpy as np
import pytest

from geomrelu import InputError
from geomrelu.exact import affine
from geomrelu.exact.affine import AffineMap
from geomrelu.exact.products import product


def drawn(rng, outputs, inputs, density, bits):
    places = [(i, j) for i in range(outputs) for j in range(inputs) if rng.random() < density]
    data = np.empty(len(places), dtype=object)
    data[:] = [rng.choice((-1, 1)) * rng.getrandbits(rng.randint(0, bits)) for _ in places]
    rows, columns = np.array(places, dtype=np.int64).reshape(-1, 2).T
    bias = [rng.randint(-9, 9) * rng.getrandbits(bits) for _ in range(outputs)]
    return AffineMap.from_entries((outputs, inputs), rows, columns, data, 1 << 20, bias, rng.choice((1, 3)))


@pytest.mark.parametrize("seed", range(60))
def test_both_ways_of_composition_agree(seed, monkeypatch):
    rng = random.Random(seed)
    a, b, c = (rng.randint(1, 9) for _ in range(3))
    first, second = (
        drawn(rng, *shape, rng.random(), rng.choice((0, 3, 20, 61, 64, 100, 300))) for shape in ((a, b), (b, c))
    )
    found = []
    for many in (1 << 60, -1):
        monkeypatch.setattr(affine, "_MANY", many)
        map_ = first.after(second)
        found.append((map_.indptr.tolist(), map_.indices.tolist(), map_.data.tolist(), map_.bias, map_.denominator))
    assert found[0] == found[1]
    assert all(type(v) is int for v in (*found[1][2], *found[1][3]))


def test_sums_at_the_end_of_machine_arithmetic():
    """128 products, each as large as 31 bits allow; then of 200 bits; then too long to be of use."""
    for bits in (31, 32, 62, 63, 200):
        row = np.array([(1 << bits) - 1] * 128, dtype=object)
        first = np.array([0, 128]), np.arange(128), row
        second = np.arange(129), np.zeros(128, dtype=np.int64), -row
        indptr, indices, data = product(first, second, 128, 1)
        assert (indptr.tolist(), indices.tolist()) == ([0, 1], [0])
        assert data.tolist() == [-128 * ((1 << bits) - 1) ** 2]
    long = np.array([1 << 20_000], dtype=object)
    assert product((np.array([0, 1]), np.array([0]), long), (np.array([0, 1]), np.array([0]), long), 1, 1) is None


def test_too_many_products_are_refused_before_they_are_made():
    wide = AffineMap.from_dense(np.ones((1, 1000), dtype=np.int64))
    tall = AffineMap.from_dense(np.ones((1000, 1), dtype=np.int64))
    assert (wide.after(tall).data.tolist(), len(tall.after(wide).data)) == ([1000], 1_000_000)
    with pytest.raises(InputError, match=r"the composition of two maps: 64000000 entries, but at most"):
        rows = AffineMap.from_dense(np.arange(1, 8001).reshape(-1, 1))
        rows.after(AffineMap.from_dense(np.ones((1, 8000), dtype=np.int64)))
