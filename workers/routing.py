from typing import Any, cast

from django.urls import path, re_path

from workers.consumers import NotFoundConsumer, RunConsumer

websocket_urlpatterns = [
    path("ws/runs/<uuid:run_id>/", cast("Any", RunConsumer.as_asgi())),
    re_path("", cast("Any", NotFoundConsumer.as_asgi())),
]
