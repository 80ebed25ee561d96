"""Write percent scripts as Jupyter notebooks: ``python .ci/notebooks.py DIRECTORY SCRIPT.py ...`` (``make notebooks``).

A percent script is plain Python cut into cells by comments: ``# %%`` begins code, ``# %% [markdown]`` text in comments.
The scripts are what is edited, tested and kept; notebooks are made when they are wanted. Scripts without cells are
passed over. Standard library only.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

MARK = re.compile(r"^# %%(.*)\n", re.M)


def cells(script: str) -> list[tuple[str, str]]:
    """``("code" | "markdown", text)`` for each cell that is not empty."""
    _, *parts = MARK.split(script)
    found = []
    for head, body in zip(parts[::2], parts[1::2], strict=True):
        kind = "markdown" if "[markdown]" in head else "code"
        if kind == "markdown":
            body = re.sub(r"^# ?", "", body, flags=re.M)
        found.append((kind, body.strip("\n")))
    return [(kind, body) for kind, body in found if body]


def notebook(script: str, name: str) -> dict[str, Any]:
    """The notebook of a script: nbformat 4.5."""
    found = cells(script)
    start = f"%matplotlib inline\nimport sys\n\nsys.argv = [{name!r}]  # a notebook has no command line"
    at = next((k for k, (kind, _) in enumerate(found) if kind == "code"), len(found))
    found.insert(at, ("code", start))
    made = []
    for number, (kind, body) in enumerate(found):
        body = body.replace("raise SystemExit(claim.main())", "claim.main()")  # the end of a script, not of a notebook
        cell: dict[str, Any] = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}}
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        made.append(cell | {"source": body.splitlines(keepends=True)})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def main(arguments: list[str]) -> int:
    if len(arguments) < 2:
        print("usage: python .ci/notebooks.py DIRECTORY SCRIPT.py ...", file=sys.stderr)
        return 2
    directory = Path(arguments[0])
    directory.mkdir(parents=True, exist_ok=True)
    for path in map(Path, arguments[1:]):
        script = path.read_text(encoding="utf-8")
        if MARK.search(script):
            text = json.dumps(notebook(script, path.name), ensure_ascii=False, indent=1)
            (directory / f"{path.stem}.ipynb").write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
