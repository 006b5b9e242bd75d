"""How often Python looks for garbage."""

import gc

_THRESHOLDS = (50_000, 20, 100)


def collect_seldom() -> None:
    """For a process that holds many jobs; call it when everything is imported.

    Thousands of jobs under way are thousands of live objects, which every collection walks in vain: with Python's own
    thresholds that is a third of a busy worker's time. What is loaded by now lives as long as the process.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
