"""The schema that holds a namespace: its name in SQL."""

_LONGEST = 63
"""Bytes of a name, beyond which PostgreSQL cuts it."""


def quoted(namespace: str) -> str:
    """The schema of *namespace*, as it is written in SQL. ValueError for a name that no schema can have."""
    if not namespace or "\0" in namespace or len(namespace.encode()) > _LONGEST:
        raise ValueError(f"namespace {namespace!r}: a schema of PostgreSQL has a name of 1 to {_LONGEST} bytes")
    return '"' + namespace.replace('"', '""') + '"'
