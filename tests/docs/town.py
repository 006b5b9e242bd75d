"""Where the documentation's commands run: one GoTask with the example handlers, which each page finds empty."""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.stack import Stack, http
from tests.support.waiting import wait_until_blocking

_QUEUES = "default,critical,notifications,reports,maintenance"
_WAITING = "scheduled,pending,retrying,running"
_CURLRC = "silent\nshow-error\nfail-with-body\nmax-time = 20\n"


class Town:
    """A stack, and what commands need to know of it."""

    def __init__(self, data: Path) -> None:
        self.stack = Stack(data, ["--queues", _QUEUES])
        (data / ".curlrc").write_text(_CURLRC)
        self.environment: Mapping[str, str] = {
            **self.stack.environment,
            # Services that a page starts beside ours.
            "GOTASK_HTTP_PORT": "0",
            "GOTASK_GRPC_PORT": "0",
            "GOTASK_METRICS_PORT": "0",
            "GOTASK_URL": self.stack.nats.address,
            "CURL_HOME": str(data),
            "COLUMNS": "200",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        rest = self.stack.url.removeprefix("http://").partition("/")[0]
        metrics = self.stack.metrics_url.removeprefix("http://")
        broker = self.stack.nats.address.removeprefix("nats://")
        ports = {"8080": rest, "50051": self.stack.grpc_address, "9464": metrics, "4222": broker}
        self._places = {f"{host}:{port}": real for port, real in ports.items() for host in ("localhost", "127.0.0.1")}

    def localized(self, text: str) -> str:
        """*text* with the addresses of this stack instead of those that are usual."""
        return re.sub("|".join(map(re.escape, self._places)), lambda found: self._places[found[0]], text)

    def tidy(self) -> None:
        """Ends all jobs, and forgets schedules and queues."""
        api = self.stack.url
        for schedule in self.stack.get("/schedules")["items"]:
            http("DELETE", f"{api}/schedules/{schedule['id']}")

        def gone() -> bool:
            for job in self.stack.get(f"/jobs?status={_WAITING}&limit=500")["items"]:
                http("POST", f"{api}/jobs/{job['id']}/cancel")
            for queue in self.stack.get("/queues")["items"]:
                http("DELETE", f"{api}/queues/{queue['name']}")
            return not self.stack.get("/queues")["items"]

        wait_until_blocking(gone, "all queues are gone")
