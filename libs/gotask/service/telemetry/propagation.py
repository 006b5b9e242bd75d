"""W3C trace context, as jobs and results carry it."""

from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from gotask.service.telemetry.ids import is_sampled

_LENGTH = len("00-0123456789abcdef0123456789abcdef-0123456789abcdef-01")


def sampled_context_of(traceparent: str) -> SpanContext | None:
    """The span that a recorded trace goes on from; None for what is not recorded, or cannot be read."""
    if not is_sampled(traceparent) or len(traceparent) != _LENGTH:
        return None
    try:
        trace_id, span_id = int(traceparent[3:35], 16), int(traceparent[36:52], 16)
    except ValueError:
        return None
    context = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return context if context.is_valid else None


def traceparent_of(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags & TraceFlags.SAMPLED:02x}"


def within(context: SpanContext) -> Context:
    """Where children of a span that is elsewhere begin."""
    return set_span_in_context(NonRecordingSpan(context), Context())
