"""Backup and restore of streams over the broker's own API, as ``nats stream backup`` and ``restore`` do it."""

import json
from dataclasses import dataclass
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg

_ANSWER_S = 10.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A stream with its consumers, as the broker packs them."""

    config: dict[str, Any]
    state: dict[str, Any]
    chunks: list[bytes]

    @property
    def stream(self) -> str:
        return str(self.config["name"])


async def backup(client: Client, stream: str) -> Snapshot:
    """Orders a snapshot and reads it to its end. AssertionError with the broker's complaint."""
    inbox = client.new_inbox()
    arriving = await client.subscribe(inbox)
    answer = await _ask(client, f"$JS.API.STREAM.SNAPSHOT.{stream}", {"deliver_subject": inbox})
    chunks = []
    while (chunk := await _next(client, arriving)).data:
        chunks.append(chunk.data)
    await arriving.unsubscribe()
    return Snapshot(answer["config"], answer["state"], chunks)


async def _next(client: Client, arriving: Any) -> Msg:
    """A piece, acknowledged so that the next ones come; the last one is empty, and asks for no answer."""
    chunk: Msg = await arriving.next_msg(_ANSWER_S)
    if chunk.reply:
        await client.publish(chunk.reply)
    return chunk


async def restore(client: Client, snapshot: Snapshot) -> None:
    """Makes the stream anew. AssertionError with the broker's complaint, as when there is one of its name."""
    order = {"config": snapshot.config, "state": snapshot.state}
    answer = await _ask(client, f"$JS.API.STREAM.RESTORE.{snapshot.stream}", order)
    for chunk in snapshot.chunks:
        await client.request(answer["deliver_subject"], chunk, timeout=_ANSWER_S)
    _read(await client.request(answer["deliver_subject"], b"", timeout=_ANSWER_S))


async def _ask(client: Client, subject: str, order: dict[str, Any]) -> dict[str, Any]:
    return _read(await client.request(subject, json.dumps(order).encode(), timeout=_ANSWER_S))


def _read(message: Msg) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(message.data)
    assert "error" not in answer, answer["error"]
    return answer
