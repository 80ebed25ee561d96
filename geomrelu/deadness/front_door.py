"""The front door: :func:`decide`, what people call; :mod:`geomrelu.deadness.decide` finds the verdicts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from geomrelu.arguments import filename, function, integer, integers, seconds, truth
from geomrelu.budget import Budget
from geomrelu.certificates import files
from geomrelu.certificates.files import Claim
from geomrelu.deadness.branch_and_bound import Tree
from geomrelu.deadness.decide import decide as judged
from geomrelu.deadness.float_arithmetic import float_type
from geomrelu.deadness.from_data import FromData, from_data
from geomrelu.deadness.in_floats import check_floats
from geomrelu.deadness.on_data import as_points
from geomrelu.deadness.problem import EARLIER
from geomrelu.deadness.report import CURVED, PIECEWISE, Report, UnionReport, claims_of, shared_claims_of
from geomrelu.deadness.unions import evidence, open_neurons, united
from geomrelu.deadness.verdict import LayerReport, Verdict
from geomrelu.errors import InputError
from geomrelu.exact.numbers import long_numbers, rational
from geomrelu.geometry.domains import Domain, OneSet, Union, as_domain
from geomrelu.geometry.ellipsoid import Ellipsoid
from geomrelu.io.files import writable
from geomrelu.io.points import read_points
from geomrelu.network.front_door import as_judged
from geomrelu.network.network import Network
from geomrelu.network.quantised import QuantisedNetwork
from geomrelu.parallel import workers_on

__all__ = ["around", "check_arithmetic", "check_directory", "decide", "neurons_asked"]


@long_numbers()
def decide(
    model: Any,
    domain: Any = None,
    layers: int | Sequence[int] | None = None,
    neurons: int | Sequence[int] | Mapping[int, Sequence[int]] | None = None,
    *,
    time: float = 600.0,
    regions: int | None = None,
    neuron_time: float | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    certificates: str | PathLike[str] | None = None,
    arithmetic: str | None = None,
    data: Any = None,
    widen: Any = "11/10",
    together: bool = True,
    progress: Callable[[str, int, int], None] | None = None,
    told: Callable[[LayerReport, dict[int, str]], None] | None = None,
) -> Report:
    """Which neurons of a network are dead on a set, each with a proof that the checker has accepted.

    Args:
        model: a path, a ``torch.nn.Module``, a state dict, layers of arrays, or a :class:`Network`. A quantised ONNX
            model is judged as the network of whole numbers that it is, on a bounded box or on points, which gives a
            :class:`~geomrelu.deadness.quantised_report.QuantisedReport`.
        domain: ``(low, high)``, one such pair for each input, an array of points, text or a file as ``--domain``, a
            :class:`Polyhedron`, an :class:`Ellipsoid`, or a :class:`Union` of polyhedra, which gives a
            :class:`UnionReport`.
        layers: which ReLU layers, from 1 (default all). neurons: which of each layer, from 0 (default all), or
            layer -> which of it.
        time: seconds in all. regions: pieces and boxes in all. neuron_time: seconds for each hard neuron. What is open
            when a budget ends is undecided, with the reason.
        workers: processes for hard neurons. scheduler: address of a Dask scheduler, whose workers do that instead.
        certificates: a directory: what is proved goes there as it comes, and what it holds is not sought again.
        arithmetic: "float32", "float16" or "bfloat16": say as well which neurons are dead in that type, whatever the
            order of summation (half of the time is for that): :attr:`Report.floats`.
        data: instead of a domain: an array (points, inputs), a path (.npy, .npz, .csv), or batches of points such as a
            ``torch.utils.data.DataLoader``: which neurons are silent on them, and how far around them that is proved,
            also on the box around them ``widen`` times as large; gives a
            :class:`~geomrelu.deadness.from_data.FromData`.
        together: may proofs rest on one another? Neurons that are proved so are not pruned.
        progress: called with (what is going on, neurons decided, neurons asked).
        told: called with each layer's report when it is finished, and the files of its certificates.

    Raises:
        InputError: what cannot be read, no such layer or neuron, an empty domain, a directory about something else.

    Evidence: every verdict's claim has been accepted by the checker; or, of whole layers on a box, the same sums (layer
        1) or floats with a proven error (:mod:`geomrelu.deadness.layer_bounds`) show that it would be.
        :meth:`Report.check` judges all of them.
    Exact: yes; undecided is the third answer.
    Method: see :mod:`geomrelu.deadness.decide`. Source: Rister & Rubin, section 2; Brownlowe et al.

    >>> report = decide([([[1, 0], [0, 1]], [0, 0], "relu"), ([[1, 1]], [-3], "relu")], (-1, 1))
    >>> report.dead, report.alive, report.check()
    ([(2, 0)], [(1, 0), (1, 1)], 3)
    """
    network = as_judged(model)
    if data is not None:
        if domain is not None or arithmetic is not None or regions is not None or certificates is not None:
            raise InputError(
                "with data there is no domain, arithmetic, regions or certificates: FromData.save writes them"
            )
        if isinstance(network, QuantisedNetwork):
            raise InputError("data are for networks that are not quantised")
        return around(  # type: ignore[return-value]
            network, data, layers, neurons, widen=widen, time=time, neuron_time=neuron_time, workers=workers,
            scheduler=scheduler, progress=progress,
        )  # fmt: skip
    set_ = as_domain(domain, network.inputs, network.reading)
    time, workers = seconds(time, "time"), integer(workers, "workers", 1)
    regions = None if regions is None else integer(regions, "regions", 0)
    neuron_time = None if neuron_time is None else seconds(neuron_time, "neuron_time")
    layers, neurons = _layers(layers), _neurons(neurons)
    function(progress, "progress")
    function(told, "told")
    certificates = None if certificates is None else filename(certificates, "certificates")
    how: dict[str, Any] = {
        "regions": regions,
        "neuron_time": neuron_time,
        "workers": workers,
        "scheduler": scheduler,
        "progress": progress,
    }
    if isinstance(network, QuantisedNetwork):
        from geomrelu.deadness import quantised_report  # start-up time and memory of all others

        quantised_report.check_options(arithmetic)
        asked = neurons_asked(network, layers, neurons)
        return quantised_report.decide(network, set_, asked, time, certificates=certificates, told=told, **how)
    how["together"] = truth(together, "together")
    if arithmetic is not None:
        whole = Budget(time)
        check_arithmetic(arithmetic, network, set_, layers)  # before anything takes long
        report = decide(network, set_, layers, neurons, time=time / 2, certificates=certificates, told=told, **how)
        *_, floats = report.in_floats(arithmetic, whole.seconds_left(), progress)
        return replace(report, floats=floats)
    if isinstance(set_, Union):
        return _on_pieces(network, set_, layers, neurons, time, certificates, told, how)
    asked, budget = neurons_asked(network, layers, neurons), Budget(time, regions)
    keeper = _Keeper(None if certificates is None else writable(certificates), network, set_, asked)
    told_of, every = dict.fromkeys(asked, 0), sum(map(len, asked.values()))

    def advanced(layer: int, decided: int, _: int) -> None:
        told_of[layer] = decided
        if progress is not None:
            progress(f"layer {layer}", sum(told_of.values()), every)

    def grown(tree: Tree) -> None:
        if progress is not None:
            progress(f"layer {tree.level}, neuron {tree.neuron}: {tree}", sum(told_of.values()), every)
        keeper.watch(tree)

    found: dict[int, LayerReport] = {}
    written: dict[tuple[int, int], str] = {}
    with workers_on(workers, scheduler) as (executor, _):
        try:
            for layer in judged(
                network, set_, layers, neurons, budget, advanced,
                each=neuron_time, executor=executor, known=keeper.known, save=keeper.save, open_=grown,
                together=together,
            ):  # fmt: skip
                found[layer.layer] = layer
                paths = keeper.write(layer)
                written |= {(layer.layer, neuron): path for neuron, path in paths.items()}
                if told is not None:
                    told(layer, paths)
        finally:
            keeper.keep()
    return Report(network, set_, found, time, written, unsaved=tuple(keeper.unsaved.texts))


def around(
    network: Network,
    data: Any,
    layers: Any = None,
    neurons: Any = None,
    *,
    widen: Any = "11/10",
    time: float = 600.0,
    neuron_time: float | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> FromData:
    """What :func:`decide` gives for data.

    Raises:
        InputError: as there; data of another shape, or a factor below 1.
    """
    budget = Budget(seconds(time, "time"))
    function(progress, "progress")
    given = read_points(Path(data)) if isinstance(data, (str, PathLike)) else data
    points = as_points(given, network.inputs, network.reading)
    each = None if neuron_time is None else seconds(neuron_time, "neuron_time")
    asked = neurons_asked(network, _layers(layers), _neurons(neurons))
    with workers_on(integer(workers, "workers", 1), scheduler) as (executor, _):
        return from_data(
            network,
            points,
            asked,
            budget,
            widen=rational(widen, "widen"),
            each=each,
            executor=executor,
            progress=progress,
        )


def check_arithmetic(arithmetic: str, network: Network, domain: Domain, layers: list[int] | None) -> None:
    """Can rounding errors be bounded?

    Raises:
        InputError: the domain is a union or an ellipsoid, or see :func:`geomrelu.deadness.in_floats.check_floats`.
    """
    float_type(arithmetic)
    if isinstance(domain, Ellipsoid):
        raise InputError(CURVED)
    if isinstance(domain, Union):
        raise InputError(PIECEWISE)
    check_floats(arithmetic, network, domain, max(neurons_asked(network, layers, None), default=0))


def check_directory(directory: Path, network: Network, domain: Domain, layers: Any = None) -> None:
    """Can certificates about layers be written there?

    Raises:
        InputError: it holds some about another model or domain.
    """
    pieces = (
        {f"piece-{k}": piece for k, piece in enumerate(domain.pieces, 1)} if isinstance(domain, Union) else {"": domain}
    )
    for name, piece in pieces.items():
        files.known(directory / name, network.digest, piece.checked.digest(), neurons_asked(network, layers, None))


def _on_pieces(
    network: Network,
    union: Union,
    layers: list[int] | None,
    neurons: Any,
    time: float,
    certificates: str | PathLike[str] | None,
    told: Callable[[LayerReport, dict[int, str]], None] | None,
    how: dict[str, Any],
) -> UnionReport:
    """Piece by piece, each with an even share of the time that is left and a directory of its own."""
    budget = Budget(time)
    asked = neurons_asked(network, layers, neurons)
    parts: list[Report] = []
    interrupted: KeyboardInterrupt | None = None
    for k, piece in enumerate(union.pieces):
        rest = open_neurons(asked, [part.layers for part in parts])
        if not rest or budget.ended:
            break
        share = budget.seconds_left(1 / (len(union.pieces) - k))
        folder = None if certificates is None else writable(Path(certificates) / f"piece-{k + 1}")
        try:
            parts.append(decide(network, piece, list(rest), rest, time=share, certificates=folder, **how))
        except KeyboardInterrupt as stop:
            interrupted = stop
            break
    found = united(asked, [*(part.layers for part in parts), *({} for _ in union.pieces[len(parts) :])], network.widths)
    own = [part.files for part in parts]
    verdicts = [verdict for layer in found for verdict in layer.verdicts]
    files_ = {(v.layer, v.neuron): path for v in verdicts if (path := evidence(v, own)) is not None}
    if told is not None:
        for layer in found:
            told(layer, {neuron: path for (level, neuron), path in files_.items() if level == layer.layer})
    if interrupted is not None:
        raise interrupted
    unsaved = tuple(text for part in parts for text in part.unsaved)
    layers_ = {layer.layer: layer for layer in found}
    return UnionReport(network, union, layers_, time, files_, unsaved=unsaved, parts=tuple(parts))


def neurons_asked(network: Network | QuantisedNetwork, layers: list[int] | None, neurons: Any) -> dict[int, list[int]]:
    """Layer -> neurons, of what may be left open: by default all layers that are the model's own, with all neurons.

    Raises:
        InputError: no such layer or neuron.
    """
    chosen = network.judged if layers is None else layers
    return {layer: _neurons_of(network, layer, neurons) for layer in chosen}


def _neurons_of(network: Network | QuantisedNetwork, layer: int, neurons: Any) -> list[int]:
    """Those asked about in a layer."""
    if not 1 <= layer <= network.depth:
        raise InputError(f"there is no layer {layer}: the model has {network.depth} ReLU layers")
    chosen = neurons.get(layer) if isinstance(neurons, Mapping) else neurons
    width = network.widths[layer - 1]
    for i in chosen or ():
        if not 0 <= i < width:
            raise InputError(f"there is no neuron {i} in layer {layer}, which has {width}")
    return list(range(width)) if chosen is None else sorted(set(chosen))


def _layers(layers: Any) -> list[int] | None:
    return None if layers is None else integers(layers, "layers")


def _neurons(neurons: Any) -> list[int] | dict[int, list[int]] | None:
    """Those of each layer, or of a layer -> those of it."""
    if isinstance(neurons, Mapping):
        return {integer(l, "a layer"): integers(some, f"the neurons of layer {l}") for l, some in neurons.items()}
    return None if neurons is None else integers(neurons, "neurons")


class _Keeper:
    """What is proved goes to a directory as it comes, what stands there already excepted; without one, nowhere."""

    def __init__(self, directory: Path | None, network: Network, domain: OneSet, layers: Collection[int]) -> None:
        self.directory = directory
        self.known: list[Claim] = []
        self.standing: dict[tuple[int, int], tuple[Path, Claim]] = {}
        self.saver: files.Saver | None = None
        self.together: list[Claim] = []
        self.run: set[Path] = set()
        self.unsaved = files.Unsaved()
        if directory is not None:
            self.digests = network.digest, str(domain.checked.digest())
            found = files.found(directory, *self.digests, layers)
            self.known = [entry.claim for entry in found]
            self.standing = {(c["layer"], c["neuron"]): (path, c) for c, path, current in found if current}
            self.saver = files.Saver(directory, *self.digests, self.unsaved)

    def save(self, verdict: Verdict, points: list[list[str]]) -> None:
        if self.saver is None or (claim := verdict.packed) is None:
            return
        key = verdict.layer, verdict.neuron
        if key in self.standing and not _is_same(claim, self.standing[key][1], points, verdict.reason == EARLIER):
            del self.standing[key]
        if key not in self.standing:
            self.saver.add(claim, points)

    def watch(self, tree: Tree) -> None:
        if self.saver is not None:
            self.saver.watch(tree)

    def keep(self) -> None:
        if self.saver is not None:
            with self.unsaved.noted():
                self.saver.keep()

    def write(self, layer: LayerReport) -> dict[int, str]:
        written: dict[int, str] = {}
        if self.directory is None:
            return written
        own = {i: path for (level, i), (path, _) in self.standing.items() if level == layer.layer}
        there = {path: str(path) for path in set(own.values()) if path.exists()}
        new = []
        for claim in claims_of(layer):
            path = own.get(claim["neuron"])
            if path in there:
                written[claim["neuron"]] = there[path]
            else:
                new.append(claim)
        with self.unsaved.noted():
            written |= files.write(self.directory, layer.layer, new, *self.digests, layer.points) if new else {}
        together = list(shared_claims_of(layer))
        if together:
            self.together += together
            with self.unsaved.noted():
                name = files.write_shared(self.directory, self.together, *self.digests, self.run)
                written |= {claim["neuron"]: name for claim in together}
        return written


def _is_same(claim: Claim, earlier: Claim, points: list[list[str]], judged: bool) -> bool:
    """Is a claim what stands in a file? Of one that was ``judged`` the proof is, but not all of it need have held."""
    for key in (claim.keys() | earlier.keys()) - ({"proof"} if judged else set()):
        one, other = claim.get(key), earlier.get(key)
        if key == "point" and type(one) is int:
            one = points[one]
        if one is not other and one != other:  # many claims share a point, which may be long
            return False
    return True
