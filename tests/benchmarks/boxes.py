"""Trees of boxes with the compiled kernel, without it, and at another commit: seconds of the processor.

``python tests/benchmarks/boxes.py FOLDER [--against CHECKOUT] [--boxes 4000]``: FOLDER holds the real networks,
CHECKOUT is a work tree of another commit (``git worktree add /tmp/old 956af44``). Each tree grows until it is a proof
or has so many boxes, in a process of its own, found and judged. Seconds of the processor are what a busy machine
changes least.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

TREES = (
    ("acasxu_1_1", 3, 47),
    ("acasxu_1_1", 4, 14),
    ("acasxu_2_1", 3, 41),
    ("acasxu_2_1", 4, 6),
    ("acasxu_3_3", 5, 13),
    ("acasxu_3_3", 6, 29),
)
HERE = Path(__file__).parents[2]


def grow(folder: Path, name: str, level: int, neuron: int, most: int) -> None:
    """In this process: prints boxes, seconds, and the share of the domain on which the neuron is bounded."""
    import time

    from geomrelu import Network, read_domain

    try:
        from geomrelu.deadness.branch_and_bound import Growth, Tree
        from geomrelu.deadness.workers import Bench, turn
    except ImportError:  # before there were rooms
        from geomrelu.branching import Growth, Tree  # type: ignore[no-redef]
        from geomrelu.workshop import Bench, turn  # type: ignore[no-redef]
    network = Network.from_file(folder / f"{name}.onnx")
    bench = Bench(network, read_domain(str(folder / "acasxu_full_domain.vnnlib"), network.inputs))
    tree = Tree(bench.floating, level, neuron)
    start = time.process_time()
    while not tree.done and tree.point is None and not tree.failed and tree.boxes < most:
        tree.merge(turn(bench, Growth(tree, tree.take(len(tree.parts))), min(1000, most - tree.boxes), None))
    print(tree.boxes, time.process_time() - start, tree.closed)


def measured(checkout: Path, kernel: str, *arguments: str) -> tuple[int, float, float]:
    """The same in another process."""
    environment = os.environ | {"PYTHONPATH": str(checkout), "GEOMRELU_COMPILED": kernel, "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, __file__, *arguments, "--here"]
    boxes, seconds, closed = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    ).stdout.split()
    return int(boxes), float(seconds), float(closed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("tree", nargs="*", help="network, layer, neuron; default: all")
    parser.add_argument("--against", type=Path)
    parser.add_argument("--boxes", type=int, default=4000)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    trees = [tuple(options.tree)] if options.tree else TREES
    if options.here:
        ((name, level, neuron),) = trees
        grow(options.folder, name, int(level), int(neuron), options.boxes)
        return
    ways = [("compiled", HERE, "yes"), ("NumPy", HERE, "no")]
    ways += [("other commit", options.against, "no")] if options.against else []
    print("| tree | " + " | ".join(f"{name}: boxes, s, bounded on" for name, *_ in ways) + " |")
    for tree in trees:
        cells = []
        for _, checkout, kernel in ways:
            arguments = [str(options.folder), *map(str, tree), "--boxes", str(options.boxes)]
            boxes, seconds, closed = measured(checkout, kernel, *arguments)
            cells.append(f"{boxes}, {seconds:.2f}, {100 * closed:.3g} %")
        print(f"| {tree[0]} {tree[1]}:{tree[2]} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
