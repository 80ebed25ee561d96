"""Sentences of claims as HTML: indices, exponents and signs are typeset, words stay words."""

from __future__ import annotations

import re

import pytest

from geomrelu.claims import registry
from geomrelu.claims.report.prose import prose


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("P >= 2^(-n^2 - n)", "'P' ≥ 2[−'n'[2] − 'n']"),
        ("probability 2^-(n1 + 1)", "probability 2[−('n'{1} + 1)]"),
        ("n_(l-1) + n_(l+1)", "'n'{'l'−1} + 'n'{'l'+1}"),
        ("on R^n0, a layer kills R^n_+", "on ℝ['n'{0}], a layer kills ℝ['n']{+}"),
        ("a neuron is dead with a·x + b <= 0 for every a", "a neuron is dead with 'a'·'x' + 'b' ≤ 0 for every a"),
        ("sum_i t_i |z_i| < 0", "∑{'i'} 't'{'i'} |'z'{'i'}| &lt; 0"),
        ("w.p. 1 - 2^-n; U-Net; Xavier's", "w.p. 1 − 2[−'n']; U-Net; Xavier&#x27;s"),
        ("n = -log2(1 - p^(1/k))", "'n' = −log{2}(1 − 'p'[1/'k'])"),
        ("x^ and _ and (^", "'x'^ and _ and (^"),
    ],
)
def test_sentences(text, right):
    made = prose(text)
    for tag, (opening, closing) in {"i": ("'", "'"), "sup": ("[", "]"), "sub": ("{", "}")}.items():
        made = made.replace(f"<{tag}>", opening).replace(f"</{tag}>", closing)
    assert made == right


def test_no_claim_keeps_plain_mathematics():
    claims = registry.load().values()
    said = [text for claim in claims for text in (claim.statement, *claim.hypotheses, *(c.of for c in claim.checks))]
    assert len(said) > 500
    left = [
        text
        for text in said
        if re.search(r"[\^]|\*\*|(?<!&lt;)=(?:&gt;)|[A-Za-z]_\w", re.sub(r"<[^>]+>", " ", prose(text)))
    ]
    assert left == []
