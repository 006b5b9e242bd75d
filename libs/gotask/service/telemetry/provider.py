"""Where spans go."""

import os
import socket
from importlib.metadata import version
from typing import NamedTuple

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

_SCOPE = "gotask"


class Tracers(NamedTuple):
    """Two ways to make spans, which go the same way out."""

    provider: TracerProvider
    deciding: trace.Tracer
    """Asks the sampler: for what begins a trace, or continues one from outside."""
    following: trace.Tracer
    """Records always: for what belongs to jobs that are sampled."""


def open_tracers(service: str, namespace: str) -> Tracers:
    """Of the provider that the process has (a handler's module may have made one), else of one of our own, which
    becomes the process's: a handler's own spans go out through it."""
    given = trace.get_tracer_provider()
    release = version(_SCOPE)
    if isinstance(given, TracerProvider):
        tracer = given.get_tracer(_SCOPE, release)
        return Tracers(given, tracer, tracer)
    resource = _resource(service, namespace, release)
    deciding = TracerProvider(resource=resource)
    following = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
    way_out = BatchSpanProcessor(OTLPSpanExporter())
    for provider in (deciding, following):
        provider.add_span_processor(way_out)
    trace.set_tracer_provider(deciding)
    return Tracers(deciding, deciding.get_tracer(_SCOPE, release), following.get_tracer(_SCOPE, release))


def _resource(service: str, namespace: str, release: str) -> Resource:
    """What the environment says goes before what we say."""
    ours = {
        "service.name": f"gotask-{service}",
        "service.namespace": namespace,
        "service.version": release,
        "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
    }
    return Resource.create(ours).merge(OTELResourceDetector().detect())
