"""Keys, tokens, limits to some queues, rates, and the record of changes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import orjson
import pytest
import pytest_asyncio

from gotask import v1
from gotask.gateway.access import watched_file
from gotask.gateway.access.caller import Scope
from gotask.gateway.access.keys import KeyFile
from gotask.gateway.settings import GatewaySettings
from gotask.service.settings import InvalidSettings
from gotask.storage.memory import MemoryStorage
from tests.services.gateway.access_support import (
    SECRET,
    RsaKey,
    bearer,
    contents,
    make_key,
    metadata,
    now_us,
    overwrite,
    permissions,
    token,
)
from tests.services.gateway.grpc_support import frames, jobs, new_job, queues, refused, workers
from tests.services.gateway.sse import listening
from tests.services.gateway.support import API, Door, gateway, problem, queue_manager
from tests.support.servers import Server
from tests.support.waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOOK_EVERY_S = 0.05
DENIED = grpc.StatusCode.PERMISSION_DENIED


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("access")


@pytest.fixture(scope="module")
def key_file(folder: Path) -> Path:
    return folder / "keys.json"


@pytest.fixture(scope="module")
def rsa_key(folder: Path) -> RsaKey:
    key = RsaKey("one")
    (folder / "public.pem").write_bytes(key.pem)
    (folder / "jwks.json").write_bytes(orjson.dumps({"keys": [key.jwk]}))
    return key


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(nats: Server, folder: Path, key_file: Path, rsa_key: RsaKey) -> AsyncIterator[Door]:
    """A door that takes all kinds of credentials, and looks at its files often."""
    patch = pytest.MonkeyPatch()
    patch.setattr(watched_file, "_LOOK_EVERY_S", LOOK_EVERY_S)
    storage = MemoryStorage()
    settings: dict[str, Any] = {
        "api_keys_file": str(key_file),
        "jwt_secret": SECRET,
        "jwt_jwks_file": str(folder / "jwks.json"),
        "jwt_audience": "gotask",
        "jwt_issuer": "https://issuer.example",
        "audit_file": str(folder / "audit.ndjson"),
    }
    async with (
        queue_manager(nats.address, "access", storage),
        gateway(nats.address, "access", storage, **settings) as opened,
    ):
        yield opened
    patch.undo()


@pytest.fixture
def all_scopes(key_file: Path) -> str:
    return make_key(key_file, *Scope)


async def passes(door: Door, text: str) -> bool:
    """Whether the gateway lets somebody with this key or token look around."""
    status = (await door.http.get(f"{API}/queues", headers=bearer(text))).status_code
    assert status in (200, 401, 403)
    return status == 200


async def learns(door: Door, text: str) -> None:
    await wait_until(lambda: passes(door, text), "the gateway knows the key")


async def test_a_key_is_known_soon_after_it_was_made_and_not_after_it_was_revoked(door: Door, key_file: Path) -> None:
    key = make_key(key_file, Scope.READ)
    await learns(door, key)
    assert (await door.http.get(f"{API}/queues", headers={"X-API-Key": key})).status_code == 200
    assert key not in contents(key_file)
    assert permissions(key_file) == 0o600
    for wrong in (key[:-1] + ("a" if key[-1] != "a" else "b"), key[:-1], f"{key}x", "gtk_", "x"):
        assert not await passes(door, wrong)
    assert KeyFile(key_file).revoke(key.split("_")[1])

    async def revoked() -> bool:
        return not await passes(door, key)

    await wait_until(revoked, "the key is revoked")
    refusal = problem(await door.http.get(f"{API}/queues", headers=bearer(key)), 401)
    assert "not known, or not valid any more" in refusal.detail


async def test_a_key_expires(door: Door, key_file: Path) -> None:
    key = make_key(key_file, Scope.READ, expires_at_us=now_us() + 500_000)
    await learns(door, key)

    async def expired() -> bool:
        return not await passes(door, key)

    await wait_until(expired, "the key has expired")


async def test_a_key_file_that_is_broken_leaves_the_keys_as_they_were(door: Door, key_file: Path) -> None:
    key = make_key(key_file, Scope.READ)
    await learns(door, key)
    whole = contents(key_file)
    overwrite(key_file, whole[:-20])
    await asyncio.sleep(2 * LOOK_EVERY_S)  # so that the gateway has looked again
    assert await passes(door, key)
    overwrite(key_file, whole)


GOOD = {"aud": "gotask", "iss": "https://issuer.example"}


@pytest.mark.parametrize(
    ("fields", "good"),
    [
        ({}, True),
        ({"scope": None, "scopes": ["read"]}, True),
        ({"scope": "other read"}, True),
        ({"scope": "submit"}, False),
        ({"scope": 7}, False),
        ({"exp": 1}, False),
        ({"exp": None}, False),
        ({"sub": None}, False),
        ({"nbf": 32503680000}, False),
        ({"aud": "others"}, False),
        ({"aud": None}, False),
        ({"iss": "https://other.example"}, False),
        ({"queues": []}, False),
        ({"queues": "default"}, False),
    ],
)
async def test_tokens_by_what_they_claim(door: Door, rsa_key: RsaKey, fields: dict[str, Any], good: bool) -> None:
    assert await passes(door, token({**GOOD, **fields})) is good
    assert await passes(door, rsa_key.token(**{**GOOD, **fields})) is good


async def test_tokens_by_how_they_are_signed(door: Door, rsa_key: RsaKey) -> None:
    stranger = RsaKey("one")
    assert not await passes(door, stranger.token(**GOOD))
    assert not await passes(door, token(GOOD, "another secret of thirty-two bytes"))
    assert not await passes(door, token(GOOD, "", "none"))
    assert not await passes(door, token(GOOD, "x" * 64, "HS512"))
    # The public key is no secret: a token that was signed with its text is not good.
    assert not await passes(door, token(GOOD, f"x{rsa_key.pem.decode()}".replace("-", "")))
    assert not await passes(door, rsa_key.token(**GOOD)[:-4] + "AAAA")
    assert not await passes(door, "a.b.c" + "x" * 10_000)


async def test_new_keys_for_tokens_are_taken_up(door: Door, folder: Path, rsa_key: RsaKey) -> None:
    second = RsaKey("two")
    assert not await passes(door, second.token(**GOOD))
    (folder / "jwks.json").write_bytes(orjson.dumps({"keys": [second.jwk]}))
    await learns(door, second.token(**GOOD))
    assert not await passes(door, rsa_key.token(**GOOD))
    (folder / "jwks.json").write_bytes(orjson.dumps({"keys": [rsa_key.jwk]}))
    await learns(door, rsa_key.token(**GOOD))


async def test_a_public_key_in_a_file_of_its_own(nats: Server, folder: Path, rsa_key: RsaKey) -> None:
    settings = {"jwt_public_key_file": str(folder / "public.pem")}
    async with gateway(nats.address, "access", MemoryStorage(), **settings) as door:
        assert await passes(door, rsa_key.token())
        assert not await passes(door, token({}))
        assert not await passes(door, "gtk_0123456789ab_" + "x" * 43)


async def test_a_key_for_some_queues_sees_and_uses_no_others(door: Door, key_file: Path, all_scopes: str) -> None:
    mine = make_key(key_file, *Scope, queues=["mine"])
    await learns(door, mine)
    await learns(door, all_scopes)
    http = door.http
    for queue in ("mine", "others"):
        await http.post(f"{API}/jobs", json={"type": "echo", "queue": queue}, headers=bearer(all_scopes))
    ids = {
        job["queue"]: job["id"] for job in (await http.get(f"{API}/jobs", headers=bearer(all_scopes))).json()["items"]
    }

    async def status(method: str, path: str, **options: Any) -> int:
        return (await http.request(method, API + path, headers=bearer(mine), **options)).status_code

    job = {"type": "echo", "queue": "others"}
    assert await status("POST", "/jobs", json=job) == 403
    batch = await http.post(f"{API}/jobs/batch", json={"jobs": [job, {**job, "queue": "mine"}]}, headers=bearer(mine))
    assert [item["status"] for item in batch.json()["items"]] == [403, 201]
    for method, tail in [("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("POST", "/retry"), ("GET", "/events")]:
        assert await status(method, f"/jobs/{ids['others']}{tail}") == 404
    assert await status("GET", "/jobs?queue=others") == 403
    listed = (await http.get(f"{API}/jobs", headers=bearer(mine))).json()["items"]
    assert {job["queue"] for job in listed} == {"mine"}
    for method, tail in [
        ("GET", ""),
        ("PUT", ""),
        ("DELETE", ""),
        ("GET", "/stats"),
        ("POST", "/pause"),
        ("GET", "/dead"),
    ]:
        body: dict[str, Any] = {"json": {}} if method == "PUT" else {}
        assert await status(method, f"/queues/others{tail}", **body) == 403
        assert await status(method, f"/queues/nowhere{tail}", **body) == 403
    assert await status("POST", "/queues", json={"name": "new"}) == 403
    seen = (await http.get(f"{API}/queues", headers=bearer(mine))).json()["items"]
    assert [queue["name"] for queue in seen] == ["mine"]
    assert await status("GET", "/events?queue=others") == 403
    async with listening(http, f"{API}/events", headers=bearer(mine)) as told:
        for queue in ("others", "mine"):
            await http.post(f"{API}/jobs", json={"type": "echo", "queue": queue}, headers=bearer(all_scopes))
        assert (await anext(told)).document["queue"] == "mine"


async def test_a_key_of_another_job_is_not_shown_to_who_may_not_see_it(
    door: Door, key_file: Path, all_scopes: str
) -> None:
    mine = make_key(key_file, *Scope, queues=["mine"])
    await learns(door, mine)
    await learns(door, all_scopes)
    job = {"type": "echo", "queue": "others", "idempotency_key": "secret"}
    await door.http.post(f"{API}/jobs", json=job, headers=bearer(all_scopes))
    answer = await door.http.post(f"{API}/jobs", json={**job, "queue": "mine"}, headers=bearer(mine))
    problem(answer, 409)


async def test_limits_to_queues_over_grpc(door: Door, key_file: Path, all_scopes: str) -> None:
    key = make_key(key_file, *Scope, queues=["mine", "ours"])
    await learns(door, key)
    await learns(door, all_scopes)
    mine, whole = metadata(key), metadata(all_scopes)
    service, labour = jobs(door.channel), workers(door.channel)
    other = (await service.SubmitJob(new_job(queue="secret"), metadata=whole)).job.spec
    with refused(grpc.StatusCode.NOT_FOUND):
        await service.GetJob(v1.GetJobRequest(id=other.id), metadata=mine)
    with refused(DENIED) as refusal:
        await service.ListJobs(v1.ListJobsRequest(), metadata=mine)
    assert "may use several queues: name one of" in refusal.message
    (ack,) = [
        ack
        async for ack in service.SubmitStream(frames([new_job(queue="secret"), new_job(queue="ours")]), metadata=mine)
    ]
    assert [each.status.code for each in ack.acks] == [7, 0]
    with refused(DENIED):
        await queues(door.channel).PauseQueue(v1.QueueName(name="secret"), metadata=mine)
    with refused(DENIED):
        await anext(
            aiter(labour.Claim(v1.ClaimRequest(worker="w", queues=["mine", "secret"], capacity=1), metadata=mine))
        )
    lie = v1.JobResult(job_id=other.id, queue="mine", type="echo")
    lie.attempt.attempt, lie.attempt.outcome = 1, v1.OUTCOME_SUCCESS
    with refused(DENIED):
        await labour.Report(v1.JobResults(worker="w", results=[lie]), metadata=mine)
    beat = v1.Heartbeat(
        worker=v1.WorkerInfo(id="w", queues=["mine"]), job_ids=[other.id], attempts=[1], queues=["mine"]
    )
    with refused(DENIED):
        await labour.Heartbeat(beat, metadata=mine)


async def test_changes_are_recorded_whatever_came_of_them(
    door: Door, key_file: Path, folder: Path, all_scopes: str
) -> None:
    reader = make_key(key_file, Scope.READ)
    await learns(door, all_scopes)
    await learns(door, reader)
    before = len((folder / "audit.ndjson").read_bytes().splitlines())
    await door.http.post(f"{API}/queues", json={"name": "audited"}, headers=bearer(all_scopes))
    await door.http.delete(f"{API}/queues/nowhere", headers=bearer(all_scopes))
    await queues(door.channel).PauseQueue(v1.QueueName(name="audited"), metadata=metadata(all_scopes))
    await door.http.delete(f"{API}/queues/audited", headers=bearer(reader))
    await door.http.get(f"{API}/queues/audited", headers=bearer(reader))
    lines = [orjson.loads(line) for line in (folder / "audit.ndjson").read_bytes().splitlines()[before:]]
    key_id = all_scopes.split("_")[1]
    assert [(line["caller"], line["action"], line["target"], line["outcome"]) for line in lines] == [
        (f"test ({key_id})", "create_queue", "audited", "OK"),
        (f"test ({key_id})", "delete_queue", "nowhere", "NOT_FOUND"),
        (f"test ({key_id})", "pause_queue", "audited", "OK"),
        (f"test ({reader.split('_')[1]})", "DELETE /api/v1/queues/{name}", "", "PERMISSION_DENIED"),
    ]
    assert all(abs(line["at_us"] - now_us()) < 60_000_000 for line in lines)


async def test_a_key_has_a_rate(door: Door, key_file: Path) -> None:
    key = make_key(key_file, *Scope, rate=5)
    await learns(door, key)
    answers = [await door.http.get(f"{API}/queues", headers=bearer(key)) for _ in range(12)]
    late = problem(answers[-1], 429)
    assert answers[-1].headers["retry-after"] == str(late.retry_after) == "1"
    with refused(grpc.StatusCode.RESOURCE_EXHAUSTED) as refusal:
        await queues(door.channel).GetQueue(v1.QueueName(name="x"), metadata=metadata(key))
    assert refusal.retry_after_s == 1


async def test_each_job_of_a_batch_counts(door: Door, key_file: Path) -> None:
    key = make_key(key_file, *Scope, rate=2)
    await learns(door, key)

    async def taken() -> bool:
        jobs_ = {"jobs": [{"type": "echo"}] * 100}
        answer = await door.http.post(f"{API}/jobs/batch", json=jobs_, headers=bearer(key))
        return answer.status_code == 200

    await wait_until(taken, "its rate allows a call")
    late = problem(await door.http.get(f"{API}/queues", headers=bearer(key)), 429)
    assert late.retry_after
    assert late.retry_after > 40


async def test_metrics_may_be_open(nats: Server, key_file: Path) -> None:
    settings = {"api_keys_file": str(key_file), "open_metrics": True, "command_timeout": 0.05}
    async with gateway(nats.address, "access", MemoryStorage(), **settings) as door:
        for path in ("/metrics", f"{API}/metrics"):
            assert (await door.http.get(path)).status_code != 401
        assert (await door.http.get(f"{API}/queues")).status_code == 401


async def test_without_keys_each_address_has_the_rate(nats: Server) -> None:
    async with gateway(nats.address, "access", MemoryStorage(), rate_limit=3) as door:
        statuses = [(await door.http.get(f"{API}/queues")).status_code for _ in range(10)]
        assert statuses[:3] == [200] * 3
        assert 429 in statuses
        assert (await door.http.get("/health")).status_code == 200


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"http_addr": "0.0.0.0"}, "GOTASK_HTTP_ADDR"),
        ({"http_addr": "::"}, "GOTASK_HTTP_ADDR"),
        ({"http_addr": "gateway.example"}, "GOTASK_HTTP_ADDR"),
        ({"grpc_addr": "10.0.0.1"}, "GOTASK_GRPC_ADDR"),
        ({"jwt_secret": "short"}, "GOTASK_JWT_SECRET"),
        ({"tls_cert": "a.pem"}, "GOTASK_TLS_KEY"),
        ({"tls_client_ca": "a.pem"}, "GOTASK_TLS_CERT"),
    ],
)
async def test_settings_that_would_leave_the_door_open_are_refused(settings: dict[str, str], named: str) -> None:
    with pytest.raises(InvalidSettings, match=named):
        GatewaySettings.load(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"http_addr": "127.0.0.1"},
        {"http_addr": "::1"},
        {"http_addr": "localhost"},
        {"http_addr": "0.0.0.0", "allow_anonymous": True},
        {"http_addr": "0.0.0.0", "api_keys_file": "keys.json"},
        {"http_addr": "0.0.0.0", "jwt_secret": SECRET},
    ],
)
async def test_settings_that_are_fine(settings: dict[str, Any]) -> None:
    assert GatewaySettings.load(**settings)
