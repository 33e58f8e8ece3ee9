"""What a web process does as long as its server runs."""

import asyncio
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings
from redis.asyncio import Redis

from config.lifespan import lifespan
from config.pooled_postgres import base as pooled_postgres


async def test_a_server_listens_before_anybody_watches(monkeypatch) -> None:
    """An idle layer would pass the first watcher's first results on up to a tenth of a second later."""
    monkeypatch.setattr(pooled_postgres, "keep", lambda count: None)
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    serving = asyncio.create_task(lifespan({}, inbox.get, sent.put))
    async with Redis.from_url(settings.REDIS_URL) as redis:
        before = set(await redis.pubsub_channels(f"{settings.CHANNEL_PREFIX}*"))
        await inbox.put({"type": "lifespan.startup"})
        assert (await sent.get())["type"] == "lifespan.startup.complete"
        async with asyncio.timeout(10):
            while set(await redis.pubsub_channels(f"{settings.CHANNEL_PREFIX}*")) == before:
                await asyncio.sleep(0.01)
    await inbox.put({"type": "lifespan.shutdown"})
    await serving
    layer: Any = get_channel_layer()
    await layer.flush()
