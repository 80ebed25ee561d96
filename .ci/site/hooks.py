"""What mkdocs calls on the way: formulas become MathML, which browsers typeset themselves; tables may be wider than the
page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html import unescape
from typing import Any

from geomrelu.claims.report.mathml import mathml

MATHML = "http://www.w3.org/1998/Math/MathML"
ET.register_namespace("", MATHML)
FORMULA = re.compile(r'<(span|div) class="arithmatex">(.*?)</\1>', re.S)


def typeset(latex: str, block: bool) -> str:
    """A formula as MathML.

    Raises:
        InputError: what cannot be converted ends the build.
    """
    latex = re.sub(r"(?:\\[bB]ig+[lr]?)?\\\|", r"\\Vert ", latex.strip())  # latex2mathml knows no larger bars
    found = mathml(latex)
    return found if block else "".join(pieces(found.replace('display="block"', 'display="inline"', 1)))


RELATIONS = {*"=<>≤≥≠∈⊆⊂→↦⇒⇔∼≪≫:,;", "⟹", "⟺", "…"}
SUMS = {*"+−∪∩×⋅·∖"}
AFTER = {*",;:"}  # a line may end behind these, and before a relation


def pieces(formula: str) -> list[str]:
    """A formula in running text as several, between which a line may be broken: browsers break none themselves."""
    root = ET.fromstring(formula)
    row = root[0]
    if row.tag != f"{{{MATHML}}}mrow" or len(row) < 6:
        return [formula]
    groups: list[list[ET.Element]] = [[]]
    depth, bar = 0, False
    for child in row:
        base = child[0] if len(child) and child.tag.rpartition("}")[2].startswith("msu") else child  # as in (...)^k
        sign = (base.text or "").strip() if base.tag == f"{{{MATHML}}}mo" else ""
        depth += (sign in ("(", "[", "{", "⌊", "⌈")) - (sign in (")", "]", "}", "⌋", "⌉"))
        bar ^= sign in ("|", "∣", "‖", "∥") and depth == 0
        outside = depth == 0 and not bar
        long = len(groups[-1]) > 7 and sign in SUMS
        if outside and groups[-1] and (long or sign in RELATIONS - AFTER):
            child.set("form", "infix")
            groups.append([])
        groups[-1].append(child)
        if outside and sign in AFTER:
            groups.append([])
    made = []
    for group in filter(None, groups):
        part = ET.Element(f"{{{MATHML}}}math", {"display": "inline"})
        ET.SubElement(part, f"{{{MATHML}}}mrow").extend(group)
        made.append(ET.tostring(part, encoding="unicode"))
    return made


def _formula(match: re.Match[str]) -> str:
    text = unescape(match[2]).strip()
    block = text.startswith(r"\[")
    made = typeset(text[2:-2], block)
    return f'<span class="formula">{made}</span>' if block else made


def _contents(entries: Any) -> None:
    """Headings in the table of contents, where formulas have lost their mark."""
    for entry in entries:
        entry.title = re.sub(r"\\\((.*?)\\\)", lambda found: typeset(unescape(found[1]), False), entry.title)
        _contents(entry.children)


def on_page_content(html: str, page: Any, **_: Any) -> str:
    """Called with the content of each page."""
    _contents(page.toc)
    html = FORMULA.sub(_formula, html)
    html = re.sub(r"<p>\s*(<span class=\"formula\">.*?</span>)\s*</p>", r"\1", html, flags=re.S)
    return re.sub(r"(<table>.*?</table>)", r'<div class="wide" tabindex="0">\1</div>', html, flags=re.S)
