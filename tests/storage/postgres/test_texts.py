"""Text that PostgreSQL cannot hold is held all the same."""

import pytest

from gotask import v1
from gotask.jobs.states import DEAD
from gotask.storage.contract import InsertStatus, JobFilter
from gotask.storage.postgres import PostgresStorage
from gotask.storage.postgres.text import array, column, original
from tests.storage.support import NOW, claim, end, get, insert, job, listed

ODD = ["", "plain", "a\0b", "\0", "\x1b", "\x1b0", "\x1be", "a\x1b\0b", "\0\x1b0", "é€😀", '"{},\\']


@pytest.mark.parametrize("text", ODD)
def test_what_is_stored_is_found_again(text: str) -> None:
    assert original(column(text)) == text
    assert "\0" not in column(text)


def test_no_two_texts_are_stored_alike() -> None:
    assert len({column(text) for text in ODD}) == len(ODD)


def test_an_array_is_quoted() -> None:
    assert array(['a"b', "c\\d", "e,f", ""]) == '{"a\\"b","c\\\\d","e,f",""}'


@pytest.mark.parametrize("text", ODD[1:])
async def test_keys_tags_types_and_workers_may_hold_anything(storage: PostgresStorage, text: str) -> None:
    spec = job(idempotency_key=text, unique_key=text, tags=[text, "t"], metadata={text: text}, type=text)
    await insert(storage, spec)
    (again,) = await storage.insert_jobs([job(idempotency_key=text)], NOW)
    assert (again.status, again.existing_id) == (InsertStatus.DUPLICATE, spec.id)
    assert await listed(storage, JobFilter(tag=text)) == await listed(storage, JobFilter(type=text)) == [spec.id]
    (claimed,) = await claim(storage, worker=text)
    await end(storage, claimed, DEAD)
    found = await get(storage, spec.id)
    assert (found.spec, found.worker) == (spec, text)
    await storage.put_workers([v1.WorkerInfo(id=text)], NOW + 1)
    assert [worker.id for worker in await storage.list_workers(NOW)] == [text]
