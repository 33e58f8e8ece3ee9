"""Telling the owner of a run that it has ended, also when nobody watches."""

from typing import Any

from django.conf import settings

from workers import events, webhooks
from workers.models import Delivery, Run

RUN_ENDED = "run.ended"


def queue_end_of(run: Run) -> None:
    """Queue what was asked for, in the transaction that ends the run."""
    if not run.notify:
        return
    if address := run.notify.get("webhook"):
        webhooks.queue(owner=run.owner, url=address, event=RUN_ENDED, body=_facts(run), run=run)
    if run.notify.get("email") and run.owner.email:
        webhooks.store(
            Delivery(
                owner=run.owner,
                run=run,
                via=Delivery.Via.EMAIL,
                address=run.owner.email,
                event=RUN_ENDED,
                body=_letter(run),
            )
        )


def can_send_email() -> bool:
    """Whether the operator has said how."""
    return not settings.EMAIL_BACKEND.endswith("dummy.EmailBackend")


def subject_of(delivery: Delivery) -> str:
    """The subject of an e-mail: its first line."""
    return delivery.body.partition("\n")[0]


def _facts(run: Run) -> dict[str, Any]:
    return {
        "run": run.pk,
        "kind": run.kind,
        "status": run.status,
        "reason": run.reason,
        "ended_at": run.ended_at,
        "progress": events.progress(run),
        "hits": run.hits,
        "summary": run.summary,
        "links": {"self": f"/api/runs/{run.pk}/", "page": f"/runs/{run.pk}/"},
    }


def _letter(run: Run) -> str:
    done = (
        f"{run.succeeded} of {run.total} jobs succeeded, {run.failed} failed, {run.cancelled} were cancelled."
    )
    page = f"{settings.SITE_URL}/runs/{run.pk}/"
    return f"Your {run.kind} is {run.status} ({run.reason})\n\n{done}\n\n{page}\n"
