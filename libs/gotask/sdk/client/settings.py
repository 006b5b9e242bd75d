"""Where GoTask is, and how it knows us."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypedDict
from urllib.parse import urlsplit

from gotask.bus.subjects import Subjects
from gotask.sdk.client.times import Duration, wait_seconds
from gotask.sdk.errors import InvalidArgument

DEFAULT_URL = "nats://127.0.0.1:4222"
_NATS = ("nats", "tls", "ws", "wss")
_GRPC = ("grpc", "grpcs")


class Credentials(TypedDict, total=False):
    """How GoTask knows us; see :class:`ClientSettings`."""

    nats_user: str
    nats_password: str
    nats_token: str
    nats_credentials: str
    nats_nkey_seed: str
    nats_inbox_prefix: str
    nats_tls_ca: str
    nats_tls_cert: str
    nats_tls_key: str
    api_key: str
    tls_ca: str


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """What a client needs to know. Each has a variable: ``GOTASK_URL``, ``GOTASK_API_KEY`` ..."""

    url: str = DEFAULT_URL
    """nats://host:port (several, separated by commas), or a gateway's grpc://host:port or grpcs://host:port."""
    namespace: str = "gotask"
    """NATS: the first token of every subject."""
    timeout_s: float = 10.0
    """How long to wait for an answer."""
    name: str = "gotask-client"
    """How we show in the broker's monitoring."""
    nats_user: str = ""
    nats_password: str = ""
    nats_token: str = ""
    nats_credentials: str = ""
    """File with a JWT and its nkey's seed; needs the extra nkey."""
    nats_nkey_seed: str = ""
    """File with the seed of an nkey, which the broker knows us by; needs the extra nkey."""
    nats_inbox_prefix: str = "_INBOX"
    """Where answers come to: one that our rights let us read."""
    nats_tls_ca: str = ""
    nats_tls_cert: str = ""
    nats_tls_key: str = ""
    api_key: str = ""
    """gRPC: an API key or a JWT of the gateway."""
    tls_ca: str = ""
    """grpcs: file with the authority that the gateway's certificate is checked against; the system's, if empty."""

    def __repr__(self) -> str:
        return f"ClientSettings({self.safe_url})"

    @classmethod
    def load(
        cls,
        url: str = "",
        namespace: str = "",
        timeout: Duration | None = None,
        credentials: Mapping[str, object] | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> "ClientSettings":
        """What is given, else the environment, else defaults. InvalidArgument names what is wrong."""
        names = [each.name for each in fields(cls) if each.name not in ("url", "timeout_s", "name")]
        found: dict[str, Any] = {name: value for name in names if (value := environment.get(f"GOTASK_{name.upper()}"))}
        found |= {name: value for name, value in {"namespace": namespace, **(credentials or {})}.items() if value}
        chosen = url or environment.get("GOTASK_URL") or environment.get("GOTASK_NATS_URL") or DEFAULT_URL
        settings = replace(cls(url=chosen), **found)
        if timeout is not None:
            settings = replace(settings, timeout_s=_timeout(timeout))
        settings.check()
        return settings

    def check(self) -> None:
        """InvalidArgument for an address or a namespace that cannot be one."""
        try:
            Subjects(self.namespace)
            parts = [urlsplit(each) for each in self.servers]
            ports = [part.port for part in parts]
        except ValueError as error:
            raise InvalidArgument(str(error), "url" if "namespace" not in str(error) else "namespace") from None
        schemes = {part.scheme for part in parts}
        if not schemes <= {*_NATS, *_GRPC} or not all(part.hostname for part in parts):
            raise InvalidArgument(
                f"{self.safe_url!r} is no address; write nats://host:port, grpc://host:port or grpcs://host:port", "url"
            )
        if schemes & set(_GRPC) and (len(parts) > 1 or ports == [None]):
            raise InvalidArgument(f"{self.safe_url!r}: a gateway's address is one host and its port", "url")

    @property
    def kind(self) -> Literal["nats", "grpc"]:
        return "grpc" if urlsplit(self.servers[0]).scheme in _GRPC else "nats"

    @property
    def nats_url(self) -> str:
        return ",".join(self.servers)

    @property
    def servers(self) -> list[str]:
        return [each if "://" in each else f"nats://{each}" for each in map(str.strip, self.url.split(","))]

    @property
    def safe_url(self) -> str:
        """The address without user, password and token."""
        return ",".join(_without_secrets(each) for each in self.servers)


def _timeout(value: Duration) -> float:
    timeout_s = wait_seconds(value)
    if not timeout_s:
        raise InvalidArgument("must be longer than 0", "timeout")
    return timeout_s


def _without_secrets(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
