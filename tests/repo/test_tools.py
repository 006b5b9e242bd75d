"""The checks really find what they look for."""

import shutil
import subprocess
from pathlib import Path

from tools import leaks, locks, proto

ROOT = Path(__file__).parents[2]


def test_stale_generated_code_is_found(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "libs/gotask/v1", tmp_path / "gotask/v1")
    assert proto.stale(ROOT / "proto", tmp_path) == []
    changed = tmp_path / "gotask/v1/job_pb2.py"
    changed.write_text(changed.read_text() + "# changed by hand\n")
    (tmp_path / "gotask/v1/left_over_pb2.py").write_text("")
    assert proto.stale(ROOT / "proto", tmp_path) == ["gotask/v1/job_pb2.py", "gotask/v1/left_over_pb2.py"]


def test_paths_of_a_machine_are_found() -> None:
    planted = "fine\nsee /ro" + "ot/x and pypi" + ".org\n"
    assert [line for line, _ in leaks.leaks(planted)] == [2, 2]


def test_a_lock_that_misses_a_dependency_is_found() -> None:
    project = {
        "project": {"dependencies": ["nats-py>=2.16", "orjson>=99"], "optional-dependencies": {}},
        "dependency-groups": {},
    }
    found = locks.problems("requirements.lock", "orjson==3.1 \\\n    # via gotask (pyproject.toml)\n", project)
    assert any("has no nats-py" in problem for problem in found)
    assert any("orjson 3.1" in problem for problem in found)


def test_make_help_lists_every_target() -> None:
    told = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in [
        "demo",
        "up",
        "test",
        "test-unit",
        "test-integration",
        "coverage",
        "bench",
        "lint",
        "fmt",
        "build",
        "proto",
        "proto-baseline",
        "stored-baseline",
        "docs",
        "reference",
        "clean",
    ]:
        assert f" {target} " in told
