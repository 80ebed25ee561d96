"""Formulas as MathML, which browsers typeset by themselves."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress

from latex2mathml.converter import convert

from geomrelu.errors import InputError

__all__ = ["formulas", "mathml"]

# Browsers know no mathvariant but "normal" (MathML Core): these letters stand for themselves, bold is left to the page.
LETTERS = {"double-struck": "DOUBLE-STRUCK", "script": "SCRIPT", "fraktur": "FRAKTUR"}


def formulas(latex: str) -> str:
    """Formulas that may stand below each other where the page is narrow: what a ``\\quad`` separates.

    Raises:
        InputError: as :func:`mathml`.
    """
    parts = [""]
    for piece in re.split(r"(\\quad)", latex):
        whole = all(parts[-1].count(a) == parts[-1].count(b) for a, b in (("{", "}"), (r"\left", r"\right")))
        if piece == r"\quad" and whole and r"\begin" not in latex:
            parts.append("")
        else:
            parts[-1] += piece
    return "".join(mathml(part) for part in parts if part.strip())


def mathml(latex: str) -> str:
    """A displayed formula.

    Args:
        latex: a formula as it stands between dollar signs.

    Raises:
        InputError: it cannot be converted without a rest.

    >>> "ℝ" in mathml(r"x \\in \\mathbb R^n")
    True
    """
    if latex.count("{") != latex.count("}"):
        raise InputError(f"{latex}: no MathML (the braces do not match)")
    try:
        found = convert(latex, display="block")
    except Exception as problem:  # the converter raises many kinds
        raise InputError(f"{latex}: no MathML ({type(problem).__name__}: {problem})") from None
    found = re.sub(r'(<m[in]) mathvariant="(double-struck|script|fraktur)">(.)<', _letter, found)
    found = re.sub(r"<mi>([:;])</mi>", r"<mo>\1</mo>", found)
    # Bars are fences, not relations; a function stands close to its argument.
    close = 'lspace="0" rspace="0"'
    found = re.sub(r"<mo([^>]*)>(&#x0007C;|&#x02016;)<", rf"<mo\1 {close}>\2<", found)
    found = re.sub(r'<mo>([a-z]+)</mo>(?=<mo stretchy="false">&#x00028;)', rf"<mo {close}>\1</mo>", found)
    rest = re.findall(r"\\[a-zA-Z]*|\$|<merror", found)
    if rest:
        raise InputError(f"{latex}: no MathML for {', '.join(rest)}")
    return found


def _letter(match: re.Match[str]) -> str:
    """A letter of another alphabet; the oldest of them have names of their own."""
    style, letter = LETTERS[match[2]], match[3]
    name = f"{style} {'CAPITAL' if letter.isupper() else 'SMALL'} {letter.upper()}"
    for candidate in (name, f"MATHEMATICAL {name}", name.replace(style, "BLACK-LETTER")):
        with suppress(KeyError):
            return f"{match[1]}>{unicodedata.lookup(candidate)}<"
    return match[0]
