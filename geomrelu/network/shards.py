"""The regions of a network by several processes, and their sign vectors on disk as they come.

The domain is cut by the first neurons until there are cells enough; some of these, a *shard*, go to each worker, which
cuts them to the end. Shards are disjoint and independent, so a worker lost costs time and changes nothing: its shard is
done again, and its file written anew.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from geomrelu.budget import Budget, Exhausted
from geomrelu.errors import InputError
from geomrelu.network.compiled import Compiled
from geomrelu.network.subdivision import Block, finish, prefixes
from geomrelu.parallel import Workers
from geomrelu.resume import held

__all__ = ["Shard", "SignFile", "counted"]

SHARDS = 16  # for each worker, since they are not alike


class Shard(NamedTuple):
    """What a worker has found.

    Attributes:
        regions: how many (at least, if it is not all). positive: bool, which neurons are positive on one of them.
        reason: why it is not all; None.
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
        with self._written():
            self._file.write(np.ascontiguousarray(signs, dtype=np.int8).tobytes())
        self.rows += len(signs)

    def close(self) -> None:
        """The number of rows is written, and the file gets its name."""
        with self._written():
            self._file.seek(0)
            self._head()
            self._file.close()
            os.replace(self._part, self.path)

    @contextmanager
    def _written(self) -> Iterator[None]:
        """Nothing is left of a file that could not be written."""
        try:
            yield
        except OSError as problem:
            self._part.unlink(missing_ok=True)
            raise InputError(f"{self.path}: {problem.strerror}") from None


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
        InputError: the domain has too many generators, a file cannot be written, or another run writes there.
    """
    if directory is None:
        yield from _counted(compiled, budget, pool, None, progress)
        return
    with held(directory):
        if any(directory.glob("signs-*.npy")):
            raise InputError(f"{directory} holds sign vectors already: choose another directory")
        try:
            yield from _counted(compiled, budget, pool, directory, progress)
        finally:  # workers that are ended in the midst of a file leave a part of it
            for part in directory.glob("signs-*.part"):
                with suppress(OSError):
                    part.unlink()


def _counted(
    compiled: Compiled, budget: Budget, pool: Workers, directory: Path | None, progress: Callable[[int], None]
) -> Iterator[Shard]:
    executor, workers = pool
    parts = list(prefixes(compiled, budget, 1 if executor is None else SHARDS * workers))
    jobs = [(block, None if directory is None else directory / f"signs-{k}.npy") for k, block in enumerate(parts, 1)]
    found, reason = 0, None
    shards = (
        (_finished(*job, budget) for job in jobs)
        if executor is None
        else _Spread(jobs, budget, executor, workers).shards()
    )
    for shard in shards:
        found += shard.regions
        reason = reason or shard.reason
        progress(found)
        yield shard
    if reason is not None:
        budget.poll()  # says the time and the regions of the whole, not what was left for a shard
        spent = f"the budget for it, {budget.regions} regions, is spent"
        raise Exhausted(reason if executor is None or budget.regions is None else spent)


class _Job(NamedTuple):
    """A shard at work, or one whose regions were not enough: what it was given, and what it has found with that."""

    block: Block
    path: Path | None
    given: int = 0
    used: int = 0
    partial: Shard | None = None


class _Spread:
    """Shards by several workers, who never have more regions among them than the budget has left.

    Each gets an equal part of what is free. If that is not enough for its shard, the shard is done again with twice as
    much, as soon as others have left that; its first part is for nothing then, and is not counted twice.
    """

    def __init__(
        self, jobs: Sequence[tuple[Block, Path | None]], budget: Budget, executor: Executor, workers: int
    ) -> None:
        self.budget, self.executor, self.workers = budget, executor, workers
        self.waiting = [_Job(*job) for job in jobs[::-1]]
        self.held: list[_Job] = []
        self.running: dict[Future[Shard], _Job] = {}

    def shards(self) -> Iterator[Shard]:
        """Those that are complete as they come, then those that are not.

        Raises:
            Exhausted: some have not even been begun.
        """
        try:
            self._fill()
            while self.running:
                yield from self._done()
                self._fill()
            yield from (job.partial for job in self.held if job.partial is not None)
        finally:
            for future in self.running:
                future.cancel()
        if self.waiting:
            self.budget.poll()
            raise Exhausted(f"the budget for it, {self.budget.regions} regions, is spent")

    def _free(self) -> int | None:
        """Regions that nobody has been given; None: there is no limit."""
        if self.budget.regions is None:
            return None
        return self.budget.regions - self.budget.examined - sum(job.given for job in self.running.values())

    def _fill(self) -> None:
        """Work for all workers, and none that waits there while its time runs out."""
        while len(self.running) < self.workers and self.waiting and self.budget.left != 0:
            self._start(self.waiting.pop())
        for job in list(self.held):
            if len(self.running) < self.workers and self._may_grow(job):
                self.held = [other for other in self.held if other is not job]
                self._start(job)

    def _may_grow(self, job: _Job) -> bool:
        free = self._free()
        return free is not None and free + job.used > job.given and not self.budget.ended

    def _start(self, job: _Job) -> None:
        self.budget.examined -= job.used  # found again
        free, given = self._free(), 0
        if free is not None:  # more than before at any rate: it would find the same again, and so on for ever
            given = min(free, max(2 * job.given, job.given + 1, free // (self.workers - len(self.running))))
        limit = None if free is None else given  # on new ones: the cells of the block have been counted
        future = self.executor.submit(_elsewhere, job.block, job.path, self.budget.left, limit)
        self.running[future] = _Job(job.block, job.path, given)

    def _done(self) -> Iterator[Shard]:
        """The next ones that are complete; those that are not are held."""
        for future in wait(self.running, return_when=FIRST_COMPLETED).done:
            shard, job = future.result(), self.running.pop(future)
            used = max(0, shard.regions - job.block.cells)
            self.budget.examined += used
            if shard.reason is None:
                yield shard
            else:
                self.held.append(_Job(job.block, job.path, job.given, used, shard))


def _elsewhere(block: Block, path: Path | None, seconds: float | None, regions: int | None) -> Shard:
    """The same in a worker, whose clock may be that of another machine."""
    return _finished(block, path, Budget(seconds, regions))


def _finished(block: Block, path: Path | None, budget: Budget) -> Shard:
    """Cut the cells of a block to the end."""
    neurons, before = block.compiled.neurons, block.cells - budget.examined
    regions, positive, reason = 0, np.zeros(neurons, dtype=bool), None
    file = None if path is None else SignFile(path, neurons)
    try:
        for done in finish(block, budget):
            regions += done.cells
            positive |= (done.signs > 0).any(axis=0)
            if file is not None:
                file.add(done.signs)
    except KeyboardInterrupt:
        if file is not None:
            file.close()  # what was found stays
        raise
    except Exhausted as end:
        reason, regions = str(end), max(regions, before + budget.examined)  # cells that are not yet cut hold one each
    if file is not None:
        file.close()
    return Shard(regions, positive, reason)
