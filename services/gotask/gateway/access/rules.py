"""What each call needs. A call that is not listed is allowed to nobody."""

from collections.abc import Mapping

from gotask.gateway.access.caller import Scope

_API = "/api/v1"
_MANY_JOBS, _JOB = f"{_API}/jobs", f"{_API}/jobs/{{job_id}}"
_MANY_SCHEDULES, _SCHEDULE = f"{_API}/schedules", f"{_API}/schedules/{{schedule_id}}"
_MANY_QUEUES, _QUEUE = f"{_API}/queues", f"{_API}/queues/{{name}}"

OPEN = frozenset({"GET /health", "GET /ready", "GET /docs", "GET /openapi.json"})
"""Calls that need no credentials."""

METRICS = frozenset({"GET /metrics", f"GET {_API}/metrics"})
"""Calls that need none, either, where a setting says so."""

REST: Mapping[str, Scope] = {
    f"POST {_MANY_JOBS}": Scope.SUBMIT,
    f"POST {_MANY_JOBS}/batch": Scope.SUBMIT,
    f"GET {_MANY_JOBS}": Scope.READ,
    f"GET {_JOB}": Scope.READ,
    f"GET {_JOB}/events": Scope.READ,
    f"GET {_API}/events": Scope.READ,
    f"DELETE {_JOB}": Scope.MANAGE,
    f"POST {_JOB}/cancel": Scope.MANAGE,
    f"POST {_JOB}/retry": Scope.MANAGE,
    f"POST {_MANY_QUEUES}": Scope.MANAGE,
    f"GET {_MANY_QUEUES}": Scope.READ,
    f"GET {_QUEUE}": Scope.READ,
    f"PUT {_QUEUE}": Scope.MANAGE,
    f"DELETE {_QUEUE}": Scope.MANAGE,
    f"POST {_QUEUE}/pause": Scope.MANAGE,
    f"POST {_QUEUE}/resume": Scope.MANAGE,
    f"POST {_QUEUE}/purge": Scope.MANAGE,
    f"GET {_QUEUE}/stats": Scope.READ,
    f"GET {_QUEUE}/dead": Scope.READ,
    f"DELETE {_QUEUE}/dead": Scope.MANAGE,
    f"POST {_QUEUE}/dead/retry": Scope.MANAGE,
    f"POST {_MANY_SCHEDULES}": Scope.MANAGE,
    f"GET {_MANY_SCHEDULES}": Scope.READ,
    f"GET {_SCHEDULE}": Scope.READ,
    f"PUT {_SCHEDULE}": Scope.MANAGE,
    f"DELETE {_SCHEDULE}": Scope.MANAGE,
    f"POST {_SCHEDULE}/pause": Scope.MANAGE,
    f"POST {_SCHEDULE}/resume": Scope.MANAGE,
    f"POST {_SCHEDULE}/run": Scope.MANAGE,
    "GET /metrics": Scope.READ,
    f"GET {_API}/metrics": Scope.READ,
    f"GET {_API}/workers": Scope.READ,
    f"POST {_API}/workers/{{worker_id}}/drain": Scope.MANAGE,
    f"POST {_API}/workers/{{worker_id}}/resume": Scope.MANAGE,
}

GRPC: Mapping[str, Scope] = {
    "/gotask.v1.JobService/SubmitJob": Scope.SUBMIT,
    "/gotask.v1.JobService/SubmitJobs": Scope.SUBMIT,
    "/gotask.v1.JobService/SubmitStream": Scope.SUBMIT,
    "/gotask.v1.JobService/GetJob": Scope.READ,
    "/gotask.v1.JobService/ListJobs": Scope.READ,
    "/gotask.v1.JobService/CancelJob": Scope.MANAGE,
    "/gotask.v1.JobService/RetryJob": Scope.MANAGE,
    "/gotask.v1.JobService/DeleteJob": Scope.MANAGE,
    "/gotask.v1.JobService/WatchJob": Scope.READ,
    "/gotask.v1.JobService/WatchEvents": Scope.READ,
    "/gotask.v1.QueueService/CreateQueue": Scope.MANAGE,
    "/gotask.v1.QueueService/ListQueues": Scope.READ,
    "/gotask.v1.QueueService/GetQueue": Scope.READ,
    "/gotask.v1.QueueService/UpdateQueue": Scope.MANAGE,
    "/gotask.v1.QueueService/DeleteQueue": Scope.MANAGE,
    "/gotask.v1.QueueService/PauseQueue": Scope.MANAGE,
    "/gotask.v1.QueueService/ResumeQueue": Scope.MANAGE,
    "/gotask.v1.QueueService/PurgeQueue": Scope.MANAGE,
    "/gotask.v1.QueueService/GetQueueStats": Scope.READ,
    "/gotask.v1.QueueService/ListDeadJobs": Scope.READ,
    "/gotask.v1.QueueService/RetryDeadJobs": Scope.MANAGE,
    "/gotask.v1.QueueService/PurgeDeadJobs": Scope.MANAGE,
    "/gotask.v1.ScheduleService/CreateSchedule": Scope.MANAGE,
    "/gotask.v1.ScheduleService/ListSchedules": Scope.READ,
    "/gotask.v1.ScheduleService/GetSchedule": Scope.READ,
    "/gotask.v1.ScheduleService/UpdateSchedule": Scope.MANAGE,
    "/gotask.v1.ScheduleService/DeleteSchedule": Scope.MANAGE,
    "/gotask.v1.ScheduleService/PauseSchedule": Scope.MANAGE,
    "/gotask.v1.ScheduleService/ResumeSchedule": Scope.MANAGE,
    "/gotask.v1.ScheduleService/RunSchedule": Scope.MANAGE,
    "/gotask.v1.WorkerService/Claim": Scope.WORK,
    "/gotask.v1.WorkerService/Withdraw": Scope.WORK,
    "/gotask.v1.WorkerService/Heartbeat": Scope.WORK,
    "/gotask.v1.WorkerService/Report": Scope.WORK,
    "/gotask.v1.WorkerService/WatchCancellations": Scope.WORK,
    "/gotask.v1.WorkerService/ListWorkers": Scope.READ,
    "/gotask.v1.WorkerService/DrainWorker": Scope.MANAGE,
    "/gotask.v1.WorkerService/ResumeWorker": Scope.MANAGE,
}
