"""The process pool: where handlers with ``process=True`` run.

Each child is a Python of its own, started anew (never forked from the worker, which has threads and an event loop) and
kept for many jobs. It loads the user's handlers itself, so that nothing but jobs and results passes between the two.
Parent and child talk over a socket in frames (see ``frames``); a child whose parent is gone ends.
"""
