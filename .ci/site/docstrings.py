"""Docstrings as they are written, to Markdown: roles become links or code, plain mathematics is typeset."""

from __future__ import annotations

import re
from typing import Any

import griffe

from geomrelu.claims.report.prose import prose

ROLE = re.compile(r":[a-z]+:`(~?)([^`<]+?)`")
CODE = re.compile(r"(``.+?``|`[^`]+`|\[[^\]]*\]\[[^\]]*\]|^\s*(?:>>>|\.\.\. ).*$)", re.S | re.M)
PUBLIC = "geomrelu."
SECTIONS = ("Evidence", "Exact", "Method", "Source")


class Docstrings(griffe.Extension):
    """Called by griffe for all objects that it reads."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Change the text of an object's docstring."""
        if obj.docstring is not None:
            obj.docstring.value = markdown(separated(obj.docstring.value, names(obj)))


def names(obj: griffe.Object) -> set[str]:
    """Of what an Args or Attributes section of its docstring may speak."""
    found = {parameter.name for parameter in getattr(obj, "parameters", ())}
    if obj.is_class:
        found |= set(obj.members)
        init = obj.members.get("__init__")
        found |= {parameter.name for parameter in getattr(init, "parameters", ())}
    return found


def separated(text: str, known: set[str]) -> str:
    """Entries that share a line in a section get lines of their own."""

    def lines(section: re.Match[str]) -> str:
        return re.sub(r"(?<=[.;)]) (\w+): ", lambda m: f"\n    {m[1]}: " if m[1] in known else m[0], section[0])

    return re.sub(r"^(?:Args|Attributes):\n(?:(?: .*)?\n)*?(?=\S|\Z)", lines, f"{text}\n", flags=re.M).rstrip()


def markdown(text: str) -> str:
    """A docstring of this package as Markdown."""
    text = ROLE.sub(_named, text)
    text = re.sub(r"``(.+?)``", r"`\1`", text)
    for name in SECTIONS:
        text = re.sub(rf"^( *)((?:.* )?){name}: ", rf"\1\2**{name}:** ", text, flags=re.M)
    text = re.sub(r"^(\*\*(?:Evidence|Exact|Method|Source):\*\*)", r"\n\1", text, flags=re.M)
    parts = CODE.split(text)
    return "".join(part if k % 2 else typeset(part) for k, part in enumerate(parts))


def _named(found: re.Match[str]) -> str:
    """What a role names, as code."""
    return f"`{found[2].rpartition('.')[2] if found[1] else found[2].removeprefix(PUBLIC)}`"


def typeset(text: str) -> str:
    """Running text: comparisons and powers with their signs."""
    text = re.sub(r"(?<=[\w)|]) <= (?=[\w(|-])", " ≤ ", text)
    text = re.sub(r"(?<=[\w)|]) >= (?=[\w(|-])", " ≥ ", text)
    text = re.sub(r"\bR\^(\w+)", r"ℝ<sup>\1</sup>", text)
    return re.sub(r"(?<![\w.])(\d+)(?:\*\*|\^)(\([^()]*\)|-?\w+)", lambda m: prose(f"{m[1]}^{m[2]}"), text)
