"""Order: within a queue by priority and arrival, exactly; between queues strictly by priority, else by weight."""

import asyncio
import random
from collections import Counter

import pytest

from gotask.sdk import App, JobContext
from tests.services.life.town import Life
from tests.support.waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Recorder:
    """Writes down which jobs start, in order."""

    def __init__(self) -> None:
        self.app = App()
        self.ids: list[str] = []
        self.queues: list[str] = []

        @self.app.job("note")
        async def note(context: JobContext) -> None:
            self.ids.append(context.job_id)
            self.queues.append(context.queue)

    async def wait_for(self, count: int) -> None:
        await wait_until(lambda: len(self.ids) >= count, f"{count} jobs start", 60)


async def test_higher_priorities_start_first_and_equal_ones_in_order_of_arrival(life: Life) -> None:
    queue, notes = await life.queue(), Recorder()
    priorities = [random.choice([0, 1, 5, 255]) for _ in range(100)]
    ids = await life.submit_all([{"type": "note", "queue": queue, "priority": each} for each in priorities])
    await life.worker(notes.app, queue, concurrency=1)
    await notes.wait_for(100)
    expected = sorted(range(100), key=lambda index: (-priorities[index], index))
    assert notes.ids == [ids[index] for index in expected]


async def test_a_priority_that_is_not_given_is_one(life: Life) -> None:
    queue, notes = await life.queue(), Recorder()
    jobs = [{"priority": 0}, {}, {"priority": 2}, {"priority": 1}]
    ids = await life.submit_all([{"type": "note", "queue": queue, **each} for each in jobs])
    await life.worker(notes.app, queue, concurrency=1)
    await notes.wait_for(4)
    assert notes.ids == [ids[2], ids[1], ids[3], ids[0]]


async def test_a_job_that_comes_due_takes_its_place_behind_those_that_wait(life: Life) -> None:
    queue, notes = await life.queue(), Recorder()
    due, waiting = await life.submit_all(
        [{"type": "note", "queue": queue, "delay": "1s"}, {"type": "note", "queue": queue}]
    )
    await life.until(due, "pending")
    later = await life.submit("note", queue)
    await life.worker(notes.app, queue, concurrency=1)
    await notes.wait_for(3)
    assert notes.ids == [waiting, due, later]


async def test_a_job_that_was_handed_back_keeps_its_place_in_line(life: Life) -> None:
    app, notes = App(), Recorder()

    @app.job("note")
    async def note() -> None:
        await asyncio.sleep(60)

    queue = await life.queue()
    first = await life.worker(app, queue, concurrency=1)
    handed_back = await life.submit("note", queue)
    await life.until(handed_back, "running")
    others = await life.submit_all([{"type": "note", "queue": queue}] * 3)
    await first.stop()
    await life.worker(notes.app, queue, concurrency=1)
    await notes.wait_for(4)
    assert notes.ids == [handed_back, *others]


async def test_a_worker_takes_from_the_queue_of_the_highest_priority_first(life: Life) -> None:
    low, high, middle = await life.queue(priority=1), await life.queue(priority=9), await life.queue(priority=5)
    notes = Recorder()
    for queue in (low, high, middle):
        await life.submit_all([{"type": "note", "queue": queue}] * 60)
    await life.worker(notes.app, low, high, middle, concurrency=7)
    await notes.wait_for(180)
    assert notes.queues == [high] * 60 + [middle] * 60 + [low] * 60


@pytest.mark.parametrize("concurrency", [1, 50])
async def test_queues_of_equal_priority_share_by_weight(life: Life, concurrency: int) -> None:
    """Over 10,000 jobs for a worker with many slots, and some for one with a single slot."""
    weights = {await life.queue(weight=5): 5, await life.queue(weight=3): 3, await life.queue(weight=2): 2}
    notes, starts = Recorder(), 10_000 if concurrency > 1 else 300
    jobs = [{"type": "note", "queue": queue} for queue, weight in weights.items() for _ in range(starts * weight // 10)]
    await life.submit_all(jobs)
    await life.worker(notes.app, *weights, concurrency=concurrency)
    # Until the first of them is empty all of them have jobs.
    counted = starts * 8 // 10
    await notes.wait_for(counted)
    counts = Counter(notes.queues[:counted])
    for queue, weight in weights.items():
        assert counts[queue] == pytest.approx(counted * weight / 10, rel=0.05)


async def test_slots_that_one_queue_has_no_jobs_for_go_to_the_others(life: Life) -> None:
    busy, idle = await life.queue(weight=1), await life.queue(weight=1_000)
    notes = Recorder()
    ids = await life.submit_all([{"type": "note", "queue": busy}] * 30)
    await life.worker(notes.app, busy, idle, concurrency=10)
    await notes.wait_for(30)
    assert notes.ids == ids
