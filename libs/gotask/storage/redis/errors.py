"""What a failed call means: worth repeating, or wrong for good."""

import re
import ssl

from redis.exceptions import (
    AskError,
    AuthenticationError,
    AuthorizationError,
    ClusterDownError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from gotask.storage.contract import StorageError, StorageUnavailable

# What a server answers that may serve the same call in a while: it is loading, busy, full, failing over or a replica.
# redis-py makes classes of some and cuts off the word that names them; the failure of a script carries it in its text.
_PASSING = (ReadOnlyError, OutOfMemoryError, ClusterDownError, TryAgainError)
_PASSING_WORDS = re.compile(
    r"\b(LOADING|BUSY|OOM|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|MISCONF|UNBLOCKED|Script killed|"
    r"max number of clients)\b"
)
_BROKEN = (RedisConnectionError, RedisTimeoutError, OSError)
_REPLICA = (ReadOnlyError, MasterDownError)
_REPLICA_WORDS = re.compile(r"\b(READONLY|MASTERDOWN)\b")


def storage_error(error: Exception) -> StorageError:
    """The error of the contract for one of redis-py: StorageUnavailable when repeating the call may help."""
    if isinstance(error, AuthenticationError | AuthorizationError):
        return StorageError(f"Redis refuses the credentials: {error}")
    if (untrusted := _untrusted(error)) is not None:
        return StorageError(f"the certificate of Redis is not trusted: {untrusted.verify_message}")
    if isinstance(error, _BROKEN):
        return StorageUnavailable(f"Redis does not answer: {str(error) or 'too late'}")
    if _answers(error, _PASSING, _PASSING_WORDS):
        return StorageUnavailable(f"Redis answered: {error}")
    if isinstance(error, AskError):
        return StorageError(f"this node of a Redis Cluster does not keep this namespace; another does: {error}")
    return StorageError(f"Redis answered: {error}")


def may_have_moved(error: Exception) -> bool:
    """Whether the master may be another server by now: the connection broke, or leads to a replica."""
    return isinstance(error, _BROKEN) or _answers(error, _REPLICA, _REPLICA_WORDS)


def _answers(error: Exception, kinds: tuple[type[Exception], ...], words: re.Pattern[str]) -> bool:
    return isinstance(error, kinds) or (isinstance(error, ResponseError) and words.search(str(error)) is not None)


def _untrusted(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error
