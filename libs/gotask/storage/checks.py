"""What is wrong in a call before any backend looks at it."""

from collections.abc import Sequence

from gotask.jobs.states import RUNNING, TRANSITIONS
from gotask.storage.contract import Finish

_ENDS = TRANSITIONS[RUNNING]


def check_outcomes(outcomes: Sequence[Finish]) -> None:
    """ValueError for a state in which no attempt can leave its job."""
    if wrong := {outcome.state for outcome in outcomes} - _ENDS:
        raise ValueError(f"an attempt cannot leave its job in state {min(wrong)}")
