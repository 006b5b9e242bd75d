"""The connection to a gateway."""

from pathlib import Path
from urllib.parse import urlsplit

import grpc

from gotask.sdk.client.settings import ClientSettings
from gotask.sdk.errors import InvalidArgument

_OPTIONS = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
]


def open_channel(settings: ClientSettings) -> grpc.aio.Channel:
    """Connects when it is first used, and reconnects by itself. InvalidArgument when the TLS file cannot be read."""
    address = urlsplit(settings.servers[0])
    target = f"{address.hostname}:{address.port}"
    if address.scheme == "grpc":
        return grpc.aio.insecure_channel(target, _OPTIONS)
    authority = None
    if settings.tls_ca:
        try:
            authority = Path(settings.tls_ca).read_bytes()
        except OSError as error:
            raise InvalidArgument(f"{settings.tls_ca} cannot be read: {error.strerror}", "tls_ca") from None
    return grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(authority), _OPTIONS)


def metadata_of(settings: ClientSettings) -> list[tuple[str, str]]:
    """What tells the gateway who calls."""
    return [("authorization", f"Bearer {settings.api_key}")] if settings.api_key else []
