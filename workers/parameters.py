"""Query parameters that several transports share."""

from urllib.parse import parse_qs

MAX_SEQ = 2**31 - 1
MAX_WAIT_SECONDS = 30.0


class InvalidWaitError(ValueError):
    """A `wait` that is no number of seconds."""


def parse_wait(query: str) -> float:
    """The seconds of `?wait=`, 0 if it is not given.

    Raises
    ------
    InvalidWaitError
        If it is not a number from 0 to `MAX_WAIT_SECONDS`.
    """
    text = parse_qs(query, keep_blank_values=True).get("wait", ["0"])[-1]
    try:
        seconds = float(text[:20])
    except ValueError:
        seconds = -1.0
    if not 0.0 <= seconds <= MAX_WAIT_SECONDS:
        raise InvalidWaitError(f"wait must be seconds from 0 to {MAX_WAIT_SECONDS:g}; got {text[:40]!r}")
    return seconds


class InvalidSeqError(ValueError):
    """An `after` that is no event number."""


def parse_after(query: str) -> int:
    """The event number of `?after=`, 0 if it is not given.

    Raises
    ------
    InvalidSeqError
        If it is not a whole number from 0 on.
    """
    text = parse_qs(query, keep_blank_values=True).get("after", ["0"])[-1]
    if not (text.isascii() and text.isdigit()) or int(text[:11]) > MAX_SEQ:
        raise InvalidSeqError(f"after must be the number of an event, 0 or more; got {text[:40]!r}")
    return int(text)
