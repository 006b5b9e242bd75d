"""The checks of the Pants build: ``python -m tools.pants [SERVICE ...]``.

Lists all targets, checks that every file has an owner and every import a package, packages the services' PEX files into
dist/, asks each for its ``--help``, and checks that the images are made of them. Exits with 0 when all is well, with 1
or Pants' own code when something is not. Pants 2.17.1 runs on Python 3.9 alone; where none is found, this says so and
exits with 0.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
_PANTS = "pantsbuild.pants==2.17.1"
_PEX = "2.1.137"
_HOME = ROOT / ".pants.d/tools"
_DIST = ROOT / "dist"
_DOCKERFILE = "Dockerfile.pex"
_SERVICES = ("gateway", "queue-manager", "scheduler", "worker", "metrics")


def python39() -> str | None:
    """A Python 3.9 that runs: on PATH, or among pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which("python3.9"), *map(str, sorted(pyenv.glob("3.9.*/bin/python3.9")))]
    return next((path for path in candidates if path and _runs(path)), None)


def _runs(python: str) -> bool:
    """pyenv puts names on PATH that only say that they are not installed."""
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


def install(python: str) -> Path:
    """Pants, and the PEX tool that it needs as one file, in a folder of their own; the folder's bin."""
    bin_folder = _HOME / "venv/bin"
    if not (_HOME / "pex").exists():
        subprocess.run([python, "-m", "venv", _HOME / "venv"], check=True)
        subprocess.run([bin_folder / "pip", "install", "--quiet", _PANTS, f"pex=={_PEX}"], check=True)
        build: list[str | Path] = [bin_folder / "pex", f"pex=={_PEX}", "-c", "pex", "-o", _HOME / "pex"]
        subprocess.run([*build, "--python-shebang", "/usr/bin/env python3"], check=True)
    return bin_folder


def environment() -> dict[str, str]:
    """Lets Pants take that file instead of downloading one, and find the Python that this runs on.

    Its reader of Dockerfiles comes by pip's own settings: Pants' lock of it knows one place to download it from.
    """
    data = (_HOME / "pex").read_bytes()
    known = f"v{_PEX}|linux_x86_64|{hashlib.sha256(data).hexdigest()}|{len(data)}"
    return os.environ | {
        "PANTS_PEX_CLI_URL_TEMPLATE": f"file://{_HOME / 'pex'}",
        "PANTS_PEX_CLI_KNOWN_VERSIONS": f"['{known}']",
        "PANTS_DOCKERFILE_PARSER_LOCKFILE": "<none>",
        "PANTS_PYTHON_BOOTSTRAP_SEARCH_PATH": f"['{Path(sys.base_prefix) / 'bin'}', '<PATH>']",
    }


def checked(service: str) -> str:
    """What is wrong with the PEX of *service*; empty for nothing."""
    pex = _DIST / f"{service}.pex"
    done = subprocess.run([sys.executable, pex, "--help"], capture_output=True, text=True, check=False)
    if done.returncode != 0 or "options:" not in done.stdout:
        return f"{pex.name} does not tell its options: {done.stderr}"
    print(f"{pex.name}: {pex.stat().st_size / 1e6:.0f} MB, tells its options")
    return ""


def misled(peeked: str) -> list[str]:
    """What is wrong with the images that ``pants peek`` describes."""
    found = []
    for image in json.loads(peeked):
        name = image["address"].rpartition(":")[2]
        if image["source_raw"] != _DOCKERFILE:
            found.append(f"the image {name} is made by {image['source_raw']} instead of {_DOCKERFILE}")
        if _target(name) not in image["dependencies"]:
            found.append(f"the image {name} does not hold {_target(name)}")
    return found


def _target(service: str) -> str:
    return f"services/gotask/{service.replace('-', '_')}:pex"


def main() -> int:
    """The exit code: that of the first step that failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("services", nargs="*", choices=[*_SERVICES, []], help="whose PEX to package; all, if not given")
    services = parser.parse_args().services or _SERVICES
    python = python39()
    if python is None:
        print("SKIPPED: Pants 2.17.1 needs a Python 3.9, and none is on PATH or among pyenv's; nothing was checked")
        return 0
    pants: list[str | Path] = [install(python) / "pants", "--no-pantsd", "--no-dynamic-ui"]
    targets = [_target(service) for service in services]
    for step in (["list", "::"], ["tailor", "--check", "::"], ["package", *targets]):
        print(f"pants {' '.join(step)}", flush=True)
        done = subprocess.run([*pants, *step], cwd=ROOT, env=environment(), check=False)
        if done.returncode != 0:
            return done.returncode
    images = [f"deploy/docker:{service}" for service in services]
    peeked = subprocess.run([*pants, "peek", *images], cwd=ROOT, env=environment(), stdout=subprocess.PIPE, check=True)
    wrong = [*filter(None, map(checked, services)), *misled(peeked.stdout.decode())]
    print("\n".join(wrong) or "all images are made of their services' PEX files")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
