"""Tokens and tickets as the API shows them."""

from typing import Any

from rest_framework import serializers


class TokenSerializer(serializers.Serializer[Any]):
    """A token of yours; its secret is shown once, when it is made."""

    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
    days = serializers.IntegerField(
        min_value=1, max_value=365, default=90, write_only=True, help_text="How long it is valid."
    )
    created_at = serializers.DateTimeField(read_only=True)
    expires_at = serializers.DateTimeField(read_only=True)


class NewTokenSerializer(TokenSerializer):
    """A token that was made just now."""

    token = serializers.CharField(read_only=True, help_text="Send as `Authorization: Bearer …`.")


class TicketSerializer(serializers.Serializer[Any]):
    """A ticket, which is shown once."""

    ticket = serializers.CharField()
    expires_at = serializers.DateTimeField()
