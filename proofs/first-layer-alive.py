# %% [markdown]
# # On the whole space the first layer lives
#
# **Statement.** On $S_0 = \mathbb R^n$, $P(n, 1) = 1 = v(n, 1)$: a layer with a row $a \ne 0$ is positive somewhere.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction

import sympy

from geomrelu import checker, decide
from geomrelu.certificates.files import as_certificate
from geomrelu.claims.registry import Certified, Claim
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.network import Network
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.orbit import alive_orbit

claim = Claim(
    label="first-layer-alive",
    title="The first layer lives",
    statement="on S_0 = R^n: P(n, 1) = 1",
    latex=r"S_0 = \mathbb R^n:\quad P(n, 1) = 1",
    source="Rister & Rubin, section 5",
    hypotheses=(
        "S_0 = R^n",
        "some weight is not 0",
    ),
)

# %% [markdown]
# ## Proof
#
# If $a \ne 0$, then $a \cdot (t a) + b = t |a|^2 + b > 0$ for large $t$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    t = sympy.Symbol("t", positive=True)
    yield "every n", closed_forms.upper_bound(sympy.Symbol("n", integer=True, positive=True), 1), sympy.Integer(1)
    for size in (1, 2, 3):
        a, b = sympy.Matrix(sympy.symbols(f"a1:{size + 1}", real=True)), sympy.Symbol("b", real=True)
        yield ((a.T * (t * a))[0] + b).diff(t), sum(v**2 for v in a)


# %% [markdown]
# ## Decision and enumeration


# %%
def decided(rows: list[list[int]], domain: Polyhedron) -> tuple[bool, bool, dict[str, object]]:
    """(does the layer kill the domain, were all reasons accepted, the certificate)."""
    net = Network.from_layers([([row[1:] for row in rows], [row[0] for row in rows], "relu")])
    (report,) = decide(net, domain)
    proof = as_certificate([v.claim for v in report.verdicts], net.digest, domain.checked.digest(), report.points)
    return report.killed is True, len(checker.check(proof, net.checked, domain.checked)) == len(rows), proof


@claim.decide("layers")
def layers(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(150)
    for n in (1, 2, 3, 5):
        for _ in range(10):
            rows = [[rng.randint(-99, 99) or 1 for _ in range(n + 1)] for _ in range(n)]
            killed, accepted, proof = decided(rows, Polyhedron.space(n))
            layer = {"weights": [row[1:] for row in rows], "bias": [row[0] for row in rows]}
            yield f"n = {n}", killed, False, accepted, Certified(proof, {"layers": [layer]}, {"box": [[None] * 2] * n})


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(151)
    for n in (1, 2, 3):
        layer = [[rng.randint(1, 99) for _ in range(n)] for _ in range(n)], [rng.randint(1, 99) for _ in range(n)]
        alive, size = alive_orbit([layer], Polyhedron.space(n))
        yield f"n = {n}", Fraction(alive, size), Fraction(1)


# %% [markdown]
# ## Neighbours that fail
#
# A box instead of the space; no weights.


# %%
@claim.neighbour("S_0 = R^n; some weight is not 0")
def box_or_no_weights(depth: str) -> Iterator[tuple[object, ...]]:
    alive, size = alive_orbit([([[1]], [2])], Polyhedron.box([(-1, 1)]))
    yield Fraction(alive, size), 1
    yield int(not decided([[-1, 0, 0]], Polyhedron.space(2))[0]), 1


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
