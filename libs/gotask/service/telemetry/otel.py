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
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any

import structlog
from opentelemetry import context as contexts
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, use_span

from gotask import v1
from gotask.service.telemetry.attributes import (
    Attributes,
    fail,
    of_attempt,
    of_batch,
    of_job,
    of_operation,
    of_submission,
)
from gotask.service.telemetry.contract import AsgiApp, Attempt, EndTold, Held, StatusTold
from gotask.service.telemetry.http_spans import HttpSpans
from gotask.service.telemetry.propagation import sampled_context_of, traceparent_of, within
from gotask.service.telemetry.provider import Tracing, open_tracing
from gotask.service.telemetry.rpc_spans import rpc_span
from gotask.service.telemetry.sampling import job_sampler

_log = structlog.get_logger("gotask.telemetry")

_CLOSE_TIMEOUT_S = 5.0
_FAILED = frozenset({v1.OUTCOME_FAILURE, v1.OUTCOME_LEASE_LOST})

_of_attempt: ContextVar[Span | None] = ContextVar("of_attempt", default=None)
"""The span of the attempt that this task runs."""
_begins_nothing: ContextVar[bool] = ContextVar("begins_nothing", default=False)


def open_otel(service: str, namespace: str, *, messages: bool) -> "OtelTelemetry":
    return OtelTelemetry(open_tracing(service, namespace), messages=messages)


class OtelTelemetry:
    """See :class:`~gotask.service.telemetry.contract.Telemetry`."""

    wants_claim_times = True

    def __init__(self, tracing: Tracing, *, messages: bool) -> None:
        """
        :param messages: whether spans hold the texts of handlers' errors.
        """
        self._provider, self._deciding, self._following, self._past = tracing
        self._messages = messages
        self._sample = job_sampler(self._provider)
        ids = self._provider.id_generator
        self._unsampled = within(SpanContext(ids.generate_trace_id(), ids.generate_span_id(), is_remote=True))

    def http(self, app: AsgiApp) -> AsgiApp:
        return HttpSpans(app, self._deciding)

    def rpc(self, call: str, metadata: Mapping[str, str]) -> AbstractContextManager[StatusTold]:
        return rpc_span(self._deciding, call, metadata)

    @contextmanager
    def submitting(self, specs: Sequence[v1.JobSpec]) -> Iterator[None]:
        spans: list[Span] = []
        for spec in specs:
            if not spec.traceparent:
                span = self._deciding.start_span(f"send {spec.queue}", kind=SpanKind.PRODUCER)
                spec.traceparent = traceparent_of(span.get_span_context())
                if span.is_recording():
                    span.set_attributes(of_submission(spec, "send"))
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

    def arriving(self, specs: Sequence[v1.JobSpec], now_us: int) -> None:
        sample = self._sample
        for spec in specs:
            if not spec.traceparent and sample():
                attributes = of_submission(spec, "create")
                context = self._past.add(f"create {spec.queue}", None, SpanKind.PRODUCER, now_us, attributes)
                spec.traceparent = traceparent_of(context)

    def stored(self, specs: Sequence[v1.JobSpec], began_us: int) -> None:
        parents = []
        for spec in specs:
            if spec.traceparent and (parent := sampled_context_of(spec.traceparent)) is not None:
                parents.append(parent)
                self._step(f"store {spec.queue}", parent, began_us, None, of_job(spec.id, spec.queue))
        self._batch("process", SpanKind.CONSUMER, parents, len(specs), began_us)

    def claimed(self, reply: v1.ClaimReply, specs: Sequence[v1.JobSpec], started_us: int) -> None:
        parents = []
        timed = len(reply.ready_at_us) == len(specs)
        for index, spec in enumerate(specs):
            if spec.traceparent and (parent := sampled_context_of(spec.traceparent)) is not None:
                parents.append(parent)
                if timed:
                    about = {**of_job(spec.id, spec.queue), "gotask.attempt": reply.attempts[index]}
                    ready_us = reply.ready_at_us[index]
                    claimed_us = max(ready_us, min(reply.claimed_at_us, started_us))
                    self._step(f"wait {spec.queue}", parent, ready_us, claimed_us, about)
                    self._step(f"claim {spec.queue}", parent, claimed_us, started_us, about)
        self._batch("receive", SpanKind.CLIENT, parents, len(specs), started_us)

    def around_attempt(self, run: Attempt[Held], spec_of: Callable[[Held], v1.JobSpec], worker: str) -> Attempt[Held]:
        async def recorded(held: Held, parent: SpanContext) -> None:
            spec = spec_of(held)
            span = self._following.start_span(
                f"process {spec.queue}", within(parent), SpanKind.CONSUMER, of_attempt(spec, worker)
            )
            _of_attempt.set(span)
            with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
                await run(held)

        def begin(held: Held) -> Coroutine[Any, Any, None]:
            traceparent = spec_of(held).traceparent
            parent = sampled_context_of(traceparent) if traceparent else None
            if not _begins_nothing.get():
                # Who starts jobs does so in a context of its own, which the jobs' tasks inherit: a handler whose job
                # is not sampled begins no traces.
                _begins_nothing.set(True)
                contexts.attach(self._unsampled)
            return run(held) if parent is None else recorded(held, parent)

        return begin

    def at_end(self, tell: EndTold[Held]) -> EndTold[Held]:
        def traced(held: Held, result: v1.JobResult | None) -> None:
            span = _of_attempt.get()
            if span is not None:
                self._end(span, result)
            tell(held, result)

        return traced

    def _end(self, span: Span, result: v1.JobResult | None) -> None:
        if result is None:
            fail(span, "LeaseLost")
        else:
            self._describe_end(span, result.attempt)
            result.traceparent = traceparent_of(span.get_span_context())

    def settled(self, results: Sequence[v1.JobResult], began_us: int) -> None:
        parents = []
        for result in results:
            if result.traceparent and (parent := sampled_context_of(result.traceparent)) is not None:
                parents.append(parent)
                about = {**of_operation("settle"), **of_job(result.job_id, result.queue)}
                self._step(f"settle {result.queue}", parent, began_us, None, about)
        self._batch("settle", SpanKind.CLIENT, parents, len(results), began_us)

    def lost(self, spec: v1.JobSpec, attempt: v1.Attempt) -> None:
        parent = sampled_context_of(spec.traceparent)
        if parent is None:
            return
        span = self._following.start_span(
            f"process {spec.queue}",
            within(parent),
            SpanKind.CONSUMER,
            of_attempt(spec, attempt.worker),
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
        span.set_attributes({"gotask.attempt": attempt.attempt, "gotask.attempt.outcome": outcome})
        if attempt.outcome not in _FAILED:
            return
        error = attempt.error
        event = {"exception.type": error.type}
        if self._messages:
            event |= {"exception.message": error.message, "exception.stacktrace": error.traceback}
        span.add_event("exception", event)
        fail(span, error.type, error.message if self._messages else "")

    def _step(
        self, name: str, parent: SpanContext, began_us: int, ended_us: int | None, attributes: Attributes
    ) -> None:
        self._past.add(name, parent, SpanKind.INTERNAL, began_us, attributes, ended_us=ended_us)

    def _batch(self, operation: str, kind: SpanKind, parents: Sequence[SpanContext], count: int, began_us: int) -> None:
        """A span of its own trace for work on *count* jobs, linked to those that are sampled."""
        if parents:
            links = [Link(parent) for parent in parents]
            self._past.add(operation, None, kind, began_us, of_batch(operation, count), links=links)
