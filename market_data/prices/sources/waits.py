"""How long a server asks to be left alone."""

from collections.abc import Mapping

LONGEST_SECONDS = 3600.0


def retry_after_seconds(headers: Mapping[str, str] | None) -> float:
    """The `Retry-After` of an answer in seconds, an hour at most; 0 if there is none."""
    for name, value in (headers or {}).items():
        if name.lower() == "retry-after" and value.strip().isdigit():
            return min(float(value), LONGEST_SECONDS)
    return 0.0
