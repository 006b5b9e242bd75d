"""What people find in SQL: the view ``jobs``, and the queries that README.md shows."""

import json
import re
from importlib.resources import files
from typing import Any

import pytest

from gotask import v1
from gotask.jobs.states import DEAD, RETRYING, SUCCESS, name_of
from gotask.storage.postgres import PostgresStorage
from tests.storage.support import NOW, SECOND, STATES, end, insert, job, job_in, outcome, start

README = (files("gotask.storage.postgres") / "README.md").read_text("utf-8")
QUERIES = re.findall(r"```sql\n(SELECT.*?)```", README, re.DOTALL)
assert len(QUERIES) == 3


async def _seen(connection: Any, job_id: str) -> dict[str, Any]:
    return dict(await connection.fetchrow("SELECT * FROM jobs WHERE id = $1", job_id))


async def test_a_job_is_shown_as_it_was_submitted(storage: PostgresStorage, connection: Any) -> None:
    spec = job(payload=b'{"a": [1, "x"]}', tags=["t", 'quo"ted', "back\\slash"], unique_key="u", priority=7)
    spec.type = "x" * 128
    await insert(storage, spec)
    seen = await _seen(connection, spec.id)
    assert json.loads(seen["payload"]) == {"a": [1, "x"]}
    assert (seen["queue"], seen["type"], seen["state"], seen["priority"]) == ("default", spec.type, "pending", 7)
    assert (seen["tags"], seen["unique_key"], seen["idempotency_key"]) == (list(spec.tags), "u", None)
    assert seen["created_at"].timestamp() * SECOND == NOW


async def test_every_state_has_its_name(storage: PostgresStorage, connection: Any) -> None:
    ids = {state: await job_in(storage, state) for state in STATES}
    for state, job_id in ids.items():
        assert (await _seen(connection, job_id))["state"] == name_of(state)
        rows = await connection.fetch("SELECT id FROM jobs WHERE state = $1", name_of(state))
        assert [str(row[0]) for row in rows] == [job_id]


async def test_results_and_errors_are_shown(storage: PostgresStorage, connection: Any) -> None:
    success, failure = await start(storage), await start(storage)
    await end(storage, success, SUCCESS, result=b'{"n": 1}')
    error = v1.JobError(type="ValueError", message="no\0such")
    history = v1.History(attempts=[v1.Attempt(attempt=1, error=error)]).SerializeToString()
    await storage.finish([outcome(failure, RETRYING, due_at_us=NOW + SECOND)._replace(history=history)], NOW)
    seen = await _seen(connection, success.job_id)
    assert (json.loads(seen["result"]), seen["worker"], seen["error_type"]) == ({"n": 1}, "w", None)
    seen = await _seen(connection, failure.job_id)
    assert (seen["error_type"], seen["error_message"]) == ("ValueError", "no\x1b0such")
    assert seen["due_at"].timestamp() * SECOND == NOW + SECOND


@pytest.mark.parametrize(
    ("payload", "shown"),
    [(b"", None), (b"null", "null"), (b'"\\u0000"', None), (b"1", "1"), (b"[" + b"1," * 90_000 + b"1]", "long")],
)
async def test_what_jsonb_cannot_hold_is_not_shown(
    storage: PostgresStorage, connection: Any, payload: bytes, shown: str | None
) -> None:
    (job_id,) = await insert(storage, job(payload=payload))
    seen = (await _seen(connection, job_id))["payload"]
    assert seen == shown or (shown == "long" and json.loads(seen) == json.loads(payload))


@pytest.mark.parametrize("query", QUERIES)
async def test_the_queries_that_are_shown_work(storage: PostgresStorage, connection: Any, query: str) -> None:
    for state in STATES:
        await job_in(storage, state, payload=b'{"customer": "c"}')
    # The jobs' times are not the database's.
    query = query.replace("gotask.", "").replace("now()", f"to_timestamp({NOW / SECOND + 100})")
    assert len(await connection.fetch(query)) == 1


async def test_dead_jobs_are_found_by_index(storage: PostgresStorage, connection: Any) -> None:
    await job_in(storage, DEAD)
    await connection.execute("SET enable_seqscan = off")
    plan = "\n".join(row[0] for row in await connection.fetch("EXPLAIN SELECT id FROM jobs WHERE state = 'dead'"))
    assert "ended_state" in plan
    assert " line" not in plan
    assert " running" not in plan
