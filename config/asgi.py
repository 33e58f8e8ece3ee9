"""The ASGI application: Django for HTTP, Channels for WebSockets."""

import gc
import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
http_application = get_asgi_application()

# Loads every view now, and not with the first request.
import config.urls  # noqa: E402, F401  # pyright: ignore[reportUnusedImport]
from config.lifespan import lifespan  # noqa: E402
from market_data.prices.routing import websocket_urlpatterns as price_patterns  # noqa: E402 -- models can be imported only now
from workers.access import WebSocketAccess  # noqa: E402
from workers.bodies import LimitBodies  # noqa: E402
from workers.routing import websocket_urlpatterns  # noqa: E402
from workers.slow_clients import CutOffSlowClients  # noqa: E402

application = ProtocolTypeRouter(
    {
        "lifespan": lifespan,
        "http": http_application,
        "websocket": WebSocketAccess(URLRouter([*price_patterns, *websocket_urlpatterns])),
    }
)
application = CutOffSlowClients(LimitBodies(application))

# What has been loaded by now stays: a collection that looks at all of it halts every stream for a tenth of a second.
gc.collect()
gc.freeze()
