"""``gotask demo``: everything at work, to be watched."""
