"""Sentences with mathematics in plain characters, as HTML with signs, indices and exponents.

Claims state themselves in plain text, which a terminal shows; a page shows the same sentence typeset. What is
understood is what the registry writes: ``n0``, ``n_l``, ``R^n``, ``2^(-n^2 - n)``, ``a <= b``, ``sum_j``, ``C(m, i)``.
"""

from __future__ import annotations

import re
from html import escape

__all__ = ["prose"]

SIGNS = {
    "<=>": "⇔", "<=": "≤", ">=": "≥", "!=": "≠", "->": "→", "=>": "⇒", ">>": "≫", "<<": "≪", "+-": "±",
}  # fmt: skip
NAMES = {
    "sum": "∑", "prod": "∏", "sqrt": "√", "chi": "χ", "gamma": "γ", "sigma": "σ", "theta": "θ", "lambda": "λ",
    "rho": "ρ", "delta": "δ", "eps": "ε", "alpha": "α", "beta": "β", "pi": "π", "phi": "φ", "mu": "μ", "tau": "τ",
}  # fmt: skip
LETTER = r"[A-Za-zα-ωℓ]"
# One letter is a variable. "a" and "I" are words, but where something mathematical follows.
WORD = re.compile(r"[aAI](?!\s*[·,)\]}=<>≤≥+−^_|]|\s->)")
TOKENS = re.compile(
    rf"""(?P<sign>{"|".join(map(re.escape, SIGNS))})
    |(?P<raise>\^|\*\*)(?=[\w(+−-])
    |(?P<index>_)(?<=[^\W\d_]_)(?=[\w(+])
    |(?P<index_>_)(?<=[\w)]_)(?=[+])
    |(?P<name>\b(?:{"|".join(NAMES)})(?![^\W_]|\s(?:over|of)\b))
    |(?P<log>\blog2(?=\())
    |(?P<times>(?<=[A-Z0-9]\s)x(?=\s[A-Z0-9]))
    |(?P<number>\b{LETTER}\d+\b)
    |(?P<letter>(?<![^\W\d_])(?<![^\W\d_]['’])(?<![^\W\d_]\.){LETTER}(?![^\W_]|[’'](?![\s)>=])|-[^\W\d_]|\.[^\W\d_]))
    |(?P<product>\bnk\b)
    |(?P<minus>(?<=[\s(=^,_])-(?=[\s\d(A-Za-z])|^-(?=[\d(A-Za-z]))
    |(?P<other>.)""",
    re.X | re.S,
)
ARGUMENT = re.compile(r"[+−-]?(?:[^\W_]+(?:_[^\W_]+)?)?(?:\^[^\W_]+)?")


def prose(text: str) -> str:
    """A sentence as HTML.

    >>> prose("P >= 2^(-n^2 - n) on R^n0")
    '<i>P</i> ≥ 2<sup>−<i>n</i><sup>2</sup> − <i>n</i></sup> on ℝ<sup><i>n</i><sub>0</sub></sup>'
    """
    made, at = [], 0
    while at < len(text):
        match = TOKENS.match(text, at)
        assert match is not None  # the last alternative is any character
        kind, found = match.lastgroup, match[0]
        at = match.end()
        if kind in ("raise", "index", "index_"):
            inside, at = _argument(text, at)
            tag = "sup" if kind == "raise" else "sub"
            made.append(f"<{tag}>{prose(inside)}</{tag}>")
        elif kind == "sign":
            made.append(SIGNS[found])
        elif kind == "name":
            made.append(NAMES[found])
        elif kind == "log":
            made.append("log<sub>2</sub>")
        elif kind == "times":
            made.append("×")
        elif kind == "product":
            made.append(f"<i>{found}</i>")
        elif kind == "number":
            made.append(f"{_letter(found[0])}<sub>{found[1:]}</sub>")
        elif kind == "letter":
            made.append(found if WORD.match(text, match.start()) else _variable(text, match))
        elif kind == "minus":
            made.append("−")
        else:
            made.append(escape(found))
    return "".join(made)


def _letter(letter: str) -> str:
    return f"<i>{letter}</i>"


def _variable(text: str, match: re.Match[str]) -> str:
    """A variable; R with an exponent, or where a set is named, is the real numbers."""
    before, after = text[: match.start()], text[match.end() : match.end() + 1]
    if match[0] == "R" and (after == "^" or before.endswith(("domain ", "= ", "of "))):
        return "ℝ"
    return _letter(match[0])


def _argument(text: str, start: int) -> tuple[str, int]:
    """What is raised or lowered: a group in parentheses without them, or the number or name that comes first."""
    sign = "−" if text[start] == "-" else ""
    first = start + len(sign)
    if text[first] == "(":
        depth = 0
        for end in range(first, len(text)):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            if depth == 0:
                inside = text[first + 1 : end].replace("-", "−")
                return (f"−({inside})" if sign else inside), end + 1
    match = ARGUMENT.match(text, start)
    assert match is not None  # it may be empty
    return (match[0].replace("-", "−"), match.end()) if match[0] else (text[start], start + 1)
