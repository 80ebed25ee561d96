#!/bin/sh
# vnnlib 1.0.2 (Python bindings of the VNN-LIB 2.0 parser), seen with Python 3.11 on Linux x86_64.
#
# An element type that the parser does not know is accepted, as DType.Unknown, and the query then type-checks or not
# depending on where its constants stand: `Real`, as the type of real arithmetic is written in text, is such a type
# (`real` is the one it knows), and so is any invented word. A bound with a constant passes, the same constant in a
# sum is a type mismatch.
#
# Output seen:
#   Real    Unknown  bound: accepted  sum: refused
#   real    Real     bound: accepted  sum: accepted
#   banana  Unknown  bound: accepted  sum: refused
#
# Exits 0 while that is so, 1 if it changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -qq --disable-pip-version-check vnnlib==1.0.2
"$work/venv/bin/python" - <<'PYTHON'
import sys
import vnnlib

QUERY = """(vnnlib-version <2.0>)
(declare-network f (declare-input X {0} [2]) (declare-output Y {0} [1]))
(assert {1})
"""


def parsed(kind, formula):
    try:
        return vnnlib.parse_query_string(QUERY.format(kind, formula))
    except vnnlib.VNNLibException:
        return None


seen = {}
for kind in ("Real", "real", "banana"):
    bound, total = parsed(kind, "(<= X[0] 1.5)"), parsed(kind, "(<= (+ X[0] 1.5) Y[0])")
    name = bound.networks[0].inputs[0].dtype.name if bound else "-"
    seen[kind] = (name, *("accepted" if q else "refused" for q in (bound, total)))
    print(f"{kind:<7} {name:<8} bound: {seen[kind][1]}  sum: {seen[kind][2]}")
right = {"Real": ("Unknown", "accepted", "refused"), "real": ("Real", "accepted", "accepted")}
right["banana"] = right["Real"]
sys.exit(seen != right)
PYTHON
