"""Addresses as they may be shown."""

import re

_CREDENTIALS = re.compile(r"//[^/@,\s]*@")


def without_credentials(addresses: str) -> str:
    """URLs, separated by commas, without the names and passwords in them."""
    return _CREDENTIALS.sub("//", addresses)
