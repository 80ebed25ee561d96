"""Certificates in the language of the proved kernel, and the program that judges them.

``proofs/kernel`` holds the rules of the judge as Coq functions, the proof that what they accept is true, and the
program extracted from them. Here a certificate is written as the text that the program reads. Nothing of the evidence
has to be right for that: whatever it is, the program proves a true statement or refuses. What has to be right is the
network, the set and the statements, which are written from the model, the domain and the claims.

Two ways to the same end: in *rounded* arithmetic the weights of layers that fit fixed point are rounded, which keeps
numbers short; what is refused so is tried again in *exact* arithmetic.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from math import lcm
from pathlib import Path
from typing import Any, NamedTuple

from geomrelu import checker
from geomrelu.checker import Domain, Model, Rejected, require
from geomrelu.errors import InputError

__all__ = ["Statement", "judge", "judge_pruning", "program", "text"]

ONE = checker.ONE
NEGATIVE = Fraction(-1, 1 << 200)  # "z <= c < 0" is shown with this c
PLAIN, ROUNDED = "n", "r"  # how a bound begins and ends
LONG = 10_000  # bits
NO_PARTS = "the kernel has no rule for bounds that a certificate derives"


class Statement(NamedTuple):
    """What the program is asked to prove, in its words, and where the evidence for it stands in the certificate."""

    words: str
    claim: int
    evidence: Callable[[Writer], Iterator[str]]


def program() -> str:
    """The path of the extracted program.

    Raises:
        InputError: it has not been built.
    """
    built = Path(__file__).parents[2] / "proofs" / "kernel" / "build" / "geomrelu-kernel"
    found = os.environ.get("GEOMRELU_KERNEL") or (str(built) if built.exists() else shutil.which("geomrelu-kernel"))
    if not found:
        raise InputError("the kernel is not built: make kernel (or say where it is in GEOMRELU_KERNEL)")
    return found


def judge(certificate: Any, model: Model, domain: Domain) -> list[dict[str, Any]]:
    """Prove every claim of a certificate with the kernel, or raise :class:`checker.Rejected`; returns the claims."""
    checker.about(certificate, checker.FORMAT, {"parts"}, {"model": model.digest(), "domain": domain.digest()})
    require("parts" not in certificate, NO_PARTS)
    claims, asked = said(certificate, model, domain)
    require(claims, "it claims nothing")
    _prove(certificate, model, domain, claims, asked)
    return claims


def judge_pruning(certificate: Any, model: Model, domain: Domain, smaller: Model) -> dict[str, int]:
    """Prove that a smaller network equals the model on the domain, or raise :class:`checker.Rejected`.

    Returns the number of neurons removed, folded and merged.
    """
    checker.open_pruning(certificate, model, domain, smaller)
    claims, asked = said(certificate, model, domain)
    fates = {}
    for neuron, (key, what) in checker.fates_of(certificate, model).items():
        fates[neuron] = key if what is None else f"{key}:{what[0]}:{_words(what[1].as_integer_ratio(), ':')}"
    _prove(certificate, model, domain, claims, asked, _pruning(model, smaller, fates))
    return {key: len(certificate.get(key, [])) for key in checker.CHANGES}


def _prove(
    certificate: Any,
    model: Model,
    domain: Domain,
    claims: list[dict[str, Any]],
    asked: list[Statement],
    pruning: list[str] | None = None,
) -> None:
    open_ = asked
    for rounded in (True, False):
        wanted = asked if pruning else open_  # a pruning needs all of them in one text
        proved = run(text(certificate, model, domain, wanted, rounded, pruning or []))
        open_ = [s for s in open_ if s.words not in proved]
        if not open_ and (pruning is None or "equal" in proved):
            return
    require(open_, "the kernel does not prove that the networks are equal")
    claim = claims[open_[0].claim]
    where = f"layer {checker.shown(claim.get('layer'))}, neuron {checker.shown(claim.get('neuron'))}"
    raise Rejected(f"{where}: the kernel does not prove: {open_[0].words[:60]}")


def run(lines: Iterator[str]) -> set[str]:
    """The statements that the program proves."""
    path = program()
    with tempfile.NamedTemporaryFile("w", suffix=".kernel", encoding="ascii") as file:
        file.writelines(line + "\n" for line in lines)
        file.flush()
        done = subprocess.run([path, file.name], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise Rejected(f"the kernel stops: {checker.shown(done.stderr.strip())}")
    return {line.removeprefix("proved ") for line in done.stdout.splitlines() if line.startswith("proved ")}


# ---- what is claimed --------------------------------------------------------------------------------------------


def said(certificate: Any, model: Model, domain: Domain) -> tuple[list[dict[str, Any]], list[Statement]]:
    """The claims of a certificate, and the statements that say the same.

    Raises:
        Rejected: it claims something that the kernel has no rule for.
    """
    require(domain.ball is None, "the kernel has no rule for balls and ellipsoids")
    require(domain.dimension == model.inputs, "the model and the domain are of different dimensions")
    require(not domain.is_empty_box(), "the domain is empty")
    claims = certificate.get("claims")
    require(isinstance(claims, list), '"claims" must be a list')
    points = certificate.get("points", [])
    require(isinstance(points, list), '"points" must be a list')
    asked: list[Statement] = []
    for number, claim in enumerate(claims):
        require(isinstance(claim, dict), "a claim is not an object")
        checker.known(claim, checker.KEYS, "a claim")
        asked += _statements(claim, number, _Points(points, model, domain))
    return claims, asked


def _statements(claim: dict[str, Any], number: int, points: _Points) -> Iterator[Statement]:
    model, domain = points.model, points.domain
    level = checker.count(claim.get("layer"), len(model.layers) + 1, "layer", 1)
    neuron = checker.count(claim.get("neuron"), len(model.layers[level - 1].rows), "neuron")
    status, supremum, stable = (claim.get(key) for key in ("status", "supremum", "stable"))
    require(isinstance(status, str) and status in checker.STATUS, "the status is none of the judge's")
    limited = status in ("at most", "at least")
    require(("bound" in claim) == limited, "at most and at least have a bound, only they")
    require(stable in (None, False, True) and type(stable) is not int, "stable is true or false")
    value = None if supremum in (None, "inf") else checker.number(supremum)
    bounded = domain.points is not None or not checker.recession(domain)
    require(stable is not True or bounded, "the kernel has no rule for stability on unbounded sets")

    def below(bound: Fraction, sign: int) -> Statement:
        evidence = _walk if domain.points is not None else lambda writer: writer.tree(claim, level, neuron)
        require(domain.points is not None or "proof" in claim, "there is no proof")
        require(claim.get("proof") != "parts", NO_PARTS)
        words = f"below {level} {neuron} {int(sign > 0)} {_words(bound.as_integer_ratio())}"
        return Statement(words, number, evidence)

    def at_point(words: str) -> Statement:
        line = points.line(claim["point"], level, neuron)
        return Statement(words, number, lambda _: iter((line,)))

    def attains(value: Fraction) -> Statement:
        return at_point(f"attains {level} {neuron} {_words(value.as_integer_ratio())}")

    rows = domain.rows or domain.equalities
    if "ray" in claim:
        checker.read_ray(claim["ray"], domain)  # where it is not needed it is evidence of nothing, but must be one
    if "point" in claim and not (status == "alive" or value is not None or stable is False or rows):
        checker.Judge(points.table, model, domain).at_point(claim["point"], level, neuron)  # likewise
    if supremum == "inf":
        require(status == "alive", "only a living neuron is unbounded")
        require("point" in claim and "ray" in claim, "there is no point or no ray")
        line = f"ray {points.line(claim['point'], level, neuron)} / {points.direction(claim['ray'])}"
        yield Statement(f"unbounded {level} {neuron}", number, lambda _: iter((line,)))
    require("point" in claim or (status != "alive" and value is None and stable is not False), "there is no point")
    if limited or status == "active":
        require(supremum is None and stable is None, "a supremum and stability are claimed of dead and living neurons")
        sign = 1 if status == "at most" else -1
        yield below(sign * checker.number(claim["bound"]) if limited else Fraction(0), sign)
    if status == "dead":
        require(value is None or value <= 0, "the supremum of a dead neuron is positive")
        yield below(min(value if value is not None else Fraction(0), NEGATIVE if stable else Fraction(0)), 1)
    if status == "alive":
        require(stable is None, "stability is a claim about dead neurons")
        if supremum != "inf":
            yield at_point(f"positive {level} {neuron}")
    if value is not None:
        yield attains(value)
        if status == "alive":
            yield below(value, 1)
    if stable is False:
        touches = "ray" not in claim or points.value(claim["point"], level, neuron) == 0
        require(touches, "the kernel has no rule for instability at infinity")
        yield attains(Fraction(0))
    if status != "alive" and rows and value is None and stable is not False:
        require("point" in claim, "no point shows that the domain is not empty")
        yield attains(points.value(claim["point"], level, neuron))


class _Points:
    """Points as evidence."""

    def __init__(self, table: list[Any], model: Model, domain: Domain) -> None:
        self.table, self.model, self.domain = table, model, domain

    def line(self, data: Any, level: int, neuron: int) -> str:
        if type(data) is int:
            data = self.table[checker.count(data, len(self.table), "number of a point")]
        if self.domain.generators is not None:
            return "mean " + _words(self._weights(data, self.domain.generators))
        point = self._corner(level, neuron) if data == "corner" else checker.numbers(data, self.domain.dimension)
        over = self.domain.points
        d = _denominator(point if over is None else [x for p in over for x in p])
        return "at " + _words([d, *_over(point, d)])

    def direction(self, data: Any) -> str:
        """A direction of the recession cone."""
        if self.domain.generators is None:
            ray = checker.numbers(data, self.domain.dimension)
            d = _denominator(ray)
            return "at " + _words([d, *_over(ray, d)])
        _, rays, lines = self.domain.generators
        if isinstance(data, dict):
            given: Any = data.get("weights")
            require(isinstance(given, list) and len(given) == 2, "weights are lists: of rays, lines")
            parts = [checker.numbers(w, len(some)) for w, some in zip(given, (rays, lines), strict=True)]
        else:
            ray = checker.numbers(data, self.domain.dimension)
            require(any(ray), "a ray is not zero")
            forward, back = checker.primitive(ray), checker.primitive([-v for v in ray])
            along = [Fraction(r == forward) for r in rays]
            across = [Fraction(r == forward) - Fraction(r == back) for r in lines]
            parts = [along, [Fraction(0)] * len(lines) if any(along) else across]
        d = _denominator([w for part in parts for w in part])
        return "mean " + _words([d, 0, *(v for part in parts for v in (len(part), *_over(part, d)))])

    def value(self, data: Any, level: int, neuron: int) -> Fraction:
        """Of a neuron at a point."""
        data = self.table[checker.count(data, len(self.table), "number of a point")] if type(data) is int else data
        point = self._corner(level, neuron) if data == "corner" else data
        if isinstance(data, dict):
            point = self.domain.weighted(data, 0)
        return self.model.value(checker.numbers(point, self.domain.dimension), level, neuron)

    def _weights(self, data: Any, generators: Any) -> list[int]:
        sizes = [len(vectors) for vectors in generators]
        if isinstance(data, dict):
            weights: Any = data.get("weights")
            require(isinstance(weights, list) and len(weights) == 3, "weights are lists: of vertices, rays, lines")
            parts = [checker.numbers(w, size) for w, size in zip(weights, sizes, strict=True)]
        else:
            point = tuple(checker.numbers(data, self.domain.dimension))
            require(point in generators[0], "the point does not lie in the domain")
            unit = [Fraction(vertex == point) for vertex in generators[0]]
            parts = [unit, *([Fraction(0)] * size for size in sizes[1:])]
        d = _denominator([w for part in parts for w in part])
        return [d, *(v for part in parts for v in (len(part), *_over(part, d)))]

    def _corner(self, level: int, neuron: int) -> list[Fraction]:
        require(level == 1, "a corner is for layer 1")
        _, columns, entries = self.model.layers[0].rows[neuron]
        weight = dict(zip(columns, entries, strict=True))
        point = []
        for j, (low, high) in enumerate(zip(self.domain.lower, self.domain.upper, strict=True)):
            w = weight.get(j, 0)
            side = high if w > 0 else low if w < 0 else low if low is not None else high
            require(side is not None or not w, "the box has no such corner")
            point.append(Fraction(0) if side is None else side)
        return point


def _walk(_: Writer) -> Iterator[str]:
    return iter(("walk",))


# ---- the text ---------------------------------------------------------------------------------------------------


def text(
    certificate: Any, model: Model, domain: Domain, asked: list[Statement], rounded: bool, pruning: list[str]
) -> Iterator[str]:
    """What the program reads: the network, the set, what is derived on it, and statements with their evidence."""
    levels = [int(s.words.split()[1]) for s in asked]
    derived = certificate.get("derive") or []
    require(isinstance(derived, list), '"derive" must be a list')
    levels += [item[0] for item in derived if isinstance(item, list) and item and type(item[0]) is int]
    top = len(model.layers) if pruning else min(max(levels), len(model.layers))
    writer = Writer(model, domain, top, rounded)
    yield "geomrelu-kernel 1"
    yield from writer.network()
    yield from _set(domain)
    yield f"root {int(writer.cornered)}"
    yield from writer.names()
    yield from writer.derive(derived, writer.top + 1, writer.root)
    writer.root = writer.root.after(derived)
    for s in asked:
        head, *body = s.evidence(writer)
        yield f"claim {s.words} {head}"
        yield from body
    yield from pruning


def _pruning(model: Model, smaller: Model, fates: dict[tuple[int, int], str]) -> list[str]:
    """The smaller network, what follows the last ReLU layers, and what became of each neuron."""
    lines = ["pruning", *_last(model), "network"]
    for level, layer in enumerate(smaller.layers, 1):
        lines += [f"layer {_word(layer.denominator)} -", *_rows(smaller, level, layer)]
    lines += _last(smaller)
    for level, layer in enumerate(model.layers, 1):
        lines.append("fates " + " ".join(fates.get((level, i), "kept") for i in range(len(layer.rows))))
    return lines


def _last(model: Model) -> list[str]:
    """What follows the last ReLU layer; if nothing does, its outputs."""
    level = len(model.layers) + 1
    if model.output is not None:
        return [f"last {_word(model.output.denominator)}", *_rows(model, level, model.output)]
    width = model.width(level - 1)
    return ["last 1", *("row 0 | " + "0 " * j + "1" for j in range(width))]


def _rows(model: Model, level: int, layer: Any) -> Iterator[str]:
    """Rows of a layer, in blocks from the layer before down to the inputs; zeros at the end are left out."""
    for bias, columns, entries in layer.rows:
        blocks: dict[int, list[int]] = {}
        for j, w in zip(columns, entries, strict=True):
            at = max(b for b in range(level) if model.start[b] <= j)
            if at not in blocks:
                blocks[at] = [0] * model.width(at)
            blocks[at][j - model.start[at]] = w
        least = min(blocks, default=level)
        parts = ("| " + _words(blocks.get(at, ())) for at in range(level - 1, least - 1, -1))
        yield f"row {_word(bias)} " + " ".join(parts)


def _set(domain: Domain) -> Iterator[str]:
    if domain.points is not None:
        d = _denominator([x for p in domain.points for x in p])
        yield f"listed {_word(d)}"
        yield from ("point " + _words(_over(p, d)) for p in domain.points)
    elif domain.generators is not None:
        vertices, rays, lines = domain.generators
        d = _denominator([x for v in vertices for x in v])
        yield f"generated {_word(d)}"
        yield from ("vertex " + _words(_over(v, d)) for v in vertices)
        yield from ("ray " + _words(r) for r in rays)
        yield from ("line " + _words(r) for r in lines)
    else:
        d = _denominator([v for side in (domain.lower, domain.upper) for v in side if v is not None])
        yield f"rows {_word(d)}"
        for name, side in (("low", domain.lower), ("high", domain.upper)):
            yield f"{name} " + " ".join("-" if v is None else _word(int(v * d)) for v in side)
        yield from ("inequality " + _words(row) for row in domain.rows)
        yield from ("equality " + _words(row) for row in domain.equalities)


class _Node(NamedTuple):
    """What the judge asks of the form of a proof, on the way to a node.

    The kernel asks for none of it; it is looked at so that both give one answer.
    """

    known: int = 0  # the layers that have been derived
    cuts: tuple[tuple[int, int, int], ...] = ()  # splits of neurons: (layer, neuron, sign)
    sides: tuple[tuple[int, Fraction, int], ...] = ()  # splits of inputs: (input, where, sign)

    def after(self, items: list[Any]) -> _Node:
        """Once all these derivations are done."""
        return self._replace(known=max([self.known, *(item[0] for item in items)]))

    def side(self, j: int, first: Fraction | None, sign: int) -> Fraction | None:
        """The lower (1) or upper (-1) side of an input."""
        return next((c for i, c, which in reversed(self.sides) if (i, which) == (j, sign)), first)


class Writer:
    """Writes what depends on the network, of the layers 1..top."""

    def __init__(self, model: Model, domain: Domain, top: int, rounded: bool) -> None:
        self.model, self.domain, self.top = model, domain, top
        fixed = checker.FixedPoint(model, domain)
        self.fits, self.depth = fixed.depth, min(fixed.depth, top)
        self.cornered = bool(fixed.depth) and fixed.cornered
        self.rounded = rounded
        self.root = _Node()
        # denominators of bounds, and of rounded rows: no coarser than the units of fixed point
        sizes = [fixed.exponents[at] for at in range(1, self.depth + 1)]
        self.over = [1 << max(0, checker.UNIT - min(own)) for own in sizes]
        largest = [max(map(max, sizes[: at + 1])) for at in range(self.depth)]
        self.fine = [1 << max(0, checker.UNIT + most - min(own)) for most, own in zip(largest, sizes, strict=True)]

    def network(self) -> Iterator[str]:
        model = self.model
        yield "network"
        for level in range(1, self.top + 1):
            layer = model.layers[level - 1]
            fine = _word(self.fine[level - 1]) if self.rounded and 1 < level <= self.depth else "-"
            yield f"layer {_word(layer.denominator)} {fine}"
            yield from _rows(model, level, layer)

    def names(self) -> Iterator[str]:
        """How bounds are computed: (f)ast, with rounded (r) rows where there are some; (e)xactly; by (i)ntervals."""
        yield f"choice f 1 0 0 {ONE} {ONE} 1 0 0 0"
        yield f"choice r 1 1 0 {ONE} {ONE} 1 0 0 0"
        yield f"choice e {ONE} 0 0 {ONE} {ONE} 1 0 0 0"
        yield "choice i 1 0 1 1 1 1 0 0 0"
        for name in ("F", "E", "I"):
            yield f"plan {name} " + " ".join(self._choice(name, level) for level in range(1, self.top + 1))
        yield f"finish {PLAIN} 1 1 0"
        yield f"finish {ROUNDED} 1 1 1"

    def _choice(self, plan: str, level: int) -> str:
        if plan == "F" and self.rounded and level <= self.depth:
            return "r" if level > 1 else "f"
        return "i" if plan == "I" else "e"

    def derive(self, items: Any, below: int, node: _Node) -> Iterator[str]:
        """Derivations, in order."""
        require(isinstance(items, list), '"derive" must be a list')
        for item in items:
            require(isinstance(item, list) and len(item) in (1, 2, 4), "a derivation has 1, 2 or 4 entries")
            level = checker.count(item[0], below, "layer", 1)
            new = level > node.known
            in_turn = level <= node.known + (len(item) == 1 or (len(item) == 2 and level > self.fits))
            require(in_turn, "layers are derived one after the other, and as a whole first")
            node = node.after([item])
            width = len(self.model.layers[level - 1].rows)
            over = _word(self.over[level - 1]) if level <= self.depth else "-"
            if len(item) == 4:
                i = checker.count(item[1], width, "neuron")
                require(item[2] in ("lower", "upper"), "a bound is upper or lower")
                yield from self.leaf_names(item[3], level, node)
                sides = "1 0" if item[2] == "lower" else "0 1"
                yield f"derive {level} 0 {sides} {over} T t {_mask([i], width)}"
                continue
            mask = "*"
            if len(item) == 2:
                require(isinstance(item[1], list), "a derivation lists neurons")
                mask = _mask([checker.count(i, width, "neuron") for i in item[1]], width)
            if level > self.depth:
                yield f"derive {level} 0 1 1 - I {PLAIN} {'*' if new else mask}"
                yield f"derive {level} 1 1 1 - E {PLAIN} {mask}"
            else:
                yield f"derive {level} 1 1 1 {over} F {ROUNDED if self.rounded else PLAIN} {mask}"

    def tree(self, claim: dict[str, Any], level: int, neuron: int) -> Iterator[str]:
        """The proof of a claim."""
        proof: Any = claim.get("proof")
        require(isinstance(proof, list) and proof, "the proof must be a list of nodes")
        yield "tree"
        nodes = [self.root]
        for data in proof:
            require(nodes, "nodes are left over after the last leaf")
            require(isinstance(data, dict), "a node of the proof is not an object")
            node = nodes.pop()
            yield from self.derive(data.get("derive", []), level, node)
            node = node.after(data.get("derive", []))
            if "split" in data:
                checker.known(data, {"split", "derive"}, "a split")
                line, parts = self._split(data["split"], level, node)
                yield line
                nodes += reversed(parts)
            else:
                require(node.known >= level - 1, "a bound needs all layers before to be derived")
                yield from self.leaf(data, level, node)
        require(not nodes, "the proof ends before its last leaf")

    def _split(self, data: Any, level: int, node: _Node) -> tuple[str, list[_Node]]:
        require(isinstance(data, list) and len(data) == 3 and data[0] in ("x", "neuron"), "a split of no known form")
        if data[0] == "x":
            require(self.domain.generators is None, "generators are not cut")
            j, c = checker.count(data[1], self.model.inputs, "input"), checker.number(data[2])
            low, high = (
                node.side(j, side[j], sign) for side, sign in ((self.domain.lower, 1), (self.domain.upper, -1))
            )
            inside = (low is None or low <= c) and (high is None or c <= high)
            require(inside, "a cut does not lie in the range of its input")
            parts = [node._replace(sides=(*node.sides, (j, c, sign))) for sign in (-1, 1)]
            return f"input {j} {_words(c.as_integer_ratio())} 1", parts
        at = checker.count(data[1], level, "layer", 1)
        i = checker.count(data[2], len(self.model.layers[at - 1].rows), "neuron")
        require(at <= node.known, "a split is of a neuron whose layer has been derived")
        return f"neuron {at} {i}", [node._replace(cuts=(*node.cuts, (at, i, sign))) for sign in (-1, 1)]

    def leaf(self, data: dict[str, Any], level: int, node: _Node) -> Iterator[str]:
        """A leaf: with names of its own if it has multipliers."""
        coarse = "coarse" in data
        fits = level <= self.fits
        require(fits or not coarse, "a coarse leaf is about a layer that fits fixed point")
        if coarse and not data.get("splits"):
            checker.known(data, {"coarse", "derive", "splits"}, "a leaf")
            require(isinstance(data.get("splits", {}), dict), '"splits" must be an object')
            texts = self._texts(data["coarse"], level)
            yield f"leaf F {ROUNDED if self.rounded else PLAIN} " + " ".join(texts)
        else:
            yield from self.leaf_names(data, level, node)
            yield "leaf T t"

    def _texts(self, data: Any, level: int) -> list[str]:
        """Slopes of the layers 1..top, - where there are none."""
        require(isinstance(data, list) and len(data) < level, "slopes are one text for each layer before the neuron's")
        for said_, layer in zip(data, self.model.layers, strict=False):
            right = (
                isinstance(said_, str) and len(said_) in (0, len(layer.rows)) and set(said_) <= set(checker.SIXTEENTHS)
            )
            require(right, "the slopes of a layer are one character of 0..9a..g a neuron")
        return [said_ or "-" for said_ in data] + ["-"] * (self.top - len(data))

    def leaf_names(self, data: Any, level: int, node: _Node) -> Iterator[str]:
        """The plan T and the finish t that say what a leaf says."""
        require(isinstance(data, dict), "a leaf is not an object")
        exact = "coarse" not in data
        key = "slopes" if exact else "coarse"
        checker.known(data, {key, "splits", "derive"} | ({"rows", "equalities"} if exact else set()), "a leaf")
        texts = self._texts(data.get(key, []), level)
        added: dict[int, dict[int, Fraction]] = {}
        for k, m in checker.table(data, "splits", len(node.cuts)):
            at, i, sign = node.cuts[k]
            inner = added.setdefault(at, {})
            inner[i] = inner.get(i, Fraction(0)) + sign * m
        names = []
        for at in range(1, self.top + 1):
            width = len(self.model.layers[at - 1].rows)
            base = "e" if exact else self._choice("F", at)
            d = _denominator(list(added.get(at, {}).values()))
            extra = [0] * width if at in added else []
            for i, m in added.get(at, {}).items():
                extra[i] = int(m * d)
            below = [] if texts[at - 1] == "-" else [checker.SIXTEENTHS[c] for c in texts[at - 1]]
            if extra or below:
                factor = ONE * d if base == "e" else 1
                lists = f"0 {len(below)} {_words(below)} {len(extra)} {_words(extra)}"
                yield f"choice t{at} {_word(factor)} {int(base == 'r')} 0 {ONE} {ONE} {_word(d)} {lists}"
                base = f"t{at}"
            names.append(base)
        yield "plan T " + " ".join(names)
        yield from self._finish(data, ROUNDED if self.rounded and not exact else PLAIN)

    def _finish(self, data: dict[str, Any], name: str) -> Iterator[str]:
        """Multipliers of rows; in the program an equality is a row and its negative, after all rows."""
        rows, flats = len(self.domain.rows), len(self.domain.equalities)
        given = dict(checker.table(data, "rows", rows))
        for k, m in checker.table(data, "equalities", flats, free=True):
            given[rows + k if m >= 0 else rows + flats + k] = abs(m)
        d = _denominator(list(given.values()))
        pairs = " ".join(f"{k} {_word(int(m * d))}" for k, m in given.items())
        yield f"finish t {_words([d, d])} {int(name == ROUNDED)} {pairs}"


def _mask(neurons: list[int], width: int) -> str:
    chosen = set(neurons)
    return "".join("1" if i in chosen else "0" for i in range(width))


def _word(number: int) -> str:
    """A number as the program reads and prints it: long ones in base 16, which Python writes at any length."""
    return f"{number:#x}" if number.bit_length() > LONG else str(number)


def _words(numbers: Any, between: str = " ") -> str:
    return between.join(map(_word, numbers))


def _denominator(values: Any) -> int:
    return lcm(*(v.denominator for v in values))


def _over(values: Any, d: int) -> list[int]:
    return [v.numerator * (d // v.denominator) for v in values]
