"""The metrics service: it counts what happened, and shows it.

Takes ``JobEvents`` from JetStream and reads the storage for gauges; serves Prometheus and JSON. Writes nothing.
"""
