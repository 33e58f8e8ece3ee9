"""Server-sent events: live prices as `text/event-stream`, with the messages of the WebSocket."""

from collections.abc import AsyncGenerator

from channels.db import database_sync_to_async
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from rest_framework.exceptions import APIException, MethodNotAllowed, ValidationError

from market_data.prices import hub
from market_data.prices.wanted import INTERVALS_SECONDS, InvalidWantedError, Wanted, of_query
from workers.credentials import Credential
from workers.schema import describe_stream, query
from workers.sse import login_of, problem_response, streaming_response


@describe_stream(
    "GET",
    "Follow prices: all that are wanted at first, then those that change, as server-sent events. It never ends by"
    " itself. The same messages come over a WebSocket at `/ws/prices/`.",
    [
        query("symbols", "string", "Names with commas between them; by default all."),
        query("interval", "integer", "A price comes once in so many seconds.", enum=list(INTERVALS_SECONDS)),
        query("source", "string", "Only prices from this source."),
    ],
)
async def price_stream(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Stream the prices that `?symbols=`, `?interval=` and `?source=` ask for, for as long as they are wanted."""
    try:
        credential = await database_sync_to_async(_credential)(request)
        wanted = of_query(request.META["QUERY_STRING"])
        async with hub.watching(wanted, owner_id=credential.user_id):
            pass  # what is wrong with it must be known before the stream begins
    except APIException as error:
        return problem_response(error)
    except InvalidWantedError as error:
        return problem_response(ValidationError(error.errors))
    return streaming_response(_frames(wanted, credential.user_id), credential)


def _credential(request: HttpRequest) -> Credential:
    if request.method != "GET":
        raise MethodNotAllowed(request.method or "")
    return login_of(request)[1]


async def _frames(wanted: Wanted, owner_id: int) -> AsyncGenerator[str]:
    async with hub.watching(wanted, owner_id=owner_id) as viewer:
        while True:
            yield f"data: {await viewer.next_message()}\n\n"
