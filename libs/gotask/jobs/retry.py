"""When a failed job runs again: a pure function of its policy."""

import random
from collections.abc import Callable

from gotask import v1


def delay_us(policy: v1.RetryPolicy, retry: int, rand: Callable[[], float] = random.random) -> int:
    """Microseconds to wait before retry number *retry* (1 is the first).

    Exponential is d*2^(n-1), linear d*n, fixed d; never above ``max_delay_us``. Jitter j varies the delay evenly
    within +-j of itself, and never lifts it above the maximum. *rand* gives numbers in [0, 1).
    """
    base = policy.delay_us
    if policy.strategy == v1.RETRY_STRATEGY_EXPONENTIAL:
        # The shift is bounded: 2^64 times the smallest delay is above any maximum there can be.
        delay = base << min(retry - 1, 64)
    elif policy.strategy == v1.RETRY_STRATEGY_LINEAR:
        delay = base * retry
    else:
        delay = base
    delay = min(delay, policy.max_delay_us)
    if policy.jitter:
        delay = round(delay * (1 + policy.jitter * (2 * rand() - 1)))
    return min(delay, policy.max_delay_us)
