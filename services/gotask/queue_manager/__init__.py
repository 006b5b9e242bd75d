"""The queue-manager: it alone writes the state of jobs and queues.

Takes ``SubmitJobs``, ``JobResults`` and ``JobsDue`` from JetStream; answers ``ClaimRequest``, ``Heartbeat`` and the
commands; gives ``JobEvents``, ``Rejected``, ``Wake`` and ``CancelJobs``. Any number of replicas share one storage,
which arbitrates between them. Never runs user code.
"""
