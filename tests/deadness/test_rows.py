"""Bounded polyhedra that are not boxes: trees, points and certificates against all pieces of the oracle."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from itertools import pairwise

import oracles
import pytest
from families import lean, network

from geomrelu import Budget, Network, Polyhedron, Status, checker
from geomrelu.certificates import files
from geomrelu.deadness.decide import decide
from geomrelu.deadness.inside import is_searched

KINDS = ("rational", "ternary", "degenerate", "scaled")


@pytest.fixture
def search(monkeypatch):
    """Deep neurons are decided by trees; pieces come in where all else has given up."""
    monkeypatch.setattr("geomrelu.deadness.by_pieces.FEW_PIECES", 0)


def rows(rng, n, kind):
    """Rows of a bounded polyhedron (one in three with an equality), as a list of inequalities and one of equalities."""
    whole = kind in ("ternary", "degenerate")
    found = [[1, *(s * int(i == j) for j in range(n))] for i in range(n) for s in (1, -1)]
    for _ in range(rng.randint(1, 4)):
        a = [rng.randint(-1, 1) if whole else Fraction(rng.randint(-50, 50), 37) for _ in range(n)]
        found.append([rng.randint(0, 1) if whole else Fraction(rng.randint(1, 40), 31), *a])
    if kind == "degenerate":
        found.append([n, *[1] * n])  # through a vertex
        found.append([v + w for v, w in zip(found[0], found[2], strict=True)])  # redundant
    if kind == "scaled":
        found = [[v * Fraction(2) ** (40 * (k % 3 - 1)) for v in row] for k, row in enumerate(found)]
    flats = [[0, *(rng.randint(-1, 1) for _ in range(n - 1)), 1]] if rng.random() < 1 / 3 else []
    return found, flats


def domains(rng, n, kind):
    """The same set as a box with rows, as rows of which no one is a side, and as a hull."""
    inequalities, flats = rows(rng, n, kind)
    plain = Polyhedron.from_rows(inequalities, flats)
    tilted = [[3 * v + w for v, w in zip(a, b, strict=True)] for a, b in pairwise(inequalities[: 2 * n + 1])]
    yield plain
    open_ = Polyhedron.from_rows([*tilted, *inequalities[2 * n :]], flats)
    if open_.is_bounded and not open_.is_empty:
        yield open_
    if plain.vertices:
        yield Polyhedron.from_generators(plain.vertices)


def judged(net, domain, reports):
    """The plain judge accepts all claims, as they are written."""
    for report in reports:
        claims = [v.claim for v in report.verdicts if v.claim is not None]
        certificate = files.as_certificate(claims, net.digest, domain.checked.digest(), report.points)
        checker.check(json.loads(json.dumps(certificate)), net.checked, domain.checked)


def ppl_of(domain):
    if domain.given_by_generators:
        return oracles.ppl_from_generators(domain.vertices)
    return oracles.ppl_polyhedron(domain.inequalities, domain.dimension, domain.equalities)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(2, 5, 4), (3, 4, 3, 2)])
def test_trees_agree_with_all_pieces(search, kind, shape):
    rng = random.Random(f"{kind} {shape}")
    ways = []
    for _ in range(6):
        layers = lean(network(rng, shape, kind), rng)
        net = Network.from_layers([(W, b, "relu") for W, b in layers])
        for domain in domains(rng, shape[0], kind):
            assert is_searched(domain)
            suprema = oracles.suprema(layers, ppl_of(domain), shape[0])
            reports = list(decide(net, domain, budget=Budget(600)))
            for report, expected in zip(reports, suprema, strict=True):
                for verdict, best in zip(report.verdicts, expected, strict=True):
                    assert verdict.status is (Status.ALIVE if best > 0 else Status.DEAD), (domain, verdict, best)
                    assert verdict.supremum in (None, best)
                    if verdict.status is Status.DEAD and verdict.stable is not None:
                        assert verdict.stable is (best < 0)
                    ways.append(verdict.reason)
            judged(net, domain, reports)
    assert any(word in way for way in ways for word in ("bounded on", "boxes", "patterns"))
