"""A run that is deleted between two reads of somebody who follows it: what follows it ends as for a deleted run."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import channel_layers
from django.db import connection, connections
from django.test import AsyncClient

from workers import feeds
from workers.models import ApiToken, Run
from workers.tests.sockets import bearer, close_code

WITHIN_SECONDS = 10


@pytest.fixture(autouse=True)
def quick_and_clean(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.ALLOWED_HOSTS = ["testserver.local", "testserver"]
    monkeypatch.setattr(feeds, "READ_EVERY_SECONDS", 0.1)
    yield
    channel_layers.backends.clear()
    list(feeds._readers.map(lambda _: connections.close_all(), range(4 * feeds.READERS)))


async def delete_when_followed(run: Run) -> None:
    """Delete a run as soon as a feed has read how far it is; there is no ring for that."""
    async with asyncio.timeout(WITHIN_SECONDS):
        while not any(
            each.by_run[run.pk]._last_seq for each in feeds._loops.values() if run.pk in each.by_run
        ):
            await asyncio.sleep(0.01)
    await asyncio.to_thread(_delete, run)  # not `adelete`: a poll that waits holds the one thread of that


def _delete(run: Run) -> None:
    Run.objects.filter(pk=run.pk).delete()
    connection.close()


async def logged_in(owner: Any) -> AsyncClient:
    client = AsyncClient()
    await sync_to_async(client.force_login)(owner)
    return client


async def test_a_follower_is_told(count: Any) -> None:
    run = await sync_to_async(count)(2)

    async def follow() -> list[int]:
        """What comes, and -1 for the deletion."""
        seen = list[int]()
        try:
            async for event in feeds.follow(run.pk):
                seen.append(event.seq)
        except feeds.RunDeletedError:
            return [*seen, -1]
        return seen

    followers = [asyncio.create_task(follow()) for _ in range(3)]
    await delete_when_followed(run)
    assert await asyncio.wait_for(asyncio.gather(*followers), WITHIN_SECONDS) == [[1, -1]] * 3
    assert feeds._loops == {}


async def test_a_follower_that_comes_when_it_is_known_is_told_too(count: Any) -> None:
    run = await sync_to_async(count)(2)
    async with feeds._watch(run.pk) as (feed, _):
        feed.start_at(1)
        await delete_when_followed(run)
        async with asyncio.timeout(WITHIN_SECONDS):
            while not feed.run_is_deleted:
                await asyncio.sleep(0.01)
            with pytest.raises(feeds.RunDeletedError):
                await anext(feeds.follow(run.pk))


async def test_a_socket_is_closed_as_for_a_run_that_there_is_not(count: Any, owner: Any) -> None:
    run = await sync_to_async(count)(2)
    secret = await sync_to_async(ApiToken.issue)(owner=owner)
    closing = asyncio.create_task(close_code(f"/ws/runs/{run.pk}/", bearer(secret)))
    await delete_when_followed(run)
    code, texts = await asyncio.wait_for(closing, WITHIN_SECONDS)
    assert (code, len(texts)) == (4404, 1)


async def test_a_stream_ends_and_its_client_learns_why_when_it_comes_back(count: Any, owner: Any) -> None:
    run = await sync_to_async(count)(2)
    client = await logged_in(owner)
    response: Any = await client.get(f"/api/runs/{run.pk}/stream/")

    async def text() -> str:
        return "".join([part.decode() async for part in response])

    reading = asyncio.create_task(text())
    await delete_when_followed(run)
    sent = await asyncio.wait_for(reading, WITHIN_SECONDS)
    assert [line for line in sent.splitlines() if line.startswith("id:")] == ["id: 1"]
    assert ": there is no such run any more" in sent
    assert (await client.get(f"/api/runs/{run.pk}/stream/")).status_code == 404


async def test_a_poll_that_waits_gets_404(count: Any, owner: Any) -> None:
    run = await sync_to_async(count)(2)
    client = await logged_in(owner)
    polling = asyncio.create_task(client.get(f"/api/runs/{run.pk}/events/?after=1&wait=30"))
    await delete_when_followed(run)
    response = await asyncio.wait_for(polling, WITHIN_SECONDS)
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")
