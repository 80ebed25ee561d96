"""The page: HTML from results, readable without its script, which only filters.

Nothing is fetched: style, script, formulas and figures are inside, and the policy in the head forbids everything else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib import resources

from geomrelu.claims.evidence import Kind
from geomrelu.claims.outcome import Result, named_cases
from geomrelu.claims.registry import Claim, by_paper
from geomrelu.claims.render import tally
from geomrelu.claims.report.prose import prose
from geomrelu.claims.status import Status

__all__ = ["Shown", "page"]

MEANS = {
    Kind.DERIVE: "derived",
    Kind.ENUMERATE: "enumerated",
    Kind.DECIDE: "decided",
    Kind.HUNT: "hunted",
    Kind.SAMPLE: "sampled",
    Kind.NEIGHBOUR: "neighbour",
}


@dataclass
class Shown:
    """A result as it is shown.

    Attributes:
        formula: MathML. evidence: the file with all of it.
        figures: ``(file, or None if it could not be drawn; caption; SVG)``.
        certificates: ``(file without suffix, case)``.
    """

    result: Result
    claim: Claim
    formula: str
    evidence: str | None = None
    figures: list[tuple[str | None, str, bytes]] = field(default_factory=list)
    certificates: list[tuple[str, str]] = field(default_factory=list)


def page(shown: Sequence[Shown], registry: Mapping[str, Claim], complete: bool = True) -> str:
    """The whole page.

    Args:
        registry: all claims, also those that were not verified. complete: False after an interruption.
    """
    style, script = (resources.files(__package__).joinpath(f"page.{kind}").read_text("utf-8") for kind in ("css", "js"))
    own = {one.claim.label: one for one in shown}
    groups = {paper: [own[c.label] for c in claims if c.label in own] for paper, claims in by_paper(registry).items()}
    groups = {paper: members for paper, members in groups.items() if members}
    results = [one.result for one in shown]
    policy = f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f"<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}base-uri 'none'; form-action 'none'\">",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            '<link rel="icon" href="data:,">',
            "<title>Claims and their evidence</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body>",
            '<a class="skip" href="#claims">Skip to the claims</a>',
            _header(results, registry, complete),
            _papers(groups),
            _filter(results),
            '<main id="claims" tabindex="-1">',
            *(_group(number, paper, members, own, registry) for number, (paper, members) in enumerate(groups.items())),
            "</main>",
            "<footer><p>Written by <code>geomrelu verify --report</code>. This page asks the network for nothing.</p>",
            "</footer>",
            f"<script>{script}</script>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


# ---- head and filter --------------------------------------------------------------------------------------------


def _header(results: Sequence[Result], registry: Mapping[str, Claim], complete: bool) -> str:
    depth = results[0].depth if results else "default"
    seconds = sum(result.seconds for result in results)
    lines = ["<header>", "<h1>Claims and their evidence</h1>", f'<p class="tally">{escape(tally(results))}.</p>']
    said = f"Verified at {depth} depth, {seconds:,.0f} seconds of work"
    if len(results) < len(registry):
        said += f"; {len(results)} of the {len(registry)} claims of the registry"
    lines.append(f"<p>{said}.</p>" if complete else f"<p><strong>Interrupted.</strong> {said}.</p>")
    words = "".join(f"<dt>{_badge(status)}</dt><dd>{escape(status.promise)}</dd>" for status in reversed(Status))
    lines += [
        "<details><summary>What the words promise</summary>",
        f"<dl>{words}</dl>",
        "<p>A status is computed from what ran, never typed in. A claim is no stronger than the claims it uses. A ",
        "statement that is false in print stands as printed: it must be refuted by an exact case, and names the claim ",
        "that is true instead.</p>",
        "</details>",
        "</header>",
    ]
    return "\n".join(lines)


def _papers(groups: Mapping[str, Sequence[Shown]]) -> str:
    links = [
        f'<li><a href="#paper-{number}">{escape(paper)}</a> ({len(members)})</li>'
        for number, (paper, members) in enumerate(groups.items())
    ]
    return f'<nav aria-label="Papers"><ul>{"".join(links)}</ul></nav>'


def _filter(results: Sequence[Result]) -> str:
    search = '<input type="search" id="words" autocomplete="off" spellcheck="false">'
    boxes = []
    for status in reversed(Status):
        count = sum(result.status is status for result in results)
        if count:
            name = status.name
            box = f'<input type="checkbox" name="status" value="{name}">'
            boxes.append(f'<label class="choice {name.lower()}">{box}<span>{name.lower()} {count}</span></label>')
    return "\n".join(
        [
            '<form id="filter" role="search" aria-label="Filter the claims" hidden>',
            "<fieldset><legend>Show only</legend>",
            *boxes,
            "</fieldset>",
            f'<label class="words">Search {search}</label>',
            '<button type="button">Show all</button>',
            f'<output id="count" aria-live="polite">{len(results)} of {len(results)} claims</output>',
            "</form>",
        ]
    )


def _badge(status: Status) -> str:
    return f'<span class="status {status.name.lower()}">{status.name.lower()}</span>'


# ---- claims -----------------------------------------------------------------------------------------------------


def _group(
    number: int, paper: str, members: Sequence[Shown], own: Mapping[str, Shown], registry: Mapping[str, Claim]
) -> str:
    lines = [f'<section aria-labelledby="paper-{number}">', f'<h2 id="paper-{number}">{escape(paper)}</h2>']
    return "\n".join([*lines, *(_claim(one, own, registry) for one in members), "</section>"])


def _claim(one: Shown, own: Mapping[str, Shown], registry: Mapping[str, Claim]) -> str:
    result, claim = one.result, one.claim
    label = escape(claim.label)
    words = " ".join([claim.label, claim.title, claim.statement, claim.source, *claim.hypotheses]).lower()
    data = f'data-status="{result.status.name}" data-words="{escape(words)}"'
    lines = [
        f'<article id="{label}" aria-labelledby="{label}-title" {data}>',
        f'<header><h3 id="{label}-title"><a href="#{label}">{escape(claim.title)}</a></h3>{_badge(result.status)}',
        f'<p class="source"><code>{label}</code> {escape(claim.source)}</p></header>',
        f'<div class="formula">{one.formula}</div>',
        f'<p class="plain">{prose(claim.statement)}.</p>',
    ]
    if claim.hypotheses:
        lines.append(f"<p><b>If</b> {'; '.join(map(prose, claim.hypotheses))}.</p>")
    if result.counterexample is not None:
        lines.append(_counterexample(result))
    if claim.correction is not None:
        true = f"<p>{_link(claim.correction, own)}: {prose(result.corrected or '')}.</p>"
        lines.append(f'<div class="true"><h4>False as printed; true instead</h4>{true}</div>')
    if result.limited_by is not None:
        lines.append(f"<p><b>No stronger than</b> {_link(result.limited_by, own)}, which it uses.</p>")
    lines += [_evidence(result), *_cases(result)]
    lines += [_figure(*figure) for figure in one.figures]
    lines += [_certificates(one), _relations(one, own, registry), "</article>"]
    return "\n".join(filter(None, lines))


def _counterexample(result: Result) -> str:
    kind = "Broken evidence" if result.status is Status.BROKEN else "Counterexample"
    return "\n".join(
        [
            f'<div class="against"><h4>{kind}</h4><p>{escape(result.counterexample or "")}</p>',
            f'<p>See it again:</p><pre tabindex="0"><code>{escape(result.again or "")}</code></pre></div>',
        ]
    )


def _evidence(result: Result) -> str:
    rows = []
    for o in result.outcomes:
        said = escape(o.summary if o.ok else f"{'fails' if o.counterexample else 'broken'}: {o.failure}")
        mark = "" if o.ok else ' class="wrong"'
        rows.append(f'<tr{mark}><th scope="row">{MEANS[o.kind]}</th><td>{said}</td><td>{o.seconds:.2f} s</td></tr>')
    head = '<thead><tr><th scope="col">kind</th><th scope="col">what</th><th scope="col">time</th></tr></thead>'
    caption = f"<caption>Evidence for {escape(result.title)}</caption>"
    return f'<table class="evidence">{caption}{head}<tbody>{"".join(rows)}</tbody></table>' if rows else ""


def _cases(result: Result) -> Iterable[str]:
    kinds, rows = named_cases(result.outcomes)
    if rows:
        head = "".join(f'<th scope="col">{escape(text)}</th>' for text in ["case", *(MEANS[kind] for kind in kinds)])
        body = "".join(
            f'<tr><th scope="row">{escape(name)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>'
            for name, *cells in rows
        )
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        label = f"Cases of {escape(result.title)}"
        yield f"<details><summary>{len(rows)} named case{'s'[: len(rows) != 1]}, side by side</summary>"
        yield f'<div class="wide" role="region" aria-label="{label}" tabindex="0">{table}</div></details>'


def _figure(file: str | None, caption: str, svg: bytes) -> str:
    if file is None:
        return f'<p class="wrong">{escape(caption)}</p>'
    data = base64.b64encode(svg).decode()
    return (
        f'<figure><img src="data:image/svg+xml;base64,{data}" alt="{escape(caption)}">'
        f'<figcaption>{escape(caption)} (<a href="{escape(file)}" download>SVG</a>)</figcaption></figure>'
    )


def _certificates(one: Shown) -> str:
    """Certificates, with the command that checks them."""
    if not one.certificates:
        return ""
    items = []
    for name, case in one.certificates:
        links = [(name + suffix, word) for suffix, word in ((".model.json", "model"), (".domain.json", "domain"))]
        beside = ", ".join(f'<a href="{escape(file)}" download>{word}</a>' for file, word in links)
        certificate = f'<a href="{escape(name)}.json" download>{escape(name.rpartition("/")[2])}.json</a>'
        items.append(f"<li>{escape(case)}: {certificate} ({beside})</li>")
    name = one.certificates[0][0]
    command = f"python geomrelu/checker.py {name}.json {name}.model.json {name}.domain.json"
    number = len(items)
    return "\n".join(
        [
            f"<details><summary>{number} certificate{'s'[: number != 1]} to download</summary><ul>",
            *items,
            f'</ul><p>Check one again:</p><pre tabindex="0"><code>{escape(command)}</code></pre></details>',
        ]
    )


def _relations(one: Shown, own: Mapping[str, Shown], registry: Mapping[str, Claim]) -> str:
    label = one.claim.label
    related = [
        ("Uses", one.claim.uses),
        ("Used by", [c.label for c in registry.values() if label in c.uses]),
        ("Corrects", [c.label for c in registry.values() if c.correction == label]),
    ]
    said = [f"<b>{word}</b> {', '.join(_link(other, own) for other in labels)}" for word, labels in related if labels]
    if one.evidence is not None:
        said.append(f'<a href="{escape(one.evidence)}" download>All evidence (JSON)</a>')
    return f'<p class="related">{" · ".join(said)}</p>' if said else ""


def _link(label: str, own: Mapping[str, Shown]) -> str:
    label = escape(label)
    return f'<a href="#{label}"><code>{label}</code></a>' if label in own else f"<code>{label}</code>"
