"""What the database's errors mean for a caller."""

import asyncpg

from gotask.storage.contract import StorageError, StorageUnavailable

FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
"""What a call may raise."""

# Classes of SQLSTATE after which the same call may succeed: connection lost, transaction rolled back for others' sake,
# out of resources, interrupted by an operator, trouble of the system.
_PASSING_CLASSES = ("08", "40", "53", "57", "58")
_READ_ONLY = "25006"
_LOCK_NOT_AVAILABLE = "55P03"
_CREDENTIALS_CLASS = "28"
_UNKNOWN_DATABASE = "3D000"
_UNDEFINED = ("3F000", "42P01", "42883", "42704")
_ROLLED_BACK = ("40001", "40P01", "23505")
"""Serialization failure, deadlock, a unique value that another call took at this moment."""


def translated(error: BaseException) -> StorageError:
    """The contract's error for one of :data:`FAILURES`. Its text holds no secret."""
    if isinstance(error, asyncpg.DataError):
        return StorageError(f"a value is beyond what PostgreSQL stores: {error}")
    if isinstance(error, asyncpg.PostgresError):
        return _answered(error, error.sqlstate or "")
    return StorageUnavailable(f"PostgreSQL does not answer: {error or type(error).__name__}")


def _answered(error: asyncpg.PostgresError, state: str) -> StorageError:
    if state.startswith(_PASSING_CLASSES) or state in (_READ_ONLY, _LOCK_NOT_AVAILABLE):
        return StorageUnavailable(f"PostgreSQL answered: {error}")
    if state.startswith(_CREDENTIALS_CLASS):
        return StorageError(f"PostgreSQL refuses the credentials: {error}")
    if state == _UNKNOWN_DATABASE:
        return StorageError(f"PostgreSQL answered: {error}; create it with createdb, or name another")
    if state in _UNDEFINED:
        return StorageError(f"the schema is not what this version needs: {error}; run: gotask storage migrate")
    return StorageError(f"PostgreSQL answered: {error} ({state})")


def was_rolled_back(error: BaseException) -> bool:
    """Whether another call was served first, and this one is to be made again at once."""
    return isinstance(error, asyncpg.PostgresError) and error.sqlstate in _ROLLED_BACK


def spoils_connection(error: BaseException) -> bool:
    """Whether the connection is of no more use.

    The server behind it is going, or is a replica by now; or its answer is still to come, when nobody waits any more.
    """
    return not isinstance(error, asyncpg.PostgresError) or (error.sqlstate or "").startswith(("57P", _READ_ONLY))
