"""Beside alpha-CROWN of auto_LiRPA, in one run on one machine: who proves which neurons dead, and how long it takes.

python tests/benchmarks/alpha_crown.py MODEL.onnx DOMAIN.vnnlib [--python VENV/bin/python] [--iterations 20]

``--python``: an interpreter with torch and auto_LiRPA (github.com/Verified-Intelligence/auto_LiRPA), if this one has
none. It bounds the last layer, and on the way to it all others, in floats with slopes of their own, on as many
threads as we have workers; it is timed as a whole process, and without its imports and reading the layers. We are
timed as a whole process, which reads ONNX and VNN-LIB, by when the last neuron that it has proved was proved.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WORKERS = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("domain")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--started", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--part", choices=("theirs", "ours"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part == "theirs":
        theirs(Path(options.model), options.iterations)
        return
    if options.part == "ours":
        ours(options.model, options.domain, options.seconds, options.started)
        return
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "network.npz"
        write(options.model, options.domain, data)
        beginning = [__file__, str(data), options.domain]
        begun = time.time()
        found = run([options.python, *beginning, "--part", "theirs", "--iterations", str(options.iterations)])
        found["process"] = time.time() - begun
    started = time.time()
    beginning = [sys.executable, __file__, options.model, options.domain, "--part", "ours"]
    shown = run([*beginning, "--seconds", str(options.seconds), "--started", repr(started)])
    report(found, shown)


def run(command: list[str]) -> dict:
    """What a process says in its last line."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def write(model: str, domain: str, target: Path) -> None:
    """The layers as dense matrices, and the box: what the other side reads."""
    import numpy as np

    from geomrelu.deadness.relaxation import FloatNetwork
    from geomrelu.geometry.domains import as_domain
    from geomrelu.network.front_door import as_network

    network = as_network(model)
    floating = FloatNetwork(network, as_domain(domain, network.inputs))
    layers = floating.dense(network.depth)
    if layers is None:
        sys.exit("the layers are not dense, each reading the one before")
    arrays = {f"{name}{k}": part for k, layer in enumerate(layers) for name, part in zip("wb", layer, strict=True)}
    np.savez(target, lower=floating.lower, upper=floating.upper, **arrays)


def theirs(path: Path, iterations: int) -> None:
    import numpy as np
    import torch
    from auto_LiRPA import BoundedModule, BoundedTensor, PerturbationLpNorm

    torch.set_num_threads(WORKERS)
    data = np.load(path)
    depth = sum(name.startswith("w") for name in data.files)
    lower, upper = (torch.tensor(data[name], dtype=torch.float32)[None] for name in ("lower", "upper"))
    layers: list[torch.nn.Module] = []
    for k in range(depth):
        weights, bias = (torch.tensor(data[f"{name}{k}"], dtype=torch.float32) for name in "wb")
        linear = torch.nn.Linear(weights.shape[1], weights.shape[0])
        linear.weight.data, linear.bias.data = weights, bias
        layers += [torch.nn.ReLU(), linear] if k else [linear]
    started = time.perf_counter()
    module = BoundedModule(torch.nn.Sequential(*layers), (lower + upper) / 2, device="cpu", verbose=False)
    module.set_bound_opts({"optimize_bound_args": {"iteration": iterations}})
    x = BoundedTensor((lower + upper) / 2, PerturbationLpNorm(norm=float("inf"), x_L=lower, x_U=upper))
    high = module.compute_bounds(x=(x,), method="alpha-CROWN")[1]
    uppers = [node.inputs[0].upper for node in module.nodes() if type(node).__name__ == "BoundRelu"] + [high]
    dead = {level: torch.nonzero(one[0] < 0)[:, 0].tolist() for level, one in enumerate(uppers, 1)}
    print(json.dumps({"seconds": time.perf_counter() - started, "dead": dead}))


def ours(model: str, domain: str, seconds: float, started: float) -> None:
    """Dead neurons, and when each of them was known."""
    import geomrelu.deadness.decide as chooser
    from geomrelu.deadness.front_door import decide
    from geomrelu.deadness.verdict import Status

    when: dict[str, float] = {}
    take = chooser._Run._take

    def timed(self, verdicts, layers):  # type: ignore[no-untyped-def]
        def noted():  # type: ignore[no-untyped-def]
            for verdict in verdicts:
                if verdict.status is Status.DEAD:
                    when[f"{verdict.layer} {verdict.neuron}"] = time.time() - started
                yield verdict

        return take(self, noted(), layers)

    chooser._Run._take = timed  # type: ignore[method-assign]
    decide(model, domain, time=seconds, workers=WORKERS)
    print(json.dumps({"seconds": time.time() - started, "when": when}))


def report(found: dict, shown: dict) -> None:
    when = {tuple(map(int, key.split())): at for key, at in shown["when"].items()}
    print("| layer | alpha-CROWN: dead | geomrelu: dead | of those of alpha-CROWN | the last of these after s |")
    print("|---|---|---|---|---|")
    latest, missing = 0.0, 0
    for level, neurons in ((int(level), neurons) for level, neurons in found["dead"].items()):
        own = [when[level, i] for i in neurons if (level, i) in when]
        latest, missing = max([latest, *own]), missing + len(neurons) - len(own)
        count = sum(layer == level for layer, _ in when)
        print(f"| {level} | {len(neurons)} | {count} | {len(own)} | {max(own, default=0):.1f} |")
    print(f"alpha-CROWN: {found['process']:.1f} s, {found['seconds']:.1f} s without imports.")
    print(f"geomrelu: all of its but {missing} after {latest:.1f} s,")
    print(f"{len(when)} dead after {shown['seconds']:.1f} s.")


if __name__ == "__main__":
    main()
