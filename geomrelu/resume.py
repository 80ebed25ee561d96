"""What an interrupted computation keeps, so that the same command goes on from it: finished chunks in a file.

Proofs about neurons are kept by :mod:`geomrelu.certificates.files`, evidence for claims by
:mod:`geomrelu.claims.runner`, each in the format that it is checked in.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, BinaryIO

from geomrelu.budget import Exhausted
from geomrelu.errors import InputError

__all__ = ["Journal", "held", "lock", "version_of"]

PAUSE = 0.01  # seconds between two questions whether another run has finished
KEPT_AFTER = 60.0  # seconds after which a run without a file of its own starts one


class Journal:
    """Finished chunks in a file: a line of JSON for the description, then one for each chunk, each written through.

    A line that is not as it was written (cut short by a crash, or changed) is dropped. While the file is open no other
    run can use it.

    Args:
        path: None: a file named after the description in the working directory, which is only begun after a minute
            and removed by :meth:`finish`. Nobody has asked for it, so where there can be none, nothing is kept.
        description: JSON values that fix the results; a file of another computation, or of another version of this
            package, is refused.

    Raises:
        InputError: the file belongs to something else, is in use, or cannot be written.
    """

    def __init__(self, path: str | Path | None, description: dict[str, Any]) -> None:
        self.head = json.dumps(description | {"geomrelu": version_of("geomrelu")}, sort_keys=True)
        self.temporary = path is None
        name = hashlib.sha256(self.head.encode()).hexdigest()[:16]
        self.path = Path(f"geomrelu-{name}.chunks" if path is None else path)
        self.found: dict[int, Any] = {}
        self._file: BinaryIO | None = None
        self._own = self._failed = False  # a file that nobody asked for: has it been begun, can it not be written?
        self._begun = time.monotonic()
        if not self.temporary:
            with self._told():
                self._open()
        elif self.path.exists():
            self._begin()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            raise InputError(f"{self.path}: {problem.strerror or problem}") from None

    def _open(self) -> None:
        if self.path.exists() and not self.path.is_file():  # a device may have no end
            raise InputError(f"{self.path}: finished chunks are kept in a file, and this is something else")
        file = open(self.path, "a+b")  # noqa: SIM115  closed by close()
        try:
            lock(file.fileno(), self.path)
            file.seek(0)
            *lines, rest = file.read().split(b"\n")
            head = self.head.encode()
            if not (lines[0] == head if lines else head.startswith(rest)):
                text = "it holds the chunks of another computation, or of another version"
                raise InputError(f"{self.path}: {text}")
            if rest:
                file.truncate(file.tell() - len(rest))
            for line in lines[1:]:
                with suppress(ValueError, KeyError, TypeError, RecursionError):
                    chunk = json.loads(line)
                    if chunk["mark"] == self._mark(chunk["chunk"], chunk["result"]):
                        self.found[chunk["chunk"]] = chunk["result"]
        except BaseException:
            file.close()
            raise
        self._file, self._own = file, self.temporary
        if not lines:
            self._write(self.head)

    def _mark(self, chunk: int, result: Any) -> str:
        """By which a line is known again."""
        return hashlib.sha256(json.dumps([self.head, chunk, result]).encode()).hexdigest()[:16]

    def _keep(self, chunk: int, result: Any) -> None:
        self._write(json.dumps({"chunk": chunk, "result": result, "mark": self._mark(chunk, result)}))

    def _write(self, line: str) -> None:
        assert self._file is not None
        self._file.write(line.encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def add(self, chunk: int, result: Any) -> None:
        """Keep a finished chunk.

        Raises:
            InputError: it cannot be written to the file that was asked for.
        """
        self.found[chunk] = result
        if not self.temporary:
            with self._told():
                self._keep(chunk, result)
        elif self._file is not None:
            with self._if_possible():
                self._keep(chunk, result)
        elif time.monotonic() - self._begun > KEPT_AFTER:
            self._begin()

    def _begin(self) -> None:
        """The file that nobody asked for."""
        if not self._failed:
            with self._if_possible():
                self._open()
                for k, value in self.found.items():
                    self._keep(k, value)

    @contextmanager
    def _if_possible(self) -> Iterator[None]:
        """The run goes on without the file where that cannot be written, or another run uses it."""
        try:
            yield
        except (InputError, OSError):
            self._failed = True
            self.close()

    def finish(self) -> None:
        """All is done: remove the file that nobody asked for."""
        self.close()
        if self._own:
            with suppress(OSError):
                self.path.unlink()

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
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):  # what could not be written is no longer wanted
                file.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: object) -> None:
        kept = self._file is not None
        self.close()
        if kept and isinstance(problem, KeyboardInterrupt):
            number = len(self.found)
            raise KeyboardInterrupt(f"{number} chunks are in {self.path}: the same command resumes") from None


def version_of(package: str) -> str:
    """The version of an installed package; of another one, such as a clone that is run as it is: "unknown"."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def lock(descriptor: int, path: Path, patience: float = 0.0) -> None:
    """Until it is closed, no other run may hold this file or directory.

    Args:
        patience: seconds to wait for a run that does.

    Raises:
        InputError: one does.
    """
    try:
        import fcntl
    except ImportError:  # not a POSIX system: two runs on one file are the user's risk
        return
    late = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= late:
                raise InputError(f"{path}: another run is using this") from None
            time.sleep(PAUSE)
        except OSError:  # a file system without locks
            return
        else:
            return


@contextmanager
def held(directory: Path, patience: float = 0.0) -> Iterator[None]:
    """A directory that no other run writes to meanwhile.

    Args:
        patience: seconds to wait for a run that does.

    Raises:
        InputError: one does.
    """
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except OSError:  # a system without descriptors of directories, or one that may not be listed
        yield
        return
    try:
        lock(descriptor, directory, patience)
        yield
    finally:
        os.close(descriptor)
