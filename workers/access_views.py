"""The REST edge of access."""

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from workers import credentials, tickets
from workers.access_serializers import NewTokenSerializer, TicketSerializer, TokenSerializer
from workers.models import ApiToken
from workers.problems import ConflictError

MAX_TOKENS = 50


class TicketList(APIView):
    """One-time tickets for WebSockets."""

    @extend_schema(request=None, responses={201: TicketSerializer})
    def post(self, request: Request) -> Response:
        """Make a ticket that opens one WebSocket, from a page of any origin: `wss://…/ws/…?ticket=`."""
        secret, expires_at = tickets.issue(owner=request.user, credential=credentials.of_request(request))
        return Response({"ticket": secret, "expires_at": expires_at}, status=status.HTTP_201_CREATED)


class TokenList(APIView):
    """Your tokens."""

    @extend_schema(responses=TokenSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List them; their secrets can't be read again."""
        tokens = ApiToken.objects.filter(owner=request.user).order_by("-created_at")
        return Response(TokenSerializer(tokens, many=True).data)

    @extend_schema(request=TokenSerializer, responses={201: NewTokenSerializer})
    def post(self, request: Request) -> Response:
        """Make a token. Only who is logged in can: a token that leaked must not outlive itself."""
        if isinstance(request.auth, ApiToken):
            raise PermissionDenied("A token can't make tokens; log in.")
        body = TokenSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        if ApiToken.objects.filter(owner=request.user).count() >= MAX_TOKENS:
            raise ConflictError(f"You have {MAX_TOKENS} tokens; delete one.")
        secret = ApiToken.issue(owner=request.user, **body.validated_data)
        made = ApiToken.objects.get(hash=ApiToken.hash_of(secret))
        return Response({**TokenSerializer(made).data, "token": secret}, status=status.HTTP_201_CREATED)


class TokenDetail(APIView):
    """One token."""

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Make a token of yours invalid."""
        deleted, _ = ApiToken.objects.filter(owner=request.user, pk=pk).delete()
        if not deleted:
            raise NotFound("You have no such token.")
        return Response(status=status.HTTP_204_NO_CONTENT)
