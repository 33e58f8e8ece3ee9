"""Promise: which cryptocurrencies are likely to be hits, from the hits of earlier runs of the same strategy."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from workers.models import Run

RUNS_REMEMBERED = 20


@dataclass(frozen=True, slots=True)
class Promise:
    """How often cryptocurrencies were hits.

    A cryptocurrency with `hits` in `tried` results promises `(hits + share) / (tried + 1)`, where `share` is the
    share of hits among all results: one more result of the average kind keeps a single lucky hit from
    counting as certainty, and gives those that were never tried the average.

    Attributes
    ----------
    share : float
        Hits among all results, a fraction; 0 where nothing was tried.
    counts : dict
        Hits and results by symbol.
    """

    share: float
    counts: dict[str, tuple[int, int]]

    def of(self, symbol: str) -> float:
        """Promise of a cryptocurrency, 0 to 1."""
        hits, tried = self.counts.get(symbol, (0, 0))
        return (hits + self.share) / (tried + 1)


def promise(results: QuerySet[Any], *, owner: Any, kind: str, strategy: str) -> Promise:
    """What a user's last runs of a strategy that said what a hit is have found, whatever the parameters."""
    runs = Run.objects.filter(owner=owner, kind=kind, spec__strategy=strategy).exclude(hit="")
    recent = list(runs.order_by("-created_at").values_list("pk", flat=True)[:RUNS_REMEMBERED])
    found = results.filter(job__run__in=recent, hit__isnull=False)
    rows = found.values_list("job__key").annotate(hits=Count("pk", filter=Q(hit=True)), tried=Count("pk"))
    counts = {symbol: (hits, tried) for symbol, hits, tried in rows.order_by()}
    tried = sum(tried for _, tried in counts.values())
    return Promise(sum(hits for hits, _ in counts.values()) / tried if tried else 0.0, counts)
