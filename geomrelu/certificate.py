"""Certificates as files: claims and the points they share, bound to a model and a domain by content.

A claim is a plain dictionary of the checker's grammar (see the head of ``checker.py``). Here claims are collected
into certificates; the large proofs get a file of their own, everything else about a layer shares one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from geomrelu import checker
from geomrelu.errors import InputError

__all__ = ["Claim", "as_certificate", "read", "write"]

Claim = dict[str, Any]


def as_certificate(claims: Iterable[Claim], model: str, domain: str, points: list[list[str]]) -> dict[str, Any]:
    """One certificate of some claims; only the points they name are kept, and renumbered."""
    place: dict[int, int] = {}
    renumbered = []
    for claim in claims:
        if type(claim.get("point")) is int:
            claim = {**claim, "point": place.setdefault(claim["point"], len(place))}
        renumbered.append(claim)
    return {
        "geomrelu": checker.FORMAT,
        "model": model,
        "domain": domain,
        "points": [points[k] for k in place],
        "claims": renumbered,
    }


def write(directory: Path, layer: int, claims: Iterable[Claim], model: str, domain: str, points: list[list[str]]) -> dict[int, str]:
    """Write the claims about one layer; returns the file of each neuron.

    Each file is complete or absent: it is written under another name and then renamed.
    """
    together, files = [], dict[int, str]()
    for claim in claims:
        if len(claim.get("proof", ())) > 1:
            name = f"layer-{layer}-neuron-{claim['neuron']}.json"
            _save(directory / name, as_certificate([claim], model, domain, points))
            files[claim["neuron"]] = str(directory / name)
        else:
            together.append(claim)
    if together:
        name = f"layer-{layer}.json"
        _save(directory / name, as_certificate(together, model, domain, points))
        files.update({claim["neuron"]: str(directory / name) for claim in together})
    return files


def _save(path: Path, data: Any) -> None:
    part = path.with_suffix(".part")
    try:
        part.write_text(json.dumps(data), encoding="utf-8")
        os.replace(part, path)
    except OSError as problem:
        raise InputError(f"{path}: {problem.strerror}") from None


def read(path: str | Path) -> Any:
    """The JSON of a certificate file; decimals stay text.

    Raises:
        InputError: missing or not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"), parse_float=str)
    except OSError as problem:
        raise InputError(f"{path}: {problem.strerror}") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path}: not a JSON file") from None
