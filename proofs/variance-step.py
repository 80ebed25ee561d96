# %% [markdown]
# # The variance after a rectifier, as printed
#
# **Notation.** The parameters of a neuron are fixed. $\tilde F$ is its pre-activation and $F = \max(\tilde F, 0)$ its
# output at random data, $\alpha$ the event $\tilde F > 0$, $\lambda \mid \alpha = E[F \mid \alpha]$.
#
# **Statement.** "$\operatorname{Var}(F \mid \alpha) \le \operatorname{Var}(\tilde F)$, as removing the negative half of
# the output space can only decrease the variance" (before eq. 14, which says the same times $P(\alpha)$), and so (eq.
# 16)
# $$\operatorname{Var}(F) \le P(\alpha) \left(\operatorname{Var}(\tilde F) + (\lambda \mid \alpha)^2\right).$$
#
# **What is wrong.** Data that sit together at one place below 0 keep the variance of $\tilde F$ small; without them the
# rest is spread out. Cutting off the negative half decreases the variance; conditioning on the other half need not.
# What holds: [`variance-step-corrected`](variance-step-corrected.py).

# %%
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from statistics import pvariance

from geomrelu.claims.registry import Again, Claim

claim = Claim(
    label="variance-step",
    title="The variance after a rectifier, as printed",
    statement="Var(F | alive) <= Var(F~), and so Var(F) <= P(alive) (Var(F~) + E[F | alive]^2)",
    latex=r"\operatorname{Var}(F \mid \alpha) \le \operatorname{Var}(\tilde F), \quad "
    r"\operatorname{Var}(F) \le P(\alpha) \left(\operatorname{Var}(\tilde F) + (\lambda \mid \alpha)^2\right)",
    source="Rister & Rubin, section 5, eqs. 14 and 16",
    hypotheses=("the parameters are fixed, the data are random",),
    correction="variance-step-corrected",
)

# %% [markdown]
# ## Search
#
# Both statements on finite sets of data, each point equally likely. The pre-activation takes every value that is
# wanted: for $n = 1$ and whitened data $x$ take $a$ the standard deviation and $b$ the mean of $\tilde F$. Fewest data
# first, then the smallest whole numbers: values $-d \le 0$, 1 and $q > 1$. (A pre-activation 0 is dead by convention.
# Since the failures are strict, a little less than 0 fails as well.)


# %%
def laws(most: int) -> Iterator[list[int]]:
    """Values on {-d, 1, q}: fewest first, then by q + d."""
    for size in range(2, most + 1):
        for total in range(2, 30):  # d + q
            for d in range(total - 1):
                for low in range(1, size):
                    for high in range(1, size - low + 1):
                        yield [-d] * low + [1] * (size - low - high) + [total - d] * high


def named(values: list[int], left: Fraction, right: Fraction) -> tuple[object, ...]:
    """The case; the one that is looked for with its name."""
    name = (f"F~ in {{{', '.join(map(str, values))}}}",) if left > right else ()
    return *name, left, "<=", right


AGAIN_14 = """
from fractions import Fraction
from statistics import pvariance
values = {values}
print(pvariance([Fraction(v) for v in values if v > 0]))
"""
AGAIN_16 = """
from fractions import Fraction
from statistics import pvariance
values = {values}
print(pvariance([Fraction(max(v, 0)) for v in values]))
"""


@claim.enumerate("laws")
def before_14(depth: str) -> Iterator[tuple[object, ...]]:
    for values in laws(3):
        before, after = (pvariance(list(map(Fraction, part))) for part in (values, [v for v in values if v > 0]))
        yield *named(values, after, before), Again(AGAIN_14.format(values=values).strip())


@claim.enumerate("laws")
def equation_16(depth: str) -> Iterator[tuple[object, ...]]:
    for values in laws(6):
        outputs = [Fraction(max(v, 0)) for v in values]
        living = [v for v in outputs if v]
        share, mean = Fraction(len(living), len(values)), sum(living, Fraction(0)) / len(living)
        bound = share * (pvariance(list(map(Fraction, values))) + mean**2)
        yield *named(values, pvariance(outputs), bound), Again(AGAIN_16.format(values=values).strip())


# %%
if __name__ == "__main__":
    raise SystemExit(claim.main())
