"""The hard neurons: each a tree that grows turn by turn, here or in worker processes, until it is a proof.

What goes to a worker are some open parts of a tree; what comes back is what has grown below them and has been judged
by the checker's rules. The network and the domain are unpacked once in each process.
"""

from __future__ import annotations

import pickle
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from geomrelu import checker
from geomrelu.budget import Budget, Exhausted
from geomrelu.certificates.batch import Quick, Step, region_at, spread
from geomrelu.certificates.files import Claim, packed
from geomrelu.certificates.fixed_point import Cell
from geomrelu.certificates.region import EMPTY, Region, examine
from geomrelu.deadness import fixed_signs, second_order
from geomrelu.deadness.branch_and_bound import Growth, Tree
from geomrelu.deadness.proof_tree import PROGRAM, Node, Part, Split
from geomrelu.deadness.relaxation import FloatNetwork
from geomrelu.deadness.unit_bounds import UnitBounds
from geomrelu.geometry.ellipsoid import Ellipsoid
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.network import Network
from geomrelu.parallel import WorkersDied, shared, slots

__all__ = ["Bench", "grown", "turn"]

TURN = 1_000  # parts to be bounded in one turn
MANY = 256  # open parts that are sent for a turn: what is not worked on would only travel
SLICE = 5.0  # seconds for that, so that progress shows and an end of the budget is met
GRACE = 2.0  # seconds after the end of a budget in which workers, who know it, bring what they have
FIRST = (1_000, 4_000)  # boxes that every tree gets before any gets more
GROUP = 64  # roots below which nodes are judged together
PATIENCE = 12  # so many splits before a bound of 0 is taken for what it is: it does not say if the neuron is 0


class Bench:
    """A network and a bounded box, with everything that is derived from them once in a process."""

    _known: dict[tuple[str, str], Bench] = {}  # noqa: RUF012

    def __init__(self, network: Network, domain: Polyhedron | Ellipsoid, judge: Quick | None = None) -> None:
        self.network, self.domain, self._judge = network, domain, judge  # the judge has numbers that are needed here
        self.busy = threading.Lock()  # a worker of a cluster may have several threads, which share this

    @cached_property
    def floating(self) -> FloatNetwork:
        return FloatNetwork(self.network, self.domain)

    @cached_property
    def units(self) -> UnitBounds | None:
        """The layers that fit fixed point in the judge's units, if they are kept as dense matrices."""
        depth, root = self.floating.coarse_depth, self.shared.root
        if not depth or root is None or self.floating.dense(depth) is None:
            return None
        return UnitBounds(self.floating, [root.fields.exponents(level) for level in range(1, depth + 1)])

    @cached_property
    def shared(self) -> Quick:
        found = Quick([], self.network.checked, self.domain.checked)
        if self._judge is not None and self._judge.root is not None and found.root is not None:
            found.root.fields.adopt(self._judge.root.fields)
        return found

    @cached_property
    def _packed(self) -> tuple[tuple[str, str], bytes]:
        name = (self.network.digest, self.domain.checked.digest())
        return name, zlib.compress(pickle.dumps((self.network, self.domain)), 1)  # it goes with each call

    def __reduce__(self) -> Any:
        return Bench._unpacked, self._packed

    @classmethod
    def _unpacked(cls, name: tuple[str, str], data: bytes) -> Bench:
        if name not in cls._known:
            cls._known.clear()
            cls._known[name] = cls(*pickle.loads(zlib.decompress(data)))
        return cls._known[name]

    def positive(self, growth: Growth) -> bool:
        """Is the neuron positive at the point that was found? Then this is an exact point."""
        growth.point = self.floating.inside.exact(growth.point) if growth.point else None
        model = self.network.checked
        return growth.point is not None and model.value(growth.point, growth.level, growth.neuron) > 0

    def refuted(self, tree: Tree) -> Claim:
        """The claim that a neuron is dead, its proof packed; every leaf has been accepted by the checker's rules."""
        claim: Claim = {"layer": tree.level, "neuron": tree.neuron, "status": "dead", "proof": packed(tree.proof())}
        if tree.tight is None:
            return {**claim, "stable": True}
        return {**claim, "supremum": "0", "stable": False, "point": list(map(str, tree.tight))} if tree.tight else claim


class Judgement:
    """The exact side of what has grown: each new leaf is accepted by the checker's rules, or its part is open again.

    So a large proof is judged as it comes, by whoever found its parts.
    """

    def __init__(self, bench: Bench, growth: Growth, budget: Budget) -> None:
        self.bench, self.growth, self.budget = bench, growth, budget
        bench.shared.watch(budget.poll)
        self._way: dict[int, Split] = {}  # the splits above the roots below which something has grown
        self._halves: dict[int, Any] = {}  # the regions on both sides of these
        self._grown = [root for root in growth.roots if root.name in growth.nodes]
        for root in self._grown:
            name, path = root.name, root.path
            while path and name >> 1 not in self._way:
                name >>= 1
                path, self._way[name], _ = path

    def pass_(self) -> None:
        """Judge everything. What the budget does not allow to be judged has not grown.

        What an earlier run had found is as large as may be, so there a turn is enough.
        """
        part, cells = Budget(SLICE), dict[int, Cell]()
        roots = self._grown
        for first in range(0, len(roots), GROUP):
            some = roots[first : first + GROUP]
            try:
                if some[0].earlier is not None:
                    part.spend(0)
                if not first:
                    cells = self._cells()
                left = [root.name for root in some if root.name not in cells]
                known = {root.name: cells[root.name] for root in some if root.name in cells}
                for name, found in self._spread(self.growth.nodes, known):
                    if found is None:
                        left.append(name)
                    elif not isinstance(found, Cell):
                        self._accept(name, -1 if isinstance(found, str) else found)
                for name in left:
                    self._judge(name)
            except Exhausted:
                for root in some:
                    self._forget(root)

    def _cells(self) -> dict[int, Cell]:
        """The boxes of the roots, for batches; without those that are for the checker."""
        arithmetic = self.bench.shared.arithmetic(self.growth.level)
        whole = {} if arithmetic is None else {1: arithmetic.whole}
        return {name: cell for name, cell in self._spread(self._way, whole) if isinstance(cell, Cell)}

    def _spread(
        self, nodes: Mapping[int, Split | Step | Node], cells: dict[int, Cell]
    ) -> Iterator[tuple[int, Cell | int | str | None]]:
        growth, inputs = self.growth, self.bench.network.inputs
        widths = self.bench.network.widths
        arithmetic = self.bench.shared.arithmetic(growth.level)

        def read(name: int) -> Step | None:
            node = nodes[name]
            if isinstance(node, Step):
                return node
            if not isinstance(node, Split):
                return Step.read(node, growth.level, widths, inputs)
            if node.cut is None:
                return None
            return Step(node.derives, node.last, (node.index, Fraction(node.cut)))

        if arithmetic is None:
            return iter(())
        return spread(arithmetic, growth.neuron, cells, read, lambda: self.budget.spend(0))

    def _judge(self, name: int) -> None:
        """Judge what is below a node by the checker, one by one."""
        growth = self.growth
        try:
            stack = [(name, self._region(name))]
        except checker.Rejected:  # numbers that fixed point cannot hold: nothing is derived there
            growth.lost = True
            return
        while stack and growth.point is None:
            name, region = stack.pop()
            if name not in growth.nodes:
                continue
            self.budget.spend(0)
            if growth.nodes[name] is PROGRAM:
                self._solve(name, region)
                continue
            children, bound = self._examined(name, region)
            if children:
                stack += [(2 * name + 1, children[1]), (2 * name, children[0])]
            else:
                self._accept(name, None if bound is None else -1 if bound == EMPTY else bound)

    def _accept(self, name: int, bound: Any) -> None:
        """A leaf with this bound, None if it has none."""
        if name not in self.growth.leaves:  # a split that the judge refuses
            self.growth.lost = True
        elif bound == 0:
            self._touch(name)
        elif bound is None or bound > 0:
            self._reopen(name)
            self.growth.refused += 1

    def _said(self, name: int) -> Node:
        """A node, as the checker wants it."""
        node, level = self._way.get(name) or self.growth.nodes[name], self.growth.level
        return node.node(level) if isinstance(node, Split) else node.leaf(level) if isinstance(node, Step) else node

    def _examined(self, name: int, region: Region) -> Any:
        try:
            said, growth = self._said(name), self.growth
            children = examine(said, region, growth.level)
            return children, None if children else region.leaf(growth.level, growth.neuron, 1, said)
        except checker.Rejected:
            return (), None

    def _solve(self, name: int, region: Region) -> None:
        """What an exact linear program finds takes the place of a leaf."""
        growth = self.growth
        domain = self.bench.domain
        if isinstance(domain, Ellipsoid):
            derives = len(region.known) < growth.level - 1
            found = second_order.solved(region, growth.level, growth.neuron, domain, derives)
        else:
            found = fixed_signs.solved(region, growth.level, growth.neuron)
        if isinstance(found, fixed_signs.Open):
            part = growth.leaves.pop(name)
            growth.cut(part, Split(found.layer, found.neuron, None, not part.derived), part.base, part.age)
        elif isinstance(found, fixed_signs.Positive):
            growth.point = found.point
        elif isinstance(found, fixed_signs.Leaf):
            growth.nodes[name] = found.node
            growth.tight = found.zero or growth.tight or found.zero  # () if nothing better is known
        else:
            growth.lost = True

    def _touch(self, name: int) -> None:
        """A bound is 0: perhaps the neuron is 0 as well, in the middle of the part or at a corner; or a split helps."""
        growth, model, part = self.growth, self.bench.network.checked, self.growth.leaves[name]
        for point in (part.lower, part.upper, (part.lower + part.upper) / 2):
            exact = self.bench.floating.inside.exact(point)
            if not growth.tight and exact is not None and model.value(exact, growth.level, growth.neuron) == 0:
                growth.tight = exact
        if not growth.tight and name < 1 << PATIENCE:
            self._reopen(name)
        elif not growth.tight:
            growth.tight = ()

    def _reopen(self, name: int) -> None:
        growth = self.growth
        growth.parts.append(replace(growth.leaves.pop(name), stubborn=True))
        del growth.nodes[name]

    def _forget(self, root: Part) -> None:
        """Everything below a root is as it was before."""

        def below(name: int) -> bool:
            return name >> max(0, name.bit_length() - root.name.bit_length()) == root.name

        growth = self.growth
        growth.nodes = {name: node for name, node in growth.nodes.items() if not below(name)}
        growth.parts = [root, *(part for part in growth.parts if not below(part.name))]

    def _region(self, name: int) -> Region:
        """The region of a node, with all that was derived on the way to it."""
        growth = self.growth
        return region_at(name, self.bench.shared.root, self._said, growth.level, growth.neuron, self._halves)


def turn(bench: Bench, growth: Growth, most: int, seconds: float | None) -> Growth:
    """Let it grow for a while, and judge what has grown."""
    with bench.busy:
        return _turn(bench, growth, most, seconds)


def _turn(bench: Bench, growth: Growth, most: int, seconds: float | None) -> Growth:
    started, budget = time.monotonic(), Budget(seconds)
    with suppress(Exhausted), np.errstate(all="ignore"):  # overflow spoils only what is then not confirmed
        growth.start(bench.floating, budget)
        part = Budget(SLICE if seconds is None else min(seconds / 2, SLICE))
        growth.grow(most, part)
        if growth.point is not None and not bench.positive(growth):  # so near to 0 that floats see nothing
            growth.looks = False
            growth.grow(most, part)
    Judgement(bench, growth, budget).pass_()
    growth.pack()
    growth.seconds = time.monotonic() - started
    return growth


def grown(
    bench: Bench,
    trees: list[Tree],
    budget: Budget,
    each: float | None = None,
    executor: Executor | None = None,
    progress: Callable[[Tree], None] | None = None,
) -> Iterator[tuple[Tree, Claim | None]]:
    """Let trees grow by turns; yields those that have ended: with a claim, a point, or neither.

    Args:
        each: seconds for one neuron, at most.
        executor: where to work (processes: each holds the network once); None: here. Several may work on one tree.
        progress: called with each tree after each of its turns.

    Raises:
        Exhausted: the budget has ended; the open trees say how far they are.
    """
    alive = {id(tree): tree for tree in trees}
    running: dict[Future[Growth], Tree] = {}
    most = slots(executor)
    sent = shared(executor, bench) if trees else bench
    end: Exhausted | None = None
    late: float | None = None  # until then results are awaited
    try:
        while alive and (running or end is None):
            try:
                while end is None and len(running) < most:
                    tree = min((tree for tree in alive.values() if tree.parts), key=_rank, default=None)
                    if tree is None:
                        break
                    budget.poll()
                    portion = _portion(tree, most, budget, each)
                    future = _here(bench, *portion) if executor is None else executor.submit(turn, sent, *portion)
                    running[future] = tree
            except Exhausted as over:
                end, late = over, time.monotonic() + GRACE
                continue
            if late is None and budget.left is not None:
                timeout: float | None = budget.left + GRACE
            else:
                timeout = None if late is None else max(0.0, late - time.monotonic())
            finished = wait(running, timeout, FIRST_COMPLETED).done
            if not finished:
                budget.poll()
                break
            for future in finished:
                tree = running.pop(future)
                try:
                    growth = future.result()
                except WorkersDied as problem:
                    raise Exhausted(str(problem)) from None
                if id(tree) not in alive:  # it has ended elsewhere
                    continue
                tree.merge(growth)
                if progress is not None:
                    progress(tree)
                enough = tree.boxes >= tree.limit or (each is not None and tree.seconds >= each)
                if tree.done or enough or tree.failed or tree.point is not None:
                    del alive[id(tree)]
                    proved = tree.done and tree.point is None and not tree.failed
                    yield tree, bench.refuted(tree) if proved else None
                try:
                    budget.spend(growth.boxes)
                except Exhausted as over:
                    end, late = end or over, late or time.monotonic() + GRACE
        if end is not None:
            raise end
    finally:
        for future in running:
            future.cancel()


def _portion(tree: Tree, slots: int, budget: Budget, each: float | None) -> tuple[Growth, int, float | None]:
    """What a worker does next for a tree: with some of its open parts, for some seconds at most."""
    left = [s for s in (budget.left, None if each is None else each - tree.seconds) if s is not None]
    parts = tree.take(min(MANY, -(-len(tree.parts) // slots)))  # some are left for the others
    pace = tree.boxes / tree.seconds if tree.seconds else TURN  # where judging is slow, turns are short
    return (
        Growth(tree, parts),
        min(TURN, max(10, int(4 * SLICE * pace)), tree.limit - tree.boxes),
        min(left, default=None),
    )


def _rank(tree: Tree) -> tuple[int, float]:
    """Which tree comes next: each gets some boxes and then some more; after that the one that is nearest to its end."""
    return sum(tree.boxes >= boxes for boxes in FIRST), -tree.closed


def _here(*job: Any) -> Future[Growth]:
    future: Future[Growth] = Future()
    future.set_result(turn(*job))
    return future
