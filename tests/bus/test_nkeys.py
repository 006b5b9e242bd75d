"""A broker that knows us by an nkey, or by a JWT that one of its accounts signed."""

import asyncio
import base64
import binascii
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gotask.bus.bus import Bus
from gotask.bus.errors import UnusableCredentials
from gotask.bus.nkeys import Nkey
from gotask.embedded import free_port
from gotask.embedded.nats_server import nats_server
from gotask.sdk import Client
from gotask.sdk.client.settings import ClientSettings
from gotask.sdk.errors import InvalidArgument
from tests.support.servers import ServerProcess

_PREFIXES = {"O": 14 << 3, "A": 0, "U": 20 << 3}
EXAMPLE = b"SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"
"""That of NATS's documentation."""


class Signer:
    """A key of an operator, an account or a user, as ``nsc`` would make it."""

    def __init__(self, kind: str) -> None:
        self._prefix = _PREFIXES[kind]
        self._secret = os.urandom(32)
        self._key = Ed25519PrivateKey.from_private_bytes(self._secret)
        self.public = _encoded(bytes((self._prefix,)) + self._key.public_key().public_bytes_raw())
        self.seed = _encoded(bytes((18 << 3 | self._prefix >> 5, self._prefix << 3 & 0xFF)) + self._secret)

    def jwt(self, subject: str, claims: dict[str, Any]) -> str:
        header = {"typ": "JWT", "alg": "ed25519-nkey"}
        body = {"jti": subject, "iat": 1, "iss": self.public, "sub": subject, "nats": {"version": 2, **claims}}
        text = b".".join(_url64(json.dumps(part).encode()) for part in (header, body))
        return (text + b"." + _url64(self._key.sign(text))).decode()


def _encoded(data: bytes) -> str:
    return base64.b32encode(data + binascii.crc_hqx(data, 0).to_bytes(2, "little")).rstrip(b"=").decode()


def _url64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


@contextmanager
def broker(folder: Path, lines: str) -> Iterator[ServerProcess]:
    command = nats_server(folder, free_port())
    Path(command.argv[-1]).write_text(f"listen: 127.0.0.1:{command.port}\n{lines}\n")
    server = ServerProcess(command)
    try:
        server.start()
        yield server
    finally:
        server.kill()


async def connected(url: str, **fields: Any) -> Bus:
    return await Bus.connect(ClientSettings(url, **fields), "gotask", "test", 20)


async def echoes(bus: Bus) -> bool:
    inbox = bus.client.new_inbox()
    answers = await bus.client.subscribe(inbox)
    await bus.publish(inbox, b"x")
    return (await answers.next_msg(20)).data == b"x"


async def test_a_broker_knows_us_by_our_nkey_also_after_its_restart(tmp_path: Path) -> None:
    user, other, seed = Signer("U"), Signer("U"), tmp_path / "seed"
    seed.write_text(f"{user.seed}\n")
    with broker(tmp_path / "nats", f"authorization {{ users: [ {{ nkey: {user.public} }} ] }}") as server:
        bus = await connected(server.address, nats_nkey_seed=str(seed))
        try:
            assert await echoes(bus)
            back = asyncio.Event()
            bus.on_reconnect(back.set)
            seed.unlink()
            await asyncio.to_thread(server.restart)
            await asyncio.wait_for(back.wait(), 30)
            assert await echoes(bus)
        finally:
            await bus.close()
        seed.write_text(other.seed)
        with pytest.raises(TimeoutError, match="Authorization Violation"):
            await Bus.connect(ClientSettings(server.address, nats_nkey_seed=str(seed)), "gotask", "test", 3)


async def test_a_broker_knows_us_by_credentials(tmp_path: Path) -> None:
    operator, account, user = Signer("O"), Signer("A"), Signer("U")
    limits = {"subs": -1, "data": -1, "payload": -1, "conn": -1, "leaf": -1, "imports": -1, "exports": -1}
    account_jwt = operator.jwt(account.public, {"type": "account", "limits": {**limits, "wildcards": True}})
    user_jwt = account.jwt(user.public, {"type": "user", "subs": -1, "data": -1, "payload": -1})
    operator_jwt = operator.jwt(operator.public, {"type": "operator"})
    file = tmp_path / "user.creds"
    file.write_text(
        f"-----BEGIN NATS USER JWT-----\n{user_jwt}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n"
    )
    lines = f"operator: {operator_jwt}\nresolver: MEMORY\nresolver_preload {{ {account.public}: {account_jwt} }}"
    with broker(tmp_path / "nats", lines) as server:
        bus = await connected(server.address, nats_credentials=str(file))
        try:
            assert await echoes(bus)
        finally:
            await bus.close()


def test_a_key_is_that_of_its_seed() -> None:
    nkey = Nkey(EXAMPLE)
    assert nkey.public == "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"
    assert len(base64.b64decode(nkey.sign("nonce"))) == 64


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "cannot be read: No such file"),
        (b"", "holds no nkey of a user: its checksum or its length is wrong"),
        (EXAMPLE.replace(b"SSL3", b"SSL4"), "its checksum or its length is wrong"),
        pytest.param(Signer("A").seed.encode(), "it does not begin with SU", id="of an account"),
        (b"not base 32", "holds no nkey of a user"),
        (b"\xff\xfe", "holds no nkey of a user"),
    ],
)
async def test_a_file_that_proves_nothing(tmp_path: Path, content: bytes | None, complaint: str) -> None:
    file = tmp_path / "seed"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UnusableCredentials, match=f"{re.escape(str(file))} .*{complaint}"):
        await connected("nats://127.0.0.1:1", nats_nkey_seed=str(file))
    with pytest.raises(InvalidArgument, match="nats_nkey_seed: "):
        await Client("nats://127.0.0.1:1", nats_nkey_seed=str(file)).connect()
