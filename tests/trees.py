"""Trees of boxes that prove a neuron of a deep network dead, for tests of who grows them and of who judges them."""

from __future__ import annotations

import gc
import json
from itertools import pairwise

import numpy as np

from geomrelu import Network, Polyhedron, checker
from geomrelu.certificates import files
from geomrelu.deadness import branch_and_bound, workers


def settle(bench, level, i, coarse=True, most=20_000):
    """A tree that has grown until it is a proof or has found a point."""
    tree = branch_and_bound.Tree(bench.floating, level, i, coarse)
    while not tree.done and tree.point is None and not tree.failed and tree.boxes < most:
        tree.merge(workers.turn(bench, branch_and_bound.Growth(tree, tree.take(1000)), 500, 600))
    return tree


def deep(widths=(4, 16, 16, 16, 16, 1)):
    """Networks whose last neuron is dead, but nearly alive."""
    rng, depth = np.random.default_rng(0), len(widths) - 1
    for _ in range(8):
        layers = [(rng.normal(size=(n, m)) / np.sqrt(m), rng.normal(size=n) / 2) for m, n in pairwise(widths)]
        net, box = Network.from_layers([(W, b, "relu") for W, b in layers]), Polyhedron.box([(-1, 1)] * widths[0])
        sample = rng.uniform(-1, 1, (4000, widths[0]))
        highest = workers.Bench(net, box).floating.forward(sample, depth)[-1].max()
        layers[-1] = (layers[-1][0], layers[-1][1] - highest - 0.02)
        bench = workers.Bench(Network.from_layers([(W, b, "relu") for W, b in layers]), box)
        tree = settle(bench, depth, 0)
        if tree.point is None:  # else it is higher than the sample
            yield bench, tree


def accepted(bench, tree):
    """Does the checker accept the whole proof, once it has been a file?"""
    claim = json.loads(json.dumps(files.unpacked(bench.refuted(tree))))
    checker.prove(claim, bench.shared)
    return claim["stable"]


def objects(*roots):
    """What the collector of garbage knows, below some objects."""
    found, stack = {}, list(roots)
    while stack:
        one = stack.pop()
        if gc.is_tracked(one) and not isinstance(one, type) and id(one) not in found:
            found[id(one)] = one
            stack += gc.get_referents(one)
    return found
