#!/bin/sh
# pplpy 0.9.0 (wheel from PyPI), seen with Python 3.14 and 3.13 on Linux x86_64; 0.8.10 does not do it.
#
# `import ppl` leaves the processor rounding floating-point numbers up, for the whole thread and those it starts, as the
# Parma Polyhedra Library wants it for itself. 0.1 + 1e-30 is then larger than 0.1, and round(0.7194967983912371, 3) is
# printed as 0.7190000000000001; what bounds its errors for rounding to nearest is wrong.
#
# Output seen:
#   before  0.719  nothing is added
#   after   0.7190000000000001  something is added
#
# Exits 0 while that is so, 1 if it changed. PYTHON names an interpreter of version 3.12 or newer.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -qq --disable-pip-version-check pplpy==0.9.0
"$work/venv/bin/python" - <<'PYTHON'
import sys

mean, tenth, little = 0.7194967983912371, 0.1, 1e-30


def told(when):
    added = "something" if tenth + little > tenth else "nothing"
    return f"{when:<7} {round(mean, 3)}  {added} is added"


found = [told("before")]
import ppl  # noqa: E402, F401

found.append(told("after"))
print(*found, sep="\n")
sys.exit(found != ["before  0.719  nothing is added", "after   0.7190000000000001  something is added"])
PYTHON
