"""The gateway: the door for users. REST now; it is stateless, and any number may run.

Gives ``SubmitJobs`` to JetStream and the commands to the queue-manager; takes ``SubmitReply`` and, while someone waits
for a job, ``JobEvents``. Reads the storage for everything that is only looked at. Never writes the state of a job.
"""
