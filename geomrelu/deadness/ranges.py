"""Proved ranges of pre-activations: what encodings of a network as a mixed-integer program ask for.

A :class:`Range` is an interval [lower, upper] that holds z on the whole domain. A neuron whose interval does not reach
beyond 0 on one side is *fixed*: its ReLU is 0 or the identity there, and an encoding needs no binary variable for it.
:mod:`geomrelu.deadness.tightening` finds them; here they are read, exported and judged again.

Three formats, one content. Exact numbers where the format has them, else float64 rounded outward, so that what is read
back still holds:

``.npz``   for each layer l that was asked for: ``neurons_l`` (integers), ``lower_l`` and ``upper_l`` (float64, -inf or
           inf where there is no bound), ``status_l`` (text); ``geomrelu`` = "ranges 1", ``model`` and ``domain``
           (SHA-256, as in the certificates). All of them have one entry a neuron.
``.json``  {"geomrelu": "ranges 1", "model": SHA-256, "domain": SHA-256, "layers": [{"layer": l, "neurons": [
           {"neuron": i, "lower": "p/q" or null, "upper": "p/q" or null, "status": "...", "crosses": true or false}]}],
           "fixed": [[l, i, "dead" or "active" or "both"], ...]}
``.csv``   layer,neuron,lower,upper,status: float64 as in .npz.

Layers count from 1, neurons from 0.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, partial
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from geomrelu import checker
from geomrelu.certificates import files
from geomrelu.certificates.files import Claim
from geomrelu.errors import InputError
from geomrelu.exact.numbers import quotient
from geomrelu.geometry.domains import Union
from geomrelu.io.files import write

__all__ = ["FORMAT", "KINDS", "Bundle", "Range", "Ranges", "above", "check_kind", "outward", "united_ranges"]

FORMAT = "ranges 1"
KINDS = (".npz", ".json", ".csv")
MOST_LINES = 20  # of a layer, in a table


@dataclass(frozen=True)
class Range:
    """The interval of one pre-activation.

    Attributes:
        layer, neuron: from 1, from 0.
        lower, upper: exact; None: no bound is known (of a neuron that grows along a ray there is none).
        attained: whether lower is the minimum (or infimum), and upper the maximum.
        seen: whether points are known where z < 0, and where z > 0.
    """

    layer: int
    neuron: int
    lower: Fraction | None
    upper: Fraction | None
    attained: tuple[bool, bool] = (False, False)
    seen: tuple[bool, bool] = (False, False)

    @property
    def crosses(self) -> bool:
        """Does it take both signs, at points that are known? Then nothing fixes it."""
        return all(self.seen)

    @property
    def status(self) -> str:
        """ "dead": z <= 0 on the domain; "active": z >= 0; "both": z = 0; "unstable": neither is proved."""
        dead = self.upper is not None and self.upper <= 0
        active = self.lower is not None and self.lower >= 0
        return "both" if dead and active else "dead" if dead else "active" if active else "unstable"

    @property
    def floats(self) -> tuple[float, float]:
        """The interval in float64, rounded outward."""
        low = -math.inf if self.lower is None else -outward(-self.lower)
        return low, math.inf if self.upper is None else outward(self.upper)


def outward(value: Fraction) -> float:
    """The least float64 that is not smaller (inf if there is none)."""
    p, q = value.numerator, value.denominator
    found = quotient(p, q)
    if math.isinf(found):
        return found if found > 0 else -math.nextafter(math.inf, 0)
    n, d = found.as_integer_ratio()
    return math.nextafter(found, math.inf) if n * q < p * d else found


def above(value: Fraction) -> Fraction:
    """A number that is not smaller and short: the next float64, if there is one."""
    found = outward(value)
    return value if math.isinf(found) else Fraction(found)


@dataclass(frozen=True)
class Bundle:
    """Claims (about one layer, or None: about all), what is derived before their proofs, and the table of points."""

    layer: int | None
    derive: list[Any]
    parts: list[Any] | None
    points: list[Any]
    claims: list[Claim]


@dataclass(frozen=True, eq=False, repr=False)
class Ranges:
    """The ranges of the neurons of a network on a set. Iterating gives them in order; ``ranges[layer, neuron]`` is one.

    Attributes:
        model, domain: the judge's; on a union the union.
        made: makes :attr:`found`. proved: makes :attr:`bundles`.
        parts: on a union, the ranges on each piece (they have the claims).
    """

    model: checker.Model
    domain: Any
    made: Callable[[], Mapping[tuple[int, int], Range]]
    proved: Callable[[], Sequence[Bundle]] = tuple
    parts: Sequence[Ranges] = field(default=())

    @cached_property
    def found(self) -> Mapping[tuple[int, int], Range]:
        """(layer, neuron) -> its :class:`Range`."""
        return self.made()

    @cached_property
    def bundles(self) -> Sequence[Bundle]:
        """The claims that prove them."""
        return self.proved()

    def __iter__(self) -> Iterator[Range]:
        return iter(self.found.values())

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, key: tuple[int, int]) -> Range:
        return self.found[key]

    @property
    def fixed(self) -> list[tuple[int, int, str]]:
        """(layer, neuron, status) of the neurons whose ReLU is linear on the domain: no binary is needed for them."""
        return [(r.layer, r.neuron, r.status) for r in self if r.status != "unstable"]

    def with_status(self, status: str) -> list[tuple[int, int]]:
        """(layer, neuron) of the neurons of one status."""
        return [(r.layer, r.neuron) for r in self if r.status == status]

    @property
    def layers(self) -> dict[int, list[Range]]:
        """Layer by layer."""
        found: dict[int, list[Range]] = {}
        for one in self:
            found.setdefault(one.layer, []).append(one)
        return found

    # ---- certificates -----------------------------------------------------------------------------------------

    @property
    def certificates(self) -> list[dict[str, Any]]:
        """As JSON data, some about all layers, some about one; on a union those of the pieces, one after the other."""
        if self.parts:
            return [certificate for part in self.parts for certificate in part.certificates]
        return [
            {
                "geomrelu": checker.FORMAT,
                "model": self.model.digest(),
                "domain": self.domain.digest(),
                "points": bundle.points,
                **({"derive": bundle.derive} if bundle.derive else {}),
                **({} if bundle.parts is None else {"parts": bundle.parts}),
                "claims": bundle.claims,
            }
            for bundle in self.bundles
        ]

    def check(self) -> int:
        """Judge all claims again with the plain judge; how many there are, all of them proved.

        Raises:
            Rejected: of :mod:`geomrelu.checker`; the text says which claim.
        """
        if self.parts:
            return sum(part.check() for part in self.parts)
        data = (json.loads(json.dumps(certificate)) for certificate in self.certificates)
        return sum(len(checker.check(certificate, self.model, self.domain)) for certificate in data)

    # ---- export -----------------------------------------------------------------------------------------------

    @property
    def _about(self) -> dict[str, str]:
        """Which model and set they are about; of a union the digest of its pieces."""
        digest = self.domain.digest if isinstance(self.domain, Union) else self.domain.digest()
        return {"model": self.model.digest(), "domain": str(digest)}

    def arrays(self) -> dict[str, np.ndarray]:
        """As arrays: what an ``.npz`` file holds (see the head of this module)."""
        found = {"geomrelu": np.array(FORMAT)} | {name: np.array(digest) for name, digest in self._about.items()}
        for layer, own in self.layers.items():
            found[f"neurons_{layer}"] = np.array([r.neuron for r in own], dtype=np.int64)
            low, high = zip(*(r.floats for r in own), strict=True)
            found |= {f"lower_{layer}": np.array(low), f"upper_{layer}": np.array(high)}
            found[f"status_{layer}"] = np.array([r.status for r in own])
        return found

    def as_json(self) -> dict[str, Any]:
        """As JSON data, exactly (see the head of this module)."""
        layers = [
            {
                "layer": layer,
                "neurons": [
                    {
                        "neuron": r.neuron,
                        "lower": None if r.lower is None else str(r.lower),
                        "upper": None if r.upper is None else str(r.upper),
                        "status": r.status,
                        "crosses": r.crosses,
                    }
                    for r in own
                ],
            }
            for layer, own in self.layers.items()
        ]
        heads = {"geomrelu": FORMAT, **self._about}
        return heads | {"layers": layers, "fixed": [list(entry) for entry in self.fixed]}

    def save(self, path: str | PathLike[str]) -> None:
        """Write them as ``.npz``, ``.json`` or ``.csv`` (see the head of this module).

        Raises:
            InputError: another ending, or the file cannot be written.
        """
        target = Path(path)
        check_kind(path)
        stream = io.BytesIO()
        if target.suffix.lower() == ".npz":
            np.savez(stream, **self.arrays())  # type: ignore[arg-type]
        elif target.suffix.lower() == ".json":
            stream.write(json.dumps(self.as_json(), indent=1).encode() + b"\n")
        else:
            text = io.StringIO()
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(["layer", "neuron", "lower", "upper", "status"])
            writer.writerows([r.layer, r.neuron, *map(repr, r.floats), r.status] for r in self)
            stream.write(text.getvalue().encode())
        write(target, stream.getvalue())

    def save_certificates(self, directory: str | PathLike[str]) -> list[str]:
        """Write the claims to a directory, for ``geomrelu check``; the files.

        Raises:
            InputError: it cannot be written.
        """
        folder, written = Path(directory), []
        if self.parts:
            folders = ((part, folder / f"piece-{k}") for k, part in enumerate(self.parts, 1))
            return [path for part, inner in folders for path in part.save_certificates(inner)]
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise InputError(f"{directory}: {problem.strerror}") from None
        places = dict[int | None, int]()
        for bundle, certificate in zip(self.bundles, self.certificates, strict=True):
            places[bundle.layer] = places.get(bundle.layer, 0) + 1
            about = "all" if bundle.layer is None else f"layer-{bundle.layer}"
            path = folder / f"ranges-{about}-{places[bundle.layer]}.json"
            files.save(path, certificate)
            written.append(str(path))
        return written

    # ---- to be read -------------------------------------------------------------------------------------------

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return self.text(MOST_LINES)

    def text(self, most: int | None = None, everything: bool = True) -> str:
        """A table; of each layer at most so many lines, and only the unstable neurons unless everything is wanted."""
        lines = []
        for layer, own in self.layers.items():
            count = {name: sum(r.status == name for r in own) for name in ("dead", "active", "both", "unstable")}
            zero = f", {count['both']} always 0" if count["both"] else ""
            crossing, neurons = sum(r.crosses for r in own), "neuron" if len(own) == 1 else "neurons"
            lines.append(
                f"Ranges of layer {layer}: {len(own)} {neurons}: {count['dead']} dead, {count['active']} always active"
                f"{zero}, {count['unstable']} unstable ({crossing} known to take both signs)"
            )
            shown = [r for r in own if everything or r.status == "unstable"]
            if shown:
                lines.append("  neuron  status    lower                     upper")
            for r in shown[:most]:
                low, high = ("" if math.isinf(v) else repr(v) for v in r.floats)
                lines.append(f"  {r.neuron:>6}  {r.status:<8}  {low or 'none':<24}  {high or 'none'}")
            if most is not None and len(shown) > most:
                lines.append(f"  ... and {len(shown) - most} more")
        return "\n".join(lines)


def check_kind(path: str | PathLike[str]) -> None:
    """Can ranges be written to such a file?

    Raises:
        InputError: its ending is none of those.
    """
    if Path(path).suffix.lower() not in KINDS:
        raise InputError(f"{path}: ranges are written as {', '.join(KINDS)}")


def united_ranges(model: checker.Model, domain: Any, parts: Sequence[Ranges]) -> Ranges:
    """The ranges on a union: from the least lower bound to the greatest upper bound on its pieces."""
    found = {}
    for key in parts[0].found:
        own = [part.found[key] for part in parts]
        lower, upper = [r.lower for r in own], [r.upper for r in own]
        low = None if None in lower else min(v for v in lower if v is not None)
        high = None if None in upper else max(v for v in upper if v is not None)
        attained = (
            low is not None and any(r.attained[0] and r.lower == low for r in own),
            high is not None and any(r.attained[1] and r.upper == high for r in own),
        )
        found[key] = Range(*key, low, high, attained, (any(r.seen[0] for r in own), any(r.seen[1] for r in own)))
    return Ranges(model, domain, partial(dict, found), parts=tuple(parts))  # which can be pickled
