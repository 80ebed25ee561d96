"""Batches of boxes in coarse arithmetic: the same integers as the checker's, and what is too large is left to it."""

from __future__ import annotations

import json
import random
from collections import Counter
from fractions import Fraction
from functools import partial
from itertools import pairwise
from operator import mul
from typing import Any

import numpy as np
import pytest
from families import as_network, network
from trees import accepted, deep

from geomrelu import Polyhedron, checker
from geomrelu.certificates import batch as walk
from geomrelu.certificates import files, fixed_point
from geomrelu.certificates.region import Region, readable
from geomrelu.deadness import workers


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
        root = Region(net.checked, box.checked)
        own = walk.Quick([], net.checked, box.checked).arithmetic(level)
        if own is None:
            seen["none"] += 1
            assert kind == "tall" or root.fields.depth < level
            continue
        root.derive([[at] for at in range(1, level)], level)
        regions, cells = [root.copy() for _ in range(6)], [own.whole] * 6
        for stage in range(3):
            lasts = [
                rng.choice((None, (), tuple(rng.sample(range(net.widths[-2]), 2)))[: 1 + 2 * stage]) for _ in regions
            ]
            batch = fixed_point.Batch(own, cells, lasts)
            for region, last in zip(regions, lasts, strict=True):
                region.derive(walk.derived(level, last).get("derive", []), level)
            neuron, chosen = rng.randrange(net.widths[-1]), rng.sample(range(6), rng.randint(0, 6))
            texts = [rng.choice(["", None]) for _ in range(level - 1)]
            slopes = {
                k: [t if t == "" else said(rng, w) for t, w in zip(texts, net.widths, strict=False)] for k in chosen
            }
            sign = rng.choice((1, 1, -1))
            bounds = batch.bounds(neuron, slopes, sign)
            unit = Fraction(2) ** (root.fields.exponents(level)[neuron] - 56)
            for bound, (k, text) in zip(bounds, slopes.items(), strict=True):
                assert readable(text, net.widths[: level - 1])
                if batch.good[k]:
                    assert bound * unit == regions[k].leaf(level, neuron, sign, {"coarse": text})
                    seen["bounds"] += 1
                    seen["not negative"] += bound >= 0
            assert stage or all(region.known == root.known for region in regions)  # to derive twice is to derive once
            for k, region in enumerate(regions):
                seen["good" if batch.good[k] else "large"] += 1
                if batch.good[k]:
                    assert [known[k].T.tolist() for known in batch.known] == [
                        [list(pair) for pair in pairs] for pairs, _ in region.known[: level - 1]
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
                    cells[k] = own.halved(cells[k], j, c)[side > 0]
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
    monkeypatch.setattr(fixed_point, name, value)
    left, judge = [], workers.Judgement._judge
    monkeypatch.setattr(workers.Judgement, "_judge", lambda own, name: (left.append(name), judge(own, name)))
    bench, tree = next(deep())
    assert not tree.parts and tree.refused == 0 and left
    assert accepted(bench, tree)


def test_sums_are_exact_or_given_up():
    """With coefficients of any size, and weights of very different sizes."""
    rng, seen = random.Random(2), Counter()
    for _ in range(120):
        sizes, least = rng.choice(((0, 1), (0, 13), (14, 27), (0, 27))), rng.choice((-9, 0))
        layers = [
            (
                [[4, *(rng.randint(least, 9) / 2 ** rng.randint(*sizes) for _ in range(m - 1))] for _ in range(n)],
                [-1] * n,
            )
            for m, n in pairwise((2, 6, 6, 2))
        ]
        net, box = as_network(layers), Polyhedron.box([(-1, 1)] * 2)
        own = walk.Quick([], net.checked, box.checked).arithmetic(3)
        batch = fixed_point.Batch(own, [own.whole], [None])
        some = rng.choice((0.2, 1))
        p = np.array([[rng.getrandbits(rng.randint(1, 61)) * (rng.random() < some) for _ in range(6)]], dtype=np.int64)
        p *= rng.choice((-1, 1))
        if rng.random() < 0.4:  # what is large cancels, and small parts of sums are too long for floats
            p[:] = [[p[0, 0], -p[0, 0], 0, 0, 0, 0]]
        rows, (high, low) = np.zeros(1, dtype=int), np.zeros((2, 1), dtype=np.int64)
        with np.errstate(invalid="ignore"):
            q = batch._back(2, rows, p, np.array([5]), high, low)
        sums = [5 + sum(int(a) * int(w) for a, w in zip(p[0], row, strict=True)) for row in own.weights[2]]
        if batch.good[0]:
            assert q[0].tolist() == [-(-v >> 28) for v in sums[:-1]]
            assert (int(high[0]) << 28) + int(low[0]) == sums[-1]
        seen["back", bool(batch.good[0])] += 1
        batch.good[:] = True
        p >>= rng.choice((0, 30))
        slope, start = p[:, :2], rng.choice((7, 7, -7 << 33))
        with np.errstate(invalid="ignore"):
            value = batch._at_corners(rows, np.array([0, 1]), slope, np.array([start]), np.array([8]), [p, p])[0]
        if batch.good[0]:
            for corner, found in enumerate(value.tolist()):
                exact = (start << 28) + 8 + sum(map(mul, slope[0].tolist(), batch.corners[0, :, corner].tolist()))
                for lines in batch.lines:
                    heights = [(int(t[corner]) << fixed_point.CUT) + int(t[corner + 4]) for t in lines.heights]
                    exact += sum(map(mul, p[0, lines.neurons].tolist(), heights))
                assert found == exact
        seen["corners", bool(batch.good[0])] += 1
    assert min(seen.values()) > 10 and len(seen) == 4, seen


def test_what_has_no_place_in_arrays():
    """Wide layers, many of them, cuts far outside, and what the checker itself finds too large."""
    box = Polyhedron.box([(-1, 1)] * 2)
    wide, deep_ = [([[1, 1]] * 1100, [0] * 1100), ([[1] * 1100], [0])], [([[1, 1], [1, -1]], [0, 1])] * 34
    for layers in (wide, deep_):
        net = as_network(layers)
        assert walk.Quick([], net.checked, box.checked).arithmetic(net.depth) is None
    net = as_network([([[1, 1], [1, -1]], [0, 1]), ([[1, 2]], [-1]), ([[1]], [-1])])
    own = walk.Quick([], net.checked, box.checked).arithmetic(3)
    with pytest.raises(OverflowError):
        own.halved(own.whole, 0, Fraction(10**9))
    assert fixed_point.Batch(own, [own.whole], [None]).good.all()
    own.fields = {at: (4, *rest) for at, (_, *rest) in own.fields.items()}
    assert not fixed_point.Batch(own, [own.whole], [None]).good.any()
    chain = [{"split": ["x", 0, "0"]}, {}]
    assert len(walk.places(chain * 900 + [{}])) == 1801 and walk.places(chain * 2100 + [{}]) is None


class OneByOne(walk.Quick):
    """Without batches."""

    def arithmetic(self, level):
        return None


@pytest.mark.slow
def test_large_proofs_are_walked_as_the_checker_walks_them(monkeypatch):
    """The same bound, or a refusal, also where nodes are damaged or are not for batches."""
    monkeypatch.setattr(walk, "FEW", 0)
    rng, seen = random.Random(6), Counter()
    for bench, tree in (*deep((3, 12, 12, 12, 1)), *deep()):
        model, domain = bench.network.checked, bench.domain.checked
        proof = files.unpacked(bench.refuted(tree))["proof"]
        for attempt in range(10):
            nodes, found, ticks = json.loads(json.dumps(proof)), [], Counter()
            for _ in range(min(attempt, 3)):
                damage(rng, nodes, tree.level, bench.network.widths)
            if attempt == 8:  # what is derived on the whole domain has to be said
                nodes[0].pop("derive", None)
            for kind in (checker.Judge, walk.Quick, OneByOne):
                try:
                    judge: Any = kind([], model, domain)
                    judge.tick = partial(ticks.update, [kind])
                    found.append(judge.bound(nodes, tree.level, 0, -1 if attempt == 9 else 1))
                except checker.Rejected:
                    found.append("refused")
            assert found[0] == found[1] == found[2]
            seen["refused" if found[0] == "refused" else "bound"] += 1
            seen["quick"] += len(nodes) > 30 and 4 * ticks[walk.Quick] < ticks[OneByOne]
    assert seen["refused"] > 10 and seen["bound"] > 10 and seen["quick"] > 3, seen


def damage(rng, nodes, level, widths):
    """Something else in the place of a node, or of a part of it."""
    k = rng.randrange(len(nodes))
    node, i = nodes[k], rng.randrange(widths[level - 2])
    if rng.random() < 0.2:
        k = 0
        node = nodes[0]
    if not isinstance(node.get("split", []), list) or not isinstance(node.get("derive", []), list):
        return  # it is damaged already
    if "split" in node:
        damage_split(rng, node, level, i)
    else:
        damage_leaf(rng, nodes, k, level, i, widths)


def damage_split(rng, node, level, i):
    derive, kind = node.get("derive"), rng.randrange(6)
    if kind == 0:
        node["split"] = ["neuron", level - 1, i]
    elif kind == 1:
        node["split"][-1] = rng.choice((str(Fraction(rng.randint(-9, 9), 10)), "1e30", "-1e9"))
    elif kind == 2:
        node["derive"] = rng.choice(([[at] for at in range(1, level)], [[at] for at in range(1, level - 1)]))
    elif kind == 3:
        node.pop("derive", None)
    elif kind == 4:
        node["split"] = rng.choice((["x", 99, "0"], ["x", True, "0"], ["x", 0, "?"], ["form", "0", "1"], 7))
    elif derive and rng.random() < 0.4:
        derive[0] = [True]
    elif derive:
        derive[rng.randrange(len(derive))] = rng.choice(
            ([True], [level - 1, [i]], [level - 1, [99]], [1, 0, "lower", {}], 5)
        )


def damage_leaf(rng, nodes, k, level, i, widths):
    node = nodes[k]
    kind = rng.randrange(6)
    if kind == 0:
        node["coarse"] = [said(rng, width) for width in widths[: level - 1]]
    elif kind == 1:
        nodes[k] = {"derive": [[at] for at in range(1, level)]}
    elif kind == 2:
        node.pop("derive", None)
    elif kind == 3:
        whole = [[at] for at in range(1, level)]
        some = [*whole[:-1], [level - 1, [i]]]
        node["derive"] = rng.choice((whole, whole[:1], some, [*whole[:-1], [level - 1, [99]]], [[True], *some[1:]], 3))
    elif kind == 4:
        node["coarse"] = rng.choice((["0"], ["z" * widths[0]], 4, [""] * level, []))
    else:
        del nodes[k]
