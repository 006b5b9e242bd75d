"""Every form of an address, and what is wrong with others."""

import pytest
from redis.asyncio.connection import SSLConnection, UnixDomainSocketConnection

from gotask.storage.redis import RedisStorage
from gotask.storage.redis.address import Host, parse_address


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("localhost:6379", {"host": "localhost", "port": 6379}),
        ("redis", {"host": "redis"}),
        ("localhost:6379/2", {"host": "localhost", "port": 6379, "db": 2}),
        ("redis://10.0.0.7", {"host": "10.0.0.7"}),
        ("redis://:p%40ss@h:1/3", {"host": "h", "port": 1, "db": 3, "password": "p@ss"}),
        ("redis://u:p@h?db=4", {"host": "h", "db": 4, "username": "u", "password": "p"}),
        ("redis://[::1]:7000/0", {"host": "::1", "port": 7000, "db": 0}),
        ("rediss://h", {"host": "h", "connection_class": SSLConnection}),
        (
            "rediss://h/0?ssl_check_hostname=false&ssl_cert_reqs=none",
            {
                "host": "h",
                "db": 0,
                "connection_class": SSLConnection,
                "ssl_check_hostname": False,
                "ssl_cert_reqs": "none",
            },
        ),
        (
            "unix:///run/redis.sock?db=1",
            {"path": "/run/redis.sock", "db": 1, "connection_class": UnixDomainSocketConnection},
        ),
    ],
)
def test_an_address_of_a_server(text: str, options: dict[str, object]) -> None:
    address = parse_address(text)
    assert (address.options, address.sentinels, address.wait_replicas) == (options, (), 0)


def test_an_address_behind_sentinels() -> None:
    address = parse_address("redis+sentinel://u:p@a:1,b,[::1]:3/main/5?socket_keepalive=no&sentinel_password=s")
    assert address.sentinels == (Host("a", 1), Host("b", 26379), Host("::1", 3))
    assert (address.master, address.wait_replicas) == ("main", 1)
    assert address.sentinel_options == {"password": "s", "ssl": False}
    own = {"username": "u", "password": "p", "db": 5, "socket_keepalive": False}
    assert {key: address.options[key] for key in own} == own


def test_sentinels_over_tls_are_reached_as_the_servers_are() -> None:
    address = parse_address("rediss+sentinel://a:1/main?ssl_check_hostname=false")
    assert address.sentinel_options == {"ssl": True, "ssl_check_hostname": False}
    assert (address.options["connection_class"], address.options["ssl_check_hostname"]) == (SSLConnection, False)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("http://h:80", "unknown scheme 'http'"),
        ("redis://:secret@h/abc", "the database must be a number, not 'abc'"),
        ("redis://:secret@h/1/2", "the database must be a number, not '1/2'"),
        ("redis://:secret@h:port", "[Pp]ort"),
        ("redis://h:99999", "[Pp]ort"),
        ("", "the name of the server is missing"),
        ("redis://:secret@:6379", "the name of the server is missing"),
        ("redis://:secret@h?colour=red", "unknown option 'colour'"),
        ("redis://:secret@h?db=x", "db"),
        ("redis://:secret@h?ssl_ca_certs=/x", "unknown option 'ssl_ca_certs'"),
        ("rediss://:secret@h?ssl_ca_certs=/no/such/file", "the options for TLS cannot be used"),
        ("rediss://:secret@h?ssl_cert_reqs=maybe", "the options for TLS cannot be used"),
        ("redis://:secret@h?wait_replicas=some", "wait_replicas must be a number, not 'some'"),
        ("redis+sentinel://:secret@a:1,b:2", "the name of the master is missing"),
        ("redis+sentinel://:secret@a:1,b:2/", "the name of the master is missing"),
        ("redis+sentinel://:secret@a:1,,b:2/main", "the name of a Sentinel is missing"),
        ("redis+sentinel://:secret@a:1/main/x", "the database must be a number, not 'x'"),
        ("redis+sentinel://:secret@a:1/main?sentinel_colour=red", "unknown option sentinel_colour"),
    ],
)
def test_what_is_no_address_is_refused_without_its_password(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refused:
        RedisStorage(text, "t")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("text", ["redis://h?wait_replicas=2", "redis+sentinel://h/main?wait_replicas=2"])
def test_how_many_replicas_must_have_a_write_is_an_option(text: str) -> None:
    address = parse_address(text)
    assert (address.wait_replicas, "wait_replicas" in address.options) == (2, False)
