"""The sampler's decision about jobs that come without a trace, made cheap: there are many, and most get none."""

import os
import random
from collections.abc import Callable

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import Decision


def job_sampler(provider: TracerProvider) -> Callable[[], bool]:
    """Decides about one job as the sampler of *provider* does, which the environment chose.

    The standard ones are ratios; asking the sampler itself would cost twenty times as much.
    """
    name = os.environ.get("OTEL_TRACES_SAMPLER", "parentbased_always_on").lower()
    ratio = {"always_on": 1.0, "always_off": 0.0, "traceidratio": _ratio()}.get(name.removeprefix("parentbased_"))
    if ratio is not None:
        return lambda: random.random() < ratio
    ask, new_trace = provider.sampler.should_sample, provider.id_generator.generate_trace_id
    return lambda: ask(None, new_trace(), "create").decision is Decision.RECORD_AND_SAMPLE


def _ratio() -> float:
    """What cannot be read is 1, as for OpenTelemetry itself, which says so in its log."""
    try:
        return float(os.environ.get("OTEL_TRACES_SAMPLER_ARG", "1"))
    except ValueError:
        return 1.0
