"""`feeds.follow`: every event once and in order, whatever rings and whatever does not."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from channels.layers import channel_layers
from django.conf import settings
from django.db import connections
from redis import Redis

from workers import feeds, rings
from workers.events import RunEvent
from workers.models import Event, Run
from workers.tests.counting.handler import counting_spec

PATIENCE_SECONDS = 30
"""For a busy machine; what is waited for takes a moment."""


@pytest.fixture
def run(owner: Any) -> Run:
    return Run.objects.create(owner=owner, kind="count", spec=counting_spec(5), total=5)


@pytest.fixture(autouse=True)
def quick_and_clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Read the table ten times a second, and leave neither connections nor a channel layer of a closed loop."""
    monkeypatch.setattr(feeds, "READ_EVERY_SECONDS", 0.1)
    yield
    channel_layers.backends.clear()
    list(feeds._readers.map(lambda _: connections.close_all(), range(4 * feeds.READERS)))


def append(run: Run, *seqs: int, last: bool = False) -> None:
    """Store events without ringing."""
    Event.objects.bulk_create(
        Event(
            run=run,
            seq=seq,
            type="complete" if last and seq == seqs[-1] else "result",
            body=f'{{"seq":{seq}}}',
        )
        for seq in seqs
    )
    Run.objects.filter(pk=run.pk).update(last_seq=max(seqs))


async def collect(run_id: UUID, *, after: int = 0) -> list[int]:
    return [event.seq async for event in feeds.follow(run_id, after=after)]


async def watched(run: Run, *, by: int = 1) -> None:
    """Wait until so many watch a run and their feed hears rings; they have had time to read the table then."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (_watchers_of(run) == by and await asyncio.to_thread(_hears_rings, run)):
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)


def _watchers_of(run: Run) -> int:
    return sum(len(each.by_run[run.pk].watchers) for each in feeds._loops.values() if run.pk in each.by_run)


def _hears_rings(run: Run) -> bool:
    with Redis.from_url(settings.REDIS_URL) as server:
        return bool(server.pubsub_channels(f"*{rings.group_of(run.pk)}"))


async def test_stored_events_are_read_page_by_page(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.events.PAGE_SIZE", 3)
    await asyncio.to_thread(append, run, *range(1, 11), last=True)
    assert await collect(run.pk) == list(range(1, 11))
    assert await collect(run.pk, after=7) == [8, 9, 10]


async def test_events_that_nobody_rang_for_are_found(run: Run) -> None:
    await asyncio.to_thread(append, run, 1)
    following = asyncio.create_task(collect(run.pk))
    await asyncio.sleep(0.15)
    await asyncio.to_thread(append, run, 2, 3, last=True)
    assert await asyncio.wait_for(following, PATIENCE_SECONDS) == [1, 2, 3]


async def test_a_ring_delivers_at_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "READ_EVERY_SECONDS", 60.0)
    following = asyncio.create_task(collect(run.pk))
    await watched(run)
    await asyncio.to_thread(append, run, 1, last=True)
    rings.ring(run.pk, [RunEvent(1, '{"seq":1}', True)])
    assert await asyncio.wait_for(following, PATIENCE_SECONDS) == [1]


async def test_a_gap_between_rings_is_filled_from_the_table(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "READ_EVERY_SECONDS", 60.0)
    following = asyncio.create_task(collect(run.pk))
    await watched(run)
    await asyncio.to_thread(append, run, 1, 2, 3, last=True)
    rings.ring(run.pk, [RunEvent(3, '{"seq":3}', True)])
    assert await asyncio.wait_for(following, PATIENCE_SECONDS) == [1, 2, 3]


async def test_doubled_and_late_rings_change_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    following = asyncio.create_task(collect(run.pk))
    await watched(run)
    await asyncio.to_thread(append, run, 1, 2, 3, last=True)
    for seq in (2, 1, 2, 3, 1, 3):
        rings.ring(run.pk, [RunEvent(seq, f'{{"seq":{seq}}}', seq == 3)])
    assert await asyncio.wait_for(following, PATIENCE_SECONDS) == [1, 2, 3]


async def test_a_ring_without_a_body_makes_the_feed_read_the_table(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "READ_EVERY_SECONDS", 60.0)
    monkeypatch.setattr(rings, "MAX_BODY_BYTES", 1)
    following = asyncio.create_task(collect(run.pk))
    await watched(run)
    await asyncio.to_thread(append, run, 1, last=True)
    rings.ring(run.pk, [RunEvent(1, '{"seq":1}', True)])
    assert await asyncio.wait_for(following, PATIENCE_SECONDS) == [1]


async def test_many_watchers_share_one_feed_that_ends_with_the_last(run: Run) -> None:
    followers = [asyncio.create_task(collect(run.pk)) for _ in range(20)]
    await watched(run, by=20)
    assert [len(each.by_run) for each in feeds._loops.values()] == [1]
    await asyncio.to_thread(append, run, 1, 2, last=True)
    assert await asyncio.gather(*followers) == [[1, 2]] * 20
    assert feeds._loops == {}


async def test_a_watcher_that_is_too_slow_reads_the_table_again(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "QUEUE_LENGTH", 5)
    seen: list[int] = []

    async def dawdle() -> None:
        async for event in feeds.follow(run.pk):
            seen.append(event.seq)
            await asyncio.sleep(0.02)

    dawdler = asyncio.create_task(dawdle())
    await watched(run)
    for seq in range(1, 41):
        await asyncio.to_thread(append, run, seq, last=seq == 40)
        rings.ring(run.pk, [RunEvent(seq, f'{{"seq":{seq}}}', seq == 40)])
    await asyncio.wait_for(dawdler, PATIENCE_SECONDS)
    assert seen == list(range(1, 41))


async def test_a_follower_fills_a_gap_that_its_feed_could_not_see(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ring may reach a new feed before its first follower has told it where to begin."""
    monkeypatch.setattr(feeds, "READ_EVERY_SECONDS", 60.0)
    monkeypatch.setattr(feeds._Feed, "start_at", lambda *_: None)
    following = asyncio.create_task(collect(run.pk))
    await watched(run)
    await asyncio.to_thread(append, run, 1, 2, 3, last=True)
    rings.ring(run.pk, [RunEvent(3, '{"seq":3}', True)])
    assert await asyncio.wait_for(following, PATIENCE_SECONDS) == [1, 2, 3]
