from typing import Any, cast

from django.urls import path

from workers.consumers import RunConsumer

websocket_urlpatterns = [path("ws/runs/<uuid:run_id>/", cast("Any", RunConsumer.as_asgi()))]
