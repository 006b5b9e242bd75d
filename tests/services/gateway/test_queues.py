"""Queues and workers."""

import pytest

from gotask import v1
from gotask.gateway.rest.schemas import Queue, QueueList, QueueStats, WorkerList
from gotask.service.clock import SystemClock
from tests.services.gateway.support import API, Door, problem

pytestmark = pytest.mark.parametrize("storage", ["memory", "redis"], indirect=True)


async def test_a_queue_is_created_read_replaced_and_deleted(door: Door) -> None:
    created = await door.http.post(
        f"{API}/queues",
        content=b'{"name": "critical", "max_workers": 20, "max_retries": 5, "retry_strategy": "exponential",'
        b' "priority": 10, "weight": 3, "retry_jitter": 0.1, "lease": "45s"}',
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert (created.status_code, created.headers["location"]) == (201, f"{API}/queues/critical")
    queue = Queue.model_validate_json(created.content)
    assert (queue.max_workers, queue.max_retries, queue.priority, queue.weight) == (20, 5, 10, 3)
    assert (queue.retry_jitter, queue.lease, queue.timeout, queue.retry_delay) == (0.1, "45s", "5m", "1m")
    assert (await door.http.get(f"{API}/queues/critical")).json() == created.json()

    replaced = await door.http.put(f"{API}/queues/critical", json={"max_length": 7})
    assert replaced.status_code == 200
    changed = Queue.model_validate_json(replaced.content)
    assert (changed.max_length, changed.max_workers, changed.max_retries, changed.weight) == (7, 0, 3, 1)
    assert changed.created_at == queue.created_at

    deleted = await door.http.delete(f"{API}/queues/critical")
    assert (deleted.status_code, deleted.content) == (204, b"")
    problem(await door.http.get(f"{API}/queues/critical"), 404)


async def test_a_name_is_given_once(door: Door) -> None:
    assert (await door.http.post(f"{API}/queues", json={"name": "one"})).status_code == 201
    assert "'one' exists" in problem(await door.http.post(f"{API}/queues", json={"name": "one"}), 409).detail


async def test_a_lease_is_no_shorter_than_heartbeats_keep_up_with(door: Door) -> None:
    found = problem(await door.http.post(f"{API}/queues", json={"name": "hasty", "lease": "2s"}), 422)
    assert (found.errors[0].field, found.errors[0].reason[:40]) == ("lease", "2s is shorter than GOTASK_FIRST_LEASE, 1")


async def test_all_queues_are_listed_by_name(door: Door) -> None:
    for name in ("beta", "alpha"):
        await door.http.post(f"{API}/queues", json={"name": name})
    listed = QueueList.model_validate_json((await door.http.get(f"{API}/queues")).content)
    names = [queue.name for queue in listed.items]
    assert names == sorted(names)
    assert {"alpha", "beta"} <= set(names)
    assert listed.next_cursor is None


async def test_a_paused_queue_starts_nothing(door: Door) -> None:
    await door.submit(queue="slow")
    paused = await door.http.post(f"{API}/queues/slow/pause")
    assert (paused.status_code, paused.json()["paused"]) == (200, True)
    assert await door.start_jobs("slow") == []
    replaced = await door.http.put(f"{API}/queues/slow", json={})
    assert replaced.json()["paused"]
    resumed = await door.http.post(f"{API}/queues/slow/resume")
    assert (resumed.status_code, resumed.json()["paused"]) == (200, False)
    assert len(await door.start_jobs("slow")) == 1


async def test_a_queue_with_jobs_is_not_deleted(door: Door) -> None:
    await door.submit(queue="busy")
    assert "wait or run" in problem(await door.http.delete(f"{API}/queues/busy"), 409).detail


async def test_an_unknown_queue_is_named(door: Door) -> None:
    calls = [("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/pause"), ("POST", "/resume"), ("GET", "/stats")]
    for method, rest in calls:
        body = b"{}" if method == "PUT" else b""
        response = await door.http.request(method, f"{API}/queues/nowhere{rest}", content=body)
        assert problem(response, 404).detail == "there is no queue 'nowhere'"


async def test_statistics_count_what_is_there(door: Door) -> None:
    for delay in (0, 0, 0, 3600):
        await door.submit(queue="counted", delay=delay)
    _running, done = await door.start_jobs("counted", 2)
    await door.end_job(done)
    assert (await door.http.get(f"{API}/jobs/{done.job_id}?wait=20s")).json()["status"] == "success"
    worker = v1.WorkerInfo(id="w1", queues=["counted", "default"], types=["echo"], concurrency=4, seen_at_us=1)
    await door.storage.put_workers([worker], SystemClock().now_us() + 60_000_000)

    response = await door.http.get(f"{API}/queues/counted/stats")
    stats = QueueStats.model_validate_json(response.content)
    assert list(response.json()) == list(QueueStats.model_fields)
    assert (stats.name, stats.pending_jobs, stats.running_jobs, stats.completed_jobs) == ("counted", 1, 1, 1)
    assert (stats.failed_jobs, stats.scheduled, stats.retrying, stats.dead, stats.workers) == (0, 1, 0, 0, 1)
    assert stats.throughput_per_min == 1
    assert 0 < stats.oldest_pending_age_seconds < 60
    assert (await door.http.get(f"{API}/queues/default/stats")).json()["oldest_pending_age_seconds"] == 0

    workers = WorkerList.model_validate_json((await door.http.get(f"{API}/workers")).content)
    assert [(one.id, one.queues, one.concurrency) for one in workers.items] == [("w1", ["counted", "default"], 4)]
