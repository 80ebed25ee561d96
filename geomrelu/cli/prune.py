"""``geomrelu prune``: a smaller network that equals a model on a domain."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from geomrelu.cli.alarm import soon_after
from geomrelu.cli.shared import (
    DOMAINS,
    Advance,
    Command,
    add_reading,
    add_search,
    complain,
    complain_of_unsaved,
    decided,
    hashed,
    judged_on_one_piece,
    opening,
    progress_bar,
    unread,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from geomrelu.budget import Budget
    from geomrelu.deadness.pruning import Pruning
    from geomrelu.deadness.report import Report
    from geomrelu.deadness.verdict import LayerReport
    from geomrelu.geometry.domains import OneSet
    from geomrelu.network.network import Network
    from geomrelu.network.quantised import QuantisedNetwork

__all__ = ["add"]


def add(command: Command) -> None:
    """The arguments of the command."""
    sub = command("prune", "write a smaller network that equals a model exactly on a domain", epilog=DOMAINS)
    sub.add_argument("model", metavar="MODEL")
    sub.add_argument("--domain", required=True, metavar="DOMAIN")
    sub.add_argument(
        "-o", "--output", required=True, metavar="OUTPUT", help=".onnx, .npz or .json; of a quantised model: .onnx"
    )
    sub.add_argument("--report", action="store_true", help="say what was removed, folded, merged and saved")
    sub.add_argument("--certificate", metavar="FILE", help="write the proof that both networks are equal on the domain")
    sub.add_argument("--certificates", metavar="DIR", help="read and write proofs about neurons there, as decide does")
    add_search(sub)
    add_reading(sub)
    sub.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Decide, prune, write."""
    from geomrelu.budget import Budget
    from geomrelu.certificates import files as certificate
    from geomrelu.deadness.pruning import reserve
    from geomrelu.errors import InputError
    from geomrelu.io.files import kind_of, writable
    from geomrelu.network.quantised import QuantisedNetwork

    if options.workers < 1 or not options.time > 0 or (options.neuron_time is not None and not options.neuron_time > 0):
        raise InputError("--time, --workers and --neuron-time must be positive")
    kind = Path(options.output).suffix.lower()
    if kind not in (".json", ".npz", ".onnx"):
        raise InputError(f"{options.output}: unknown kind of model file (known: .json, .npz, .onnx)")
    if options.certificates is not None:
        writable(options.certificates)
    budget = Budget(options.time)
    network, domain = judged_on_one_piece(options)
    reading = options.time - budget.seconds_left()
    if options.certificates is not None or options.certificate is not None:
        hashed(options, network, budget)
    if isinstance(network, QuantisedNetwork):
        return _quantised(options, network, domain, budget)
    replaces = kind == ".onnx" and kind_of(options.model) == ".onnx"
    if replaces:
        complain(
            "note: the model keeps its operators, so only dead neurons go; writing .json or .npz also folds active "
            "neurons and merges multiples"
        )
    else:
        network.check_saving(options.output)  # what the format cannot hold is said before the work
    whole = Budget(budget.seconds_left(kept=reserve(reading, options.certificate is not None)))
    with progress_bar("pruning", budget) as (advance, _):
        # the rest of the time is for the proofs that neurons are active
        reports = _decided(options, network, domain, whole.seconds_left(0.9), advance)
        with soon_after(budget, f"{options.output} is written"):
            found, sizes, lines = (_replaced if replaces else _rewritten)(options, network, domain, reports, whole)
    if options.certificate is not None:
        with soon_after(budget, f"{options.certificate} is written"):
            certificate.save(Path(options.certificate), found.certificate)
    if options.report:
        _table([*zip(("neurons", "parameters", "multiplications"), found.before, found.after, strict=True), *sizes])
        print(f"{found.said}.")
    if options.report or replaces:
        print("".join(f"{line}\n" for line in lines), end="")
    return _ended(options, reports, len(reports.undecided), [] if replaces else unread(network))


def _decided(
    options: argparse.Namespace,
    network: Network | QuantisedNetwork,
    domain: OneSet,
    seconds: float,
    advance: Advance,
) -> Report:
    """The verdicts; on Ctrl-C the line says how many there are."""
    from geomrelu.deadness.front_door import decide, neurons_asked

    finished: list[LayerReport] = []
    try:
        return decide(
            network, domain, time=seconds, neuron_time=options.neuron_time, workers=options.workers,
            scheduler=options.scheduler, certificates=options.certificates, together=False,
            progress=advance, told=lambda layer, _: finished.append(layer),
        )  # fmt: skip
    except KeyboardInterrupt:
        asked = sum(map(len, neurons_asked(network, None, None).values()))
        raise KeyboardInterrupt(decided(finished, asked, options.certificates)) from None


def _ended(options: argparse.Namespace, report: Report, undecided: int, lost: Sequence[str] = ()) -> int:
    """The last line, and the exit code; ``lost``: what of the model is not in the file that was written."""
    for line in lost:
        print(f"Not read, and not in {options.output}: {line}.")
    open_ = "1 neuron is undecided and stays" if undecided == 1 else f"{undecided} neurons are undecided and stay"
    print(
        f"{options.output} equals {'what is read of ' if lost else ''}{options.model} on the domain, exactly (proved)"
        + (f"; {open_}." if undecided else ".")
    )
    complain_of_unsaved(report)
    return 3 if undecided else 0


def _quantised(options: argparse.Namespace, network: QuantisedNetwork, domain: OneSet, budget: Budget) -> int:
    """The file of a network of whole numbers without the channels that are dead."""
    from geomrelu.deadness.quantised_pruning import smaller_file
    from geomrelu.deadness.quantised_report import QuantisedReport
    from geomrelu.errors import InputError

    if Path(options.output).suffix.lower() != ".onnx":
        raise InputError(f"{options.output}: a quantised network is written as .onnx")
    whole = network.reading.rows == 1
    with progress_bar("pruning", budget) as (advance, _):
        # the rest of the time is for writing and reading again
        report = _decided(options, network, domain, budget.seconds_left(0.9), advance)
        assert isinstance(report, QuantisedReport)
        with soon_after(budget, f"{options.output} is written"):
            found = smaller_file(options.model, report, whole_batch=whole, **opening(options))
            found.save(options.output, options.certificate)
    if options.report:
        _table(found.sizes)
        print(f"{found.removed} dead removed.")
    for line in _left(found.removed, found.stay):
        print(line)
    return _ended(options, report, found.undecided)


def _table(rows: Iterable[tuple[str, int, int]]) -> None:
    print(f"{'':15}  {'before':>10}  {'after':>10}  {'saved':>10}")
    for what, before, after in rows:
        print(f"{what:15}  {before:>10,}  {after:>10,}  {before - after:>10,}")


def _rewritten(
    options: argparse.Namespace, network: Network, domain: OneSet, reports: Report, budget: Budget
) -> tuple[Pruning, list[tuple[str, int, int]], list[str]]:
    """The smaller network, written from its numbers."""
    from geomrelu.deadness.pruning import prune
    from geomrelu.errors import InputError

    refusal: list[str] = []
    for fold, merge in ((True, True), (False, True), (False, False)):  # until the format can hold it
        found = prune(network, domain, reports, budget, fold=fold, merge=merge)
        try:
            found.network.save(options.output)
        except InputError as problem:
            refusal = [f"Some stay because of the format: {problem}"]
            if not (fold or merge):
                raise
        else:
            break
    return found, [], refusal


def _replaced(
    options: argparse.Namespace, network: Network, domain: OneSet, reports: Report, budget: Budget
) -> tuple[Pruning, list[tuple[str, int, int]], list[str]]:
    """The model's own file without the channels that are dead: its names, shapes and operators stay."""
    from geomrelu.deadness.drop_in import drop_in
    from geomrelu.io.files import write

    whole = network.reading is not None and network.reading.rows == 1
    found = drop_in(options.model, network, domain, reports, budget, whole_batch=whole, **opening(options))
    write(options.output, found.data)
    sizes = [("bytes", found.bytes_before, len(found.data))]
    return found.pruning, sizes, _left(found.pruning.removed, found.stay)


def _left(removed: int, stay: int) -> list[str]:
    """What a file keeps, and why."""
    lines = [] if removed else ["Nothing can be taken from the model: it is kept as it is."]
    if stay:
        lines.append(
            f"{stay} dead {'neuron stays' if stay == 1 else 'neurons stay'}: "
            "the channel is alive elsewhere, or an operator needs its number."
        )
    return lines
