"""The states of a job and the one table of legal transitions."""

from gotask import v1

SCHEDULED = v1.JOB_STATE_SCHEDULED
PENDING = v1.JOB_STATE_PENDING
RUNNING = v1.JOB_STATE_RUNNING
RETRYING = v1.JOB_STATE_RETRYING
SUCCESS = v1.JOB_STATE_SUCCESS
FAILED = v1.JOB_STATE_FAILED
DEAD = v1.JOB_STATE_DEAD
CANCELLED = v1.JOB_STATE_CANCELLED
EXPIRED = v1.JOB_STATE_EXPIRED

TRANSITIONS: dict[v1.JobState.ValueType, frozenset[v1.JobState.ValueType]] = {
    SCHEDULED: frozenset({PENDING, CANCELLED, EXPIRED}),
    PENDING: frozenset({RUNNING, CANCELLED, EXPIRED}),
    RUNNING: frozenset({SUCCESS, RETRYING, PENDING, FAILED, DEAD, CANCELLED}),
    RETRYING: frozenset({PENDING, CANCELLED, EXPIRED}),
    SUCCESS: frozenset(),
    FAILED: frozenset({PENDING}),
    DEAD: frozenset({PENDING}),
    CANCELLED: frozenset({PENDING}),
    EXPIRED: frozenset({PENDING}),
}
"""From each state, the states it may become. RUNNING to PENDING is a lease that was handed back or lost; from a
terminal state to PENDING is a retry by hand."""

TERMINAL = frozenset({SUCCESS, FAILED, DEAD, CANCELLED, EXPIRED})
WAITING = frozenset({SCHEDULED, PENDING, RETRYING})
RETRYABLE = frozenset(state for state in TERMINAL if PENDING in TRANSITIONS[state])

_NAMES = {value: name.removeprefix("JOB_STATE_").lower() for name, value in v1.JobState.items() if value}
_STATES = {name: state for state, name in _NAMES.items()}
NAMES = tuple(_STATES)
"""Every state as users write it, in the order of a job's life."""


def allowed(current: v1.JobState.ValueType, following: v1.JobState.ValueType) -> bool:
    """Whether a job in state *current* may become *following*."""
    return following in TRANSITIONS[current]


def name_of(state: v1.JobState.ValueType) -> str:
    """The state as users write it, such as ``"pending"``."""
    return _NAMES[state]


def state_of(name: str) -> v1.JobState.ValueType:
    """The state that users write as *name*; ValueError names the known ones."""
    try:
        return _STATES[name]
    except KeyError:
        raise ValueError(f"unknown state {name!r}; known are {', '.join(NAMES)}") from None
