# %% [markdown]
# # Convolutional networks: the bounds as printed
#
# **Notation.** As in [`conv-bounds-corrected`](conv-bounds-corrected.py): $k$ convolutional layers with $N$ channels in
# and out, images of $d \times d$, and for each pair of channels a kernel of $M \times M$.
#
# **Statement.** On any nonempty $S_0$ (eq. 23)
# $$(1 - 2^{-N})^k \le P(d, N, M, k) \le \left(1 - 2^{-N (M^2 + 1)}\right)^{k-1}.$$
#
# The lower half is true. The upper half is false for $N \ge 2$ (not for $N = 1$): the exponent counts one kernel for
# each of the $N$ neurons, but by eq. 22 each neuron has $N$ of them.
# [`conv-bounds-corrected`](conv-bounds-corrected.py) says what is true.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from math import prod

import numpy as np

from geomrelu.claims.registry import Again, Claim
from geomrelu.deadness.decide import decide
from geomrelu.deadness.verdict import Status
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.io.tape import Tape, convolution
from geomrelu.network.network import Network

claim = Claim(
    label="conv-bounds",
    title="Bounds for convolutional networks, as printed",
    statement="(1 - 2^-N)^k <= P <= (1 - 2^(-N (M^2 + 1)))^(k - 1), N channels, M x M kernels",
    latex=r"(1 - 2^{-N})^k \le P \le \left(1 - 2^{-N (M^2 + 1)}\right)^{k-1}",
    source="Rister & Rubin, section 7.1, eq. 23",
    hypotheses=("parameters independent, symmetric, no atoms",),
    correction="conv-bounds-corrected",
)

# %% [markdown]
# ## Proof that it is false
#
# For $M = d = 1$ a convolutional layer is a dense layer of width $N$. On $S_0 = \mathbb R^N$ two of them are alive with
# probability $1 - 2^{-N^2 - N}$ ([`tight-at-two`](tight-at-two.py)), whatever the law. The printed bound is
# $1 - 2^{-2N}$, which is less for every $N \ge 2$: for $N = 2$, $\frac{15}{16} < \frac{63}{64}$. $\square$
#
# ## Enumeration
#
# All signs of the shared parameters, few parameters first: the fraction of living networks for random magnitudes, on
# the whole space. The first $k - 1$ layers are walked. The last one is decided with a channel for every sign choice of
# the kernels and the bias of every channel: it is dead if all its channels are, and their choices are independent.

# %%
Layer = list[list[int]]  # for each channel its bias and then its N kernels


def living(layers: Sequence[Layer], kernel: int, size: int) -> Fraction:
    """The fraction of sign choices that are alive on all images of size x size."""
    channels = len(layers[0])
    alive, total = 0, 2 ** (len(layers) * channels * len(layers[0][0]))
    last = [row for magnitudes in layers[-1] for row in _signed(magnitudes)]
    walked = [magnitudes for layer in layers[:-1] for magnitudes in layer]
    for rows in product(*map(_signed, walked)):
        chosen = [list(rows[i : i + channels]) for i in range(0, len(rows), channels)]
        *before, report = decide(_network([*chosen, last], kernel, size), Polyhedron.space(channels * size**2))
        if any(layer.killed for layer in before):
            continue
        dead = [v.status is Status.DEAD for v in report.verdicts]
        each = [all(dead[i : i + size**2]) for i in range(0, len(dead), size**2)]  # for each channel
        choices = len(each) // channels
        killing = prod(sum(each[i : i + choices]) for i in range(0, len(each), choices))
        alive += choices**channels - killing
    return Fraction(alive, total)


def _signed(magnitudes: Sequence[int]) -> list[tuple[int, ...]]:
    return list(product(*((v, -v) for v in magnitudes)))


def _network(layers: Sequence[Sequence[Sequence[int]]], kernel: int, size: int) -> Network:
    channels = (len(layers[0][0]) - 1) // kernel**2
    tape = Tape(channels * size**2)
    value = tape.input
    before, behind = (kernel - 1) // 2, kernel // 2
    for layer in layers:
        weights = np.array([row[1:] for row in layer]).reshape(len(layer), channels, kernel, kernel)
        bias, pads = np.array([row[0] for row in layer]), (before, before, behind, behind)
        value = tape.relu(convolution(weights, bias, (channels, size, size), pads=pads)[0].after(value))
    return Network.from_tape(tape.finish(value))


def program(layers: Sequence[Layer]) -> Again:
    dense = [([row[1:] for row in layer], [row[0] for row in layer]) for layer in layers]
    return Again(f"""from fractions import Fraction
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.random_networks.orbit import alive_orbit
print(Fraction(*alive_orbit({dense}, Polyhedron.space({len(layers[0])}))))""")


FAMILIES = [(1, 1, 1, 1), (1, 1, 1, 2), (1, 2, 2, 1), (1, 1, 1, 3), (2, 1, 1, 1), (2, 1, 1, 2)]  # N, M, d, k


@claim.enumerate("families, two bounds each")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(140)
    for channels, kernel, size, k in FAMILIES:
        width = 1 + channels * kernel**2
        layers = [[[rng.randint(1, 99) for _ in range(width)] for _ in range(channels)] for _ in range(k)]
        alive = living(layers, kernel, size)
        again = [program(layers)] if kernel == size == 1 else []
        case = f"N = {channels}, M = {kernel}, d = {size}, k = {k}"
        yield f"{case}: lower", alive, ">=", (1 - Fraction(1, 2**channels)) ** k, *again
        yield f"{case}: upper", alive, "<=", (1 - Fraction(1, 2 ** (channels * (kernel**2 + 1)))) ** (k - 1), *again


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
