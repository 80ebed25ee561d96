"""The compiled kernel against the NumPy code: the same integers when it judges, the same floats when it explores."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from families import as_network, network

from geomrelu import Network, Polyhedron, checker
from geomrelu.budget import UNLIMITED
from geomrelu.certificates import batch as walk
from geomrelu.certificates import files, fixed_point
from geomrelu.certificates.region import EMPTY, Region
from geomrelu.deadness import branch_and_bound, workers
from geomrelu.native import boxes as kernel
from geomrelu.native import build, library

compiled = pytest.mark.skipif(not library.available(), reason=f"no compiled kernel: {library.named()}")
SHAPES = ((2, 5, 4, 1), (3, 6, 6, 2), (4, 5, 5, 4, 2), (1, 3, 3, 3, 3, 2), (8, 9, 2), (2, 3, 2))
WIDE = ((2, 129, 2), (3, 130, 9, 2), (2, 9, 140, 1), (1, 1000, 2), (2, 600, 3, 1))


def tall(rng):
    """Bounds and coefficients that grow from layer to layer, until floats do not hold the sums."""
    widths = rng.choice(((3, 6, 6, 2), (3, 8, 8, 2), (3, 5, 5, 5, 2), (2, 8, 6, 8, 2)))
    sign = rng.choice((-1, 1, 1, 1))
    rows = lambda m, n: [[rng.randint(7, 9) * rng.choice((1, 1, 1, sign)) for _ in range(m)] for _ in range(n)]  # noqa: E731
    return [(rows(m, n), [-m] * n) for m, n in pairwise(widths)]


def said(rng, width):
    return rng.choice(["", "".join(rng.choice("0123456789abcdefg") for _ in range(width))])


@compiled
@pytest.mark.parametrize("narrow", [kernel.NARROW, 0.0], ids=["in floats", "in 128 bits"])
@pytest.mark.parametrize("kind", ["rational", "ternary", "degenerate", "scaled", "tall", "wide"])
def test_the_integers_are_those_of_numpy_and_of_the_judge(kind, narrow, monkeypatch):
    """Bounds of all layers and of leaves with any slopes, on boxes that are cut and derived again and again."""
    monkeypatch.setattr(kernel, "NARROW", narrow)
    rng, seen = random.Random(kind), Counter()
    for k in range(5 if kind == "wide" else 30):
        widths = WIDE[k] if kind == "wide" else rng.choice(SHAPES)
        net = as_network(tall(rng) if kind == "tall" else network(rng, widths, "rational" if kind == "wide" else kind))
        level, n = net.depth, net.inputs
        sides = [(Fraction(-rng.randint(0, 9), 7), Fraction(rng.randint(0, 9), 5)) for _ in range(n)]
        box = Polyhedron.box(sides)
        own = walk.Quick([], net.checked, box.checked).arithmetic(level)
        if own is None or own.kernel is None:
            seen["none"] += 1
            continue
        cells, regions = [own.whole] * 4, []
        for _ in range(4):
            regions.append(Region(net.checked, box.checked))
            regions[-1].derive([[at] for at in range(1, level)], level)
        for stage in range(2 if kind == "wide" else 3):
            some = [(None, (), tuple(rng.sample(range(net.widths[-2]), 2)))[: 1 + 2 * stage] for _ in cells]
            last = [rng.choice(choice) for choice in some]
            slopes = {row: [said(rng, w) for w in net.widths[: level - 1]] for row in rng.sample(range(len(cells)), 2)}
            neuron, sign = rng.randrange(net.widths[-1]), rng.choice((1, 1, -1))
            fast = fixed_point.Judged(own, cells, last, neuron, slopes, sign)
            slow = fixed_point.Batch(own, cells, last)
            bounds = slow.bounds(neuron, slopes, sign)
            unit = Fraction(2) ** (own.fields_of.exponents(level)[neuron] - 56)
            for row, region in enumerate(regions):
                region.derive(walk.derived(level, last[row]).get("derive", []), level)
                seen["good" if fast.good[row] else "left"] += 1
                if fast.good[row]:
                    assert bool(fast.empty[row]) == region.empty
                if fast.good[row] and not region.empty:
                    assert [known[row].T.tolist() for known in fast.known] == [
                        [list(pair) for pair in pairs] for pairs, _ in region.known[: level - 1]
                    ]
                if fast.good[row] and slow.good[row] and not slow.empty[row]:
                    assert all((a[row] == b[row]).all() for a, b in zip(fast.known, slow.known, strict=True))
            for place, (row, text) in enumerate(slopes.items()):
                if fast.good[row] and not fast.empty[row]:
                    assert fast.bounds[place] * unit == regions[row].leaf(level, neuron, sign, {"coarse": text})
                    assert not slow.good[row] or fast.bounds[place] == bounds[place]
                    seen["bounds"] += 1
            kept = [row for row in range(len(cells)) if fast.good[row]]
            if len(kept) < len(cells):
                break
            for row in kept:
                j, side = rng.randrange(n), rng.choice((-1, 1))
                low, high = regions[row].lower[j], regions[row].upper[j]
                c = Fraction(round(64 * (low + 2 * high) / 3), 64)
                cells[row] = fast.cell(row)
                if low < c < high:
                    cells[row] = own.halved(cells[row], j, c)[side > 0]
                    regions[row] = regions[row].child(("x", j, c), side)
                else:
                    regions[row].corners, regions[row].lines = {}, {}
    assert seen["good"] > (15 if kind == "wide" else 100) and seen["bounds"] > (6 if kind == "wide" else 40), seen
    assert seen["left"] < seen["good"] / 4 if kind == "tall" else not seen["left"], seen


def test_cuts_in_units_are_those_of_the_fields():
    """Rounded down and up from any fraction, on boxes of any scale; a cut must lie in the range of its input."""
    rng, seen = random.Random(7), Counter()
    for kind in ("rational", "ternary", "degenerate", "scaled"):
        for _ in range(20):
            net = as_network(network(rng, (2, 4, 3, 1), kind))
            scale = Fraction(rng.choice((1, 1, 10**9)), rng.choice((1, 3, 10**9)))
            sides = [(-scale * rng.randint(0, 9) / 7, scale * rng.randint(0, 9) / 5) for _ in range(2)]
            own = walk.Quick([], net.checked, Polyhedron.box(sides).checked).arithmetic(3)
            if own is None:
                continue
            for _ in range(10):
                j = rng.randrange(2)
                low, high = sides[j]
                x = low + (high - low) * Fraction(rng.randint(-1, 8), 7)
                if rng.random() < 0.5:
                    x = Fraction(float(x))
                fields = own.fields_of
                assert own._around(j, x) == (fields.side(j, x, -1), fields.side(j, x, 1))
                if low <= x <= high:
                    below, above = own.halved(own.whole, j, x)
                    assert below.sides[j] == (low, x) and above.sides[j] == (x, high)
                else:
                    with pytest.raises(OverflowError):
                        own.halved(own.whole, j, x)
                seen[low <= x <= high] += 1
    assert min(seen[True], seen[False]) > 50, seen


@compiled
def test_a_box_without_points_is_empty_and_what_is_too_large_is_not():
    """Empty is a bound below everything, so numbers beyond the kernel must never look like it."""
    rng, seen = random.Random(4), Counter()
    for _ in range(60):
        net, box = as_network(network(rng, (2, 5, 4, 1), "rational")), Polyhedron.box([(-1, 1)] * 2)
        own = walk.Quick([], net.checked, box.checked).arithmetic(3)
        known = own.whole.known.copy()
        k = rng.randrange(5)
        if rng.random() < 0.5:
            known[k], known[5 + k] = known[5 + k] + 1, known[k]
            cell = own.whole._replace(known=known)
            found = fixed_point.Judged(own, [cell], [None], 0, {0: []})
            assert found.good[0] and found.empty[0]
            seen["empty"] += 1
        else:  # sides far outside: numbers are too large, and garbage may look like bounds that cross
            far = own.whole._replace(high=own.whole.high << 33, low=own.whole.low - (1 << 60))
            with np.errstate(all="ignore"):
                both = fixed_point.Judged(own, [far], [None], 0, {0: []}), fixed_point.Batch(own, [far], [None])
            assert not any(one.good[0] or one.empty[0] for one in both)
            seen["large"] += 1
    assert min(seen.values()) > 10, seen


def nearly_alive(rng, widths, margin):
    """A network whose last neuron has its maximum (of many points) below 0 by a margin, and a box."""
    layers = [(rng.normal(size=(m, n)) / np.sqrt(n), rng.normal(size=m) / 4) for n, m in pairwise(widths)]
    values = rng.uniform(-1, 1, (20_000, widths[0]))
    for matrix, bias in layers[:-1]:
        values = np.maximum(values @ matrix.T + bias, 0)
    matrix, bias = layers[-1]
    layers[-1] = matrix, bias - (values @ matrix.T + bias).max() - margin
    return Network.from_layers([(*layer, "relu") for layer in layers]), Polyhedron.box([(-1, 1)] * widths[0])


def grown(net, box, level, neuron, count):
    """A growth without the kernel, and the kernel for the same neuron."""
    bench = workers.Bench(net, box)
    tree = branch_and_bound.Tree(bench.floating, level, neuron)
    growth = branch_and_bound.Growth(tree, tree.take(1))
    growth.start(bench.floating)
    explorer, growth.explorer, growth.looks = growth.explorer, None, False
    parts = {}
    for most in range(1, count, 9):
        growth.grow(most, UNLIMITED)
        parts |= {part.name: part for part in growth.parts if part.base is not None}
    return bench, growth, explorer, list(parts.values())[-21:]


@compiled
@pytest.mark.parametrize(
    "widths", [(3, 12, 12, 12, 1), (5, 20, 17, 20, 9, 1), (8, 11, 10, 1), (4, 140, 8, 1), (2, 300, 1)]
)
def test_what_is_explored_is_what_numpy_finds(widths):
    """Bounds of all neurons; the bound of the neuron by the slopes that are said; what is settled; where to split."""
    rng, seen = np.random.default_rng(len(widths)), Counter()
    for _ in range(6):
        (net, box), level = nearly_alive(rng, widths, 1e-4), len(widths) - 1
        bench, growth, explorer, parts = grown(net, box, level, 0, 150)
        if not parts or explorer is None:
            continue
        floating, growth.budget = bench.floating, UNLIMITED
        lower, upper = np.array([part.lower for part in parts]), np.array([part.upper for part in parts])
        table = growth.earlier.table(parts)
        stubborn, unwanted = np.zeros(len(parts), dtype=np.uint8), None
        if level > 2:
            unwanted = np.ones(explorer.last, dtype=np.uint8)
            unwanted[: len(growth.unwanted)] = growth.unwanted
        known = tuple(np.ascontiguousarray(table[:, side]) for side in (0, 1))
        phases = growth.earlier.phases(parts)
        signs = np.zeros((len(parts), explorer.all), dtype=np.int8)
        for where, phase in zip(explorer.slices, phases or (), strict=phases is not None):
            signs[:, where] = phase
        found = explorer.boxes(lower, upper, known, signs if signs.any() else None, stubborn, unwanted)
        boxes = growth._bounded(parts, True)
        for where, (low, high) in zip(explorer.slices, boxes.bounds, strict=True):
            least, most = found.low[:, where], found.high[:, where]
            open_ = (low < 0) & (high > 0)  # of the others only the sign matters
            assert ((least < 0) & (most > 0) == open_).all()
            assert np.allclose(least[open_], low[open_], rtol=1e-9, atol=1e-12)
            assert np.allclose(most[open_], high[open_], rtol=1e-9, atol=1e-12)
        first = growth._highest(boxes, floating.backward(boxes, level, growth.target))
        below = [found.slopes[:, where] / 16 for where in explorer.slices]
        below = [np.where(line.unknown, b, line.below) for line, b in zip(boxes.lines, below, strict=True)]
        added = [found.added[:, where] for where in explorer.slices] if signs.any() else None
        by_slopes = growth._highest(boxes, floating.backward(boxes, level, growth.target, 1, below, added))
        phases = phases if signs.any() else None
        improved = floating.improved(boxes, level, 0, branch_and_bound.STEPS, phases, growth.enough)[0]
        losses = floating.losses(boxes, level, 0, below, added)
        blame, total = floating.blame(boxes, losses), sum(loss.sum(axis=1) for loss in losses)
        for row, kind in enumerate(found.kind.tolist()):
            seen[kind] += 1
            seen["signs"] += bool(parts[row].signs)
            if kind == kernel.DEFAULT:
                assert np.isclose(found.bound[row], first[row], rtol=1e-9) and first[row] <= growth.enough
                continue
            assert np.isclose(found.bound[row], by_slopes[row], rtol=1e-9, atol=1e-12)
            seen["as good"] += found.bound[row] <= improved[row] + 0.02 * abs(first[row] - improved[row])
            value = floating.forward(found.points[row : row + 1], level)[-1][0, 0]
            assert np.isclose(found.values[row], value, rtol=1e-9, atol=1e-9)
            if kind == kernel.INPUT:
                assert blame[row, found.place[row]] > (1 - 1e-6) * blame[row].max()
            if kind == kernel.NEURON:
                loss = losses[found.layer[row] - 1][row, found.place[row]]
                assert loss > (1 - 1e-6) * max(loss[row].max() for loss in losses) and total[row] > 0
    explored = sum(seen[kind] for kind in range(kernel.IMPROVED, kernel.PROGRAM + 1))
    assert explored > 10 and seen["as good"] > 0.8 * explored, seen
    assert widths[0] > 3 or seen["signs"] > 10, seen


@compiled
@pytest.mark.parametrize("widths", [(2, 9, 1), (4, 16, 16, 1), (4, 12, 12, 12, 1)])
def test_what_is_judged_is_what_a_leaf_says(widths):
    """Leaves are kept as steps; read from the certificate they are the same steps."""
    net, box = nearly_alive(np.random.default_rng(3), widths, 1e-3)
    bench, level = workers.Bench(net, box), len(widths) - 1
    tree = branch_and_bound.Tree(bench.floating, level, 0)
    growth = branch_and_bound.Growth(tree, tree.take(1))
    growth.start(bench.floating)
    growth.looks = False
    growth.grow(2_000, UNLIMITED)
    steps = [node for node in growth.nodes.values() if isinstance(node, walk.Step)]
    assert len(steps) > 5 and any(any(step.slopes) for step in steps)
    for step in steps:
        assert walk.Step.read(step.leaf(level), level, net.widths, net.inputs) == step


@compiled
def test_trees_are_proofs_with_the_kernel_and_without(monkeypatch):
    """The plain judge accepts both; the kernel does not need many more boxes."""
    rng, boxes = np.random.default_rng(0), Counter()
    for _ in range(4):
        net, box = nearly_alive(rng, (4, 16, 16, 16, 16, 1), 0.15)
        for explores in (True, False):
            with monkeypatch.context() as patch:
                if not explores:
                    patch.setattr(branch_and_bound.Growth, "_explorer", lambda own: None)
                bench = workers.Bench(net, box)
                tree = branch_and_bound.Tree(bench.floating, 5, 0)
                while not tree.done and tree.point is None and tree.boxes < 4_000:
                    tree.merge(workers.turn(bench, branch_and_bound.Growth(tree, tree.take(1000)), 500, 600))
            assert tree.done and tree.point is None and not tree.failed
            claim = files.unpacked(bench.refuted(tree))
            checker.prove(claim, checker.Judge([], net.checked, box.checked))
            boxes[explores] += tree.boxes
    assert boxes[True] < 1.5 * boxes[False], boxes


def test_numpy_on_demand_and_no_compiler(tmp_path):
    """An environment variable leaves the kernel aside; without a compiler nothing is built, and the reason is said."""
    code = "from geomrelu.native.library import named; print(named())"
    environment = os.environ | {"GEOMRELU_COMPILED": "no"}
    out = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert out.stdout.startswith("NumPy, as GEOMRELU_COMPILED says")
    code = "from geomrelu.native.build import build; from pathlib import Path; print(build(Path(sys.argv[1])))"
    code = f"import sys; {code}"
    environment = os.environ | {"CC": str(tmp_path / "no-compiler")}
    command = [sys.executable, "-c", code, str(tmp_path / "kernel.so")]
    out = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert out.stdout.startswith("there is no C compiler") and not list(tmp_path.iterdir())


def test_a_library_of_other_sources_is_not_used(monkeypatch):
    """Its tables might be others."""
    library._loaded.cache_clear()
    monkeypatch.setattr(library, "source", lambda: "other")
    monkeypatch.delenv("GEOMRELU_COMPILED", raising=False)
    try:
        assert library.named().startswith("NumPy") and not library.available()
        with pytest.raises(OverflowError):
            kernel.Judge([np.ones((1, 2), dtype=np.int64)], [True])
    finally:
        library._loaded.cache_clear()
    assert EMPTY == "empty" and build.LIBRARY
