"""How the package is built: files that can be read in one go, and no two that import each other, however far around.

The rooms, and who imports whom, are the contract of import-linter in pyproject.toml; how branched a function may be is
a rule of ruff there.
"""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import networkx

import geomrelu

PACKAGE = Path(geomrelu.__file__).parent
LONGEST = 600
JUDGE = "checker.py"  # one file, to be copied out and read alone


def modules():
    """Name -> file."""
    files = {path.relative_to(PACKAGE.parent).with_suffix("").parts: path for path in PACKAGE.rglob("*.py")}
    return {".".join(parts).removesuffix(".__init__"): path for parts, path in files.items()}


def imported(path, names):
    """The modules of the package that a file imports, anywhere, also for its types."""
    found, stack = set(), [ast.parse(path.read_text(encoding="utf-8"))]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in names else node.module for name in inner}
        stack += ast.iter_child_nodes(node)
    return found & names.keys()


def test_files_can_be_read_in_one_go():
    sources = (path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".c", ".h"))
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sources}
    assert len(lengths) > 100
    long = {str(path): n for path, n in lengths.items() if n > LONGEST and path.name != JUDGE}
    assert not long


def test_no_cycles():
    """Not even through imports inside functions, or of types. (The face of the package names all its homes.)"""
    names = modules()
    graph = networkx.DiGraph(
        (name, other)
        for name, path in names.items()
        if path != PACKAGE / "__init__.py"
        for other in imported(path, names)
    )
    assert graph.number_of_edges() > 500
    assert list(networkx.simple_cycles(graph)) == []


def test_no_two_test_files_have_one_name():
    """The folders of tests are no packages, so pytest knows their files by name alone."""
    names = Counter(path.name for path in Path(__file__).parent.rglob("test_*.py"))
    assert len(names) > 60
    assert not [name for name, times in names.items() if times > 1]
