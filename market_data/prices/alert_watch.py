"""The watch over alerts: sees every price that the leading feed writes, and fires what is due.

Prices are looked at in memory; the database is asked for armed alerts every `RELOAD_SECONDS`, and written to when one
fires. A database that is away delays that, and never holds up the feed.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import close_old_connections

from market_data.prices import alerts, state
from market_data.prices.alert_rules import Crossing, Move, Rule, rule_of
from market_data.prices.models import Alert
from market_data.prices.state import Price

logger = logging.getLogger(__name__)

RELOAD_SECONDS = 1.0


@dataclass(slots=True)
class _Armed:
    """An armed alert, and how far its condition has come."""

    alert: Alert
    rule: Rule
    saved_side: int | None


class AlertWatch:
    """Fires alerts for as long as this process leads: `async with AlertWatch() as watch`, then `watch.see(prices)`.

    Parameters
    ----------
    confirm
        Raises when another process leads by now: then nothing is stored.
    """

    def __init__(self, confirm: Callable[[], None] = lambda: None) -> None:
        self._confirm = confirm
        self._armed: dict[UUID, _Armed] = {}
        self._by_symbol: dict[str, list[_Armed]] = {}
        self._due: dict[UUID, tuple[_Armed, Price]] = {}
        self._woken = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    def see(self, prices: Iterable[Price]) -> None:
        """Look at prices that are about to be shown to viewers; returns at once."""
        for price in prices:
            for armed in self._by_symbol.get(price.symbol, ()):
                if armed.alert.pk not in self._due and armed.rule.see(price.price, price.received_time_ms):
                    self._due[armed.alert.pk] = (armed, price)
                    self._woken.set()

    async def _run(self) -> None:
        work = sync_to_async(_store_and_load, thread_sensitive=False)
        while True:
            due = dict(self._due)
            self._woken.clear()
            try:
                self._take_over(await work(list(due.values()), dict(self._armed), self._confirm))
                self._due = {key: one for key, one in self._due.items() if key not in due}
            except Exception as error:  # noqa: BLE001 (whatever it is, prices go on, and it is tried again)
                logger.warning("alerts can't be stored or read: %s", error)
                self._woken.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RELOAD_SECONDS):
                    await self._woken.wait()

    def _take_over(self, armed: dict[UUID, _Armed]) -> None:
        by_symbol: dict[str, list[_Armed]] = {}
        for one in armed.values():
            by_symbol.setdefault(one.alert.symbol, []).append(one)
        self._armed, self._by_symbol = armed, by_symbol


def _store_and_load(
    due: list[tuple[_Armed, Price]], known: dict[UUID, _Armed], confirm: Callable[[], None]
) -> dict[UUID, _Armed]:
    """Fire what is due, then read which alerts are armed; in a thread. Doing it again changes nothing."""
    close_old_connections()
    try:
        confirm()
        for armed, price in due:
            change = armed.rule.change if isinstance(armed.rule, Move) else None
            alerts.fire_alert(armed.alert, price, change=change)
        for armed in known.values():
            _save_side(armed)
        return _load(known)
    finally:
        close_old_connections()


def _save_side(armed: _Armed) -> None:
    """Keep on which side of its level a price is, for the next leader."""
    if isinstance(armed.rule, Crossing) and armed.rule.side != armed.saved_side:
        side = armed.rule.side
        Alert.objects.filter(pk=armed.alert.pk, armed_at=armed.alert.armed_at).update(side=side)
        armed.saved_side = side


def _load(known: dict[UUID, _Armed]) -> dict[UUID, _Armed]:
    armed: dict[UUID, _Armed] = {}
    for alert in Alert.objects.filter(armed=True).select_related("owner"):
        before = known.get(alert.pk)
        if before is None or before.alert.armed_at != alert.armed_at:
            before = _began(alert)
        armed[alert.pk] = before
    return armed


def _began(alert: Alert) -> _Armed:
    """A rule from when the alert was armed on: what the leader before has seen counts too."""
    rule = rule_of(alert)
    if isinstance(rule, Move):
        from_ms = round(alert.armed_at.timestamp() * 1000)
        with contextlib.suppress(state.StateUnavailableError):
            for at_ms, price in state.history(alert.symbol):
                if from_ms <= at_ms <= time.time_ns() // 1_000_000:
                    rule.see(price, at_ms)
    return _Armed(alert, rule, alert.side)
