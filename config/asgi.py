"""The ASGI application: Django for HTTP, Channels for WebSockets."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
http_application = get_asgi_application()

from workers.access import WebSocketAccess  # noqa: E402 -- models can be imported only now
from workers.routing import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter(
    {"http": http_application, "websocket": WebSocketAccess(URLRouter(websocket_urlpatterns))}
)
