"""The page of settings, from the classes that read them."""

from collections.abc import Iterator
from typing import Any

from annotated_types import Ge, Le
from pydantic import BeforeValidator
from pydantic.fields import FieldInfo

from gotask.gateway.settings import GatewaySettings
from gotask.jobs.durations import format_us
from gotask.metrics.settings import MetricsSettings
from gotask.queue_manager.settings import QueueManagerSettings
from gotask.scheduler.settings import SchedulerSettings
from gotask.service.settings import PREFIX, ServiceSettings, StorageSettings
from gotask.worker.settings import WorkerSettings
from tools.reference.markdown import code, page, table

_INTRODUCTION = """
Every setting is a variable, `GOTASK_NAME`, and a flag of its service, `--name`; a flag wins over a variable. A wrong
value stops the start with exit code 2 and a message that names the setting, never its value. Durations are numbers of
seconds or texts such as `90s` and `1h30m`; amounts of memory are bytes or texts such as `512MB`.

`OTEL_EXPORTER_OTLP_ENDPOINT` and its kin are read as OpenTelemetry has them; without it no traces are sent. What the
Python client and the command line read is on the page of the [client](../client.md#where-gotask-is).
"""

_SECTIONS = (
    ("Every service", "", ServiceSettings, None),
    (
        "Every service but the worker",
        "Where the storage is. The worker never touches it.",
        StorageSettings,
        ServiceSettings,
    ),
    ("Gateway", "`gotask gateway`", GatewaySettings, StorageSettings),
    ("Queue-manager", "`gotask queue-manager`", QueueManagerSettings, StorageSettings),
    ("Scheduler", "`gotask scheduler`", SchedulerSettings, StorageSettings),
    ("Worker", "`gotask worker [module:app ...]`", WorkerSettings, ServiceSettings),
    ("Metrics", "`gotask metrics`", MetricsSettings, StorageSettings),
)


def settings_page() -> str:
    """All settings, by the service that reads them."""
    parts = [_INTRODUCTION]
    for title, text, settings, base in _SECTIONS:
        known = base.model_fields if base else {}
        fields = {name: field for name, field in settings.model_fields.items() if name not in known}
        parts += [f"## {title}", text, table(("variable", "default", ""), _rows(fields))]
    return page("Settings", *parts)


def _rows(fields: dict[str, FieldInfo]) -> Iterator[tuple[str, str, str]]:
    for name, field in fields.items():
        text = " ".join(filter(None, ((field.description or "").replace("``", "`"), _bounds(field))))
        yield code(f"{PREFIX}{name.upper()}"), code(_default(field)), text


def _bounds(field: FieldInfo) -> str:
    lowest = next((each.ge for each in field.metadata if isinstance(each, Ge)), None)
    highest = next((each.le for each in field.metadata if isinstance(each, Le)), None)
    pattern = next((found for each in field.metadata if (found := getattr(each, "pattern", None))), "")
    if pattern.startswith("^("):
        return f"One of {pattern[2:-2].replace('|', ', ')}."
    if lowest and highest:
        return f"{lowest} to {highest}."
    return f"At least {lowest}." if lowest else ""


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if field.is_required() or field.default_factory is not None:
        return ""
    if field.annotation is float and any(isinstance(each, BeforeValidator) for each in field.metadata):
        return format_us(round(value * 1e6))
    return str(value).lower() if isinstance(value, bool) else str(value)
