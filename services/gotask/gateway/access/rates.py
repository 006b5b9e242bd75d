"""How often each caller may call."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from gotask.gateway.access.caller import Caller
from gotask.gateway.refusals import TooManyCalls

_MAX_BUCKETS = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class Rates:
    """A token bucket per caller: it holds *burst* seconds' worth of calls, and fills at the caller's rate.

    A call is taken while the bucket is not empty, whatever it costs: a batch of a thousand may leave it far below
    empty, and then its caller waits until it has filled again. The buckets that were not used for longest are
    forgotten beyond ten thousand, which makes them full.
    """

    def __init__(self, rate: float, burst_s: float = 1.0, now: Callable[[], float] = time.monotonic) -> None:
        """
        :param rate: calls per second of a caller that has no rate of its own; 0: no limit.
        :param burst_s: how many seconds' worth a bucket holds; it always holds one call at least.
        """
        self._rate = rate
        self._burst_s = burst_s
        self._now = now
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, caller: Caller) -> None:
        """Counts one call. TooManyCalls, and nothing is counted, when the caller's bucket is empty."""
        rate = self._rate_of(caller)
        if not rate:
            return
        bucket = self._bucket(caller.name, rate)
        if bucket.tokens <= 0:
            wait_s = max(math.ceil(-bucket.tokens / rate), 1)
            raise TooManyCalls(f"{caller.name} makes more than {rate:g} calls per second", wait_s)
        bucket.tokens -= 1

    def add(self, caller: Caller, calls: int) -> None:
        """Counts more calls for one that was taken, when it turned out to be worth them."""
        if rate := self._rate_of(caller):
            self._bucket(caller.name, rate).tokens -= calls

    def wait_s(self, caller: Caller) -> float:
        """How long until the caller's next call would be taken, in seconds."""
        rate = self._rate_of(caller)
        return max(-self._bucket(caller.name, rate).tokens / rate, 0.0) if rate else 0.0

    def _rate_of(self, caller: Caller) -> float:
        return self._rate if caller.rate is None else caller.rate

    def _bucket(self, name: str, rate: float) -> _Bucket:
        now = self._now()
        size = max(rate * self._burst_s, 1.0)
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = _Bucket(size, now)
            if len(self._buckets) > _MAX_BUCKETS:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(name)
            bucket.tokens = min(bucket.tokens + (now - bucket.filled_at) * rate, size)
            bucket.filled_at = now
        return bucket
