"""Are budgets kept? Every command that takes one, on every real network: ``python tests/benchmarks/budgets.py FOLDER``.

Each runs as a process of its own with ``--time SECONDS`` (default 10) and should end within 5 % and 5 seconds of that.
Printed: seconds on the clock and of the processors, the load of the machine meanwhile (the mean of the last minute),
what was decided, and LATE where it was late. On a machine with more load than processors the clock says as much about
the others as about us.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DOMAINS = {  # of the networks whose domain has another name
    "acasxu_1_1": "acasxu_full_domain.vnnlib",
    "acasxu_2_1": "acasxu_full_domain.vnnlib",
    "acasxu_3_3": "acasxu_full_domain.vnnlib",
    "mnist_256x2": "mnist_prop_0_0.03.vnnlib",
    "mnist_cnn": "mnist_cnn_image0.vnnlib",
    "real/cnn_max_mnist": "box:0,1",
    "real/softmax_last_layer": "box:0,1",
}


def commands(folder, name, scratch):
    """Name, arguments, and the file or directory each writes."""
    model = folder / f"{name}.onnx"
    domain = DOMAINS.get(name, f"{name}.vnnlib")
    domain = domain if domain.startswith("box:") else str(folder / domain)
    workers = ["--workers", "2"]
    yield "decide", ["decide", model, "--domain", domain, "--format", "json"]
    yield "decide -w2", ["decide", model, "--domain", domain, "--format", "json", *workers]
    kept = ["--certificates", scratch / "certificates"]
    yield "decide kept", ["decide", model, "--domain", domain, "--format", "json", *workers, *kept]
    yield "decide again", ["decide", model, "--domain", domain, "--format", "json", *workers, *kept]
    proof = ["--report", "--certificate", scratch / "proof.json"]
    yield "prune", ["prune", model, "--domain", domain, "-o", scratch / "smaller.json", *proof, *workers]
    yield "prune again", ["prune", model, "--domain", domain, "-o", scratch / "smaller.json", *proof, *kept]
    yield "regions", ["regions", model, "--domain", domain]


def run(arguments, seconds, most):
    """(exit code or None if it was ended, seconds on the clock, seconds of processors, what it printed)."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, "-m", "geomrelu", *map(str, arguments), "--time", str(seconds)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        said, complaints = process.communicate(timeout=most)
        code = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, complaints = process.communicate()
        code = None
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return code, time.monotonic() - begun, cpu, said if code in (0, 3) else complaints


def summary(said):
    """What was decided, or the last line."""
    try:
        found = [n["status"] for layer in json.loads(said)["layers"] for n in layer["neurons"]]
    except (ValueError, LookupError):
        return (said.strip().splitlines() or [""])[-1][-70:]
    return f"{sum(s != 'undecided' for s in found)} of {len(found)}, {found.count('dead')} dead"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="with the real networks (.onnx) and their domains")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--most", type=float, help="seconds after which a run is ended; default: 10 times the budget")
    parser.add_argument("--networks", nargs="*", help="parts of their names; default: all")
    parser.add_argument("--commands", nargs="*", help="their names as printed; default: all")
    options = parser.parse_args()
    late = 0
    for path in sorted(options.folder.rglob("*.onnx")):
        name = str(path.relative_to(options.folder).with_suffix(""))
        if options.networks and not any(part in name for part in options.networks):
            continue
        with tempfile.TemporaryDirectory() as scratch:
            for what, arguments in commands(options.folder, name, Path(scratch)):
                if options.commands and what not in options.commands:
                    continue
                code, clock, cpu, said = run(arguments, options.seconds, options.most or 10 * options.seconds + 60)
                over = clock > 1.05 * options.seconds + 5 or code is None
                late += over
                print(
                    f"{name:26} {what:13} {'ended' if code is None else code!s:>5} {clock:7.1f} s {cpu:7.1f} s CPU  "
                    f"load {os.getloadavg()[0]:4.1f}  {'LATE' if over else '    '}  {summary(said)}",
                    flush=True,
                )
    print(f"{late} late")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
