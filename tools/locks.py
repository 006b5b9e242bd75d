"""Resolves pyproject.toml into the lock files: ``python -m tools.locks [--upgrade]``; ``--check`` compares, offline."""

import argparse
import itertools
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
_COMPILE = ["pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-emit-index-url", "--no-header"]
_PIN = re.compile(r"^([\w.-]+)(?:\[[^]]*])?==([^ ;\\]+)(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)

IMAGES = {
    "gateway": ("redis", "postgres", "gateway", "telemetry", "nkey"),
    "queue-manager": ("redis", "postgres", "telemetry", "nkey"),
    "scheduler": ("redis", "postgres", "telemetry", "nkey"),
    "worker": ("telemetry", "nkey"),
    "metrics": ("redis", "postgres", "telemetry", "dashboard", "nkey"),
}
"""The extras that each service's image carries."""


def _image_lock(extras: tuple[str, ...]) -> tuple[str, ...]:
    """With the versions that everything else is tested with."""
    flags = [flag for extra in extras for flag in ("--extra", extra)]
    return (*flags, "--constraint", "requirements.lock", "pyproject.toml")


LOCKS = {
    "requirements.lock": ("--all-extras", "pyproject.toml"),
    "requirements-build.lock": ("--group", "build"),
    "requirements-dev.lock": ("--all-extras", "--group", "dev", "pyproject.toml"),
} | {f"deploy/docker/locks/{service}.lock": _image_lock(extras) for service, extras in IMAGES.items()}
"""Each lock file, and what uv makes it from."""


def declared(lock: str, project: dict[str, Any]) -> dict[str, Requirement]:
    """The requirements that pyproject.toml names for *lock*, by canonical name."""
    what = LOCKS[lock]
    entries: list[str] = []
    if "pyproject.toml" in what:
        entries += project["project"]["dependencies"]
        extras = project["project"]["optional-dependencies"]
        wanted = extras if "--all-extras" in what else _values_of("--extra", what)
        entries += [entry for extra in wanted for entry in extras[extra]]
    for group in _values_of("--group", what):
        entries += _group(project, group)
    return {canonicalize_name(requirement.name): requirement for requirement in map(Requirement, entries)}


def _values_of(flag: str, what: tuple[str, ...]) -> list[str]:
    return [value for name, value in itertools.pairwise(what) if name == flag]


def _group(project: dict[str, Any], name: str) -> list[str]:
    entries: list[str] = []
    for entry in project["dependency-groups"][name]:
        entries += [entry] if isinstance(entry, str) else _group(project, entry["include-group"])
    return entries


def problems(lock: str, text: str, project: dict[str, Any]) -> list[str]:
    """Where *text*, the content of *lock*, is not a resolution of what *project* (pyproject.toml) declares."""
    pins: dict[str, tuple[str, bool]] = {
        canonicalize_name(pin[1]): (pin[2], "(pyproject.toml" in pin[3]) for pin in _PIN.finditer(text)
    }
    wanted = declared(lock, project)
    found = [f"{lock} has no {name}" for name in wanted if name not in pins]
    found += [
        f"{lock} has {name} {pins[name][0]}, pyproject.toml wants {requirement.specifier}"
        for name, requirement in wanted.items()
        if name in pins and not requirement.specifier.contains(pins[name][0], prereleases=True)
    ]
    leftovers = [name for name, (_, direct) in pins.items() if direct and name not in wanted]
    return found + [f"{lock} has {name}, which pyproject.toml no longer names" for name in leftovers]


def write(upgrade: bool) -> None:
    """Resolves anew; pins that still fit stay, unless *upgrade*."""
    extra = ["--upgrade"] if upgrade else []
    for lock, what in LOCKS.items():
        command = [sys.executable, "-m", "uv", *_COMPILE, "--python-version", "3.11", *extra, *what, "-o", lock]
        subprocess.run(command, cwd=ROOT, check=True)


def main() -> int:
    """The exit code: 1 when ``--check`` found something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--upgrade", action="store_true", help="to the newest versions that fit")
    args = parser.parse_args()
    if not args.check:
        write(args.upgrade)
        return 0
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found = [line for lock in LOCKS for line in problems(lock, (ROOT / lock).read_text(), project)]
    for line in found:
        print(f"{line}: run `make locks`", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
