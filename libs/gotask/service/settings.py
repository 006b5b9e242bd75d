"""Settings: ``GOTASK_...`` variables, and the same as command-line flags."""

from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from gotask.jobs.durations import parse_us
from gotask.service.sizes import parse_bytes

PREFIX = "GOTASK_"

Seconds = Annotated[float, BeforeValidator(lambda value: parse_us(value) / 1e6)]
"""A duration: "5m", or a number of seconds."""

Bytes = Annotated[int, BeforeValidator(parse_bytes)]
"""An amount of memory: "512MB", or a number of bytes."""


def _split(value: Any) -> Any:
    parts = value if isinstance(value, list) else [value]
    return [name.strip() for part in parts for name in str(part).split(",") if name.strip()]


Names = Annotated[list[str], NoDecode, BeforeValidator(_split)]
"""Given as text, separated by commas; as a flag, also repeated."""

Port = Annotated[int, Field(ge=0, le=65535)]


class InvalidSettings(Exception):
    """A setting is wrong; the text names it."""


class ServiceSettings(BaseSettings):
    """What every service needs to know."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        extra="ignore",
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_hide_none_type=True,
        cli_avoid_json=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    namespace: str = "gotask"
    """First token of every subject, and prefix of every key."""
    nats_url: str = Field("nats://127.0.0.1:4222", repr=False)
    """Addresses of the broker, separated by commas."""
    nats_user: str = ""
    """With its password, how the broker knows us."""
    nats_password: str = Field("", repr=False)
    """Of that user."""
    nats_token: str = Field("", repr=False)
    """Instead of a user."""
    nats_credentials: str = ""
    """File with a JWT and its nkey's seed; needs the extra nkey."""
    nats_nkey_seed: str = ""
    """File with the seed of an nkey, which the broker knows us by; needs the extra nkey."""
    nats_inbox_prefix: str = Field("_INBOX", pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$")
    """Where answers come to. With one of its own, and rights to suit, nobody else reads them."""
    nats_tls_ca: str = ""
    """File with the authority that the broker's certificate is checked against; the system's, if empty."""
    nats_tls_cert: str = ""
    """File with the certificate that we show the broker."""
    nats_tls_key: str = ""
    """File with its private key."""
    stream_replicas: int = Field(1, ge=1, le=5)
    """On how many of the broker's nodes each stream is kept; 3 for a cluster."""
    stream_max_bytes: int = Field(1 << 30, ge=1 << 20)
    """The most each of the inbox streams (submit, result, due) may hold; beyond it, submitters are pushed back."""
    events_max_bytes: int = Field(1 << 30, ge=1 << 20)
    """The most the stream of events may hold; beyond it, the oldest go."""
    events_max_age: Seconds = 24 * 3600.0
    """How long events are kept."""
    start_timeout: Seconds = 30.0
    """How long to wait for the broker and the storage at start."""
    stop_timeout: Seconds = 30.0
    """How long an orderly stop may take."""
    health_host: str = "127.0.0.1"
    """Address of the health pages."""
    health_port: Port = 0
    """Where /health, /ready and /metrics are served; 0 is nowhere."""
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$")
    """What is logged, from this level on."""
    log_format: str = Field("auto", pattern="^(auto|json|console)$")
    """auto: for people on a terminal, JSON elsewhere."""
    profile: str = Field("", pattern=r"^$|\.(html|json)$")
    """File to which a profile of the whole run is written at its end: a flame graph (.html), or for speedscope (.json).
    {service} and {pid} in it are filled in."""
    log_payloads: bool = False
    """Whether logs and traces may hold payloads, and the texts of handlers' errors, which may quote them."""

    @classmethod
    def load(cls, args: Sequence[str] = (), **overrides: Any) -> Self:
        """From flags, else the environment, else defaults. InvalidSettings names what is wrong, and never its value."""
        try:
            command_line: dict[str, Any] = {"_cli_parse_args": list(args), "_cli_prog_name": "gotask"}
            return cls(**command_line, **overrides)
        except ValidationError as error:
            raise InvalidSettings(_explain(error)) from None
        except SettingsError as error:
            raise InvalidSettings(str(error)) from None


class StorageSettings(ServiceSettings):
    """For services that touch the storage."""

    storage: str = Field("redis", pattern="^(redis|postgres|memory)$")
    """Where jobs are kept; memory only within `gotask up --storage memory`."""
    redis_addr: str = Field("redis://127.0.0.1:6379/0", repr=False)
    """host:port, a redis:// or (TLS) rediss:// URL, or redis+sentinel://host:port,host:port/master/0."""
    postgres_dsn: str = Field("", repr=False)
    """A connection string, postgresql://user:password@host:port/db?sslmode=..., instead of the single values."""
    postgres_host: str = "127.0.0.1"
    """A name, an address, or the folder of a Unix socket."""
    postgres_port: Port = 5432
    """Its port."""
    postgres_db: str = "gotask"
    """The database."""
    postgres_user: str = "gotask"
    """Who we are there."""
    postgres_password: str = Field("", repr=False)
    """Of that user."""


def _explain(error: ValidationError) -> str:
    lines = []
    for problem in error.errors(include_url=False, include_input=False):
        reason = problem["msg"].removeprefix("Value error, ")
        name = ".".join(str(part) for part in problem["loc"]).upper()
        # What concerns several settings names them itself.
        lines.append(f"{PREFIX}{name}: {reason}" if name else reason)
    return "; ".join(lines)
