"""Storage in PostgreSQL 12 or newer: one function of the database, and one round trip, per call. See README.md."""

from gotask.storage.postgres.address import PostgresAddress
from gotask.storage.postgres.backend import PostgresStorage

__all__ = ["PostgresAddress", "PostgresStorage"]
