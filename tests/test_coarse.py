"""Batches of boxes in coarse arithmetic: the same integers as the checker's, and what is too large is left to it."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction
from itertools import pairwise

import pytest
from families import as_network, network
from test_branching import accepted, deep

from geomrelu import Polyhedron, branching, checker, coarse, workshop


def tall(rng):
    """A network whose bounds grow from layer to layer, about as far as arrays hold them."""
    widths = rng.choice(((3, 6, 6, 2), (3, 8, 8, 2), (3, 5, 5, 5, 2), (2, 8, 6, 8, 2)))
    sign = rng.choice((-1, 1, 1, 1))
    return [
        ([[rng.randint(7, 9) * rng.choice((1, 1, 1, sign)) for _ in range(m)] for _ in range(n)], [-m] * n)
        for m, n in pairwise(widths)
    ]


@pytest.mark.parametrize("kind", ["rational", "ternary", "degenerate", "scaled", "tall"])
def test_the_integers_are_those_of_the_checker(kind):
    """Bounds of all layers, and of a neuron with any slopes, on boxes that are cut and derived again and again."""
    rng, seen = random.Random(kind), Counter()
    for _ in range(40):
        widths = rng.choice(((2, 5, 4, 1), (3, 6, 6, 2), (4, 5, 5, 4, 2), (1, 3, 3, 3, 3, 2)))
        net = as_network(tall(rng) if kind == "tall" else network(rng, widths, kind))
        level, n = net.depth, net.inputs
        box = Polyhedron.box([(Fraction(-rng.randint(0, 9), 7), Fraction(rng.randint(0, 9), 5)) for _ in range(n)])
        own = workshop.Bench(net, box).arithmetic(level)
        root = checker.Region(net.checked, box.checked)
        if own is None:
            seen["none"] += 1
            assert kind == "tall" or root.coarse.depth < level
            continue
        root.derive([[at] for at in range(1, level)], level)
        regions, cells = [root.copy() for _ in range(6)], [own.whole] * 6
        for stage in range(3):
            lasts = [
                rng.choice((None, (), tuple(rng.sample(range(net.widths[-2]), 2)))[: 1 + 2 * stage]) for _ in regions
            ]
            batch = own.derived(cells, lasts)
            for region, last in zip(regions, lasts, strict=True):
                region.derive(branching.derived(level, True, last).get("derive", []), level)
            neuron, chosen = rng.randrange(net.widths[-1]), rng.sample(range(6), rng.randint(0, 6))
            texts = [rng.choice(["", None]) for _ in range(level - 1)]
            slopes = {
                k: [t if t == "" else said(rng, w) for t, w in zip(texts, net.widths, strict=False)] for k in chosen
            }
            bounds = batch.bounds(neuron, slopes)
            unit = Fraction(2) ** (root.coarse.exponents(level)[neuron] - 56)
            for bound, (k, text) in zip(bounds, slopes.items(), strict=True):
                assert coarse.readable(text, net.widths[: level - 1])
                if batch.good[k]:
                    assert bound * unit == regions[k].coarse_bound(level, neuron, text)
                    seen["bounds"] += 1
                    seen["not negative"] += bound >= 0
            assert stage or all(region.known == root.known for region in regions)  # to derive twice is to derive once
            for k, region in enumerate(regions):
                seen["good" if batch.good[k] else "large"] += 1
                if batch.good[k]:
                    assert [known[k].T.tolist() for known in batch.known] == [
                        [list(pair) for pair in region.known[at]] for at in range(1, level)
                    ]
            kept = [k for k in range(6) if batch.good[k]]
            regions, cells = [regions[k] for k in kept], [batch.cell(k) for k in kept]
            for k, region in enumerate(regions):
                cuts = [
                    (j, Fraction(round(64 * (low + 2 * high) / 3), 64)) for j, (low, high) in enumerate(sides(region))
                ]
                cuts = [(j, c) for j, c in cuts if region.lower[j] < c < region.upper[j]]
                if cuts:
                    (j, c), side = rng.choice(cuts), rng.choice((-1, 1))
                    regions[k] = region.child(("x", j, c), side)
                    cells[k] = dict(own.halved(0, cells[k], j, float(c)))[side > 0]
                else:
                    region.corners, region.lines = {}, {}
            if len(kept) < 6:
                break
    assert seen["good"] > 100 and seen["bounds"] > 50 and seen["not negative"] > 10, seen
    assert (seen["large"] > 10) == (kind == "tall"), seen


def sides(region):
    return zip(region.lower, region.upper, strict=True)


def said(rng, width):
    return "".join(rng.choice("0123456789abcdefg") for _ in range(width))


@pytest.mark.parametrize(
    ("name", "value"), [("LARGE", 1 << 27), ("LARGE", 1 << 29), ("EXACT", 2.0**44), ("WIDE", 2.0**42)]
)
def test_what_is_too_large_is_left_to_the_checker(name, value, monkeypatch):
    """Nodes of such boxes, or all of them, and what is below; none is refused, and the proof is accepted."""
    monkeypatch.setattr(coarse, name, value)
    left, judge = [], workshop.Judgement._judge
    monkeypatch.setattr(workshop.Judgement, "_judge", lambda own, name: (left.append(name), judge(own, name)))
    bench, tree = next(deep())
    assert not tree.parts and tree.refused == 0 and left
    assert accepted(bench, tree)
