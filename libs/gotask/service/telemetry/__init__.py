"""Traces: where each job's time went, from the request that submitted it to its stored result.

They are on when ``OTEL_EXPORTER_OTLP_ENDPOINT`` says where to send them, and follow the other standard ``OTEL_…``
variables: sampling (``OTEL_TRACES_SAMPLER``, ``OTEL_TRACES_SAMPLER_ARG``), ``OTEL_SERVICE_NAME``,
``OTEL_RESOURCE_ATTRIBUTES``, ``OTEL_EXPORTER_OTLP_HEADERS``, ``OTEL_SDK_DISABLED`` … Otherwise nothing of OpenTelemetry
is imported, and nothing is done per job.

All spans of a job are in one trace: it begins with the request that submits the job (or, for a job that comes without
a trace, with its arrival), travels in ``JobSpec.traceparent``, and goes on over retries. Spans of batches, which mix
jobs of many traces, are traces of their own, with links. Names and attributes are those of OpenTelemetry's conventions
for messaging and HTTP.
"""

from gotask.service.telemetry.contract import Telemetry
from gotask.service.telemetry.ids import is_sampled, trace_id_of
from gotask.service.telemetry.off import OFF
from gotask.service.telemetry.opening import TelemetryUnavailable, open_telemetry

__all__ = ["OFF", "Telemetry", "TelemetryUnavailable", "is_sampled", "open_telemetry", "trace_id_of"]
