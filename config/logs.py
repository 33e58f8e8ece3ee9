"""How every process logs: one line per entry for people, or one JSON object per entry for machines."""

from typing import Any

import structlog

_QUIET = ("celery.app.trace", "celery.worker.strategy", "httpx")


def logging_settings(*, level: str, as_json: bool) -> dict[str, Any]:
    """Django's LOGGING: everything to standard error, through structlog."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if as_json:
        last: list[Any] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        last = [
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
        ]
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": shared,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"entry": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "entry"}},
        "root": {"handlers": ["stderr"], "level": level},
        # Two lines per job would cost more than the job's own bookkeeping; a line per request says nothing.
        "loggers": {name: {"level": "WARNING"} for name in _QUIET},
    }
