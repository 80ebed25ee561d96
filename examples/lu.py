# %% [markdown]
# # Deep and narrow networks die
#
# The results of Lu, Shin, Su and Karniadakis (*Collapse of deep and narrow neural nets*, *Dying ReLU and
# initialization*), with exact probabilities where they have bounds. `python examples/lu.py safe.png` draws the safe
# operating region. How often trainings collapse is another example, `collapse_rate.py` (it needs PyTorch).

# %%
import sys
from fractions import Fraction

import numpy as np
import sympy

from geomrelu import Complex, Network, Polyhedron, decide, difference
from geomrelu.papers.figures import safe_region, save
from geomrelu.papers.tables import safe_width
from geomrelu.random_networks import closed_forms
from geomrelu.random_networks.by_orbits import by_orbits
from geomrelu.random_networks.by_sampling import by_sampling
from geomrelu.random_networks.experiment import Experiment
from geomrelu.random_networks.initialisation import Initialisation

# %% [markdown]
# ## What is lost: $|x|$ needs width 2
#
# $|x| = \max(x, 0) + \max(-x, 0)$, and $(|x_1 + x_2|, |x_1 - x_2|)$ takes four neurons. On the slide the output matrix
# of the second is garbled; it is $\begin{pmatrix} 1 & 1 & 0 & 0 \\ 0 & 0 & 1 & 1 \end{pmatrix}$. Two networks are
# compared on the whole plane, exactly, by `difference`: it returns a point where they differ, or `None`.

# %%
absolute = Network.from_layers([([[1], [-1]], [0, 0], "relu"), ([[1, 1]], [0], "none")])
print("linear pieces of |x|:", [(str(a[0][0]), str(b[0])) for a, b in (c.affine() for c in Complex(absolute).cells)])

inner = ([[1, 1], [-1, -1], [1, -1], [-1, 1]], [0] * 4, "relu")
four = Network.from_layers([inner, ([[1, 1, 0, 0], [0, 0, 1, 1]], [0, 0], "none")])
# another way to write |u|: u + 2 max(-u, 0), with a bias that keeps the neuron for u active on a box, not on the plane
shifted = ([[1, 1], [-1, -1], [1, -1], [-1, 1]], [4, 0, 4, 0], "relu")
other = Network.from_layers([shifted, ([[1, 2, 0, 0], [0, 0, 1, 2]], [-4, -4], "none")])
print("on the box [-2, 2]^2 they differ at", difference(four, other, Polyhedron.box([(-2, 2)] * 2)))
point = difference(four, other)
print("on the plane at", [str(x) for x in point], ":", [str(y) for y in four(point)], [str(y) for y in other(point)])

# %% [markdown]
# ## Dead is forever
#
# If some layer is silent on all inputs, nothing before it has a gradient, and the network is a constant: training can
# only move that constant, to the mean of the target (or the median, for the absolute error).

# %%
interval = Polyhedron.box([(-1, 1)])
dying = Network.from_layers(
    [([[1], [-2]], [0, 0], "relu"), ([[-1, -1], [-3, "1/4"]], [0, "-1/2"], "relu"), ([[7, -5]], ["1/2"], "none")]
)
for report in decide(dying, interval):
    print(f"layer {report.layer} killed: {report.killed};", [str(v.supremum) for v in report.verdicts])
constant = Network.from_layers([([[0]], [0], "relu"), ([[0]], ["1/2"], "none")])
print("equal to the constant 1/2 on [-1, 1]:", difference(dying, constant, interval) is None)

# %% [markdown]
# ## How likely? Theorem 1 and Theorem 3
#
# $P(\text{dies}) \le 1 - \prod_l (1 - 2^{-N_l})$ over the hidden layers. Without biases and with one input the network
# sees two rays, and Theorem 3 follows them with a Markov chain. The truth, by walking all signs of all weights:

# %%
N = sympy.Symbol("N", integer=True, positive=True)
print("the chain after 2 hidden layers:", closed_forms.one_dim_dying(N, 2))
for width, hidden in ((2, 1), (2, 2), (3, 2), (4, 2), (2, 3), (3, 3)):
    e = by_orbits(Experiment("alive", (1, *[width] * hidden), bias=False), 40 if hidden < 3 or width < 3 else 5, seed=0)
    chain, bound = closed_forms.one_dim_dying(width, hidden), closed_forms.dying_bound(*[width] * hidden)
    if e.is_constant:
        (alive,) = e.counts
        dies = 1 - Fraction(alive, e.size)
        assert dies == Fraction(str(chain))
        print(f"N = {width}, {hidden} hidden: dies with {dies} on every orbit; chain {chain}, bound {bound}")
    else:
        assert float(chain) < 1 - e.estimate < float(bound)
        dies = f"{1 - e.estimate:.4f} on these orbits, in [{1 - e.high:.4f}, {1 - e.low:.4f}]"
        print(f"N = {width}, {hidden} hidden: dies with {dies}; ", end="")
        print(f"chain {float(chain):.4f}, bound {float(bound):.4f}; orbits differ")

# %% [markdown]
# Up to two hidden layers the chain is exact, for every symmetric law without atoms. From three on, says Theorem 3, it
# is a lower bound, and the law matters: the images of the two rays depend on one another.
#
# ## Ten layers of width 2
#
# The example of the paper: $|x|$ is a network of width 2, but of ten-layer networks of width 2 about 93 % collapse
# in training. Most of them were dead before: each of 2,000 random networks is decided exactly.

# %%
ten = Experiment("alive", (1, *[2] * 9), scale="he", bias=False)
e = by_sampling(ten, trials=2000, seed=0)
chain, bound = closed_forms.one_dim_dying(2, 9), closed_forms.dying_bound(*[2] * 9)
print(f"dead at initialisation: {100 * (1 - e.high):.1f} % to {100 * (1 - e.low):.1f} % of all networks")
print(f"  the chain says at least {100 * float(chain):.1f} %, the bound at most {100 * float(bound):.1f} %")
assert float(chain) < 1 - e.low and 1 - e.high < float(bound)

# %% [markdown]
# ## Asymmetric initialisation
#
# In each row of a layer one entry, of the weights or the bias, is drawn from a Beta law instead: it is positive, so no
# layer kills the whole orthant, and by the choice of $\sigma$ the second moment does not grow. (It may still kill what
# arrives: layers see parts of the orthant only. A neuron is dead at 0 with probability $N / (2 (N + 1))$.)

# %%
print("sigma =", closed_forms.rai_sigma(), "=", closed_forms.rai_sigma().evalf(6))
rng = np.random.default_rng(0)
orthant = Polyhedron.orthant(2)
for law in ("rai", "normal"):
    drawn = zip(*Initialisation(law).layers(rng, 1000, 2, 2), strict=True)
    killed = sum(decide(Network.from_layers([(W, b, "relu")]), orthant).killed_by == 1 for W, b in drawn)
    print(f"{law}: {killed} of 1000 layers of width 2 kill the orthant", end="")
    print("" if law == "rai" else f" (expected {float(1000 * closed_forms.orthant_kill(2)):.1f})")
for law in ("rai", "normal"):
    e = by_sampling(Experiment("alive", (2,) * 5, law=law, domain="R+^n"), trials=1000, seed=0)
    print(f"{law}: four layers of width 2 on the orthant are dead with {1 - e.high:.3f} to {1 - e.low:.3f}")

# %% [markdown]
# ## The safe operating region
#
# Read backwards, the bound says how wide a network must be for its depth.

# %%
depths = range(1, 31)
least = {p: [safe_width(k, Fraction(p)) for k in depths] for p in (Fraction(1, 10), Fraction(1, 100))}
for k in (1, 2, 5, 10, 20, 30):
    ten_percent, one_percent = (least[p][k - 1] for p in least)
    print(f"{k:2} hidden layers: width {ten_percent} for less than 10 %, {one_percent} for less than 1 %")
    assert (
        closed_forms.dying_bound(*[one_percent] * k)
        < Fraction(1, 100)
        <= closed_forms.dying_bound(*[one_percent - 1] * k)
    )

# %%
figure = safe_region(depths, {float(p): widths for p, widths in least.items()})
if len(sys.argv) > 1:
    save(figure, sys.argv[1])
    print("picture:", sys.argv[1])
figure
