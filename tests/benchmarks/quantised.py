"""Dead neurons of quantised networks: range analysis by intervals beside all methods of geomrelu, on the same files.

    python tests/benchmarks/quantised.py [FOLDER] [--seconds 60] [--radius 0.03] [--only NAME]

FOLDER holds real networks in float (default: $GEOMRELU_SHARED, or `shared` beside the checkout). Each is quantised by
onnxruntime, calibrated on random data, and judged on a box. Range analysis here is that of whole numbers, with each end
rounded exactly: what a tool that propagates intervals can find at most.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
from onnx import version_converter

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from quantised_models import How, quantise

from geomrelu.deadness import quantised_report
from geomrelu.deadness.verdict import Status
from geomrelu.geometry.domains import read_domain
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.front_door import load_judged
from geomrelu.network.quantised import WholeNumbers

MODELS = [
    ("mnist_256x2.onnx", "mnist_prop_0_0.03.vnnlib"),
    ("mnist_cnn.onnx", "mnist_cnn_image0.vnnlib"),
]
HEAD = (
    "model         quantised        box   layer neurons dead by intervals, by all  alive  open  seconds: intervals, all"
)
HOWS = [("QDQ int8", How()), ("QOperator uint8", How(qdq=False, signed=False))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", default=os.environ.get("GEOMRELU_SHARED"))
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--only", default="")
    parser.add_argument("--radius", type=float, action="append", help="of boxes around the middle of the file's box")
    options = parser.parse_args()
    folder = Path(options.folder or Path(__file__).resolve().parents[3] / "shared") / "networks"
    logging.basicConfig(level=logging.ERROR)
    print(HEAD)
    for name, domain in MODELS:
        if options.only in name:
            for said, how in HOWS:
                for radius in options.radius or [None]:
                    row(folder / name, folder / domain, said, how, radius, options.seconds)


def row(path: Path, domain: Path, said: str, how: How, radius: float | None, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        network, box = quantised_network(path, domain, how, Path(temporary), radius)
    start = time.perf_counter()
    whole = WholeNumbers(network, box)
    by_intervals = time.perf_counter() - start
    found = Counter[int]()
    for layer in network.judged:
        found[layer] = int((whole.bounds[layer][1] <= 0).sum())
    asked = {layer: range(network.widths[layer - 1]) for layer in network.judged}
    start = time.perf_counter()
    report = quantised_report.decide(network, box, asked, seconds)
    everything = time.perf_counter() - start
    for layer in report:
        count = Counter(v.status for v in layer.verdicts)
        numbers = [count[status] for status in (Status.DEAD, Status.ALIVE, Status.UNDECIDED)]
        print(
            f"{path.stem:<13} {said:<16} {radius or 'file':<6} {layer.layer:>4} {layer.width:>7} "
            f"{found[layer.layer]:>17} {numbers[0]:>7} {numbers[1]:>6} {numbers[2]:>5} {by_intervals:>18.1f} "
            f"{everything:>4.0f}",
            flush=True,
        )


def quantised_network(path: Path, domain: Path, how: How, folder: Path, radius: float | None):  # type: ignore[no-untyped-def]
    model = version_converter.convert_version(onnx.load(path), 13)
    given = next(i for i in model.graph.input if i.name not in {t.name for t in model.graph.initializer})
    shape = [d.dim_value or 1 for d in given.type.tensor_type.shape.dim]
    size = int(np.prod(shape))
    box = read_domain(str(domain), size)
    assert isinstance(box, Polyhedron)
    low, high = (np.array([float(v) for v in side]) for side in (box.checked.lower, box.checked.upper))
    if radius is not None:
        middle = (low + high) / 2
        box = Polyhedron.box([(max(float(m) - radius, 0.0), min(float(m) + radius, 1.0)) for m in middle])
    rng = np.random.default_rng(0)
    middle = (low + high) / 2
    data = np.clip(middle + rng.uniform(-0.2, 0.2, (64, size)), 0, 1).astype(np.float32)  # images like the one there
    quantised = quantise(model, folder / path.name, how, [{given.name: row.reshape(shape)} for row in data])
    return load_judged(quantised), box


if __name__ == "__main__":
    main()
