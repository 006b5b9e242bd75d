"""From an address to the way to it."""

from gotask.sdk.client.settings import ClientSettings
from gotask.sdk.client.transport import Transport


def open_transport(settings: ClientSettings) -> Transport:
    """The way that the address's scheme names; it connects when it is first used. Only what is needed is imported."""
    if settings.kind == "grpc":
        from gotask.sdk.client.grpc.transport import GrpcTransport

        return GrpcTransport(settings)
    from gotask.sdk.client.nats.transport import NatsTransport

    return NatsTransport(settings)
