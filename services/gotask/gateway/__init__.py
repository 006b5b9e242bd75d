"""The gateway: the door for users. REST and gRPC; it is stateless, and any number may run.

Gives ``SubmitJobs`` to JetStream, the commands to the queue-manager, and what workers behind gRPC say to both; takes
``SubmitReply`` and ``ClaimReply``, and ``JobEvents`` while someone watches. Reads the storage for everything that is
only looked at. Never writes the state of a job.

What can be asked of jobs, queues and workers is in the modules of this package, and what callers may do in ``access``;
``rest`` and ``grpc`` put both into their protocol's words.
"""
