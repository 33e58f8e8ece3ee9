"""A WebSocket client that reads until the server closes."""

from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter

from workers import access
from workers.routing import websocket_urlpatterns

APPLICATION = access.WebSocketAccess(URLRouter(websocket_urlpatterns))
HOST = (b"host", b"testserver.local")


async def close_code(path: str, *headers: tuple[bytes, bytes]) -> tuple[int, list[str]]:
    """Connect, read until the server closes; the close code and what was sent before."""
    address, _, query = path.partition("?")
    all_headers = list({HOST[0]: HOST[1], **dict(headers)}.items())
    scope = {"type": "websocket", "path": address, "query_string": query.encode(), "headers": all_headers}
    socket = ApplicationCommunicator(APPLICATION, {**scope, "subprotocols": []})
    await socket.send_input({"type": "websocket.connect"})
    texts: list[str] = []
    while (message := await socket.receive_output(timeout=30))["type"] != "websocket.close":
        texts += [message["text"]] if message["type"] == "websocket.send" else []
    await socket.send_input({"type": "websocket.disconnect", "code": message["code"]})
    await socket.wait()
    return message["code"], texts


def bearer(secret: str) -> tuple[bytes, bytes]:
    """The header that a token goes in."""
    return (b"authorization", f"Bearer {secret}".encode())
