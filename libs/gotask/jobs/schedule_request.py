"""A schedule as users write it in JSON."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from gotask import v1
from gotask.jobs import limits
from gotask.jobs.cron import MAX_LENGTH
from gotask.jobs.request import Duration, JobFields, JobType, Moment, moment_us
from gotask.jobs.schedules import MAX_JITTER_US, NAME, check_timezone
from gotask.jobs.ticks import check_expression

_MISSED = {"skip": v1.MISSED_POLICY_SKIP, "one": v1.MISSED_POLICY_ONE, "all": v1.MISSED_POLICY_ALL}
_OVERLAP = {"allow": v1.OVERLAP_POLICY_ALLOW, "skip": v1.OVERLAP_POLICY_SKIP}
MISSED_NAMES = {value: name for name, value in _MISSED.items()}
OVERLAP_NAMES = {value: name for name, value in _OVERLAP.items()}


def _expression(text: str) -> str:
    check_expression(text)
    return text


def _timezone(name: str) -> str:
    check_timezone(name)
    return name


class ScheduleRequest(JobFields):
    """A job that recurs."""

    name: Annotated[str, Field(pattern=rf"^{NAME.pattern}$", examples=["daily-backup"])]
    """Unlike that of any other schedule."""
    job_type: JobType
    """The name of the jobs' handler."""
    cron_expr: Annotated[
        str,
        AfterValidator(_expression),
        Field(max_length=MAX_LENGTH, examples=["0 2 * * *", "@hourly", "*/10 * * * * *", "@every 90s"]),
    ]
    """Minute, hour, day of month, month, day of week; a sixth field before them is the second. Or @hourly, @daily,
    @weekly, @monthly, @yearly; or @every with a duration of 1s or more, counted from starts_at, else the creation."""
    timezone: Annotated[str, AfterValidator(_timezone), Field(examples=["Europe/Berlin"])] = "UTC"
    """IANA name of the time zone in which cron_expr is meant."""
    missed: Literal["skip", "one", "all"] = "skip"
    """What becomes of ticks that nobody was there for: none fires, one does for all, or each does (1,000 at most)."""
    overlap: Literal["allow", "skip"] = "allow"
    """Whether a tick fires while the last fire's job is not finished."""
    starts_at: Moment | None = None
    """No tick before this moment (RFC 3339)."""
    ends_at: Moment | None = None
    """No tick after this moment (RFC 3339)."""
    jitter: Annotated[Duration, Field(le=MAX_JITTER_US)] = 0
    """Each job waits up to this long after its tick, so that many schedules do not start theirs together."""
    ttl: Duration | None = None
    """Each job does not start later than this long after its fire."""

    def to_schedule(
        self, schedule_id: str, now_us: int, max_payload_bytes: int = limits.MAX_PAYLOAD_BYTES
    ) -> v1.Schedule:
        """What was asked for; InvalidJob when the payload is too large."""
        return v1.Schedule(
            id=schedule_id,
            name=self.name,
            cron_expr=self.cron_expr,
            timezone=self.timezone,
            job=self.job_of_type(self.job_type, max_payload_bytes),
            missed=_MISSED[self.missed],
            overlap=_OVERLAP[self.overlap],
            starts_at_us=moment_us(self.starts_at) if self.starts_at else 0,
            ends_at_us=moment_us(self.ends_at) if self.ends_at else 0,
            jitter_us=self.jitter,
            ttl_us=self.ttl or 0,
            created_at_us=now_us,
        )
