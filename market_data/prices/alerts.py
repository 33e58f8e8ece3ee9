"""Alerts of users: made, armed again, fired. Each a plain function, one transaction."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from market_data.errors import MarketDataError
from market_data.prices import state
from market_data.prices.alert_rules import side_of
from market_data.prices.models import Alert
from market_data.prices.state import Price
from workers import webhooks

MAX_PER_USER = 100
EVENT = "price_alert"


class TooManyAlertsError(MarketDataError):
    """A user has as many alerts as allowed."""


@transaction.atomic
def create_alert(*, owner: Any, price_now: Price, **condition: Any) -> Alert:
    """Store an armed alert; `condition` are fields of `Alert` that have been checked.

    Raises
    ------
    TooManyAlertsError
        If the user has `MAX_PER_USER`.
    """
    if Alert.objects.filter(owner=owner).count() >= MAX_PER_USER:
        raise TooManyAlertsError(f"You have {MAX_PER_USER} alerts, as many as a user may; delete one.")
    alert = Alert(owner=owner, symbol=price_now.symbol, **condition)
    alert.side = _side_now(alert, price_now)
    alert.save(force_insert=True)
    return alert


def arm_alert(alert: Alert, *, armed: bool, price_now: Price | None) -> Alert:
    """Wait for the condition again from now on, or no more."""
    alert.armed, alert.armed_at = armed, timezone.now()
    alert.side = _side_now(alert, price_now)
    alert.save(update_fields=["armed", "armed_at", "side"])
    return alert


@transaction.atomic
def fire_alert(alert: Alert, price: Price, *, change: float | None) -> bool:
    """Store that an alert fired and queue its webhook; False if it is not armed any more, however that came."""
    fired = {
        "armed": False,
        "fired_at": timezone.now(),
        "fired_price": price.price,
        "fired_change": change,
        "fired_source": price.source,
        "fired_is_replay": price.is_replay,
    }
    waiting = Alert.objects.filter(pk=alert.pk, armed=True, armed_at=alert.armed_at)
    if not waiting.update(**fired):
        return False
    for name, value in fired.items():
        setattr(alert, name, value)
    if alert.webhook:
        webhooks.queue(owner=alert.owner, url=alert.webhook, event=EVENT, body=described(alert))
    transaction.on_commit(lambda: _announce(alert))
    return True


def described(alert: Alert) -> dict[str, Any]:
    """An alert as its owner sees it, over REST, in messages and in webhooks alike."""
    return {
        "id": str(alert.pk),
        "symbol": alert.symbol,
        "kind": alert.kind,
        "direction": alert.direction,
        "price": alert.price,
        "percent": None if alert.fraction is None else round(alert.fraction * 100, 10),
        "minutes": alert.minutes,
        "webhook": alert.webhook,
        "armed": alert.armed,
        "created_at": alert.created_at,
        "fired_at": alert.fired_at,
        "fired_price": alert.fired_price,
        "fired_change": alert.fired_change,
        "fired_source": alert.fired_source or None,
        "fired_is_replay": alert.fired_is_replay,
    }


def _side_now(alert: Alert, price_now: Price | None) -> int | None:
    return None if alert.price is None or price_now is None else side_of(price_now.price, alert.price)


def _announce(alert: Alert) -> None:
    """Tell the owner's viewers; those who miss it find it in the list."""
    try:
        state.announce({"alerts": [{"owner_id": alert.owner_id, **described(alert)}]})
    except state.StateUnavailableError:
        return
