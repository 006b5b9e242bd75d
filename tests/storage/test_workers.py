"""Workers: listed until they fall silent."""

from gotask import v1
from gotask.storage.contract import Storage
from tests.storage.support import NOW


async def test_workers_are_listed_by_id_until_they_expire(storage: Storage) -> None:
    await storage.put_workers([v1.WorkerInfo(id="b"), v1.WorkerInfo(id="a", queues=["x"])], NOW + 10)
    assert await storage.list_workers(NOW + 9) == [v1.WorkerInfo(id="a", queues=["x"]), v1.WorkerInfo(id="b")]
    assert await storage.list_workers(NOW + 10) == []


async def test_a_worker_heard_again_lives_longer_and_tells_what_is_new(storage: Storage) -> None:
    await storage.put_workers([v1.WorkerInfo(id="a", running=1), v1.WorkerInfo(id="b")], NOW + 10)
    await storage.put_workers([v1.WorkerInfo(id="a", running=2)], NOW + 20)
    assert await storage.list_workers(NOW + 15) == [v1.WorkerInfo(id="a", running=2)]


async def test_no_workers_are_no_error(storage: Storage) -> None:
    await storage.put_workers([], NOW)
    assert await storage.list_workers(NOW) == []
