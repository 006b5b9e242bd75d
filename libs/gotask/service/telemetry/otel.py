"""The spans of a job's way, made with OpenTelemetry.

    POST /api/v1/jobs             gateway        the request
      send QUEUE                  gateway        until the job is stored or safe in the stream; its context is the job's
        store QUEUE               queue-manager  into the storage, together with others
        wait QUEUE                worker         from pending to claimed; one for each attempt, as all that follow
        claim QUEUE               worker         from claimed to started
        process QUEUE             worker         the handler; its own spans are children
          settle QUEUE            queue-manager  the result into the storage, together with others

A job that comes without a trace gets ``create QUEUE`` from the queue-manager instead of the first two.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import structlog
from opentelemetry import context as contexts
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import Link, Span, SpanKind, Tracer, get_current_span, use_span

from gotask import v1
from gotask.service.telemetry.attributes import Attributes, fail, of_attempt, of_batch, of_job, of_message, size_of
from gotask.service.telemetry.contract import AsgiApp, Attempt, EndTold, Held
from gotask.service.telemetry.http_spans import HttpSpans
from gotask.service.telemetry.ids import is_sampled
from gotask.service.telemetry.propagation import context_of, span_context_of, traceparent_of, unsampled
from gotask.service.telemetry.provider import open_tracers

_log = structlog.get_logger("gotask.telemetry")

_CLOSE_TIMEOUT_S = 5.0
_FAILED = frozenset({v1.OUTCOME_FAILURE, v1.OUTCOME_LEASE_LOST})


def open_otel(service: str, namespace: str, *, messages: bool) -> "OtelTelemetry":
    provider, deciding, following = open_tracers(service, namespace)
    return OtelTelemetry(provider, deciding, following, messages=messages)


class OtelTelemetry:
    """See :class:`~gotask.service.telemetry.contract.Telemetry`."""

    wants_claim_times = True

    def __init__(self, provider: TracerProvider, deciding: Tracer, following: Tracer, *, messages: bool) -> None:
        """
        :param deciding: makes spans that may begin a trace.
        :param following: makes spans of jobs that are known to be sampled.
        """
        self._provider = provider
        self._deciding = deciding
        self._following = following
        self._messages = messages
        ids = provider.id_generator
        self._unsampled = unsampled(ids.generate_trace_id(), ids.generate_span_id())

    def http(self, app: AsgiApp) -> AsgiApp:
        return HttpSpans(app, self._deciding)

    @contextmanager
    def submitting(self, specs: Sequence[v1.JobSpec]) -> Iterator[None]:
        spans: list[Span] = []
        for spec in specs:
            if not spec.traceparent:
                span = self._deciding.start_span(f"send {spec.queue}", kind=SpanKind.PRODUCER)
                spec.traceparent = traceparent_of(span)
                if span.is_recording():
                    span.set_attributes(of_job(spec, "send", "send") | size_of(spec))
                    spans.append(span)
        try:
            yield
        except BaseException as error:
            for span in spans:
                fail(span, type(error).__name__)
            raise
        finally:
            for span in spans:
                span.end()

    def arriving(self, specs: Sequence[v1.JobSpec]) -> None:
        decide, new_trace = self._provider.sampler.should_sample, self._provider.id_generator.generate_trace_id
        for spec in specs:
            if spec.traceparent or decide(None, new_trace(), "create").decision is not Decision.RECORD_AND_SAMPLE:
                continue
            attributes = of_job(spec, "create", "create") | size_of(spec)
            span = self._following.start_span(f"create {spec.queue}", Context(), SpanKind.PRODUCER, attributes)
            span.end()
            spec.traceparent = traceparent_of(span)

    def stored(self, specs: Sequence[v1.JobSpec], began_us: int) -> None:
        sampled = [spec for spec in specs if is_sampled(spec.traceparent)]
        if sampled:
            self._batch("process", SpanKind.CONSUMER, (spec.traceparent for spec in sampled), len(specs), began_us)
        for spec in sampled:
            self._past(spec.traceparent, f"store {spec.queue}", began_us, None, of_job(spec, "store"))

    def claimed(self, worker: str, reply: v1.ClaimReply, specs: Sequence[v1.JobSpec], started_us: int) -> None:
        sampled = [index for index, spec in enumerate(specs) if is_sampled(spec.traceparent)]
        if not sampled:
            return
        links = (specs[index].traceparent for index in sampled)
        self._batch("receive", SpanKind.CLIENT, links, len(specs), started_us)
        if len(reply.ready_at_us) != len(specs):
            return
        for index in sampled:
            spec, ready_us = specs[index], reply.ready_at_us[index]
            told = of_attempt(reply.attempts[index], worker)
            claimed_us = max(ready_us, min(reply.claimed_at_us, started_us))
            self._past(spec.traceparent, f"wait {spec.queue}", ready_us, claimed_us, of_job(spec, "wait") | told)
            self._past(spec.traceparent, f"claim {spec.queue}", claimed_us, started_us, of_job(spec, "claim") | told)

    def around_attempt(self, run: Attempt[Held], spec_of: Callable[[Held], v1.JobSpec], worker: str) -> Attempt[Held]:
        async def traced(held: Held) -> None:
            spec = spec_of(held)
            if not is_sampled(spec.traceparent):
                # Its task has a context of its own, in which the handler begins no traces.
                contexts.attach(self._unsampled)
                await run(held)
                return
            attributes = of_job(spec, "process", "process") | {"messaging.client.id": worker}
            span = self._following.start_span(
                f"process {spec.queue}", context_of(spec.traceparent), SpanKind.CONSUMER, attributes
            )
            with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
                await run(held)

        return traced

    def at_end(self, tell: EndTold[Held]) -> EndTold[Held]:
        def traced(held: Held, result: v1.JobResult | None) -> None:
            span = get_current_span()
            if not span.is_recording():
                pass
            elif result is None:
                fail(span, "LeaseLost")
            else:
                self._describe_end(span, result.attempt)
                result.traceparent = traceparent_of(span)
            tell(held, result)

        return traced

    def settled(self, results: Sequence[v1.JobResult], began_us: int) -> None:
        sampled = [result for result in results if is_sampled(result.traceparent)]
        if sampled:
            links = (result.traceparent for result in sampled)
            self._batch("settle", SpanKind.CLIENT, links, len(results), began_us)
        for result in sampled:
            attributes = {
                **of_message(result.job_id, result.queue, "settle", "settle"),
                **of_attempt(result.attempt.attempt, result.attempt.worker),
                "gotask.job.type": result.type,
            }
            self._past(result.traceparent, f"settle {result.queue}", began_us, None, attributes)

    def lost(self, spec: v1.JobSpec, attempt: v1.Attempt) -> None:
        if not is_sampled(spec.traceparent):
            return
        span = self._following.start_span(
            f"process {spec.queue}",
            context_of(spec.traceparent),
            SpanKind.CONSUMER,
            of_job(spec, "process", "process") | of_attempt(attempt.attempt, attempt.worker),
            start_time=attempt.started_at_us * 1_000,
        )
        self._describe_end(span, attempt)
        span.end(attempt.finished_at_us * 1_000)

    async def close(self) -> None:
        try:
            await asyncio.wait_for(asyncio.to_thread(self._provider.shutdown), _CLOSE_TIMEOUT_S)
        except TimeoutError:
            _log.warning("spans not sent", seconds=_CLOSE_TIMEOUT_S)

    def _describe_end(self, span: Span, attempt: v1.Attempt) -> None:
        outcome = v1.Outcome.Name(attempt.outcome).removeprefix("OUTCOME_").lower()
        span.set_attributes({**of_attempt(attempt.attempt, attempt.worker), "gotask.attempt.outcome": outcome})
        if attempt.outcome not in _FAILED:
            return
        error = attempt.error
        event: Attributes = {"exception.type": error.type}
        if self._messages:
            event |= {"exception.message": error.message, "exception.stacktrace": error.traceback}
        span.add_event("exception", event)
        fail(span, error.type, error.message if self._messages else "")

    def _past(self, parent: str, name: str, began_us: int, ended_us: int | None, attributes: Attributes) -> None:
        """A span of what is over: *ended_us*, or now."""
        span = self._following.start_span(
            name, context_of(parent), SpanKind.INTERNAL, attributes, start_time=began_us * 1_000
        )
        span.end(ended_us * 1_000 if ended_us is not None else None)

    def _batch(self, operation: str, kind: SpanKind, jobs: Iterable[str], count: int, began_us: int) -> None:
        """A span of its own trace for work on *count* jobs, linked to those that are sampled."""
        span = self._following.start_span(
            operation,
            Context(),
            kind,
            of_batch(operation, count),
            links=[Link(span_context_of(traceparent)) for traceparent in jobs],
            start_time=began_us * 1_000,
        )
        span.end()
