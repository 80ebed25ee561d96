"""A page on a network and a set: which neurons are dead there, to be looked at, searched and shown to others.

    index.html            the page: its style, its script, its data and its pictures inside; it needs no network
    certificates/         what was proved, unless the certificates have a directory of their own already

:mod:`~geomrelu.deadness.page.content`     what is on it, as JSON data
:mod:`~geomrelu.deadness.page.pictures`    weights and witnesses as images, where the inputs are one
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

from geomrelu.deadness.page.content import KINDS, Judged, content
from geomrelu.deadness.page.pictures import image_shape
from geomrelu.deadness.ranges import Ranges
from geomrelu.io.files import writable
from geomrelu.io.files import write as write_file

__all__ = ["image_shape", "write"]

HERE = Path(__file__).parent
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def write(
    report: Judged,
    directory: str | PathLike[str],
    ranges: Ranges | None = None,
    *,
    title: str = "",
    domain: str = "",
    image: Sequence[int] | None = None,
    certificates: str | PathLike[str] | None = None,
) -> Path:
    """Write the page on a report.

    Args:
        directory: where to; it is made if it is not there.
        ranges: of the report's neurons: their bounds are shown beside the suprema.
        title, domain: what the page calls the model and the set.
        image: shape (height, width), (channels, height, width) or (height, width, channels) of the input, 1 or 3
            channels; default: what the model's file says, if that is an image.
        certificates: where they have been written; None: they are, into ``certificates`` beside the page.

    Returns:
        The page, ``index.html``.

    Raises:
        InputError: another number of inputs than the image has; the directory cannot be written.

    Cost: linear in the neurons and weights; pictures have a limit of 1.5 MB, and the page says what that leaves out.
    """
    shape = image_shape(report.network, image)
    target = writable(directory)
    proofs = Path(certificates) if certificates is not None else target / "certificates"
    if certificates is None:
        report.save(proofs)
        if ranges is not None:
            ranges.save_certificates(proofs)
    found = content(report, ranges, shape, _links(proofs, target))
    page = _html(found, title or repr(report.network), domain or f"a set in R^{report.network.inputs}")
    write_file(target / "index.html", page)
    return target / "index.html"


def _links(proofs: Path, target: Path) -> list[str]:
    """The certificates, as seen from the page."""
    paths = sorted(path for path in proofs.rglob("*.json") if path.is_file())
    return [Path(os.path.relpath(path, target)).as_posix() for path in paths]


def _html(found: dict[str, Any], title: str, domain: str) -> str:
    style, script = ((HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    data = json.dumps(found, separators=(",", ":")).replace("<", "\\u003c")
    parts = {
        "policy": escape(POLICY),
        "title": escape(title),
        "domain": escape(domain),
        "told": "".join(f"<p>{escape(line)}.</p>\n" for line in found["told"]),
        "style": style,
        "summary": _summary(found),
        "legend": _legend(found),
        "saved": _saved(found),
        "files": _files(found["files"]),
        "digests": "".join(f"<dt>{name}</dt><dd><code>{escape(found[name])}</code></dd>" for name in ("model", "set")),
        "data": data,
        "script": script,
    }
    page = (HERE / "page.html").read_text(encoding="utf-8")
    for name, text in parts.items():
        page = page.replace(f"<!--{name}-->", text)
    return page


def _summary(found: dict[str, Any]) -> str:
    """A row for each layer: how many neurons of each kind; it is there without a script as well."""
    heads = "".join(f"<th scope=col>{escape(text)}</th>" for _, text, _ in KINDS)
    rows = []
    for layer in found["layers"]:
        counts = "".join(f"<td>{layer['kinds'].count(letter) or '·'}</td>" for letter, _, _ in KINDS)
        name = f"<a href='#layer-{layer['layer']}'>layer {layer['layer']}</a>"
        rows.append(f"<tr><th scope=row>{name}</th><td>{len(layer['kinds'])}</td>{counts}</tr>")
    return f"<thead><tr><th></th><th scope=col>neurons</th>{heads}</tr></thead><tbody>{''.join(rows)}</tbody>"


def _legend(found: dict[str, Any]) -> str:
    """What the letters mean, each a filter."""
    items = []
    for letter, text, meaning in KINDS:
        count = sum(layer["kinds"].count(letter) for layer in found["layers"])
        box = f"<input type=checkbox name=kind value='{letter}' checked>"
        mark = f"<canvas class=mark data-kind='{letter}' width=18 height=18 aria-hidden=true></canvas>"
        items.append(
            f"<label title='{escape(meaning)}'>{box}{mark}<span>{escape(text)}</span> <small>{count}</small></label>"
        )
    return "".join(items)


def _saved(found: dict[str, Any]) -> str:
    before, saved, dead = found["before"], found["saved"], found["dead"]
    if not dead:
        return "<p>Nothing: no neuron is proved dead on this set.</p>"
    share = 100 * saved[1] / before[1]
    kept = "" if saved[0] == dead else " A layer that is dead as a whole keeps one neuron."
    noun = "neuron" if saved[0] == 1 else "neurons"
    return (
        f"<p><strong>{saved[0]:,} {noun} of {before[0]:,}</strong> can go and the function stays the same on the set,"
        f" and with them <strong>{saved[1]:,} of {before[1]:,} parameters</strong> ({share:.2g} %): the nonzero weights"
        f" that they read and that read them, and their biases. A convolution counts as the matrix it is.{kept}"
        " <code>geomrelu prune</code> does it, proves it, and may find more.</p>"
    )


def _files(links: list[str]) -> str:
    if not links:
        return "<p>None.</p>"
    shown = "".join(f"<li><a href='{escape(link)}' download>{escape(link)}</a></li>" for link in links[:1000])
    more = f"<p>... and {len(links) - 1000} more.</p>" if len(links) > 1000 else ""
    noun = "file" if len(links) == 1 else "files"
    return f"<details><summary>{len(links)} {noun}</summary><ul>{shown}</ul>{more}</details>"
