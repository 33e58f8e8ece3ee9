"""What happens in a web process when its server starts and ends, by ASGI's lifespan protocol."""

import asyncio
import logging
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings

from config.pooled_postgres import base as pooled_postgres

logger = logging.getLogger(__name__)


async def lifespan(_scope: Any, receive: Any, send: Any) -> None:
    """Keep database connections, and listen to the channel layer, as long as the server runs."""
    listening: asyncio.Task[None] | None = None
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            pooled_postgres.keep(settings.DATABASE_CONNECTIONS_KEPT)
            listening = asyncio.create_task(_listen_for_good())
            await send({"type": "lifespan.startup.complete"})
        else:
            pooled_postgres.keep(0)
            if listening is not None:
                listening.cancel()
            await send({"type": "lifespan.shutdown.complete"})
            return


async def _listen_for_good() -> None:
    """Subscribe to a channel that nobody sends to.

    A layer without any subscription looks every tenth of a second whether it has one by now: the first watcher
    of an idle server would see its first results that much later.
    """
    layer: Any = get_channel_layer()
    try:
        await layer.new_channel("listening.")
    except Exception as error:  # noqa: BLE001 -- whatever Redis raises, it only costs the first watcher that time
        logger.warning("can't listen to the channel layer yet: %s", error)
