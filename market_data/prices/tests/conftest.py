import uuid
from collections.abc import AsyncIterator

import pytest

from market_data.prices import hub, picture, state
from market_data.prices.writing import Writer

LONG_SECONDS = 50.0


@pytest.fixture(autouse=True)
def prefix(settings) -> str:
    """Keys of this test's own on the suite's Redis."""
    settings.CHANNEL_PREFIX = f"test-{uuid.uuid4().hex}"
    return settings.CHANNEL_PREFIX


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow this machine is: a feed falls silent, and a price grows old, only where a test says so."""
    monkeypatch.setattr(hub, "READY_SECONDS", LONG_SECONDS)
    monkeypatch.setattr(picture, "SILENT_SECONDS", LONG_SECONDS)
    monkeypatch.setattr(state, "STALE_SECONDS", LONG_SECONDS)


@pytest.fixture
async def writer() -> AsyncIterator[Writer]:
    """Writes prices as the leader of term 1 does."""
    async with Writer(term=1) as writer:
        yield writer
