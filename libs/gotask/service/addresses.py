"""Addresses: as they may be shown, and who can reach them."""

import ipaddress
import re

_CREDENTIALS = re.compile(r"//[^/@,\s]*@")


def without_credentials(addresses: str) -> str:
    """URLs, separated by commas, without the names and passwords in them."""
    return _CREDENTIALS.sub("//", addresses)


def is_loopback(address: str) -> bool:
    """Whether who listens on *address*, an IP address or a name, is reached from this machine alone."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
