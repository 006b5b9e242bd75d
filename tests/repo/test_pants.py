"""The checks of the Pants build, as far as they need no Pants."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.pants import ROOT, misled


def _image(**fields: object) -> str:
    image = {
        "address": "deploy/docker:queue-manager",
        "source_raw": "Dockerfile.pex",
        "dependencies": ["deploy/docker:healthy", "services/gotask/queue_manager:pex"],
    }
    return json.dumps([image | fields])


def test_where_no_python_3_9_is_at_hand_it_says_so(tmp_path: Path) -> None:
    """A name on PATH that does not run, as pyenv leaves them, is none."""
    broken = tmp_path / "python3.9"
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    environment = os.environ | {"PATH": str(tmp_path), "PYENV_ROOT": str(tmp_path)}
    command = [sys.executable, "-m", "tools.pants", "worker"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("SKIPPED: Pants 2.17.1 needs a Python 3.9, and none is on PATH")


def test_a_service_that_does_not_exist_is_refused() -> None:
    command = [sys.executable, "-m", "tools.pants", "wroker"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "wroker" in done.stderr


def test_an_image_that_holds_its_services_pex_is_right() -> None:
    assert misled(_image()) == []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"source_raw": "Dockerfile"}, "the image queue-manager is made by Dockerfile instead of Dockerfile.pex"),
        ({"dependencies": ["services/gotask/worker:pex"]}, "does not hold services/gotask/queue_manager:pex"),
    ],
)
def test_an_image_of_something_else_is_found(wrong: dict[str, object], told: str) -> None:
    (problem,) = misled(_image(**wrong))
    assert told in problem
