"""deploy/nats lets everybody do his part, and nothing else."""

import asyncio
import ssl
import subprocess
import urllib.request
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

import grpc
import nats
import nats.errors
import pytest
from nats.aio.client import Client as NatsClient

from gotask import v1
from gotask.bus.bus import Bus
from gotask.sdk import Client
from gotask.sdk.client.settings import ClientSettings
from gotask.storage.contract import Storage
from gotask.v1.worker_service_pb2_grpc import WorkerServiceStub
from tests.cluster.brokers import CONFIGURATION, Brokers, nats_binary, password_of
from tests.cluster.fleet import Services
from tests.cluster.load import ended
from tests.support.stack import http
from tests.support.waiting import wait_until

_STEAL = "$JS.API.CONSUMER.CREATE.gotask_SUBMIT.thief"
_EMPTY = "$JS.API.STREAM.PURGE.gotask_SUBMIT"
_CHANGE = "$JS.API.STREAM.UPDATE.gotask_SUBMIT"
_DROP = "$JS.API.STREAM.DELETE.gotask_SUBMIT"
_FORGE = "gotask.v1.event.default.succeeded"
_UNCOUNT = "$JS.API.CONSUMER.DELETE.gotask_EVENTS.metrics"
_EAVESDROP = "_INBOX.>"

MAY_NOT_PUBLISH = {
    "queue-manager": ["gotask.v1.submit.default", "gotask.v1.result", "gotask.v1.due", _EMPTY, _DROP, _UNCOUNT],
    "scheduler": ["gotask.v1.result", "gotask.v1.claim", "gotask.v1.command.delete_jobs", _FORGE, _CHANGE, _STEAL],
    "worker": ["gotask.v1.submit.default", "gotask.v1.due", "gotask.v1.command.delete_queue", _FORGE, _CHANGE, _STEAL],
    "gateway": ["gotask.v1.due", "gotask.v1.tally.totals", _FORGE, _CHANGE, _STEAL, _UNCOUNT],
    "metrics": ["gotask.v1.submit.default", "gotask.v1.result", "gotask.v1.command.delete_queue", _FORGE, _CHANGE],
    "operator": ["gotask.v1.result", "gotask.v1.claim", _FORGE, _CHANGE, _DROP, _STEAL, _UNCOUNT],
    "backup": ["gotask.v1.submit.default", "gotask.v1.command.get_jobs", _FORGE, _CHANGE, _EMPTY, _DROP, _STEAL],
    "client": [
        "gotask.v1.submit",
        "gotask.v1.submit.critical",
        "gotask.v1.claim",
        "gotask.v1.result",
        "gotask.v1.heartbeat",
        "gotask.v1.command.get_jobs",
        "_INBOX.gateway.x",
        "$SYS.REQ.SERVER.PING",
        _FORGE,
        _CHANGE,
        _EMPTY,
        _DROP,
        _STEAL,
    ],
}
MAY_NOT_HEAR = {
    "queue-manager": ["gotask.v1.submit.*", "gotask.v1.claim", "gotask.v1.event.>", "_INBOX.worker.>"],
    "scheduler": ["gotask.v1.submit.*", "gotask.v1.claim", "gotask.v1.event.>", _EAVESDROP],
    "worker": ["gotask.v1.submit.*", "gotask.v1.claim", "gotask.v1.event.>", "gotask.v1.command.*", _EAVESDROP],
    "gateway": ["gotask.v1.submit.*", "gotask.v1.claim", "gotask.v1.result", _EAVESDROP],
    "metrics": ["gotask.v1.submit.*", "gotask.v1.claim", "gotask.v1.event.>", _EAVESDROP],
    "operator": ["gotask.v1.submit.*", "gotask.v1.claim", "gotask.v1.command.*", _EAVESDROP],
    "backup": ["gotask.v1.submit.*", "gotask.v1.event.>", "gotask.v1.command.*", "$JS.>", _EAVESDROP],
    "client": ["gotask.v1.submit.default", "gotask.v1.event.>", "gotask.v1.>", "$JS.>", "$SYS.>", ">", _EAVESDROP],
}


class Connection:
    """A connection, and what the broker refused on it."""

    def __init__(self, client: NatsClient, errors: list[str]) -> None:
        self._client = client
        self._errors = errors

    async def may_publish(self, subject: str) -> bool:
        await self._client.publish(subject, b"x")
        return await self._was_let(f'publish to "{subject}"')

    async def may_hear(self, subject: str) -> bool:
        await self._client.subscribe(subject)
        return await self._was_let(f'subscription to "{subject}"')

    async def _was_let(self, what: str) -> bool:
        """Whether nothing was heard of a refusal, which comes before the next ping is answered."""
        await self._client.flush(10)
        with suppress(AssertionError):
            await wait_until(lambda: any(what.lower() in error for error in self._errors), "it is refused", 10)
            return False
        return True


@asynccontextmanager
async def connected(brokers: Brokers, user: str) -> AsyncIterator[Connection]:
    errors: list[str] = []

    async def note(error: Exception) -> None:
        errors.append(str(error).lower())

    client = await nats.connect(**_options(brokers, user, password_of(user)), error_cb=note)
    try:
        yield Connection(client, errors)
    finally:
        await client.close()


def _options(brokers: Brokers, user: str, password: str) -> dict[str, Any]:
    tls = ssl.create_default_context(cafile=brokers.ca)
    servers = brokers.address.split(",")
    return {"servers": servers, "user": user, "password": password, "tls": tls, "connect_timeout": 10}


@pytest.mark.parametrize("user", MAY_NOT_PUBLISH)
async def test_nobody_steps_outside_his_part(brokers: Brokers, user: str) -> None:
    async with connected(brokers, user) as connection:
        published = [subject for subject in MAY_NOT_PUBLISH[user] if await connection.may_publish(subject)]
        heard = [subject for subject in MAY_NOT_HEAR[user] if await connection.may_hear(subject)]
    assert (published, heard) == ([], [])


async def test_a_client_submits_to_its_queue(brokers: Brokers, services: Services, storage: Storage) -> None:
    async with client_of(brokers, "client") as client:
        handle = await client.submit("record", queue="default")
        await ended(storage, [handle.id])


async def test_an_operator_has_all_that_the_command_line_does(brokers: Brokers, services: Services) -> None:
    async with asyncio.timeout(60), client_of(brokers, "operator") as client:
        handle = await client.submit("record")
        assert await handle.result(timeout="30s") is None
        assert [queue.name for queue in await client.queues.list()] == ["default"]
        async with aclosing(client.events()) as events:
            following = asyncio.create_task(anext(events))
            while not following.done():
                await client.submit("record")
                await asyncio.wait([following], timeout=0.2)
            assert following.result().queue == "default"
        (worker,) = await client.workers.list()
        assert (await client.workers.drain(worker.id)).draining
        assert not (await client.workers.resume(worker.id)).draining


@pytest.mark.parametrize(("user", "password"), [("gateway", "wrong"), ("nobody", "secret of nobody"), ("", "")])
async def test_nobody_else_is_let_in(brokers: Brokers, user: str, password: str) -> None:
    with pytest.raises(nats.errors.Error, match="Authorization Violation"):
        await nats.connect(**_options(brokers, user, password), allow_reconnect=False)


async def test_whoever_is_refused_hears_why(brokers: Brokers) -> None:
    settings = ClientSettings(brokers.address, nats_user="client", nats_password="wrong", nats_tls_ca=str(brokers.ca))
    with pytest.raises(TimeoutError, match="Authorization Violation"):
        await Bus.connect(settings, "gotask", "test", 4)


async def test_who_does_not_know_the_authority_sends_no_password(brokers: Brokers) -> None:
    options = _options(brokers, "client", password_of("client")) | {"tls": ssl.create_default_context()}
    with pytest.raises(ssl.SSLCertVerificationError):
        await nats.connect(**options, allow_reconnect=False)


def test_what_the_gateway_offers_works_with_these_rights(services: Services) -> None:
    url, root = services.url, services.url.removesuffix("/api/v1")
    (worker,) = http("GET", f"{url}/workers")[1]["items"]
    with grpc.insecure_channel(services.grpc_target) as channel:
        told = v1.WorkerInfo(id="over-grpc", queues=["default"])
        WorkerServiceStub(channel).Heartbeat(v1.Heartbeat(worker=told), timeout=30)
    schedule = {"name": "nightly", "job_type": "record", "cron_expr": "0 3 * * *"}
    schedule_url = f"{url}/schedules/{http('POST', f'{url}/schedules', schedule)[1]['id']}"
    calls = [
        ("POST", f"{url}/queues", {"name": "second"}),
        ("POST", f"{url}/queues/second/pause", None),
        ("GET", f"{url}/queues/second/stats", None),
        ("DELETE", f"{url}/queues/second", None),
        ("POST", f"{schedule_url}/run", None),
        ("DELETE", schedule_url, None),
        ("POST", f"{url}/workers/{worker['id']}/drain", None),
        ("POST", f"{url}/workers/{worker['id']}/resume", None),
        ("POST", f"{url}/workers/over-grpc/drain", None),
        ("GET", f"{url}/metrics", None),
        ("GET", f"{root}/metrics", None),
        ("GET", f"{url}/jobs", None),
    ]
    statuses = {f"{method} {path}": http(method, path, body)[0] for method, path, body in calls}
    assert {call for call, status in statuses.items() if status not in (200, 201, 202, 204)} == set(), statuses
    with urllib.request.urlopen(f"{url}/events", timeout=60) as events:
        assert events.readline()


def test_the_server_takes_the_configuration(brokers: Brokers) -> None:
    checked = check(brokers.nodes[0].environment)
    assert checked.returncode == 0, checked.stderr
    assert "is valid" in checked.stderr


@pytest.mark.parametrize("missing", ["NATS_PASSWORD_GATEWAY", "NATS_TLS_CA", "NATS_ROUTES"])
def test_the_server_refuses_a_configuration_that_lacks_something(brokers: Brokers, missing: str) -> None:
    environment = {name: value for name, value in brokers.nodes[0].environment.items() if name != missing}
    checked = check(environment)
    assert checked.returncode == 1
    assert missing in checked.stderr


def check(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    argv = [nats_binary(), "-t", "-c", str(CONFIGURATION)]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=30, check=False)


def client_of(brokers: Brokers, user: str) -> Client:
    return Client(
        brokers.address,
        timeout="20s",
        nats_user=user,
        nats_password=password_of(user),
        nats_inbox_prefix=f"_INBOX.{user}",
        nats_tls_ca=str(brokers.ca),
    )
