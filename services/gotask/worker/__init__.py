"""The worker: it runs handlers, and never touches the storage.

Gives ``ClaimRequest``, ``Heartbeat`` and ``JobResults``; takes ``ClaimReply``, ``HeartbeatReply`` and ``CancelJobs``.
Any number of them.
"""
