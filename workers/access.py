"""Who is asking: sessions and tokens, the local user of the embedded mode, and from which page."""

import ipaddress
from typing import Any
from urllib.parse import parse_qs, urlsplit

from channels.auth import get_user
from channels.db import database_sync_to_async
from channels.sessions import SessionMiddlewareStack
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied as PermissionDeniedByBackend
from django.http import HttpRequest, HttpResponse
from django.http.request import validate_host
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from workers import credentials, throttles, tickets
from workers.credentials import Credential
from workers.models import ApiToken

LOCAL_USERNAME = "local"


def local_user() -> Any:
    """The one user of the embedded mode, made when first needed."""
    user, _ = get_user_model().objects.get_or_create(
        username=LOCAL_USERNAME, defaults={"is_staff": True, "is_superuser": True}
    )
    return user


def valid_token(secret: str) -> ApiToken | None:
    """The token if it exists, has not expired, and its owner is active."""
    token = ApiToken.objects.select_related("owner").filter(hash=ApiToken.hash_of(secret)).first()
    if token is None or token.expires_at <= timezone.now() or not token.owner.is_active:
        return None
    return token


def is_own_origin(origin: str, host: str) -> bool:
    """Whether a browser's Origin is the page's own, by host and port, or one the operator trusts."""
    return urlsplit(origin).netloc.lower() == host.lower() or origin in settings.TRUSTED_ORIGINS


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>` (or `Token <token>`); the token is `request.auth`."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        words = get_authorization_header(request).decode("latin-1").split()
        if not words or words[0].lower() not in {"bearer", "token"}:
            return None
        token = valid_token(words[1]) if len(words) == 2 else None
        if token is None:
            raise AuthenticationFailed("The token is unknown or has expired.")
        return token.owner, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class LimitedModelBackend(ModelBackend):
    """Names and passwords, of which nobody may try many."""

    def authenticate(self, request: Any, username: Any = None, password: Any = None, **kwargs: Any) -> Any:
        """The user, or None; nobody for whoever has tried too often within the minute, right or wrong."""
        if request is not None:
            address = throttles.address_of(request)
            limit: int = settings.LOGINS_PER_MINUTE
            waits = [
                throttles.count("login", f"{address} {username}", limit=limit),
                throttles.count("logins", address, limit=10 * limit),
            ]
            if any(waits):
                raise PermissionDeniedByBackend
        return super().authenticate(request, username, password, **kwargs)


class TokenScheme(OpenApiAuthenticationExtension):
    """How the API's schema speaks of tokens."""

    target_class = "workers.access.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}


class LocalUserScheme(OpenApiAuthenticationExtension):
    """How the API's schema speaks of the embedded mode, in which nothing need be sent."""

    target_class = "workers.access.LocalUserAuthentication"
    name = "local"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "Origin"}


def is_loopback(address: str | None) -> bool:
    """Whether a client is on this machine: it has a loopback address, or none, as over a Unix socket."""
    try:
        return not address or ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


class LocalUserAuthentication(BaseAuthentication):
    """Embedded mode: whoever reaches the loopback address is the local user, but no foreign page is."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        if not is_loopback(request.META.get("REMOTE_ADDR")):
            raise PermissionDenied("Without a login only this machine itself has access.")
        origin = request.headers.get("Origin")
        if origin and not is_own_origin(origin, request.get_host()):
            raise PermissionDenied(f"Requests from pages of {origin} are not allowed.")
        return local_user(), None


class LocalUserMiddleware:
    """Embedded mode: the pages and the admin know the local user too."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_loopback(request.META.get("REMOTE_ADDR")):
            request.user = local_user()
        return self.get_response(request)


class WebSocketAccess:
    """ASGI middleware: puts the user and the credential into the scope, and refuses foreign pages and unknown hosts."""

    def __init__(self, application: Any) -> None:
        self.application: Any = SessionMiddlewareStack(_UserInScope(application))

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        origin, host = headers.get(b"origin"), headers.get(b"host", "")
        # A foreign page proves by a ticket that a user has sent it: a ticket counts for more than any cookie.
        own = origin is None or is_own_origin(origin, host) or _ticket_of(scope) is not None
        if _is_known_host(host) and own:
            return await self.application(scope, receive, send)
        await receive()
        return await send({"type": "websocket.close", "code": 4403})


class _UserInScope:
    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        scope["user"], scope["credential"] = await _let_in(scope) or (None, None)
        return await self.application(scope, receive, send)


def _ticket_of(scope: Any) -> str | None:
    return parse_qs(scope["query_string"].decode("latin-1")).get("ticket", [None])[-1]


async def _let_in(scope: Any) -> tuple[Any, Credential] | None:
    """The user of a connection, and by what it is the user's; None for nobody."""
    ticket = _ticket_of(scope)
    if ticket is not None:
        return await database_sync_to_async(tickets.redeem)(ticket)
    if settings.SINGLE_USER:
        if not is_loopback((scope.get("client") or [None])[0]):
            return None
        user = await database_sync_to_async(local_user)()
        return user, credentials.of_session(user, None)
    headers = dict(scope["headers"])
    words = headers.get(b"authorization", b"").decode("latin-1").split()
    if len(words) == 2 and words[0].lower() in {"bearer", "token"}:
        token = await database_sync_to_async(valid_token)(words[1])
        return None if token is None else (token.owner, credentials.of_token(token))
    user = await get_user(scope)
    return (user, credentials.of_session(user, scope["session"])) if user.is_authenticated else None


def _is_known_host(host: str) -> bool:
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    return validate_host(name, settings.ALLOWED_HOSTS or ["localhost", "127.0.0.1"])
