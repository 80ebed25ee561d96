"""The command line: parse, call, print.

Exit codes: 0 done; 1 a certificate was rejected or a claim refuted; 2 unusable input (one line on standard error);
3 a budget ended before everything was decided; 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:  # everything heavy is imported by the command that needs it: `geomrelu --help` is instant
    from concurrent.futures import ProcessPoolExecutor
    from fractions import Fraction

    from geomrelu.budget import Budget
    from geomrelu.deadness.branch_and_bound import Tree
    from geomrelu.deadness.decide import LayerReport, Verdict
    from geomrelu.geometry.arrangement import Arrangement
    from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
    from geomrelu.network.network import Network

__all__ = ["main"]

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

EVENTS = """\
EVENT is stably-unactivated (a given neuron of layer 2; widths n0,n1), alive (each layer is positive somewhere on the
image of DOMAIN), killed (--layer L is nowhere positive) or dead-neurons (exactly --number M are dead,
of --layer L if given).
By default every orbit is walked exactly; its interval speaks of orbits. The law must be symmetric about 0 for that.
A MODEL (.onnx, .npz, .json) gives the shape: its nonzero weights and biases are the parameters, an entry 1 that reads
from before the previous layer is a connection and stays; --tied for convolutions. Without --law its own magnitudes are
one orbit, walked whole. The schemes batch-norm and sign-flip are sampled (--trials) on --points."""

VERIFYING = """\
DIR also keeps the evidence: claims whose proof, depth and sources have not changed since are not verified again.
Exit code 1 if a claim is refuted or its evidence broken, or one that is false as printed is not refuted exactly."""

SIMULATIONS = """\
figure-1     Rister & Rubin: living networks and data for widths 1-15, 256 layers, He normal; three schemes
figure-2     the same along the width that keeps the lower bound at p
figure-5     Brownlowe et al.: stably unactivated neurons, by sign orbits
safe-region  Lu et al.: width against depth
A run of more than a minute keeps its finished chunks in a file of the working directory until it is done."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        _complain(f"error: {message} (see {self.prog} --help)")
        raise SystemExit(2)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="geomrelu", description="An exact analyzer of dead ReLU neurons.")
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)

    def command(name: str, help_: str, **more: Any) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name, help=help_, description=help_, formatter_class=argparse.RawDescriptionHelpFormatter, **more
        )
        sub.add_argument("--debug", action="store_true", help="show a traceback when something is wrong")
        return sub

    sub = command("decide", "decide which neurons are dead on a domain, with certificates", epilog=DOMAINS)
    sub.add_argument("model", metavar="MODEL")
    sub.add_argument("--domain", required=True, metavar="DOMAIN")
    sub.add_argument("--layer", metavar="L or L1-L2", help="only these ReLU layers (from 1)")
    sub.add_argument("--neuron", type=int, metavar="I", action="append", help="only this neuron (from 0; repeatable)")
    sub.add_argument(
        "--certificates",
        metavar="DIR",
        help="write what is proved to this directory; what it holds is not sought again",
    )
    sub.add_argument("--format", choices=("table", "json"), default="table")
    sub.add_argument(
        "--time", type=float, default=DEFAULT_SECONDS, metavar="SECONDS", help="budget, default %(default)g"
    )
    sub.add_argument("--regions", type=int, metavar="N", help="budget of pieces and boxes to examine")
    sub.add_argument("--neuron-time", type=float, metavar="SECONDS", help="budget of each hard neuron, default: none")
    sub.add_argument("--workers", type=int, default=1, metavar="N", help="processes for hard neurons, default 1")
    sub.add_argument("--all", action="store_true", help="list the living neurons of wide layers too")
    sub.set_defaults(run=_decide)

    sub = command("regions", "count the regions of an arrangement or of a network, exactly", epilog=REGIONS)
    sub.add_argument("file", metavar="FILE")
    sub.add_argument("--domain", metavar="DOMAIN", help="only inside this polyhedron (default: all of R^n)")
    sub.add_argument("--layers", type=int, metavar="K", help="of a network: only its first K ReLU layers")
    sub.add_argument("--signs", action="store_true", help="list the sign vectors")
    sub.add_argument("--witnesses", action="store_true", help="list them with a rational point in each region")
    sub.add_argument("--faces", action="store_true", help="the f-vector: faces of dimension 0, 1, ..., n")
    sub.add_argument("--graph", metavar="OUT.graphml", help="write the adjacency graph of the regions")
    sub.add_argument("--polynomial", action="store_true", help="of an arrangement: the characteristic polynomial")
    sub.add_argument("--format", choices=("table", "json"), default="table")
    sub.add_argument(
        "--time", type=float, default=DEFAULT_SECONDS, metavar="SECONDS", help="budget, default %(default)g"
    )
    sub.add_argument("--regions", type=int, metavar="N", help="stop after N regions")
    sub.set_defaults(run=_regions)

    sub = command("plot", "draw an arrangement, the complex of a network, or a first layer's image", epilog=REGIONS)
    sub.add_argument("what", choices=("arrangement", "complex", "image"))
    sub.add_argument("file", nargs="?", metavar="FILE")
    sub.add_argument("-o", "--output", required=True, metavar="OUTPUT", help=".svg, .png or .pdf")
    sub.add_argument("--domain", metavar="DOMAIN", help="draw only this polyhedron (default: all of R^n)")
    sub.add_argument("--layer", type=int, metavar="L", help="complex: layers 1 to L, and where layer L is silent")
    sub.add_argument("--missing", metavar="SIGNS", help="image: three lines without this codeword, as --missing=+--")
    sub.add_argument(
        "--view", metavar="X0,X1,Y0,Y1", help="arrangement, complex: draw this rectangle, as --view=-1,1,0,1/2"
    )
    sub.set_defaults(run=_plot)

    sub = command("prune", "write a smaller network that equals a model exactly on a domain", epilog=DOMAINS)
    sub.add_argument("model", metavar="MODEL")
    sub.add_argument("--domain", required=True, metavar="DOMAIN")
    sub.add_argument("-o", "--output", required=True, metavar="OUTPUT", help=".onnx, .npz or .json")
    sub.add_argument("--report", action="store_true", help="say what was removed, folded, merged and saved")
    sub.add_argument("--certificate", metavar="FILE", help="write the proof that both networks are equal on the domain")
    sub.add_argument("--certificates", metavar="DIR", help="read and write proofs about neurons there, as decide does")
    sub.add_argument(
        "--time", type=float, default=DEFAULT_SECONDS, metavar="SECONDS", help="budget, default %(default)g"
    )
    sub.add_argument("--neuron-time", type=float, metavar="SECONDS", help="budget of each hard neuron, default: none")
    sub.add_argument("--workers", type=int, default=1, metavar="N", help="processes for hard neurons, default 1")
    sub.set_defaults(run=_prune)

    sub = command("check", "check certificates independently of how they were found", epilog=DOMAINS)
    sub.add_argument("certificates", nargs="+", metavar="CERTIFICATE")
    sub.add_argument("--model", required=True, metavar="MODEL")
    sub.add_argument("--domain", required=True, metavar="DOMAIN")
    sub.add_argument("--smaller", metavar="MODEL", help="the network that certificates of a pruning are about")
    sub.add_argument("--independent", action="store_true", help="by the stand-alone checker alone: box by box, slower")
    sub.set_defaults(run=_check)

    sub = command("convert", "rewrite a model or a domain exactly (for the stand-alone checker, or for cddlib)")
    sub.add_argument("input", metavar="INPUT", help=".onnx, .npz or .json model; .vnnlib, .ine, .ext or .json domain")
    sub.add_argument("-o", "--output", required=True, metavar="OUTPUT", help=".json, or .ine/.ext for a domain")
    sub.set_defaults(run=_convert)

    sub = command("verify", "verify the claims of the registry: derive, enumerate, decide, sample", epilog=VERIFYING)
    sub.add_argument("labels", nargs="*", metavar="LABEL", help="only these claims and what they use (default: all)")
    sub.add_argument("--thorough", action="store_true", help="larger families and more trials")
    sub.add_argument("--format", choices=("text", "json", "markdown", "latex"), default="text")
    sub.add_argument("--report", metavar="DIR", help="write a page (index.html), figures, evidence and certificates")
    sub.add_argument("--workers", type=int, metavar="N", help="processes (default: one for each processor)")
    sub.set_defaults(run=_verify)

    sub = command("claims", "list the claims of the registry, or show one")
    sub.add_argument("label", nargs="?", metavar="LABEL")
    sub.add_argument("--format", choices=("text", "json", "markdown", "latex"), default="text")
    sub.add_argument("--contents", action="store_true", help="print proofs/README.md")
    sub.set_defaults(run=_claims)

    sub = command("probability", "the probability of an event in random networks, by sign orbits", epilog=EVENTS)
    sub.add_argument("event", metavar="EVENT")
    sub.add_argument("--widths", metavar="N0,N1,...", help="inputs, then the width of each layer")
    sub.add_argument(
        "--model", metavar="MODEL", help="instead: the shape of this network and, without --law, its sizes"
    )
    sub.add_argument("--tied", action="store_true", help="equal weights (biases) of a layer of MODEL are one parameter")
    sub.add_argument("--law", help="normal (default), uniform, cauchy, rademacher, rai, or t:3 as in scipy.stats")
    sub.add_argument("--scale", default="none", help="none, he, glorot, xavier or lecun")
    sub.add_argument("--no-bias", action="store_true", help="all biases are 0")
    sub.add_argument("--domain", metavar="DOMAIN", help="as for decide; default R^n")
    sub.add_argument("--points", metavar="N|FILE", help="instead: N standard normal points, or those of a .json file")
    sub.add_argument("--scheme", default="iid", help="iid, batch-norm or sign-flip: what layers do with the points")
    sub.add_argument("--layer", type=int, metavar="L", help="of killed and dead-neurons")
    sub.add_argument("--number", type=int, metavar="M", help="of dead-neurons")
    sub.add_argument("--orbits", type=int, default=None, metavar="N", help="random magnitudes to walk (default 1000)")
    sub.add_argument("--trials", type=int, metavar="N", help="plain Monte Carlo instead: N networks")
    sub.add_argument("--half-width", type=float, metavar="H", help="plain Monte Carlo until the interval is +-H")
    sub.add_argument("--level", type=float, default=0.95, help="of the interval, default %(default)s")
    sub.add_argument("--format", choices=("table", "json"), default="table")
    _add_workers(sub)
    sub.set_defaults(run=_probability)

    sub = command("simulate", "the simulations and figures of the papers", epilog=SIMULATIONS)
    sub.add_argument("name", metavar="NAME", choices=("figure-1", "figure-2", "figure-5", "safe-region"))
    sub.add_argument("-o", "--output", required=True, metavar="FILE", help=".pdf, .png or .svg; .json: the numbers")
    sub.add_argument("--law", default="normal", help="as for probability")
    sub.add_argument("--networks", type=int, default=1024, metavar="N", help="of figures 1 and 2, default %(default)s")
    sub.add_argument(
        "--points", type=int, default=1024, metavar="N", help="data of figures 1 and 2, default %(default)s"
    )
    sub.add_argument("--depth", type=int, default=256, metavar="K", help="of figures 1 and 2, default %(default)s")
    sub.add_argument("--widths", default=None, metavar="N,N,...", help="of figure 1; n0 of figure 5")
    sub.add_argument("--share", type=float, default=1.0, metavar="S", help="of the orbits of figure 5, default 1")
    _add_workers(sub)
    sub.set_defaults(run=_simulate)

    sub = command("table", "closed forms and exact counts as a table")
    sub.add_argument("name", metavar="NAME", nargs="?", help="without it: the names")
    sub.add_argument("--format", choices=("markdown", "latex", "csv", "json"), default="markdown")
    sub.set_defaults(run=_table)
    return parser


def _add_workers(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--seed", type=int, default=0, help="default %(default)s")
    sub.add_argument("--workers", type=int, default=1, metavar="N", help="processes on this machine")
    sub.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler instead (tcp://host:port)")
    sub.add_argument("--chunks", metavar="FILE", help="keep finished chunks here; the same command resumes")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.version:
        from importlib.metadata import version

        print(f"geomrelu {version('geomrelu')}")
        return 0
    if options.command is None:
        parser.print_help()
        return 0
    from geomrelu.errors import InputError

    digits = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(100_000)  # exact results may be longer than the 4300 digits Python prints by default
    try:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")  # file names need not be text
        code = int(options.run(options))
        sys.stdout.flush()
        return code
    except InputError as problem:
        if options.debug:
            raise
        _complain(f"error: {problem}")
        return 2
    except KeyboardInterrupt as stop:
        _complain("; ".join(["interrupted", *map(str, stop.args)]))
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # the reader went away (| head): nothing left to say
        return 0
    except MemoryError:
        _complain("error: out of memory")
        return 2
    except OSError as problem:  # the output could not be written
        _complain(f"error: {problem.strerror or problem}")
        return 2
    finally:
        sys.set_int_max_str_digits(digits)


def _complain(text: str) -> None:
    """One line, whatever the names in it contain."""
    if sys.stderr is not None:
        print("geomrelu: " + text.replace("\n", "\\n").replace("\r", "\\r"), file=sys.stderr)


# ---- decide -----------------------------------------------------------------------------------------------------


def _inputs(options: argparse.Namespace) -> tuple[Network, Polyhedron | FiniteSet]:
    from geomrelu.geometry.polyhedron import read_domain
    from geomrelu.network.network import Network

    network = Network.from_file(options.model)
    return network, read_domain(options.domain, network.inputs)


def _decide(options: argparse.Namespace) -> int:
    from geomrelu.certificates import files as certificate
    from geomrelu.deadness.decide import Status, decide
    from geomrelu.errors import InputError

    budget = _budget(options)
    if options.workers < 1 or (options.neuron_time is not None and not options.neuron_time > 0):
        raise InputError("--workers and --neuron-time must be positive")
    layers = _layers(options.layer)
    directory = _directory(options.certificates)
    network, domain = _inputs(options)
    killed_by, undecided, rows, interrupted = None, 0, [], False
    done = dict.fromkeys(range(1, network.depth + 1), (0, 1))
    known, saver, save = _kept(directory, network, domain)
    with _progress("deciding") as (advance, clear), _workers(options.workers) as executor:

        def progress(layer: int, decided: int, asked: int) -> None:
            done[layer] = decided, asked
            advance(f"layer {layer}", decided, asked)

        def hard(tree: Tree) -> None:
            advance(f"layer {tree.level}, neuron {tree.neuron}: {tree}", *done[tree.level])
            if saver is not None:
                saver.watch(tree)

        more: dict[str, Any] = {"each": options.neuron_time, "executor": executor, "known": known}
        try:
            for report in decide(
                network, domain, layers, options.neuron, budget, progress, save=save, open_=hard, **more
            ):
                files: dict[int, str] = {}
                if directory is not None:
                    claims = [v.claim for v in report.verdicts if v.claim is not None]
                    digests = network.digest, domain.checked.digest()
                    files = certificate.write(directory, report.layer, claims, *digests, report.points)
                undecided += sum(v.status is Status.UNDECIDED for v in report.verdicts)
                if report.killed and killed_by is None:
                    killed_by = report.layer
                if options.format == "json":
                    rows.append(_as_json(report, files))
                else:
                    clear()
                    _print_report(report, files, options.all)
        except KeyboardInterrupt:
            interrupted = True
    if saver is not None:
        saver.keep()
    if options.format == "json":
        heads = {"model": options.model, "domain": options.domain, "killed_by": killed_by}
        print(json.dumps(heads | {"layers": rows}, indent=1))
    elif killed_by is not None:
        constant = ": the network is constant on it" if network.is_cut_by(killed_by) else " (connections go around it)"
        print(f"Layer {killed_by} kills the domain{constant}.")
    if interrupted:
        raise KeyboardInterrupt
    return 3 if undecided else 0


@contextmanager
def _workers(count: int) -> Iterator[ProcessPoolExecutor | None]:
    """Processes to work in; they end with the block, whatever they are doing."""
    if count == 1:
        yield None
        return
    import multiprocessing
    import os
    from concurrent.futures import ProcessPoolExecutor

    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # as many processes as cores: threads in each would only disturb
    executor = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _deaf)
    try:
        yield executor
    finally:
        for process in multiprocessing.active_children():
            process.terminate()
        executor.shutdown(wait=False, cancel_futures=True)


def _deaf() -> None:
    """Ctrl-C is the main process's affair."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _kept(
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


def _layers(text: str | None) -> list[int] | None:
    from geomrelu.errors import InputError

    if text is None:
        return None
    first, dash, last = text.partition("-")
    numbers = [first, last if dash else first]
    if not all(t.isascii() and t.isdigit() and len(t) < 7 for t in numbers) or int(numbers[0]) > int(numbers[1]):
        raise InputError(f"--layer {text}: write L or L1-L2")
    return list(range(int(numbers[0]), int(numbers[1]) + 1))


def _directory(path: str | None) -> Path | None:
    from geomrelu.errors import InputError

    if path is None:
        return None
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise InputError(f"{path}: {problem.strerror}") from None
    return Path(path)


def _as_json(report: LayerReport, files: dict[int, str]) -> dict[str, Any]:
    return {
        "layer": report.layer,
        "killed": report.killed,
        "neurons": [
            {
                "neuron": v.neuron,
                "status": v.status.value,
                "stable": v.stable,
                "supremum": None if v.supremum is None else str(v.supremum),
                "reason": v.reason,
                "certificate": files.get(v.neuron),
            }
            for v in report.verdicts
        ],
    }


def _print_report(report: LayerReport, files: dict[int, str], everything: bool) -> None:
    from geomrelu.deadness.decide import Status

    count = {status: sum(v.status is status for v in report.verdicts) for status in Status}
    stable = sum(v.stable is True for v in report.verdicts)
    killed = {True: "killed", False: "not killed", None: "killed or not: open"}[report.killed]
    asked = len(report.verdicts)
    neurons = "neuron" if report.width == 1 else "neurons"
    of = f"{asked} of its {report.width} neurons" if asked < report.width else f"{asked} {neurons}"
    print(
        f"Layer {report.layer}: {of}: {count[Status.DEAD]} dead ({stable} stably), {count[Status.ALIVE]} alive, "
        f"{count[Status.UNDECIDED]} undecided; {killed}"
    )
    shown = [v for v in report.verdicts if everything or asked <= 20 or v.status is not Status.ALIVE]
    if shown:
        print("  neuron  status     stably  supremum              reason")
    for v in shown:
        stably = {True: "yes", False: "no", None: "-"}[v.stable] if v.status is Status.DEAD else ""
        file = f"  [{files[v.neuron]}]" if v.neuron in files else ""
        print(f"  {v.neuron:>6}  {v.status.value:<9}  {stably:<6}  {_supremum(v):<20}  {v.reason}{file}")


def _supremum(verdict: Verdict) -> str:
    """Exact where that is short, else rounded and marked as such."""
    if verdict.supremum is None:
        return ""
    text = str(verdict.supremum)
    if len(text) <= 20 or isinstance(verdict.supremum, str):
        return text
    try:
        return f"~{float(verdict.supremum):.10g}"
    except OverflowError:
        return "huge"


# ---- regions and plot -------------------------------------------------------------------------------------------


def _regions(options: argparse.Namespace) -> int:
    from geomrelu.errors import InputError
    from geomrelu.network import region_count

    budget = _budget(options)
    wanted = region_count.Wanted(options.faces, options.polynomial, options.graph)
    listed: list[dict[str, Any]] = []
    seen = 0
    with _progress("counting") as (advance, clear):

        def each(signs: Any, points: Callable[[int], Sequence[Any]]) -> None:
            nonlocal seen
            for i, sign in enumerate(signs.tolist() if options.signs or options.witnesses else ()):
                row: dict[str, Any] = {"signs": "".join("-0+"[s + 1] for s in sign)}
                if options.witnesses:
                    budget.spend(0)
                    row["witness"] = [str(v) for v in points(i)]
                if options.format == "json":
                    listed.append(row)
                else:
                    clear()
                    print(row["signs"], *(f"({', '.join(w)})" for w in [row.get("witness")] if w))
            seen += len(signs)
            advance(f"{seen:,} regions", 0, 0)

        if _is_arrangement(options.file):
            if options.layers is not None:
                raise InputError("--layers is for networks")
            found = region_count.of_arrangement(_arrangement(options), wanted, budget, each)
        else:
            if options.polynomial:
                raise InputError("--polynomial is for arrangements")
            found = region_count.of_network(*_network_on(options), options.layers, wanted, budget, each)
    heads = {"file": options.file, "domain": options.domain}
    if options.format == "json":
        print(json.dumps(heads | found | ({"list": listed} if options.signs or options.witnesses else {}), indent=1))
    else:
        print(_census(heads | found))
    if found["reason"] == "interrupted":
        raise KeyboardInterrupt
    return 0 if found["complete"] else 3


def _budget(options: argparse.Namespace) -> Budget:
    from geomrelu.budget import Budget
    from geomrelu.errors import InputError

    if not options.time > 0 or (options.regions is not None and options.regions < 0):
        raise InputError("--time must be positive and --regions not negative")
    return Budget(options.time, options.regions)


def _is_arrangement(path: str) -> bool:
    from geomrelu.certificates import files as certificate

    if Path(path).suffix.lower() != ".json":
        return False
    data = certificate.read(path)
    return isinstance(data, dict) and "A" in data


def _arrangement(options: argparse.Namespace) -> Arrangement:
    from geomrelu.geometry.arrangement import Arrangement

    found = Arrangement.from_file(options.file)
    if options.domain is None:
        return found
    return Arrangement.from_rows(found.rows, found.dimension, _polyhedron(options.domain, found.dimension))


def _network_on(options: argparse.Namespace) -> tuple[Network, Polyhedron]:
    from geomrelu.network.network import Network

    network = Network.from_file(options.file)
    return network, _polyhedron(options.domain or "R^n", network.inputs)


def _polyhedron(text: str, dimension: int) -> Polyhedron:
    from geomrelu.errors import InputError
    from geomrelu.geometry.polyhedron import Polyhedron, read_domain

    domain = read_domain(text, dimension)
    if not isinstance(domain, Polyhedron):
        raise InputError(f"{text}: regions need a polyhedron, not a finite set")
    return domain


def _census(found: dict[str, Any]) -> str:
    on = f" on {found['domain']}" if found["domain"] else ""
    if "hyperplanes" in found:
        forms = "" if found["forms"] == found["hyperplanes"] else f" ({_many(found['forms'], 'form')})"
        of = f"{_many(found['hyperplanes'], 'hyperplane')}{forms} of rank {found['rank']} in R^{found['dimension']}{on}"
    else:
        of = f"ReLU layers of widths {', '.join(map(str, found['widths']))} on R^{found['dimension']}"
        of = f"{of}{on}"
    lines = [f"{'' if found['complete'] else 'At least '}{_many(found['regions'], 'region')}: {of}."]
    if "bounded" in found:
        relatively = "" if found["domain"] or found["rank"] == found["dimension"] else " relatively"
        lines.append(f"{found['bounded']:,} of them{relatively} bounded.")
    if found.get("generic") is not None:
        position = "In general position" if found["generic"] else "Not in general position"
        lines.append(f"{position}: so many hyperplanes have at most {found['zaslavsky']:,} regions (Zaslavsky).")
    if found.get("at_most"):
        most = f"{found['at_most']:,}" if found["at_most"] < 10**15 else f"10^{len(str(found['at_most']))}"
        lines.append(f"Networks of these widths have at most {most} (Serra, Tjandraatmadja, Ramalingam).")
    for layer, (dead, width) in enumerate(zip(found.get("dead", ()), found.get("widths", ()), strict=False), 1):
        if dead:
            names = ", ".join(map(str, dead)) if len(dead) <= 20 else f"{len(dead)} of {width} neurons"
            lines.append(f"Layer {layer}: never active here: {names}.")
    if "f_vector" in found:
        parts = (f"{f:,} of dimension {d}" for d, f in enumerate(found["f_vector"]))
        lines.append(f"Faces: {', '.join(parts)}.")
    if "characteristic_polynomial" in found:
        lines.append(_polynomial(found["characteristic_polynomial"]))
    if "graph" in found:
        lines.append(f"Graph: {found['graph']['nodes']:,} nodes, {found['graph']['edges']:,} edges.")
    if not found["complete"]:
        lines.append(f"Not finished: {found['reason']}.")
    return "\n".join(lines)


def _polynomial(found: dict[str, Any]) -> str:
    degree = len(found["coefficients"]) - 1
    terms = []
    for k, c in enumerate(found["coefficients"]):
        power = {0: "", 1: "t"}.get(degree - k, f"t^{degree - k}")
        size = "" if abs(c) == 1 and power else f"{abs(c)}"
        terms += [("- " if c < 0 else "+ ") + " ".join(filter(None, (size, power)))] if c else []
    text = " ".join(terms).removeprefix("+ ")
    counts = f"{_many(found['regions'], 'region')}, {found['bounded']:,} of them bounded"
    agrees = {True: ": the numbers counted", False: ": NOT the numbers counted", None: " in all of R^n"}
    return f"Characteristic polynomial: {text}; by Zaslavsky's theorem {counts}{agrees[found['agrees']]}."


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'s'[: number != 1]}"


def _plot(options: argparse.Namespace) -> int:
    from geomrelu import plots
    from geomrelu.errors import InputError
    from geomrelu.geometry.arrangement import Arrangement
    from geomrelu.network.complex import Complex
    from geomrelu.network.network import Network

    if options.missing is not None and options.what != "image":
        raise InputError("--missing is for images")
    if options.layer is not None and options.what != "complex":
        raise InputError("--layer is for complexes")
    if options.view is not None and options.what == "image":
        raise InputError("--view is for arrangements and complexes")
    if (options.file is None) == (options.missing is None):
        raise InputError("give a FILE" + (" or --missing SIGNS, one of them" if options.what == "image" else ""))
    view = None if options.view is None else _view(options.view)
    if options.what == "arrangement":
        if _is_arrangement(options.file):
            arrangement = _arrangement(options)
        else:
            arrangement = Arrangement.of_layer(*_network_on(options))
        plots.plot_arrangement(arrangement, options.output, view=view)
    elif options.missing is not None:
        first = Network.from_layers([(*plots.first_layer_missing(options.missing), "relu")])
        plots.plot_image(Complex(first, _polyhedron(options.domain or "R^n", 2)), options.output)
    else:
        pieces = Complex(*_network_on(options))
        if options.what == "complex":
            plots.plot_complex(pieces, options.output, layer=options.layer, view=view)
        else:
            plots.plot_image(pieces, options.output)
    print(f"wrote {options.output}")
    return 0


def _view(text: str) -> list[tuple[Fraction, ...]]:
    from geomrelu.errors import InputError
    from geomrelu.exact.numbers import rational

    ends = [rational(v, "--view") for v in text.split(",")]
    if len(ends) not in (2, 4):
        raise InputError("--view is X0,X1,Y0,Y1, or X0,X1 on a line")
    return [(low, high) for low, high in zip(ends[::2], ends[1::2], strict=True)]


# ---- prune ------------------------------------------------------------------------------------------------------


def _prune(options: argparse.Namespace) -> int:
    from geomrelu.budget import Budget
    from geomrelu.certificates import files as certificate
    from geomrelu.deadness.decide import Status, decide
    from geomrelu.deadness.pruning import prune
    from geomrelu.errors import InputError

    if options.workers < 1 or not options.time > 0 or (options.neuron_time is not None and not options.neuron_time > 0):
        raise InputError("--time, --workers and --neuron-time must be positive")
    if Path(options.output).suffix.lower() not in (".json", ".npz", ".onnx"):
        raise InputError(f"{options.output}: unknown kind of model file (known: .json, .npz, .onnx)")
    directory = _directory(options.certificates)
    network, domain = _inputs(options)
    known, saver, save = _kept(directory, network, domain)
    budget = Budget(options.time)
    most = Budget(0.9 * options.time)  # the rest is for the proofs that neurons are active
    with _progress("pruning") as (advance, _), _workers(options.workers) as executor:

        def progress(layer: int, decided: int, asked: int) -> None:
            advance(f"layer {layer}", decided, asked)

        more: dict[str, Any] = {"each": options.neuron_time, "executor": executor, "known": known, "save": save}
        if saver is not None:
            more["open_"] = saver.watch
        reports = list(decide(network, domain, None, None, most, progress, **more))
        if saver is not None and reports:
            saver.flush(reports[-1].points)
            saver.keep()
    refusal = ""
    for fold, merge in ((True, True), (False, True), (False, False)):  # until the format can hold it
        found = prune(network, domain, reports, budget, fold=fold, merge=merge)
        try:
            found.network.save(options.output)
        except InputError as problem:
            refusal = str(problem)
            if not (fold or merge):
                raise
        else:
            break
    if options.certificate is not None:
        certificate.save(Path(options.certificate), found.certificate)
    if options.report:
        print(f"{'':15}  {'before':>10}  {'after':>10}  {'saved':>10}")
        rows = zip(("neurons", "parameters", "multiplications"), found.before, found.after, strict=True)
        for what, before, after in rows:
            print(f"{what:15}  {before:>10,}  {after:>10,}  {before - after:>10,}")
        print(f"{found.removed} dead removed, {found.folded} active folded, {found.merged} multiples merged.")
        if refusal:
            print(f"Some stay because of the format: {refusal}")
    undecided = sum(v.status is Status.UNDECIDED for report in reports for v in report.verdicts)
    print(
        f"{options.output} equals {options.model} on the domain, exactly (proved)"
        + (f"; {undecided} neurons are undecided and stay." if undecided else ".")
    )
    return 3 if undecided else 0


# ---- check and convert ------------------------------------------------------------------------------------------


def _check(options: argparse.Namespace) -> int:
    from geomrelu import checker
    from geomrelu.certificates import files as certificate
    from geomrelu.certificates.batch import Quick
    from geomrelu.errors import InputError
    from geomrelu.network.network import Network

    network, domain = _inputs(options)
    shared = checker.Points if options.independent else Quick
    smaller = None if options.smaller is None else Network.from_file(options.smaller)
    rejected = 0
    for path in options.certificates:
        try:
            data = certificate.read(path)
            if smaller is not None and isinstance(data, dict) and data.get("geomrelu") == checker.PRUNING:
                changes = checker.check_pruning(data, network.checked, domain.checked, smaller.checked, shared)
                said = ", ".join(f"{count} {what}" for what, count in changes.items())
                print(f"accepted {path}: {options.smaller} equals {options.model} on the domain ({said})")
                continue
            claims = checker.check(data, network.checked, domain.checked, shared)
        except (checker.Rejected, checker.Malformed, InputError) as problem:  # what cannot be read proves nothing
            rejected += 1
            print(f"REJECTED {path}: {problem}")
        else:
            print(f"accepted {path}: {len(claims)} claim{'s'[: len(claims) != 1]} proved")
    return 1 if rejected else 0


def _convert(options: argparse.Namespace) -> int:
    from geomrelu.errors import InputError
    from geomrelu.geometry.polyhedron import read_any, write_domain
    from geomrelu.network.network import Network

    source, target = Path(options.input), Path(options.output)
    if source.suffix.lower() in (".onnx", ".npz") or (source.suffix.lower() == ".json" and _is_model(source)):
        if target.suffix.lower() != ".json":
            raise InputError(f"{target}: a model is written as .json")
        text = Network.from_file(source).to_json()
        try:
            target.write_text(text, encoding="utf-8")
        except OSError as problem:
            raise InputError(f"{target}: {problem.strerror}") from None
    else:
        write_domain(read_any(options.input), target)
    return 0


def _is_model(path: Path) -> bool:
    from geomrelu.certificates import files as certificate

    data = certificate.read(path)
    return isinstance(data, dict) and "layers" in data


# ---- verify and claims ------------------------------------------------------------------------------------------


def _verify(options: argparse.Namespace) -> int:
    from geomrelu.claims import registry as claims
    from geomrelu.claims import render, runner

    registry = claims.load()
    results: list[claims.Result] = []
    asked = claims.ordered(options.labels or None, registry)
    kept = None if options.report is None else runner.Kept(options.report)
    workers = runner.cores() if options.workers is None else options.workers
    depth = "thorough" if options.thorough else "default"
    if kept is not None:
        before = sum(kept.read(claim, depth) is not None for claim in asked)
        if before:
            _complain(f"{before} of {len(asked)} claims are verified in {options.report} already")
    with _progress("verifying") as (advance, clear):
        try:
            for result in runner.run(options.labels or None, depth, workers=workers, kept=kept, progress=advance):
                results.append(result)
                if options.format == "text":
                    clear()
                    print(result.as_text(), flush=True)
        except KeyboardInterrupt:
            again = "" if kept is None else f"; the same command goes on from what is in {options.report}"
            raise KeyboardInterrupt(f"{len(results)} of {len(asked)} claims are verified{again}") from None
        finally:  # interrupted or not: what was verified is said
            clear()
            if results or options.format == "json":
                print(render.results_as(options.format, results, registry), flush=True)
            if results and options.report is not None:
                from geomrelu.claims import report

                page = report.write(options.report, results, registry, complete=len(results) == len(asked))
                _complain(f"the page is {page}")
    return 1 if any(result.failed for result in results) else 0


def _claims(options: argparse.Namespace) -> int:
    from geomrelu.claims import registry as claims
    from geomrelu.claims import render

    registry = claims.load()
    if options.contents:
        print(render.contents(registry))
    elif options.label is None:
        print(render.registry_as(options.format, registry))
    else:
        print(render.claim_as(options.format, claims.named(options.label, registry), registry))
    return 0


# ---- probability ------------------------------------------------------------------------------------------------


def _probability(options: argparse.Namespace) -> int:
    from geomrelu.errors import InputError
    from geomrelu.network.network import Network
    from geomrelu.random_networks.estimate import Experiment, by_orbits, by_sampling
    from geomrelu.random_networks.shape import Shape

    sampling = options.trials is not None or options.half_width is not None
    if sampling and options.orbits is not None:
        raise InputError("--orbits walks orbits, --trials and --half-width sample networks: choose one")
    if (options.widths is None) == (options.model is None):
        raise InputError("say the --widths of the networks, or a --model of their shape")
    if options.points is not None and options.domain is not None:
        raise InputError("--points is a domain: say one of --points and --domain")
    points = options.points
    domain = options.domain or "R^n" if points is None else f"points:{points}" if points.isdecimal() else points
    shape, orbits = None, 1000 if options.orbits is None else options.orbits
    if options.model is None:
        if options.tied:
            raise InputError("--tied is for --model")
        widths, law = _widths(options.widths), options.law or "normal"
    else:
        if options.no_bias:
            raise InputError("--no-bias is for --widths: a model has the biases that it has")
        network = Network.from_file(options.model)
        shape, widths, law = Shape(network, options.tied), (network.inputs, *network.widths), options.law or "own"
        if law == "own" and options.orbits is None:
            orbits = 1
    experiment = Experiment(
        options.event, widths, law, options.scale, not options.no_bias, domain, options.layer, options.number,
        options.scheme, options.model,
    )  # fmt: skip
    with _running("sampling" if sampling else "walking", options) as running:
        if sampling:
            found = by_sampling(experiment, options.trials, options.half_width, options.seed, options.level, **running)
        else:
            found = by_orbits(experiment, orbits, options.seed, options.level, shape=shape, **running)
    if options.format == "json":
        print(json.dumps(found.as_json(), indent=1))
    else:
        print(found.as_text())
    return 0


def _widths(text: str) -> tuple[int, ...]:
    from geomrelu.errors import InputError

    parts = text.split(",")
    if not all(t.isascii() and t.isdigit() and len(t) < 7 for t in parts):
        raise InputError(f"--widths {text}: write N0,N1,... in whole numbers")
    return tuple(map(int, parts))


@contextmanager
def _running(what: str, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """What a long computation needs: who computes, where finished chunks go, and who is told."""
    from geomrelu.parallel import workers_on

    if options.seed < 0:
        from geomrelu.errors import InputError

        raise InputError("--seed must not be negative")
    with workers_on(options.workers, options.scheduler) as pool, _progress(what) as (advance, _):
        yield {
            "pool": pool,
            "journal": options.chunks,
            "progress": lambda done, total, pace: advance(pace, done, total),
        }


# ---- simulate and table -----------------------------------------------------------------------------------------


def _simulate(options: argparse.Namespace) -> int:
    from fractions import Fraction

    from geomrelu.errors import InputError
    from geomrelu.papers import figures, simulations
    from geomrelu.papers.tables import safe_width

    suffix = Path(options.output).suffix.lower()
    if suffix not in (*figures.FORMATS, ".json"):
        raise InputError(f"{options.output}: write {', '.join(figures.FORMATS)} or .json")
    widths = None if options.widths is None else _widths(options.widths)
    size = {"networks": options.networks, "points": options.points, "depth": options.depth, "seed": options.seed}
    if options.name == "safe-region":
        depths = list(range(1, 101))
        least = {p: [safe_width(k, Fraction(p)) for k in depths] for p in (Fraction(1, 10), Fraction(1, 100))}
        data: Any = {"hidden layers": depths, **{f"P(dies) < {float(p):g}": w for p, w in least.items()}}
        figure = figures.safe_region(depths, {float(p): w for p, w in least.items()})
    else:
        with _running(options.name, options) as running:
            if options.name == "figure-5":
                dimensions = widths or (2, 3, 4)
                more = {"law": options.law, "share": options.share, "seed": options.seed}
                estimates = simulations.figure_five(dimensions, **more, **running)
                figure, data = figures.figure_five(estimates), [e.as_json() for e in estimates.values()]
            elif options.name == "figure-1":
                plan = simulations.Living(widths or tuple(range(1, 16)), law=options.law, **size)
                found = simulations.living(plan, **running)
                figure, data = figures.figure_one(found), [vars(s) for s in found.values()]
            else:
                along = {p: simulations.widths_along(p, options.depth) for p in simulations.TARGETS}
                needed = tuple(sorted({n for row in along.values() for n in row}))
                plan = simulations.Living(needed, schemes=("iid",), law=options.law, variance=True, **size)
                two = {n: s for (n, _), s in simulations.living(plan, **running).items()}
                figure = figures.figure_two(two, simulations.TARGETS, along)
                data = {"n(k)": {str(p): row for p, row in along.items()}, "survival": [vars(s) for s in two.values()]}
    if suffix == ".json":
        try:
            Path(options.output).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        except OSError as problem:
            raise InputError(f"{options.output}: {problem.strerror}") from None
    else:
        figures.save(figure, options.output)
    return 0


def _table(options: argparse.Namespace) -> int:
    from geomrelu.errors import InputError
    from geomrelu.papers.tables import TABLES

    if options.name is None:
        width = max(map(len, TABLES))
        print("\n".join(f"{name:<{width}}  {(make.__doc__ or '').strip()}" for name, make in TABLES.items()))
        return 0
    if options.name not in TABLES:
        raise InputError(f"unknown table {options.name!r} (known: {', '.join(TABLES)})")
    print(TABLES[options.name]().render(options.format))
    return 0


# ---- progress ---------------------------------------------------------------------------------------------------

Advance = Callable[[str, int, int], None]


@contextmanager
def _progress(what: str) -> Iterator[tuple[Advance, Callable[[], None]]]:
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
