"""The streams, and how each is kept."""

from contextlib import suppress
from typing import Protocol

import nats.errors
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import APIError, BadRequestError, NotFoundError, ServiceUnavailableError

from gotask.bus.patience import patiently
from gotask.bus.subjects import Stream, Subjects

DUPLICATE_WINDOW_S = 120.0
ACK_WAIT_S = 30.0
MAX_ACK_PENDING = 1_000
_DAY_S = 24 * 60 * 60.0
_PATIENCE_S = 30.0


class StreamSettings(Protocol):
    """How large the streams may grow, in bytes and seconds."""

    @property
    def stream_replicas(self) -> int: ...
    @property
    def stream_max_bytes(self) -> int: ...
    @property
    def events_max_bytes(self) -> int: ...
    @property
    def events_max_age(self) -> float: ...


def stream_configs(subjects: Subjects, settings: StreamSettings) -> list[StreamConfig]:
    """Work queues push back when they are full; events and rejected input let go of the oldest; of the tally only the
    newest is kept."""
    inboxes = {
        Stream.SUBMIT: [subjects.submit_many, subjects.any_submit],
        Stream.RESULTS: [subjects.result],
        Stream.DUE: [subjects.due],
    }
    records = {
        Stream.EVENTS: (subjects.any_event, settings.events_max_age, settings.events_max_bytes),
        Stream.REJECTED: (subjects.any_rejected, 30 * _DAY_S, settings.events_max_bytes),
    }
    configs = [
        StreamConfig(
            name=subjects.stream(stream),
            subjects=bound,
            retention=RetentionPolicy.WORK_QUEUE,
            discard=DiscardPolicy.NEW,
            max_bytes=settings.stream_max_bytes,
        )
        for stream, bound in inboxes.items()
    ]
    configs += [
        StreamConfig(
            name=subjects.stream(stream),
            subjects=[bound],
            retention=RetentionPolicy.LIMITS,
            discard=DiscardPolicy.OLD,
            max_age=max_age,
            max_bytes=max_bytes,
        )
        for stream, (bound, max_age, max_bytes) in records.items()
    ]
    # A few hundred subjects, of which each holds its newest message.
    configs.append(
        StreamConfig(
            name=subjects.stream(Stream.TALLY),
            subjects=[subjects.any_tally],
            retention=RetentionPolicy.LIMITS,
            discard=DiscardPolicy.OLD,
            max_msgs_per_subject=1,
        )
    )
    for config in configs:
        config.storage = StorageType.FILE
        config.num_replicas = settings.stream_replicas
        config.duplicate_window = DUPLICATE_WINDOW_S
    return configs


async def ensure_streams(js: JetStreamContext, subjects: Subjects, settings: StreamSettings) -> None:
    """Creates the streams that are missing. Safe to repeat, from several services at once; those who may only look do
    well while all are there."""
    for config in stream_configs(subjects, settings):
        try:
            await js.stream_info(config.name or "")
        except NotFoundError:
            # Somebody with other settings may have been quicker.
            with suppress(BadRequestError):
                await js.add_stream(config)


async def update_streams(js: JetStreamContext, subjects: Subjects, settings: StreamSettings) -> None:
    """Gives the streams today's settings."""
    for config in stream_configs(subjects, settings):
        await js.update_stream(config)


async def ensure_consumer(
    js: JetStreamContext, stream: str, durable: str, max_ack_pending: int = MAX_ACK_PENDING
) -> None:
    """A durable pull consumer that all replicas of a service share. There is no ``max_deliver``: a message that keeps
    failing is moved away by us, never forgotten by the broker.

    A broker that is away is waited for; what nats-py raises when that takes more than half a minute.
    """
    await patiently(lambda: _ensure_consumer(js, stream, durable, max_ack_pending), _PATIENCE_S, _is_away)


def _is_away(error: Exception) -> bool:
    if isinstance(error, APIError):
        return isinstance(error, ServiceUnavailableError)
    return isinstance(error, (nats.errors.Error, TimeoutError))


async def _ensure_consumer(js: JetStreamContext, stream: str, durable: str, max_ack_pending: int) -> None:
    try:
        await js.consumer_info(stream, durable)
    except NotFoundError:
        await js.add_consumer(
            stream,
            ConsumerConfig(
                durable_name=durable,
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=ACK_WAIT_S,
                max_ack_pending=max_ack_pending,
                max_deliver=-1,
            ),
        )
