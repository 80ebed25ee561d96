"""Every neuron of whole real networks: ``python tests/benchmarks/whole.py FOLDER [NAME ...] [--seconds 60]``.

Each runs as ``geomrelu decide --workers 2 --time SECONDS`` in a process of its own. Printed as a table, with machine,
date, commit and load: how many neurons were decided, how many are dead, of how many of these it is known whether
stably, seconds on the clock and of the processors (workers included), and the most memory of one process.
``--tree DIR`` runs the code of another checkout; ``--row`` cuts each box by a row: the sum of the inputs is at most
what it is in the middle.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from budgets import DOMAINS

from geomrelu.geometry.domains import read_any

REAL = "metaroom_4cnn linearizenn_10_10 oval21_base cifar10_resnet_2b collins_rul_full_40 tll_16 acc_net_1 mnist_256x6"
HEAD = "| network | neurons | decided | dead | stable or not | wall s | CPU s | MB |\n|---|---|---|---|---|---|---|---|"
NAMES = [*(f"real/{name}" for name in REAL.split()), "real/sri_resnet_a", "mnist_256x2"]


def cut(path: str, where: Path) -> str:
    """The box of a file and a row, as a file."""
    box = read_any(path).checked
    middle = sum((low + high) / 2 for low, high in zip(box.lower, box.upper, strict=True))
    sides = [[str(low), str(high)] for low, high in zip(box.lower, box.upper, strict=True)]
    target = where / "cut.json"
    target.write_text(json.dumps({"box": sides, "inequalities": [[str(middle), *[-1] * box.dimension]]}))
    return str(target)


def run(folder: Path, name: str, seconds: float, tree: Path, suffix: str = ".onnx", row: Path | None = None) -> str:
    """One line of the table."""
    folder = folder.resolve()
    domain = DOMAINS.get(name, f"{name}.vnnlib")
    domain = domain if domain.startswith("box:") else str(folder / domain)
    domain = domain if row is None else cut(domain, row)
    command = [sys.executable, "-m", "geomrelu", "decide", str(folder / f"{name}{suffix}"), "--domain", domain]
    command += ["--time", str(seconds), "--workers", "2", "--format", "json"]
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with tempfile.TemporaryFile() as out:
        # in its own folder, for Python looks there first
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL, cwd=tree)
        _, _, used = os.wait4(child.pid, 0)
        wall = time.monotonic() - begun
        out.seek(0)
        found = json.load(out)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    neurons = [neuron for layer in found["layers"] for neuron in layer["neurons"]]
    count = Counter(neuron["status"] for neuron in neurons)
    settled = sum(neuron["status"] == "dead" and neuron.get("stable") is not None for neuron in neurons)
    decided = len(neurons) - count["undecided"]
    line = f"| {name} | {len(neurons)} | {decided} | {count['dead']} | {settled} | {wall:.1f} | {cpu:.1f} |"
    return f"{line} {used.ru_maxrss / 1024:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--tree", type=Path, default=Path(__file__).parents[2])
    parser.add_argument("--row", action="store_true")
    options = parser.parse_args()
    commit = subprocess.run(["git", "-C", options.tree, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    said = (
        f"{platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, {time.strftime('%Y-%m-%d')}"
    )
    print(f"{said}, commit {commit.stdout.strip()}; --time {options.seconds:g} --workers 2\n")
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory() as where:
        for name in options.names:
            row = Path(where) if options.row else None
            print(run(options.folder, name, options.seconds, options.tree.resolve(), row=row), flush=True)


if __name__ == "__main__":
    main()
