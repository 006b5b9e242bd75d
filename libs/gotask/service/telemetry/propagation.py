"""W3C trace context, as jobs and results carry it."""

from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_KEY = "traceparent"
_propagator = TraceContextTextMapPropagator()


def context_of(traceparent: str) -> Context:
    """The context to begin a child in; an empty one, which begins a trace, when *traceparent* cannot be read."""
    return _propagator.extract({_KEY: traceparent}, Context())


def span_context_of(traceparent: str) -> SpanContext:
    return get_current_span(context_of(traceparent)).get_span_context()


def traceparent_of(span: Span) -> str:
    carrier: dict[str, str] = {}
    _propagator.inject(carrier, set_span_in_context(span))
    return carrier.get(_KEY, "")


def unsampled(trace_id: int, span_id: int) -> Context:
    """A context whose children are not recorded."""
    context = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.DEFAULT))
    return set_span_in_context(NonRecordingSpan(context))
