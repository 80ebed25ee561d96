"""Ranges of pre-activations, found and tightened under a budget.

What is cheap comes first, so that there is a range of every neuron early, and every step only makes some of them
narrower:

1. the bounds of the judge's own derivation, layer by layer; in layer 1 they are exact;
2. where the linear pieces are few, all of them: exact minima and maxima;
3. slopes of the lines below, improved for each unstable neuron and side; what they gain is derived anew and serves all
   later layers;
4. signs: the proofs that a neuron is dead, and those that it is always active;
5. boxes: where few inputs vary the domain is cut, and all neurons are bounded on all parts at once.

Among unstable neurons those come first that are nearest to being fixed, min(upper, -lower) / (upper - lower): a small
gain there saves a binary variable. A bound counts when the quick judge has it from a proof; it is then rounded outward
to the next float64, unless it is known to be attained.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np

from geomrelu import checker
from geomrelu.budget import Budget, Exhausted
from geomrelu.certificates.batch import Quick, derived
from geomrelu.certificates.files import Claim, is_shared
from geomrelu.deadness import branch_and_bound as trees
from geomrelu.deadness.always_active import always_active, opposite
from geomrelu.deadness.by_pieces import FEW_PIECES, is_listed, proofs
from geomrelu.deadness.decide import decide
from geomrelu.deadness.inside import Inside, is_searched
from geomrelu.deadness.proof_tree import written
from geomrelu.deadness.ranges import Bundle, Range, Ranges, above
from geomrelu.deadness.relaxation import BATCH, FloatNetwork, Lines
from geomrelu.deadness.verdict import Status, Verdict
from geomrelu.exact.numbers import nearest_float
from geomrelu.geometry.domains import OneSet
from geomrelu.geometry.ellipsoid import Ellipsoid
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.network import pieces
from geomrelu.network.network import Network

__all__ = ["tightened"]

Array = np.ndarray
Key = tuple[int, int, int]  # (layer, neuron, sign): an upper bound of sign * z
NOTHING, PLAIN, SLOPED = "nothing", "plain", "sloped"  # what is derived before a proof
POINTS, WITNESSES = 512, 40  # in floats; of them evaluated exactly
STEPS = 20  # on slopes
GAIN = 0.99  # a bound is worth deriving if it takes a hundredth off
ROUNDS = (16, 64)  # boxes that the domain is cut into, ever more


class Side(NamedTuple):
    """A proved upper bound of sign * z, and the proof, which begins after what is derived ("parts": is derived)."""

    value: Fraction
    proof: list[Any] | str | None
    before: str
    attained: bool


def tightened(
    network: Network,
    domain: OneSet,
    asked: Mapping[int, Sequence[int]],
    budget: Budget | None = None,
    verdicts: Sequence[Verdict] = (),
    progress: Callable[[str, int, int], None] | None = None,
) -> Iterator[Ranges]:
    """The ranges of neurons, narrower with every step; the last ones are the best.

    Args:
        asked: layer -> neurons. budget: of time and of boxes. verdicts: what has been decided about them already.
        progress: called with (what is going on, neurons fixed, neurons asked).

    Exact: yes; a bound is missing where the budget ended before it was derived, or where there is none.
    Method: see the head of this module. Source: bounds go backward (Zhang et al. 2018, Singh et al. 2019), slopes (Xu
    et al. 2021).
    """
    return _Search(network, domain, asked, Budget.of(budget), verdicts, progress).run()


def _found(
    asked: Mapping[int, Sequence[int]], sides: Mapping[Key, Side], seen: set[Key]
) -> dict[tuple[int, int], Range]:
    """The range of each neuron."""
    found = {}
    for layer, neurons in asked.items():
        for i in neurons:
            high, low = sides.get((layer, i, 1)), sides.get((layer, i, -1))
            known = tuple((layer, i, s) in seen or _is_attained(side) for s, side in ((-1, low), (1, high)))
            found[layer, i] = Range(
                layer,
                i,
                None if low is None else -low.value,
                None if high is None else high.value,
                (low is not None and low.attained, high is not None and high.attained),
                (known[0], known[1]),
            )
    return found


def _bundles(
    sides: Mapping[Key, Side], items: Mapping[str, list[Any]], trees: Mapping[str, list[Any]], inside: list[Any]
) -> list[Bundle]:
    """Claims by what is derived before their proofs."""
    bundles: dict[tuple[int, str], Bundle] = {}
    known: dict[tuple[int | None, str], Bundle] = {}
    for layer, i, sign in sorted(sides):
        side = sides[layer, i, sign]
        about = None if side.proof == "parts" else layer
        claim: Claim = {"layer": layer, "neuron": i, "status": "at most" if sign > 0 else "at least"}
        claim |= {"bound": str(sign * side.value)} | ({} if side.proof is None else {"proof": side.proof})
        if (about, side.before) not in known:
            derive = [item for item in items[side.before] if about is None or item[0] < layer]
            new = Bundle(about, derive, trees.get(side.before), inside, [])
            name = about or 0, side.before if about is None else repr(derive)
            known[about, side.before] = bundles.setdefault(name, new)
        known[about, side.before].claims.append(claim | ({"point": 0} if inside else {}))
    return [bundles[name] for name in sorted(bundles)]


class _Search:
    def __init__(
        self,
        network: Network,
        domain: OneSet,
        asked: Mapping[int, Sequence[int]],
        budget: Budget,
        verdicts: Sequence[Verdict],
        progress: Callable[[str, int, int], None] | None,
    ) -> None:
        self.network, self.domain, self.budget = network, domain, budget
        self.asked = {layer: list(neurons) for layer, neurons in sorted(asked.items())}
        self.deepest = max((layer for layer, neurons in self.asked.items() if neurons), default=0)
        self.verdicts, self.progress = verdicts, progress
        self.sides: dict[Key, Side] = {}
        self.seen: set[Key] = set()  # where sign * z is known to be positive somewhere
        self.exact: set[int] = set()  # layers of which all is known
        self.judges: dict[str, Quick] = {}
        self.items: dict[str, list[Any]] = {NOTHING: [], PLAIN: [], SLOPED: []}
        self.parts: _Partition | None = None
        self.trees: dict[str, list[Any]] = {}  # into which the domain is cut before something is derived
        self.gains: dict[int, dict[Key, dict[str, Any]]] = {}  # slopes that are worth deriving
        self.floats: dict[int, FloatNetwork] = {}

    def run(self) -> Iterator[Ranges]:
        steps: list[Callable[[], None]] = [self._derived, self._sampled, self._by_pieces]
        steps += [self._sloped, self._signed, lambda: self._cut(ROUNDS[0]), lambda: self._cut(ROUNDS[1])]
        if isinstance(self.domain, FiniteSet):
            steps = [self._on_points]
        for step in steps:
            try:
                with np.errstate(all="ignore"):  # floats guide, and overflow is not confirmed
                    step()
            except Exhausted:
                if self.budget.ended:
                    break
            yield self.ranges()
        yield self.ranges()

    # ---- what is known -----------------------------------------------------------------------------------------

    def ranges(self) -> Ranges:
        """What is known now. It is written out when it is asked for: of many neurons that takes seconds."""
        sides, before = dict(self.sides), {name: [*items] for name, items in self.items.items()}
        found = partial(_found, self.asked, sides, set(self.seen))
        bundles = partial(_bundles, sides, before, dict(self.trees), self.inside)
        return Ranges(self.network.checked, self.domain.checked, found, bundles)

    @cached_property
    def inside(self) -> list[Any]:
        """Of a domain with rows it is shown that it is not empty: a list of one point."""
        domain = self.domain
        if not isinstance(domain, Polyhedron) or not (domain.checked.rows or domain.checked.equalities):
            return []
        point = Inside(domain).centre if is_searched(domain) else domain.interior_point()
        return [[str(x) for x in point]]

    def _judge(self, before: str) -> Quick:
        if before not in self.judges:
            self.judges[before] = Quick([], self.network.checked, self.domain.checked)
            self.judges[before].watch(self.budget.poll)
        return self.judges[before]

    def _derive(self, before: str, item: list[Any]) -> None:
        """Derive one more thing; it is listed once it is done."""
        judge = self._judge(before)
        assert judge.root is not None
        whole = judge.root.copy()
        whole.derive([item], self.network.depth + 1)
        judge.root, judge.parts = whole, [whole]
        self.items[before].append(item)

    def _offer(self, key: Key, proof: list[Any] | str, before: str, attained: bool = False) -> bool:
        """Keep what a proof shows, if that is better than what is known."""
        return self._keep(key, self._judge(before).bound(proof, *key), proof, before, attained)

    def _keep(self, key: Key, bound: checker.Bound, proof: list[Any] | str, before: str, attained: bool) -> bool:
        """The same where it is known what the proof gives."""
        if isinstance(bound, float):
            return False
        value = bound if attained else above(bound)
        known = self.sides.get(key)
        if known is not None and (known.value, not known.attained) <= (value, not attained):
            return False
        self.sides[key] = Side(value, proof, before, attained)
        return True

    def _value(self, key: Key) -> float:
        side = self.sides.get(key)
        return math.inf if side is None else nearest_float(side.value)

    def _unstable(self, layer: int) -> list[int]:
        """Neurons of a layer that may take both signs, those nearest to being fixed first."""
        hopes = []
        for i in self.asked.get(layer, []):
            high, low = self.sides.get((layer, i, 1)), self.sides.get((layer, i, -1))
            if (high is None or high.value > 0) and (low is None or low.value > 0):
                hopes.append((self._lack(layer, i), i))
        return [i for _, i in sorted(hopes)]

    def _lack(self, layer: int, i: int) -> float:
        """What part of its range keeps a neuron from being fixed."""
        high, low = self._value((layer, i, 1)), self._value((layer, i, -1))
        return min(high, low) / (high + low) if 0 < high + low < math.inf else 1.0

    def _tell(self, what: str) -> None:
        if self.progress is not None:
            asked = sum(map(len, self.asked.values()))
            self.progress(what, asked - sum(len(self._unstable(layer)) for layer in self.asked), asked)

    # ---- the steps ---------------------------------------------------------------------------------------------

    def _on_points(self) -> None:
        """A finite set is walked."""
        assert isinstance(self.domain, FiniteSet)
        values = []
        for point in self.domain.points:
            self.budget.poll()
            values.append(self.network.pre_activations(point, self.deepest))
        for layer, neurons in self.asked.items():
            for i in neurons:
                for sign in (1, -1):
                    top = max(sign * z[layer - 1][i] for z in values)
                    self.sides[layer, i, sign] = Side(top, None, NOTHING, True)
                    if top > 0:
                        self.seen.add((layer, i, sign))

    def _derived(self) -> None:
        """What has been proved, and the bounds that the judge derives."""
        asked = {layer: set(neurons) for layer, neurons in self.asked.items()}
        for v in self.verdicts:
            claim = v.claim if v.status is Status.DEAD and v.neuron in asked.get(v.layer, ()) else None
            proof = None if claim is None or is_shared(claim) else claim.get("proof")
            if proof is not None:
                self.sides[v.layer, v.neuron, 1] = Side(Fraction(0), proof, NOTHING, False)
        for layer in range(1, self.deepest + 1):
            self._derive(PLAIN, [layer])
            for i in self.asked.get(layer, []):
                self.budget.poll()
                for sign in (1, -1):
                    if layer > 1:
                        self._offer((layer, i, sign), "parts", PLAIN)
                    else:
                        self._first((1, i, sign))
            self._tell(f"layer {layer}")

    def _leaf(self, layer: int) -> dict[str, Any]:
        root = self._judge(PLAIN).root
        assert root is not None
        return {"coarse": []} if root.fits(layer) else {}

    def _first(self, key: Key) -> None:
        """An affine form: its extremes are exact, if they are rational."""
        if isinstance(self.domain, Ellipsoid):
            form = self.network.layers[0].form(key[1])
            best = self.domain.maximum(form if key[2] > 0 else -form)
            self._offer(key, [{}], NOTHING, best.value is not None)
            self.seen |= {key} if best.sign > 0 else set()
            return
        assert isinstance(self.domain, Polyhedron)
        leaf: dict[str, Any] | None = {}
        if not self.domain.is_box and not self.domain.given_by_generators:
            leaf = self._best(key)
        if not self._offer(key, [leaf or {}], NOTHING, leaf is not None):
            self._best(key)

    def _best(self, key: Key) -> dict[str, Any] | None:
        """The multipliers of rows that prove an extreme; where it is infinite the sign is known.

        In many dimensions only if floats find it: an exact program would look at no clock.
        """
        domain, form = self.domain, self.network.layers[0].form(key[1])
        assert isinstance(domain, Polyhedron)
        best = domain.guided_supremum(form if key[2] > 0 else -form)
        if best is None:
            return None
        if best.value is None:
            self.seen.add(key)
        tables = (("rows", best.rows), ("equalities", best.equalities))
        return {name: {str(k): str(m) for k, m in table} for name, table in tables if table}

    def _sampled(self) -> None:
        """Points where neurons that are not fixed take both signs; found in floats, confirmed exactly."""
        self.seen |= {(v.layer, v.neuron, 1) for v in self.verdicts if v.status is Status.ALIVE}
        wanted = {(layer, i, s) for layer in self.asked for i in self._unstable(layer) for s in (1, -1)} - self.seen
        domain = self.domain
        searched = isinstance(domain, Ellipsoid) or (isinstance(domain, Polyhedron) and is_searched(domain))
        if not searched or not wanted:
            return
        floating = self.floating
        size = max(self.network.widths) + self.network.inputs
        points = floating.inside.sampled(np.random.default_rng(0), int(np.clip(BATCH // size, 16, POINTS)))
        reached = floating.forward(points, self.deepest)
        order = sorted(wanted)
        signs = np.array([s * reached[layer - 1][:, i] for layer, i, s in order]) > 0
        for _ in range(WITNESSES):
            self.budget.poll()
            best = int(np.argmax(signs.sum(axis=0)))
            if not signs[:, best].any():
                break
            exact = floating.inside.exact(points[best])
            if exact is not None:
                (values, _), starts = self.network.checked.values(list(exact), self.deepest), self.network.checked.start
                self.seen |= {(layer, i, s) for layer, i, s in order if s * values[starts[layer] + i] > 0}
            signs[signs[:, best]] = False

    @property
    def floating(self) -> FloatNetwork:
        return self._floating(0)

    def _floating(self, layer: int) -> FloatNetwork:
        """In floats; ``layer`` > 0: with the rows of that layer negated."""
        if layer not in self.floats:
            assert not isinstance(self.domain, FiniteSet)
            network = self.network if layer == 0 else opposite(self.network, layer)
            self.floats[layer] = FloatNetwork(network, self.domain)
        return self.floats[layer]

    def _by_pieces(self) -> None:
        """Where linear pieces are few, minima and maxima over all of them, with proofs."""
        domain = self.domain
        if not isinstance(domain, Polyhedron) or not is_listed(domain):
            return
        budget = self.budget.share(2)
        for layer in self.asked:
            if layer == 1 or pieces.likely_pieces(self.network, domain, layer) > FEW_PIECES:
                continue
            for sign in (1, -1):
                network = self.network if sign > 0 else opposite(self.network, layer)
                found = pieces.extremes(network, domain, layer, budget)[layer - 1]
                limits = {i: v for i in self.asked[layer] if (v := found[i].value) is not None}
                for i, tree in proofs(network, domain, layer, limits, budget).items():
                    key = layer, i, sign
                    bound = self._judge(NOTHING).bound(tree, *key)
                    self._keep(key, bound, tree, NOTHING, bound == limits[i])  # no rounding where it is attained
                self.seen |= {(layer, i, sign) for i, e in found.items() if e.value is None or e.value > 0}
            self.exact.add(layer)
            self._tell(f"pieces below layer {layer}")

    def _sloped(self) -> None:
        """Better slopes for each side of an unstable neuron; later layers begin with what that gains."""
        if not self._bounded_box and not isinstance(self.domain, Ellipsoid):
            return
        last = max((layer for layer in self.asked if layer not in self.exact and self._unstable(layer)), default=0)
        for layer in range(1, last + 1):
            if layer > 1:
                self._derive(SLOPED, [layer - 1])
                for key, leaf in self.gains.pop(layer - 1, {}).items():
                    self._derive(SLOPED, [layer - 1, key[1], "upper" if key[2] > 0 else "lower", leaf])
                self._improve(layer)
            self._tell(f"slopes in layer {layer}")

    @property
    def _bounded_box(self) -> bool:
        return isinstance(self.domain, Polyhedron) and self.domain.checked.is_bounded_box()

    def _improve(self, layer: int) -> None:
        """The same in one layer."""
        root = self._judge(SLOPED).root
        assert root is not None
        bounds = []
        for at in range(1, layer):
            pairs, d = root.bounds(at)
            low, high = (
                np.array([nearest_float(Fraction(side or 0, d)) for side in ends]) for ends in zip(*pairs, strict=True)
            )
            bounds.append((low[None, :], high[None, :]))
        lines, coarse = [Lines.of(*pair) for pair in bounds], root.fits(layer)
        whole = self.floating.on(self.floating.lower[None, :], self.floating.upper[None, :])
        whole.lines, whole.bounds = lines, bounds
        for i in self._unstable(layer) if layer not in self.exact else ():
            for sign in (1, -1):
                key = layer, i, sign
                before = self._value(key)
                self._offer(key, [self._leaf(layer)], SLOPED)
                floating = self._floating(layer if sign < 0 else 0)
                _, below, _, _ = floating.improved(whole, layer, i, STEPS, budget=self.budget)
                texts = [written(np.clip(slopes[0], 0, 1)) for slopes in below]
                better = self._offer(key, [{"coarse" if coarse else "slopes": texts}], SLOPED)
                if better and self._value(key) < GAIN * before:
                    self.gains.setdefault(layer, {})[key] = {"slopes": texts}

    def _signed(self) -> None:
        """Proofs that neurons are dead, or always active."""
        open_ = {layer: [i for i in self._unstable(layer) if (layer, i, 1) not in self.seen] for layer in self.asked}
        open_ = {layer: neurons for layer, neurons in open_.items() if neurons}
        told = {(v.layer, v.neuron): v for v in self.verdicts}
        rest = {layer: [i for i in neurons if (layer, i) not in told] for layer, neurons in open_.items()}
        rest = {layer: neurons for layer, neurons in rest.items() if neurons}
        if rest:
            for report in decide(self.network, self.domain, list(rest), rest, self.budget.share(3)):
                told |= {(v.layer, v.neuron): v for v in report.verdicts}
        for (layer, i), verdict in told.items():
            self.seen |= {(layer, i, 1)} if verdict.status is Status.ALIVE else set()
            claim = verdict.claim if verdict.status is Status.DEAD and layer in self.asked else None
            if claim is not None and "proof" in claim:
                self._offer((layer, i, 1), claim["proof"], NOTHING)
        open_ = {layer: [i for i in self._unstable(layer) if (layer, i, -1) not in self.seen] for layer in self.asked}
        for claim in always_active(self.network, self.domain, open_, self.budget.share(2)):
            if "proof" in claim:
                self._offer((claim["layer"], claim["neuron"], -1), claim["proof"], NOTHING)
            self._tell("signs")

    # ---- boxes -------------------------------------------------------------------------------------------------

    def _cut(self, count: int) -> None:
        """Cut the domain into so many boxes, where few inputs vary."""
        root = self._judge(PLAIN).root
        assert root is not None
        open_ = {layer: self._unstable(layer) for layer in self.asked if layer > 1 and layer not in self.exact}
        open_ = {layer: neurons for layer, neurons in open_.items() if neurons and root.fits(layer)}
        if not (self._bounded_box and root.fields.cornered and open_):
            return
        parts = self.parts = self.parts or _Partition(self.floating, max(open_))
        parts.grow(count, [(layer, np.array(neurons)) for layer, neurons in open_.items()], self.budget)
        name, tree = f"{count} boxes", parts.tree()
        judge = Quick([], self.network.checked, self.domain.checked)
        judge.watch(self.budget.poll)
        judge.parts = judge.cut(tree)
        self.judges[name], self.trees[name], self.items[name] = judge, tree, []
        for layer, neurons in open_.items():
            for i in neurons:
                for sign in (1, -1):
                    self._offer((layer, i, sign), "parts", name)
        self._tell(name)


def _is_attained(side: Side | None) -> bool:
    return side is not None and side.attained and side.value > 0


class _Partition:
    """The domain cut across inputs, with bounds in floats of all neurons on every part, and on what it was cut from."""

    def __init__(self, floating: FloatNetwork, deepest: int) -> None:
        self.floating, self.deepest = floating, deepest
        self.boxes: dict[int, tuple[Array, Array]] = {1: (floating.lower, floating.upper)}
        self.cuts: dict[int, tuple[int, float]] = {}
        self.bounds: dict[int, list[tuple[Array, Array]]] = {}
        self.blame: dict[int, Array] = {}
        self._bound([1])

    def _bound(self, names: list[int]) -> None:
        lower, upper = (np.array([self.boxes[k][side] for k in names]) for side in (0, 1))
        known = [tuple(np.array(ends) for ends in zip(*(self.bounds[k >> 1][at] for k in names), strict=True))
                 for at in range(self.deepest)] if names != [1] else None  # fmt: skip
        found = self.floating.bounded(lower, upper, self.deepest, known, None, True)  # type: ignore[arg-type]
        blame = self.floating.blame(found, [line.height for line in found.lines])
        for row, k in enumerate(names):
            self.bounds[k] = [(low[row], high[row]) for low, high in found.bounds]
            self.blame[k] = blame[row]

    def grow(self, count: int, open_: list[tuple[int, Array]], budget: Budget) -> None:
        """Cut again and again the parts on which most of the open neurons are largest or smallest."""
        parts = self.leaves(1)
        while len(parts) < count:
            budget.spend(0)
            votes = np.zeros(len(parts))
            for layer, neurons in open_:
                low, high = (np.array([self.bounds[k][layer - 1][side][neurons] for k in parts]) for side in (0, 1))
                np.add.at(votes, np.argmax(high, axis=0), 1)
                np.add.at(votes, np.argmin(low, axis=0), 1)
            chosen = [parts[k] for k in np.argsort(-votes, kind="stable")[: max(1, len(parts) // 4)]]
            children = []
            for k in chosen:
                lower, upper = self.boxes[k]
                j = int(np.argmax(np.where(upper > lower, self.blame[k], -1)))
                if not lower[j] < upper[j]:
                    return
                cut = float(trees._short((lower[j] + upper[j]) / 2, upper[j] - lower[j]))
                if not lower[j] < cut < upper[j]:
                    return
                self.cuts[k] = j, cut
                below, over = upper.copy(), lower.copy()
                below[j] = over[j] = cut
                self.boxes[2 * k], self.boxes[2 * k + 1] = (lower, below), (over, upper)
                children += [2 * k, 2 * k + 1]
            budget.spend(len(children))
            self._bound(children)
            parts = [k for k in parts if k not in self.cuts] + children

    def leaves(self, root: int) -> list[int]:
        """The parts of a part."""
        if root not in self.cuts:
            return [root]
        return self.leaves(2 * root) + self.leaves(2 * root + 1)

    def tree(self) -> list[Any]:
        """As a certificate says it: all layers are derived at the root, and again on each part."""
        found: list[Any] = []
        stack = [1]
        while stack:
            k = stack.pop()
            node = derived(self.deepest + 1) if k == 1 or k not in self.cuts else {}
            if k in self.cuts:
                j, cut = self.cuts[k]
                node["split"] = ["x", j, str(Fraction(cut))]
                stack += [2 * k + 1, 2 * k]
            found.append(node)
        return found
