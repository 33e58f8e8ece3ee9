"""Live prices in the admin: who leads, and users' alerts; both are written elsewhere."""

from django.contrib import admin

from market_data.prices.models import Alert, FeedLease
from workers.admin import ReadOnlyAdmin


@admin.register(FeedLease)
class FeedLeaseAdmin(ReadOnlyAdmin):
    """Which feed leads."""

    list_display = ("name", "holder", "term", "expires_at")


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    """Alerts: shown, found, deleted."""

    list_display = ("symbol", "kind", "direction", "owner", "armed", "fired_at", "created_at")
    list_filter = ("kind", "armed")
    search_fields = ("symbol", "owner__username")
