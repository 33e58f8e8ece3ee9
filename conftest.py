"""Fixtures that every app's tests share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent


@pytest.fixture(scope="session")
def candles_dir() -> Path:
    """The folder of real candles; skips where it is absent, fails where CI requires it."""
    folder = Path(os.environ.get("CANDLES_DIR", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        if os.environ.get("REQUIRE_CANDLES"):
            pytest.fail(f"real candles are required but {folder} does not exist")
        pytest.skip(f"no real candles at {folder}")
    return folder
