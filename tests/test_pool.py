"""The pool of processes: nothing that happens to a worker, or to a long message on its way, keeps anybody waiting.

Limits of time here are only there to tell "ends" from "never ends".
"""

from __future__ import annotations

import contextlib
import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import types
from concurrent.futures import wait
from pathlib import Path

import pytest

from geomrelu import Budget, Network, Polyhedron, Status
from geomrelu.budget import Exhausted
from geomrelu.deadness import workers
from geomrelu.deadness.decide import decide
from geomrelu.errors import InputError
from geomrelu.exact.numbers import long_numbers
from geomrelu.parallel import Pool, WorkersDied, apart, results  # noqa: F401  for the scripts

pytestmark = pytest.mark.slow

LONG = 100_000_000  # bytes of a message
ENDS = 300  # seconds: what takes longer hangs
HERE = Path(__file__).resolve()
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), str(HERE.parent)])}
linux = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks for processes in /proc")


# ---- calls ------------------------------------------------------------------------------------------------------


def long_message(marker=None, stops=None):
    """Many bytes; with ``stops`` the process stands still so many seconds later, most likely while they travel."""
    if marker is not None:
        Path(marker).touch()
    if stops is not None:
        threading.Timer(stops, lambda: os.kill(os.getpid(), signal.SIGSTOP)).start()
    return bytes(LONG)


def fails(problem):
    raise problem


class Odd(Exception):
    """An exception that cannot be made again from what it says of itself."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def odd():
    raise Odd("one", "two")


def dies(marker, times):
    """Kills its process so many times."""
    marker = Path(marker)
    seen = int(marker.read_text()) if marker.exists() else 0
    if seen < times:
        marker.write_text(str(seen + 1))
        os.kill(os.getpid(), signal.SIGKILL)
    return "alive"


def sleeps(marker, seconds=3600):
    Path(marker).write_text(str(os.getpid()))
    time.sleep(seconds)


def appears(path, content=False):
    deadline = time.monotonic() + ENDS
    while not path.exists() or (content and not path.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def digits(number):
    return len(str(10**number))


def test_whole_numbers_are_as_long_in_workers_as_here():
    with Pool(1) as pool:
        with pytest.raises(ValueError, match="integer string conversion"):
            pool.submit(digits, 5000).result(ENDS)
        with long_numbers():
            assert pool.submit(digits, 5000).result(ENDS) == 5001


def gone(pid):
    """Does the process end?"""
    deadline = time.monotonic() + ENDS
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


# ---- the pool ---------------------------------------------------------------------------------------------------


def test_calls_and_what_they_raise():
    with Pool(2) as pool:
        assert [pool.submit(pow, 2, k).result() for k in range(5)] == [1, 2, 4, 8, 16]
        assert pool.submit(int, "11", base=2).result() == 3
        assert len(pool.submit(long_message).result()) == LONG
        with pytest.raises(InputError, match="mine") as caught:
            pool.submit(fails, InputError("mine")).result()
        assert "in fails" in "".join(caught.value.__notes__)
        with pytest.raises(SystemExit):
            pool.submit(fails, SystemExit(3)).result()
        with pytest.raises(EOFError):
            pool.submit(fails, EOFError()).result()
        with pytest.raises(RuntimeError, match="one and two"):
            pool.submit(odd).result()
        with pytest.raises((TypeError, AttributeError, RuntimeError)):
            pool.submit(threading.Lock).result()
        assert pool.submit(pow, 2, 10).result() == 1024  # nothing of this has done any harm
    with pytest.raises(RuntimeError):
        pool.submit(pow, 2, 2)


def test_a_process_that_dies_is_replaced(tmp_path):
    with Pool(1) as pool:
        assert pool.submit(dies, tmp_path / "twice", 2).result(ENDS) == "alive"
        with pytest.raises(WorkersDied, match="keep dying"):
            pool.submit(dies, tmp_path / "always", 99).result(ENDS)
        assert pool.submit(pow, 2, 3).result(ENDS) == 8


def test_processes_that_cannot_be_started_say_why(tmp_path, monkeypatch):
    place = tmp_path / "gone"
    place.mkdir()
    with monkeypatch.context() as moved:
        moved.chdir(place)
        place.rmdir()
        with Pool(1) as pool, pytest.raises(InputError, match="working directory, which does not exist any more"):
            pool.submit(pow, 2, 3).result(ENDS)
    pipe = multiprocessing.Pipe
    monkeypatch.setattr(multiprocessing, "Pipe", lambda: fails(OSError(errno.EMFILE, "Too many open files")))
    with Pool(1) as pool:
        with pytest.raises(InputError, match="no worker process can be started: Too many open files"):
            pool.submit(pow, 2, 3).result(ENDS)
        monkeypatch.setattr(multiprocessing, "Pipe", pipe)
        assert pool.submit(pow, 2, 3).result(ENDS) == 8


def test_a_call_apart_ends_with_its_budget():
    assert apart(Budget(), pow, 2, 3) == 8
    with pytest.raises(Exhausted):
        apart(Budget(1.0), time.sleep, 3600)


@pytest.mark.parametrize("stops", [None, 0.0, 0.02, 0.05, 0.1, 0.2])
def test_the_pool_ends_while_a_long_result_travels(stops, tmp_path):
    with Pool(2) as pool:
        futures = [pool.submit(long_message, tmp_path / str(k), stops) for k in range(3)]
        appears(tmp_path / "0")
        wait(futures, 0.1)
        processes = list(pool._processes)
        begun = time.monotonic()
    assert time.monotonic() - begun < ENDS
    assert len(processes) == 2
    assert not any(process.is_alive() for process in processes)
    assert all(future.done() for future in futures)


def test_what_waits_is_given_up(tmp_path):
    with Pool(1) as pool:
        running = pool.submit(sleeps, tmp_path / "pid")
        waiting = [pool.submit(pow, 2, k) for k in range(3)]
        appears(tmp_path / "pid", content=True)
    assert isinstance(running.exception(ENDS), WorkersDied)
    assert all(future.cancelled() for future in waiting)


@linux
@pytest.mark.parametrize("how", ["end", "exit", "kill"])
def test_no_process_outlives_its_parent(how, tmp_path):
    """Whether it forgets the pool, leaves in a hurry or is killed."""
    script = (
        "import os, sys, test_pool as t\n"
        "from pathlib import Path\n"
        "pool = t.Pool(1)\n"
        "pool.submit(t.sleeps, sys.argv[1])\n"
        "t.appears(Path(sys.argv[1]), content=True)\n"
        + {"end": "", "exit": "os._exit(0)", "kill": "os.kill(os.getpid(), 9)"}[how]
    )
    pid = tmp_path / "pid"
    subprocess.run([sys.executable, "-c", script, str(pid)], env=ENVIRONMENT, timeout=ENDS, check=False)
    assert gone(int(pid.read_text()))


# ---- budgets ----------------------------------------------------------------------------------------------------


def hard():
    """Neurons of layer 3 that are settled by trees, when nothing else is tried."""
    layers = [([[1, 1], [1, -1], [-1, 2]], [0, 0, 0], "relu"), ([[1, -2, 1], [1, 1, -3]], [0, 1, 0][:2], "relu")]
    net = Network.from_layers([*layers, ([[1, -1], [-1, -1]], [-100, 0], "relu")])
    return net, Polyhedron.box([(-1, 1)] * 2)


@pytest.fixture
def only_trees(monkeypatch):
    monkeypatch.setattr("geomrelu.deadness.by_pieces.FEW_PIECES", 0)
    monkeypatch.setattr("geomrelu.deadness.by_search.is_cut", lambda domain: False)
    monkeypatch.setattr("geomrelu.deadness.by_search.SPROUT", 0)
    monkeypatch.setattr("geomrelu.deadness.by_search.MANY_PIECES", 0)
    monkeypatch.setattr("geomrelu.deadness.by_search.BySearch._on_the_box", lambda *_: iter(()))
    monkeypatch.setattr("geomrelu.deadness.by_search.BySearch._witnesses", lambda *_: iter(()))


def late_turn(bench, growth, most, seconds):
    """A turn that knows no budget, and whose result is large and stops on its way."""
    growth.start(bench.floating)
    growth.pack()
    growth.packed += long_message(stops=0.1)
    return growth


def endless_turn(bench, growth, most, seconds):
    time.sleep(3600)


def one_death(bench, growth, most, seconds):
    marker = Path(os.environ["TEST_POOL_MARKER"])
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return workers.turn(bench, growth, most, seconds)


def always_death(bench, growth, most, seconds):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("turn", [late_turn, endless_turn])
def test_a_budget_ends_while_results_travel(turn, only_trees, monkeypatch):
    net, box = hard()
    monkeypatch.setattr(workers, "turn", turn)
    begun = time.monotonic()
    with Pool(2) as pool:
        *_, report = decide(net, box, [3], budget=Budget(3), executor=pool)
    assert time.monotonic() - begun < ENDS
    assert {v.status for v in report.verdicts} == {Status.UNDECIDED}
    assert all("3 s, is over" in v.reason for v in report.verdicts)


def test_a_killed_worker_costs_no_verdict(only_trees, monkeypatch, tmp_path):
    net, box = hard()
    expected = [v.status for r in decide(net, box, [3], budget=Budget(ENDS)) for v in r.verdicts]
    assert Status.DEAD in expected
    monkeypatch.setenv("TEST_POOL_MARKER", str(tmp_path / "marker"))
    monkeypatch.setattr(workers, "turn", one_death)
    with Pool(2) as pool:
        found = [v.status for r in decide(net, box, [3], budget=Budget(ENDS), executor=pool) for v in r.verdicts]
    assert found == expected
    assert (tmp_path / "marker").exists()


def test_workers_that_keep_dying_are_the_reason(only_trees, monkeypatch):
    net, box = hard()
    monkeypatch.setattr(workers, "turn", always_death)
    with Pool(2) as pool:
        *_, report = decide(net, box, [3], budget=Budget(ENDS), executor=pool)
    assert all("keep dying" in v.reason for v in report.verdicts)


def test_an_interruption_while_a_long_result_travels(tmp_path):
    """Ctrl-C, as a terminal sends it to all processes."""
    script = "import sys, test_pool as t\nwith t.Pool(2) as pool:\n    t.results(t.chunk, range(9), (pool, 2))\n"
    run = subprocess.Popen(
        [sys.executable, "-c", script], env={**ENVIRONMENT, "TEST_POOL_MARKER": str(tmp_path / "m")},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    with contextlib.ExitStack() as stack:
        stack.callback(lambda: os.killpg(run.pid, signal.SIGKILL) if run.poll() is None else None)
        appears(tmp_path / "m")
        time.sleep(0.1)
        os.killpg(run.pid, signal.SIGINT)
        _, errors = run.communicate(timeout=ENDS)
    assert run.returncode != 0
    assert errors.count("Traceback") == 1  # the parent's own
    assert errors.rstrip().endswith("KeyboardInterrupt")


def chunk(number):
    return len(long_message(os.environ["TEST_POOL_MARKER"], 0.05)) and str(bytes(LONG // 10))


# ---- scripts ----------------------------------------------------------------------------------------------------


SCRIPT = """
import os
import threading
from geomrelu.parallel import Pool

print("the script runs")
def ask(found):
    with Pool(2) as pool:
        found += [future.result() for future in [pool.submit(os.getpid) for _ in range(4)]]
found = []
asking = [threading.Thread(target=ask, args=(found,)) for _ in range(3)]
for thread in asking:
    thread.start()
for thread in asking:
    thread.join()
print(len(found), os.getpid() in found, __import__("__main__").found is found)
"""


def test_a_script_without_a_guard_runs_once(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    run = subprocess.run(
        [sys.executable, script], env=ENVIRONMENT, timeout=ENDS, capture_output=True, text=True, check=False
    )
    assert (run.stdout, run.stderr, run.returncode) == ("the script runs\n12 False True\n", "", 0)


def test_only_workers_are_not_told_of_the_script(monkeypatch):
    """Other threads go on as ever while a worker starts: __main__ is what it was."""
    script = types.ModuleType("__main__")
    script.__file__ = __file__
    monkeypatch.setitem(sys.modules, "__main__", script)
    seen = []
    start = multiprocessing.context.SpawnProcess.start

    def started(process):
        told = [multiprocessing.spawn.get_preparation_data(name) for name in (process.name, "theirs")]
        seen.extend(sum(key.startswith("init_main_from_") for key in data) for data in told)
        seen.append(sys.modules["__main__"] is script)
        start(process)

    monkeypatch.setattr(multiprocessing.context.SpawnProcess, "start", started)
    with Pool(1) as pool:
        assert pool.submit(os.getpid).result(timeout=ENDS) != os.getpid()
    assert seen == [0, 1, True]


def no_process(self):
    raise RuntimeError("no processes here")


def test_where_no_process_can_be_started_the_call_says_so(monkeypatch):
    monkeypatch.setattr(Pool, "_started", no_process)
    with Pool(1) as pool, pytest.raises(RuntimeError, match="no processes here"):
        pool.submit(os.getpid).result(timeout=ENDS)
