"""A worker, as REST shows it."""

from typing import Any

from gotask import v1
from gotask.gateway.rest.times import moment


def worker_document(worker: v1.WorkerInfo) -> dict[str, Any]:
    """What its last heartbeat told."""
    return {
        "id": worker.id,
        "hostname": worker.hostname,
        "pid": worker.pid,
        "queues": list(worker.queues),
        "types": list(worker.types),
        "concurrency": worker.concurrency,
        "running": worker.running,
        "runs": [
            {
                "job_id": run.job_id,
                "type": run.type,
                "queue": run.queue,
                "started_at": moment(run.started_at_us),
            }
            for run in worker.runs
        ],
        "draining": worker.draining,
        "version": worker.version,
        "started_at": moment(worker.started_at_us),
        "seen_at": moment(worker.seen_at_us),
    }
