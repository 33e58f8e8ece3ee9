"""Fields of requests: symbols and times."""

from datetime import UTC, date, datetime, time
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from backtests.spec import ALL_SYMBOLS
from market_data import market

MAX_SYMBOLS = 10_000


def iso_utc(moment: datetime) -> str:
    """A time in UTC as the API writes it."""
    return moment.isoformat().replace("+00:00", "Z")


@extend_schema_field(OpenApiTypes.DATETIME)
class UtcField(serializers.Field[Any, Any, Any, Any]):
    """A date or a time, ISO 8601; UTC where it names no zone."""

    def to_internal_value(self, data: Any) -> datetime:
        try:
            if len(data) == len("2021-04-05"):
                return datetime.combine(date.fromisoformat(data), time(), UTC)
            moment = datetime.fromisoformat(data)
        except (TypeError, ValueError):
            raise serializers.ValidationError(
                "Must be a date such as 2021-04-05 or a time such as 2021-04-05T00:00:00Z."
            ) from None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

    def to_representation(self, value: datetime) -> str:
        return iso_utc(value)


@extend_schema_field({"oneOf": [{"enum": [ALL_SYMBOLS]}, {"type": "array", "items": {"type": "string"}}]})
class SymbolsField(serializers.Field[Any, Any, Any, Any]):
    """`"all"`, or a list of symbols."""

    def to_internal_value(self, data: Any) -> str | list[str]:
        if data == ALL_SYMBOLS:
            return ALL_SYMBOLS
        if not isinstance(data, list) or not data or not all(isinstance(symbol, str) for symbol in data):
            raise serializers.ValidationError(
                f'Must be "{ALL_SYMBOLS}" or a list of symbols such as ["BTCUSDT"].'
            )
        symbols = list(dict.fromkeys(symbol.upper() for symbol in data))
        if len(symbols) > MAX_SYMBOLS:
            raise serializers.ValidationError(f"At most {MAX_SYMBOLS:,} symbols; there are {len(symbols):,}.")
        unknown = market.unknown_symbols(symbols)
        if unknown:
            more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
            raise serializers.ValidationError(
                f"Unknown: {', '.join(unknown[:5])}{more}. See /api/cryptocurrencies/."
            )
        return symbols

    def to_representation(self, value: str | list[str]) -> str | list[str]:
        return value
