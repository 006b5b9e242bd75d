"""Workers in the database."""

from collections.abc import Sequence

from gotask import v1
from gotask.storage.postgres.client import Client
from gotask.storage.postgres.text import column


class Workers:
    """The worker calls of the contract."""

    def __init__(self, client: Client, schema: str) -> None:
        self._client = client
        self._table = f"{schema}.workers"

    async def put(self, workers: Sequence[v1.WorkerInfo], expires_at_us: int) -> None:
        """In the order of their ids, so that calls which put the same ones wait for each other and not in a circle."""
        data = dict(sorted((column(worker.id), worker.SerializeToString()) for worker in workers))
        query = f"""
            INSERT INTO {self._table} (id, expires_at_us, data) SELECT id, $1, data FROM unnest($2::text[], $3::bytea[])
            AS given (id, data) ON CONFLICT (id) DO UPDATE SET expires_at_us = $1, data = excluded.data
        """  # noqa: S608
        await self._client.rows(query, expires_at_us, list(data), list(data.values()))

    async def live(self, now_us: int) -> list[v1.WorkerInfo]:
        query = f"SELECT data FROM {self._table} WHERE expires_at_us > $1 ORDER BY id"  # noqa: S608
        return [v1.WorkerInfo.FromString(row[0]) for row in await self._client.rows(query, now_us)]
