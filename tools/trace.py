"""Prints the trace of a job that fails once and is retried, as an OTLP receiver got it: ``python -m tools.trace``.

Starts the services, every job traced, and a real receiver over gRPC; one line per span, below the span it belongs to,
with when it began after the first, and how long it took.
"""

import secrets
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from tests.support.otlp import OtlpReceiver, ReceivedSpan, otlp_receiver
from tests.support.stack import Stack

_WORKER = ["tests.observability.handlers:app", "--queues", "default"]
_JOB = {"type": "flaky", "max_retries": 1, "retry_delay": "500ms"}
_SHOWN = ("gotask.attempt", "gotask.attempt.outcome", "error.type", "http.response.status_code")
_SPANS = 13


def retried(stack: Stack, receiver: OtlpReceiver) -> list[ReceivedSpan]:
    """The spans of a new job, once it has succeeded at its second attempt."""
    trace_id = secrets.token_hex(16)
    headers = {"Content-Type": "application/json", "traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"}
    request = urllib.request.Request(f"{stack.url}/jobs", orjson.dumps(_JOB), headers, method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        job_id = orjson.loads(answer.read())["id"]
    stack.get(f"/jobs/{job_id}?wait=30s")
    return receiver.trace(trace_id, lambda found: len(found) >= _SPANS)


def tree(spans: Sequence[ReceivedSpan]) -> Iterator[str]:
    """A line per span, in the order in which they began, each below its parent."""
    known = {span.span_id for span in spans}
    first_ns = min(span.began_ns for span in spans)

    def lines(below: Sequence[ReceivedSpan], depth: int) -> Iterator[str]:
        for span in below:
            told = [f"{name.rpartition('.')[2]}={span.attributes[name]}" for name in _SHOWN if name in span.attributes]
            told += [*span.events, f"{len(span.links)} links"] if span.links else span.events
            after, took = (span.began_ns - first_ns) / 1e6, (span.ended_ns - span.began_ns) / 1e6
            yield (
                f"{'  ' * depth + span.name:<34} {span.kind:<9} {span.service:<21} {after:9.2f} {took:9.2f}  "
                f"{' '.join(told)}"
            ).rstrip()
            yield from lines([each for each in spans if each.parent_id == span.span_id], depth + 1)

    yield from lines([span for span in spans if span.parent_id not in known], 0)


def main() -> None:
    with tempfile.TemporaryDirectory() as data, otlp_receiver() as receiver:
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.address, "OTEL_BSP_SCHEDULE_DELAY": "200"}
        stack = Stack(Path(data), _WORKER, environment)
        try:
            stack.start()
            spans = retried(stack, receiver)
        finally:
            stack.kill()
    print(f"trace {spans[0].trace_id}, {len(spans)} spans")
    print(f"{'span':<34} {'kind':<9} {'service':<21} {'after ms':>9} {'took ms':>9}")
    print("\n".join(tree(spans)))


if __name__ == "__main__":
    main()
