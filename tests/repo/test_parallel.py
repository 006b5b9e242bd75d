"""Tests in several processes: what becomes of the others when one crashes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).parents[2]

_CONFTEST = """
from tests.support.parallel import Scheduling

def pytest_xdist_make_scheduler(config, log):
    return Scheduling(config, log)
"""
_CRASH = """
import os
from pathlib import Path

def test_crashes():
    with Path("crashes").open("a") as file:
        file.write("x")
    os._exit(1)
"""
_PASS = "def test_{}(): pass\n"


@pytest.mark.parametrize("after", [0, 1, 5])
def test_a_crash_fails_one_test_and_all_others_run(tmp_path: Path, after: int) -> None:
    """However many tests there are *after* it in its file."""
    files = {
        "conftest.py": _CONFTEST,
        "spec/one/test_done.py": _PASS.format("done"),
        "spec/one/test_crash.py": _CRASH + "".join(_PASS.format(f"after_{number}") for number in range(after)),
        "spec/one/test_others.py": "".join(_PASS.format(f"other_{number}") for number in range(5)),
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "xdist", "-n", "2", "--no-loadscope-reorder", "spec"],
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(_REPOSITORY), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert f"1 failed, {6 + after} passed" in run.stdout, run.stdout + run.stderr
    assert (tmp_path / "crashes").read_text() == "x"
