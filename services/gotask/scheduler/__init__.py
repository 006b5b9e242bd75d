"""The scheduler: it says when jobs that wait on time are due.

Reads the storage; gives ``JobsDue``. Any number of them, and no leader: all that it says is safe to repeat.
"""
