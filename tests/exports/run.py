"""Read random models that other programs wrote: ``python tests/exports/run.py --count 200 --seed 0``.

For each kind: how many models were read equal to the program that wrote them (outputs and pre-activations), how many
were refused, and why; beside them, what could not be written. Exit code 1 if one was read differently. Kinds whose
program is not installed are left out, saying so.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import count
from pathlib import Path

if __name__ == "__main__":  # run as a file: the tests' own modules stand beside and above it
    sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

from exports.kinds import KINDS, Different, Outcome, missing

OUTCOMES = ("equal", "refused", "different", "not made")


def outcomes(kind: str, first: int, models: int) -> Iterator[tuple[int, Outcome]]:
    """What comes out for a seed, and those after it, until so many models were written."""
    for seed in count(first):
        if models <= 0:
            return
        with tempfile.TemporaryDirectory() as folder:
            try:
                found = KINDS[kind](seed, Path(folder))
            except Different as problem:
                found = "different", str(problem)
        models -= found[0] != "not made"
        yield seed, found


def interruptible(found: Iterator[tuple[int, Outcome]]) -> Iterator[tuple[int, Outcome]]:
    """What has been found when Ctrl-C is pressed still counts."""
    try:
        yield from found
    except KeyboardInterrupt:
        print("interrupted: the table counts what was done", flush=True)


def main() -> int:
    """Run and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--count", type=int, default=200, help="models of each kind that are written and read, default %(default)s"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the first; the others follow")
    parser.add_argument("--kind", action="append", choices=KINDS, help="only this one; may be given again")
    options = parser.parse_args()
    os.environ.setdefault("KERAS_BACKEND", "torch")
    if "torch" in sys.modules or not missing("torch module"):
        import torch

        torch.set_num_threads(1)
    table, wrong = [], 0
    for kind in options.kind or KINDS:
        if lacks := missing(kind):
            print(f"{kind}: left out, as {', '.join(lacks)} is not installed")
            continue
        counts, reasons, begun = Counter(), defaultdict(list), time.monotonic()
        for seed, (what, why) in interruptible(outcomes(kind, options.seed, options.count)):
            counts[what] += 1
            if what != "equal":
                reasons[what, why].append(seed)
            if what == "different":
                print(f"{kind}: seed {seed} is read differently: {why}", flush=True)
        wrong += counts["different"]
        table.append((kind, *(counts[what] for what in OUTCOMES), time.monotonic() - begun))
        for (what, why), seeds in sorted(reasons.items(), key=lambda item: -len(item[1])):
            print(f"{kind}: {what} {len(seeds)} (seed {', '.join(map(str, seeds[:5]))}): {why}", flush=True)
    print(f"{'kind':<14}" + "".join(f"{what:>10}" for what in OUTCOMES) + f"{'seconds':>9}")
    for kind, *counts, seconds in table:
        print(f"{kind:<14}" + "".join(f"{count:>10}" for count in counts) + f"{seconds:>9.0f}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
