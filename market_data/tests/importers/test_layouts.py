"""Files as exchanges and tools write them, each with the same five hours of candles."""

import gzip
import io
import itertools
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import orjson
import pandas as pd
import pytest

from market_data.candles import Candles
from market_data.errors import FileRefusedError
from market_data.importers import importing, json_rows
from market_data.importers.containers import contents
from market_data.importers.importing import Imported, ImportOptions, import_file
from market_data.models import CandleSeries
from market_data.store import load_candles
from market_data.tests.candle_maker import make_candles, same

pytestmark = pytest.mark.django_db
CANDLES = make_candles(5)
FOREVER_MS = 4_000_000_000_000


@pytest.fixture(autouse=True)
def _candle_files(settings, tmp_path):
    settings.CANDLE_FILES_DIR = tmp_path / "candles"


def rows(candles: Candles = CANDLES) -> list[tuple[int, float, float, float, float, float]]:
    columns = (candles.open_time_ms, candles.open, candles.high, candles.low, candles.close, candles.volume)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def iso(time_ms: int, pattern: str = "%Y-%m-%d %H:%M:%S") -> str:
    return pd.Timestamp(time_ms, unit="ms").strftime(pattern)


def lines(make: Callable[..., str], *header: str, newest_first: bool = False) -> str:
    body = [make(*row) for row in rows()]
    return "\n".join([*header, *(reversed(body) if newest_first else body)])


def frame() -> pd.DataFrame:
    return pd.DataFrame(rows(), columns=["date", "open", "high", "low", "close", "volume"]).assign(
        date=lambda table: pd.to_datetime(table["date"], unit="ms", utc=True)
    )


def parquet() -> bytes:
    file = io.BytesIO()
    frame().to_parquet(file)
    return file.getvalue()


def feather() -> bytes:
    file = io.BytesIO()
    frame().to_feather(file)
    return file.getvalue()


def indexed_parquet() -> bytes:
    file = io.BytesIO()
    frame().set_index("date").rename_axis(None).to_parquet(file)
    return file.getvalue()


def zipped(name: str, data: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return file.getvalue()


def kline(factor: int = 1) -> str:
    return lines(
        lambda t, o, h, low, c, v: f"{t * factor},{o},{h},{low},{c},{v},{t + 3599999},{v * c},7,1,1,0"
    )


PLAIN = lines(
    lambda t, *numbers: ",".join([iso(t), *map(str, numbers)]), "datetime,open,high,low,close,volume"
)
FILES: dict[str, tuple[str, str | bytes, str]] = {
    "columns": ("BTCUSDT.csv", PLAIN, "columns"),
    "columns in another order and case": (
        "BTCUSDT.csv",
        lines(
            lambda t, o, h, low, c, v: f"{v},{c},{low},{h},{o},{iso(t)}", "Volume,CLOSE,Low,High,Open,Date"
        ),
        "columns",
    ),
    "semicolons and a byte order mark": ("BTCUSDT.csv", "\ufeff" + PLAIN.replace(",", ";"), "columns"),
    "tabs": ("BTCUSDT.txt", PLAIN.replace(",", "\t"), "columns"),
    "windows line ends": ("BTCUSDT.csv", PLAIN.replace("\n", "\r\n") + "\r\n", "columns"),
    "quotes": (
        "BTCUSDT.csv",
        "\n".join(f'"{line.replace(",", chr(34) + "," + chr(34))}"' for line in PLAIN.split("\n")),
        "columns",
    ),
    "iso 8601 with T and Z": (
        "BTCUSDT.csv",
        lines(
            lambda t, *n: ",".join([iso(t, "%Y-%m-%dT%H:%M:%S.000Z"), *map(str, n)]),
            "time,open,high,low,close,volume",
        ),
        "columns",
    ),
    "a zone of its own": (
        "BTCUSDT.csv",
        lines(lambda t, *n: ",".join([iso(t + 19_800_000) + "+05:30", *map(str, n)]), "time,o,h,l,c,v"),
        "columns",
    ),
    "epoch seconds": (
        "BTCUSDT.csv",
        lines(lambda t, *n: ",".join([str(t // 1000), *map(str, n)]), "unix,o,h,l,c,v"),
        "columns",
    ),
    "epoch seconds as decimals": (
        "BTCUSDT.csv",
        lines(
            lambda t, *n: ",".join([f"{t / 1000:.1f}", *map(str, n)]), "timestamp,open,high,low,close,volume"
        ),
        "columns",
    ),
    "epoch nanoseconds": (
        "BTCUSDT.csv",
        lines(lambda t, *n: ",".join([f"{t}000000", *map(str, n)]), "unix,o,h,l,c,v"),
        "columns",
    ),
    "binance, milliseconds": ("BTCUSDT-1h-2024-01.csv", kline(), "binance"),
    "binance, microseconds": ("BTCUSDT-1h-2025-01.csv", kline(1000), "binance"),
    "binance, zipped": ("BTCUSDT-1h-2024-01.zip", zipped("BTCUSDT-1h-2024-01.csv", kline()), "binance"),
    "binance with a header": (
        "BTCUSDT-1h.csv",
        "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker,taker_quote,ignore\n"
        + kline(),
        "binance",
    ),
    "cryptodatadownload": (
        "Binance_BTCUSDT_1h.csv",
        lines(
            lambda t, o, h, low, c, v: f"{t},{iso(t)},BTCUSDT,{o},{h},{low},{c},{v},{v * c},99",
            "https://www.CryptoDataDownload.com",
            "Unix,Date,Symbol,Open,High,Low,Close,Volume BTC,Volume USDT,tradecount",
            newest_first=True,
        ),
        "cryptodatadownload",
    ),
    "cryptodatadownload, old": (
        "Coinbase_BTCUSDT_1h.csv",
        lines(
            lambda t, o, h, low, c, v: f"{iso(t, '%Y-%m-%d %I-%p')},BTCUSDT,{o},{h},{low},{c},{v},{v * c}",
            "Timestamps are UTC timezone,https://www.CryptoDataDownload.com",
            "date,symbol,open,high,low,close,volume_btc,volume",
            newest_first=True,
        ),
        "cryptodatadownload",
    ),
    "yahoo": (
        "BTC-USDT.csv",
        lines(
            lambda t, o, h, low, c, v: f"{iso(t)},{o},{h},{low},{c},{c},{v}",
            "Date,Open,High,Low,Close,Adj Close,Volume",
        ),
        "yahoo",
    ),
    "bybit": (
        "bybit_BTCUSDT_1h.csv",
        lines(
            lambda t, *n: ",".join([str(t), *map(str, n), "1.5"]),
            "timestamp,open,high,low,close,volume,turnover",
        ),
        "bybit",
    ),
    "kraken": (
        "BTCUSDT_60.csv",
        lines(lambda t, *n: ",".join([str(t // 1000), *map(str, n), "12"])),
        "kraken",
    ),
    "freqtrade json": ("BTC_USDT-1h.json", orjson.dumps(rows()), "rows"),
    "freqtrade feather": ("BTC_USDT-1h.feather", feather(), "columns"),
    "objects": (
        "BTCUSDT.json",
        orjson.dumps(frame().assign(date=frame()["date"].astype(str)).to_dict("records")),
        "columns",
    ),
    "objects, one a line": (
        "BTCUSDT.jsonl",
        b"\n".join(orjson.dumps(dict(zip("tohlcv", row, strict=True))) for row in rows()),
        "columns",
    ),
    "parquet": ("BTCUSDT.parquet", parquet(), "columns"),
    "parquet with an index": ("BTCUSDT.parquet", indexed_parquet(), "columns"),
    "gzip": ("BTCUSDT.csv.gz", gzip.compress(PLAIN.encode()), "columns"),
    "gzip without the ending": ("BTCUSDT.csv", gzip.compress(PLAIN.encode()), "columns"),
    "parquet with a wrong ending": ("BTCUSDT.csv", parquet(), "columns"),
    "a column for the symbol": (
        "candles.csv",
        lines(
            lambda t, *n: ",".join(["btc/usdt", iso(t), *map(str, n)]), "pair,date,open,high,low,close,volume"
        ),
        "columns",
    ),
}


def put(folder: Path, name: str, data: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@pytest.mark.parametrize(("name", "data", "make"), FILES.values(), ids=FILES)
def test_a_file_of_any_make_gives_the_same_candles(tmp_path, name, data, make):
    (found,) = import_file(put(tmp_path, name, data), ImportOptions())
    assert (found.symbol, found.interval, found.layout, found.candle_count) == ("BTCUSDT", "1h", make, 5)
    assert same(load_candles(CandleSeries.objects.get(), 0, FOREVER_MS), CANDLES)


def test_a_dry_run_tells_what_is_found_and_stores_nothing(tmp_path):
    path = put(tmp_path, "Coinbase_BTCUSDT_1h.csv", FILES["cryptodatadownload, old"][1])
    (found,) = import_file(path, ImportOptions(), dry_run=True)
    assert isinstance(found, Imported)
    assert found.columns == {
        "time": "date",
        "open": "open",
        "high": "high",
        "low": "low",
        "close": "close",
        "volume": "volume_btc",
    }
    assert (found.written_as, dict(found.repairs)) == ("%Y-%m-%d %I-%p", {"reordered": 5})
    assert found.series == []
    assert not CandleSeries.objects.exists()


def test_what_is_recognised_can_be_overridden(tmp_path):
    text = PLAIN.replace("datetime,", "when,").replace("volume", "size")
    path = put(tmp_path, "candles.csv", text)
    options = ImportOptions(
        source="mine", symbol="ETHUSDT", interval="30m", columns={"time": "when", "volume": "size"}
    )
    (found,) = import_file(path, options)
    assert (found.symbol, found.interval) == ("ETHUSDT", "30m")
    assert CandleSeries.objects.get().source == "mine"


def test_one_file_may_hold_many_cryptocurrencies(tmp_path):
    text = "\n".join(
        ["symbol,date,open,high,low,close,volume"]
        + [",".join([symbol, iso(t), *map(str, n)]) for t, *n in rows() for symbol in ("BTCUSDT", "ETHUSDT")]
    )
    found = import_file(put(tmp_path, "market.csv", text), ImportOptions())
    assert [(part.symbol, part.candle_count) for part in found] == [("BTCUSDT", 5), ("ETHUSDT", 5)]


def test_every_table_in_an_archive_is_imported(tmp_path):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("data/BTCUSDT.csv", PLAIN)
        archive.writestr("data/ETHUSDT.csv", PLAIN)
    found = import_file(put(tmp_path, "market.zip", file.getvalue()), ImportOptions())
    assert [part.symbol for part in found] == ["BTCUSDT", "ETHUSDT"]


@pytest.mark.parametrize("kept", [0, 700, 10_000])
@pytest.mark.parametrize("compress", [lambda data: data, gzip.compress])
def test_a_file_of_many_batches_gives_the_same_candles(tmp_path, monkeypatch, compress, kept):
    candles = make_candles(3000)
    monkeypatch.setattr("market_data.importers.tables.CSV_BLOCK_BYTES", 8192)
    monkeypatch.setattr("market_data.importers.importing.KEPT_ROWS", kept)
    text = "time,o,h,l,c,v\n" + "\n".join(",".join(map(str, row)) for row in reversed(rows(candles)))
    (found,) = import_file(put(tmp_path, "BTCUSDT.csv", compress(text.encode())), ImportOptions())
    assert found.candle_count == 3000
    assert same(load_candles(CandleSeries.objects.get(), 0, FOREVER_MS), candles)


OBJECTS = [dict(zip("tohlcv", row, strict=True)) for row in rows(make_candles(3000))]
JSON = {
    "arrays": orjson.dumps(rows(make_candles(3000))),
    "arrays with blanks": json.dumps(rows(make_candles(3000)), indent=1).encode(),
    "objects": orjson.dumps(OBJECTS),
    "objects with a mark in front": b"\xef\xbb\xbf" + orjson.dumps(OBJECTS),
    "objects one a line": b"\n".join(map(orjson.dumps, OBJECTS)),
    "arrays in an object": orjson.dumps({"pair": "BTC/USDT", "data": rows(make_candles(3000)), "more": [1]}),
}


@pytest.mark.parametrize("compress", [lambda data: data, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("data", JSON.values(), ids=JSON)
def test_a_large_json_file_is_read_some_rows_at_a_time(tmp_path, monkeypatch, data, compress):
    monkeypatch.setattr(json_rows, "WHOLE_BYTES", 1000)
    monkeypatch.setattr(json_rows, "BLOCK_BYTES", 5000)
    path = put(tmp_path, "BTCUSDT.json", compress(data))
    batches = [batch for content in contents(path) for batch in importing.read_rows(content)]
    assert len(batches) > 20
    ends = itertools.accumulate(len(batch.table) for batch in batches)
    assert [batch.first_row for batch in batches[1:]] == [1 + end for end in ends][:-1]
    (found,) = import_file(path, ImportOptions())
    assert found.candle_count == 3000
    assert same(load_candles(CandleSeries.objects.get(), 0, FOREVER_MS), make_candles(3000))


def test_a_bad_row_in_a_large_json_file_is_named_and_nothing_stored(tmp_path, monkeypatch):
    monkeypatch.setattr(json_rows, "WHOLE_BYTES", 1000)
    monkeypatch.setattr(json_rows, "BLOCK_BYTES", 5000)
    values = [list(row) for row in rows(make_candles(3000))]
    good = orjson.dumps(values)
    values[2990][3] = -1.0
    with pytest.raises(FileRefusedError, match=r"BTCUSDT.json, row 2991, column 'low': low must be positive"):
        import_file(put(tmp_path, "BTCUSDT.json", orjson.dumps(values)), ImportOptions())
    for cut in (b"", b"]", b',{"x":1}]'):
        with pytest.raises(FileRefusedError, match=r"no valid JSON"):
            import_file(put(tmp_path, "BTCUSDT.json", good[:-40] + cut), ImportOptions())
    columns = {name: [row[at] for row in values] for at, name in enumerate("tohlcv")}
    with pytest.raises(FileRefusedError, match="large JSON file without a list of rows; convert it"):
        import_file(put(tmp_path, "BTCUSDT.json", orjson.dumps(columns)), ImportOptions())
    assert not CandleSeries.objects.exists()


def test_progress_grows_from_nothing_to_all(tmp_path, monkeypatch):
    monkeypatch.setattr("market_data.importers.tables.CSV_BLOCK_BYTES", 8192)
    text = "time,o,h,l,c,v\n" + "\n".join(",".join(map(str, row)) for row in rows(make_candles(3000)))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("BTCUSDT.csv", text)
        packed.writestr("ETHUSDT.csv", text)
    said: list[tuple[float, str]] = []
    import_file(
        put(tmp_path, "two.zip", archive.getvalue()),
        ImportOptions(),
        progress=lambda *step: said.append(step),
    )
    shares = [share for share, _ in said]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(said) > 20
    assert [share <= 0.5 for share, step in said if step == "checking"] == [True] * (len(said) // 2)
    assert {step for share, step in said if share > 0.5} == {"storing"}


def test_the_tables_of_an_archive_share_the_rows_that_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("market_data.importers.importing.KEPT_ROWS", 7)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        for symbol in ("AUSDT", "BUSDT", "CUSDT"):
            packed.writestr(f"{symbol}.csv", PLAIN)
    read: list[str] = []
    opened = importing.read_rows
    monkeypatch.setattr(importing, "read_rows", lambda content: read.append(content.stem) or opened(content))
    import_file(put(tmp_path, "three.zip", archive.getvalue()), ImportOptions())
    assert read == ["AUSDT", "BUSDT", "CUSDT", "BUSDT", "CUSDT"]
    assert CandleSeries.objects.filter(candle_count=5).count() == 3


def test_a_bad_row_in_the_last_of_many_batches_stores_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("market_data.importers.tables.CSV_BLOCK_BYTES", 8192)
    body = [",".join(map(str, row)) for row in rows(make_candles(3000))]
    body[2990] = body[2990].replace(body[2990].split(",")[1], "1e400")
    path = put(tmp_path, "BTCUSDT.csv", "time,o,h,l,c,v\n" + "\n".join(body))
    with pytest.raises(Exception, match=r"BTCUSDT.csv, line 2992, column 'o'"):
        import_file(path, ImportOptions())
    assert not CandleSeries.objects.exists()
