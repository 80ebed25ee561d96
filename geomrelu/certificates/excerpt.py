"""What has to be read to believe one certificate: the plain judge without the functions that it did not call.

    python -m geomrelu.certificates.excerpt CERTIFICATE MODEL.json DOMAIN.json [SMALLER.json] > judge.py

takes what ``checker.py`` takes, judges with it, and writes the functions that were called, with the head, the types and
the classes of the file: a program that accepts this certificate as well. For another one it may lack a function, and
then it fails. What the judge says goes to standard error; the exit code is its own.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import FrameType

from geomrelu import checker

__all__ = ["called", "main", "reduced"]

Function = ast.FunctionDef


@contextmanager
def called() -> Iterator[set[int]]:
    """The first lines of the functions of ``checker.py`` that are called meanwhile."""
    lines: set[int] = set()

    def enter(frame: FrameType, event: str, argument: object) -> None:
        if frame.f_code.co_filename == checker.__file__:
            lines.add(frame.f_code.co_firstlineno)

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        yield lines
    finally:
        sys.settrace(before)


def reduced(lines: set[int]) -> str:
    """The text of ``checker.py`` without the functions that begin on other lines.

    Those that are named without being called stay, as in tables: they are looked up there.
    """
    source = Path(checker.__file__).read_text(encoding="utf-8")
    tree = ast.parse(source)
    functions = list(_functions(tree))
    kept = [node for node in tree.body if not isinstance(node, (Function, ast.ClassDef))]
    kept += [function for function in functions if _first(function) in lines]
    for node in kept:  # grows meanwhile
        names = _looked_up(node)
        kept += [function for function in functions if function.name in names and function not in kept]
    text = source.splitlines(keepends=True)
    for function in functions:
        if function not in kept:
            for line in range(_first(function) - 1, function.end_lineno or 0):
                text[line] = ""
    short = re.sub(r"\n{4,}", "\n\n\n", "".join(text))
    return re.sub(r"# ---- [^\n]*\n+(?=# ----)", "", short)  # a section of which nothing is left


def _functions(tree: ast.Module) -> Iterator[Function]:
    """Of the file and of its classes; not those inside others."""
    for node in tree.body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        yield from (function for function in inside if isinstance(function, Function))


def _first(function: Function) -> int:
    return min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])


def _looked_up(node: ast.AST) -> set[str]:
    """The names from outside that are more than called."""
    names = [name for name in ast.walk(node) if isinstance(name, ast.Name)]
    direct = {id(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)}
    own = {name.id for name in names if isinstance(name.ctx, ast.Store)}
    own |= {argument.arg for argument in ast.walk(node) if isinstance(argument, ast.arg)}
    return {name.id for name in names if id(name) not in direct} - own


def main(arguments: list[str]) -> int:
    """The command."""
    with called() as lines, redirect_stdout(sys.stderr):
        code = checker.main(arguments)
    if code == 0:
        print(reduced(lines), end="")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
