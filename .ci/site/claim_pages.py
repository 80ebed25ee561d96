"""The pages of the claims: what each says, how well it is founded, by what evidence, and its proof."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from notebooks import cells
from pictures import svg_of

from geomrelu.claims import registry, runner
from geomrelu.claims.outcome import Result
from geomrelu.claims.registry import Claim, by_paper
from geomrelu.claims.render import tally
from geomrelu.claims.report.page import MEANS
from geomrelu.claims.report.prose import prose
from geomrelu.claims.status import Status

Linked = Callable[[str, str, str], str]
Written = Callable[[str, str], None]


def claims(evidence: Path, linked: Linked, written: Written, pages: Path) -> list[Any]:
    """Write a page for each claim and one for all; the navigation over them."""
    everything = registry.load()
    results = {r.label: r for r in runner.run(workers=runner.cores(), kept=runner.Kept(evidence))}
    nav: list[Any] = ["claims/index.md"]
    for paper, members in by_paper(everything).items():
        nav.append({short(paper): [{claim.title: f"claims/{claim.label}.md"} for claim in members]})
        for claim in members:
            page = f"claims/{claim.label}.md"
            text = one(claim, results[claim.label], everything, pages)
            assert claim.path is not None  # it was loaded from there
            proof = linked(proof_of(claim.path), f"proofs/{claim.label}.py", page)
            written(page, f"{text}\n\n{proof}")
    written("claims/index.md", contents(everything, results))
    return [*nav, {"What was not seen": "claims/not-seen.md"}]


def short(paper: str) -> str:
    """Its authors, as people say them."""
    names = re.split(r", (?=[A-Z][a-z]+ing |[A-Z]\w+ \w+ on|Stably)", paper)[0]
    first = re.split(r",| & ", names)
    return names if len(first) < 3 else f"{first[0]} et al."


def badge(status: Status) -> str:
    """A status word in its colour."""
    return f'<span class="status {status.name.lower()}">{status.name.lower()}</span>'


def contents(everything: Mapping[str, Claim], results: Mapping[str, Result]) -> str:
    """All claims by paper, with their status."""
    lines = ["# Claims", "", tally(list(results.values())) + ".", ""]
    lines += ["A status is computed from what ran when this page was built; nobody types it.", ""]
    lines += ["| status | promises that it |", "|---|---|"]
    lines += [f"| {badge(status)} | {status.promise} |" for status in Status]
    lines += [
        "",
        "A statement that is false in print stands as printed: an exact case must refute it, and it names the",
    ]
    lines += ["claim that is true instead.", ""]
    for paper, members in by_paper(everything).items():
        lines += [f"## {paper}", "", "| claim | says | status |", "|---|---|---|"]
        for claim in members:
            said = prose(claim.statement).replace("|", "&#124;")
            lines.append(f"| [{claim.title}]({claim.label}.md) | {said} | {badge(results[claim.label].status)} |")
        lines.append("")
    return "\n".join(lines)


def one(claim: Claim, result: Result, everything: Mapping[str, Claim], pages: Path) -> str:
    """What stands above the proof."""
    lines = [f"# {claim.title}", "", f"{badge(result.status)} `{claim.label}` · {claim.source}", ""]
    lines += ["$$", claim.latex, "$$", "", f"{prose(claim.statement)}.".replace("|", "&#124;"), ""]
    if claim.hypotheses:
        lines += ["**If**", "", *(f"- {prose(h)}" for h in claim.hypotheses), ""]
    if result.counterexample is not None:
        lines += ['!!! failure "Counterexample"', f"    {prose(result.counterexample)}", ""]
        lines += ["    See it again:", "", "    ```sh", f"    {result.again}", "    ```", ""] if result.again else []
    if claim.correction is not None:
        true = everything[claim.correction]
        lines += ['!!! success "True instead"', f"    [{true.title}]({true.label}.md): {prose(true.statement)}.", ""]
    if result.limited_by is not None:
        lines += [
            f"No stronger than [{everything[result.limited_by].title}]({result.limited_by}.md), which it uses.",
            "",
        ]
    lines += ["## Evidence", "", "| kind | what was judged |", "|---|---|"]
    for outcome in result.outcomes:
        said = outcome.summary if outcome.ok else f"fails: {outcome.failure}"
        lines.append(f"| {MEANS[outcome.kind]} | {prose(said).replace('|', '&#124;')} |")
    lines += ["", f"Again, on your machine: `geomrelu verify {claim.label}`.", ""]
    related = [
        ("Uses", claim.uses),
        ("Used by", [c.label for c in everything.values() if claim.label in c.uses]),
        ("Corrects", [c.label for c in everything.values() if c.correction == claim.label]),
    ]
    for word, labels in related:
        if labels:
            lines += [f"**{word}:** " + ", ".join(f"[{everything[k].title}]({k}.md)" for k in labels), ""]
    for number, (caption, draw) in enumerate(claim.figures, 1):
        name = f"{claim.label}-{number}.svg"
        (pages / "claims").mkdir(parents=True, exist_ok=True)
        (pages / "claims" / name).write_text(svg_of(draw()) or "", encoding="utf-8")
        lines += [f"![{escape(caption)}]({name}){{ .picture }}", "", f"*{prose(caption)}*", ""]
    return "\n".join(lines)


def proof_of(path: Path) -> str:
    """A percent script as a page below the head: its text, and its code to be opened; the title is above already."""
    parts = []
    for kind, body in cells(path.read_text(encoding="utf-8")):
        if kind == "markdown":
            parts.append(re.sub(r"^#(?= )", "##", body, flags=re.M))
        else:
            indented = "\n".join(f"    {line}" if line else "" for line in body.splitlines())
            parts.append(f'??? code "code"\n    ```python\n{indented}\n    ```')
    return "\n\n".join(parts)
