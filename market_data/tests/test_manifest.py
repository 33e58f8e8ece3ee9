import numpy as np
import pytest

from market_data import manifest as manifests
from market_data.manifest import RECORD, ChunkRange

JANUARY = 648  # 2024-01
DAY_MS = 86_400_000


def months(*counts: int) -> manifests.Manifest:
    """Records of months of 30 daily candles and so on, one a row, from January 2024 on."""
    first = 1_704_067_200_000
    records = [
        (
            JANUARY + number,
            count,
            first + number * 31 * DAY_MS,
            first + (number * 31 + count - 1) * DAY_MS,
            number,
            0,
            0,
            0,
            1.0,
        )
        for number, count in enumerate(counts)
    ]
    return np.array(records, dtype=RECORD)


def test_months_follow_the_calendar_in_utc():
    times = np.array([1_706_745_599_999, 1_706_745_600_000, 0], dtype=np.int64)
    assert manifests.months_of(times).tolist() == [JANUARY, JANUARY + 1, 0]
    assert manifests.month_name(JANUARY) == "2024-01"


@pytest.mark.parametrize(
    ("start_day", "end_day", "warm_up_bars", "touched"),
    [
        (0, 31, 0, (0, 1)),
        (0, 32, 0, (0, 2)),
        (31, 62, 0, (1, 2)),
        (31, 62, 1, (0, 2)),
        (62, 93, 31, (1, 3)),
        (62, 93, 32, (0, 3)),
        (62, 93, 1000, (0, 3)),
        (500, 600, 0, (3, 3)),
        (500, 600, 5, (2, 3)),
    ],
)
def test_a_range_touches_its_months_and_those_of_its_warm_up(start_day, end_day, warm_up_bars, touched):
    records = months(31, 31, 31)
    start = int(records["first_ms"][0])
    chunks = manifests.touched(records, start + start_day * DAY_MS, start + end_day * DAY_MS, warm_up_bars)
    assert chunks == ChunkRange(*touched)


def test_a_fingerprint_covers_the_touched_months_alone():
    one, other = months(31, 31, 31), months(31, 31, 31)
    other["checksum"][2] = 99
    assert manifests.fingerprint(one, ChunkRange(0, 2)) == manifests.fingerprint(other, ChunkRange(0, 2))
    assert manifests.fingerprint(one, ChunkRange(0, 3)) != manifests.fingerprint(other, ChunkRange(0, 3))
    assert manifests.fingerprint(one, ChunkRange(0, 2)) != manifests.fingerprint(one, ChunkRange(1, 2))


def test_gaps_between_months_are_counted():
    assert manifests.gaps_between_months(months(31, 29, 31), DAY_MS) == (1, 2)
