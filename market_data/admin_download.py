"""A page of the admin that starts a download from an exchange."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from rest_framework.exceptions import ValidationError

from market_data.admin_form import explain, show
from market_data.download_api import DownloadRequestSerializer, start_download
from market_data.intervals import INTERVAL_MS
from market_data.serializers import EXCHANGES

ABOUT = (
    "Every page of candles is stored as it comes: a download that is interrupted goes on where it stopped, and one "
    "that is started again later brings its series up to date."
)


class DownloadForm(forms.Form):
    """Which candles to fetch from which exchange."""

    exchange = forms.CharField(max_length=40, initial="binance", help_text=f"{', '.join(EXCHANGES)}, …")
    interval = forms.ChoiceField(choices=[(name, name) for name in INTERVAL_MS], initial="1h")
    symbols = forms.CharField(
        required=False, help_text="BTCUSDT, ETHUSDT; or leave it empty and say how many of the most traded."
    )
    top = forms.IntegerField(required=False, min_value=1, help_text="The most traded pairs.")
    quote = forms.CharField(required=False, initial="USDT", help_text="What the most traded are priced in.")
    start = forms.DateField(required=False, help_text="First day, UTC; empty: all there is.")
    max_parallel = forms.IntegerField(initial=2, min_value=1, max_value=16, label="At once")


def download_page(request: HttpRequest) -> HttpResponse:
    """Show the form, and start the run of what it is filled in with. Only for those whom the admin lets in."""
    form = DownloadForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        body = DownloadRequestSerializer(data=_request_of(form.cleaned_data))
        try:
            body.is_valid(raise_exception=True)
            run = start_download(owner=request.user, body=body)
        except ValidationError as error:
            explain(form, error.detail)
        else:
            return redirect("admin:market_data_run", pk=run.pk)
    return show(request, form, title="Download candles", about=ABOUT, button="Download")


def _request_of(filled: dict[str, Any]) -> dict[str, Any]:
    """The form as the API's request: what is empty is left out."""
    symbols = filled["symbols"].upper().replace(",", " ").split()
    start = filled["start"]
    wanted = {
        **filled,
        "symbols": symbols or None,
        "start": f"{start:%Y-%m-%d}T00:00:00Z" if start else None,
    }
    return {name: value for name, value in wanted.items() if value not in (None, "")}
