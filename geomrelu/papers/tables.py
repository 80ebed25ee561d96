"""Tables of closed forms and exact counts, as text, in Markdown, LaTeX (booktabs), CSV and JSON.

:data:`TABLES` lists them by name; each is a function without arguments that computes its cells from
:mod:`geomrelu.random_networks.closed_forms` and exact orbits.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from geomrelu.arguments import integer
from geomrelu.errors import InputError
from geomrelu.geometry import region_formulas
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.bias_free import bias_free_orbit
from geomrelu.random_networks.initialisation import FRAMEWORKS, Initialisation
from geomrelu.random_networks.orbit import alive_orbit
from geomrelu.random_networks.orbit_batch import stably_unactivated_counts
from geomrelu.random_networks.ternary import ternary_dead

__all__ = ["FORMATS", "NEEDS", "TABLES", "Table", "applies", "safe_width"]

Cell = Any  # int, str, Fraction or SymPy expression


@dataclass(frozen=True)
class Table:
    """Rows of exact values.

    Attributes:
        title: one line. columns: heads, as LaTeX where they are formulas.
        rows: cells: int, ``Fraction``, SymPy expressions, or text.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def render(self, format_: str) -> str:
        """The table as "text", "markdown", "latex", "csv" or "json"."""
        if format_ not in FORMATS:
            raise InputError(f"unknown format {format_!r} (known: {', '.join(FORMATS)})")
        return FORMATS[format_](self)


# ---- formats ----------------------------------------------------------------------------------------------------


def _text(table: Table) -> str:
    """For a terminal: columns, and formulas in the signs that it has."""
    cells = [[*map(_read, table.columns)], *([_read(_plain(v)).replace("**", "^") for v in row] for row in table.rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([table.title, "", lines[0], "  ".join("-" * w for w in widths), *lines[1:]])


def _markdown(table: Table) -> str:
    cells = [list(table.columns), *([_marked(v) for v in row] for row in table.rows)]
    cells = [[c.replace("|", r"\|") for c in row] for row in cells]
    widths = [max(3, *map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in cells]
    rule = "|" + "|".join("-" * (w + 2) for w in widths) + "|"
    return "\n".join([f"{table.title}", "", lines[0], rule, *lines[1:]])


def _latex(table: Table) -> str:
    rows = [" & ".join(_tex(v) for v in row) + r" \\" for row in table.rows]
    heads = " & ".join(c if "$" in c else _escaped(c) for c in table.columns) + r" \\"
    spec = "l" + "r" * (len(table.columns) - 1)
    top = [f"% {table.title}", rf"\begin{{tabular}}{{{spec}}}", r"\toprule", heads, r"\midrule"]
    return "\n".join([*top, *rows, r"\bottomrule", r"\end{tabular}"])


def _csv(table: Table) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(map(_read, table.columns))
    writer.writerows([_read(_plain(v)) for v in row] for row in table.rows)
    return out.getvalue().rstrip("\n")


def _json(table: Table) -> str:
    """Columns of whole numbers as numbers, all else as text."""
    heads = [*map(_read, table.columns)]
    whole = [all(isinstance(v, (int, sympy.Integer)) for v in column) for column in zip(*table.rows, strict=True)]
    rows = [
        {h: int(v) if number else _read(_plain(v)) for h, v, number in zip(heads, row, whole, strict=True)}
        for row in table.rows
    ]
    return json.dumps({"title": table.title, "rows": rows}, indent=1)


FORMATS: dict[str, Callable[[Table], str]] = {
    "text": _text,
    "markdown": _markdown,
    "latex": _latex,
    "csv": _csv,
    "json": _json,
}
_SIGNS = {"geq": "≥", "leq": "≤", "times": "×", "ell": "ℓ", "sigma": "σ", "theta": "θ"}  # what columns and names use
_FORMULA = re.compile(r"\$([^$]*)\$")


def _read(text: str) -> str:
    """Text without dollars and commands of LaTeX: $n_0 \\leq 2^{n_1 - 1}$ is n0 ≤ 2^(n1 - 1)."""
    return _FORMULA.sub(lambda found: _formula(found[1]), text)


def _formula(text: str) -> str:
    text = re.sub(r"\\([a-z]+)", lambda found: _SIGNS[found[1]], text)
    text = re.sub(r"_(\w|\{\w+\})", lambda found: found[1].strip("{}"), text)
    return re.sub(r"\{([^{}]*)\}", lambda found: found[1] if found[1].isalnum() else f"({found[1]})", text)


def _plain(value: Cell) -> str:
    return str(value)


def _marked(value: Cell) -> str:
    """Formulas between dollars: in Markdown the stars of ``2**n`` would mean bold."""
    return _tex(value) if isinstance(value, sympy.Expr) and not value.is_Rational else _plain(value)


def _tex(value: Cell) -> str:
    if isinstance(value, str):
        return value if "$" in value else _escaped(value)
    if isinstance(value, Fraction):
        value = sympy.Rational(value.numerator, value.denominator)
    return f"${sympy.latex(value)}$"


def _escaped(text: str) -> str:
    return "".join("\\" + c if c in "&%#_{}" else c for c in text)


# ---- tables -----------------------------------------------------------------------------------------------------

TABLES: dict[str, Callable[[], Table]] = {}


def _table(name: str) -> Callable[[Callable[[], Table]], Callable[[], Table]]:
    def register(function: Callable[[], Table]) -> Callable[[], Table]:
        TABLES[name] = function
        return function

    return register


@_table("formulas")
def formulas() -> Table:
    """Every closed form, with symbols."""
    n, k, n0, n1, n2, width, m = (
        sympy.Symbol(s, integer=True, positive=True) for s in ("n", "k", "n0", "n1", "n2", "N", "m")
    )
    p, r = sympy.symbols("p r", positive=True)
    narrow = sympy.Integer(2) ** (-n1 - 1)
    return Table(
        "Closed forms",
        ("quantity", "formula", "claim"),
        (
            ("$P(n, k) \\geq$", closed_forms.lower_bound(n, k), "lower-bound"),
            ("$P(n, k) \\leq$", closed_forms.upper_bound(n, k), "upper-bound"),
            ("layer dead on the orthant", closed_forms.orthant_kill(n), "orthant-kill"),
            ("$P(1, k)$ on the line", closed_forms.width_one(k), "width-one"),
            ("$P(n, 2)$ on the space", closed_forms.upper_bound(n, 2), "tight-at-two"),
            ("width for depth $k$", closed_forms.width_for_depth(k, p), "width-for-depth"),
            ("normal neuron dead on $[-r, r]$", closed_forms.gaussian_dead_on_ball(1, r), "ball-limit"),
            ("normal neuron dead on the disc of radius $r$", closed_forms.gaussian_dead_on_ball(2, r), "ball-limit"),
            ("stably unactivated, $n_1 \\leq n_0$", narrow, "narrow-first-layer"),
            ("stably unactivated, $n_1 = n_0 + 1$", closed_forms.stably_unactivated(n0, n0 + 1), "one-more-than-input"),
            (
                "stably unactivated, $n_1 > n_0 + 1$, conjectured $\\geq$",
                closed_forms.wide_lower_bound(n0),
                "wide-lower-bound",
            ),
            ("the same, $n_0 = 1$, every $n_1$, $\\geq$", closed_forms.line_lower_bound(n1), "line-lower-bound"),
            ("the same, $n_0 = 1$, $\\leq$ for $n_1 \\leq 3$", closed_forms.line_upper_bound(n1), "line-upper-bound"),
            (
                "the same, every $n_0$, $n_1$, $\\geq$",
                closed_forms.width_free_lower_bound(n0),
                "width-free-lower-bound",
            ),
            (
                "second-layer neuron without biases dead, $n_0 = 1$",
                closed_forms.bias_free_unactivated(1, n1),
                "bias-free",
            ),
            (
                "zeros on a line behind widths $n_1$, $n_2$, mean",
                closed_forms.zeros_on_a_line(n1, n2),
                "zeros-on-a-line",
            ),
            (
                "dead on $R$ behind widths $n_1$, $n_2$, $\\geq$",
                closed_forms.dead_on_the_line(n1, n2),
                "zeros-on-a-line",
            ),
            (
                "Euler characteristic of $f < 0$ behind width $n_1$, mean",
                closed_forms.euler_characteristic(n1),
                "euler-characteristic",
            ),
            ("two layers of width $N$ die $\\leq$", closed_forms.dying_bound(width, width), "dying-bound"),
            ("two layers of width $N$ die $\\geq$", closed_forms.dying_at_least(width, width), "dying-bound"),
            (
                "bias-free chain on the line, two hidden layers, dead",
                sympy.powsimp(closed_forms.one_dim_dying(width, 2)),
                "one-dim-chain",
            ),
            ("$\\sigma$ of asymmetric initialisation", closed_forms.rai_sigma(), "rai-never-kills-orthant"),
            (
                "$k$ convolutions, $n$ channels, $m \\times m$ kernels, alive $\\leq$",
                closed_forms.convolution_upper_bound(n, m, k),
                "conv-bounds-corrected",
            ),
            ("all of $k$ residual layers dead at a point", closed_forms.residual_dead_point(n, k), "residual-bypass"),
            ("sign flipping: of $m$ data points alive $\\geq$", closed_forms.sign_flip_alive(m, k), "sign-flip-ratio"),
            ("regions of $m$ generic lines in the plane", sympy.expand(region_formulas.regions(m, 2)), "zaslavsky"),
            ("bounded regions in $R^n$", region_formulas.bounded_regions(m, n), "zaslavsky"),
            (
                "regions of $m$ generic planes through 0 in $R^3$",
                sympy.expand(region_formulas.central_regions(m, 3)),
                "zaslavsky",
            ),
        ),
    )


@_table("bounds")
def both_bounds() -> Table:
    """The bounds on P(n, k) for small n and k."""
    rows = [
        (n, k, closed_forms.lower_bound(n, k), closed_forms.upper_bound(n, k))
        for n in range(1, 5)
        for k in (1, 2, 3, 4, 8)
    ]
    return Table(
        "Bounds on the probability P(n, k) of a living network",
        ("$n$", "$k$", "$\\ell(n, k)$", "$v(n, k)$"),
        tuple(rows),
    )


@_table("exact-alive")
def exact_alive() -> Table:
    """P(1, k) and P(n, 2), each counted on an orbit beside the formula."""
    rng, rows = np.random.default_rng(1), []
    cases = [(1, k, closed_forms.width_one(k)) for k in range(1, 11)] + [
        (n, 2, closed_forms.upper_bound(n, 2)) for n in (2, 3)
    ]
    for n, k, formula in cases:
        layers = [(rng.integers(1, 1000, (n, n)).tolist(), rng.integers(1, 1000, n).tolist()) for _ in range(k)]
        alive, size = alive_orbit(layers, Polyhedron.space(n))
        rows.append((n, k, alive, size, formula, "yes" if Fraction(alive, size) == Fraction(str(formula)) else "NO"))
    return Table(
        "Living networks on R^n: exact values, the same for every law with symmetric densities",
        ("$n$", "$k$", "living", "sign choices", "$P(n, k)$", "equal"),
        tuple(rows),
    )


@_table("stably-unactivated")
def stably_unactivated() -> Table:
    """The exact probabilities for n1 <= n0 + 1."""
    rows = [
        (n0, n1, 2**n1 + 2 * (n1 > n0), 2 ** (2 * n1 + 1), closed_forms.stably_unactivated(n0, n1))
        for n0 in range(1, 6)
        for n1 in range(1, n0 + 2)
    ]
    return Table(
        "A second-layer neuron is stably unactivated on R^n0",
        ("$n_0$", "$n_1$", "choices in the event", "sign choices", "probability"),
        tuple(rows),
    )


@_table("orbit-counts")
def orbit_counts() -> Table:
    """How the counts spread over random orbits where no value is free of the law."""
    rows = []
    for n0, n1 in ((1, 3), (1, 4), (2, 4), (2, 5), (3, 5), (3, 6), (4, 6)):
        rng = np.random.default_rng(n1)
        a, b, w, c = (rng.standard_normal(s) for s in ((1000, n1, n0), (1000, n1), (1000, n1), (1000,)))
        found = Counter(stably_unactivated_counts(a, b, w, c).tolist())
        commonest = max(found, key=lambda k: (found[k], -k))
        rows.append((n0, n1, min(found), commonest, max(found), 2 ** (2 * n1 + 1), 2**n1 + 2 ** (2 * (n1 - n0) - 1)))
    return Table(
        "Stably unactivated sign choices on 1,000 orbits with normal magnitudes",
        ("$n_0$", "$n_1$", "least", "commonest", "most", "sign choices", "$2^{n_1} + 4^{n_1 - n_0} / 2$"),
        tuple(rows),
    )


@_table("ranges")
def ranges() -> Table:
    """The ranges of probabilities over all laws, as far as they are known."""
    rows: list[tuple[Cell, ...]] = [
        ("$P(2, 3)$ on $R^2$", sympy.Rational(3750, 4096), sympy.Rational(3828, 4096), "range-two-three", "sharp")
    ]
    for n1 in range(1, 9):
        low, high = closed_forms.line_lower_bound(n1), closed_forms.line_upper_bound(n1)
        said = "sharp" if n1 <= 3 else "lower end sharp, upper end attained and conjectured"
        rows.append((f"stably unactivated, $n_0 = 1$, $n_1 = {n1}$", low, high, "line-lower-bound", said))
    low, high = sympy.Rational(7, 64), sympy.Rational(1, 8)
    rows.append(("dead without biases, $n_0 = 2$, $n_1 = 4$", low, high, "plane-central-four", "sharp"))
    for n0 in (2, 3):
        low, high = closed_forms.wide_lower_bound(n0), "?"
        event, said = f"stably unactivated, $n_0 = {n0}$, $n_1 \\geq {n0 + 2}$", "a lower bound, conjectured"
        rows.append((event, low, high, "wide-lower-bound", said))
    return Table(
        "Ranges over all laws with independent symmetric parameters without atoms",
        ("event", "least", "largest", "claim", "what is known"),
        tuple(rows),
    )


@_table("zero-bias")
def zero_bias() -> Table:
    """A second-layer neuron of a network without biases is dead on R^n0: the formula, and one orbit counted."""
    rng, rows = np.random.default_rng(2), []
    sizes = [(n, m) for n in range(1, 5) for m in range(1, n + 2)] + [(1, m) for m in range(3, 8)]
    for n0, n1 in sizes:
        counted, size = bias_free_orbit(rng.integers(-(10**6), 10**6, (n1, n0)).tolist(), [1] * n1)
        formula = closed_forms.bias_free_unactivated(n0, n1)
        rows.append((n0, n1, counted, size, formula, "yes" if formula == Fraction(counted, size) else "NO"))
    return Table(
        "A second-layer neuron without biases is dead on R^n0",
        ("$n_0$", "$n_1$", "dead", "sign choices", "probability", "equal"),
        tuple(rows),
    )


# Theorems on random networks, and what they need of the biases besides symmetric laws without atoms. (Without biases
# every neuron is 0 at the point 0, which is dead.)
NEEDS: dict[str, str] = {
    **dict.fromkeys(("lower-bound", "single-point", "dying-bound", "sign-flip-ratio"), "not only 0"),
    **dict.fromkeys(("upper-bound", "one-dim-sharper"), "any"),
    **dict.fromkeys(("orthant-kill", "width-one", "tight-at-two", "range-two-three"), "same"),
    **dict.fromkeys(("narrow-first-layer", "one-more-than-input", "line-lower-bound", "line-upper-bound"), "same"),
    **dict.fromkeys(("width-free-lower-bound", "zeros-on-a-line", "euler-characteristic"), "same"),
    **dict.fromkeys(("bias-free", "one-dim-chain", "collapse-rate"), "zero"),
    **dict.fromkeys(("plane-sign-changes", "tensor-power"), "zero"),
}


def applies(theorem: str, law: str) -> str:
    """Does a theorem speak of networks that are drawn from a law? "yes", or the hypothesis that is not met."""
    start, needed = Initialisation(law), NEEDS[theorem]
    if needed == "same" and not start.bias:
        return "no: biases 0"
    if needed == "zero" and start.bias:
        return "no: biases"
    missing = start.missing(symmetric=True, atomless=True)
    return "yes" if missing is None else f"no: {missing}"


@_table("defaults")
def defaults() -> Table:
    """Which theorems speak of dense layers as a framework draws them unless told otherwise."""
    words = {"any": "with or without biases", "same": "biases", "zero": "no biases"}
    words["not only 0"] = "biases, or an input other than 0"
    return Table(
        "Which theorems apply to whose default initialisation; where biases start at 0 no neuron is stably dead on a "
        "set that contains 0",
        ("theorem", "needs", *FRAMEWORKS),
        tuple((label, words[needed], *(applies(label, law) for law in FRAMEWORKS)) for label, needed in NEEDS.items()),
    )


@_table("frameworks")
def frameworks() -> Table:
    """What frameworks draw dense layers from by default, and how often a second-layer neuron is dead then."""
    rows = []
    for name, framework in FRAMEWORKS.items():
        zero = framework.bias == "zero"
        dead = closed_forms.bias_free_unactivated(2, 3) if zero else closed_forms.stably_unactivated(2, 3)
        rows.append((name, framework.weights, framework.bias, dead, framework.source))
    return Table(
        "Default initialisations of dense layers",
        ("framework", "weights", "biases", "second-layer neuron dead, $n_0 = 2$, $n_1 = 3$", "source"),
        tuple(rows),
    )


@_table("ternary")
def ternary() -> Table:
    """Ternary parameters with P(0) = s: exact polynomials, and their values for s = 0, 1/3, 1/2."""
    s, rows = sympy.Symbol("s"), list[tuple[Cell, ...]]()
    at = (sympy.Integer(0), sympy.Rational(1, 3), sympy.Rational(1, 2))
    for n in (1, 2):
        killed = closed_forms.orthant_kill(n, (1 + s) / 2)
        rows.append((f"layer dead on the orthant, $n = {n}$", killed, *(killed.subs(s, v) for v in at)))
    for n0, n1 in ((1, 1), (1, 2), (1, 3), (2, 1), (2, 2)):
        dead = ternary_dead(n0, n1, s)
        name = f"second-layer neuron dead on $R^{{n_0}}$, $n_0 = {n0}$, $n_1 = {n1}$"
        rows.append((name, dead, *(dead.subs(s, v) for v in at)))
    return Table(
        "Ternary parameters: -1 and 1 equally likely, 0 with probability s",
        ("event", "probability", "$s = 0$", "$s = 1/3$", "$s = 1/2$"),
        tuple(rows),
    )


@_table("int8")
def int8() -> Table:
    """Parameters uniform on the integers of 8 bits: how often a layer is dead on the orthant."""
    laws = {"-127 to 127": sympy.Rational(128, 255), "-128 to 127": sympy.Rational(129, 256)}
    rows = [(n, name, p, closed_forms.orthant_kill(n, p)) for n in (1, 2) for name, p in laws.items()]
    return Table(
        "Parameters uniform on 8-bit integers: a layer is dead on the orthant",
        ("$n$", "integers", "$P(\\theta \\leq 0)$", "layer dead"),
        tuple(rows),
    )


@_table("width-for-depth")
def width_for_depth() -> Table:
    """The least width at which the lower bound reaches p at depth k."""
    goals = (Fraction(1, 2), Fraction(9, 10), Fraction(99, 100))
    rows = [(k, *(safe_width(k, 1 - p) for p in goals)) for k in (1, 2, 4, 8, 16, 32, 64, 128, 256)]
    return Table("Least width n with (1 - 2^-n)^k >= p", ("$k$", *(f"$p = {g}$" for g in goals)), tuple(rows))


@_table("safe-widths")
def safe_widths() -> Table:
    """The least width for which the bound keeps the probability of dying below 10 % and 1 %."""
    rows = [(k, safe_width(k, Fraction(1, 10)), safe_width(k, Fraction(1, 100))) for k in (*range(1, 11), 20, 50, 100)]
    return Table("Least width with P(dies) below 10 % and 1 %", ("hidden layers", "10 %", "1 %"), tuple(rows))


@_table("one-dim")
def one_dim() -> Table:
    """Bias-free networks on the line: the bound of theorem 3, which is exact up to two hidden layers."""
    rows = [
        (width, hidden, closed_forms.one_dim_dying(width, hidden)) for width in (2, 3, 4) for hidden in (1, 2, 3, 4)
    ]
    return Table(
        "Without biases on the line: dead at least so often, and exactly so up to two hidden layers",
        ("$N$", "hidden layers", "dead"),
        tuple(rows),
    )


@_table("dying")
def dying() -> Table:
    """The bound on the probability that a network of equal widths dies at initialisation."""
    rows = [(n, k, closed_forms.dying_bound(*[n] * k)) for n in (1, 2, 3, 4, 8) for k in (1, 2, 3, 9)]
    return Table(
        "Bound on the probability that a network dies: 1 - (1 - 2^-N)^m",
        ("$N$", "hidden layers $m$", "at most"),
        tuple(rows),
    )


@_table("regions")
def regions() -> Table:
    """Regions of m hyperplanes in general position in R^n: all, bounded, and of as many through one point."""
    rows = [
        (
            n,
            m,
            region_formulas.regions(m, n),
            region_formulas.bounded_regions(m, n),
            region_formulas.central_regions(m, n),
        )
        for n in (1, 2, 3, 4)
        for m in (2, 4, 8, 16)
    ]
    return Table("Regions of generic arrangements", ("$n$", "$m$", "regions", "bounded", "central"), tuple(rows))


@_table("network-regions")
def network_regions() -> Table:
    """Linear regions of networks: at most, and as many as some networks that fold have."""
    cases = ((1, (4,)), (1, (4, 4)), (2, (4, 4)), (2, (8, 8)), (2, (8, 8, 8)), (3, (10, 10)), (4, (16, 16, 16)))
    rows = [
        (
            n,
            ", ".join(map(str, w)),
            region_formulas.network_regions_at_most(n, w),
            region_formulas.network_regions_attained(n, w),
        )
        for n, w in cases
    ]
    return Table("Linear regions of ReLU networks", ("inputs", "widths", "at most", "by folding"), tuple(rows))


def safe_width(layers: int, dying: Fraction) -> int:
    """The least width N with ``1 - (1 - 2^-N)^layers <= dying``, decided in integers.

    >>> safe_width(10, Fraction(1, 10))
    7
    """
    if integer(layers, "layers") < 1 or not 0 < dying < 1:
        raise InputError("a positive number of layers, and a probability in (0, 1)")
    width = 1
    while 1 - Fraction(2**width - 1, 2**width) ** layers > dying:
        width += 1
    return width
