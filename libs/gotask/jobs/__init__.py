"""The rules of a job, as pure functions: states, retries, durations, ids, validation. No I/O, no clock."""
