"""Dead letters, over every way."""

import pytest

from gotask.sdk import App, Client
from gotask.sdk.errors import InvalidArgument, NotFound
from tests.sdk.client.conftest import Place

app = App()


@app.job("divide", max_retries=0)
async def divide(by: int) -> float:
    return 1 / by


@app.job("look-up", max_retries=0)
async def look_up(name: str) -> str:
    return {"a": "b"}[name]


@pytest.fixture
async def dead(client: Client, place: Place) -> list[str]:
    """Ids of three dead letters: two of divide, then one of look-up."""
    await place.start_worker(app)
    handles = await client.submit_many([divide.job(by=0), divide.job(by=0), look_up.job(name="x")])
    for handle in handles:
        assert (await handle.wait("20s")).status == "dead"
    await client.queues.pause("default")
    return [handle.id for handle in handles]


async def test_they_are_listed_by_what_is_known_of_them(client: Client, dead: list[str]) -> None:
    page = await client.dead.list("default")
    assert ([job.id for job in page.items], page.next_cursor) == (dead[::-1], "")
    error = page.items[0].error
    assert error is not None
    assert error.type == "KeyError"
    assert [job.id for job in (await client.dead.list("default", type="look-up")).items] == [dead[2]]
    assert [job.id async for job in client.dead.iterate("default", error_type="ZeroDivisionError")] == dead[1::-1]
    first = await client.dead.list("default", limit=2)
    rest = await client.dead.list("default", limit=2, cursor=first.next_cursor)
    assert [job.id for job in (*first.items, *rest.items)] == dead[::-1]
    with pytest.raises(InvalidArgument, match="cursor"):
        await client.dead.list("default", cursor="x")
    with pytest.raises(InvalidArgument, match="limit: 0"):
        await client.dead.list("default", limit=0)


async def test_one_is_retried_or_those_that_match(client: Client, dead: list[str]) -> None:
    one = await client.dead.retry("default", [dead[0]])
    assert (one.count, one.complete) == (1, True)
    assert [(await client.get(job_id)).status for job_id in dead] == ["pending", "dead", "dead"]
    assert (await client.dead.retry("default", error_type="KeyError")).count == 1
    assert [(await client.get(job_id)).status for job_id in dead] == ["pending", "dead", "pending"]
    assert (await client.dead.retry("default", [dead[0]])).count == 0


async def test_they_are_purged(client: Client, dead: list[str]) -> None:
    assert (await client.dead.purge("default", type="divide")).count == 2
    assert [job.id for job in (await client.dead.list("default")).items] == [dead[2]]
    purged = await client.dead.purge("default")
    assert (purged.count, purged.complete) == (1, True)
    with pytest.raises(NotFound):
        await client.get(dead[2])


async def test_a_queue_that_is_not_there_is_named(client: Client) -> None:
    for call in (client.dead.list, client.dead.retry, client.dead.purge):
        with pytest.raises(NotFound, match="there is no queue 'x'"):
            await call("x")
