"""The report: one page that needs no network, with figures, evidence and certificates beside it.

    index.html                    every claim by paper: statement, evidence, counterexample, correction, figure
    results.json                  the results, as `geomrelu verify --format json` prints them
    evidence/LABEL.json           all evidence for a claim (also what a later run picks up)
    certificates/LABEL-N.json     what an independent checker accepted, with .model.json and .domain.json
    figures/LABEL-N.svg           what the page shows

:mod:`~geomrelu.claims.report.page`      the page: HTML, with its style and its script inside
:mod:`~geomrelu.claims.report.mathml`    LaTeX to MathML
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from matplotlib import rc_context

from geomrelu.certificates import files
from geomrelu.claims.outcome import Result
from geomrelu.claims.registry import Claim
from geomrelu.claims.report.mathml import formulas, mathml
from geomrelu.claims.report.page import Shown, page
from geomrelu.errors import InputError
from geomrelu.io.files import write as write_file

__all__ = ["formulas", "mathml", "write"]


def write(
    directory: str | Path, results: Sequence[Result], registry: Mapping[str, Claim], complete: bool = True
) -> Path:
    """Write the report on some results; the evidence is there already (:class:`geomrelu.claims.runner.Kept`).

    Args:
        complete: False if the run was interrupted; the page says so.

    Returns:
        The page.

    Raises:
        InputError: the directory cannot be written.
    """
    directory = Path(directory)
    place = {label: number for number, label in enumerate(registry)}
    results = sorted(results, key=lambda result: place[result.label])
    try:
        for name in ("certificates", "figures"):
            (directory / name).mkdir(parents=True, exist_ok=True)
        shown = [_shown(directory, result, registry) for result in results]
        files.save(directory / "results.json", [result.as_json() for result in results])
        write_file(directory / "index.html", page(shown, registry, complete))
    except OSError as problem:
        raise InputError(f"{directory}: {problem.strerror or problem}") from None
    return directory / "index.html"


def _shown(directory: Path, result: Result, registry: Mapping[str, Claim]) -> Shown:
    """A result with the files that stand beside the page."""
    claim = registry[result.label]
    shown = Shown(result, claim, _typeset(claim))
    if (directory / "evidence" / f"{result.label}.json").exists():
        shown.evidence = f"evidence/{result.label}.json"
    for number, (caption, draw) in enumerate(claim.figures, 1):
        name = f"figures/{result.label}-{number}.svg"
        try:
            drawn = _drawn(draw)
        except Exception as problem:  # what was verified is worth a page without this figure
            shown.figures.append((None, f"{caption}: not drawn ({type(problem).__name__}: {problem})", b""))
            continue
        write_file(directory / name, drawn)
        shown.figures.append((name, caption, drawn))
    found = [(case, certified) for outcome in result.outcomes for case, certified in outcome.certified]
    for number, (case, certified) in enumerate(found, 1):
        name = f"certificates/{result.label}-{number}"
        files.save(directory / f"{name}.json", certified.certificate)
        files.save(directory / f"{name}.model.json", certified.model)
        files.save(directory / f"{name}.domain.json", certified.domain)
        shown.certificates.append((name, case))
    return shown


def _typeset(claim: Claim) -> str:
    """The statement as MathML, or as it was written."""
    try:
        return formulas(claim.latex)
    except InputError:
        return f"<code>{escape(claim.latex)}</code>"


def _drawn(draw: Callable[[], Any]) -> bytes:
    """A figure as SVG, the same bytes each time."""
    file = io.BytesIO()
    with rc_context({"svg.hashsalt": "geomrelu", "svg.fonttype": "path", "hatch.linewidth": 0.6}):
        draw().savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()
