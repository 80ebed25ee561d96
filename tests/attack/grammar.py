"""Random proofs and claims over the whole grammar of certificates, and small changes of given ones.

Only this file and ``judges`` know how certificates are spelt. A proof is a list of nodes in preorder; here it is grown
and changed as a tree.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

SLOPES = "0123456789abcdefg"
Node = dict[str, Any]


@dataclass
class Shape:
    """What a proof may refer to.

    Attributes:
        level: the layer of the neuron. widths: of the layers. cuts: numbers worth cutting each input at.
        coarse: does coarse arithmetic fit (most proofs should then use it)?
    """

    level: int
    inputs: int
    widths: list[int]
    rows: int
    equalities: int
    boxed: bool  # may inputs be cut?
    cuts: list[list[Fraction]]


@dataclass
class Tree:
    """A node with its two subtrees, if it is a split."""

    node: Node
    parts: list[Tree]

    def nodes(self) -> list[Tree]:
        found, stack = [], [self]
        while stack:
            tree = stack.pop()
            found.append(tree)
            stack += reversed(tree.parts)
        return found

    def proof(self) -> list[Node]:
        return [tree.node for tree in self.nodes()]


def tree_of(proof: Any) -> Tree | None:
    """A list of nodes as a tree; None if it is none."""
    if not isinstance(proof, list):
        return None
    stack: list[Tree] = []
    for node in reversed(proof):
        if not isinstance(node, dict):
            return None
        if "split" in node:
            if len(stack) < 2:
                return None
            parts = [stack.pop(), stack.pop()]
            stack.append(Tree(copy.deepcopy(node), parts))
        else:
            stack.append(Tree(copy.deepcopy(node), []))
    return stack[0] if len(stack) == 1 else None


# ---- random proofs ----------------------------------------------------------------------------------------------


def number(rng: random.Random, wild: bool = False) -> str:
    """A multiplier: mostly small and not negative."""
    v = Fraction(rng.choice((0, 1, 1, 1, 2, 3, 5, 8)), rng.choice((1, 1, 2, 3, 4, 7)))
    if rng.random() < 0.1:
        v *= Fraction(2) ** rng.randint(-40, 40)
    if wild and rng.random() < 0.5:
        v = -v
    return str(v)


def cut(rng: random.Random, shape: Shape, j: int) -> str:
    """Where to cut an input: at, near or far from numbers that matter."""
    if shape.cuts[j] and rng.random() < 0.8:
        c = rng.choice(shape.cuts[j])
        if rng.random() < 0.5:
            c = (c + rng.choice(shape.cuts[j])) / 2
        if rng.random() < 0.2:
            c += Fraction(rng.choice((-1, 1)), 2 ** rng.randint(1, 80))
        return str(c)
    return rng.choice((str(Fraction(rng.randint(-9, 9), rng.choice((1, 2, 3, 8)))), "1e30", "-1e30", "1e-30"))


def split(rng: random.Random, shape: Shape) -> list[Any]:
    """A split."""
    kinds = ["form"] + ["neuron"] * 3 * (shape.level > 1) + ["x"] * 4 * shape.boxed
    kind = rng.choice(kinds)
    if kind == "x":
        j = rng.randrange(shape.inputs)
        return ["x", j, cut(rng, shape, j)]
    if kind == "neuron":
        at = rng.randint(1, shape.level - 1)
        return ["neuron", at, rng.randrange(shape.widths[at - 1])]
    return ["form", *(str(Fraction(rng.randint(-3, 3), rng.choice((1, 2)))) for _ in range(shape.inputs + 1))]


def texts(rng: random.Random, shape: Shape) -> list[str]:
    """Slopes of a coarse leaf."""
    found = []
    for width in shape.widths[: shape.level - 1]:
        kind = rng.randrange(4)
        found.append(
            "" if kind == 0 else rng.choice(SLOPES) * width if kind == 1 else "".join(rng.choices(SLOPES, k=width))
        )
    return found[: rng.choice((0, len(found), len(found), rng.randint(0, len(found))))]


def multipliers(rng: random.Random, shape: Shape, splits: int, below: int) -> Node:
    """Multipliers of a leaf, or of a bound of a neuron of layer ``below``."""
    wild = rng.random() < 0.05

    def table(size: int, free: bool = False) -> dict[str, str]:
        return {str(rng.randrange(size)): number(rng, wild or free) for _ in range(rng.randint(0, 2) if size else 0)}

    found: Node = {
        "splits": table(splits),
        "rows": table(shape.rows),
        "equalities": table(shape.equalities, free=True),
    }
    if below > 1 and rng.random() < 0.4:
        at = rng.randint(1, below - 1)
        values = ("-1/2", "5/3") if wild else ("0", "1", "1/3", "7/8", "1/1099511627776")
        found["slopes"] = {str(at): {str(rng.randrange(shape.widths[at - 1])): rng.choice(values) for _ in range(2)}}
    return {key: value for key, value in found.items() if value}


def derivation(rng: random.Random, shape: Shape, splits: int) -> list[Any]:
    """What a node derives."""
    whole: list[Any] = [[at] for at in range(1, shape.level)]
    if rng.random() < 0.6:
        return whole
    at = rng.randint(1, shape.level - 1)
    width = shape.widths[at - 1]
    some = sorted(rng.sample(range(width), min(width, rng.randint(0, 3))))
    item = rng.choice(
        (
            [at],
            [at, "exact"],
            [at, some],
            [at, some[::-1]],
            [at, rng.randrange(width), rng.choice(("upper", "lower")), multipliers(rng, shape, splits, at)],
        )
    )
    return rng.choice(([item], [*whole, item], [*whole[:-1], item], [item, *whole], whole[::-1]))


def leaf(rng: random.Random, shape: Shape, splits: int) -> Node:
    """A leaf."""
    if rng.random() < 0.5:
        found: Node = {"coarse": texts(rng, shape)}
        if splits and rng.random() < 0.3:
            found["splits"] = {str(rng.randrange(splits)): number(rng)}
        return found
    return multipliers(rng, shape, splits, shape.level) if rng.random() < 0.7 else {}


def tree(rng: random.Random, shape: Shape, depth: int, splits: int = 0) -> Tree:
    """A random proof; ``splits``: of neurons or forms on the way to it."""
    node: Node = {}
    if shape.level > 1 and rng.random() < 0.5:
        node["derive"] = derivation(rng, shape, splits)
    if depth == 0 or rng.random() < 0.25:
        return Tree({**node, **leaf(rng, shape, splits)}, [])
    node["split"] = split(rng, shape)
    splits += node["split"][0] != "x"
    return Tree(node, [tree(rng, shape, depth - 1, splits) for _ in range(2)])


def comb(rng: random.Random, shape: Shape, count: int) -> Tree:
    """A large tree that cuts inputs only, as batches take it; bounds are derived everywhere."""
    whole = [[at] for at in range(1, shape.level)]

    def end() -> Tree:
        return Tree({"derive": whole, "coarse": texts(rng, shape) if rng.random() < 0.3 else []}, [])

    root = found = end()
    leaves = [found]
    for _ in range(count):
        found = leaves.pop(rng.randrange(len(leaves)))
        j = rng.randrange(shape.inputs)
        found.parts = [end(), end()]
        found.node = {"split": ["x", j, cut(rng, shape, j)]}
        if found is root or rng.random() < 0.3:
            found.node["derive"] = whole
        leaves += found.parts
    return root


# ---- small changes ----------------------------------------------------------------------------------------------


def mutated(rng: random.Random, proof: Tree, shape: Shape) -> Tree:
    """Another proof, near this one."""
    root = copy.deepcopy(proof)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        nodes = root.nodes()
        at = rng.choice(nodes) if rng.random() < 0.8 else root
        _change(rng, at, shape, _splits_above(root, at))
    return root


def _splits_above(root: Tree, at: Tree) -> int:
    """How many splits that carry multipliers are on the way to a node."""
    stack = [(root, 0)]
    while stack:
        tree_, count = stack.pop()
        if tree_ is at:
            return count
        here = tree_.node.get("split")
        count += isinstance(here, list) and bool(here) and here[0] != "x"
        stack += [(part, count) for part in tree_.parts]
    return 0


def _change(rng: random.Random, at: Tree, shape: Shape, splits: int) -> None:
    common: list[Callable[..., None]] = [_grow, _derive, _derive, _replace]
    own = [_recut, _recut, _swap, _prune] if at.parts else [_slopes, _slopes, _multiply, _multiply, _multiply]
    rng.choice(common + own)(rng, at, shape, splits)


def _grow(rng: random.Random, at: Tree, shape: Shape, splits: int) -> None:
    """Split here; both sides go on as before."""
    below = Tree(at.node, at.parts)
    if below.parts and rng.random() < 0.7:
        return _recut(rng, at, shape, splits)
    node: Node = {"split": split(rng, shape)}
    if "derive" in below.node and rng.random() < 0.5:
        node["derive"] = copy.deepcopy(below.node["derive"])
    at.node, at.parts = node, [below, copy.deepcopy(below)]
    return None


def _derive(rng: random.Random, at: Tree, shape: Shape, splits: int) -> None:
    if shape.level == 1:
        return
    if "derive" not in at.node or rng.random() < 0.4:
        at.node["derive"] = derivation(rng, shape, splits)
    elif rng.random() < 0.3:
        del at.node["derive"]
    else:
        items = at.node["derive"]
        if isinstance(items, list) and items:
            k = rng.randrange(len(items))
            match rng.randrange(4):
                case 0:
                    del items[k]
                case 1:
                    items.insert(k, copy.deepcopy(rng.choice(items)))
                case 2:
                    rng.shuffle(items)
                case _:
                    items += derivation(rng, shape, splits)


def _replace(rng: random.Random, at: Tree, shape: Shape, splits: int) -> None:
    if at.parts and rng.random() < 0.6:
        _recut(rng, at, shape, splits)
        return
    other = tree(rng, shape, rng.randint(0, 2), splits)
    at.node, at.parts = other.node, other.parts


def _recut(rng: random.Random, at: Tree, shape: Shape, splits: int) -> None:
    said = at.node.get("split")
    if isinstance(said, list) and len(said) == 3 and said[0] == "x" and rng.random() < 0.8:
        said[2] = cut(rng, shape, said[1]) if type(said[1]) is int and 0 <= said[1] < shape.inputs else "0"
    elif "split" in at.node:
        at.node["split"] = split(rng, shape)


def _swap(rng: random.Random, at: Tree, shape: Shape, splits: int) -> None:
    at.parts.reverse()


def _prune(rng: random.Random, at: Tree, shape: Shape, splits: int) -> None:
    one = rng.choice(at.parts)
    at.node, at.parts = one.node, one.parts


def _slopes(rng: random.Random, at: Tree, shape: Shape, splits: int) -> None:
    said = at.node.get("coarse")
    if isinstance(said, list) and any(said) and rng.random() < 0.8:
        k = rng.choice([k for k, text in enumerate(said) if text])
        i = rng.randrange(len(said[k]))
        said[k] = said[k][:i] + rng.choice(SLOPES) + said[k][i + 1 :]
        return
    derive = at.node.get("derive")
    at.node = leaf(rng, shape, splits)
    if derive is not None:
        at.node["derive"] = derive


def _multiply(rng: random.Random, at: Tree, shape: Shape, splits: int) -> None:
    """Change, drop or add a multiplier."""
    tables = [at.node[key] for key in ("splits", "rows", "equalities") if isinstance(at.node.get(key), dict)]
    tables += [t for t in (at.node.get("slopes") or {}).values() if isinstance(t, dict)]
    tables = [t for t in tables if t]
    if not tables or rng.random() < 0.2:
        for key, value in multipliers(rng, shape, splits, shape.level).items():
            if key != "slopes" or "coarse" not in at.node:
                at.node.setdefault(key, value)
        return
    table = rng.choice(tables)
    key = rng.choice(list(table))
    try:
        value = Fraction(table[key])
    except (ValueError, TypeError):
        value = Fraction(1)
    match rng.randrange(6):
        case 0:
            del table[key]
        case 1:
            table[key] = number(rng, wild=True)
        case 2:
            table[str(rng.randrange(4))] = table.pop(key)
        case 3:
            table[key] = str(-value)
        case _:
            step = Fraction(rng.choice((-1, 1)), 2 ** rng.randint(0, 40))
            table[key] = str(value * (1 + step) if value else step)


# ---- damage -----------------------------------------------------------------------------------------------------

ODD: list[Any] = [None, True, False, 0, 1, -1, 2.5, "", "0", "1/0", "-1", "inf", "nan", [], {}, [[]], "é", "٣", 10**30]
ODD += ["1e9999", "0x1", " 1", "1_0", "1/3 ", [True], {"0": "1"}, "corner", "dead", "alive", [1, "exact"], "１"]


def damaged(rng: random.Random, data: Any) -> Any:
    """Something odd in the place of some part of a JSON value, or a part dropped, repeated or moved."""
    root = [copy.deepcopy(data)]
    for _ in range(rng.choice((1, 1, 2))):
        holder: Any = root
        while True:
            keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            if not keys:
                break
            key = rng.choice(keys)
            if not isinstance(holder[key], (dict, list)) or not holder[key] or rng.random() < 0.25:
                _damage(rng, holder, key)
                break
            holder = holder[key]
    return root[0] if root else None


def _damage(rng: random.Random, holder: Any, key: Any) -> None:
    kind = rng.randrange(5)
    if kind == 0 and isinstance(holder, dict):
        holder[rng.choice(("", "x", "split", "coarse", "derive", "status", "0", "00", "1 "))] = holder.pop(key)
    elif kind == 1 and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(rng.choice(holder)))
    elif kind == 2 and len(holder) > 1:
        del holder[key]
    elif kind == 3 and type(holder[key]) is int:
        holder[key] += rng.choice((-1, 1))
    else:
        holder[key] = copy.deepcopy(rng.choice(ODD))
