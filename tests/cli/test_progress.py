"""What a terminal shows while neurons are decided, and the one line on Ctrl-C."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import pytest

from geomrelu.budget import Budget
from geomrelu.cli import shared
from geomrelu.cli.shared import clock, decided, progress_bar
from geomrelu.deadness.verdict import LayerReport, Status, Verdict
from geomrelu.network.network import Network

pytestmark = pytest.mark.slow
LIMIT = 120.0  # seconds: between "ends" and "never ends"


@pytest.fixture(scope="module")
def hard(tmp_path_factory):
    """Six layers of 60 on a box of eight inputs: hours of work."""
    rng = np.random.default_rng(0)
    sizes, layers = [8, 60, 60, 60, 60, 60, 60], []
    for n, m in pairwise(sizes):
        layers.append((rng.normal(size=(m, n)) * np.sqrt(2 / n), rng.normal(size=m) * 0.1 - 0.3, "relu"))
    path = tmp_path_factory.mktemp("hard") / "hard.npz"
    Network.from_layers(layers).save(path)
    return path


def on_a_terminal(arguments, until, columns=160):
    """Run the command with a terminal for its errors; interrupt it when the pattern is seen."""
    master, slave = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": str(columns)}
    process = subprocess.Popen(
        [sys.executable, "-m", "geomrelu", *map(str, arguments)], stdout=subprocess.PIPE, stderr=slave, env=environment
    )
    os.close(slave)
    shown, end, sent = "", time.monotonic() + LIMIT, False
    try:
        while time.monotonic() < end:
            if select.select([master], [], [], 1.0)[0]:
                try:
                    new = os.read(master, 65536)
                except OSError:  # the other end is closed
                    break
                if not new:
                    break
                shown += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", new.decode("utf-8", "replace"))
            if not sent and re.search(until, shown):
                process.send_signal(signal.SIGINT)
                sent = True
        out = process.communicate(timeout=LIMIT)[0].decode()
    finally:
        process.kill()
        os.close(master)
    assert sent, shown[-2000:]
    return out, shown, process.returncode


def test_a_narrow_terminal_takes_one_line(hard):
    """What is least needed gives way: the bar, not the time that is left."""
    arguments = ["decide", hard, "--domain", "box:-1,1", "--time", "3600"]
    assert on_a_terminal(arguments, r"/360, [\d,]+ open [^\r\n]*at most (1:00:00|\d\d:\d\d) left", 60)[2] == 130


@pytest.mark.parametrize("command", ["decide", "prune"])
def test_open_neurons_time_left_and_one_line_at_the_end(hard, command, tmp_path):
    more = ["-o", tmp_path / "small.json"] if command == "prune" else []
    arguments = [command, hard, "--domain", "box:-1,1", "--time", "3600", "--certificates", tmp_path / "proofs", *more]
    out, shown, code = on_a_terminal(arguments, r"[1-9][\d,]*/360, [\d,]+ open .*at most (1:00:00|\d\d:\d\d) left")
    assert code == 130
    counts = [(int(a), int(b)) for a, b in re.findall(r"(\d+)/360, (\d+) open", shown)]
    assert all(done + left == 360 for done, left in counts)
    line = shown.rstrip().splitlines()[-1].strip()
    found = re.search(
        r"geomrelu: interrupted; (\d+) of 360 neurons are decided, (\d+) dead and (\d+) alive; "
        r"the same command goes on from what is in \S+$",
        line,
    )
    assert found, line
    settled, dead, alive = map(int, found.groups())
    assert settled == dead + alive >= max(done for done, _ in counts) > 0
    assert "Traceback" not in shown + out
    if command == "decide":
        assert sum(int(n) for n in re.findall(r"neurons: (\d+) dead", out)) == dead
    else:
        assert out == "" and not (tmp_path / "small.json").exists()


def test_the_line_counts_what_is_decided():
    verdicts = [Verdict(1, i, s, None, None, "") for i, s in enumerate([Status.DEAD, Status.ALIVE, Status.UNDECIDED])]
    layers = [LayerReport(1, 3, tuple(verdicts), [])]
    assert decided(layers, 7, None) == "2 of 7 neurons are decided, 1 dead and 1 alive"
    assert decided(layers, 7, "d").endswith("; the same command goes on from what is in d")


def test_a_clock_and_no_terminal(capsys):
    assert [clock(s) for s in (0, 0.2, 59.1, 60, 3599.5, 3661)] == [
        "0:00",
        "0:01",
        "1:00",
        "1:00",
        "1:00:00",
        "1:01:01",
    ]
    with progress_bar("deciding", Budget(5)) as (advance, clear):
        advance("layer 1", 1, 2)
        clear()
    assert capsys.readouterr() == ("", "")


def test_what_takes_long_says_so_after_a_moment(monkeypatch):
    shown, said = [], threading.Event()

    @contextmanager
    def bar(what):
        yield (lambda *_: (shown.append(what), said.set())), None
        shown.append("over")

    monkeypatch.setattr(shared, "progress_bar", bar)
    with shared.waiting("short"):
        pass
    monkeypatch.setattr(shared, "SOON", 0.01)
    with shared.waiting("long"):
        assert said.wait(LIMIT)
    assert shown == ["over", "long", "over"]
