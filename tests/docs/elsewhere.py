"""Commands of the documentation that tests cannot run, why, and what is checked of them instead."""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import orjson
import yaml

from gotask.bus.subjects import KIND_TOKENS, Stream, Subjects
from gotask.jobs.request import JobRequest
from tests.deploy.rendered import charted
from tests.docs.blocks import ROOT
from tools.locks import IMAGES

_SUBJECTS = Subjects("gotask")
_FOLDERS = ("deploy/", "docs/", "examples/", "proto/", "tools/")


class Elsewhere(NamedTuple):
    """Why a program's commands do not run here, and what raises AssertionError for one that is wrong."""

    reason: str
    check: Callable[[Sequence[str]], None]


def check_make(words: Sequence[str]) -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for word in words[1:]:
        assert "=" in word or word in targets, f"make has no target {word}"


def check_files(words: Sequence[str]) -> None:
    """What looks like a path of the repository is one."""
    for word in words:
        path = word.rpartition("=")[2]
        assert not path.startswith(_FOLDERS) or (ROOT / path).exists(), f"there is no {path}"


def check_docker(words: Sequence[str]) -> None:
    """Besides, what is built or scaled is a service of GoTask."""
    check_files(words)
    named = [word.partition("=")[2] for word in words if word.startswith("SERVICE=")]
    named += [after.partition("=")[0] for word, after in pairwise(words) if word == "--scale"]
    assert set(named) <= IMAGES.keys(), f"GoTask has no service {named}"


def check_helm(words: Sequence[str]) -> None:
    """Besides, the chart takes the values."""
    check_files(words)
    values: dict[str, Any] = {}
    for word, after in pairwise(words):
        if word == "--set":
            name, _, value = after.partition("=")
            *parents, last = name.split(".")
            place = values
            for parent in parents:
                place = place.setdefault(parent, {})
            place[last] = yaml.safe_load(value)
    charted(values)


def check_pip(words: Sequence[str]) -> None:
    """The extras exist."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for word in words:
        if found := re.fullmatch(r"gotask\[(.*)\]", word):
            assert set(found[1].split(",")) <= extras.keys(), word


def check_nats(words: Sequence[str]) -> None:
    """Subjects and streams are GoTask's, and what is published is a job for the subject's queue."""
    for word in words:
        if word.startswith("gotask."):
            assert _is_subject(word), f"{word} is no subject of GoTask"
        elif word.startswith("gotask_"):
            assert word in {_SUBJECTS.stream(each) for each in Stream}, f"{word} is no stream of GoTask"
        elif word.startswith("{"):
            JobRequest.model_validate(orjson.loads(word))


def _is_subject(subject: str) -> bool:
    kinds = "|".join(KIND_TOKENS.values())
    known = (r"submit(\.\w+)?", r"rejected\.[\w>]+", rf"event\.(>|\w+\.({kinds}))", r"command\.\w+")
    return any(re.fullmatch(rf"gotask\.v1\.{each}", subject) for each in known)


ELSEWHERE: Mapping[str, Elsewhere] = {
    "make": Elsewhere("its targets install, test or stay; each has a test or is one", check_make),
    "git": Elsewhere("it needs a repository elsewhere", check_files),
    "pip": Elsewhere("it needs a registry", check_pip),
    "nats": Elsewhere("NATS's own command line is no Python package", check_nats),
    "docker": Elsewhere("it needs an engine, which few test machines have", check_docker),
    "docker-compose": Elsewhere("it needs an engine, which few test machines have", check_docker),
    "kubectl": Elsewhere("it needs a cluster", check_files),
    "helm": Elsewhere("it needs a cluster", check_helm),
    "grpcurl": Elsewhere("it is no Python package", check_files),
}
"""By program."""
