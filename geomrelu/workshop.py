"""The hard neurons: each a tree that grows turn by turn, here or in worker processes, until the checker accepts it.

What goes to a worker and comes back is the tree; the network and the domain are unpacked once in each process.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from functools import cached_property
from typing import Any

import numpy as np

from geomrelu import branching, checker
from geomrelu.branching import Tree
from geomrelu.budget import Budget, Exhausted
from geomrelu.certificate import Claim
from geomrelu.network import Network
from geomrelu.polyhedron import Polyhedron
from geomrelu.relaxation import FloatNetwork

__all__ = ["Bench", "grown"]

TURN = 1_000  # boxes of each open neuron before the next one's first turn; later turns are ten times as long
SLICE = 15.0  # seconds of one task, so that progress shows and an end of the budget is met


class Bench:
    """A network and a bounded box, with everything that is derived from them once in a process."""

    _known: dict[tuple[str, str], Bench] = {}  # noqa: RUF012

    def __init__(self, network: Network, domain: Polyhedron) -> None:
        self.network, self.domain = network, domain

    @cached_property
    def floating(self) -> FloatNetwork:
        return FloatNetwork(self.network, self.domain)

    @cached_property
    def shared(self) -> checker.Points:
        return checker.Points([], self.network.checked, self.domain.checked)

    @cached_property
    def _packed(self) -> tuple[tuple[str, str], bytes]:
        name = (self.network.digest, self.domain.checked.digest())
        return name, pickle.dumps((self.network, self.domain))

    def __reduce__(self) -> Any:
        return Bench._unpacked, self._packed

    @classmethod
    def _unpacked(cls, name: tuple[str, str], data: bytes) -> Bench:
        if name not in cls._known:
            cls._known.clear()
            cls._known[name] = cls(*pickle.loads(data))
        return cls._known[name]

    def refuted(self, level: int, neuron: int, proof: list[dict[str, Any]], budget: Budget) -> Claim | None:
        """The claim that a neuron is dead, stably if that can be shown, if the checker accepts it."""
        claim: Claim = {"layer": level, "neuron": neuron, "status": "dead", "proof": proof}
        for attempt in ({**claim, "stable": True}, claim):
            try:
                checker.prove(attempt, self.network.checked, self.domain.checked, self.shared, lambda: budget.spend(0))
            except checker.Rejected:
                continue
            return attempt
        return None


def _turn(bench: Bench, tree: Tree, most: int, seconds: float | None) -> tuple[Tree, Claim | None]:
    """Let a tree grow for a while; if it is complete, its claim."""
    started = time.monotonic()
    tree.floating = bench.floating
    claim = None
    with np.errstate(all="ignore"):  # overflow spoils only what is then not confirmed
        try:
            tree.grow(most, Budget(SLICE if seconds is None else min(seconds, SLICE)))
            if tree.done:
                claim = bench.refuted(tree.level, tree.neuron, tree.proof(), Budget(seconds))
                tree.failed = claim is None
            if tree.failed and tree.coarse:  # too coarse: once more in exact arithmetic
                limit = tree.limit
                tree = branching.tree(bench.floating, tree.level, tree.neuron, coarse=False)
                tree.limit = limit
        except Exhausted:
            pass
    tree.floating = None
    tree.pack()
    tree.seconds += time.monotonic() - started
    return tree, claim


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
        executor: where to work (processes: each holds the network once); None: here.
        progress: called with each tree after each of its turns.

    Raises:
        Exhausted: the budget has ended; the open trees say how far they are.
    """
    waiting = [(min(TURN, tree.limit), tree) for tree in trees]
    running: dict[Future[tuple[Tree, Claim | None]], int] = {}
    slots = 1 if executor is None else getattr(executor, "_max_workers", 1)
    try:
        while waiting or running:
            while waiting and len(running) < slots:
                # within a turn what is nearest to its end comes first, then (the sort is stable) the first layers
                waiting.sort(key=lambda pair: (pair[0], -pair[1].closed))
                most, tree = waiting.pop(0)
                budget.spend(0)
                seconds = [s for s in (budget.left, None if each is None else each - tree.seconds) if s is not None]
                job = (bench, tree, most, min(seconds, default=None))
                running[_here(*job) if executor is None else executor.submit(_turn, *job)] = most
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                most = running.pop(future)
                try:
                    tree, claim = future.result()
                except BrokenProcessPool:
                    raise Exhausted("a worker process has died") from None
                budget.spend(max(0, tree.boxes - tree.spent))
                tree.spent = tree.boxes
                if progress is not None:
                    progress(tree)
                late = each is not None and tree.seconds >= each
                if claim is not None or tree.point is not None or tree.failed or late:
                    yield tree, claim
                else:
                    if tree.boxes >= tree.limit:
                        yield tree, None
                    else:
                        waiting.append((min(tree.limit, most if tree.boxes < most else 10 * most), tree))
    finally:
        for future in running:
            future.cancel()


def _here(*job: Any) -> Future[tuple[Tree, Claim | None]]:
    future: Future[tuple[Tree, Claim | None]] = Future()
    future.set_result(_turn(*job))
    return future
