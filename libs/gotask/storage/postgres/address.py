"""Where the database is."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """A connection string (*dsn*, ``postgresql://…``, with everything libpq knows), or the single values."""

    dsn: str = field(default="", repr=False)
    host: str = "127.0.0.1"
    port: int = 5432
    database: str = "gotask"
    user: str = "gotask"
    password: str = field(default="", repr=False)

    def arguments(self) -> dict[str, Any]:
        """What asyncpg is called with."""
        if self.dsn:
            return {"dsn": self.dsn}
        return {
            "host": self.host,
            "port": self.port,
            "database": self.database,
            "user": self.user,
            "password": self.password or None,
        }
