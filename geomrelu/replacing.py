"""Files that are whole or not there: what is written takes the place of a former file when it is complete."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from stat import S_IMODE
from typing import BinaryIO

from geomrelu.errors import InputError

__all__ = ["replacing"]


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """What is written takes the place of a file when it is complete, so that a full disk does not cost a former one.

    Who may read and write it stays the same. What cannot be replaced like that is written as it is: a device, a pipe,
    a file in a directory that takes no others, or one whose owner would change.

    Raises:
        InputError: it cannot be written.
    """
    part: Path | None = None
    try:
        target = Path(os.path.realpath(path))
        part = _beside(path, target)
        with open(part or path, "wb") as stream:
            yield stream
        if part is not None:
            os.replace(part, target)
    except BaseException as problem:  # also Ctrl-C
        if part is not None:
            part.unlink(missing_ok=True)
        if isinstance(problem, (OSError, ValueError)):  # ValueError: a null character in the path
            raise InputError(f"{path}: {getattr(problem, 'strerror', None) or problem}") from None
        raise


def _beside(path: str | os.PathLike[str], target: Path) -> Path | None:
    """An empty file that may take the place of another, with its owner and permissions."""
    former = os.stat(path) if os.path.exists(path) else None
    if not os.access(target.parent, os.W_OK | os.X_OK):
        return None
    if former is not None and not (target.is_file() and os.access(target, os.W_OK)):
        return None  # what is behind an open pipe, or behind a file that has been removed, has no such name
    part = target.with_name(f"{target.name[:50]}.{token_hex(4)}.part")  # 50: names have an end
    try:
        part.touch(0o666 if former is None else 0o600, exist_ok=False)
        if former is not None:
            os.chown(part, former.st_uid, former.st_gid)
            os.chmod(part, S_IMODE(former.st_mode))
    except OSError:
        part.unlink(missing_ok=True)
        return None
    return part
