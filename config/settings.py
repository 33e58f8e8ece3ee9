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
    """The secret of the environment; where nobody logs in any will do."""
    given: str = env.str("SECRET_KEY", default="")
    if not given and not (SINGLE_USER or DEBUG):
        raise ImproperlyConfigured("SECRET_KEY must be set, unless SINGLE_USER or DEBUG is on.")
    return given or hashlib.sha256(str(HOME_DIR).encode()).hexdigest()


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
    "backtests",
    "frontend",
    # Apps of the operator's own, such as ones that register further kinds of runs.
    *env.list("EXTRA_APPS", default=[]),
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
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
    database["CONN_MAX_AGE"] = 0  # under ASGI a kept connection is never found again: it would only pile up
    options = database.setdefault("OPTIONS", {})
    if database["ENGINE"].endswith("sqlite3"):
        options.update(
            transaction_mode="IMMEDIATE",
            timeout=20,
            init_command="PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=268435456;",
        )
    else:
        options.setdefault("connect_timeout", 2)
    return database


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
CELERY_APP = "config.celery.app"
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": env.str("CHANNEL_PREFIX", default="candlestream")},
    }
}

RUNS_KEPT_DAYS: float | None = env.float("RUNS_KEPT_DAYS", default=None)
"""Ended runs are deleted after so many days; unset: never."""
RESULTS_KEPT_DAYS: float | None = env.float("RESULTS_KEPT_DAYS", default=None)
"""Results that no run points to are deleted after so many days; unset: never."""
MAX_ACTIVE_RUNS_PER_USER = env.int("MAX_ACTIVE_RUNS_PER_USER", default=200)

CANDLE_FILES_DIR = Path(env.str("CANDLE_FILES_DIR", default=str(HOME_DIR / "candles")))
"""Host-local candle files; may be deleted at any time."""
CANDLE_FILES_MAX_BYTES = env.int("CANDLE_FILES_MAX_BYTES", default=20 * 1024**3)
"""Above this the least recently used candle files go."""
EXCHANGE_URLS: dict[str, str] = env.json("EXCHANGE_URLS", default={})
"""Hosts to ask instead of an exchange's own, by ccxt's name of it: a mirror, or a proxy."""

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
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # bytes of a JSON body

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
WHITENOISE_USE_FINDERS = True
LOGIN_URL = "frontend:login"
LOGGING = logging_settings(
    level=env.str("LOG_LEVEL", default="INFO"), as_json=env.str("LOG_FORMAT", default="text") == "json"
)

SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_TLS_PROXY", default=False) else None
)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("BEHIND_TLS_PROXY", default=False)
