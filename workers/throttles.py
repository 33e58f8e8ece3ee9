"""How often one user, or one address, may ask.

Counted in Redis, for all web processes together. While Redis is away nobody is refused: it may be away at any moment,
and what protects the machine then is the limit of runs and connections.
"""

import hashlib
import logging
import time
from functools import lru_cache
from typing import Any

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 60
ANSWER_SECONDS = 0.25
"""Redis has so long to answer."""
AWAY_SECONDS = 5.0
"""After a failure Redis is left alone for so long, so that requests don't wait for it one by one."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_away_until = float("-inf")


class Throttle(BaseThrottle):
    """Refuses who has asked too often within the current minute, with a `Retry-After`."""

    _wait: float | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the request; whether it is to be answered."""
        self._wait = wait_of(request)
        return self._wait is None

    def wait(self) -> float | None:
        """Seconds after which it may be tried again."""
        return self._wait


def wait_of(request: Request) -> float | None:
    """Count a request; the seconds to wait if it is one too many, else None."""
    if not request.user.is_authenticated:
        return count("anonymous", address_of(request), limit=settings.ANONYMOUS_REQUESTS_PER_MINUTE)
    if request.method in SAFE_METHODS:
        return count("read", request.user.pk, limit=settings.READS_PER_MINUTE)
    return count("write", request.user.pk, limit=settings.WRITES_PER_MINUTE)


def address_of(request: Any) -> str:
    """Where a request comes from; behind a proxy the server has put in what the proxy says."""
    return request.META.get("REMOTE_ADDR") or "unknown"


def count(kind: str, who: Any, *, limit: int) -> float | None:
    """Count one more of a kind by somebody; the seconds to wait if that is above the limit (0: no limit)."""
    global _away_until  # noqa: PLW0603 -- one Redis for a process
    if not limit or time.monotonic() < _away_until:
        return None
    now = time.time()
    digest = hashlib.sha256(str(who).encode()).hexdigest()[:32]
    key = f"{settings.CHANNEL_PREFIX}:throttle:{kind}:{digest}:{int(now // WINDOW_SECONDS)}"
    try:
        with _redis().pipeline(transaction=False) as pipeline:
            pipeline.incr(key)
            pipeline.expire(key, 2 * WINDOW_SECONDS)
            done: list[Any] = pipeline.execute()
    except RedisError as error:
        logger.warning("requests are not counted, Redis does not answer: %s", error)
        _away_until = time.monotonic() + AWAY_SECONDS
        return None
    return None if done[0] <= limit else WINDOW_SECONDS - now % WINDOW_SECONDS


@lru_cache(maxsize=1)
def _redis() -> Redis:
    return Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
