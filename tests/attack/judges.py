"""The judges behind one question: is this certificate accepted? And the finder, for certificates of true claims.

Only this file and ``grammar`` know how certificates are spelt. The plain judge is ``checker.py``; the batch judge is
what ``geomrelu check`` uses. Small proofs it may leave to the plain judge's code, so it is asked a second time with
batches for proofs of any size ("eager").
"""

from __future__ import annotations

import contextlib
import io
import json
import signal
import sys
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from geomrelu import checker, cli, deadness, walk
from geomrelu.budget import Budget
from geomrelu.errors import InputError
from geomrelu.network import Network
from geomrelu.polyhedron import read_any
from geomrelu.prune import prune

JUDGES = ("plain", "batch", "eager")
ACCEPTED, REFUSED, SLOW = "accepted", "refused", "slow"
SECONDS = 60  # for one question
FEW = walk.FEW


class _Slow(BaseException):
    """No answer in time; not an Exception, so that no judge takes it for its own."""


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    def ring(*_: Any) -> None:
        raise _Slow

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Case:
    """A model and a set, read once, to which certificates are offered.

    Attributes:
        rows, equalities, corners: how many the judges number; generators: vertices, rays, lines, or None.
    """

    def __init__(self, model: dict[str, Any], domain: dict[str, Any], judges: tuple[str, ...] = JUDGES) -> None:
        self.files, self.judges = (model, domain), judges
        self.model, self.domain = checker.Model.parse(model), checker.Domain.parse(domain)
        self.rows, self.equalities = len(self.domain.rows), len(self.domain.equalities)
        self.generators = None if self.domain.generators is None else [len(t) for t in self.domain.generators]
        self.finite = self.domain.points is not None
        self.model_digest, self.domain_digest = self.model.digest(), self.domain.digest()
        self._root: Any = None

    def certificate(self, claims: list[Any], points: list[Any]) -> dict[str, Any]:
        """Claims, bound to the model and the set."""
        return {
            "geomrelu": checker.FORMAT,
            "model": self.model_digest,
            "domain": self.domain_digest,
            "points": points,
            "claims": claims,
        }

    def pruning(self, claims: list[Any], points: list[Any], smaller: Case, changes: dict[str, Any]) -> dict[str, Any]:
        """Claims and changes that make the model a smaller one."""
        return {
            **self.certificate(claims, points),
            "geomrelu": checker.PRUNING,
            "model": self.model.whole_digest(),
            "smaller": smaller.model.whole_digest(),
            **changes,
        }

    def offer(self, certificate: Any, smaller: Case | None = None) -> dict[str, str]:
        """The answer of each judge: accepted, refused, slow, or the name of an exception that is no refusal."""
        certificate = json.loads(json.dumps(certificate), parse_float=str)
        return {judge: self._ask(judge, certificate, smaller) for judge in self.judges}

    def _ask(self, judge: str, certificate: Any, smaller: Case | None) -> str:
        walk.FEW = 0 if judge == "eager" else FEW
        shared = checker.Points if judge == "plain" else walk.Quick
        try:
            with _limited(SECONDS):
                if smaller is None:
                    checker.check(certificate, self.model, self.domain, shared)
                else:
                    checker.check_pruning(certificate, self.model, self.domain, smaller.model, shared)
        except (checker.Rejected, checker.Malformed):
            return REFUSED
        except _Slow:
            return SLOW
        except Exception as problem:
            return type(problem).__name__
        finally:
            walk.FEW = FEW
        return ACCEPTED

    def bound(self, proof: Any, level: int, neuron: int, sign: int = 1) -> Fraction | None:
        """The bound of ``sign * z`` that the plain judge finds in a proof; None if there is none. It guides a climb."""
        if self._root is None:
            self._root = checker.Region(self.model, self.domain)
        try:
            with _limited(SECONDS):
                found = checker.walk(proof, self.model, self.domain, level, neuron, self._root, None, sign)
        except (checker.Rejected, checker.Malformed, _Slow):
            return None
        except Exception:  # reported when the proof is offered
            return None
        return found if isinstance(found, Fraction) else None

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
        """The same through the two commands, from files."""
        paths = [folder / name for name in ("certificate.json", "model.json", "domain.json")]
        for path, data in zip(paths, (certificate, *self.files), strict=True):
            path.write_text(json.dumps(data), encoding="utf-8")
        names = [str(p) for p in paths]
        digits = sys.get_int_max_str_digits()
        try:
            alone = _command(checker.main, names)
            both = ["check", names[0], "--model", names[1], "--domain", names[2]]
            return {
                "checker.py": alone,
                "check": _command(cli.main, both),
                "check --independent": _command(cli.main, [*both, "--independent"]),
            }
        finally:
            sys.set_int_max_str_digits(digits)


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
