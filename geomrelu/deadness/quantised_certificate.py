"""What is proved of a quantised network as a certificate: written as it comes, gone on from, and judged again.

A certificate is JSON data::

    {"geomrelu": "quantised 1", "model": SHA-256, "domain": SHA-256, "points": [[numbers], ...],
     "claims": [{"layer": 3, "neuron": 5, "status": "dead" | "alive", "by": HOW, ...}, ...],
     "relaxed": [{"layer": 3, "neurons": [5, 8], "zeros": [[2, 7]], "certificate": {...}}, ...]}

HOW is one of

- ``intervals``: dead, as intervals of whole numbers show, with all that is claimed dead in layers before;
- ``all points``: of the domain, evaluated one after the other; with "supremum", the greatest value;
- ``point``: alive, as it fires at the entry of "points" that "point" numbers; it lies in the domain;
- ``relaxed``: dead, as an ordinary certificate of "relaxed" says about the network that contains the quantised one, see
  :mod:`geomrelu.deadness.quantised_relaxed`. That network is built again from "layer", "neurons" and "zeros", neurons
  of layers before that are claimed dead here; its neuron k stands for the k-th of "neurons". On disk the
  entry has "folder", "model" and "box" instead of "certificate": ordinary certificates in a folder beside the file. The
  network and its box are there, too (``layer-3-relaxed.json``, ``layer-3-domain.json``), to judge them by themselves.

:func:`judge` believes none of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from geomrelu import checker
from geomrelu.certificates import files
from geomrelu.certificates.files import Claim
from geomrelu.deadness.quantised_relaxed import SENTENCE, Finding, Relaxed, narrowed, relaxed
from geomrelu.deadness.verdict import Status, Verdict
from geomrelu.errors import InputError
from geomrelu.geometry.domains import write_domain
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.io.files import writable
from geomrelu.network.quantised import QuantisedNetwork, WholeNumbers
from geomrelu.resume import held

__all__ = ["FEW_POINTS", "FORMAT", "NAME", "Kept", "as_certificate", "judge", "read"]

FORMAT = "quantised 1"
NAME = "quantised.json"
FEW_POINTS = 1 << 20  # a grid of so many points is walked, all of them
_FOLDER = re.compile(r"layer-[1-9][0-9]{0,5}(-[1-9][0-9]{0,5})?")
Key = tuple[int, int]  # layer, neuron


def as_certificate(
    network: QuantisedNetwork,
    domain: Polyhedron | FiniteSet,
    found: Mapping[Key, Verdict],
    findings: Mapping[Key, Finding],
) -> dict[str, Any]:
    """A certificate of all verdicts that are settled, by the findings that show them."""
    settled = {key: v for key, v in sorted(found.items()) if v.status is not Status.UNDECIDED}
    points: dict[tuple[Fraction, ...], int] = {}
    claims: list[dict[str, Any]] = []
    used: dict[int, tuple[Relaxed, list[Claim]]] = {}
    for (layer, i), verdict in settled.items():
        finding = findings[layer, i]
        claim: dict[str, Any] = {"layer": layer, "neuron": i, "status": verdict.status.value, "by": finding.how}
        if finding.how == "point" and finding.point is not None:
            claim["point"] = points.setdefault(finding.point, len(points))
        if finding.how == "all points" and finding.value is not None:
            claim["supremum"] = str(finding.value)
        if finding.relaxed is not None and (shown := verdict.claim) is not None:
            used.setdefault(id(finding.relaxed), (finding.relaxed, []))[1].append(shown)
        claims.append(claim)
    return {
        "geomrelu": FORMAT,
        "model": network.digest,
        "domain": str(domain.checked.digest()),
        "points": [[str(x) for x in point] for point in points],
        "claims": claims,
        "relaxed": [
            _described(r) | {"certificate": files.as_certificate(own, *r.digests, [])} for r, own in used.values()
        ],
    }


def _described(found: Relaxed) -> dict[str, Any]:
    return {"layer": found.layer, "neurons": [*found.neurons], "zeros": [[*zero] for zero in found.zeros]}


def read(path: str | Path) -> Any:
    """The data of a certificate file; of one of a quantised network, with the ordinary certificates in its folders.

    Raises:
        InputError: missing or not JSON; a folder that is not named as here.
    """
    data = files.read(path)
    if not isinstance(data, dict) or data.get("geomrelu") != FORMAT or not isinstance(data.get("relaxed"), list):
        return data
    for entry in data["relaxed"]:
        if isinstance(entry, dict) and "folder" in entry:
            name, digests = entry.pop("folder"), (str(entry.pop("model", "")), str(entry.pop("box", "")))
            if not isinstance(name, str) or not _FOLDER.fullmatch(name):
                raise InputError(f"{path}: no folder of certificates is called {str(name)[:40]!r}")
            proved = [c for c in files.known(Path(path).parent / name, *digests) if c.get("status") != "open"]
            entry["certificate"] = files.as_certificate(proved, *digests, [])
    data["relaxed"] = [e for e in data["relaxed"] if not isinstance(e, dict) or _claims_something(e)]
    return data


def _claims_something(entry: dict[str, Any]) -> bool:
    """Or is nothing proved yet?"""
    certificate = entry.get("certificate")
    return not isinstance(certificate, dict) or bool(certificate.get("claims"))


# ---- judging ------------------------------------------------------------------------------------------------------


def judge(
    data: Any,
    network: QuantisedNetwork,
    domain: Polyhedron | FiniteSet,
    by: type[checker.Judge] = checker.Judge,
) -> list[dict[str, Any]]:
    """Prove every claim of a certificate; the claims.

    Points are evaluated by the plain forward pass; intervals and whole grids are computed again; relaxed networks are
    built again, and claims on them judged by the judge given.

    Raises:
        Rejected: of :mod:`geomrelu.checker`; the text says which claim, and why.
        InputError: a domain that quantised networks are not judged on.

    Exact: yes. Cost: that of what it claims; grids of more than 2^20 points are refused.
    """
    return _Judging(data, network, domain, by).claims()


class _Judging:
    def __init__(
        self, data: Any, network: QuantisedNetwork, domain: Polyhedron | FiniteSet, by: type[checker.Judge]
    ) -> None:
        checker.require(isinstance(data, dict) and data.get("geomrelu") == FORMAT, f"not a geomrelu {FORMAT}")
        checker.known(data, {"geomrelu", "model", "domain", "points", "claims", "relaxed"}, "the certificate")
        checker.require(data.get("model") == network.digest, "it is about another model")
        checker.require(data.get("domain") == domain.checked.digest(), "it is about another domain")
        for key in ("points", "claims", "relaxed"):
            checker.require(isinstance(data.get(key), list), f'"{key}" must be a list')
        checker.require(data["claims"], "it claims nothing")
        self.network, self.domain, self.by = network, domain, by
        self.points = [tuple(checker.numbers(point, network.inputs)) for point in data["points"]]
        self.passes: dict[int, list[list[Fraction]]] = {}
        self.whole = WholeNumbers(network, domain) if isinstance(domain, Polyhedron) else None
        self.by_layer: dict[int, list[dict[str, Any]]] = {}
        for claim in data["claims"]:
            checker.known(claim, {"layer", "neuron", "status", "by", "point", "supremum"}, "a claim")
            layer = checker.count(claim.get("layer"), network.depth + 1, "layer", 1)
            quantiser = network.quantisers[layer - 1]
            checker.require(quantiser is None or not any(quantiser.low), f"layer {layer} is no ReLU")
            checker.count(claim.get("neuron"), network.widths[layer - 1], "neuron")
            self.by_layer.setdefault(layer, []).append(claim)
        self.relaxed: dict[int, list[dict[str, Any]]] = {}
        for entry in data["relaxed"]:
            checker.known(entry, {"layer", "neurons", "zeros", "certificate", "why"}, "a relaxed network")
            layer = checker.count(entry.get("layer"), network.depth + 1, "layer", 1)
            self.relaxed.setdefault(layer, []).append(entry)
        self.dead: set[Key] = set()

    def claims(self) -> list[dict[str, Any]]:
        """Layer by layer: what is dead before narrows the intervals after."""
        found: list[dict[str, Any]] = []
        self.greatest = self._greatest()
        for layer in sorted(self.by_layer):
            proved = self._proved(layer)
            for claim in self.by_layer[layer]:
                i = claim["neuron"]
                try:
                    self._prove(claim, layer, i, proved)
                except checker.Rejected as problem:
                    raise checker.Rejected(f"layer {layer}, neuron {i}: {problem}") from None
                found.append(claim)
            dead = sorted({c["neuron"] for c in self.by_layer[layer] if c["status"] == "dead"})
            self.dead |= {(layer, i) for i in dead}
            if self.whole is not None and dead:
                self.whole.known(layer - 1, dead)
        return found

    def _prove(self, claim: dict[str, Any], layer: int, i: int, proved: set[int]) -> None:
        status, how = claim.get("status"), claim.get("by")
        checker.require(status in ("dead", "alive"), "its status is neither dead nor alive")
        checker.require(("point" in claim) <= (how == "point"), "a point is named that shows nothing")
        checker.require(("supremum" in claim) <= (how == "all points"), "only a walk of all points shows a supremum")
        if how == "point":
            k = checker.count(claim.get("point"), len(self.points), "point")
            fires = self._contains(k) and self._values(k)[layer - 1][i] > 0
            checker.require(status == "alive" and fires, "it does not fire at the point named")
        elif how == "all points":
            most = self.greatest[layer][i]
            checker.require((status == "alive") == (most > 0), "the points of the domain say otherwise")
            value = Fraction(0) if self.network.quantisers[layer - 1] is not None and status == "dead" else most
            if "supremum" in claim:
                checker.require(checker.number(claim["supremum"]) == value, "its supremum is another one")
        elif how == "intervals":
            shown = self.whole is not None and self.whole.bounds[layer][1][i] <= 0
            checker.require(status == "dead" and shown, "intervals do not show that it is dead")
        else:
            checker.require(how == "relaxed" and status == "dead" and i in proved, "nothing shows its verdict")

    def _contains(self, k: int) -> bool:
        if self.whole is not None:
            return all(low <= x <= high for x, (low, high) in zip(self.points[k], self.whole.sides, strict=True))
        assert isinstance(self.domain, FiniteSet)
        return self.points[k] in {tuple(point) for point in self.domain.points}

    def _values(self, k: int) -> list[list[Fraction]]:
        """The plain forward pass, once for each point: many neurons share one."""
        if k not in self.passes:
            self.passes[k] = self.network.values(self.points[k])
        return self.passes[k]

    def _greatest(self) -> dict[int, list[Fraction]]:
        """The greatest value of each neuron, of the layers with claims that need it."""
        layers = [layer for layer, claims in self.by_layer.items() if any(c.get("by") == "all points" for c in claims)]
        if not layers:
            return {}
        if self.whole is None:
            assert isinstance(self.domain, FiniteSet)
            values = [self.network.values(point, max(layers)) for point in self.domain.points]
            return {
                layer: [max(column) for column in zip(*(v[layer - 1] for v in values), strict=True)] for layer in layers
            }
        checker.require(self.whole.complete, "the inputs are real, so that no walk shows anything")
        checker.require(self.whole.count <= FEW_POINTS, f"the grid has {self.whole.count} points, too many to walk")
        found = self.whole.greatest(layers)
        return {
            layer: [self.whole.unit(layer, i) * int(v) for i, v in enumerate(most)]
            for layer, (most, _) in found.items()
        }

    def _proved(self, layer: int) -> set[int]:
        """The neurons of a layer that are dead in a relaxed network."""
        proved: set[int] = set()
        for entry in self.relaxed.get(layer, ()):
            neurons = _indices(entry.get("neurons"), self.network.widths[layer - 1])
            checker.require(self.whole is not None and neurons, "there is nothing to relax")
            assert self.whole is not None and isinstance(self.domain, Polyhedron)
            zeros = _zeros(entry.get("zeros"), self.dead)
            whole = self.whole if zeros == self.whole.zeros else narrowed(self.network, self.domain, zeros)
            rebuilt = relaxed(whole, layer, neurons)
            claims = checker.check(entry.get("certificate"), rebuilt.network.checked, rebuilt.box.checked, self.by)
            last = rebuilt.network.depth
            proved |= {neurons[c["neuron"]] for c in claims if c["status"] == "dead" and c["layer"] == last}
        return proved


def _indices(data: Any, below: int) -> list[int]:
    checker.require(isinstance(data, list), "neurons must be a list")
    return [checker.count(i, below, "neuron") for i in data]


def _zeros(data: Any, dead: Collection[Key]) -> list[Key]:
    """Neurons that have been proved to be dead in layers before."""
    checker.require(isinstance(data, list) and all(isinstance(z, list) for z in data), '"zeros" must be a list')
    zeros = [tuple(zero) for zero in data]
    known = all(len(z) == 2 and all(type(v) is int for v in z) and z in dead for z in zeros)
    checker.require(known, "intervals were narrowed by a neuron that is not shown to be dead")
    return zeros


# ---- on disk ------------------------------------------------------------------------------------------------------


class Kept:
    """What a directory keeps of runs on a quantised network on a domain; without a directory, nothing.

    Attributes:
        claims: (layer, neuron) -> the claim of an earlier run, its point written out. It is kept, and not believed.

    Raises:
        InputError: the directory holds claims about another model or domain, or damaged ones.
    """

    def __init__(self, directory: Path | None, network: QuantisedNetwork, domain: Polyhedron | FiniteSet) -> None:
        self.directory, self.network, self.domain = directory, network, domain
        self.claims: dict[Key, dict[str, Any]] = {}
        self.entries: list[dict[str, Any]] = []
        self.savers: list[files.Saver] = []
        self.unsaved = files.Unsaved()
        if directory is not None and (directory / NAME).exists():
            self._read(directory / NAME)

    def _read(self, path: Path) -> None:
        try:
            data = files.read(path)
        except InputError as problem:
            raise InputError(f"{problem}: {files.REMEDY}") from None
        if not isinstance(data, dict):
            raise InputError(f"{path} is damaged: {files.REMEDY}")
        if data.get("geomrelu") != FORMAT:
            return
        if (data.get("model"), data.get("domain")) != (self.network.digest, self.domain.checked.digest()):
            raise InputError(f"{path} {files.OTHER}")
        try:
            points = [tuple(checker.numbers(point, self.network.inputs)) for point in data["points"]]
            for claim in data["claims"]:
                layer = checker.count(claim["layer"], self.network.depth + 1, "layer", 1)
                neuron = checker.count(claim["neuron"], self.network.widths[layer - 1], "neuron")
                place = {"point": points[claim["point"]]} if "point" in claim else {}
                self.claims[layer, neuron] = claim | place
            for entry in data["relaxed"]:
                layer = checker.count(entry["layer"], self.network.depth + 1, "layer", 1)
                zeros = [(int(l), int(i)) for l, i in entry["zeros"]]
                neurons = _indices(entry["neurons"], self.network.widths[layer - 1])
                if neurons and _FOLDER.fullmatch(entry["folder"]):
                    self.entries.append(entry | {"zeros": zeros, "neurons": neurons})
        except (checker.Rejected, IndexError, KeyError, TypeError, ValueError):
            raise InputError(f"{path} is damaged: {files.REMEDY}") from None

    def points(self, layer: int) -> list[tuple[Fraction, ...]]:
        """Where neurons of a layer fired in an earlier run."""
        return list(
            dict.fromkeys(c["point"] for (level, _), c in self.claims.items() if level == layer and "point" in c)
        )

    def earlier(self, layer: int) -> list[tuple[list[Key], list[int]]]:
        """``(zeros, neurons)`` of the relaxed networks of a layer that an earlier run built."""
        return [(entry["zeros"], entry["neurons"]) for entry in self.entries if entry["layer"] == layer]

    def proved(self, found: Relaxed) -> list[int]:
        """The neurons that an earlier run has shown to be dead in a relaxed network."""
        dead = {c["neuron"] for c in self._known(found) if c.get("status") == "dead"}
        return [i for k, i in enumerate(found.neurons) if k in dead]

    def search(self, found: Relaxed) -> dict[str, Any]:
        """What :func:`geomrelu.deadness.decide.decide` is given, to go on from what is kept of a relaxed network and to
        keep what it finds."""
        if self.directory is None:
            return {}
        saver = files.Saver(self._folder(found), *found.digests, self.unsaved)
        self.savers.append(saver)

        def save(verdict: Verdict, points: list[list[str]]) -> None:
            if verdict.status is Status.DEAD and (claim := verdict.packed) is not None:
                saver.add(claim, points)

        return {"known": self._known(found), "save": save, "open_": saver.watch}

    def keep(self) -> None:
        """Write the proofs that are not finished."""
        for saver in self.savers:
            saver.flush([])
            saver.keep()
        self.savers = []

    def write(self, found: Mapping[Key, Verdict], findings: Mapping[Key, Finding]) -> list[str]:
        """Write what is proved, with what an earlier run left; the files.

        Raises:
            InputError: the directory cannot be written.
        """
        if self.directory is None:
            return []
        claims: dict[int, tuple[Relaxed, list[Claim]]] = {}
        for key, verdict in found.items():
            shown = findings[key].relaxed if verdict.status is Status.DEAD else None
            if shown is not None and (claim := verdict.claim) is not None:
                claims.setdefault(id(shown), (shown, []))[1].append(claim)
        written: list[str] = []
        for shown, own in claims.values():
            folder = self._folder(shown)
            paths = files.write(folder, shown.network.depth, own, *shown.digests, [])
            written += [f"{folder}-relaxed.json", f"{folder}-domain.json", *dict.fromkeys(paths.values())]
        new = as_certificate(self.network, self.domain, found, findings)
        with held(self.directory, files.PATIENCE):
            others = Kept(self.directory, self.network, self.domain)  # with what other runs have written meanwhile
            data = others._together(new)
            if not data["claims"]:
                return written
            folders = {entry["folder"] for entry in self.entries}
            entries = [*self.entries, *(entry for entry in others.entries if entry["folder"] not in folders)]
            files.save(self.directory / NAME, data | {"relaxed": [entry | {"why": SENTENCE} for entry in entries]})
        return [str(self.directory / NAME), *written]

    def _together(self, data: dict[str, Any]) -> dict[str, Any]:
        """A certificate with the claims of an earlier run about other neurons."""
        points = {tuple(point): k for k, point in enumerate(data["points"])}
        claims = {(c["layer"], c["neuron"]): c for c in data["claims"]}
        for key, claim in self.claims.items():
            if key not in claims:
                claims[key] = claim
                if "point" in claim:
                    named = tuple(map(str, claim["point"]))
                    claims[key] = claim | {"point": points.setdefault(named, len(points))}
        return data | {"points": [[*p] for p in points], "claims": [claims[key] for key in sorted(claims)]}

    def _folder(self, found: Relaxed) -> Path:
        """Where certificates about a relaxed network go; it and its box are written beside."""
        assert self.directory is not None
        with held(self.directory, files.PATIENCE):
            entry = self._entry(found)
            if entry is None:
                entry = _described(found) | dict(zip(("model", "box"), found.digests, strict=True))
                entry |= {"zeros": [*found.zeros], "folder": self._name(found.layer)}
                self.entries.append(entry)
            folder = writable(self.directory / entry["folder"])
            model, box = (folder.with_name(f"{folder.name}-{what}.json") for what in ("relaxed", "domain"))
            if not model.exists() or not box.exists():
                found.network.save(model)
                write_domain(found.box, box)
        return folder

    def _known(self, found: Relaxed) -> list[Claim]:
        entry = self._entry(found)
        if entry is None or self.directory is None:
            return []
        return files.known(self.directory / entry["folder"], *found.digests)

    def _entry(self, found: Relaxed) -> dict[str, Any] | None:
        """What is listed of a relaxed network."""
        about = found.layer, *found.digests
        return next((e for e in self.entries if (e["layer"], e.get("model"), e.get("box")) == about), None)

    def _name(self, layer: int) -> str:
        """A folder that holds nothing yet."""
        assert self.directory is not None
        taken = {entry["folder"] for entry in self.entries}
        k = 1
        while (name := f"layer-{layer}" + (f"-{k}" if k > 1 else "")) in taken or (
            any(self.directory.glob(f"{name}/*")) or (self.directory / f"{name}-relaxed.json").exists()
        ):
            k += 1
        return name
