"""The REST edge of notifications: what became of them, and how to check that one is genuine."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from workers import webhooks
from workers.notification_serializers import DeliverySerializer, SigningSerializer
from workers.views import visible_run

SCHEME = "https://www.standardwebhooks.com"


class RunDeliveries(APIView):
    """Webhooks and e-mails about a run."""

    @extend_schema(responses=DeliverySerializer(many=True))
    def get(self, request: Request, run_id: UUID) -> Response:
        """List them with the state they are in, newest first."""
        found: Any = visible_run(request, run_id).deliveries  # pyright: ignore[reportAttributeAccessIssue]
        return Response(DeliverySerializer(found.all(), many=True).data)


class WebhookSigning(APIView):
    """How receivers can tell that a webhook is genuine."""

    @extend_schema(responses=SigningSerializer)
    def get(self, request: Request) -> Response:
        """The secret that your webhooks are signed with."""
        return Response({"secret": webhooks.secret_of(request.user.pk), "scheme": SCHEME})
