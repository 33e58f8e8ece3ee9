"""How large the body of a request may be, held while it comes in: Django itself would first store all of it."""

from typing import Any

import orjson
from django.conf import settings

from workers.problems import CONTENT_TYPE, problem

TOO_LARGE = 413


class LimitBodies:
    """ASGI middleware: answers 413 as soon as a body is known to be too large."""

    def __init__(self, application: Any) -> None:
        self.application: Any = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        if scope["type"] != "http":
            return await self.application(scope, receive, send)
        limit = limit_of(scope["path"])
        if _announced(scope) > limit:
            return await _refuse(send, limit)
        body = _Body(receive, send, limit)
        return await self.application(scope, body.receive, body.send)


def limit_of(path: str) -> int:
    """Bytes that a request to a path may bring."""
    is_file = path.startswith(tuple(settings.FILE_PATHS))
    return settings.MAX_FILE_BYTES if is_file else settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def _announced(scope: dict[str, Any]) -> int:
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(lengths[0]) if lengths and lengths[0].isdigit() else 0


class _Body:
    """A body that did not say how long it is: counted."""

    def __init__(self, receive: Any, send: Any, limit: int) -> None:
        self._receive, self._send, self._limit = receive, send, limit
        self._size = 0
        self._refused = False

    async def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = await self._receive()
        self._size += len(message.get("body", b""))
        if self._size <= self._limit or message["type"] != "http.request":
            return message
        self._refused = True
        await _refuse(self._send, self._limit)
        return {"type": "http.disconnect"}  # the application has nothing to answer any more

    async def send(self, message: dict[str, Any]) -> None:
        if not self._refused:
            await self._send(message)


async def _refuse(send: Any, limit: int) -> None:
    body = problem(TOO_LARGE, {"detail": f"A body has at most {limit:,} bytes here."})
    headers = [(b"content-type", CONTENT_TYPE.encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": TOO_LARGE, "headers": headers})
    await send({"type": "http.response.body", "body": orjson.dumps(body)})
