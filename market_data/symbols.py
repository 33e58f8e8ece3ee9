"""How a cryptocurrency is named: `BTCUSDT`, from whatever a file or an exchange calls it."""

import re

QUOTES = (
    "USDT",
    "USDC",
    "FDUSD",
    "BUSD",
    "TUSD",
    "USDP",
    "DAI",
    "USD",
    "EUR",
    "GBP",
    "TRY",
    "BRL",
    "JPY",
    "AUD",
    "BTC",
    "ETH",
    "BNB",
)
"""Currencies that prices are counted in; a longer name comes before one it ends with."""
SYMBOL = re.compile(r"[A-Z0-9]{2,30}(?:\.[A-Z0-9]{1,8})?")
_SEPARATORS = re.compile(r"[-_/: ]+")


def split_symbol(symbol: str) -> tuple[str, str]:
    """Base and quote of a symbol: `("BTC", "USDT")`; an unknown quote stays with the base and is empty."""
    plain = symbol.partition(".")[0]
    for quote in QUOTES:
        if plain.endswith(quote) and len(plain) > len(quote):
            return plain[: -len(quote)], quote
    return plain, ""


def symbol_of(name: str) -> str | None:
    """The symbol in a name like `btc-usdt`, `BTC/USDT` or `BTCUSDT`; None when it can't be one."""
    symbol = _SEPARATORS.sub("", name).upper()
    return symbol if SYMBOL.fullmatch(symbol) else None
