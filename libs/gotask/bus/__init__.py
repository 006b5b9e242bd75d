"""NATS for everybody else: subjects, streams, the connection, group commit, batch consumers, requests.

Knows nothing of storage, and of jobs no more than the messages that carry them.
"""
