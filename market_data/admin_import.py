"""A page of the admin that imports a file of candles, or first shows what is in it."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from rest_framework.exceptions import ValidationError

from market_data.admin_form import explain, show
from market_data.import_api import UploadSerializer, start_import
from market_data.importers.importing import SOURCE
from market_data.intervals import INTERVAL_MS
from market_data.uploads.spool import SpoolFullError

ABOUT = (
    "Parquet, CSV (also gz, zip), Feather or JSON, as exchanges and tools write them. What a file holds is "
    "recognised; a dry run shows it without storing anything, and can be stored afterwards."
)


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
    columns = forms.CharField(
        required=False, help_text="time=Date,volume=Volume BTC; instead of as recognised."
    )
    adjust = forms.CharField(
        required=False,
        help_text="SUNUSDT=1000@2021-06-18: older prices are divided. Several with blanks between.",
    )
    keep_reused = forms.BooleanField(required=False, label="Do not split a reused symbol")
    dry_run = forms.BooleanField(required=False, initial=True, label="Dry run: show what is recognised")


def import_page(request: HttpRequest) -> HttpResponse:
    """Show the form, and start the run of what it is filled in with. Only for those whom the admin lets in."""
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        body = UploadSerializer(data=_request_of(form.cleaned_data))
        try:
            body.is_valid(raise_exception=True)
            run = start_import(owner=request.user, **body.validated_data)
        except ValidationError as error:
            explain(form, error.detail)
        except SpoolFullError as error:
            form.add_error("file", str(error))
        else:
            return redirect("admin:market_data_run", pk=run.pk)
    return show(request, form, title="Import candles", about=ABOUT, button="Import")


def _request_of(filled: dict[str, Any]) -> dict[str, Any]:
    """The form as the API's request: what is empty is left out."""
    wanted = {**filled, "adjust": filled["adjust"].split()}
    return {name: value for name, value in wanted.items() if value not in (None, "", [])}
