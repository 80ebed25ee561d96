"""Long computations in chunks: on one core, on several, or on a cluster; interrupted and resumed; always one result.

A computation is a function of the chunk's number alone (with its own seed), whose results are plain JSON values. They
are collected by number, so nothing depends on who computed them or when. A :class:`~geomrelu.resume.Journal` keeps
finished chunks in a file: a later run with the same description computes only the others.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import pickle
import signal
import socket
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from contextlib import contextmanager
from itertools import takewhile
from multiprocessing import resource_tracker, spawn
from multiprocessing.connection import Connection
from queue import SimpleQueue
from secrets import token_hex
from typing import Any, NamedTuple

from geomrelu.arguments import integer, kind
from geomrelu.blas import single_threaded
from geomrelu.budget import Budget
from geomrelu.errors import InputError
from geomrelu.resume import Journal

__all__ = [
    "Cluster",
    "Pool",
    "Progress",
    "Workers",
    "WorkersDied",
    "ahead",
    "apart",
    "results",
    "seed_of",
    "shared",
    "slots",
    "workers_on",
]

Work = Callable[[int], Any]
Progress = Callable[[int, int, str], None]
Workers = tuple[Executor | None, int]

AHEAD = 3  # chunks handed out for each worker
ATTEMPTS = 3  # processes that may die of one call
MOMENT = 1.0  # seconds for a worker that looks at the clock to say what it has
LEAVING = 1.0  # seconds that are given to threads that leave
STARTING = threading.Lock()  # of whoever starts a process


def seed_of(seed: int, *place: int) -> Any:
    """The seed of a chunk: the child that ``SeedSequence(seed).spawn`` would give at that place."""
    import numpy as np

    return np.random.SeedSequence(seed, spawn_key=place)


# ---- workers ----------------------------------------------------------------------------------------------------


class WorkersDied(InputError):
    """Worker processes were ended from outside (as by the system, when memory is short), again and again."""


class Pool(Executor):
    """Processes on this machine that never keep anybody waiting: with the pool they are gone, whatever they are doing.

    Each process has a pipe and a thread of its own here, which hands it one call at a time and reads what comes back.
    So the end of a process, even in the middle of a long message, is the end of its pipe. (In the standard library's
    pool all processes write to one pipe, which does not end with them, and the rest of a message is awaited for ever.)

    A process that dies is replaced, and its call is made again: calls must not mind. Ctrl-C is this process's affair.
    Processes whose parent is gone end by themselves. They never run the script of this process, guarded or not, so what
    is called must stand in a module.

    Args:
        workers: how many processes; they are started when there is work for them.

    A future raises what the call raised, or :class:`WorkersDied` when ATTEMPTS processes have died of it.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._calls: SimpleQueue[tuple[bytes, Future[Any]] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._processes: list[Any] = []
        self._closed = False

    def submit(self, function: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        """Have ``function(*args, **named)`` called in a process; all of it must be picklable."""
        future: Future[Any] = Future()
        digits = sys.get_int_max_str_digits()  # how long whole numbers may be as text is the same there
        call = pickle.dumps((digits, function, args, named), pickle.HIGHEST_PROTOCOL)
        with self._lock:
            if self._closed:
                raise RuntimeError("the pool is closed")
            if not self._threads:
                resource_tracker.ensure_running()
                atexit.register(self.close)
                self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(self.workers)]
                for thread in self._threads:
                    thread.start()
            self._calls.put((call, future))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = True) -> None:
        """The same as :meth:`close`, whatever the arguments."""
        self.close()

    def close(self) -> None:
        """End all processes now. Calls that are not finished have no result."""
        with self._lock:
            self._closed = True
            atexit.unregister(self.close)
            for process in self._processes:
                process.kill()
        for _ in self._threads:
            self._calls.put(None)
        late = time.monotonic() + LEAVING
        for thread in self._threads:
            thread.join(max(0.0, late - time.monotonic()))  # it meets the end of its pipe, so this is a moment

    def _serve(self) -> None:
        """One process and its calls."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # its processes inherit that
        worker: _Worker | None = None
        while (item := self._calls.get()) is not None:
            call, future = item
            if self._closed:
                future.cancel()
            if not future.set_running_or_notify_cancel():
                continue
            answer = None
            for _ in range(ATTEMPTS):
                try:
                    worker = worker or self._started()
                except OSError as problem:
                    answer = _told(InputError(f"no worker process can be started: {problem.strerror or problem}"))
                    continue
                except EOFError:
                    continue
                except Exception as problem:  # of whoever may not start processes
                    answer = _told(problem)
                    break
                try:
                    worker.pipe.send_bytes(call)
                    answer = worker.pipe.recv_bytes()
                    break
                except (EOFError, OSError):  # it has died
                    self._end(worker)
                    worker, answer = None, None
            _settle(future, answer)
        self._end(worker)

    def _started(self) -> _Worker:
        with self._lock:
            if self._closed:
                raise EOFError
            try:
                os.getcwd()
            except FileNotFoundError:
                gone = "processes begin in the working directory, which does not exist any more: go to another one"
                raise InputError(gone) from None
            here, there = multiprocessing.Pipe()
            process = multiprocessing.get_context("spawn").Process(
                name=f"geomrelu-{token_hex(8)}", target=_work, args=(there,), daemon=True
            )
            with there, single_threaded(), _of_no_script(process.name):
                process.start()
            self._processes.append(process)
        return _Worker(process, here)

    def _end(self, worker: _Worker | None) -> None:
        if worker is None:
            return
        worker.pipe.close()
        with self._lock:
            self._processes.remove(worker.process)
            worker.process.kill()
        worker.process.join()


@contextmanager
def _of_no_script(own: str) -> Iterator[None]:
    """A new process would run the script of this one again, up to its guard if it has one. No call needs it. (Other
    threads may start processes of their own meanwhile, which are told of the script.)"""

    def told(name: str) -> dict[str, Any]:
        return {key: v for key, v in usual(name).items() if name != own or not key.startswith("init_main_from_")}

    with STARTING:
        usual = spawn.get_preparation_data
        spawn.get_preparation_data = told
        try:
            yield
        finally:
            spawn.get_preparation_data = usual


class _Worker(NamedTuple):
    process: Any
    pipe: Connection


def _settle(future: Future[Any], answer: bytes | None) -> None:
    """What a call has come to; None: its processes have died."""
    try:
        if answer is None:
            raise WorkersDied("the workers keep dying (out of memory?): try fewer of them")
        worked, result = pickle.loads(answer)
        if not worked:
            raise result
    except BaseException as problem:
        future.set_exception(problem)
    else:
        future.set_result(result)


def _work(pipe: Connection) -> None:
    """What a worker process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_outlive, daemon=True).start()
    while True:
        try:
            call = pipe.recv_bytes()
        except EOFError:
            return
        try:
            digits, function, args, named = pickle.loads(call)
            sys.set_int_max_str_digits(digits)
            said = pickle.dumps((True, function(*args, **named)), pickle.HIGHEST_PROTOCOL)
        except BaseException as problem:
            problem.add_note("in a worker process:\n" + traceback.format_exc())
            said = _told(problem)
        pipe.send_bytes(said)
        del call, said


def _told(problem: BaseException) -> bytes:
    try:
        said = pickle.dumps((False, problem), pickle.HIGHEST_PROTOCOL)
        pickle.loads(said)
    except Exception:  # an exception of somebody else's that does not travel
        return pickle.dumps((False, RuntimeError("".join(traceback.format_exception(problem)))))
    return said


def _outlive() -> None:
    """Nobody else ends a worker whose parent was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


class Cluster(Executor):
    """The workers of a Dask scheduler, as :class:`Pool` is those of this machine.

    Attributes:
        workers: how many calls run at once.
    """

    def __init__(self, client: Any, workers: int) -> None:
        self.workers = workers
        self._client, self._executor = client, client.get_executor(pure=False)
        self._shared: dict[int, tuple[Any, Any]] = {}

    def share(self, value: Any) -> Any:
        """Send a large value once; what stands for it among the arguments of calls.

        It is the result of a task, which is computed again where it is needed. (What is scattered is lost with the
        workers that hold it, and with it every call that takes it.)
        """
        if id(value) not in self._shared:
            import dask

            blob = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
            with dask.config.set({"distributed.admin.large-graph-warning-threshold": 2 * len(blob)}):
                self._shared[id(value)] = value, self._client.submit(pickle.loads, blob, pure=False)
        return self._shared[id(value)][1]

    def submit(self, function: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        """Have a function called by a worker; if workers die of it again and again: :class:`WorkersDied`."""
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()

        def answer(done: Future[Any]) -> None:
            problem = CancelledError() if done.cancelled() else done.exception()
            if problem is None:
                future.set_result(done.result())
            elif type(problem).__name__ in ("KilledWorker", "CancelledError", "FutureCancelledError"):
                future.set_exception(WorkersDied("the workers of the cluster keep dying, or its scheduler is gone"))
            else:
                future.set_exception(problem)

        self._executor.submit(function, *args, **named).add_done_callback(answer)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = True) -> None:
        """Leave. What has not begun is forgotten, what is running ends by itself."""
        self._client.close()


def shared(executor: Executor | None, value: Any) -> Any:
    """What to pass for a large value that many calls take."""
    return executor.share(value) if isinstance(executor, Cluster) else value


def slots(executor: Executor | None) -> int:
    """How many calls an executor works on at once; None: this process, one."""
    return 1 if executor is None else getattr(executor, "workers", 0) or getattr(executor, "_max_workers", 1)


def ahead(
    executor: Executor | None,
    function: Callable[..., Any],
    calls: Iterable[tuple[Any, ...]],
    budget: Budget | None = None,
) -> Iterator[Any]:
    """The results of calls in their order. Only as many are under way as are worked on, and one more: with each goes
    what it works on. When nobody asks any more, those that have not begun are dropped.

    Args:
        budget: when its time is over, a call that does not end by itself within a moment is not awaited.

    Raises:
        Exhausted: that is so.
    """
    waiting = deque[Future[Any]]()
    try:
        for call in calls:
            if executor is None:
                yield function(*call)
                continue
            waiting.append(executor.submit(function, *call))
            if len(waiting) > slots(executor):
                yield _awaited(waiting.popleft(), budget)
        while waiting:
            yield _awaited(waiting.popleft(), budget)
    finally:
        for job in waiting:
            job.cancel()


def _awaited(future: Future[Any], budget: Budget | None) -> Any:
    """What a call gives, once it does."""
    while budget is not None and budget.left is not None and not wait([future], budget.left + MOMENT).done:
        budget.poll()
    return future.result()


@contextmanager
def workers_on(
    workers: int = 1, scheduler: str | None = None, apart: bool = False
) -> Iterator[tuple[Executor | None, int]]:
    """Who computes: this process, processes on this machine, or a Dask cluster.

    Args:
        workers: 1: this process; more: so many processes.
        scheduler: address of a Dask scheduler, such as ``tcp://127.0.0.1:8786``; its workers must have geomrelu.
        apart: never this process: what it does cannot be ended.

    Yields:
        ``(executor, number)`` for :func:`results`; the executor is None if it is this process.

    Raises:
        InputError: no worker, Dask is not installed, or nothing answers at the address.
    """
    if scheduler is not None:
        cluster = _cluster(scheduler)
        try:
            yield cluster, cluster.workers
        finally:
            cluster.shutdown()
    elif integer(workers, "the number of workers", 1) == 1 and not apart:
        yield None, 1
    else:
        with Pool(workers) as pool:
            yield pool, workers


def apart(budget: Budget, function: Callable[..., Any], *args: Any) -> Any:
    """The value of a call that looks at no clock, in a process that ends with the budget.

    Raises:
        Exhausted: the time is over.
    """
    budget.poll()
    with Pool(1) as pool:
        future = pool.submit(function, *args)
        while not wait([future], budget.left).done:
            budget.poll()
        return future.result()


def _cluster(address: str) -> Cluster:
    if not isinstance(address, str):
        raise InputError(f"the address of a Dask scheduler is text, such as tcp://127.0.0.1:8786, not {kind(address)}")
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    if not host or not port.isdigit() or "/" in host:
        raise InputError(f"{address!r} is not the address of a Dask scheduler, such as tcp://127.0.0.1:8786")
    try:
        import logging

        from distributed import Client
    except ImportError:
        raise InputError("--scheduler needs Dask: pip install 'geomrelu[dask]'") from None
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=5) as line:
            if not line.recv(1):  # a scheduler speaks first; with anything else the client would wait for ever
                raise OSError("something else is there")
    except (OSError, OverflowError) as problem:
        raise InputError(f"no Dask scheduler answers at {address} ({problem})") from None
    for name in ("distributed.comm", "distributed.core", "distributed.client", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # one line of ours says it
    try:
        client = Client(address, timeout=5, set_as_default=False)
    except (OSError, ValueError, RuntimeError, TypeError) as problem:
        first = str(problem).split("\n")[0] or type(problem).__name__
        raise InputError(f"no Dask scheduler answers at {address} ({first})") from None
    workers = sum(w["nthreads"] for w in client.scheduler_info(n_workers=-1)["workers"].values())
    if not workers:
        client.close()
        raise InputError(f"the Dask scheduler at {address} has no workers")
    return Cluster(client, workers)


# ---- running ----------------------------------------------------------------------------------------------------


def results(
    work: Work,
    chunks: Iterable[int],
    pool: Workers = (None, 1),
    journal: Journal | None = None,
    progress: Progress | None = None,
    budget: Budget | None = None,
) -> list[Any]:
    """The results of all chunks, in the order of their numbers.

    Args:
        work: picklable; its value is plain JSON data and depends on the number alone.
        pool: what :func:`workers_on` yields.
        journal: where finished chunks are, and go.
        progress: called with (finished, all, rate and time left).
        budget: when its time is over, only the results of the first chunks, up to the first that is not finished, are
            given. What workers are doing then goes on until their pool is closed; without workers a chunk is finished
            first.

    A worker that dies costs time and changes nothing: its chunk is computed again. KeyboardInterrupt passes through;
    what was finished is in the journal.
    """
    asked = list(chunks)
    done = {} if journal is None else {k: journal.found[k] for k in asked if k in journal.found}
    waiting = [k for k in asked if k not in done]
    before, begun = len(done), time.monotonic()

    def finished(chunk: int, result: Any) -> None:
        done[chunk] = result
        if journal is not None:
            journal.add(chunk, result)
        if progress is not None:
            progress(len(done), len(asked), _pace(len(done) - before, len(asked) - len(done), begun))

    executor, number = pool
    if executor is None:
        for k in waiting:
            if budget is not None and budget.ended:
                break
            finished(k, work(k))
    else:
        _spread(work, waiting, executor, number, finished, Budget.of(budget))
    return [done[k] for k in takewhile(done.__contains__, asked)]


def _pace(finished: int, left: int, begun: float) -> str:
    rate = finished / max(time.monotonic() - begun, 1e-9)
    minutes, seconds = divmod(round(left / rate), 60)
    return f"{rate:.3g} chunks/s, {minutes}:{seconds:02} left"


def _spread(
    work: Work,
    waiting: list[int],
    executor: Executor,
    number: int,
    finished: Callable[[int, Any], None],
    budget: Budget,
) -> None:
    waiting = waiting[::-1]
    running: dict[Future[Any], int] = {}
    try:
        while (waiting or running) and not budget.ended:
            while waiting and len(running) < AHEAD * number:
                running[executor.submit(work, waiting[-1])] = waiting[-1]
                waiting.pop()
            for future in wait(running, budget.left, return_when=FIRST_COMPLETED).done:
                result = future.result()
                finished(running.pop(future), result)
    finally:
        for future in running:
            future.cancel()
