"""What an image holds, without an engine: for each service an environment of its own, closed to everything else."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from gotask.embedded import free_port
from tests.support.stack import http
from tests.support.waiting import wait_until_blocking

ROOT = Path(__file__).parents[2]
LOCKS = ROOT / "deploy/docker/locks"

_IMPORT_ALL = """
import importlib, pkgutil, sys
for name in sys.argv[1:]:
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, name + "."):
        if not module.name.endswith("__main__"):
            try:
                importlib.import_module(module.name)
            except ImportError as error:
                print(module.name, error)
"""


def build_wheel(folder: Path) -> Path:
    """GoTask itself, as every image installs it."""
    _run([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder])
    return next(folder.glob("*.whl"))


def build_environment(folder: Path, lock: Path, wheel: Path) -> Path:
    """A virtual environment with what *lock* names, hashes checked, and GoTask; nothing else. Its Python."""
    uv: list[str | Path] = [sys.executable, "-m", "uv"]
    _run([*uv, "venv", "--quiet", "--no-project", "--python", sys.executable, folder])
    python = folder / "bin/python"
    install = [*uv, "pip", "install", "--quiet", "--python", python]
    _run([*install, "--require-hashes", "--only-binary", ":all:", "--requirements", lock])
    _run([*install, "--no-deps", "--offline", wheel])
    return python


def megabytes(folder: Path) -> float:
    """What an environment holds."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def _run(command: Iterable[str | Path]) -> None:
    done = subprocess.run(list(command), cwd=ROOT, capture_output=True, text=True, check=False, timeout=150)
    assert done.returncode == 0, done.stdout + done.stderr


class Environment:
    """One service's packages, and the service while it runs in them."""

    def __init__(self, service: str, python: Path, log: Path) -> None:
        self.service = service
        self._python = python
        self._log = log
        self._health = ""
        self._process: subprocess.Popen[bytes] | None = None

    def command(self, *arguments: str) -> list[str]:
        """Isolated: no module of this repository or of the tests' environment is found."""
        return [str(self._python), "-I", "-m", "gotask.cli", *arguments]

    def missing_modules(self, *packages: str) -> str:
        """Imports every module of *packages*; what could not be, and why."""
        argv = [str(self._python), "-I", "-c", _IMPORT_ALL, *packages]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
        return done.stdout + done.stderr

    def start(self, environment: dict[str, str]) -> None:
        """Starts the service with these variables alone."""
        port = free_port()
        self._health = f"http://127.0.0.1:{port}/ready"
        argv = self.command(self.service, "--health-port", str(port))
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(argv, stdout=log, stderr=log, env=environment, cwd=self._log.parent)

    def wait_ready(self) -> None:
        wait_until_blocking(self._ready, f"{self.service} is ready: {self._log}", 60)

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"{self.service} ended: {self._log.read_text()[-3000:]}"
        return http("GET", self._health)[0] == 200

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
