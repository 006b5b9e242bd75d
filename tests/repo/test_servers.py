"""Whoever chooses how the tests' servers are run is told when that cannot be."""

from pathlib import Path

import pytest

from gotask.embedded import free_port, nats_server
from tests.support.shared import shared


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ("containers", "GOTASK_TEST_SERVERS=containers, but no Docker engine answers"),
        ("podman", "GOTASK_TEST_SERVERS is 'podman': give 'processes' or 'containers'"),
    ],
)
def test_a_choice_that_cannot_be_had_ends_the_session(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, chosen: str, told: str
) -> None:
    monkeypatch.setenv("GOTASK_TEST_SERVERS", chosen)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    with pytest.raises(pytest.exit.Exception, match=told):
        shared(nats_server(tmp_path, free_port()))
