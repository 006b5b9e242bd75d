"""A connection that is quickly made and given back."""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import asyncpg

_FIRST_OWN_OID = 16384
"""PostgreSQL's own types have lower ones, which are the same in every database."""

_introspected: dict[frozenset[int], Any] = {}


class Connection(asyncpg.Connection):  # type: ignore[misc]
    """As the library's, without what costs this storage time and gives it nothing."""

    def get_reset_query(self) -> str:
        """Nothing: every call is one statement, and leaves nothing behind that would have to be reset."""
        return ""

    async def _introspect_types(self, typeoids: Iterable[int], *rest: Any) -> tuple[Any, Any]:
        """The library asks every connection anew, for 20 ms, what an array of integers is; this asks once."""
        wanted = frozenset(typeoids)
        if wanted in _introspected:
            return _introspected[wanted], SimpleNamespace(name="")
        types, statement = await super()._introspect_types(typeoids, *rest)
        if max(wanted) < _FIRST_OWN_OID:
            _introspected[wanted] = types
        return types, statement
