"""Ports for servers that are about to start."""

import random
import socket

from gotask.embedded import free_port


def test_nobody_is_given_the_port_of_another_that_does_not_listen_yet() -> None:
    assert len({free_port() for _ in range(1_000)}) == 1_000


def test_what_others_do_with_random_numbers_does_not_matter() -> None:
    random.seed(0)
    first = free_port()
    random.seed(0)
    assert free_port() != first


def test_it_can_be_listened_on() -> None:
    with socket.create_server(("127.0.0.1", free_port())):
        pass
