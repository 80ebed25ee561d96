"""Are budgets kept on large networks, and in how much memory? ``python tests/benchmarks/late.py [NAME ...]``.

Every command that takes a budget, on random networks with tens of thousands of neurons (those of ``large.py`` and some
more; ``million`` is only read), each in a process of its own. Printed: the exit code; seconds of computing after the
end of the budget, workers included, which a busy machine does not change much; seconds on the clock; the most memory
of one process; and LATE where more than 5 % and 5 seconds of computing came after the end.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from large import MAKERS, Graph, dense

CLOCK = os.sysconf("SC_CLK_TCK")


def image(path: Path, side: int, *channels: int, step: int = 2) -> None:
    """Convolutions, from the second on with a stride, then a layer of 256."""
    graph, value = Graph(3, side, side), "x"
    for position, (read, write) in enumerate(zip((3, *channels[:-1]), channels, strict=True)):
        stride = 1 if position == 0 else step
        value = graph.add(
            "Relu",
            graph.add("Conv", value, graph.normal(write, read, 3, 3), pads=[1, 1, 1, 1], strides=[stride, stride]),
        )
        side = (side - 1) // stride + 1
    flat = graph.add("Flatten", value)
    value = graph.add("Relu", graph.add("Gemm", flat, graph.normal(256, channels[-1] * side * side), transB=1))
    graph.save(path, graph.add("Gemm", value, graph.normal(10, 256), transB=1))


def filters(path: Path, side: int, channels: int) -> None:
    """One convolution."""
    graph = Graph(1, side, side)
    graph.save(path, graph.add("Relu", graph.convolution("x", channels, 1)))


MODELS: dict[str, Callable[[Path], None]] = {
    "image": lambda path: image(path, 64, 8, 16, 32, 32),  # 59,648 neurons
    "heavy": lambda path: image(path, 32, 30, 30, step=1),  # 61,696, with 17 million weights
    "filters": lambda path: filters(path, 128, 16),  # 262,144
    "residual": MAKERS["residual"],  # 49,152
    "wide": lambda path: dense(path, 64, 16384, 256, 10),
    "narrow": lambda path: dense(path, 64, *[256] * 40, 10),  # 10,240 in 40 layers
    "plane": lambda path: dense(path, 2, 8192, 2048, 10),
    "thin": lambda path: dense(path, 6, 200, 8),  # hard on R^6_+
    "million": lambda path: filters(path, 256, 16),  # 1,048,576
}


def commands(folder: Path, model: Path, inputs: int) -> Iterator[tuple[str, list[object]]]:
    """Names and arguments."""
    given: list[object] = [model, "--domain", "box:0,1"]
    data = folder / "data.npy"
    np.save(data, np.random.default_rng(1).random((20, inputs), dtype=np.float32))
    center = folder / "center.npy"
    np.save(center, np.full(inputs, 0.5))
    ball = [model, "--domain", f"ball:0.1@{center}"]
    kept = ["--certificates", folder / "kept"]
    yield "inspect", ["inspect", model]
    yield "convert", ["convert", model, "-o", folder / "converted.json"]
    yield "decide", ["decide", *given]
    yield "decide json", ["decide", *given, "--format", "json"]
    yield "decide workers", ["decide", *given, "--workers", "2"]
    yield "decide kept", ["decide", *given, *kept]
    yield "decide again", ["decide", *given, *kept]
    yield "decide report", ["decide", *given, "--report", folder / "page"]
    for kind in ("npz", "json", "csv"):
        yield f"ranges {kind}", ["decide", *given, "--ranges", folder / f"ranges.{kind}"]
    yield "float32", ["decide", *given, "--arithmetic", "float32"]
    yield "all of it", [
        "decide", *given, "--arithmetic", "float32", "--ranges", folder / "both.npz", "--report", folder / "all",
        "--certificates", folder / "all-kept",
    ]  # fmt: skip
    yield "ball", ["decide", *ball]
    yield "orthant", ["decide", model, "--domain", "R+^n"]
    yield "points", ["decide", model, "--domain", data]
    yield "data", ["decide", model, "--data", data]
    for kind in ("onnx", "json", "npz"):
        yield f"prune {kind}", ["prune", *given, "-o", folder / f"smaller.{kind}"]
    yield "prune proof", [
        "prune", *given, "-o", folder / "proved.onnx", "--certificate", folder / "proof.json", *kept
    ]  # fmt: skip
    yield "check", ["check", *sorted((folder / "kept").glob("layer-*.json"))[:8], "--model", model, *given[1:]]
    yield "regions", ["regions", *given]
    yield "zeros", ["zeros", model, f"--line={','.join(['1/2'] * inputs + ['1'] * inputs)}"]
    yield "dimension", ["dimension", model]
    if inputs == 2:
        yield "plot", ["plot", "complex", model, "-o", folder / "pieces.svg", *given[1:]]


@dataclass(frozen=True)
class Run:
    """What a process did; ``code`` None: it was ended."""

    code: int | None
    late: float
    wall: float
    megabytes: float
    said: str
    complaints: str


def _used(session: int) -> float:
    """Seconds of the processor that the processes of a session have used, and those that these have waited for."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            total += sum(map(int, fields[11:15]))
    return total / CLOCK


def run(arguments: list[object], seconds: float, tree: Path, most: float) -> Run:
    """One command in a session of its own."""
    command = [sys.executable, "-m", "geomrelu", *map(str, arguments)]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        begun = time.monotonic()
        process = subprocess.Popen(command, stdout=out, stderr=err, start_new_session=True, cwd=tree)
        at_end, ended = None, False
        while True:  # to wait with a limit would lose what the process has used
            pid, status, used = os.wait4(process.pid, os.WNOHANG)
            passed = time.monotonic() - begun
            if pid:
                break
            if at_end is None and passed >= seconds:
                at_end = _used(process.pid)
            if passed > most and not ended:
                os.killpg(process.pid, signal.SIGKILL)
                ended = True
            time.sleep(0.02)
        process.returncode = os.waitstatus_to_exitcode(status)
        late = 0.0 if at_end is None else used.ru_utime + used.ru_stime - at_end
        out.seek(0), err.seek(0)
        code = None if ended else process.returncode
        return Run(code, late, passed, used.ru_maxrss / 1024, out.read(), err.read())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(MODELS), help="%(default)s")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--most", type=float, default=300, help="seconds after which a run is ended")
    parser.add_argument("--commands", nargs="*", help="parts of their names as printed; default: all")
    parser.add_argument("--tree", type=Path, default=Path(__file__).parents[2])
    parser.add_argument("--folder", type=Path, help="where files go and stay; default: nowhere")
    options = parser.parse_args()
    print(f"| network | command | code | CPU s after {options.seconds:g} s | wall s | MB | |")
    print("|---|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        for name in options.names:
            folder = (options.folder or Path(scratch)) / name
            folder.mkdir(parents=True, exist_ok=True)
            model = folder / f"{name}.onnx"
            if not model.exists():
                MODELS[name](model)
            inputs = {
                "image": 12288,
                "heavy": 3072,
                "filters": 16384,
                "residual": 3072,
                "million": 65536,
                "plane": 2,
                "thin": 6,
            }.get(name, 64)
            for what, arguments in commands(folder, model, inputs):
                if options.commands and not any(part in what for part in options.commands):
                    continue
                if name == "million" and what not in ("inspect", "convert", "decide", "decide json"):
                    continue
                found = run(
                    [*arguments, *(() if what in UNTIMED else ("--time", options.seconds))],
                    options.seconds, options.tree.resolve(), options.most,
                )  # fmt: skip
                over = found.late > 0.05 * options.seconds + 5 or found.code is None
                last = " ".join((found.complaints.strip().splitlines() or [""])[-1].split())[-90:]
                print(
                    f"| {name} | {what} | {found.code} | {found.late:.1f} | {found.wall:.1f} | {found.megabytes:.0f} | "
                    f"{'LATE ' if over and what not in UNTIMED else ''}{last} |",
                    flush=True,
                )


UNTIMED = ("inspect", "convert")

if __name__ == "__main__":
    main()
