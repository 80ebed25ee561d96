"""What commands share: options, what they stand for, progress, and complaints of one line."""

from __future__ import annotations

import argparse
import math
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from geomrelu.cli.alarm import in_time, soon_after

if TYPE_CHECKING:  # everything heavy is imported by the command that needs it: `geomrelu --help` is instant
    from geomrelu.budget import Budget
    from geomrelu.certificates.files import Unsaved
    from geomrelu.deadness.report import Report
    from geomrelu.deadness.verdict import LayerReport
    from geomrelu.geometry.arrangement import Arrangement
    from geomrelu.geometry.domains import Domain, OneSet
    from geomrelu.geometry.polyhedron import Polyhedron
    from geomrelu.io.reading import Reading
    from geomrelu.network.network import Network
    from geomrelu.network.quantised import QuantisedNetwork

DEFAULT_SECONDS = 600.0
SOON = 1.0  # seconds after which a terminal shows what is going on

DOMAINS = """\
DOMAIN is R^n, R+^n (the nonnegative orthant), box:LOW,HIGH (the same sides for each input), range (what the file of
MODEL says, as .nnet does), or a file: .vnnlib (versions 1 and 2; several boxes or polytopes are decided one by one),
.ine or .ext (cddlib, lrs), or .json: {"inequalities": [[b, a1, ..., an], ...]} meaning b + a.x >= 0, optionally with
"equalities" and "box": [[low, high], ...]; or {"vertices": [...], "rays": [...]}; or {"points": [...]}; or {"center":
[...], "shape": [[...], ...], "square": s}: the points center + shape u with |u|^2 <= s; or points as .npy or .csv. Such
sets also are ball:R (around 0), ball:R@C (C a number, the center c1,c2,..., or a file with one point),
ellipsoid:FILE.npz (arrays mean, covariance or variance, and radius; or center, shape and square), and
layernorm:FILE.npz or rmsnorm:FILE.npz (arrays gamma or weight, and beta or bias): all that such a layer can give.
MODEL is a .onnx, .npz, .nnet, .safetensors, .pt, .pth, .ckpt, .bin, .keras, .h5 or .hdf5 file, an agent of
Stable-Baselines3 (.zip), or .json:
{"layers": [{"weights": [[...]], "bias": [...], "activation": "relu"}]}. Each may be compressed (.gz)."""

REGIONS = """\
FILE is an arrangement in .json, {"A": [[...], ...], "b": [...], "den": 1}: the hyperplanes a.x + b = 0, all numbers
divided by den; or a model as `geomrelu decide` takes it. Signs are written + - 0, one for each form or neuron, layer
after layer. DOMAIN is as for `geomrelu decide`."""

# the options that name files, in whatever command
READ = ("model", "smaller", "input", "file", "query", "network", "domain", "data", "points")
WRITTEN = ("output", "certificate", "ranges", "graph", "chunks")
DIRECTORIES = ("certificates", "report", "signs_in")
PREFIXES = (":", "@", "=")  # as in ball:1@FILE, ellipsoid:FILE, NAME=FILE

Command = Callable[..., argparse.ArgumentParser]
Advance = Callable[[str, int, int], None]


def add_workers(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--seed", type=int, default=0, help="default %(default)s")
    sub.add_argument("--workers", type=int, default=1, metavar="N", help="processes on this machine")
    sub.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler instead (tcp://host:port)")
    sub.add_argument("--chunks", metavar="FILE", help="keep finished chunks here; the same command resumes")
    add_time(sub, None)


def add_time(sub: argparse.ArgumentParser, default: float | None = DEFAULT_SECONDS) -> None:
    """The option of a budget on time."""
    shown = "none" if default is None else f"{default:g}"
    sub.add_argument("--time", type=float, default=default, metavar="SECONDS", help=f"budget, default {shown}")


def add_search(sub: argparse.ArgumentParser) -> None:
    """The options of what decides neurons: how long, and where hard ones are worked on."""
    add_time(sub)
    sub.add_argument("--neuron-time", type=float, metavar="SECONDS", help="budget of each hard neuron, default: none")
    sub.add_argument("--workers", type=int, default=1, metavar="N", help="processes for hard neurons, default 1")
    sub.add_argument("--scheduler", metavar="ADDRESS", help="for hard neurons: a Dask scheduler (tcp://host:port)")


def clock_of(options: argparse.Namespace) -> Budget | None:
    """The budget on time that was given, if any."""
    from geomrelu.budget import Budget
    from geomrelu.errors import InputError

    if options.time is None:
        return None
    if not options.time > 0:
        raise InputError("--time must be positive")
    return Budget(options.time)


def add_reading(sub: argparse.ArgumentParser) -> None:
    """Options that say what a model's file leaves open."""
    group = sub.add_argument_group("what the file of MODEL leaves open")
    group.add_argument("--order", metavar="A,B,...", help="the layers of a state dictionary, by name, as computed")
    group.add_argument(
        "--activation", metavar="WORD,...", help="relu or none: after all layers but the last, or one for each layer"
    )
    group.add_argument(
        "--select", metavar="PATTERN", action="append", help="only layers with such names, as 'h.3.fc*' (repeatable)"
    )
    group.add_argument(
        "--apply-b-dec-to-input", choices=("yes", "no"), help="of a sparse autoencoder: b_dec is subtracted first"
    )
    group.add_argument(
        "--input-shape",
        metavar="[NAME=]N,N,...",
        action="append",
        help="of an input of an ONNX model, with the batch (repeatable)",
    )
    group.add_argument(
        "--input-value",
        metavar="NAME=V,...",
        action="append",
        help="an input of an ONNX model is this constant: one number, or all of them (repeatable)",
    )
    group.add_argument(
        "--start",
        metavar="TENSOR",
        action="append",
        help="read an ONNX model from this tensor of its graph on, which is an input then (repeatable)",
    )


def model_of(options: argparse.Namespace, path: str, **given: Any) -> Network:
    """The network in a file, read with the options that were given; what is left out is said on standard error."""
    from geomrelu.network.network import Network

    with in_time(getattr(options, "time", None), f"{path} is read"), waiting(f"reading {path}"):
        network = Network.from_file(path, **_reading(options, given))
    if not given.get("whole_batch"):  # else it has been said
        for line in unread(network):
            complain(f"note: {path}: not read: {line}")
    return network


def unread(*networks: Network | QuantisedNetwork | None) -> list[str]:
    """What of their files is no part of the networks."""
    readings = [network.reading for network in networks if network is not None and network.reading is not None]
    return list(dict.fromkeys(line for reading in readings for line in reading.left))


def judged_of(options: argparse.Namespace, path: str, **given: Any) -> Network | QuantisedNetwork:
    """The same; a quantised model is the network of whole numbers that it is."""
    from geomrelu.network.front_door import load_judged

    with in_time(getattr(options, "time", None), f"{path} is read"), waiting(f"reading {path}"):
        return load_judged(path, **_reading(options, given))


def _reading(options: argparse.Namespace, given: dict[str, Any]) -> dict[str, Any]:
    """How a model is read, by the options that were given."""
    words = {"order": options.order, "activation": options.activation}
    given |= {name: text.split(",") for name, text in words.items() if text is not None}
    if len(given.get("activation", ())) == 1:
        (given["activation"],) = given["activation"]
    if options.select is not None:
        given["select"] = options.select
    if options.apply_b_dec_to_input is not None:
        given["apply_b_dec_to_input"] = options.apply_b_dec_to_input == "yes"
    return given | opening(options)


def opening(options: argparse.Namespace) -> dict[str, Any]:
    """Where an ONNX model begins and what its inputs are, by the options that were given."""
    from geomrelu.errors import InputError

    found: dict[str, Any] = {} if options.start is None else {"start": tuple(options.start)}
    shapes = [text.rpartition("=")[::2] for text in options.input_shape or ()]
    if len(shapes) == 1 and not shapes[0][0]:
        found["shape"] = widths_of(shapes[0][1], "--input-shape")
    elif shapes:
        if not all(name for name, _ in shapes):
            raise InputError("--input-shape: of several inputs, write NAME=N,N,... for each")
        found["shape"] = {name: widths_of(text, "--input-shape") for name, text in shapes}
    values = [text.rpartition("=")[::2] for text in options.input_value or ()]
    if not all(name and text for name, text in values):
        raise InputError("--input-value: write NAME=V or NAME=V,V,...")
    if values:
        found["values"] = {name: text.split(",") for name, text in values}
    for what, names in (("--input-shape", [n for n, _ in shapes]), ("--input-value", [n for n, _ in values])):
        if len(set(names)) < len(names):
            raise InputError(f"{what}: an input is named twice")
    return found


def check_outputs(options: argparse.Namespace) -> None:
    """Before long work: outputs can be written, and none takes the place of what is read, or of another output.

    Raises:
        InputError: it is not so.
    """
    from os.path import isdir, realpath

    from geomrelu.errors import InputError
    from geomrelu.io.files import parent_of, same_file

    read: list[str] = []
    for name in READ:
        value = getattr(options, name, None)
        read += value if isinstance(value, list) else [value] if isinstance(value, str) else []
    read += [text.split(mark)[-1] for text in read for mark in PREFIXES if mark in text]
    written = [path for name in WRITTEN if (path := getattr(options, name, None))]
    for path in written:
        parent_of(path)
        if isdir(path):
            raise InputError(f"{path}: this is a directory, where a file is to be written")
        if any(same_file(path, other) for other in read):
            raise InputError(f"{path}: this file is read here, and would be lost: write to another file")
    if len({realpath(path) for path in written}) < len(written):
        raise InputError(f"{written[-1]}: two outputs cannot be one file")


def writes_files(options: argparse.Namespace) -> bool:
    """Is something asked for besides what is printed?"""
    return any(getattr(options, name, None) for name in (*WRITTEN, *DIRECTORIES))


def inputs(options: argparse.Namespace) -> tuple[Network, Domain]:
    """The model and the domain that a command is about; what is to be said of the latter goes to standard error."""
    return _with_domain(options, model_of)


def judged_inputs(options: argparse.Namespace) -> tuple[Network | QuantisedNetwork, Domain]:
    """The same; a quantised model is the network of whole numbers that it is."""
    return _with_domain(options, judged_of)


def _with_domain(options: argparse.Namespace, read: Callable[..., Any]) -> tuple[Any, Domain]:
    from geomrelu.geometry.domains import read_domain
    from geomrelu.network.network import Network

    with in_time(getattr(options, "time", None), f"{options.model} is read"):
        network = read(options, options.model)
        reading = network.reading
        all_rows = network.inputs * (1 if reading is None else reading.rows)
        domain = read_domain(options.domain, network.inputs, reading, lambda line: complain(f"note: {line}"), all_rows)
        if domain.dimension != network.inputs:  # it numbers all rows of a batch, so it is about all of them
            network = read(options, options.model, whole_batch=True)
        if read is judged_of and isinstance(network, Network):
            _ = network.checked  # as the judge holds it, which also takes long for millions of weights
    return network, domain


def hashed(options: argparse.Namespace, network: Network | QuantisedNetwork, budget: Budget) -> None:
    """What certificates are bound to is made in time: of millions of weights it takes as long as reading them."""
    with in_time(budget.left, f"{options.model} is hashed", options.time):
        _ = network.digest


def judged_on_one_piece(options: argparse.Namespace) -> tuple[Network | QuantisedNetwork, OneSet]:
    """The same, for what cannot be done on a union.

    Raises:
        InputError: the domain is a union.
    """
    from geomrelu.errors import InputError
    from geomrelu.geometry.domains import Union

    network, domain = judged_inputs(options)
    if isinstance(domain, Union):
        raise InputError(f"{options.domain}: a union of {len(domain.pieces)} polyhedra, where one is needed")
    return network, domain


def layers_of(text: str | None) -> list[int] | None:
    from geomrelu.errors import InputError

    if text is None:
        return None
    first, dash, last = text.partition("-")
    numbers = [first, last if dash else first]
    if not all(t.isascii() and t.isdigit() and len(t) < 7 for t in numbers) or int(numbers[0]) > int(numbers[1]):
        raise InputError(f"--layer {text}: write L or L1-L2")
    return list(range(int(numbers[0]), int(numbers[1]) + 1))


def budget_of(options: argparse.Namespace) -> Budget:
    from geomrelu.budget import Budget
    from geomrelu.errors import InputError

    if not options.time > 0 or (options.regions is not None and options.regions < 0):
        raise InputError("--time must be positive and --regions not negative")
    each = getattr(options, "neuron_time", None)
    if each is not None and not each > 0:
        raise InputError("--neuron-time must be positive")
    return Budget(options.time, options.regions)


def is_arrangement(path: str) -> bool:
    from geomrelu.io.files import kind_of, named, read_text
    from geomrelu.io.json import parsed

    if kind_of(path) != ".json":
        return False
    text = read_text(path)
    with named(path):
        data = parsed(text)
    return isinstance(data, dict) and "A" in data


def arrangement_on(options: argparse.Namespace) -> Arrangement:
    from geomrelu.geometry.arrangement import Arrangement

    found = Arrangement.from_file(options.file)
    if options.domain is None:
        return found
    return Arrangement.from_rows(found.rows, found.dimension, polyhedron_of(options.domain, found.dimension))


def network_on(options: argparse.Namespace) -> tuple[Network, Polyhedron]:
    network = model_of(options, options.file)
    return network, polyhedron_of(options.domain or "R^n", network.inputs, network.reading)


def polyhedron_of(text: str, dimension: int, reading: Reading | None = None) -> Polyhedron:
    from geomrelu.errors import InputError
    from geomrelu.geometry.domains import read_domain
    from geomrelu.geometry.polyhedron import Polyhedron

    domain = read_domain(text, dimension, reading)
    if not isinstance(domain, Polyhedron):
        raise InputError(f"{text}: regions need one polyhedron, no finite set, ellipsoid or union")
    return domain


def widths_of(text: str, option: str = "--widths") -> tuple[int, ...]:
    from geomrelu.errors import InputError

    parts = text.split(",")
    if not all(t.isascii() and t.isdigit() and len(t) < 7 for t in parts):
        raise InputError(f"{option} {text}: write N0,N1,... in whole numbers")
    return tuple(map(int, parts))


@contextmanager
def long_run(what: str, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """What a long computation needs: who computes, where finished chunks go, and who is told."""
    from geomrelu.parallel import workers_on

    if options.seed < 0:
        from geomrelu.errors import InputError

        raise InputError("--seed must not be negative")
    budget = clock_of(options)
    # a chunk in this process would be finished first
    with (
        workers_on(options.workers, options.scheduler, apart=budget is not None) as pool,
        progress_bar(what, budget) as (advance, _),
        soon_after(budget, "anything was finished") as call_off,  # what comes before the first chunk looks at no clock
    ):

        def told(done: int, total: int, pace: str) -> None:
            call_off()  # from here on what is finished is kept and said
            advance(pace, done, total)

        yield {
            "pool": pool,
            "journal": options.chunks,
            "progress": told,
            "budget": budget,
        }


def complain(text: str) -> None:
    """One line, whatever the names in it contain. Where nobody can be told, the exit code is all that is said."""
    if sys.stderr is not None:
        try:
            print("geomrelu: " + text.replace("\n", "\\n").replace("\r", "\\r"), file=sys.stderr)
        except OSError:
            silenced(sys.stderr)


def silenced(stream: TextIO) -> None:
    """What is still to be written to a stream, held back or not, goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


@contextmanager
def progress_bar(what: str, budget: Budget | None = None) -> Iterator[tuple[Advance, Callable[[], None]]]:
    """A progress bar on standard error if that is a terminal, else nothing.

    It shows how much is done and how much is open, how long it has taken, and how much of the budget's time is left.

    Yields ``(advance, clear)``: call ``clear`` before printing; the next ``advance`` shows the bar again.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield (lambda text, done, total: None), (lambda: None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
    from rich.table import Column
    from rich.text import Text

    class Left(ProgressColumn):
        def render(self, task: Task) -> Text:
            left = None if budget is None else budget.left
            return Text("" if left is None else f"at most {clock(left)} left")

    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[count]}"),
        TimeElapsedColumn(),
        Left(table_column=Column(no_wrap=True)),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,  # the results go where the user sends them, unwrapped
        redirect_stderr=False,
    )
    task = bar.add_task(what, total=None, count="")

    def advance(text: str, done: int, total: int) -> None:
        count = f"{done:,}/{total:,}, {total - done:,} open" if total else ""
        bar.start()
        bar.update(task, description=f"{what} {text}", completed=done, total=total or None, count=count)

    try:
        yield advance, bar.stop
    finally:
        bar.stop()


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """For what takes long now and then, such as reading: a terminal shows after a moment that it goes on, and since
    when."""
    with progress_bar(what) as (advance, _):
        later = threading.Timer(SOON, advance, ("", 0, 0))
        later.daemon = True
        later.start()
        try:
            yield
        finally:
            later.cancel()
            later.join()


def complain_of_unsaved(report: Report | None, unsaved: Unsaved | None = None) -> None:
    """After everything else has been said: what of a report is not kept, and what else could not be written.

    Raises:
        InputError: something that was to be written is not there.
    """
    from geomrelu.errors import InputError

    texts = [] if unsaved is None else unsaved.texts
    if report is not None and report.unsaved:
        texts = ["not all that is proved is saved", *report.unsaved, *texts]
    if texts:
        raise InputError("; ".join(texts))


def clock(seconds: float) -> str:
    """As on a clock, rounded up: 9:05, 1:00:00."""
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def decided(layers: Iterable[LayerReport], asked: int, certificates: str | None) -> str:
    """What is proved when a run is interrupted, in one line.

    Args:
        asked: how many neurons. certificates: the directory that keeps it.
    """
    from geomrelu.deadness.verdict import Status

    found = [v.status for layer in layers for v in layer.verdicts]
    dead, alive = (found.count(status) for status in (Status.DEAD, Status.ALIVE))
    kept = "" if certificates is None else f"; the same command goes on from what is in {certificates}"
    return f"{dead + alive} of {asked} neurons are decided, {dead} dead and {alive} alive{kept}"
