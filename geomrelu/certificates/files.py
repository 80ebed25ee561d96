"""Certificates as files: claims and the points they share, bound to a model and a domain by content.

A claim is a plain dictionary of the judge's grammar (see FORMAT.md). Here claims are collected into certificates; the
large proofs get a file of their own, everything else about a layer shares one.
"""

from __future__ import annotations

import json
import os
import re
import time
import zlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from secrets import token_hex
from typing import Any, NamedTuple, Protocol

from geomrelu import checker
from geomrelu.errors import InputError
from geomrelu.replacing import replacing
from geomrelu.resume import held

__all__ = [
    "Claim",
    "Found",
    "Packed",
    "Saver",
    "Shared",
    "as_certificate",
    "found",
    "is_shared",
    "known",
    "packed",
    "read",
    "save",
    "unpacked",
    "with_parts",
    "write",
    "write_shared",
]

Claim = dict[str, Any]

OTHER = "is about another model or domain: choose another directory"
REMEDY = "remove it or choose another directory"
PATIENCE = 10.0  # seconds for another run that writes to the same directory
TOGETHER = "together.json"  # the file of claims that share a tree


class Tree(Protocol):
    """A tree on whose leaves bounds are derived, and that grows."""

    def tree(self, length: int) -> list[Any]:
        """Its nodes, when it was so long."""


class Shared(NamedTuple):
    """The proof of a claim about what is derived on each leaf of a tree that others need as well ("parts")."""

    tree: Tree
    length: int


class Packed:
    """A proof that is a tree, as compressed texts of some of its nodes each: as objects they take a hundred times as
    much. It may come from nodes that never are in memory all at once, and goes to a file likewise.
    """

    SOME = 1_000  # nodes of a text

    def __init__(self, nodes: Iterable[Any]) -> None:
        self._texts: list[bytes] = []
        self._length, rest = 0, iter(nodes)
        while some := list(islice(rest, self.SOME)):
            self._texts.append(zlib.compress(json.dumps(some).encode(), 1))
            self._length += len(some)

    def __len__(self) -> int:
        return self._length

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Packed) and self._texts == other._texts

    __hash__ = None  # type: ignore[assignment]

    def proof(self) -> list[Any]:
        """The nodes."""
        return [node for text in self._texts for node in json.loads(zlib.decompress(text))]

    def text(self) -> Iterator[str]:
        """What ``json.dumps`` makes of the nodes, piece by piece."""
        for k, text in enumerate(self._texts):
            yield ("[", ", ")[k > 0] + zlib.decompress(text).decode()[1:-1]
        yield "]" if self._texts else "[]"


def packed(nodes: Iterable[Any]) -> Packed | list[Any]:
    """A proof, packed if it is a tree; single nodes may be shared by many claims."""
    rest = iter(nodes)
    first = list(islice(rest, 2))
    return Packed(chain(first, rest)) if len(first) > 1 else first


def unpacked(claim: Claim) -> Claim:
    """A claim in the judge's grammar, but for a tree that it shares."""
    proof = claim.get("proof")
    return {**claim, "proof": proof.proof()} if isinstance(proof, Packed) else claim


KINDS = ("", "-intervals")  # what one derivation serves stands in one file: of layers as a whole, or by intervals


def as_certificate(claims: Iterable[Claim], model: str, domain: str, points: list[list[str]]) -> dict[str, Any]:
    """One certificate of some claims; only the points they name are kept, and renumbered. Claims that share a tree all
    have to share the same one. Of a single claim the proof may stay packed, for :func:`save`."""
    claims = list(claims)
    claims = [unpacked(claim) for claim in claims] if len(claims) > 1 else claims
    place: dict[int, int] = {}
    renumbered = []
    for claim in claims:
        if type(claim.get("point")) is int:
            claim = {**claim, "point": place.setdefault(claim["point"], len(place))}
        renumbered.append(claim)
    chain, renumbered = _shared(renumbered)
    renumbered, parts = with_parts(renumbered)
    return {
        "geomrelu": checker.FORMAT,
        "model": model,
        "domain": domain,
        "points": [points[k] for k in place],
        **({"derive": chain} if chain else {}),
        **parts,
        "claims": renumbered,
    }


def is_shared(claim: Claim) -> bool:
    """Does its proof share a tree with others?"""
    return isinstance(claim.get("proof"), Shared)


def with_parts(claims: Iterable[Claim]) -> tuple[list[Claim], dict[str, Any]]:
    """Claims as a certificate has them, and the tree that some of them share, if there is one."""
    claims = list(claims)
    proofs = [claim["proof"] for claim in claims if is_shared(claim)]
    if not proofs:
        return claims, {}
    longest = max(proofs, key=lambda proof: proof.length)
    assert all(proof.tree is longest.tree for proof in proofs)
    found = [{**claim, "proof": "parts"} if is_shared(claim) else claim for claim in claims]
    return found, {"parts": longest.tree.tree(longest.length)}


def by_intervals(claim: Claim) -> bool:
    """Does the proof of a claim bound some layer by intervals alone?"""
    return any(len(item) == 2 and not item[1] for item in _first(claim).get("derive", []))


def _first(claim: Claim) -> dict[str, Any]:
    """The root of the proof, if there is one."""
    proof = claim.get("proof")
    return proof[0] if isinstance(proof, list) and proof else {}


def _is_chain(items: list[Any], level: int) -> bool:
    """Does it derive all layers before a layer, once each?"""
    return len(items) == level - 1 and all(item in ([at], [at, []]) for at, item in enumerate(items, 1))


def _derives(claim: Claim) -> bool:
    """Is there a proof that needs layers before to be derived?"""
    return claim["layer"] > 1 and isinstance(claim.get("proof"), list) and bool(claim["proof"])


def _shared(claims: list[Claim]) -> tuple[list[Any], list[Claim]]:
    """If several proofs begin with deriving all layers in one way, that is done once: how, and claims without it."""
    proved = [c for c in claims if _derives(c)]
    firsts: list[list[Any]] = [_first(c).get("derive", [])[: c["layer"] - 1] for c in proved]
    chain = max(firsts, key=len, default=[])
    alike = all(_is_chain(own, c["layer"]) and own == chain[: len(own)] for own, c in zip(firsts, proved, strict=True))
    if len(proved) < 2 or not alike:
        return [], claims
    found = []
    for claim in claims:
        if _derives(claim):
            first = dict(claim["proof"][0])
            rest = first.pop("derive")[claim["layer"] - 1 :]
            claim = {**claim, "proof": [first | ({"derive": rest} if rest else {}), *claim["proof"][1:]]}
        found.append(claim)
    return chain, found


def _claims(data: dict[str, Any]) -> list[Claim]:
    """The claims of a certificate, each complete in itself; those that another version proved are left out."""
    chain, current, found = data.get("derive", []), data.get("geomrelu") == checker.FORMAT, []
    for claim in data["claims"]:
        if not current and "proof" in claim and claim.get("status") != "open":
            continue
        if chain and "proof" in claim and claim["layer"] > 1:
            own = chain[: claim["layer"] - 1]
            if not _is_chain(own, claim["layer"]):
                continue
            first = claim["proof"][0]
            derive = {"derive": own + first.get("derive", [])}
            claim = {**claim, "proof": [{**first, **derive}, *claim["proof"][1:]]}
        found.append(claim)
    return found


def write(
    directory: Path, layer: int, claims: Iterable[Claim], model: str, domain: str, points: list[list[str]]
) -> dict[int, str]:
    """Write the claims about one layer, but for those that share a tree; returns the file of each neuron. Of claims
    with large proofs one at a time is in use.

    Claims about other neurons that an earlier run left there are kept. Each file is complete or absent: it is written
    under another name and then renamed. Runs that write to one directory take turns.

    Raises:
        InputError: the directory holds claims about another model or domain, or cannot be written.
    """
    shared = {kind: directory / f"layer-{layer}{kind}.json" for kind in KINDS}
    with held(directory, PATIENCE):
        together, points = _earlier(directory, layer, shared, model, domain, points)
        files: dict[int, str] = {}
        names = {kind: str(path) for kind, path in shared.items()}
        for claim in claims:
            if is_shared(claim):
                continue
            i = claim["neuron"]
            for others in together.values():
                others.pop(i, None)
            if len(claim.get("proof", ())) > 1:
                path = directory / f"layer-{layer}-neuron-{i}.json"
                save(path, as_certificate([claim], model, domain, points))
                files[i] = str(path)
            else:
                kind = KINDS[by_intervals(claim)]
                together[kind][i] = claim
                files[i] = names[kind]
        for kind, some in together.items():
            if some:
                save(shared[kind], as_certificate([some[i] for i in sorted(some)], model, domain, points))
        # what stands elsewhere, only now, so that no claim is ever on disk nowhere
        for kind, some in together.items():
            if not some:
                shared[kind].unlink(missing_ok=True)
        shorter = {i for some in together.values() for i in some}
        for path, i in _of_neurons(directory, layer):
            if i in (shorter if path.suffix == ".json" else files):
                path.unlink(missing_ok=True)
    return files


def _of_neurons(directory: Path, layer: int) -> Iterator[tuple[Path, int]]:
    """The files about one neuron each of a layer, finished or not, and which. (There are fewer than neurons.)"""
    of_neuron = re.compile(rf"layer-{layer}-neuron-([0-9]+)\.(?:json|unfinished)")
    for name in sorted(os.listdir(directory) if directory.is_dir() else ()):
        if match := of_neuron.fullmatch(name):
            yield directory / name, int(match[1])


def write_shared(directory: Path, claims: list[Claim], model: str, domain: str, run: set[Path]) -> str:
    """Write claims that share a tree; returns the file. ``run``: files of this run, which may be written over."""
    with held(directory, PATIENCE):
        path, k = directory / TOGETHER, 1
        while path.exists() and path not in run:  # of another run, whose claims stand
            k += 1
            path = directory / TOGETHER.replace(".", f"-{k}.")
        save(path, as_certificate(claims, model, domain, []))
        run.add(path)
    return str(path)


def _earlier(
    directory: Path, layer: int, shared: dict[str, Path], model: str, domain: str, points: list[list[str]]
) -> tuple[dict[str, dict[int, Claim]], list[list[str]]]:
    """The claims in the shared files of a layer, of each kind by neuron; their points come after those given."""
    together: dict[str, dict[int, Claim]] = {kind: {} for kind in shared}
    for path, _ in _of_neurons(directory, layer):
        if path.suffix == ".json":
            _own(path, model, domain)
    for kind, path in shared.items():
        if not path.exists():
            continue
        known = _own(path, model, domain)
        shift = len(points)
        points = [*points, *known["points"]]
        for claim in _claims(known):
            place = {"point": claim["point"] + shift} if type(claim.get("point")) is int else {}
            together[kind][claim["neuron"]] = claim | place
    return together, points


def _own(path: Path, model: str, domain: str) -> dict[str, Any]:
    """What a file holds; what is not about a model and a domain, or damaged, is not written over."""
    try:
        data = read(path)
    except InputError as problem:
        raise InputError(f"{problem}: {REMEDY}") from None
    if not isinstance(data, dict) or (data.get("model"), data.get("domain")) != (model, domain):
        raise InputError(f"{path} {OTHER}")
    if not _well_formed(data):
        raise InputError(f"{path} is damaged: {REMEDY}")
    return data


class Found(NamedTuple):
    """A claim that a directory holds, its point written out, and the file; ``current``: it is one of this version.

    The proof of a claim of status "open" is not finished.
    """

    claim: Claim
    path: Path
    current: bool


def found(directory: Path, model: str, domain: str, layers: Collection[int] = ()) -> list[Found]:
    """The claims about a model and a domain that a directory holds.

    What cannot be read or is about something else is passed over: nothing is believed, the checker judges all again.

    Raises:
        InputError: what it holds about one of ``layers`` is about another model or domain, or damaged: :func:`write`
            would refuse.
    """
    claims = []
    for path in (*sorted(directory.glob("layer-*.unfinished")), *sorted(directory.glob("layer-*.json"))):
        try:
            data = _own(path, model, domain)
        except InputError:
            if path.suffix == ".json" and path.stem.split("-")[1] in map(str, layers):
                raise
            continue
        for claim in _claims(data):
            number = claim.get("point")
            claim = {**claim, "point": data["points"][number]} if type(number) is int else claim
            claims.append(Found(claim, path, path.suffix == ".json" and data.get("geomrelu") == checker.FORMAT))
    return claims


def known(directory: Path, model: str, domain: str, layers: Collection[int] = ()) -> list[Claim]:
    """The claims alone that :func:`found` gives."""
    return [entry.claim for entry in found(directory, model, domain, layers)]


class Growing(Protocol):
    """A proof that is being looked for."""

    @property
    def unfinished(self) -> Claim | None: ...


class Unsaved:
    """What could not be written, while the work goes on.

    Attributes:
        texts: what was said of it, once each.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Something is written here, or that it cannot be is noted."""
        try:
            yield
        except InputError as problem:
            if str(problem) not in self.texts:
                self.texts.append(str(problem))


class Saver:
    """Writes claims to a directory as they come: large proofs at once, the others together every other moment.

    Proofs that are not finished are written now and then, to files that are no certificates. What cannot be written is
    noted, and then tried again only by :meth:`keep` and :meth:`flush`.
    """

    PAUSE = 0.5  # seconds
    LONG = 60.0

    def __init__(self, directory: Path, model: str, domain: str, unsaved: Unsaved | None = None) -> None:
        self.directory, self.model, self.domain = directory, model, domain
        self.unsaved = unsaved or Unsaved()
        self.waiting: dict[int, list[Claim]] = {}
        self.growing: list[Growing] = []
        self.next, self.later = 0.0, time.monotonic() + self.LONG

    def add(self, claim: Claim, points: list[list[str]]) -> None:
        """Save a claim, soon."""
        if is_shared(claim) or self.unsaved.texts:
            return  # the tree of a shared one grows: it is written with the report of its layer
        self.waiting.setdefault(claim["layer"], []).append(claim)
        if time.monotonic() >= self.next or len(claim.get("proof", ())) > 1:
            with self.unsaved.noted():
                self.flush(points)

    def watch(self, proof: Growing) -> None:
        """Called whenever a proof has grown."""
        if self.unsaved.texts:
            return
        if proof not in self.growing:
            self.growing.append(proof)
        if time.monotonic() >= self.later:
            with self.unsaved.noted():
                self.keep()

    def keep(self) -> None:
        """Write what is not finished."""
        started = time.monotonic()
        for proof in self.growing:
            claim = proof.unfinished
            if claim is not None:
                data = as_certificate([claim], self.model, self.domain, [])
                save(_unfinished(self.directory, claim["layer"], claim["neuron"]), data)
        now = time.monotonic()
        self.later = now + max(self.LONG, 20 * (now - started))

    def flush(self, points: list[list[str]]) -> None:
        """Save everything now."""
        started = time.monotonic()
        for layer, claims in self.waiting.items():
            write(self.directory, layer, claims, self.model, self.domain, points)
        self.waiting = {}
        now = time.monotonic()
        self.next = now + max(self.PAUSE, 10 * (now - started))  # a tenth of the time at most goes into writing


def _unfinished(directory: Path, layer: int, neuron: int) -> Path:
    return directory / f"layer-{layer}-neuron-{neuron}.unfinished"


def _well_formed(data: dict[str, Any]) -> bool:
    """Enough to carry its claims over (what they prove, the checker says)."""
    points, claims = data.get("points"), data.get("claims")
    return (
        isinstance(points, list)
        and isinstance(claims, list)
        and all(isinstance(c, dict) and type(c.get("neuron")) is type(c.get("layer")) is int for c in claims)
        and all(isinstance(c.get("proof", [{}]), list) for c in claims)
        and all(isinstance(node, dict) for c in claims for node in c.get("proof", [{}])[:1] or [None])
        and all(isinstance(c.get("derive", []), list) for c in (data, *(c.get("proof", [{}])[0] for c in claims)))
        and all(c["point"] in range(len(points)) for c in claims if type(c.get("point")) is int)
    )


def save(path: Path, data: Any) -> None:
    """Write JSON so that the file is complete or absent. Proofs in it may be packed: they are not unpacked at once,
    but take the place of a mark that no text in the data can have."""
    packed, mark = list[Packed](), token_hex(16)

    def marked(one: Any) -> str:
        if not isinstance(one, Packed):
            raise TypeError(f"{type(one).__name__} is not JSON")
        packed.append(one)
        return mark

    first, *rest = json.dumps(data, default=marked).split(json.dumps(mark))
    with replacing(path) as file:
        file.write(first.encode())
        for proof, after in zip(packed, rest, strict=True):
            file.writelines(text.encode() for text in proof.text())
            file.write(after.encode())


def read(path: str | Path) -> Any:
    """The JSON of a certificate file; decimals stay text.

    Raises:
        InputError: missing or not JSON.
    """
    try:
        return checker.parsed(Path(path).read_text(encoding="utf-8"))
    except OSError as problem:
        raise InputError(f"{path}: {problem.strerror}") from None
    except checker.Rejected as problem:
        raise InputError(f"{path}: {problem}") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path}: not a complete JSON file") from None
