"""Results that come twice, or too late: each is told of once, as what it is."""

from collections.abc import AsyncIterator, Sequence

import pytest

from gotask import v1
from gotask.jobs.states import CANCELLED, RUNNING
from gotask.service.clock import SystemClock
from gotask.storage.contract import Finish, Finished, StorageUnavailable
from gotask.storage.memory import MemoryStorage
from tests.services.queue_manager.support import Desk, desk
from tests.support.servers import Server

FAILURE, SUCCESS = v1.OUTCOME_FAILURE, v1.OUTCOME_SUCCESS
QUICK = {"first_lease": 0.05, "lease_scan": 0.05}


class Breaking(MemoryStorage):
    """Loses its answer to one call of finish, after it was applied; its jobs go on meanwhile."""

    breaks = False

    async def finish(self, outcomes: Sequence[Finish], now_us: int) -> list[Finished]:
        finished = await super().finish(outcomes, now_us)
        if self.breaks:
            self.breaks = False
            await self.go_on([outcome.job_id for outcome in outcomes])
            raise StorageUnavailable("the connection broke")
        return finished

    async def go_on(self, job_ids: list[str]) -> None:
        """What happens to the jobs until the storage is there again."""


class Releasing(Breaking):
    async def go_on(self, job_ids: list[str]) -> None:
        await self.release(job_ids, SystemClock().now_us() + 1)


class Retrying(Breaking):
    async def go_on(self, job_ids: list[str]) -> None:
        await self.retry(job_ids, SystemClock().now_us())


@pytest.fixture
async def manager(nats: Server, namespace: str) -> AsyncIterator[Desk]:
    async with desk(nats.address, namespace, MemoryStorage(), **QUICK) as opened:
        yield opened


@pytest.mark.parametrize("outcome", [FAILURE, SUCCESS, v1.OUTCOME_RETURNED])
async def test_a_late_result_of_a_job_that_died_with_its_lease_is_stale(
    manager: Desk, outcome: v1.Outcome.ValueType
) -> None:
    job_id = await manager.insert(max_retries=0)
    claimed = await manager.claim(lease_s=0)
    await manager.hears("dead", job_id)
    await manager.report(claimed, outcome)
    await manager.hears("stale", job_id)
    assert manager.kinds(job_id) == ["dead", "stale"]


@pytest.mark.parametrize("outcome", [FAILURE, SUCCESS, v1.OUTCOME_RETURNED])
async def test_a_late_result_of_a_job_that_waits_again_is_stale(manager: Desk, outcome: v1.Outcome.ValueType) -> None:
    job_id = await manager.insert()
    claimed = await manager.claim(lease_s=0)
    await manager.hears("retrying", job_id)
    await manager.report(claimed, outcome)
    await manager.hears("stale", job_id)
    assert manager.kinds(job_id) == ["retrying", "stale"]
    (job,) = await manager.storage.get_jobs([job_id])
    assert job is not None
    assert [attempt.outcome for attempt in job.history.attempts] == [v1.OUTCOME_LEASE_LOST]


async def test_a_late_result_of_a_job_that_was_cancelled_with_its_lease_is_stale(manager: Desk) -> None:
    job_id = await manager.insert()
    claimed = await manager.claim(lease_s=0)
    await manager.storage.cancel([job_id], SystemClock().now_us())
    await manager.hears("cancelled", job_id)
    await manager.report(claimed, v1.OUTCOME_CANCELLED)
    await manager.hears("stale", job_id)
    (job,) = await manager.storage.get_jobs([job_id])
    assert job is not None
    assert (job.state, manager.kinds(job_id)) == (CANCELLED, ["cancelled", "stale"])


@pytest.mark.parametrize("outcome", [FAILURE, SUCCESS])
async def test_a_result_that_is_published_twice_is_told_of_once(manager: Desk, outcome: v1.Outcome.ValueType) -> None:
    job_id = await manager.insert(max_retries=0)
    claimed = await manager.claim()
    for _ in range(2):
        await manager.report(claimed, outcome)
    await manager.hears("dead" if outcome == FAILURE else "succeeded", job_id)
    await manager.settled()
    assert len(manager.kinds(job_id)) == 1


async def test_a_result_that_was_applied_and_not_told_of_is_told_when_it_is_replayed(
    nats: Server, namespace: str
) -> None:
    storage = Breaking()
    async with desk(nats.address, namespace, storage) as manager:
        for outcome, kind in ((FAILURE, "dead"), (SUCCESS, "succeeded")):
            job_id = await manager.insert(max_retries=0)
            claimed = await manager.claim()
            storage.breaks = True
            await manager.report(claimed, outcome)
            await manager.hears(kind, job_id)
            await manager.settled()
            assert manager.kinds(job_id) == [kind]


async def test_a_replayed_failure_is_told_of_though_its_job_has_gone_on(nats: Server, namespace: str) -> None:
    storage = Releasing()
    async with desk(nats.address, namespace, storage) as manager:
        job_id = await manager.insert()
        claimed = await manager.claim()
        storage.breaks = True
        await manager.report(claimed, FAILURE)
        await manager.hears("retrying", job_id)
        await manager.settled()
        assert manager.kinds(job_id) == ["retrying"]


async def test_a_replayed_death_is_told_of_though_its_job_was_retried_by_hand(nats: Server, namespace: str) -> None:
    storage = Retrying()
    async with desk(nats.address, namespace, storage) as manager:
        job_id = await manager.insert(max_retries=0)
        claimed = await manager.claim()
        storage.breaks = True
        await manager.report(claimed, FAILURE)
        await manager.hears("dead", job_id)
        await manager.settled()
        assert manager.kinds(job_id) == ["dead"]
        again = await manager.claim()
        assert (again.job_id, again.tries) == (job_id, 1)


async def test_a_late_failure_of_a_job_that_was_retried_by_hand_is_stale(manager: Desk) -> None:
    """Its attempt is forgiven by then, and is below the first try."""
    job_id = await manager.insert(max_retries=0)
    claimed = await manager.claim(lease_s=0)
    await manager.hears("dead", job_id)
    await manager.storage.retry([job_id], SystemClock().now_us())
    await manager.report(claimed, FAILURE)
    await manager.hears("stale", job_id)
    again = await manager.claim()
    await manager.report(again, FAILURE)
    await manager.hears("dead", job_id, times=2)
    assert again.attempt == 2


async def test_results_that_name_no_queue_are_set_aside(manager: Desk) -> None:
    await manager.insert()
    claimed = await manager.claim()
    await manager.report(claimed._replace(queue="a.b"), SUCCESS)
    await manager.settled()
    (job,) = await manager.storage.get_jobs([claimed.job_id])
    assert job is not None
    assert (job.state, job.attempt) == (RUNNING, 1)
