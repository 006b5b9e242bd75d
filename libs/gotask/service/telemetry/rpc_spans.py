"""A span for each gRPC call that is answered once. Streams have none: they may last for days."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, use_span

from gotask.service.telemetry.contract import StatusTold

_FAULTS = frozenset({"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"})
"""Statuses that are the server's fault, not the caller's."""


@contextmanager
def rpc_span(tracer: Tracer, call: str, metadata: Mapping[str, str]) -> Iterator[StatusTold]:
    """A call that brings a trace context continues that trace. *call* is ``/package.Service/Method``."""
    name = call.lstrip("/")
    service, _, method = name.partition("/")
    attributes = {"rpc.system": "grpc", "rpc.service": service, "rpc.method": method}
    span = tracer.start_span(name, propagate.extract(metadata, Context()), SpanKind.SERVER, attributes)

    def tell(status: str) -> None:
        span.set_attribute("rpc.response.status_code", status)
        if status in _FAULTS:
            span.set_attribute("error.type", status)
            span.set_status(Status(StatusCode.ERROR))

    with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        yield tell
