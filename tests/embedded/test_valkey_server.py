"""Which memory allocator Valkey runs with."""

import sys
from pathlib import Path

import psutil
import pytest
import redis

from gotask.embedded import free_port, valkey_server
from tests.support.servers import running


@pytest.mark.skipif(sys.platform != "linux", reason="libraries are loaded beforehand on Linux only")
def test_the_wheels_server_allocates_with_mimalloc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with running(valkey_server(tmp_path / "data", free_port())) as server:
        with redis.Redis.from_url(server.address) as client:
            process = psutil.Process(client.info("server")["process_id"])
        assert any("libmimalloc" in mapped.path for mapped in process.memory_maps())


def test_a_server_on_path_keeps_the_allocator_that_it_is_built_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "valkey-server").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert valkey_server(tmp_path / "data", free_port()).environment == {}
