"""Notifications of the ends of runs as the API shows them."""

from typing import Any

from rest_framework import serializers

from workers.models import Delivery


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """A notification of a run's end, and what became of it."""

    class Meta:  # pyright: ignore[reportIncompatibleVariableOverride]
        model = Delivery
        fields = (
            "id",
            "via",
            "address",
            "event",
            "status",
            "attempts",
            "answer",
            "created_at",
            "due_at",
            "ended_at",
        )


class SigningSerializer(serializers.Serializer[Any]):
    """How webhooks are signed."""

    secret = serializers.CharField(help_text="Yours; who knows it can sign in this server's name.")
    scheme = serializers.CharField(help_text="Where the signature's form is described.")
