"""What a developer runs: the bench, proto generation, lock files, checks. Each is a module: ``python -m tools.NAME``."""
