"""A page of the admin that imports a file of candles."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from market_data.errors import MarketDataError
from market_data.import_api import import_upload
from market_data.importers.importing import SOURCE, ImportOptions
from market_data.intervals import INTERVAL_MS

TEMPLATE = "admin/market_data/candleseries/import.html"


class ImportForm(forms.Form):
    """A file, and what to say about it instead of having it recognised."""

    file = forms.FileField()
    source = forms.CharField(max_length=40, initial=SOURCE)
    symbol = forms.RegexField(
        r"^[A-Z0-9]{2,30}$", required=False, help_text="Instead of the one in the name or column."
    )
    interval = forms.ChoiceField(
        choices=[("", "as recognised"), *((name, name) for name in INTERVAL_MS)], required=False
    )
    keep_reused = forms.BooleanField(required=False, label="Do not split a reused symbol")
    dry_run = forms.BooleanField(required=False, initial=True, label="Dry run: show what is recognised")


def import_page(request: HttpRequest) -> HttpResponse:
    """Show the form, and what an import has found. Only for those whom the admin lets in."""
    form = ImportForm(request.POST or None, request.FILES or None)
    context: dict[str, Any] = {**admin.site.each_context(request), "title": "Import candles", "form": form}
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        options = ImportOptions(
            source=wanted["source"],
            symbol=wanted["symbol"] or None,
            interval=wanted["interval"] or None,
            split_reused=not wanted["keep_reused"],
        )
        try:
            context["found"] = import_upload(wanted["file"], options, dry_run=wanted["dry_run"])
        except MarketDataError as error:
            form.add_error("file", str(error))
        context["dry_run"] = wanted["dry_run"]
    return TemplateResponse(request, TEMPLATE, context)
