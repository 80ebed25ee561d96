# %% [markdown]
# # Convolutional networks
#
# **Notation.** A convolutional layer has $N$ channels in and out, on images of $d \times d$; neuron $i$ has a kernel of
# $M \times M$ for each input channel and one bias, shared by all places: $N (N M^2 + 1)$ parameters in a layer. $P$ is
# the probability that each of $k$ layers is positive somewhere on the image of $S_0$.
#
# **Statement.** On any $S_0$
# $$(1 - 2^{-N})^k \le P \le \left(1 - 2^{-N (N M^2 + 1)}\right)^{k-1}.$$
# The exponent in eq. 23 of the paper, $N (M^2 + 1)$, counts the kernels of one input channel only; with it the upper
# bound is false: for $M = d = 1$, $N = 2$, $k = 2$ it is $\frac{15}{16}$, and the value is $\frac{63}{64}$.

# %%
from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
import sympy

from geomrelu import bounds
from geomrelu.claims import Claim
from geomrelu.layers import Tape, convolution
from geomrelu.network import Network
from geomrelu.polyhedron import FiniteSet, Polyhedron
from geomrelu.probability import dead_neurons_in

claim = Claim(
    label="conv-bounds",
    title="Bounds for convolutional networks",
    statement="(1 - 2^-N)^k <= P <= (1 - 2^(-N (N M^2 + 1)))^(k - 1), N channels, M x M kernels",
    latex=r"(1 - 2^{-N})^k \le P \le \left(1 - 2^{-N (N M^2 + 1)}\right)^{k-1}",
    source="Rister & Rubin, section 7.1, eq. 23 (corrected)",
    hypotheses=("parameters independent, symmetric, no atoms",),
    uses=("orthant-kill", "lower-bound"),
)

# %% [markdown]
# ## Proof
#
# *Lower bound.* Follow one point of $S_0$ and look at one place of the images, where all of the kernel lies inside or
# is cut by the border. There the $N$ channels are independent neurons, each positive with probability $\frac12$; go on
# as in [`lower-bound`](lower-bound.py).
#
# *Upper bound.* If none of the $N (N M^2 + 1)$ parameters of a layer $j \ge 2$ is positive, the layer is nowhere
# positive on the orthant, where the image of the layers before it lies. The layers are independent. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    n, m, k = sympy.symbols("N M k", integer=True, positive=True)
    upper = (1 - sympy.Integer(2) ** (-n * (n * m**2 + 1))) ** (k - 1)
    yield "M = 1, one place: dense layers", upper.subs(m, 1), bounds.upper_bound(n, k)


# %% [markdown]
# ## Enumeration
#
# All signs of the shared parameters; each network is decided exactly.


# %%
def living(channels: int, kernel: int, size: int, layers: int, domain: Polyhedron | FiniteSet, seed: int) -> Fraction:
    each = channels * (channels * kernel**2 + 1)
    rng = random.Random(seed)
    magnitudes = [rng.randint(1, 999) for _ in range(each * layers)]

    def build(parameters: Sequence[Fraction]) -> Network:
        values, shape = [int(v) for v in parameters], (channels, size, size)
        tape = Tape(channels * size**2)
        value = tape.input
        for k in range(layers):
            own = values[k * each : (k + 1) * each]
            weights = np.array(own[channels:]).reshape(channels, channels, kernel, kernel)
            before, after = (kernel - 1) // 2, kernel // 2
            map_, _ = convolution(weights, np.array(own[:channels]), shape, pads=(before, before, after, after))
            value = tape.relu(map_.after(value))
        return Network.from_tape(tape.finish(value))

    profiles, total = dead_neurons_in(build, magnitudes, domain)
    width = channels * size**2
    return Fraction(sum(n for dead, n in profiles.items() if max(dead) < width), total)


FAMILIES = [(1, 1, 1, 3), (1, 1, 2, 2), (1, 2, 2, 2), (1, 3, 1, 1), (2, 1, 1, 2)]  # N, M, d, k


@claim.enumerate("orbits")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    for channels, kernel, size, k in FAMILIES[: 5 if depth == "thorough" else 4]:
        inputs = channels * size**2
        for name, domain in (
            ("the space", Polyhedron.space(inputs)),
            ("a point", FiniteSet.of([[Fraction(3 + 2 * i, 7 - 3 * (i % 2)) for i in range(inputs)]])),
        ):
            case = f"N = {channels}, M = {kernel}, d = {size}, k = {k}, on {name}"
            alive = living(channels, kernel, size, k, domain, 140)
            yield case, alive, ">=", (1 - Fraction(1, 2**channels)) ** k
            yield alive, "<=", (1 - Fraction(1, 2 ** (channels * (channels * kernel**2 + 1)))) ** (k - 1)


# %% [markdown]
# ## Neighbour that fails
#
# The printed exponent.


# %%
@claim.neighbour("all N kernels of a neuron: the exponent N (M^2 + 1) as printed in eq. 23")
def printed(depth: str) -> Iterator[tuple[object, ...]]:
    value = bounds.upper_bound(2, 2)  # M = d = 1, N = 2, k = 2 is a dense network of width 2: tight-at-two
    yield value, "<=", 1 - Fraction(1, 2 ** (2 * (1 + 1)))


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
