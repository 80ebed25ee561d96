"""The regions of a network by several processes, and their sign vectors on disk as they come.

The domain is cut by the first neurons until there are cells enough; some of these, a *shard*, go to each worker, which
cuts them to the end. Shards are disjoint and independent, so a worker lost costs time and changes nothing: its shard is
done again, and its file written anew.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from geomrelu.budget import Budget, Exhausted
from geomrelu.errors import InputError
from geomrelu.network.compiled import Compiled
from geomrelu.network.subdivision import Block, finish, prefixes
from geomrelu.parallel import Workers

__all__ = ["Shard", "SignFile", "counted"]

SHARDS = 16  # for each worker, since they are not alike


class Shard(NamedTuple):
    """What a worker has found.

    Attributes:
        regions: how many. positive: bool, which neurons are positive on one of them. reason: why it is not all; None.
    """

    regions: int
    positive: np.ndarray
    reason: str | None


class SignFile:
    """A .npy file of sign vectors, int8 (regions, neurons), that grows; complete or absent.

    Raises:
        InputError: it cannot be written.
    """

    def __init__(self, path: Path, neurons: int) -> None:
        self.path, self.neurons, self.rows = path, neurons, 0
        self._part = path.with_suffix(".part")
        try:
            self._file: IO[bytes] = open(self._part, "wb")  # noqa: SIM115  closed by close()
            self._head()
        except OSError as problem:
            raise InputError(f"{path}: {problem.strerror}") from None

    def _head(self) -> None:
        """The header; NumPy leaves room in it for a number of rows that grows."""
        head = {"descr": "|i1", "fortran_order": False, "shape": (self.rows, self.neurons)}
        np.lib.format.write_array_header_1_0(self._file, head)

    def add(self, signs: np.ndarray) -> None:
        try:
            self._file.write(np.ascontiguousarray(signs, dtype=np.int8).tobytes())
        except OSError as problem:
            raise InputError(f"{self.path}: {problem.strerror}") from None
        self.rows += len(signs)

    def close(self) -> None:
        """The number of rows is written, and the file gets its name."""
        self._file.seek(0)
        self._head()
        self._file.close()
        os.replace(self._part, self.path)


def counted(
    compiled: Compiled,
    budget: Budget,
    pool: Workers = (None, 1),
    directory: Path | None = None,
    progress: Callable[[int], None] = lambda regions: None,
) -> Iterator[Shard]:
    """All regions, shard by shard, in any order.

    Args:
        pool: as :func:`geomrelu.parallel.workers_on` yields it.
        directory: where the sign vectors go: ``signs-1.npy``, ``signs-2.npy``, ..., int8 (regions, neurons).
        progress: called with the number of regions so far.

    Raises:
        Exhausted: the budget has ended; what a shard had found by then has been yielded, and is on disk.
        InputError: the domain has too many generators, or a file cannot be written.
    """
    executor, workers = pool
    if directory is not None and any(directory.glob("signs-*.npy")):
        raise InputError(f"{directory} holds sign vectors already: choose another directory")
    parts = list(prefixes(compiled, budget, 1 if executor is None else SHARDS * workers))
    jobs = [(block, None if directory is None else directory / f"signs-{k}.npy") for k, block in enumerate(parts, 1)]
    found, reason = 0, None

    def taken(shard: Shard) -> Shard:
        nonlocal found, reason
        found += shard.regions
        reason = reason or shard.reason
        progress(found)
        return shard

    if executor is None:
        for block, path in jobs:
            yield taken(_finished(block, path, budget))
    else:
        waiting, running = jobs[::-1], dict[Future[Shard], int]()
        try:
            while waiting or running:
                while waiting and len(running) < workers:  # none waits there while its time runs out
                    block, path = waiting.pop()
                    rest = None if budget.regions is None else budget.regions - budget.examined + block.cells
                    running[executor.submit(_elsewhere, block, path, budget.left, rest)] = block.cells
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    shard, cells = future.result(), running.pop(future)
                    budget.examined += max(0, shard.regions - cells)
                    yield taken(shard)
                if reason is not None:
                    waiting.clear()
        finally:
            for future in running:
                future.cancel()
    if reason is not None:
        budget.poll()  # says the time of the whole, not what was left for a shard
        raise Exhausted(reason)


def _elsewhere(block: Block, path: Path | None, seconds: float | None, regions: int | None) -> Shard:
    """The same in a worker, whose clock may be that of another machine."""
    return _finished(block, path, Budget(seconds, regions))


def _finished(block: Block, path: Path | None, budget: Budget) -> Shard:
    """Cut the cells of a block to the end."""
    neurons = block.compiled.neurons
    regions, positive, reason = 0, np.zeros(neurons, dtype=bool), None
    file = None if path is None else SignFile(path, neurons)
    try:
        for done in finish(block, budget):
            regions += done.cells
            positive |= (done.signs > 0).any(axis=0)
            if file is not None:
                file.add(done.signs)
    except Exhausted as end:
        reason = str(end)
    if file is not None:
        file.close()
    return Shard(regions, positive, reason)
