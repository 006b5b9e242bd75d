"""The metrics service's settings."""

from pydantic import Field

from gotask.service.settings import Port, Seconds, StorageSettings


class MetricsSettings(StorageSettings):
    """Settings of the metrics service."""

    metrics_host: str = "127.0.0.1"
    """Address that the metrics are served at."""
    metrics_port: Port = 9464
    """Its port."""
    metrics_refresh: Seconds = 0.5
    """How often the gauges are read from the storage."""
    metrics_save: Seconds = 1.0
    """How often the counts are stored; only then are the events behind them acknowledged."""
    metrics_max_types: int = Field(100, ge=1)
    """Job types per queue that have series of their own; the rest share the type ``_other``."""
    metrics_max_series: int = Field(2_000, ge=1)
    """Pairs of queue and type that have series of their own, over all queues."""
    metrics_max_queues: int = Field(500, ge=1)
    """Queues that have series of their own; the rest share the name ``_other``."""
    metrics_max_workers: int = Field(2_000, ge=1)
    """Workers that have series of their own; the rest share the id ``_other``."""
    metrics_idle: Seconds = 3600.0
    """How long a queue, type or worker that others need the place of may be silent before its series end."""
    dashboard_host: str = "127.0.0.1"
    """Address that the dashboard listens on. One that others can reach is refused while the gateway asks nobody who
    they are."""
    dashboard_port: Port = 3000
    """0 is nowhere."""
    allow_anonymous: bool = False
    """Whether everybody may do everything through a dashboard that others can reach, where the gateway asks nobody."""
    gateway_url: str = "http://127.0.0.1:8080"
    """Where the dashboard finds the gateway's REST API."""
    gateway_ca: str = ""
    """File in PEM form with certificates to know the gateway by; those of the system, if not given."""
