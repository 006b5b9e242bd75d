"""Amounts of memory as users write them: "512MB", "1.5GiB", or a number of bytes."""

import re
from decimal import Decimal

_UNITS = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 1 << 10,
    "mib": 1 << 20,
    "gib": 1 << 30,
    "tib": 1 << 40,
}
_SIZE = re.compile(r"(\d{1,18}(?:\.\d{1,9})?)\s*([a-z]*)")


def parse_bytes(value: str | int) -> int:
    """Bytes; a fraction of one is dropped. ValueError says what is wrong."""
    found = _SIZE.fullmatch(str(value).strip().lower())
    if found is None or found[2] not in _UNITS:
        raise ValueError(f"not an amount of memory: {value!r}; write bytes, or a string such as '512MB' or '1.5GiB'")
    return int(Decimal(found[1]) * _UNITS[found[2]])


def format_bytes(count: int) -> str:
    """As people read it: "612 MB"."""
    for unit in ("GB", "MB", "kB"):
        size = _UNITS[unit.lower()]
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} bytes"
