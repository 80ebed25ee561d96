"""What has to be read to believe one certificate: the plain judge without what it did not need for it.

    python -m geomrelu.certificates.excerpt CERTIFICATE MODEL.json DOMAIN.json [SMALLER.json] > judge.py

takes what ``checker.py`` takes, judges with it, and writes that file without the functions and branches that were never
entered: a program that accepts this certificate as well. Where a branch was, it rejects, so it accepts nothing that
``checker.py`` does not. What the judge says goes to standard error; the exit code is its own.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from geomrelu import checker

__all__ = ["main", "reduced", "watched"]

SOURCE = Path(checker.__file__)
ELSEWHERE = 'raise Rejected("not needed for the certificate of this excerpt")\n'


class Block(NamedTuple):
    """Statements that are done together: the body of a function, of a loop, or one side of a condition."""

    owner: Any
    statements: list[ast.stmt]


def blocks(tree: ast.Module) -> list[Block]:
    """Those of functions, from outside in, in an order that depends on the tree alone."""
    functions = [part for part in _parts(tree) if isinstance(part, ast.FunctionDef)]
    owners = [
        node for part in functions for node in ast.walk(part) if isinstance(node, (ast.FunctionDef, ast.If, ast.For))
    ]
    sides = [(owner, side) for owner in owners for side in (owner.body, getattr(owner, "orelse", [])) if side]
    return [Block(owner, side) for owner, side in sides]


def watched() -> tuple[Callable[[list[str]], int], bytearray]:
    """The judge's ``main``, and bytes in which it marks the blocks that it enters."""
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    every = blocks(tree)
    for k, block in enumerate(every):
        block.statements[:0] = ast.parse(f"_entered[{k}] = 1").body
    entered = bytearray(len(every))
    names: dict[str, Any] = {"__name__": "watched", "_entered": entered}
    exec(compile(ast.fix_missing_locations(tree), str(SOURCE), "exec"), names)
    return names["main"], entered


def reduced(entered: bytearray) -> str:
    """The text of ``checker.py`` without the blocks that were not entered; a function still named only rejects."""
    source = SOURCE.read_text(encoding="utf-8").splitlines(keepends=True)
    unseen = [block for block, seen in zip(blocks(ast.parse("".join(source))), entered, strict=True) if not seen]
    functions = [block for block in unseen if isinstance(block.owner, ast.FunctionDef)]
    text = list(source)
    for function, _ in functions:
        first = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
        _replace(text, first, function.end_lineno, "")
    for block in unseen:  # those outside come before those inside them
        if text[block.statements[0].lineno - 1]:  # it is still there
            _cut(text, block)
    nodes = list(ast.walk(ast.parse("".join(text))))
    classes = {node.name for node in nodes if isinstance(node, ast.ClassDef)}
    named = {node.id for node in nodes if isinstance(node, ast.Name)}
    for node in nodes:  # as a table of methods names them
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in classes:
            named.add(node.attr)
    for function, (first, *_) in functions:
        if function.name in named:
            head = slice(function.lineno - 1 - len(function.decorator_list), first.lineno - 1)
            text[head] = source[head]
            text[first.lineno - 1] = " " * first.col_offset + ELSEWHERE
    short = re.sub(r"\n{4,}", "\n\n\n", "".join(text))
    return re.sub(r"# ---- [^\n]*\n+(?=# ----)", "", short)  # a section of which nothing is left


def _parts(tree: ast.Module) -> Iterator[Any]:
    """What the file consists of, with the functions of its classes one by one."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from (function for function in node.body if isinstance(function, ast.FunctionDef))
        else:
            yield node


def _cut(text: list[str], block: Block) -> None:
    """Reject where a block was; what only raises, or calls nothing, stays."""
    first, last = block.statements[0], block.statements[-1]
    calls = any(isinstance(node, ast.Call) for statement in block.statements for node in ast.walk(statement))
    if calls and not isinstance(first, ast.Raise):
        line = " " * first.col_offset + ELSEWHERE
        if text[first.lineno - 1].lstrip().startswith("elif "):
            line = " " * first.col_offset + "else:\n    " + line
        _replace(text, first.lineno, last.end_lineno, line)


def _replace(text: list[str], first: int, last: int | None, by: str) -> None:
    """In as many lines, so that the others keep their numbers."""
    text[first - 1 : last] = [by] + [""] * ((last or first) - first)


def main(arguments: list[str]) -> int:
    """The command."""
    judge, entered = watched()
    with redirect_stderr(StringIO()):
        judge([])  # what says how it is used belongs to the program
    with redirect_stdout(sys.stderr):
        code = judge(arguments)
    if code == 0:
        print(reduced(entered), end="")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
