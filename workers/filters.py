"""Which runs to list."""

from typing import Any, ClassVar

import django_filters

from workers.models import Run, RunQuerySet


class RunFilter(django_filters.FilterSet):
    """`?status=running&kind=backtest`; the status `active` stands for running and paused."""

    status = django_filters.ChoiceFilter(
        choices=[*Run.Status.choices, ("active", "active")], method="filter_status"
    )

    class Meta:
        model = Run
        fields: ClassVar = ["kind", "status"]

    def filter_status(self, queryset: RunQuerySet, name: str, value: Any) -> RunQuerySet:
        return queryset.filter(status__in=Run.ACTIVE if value == "active" else [value])
