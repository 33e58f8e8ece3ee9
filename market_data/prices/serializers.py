"""What the API says about live prices."""

from typing import Any

from rest_framework import serializers

ROLES = ("primary", "secondary", "tertiary")


class PriceSerializer(serializers.Serializer[Any]):
    """The newest price of a symbol."""

    symbol = serializers.CharField()
    price = serializers.FloatField()
    source = serializers.CharField(  # pyright: ignore[reportAssignmentType]
        help_text="Such as binance or ccxt:kraken."
    )
    role = serializers.ChoiceField(choices=ROLES, help_text="Where the source stands in the order.")
    exchange_time_ms = serializers.IntegerField(help_text="By the exchange's clock.")
    received_time_ms = serializers.IntegerField(help_text="When the feed got it.")
    change_24h = serializers.FloatField(allow_null=True, help_text="A fraction, by the source's own data.")
    high_24h = serializers.FloatField(allow_null=True)
    low_24h = serializers.FloatField(allow_null=True)
    volume_24h_quote = serializers.FloatField(allow_null=True, help_text="Traded value in quote currency.")
    is_replay = serializers.BooleanField(
        help_text="Stored candles that are played again, not today's market."
    )
    age_ms = serializers.IntegerField(help_text="Since it was received, as of the message.")
    stale = serializers.BooleanField(help_text="Too old to pass for the price of now.")


class SourceSerializer(serializers.Serializer[Any]):
    """One of the feed's sources."""

    name = serializers.CharField()
    role = serializers.ChoiceField(choices=ROLES)
    state = serializers.CharField()
    since_ms = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField(allow_null=True)


class FeedStatusSerializer(serializers.Serializer[Any]):
    """How the feed is."""

    state = serializers.ChoiceField(
        choices=("live", "stale", "silent", "none"),
        help_text="stale: no source brings prices; silent: the feed itself says nothing; none: there was never one.",
    )
    source = serializers.CharField(allow_null=True)  # pyright: ignore[reportAssignmentType]
    role = serializers.ChoiceField(choices=ROLES, allow_null=True)
    since_ms = serializers.IntegerField(allow_null=True)
    is_replay = serializers.BooleanField()
    sources = SourceSerializer(many=True)


class ActivitySerializer(serializers.Serializer[Any]):
    """Something that happened; further fields depend on its kind."""

    id = serializers.IntegerField(help_text="Rises.")
    at_ms = serializers.IntegerField()
    kind = serializers.CharField()
    symbol = serializers.CharField(allow_null=True, required=False)
    source = serializers.CharField(  # pyright: ignore[reportAssignmentType]
        allow_null=True, required=False
    )


class PricesMessageSerializer(serializers.Serializer[Any]):
    """What REST, WebSocket and stream send alike."""

    type = serializers.ChoiceField(choices=("snapshot", "update"), help_text="All that is wanted, or news.")
    at_ms = serializers.IntegerField(help_text="The server's clock.")
    prices = PriceSerializer(many=True)
    activity = ActivitySerializer(many=True)
    status = FeedStatusSerializer(allow_null=True, help_text="null where it has not changed.")
    alerts = serializers.ListField(child=serializers.DictField(), help_text="Your alerts that fired.")


class HistorySerializer(serializers.Serializer[Any]):
    """The last points of a symbol."""

    symbol = serializers.CharField()
    points = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2),
        help_text="Time in milliseconds and price, oldest first.",
    )
