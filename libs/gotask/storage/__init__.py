"""Where jobs live: one contract (:mod:`gotask.storage.contract`) and its backends. Knows nothing of NATS."""
