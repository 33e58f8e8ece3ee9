"""The real files, as SOURCES.md describes them, through the importer into the store."""

from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command

from market_data import store
from market_data.derived import derive
from market_data.models import CandleSeries
from market_data.quality import SeriesWarning

FOREVER_MS = 4_000_000_000_000
pytestmark = [pytest.mark.real_candles, pytest.mark.django_db, pytest.mark.once]


@pytest.fixture(autouse=True)
def _candle_files(settings, tmp_path):
    settings.CANDLE_FILES_DIR = tmp_path / "candles"


def expected(candles_dir: Path, folder: str) -> dict[str, tuple[int, int, int, int]]:
    """Candles, gaps, missing candles and candles without volume of each symbol, as SOURCES.md lists them."""
    found: dict[str, tuple[int, int, int, int]] = {}
    for line in (candles_dir / "SOURCES.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if cells and cells[0].startswith(f"{folder}/") and len(cells) == 9:
            gaps, missing = cells[5].split("/")
            found[Path(cells[0]).stem] = (int(cells[4]), int(gaps), int(missing), int(cells[6]))
    return found


@pytest.mark.parametrize(("folder", "interval", "files"), [("spot_1h", "1h", 76), ("spot_1d", "1d", 73)])
def test_every_file_of_a_folder_is_imported_with_its_gaps_counted(candles_dir, folder, interval, files):
    call_command("import_candles", str(candles_dir / folder), stdout=StringIO())
    series = CandleSeries.objects.filter(interval=interval).select_related("cryptocurrency")
    counted = {
        row.cryptocurrency.symbol: (row.candle_count, row.gap_count, row.missing_count, row.zero_volume_count)
        for row in series
    }
    wanted = expected(candles_dir, folder)
    assert len(wanted) == files
    if "LUNAUSDT" in wanted:
        assert wanted.pop("LUNAUSDT") == (28977, 11, 457, 2)
        assert counted.pop("LUNAUSDT.202205") == (15092, 9, 19, 1)
        assert counted.pop("LUNAUSDT") == (13885, 1, 1, 1)  # and the hole between the coins: 437
    assert counted == wanted


def test_native_days_equal_those_made_of_hours(candles_dir):
    for folder in ("spot_1h", "spot_1d"):
        call_command("import_candles", str(candles_dir / folder), stdout=StringIO())
    exceptions: list[str] = []
    shared = 0
    for native in CandleSeries.objects.filter(interval="1d").select_related("cryptocurrency"):
        hours = CandleSeries.objects.filter(interval="1h", cryptocurrency=native.cryptocurrency).first()
        derived = None if hours is None else derive(hours, "1d")
        if derived is None:
            continue
        one, other = (store.load_candles(series, 0, FOREVER_MS) for series in (native, derived))
        days, at, other_at = np.intersect1d(one.open_time_ms, other.open_time_ms, return_indices=True)
        shared += len(days)
        differs = ~np.isclose(one.volume[at], other.volume[other_at], rtol=1e-6)
        for name in ("open", "high", "low", "close"):
            differs |= getattr(one, name)[at] != getattr(other, name)[other_at]
        names = days[differs].astype("datetime64[ms]").astype("datetime64[D]").astype(str)
        exceptions += [f"{native.cryptocurrency.symbol} {day}" for day in names]
    assert shared == 89_721
    assert sorted(exceptions) == ["ONEUSDT 2020-01-02", "STXUSDT 2020-04-22"], "the open of the day differs"


def test_importing_twice_changes_nothing(candles_dir):
    path = str(candles_dir / "spot_1h" / "SEIUSDT.parquet")
    for _ in range(2):
        call_command("import_candles", path, stdout=StringIO())
    assert CandleSeries.objects.get().version == 1


def warnings_of(candles_dir: Path, symbol: str) -> list[SeriesWarning]:
    call_command("import_candles", str(candles_dir / "spot_1h" / f"{symbol}.parquet"), stdout=StringIO())
    series = CandleSeries.objects.get(cryptocurrency__symbol=symbol)
    return store.warnings_between(series, 0, 2_000_000_000_000)


def test_the_halt_of_ftt_is_a_warning(candles_dir):
    (halt,) = warnings_of(candles_dir, "FTTUSDT")
    assert (halt["code"], halt["missing_count"]) == ("halt", 7467)
    assert "311 days" in halt["message"]


def test_the_second_coin_called_luna_is_a_warning(candles_dir):
    reused = [
        warning for warning in warnings_of(candles_dir, "LUNAUSDT") if warning["code"] == "reused_symbol"
    ]
    assert [(warning["missing_count"], round(warning["factor"])) for warning in reused] == [(437, 171_116)]


def test_the_series_of_most_coins_needs_no_warning(candles_dir):
    for symbol in ("BTC", "ETH", "SAND", "KLAY", "DOGE", "HBAR", "UNI", "SHIB", "FTT", "LUNA", "LUNC"):
        call_command(
            "import_candles", str(candles_dir / "spot_1h" / f"{symbol}USDT.parquet"), stdout=StringIO()
        )
    warned = CandleSeries.objects.exclude(warnings=[]).values_list("cryptocurrency__symbol", flat=True)
    assert sorted(warned) == ["FTTUSDT", "LUNAUSDT", "LUNAUSDT.202205"]
