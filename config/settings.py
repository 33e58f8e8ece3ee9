"""Settings of every deployment: one file, read from the environment.

Without any variable set this is the embedded single-user mode: SQLite, a local Redis, loopback only.
"""

import hashlib
from pathlib import Path
from typing import Any

import django_stubs_ext
import environ
from django.core.exceptions import ImproperlyConfigured

from config.logs import logging_settings

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env: Any = environ.Env()  # its stubs know no default but a string's

HOME_DIR = Path(env.str("CANDLESTREAM_HOME", default=str(BASE_DIR / ".candlestream")))
"""Folder of everything the embedded stack writes: database, candle files, Redis socket, logs."""

SINGLE_USER = env.bool("SINGLE_USER", default=False)
"""Act as one local user without a login. Only for servers bound to loopback; the launcher sets it."""

DEBUG = env.bool("DEBUG", default=False)


def _secret_key() -> str:
    """The secret of the environment; where nobody logs in any will do.

    Raises
    ------
    ImproperlyConfigured
        If others could guess it: whoever knows it can make a session of any user.
    """
    given: str = env.str("SECRET_KEY", default="")
    if SINGLE_USER or DEBUG:
        return given or hashlib.sha256(str(HOME_DIR).encode()).hexdigest()
    if not given:
        raise ImproperlyConfigured("SECRET_KEY must be set, unless SINGLE_USER or DEBUG is on.")
    if len(given) < 50 or len(set(given)) < 5 or "insecure" in given.lower():
        raise ImproperlyConfigured("SECRET_KEY can be guessed; make one with: openssl rand -hex 32")
    return given


SECRET_KEY = _secret_key()

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
TRUSTED_ORIGINS = env.list("TRUSTED_ORIGINS", default=CSRF_TRUSTED_ORIGINS)
"""Origins, with scheme and port, from which browsers may open WebSockets. Same origin is always allowed."""

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "workers",
    "market_data",
    "market_data.prices",
    "backtests",
    "frontend",
    # Apps of the operator's own, such as ones that register further kinds of runs.
    *env.list("EXTRA_APPS", default=[]),
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "workers.addresses.refuse_null_characters",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "frontend.security.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    *(["workers.access.LocalUserMiddleware"] if SINGLE_USER else []),
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


def _database() -> dict[str, Any]:
    """The database of `DATABASE_URL`, with the options that its engine needs under many writers."""
    database: dict[str, Any] = env.db(
        "DATABASE_URL", default=f"sqlite:///{HOME_DIR / 'candlestream.sqlite3'}"
    )
    database["CONN_MAX_AGE"] = (
        0  # under ASGI a thread's kept connection is never found again: it would pile up
    )
    options = database.setdefault("OPTIONS", {})
    if database["ENGINE"].endswith("sqlite3"):
        options.update(
            transaction_mode="IMMEDIATE",
            timeout=20,
            init_command="PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=268435456;",
        )
    else:
        options.setdefault("connect_timeout", 2)
        # A network that vanishes without a word is noticed in half a minute, not in a quarter of an hour.
        options.setdefault("tcp_user_timeout", 30_000)
        options.setdefault("keepalives_idle", 15)
        options.setdefault("keepalives_interval", 5)
        database["ENGINE"] = "config.pooled_postgres"
    return database


DATABASES = {"default": _database()}
DATABASE_CONNECTIONS_KEPT = env.int("DATABASE_CONNECTIONS_KEPT", default=8)
"""Connections to PostgreSQL that wait in a web process for the next request."""
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
CELERY_APP = "config.celery.app"
CHANNEL_PREFIX: str = env.str("CHANNEL_PREFIX", default="candlestream")
"""Begins the names of all that Candlestream has in Redis beside Celery's queues."""
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": CHANNEL_PREFIX},
    }
}

RUNS_KEPT_DAYS: float | None = env.float("RUNS_KEPT_DAYS", default=None)
"""Ended runs are deleted after so many days; unset: never."""
RESULTS_KEPT_DAYS: float | None = env.float("RESULTS_KEPT_DAYS", default=None)
"""Results that no run points to are deleted after so many days; unset: never."""
MAX_ACTIVE_RUNS_PER_USER = env.int("MAX_ACTIVE_RUNS_PER_USER", default=200)
MAX_SAVED_SCANS_PER_USER = env.int("MAX_SAVED_SCANS_PER_USER", default=20)

READS_PER_MINUTE = env.int("READS_PER_MINUTE", default=0 if SINGLE_USER else 1200)
WRITES_PER_MINUTE = env.int("WRITES_PER_MINUTE", default=0 if SINGLE_USER else 300)
ANONYMOUS_REQUESTS_PER_MINUTE = env.int("ANONYMOUS_REQUESTS_PER_MINUTE", default=0 if SINGLE_USER else 60)
"""Requests to the API of one user, or of one address without a login; 0: as many as they like."""
LOGINS_PER_MINUTE = env.int("LOGINS_PER_MINUTE", default=0 if SINGLE_USER else 10)
"""Attempts to log in as one user from one address; ten times as many from one address in all."""
CONNECTIONS_PER_USER = env.int("CONNECTIONS_PER_USER", default=100_000 if SINGLE_USER else 100)
"""WebSockets, streams and waiting polls that one user may keep open in one web process."""
SLOW_CLIENT_SECONDS = env.float("SLOW_CLIENT_SECONDS", default=30.0)
"""A client that takes nothing of what is sent to it for so long is cut off."""
WEBHOOKS_ALLOW_PRIVATE = env.bool("WEBHOOKS_ALLOW_PRIVATE", default=False)
"""Let webhooks go to addresses of this host and its networks too. Only where every user may reach those."""
DELIVERIES_KEPT_DAYS = env.float("DELIVERIES_KEPT_DAYS", default=7.0)
"""Webhooks and e-mails that arrived or failed are forgotten after so many days."""
SITE_URL: str = env.str("SITE_URL", default="").rstrip("/")
"""Where browsers reach the site, for links in e-mails."""
_email: dict[str, Any] = env.email("EMAIL_URL", default="dummymail://")
"""How e-mails are sent: `smtp+tls://user:password@host:587`. Unset: there are none."""
globals().update(_email)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="candlestream@localhost")

CANDLE_FILES_DIR = Path(env.str("CANDLE_FILES_DIR", default=str(HOME_DIR / "candles")))
"""Host-local candle files; may be deleted at any time."""
CANDLE_FILES_MAX_BYTES = env.int("CANDLE_FILES_MAX_BYTES", default=20 * 1024**3)
"""Above this the least recently used candle files go."""
EXCHANGE_URLS: dict[str, str] = env.json("EXCHANGE_URLS", default={})
"""Hosts to ask instead of an exchange's own, by ccxt's name of it: a mirror, or a proxy."""

PRICE_SOURCES: list[str] = env.list("PRICE_SOURCES", default=["binance", "ccxt:kraken", "coingecko"])
"""Where live prices come from: primary, secondary, tertiary. binance, ccxt:NAME, coingecko or replay."""
PRICE_SYMBOLS: list[str] = env.list("PRICE_SYMBOLS", default=["top:48"])
"""Symbols that live prices are of, or `top:N`: the store's most traded."""
PRICE_INTERVALS: list[str] = env.list("PRICE_INTERVALS", default=["1h"])
"""Candles of these intervals are appended to the sources' own series when they close."""
PRICE_FEED: dict[str, float] = env.json("PRICE_FEED", default={})
"""Changes to the feed's times and limits, by the names in `market_data/prices/tuning.py`."""

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        *(["workers.access.LocalUserAuthentication"] if SINGLE_USER else []),
        "workers.access.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["workers.http.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["workers.http.OrjsonParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "workers.http.Pagination",
    "DEFAULT_THROTTLE_CLASSES": ["workers.throttles.Throttle"],
    "EXCEPTION_HANDLER": "workers.problems.problem_response",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Candlestream API",
    "DESCRIPTION": "Backtest a trading strategy over a whole cryptocurrency market; results arrive live.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "workers.schema.add_problems",
    ],
    "ENUM_NAME_OVERRIDES": {
        "TradeDirectionEnum": ["long", "short", "long_short"],
        "AlertDirectionEnum": "market_data.prices.models.Alert.Direction",
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = env.int("MAX_BODY_BYTES", default=1024 * 1024)
"""Bytes of a JSON body."""
MAX_FILE_BYTES = env.int("MAX_FILE_BYTES", default=2 * 1024**3 + 1024**2)
"""Bytes of a body that brings a file of candles: the largest file, and what a form puts around it."""
FILE_PATHS = ["/api/imports/", "/admin/market_data/"]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
WHITENOISE_USE_FINDERS = True
AUTHENTICATION_BACKENDS = ["workers.access.LimitedModelBackend"]
LOGIN_URL = "frontend:login"
LOGGING = logging_settings(
    level=env.str("LOG_LEVEL", default="INFO"), as_json=env.str("LOG_FORMAT", default="text") == "json"
)

BEHIND_TLS_PROXY = env.bool("BEHIND_TLS_PROXY", default=False)
"""A proxy in front ends TLS and sets X-Forwarded-Proto. Everything of the site is then for HTTPS only."""
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS_PROXY else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = BEHIND_TLS_PROXY
SECURE_REDIRECT_EXEMPT = ["^api/health/$"]  # balancers and containers ask without the proxy
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=365 * 86_400 if BEHIND_TLS_PROXY else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", default=False)
SILENCED_SYSTEM_CHECKS = [
    "security.W005",
    "security.W021",
]  # the host's other names are not ours to decide about
