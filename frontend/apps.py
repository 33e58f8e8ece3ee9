"""The frontend app: the page that starts runs and watches them."""

from django.apps import AppConfig


class FrontendConfig(AppConfig):
    """Serves one shell; everything on it is a client of the public API."""

    name = "frontend"
