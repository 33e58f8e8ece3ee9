"""Live prices over REST: those of now, and their last points. WebSocket and stream send the same message."""

import time
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from market_data.prices import state
from market_data.prices.picture import Picture
from market_data.prices.serializers import HistorySerializer, PricesMessageSerializer
from market_data.prices.wanted import InvalidWantedError, Wanted, check, of_texts
from market_data.symbols import symbol_of

SYMBOLS = OpenApiParameter(
    "symbols", OpenApiTypes.STR, description="Names with commas between, such as BTCUSDT,ETHUSDT; else all."
)
SOURCE = OpenApiParameter("source", OpenApiTypes.STR, description="Only prices from this source.")


class PricesUnavailableError(APIException):
    """The prices are kept in Redis, which does not answer."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "Live prices can't be read at the moment; try again in a few seconds."


class PricesView(APIView):
    """Base of what reads prices: turns what can go wrong with them into problems."""

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, state.StateUnavailableError):
            exc = PricesUnavailableError()
        elif isinstance(exc, InvalidWantedError):
            exc = ValidationError(exc.errors)
        return super().handle_exception(exc)


class PriceList(PricesView):
    """The prices of now."""

    @extend_schema(parameters=[SYMBOLS, SOURCE], responses=PricesMessageSerializer, tags=["prices"])
    def get(self, request: Request) -> HttpResponse:
        """Show the newest price of each symbol, with its source and age; what happened; and how the feed is.

        `/ws/prices/` and `/api/prices/stream/` send the same as it changes, each symbol at most once per
        `?interval=` of 1, 5, 10 or 30 seconds.
        """
        wanted = of_texts({name: request.query_params[name] for name in request.query_params})
        now_ms = time.time_ns() // 1_000_000
        picture = _picture(now_ms)
        check(wanted, symbols=picture.symbols, sources=picture.sources)
        body = picture.message(
            "snapshot",
            now_ms,
            symbols=[symbol for symbol in picture.rows if _is_wanted(picture, symbol, wanted)],
            activity=picture.recent(
                lambda entry: wanted.symbols is None or entry.get("symbol") in (None, "", *wanted.symbols)
            ),
            status=True,
        )
        return HttpResponse(body, content_type="application/json")


class PriceHistories(PricesView):
    """The last points of several symbols at once."""

    @extend_schema(parameters=[SYMBOLS], responses=HistorySerializer(many=True), tags=["prices"])
    def get(self, request: Request) -> Response:
        """List the last points of each symbol, oldest first: time in milliseconds and price."""
        wanted = of_texts({"symbols": request.query_params.get("symbols", "")})
        known = state.latest()
        check(wanted, symbols=known, sources=())
        return Response([_history(symbol) for symbol in known if symbol in (wanted.symbols or known)])


class PriceHistory(PricesView):
    """The last points of one symbol."""

    @extend_schema(responses=HistorySerializer, tags=["prices"])
    def get(self, _request: Request, symbol: str) -> Response:
        """Show the last points of a symbol, oldest first: time in milliseconds and price."""
        name = symbol_of(symbol)
        if name is None or not state.latest([name]):
            raise NotFound(f"There are no live prices of {symbol[:40]}.")
        return Response(_history(name))


def _picture(now_ms: int) -> Picture:
    """What is stored, as a viewer would see it."""
    picture = Picture()
    picture.put(state.latest().values(), now_ms)
    picture.add_activity(state.activity())
    picture.recall(state.status())
    picture.update_status(now_ms)
    return picture


def _is_wanted(picture: Picture, symbol: str, wanted: Wanted) -> bool:
    is_chosen = wanted.symbols is None or symbol in wanted.symbols
    return is_chosen and wanted.source in (None, picture.rows[symbol].price.source)


def _history(symbol: str) -> dict[str, Any]:
    return {"symbol": symbol, "points": state.history(symbol)}
