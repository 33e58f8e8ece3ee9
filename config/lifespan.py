"""What happens in a web process when its server starts and ends, by ASGI's lifespan protocol."""

from typing import Any

from django.conf import settings

from config.pooled_postgres import base as pooled_postgres


async def lifespan(_scope: Any, receive: Any, send: Any) -> None:
    """Keep database connections as long as the server runs."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            pooled_postgres.keep(settings.DATABASE_CONNECTIONS_KEPT)
            await send({"type": "lifespan.startup.complete"})
        else:
            pooled_postgres.keep(0)
            await send({"type": "lifespan.shutdown.complete"})
            return
