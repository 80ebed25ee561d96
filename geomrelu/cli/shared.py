"""What commands share: options, what they stand for, progress, and complaints of one line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # everything heavy is imported by the command that needs it: `geomrelu --help` is instant
    from geomrelu.budget import Budget
    from geomrelu.deadness.decide import Verdict
    from geomrelu.geometry.arrangement import Arrangement
    from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
    from geomrelu.network.network import Network

DEFAULT_SECONDS = 600.0

DOMAINS = """\
DOMAIN is R^n, R+^n (the nonnegative orthant), box:LOW,HIGH (the same sides for each input), or a file:
.vnnlib, .ine or .ext (cddlib), or .json: {"inequalities": [[b, a1, ..., an], ...]} meaning b + a.x >= 0, optionally
with "equalities" and "box": [[low, high], ...]; or {"vertices": [...], "rays": [...]}; or {"points": [...]}.
MODEL is a .onnx, .npz or .json file: {"layers": [{"weights": [[...]], "bias": [...], "activation": "relu"}]}."""

REGIONS = """\
FILE is an arrangement in .json, {"A": [[...], ...], "b": [...], "den": 1}: the hyperplanes a.x + b = 0, all numbers
divided by den; or a model as `geomrelu decide` takes it. Signs are written + - 0, one for each form or neuron, layer
after layer. DOMAIN is as for `geomrelu decide`."""

Command = Callable[..., argparse.ArgumentParser]
Advance = Callable[[str, int, int], None]


def add_workers(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--seed", type=int, default=0, help="default %(default)s")
    sub.add_argument("--workers", type=int, default=1, metavar="N", help="processes on this machine")
    sub.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler instead (tcp://host:port)")
    sub.add_argument("--chunks", metavar="FILE", help="keep finished chunks here; the same command resumes")


def inputs(options: argparse.Namespace) -> tuple[Network, Polyhedron | FiniteSet]:
    from geomrelu.geometry.polyhedron import read_domain
    from geomrelu.network.network import Network

    network = Network.from_file(options.model)
    return network, read_domain(options.domain, network.inputs)


def kept(
    directory: Path | None, network: Network, domain: Polyhedron | FiniteSet
) -> tuple[list[Any], Any, Callable[..., None]]:
    """What a directory of certificates holds about a network on a domain, what writes there, and what to call for each
    verdict as it comes."""
    from geomrelu.certificates import files as certificate

    if directory is None:
        return [], None, lambda verdict, points: None
    digests = network.digest, domain.checked.digest()
    known, saver = certificate.known(directory, *digests), certificate.Saver(directory, *digests)

    def save(verdict: Verdict, points: list[list[str]]) -> None:
        if verdict.claim is not None:
            saver.add(verdict.claim, points)

    return known, saver, save


def layers_of(text: str | None) -> list[int] | None:
    from geomrelu.errors import InputError

    if text is None:
        return None
    first, dash, last = text.partition("-")
    numbers = [first, last if dash else first]
    if not all(t.isascii() and t.isdigit() and len(t) < 7 for t in numbers) or int(numbers[0]) > int(numbers[1]):
        raise InputError(f"--layer {text}: write L or L1-L2")
    return list(range(int(numbers[0]), int(numbers[1]) + 1))


def directory_of(path: str | None) -> Path | None:
    from geomrelu.errors import InputError

    if path is None:
        return None
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise InputError(f"{path}: {problem.strerror}") from None
    return Path(path)


def budget_of(options: argparse.Namespace) -> Budget:
    from geomrelu.budget import Budget
    from geomrelu.errors import InputError

    if not options.time > 0 or (options.regions is not None and options.regions < 0):
        raise InputError("--time must be positive and --regions not negative")
    return Budget(options.time, options.regions)


def is_arrangement(path: str) -> bool:
    from geomrelu.certificates import files as certificate

    if Path(path).suffix.lower() != ".json":
        return False
    data = certificate.read(path)
    return isinstance(data, dict) and "A" in data


def arrangement_on(options: argparse.Namespace) -> Arrangement:
    from geomrelu.geometry.arrangement import Arrangement

    found = Arrangement.from_file(options.file)
    if options.domain is None:
        return found
    return Arrangement.from_rows(found.rows, found.dimension, polyhedron_of(options.domain, found.dimension))


def network_on(options: argparse.Namespace) -> tuple[Network, Polyhedron]:
    from geomrelu.network.network import Network

    network = Network.from_file(options.file)
    return network, polyhedron_of(options.domain or "R^n", network.inputs)


def polyhedron_of(text: str, dimension: int) -> Polyhedron:
    from geomrelu.errors import InputError
    from geomrelu.geometry.polyhedron import Polyhedron, read_domain

    domain = read_domain(text, dimension)
    if not isinstance(domain, Polyhedron):
        raise InputError(f"{text}: regions need a polyhedron, not a finite set")
    return domain


def widths_of(text: str) -> tuple[int, ...]:
    from geomrelu.errors import InputError

    parts = text.split(",")
    if not all(t.isascii() and t.isdigit() and len(t) < 7 for t in parts):
        raise InputError(f"--widths {text}: write N0,N1,... in whole numbers")
    return tuple(map(int, parts))


@contextmanager
def long_run(what: str, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """What a long computation needs: who computes, where finished chunks go, and who is told."""
    from geomrelu.parallel import workers_on

    if options.seed < 0:
        from geomrelu.errors import InputError

        raise InputError("--seed must not be negative")
    with workers_on(options.workers, options.scheduler) as pool, progress_bar(what) as (advance, _):
        yield {
            "pool": pool,
            "journal": options.chunks,
            "progress": lambda done, total, pace: advance(pace, done, total),
        }


def complain(text: str) -> None:
    """One line, whatever the names in it contain."""
    if sys.stderr is not None:
        print("geomrelu: " + text.replace("\n", "\\n").replace("\r", "\\r"), file=sys.stderr)


@contextmanager
def progress_bar(what: str) -> Iterator[tuple[Advance, Callable[[], None]]]:
    """A progress bar on standard error if that is a terminal, else nothing.

    Yields ``(advance, clear)``: call ``clear`` before printing; the next ``advance`` shows the bar again.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield (lambda text, done, total: None), (lambda: None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[count]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,  # the results go where the user sends them, unwrapped
        redirect_stderr=False,
    )
    task = bar.add_task(what, total=None, count="")

    def advance(text: str, done: int, total: int) -> None:
        count = f"{done}/{total}" if total else ""
        bar.start()
        bar.update(task, description=f"{what} {text}", completed=done, total=total or None, count=count)

    try:
        yield advance, bar.stop
    finally:
        bar.stop()
