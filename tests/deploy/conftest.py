"""The environments of all five services: built once, for all these tests."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.environments import LOCKS, Environment, build_environment, build_wheel, megabytes
from tools.locks import IMAGES


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Environment]]:
    folder = tmp_path_factory.mktemp("environments")
    pythons: dict[tuple[str, ...], Path] = {}
    built: dict[str, Environment] = {}
    try:
        wheel = build_wheel(folder)
        for service, extras in IMAGES.items():
            if extras not in pythons:
                pythons[extras] = build_environment(folder / service, LOCKS / f"{service}.lock", wheel)
                print(f"environment of {service}: {megabytes(folder / service):.1f} MB")
            built[service] = Environment(service, pythons[extras], folder / f"{service}.log")
        yield built
    finally:
        for environment in built.values():
            environment.end()
        shutil.rmtree(folder, ignore_errors=True)
