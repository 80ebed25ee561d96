"""The texts of the documentation: who is mentioned has an entry, links lead somewhere, public names are shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import geomrelu

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "geomrelu" / "docs"
TEXTS = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "geomrelu" / "README.md"])
MADE = {"commands.md", "checker.md", "format.md", "kernel.md"}  # of the reference: by .ci/site/build.py
# Who is named for something they found, where a docstring or a proof says the year, or "et al.", or two surnames.
NAMED = (
    r"([A-Z][\w-]+(?:, [A-Z][\w-]+)*(?: & | and )[A-Z][\w-]+|[A-Z][\w-]+ et al\.?)",
    r"(?:^|; |\. )([A-Z][\w-]+), [A-Z]",
    r"([A-Z][\w-]+)(?: et al\.?)?,? \(?(?:19|20)\d\d\b",
)
NO_NAMES = {"In", "Keras", "NNet", "Python", "Stanford", "Processes"}


def surnames():
    """(surname, file) of everybody whom sources of docstrings and proofs mention."""
    found = {}
    for path in [*sorted((ROOT / "geomrelu").rglob("*.py")), *sorted((ROOT / "proofs").glob("*.py"))]:
        text = path.read_text(encoding="utf-8")
        sources = [
            *re.findall(r"[Ss]ource[:=] ?[\"f]*(.*?)(?:[\";]|$)", text, re.M),
            *re.findall(r"\(([^()]*\b(?:19|20)\d\d)\)", text),
        ]
        for source in sources:
            for pattern in NAMED:
                for names in re.findall(pattern, source):
                    for name in re.split(r", | & | and | et al", names):
                        if name[:1].isupper() and name.isalpha() and name not in NO_NAMES:
                            found.setdefault(name, path.name)
    return found


def test_everybody_whom_sources_mention_is_in_the_bibliography():
    text = (DOCS / "bibliography.md").read_text(encoding="utf-8")
    found = surnames()
    assert {"Rister", "Karniadakis", "Zaslavsky", "Clopper", "Serra", "Singh"} <= found.keys()  # they are looked for
    assert {name: file for name, file in found.items() if not re.search(rf"\b{name}\b", text)} == {}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    """In the files themselves, as GitHub shows them; those of the built site are checked where it is built."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.S | re.M)
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        made = target.rpartition("/")[2] in MADE
        assert re.match(r"https?:", target) or made or (path.parent / target).exists(), target


def test_every_public_name_is_in_the_reference():
    pages = "".join(page.read_text(encoding="utf-8") for page in (DOCS / "reference").glob("*.md"))
    shown = re.findall(r"^::: geomrelu\.(\w+)$", pages, re.M)
    assert sorted(shown) == sorted(set(geomrelu.__all__) - {"__version__"})


def test_mathematics_of_the_pages_is_typeset():
    """No exponents in plain characters outside code."""
    for path in DOCS.rglob("*.md"):
        text = re.sub(
            r"^```.*?^```$|`[^`]+`|\$\$.*?\$\$|\$[^$]+\$|<[^>]+>",
            "",
            path.read_text(encoding="utf-8"),
            flags=re.S | re.M,
        )
        assert re.findall(r"\S*\w\^\S+|\S+ [<>]= \S+", text) == [], path


def test_the_version_is_the_same_everywhere():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (version,) = re.findall(r'^version = "(.*)"$', project, re.M)
    for path, pattern in (
        ("CITATION.cff", r"^version: (.*)$"),
        ("geomrelu/docs/citing.md", r"^  version = \{(.*)\},$"),
        ("CHANGELOG.md", r"^## \[(.*?)\]"),
    ):
        assert re.search(pattern, (ROOT / path).read_text(encoding="utf-8"), re.M).group(1) == version, path


def test_the_date_of_the_version_is_the_same_everywhere():
    dates = {
        re.search(pattern, (ROOT / path).read_text(encoding="utf-8"), re.M).group(1)
        for path, pattern in (
            ("CITATION.cff", r"^date-released: (.*)$"),
            ("geomrelu/docs/citing.md", r"^  date    = \{(.*)\},$"),
            ("CHANGELOG.md", r"^## \[.*?\] - (.*)$"),
        )
    }
    assert len(dates) == 1, dates
