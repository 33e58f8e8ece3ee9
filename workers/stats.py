"""How a run went, in numbers."""

from typing import Any

from django.db.models import Avg, Count, F, Min, Q

from workers import events
from workers.models import Event, Job, Run


def stats(run: Run) -> dict[str, Any]:
    """Times, reuse and the share of each worker; seconds since the run was created."""
    executed = Q(attempt__gt=0)
    jobs = Job.objects.filter(run=run)
    succeeded = Q(status=Job.Status.SUCCEEDED)
    sums = jobs.aggregate(
        cached=Count("pk", filter=succeeded & ~executed),
        first=Min("ended_at", filter=succeeded),
        waiting=Avg(F("started_at") - run.created_at, filter=executed),
        elapsed_ms=Avg("elapsed_ms", filter=succeeded & executed),
        retried=Count("pk", filter=Q(attempt__gt=1)),
    )
    return {
        "progress": events.progress(run),
        "hits": run.hits,
        "cached": sums["cached"],
        "first_result_seconds": _seconds(sums["first"] and sums["first"] - run.created_at),
        "mean_waiting_seconds": _seconds(sums["waiting"]),
        "mean_elapsed_ms": sums["elapsed_ms"],
        "retried_jobs": sums["retried"],
        "event_count": Event.objects.filter(run=run).count(),
        "workers": _shares(run),
    }


def _seconds(duration: Any) -> float | None:
    return None if duration is None else round(max(duration.total_seconds(), 0.0), 6)


def _shares(run: Run) -> list[dict[str, Any]]:
    executed = Job.objects.filter(run=run, worker__isnull=False, status=Job.Status.SUCCEEDED)
    counted = executed.values("worker__host", "worker__pid").annotate(jobs=Count("pk")).order_by("-jobs")
    return [{"host": row["worker__host"], "pid": row["worker__pid"], "jobs": row["jobs"]} for row in counted]
