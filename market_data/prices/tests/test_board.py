"""Which price is believed and shown, as a table of what the sources say."""

import time
from dataclasses import dataclass

import pytest

from market_data.prices.board import Board, Verdict
from market_data.prices.sources.protocol import Tick, now_ms
from market_data.prices.tests.price_maker import make_price
from market_data.prices.tuning import Tuning

PRIMARY, SECONDARY, TERTIARY = 0, 1, 2


@dataclass(frozen=True)
class Named:
    """A source of which only the name matters."""

    name: str
    series_source: str | None = None
    is_replay: bool = False
    stall_seconds: float = 3.0
    late_seconds: float = 0.0

    def events(self, *_: object) -> object:
        raise NotImplementedError


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def board(clock: Clock) -> Board:
    sources = [Named("a"), Named("b"), Named("c")]
    return Board(sources, ["BTCUSDT"], Tuning(), clock=clock)  # pyright: ignore[reportArgumentType]


_times = iter(range(10_000))


def say(board: Board, rank: int, price: float) -> Verdict:
    """A source says a price, each time a little later; it is shown if it is good."""
    at_ms = now_ms() - 10_000 + next(_times)
    verdict = board.judge(rank, Tick("BTCUSDT", price, at_ms)).verdict
    if verdict is Verdict.GOOD:
        board.show("BTCUSDT", rank)
    return verdict


def shown(board: Board) -> float:
    return board.shown["BTCUSDT"].price.price


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("", "good"),  # nothing is known yet
        ("a100", "good"),
        ("a67", "good"),  # 49 % more than the last one
        ("a66", "quarantined"),
        ("a201", "quarantined"),
        ("a199", "good"),
        ("a200 b100", "good"),  # it leaps, and another one has leapt there before
        ("b1", "quarantined"),  # what has been shown is believed until another one differs
        ("b1 c1", "quarantined"),
        ("c100 b1", "good"),
        ("a100 b9000", "good"),  # the other one is wrong
        ("a1 b1 c1", "quarantined"),
    ],
)
def test_a_price_of_100_from_the_primary_source_after(board: Board, said: str, verdict: str):
    for word in said.split():
        say(board, "abc".index(word[0]), float(word[1:]))
    assert say(board, PRIMARY, 100.0).value == verdict


def test_at_the_beginning_two_that_agree_are_believed_against_one(board: Board):
    for rank in (SECONDARY, TERTIARY):
        board.judge(rank, Tick("BTCUSDT", 100.0 + rank, now_ms()))
    assert say(board, PRIMARY, 10_000.0) is Verdict.QUARANTINED
    assert say(board, PRIMARY, 99.0) is Verdict.GOOD


@pytest.mark.parametrize("price", [0.0, -1.0, float("nan"), float("inf"), -float("inf")])
def test_what_is_no_price_is_quarantined(board: Board, price: float):
    assert say(board, PRIMARY, price) is Verdict.QUARANTINED, "whatever is known of the symbol"
    say(board, PRIMARY, 100.0)
    assert say(board, PRIMARY, price) is Verdict.QUARANTINED
    assert shown(board) == 100.0
    assert board.source_of("BTCUSDT", [PRIMARY]) is None
    assert say(board, PRIMARY, 101.0) is Verdict.GOOD
    assert board.source_of("BTCUSDT", [PRIMARY]) == PRIMARY


def test_a_leap_is_believed_when_the_last_good_price_is_long_ago(board: Board, clock: Clock):
    say(board, PRIMARY, 100.0)
    assert say(board, PRIMARY, 1.0) is Verdict.QUARANTINED
    clock.seconds += 301
    assert say(board, PRIMARY, 1.0) is Verdict.GOOD


def test_what_the_leader_before_has_shown_counts(board: Board):
    before_ms = now_ms() - 20_000
    board.remember({"BTCUSDT": make_price(exchange_time_ms=before_ms, received_time_ms=before_ms)})
    assert say(board, PRIMARY, 10_000.0) is Verdict.QUARANTINED
    assert shown(board) == 100.0
    assert say(board, PRIMARY, 101.0) is Verdict.GOOD
    assert shown(board) == 101.0


@pytest.mark.parametrize(
    ("off_seconds", "verdict"), [(31, "refused"), (-31, "refused"), (29, "good"), (-29, "good")]
)
def test_a_clock_may_be_off_by_half_a_minute(board: Board, off_seconds: int, verdict: str):
    tick = Tick("BTCUSDT", 100.0, now_ms() + off_seconds * 1000)
    assert board.judge(PRIMARY, tick).verdict.value == verdict


def test_only_a_newer_exchange_time_is_news(board: Board):
    tick = Tick("BTCUSDT", 100.0, now_ms())
    verdicts = [
        board.judge(PRIMARY, one).verdict.value
        for one in (tick, tick, Tick("BTCUSDT", 99.0, tick.exchange_time_ms - 1))
    ]
    assert verdicts == ["good", "old", "old"]


def test_a_symbol_nobody_asked_for_is_refused(board: Board):
    assert board.judge(PRIMARY, Tick("NOSUCH", 1.0, now_ms())).verdict is Verdict.REFUSED


def test_a_source_that_falls_silent_or_delists_a_symbol_has_no_price_of_it(board: Board, clock: Clock):
    for rank in (PRIMARY, SECONDARY, TERTIARY):
        say(board, rank, 100.0)
    assert board.source_of("BTCUSDT", [PRIMARY, SECONDARY]) == PRIMARY
    assert board.delist(PRIMARY, "BTCUSDT")
    assert not board.delist(PRIMARY, "BTCUSDT"), "no news the second time"
    assert board.source_of("BTCUSDT", [PRIMARY, SECONDARY]) == SECONDARY
    clock.seconds += 19
    assert board.source_of("BTCUSDT", [PRIMARY, SECONDARY]) is None


AHEAD_MS, BEHIND_MS = 20_000, -20_000


@pytest.mark.parametrize("off_ms", [AHEAD_MS, BEHIND_MS])
def test_a_clock_that_is_off_keeps_no_other_source_from_being_shown(board: Board, off_ms: int):
    """From the source whose clock is off to one whose clock is right, and back."""
    for number, (rank, off) in enumerate([(PRIMARY, off_ms), (SECONDARY, 0), (PRIMARY, off_ms)]):
        time.sleep(0.003)
        board.judge(rank, Tick("BTCUSDT", 100.0 + number, now_ms() + off))
        assert board.show("BTCUSDT", rank) is not None, f"price {number}"


def test_no_price_is_said_to_be_of_the_future(board: Board):
    board.judge(PRIMARY, Tick("BTCUSDT", 100.0, now_ms() + AHEAD_MS))
    price = board.show("BTCUSDT", PRIMARY)
    assert price is not None
    assert price.exchange_time_ms == price.received_time_ms
    assert price.age_ms(price.received_time_ms - 5) == 0


def test_a_source_whose_clock_was_set_right_is_heard_after_it_has_begun_anew(board: Board):
    board.judge(PRIMARY, Tick("BTCUSDT", 100.0, now_ms() + AHEAD_MS))
    board.show("BTCUSDT", PRIMARY)
    time.sleep(0.003)
    assert board.judge(PRIMARY, Tick("BTCUSDT", 101.0, now_ms())).verdict is Verdict.OLD
    board.forget(PRIMARY)
    time.sleep(0.003)
    assert board.judge(PRIMARY, Tick("BTCUSDT", 102.0, now_ms())).verdict is Verdict.GOOD
    board.show("BTCUSDT", PRIMARY)
    assert shown(board) == 102.0


def test_an_older_price_of_a_late_source_is_not_shown_over_a_newer_one(clock: Clock):
    late = [Named("a"), Named("b", late_seconds=60.0)]
    board = Board(late, ["BTCUSDT"], Tuning(), clock=clock)  # pyright: ignore[reportArgumentType]
    board.judge(PRIMARY, Tick("BTCUSDT", 100.0, now_ms()))
    board.show("BTCUSDT", PRIMARY)
    board.judge(SECONDARY, Tick("BTCUSDT", 101.0, now_ms() - 30_000))
    assert board.show("BTCUSDT", SECONDARY) is None
