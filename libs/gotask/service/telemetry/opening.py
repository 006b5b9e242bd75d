"""Whether traces are on: the environment says so."""

import os

from gotask.service.telemetry.contract import Telemetry
from gotask.service.telemetry.off import OFF

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


class TelemetryUnavailable(Exception):
    """Traces are asked for and cannot be had; the text says why and what to do."""


def open_telemetry(service: str, namespace: str, *, messages: bool) -> Telemetry:
    """As the ``OTEL_…`` variables say.

    :param messages: whether spans hold the messages of handlers' errors, which may hold anything.
    :raises TelemetryUnavailable: OpenTelemetry is not installed, or a variable asks for what is not supported.
    """
    if not any(map(os.environ.get, _ENDPOINTS)) or _is_off():
        return OFF
    for name in _PROTOCOLS:
        if (protocol := os.environ.get(name, "grpc")) != "grpc":
            raise TelemetryUnavailable(f"{name}: {protocol!r} is not supported; use grpc")
    try:
        from gotask.service.telemetry.otel import open_otel
    except ModuleNotFoundError as error:
        raise TelemetryUnavailable(
            f"{_ENDPOINTS[1]} is set, and {error.name} is not installed: install gotask[telemetry]"
        ) from None
    return open_otel(service, namespace, messages=messages)


def _is_off() -> bool:
    disabled = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return disabled or os.environ.get("OTEL_TRACES_EXPORTER", "otlp") == "none"
