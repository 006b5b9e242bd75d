"""TLS, ended by a proxy in front of a real server."""

from pathlib import Path

import pytest

from gotask.jobs.request import default_queue
from gotask.storage.contract import StorageError, StorageUnavailable
from gotask.storage.redis import RedisStorage
from tests.storage.support import NOW, claim, end, insert, job
from tests.support.certificates import Certificate
from tests.support.proxy import proxy_to
from tests.support.servers import ServerProcess


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_job_goes_its_way_over_tls(
    server: ServerProcess, namespace: str, certificate: Certificate, host: str
) -> None:
    async with proxy_to(server.command.port, certificate.server_context()) as proxy:
        storage = RedisStorage(f"rediss://{host}:{proxy.port}/0?ssl_ca_certs={certificate.path}", namespace)
        await storage.open()
        await storage.create_queue(default_queue("default", NOW))
        await insert(storage, job(payload=b'"' + b"x" * 200_000 + b'"'))
        (claimed,) = await claim(storage)
        await end(storage, claimed, result=b"x" * 200_000)
        await storage.close()


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    server: ServerProcess, namespace: str, certificate: Certificate, tmp_path: Path
) -> None:
    async with proxy_to(server.command.port, certificate.server_context()) as proxy:
        other = Certificate(tmp_path)
        for options in ("", f"?ssl_ca_certs={other.path}"):
            storage = RedisStorage(f"rediss://localhost:{proxy.port}/0{options}", namespace)
            with pytest.raises(StorageError, match="certificate") as refused:
                await storage.open()
            assert not isinstance(refused.value, StorageUnavailable)
            await storage.close()
        trusting = RedisStorage(f"rediss://localhost:{proxy.port}/0?ssl_cert_reqs=none", namespace)
        await trusting.open()
        await trusting.close()


async def test_tls_to_a_server_without_it_and_the_other_way_round(
    server: ServerProcess, namespace: str, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gotask.storage.redis.client.CALL_TIMEOUT_S", 0.3)
    async with proxy_to(server.command.port, certificate.server_context()) as proxy:
        for address in (f"rediss://127.0.0.1:{server.command.port}", f"redis://127.0.0.1:{proxy.port}"):
            storage = RedisStorage(address, namespace)
            with pytest.raises(StorageError):
                await storage.open()
            await storage.close()
