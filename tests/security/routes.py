"""Every address of the site, found in the URL configuration, and who may do what there.

An address without a rule fails `test_every_address_has_a_rule`: whoever adds one says here for whom it is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, get_resolver

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

OWN, SHARED, STAFF, OPEN, PAGE = "own", "shared", "staff", "open", "page"
"""For the owner and staff, 404 to others; for whoever is logged in; for staff; for all; pages send to the login."""

RULES = {
    "health": OPEN,
    "schema": OPEN,
    "docs": OPEN,
    "frontend:login": OPEN,
    "frontend:logout": OPEN,
    "frontend:None": OPEN,  # the icon
    "frontend:new_run": PAGE,
    "frontend:runs": PAGE,
    "frontend:run": PAGE,
    "frontend:result": PAGE,
    "frontend:scans": PAGE,
    "frontend:compare": PAGE,
    "frontend:prices": PAGE,
    "frontend:data": PAGE,
    "strategies": SHARED,
    "backtests": SHARED,
    "backtest-stream": SHARED,
    "results": OWN,
    "result": OWN,
    "result-curve": OWN,
    "scans": SHARED,
    "scan-stream": SHARED,
    "scan-results": OWN,
    "scan-result": OWN,
    "saved-scans": SHARED,
    "saved-scan": OWN,
    "saved-scan-run": OWN,
    "cryptocurrencies": SHARED,
    "candles": SHARED,
    "series-candles": SHARED,
    "series-quality": SHARED,
    "downloads": STAFF,
    "imports": STAFF,
    "import": OWN,
    "prices": SHARED,
    "price-history": SHARED,
    "price-histories": SHARED,
    "price-stream": SHARED,
    "price-alerts": SHARED,
    "price-alert": OWN,
    "run-list": SHARED,
    "run": OWN,
    "run-stop": OWN,
    "run-pause": OWN,
    "run-resume": OWN,
    "run-retry": OWN,
    "run-stats": OWN,
    "run-stream": OWN,
    "run-events": OWN,
    "run-deliveries": OWN,
    "tokens": SHARED,
    "token": OWN,
    "tickets": SHARED,
    "webhooks": SHARED,
}

NOT_FOR_STAFF = frozenset({"token", "price-alert"})
"""Of these staff have their own as everybody has."""
NOTHING_THERE = frozenset({"price-history"})
"""What would be there comes from outside, and has not come."""
FUNCTIONS = {
    "run-stream": ("GET",),
    "backtest-stream": ("POST",),
    "scan-stream": ("POST",),
    "price-stream": ("GET",),
}
"""Methods of the views that are functions."""
SOCKET_RULES = {"ws/runs/<uuid:run_id>/": OWN, "ws/prices/": SHARED, "": OPEN}


@dataclass(frozen=True)
class Route:
    """An address."""

    name: str
    pattern: str
    view: Any

    @property
    def methods(self) -> tuple[str, ...]:
        """Methods that it answers."""
        if self.name in FUNCTIONS:
            return FUNCTIONS[self.name]
        view = getattr(self.view, "cls", None)
        if view is None:
            return ("GET",)
        found = [method for method in METHODS if hasattr(view, method.lower())]
        return (*found, "HEAD") if "GET" in found else tuple(found)

    @property
    def described(self) -> str:
        """The address as the API's schema writes it."""
        named = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", self.pattern)
        return "/" + named.replace("{pk}", "{id}")

    def path(self, arguments: dict[str, Any]) -> str:
        """The address with its places filled."""
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(arguments[found[1]]), self.pattern)


def all_routes() -> list[Route]:
    """Every address but those of the admin, which are for staff alone."""
    return [route for route in _walk(get_resolver(), "", "") if not route.name.startswith("admin:")]


def admin_routes() -> list[Route]:
    """Addresses of the admin."""
    return [route for route in _walk(get_resolver(), "", "") if route.name.startswith("admin:")]


def _walk(resolver: Any, prefix: str, namespace: str) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        pattern = f"{prefix}{entry.pattern}"
        if isinstance(entry, URLPattern):
            name = f"{namespace}:{entry.name}" if namespace else str(entry.name)
            yield Route(name, pattern, entry.callback)
        else:
            yield from _walk(entry, pattern, entry.namespace or namespace)
