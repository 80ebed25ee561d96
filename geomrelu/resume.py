"""What an interrupted computation keeps, so that the same command goes on from it: finished chunks in a file.

Proofs about neurons are kept by :mod:`geomrelu.certificates.files`, evidence for claims by
:mod:`geomrelu.claims.runner`, each in the format that it is checked in.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from geomrelu.budget import Exhausted
from geomrelu.errors import InputError

__all__ = ["Journal"]

KEPT_AFTER = 60.0  # seconds after which a run without a file of its own starts one


class Journal:
    """Finished chunks in a file: a line of JSON for the description, then one for each chunk, each written through.

    A line cut short by a crash is dropped. While it is open no other run can use the file.

    Args:
        path: None: a file named after the description in the working directory, which is only begun after a minute
            and removed by :meth:`finish`.
        description: JSON values that fix the results; a file of another computation is refused.

    Raises:
        InputError: the file belongs to something else, is in use, or cannot be written.
    """

    def __init__(self, path: str | Path | None, description: dict[str, Any]) -> None:
        self.head = json.dumps(description, sort_keys=True)
        self.temporary = path is None
        name = hashlib.sha256(self.head.encode()).hexdigest()[:16]
        self.path = Path(f"geomrelu-{name}.chunks" if path is None else path)
        self.found: dict[int, Any] = {}
        self._file: BinaryIO | None = None
        self._begun = time.monotonic()
        try:
            if not self.temporary or self.path.exists():
                self._open()
        except OSError as problem:
            raise InputError(f"{self.path}: {problem.strerror or problem}") from None

    def _open(self) -> None:
        file = open(self.path, "a+b")  # noqa: SIM115  closed by close()
        try:
            _lock(file, self.path)
            file.seek(0)
            *lines, rest = file.read().split(b"\n")
            head = self.head.encode()
            if not (lines[0] == head if lines else head.startswith(rest)):
                raise InputError(f"{self.path}: it holds the chunks of another computation")
            if rest:
                file.truncate(file.tell() - len(rest))
            for line in lines[1:]:
                with suppress(ValueError, KeyError, TypeError):
                    chunk = json.loads(line)
                    self.found[int(chunk["chunk"])] = chunk["result"]
        except BaseException:
            file.close()
            raise
        self._file = file
        if not lines:
            self._write(self.head)

    def _write(self, line: str) -> None:
        assert self._file is not None
        self._file.write(line.encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def add(self, chunk: int, result: Any) -> None:
        """Keep a finished chunk."""
        self.found[chunk] = result
        if self._file is None and self.temporary and time.monotonic() - self._begun > KEPT_AFTER:
            self._begin()
        elif self._file is not None:
            self._write(json.dumps({"chunk": chunk, "result": result}))

    def _begin(self) -> None:
        self._open()
        for k, value in self.found.items():
            self._write(json.dumps({"chunk": k, "result": value}))

    def finish(self) -> None:
        """All is done: remove the file that nobody asked for."""
        self.close()
        if self.temporary:
            self.path.unlink(missing_ok=True)

    def stopped(self, something: bool, keep: bool = False) -> str:
        """What is to be said when the time is over; the file, if there is one, stays.

        Args:
            keep: there is one.

        Raises:
            Exhausted: not even something is done.
        """
        if not something:
            raise Exhausted("the time was over before anything was finished")
        if keep and self._file is None:
            self._begin()
        return "the time was over" + ("" if self._file is None else f" (the same command resumes from {self.path})")

    def close(self) -> None:
        """Let other runs use the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: object) -> None:
        kept = self._file is not None
        self.close()
        if kept and isinstance(problem, KeyboardInterrupt):
            number = len(self.found)
            raise KeyboardInterrupt(f"{number} chunks are in {self.path}: the same command resumes") from None


def _lock(file: BinaryIO, path: Path) -> None:
    try:
        import fcntl
    except ImportError:  # not a POSIX system: two runs on one file are the user's risk
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise InputError(f"{path}: another run is using this file") from None
