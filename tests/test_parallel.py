"""One result for one worker, many, a cluster, killed workers, and runs that are interrupted and resumed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from trees import deep

from geomrelu import InputError, decide, resume
from geomrelu.budget import Budget, Exhausted
from geomrelu.parallel import results, seed_of, shared, workers_on
from geomrelu.resume import Journal, held

pytestmark = pytest.mark.slow

HERE = str(Path(__file__).resolve().parents[1])
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([HERE, str(Path(__file__).parent)])}
RUN = ["probability", "stably-unactivated", "--widths", "2,7", "--orbits", "8000", "--seed", "5", "--format", "json"]


def square(chunk):
    return chunk**2


def dies_once(marker, chunk):
    if chunk == 2 and not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return chunk


def always_dies(chunk):
    os.kill(os.getpid(), signal.SIGKILL)


def never_ends(chunk):
    while chunk == 2:
        time.sleep(60)
    return chunk


def fails(chunk):
    raise ValueError(f"chunk {chunk}")


def geomrelu(*arguments, **more):
    return subprocess.run(
        [sys.executable, "-m", "geomrelu", *arguments],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        **more,
    )


@pytest.fixture(scope="module")
def expected():
    return geomrelu(*RUN).stdout


# ---- seeds and order --------------------------------------------------------------------------------------------


def test_seeds_are_the_spawned_ones():
    children = np.random.SeedSequence(7).spawn(3)
    assert [seed_of(7, k).generate_state(2).tolist() for k in range(3)] == [
        c.generate_state(2).tolist() for c in children
    ]


def test_results_are_in_order_and_nothing_is_done_twice(tmp_path):
    seen = []
    with Journal(tmp_path / "c", {"a": 1}) as journal:
        journal.add(1, 100)
        assert results(square, range(4), journal=journal, progress=lambda *p: seen.append(p)) == [0, 100, 4, 9]
    assert [s[:2] for s in seen] == [(2, 4), (3, 4), (4, 4)]
    assert "left" in seen[0][2]


# ---- the file of chunks -----------------------------------------------------------------------------------------


def test_a_line_cut_short_is_dropped_and_written_again(tmp_path):
    path = tmp_path / "c"
    with Journal(path, {"a": 1}) as journal:
        results(square, range(3), journal=journal)
    whole = path.read_bytes()
    for cut in range(1, len(whole)):
        path.write_bytes(whole[:cut])
        with Journal(path, {"a": 1}) as journal:
            assert all(journal.found[k] == k * k for k in journal.found)
            assert results(square, range(3), journal=journal) == [0, 1, 4]
        lines = path.read_text().splitlines()
        assert json.loads(lines[0])["a"] == 1 and sorted(json.loads(x)["chunk"] for x in lines[1:]) == [0, 1, 2]


@pytest.mark.parametrize(
    "former", ["{", "[0, 1]", "3", '{"chunk": 0, "result": null}', '{"chunk": 1e999, "result": 0}']
)
def test_a_line_that_is_not_as_it_was_written_is_dropped(tmp_path, former):
    """Nor does a chunk count that belongs to another computation, or whose number or result was changed."""
    path, other = tmp_path / "c", tmp_path / "d"
    for name, k in ((path, 1), (other, 2)):
        with Journal(name, {"a": k}) as journal:
            journal.add(1, 100 * k)
            journal.add(2, 200 * k)
    head, one, two = path.read_text().splitlines()
    foreign = other.read_text().splitlines()[1:]
    changed = [one.replace("100", "101"), two.replace('"chunk": 2', '"chunk": 0'), *foreign, former, "\xff"]
    path.write_text("\n".join([head, *changed, two]) + "\n", encoding="latin-1")
    with Journal(path, {"a": 1}) as journal:
        assert journal.found == {2: 200}


def test_a_file_of_another_version_is_refused(tmp_path, monkeypatch):
    with Journal(tmp_path / "c", {"a": 1}) as journal:
        journal.add(0, 1)
    monkeypatch.setattr(resume, "version", lambda name: "0.0.1")
    with pytest.raises(InputError, match="another version"):
        Journal(tmp_path / "c", {"a": 1})


def test_what_is_no_file_is_refused(tmp_path):
    """It may have no end, or nobody may ever write to it."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero", "/dev/full", tmp_path):
        with pytest.raises(InputError, match="something else"):
            Journal(path, {"a": 1})


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_no_room_for_the_file_that_was_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(InputError, match=r"c: No space left on device$"):
        Journal(tmp_path / "c", {"a": 1})
    monkeypatch.undo()
    with Journal(tmp_path / "c", {"a": 1}) as journal:
        monkeypatch.setattr(os, "fsync", no_room)
        with pytest.raises(InputError, match=r"c: No space left on device$"):
            journal.add(0, 1)


def no_room(_):
    raise OSError(28, "No space left on device")


def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "c"
    with Journal(path, {"a": 1}), pytest.raises(InputError, match="another run"):
        Journal(path, {"a": 1})
    with pytest.raises(InputError, match="another computation"):
        Journal(path, {"a": 2})
    for text in ("my diary\nline two without end", "my diary"):
        path.write_text(text)
        with pytest.raises(InputError, match="another computation"):
            Journal(path, {"a": 1})
        assert path.read_text() == text
    with pytest.raises(InputError):
        Journal(tmp_path / "no" / "c", {"a": 1})
    with pytest.raises(InputError):
        Journal(tmp_path, {"a": 1})


def test_a_file_nobody_asked_for_begins_late_and_goes_away(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    journal = Journal(None, {"a": 1})
    journal.add(0, "x")
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr("geomrelu.resume.KEPT_AFTER", -1)
    journal.add(1, "y")
    journal.close()
    assert len(list(tmp_path.iterdir())) == 1
    again = Journal(None, {"a": 1})
    assert again.found == {0: "x", 1: "y"}
    again.finish()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("why", ["no room", "in use", "no directory", "something else"])
def test_a_file_nobody_asked_for_costs_no_run(tmp_path, monkeypatch, why):
    """Where it cannot be, the run goes on without; what belongs to another run stays."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("geomrelu.resume.KEPT_AFTER", -1)
    path = Journal(None, {"a": 1}).path
    other = None
    if why == "in use":
        other = Journal(path, {"a": 1})
    elif why == "something else":
        path.write_text("my diary")
    elif why == "no directory":
        (tmp_path / "gone").mkdir()
        monkeypatch.chdir(tmp_path / "gone")
        (tmp_path / "gone").rmdir()
    before = path.read_bytes() if path.exists() else None
    if why == "no room":
        monkeypatch.setattr(os, "fsync", no_room)
    with Journal(None, {"a": 1}) as journal:
        assert results(square, range(4), journal=journal) == [0, 1, 4, 9]
        assert journal.stopped(True, keep=True) == "the time was over"
        journal.finish()
    assert (path.read_bytes() if path.exists() else None) == before
    if other is not None:
        other.close()


def test_a_directory_is_for_one_run(tmp_path):
    with held(tmp_path):
        with pytest.raises(InputError, match="another run is using this"), held(tmp_path):
            pass
        with held(tmp_path / "absent"):
            pass
    with held(tmp_path):
        pass


def test_what_the_clock_leaves_is_kept_if_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Journal(None, {"a": 1}) as journal:
        journal.add(0, "x")
        assert journal.stopped(True) == "the time was over" and not list(tmp_path.iterdir())
        assert "resumes from geomrelu-" in journal.stopped(True, keep=True)
    assert Journal(None, {"a": 1}).found == {0: "x"}
    with pytest.raises(Exhausted, match="before anything"):
        journal.stopped(False)


# ---- processes --------------------------------------------------------------------------------------------------


def test_a_killed_worker_changes_nothing(tmp_path):
    with workers_on(2) as pool:
        assert results(partial(dies_once, str(tmp_path / "marker")), range(6), pool) == list(range(6))
        with pytest.raises(InputError, match="dying"):
            results(always_dies, range(3), pool)
        with pytest.raises(ValueError, match="chunk 0"):
            results(fails, range(1), pool)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_chunk_that_never_ends_does_not_outlast_the_budget(workers):
    """The first chunks without a gap are given; the process is gone with its pool."""
    with workers_on(workers, apart=True) as pool:
        found = results(never_ends, [0, 1, 2, 3], pool, budget=Budget(8))
    assert found == [0, 1]


@pytest.mark.parametrize("workers", [0, -1])
def test_no_workers_are_refused(workers):
    with pytest.raises(InputError), workers_on(workers):
        pass


def test_two_workers_give_the_same_bytes(expected):
    assert json.loads(expected)["orbits"] == 8000
    assert geomrelu(*RUN, "--workers", "2").stdout == expected


@pytest.mark.parametrize("workers", ["1", "2"])
def test_killed_three_times_and_resumed(tmp_path, expected, workers):
    """kill -9 in the middle: what was finished is neither lost nor done again."""
    path = tmp_path / "run.chunks"
    command = [sys.executable, "-m", "geomrelu", *RUN, "--workers", workers, "--chunks", str(path)]
    sizes = []
    for _ in range(3):
        before = path.read_bytes() if path.exists() else b""
        run = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, start_new_session=True)
        while run.poll() is None and (
            not path.exists() or path.read_bytes().count(b"\n") < max(2, before.count(b"\n") + 1)
        ):
            time.sleep(0.005)
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        kept = path.read_bytes()
        assert kept.startswith(before[: before.rfind(b"\n") + 1])
        sizes.append(kept.count(b"\n"))
    assert sizes[0] >= 2 and sizes == sorted(sizes)
    assert geomrelu(*RUN, "--workers", workers, "--chunks", str(path)).stdout == expected
    chunks = [json.loads(line)["chunk"] for line in path.read_text().splitlines()[1:]]
    assert sorted(chunks) == list(range(len(chunks)))


def test_interrupted_and_resumed(tmp_path, expected):
    path = tmp_path / "run.chunks"
    command = [sys.executable, "-m", "geomrelu", *RUN, "--workers", "2", "--chunks", str(path)]
    run = subprocess.Popen(
        command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while run.poll() is None and (not path.exists() or path.read_bytes().count(b"\n") < 3):
        time.sleep(0.005)
    os.killpg(run.pid, signal.SIGINT)
    _, errors = run.communicate(timeout=300)
    assert run.returncode == 130, errors
    assert re.fullmatch(r"geomrelu: interrupted.*run\.chunks.*\n", errors)
    assert geomrelu(*RUN, "--chunks", str(path)).stdout == expected


# ---- a cluster --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def steady(tmp_path_factory):
    """A cluster for tests that leave it alone."""
    with started(tmp_path_factory.mktemp("cluster")) as found:
        yield found


@pytest.fixture
def cluster(tmp_path):
    """A cluster of which workers may be killed."""
    with started(tmp_path) as found:
        yield found


@contextlib.contextmanager
def started(tmp_path):
    """A real scheduler and two workers, each a process, on loopback."""
    pytest.importorskip("distributed")
    file = tmp_path / "scheduler.json"
    options = ["--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0"]
    processes = [dask(tmp_path, "scheduler", *options, "--scheduler-file", str(file))]
    try:
        deadline = time.monotonic() + 300
        while not file.exists() or not file.read_text().strip().endswith("}"):
            assert time.monotonic() < deadline and processes[0].poll() is None
            time.sleep(0.05)
        address = json.loads(file.read_text())["address"]
        processes += [worker(tmp_path, address) for _ in range(2)]
        there(address, 2)
        yield address, processes
    finally:
        for process in processes[::-1]:
            process.kill()
            process.wait()


def dask(cwd, *arguments):
    quiet = subprocess.DEVNULL
    command = [sys.executable, "-m", "dask", *arguments]
    return subprocess.Popen(command, env=ENVIRONMENT, cwd=cwd, stdout=quiet, stderr=quiet)


def worker(cwd, address):
    return dask(cwd, "worker", address, "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1", "--no-dashboard")


def there(address, workers):
    """Wait for them."""
    from distributed import Client

    with Client(address, timeout=300, set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=300)


def test_a_cluster_gives_the_same_bytes(steady, expected):
    address, _ = steady
    found = geomrelu(*RUN, "--scheduler", address)
    assert (found.stdout, found.stderr, found.returncode) == (expected, "", 0)


def test_a_worker_of_the_cluster_dies(cluster, expected, tmp_path):
    address, processes = cluster
    path = tmp_path / "run.chunks"
    command = [sys.executable, "-m", "geomrelu", *RUN, "--scheduler", address, "--chunks", str(path)]
    run = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while run.poll() is None and (not path.exists() or path.read_bytes().count(b"\n") < 2):
        time.sleep(0.005)
    processes[2].kill()
    output, errors = run.communicate(timeout=300)
    assert output == expected, errors


# ---- every long command -----------------------------------------------------------------------------------------

PROBABILITY = ["probability", "alive", "--format", "json", "--seed", "6"]
SIMULATE = ["simulate", "--seed", "6", "-o"]
COMMANDS = {
    "alive": [*PROBABILITY, "--widths", "2,2,2,2", "--law", "uniform", "--orbits", "100"],
    "scheme": [*PROBABILITY, "--widths", "4,4,4", "--points", "9", "--scheme", "sign-flip", "--trials", "6000"],
    "half-width": [*PROBABILITY, "--widths", "1,2,2", "--domain", "box:-1,1", "--half-width", "0.01"],
    "figure-1": [
        *SIMULATE,
        "1.json",
        "figure-1",
        "--widths",
        "2,3",
        *["--networks", "70", "--points", "40", "--depth", "9"],
    ],
    "figure-2": [*SIMULATE, "2.json", "figure-2", *["--networks", "70", "--points", "40", "--depth", "9"]],
    "figure-5": [*SIMULATE, "5.json", "figure-5", "--widths", "2", "--share", "0.02"],
}


def printed_and_written(folder, *arguments):
    folder.mkdir()
    run = geomrelu(*arguments, cwd=folder)
    assert (run.stderr, run.returncode) == ("", 0)
    return run.stdout, {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_the_same_for_all_workers(steady, name, tmp_path):
    """One process, two, a scheduler with two workers, and kill -9 three times: the same bytes."""
    command = COMMANDS[name]
    expected = printed_and_written(tmp_path / "1", *command)
    assert expected[0] or expected[1]
    assert printed_and_written(tmp_path / "2", *command, "--workers", "2") == expected
    assert printed_and_written(tmp_path / "3", *command, "--scheduler", steady[0]) == expected

    kept = tmp_path / "kept"
    kept.mkdir()
    resumable = [*command, "--chunks", str(kept / "run")]

    def lines():
        return sum(path.read_bytes().count(b"\n") for path in kept.iterdir())

    seen = 0
    for _ in range(3):
        folder = tmp_path / f"killed {seen}"
        folder.mkdir(exist_ok=True)
        run = subprocess.Popen(
            [sys.executable, "-m", "geomrelu", *resumable],
            env=ENVIRONMENT,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        while run.poll() is None and lines() <= seen + 1:
            time.sleep(0.002)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        assert lines() >= seen
        seen = lines()
    assert seen > 1
    assert printed_and_written(tmp_path / "4", *resumable) == expected


def hard():
    """A network with neurons that need trees, and its box."""
    bench, _ = next(deep((4, 12, 12, 12, 1)))
    return bench.network, bench.domain


def decided(report):
    return [
        (v.layer, v.neuron, v.status, v.stable, v.supremum) for layer in report.layers.values() for v in layer.verdicts
    ]


@pytest.fixture
def only_trees(monkeypatch):
    """Everything is left to trees, which is what goes to workers."""
    monkeypatch.setattr("geomrelu.deadness.by_pieces.FEW_PIECES", 0)
    monkeypatch.setattr("geomrelu.deadness.by_search.is_cut", lambda domain: False)
    monkeypatch.setattr("geomrelu.deadness.by_search.SPROUT", 0)
    monkeypatch.setattr("geomrelu.deadness.by_search.MANY_PIECES", 0)


def test_a_cluster_decides_the_same(steady, tmp_path, only_trees):
    net, box = hard()
    here = decide(net, box)
    there = decide(net, box, scheduler=steady[0], certificates=tmp_path)
    assert decided(there) == decided(here) and there.check() == here.check()
    assert sum(len(json.loads(path.read_text())["claims"]) for path in tmp_path.glob("layer-*.json")) == there.check()


def test_a_worker_dies_while_the_cluster_decides(cluster, only_trees):
    address, processes = cluster
    net, box = hard()
    turns = []

    def progress(what, *_):
        if ", neuron " in what:
            turns.append(what)
            processes[2].kill()

    there = decide(net, box, scheduler=address, progress=progress)
    assert turns and processes[2].wait() is not None
    assert decided(there) == decided(decide(net, box))


def test_what_is_shared_outlives_the_workers_that_hold_it(cluster, tmp_path):
    address, processes = cluster
    value = list(range(1000))
    with workers_on(1, address) as (executor, _):
        sent = shared(executor, value)
        assert shared(executor, value) is sent
        assert executor.submit(sum, sent).result() == sum(value)
        for process in processes[1:]:
            process.kill()
            process.wait()
        processes.append(worker(tmp_path, address))
        assert executor.submit(sum, sent).result(timeout=300) == sum(value)


def test_a_cluster_prunes_verifies_and_counts_the_same(steady, tmp_path):
    net, box = hard()
    model, domain = tmp_path / "net.json", tmp_path / "box.json"
    model.write_text(net.to_json())
    domain.write_text(
        json.dumps({"box": [[str(v) for v in side] for side in zip(box.checked.lower, box.checked.upper, strict=True)]})
    )
    smaller = []
    for k, more in enumerate(([], ["--scheduler", steady[0]])):
        out = tmp_path / f"{k}.json"
        found = geomrelu("prune", str(model), "--domain", str(domain), "-o", str(out), *more)
        assert found.returncode == 0, found.stderr
        smaller.append(out.read_bytes())
    assert smaller[0] == smaller[1]
    labels = ["point-half"]
    said = [geomrelu("verify", *labels, "--format", "json", *more) for more in ([], ["--scheduler", steady[0]])]
    assert [run.returncode for run in said] == [0, 0], said[1].stderr

    def statuses(run):
        return [(claim["label"], claim["status"]) for claim in json.loads(run.stdout)]

    assert statuses(said[0]) == statuses(said[1])
    counted = ["regions", str(model), "--domain", str(domain), "--layers", "2", "--format", "json"]
    said = [geomrelu(*counted, *more) for more in ([], ["--scheduler", steady[0]])]
    assert said[0].stdout == said[1].stdout


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "127.0.0.1:1", "tcp://127.0.0.1:99999"])
def test_nothing_answers(address):
    pytest.importorskip("distributed")
    found = geomrelu(*RUN, "--scheduler", address)
    assert found.returncode == 2 and found.stdout == ""
    assert found.stderr.startswith("geomrelu: error: no Dask scheduler answers at ") and found.stderr.count("\n") == 1


def test_something_else_answers():
    pytest.importorskip("distributed")
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = geomrelu(*RUN, "--scheduler", f"tcp://127.0.0.1:{server.getsockname()[1]}")
    assert found.returncode == 2 and found.stdout == ""
    assert found.stderr.startswith("geomrelu: error: no Dask scheduler answers at ") and found.stderr.count("\n") == 1


@pytest.mark.parametrize("address", ["nonsense", "tcp://", "ftp://127.0.0.1:9", ""])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(InputError, match="not the address"), workers_on(1, address):
        pass
