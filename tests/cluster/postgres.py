"""A PostgreSQL server and one that replicates it synchronously."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.postgres import run, tell
from tests.support.servers import ServerProcess, postgres_command, postgres_in, running
from tests.support.waiting import wait_until_blocking

_REPLICATES = ("wal_level=replica", "max_wal_senders=4")
_IN_STEP = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'sync'"


class Pair:
    """A primary, and the standby without whose word it confirms nothing."""

    def __init__(self, primary: ServerProcess, standby: ServerProcess) -> None:
        self.primary = primary
        self._standby = standby

    @property
    def address(self) -> str:
        """Names both, and leads to the one that takes writes."""
        begin, _, end = self.primary.address.rpartition("/")
        return f"{begin},127.0.0.1:{self._standby.command.port}/{end}?target_session_attrs=primary"

    def promote(self) -> None:
        """The standby takes writes from now on."""
        begin, _, end = self.primary.address.rpartition(":")
        promoted = f"{begin}:{self._standby.command.port}/{end.partition('/')[2]}"
        assert tell(promoted, "SELECT pg_promote(wait => true, wait_seconds => 30)") == "t"


@contextmanager
def running_pair() -> Iterator[Pair]:
    with ExitStack() as ends:
        primary = ends.enter_context(running(ends.enter_context(postgres_command(*_REPLICATES))))
        data = Path(ends.enter_context(TemporaryDirectory(prefix="gotask-postgres-")))
        standby = ServerProcess(postgres_in(data, *_REPLICATES))
        ends.callback(standby.kill)
        _copy(primary, data / "cluster")
        standby.start()
        tell(primary.address, "ALTER SYSTEM SET synchronous_standby_names = '*'")
        tell(primary.address, "SELECT pg_reload_conf()")
        wait_until_blocking(lambda: tell(primary.address, _IN_STEP) == "1", "the standby is in step")
        yield Pair(primary, standby)


def _copy(primary: ServerProcess, cluster: Path) -> None:
    """A base backup that follows its primary once it is started, of the same owner."""
    copy = ["pg_basebackup", "--checkpoint=fast", "--no-sync", "--write-recovery-conf", f"--pgdata={cluster}"]
    run([*copy, f"--dbname={primary.address}"])
    owner = (Path(primary.command.data) / "cluster").stat()
    for path in (cluster, *cluster.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)
