"""All magnitudes of a small network at once: is an orbit count the same for every one of them?

An orbit count depends on the magnitudes only through the signs of polynomials in them that exact geometry asks for.
Here the magnitudes are positive variables. A polynomial whose coefficients have one sign has that sign; any other may
have either, so both are followed, and the answer holds for the rest of that walk. Each finished walk is a *class* of
magnitudes with its count. If all classes have the same count, all generic magnitudes have it, and this is a proof.

Signs of several polynomials need not fit together. A class is dropped if linear programming proves it empty: there the
monomials are independent positive numbers; a polynomial may first be multiplied by monomials, or by another one. Empty
classes that this does not see only make the list longer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import combinations, pairwise
from operator import add

from geomrelu.budget import Budget
from geomrelu.geometry.polyhedron import FiniteSet, Polyhedron
from geomrelu.random_networks.orbit import Profile, profiles_of

__all__ = ["counts_by_class"]

Power = tuple[int, ...]
Terms = dict[Power, int]
Factor = tuple[tuple[Power, int], ...]  # terms in a fixed order
Known = dict[Factor, int]
MOST_SIGNS = 8  # in the layers before the last
MOST_WALKS = 256
MOST_WORK = 1_000_000  # comparisons of monomials for all classes together: some seconds


def counts_by_class(
    widths: Sequence[int],
    bias: bool,
    domain: Polyhedron | FiniteSet,
    happens: Callable[[Profile], bool],
    through: bool = False,
    budget: Budget | None = None,
) -> Counter[int] | None:
    """The orbit count of an event on each class of magnitudes of dense layers.

    Args:
        widths: inputs, then the width of each layer. happens: is a network with so many dead neurons in the event?
        through: see :func:`~geomrelu.random_networks.orbit.dead_neurons_orbit`. budget: of time.

    Returns:
        How many classes have each count, or None if the network is too large (more than 8 parameters before the last
        layer, more than 256 walks, or too many signs to see which of them are empty). One key: the count is the same
        for all generic magnitudes.

    Raises:
        Exhausted: the time is over.

    Exact: yes, in integer polynomials. Method: the walk of :func:`~geomrelu.random_networks.orbit.dead_neurons_orbit`,
    once for each class.

    >>> counts_by_class((1, 1, 1, 1), True, Polyhedron.space(1), lambda dead: not any(dead))
    Counter({32: 2})
    """
    fans = list(pairwise(widths))
    if sum(m * (n + bias) for n, m in fans[:-1]) > MOST_SIGNS:
        return None
    clock, work = Budget.of(budget), 0
    found: list[tuple[int, Known]] = []
    waiting: list[Known] = [{}]
    for _ in range(MOST_WALKS):
        signs = _Signs(waiting.pop(), clock)
        profiles = profiles_of([(rows, 1) for rows in _layers(fans, bias, signs)], domain, through=through)
        work += 2 * _work(signs.known)
        if work > MOST_WORK:
            return None
        if not _is_empty(signs.known):
            found.append((sum(n for dead, n in profiles.items() if happens(dead)), signs.known))
        waiting += signs.others
        while waiting and _is_empty(waiting[-1]):
            clock.poll()
            waiting.pop()
        if not waiting:
            break
    else:
        return None
    counts = Counter(count for count, _ in found)
    commonest = max(counts, key=lambda count: (counts[count], count))
    for count, known in found:
        clock.poll()
        work += _work(known, products=True) if count != commonest else 0
        if work > MOST_WORK or (count != commonest and not _is_empty(known, products=True)):
            return counts
    return Counter({commonest: counts[commonest]})  # the others cannot be


def _work(known: Known, products: bool = False) -> int:
    """About how many monomials :func:`_is_empty` compares, without those that it multiplies."""
    sizes = [len(factor) for factor in known]
    if products:
        sizes += [size * other for size, other in combinations(sizes, 2)]
    return sum(size * size for size in sizes) * len({power for factor in known for power, _ in factor})


def _layers(fans: Sequence[tuple[int, int]], bias: bool, signs: _Signs) -> list[list[tuple[object, ...]]]:
    """Rows ``(b, a1, ..., an)`` of variables, 0 for an absent bias."""
    size = sum(m * (n + bias) for n, m in fans)
    variables = iter(_Polynomial({tuple(int(i == k) for i in range(size)): 1}, signs) for k in range(size))
    return [
        [((next(variables),) if bias else (0,)) + tuple(next(variables) for _ in range(n)) for _ in range(m)]
        for n, m in fans
    ]


class _Signs:
    """The signs of factors, as far as they have been asked for; where both are possible the other one is kept."""

    def __init__(self, known: Known, clock: Budget) -> None:
        self.known = dict(known)
        self.clock = clock
        self.others: list[Known] = []

    def __call__(self, terms: Terms) -> int:
        kinds = {v > 0 for v in terms.values()}
        if len(kinds) < 2:
            return 0 if not kinds else 1 if kinds.pop() else -1
        self.clock.poll()
        sign, factors = _factors(tuple(sorted(terms.items())))
        for factor in factors:
            if factor not in self.known:
                self.others.append({**self.known, factor: -1})
                self.known[factor] = 1
            sign *= self.known[factor]
        return sign


@lru_cache(maxsize=1 << 12)
def _factors(terms: Factor) -> tuple[int, tuple[Factor, ...]]:
    """A sign and the factors of odd multiplicity that can have either sign."""
    import sympy  # here: it takes its time to load

    variables = sympy.symbols(f"m:{len(terms[0][0])}", positive=True)
    number, factors = sympy.factor_list(sympy.Poly(dict(terms), *variables))
    sign, mixed = 1 if number > 0 else -1, []
    for factor, power in factors:
        kinds = {c > 0 for c in factor.coeffs()}
        if power % 2 and len(kinds) == 2:
            mixed.append(tuple((power, int(c)) for power, c in factor.terms()))
        elif power % 2 and kinds == {False}:
            sign = -sign
    return sign, tuple(sorted(mixed))  # the order of factors must not depend on hashes


def _is_empty(known: Known, products: bool = False) -> bool:
    """Is it certain that no positive magnitudes give these factors these signs?

    Args:
        products: of two factors are used too: sees more, and takes much longer.
    """
    if len(known) < 2:
        return False
    positive = [[(power, sign * c) for power, c in factor] for factor, sign in known.items()]
    if products:
        positive += [list(_product(dict(f), dict(g)).items()) for f, g in combinations(positive, 2)]
    present = {power: None for factor in positive for power, _ in factor}
    multiples: dict[Factor, None] = {}
    for factor in positive:
        for target in present:
            for own, _ in factor:
                shift = [a - b for a, b in zip(target, own, strict=True)]
                if min(shift) >= 0:
                    multiples[tuple((tuple(map(add, p, shift)), c) for p, c in factor)] = None
    place = {power: k for k, power in enumerate(dict.fromkeys(power for row in multiples for power, _ in row))}
    system = [[-1, *(int(j == k) for j in range(len(place)))] for k in range(len(place))]  # all may be scaled to >= 1
    for row in multiples:
        system.append([-1, *[0] * len(place)])
        for power, c in row:
            system[-1][1 + place[power]] = c
    return Polyhedron.from_rows(system).is_empty


def _product(first: Terms, second: Terms) -> Terms:
    product: Terms = {}
    for power, v in first.items():
        for more, u in second.items():
            both = tuple(map(add, power, more))
            product[both] = product.get(both, 0) + u * v
    return product


class _Polynomial:
    """An integer polynomial in positive variables, to stand where the exact walk has integers."""

    def __init__(self, terms: Terms, signs: _Signs) -> None:
        self.terms = {power: v for power, v in terms.items() if v}
        self.signs = signs

    def _of(self, other: object) -> Terms:
        if isinstance(other, _Polynomial):
            return other.terms
        assert isinstance(other, int)
        return {(0,) * len(next(iter(self.terms), ())): other} if other else {}

    def __add__(self, other: object) -> _Polynomial:
        total = dict(self.terms)
        for power, v in self._of(other).items():
            total[power] = total.get(power, 0) + v
        return _Polynomial(total, self.signs)

    def __mul__(self, other: object) -> _Polynomial:
        return _Polynomial(_product(self.terms, self._of(other)), self.signs)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> _Polynomial:
        return _Polynomial({power: -v for power, v in self.terms.items()}, self.signs)

    def __sub__(self, other: object) -> _Polynomial:
        return self + -1 * (other if isinstance(other, _Polynomial) else _Polynomial(self._of(other), self.signs))

    def __rsub__(self, other: object) -> _Polynomial:
        return -self + other

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __eq__(self, other: object) -> bool:
        return self.terms == self._of(other)

    def __hash__(self) -> int:
        return hash(frozenset(self.terms.items()))

    def __lt__(self, other: object) -> bool:
        return self.signs((self - other).terms) < 0

    def __gt__(self, other: object) -> bool:
        return self.signs((self - other).terms) > 0

    def __le__(self, other: object) -> bool:
        return not self > other

    def __ge__(self, other: object) -> bool:
        return not self < other
