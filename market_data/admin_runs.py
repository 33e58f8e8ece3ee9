"""A page of the admin that shows an import or a download under way, and what it has brought."""

from typing import Any
from uuid import UUID

import orjson
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from market_data.exchanges import handler as downloads
from market_data.models import DownloadResult, ImportResult
from market_data.uploads import handler as imports
from workers import control
from workers.handlers import InvalidSpecError
from workers.models import Event, Job, Run
from workers.runs import create_run

TEMPLATE = "admin/market_data/candleseries/run.html"
REFRESH_SECONDS = 1
MOST_SHOWN = 500


def run_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Progress, jobs and findings; the page asks again every second until the run has ended.

    A POST stops the run, or stores what a dry run has found.
    """
    runs = Run.objects.filter(kind__in=(imports.KIND, downloads.KIND))
    run = get_object_or_404(runs, pk=pk)
    error = ""
    if request.method == "POST":
        try:
            return redirect("admin:market_data_run", pk=_act(request, run))
        except InvalidSpecError as refused:
            error = str(refused)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": f"{run.kind.capitalize()} {run.status}",
        "run": run,
        "jobs": _jobs(run),
        "found": [one for row in ImportResult.objects.filter(job__run=run) for one in row.found][:MOST_SHOWN],
        "downloaded": DownloadResult.objects.filter(job__run=run).select_related("series")[:MOST_SHOWN],
        "can_be_stored": run.kind == imports.KIND and run.spec["dry_run"] and run.succeeded == 1,
        "error": error,
        "list": reverse("admin:market_data_candleseries_changelist"),
    }
    response = TemplateResponse(request, TEMPLATE, context)
    if not run.has_ended:
        response.headers["Refresh"] = str(REFRESH_SECONDS)
    return response


def _act(request: HttpRequest, run: Run) -> UUID:
    """Do what the pressed button says; returns the run to look at afterwards."""
    if "store" in request.POST and run.kind == imports.KIND:
        return create_run(owner=request.user, kind=run.kind, spec={**run.spec, "dry_run": False}).pk
    control.stop_run(run_id=run.pk)
    return run.pk


def _jobs(run: Run) -> list[dict[str, Any]]:
    """Each job with the share of it that is done, as far as it is known."""
    told: dict[str, dict[str, Any]] = {}
    for body in Event.objects.filter(run=run, type="progress").order_by("seq").values_list("body", flat=True):
        event = orjson.loads(body)
        if event["change"] == "advance":
            told[event["key"]] = event
    return [
        {
            "key": job.key,
            "status": job.status,
            "error": job.error,
            "share": 1 if job.status == Job.Status.SUCCEEDED else told.get(job.key, {}).get("share", 0),
            "step": told.get(job.key, {}).get("step", "") if job.status == Job.Status.RUNNING else "",
        }
        for job in run.jobs.order_by("position")[:MOST_SHOWN]
    ]
