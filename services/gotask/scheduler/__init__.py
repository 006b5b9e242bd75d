"""The scheduler: owns schedules, and says when jobs that wait on time are due.

Takes the commands about schedules and what other schedulers say is due; reads the storage, and writes schedules to it,
never jobs. Gives ``JobsDue``, and ``SubmitJobs`` for each fire of a schedule. Any number of them, and no leader: what
they say is safe to repeat, and the storage lets one decide each fire.
"""
