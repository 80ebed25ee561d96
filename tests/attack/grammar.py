"""Random proofs and claims over the whole grammar of certificates, and small changes of given ones.

Only this file and ``judges`` know how certificates are spelt. A proof is a list of nodes in preorder; here it is grown
and changed as a tree. Most of it is well formed, so that it is judged by its numbers; a little is not.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

SLOPES = "0123456789abcdefg"
Node = dict[str, Any]
Side = Fraction | None


@dataclass(frozen=True)
class Shape:
    """What a proof may refer to.

    Attributes:
        level: the layer of the neuron. widths: of the layers. rows, equalities: how many the domain has.
        box: of each input, the sides; None: inputs are not cut. cuts: numbers worth cutting each input at.
        derived: layers derived before the proof begins. fits: do all layers before fit fixed point?
    """

    level: int
    inputs: int
    widths: list[int]
    rows: int
    equalities: int
    box: list[tuple[Side, Side]] | None
    cuts: list[list[Fraction]]
    derived: int
    fits: bool


@dataclass(frozen=True)
class Way:
    """What holds at a node: the box there, the layers derived, and the splits of neurons on the way to it."""

    box: list[tuple[Side, Side]]
    derived: int
    splits: int

    def below(self, node: Node, side: int) -> Way:
        """After a node, on a side (0, 1) of its split."""
        derived = self.derived
        items = node.get("derive")
        for item in items if isinstance(items, list) else ():
            if isinstance(item, list) and len(item) == 1 and item[0] == derived + 1:
                derived += 1
        said, box, splits = node.get("split"), self.box, self.splits
        if isinstance(said, list) and len(said) == 3:
            if said[0] == "neuron":
                splits += 1
            elif type(said[1]) is int and 0 <= said[1] < len(box):
                j, c = said[1], _number(said[2])
                box = [*box[:j], (box[j][0], c) if side == 0 else (c, box[j][1]), *box[j + 1 :]]
        return Way(box, derived, splits)


def start(shape: Shape) -> Way:
    """At the root."""
    return Way(shape.box or [], shape.derived, 0)


def _number(value: Any) -> Fraction:
    try:
        return Fraction(value)
    except (ValueError, TypeError, ZeroDivisionError):
        return Fraction(0)


@dataclass
class Tree:
    """A node with its two subtrees, if it is a split."""

    node: Node
    parts: list[Tree]

    def nodes(self) -> list[Tree]:
        found, stack = [], [self]
        while stack:
            tree_ = stack.pop()
            found.append(tree_)
            stack += reversed(tree_.parts)
        return found

    def proof(self) -> list[Node]:
        return [tree_.node for tree_ in self.nodes()]

    def way_to(self, at: Tree, shape: Shape) -> Way:
        """What holds at a node of this tree."""
        stack = [(self, start(shape))]
        while stack:
            tree_, way = stack.pop()
            if tree_ is at:
                return way
            stack += [(part, way.below(tree_.node, k)) for k, part in enumerate(tree_.parts)]
        return start(shape)


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


def tiny(rng: random.Random) -> Fraction:
    return Fraction(rng.choice((-1, 1)), 2 ** rng.choice((1, 8, 20, 28, 30, 56, 60, 90)))


def multiplier(rng: random.Random, wild: bool = False) -> str:
    """Mostly small and not negative."""
    v = Fraction(rng.choice((0, 1, 1, 1, 2, 3, 5, 8)), rng.choice((1, 1, 2, 3, 4, 7)))
    if rng.random() < 0.1:
        v *= Fraction(2) ** rng.randint(-40, 40)
    if wild and rng.random() < 0.5:
        v = -v
    return str(v)


def cut(rng: random.Random, shape: Shape, way: Way, j: int, outside: float = 0.01) -> str:
    """Where to cut an input: in its range, at, near or far from numbers that matter; rarely outside."""
    low, high = way.box[j]
    marks = [c for c in shape.cuts[j] if (low is None or low <= c) and (high is None or c <= high)]
    marks += [c for c in (low, high) if c is not None]
    if not marks or rng.random() < outside:
        return rng.choice((str(Fraction(rng.randint(-9, 9), rng.choice((1, 2, 3, 8)))), "1e30", "-1e30", "1e-30"))
    a, b = rng.choice(marks), rng.choice(marks)
    c = a + (b - a) * rng.choice((Fraction(0), Fraction(1, 2), Fraction(1, 2), Fraction(rng.randint(1, 63), 64)))
    if rng.random() < 0.2:
        c += Fraction(rng.choice((-1, 1)), 2 ** rng.randint(1, 80))
        c = c if low is None or rng.random() < outside else max(c, low)
        c = c if high is None or rng.random() < outside else min(c, high)
    return str(c)


def split(rng: random.Random, shape: Shape, way: Way) -> list[Any] | None:
    """A split; None if nothing can be split."""
    kinds = ["neuron"] * 3 * bool(way.derived and shape.level > 1) + ["x"] * 4 * bool(way.box)
    if not kinds:
        return None
    if rng.choice(kinds) == "x":
        j = rng.randrange(shape.inputs)
        return ["x", j, cut(rng, shape, way, j)]
    at = rng.randint(1, min(way.derived, shape.level - 1))
    return ["neuron", at, rng.randrange(shape.widths[at - 1])]


def texts(rng: random.Random, shape: Shape, level: int | None = None) -> list[str]:
    """Slopes of a leaf about a neuron of a layer."""
    found = []
    for width in shape.widths[: (level or shape.level) - 1]:
        kind = rng.randrange(4)
        found.append(
            "" if kind == 0 else rng.choice(SLOPES) * width if kind == 1 else "".join(rng.choices(SLOPES, k=width))
        )
    return found[: rng.choice((0, len(found), len(found), rng.randint(0, len(found))))]


def exact_leaf(rng: random.Random, shape: Shape, way: Way, level: int) -> Node:
    """Multipliers and slopes of an exact bound of a neuron of a layer."""
    wild = rng.random() < 0.03

    def table(size: int, free: bool = False) -> dict[str, str]:
        return {
            str(rng.randrange(size)): multiplier(rng, wild or free) for _ in range(rng.randint(0, 2) if size else 0)
        }

    found: Node = {
        "splits": table(way.splits),
        "rows": table(shape.rows),
        "equalities": table(shape.equalities, free=True),
        "slopes": texts(rng, shape, level) if rng.random() < 0.5 else [],
    }
    return {key: value for key, value in found.items() if value}


def derivation(rng: random.Random, shape: Shape, way: Way) -> list[Any]:
    """What a node derives: what is missing, and more of what is there."""
    last = shape.level - 1

    def whole(at: int) -> list[Any]:
        """All of a layer; where it does not fit, now and then by intervals, going back for some."""
        width = shape.widths[at - 1]
        often = 0.01 if shape.fits else 0.3
        return [at, rng.sample(range(width), rng.randint(0, min(width, 2)))] if rng.random() < often else [at]

    found: list[Any] = [whole(at) for at in range(way.derived + 1, last + 1)]
    if rng.random() < 0.5 and way.derived:
        found = [whole(at) for at in range(1, last + 1)]
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        at = rng.randint(1, last)
        width = shape.widths[at - 1]
        some = rng.sample(range(width), min(width, rng.randint(0, 3)))
        one = [at, rng.randrange(width), rng.choice(("upper", "lower")), exact_leaf(rng, shape, way, at)]
        item = rng.choice(([at], [at, some], one))
        found.insert(rng.randint(0, len(found)) if rng.random() < 0.1 else len(found), item)
    if rng.random() < 0.02:
        rng.shuffle(found)
    return found


def leaf(rng: random.Random, shape: Shape, way: Way) -> Node:
    """A leaf."""
    if rng.random() < (0.6 if shape.fits else 0.03):
        found: Node = {"coarse": texts(rng, shape)}
        if way.splits and rng.random() < 0.4:
            found["splits"] = {str(rng.randrange(way.splits)): multiplier(rng)}
        return found
    return exact_leaf(rng, shape, way, shape.level) if rng.random() < 0.7 else {}


def tree(rng: random.Random, shape: Shape, depth: int, way: Way | None = None) -> Tree:
    """A random proof, or what may stand below a node."""
    way = start(shape) if way is None else way
    node: Node = {}
    missing = way.derived < shape.level - 1
    said = split(rng, shape, way) if depth and rng.random() < 0.8 else None
    if shape.level > 1 and rng.random() < (0.95 if missing and (said is None or rng.random() < 0.7) else 0.25):
        node["derive"] = derivation(rng, shape, way)
    if said is None:
        return Tree({**node, **leaf(rng, shape, way.below(node, 0))}, [])
    node["split"] = split(rng, shape, way.below(node, 0))
    return Tree(node, [tree(rng, shape, depth - 1, way.below(node, side)) for side in range(2)])


def comb(rng: random.Random, shape: Shape, count: int, last: int | None = None) -> Tree:
    """A large tree that cuts inputs only, as batches take it; bounds are derived everywhere or now and then.

    ``last``: of how many neurons of the last layer before; None: of all, or of some below the root.
    """
    whole, often = [[at] for at in range(1, shape.level)], rng.choice((1.0, 0.7))
    width, some = shape.widths[max(0, shape.level - 2)], list[Any](whole)
    if shape.level > 1 and (last is not None or rng.random() < 0.3):
        few = rng.sample(range(width), min(width, rng.randint(0, 3) if last is None else last))
        some = [*whole[:-1], *([[shape.level - 1, few]] if few else [])]
    outside = 0.02 if rng.random() < 0.1 else 0.0

    def end() -> Tree:
        derive = {"derive": some} if rng.random() < often and some else {}
        said = texts(rng, shape) if rng.random() < 0.3 else []
        return Tree({**derive, ("coarse" if shape.fits else "slopes"): said}, [])

    root = end()
    leaves = [(root, start(shape))]
    for _ in range(count):
        found, way = leaves.pop(rng.randrange(len(leaves)))
        j = rng.randrange(shape.inputs)
        found.node = {"split": ["x", j, cut(rng, shape, way, j, outside)]}
        found.parts = [end(), end()]
        if found is root or rng.random() < 0.3:
            found.node["derive"] = whole if found is root and last is None else some
        leaves += [(part, way.below(found.node, side)) for side, part in enumerate(found.parts)]
    return root


def first(rng: random.Random, shape: Shape) -> list[Any]:
    """What a certificate derives before its proofs: mostly nothing, or all layers."""
    if rng.random() < 0.6:
        return []
    deep = replace(shape, level=len(shape.widths) + 1)
    if rng.random() < 0.5:
        return [[at] for at in range(1, rng.randint(1, deep.level))]
    return derivation(rng, deep, Way(shape.box or [], 0, 0))


def parts(rng: random.Random, shape: Shape, depth: int) -> list[Node]:
    """A tree that certificates walk once: its leaves derive, mostly all layers, and say nothing else (mostly)."""
    found = tree(rng, replace(shape, level=len(shape.widths) + 1), depth)
    for part in found.nodes():
        if not part.parts and rng.random() < 0.98:
            part.node = {key: value for key, value in part.node.items() if key == "derive"}
    return found.proof()


def cones(rng: random.Random, count: int, depth: int) -> list[Any]:
    """A tree of cones of so many generators."""
    if depth == 0 or count < 2 or rng.random() < 0.3:
        return [[]]
    p, q = rng.sample(range(count), 2)
    node = [p, q, multiplier(rng), multiplier(rng)]
    return [node, *cones(rng, count, depth - 1), *cones(rng, count, depth - 1)]


def other_cones(rng: random.Random, said: list[Any], count: int) -> list[Any]:
    """A list of cones, changed a little."""
    k = rng.randrange(len(said))
    match rng.randrange(5):
        case 0 if said[k]:
            said[k][2 + rng.randrange(2)] = multiplier(rng, wild=True)
        case 1 if said[k]:
            said[k][:2] = said[k][1::-1]
        case 2:
            del said[k]
        case 3 if count > 1 and not said[k]:
            said[k : k + 1] = cones(rng, count, 2)
        case _:
            said.insert(k, [])
    return said


# ---- small changes ----------------------------------------------------------------------------------------------


def mutated(rng: random.Random, proof: Tree, shape: Shape) -> Tree:
    """Another proof, near this one."""
    root = copy.deepcopy(proof)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        nodes = root.nodes()
        at = rng.choice(nodes) if rng.random() < 0.8 else root
        _change(rng, at, shape, root.way_to(at, shape))
    return root


def _change(rng: random.Random, at: Tree, shape: Shape, way: Way) -> None:
    common: list[Callable[..., None]] = [_grow, _grow, _derive, _replace]
    own = [_recut, _recut, _swap, _prune] if at.parts else [_slopes, _slopes, _multiply, _multiply, _multiply]
    rng.choice(common + own)(rng, at, shape, way)


def _grow(rng: random.Random, at: Tree, shape: Shape, way: Way) -> None:
    """Split here; both sides go on as before, or each derives again."""
    if at.parts and rng.random() < 0.7:
        return _recut(rng, at, shape, way)
    derive = copy.deepcopy(at.node.get("derive"))
    before = way.below({"derive": derive} if derive else {}, 0)
    said = split(rng, shape, before)
    if said is None:
        return _slopes(rng, at, shape, way)
    below = Tree(at.node, at.parts)
    node: Node = {"split": said}
    if derive is not None:
        node["derive"] = derive
        if rng.random() < 0.3:
            below.node.pop("derive")
    at.node, at.parts = node, [below, copy.deepcopy(below)]
    return None


def _derive(rng: random.Random, at: Tree, shape: Shape, way: Way) -> None:
    if shape.level == 1:
        return
    if "derive" not in at.node or rng.random() < 0.4:
        at.node["derive"] = derivation(rng, shape, way)
    elif rng.random() < 0.2:
        del at.node["derive"]
    else:
        items = at.node["derive"]
        if isinstance(items, list) and items:
            k = rng.randrange(len(items))
            match rng.randrange(5):
                case 0:
                    del items[k]
                case 1:
                    items.insert(k, copy.deepcopy(rng.choice(items)))
                case 2 if rng.random() < 0.2:
                    rng.shuffle(items)
                case _:
                    items += derivation(rng, shape, way.below({"derive": items}, 0))


def _replace(rng: random.Random, at: Tree, shape: Shape, way: Way) -> None:
    if at.parts and rng.random() < 0.6:
        _recut(rng, at, shape, way)
        return
    other = tree(rng, shape, rng.randint(0, 2), way)
    at.node, at.parts = other.node, other.parts


def _recut(rng: random.Random, at: Tree, shape: Shape, way: Way) -> None:
    said = at.node.get("split")
    if isinstance(said, list) and len(said) == 3 and said[0] == "x" and rng.random() < 0.8:
        if type(said[1]) is int and 0 <= said[1] < len(way.box):
            said[2] = cut(rng, shape, way, said[1])
    elif "split" in at.node:
        at.node["split"] = split(rng, shape, way.below({"derive": at.node.get("derive")}, 0)) or said


def _swap(rng: random.Random, at: Tree, shape: Shape, way: Way) -> None:
    at.parts.reverse()


def _prune(rng: random.Random, at: Tree, shape: Shape, way: Way) -> None:
    derive = at.node.get("derive")
    one = rng.choice(at.parts)
    at.node, at.parts = one.node, one.parts
    if derive is not None:
        at.node.setdefault("derive", derive)


def _slopes(rng: random.Random, at: Tree, shape: Shape, way: Way) -> None:
    said = at.node.get("coarse", at.node.get("slopes"))
    if isinstance(said, list) and any(said) and rng.random() < 0.8:
        k = rng.choice([k for k, text in enumerate(said) if text])
        if isinstance(said[k], str):
            i = rng.randrange(len(said[k]))
            said[k] = said[k][:i] + rng.choice(SLOPES) + said[k][i + 1 :]
        return
    derive = at.node.get("derive")
    at.node = leaf(rng, shape, way)
    if derive is not None:
        at.node["derive"] = derive


def _multiply(rng: random.Random, at: Tree, shape: Shape, way: Way) -> None:
    """Change, drop or add a multiplier."""
    tables = [at.node[key] for key in ("splits", "rows", "equalities") if isinstance(at.node.get(key), dict)]
    tables = [t for t in tables if t and all(k.isdecimal() for k in t)]
    if not tables or rng.random() < 0.3:
        for key, value in exact_leaf(rng, shape, way, shape.level).items():
            if "coarse" not in at.node or key == "splits":
                at.node[key] = {**at.node.get(key, {}), **value} if isinstance(value, dict) else value
        return
    table = rng.choice(tables)
    key = rng.choice(list(table))
    value = _number(table[key])
    match rng.randrange(8):
        case 0:
            del table[key]
        case 1:
            table[key] = multiplier(rng, wild=rng.random() < 0.2)
        case 2:
            other = str(rng.randint(0, max(map(int, table))))
            table[other] = table.pop(key)
        case 3 if rng.random() < 0.3:
            table[key] = str(-value)
        case _:
            step = Fraction(rng.choice((-1, 1)), 2 ** rng.randint(0, 30))
            table[key] = str(value * (1 + step) if value else abs(step))


# ---- damage -----------------------------------------------------------------------------------------------------

ODD: list[Any] = [None, True, False, 0, 1, -1, 2.5, "", "0", "1/0", "-1", "inf", "nan", [], {}, [[]], "é", "٣", 10**30]
ODD += ["1e9999", "0x1", " 1", "1_0", "1/3 ", [True], {"0": "1"}, "corner", "dead", "alive", [1, "upper"], "１"]


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
