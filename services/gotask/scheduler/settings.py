"""The scheduler's settings."""

from gotask.service.settings import Seconds, StorageSettings


class SchedulerSettings(StorageSettings):
    """Settings of one scheduler."""

    scheduler_poll: Seconds = 0.1
    """The longest it waits before it looks for due jobs again: the most by which a job that was scheduled meanwhile
    can be late."""
