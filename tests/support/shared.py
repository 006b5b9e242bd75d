"""How the servers that all tests share are run."""

import os
from contextlib import AbstractContextManager

import pytest

from gotask.embedded import ServerCommand
from tests.support.servers import Server, running

_VARIABLE = "GOTASK_TEST_SERVERS"


def shared(command: ServerCommand) -> AbstractContextManager[Server]:
    """Runs *command*; as a container of Docker where ``GOTASK_TEST_SERVERS=containers`` asks for it."""
    kind = os.environ.get(_VARIABLE, "processes")
    if kind == "processes":
        return running(command)
    if kind != "containers":
        pytest.exit(f"{_VARIABLE} is {kind!r}: give 'processes' or 'containers'", pytest.ExitCode.USAGE_ERROR)
    from tests.support.containers import container  # what it needs takes a second to import

    return container(command)
