"""What claims say of infinity: lists of cones, and proofs about the network without biases."""

from __future__ import annotations

import copy
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from attack import grammar
from attack.networks import Net

if TYPE_CHECKING:
    from attack.assaults import Claim, Field


def far(field_: Field, level: int) -> Claim:
    """What is to show that a neuron stays dead at infinity: at random, or of another claim, or changed."""
    rng, case = field_.rng, field_.case
    if not case.open and rng.random() < 0.8:
        return {}
    if field_.far and rng.random() < 0.6:
        found = copy.deepcopy(rng.choice(field_.far))
        if "infinity" in found and rng.random() < 0.5:
            found["infinity"] = grammar.other_cones(rng, found["infinity"], case.open)
        if "growth" in found and rng.random() < 0.5:
            found["growth"] = other_growth(field_, level, found["growth"])
        return found
    if rng.random() < 0.4:
        return {"growth": growth(field_, level)}
    return {"infinity": grammar.cones(rng, case.open, rng.choice((0, 1, 2, 4)))}


def slice_shape(field_: Field, level: int, k: int) -> grammar.Shape:
    """What a proof about the network without biases may refer to on a slice."""
    part, net = field_.case.slices[k], field_.net
    box = list(zip(part.lower, part.upper, strict=True))
    cuts = [[Fraction(c) for c in (0, 1, -1)] + [Fraction(1, 2)] for _ in box]
    rows, flats = len(part.rows), len(part.equalities)
    return grammar.Shape(level, net.inputs, net.widths, rows, flats, box, cuts, 0, level <= field_.case.fits)


def growth(field_: Field, level: int) -> list[Any]:
    """A proof for each slice."""
    rng, found = field_.rng, []
    for k in range(len(field_.case.slices)):
        shape = slice_shape(field_, level, k)
        if rng.random() < 0.6:  # outputs with weights <= 0 count for nothing
            said = {"slopes": [rng.choice("08g") * width for width in field_.net.widths[: level - 1]]}
            found.append([said | ({"derive": [[at] for at in range(1, level)]} if level > 1 else {})])
        else:
            found.append(grammar.tree(rng, shape, rng.choice((0, 1, 2, 3))).proof())
    return found


def other_growth(field_: Field, level: int, said: list[Any]) -> list[Any]:
    """Proofs for slices, changed a little."""
    rng, slices = field_.rng, field_.case.slices
    if not said or len(said) != len(slices):
        return said
    k = rng.randrange(len(said))
    tree = grammar.tree_of(said[k])
    match rng.randrange(6):
        case 0:
            del said[k]
        case 1:
            said.append(said[k])
        case 2:
            rng.shuffle(said)
        case _ if tree is not None:
            said[k] = grammar.mutated(rng, tree, slice_shape(field_, level, k)).proof()
    return said


def cones_of(field_: Field, level: int, most: int = 60) -> list[Any]:
    """Cones on which the layers before a layer keep their signs (mostly): what is to show that a neuron is quiet."""
    rng, net, nodes = field_.rng, field_.net, list[Any]()
    homogeneous = Net(net.inputs, [[(Fraction(0), slope) for _, slope in layer] for layer in net.layers])
    stack = [[[Fraction(x) for x in g] for g in field_.case.far]]
    careless = rng.random() < 0.3
    while stack:
        cone = stack.pop()
        growth = [[v for z in homogeneous.values(g)[: level - 1] for v in z] for g in cone]
        pairs = [
            (p, q, -growth[q][i], growth[p][i])
            for i in range(sum(net.widths[: level - 1]))
            for p in range(len(cone))
            for q in range(len(cone))
            if growth[p][i] > 0 > growth[q][i]
        ]
        if not pairs or len(nodes) > most or (careless and rng.random() < 0.1):
            nodes.append([])
            continue
        p, q, a, b = pairs[0] if rng.random() < 0.9 else rng.choice(pairs)
        if rng.random() < 0.01:
            a += grammar.tiny(rng) * a
        nodes.append([p, q, str(a), str(b)])
        middle = [a * x + b * y for x, y in zip(cone[p], cone[q], strict=True)]
        stack += [[middle if k == new else g for k, g in enumerate(cone)] for new in (q, p)]
    return nodes
