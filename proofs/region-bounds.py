# %% [markdown]
# # How many linear regions a ReLU network can have
#
# **Notation.** A network $\mathbb R^{n_0} \to \mathbb R^{n_1} \to \dots \to \mathbb R^{n_L}$, each layer
# $h_l = \max(A_l h_{l-1} + b_l, 0)$ reading the one before it. Its *regions* are the maximal full-dimensional sets on
# which every neuron keeps one sign $+$, $-$ or $0$ (vanishes identically); on each the network is affine. (Where a
# network is affine on neighbouring regions together, it has fewer linear pieces than regions: upper bounds hold for
# these too.)
#
# **Statement.** (i) The number of regions is at most
# $$U(n_0; n_1, \dots, n_L) = \sum_{j \in J} \prod_{l=1}^L \binom{n_l}{j_l}, \qquad
# J = \{j : 0 \le j_l \le \min(n_0, n_1 - j_1, \dots, n_{l-1} - j_{l-1}, n_l)\}.$$
# (ii) $U \le \prod_l \sum_{j=0}^{d_l} \binom{n_l}{j} \le 2^{n_1 + \dots + n_L}$ with
# $d_l = \min(n_0, n_1, \dots, n_{l-1})$. (iii) If $n_1, \dots, n_{L-1} \ge n_0$, some network has exactly
# $$\prod_{l=1}^{L-1} \left\lfloor \frac{n_l}{n_0} \right\rfloor^{n_0} \sum_{j=0}^{n_0} \binom{n_L}{j}$$
# regions in the cube $(0, 1)^{n_0}$, so at least so many on $\mathbb R^{n_0}$. (iv) For $n_0 = 1$ and
# $n_1, \dots, n_{L-1} \ge 3$ the bound $U = \prod_l (n_l + 1)$ is attained on $\mathbb R$. So is $U$ for $L = 1$.
#
# (Sources: (i) Serra, Tjandraatmadja and Ramalingam 2018; (ii) the product is Montúfar's of 2017; (iii) Montúfar,
# Pascanu, Cho and Bengio 2014; (iv) Serra et al., too.)

# %%
from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise, product
from math import comb, prod

import sympy

from geomrelu.claims.registry import Claim
from geomrelu.exact.affine import AffineMap
from geomrelu.geometry import region_formulas
from geomrelu.geometry.polyhedron import Polyhedron
from geomrelu.network.complex import Complex
from geomrelu.network.network import Network

claim = Claim(
    label="region-bounds",
    title="Linear regions of networks",
    statement="at most sum over J of prod C(n_l, j_l) regions; prod floor(n_l / n0)^n0 sum C(n_L, j) are attained",
    latex=r"\prod_{l<L} \left\lfloor \tfrac{n_l}{n_0} \right\rfloor^{n_0} \sum_{j \le n_0} \binom{n_L}{j} "
    r"\le \max \#\text{regions} \le \sum_{j \in J} \prod_l \binom{n_l}{j_l}",
    source="Serra, Tjandraatmadja & Ramalingam, theorem 1; Montúfar et al. 2014, theorem 4",
    hypotheses=(
        "each layer reads the one before it only",
        "for the lower bound: n_l >= n_0 for l < L (needed: not known)",
    ),
    uses=("zaslavsky",),
)

# %% [markdown]
# ## Proof
#
# **Step 1 (one layer on one region).** Let $D$ be a region of the first $l - 1$ layers, on which $h_{l-1}$ is an affine
# map of rank $d$ ($l = 1$: the identity, $d = n_0$). The neurons of layer $l$ are affine forms in $h_{l-1}$, so they
# cut $D$ as an arrangement of at most $n_l$ hyperplanes cuts the $d$-dimensional affine space that contains
# $h_{l-1}(D)$: into at most $\sum_{j \le d} \binom{n_l}{j}$ parts ([`zaslavsky`](zaslavsky.py)). The parts are open in
# $D$, so a neuron vanishes on one of them only if it vanishes on all of $D$. So the set $S$ of active neurons ($+$)
# determines the part, and at most $\binom{n_l}{k}$ parts have $|S| = k$. On a part, $h_l$ has rank at most
# $\min(d, |S|)$.
#
# **Step 2 (rearrangement).** Let $r_0 \le r_1 \le \dots \le r_n$ and let numbers $N_k \ge 0$ satisfy
# $N_k \le \binom nk$ and $\sum_k N_k \le \sum_{j \le d} \binom nj$, where $d \le n$. Then
# $\sum_k N_k r_k \le \sum_{j \le d} \binom nj r_{n-j}$ if $r_0 \ge 0$. Indeed $\sum_k N_k r_k = \sum_t (r_t - r_{t-1})
# \sum_{k \ge t} N_k$ with $r_{-1} = 0$, all differences are $\ge 0$, and $\sum_{k \ge t} N_k$ is at most
# $\sum_{k \ge t} \binom nk$ and at most $\sum_{j \le d} \binom nj$, whichever is less; for
# $N_{n-j} = \binom nj$, $j \le d$, and 0 otherwise it is exactly that.
#
# **Step 3 (i).** Let $R_l(d)$ be the largest number of parts into which layers $l, \dots, L$ cut a region on which
# $h_{l-1}$ has rank at most $d$; it does not decrease with $d$, and $R_{L+1} = 1$. By Steps 1 and 2, with
# $r_k = R_{l+1}(\min(d, k))$,
# $$R_l(d) \le \sum_{j=0}^{\min(d, n_l)} \binom{n_l}{j} R_{l+1}(\min(d, n_l - j)).$$
# Unfolded from $R_1(n_0)$ this is the sum over $J$. (`region_formulas.network_regions_at_most` computes the recursion.)
#
# **Step 4 (ii).** Enlarge $J$ to $0 \le j_l \le d_l$: the sum becomes the product. And
# $\sum_{j \le d} \binom nj \le 2^n$.
#
# **Step 5 (iii).** *Folding.* For $p \ge 1$ the function
# $$\varphi_p(t) = \max(pt, 0) - \max(2pt - 2, 0) + \max(2pt - 4, 0) - \dots \pm \max(2pt - 2(p - 1), 0)$$
# has slopes $p, -p, p, \dots$ on the intervals $[\frac{i}{p}, \frac{i+1}{p}]$ of $[0, 1]$ and maps each of them onto
# $[0, 1]$. Layer $l < L$ has $p_l = \lfloor n_l / n_0 \rfloor$ such neurons for each of $n_0$ coordinates (the
# remaining ones have zero parameters), and the next layer reads $\varphi_{p_l}$ of each coordinate. The first $l$
# layers cut the cube into $\prod_{i \le l} p_i^{n_0}$ small cubes (their first neurons $\max(pt, 0)$ are positive
# inside), and the composed folding maps each of these affinely onto the whole cube. *Last layer*: hyperplanes in
# general position all of whose regions meet the open cube, so that each small cube falls into
# $\sum_{j \le n_0} \binom{n_L}{j}$ parts. For instance $\sum_{k < n} t^k y_k = t^n$, $n = n_0$, for distinct numbers
# $t \ge 0$, with $x = (\frac12, \dots, \frac12) + \varepsilon y$: normals and rows with constants are Vandermonde, so
# any $n$ of the hyperplanes (if there are fewer, with others of this form) meet in one point, and no $n + 1$. As
# $\tau^n - \sum_k y_k \tau^k$ has the $n$ numbers $t$ as its roots, $|y_k| \le \prod (1 + t)$ there, and for
# $2 \varepsilon \prod (1 + t) < 1$, the product over the $n$ largest $t$, all these points lie in the open cube. Each
# region has one of them on its boundary.
#
# **Step 6 (iv).** For $L = 1$ hyperplanes in general position attain (i). Let $n_0 = 1$. For $n \ge 3$ let $\psi$ be
# the function with kinks at $1, \dots, n$ and the slopes $2, -1, 1, -1, \dots$ in between: it is
# $c + \sum_i c_i \max(t - i, 0)$, but with $\max(3 - t, 0)$ in place of $\max(t - 3, 0)$, where
# $(c_i) = (-3, 2, -2, 2, \dots)$ are the jumps of the slope; indeed left of all kinks only $\max(3 - t, 0)$ is active,
# and $-c_3 = 2$. So $n$ neurons suffice. Choose $c$ such that $\psi(1) = 1$. Then $\psi$ is monotone on each of the
# $n + 1$ parts of $(0, n + 1)$ and its values there cover $(0, 1)$: the inner parts have length 1 and slope $\pm 1$ and
# end at 0 and 1 in turns, the last part begins there with slope $\pm 1$ and length 1, and on the first $\psi$ rises
# from $-1$ to 1. Let layer 1 have these neurons with $t = x$, and layer $l + 1$ those for $n_{l+1}$ with
# $t = (n_{l+1} + 1) \psi(\cdot)$ of the layer before. By induction the first $l$ layers cut $\mathbb R$ into
# $\prod_{i \le l} (n_i + 1)$ intervals, on each of which $\psi$ of layer $l$ is monotone and its values cover $(0, 1)$;
# so $t$ takes all values in $(0, n_{l+1} + 1)$ on it, and it is cut into $n_{l+1} + 1$ parts. In the last layer any
# kinks in $(0, n_L + 1)$ will do. And $U = \prod_l (n_l + 1)$: $J = \{0, 1\}^L$ if $n_l \ge 2$ for $l < L$. $\square$


# %%
@claim.derive("identities")
def steps(depth: str) -> Iterator[tuple[object, ...]]:
    # Step 2: summation by parts, and the extremal numbers N
    for n in range(1, 6):
        r, number = sympy.symbols(f"r0:{n + 1}"), sympy.symbols(f"N0:{n + 1}")
        steps_of_r = [r[0], *(b - a for a, b in pairwise(r))]
        tails = [sum(number[t:]) for t in range(n + 1)]
        yield sum(map(sympy.Mul, number, r)), sum(map(sympy.Mul, steps_of_r, tails))
    # Step 3 for one layer, with the width as a symbol, and on the line
    for n0, n in product(range(1, 6), range(1, 8)):
        m = sympy.Symbol("m", integer=True, positive=True)
        yield region_formulas.regions(m, n0).subs(m, n), region_formulas.network_regions_at_most(n0, [n])
    for widths in ([2, 2], [3, 5], [3, 4, 5], [7, 2, 3, 4]):
        yield sympy.Mul(*(n + 1 for n in widths)), region_formulas.network_regions_at_most(1, widths)
    # Step 5: the folding on [i/p, (i + 1)/p] is pt - i for even i and i + 1 - pt for odd i
    p, t = sympy.symbols("p t", positive=True)
    for i in range(7):
        folding = p * t + sum((-1) ** k * (2 * p * t - 2 * k) for k in range(1, i + 1))
        yield folding, i + 1 - p * t if i % 2 else p * t - i
    # Step 6: psi on the part between the kinks i and i + 1
    for i in range(1, 8):
        jumps = [-3, *(2 * (-1) ** k for k in range(2, 9))]
        active = sum(c * (t - k) for k, c in enumerate(jumps, 1) if k <= i and k != 3) + (2 * (t - 3) if i < 3 else 0)
        constant = 1 - 2 * (1 - 3)  # psi(1) = 1
        yield active + constant, (t - i if i % 2 == 0 else i + 1 - t)


# %% [markdown]
# ## Enumeration
#
# The regions of exact networks, counted by `geomrelu.network.complex`. First the formulas: the recursion against the
# sum over all of $J$, and the order of the bounds.


# %%
ARCHITECTURES = [
    (n0, list(widths)) for n0 in (1, 2, 3) for depth in (1, 2, 3) for widths in product(range(1, 6), repeat=depth)
]


def over_j(n0: int, widths: Sequence[int]) -> int:
    """The sum over J, term by term."""
    total = 0
    for j in product(*(range(min(n0, n) + 1) for n in widths)):
        if all(j[l] <= widths[i] - j[i] for l in range(len(j)) for i in range(l)):
            total += prod(map(comb, widths, j))
    return total


def over_product(n0: int, widths: Sequence[int]) -> int:
    """The product of (ii)."""
    return prod(sum(comb(n, j) for j in range(min(n0, *widths[:l], n0) + 1)) for l, n in enumerate(widths))


@claim.enumerate("architectures")
def formulas(depth: str) -> Iterator[tuple[object, ...]]:
    for n0, widths in ARCHITECTURES:
        most = region_formulas.network_regions_at_most(n0, widths)
        yield "sum over J", over_j(n0, widths), most
        yield "product bound", most, "<=", over_product(n0, widths)
        yield "2^neurons", over_product(n0, widths), "<=", 2 ** sum(widths)
        if min(widths[:-1], default=n0) >= n0:
            yield "attained", region_formulas.network_regions_attained(n0, widths), "<=", most


# %% [markdown]
# Second, (i) for random networks: in general position, and with parameters $-1, 0, 1$, where neurons vanish, coincide
# and are parallel. The rows show the largest count of each architecture.


# %%
def random_network(rng: random.Random, n0: int, widths: Sequence[int], largest: int) -> Network:
    sizes = [n0, *widths]
    return Network.from_layers(
        [
            ([[rng.randint(-largest, largest) for _ in range(n)] for _ in range(m)],
             [rng.randint(-largest, largest) for _ in range(m)], "relu")
            for n, m in zip(sizes, widths, strict=False)
        ]
    )  # fmt: skip


def regions(network: Network, domain: Polyhedron | None = None) -> int:
    return Complex(network, domain).n_regions


@claim.enumerate("random networks")
def counts(depth: str) -> Iterator[tuple[object, ...]]:
    rng = random.Random(90)
    repetitions = 500 if depth == "thorough" else 20
    shapes = [
        (1, [3, 3]),
        (1, [4, 3, 2]),
        (2, [2, 2]),
        (2, [3, 3]),
        (2, [4, 2, 3]),
        (2, [1, 4]),
        (3, [3, 3]),
        (3, [4, 4]),
    ]
    for n0, widths in shapes:
        most = region_formulas.network_regions_at_most(n0, widths)
        found = [regions(random_network(rng, n0, widths, k)) for _ in range(repetitions) for k in (1, 99)]
        yield from ((count, "<=", most) for count in found)
        yield f"R^{n0}, widths {widths}", max(found), "<=", most


# %% [markdown]
# Third, the constructions of Steps 5 and 6.


# %%
def folding(n0: int, widths: Sequence[int]) -> Network:
    """Step 5."""
    layers, read = [], [[int(i == j) for j in range(n0)] for i in range(n0)]  # coordinates from the layer before
    for n in widths[:-1]:
        p = n // n0
        weights, bias = [], []
        for coordinate in read:
            weights += [[(p if k == 0 else 2 * p) * v for v in coordinate] for k in range(p)]
            bias += [-2 * k for k in range(p)]
        idle = n - n0 * p
        layers.append((weights + [[0] * len(read[0])] * idle, bias + [0] * idle, "relu"))
        read = [[(-1) ** (j % p) if i * p <= j < (i + 1) * p else 0 for j in range(n)] for i in range(n0)]
    largest = prod(1 + t for t in range(widths[-1] - 1, widths[-1] - 1 - n0, -1) if t >= 0)
    eps = Fraction(1, 2 * largest + 2)
    weights, bias = [], []
    for t in range(widths[-1]):
        normal = [Fraction(t) ** k / eps for k in range(n0)]
        weights.append([sum(a * row[j] for a, row in zip(normal, read, strict=True)) for j in range(len(read[0]))])
        bias.append(-sum(normal) / 2 - Fraction(t) ** n0)
    return Network.from_layers([*layers, (weights, bias, "relu")])


def zigzag(widths: Sequence[int]) -> Network:
    """Step 6."""
    layers, read, constant = [], [1], 0  # t = read · (layer before) + constant
    for l, n in enumerate(widths):
        left = [i == 3 and l < len(widths) - 1 for i in range(1, n + 1)]
        weights = [[-v if flip else v for v in read] for flip in left]
        bias = [i - constant if flip else constant - i for i, flip in enumerate(left, 1)]
        layers.append((weights, bias, "relu"))
        following = widths[l + 1] + 1 if l + 1 < len(widths) else 1
        read = [following * (-3 if i == 1 else 2 * (-1) ** i) for i in range(1, n + 1)]
        constant = following * 5  # psi(1) = 5 - 2 max(3 - 1, 0) = 1
    return Network.from_layers(layers)


@claim.enumerate("constructed networks")
def constructions(depth: str) -> Iterator[tuple[object, ...]]:
    shapes = [
        (1, [2, 2]),
        (1, [5, 4, 3]),
        (2, [2, 2]),
        (2, [5, 1]),
        (2, [4, 4, 4]),
        (2, [6, 5, 4]),
        (3, [3, 4]),
        (3, [6, 5]),
    ]
    if depth == "thorough":
        shapes += [(2, [6, 6, 6, 6]), (3, [6, 6, 6]), (4, [8, 6])]
    for n0, widths in shapes:
        network, most = folding(n0, widths), region_formulas.network_regions_at_most(n0, widths)
        attained = region_formulas.network_regions_attained(n0, widths)
        name = f"R^{n0}, widths {widths}"
        yield f"folding in the cube, {name}", regions(network, Polyhedron.box([(0, 1)] * n0)), attained
        everywhere = regions(network)
        yield attained, "<=", everywhere
        yield f"folding everywhere, {name}", everywhere, "<=", most
    for widths in (
        [3],
        [3, 3],
        [4, 3],
        [5, 4, 3],
        [6, 2],
        [3, 4, 5, 6],
        *([[8, 7, 6, 5]] if depth == "thorough" else []),
    ):
        yield (
            f"zigzag on R, widths {widths}",
            regions(zigzag(widths)),
            region_formulas.network_regions_at_most(1, widths),
        )
    for n0, n in ((1, 4), (2, 5), (3, 6)):
        one = regions(folding(n0, [n]))
        yield f"one layer, R^{n0}, width {n}", one, region_formulas.network_regions_at_most(n0, [n])


# %% [markdown]
# ## Neighbours that fail
#
# *With a connection around a layer*: on $\mathbb R^2$ with the widths 1 and 3 at most 5 regions are possible; if layer
# 2 also reads the input, there are more. *Not every network* attains the lower bound: the zero network has one region.
# *With too small a dimension*: three generic lines in the plane have more regions than three points on the line.


# %%
@claim.neighbour("each layer reads the one before it only; some network; the dimension n_0")
def around_or_zero(depth: str) -> Iterator[tuple[object, ...]]:
    first = AffineMap.from_dense([[1, 1]], [0])
    second = AffineMap.from_dense([[1, 0, 0], [0, 1, 0], [1, -1, 1]], [0, 0, 1])  # reads x1, x2 and layer 1
    yield regions(Network(2, (first, second))), "<=", region_formulas.network_regions_at_most(2, [1, 3])
    zero = Network.from_layers([([[0], [0]], [0, 0], "relu"), ([[0, 0]], [0], "relu")])
    yield regions(zero), ">=", region_formulas.network_regions_attained(1, [2, 1])
    lines = Network.from_layers([([[1, 0], [0, 1], [1, 1]], [0, 0, 1], "relu")])
    yield regions(lines), "<=", region_formulas.network_regions_at_most(1, [3])


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
