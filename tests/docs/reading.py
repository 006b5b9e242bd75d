"""Somebody who does what a page says, from its top to its end."""

import ast
import asyncio
import contextlib
import importlib
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import orjson
import structlog
import yaml
from typer.testing import CliRunner

from gotask.cli.main import app
from tests.docs.blocks import ROOT, Block
from tests.docs.commands import Command, commands
from tests.docs.elsewhere import ELSEWHERE
from tests.docs.town import Town
from tests.docs.up import Up
from tests.support.stack import SERVICES, ServiceProcess, http
from tests.support.waiting import wait_until_blocking

_ID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_KEY_ID = re.compile(r"\bgtk_([^_]+)_")
_STAYS = (("gotask", "events"), ("gotask", "top"), ("curl", "-N"), ("python", str(ROOT / "examples/grpc_worker.py")))
_UP = ("gotask", "up")
_TEXT = ("", "text", "proto")
_COMMAND_S = 60
_MYAPP = """from gotask.sdk import App

app = App()


@app.job("my.job")
async def run() -> None: ...
"""


class Reader:
    """Runs the blocks of one page in a folder of its own. Python blocks share their names, as in a notebook."""

    def __init__(self, town: Town, folder: Path) -> None:
        self._town = town
        self._folder = folder
        self._names: dict[str, Any] = {"__name__": "__main__"}
        self._modules: list[str] = []
        self._found = {"JOB_ID": "", "SCHEDULE_ID": "", "KEY_ID": "", "WORKER_ID": ""}
        self._services: list[ServiceProcess] = []
        self._streams: list[subprocess.Popen[bytes]] = []
        self._ups = [town.up]
        self._loop = asyncio.Runner()
        self._surroundings = patch.dict(os.environ, {**town.environment, **town.up.environment})
        self._surroundings.start()
        (folder / "myapp.py").write_text(_MYAPP)

    def read(self, block: Block) -> None:
        """AssertionError, or what the block raised, when it does not do what it says."""
        kinds = {"python": self._python, "sh": self._shell, "bash": self._shell, "json": self._json, "yaml": self._yaml}
        read = kinds.get(block.language)
        assert read is not None or block.language in _TEXT, f"nobody knows how to check {block.language!r}"
        if read is not None:
            read(block)

    def finish(self) -> None:
        """AssertionError for what was to stay, and ended with an error."""
        for stream in self._streams:
            assert stream.poll() in (None, 0), f"{stream.args!r} ended with {stream.returncode}"

    def close(self) -> None:
        """Ends what still runs."""
        with contextlib.ExitStack() as ending:
            ending.callback(self._surroundings.stop)
            for up in self._ups[1:]:
                ending.callback(up.stop)
            for service in self._services:
                ending.callback(service.stop)  # so that no worker is listed as if it were there
            for stream in self._streams:
                ending.callback(_end, stream)
            ending.callback(self._forget)
            ending.callback(self._loop.close)

    def _forget(self) -> None:
        for name in self._modules:
            sys.modules.pop(name, None)
        with contextlib.suppress(ValueError):
            sys.path.remove(str(self._folder))

    # Python

    def _python(self, block: Block) -> None:
        text = self._localized(block.text)
        if block.file_name:
            (self._folder / block.file_name).write_text(text)
            self._names |= vars(self._imported(block.file_name.removesuffix(".py")))
            return
        code = compile(text, block.place, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if code.co_flags & inspect.CO_COROUTINE:
            self._loop.run(asyncio.wait_for(eval(code, self._names), _COMMAND_S))
        else:
            exec(code, self._names)

    def _imported(self, name: str) -> Any:
        if str(self._folder) not in sys.path:
            sys.path.insert(0, str(self._folder))
        importlib.invalidate_caches()
        sys.modules.pop(name, None)
        self._modules.append(name)
        return importlib.import_module(name)

    # Shell

    def _shell(self, block: Block) -> None:
        if block.file_name:
            (self._folder / block.file_name).write_text(block.text)
            return
        for command in commands(block.text):
            self._do(Command(self._filled_in(command.text)))

    def _filled_in(self, text: str) -> str:
        for name, value in self._found.items():
            assert name not in text or value, f"nothing on this page gave a {name} before: {text}"
            text = text.replace(name, value)
        return self._localized(text)

    def _do(self, command: Command) -> None:
        words = command.words
        if command.program in ELSEWHERE:
            ELSEWHERE[command.program].check(words)
        elif tuple(words[:2]) == _UP:
            self._start(words[2:])
        elif command.program == "gotask" and words[1] in SERVICES and "--help" not in words:
            self._serve(words[1], words[2:])
        elif tuple(words[:2]) in _STAYS and "--limit" not in words and "--once" not in words:
            shell = ["bash", "-c", f"exec {command.text}"]
            nowhere = subprocess.DEVNULL
            self._streams.append(subprocess.Popen(shell, cwd=self._folder, stdout=nowhere, stderr=nowhere))
        else:
            code, out = self._ran(command)
            assert code == command.exit_code, f"{command.text}\nended with {code}: {out}"
            self._remember(command, out)

    def _ran(self, command: Command) -> tuple[int, str]:
        """Its exit code, and all that it printed. Those of ``gotask`` run here, which is quicker."""
        if command.program == "gotask" and command.is_plain:
            kept = structlog.get_config()
            try:
                with contextlib.chdir(self._folder):
                    done = CliRunner().invoke(app, command.words[1:])
            finally:
                structlog.configure(**kept)
            return done.exit_code, done.output
        shell = ["bash", "-euo", "pipefail", "-c", command.text]
        ended = subprocess.run(
            shell, cwd=self._folder, timeout=_COMMAND_S, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        return ended.returncode, ended.stdout.decode()

    def _start(self, arguments: Sequence[str]) -> None:
        """Another stack than that of all pages, with what the page wants of it."""
        up = Up(self._folder / f"up-{len(self._ups)}", arguments, self._folder)
        self._ups.append(up)
        up.start()
        os.environ.update(up.environment)

    def _serve(self, name: str, arguments: Sequence[str]) -> None:
        log = self._folder / f"{name}-{len(self._services)}.log"
        worker_id = f"reader-{len(self._services)}"
        environment = {"PYTHONPATH": str(self._folder), "GOTASK_WORKER_ID": worker_id}
        service = ServiceProcess(name, list(arguments), environment, log)
        self._services.append(service)
        service.start()
        service.wait_ready()
        if name == "worker":
            wait_until_blocking(lambda: self._is_listed(worker_id), f"{worker_id} is listed (its log: {log})")
            self._found["WORKER_ID"] = worker_id

    def _is_listed(self, worker_id: str) -> bool:
        """Also where it is several processes, which have their number behind its id."""
        status, found = http("GET", f"{self._ups[-1].api}/workers")
        return status == 200 and any(each["id"].startswith(worker_id) for each in found["items"])

    def _remember(self, command: Command, out: str) -> None:
        """What later commands name: the job that was submitted last, the schedule that was created last ..."""
        text = command.text
        if ("submit" in text or ("/jobs" in text and "POST" in text)) and (found := _ID.search(out)):
            self._found["JOB_ID"] = found[0]
        elif "POST" in text and "/schedules" in text and (found := _ID.search(out)):
            self._found["SCHEDULE_ID"] = found[0]
        elif "keys create" in text and (found := _KEY_ID.search(out)):
            self._found["KEY_ID"] = found[1]

    def _localized(self, text: str) -> str:
        for usual, real in self._town.folders.items():
            text = text.replace(f" {usual}", f" {real}")
        return self._ups[-1].localized(text)

    # Documents

    def _json(self, block: Block) -> None:
        orjson.loads(block.text)

    def _yaml(self, block: Block) -> None:
        list(yaml.safe_load_all(block.text))


def _end(stream: subprocess.Popen[bytes]) -> None:
    stream.terminate()
    try:
        stream.wait(10)
    except subprocess.TimeoutExpired:
        stream.kill()
        stream.wait()
