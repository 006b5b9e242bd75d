"""Measures what traces cost: ``python -m tools.bench_tracing [--storage redis] [--share 0.01]``.

Runs ``tools.bench`` without and with traces in turn, on stacks of their own. With traces, that share of jobs is sampled
and sent to a real OTLP receiver over gRPC in this process. Prints jobs per second and CPU time per job of both.
"""

import argparse
import os
import statistics
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import uvloop

from tests.support.otlp import otlp_receiver
from tools.bench import measure


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """The stack inherits them."""
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            del os.environ[name]


def compare(options: argparse.Namespace) -> tuple[list[dict[str, Any]], list[dict[str, Any]], int]:
    """The figures without traces, and with them, and how many spans came."""
    off, on = [], []
    with otlp_receiver() as receiver:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.address,
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": str(options.share),
        }
        for _ in range(options.turns):
            off.append(uvloop.run(measure(options)))
            with _environment(variables):
                on.append(uvloop.run(measure(options)))
        return off, on, len(receiver.spans)


def _line(name: str, runs: list[dict[str, Any]]) -> tuple[float, float]:
    rates = [run["jobs_per_second"]["median"] for run in runs]
    cpu = [sum(run["cpu_us_per_job"].values()) for run in runs]
    print(f"  {name:<24} {statistics.median(rates):8.0f} {min(rates):8.0f} {max(rates):8.0f} {min(cpu):12.1f}")
    return statistics.median(rates), min(cpu)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--storage", choices=["redis", "postgres", "memory"], default="redis")
    parser.add_argument("--share", type=float, default=0.01, help="of jobs that are sampled, 0 to 1")
    parser.add_argument("--turns", type=int, default=2, help="stacks without traces, and as many with them")
    parser.add_argument("--jobs", type=int, default=40_000, help="jobs per run")
    parser.add_argument("--runs", type=int, default=3, help="runs on each stack")
    options = parser.parse_args()
    options.batch, options.concurrency, options.rate, options.seconds = 500, 1_000, 100, 1.0
    off, on, spans = compare(options)
    print(f"storage {options.storage}, {options.turns} turns of {options.runs} runs of {options.jobs} no-op jobs")
    print(f"  {'jobs/s':<24} {'median':>8} {'min':>8} {'max':>8} {'CPU us/job':>12}")
    (rate, cpu), (traced, traced_cpu) = _line("without traces", off), _line(f"{options.share:.0%} of jobs traced", on)
    slower, more = 100 * (1 - traced / rate), 100 * (traced_cpu / cpu - 1)
    print(f"  traced: {slower:.1f} % slower, {more:.1f} % more CPU per job; {spans} spans received")


if __name__ == "__main__":
    main()
