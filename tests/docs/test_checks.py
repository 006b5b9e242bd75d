"""The checks of the documentation really find what they look for."""

from collections.abc import Callable, Sequence

import helm_python
import pytest

from tests.docs.commands import Command, commands
from tests.docs.elsewhere import check_docker, check_files, check_helm, check_make, check_nats, check_pip
from tests.docs.test_mentions import problems


@pytest.mark.parametrize(
    ("check", "wrong"),
    [
        (check_make, ["make", "demmo"]),
        (check_files, ["kubectl", "apply", "-f", "deploy/nothing.yml"]),
        (check_docker, ["docker", "build", "--build-arg", "SERVICE=gatway", "."]),
        (check_docker, ["docker-compose", "up", "--scale", "wroker=10"]),
        (check_helm, ["helm", "install", "gotask", "deploy/helm/gotask", "--set", "kedaa.enabled=true"]),
        (check_pip, ["pip", "install", "gotask[cheese]"]),
        (check_nats, ["nats", "sub", "gotask.v1.evnt.>"]),
        (check_nats, ["nats", "stream", "info", "gotask_SUBMITS"]),
        (check_nats, ["nats", "pub", "gotask.v1.submit.mail", '{"typ": "echo"}']),
    ],
)
def test_a_command_that_runs_elsewhere_and_is_wrong_is_found(
    check: Callable[[Sequence[str]], None], wrong: Sequence[str]
) -> None:
    with pytest.raises((AssertionError, ValueError, helm_python.HelmError)):
        check(wrong)


@pytest.mark.parametrize("wrong", ["jobs lst", "jobs list --statuz dead", "worker --concurency 4", "frobnicate"])
def test_a_command_that_is_mentioned_and_wrong_is_found(wrong: str) -> None:
    assert list(problems(wrong.split()))


def test_commands_go_over_several_lines() -> None:
    text = (
        "# a remark\ncurl -d '{\n}' \\\n  localhost\n\ngotask jobs wait ID   # exit code 1\ncat a | gotask submit -\n"
    )
    found = list(commands(text))
    assert [command.program for command in found] == ["curl", "gotask", "cat"]
    assert [command.exit_code for command in found] == [0, 1, 0]
    assert [command.is_plain for command in found] == [True, True, False]


def test_a_command_that_does_not_end_is_found() -> None:
    with pytest.raises(AssertionError, match="does not end"):
        list(commands("echo 'never\n"))


def test_what_a_shell_would_change_is_not_plain() -> None:
    assert Command('gotask submit echo \'{"price": "$5"}\'').is_plain
    assert not Command('gotask submit echo "$PAYLOAD"').is_plain
