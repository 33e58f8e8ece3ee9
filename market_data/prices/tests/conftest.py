import uuid
from collections.abc import AsyncIterator

import pytest

from market_data.prices.writing import Writer


@pytest.fixture(autouse=True)
def prefix(settings) -> str:
    """Keys of this test's own on the suite's Redis."""
    settings.CHANNEL_PREFIX = f"test-{uuid.uuid4().hex}"
    return settings.CHANNEL_PREFIX


@pytest.fixture
async def writer() -> AsyncIterator[Writer]:
    """Writes prices as the leader of term 1 does."""
    async with Writer(term=1) as writer:
        yield writer
