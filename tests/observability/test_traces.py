"""The trace of a job, as an OTLP receiver gets it."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from typing import Any

import grpc
import orjson
import pytest

from gotask import v1
from gotask.bus.bus import Bus, Publication
from gotask.jobs.ids import new_id
from gotask.service.settings import ServiceSettings
from gotask.v1.job_service_pb2_grpc import JobServiceStub
from tests.support.otlp import OtlpReceiver, ReceivedSpan
from tests.support.stack import Stack
from tests.support.waiting import wait_until, wait_until_blocking

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
ONCE_MORE = {"max_retries": 1, "retry_delay": "10ms"}


def submit(stack: Stack, traceparent: str, **job: Any) -> str:
    """Posts a job as a traced client does; its id."""
    headers = {"Content-Type": "application/json", "traceparent": traceparent}
    request = urllib.request.Request(f"{stack.url}/jobs", orjson.dumps(job), headers, method="POST")
    with urllib.request.urlopen(request, timeout=30) as response:
        return str(orjson.loads(response.read())["id"])


def run(stack: Stack, job_id: str) -> dict[str, Any]:
    document: dict[str, Any] = stack.get(f"/jobs/{job_id}?wait=30s")
    assert document["status"] == "success"
    return document


def named(spans: list[ReceivedSpan], name: str) -> list[ReceivedSpan]:
    return [span for span in spans if span.name == name]


def test_a_job_that_is_retried_has_one_trace(seen: Stack, receiver: OtlpReceiver) -> None:
    job_id = submit(seen, f"00-{TRACE}-{PARENT}-01", type="flaky", **ONCE_MORE)
    run(seen, job_id)
    spans = receiver.trace(TRACE, lambda found: len(found) >= 13)
    assert Counter((span.service, span.kind, span.name) for span in spans) == {
        ("gotask-gateway", "SERVER", "POST /api/v1/jobs"): 1,
        ("gotask-gateway", "PRODUCER", "send default"): 1,
        ("gotask-queue-manager", "INTERNAL", "store default"): 1,
        ("gotask-worker", "INTERNAL", "wait default"): 2,
        ("gotask-worker", "INTERNAL", "claim default"): 2,
        ("gotask-worker", "CONSUMER", "process default"): 2,
        ("gotask-worker", "INTERNAL", "look it up"): 2,
        ("gotask-queue-manager", "INTERNAL", "settle default"): 2,
    }
    (request,), (sent,) = named(spans, "POST /api/v1/jobs"), named(spans, "send default")
    assert (request.parent_id, sent.parent_id) == (PARENT, request.span_id)
    assert request.attributes["http.route"] == "/api/v1/jobs"
    assert request.attributes["http.response.status_code"] == 201
    assert sent.attributes["messaging.operation.type"] == "send"
    first, second = named(spans, "process default")
    for name in ("store default", "wait default", "claim default", "process default"):
        for span in named(spans, name):
            assert span.parent_id == sent.span_id
            assert span.attributes["messaging.destination.name"] == "default"
            assert span.attributes["messaging.message.id"] == job_id
            assert span.ended_ns >= span.began_ns
    for span in (sent, first, second):
        assert span.attributes["messaging.system"] == "gotask"
        assert span.attributes["gotask.job.type"] == "flaky"
    own, settled = named(spans, "look it up"), named(spans, "settle default")
    assert [span.parent_id for span in own] == [first.span_id, second.span_id]
    assert [span.parent_id for span in settled] == [first.span_id, second.span_id]
    assert [span.attributes["gotask.attempt"] for span in (first, second)] == [1, 2]
    assert [span.attributes["gotask.attempt.outcome"] for span in (first, second)] == ["failure", "success"]
    assert (first.attributes["error.type"], first.events) == ("ConnectionError", ["exception"])
    assert (first.error, second.error) == ("ConnectionError", None)


def _is_whole(spans: list[ReceivedSpan]) -> bool:
    """Whether the job of one attempt in a thread has told everything."""
    return len(spans) >= 8


def test_a_thread_knows_its_jobs_span(seen: Stack, receiver: OtlpReceiver) -> None:
    trace_id = TRACE.replace("4", "5")
    run(seen, submit(seen, f"00-{trace_id}-{PARENT}-01", type="threaded"))
    spans = receiver.trace(trace_id, _is_whole)
    (own,), (process,) = named(spans, "in a thread"), named(spans, "process default")
    assert own.parent_id == process.span_id


def test_batches_have_traces_of_their_own_with_links(seen: Stack, receiver: OtlpReceiver) -> None:
    trace_id = TRACE.replace("4", "6")
    run(seen, submit(seen, f"00-{trace_id}-{PARENT}-01", type="threaded"))
    spans = receiver.trace(trace_id, _is_whole)
    (sent,), (process,) = named(spans, "send default"), named(spans, "process default")
    expected = {
        ("gotask-queue-manager", "CONSUMER", "process"): (trace_id, sent.span_id),
        ("gotask-worker", "CLIENT", "receive"): (trace_id, sent.span_id),
        ("gotask-queue-manager", "CLIENT", "settle"): (trace_id, process.span_id),
    }

    def linked() -> dict[tuple[str, str, str], tuple[str, str]]:
        links = [(span, link) for span in receiver.spans for link in span.links]
        return {(span.service, span.kind, span.name): link for span, link in links if link[0] == trace_id}

    wait_until_blocking(lambda: linked() == expected, "all batches are linked to the job")
    for span in receiver.spans:
        if span.links:
            assert span.trace_id not in {trace for trace, _ in span.links}
            assert span.attributes["messaging.batch.message_count"] >= len(span.links)


def test_every_request_is_one_span_named_after_its_route(seen: Stack, receiver: OtlpReceiver) -> None:
    trace_id = TRACE.replace("4", "9")
    headers = {"traceparent": f"00-{trace_id}-{PARENT}-01", "User-Agent": "a test"}
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(urllib.request.Request(f"{seen.url}/jobs/no-such-job", headers=headers))
    (span,) = receiver.trace(trace_id, bool)
    assert (span.kind, span.name) == ("SERVER", "GET /api/v1/jobs/{job_id}")
    told = {name: span.attributes[name] for name in ("http.response.status_code", "url.path", "user_agent.original")}
    assert told == {
        "http.response.status_code": 404,
        "url.path": "/api/v1/jobs/no-such-job",
        "user_agent.original": "a test",
    }
    assert span.error is None


def test_a_grpc_call_begins_the_trace_as_a_request_does(seen: Stack, receiver: OtlpReceiver) -> None:
    trace_id = TRACE.replace("4", "a")
    metadata = (("traceparent", f"00-{trace_id}-{PARENT}-01"),)
    with grpc.insecure_channel(seen.grpc_address) as channel:
        jobs = JobServiceStub(channel)
        job = v1.NewJob(spec=v1.JobSpec(type="threaded"))
        run(seen, jobs.SubmitJob(job, metadata=metadata).job.spec.id)
        spans = receiver.trace(trace_id, _is_whole)
        with pytest.raises(grpc.RpcError):
            jobs.SubmitJob(v1.NewJob(), metadata=metadata)
    (call,), (sent,) = named(spans, "gotask.v1.JobService/SubmitJob"), named(spans, "send default")
    assert (call.kind, call.parent_id, sent.parent_id) == ("SERVER", PARENT, call.span_id)
    assert (call.attributes["rpc.system"], call.attributes["rpc.method"]) == ("grpc", "SubmitJob")
    spans = receiver.trace(trace_id, lambda found: len(named(found, call.name)) == 2)
    refused = named(spans, call.name)[-1]
    assert (refused.attributes["rpc.response.status_code"], refused.error) == ("INVALID_ARGUMENT", None)


def test_a_request_that_is_not_sampled_leaves_no_span(seen: Stack, receiver: OtlpReceiver) -> None:
    silent, loud = TRACE.replace("4", "7"), TRACE.replace("4", "8")
    run(seen, submit(seen, f"00-{silent}-{PARENT}-00", type="threaded"))
    run(seen, submit(seen, f"00-{loud}-{PARENT}-01", type="threaded"))
    receiver.trace(loud, _is_whole)
    assert not [span for span in receiver.spans if span.trace_id == silent]


async def test_a_job_that_comes_without_a_trace_gets_one(seen: Stack, receiver: OtlpReceiver) -> None:
    bus = await Bus.open(ServiceSettings.load(nats_url=seen.nats.address), "test")
    spec = v1.JobSpec(id=new_id(), type="threaded", queue="default", priority=1)
    data = v1.SubmitJobs(jobs=[spec]).SerializeToString()
    await bus.publish_durable(Publication(bus.subjects.submit("default"), data, spec.id))
    await bus.close()

    def of_job() -> list[ReceivedSpan]:
        return [span for span in receiver.spans if span.attributes.get("messaging.message.id") == spec.id]

    await wait_until(lambda: len(of_job()) >= 6, "its spans have come")
    spans = of_job()
    (created,) = named(spans, "create default")
    assert (created.kind, created.parent_id, created.service) == ("PRODUCER", "", "gotask-queue-manager")
    assert {span.trace_id for span in spans} == {created.trace_id}
    assert named(spans, "process default")[0].parent_id == created.span_id


def test_without_an_endpoint_nothing_of_opentelemetry_is_imported() -> None:
    script = """
import sys
import gotask.worker.main, gotask.queue_manager.main, gotask.scheduler.main
from gotask.service.telemetry import OFF, open_telemetry
assert open_telemetry("worker", "gotask", messages=False) is OFF
print([name for name in sys.modules if name.startswith("opentelemetry")])
import gotask.gateway.main  # whose framework imports the API by itself
print([name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))])
"""
    command = [sys.executable, "-c", script]
    told = subprocess.run(command, capture_output=True, text=True, check=True, env=_without_otel())
    assert told.stdout.split("\n") == ["[]", "[]", ""]


def test_what_is_not_supported_is_said() -> None:
    environment = {
        **_without_otel(),
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
    }
    command = [sys.executable, "-m", "gotask.cli", "worker"]
    told = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert told.returncode == 1
    assert "OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' is not supported; use grpc" in told.stderr


def _without_otel() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
