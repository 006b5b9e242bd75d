"""What stands behind every protocol."""

from dataclasses import dataclass

from gotask.gateway.access.guard import Guard
from gotask.gateway.access.rates import Rates
from gotask.gateway.dead_letters import DeadLetters
from gotask.gateway.feed import Feed
from gotask.gateway.following import Following
from gotask.gateway.jobs import Jobs
from gotask.gateway.metrics import Metrics
from gotask.gateway.queues import Queues
from gotask.gateway.schedules import Schedules
from gotask.gateway.workers import Workers


@dataclass(frozen=True, slots=True)
class Parts:
    """Decide about jobs, queues, schedules and workers, and about who may."""

    guard: Guard
    rates: Rates
    jobs: Jobs
    following: Following
    feed: Feed
    queues: Queues
    dead_letters: DeadLetters
    schedules: Schedules
    metrics: Metrics
    workers: Workers
