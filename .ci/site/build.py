"""Build the documentation site: ``python .ci/site/build.py`` (``make site``), to build/site/html.

The pages under geomrelu/docs, and what is documentation elsewhere (FORMAT.md, the proofs, the examples, CONTRIBUTING),
are gathered in build/site/pages; what they show is made here, by running it:

    ```python run               the output follows; a picture, if the last line is one
    ```sh run                   each line is a command of geomrelu; the output follows
    ```json file=model.json     also written, for the commands of the page

A block that fails ends the build. So do warnings of mkdocs, links that lead nowhere, formulas that are not typeset, and
pages that would ask a network for something. The status of a claim comes from its evidence: what ``geomrelu verify
--report`` has kept in the directory named by --evidence counts, and the rest is verified now.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import chdir, redirect_stdout, suppress
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.extend([str(HERE.parent), str(ROOT)])  # notebooks.py, the package

import claim_pages
from docstrings import typeset
from notebooks import cells
from pictures import svg_of

BUILT = ROOT / "build" / "site"
PAGES, HTML = BUILT / "pages", BUILT / "html"
TEXTS = ROOT / "geomrelu" / "docs"
WITHOUT_RUNNING = {"collapse_rate"}  # it trains for a minute, and needs PyTorch

# What is documentation where it stands, and the page it becomes.
ELSEWHERE = {
    "geomrelu/certificates/FORMAT.md": "reference/format.md",
    "proofs/kernel/README.md": "reference/kernel.md",
    "proofs/not-seen.md": "claims/not-seen.md",
    "CONTRIBUTING.md": "developing/contributing.md",
    "geomrelu/README.md": "developing/architecture.md",
    "tests/README.md": "developing/tests.md",
    "tests/benchmarks/README.md": "developing/benchmarks.md",
    "CHANGELOG.md": "developing/changes.md",
}
# Where a link to such a file leads, though the file itself is no page.
INSTEAD = {
    "README.md": "index.md",
    "proofs/README.md": "claims/index.md",
    "geomrelu/checker.py": "reference/checker.md",
}


# ---- links between files become links between pages -------------------------------------------------------------


def page_of(path: str) -> str | None:
    """The page that a file of the repository becomes, if it becomes one."""
    if path in ELSEWHERE or path in INSTEAD:
        return ELSEWHERE.get(path) or INSTEAD[path]
    if path.startswith("geomrelu/docs/") and path.endswith(".md"):
        return path.removeprefix("geomrelu/docs/")
    found = re.fullmatch(r"(proofs|examples)/([\w-]+)\.py", path)
    return None if found is None else f"{'claims' if found[1] == 'proofs' else 'examples'}/{found[2]}.md"


def linked(text: str, source: str, page: str) -> str:
    """A text of the file ``source`` as it stands on ``page``: its links lead to pages, or to copies of files."""

    def link(match: re.Match[str]) -> str:
        target, hash_, fragment = match[2].partition("#")
        if not target or urlsplit(target).scheme:
            return match[0]
        path = os.path.normpath(os.path.join(os.path.dirname(source), target))
        if (ROOT / path / "README.md").is_file():
            path = f"{path}/README.md"  # of a folder
        to = page_of(path)
        if to is None:
            if not (ROOT / path).is_file():
                raise SystemExit(f"{source}: {match[2]} is not there")
            to = f"files/{path.removeprefix('.')}"  # mkdocs passes over what begins with a dot
            to += ".txt" if path.endswith((".py", ".v", ".ml")) else ""
            (PAGES / to).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, PAGES / to)
        return f"{match[1]}{os.path.relpath(to, os.path.dirname(page) or '.')}{hash_}{fragment})"

    parts = re.split(r"(^```.*?^```$)", text, flags=re.S | re.M)  # not in code
    return "".join(p if k % 2 else re.sub(r"(\]\()([^)\s]+)\)", link, p) for k, p in enumerate(parts))


def written(page: str, text: str) -> None:
    """One page, complete."""
    path = PAGES / page
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.rstrip() + "\n", encoding="utf-8")


# ---- what pages show is run -------------------------------------------------------------------------------------

BLOCK = re.compile(r"^```(python|sh|json) (run|file=(\S+))\n(.*?)^```$", re.S | re.M)


class Runs:
    """The blocks of one page, run in order in a folder of their own, in one namespace."""

    def __init__(self, page: str) -> None:
        self.page = page
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.pictures = 0

    def shown(self, text: str) -> str:
        """The text with what its blocks print and draw."""
        with tempfile.TemporaryDirectory() as folder, chdir(folder):
            return BLOCK.sub(self._block, text)

    def _block(self, match: re.Match[str]) -> str:
        kind, name, body = match[1], match[3], match[4]
        if name:
            Path(name).write_text(body, encoding="utf-8")
            return f'```{kind} title="{name}"\n{body}```'
        try:
            result = self._commands(body) if kind == "sh" else self.python(body)
        except Exception as problem:
            raise SystemExit(f"{self.page}: {type(problem).__name__}: {problem}\n{body}") from problem
        return result if kind == "sh" else f"```{kind}\n{body}```\n{result}"

    def _commands(self, body: str) -> str:
        shown = []
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
        for command in body.strip().splitlines():
            line = re.sub(r"(?<=\s)geomrelu/", f"{ROOT}/geomrelu/", command)  # first what is a path, then what runs
            line = re.sub(r"^geomrelu\b", f"{sys.executable} -m geomrelu", line)
            line = re.sub(r"^python\b", sys.executable, line)
            ended = subprocess.run(line, shell=True, capture_output=True, text=True, env=environment, check=False)
            if ended.returncode not in (0, 3):
                raise RuntimeError(ended.stderr + ended.stdout)
            shown.append(f"$ {command}\n{ended.stdout}{ended.stderr}".rstrip())
        return "```console\n" + "\n".join(shown) + "\n```"

    def python(self, body: str) -> str:
        """What a cell prints, and the picture or the value in its last line."""
        tree = ast.parse(body)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        printed = StringIO()
        with redirect_stdout(printed):
            exec(compile(tree, self.page, "exec"), self.names)
            value = None if last is None else eval(compile(ast.Expression(last.value), self.page, "eval"), self.names)
        said = printed.getvalue().rstrip()
        shown = f"\n```text\n{said}\n```\n" if said else ""
        picture = svg_of(value)
        if picture is not None:
            self.pictures += 1
            return shown + self._picture(picture)
        return shown if value is None else f"{shown}\n```text\n{value!r}\n```\n"

    def _picture(self, svg: str) -> str:
        name = f"{Path(self.page).stem}-{self.pictures}.svg"
        (PAGES / self.page).parent.mkdir(parents=True, exist_ok=True)
        ((PAGES / self.page).parent / name).write_text(svg, encoding="utf-8")
        return f"\n![]({name}){{ .picture }}\n"


# ---- pages ------------------------------------------------------------------------------------------------------


def texts() -> None:
    """The pages that are written as pages, and documentation from elsewhere."""
    for path in sorted(TEXTS.rglob("*")):
        page = str(path.relative_to(TEXTS))
        if path.suffix == ".md":
            text = linked(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)), page)
            written(page, Runs(page).shown(text))
        elif path.is_file():
            (PAGES / page).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, PAGES / page)
    for source, page in ELSEWHERE.items():
        text = linked((ROOT / source).read_text(encoding="utf-8"), source, page)
        parts = re.split(r"(^```.*?^```$|^    .*$|`[^`]+`)", text, flags=re.S | re.M)  # code stays as it is
        written(page, "".join(part if k % 2 else typeset(part) for k, part in enumerate(parts)))
    judge = (ROOT / "geomrelu" / "checker.py").read_text(encoding="utf-8")
    written("reference/checker.md", f"{CHECKER}\n```python\n{judge}```\n")


CHECKER = """# The judge

`geomrelu/checker.py`, all of it: the one file that has to be believed. It needs nothing but the standard library and
runs alone. Why each rule is sound: [certificates](format.md).
"""


def examples() -> list[str]:
    """A page for each example: its cells, with what they print and draw."""
    made = []
    for path in sorted((ROOT / "examples").glob("*.py")):
        page = f"examples/{path.stem}.md"
        text, runs = "", Runs(page)
        sys.argv = [path.name]
        with tempfile.TemporaryDirectory() as folder, chdir(folder):
            for kind, body in cells(path.read_text(encoding="utf-8")):
                if kind == "markdown":
                    text += linked(body, f"examples/{path.name}", page) + "\n\n"
                else:
                    result = "" if path.stem in WITHOUT_RUNNING else runs.python(body)
                    text += f"```python\n{body}\n```\n{result}\n"
        note = (
            "\n*Not run here: it trains networks for a minute, with PyTorch.*\n" if path.stem in WITHOUT_RUNNING else ""
        )
        written(page, f"{text}{note}\n---\n\n`python examples/{path.name}` runs this page.")
        made.append(page)
    order = ["first_look", "two_layers", "dead_neurons_of_a_real_network"]
    return sorted(made, key=lambda page: (*(Path(page).stem != first for first in order), page))


def commands() -> None:
    """The help of every command."""
    from geomrelu.cli.main import COMMANDS, main

    os.environ["COLUMNS"] = "100"

    def helped(*words: str) -> str:
        printed = StringIO()
        with redirect_stdout(printed), suppress(SystemExit):
            main([*words, "--help"])
        return f"```text\n{printed.getvalue().rstrip()}\n```"

    names = [module.__name__.rpartition(".")[2] for module in COMMANDS]
    parts = [f"# Command line\n\n{helped()}", *(f"## geomrelu {name}\n\n{helped(name)}" for name in names)]
    written("reference/commands.md", "\n\n".join(parts))


# ---- the built pages are checked --------------------------------------------------------------------------------


class Page(HTMLParser):
    """What a page refers to, what can be referred to in it, and its text outside code."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.names: set[str] = set()
        self.text: list[str] = []
        self.code = 0
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        self.names.update(found[name] for name in ("id", "name") if name in found)
        self.code += tag in ("code", "pre", "script", "style")
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        elif tag == "link" and found.get("rel") not in ("canonical", "prev", "next"):
            self.loaded.append(found["href"])
        elif "src" in found:
            self.loaded.append(found["src"])

    def handle_endtag(self, tag: str) -> None:
        self.code -= tag in ("code", "pre", "script", "style")

    def handle_data(self, data: str) -> None:
        if not self.code:
            self.text.append(data)


def faults() -> list[str]:
    """What is wrong with the built pages: links and files that are not there, formulas left as text, hosts."""
    pages = {path: Page(path) for path in sorted(HTML.rglob("*.html"))}
    wrong = []
    for path, page in pages.items():
        here = path.relative_to(HTML)
        for target in page.links + page.loaded:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                if target in page.loaded and parts.scheme != "data":
                    wrong.append(f"{here}: loads {target}")
                continue
            to = path if not parts.path else (path.parent / unquote(parts.path)).resolve()
            if not to.is_file():
                wrong.append(f"{here}: {target} is not there")
            elif parts.fragment and to in pages and unquote(parts.fragment) not in pages[to].names:
                wrong.append(f"{here}: {target}: no such place on that page")
        text = " ".join(page.text)
        wrong += [
            f"{here}: not typeset: {found}" for found in re.findall(r"\\[(\[].{0,40}|\S*\d\^\(.{0,20}|\bR\^n\S*", text)
        ]
    styles = [*HTML.rglob("*.css")]
    for style in styles:
        if re.search(r"url\(['\"]?(https?:)?//|@import", style.read_text(encoding="utf-8")):
            wrong.append(f"{style.relative_to(HTML)} asks the network")
    return wrong


# ---- all of it --------------------------------------------------------------------------------------------------


def configured(example_pages: list[str], claims: list[Any]) -> Path:
    """The configuration of mkdocs with the pages that were made."""
    import yaml

    text = (HERE / "mkdocs.yml").read_text(encoding="utf-8")
    text = text.replace("!EXAMPLES", yaml.safe_dump(example_pages, default_flow_style=True, width=10**6).strip())
    text = text.replace("!CLAIMS", yaml.safe_dump(claims, default_flow_style=True, width=10**6).strip())
    path = HERE / "made.yml"  # beside the original: hooks and extensions are found from there
    path.write_text(text, encoding="utf-8")
    return path


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Build the documentation site, to build/site/html.")
    parser.add_argument("--evidence", default=str(ROOT / "build" / "verified"), help="where verified claims are kept")
    options = parser.parse_args(arguments)
    if BUILT.exists():
        shutil.rmtree(BUILT)
    steps: list[tuple[str, Callable[[], Any]]] = [
        ("texts", texts),
        ("commands", commands),
        ("examples", examples),
        ("claims", lambda: claim_pages.claims(Path(options.evidence), linked, written, PAGES)),
    ]
    made = {}
    for name, step in steps:
        print(f"site: {name}", flush=True)
        made[name] = step()
    configuration = configured(made["examples"], made["claims"])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(HERE)]), "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--config-file", str(configuration)]
    try:
        subprocess.run(command, env=environment, cwd=ROOT, check=True)
    except subprocess.CalledProcessError as ended:
        return ended.returncode
    finally:
        configuration.unlink()
    (HTML / "404.html").unlink(missing_ok=True)  # for a server at the root of a host, which nobody has named
    wrong = faults()
    print(
        "\n".join([*wrong[:40], *([f"... {len(wrong)} in all"] if len(wrong) > 40 else [])])
        or f"site: {len(list(HTML.rglob('*.html')))} pages in {HTML.relative_to(ROOT)}"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
