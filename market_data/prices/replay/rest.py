"""A client of the local exchange's REST interface, in the shape of ccxt's exchanges as far as downloads need it.

ccxt itself takes 120 MB and two seconds of a core to load: too much for an embedded stack that has no network.
"""

from typing import Any, cast

import httpx

from market_data.exchanges.connection import Exchange
from market_data.intervals import INTERVAL_MS

TIMEOUT_SECONDS = 10.0


class BaseError(Exception):
    """The exchange refused."""


class NetworkError(BaseError):
    """No answer, or one that says to try again."""


class BadResponse(BaseError):  # noqa: N818 (ccxt's name)
    """An answer that can't be read."""


class BadSymbol(BaseError):  # noqa: N818 (ccxt's name)
    """There is no such symbol."""


class _Errors:
    BaseError, NetworkError, BadResponse, BadSymbol = BaseError, NetworkError, BadResponse, BadSymbol


class _Client:
    """The methods that `market_data.exchanges.connection.Exchange` calls."""

    timeframes = INTERVAL_MS
    has = {"fetchTime": True, "fetchOHLCV": True}  # noqa: RUF012 (ccxt's shape)

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS)
        self.last_response_headers: dict[str, str] = {}

    def load_markets(self, *, reload: bool = False) -> dict[str, dict[str, Any]]:
        """Markets by ccxt's names."""
        found = self._get("exchangeInfo")["symbols"]
        return {market["symbol"]: _as_ccxt(market) for market in found}

    def fetch_time(self) -> int:
        """The exchange's time, milliseconds since 1970."""
        return int(self._get("time")["serverTime"])

    def fetch_ohlcv(self, code: str, interval: str, since: int, limit: int) -> list[list[float]]:
        """Rows of time, prices and volume."""
        query = {"symbol": code, "interval": interval, "startTime": since, "limit": limit}
        return [[int(row[0]), *map(float, row[1:6])] for row in self._get("klines", query)]

    def _get(self, name: str, query: dict[str, Any] | None = None) -> Any:
        try:
            found = self._client.get(f"/api/v3/{name}", params=query)
            self.last_response_headers = dict(found.headers)
            found.raise_for_status()
            return found.json()
        except httpx.HTTPError as error:
            raise NetworkError(str(error)) from error
        except ValueError as error:
            raise BadResponse(str(error)) from error


def _as_ccxt(market: dict[str, Any]) -> dict[str, Any]:
    return {
        "symbol": market["symbol"],
        "base": market["baseAsset"],
        "quote": market["quoteAsset"],
        "spot": True,
        "active": market["status"] == "TRADING",
    }


def open_replay_exchange(url: str) -> Exchange:
    """The local exchange at an address."""
    exchange = Exchange("replay", cast("Any", _Client(url)), _Errors)
    exchange.is_replay = True
    return exchange
