"""Mutants of the plain judge: small faults, one at a time, each of which a quick battery has to notice.

    python tests/attack/mutants.py [--from LINE] [--to LINE] [--every N] [--seconds S]

A mutant changes one operator, comparison, constant, condition or call of ``require`` or ``listed`` of ``checker.py``,
or leaves out one statement. The battery (``battery.py``) judges certificates whose answer is known. A mutant that gives
the same answers everywhere survives; ``survivors.py`` says which ones do, and why that is no fault. Exit code 1:
another one survives, or an entry there is out of date.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import io
import signal
import sys
import types
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.extend(str(Path(__file__).resolve().parents[1] / folder) for folder in ("", "certificates"))

from attack.questions import Question
from attack.survivors import EXPLAINED, Survivor
from geomrelu import checker

SOURCE = Path(checker.__file__)
SWAPS: dict[type, type] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE,
    ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.And: ast.Or, ast.Or: ast.And,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip


# ---- mutants ----------------------------------------------------------------------------------------------------


class Mutant(NamedTuple):
    """One change of the source; ``within`` is the function, "" outside; the text is that of its statement's head."""

    line: int
    within: str
    before: str
    text: str
    change: Callable[[], None]
    undo: Callable[[], None]

    def __str__(self) -> str:
        return f"{self.line}: {self.within}\n      {self.before}\n   -> {self.text}"


def mutants(tree: ast.Module) -> list[Mutant]:
    """Every change of one operator, comparison, constant, condition or requirement, every statement, by lines."""
    found = []
    for node, statement, within in _nodes(tree, tree, ""):
        for holder, field, new in (*_changes(node), *_conditions(node)):
            change, undo = _setting(holder, field, new), _setting(holder, field, getattr(holder, field))
            before = _head(statement)
            change()
            found.append(
                Mutant(getattr(node, "lineno", statement.lineno), within, before, _head(statement), change, undo)
            )
            undo()
        for field, k, gone in _left_out(node) if within else ():
            body = getattr(node, field)
            less = [*body[:k], ast.copy_location(ast.Pass(), gone), *body[k + 1 :]]
            text = f"without: {_head(gone)}"
            found.append(
                Mutant(gone.lineno, within, "", text, _setting(node, field, less), _setting(node, field, body))
            )
    return sorted(found, key=lambda m: m.line)


def _setting(holder: Any, field: str, value: Any) -> Callable[[], None]:
    return lambda: setattr(holder, field, value)


def _left_out(node: Any) -> Iterator[tuple[str, int, ast.stmt]]:
    """The statements of a body; not the only one of an "if", which goes as a whole."""
    for field in ("body", "orelse"):
        body = getattr(node, field, ())
        only = isinstance(node, ast.If) and len(body) == 1 and not node.orelse
        for k, one in enumerate(body if isinstance(body, list) and not only else ()):
            text = isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)
            if not text and not isinstance(one, (ast.FunctionDef, ast.ClassDef, ast.Pass)):
                yield field, k, one


def _nodes(node: ast.AST, statement: Any, within: str) -> Iterator[tuple[Any, Any, str]]:
    """All nodes, with the statement and the function or class in which they stand."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.keyword) and child.arg == "strict":  # zip(..., strict=True) of lists of one length
            continue
        inside, of = within, child if isinstance(child, ast.stmt) else statement
        if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
            inside = f"{within}.{child.name}".lstrip(".")
        yield child, of, inside
        yield from _nodes(child, of, inside)


def _changes(node: Any) -> Iterator[tuple[Any, str, Any]]:
    """Other values of a field, of the node or below it."""
    if isinstance(node, (ast.BinOp, ast.AugAssign, ast.BoolOp)) and type(node.op) in SWAPS:
        yield node, "op", SWAPS[type(node.op)]()
    elif isinstance(node, ast.Compare):
        for k, op in enumerate(node.ops):
            if type(op) in SWAPS:
                yield node, "ops", [*node.ops[:k], SWAPS[type(op)](), *node.ops[k + 1 :]]
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield node, "value", node.value + 1
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield node, "value", not node.value
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not)):
        yield node, "operand", ast.copy_location(ast.UnaryOp(type(node.op)(), node.operand), node)  # twice: not at all
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id == "require":
            yield node, "args", [ast.copy_location(ast.Constant(True), node.args[0]), *node.args[1:]]
        elif node.func.id == "listed":  # of any length, or no list at all
            yield from [(node, "args", node.args[:2])] * (len(node.args) > 2)
            yield node, "func", ast.copy_location(ast.parse("lambda value, *_: value", mode="eval").body, node)
        elif node.func.id in ("min", "max"):
            yield node.func, "id", "max" if node.func.id == "min" else "min"


def _conditions(node: Any) -> Iterator[tuple[Any, str, Any]]:
    """The same, of conditions: one part of several is left out, or always one of two values is taken."""
    if isinstance(node, ast.BoolOp):
        for k in range(len(node.values)):
            neutral = ast.copy_location(ast.Constant(isinstance(node.op, ast.And)), node)
            yield node, "values", [neutral if i == k else v for i, v in enumerate(node.values)]
    elif isinstance(node, ast.comprehension):
        for k in range(len(node.ifs)):
            yield node, "ifs", [*node.ifs[:k], *node.ifs[k + 1 :]]
    elif isinstance(node, ast.IfExp):
        for always in (True, False):
            yield node, "test", ast.copy_location(ast.Constant(always), node)


def _head(statement: ast.AST) -> str:
    """A statement without those inside it."""
    shallow = copy.copy(statement)
    for field in ("body", "orelse", "finalbody", "handlers"):
        if isinstance(getattr(shallow, field, None), list):
            setattr(shallow, field, [ast.Pass()] if field == "body" else [])
    return ast.unparse(shallow).split("\n")[0]


def loaded(tree: ast.Module) -> Any:
    """The module that a tree stands for."""
    module = types.ModuleType("mutant")
    sys.modules["mutant"] = module
    exec(compile(ast.fix_missing_locations(copy.copy(tree)), "mutant", "exec"), module.__dict__)
    return module


def notices(asked: list[Question], module: Any) -> bool:
    """Does a module give another answer somewhere? Such a question is asked first the next time."""
    for k, (ask, answer) in enumerate(asked):
        try:
            other = ask(module) != answer
        except Exception:  # a crash is noticed as well
            other = True
        if other:
            asked.insert(0, asked.pop(k))
            return True
    return False


def survives(mutant: Mutant, tree: ast.Module, asked: list[Question]) -> bool:
    """Does the battery overlook a mutant?"""
    mutant.change()
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            return not notices(asked, loaded(tree))
    except (Exception, SystemExit):  # it does not even load, takes for ever, or runs the command when it is loaded
        return False
    finally:
        mutant.undo()


# ---- those that survive -------------------------------------------------------------------------------------------


def matched(found: list[Mutant]) -> tuple[dict[int, Survivor], list[str]]:
    """What is said of mutants, by their places in the list; and what is said of none, or of several."""
    said: dict[int, Survivor] = {}
    stale = []
    for entry in EXPLAINED:
        places = [k for k, m in enumerate(found) if m.within == entry.within and entry.text in m.text]
        places = [k for k in places if entry.text not in found[k].before]
        if len(places) == entry.times and not said.keys() & set(places):
            said |= dict.fromkeys(places, entry)
        else:
            stale.append(f"{entry.within}: {entry.text}: said of {len(places)} mutants, not {entry.times}, or twice")
    return said, stale


def main(arguments: list[str]) -> int:
    from attack.battery import Battery

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="first", type=int, default=1, metavar="LINE")
    parser.add_argument("--to", dest="last", type=int, default=10**9, metavar="LINE")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every N-th mutant")
    parser.add_argument("--at", type=int, nargs="+", metavar="LINE", help="only the mutants of these lines")
    parser.add_argument("--seconds", type=int, default=60, metavar="S", help="of the processor, for one mutant")
    options = parser.parse_args(arguments)
    asked = Battery().asked
    print(f"{len(asked)} questions", flush=True)
    assert not notices(asked, checker), "the judge itself has to pass"
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    everything = mutants(tree)
    said, stale = matched(everything)
    chosen = [k for k, m in enumerate(everything) if options.first <= m.line <= options.last][:: options.every]
    chosen = [k for k in chosen if not options.at or everything[k].line in options.at]
    kinds, faults = Counter[str](), 0

    def late(*_: Any) -> None:
        raise TimeoutError

    signal.signal(signal.SIGVTALRM, late)
    for done, k in enumerate(chosen):
        mutant = everything[k]
        if done % 100 == 0:
            print(f"{done} of {len(chosen)}, line {mutant.line}", file=sys.stderr, flush=True)
        signal.setitimer(signal.ITIMER_VIRTUAL, options.seconds)
        survived = survives(mutant, tree, asked)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        if survived and k in said:
            kinds[said[k].kind] += 1
        elif survived:
            faults += 1
            print(mutant, flush=True)
        elif k in said:
            stale.append(f"{said[k].within}: {said[k].text}: it is noticed")
    for text in stale:
        print(f"out of date in survivors.py: {text}")
    told = ", ".join(f"{kind} {n}" for kind, n in sorted(kinds.items()))
    print(f"{len(chosen)} mutants: {len(chosen) - faults - kinds.total()} noticed, {kinds.total()} that survive are "
          f"explained ({told}), {faults} are not")  # fmt: skip
    return int(bool(faults or stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
