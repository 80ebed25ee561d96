"""Claims and results as text, JSON, Markdown and LaTeX.

:func:`registry_as` lists the claims by paper, :func:`claim_as` shows one with all that is registered for it,
:func:`results_as` tabulates what was verified, and :func:`contents` is the page ``proofs/README.md``.

LaTeX comes as booktabs longtables; a comment in the first line names the packages that they need.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from textwrap import fill
from typing import Any

import geomrelu
from geomrelu.claims.evidence import Kind
from geomrelu.claims.outcome import Result, aligned
from geomrelu.claims.registry import Claim, by_paper
from geomrelu.claims.status import Status
from geomrelu.errors import InputError

__all__ = ["FORMATS", "claim_as", "contents", "registry_as", "results_as", "tally"]

FORMATS = ("text", "json", "markdown", "latex")
PACKAGES = r"% needs: \usepackage{amsmath,amssymb,array,booktabs,longtable}"

Registry = Mapping[str, Claim]


def _in(format_: str, **writers: Callable[[], str]) -> str:
    if format_ not in FORMATS:
        raise InputError(f"unknown format {format_!r} (known: {', '.join(FORMATS)})")
    return writers[format_]()


# ---- the registry -----------------------------------------------------------------------------------------------


def registry_as(format_: str, registry: Registry) -> str:
    """All claims under their papers: label, title, source, kinds of evidence."""
    return _in(
        format_,
        text=lambda: _registry_text(registry),
        json=lambda: json.dumps([_plain(claim, registry, paper) for paper, claim in _with_papers(registry)], indent=1),
        markdown=lambda: _registry_markdown(registry),
        latex=lambda: _registry_latex(registry),
    )


def _with_papers(registry: Registry) -> list[tuple[str, Claim]]:
    return [(paper, claim) for paper, claims in by_paper(registry).items() for claim in claims]


def _registry_text(registry: Registry) -> str:
    width = max(map(len, registry), default=0) + 2
    lines = []
    for paper, claims in by_paper(registry).items():
        lines.append(paper)
        for claim in claims:
            lines.append(f"  {claim.label:<{width}}{_titled(claim)}")
            lines.append(f"  {'':<{width}}{claim.source}; {_kinds(claim)}")
        lines.append("")
    noun = "claim" if len(registry) == 1 else "claims"
    lines.append(f"{len(registry)} {noun}; geomrelu claims LABEL shows one, geomrelu verify [LABEL ...] verifies.")
    return "\n".join(lines)


def _registry_markdown(registry: Registry) -> str:
    lines = []
    for paper, claims in by_paper(registry).items():
        rows = [[c.label, _titled(c), c.source, _kinds(c)] for c in claims]
        lines += [f"## {paper}", "", *_markdown(["label", "title", "source", "evidence"], rows), ""]
    return "\n".join(lines).rstrip()


def _registry_latex(registry: Registry) -> str:
    rows = []
    for paper, claims in by_paper(registry).items():
        rows.append(rf"\multicolumn{{4}}{{@{{}}l}}{{\bfseries {tex(_heading(paper))}}} \\")
        rows += [" & ".join([_typed(c.label), tex(_titled(c)), tex(c.source), tex(_kinds(c))]) + r" \\" for c in claims]
    spec = r"@{}>{\raggedright}p{.20\linewidth}>{\raggedright}p{.27\linewidth}>{\raggedright}p{.25\linewidth}"
    spec += r">{\raggedright\arraybackslash}p{.18\linewidth}@{}"
    return _longtable(spec, ["claim", "title", "source", "evidence"], rows)


def _titled(claim: Claim) -> str:
    return claim.title + (f" (false as {_stated(claim)})" if claim.correction else "")


def _stated(claim: Claim | Result) -> str:
    """How a statement came into the world: in a paper, or as a guess of our own."""
    return "guessed" if claim.source.startswith("new") else "printed"


def _kinds(claim: Claim) -> str:
    return ", ".join(kind for kind in Kind if any(check.kind is kind for check in claim.checks))


def _heading(paper: str) -> str:
    """The authors of a paper."""
    return paper.rsplit(", ", 1)[0]


# ---- one claim --------------------------------------------------------------------------------------------------


def claim_as(format_: str, claim: Claim, registry: Registry) -> str:
    """One claim: statement, source, hypotheses, what it uses and what uses it, its checks, and how to run them."""
    return _in(
        format_,
        text=lambda: _claim_text(claim, registry),
        json=lambda: json.dumps(_plain(claim, registry), indent=1),
        markdown=lambda: _claim_markdown(claim, registry),
        latex=lambda: _claim_latex(claim, registry),
    )


def _relations(claim: Claim, registry: Registry) -> list[tuple[str, list[str]]]:
    """How the claim stands to others, in words."""
    return [
        ("uses", list(claim.uses)),
        ("used by", [c.label for c in registry.values() if claim.label in c.uses]),
        ("corrects", [c.label for c in registry.values() if c.correction == claim.label]),
    ]


def _runs(claim: Claim) -> list[str]:
    return [f"geomrelu verify {claim.label} [--thorough]", f"python proofs/{claim.label}.py [--thorough]"]


def _correction(claim: Claim, registry: Registry) -> str | None:
    if claim.correction is None:
        return None
    true = registry.get(claim.correction)
    return f"{claim.correction}: {true.statement if true else '(not in the registry)'}"


def _claim_text(claim: Claim, registry: Registry) -> str:
    blocks = [("statement", [claim.statement]), ("source", [claim.source]), ("if", list(claim.hypotheses))]
    corrected = _correction(claim, registry)
    if corrected is not None:
        blocks.append((f"false as {_stated(claim)}; true instead", [corrected]))
    blocks += [(word, labels) for word, labels in _relations(claim, registry) if labels]
    blocks.append(("evidence", [f"{c.kind:<9}  {c.as_text()}" for c in claim.checks]))
    blocks.append(("run", _runs(claim)))
    lines = [f"{claim.label}: {claim.title}"]
    for word, texts in blocks:
        if texts:
            lines += [f"  {word}", *(fill(t, 100, initial_indent="    ", subsequent_indent="      ") for t in texts)]
    return "\n".join(lines)


def _claim_markdown(claim: Claim, registry: Registry) -> str:
    lines = [f"# {claim.title}", "", f"`{claim.label}`, {claim.source}.", "", f"$${claim.latex}$$", ""]
    lines += [
        f"In words: {_cell(claim.statement)}.",
        "",
        "Hypotheses: " + ("; ".join(claim.hypotheses) or "none") + ".",
    ]
    corrected = _correction(claim, registry)
    if corrected is not None:
        lines += ["", f"False as printed; true instead: {_cell(corrected)}."]
    for word, labels in _relations(claim, registry):
        if labels:
            lines += ["", f"{word.capitalize()}: " + ", ".join(f"`{label}`" for label in labels) + "."]
    lines += ["", *_markdown(["evidence", "what it counts"], [[str(c.kind), c.as_text()] for c in claim.checks])]
    return "\n".join([*lines, "", "```", *_runs(claim), "```"])


def _claim_latex(claim: Claim, registry: Registry) -> str:
    lines = [PACKAGES, rf"\paragraph{{{tex(claim.title)}}} ({_typed(claim.label)}; {tex(claim.source)}.)"]
    lines += [rf"\[ {claim.latex} \]", f"Hypotheses: {tex('; '.join(claim.hypotheses) or 'none')}."]
    corrected = _correction(claim, registry)
    if corrected is not None:
        lines.append(f"False as printed; true instead: {tex(corrected)}.")
    for word, labels in _relations(claim, registry):
        if labels:
            lines.append(f"{word.capitalize()}: " + ", ".join(map(_typed, labels)) + ".")
    if claim.checks:
        items = [rf"\item[{check.kind}] {tex(check.as_text())}" for check in claim.checks]
        lines += [r"\begin{description}", *items, r"\end{description}"]
    return "\n".join(lines)


def _plain(claim: Claim, registry: Registry, paper: str | None = None) -> dict[str, Any]:
    data: dict[str, Any] = {} if paper is None else {"paper": paper}
    data |= {
        "label": claim.label,
        "title": claim.title,
        "statement": claim.statement,
        "latex": claim.latex,
        "source": claim.source,
        "hypotheses": list(claim.hypotheses),
        "correction": claim.correction,
        **{word.replace(" ", "_"): labels for word, labels in _relations(claim, registry)},
        "evidence": [
            {"kind": str(c.kind), "check": c.name, "of": c.of}
            | ({"trials": c.trials, "seed": c.seed, "level": str(c.level)} if c.kind is Kind.SAMPLE else {})
            for c in claim.checks
        ],
    }
    return data


# ---- results ----------------------------------------------------------------------------------------------------


def results_as(format_: str, results: Sequence[Result], registry: Registry) -> str:
    """One table of what was verified, and one sentence; in the order of the registry, whatever came first."""
    place = {label: number for number, label in enumerate(registry)}
    results = sorted(results, key=lambda result: place[result.label])
    return _in(
        format_,
        text=lambda: _results_text(results),
        json=lambda: json.dumps([result.as_json() for result in results], indent=1),
        markdown=lambda: _results_markdown(results, registry),
        latex=lambda: _results_latex(results, registry),
    )


def tally(results: Sequence[Result]) -> str:
    """How many claims have which status, in one sentence."""
    expected = [r for r in results if r.refuted_as_expected]
    rest = [r for r in results if not r.refuted_as_expected]
    counts = [(status, sum(r.status is status for r in rest)) for status in reversed(Status)]
    words = [", ".join(f"{count} {status.name}" for status, count in counts if count)]
    if expected:
        each = "each refuted" if len(expected) > 1 else "refuted"
        stated = [_stated(r) for r in expected]
        numbers = [f"{n} false as {word}" for word in ("printed", "guessed") if (n := stated.count(word))]
        words.append(f"{', '.join(numbers)}, {each} by an exact counterexample and corrected")
    unexpected = [r.label for r in rest if r.correction is not None]
    if unexpected:
        words.append(f"with a correction, and not refuted by an exact counterexample: {', '.join(unexpected)}")
    noun = "claim" if len(results) == 1 else "claims"
    return f"{len(results)} {noun}: " + "; ".join(filter(None, words))


def _counts(result: Result) -> dict[Kind, str]:
    """How many cases of each kind of evidence held."""
    counts = {}
    for kind in Kind:
        own = [o for o in result.outcomes if o.kind is kind]
        if own:
            number = f"{sum(o.cases for o in own):,}"
            wrong = "refuted" if result.refuted_as_expected else "FAILED"
            counts[kind] = number if all(o.ok for o in own) else "BROKEN" if any(o.broken for o in own) else wrong
    return counts


def _results_text(results: Sequence[Result]) -> str:
    table = [["claim", "status", *map(str, Kind), "seconds"]]
    for result in results:
        counts = _counts(result)
        table.append([result.label, result.status.name, *(counts.get(k, "-") for k in Kind), f"{result.seconds:.1f}"])
    return "\n".join([*aligned(table), tally(results)])


def _evidence(result: Result) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in _counts(result).items())


def _remarks(result: Result) -> list[str]:
    """What else there is to say of a result."""
    said = [] if result.limited_by is None else [f"no stronger than {result.limited_by}, which it uses"]
    if result.counterexample is not None:
        said.append(result.counterexample)
    if result.correction is not None:
        said.append(f"true instead ({result.correction}): {result.corrected}")
    return said


def _results_markdown(results: Sequence[Result], registry: Registry) -> str:
    rows = [
        [f"`{r.label}`", f"${registry[r.label].latex}$", r.source, r.status.name, _evidence(r), "; ".join(_remarks(r))]
        for r in results
    ]
    heads = ["claim", "statement", "source", "status", "evidence", "remarks"]
    again = [[f"`{r.label}`:", "", "```", str(r.again), "```", ""] for r in results if r.again is not None]
    shown = ["", "To see the counterexamples again:", "", *(line for block in again for line in block)] if again else []
    return "\n".join([*_markdown(heads, rows), "", f"{tally(results)}.", *shown]).rstrip()


def _results_latex(results: Sequence[Result], registry: Registry) -> str:
    rows = []
    for r in results:
        remarks = "".join(rf" \newline {tex(said)}" for said in _remarks(r))
        statement = f"${registry[r.label].latex}${remarks}"
        rows.append(" & ".join([_typed(r.label), statement, r.status.name.lower(), tex(_evidence(r))]) + r" \\")
    spec = r"@{}>{\raggedright}p{.19\linewidth}>{\raggedright}p{.42\linewidth}l"
    spec += r">{\raggedright\arraybackslash}p{.18\linewidth}@{}"
    return f"{_longtable(spec, ['claim', 'statement', 'status', 'evidence'], rows)}\n\n{tex(tally(results))}."


# ---- the page of the proofs -------------------------------------------------------------------------------------


def contents(registry: Registry) -> str:
    """The table of contents ``proofs/README.md``, from the claims themselves."""
    lines = [
        "# Proofs",
        "",
        "One file for each claim: statement, proof in steps, the checks that are judged, and a neighbour that fails.",
        "`python proofs/<label>.py` runs one, `geomrelu verify` all of them, `geomrelu claims <label>` shows what is",
        "registered for one. There is no status here: it is computed by running. This page is written by",
        "`geomrelu claims --contents`.",
        "",
        "What a status promises, from worst to best; a claim is no stronger than the claims it uses:",
        "",
        *_markdown(["status", "promise"], [[status.name, status.promise] for status in Status]),
        "",
        "A statement that is false as printed stands as printed. It must be refuted by an exact case, and names the",
        "claim that is true instead. What of the papers was not at hand is on [a page of its own](not-seen.md).",
    ]
    lines += _new(registry)
    lines += _cited()
    for paper, claims in by_paper(registry).items():
        lines += ["", f"## {paper}", ""]
        rows = []
        for claim in claims:
            title = f"{claim.title}: ${claim.latex}$"
            if claim.correction is not None:
                title += f" (false as {_stated(claim)}; true is {_link(claim.correction)})"
            uses = ", ".join(map(_link, claim.uses))
            rows.append([_link(claim.label), title, "; ".join(claim.hypotheses), claim.source, _kinds(claim), uses])
        lines += _markdown(["label", "statement", "hypotheses", "source", "evidence", "uses"], rows)
    return "\n".join(lines)


def _new(registry: Registry) -> list[str]:
    """What is in no paper: with a written proof, without one, only measured, and what was guessed and is false."""
    own = [claim for claim in registry.values() if claim.source.startswith("new")]
    false = [claim for claim in own if claim.correction is not None]
    unproved = [claim for claim in own if claim.source.startswith("new, open")]
    measured = [claim for claim in own if claim.source.startswith("new, measured")]
    proved = [claim for claim in own if claim not in (*false, *unproved, *measured)]
    lines = ["", "## What is new", ""]
    groups = {"With a proof": proved, "Measured": measured, "Open, hunted": unproved, "Guessed, and refuted": false}
    for word, claims in groups.items():
        if claims:
            lines.append(f"* {word}: " + ", ".join(f"{_link(c.label)} ({c.title})" for c in claims) + ".")
    return lines


def _cited() -> list[str]:
    """How to cite the software and a theorem."""
    return [
        "",
        "## How to cite",
        "",
        "Labels are stable: a claim keeps its label, and a label is not given to another statement. A theorem is cited",
        "as `\\cite[claim \\texttt{zeros-on-a-line}]{geomrelu}`, with",
        "",
        "```bibtex",
        "@software{geomrelu,",
        "  author  = {{the geomrelu developers}},",
        "  title   = {geomrelu: an exact analyzer of dead {ReLU} neurons},",
        f"  version = {{{geomrelu.__version__}}},",
        "  license = {MIT},",
        "  note    = {Theorems by label: proofs/README.md}",
        "}",
        "```",
    ]


def _link(label: str) -> str:
    return f"[{label}]({label}.py)"


# ---- Markdown and LaTeX -----------------------------------------------------------------------------------------


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in (heads, *rows)]
    return [lines[0], "|" + "---|" * len(heads), *lines[1:]]


def _longtable(spec: str, heads: Sequence[str], rows: Sequence[str]) -> str:
    top = [r"\toprule", " & ".join(heads) + r" \\", r"\midrule", r"\endhead", r"\bottomrule", r"\endfoot"]
    return "\n".join([PACKAGES, rf"\begin{{longtable}}{{{spec}}}", *top, *rows, r"\end{longtable}"])


TEX = {
    **{c: rf"\{c}" for c in "&%#_{}$"},
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "-": "-{}",  # no ligatures: -- is not a dash
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "\n": " ",
    "·": r"\textperiodcentered{}",
    "×": r"\texttimes{}",
    "…": r"\dots{}",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "≠": r"$\ne$",
    "−": r"$-$",
    "∞": r"$\infty$",
    "∪": r"$\cup$",
    "∈": r"$\in$",
    "→": r"$\to$",
    "²": r"\textsuperscript{2}",
    "₀": r"\textsubscript{0}",
    "₁": r"\textsubscript{1}",
    "₂": r"\textsubscript{2}",
    "α": r"$\alpha$",
    "σ": r"$\sigma$",
}


def tex(text: str) -> str:
    """Plain text in LaTeX. Other signs stay as they are: UTF-8, as LaTeX reads it by default."""
    return "".join(TEX.get(c, c) for c in text)


def _typed(label: str) -> str:
    """A label, which may be broken after its hyphens."""
    return rf"\texttt{{{tex(label)}}}".replace("-{}", r"-\allowbreak{}")
