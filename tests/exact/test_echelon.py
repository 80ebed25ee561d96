"""Ranks modulo a prime, batch by batch, against SymPy and against rows eliminated one by one."""

from __future__ import annotations

import random

import pytest
import sympy
from polls import Polls

from geomrelu.budget import Exhausted
from geomrelu.exact import echelon
from geomrelu.exact.echelon import PRIMES, Echelon


def drawn(rng, rows, columns, rank):
    """Of at most this rank; small entries, so that many rows and columns depend on others."""
    left = [[rng.choice((-1, 0, 0, 1)) for _ in range(rank)] for _ in range(rows)]
    right = [[rng.randint(-2, 2) for _ in range(columns)] for _ in range(rank)]
    return [[sum(a * right[k][j] for k, a in enumerate(row)) for j in range(columns)] for row in left]


@pytest.mark.parametrize("seed", range(30))
def test_rank_pivots_rows_and_minor(seed):
    rng = random.Random(seed)
    rows, columns = rng.randint(1, 14), rng.randint(1, 9)
    matrix = drawn(rng, rows, columns, rng.randint(1, 9))
    found, start = Echelon(columns, PRIMES[0]), 0
    while start < rows:
        size = rng.randint(1, 5)
        found.add(matrix[start : start + size])
        start += size
    exact = sympy.Matrix(matrix)
    assert found.rank == exact.rank()
    assert found.pivots == exact.rref()[1]
    assert tuple(found.chosen) == exact.T.rref()[1]
    minor = exact.extract(found.chosen, list(found.pivots)).det() if found.rank else 1
    assert found.minor == minor % PRIMES[0] != 0


def test_one_batch_and_many_are_the_same(monkeypatch):
    rng = random.Random(1)
    matrix = drawn(rng, 60, 40, 25)
    whole = Echelon(40, PRIMES[1])
    whole.add(matrix)
    monkeypatch.setattr(echelon, "STEP", 1)  # row by row
    single = Echelon(40, PRIMES[1])
    single.add(matrix)
    assert (single.rank, single.chosen, single.pivots, single.minor) == (
        whole.rank, whole.chosen, whole.pivots, whole.minor
    )  # fmt: skip


def test_what_a_clock_leaves_is_that_of_the_first_rows(monkeypatch):
    monkeypatch.setattr(echelon, "STEP", 1)
    matrix = [[int(i == j) for j in range(6)] for i in range(6)]
    found = Echelon(6, PRIMES[0])
    with pytest.raises(Exhausted):
        found.add(matrix, Polls(6))
    first = Echelon(6, PRIMES[0])
    first.add(matrix[: found.seen])
    assert 0 < found.seen < 6
    assert (found.rank, found.minor) == (first.rank, first.minor)


def test_primes():
    assert all(map(sympy.isprime, PRIMES)) and max(PRIMES) < 2**62
