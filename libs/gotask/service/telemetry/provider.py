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
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from gotask.service.telemetry.past import PastSpans

_SCOPE = "gotask"


class Tracing(NamedTuple):
    """Three ways to make spans, which go the same way out."""

    provider: TracerProvider
    deciding: trace.Tracer
    """Asks the sampler: for what begins a trace, or continues one from outside."""
    following: trace.Tracer
    """Records always: for what belongs to jobs that are sampled."""
    past: PastSpans
    """The same, for what is over."""


def open_tracing(service: str, namespace: str) -> Tracing:
    """A handler's own spans go the same way out, unless its module has made a provider of its own for them: they are
    children of ours in either case."""
    release = version(_SCOPE)
    resource = _resource(service, namespace, release)
    deciding = TracerProvider(resource=resource)
    following = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
    way_out = BatchSpanProcessor(OTLPSpanExporter())
    for provider in (deciding, following):
        provider.add_span_processor(way_out)
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        trace.set_tracer_provider(deciding)
    past = PastSpans(way_out, resource, InstrumentationScope(_SCOPE, release), deciding.id_generator)
    return Tracing(deciding, deciding.get_tracer(_SCOPE, release), following.get_tracer(_SCOPE, release), past)


def _resource(service: str, namespace: str, release: str) -> Resource:
    """What the environment says goes before what we say."""
    ours = {
        "service.name": f"gotask-{service}",
        "service.namespace": namespace,
        "service.version": release,
        "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
    }
    return Resource.create(ours).merge(OTELResourceDetector().detect())
