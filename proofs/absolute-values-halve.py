# %% [markdown]
# # Sums of absolute values, as first guessed
#
# **Statement (false in dimension three).** Let $K_t = \sum_i t_i |z_i|$ with $M \ge N$ linear forms $z_i$ in general
# position on $\mathbb R^N$ and fair signs $t$, and no ties: on a line on which $N - 1$ independent forms vanish
# ($N = 1$: on $\mathbb R$) no $K_t$ vanishes. Then $K_t < 0$ off 0 with probability at least $2^{-N}$.
#
# It would follow if the restriction to some hyperplane $z_j = 0$ lost at most one half each time. For such forms it is
# $\frac12$ for $N = 1$, at least $\frac14$ for $N = 2$ ([`plane-sign-changes`](plane-sign-changes.py), Step 4 with
# $L \to 0$), and for $N$ or $N + 1$ forms exactly $2^{-N}$. (With ties it can be less in low dimensions, too: $\frac14$
# for the forms $x, x$ on $\mathbb R$, $\frac18$ for $x, y, x + y$ on the plane. With $M < N$ forms it is 0.)

# %%
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations, product

from geomrelu.claims.registry import Again, Claim

claim = Claim(
    label="absolute-values-halve",
    title="Sums of absolute values, as first guessed",
    statement="sum_i t_i |z_i| < 0 off 0 with probability at least 2^-N, for M >= N linear forms on R^N without ties",
    latex=r"P_t\big(\textstyle\sum_i t_i |z_i| < 0\big) \ge 2^{-N}",
    source="new (after Brownlowe et al., conjecture 1.3)",
    hypotheses=("M >= N forms in general position, no ties",),
    correction="plane-sign-changes",
)

ICOSAHEDRON = [[-1, 6, 7], [0, 4, -8], [5, 8, 1], [5, -9, -1], [8, -1, 5], [-8, 1, 4]]  # near its six axes


def rays(forms: list[list[int]]) -> list[tuple[int, ...]]:
    """On which K is to be looked at: it is linear on the cones between the hyperplanes, and even."""
    if len(forms[0]) == 1:
        return [(1,)]
    if len(forms[0]) == 2:
        return [(-v, u) for u, v in forms]
    return [(b * f - c * e, c * d - a * f, a * e - b * d) for (a, b, c), (d, e, f) in combinations(forms, 2)]


def share(forms: list[list[int]]) -> Fraction:
    sizes = [[abs(sum(u * v for u, v in zip(form, ray, strict=True))) for form in forms] for ray in rays(forms)]
    signs = list(product((1, -1), repeat=len(forms)))
    found = sum(all(sum(u * v for u, v in zip(t, row, strict=True)) < 0 for row in sizes) for t in signs)
    return Fraction(found, len(signs))


AGAIN = Again(
    "from fractions import Fraction\nfrom itertools import combinations, product\n"
    f"forms = {ICOSAHEDRON}\n"
    "rays = [(b * f - c * e, c * d - a * f, a * e - b * d) for (a, b, c), (d, e, f) in combinations(forms, 2)]\n"
    "rows = [[abs(sum(u * v for u, v in zip(form, ray))) for form in forms] for ray in rays]\n"
    "signs = list(product((1, -1), repeat=6))\n"
    "print(Fraction(sum(all(sum(u * v for u, v in zip(t, row)) < 0 for row in rows) for t in signs), 64))"
)

# %% [markdown]
# ## Enumeration
#
# All signs. Six planes near the icosahedral arrangement have 7 of 64.


# %%
@claim.enumerate("arrangements")
def arrangements(depth: str) -> Iterator[tuple[object, ...]]:
    yield "N = 1", share([[3], [5], [9]]), ">=", Fraction(1, 2)
    yield "N = 2", share([[1, 0], [2, 7], [5, -3], [4, 1], [9, -8]]), ">=", Fraction(1, 4)
    yield "N = 3, four planes", share(ICOSAHEDRON[:4]), ">=", Fraction(1, 8)
    yield "N = 3, six planes", share(ICOSAHEDRON), ">=", Fraction(1, 8), AGAIN


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
