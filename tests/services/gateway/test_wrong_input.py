"""Input that is wrong is refused with the field and the reason, never ignored."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gotask.storage.memory import MemoryStorage
from tests.services.gateway.support import API, Door, gateway, problem, queue_manager
from tests.support.servers import Server

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(nats: Server) -> AsyncIterator[Door]:
    """One for all tests here: nothing that is refused leaves a trace."""
    storage = MemoryStorage()
    async with queue_manager(nats.address, "wrong", storage), gateway(nats.address, "wrong", storage) as opened:
        yield opened


WRONG_JOBS = [
    ("{}", "type", "required"),
    ('{"type": 1}', "type", "string"),
    ('{"type": ""}', "type", "match"),
    ('{"type": "a b"}', "type", "match"),
    ('{"type": "a", "color": "red"}', "color", "no such field"),
    ('{"type": "a", "queue": "a.b"}', "queue", "match"),
    ('{"type": "a", "queue": null}', "queue", "string"),
    ('{"type": "a", "priority": 256}', "priority", "255"),
    ('{"type": "a", "priority": -1}', "priority", "0"),
    ('{"type": "a", "priority": "1"}', "priority", "integer"),
    ('{"type": "a", "priority": 1.5}', "priority", "integer"),
    ('{"type": "a", "priority": true}', "priority", "integer"),
    ('{"type": "a", "timeout": "soon"}', "timeout", "not a duration"),
    ('{"type": "a", "timeout": -5}', "timeout", "not a duration"),
    ('{"type": "a", "delay": "20000d"}', "delay", "ten years"),
    ('{"type": "a", "delay": [1]}', "delay", "not a duration"),
    ('{"type": "a", "delay": 1e400}', "delay", "not a duration"),
    ('{"type": "a", "delay": "' + "9" * 500_000 + '"}', "delay", "not a duration"),
    ('{"type": "a", "delay": 1, "scheduled_at": "2999-01-01T00:00:00Z"}', "body", "not both"),
    ('{"type": "a", "ttl": 1, "expires_at": "2999-01-01T00:00:00Z"}', "body", "not both"),
    ('{"type": "a", "scheduled_at": "tomorrow"}', "scheduled_at", "datetime"),
    ('{"type": "a", "scheduled_at": "2999-01-01T00:00:00"}', "scheduled_at", "timezone"),
    ('{"type": "a", "scheduled_at": 1893456000}', "scheduled_at", "RFC 3339"),
    ('{"type": "a", "scheduled_at": "1893456000"}', "scheduled_at", "RFC 3339"),
    ('{"type": "a", "expires_at": 1893456000.5}', "expires_at", "RFC 3339"),
    ('{"type": "a", "expires_at": "2030-01-01"}', "expires_at", "RFC 3339"),
    ('{"type": "a", "max_retries": 1001}', "max_retries", "1000"),
    ('{"type": "a", "max_retries": 99999999999999999999}', "max_retries", "1000"),
    ('{"type": "a", "retry_strategy": "random"}', "retry_strategy", "exponential"),
    ('{"type": "a", "retry_jitter": 1.1}', "retry_jitter", "1"),
    ('{"type": "a", "tags": "x"}', "tags", "valid"),
    ('{"type": "a", "tags": ["ok", ""]}', "tags.1", "1 character"),
    ('{"type": "a", "tags": [' + ",".join(['"t"'] * 17) + "]}", "tags", "16"),
    ('{"type": "a", "metadata": {"k": 1}}', "metadata.k", "string"),
    ('{"type": "a", "metadata": {"": "v"}}', "metadata.", "1 character"),
    ('{"type": "a", "idempotency_key": ""}', "idempotency_key", "1 character"),
    ('{"type": "a", "unique_key": "' + "k" * 257 + '"}', "unique_key", "256"),
    ('{"type": "a", "payload": "' + "x" * 262_144 + '"}', "payload", "the limit is 262144"),
    ('{"type": "a", "payload": 18446744073709551616}', "payload", "64-bit"),
    ('{"type": "a", "payload": {"list": [1, 1e400]}}', "payload", "infinity"),
    ('{"type": "a", "payload": NaN}', "payload", "NaN"),
]


@pytest.mark.parametrize(("body", "field", "reason"), WRONG_JOBS, ids=lambda value: value[:40])
async def test_wrong_jobs(door: Door, body: str, field: str, reason: str) -> None:
    before = await door.messages_submitted()
    found = problem(await door.http.post(f"{API}/jobs", content=body), 422)
    assert found.errors[0].field == field
    assert reason in found.errors[0].reason
    assert len(found.detail) < 1_500

    batch = await door.http.post(f"{API}/jobs/batch", content=f'{{"jobs": [{body}]}}')
    (item,) = batch.json()["items"]
    assert item["status"] == 422
    assert item["error"]["errors"][0]["field"] == ("jobs.0" if field == "body" else f"jobs.0.{field}")
    assert await door.messages_submitted() == before


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"", "line 1 column 0"),
        (b"type=echo", "line 1 column 2"),
        (b'{"type": "echo"', "line 1 column 15"),
        (b'{"type": "echo",\n }', "line 2 column 2"),
        (b'{"type": "\xff"}', "line 1 column 11"),
        (b'{"type": "a", "payload": "\\ud800"}', "line 1"),
        (b'{"type": "a", "payload": ' + b"[" * 100_000, "recursion limit"),
        (b'{"type": "a", "payload": ' + b'{"a":' * 1_000 + b"1" + b"}" * 1_000 + b"}", "recursion limit"),
    ],
)
@pytest.mark.parametrize("path", ["/jobs", "/jobs/batch", "/queues"])
async def test_what_is_not_json(door: Door, path: str, body: bytes, place: str) -> None:
    found = problem(await door.http.post(f"{API}{path}", content=body), 400)
    assert "not JSON" in found.detail
    assert place in found.detail


@pytest.mark.parametrize("body", ["[]", "null", "1", '"a"'])
async def test_json_that_is_no_object(door: Door, body: str) -> None:
    found = problem(await door.http.post(f"{API}/jobs", content=body), 422)
    assert (found.errors[0].field, found.errors[0].reason) == ("body", "must be a JSON object")


async def test_everything_that_is_wrong_is_named_at_once(door: Door) -> None:
    found = problem(await door.http.post(f"{API}/jobs", json={"priority": -1, "colour": 1}), 422)
    assert {error.field for error in found.errors} == {"type", "priority", "colour"}
    assert found.detail.startswith("3 fields are wrong")


async def test_a_hostile_body_does_not_get_a_hostile_answer(door: Door) -> None:
    body = {f"field{number}" + "x" * 1_000: 1 for number in range(500)}
    response = await door.http.post(f"{API}/jobs", json=body)
    problem(response, 422)
    assert len(response.content) < 20_000


@pytest.mark.parametrize(
    ("query", "field", "reason"),
    [
        ("status=done", "status", "known are scheduled, pending"),
        ("status=pending,done", "status", "done"),
        ("limit=0", "limit", "1"),
        ("limit=501", "limit", "500"),
        ("limit=ten", "limit", "integer"),
        ("cursor=abc", "cursor", "not a cursor"),
        ("created_from=yesterday", "created_from", "datetime"),
        ("created_before=2026-01-01T00:00:00", "created_before", "timezone"),
        ("created_before=1893456000", "created_before", "RFC 3339"),
        ("stauts=pending", "stauts", "no such field"),
    ],
)
async def test_wrong_parameters_of_a_list(door: Door, query: str, field: str, reason: str) -> None:
    found = problem(await door.http.get(f"{API}/jobs?{query}"), 422)
    assert found.errors[0].field == field
    assert reason in found.errors[0].reason


@pytest.mark.parametrize("wait", ["61s", "soon", "-1", "2m"])
async def test_wrong_waits(door: Door, wait: str) -> None:
    job = await door.submit()
    found = problem(await door.http.get(f"{API}/jobs/{job['id']}", params={"wait": wait}), 422)
    assert found.errors[0].field == "wait"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"max_workers": 1}', "name"),
        ('{"name": "a b"}', "name"),
        ('{"name": "a", "max_workers": -1}', "max_workers"),
        ('{"name": "a", "weight": 0}', "weight"),
        ('{"name": "a", "priority": 300}', "priority"),
        ('{"name": "a", "lease": "1ms"}', "lease"),
        ('{"name": "a", "rate_limit": "10"}', "rate_limit"),
        ('{"name": "a", "retry_delay": "x"}', "retry_delay"),
        ('{"name": "a", "paused": true}', "paused"),
    ],
)
async def test_wrong_queues(door: Door, body: str, field: str) -> None:
    found = problem(await door.http.post(f"{API}/queues", content=body), 422)
    assert found.errors[0].field == field
