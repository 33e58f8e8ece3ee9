"""Where WebSockets of live prices lead."""

from typing import Any, cast

from django.urls import path

from market_data.prices.consumers import PricesConsumer

websocket_urlpatterns = [path("ws/prices/", cast("Any", PricesConsumer.as_asgi()))]
