"""Signals in the midst of an import: an exception there leaves modules that are half made, which others take for whole;
it is swallowed, or comes out as something else, or the process crashes."""

from __future__ import annotations

from types import FrameType

__all__ = ["is_importing"]


def is_importing(frame: FrameType | None) -> bool:
    """Is a module being imported where a signal has come?"""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
