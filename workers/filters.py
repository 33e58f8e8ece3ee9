"""Which runs to list."""

import re
from typing import Any, ClassVar

import django_filters
from django.core.exceptions import ValidationError
from django.db.models import Q

from workers.models import Run, RunQuerySet

MAX_SEARCH_LENGTH = 1000
MAX_SEARCH_WORDS = 20
SEARCHED = ("kind", "status", *(f"spec__{name}" for name in (
    "strategy", "parameters", "source", "interval", "exchange", "file",
)))  # fmt: skip
"""Where words are looked for: what tells runs apart in a list. Symbols don't: a spec may name thousands."""
STATUSES = [*Run.Status.choices, ("active", "active")]
ID_PREFIX = re.compile(r"[0-9a-f-]{4,36}", re.IGNORECASE)


def check_word_count(search: str) -> None:
    """Each word is a condition, and databases bound those."""
    if len(search.split()) > MAX_SEARCH_WORDS:
        raise ValidationError(f"Must have at most {MAX_SEARCH_WORDS} words.")


def matches(word: str) -> Q:
    """Whether a run has a word that begins so, or one of its alternatives: `rsi|macd`."""
    alternatives = [alternative for alternative in word.split("|") if alternative]
    if not alternatives:
        return Q()
    beginning = rf"(^|[^a-z0-9])({'|'.join(map(re.escape, alternatives))})"
    found = Q()
    for field in SEARCHED:
        found |= Q(**{f"{field}__iregex": beginning})
    for prefix in filter(ID_PREFIX.fullmatch, alternatives):
        found |= Q(id__istartswith=prefix)
    return found


class RunFilter(django_filters.FilterSet):
    """`?status=running&kind=backtest`; the status `active` stands for running and paused."""

    search = django_filters.CharFilter(
        method="filter_search",
        max_length=MAX_SEARCH_LENGTH,
        validators=[check_word_count],
        help_text="Words that all begin a word of the run's strategy, parameters, source, interval, exchange, file, "
        "kind or status, or begin its id; `a|b` is either.",
    )
    status = django_filters.ChoiceFilter(
        choices=STATUSES,
        method="filter_status",
        error_messages={
            "invalid_choice": f"There are {', '.join(name for name, _ in STATUSES)}; not %(value)s."
        },
    )

    class Meta:
        model = Run
        fields: ClassVar = ["kind", "status"]

    def filter_status(self, queryset: RunQuerySet, name: str, value: Any) -> RunQuerySet:
        return queryset.filter(status__in=Run.ACTIVE if value == "active" else [value])

    def filter_search(self, queryset: RunQuerySet, name: str, value: str) -> RunQuerySet:
        for word in value.split():
            queryset = queryset.filter(matches(word))
        return queryset
