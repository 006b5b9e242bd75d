"""Generates libs/gotask/v1 from proto/: ``python -m tools.proto``; with ``--check`` it only says what is stale."""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROTO = ROOT / "proto"
LIBS = ROOT / "libs"
_BIN = Path(sys.executable).parent
PACKAGE = Path("gotask/v1")
_GENERATED = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*_pb2_grpc.pyi")
_SERVICES = "*_service.proto"


class GenerationFailed(Exception):
    """protoc refused the .proto files; the text is its own."""


def generate(proto: Path, out: Path) -> None:
    """Writes the code and the type stubs of all .proto files below *proto* to *out*.

    Code that needs grpc is written for files of services only, and into modules of its own.
    """
    _protoc(proto, "*.proto", {"python": str(out), "mypy": f"quiet:{out}"})
    _protoc(proto, _SERVICES, {"grpc_python": str(out), "mypy_grpc": f"quiet:{out}"})


def _protoc(proto: Path, pattern: str, outputs: dict[str, str]) -> None:
    files = sorted(str(path.relative_to(proto)) for path in proto.rglob(pattern))
    if not files:
        return
    plugins = [f"--plugin=protoc-gen-{name}={_BIN / f'protoc-gen-{name}'}" for name in ("mypy", "mypy_grpc")]
    options = [f"--{name}_out={value}" for name, value in outputs.items()]
    command = [sys.executable, "-m", "grpc_tools.protoc", *plugins, f"--proto_path={proto}", *options, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise GenerationFailed(done.stderr)


def stale(proto: Path, libs: Path) -> list[str]:
    """The generated files below *libs* that are not what *proto* gives: changed, missing, or left over."""
    with tempfile.TemporaryDirectory() as fresh:
        generate(proto, Path(fresh))
        expected = _contents(Path(fresh) / PACKAGE)
    present = _contents(libs / PACKAGE)
    names = sorted(expected.keys() | present.keys())
    return [str(PACKAGE / name) for name in names if expected.get(name) != present.get(name)]


def _contents(package: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for pattern in _GENERATED for path in package.glob(pattern)}


def replace(proto: Path, libs: Path) -> None:
    """Makes the generated files below *libs* what *proto* gives."""
    with tempfile.TemporaryDirectory() as fresh:
        generate(proto, Path(fresh))
        for name in _contents(libs / PACKAGE):
            (libs / PACKAGE / name).unlink()
        for name in _contents(Path(fresh) / PACKAGE):
            shutil.copy(Path(fresh) / PACKAGE / name, libs / PACKAGE / name)


def main() -> int:
    """The exit code: 1 when files are stale or protoc failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    try:
        if not parser.parse_args().check:
            replace(PROTO, LIBS)
            return 0
        files = stale(PROTO, LIBS)
    except GenerationFailed as error:
        print(error, file=sys.stderr)
        return 1
    for name in files:
        print(f"libs/{name} is not what proto/ gives: run `make proto`", file=sys.stderr)
    return 1 if files else 0


if __name__ == "__main__":
    sys.exit(main())
