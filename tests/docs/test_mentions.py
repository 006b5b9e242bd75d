"""What pages mention in passing, between backquotes: commands, options and settings that exist."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import typer

from gotask.cli.main import app
from gotask.gateway.settings import GatewaySettings
from gotask.metrics.settings import MetricsSettings
from gotask.queue_manager.settings import QueueManagerSettings
from gotask.scheduler.settings import SchedulerSettings
from gotask.sdk.client.settings import ClientSettings
from gotask.service.settings import PREFIX, ServiceSettings
from gotask.worker.settings import WorkerSettings
from tests.docs.blocks import ROOT, pages

_SERVICES: dict[str, type[ServiceSettings]] = {
    "gateway": GatewaySettings,
    "queue-manager": QueueManagerSettings,
    "scheduler": SchedulerSettings,
    "worker": WorkerSettings,
    "metrics": MetricsSettings,
}
_FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"`(gotask [^`]+)`")
_SETTING = re.compile(rf"`{PREFIX}([A-Z_]*[A-Z])(?:=[^`]*)?`")


@pytest.mark.parametrize("page", pages())
def test_what_a_page_mentions_exists(page: str) -> None:
    text = _FENCED.sub("", (ROOT / page).read_text())
    known = {name for settings in _SERVICES.values() for name in settings.model_fields}
    known |= {*ClientSettings.__dataclass_fields__}
    assert [name for name in _SETTING.findall(text) if name.lower() not in known] == []
    assert [problem for found in _COMMAND.findall(text) for problem in problems(found.split()[1:])] == []


def problems(words: Sequence[str]) -> Iterator[str]:
    """What is wrong with a command that is shown without its surroundings."""
    command: Any = typer.main.get_command(app)
    names = list(words)
    while names and names[0] in getattr(command, "commands", ()):
        command = command.commands[names.pop(0)]
    if hasattr(command, "commands") and names and re.fullmatch(r"[a-z-]*[a-z]", names[0]):
        yield f"there is no `gotask {' '.join(words)}`"
    options = {option for each in command.params for option in each.opts} | {"--help"}
    if words[0] in _SERVICES:
        options |= {f"--{name.replace('_', '-')}" for name in _SERVICES[words[0]].model_fields}
    for word in words:
        if word.startswith("--") and word.partition("=")[0] not in options:
            yield f"`gotask {' '.join(words)}` has no option {word}"
