"""Where the real networks are: a folder named by GEOMRELU_SHARED, or one called shared beside the checkout.

Tests that need it skip, saying so, where it is absent.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes, or is sought, says how busy the machine is.
settings.register_profile("geomrelu", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("geomrelu")


@pytest.fixture(scope="session")
def shared():
    """The folder of real networks and data, read only."""
    beside = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("GEOMRELU_SHARED", beside))
    if not (folder / "networks").is_dir():
        pytest.skip(f"{folder} is absent: set GEOMRELU_SHARED to the folder of real networks")
    return folder


@pytest.fixture(autouse=True)
def _digits():
    """The stand-alone checker raises the limit on the digits of integers for its process; here it goes back."""
    digits = sys.get_int_max_str_digits()
    yield
    sys.set_int_max_str_digits(digits)
