"""Sending what is queued: by the scheduler, from a thread of its own, so that a slow receiver delays nothing else.

The table remembers what is to be sent and when, so a restart loses nothing. A delivery is claimed by moving its next
attempt into the future; whoever dies with it leaves it to be tried again then. So one may arrive twice, with the
same `webhook-id`.
"""

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.db import connections
from django.db.models import F
from django.utils import timezone

from workers import notifications, webhooks
from workers.models import Delivery

logger = logging.getLogger(__name__)

PERIOD_SECONDS = 0.5
BATCH = 50
BATCH_PER_USER = 10
CANDIDATES = 1000
CLAIMED = timedelta(minutes=2)
BACK_OFF_SECONDS = (5, 30, 300, 1800, 7200)
"""Pauses between attempts; after the last one more is made, then the delivery has failed."""

_thread: threading.Thread | None = None


def send_due() -> None:
    """The scheduler's step: begin to send what is due, unless that is being done."""
    global _thread  # noqa: PLW0603 -- one sender in a process
    if _thread is not None and _thread.is_alive():
        return
    if Delivery.objects.filter(status=Delivery.Status.WAITING, due_at__lte=timezone.now()).exists():
        _thread = threading.Thread(target=_send_and_disconnect, name="deliveries", daemon=True)
        _thread.start()


def _send_and_disconnect() -> None:
    try:
        while send_batch():
            pass
    except Exception:
        logger.exception("sending notifications failed; it is begun again")
    finally:
        connections.close_all()


def send_batch() -> int:
    """Make one attempt at each of some deliveries that are due, all at once; how many."""
    claimed = [delivery for each in _due() if (delivery := _claim(each))]
    for delivery, (status, answer) in zip(claimed, asyncio.run(_attempt_all(claimed)), strict=True):
        _note(delivery, status, answer)
    return len(claimed)


def _due() -> list[UUID]:
    """Deliveries to try now: the longest due first, and few of each user, so that nobody's wait for another's."""
    due = Delivery.objects.filter(status=Delivery.Status.WAITING, due_at__lte=timezone.now())
    chosen: list[UUID] = []
    count: Counter[int] = Counter()
    for delivery_id, owner_id in due.order_by("due_at").values_list("pk", "owner_id")[:CANDIDATES]:
        count[owner_id] += 1
        if count[owner_id] <= BATCH_PER_USER and len(chosen) < BATCH:
            chosen.append(delivery_id)
    return chosen


def _claim(delivery_id: UUID) -> Delivery | None:
    """Take a delivery for the time of an attempt; None if another scheduler was first."""
    now = timezone.now()
    waiting = Delivery.objects.filter(pk=delivery_id, status=Delivery.Status.WAITING, due_at__lte=now)
    claimed = waiting.update(due_at=now + CLAIMED, attempts=F("attempts") + 1)
    return Delivery.objects.get(pk=delivery_id) if claimed else None


async def _attempt_all(claimed: Sequence[Delivery]) -> list[tuple[Delivery.Status, str]]:
    return await asyncio.gather(*(_attempt(delivery) for delivery in claimed))


async def _attempt(delivery: Delivery) -> tuple[Delivery.Status, str]:
    """Try once; what the delivery is then, and why."""
    try:
        if delivery.via == Delivery.Via.EMAIL:
            await asyncio.to_thread(_send_email, delivery)
            return Delivery.Status.DELIVERED, "sent"
        code = await webhooks.send(delivery)
    except webhooks.AddressError as error:  # trying again would not help
        return Delivery.Status.FAILED, str(error)
    except Exception as error:  # noqa: BLE001 -- whatever a mail server or a network does, the others go on
        return Delivery.Status.WAITING, str(error) or type(error).__name__
    answer = f"HTTP {code}" + (", and redirects are not followed" if 300 <= code < 400 else "")
    if 200 <= code < 300:
        return Delivery.Status.DELIVERED, answer
    return (Delivery.Status.FAILED if code == 410 else Delivery.Status.WAITING), answer


def _send_email(delivery: Delivery) -> None:
    send_mail(notifications.subject_of(delivery), delivery.body, None, [delivery.address])


def _note(delivery: Delivery, status: Delivery.Status, answer: str) -> None:
    """Write down how an attempt went; one that failed is followed by another until there were enough."""
    now = timezone.now()
    tries = delivery.attempts
    if status == Delivery.Status.WAITING and tries <= len(BACK_OFF_SECONDS):
        delivery.due_at = now + timedelta(seconds=BACK_OFF_SECONDS[tries - 1])
    else:
        delivery.ended_at = now
        delivery.status = status if status == Delivery.Status.DELIVERED else Delivery.Status.FAILED
    delivery.answer = answer[:300]
    delivery.save(update_fields=["status", "due_at", "ended_at", "answer"])


def prune() -> None:
    """Delete what ended longer ago than `DELIVERIES_KEPT_DAYS`."""
    oldest = timezone.now() - timedelta(days=settings.DELIVERIES_KEPT_DAYS)
    Delivery.objects.filter(ended_at__lt=oldest).delete()
