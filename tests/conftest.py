"""Servers that all tests share: one nats-server, one Valkey and one PostgreSQL, kept apart by namespaces."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_timeout import get_env_settings

from gotask.embedded import free_port, nats_server, valkey_server
from gotask.storage.postgres import PostgresAddress
from tests.storage.schemas import Schemas
from tests.support.parallel import Scheduling, keep_to_own_ports
from tests.support.servers import Server, ServerProcess, postgres_command, running
from tests.support.shared import shared

_names = itertools.count()

# The broker sets aside what a stream may grow to, and each namespace has five.
os.environ.setdefault("GOTASK_STREAM_MAX_BYTES", str(32 << 20))
os.environ.setdefault("GOTASK_EVENTS_MAX_BYTES", str(32 << 20))
keep_to_own_ports()

_TEARDOWN_S = 60.0


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    return Scheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """A clock of its own: pytest-timeout stops its clock when a test fails, and what hangs then would hang for ever."""
    settings = get_env_settings(item.config)
    if settings.timeout:
        hooks = item.config.pluginmanager.hook
        hooks.pytest_timeout_cancel_timer(item=item)
        hooks.pytest_timeout_set_timer(item=item, settings=settings._replace(timeout=_TEARDOWN_S))
    return (yield)


@pytest.fixture(scope="session")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A nats-server for tests that do not disturb it."""
    with shared(nats_server(tmp_path_factory.mktemp("nats"), free_port())) as server:
        yield server


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Valkey server for tests that do not disturb it."""
    with shared(valkey_server(tmp_path_factory.mktemp("valkey"), free_port())) as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server for tests that do not disturb it: it would not survive that, and is quicker for it."""
    with postgres_command("fsync=off", "full_page_writes=off") as command, shared(command) as server:
        yield server


@pytest.fixture
def own_nats(tmp_path: Path) -> Iterator[ServerProcess]:
    """A nats-server that the test may kill and restart."""
    with running(nats_server(tmp_path / "nats", free_port())) as server:
        yield server


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[ServerProcess]:
    """A Valkey server that the test may kill and restart."""
    with running(valkey_server(tmp_path / "valkey", free_port())) as server:
        yield server


@pytest.fixture
def own_postgres() -> Iterator[ServerProcess]:
    """A PostgreSQL server that the test may kill and restart."""
    with postgres_command() as command, running(command) as server:
        yield server


@pytest.fixture
def namespace() -> str:
    """A namespace that no other test uses."""
    return f"t{next(_names)}"


@pytest.fixture(scope="session")
def schemas(postgres: Server) -> Schemas:
    """Schemas of that server, for tests that need one each."""
    return Schemas(PostgresAddress(postgres.address))
