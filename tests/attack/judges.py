"""The judges behind one question: is this certificate accepted? And the finder, for certificates of true claims.

Only this file and ``grammar`` know how certificates are spelt. The plain judge is ``checker.py``; the batch judge is
what ``geomrelu check`` uses. Small proofs it walks without batches, so it is asked a second time with batches for
proofs of any size ("eager").
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import signal
import sys
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from geomrelu import checker
from geomrelu.budget import Budget
from geomrelu.certificates import batch, changes, folding
from geomrelu.cli import main as cli
from geomrelu.deadness import decide as deadness
from geomrelu.deadness.pruning import prune
from geomrelu.errors import InputError
from geomrelu.geometry.domains import read_any
from geomrelu.network.network import Network

JUDGES = ("plain", "batch", "eager")
ACCEPTED, REFUSED, SLOW = "accepted", "refused", "slow"
SECONDS = 60  # of the processor, for one question
FEW, BATCHED = batch.FEW, 256  # nodes; neurons of a layer
folding.FEW = 1  # the fast judge folds rows wherever a sign is known, however little that gains


class _Slow(BaseException):
    """No answer in time; not an Exception, so that no judge takes it for its own."""


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    def ring(*_: Any) -> None:
        raise _Slow

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


class Case:
    """A model and a set, read once, to which certificates are offered.

    Attributes:
        rows, equalities: how many the judges number; generators: vertices, rays, lines, or None.
        box: the sides of each input, None where inputs are not cut; open: how many generators at infinity.
        slices: of the recession cone, where there are rows.
        fits: layers that fit fixed point.
    """

    def __init__(self, model: dict[str, Any], domain: dict[str, Any], judges: tuple[str, ...] = JUDGES) -> None:
        self.files, self.judges = (model, domain), judges
        self.model, self.domain = checker.Model.parse(model), checker.Domain.parse(domain)
        self.rows, self.equalities = len(self.domain.rows), len(self.domain.equalities)
        self.generators = None if self.domain.generators is None else [len(t) for t in self.domain.generators]
        self.vectors: Any = self.domain.generators  # in the order in which weights are given
        self.finite = self.domain.points is not None
        cuttable = self.generators is None and not self.finite
        self.box = list(zip(self.domain.lower, self.domain.upper, strict=True)) if cuttable else None
        self.far = [] if self.finite else checker.recession(self.domain)  # the generators of the first cone
        self.open = len(self.far)
        self.slices = list(checker.slices(self.domain)) if self.open and self.generators is None else []
        self.fits = checker.fitting(self.model, self.domain)
        for part in (self.model, self.domain):
            part.digest = functools.cache(part.digest)  # type: ignore[method-assign]  # always the same
        self._guides: dict[tuple[str, str], Any] = {}

    def certificate(self, claims: list[Any], points: list[Any], derive: list[Any], parts: Any = None) -> dict[str, Any]:
        """Claims, bound to the model and the set."""
        return {
            "geomrelu": checker.FORMAT,
            "model": self.model.digest(),
            "domain": self.domain.digest(),
            "points": points,
            **({"derive": derive} if derive else {}),
            **({} if parts is None else {"parts": parts}),
            "claims": claims,
        }

    def pruning(self, certificate: dict[str, Any], smaller: Case, changes: dict[str, Any]) -> dict[str, Any]:
        """Claims and changes that make the model a smaller one."""
        return {
            **{key: value for key, value in certificate.items() if key != "parts"},
            "geomrelu": checker.PRUNING,
            "model": self.model.whole_digest(),
            "smaller": smaller.model.whole_digest(),
            **changes,
        }

    def offer(self, certificate: Any, smaller: Case | None = None) -> dict[str, str]:
        """The answer of each judge: accepted, refused, slow, or the name of an exception that is no refusal."""
        certificate = json.loads(json.dumps(certificate), parse_float=str)

        def ask(judge: type[checker.Judge]) -> None:
            if smaller is None:
                checker.check(certificate, self.model, self.domain, judge)
            else:
                check = checker.check_pruning if judge is checker.Judge else changes.check_pruning
                check(certificate, self.model, self.domain, smaller.model)

        return {name: _answer(name, ask) for name in self._asked(certificate)}

    def _asked(self, certificate: Any) -> tuple[str, ...]:
        """Which judges: where no claim has a proof for batches, the batch judge need not be asked twice."""
        claims = certificate.get("claims") if isinstance(certificate, dict) else None
        batched = (
            self.fits > 1 and isinstance(claims, list) and any(isinstance(c, dict) and "proof" in c for c in claims)
        )
        return self.judges if batched else self.judges[:2]

    def offer_each(self, certificate: Any) -> list[dict[str, str]]:
        """The same for each claim as if it stood alone, but what the certificate derives is derived once."""
        found: list[dict[str, str]] = [{} for _ in certificate["claims"]]
        for name in self.judges:
            shared: list[Any] = []

            def begin(judge: type[checker.Judge], shared: list[Any] = shared) -> None:
                given = (certificate.get(key) for key in ("derive", "parts"))
                shared.append(judge(certificate["points"], self.model, self.domain, *given))

            begun = _answer(name, begin)
            for claim, answers in zip(certificate["claims"], found, strict=True):
                if begun != ACCEPTED:
                    answers[name] = begun
                else:
                    answers[name] = _answer(name, lambda _, c=claim, s=shared: checker.prove(c, s[0]))
        return found

    def bounds(self, proof: Any, level: int, neuron: int, sign: int, derive: list[Any], guide: bool) -> dict[str, Any]:
        """The bound of ``sign * z`` in a proof, by each judge; None where there is none.

        ``guide``: the batch judge's alone, which is quick and guides a climb.
        """
        return {
            name: self._bound(name, proof, level, neuron, sign, derive)
            for name in (("batch",) if guide else self.judges)
        }

    def _bound(self, name: str, proof: Any, level: int, neuron: int, sign: int, derive: list[Any]) -> Any:
        found: list[Any] = []

        def ask(judge: type[checker.Judge]) -> None:
            key = name, json.dumps(derive)
            if key not in self._guides:
                self._guides[key] = judge([], self.model, self.domain, derive)
            found.append(self._guides[key].bound(proof, level, neuron, sign))

        _answer(name, ask)  # an exception is reported when the proof is offered
        return found[0] if found and isinstance(found[0], Fraction) else None

    def produced(self, seconds: float) -> tuple[list[dict[str, Any]], list[Any], dict[str, Any] | None, Any]:
        """What is found about the model: claims, the points they number, and a pruning with its smaller model."""
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder, name) for name in ("model.json", "domain.json")]
            for path, data in zip(paths, self.files, strict=True):
                path.write_text(json.dumps(data), encoding="utf-8")
            try:
                net, where = Network.from_file(paths[0]), read_any(str(paths[1]))
                reports = list(deadness.decide(net, where, budget=Budget(seconds)))
            except InputError:
                return [], [], None, None
        claims = [dict(v.claim) for report in reports for v in report.verdicts if v.claim]
        points = reports[-1].points if reports else []
        try:
            smaller = prune(net, where, reports, Budget(seconds))
        except (InputError, checker.Rejected):
            return claims, points, None, None
        return claims, points, smaller.certificate, json.loads(smaller.network.to_json())

    def offer_files(self, certificate: Any, folder: Path) -> dict[str, str]:
        """The same through the commands, from files."""
        paths = [folder / name for name in ("certificate.json", "model.json", "domain.json")]
        for path, data in zip(paths, (certificate, *self.files), strict=True):
            path.write_text(json.dumps(data), encoding="utf-8")
        names = [str(p) for p in paths]
        digits = sys.get_int_max_str_digits()
        try:
            both = ["check", names[0], "--model", names[1], "--domain", names[2]]
            return {
                "checker.py": _command(checker.main, names),
                "check": _command(cli.main, both),
                "check --independent": _command(cli.main, [*both, "--independent"]),
            }
        finally:
            sys.set_int_max_str_digits(digits)


def _answer(name: str, ask: Any) -> str:
    """What a judge of that name says."""
    batch.FEW = 0 if name == "eager" else FEW
    try:
        with _limited(SECONDS):
            ask(checker.Judge if name == "plain" else batch.Quick)
    except checker.Rejected:
        return REFUSED
    except _Slow:
        return SLOW
    except Exception as problem:
        return type(problem).__name__
    finally:
        batch.FEW = FEW
    return ACCEPTED


def _command(main: Any, arguments: list[str]) -> str:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            with _limited(SECONDS):
                code = main(arguments)
        except SystemExit as ended:
            code = ended.code
        except _Slow:
            return SLOW
        except Exception as problem:
            return type(problem).__name__
    return ACCEPTED if code == 0 else REFUSED
