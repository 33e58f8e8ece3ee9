"""What somebody was let in with, and whether it would still do: connections may outlive tokens, sessions and users."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.utils import timezone

from workers.models import ApiToken


@dataclass(frozen=True, slots=True)
class Credential:
    """Who was let in, as what, and by what. Equal ones are looked up once, however many connections they have.

    Attributes
    ----------
    token_id : int, optional
        The token that was sent.
    session_key : str, optional
        The session, where there was no token.
    session_hash : str, optional
        What Django made of the password then: another password ends the session.
    """

    user_id: int
    is_staff: bool
    token_id: int | None = None
    session_key: str | None = None
    session_hash: str | None = None


def of_token(token: ApiToken) -> Credential:
    """The credential of a token that was found valid."""
    return Credential(token.owner.pk, token.owner.is_staff, token_id=token.pk)


def of_session(user: Any, session: Any) -> Credential:
    """The credential of a user whose session it is; of one who needs none if there is no session."""
    if session is None or session.session_key is None:
        return Credential(user.pk, user.is_staff)
    return Credential(
        user.pk, user.is_staff, session_key=session.session_key, session_hash=user.get_session_auth_hash()
    )


def of_request(request: Any) -> Credential:
    """The credential of a request that the API has authenticated."""
    if isinstance(request.auth, ApiToken):
        return of_token(request.auth)
    return of_session(request.user, getattr(request, "session", None))


def still_valid(credentials: Collection[Credential]) -> set[Credential]:
    """Those that would be let in now as they were; at most three statements, however many there are.

    In the embedded mode, which has no logins, all of them.
    """
    if settings.SINGLE_USER:
        return set(credentials)
    users = get_user_model().objects.in_bulk({each.user_id for each in credentials})
    tokens = _valid_tokens({each.token_id for each in credentials} - {None})
    sessions = _valid_sessions({each.session_key for each in credentials} - {None})

    def is_valid(credential: Credential) -> bool:
        user: Any = users.get(credential.user_id)
        return (
            user is not None
            and user.is_active
            and user.is_staff >= credential.is_staff
            and (credential.token_id is None or credential.token_id in tokens)
            and (credential.session_key is None or credential.session_key in sessions)
            and credential.session_hash in (None, user.get_session_auth_hash())
        )

    return {each for each in credentials if is_valid(each)}


def _valid_tokens(ids: Collection[Any]) -> set[Any]:
    valid = ApiToken.objects.filter(pk__in=ids, expires_at__gt=timezone.now())
    return set(valid.values_list("pk", flat=True)) if ids else set()


def _valid_sessions(keys: Collection[Any]) -> set[Any]:
    valid = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    return set(valid.values_list("session_key", flat=True)) if keys else set()
