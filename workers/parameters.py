"""Query parameters that several transports share."""

from urllib.parse import parse_qs

MAX_SEQ = 2**31 - 1


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
