"""What a run of backtests amounts to."""

from statistics import fmean, median
from typing import Any
from uuid import UUID

from backtests.models import ResultLink


def summarise(run_id: UUID) -> dict[str, Any]:
    """Median beside mean, the best and the worst, and how many results were reused."""
    rows = list(
        ResultLink.objects.filter(job__run_id=run_id).values_list(
            "result__symbol", "result__total_return", "result__buy_hold_return", "cached"
        )
    )
    returns = [row[1] for row in rows]
    cached = sum(row[3] for row in rows)
    return {
        "result_count": len(rows),
        "cached_count": cached,
        "computed_count": len(rows) - cached,
        "median_return": median(returns) if rows else None,
        "mean_return": fmean(returns) if rows else None,
        "positive_count": sum(value > 0 for value in returns),
        "median_buy_hold_return": median(row[2] for row in rows) if rows else None,
        "best": _extreme(max(rows, key=lambda row: row[1])) if rows else None,
        "worst": _extreme(min(rows, key=lambda row: row[1])) if rows else None,
    }


def _extreme(row: tuple[str, float, float, bool]) -> dict[str, Any]:
    return {"symbol": row[0], "total_return": row[1]}
