"""Files that can't be imported: each gets one clear sentence, and nothing of it is stored."""

import gzip
import io
import zipfile
from io import StringIO
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest
from django.core.management import CommandError, call_command

from market_data.errors import FileRefusedError
from market_data.importers import containers, tables
from market_data.importers.importing import ImportOptions, import_file
from market_data.models import CandleSeries, Cryptocurrency

pytestmark = pytest.mark.django_db
HEADER = "date,open,high,low,close,volume\n"
GOOD = (
    "2024-01-01 00:00:00,10,12,9,11,5\n2024-01-01 01:00:00,11,12,10,11,5\n2024-01-01 02:00:00,11,12,10,11,5\n"
)
LINE_3 = "2024-01-01 01:00:00,11,12,10,11,5"


def table(line_3: str, header: str = HEADER) -> str:
    return header + GOOD.replace(LINE_3, line_3)


def parquet(**columns: object) -> bytes:
    file = io.BytesIO()
    times = pd.date_range("2024-01-01", periods=3, freq="h")
    pa_parquet.write_table(pa.table({"date": times, **columns}), file)
    return file.getvalue()


def zipped(text: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("BTCUSDT.csv", text)
    return file.getvalue()


def zipped_as(at: int, value: int) -> bytes:
    """An archive with another value in its member's description: 8 is its flags, 10 how it is packed."""
    data = bytearray(zipped((HEADER + GOOD).encode()))
    data[data.index(b"PK\x01\x02") + at] = value
    return bytes(data)


def archive(**files: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return file.getvalue()


NUMBERS = {name: [1.0, 1.0, 1.0] for name in ("open", "high", "low", "close", "volume")}
BAD: dict[str, tuple[str, str | bytes, str]] = {
    "empty": ("BTCUSDT.csv", "", "BTCUSDT.csv is empty."),
    "blank": ("BTCUSDT.csv", "\n \n", "BTCUSDT.csv is empty."),
    "a header alone": ("BTCUSDT.csv", HEADER, "BTCUSDT.csv holds no candles."),
    "a wrong delimiter": (
        "BTCUSDT.csv",
        (HEADER + GOOD).replace(",", "#"),
        "no line with at least 6 fields separated by",
    ),
    "an unknown column": (
        "BTCUSDT.csv",
        table(LINE_3, HEADER.replace("close", "fin")),
        "has no column for 'close'; it has date, open",
    ),
    "an unknown layout": (
        "BTCUSDT.csv",
        "1,2,3,4,5,6,7,8,9\n" * 3,
        "BTCUSDT.csv, line 1: 9 values and no header",
    ),
    "a row that is too short": ("BTCUSDT.csv", table("2024-01-01 01:00:00,11"), "Expected 6 columns, got 2"),
    "mixed time zones": (
        "BTCUSDT.csv",
        table("2024-01-01 01:00:00+02:00,11,12,10,11,5"),
        "line 3, column 'date': the time '2024-01-01 01:00:00+02:00' has another zone",
    ),
    "two time zones": (
        "BTCUSDT.csv",
        HEADER + "2024-01-01 00:00:00+01:00,10,12,9,11,5\n2024-01-01 01:00:00+02:00,10,12,9,11,5",
        "line 3, column 'date': the time '2024-01-01 01:00:00+02:00' has another zone",
    ),
    "a date that is none": (
        "BTCUSDT.csv",
        table("2024-13-01 01:00:00,11,12,10,11,5"),
        "line 3, column 'date': the time '2024-13-01 01:00:00' is not written like the others",
    ),
    "days before months": (
        "BTCUSDT.csv",
        table(LINE_3).replace("2024-01-01", "01/01/2024"),
        "line 2, column 'date': the time '01/01/2024 00:00:00' is neither ISO 8601",
    ),
    "a missing time": ("BTCUSDT.csv", table(",11,12,10,11,5"), "line 3, column 'date'"),
    "a time long ago": (
        "BTCUSDT.csv",
        table(LINE_3).replace("2024-", "1970-"),
        "line 2, column 'date': 1970-01-01 00:00:00 is not between 2008 and 2099",
    ),
    "a price as text": (
        "BTCUSDT.csv",
        table("2024-01-01 01:00:00,11,12,ten,11,5"),
        "BTCUSDT.csv, line 3, column 'low': 'ten' is not a number.",
    ),
    "a price that only Python reads": (
        "BTCUSDT.csv",
        table("2024-01-01 01:00:00,11,1_2,10,11,5"),
        "BTCUSDT.csv, line 3, column 'high': '1_2' is not a number.",
    ),
    "a missing price": (
        "BTCUSDT.csv",
        table("2024-01-01 01:00:00,11,12,,11,5"),
        "line 3, column 'low': '' is not a number.",
    ),
    "infinity": (
        "BTCUSDT.csv",
        table("2024-01-01 01:00:00,11,inf,10,11,5"),
        "line 3, column 'high': high must be positive and finite: inf.",
    ),
    "nan": (
        "BTCUSDT.csv",
        table("2024-01-01 01:00:00,11,nan,10,11,5"),
        "line 3, column 'high': high must be positive and finite: nan.",
    ),
    "a price of zero": (
        "BTCUSDT.csv",
        table("2024-01-01 01:00:00,11,12,0,11,5"),
        "line 3, column 'low': low must be positive and finite: 0.0.",
    ),
    "a negative volume": (
        "BTCUSDT.csv",
        table("2024-01-01 01:00:00,11,12,10,11,-5"),
        "line 3, column 'volume': volume must be finite and not negative",
    ),
    "a high below the open": (
        "BTCUSDT.csv",
        table("2024-01-01 01:00:00,11,10.5,10,10,5"),
        "line 3, column 'high': high must not be below open or close: 10.5.",
    ),
    "two candles at one time": (
        "BTCUSDT.csv",
        table("2024-01-01 00:00:00,11,12,10,11,6"),
        "line 3: a second, different candle at 2024-01-01 00:00 UTC; the first is in line 2.",
    ),
    "no symbol": (
        "candles.csv",
        HEADER + GOOD,
        "candles.csv: no cryptocurrency in the file's name and no column for it",
    ),
    "two symbols": ("BTCUSDT_ETHUSDT.csv", HEADER + GOOD, "no cryptocurrency in the file's name"),
    "a strange symbol": (
        "candles.csv",
        "symbol," + HEADER + "../etc," + GOOD.replace("\n", "\n../etc,").removesuffix("../etc,"),
        "'../etc' is no symbol",
    ),
    "an unknown interval": (
        "BTCUSDT.csv",
        (HEADER + GOOD).replace("01:00:00", "00:07:00").replace("02:00:00", "00:14:00"),
        "the candles have none of the intervals",
    ),
    "candles off the grid": (
        "BTCUSDT.csv",
        (HEADER + GOOD).replace(":00:00", ":17:00"),
        "one opens at 2024-01-01 00:17",
    ),
    "a web page": (
        "BTCUSDT.csv",
        "<!DOCTYPE html><html><body>404</body></html>",
        "is a web page, not candles",
    ),
    "a web page that begins with a remark": (
        "BTCUSDT.csv",
        "<!-- 1 --><html>404</html>",
        "is a web page, not candles",
    ),
    "a web page, zipped": (
        "BTCUSDT.csv.gz",
        gzip.compress(b"<html>404</html>"),
        "is a web page, not candles",
    ),
    "a truncated gzip": (
        "BTCUSDT.csv.gz",
        gzip.compress((HEADER + GOOD).encode())[:-12],
        "BTCUSDT.csv.gz is cut off or damaged inside its packing",
    ),
    "a truncated zip": (
        "BTCUSDT.zip",
        zipped(HEADER.encode() + GOOD.encode())[:150],
        "cut off or damaged zip archive",
    ),
    "a zip with a password": ("BTCUSDT.zip", zipped_as(8, 1), "BTCUSDT.csv' is encrypted, password required"),
    "a zip packed in a rare way": ("BTCUSDT.zip", zipped_as(10, 9), "compression method is not supported"),
    "a zip whose parts are elsewhere": (
        "BTCUSDT.zip",
        zipped_as(42, 7),
        "can't be unpacked: Bad magic number",
    ),
    "a zip without tables": ("BTCUSDT.zip", archive(**{"__MACOSX/x": "y"}), "BTCUSDT.zip holds 0 files"),
    "a zip of too many files": (
        "BTCUSDT.zip",
        archive(**{f"C{number}USDT.csv": HEADER for number in range(2001)}),
        "BTCUSDT.zip holds 2,001 files; an archive may hold 1 to 2,000.",
    ),
    "a truncated parquet": (
        "BTCUSDT.parquet",
        parquet(**NUMBERS)[:-100],
        "BTCUSDT.parquet is a damaged or cut off parquet file",
    ),
    "parquet with wrong types": (
        "BTCUSDT.parquet",
        parquet(**(NUMBERS | {"low": ["x", "y", "z"]})),
        "BTCUSDT.parquet, row 1, column 'low': 'x' is not a number.",
    ),
    "parquet with lists": (
        "BTCUSDT.parquet",
        parquet(**(NUMBERS | {"low": [[1.0], [1.0], [1.0]]})),
        "row 1, column 'low'",
    ),
    "parquet with a null": (
        "BTCUSDT.parquet",
        parquet(**(NUMBERS | {"low": [1.0, None, 1.0]})),
        "row 2, column 'low': None is not a number.",
    ),
    "a price as text in json": (
        "BTCUSDT.json",
        '[[1704067200000,1,1,1,1,1],[1704070800000,1,1,"ten",1,1]]',
        "BTCUSDT.json, row 2, column 'low': 'ten' is not a number.",
    ),
    "a price as a list in json": (
        "BTCUSDT.json",
        '[{"t":1704067200000,"o":1,"h":1,"l":1,"c":1,"v":1},{"t":1704070800000,"o":1,"h":1,"l":[1],"c":1,"v":1}]',
        "BTCUSDT.json, row 2, column 'l': '[1]' is not a number.",
    ),
    "a missing price in json": (
        "BTCUSDT.json",
        '[{"t":1704067200000,"o":1,"h":1,"l":1,"c":1,"v":1},{"t":1704070800000,"o":1,"h":1,"c":1,"v":1}]',
        "BTCUSDT.json, row 2, column 'l': None is not a number.",
    ),
    "json columns of two lengths": (
        "BTCUSDT.json",
        '{"t":[1704067200000],"o":[1,2]}',
        "BTCUSDT.json is a damaged",
    ),
    "broken json": ("BTCUSDT.json", "[[1704067200000, 1, 1, 1", "BTCUSDT.json is no valid JSON"),
    "json of something else": ("BTCUSDT.json", '{"error": "rate limit"}', "holds no list of candles"),
    "json rows of two lengths": (
        "BTCUSDT.json",
        "[[1704067200000,1,1,1,1,1],[1704070800000,1,1,1,1,1,1]]",
        "rows of 6 to 7 values",
    ),
    "bytes": ("BTCUSDT.csv", b"\x00\x01\x02" * 100, "neither Parquet, Feather, JSON nor text"),
}


@pytest.mark.parametrize(("name", "data", "message"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_with_one_sentence(tmp_path, name, data, message):
    path = tmp_path / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    with pytest.raises(FileRefusedError) as refused:
        import_file(path, ImportOptions())
    assert message in str(refused.value)
    assert name in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not CandleSeries.objects.exists()
    assert not Cryptocurrency.objects.exists()


@pytest.mark.parametrize("pack", [gzip.compress, zipped])
def test_an_archive_that_grows_without_end_is_refused_before_it_fills_memory(tmp_path, monkeypatch, pack):
    monkeypatch.setattr(containers, "UNSUSPICIOUS_BYTES", 300_000)
    monkeypatch.setattr(tables, "CSV_BLOCK_BYTES", 100_000)
    hours = pd.date_range("2024-01-01", periods=20_000, freq="h").strftime("%Y-%m-%d %H:%M:%S")
    text = HEADER + "\n".join(f"{hour},{'0' * 400}11,12,10,11,5" for hour in hours)
    path = tmp_path / "BTCUSDT.zip"
    path.write_bytes(pack(text.encode()))
    monkeypatch.setattr(containers, "MOST_TIMES_LARGER", 20)
    with pytest.raises(FileRefusedError, match="unpacks to over 20 times its size"):
        import_file(path, ImportOptions())
    assert not CandleSeries.objects.exists()


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileRefusedError, match=r"BTCUSDT.csv can't be read: No such file"):
        import_file(tmp_path / "BTCUSDT.csv", ImportOptions())


def test_a_bad_file_does_not_hold_up_the_others(tmp_path):
    for symbol, text in (("AUSDT", HEADER + GOOD), ("BUSDT", "nonsense"), ("CUSDT", HEADER + GOOD)):
        (tmp_path / f"{symbol}.csv").write_text(text)
    out, err = StringIO(), StringIO()
    with pytest.raises(CommandError, match="1 of 3 refused"):
        call_command("import_candles", str(tmp_path), stdout=out, stderr=err)
    assert sorted(Cryptocurrency.objects.values_list("symbol", flat=True)) == ["AUSDT", "CUSDT"]
    assert "2/3 refused: BUSDT.csv" in err.getvalue()
    assert "Imported 6 candles from 2 of 3 files." in out.getvalue()


def test_a_terminal_shows_how_far_an_import_is(tmp_path):
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    (tmp_path / "AUSDT.csv").write_text(HEADER + GOOD)
    out = Terminal()
    call_command("import_candles", str(tmp_path), stdout=out)
    assert f"1/1 AUSDT.csv {'█' * 10}{'░' * 10}  50% checking\r" in out.getvalue()
    assert f"1/1 AUSDT.csv {'█' * 20} 100% storing" in out.getvalue()
    assert "\r\x1b[K1/1 AUSDT 1h: 3 candles" in out.getvalue()


def test_a_folder_without_files_is_an_error(tmp_path: Path):
    with pytest.raises(CommandError, match="No files there"):
        call_command("import_candles", str(tmp_path), stdout=StringIO())
