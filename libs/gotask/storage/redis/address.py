"""What the address of a Redis means.

=========================================================  ==========================================================
``host[:port][/database]``                                 a server without TLS
``redis://[user:password@]host[:port][/database]``         the same, with credentials
``rediss://...``                                           the same over TLS
``unix:///path/to/socket[?db=1]``                          a socket of this machine
``redis+sentinel://[user:password@]host[:port],.../name``  the master that these Sentinels know by that name; with
                                                           ``/name/1``, its database 1
``rediss+sentinel://...``                                  the same, Sentinels and servers over TLS
=========================================================  ==========================================================

User and password are percent-encoded; a password alone is written ``:password@``. Options follow as a query:

``ssl_ca_certs``                        a file of authorities to trust
``ssl_certfile``, ``ssl_keyfile``       a certificate of our own
``ssl_check_hostname=false``            for servers that Sentinels announce by number
``ssl_cert_reqs=none``                  trusts anybody
``sentinel_username, _password``        where the Sentinels have credentials of their own
``wait_replicas``                       how many replicas must have a write before it counts; 1 behind Sentinels, else
                                        0. A failover forgets what the new master had not received; but nothing can be
                                        written while fewer than these are connected.
"""

import ssl
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from redis.asyncio.connection import BlockingConnectionPool, SSLConnection, parse_url
from redis.exceptions import RedisError

_SENTINEL = "+sentinel"
_SENTINEL_PORT = 26379
_OF_SENTINELS = "sentinel_"
_WAIT = "wait_replicas"
_SCHEMES = ("redis", "rediss", "unix", f"redis{_SENTINEL}", f"rediss{_SENTINEL}")
_FORM = "redis+sentinel://host:port,host:port/name"


class Host(NamedTuple):
    """A name or number, and a TCP port."""

    name: str
    port: int


@dataclass(frozen=True)
class Address:
    """A server, or with *sentinels* the one they name *master*. Options are those of redis-py."""

    options: dict[str, Any] = field(repr=False)
    wait_replicas: int = 0
    sentinels: tuple[Host, ...] = ()
    sentinel_options: dict[str, Any] = field(default_factory=dict, repr=False)
    master: str = ""


def parse_address(text: str) -> Address:
    """ValueError tells what is wrong with an address, and never repeats it: it may hold a password."""
    split = urlsplit(text if "://" in text else f"redis://{text}")
    if split.scheme not in _SCHEMES:
        raise ValueError(f"unknown scheme {split.scheme!r}; known are {', '.join(_SCHEMES)}, or host:port")
    query = dict(parse_qsl(split.query))
    wait = query.pop(_WAIT, "")
    if wait and not wait.isdecimal():
        raise ValueError(f"{_WAIT} must be a number, not {wait!r}")
    if split.scheme.endswith(_SENTINEL):
        return _behind_sentinels(split, query, int(wait or 1))
    return Address(_server(split._replace(query=urlencode(query))), int(wait or 0))


def _behind_sentinels(split: SplitResult, query: dict[str, str], wait_replicas: int) -> Address:
    credentials, _, hosts = split.netloc.rpartition("@")
    name, _, database = split.path.lstrip("/").partition("/")
    if not name:
        raise ValueError(f"the name of the master is missing; the form is {_FORM}")
    theirs = {key.removeprefix(_OF_SENTINELS): query.pop(key) for key in list(query) if key.startswith(_OF_SENTINELS)}
    if unknown := theirs.keys() - {"username", "password"}:
        raise ValueError(f"unknown option {_OF_SENTINELS}{min(unknown)}")
    scheme = split.scheme.removesuffix(_SENTINEL)
    netloc = f"{credentials}{'@' if credentials else ''}{hosts.split(',')[0]}"
    options = _server(SplitResult(scheme, netloc, database, urlencode(query), ""))
    shared = {key: value for key, value in options.items() if key.startswith("ssl_")}
    sentinels = tuple(_sentinel(host) for host in hosts.split(","))
    return Address(options, wait_replicas, sentinels, {**shared, **theirs, "ssl": scheme == "rediss"}, name)


def _sentinel(text: str) -> Host:
    split = urlsplit(f"//{text}")
    if not split.hostname:
        raise ValueError(f"the name of a Sentinel is missing; the form is {_FORM}")
    return Host(split.hostname, split.port or _SENTINEL_PORT)


def _server(split: SplitResult) -> dict[str, Any]:
    """The options of redis-py for a server."""
    database = split.path.strip("/")
    if split.scheme != "unix":
        if not split.hostname:
            raise ValueError("the name of the server is missing")
        if database and not database.isdecimal():
            raise ValueError(f"the database must be a number, not {database!r}")
    options: dict[str, Any] = dict(parse_url(split.geturl()))
    _check(options)
    return options


def _check(options: dict[str, Any]) -> None:
    try:
        connection = BlockingConnectionPool(**options).make_connection()  # type: ignore[no-untyped-call]
        if isinstance(connection, SSLConnection):
            connection.ssl_context.get()
    except TypeError as error:
        raise ValueError(f"unknown option {str(error).rpartition(' ')[2]}") from None
    except (OSError, ssl.SSLError, RedisError) as error:
        raise ValueError(f"the options for TLS cannot be used: {error}") from None
