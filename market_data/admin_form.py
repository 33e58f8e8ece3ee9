"""What the admin's pages that start a run have in common: how a form is shown, and how the API's errors get into it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse

TEMPLATE = "admin/market_data/candleseries/form.html"


def show(request: HttpRequest, form: forms.Form, *, title: str, about: str, button: str) -> TemplateResponse:
    """The page with a form, a word about it and its button."""
    context = {
        **admin.site.each_context(request),
        "title": title,
        "form": form,
        "about": about,
        "button": button,
    }
    return TemplateResponse(request, TEMPLATE, context)


def explain(form: forms.Form, detail: Any) -> None:
    """Put what the API says about a request beside the form's fields."""
    for field, messages in detail.items():
        texts = messages.values() if isinstance(messages, dict) else [messages]
        for text in texts:
            form.add_error(field if field in form.fields else None, [str(one) for one in text])
