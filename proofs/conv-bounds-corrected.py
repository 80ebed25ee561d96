# %% [markdown]
# # Convolutional networks
#
# **Notation.** A convolutional layer has $N$ channels in and out, on images of $d \times d$; neuron $i$ has a kernel of
# $M \times M$ for each input channel and one bias, shared by all places; beyond the border there are zeros. These are
# $N (N M^2 + 1)$ parameters in a layer. $P$ is the probability that each of $k$ layers is positive somewhere on the
# image of $S_0$.
#
# **Statement.** On any nonempty $S_0$
# $$(1 - 2^{-N})^k \le P \le \left(1 - 2^{-N (N M^2 + 1)}\right)^{k-1}.$$
#
# (Eq. 23 of the paper has the exponent $N (M^2 + 1)$: see [`conv-bounds`](conv-bounds.py).)

# %%
from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
import sympy

from geomrelu.claims.registry import Claim
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.io.tape import Tape, convolution
from geomrelu.network.network import Network
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.orbit import alive_orbit
from geomrelu.random_networks.shape import dead_neurons_in

claim = Claim(
    label="conv-bounds-corrected",
    title="Bounds for convolutional networks",
    statement="(1 - 2^-N)^k <= P <= (1 - 2^(-N (N M^2 + 1)))^(k - 1), N channels, M x M kernels",
    latex=r"(1 - 2^{-N})^k \le P \le \left(1 - 2^{-N (N M^2 + 1)}\right)^{k-1}",
    source="Rister & Rubin, section 7.1, eq. 23 (corrected)",
    hypotheses=(
        "parameters independent, also across layers",
        "parameters symmetric",
        "no atoms (no biases, at the point 0)",
    ),
    uses=("orthant-kill", "lower-bound"),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (lower bound).** Follow one point of $S_0$ and look at one place of the images. There the $N$ channels are
# $N$ independent neurons (their kernels and biases are different parameters), so the layer is positive at this place
# with probability $1 - 2^{-N}$, whatever the layers before it are; go on as in [`lower-bound`](lower-bound.py), Step 3.
#
# **Step 2 (upper bound).** The image of the layers before layer $j \ge 2$ lies in the orthant. If none of the
# $N (N M^2 + 1)$ parameters of layer $j$ is positive, then no entry of its matrix and of its bias is, and by
# [`orthant-kill`](orthant-kill.py) (the easy direction, which needs no independence of the entries) it is dead there.
# This has probability $2^{-N (N M^2 + 1)}$, independently for each $j$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    n, m, k, i, j = sympy.symbols("N M k i j", integer=True, positive=True)
    # Step 1: the sum over the number of positive channels at one place
    yield "lower, k = 1", sympy.summation(sympy.binomial(n, i), (i, 1, n)) / 2**n, closed_forms.lower_bound(n, 1)
    # Step 2: the product over out channels, in channels, rows and columns, and over the biases
    half, u = sympy.Rational(1, 2), sympy.Function("u")
    kernel = sympy.Product(sympy.Product(half, (i, 1, m)), (j, 1, m)).doit()
    q = sympy.Product(half * sympy.Product(kernel, (i, 1, n)).doit(), (j, 1, n)).doit()
    r = sympy.Symbol("r", positive=True)
    survived = sympy.rsolve(u(k + 1) - (1 - r) * u(k), u(k), {u(1): 1}).subs(r, q)
    yield "every N, M, k", survived, closed_forms.convolution_upper_bound(n, m, k)
    # the parameters of the matrix itself: a different number for each, and the different numbers counted
    for channels in range(1, 5):
        for size in range(1, 5):
            count = parameters(channels, size)
            yield (1 - sympy.Integer(2) ** -count) ** (k - 1), closed_forms.convolution_upper_bound(channels, size, k)
    yield (
        "M = 1, one place: dense layers",
        closed_forms.convolution_upper_bound(n, 1, k),
        closed_forms.upper_bound(n, k),
    )


def parameters(channels: int, kernel: int) -> int:
    """How many different numbers the matrix and the bias of a convolution hold if all parameters differ."""
    count = channels**2 * kernel**2
    weights = np.arange(1, count + 1).reshape(channels, channels, kernel, kernel)
    bias = np.arange(count + 1, count + channels + 1)
    map_, _ = convolution(weights, bias, (channels, kernel, kernel), pads=_pads(kernel))
    return len({*map_.data.tolist(), *map_.bias})


def _pads(kernel: int) -> tuple[int, int, int, int]:
    before, behind = (kernel - 1) // 2, kernel // 2
    return before, before, behind, behind


# %% [markdown]
# ## Enumeration
#
# All signs of the shared parameters; each network is decided exactly. For $M = d = 1$ the layers are dense. (No orbit
# has both $N \ge 2$ and $M \ge 2$: a layer would have $2^{18}$ sign choices. The proof does not distinguish them.)


# %%
def network(parameters: Sequence[Fraction], channels: int, kernel: int, size: int, layers: int) -> Network:
    values, shape = [int(v) for v in parameters], (channels, size, size)
    each = len(values) // layers
    tape = Tape(channels * size**2)
    value = tape.input
    for k in range(layers):
        own = values[k * each : (k + 1) * each]
        weights = np.array(own[channels:]).reshape(channels, channels, kernel, kernel)
        map_, _ = convolution(weights, np.array(own[:channels]), shape, pads=_pads(kernel))
        value = tape.relu(map_.after(value))
    return Network.from_tape(tape.finish(value))


def living(
    channels: int, kernel: int, size: int, layers: int, domain: Polyhedron | FiniteSet, seed: int, tied: bool = False
) -> Fraction:
    """The fraction of living sign choices; ``tied``: all layers have the same parameters."""
    each = channels * (channels * kernel**2 + 1)
    rng = random.Random(seed)
    magnitudes = [rng.randint(1, 999) for _ in range(each if tied else each * layers)]
    copies = layers if tied else 1
    profiles, total = dead_neurons_in(
        lambda own: network(list(own) * copies, channels, kernel, size, layers), magnitudes, domain
    )
    width = channels * size**2
    return Fraction(sum(n for dead, n in profiles.items() if max(dead) < width), total)


FAMILIES = [(1, 1, 1, 3), (1, 1, 2, 2), (1, 3, 1, 1), (1, 2, 2, 2), (2, 1, 2, 1), (1, 3, 2, 1)]  # N, M, d, k


@claim.enumerate("orbits, two bounds each")
def orbits(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(141)
    for channels, kernel, size, k in FAMILIES[: 6 if depth == "thorough" else 4]:
        inputs = channels * size**2
        for name, domain in (
            ("the space", Polyhedron.space(inputs)),
            ("a point", FiniteSet.of([[Fraction(3 + 2 * i, 7 - 3 * (i % 2)) for i in range(inputs)]])),
        ):
            if depth == "default" and kernel == k == 2 and name == "a point":
                continue
            case = f"N = {channels}, M = {kernel}, d = {size}, k = {k}, on {name}"
            alive = living(channels, kernel, size, k, domain, 140)
            yield f"{case}: lower", alive, ">=", closed_forms.lower_bound(channels, k)
            yield f"{case}: upper", alive, "<=", closed_forms.convolution_upper_bound(channels, kernel, k)
    for channels, k in ((1, 2), (2, 2), (2, 3)):  # M = d = 1
        rows = [[[rng.randint(1, 999) for _ in range(channels + 1)] for _ in range(channels)] for _ in range(k)]
        layers = [([row[1:] for row in layer], [row[0] for row in layer]) for layer in rows]
        alive = Fraction(*alive_orbit(layers, Polyhedron.space(channels)))
        case = f"N = {channels}, M = 1, d = 1, k = {k}, on the space"
        yield f"{case}: lower", alive, ">=", closed_forms.lower_bound(channels, k)
        yield f"{case}: upper", alive, "==" if k == 2 else "<=", closed_forms.convolution_upper_bound(channels, 1, k)


# %% [markdown]
# ## Neighbours that fail
#
# *All layers with the same kernel*: alive with probability $\frac34$ at all small depths, for $N = M = d = 1$. *Without
# biases* every layer is dead at the image 0. *All parameters positive*: two layers never die.


# %%
@claim.neighbour("parameters independent, also across layers; no atoms (no biases, at the point 0)")
def tied_or_without_biases(depth: str) -> Iterator[tuple[object, ...]]:
    for k in (3, 4):
        alive = living(1, 1, 1, k, Polyhedron.space(1), 142, tied=True)
        yield alive, "<=", closed_forms.convolution_upper_bound(1, 1, k)
    found = network([Fraction(v) for v in (0, 1, 2, 3, 4)], 1, 2, 2, 1).pre_activations([0, 0, 0, 0])
    yield int(max(found[0]) > 0), ">=", closed_forms.lower_bound(1, 1)


@claim.neighbour("parameters symmetric")
def positive(depth: str) -> Iterator[tuple[object, ...]]:
    found = network([Fraction(v) for v in (1, 1, 2, 3, 4) * 2], 1, 2, 2, 2).pre_activations([1, 1, 1, 1])
    yield int(all(max(z) > 0 for z in found)), "<=", closed_forms.convolution_upper_bound(1, 2, 2)


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
