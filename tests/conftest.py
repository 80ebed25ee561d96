"""Where the real networks are: a folder named by GEOMRELU_SHARED; tests that need it skip where it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared():
    """The folder of real networks and data, read only."""
    folder = Path(os.environ.get("GEOMRELU_SHARED", "/work/shared"))
    if not (folder / "networks").is_dir():
        pytest.skip(f"{folder} is absent: set GEOMRELU_SHARED to the folder of real networks")
    return folder
