"""What a job's trace context says by itself, without OpenTelemetry."""

_ODD = frozenset("13579bdf")


def is_sampled(traceparent: str) -> bool:
    """Whether it is one, and says that its trace is recorded."""
    return traceparent[-1:] in _ODD


def trace_id_of(traceparent: str) -> str:
    """The id of a trace that is recorded; "" for others."""
    parts = traceparent.split("-")
    return parts[1] if len(parts) == 4 and is_sampled(traceparent) else ""
